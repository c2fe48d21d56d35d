"""Looking before anything is sent: preview."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_scheduler.cli.shared import now, open_outbox, read_roster
from gengfu_site.cli.screen import escape, out
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gengfu_scheduler.channels.channel import Weight
    from gengfu_scheduler.preview import Part, Sample
    from gengfu_scheduler.sandbox import Received

PAGE = "preview.html"
"""In the state folder, unless another file is named."""
_BAR = 20
_TIGHT = 0.9
"""Of a limit; from there on the bar is yellow."""


@click.command(
    help=_("发送前看一眼每个平台上的样子和字数占用，并画出群消息墙。写时段名，或已发布文章、警情的编号。")
)
@click.argument("target", metavar=_("时段或编号"))
@click.option("--all", "everywhere", is_flag=True, help=_("每个平台都看，不只本站的群在用的。"))
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help=_("群消息墙画到这个文件，默认在 .gengfu 文件夹里。"),
)
@click.pass_obj
def preview(folder: Path, target: str, everywhere: bool, page: Path | None) -> None:
    from gengfu_scheduler import preview as previewing
    from gengfu_scheduler.state import state_folder

    roster = read_roster(folder)
    with open_outbox(folder, reading=True) as outbox:
        found = previewing.preview(target, roster, outbox.told, now(), everywhere=everywhere)
    rehearsed = previewing.rehearse(found, roster.channels)
    out.print(f"[bold]{escape(found.title)}[/]  [dim]{found.at:%m-%d %H:%M}[/]")
    for sample, (_robot, received) in zip(found.samples, rehearsed, strict=True):
        _show(sample, received)
    page = page or state_folder(folder) / PAGE
    page.write_text(previewing.wall(rehearsed, found.at), encoding="utf-8")
    out.print("\n" + _("群里的样子画在 {page}").format(page=escape(str(page.resolve()))))


def _show(sample: Sample, received: Sequence[Received]) -> None:
    from gengfu_scheduler.preview import consequence
    from gengfu_scheduler.sandbox.platforms import APPS

    title = escape(APPS[sample.platform].title)
    whom = _("{n} 个群，最长的一份：{name}") if sample.groups else _("还没有这个平台的群，借{name}来看")
    whom = whom.format(n=sample.groups, name=sample.group.name)
    out.print(f"\n[bold cyan]{title}[/]  [dim]{escape(whom)}[/]")
    if split := consequence(sample):
        _show_weights(sample.whole)
        out.print(f"  {escape(split)}", style="red")
    for number, part in enumerate(sample.parts, 1):
        if split:
            out.print("  " + _("第 {n} 条").format(n=number), style="dim")
        _show_weights(part)
    for one in received:
        for said in (one.reason, *one.warnings):
            if said:
                out.print(
                    "  " + _("沙箱：{said}").format(said=escape(said)),
                    style="red" if one.reason else "yellow",
                )


def _show_weights(part: Part) -> None:
    if not part.weights:
        out.print("  " + _("这个平台没有写明长度限制。"), style="dim")
    for weight in part.weights:
        out.print("  " + _line(weight))


def _line(weight: Weight) -> str:
    from gengfu_scheduler.preview import unit

    load = weight.used / weight.limit
    colour = "red" if load > 1 else "yellow" if load > _TIGHT else "green"
    filled = min(_BAR, max(1, round(load * _BAR))) if weight.used else 0
    bar = f"[{colour}]{'━' * filled}[/][dim]{'─' * (_BAR - filled)}[/]"
    used = f"{weight.used:,} / {weight.limit:,} {unit(weight)}"
    said = f"[red]{used}[/]" if load > 1 else used
    return f"{bar} {escape(weight.what)} {said}"
