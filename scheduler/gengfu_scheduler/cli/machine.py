"""The machine a station runs on: its services, a copy of the station, a copy of the program."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_scheduler.cli.shared import by_option, expect_station, now, record, show_notices, who
from gengfu_site import cli as site
from gengfu_site.cli.screen import err, escape, out
from gengfu_site.problems import in_command
from gengfu_templates.i18n import _, officer_language, series

if TYPE_CHECKING:
    from gengfu_scheduler.backup import Backup, Secret

_PEM = click.Path(path_type=Path, dir_okay=False)
"""Read by nginx alone: whoever the station belongs to may well be kept from even seeing it."""


@click.command(
    help=_(
        "写出在 Linux 服务器上长期运行要用的 nginx 和 systemd 配置，放进一个文件夹；"
        "照本站点的文件夹、用户、网址填好，只写文件，不动系统。"
    )
)
@click.argument("target", metavar=_("文件夹"), type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--name", default="gengfu", show_default=True, help=_("服务叫什么；一台机器上有几个站点就各起一个。")
)
@click.option("--user", default=None, help=_("用哪个用户运行；不写就是站点文件夹的主人。"))
@click.option(
    "--certificate", type=_PEM, help=_("网站的证书（PEM，带中间证书）；前面另有代理管 HTTPS 就不写。")
)
@click.option("--key", type=_PEM, help=_("证书的私钥（PEM）。"))
@click.pass_obj
def deploy(
    folder: Path, target: Path, name: str, user: str | None, certificate: Path | None, key: Path | None
) -> None:
    from gengfu_scheduler import deploy as deploying
    from gengfu_scheduler.timetable import FILE as TIMETABLE

    expect_station(folder)
    if not deploying.NAME.fullmatch(name):
        raise click.BadParameter(_("只用小写字母、数字和短横线，字母开头。"), param_hint="--name")
    if (certificate is None) != (key is None):
        raise click.UsageError(_("--certificate 和 --key 要一起写。"))
    settings = site.settings_if_any(folder)
    server = deploying.Server(
        name=name,
        folder=str(folder.resolve()),
        user=user or _owner(folder),
        program=str(Path(sys.executable).with_name("gengfu")),
        language=officer_language(),
        site=deploying.site(settings.station.url, settings.public) if settings else None,
        sends=(folder / TIMETABLE).is_file(),
        certificate=str(certificate.absolute()) if certificate else "",
        key=str(key.absolute()) if key else "",
    )
    if server.user == "root":
        words = _(
            "站点文件夹是 root 的，服务会用 root 运行。最好建一个专用用户：sudo chown -R 用户 {folder}，再运行一次。"
        )
        show_notices([words.format(folder=in_command(str(folder.resolve())))])
    for path, text in list(deploying.files(server)):  # all or none
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        out.print(escape(str(file)))
    out.print("\n" + _("看过以后，用管理员身份装上："))
    out.print(escape(f"  sudo cp -r {in_command(f'{target}/.')} /etc/"))
    if server.site:
        out.print("  sudo nginx -t && sudo systemctl reload nginx")
    services = [*(["build"] if server.site else []), *(["run"] if server.sends else []), "backup.timer"]
    enabled = " ".join(f"{name}-{service}" for service in services)
    out.print(f"  sudo systemctl daemon-reload && sudo systemctl enable --now {enabled}")


def _owner(folder: Path) -> str:
    try:
        return folder.owner()
    except (KeyError, NotImplementedError) as error:
        raise click.UsageError(_("看不出站点文件夹是谁的：用 --user 写明用哪个用户运行。")) from error


@click.command(
    help=_(
        "备份本站点到一个文件，或者一个文件夹（文件名里带时间），边发送边备份也可以。"
        "不含走失人员信息、生成的网页；机器人地址和 PIN 只在写明 --with 时才放进去。"
    )
)
@click.argument("target", metavar=_("文件或文件夹"), type=click.Path(path_type=Path))
@click.option(
    "--with",
    "secrets",
    multiple=True,
    type=click.Choice(("webhooks", "pins")),
    help=_("还放进：webhooks 群机器人的地址，pins 签发人的 PIN 记录；可以写两次。"),
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    help=_("备份到文件夹时，本站点的备份只留最新的几份。"),
    metavar=_("份数"),
)
@by_option
@click.pass_obj
def backup(folder: Path, target: Path, secrets: tuple[Secret, ...], keep: int | None, by: str | None) -> None:
    from gengfu_scheduler import backup as backing
    from gengfu_scheduler.state import database_url

    expect_station(folder)
    at = now()
    into = target.is_dir()
    if keep and not into:
        raise click.UsageError(_("写了 --keep，就要备份到一个已有的文件夹。"))
    file = target / backing.name_of(folder, at) if into else target
    url = database_url(folder, os.environ, reading=True)
    made = backing.back_up(folder, file, url, secrets=secrets, now=at)
    record(folder, by, "backup", file=file.name, secrets=made.secrets)
    out.print(_("已备份 {n} 个文件到 {file}").format(n=len(made.files), file=escape(str(file))))
    if keep:
        for old in backing.keep_newest(folder, target, keep):
            out.print(_("删了旧的 {file}").format(file=escape(str(old))), style="dim")
    show_notices(_of_backup(made, url))


def _of_backup(made: Backup, url: str) -> list[str]:
    """What whoever keeps it should know."""
    notices = []
    if made.secrets:
        words = _(
            "这份备份里有 {secrets}：谁拿到它，谁就能往群里发消息或者冒名签发。放在加密的盘上，别用聊天软件传。"
        )
        notices.append(words.format(secrets=series(made.secrets)))
    if not made.outbox and not url.startswith("sqlite"):
        notices.append(
            _("发送记录在数据库服务器上，不在这份备份里：同时用 pg_dump 备份那个数据库，见“服务器怎么管”。")
        )
    return notices


@click.command(help=_("把一份备份恢复成站点文件夹（新的或空的）；先逐个文件核对，有一个不对就什么都不写。"))
@click.argument("file", metavar=_("备份"), type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("folder", metavar=_("文件夹"), type=click.Path(path_type=Path))
@by_option
def restore(file: Path, folder: Path, by: str | None) -> None:
    from gengfu_scheduler import backup as backing

    held = backing.restore(file, folder, who=by or who(), now=now())
    out.print(
        _("已恢复到 {folder}：{made:%Y-%m-%d %H:%M} 的 {n} 个文件，逐个核对过。").format(
            folder=escape(str(folder)), made=held.made.astimezone(), n=len(held.files)
        )
    )
    show_notices(_of_restored(held, os.environ.get("GENGFU_DATABASE", "")))
    out.print(_("接下来：gengfu check、gengfu audit verify、gengfu build，最后才 gengfu run。"))


def _of_restored(held: Backup, database: str) -> list[str]:
    """What it lacks, and what it does not know.

    :param database: where the programs are told to keep the outbox; empty: in the station.
    """
    notices = [
        _(
            "备份以后发出去的，这里不知道。所以：备份时没发完的、备份到现在本该按时间表发的，都记成“结果不明”，不自动再发；"
            "备份以后发的警情这里没有，再发以前先问群里。"
        )
    ]
    if not held.outbox:
        notices.append(
            _(
                "里面没有发送记录。备份时还没发过，就从头记；在数据库服务器上的，用那里的备份恢复，不然群里会再收到以前发过的。"
            )
        )
    elif database:
        notices.append(
            _(
                "GENGFU_DATABASE 指着另一个数据库，恢复出来的发送记录不会用到：启动以前去掉这个变量，不然群里会再收到以前发过的。"
            )
        )
    if "webhooks" not in held.secrets:
        notices.append(_("里面没有机器人地址：把 webhooks.csv 另外放回来，权限 600。"))
    if "pins" not in held.secrets:
        notices.append(_("里面没有 PIN：签发人重新登记（gengfu reviewers add），以前签的仍然算数。"))
    return notices


@click.command(
    help=_(
        "做一个离线安装包：把 gengfu 和它要用的全部软件包（照这台机器上装着的版本）放进一个文件夹，"
        "拷到不能上网的同类机器上，运行里面的 install.sh 就能装。"
    )
)
@click.argument("target", metavar=_("文件夹"), type=click.Path(path_type=Path))
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=_("gengfu 自己的安装包（.whl）；不写就自己找。"),
)
@click.option(
    "--extra",
    "extras",
    multiple=True,
    type=click.Choice(("postgresql", "apprise")),
    help=_("还带上：postgresql 数据库驱动，apprise 更多聊天平台；可以写两次。"),
)
def bundle(target: Path, wheel: Path | None, extras: tuple[str, ...]) -> None:
    from gengfu_scheduler.bundle import bundle as make

    with err.status(_("正在收集软件包……")):
        made = make(target, wheel, extras)
    out.print(
        _("已做好 {folder}：{n} 个软件包，装得上 Python {python}、{machine} 的机器。").format(
            folder=escape(str(made.folder)), n=made.wheels, python=made.python, machine=made.machine
        )
    )
    out.print(_("拷过去以后运行：sh install.sh /opt/gengfu"))
