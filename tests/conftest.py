"""Fixtures that every suite may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from stations import StationFolder, empty_station


@pytest.fixture
def station(tmp_path: Path) -> StationFolder:
    """A station without articles."""
    return empty_station(tmp_path)
