"""What a resident's search costs: 200 named queries (queries.txt), each as the first of a visit, on a slow phone.

Alone: ``python -m bench.search [ARTICLES]``. Every byte counts: the page, its index, its results, compressed as any
server does, with the headers. Three libraries: the starter station's own; ARTICLES of it over and over, as the other
measurements have them; and as many whose sentences are drawn anew from all of it, which neither compression nor an
index can take for copies.
"""

from __future__ import annotations

import gzip
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from bench import corpus, report
from bench.report import Begun, Table
from gengfu_site import search
from gengfu_site.library import Library, load
from gengfu_site.markdown import plain
from gengfu_site.pages import pages
from gengfu_site.render import environment, render
from gengfu_site.settings import read_settings
from gengfu_site.view import SearchPage
from gengfu_templates import starter

AT = datetime(2026, 11, 21, tzinfo=UTC)
ARTICLES = 10_000
QUERIES = Path(__file__).with_name("queries.txt").read_text("utf-8").splitlines()
SLOWER = 4
"""Times, than this machine."""

WATCH = """
const shown = new MutationObserver(() => {
  const status = document.getElementById("p--search-status");
  const told = status && ![document.getElementById("p--search-page").dataset.busy, ""].includes(status.textContent);
  if (told && !window.shownAt) window.shownAt = performance.now();
});
shown.observe(document, {subtree: true, childList: true, characterData: true});
"""
WORKED = """async () => {
  while (!window.shownAt) await new Promise(requestAnimationFrame);
  const fetched = performance.getEntriesByType("resource").filter((one) => one.name.includes("/search/"));
  const lists = fetched.filter((one) => /words|kinds/.test(one.name)), rest = fetched.filter((one) => !lists.includes(one));
  const end = (some) => Math.max(...some.map((one) => one.responseEnd));
  const ranking = rest.length ? Math.min(...rest.map((one) => one.startTime)) - end(lists) : 0;
  return Math.max(0, ranking) + window.shownAt - end(fetched);
}"""
"""Milliseconds between data and results: from the last list to the first article asked for, from the last to the list."""
TOGETHER = """async (queries) => {
  const said = document.getElementById("p--search-page").dataset;
  const index = window.openIndex(said.edition, +said.shards), found = [];
  for (const query of queries) found.push((await window.find(index, query, [], "", "")).together);
  return found;
}"""


@dataclass(frozen=True, kw_only=True)
class Cost:
    query: str
    size: int
    """Bytes."""
    requests: int
    work: float
    """Milliseconds between data and results."""


def measure(articles: int = ARTICLES) -> Iterator[Table]:
    begun = Begun("python -m bench.search" + (f" {articles}" if articles != ARTICLES else ""))
    rows, dear = [], []
    for name, library in libraries(articles):
        with served(library, report.scratch()) as (seconds, tab, url):
            costs = [cost(tab, url, query) for query in QUERIES]
            missed = unfound(library, tab, url)
        rows.append(
            [name, *row(library, costs), str(missed), f"{seconds / len(library.articles) * 1000:.2f}"]
        )
        most = max(costs, key=lambda c: c.size)
        dear.append(f"{most.query} ({most.requests} files)")
    yield Table(
        key=f"search-{articles}",
        title="A first search",
        columns=(
            "",
            "articles",
            "KB, median",
            "95 of 100",
            "most",
            "files",
            "ms, median",
            "95 of 100",
            "missed",
            "index, ms an article",
        ),
        rows=rows,
        note=f"{len(QUERIES)} queries, processor at a quarter. The dearest: {', '.join(dear)}.",
        conditions=begun.over(),
    )


def libraries(articles: int) -> Iterator[tuple[str, Library]]:
    yield "starter library", loaded(starter())
    copies = loaded(corpus.station(report.scratch(), articles))
    yield "copies of it", copies
    yield "its sentences, drawn anew", replace(copies, articles=tuple(anew(copies)))


def loaded(folder: Path) -> Library:
    settings, problems = read_settings(folder / "mkdocs.yml")
    assert settings, problems
    synonyms = read_settings(starter() / "mkdocs.yml")[0]
    return load(replace(settings, synonyms=synonyms.synonyms if synonyms else ()), AT)[0]


def anew(library: Library) -> Iterator[Any]:
    """The articles with other words, some 1,200 characters each, published over three years."""
    chance = random.Random(1)
    originals = {a.title: a for a in library.articles}.values()
    titles = [part for a in originals for part in re.split("[：，、？]", a.title) if part]
    summaries = [part for a in originals for part in re.split("(?<=[。；])", a.summary) if part]
    bodies = [part for a in originals for part in re.split("(?<=[。！？])", plain(a.html)) if part]
    for article in library.articles:
        text = ""
        while len(text) < 1_200:
            text += chance.choice(bodies)
        yield replace(
            article,
            title="：".join(chance.choices(titles, k=2)),
            summary="".join(chance.choices(summaries, k=2)),
            html=f"<p>{text}</p>",
            service=None,
            published=AT - timedelta(minutes=chance.randrange(1_500_000)),
        )


@contextmanager
def served(library: Library, folder: Path) -> Iterator[tuple[float, Page, str]]:
    """The search page and its files, by a server that compresses, in a slow browser; and the seconds they took."""
    start = time.perf_counter()
    for path, data in search.files(library, AT):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    seconds = time.perf_counter() - start
    page = next(page for page in pages(library, AT) if isinstance(page, SearchPage))
    (folder / page.path).write_text(render(environment(library.settings), page), "utf-8")
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), partial(_Compressing, directory=str(folder))) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 360, "height": 740}, service_workers="block")
        tab.add_init_script(WATCH)
        yield seconds, tab, f"http://127.0.0.1:{server.server_port}/search/"
        browser.close()
        server.shutdown()


class _Compressing(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        file = file / "index.html" if file.is_dir() else file
        if not file.is_file():
            return self.send_error(404)
        data = gzip.compress(file.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        return None

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def cost(tab: Page, url: str, query: str) -> Cost:
    wire = tab.context.new_cdp_session(tab)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda done: sizes.append(int(done["encodedDataLength"])))
    tab.goto(f"{url}?q={quote(query)}")
    work = tab.evaluate(WORKED)
    wire.detach()
    return Cost(query=query, size=sum(sizes), requests=len(sizes), work=work)


def unfound(library: Library, tab: Page, url: str) -> int:
    """How many articles hold a query and are not found by it: every text is read through, but of one about a missing
    person, which is not to be found by what it tells of them."""
    tab.goto(url)
    numbered = sorted(library.published(AT), key=lambda article: (article.published, article.id))
    live = {article.id for article in library.listed(AT)}
    texts = [
        search.fold(f"{a.title}\n{a.summary}\n{'' if a.missing_person else plain(a.html)}")
        if a.id in live
        else ""
        for a in numbered
    ]
    words = [query for query in QUERIES if " " not in query]
    found = tab.evaluate(TOGETHER, words)
    return sum(
        len({n for n, text in enumerate(texts) if search.fold(word) in text} - set(numbers))
        for word, numbers in zip(words, found, strict=True)
    )


def row(library: Library, costs: list[Cost]) -> list[str]:
    sizes, works = sorted(c.size / 1024 for c in costs), sorted(c.work for c in costs)
    files = sorted(c.requests for c in costs)
    at = lambda values, part: values[int(len(values) * part)]  # noqa: E731
    kilobytes = [f"{size:.1f}" for size in (at(sizes, 0.5), at(sizes, 0.95), sizes[-1])]
    spent = [f"{work:.0f}" for work in (at(works, 0.5), at(works, 0.95))]
    return [str(len(library.articles)), *kilobytes, str(at(files, 0.95)), *spent]


if __name__ == "__main__":
    report.show(measure(*map(int, sys.argv[1:])))
