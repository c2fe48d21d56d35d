"""What will be told, and why: plan, explain."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.table import Column, Table

from gengfu_scheduler.cli.shared import json_option, now, open_outbox, print_json, read_roster, show_notices
from gengfu_site.cli.screen import escape, out
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from gengfu_scheduler.explain import Explanation
    from gengfu_scheduler.forecast import Plan, Skipped, Telling, Upcoming


@click.command(help=_("看今后几天里，什么时候、什么内容、发到哪些群。"))
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help=_("看几天。"))
@json_option
@click.pass_obj
def plan(folder: Path, days: int, as_json: bool) -> None:
    from gengfu_scheduler import forecast

    roster = read_roster(folder)
    # It stays to the end: looking through it for garbage again and again takes a sixth of a city's plan.
    gc.freeze()
    with open_outbox(folder, reading=True) as outbox:
        planned = forecast.plan(roster, outbox.told, now(), days)
    if as_json:
        print_json(planned)
        return
    show_notices(planned.notices)
    if not planned.upcoming and not planned.skipped:
        out.print(_("这几天里时间表上没有安排。"))
        return
    out.print(_plan_table(planned), soft_wrap=False)


@click.command(help=_("说明一篇文章为什么发过、会发或不会发给一个群。写群的编号和文章的编号。"))
@click.argument("group", metavar=_("群"))
@click.argument("item", metavar=_("文章"))
@json_option
@click.pass_obj
def explain(folder: Path, group: str, item: str, as_json: bool) -> None:
    from gengfu_scheduler.explain import explain as find_reasons

    roster = read_roster(folder)
    with open_outbox(folder, reading=True) as outbox:
        found = find_reasons(group, item.upper(), roster, outbox, now())
    if as_json:
        print_json(found)
    else:
        _show_explanation(found)


def _show_explanation(found: Explanation) -> None:
    out.print(f"[bold]{escape(found.title or found.entry)}[/]  →  [bold]{escape(found.name)}[/]")
    for time in found.told:
        out.print(f"  {time.scheduled_for:%Y-%m-%d %H:%M}  {escape(time.title)}  {escape(time.fate)}")
    if not found.told:
        out.print("  " + _("还没有发给过这个群。"))
    for reason in found.bars:
        out.print(f"  {escape(reason)}", style="yellow")
    for slot in found.slots:
        out.print(f"\n{escape(slot.title)}  [dim]{escape(slot.slot)}[/]")
        for reason in slot.bars:
            out.print(f"  {escape(reason)}", style="yellow")
        if slot.outlook:
            out.print(f"  {escape(slot.outlook)}", style="green")
    out.print()
    if found.next is None:
        out.print(_("照现在的文章和时间表，今后 31 天的定时消息里没有它。"), style="bold")
        return
    at = found.next.scheduled_for
    text = _("下次排到：{day} {weekday} {clock}，{title}。").format(
        day=f"{at:%m-%d}", weekday=_weekday(at), clock=f"{at:%H:%M}", title=escape(found.next.title)
    )
    if found.next.not_before > at:
        text += _("免打扰，等到 {at:%m-%d %H:%M}").format(at=found.next.not_before)
    out.print(text, style="bold green")


def _plan_table(planned: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=True)
    table.add_column(_("时间"), width=11)
    table.add_column(_("时段"), max_width=14, overflow="fold")
    for heading, ratio in ((_("发什么"), 4), (_("发到"), 3)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    entries = [(upcoming.scheduled_for, _upcoming_rows(upcoming)) for upcoming in planned.upcoming]
    entries += [(skipped.scheduled_for, _skipped_rows(skipped)) for skipped in planned.skipped]
    day = None
    for when, rows in sorted(entries, key=lambda entry: entry[0]):
        if when.date() != day:
            day = when.date()
            table.add_section()
            table.add_row(f"[bold]{when:%m-%d} {_weekday(when)}[/]")
        for row in rows:
            table.add_row(*row)
    return table


def _skipped_rows(skipped: Skipped) -> Iterator[tuple[str | Table, ...]]:
    reason = _("停发：{reason}").format(reason=skipped.reason) if skipped.reason else _("停发")
    title = escape(skipped.title)
    yield f"[dim]{skipped.scheduled_for:%H:%M}[/]", f"[dim]{title}[/]", f"[yellow]{escape(reason)}[/]"


def _upcoming_rows(upcoming: Upcoming) -> Iterator[tuple[str | Table, ...]]:
    """A row for each thing that some of the groups are told."""
    names = "".join(f"\n[magenta]{escape(name)}[/]" for name in upcoming.campaigns)
    first: tuple[str, str] = (
        f"{upcoming.scheduled_for:%H:%M}{_until(upcoming)}",
        escape(upcoming.title) + names,
    )
    for telling in upcoming.tellings:
        what = Table.grid(Column(width=2), Column(overflow="fold"))
        for item in telling.items:
            what.add_row("· ", escape(item))
        yield *first, what, _to_whom(telling)
        first = "", ""
    if not upcoming.tellings:
        nothing = _("没有可发的（{n} 个群）").format(n=upcoming.silent)
        yield *first, f"[dim]{nothing}[/]"


def _until(upcoming: Upcoming) -> str:
    """When the last of those is told that nothing holds up, to the minute."""
    ends = (telling.spread_until for telling in upcoming.tellings if not telling.held)
    last = max(ends, default=upcoming.scheduled_for)
    return f"–{last + timedelta(seconds=59):%H:%M}" if last > upcoming.scheduled_for else ""


def _to_whom(telling: Telling) -> str:
    from gengfu_scheduler.forecast import way_words
    from gengfu_scheduler.report import shortlist

    lines = [_("{n} 个群").format(n=len(telling.groups)), way_words(telling.ways)]
    if telling.held:
        waits = _("免打扰，等到 {at:%m-%d %H:%M}").format(at=telling.not_before)
        lines.append(f"[yellow]{waits}[/]")
    lines.append(f"[dim]{escape(shortlist(telling.names, 6))}[/]")
    return "\n".join(lines)


def _weekday(day: datetime) -> str:
    names = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    return names[day.weekday()]
