"""Telling: push what is due now, send again what came to grief, stop, run the timetable."""

from __future__ import annotations

import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_scheduler.cli.record import named, show_broadcast, show_no_desk
from gengfu_scheduler.cli.shared import (
    Log,
    Stop,
    by_option,
    expect_station,
    json_option,
    now,
    open_outbox,
    print_json,
    read_roster,
    record,
    recording_failure,
    say,
    show_notices,
    sure,
    task_pages,
    who,
)
from gengfu_scheduler.notes import Note
from gengfu_site.cli.screen import err, escape, out
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gengfu_scheduler.forecast import Upcoming
    from gengfu_scheduler.message import Delivery
    from gengfu_scheduler.outbox import Outbox
    from gengfu_scheduler.push import Ended, Pushed
    from gengfu_scheduler.roster import Roster
    from gengfu_scheduler.timetable import Place


@click.command(
    help=_(
        "现在就发一个时段或一条警情。写时间表里的时段名，或一条已发布警情的编号。"
        "定时程序在运行就由它发，否则本命令自己发。"
    )
)
@click.argument("target", metavar=_("时段或编号"))
@click.option("--dry-run", is_flag=True, help=_("只看会给每个群发什么，什么都不发、不记。"))
@click.option("--yes", is_flag=True, help=_("免打扰时间里、或者一小时内刚发过，也不再询问。"))
@by_option
@json_option
@click.pass_obj
def push(folder: Path, target: str, dry_run: bool, yes: bool, by: str | None, as_json: bool) -> None:
    from gengfu_scheduler import forecast
    from gengfu_scheduler.draft import draft_push

    roster = read_roster(folder)
    with open_outbox(folder, reading=dry_run) as outbox:
        draft = draft_push(target, roster, outbox.told, now())
        doubts = forecast.push_doubts(draft, roster, outbox, now())
        show_notices(doubts)
        if dry_run:
            preview = forecast.preview(draft, roster, slot=target)
            if as_json:
                print_json(preview)
            else:
                _show_preview(preview)
            return

        if doubts and not yes and not sure(_("仍然现在就发？")):
            err.print(_("没有发。脚本里要不经询问就发，请加 --yes。"))
            sys.exit(1)

        from gengfu_scheduler.push import push as push_draft

        begun = recording_failure(folder, by, "push", target=target, broadcast=draft.broadcast.key)
        with begun, aside(as_json), err.status(_("正在发送……")):
            pushed = push_draft(draft, folder, os.environ, outbox, clock=now, say=say)
        record(folder, by, "push", target=target, broadcast=pushed.broadcast.key, deliveries=pushed.added)
        if show_pushed(pushed, folder, roster, outbox, as_json=as_json):
            sys.exit(1)


_LOOK = 0.2
"""Seconds between two looks at whether the other scheduler still sends."""
_RESENDABLE: tuple[Ended, ...] = ("unknown", "rejected")


@click.command(
    help=_(
        "把一次发送里结果不明的、被拒的再发一次。发送编号见 gengfu status。"
        "不明的可能已经到了，重发的会注明“重发”。"
    )
)
@click.argument("key", metavar=_("发送编号"))
@click.option("--unknown", is_flag=True, help=_("结果不明的。"))
@click.option("--rejected", is_flag=True, help=_("被平台拒绝的。"))
@click.option("--group", "groups", multiple=True, help=_("只重发给这个群（编号）；可以写几次。"))
@click.option("--yes", is_flag=True, help=_("不再询问，供脚本用。"))
@by_option
@json_option
@click.pass_obj
def resend(
    folder: Path,
    key: str,
    unknown: bool,
    rejected: bool,
    groups: tuple[str, ...],
    yes: bool,
    by: str | None,
    as_json: bool,
) -> None:
    from gengfu_scheduler import push as pushing

    states = [state for state, chosen in zip(_RESENDABLE, (unknown, rejected), strict=True) if chosen]
    if not states:
        raise click.UsageError(_("写上 --unknown（结果不明的）或 --rejected（被拒的），也可以都写。"))
    roster = read_roster(folder)
    with open_outbox(folder) as outbox:
        chosen = pushing.to_resend(key, states, groups or None, outbox)
        _show_chosen(chosen, roster, outbox)
        if not yes and not sure(_("再发一次？")):
            err.print(_("没有发。脚本里要不经询问就发，请加 --yes。"))
            sys.exit(1)
        only = {delivery.group for delivery in chosen}  # as was said yes to, whatever ended meanwhile
        begun = recording_failure(folder, by, "resend", broadcast=key, states=states, groups=sorted(only))
        with begun, aside(as_json), err.status(_("正在发送……")):
            pushed = pushing.resend(key, states, only, folder, os.environ, outbox, clock=now, say=say)
        record(folder, by, "resend", broadcast=key, states=states, groups=sorted(only))
        if show_pushed(pushed, folder, roster, outbox, as_json=as_json):
            sys.exit(1)


def _show_chosen(chosen: Sequence[Delivery], roster: Roster, outbox: Outbox) -> None:
    """What is about to be sent again, group by group, and what a person should know before."""
    names = {id: group.name for id, group in roster.groups.items()}
    for state, words in (
        ("unknown", _("不明 {n} 个群，可能已经收到，会注明“重发”：{names}")),
        ("rejected", _("被拒 {n} 个群，没有收到：{names}")),
    ):
        ids = dict.fromkeys(delivery.group for delivery in chosen if delivery.state == state)
        if ids:
            err.print(words.format(n=len(ids), names=escape(series(named(names.get(i, i), i) for i in ids))))
    disabled = outbox.disabled().keys() & {delivery.group for delivery in chosen}
    if disabled:
        shown = series(names.get(id, id) for id in sorted(disabled))
        show_notices(
            [_("其中已停用、要先修好并用 gengfu groups test 恢复才发得出去的：{names}").format(names=shown)]
        )


@click.command(help=_("停止一次发送：还没发的不再发，也不再请人转发。发送编号见 gengfu status。"))
@click.argument("key", metavar=_("发送编号"))
@click.option("--yes", is_flag=True, help=_("不再询问，供脚本用。"))
@by_option
@click.pass_obj
def stop(folder: Path, key: str, yes: bool, by: str | None) -> None:
    from gengfu_scheduler import push as pushing
    from gengfu_scheduler import report

    roster = read_roster(folder)
    with open_outbox(folder) as outbox:
        known = outbox.broadcast(key)
        if known:
            err.print(f"[bold]{escape(known.broadcast.title)}[/]  {escape(report.counted(known))}")
            reached = sum(known.counts.get(state, 0) for state in ("sent", "sending", "unknown"))
            left = sum(known.counts.get(state, 0) for state in ("pending", "handed"))
            if not left:
                out.print(_("没有还要发的，不用停止。"))
                return
            err.print(
                _(
                    "已经发出的（含结果不明、正在发送）{reached} 条收不回来；还没发、等人转发的 {left} 条不再发。"
                ).format(reached=reached, left=left)
            )
            if not yes and not sure(_("停止这次发送？")):
                err.print(_("没有停止，照常发送。"))
                sys.exit(1)
        ended = pushing.stop(key, by or who(), outbox, now=now())
        record(folder, by, "stop", broadcast=key, ended=ended)
        told = report.broadcast_report(outbox, key, roster, now(), pages=task_pages(folder))
    out.print(_("已停止，{n} 条不再发。").format(n=ended))
    show_broadcast(told)


def aside(as_json: bool) -> AbstractContextManager[object]:
    """Groups on the console and what the admin is told must not get into the JSON."""
    return redirect_stdout(sys.stderr) if as_json else nullcontext()


def show_pushed(
    pushed: Pushed, folder: Path, roster: Roster | None, outbox: Outbox, *, as_json: bool, **also: object
) -> bool:
    """Show what became of it; whether there is something that a person must look at.

    :param also: further members of the JSON.
    """
    from gengfu_scheduler import report
    from gengfu_scheduler.state import running

    told = report.broadcast_report(outbox, pushed.broadcast.key, roster, now(), pages=task_pages(folder))
    if as_json:
        print_json(told, **also)
    else:
        if not pushed.added:
            out.print(_("这条内容以前已经发过，没有重复发送。当时的结果："))
        elif pushed.added < len(pushed.deliveries):
            out.print(_("以前发过，这次只补发以前没发到的 {n} 条。").format(n=pushed.added))
        if pushed.by and pushed.added:
            out.print(_("由正在运行的定时程序（进程 {pid}）发送。").format(pid=pushed.by.pid))
        if pushed.elsewhere and pushed.added:
            out.print(_("由另一台机器上的定时程序发送：两边用同一个数据库。"))
        show_broadcast(told)
        show_no_desk([told])
    nobody = not (pushed.elsewhere or running(folder))
    if nobody and any(one.state == "pending" for one in told.look_at):
        show_notices([_("现在没有定时程序在运行，等待发送的不会自己发出去：请运行 gengfu run。")])
    return bool(told.look_at)


@click.command(help=_("按时间表持续运行，并把手工转发的任务页面开在单位网络里，直到 Ctrl+C 或被要求结束。"))
@click.option(
    "--listen",
    default=None,
    metavar="HOST:PORT",
    help=_("任务页面开在哪里，代替 timetable.yml 里 desk 的 listen；off 是不开。"),
)
@click.option("--standby", is_flag=True, help=_("已有一个在值更就待命，它一停马上接班。"))
@click.option(
    "--log",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help=_("说了什么，写成给人看的行，还是给程序读的 JSON（每行一个）。"),
)
@click.pass_obj
def run(folder: Path, listen: str | None, standby: bool, form: str) -> None:
    stop = Stop()
    from gengfu_scheduler.outbox import AnotherSends
    from gengfu_scheduler.state import AlreadyRunning, only_scheduler

    expect_station(folder)
    log = Log(as_json=form == "json")
    turn = _Turn(stop, log, standby=standby)
    try:
        with only_scheduler(folder, wait=turn.wait), open_outbox(folder, only_scheduler=True) as outbox:
            turn.be_only_sender(outbox)
            _keep_watch(folder, outbox, stop, listen, log)
    except (AlreadyRunning, AnotherSends):
        if not (standby and stop()):
            raise


class _Turn:
    """Waits for the end of the scheduler that runs already, where this one stands by."""

    def __init__(self, stop: Stop, log: Log, *, standby: bool) -> None:
        self._stop = stop
        self._log = log
        self._standby = standby
        self._said = False

    def wait(self) -> bool:
        if self._standby and not self._said:
            self._said = True
            self._log(Note(_("待命：另一个定时程序正在值更，它一停就接班。"), "standby"))
        return self._standby and not self._stop()

    def be_only_sender(self, outbox: Outbox) -> None:
        from gengfu_scheduler.outbox import AnotherSends

        while True:
            try:
                outbox.be_only_sender()
            except AnotherSends:
                if not self.wait():
                    raise
                time.sleep(_LOOK)
            else:
                return


def _keep_watch(folder: Path, outbox: Outbox, stop: Stop, listen: str | None, log: Log) -> None:
    from gengfu_scheduler.desk import keep_desk
    from gengfu_scheduler.report import standing_notices
    from gengfu_scheduler.runner import Runner
    from gengfu_scheduler.runner import run as keep_running

    runner = Runner(folder, os.environ, outbox, clock=now, say=log, stopping=stop)
    table = runner.roster.timetable
    log.zone = table.timezone
    for notice in standing_notices(runner.roster):
        log(Note(notice, "notice", "warning"))
    text = _("开始值更：{slots} 个时段，{groups} 个群。").format(
        slots=len(table.slots), groups=len(runner.roster.groups)
    )
    log(Note(text, "started"))
    place = table.desk if listen is None else _place(listen)
    with keep_desk(folder, runner, outbox, place, table.desk_url, clock=now, say=log):
        keep_running(runner, stop, log)
    log(Note(_("已停止，没有遗留正在发送的消息。"), "stopped"))


def _place(listen: str) -> Place | None:
    from gengfu_scheduler.timetable import place
    from gengfu_site.source import Mistake

    try:
        return place(listen)
    except Mistake as mistake:
        raise click.BadParameter(f"{mistake.message} {mistake.remedy}", param_hint="--listen") from None


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
