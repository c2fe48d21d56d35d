"""What was measured: printed, and kept in docs/performance.md until it is measured again.

There the lines between ``<!-- KEY -->`` and ``<!-- end of KEY -->`` are written from here, those of one table or of all
bars; everything else is written by hand and stays. A table that has no such place (of another size, say) is only printed.
Linux only: what others took of the processors meanwhile is read from /proc/stat
(https://docs.kernel.org/filesystems/proc.html).
"""

from __future__ import annotations

import atexit
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path

KEPT = Path(__file__).parents[1] / "docs/performance.md"
LOUD = 0.5
"""Processors that others use; from there on a measurement comes with a warning."""


class Bar(Enum):
    """What is wanted: of which goal, of what, at most (or, where it begins with ≥, at least) how much."""

    COLD = 1, "cold build of 10,000 articles, without search, beside Hugo's of equal output", "≤ 0.8 ×"
    COLD_MEMORY = 1, "memory of a cold build of 10,000, beside Hugo's", "≤ 1 ×"
    COLD_SMALL = 1, "cold build of 2,400, without search, beside Hugo's of equal output", "≤ 1.5 ×"
    EDIT = 2, "the dearest of six edits at 10,000, by `gengfu build`, beside Hugo's full build", "≤ 0.1 ×"
    EDIT_GOING_ON = 2, "the same in a process that goes on building", "≤ 0.1 ×"
    SERVE = 2, "`gengfu serve` at 2,400: from a save until the browser has the new page", "≤ 300 ms"
    SAME = 3, "what edits leave, beside a clean build and `mkdocs build`", "same bytes"
    PROVINCE = 4, "cold build of 100,000 articles, beside 10,000", "≤ 12 ×"
    PROVINCE_MEMORY = 4, "memory of a cold build of 100,000", "≤ 2000 MB"
    PROVINCE_EDIT = 4, "one edit at 100,000, by `gengfu build`", "≤ 5 s"
    SAFE = 5, "readers during 50 rebuilds, kill -9, a full disk", "no bad page"
    ALERT = 6, "alert to 20,000 groups on one host, beside a bare loop", "≤ 1.35 ×"
    ALERT_HOSTS = 6, "alert to 20,000 groups on 200 hosts, beside a bare loop", "≤ 1.35 ×"
    DIGEST = 6, "digest to 20,000 groups on one host, beside a bare loop", "≤ 1.35 ×"
    DIGEST_HOSTS = 6, "digest to 20,000 groups on 200 hosts, beside a bare loop", "≤ 1.35 ×"
    APPRISE = 6, "groups a second beside Apprise's", "≥ 60 ×"
    SEND_MEMORY = 6, "memory while it sends", "≤ 200 MB"
    FIRST = 6, "first post of an alert after a running scheduler can see it", "≤ 0.5 s"
    FIRST_ALONE = 6, "first post of an alert after the command, none running", "≤ 3 s"
    COMPOSE = 7, "morning digest for 20,000 groups, a year of history", "≤ 3 s"
    PLAN = 7, "`gengfu plan --days 7`", "≤ 5 s"
    READY = 7, "`gengfu run` until it keeps watch", "≤ 3 s"
    ON_DISK = 7, "outbox and history, a delivery", "≤ 1024 bytes"
    LATE = 8, "50 slots at one minute: first post of the latest", "≤ 1 s"

    def __init__(self, number: int, what: str, wanted: str) -> None:
        self.number = number
        self.what = what
        self.wanted = wanted

    def judged(self, measured: float) -> tuple[str, str]:
        """The figure with its unit, and whether that is what is wanted."""
        sign, limit, unit = self.wanted.split()
        met = measured <= float(limit) if sign == "≤" else measured >= float(limit)
        return (
            f"{measured:.3g} {unit}" if measured < 1000 else f"{measured:.0f} {unit}",
            "met" if met else "**missed**",
        )


HELD = {
    Bar.SAME: "tests/unit/test_again.py, tests/acceptance/test_build.py",
    Bar.SAFE: "tests/unit/test_interrupted.py",
}
"""Bars that are no figures, and the tests that hold them."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Under which something was measured."""

    command: str
    """That measures it again."""
    at: datetime
    load: float
    """Average of the minute before it began."""
    before: float
    """Processors that others used in the second before it began."""
    meanwhile: float
    """And, on average, while it was measured."""

    def __str__(self) -> str:
        machine = f"{os.cpu_count()} × {_processor()}, Linux {platform.release()}, Python {platform.python_version()}"
        return f"`{self.command}`, {self.at:%Y-%m-%d %H:%M} UTC, {machine}; {self.loads}."

    @property
    def loads(self) -> str:
        loud = "⚠ " if max(self.before, self.meanwhile) > LOUD else ""
        return f"{loud}load {self.load:.1f} before; others used {self.before:.2f} processors before, {self.meanwhile:.2f} meanwhile"


class Begun:
    """A measurement that has begun; warns where others are at work."""

    def __init__(self, command: str) -> None:
        self._command, self._at, self._load = command, datetime.now(UTC), os.getloadavg()[0]
        glance = Others()
        time.sleep(1)
        self._before = glance.used()
        if self._before > LOUD:
            print(
                f"\n⚠ others use {self._before:.1f} processors: what comes is slower than it is", flush=True
            )
        self._others = Others()

    def over(self) -> Conditions:
        """Once every process that it began has ended."""
        return Conditions(
            command=self._command,
            at=self._at,
            load=self._load,
            before=self._before,
            meanwhile=self._others.used(),
        )


class Others:
    """What is used of the processors by others than this process and its children, as far as they have ended."""

    def __init__(self) -> None:
        self._begun = time.monotonic(), _spent()

    def used(self) -> float:
        """Processors, on average since this was made."""
        since, spent = self._begun
        return max(0.0, (_spent() - spent) / (time.monotonic() - since))


@dataclass(frozen=True, kw_only=True)
class Table:
    """What one measurement found."""

    key: str
    """Of its place in the file."""
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str
    """How it was measured, in a sentence or two."""
    conditions: Conditions
    bars: Mapping[Bar, float] = field(default_factory=dict)
    """In the unit of each."""

    def __str__(self) -> str:
        return f"### {self.title}\n\n{grid(self.columns, self.rows)}\n\n{self.note} {self.conditions}"


def show(tables: Iterable[Table], file: Path = KEPT) -> None:
    """Print each table as soon as it is there, and keep it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was begun is ended
    for table in tables:
        print(f"\n{table}", flush=True)
        if not keep(table, file):
            print(f"(not kept: {file.name} has no place for {table.key})")
            continue
        for bar, measured in table.bars.items():
            print(f"{bar.number}. {bar.what}: {' '.join(bar.judged(measured))} (wanted: {bar.wanted})")


def keep(table: Table, file: Path) -> bool:
    """Put ``table`` and its bars in their places, everything else untouched; false where there is no place for it."""
    text = file.read_text("utf-8")
    if not _place(table.key).search(text):
        return False
    bars = grid(("", "bar", "wanted", "measured", "", "under which load"), list(_judged(text, table)))
    for key, lines in ((table.key, str(table)), ("bars", bars)):
        whole = f"<!-- {key} -->\n{lines}\n<!-- end of {key} -->"
        text = _place(key).sub(lambda _old, whole=whole: whole, text)  # type: ignore[misc]
    file.write_text(text, "utf-8")
    return True


def _judged(text: str, table: Table) -> Iterator[Sequence[str]]:
    """A row for every bar: those of ``table`` anew, the others as they stand in ``text``."""
    stand = _place("bars").search(text)
    assert stand
    before = {cells[1]: cells for cells in map(_cells, stand[0].splitlines()) if len(cells) == 6}
    for bar in Bar:
        head = (str(bar.number), bar.what, bar.wanted)
        if bar in table.bars:
            yield *head, *bar.judged(table.bars[bar]), table.conditions.loads
        elif bar in HELD:
            yield *head, "", "held by tests", HELD[bar]
        else:
            yield *head, *before.get(bar.what, ("", "", "", "not measured", "", ""))[3:]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")[1:-1]]


def _place(key: str) -> re.Pattern[str]:
    return re.compile(rf"(?s)<!-- {key} -->\n.*?<!-- end of {key} -->")


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown (https://github.github.com/gfm/#tables-extension-) that is one in a terminal, too."""
    widths = [max(3, *map(_width, column)) for column in zip(columns, *rows, strict=True)]
    right = [
        all(re.match(r"[-–−\d.,]+( |$)", row[n]) or not row[n] for row in rows) for n in range(len(columns))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = (
            " " * (width - _width(cell)) + cell if at_right else cell + " " * (width - _width(cell))
            for cell, width, at_right in zip(cells, widths, right, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = "|".join(
        "-" * (width + 1) + (":" if at_right else "-") for width, at_right in zip(widths, right, strict=True)
    )
    return "\n".join([line(columns), f"|{rule}|", *map(line, rows)])


def _width(text: str) -> int:
    """Columns of a terminal (https://www.unicode.org/reports/tr11/)."""
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


# What measurements need


def scratch() -> Path:
    """A new folder, which lies there until the program ends.

    A file system that has just deleted many files is slow to make new ones (ext4 passes over their inodes for minutes),
    so nothing is deleted while anything is measured, and what is in the way of a run is moved here.
    """
    return Path(tempfile.mkdtemp(dir=_workplace()))


@cache
def _workplace() -> str:
    folder = tempfile.TemporaryDirectory(prefix="gengfu-bench-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return folder.name


@contextmanager
def running(
    *command: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, and its children with it."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            finally:
                with suppress(ProcessLookupError):  # none is left
                    os.killpg(process.pid, signal.SIGKILL)


def heard(process: subprocess.Popen[str], words: str) -> str:
    """The line in which it says ``words``, once it does.

    :raises SystemExit: it ended without; with what it said instead.
    """
    assert process.stdout
    said = []
    for line in process.stdout:
        if words in line:
            return line
        said.append(line)
    raise SystemExit("".join(said))


def gengfu() -> Path:
    """The program itself, of this environment."""
    return Path(sys.executable).with_name("gengfu")


def run(*words: str, cwd: Path) -> float:
    """Seconds that ``gengfu WORDS`` takes from start to end.

    :raises SystemExit: it failed.
    """
    start = time.perf_counter()
    with running(gengfu(), *words, cwd=cwd, stderr=subprocess.PIPE) as process:
        _said, trouble = process.communicate()
        seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"gengfu {' '.join(words)} failed:\n{trouble}")
    return seconds


def _spent() -> float:
    """Seconds that the processors were busy, but for this process and its children that have ended."""
    ticks = [int(number) for number in Path("/proc/stat").read_text("utf-8").split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]  # and waiting for a disk
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


@cache
def _processor() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text("utf-8"))
    return found[1] if found else platform.machine()
