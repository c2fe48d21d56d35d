"""Fixtures that every suite may use."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

os.environ["GENGFU_LANG"] = "zh-CN"  # before anything of ours is imported: some wording is read then

from stations import StationFolder, empty_station

# How long an example takes, or is in the making, is no part of any promise; machines are noisy.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")


@pytest.fixture
def station(tmp_path: Path) -> StationFolder:
    """A station without articles."""
    return empty_station(tmp_path)
