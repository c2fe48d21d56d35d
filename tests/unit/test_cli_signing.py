"""Signing off at the command line: who is who by their PIN, what is shown before anybody signs, what the log tells."""

from __future__ import annotations

import shlex
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler.cli import main
from gengfu_site import audit, reviewers
from gengfu_site.cli import signing
from gengfu_site.settings import read_settings
from gengfu_site.signing import begin
from gengfu_site.start import new_station
from stations import AT, MKDOCS_YML, StationFolder

PIN, OTHER = "284719", "993311"


@pytest.fixture(autouse=True)
def _cheap_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewers, "_COST", (2, 1, 1))
    monkeypatch.setattr("os.fsync", lambda _handle: None)


@pytest.fixture
def small(station: StationFolder) -> StationFolder:
    """Articles are signed off; 王所长 may sign, 李警官 writes."""
    station.file("mkdocs.yml", MKDOCS_YML + "      review: small\n")
    station.file("timetable.yml", "slots: {}\n")
    station.file("groups.csv", "id,name,reach\n")
    done(station, "reviewers", "add", "王所长", "--steps", "language,facts,release", pins=[PIN])
    done(station, "reviewers", "add", "李警官", "--by", "王所长", pins=[PIN, OTHER])
    return station


def run(station: StationFolder, *command: str, pins: list[str] | None = None) -> Result:
    typed = "".join(f"{pin}\n" for pin in pins or ())
    return CliRunner().invoke(main, ["-C", str(station.folder), *command], input=typed)


def done(station: StationFolder, *command: str, pins: list[str] | None = None) -> str:
    """What a command said that went well."""
    result = run(station, *command, pins=pins)
    assert result.exit_code == 0, result.output
    return result.output


def test_who_is_admitted_under_a_name_that_is_known_is_told_whose_place_that_takes(
    small: StationFolder,
) -> None:
    again = ("reviewers", "add", "李警官", "--by", "王所长")
    assert "李警官已经登记过" in done(small, *again, pins=[PIN, OTHER])
    assert "已经登记过" not in done(
        small, "reviewers", "add", "李警官（桃园）", "--by", "王所长", pins=[PIN, OTHER]
    )


ALL = ("--step", "language", "--step", "facts", "--step", "release")


def test_an_article_goes_from_its_writer_through_another_person_to_the_public(small: StationFolder) -> None:
    small.article(body="一\n")
    said = done(small, "build")
    assert "已发布 0 篇" in said
    assert "gengfu submit content/fraud/brushing.md" in said
    done(small, "submit", "F7K2Q", "--by", "李警官", pins=[OTHER])
    assert "还差语言、事实和依据、发布" in done(small, "approve")
    shown = done(small, "approve", "content/fraud", "--by", "王所长", *ALL, "--note", "核过", pins=[PIN])
    assert "一" in shown  # all of it, before the first signature
    assert "签发完毕" in shown
    assert "已发布 1 篇" in done(small, "build")
    small.article(body="二\n")
    done(small, "submit", "F7K2Q", "--by", "李警官", pins=[OTHER])
    shown = done(small, "approve", "F7K2Q", "--by", "王所长", "--step", "language", pins=[PIN])
    assert {"  -一", "  +二"} <= set(shown.splitlines())
    assert "还差：事实和依据、发布" in shown
    told = done(small, "log", "f7k2q").splitlines()
    assert done(small, "log", "content/fraud/brushing.md").splitlines() == told
    assert [line[18:] for line in told[:4]] == [
        "李警官  写好提交：fraud/brushing.md",
        "王所长  签了语言、事实和依据、发布，附言：核过",
        "李警官  写好提交：fraud/brushing.md",
        "王所长  签了语言",
    ]
    at = audit.read(small.folder)[-1].at.astimezone(ZoneInfo("Asia/Shanghai"))
    assert told[3].startswith(f"{at:%Y-%m-%d %H:%M}  "), "the station's clock, whatever the machine's"
    assert f"  {at:%Y-%m-%d %H:%M:%S}  " in done(small, "audit")
    assert told[4:] == ["网站上现在是第 4 条记录的那一版。", "还没有发到群里。"]


def test_who_may_not_is_told_why_and_no_pin_is_taken_from_the_command_line(small: StationFolder) -> None:
    small.article()
    wrong = run(small, "submit", "F7K2Q", "--by", "李警官", pins=["000000"])
    assert (wrong.exit_code, "PIN 不对" in wrong.output) == (1, True)
    done(small, "submit", "F7K2Q", "--by", "王所长", pins=[PIN])
    own = run(small, "approve", "F7K2Q", "--by", "王所长", *ALL, pins=[PIN])
    assert (own.exit_code, "要由别人签" in own.output) == (1, True)
    for command in (
        ["approve", "F7K2Q", "--by", "王所长"],  # nobody there to tick
        ["approve", "F7K2Q", *ALL],  # nor to say who it is
        ["reviewers", "add", "新人", "--by", "王所长", "--steps", "relase"],
        ["submit", "F7K2Q", "--by", "王所长"],  # no PIN comes
        ["submit", "F7K2Q", "--by", "王所长", "--pin", PIN],
    ):
        assert run(small, *command).exit_code == 2


def test_the_first_person_must_be_able_to_release_and_everybody_is_listed(
    station: StationFolder, small: StationFolder
) -> None:
    assert done(small, "reviewers").splitlines() == ["王所长  语言、事实和依据、发布", "李警官  只写稿"]
    done(small, "reviewers", "remove", "李警官", "--by", "王所长", pins=[PIN])
    assert done(small, "reviewers").splitlines() == ["王所长  语言、事实和依据、发布"]
    done(small, "reviewers", "remove", "王所长", "--by", "王所长", pins=[PIN])
    assert run(small, "reviewers", "add", "李警官", pins=[PIN]).exit_code == 2


def test_who_may_not_sign_is_told_so_before_they_read_and_answer(
    small: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.article(body="一\n")
    monkeypatch.setattr(signing, "at_terminal", lambda: True)
    for name, why in (
        ("王所长", "这一稿还没有提交"),
        ("李警官", "李警官没有登记这一步"),
        ("新人", "没有登记过“新人”"),
    ):
        refused = run(small, "approve", "F7K2Q", pins=[name])
        assert (refused.exit_code, why in refused.output, "y/N" in refused.output) == (1, True, False)


def test_at_a_terminal_each_step_is_ticked_and_the_pin_is_not_shown(
    small: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.article()
    done(small, "submit", "F7K2Q", "--by", "李警官", pins=[OTHER])
    monkeypatch.setattr(signing, "at_terminal", lambda: True)
    refused = run(small, "approve", "F7K2Q", pins=["王所长", "y", "n"])
    assert refused.exit_code == 1
    shown = done(small, "approve", "F7K2Q", pins=["王所长", "y", "y", "y", PIN])
    assert shown.count("？ [y/N]: y") == 3
    assert PIN not in shown
    assert audit.read(small.folder)[-1].details["steps"] == ["language", "facts", "release"]


def test_a_new_station_signs_off_and_says_that_nobody_there_has_signed_the_starters(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    with new_station(folder):
        pass
    settings, problems = read_settings(folder / "mkdocs.yml")
    assert settings, problems
    assert set(settings.reviews.values()) == {"small"}
    count = begin(settings, AT, "duty")
    said = CliRunner().invoke(main, ["-C", str(folder), "approve"]).output
    assert said.splitlines() == [
        "没有等着签的文章。",
        f"{count} 篇是随程序来的示范文章，照原样公开，本单位还没有人签过。",
    ]


def test_an_alert_that_waits_for_a_signature_says_so_to_who_sends_it(small: StationFolder) -> None:
    small.article()
    done(small, "submit", "F7K2Q", "--by", "李警官", pins=[OTHER])
    done(small, "approve", "F7K2Q", "--by", "王所长", *ALL, pins=[PIN])
    alert = '{form: 火情, place: 一号楼, tell: "119"}'
    small.article(kind="alert", alert=alert, expires="2099-11-30")
    for name in ("F7K2Q", "content/fraud/brushing.md"):
        result = run(small, "alert", name, "--yes")
        assert result.exit_code == 1
        assert "gengfu new alert" in result.output
        assert "1 个问题" in result.output


@pytest.mark.parametrize("name", ["雨 伞.md", "it's.md", 'a"b.md', "🌂$x.md", "(1) [副本].md"])
def test_a_file_is_found_under_whatever_name_from_wherever_one_stands(
    small: StationFolder, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = small.article(f"fraud/{name}", body="一\n")
    elsewhere = tmp_path_factory.mktemp("elsewhere 别处")
    for here, typed in (
        (elsewhere, str(file)),
        (elsewhere, f"content/fraud/{name}"),
        (elsewhere, f"fraud/{name}"),
        (file.parent, name),
    ):
        monkeypatch.chdir(here)
        said = " ".join(done(small, "build").split())
        assert shlex.split(said.partition("gengfu submit ")[2])[0] == f"content/fraud/{name}"
        done(small, "submit", typed, "--by", "李警官", pins=[OTHER])
        assert "签发完毕" in done(small, "approve", typed, "--by", "王所长", *ALL, pins=[PIN])
        assert "没有要改的" in done(small, "fix", typed)
        done(small, "withdraw", typed, "--reason", "电话写错了", "--yes")
        small.article(f"fraud/{name}", body=f"{typed}\n")
    assert "在 content/ 里了" in run(small, "import", name).output
    for command in ("submit", "approve", "fix", "import", "withdraw"):
        more = ["--by", "王所长", *ALL] if command == "approve" else []
        more += ["--reason", "错了", "--yes"] if command == "withdraw" else []
        result = run(small, command, f"没有 {name}", *more, pins=[PIN])
        assert (result.exit_code, f"没有 {name}" in result.output) == (1, True), command
