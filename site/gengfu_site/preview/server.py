"""A small HTTP server (https://www.rfc-editor.org/rfc/rfc9110) for one officer's browser.

What it shows is not public yet, and may be a missing person's data: nobody may keep it, and no other site may read it.
A name that leads here and is not ours is some other site's (DNS rebinding), so ``Host`` must be this machine's name
or a bare address.
"""

from __future__ import annotations

import ipaddress
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from urllib.parse import parse_qs, unquote, urlsplit

from gengfu_site.problems import GengfuError, reason
from gengfu_templates.i18n import _

CHANGES = "/.preview/changes"
"""``?seen=N``: answers with the number of what is shown, as soon as it is another than N."""
_PATIENCE = 25.0
"""Seconds after which it answers all the same."""

# https://owasp.org/www-project-secure-headers/
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered to a GET."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class CannotListen(GengfuError):
    """The port is taken, or the host is not this machine's."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(
            _("不能在 {host}:{port} 上打开预览（{why}）。换一个端口：gengfu serve --port 8001").format(
                host=host, port=port, why=reason(error)
            )
        )


class Server(ThreadingHTTPServer):
    """Answers from :meth:`start` until it is closed; tells open pages when there is something new to be seen."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, answer: Callable[[str, int], Answer], first: int) -> None:
        """
        :param port: 0 takes a free one.
        :param answer: given a path, decoded, and the number of what is shown; called from several threads.
        :param first: number of the first state; later than those of any server before it.
        :raises CannotListen: it cannot.
        """
        self.answer = answer
        self.host = host
        self.listening = False
        self._shown = first
        self._news = Condition()
        self.address_family = _family(host)
        try:
            super().__init__((host, port), _Connection)
        except OSError as error:
            raise CannotListen(host, port, error) from error

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        host = "127.0.0.1" if self.host in ("", "0.0.0.0") else self.host  # noqa: S104 - told, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"

    @property
    def shown(self) -> int:
        """Number of what is shown."""
        return self._shown

    def start(self) -> None:
        self.listening = True
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, name="preview", daemon=True).start()

    def server_close(self) -> None:
        if self.listening:
            self.shutdown()
        super().server_close()

    def changed(self) -> None:
        """There is something new to be seen."""
        with self._news:
            self._shown += 1
            self._news.notify_all()

    def news(self, seen: int) -> int:
        """The number of what is shown, once it is another than ``seen``, or after a while."""
        with self._news:
            self._news.wait_for(lambda: self._shown != seen, _PATIENCE)
            return self._shown

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is no error of ours."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._write(self._answered())

    def do_HEAD(self) -> None:
        self._write(self._answered())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the terminal is for what is to be mended."""

    def version_string(self) -> str:
        return "preview"

    def _answered(self) -> Answer:
        if not self._is_meant():
            return Answer(status=421, body=HTTPStatus(421).phrase.encode(), content_type="text/plain")
        try:
            target = urlsplit(self.path)
        except ValueError:
            return Answer(status=400)
        if target.path == CHANGES:
            seen = parse_qs(target.query).get("seen", [""])[0]
            number = self.server.news(int(seen)) if seen.isascii() and seen.isdecimal() else self.server.shown
            return Answer(body=str(number).encode(), content_type="text/plain")
        try:
            return self.server.answer(unquote(target.path), self.server.shown)
        except Exception as error:  # a mistake of ours: said, and the next page is answered all the same
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} ({Path(place.filename).name}:{place.lineno})"
            said = _("预览出错：{what}。请把这一行告诉维护的人。").format(what=what)
            return Answer(status=500, body=said.encode(), content_type="text/plain; charset=utf-8")

    def _is_meant(self) -> bool:
        """Whether the browser thinks it talks to this machine."""
        try:
            host = urlsplit("//" + self.headers.get("Host", "")).hostname or ""
            return host in ("localhost", self.server.host.lower()) or bool(ipaddress.ip_address(host))
        except ValueError:
            return False

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {
            **_HEADERS,
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            **dict(answer.headers),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


def _family(host: str) -> int:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
