"""The ways in which any platform's HTTP can fail, each of them seen in public reports.

``seen`` says whether the group has the message although the sender was not told so. Where either happens
in the field, it is True: a sender that posts again after such a fault then shows its double. A platform's own
codes are faults too; they stand with the platform (:attr:`.contract.Platform.documented`).
"""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from gengfu_scheduler.sandbox.contract import Answer

REDIRECTED = "/redirected"
"""Where fault ``http-302`` points: it answers success to anyone, so a sender that follows is found out."""

HUGE = 20 * 1024 * 1024
DRIP = 0.2
"""Seconds between two bytes of a slow answer: five hundred bytes outlast any sane time limit."""


@dataclass(frozen=True)
class Line:
    """One connection, as a fault may maltreat it."""

    socket: socket.socket
    closing: Event
    """Set when the sandbox stops."""

    def hold(self) -> None:
        """Wait until the other side hangs up or the sandbox stops."""
        while self.socket.recv(4096):
            pass

    def reset(self) -> None:
        """Close the connection with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Past the socket object: that one would send FIN first.
        socket.close(self.socket.detach())


def _hang_up(line: Line, answer: Answer) -> None:
    """Nothing is sent; the connection is closed by whoever plays the fault."""


def _silent(line: Line, answer: Answer) -> None:
    line.hold()


def _reset(line: Line, answer: Answer) -> None:
    whole = _padded(answer, 1000).wire()
    line.socket.sendall(whole[: len(whole) // 2])
    line.reset()


def _drip(line: Line, answer: Answer) -> None:
    for byte in _padded(answer, 500).wire():
        line.socket.sendall(bytes([byte]))
        if line.closing.wait(DRIP):
            return


def _padded(answer: Answer, size: int) -> Answer:
    """The answer with blanks before its body, which JSON allows."""
    return Answer(body=answer.body.rjust(size), content_type=answer.content_type)


def _gzipped(answer: Answer) -> Answer:
    return Answer(body=gzip.compress(answer.body), headers=(("Content-Encoding", "gzip"),))


def _http(status: int, *headers: tuple[str, str]) -> Callable[[Answer], Answer]:
    page = f"<html><body><h1>{status}</h1></body></html>".encode()
    return lambda _: Answer(status=status, body=page, content_type="text/html", headers=headers)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to fail a message that would have been accepted."""

    seen: bool
    """Whether the group sees the message all the same."""
    answer: Callable[[Answer], Answer] | None = None
    """What is answered in place of the platform's own success."""
    broken: Callable[[Line, Answer], None] | None = None
    """What is done to the connection in place of a whole answer; it is closed afterwards."""
    reused_only: bool = False
    """Strikes only a connection that has carried a request before."""


PORTAL = Answer(
    body="<html><title>请登录网络</title></html>".encode(), content_type="text/html; charset=utf-8"
)

FAULTS = {
    "http-302": Fault(seen=False, answer=_http(302, ("Location", REDIRECTED))),
    "http-408": Fault(seen=True, answer=_http(408)),
    "http-429": Fault(seen=False, answer=_http(429, ("Retry-After", "30"))),
    "http-500": Fault(seen=True, answer=_http(500)),
    "http-502": Fault(seen=True, answer=_http(502)),
    "http-503": Fault(seen=True, answer=_http(503)),
    "html": Fault(seen=False, answer=lambda _: PORTAL),
    "empty": Fault(seen=True, answer=lambda _: Answer()),
    "gzip": Fault(seen=True, answer=_gzipped),
    "huge": Fault(seen=True, answer=lambda answer: _padded(answer, HUGE)),
    "silent": Fault(seen=True, broken=_silent),
    "hang-up": Fault(seen=True, broken=_hang_up),
    "hang-up-unseen": Fault(seen=False, broken=_hang_up),
    "hang-up-reused": Fault(seen=True, broken=_hang_up, reused_only=True),
    "reset": Fault(seen=True, broken=_reset),
    "drip": Fault(seen=True, broken=_drip),
}
