"""A folder of damaged files ends in articles or precise problems, never in a traceback; nothing is lost or half made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from damaged import ARTICLES, DOCUMENTS, SECRET, entangle, scatter
from gengfu_site.library import load
from installed import Installed
from stations import AT, StationFolder

DESK = len(DOCUMENTS) + len(ARTICLES)


def test_sixty_damaged_files_end_in_articles_or_problems(
    installed: Installed, station: StationFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert DESK > 60
    desk = tmp_path_factory.mktemp("desk")
    dropped = [*scatter(DOCUMENTS, desk), *entangle(desk)]
    before = {file: file.read_bytes() for file in dropped if file.is_file() and not file.is_symlink()}

    told = run(installed, station, "import", str(desk), code=1)
    written = dict(re.findall(r"(?m)^.*/(.*?) → (content/\S+\.md)，", told))
    assert len(set(written.values())) == len(written) > 25
    assert [file.name for file in dropped if (file.name in written) == (f"{file.name}\n  第" in told)] == []
    assert {file: file.read_bytes() for file in before} == before

    existing = scatter(ARTICLES, station.folder / "content")
    entangle(station.folder / "content/tip")
    mended = run(installed, station, "fix", code=1)
    assert "改了" in mended
    kept = {file: file.read_bytes() for file in files(station)}
    again = run(installed, station, "fix", code=1)
    assert "没有要改的" in again
    assert {file: file.read_bytes() for file in files(station)} == kept
    assert not [file for file, data in kept.items() if SECRET.encode() in data and file.name != "cut.jpg"]
    assert not list((station.folder / "content").rglob(".*"))

    checked = run(installed, station, "check", code=1)
    articles = {article.lines.path for article in load(station.settings, AT)[0].articles}
    lost = [
        path
        for file in existing
        if file.suffix == ".md"
        and (path := file.relative_to(station.folder).as_posix()) not in articles
        and path not in checked
    ]
    assert lost == []
    assert set(written.values()) <= articles | set(re.findall(r"(?m)^content/\S+\.md$", checked))


def run(installed: Installed, station: StationFolder, *command: str, code: int) -> str:
    done = installed.run("gengfu", *command, cwd=station.folder, code=code)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return said


def files(station: StationFolder) -> list[Path]:
    found = (station.folder / "content").rglob("*")
    return [file for file in found if file.is_file() and not file.is_symlink()]
