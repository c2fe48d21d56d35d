"""A province's library: 100,000 articles beside 10,000, in one run. ``python -m bench.province [hugo]``; a quarter of an hour,
and 12 GB of disk (``TMPDIR`` says where). ``hugo``: its cold build of the 100,000, too.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from bench import build, corpus, edit, report
from bench.build import Run, Site
from bench.report import Bar, Begun, Table

SIZE, SMALL = 100_000, 10_000
RUNS = 3


def measure(*also: str) -> Iterator[Table]:
    begun, made = Begun(" ".join(["python -m bench.province", *also])), report.scratch()
    small, large = made / "small", made / "large"
    for folder, size in ((small, SMALL), (large, SIZE)):
        folder.mkdir()
        corpus.archive(folder, size)
    one, ten = (Site(name="", folder=folder, command=[report.gengfu(), "build"]) for folder in (small, large))
    # On both sides of the long one: a machine is not equally fast from one minute to the next.
    few = [build.cold(one) for _run in range(RUNS)]
    many = build.cold(ten)
    few += [build.cold(one) for _run in range(RUNS)]
    hugos = [site for site in build.hugo_sites(large, made) if site.name == build.EQUAL] if also else []
    theirs = {f"{site.name}, {SIZE:,} articles": [build.cold(site)] for site in hugos}
    edit.ready(large)
    alone, going_on = edit.both(large, edit.paragraph(large))
    beside = statistics.median(run.seconds for run in few)
    cold = {f"gengfu, {SMALL:,} articles": few, f"gengfu, {SIZE:,} articles": [many], **theirs}
    yield Table(
        key="province",
        title=f"{SIZE:,} articles",
        columns=("", "seconds", f"x {SMALL:,}", "processor, s", "MB", "files", "MB written"),
        rows=[
            *([f"{name}, cold", *row(runs, beside)] for name, runs in cold.items()),
            ["one edit, `gengfu build`", f"{alone:.2f}", *[""] * 5],
            ["one edit, a process that goes on building", f"{going_on:.2f}", *[""] * 5],
        ],
        note=f"One cold build of {SIZE:,}, and {RUNS} of {SMALL:,} before it and after it; medians of these, and of {RUNS} edits.",
        conditions=begun.over(),
        bars={
            Bar.PROVINCE: many.seconds / beside,
            Bar.PROVINCE_MEMORY: many.memory / 1e6,
            Bar.PROVINCE_EDIT: alone,
        },
    )


def row(runs: list[Run], beside: float) -> list[str]:
    seconds = statistics.median(run.seconds for run in runs)
    return [
        f"{seconds:.1f}",
        f"{seconds / beside:.1f}",
        f"{statistics.median(run.cpu for run in runs):.0f}",
        f"{max(run.memory for run in runs) / 1e6:.0f}",
        f"{runs[0].files:,}",
        f"{runs[0].size / 1e6:.0f}",
    ]


if __name__ == "__main__":
    report.show(measure(*sys.argv[1:]))
