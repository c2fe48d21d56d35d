"""Building again after any sequence of edits, and of signatures, gives, byte for byte, what a clean build gives."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from zlib import crc32

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from gengfu_site import audit, pages, readings, reviewers, rules, signing
from gengfu_site.approvals import STEPS
from gengfu_site.library import Article, load
from gengfu_site.problems import GengfuError, Problem, ProblemsFound
from gengfu_site.publish import publish
from gengfu_site.readings import of_station
from gengfu_site.reviewers import Claim, admit
from sites import clean, files
from stations import AT, MKDOCS_YML, StationFolder, empty_station

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


def an_older_one_takes_its_number(station: StationFolder) -> None:
    """Both ids come to the same of the eight places that a month has at least."""
    id_ = next(id_ for id_ in map("N{:04}".format, count()) if crc32(id_.encode()) % 8 == crc32(b"T0001") % 8)
    station.article("notice/n.md", id=id_, kind="notice", published="2026-11-01", title="停水")


def searched_for(station: StationFolder, last_seen: str) -> None:
    station.file("private/A0003.yml", PERSON.format(id="A0003").replace("南门", last_seen)).chmod(0o600)
    station.file("private/A0003.jpg", b"\xff\xd8\xff face").chmod(0o600)


BESIDES: Mapping[str, tuple[Callable[[StationFolder], object], timedelta]] = {
    "its number": (an_older_one_takes_its_number, timedelta()),
    "its end": (lambda _station: None, timedelta(days=2)),
    "the title of one it leads to": (
        lambda station: station.article("tip/b.md", id="T0002", kind="tip", title="改了的题目"),
        timedelta(),
    ),
    "one it leads to is withdrawn": (
        lambda station: station.article("tip/b.md", id="T0002", kind="tip", withdrawn="有误"),
        timedelta(),
    ),
    "the title of the alert it follows": (
        lambda station: station.article("alert/a.md", **{**EARLIER, "title": "路通了"}),
        timedelta(),
    ),
    "a topic's address": (
        lambda station: station.file("mkdocs.yml", MKDOCS_YML.replace("slug: fire", "slug: huo")),
        timedelta(),
    ),
    "the alerts in force": (lambda _station: None, timedelta(days=4)),
    "a person's data": (lambda station: searched_for(station, last_seen="北门"), timedelta()),
}
EARLIER = {
    "id": "A0001",
    "kind": "alert",
    "expires": "2026-12-01",
    "alert": "{form: 道路, state: resolved, place: 桃园社区, tell: '110'}",
}


@pytest.mark.parametrize(("change", "later"), BESIDES.values(), ids=BESIDES)
def test_a_page_follows_each_thing_it_is_made_of_besides_its_own_text(
    station: StationFolder, change: Callable[[StationFolder], object], later: timedelta
) -> None:
    fields = {"kind": "tip", "published": "2026-11-02", "expires": "2026-11-22"}
    station.article("tip/a.md", id="T0001", topics="[防火用电]", **fields)
    station.article("tip/b.md", id="T0002", kind="tip")
    station.article("alert/a.md", **EARLIER)
    station.article(
        "alert/b.md",
        id="A0002",
        kind="alert",
        expires="2026-11-24",
        alert="{form: 道路, place: 桃园社区, tell: '110', references: [A0001]}",
    )
    station.article(
        "alert/c.md", **{**EARLIER, "id": "A0003", "alert": "{form: 走失, place: 桃园社区, tell: '110'}"}
    )
    searched_for(station, last_seen="南门")
    publish(station.settings, AT)
    before = files(station.settings.public)
    change(station)
    publish(station.settings, AT + later)
    assert files(station.settings.public) == clean(station, AT + later) != before


def test_of_what_is_renamed_or_deleted_nothing_is_left_where_a_release_is_changed_file_by_file(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(80):
        station.article(f"tip/t{n}.md", id=f"T{n:04}", kind="tip", title=f"第{n}篇")
    publish(station.settings, AT)
    monkeypatch.delattr("gengfu_site.release.Staged.take_over")
    tips = station.folder / "content/tip"
    (tips / "t1.md").rename(tips / "r1.md")
    publish(station.settings, AT)
    assert files(station.settings.public) == clean(station)
    (tips / "t2.md").unlink()
    publish(station.settings, AT)
    assert files(station.settings.public) == clean(station)


class Editing(RuleBasedStateMachine):
    """A station that somebody works on; after each edit it is built, and looked at."""

    articles = Bundle("articles")

    def __init__(self) -> None:
        super().__init__()
        self.station = empty_station(Path(tempfile.mkdtemp(prefix="gengfu-again-")))
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(readings, "_SETTLED", 0)  # nobody waits two seconds here; ticks are fine enough
        self.patch.setattr(readings, "_MANY", 2)
        for name, few in (("_FRONT", 1), ("_LEAST", 1), ("_MOST", 2)):
            self.patch.setattr(pages, name, few)  # so that a list of few articles has several pages
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


PIN = "284719"
REVIEWS = ("small", "none", "{default: none, tip: small}", "{default: small, tip: none}", "full")


def claim(name: str) -> Claim:
    return Claim(name=name, pin=PIN, login="duty")


class Signing(Editing):
    """A station whose articles are signed off, whatever happens to files, log and signed bytes in between."""

    written_articles = Bundle("articles")

    def __init__(self) -> None:
        super().__init__()
        self.patch.setattr("os.fsync", lambda _handle: None)
        self.patch.setattr(reviewers, "_COST", (2, 1, 1))
        self.patch.setattr("gengfu_site.approvals._MANY", 1)
        self.earlier: dict[str, list[bytes]] = {}
        self.lost: dict[Path, bytes] = {}

    @initialize()
    def begin(self) -> None:
        self.station.file("mkdocs.yml", f"{SETTINGS}      review: small\n")
        self.station.file("content/a.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
        self.station.article()
        admit(self.station.folder, "王所长", STEPS, PIN, None, AT, login="duty")
        admit(self.station.folder, "李警官", (), PIN, claim("王所长"), AT, login="duty")
        self.sign("content")

    @rule(name=written_articles)
    def sign_one(self, name: str) -> None:
        self.sign(f"content/{name}")

    @rule()
    def sign_all(self) -> None:
        self.sign("content")

    @rule(name=written_articles)
    def submit_one(self, name: str) -> None:
        with suppress(GengfuError):
            drafts = signing.drafts(self.station.settings, [f"content/{name}"], self.at)
            signing.submit(self.station.settings, drafts, claim("李警官"), self.at)
        self.look()

    @rule(name=written_articles, fields=FIELDS, body=st.sampled_from(BODIES))
    def edit_and_sign(self, name: str, fields: Mapping[str, str], body: str) -> None:
        self.write(name, self.number(name), fields, body)
        self.sign(f"content/{name}")

    @rule(name=written_articles, nth=st.integers(0, 3))
    def edit_back(self, name: str, nth: int) -> None:
        before = self.earlier.get(name, [])
        if nth < len(before):
            self.station.file(f"content/{name}", before[nth])
        self.look()

    @rule(name=written_articles)
    def withdraw_as_it_was_signed(self, name: str) -> None:
        file = self.station.folder / "content" / name
        file.write_bytes(file.read_bytes().replace(b"\nkind:", "\nwithdrawn: 有误\nkind:".encode(), 1))
        self.look()

    @rule(name=written_articles, text=st.sampled_from(["---\nid: [\n---\n", "正文\n"]))
    def spoil(self, name: str, text: str) -> None:
        self.station.file(f"content/{name}", text)
        self.look()

    @rule(review=st.sampled_from(REVIEWS))
    def change_the_review(self, review: str) -> None:
        self.station.file("mkdocs.yml", f"{SETTINGS}      review: {review}\n")
        self.look()

    @rule(place=st.floats(0, 0.999), how=st.sampled_from(["edited", "removed", "doubled", "cut"]))
    def damage_the_log(self, place: float, how: str) -> None:
        log = audit.log_file(self.station.folder)
        lines = log.read_bytes().splitlines(keepends=True)
        line = int(place * len(lines))
        changed = {
            "edited": [lines[line].replace(b'"who":"', b'"who":"x')],
            "removed": [],
            "doubled": [lines[line], lines[line]],
            "cut": [lines[line]],
        }[how]
        rest = lines[line + 1 :] if how != "cut" else []
        log.write_bytes(b"".join([*lines[:line], *changed, *rest]))
        self.look()
        log.write_bytes(b"".join(lines))
        self.look()

    @rule(place=st.floats(0, 0.999), data=st.sampled_from([None, b"other"]))
    def lose_what_was_signed(self, place: float, data: bytes | None) -> None:
        files = sorted(
            f
            for f in (self.station.folder / "audit/approved").rglob("*")
            if f.is_file() and f not in self.lost
        )
        if files:
            file = files[int(place * len(files))]
            self.lost[file] = file.read_bytes()
            file.unlink() if data is None else file.write_bytes(data)
        self.look()

    @rule()
    def find_it_again(self) -> None:
        for file, data in self.lost.items():
            file.write_bytes(data)
        self.lost.clear()
        self.look()

    def write(self, name: str, number: int, fields: Mapping[str, str], body: str) -> None:
        file = self.station.folder / "content" / name
        if file.exists():
            self.earlier.setdefault(name, []).insert(0, file.read_bytes())
        super().write(name, number, fields, body)

    def sign(self, name: str) -> None:
        with suppress(GengfuError):
            drafts = signing.drafts(self.station.settings, [name], self.at)
            signing.submit(self.station.settings, drafts, claim("李警官"), self.at)
        with suppress(GengfuError):
            drafts = signing.drafts(self.station.settings, [name], self.at)
            signing.approve(self.station.settings, drafts, claim("王所长"), STEPS, self.at)
        self.look()

    def look(self) -> None:
        super().look()
        for how in ({}, {"urgent": True}, {"as_written": True}):
            known = of_station(self.station.settings, self.at)
            library, problems = load(self.station.settings, self.at, known=known, **how)
            wanted, problems_wanted = load(self.station.settings, self.at, **how)
            assert sorted(problems) == sorted(problems_wanted)
            assert library.held == wanted.held
            assert list(map(told, library.articles)) == list(map(told, wanted.articles))


def told(article: Article) -> dict[str, object]:
    """All that is in it, however it is kept."""
    values = {name: getattr(article, name) for name in Article.__dataclass_fields__ if name != "lines"}
    return values | {"path in content": article.lines.path, "lines": article.lines.lines}


Signing.TestCase.settings = settings(Editing.TestCase.settings, max_examples=LONG or 4)
test_after_any_history_of_signatures_residents_see_what_a_clean_build_shows_them = Signing.TestCase
