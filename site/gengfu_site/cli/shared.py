"""What the site's commands have in common: the station's settings, how problems are shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from gengfu_site.cli.screen import err, escape
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, in_command
from gengfu_site.settings import FILE, Settings, read_settings
from gengfu_templates.i18n import _


class NoStation(GengfuError):
    """The folder has no ``mkdocs.yml``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = _near(folder.resolve())
        words = (
            _("{folder} 里没有 mkdocs.yml，不是站点文件夹。站点在 {found}：先运行 cd {there}")
            if found
            else _(
                "{folder} 里没有 mkdocs.yml，不是一个站点文件夹。请进入站点文件夹，或先运行 gengfu init 新建一个。"
            )
        )
        there = in_command(str(found))
        super().__init__(words.format(folder=folder.resolve(), found=found, there=there))


def _near(folder: Path) -> Path | None:
    """The station that ``folder`` lies in, or the one that lies in it."""
    above = (one for one in folder.parents if (one / FILE).is_file())
    with suppress(OSError):
        within = [file.parent for file in folder.glob(f"*/{FILE}")]
        return next(above, within[0] if len(within) == 1 else None)
    return None


def at_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty()


def settings_in(folder: Path) -> Settings:
    """The settings of the station in ``folder``.

    :raises NoStation: there is none.
    :raises ProblemsFound: its ``mkdocs.yml`` has problems.
    """
    file = folder / FILE
    if not file.is_file():
        raise NoStation(folder)
    settings, problems = read_settings(file)
    if settings is None:
        raise ProblemsFound(problems)
    return settings


def settings_if_any(folder: Path) -> Settings | None:
    """The same; None where the site is not made here.

    :raises ProblemsFound: as :func:`settings_in`.
    """
    return settings_in(folder) if (folder / FILE).is_file() else None


def show_problems(problems: Sequence[Problem]) -> None:
    """Every problem, by file, with what to do about it; warnings by their name."""
    for path, group in groupby(sorted(problems), key=lambda p: p.path):
        err.print(f"\n[bold]{escape(path)}[/]")
        for problem in group:
            line = _("第 {line} 行").format(line=problem.line)
            field = f" [cyan]{escape(problem.field)}[/]" if problem.field else ""
            mild = "[dim]" + _("提醒：") + "[/]" if problem.severity == "warning" else ""
            err.print(f"  [yellow]{line}[/]{field}  {mild}{escape(problem.message)}")
            err.print(f"      → {escape(problem.remedy)}", style="green")
    warnings = sum(problem.severity == "warning" for problem in problems)
    counts = []
    if errors := len(problems) - warnings:
        counts.append(_("共 {n} 个问题。").format(n=errors))
    if warnings:
        counts.append(_("{n} 处提醒，不影响发布。").format(n=warnings))
    err.print("\n" + "".join(counts), style="bold red" if errors else "bold yellow")
