"""Telling: push what is due now, run the timetable."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from gengfu_scheduler.cli.record import show_broadcast
from gengfu_scheduler.cli.shared import (
    Stop,
    err,
    expect_station,
    json_option,
    now,
    open_outbox,
    out,
    print_json,
    read_roster,
    say,
    show_notices,
    sure,
    tasks_folder,
)
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from gengfu_scheduler.forecast import Upcoming
    from gengfu_scheduler.outbox import Outbox
    from gengfu_scheduler.push import Pushed
    from gengfu_scheduler.roster import Roster


@click.command(
    help=_(
        "现在就发：TARGET 是时间表里的时段名，或一条已发布警情的编号。定时程序在运行就由它发，否则本命令自己发。"
    )
)
@click.argument("target")
@click.option("--dry-run", is_flag=True, help=_("只看会给每个群发什么，什么都不发、不记。"))
@click.option("--yes", is_flag=True, help=_("免打扰时间里、或者一小时内刚发过，也不再询问。"))
@json_option
@click.pass_obj
def push(folder: Path, target: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    from gengfu_scheduler import forecast
    from gengfu_scheduler.draft import draft_push

    roster = read_roster(folder)
    with open_outbox(folder, reading=dry_run) as outbox:
        draft = draft_push(target, roster, outbox.told, now())
        doubts = forecast.push_doubts(draft, roster, outbox, now())
        show_notices(doubts)
        if dry_run:
            preview = forecast.preview(draft, roster, slot=target, meant=len(draft.planned))
            if as_json:
                print_json(preview)
            else:
                _show_preview(preview)
            return

        if doubts and not yes and not sure(_("仍然现在就发？")):
            err.print(_("没有发。脚本里要不经询问就发，请加 --yes。"))
            sys.exit(1)

        from gengfu_scheduler.push import push as push_draft

        with aside(as_json), err.status(_("正在发送……")):
            pushed = push_draft(draft, folder, os.environ, outbox, clock=now, say=say)
        if show_pushed(pushed, folder, roster, outbox, as_json=as_json):
            sys.exit(1)


def aside(as_json: bool) -> AbstractContextManager[object]:
    """Groups on the console and what the admin is told must not get into the JSON."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def show_pushed(pushed: Pushed, folder: Path, roster: Roster, outbox: Outbox, *, as_json: bool) -> bool:
    """Show what became of it; whether there is something that a person must look at."""
    from gengfu_scheduler import report
    from gengfu_scheduler.state import running

    told = report.broadcast_report(outbox, pushed.broadcast.key, roster, now(), tasks=tasks_folder(folder))
    if as_json:
        print_json(told)
    else:
        if not pushed.added:
            out.print(_("这条内容以前已经发过，没有重复发送。当时的结果："))
        elif pushed.added < len(pushed.deliveries):
            out.print(_("以前发过，这次只发给以前没发到的 {n} 个群。").format(n=pushed.added))
        if pushed.by:
            out.print(_("由正在运行的定时程序（进程 {pid}）发送。").format(pid=pushed.by.pid))
        show_broadcast(told)
    if any(one.state == "pending" for one in told.look_at) and not running(folder):
        show_notices([_("现在没有定时程序在运行，等待发送的不会自己发出去：请运行 gengfu run。")])
    return bool(told.look_at)


@click.command(help=_("按时间表持续运行，直到 Ctrl+C 或被要求结束。"))
@click.pass_obj
def run(folder: Path) -> None:
    from gengfu_scheduler.report import standing_notices
    from gengfu_scheduler.runner import Runner
    from gengfu_scheduler.runner import run as keep_running
    from gengfu_scheduler.state import only_scheduler

    expect_station(folder)
    stop = Stop()
    with only_scheduler(folder), open_outbox(folder) as outbox:
        runner = Runner(folder, os.environ, outbox, clock=now, say=say, stopping=stop)
        for notice in standing_notices(runner.roster):
            say(notice)
        say(
            _("开始值更：{slots} 个时段，{groups} 个群。").format(
                slots=len(runner.roster.timetable.slots), groups=len(runner.roster.groups)
            )
        )
        keep_running(runner, stop, say)
        say(_("已停止，没有遗留正在发送的消息。"))


def _show_preview(preview: Upcoming) -> None:
    total = sum(len(telling.groups) for telling in preview.tellings)
    by_hand = sum(telling.ways.get("hand", 0) for telling in preview.tellings)
    out.print(
        _("{title}：将发往 {n} 个群，其中手工转发 {by_hand} 个。这是预演，什么都没有发。").format(
            title=escape(preview.title), n=total, by_hand=by_hand
        )
    )
    for telling in preview.tellings:
        out.print("\n" + escape(series(telling.names)), style="bold")
        text = telling.body or "\n".join(f"·{title}" for title in telling.items)
        out.print("\n".join(f"  {line}" for line in escape(text).splitlines()))
