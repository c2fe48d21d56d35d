"""What the scheduler keeps beside a station: the folder ``.gengfu``, and the lock that only one may hold.

The lock is the kernel's (https://man7.org/linux/man-pages/man2/flock.2.html), so it ends with its process
however that ends. The file's text, host and process id, is for people; only the lock decides.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from gengfu_site.alone import alone
from gengfu_site.problems import GengfuError, reason
from gengfu_templates.i18n import _, series

_FOLDER = ".gengfu"
_LOCK = "scheduler.lock"
_KEY = "desk.key"
IDENTITY = f"{_FOLDER}/station.id"
"""What tells a station from others whose folder has the same name, below the station."""
_IDENTITY = re.compile(r"[0-9a-f]{8}")
_RESTING = "resting.json"
_RESTORED = "restored"
_MARKS = ("mkdocs.yml", "timetable.yml")
"""Either shows that a folder is a station's."""
_PATIENCE = 0.5
"""Seconds; :func:`running` holds the lock for an instant, which must not look like a scheduler."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The process that holds the lock."""

    host: str
    pid: int
    since: datetime | None = field(default=None, compare=False)
    """The time of the file: it is written when the lock is taken."""
    desk: str = ""
    """Address of its desk, with a trailing slash; empty where it keeps none."""


class NoStateFolder(GengfuError):
    """The scheduler's folder is not there and cannot be made, or cannot be used."""


class NotOnThisSystem(GengfuError):
    """The kernel here has no lock that ends with its process."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Windows 上不能往群里发：在开着 gengfu run 的那台 Linux 电脑上运行这条命令。写、看、签、生成网站都可以在这里做。"
            )
        )


class AlreadyRunning(GengfuError):
    """Another scheduler serves this station."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        super().__init__(
            _(
                "这个站点已有定时程序在运行：主机 {host}，进程 {pid}，从 {since} 起。先结束它，或者不必再开一个；"
                "要在它停掉时接班，用 gengfu run --standby。"
            ).format(
                host=holder.host,
                pid=holder.pid,
                since=f"{holder.since.astimezone():%Y-%m-%d %H:%M:%S %z}" if holder.since else "?",
            )
        )


def state_folder(station: Path, *, reading: bool = False) -> Path:
    """The scheduler's own folder in ``station``, made where it is missing, private and unknown to git.

    :param reading: it need not be there and is not made.
    :raises NoStateFolder: ``station`` holds no station, or the folder cannot be made.
    """
    folder = station / _FOLDER
    if reading:
        return folder
    if not any((station / name).exists() for name in _MARKS):
        raise NoStateFolder(
            _("{station} 不是站点文件夹：里面没有 {marks}。到站点文件夹里运行，或用 -C 指明。").format(
                station=station.resolve(), marks=series(_MARKS)
            )
        )
    with _mapped(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    return folder


def database_url(station: Path, environ: Mapping[str, str], *, reading: bool = False) -> str:
    """Where the outbox lies: ``GENGFU_DATABASE``, else a file in the state folder.

    :param reading: it is only read, so the folder need not be there.
    :raises NoStateFolder: the folder is needed and cannot be had.
    """
    if given := environ.get("GENGFU_DATABASE"):
        return given
    return f"sqlite:///{state_folder(station, reading=reading).resolve() / 'outbox.sqlite3'}"


@contextmanager
def only_scheduler(station: Path, *, wait: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Be the one process that sends for ``station``.

    :param wait: asked while another one does: whether to wait for its end, which is noticed within a tenth of a second.
    :raises AlreadyRunning: another one does.
    :raises NoStateFolder: there is no place for the lock.
    :raises NotOnThisSystem: this is no POSIX system; other commands run there.
    """
    try:
        import fcntl
    except ImportError:
        raise NotOnThisSystem from None

    path = state_folder(station) / _LOCK
    with _mapped(path):
        file = path.open("a+", encoding="utf-8")
    with file:
        patience = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > patience and not wait():
                    file.seek(0)
                    raise AlreadyRunning(_holder(file)) from None
                time.sleep(0.02)
        _sign(file)
        yield


def name_desk(station: Path, address: str) -> None:
    """Let others know where the desk is that this process, which holds the lock, keeps; empty: nowhere.

    :raises NoStateFolder: that cannot be written.
    """
    path = state_folder(station) / _LOCK
    with _mapped(path), path.open("a+", encoding="utf-8") as file:
        since = os.fstat(file.fileno())
        _sign(file, desk=address)
        os.utime(file.fileno(), ns=(since.st_atime_ns, since.st_mtime_ns))


def _sign(file: TextIO, desk: str = "") -> None:
    file.truncate(0)
    file.write(json.dumps(asdict(Holder(host=socket.gethostname(), pid=os.getpid(), desk=desk))))
    file.flush()


def desk_key(station: Path, *, reading: bool = False) -> bytes | None:
    """The key that addresses of task pages are made with, made at the first call by whoever holds the lock.

    :param reading: it is not made; None where there is none yet.
    :raises NoStateFolder: it cannot be made or read.
    """
    path = state_folder(station, reading=reading) / _KEY
    with _mapped(path):
        if path.exists():
            return path.read_bytes()
        if reading:
            return None
        _put(path, secrets.token_bytes(32))
        return path.read_bytes()


def identity(station: Path) -> str:
    """Eight letters and digits that no other station has, given to it at the first call.

    :raises NoStateFolder: they can be neither kept nor read.
    """
    path = state_folder(station) / Path(IDENTITY).name
    with _mapped(path), alone(path.with_suffix(".lock")):
        known = path.read_text("ascii", "replace") if path.exists() else ""
        if not _IDENTITY.fullmatch(known):  # or somebody's hand was in it
            known = secrets.token_hex(4)
            _put(path, known.encode())
        return known


def _put(path: Path, data: bytes) -> None:
    """Write ``path`` so that nobody reads half of it, nor nothing after the power failed."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def note_restored(station: Path, at: datetime) -> None:
    """Let every scheduler that serves ``station`` know that what it finds is a backup's, put there at ``at``.

    :raises NoStateFolder: that cannot be written.
    """
    path = state_folder(station) / _RESTORED
    with _mapped(path):
        path.write_text(at.isoformat(), encoding="ascii")


def restored_at(station: Path) -> datetime | None:
    """When ``station`` was put there from a backup; None where it never was."""
    path = station / _FOLDER / _RESTORED
    try:
        return datetime.fromisoformat(path.read_text("ascii"))
    except FileNotFoundError:
        return None
    except ValueError:  # somebody's hand was in it
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def running(station: Path) -> Holder | None:
    """Who serves ``station`` now; None where nobody does."""
    try:
        import fcntl
    except ImportError:
        return None
    file = station / _FOLDER / _LOCK
    if not file.exists():
        return None
    with file.open("r", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(lock)
        return None


@contextmanager
def _mapped(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NoStateFolder(
            _("{path} 写不进去：{error}。检查空间和写权限。").format(path=path, error=reason(error))
        ) from error


def note_resting(station: Path, hosts: Collection[str]) -> None:
    """Let others know which hosts the running scheduler found not to answer.

    :raises NoStateFolder: that cannot be written.
    """
    path = state_folder(station) / _RESTING
    with _mapped(path):
        new = path.with_suffix(".new")
        new.write_text(json.dumps(sorted(hosts)), encoding="utf-8")
        new.replace(path)


def resting(station: Path) -> tuple[str, ...]:
    """Hosts that the running scheduler found not to answer; none where none runs."""
    if running(station) is None:
        return ()
    try:
        return tuple(json.loads((station / _FOLDER / _RESTING).read_text("utf-8")))
    except (OSError, ValueError):
        return ()  # it has found none so far


def _holder(file: TextIO) -> Holder:
    since = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    try:
        return replace(Holder(**json.loads(file.read())), since=since)
    except (ValueError, TypeError):
        return Holder(host="?", pid=0)  # it has the lock and has not yet written its name
