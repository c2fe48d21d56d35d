"""``gengfu build`` and ``gengfu serve``: the site, made by ourselves and without MkDocs' loop over everything."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple, assert_never

import jinja2

from gengfu_site import release, rules
from gengfu_site.instants import next_instant
from gengfu_site.library import Library, load
from gengfu_site.output import Copied, Generated, Left, Outcome, Output, Recipe, Site, recipes
from gengfu_site.parallel import building, spread
from gengfu_site.problems import Problem, ProblemsFound
from gengfu_site.qr import draw
from gengfu_site.readings import Readings, store_for
from gengfu_site.release import Staged
from gengfu_site.render import environment, render
from gengfu_site.settings import Settings
from gengfu_site.store import Done, Store
from gengfu_site.values import dataclass
from gengfu_site.view import ArticlePage, Page

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


def publish(
    settings: Settings, at: datetime, progress: Progress = lambda written: None, *, once: bool = False
) -> Published:
    """Check everything, make what is new of the site beside the public one, then put it in its place.

    A failed build leaves the public folder as it was.

    :param once: whether this process will build no more, so that it need not hold what spares the next build reading.
    :raises ProblemsFound: some article, or the station's settings, must be mended first.
    :raises NotOurs: the public folder holds what no build wrote.
    """
    store = store_for(settings)
    known = Readings(store=store, settings=settings, at=at, once=once)
    with building(), release.replacing(settings.public) as staged:
        library, problems = load(settings, at, known=known)
        problems += rules.refusals(library, at)
        if problems:
            raise ProblemsFound(problems)
        files = write(site_of(library, at, store), staged, store, progress)
    return Published(
        folder=settings.public,
        articles=len(library.published(at)),
        files=files,
        held=library.held,
        until=next_instant(library, at),
    )


Begun = Callable[[Site, Sequence[Problem]], None]
"""Given a site that is about to be made, and what keeps it from being published."""


def preview(
    settings: Settings, at: datetime, folder: Path, begun: Begun = lambda site, problems: None
) -> tuple[Library, list[Problem]]:
    """Make the site in ``folder`` from the articles as they lie in content/; returns these, and the problems.

    What cannot be read as an article is left out; what nobody signed yet is shown to who writes it.

    :param begun: told once all is read.
    """
    store = store_for(settings, folder.with_name(f".{folder.name}.store"))
    known = Readings(store=store, settings=settings, at=at)
    library, problems = load(settings, at, as_written=True, known=known)
    problems += rules.refusals(library, at)
    site = site_of(library, at, store)
    begun(site, problems)
    with release.replacing(folder) as staged:
        write(site, staged, store)
    return library, problems


def site_of(library: Library, at: datetime, store: Store) -> Site:
    """
    :raises TemplateBroken: a style sheet or script of the theme cannot be read.
    """
    return Site(library=library, at=at, env=environment(library.settings), known=store.worked_out)


def write(site: Site, staged: Staged, store: Store, progress: Progress = lambda written: None) -> int:
    """The site into the staging folder, or what of it is not as in the present release; returns the number of files.

    Whether the new release takes the present one's place whole or file by file hangs on how much of it is new.
    """
    with building(), store.kept_open():
        before = store.made(staged.before)
        wanted = list(recipes(site))
        new = [
            alike.recipe(name)
            for alike in wanted
            for name, key in alike.keys.items()
            if key is None or before.get(name, _NOTHING)[0] != key
        ]
        made = _Making(staged=staged, env=site.env, before=before, store=store, progress=progress).all(new)
    over = before.keys() - set().union(*(alike.keys for alike in wanted))
    done = {one.name: (one.key, made[one.name].files) for one in new}
    now = before | done
    for name in over:
        del now[name]
    files = sum([its.count("\0") + 1 for _key, its in now.values() if its])
    put = {file for one in made.values() for file in one.put}
    changed = [name for name in (*over, *made) if before.get(name, _NOTHING)[1] != now.get(name, _NOTHING)[1]]
    gone = _files(before, changed) - _files(now, changed)
    if before and len(put) + len(gone) <= files // _FEW and not _in_the_way(put, gone):
        staged.change(gone)
    elif not staged.take_over(_files(now, now) - put):
        # Somebody's hand was in the release.
        staged.forget()
        return write(site, staged, store, progress)
    left = {name: one.left for name, one in made.items() if one.left is not None}
    store.keep_made(staged.number, staged.before if before else "", done, over, left)
    if site.pager.leads.left:
        store.keep_worked_out(site.pager.leads.left)
    progress(files)
    return files


_FEW = 4
"""Of so many files one may be new or gone, and moving those is still less work than linking the others."""


_NOTHING: Done = None, ""


def _files(done: Mapping[str, Done], names: Iterable[str]) -> set[str]:
    """Those of some recipes."""
    return set("\0".join([done[name][1] for name in names if name in done]).split("\0")) - {""}


def _in_the_way(put: Collection[str], gone: Collection[str]) -> bool:
    """Whether a file that is to go is, or may be on some file system, where another one or its folder is to be."""
    new, old = ({file.lower() for file in files} for files in (put, gone))
    return not (new.isdisjoint(old) and new.isdisjoint(_folders(old)) and old.isdisjoint(_folders(new)))


def _folders(files: Iterable[str]) -> set[str]:
    """Those in which they lie, at any depth."""
    found: set[str] = set()
    for file in files:
        folder = file.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


class _Made(NamedTuple):
    """What came of one recipe in this build."""

    files: str
    """As in :data:`Done`."""
    put: tuple[str, ...]
    """Those of its files that are in the staging folder: the others are as they were."""
    left: bytes | None
    """As :class:`Left`."""


@dataclass(frozen=True, kw_only=True)
class _Making:
    """Makes files by their recipes, on all processors where there are many."""

    staged: Staged
    env: jinja2.Environment
    before: Mapping[str, Done]
    store: Store
    progress: Progress
    _folders: set[str] = field(default_factory=set)

    def all(self, wanted: Sequence[Recipe]) -> dict[str, _Made]:
        """Every one of ``wanted``, by its name."""
        made: dict[str, _Made] = {}
        written = 0
        # Articles, many and alike, fill up what time the rest leaves: nobody waits at the end for whoever makes the feeds.
        first = sorted(wanted, key=lambda recipe: recipe.name.startswith("article "))
        for share in spread(self._some, first):
            for name, files, put, left in share:
                made[name] = _Made(files, put, left)
                written += len(put)
            self.progress(written)
        return made

    def _some(self, wanted: Sequence[Recipe]) -> list[tuple[str, str, tuple[str, ...], bytes | None]]:
        """Some of their files are worked out, then the codes for paper drawn, all of these files rendered, then written: a
        processor that goes on at the same code has it at hand, and needs a third less time than for one after the other."""
        begun = [(recipe, *self._outputs(recipe)) for recipe in wanted]
        outputs = ((recipe.name, outcome) for recipe, _files, new in begun for outcome in new)
        put: defaultdict[str, list[str]] = defaultdict(list)
        left: dict[str, bytes] = {}
        while some := list(islice(outputs, _TOGETHER)):
            for _name, one in some:
                if isinstance(one, ArticlePage):
                    draw(one.permalink)
            left |= {name: one.state for name, one in some if isinstance(one, Left)}
            files = [(name, one) for name, one in some if not isinstance(one, Left)]
            for name, path, content in [(name, one.path, self._content(one)) for name, one in files]:
                self._make(path.rpartition("/")[0])
                _put(content, f"{self.staged.folder}/{path}")
                put[name].append(path)
        return [
            (one.name, its or "\0".join(new), new, left.get(one.name))
            for one, its, _outcomes in begun
            for new in [tuple(put[one.name])]
        ]

    def _outputs(self, recipe: Recipe) -> tuple[str, Iterable[Outcome]]:
        """All its files where only some of them are new, and those that are."""
        if recipe.patch and recipe.name in self.before:
            left = self.store.left(self.staged.before, recipe.name)
            changed = recipe.patch(left, self.staged.earlier) if left is not None else None
            if changed is not None:
                return self.before[recipe.name][1], changed
        return "", recipe.make()

    def _content(self, output: Output) -> bytes | Path:
        """Its bytes, or the file that holds them."""
        match output:
            case Page():
                return render(self.env, output).encode()
            case Generated():
                return output.data
            case Copied():
                return output.source
            case _:
                assert_never(output)

    def _make(self, folder: str) -> None:
        """With those above it; another worker may have made it."""
        if folder and folder not in self._folders:
            self._make(folder.rpartition("/")[0])
            with suppress(FileExistsError):
                os.mkdir(f"{self.staged.folder}/{folder}")  # noqa: PTH102 - each page has a folder of its own
            self._folders.add(folder)


_TOGETHER = 128
"""Files that are in memory at once."""


def _put(content: bytes | Path, target: str) -> None:
    """Three calls of the system where ``open`` makes six: of 50,000 small files they are the greater part of the work."""
    if isinstance(content, Path):
        shutil.copyfile(content, target)
        return
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        while content:
            content = content[os.write(file, content) :]
    finally:
        os.close(file)
