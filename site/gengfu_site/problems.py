"""What is wrong with an officer's file, said so that the officer can mend it.

Ground floor of both halves: every reader of a file (articles, station, groups, timetable) reports
:class:`Problem` values, all of them in one run, and raises nothing for bad input.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from gengfu_templates.i18n import _

Severity = Literal["error", "warning"]
"""Whether a problem keeps the site from being published, or is only shown."""


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One thing to mend in one file.

    ``message`` says what was expected and what was found; ``remedy`` says what to do about it. Both are
    in the officer's language.
    """

    path: str
    """File as the officer knows it: relative to the station folder, ``/``-separated."""
    line: int = 1
    """1-based line in that file; 1 where the whole file is meant."""
    field: str = ""
    """Dotted name of the field, e.g. ``service.materials.0.name``; empty where no field is meant."""
    message: str
    remedy: str
    rule: str = ""
    """Id of the rule that was broken (:mod:`gengfu_site.rules`); empty where the file is not as it must be."""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}"
        field = f" [{self.field}]" if self.field else ""
        return f"{place}{field} {self.message} {self.remedy}"


class GengfuError(Exception):
    """Any failure this program foresees; its text is fit to be shown to an officer."""


class ProblemsFound(GengfuError):
    """Input has problems, and what was asked for cannot be done until they are mended."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def reason(error: OSError) -> str:
    """Why the system could not, in the officer's words; its own for what hardly ever happens.

    Windows says it in its user's language, and tells more apart: a file that another program holds.
    """
    known = None if getattr(error, "winerror", None) else _REASONS.get(error.errno or 0)
    return known or error.strerror or str(error)


_REASONS = {
    errno.EACCES: _("没有权限"),
    errno.EADDRINUSE: _("端口已被占用"),
    errno.EEXIST: _("已经有同名的文件"),
    errno.EISDIR: _("这是文件夹"),
    errno.ELOOP: _("链接文件绕成了圈"),
    errno.ENAMETOOLONG: _("名字太长"),
    errno.ENOENT: _("没有这个文件或文件夹"),
    errno.ENOSPC: _("磁盘满了"),
    errno.ENOTDIR: _("这不是文件夹"),
    errno.EPERM: _("没有权限"),
    errno.EROFS: _("磁盘是只读的"),
}


def shown(path: PurePath | str, root: PurePath) -> str:
    """``path`` as the officer knows it: below ``root`` where it lies there, with forward slashes."""
    name, above = str(path), f"{root}{os.sep}"
    if name.startswith(above):  # as nearly all are, and pathlib takes its time
        name = name[len(above) :].replace(os.sep, "/")
    else:
        path = PurePath(path)
        name = (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
    return name.encode("utf-8", "replace").decode()  # a name that is not UTF-8 can still be shown


def in_command(name: str) -> str:
    """``name`` as a command line takes it, in quotes where it needs some (cmd.exe knows no single ones)."""
    if re.fullmatch(r"[\w./@-]+", name):
        return name
    return shlex.quote(name) if re.search(r'["$`\\!]', name) else f'"{name}"'


_MOST_GUESSES = 20
"""In one file: one takes a millisecond, among the ids of a city's groups fifty."""


def nearest(word: str, known: Collection[str], *, before: int = 0) -> str | None:
    """The known word most likely meant by ``word``, or None where none is near.

    :param before: mistakes in the same file that come first; where these are many, nobody guesses any more.
    """
    from difflib import get_close_matches

    if before >= _MOST_GUESSES:
        return None
    # One sign in common is much of a word of two or three, and little of a longer one.
    close = get_close_matches(word, list(known), n=1, cutoff=0.5 if len(word) <= 3 else 0.6)
    return close[0] if close else None
