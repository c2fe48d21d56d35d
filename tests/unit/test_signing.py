"""Signing off: what residents see is what the right people signed, whatever happens to the files in between."""

from __future__ import annotations

import json
import pkgutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_site import audit, readings, reviewers, signing
from gengfu_site.approvals import STEPS, Lost, Step
from gengfu_site.check import check
from gengfu_site.library import load
from gengfu_site.meant import NoSuchArticle
from gengfu_site.problems import GengfuError, ProblemsFound
from gengfu_site.publish import publish
from gengfu_site.records import Remembered
from gengfu_site.reviewers import Claim, NotProved, admit, dismiss
from gengfu_site.signing import Refused
from gengfu_site.store import Store
from gengfu_site.urgent import find, publish_article, withdraw
from stations import AT, MKDOCS_YML, StationFolder, empty_station

PIN = "284719"
RIGHTS: dict[str, tuple[Step, ...]] = {
    "王所长": STEPS,
    "赵教导员": STEPS,
    "孙编辑": ("language",),
    "周队长": ("facts",),
    "李警官": (),
}
"""Five officers, the last of whom only writes."""


@pytest.fixture(scope="module", autouse=True)
def _cheap() -> Iterator[None]:
    """PINs that cost nothing to try, on a disk that never waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _handle: None)
        patch.setattr(reviewers, "_COST", (2, 1, 1))
        yield


def claim(name: str, pin: str = PIN) -> Claim:
    return Claim(name=name, pin=pin, login="duty")


def reviewed(station: StationFolder, review: str = "small") -> StationFolder:
    """The station with its articles signed off, by five officers."""
    station.file("mkdocs.yml", MKDOCS_YML + f"      review: {review}\n")
    for name, steps in RIGHTS.items():
        by = None if name == "王所长" else claim("王所长")
        admit(station.folder, name, steps, PIN, by, AT, login="duty")
    return station


@pytest.fixture
def small(station: StationFolder) -> StationFolder:
    return reviewed(station)


def submit(station: StationFolder, by: str = "李警官", name: str = "F7K2Q") -> None:
    signing.submit(station.settings, signing.drafts(station.settings, [name], AT), claim(by), AT)


def sign(
    station: StationFolder, by: str = "王所长", steps: Sequence[Step] = STEPS, name: str = "F7K2Q"
) -> None:
    drafts = signing.drafts(station.settings, [name], AT)
    signing.approve(station.settings, drafts, claim(by), steps, AT)


def public(station: StationFolder) -> list[str]:
    """The bodies that residents see."""
    library, problems = load(station.settings, AT)
    assert not problems
    return sorted(article.body.strip() for article in library.articles)


def held(station: StationFolder) -> list[str]:
    """What is said of those that they do not see."""
    return [f"{p.path} {p.message}" for p in load(station.settings, AT)[0].held]


# What residents see


def test_an_article_that_nobody_signed_is_not_published_and_holds_up_no_other(small: StationFolder) -> None:
    small.article(body="一\n")
    submit(small)
    sign(small)
    small.article("fraud/new.md", body="二\n", id="F7K2R")
    small.article("fraud/broken.md", body="三\n", id="F7K2S", kind="frau")
    published = publish(small.settings, AT)
    assert published.articles == 1
    assert [problem.path for problem in published.held] == ["content/fraud/broken.md", "content/fraud/new.md"]
    assert {problem.severity for problem in published.held} == {"warning"}
    assert "gengfu submit content/fraud/new.md" in published.held[1].remedy


def test_an_edit_voids_the_signatures_and_the_last_signed_version_stays_public(small: StationFolder) -> None:
    small.article(body="一\n")
    submit(small)
    sign(small)
    small.article(body="二\n")
    assert public(small) == ["一"]
    assert held(small) == ["content/fraud/brushing.md 改过以后还没有签发，网站上仍是上次签发的那一版。"]
    submit(small)
    assert public(small) == ["一"]
    sign(small)
    assert public(small) == ["二"]
    assert held(small) == []


def test_a_draft_that_cannot_be_read_leaves_what_was_signed_public(small: StationFolder) -> None:
    file = small.article(body="一\n")
    submit(small)
    sign(small)
    file.write_text("---\nid: [\n---\n二\n")
    assert public(small) == ["一"]
    assert any(p.severity == "error" for p in check(small.settings, AT))  # who writes it is told all the same


def test_going_back_to_an_older_signed_version_is_an_edit_too(small: StationFolder) -> None:
    for body in ("一\n", "二\n"):
        small.article(body=body)
        submit(small)
        sign(small)
    small.article(body="一\n")
    assert public(small) == ["二"]


def test_a_moved_article_keeps_its_address_until_that_is_signed(small: StationFolder) -> None:
    file = small.article()
    submit(small)
    sign(small)
    file.rename(file.with_name("moved.md"))
    assert [article.url for article in small.load().articles] == ["fraud/brushing/"]
    (draft,) = signing.drafts(small.settings, ["F7K2Q"], AT)
    assert draft.diff() == ["- fraud/brushing.md", "+ fraud/moved.md"]
    submit(small)
    sign(small)
    assert [article.url for article in small.load().articles] == ["fraud/moved/"]


def test_a_picture_is_part_of_what_is_signed(small: StationFolder) -> None:
    small.article(body="![图](a.png)\n")
    picture = small.file("content/fraud/a.png", b"one")
    submit(small)
    sign(small)
    picture.write_bytes(b"two")
    publish(small.settings, AT)
    assert (small.settings.public / "fraud/a.png").read_bytes() == b"one"
    picture.unlink()
    publish(small.settings, AT)
    assert (small.settings.public / "fraud/a.png").read_bytes() == b"one"
    picture.write_bytes(b"two")
    submit(small)
    sign(small)
    publish(small.settings, AT)
    assert (small.settings.public / "fraud/a.png").read_bytes() == b"two"


def test_of_a_picture_that_two_articles_show_the_one_signed_more_strictly_counts(
    station: StationFolder,
) -> None:
    reviewed(station, "{fraud: full, tip: small}")
    picture = station.file("content/pictures/a.png", b"one")
    station.article(body="![图](../pictures/a.png)\n")
    station.article("tip/other.md", body="![图](../pictures/a.png)\n", id="F7K2R", kind="tip")
    submit(station)
    for name, step in zip(("孙编辑", "周队长", "王所长"), STEPS, strict=True):
        sign(station, name, [step])
    picture.write_bytes(b"two")
    submit(station, name="F7K2R")
    sign(station, name="F7K2R")
    publish(station.settings, AT)
    assert (station.settings.public / "pictures/a.png").read_bytes() == b"one"


def test_a_link_to_an_article_that_nobody_signed_is_but_its_words(small: StationFolder) -> None:
    small.article(body="见[另一篇](new.md)。\n")
    small.article("fraud/new.md", id="F7K2R")
    submit(small)
    sign(small)
    assert [article.html for article in small.load().articles] == ["<p>见<a>另一篇</a>。</p>\n"]
    submit(small, name="F7K2R")
    sign(small, name="F7K2R")
    assert 'href="../new/"' in {a.id: a for a in small.load().articles}["F7K2Q"].html


def test_a_shortcut_to_an_article_that_nobody_signed_is_left_out_until_somebody_does(
    small: StationFolder,
) -> None:
    small.file(
        "mkdocs.yml", MKDOCS_YML + "      review: small\n      shortcuts: [{title: 丢了雨伞, to: F7K2Q}]\n"
    )
    small.article()
    home = small.settings.public / "index.html"
    publish(small.settings, AT)
    assert "丢了雨伞" not in home.read_text("utf-8")
    submit(small)
    sign(small)
    publish(small.settings, AT)
    assert "丢了雨伞" in home.read_text("utf-8")


def test_a_withdrawal_waits_for_nobody_and_shows_nothing_that_nobody_signed(small: StationFolder) -> None:
    small.article(body="一\n")
    submit(small)
    sign(small)
    publish(small.settings, AT)
    small.article(body="二\n")
    withdraw(small.settings, "F7K2Q", "电话写错了", AT)
    page = (small.settings.public / "fraud/brushing/index.html").read_text("utf-8")
    assert "电话写错了" in page
    assert "二</p>" not in page


def test_a_withdrawal_of_what_was_signed_waits_for_nothing_more(small: StationFolder) -> None:
    small.article(body="一\n")
    submit(small)
    sign(small)
    withdraw(small.settings, "F7K2Q", "电话写错了", AT)
    assert held(small) == []
    small.article(body="二\n", withdrawn="电话写错了")
    assert held(small) == ["content/fraud/brushing.md 改过以后还没有签发，网站上仍是上次签发的那一版。"]


def test_a_moved_article_is_withdrawn_where_it_lies_now(small: StationFolder) -> None:
    file = small.article()
    submit(small)
    sign(small)
    file = file.rename(file.with_name("moved.md"))
    withdraw(small.settings, "F7K2Q", "电话写错了", AT)
    assert "电话写错了" in file.read_text("utf-8")
    assert "电话写错了" in (small.settings.public / "fraud/brushing/index.html").read_text("utf-8")


def test_the_reason_of_a_withdrawal_that_nobody_signed_is_held_to_the_rules(small: StationFolder) -> None:
    small.article()
    submit(small)
    sign(small)
    small.article(withdrawn="请打 13812345678")
    with pytest.raises(ProblemsFound, match=r"\[withdrawn\] 这里有手机号（138\*\*\*\*5678）"):
        publish(small.settings, AT)


def test_an_alert_is_published_without_a_signature(small: StationFolder) -> None:
    alert = '{form: 火情, place: 一号楼, tell: "119"}'
    small.article("alert/fire.md", body="着火\n", kind="alert", alert=alert, expires="2026-11-30")
    assert public(small) == ["着火"]
    with pytest.raises(Refused, match="不用签发"):
        submit(small)


ALERT: dict[str, Any] = {
    "kind": "alert",
    "alert": '{form: 火情, place: 一号楼, tell: "119"}',
    "expires": "2026-11-30",
}


def held_by_file(station: StationFolder) -> dict[str, str]:
    """What is to be done about each file that residents do not see as it lies."""
    return {p.path: p.remedy for p in load(station.settings, AT)[0].held}


@pytest.mark.parametrize("urgent", [False, True])
def test_a_signed_article_that_becomes_an_alert_stays_as_it_was_signed(
    small: StationFolder, *, urgent: bool
) -> None:
    small.article(body="一\n")
    submit(small)
    sign(small)
    small.article(body="二\n", **ALERT)
    library, problems = load(small.settings, AT, urgent=urgent)
    assert [(article.kind, article.body) for article in library.articles] == [("fraud", "一\n")]
    assert not problems
    assert "gengfu new alert" in held_by_file(small)["content/fraud/brushing.md"]


def test_a_signed_article_that_goes_over_to_a_kind_that_nobody_signs_is_signed_for_that_once(
    station: StationFolder,
) -> None:
    reviewed(station, "{default: small, video: none}")
    station.article(body="一\n")
    submit(station)
    sign(station)
    station.file("content/fraud/a.mp4", b"film")
    for body in ("二\n", "三\n"):
        station.article(body=body, kind="video", attachments="a.mp4")
        assert public(station) == ["一"]
    submit(station)
    sign(station)
    assert public(station) == ["三"]
    station.article(body="四\n", kind="video", attachments="a.mp4")
    assert public(station) == ["四"]


def test_no_change_of_kind_makes_signing_easier(station: StationFolder) -> None:
    reviewed(station, "{default: small, notice: full}")
    station.article(kind="notice")
    submit(station)
    for name, step in zip(("孙编辑", "周队长", "王所长"), STEPS, strict=True):
        sign(station, name, [step])
    station.article(kind="tip")
    submit(station)
    sign(station, "王所长", STEPS[:1])
    with pytest.raises(Refused, match="三个人"):
        sign(station, "王所长", STEPS[1:])


def test_another_file_with_a_signed_id_waits_and_takes_nothing_from_who_has_it(small: StationFolder) -> None:
    small.article("notice/road.md", body="一\n", kind="notice")
    submit(small)
    sign(small)
    small.article("alert/fire.md", body="着火\n", **ALERT)
    assert public(small) == ["一"]
    assert list(held_by_file(small)) == ["content/alert/fire.md"]
    assert "gengfu fix content/alert/fire.md" in held_by_file(small)["content/alert/fire.md"]


@pytest.mark.parametrize("name", ["brushing.md", "Brushing.md"])
@pytest.mark.parametrize("moved", [False, True])
def test_an_alert_in_a_signed_articles_place_waits_whatever_its_id(
    small: StationFolder, name: str, *, moved: bool
) -> None:
    file = small.article(body="一\n")
    submit(small)
    sign(small)
    if moved:
        file.rename(file.with_name("moved.md"))
    small.article(f"fraud/{name}", body="着火\n", **ALERT, id="F7K2A")
    assert public(small) == ["一"] * (moved or name == "Brushing.md")
    assert "F7K2Q" in held_by_file(small)[f"content/fraud/{name}"]


def test_what_is_written_anew_with_a_signed_id_is_an_edit_of_it(small: StationFolder) -> None:
    file = small.article(body="一\n")
    submit(small)
    sign(small)
    file.unlink()
    assert public(small) == []
    small.article("alert/anew.md", body="二\n", **ALERT)
    assert [(a.body, a.url) for a in small.load().articles] == [("一\n", "fraud/brushing/")]


def test_of_two_files_with_one_id_none_is_signed_before_it_is_clear_which(small: StationFolder) -> None:
    small.article(body="一\n")
    small.article("alert/copy.md", body="二\n")
    with pytest.raises(ProblemsFound, match="已经被"):
        submit(small)


def test_what_was_mended_and_waits_for_a_signature_holds_up_nothing(small: StationFolder) -> None:
    """A link to what was deleted, or to a heading that is called otherwise by now, is but its words until then."""
    small.article(body="看[那篇](other.md)和[这段](third.md#二)。\n")
    other = small.article("fraud/other.md", body="另\n", id="F7K2R")
    small.article("fraud/third.md", body="## 二\n", id="F7K2S")
    for id_ in ("F7K2Q", "F7K2R", "F7K2S"):
        submit(small, name=id_)
        sign(small, name=id_)
    other.unlink()
    small.article("fraud/third.md", body="## 三\n", id="F7K2S")
    submit(small, name="F7K2S")
    sign(small, name="F7K2S")
    problems = load(small.settings, AT)[1]
    assert ["“other.md”不存在" in p.message or "小标题不存在" in p.message for p in problems] == [True, True]
    small.article(body="看别的。\n")
    library, problems = load(small.settings, AT)
    assert not problems
    [html] = [article.html.strip() for article in library.articles if article.id == "F7K2Q"]
    assert html == '<p>看<a>那篇</a>和<a href="../third/#%E4%BA%8C">这段</a>。</p>'


def test_what_a_rule_has_against_what_was_signed_before_it_was_mended_says_which_version_that_is(
    small: StationFolder,
) -> None:
    small.article(body="弱智\n")
    submit(small)
    sign(small)
    small.file("terms.yml", "forbidden: [{word: 弱智, instead: 智力残疾, why: 侮辱人}]\n")
    with pytest.raises(ProblemsFound, match="改用：智力残疾"):
        publish(small.settings, AT)
    small.article(body="智力残疾\n")
    with pytest.raises(ProblemsFound, match=r"上次签发的那一版：用词“弱智”.*提交、签发以后就没有了"):
        publish(small.settings, AT)
    assert "用词“弱智”" in "\n".join(problem.message for problem in check(small.settings, AT))


def test_topics_and_areas_are_part_of_what_is_signed(small: StationFolder) -> None:
    small.article(areas="[青松路]", topics="[防火用电]")
    submit(small)
    sign(small)
    small.article()
    [article] = small.load().articles
    assert (article.areas, article.topics) == (("青松路",), ("防火用电",))


@pytest.mark.parametrize("urgent", [False, True])
@pytest.mark.parametrize("mended", [False, True])
def test_a_name_that_is_declared_no_longer_holds_up_nothing_and_widens_nothing(
    small: StationFolder, *, mended: bool, urgent: bool
) -> None:
    names = {"电信网络诈骗": "电信诈骗", "桃园社区": "桃园里", "老年人": "老人"}
    fields = {"topics": "[电信网络诈骗, 防火用电]", "areas": "[青松路/桃园社区]", "audience": "[老年人]"}
    small.article(body="一\n", **fields)
    submit(small)
    sign(small)
    renamed = (small.folder / "mkdocs.yml").read_text("utf-8")
    for old, new in names.items():
        renamed = renamed.replace(old, new)
        fields = {field: value.replace(old, new) if mended else value for field, value in fields.items()}
    small.file("mkdocs.yml", renamed)
    small.article(body="一\n", **fields)
    library, problems = load(small.settings, AT, urgent=urgent)
    [article] = library.articles
    assert not problems
    assert (article.topics, article.areas, article.audience) == (
        ("防火用电",),
        ("青松路/桃园社区",),
        ("老年人",),
    )
    told = "\n".join(problem.message for problem in library.held)
    assert all(f"{old}”没有在 mkdocs.yml 里登记过" in told for old in names)
    remedy = "gengfu submit" if mended else "登记回来"
    assert all(remedy in problem.remedy for problem in library.held)
    publish(small.settings, AT)
    page = (small.settings.public / "fraud/brushing/index.html").read_text("utf-8")
    assert "防火用电" in page
    assert "桃园" not in page


@pytest.mark.parametrize("at", ["brushing.md", "alert/brushing.md", "fraud/moved.md"])
def test_a_draft_that_cannot_be_read_leaves_what_was_signed_public_wherever_it_lies(
    small: StationFolder, at: str
) -> None:
    file = small.article("brushing.md", body="一\n")
    submit(small)
    sign(small)
    file.unlink()
    small.file(f"content/{at}", "---\nid: F7K2Q\ntitle: [\n---\n二\n")
    assert public(small) == ["一"]


def test_who_sends_an_alert_that_waits_is_told_why_and_what_to_do(small: StationFolder) -> None:
    small.article(body="一\n")
    submit(small)
    sign(small)
    small.article("alert/fire.md", body="着火\n", **ALERT)
    with pytest.raises(ProblemsFound, match="F7K2Q") as told:
        find(small.settings, "content/alert/fire.md", AT)
    assert [problem.severity for problem in told.value.problems] == ["error"]
    found = find(small.settings, "F7K2Q", AT)
    assert (found.entry.kind, [p.path for p in found.held]) == ("fraud", ["content/alert/fire.md"])


def test_where_nothing_is_signed_off_everything_is_as_it_was(station: StationFolder) -> None:
    station.article(body="一\n")
    assert (public(station), held(station)) == (["一"], [])
    assert not (station.folder / "audit").exists()


def test_what_came_with_the_program_is_public_until_it_is_edited_and_the_log_says_so(
    small: StationFolder,
) -> None:
    file = small.article(body="一\n")
    signing.begin(small.settings, AT, "duty")
    assert public(small) == ["一"]
    file.write_bytes(file.read_bytes().replace("一".encode(), "二".encode()))
    assert public(small) == ["一"]
    assert ["没有人签过" in event.what for event in signing.life("F7K2Q", audit.read(small.folder))] == [True]


def test_what_was_signed_is_read_once_whether_it_lies_there_or_waits_for_a_signature(
    small: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_SETTLED", 0)
    monkeypatch.setattr("gengfu_site.approvals._MANY", 1)
    small.article(body="一\n")
    small.article("fraud/other.md", body="![图](a.png)\n", id="F7K2R")
    small.file("content/fraud/a.png", b"one")
    submit(small, name="content")
    sign(small, name="content")
    small.article(body="二\n")
    publish(small.settings, AT)
    read: list[object] = []
    for name in ("library.read", "readings.read", "readings.parse", "versions.parse"):
        real = pkgutil.resolve_name(f"gengfu_site.{name}")
        monkeypatch.setattr(
            f"gengfu_site.{name}", lambda *a, real=real, **k: read.extend(a[0]) or real(*a, **k)
        )
    lines: list[bytes] = []
    parsed = audit._parsed
    monkeypatch.setattr(audit, "_parsed", lambda line: lines.append(line) or parsed(line))
    readings._held.cache_clear()  # as another process
    assert publish(small.settings, AT).articles == 2
    assert (read, len(lines)) == ([], 2)  # the log's newest record, and what follows its last line
    small.file("content/fraud/a.png", b"two")  # what was signed is another picture
    publish(small.settings, AT)
    assert read == []
    sign_again = small.article(body="一\n")
    publish(small.settings, AT)
    assert read == [sign_again.relative_to(small.settings.content).as_posix()]


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_submitted_while_a_build_is_under_way_is_not_in_it(
    small: StationFolder, monkeypatch: pytest.MonkeyPatch, *, lost: bool
) -> None:
    """Whoever submits looks at the file as well, and what is kept of it is another text by then, or nothing."""
    monkeypatch.setattr(readings, "_SETTLED", 0)
    small.article(body="一\n")
    submit(small)
    sign(small)
    readings._held.cache_clear()  # as another process
    known = readings.of_station(small.settings, AT)
    article = load(small.settings, AT, known=known)[0].articles[0]
    small.article(body="二\n")
    submit(small)
    if lost:
        known.store.forget()
    assert (article.html, article.body) == ("<p>一</p>\n", "一\n")


def test_a_link_in_what_was_signed_leads_on_where_its_text_must_be_made_once_more(
    small: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store lost it, and the file says something else by now."""
    monkeypatch.setattr(readings, "_SETTLED", -(10**12))  # what was written just now is remembered, too
    small.article("fraud/other.md", id="F7K2R")
    small.article(body="看[那篇](other.md)\n")
    submit(small, name="content")
    sign(small, name="content")
    small.article(body="二\n")

    def remembered() -> tuple[Remembered, Store]:
        readings._held.cache_clear()  # as another process
        known = readings.of_station(small.settings, AT)
        [article] = [one for one in load(small.settings, AT, known=known)[0].articles if one.id == "F7K2Q"]
        assert isinstance(article, Remembered)
        return article, known.store

    article, _store = remembered()
    assert article.html == '<p>看<a href="../other/">那篇</a></p>\n'
    same, store = remembered()
    store.keep_readings({}, store.texts())
    assert same.html == article.html


# Who may sign


def test_nobody_signs_what_they_wrote_and_a_writer_signs_nothing(small: StationFolder) -> None:
    small.article()
    with pytest.raises(Refused, match="还没有提交"):
        sign(small)
    submit(small, by="王所长")
    with pytest.raises(Refused, match="要由别人签"):
        sign(small, by="王所长")
    with pytest.raises(NotProved, match="没有登记这一步"):
        sign(small, by="李警官")
    sign(small, by="赵教导员")
    assert public(small) == ["正文"]


def test_in_full_three_people_sign_one_step_each_and_in_their_order(station: StationFolder) -> None:
    reviewed(station, "full")
    station.article()
    submit(station)
    with pytest.raises(Refused, match="要先签：语言"):
        sign(station, "周队长", ["facts"])
    sign(station, "王所长", ["language"])
    with pytest.raises(Refused, match="三个人"):
        sign(station, "王所长", ["facts"])
    with pytest.raises(NotProved, match="没有登记这一步"):
        sign(station, "周队长", ["release"])
    sign(station, "周队长", ["facts"])
    assert public(station) == []
    sign(station, "赵教导员", ["release"])
    assert public(station) == ["正文"]


def test_signatures_are_for_what_was_shown_whatever_lies_there_by_now(small: StationFolder) -> None:
    small.article(body="一\n![图](a.png)\n")
    picture = small.file("content/fraud/a.png", b"one")
    submit(small)
    shown = signing.drafts(small.settings, ["F7K2Q"], AT)
    small.article(body="二\n")
    signing.approve(small.settings, shown, claim("王所长"), STEPS, AT)
    assert public(small) == ["一\n![图](a.png)"]
    small.article(body="三\n![图](b.png)\n")
    small.file("content/fraud/b.png", b"one")
    submit(small)
    shown = signing.drafts(small.settings, ["F7K2Q"], AT)
    picture.with_name("b.png").write_bytes(b"two")
    with pytest.raises(Lost):
        signing.approve(small.settings, shown, claim("王所长"), STEPS, AT)


def test_what_must_be_mended_is_not_signed_and_what_is_no_article_is_named(small: StationFolder) -> None:
    small.article(body="[没有](nowhere.md)\n")
    with pytest.raises(ProblemsFound, match=r"nowhere\.md"):
        submit(small)
    with pytest.raises(NoSuchArticle):
        submit(small, name="ZZZZZ")


def test_a_folder_means_all_that_is_to_be_signed_in_it(small: StationFolder) -> None:
    small.article()
    small.article("fraud/other.md", id="F7K2R")
    submit(small, name="content/fraud")
    sign(small, name="content")
    assert len(public(small)) == 2
    with pytest.raises(Refused, match="没有要提交的"):
        submit(small, name="content")


# PINs


def test_a_wrong_pin_is_on_record_and_the_fourth_try_has_to_wait(small: StationFolder) -> None:
    small.article()
    drafts = signing.drafts(small.settings, ["F7K2Q"], AT)

    def attempt(pin: str, at: timedelta = timedelta()) -> None:
        signing.submit(small.settings, drafts, claim("李警官", pin), AT + at)

    for _try in range(3):
        with pytest.raises(NotProved, match="PIN 不对"):
            attempt("999999")
    with pytest.raises(NotProved, match="秒再试"):
        attempt(PIN)
    wrong = [record for record in audit.read(small.folder) if record.action == reviewers.WRONG_PIN]
    assert [(record.who, record.details) for record in wrong] == [("duty", {"name": "李警官"})] * 3
    with pytest.raises(NotProved, match="PIN 不对"):
        attempt("999999", timedelta(seconds=31))
    with pytest.raises(NotProved, match="秒再试"):
        attempt(PIN, timedelta(seconds=31 + 31))  # the wait has doubled
    attempt(PIN, timedelta(days=-1))  # a clock set back locks nobody out


def test_a_pin_in_another_encoding_is_a_wrong_pin_and_no_traceback(small: StationFolder) -> None:
    small.article()
    with pytest.raises(NotProved, match="PIN 不对"):
        reviewers.prove(small.folder, claim("李警官", "\udcff\udcfe"), AT)


def test_of_two_who_are_admitted_first_at_once_one_needs_the_others_pin(station: StationFolder) -> None:
    both = Barrier(2)

    def admitted(name: str) -> bool:
        both.wait()
        try:
            admit(station.folder, name, STEPS, PIN, None, AT, login="duty")
        except NotProved:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(admitted, ("甲", "乙"))) == [False, True]


def test_only_who_may_release_admits_others_and_dismisses_them(small: StationFolder) -> None:
    for by, why in (
        (None, "有“发布”权限"),
        (claim("李警官"), "没有登记这一步"),
        (claim("王所长", "1"), "PIN 不对"),
    ):
        with pytest.raises(NotProved, match=why):
            admit(small.folder, "新人", STEPS, PIN, by, AT, login="duty")
    small.article()
    submit(small)
    sign(small, "赵教导员")
    dismiss(small.folder, "赵教导员", claim("王所长"), AT)
    assert public(small) == ["正文"]  # what was signed stays signed
    small.article(body="二\n")
    submit(small)
    with pytest.raises(NotProved, match="没有登记过"):
        sign(small, "赵教导员")


@pytest.mark.parametrize("writes", range(3))
def test_a_crash_while_a_pin_is_changed_leaves_the_old_one_or_the_new(
    small: StationFolder, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """The program is ended at each moment at which something reaches the disk: the key, then the log's line."""
    left = [writes]

    def fsync(_handle: int) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1

    def opens(pin: str) -> bool:
        try:
            reviewers.prove(small.folder, claim("王所长", pin), AT)
        except NotProved:
            return False
        return True

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr("os.fsync", fsync)
        admit(small.folder, "王所长", STEPS, "new737373", claim("王所长"), AT, login="duty")
    assert [opens(PIN), opens("new737373")] in ([True, False], [False, True])
    assert opens("new737373") or writes < 2


def test_who_is_dismissed_leaves_no_key_behind(small: StationFolder) -> None:
    def keys() -> int:
        return len(json.loads((small.folder / "audit/reviewers.json").read_text("utf-8")))

    assert keys() == len(RIGHTS)
    dismiss(small.folder, "赵教导员", claim("王所长"), AT)
    assert keys() == len(RIGHTS) - 1


@pytest.mark.parametrize("pin", ["12345", "111111", "123456", "987654"])
def test_a_pin_that_anybody_would_guess_is_refused(station: StationFolder, pin: str) -> None:
    with pytest.raises(ValueError, match="PIN"):
        admit(station.folder, "王所长", STEPS, pin, None, AT, login="duty")


def test_pins_lie_in_a_file_for_its_owner_alone_and_a_key_put_there_by_hand_opens_nothing(
    small: StationFolder,
) -> None:
    file = small.folder / "audit/reviewers.json"
    assert file.stat().st_mode & 0o077 == 0
    assert PIN not in file.read_text("utf-8") + (small.folder / "audit/log.jsonl").read_text("utf-8")
    assert PIN not in repr(claim("王所长"))
    file.write_text(json.dumps({"王所长": reviewers._key("737373x")}), "utf-8")
    small.article()
    with pytest.raises(NotProved, match="被改过"):
        signing.submit(
            small.settings, signing.drafts(small.settings, ["F7K2Q"], AT), claim("王所长", "737373x"), AT
        )


# What may go wrong


def test_a_signature_in_a_line_that_somebody_changed_does_not_count(small: StationFolder) -> None:
    small.article()
    submit(small)
    sign(small, "王所长", ["language", "facts"])
    log = small.folder / "audit/log.jsonl"
    honest = log.read_bytes()
    forged = honest.replace(b'["language","facts"]', b'["language","facts","release"]')
    assert forged != honest
    log.write_bytes(forged)
    assert public(small) == []
    log.write_bytes(honest)
    sign(small, "王所长", ["release"])
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-2] + lines[-1:]))  # the first signature is gone
    assert public(small) == []
    assert audit.verify(small.folder)


@pytest.mark.parametrize("what", ["text", "picture"])
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_what_was_signed_and_is_lost_or_changed_is_not_published_but_named(
    small: StationFolder, what: str, how: str
) -> None:
    small.article(body="一\n![图](a.png)\n")
    small.file("content/fraud/a.png", b"one")
    submit(small)
    sign(small)
    small.article(body="二\n")  # so that the signed text is taken from the store
    for file in (small.folder / "audit/approved").rglob("*"):
        if file.is_file() and (file.read_bytes() == b"one") == (what == "picture"):
            file.unlink() if how == "gone" else file.write_bytes(b"three")
    assert public(small) == []
    [said] = held(small)
    assert "丢了或被改过" in said
    small.article(body="一\n![图](a.png)\n")
    submit(small)
    sign(small)
    assert public(small) == ["一\n![图](a.png)"]


def test_where_nobody_can_tell_any_more_what_kind_was_signed_the_strictest_way_holds(
    station: StationFolder,
) -> None:
    reviewed(station, "{default: none, fraud: small}")
    station.article(body="一\n")
    submit(station)
    sign(station)
    for file in (station.folder / "audit/approved").rglob("*"):
        if file.is_file():
            file.unlink()
    station.article(body="二\n", kind="tip")
    assert public(station) == []
    assert "丢了或被改过" in held(station)[0]


def test_a_clock_that_was_set_back_brings_no_older_version_back(small: StationFolder) -> None:
    for days, body in ((0, "一\n"), (-400, "二\n")):
        small.article(body=body)
        at = AT + timedelta(days=days)
        drafts = signing.drafts(small.settings, ["F7K2Q"], AT)
        signing.submit(small.settings, drafts, claim("李警官"), at)
        signing.approve(small.settings, drafts, claim("王所长"), STEPS, at)
    assert public(small) == ["二"]


def test_an_alert_waits_for_no_log_and_takes_nothing_off_the_site(small: StationFolder) -> None:
    small.article(body="一\n")
    submit(small)
    sign(small)
    publish(small.settings, AT)
    alert = '{form: 火情, place: 一号楼, tell: "119"}'
    small.article("alert/fire.md", id="F7K2A", kind="alert", alert=alert, expires="2026-11-30")
    log = small.folder / "audit/log.jsonl"
    log.unlink()
    log.mkdir()  # what no program can read as a log
    with pytest.raises(audit.AuditFailed):
        publish(small.settings, AT)
    publish_article(small.settings, "F7K2A", AT)
    assert (small.settings.public / "alert/fire/index.html").is_file()
    assert "一</p>" in (small.settings.public / "fraud/brushing/index.html").read_text("utf-8")


@pytest.mark.parametrize("writes", range(5))
def test_a_crash_in_the_middle_of_signing_leaves_it_signed_or_not(
    small: StationFolder, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """The program is ended at each moment at which something reaches the disk."""
    small.article(body="一\n![图](a.png)\n")
    small.file("content/fraud/a.png", b"one")
    submit(small)
    left = [writes]

    def fsync(_handle: int) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fsync)
        try:
            sign(small)
        except KeyboardInterrupt:
            crashed = True
        else:
            crashed = False
    assert crashed == (writes < 3)  # the text, the picture, the log's line
    assert public(small) in ([], ["一\n![图](a.png)"])
    assert crashed or public(small)
    assert audit.verify(small.folder) == []
    if not public(small):
        sign(small)
    assert public(small) == ["一\n![图](a.png)"]


# Whatever people do


@dataclass
class Told:
    """What people did with one version, as they would tell it."""

    version: tuple[str, str] = ("", "")
    writer: str = ""
    signed: dict[Step, str] = field(default_factory=dict)


_EDITS = [("edit", text, picture) for text in "甲乙" for picture in "ab"]
_SUBMISSIONS = [("submit", who) for who in ("李警官", "王所长")]
_SIGNATURES = [("sign", who, (step,)) for step in STEPS for who, rights in RIGHTS.items() if step in rights]
_THROUGH = [
    [("submit", "李警官"), ("sign", "王所长", STEPS)],
    [
        ("submit", "李警官"),
        ("sign", "孙编辑", STEPS[:1]),
        ("sign", "周队长", STEPS[1:2]),
        ("sign", "王所长", STEPS[2:]),
    ],
]
_SCENES = st.sampled_from([*_THROUGH, *_THROUGH, *([deed] for deed in _EDITS + _SUBMISSIONS + _SIGNATURES)])


@settings(max_examples=50)
@given(review=st.sampled_from(["small", "full"]), scenes=st.lists(_SCENES, min_size=4, max_size=12))
def test_whatever_people_do_residents_see_only_what_the_right_people_signed(
    review: str, scenes: list[list[tuple[Any, ...]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        station = reviewed(empty_station(Path(folder)), review)
        lies, told, seen = ("甲", "a"), Told(), None
        station.article(body="甲\n![图](x.png)\n")
        station.file("content/fraud/x.png", b"a")
        for deed, *how in chain.from_iterable(scenes):
            try:
                if deed == "edit":
                    lies = (how[0], how[1])
                    station.article(body=f"{lies[0]}\n![图](x.png)\n")
                    station.file("content/fraud/x.png", lies[1].encode())
                elif deed == "submit":
                    submit(station, by=how[0])
                    told = Told(version=lies, writer=how[0])
                else:
                    sign(station, by=how[0], steps=how[1])
                    assert told.version == lies
                    told.signed |= dict.fromkeys(how[1], how[0])
            except GengfuError:
                continue
            if set(told.signed) == set(STEPS):
                seen = told.version
                assert told.writer not in told.signed.values()
                assert all(step in RIGHTS[who] for step, who in told.signed.items())
                assert review == "small" or len(set(told.signed.values())) == 3
            articles = station.load().articles
            assert len(articles) == (seen is not None)
            if articles:
                assert articles[0].signed
                [file] = articles[0].signed.files.values()
                assert (articles[0].body[0], file.read_text()) == seen
        assert audit.verify(station.folder) == []


_PLACES, _IDS = ("fraud/a.md", "alert/b.md"), ("F7K2Q", "F7K2R")
_WRITINGS = st.tuples(
    st.just("write"),
    st.sampled_from(_PLACES),
    st.sampled_from(_IDS),
    st.sampled_from(["fraud", "alert"]),
    st.sampled_from("甲乙"),
)
_DEEDS = st.one_of(
    _WRITINGS,
    _WRITINGS,
    st.tuples(st.just("delete"), st.sampled_from(_PLACES)),
    st.tuples(st.just("break"), st.sampled_from(_PLACES)),
    st.tuples(st.just("sign"), st.sampled_from(_IDS)),
    st.tuples(st.just("sign"), st.sampled_from(_IDS)),
)


@settings(max_examples=60)
@given(deeds=st.lists(_DEEDS, min_size=3, max_size=10), urgent=st.booleans())
def test_no_id_kind_or_place_is_a_way_around_the_signature_and_no_alert_waits_for_one(
    deeds: list[tuple[str, ...]], *, urgent: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        station = reviewed(empty_station(Path(folder)))
        lying: dict[str, tuple[str, ...]] = {}
        signed: dict[str, tuple[str, ...]] = {}
        for deed, what, *how in deeds:
            file = station.settings.content / what
            if deed == "write":
                kind = ALERT if how[1] == "alert" else {}
                station.article(what, body=f"{how[2]}\n", id=how[0], **kind)
                lying[what] = (what, *how)
            elif deed == "delete":
                file.unlink(missing_ok=True)
                lying.pop(what, None)
            elif deed == "break" and what in lying:
                station.file(f"content/{what}", f"---\nid: {lying[what][1]}\ntitle: [\n---\n")
                del lying[what]
            elif deed == "sign":
                try:
                    submit(station, name=what)
                    sign(station, name=what)
                except GengfuError:
                    continue
                [signed[what]] = [one for one in lying.values() if one[1] == what]
            places = {one[0] for one in signed.values()}
            library, _problems = load(station.settings, AT, urgent=urgent)
            seen = {(str(a.path), a.id, a.kind, a.body.strip()) for a in library.articles}
            for article in seen:
                place, id_, kind, _body = article
                mine = signed.get(id_)
                free = mine is None or mine[2] == "alert"
                others = {one[0] for other, one in signed.items() if other != id_ and one[2] == "fraud"}
                assert article == mine or (kind == "alert" and free and place not in others), (seen, signed)
            for place, id_, kind, body in lying.values():
                alone = [one[1] for one in lying.values()].count(id_) == 1
                if kind == "alert" and alone and id_ not in signed and place not in places:
                    assert (place, id_, kind, body) in seen
