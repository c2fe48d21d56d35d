"""The only way out for posts: many at once, each at most once, by libcurl's multi interface.

Promise: a request is posted once or not at all, and the reply says which. ``Unsent`` only where not a byte of
the request was written (https://curl.se/libcurl/c/CURLINFO_REQUEST_SIZE.html is 0); everything that broke
later is ``Unknown``. libcurl itself posts a second time when a kept-alive connection dies under it, and
reports success; it cannot where it reads the body through a function and has none to rewind it
(https://curl.se/libcurl/c/CURLOPT_SEEKFUNCTION.html), so that is how bodies are fed here.

Requests go to allowed hosts only, over verified TLS, straight (no redirect, no proxy from the environment),
to public addresses. Plain http and private addresses are for hosts the admin listed. Addresses of webhooks
are credentials: no text that leaves this module holds more of one than its host.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import pycurl

from gengfu_scheduler.message import Rejected, Unknown, Unsent
from gengfu_templates.i18n import _

MOST_READ = 64 * 1024
"""Bytes of an answer that are read; no platform's answer comes near."""
WAKE = 0.05
"""Seconds after which waiting for answers is interrupted to see whether there is more to send."""
BURST = 25
"""Requests that are begun before those begun so far are given to the network: making them takes time."""

# Deliberately narrower than RFC 3986: no user, no backslash, nothing that libcurl and we might read differently.
_URL = re.compile(r"https?://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?][!-\[\]-~]*)?", re.I)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A POST to be made; or a GET, which may be made twice without harm."""

    key: int
    """The caller's name for it."""
    url: str = field(repr=False)
    body: bytes
    headers: Mapping[str, str]
    method: Literal["POST", "GET"] = "POST"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """The first :data:`MOST_READ` bytes, decompressed."""


Reply = Answer | Unsent | Rejected | Unknown
"""``Rejected``: this side refuses the address. Nothing was sent, and trying again would not change that."""


def host_of(url: str) -> str:
    """The host of a webhook's address, in lower case; empty where it is no address that could be posted to."""
    match = _URL.fullmatch(url)
    return match["host"].lower() if match else ""


class Transport(Protocol):
    """Whatever posts requests; tests bring their own."""

    def post_many(self, requests: Iterable[Request | None]) -> Generator[list[tuple[int, Reply]], None, None]:
        """Post ``requests`` and yield what has come back: often, in any order, each key once.

        ``requests`` is drawn from only while there is room for another; it yields None for "none just now,
        ask again". What is yielded may be an empty list: that is the caller's chance to do something else.
        Closing the iterator drops what is on its way.
        """
        ...


class CurlTransport:
    """A :class:`Transport` that keeps its connections between calls. Not to be shared between threads."""

    def __init__(
        self,
        *,
        known: Collection[str],
        listed: Collection[str] = (),
        concurrency: int = 200,
        connect_timeout: float = 5.0,
        timeout: float = 15.0,
        cafile: str | None = None,
    ) -> None:
        """
        :param known: hosts of the chat platforms, reached by https at public addresses; one that begins with a
            dot stands for every host below it.
        :param listed: hosts that the admin vouches for, also by http and at private addresses.
        :param concurrency: requests on their way at once.
        :param connect_timeout: seconds for name, connection and TLS; ``timeout``: for all of a request.
        :param cafile: certificate authorities to trust, in place of the system's.
        """
        self._listed = frozenset(host.lower() for host in listed)
        self._known = frozenset(host.lower() for host in known) | self._listed
        self._concurrency = concurrency
        self._options = {
            pycurl.CONNECTTIMEOUT_MS: int(connect_timeout * 1000),
            pycurl.TIMEOUT_MS: int(timeout * 1000),
            **({pycurl.CAINFO: cafile} if cafile else {}),
        }
        self._multi = pycurl.CurlMulti()
        # Four times as many kept as used at once: fewer, and posts to many hosts connect anew each time.
        self._multi.setopt(pycurl.M_MAXCONNECTS, 4 * concurrency)
        self._idle: list[_Line] = []
        self._flying: dict[Any, _Line] = {}

    def close(self) -> None:
        self._multi.close()
        for line in self._idle:
            line.handle.close()

    def post_many(self, requests: Iterable[Request | None]) -> Generator[list[tuple[int, Reply]], None, None]:
        """See :meth:`Transport.post_many`."""
        source, more = iter(requests), True
        try:
            while more or self._flying:
                replies: list[tuple[int, Reply]] = []
                room = min(self._concurrency, len(self._flying) + BURST)
                while more and len(self._flying) < room:
                    try:
                        request = next(source)
                    except StopIteration:
                        more = False
                        break
                    if request is None:
                        break
                    host = self._allowed_host(request.url)
                    if isinstance(host, Rejected):
                        replies.append((request.key, host))
                    else:
                        self._begin(request, host)
                self._multi.perform()
                replies += self._ended()
                yield replies
                to_be_begun = len(self._flying) == room < self._concurrency
                if self._flying and not (replies or to_be_begun):
                    self._multi.select(WAKE)
        finally:
            for line in list(self._flying.values()):
                self._release(line)

    def _allowed_host(self, url: str) -> str | Rejected:
        """The host of ``url``, or why nothing may be sent to it."""
        host = host_of(url)
        if not host:
            return Rejected(reason=_("地址写法不对：应为 https:// 开头的完整地址"))
        if not self._is_known(host):
            return Rejected(reason=_("{host} 不在允许发送的主机之列").format(host=host))
        if not url.lower().startswith("https:") and host not in self._listed:
            return Rejected(reason=_("{host} 只许用 https").format(host=host))
        return host

    def _is_known(self, host: str) -> bool:
        labels = host.split(".")
        above = ("." + ".".join(labels[place:]) for place in range(1, len(labels)))
        return bool(labels[0]) and not self._known.isdisjoint((host, *above))

    def _begin(self, request: Request, host: str) -> None:
        line = self._idle.pop() if self._idle else _Line(self._new_handle())
        line.take(request, host, private_allowed=host in self._listed)
        self._flying[line.handle] = line
        self._multi.add_handle(line.handle)

    def _new_handle(self) -> Any:
        handle = pycurl.Curl()
        for option, value in self._options.items():
            handle.setopt(option, value)
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.ACCEPT_ENCODING, "gzip")
        handle.setopt(pycurl.USERAGENT, "gengfu")
        handle.setopt(pycurl.NOSIGNAL, 1)
        return handle

    def _ended(self) -> list[tuple[int, Reply]]:
        replies: list[tuple[int, Reply]] = []
        remaining = 1
        while remaining:
            remaining, done, failed = self._multi.info_read()
            for handle, code, text in [*((handle, 0, "") for handle in done), *failed]:
                line = self._flying[handle]
                replies.append((line.request.key, line.reply(code, text)))
                self._release(line)
        return replies

    def _release(self, line: _Line) -> None:
        self._multi.remove_handle(line.handle)
        del self._flying[line.handle]
        line.close()
        self._idle.append(line)


class _Line:
    """A handle of libcurl's, one request after another, and what it calls back to."""

    request: Request
    """The one that is on its way, or was last."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self._head: list[bytes] = []
        self._body = bytearray()
        self._sockets: list[socket.socket] = []
        # What libcurl was told last: it keeps that, and most requests are alike.
        self._headers: Mapping[str, str] | None = None
        self._method = ""
        self._family: int | None = None
        handle.setopt(pycurl.READFUNCTION, self._read)
        handle.setopt(pycurl.WRITEFUNCTION, self._write)
        handle.setopt(pycurl.HEADERFUNCTION, self._head.append)
        handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    def take(self, request: Request, host: str, *, private_allowed: bool) -> None:
        """Be ready to make ``request``."""
        self.request = request
        self._host = host
        self._private_allowed = private_allowed
        self._sent = 0
        self._head.clear()
        self._body.clear()
        self._refused_address = ""
        self.handle.setopt(pycurl.URL, request.url)
        self.handle.setopt(pycurl.POSTFIELDSIZE_LARGE, len(request.body))
        if request.headers != self._headers:
            self._headers = request.headers
            # "Expect:" empty: else libcurl asks leave to send larger bodies and waits a second for it.
            headers = {"Expect": "", **request.headers}
            self.handle.setopt(
                pycurl.HTTPHEADER,
                [f"{name}: {value}" if value else f"{name}:" for name, value in headers.items()],
            )
        if request.method != self._method:
            self._method = request.method
            self.handle.setopt(pycurl.HTTPGET if request.method == "GET" else pycurl.POST, 1)
        # Where a name has no IPv6 address, asking for one costs seconds with some resolvers.
        family = pycurl.IPRESOLVE_WHATEVER if host.startswith("[") else pycurl.IPRESOLVE_V4
        if family != self._family:
            self._family = family
            self.handle.setopt(pycurl.IPRESOLVE, family)

    def close(self) -> None:
        """The request has ended, or is given up."""
        for opened in self._sockets:
            opened.close()
        self._sockets.clear()

    def _read(self, size: int) -> bytes:
        piece = self.request.body[self._sent : self._sent + size]
        self._sent += len(piece)
        return piece

    def _write(self, piece: bytes) -> int:
        taken = piece[: MOST_READ - len(self._body)]
        self._body += taken
        return len(taken)  # less than given: libcurl hangs up

    def _open_socket(
        self, purpose: int, address: tuple[int, int, int, tuple[str, int]]
    ) -> socket.socket | int:
        family, kind, protocol, place = address
        ip = ipaddress.ip_address(place[0])
        if not ip.is_global and not self._private_allowed:
            self._refused_address = str(ip)
            return int(pycurl.SOCKET_BAD)
        opened = socket.socket(family, kind, protocol)
        self._sockets.append(opened)  # pycurl works on a duplicate, which lives as long as the connection
        return opened

    def reply(self, code: int, text: str) -> Reply:
        """What became of the request, by libcurl's result ``code`` (0 for well) and what it says to it."""
        overfull = code == pycurl.E_WRITE_ERROR and len(self._body) == MOST_READ
        if code == 0 or overfull:
            status = self.handle.getinfo(pycurl.RESPONSE_CODE)
            return Answer(status=status, headers=_headers(self._head), body=bytes(self._body))
        if self._refused_address:
            reason = _("解析到内网地址 {ip}").format(ip=self._refused_address)
        else:
            reason = self._without_address(text)
        reason = f"{self._host}: {reason} (curl {code})"
        written = self._sent or self.handle.getinfo(pycurl.REQUEST_SIZE)
        return Unknown(reason=reason) if written else Unsent(reason=reason)

    def _without_address(self, text: str) -> str:
        secret = self.request.url.partition("://")[2].partition("/")[2]
        return text.replace(self.request.url, self._host).replace(secret, "…") if secret else text


def _headers(lines: Iterable[bytes]) -> dict[str, str]:
    """Those of the last answer: interim ones have a head of their own."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if line.startswith(b"HTTP/"):
            headers.clear()
        elif colon:
            headers[name.strip().lower()] = value.strip()
    return headers
