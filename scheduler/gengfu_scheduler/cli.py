"""The one command ``gengfu``: composition root of both halves.

Commands are thin: they read options, call the function that does the work, and show what it returned. Exit
codes: 0 fine, 1 there is something to mend or to look at, 2 used wrongly (https://click.palletsprojects.com).
What a command does not need, it does not import: an alert at night begins with waiting for the imports.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from gengfu_site import cli as site
from gengfu_site import clock
from gengfu_site.problems import GengfuError, ProblemsFound
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from gengfu_scheduler.outbox import Outbox
    from gengfu_scheduler.report import BroadcastReport, Status, Telling, Upcoming
    from gengfu_scheduler.roster import Roster

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


class _Gengfu(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it foresaw ends in words and an exit code, never in a traceback."""
        try:
            return super().invoke(ctx)
        except site.NoStation as error:
            raise click.UsageError(str(error)) from error
        except ProblemsFound as error:
            site.show_problems(error.problems)
        except GengfuError as error:
            _err.print(escape(str(error)), style="bold red")
        except BrokenPipeError:
            raise  # the reader has seen enough: click ends quietly
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            _err.print(
                _("这台机器不让做：{place}{reason}。检查权限、磁盘空间，或者端口是否被占用。").format(
                    place=escape(str(place)), reason=error.strerror or error
                ),
                style="bold red",
            )
        return ctx.exit(1)


@click.group(
    cls=_Gengfu,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_("更夫：把派出所的 Markdown 文章发布成便民网站，并按时发到居民群里。"),
)
@click.option(
    "-C",
    "--station",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help=_("站点文件夹，默认是当前文件夹。"),
)
@click.version_option(package_name="gengfu", message="gengfu %(version)s")
@click.pass_context
def main(ctx: click.Context, station: Path) -> None:
    ctx.obj = station


_json_option = click.option("--json", "as_json", is_flag=True, help=_("输出 JSON，供程序读取。"))


@main.command(help=_("新建一个站点文件夹，带上可以直接发布的全套示范文章，群先接到本机沙箱。"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    from gengfu_scheduler.channels import CHANNELS
    from gengfu_scheduler.groups import read_groups
    from gengfu_scheduler.rehearsal import write_webhooks
    from gengfu_site.start import new_station

    new_station(folder)
    groups, problems = read_groups(folder, site.settings_in(folder).station, os.environ, CHANNELS)
    if problems:
        raise ProblemsFound(problems)
    write_webhooks(folder, groups)
    _out.print(_("已建好 {folder}。接下来：").format(folder=escape(str(folder))))
    for line, why in (
        (f"cd {folder}", ""),
        ("gengfu build", _("生成网站")),
        ("gengfu serve", _("在浏览器里看")),
        ("gengfu sandbox", _("另开一个窗口，看群里收到什么")),
        ("gengfu push services", _("发一次试试")),
    ):
        _out.print(f"  {escape(line):24}[dim]{why}[/]" if why else f"  {escape(line)}")


@main.command(help=_("检查文章、群清单和时间表，把所有问题一次列出来。"))
@_json_option
@click.pass_obj
def check(folder: Path, as_json: bool) -> None:
    from gengfu_scheduler import roster
    from gengfu_site.check import check as check_site

    try:
        settings = site.settings_in(folder)
    except ProblemsFound as error:
        problems = list(error.problems)
    else:
        problems = check_site(settings, clock.now())
        problems += roster.check(folder, settings.station, os.environ)
    if problems or as_json:
        site.show_problems(sorted(problems), as_json=as_json)
    if problems:
        sys.exit(1)
    if not as_json:
        _out.print(_("没有发现问题。"), style="green")


@main.command(help=_("看今后几天里，什么时候、什么内容、发到哪些群。"))
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help=_("看几天。"))
@_json_option
@click.pass_obj
def plan(folder: Path, days: int, as_json: bool) -> None:
    from gengfu_scheduler import report

    roster = _roster(folder)
    with _outbox(folder, reading=True) as outbox:
        planned = report.plan(roster, outbox.told, _now(), days)
    if as_json:
        _print_json(planned)
        return
    _show_notices(planned.notices)
    if not planned.upcoming:
        _out.print(_("这几天里时间表上没有安排。"))
        return
    for slot in dict.fromkeys(upcoming.slot for upcoming in planned.upcoming):
        _show_upcoming([upcoming for upcoming in planned.upcoming if upcoming.slot == slot])


@main.command(
    help=_(
        "现在就发：TARGET 是时间表里的时段名，或一条已发布警情的编号。定时程序在运行就由它发，否则本命令自己发。"
    )
)
@click.argument("target")
@click.option("--dry-run", is_flag=True, help=_("只看会给每个群发什么，什么都不发、不记。"))
@click.option("--yes", is_flag=True, help=_("免打扰时间里、或者一小时内刚发过，也不再询问。"))
@_json_option
@click.pass_obj
def push(folder: Path, target: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    from gengfu_scheduler import report
    from gengfu_scheduler.draft import draft_push

    roster = _roster(folder)
    with _outbox(folder, reading=dry_run) as outbox:
        draft = draft_push(target, roster, outbox.told, _now())
        doubts = report.push_doubts(draft, roster, outbox, _now())
        _show_notices(doubts)
        if dry_run:
            preview = report.preview(draft, roster, slot=target, meant=len(draft.planned))
            if as_json:
                _print_json(preview)
            else:
                _show_preview(preview)
            return

        if doubts and not yes and not _sure(_("仍然现在就发？")):
            _err.print(_("没有发。脚本里要不经询问就发，请加 --yes。"))
            sys.exit(1)

        from gengfu_scheduler.push import push as push_draft
        from gengfu_scheduler.state import running

        # Groups on the console and what the admin is told must not get into the JSON.
        aside = redirect_stdout(sys.stderr) if as_json else nullcontext()
        with aside, _err.status(_("正在发送……")):
            pushed = push_draft(draft, folder, os.environ, outbox, clock=_now, say=_say)
        told = report.broadcast_report(outbox, draft.broadcast.key, roster, _now(), tasks=_tasks(folder))
    if as_json:
        _print_json(told)
    else:
        if not pushed.added:
            _out.print(_("这条内容以前已经发过，没有重复发送。当时的结果："))
        elif pushed.added < len(pushed.deliveries):
            _out.print(_("以前发过，这次只发给以前没发到的 {n} 个群。").format(n=pushed.added))
        if pushed.by:
            _out.print(_("由正在运行的定时程序（进程 {pid}）发送。").format(pid=pushed.by.pid))
        _show_broadcast(told)
    if any(one.state == "pending" for one in told.look_at) and not running(folder):
        _show_notices([_("现在没有定时程序在运行，等待发送的不会自己发出去：请运行 gengfu run。")])
    if told.look_at:
        sys.exit(1)


@main.command(help=_("按时间表持续运行，直到 Ctrl+C 或被要求结束。"))
@click.pass_obj
def run(folder: Path) -> None:
    from gengfu_scheduler.report import standing_notices
    from gengfu_scheduler.runner import Runner
    from gengfu_scheduler.runner import run as keep_running
    from gengfu_scheduler.state import only_scheduler

    _expect_station(folder)
    stop = _Stop()
    with only_scheduler(folder), _outbox(folder) as outbox:
        runner = Runner(folder, os.environ, outbox, clock=_now, say=_say, stopping=stop)
        for notice in standing_notices(runner.roster):
            _say(notice)
        _say(
            _("开始值更：{slots} 个时段，{groups} 个群。").format(
                slots=len(runner.roster.timetable.slots), groups=len(runner.roster.groups)
            )
        )
        keep_running(runner, stop, _say)
        _say(_("已停止，没有遗留正在发送的消息。"))


@main.command(help=_("看发送情况：每次发送的结果、需要留意的群、停用的群、错过的时段。"))
@_json_option
@click.pass_obj
def status(folder: Path, as_json: bool) -> None:
    from gengfu_scheduler import report
    from gengfu_scheduler.state import running

    roster, trouble = _roster_if_right(folder)
    with _outbox(folder, reading=True) as outbox:
        found = report.status(outbox, roster, running(folder), _now(), tasks=_tasks(folder))
    if as_json:
        _print_json(found)
    else:
        _show_status(found)
    if trouble:
        raise trouble


@main.group(help=_("要人手工转发的任务：谁、哪些群、文字在哪个页面上。"), invoke_without_command=True)
@_json_option
@click.pass_context
def tasks(ctx: click.Context, as_json: bool) -> None:
    from gengfu_scheduler import report

    if ctx.invoked_subcommand:
        return
    folder: Path = ctx.obj
    roster, _trouble = _roster_if_right(folder)
    with _outbox(folder, reading=True) as outbox:
        found = report.open_tasks(outbox, roster, _now(), tasks=_tasks(folder))
    if as_json:
        _print_json(found)
        return
    for told in found:
        _out.print(
            f"[bold]{escape(told.title)}[/]  {told.scheduled_for:%m-%d %H:%M}  [dim]{escape(told.key)}[/]"
        )
        _show_tasks(told)
    if not found:
        _out.print(_("没有等人转发的任务。"))


@tasks.command(help=_("记下某人说已经转发：BROADCAST 是 gengfu tasks 列出的发送编号，IDS 是群的编号。"))
@click.argument("broadcast")
@click.argument("ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help=_("这次发送里等人转发的所有群。"))
@click.option("--by", required=True, help=_("谁说的。"))
@click.pass_obj
def done(folder: Path, broadcast: str, ids: tuple[str, ...], every: bool, by: str) -> None:
    from gengfu_scheduler.push import passed_on

    if bool(ids) == every:
        raise click.UsageError(_("写上群的编号，或者写 --all。"))
    roster = _roster(folder)
    with _outbox(folder) as outbox:
        waiting = [d.group for d in outbox.deliveries(broadcast) if d.state == "handed"]
        if not waiting or not set(ids) <= set(waiting):
            raise click.UsageError(_("这次发送里没有这样等人转发的群，见 gengfu tasks。"))
        passed_on(broadcast, ids or waiting, by, outbox, roster, _tasks(folder), now=_now())
    _out.print(_("已记下：{by}说已转发 {n} 个群。").format(by=escape(by), n=len(ids or waiting)))


@main.group(help=_("群的管理。"))
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

    roster = _roster(folder)
    for id in ids:
        if id not in roster.groups:
            mistake = words.undeclared("group", id, roster.groups)
            raise click.UsageError(f"{mistake.message} {mistake.remedy}")
    chosen = [roster.groups[id] for id in ids] if ids else list(roster.groups.values())
    chosen = [group for group in chosen if group.reach == "webhook"]
    if not chosen:
        raise click.UsageError(_("所选的群都由人手工转发，没有机器人可以测试。"))
    for group in chosen:
        _out.print(f"  {escape(group.id)}  {escape(group.name)}")
    if not yes and not _sure(_("向以上 {n} 个群各发一条测试消息？").format(n=len(chosen))):
        sys.exit(1)
    failed = False
    with _outbox(folder) as outbox:
        for group, outcome in try_groups(chosen, roster, outbox, clock=_now):
            failed |= not isinstance(outcome, Sent)
            style = "green" if isinstance(outcome, Sent) else "red"
            _out.print(f"{escape(group.name)}：{escape(outcome_words(outcome))}", style=style)
    if failed:
        sys.exit(1)


@main.command(help=_("启动本机沙箱：替代真实的聊天平台，严格检查每条消息，并画出每个群看到的样子。"))
@click.option("--host", default="127.0.0.1", show_default=True, help=_("接收地址。"))
@click.option("--port", default=None, type=click.IntRange(0, 65535), help=_("端口，默认 8780；0 为任选。"))
@click.option(
    "--groups",
    "table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=_("登记机器人的表格（CSV：id,name,platform,webhook）；不写就是本站点的群。"),
)
@click.option("--open", "admit_unknown", is_flag=True, help=_("没有登记的机器人也接收，第一条消息即登记。"))
@click.option(
    "--store",
    type=click.Path(dir_okay=False, path_type=Path),
    help=_("把收到的消息记在这个文件里，重启后接着用。"),
)
@click.pass_obj
def sandbox(
    folder: Path, host: str, port: int | None, table: Path | None, admit_unknown: bool, store: Path | None
) -> None:
    from gengfu_scheduler import rehearsal
    from gengfu_scheduler.channels import CHANNELS
    from gengfu_scheduler.groups import read_groups
    from gengfu_scheduler.sandbox.command import read_robots, serve

    if table:
        robots = read_robots(table)
    elif admit_unknown:
        robots = []
    else:
        groups, problems = read_groups(folder, site.settings_in(folder).station, os.environ, CHANNELS)
        if problems:
            raise ProblemsFound(problems)
        robots = rehearsal.robots(groups)
    port = rehearsal.PORT if port is None else port
    serve(robots, host=host, port=port, store=store, admit_unknown=admit_unknown)


@main.command(help=_("演示：在本机生成网站、启动沙箱和定时程序，几秒内把消息发到每个群。"))
@click.option("--once", is_flag=True, help=_("发完就打印每个群收到的内容，然后结束。"))
@click.pass_obj
def demo(folder: Path, once: bool) -> None:
    from gengfu_scheduler.demo import demo as set_to_work
    from gengfu_scheduler.sandbox import describe

    stop = _Stop()
    with set_to_work(folder, _now, _say) as station:
        _out.print(_("便民网站 {url}").format(url=station.site), style="bold green")
        _out.print(_("群消息墙 {url}").format(url=station.wall), style="bold green")
        station.tell_all(stop)
        received = station.received()
        if once:
            click.echo(describe(received))
        by_hand = station.by_hand()
        _out.print(_("{n} 条消息已到群里。").format(n=sum(one.seen for one in received)), style="bold")
        _out.print(_("{n} 个群没有机器人，已交给群主手工转发：").format(n=len(by_hand)), style="bold")
        for group, titles in by_hand.items():
            _out.print(f"  {escape(group.name)}（{escape(group.owner)}）  {escape(series(titles))}")
        if not once:
            _out.print(_("网站和消息墙一直开着，按 Ctrl+C 结束。"))
            stop.wait()


class _Stop:
    """Becomes true with SIGTERM or SIGINT. The handler only sets a flag: it may run in the middle of anything."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_signal: object) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked

    def wait(self) -> None:
        while not self._asked:
            time.sleep(0.2)


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    _out.print(f"{datetime.now().astimezone():%m-%d %H:%M:%S}  {escape(text)}")


def _sure(question: str) -> bool:
    """Whether the person says yes; no where there is nobody to ask."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        return False


def _expect_station(folder: Path) -> None:
    """
    :raises NoStation: neither half finds anything to work with in ``folder``.
    """
    from gengfu_scheduler.timetable import FILE

    if not (folder / FILE).is_file():
        site.settings_in(folder)


def _tasks(folder: Path) -> Path:
    from gengfu_scheduler.channels.hand import TASKS
    from gengfu_scheduler.state import state_folder

    return state_folder(folder, reading=True).resolve() / TASKS


def _roster_if_right(folder: Path) -> tuple[Roster | None, GengfuError | None]:
    """The roster, or what is wrong with the files: what was told can be shown all the same."""
    _expect_station(folder)
    try:
        return _roster(folder), None
    except GengfuError as error:
        return None, error


def _roster(folder: Path) -> Roster:
    from gengfu_scheduler.roster import RosterFiles

    _expect_station(folder)
    files = RosterFiles(folder, os.environ)
    roster = files.read()
    if files.trouble:
        _err.print(escape(files.trouble), style="yellow")
    return roster


@contextmanager
def _outbox(folder: Path, *, reading: bool = False) -> Iterator[Outbox]:
    from gengfu_scheduler.outbox import Outbox
    from gengfu_scheduler.state import database_url

    with Outbox(database_url(folder, os.environ, reading=reading), reading=reading) as outbox:
        yield outbox


def _print_json(data: Any) -> None:
    """``data``: a report, or several."""
    members = [asdict(one) for one in data] if isinstance(data, tuple) else asdict(data)
    click.echo(json.dumps(members, ensure_ascii=False, indent=1, default=datetime.isoformat))


def _show_notices(notices: Sequence[str]) -> None:
    for notice in notices:
        _err.print(escape(notice), style="yellow")


def _show_upcoming(occurrences: Sequence[Upcoming]) -> None:
    """All that one slot will say."""
    _out.print(f"\n[bold]{escape(occurrences[0].title)}[/]  [dim]{escape(occurrences[0].slot)}[/]")
    for upcoming in occurrences:
        at = upcoming.scheduled_for
        _out.print(f"  {at:%m-%d} {_weekday(at)} {at:%H:%M}")
        for telling in upcoming.tellings:
            _out.print("\n".join(f"    ·{escape(title)}" for title in telling.items))
            _out.print(f"      → {escape(_to_whom(telling, at))}", style="dim")
        if not upcoming.tellings:
            _out.print("    " + _("没有可发的（{n} 个群）").format(n=upcoming.silent), style="dim")


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


def _show_preview(preview: Upcoming) -> None:
    total = sum(len(telling.groups) for telling in preview.tellings)
    by_hand = sum(telling.by_hand for telling in preview.tellings)
    _out.print(
        _("{title}：将发往 {n} 个群，其中手工转发 {by_hand} 个。这是预演，什么都没有发。").format(
            title=escape(preview.title), n=total, by_hand=by_hand
        )
    )
    for telling in preview.tellings:
        _out.print("\n" + escape(series(telling.names)), style="bold")
        text = telling.body or "\n".join(f"·{title}" for title in telling.items)
        _out.print("\n".join(f"  {line}" for line in escape(text).splitlines()))


def _show_broadcast(told: BroadcastReport) -> None:
    from gengfu_scheduler.report import count_words, shortlist

    _out.print(
        f"[bold]{escape(told.title)}[/]  {told.scheduled_for:%m-%d %H:%M}  "
        f"{escape(count_words(told.counts, told.confirmed, told.said))}  [dim]{escape(told.key)}[/]"
    )
    alike: dict[tuple[str, str], list[str]] = {}
    for one in told.look_at:
        alike.setdefault((one.state, one.words), []).append(_named(one.name, one.group))
    for (state, words), who in alike.items():
        names = shortlist(who) if state in ("pending", "sending") else series(who)
        _out.print(f"    {escape(names)}  {escape(words)}", style="yellow")
    if "unknown" in told.counts:
        _out.print(
            "    → " + _("不明的可能到了，也可能没到：到群里看一眼，没有就手工补发一次；程序不会自己重发。"),
            style="green",
        )
    _show_tasks(told)


def _show_tasks(told: BroadcastReport) -> None:
    for task in told.tasks:
        names = series(map(_named, task.names, task.groups))
        _out.print(
            "    " + _("等{owner}手工转发：{names}").format(owner=escape(task.owner), names=escape(names)),
            style="yellow",
        )
        if task.page:
            _out.print("      " + _("文字在 {page}").format(page=escape(task.page)))


def _named(name: str, id: str) -> str:
    return _("{name}（{id}）").format(name=name, id=id)


def _show_status(found: Status) -> None:
    if found.scheduler:
        _out.print(
            _("定时程序正在运行：主机 {host}，进程 {pid}。").format(
                host=escape(found.scheduler.host), pid=found.scheduler.pid
            ),
            style="green",
        )
    else:
        _out.print(_("定时程序没有运行：到点不会发。用 gengfu run 启动。"), style="bold yellow")
    _show_notices(found.notices)
    for group in found.disabled:
        _out.print(
            _("已停用 {name}（{group}）：{reason}。修好后运行 gengfu groups test {group}").format(
                name=escape(group.name), group=escape(group.group), reason=escape(group.reason)
            ),
            style="bold red",
        )
    for missed in found.missed:
        _out.print(
            _("错过 {slot}（{when:%m-%d %H:%M}），没有补发。").format(
                slot=escape(missed.slot), when=missed.scheduled_for
            ),
            style="yellow",
        )
    for told in found.broadcasts:
        _show_broadcast(told)
    if not found.broadcasts:
        _out.print(_("还没有发送过。"))


for _command in site.COMMANDS:
    main.add_command(_command)
