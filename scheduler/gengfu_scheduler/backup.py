"""A station as one file, and a station from such a file.

Promises: a backup is made while everything runs, and each part of it is whole; it holds no missing person's data, and
webhooks or PINs only where they were asked for by name; it is for its owner alone. A restored station is as it was,
byte by byte, or it is no station at all; and it sends nothing of which it cannot know whether it was sent since the
backup (:meth:`gengfu_scheduler.runner.Runner.tick`, by :func:`gengfu_scheduler.state.note_restored`).

The file is a gzipped tar (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html) whose last member,
``MANIFEST.json``, has the SHA-256 of all the others. It is read by our own hand: only plain files at plain paths.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from gengfu_scheduler.groups import WEBHOOKS
from gengfu_scheduler.outbox import copy as copy_outbox
from gengfu_scheduler.state import IDENTITY, identity, note_restored
from gengfu_site import audit
from gengfu_site.alone import alone
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

Secret = Literal["webhooks", "pins"]

_MANIFEST = "MANIFEST.json"
_FORMAT = "gengfu-backup/1"
_OUTBOX = ".gengfu/outbox.sqlite3"
_PINS = f"{audit.FOLDER}/reviewers.json"
_NEVER = frozenset(("private", "inbox"))
"""Folders of what people entrusted to the station."""
_MADE = (".gengfu-site", "pyvenv.cfg")
"""Marks of a folder that is made by a program and can be made again."""
_OWN = re.compile(r"\.gitignore|groups\.csv|[^.].*\.(yml|yaml|txt|md|html)")
"""Files that count, of those beside the folders: not somebody's sheet of groups, which may hold addresses."""
_PRIVATE = (f"{audit.FOLDER}/", ".gengfu/", WEBHOOKS)
"""Beginnings of the paths that are for their owner alone."""


class NoBackup(GengfuError):
    """The file is no backup of ours, or not as it was written; nothing was restored."""

    def __init__(self, file: Path, why: str) -> None:
        self.file = file
        super().__init__(
            _("{file} 恢复不了：{why}。什么都没有写。换一份备份再试。").format(file=file, why=why)
        )


class Inside(GengfuError):
    """The backup was to lie in the station itself: the next one would have it in it, and the one after both."""

    def __init__(self, file: Path) -> None:
        self.file = file
        super().__init__(
            _(
                "{file} 在站点文件夹里面，没有备份：和站点放在一起，一坏就一起没了，下一份备份还会把它也装进去。"
                "放到站点文件夹外面，最好是另一块盘。"
            ).format(file=file)
        )


class NotEmpty(GengfuError):
    """There is something where the station was to be restored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            _("{folder} 已经有东西了，没有动它。恢复到一个新的或空的文件夹。").format(folder=folder)
        )


@dataclass(frozen=True, kw_only=True)
class Backup:
    """What a file holds."""

    file: Path
    made: datetime
    station: str
    """Name of the folder it was made of."""
    files: Mapping[str, str]
    """SHA-256 by path below the station."""

    @property
    def outbox(self) -> bool:
        """Whether the record of what was sent is in it; on a database server it is not."""
        return _OUTBOX in self.files

    @property
    def secrets(self) -> list[Secret]:
        """What is in it that opens something."""
        held: dict[Secret, str] = {"webhooks": WEBHOOKS, "pins": _PINS}
        return [secret for secret, path in held.items() if path in self.files]


def name_of(station: Path, at: datetime) -> str:
    """What a backup of ``station`` made at ``at`` is called where nobody called it otherwise.

    :raises NoStateFolder: what tells it from another station's could not be kept.
    """
    return f"{station.resolve().name}-{identity(station)}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.tar.gz"


def back_up(station: Path, file: Path, url: str, *, secrets: Collection[Secret], now: datetime) -> Backup:
    """Write a backup of ``station`` into ``file``, which is there whole or not at all.

    :param url: where the outbox is.
    :raises Inside: the file would lie in the station.
    :raises OutboxUnusable: the outbox cannot be read.
    :raises OSError: something else cannot be read, or the file not written.
    """
    if file.resolve().is_relative_to(station.resolve()):
        raise Inside(file)
    digests: dict[str, str] = {}
    with _whole(file) as opened, tarfile.open(fileobj=opened, mode="w:gz", compresslevel=6) as archive:

        def add(path: str, data: IO[bytes], size: int) -> None:
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.mtime = size, _mode(path), int(now.timestamp())
            hashed = _Hashed(data)
            archive.addfile(member, hashed)  # type: ignore[arg-type]  # it asks for nothing but read
            digests[path] = hashed.hexdigest()

        # The log before the bytes that were signed: whatever it names is there by then.
        if log := _log(station):
            add(_below(audit.log_file(station), station), io.BytesIO(log), len(log))
        for source in _sources(station, secrets):
            with suppress(FileNotFoundError), source.open("rb") as data:  # somebody has just deleted it
                add(_below(source, station), data, os.fstat(data.fileno()).st_size)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".gengfu-") as scratch:
            copied = Path(scratch, "outbox.sqlite3")
            if copy_outbox(url, copied, now=now):
                with copied.open("rb") as data:
                    add(_OUTBOX, data, copied.stat().st_size)
        made = Backup(file=file, made=now, station=station.resolve().name, files=dict(digests))
        manifest = _manifest(made)
        add(_MANIFEST, io.BytesIO(manifest), len(manifest))
    return made


def keep_newest(station: Path, folder: Path, number: int) -> list[Path]:
    """Of the backups of ``station`` in ``folder`` delete all but the newest; returns what was deleted.

    Names once did not tell stations apart whose folders are called alike. Such backups count as this station's, unless
    another of that name keeps its own here too.

    :raises NoStateFolder: it is not known which are its own.
    """
    named = re.compile(re.escape(station.resolve().name) + r"-(?:([0-9a-f]{8})-)?(\d{8}T\d{6}Z)\.tar\.gz")
    whose: dict[str | None, list[tuple[str, Path]]] = {}
    for found, file in ((named.fullmatch(file.name), file) for file in folder.iterdir()):
        if found:
            whose.setdefault(found[1], []).append((found[2], file))
    unsaid, own = whose.pop(None, []), whose.pop(identity(station), [])
    older = [file for _made, file in sorted(own if whose else [*unsaid, *own])[:-number]]
    for file in older:
        file.unlink()
    return older


def restore(file: Path, folder: Path, *, who: str, now: datetime) -> Backup:
    """Make ``folder`` the station that was backed up in ``file``, and say so in its audit log.

    :raises NoBackup: the file is not whole, or not ours.
    :raises NotEmpty: there is something in ``folder``.
    :raises OSError: it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(folder)
    backup = read(file)
    # Within the folder, which may be another disk's, or all that its user may write to.
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".gengfu-") as scratch:
        new = Path(scratch, "station")
        new.mkdir()
        for private in (audit.FOLDER, ".gengfu"):
            (new / private).mkdir(mode=0o700)
        with _opened(file) as archive:
            for member, data in _members(archive, file):
                if member.name != _MANIFEST:
                    _write(new / member.name, data, _mode(member.name))
        note_restored(new, now)
        details: dict[str, audit.Plain] = {
            "file": file.name,
            "made": backup.made.isoformat(),
            "outbox": backup.outbox,
        }
        audit.append(new, now, who, "restore", details)
        # The files last: without its settings and timetable it is no station.
        for part in sorted(new.iterdir(), key=Path.is_file):
            part.rename(folder / part.name)
    return backup


def read(file: Path) -> Backup:
    """What ``file`` holds, every byte of it held against its manifest.

    :raises NoBackup: it is not whole, or not ours.
    """
    found: dict[str, str] = {}
    manifest = b""
    with _opened(file) as archive:
        for member, data in _members(archive, file):
            if manifest or member.name in found:
                raise NoBackup(file, _("{path} 不该在那里").format(path=member.name))
            if member.name == _MANIFEST:
                manifest = data.read()
            else:
                hashed = _Hashed(data)
                while hashed.read(_PIECE):
                    pass
                found[member.name] = hashed.hexdigest()
    backup = _backup(file, manifest)
    paths = sorted(found.keys() | backup.files.keys())
    if wrong := [path for path in paths if found.get(path) != backup.files.get(path)]:
        raise NoBackup(file, _("{path} 和清单对不上").format(path=wrong[0]))
    return backup


_PIECE = 1 << 20


class _Hashed:
    """A source that is hashed as it is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self.hexdigest = self._hash.hexdigest

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._hash.update(data)
        return data


def _sources(station: Path, secrets: Collection[Secret]) -> Iterator[Path]:
    """What a station is made of but for its log and its outbox: nothing that a program makes again or that must not be
    found twice."""
    walked = {station.resolve()}

    def counts_as_part(folder: Path, *, top: bool) -> bool:
        """Whether it is to be walked through; what a link leads to is, once."""
        name, real = folder.name, folder.resolve()
        if name.startswith(".") or (top and name in _NEVER) or real in walked:
            return False
        walked.add(real)
        return not any((folder / mark).exists() for mark in _MADE)

    for place, folders, names in os.walk(station, followlinks=True):
        here = Path(place)
        top = here == station
        folders[:] = [name for name in sorted(folders) if counts_as_part(here / name, top=top)]
        for file in (here / name for name in sorted(names)):
            path = _below(file, station)
            counts = _OWN.fullmatch(path) if top else not file.name.startswith(".")
            apart = path == _PINS or file == audit.log_file(station)
            if counts and not apart and file.is_file():
                yield file
    asked = {"webhooks": WEBHOOKS, "pins": _PINS}
    named = [IDENTITY, *(asked[secret] for secret in secrets)]
    yield from (file for path in named if (file := station / path).is_file())


def _below(file: Path, station: Path) -> str:
    return file.relative_to(station).as_posix()


def _mode(path: str) -> int:
    return 0o600 if path.startswith(_PRIVATE) else 0o644


def _log(station: Path) -> bytes:
    """The audit log, with no line that is just being written; empty where nothing was noted yet."""
    log = audit.log_file(station)
    if not log.is_file():
        return b""
    with alone(log.with_name(".lock")):
        return log.read_bytes()


@contextmanager
def _whole(file: Path) -> Iterator[IO[bytes]]:
    """Where ``file`` is written, for its owner alone; it takes its place when the block ends well."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".gengfu-")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _manifest(made: Backup) -> bytes:
    members = {
        "format": _FORMAT,
        "made": made.made.isoformat(),
        "station": made.station,
        "files": made.files,
    }
    return json.dumps(members, ensure_ascii=False, indent=1).encode("utf-8", "surrogateescape")


def _backup(file: Path, manifest: bytes) -> Backup:
    try:
        members: Any = json.loads(manifest.decode("utf-8", "surrogateescape"))
        if members["format"] != _FORMAT:
            raise NoBackup(file, _("不认得的格式 {format}").format(format=members["format"]))
        return Backup(
            file=file,
            made=datetime.fromisoformat(members["made"]),
            station=str(members["station"]),
            files={str(path): str(digest) for path, digest in members["files"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NoBackup(file, _("里面没有 {manifest}，不是完整的备份").format(manifest=_MANIFEST)) from None


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:gz") as archive:
            yield archive
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise NoBackup(file, str(error)) from error


def _members(archive: tarfile.TarFile, file: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """:raises NoBackup: one is no plain file, or lies outside of the station."""
    for member in archive:
        parts = PurePosixPath(member.name).parts
        plain = member.isreg() and member.name == "/".join(parts) and parts[0] != "/"
        data = archive.extractfile(member) if plain and not _ODD.intersection(parts) else None
        if data is None or _ODD_SIGNS.search(member.name):
            raise NoBackup(file, _("{path} 不该在那里").format(path=member.name))
        yield member, data


_ODD = frozenset(("..", ".", ""))
_ODD_SIGNS = re.compile(r"[\\:\0]") if os.name == "nt" else re.compile(r"\0")


def _write(file: Path, data: IO[bytes], mode: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        shutil.copyfileobj(data, opened, _PIECE)
        opened.flush()
        os.fsync(opened.fileno())
