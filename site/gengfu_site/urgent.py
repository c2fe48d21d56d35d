"""An alert, public at once: what an officer on duty does with one article, whatever is wrong with the others.

The words follow CAP 1.2 (https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2.html): an alert is updated,
resolved or cancelled; an exercise is marked as one. Three promises:

* What is sound is published, and of an article that is not, what residents see now stays (:mod:`gengfu_site.kept`).
* Personal data in an alert is published on a ground that an officer gave (``alert.basis``), never unseen.
* When an alert ends, no file of the site, nor any left beside it, holds a missing person's data any more.

Functions that change an article write the officer's own file first (:mod:`gengfu_site.amend`), so a later build
says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal
from zoneinfo import ZoneInfo

from gengfu_site import bounds, feeds, meant, release, rules
from gengfu_site.amend import Fields, amend, amended, front_matter
from gengfu_site.article import Manuscript, Written, parse, text_digest
from gengfu_site.catalogue import Entry, dumps, present, url_in
from gengfu_site.instants import next_instant
from gengfu_site.kept import kept
from gengfu_site.library import Article, Kept, Library, load, newest_first
from gengfu_site.links import url_of
from gengfu_site.pages import Pager, permalink_url
from gengfu_site.persons import read_persons
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, reason, shown
from gengfu_site.publish import Progress, Published, site_of, write
from gengfu_site.readings import Readings, of_station, store_for
from gengfu_site.render import environment, render
from gengfu_site.rules.personal_data import RULE as PERSONAL_DATA
from gengfu_site.settings import RESERVED, Settings
from gengfu_site.source import read_text
from gengfu_site.start import AlreadyThere, new_id
from gengfu_templates.i18n import _


@dataclass(frozen=True, kw_only=True)
class Found:
    """An article as it lies in content/, published or not."""

    entry: Entry
    """As the catalogue has it once it is published; what an alert says if that fails."""
    file: Path
    problems: tuple[Problem, ...]
    """To be mended in it, though it can be published without."""
    held: tuple[Problem, ...]
    """Why residents do not see it as it lies in content/ before somebody signs it; empty where they do."""


@dataclass(frozen=True, kw_only=True)
class Released:
    """What one urgent publishing did."""

    published: Published
    problems: tuple[Problem, ...]
    """All that is to be mended, in any file; a build without urgency is refused until then."""
    kept: tuple[str, ...]
    """Titles of articles that residents see as they were before."""


@dataclass(frozen=True, kw_only=True)
class Urgent(Released):
    """What publishing one article at once did."""

    entry: Entry
    """As it is public now; of a withdrawn article, which the catalogue leaves out, as it would be."""
    own: tuple[Problem, ...]
    """Those of ``problems`` that are its own."""


class NotWritten(GengfuError):
    """The site's files, or an article's, cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            _("文件写不进去（{reason}：{path}）。请检查磁盘空间和文件夹权限。").format(
                reason=reason(error), path=error.filename
            )
        )


def find(settings: Settings, name: str, at: datetime, *, withdrawn: str = "") -> Found:
    """The article with the id ``name``, or with that path (from here, from the station's folder or from content/).

    :param withdrawn: a reason for which it may be withdrawn, to find out what the rules have against that.
    :raises NoSuchArticle: there is none.
    :raises ProblemsFound: its file cannot be read as an article, everything that is wrong with it; or nobody sees it
        before it is signed.
    """
    library, problems = load(settings, at, urgent=True, known=of_station(settings, at))
    article = meant.articles(library, problems, name)[0]
    problems += rules.refusals(library, at, _withdrawn(article, withdrawn) if withdrawn else article)
    return Found(
        entry=feeds.entry(article, settings.station, at),
        file=settings.folder / article.lines.path,  # since it was signed, it may have been renamed
        problems=tuple(sorted(_own(article, problems))),
        held=tuple(meant.held(library, article)),
    )


def _withdrawn(article: Article, reason: str) -> Article:
    lines = replace(article.lines, value={**article.lines.value, "withdrawn": reason})
    written = {part.name: getattr(article, part.name) for part in fields(Article)}
    return Article(**{**written, "withdrawn": reason, "lines": lines})


def take_in(settings: Settings, file: Path, at: datetime) -> Path:
    """Copy an alert written elsewhere into content/alert/, under its own name, in UTF-8; returns the copy.

    An id, the kind and the date of publication are added where they are missing. Files it names are not copied.

    :raises ProblemsFound: it cannot be read as an alert; nothing was written.
    :raises AlreadyThere: an article of that name is there; it was not touched.
    :raises NotWritten: the copy cannot be written.
    """
    name = shown(file, settings.folder)
    text = read_text(file, settings.folder, gbk=True, most=bounds.MAX_BYTES)
    if isinstance(text, Problem):
        raise ProblemsFound([text])
    if too_much := list(bounds.excess(text, name)):
        raise ProblemsFound(too_much)
    library, _problems = load(settings, at, urgent=True, known=of_station(settings, at))
    local = at.astimezone(ZoneInfo(settings.station.timezone))
    beginning = {
        "id": new_id({article.id for article in library.articles}),
        "kind": "alert",
        "published": local.strftime("%Y-%m-%d %H:%M"),
    }
    written = front_matter(text.encode(), file)
    missing: Fields = {(field,): value for field, value in beginning.items() if written.get(field) is None}
    data = amended(text.encode(), missing, file)
    text = data.decode()
    stem = file.stem.lstrip(".")  # a hidden file is no article
    stem = beginning["id"].lower() if stem.lower() in RESERVED else stem
    path = PurePosixPath("alert", f"{stem}.md")
    [(manuscript, problems)] = parse(
        [Written(path, name, text, text_digest(text))], settings.station, urgent=True
    )
    if manuscript is None:
        raise ProblemsFound(problems)
    if manuscript.kind != "alert":
        raise ProblemsFound([_no_alert(manuscript)])
    copy = settings.content / path
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("xb") as opened:
            opened.write(data)
    except FileExistsError:
        raise AlreadyThere(copy) from None
    except OSError as error:
        with suppress(OSError):
            copy.unlink()  # half a file would be in the way of the next try
        raise NotWritten(error) from error
    return copy


def publish_article(
    settings: Settings, id_: str, at: datetime, progress: Progress = lambda written: None
) -> Urgent:
    """Publish the whole site from what is sound, and ``id_`` whatever its style; readable when this returns.

    :raises NoSuchArticle: there is none.
    :raises ProblemsFound: it cannot be read as an article, or is to be published later; the site stays as it was.
    :raises GengfuError: the site cannot be made or written (:class:`NotWritten`,
        :class:`~gengfu_site.release.NotOurs`, :class:`~gengfu_site.render.TemplateBroken`); likewise.
    """
    article, released = _release(settings, id_, at, progress)
    assert article is not None
    return Urgent(
        **vars(released),
        entry=feeds.entry(article, settings.station, at),
        own=tuple(_own(article, released.problems)),
    )


def refresh(settings: Settings, at: datetime, progress: Progress = lambda written: None) -> Released:
    """Publish the whole site from what is sound: when an alert or a person's data runs out, nobody may have to ask.

    :raises GengfuError: as :func:`publish_article`.
    """
    return _release(settings, None, at, progress)[1]


def runs_out(library: Library, at: datetime) -> datetime | None:
    """When the first alert, or person, that the present release shows is over; not after ``at``: one is.

    A file that cannot be read ends nothing: somebody may be in the middle of writing it.

    :param library: as :func:`refresh` would read it.
    """
    catalogue = present(library.settings.public)
    shown_now = [(entry, entry.alert) for entry in catalogue.entries if entry.alert] if catalogue else []
    articles = {article.id: article for article in library.articles}
    searching = {entry.id for entry, alert in shown_now if alert.facts}
    persons, _problems = read_persons(library.settings, searching)
    ends = []
    for entry, alert in shown_now:
        article, person = articles.get(entry.id), persons.get(entry.id)
        ends += [entry.expires] if entry.expires else []
        if person:
            ends.append(person.erase_after)
        elif alert.facts and not (library.settings.private / f"{entry.id}.yml").exists():
            ends.append(at)
        if article and (not article.live(at) or (article.alert and article.alert.state != alert.state)):
            ends.append(at)
    return min(ends, default=None)


def update(settings: Settings, id_: str, at: datetime) -> Urgent:
    """Date the article ``id_``, as its officer has just written it, and publish it at once.

    :raises GengfuError: as :func:`publish_article`, or the file cannot be changed
        (:class:`~gengfu_site.amend.NotAmended`).
    """
    return _amended(settings, id_, {}, at)


def conclude(settings: Settings, id_: str, state: Literal["resolved", "cancelled"], at: datetime) -> Urgent:
    """Write into the alert ``id_`` how it ended and publish that at once; a missing person's data leaves the site.

    :raises GengfuError: as :func:`update`. Where it comes from publishing, the file is changed already and the
        person's data is gone; once the cause is mended, do the same again.
    """
    return _amended(settings, id_, {("alert", "state"): state}, at)


def withdraw(settings: Settings, id_: str, reason: str, at: datetime) -> Urgent:
    """Take the article ``id_`` back at once: its page stays and says first why; lists, feeds and catalogue drop it.

    :param reason: for residents to read.
    :raises GengfuError: as :func:`conclude`.
    """
    return _amended(settings, id_, {("withdrawn",): reason}, at)


def mark_exercise(settings: Settings, id_: str, at: datetime) -> Found:
    """Write into the alert ``id_`` that it is an exercise; nothing is published.

    :raises GengfuError: as :func:`find`, or the file cannot be changed.
    """
    with _turn(settings):
        amend(find(settings, id_, at).file, {("alert", "status"): "exercise"})
    return find(settings, id_, at)


def without_basis(problems: Iterable[Problem]) -> list[Problem]:
    """Those that name personal data for which nobody gave a ground."""
    return [problem for problem in problems if problem.rule == PERSONAL_DATA.id]


def give_basis(settings: Settings, id_: str, basis: str, at: datetime) -> None:
    """Write into the alert ``id_`` on what ground personal data stands in it; nothing is published.

    :raises GengfuError: as :func:`find`, or the file cannot be changed.
    """
    with _turn(settings):
        amend(find(settings, id_, at).file, {("alert", "basis"): basis})


@contextmanager
def _turn(settings: Settings) -> Iterator[None]:
    """Of two officers who change a file neither undoes what the other wrote."""
    try:
        with release.turn(settings.public):
            yield
    except OSError as error:
        raise NotWritten(error) from error


def _amended(settings: Settings, id_: str, fields: Fields, at: datetime) -> Urgent:
    local = at.astimezone(ZoneInfo(settings.station.timezone))
    with _turn(settings):
        found = find(settings, id_, at)
        amend(found.file, {**fields, ("updated",): local.strftime("%Y-%m-%d %H:%M:%S")})
    return publish_article(settings, found.entry.id, at)


def _release(
    settings: Settings, id_: str | None, at: datetime, progress: Progress
) -> tuple[Article | None, Released]:
    """Publish all that is sound; the article ``id_``, if one is meant, must be."""
    store = store_for(settings)
    try:
        with release.replacing(settings.public) as staged:
            known = Readings(store=store, settings=settings, at=at)
            library, problems = load(settings, at, urgent=True, known=known)
            article = meant.articles(library, problems, id_)[0] if id_ else None
            problems += rules.refusals(library, at)
            if article and article.published > at:
                raise ProblemsFound([_too_early(article)])
            sound, carried = _sound(library, problems, article, at)
            _forget(sound, at)
            files = write(site_of(sound, at, store), staged, store, progress)
    except OSError as error:
        raise NotWritten(error) from error
    return article, Released(
        published=Published(
            folder=settings.public,
            articles=len(sound.published(at)),
            files=files,
            until=next_instant(replace(library, articles=(*library.articles, *carried)), at),
        ),
        problems=tuple(sorted(problems)),
        kept=tuple(article.title for article in carried),
    )


def _sound(
    library: Library, problems: Sequence[Problem], urgent: Article | None, at: datetime
) -> tuple[Library, list[Kept]]:
    """What can be published now, and those of it that are carried over.

    An alert and a withdrawn article are published as they are written, mistakes of style and all: what the release
    shows of them may be what must go. One with personal data that nobody answers for, and that residents do not see
    yet, is not published on another's account.
    """
    settings = library.settings
    troubled = {problem.path for problem in problems}
    unanswered = {problem.path for problem in without_basis(problems)}
    public = present(settings.public)
    seen = {entry.id for entry in public.entries} if public else set[str]()
    sound = [
        article
        for article in library.articles
        if article is urgent
        or article.withdrawn
        or (
            article.kind == "alert"
            and not (article.lines.path in unanswered and article.live(at) and article.id not in seen)
        )
        or article.lines.path not in troubled
    ]
    ids, urls = {article.id for article in sound}, {article.url for article in sound}
    unsound = {article.id for article in library.articles} - ids
    troubled |= {problem.path for problem in library.held}  # no more may vanish for an alert than appear

    def left_out(entry: Entry, path: PurePosixPath) -> bool:
        """Whether it is missing for what is wrong with it, and not because somebody took it away."""
        if entry.id in ids or url_of(path) in urls:
            return False
        file = PurePosixPath(shown(settings.content / path, settings.folder))
        return entry.id in unsound or any(place.as_posix() in troubled for place in (file, *file.parents))

    carried = kept(settings.public, at, left_out)
    return Library(settings=settings, articles=newest_first([*sound, *carried])), carried


def _forget(library: Library, at: datetime) -> None:
    """Take the persons no longer searched for out of the present release, before the new one is made.

    That may take long where there are thousands of articles, or fail; a person's data does not wait for it.
    """
    public, catalogue = library.settings.public, present(library.settings.public)
    if catalogue is None:
        return
    searched = {article.id for article in library.articles if article.person_shown(at)}
    over = {
        entry.id: url_in(catalogue, entry)
        for entry in catalogue.entries
        if entry.alert and entry.alert.facts and entry.id not in searched
    }
    if not over:
        return
    urls = {*over.values(), *map(permalink_url, over)}
    for url in urls:
        for file in ((public / url / "index.html"), *(public / url).glob("photo.*")):
            file.unlink(missing_ok=True)
    now = {entry.id: entry for entry in feeds.catalogue(library, at).entries if entry.id in over}
    entries = (now.get(entry.id) if entry.id in over else entry for entry in catalogue.entries)
    told = replace(catalogue, entries=tuple(entry for entry in entries if entry))
    _put(public / "catalogue.json", dumps(told).encode())
    env = environment(library.settings)
    pager = Pager(library, at)
    for article in library.published(at):
        if article.id in over:
            for page in pager.both(article):
                _put(public / page.path, render(env, page).encode())


def _put(file: Path, data: bytes) -> None:
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(data)
    new.replace(file)


def _own(article: Article, problems: Iterable[Problem]) -> Iterator[Problem]:
    names = (article.lines.path, f"private/{article.id}.yml")
    return (problem for problem in problems if problem.path in names)


def _no_alert(manuscript: Manuscript) -> Problem:
    return manuscript.lines.problem(
        "kind",
        message=_("应是紧急警情（kind: alert），见到的是 {kind}。").format(kind=manuscript.kind),
        remedy=_("把 kind 改成 alert 并补上 alert 部分；别的文章放进 content/ 再运行 gengfu build。"),
    )


def _too_early(article: Article) -> Problem:
    return article.lines.problem(
        "published",
        message=_("发布时间在将来，现在还不能公开。"),
        remedy=_("把 published 改成现在或更早的时间。"),
    )
