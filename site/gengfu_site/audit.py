"""Who did what and when: an append-only log whose records are chained by hash.

``audit/log.jsonl`` in the station's folder: beside the caches, not among them, so that it survives their being
deleted; outside git, content/ and public/. One line is one record in canonical JSON (RFC 8785,
https://www.rfc-editor.org/rfc/rfc8785, for the strings, whole numbers and ASCII names used here). Each carries the
SHA-256 of the one before it and its own (``docs/audit.md``), so :func:`verify` finds a line that was edited, removed, inserted or
moved. **Cutting off the end, or writing everything anew with new hashes, cannot be seen from the file alone**:
note the newest record's hash elsewhere from time to time and give it to :func:`verify`.

The caller keeps missing persons' data and credentials out of ``details``: nothing leaves this file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from gengfu_site.alone import alone
from gengfu_site.problems import GengfuError, reason
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _

FOLDER = "audit"
"""Below the station's folder."""
TORN = "audit.torn"
"""Action of the record by which the log names what a crash left of a line, and the file it was kept in."""

_LOG = "log.jsonl"
_FIRST = ""
"""What the first record has for the hash of the one before it."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

Plain: TypeAlias = "str | int | bool | Sequence[Plain] | Mapping[str, Plain] | None"
"""What ``details`` may hold: no fractions (there is more than one way to write them); names in ASCII."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of the log."""

    number: int
    """From 1, without gaps."""
    at: datetime
    who: str
    """Whoever gave the command, as the caller knows them."""
    action: str
    """A dotted name, e.g. ``alert.resolve``."""
    details: Mapping[str, Any]
    previous: str
    """``hash`` of the record before it; empty for the first."""
    hash: str
    """SHA-256, in hexadecimal, of all the rest in canonical form."""


@dataclass(frozen=True, kw_only=True)
class Break:
    """One place where the log is not what was written."""

    line: int
    """1-based."""
    what: Literal["edited", "removed", "inserted", "reordered", "torn", "cut"]
    message: str

    def __str__(self) -> str:
        return f"{FOLDER}/{_LOG}:{self.line} {self.message}"


class AuditFailed(GengfuError):
    """The log cannot be read or written."""

    def __init__(self, path: Path, error: OSError) -> None:
        self.path = path
        super().__init__(
            _("操作记录 {path} 读写不了（{reason}）。请检查磁盘空间和文件夹权限。").format(
                path=path, reason=reason(error)
            )
        )


def append(station: Path, at: datetime, who: str, action: str, details: Mapping[str, Plain]) -> Record:
    """Add one record to the log in the folder ``station``; on the disk when this returns.

    Processes take turns. Where a crash left half a line, its bytes are moved to a file beside the log and a record
    of their own says so first. A line that somebody made unreadable is passed over (:func:`verify` names it): the
    duty officer's next command must not wait for it.

    :returns: the new head of the chain; its ``hash`` is what to note elsewhere.
    :raises AuditFailed: the log cannot be written.
    """
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone")
    log = log_file(station)
    try:
        log.parent.mkdir(mode=0o700, exist_ok=True)
        with alone(log.with_name(".lock")), open(_opened(log), "r+b") as file:
            data = file.read()
            end = data.rfind(b"\n") + 1
            head = _last_record(data[:end])
            records = []
            if torn := data[end:]:
                kept = _keep(log, torn)
                head = _record_after(head, at, who, TORN, {"kept": kept, "bytes": len(torn)})
                records.append(head)
            head = _record_after(head, at, who, action, details)
            records.append(head)
            file.seek(end)
            file.write(b"".join(_line(record) for record in records))
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise AuditFailed(log, error) from error
    return head


def log_file(station: Path) -> Path:
    """Where the log lies, if anything was noted yet."""
    return station / FOLDER / _LOG


def read(station: Path) -> list[Record]:
    """The log's readable records in the order of the file; none where there is no log.

    :raises AuditFailed: the log cannot be read.
    """
    lines = _data(station).split(b"\n")[:-1]
    return [record for line in lines if (record := _parsed(line))]


def verify(station: Path, head: str | None = None) -> list[Break]:
    """Every place where the log is not what was written, in the order of lines; none where all is well.

    :param head: a record's hash that was noted elsewhere; only with it is a missing end found.
    :raises AuditFailed: the log cannot be read.
    """
    *lines, torn = _data(station).split(b"\n")
    parsed = [_parsed(line) for line in lines]
    breaks = list(_breaks(parsed))
    if torn:
        breaks.append(
            Break(
                line=len(lines) + 1,
                what="torn",
                message=_("最后一行只写了一半（程序当时中断了）；下一次操作会把它另存到旁边。"),
            )
        )
    if head is not None and all(record is None or record.hash != head for record in parsed):
        breaks.append(
            Break(
                line=len(lines) + 1,
                what="cut",
                message=_("记在别处的校验值 {head} 在这里找不到：末尾被删掉或改写过。").format(
                    head=head[:12]
                ),
            )
        )
    return breaks


def unbroken(station: Path) -> list[Record]:
    """The records that decisions may rest on: those that stand in the file beside whom they stand beside in the chain.

    What lies next to a break may itself be what somebody put there, so it does not count. A crash's half line, and
    lines that are no records, break nothing.

    :raises AuditFailed: the log cannot be read.
    """
    grown = unbroken_since(station, START)
    assert grown  # nothing stands before the start
    return [*grown.settled, *grown.newest]


class Mark(NamedTuple):
    """How far the log was read, for whoever remembers what came of it: only what was added since need be read again."""

    size: int
    """Of what was read, in bytes."""
    digest: str
    """SHA-256 of these bytes: whatever was changed among them, nothing of what was remembered counts."""
    newest: int
    """Where the last record in them begins."""
    follows: bool
    """Whether that one stands beside whom it follows in the chain."""


START = Mark(size=0, digest=hashlib.sha256().hexdigest(), newest=0, follows=False)


@dataclass(frozen=True, kw_only=True)
class Grown:
    """The records after a mark that decisions may rest on, as :func:`unbroken`."""

    settled: tuple[Record, ...]
    """Whatever is added to the log, these count. The mark's newest record is among them as soon as another follows."""
    newest: tuple[Record, ...]
    """The last one, which counts as long as it is the last; none where it does not."""
    mark: Mark
    """After all these."""


def unbroken_since(station: Path, mark: Mark) -> Grown | None:
    """What counts of the log after ``mark``; None where what stood before it is not what was read then.

    :raises AuditFailed: the log cannot be read.
    """
    data = _data(station)
    digest = hashlib.sha256(data[: mark.size])
    if digest.hexdigest() != mark.digest:
        return None
    size = data.rfind(b"\n") + 1
    found = list(_records(data, mark.newest, size))
    if not found:
        return Grown(settled=(), newest=(), mark=START)
    records = [record for record, _begin in found]
    begins = mark.follows if mark.size else records[0].previous == _FIRST
    follows = [
        begins,
        *(
            record.previous == before.hash and record.number == before.number + 1
            for before, record in pairwise(records)
        ),
    ]
    beside = zip(records, follows, follows[1:], strict=False)  # of the last one nothing follows
    digest.update(data[mark.size : size])
    return Grown(
        settled=tuple(record for record, before, after in beside if before and after),
        newest=tuple(records[-1:] if follows[-1] else ()),
        mark=Mark(size=size, digest=digest.hexdigest(), newest=found[-1][1], follows=follows[-1]),
    )


def _records(data: bytes, begin: int, end: int) -> Iterator[tuple[Record, int]]:
    """The readable records in these whole lines, and where each begins."""
    for line in data[begin:end].split(b"\n"):
        if record := _parsed(line):
            yield record, begin
        begin += len(line) + 1


def _breaks(parsed: Sequence[Record | None]) -> Iterator[Break]:
    """What is wrong with the lines, of which None is one that is no longer as it was written."""
    present = {record.number for record in parsed if record}
    seen: set[int] = set()
    number, hash_ = 0, _FIRST  # of the furthest record so far
    unreadable: list[int] = []
    for line, record in enumerate(parsed, 1):
        if record is None:
            unreadable.append(line)
            continue
        follows = record.previous == hash_ and record.number == number + 1
        yield from map(_inserted if follows else _edited, unreadable)
        gap = record.number - number - 1
        if record.number in seen:
            yield _inserted(line)
        elif gap < 0 or any(number < other < record.number for other in present if gap):
            yield _reordered(line)
        elif gap > len(unreadable):
            yield _removed(line, gap - len(unreadable))
        elif not (follows or unreadable):
            # Its own hash is right and the chain is not: the line before it was written anew.
            yield _edited(max(line - 1, 1))
        unreadable = []
        seen.add(record.number)
        if record.number > number:
            number, hash_ = record.number, record.hash
    yield from map(_edited, unreadable)


def _edited(line: int) -> Break:
    return Break(line=line, what="edited", message=_("这一行被改过，和写下时的校验值对不上。"))


def _inserted(line: int) -> Break:
    return Break(line=line, what="inserted", message=_("这一行是后来插进去的。"))


def _reordered(line: int) -> Break:
    return Break(line=line, what="reordered", message=_("这一行被挪动过，前后顺序不对。"))


def _removed(line: int, count: int) -> Break:
    return Break(line=line, what="removed", message=_("这一行之前少了 {n} 条记录。").format(n=count))


def _opened(log: Path) -> int:
    """The log's file, made where it is missing: for its owner alone, as it names people."""
    return os.open(log, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)


def _data(station: Path) -> bytes:
    log = log_file(station)
    try:
        data = log.read_bytes()
        if data and not data.endswith(b"\n"):  # half a line may be one that is just being written
            with suppress(OSError), alone(log.with_name(".lock")):
                data = log.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise AuditFailed(log, error) from error
    return data


def _keep(log: Path, torn: bytes) -> str:
    """Put half a line into a file of its own; returns that file's name, which is never another's."""
    kept = log.with_name(f"torn-{hashlib.sha256(torn).hexdigest()[:12]}.txt")
    kept.write_bytes(torn)
    return kept.name


def _last_record(data: bytes) -> Record | None:
    """The last readable record in these whole lines."""
    end = len(data)
    while end:
        begin = data.rfind(b"\n", 0, end - 1) + 1
        if record := _parsed(data[begin : end - 1]):
            return record
        end = begin
    return None


def _record_after(
    head: Record | None, at: datetime, who: str, action: str, details: Mapping[str, Plain]
) -> Record:
    number, previous = (head.number + 1, head.hash) if head else (1, _FIRST)
    record = Record(number=number, at=at, who=who, action=action, details=details, previous=previous, hash="")
    return replace(record, hash=_digest(_members(record)))


def _members(record: Record) -> dict[str, object]:
    return {**vars(record), "at": record.at.isoformat()}


def _line(record: Record) -> bytes:
    return canonical(_members(record)) + b"\n"


def _parsed(line: bytes) -> Record | None:
    """The record in ``line``, None where it is not exactly as it was written."""
    try:
        members = json.loads(line)
        # Without the hash the line is the matter that was hashed; no text holds a quotation mark that is not escaped.
        begin, found, end = line.rpartition(b',"hash":"%s"' % members["hash"].encode())
        digest = hashlib.sha256(begin + end).hexdigest()
        if not found or digest != members["hash"] or canonical(members) != line:
            return None
        record = Record(**{**members, "at": datetime.fromisoformat(members["at"])})
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    return record if type(record.number) is int else None


def _digest(members: Mapping[str, object]) -> str:
    matter = {name: value for name, value in members.items() if name != "hash"}
    return hashlib.sha256(canonical(matter)).hexdigest()


def canonical(value: object) -> bytes:
    """``value`` (as :data:`Plain`) in the one way of writing it."""
    text = _ENCODER.encode(value)
    return text.encode("utf-8", "replace")  # a name from the system may hold what is no character
