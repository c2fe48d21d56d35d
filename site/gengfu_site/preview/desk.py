"""Every address of the preview, and what is answered there."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from heapq import nlargest
from itertools import groupby
from mimetypes import MimeTypes
from pathlib import Path, PurePosixPath
from threading import Event
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gengfu_site import bounds, rules
from gengfu_site.catalogue import Entry, Station
from gengfu_site.check import examined
from gengfu_site.feeds import entry
from gengfu_site.library import WEBHOOK, Article, Library
from gengfu_site.links import url_of
from gengfu_site.output import Site
from gengfu_site.pages import page_of, photo
from gengfu_site.preview import dress
from gengfu_site.preview.dress import OWN
from gengfu_site.preview.marks import places
from gengfu_site.preview.paper import on_paper, put_last
from gengfu_site.preview.server import Answer
from gengfu_site.preview.standing import standing
from gengfu_site.problems import GengfuError, Problem, shown
from gengfu_site.render import environment, render
from gengfu_site.settings import Settings
from gengfu_site.source import decode

Looks = Callable[[Entry, Station, datetime], str]
"""How chat groups see an entry: HTML that is put into the panel, with its own styles."""

_REST_OF_ADDRESS = re.compile(r"\S*")
_IN_NO_NAME = re.compile(r'[\x00-\x1f\\:*?"<>|]' if os.name == "nt" else r"[\x00-\x1f]")
"""What no file's name holds here; on Windows some of it leads to another folder or drive."""
_TYPES = MimeTypes()
"""Not what this machine believes: on Windows any program may have changed that."""
_LATEST = 5
"""Files that are named as saved last."""
_BETWEEN, _SWITCHES = 0.02, 100
"""Seconds, and how often, to wait for the new pages to stand where the old ones stood."""
# Its worker takes itself off: a preview is to be seen as it is now, or not at all.
_NO_WORKER = b"""self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", () => self.registration.unregister());
"""


def _over() -> Event:
    event = Event()
    event.set()
    return event


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the preview was last made of, in whole or in part."""

    at: datetime
    folder: Path
    """Where the pages lie."""
    library: Library
    problems: tuple[Problem, ...] = ()
    """What keeps it from being published; where it could not be read anew, what keeps it from being read."""
    trouble: str = ""
    """Why what is shown is older than what lies in the files."""
    until: datetime | None = None
    """When it is right no longer, though no file changed."""
    site: Site | None = None
    """What it is made from; None where it was made before."""
    whole: Event = field(default_factory=_over)
    """Set once all of it lies in :attr:`folder`. Until then only articles' pages can be had, from :attr:`site`."""

    @cached_property
    def by_url(self) -> dict[str, Article]:
        return {article.url: article for article in self.library.articles}

    @cached_property
    def by_path(self) -> dict[str, Article]:
        """By the file as the officer knows it."""
        return {article.lines.path: article for article in self.library.articles}

    @cached_property
    def unread(self) -> dict[str, str]:
        """Files that cannot be read as articles, by the address that each would have."""
        settings = self.library.settings
        files = {problem.path for problem in self.problems} - set(self.by_path)
        content = shown(settings.content, settings.folder) + "/"
        return {
            url_of(PurePosixPath(path.removeprefix(content))): path
            for path in files
            if path.startswith(content) and path.endswith(".md")
        }

    @cached_property
    def asked_for(self) -> dict[str, str]:
        """HTML of articles' pages that somebody asked for and that lie in no file, by address."""
        return {}

    def of(self, article: Article) -> list[Problem]:
        """The problems of one article, warnings included."""
        own = (article.lines.path, f"private/{article.id}.yml")
        found = [problem for problem in self.problems if problem.path in own]
        return sorted({*found, *rules.advice(self.library, self.at, {}, only=article)})


class Desk:
    """Answers for what is shown."""

    def __init__(self, shown: Shown, looks: Looks | None = None) -> None:
        self.shown = shown
        self._looks = looks

    def answer(self, path: str, number: int) -> Answer:
        """What is answered at ``path``, decoded; called from several threads.

        :param number: of what is shown, as :class:`~gengfu_site.preview.server.Server` counts.
        """
        shown = self.shown
        try:
            return _Answering(shown, number, self._looks).answer(path)
        except GengfuError as error:
            return dress.page("trouble.html", status=500, shown=shown, number=number, trouble=str(error))


@dataclass(frozen=True, kw_only=True)
class Remark:
    """A problem on a page or in a list."""

    problem: Problem
    href: str
    """Where it leads: to its mark on the page, else to its line; empty where its file is not shown."""
    id: str = ""
    """Of its mark on the page."""
    place: int | None = None
    """Where in the page's HTML its mark goes; None: it has none."""


@dataclass(frozen=True)
class _Answering:
    """One answer, all of one state."""

    shown: Shown
    number: int
    looks: Looks | None

    @property
    def settings(self) -> Settings:
        return self.shown.library.settings

    @property
    def mount(self) -> str:
        """Where the site begins; with a slash at both ends."""
        return urlsplit(self.settings.station.url).path

    def answer(self, path: str) -> Answer:
        own, _slash, rest = path.removeprefix(OWN).partition("/")
        if not path.startswith(OWN):
            return self._site(path)
        match own:
            case "problems":
                return self._problems()
            case "file":
                return self._file(rest)
            case "panel":
                return self._panel(rest)
            case "paper":
                return self._paper(rest)
            case _:
                return self._nothing()

    # The site's own addresses

    def _site(self, path: str) -> Answer:
        if not path.startswith(self.mount):
            return Answer(status=302, headers=(("Location", quote(self.mount)),))
        url = path.removeprefix(self.mount)
        if url == "sw.js":
            return Answer(body=_NO_WORKER, content_type="text/javascript")
        if html := self._html(url):
            return self._decorated(url, html)
        if unread := self.shown.unread.get(url.rstrip("/") + "/"):
            return self._file(unread)
        file = self._lying(url)
        if file is None:
            return self._nothing()
        if file.is_dir():
            return Answer(status=302, headers=(("Location", quote(path + "/")),))
        kind = _TYPES.guess_type(file.name)[0] or "application/octet-stream"
        if kind.startswith("text/") or kind.endswith(("json", "xml")):
            kind += "; charset=utf-8"
        return Answer(body=file.read_bytes(), content_type=kind)

    def _html(self, url: str) -> str | None:
        """The page at ``url`` as residents get it, or will."""
        article = self.shown.by_url.get(url)
        if article and (article.published > self.shown.at or not self.shown.whole.is_set()):
            return self._asked_for(article)
        file = self._lying(url + "index.html" if url.endswith("/") or not url else url)
        return file.read_text("utf-8") if file and file.suffix == ".html" and file.is_file() else None

    def _asked_for(self, article: Article) -> str:
        shown = self.shown
        if article.url not in shown.asked_for:
            if shown.site and article.published <= shown.at:
                html = shown.site.page(article)
            else:
                html = render(environment(self.settings), page_of(article, shown.library, article.published))
            shown.asked_for[article.url] = html
        return shown.asked_for[article.url]

    def _lying(self, url: str) -> Path | None:
        """The file or folder at ``url``, of the site or of an article that is not public yet."""
        parts = PurePosixPath(url).parts
        if url.startswith("/") or any(part.startswith(".") or _IN_NO_NAME.search(part) for part in parts):
            return None
        file = self._settled().joinpath(*parts)
        try:
            if file.exists():
                return file
        except OSError:  # no file's name is that long
            return None
        for article in self.shown.library.articles:
            if article.published > self.shown.at:
                if PurePosixPath(url) in article.files:
                    return self.settings.content / url
                face = photo(article, article.published)
                if face and face[0] == url:
                    return self.settings.private / face[1]
        return None

    def _settled(self) -> Path:
        """The folder with the pages, once they are made; for an instant, while new ones take its place, there is none."""
        self.shown.whole.wait()
        for _again in range(0 if self.shown.trouble else _SWITCHES):
            if self.shown.folder.is_dir():
                break
            time.sleep(_BETWEEN)
        return self.shown.folder

    def _nothing(self) -> Answer:
        if html := self._html("404.html"):
            return self._decorated("404.html", html, status=404)
        return self._own("trouble.html", status=503, trouble=self.shown.trouble)

    def _decorated(self, url: str, html: str, status: int = 200) -> Answer:
        """The page with the problems at their places, and the panel."""
        article = self.shown.by_url.get(url)
        remarks = self._remarks(article, html) if article else []
        html = _marked(html, remarks)
        inserted = dress.drawn(
            "page.html",
            shown=self.shown,
            number=self.number,
            article=article,
            panel=f"{OWN}panel/{quote(url)}",
            errors=_count(self.shown.problems, "error"),
            own_errors=_count((r.problem for r in remarks), "error"),
            own_warnings=_count((r.problem for r in remarks), "warning"),
            style="page.css",
            script="page.js",
        )
        return Answer(body=put_last(dress.allowing(html), inserted).encode(), status=status)

    def _remarks(self, article: Article, html: str) -> list[Remark]:
        problems = self.shown.of(article)
        page = quote(self.mount + article.url)
        remarks = []
        for number, place in enumerate(places(html, article, problems)):
            problem, id_ = problems[number], f"preview-{number + 1}"
            href = self._line(problem) if place is None else f"{page}#{id_}"
            remarks.append(Remark(problem=problem, href=href, id=id_, place=place))
        return remarks

    def _line(self, problem: Problem) -> str:
        """Where a problem's line can be looked at; empty where its file is not shown."""
        known = problem.path in self.shown.by_path or problem.path in self.shown.unread.values()
        return f"{OWN}file/{quote(problem.path)}#L{problem.line}" if known else ""

    # The preview's own

    def _panel(self, url: str) -> Answer:
        html, article = self._html(url), self.shown.by_url.get(url)
        if html is None or article is None:
            return self._nothing()
        return self._own(
            "panel.html",
            article=article,
            address=quote(self.mount + url),
            paper=f"{OWN}paper/{quote(url)}",
            file=f"{OWN}file/{quote(article.lines.path)}",
            notices=standing(article, self.settings, self.shown.of(article), self.shown.at),
            remarks=sorted(self._remarks(article, html), key=lambda one: one.problem.severity),
            looks=self._looks(article),
        )

    def _looks(self, article: Article) -> Markup:
        """How chat groups see it; where that cannot be drawn, why."""
        if self.looks is None:
            return Markup()
        station, at = self.settings.station, max(self.shown.at, article.published)
        try:
            drawn = self.looks(entry(article, station, at), station, at)
        except GengfuError as error:
            return Markup('<div class="notice bad"><b>✕ {}</b></div>').format(str(error))
        return Markup(drawn)  # noqa: S704 - of a template, which escapes

    def _paper(self, url: str) -> Answer:
        html = self._html(url)
        if html is None:
            return self._nothing()
        sheet = dress.drawn("paper.html", style="paper.css", script="paper.js")
        base = f'<base href="{quote(self.mount + url)}">'
        paper = on_paper(html.replace("<head>", "<head>" + base, 1), sheet)
        return Answer(body=paper.encode(), headers=dress.policy())

    def _file(self, path: str) -> Answer:
        """An article's file with its problems at their lines; nobody else's file."""
        article = self.shown.by_path.get(path)
        file, content = self.settings.folder / path, self.settings.content
        known = article is not None or path in self.shown.unread.values()
        if not known or not file.resolve().is_relative_to(content.resolve()):
            return self._nothing()
        begun = next((one for one in self.shown.library.unfinished if one.lines.path == path), None)
        read = article or begun
        lines, whole = _lines(file)
        problems = self.shown.of(read) if read else [p for p in self.shown.problems if p.path == path]
        return self._own(
            "file.html",
            path=path,
            lines=lines,
            whole=whole,
            problems=problems,
            by_line={line: list(some) for line, some in groupby(problems, key=lambda p: p.line)},
            address=quote(self.mount + article.url) if article else "",
        )

    def _problems(self) -> Answer:
        found = examined(self.shown.library, self.shown.problems, self.shown.at, {})
        files = [
            (path, self.shown.by_path.get(path), [Remark(problem=p, href=self._line(p)) for p in some])
            for path, some in groupby(found, key=lambda problem: problem.path)
        ]
        # What must be mended first.
        files.sort(key=lambda file: all(remark.problem.severity == "warning" for remark in file[2]))
        return self._own(
            "problems.html",
            files=files,
            errors=_count(found, "error"),
            warnings=_count(found, "warning"),
            mount=quote(self.mount),
            latest=self._latest(),
            later=[article for article in self.shown.library.articles if article.published > self.shown.at],
            zone=ZoneInfo(self.settings.station.timezone),
        )

    def _latest(self) -> list[tuple[str, str]]:
        """The files that were saved last, and where each is seen."""
        places = {path: quote(self.mount + article.url) for path, article in self.shown.by_path.items()}
        places |= {path: f"{OWN}file/{quote(path)}" for path in self.shown.unread.values()}
        folder = self.settings.folder
        saved = {path: status.st_mtime_ns for path in places if (status := _status(folder / path))}
        return [(path, places[path]) for path in nlargest(_LATEST, saved, key=saved.__getitem__)]

    def _own(self, template: str, status: int = 200, **values: object) -> Answer:
        return dress.page(template, status=status, shown=self.shown, number=self.number, **values)


def _marked(html: str, remarks: Iterable[Remark]) -> str:
    """``html`` with each problem that has a place said there."""
    placed = ((one.place, number, one) for number, one in enumerate(remarks) if one.place is not None)
    # From the end, so that every place is still where it was.
    for place, _number, one in sorted(placed, reverse=True, key=lambda mark: mark[:2]):
        html = html[:place] + dress.drawn("mark.html", problem=one.problem, id=one.id) + html[place:]
    return html


def _count(problems: Iterable[Problem], severity: str) -> int:
    return sum(problem.severity == severity for problem in problems)


def _status(file: Path) -> os.stat_result | None:
    """None where it has just been moved away."""
    try:
        return file.stat()
    except OSError:
        return None


def _lines(file: Path) -> tuple[list[str], bool]:
    """The lines of a file as far as they can be read, group robots' addresses left out; and whether these are all.

    No article is longer than what is read of it.
    """
    try:
        with file.open("rb") as opened:
            data, more = opened.read(bounds.MAX_BYTES), opened.read(1)
    except OSError:
        return [], True
    if more and b"\n" in data:  # where it is cut, a letter or an address may be cut too
        data = data[: data.rindex(b"\n")]
    text = decode(data, file.name, gbk=True)
    if isinstance(text, Problem):
        text = data.decode("utf-8", "replace").replace("\0", "")  # of UTF-16, an address remains
    return [_masked(line) for line in text.split("\n")], not more


def _masked(line: str) -> str:
    for found in reversed(list(WEBHOOK.finditer(line))):
        end = _REST_OF_ADDRESS.match(line, found.end())
        line = line[: found.start()] + "…" + (line[end.end() :] if end else "")
    return line
