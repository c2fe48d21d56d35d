"""``gengfu build`` and ``gengfu serve``: the site, made by ourselves and without MkDocs' loop over everything."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import assert_never

import jinja2

from gengfu_site import release, rules
from gengfu_site.instants import next_instant
from gengfu_site.library import Library, load
from gengfu_site.output import Copied, Generated, Output, outputs
from gengfu_site.problems import Problem, ProblemsFound
from gengfu_site.render import environment, render
from gengfu_site.settings import Settings
from gengfu_site.view import Page

Progress = Callable[[int], None]
"""Told the number of files written so far."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What one build made."""

    folder: Path
    articles: int
    files: int
    held: tuple[Problem, ...] = ()
    """What residents do not see before somebody signs it, as warnings."""
    until: datetime | None = None
    """When something next begins or ends, so that the site is to be made anew; None: never by itself."""


def publish(settings: Settings, at: datetime, progress: Progress = lambda written: None) -> Published:
    """Check everything, make the site beside the public one, then put it in its place.

    A failed build leaves the public folder as it was.

    :raises ProblemsFound: some article, or the station's settings, must be mended first.
    :raises NotOurs: the public folder holds what no build wrote.
    """
    with release.replacing(settings.public) as folder:
        library, problems = load(settings, at)
        problems += rules.refusals(library, at)
        if problems:
            raise ProblemsFound(problems)
        files = write(library, at, folder, progress)
    return Published(
        folder=settings.public,
        articles=len(library.published(at)),
        files=files,
        held=library.held,
        until=next_instant(library, at),
    )


def preview(settings: Settings, at: datetime, folder: Path) -> tuple[Library, list[Problem]]:
    """Make the site in ``folder`` from the articles as they lie in content/; returns these, and the problems.

    What cannot be read as an article is left out; what nobody signed yet is shown to who writes it.
    """
    library, problems = load(settings, at, as_written=True)
    problems += rules.refusals(library, at)
    with release.replacing(folder) as new:
        write(library, at, new)
    return library, problems


def write(
    library: Library,
    at: datetime,
    folder: Path,
    progress: Progress = lambda written: None,
) -> int:
    """The site into an empty folder; returns the number of files."""
    env = environment(library.settings)
    written, made = 0, set[str]()
    for output in outputs(library, at, env):
        inside, _slash, _name = output.path.rpartition("/")
        if inside not in made:
            (folder / inside).mkdir(parents=True, exist_ok=True)
            made.add(inside)
        _write_one(output, folder / output.path, env)
        written += 1
        progress(written)
    return written


def _write_one(output: Output, target: Path, env: jinja2.Environment) -> None:
    match output:
        case Page():
            target.write_bytes(render(env, output).encode())
        case Generated():
            target.write_bytes(output.data)
        case Copied():
            shutil.copyfile(output.source, target)
        case _:
            assert_never(output)
