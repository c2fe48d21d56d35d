"""The machine a station runs on: its services, a copy of the station, a copy of the program."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape

from gengfu_scheduler.cli.shared import expect_station, out, show_notices
from gengfu_site import cli as site
from gengfu_templates.i18n import _, officer_language

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True)


@click.command(
    help=_(
        "写出在 Linux 服务器上长期运行要用的 nginx 和 systemd 配置，放进 TARGET 文件夹；"
        "照本站点的文件夹、用户、网址填好，只写文件，不动系统。"
    )
)
@click.argument("target", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--name", default="gengfu", show_default=True, help=_("服务叫什么；一台机器上有几个站点就各起一个。")
)
@click.option("--user", default=None, help=_("用哪个用户运行；不写就是站点文件夹的主人。"))
@click.option(
    "--certificate", type=_FILE, help=_("网站的证书（PEM，带中间证书）；前面另有代理管 HTTPS 就不写。")
)
@click.option("--key", type=_FILE, help=_("证书的私钥（PEM）。"))
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
        certificate=str(certificate or ""),
        key=str(key or ""),
    )
    if server.user == "root":
        words = _(
            "站点文件夹是 root 的，服务会用 root 运行。最好建一个专用用户：sudo chown -R 用户 {folder}，再运行一次。"
        )
        show_notices([words.format(folder=folder.resolve())])
    for path, text in deploying.files(server):
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        out.print(escape(str(file)))
    out.print(_("\n看过以后，用管理员身份装上："))
    out.print(escape(f"  sudo cp -r {target}/. /etc/"))
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
