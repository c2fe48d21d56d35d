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
    ],
)
def test_a_mistake_is_named_with_its_line(station: StationFolder, old: str, new: str, said: str) -> None:
    text = MKDOCS_YML.replace(old, new, 1)
    settings, problems = read_settings(station.file("mkdocs.yml", text))
    assert settings is None
    assert [p.line for p in problems if said in str(p)] == [text[: text.index(new)].count("\n") + 1]
