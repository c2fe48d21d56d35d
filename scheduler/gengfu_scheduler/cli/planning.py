"""What will be told: plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from gengfu_scheduler.cli.shared import (
    json_option,
    now,
    open_outbox,
    out,
    print_json,
    read_roster,
    show_notices,
)
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from gengfu_scheduler.forecast import Telling, Upcoming


@click.command(help=_("看今后几天里，什么时候、什么内容、发到哪些群。"))
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help=_("看几天。"))
@json_option
@click.pass_obj
def plan(folder: Path, days: int, as_json: bool) -> None:
    from gengfu_scheduler import forecast

    roster = read_roster(folder)
    with open_outbox(folder, reading=True) as outbox:
        planned = forecast.plan(roster, outbox.told, now(), days)
    if as_json:
        print_json(planned)
        return
    show_notices(planned.notices)
    if not planned.upcoming:
        out.print(_("这几天里时间表上没有安排。"))
        return
    for slot in dict.fromkeys(upcoming.slot for upcoming in planned.upcoming):
        _show_upcoming([upcoming for upcoming in planned.upcoming if upcoming.slot == slot])


def _show_upcoming(occurrences: Sequence[Upcoming]) -> None:
    """All that one slot will say."""
    out.print(f"\n[bold]{escape(occurrences[0].title)}[/]  [dim]{escape(occurrences[0].slot)}[/]")
    for upcoming in occurrences:
        at = upcoming.scheduled_for
        out.print(f"  {at:%m-%d} {_weekday(at)} {at:%H:%M}")
        for telling in upcoming.tellings:
            out.print("\n".join(f"    ·{escape(title)}" for title in telling.items))
            out.print(f"      → {escape(_to_whom(telling, at))}", style="dim")
        if not upcoming.tellings:
            out.print("    " + _("没有可发的（{n} 个群）").format(n=upcoming.silent), style="dim")


def _to_whom(telling: Telling, at: datetime) -> str:
    from gengfu_scheduler.report import shortlist

    number = _("{n} 个群").format(n=len(telling.groups))
    if telling.by_hand:
        number += _("（手工转发 {n}）").format(n=telling.by_hand)
    if telling.not_before > at:
        number += _("，免打扰时间，等到 {at:%H:%M}").format(at=telling.not_before)
    return _("{number}：{names}").format(number=number, names=shortlist(telling.names, 6))


def _weekday(day: datetime) -> str:
    names = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    return names[day.weekday()]
