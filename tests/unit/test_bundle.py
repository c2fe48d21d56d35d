"""Which file is this program's own, for a machine without a network."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from os import PathLike, utime
from pathlib import Path

import pytest

from gengfu_scheduler.bundle import NoWheel, _installed_from


class Recorded(Distribution):
    """gengfu 0.1.0, as pip recorded its installation from ``url``."""

    def __init__(self, url: str | None) -> None:
        self._files = {"METADATA": "Name: gengfu\nVersion: 0.1.0\n"}
        if url:
            self._files["direct_url.json"] = json.dumps({"url": url})

    def read_text(self, filename: str) -> str | None:
        return self._files.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> Path:
        raise NotImplementedError


def test_what_came_from_an_index_is_asked_of_it_again() -> None:
    assert _installed_from(Recorded(None)) is None


def test_the_wheel_that_was_installed_is_taken_whatever_its_folder_is_called(tmp_path: Path) -> None:
    wheel = tmp_path / "下 载 50%" / "gengfu-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    assert _installed_from(Recorded(wheel.as_uri())) == wheel


def test_of_a_checkout_the_newest_wheel_of_the_installed_version_is_taken(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    for age, name in enumerate(("0.1.0-1-py3", "0.1.0-py3", "0.2.0-py3")):
        wheel = tmp_path / f"dist/gengfu-{name}-none-any.whl"
        wheel.touch()
        utime(wheel, (10 - age, 10 - age))
    found = _installed_from(Recorded(tmp_path.as_uri()))
    assert found == tmp_path / "dist/gengfu-0.1.0-1-py3-none-any.whl"


def test_a_checkout_without_one_says_how_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoWheel, match=r"cd .* && python -m pip install build && python -m build --wheel"):
        _installed_from(Recorded(tmp_path.as_uri()))


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("file:///gone/gengfu-0.1.0-py3-none-any.whl", "/gone/gengfu-0.1.0-py3-none-any.whl"),
        ("https://guide:hunter2@packages.example/gengfu.whl", "https://packages.example/gengfu.whl"),
    ],
)
def test_a_wheel_that_is_gone_is_asked_for_by_name_and_no_password_is_shown(url: str, named: str) -> None:
    with pytest.raises(NoWheel, match="--wheel") as refused:
        _installed_from(Recorded(url))
    assert refused.value.source == named
    assert "hunter2" not in str(refused.value)
    assert "-m build" not in str(refused.value)
