"""What is published, read again only when it changed.

The scheduler pushes what residents can open, so it reads the site's ``catalogue.json``: the file beside it,
or its URL with a conditional request (https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match). When the
source breaks, the last good catalogue stays in use and :attr:`Published.trouble` says why.
"""

from __future__ import annotations

from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from gengfu_site.catalogue import Catalogue, CatalogueUnreadable, loads
from gengfu_site.problems import GengfuError, shown
from gengfu_templates.i18n import _

PATIENCE = 10.0
"""Seconds in which a web server must have answered whole, however it drips."""
_MOST_BYTES = 256 << 20


class CatalogueUnavailable(GengfuError):
    """There is no catalogue to be had, and none was read before."""


class _Unread(Exception):
    """The source gave no text; carries why."""


class Published:
    """The catalogue at one address."""

    trouble: str | None = None
    """Why the last reading failed, while an older catalogue is in use; None when all is well."""

    def __init__(self, address: str, folder: Path) -> None:
        """Nothing is read yet.

        :param address: an ``http(s)://`` URL, or a path below ``folder``.
        """
        self.address = address
        self._source = (
            _Url(address) if address.startswith(("http://", "https://")) else _File(address, folder)
        )
        self._catalogue: Catalogue | None = None

    def read(self, *, ask: bool = True) -> Catalogue:
        """The newest catalogue that could be read; the same object as before where nothing changed.

        :param ask: whether a web server may be asked; if not, what it last answered stands.
        :raises CatalogueUnavailable: none could be read, now or before.
        """
        if self._catalogue is not None and isinstance(self._source, _Url) and not ask:
            return self._catalogue
        try:
            text = self._source.changed_text()
            if text is not None:
                self._catalogue = loads(text)
            self.trouble = None
        except (_Unread, CatalogueUnreadable) as error:
            self._source.forget()
            self.trouble = _("已发布内容的目录（{address}）读不出来：{why}").format(
                address=self.address, why=error
            )
        if self._catalogue is None:
            raise CatalogueUnavailable(
                _("{trouble}。先运行 gengfu build 生成网站。").format(trouble=self.trouble)
            )
        return self._catalogue


class _File:
    def __init__(self, address: str, folder: Path) -> None:
        self._path = folder / address
        self._name = shown(self._path, folder)
        self.forget()

    def forget(self) -> None:
        self._seen: tuple[int, int, int] | None = None

    def changed_text(self) -> str | None:
        """The text, None where it is what was returned last."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen == self._seen:
                return None
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise _Unread(_("没有这个文件")) from None
        except (OSError, UnicodeDecodeError) as error:
            raise _Unread(str(error)) from error
        self._seen = seen
        return text


class _Url:
    def __init__(self, address: str) -> None:
        self._address = address
        self.forget()

    def forget(self) -> None:
        self._tag = ""

    def changed_text(self) -> str | None:
        """The text, None where the server says that it is what was returned last."""
        # In a thread of its own, which is left behind where it takes too long: no timeout of a socket ends
        # an answer that comes byte by byte.
        answers: SimpleQueue[tuple[str, str] | _Unread | None] = SimpleQueue()
        Thread(target=lambda: answers.put(_fetch(self._address, self._tag)), daemon=True).start()
        try:
            answer = answers.get(timeout=PATIENCE)
        except Empty:
            raise _Unread(_("{n:g} 秒内没有读完").format(n=PATIENCE)) from None
        if isinstance(answer, _Unread):
            raise answer
        if answer is None:
            return None
        text, self._tag = answer
        return text


def _fetch(address: str, tag: str) -> tuple[str, str] | _Unread | None:
    """The text at ``address`` and its tag, None where the tag is still ``tag``, or why there is none."""
    import requests  # a station that reads a file need not wait for it

    headers = {"If-None-Match": tag} if tag else {}
    try:
        with requests.get(address, headers=headers, timeout=PATIENCE, stream=True) as answer:
            if answer.status_code == requests.codes.not_modified:
                return None
            if answer.status_code != requests.codes.ok:
                return _Unread(f"HTTP {answer.status_code}")
            body = bytearray()
            for piece in answer.iter_content(1 << 16):
                body += piece
                if len(body) > _MOST_BYTES:
                    return _Unread(_("超过 {most} MiB").format(most=_MOST_BYTES >> 20))
            return body.decode("utf-8"), answer.headers.get("ETag", "")
    except Exception as error:  # whatever it was, the one who waits is to know
        return _Unread(str(error))
