"""Fixtures that every suite may use."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

os.environ["GENGFU_LANG"] = "zh-CN"  # before anything of ours is imported: some wording is read then

import leaks
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


_leaky: dict[str, None] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what a test printed that no log may hold."""
    if leaks.holds("".join(text for _title, text in report.sections).encode()):
        _leaky[report.nodeid] = None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the session where a webhook's address is in anything it made."""
    if hasattr(session.config, "workerinput"):
        return  # whoever started the workers looks at what all of them made
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
    if found := [*_leaky, *leaks.leaks(factory.getbasetemp())]:
        print("\nA webhook's address is in what these printed or wrote:", *found, sep="\n  ")  # noqa: T201
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
