"""The starter library's whole site: every address in every file leads to a file, every anchor to a place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gengfu_site.publish import preview
from gengfu_site.settings import read_settings
from links import lost
from stations import AT

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "home",
    [
        "https://qingsong.example/",
        pytest.param("https://portal.example/police/guide/", id="inside a portal"),
    ],
)
def test_every_address_leads_to_a_file_and_every_anchor_to_a_place(tmp_path: Path, home: str) -> None:
    settings, problems = read_settings(REPOSITORY / "mkdocs.yml")
    assert settings, problems
    station = replace(settings.station, url=home)
    assert preview(replace(settings, station=station), AT, tmp_path / "public")[1] == []
    assert sorted(lost(tmp_path / "public", home)) == []
