"""The station in mkdocs.yml: read into one value, or every mistake named with its line."""

from __future__ import annotations

import pytest

from gengfu_site.settings import read_settings
from stations import MKDOCS_YML, StationFolder


def test_areas_are_flattened_with_paths_and_addresses(station: StationFolder) -> None:
    areas = station.settings.station.areas
    assert [(a.path, a.slug, a.parent) for a in areas] == [
        ("青松路", "qingsong", None),
        ("青松路/桃园社区", "qingsong/taoyuan", "青松路"),
        ("青松路/松园社区", "qingsong/songyuan", "青松路"),
        ("河东", "hedong", None),
    ]


@pytest.mark.parametrize(
    ("area", "role"),
    [("青松路/桃园社区", "社区民警"), ("青松路/松园社区", "警务室"), ("河东", "值班室"), (None, "值班室")],
)
def test_the_nearest_contact_card_is_taken(station: StationFolder, area: str | None, role: str) -> None:
    assert station.settings.station.contacts_for(area)[0].role == role


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("site_url: https://qingsong.example/", "site_url: qingsong.example", "https://"),
        ("  - gengfu:", "  - other:", "没有 gengfu"),
        ("slug: taoyuan", "slug: 桃园", "小写字母"),
        ("松园社区, slug: songyuan", "松园社区, slug: taoyuan", "用了两次"),
        ("name: 河东", "name: 河/东", "不能有“/”"),
        ("contacts: [{role: 值班室", "timezone: 北京\n        contacts: [{role: 值班室", "Asia/Shanghai"),
        ("topics: [{name: 电信网络诈骗", "topics: [{nam: 电信网络诈骗", "是不是想写“name”"),
        ("audiences: [", "service_desk: 值班\n      audiences: [", "是不是想写“值班室”"),
        ("audiences: [", "shortcuts: [{title: 身份证丢了}]\n      audiences: [", "to"),
        ("audiences: [", 'matters: [{matter: 养犬, phone: "110"}]\n      audiences: [', "who"),
    ],
)
def test_a_mistake_is_named_with_its_line(station: StationFolder, old: str, new: str, said: str) -> None:
    text = MKDOCS_YML.replace(old, new, 1)
    settings, problems = read_settings(station.file("mkdocs.yml", text))
    assert settings is None
    assert [p.line for p in problems if said in str(p)] == [text[: text.index(new)].count("\n") + 1]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("F7K2O", "是不是想写“F7K2Q”"),
        ("fraud/brush", "是不是想写“fraud/brushing”"),
        ("防火用", "是不是想写“防火用电”"),
        ("servce", "是不是想写“service”"),
        ("天气预报", "写文章的编号"),
    ],
)
def test_a_shortcut_that_leads_nowhere_is_named_with_its_line(
    station: StationFolder, to: str, said: str
) -> None:
    station.file("mkdocs.yml", MKDOCS_YML + f"      shortcuts:\n        - {{title: 遇到了, to: {to}}}\n")
    station.article()
    (problem,) = station.problems()
    assert (problem.path, problem.line) == ("mkdocs.yml", MKDOCS_YML.count("\n") + 2)
    assert said in problem.remedy


def test_a_shortcut_is_not_blamed_while_a_file_cannot_be_read(station: StationFolder) -> None:
    station.file("mkdocs.yml", MKDOCS_YML + "      shortcuts: [{title: 遇到了, to: F7K2Q}]\n")
    station.article(kind="新闻")
    assert {problem.path for problem in station.problems()} == {"content/fraud/brushing.md"}
