"""The way out: posted once or not at all, and the reply says which; to allowed places only."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gengfu_scheduler.channels.transport import BURST, MOST_READ, Answer, CurlTransport, Reply, Request
from gengfu_scheduler.message import Rejected, Unknown, Unsent

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SECRET = "8f0e-secret-key"

Step = bytes | Callable[[socket.socket], None]
"""What the server does with a request it has read and stored: answers these bytes, or does as told."""


def hang_up(_connection: socket.socket) -> None:
    raise ConnectionAbortedError


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    raise ConnectionAbortedError


def stay_silent(connection: socket.socket) -> None:
    while connection.recv(1):
        pass
    raise ConnectionAbortedError


def half_an_answer(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
    raise ConnectionAbortedError


@dataclass
class Server:
    """Stores every request whole, then does the next step of its script; the last one again and again."""

    script: list[Step]
    context: ssl.SSLContext | None = None
    stored: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._steps = iter([*self.script[:-1], *[self.script[-1]] * 1000])
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=60)

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                with connection:
                    while self._read(connection):
                        step = next(self._steps)
                        connection.sendall(step) if isinstance(step, bytes) else step(connection)
            except OSError:
                return

    def _read(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return False
            data += piece
        head, _blank, body = data.partition(b"\r\n\r\n")
        length = sum(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
        while len(body) < length:
            body += connection.recv(65536)
        self.heads.append(head)
        self.stored.append(body)
        return True


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*script: Step, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(list(script), context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def transport() -> Iterator[CurlTransport]:
    opened = CurlTransport(known=(), listed=["127.0.0.1", "localhost", "no-such-host.invalid"], timeout=1.0)
    yield opened
    opened.close()


def post(transport: CurlTransport, url: str, *bodies: bytes) -> list[Reply]:
    """Post ``bodies`` one after another and return the replies in that order."""
    found: dict[int, Reply] = {}
    for key, body in enumerate(bodies or (b"{}",)):
        for replies in transport.post_many([Request(key=key, url=url, body=body, headers={})]):
            found.update(replies)
    return [found[key] for key in sorted(found)]


def at(server: Server, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{server.port}/hook?key={SECRET}"


# Once or not at all


@pytest.mark.parametrize("size", [10, 5_000, 3_000_000])
def test_a_post_is_never_repeated_when_a_kept_alive_connection_dies_under_it(
    serve: Callable[..., Server], transport: CurlTransport, size: int
) -> None:
    server = serve(OK, hang_up)
    first, second = post(transport, at(server), b"a" * size, b"b" * size)
    assert isinstance(first, Answer)
    assert isinstance(second, Unknown)
    assert [body[:1] for body in server.stored] == [b"a", b"b"]


@pytest.mark.parametrize("failure", [hang_up, reset, stay_silent, half_an_answer])
def test_what_breaks_after_the_request_was_written_is_unknown(
    serve: Callable[..., Server], failure: Step
) -> None:
    server = serve(failure)
    transport = CurlTransport(known=(), listed=["127.0.0.1"], timeout=0.3)
    (reply,) = post(transport, at(server), b"told")
    transport.close()
    assert isinstance(reply, Unknown)
    assert server.stored == [b"told"]
    assert SECRET not in reply.reason


def test_a_refused_connection_is_unsent(transport: CurlTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (reply,) = post(transport, f"http://127.0.0.1:{port}/{SECRET}")
    assert isinstance(reply, Unsent)
    assert "127.0.0.1" in reply.reason
    assert SECRET not in reply.reason


def test_a_name_that_does_not_resolve_is_unsent(transport: CurlTransport) -> None:
    (reply,) = post(transport, f"https://no-such-host.invalid/{SECRET}")
    assert isinstance(reply, Unsent)


def test_a_server_that_accepts_and_never_shakes_hands_is_unsent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        transport = CurlTransport(known=(), listed=["127.0.0.1"], connect_timeout=0.2)
        (reply,) = post(transport, f"https://127.0.0.1:{mute.getsockname()[1]}/{SECRET}")
        transport.close()
    assert isinstance(reply, Unsent)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -keyout both.pem -out cert.pem && cat cert.pem >> both.pem",
        shell=True,
        check=True,
        capture_output=True,
        cwd=folder,
    )
    return folder / "both.pem"


def test_a_certificate_nobody_vouches_for_is_unsent_and_a_known_one_is_used(
    serve: Callable[..., Server], transport: CurlTransport, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = serve(OK, context=context)
    (stranger,) = post(transport, at(server, "https", "localhost"))
    assert isinstance(stranger, Unsent)
    assert server.stored == []
    trusting = CurlTransport(known=(), listed=["localhost"], cafile=str(certificate.with_name("cert.pem")))
    assert isinstance(post(trusting, at(server, "https", "localhost"))[0], Answer)
    trusting.close()


# What comes back


def test_an_answer_has_status_headers_and_body(
    serve: Callable[..., Server], transport: CurlTransport
) -> None:
    interim = b"HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
    server = serve(interim + b"HTTP/1.1 429 Slow: down\r\nRetry-After: 30\r\nContent-Length: 4\r\n\r\nwait")
    (reply,) = post(transport, at(server), b"x" * 100_000)
    assert reply == Answer(status=429, headers={"retry-after": "30", "content-length": "4"}, body=b"wait")
    assert len(server.stored[0]) == 100_000
    assert b"expect" not in server.heads[0].lower()


def test_a_get_and_a_post_follow_each_other_on_one_connection(
    serve: Callable[..., Server], transport: CurlTransport
) -> None:
    server = serve(OK)
    for body in (b"", b"x", b""):
        request = Request(key=0, url=at(server), body=body, headers={}, method="POST" if body else "GET")
        ((_key, reply),) = [found for replies in transport.post_many([request]) for found in replies]
        assert isinstance(reply, Answer)
    assert [head.split()[0] for head in server.heads] == [b"GET", b"POST", b"GET"]
    assert server.stored == [b"", b"x", b""]


def test_a_redirect_is_not_followed(serve: Callable[..., Server], transport: CurlTransport) -> None:
    there = serve(OK)
    here = serve(f"HTTP/1.1 302 Found\r\nLocation: {at(there)}\r\nContent-Length: 0\r\n\r\n".encode())
    (reply,) = post(transport, at(here))
    assert isinstance(reply, Answer)
    assert reply.status == 302
    assert there.stored == []


def test_no_more_of_an_answer_is_read_than_any_platform_sends(
    serve: Callable[..., Server], transport: CurlTransport
) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n" + b"x" * 2_000_000)
    (reply,) = post(transport, at(server))
    assert isinstance(reply, Answer)
    assert (reply.status, len(reply.body)) == (200, MOST_READ)


def test_a_compressed_answer_is_read_and_a_bomb_is_not(
    serve: Callable[..., Server], transport: CurlTransport
) -> None:
    def zipped(body: bytes) -> bytes:
        packed = gzip.compress(body)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        return head.encode() + packed

    server = serve(zipped(b'{"errcode":0}'), zipped(b"x" * 50_000_000))
    small, bomb = post(transport, at(server), b"1", b"2")
    assert isinstance(small, Answer)
    assert small.body == b'{"errcode":0}'
    assert isinstance(bomb, Answer)
    assert len(bomb.body) == MOST_READ


def test_a_proxy_in_the_environment_is_not_used(
    serve: Callable[..., Server], transport: CurlTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(OK), serve(OK)
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    post(transport, at(server))
    assert (len(server.stored), len(proxy.stored)) == (1, 0)


# Where to


@pytest.mark.parametrize(
    "url",
    [
        "http://chat.example/hook",  # known, but not by http
        "https://elsewhere.example/hook",
        "https://chat.example.elsewhere.example/hook",
        "https://chat.example@elsewhere.example/hook",
        "https://elsewhere.example\\@chat.example/hook",
        "https://chat.example /hook",
        "https://chat.example/ho\r\nok: 1",
        "file:///etc/passwd",
        "gopher://chat.example/hook",
        "chat.example/hook",
        "",
    ],
)
def test_no_post_goes_to_a_place_that_is_not_allowed(url: str) -> None:
    transport = CurlTransport(known=["chat.example"])
    (reply,) = post(transport, url)
    transport.close()
    assert isinstance(reply, Rejected)
    assert not reply.disable
    assert "hook" not in reply.reason


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://prod-96.localhost/hook", True),
        ("https://prod-96.westeurope.localhost/hook", True),
        ("https://PROD-96.Localhost/hook", True),
        ("https://localhost/hook", False),  # not below it
        ("https://.localhost/hook", False),
        ("https://evillocalhost/hook", False),
        ("https://prod-96.localhost./hook", False),
        ("https://prod-96.localhost.evil.example/hook", False),
        ("http://prod-96.localhost/hook", False),
    ],
)
def test_a_known_name_that_begins_with_a_dot_stands_for_the_hosts_below_it(url: str, allowed: bool) -> None:
    """One that is allowed is looked up, and being this machine it is then not connected to."""
    transport = CurlTransport(known=[".localhost"])
    (reply,) = post(transport, url)
    transport.close()
    assert isinstance(reply, Unsent if allowed else Rejected)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_known_host_at_a_private_address_is_not_connected_to(
    serve: Callable[..., Server], host: str
) -> None:
    server = serve(OK)
    transport = CurlTransport(known=[host])
    (reply,) = post(transport, at(server, "https", host))
    transport.close()
    assert isinstance(reply, Unsent)
    assert "127.0.0.1" in reply.reason


# Many at once


def test_requests_are_drawn_only_while_there_is_room(serve: Callable[..., Server]) -> None:
    server, drawn = serve(OK), 0
    transport = CurlTransport(known=(), listed=["127.0.0.1"], concurrency=4)

    def requests() -> Iterator[Request]:
        nonlocal drawn
        for key in range(40):
            drawn += 1
            yield Request(key=key, url=at(server), body=str(key).encode(), headers={})

    answered: list[int] = []
    for replies in transport.post_many(requests()):
        answered += [key for key, _reply in replies]
        assert drawn <= len(answered) + 4
    transport.close()
    assert sorted(answered) == list(range(40))
    assert sorted(server.stored) == sorted(str(key).encode() for key in range(40))


def test_some_requests_are_given_to_the_network_before_all_are_made(serve: Callable[..., Server]) -> None:
    server, drawn = serve(OK), 0
    transport = CurlTransport(known=(), listed=["127.0.0.1"])

    def requests() -> Iterator[Request]:
        nonlocal drawn
        for key in range(2 * BURST):
            drawn += 1
            yield Request(key=key, url=at(server), body=str(key).encode(), headers={})

    arriving = transport.post_many(requests())
    answered = list(next(arriving))
    assert drawn == BURST
    answered += [reply for replies in arriving for reply in replies]
    transport.close()
    assert len(answered) == len(server.stored) == 2 * BURST


def test_a_source_with_nothing_just_now_is_asked_again(
    serve: Callable[..., Server], transport: CurlTransport
) -> None:
    server = serve(OK)
    requests = [None, Request(key=1, url=at(server), body=b"", headers={}), None, None]
    found = [reply for replies in transport.post_many(requests) for reply in replies]
    assert [key for key, _reply in found] == [1]


def test_a_slow_answer_does_not_hold_up_the_others(serve: Callable[..., Server]) -> None:
    slow, quick = serve(stay_silent), serve(OK)
    transport = CurlTransport(known=(), listed=["127.0.0.1"], concurrency=2, timeout=0.3)
    hosts = [slow, *[quick] * 10]
    requests = [Request(key=n, url=at(h), body=b"", headers={}) for n, h in enumerate(hosts)]
    order = [key for replies in transport.post_many(requests) for key, _reply in replies]
    transport.close()
    assert order == [*range(1, 11), 0]


def test_closing_the_replies_drops_what_is_on_its_way(
    serve: Callable[..., Server], transport: CurlTransport
) -> None:
    silent, server = serve(stay_silent), serve(OK)
    arriving = transport.post_many([Request(key=1, url=at(silent), body=b"", headers={})])
    next(arriving)
    arriving.close()
    assert isinstance(post(transport, at(server))[0], Answer)
