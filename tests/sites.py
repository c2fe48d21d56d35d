"""A station's site as bytes, however it was made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gengfu_site.feeds import channels
from gengfu_site.library import Library
from gengfu_site.output import Copied, Generated, outputs
from gengfu_site.pages import Lists
from gengfu_site.render import environment, render
from gengfu_site.syndication import Content, Items
from gengfu_site.view import Page
from stations import AT, StationFolder


def feeds(library: Library, at: datetime, content: Content) -> Iterator[tuple[str, bytes]]:
    """Path below the site and bytes of every RSS and Atom file."""
    station = library.settings.station
    items = Items(station, content)
    for channel in channels(library, at, Lists(library.listed(at), station)):
        yield from items.feeds_of(channel)


def clean(station: StationFolder, at: datetime = AT) -> dict[str, bytes]:
    """Path and bytes of every file, as a build that knows nothing makes it."""
    library = station.load(at)
    env = environment(library.settings)
    made: dict[str, bytes] = {}
    for output in outputs(library, at, env):
        assert output.path not in made, "each path once"
        match output:
            case Page():
                made[output.path] = render(env, output).encode()
            case Generated():
                made[output.path] = output.data
            case Copied():
                made[output.path] = output.source.read_bytes()
    return made


def files(folder: Path) -> dict[str, bytes]:
    """Path and bytes of every file of a release but its mark."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".gengfu-site"
    }
