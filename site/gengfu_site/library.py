"""Everything under content/, read and bound together: articles, the files they name, the links between them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, fields, replace
from datetime import datetime
from operator import attrgetter
from pathlib import Path, PurePosixPath
from posixpath import splitext
from typing import Protocol

from gengfu_site import bounds
from gengfu_site.approvals import Approvals
from gengfu_site.article import Manuscript, Written, grown, ids_written, parse, text_digest, unfinished
from gengfu_site.catalogue import KINDS
from gengfu_site.links import Bound, Lead, Links, url_of
from gengfu_site.persons import Person, read_persons, searched_for
from gengfu_site.problems import Problem, nearest, reason, shown
from gengfu_site.settings import FILE, OWN_FOLDERS, OWN_PAGES, RESERVED, Settings
from gengfu_site.source import read_text
from gengfu_site.values import dataclass
from gengfu_site.versions import Copy, Lying, Signatures, shown_to_residents, signatures
from gengfu_templates.i18n import _

WEBHOOK = re.compile(
    r"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[\w-]{8}"
    r"|oapi\.dingtalk\.com/robot/send\?access\\?_token=\w{8}"
    r"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/[\w-]{8}"
    r"|hooks\.slack\.com/(?:services|workflows)/\w"
    r"|discord(?:app)?\.com/api/webhooks/\d"
    r"|\.(?:logic\.azure\.com|powerplatform\.com)\S{0,1000}[?&]sig=\w{8}"
    r"|whsec_[A-Za-z0-9+/]{16}"
)
"""The part of a group robot's address that is the credential, as the platforms' own pages print it; Markdown may have a
backslash in it."""


@dataclass(frozen=True, kw_only=True)
class Article(Manuscript):
    """An article ready to be shown: its links lead somewhere, its files are there."""

    url: str
    """Below the site, e.g. ``fraud/brushing/``; not quoted."""
    html: str
    """The body; links relative to ``url``."""
    files: tuple[PurePosixPath, ...]
    """Everything it names that must be published with it, below content/, cover and attachments included."""
    cover_file: PurePosixPath | None
    attachment_files: tuple[PurePosixPath, ...]
    person: Person | None
    """A missing person's data; :meth:`person_shown` says whether it may be."""

    def live(self, at: datetime) -> bool:
        """Whether lists, feeds, digests and search may offer it at ``at``."""
        return self.published <= at and not self.withdrawn and not (self.expires and self.expires <= at)

    @property
    def exercise(self) -> bool:
        """Whether it is an alert for practice: it has a page for those who practise, and is shown nowhere else."""
        return self.alert is not None and self.alert.status == "exercise"

    @property
    def missing_person(self) -> bool:
        """Whether it is an alert for a missing person: what its text says of them must be able to leave at once, so
        nothing that others keep holds it, neither while the search goes on nor once its data is erased."""
        return self.alert is not None and self.alert.form == "走失"

    def person_shown(self, at: datetime) -> Person | None:
        """The missing person's data, while the alert is active and the erasing date lies ahead."""
        searching = self.alert is not None and self.alert.state == "active" and self.live(at)
        if self.person and searching and at < self.person.erase_after:
            return self.person
        return None


@dataclass(frozen=True, kw_only=True)
class Kept(Article):
    """An article as the present release shows it, whose file cannot be used now (:mod:`gengfu_site.kept`)."""

    main: str
    """HTML of the page's own matter."""
    content: str
    """HTML that feeds carry."""


@dataclass(frozen=True, kw_only=True)
class Library:
    settings: Settings
    articles: tuple[Article, ...]
    """Newest first; those of one instant by id."""
    held: tuple[Problem, ...] = ()
    """What of content/ residents do not see before somebody signs it, as warnings (:mod:`gengfu_site.versions`)."""
    unfinished: tuple[Article, ...] = ()
    """Files that cannot be read as articles, as far as they can: for the rules alone."""
    _sorted: dict[datetime, tuple[tuple[Article, ...], ...]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    def published(self, at: datetime) -> tuple[Article, ...]:
        """Those that have a page at ``at``: expired and withdrawn ones keep theirs and say so."""
        return self._at(at)[0]

    def live(self, at: datetime) -> tuple[Article, ...]:
        """Those that may be sent at ``at``."""
        return self._at(at)[1]

    def listed(self, at: datetime) -> tuple[Article, ...]:
        """Those that lists and feeds offer at ``at``."""
        return self._at(at)[2]

    def _at(self, at: datetime) -> tuple[tuple[Article, ...], ...]:
        """The three, sorted out once for each moment that is asked about."""
        if at not in self._sorted:
            now = at.timestamp()
            published = tuple([a for a in self.articles if a.begins <= now])
            live = tuple([a for a in published if now < a.ends and not a.withdrawn])
            listed = tuple([a for a in live if a.kind != "alert" or not a.exercise])
            self._sorted[at] = published, live, listed
        return self._sorted[at]


class Known(Article):
    """An article whose file need not be read anew: it is sound by itself, and its links were followed."""

    text: str
    """Digest of what stands there (:attr:`gengfu_site.versions.Lying.digest`)."""
    leads: tuple[Lead, ...]
    """To other articles."""
    headings: str
    """Anchors of its own to which a link may lead, parted by NUL, which none can hold: few articles are led to, and it is
    one text in place of many."""


class Knowledge(Protocol):
    """What is known of a library without reading it anew."""

    def approvals(self, station: Path) -> Approvals:
        """What the log says.

        :raises AuditFailed: it cannot be read.
        """

    def files(self, places: Sequence[str], signatures: Signatures | None) -> Mapping[str, Known]:
        """What is known of some of all the articles' files, by their place below content/.

        :param signatures: those that somebody answers for as they lie are to say so (:attr:`Article.signed`); None:
            nobody needs to.
        """

    def copies(self, wanted: Sequence[Copy]) -> Mapping[str, Known]:
        """What is known of some of all the copies that residents see, likewise."""


class Nothing:
    """Of no file anything."""

    def approvals(self, station: Path) -> Approvals:
        return Approvals.read(station)

    def files(self, places: Sequence[str], signatures: Signatures | None) -> Mapping[str, Known]:
        return {}

    def copies(self, wanted: Sequence[Copy]) -> Mapping[str, Known]:
        return {}


def load(
    settings: Settings,
    at: datetime,
    *,
    urgent: bool = False,
    as_written: bool = False,
    known: Knowledge = Nothing(),  # noqa: B008 - which never changes
) -> tuple[Library, list[Problem]]:
    """Read the whole library, and everything that keeps it from being published at ``at``.

    What cannot be read as an article is left out, so that a preview can show the rest.

    :param urgent: as for :func:`gengfu_site.article.parse`; a file in GBK is read as well.
    :param as_written: everything as it lies in content/, for those who write and check; else, where articles are
        signed off, as it was last signed.
    :param known: spares reading what is known already; what comes of it is the same.
    :raises AuditFailed: the log says who signed, and cannot be read; not where it is urgent.
    """
    places, problems = article_places(settings)
    signing = None if as_written else signatures(settings, known.approvals, urgent=urgent)
    remembered = dict(known.files(places, signing))
    lying = read([place for place in places if place not in remembered], settings, urgent=urgent)
    held: list[Problem] = []
    if signing:
        lying, held = _public(places, lying, remembered, signing, known, urgent=urgent)
    problems += [problem for one in lying.values() for problem in one.problems]
    read_now = {place: one.manuscript for place, one in lying.items() if one.manuscript}
    seen: dict[str, Manuscript] = {**read_now, **remembered}
    manuscripts = list(seen.values())
    if not _are_their_own(manuscripts):
        manuscripts, found = _with_ids_of_their_own(seen[place] for place in places if place in seen)
        problems += found
    # What a file that cannot be read is called, nobody knows.
    all_read = not problems or {problem.path for problem in problems} <= {m.lines.path for m in manuscripts}
    alerts = [manuscript for manuscript in manuscripts if manuscript.kind == "alert"]
    problems += _out_of_time_or_place(manuscripts, {alert.id for alert in alerts}, at)
    persons, found = read_persons(settings, searched_for(alerts) | _perhaps_searched_for(lying.values()))
    problems += found
    links = Links(settings, manuscripts, at, remembered, held={problem.path for problem in held})
    articles, found = _bound(manuscripts, persons, links)
    problems += found
    if all_read and not held:
        problems += _shortcuts_to_nowhere(settings, manuscripts)
    begun, found = _unfinished(lying.values(), links, settings)
    problems += found
    library = Library(
        settings=settings, articles=newest_first(articles), held=tuple(held), unfinished=tuple(begun)
    )
    return library, problems


def _public(
    places: Sequence[str],
    lying: dict[str, Lying],
    remembered: dict[str, Known],
    signing: Signatures,
    known: Knowledge,
    *,
    urgent: bool,
) -> tuple[dict[str, Lying], list[Problem]]:
    """As :func:`gengfu_site.versions.shown_to_residents`: of these files, and of those that are ``remembered``.

    What is remembered of files that residents do not see as they lie gives way to what they see instead.
    """
    unclear = [place for place, one in remembered.items() if signing.concern(one)]
    unread: list[str] = []
    for place in unclear:
        article = remembered.pop(place)
        if signing.asked_for(article.kind) and not article.withdrawn:
            lying[place] = Lying(
                path=article.path, name=article.lines.path, digest=article.text, manuscript=article
            )
        else:
            unread.append(place)
    lying |= read(unread, signing.settings, urgent=urgent)

    def copies(wanted: Sequence[Copy]) -> Mapping[PurePosixPath, Manuscript]:
        found = known.copies(wanted)
        remembered.update(found)
        return {one.path: one for one in found.values()}

    in_order = [lying[place] for place in places if place in lying]
    return shown_to_residents(signing, in_order, dict(remembered), copies)


def bound(manuscript: Manuscript, bound: Bound, person: Person | None = None) -> Article:
    """``manuscript`` with its links followed."""
    return grown(
        Article,
        manuscript,
        url=url_of(manuscript.path),
        html=bound.html,
        files=bound.files,
        cover_file=bound.cover,
        attachment_files=bound.attachments,
        person=person,
    )


def unbound(article: Article) -> Manuscript:
    """``article`` as it was written."""
    return Manuscript(**{part.name: getattr(article, part.name) for part in fields(Manuscript)})


def _unfinished(
    lying: Iterable[Lying], links: Links, settings: Settings
) -> tuple[list[Article], list[Problem]]:
    """What there is of the files that cannot be read as articles, and their links that lead nowhere."""
    articles: list[Article] = []
    problems: list[Problem] = []
    texts = ((one, one.text) for one in lying if one.manuscript is None and one.text)
    begun = [
        manuscript
        for one, text in texts
        if (manuscript := unfinished(text, one.path, one.name, settings.station))
    ]
    for manuscript, (followed, found) in zip(begun, links.bind(begun), strict=True):
        problems += found
        articles.append(bound(manuscript, followed))
    return articles, problems


def _perhaps_searched_for(lying: Iterable[Lying]) -> set[str]:
    """Ids in files that cannot be read yet: who writes an alert is told of the person's data in the same round."""
    unread = (one.text for one in lying if one.manuscript is None and one.text)
    return {id_ for text in unread for id_ in ids_written(text.encode())}


def names(article: Manuscript) -> tuple[str, str]:
    """What ``mkdocs.yml`` may call it: its id, and its path below content/ without ``.md``."""
    return article.id, article.place.removesuffix(".md")


def newest_first(articles: Iterable[Article]) -> tuple[Article, ...]:
    by_id = sorted(articles, key=attrgetter("id"))
    return tuple(sorted(by_id, key=attrgetter("begins"), reverse=True))


def _bound(
    manuscripts: Sequence[Manuscript], persons: Mapping[str, Person], links: Links
) -> tuple[list[Article], list[Problem]]:
    """Every manuscript with its links followed, and the links that lead nowhere.

    Those that are known are so already, unless what they lead to is no longer as it was.
    """
    problems: list[Problem] = []

    def bind(manuscripts: Sequence[Manuscript]) -> Iterator[Article]:
        for manuscript, (followed, found) in zip(manuscripts, links.bind(manuscripts), strict=True):
            problems.extend(found)
            yield bound(manuscript, followed, persons.get(manuscript.id))

    known = [one for one in manuscripts if isinstance(one, Known)]
    articles: list[Article] = [*bind([one for one in manuscripts if not isinstance(one, Known)])]
    if astray := links.astray({one.place: one.leads for one in known if one.leads}):
        for one in known:
            articles += bind([unbound(one)]) if one.place in astray else [one]
    else:
        articles += known
    return articles, [*problems, *links.broken_anchors()]


def read(places: Iterable[str], settings: Settings, *, urgent: bool = False) -> dict[str, Lying]:
    """By their places below content/, the articles' files, as they lie there."""
    lying = {place: _legible(place, settings, urgent=urgent) for place in places}
    written = {
        place: Written(one.path, one.name, one.text, one.digest)
        for place, one in lying.items()
        if one.text is not None
    }
    parsed = parse(list(written.values()), settings.station, urgent=urgent)
    for place, (manuscript, found) in zip(written, parsed, strict=True):
        one = lying[place]
        lying[place] = replace(one, manuscript=manuscript, problems=(*one.problems, *found))
    return lying


def _legible(place: str, settings: Settings, *, urgent: bool) -> Lying:
    """The file with its text, not yet read as an article."""
    file, path = f"{settings.content}{os.sep}{place}", PurePosixPath(place)
    name = shown(file, settings.folder)
    problems: list[Problem] = []
    text = read_text(file, settings.folder, most=bounds.MAX_BYTES)
    if isinstance(text, Problem):
        problems.append(text)
        text = read_text(file, settings.folder, gbk=True, most=bounds.MAX_BYTES) if urgent else text
    if isinstance(text, Problem):
        return Lying(path=path, name=name, problems=tuple(problems))
    if too_much := list(bounds.excess(text, name)):
        return Lying(path=path, name=name, problems=(*problems, *too_much))
    if leak := WEBHOOK.search(text):
        problems.append(exposed(name, text.count("\n", 0, leak.start()) + 1))
        if urgent:
            return Lying(path=path, name=name, problems=tuple(problems))
    return Lying(path=path, name=name, text=text, digest=text_digest(text), problems=tuple(problems))


def exposed(path: str, line: int) -> Problem:
    """What to say of a group robot's address; never shows it."""
    return Problem(
        path=path,
        line=line,
        message=_("这里写着一个群机器人地址，谁看到都能往群里发消息。"),
        remedy=_(
            "把地址移到不进版本库的 webhooks.csv，或写成 env:变量名；已经提交过的，到群里换一个机器人。"
        ),
    )


def article_places(settings: Settings) -> tuple[list[str], list[Problem]]:
    """Every article's file by its place below content/, in the same order on every machine; and what is wrong with those
    that are none. Hidden ones are nobody's business."""
    found: list[str] = []
    problems: list[Problem] = []
    content, root = str(settings.content), settings.content.resolve()

    def wrong(file: str, message: str, remedy: str) -> None:
        problems.append(Problem(path=shown(Path(file), settings.folder), message=message, remedy=remedy))

    def cannot_list(error: OSError) -> None:
        wrong(
            error.filename,
            _("文件夹读不出来（{reason}）。").format(reason=reason(error)),
            _("检查 mkdocs.yml 里的 docs_dir 和这个文件夹的名字、权限。"),
        )

    def is_article(file: str, *, link: bool) -> bool:
        if mistake := _wrong_name(file):
            wrong(file, *mistake)
            return False
        if link and file.endswith(".md") and not _lies_inside(Path(file), root):
            wrong(file, _("这是一个指向 content/ 以外的链接文件。"), _("把文件本身放进 content/。"))
            return False
        return file.endswith(".md")

    def look(folder: str, above: str) -> None:
        folders, names, links = [], [], set()
        try:
            with os.scandir(folder) as opened:
                for one in opened:
                    if one.is_dir(follow_symlinks=False):
                        folders.append(one.name)
                    else:
                        names.append(one.name)
                    if one.is_symlink():
                        links.add(one.name)
        except OSError as error:
            cannot_list(error)
            return
        names = sorted([name for name in names if name[0] != "."])
        articles = [name for name in names if name.endswith(".md")]
        if links or len(articles) < len(names) or not _is_utf8("".join(names)):
            articles = [name for name in names if is_article(f"{folder}{os.sep}{name}", link=name in links)]
        found.extend([above + name for name in articles])
        for name in sorted(folders):
            if name[0] != ".":
                look(f"{folder}{os.sep}{name}", f"{above}{name}/")

    look(content, "")
    return found, problems


def _wrong_name(file: str) -> tuple[str, str] | None:
    """What keeps a file from being found or published under its name, and how to mend it."""
    if not _is_utf8(file):
        return _("文件名不是 UTF-8 编码。"), _("给文件改个名字，常见于从 Windows 压缩包里解出来的文件。")
    if not file.endswith(".md") and file.lower().endswith((".md", ".markdown", ".mdown", ".mkd")):
        return _("文章的文件名应以 .md 结尾（小写）。"), _("把文件名的结尾改成 .md。")
    return None


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _lies_inside(file: Path, root: Path) -> bool:
    try:
        return file.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a ring of symbolic links
        return False


def _are_their_own(manuscripts: Sequence[Manuscript]) -> bool:
    """Whether each has an id and an address that no other one has, and no page of the site's own."""
    ids = {one.id for one in manuscripts}
    urls = {one.url if isinstance(one, Known) else url_of(one.path) for one in manuscripts}
    together = "\n".join(urls)
    if together != together.lower():
        urls = {url.lower() for url in urls}
    read_now = [one for one in manuscripts if not isinstance(one, Known)]
    return len(ids) == len(urls) == len(manuscripts) and not any(reserved_part(one.path) for one in read_now)


def _with_ids_of_their_own(manuscripts: Iterable[Manuscript]) -> tuple[list[Manuscript], list[Problem]]:
    """Those whose id and address no earlier one has taken, and no page of the site's own."""
    by_id: dict[str, Manuscript] = {}
    by_url: dict[str, Manuscript] = {}
    unique: list[Manuscript] = []
    problems: list[Problem] = []
    for manuscript in manuscripts:
        known = isinstance(manuscript, Known)
        url = url_of(manuscript.path)
        if earlier := by_id.get(manuscript.id):
            problems.append(
                manuscript.lines.problem(
                    "id",
                    message=_("编号 {id} 已经被 {path} 用了。").format(
                        id=manuscript.id, path=earlier.lines.path
                    ),
                    remedy=_("哪一篇是后写的，就删掉它的 id 那一行，再运行 gengfu fix，得到一个新编号。"),
                )
            )
        elif not known and (reserved := reserved_part(manuscript.path)):
            problems.append(
                manuscript.lines.problem(
                    message=_("文件名和文件夹名不能用“{name}”，它留给目录页。").format(name=reserved),
                    remedy=_("换个名字，例如主题的拼音。"),
                )
            )
        elif earlier := by_url.get(url.lower()):
            problems.append(
                manuscript.lines.problem(
                    message=_("网址 /{url} 已经被 {path} 用了。").format(url=url, path=earlier.lines.path),
                    remedy=_("换个文件名；只有大小写不同的文件名不行。"),
                )
            )
        else:
            by_id[manuscript.id] = by_url[url.lower()] = manuscript
            unique.append(manuscript)
    return unique, problems


def reserved_part(path: PurePosixPath) -> str | None:
    """The part of an article's path that the site needs for a page or file of its own."""
    parts = splitext(path.as_posix())[0].lower().split("/")
    for part in parts:
        if part in RESERVED or part.endswith((".html", ".xml", ".json", ".txt")):
            return part
    if parts[0] in OWN_FOLDERS or (len(parts) == 1 and parts[0] in KINDS):
        return parts[0]
    return None


def _out_of_time_or_place(
    manuscripts: Iterable[Manuscript], alerts: Collection[str], at: datetime
) -> Iterator[Problem]:
    """What only the others, or the present, can tell.

    :param alerts: the ids of all.
    """
    now = at.timestamp()
    some = [
        manuscript for manuscript in manuscripts if manuscript.changes > now or manuscript.kind == "alert"
    ]
    for manuscript in sorted(some, key=attrgetter("place")):
        if manuscript.changes > max(now, manuscript.begins):
            yield manuscript.lines.problem(
                "updated",
                message=_("更新时间在将来。"),
                remedy=_("写已经更新过的时间；要到时才发布，写 published。"),
            )
        for index, earlier in enumerate(manuscript.alert.references if manuscript.alert else ()):
            if earlier not in alerts or earlier == manuscript.id:
                close = nearest(earlier, sorted({*alerts} - {manuscript.id}), before=index)
                yield manuscript.lines.problem(
                    "alert",
                    "references",
                    index,
                    message=_("没有另一条编号是 {id} 的警情。").format(id=earlier),
                    remedy=_("是不是想写“{close}”？").format(close=close)
                    if close
                    else _("写那条警情的编号，或删掉这一行。"),
                )


def _shortcuts_to_nowhere(settings: Settings, manuscripts: Iterable[Manuscript]) -> Iterator[Problem]:
    known = {*OWN_PAGES, *KINDS, *(topic.name for topic in settings.station.topics)}
    elsewhere = [shortcut for shortcut in settings.shortcuts if shortcut.to not in known]
    if elsewhere:
        known.update(name for manuscript in manuscripts for name in names(manuscript))
    for shortcut in elsewhere:
        if shortcut.to not in known:
            close = nearest(shortcut.to, sorted(known))
            yield Problem(
                path=FILE,
                line=shortcut.line,
                field="shortcuts",
                message=_("“{title}”要去的“{to}”，没有这篇文章、主题或栏目。").format(
                    title=shortcut.title, to=shortcut.to
                ),
                remedy=_("是不是想写“{close}”？").format(close=close)
                if close
                else _("写文章的编号、文章的文件名（例如 tip/gas-cylinder），或主题的名称。"),
            )
