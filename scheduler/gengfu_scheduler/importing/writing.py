"""Changes to a CSV file that leave every row they do not mean as it is, byte for byte.

Encoding (UTF-8 with or without BOM, GBK), line ends, order of columns and whether everything is quoted stay the
file's own. A file is replaced whole (https://man7.org/linux/man-pages/man2/rename.2.html): who reads it meanwhile
sees the old one or the new one.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path


class _AllQuoted(csv.excel):
    quoting = csv.QUOTE_ALL


class CsvText:
    """A CSV file's text, its rows found by their ``id``."""

    def __init__(self, data: bytes, columns: Collection[str]) -> None:
        """
        :param data: of the file; empty where there is none yet.
        :param columns: of a new file.
        """
        self._encoding = _encoding(data)
        lines = io.StringIO(data.decode(self._encoding), newline="")
        kept: list[str] = []
        reader = csv.reader(_remembered(lines, kept))
        self._rows: list[tuple[str, list[str]]] = []
        for cells in reader:
            self._rows.append(("".join(kept), cells))
            kept.clear()
        head, names = self._rows.pop(0) if self._rows else ("", list(columns))
        self._header = [name.strip().lower() for name in names]
        self._end = "\r\n" if head.endswith("\r\n") else "\n"
        self._dialect = _AllQuoted if head.startswith('"') else csv.excel
        self._head = head or self._written(names)

    def changed(
        self,
        *,
        rows: Mapping[str, Mapping[str, str]],
        removed: Collection[str] = (),
    ) -> bytes:
        """The file with ``rows`` in place of those with their ids or after the last, and without ``removed``.

        A column that a row needs and the file has not is added to the headings.
        """
        needed = dict.fromkeys(column for cells in rows.values() for column, text in cells.items() if text)
        more = [column for column in needed if column not in self._header]
        header = [*self._header, *more]
        at = self._header.index("id")
        left, text = dict(rows), [self._wider_head(more)]
        for raw, cells in self._rows:
            id = cells[at].strip() if at < len(cells) else ""
            if id in left:
                text.append(self._row(left.pop(id), header))
            elif id not in removed:
                text.append(raw)
        for cells_of_new in left.values():
            if not text[-1].endswith(("\n", "\r")):
                text[-1] += self._end
            text.append(self._row(cells_of_new, header))
        return "".join(text).encode(self._encoding)

    def _wider_head(self, more: Iterable[str]) -> str:
        written = "".join("," + self._written([column]).rstrip() for column in more)
        if not written:
            return self._head
        bare = self._head.rstrip("\r\n")
        return bare + written + (self._head[len(bare) :] or self._end)

    def _row(self, cells: Mapping[str, str], header: Iterable[str]) -> str:
        return self._written([cells.get(column, "") for column in header])

    def _written(self, cells: Iterable[str]) -> str:
        target = io.StringIO()
        csv.writer(target, dialect=self._dialect, lineterminator=self._end).writerow(cells)
        return target.getvalue()


def _remembered(lines: Iterable[str], kept: list[str]) -> Iterable[str]:
    for line in lines:
        kept.append(line)
        yield line


def _encoding(data: bytes) -> str:
    """One of those that ``read_text`` accepts."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def replace_file(file: Path, data: bytes, *, private: bool) -> None:
    """Put ``data`` in place of ``file``; where it is new, ``private`` means that only its owner may read it."""
    file = file.resolve()
    fresh = file.with_name(f".{file.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        if file.exists():
            fresh.chmod(0o600 if private else file.stat().st_mode)
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
