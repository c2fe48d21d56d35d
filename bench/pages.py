"""What one article costs a cheap phone on slow 3G: by our theme, by others, and as a bare page of the same text.

Alone: ``python -m bench.pages``. Everybody publishes the whole starter library, with the search that comes with it,
and shows the same article; what others would fetch from elsewhere (fonts, code colouring) is switched off, which
flatters them. One server packs everything (gzip) and the network is Chromium's own emulation
(https://chromedevtools.github.io/devtools-protocol/tot/Network/): 400 kbit/s, 400 ms to and fro, processor at a
quarter. The runs go round by turns, so that whatever disturbs the machine disturbs all; a figure is their median.
"""

from __future__ import annotations

import gzip
import json
import mimetypes
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nh3
from playwright.sync_api import Browser, sync_playwright

from bench import report
from bench.report import Begun, Table
from gengfu_templates import starter

ARTICLE = "tip/gas-cylinder/"
BARE = "the same text, bare"
RUNS = 5
PHONE = {"width": 360, "height": 740}
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}

ELSEWHERE = Path(sys.prefix, "bench")
"""Environments of programs that are no dependency of ours, made once."""

OTHERS = {
    # Name: (package, None where it is a dependency of ours; command; theme as it stands in mkdocs.yml)
    "mkdocs theme": (None, "mkdocs", {"name": "mkdocs", "highlightjs": False}),
    "readthedocs theme": (None, "mkdocs", {"name": "readthedocs", "highlightjs": False}),
    "Material for MkDocs": (
        "mkdocs-material",
        "mkdocs",
        {"name": "material", "language": "zh", "font": False},
    ),
    "Zensical": ("zensical", "zensical", {"language": "zh", "font": False}),
}

WATCH = """painted = 0; moved = 0;
new PerformanceObserver(list => list.getEntries().forEach(paint => painted = paint.startTime))
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(shift => moved += shift.value))
  .observe({type: "layout-shift", buffered: true});"""
PAINTED = """() => new Promise(done => {
  const look = () => painted ? done(painted) : setTimeout(look, 50);
  look();
})"""
TEXT = {"h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "dl", "dt", "dd", "table", "tr", "th", "td", "strong"}


@dataclass(frozen=True, kw_only=True)
class View:
    """One look at a page, with nothing kept from earlier."""

    bytes: int
    """As they came over the wire, headers too."""
    requests: int
    painted: float
    """Largest contentful paint (https://www.w3.org/TR/largest-contentful-paint/), in ms."""
    moved: float
    """Sum of the layout shifts (https://wicg.github.io/layout-instability/)."""


def measure() -> Iterator[Table]:
    begun, folder = Begun("python -m bench.pages"), report.scratch()
    built = {"gengfu": ours(folder)}
    built |= {name: theirs(folder, name) for name in OTHERS}
    built[BARE] = bare(folder, built["gengfu"])
    views: dict[str, list[View]] = {name: [] for name in built}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            # Who asks elsewhere after all is refused at once.
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        for _run in range(RUNS):
            for name, site in built.items():
                with served(site) as home:
                    views[name].append(look(browser, home + ARTICLE))
        browser.close()
    yield Table(
        key="pages",
        title=f"{ARTICLE} on slow 3G",
        columns=("", "gzip KB", "requests", "largest paint, ms", "spread", "x bare", "layout shift"),
        rows=list(rows(views)),
        note=f"400 kbit/s, 400 ms, a quarter of the processor; medians of {RUNS} runs by turns.",
        conditions=begun.over(),
    )


def rows(views: dict[str, list[View]]) -> Iterator[list[str]]:
    paints = {name: statistics.median(view.painted for view in seen) for name, seen in views.items()}
    for name, seen in views.items():
        yield [
            name,
            f"{statistics.median(v.bytes for v in seen) / 1024:.1f}",
            f"{statistics.median(v.requests for v in seen):.0f}",
            f"{paints[name]:.0f}",
            f"{min(v.painted for v in seen):.0f}-{max(v.painted for v in seen):.0f}",
            f"{paints[name] / paints[BARE]:.2f}",
            f"{max(v.moved for v in seen):.3f}",
        ]


def ours(folder: Path) -> Path:
    station = folder / "gengfu"
    shutil.copytree(starter(), station)
    run(Path(sys.executable).with_name("gengfu"), "build", cwd=station)
    return station / "public"


def theirs(folder: Path, name: str) -> Path:
    """The same library by another theme; of our front matter it knows the title."""
    package, command, theme = OTHERS[name]
    place = folder / name
    shutil.copytree(starter() / "content", place / "docs")
    (place / "docs/index.md").write_text("# 青松路派出所便民指南\n", "utf-8")
    settings = {"site_name": "青松路派出所便民指南", "site_url": "http://127.0.0.1/", "theme": theme}
    (place / "mkdocs.yml").write_text(json.dumps(settings, ensure_ascii=False), "utf-8")
    run(program(package, command), "build", cwd=place)
    return place / "site"


def program(package: str | None, command: str) -> Path:
    """From our environment, or from one made for ``package`` alone."""
    if package is None:
        return Path(sys.executable).with_name(command)
    place = ELSEWHERE / package
    if not (place / "bin" / command).exists():
        venv.create(place, with_pip=True)
        run(place / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", package)
    return place / "bin" / command


def bare(folder: Path, site: Path) -> Path:
    """A page that holds only the text of our article's page."""
    html = (site / ARTICLE / "index.html").read_text("utf-8")
    body = re.search(r"<body.*</body>", html, re.DOTALL)
    assert body
    text = nh3.clean(
        body[0], tags=TEXT, attributes={}, clean_content_tags={"script", "style", "svg", "template"}
    )
    file = folder / "bare" / ARTICLE / "index.html"
    file.parent.mkdir(parents=True)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    file.write_text(f'<!doctype html>\n<html lang="zh-CN"><title>.</title>{head}\n{text}', "utf-8")
    return folder / "bare"


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Quietly, unless it fails."""
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of a server that packs what can be packed, as any web server does."""

    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = folder / self.path.split("?")[0].lstrip("/")
            path = path / "index.html" if path.is_dir() else path
            if not path.is_file():
                self.send_error(404)
                return
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            data, packed = path.read_bytes(), re.search(r"^text/|javascript|json|svg|xml", kind)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            if packed:
                data = gzip.compress(data, 6)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def look(browser: Browser, address: str) -> View:
    context = browser.new_context(viewport=PHONE, device_scale_factor=2)  # type: ignore[arg-type]
    context.add_init_script(WATCH)
    tab = context.new_page()
    devtools = context.new_cdp_session(tab)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_3G)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    came: list[int] = []
    devtools.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    tab.goto(address, wait_until="networkidle")
    view = View(
        bytes=int(sum(came)),
        requests=sum(1 for size in came if size),
        painted=tab.evaluate(PAINTED),
        moved=tab.evaluate("moved"),
    )
    context.close()
    return view


if __name__ == "__main__":
    report.show(measure())
