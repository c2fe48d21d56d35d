"""What a month came to: on the screen, as a sheet, as a page."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from gengfu_scheduler.cli.record import named
from gengfu_scheduler.cli.shared import (
    json_option,
    month_option,
    now,
    open_outbox,
    print_json,
    read_roster,
    show_notices,
)
from gengfu_site.cli.screen import escape, out
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from gengfu_scheduler.month import MonthReport

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    help=_(
        "一个月发了什么：按区域、时段、内容和方式，多少已确认、已收下、本人说已转发、不明、被拒，哪些群没有收到。"
    )
)
@month_option(_("哪个月，例如 2026-11；不写就是本月到现在。"))
@click.option("--csv", "csv_file", type=_FILE, default=None, help=_("存成表格文件。"))
@click.option(
    "--html", "html_file", type=_FILE, default=None, help=_("网页存到哪里；不写就存在 .gengfu 里。")
)
@json_option
@click.pass_obj
def report(
    folder: Path, month: date | None, csv_file: Path | None, html_file: Path | None, as_json: bool
) -> None:
    from gengfu_scheduler.month import month_report, page, sheet
    from gengfu_scheduler.state import state_folder

    roster, at = read_roster(folder), now()
    day = month or at.astimezone(roster.timetable.timezone).date()
    if day > at.astimezone(roster.timetable.timezone).date():
        raise click.UsageError(_("{month:%Y-%m} 还没有到。").format(month=day))
    with open_outbox(folder, reading=True) as outbox:
        found = month_report(outbox, roster, day, at)
    if csv_file:
        # By the mark at its beginning a spreadsheet knows that it is UTF-8.
        csv_file.write_text(sheet(found), encoding="utf-8-sig", newline="")
    if html_file is None and not (as_json or csv_file):
        html_file = state_folder(folder).resolve() / f"report-{found.month}.html"
    if html_file:
        html_file.write_text(page(found), encoding="utf-8")
    if as_json:
        print_json(found)
        return
    _show_month(found)
    for file in filter(None, (csv_file, html_file)):
        out.print(_("已写到 {file}").format(file=escape(str(file))), style="green")


def _show_month(found: MonthReport) -> None:
    from gengfu_scheduler.month import tables
    from gengfu_scheduler.report import count_of_each

    out.print(f"[bold]{escape(found.station)}[/]  {found.month}", style="bold")
    show_notices(found.notices)
    out.print(
        _("发送 {n} 次：{counts}").format(
            n=found.broadcasts, counts=count_of_each(found.sum) or _("什么都没有发")
        )
    )
    for table in tables(found):
        out.print()
        shown = Table(box=None, pad_edge=False, header_style="dim")
        for n, heading in enumerate(table.headings):
            shown.add_column(heading, justify="right" if n else "left", overflow="fold")
        for row in table.rows:
            shown.add_row(*map(escape, row))
        out.print(shown, soft_wrap=False)
    if found.silent:
        out.print()
        out.print(_("没有收到任何消息的群：{n} 个").format(n=len(found.silent)), style="yellow")
        alike: dict[str, list[str]] = {}
        for group in found.silent:
            alike.setdefault(group.why, []).append(named(group.name, group.group))
        for why, names in alike.items():
            out.print(f"    {escape(why)}  [dim]{escape(series(names))}[/]")
    for missed in found.missed:
        out.print(
            _("错过 {slot}（{when:%m-%d %H:%M}），没有补发。").format(
                slot=escape(missed.slot), when=missed.scheduled_for
            ),
            style="yellow",
        )
