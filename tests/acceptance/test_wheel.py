"""What the wheel holds: a line too much in .gitignore can empty it without a word."""

from __future__ import annotations

from zipfile import ZipFile

import pytest

from installed import ROOT, Installed


@pytest.mark.parametrize(
    "folder",
    ["site/gengfu_site", "scheduler/gengfu_scheduler", "templates/gengfu_templates", "content"],
)
def test_the_wheel_holds_every_file_of(installed: Installed, folder: str) -> None:
    names = set(ZipFile(installed.wheel).namelist())
    where = "gengfu_templates/starter/content" if folder == "content" else folder.partition("/")[2]
    source = ROOT / folder
    expected = {
        f"{where}/{file.relative_to(source).as_posix()}"
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert len(expected) > 5
    assert expected <= names


def test_the_wheel_holds_the_starter_station_and_the_compiled_wording(installed: Installed) -> None:
    names = ZipFile(installed.wheel).namelist()
    for name in (
        "gengfu_templates/starter/mkdocs.yml",
        "gengfu_templates/starter/timetable.yml",
        "gengfu_templates/starter/groups.csv",
        "gengfu_templates/starter/terms.yml",
        "gengfu_templates/starter/docs/groups.zh-CN.md",
        "gengfu_templates/starter/docs/signing.zh-CN.md",
        "gengfu_templates/starter/docs/officers.zh-CN.md",
        "gengfu_templates/starter/docs/pictures/officers-wall.png",
        "gengfu_templates/locale/en/LC_MESSAGES/gengfu.mo",
        "gengfu_templates/locale/zh_CN/LC_MESSAGES/click.mo",
    ):
        assert name in names


def test_the_wheel_holds_no_tests_and_no_secrets(installed: Installed) -> None:
    names = ZipFile(installed.wheel).namelist()
    assert not [n for n in names if n.startswith("tests/") or "webhooks" in n or "private/" in n]
