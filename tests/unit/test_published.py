"""The scheduler reads what is published, only when it changed, and survives its breaking."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from gengfu_scheduler.published import CatalogueUnavailable, Published
from gengfu_site.catalogue import Catalogue, dumps
from watch import STATION, tip


def text(*ids: str) -> str:
    return dumps(Catalogue(station=STATION, entries=tuple(tip(id) for id in ids)))


def ids(catalogue: Catalogue) -> str:
    return "".join(entry.id for entry in catalogue.entries)


class Site:
    """A web server with one catalogue; ``requests`` holds the validators it was asked with."""

    def __init__(self) -> None:
        self.body, self.tag, self.status = text("a").encode(), '"1"', 200
        self.requests: list[str | None] = []
        self.drips: Event | None = None
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append(self.headers["If-None-Match"])
                known = site.tag and self.headers["If-None-Match"] == site.tag
                body = b"" if known else site.body
                self.send_response(304 if known else site.status)
                if site.tag:
                    self.send_header("ETag", site.tag)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                while site.drips and not site.drips.wait(0.01):
                    self.wfile.write(b" ")
                if not site.drips:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/catalogue.json"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = Thread(target=site.server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


class TestFile:
    def test_it_is_read_again_only_when_it_changed(self, tmp_path: Path) -> None:
        file = tmp_path / "catalogue.json"
        file.write_text(text("a"), encoding="utf-8")
        published = Published("catalogue.json", tmp_path)
        first = published.read()
        assert published.read() is first
        file.write_text(text("a", "b"), encoding="utf-8")
        assert ids(published.read()) == "ab"

    @pytest.mark.parametrize("broken", ["{", "[]", '{"_gengfu": {"version": 99}}', None])
    def test_what_broke_leaves_the_last_good_one_and_says_so_until_mended(
        self, tmp_path: Path, broken: str | None
    ) -> None:
        file = tmp_path / "catalogue.json"
        file.write_text(text("a"), encoding="utf-8")
        published = Published("catalogue.json", tmp_path)
        good = published.read()
        file.unlink()
        if broken is not None:
            file.write_text(broken, encoding="utf-8")
        assert published.read() is good
        assert "catalogue.json" in (published.trouble or "")
        file.write_text(text("b"), encoding="utf-8")
        assert ids(published.read()) == "b"
        assert published.trouble is None

    def test_without_any_there_is_an_error_that_names_the_command(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueUnavailable, match="gengfu build"):
            Published("public/catalogue.json", tmp_path).read()


class TestUrl:
    def test_an_unchanged_one_is_asked_for_by_its_tag_and_not_parsed_again(
        self, site: Site, tmp_path: Path
    ) -> None:
        published = Published(site.url, tmp_path)
        first = published.read()
        assert published.read() is first
        site.body, site.tag = text("b").encode(), '"2"'
        assert ids(published.read()) == "b"
        assert site.requests == [None, '"1"', '"1"']

    def test_a_server_without_tags_works_too(self, site: Site, tmp_path: Path) -> None:
        site.tag = ""
        published = Published(site.url, tmp_path)
        assert published.read() == published.read()

    @pytest.mark.parametrize(("status", "body"), [(500, b""), (200, b"<html>"), (200, b"\xff")])
    def test_what_broke_leaves_the_last_good_one_and_says_so_until_mended(
        self, site: Site, tmp_path: Path, status: int, body: bytes
    ) -> None:
        published = Published(site.url, tmp_path)
        good, right = published.read(), (site.status, site.body)
        site.tag, site.status, site.body = "", status, body
        assert published.read() is good
        assert site.url in (published.trouble or "")
        site.status, site.body = right
        assert ids(published.read()) == "a"
        assert published.trouble is None

    def test_a_server_that_drips_is_left_and_said(
        self, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published = Published(site.url, tmp_path)
        good = published.read()
        monkeypatch.setattr("gengfu_scheduler.published.PATIENCE", 0.05)
        site.tag, site.drips = "", Event()
        try:
            assert published.read() is good
        finally:
            site.drips.set()
        assert "没有读完" in (published.trouble or "")

    def test_what_a_server_last_answered_stands_where_it_is_not_to_be_asked(
        self, site: Site, tmp_path: Path
    ) -> None:
        published = Published(site.url, tmp_path)
        assert published.read(ask=False) is published.read(ask=False)
        assert len(site.requests) == 1

    def test_a_server_that_is_gone_is_said(self, site: Site, tmp_path: Path) -> None:
        with pytest.raises(CatalogueUnavailable, match=r"127\.0\.0\.1"):
            Published(site.url.replace(str(site.server.server_port), "1"), tmp_path).read()
