"""The groups: try whether they can be told."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape

from gengfu_scheduler.cli.shared import now, open_outbox, out, read_roster, sure
from gengfu_templates.i18n import _


@click.group(help=_("群的管理。"))
def groups() -> None:
    pass


@groups.command(help=_("向所选的群（不写编号就是全部有机器人的群）发一条测试消息；成功的群恢复启用。"))
@click.argument("ids", nargs=-1)
@click.option("--yes", is_flag=True, help=_("不再询问。"))
@click.pass_obj
def test(folder: Path, ids: tuple[str, ...], yes: bool) -> None:
    from gengfu_scheduler import words
    from gengfu_scheduler.message import Sent
    from gengfu_scheduler.push import try_groups
    from gengfu_scheduler.report import outcome_words

    roster = read_roster(folder)
    for id in ids:
        if id not in roster.groups:
            mistake = words.undeclared("group", id, roster.groups)
            raise click.UsageError(f"{mistake.message} {mistake.remedy}")
    chosen = [roster.groups[id] for id in ids] if ids else list(roster.groups.values())
    chosen = [group for group in chosen if group.reach == "webhook"]
    if not chosen:
        raise click.UsageError(_("所选的群都由人手工转发，没有机器人可以测试。"))
    for group in chosen:
        out.print(f"  {escape(group.id)}  {escape(group.name)}")
    if not yes and not sure(_("向以上 {n} 个群各发一条测试消息？").format(n=len(chosen))):
        sys.exit(1)
    failed = False
    with open_outbox(folder) as outbox:
        for group, outcome in try_groups(chosen, roster, outbox, clock=now):
            failed |= not isinstance(outcome, Sent)
            style = "green" if isinstance(outcome, Sent) else "red"
            out.print(f"{escape(group.name)}：{escape(outcome_words(outcome))}", style=style)
    if failed:
        sys.exit(1)
