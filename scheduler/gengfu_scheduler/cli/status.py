"""How things stand: now, of one broadcast, of one group, and live while something is being sent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from gengfu_scheduler.cli.record import named, show_broadcast, show_no_desk
from gengfu_scheduler.cli.shared import (
    json_option,
    now,
    open_outbox,
    print_json,
    roster_if_right,
    show_notices,
    task_pages,
)
from gengfu_site.cli.screen import escape, out
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from gengfu_scheduler.outbox import BroadcastStatus, Outbox
    from gengfu_scheduler.report import Disabled, GroupReport, Status
    from gengfu_scheduler.review import Unreviewed

_LOOK = 0.3
"""Seconds between two looks while watching."""
_PATIENCE = 10
"""Seconds for which to watch, with nothing changing, where nobody sends: one may be about to."""
_BAR = 24


@click.command(
    help=_(
        "看发送情况：每次发送的结果、需要留意的群、停用的群、错过的时段。"
        "写上发送编号只看那一次，写上 --group 看一个群最近收到了什么。"
    )
)
@click.argument("key", metavar=_("[发送编号]"), required=False)
@click.option("--group", default=None, help=_("只看这个群（编号）。"))
@click.option("--watch", is_flag=True, help=_("一直看着，直到没有要发的，或者按 Ctrl+C。"))
@json_option
@click.pass_obj
def status(folder: Path, key: str | None, group: str | None, watch: bool, as_json: bool) -> None:
    from gengfu_scheduler import report
    from gengfu_scheduler.state import resting, running
    from gengfu_site import audit

    if (group and (key or watch)) or (watch and as_json):
        raise click.UsageError(_("--group 不能和发送编号、--watch 一起用；--watch 不能和 --json 一起用。"))
    roster, trouble = roster_if_right(folder)
    with open_outbox(folder, reading=True) as outbox:
        if watch:
            _watch(outbox, folder, key)
        if group:
            try:
                about = report.group_report(outbox, group, roster, now())
            except KeyError:
                raise click.UsageError(_("没有编号为“{id}”的群。").format(id=group)) from None
            print_json(about) if as_json else _show_group(about)
        elif key:
            try:
                told = report.broadcast_report(outbox, key, roster, now(), pages=task_pages(folder))
            except KeyError:
                raise click.UsageError(_no_broadcast(key)) from None
            print_json(told) if as_json else show_broadcast(told)
        else:
            found = report.status(
                outbox,
                roster,
                running(folder),
                now(),
                pages=task_pages(folder),
                records=audit.read(folder),
                resting=resting(folder),
            )
            print_json(found) if as_json else _show_status(found)
    if trouble:
        raise trouble


def _no_broadcast(key: str) -> str:
    return _(
        "没有编号为“{key}”的发送。编号在 gengfu status 每次发送的末尾；看一个群收到过什么用 --group。"
    ).format(key=key)


def _watch(outbox: Outbox, folder: Path, key: str | None) -> None:
    """Show how far the open broadcasts are, or the one ``key``, until none is open, nobody sends any more, or the person
    has seen enough."""
    from gengfu_scheduler.state import running

    if key and outbox.broadcast(key) is None:
        raise click.UsageError(_no_broadcast(key))
    watched: dict[str, BroadcastStatus] = {}
    said: dict[str, str] = {}
    changed = time.monotonic()
    try:
        with Live(console=out, refresh_per_second=4, auto_refresh=out.is_terminal) as live:
            while True:
                looked = map(outbox.broadcast, [key] if key else _open(outbox, watched))
                before, watched = watched, {known.broadcast.key: known for known in looked if known}
                if watched != before:
                    changed = time.monotonic()
                if out.is_terminal:
                    live.update(_bars(watched.values()))
                else:
                    _say_changes(watched.values(), said)
                if not any(known.open for known in watched.values()):
                    return
                if time.monotonic() - changed >= _PATIENCE and not (
                    running(folder) or outbox.someone_sends()
                ):
                    break
                time.sleep(_LOOK)
    except KeyboardInterrupt:
        return
    show_notices([_("现在没有定时程序在运行，等待发送的不会自己发出去：请运行 gengfu run。")])


def _open(outbox: Outbox, watched: Collection[str]) -> list[str]:
    """The keys of what is open now, newest first, and of what was when it was last looked at."""
    open_now = [key for key, is_open in outbox.recent().items() if is_open]
    return list(dict.fromkeys((*open_now, *watched)))


def _bars(watched: Collection[BroadcastStatus]) -> Table:
    from gengfu_scheduler.report import counted

    table = Table.grid(padding=(0, 2))
    for known in watched:
        total = sum(known.counts.values())
        left = sum(known.counts.get(state, 0) for state in ("pending", "sending"))
        table.add_row(
            f"[bold]{escape(known.broadcast.title)}[/]",
            ProgressBar(total=total or 1, completed=total - left, width=_BAR),
            f"{total - left}/{total}",
        )
        table.add_row("", f"[dim]{escape(counted(known))}[/]", "")
    return table


def _say_changes(watched: Collection[BroadcastStatus], said: dict[str, str]) -> None:
    from gengfu_scheduler.report import broadcast_line

    for known in watched:
        line = broadcast_line(known)
        if said.get(known.broadcast.key) != line:
            said[known.broadcast.key] = line
            out.print(escape(line))


def _show_group(about: GroupReport) -> None:
    from gengfu_scheduler.report import told_words

    out.print(f"[bold]{escape(about.name)}[/]  [dim]{escape(about.group)}[/]")
    if about.disabled:
        _show_disabled(about.disabled)
    for told in about.told:
        well = told.fate in ("confirmed", "accepted", "said", "handed")
        out.print(
            f"  {told.scheduled_for:%m-%d %H:%M}  {escape(told.title)}  "
            f"[{'green' if well else 'yellow'}]{escape(told_words(told))}[/]  [dim]{escape(told.broadcast)}[/]"
        )
    if not about.told:
        out.print(_("还没有给它安排过发送。"))


def _show_status(found: Status) -> None:
    _show_scheduler(found)
    for alert in found.unreviewed:
        _show_unreviewed(alert, now())
    if found.resting:
        hosts = series(found.resting)
        show_notices([_("{host} 没有回应：发往那里的先等着，每分钟试一次。").format(host=hosts)])
    show_notices(found.notices)
    for group in found.disabled:
        _show_disabled(group)
    if found.to_confirm:
        out.print(_("{n} 个群等群主在平台上确认。").format(n=found.to_confirm), style="yellow")
    for missed in found.missed:
        out.print(
            _("错过 {slot}（{when:%m-%d %H:%M}），没有补发。").format(
                slot=escape(missed.slot), when=missed.scheduled_for
            ),
            style="yellow",
        )
    for told in found.broadcasts:
        out.print()
        show_broadcast(told)
    show_no_desk(found.broadcasts)
    if not found.broadcasts:
        out.print(_("还没有发送过。"))


def _show_scheduler(found: Status) -> None:
    if found.elsewhere:
        out.print(_("定时程序在另一台机器上运行：两边用同一个数据库。"), style="green")
        return
    if found.scheduler is None:
        out.print(_("定时程序没有运行：到点不会发。用 gengfu run 启动。"), style="bold yellow")
        return
    out.print(
        _("定时程序正在运行：主机 {host}，进程 {pid}，从 {since} 起。").format(
            host=escape(found.scheduler.host),
            pid=found.scheduler.pid,
            since=f"{found.scheduler.since:%m-%d %H:%M}" if found.scheduler.since else "?",
        ),
        style="green",
    )


def _show_unreviewed(alert: Unreviewed, at: datetime) -> None:
    hours = int((at - alert.sent).total_seconds() // 3600)
    past = _("已过 {n} 小时").format(n=hours) if hours else _("不到 1 小时")
    words = _(
        "警情“{title}”还没有复核（{past}）：请 {senders} 以外的人看过后运行 gengfu review {id} --by 姓名"
    )
    out.print(
        words.format(
            title=escape(alert.title),
            past=past,
            senders=escape(series(alert.senders)),
            id=escape(alert.id),
        ),
        style="bold red" if alert.late else "yellow",
    )


def _show_disabled(group: Disabled) -> None:
    out.print(
        _("已停用 {name}，从 {since:%m-%d %H:%M} 起：{reason}。修好后运行 gengfu groups test {group}").format(
            name=escape(named(group.name, group.group)),
            group=escape(group.group),
            reason=escape(group.reason),
            since=group.since,
        ),
        style="bold red",
    )
