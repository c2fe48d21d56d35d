"""The sandbox's HTTP side: takes posts as the platforms do, shows what it got, and fails when asked to.

    POST a robot's address    as the platform it belongs to; so do the calls of a platform's server interface
    GET  /                    the group wall; ?q=WORD and ?show=refused narrow it
    GET  /messages.json       everything received
    POST /faults              ``{"robot": KEY or "*", "fault": NAME, "times": N}``
    POST /confirm             ``task=ID``: the owner confirms, as in the platform's app
    DELETE /faults            forget the faults that have not struck yet
    GET  /healthz             whether it is up, and how much it holds

A thread a connection, kept alive: plain enough to break on purpose, and it holds a thousand of them.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import tzinfo
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from secrets import token_hex
from socketserver import TCPServer, ThreadingMixIn
from threading import Event, Lock, Thread
from typing import Any, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

from gengfu_scheduler.sandbox import wall
from gengfu_scheduler.sandbox.contract import Answer, Platform, Robot
from gengfu_scheduler.sandbox.exchange import Exchange
from gengfu_scheduler.sandbox.faults import REDIRECTED, Fault, Line
from gengfu_scheduler.sandbox.platforms import PLATFORMS, TASK_PLATFORMS
from gengfu_site.problems import GengfuError, reason
from gengfu_templates.i18n import _

BODY_BYTES = 4 * 1024 * 1024
"""More than any platform takes: what is longer is not even read."""


class PortTaken(GengfuError):
    """The sandbox cannot listen where it was to listen."""


class Sandbox(Exchange):
    """A running stand-in for the platforms of its robots.

    As a context manager it listens from enter to exit, in threads of its own; exit ends every connection at
    once. With a ``store`` it goes on where an earlier sandbox with the same file stopped, however that ended.
    """

    def __init__(
        self,
        robots: Iterable[Robot] = (),
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        store: Path | None = None,
        admit_unknown: bool = False,
        clock: Callable[[], float] = time.time,
        timezone: tzinfo = wall.CHINA,
    ) -> None:
        """
        :param port: 0 takes a free one.
        :param timezone: in which the wall shows times. For the rest see :class:`Exchange`.
        :raises PortTaken: the port is in use, or the host is not this machine's.
        :raises StoreUnusable: the store cannot be opened, or holds something else.
        """
        super().__init__(robots, store=store, admit_unknown=admit_unknown, clock=clock)
        self._timezone = timezone
        self._run = token_hex(4)
        try:
            self._server = _Server((host, port), self)
        except OSError as error:
            self.close()
            raise PortTaken(
                _("不能在 {host}:{port} 上接收（{why}）。请换一个端口。").format(
                    host=host, port=port, why=reason(error)
                )
            ) from error
        self.url = f"http://{host}:{self._server.server_address[1]}/"
        """Address of the group wall, with a trailing slash."""

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.stop()
        self.close()

    def webhook(self, key: str) -> str:
        """Full address of the robot with this key. Groups whose owner is asked have none."""
        return self.url.rstrip("/") + PLATFORMS[self._robots[key].platform].address(key)

    def version(self) -> str:
        """A word that changes whenever the wall would."""
        return f"{self._run}-{len(self._received)}-{len(self._robots)}"

    def wall(self, *, query: str, refused_only: bool) -> str:
        """The group wall as a page."""
        return wall.page(
            self.robots(),
            self.messages(),
            query=query,
            refused_only=refused_only,
            timezone=self._timezone,
            version=self.version(),
        )


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.closing = Event()
        self._open: set[socket.socket] = set()
        self._opening = Lock()
        self._listener = Thread(target=self._listen, name="sandbox")
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._opening:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._opening:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of ours; anything else is, and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def start(self) -> None:
        self._listener.start()

    def stop(self) -> None:
        """Take no more connections, end those that are open, wait for their threads."""
        self.closing.set()
        # The listener waits for a connection: here is its last one.
        socket.create_connection(self.socket.getsockname()).close()
        self._listener.join()
        with self._opening:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def _listen(self) -> None:
        while not self.closing.is_set():
            self.handle_request()


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    requests = 0
    """Answered on this connection so far."""

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        if self._called("GET", target, b""):
            return
        match target.path:
            case "/":
                self._answer_wall(target)
            case "/messages.json":
                records = [received.as_json() for received in self.server.sandbox.messages()]
                self._answer(_json({"messages": records}))
            case "/healthz":
                sandbox = self.server.sandbox
                self._answer(
                    _json(
                        {"status": "ok", "robots": len(sandbox.robots()), "received": len(sandbox.messages())}
                    )
                )
            case path if path == REDIRECTED:
                self._answer(_json({"errcode": 0, "errmsg": "ok"}))
            case _:
                self._answer(_json({"error": "not found"}, 404))

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        target = urlsplit(self.path)
        addressed = _addressed(target)
        if addressed:
            platform, key = addressed
            self._play(
                *self.server.sandbox.receive(
                    platform,
                    key,
                    self._names(),
                    body,
                    query=_query(target),
                    reused=self.requests > 0,
                )
            )
        elif self._called("POST", target, body):
            return
        elif target.path == "/confirm":
            self._answer(self._confirm(body))
        elif target.path == "/faults":
            self._answer(self._fail(body))
        elif target.path == REDIRECTED:
            self.do_GET()
        else:
            self._answer(_json({"error": "not found"}, 404))

    def do_DELETE(self) -> None:
        if urlsplit(self.path).path == "/faults":
            self.server.sandbox.heal()
            self._answer(_json({"status": "ok"}))
        else:
            self._answer(_json({"error": "not found"}, 404))

    def log_message(self, *_: object) -> None:
        """Nothing: the wall shows all there is to see, and an address is a credential."""

    def _body(self) -> bytes | None:
        """The request's body; None where it cannot be had, and the connection is done with."""
        announced = self.headers.get("Content-Length", "")
        length = int(announced) if announced.isdecimal() else None
        body = b"" if length is None or length > BODY_BYTES else self.rfile.read(length)
        if len(body) == length:
            return body
        self.close_connection = True
        if length is None:
            self._answer(_json({"error": "Content-Length required"}, 411))
        elif length > BODY_BYTES:
            self._answer(_json({"error": "body too large"}, 413))
        return None

    def _names(self) -> dict[str, str]:
        """The request's headers, names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def _called(self, method: str, target: SplitResult, body: bytes) -> bool:
        """Whether the request was a call of a server interface, and so is answered."""
        for platform in TASK_PLATFORMS.values():
            call = platform.call_in(method, target)
            if call:
                self._play(
                    *self.server.sandbox.call(
                        platform,
                        call,
                        self._names(),
                        body,
                        query=_query(target),
                        reused=self.requests > 0,
                    )
                )
                return True
        return False

    def _play(self, answer: Answer, fault: Fault | None) -> None:
        if fault and fault.broken:
            self.close_connection = True
            fault.broken(Line(self.connection, self.server.closing), answer)
        else:
            self._answer(answer)

    def _confirm(self, body: bytes) -> Answer:
        task = parse_qs(body.decode(errors="replace")).get("task", [""])[0]
        try:
            self.server.sandbox.confirm(task)
        except GengfuError as error:
            return _json({"error": str(error)}, 404)
        return Answer(status=303, headers=(("Location", "/"),))

    def _fail(self, body: bytes) -> Answer:
        try:
            wish = json.loads(body)
            self.server.sandbox.fail(str(wish["robot"]), str(wish["fault"]), int(wish.get("times", 1)))
        except GengfuError as error:
            return _json({"error": str(error)}, 400)
        except (ValueError, TypeError, KeyError, AttributeError):
            return _json({"error": 'expected {"robot": "*", "fault": "http-502", "times": 1}'}, 400)
        return _json({"status": "ok"})

    def _answer_wall(self, target: SplitResult) -> None:
        sandbox = self.server.sandbox
        tag = f'"{sandbox.version()}"'
        headers = (("ETag", tag), ("Cache-Control", "no-cache"), ("Content-Security-Policy", wall.policy()))
        if self.headers.get("If-None-Match") == tag:
            self._answer(Answer(status=304, headers=headers))
            return
        asked = parse_qs(target.query)
        page = sandbox.wall(
            query=asked.get("q", [""])[0], refused_only=asked.get("show", [""])[0] == "refused"
        )
        self._answer(
            Answer(
                body=page.encode("utf-8", "replace"), content_type="text/html; charset=utf-8", headers=headers
            ),
        )

    def _answer(self, answer: Answer) -> None:
        self.requests += 1
        # In one write: a header that goes alone waits for the other side's acknowledgement.
        self.wfile.write(answer.wire())


def _addressed(target: SplitResult) -> tuple[Platform, str] | None:
    for platform in PLATFORMS.values():
        key = platform.key_in(target)
        if key is not None:
            return platform, key
    return None


def _query(target: SplitResult) -> dict[str, str]:
    """The query, each name with its first value."""
    return {name: values[0] for name, values in parse_qs(target.query, keep_blank_values=True).items()}


def _json(value: object, status: int = 200) -> Answer:
    text = json.dumps(value, ensure_ascii=False)
    return Answer(status=status, body=text.encode("utf-8", "replace"))
