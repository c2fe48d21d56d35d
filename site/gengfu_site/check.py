"""Everything that must be mended in a station's folder: ``gengfu check``.

What keeps articles from being published is found where they are read (:mod:`gengfu_site.library`) and by the rules
that refuse (:mod:`gengfu_site.rules`), and a build says it too. Here stands besides what must not hold up a build:
advice, data of a missing person that is no longer needed, and secrets that lie where git would carry them off.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from gengfu_site import rules
from gengfu_site.library import WEBHOOK, Library, exposed, load
from gengfu_site.persons import leftovers, searched_for
from gengfu_site.problems import Problem, shown
from gengfu_site.rules.external_links import asked
from gengfu_site.settings import Settings
from gengfu_templates.i18n import _

_SOURCES = frozenset((".md", ".yml", ".yaml", ".csv", ".txt", ".json", ".toml", ".html"))
_MOST_BYTES = 8 << 20


def check(settings: Settings, at: datetime, *, release: bool = False, online: bool = False) -> list[Problem]:
    """Every problem of the station at ``at``, warnings included, in the order of files and lines.

    :param release: with what a site open to everybody must still say of itself.
    :param online: with addresses out of the site that no longer open.
    :raises NoNetwork: none of these could be reached.
    """
    library, problems = load(settings, at, as_written=True)
    problems += rules.refusals(library, at)
    if any(review != "none" for review in settings.reviews.values()):
        public, found = load(
            settings, at
        )  # what residents see must be right too, whatever lies in content/ by now
        problems += [*found, *rules.refusals(public, at), *public.held]
    problems += rules.advice(library, at, asked(library) if online else {})
    searching = searched_for(library.articles) | set(_perhaps_searching(settings, library, problems))
    unready = settings.unready if release else ()
    return sorted({*problems, *leftovers(settings, searching, at), *_exposed(settings), *unready})


def _perhaps_searching(settings: Settings, library: Library, problems: Iterable[Problem]) -> Iterator[str]:
    """Ids in private/ that an article names which cannot be read yet: who is writing an alert needs the data."""
    unread = {problem.path for problem in problems} - {article.lines.path for article in library.articles}
    texts = [file.read_bytes() for path in unread if (file := settings.folder / path).suffix == ".md"]
    for file in settings.private.glob("*.yml"):
        if any(file.stem.encode() in text for text in texts):
            yield file.stem


def _exposed(settings: Settings) -> Iterator[Problem]:
    """Secrets in files that are tracked, or would be with the next ``git add``."""
    for file in _carried_by_git(settings):
        path = shown(file, settings.folder)
        if file.is_relative_to(settings.private):
            yield Problem(
                path=path,
                message=_("走失人员的个人信息不能进版本库。"),
                remedy=_("把 /private/ 写进 .gitignore，再运行：git rm --cached {path}").format(path=path),
            )
        elif file.suffix.lower() in _SOURCES and file.is_file() and file.stat().st_size <= _MOST_BYTES:
            text = file.read_text("utf-8", "replace")
            for found in WEBHOOK.finditer(text):
                yield exposed(path, text.count("\n", 0, found.start()) + 1)


def _carried_by_git(settings: Settings) -> list[Path]:
    """Files git tracks or does not ignore, below the station folder.

    Where git cannot tell, the station's own files that are meant to be shared.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=settings.folder, capture_output=True, check=False)  # noqa: S603
    except OSError:
        done = None
    if done is None or done.returncode:
        files = [
            *settings.folder.glob("*.yml"),
            *settings.folder.glob("groups.*"),
            *settings.content.rglob("*"),
        ]
    else:
        names = done.stdout.decode("utf-8", "surrogateescape").split("\0")
        files = [settings.folder / name for name in names if name]
    return sorted(file for file in files if not file.is_relative_to(settings.public))
