"""One article edited in a large library: how long until it is public, beside Hugo's whole build of the same articles.

Alone: ``python -m bench.edit [ARTICLES …]``. Each edit is built twice: by ``gengfu build``, from the start of the program
to its end, and by a process that goes on building, as ``gengfu build --watch`` and the preview do, from the moment it
reads to the moment all is public. All that hangs on the article is made anew: lists, topic and area pages, feeds, search, related links,
sitemap, catalogue. ``tests/unit/test_again.py`` holds that nothing else differs from a clean build.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench import build, corpus
from gengfu_site.publish import publish
from gengfu_site.settings import read_settings

SIZES = (2_400, 10_000)
RUNS = 3


def measure(*sizes: int) -> None:
    """Print the table."""
    hugo = build.found()
    print("\none edit, medians of", RUNS, "" if hugo else "; no Hugo here")
    print(
        f"{'':22} {'articles':>8} {'gengfu build, s':>16} {'x Hugo':>7} {'goes on building, s':>20} {'x Hugo':>7}"
    )
    for size in sizes or SIZES:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made, "gengfu")
            folder.mkdir()
            corpus.archive(folder, size)
            whole = whole_build(folder, Path(made, "hugo"), hugo) if hugo else float("nan")
            start = time.perf_counter()
            command(folder)
            print(
                f"{'cold':22} {size:8} {time.perf_counter() - start:16.2f}   Hugo, whole: {whole:.2f}",
                flush=True,
            )
            time.sleep(3)  # what was written right before it was read is read once more
            command(folder)
            for name, edit in edits(folder):
                alone, going_on = both(folder, edit)
                print(
                    f"{name:22} {size:8} {alone:16.2f} {alone / whole:7.2f} {going_on:20.2f} {going_on / whole:7.2f}",
                    flush=True,
                )


def whole_build(folder: Path, site: Path, hugo: Path) -> float:
    build.hugo_site(folder, site)
    return statistics.median(
        build.timed(
            site, [hugo, "--quiet", "--noBuildLock", "--buildExpired", "--cleanDestinationDir"]
        ).seconds
        for _run in range(RUNS)
    )


def both(folder: Path, edit: Callable[[int], None]) -> tuple[float, float]:
    alone, going_on = [], []
    for run in range(RUNS):
        edit(2 * run)
        start = time.perf_counter()
        command(folder)
        alone.append(time.perf_counter() - start)
        again(folder)  # so that this process knows what the other one made
        edit(2 * run + 1)
        going_on.append(again(folder))
    return statistics.median(alone), statistics.median(going_on)


def command(folder: Path) -> None:
    program = Path(sys.executable).with_name("gengfu")
    subprocess.run([program, "build"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def again(folder: Path) -> float:
    settings, problems = read_settings(folder / "mkdocs.yml")
    assert settings, problems
    start = time.perf_counter()
    publish(settings, datetime.now(UTC))
    return time.perf_counter() - start


def edits(folder: Path) -> Iterator[tuple[str, Callable[[int], None]]]:
    """Each given the number of times it was done."""
    files = sorted((folder / "content").glob("*/*.md"))[7::97]

    def change(number: int, what: str, to: str) -> None:
        text = files[number].read_text("utf-8")
        files[number].write_text(re.sub(what, to, text, count=1), "utf-8")

    def rename(number: int) -> None:
        files[number] = files[number].rename(files[number].with_name(f"new-{number}.md"))

    def begin(number: int) -> None:
        """One that was written before reaches its date."""
        moment = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(seconds=1)
        change(number, r"(?m)^(updated|changed|reviewed|next_review): .*\n", "")
        change(number, r"(?m)^(updated|changed|reviewed|next_review): .*\n", "")
        change(number, r"(?m)^published: .*", f"published: {moment:%Y-%m-%d %H:%M:%S}")
        command(folder)
        while datetime.now(moment.tzinfo) < moment:
            time.sleep(0.1)

    yield "a paragraph more", lambda n: change(n, r"\n---\n", "\n---\n新的一段话，说的是别的事情。\n\n")
    yield "another title", lambda n: change(n, r"(?m)^title: ...", "title: 改过")
    yield "renamed", rename
    yield "withdrawn", lambda n: change(n + 6, r"(?m)^kind:", "withdrawn: 有误\nkind:")
    yield "its date reached", lambda n: begin(n + 12)
    yield "deleted", lambda n: files[n + 18].unlink()


if __name__ == "__main__":
    measure(*map(int, sys.argv[1:]))
