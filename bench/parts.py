"""What single steps take, each beside the least that it could: ``python -m bench.parts``."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import corpus, report
from bench.report import Begun, Table
from gengfu_scheduler.channels import PLATFORMS
from gengfu_scheduler.digest import compose_all
from gengfu_scheduler.groups import read_groups, sorted_out
from gengfu_scheduler.message import Broadcast, Planned, Sent
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.timetable import read_timetable
from gengfu_site.feeds import catalogue
from gengfu_site.library import load
from gengfu_site.settings import read_settings

AT = datetime(2026, 11, 21, tzinfo=UTC)
ARTICLES = 2_400
GROUPS = 20_000


def measure() -> Iterator[Table]:
    begun = Begun("python -m bench.parts")
    folder = corpus.station(report.scratch(), ARTICLES)
    rows = [*building(folder), *telling(folder)]
    yield Table(
        key="parts",
        title="Steps",
        columns=("", "seconds", "beside", "seconds", "ratio"),
        rows=rows,
        note="The shortest of three runs: the others were disturbed.",
        conditions=begun.over(),
    )


def building(folder: Path) -> Iterator[list[str]]:
    """Both cold, once: whatever is there already is moved aside."""
    ours = report.run("build", cwd=folder)
    (folder / "public").rename(report.scratch() / "public")
    mkdocs: list[str | Path] = [Path(sys.executable).with_name("mkdocs"), "build", "-q"]
    theirs = timed(lambda: subprocess.run(mkdocs, cwd=folder, check=True, stdout=subprocess.DEVNULL), runs=1)
    yield row(
        f"`gengfu build`, {ARTICLES} articles, cold, one run", ours, "`mkdocs build`, same bytes", theirs
    )


def telling(folder: Path) -> Iterator[list[str]]:
    settings, _problems = read_settings(folder / "mkdocs.yml")
    assert settings
    corpus.groups(folder, GROUPS, [area.path for area in settings.station.areas])
    published = catalogue(load(settings, AT)[0], AT)

    def bare() -> None:
        with (folder / "groups.csv").open(encoding="utf-8") as table:
            list(csv.DictReader(table))

    read = timed(lambda: read_groups(folder, settings.station, os.environ, PLATFORMS))
    yield row(f"read and check {GROUPS} groups", read, "csv.DictReader alone", timed(bare))

    groups, problems = read_groups(folder, settings.station, os.environ, PLATFORMS)
    assert not problems
    timetable, _unread = read_timetable(folder, settings.station, {g.id: g for g in groups})
    assert timetable
    slot = replace(timetable.slots[0], pick=replace(timetable.slots[0].pick, fresh=timedelta(days=365)))
    composed = list(compose_all(slot, sorted_out(groups, ()), published, {}, AT))
    whole = timed(lambda: list(compose_all(slot, sorted_out(groups, ()), published, {}, AT)))
    one = timed(lambda: list(compose_all(slot, [groups[:1]], published, {}, AT)))
    yield row(f"compose a digest for {len(groups)} groups", whole, "for one group", one)

    planned = [
        Planned(group=g.id, messages=(d.message,), not_before=AT)
        for alike, d in composed
        if d.message is not None
        for g in alike
    ]
    broadcast = Broadcast(
        key="bench", form="digest", title="", scheduled_for=AT, expires=AT + timedelta(hours=1)
    )
    with Outbox(f"sqlite:///{folder / 'outbox.sqlite3'}") as outbox:
        start = time.perf_counter()
        outbox.plan(broadcast, planned, now=AT)  # a key is planned once, so there is one run to time
        plan = time.perf_counter() - start

        def pass_through() -> None:
            while claimed := outbox.claim(now=AT):
                outbox.settle([(delivery.id, Sent(confirmed=True)) for delivery in claimed], now=AT)

        start = time.perf_counter()
        pass_through()
        through = time.perf_counter() - start
    yield row(f"outbox: plan {len(planned)} deliveries", plan, "claim and settle them by 200", through)


def timed(work: Callable[[], object], runs: int = 3) -> float:
    """Seconds of the shortest run."""
    times = []
    for _run in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def row(what: str, seconds: float, beside: str, other: float) -> list[str]:
    return [what, f"{seconds:.2f}", beside, f"{other:.2f}", f"{seconds / other:.2f}"]


if __name__ == "__main__":
    report.show(measure())
