"""A chat platform that takes every post: TLS, an answer after 80 ms, and a witness of what came when.

A process of its own: ``python -m bench.standin FOLDER`` makes a certificate in FOLDER, says its port and serves
``localhost`` and every name below ``chat.localhost``. For each line that it reads it says, as JSON, what came since the last one.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

LATENCY = 0.08
"""Seconds between a post and its answer."""
KEY = re.compile(rb"key=([\w.]+)-([\w.]+)")
"""What is told apart, and which of it: ``/send?key=SLOT-GROUP``."""

_BODY = b'{"errcode":0,"errmsg":"ok"}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came; instants are ``time.time()``."""

    posts: int
    groups: int
    """Told apart by their keys."""
    first: float
    last: float
    """When it was answered."""
    firsts: dict[str, float]
    """Of each slot."""
    busy: float
    """Seconds of processor that answering took."""

    @property
    def seconds(self) -> float:
        """From the first post to the last answer."""
        return self.last - self.first


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """One that runs."""

    port: int
    certificate: Path
    _process: subprocess.Popen[str]

    def seen(self) -> Seen:
        """What came since this was last asked."""
        said, asked = self._process.stdout, self._process.stdin
        assert said
        assert asked
        asked.write("\n")
        asked.flush()
        return Seen(**json.loads(said.readline()))


@contextmanager
def standing_in(folder: Path) -> Iterator[StandIn]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.standin", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline())
        yield StandIn(port=port, certificate=folder / "cert.pem", _process=process)
    finally:
        process.kill()
        process.communicate()


class _Witness:
    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self.posts = 0
        self.groups: set[bytes] = set()
        self.firsts: dict[str, float] = {}
        self.first = self.last = 0.0
        self.busy = time.process_time()

    def note(self, request: bytes) -> None:
        now = time.time()
        self.posts += 1
        self.first = self.first or now
        if found := KEY.search(request):
            self.groups.add(found[0])
            self.firsts.setdefault(found[1].decode(), now)

    def told(self) -> str:
        seen = {
            "posts": self.posts,
            "groups": len(self.groups),
            "first": self.first,
            "last": self.last,
            "firsts": self.firsts,
            "busy": time.process_time() - self.busy,
        }
        self._forget()
        return json.dumps(seen)


class _Connection(asyncio.Protocol):
    def __init__(self, witness: _Witness, loop: asyncio.AbstractEventLoop) -> None:
        self._witness = witness
        self._loop = loop
        self._came = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, blank, body = self._came.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        if blank and len(body) >= int(length[1] if length else 0):
            self._came = b""
            self._witness.note(head)
            self._loop.call_later(LATENCY, self._answer)

    def _answer(self) -> None:
        self._witness.last = time.time()
        self._transport.write(_ANSWER)


async def _serve(folder: Path, asked: IO[str]) -> None:
    loop, witness = asyncio.get_running_loop(), _Witness()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    server = await loop.create_server(
        lambda: _Connection(witness, loop), "127.0.0.1", 0, ssl=context, backlog=4096
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()

    def tell() -> None:
        asked.readline()
        sys.stdout.write(witness.told() + "\n")
        sys.stdout.flush()

    loop.add_reader(asked.fileno(), tell)
    await server.serve_forever()


def _certify(folder: Path) -> None:
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        "-addext 'subjectAltName=DNS:localhost,DNS:*.chat.localhost' -keyout both.pem -out cert.pem && cat cert.pem >> both.pem",
        shell=True,
        check=True,
        capture_output=True,
        cwd=folder,
    )


if __name__ == "__main__":
    _certify(Path(sys.argv[1]))
    asyncio.run(_serve(Path(sys.argv[1]), sys.stdin))
