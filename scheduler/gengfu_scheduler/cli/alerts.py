"""What the officer on duty does at 23:40: alert, update, resolve, cancel; and withdraw for any article."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.padding import Padding

from gengfu_scheduler.cli.sending import aside, show_pushed
from gengfu_scheduler.cli.shared import (
    by_option,
    json_option,
    now,
    open_outbox,
    print_json,
    record,
    say,
    show_notices,
    sure,
)
from gengfu_site import cli as site
from gengfu_site.cli.screen import err, escape, out
from gengfu_site.problems import GengfuError, ProblemsFound
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from gengfu_scheduler.duty import Ask, Done, Duty, Meant
    from gengfu_scheduler.message import Reach
    from gengfu_site.catalogue import Entry
    from gengfu_site.problems import Problem
    from gengfu_site.settings import Settings

_yes_option = click.option("--yes", is_flag=True, help=_("不再询问，供脚本用。"))
_basis_option = click.option(
    "--basis",
    default="",
    help=_(
        "正文里有电话、车牌等个人信息时，凭什么公开（例如监护人几点同意）；写进文章，居民看不到。不写就当场问。"
    ),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (click.pass_obj, json_option, by_option, _yes_option):
        command = option(command)
    return command


@click.command(
    help=_(
        "马上群发一条警情。文章写编号或文件。先公开网页，再立即发到 --to 指定的群（不写就按文章的 areas、audience），"
        "不管免打扰时间，也排在一切定时消息之前。"
    )
)
@click.argument("name", metavar=_("文章"))
@click.option(
    "--to",
    multiple=True,
    help=_("发给谁：area=区域、audience=对象 或 group=群编号；可以写几次，区域和对象都写就都要符合。"),
)
@click.option(
    "--exercise", is_flag=True, help=_("演练：只发给 timetable.yml 里 staff 写明的群，每条首尾都有【演练】。")
)
@_basis_option
@_options
def alert(
    folder: Path,
    name: str,
    to: tuple[str, ...],
    exercise: bool,
    basis: str,
    yes: bool,
    by: str | None,
    as_json: bool,
) -> None:
    def tell(duty: Duty, ask: Ask) -> Done | None:
        return duty.alert(name, duty.target(to), ask, exercise=exercise)

    action = "alert.exercise" if exercise else "alert"
    question = _("公开网页并马上发送？")
    _do(folder, by, action, tell, question, yes=yes, as_json=as_json, waits=False, basis=basis)


@click.command(help=_("警情有新进展：改好文章以后运行，公开新的网页，并通知每一个收到过的群，只通知它们。"))
@click.argument("id", metavar=_("编号"))
@_basis_option
@_options
def update(folder: Path, id: str, basis: str, yes: bool, by: str | None, as_json: bool) -> None:
    def tell(duty: Duty, ask: Ask) -> Done | None:
        return duty.update(id, ask)

    question = _("公开新的网页，并发给收到过的群？")
    _do(folder, by, "alert.update", tell, question, yes=yes, as_json=as_json, basis=basis)


@click.command(
    help=_("警情结束（已找到、已解除）：改网页、抹去走失人员的信息，并通知每一个收到过的群“请勿再转”。")
)
@click.argument("id", metavar=_("编号"))
@_options
def resolve(folder: Path, id: str, yes: bool, by: str | None, as_json: bool) -> None:
    def tell(duty: Duty, ask: Ask) -> Done | None:
        return duty.conclude(id, "resolved", ask)

    _do(
        folder, by, "alert.resolve", tell, _("把网页改成已结束，并通知收到过的群？"), yes=yes, as_json=as_json
    )


@click.command(help=_("警情取消（发错了）：改网页，并通知每一个收到过的群以前发的不再有效。"))
@click.argument("id", metavar=_("编号"))
@_options
def cancel(folder: Path, id: str, yes: bool, by: str | None, as_json: bool) -> None:
    def tell(duty: Duty, ask: Ask) -> Done | None:
        return duty.conclude(id, "cancelled", ask)

    _do(folder, by, "alert.cancel", tell, _("把网页改成已取消，并通知收到过的群？"), yes=yes, as_json=as_json)


@click.command(help=_("撤回一篇文章：网页写明已撤回和原因，列出收到过它的每个群，并给这些群发一条更正。"))
@click.argument("name", metavar=_("文章"))
@click.option("--reason", required=True, help=_("为什么撤回；居民会看到这句话。"))
@_options
def withdraw(folder: Path, name: str, reason: str, yes: bool, by: str | None, as_json: bool) -> None:
    def tell(duty: Duty, ask: Ask) -> Done | None:
        return duty.withdraw(name, reason, ask)

    question = _("撤回这篇文章，并给收到过它的群发更正？")
    _do(folder, by, "withdraw", tell, question, yes=yes, as_json=as_json, naming=True)


def _do(
    folder: Path,
    by: str | None,
    action: str,
    step: Callable[[Duty, Ask], Done | None],
    question: str,
    *,
    yes: bool,
    as_json: bool,
    waits: bool = True,
    naming: bool = False,
    basis: str = "",
) -> None:
    """Show who is meant, ask once, do ``step``, note it in the audit log and show what became of it.

    Ends with 1 where a person must look.

    :param waits: it cannot be done before ``mkdocs.yml`` is right.
    :param naming: every group is shown by its name.
    :param basis: the ground on which personal data is told; empty: the officer is asked, where there is any.
    """
    from gengfu_scheduler.duty import Duty

    agreed: list[Meant] = []

    def ask(meant: Meant) -> bool:
        _show_meant(meant, naming=naming)
        if yes or sure(question):
            agreed.append(meant)
            # Nothing that turns: that takes a thread, beside which no work is spread (gengfu_site.parallel).
            err.print(_("正在公开网页并发送……"), style="dim")
        return bool(agreed)

    given: list[str] = []

    def ask_basis() -> str:
        found = basis.strip() or (
            "" if yes else _answer(_("凭什么公开这些个人信息（例如：监护人 19:40 电话同意）"))
        )
        given.append(found)
        return found

    settings = _settings(folder, waits=waits)
    with open_outbox(folder) as outbox:
        duty = Duty(
            folder=folder,
            settings=settings,
            environ=os.environ,
            outbox=outbox,
            clock=now,
            say=say,
            ask_basis=ask_basis,
        )
        try:
            with aside(as_json):
                done = step(duty, ask)
        except (GengfuError, KeyboardInterrupt):
            for meant in agreed:  # it was begun, and may be half done
                record(folder, by, f"{action}.failed", **_named(meant.entry))
            raise
        if done is None:
            err.print(_("没有发，什么都没有改。"))
            sys.exit(1)
        record(
            folder,
            by,
            action,
            **_named(done.entry),
            groups=len({d.group for d in done.pushed.deliveries}) if done.pushed else 0,
            published=not done.trouble,
            **({"basis": True} if given else {}),
        )
        shown = {problem for meant in agreed for problem in meant.problems}
        if _show(done, shown, duty, as_json=as_json):
            sys.exit(1)


def _answer(question: str) -> str:
    """What the person says; nothing where there is nobody to ask."""
    try:
        return str(click.prompt(question, default="", show_default=False, err=True)).strip()
    except click.Abort:
        click.echo(err=True)
        return ""


def _named(entry: Entry) -> dict[str, str]:
    """What the audit log keeps of ``entry``; of a search not its title, which may name the person."""
    searching = entry.alert is not None and entry.alert.form == "走失"
    return {"id": entry.id} if searching else {"id": entry.id, "title": entry.title}


def _settings(folder: Path, *, waits: bool) -> Settings | None:
    try:
        return site.settings_if_any(folder)
    except ProblemsFound as error:
        if waits:
            raise
        show_notices([str(problem) for problem in error.problems])
        show_notices([_("mkdocs.yml 有问题，网页这次不更新，按上次公开的内容发。")])
        return None


def _show_meant(meant: Meant, *, naming: bool) -> None:
    from gengfu_scheduler.report import shortlist

    if meant.trouble:
        err.print(escape(meant.trouble), style="yellow")
        err.print(_("有问题的群这次不在内，改好以后再发一次，只补没发到的群。"), style="bold yellow")
    err.print(f"[bold]{escape(meant.entry.title)}[/]  [dim]{escape(meant.entry.id)}[/]")
    if meant.problems:
        show_notices([_("这篇文章还有几处要改，照样可以发：")])
        show_notices([str(problem) for problem in meant.problems])
    if meant.text:
        err.print(Padding(escape(meant.text), (0, 0, 0, 4)), style="dim")
    err.print(escape(_ways(meant)))
    if naming and meant.groups:
        err.print("  " + escape(series(meant.groups)))
    if meant.unreachable:
        err.print(
            _("其中 {n} 个群现在发不到（停用或没有机器人地址）：{names}").format(
                n=len(meant.unreachable), names=escape(shortlist(meant.unreachable))
            ),
            style="yellow",
        )


def _ways(meant: Meant) -> str:
    if not meant.groups:
        return _("没有群收到过它，只改网页。")
    words: dict[Reach, str] = {
        "webhook": _("自动 {n}"),
        "confirm": _("待群主确认 {n}"),
        "hand": _("手工转发 {n}"),
    }
    ways = [word.format(n=meant.ways[way]) for way, word in words.items() if meant.ways.get(way)]
    return _("发往 {n} 个群：{ways}").format(n=len(meant.groups), ways=_("，").join(ways))


def _show(done: Done, shown: Collection[Problem], duty: Duty, *, as_json: bool) -> bool:
    """Show what was done; whether there is something that a person must look at.

    :param shown: problems that the officer has seen before.
    """
    if done.trouble:
        err.print(_("网页没有更新，消息里没有链接：{why}").format(why=escape(done.trouble)), style="bold red")
    elif not done.linked:
        err.print(_("网站上还看不到这次改动，消息里没有链接。"), style="bold red")
    if problems := [problem for problem in done.problems if problem not in shown]:
        show_notices([_("已经公开；这篇文章还有几处要改：")])
        show_notices([str(problem) for problem in problems])
    if done.others:
        show_notices(
            [_("别的文章还有 {n} 处问题，改好以前不能照常发布：见 gengfu check。").format(n=done.others)]
        )
    if done.pushed:
        look = show_pushed(
            done.pushed,
            duty.folder,
            duty.roster(),
            duty.outbox,
            as_json=as_json,
            linked=done.linked,
            trouble=done.trouble,
        )
    else:
        look = False
        if as_json:
            print_json(done)
        else:
            out.print(_("没有群收到过它，没有要通知的。"))
    if done.entry.alert and done.entry.alert.state != "active" and not done.trouble:
        show_notices([_("网页已写明结束；提要和正文如果还在请大家找人，改好以后运行 gengfu build。")])
    if done.leftover:
        show_notices(
            [_("走失人员的信息已从网页上撤下，{file} 和旁边的照片可以删掉了。").format(file=done.leftover)]
        )
    return look or bool(done.trouble) or not done.linked
