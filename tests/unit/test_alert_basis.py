"""Personal data in an alert: it holds up nobody who says on what ground, and never goes out unseen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler import cli
from gengfu_site import audit
from gengfu_site.problems import ProblemsFound
from gengfu_site.publish import publish
from gengfu_site.urgent import publish_article, withdraw
from stations import AT, StationFolder

PHONE = "13812345678"
TELL = f"{{form: 走失, place: 桃园社区, tell: 母亲 {PHONE}}}"
ALERT: dict[str, Any] = {"kind": "alert", "title": "寻人", "expires": "2099-01-01", "areas": "[青松路]"}
SOON = AT + timedelta(minutes=5)


@pytest.fixture
def searching(station: StationFolder) -> StationFolder:
    """A station with an alert that gives the mother's phone, and a group told by hand."""
    station.article(published="2020-01-01")
    publish(station.settings, AT)
    station.article("alert/child.md", id="A5W3R", published="2020-01-01", alert=TELL, **ALERT)
    station.file("groups.csv", "id,name,reach,area,owner\nh1,青松群,hand,青松路,赵警官\n")
    station.file("timetable.yml", "slots: {}\n")
    return station


@pytest.fixture
def run(searching: StationFolder) -> Callable[..., Result]:
    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(cli.main, ["-C", str(searching.folder), *arguments], **options)

    return run


def alert_file(station: StationFolder) -> str:
    return (station.folder / "content/alert/child.md").read_text("utf-8")


def test_a_build_waits_for_the_ground_that_gengfu_alert_asks_for(searching: StationFolder) -> None:
    with pytest.raises(ProblemsFound) as refused:
        publish(searching.settings, AT)
    [problem] = refused.value.problems
    assert (problem.field, problem.rule) == ("alert.tell", "personal-data")
    assert "basis" in problem.remedy
    assert PHONE not in str(problem)


def test_the_officer_sees_it_says_why_and_it_goes_out(
    run: Callable[..., Result], searching: StationFolder
) -> None:
    sent = run("alert", "A5W3R", input="y\n监护人 19:40 电话同意\n")
    assert sent.exit_code == 0, sent.output
    assert "这里有手机号（138****5678）" in sent.stderr
    assert "凭什么公开" in sent.stderr
    assert 'basis: "监护人 19:40 电话同意"' in alert_file(searching)
    page = (searching.folder / "public/alert/child/index.html").read_text("utf-8")
    assert PHONE in page
    assert "监护人 19:40" not in page
    assert "监护人" not in (searching.folder / "public/catalogue.json").read_text("utf-8")
    [record] = audit.read(searching.folder)
    assert (record.action, record.details["basis"]) == ("alert", True)
    assert "监护人" not in str(record.details)
    publish(searching.settings, SOON)


def test_an_alert_with_nothing_personal_in_it_asks_nothing_more(
    run: Callable[..., Result], searching: StationFolder
) -> None:
    tell = TELL.replace(PHONE, "110")
    searching.article("alert/child.md", id="A5W3R", published="2020-01-01", alert=tell, **ALERT)
    sent = run("alert", "A5W3R", "--yes")
    assert sent.exit_code == 0, sent.output
    assert "basis" not in sent.stderr + alert_file(searching)
    assert "basis" not in audit.read(searching.folder)[0].details


@pytest.mark.parametrize("options", [("--yes",), ()], ids=["a script", "an officer who gives none"])
def test_without_a_ground_nothing_is_sent_and_nothing_changed(
    run: Callable[..., Result], searching: StationFolder, options: tuple[str, ...]
) -> None:
    before = alert_file(searching)
    refused = run("alert", "A5W3R", *options, input=None if options else "y\n\n")
    assert refused.exit_code == 1
    assert "--basis" in refused.stderr
    assert alert_file(searching) == before
    assert not (searching.folder / "public/alert/child").exists()


def test_a_script_gives_the_ground_with_the_command(
    run: Callable[..., Result], searching: StationFolder
) -> None:
    sent = run("alert", "A5W3R", "--yes", "--basis", "监护人同意")
    assert sent.exit_code == 0, sent.output
    text = alert_file(searching).replace(', basis: "监护人同意"', "").replace(PHONE, "13912345678")
    searching.file("content/alert/child.md", text)
    assert run("update", "A5W3R", "--yes").exit_code == 1
    updated = run("update", "A5W3R", "--yes", "--basis", "父亲同意")
    assert updated.exit_code == 0, updated.output
    assert "父亲同意" in alert_file(searching)


def test_an_end_waits_for_no_ground(run: Callable[..., Result], searching: StationFolder) -> None:
    assert run("alert", "A5W3R", "--yes", "--basis", "监护人同意").exit_code == 0
    searching.file("content/alert/child.md", alert_file(searching).replace(', basis: "监护人同意"', ""))
    ended = run("resolve", "A5W3R", "--yes")
    assert ended.exit_code == 0, ended.output


def test_an_alert_nobody_answers_for_is_not_published_on_anothers_account(searching: StationFolder) -> None:
    fields = {**ALERT, "title": "火情"}
    searching.article("alert/fire.md", id="F1RE9", alert="{form: 火情, place: 桃园, tell: '119'}", **fields)
    released = publish_article(searching.settings, "F1RE9", AT)
    assert not (searching.folder / "public/alert/child").exists()
    assert [p.rule for p in released.problems] == ["personal-data"]
    assert PHONE not in "".join(
        file.read_text("utf-8", "replace")
        for file in (searching.folder / "public").rglob("*")
        if file.is_file()
    )


def test_an_article_with_personal_data_stays_as_it_was_when_an_alert_goes_out(station: StationFolder) -> None:
    station.article("tip/gas.md", "关好阀门。\n", id="T2222", kind="tip")
    publish(station.settings, AT)
    station.article("tip/gas.md", f"打 {PHONE}。\n", id="T2222", kind="tip")
    station.article("tip/new.md", f"打 {PHONE}。\n", id="T3333", kind="tip")
    station.article("alert/fire.md", id="F1RE9", alert="{form: 火情, place: 桃园, tell: '119'}", **ALERT)
    released = publish_article(station.settings, "F1RE9", SOON)
    assert len(released.kept) == 1
    assert "关好阀门" in (station.folder / "public/tip/gas/index.html").read_text("utf-8")
    assert not (station.folder / "public/tip/new").exists()


def test_what_is_withdrawn_goes_at_once_whatever_is_in_it(station: StationFolder) -> None:
    station.article()
    publish(station.settings, AT)
    station.article(body=f"打 {PHONE}。\n")
    withdraw(station.settings, "F7K2Q", "内容有误", SOON)
    assert "内容有误" in (station.folder / "public/fraud/brushing/index.html").read_text("utf-8")
