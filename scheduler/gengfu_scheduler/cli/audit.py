"""Who did what: the audit log, whether it is as it was written, and the second look at an alert."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_scheduler.cli.shared import expect_station, json_option, now, open_outbox, record, zone_in
from gengfu_site import cli as site
from gengfu_site.cli.screen import err, escape, out
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command(help=_("记下另一个人复核过一条已发的警情，发的人不能自己复核。"))
@click.argument("id", metavar=_("编号"))
@click.option("--by", required=True, help=_("谁复核的。"))
@click.pass_obj
def review(folder: Path, id: str, by: str) -> None:
    from gengfu_scheduler.review import to_review
    from gengfu_site import audit

    expect_station(folder)
    alert = to_review(id, by, audit.read(folder), now())
    record(folder, by.strip(), "review", id=alert.id)
    out.print(_("已记下：{by}复核了“{title}”。").format(by=escape(by.strip()), title=escape(alert.title)))


@click.command(help=_("一篇文章从头到尾：谁写的，谁签了哪一步，现在公开的是哪一版，发到了哪些群。"))
@click.argument("name", metavar=_("文章"))
@click.pass_obj
def log(folder: Path, name: str) -> None:
    from gengfu_scheduler.report import shortlist
    from gengfu_site import audit, signing
    from gengfu_site.meant import id_of

    settings = site.settings_in(folder)
    id, zone = id_of(settings, name), zone_in(folder)
    for event in signing.life(id, audit.read(folder)):
        out.print(f"{event.at.astimezone(zone):%Y-%m-%d %H:%M}  {escape(event.who)}  {escape(event.what)}")
    out.print(signing.visible(settings, id))
    with open_outbox(folder, reading=True) as outbox:
        heard = outbox.heard(id)
    if heard:
        words = _("发到 {n} 个群，最近一次 {when}：{groups}")
        when = f"{max(heard.values()).astimezone(zone):%Y-%m-%d %H:%M}"
        out.print(words.format(n=len(heard), when=when, groups=escape(shortlist(sorted(heard)))))
    else:
        out.print(_("还没有发到群里。"))


@click.group("audit", help=_("操作记录：谁在什么时候做了什么，最近的在最后。"), invoke_without_command=True)
@json_option
@click.pass_context
def audit_(ctx: click.Context, as_json: bool) -> None:
    from gengfu_site import audit

    if ctx.invoked_subcommand:
        return
    folder: Path = ctx.obj
    expect_station(folder)
    records, zone = audit.read(folder), zone_in(folder)
    if as_json:
        members = [asdict(one) for one in records]
        click.echo(json.dumps(members, ensure_ascii=False, indent=1, default=datetime.isoformat))
        return
    for one in records:
        about = escape(_details(one.details))
        when = f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        out.print(
            f"[dim]{one.number:>5}[/]  {when}  {escape(one.who)}  [bold]{escape(one.action)}[/]  {about}"
        )
    if not records:
        out.print(_("还没有操作记录。"))


@audit_.command(help=_("检查操作记录有没有被改过。--head 是以前记在别处的校验值：有它才看得出末尾被删。"))
@click.option("--head", default=None, help=_("以前记在别处的校验值。"))
@click.pass_obj
def verify(folder: Path, head: str | None) -> None:
    from gengfu_site import audit

    expect_station(folder)
    breaks = audit.verify(folder, head)
    for found in breaks:
        err.print(escape(str(found)), style="bold red")
    records = audit.read(folder)
    if records:
        newest = records[-1]
        out.print(_("最后一条：第 {n} 条").format(n=newest.number) + f"  {newest.hash}")
        out.print(_("把这个校验值记在别处（例如纸上），以后用 --head 核对。"), style="dim")
    if breaks:
        sys.exit(1)
    out.print(_("{n} 条记录，没有发现改动。").format(n=len(records)), style="green")


def _details(details: Mapping[str, object]) -> str:
    """``details`` in one line; of long lists only how many."""
    return "  ".join(f"{name}={_plain(value)}" for name, value in details.items())


def _plain(value: object) -> str:
    if isinstance(value, list) and len(value) > 3:
        return _("{n} 项").format(n=len(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
