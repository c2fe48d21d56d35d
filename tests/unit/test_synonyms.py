"""``synonyms.txt``: what it may say, and what search makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gengfu_site import search
from gengfu_site.settings import read_settings
from gengfu_site.synonyms import read_synonyms
from stations import AT, StationFolder

REPOSITORY = Path(__file__).parents[2]


def read(folder: Path, text: str | bytes) -> tuple[tuple[tuple[str, ...], ...], list[str]]:
    (folder / "synonyms.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    words, problems = read_synonyms(folder)
    return words, [f"{problem.line} {problem.message}" for problem in problems]


@pytest.mark.parametrize(
    "text",
    [
        "煤气 燃气\n补办 补领 补发\n",
        "# 说明\n\n煤气 燃气 # 都叫气\n补办、补领，补发\n",
        "\ufeff煤气\t燃气\r\n  补办 / 补领 / 补发  ",
    ],
)
def test_a_line_holds_words_that_mean_the_same(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == ((("煤气", "燃气"), ("补办", "补领", "补发")), [])


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("煤气\n", ["1 这一行只有“煤气”一个词，没有和它同义的。"]),
        ("煤气 燃气\n天然气 燃气\n", ["2 “燃气”在第 1 行已经写过了。"]),
        ("APP app\n", ["1 “app”在第 1 行已经写过了。"]),
        ("煤气 气\n", ["1 “气”只有一个字，搜索从两个字找起。"]),
        ("煤气 —— 燃气\n", ["1 “——”里没有一个字，搜不到。"]),
        ("煤气 燃气\n".encode("gbk"), ["1 文件应是 UTF-8 编码，这个是 GBK。"]),
    ],
)
def test_what_it_may_not_say(tmp_path: Path, text: str | bytes, problems: list[str]) -> None:
    assert read(tmp_path, text)[1] == problems


def test_a_station_need_not_have_any(station: StationFolder) -> None:
    assert station.settings.synonyms == ()


def test_its_mistakes_are_the_stations(station: StationFolder) -> None:
    station.file("synonyms.txt", "煤气\n")
    _settings, problems = read_settings(station.folder / "mkdocs.yml")
    assert [problem.path for problem in problems] == ["synonyms.txt"]


def test_search_folds_them_as_it_folds_all_words(station: StationFolder) -> None:
    station.file("synonyms.txt", "ＡＰＰ 手机软件\n往来港澳通行证 港·澳通行证\n")
    settings, problems = read_settings(station.folder / "mkdocs.yml")
    assert settings, problems
    library = station.load()
    assert search.Words(library, AT).about.synonyms == (("app", "手机软件"), ("往来港澳通行证", "港澳通行证"))


def test_the_starter_stations_say_what_residents_say() -> None:
    words, problems = read_synonyms(REPOSITORY)
    assert problems == []
    assert len(words) >= 33
    for pair in ({"煤气", "燃气"}, {"补办", "补领"}, {"骗子", "诈骗"}, {"电瓶车", "电动自行车"}):
        assert any(pair <= set(same) for same in words), pair
