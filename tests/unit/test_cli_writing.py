"""The commands of who writes: what ``gengfu new`` asks, what import and fix say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler import cli
from stations import AT, StationFolder

Run = Callable[..., Result]


@pytest.fixture
def run(station: StationFolder, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(AT.timestamp())))

    def run(*arguments: str, answers: str | None = None) -> Result:
        return CliRunner().invoke(cli.main, ["-C", str(station.folder), *arguments], input=answers)

    return run


@pytest.fixture
def terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run`` with somebody in front of it."""
    monkeypatch.setattr("gengfu_site.cli.writing.at_terminal", lambda: True)
    return run


def only(station: StationFolder) -> str:
    [file] = (station.folder / "content").rglob("*.md")
    return file.read_text("utf-8")


def test_a_tip_is_asked_for_field_by_field(terminal: Run, station: StationFolder) -> None:
    answers = "\n".join(["1", "冬季防火", "人走断电。", "2 1", "1，2", "winter-fire", ""])
    result = terminal("new", answers=answers)
    assert result.exit_code == 0, result.output
    [file] = (station.folder / "content").rglob("*.md")
    assert file.relative_to(station.folder).as_posix() == "content/tip/winter-fire.md"
    text = file.read_text("utf-8")
    assert "\ntitle: 冬季防火\n" in text
    assert "\nsummary: 人走断电。\n" in text
    assert "\ntopics: [电信网络诈骗, 防火用电]\n" in text
    assert "\nareas: [青松路, 青松路/桃园社区]\n" in text


def test_a_service_is_asked_what_a_service_needs(terminal: Run, station: StationFolder) -> None:
    answers = [
        *["3", "居住证", "", "", ""],
        "户籍窗口",
        "2",
        "7 天",
        "不收费",
        "派出所一楼",
        "周一至周五",
        "110",
        "",
    ]
    result = terminal("new", answers="\n".join([*answers, ""]))
    assert result.exit_code == 0, result.output
    text = only(station)
    for line in (
        "department: 户籍窗口",
        "visit: 跑一次",
        "time_limit: 7 天",
        "fee: 不收费",
        "places: [派出所一楼]",
        "hours: 周一至周五",
        "phone: 110",
    ):
        assert f"\n  {line}\n" in text


def test_an_alert_is_asked_what_an_alert_needs(terminal: Run, station: StationFolder) -> None:
    answers = ["6", "道路积水", "绕行。", "", "", "3", "地下通道", "", "2026-11-22 20:00", "flood", ""]
    result = terminal("new", answers="\n".join(answers))
    assert result.exit_code == 0, result.output
    station.file(
        "content/alert/flood.md",
        only(station).replace("【待写：发生了什么、请居民做什么、不要做什么】", "绕行。"),
    )
    [article] = station.load().articles
    assert article.alert
    assert (article.alert.form, article.alert.place, article.alert.tell) == ("道路", "地下通道", "110")
    assert article.expires == datetime(2026, 11, 22, 20, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_what_is_given_is_not_asked_and_the_rest_may_be_left_for_later(
    terminal: Run, station: StationFolder
) -> None:
    result = terminal("new", "fraud", "假冒客服: 退款", answers="\n" * 4)
    assert result.exit_code == 0, result.output
    assert "标题" not in result.output
    text = only(station)
    assert '\ntitle: "假冒客服: 退款"\nsummary:\n' in text.replace(
        "# 摘要：群里发的就是这一句，120 字以内，单独看也要说得清。\n", ""
    )
    assert "\ntopics: []\n# areas: []\n" in text


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (["9"], ["1", "题", "", "", "", ""], "没有序号“9”"),
        (["1 2"], ["1", "题", "", "", "", ""], "写一个序号"),
        ([""], ["1", "题", "", "", "", ""], "写一个序号"),
        (["1", ""], ["题", "", "", "", ""], "要写"),
        (["1", "长" * 41], ["题", "", "", "", ""], "最多 40 个字，现在有 41 个"),
        (["1", "题", "长" * 121], ["", "", "", ""], "最多 120 个字"),
        (["1", "题", "", "", "", "大写 NAME"], [""], "不能用作文件名"),
    ],
)
def test_an_answer_that_cannot_be_used_is_asked_again(
    terminal: Run, station: StationFolder, wrong: list[str], right: list[str], said: str
) -> None:
    result = terminal("new", answers="\n".join([*wrong, *right, ""]))
    assert said in result.output
    assert result.exit_code == 0, result.output
    assert "\ntitle: 题\n" in only(station)


def test_who_stops_half_way_leaves_nothing_behind(terminal: Run, station: StationFolder) -> None:
    before = sorted(station.folder.rglob("*"))
    result = terminal("new", answers="1\n冬季防火\n")  # then the end of input, which is as Ctrl+C to a prompt
    assert result.exit_code == 1
    assert "没有写文件" in result.output
    assert sorted(station.folder.rglob("*")) == before


def test_without_a_terminal_kind_and_title_must_be_given(run: Run, station: StationFolder) -> None:
    assert run("new").exit_code == 2
    assert "gengfu new fraud" in run("new", "tip").output
    assert run("new", "tip", "防火").exit_code == 0


def test_import_says_what_it_made_and_what_it_could_not(run: Run, station: StationFolder) -> None:
    station.file("desk/防火.txt", "防火\n\n冬季干燥。\n".encode("gbk"))
    station.file("desk/旧.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    result = run("import", str(station.folder / "desk"), "--kind", "tip")
    assert result.exit_code == 1
    assert "desk/防火.txt → content/tip/" in result.stdout
    assert "desk/旧.doc" in result.stderr
    assert "另存为" in result.stderr
    assert run("import", str(station.folder / "desk/防火.txt"), "--name", "fire").exit_code == 0
    assert (station.folder / "content/tip/fire.md").exists()


def test_one_name_is_for_one_file(run: Run, station: StationFolder) -> None:
    files = [str(station.file(f"{name}.txt", "x")) for name in "ab"]
    assert run("import", *files, "--name", "fire").exit_code == 2
    assert run("import", files[0], "--name", "Fire").exit_code == 2


def test_fix_finds_a_file_from_here_from_the_station_and_from_content(
    run: Run,
    station: StationFolder,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    for named in ("tip/a.md", "content/tip/a.md", str(station.folder / "content/tip/a.md")):
        station.file("content/tip/a.md", "防火\n\n　　冬季干燥。\n")
        assert (
            "content/tip/a.md  去掉段首的全角空格、补上说明里缺的字段"
            in run("fix", named, "--dry-run").stdout
        )
        assert "改了 1 个文件" in run("fix", named).stdout
        assert "没有要改的" in run("fix", named).stdout


def test_fix_ends_with_an_error_where_something_is_left_to_do(run: Run, station: StationFolder) -> None:
    station.file("content/tip/a.md", b"")
    result = run("fix")
    assert result.exit_code == 1
    assert "文件是空的" in result.stderr
    assert run("fix", "gone.md").exit_code == 1


def test_fix_shows_the_first_lines_that_changed(run: Run, station: StationFolder) -> None:
    station.file("content/tip/a.md", "".join(f"　　第{n}段。\n\n" for n in range(30)))
    told = run("fix").stdout
    assert "-　　第0段。" in told
    assert "还有" in told
