"""Setting up and trying out: init, check, sandbox, demo."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gengfu_scheduler.cli.shared import Stop, expect_station, now, say, task_pages, who
from gengfu_site import cli as site
from gengfu_site import clock
from gengfu_site.cli.screen import escape, out
from gengfu_site.problems import ProblemsFound, in_command
from gengfu_templates.i18n import _, series


@click.command(help=_("新建一个站点文件夹，带上可以直接发布的全套示范文章，群先接到本机沙箱。"))
@click.argument("folder", metavar=_("文件夹"), type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    from gengfu_scheduler.channels import PLATFORMS
    from gengfu_scheduler.groups import read_groups
    from gengfu_scheduler.rehearsal import write_webhooks
    from gengfu_site.signing import begin
    from gengfu_site.start import new_station

    with new_station(folder) as new:
        settings = site.settings_in(new)
        begin(settings, clock.now(), who())
        groups, problems = read_groups(new, settings.station, os.environ, PLATFORMS)
        if problems:
            raise ProblemsFound(problems)
        write_webhooks(new, groups)
    out.print(_("已建好 {folder}。接下来：").format(folder=escape(str(folder))))
    for line, why in (
        (f"cd {in_command(str(folder))}", ""),
        ("gengfu build", _("生成网站")),
        ("gengfu serve", _("在浏览器里看")),
        ("gengfu sandbox", _("另开一个窗口，看群里收到什么")),
        ("gengfu push services", _("发一次试试")),
    ):
        out.print(f"  {escape(line):24}[dim]{why}[/]" if why else f"  {escape(line)}")
    guide = escape(str(folder / "说明/怎么用.md"))
    out.print(_("第一次用，照着 {guide} 一步一步做。").format(guide=guide), style="bold")
    out.print(
        _(
            "示范文章随程序来，本单位还没有人签过，照原样公开；改过的和新写的，签了才公开：gengfu reviewers add"
        ),
        style="dim",
    )


@click.command(help=_("检查文章、群清单和时间表，把所有问题一次列出来。"))
@click.option(
    "--release", is_flag=True, help=_("公开上线以前用：连主办单位、备案号、网站标识码和找错电话也检查。")
)
@click.option("--online", is_flag=True, help=_("连外部网址也检查：打不开的列出来（要联网，慢一些）。"))
@click.option("--strict", is_flag=True, help=_("有提醒也算没通过（退出码 1）。"))
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "github", "html")),
    default="text",
    show_default=True,
    help=_("怎样列出：text 给人看，json 给程序，github 标在改动的那一行，html 是一页可以打印的报告。"),
)
@click.pass_obj
def check(folder: Path, release: bool, online: bool, strict: bool, form: str) -> None:
    from gengfu_scheduler import roster
    from gengfu_site import findings
    from gengfu_site.check import check as check_site

    name, zone = folder.resolve().name, None
    try:
        expect_station(folder)
        settings = site.settings_if_any(folder)
        station = settings.station if settings else roster.published_station(folder)
    except ProblemsFound as error:
        problems = list(error.problems)
    else:
        name, zone = station.name, ZoneInfo(station.timezone)
        problems = check_site(settings, clock.now(), release=release, online=online) if settings else []
        problems += roster.check(folder, station, os.environ)
    problems.sort()
    match form:
        case "json":
            click.echo(findings.as_json(problems))
        case "github":
            click.echo(findings.as_workflow_commands(problems), nl=bool(problems))
        case "html":  # into a file, whatever this console's encoding
            page = findings.page(problems, name, clock.now().astimezone(zone))
            sys.stdout.buffer.write(page.encode())
        case "text" if problems:
            site.show_problems(problems)
        case "text":
            out.print(_("没有发现问题。"), style="green")
    if strict or any(problem.severity == "error" for problem in problems):
        sys.exit(bool(problems))


@click.command(help=_("启动本机沙箱：替代真实的聊天平台，严格检查每条消息，并画出每个群看到的样子。"))
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
    from gengfu_scheduler.channels import PLATFORMS
    from gengfu_scheduler.groups import read_groups
    from gengfu_scheduler.sandbox.command import read_robots, serve

    if table:
        robots = read_robots(table)
    elif admit_unknown:
        robots = []
    else:
        groups, problems = read_groups(folder, site.settings_in(folder).station, os.environ, PLATFORMS)
        if problems:
            raise ProblemsFound(problems)
        robots = rehearsal.robots(groups)
    port = rehearsal.PORT if port is None else port
    serve(robots, host=host, port=port, store=store, admit_unknown=admit_unknown)


@click.command(help=_("演示：在本机生成网站、启动沙箱和定时程序，几秒内把消息发到每个群。"))
@click.option("--once", is_flag=True, help=_("发完就打印每个群收到的内容，然后结束。"))
@click.pass_obj
def demo(folder: Path, once: bool) -> None:
    from gengfu_scheduler.demo import demo as set_to_work
    from gengfu_scheduler.sandbox import describe

    stop = Stop()
    with set_to_work(folder, now, say) as station:
        out.print(_("便民网站 {url}").format(url=station.site), style="bold green")
        out.print(_("群消息墙 {url}").format(url=station.wall), style="bold green")
        station.tell_all(stop)
        received = station.received()
        if once:
            click.echo(describe(received))
        by_hand = station.by_hand()
        out.print(_("{n} 条消息已到群里。").format(n=sum(one.seen for one in received)), style="bold")
        out.print(_("{n} 个群没有机器人，已交给群主手工转发：").format(n=len(by_hand)), style="bold")
        for group, titles in by_hand.items():
            out.print(f"  {escape(group.name)}（{escape(group.owner)}）  {escape(series(titles))}")
        if not once:
            for told in station.tasks(task_pages(station.folder))[:1]:
                out.print(
                    _("群主打开自己的任务页面，复制文字、逐群打勾：{title}").format(title=escape(told.title))
                )
                for task in told.tasks:
                    out.print(f"  {escape(task.owner)}  {escape(str(task.page))}")
            out.print(_("网站和消息墙一直开着，按 Ctrl+C 结束。"))
            stop.wait()
