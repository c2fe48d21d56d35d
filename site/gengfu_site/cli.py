"""The site's commands, thin: each says what it did with what a function of this half returned.

``gengfu_scheduler.cli`` puts them under the one command ``gengfu``; the station's folder is the click
context's object.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gengfu_site import clock
from gengfu_site.catalogue import KINDS, Kind
from gengfu_site.problems import GengfuError, Problem, ProblemsFound
from gengfu_site.settings import FILE, Settings, read_settings
from gengfu_templates.i18n import _, series

# Not wrapped: a command in a remedy must survive being copied.
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


class NoStation(GengfuError):
    """The folder has no ``mkdocs.yml``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            _(
                "{folder} 里没有 mkdocs.yml，不是一个站点文件夹。请进入站点文件夹，或先运行 gengfu init 新建一个。"
            ).format(folder=folder.resolve())
        )


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


def show_problems(problems: Sequence[Problem], *, as_json: bool = False) -> None:
    """Every problem, by file, with what to do about it."""
    if as_json:
        click.echo(json.dumps([asdict(p) for p in problems], ensure_ascii=False, indent=1))
        return
    for path, group in groupby(sorted(problems), key=lambda p: p.path):
        _err.print(f"\n[bold]{escape(path)}[/]")
        for problem in group:
            line = _("第 {line} 行").format(line=problem.line)
            field = f" [cyan]{escape(problem.field)}[/]" if problem.field else ""
            _err.print(f"  [yellow]{line}[/]{field}  {escape(problem.message)}")
            _err.print(f"      → {escape(problem.remedy)}", style="green")
    _err.print("\n" + _("共 {n} 个问题。").format(n=len(problems)), style="bold red")


def _file_name(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    from gengfu_site.settings import RESERVED
    from gengfu_site.start import NAME

    if name is not None and (name in RESERVED or not NAME.fullmatch(name)):
        raise click.BadParameter(
            _("“{name}”不能用作文件名：只用小写字母、数字和连字符，例如 fake-refund。").format(name=name)
        )
    return name


@click.command(help=_("写一篇新文章：KIND 是 {kinds} 之一。").format(kinds=series(KINDS)))
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("title")
@click.option(
    "--name", callback=_file_name, help=_("文件名（也是网址），小写字母、数字和连字符；不写就用编号。")
)
@click.pass_obj
def new(folder: Path, kind: Kind, title: str, name: str | None) -> None:
    from gengfu_site.library import load
    from gengfu_site.start import new_article

    settings = settings_in(folder)
    at = clock.now()
    library, _problems = load(settings, at)
    file = new_article(settings, kind, title, at, {a.id for a in library.articles}, name)
    _out.print(_("已写好 {file}，补上摘要和正文，再运行 gengfu check。").format(file=escape(str(file))))


@click.command(help=_("检查全部文章并生成网站。有问题就一个不落地列出来，网站保持原样。"))
@click.pass_obj
def build(folder: Path) -> None:
    from gengfu_site.publish import publish

    settings = settings_in(folder)
    with Progress(
        TextColumn(_("生成网页")),
        BarColumn(),
        TextColumn(_("{task.completed} 个文件")),
        TimeElapsedColumn(),
        console=_err,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=None)
        published = publish(settings, clock.now(), lambda written: progress.update(task, completed=written))
    _out.print(
        _("已发布 {articles} 篇文章（{files} 个文件）到 {folder}").format(
            articles=published.articles, files=published.files, folder=escape(str(published.folder))
        )
    )


@click.command(help=_("在浏览器里预览，保存文章后自动刷新。"))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.pass_obj
def serve(folder: Path, host: str, port: int) -> None:
    from gengfu_site.plugin import live_server
    from gengfu_site.publish import preview

    first = settings_in(folder)
    for name in ("SIGTERM", "SIGHUP"):
        # A window that is closed leaves no more behind than Ctrl+C: a missing person's data may be among it.
        if number := getattr(signal, name, None):
            signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="gengfu-") as made:
        target = Path(made, "public")

        troubled = False

        def rebuild() -> None:
            nonlocal troubled
            try:
                problems = preview(settings_in(folder), clock.now(), target, live=True)
            except ProblemsFound as error:
                problems = list(error.problems)
            except GengfuError as error:  # e.g. the editor has just moved the file away
                _err.print(escape(str(error)), style="bold red")
                return
            if problems:
                show_problems(problems)
            elif troubled:
                _out.print(_("没有问题了。"), style="green")
            troubled = bool(problems)

        rebuild()
        server = live_server(rebuild, target, first, host, port)
        _out.print(_("预览地址：{url}（按 Ctrl+C 结束）").format(url=server.url))
        try:
            server.serve(open_in_browser=False)  # type: ignore[no-untyped-call]
        except KeyboardInterrupt:
            server.shutdown()


COMMANDS = (new, build, serve)
