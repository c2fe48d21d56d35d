"""Building again after any sequence of edits gives, byte for byte, what a clean build gives."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from gengfu_site import readings, rules
from gengfu_site.library import load
from gengfu_site.problems import Problem, ProblemsFound
from gengfu_site.publish import publish
from sites import clean, files
from stations import AT, MKDOCS_YML, empty_station

LONG = int(os.environ.get("GENGFU_TEST_EXAMPLES", "0"))
"""So many sequences, each of fifty edits: ``GENGFU_TEST_EXAMPLES=200 pytest tests/unit/test_again.py``."""

BODIES = (
    "正文\n",
    "换了一段话\n",
    "![图](../a.svg)\n",
    "# 题\n\n## 小标题\n\n看[这篇](#小标题)\n",
    "扫码领红包\n" * 40,
)
PERSON = "name: 赵小满\nlast_seen: 南门\nphoto: {id}.jpg\nbasis: 监护人同意\nerase_after: 2026-11-29\n"
SETTINGS = MKDOCS_YML.replace("{name: gengfu}", "{name: gengfu, custom_dir: own}")
_PLUGIN = "  - gengfu:\n"
CHANGES = [
    ("name: 青松路派出所", "name: 青松路警务站"),
    ("0000-5550130", "0001-5550130"),
    ("slug: fire", "slug: huo"),
    ("qingsong.example", "songlu.example"),
    ("        name: 青松路派出所\n", "        name: 青松路派出所\n        timezone: Asia/Urumqi\n"),
    ("        name: 青松路派出所\n", "        name: 青松路派出所\n        language: en\n"),
    (
        "        name: 青松路派出所\n",
        "        name: 青松路派出所\n        official: {icp: 京ICP备12345678号-1}\n",
    ),
    (_PLUGIN, f"{_PLUGIN}      portal: {{header: portal.html}}\n"),
    (_PLUGIN, f"{_PLUGIN}      service_desk: 值班室\n"),
    (_PLUGIN, f"{_PLUGIN}      shortcuts: [{{title: 防骗, to: fraud}}]\n"),
    (_PLUGIN, f"{_PLUGIN}      matters: [{{matter: 路灯不亮, who: 市政, phone: '12345'}}]\n"),
]
"""Of the settings, what and into what."""
MOMENTS = st.integers(-60, 14 * 24).map(lambda hours: f"{AT + timedelta(hours=8 + hours):%Y-%m-%d %H:%M}")
FIELDS = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["刷单返利", "刷单返利骗局", "燃气瓶怎么放", "领身份证"]),
        "published": MOMENTS,
    },
    optional={
        "summary": st.sampled_from(["先给小钱，再骗大钱。", "关阀门，开窗，出去打电话。"]),
        "topics": st.sampled_from(["[电信网络诈骗]", "[防火用电]", "[电信网络诈骗, 防火用电]"]),
        "areas": st.sampled_from(["[青松路]", "[青松路/桃园社区]", "[河东]"]),
        "expires": MOMENTS,
        "withdrawn": st.just("有误"),
        "evergreen": st.just("true"),
        "cover": st.just("../a.svg"),
    },
)
ALERTS = st.fixed_dictionaries(
    {
        "form": st.sampled_from(["走失", "道路"]),
        "state": st.sampled_from(["active", "resolved"]),
        "status": st.sampled_from(["actual", "exercise"]),
    }
)


class Editing(RuleBasedStateMachine):
    """A station that somebody works on; after each edit it is built, and looked at."""

    articles = Bundle("articles")

    def __init__(self) -> None:
        super().__init__()
        self.station = empty_station(Path(tempfile.mkdtemp(prefix="gengfu-again-")))
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(readings, "_SETTLED", 0)  # nobody waits two seconds here; ticks are fine enough
        self.hours = 0
        self.written = 0

    def teardown(self) -> None:
        self.patch.undo()
        shutil.rmtree(self.station.folder)

    @initialize()
    def begin(self) -> None:
        self.station.file("mkdocs.yml", SETTINGS)
        self.station.file("content/a.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
        self.station.article()
        self.look()

    @rule(
        target=articles,
        folder=st.sampled_from(["tip", "notice/2026"]),
        fields=FIELDS,
        body=st.sampled_from(BODIES),
    )
    def add(self, folder: str, fields: Mapping[str, str], body: str) -> str:
        self.written += 1
        name = f"{folder}/t{self.written}.md"
        self.write(name, self.written, fields, body)
        return name

    @rule(name=articles, other=articles, fields=FIELDS, body=st.sampled_from(BODIES))
    def edit(self, name: str, other: str, fields: Mapping[str, str], body: str) -> None:
        link = os.path.relpath(other, Path(name).parent)
        self.write(name, self.number(name), fields, f"{body}\n[另一篇]({link}) [小标题]({link}#小标题)\n")

    @rule(target=articles, name=consumes(articles), to=st.sampled_from(["tip/r{}.md", "notice/{}.md"]))
    def rename(self, name: str, to: str) -> str:
        new = to.format(self.number(name))
        (self.station.folder / "content" / new).parent.mkdir(exist_ok=True, parents=True)
        (self.station.folder / "content" / name).rename(self.station.folder / "content" / new)
        self.look()
        return new

    @rule(name=consumes(articles))
    def delete(self, name: str) -> None:
        (self.station.folder / "content" / name).unlink()
        self.look()

    @rule(number=st.integers(1, 3), alert=ALERTS, refers=st.booleans(), expires=MOMENTS, photo=st.booleans())
    def alert(self, number: int, alert: Mapping[str, str], refers: bool, expires: str, photo: bool) -> None:
        words = ", ".join(f"{name}: {word}" for name, word in alert.items())
        earlier = ", references: [A0001]" if refers and number != 1 else ""
        if photo:
            self.station.file(f"private/A000{number}.yml", PERSON.format(id=f"A000{number}")).chmod(0o600)
            self.station.file(f"private/A000{number}.jpg", b"\xff\xd8\xff face").chmod(0o600)
        self.station.article(
            f"alert/a{number}.md",
            id=f"A000{number}",
            kind="alert",
            expires=expires,
            alert=f"{{{words}, place: 桃园社区, tell: '110'{earlier}}}",
        )
        self.look()

    @rule(picture=st.sampled_from(["<svg/>", "<svg></svg>", "<svg><g/></svg>"]))
    def change_a_picture(self, picture: str) -> None:
        self.station.file("content/a.svg", picture)
        self.look()

    @rule(change=st.sampled_from(CHANGES), word=st.sampled_from(["甲", "乙"]))
    def change_the_settings(self, change: tuple[str, str], word: str) -> None:
        self.station.file("portal.html", f"<p>{word}门户</p>\n")
        self.station.file("synonyms.txt", f"刷单 {word}返利\n")
        self.station.file("mkdocs.yml", f"{SETTINGS.replace(*change)}# {word}: what reads it anew\n")
        self.look()

    @rule(words=st.sampled_from(["甲", "乙"]))
    def change_a_template(self, words: str) -> None:
        self.station.file("own/_dates.html", f"<p>{words} {{{{ view.published.text }}}}</p>")
        self.look()

    @rule(words=st.sampled_from(["", "forbidden: [{word: 红包, instead: 钱, why: 说明白}]\n"]))
    def change_the_words(self, words: str) -> None:
        self.station.file("terms.yml", words or "forbidden: []\n")
        self.look()

    @rule(hours=st.integers(0, 100))
    def wait(self, hours: int) -> None:
        self.hours += hours
        self.look()

    @rule()
    def build_in_another_process(self) -> None:
        """One that knows what the store told, and nothing else."""
        readings._held.cache_clear()
        self.look()

    @rule()
    def lose_what_was_known(self) -> None:
        readings._held.cache_clear()
        shutil.rmtree(self.station.folder / ".gengfu", ignore_errors=True)
        self.look()

    def write(self, name: str, number: int, fields: Mapping[str, str], body: str) -> None:
        self.station.article(
            name,
            body.replace("../a.svg", os.path.relpath("a.svg", Path(name).parent)),
            id=f"T{number:04}",
            kind="tip",
            **{**fields, "cover": fields.get("cover") and os.path.relpath("a.svg", Path(name).parent)},
        )
        self.look()

    def number(self, name: str) -> int:
        return int("".join(filter(str.isdecimal, Path(name).stem)))

    def look(self) -> None:
        """Build; the site is what a clean build makes, or, where something must be mended, as it was."""
        public = self.station.settings.public
        before = files(public)
        if problems := self.problems():
            with pytest.raises(ProblemsFound) as refused:
                publish(self.station.settings, self.at)
            assert files(public) == before
            assert list(refused.value.problems) == problems
            return
        publish(self.station.settings, self.at)
        made, wanted = files(public), clean(self.station, self.at)
        different = {path for path in made.keys() | wanted.keys() if made.get(path) != wanted.get(path)}
        assert different == set()
        assert sorted(f.name for f in public.parent.iterdir() if "public" in f.name) == [
            ".public.lock",
            "public",
        ]
        known = b"".join(f.read_bytes() for f in (self.station.folder / ".gengfu").iterdir())
        assert "赵小满".encode() not in known

    @property
    def at(self) -> datetime:
        return AT + timedelta(hours=self.hours)

    def problems(self) -> list[Problem]:
        """What a build that knows nothing finds."""
        library, problems = load(self.station.settings, self.at)
        return sorted([*problems, *rules.refusals(library, self.at)])


Editing.TestCase.settings = settings(
    max_examples=LONG or 6,
    stateful_step_count=50 if LONG else 12,
    phases=[Phase.explicit, Phase.generate] if LONG else Phase,
    deadline=None,
)
test_after_any_sequence_of_edits_the_site_is_as_a_clean_build_makes_it = Editing.TestCase
