"""One article edited in a large library: how long until it is public, beside Hugo's whole build of the same articles.

Alone: ``python -m bench.edit [ARTICLES …]``, which leaves out the preview and the station that signs. Each edit is built
twice: by ``gengfu build``, from the start of the program to its end, and by a process that goes on building, from the
moment it reads to the moment all is public. All that hangs on the article is made anew: lists, topic and area pages,
feeds, search, related links, sitemap, catalogue. ``tests/unit/test_again.py`` holds that nothing else differs from a
clean build. A save is timed from outside, as an officer's browser and a resident's would.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bench import build, corpus, report
from bench.report import Bar, Begun, Table
from gengfu_site.publish import publish
from gengfu_site.settings import read_settings

SIZE, SMALL = 10_000, 2_400
RUNS = 3
SAVES = 15
Edit = Callable[[int], object]
"""Does it, given how often it was done."""


def measure(*sizes: int) -> Iterator[Table]:
    for size in sizes or [SIZE]:
        yield edited(size)
    if not sizes:
        yield saved()
        yield signed()


def edited(size: int) -> Table:
    begun, made = Begun(f"python -m bench.edit {size}"), report.scratch()
    folder = library(made, size)
    theirs: dict[str, list[float]] = {}
    spent: dict[str, tuple[float, float]] = {}
    sites = list(build.hugo_sites(folder, made))
    ready(folder)
    # By turns: a machine is not equally fast from one minute to the next.
    for name, edit in edits(folder):
        for site in sites:
            theirs.setdefault(site.name, []).append(build.cold(site).seconds)
        os.sync()
        spent[name] = both(folder, edit)
    hugo = {name: statistics.median(seconds) for name, seconds in theirs.items()}
    ratios = [f"x {name.removesuffix(' output')}" for name in hugo]
    return Table(
        key=f"edit-{size}",
        title=f"One edit among {size:,} articles",
        columns=("", "gengfu build, s", *ratios, "goes on building, s", *ratios),
        rows=[
            [name, *beside(alone, *hugo.values()), *beside(going_on, *hugo.values())]
            for name, (alone, going_on) in spent.items()
        ],
        note=f"Medians of {RUNS}. Hugo, whole, once before each edit: "
        + ("; ".join(f"{name} {seconds:.2f} s" for name, seconds in hugo.items()) or "none here")
        + ".",
        conditions=begun.over(),
        bars=dearest(spent, hugo[build.EQUAL]) if size == SIZE and hugo else {},
    )


def beside(seconds: float, *others: float) -> list[str]:
    return [f"{seconds:.2f}", *(f"{seconds / other:.3f}" for other in others)]


def dearest(spent: dict[str, tuple[float, float]], hugo: float) -> dict[Bar, float]:
    alone, going_on = (max(ways) / hugo for ways in zip(*spent.values(), strict=True))
    return {Bar.EDIT: alone, Bar.EDIT_GOING_ON: going_on}


def saved() -> Table:
    """From the moment a file is saved."""
    begun = Begun("python -m bench edit")
    folder = library(report.scratch(), SMALL)
    ready(folder)
    told, there = zip(*preview(folder), strict=True)
    public = list(watched(folder))
    return Table(
        key="saves",
        title=f"A save among {SMALL:,} articles",
        columns=("", "least, s", "median, s", "most, s"),
        rows=[
            [what, *(f"{of(some):.2f}" for of in (min, statistics.median, max))]
            for what, some in (
                ("`gengfu serve`: the browser is told", told),
                ("`gengfu serve`: the browser has the new page", there),
                ("`gengfu build --watch`: it is public", public),
            )
        ],
        note=f"A paragraph more, {SAVES} times each.",
        conditions=begun.over(),
        bars={Bar.SERVE: max(there) * 1000},
    )


def signed() -> Table:
    """Where articles are signed before residents see them, beside the same station where nobody signs."""
    begun = Begun("python -m bench edit")
    plain, signing = library(report.scratch(), SMALL), library(report.scratch(), SMALL)
    sign = corpus.signed(signing)
    ready(plain)
    ready(signing)

    def with_signature(number: int) -> None:
        sign(paragraph(signing)(number))

    spent = {
        "nobody signs": both(plain, paragraph(plain)),
        "all is signed, the edit not yet": both(signing, paragraph(signing, begin=10)),
        "all is signed, the edit, too": both(signing, with_signature),
    }
    plainly = spent["nobody signs"]
    return Table(
        key="edit-signed",
        title=f"One edit among {SMALL:,} articles of a station that signs",
        columns=(
            "a paragraph more",
            "gengfu build, s",
            "x nobody signs",
            "goes on building, s",
            "x nobody signs",
        ),
        rows=[
            [name, *beside(alone, plainly[0]), *beside(going_on, plainly[1])]
            for name, (alone, going_on) in spent.items()
        ],
        note=f"Medians of {RUNS}; signing itself is not counted.",
        conditions=begun.over(),
    )


def library(made: Path, size: int) -> Path:
    folder = made / "gengfu"
    folder.mkdir()
    return corpus.archive(folder, size)


def ready(folder: Path) -> None:
    """Everything is public and known."""
    report.run("build", cwd=folder)
    time.sleep(3)  # what was written right before it was read is read once more
    report.run("build", cwd=folder)
    os.sync()


def both(folder: Path, edit: Edit) -> tuple[float, float]:
    """Median seconds of ``gengfu build``, and of a process that goes on building."""
    alone, going_on = [], []
    for run in range(RUNS):
        edit(2 * run)
        alone.append(report.run("build", cwd=folder))
        again(folder)  # so that this process knows what the other one made
        edit(2 * run + 1)
        going_on.append(again(folder))
    return statistics.median(alone), statistics.median(going_on)


def again(folder: Path) -> float:
    settings, problems = read_settings(folder / "mkdocs.yml")
    assert settings, problems
    start = time.perf_counter()
    publish(settings, datetime.now(UTC))
    return time.perf_counter() - start


def preview(folder: Path) -> Iterator[tuple[float, float]]:
    """Of each save, seconds until a browser that shows the page is told, and until it has it anew."""
    with _begun(folder, "serve", "--port", "0") as process:
        address = urlsplit(re.findall(r"http\S+?:\d+", report.heard(process, "http://"))[0])
        with closing(HTTPConnection(address.hostname or "", address.port)) as browser:

            def got(path: str) -> str:
                browser.request("GET", path)
                return browser.getresponse().read().decode()

            for number, file in enumerate(_chosen(folder)[:SAVES]):
                page = f"/{file.parent.name}/{file.stem}/"
                seen = re.findall(r'data-number="(\d+)"', got(page))[0]
                browser.request("GET", f"/.preview/changes?seen={seen}")
                time.sleep(0.5)  # it waits, and the rest of the last one is made
                paragraph(folder)(number)
                start = time.perf_counter()
                assert browser.getresponse().read().decode() != seen
                told = time.perf_counter() - start
                assert _mark(number) in got(page)
                yield told, time.perf_counter() - start


def watched(folder: Path) -> Iterator[float]:
    """Of each save, seconds until its page is public."""
    with _begun(folder, "build", "--watch") as process:
        report.heard(process, "已发布")
        for number in range(SAVES, 2 * SAVES):
            file, mark = paragraph(folder)(number), _mark(number)
            start, page = time.perf_counter(), folder / "public" / file.parent.name / file.stem / "index.html"
            while mark not in page.read_text("utf-8"):
                assert time.perf_counter() - start < 60, f"{page} stays as it was"
                time.sleep(0.005)
            yield time.perf_counter() - start
            time.sleep(1)  # the rest of the release


def _begun(folder: Path, *words: str) -> AbstractContextManager[subprocess.Popen[str]]:
    env = {**os.environ, "LANG": "zh_CN.UTF-8", "PYTHONUNBUFFERED": "1"}
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return report.running(report.gengfu(), *words, cwd=folder, env=env, **said)


def paragraph(folder: Path, begin: int = 0) -> Callable[[int], Path]:
    """The edit made most: the file that got a paragraph more."""

    def edit(number: int) -> Path:
        file = _chosen(folder)[begin + number]
        text = file.read_text("utf-8")
        file.write_text(text.replace("\n---\n", f"\n---\n{_mark(number)}。\n\n", 1), "utf-8")
        return file

    return edit


def _mark(number: int) -> str:
    return f"新的一段话，这是第 {number} 回说"


def _chosen(folder: Path) -> list[Path]:
    """Articles of all kinds, to be edited."""
    files = sorted((folder / "content").glob("*/*.md"))
    return files[7 :: len(files) // 40]


def edits(folder: Path) -> Iterator[tuple[str, Edit]]:
    files = _chosen(folder)

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
        report.run("build", cwd=folder)
        while datetime.now(moment.tzinfo) < moment:
            time.sleep(0.1)

    yield "a paragraph more", lambda n: change(n, r"\n---\n", "\n---\n新的一段话，说的是别的事情。\n\n")
    yield "another title", lambda n: change(n, r"(?m)^title: ...", "title: 改过")
    yield "renamed", rename
    yield "withdrawn", lambda n: change(n + 6, r"(?m)^kind:", "withdrawn: 有误\nkind:")
    yield "its date reached", lambda n: begin(n + 12)
    yield "deleted", lambda n: files[n + 18].unlink()


if __name__ == "__main__":
    report.show(measure(*map(int, sys.argv[1:])))
