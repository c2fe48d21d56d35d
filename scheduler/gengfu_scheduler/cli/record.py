"""What was told, and how far it got: one broadcast, and what people have still to pass on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_scheduler.cli.shared import (
    expect_station,
    json_option,
    now,
    open_outbox,
    print_json,
    record,
    roster_if_right,
    show_notices,
    task_pages,
)
from gengfu_site.cli.screen import escape, out
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gengfu_scheduler.report import BroadcastReport


@click.group(help=_("要人手工转发的任务：谁、哪些群、文字在哪个页面上。"), invoke_without_command=True)
@click.option("--text", is_flag=True, help=_("把要转发的文字也列出来，页面打不开时用。"))
@json_option
@click.pass_context
def tasks(ctx: click.Context, text: bool, as_json: bool) -> None:
    from gengfu_scheduler import report

    if ctx.invoked_subcommand:
        return
    folder: Path = ctx.obj
    roster, _trouble = roster_if_right(folder)
    with open_outbox(folder, reading=True) as outbox:
        found = report.open_tasks(outbox, roster, now(), pages=task_pages(folder), texts=text)
    if as_json:
        print_json(found)
        return
    for told in found:
        out.print(
            f"[bold]{escape(told.title)}[/]  {told.scheduled_for:%m-%d %H:%M}  [dim]{escape(told.key)}[/]"
        )
        _show_tasks(told)
    if not found:
        out.print(_("没有等人转发的任务。"))
    elif not text:
        show_no_desk(found)


@tasks.command(help=_("记下某人说已经转发。发送编号和群的编号见 gengfu tasks。"))
@click.argument("broadcast", metavar=_("发送编号"))
@click.argument("ids", metavar=_("[群...]"), nargs=-1)
@click.option("--all", "every", is_flag=True, help=_("这次发送里等人转发的所有群。"))
@click.option("--by", required=True, help=_("谁说的。"))
@click.pass_obj
def done(folder: Path, broadcast: str, ids: tuple[str, ...], every: bool, by: str) -> None:
    if bool(ids) == every:
        raise click.UsageError(_("写上群的编号，或者写 --all。"))
    expect_station(folder)
    with open_outbox(folder) as outbox:
        waiting = {d.id: d.group for d in outbox.deliveries(broadcast) if d.state == "handed"}
        if not waiting or not set(ids) <= set(waiting.values()):
            raise click.UsageError(_("这次发送里没有这样等人转发的群，见 gengfu tasks。"))
        told = {id: group for id, group in waiting.items() if every or group in ids}
        outbox.said(list(told), by, now=now())
    record(folder, by, "tasks.done", broadcast=broadcast, groups=sorted(set(told.values())))
    out.print(_("已记下：{by}说已转发 {n} 个群。").format(by=escape(by), n=len(set(told.values()))))


def show_broadcast(told: BroadcastReport) -> None:
    from gengfu_scheduler.report import count_words, shortlist

    out.print(
        f"[bold]{escape(told.title)}[/]  {told.scheduled_for:%m-%d %H:%M}  "
        f"{escape(count_words(told.counts, told.confirmed, told.said))}  [dim]{escape(told.key)}[/]"
    )
    alike: dict[tuple[str, str], list[str]] = {}
    for one in told.look_at:
        alike.setdefault((one.state, one.words), []).append(named(one.name, one.group))
    for (state, words), who in alike.items():
        names = shortlist(who) if state in ("pending", "sending") else series(who)
        out.print(f"    {escape(names)}  {escape(words)}", style="yellow")
    if "unknown" in told.counts:
        out.print(
            "    → " + _("不明的可能到了，也可能没到：到群里看一眼，没有就手工补发一次；程序不会自己重发。"),
            style="green",
        )
    _show_tasks(told)


def _show_tasks(told: BroadcastReport) -> None:
    for task in told.tasks:
        names = series(map(named, task.names, task.groups))
        words = _("等{owner}手工转发：{names}") if task.by_hand else _("等{owner}在平台上确认：{names}")
        out.print(
            "    " + words.format(owner=escape(task.owner), names=escape(names)),
            style="yellow",
        )
        if task.page:
            out.print("      " + _("任务页面 {page}").format(page=escape(task.page)))
        for text in task.texts:
            out.print("\n".join(f"      │ {line}" for line in escape(text).splitlines()))


def show_no_desk(found: Iterable[BroadcastReport]) -> None:
    """Where people wait for a text and no page has it, say how they come by it."""
    if any(task.by_hand and task.page is None for told in found for task in told.tasks):
        show_notices([_("现在没有开着任务页面：用 gengfu run 开，或用 gengfu tasks --text 把文字列出来。")])


def named(name: str, id: str) -> str:
    return _("{name}（{id}）").format(name=name, id=id)
