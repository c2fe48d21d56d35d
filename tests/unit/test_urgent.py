"""An alert is public at once whatever is wrong elsewhere; when it ends, nothing of a missing person is left."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import feedparser
import pytest
from jsonschema import Draft202012Validator
from mkdocs.commands.build import build
from mkdocs.config import load_config

from gengfu_site import publish as publishing
from gengfu_site import release, urgent
from gengfu_site.amend import Fields, NotAmended, amend
from gengfu_site.catalogue import Entry, loads
from gengfu_site.meant import NoSuchArticle
from gengfu_site.problems import ProblemsFound
from gengfu_site.publish import publish
from gengfu_site.render import TemplateBroken
from gengfu_site.start import AlreadyThere
from gengfu_site.urgent import conclude, find, publish_article, refresh, take_in, update, withdraw
from stations import AT, MKDOCS_YML, StationFolder

ALERT = "{form: 走失, place: 桃园社区, tell: '110'}"
PERSON = (
    "name: 小满\nage: 4 岁\nlast_seen: 11月20日 17:00 桃园社区南门\nphoto: A5W3R.jpg\n"
    "basis: 监护人同意\nerase_after: 2026-11-25\n"
)
PHOTO = b"\xff\xd8\xff picture of the child"
SOON = AT + timedelta(minutes=5)


@pytest.fixture
def search(station: StationFolder) -> StationFolder:
    """A station that searches for a child, and a tip."""
    station.article(
        "alert/child.md", id="A5W3R", title="寻人", kind="alert", expires="2026-12-01", alert=ALERT
    )
    station.file("private/A5W3R.yml", PERSON).chmod(0o600)
    station.file("private/A5W3R.jpg", PHOTO).chmod(0o600)
    station.article(
        "tip/gas.md", "![图](gas.svg)\n关好阀门。\n", id="T2222", title="燃气", kind="tip", cover="gas.svg"
    )
    station.file("content/tip/gas.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
    return station


def page(station: StationFolder, url: str) -> str:
    return (station.settings.public / url / "index.html").read_text("utf-8")


def public(station: StationFolder) -> set[str]:
    folder = station.settings.public
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def entries(station: StationFolder) -> dict[str, Entry]:
    catalogue = loads((station.settings.public / "catalogue.json").read_text("utf-8"))
    return {entry.id: entry for entry in catalogue.entries}


def alerts(station: StationFolder) -> list[tuple[str, str]]:
    """Id and state of what ``alerts.json`` tells."""
    document = json.loads((station.settings.public / "alerts.json").read_text("utf-8"))
    return [(alert["id"], alert["state"]) for alert in document["alerts"]]


def mkdocs(station: StationFolder) -> None:
    """``mkdocs build``."""
    build(load_config(str(station.folder / "mkdocs.yml")))


def no_space(content: object, target: str) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", target)


def traces(station: StationFolder) -> list[str]:
    """Files in which anything of the child is found, all that lies in the station but content/ and private/."""
    kept = [station.settings.content, station.settings.private]
    return [
        file.relative_to(station.folder).as_posix()
        for file in station.folder.rglob("*")
        if file.is_file() and not any(file.is_relative_to(folder) for folder in kept)
        if any(mark in file.read_bytes() for mark in ("小满".encode(), "桃园社区南门".encode(), PHOTO))
    ]


class TestPublishing:
    def test_an_alert_is_public_though_others_have_problems_which_are_told(
        self, search: StationFolder
    ) -> None:
        search.article("fraud/broken.md", id="F3333", body="[哪里](nowhere.md)\n")
        done = publish_article(search.settings, "A5W3R", AT)
        assert "小满" in page(search, "alert/child")
        assert (done.entry.id, done.entry.url) == ("A5W3R", "https://qingsong.example/alert/child/")
        assert ([p.path for p in done.problems], done.own) == (["content/fraud/broken.md"], ())
        assert "fraud/broken/index.html" not in public(search)

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda text: text.replace("关好", "【待写】"), id="unwritten"),
            pytest.param(lambda text: text.replace("gas.svg)", "none.svg)"), id="dead link"),
            pytest.param(lambda text: text.replace("title: 燃气", "title: [燃气"), id="no YAML"),
            pytest.param(lambda text: text.replace("---\n", "", 1), id="no front matter"),
        ],
    )
    def test_what_residents_see_of_a_spoilt_article_stays(
        self, search: StationFolder, spoil: Callable[[str], str]
    ) -> None:
        publish(search.settings, AT)
        before, files = entries(search), public(search)
        feed = feedparser.parse(search.settings.public / "tip/atom.xml").entries
        tip = search.settings.content / "tip/gas.md"
        tip.write_text(spoil(tip.read_text("utf-8")), "utf-8")
        done = publish_article(search.settings, "A5W3R", SOON)
        assert done.kept == ("燃气",)
        assert {p.path for p in done.problems} == {"content/tip/gas.md"}
        assert "关好阀门。" in page(search, "tip/gas")
        assert 'class="banner"' in page(search, "tip/gas")
        assert "燃气" in page(search, "tip")
        assert entries(search) == before
        assert public(search) == files
        assert feedparser.parse(search.settings.public / "tip/atom.xml").entries == feed

    def test_a_spoilt_article_keeps_the_picture_that_chats_show_of_it(self, search: StationFolder) -> None:
        search.file("content/tip/fire.png", b"\x89PNG\r\n\x1a\n")
        fire = search.article("tip/fire.md", id="T3333", title="防火", kind="tip", cover="fire.png")
        publish(search.settings, AT)
        image = entries(search)["T3333"].image
        fire.write_text(fire.read_text("utf-8").replace("正文", "【待写】"), "utf-8")
        assert publish_article(search.settings, "A5W3R", SOON).kept == ("防火",)
        assert image == "https://qingsong.example/tip/fire.png"
        assert entries(search)["T3333"].image == image

    def test_a_topic_that_was_renamed_holds_up_no_alert(self, search: StationFolder) -> None:
        service = "{department: 窗口, visit: 不用跑}"
        search.article("service/s.md", id="S2222", kind="service", topics="[防火用电]", service=service)
        publish(search.settings, AT)
        search.file("mkdocs.yml", MKDOCS_YML.replace("防火用电", "消防"))
        assert publish_article(search.settings, "A5W3R", SOON).kept == ("刷单返利",)
        assert 'href="../service/s/"' in page(search, "service")

    def test_a_release_that_somebody_spoilt_holds_up_no_alert(self, search: StationFolder) -> None:
        publish(search.settings, AT)
        tip = search.settings.content / "tip/gas.md"
        tip.write_text(tip.read_text("utf-8").replace("关好", "【待写】"), "utf-8")
        for feed in search.settings.public.rglob("atom.xml"):
            feed.write_text("<feed", "utf-8")
        assert publish_article(search.settings, "A5W3R", SOON).kept == ("燃气",)
        assert "关好阀门。" in page(search, "tip/gas")
        (search.settings.public / "catalogue.json").write_text("{", "utf-8")
        assert publish_article(search.settings, "A5W3R", SOON).kept == ()

    def test_an_article_taken_away_is_not_kept(self, search: StationFolder) -> None:
        publish(search.settings, AT)
        (search.settings.content / "tip/gas.md").unlink()
        assert publish_article(search.settings, "A5W3R", SOON).kept == ()
        assert "tip/gas/index.html" not in public(search)

    def test_an_article_whose_time_is_over_is_not_kept_as_if_it_were_not(self, search: StationFolder) -> None:
        search.article("tip/gas.md", id="T2222", kind="tip", expires="2026-11-21 08:03")
        publish(search.settings, AT)
        search.article(
            "tip/gas.md", "[哪里](nowhere.md)\n", id="T2222", kind="tip", expires="2026-11-21 08:03"
        )
        assert publish_article(search.settings, "A5W3R", SOON).kept == ()
        assert "T2222" not in entries(search)

    def test_another_alert_is_never_kept_but_published_as_it_is_written_or_not_at_all(
        self, search: StationFolder
    ) -> None:
        search.article(
            "alert/fire.md",
            id="A4444",
            kind="alert",
            expires="2026-12-01",
            alert="{form: 火情, place: 桥, tell: '119'}",
        )
        publish(search.settings, AT)
        child = search.settings.content / "alert/child.md"
        child.write_text(
            child.read_text("utf-8").replace("{form", "{state: resolved, form") + "[哪里](none.md)\n", "utf-8"
        )
        publish_article(search.settings, "A4444", SOON)
        assert ("已找到" in page(search, "alert/child"), traces(search)) == (True, [])
        child.write_text("---\n: : [\n---\n", "utf-8")
        assert publish_article(search.settings, "A4444", SOON).kept == ()
        assert "alert/child/index.html" not in public(search)

    def test_an_article_withdrawn_by_hand_is_never_kept_whatever_else_is_wrong(
        self, search: StationFolder
    ) -> None:
        publish(search.settings, AT)
        search.article(
            "tip/gas.md", "[哪里](none.md)\n", id="T2222", title="燃气", kind="tip", withdrawn="写错了"
        )
        assert publish_article(search.settings, "A5W3R", SOON).kept == ()
        assert "本页已撤下" in page(search, "tip/gas")
        assert "T2222" not in entries(search)

    @pytest.mark.parametrize(
        ("fields", "body", "field"),
        [
            ({"summary": "长" * 121}, "", "summary"),
            ({"title": "长" * 41}, "", "title"),
            ({"topics": "[没登记]"}, "", "topics.0"),
            ({"cover": "none.jpg"}, "", "cover"),
            ({"next_review": "明年"}, "", "next_review"),
            ({"titel": "写错字段名"}, "", "titel"),
            ({"expires": None}, "", "expires"),
            ({}, "【待写】\n", ""),
            ({}, "[哪里](none.md)\n", ""),
        ],
    )
    def test_what_an_alert_can_do_without_does_not_hold_it_up_and_is_told(
        self, station: StationFolder, fields: dict[str, str], body: str, field: str
    ) -> None:
        written = {"id": "A5W3R", "kind": "alert", "expires": "2026-12-01", "alert": ALERT, **fields}
        station.article("alert/child.md", body, **written)
        done = publish_article(station.settings, "A5W3R", AT)
        assert [problem.field for problem in done.own] == [field]
        assert "还在找" in page(station, "alert/child")
        assert len(done.entry.summary) <= 120
        assert len(done.entry.title) <= 40

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"alert": ALERT.replace("110'", "110', status: exercis")}, "alert.status"),
            ({"alert": ALERT.replace("110'", "110', state: found")}, "alert.state"),
            ({"alert": "{form: 走失}"}, "alert.tell"),
            ({"areas": "[桃源]"}, "areas.0"),
            ({"audience": "[老人]"}, "audience.0"),
            ({"expires": "后天"}, "expires"),
            ({"published": "2026-11-21 09:00"}, "published"),
        ],
    )
    def test_what_would_be_a_guess_is_refused_with_all_that_is_wrong_and_the_site_stays(
        self, station: StationFolder, fields: dict[str, str], field: str
    ) -> None:
        station.article()
        publish(station.settings, AT)
        before = public(station)
        written = {"id": "A5W3R", "kind": "alert", "expires": "2026-12-01", "alert": ALERT, **fields}
        station.article("alert/child.md", **written)
        with pytest.raises(ProblemsFound) as refused:
            publish_article(station.settings, "A5W3R", AT)
        assert field in [problem.field for problem in refused.value.problems]
        assert public(station) == before

    def test_an_alert_with_a_robots_address_in_it_is_refused(self, search: StationFolder) -> None:
        body = "https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef\n"
        search.article("alert/child.md", body, id="A5W3R", kind="alert", expires="2026-12-01", alert=ALERT)
        with pytest.raises(ProblemsFound) as refused:
            publish_article(search.settings, "A5W3R", AT)
        assert "0123456789abcdef" not in str(refused.value)

    def test_a_build_that_waited_does_not_bring_back_what_went_meanwhile(self, search: StationFolder) -> None:
        """What a build publishes is read when its turn has come."""
        with ThreadPoolExecutor() as pool:
            with release.replacing(search.settings.public):
                waiting = pool.submit(publish, search.settings, AT)
                child = search.settings.content / "alert/child.md"
                amend(child, {("alert", "state"): "resolved"})
            waiting.result(30)
        assert traces(search) == []


class TestFinding:
    @pytest.mark.parametrize("name", ["A5W3R", "a5w3r", "content/alert/child.md", "alert/child.md"])
    def test_an_article_is_found_by_id_or_path(self, search: StationFolder, name: str) -> None:
        found = find(search.settings, name, AT)
        assert (found.entry.id, found.file) == ("A5W3R", search.settings.content / "alert/child.md")
        assert [fact.value for fact in found.entry.alert.facts][:2] == ["小满", "4 岁"]  # type: ignore[union-attr]

    def test_whoever_is_not_there_is_answered_with_the_nearest(self, search: StationFolder) -> None:
        with pytest.raises(NoSuchArticle, match="A5W3R"):
            find(search.settings, "A5W3Q", AT)

    @pytest.mark.parametrize("name", ["A5W3R", "alert/child.md"])
    def test_one_that_cannot_be_read_is_answered_with_what_is_wrong(
        self, search: StationFolder, name: str
    ) -> None:
        search.file("content/alert/child.md", "---\nid: A5W3R\ntitle: [\n---\n")
        with pytest.raises(ProblemsFound, match=r"alert/child\.md:4"):
            find(search.settings, name, AT)


class TestTakingIn:
    TEXT = "---\ntitle: 寻人\nsummary: 看到请打110。\nexpires: 2026-12-01\nalert: {form: 走失, place: 桥, tell: '110'}\n---\n帮忙看看。\n"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_a_file_from_elsewhere_gets_what_it_lacks_and_is_an_article(
        self, station: StationFolder, tmp_path: Path, encoding: str
    ) -> None:
        file = tmp_path / ".寻人.txt"
        file.write_bytes(self.TEXT.replace("\n", "\r\n").encode(encoding))
        copy = take_in(station.settings, file, AT)
        assert copy == station.settings.content / "alert/寻人.md"
        [article] = station.load().articles
        assert (article.title, article.kind, article.published) == ("寻人", "alert", AT)
        assert file.read_bytes().decode(encoding) == self.TEXT.replace("\n", "\r\n")
        assert publish_article(station.settings, article.id, AT).own == ()

    def test_what_it_has_stays(self, station: StationFolder, tmp_path: Path) -> None:
        file = tmp_path / "a.md"
        file.write_text(self.TEXT.replace("title", "id: A5W3R\npublished: 2026-11-20\ntitle"), "utf-8")
        text = take_in(station.settings, file, AT).read_text("utf-8")
        assert text == file.read_text("utf-8").replace("'110'}\n", "'110'}\nkind: alert\n")

    def test_it_never_takes_anothers_place(self, search: StationFolder, tmp_path: Path) -> None:
        file = tmp_path / "child.md"
        file.write_text(self.TEXT, "utf-8")
        before = (search.settings.content / "alert/child.md").read_bytes()
        with pytest.raises(AlreadyThere):
            take_in(search.settings, file, AT)
        assert (search.settings.content / "alert/child.md").read_bytes() == before

    @pytest.mark.parametrize(
        "text",
        [
            "帮忙看看。\n",
            TEXT.replace("tell: '110'", "tel: '110'"),
            TEXT.replace("title", "kind: tip\ntitle"),
            TEXT + "字" * 50_000,
            TEXT + "字" * 5000 + "<b>" * 51,
        ],
        ids=["no front matter", "nobody to call", "no alert", "too long", "too much within what"],
    )
    def test_what_is_no_alert_is_refused_and_not_copied(
        self, station: StationFolder, tmp_path: Path, text: str
    ) -> None:
        file = tmp_path / "a.md"
        file.write_text(text, "utf-8")
        with pytest.raises((ProblemsFound, NotAmended)):
            take_in(station.settings, file, AT)
        assert list(station.settings.content.rglob("*.md")) == []


class TestAfterwards:
    END: ClassVar = {
        "resolved": lambda station: conclude(station.settings, "A5W3R", "resolved", SOON),
        "cancelled": lambda station: conclude(station.settings, "A5W3R", "cancelled", SOON),
        "withdrawn": lambda station: withdraw(station.settings, "A5W3R", "误报", SOON),
        "expired": lambda station: refresh(station.settings, AT + timedelta(days=11)),
        "erase_after": lambda station: refresh(station.settings, AT + timedelta(days=5)),
    }

    @pytest.mark.parametrize("end", END)
    def test_when_an_alert_ends_nothing_of_the_person_is_left_in_or_beside_the_site(
        self, search: StationFolder, end: str
    ) -> None:
        """By then it was renamed once, a crash left two half releases, and another article is spoilt."""
        publish(search.settings, AT)
        child = search.settings.content / "alert/child.md"
        child = child.rename(child.with_name("xiaoman.md"))
        publish(search.settings, AT)
        for leftover in (".public.next", ".public.old"):
            shutil.copytree(search.settings.public, search.folder / leftover)
        search.article("tip/gas.md", "[哪里](none.md)\n", id="T2222", kind="tip")
        assert len(traces(search)) == 9
        self.END[end](search)
        assert traces(search) == []
        assert "请勿再转" in page(search, "alert/xiaoman") or end == "erase_after"
        assert "关好阀门。" in page(search, "tip/gas") or end == "expired"
        assert not [name for name in public(search) if "photo" in name]

    def test_mkdocs_builds_no_trace_either(
        self, search: StationFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(SOON.timestamp())))
        mkdocs(search)
        assert len(traces(search)) == 3
        conclude(search.settings, "A5W3R", "resolved", SOON)
        made = {name: (search.settings.public / name).read_bytes() for name in public(search)}
        mkdocs(search)
        assert traces(search) == []
        assert {name: (search.settings.public / name).read_bytes() for name in public(search)} == made

    def test_the_officers_file_says_what_was_done_and_a_later_build_agrees(
        self, search: StationFolder
    ) -> None:
        done = conclude(search.settings, "A5W3R", "resolved", SOON)
        text = (search.settings.content / "alert/child.md").read_text("utf-8")
        assert "state: resolved" in text
        assert "updated: 2026-11-21 08:05:00\n" in text
        assert (done.entry.updated, done.entry.alert and done.entry.alert.facts) == (SOON, ())
        made = {name: (search.settings.public / name).read_bytes() for name in public(search)}
        publish(search.settings, SOON)
        assert {name: (search.settings.public / name).read_bytes() for name in public(search)} == made

    def test_two_officers_who_change_one_file_take_turns(
        self, search: StationFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changing: list[Path] = []

        def alone(file: Path, fields: Fields) -> None:
            changing.append(file)
            amend(file, fields)
            assert changing.pop() == file
            assert not changing

        monkeypatch.setattr(urgent, "amend", alone)
        with ThreadPoolExecutor() as pool:
            made = [pool.submit(update, search.settings, "A5W3R", SOON) for _officer in range(3)]
            made.append(pool.submit(conclude, search.settings, "A5W3R", "resolved", SOON))
            assert [one.exception(60) for one in made] == [None] * 4
        assert "state: resolved" in (search.settings.content / "alert/child.md").read_text("utf-8")

    def test_an_update_has_a_revision_of_its_own(self, search: StationFolder) -> None:
        first = publish_article(search.settings, "A5W3R", AT).entry
        second = update(search.settings, "A5W3R", SOON).entry
        assert (second.updated, second.revision != first.revision) == (SOON, True)

    def test_a_withdrawn_article_says_first_why_and_leaves_lists_feeds_and_catalogue(
        self, search: StationFolder
    ) -> None:
        publish(search.settings, AT)
        withdraw(search.settings, "T2222", "电话写错了", SOON)
        main = page(search, "tip/gas").partition("<article>")[2]
        assert main.index("电话写错了") < main.index("<h1>")
        assert "T2222" not in entries(search)
        assert feedparser.parse(search.settings.public / "tip/feed.xml").entries == []
        assert "tip/gas" not in page(search, "tip")

    def test_a_failure_to_write_is_said_and_leaves_the_site_as_it_was(
        self, search: StationFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(search.settings, AT)
        before = public(search)
        monkeypatch.setattr(publishing, "_put", no_space)
        with pytest.raises(urgent.NotWritten, match="磁盘满了"):
            publish_article(search.settings, "A5W3R", SOON)
        assert public(search) == before

    def test_a_persons_data_goes_even_where_the_new_release_cannot_be_made(
        self, search: StationFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish(search.settings, AT)
        before = public(search)
        monkeypatch.setattr(publishing, "_put", no_space)
        with pytest.raises(urgent.NotWritten):
            conclude(search.settings, "A5W3R", "resolved", SOON)
        assert traces(search) == []
        assert "已找到" in page(search, "alert/child")
        assert "已找到，请勿再转" in page(search, "A/A5W3R").partition("<main")[2].partition("<h1>")[0]
        assert before - public(search) == {"A/A5W3R/photo.jpg"}

    def test_a_persons_data_goes_even_where_its_page_cannot_be_made(self, search: StationFolder) -> None:
        search.file("mkdocs.yml", MKDOCS_YML.replace("{name: gengfu}", "{name: gengfu, custom_dir: own}"))
        publish(search.settings, AT)
        search.file("own/alert.html", "{% mistake %}")
        with pytest.raises(TemplateBroken):
            conclude(search.settings, "A5W3R", "resolved", SOON)
        assert traces(search) == []
        assert "关好阀门。" in page(search, "tip/gas")


class TestExercise:
    def test_it_has_a_page_that_says_so_and_is_shown_nowhere_else(self, search: StationFolder) -> None:
        found = urgent.mark_exercise(search.settings, "A5W3R", AT)
        assert found.entry.alert
        assert found.entry.alert.status == "exercise"
        publish_article(search.settings, "A5W3R", AT)
        html = page(search, "alert/child")
        assert "<title>【演练】寻人" in html
        assert 'content="noindex"' in html
        shown = {
            n
            for n in public(search)
            if "alert/child" in (search.settings.public / n).read_text("utf-8", "replace")
        }
        assert shown == {"alert/child/index.html", "A/A5W3R/index.html", "catalogue.json"}
        assert alerts(search) == []


class TestAlertsFile:
    SCHEMA: ClassVar = json.loads((Path(__file__).parents[2] / "docs/alerts.schema.json").read_text("utf-8"))

    def test_it_tells_what_goes_on_and_what_ended_within_three_days(self, station: StationFolder) -> None:
        def alert(id_: str, hour: int, end: str = "", **fields: str) -> None:
            text = f"{{form: 火情, place: 桥, tell: '119'{end}}}"
            published = f"2026-11-01 {hour:02}:00"
            fields = {"expires": "2026-12-01", "published": published, **fields}
            station.article(f"alert/{id_}.md", id=id_, kind="alert", alert=text, **fields)

        alert("A0001", 10)
        alert("A0002", 9, ", state: resolved", updated="2026-11-18 08:01")
        alert("A0003", 8, ", state: resolved", updated="2026-11-18 07:59")
        alert("A0004", 7, expires="2026-11-18 08:01")
        alert("A0005", 6, expires="2026-11-18 08:00")
        alert("A0006", 5, withdrawn="误报", updated="2026-11-21 07:00")
        alert("A0007", 4, ", state: cancelled", updated="2026-11-21 07:00")
        alert("A0008", 3, ", status: exercise")
        alert("A0009", 2, published="2026-11-21 09:00")
        publish(station.settings, AT)
        assert alerts(station) == [
            ("A0001", "active"),
            ("A0002", "resolved"),
            ("A0004", "expired"),
            ("A0006", "withdrawn"),
            ("A0007", "cancelled"),
        ]

    def test_it_keeps_to_its_schema_and_holds_no_private_data(self, search: StationFolder) -> None:
        publish(search.settings, AT)
        file = search.settings.public / "alerts.json"
        Draft202012Validator(self.SCHEMA).validate(json.loads(file.read_text("utf-8")))
        assert "小满" not in file.read_text("utf-8")
        Draft202012Validator.check_schema(self.SCHEMA)
