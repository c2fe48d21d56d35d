"""A small HTTP/1.1 server (https://www.rfc-editor.org/rfc/rfc9112) for pages that few people open.

One request a connection, a thread each. Whoever is slow is cut off, and where there are too many connections the
oldest goes: an honest one is done in a fraction of a second. It says nothing of itself and logs nothing, for the
addresses asked for are credentials.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, Self
from urllib.parse import urlsplit

from gengfu_scheduler.timetable import Place

BODY_BYTES = 16 * 1024
"""The longest body that is read; the ticks of a batch are a few hundred bytes."""
CONNECTIONS = 64
"""Open at a time, at most."""
AT_ONCE = 4
"""Answers being made at a time: the scheduler has the same processor."""
PATIENCE = 15.0
"""Seconds that a connection may take from end to end, and half of that for any one read or write."""

# https://owasp.org/www-project-secure-headers/; a page brings its own policy.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Connection": "close",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for."""

    method: str
    """HEAD is told as GET."""
    path: str
    """Without the query."""
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    """Besides, or in place of, those that every answer has."""

    @classmethod
    def plain(cls, status: int, text: str = "", *, allow: str = "") -> Self:
        """A short text, by default the status in words.

        :param allow: the methods that would do.
        """
        words = text or HTTPStatus(status).phrase
        return cls(status=status, body=f"{words}\n".encode(), headers=(("Allow", allow),) if allow else ())

    def wire(self, *, with_body: bool) -> bytes:
        """The answer as it goes over the line."""
        headers = {
            **_HEADERS,
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            **dict(self.headers),
        }
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join((*lines, "", "")).encode("latin-1")
        return head + self.body if with_body else head


class Server(ThreadingMixIn, TCPServer):
    """Listens from its making on, and answers from :meth:`start` to :meth:`stop`."""

    allow_reuse_address = True
    request_queue_size = CONNECTIONS

    def __init__(self, place: Place, respond: Callable[[Request], Answer]) -> None:
        """
        :param respond: called from several threads; must not raise.
        :raises OSError: it cannot listen there.
        """
        self.respond = respond
        self.turns = BoundedSemaphore(AT_ONCE)
        self._open: dict[socket.socket, float] = {}
        self._opening = Lock()
        self._listener = Thread(target=self.serve_forever, args=(0.1,), name="desk-http")
        self.address_family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
        super().__init__((place.host, place.port), _Connection)
        self.place = replace(place, port=self.server_address[1])
        """Where it listens."""

    def start(self) -> None:
        self._listener.start()

    def stop(self) -> None:
        """Take no more connections, end those that are open, wait for their threads."""
        self.shutdown()
        self._listener.join()
        with self._opening:
            self._cut(list(self._open))
        self.server_close()

    def service_actions(self) -> None:
        """Cut off who is slow; called several times a second."""
        late = time.monotonic() - PATIENCE
        with self._opening:
            self._cut([connection for connection, since in self._open.items() if since < late])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._opening:
            self._cut(list(self._open)[: max(0, len(self._open) + 1 - CONNECTIONS)])
            self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._opening:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of a connection that broke there is nothing to say; all else is caught where it can be told."""

    def _cut(self, connections: list[socket.socket]) -> None:
        for connection in connections:
            del self._open[connection]
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Connection(BaseHTTPRequestHandler):
    timeout = PATIENCE / 2
    server: Server

    def handle(self) -> None:
        """One request, one answer."""
        self.close_connection = True
        self.command, self.requestline, self.request_version = "", "", ""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            return
        if len(self.raw_requestline) > 65536:
            self.send_error(414)
        elif self.parse_request():
            body = self._body()
            if body is not None:
                self._write(self._respond(body))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Without the words of the standard library, which repeat what was asked for."""
        self._write(Answer.plain(code))

    def log_message(self, *_: object) -> None:
        """Nothing: an address is a credential."""

    def _respond(self, body: bytes) -> Answer:
        try:
            path = urlsplit(self.path).path
        except ValueError:
            return Answer.plain(400)
        method = "GET" if self.command == "HEAD" else self.command
        with self.server.turns:
            return self.server.respond(Request(method=method, path=path, body=body))

    def _body(self) -> bytes | None:
        """The request's body; None where it cannot be had, which is answered."""
        if self.headers.get("Transfer-Encoding"):
            self.send_error(411)
            return None
        announced = set(self.headers.get_all("Content-Length", ["0"]))
        length = announced.pop().strip()
        if announced or not (length.isascii() and length.isdecimal()):
            self.send_error(400)
        elif len(length) > 9 or int(length) > BODY_BYTES:
            self.send_error(413)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
        return None

    def _write(self, answer: Answer) -> None:
        self.wfile.write(answer.wire(with_body=self.command != "HEAD"))
