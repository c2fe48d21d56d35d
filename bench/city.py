"""A city's timetable: 20,000 groups in 500 communities that were told something every morning for a year.

``python -m bench.city``: how long a digest takes to compose with all that history, a week's plan, and a scheduler
until it keeps watch; what a delivery takes on disk. The history is written past the outbox, as the outbox would
have written it: planning it day by day takes an hour.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bench import corpus, report
from bench.report import Bar, Begun, Table
from gengfu_scheduler.draft import draft_occurrence
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import RosterFiles
from gengfu_scheduler.timetable import Occurrence
from gengfu_site.catalogue import dumps
from gengfu_site.feeds import catalogue
from gengfu_site.library import load
from gengfu_site.settings import read_settings

GROUPS, ROOMS, COMMUNITIES, DAYS = 20_000, 20, 25, 365
ARTICLES, ITEMS = 2_400, 4
RUNS = 3
COMPOSED = f"compose the morning digest for {GROUPS:,} groups"
_DAY = timedelta(days=1)


def measure() -> Iterator[Table]:
    begun, folder, now = Begun("python -m bench.city"), report.scratch(), datetime.now(UTC)
    entries = city(folder, now)
    database = folder / ".gengfu" / "outbox.sqlite3"
    deliveries = a_year(database, entries, now)
    size = database.stat().st_size / deliveries
    spent = compose(folder, database, now)
    spent["`gengfu plan --days 7`"] = [report.run("plan", "--days", "7", cwd=folder) for _run in range(RUNS)]
    spent["`gengfu run` until it keeps watch"] = [until_ready(folder) for _run in range(RUNS)]
    yield Table(
        key="city",
        title=f"{GROUPS:,} groups in {ROOMS * COMMUNITIES} communities after a year",
        columns=("", "median, s", "least, s", "most, s"),
        rows=[
            [what, *(f"{of(some):.2f}" for of in (statistics.median, min, max))]
            for what, some in spent.items()
        ],
        note=f"{deliveries:,} deliveries, {size:.0f} bytes each on disk.",
        conditions=begun.over(),
        bars={
            Bar.COMPOSE: statistics.median(spent[COMPOSED]),
            Bar.PLAN: statistics.median(spent["`gengfu plan --days 7`"]),
            Bar.READY: statistics.median(spent["`gengfu run` until it keeps watch"]),
            Bar.ON_DISK: size,
        },
    )


def city(folder: Path, now: datetime) -> list[str]:
    """The station of a city and what it has published; the ids of what may be told again and again."""
    corpus.station(folder, ARTICLES)
    file = folder / "mkdocs.yml"
    settings = yaml.safe_load(file.read_text("utf-8"))
    (plugin,) = settings["plugins"]
    plugin["gengfu"]["areas"] = [
        {
            "name": f"{room} 号警务室",
            "slug": f"room-{room}",
            "areas": [{"name": f"{n} 号社区", "slug": f"c-{n}"} for n in range(COMMUNITIES)],
        }
        for room in range(ROOMS)
    ]
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
    for article in (folder / "content").rglob("*.md"):  # the starter's own areas are not this city's
        text = article.read_text("utf-8")
        article.write_text(
            "".join(line for line in text.splitlines(True) if not line.startswith("areas:")), "utf-8"
        )
    read, problems = read_settings(file)
    assert read, problems
    communities = [area.path for area in read.station.areas if area.parent]
    corpus.groups(folder, GROUPS, communities)
    published = catalogue(load(read, now)[0], now)
    (folder / "public").mkdir()
    (folder / "public/catalogue.json").write_text(dumps(published), "utf-8")
    return [entry.id for entry in published.entries if entry.evergreen]


def a_year(database: Path, entries: list[str], now: datetime) -> int:
    """Tell every group every morning, each community in its own words; of a hundred groups one is dead, and now and then another
    was not to be reached.
    """
    database.parent.mkdir(exist_ok=True)
    with Outbox(f"sqlite:///{database}"):
        pass
    communities = ROOMS * COMMUNITIES
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        members = [
            " ".join(sorted(f"g{g}" for g in range(n, GROUPS, communities))) for n in range(communities)
        ]
        connection.executemany(
            "INSERT INTO cohort VALUES (?, ?, ?)",
            ((n, hashlib.sha256(its.encode()).hexdigest(), its) for n, its in enumerate(members, start=1)),
        )
        for day in range(DAYS):
            at = int((now - (DAYS - day) * _DAY).timestamp() * 1_000_000)
            connection.execute(
                "INSERT INTO broadcast VALUES (?, ?, 'digest', '每日平安提示', ?, ?, ?, 1, 0, NULL)",
                (day + 1, f"morning@{day}", at, at, at),
            )
            first = day * communities + 1
            content = "x" * 1_200  # about what a message of four items takes
            connection.executemany(
                "INSERT INTO message VALUES (?, ?, ?)",
                (
                    (n, hashlib.sha256(b"%d" % n).hexdigest(), content)
                    for n in range(first, first + communities)
                ),
            )
            told = [entries[(day * ITEMS + item) % len(entries)] for item in range(ITEMS)]
            connection.executemany(
                "INSERT INTO message_entry VALUES (?, ?)",
                ((n, entry) for n in range(first, first + communities) for entry in told),
            )
            connection.executemany(
                "INSERT INTO cohort_told VALUES (?, ?, ?, ?)",
                ((n + 1, day + 1, first + n, " ".join(sorted(told))) for n in range(communities)),
            )
            connection.executemany(
                "INSERT INTO delivery (broadcast_id, group_id, part, message_id, way, rank, state, confirmed, resent,"
                " attempts, not_before, changed_at, reason) VALUES (?, ?, 1, ?, 'webhook', 2, ?, 1, 0, 1, ?, ?, '')",
                _deliveries(day, first, at),
            )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return DAYS * GROUPS


def _deliveries(day: int, first: int, at: int) -> Iterator[tuple[object, ...]]:
    for group in range(GROUPS):
        missed = (group * 7 + day * 13) % 20_011 == 0
        state = "expired" if group % 100 == 0 else "rejected" if missed else "sent"
        yield day + 1, f"g{group}", first + group % (ROOMS * COMMUNITIES), state, at, at


def compose(folder: Path, database: Path, now: datetime) -> dict[str, list[float]]:
    """Seconds of each step, run by run."""
    spent: defaultdict[str, list[float]] = defaultdict(list)
    with taken(spent, "read catalogue, groups and timetable"):
        roster = RosterFiles(folder, os.environ).read()
    slot = next(slot for slot in roster.timetable.slots if slot.id == "morning")
    slot = replace(slot, pick=replace(slot.pick, fresh=timedelta(days=7)))
    with Outbox(f"sqlite:///{database}") as outbox:
        for _run in range(RUNS):
            with taken(spent, COMPOSED):
                draft = draft_occurrence(Occurrence(slot=slot, scheduled_for=now), roster, outbox.told, now)
            with taken(spent, "of which reading the history"):
                outbox.told(list(roster.groups))
        assert len(draft.planned) == GROUPS
        with taken(spent, "write it down"):
            outbox.plan(draft.broadcast, draft.planned, now=now)
    return spent


@contextmanager
def taken(spent: defaultdict[str, list[float]], what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent[what].append(time.perf_counter() - start)


def until_ready(folder: Path) -> float:
    """Seconds until ``gengfu run`` says that it keeps watch."""
    start = time.perf_counter()
    env = {**os.environ, "LANG": "zh_CN.UTF-8", "PYTHONUNBUFFERED": "1"}
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with report.running(report.gengfu(), "run", cwd=folder, env=env, **said) as run:
        report.heard(run, "开始值更")
        return time.perf_counter() - start


if __name__ == "__main__":
    report.show(measure())
