"""Seeing what one writes: serve. Here because the panel shows what the scheduler would send of it."""

from __future__ import annotations

import os
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gengfu_site.cli import building
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from gengfu_site.catalogue import Entry, Station


@click.command(help=_("在浏览器里预览，保存文章后自动刷新；放进 inbox 文件夹的 Word 和文本变成文章。"))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.pass_obj
def serve(folder: Path, host: str, port: int) -> None:
    building.serve(folder, host, port, partial(_looks, folder))


def _looks(folder: Path, entry: Entry, station: Station, at: datetime) -> str:
    """How chat groups see ``entry``, with whatever of the station's groups and timetable is right."""
    from gengfu_scheduler.preview import looks
    from gengfu_scheduler.roster import sound
    from gengfu_site.catalogue import Catalogue

    return looks(entry, sound(folder, Catalogue(station=station, entries=(entry,)), os.environ), at)
