"""The public folder: is it ours to replace, and how a new release takes its place.

``mkdocs build`` empties its ``site_dir`` first; pointed at a folder of somebody else's (its default is
``site/``, where this program's own source lies) it would delete that. So a folder is only ever touched if it
is empty or carries our mark.

A release is made beside the public folder, in a staging folder. Then either the one takes the other's place whole, or,
where little is to change, each new file takes the place of an old one: both are renamings within one file system, so a
reader gets an old file or a new one, never none and never half of one. What is to change is written down before the
first file is moved. Whoever is killed before has changed nothing; what was begun, the next build ends before anything
else. (Linking 50,000 files of a release that is for the most part the old one takes seconds; moving 1,000 takes 0.05 s.)
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gengfu_site.alone import alone
from gengfu_site.problems import GengfuError
from gengfu_site.store import boot_id
from gengfu_templates.i18n import _

_MARK = ".gengfu-site"
_MARK_TEXT = "Everything in this folder is replaced by the next build.\n"
_CHANGES = ".gengfu-changes"
"""In the staging folder, once it is whole: which files of the public one are to go."""


class NotOurs(GengfuError):
    """The folder holds what no build wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            _(
                "输出文件夹 {folder} 里有不是本程序生成的文件，为免删掉它们，没有动它。"
                "请在 mkdocs.yml 里把 site_dir 改成一个新文件夹（例如 public），或先把里面的东西移走。"
            ).format(folder=folder)
        )


def claim(folder: Path) -> str:
    """Make ``folder`` and mark it as ours: from now on it holds no release that anybody knows.

    Returns the number of what it holds.

    :raises NotOurs: it holds something and no mark.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise NotOurs(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return _mark(folder)


def _mark(folder: Path) -> str:
    """Write the mark; returns the number of the release that is to be there."""
    (folder / _MARK).write_text(_MARK_TEXT, encoding="utf-8", newline="\n")
    return _number(folder)


@dataclass(kw_only=True)
class Staged:
    """A release that is being made."""

    folder: Path
    """Where its files are put; empty at first."""
    public: Path
    before: str
    """Number of the present release; one that nobody knows where something else than a build made it."""
    number: str
    """Of this one."""
    _gone: frozenset[str] | None = None

    def earlier(self, path: str) -> bytes:
        """A file of the present release.

        :raises OSError: it is not there.
        """
        with open(f"{self.public}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - a thousand of them
            return file.read()

    def change(self, gone: Collection[str]) -> None:
        """What was put into :attr:`folder` comes into the present release, ``gone`` leaves it, all else stays.

        :param gone: paths below the site; none of a file that was put there.
        """
        self._gone = frozenset(gone)

    def take_over(self, kept: Collection[str]) -> bool:
        """Put these files of the present release into :attr:`folder`: they are the same in the new one.

        :returns: whether all of them are there.
        """
        for path in kept:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.public / path, target)
            except FileNotFoundError:
                return False
            except OSError:  # a file system without links
                shutil.copyfile(self.public / path, target)
        return True

    def forget(self) -> None:
        """Begin anew, with nothing known of the present release."""
        _clear(self.folder)
        self.folder.mkdir()
        self.before, self.number = "", _mark(self.folder)

    def _put(self) -> None:
        """In the public folder's place, whole or file by file."""
        if self._gone is None:
            _exchange(self.folder, self.public)
        else:
            new = self.folder / f"{_CHANGES}.new"
            new.write_text(json.dumps({"to": self.before, "gone": sorted(self._gone)}), encoding="utf-8")
            new.replace(self.folder / _CHANGES)
            _apply(self.folder, self.public)


@contextmanager
def replacing(folder: Path) -> Iterator[Staged]:
    """A release that takes the place of the one in ``folder`` when the block ends well.

    In :func:`turn`; what is to be published is read within the block, so that nobody puts in place what has
    changed while they waited. Where the block fails, ``folder`` stays as it was. What a crash left undone is done
    first, and of an old release nothing stays: a person's data must not outlast it.

    :raises NotOurs: as :func:`claim`.
    """
    new, old = (folder.with_name(f".{folder.name}.{word}") for word in ("next", "old"))
    with turn(folder):
        _recover(new, old, folder)
        before = _number(folder) or claim(folder)
        try:
            _clear(new, old)
            new.mkdir()
            staged = Staged(folder=new, public=folder, before=before, number=_mark(new))
            yield staged
            staged._put()
        finally:
            if not (new / _CHANGES).exists():
                _clear(new, old)


def _recover(new: Path, old: Path, public: Path) -> None:
    if new.exists() and old.exists() and not public.exists():
        new.rename(public)
    try:
        changes = json.loads((new / _CHANGES).read_text("utf-8"))
    except (OSError, ValueError):
        return
    if changes["to"] == _number(public):  # else they are done, or somebody else has made a release since
        _apply(new, public)


def _apply(new: Path, public: Path) -> None:
    """Move what was staged into the public folder, take out what is to go, and last of all put the new mark there; may
    be done again from any point.

    What lies deepest comes first: articles before the lists, feeds and the catalogue that lead to them.
    """
    gone = json.loads((new / _CHANGES).read_text("utf-8"))["gone"]
    for inside, _folders, files in os.walk(new, topdown=False):
        here = f"{public}{inside.removeprefix(str(new))}"
        os.makedirs(here, exist_ok=True)  # noqa: PTH103 - a thousand files
        for name in files:
            if name not in (_CHANGES, _MARK):
                os.replace(f"{inside}/{name}", f"{here}/{name}")  # noqa: PTH105 - likewise
    for path in gone:
        file = public / path
        file.unlink(missing_ok=True)
        with suppress(OSError):  # until a folder is not empty
            for above in PurePosixPath(path).parents[:-1]:
                (public / above).rmdir()
    (new / _MARK).replace(public / _MARK)
    (new / _CHANGES).unlink()


def _exchange(new: Path, public: Path) -> None:
    """At one stroke where the system can (https://man7.org/linux/man-pages/man2/rename.2.html); else the public
    folder is missing for an instant between two renamings."""
    if _swapped(new, public):
        return
    old = public.with_name(f".{public.name}.old")
    public.rename(old)
    try:
        new.rename(public)
    except OSError:
        old.rename(public)
        raise


def _swapped(one: Path, other: Path) -> bool:
    if sys.platform != "linux":
        return False
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    try:
        rename = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(here, os.fsencode(one.absolute()), here, os.fsencode(other.absolute()), exchange) == 0)


def _number(folder: Path) -> str:
    """Of the release in ``folder``: its mark is moved there with it, and nobody else has the same file to leave there;
    empty where there is no mark."""
    try:
        mark = (folder / _MARK).stat()
    except OSError:
        return ""
    return f"{mark.st_ino} {mark.st_mtime_ns} {boot_id()}"


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """One at a time: whoever else wants to replace ``folder``, or what it is made from, waits."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder.with_name(f".{folder.name}.lock")):
        yield


def _clear(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
