"""Everything that must be mended in a station's folder: ``gengfu check``.

What keeps articles from being published is found where they are read (:mod:`gengfu_site.library`) and by the rules
that refuse (:mod:`gengfu_site.rules`), and a build says it too. Here stands besides what must not hold up a build:
advice, data of a missing person that is no longer needed, and secrets that lie where git would carry them off.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from gengfu_site import bounds, rules
from gengfu_site.library import WEBHOOK, Library, exposed, load
from gengfu_site.persons import leftovers, searched_for
from gengfu_site.problems import Problem, in_command, shown
from gengfu_site.readings import of_station
from gengfu_site.rules.external_links import asked
from gengfu_site.rules.rule import Around, Reading
from gengfu_site.settings import FILE, Settings
from gengfu_templates.i18n import _

_SOURCES = frozenset((".md", ".yml", ".yaml", ".csv", ".txt", ".json", ".toml", ".html"))
_PIECE, _MOST_PIECES = 1 << 20, 64
"""Characters of a file that are searched at a time, and how often: some seconds' work."""
_LONGEST_ADDRESS = 2048


def check(settings: Settings, at: datetime, *, release: bool = False, online: bool = False) -> list[Problem]:
    """Every problem of the station at ``at``, warnings included, in the order of files and lines.

    :param release: with what a site open to everybody must still say of itself.
    :param online: with addresses out of the site that no longer open.
    :raises NoNetwork: none of these could be reached.
    """
    # Rules read every word, so nothing of it is remembered.
    library, problems = load(settings, at, as_written=True)
    problems += rules.refusals(library, at)
    problems += _not_imported(settings)
    unready = (*settings.unready, *_for_show(library, at)) if release else ()
    return sorted({*examined(library, problems, at, asked(library) if online else {}), *unready})


_DOCUMENTS = frozenset((".docx", ".doc", ".wps", ".rtf", ".txt"))


def _not_imported(settings: Settings) -> Iterator[Problem]:
    """What somebody wrote, put among the articles, and waits for in vain."""
    for file in settings.content.rglob("*"):
        if file.suffix.lower() in _DOCUMENTS and not any(
            part.startswith((".", "~$")) for part in file.relative_to(settings.content).parts
        ):
            yield Problem(
                path=shown(file, settings.folder),
                message=_("Word 文档和纯文本放在 content/ 里，不会变成文章。"),
                remedy=_("移到站点文件夹里，再运行 gengfu import {name}。").format(
                    name=in_command(file.name)
                ),
                severity="warning",
            )


_FOR_SHOW = re.compile(r"(?<!\d)0000-?\d{7,8}(?!\d)")
"""A number that came with the program: no area code is 0000."""


def _for_show(library: Library, at: datetime) -> Iterator[Problem]:
    """Numbers that nobody answers, in what residents read."""

    def problem(path: str, line: int, number: str) -> Problem:
        message = _("“{number}”是示范用的号码，没有人接。").format(number=number)
        return Problem(path=path, line=line, message=message, remedy=_("换成本单位的号码。"))

    for number, line in enumerate((library.settings.folder / FILE).read_text("utf-8").splitlines(), 1):
        for found in _FOR_SHOW.findall(re.sub(r"(^|\s)#.*", "", line)):
            yield problem(FILE, number, found)
    for article in library.articles:
        reading = Reading(article=article, around=Around(library=library, at=at))
        for found in _FOR_SHOW.finditer(reading.text):
            yield problem(article.lines.path, reading.place(found.start()).line, found[0])


def examined(
    library: Library, problems: Sequence[Problem], at: datetime, answers: Mapping[str, str]
) -> list[Problem]:
    """The same, of what was read already.

    :param problems: what keeps ``library``, which is as it lies in content/, from being published.
    :param answers: as for :func:`gengfu_site.rules.advice`.
    """
    settings, problems = library.settings, list(problems)
    if any(review != "none" for review in settings.reviews.values()):
        # What residents see must be right too, whatever lies in content/ by now.
        public, found = load(settings, at, known=of_station(settings, at))
        problems += [*found, *rules.refusals(public, at), *public.held]
    problems += rules.advice(library, at, answers)
    searching = searched_for(library.articles) | set(_perhaps_searching(settings, library, problems))
    return sorted({*problems, *leftovers(settings, searching, at), *_exposed(settings)})


def _perhaps_searching(settings: Settings, library: Library, problems: Iterable[Problem]) -> Iterator[str]:
    """Ids in private/ that an article names which cannot be read yet: who is writing an alert needs the data."""
    unread = {problem.path for problem in problems} - {article.lines.path for article in library.articles}
    texts = [_beginning(settings.folder / path) for path in unread if path.endswith(".md")]
    for file in settings.private.glob("*.yml"):
        if any(file.stem.encode() in text for text in texts):
            yield file.stem


def _beginning(file: Path) -> bytes:
    """As much as an article may hold; nothing where it cannot be read."""
    with suppress(OSError), file.open("rb") as opened:
        return opened.read(bounds.MAX_BYTES)
    return b""


def _exposed(settings: Settings) -> Iterator[Problem]:
    """Secrets in files that are tracked, or would be with the next ``git add``."""
    for file in _carried_by_git(settings):
        path = shown(file, settings.folder)
        if file.is_relative_to(settings.private):
            yield Problem(
                path=path,
                message=_("走失人员的个人信息不能进版本库。"),
                remedy=_("把 /private/ 写进 .gitignore，再运行：git rm --cached {path}").format(
                    path=in_command(path)
                ),
            )
        elif file.suffix.lower() in _SOURCES and file.is_file():
            with suppress(OSError):  # nor will git read it
                yield from _addresses(file, path)


def _addresses(file: Path, name: str) -> Iterator[Problem]:
    """What to say of every group robot's address in ``file``, however long that is.

    :raises OSError: it cannot be read.
    """
    text, line = "", 1
    with file.open(encoding="utf-8", errors="replace", newline="") as opened:
        for _piece in range(_MOST_PIECES):
            piece = opened.read(_PIECE)
            text += piece.replace("\0", "")  # of UTF-16, Latin letters remain
            # What begins near the end may go on in the next piece.
            settled = max(len(text) - _LONGEST_ADDRESS, 0) if piece else len(text)
            for found in WEBHOOK.finditer(text):
                if found.start() < settled:
                    yield exposed(name, line + text.count("\n", 0, found.start()))
            if not piece:
                return
            line += text.count("\n", 0, settled)
            text = text[settled:]
    yield _searched_in_part(name, line)


def _searched_in_part(name: str, line: int) -> Problem:
    return Problem(
        path=name,
        line=line,
        message=_("文件太长，从这一行起没有查有没有群机器人地址。"),
        remedy=_("不属于站点的文件移出站点文件夹，或写进 .gitignore。"),
        severity="warning",
    )


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
