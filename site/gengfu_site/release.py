"""The public folder: is it ours to replace, and how a new release takes its place.

``mkdocs build`` empties its ``site_dir`` first; pointed at a folder of somebody else's (its default is
``site/``, where this program's own source lies) it would delete that. So a folder is only ever touched if it
is empty or carries our mark.
"""

from __future__ import annotations

import shutil
from pathlib import Path

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


def staging(folder: Path) -> Path:
    """An empty, marked folder beside ``folder`` in which its next release is made."""
    beside = folder.with_name(f".{folder.name}.next")
    shutil.rmtree(beside, ignore_errors=True)
    claim(beside)
    return beside


def switch(new: Path, folder: Path) -> None:
    """Put the finished release ``new`` in the place of ``folder``.

    Between two renames the folder is missing for an instant; a crash just then leaves both releases beside it.

    :raises NotOurs: as :func:`claim`.
    """
    claim(folder)
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
