"""A small site inside a portal, below a path of it, on a server that can fall silent.

Verbs: ``town.publish()``, ``town.tell(...)``, ``town.down()``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gengfu_site.publish import publish
from stations import AT, MKDOCS_YML, StationFolder, empty_station

BELOW = "police/guide/"
HEADER = """\
<style>.portal{height:40px;background:rgb(1,2,3)}</style>
<div class="portal"><a href="https://portal.example/">门户</a></div>
<script>document.querySelector(".portal").dataset.ran = "yes";</script>
"""
ALERT = "{form: 走失, place: 桃园社区, tell: '110'}"


@dataclass(kw_only=True)
class Town:
    """The site, and whether the phones in it have a network."""

    station: StationFolder
    url: str = ""
    told: bytes = b""
    """``alerts.json`` as it was published."""
    silent: threading.Event = field(default_factory=threading.Event)
    """While set, a connection is closed without an answer."""
    failing: threading.Event = field(default_factory=threading.Event)
    """While set, the server has an error."""
    hanging: threading.Event = field(default_factory=threading.Event)
    """While set, an answer takes as long as it is set."""

    @property
    def folder(self) -> Path:
        return self.station.settings.public

    def publish(self) -> None:
        publish(self.station.settings, AT)
        self.told = (self.folder / "alerts.json").read_bytes()

    def forget(self) -> None:
        """Undo :meth:`tell`."""
        (self.folder / "alerts.json").write_bytes(self.told)

    def tell(self, change: Any) -> None:
        """Let ``alerts.json`` alone say something else: ``change`` is given its list of alerts."""
        told = json.loads(self.told)
        change(told["alerts"])
        (self.folder / "alerts.json").write_text(json.dumps(told), encoding="utf-8")

    @contextmanager
    def down(self) -> Iterator[None]:
        """No network."""
        self.silent.set()
        try:
            yield
        finally:
            self.silent.clear()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """A server that answers everything with an error."""
        self.failing.set()
        try:
            yield
        finally:
            self.failing.clear()

    @contextmanager
    def crawling(self) -> Iterator[None]:
        """A network that answers nobody in time."""
        self.hanging.set()
        try:
            yield
        finally:
            self.hanging.clear()


@contextmanager
def town_in(folder: Path) -> Iterator[Town]:
    """A tip, two things that are going on, and some frauds, below ``/police/guide/``."""
    station = empty_station(folder)
    text = MKDOCS_YML.replace("https://qingsong.example/", f"https://portal.example/{BELOW}")
    text = text.replace("site_dir: public", f"site_dir: root/{BELOW}")
    station.file("mkdocs.yml", text + "      portal: {header: header.html, footer: footer.html}\n")
    station.file("header.html", HEADER)
    station.file("footer.html", '<div class="portal">门户的页脚</div>\n')
    station.article(body="正文\n\n" * 60)
    station.article("tip/gas.md", id="G0000", kind="tip", title="燃气安全")
    for name, id_, title in (("elder", "A5W3R", "寻找走失老人"), ("road", "A6W3R", "隧道封闭")):
        station.article(
            f"alert/{name}.md",
            id=id_,
            kind="alert",
            title=title,
            expires="2026-11-25 12:00",
            areas="[青松路]",
            topics="[防火用电]",
            alert=ALERT,
        )
    town = Town(station=station)
    town.publish()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Network, town)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        town.url = f"http://127.0.0.1:{server.server_port}/{BELOW}"
        yield town
        server.shutdown()


class _Network(SimpleHTTPRequestHandler):
    def __init__(self, town: Town, *args: Any) -> None:
        self._town = town
        super().__init__(*args, directory=str(town.station.folder / "root"))

    def do_GET(self) -> None:
        if self._town.silent.is_set():
            self.close_connection = True
            return
        while self._town.hanging.is_set() and not self._town.silent.wait(0.02):
            pass
        if self._town.failing.is_set():
            self.send_error(503)
            return
        # It counts in seconds: what is told within the second after an answer would never be heard.
        del self.headers["If-Modified-Since"]
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: pytest's output is for failures."""
