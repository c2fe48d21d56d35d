"""The groups: list them, import them from a spreadsheet, see how they are reached, try whether they can be told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import click
from rich.table import Table

from gengfu_scheduler.cli.shared import (
    json_option,
    now,
    open_outbox,
    print_json,
    read_roster,
    record,
    show_notices,
    sure,
)
from gengfu_site.cli.screen import err, escape, out
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from gengfu_scheduler.coverage import Count, Coverage, Reached
    from gengfu_scheduler.importing import Change, Import, Told
    from gengfu_site.catalogue import Station

_SHOWN = 20
"""How many groups of a kind are shown before the question; ``--dry-run`` shows all."""
_T = TypeVar("_T")


@click.group(help=_("群清单：导入、查看、试发、看覆盖了多少。"))
def groups() -> None:
    pass


@groups.command(help=_("向所选的群（不写编号就是全部有机器人的群）发一条测试消息；成功的群恢复启用。"))
@click.argument("ids", metavar=_("[群...]"), nargs=-1)
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
    named = [roster.groups[id] for id in dict.fromkeys(ids)] or list(roster.groups.values())
    chosen = [group for group in named if group.reach == "webhook"]
    if not chosen:
        raise click.UsageError(_("所选的群都没有机器人，要手工转发或由群主确认，没有可以测试的。"))
    if ids and len(chosen) < len(named):
        others = series(group.name for group in named if group not in chosen)
        show_notices([_("没有机器人，不测试：{names}。").format(names=others)])
    for group in chosen:
        out.print(f"  {escape(group.id)}  {escape(group.name)}")
    if not yes and not sure(_("向以上 {n} 个群各发一条测试消息？").format(n=len(chosen))):
        sys.exit(1)
    failed = False
    with open_outbox(folder) as outbox:
        disabled = outbox.disabled()
        for group, outcome in try_groups(chosen, roster, outbox, clock=now):
            failed |= not isinstance(outcome, Sent)
            style = "green" if isinstance(outcome, Sent) else "red"
            out.print(f"{escape(group.name)}：{escape(outcome_words(outcome))}", style=style)
        if enabled := sorted(disabled.keys() - outbox.disabled().keys()):
            record(folder, None, "groups.enable", groups=enabled)
    if failed:
        sys.exit(1)


@groups.command("list", help=_("每个群的编号、名称、区域，是怎么通知到的。"))
@click.pass_obj
def list_(folder: Path) -> None:
    roster = read_roster(folder)
    with open_outbox(folder, reading=True) as outbox:
        disabled = outbox.disabled()
    if not roster.groups:
        out.print(_("还没有群：填 groups.csv，或用 gengfu groups import 从表格导入。"))
    without_address = {group.id for group in roster.without_address()}
    width = max(map(len, roster.groups), default=0)
    for group in roster.groups.values():
        how = reach_words()[group.reach]
        if group.id in without_address:
            how = _("{how}，缺地址").format(how=how)
        elif group.id in disabled:
            how = _("{how}，停用").format(how=how)
        size = "" if group.size is None else _("{n} 人").format(n=group.size)
        about = filter(None, (group.area or _("全所"), how, group.owner, size))
        out.print(f"{group.id:{width}}  {escape(group.name)}  [dim]{escape('  '.join(about))}[/]")


@groups.command(
    "import", help=_("从表格（xlsx、xls、ods、csv）导入群：先列出会改什么，问一次，再写进群清单。")
)
@click.argument("sheet_file", metavar=_("表格"), type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sheet", default="", help=_("工作表的名称；不写就是第一张写着群的。"))
@click.option("--remove-missing", is_flag=True, help=_("表里没有的群不再保留。"))
@click.option("--dry-run", is_flag=True, help=_("只列出会改什么，什么都不写。"))
@click.option("--yes", is_flag=True, help=_("不再询问。"))
@click.pass_obj
def import_(
    folder: Path, sheet_file: Path, sheet: str, remove_missing: bool, dry_run: bool, yes: bool
) -> None:
    from gengfu_scheduler.channels import PLATFORMS, platform_at
    from gengfu_scheduler.importing import carry_out, plan_import

    station = _station(folder)
    with open_outbox(folder, reading=True) as outbox:
        taken = outbox.groups()
    planned = plan_import(
        sheet_file,
        folder,
        station,
        os.environ,
        platforms=PLATFORMS,
        platform_at=platform_at,
        taken=taken,
        today=now().astimezone(ZoneInfo(station.timezone)).date(),
        sheet_name=sheet,
        remove_missing=remove_missing,
    )
    _show_import(planned, most=sys.maxsize if dry_run else _SHOWN)
    if dry_run or not planned.changes_anything:
        out.print(_("这是预演，什么都没有写。") if dry_run else _("没有要改的。"))
        return
    if not yes and not sure(_("写进群清单？")):
        err.print(_("没有写。脚本里要不经询问就写，请加 --yes。"))
        sys.exit(1)
    carry_out(planned)
    record(
        folder,
        None,
        "groups.import",
        new=len(planned.new),
        changed=len(planned.changed),
        removed=len(planned.missing) if planned.removes_missing else 0,
    )
    out.print(_("已写好。接下来运行 gengfu check；新接的机器人用 gengfu groups test 试发。"), style="green")


@groups.command(help=_("每个区域有多少群、多少人，是怎么通知到的。"))
@json_option
@click.pass_obj
def coverage(folder: Path, as_json: bool) -> None:
    from gengfu_scheduler import coverage as covered

    roster = read_roster(folder)
    with open_outbox(folder, reading=True) as outbox:
        found = covered.coverage(
            roster.groups.values(),
            roster.catalogue.station,
            disabled=outbox.disabled(),
            without_address={group.id for group in roster.without_address()},
        )
    if as_json:
        print_json(found)
    else:
        _show_coverage(found, roster.catalogue.station)


def _station(folder: Path) -> Station:
    """From the station's own settings, or on a machine that only sends, from what is published."""
    from gengfu_scheduler.published import Published
    from gengfu_scheduler.timetable import FILE, catalogue_address
    from gengfu_site import cli as site
    from gengfu_site import settings

    if (folder / settings.FILE).is_file() or not (folder / FILE).is_file():
        return site.settings_in(folder).station
    return Published(catalogue_address(folder), folder).read().station


def _show_import(planned: Import, most: int) -> None:
    """All that would change, up to ``most`` groups of a kind by name, and what would not."""
    renamed = [change for change in planned.changed if change.renamed_from]
    out.print(
        _(
            "{source}：新增 {new} 个群，改动 {changed} 个（其中改名 {renamed} 个），不变 {unchanged} 个。"
        ).format(
            source=escape(planned.source),
            new=len(planned.new),
            changed=len(planned.changed),
            renamed=len(renamed),
            unchanged=planned.unchanged,
        ),
        style="bold",
    )
    _show_some(_("新增"), planned.new, _new_words, most)
    _show_some(_("改动"), planned.changed, _change_words, most)
    if planned.missing:
        kept = _("不再保留") if planned.removes_missing else _("仍然保留，--remove-missing 才会去掉")
        _show_some(_("表里没有（{kept}）").format(kept=kept), planned.missing, _named, most)
    _show_some(
        _("表里重复，只用第一行"),
        planned.repeated,
        lambda again: _("第 {line} 行“{name}”，与第 {first} 行是同一个群").format(
            line=again.line, name=escape(again.name), first=again.first
        ),
        most,
    )
    if planned.skipped:
        lines = series([*map(str, planned.skipped[:5]), *(["……"] if len(planned.skipped) > 5 else [])])
        show_notices([_("第 {lines} 行是合计或者没有群，没有导入。").format(lines=lines)])
    if planned.unused:
        show_notices([_("没有导入的列：{columns}。").format(columns=series(planned.unused))])
    if planned.other_sheets:
        names = series(planned.other_sheets)
        show_notices([_("没有导入的工作表：{names}。要导入就用 --sheet 指明。").format(names=names)])


def _show_some(title: str, all: Sequence[_T], words: Callable[[_T], str], most: int) -> None:
    if not all:
        return
    out.print(_("{title}：").format(title=title), style="yellow")
    for one in all[:most]:
        out.print(f"  {words(one)}")
    if len(all) > most:
        out.print("  " + _("……还有 {n} 个，用 --dry-run 看全部。").format(n=len(all) - most), style="dim")


def _named(told: Told) -> str:
    return f"{escape(told.id)}  {escape(told.name)}"


def _new_words(told: Told) -> str:
    place = escape(told.area) or _("全所")
    return f"{_named(told)}  [dim]{place}  {reach_words()[told.reach]}[/]"


def _change_words(change: Change) -> str:
    parts = [_named(change.group)]
    if change.renamed_from:
        parts.append(
            _("原名“{name}”（{why}，应是同一个群）").format(name=escape(change.renamed_from), why=change.why)
        )
    for column, old, new in change.fields:
        parts.append(f"{escape(column)} {escape(old) or _('空')} → {escape(new) or _('空')}")
    return "  ".join(parts)


def reach_words() -> dict[str, str]:
    """How a group is reached, in the officer's words."""
    return {"webhook": _("自动"), "confirm": _("待群主确认"), "hand": _("手工转发")}


def _show_coverage(found: Coverage, station: Station) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column(_("区域"))
    for heading in (*reach_words().values(), _("停用"), _("缺地址"), _("合计"), _("人数")):
        table.add_column(heading, justify="right")
    table.add_row(_("全所的群"), *_cells(found.station))
    for area in found.areas:
        depth = area.area.count("/")
        table.add_row("  " * depth + escape(area.area.rpartition("/")[2]), *_cells(area.sum))
    table.add_row(_("共计"), *_cells(found.sum), style="bold")
    out.print(table)
    _show_meaning(found.sum)


def _cells(reached: Reached) -> Iterable[str]:
    ways = (
        reached.automatic,
        reached.confirm,
        reached.hand,
        reached.disabled,
        reached.without_address,
        reached.all,
    )
    for count in ways:
        yield str(count.groups or "·")
    yield _members(reached.all)


def _members(count: Count) -> str:
    """The members that are known of; with a plus where groups lack their size."""
    if count.groups == count.of_unknown_size:
        return _("不明") if count.groups else "·"
    return f"{count.members}{'+' if count.of_unknown_size else ''}"


def _show_meaning(sum: Reached) -> None:
    out.print()
    for count, words in (
        (sum.automatic, _("{n} 个群（{members}）由机器人直接发到。")),
        (sum.confirm, _("{n} 个群（{members}）要群主在平台上点确认才会发出去。")),
        (sum.hand, _("{n} 个群（{members}）要群主手工转发，程序只知道他说转了。")),
        (
            sum.disabled,
            _("{n} 个群（{members}）的机器人失效，现在收不到：修好后用 gengfu groups test 恢复。"),
        ),
        (
            sum.without_address,
            _("{n} 个群（{members}）缺机器人地址，现在收不到：在 webhooks.csv 里补上。"),
        ),
    ):
        if count.groups:
            known = count.groups > count.of_unknown_size
            members = _("{n} 人").format(n=_members(count)) if known else _("人数不明")
            out.print(words.format(n=count.groups, members=members))
    if sum.all.of_unknown_size:
        out.print(
            _("{n} 个群没有写人数，人数里没有算它们（带“+”的都是这样）。").format(n=sum.all.of_unknown_size)
        )
    out.print(_("人数是各群相加：一个人在几个群里就算几次。"), style="dim")
