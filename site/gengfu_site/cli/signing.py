"""Commands of those who sign off: who they are, what they wrote, what they looked at."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_site import clock
from gengfu_site.cli.screen import escape, out
from gengfu_site.cli.shared import at_terminal, settings_in, show_problems
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from gengfu_site.approvals import Step
    from gengfu_site.reviewers import Claim
    from gengfu_site.signing import Draft

_STEPS: tuple[Step, ...] = ("language", "facts", "release")


@click.command(
    help=_(
        "把写好的文章交给别人签。文章写文件、编号或文件夹。输入自己的 PIN，就是说“这一稿是我写的”。"
        "以后再改，要重新提交。"
    )
)
@click.argument("names", metavar=_("文章..."), nargs=-1, required=True)
@click.option("--by", default=None, help=_("谁写的；不写就当场问。"))
@click.pass_obj
def submit(folder: Path, names: tuple[str, ...], by: str | None) -> None:
    from gengfu_site import signing

    settings = settings_in(folder)
    found = signing.drafts(settings, names, clock.now())
    for draft in signing.submit(settings, found, _claim(by), clock.now()):
        out.print(
            _("已提交“{title}”。接下来由另一个人签：gengfu approve {id}").format(
                title=escape(draft.title), id=draft.id
            ),
            style="green",
        )


@click.command(
    help=_(
        "签发提交了的文章。文章写文件、编号或文件夹，不写就列出还没签的。先把全文或改动列出来，再问 PIN。"
        "没有终端时，PIN 从标准输入读一行，步骤用 --step 写明。"
    )
)
@click.argument("names", metavar=_("[文章...]"), nargs=-1)
@click.option(
    "--step",
    "steps",
    multiple=True,
    type=click.Choice(_STEPS),
    help=_("签哪一步：language 语言、facts 事实和依据、release 发布；可以写几次。不写就一样一样问。"),
)
@click.option("--by", default=None, help=_("谁签的；不写就当场问。"))
@click.option("--note", default="", help=_("附言，留在操作记录里；不要写个人信息。"))
@click.pass_obj
def approve(folder: Path, names: tuple[str, ...], steps: tuple[Step, ...], by: str | None, note: str) -> None:
    from gengfu_site import signing
    from gengfu_site.approvals import Approvals

    settings = settings_in(folder)
    if not names:
        _show_waiting(folder)
        return
    if not (steps or at_terminal()):
        raise click.UsageError(_("没有终端，用 --step 写明签哪一步。"))
    by = by or _name()
    rights = Approvals.read(settings.folder).rights
    named = signing.drafts(settings, names, clock.now())
    # Of a whole folder, what this person has anything to do with.
    found = [draft for draft in named if signing.next_steps(draft, by, steps or rights.get(by, ()))] or named
    steps = steps or _same_steps(found, by, rights.get(by, frozenset()))
    signing.expect_signable(found, by, steps, rights)
    for draft in found:
        _show(draft)
    if not _ticked(found, steps, asking=at_terminal()):
        raise click.Abort
    for draft in signing.approve(settings, found, _claim(by), steps, clock.now(), note):
        _show_standing(draft)


@click.group(help=_("谁可以写、可以签哪一步；PIN 由本人输入。"), invoke_without_command=True)
@click.pass_context
def reviewers(ctx: click.Context) -> None:
    from gengfu_site.approvals import STEPS, Approvals, step_name

    if ctx.invoked_subcommand:
        return
    rights = Approvals.read(settings_in(ctx.obj).folder).rights
    for name, steps in rights.items():
        words = series(step_name(step) for step in STEPS if step in steps) or _("只写稿")
        out.print(f"{escape(name)}  {escape(words)}")
    if not rights:
        out.print(
            _("还没有登记过人。先登记签发布的人：gengfu reviewers add 姓名 --steps language,facts,release")
        )


@reviewers.command(
    help=_(
        "登记一个人，由本人输两遍 PIN（至少 6 位）；已有的人就是换 PIN 和权限。"
        "--steps 用逗号隔开，不写就只能写稿。第一个登记的人要能签发布；以后登记都要 --by 一个能签发布的人。"
    )
)
@click.argument("name", metavar=_("姓名"))
@click.option("--steps", default="", help=_("language、facts、release 中的几个，用逗号隔开。"))
@click.option("--by", default=None, help=_("谁让登记的：一个能签发布的人。"))
@click.pass_obj
def add(folder: Path, name: str, steps: str, by: str | None) -> None:
    from gengfu_site.approvals import Approvals
    from gengfu_site.reviewers import admit, nobody_releases

    station = settings_in(folder).folder
    wanted = [step for step in _STEPS if step in steps.split(",")]
    if unknown := set(filter(None, steps.split(","))) - set(wanted):
        raise click.UsageError(
            _("没有“{step}”这一步，只有 {steps}。").format(step=min(unknown), steps=series(_STEPS))
        )
    if name in Approvals.read(station).rights:
        said = _(
            "{name}已经登记过，这次是换 PIN 和权限。另有一个人也叫这个名字，就停下，换个写法，例如“{name}（桃园）”。"
        )
        out.print(escape(said.format(name=name)), style="yellow")
    first = nobody_releases(station)
    if first and "release" not in wanted:
        raise click.UsageError(_("先登记一个能签发布的人：加上 --steps language,facts,release。"))
    claim = None if first else _claim(by)
    pin = _pin(_("{name}的新 PIN").format(name=name), twice=True)
    try:
        admit(station, name, wanted, pin, claim, clock.now(), login=getpass.getuser())
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    out.print(_("已登记{name}。").format(name=escape(name)), style="green")


@reviewers.command(help=_("一个人不再写、不再签；以前签的仍然有效。"))
@click.argument("name", metavar=_("姓名"))
@click.option("--by", default=None, help=_("谁让去掉的：一个能签发布的人。"))
@click.pass_obj
def remove(folder: Path, name: str, by: str | None) -> None:
    from gengfu_site.reviewers import dismiss

    dismiss(settings_in(folder).folder, name, _claim(by), clock.now())
    out.print(_("{name}不再签了，以前签的仍然有效。").format(name=escape(name)))


def _show_waiting(folder: Path) -> None:
    from gengfu_site.approvals import Approvals
    from gengfu_site.library import load
    from gengfu_site.readings import of_station

    settings, at = settings_in(folder), clock.now()
    held = load(settings, at, known=of_station(settings, at))[0].held
    if held:
        show_problems(held)
    else:
        out.print(_("没有等着签的文章。"), style="green")
    if unsigned := Approvals.read(settings.folder).unsigned:
        out.print(
            _("{n} 篇是随程序来的示范文章，照原样公开，本单位还没有人签过。").format(n=unsigned), style="dim"
        )


def _same_steps(found: Sequence[Draft], name: str, rights: frozenset[Step]) -> tuple[Step, ...]:
    """What ``name`` is to sign of all of them."""
    from gengfu_site.signing import next_steps

    wanted = {tuple(next_steps(draft, name, rights)) or draft.missing for draft in found}
    if len(wanted) > 1:
        raise click.UsageError(_("这些文章要签的步骤不一样，用 --step 写明签哪一步。"))
    return wanted.pop()


def _show(draft: Draft) -> None:
    """What is about to be signed: all of it, or what is other than what residents see."""
    out.print(f"\n[bold]{escape(draft.title)}[/]  {escape(draft.name)}  [dim]{draft.version.digest[:12]}[/]")
    if draft.public_text is None:
        for line in draft.text.splitlines():
            out.print(f"  {escape(line)}")
        for path in draft.version.files:
            out.print(f"  + {escape(str(path))}", style="green")
        return
    for line in draft.diff():
        style = {"+": "green", "-": "red", "~": "yellow"}.get(line[:1], "dim")
        out.print(f"  {escape(line)}", style=style)


def _ticked(found: Sequence[Draft], steps: Sequence[Step], *, asking: bool) -> bool:
    """Whether whoever signs says yes to each step; a program says so by naming them."""
    if not asking:
        return True
    questions: dict[Step, str] = {
        "language": _("语言：错别字、语法、标点、称呼都看过，没有问题？"),
        "facts": _("事实和依据：时间、地点、电话、费用、法规条文都核过，没有个人信息？"),
        "release": _("发布：可以给居民看？"),
    }
    for step in steps:
        if not click.confirm(questions[step], err=True):
            return False
    full = [draft for draft in found if draft.review == "full"]
    proof = {len(draft.round.signed) + 1 for draft in full if draft.round}
    return not proof or click.confirm(
        _("第 {n} 校：从头到尾读过一遍？").format(n=series(map(str, sorted(proof)))), err=True
    )


def _show_standing(draft: Draft) -> None:
    from gengfu_site.approvals import step_name

    title = escape(draft.title)
    if draft.is_public:
        out.print(_("“{title}”签发完毕，下次 gengfu build 就公开。").format(title=title), style="green")
    elif draft.round:
        missing = series(map(step_name, draft.round.missing))
        out.print(_("“{title}”已签，还差：{steps}。").format(title=title, steps=missing), style="yellow")


def _claim(by: str | None) -> Claim:
    """Who does this, by name and PIN."""
    from gengfu_site.reviewers import Claim

    name = by or _name()
    return Claim(name=name, pin=_pin(_("{name}的 PIN").format(name=name)), login=getpass.getuser())


def _name() -> str:
    if not at_terminal():
        raise click.UsageError(_("用 --by 写明是谁。"))
    name: str = click.prompt(_("姓名"), err=True)
    return name.strip()


def _pin(question: str, *, twice: bool = False) -> str:
    """A PIN from whoever sits there, or a line of the standard input; never from the command line, where all see it."""
    if at_terminal():
        pin: str = click.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
        return pin
    line = sys.stdin.readline()
    if not line:
        raise click.UsageError(_("标准输入里没有 PIN。"))
    return line.rstrip("\r\n")
