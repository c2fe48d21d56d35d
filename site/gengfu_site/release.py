"""The public folder: is it ours to replace, and how a new release takes its place.

``mkdocs build`` empties its ``site_dir`` first; pointed at a folder of somebody else's (its default is
``site/``, where this program's own source lies) it would delete that. So a folder is only ever touched if it
is empty or carries our mark.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gengfu_site.alone import alone
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

_MARK = ".gengfu-site"
_MARK_TEXT = "Everything in this folder is replaced by the next build.\n"


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


def claim(folder: Path) -> None:
    """Make ``folder`` and mark it as ours.

    :raises NotOurs: it holds something and no mark.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise NotOurs(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text(_MARK_TEXT, encoding="utf-8", newline="\n")


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty, marked folder that takes the place of ``folder`` when the block ends well.

    In :func:`turn`; what is to be published is read within the block, so that nobody puts in place what has
    changed while they waited. Where the block fails, ``folder`` stays as it was. Between two renames it is missing
    for an instant; after a crash just then the new release is put in place first, and of the old one nothing stays:
    a person's data must not outlast its release.

    :raises NotOurs: as :func:`claim`.
    """
    new, old = (folder.with_name(f".{folder.name}.{word}") for word in ("next", "old"))
    with turn(folder):
        if new.exists() and old.exists() and not folder.exists():
            new.rename(folder)
        claim(folder)
        try:
            _clear(new, old)
            claim(new)
            yield new
            folder.rename(old)
            try:
                new.rename(folder)
            except OSError:
                old.rename(folder)
                raise
        finally:
            _clear(new, old)


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """One at a time: whoever else wants to replace ``folder``, or what it is made from, waits."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder.with_name(f".{folder.name}.lock")):
        yield


def _clear(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
