"""Commands of who writes: a new article."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape

from gengfu_site import clock
from gengfu_site.catalogue import KINDS, Kind
from gengfu_site.cli.shared import out, settings_in
from gengfu_templates.i18n import _, series


def _file_name(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    from gengfu_site.settings import RESERVED
    from gengfu_site.start import NAME

    if name is not None and (name in RESERVED or not NAME.fullmatch(name)):
        raise click.BadParameter(
            _("“{name}”不能用作文件名：只用小写字母、数字和连字符，例如 fake-refund。").format(name=name)
        )
    return name


@click.command(help=_("写一篇新文章：KIND 是 {kinds} 之一。").format(kinds=series(KINDS)))
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("title")
@click.option(
    "--name", callback=_file_name, help=_("文件名（也是网址），小写字母、数字和连字符；不写就用编号。")
)
@click.pass_obj
def new(folder: Path, kind: Kind, title: str, name: str | None) -> None:
    from gengfu_site.library import load
    from gengfu_site.start import new_article

    settings = settings_in(folder)
    at = clock.now()
    library, _problems = load(settings, at)
    file = new_article(settings, kind, title, at, {a.id for a in library.articles}, name)
    out.print(_("已写好 {file}，补上摘要和正文，再运行 gengfu check。").format(file=escape(str(file))))
