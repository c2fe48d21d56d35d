"""Commands of who writes: a new article, one from a Word file, what a program can mend by itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_site import clock
from gengfu_site.catalogue import KINDS, Kind
from gengfu_site.cli.screen import err, escape, out
from gengfu_site.cli.shared import at_terminal, settings_in, show_problems
from gengfu_site.problems import Problem, shown
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from gengfu_site.fix import Fixed
    from gengfu_site.intake import Brought
    from gengfu_site.settings import Settings

_MOST_LINES = 20
"""Of what changed in a file."""


def _file_name(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    from gengfu_site.cli.asking import usable_name

    try:
        return usable_name(name)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_NAME = click.option(
    "--name", callback=_file_name, help=_("文件名（也是网址），小写字母、数字和连字符；不写就用编号。")
)


@click.command(help=_("写一篇新文章，没写的一样一样问。栏目是 {kinds} 之一。").format(kinds=series(KINDS)))
@click.argument("kind", metavar=_("[栏目]"), type=click.Choice(KINDS), required=False)
@click.argument("title", metavar=_("[标题]"), required=False)
@_NAME
@click.pass_obj
def new(folder: Path, kind: Kind | None, title: str | None, name: str | None) -> None:
    from gengfu_site.cli.asking import asked, asked_name
    from gengfu_site.start import Beginning, ids_in, new_article

    settings = settings_in(folder)
    if at_terminal():
        try:
            begun = asked(settings, kind, title)
            name = name or asked_name()
        except click.Abort:
            err.print("\n" + _("停了，没有写文件。"))
            sys.exit(1)
    elif kind and title:
        begun = Beginning(kind=kind, title=title)
    else:
        raise click.UsageError(_('写明栏目和标题，例如：gengfu new fraud "假冒客服退款"。'))
    file = new_article(settings, begun, clock.now(), ids_in(settings), name)
    written = escape(shown(file, settings.folder))
    out.print(_("已写好 {file}。打开它，把【待写】换成要说的话，再运行 gengfu check。").format(file=written))


@click.command(
    "import",
    help=_("把 Word（docx）、纯文本或 Markdown 文件变成文章，原件不动。也可以写一个文件夹。"),
)
@click.argument("files", metavar=_("文件..."), nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), help=_("栏目；不写就按标题猜，并说出来。"))
@_NAME
@click.pass_obj
def import_(folder: Path, files: tuple[Path, ...], kind: Kind | None, name: str | None) -> None:
    from gengfu_site.intake import bring_in, documents_first, holds_station, sources
    from gengfu_site.start import ids_in

    settings = settings_in(folder)
    if whole := [file for file in files if holds_station(file, settings)]:
        raise click.UsageError(
            _("{folder} 里有整个站点，多数不是文章。写文章所在的文件夹，或文件名。").format(folder=whole[0])
        )
    found = documents_first(source for file in files for source in sources(file.absolute()))
    if name and len(found) > 1:
        raise click.UsageError(_("--name 只能给一个文件用，这里有 {n} 个。").format(n=len(found)))
    if not found:
        raise click.UsageError(_("文件夹里没有文件。"))
    problems: list[Problem] = []
    taken, along = ids_in(settings), set[Path]()
    for source in found:
        if Path(os.path.realpath(source)) in along:
            continue
        brought = bring_in(settings, source, clock.now(), taken, kind=kind, name=name)
        show_brought(brought, settings)
        along |= set(brought.originals)
        problems += brought.problems
    if problems:
        show_problems(problems)
        sys.exit(1)


def show_brought(brought: Brought, settings: Settings) -> None:
    """What became of a file that was to be an article; its problems are shown elsewhere."""
    if not brought.article:
        return
    said = _("{source} → {article}，图片 {n} 张").format(
        source=brought.source, article=shown(brought.article, settings.folder), n=len(brought.pictures)
    )
    out.print(escape(said), style="green")
    for note in brought.notes:
        out.print(f"  · {escape(note)}")


@click.command(
    help=_(
        "修好能放心修的：编码、换行、全角空格和冒号、缺的编号和日期、图片的大小和拍摄信息。"
        "可以写文章、图片或文件夹，不写就是全部。"
    )
)
@click.argument("paths", metavar=_("[文件...]"), nargs=-1)
@click.option("--dry-run", is_flag=True, help=_("只说会改什么，不动文件。"))
@click.pass_obj
def fix(folder: Path, paths: tuple[str, ...], dry_run: bool) -> None:
    from gengfu_site.fix import fix as mend
    from gengfu_site.meant import place

    settings = settings_in(folder)
    problems: list[Problem] = []
    mended = 0
    named = [place(settings, path) for path in paths]
    for fixed in mend(settings, named, clock.now(), dry_run=dry_run):
        _show_fixed(fixed)
        mended += bool(fixed.done)
        problems += fixed.problems
    said = _("会改 {n} 个文件，还没有动。") if dry_run else _("改了 {n} 个文件。")
    out.print(said.format(n=mended) if mended else _("没有要改的。"))
    if problems:
        show_problems(problems)
        sys.exit(1)


def _show_fixed(fixed: Fixed) -> None:
    if not fixed.done:
        return
    out.print(f"[bold]{escape(fixed.path)}[/]  {escape(series(fixed.done))}")
    for line in fixed.diff[:_MOST_LINES]:
        out.print(f"  {escape(line)}", style="red" if line.startswith("-") else "green")
    if (more := len(fixed.diff) - _MOST_LINES) > 0:
        out.print("  " + _("…… 还有 {n} 行").format(n=more))
