"""What a page costs a cheap phone on a slow network, and that it is whole without its scripts."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route

from .conftest import KINDS_OF_PAGE, MEASURED, PHONE, Site, Visit, visit

FIRST_FLIGHT = 14 * 1024  # what a server sends before the first answer from the phone: ten packets (RFC 6928)
STYLES = 10 * 1024
ARTICLES = ("article", "long article", "video", "expired", "service", "alert", "resolved alert")

# Parts of the browser's own player are no nodes of the page: it moves them as it likes, within its frame.
SHIFTS = """() => measured["layout-shift"].flatMap(shift => shift.sources).filter(moved => moved.node)
  .map(moved => `${moved.node.nodeName} ${moved.node.className || moved.node.data}: ${
    JSON.stringify(moved.previousRect)} ${JSON.stringify(moved.currentRect)}`)"""
# What a script asks for by itself, it asks for once the document is there: nobody waits for it.
ASKED_BEFORE_READABLE = """() => {
  const painted = measured.paint.find(paint => paint.name === "first-contentful-paint").startTime;
  return measured.resource.filter(r => r.startTime < painted && r.initiatorType !== "fetch" &&
    !r.name.startsWith("data:")).map(r => r.name);
}"""
DEAD_BUTTONS = """() => [...document.querySelectorAll("button, a[href='#'], [onclick]")]
  .filter(e => e.checkVisibility() && !(e.form && e.type === "submit")).map(e => e.outerHTML)"""
LINKS = """() => [...document.querySelectorAll("main a[href], footer a[href]")].filter(e => e.checkVisibility())
  .map(e => e.getAttribute("href"))"""


@pytest.fixture(scope="module", params=KINDS_OF_PAGE)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def page(chromium: Browser, site: Site, kind: str) -> Iterator[Visit]:
    """Painted, and two pictures more: a shift is told of with the picture it is in."""
    with visit(chromium, site.url + KINDS_OF_PAGE[kind], PHONE) as opened:
        yield settled(opened)


def settled(page: Visit) -> Visit:
    page.tab.wait_for_load_state("load")
    page.tab.evaluate("""() => new Promise(settled => {
      const look = () => measured.paint.length ? requestAnimationFrame(() => requestAnimationFrame(settled))
        : requestAnimationFrame(look);
      look();
    })""")
    return page


def test_nothing_moves_under_the_reader(page: Visit) -> None:
    assert page.tab.evaluate(SHIFTS) == []


def test_nothing_moves_in_elder_mode_either(chromium: Browser, site: Site, kind: str) -> None:
    address = KINDS_OF_PAGE[kind]
    asking = address + ("&" if "?" in address else "?") + "elder=1"
    with visit(chromium, site.url + asking, PHONE) as large:
        assert settled(large).tab.evaluate(SHIFTS) == []


@pytest.mark.parametrize("address", ["emergency/", "who/"])
def test_nothing_that_is_read_moves_while_the_rest_of_the_page_comes(
    chromium: Browser, site: Site, address: str
) -> None:
    """Over a slow line what stands beside or above it may come a second later."""
    begin, rest = (site.folder / address / "index.html").read_bytes().split(b"<main", 1)
    pieces: SimpleQueue[bytes] = SimpleQueue()

    class Slowly(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == f"/{address}" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            while self.path == f"/{address}" and (piece := pieces.get()):
                self.wfile.write(piece)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: pytest's output is for failures."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Slowly) as server:
        Thread(target=server.serve_forever).start()
        tab = chromium.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
        tab.add_init_script(MEASURED)
        pieces.put(begin)
        tab.goto(f"http://127.0.0.1:{server.server_port}/{address}", wait_until="commit")
        for piece in re.split(rb"(?=<(?:div|ul|li|script)\b)", b"<main" + rest):
            pieces.put(piece or b" ")
            tab.evaluate(
                "() => new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen)))"
            )
        pieces.put(b"")
        tab.wait_for_load_state("load")
        moved = tab.evaluate(SHIFTS)
        tab.close()
        server.shutdown()
    assert moved == []


def test_a_cover_of_any_shape_has_its_place_before_it_comes(chromium: Browser, site: Site) -> None:
    tab = chromium.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    held: list[Route] = []
    tab.route("**/upright.png", lambda route: held.append(route))
    with tab.expect_request("**/upright.png"):
        tab.goto(site.url + KINDS_OF_PAGE["expired"], wait_until="domcontentloaded")
    before = tab.locator(".prose").bounding_box()
    held[0].continue_()
    assert tab.locator(".cover").evaluate("cover => cover.decode().then(() => cover.naturalWidth)") == 300
    assert tab.locator(".prose").bounding_box() == before
    tab.close()


def test_at_most_one_thing_is_fetched_before_a_page_can_be_read(page: Visit) -> None:
    """Beside the page itself."""
    assert len(page.tab.evaluate(ASKED_BEFORE_READABLE)) <= 1


def test_the_first_view_of_an_article_comes_in_one_flight(page: Visit, site: Site, kind: str) -> None:
    cost = {
        asked: weight(site.folder, asked.removeprefix(site.url))
        for asked in page.requests
        if not asked.startswith("data:")
    }
    assert sum(cost.values()) <= FIRST_FLIGHT or kind not in ARTICLES, cost


def test_without_javascript_a_page_has_all_its_links_and_no_dead_button(
    chromium: Browser, site: Site, kind: str, page: Visit
) -> None:
    with visit(chromium, site.url + KINDS_OF_PAGE[kind], PHONE, java_script_enabled=False) as bare:
        assert bare.tab.evaluate(DEAD_BUTTONS) == []
        assert bare.tab.locator("main h1").is_visible()
        there = bare.tab.evaluate(LINKS)
        assert kind.startswith("search") or set(page.tab.evaluate(LINKS)) <= set(there)
        assert bare.complaints == []


def test_no_page_carries_more_style_than_it_may(site: Site) -> None:
    heavy = {}
    for address in site.pages:
        file = site.folder / address
        styles = _Styles((file / "index.html" if file.is_dir() else file).read_text("utf-8")).length
        if styles > STYLES:
            heavy[address] = styles
    assert heavy == {}


class _Styles(HTMLParser):
    """Bytes of style that stand in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.length = 0
        self.feed(text)

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.length += len(data.encode())


def weight(folder: Path, asked: str) -> int:
    """Bytes of the answer's body as a server sends it, that is, packed where packing helps."""
    path = folder / urlsplit(asked).path
    data = (path / "index.html" if path.is_dir() else path).read_bytes()
    return min(len(data), len(gzip.compress(data, 6)))
