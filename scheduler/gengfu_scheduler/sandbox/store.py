"""The sandbox's memory on disk: JSON lines, appended, synced before an answer leaves.

It is the witness when a sender is killed: a message that was answered is in it. A last line without its end
was being written when the sandbox itself died, and its message was never answered, so it is dropped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Lock

from gengfu_scheduler.sandbox.contract import Received
from gengfu_site.problems import GengfuError, reason
from gengfu_templates.i18n import _


class StoreUnusable(GengfuError):
    """The sandbox's file cannot be opened, or holds something else."""


class Store:
    """Append-only file of :class:`Received`. Used by many threads at once."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, created readable by its owner alone.

        :raises StoreUnusable: it cannot be opened; the folder must exist.
        """
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StoreUnusable(
                _("不能打开沙箱的记录文件 {path}（{why}）。").format(path=path, why=reason(error))
            ) from error
        self._waiting: list[bytes] = []
        self._written = 0
        self._synced = 0
        self._adding = Lock()
        self._syncing = Lock()

    def load(self) -> list[Received]:
        """Everything kept so far, in order; cuts off a torn last line.

        :raises StoreUnusable: it holds something else.
        """
        with open(self._file, "rb", closefd=False) as file:
            whole = file.read()
        end = whole.rfind(b"\n") + 1
        lines = whole[:end].decode("utf-8", "surrogateescape").split("\n")[:-1]
        try:
            kept = [Received.from_json(json.loads(line)) for line in lines]
        except (ValueError, TypeError, KeyError) as error:
            raise StoreUnusable(
                _("{path} 不是沙箱的记录文件，请换一个文件名。").format(path=self._path)
            ) from error
        os.ftruncate(self._file, end)
        return kept

    def add(self, received: Received) -> int:
        """Take a record in; it is on disk once :meth:`sync` of the returned ticket returns."""
        line = json.dumps(received.as_json(), ensure_ascii=False) + "\n"
        with self._adding:
            self._waiting.append(line.encode("utf-8", "surrogateescape"))
            self._written += 1
            return self._written

    def sync(self, ticket: int) -> None:
        """Return when the record of ``ticket`` is on disk. One thread syncs for all that wait."""
        with self._syncing:
            if self._synced >= ticket:
                return
            with self._adding:
                lines, self._waiting = self._waiting, []
                upto = self._written
            _write_all(self._file, b"".join(lines))
            os.fsync(self._file)
            self._synced = upto

    def close(self) -> None:
        os.close(self._file)


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
