"""Commands that make the site: for residents, and as a preview for who writes."""

from __future__ import annotations

import gc
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from gengfu_site import clock
from gengfu_site.cli.screen import err, escape, out
from gengfu_site.cli.shared import settings_in, show_problems
from gengfu_site.cli.writing import show_brought
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, reason
from gengfu_site.settings import Settings
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from gengfu_site.output import Site
    from gengfu_site.preview import Looks, Shown
    from gengfu_site.publish import Published
    from gengfu_site.watch import Round


_HANDOVER = 0.0005
"""Seconds for which the rest of a preview may be made before whoever answers for a page has its turn."""
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
    from gengfu_site.parallel import building

    with _progress() as progress, building():
        from gengfu_site.publish import publish

        published = publish(settings, clock.now(), progress, once=True)
        gc.freeze()  # the program is about to end: nobody need look through what it leaves
    click.echo(_made(published))
    if published.held:
        show_problems(published.held)


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Is told how many files are written, and shows it where somebody looks on."""
    if not sys.stderr.isatty():
        yield lambda written: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn(_("生成网页")),
        BarColumn(),
        TextColumn(_("{task.completed} 个文件")),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        auto_refresh=False,  # by a thread, beside which no work is spread (gengfu_site.parallel)
    ) as shown:
        task = shown.add_task("", total=None)
        shown.refresh()
        yield lambda written: shown.update(task, completed=written, refresh=True)


def _made(published: Published) -> str:
    return _("已发布 {articles} 篇文章（{files} 个文件）到 {folder}").format(
        articles=published.articles, files=published.files, folder=published.folder
    )


def _keep_up(folder: Path) -> None:
    """Say what each round did; what is to be mended, and what is in the way, once."""
    asked: list[int] = []
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if number := getattr(signal, name, None):
            # It only notes the wish: a release that is being put in its place is put there whole. Python itself, where
            # it is busy importing, may lose an interruption or stumble over it.
            signal.signal(number, lambda number, _frame: asked.append(number))
    from gengfu_site.watch import watch

    def wait(seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NAP))
        return bool(asked)

    told: tuple[tuple[Problem, ...], str] = (), ""
    for made in watch(lambda: settings_in(folder), clock.now, wait):
        if made.published:
            click.echo(_at(made.at) + _made(made.published) + _next(made))
        if (made.problems, made.trouble) != told:
            told = made.problems, made.trouble
            if made.problems:
                show_problems(made.problems)
            if made.trouble:
                err.print(_at(made.at) + escape(made.trouble), style="bold red")
            if not made.published and made.problems:
                err.print(_at(made.at) + _("网站保持原样。改好、保存，会自己重新生成。"))


def _at(moment: datetime) -> str:
    return f"{moment:%m-%d %H:%M:%S}  "


def _next(made: Round) -> str:
    if made.until is None:
        return ""
    return _("，下次自动更新：{when}").format(when=f"{made.until.astimezone(made.at.tzinfo):%Y-%m-%d %H:%M}")


def serve(folder: Path, host: str, port: int, looks: Looks | None = None) -> None:
    """Keep a preview of the station in ``folder`` until Ctrl+C; say what it shows and what is to be mended.

    :param looks: how chat groups see an article.
    """
    from gengfu_site.intake import INBOX
    from gengfu_site.library import Library
    from gengfu_site.preview import Changes, Desk, Server, Shown

    settings = settings_in(folder)
    inbox = settings.folder / INBOX
    inbox.mkdir(exist_ok=True)
    sys.setswitchinterval(_HANDOVER)
    for name in ("SIGTERM", "SIGHUP"):
        # A window that is closed leaves no more behind than Ctrl+C: a missing person's data may be among it.
        if number := getattr(signal, name, None):
            signal.signal(number, signal.default_int_handler)
    with (
        suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="gengfu-") as made,
        Changes(inbox) as changes,
    ):
        nothing = Library(settings=settings, articles=())
        desk = Desk(Shown(at=clock.now(), folder=Path(made, "public"), library=nothing), looks)
        changes.note(settings)
        with Server(host, port, desk.answer, first=time.time_ns() // 1_000_000) as server:

            def show(shown: Shown) -> None:
                desk.shown = shown
                server.changed()

            troubled = False
            while True:
                _renew(folder, desk.shown, show)
                troubled = _report(desk.shown, troubled)
                if not server.listening:
                    server.start()
                    out.print(_("预览地址：{url}（按 Ctrl+C 结束）").format(url=server.url))
                    out.print(_("全站的检查结果：{url}").format(url=f"{server.url}/.preview/problems"))
                changes.wait(desk.shown.library.settings, desk.shown.until, clock.now)


def _renew(folder: Path, before: Shown, show: Callable[[Shown], None]) -> None:
    """Show what the station's files make by now, from when they are read, and make it; where they make nothing, what
    was shown ``before``, and why."""
    from gengfu_site.instants import next_instant
    from gengfu_site.preview import Shown
    from gengfu_site.publish import preview
    from gengfu_site.urgent import NotWritten
    from gengfu_site.watch import AGAIN

    at, whole = clock.now(), Event()

    def begun(site: Site, problems: Sequence[Problem]) -> None:
        show(
            Shown(
                at=at,
                folder=before.folder,
                library=site.library,
                problems=tuple(problems),
                until=next_instant(site.library, at),
                site=site,
                whole=whole,
            )
        )

    try:
        settings = settings_in(folder)
        _receive(settings)
        preview(settings, at, before.folder, begun)
    except ProblemsFound as error:
        trouble = _("设置有错，下面是改之前的样子。")
        show(replace(before, problems=error.problems, trouble=trouble, until=None))
    except (GengfuError, OSError) as error:  # e.g. the editor has just moved the file away
        trouble = str(NotWritten(error) if isinstance(error, OSError) else error)
        show(replace(before, trouble=trouble, until=at + AGAIN))
    finally:
        whole.set()


def _report(shown: Shown, troubled: bool) -> bool:
    """Say what is to be mended, and once that nothing is any more; returns whether something is."""
    if shown.trouble:
        err.print(escape(shown.trouble), style="bold red")
    if shown.problems:
        show_problems(shown.problems)
    elif troubled and not shown.trouble:
        out.print(_("没有问题了。"), style="green")
    return bool(shown.problems or shown.trouble)


def _receive(settings: Settings) -> None:
    """Make articles of what lies in the inbox, and say so."""
    from gengfu_site.intake import take_in

    problems: list[Problem] = []
    try:
        for brought in take_in(settings, clock.now(), time.sleep):
            show_brought(brought, settings)
            problems += brought.problems
    except OSError as error:  # the preview goes on without
        said = _("inbox 文件夹用不了（{reason}），里面的文件没有动。").format(reason=reason(error))
        err.print(escape(said), style="bold red")
    if problems:
        show_problems(problems)
