"""Commands that make the site: for residents, and as a preview for who writes."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gengfu_site import clock
from gengfu_site.cli.shared import err, out, settings_in, show_problems
from gengfu_site.cli.writing import show_brought
from gengfu_site.problems import GengfuError, Problem, ProblemsFound
from gengfu_site.settings import Settings
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from gengfu_site.publish import Published


_NAP = 0.1
"""Seconds after which it is looked whether somebody wants the watch to end."""


@click.command(help=_("检查全部文章并生成网站。有问题就一个不落地列出来，网站保持原样。"))
@click.option(
    "--watch",
    "watching",
    is_flag=True,
    help=_("一直开着：文章到时上线、到期失效，源文件一改就重新生成，直到按 Ctrl+C。"),
)
@click.pass_obj
def build(folder: Path, watching: bool) -> None:
    if watching:
        _keep_up(folder)
    else:
        _build(settings_in(folder))


def _build(settings: Settings) -> None:
    from gengfu_site.publish import publish

    with Progress(
        TextColumn(_("生成网页")),
        BarColumn(),
        TextColumn(_("{task.completed} 个文件")),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=None)
        published = publish(settings, clock.now(), lambda written: progress.update(task, completed=written))
    out.print(_made(published))
    if published.held:
        show_problems(published.held)


def _made(published: Published) -> str:
    return _("已发布 {articles} 篇文章（{files} 个文件）到 {folder}").format(
        articles=published.articles, files=published.files, folder=escape(str(published.folder))
    )


def _keep_up(folder: Path) -> None:
    """Say what each round did; what is to be mended, and what is in the way, once."""
    from gengfu_site.watch import watch

    asked: list[int] = []
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if number := getattr(signal, name, None):
            # It only notes the wish: a release that is being put in its place is put there whole.
            signal.signal(number, lambda number, _frame: asked.append(number))

    def wait(seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NAP))
        return bool(asked)

    told: tuple[tuple[Problem, ...], str] = (), ""
    for made in watch(lambda: settings_in(folder), clock.now, wait):
        if made.published:
            out.print(_at(made.at) + _made(made.published) + _next(made.until))
        if (made.problems, made.trouble) != told:
            told = made.problems, made.trouble
            if made.problems:
                show_problems(made.problems)
            if made.trouble:
                err.print(_at(made.at) + escape(made.trouble), style="bold red")
            if not made.published and made.problems:
                err.print(_at(made.at) + _("网站保持原样。改好、保存，会自己重新生成。"))


def _at(moment: datetime) -> str:
    return f"{moment.astimezone():%m-%d %H:%M:%S}  "


def _next(until: datetime | None) -> str:
    if until is None:
        return ""
    return _("，下次自动更新：{when}").format(when=f"{until.astimezone():%Y-%m-%d %H:%M}")


@click.command(help=_("在浏览器里预览，保存文章后自动刷新；放进 inbox 文件夹的 Word 和文本变成文章。"))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.pass_obj
def serve(folder: Path, host: str, port: int) -> None:
    from gengfu_site.intake import INBOX
    from gengfu_site.plugin import live_server
    from gengfu_site.publish import preview

    first = settings_in(folder)
    inbox = first.folder / INBOX
    inbox.mkdir(exist_ok=True)
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
                settings = settings_in(folder)
                _receive(settings)
                problems = preview(settings, clock.now(), target, live=True)
            except ProblemsFound as error:
                problems = list(error.problems)
            except GengfuError as error:  # e.g. the editor has just moved the file away
                err.print(escape(str(error)), style="bold red")
                return
            if problems:
                show_problems(problems)
            elif troubled:
                out.print(_("没有问题了。"), style="green")
            troubled = bool(problems)

        def begin() -> None:
            rebuild()
            out.print(_("预览地址：{url}（按 Ctrl+C 结束）").format(url=server.url))

        server = live_server(rebuild, target, first, host, port, begin)
        server.watch(str(inbox))
        try:
            server.serve(open_in_browser=False)  # type: ignore[no-untyped-call]
        except KeyboardInterrupt:
            server.shutdown()


def _receive(settings: Settings) -> None:
    """Make articles of what lies in the inbox, and say so."""
    from gengfu_site.intake import take_in

    problems: list[Problem] = []
    try:
        for brought in take_in(settings, clock.now(), time.sleep):
            show_brought(brought, settings)
            problems += brought.problems
    except OSError as error:  # the preview goes on without
        said = _("inbox 文件夹用不了（{reason}），里面的文件没有动。").format(reason=error.strerror or error)
        err.print(escape(said), style="bold red")
    if problems:
        show_problems(problems)
