"""What earlier builds found out: one SQLite file (https://www.sqlite.org), safe to delete at any time.

``readings`` holds, of each article that was sound, what came of reading its file, and by what one sees
that the file is still the same. ``made`` says what the present release was made of: of each recipe what says all
that went into it, the files that came out, and what it left itself for the next time. It counts only for the release whose number it bears: whoever else
wrote into the public folder, or a machine that stopped half-way, leaves another number there or none.

``log`` is what came of the audit log as far as it was read, with the digest of those bytes: a log that was changed
anywhere in them is read anew. ``leads`` is where articles lead, ``compared`` what that came of.

What every build asks of all articles is read whole, so its rows lie together in chunks, a few hundred for any number of
articles: to ask SQLite for a row takes longer than to make use of it. A row's name says in which chunk it is, so only those
that change are written again. What is asked of few articles is a row of a table.

Each row and each chunk bears a checksum, and one that is not as it was written is not known: SQLite sees a page of its own that
is no longer one, not a word that has become another on an aging disk.

Nothing is flushed to the disk: after a power cut nobody knows which of the file's pages reached it, so a file counts until
the machine stops. Where the system does not say when that was, SQLite flushes
(https://www.sqlite.org/pragma.html#pragma_synchronous).

Nothing of a person who is searched for comes in here. What is deleted is overwritten
(https://www.sqlite.org/pragma.html#pragma_secure_delete).
"""

from __future__ import annotations

import marshal
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import field
from functools import cache
from operator import attrgetter
from pathlib import Path
from threading import get_ident
from types import MappingProxyType
from typing import Any, NamedTuple
from zlib import crc32

from gengfu_site.values import dataclass

Values = tuple[Any, ...]
Status = tuple[int, ...]
"""By what one sees that a file is the same: when it was written and changed, its size and number."""

_TABLES = {
    "said": "name TEXT PRIMARY KEY, value TEXT",
    "chunks": "whole TEXT, number INTEGER, rows BLOB, sum INTEGER, PRIMARY KEY (whole, number)",
    "texts": "path TEXT PRIMARY KEY, digest TEXT, html TEXT, rest BLOB, sum INTEGER",
    "worked_out": "name TEXT PRIMARY KEY, data BLOB, sum INTEGER",
    "states": "name TEXT PRIMARY KEY, state BLOB, sum INTEGER",
}
_LAYOUT = 6
"""Goes up with each change of these tables."""
_CHUNKS = 512
"""Of what is read whole: of 100,000 articles, one holds two hundred, and one is what an edit writes."""

_DAMAGED = (sqlite3.Error, EOFError, ValueError, TypeError, AttributeError)
"""What a store may raise that is not there, or not as it was written."""


class Text(NamedTuple):
    """Of an article what is asked of few."""

    digest: str
    """Of all that is known of it."""
    html: str
    """Of its text."""
    rest: bytes
    """What else, in some form of the teller's own."""

    @property
    def sum(self) -> int:
        return crc32(self.rest, crc32(self.html.encode()))


Done = tuple[str | None, str]
"""What came of one recipe: what says all that went into it (None: it is made anew each time), and its files below the site,
parted by NUL, which no name can hold."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """One file. What it cannot give, because SQLite finds it damaged, it is locked or of another edition, it does not know."""

    file: Path
    edition: str
    """Digest of the program and of the settings that all readings hang on."""
    _open: dict[int, dict[int, sqlite3.Connection]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
    """Of each thread that keeps it open, by process."""

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """While the block asks for many texts: to open the file takes ten times as long as to find one in it.

        Other threads that ask meanwhile open it for themselves.
        """
        # Of each process its own: https://www.sqlite.org/howtocorrupt.html, "Carrying an open database across a fork".
        self._open[get_ident()] = {}
        try:
            yield
        finally:
            for connection in self._open.pop(get_ident()).values():
                connection.close()

    def readings(self) -> Iterator[dict[str, Values]]:
        """What every build asks of files, by their path below content/, some at a time."""
        with suppress(*_DAMAGED):
            for rows in self._chunks("readings", "edition", self.edition):
                yield rows or {}

    def texts(self) -> set[str]:
        """The paths of all files whose text is there."""
        with suppress(*_DAMAGED):
            return {path for (path,) in self._rows("SELECT path FROM texts", "edition", self.edition)}
        return set()

    def text(self, path: str, digest: str) -> Text | None:
        """Of the article at ``path``, while that of the reading of that digest is there."""
        query = "SELECT digest, html, rest, sum FROM texts WHERE path = ? AND digest = ?"
        with suppress(*_DAMAGED):
            for *found, written in list(self._rows(query, "edition", self.edition, path, digest)):
                if (text := Text(*found)).sum == written:
                    return text
        return None

    def made(self, release: str) -> dict[str, Done]:
        """What the release of that number was made of, by the recipes' names; empty where not all of that is known:
        a file that nobody remembers would stay in every release after it."""
        found: dict[str, Any] = {}
        with suppress(*_DAMAGED):
            chunks = [*self._chunks("made", "release", release)]
            [(written,)] = self._rows("SELECT value FROM said WHERE name = 'made'", "release", release)
            if int(written) == len(chunks) and None not in chunks:
                for rows in chunks:
                    found.update(rows or {})
        return found

    def left(self, release: str, name: str) -> bytes | None:
        """What the recipe of that name left itself when it made some of that release."""
        return self._by_name("SELECT state, sum FROM states WHERE name = ?", "release", release, name)

    def keep_readings(
        self,
        new: Mapping[str, Values],
        gone: Iterable[str],
        texts: Mapping[str, Text] = MappingProxyType({}),
    ) -> None:
        """Put ``new`` in the place of what was known of these files, and forget all of ``gone``.

        :param texts: of some of ``new``: those that :meth:`keep_texts` was not told of.
        """

        def keep(connection: sqlite3.Connection) -> None:
            self._begin(connection)
            left = list(gone)
            _put(connection, "readings", new, left)
            connection.executemany("DELETE FROM texts WHERE path = ?", [(path,) for path in left])
            _put_texts(connection, texts)

        self._change(keep)

    def keep_texts(self, new: Mapping[str, Text]) -> None:
        """In as many steps as one likes, ahead of all else that is known of these articles."""

        def keep(connection: sqlite3.Connection) -> None:
            self._begin(connection)
            _put_texts(connection, new)

        self._change(keep)

    def log(self) -> tuple[Values, Values] | tuple[None, None]:
        """How far the audit log was read, and what came of that."""
        data = self.worked_out("log")
        mark, told = marshal.loads(data) if data else (None, None)  # noqa: S302 - plain values
        return mark, told

    def keep_log(self, mark: Values, told: Values) -> None:
        """The same, for the next time."""
        self.keep_worked_out({"log": marshal.dumps((mark, told))})

    def worked_out(self, name: str) -> bytes | None:
        """What was kept under ``name``."""
        return self._by_name("SELECT data, sum FROM worked_out WHERE name = ?", "edition", self.edition, name)

    def keep_worked_out(self, new: Mapping[str, bytes]) -> None:
        """By names, what hangs on the edition as all readings do."""

        def keep(connection: sqlite3.Connection) -> None:
            self._begin(connection)
            connection.executemany(
                "REPLACE INTO worked_out VALUES (?, ?, ?)",
                [(name, data, crc32(data)) for name, data in new.items()],
            )

        self._change(keep)

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Forget what hangs on another edition."""
        if _said(connection, "edition") != self.edition:
            connection.execute("DELETE FROM chunks WHERE whole = 'readings'")
            connection.execute("DELETE FROM texts")
            connection.execute("DELETE FROM worked_out")
            _say(connection, "edition", self.edition)

    def keep_made(
        self,
        release: str,
        before: str,
        new: Mapping[str, Done],
        gone: Collection[str],
        left: Mapping[str, bytes],
    ) -> None:
        """What a release is made of: as the one ``before`` was, but for ``new`` and without ``gone``.

        :param before: its number; empty where :meth:`made` does not know it, for what is left of that is not true of this one.
        :param left: by some of ``new``, for the next time.
        """

        def keep(connection: sqlite3.Connection) -> None:
            if not before:
                connection.execute("DELETE FROM chunks WHERE whole = 'made'")
                connection.execute("DELETE FROM states")
            elif _said(connection, "release") != before:
                # Somebody forgot it meanwhile, and what is new is not all.
                raise sqlite3.DatabaseError
            _put(connection, "made", new, gone)
            known = [name for (name,) in connection.execute("SELECT name FROM states")]
            over = [(name,) for name in known if name in new or name in gone]
            connection.executemany("DELETE FROM states WHERE name = ?", over)
            connection.executemany(
                "INSERT INTO states VALUES (?, ?, ?)",
                [(name, state, crc32(state)) for name, state in left.items()],
            )
            chunks = connection.execute("SELECT count(*) FROM chunks WHERE whole = 'made'").fetchone()
            _say(connection, "made", str(*chunks))
            _say(connection, "release", release)

        self._change(keep)

    def forget(self) -> None:
        """Know nothing any more.

        Who has the file open writes nothing beside the next one (https://www.sqlite.org/rescode.html#readonly_dbmoved).
        """
        for ending in ("", "-journal"):
            with suppress(OSError):
                self.file.with_name(self.file.name + ending).unlink()

    def _by_name(self, query: str, of: str, wanted: str, name: str) -> bytes | None:
        """What ``query`` finds under ``name``, if it is as it was written."""
        with suppress(*_DAMAGED):
            for data, written in list(self._rows(query, of, wanted, name)):
                if written == crc32(data):
                    return bytes(data)
        return None

    def _chunks(self, whole: str, of: str, wanted: str) -> Iterator[dict[str, Values] | None]:
        """All rows of ``whole`` by their names, chunk by chunk; None for one that is not as it was written.

        :raises sqlite3.Error: as :meth:`_rows`.
        """
        for data, written in self._rows("SELECT rows, sum FROM chunks WHERE whole = ?", of, wanted, whole):
            yield _sound(data, written)

    def _rows(self, query: str, of: str, wanted: str, *values: str) -> Iterator[Any]:
        """What ``query`` finds, if the store is of the edition, or of the release, that is wanted.

        :raises sqlite3.Error: there is no store, it is damaged, or it is somebody else's.
        """
        with self._connected() as connection:
            # Nobody can write from its first row to its last: what is said holds of all of them.
            found = connection.execute(query, values)
            if _said(connection, of) == wanted:
                yield from found

    def _connected(self) -> AbstractContextManager[sqlite3.Connection]:
        connections, process = self._open.get(get_ident()), os.getpid()
        if connections is None:
            return closing(self._connection())
        if process not in connections:
            connections[process] = self._connection()
        return nullcontext(connections[process])

    def _connection(self, mode: str = "rw") -> sqlite3.Connection:
        """To what is there: SQLite itself first takes back what a process began to write that was killed.

        :param mode: "rwc" where the file may be made.
        :raises sqlite3.Error: nothing is there, or nothing that counts.
        """
        connection = sqlite3.connect(f"{self.file.absolute().as_uri()}?mode={mode}", uri=True)
        try:
            if not _counts(connection):
                raise sqlite3.DatabaseError
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _change(self, change: Callable[[sqlite3.Connection], None]) -> None:
        """All of ``change`` or, where the file cannot be written, nothing known: no build waits for it."""
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.file)) as connection:
                counts = _counts(connection)
            if not counts:
                self.forget()
            # Windows deletes no file that somebody has open: what counts no more may still be there.
            with closing(self._connection("rwc")) as connection:
                self.file.chmod(0o600)
                connection.execute("PRAGMA secure_delete = ON")
                if boot_id():
                    connection.execute("PRAGMA synchronous = OFF")
                with connection:
                    # What it changes hangs on what it finds: nobody else may write in between.
                    connection.execute("BEGIN IMMEDIATE")
                    _lay_out(connection)
                    change(connection)
        except (*_DAMAGED, OSError):
            self.forget()


def plainest(values: Any) -> bytes:
    """Plain values as bytes, equal ones as the same: in the oldest form of marshal that knows all of these, for the later ones
    write the same values in more than one way."""
    return marshal.dumps(values, 2)


def status(file: str | Path) -> Status:
    """Empty where the file is gone."""
    try:
        return _seen(os.stat(file))  # noqa: PTH116 - a hundred thousand of them
    except OSError:
        return ()


def statuses(files: Sequence[str]) -> list[Status]:
    """Of each."""
    try:
        return list(map(_seen, map(os.stat, files)))
    except OSError:  # one was deleted just now
        return list(map(status, files))


_seen: Callable[[os.stat_result], Status] = attrgetter("st_mtime_ns", "st_ctime_ns", "st_size", "st_ino")


def _sound(data: bytes | None, written: int) -> dict[str, Values] | None:
    """The rows of a chunk, if they are as they were written."""
    if data is None or crc32(data) != written:
        return None
    rows: dict[str, Values] = marshal.loads(data)  # noqa: S302 - plain values
    return rows


def _put(connection: sqlite3.Connection, whole: str, new: Mapping[str, Values], gone: Iterable[str]) -> None:
    """Put ``new`` in the place of the rows of these names in ``whole``, and leave out ``gone``.

    What else was in a chunk that is not as it was written is gone with it.
    """
    changes: defaultdict[int, dict[str, Values | None]] = defaultdict(dict)
    for name, row in (*dict.fromkeys(gone).items(), *new.items()):
        changes[crc32(name.encode()) % _CHUNKS][name] = row
    for number, changed in changes.items():
        query = "SELECT rows, sum FROM chunks WHERE whole = ? AND number = ?"
        before = connection.execute(query, (whole, number)).fetchone()
        rows = ((before and _sound(*before)) or {}) | changed
        data = marshal.dumps(_once({name: row for name, row in rows.items() if row is not None}))
        connection.execute("REPLACE INTO chunks VALUES (?, ?, ?, ?)", (whole, number, data, crc32(data)))


def _put_texts(connection: sqlite3.Connection, new: Mapping[str, Text]) -> None:
    connection.executemany(
        "REPLACE INTO texts VALUES (?, ?, ?, ?, ?)",
        ((path, *text, text.sum) for path, text in new.items()),
    )


def _once(rows: Mapping[str, Values]) -> dict[str, Values]:
    """The same rows, in which tuples that say the same are one: it is written once, and read and held once."""
    seen: dict[bytes, Values] = {}
    return {
        name: tuple([seen.setdefault(plainest(v), v) if type(v) is tuple else v for v in row])
        for name, row in rows.items()
    }


def _lay_out(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA user_version = {_version()}")
    for table, columns in _TABLES.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")


def _counts(connection: sqlite3.Connection) -> bool:
    """Whether the file has these tables, and has had them since the machine began; or nothing yet."""
    query = "SELECT user_version, page_count FROM pragma_user_version, pragma_page_count"
    version, pages = connection.execute(query).fetchone()
    return version == _version() or not pages


def _version() -> int:
    """SQLite keeps 31 bits, and 0 is of a file that nobody laid out."""
    return crc32(f"{_LAYOUT} {boot_id()}".encode()) >> 1 | 1


@cache
def boot_id() -> str:
    """Another one each time the machine starts (https://man7.org/linux/man-pages/man4/random.4.html), empty where the system
    does not say. What it had not written to its disk when it last stopped, nobody knows."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    except OSError:
        return ""


def _said(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM said WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def _say(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("REPLACE INTO said VALUES (?, ?)", (name, value))
