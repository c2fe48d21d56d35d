"""``make bench``: what it takes, each beside something to compare it with, in one run on one machine."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import broadcast, build, city, corpus, edit, kills, pages
from gengfu_scheduler.channels import PLATFORMS
from gengfu_scheduler.digest import compose_all
from gengfu_scheduler.groups import read_groups
from gengfu_scheduler.message import Broadcast, Planned, Sent
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.timetable import read_timetable
from gengfu_site.feeds import catalogue
from gengfu_site.library import load
from gengfu_site.settings import read_settings

AT = datetime(2026, 11, 21, tzinfo=UTC)
ARTICLES = 2_400
GROUPS = 20_000


def main() -> None:
    print(f"{'what':44} {'seconds':>8}   beside")
    with tempfile.TemporaryDirectory() as made:
        folder = corpus.station(Path(made), ARTICLES)
        building(folder)
        telling(folder)
    pages.measure()
    build.measure()
    edit.measure()
    city.measure()
    broadcast.measure(GROUPS)
    kills.measure()


def building(folder: Path) -> None:
    def run(*command: str) -> None:
        program = Path(sys.executable).with_name(command[0])
        subprocess.run([program, *command[1:]], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    ours = timed(lambda: run("gengfu", "build"))
    theirs = timed(lambda: run("mkdocs", "build", "-q", "-d", "by-mkdocs"))
    row(f"gengfu build, {ARTICLES} articles", ours, "mkdocs build, same bytes", theirs)


def telling(folder: Path) -> None:
    settings, _problems = read_settings(folder / "mkdocs.yml")
    assert settings
    corpus.groups(folder, GROUPS, [area.path for area in settings.station.areas])
    published = catalogue(load(settings, AT)[0], AT)

    def bare() -> None:
        with (folder / "groups.csv").open(encoding="utf-8") as table:
            list(csv.DictReader(table))

    read = timed(lambda: read_groups(folder, settings.station, os.environ, PLATFORMS))
    row(f"read and check {GROUPS} groups", read, "csv.DictReader alone", timed(bare))

    groups, problems = read_groups(folder, settings.station, os.environ, PLATFORMS)
    assert not problems
    timetable, _problems = read_timetable(folder, settings.station, {g.id: g for g in groups})
    assert timetable
    slot = replace(timetable.slots[0], pick=replace(timetable.slots[0].pick, fresh=timedelta(days=365)))
    composed = list(compose_all(slot, groups, published, {}, AT))
    whole = timed(lambda: list(compose_all(slot, groups, published, {}, AT)))
    one = timed(lambda: list(compose_all(slot, groups[:1], published, {}, AT)))
    row(f"compose a digest for {len(composed)} groups", whole, "for one group", one)

    planned = [
        Planned(group=g.id, messages=(d.message,), not_before=AT)
        for g, d in composed
        if d.message is not None
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
    row(f"outbox: plan {len(planned)} deliveries", plan, "claim and settle them by 200", through)
    size = sum(file.stat().st_size for file in folder.glob("outbox.sqlite3*")) / len(planned)
    print(f"outbox on disk: {size:.0f} bytes a delivery")


def timed(work: Callable[[], object]) -> float:
    """The shortest of three runs, in seconds: the others were disturbed."""
    times = []
    for _run in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def row(what: str, seconds: float, beside: str, other: float) -> None:
    print(f"{what:44} {seconds:8.2f}   {beside}: {other:.2f} ({seconds / other:.2f}x)")


if __name__ == "__main__":
    main()
