"""What an article's text refers to: other articles, files beside it, addresses out of the site.

Every address is followed when the article is bound, so that no reader and no group meets a link that leads
nowhere; one that does is a problem at its line.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache, partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from posixpath import dirname, join, normpath, relpath, splitext
from types import MappingProxyType
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from gengfu_site import markdown
from gengfu_site.article import Manuscript
from gengfu_site.catalogue import present, url_in
from gengfu_site.problems import Problem, nearest, shown
from gengfu_site.settings import OWN_FOLDERS, Settings
from gengfu_site.source import shortened
from gengfu_site.svg import is_only_a_picture
from gengfu_templates.i18n import _

ATTACHMENTS = {
    **dict.fromkeys((".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif"), "picture"),
    **dict.fromkeys((".mp3", ".m4a", ".ogg", ".wav"), "audio"),
    **dict.fromkeys((".mp4", ".webm"), "video"),
    ".pdf": "document",
}
"""Kinds of file an article may bring along, and what each is to a reader."""

_MOST_TOLD = 100
"""Links of each sort that one article is told of: what is wrong with the hundredth mostly is with all that follow, and to say
it takes longer the longer the text is."""
_TOGETHER = 125
"""Bodies that are rendered in one step: what they are made of lies in memory at once."""
_NOWHERE = "about:held"
"""Stands for an address while a body is bound, where the link is to go."""


Lead = tuple[str, str]
"""Path of an article's file below content/, and the heading in it that is meant; empty where the whole is."""


class Bound(NamedTuple):
    """A manuscript's body with every address followed."""

    html: str
    """Links relative to the article's own page."""
    files: tuple[PurePosixPath, ...]
    """All that must be published with it, below content/, each once."""
    cover: PurePosixPath | None
    attachments: tuple[PurePosixPath, ...]
    leads: frozenset[Lead]
    """To other articles."""
    anchors: frozenset[str]
    """Of its own, to which a link may lead."""


class BoundBefore(Protocol):
    """What need be known of an article whose links were followed before."""

    headings: str
    """Its anchors, parted by NUL."""


class Links:
    """Follows the addresses of one library's manuscripts, as they are from ``at`` on."""

    def __init__(
        self,
        settings: Settings,
        manuscripts: Iterable[Manuscript],
        at: datetime,
        known: Mapping[str, BoundBefore] = MappingProxyType({}),
        held: Collection[str] = (),
    ) -> None:
        """
        :param known: by their places, those of them whose links were followed before, and are not now.
        :param held: files, as officers know them, of which some have no page; a link to one is but its words.
        """
        self._folder = settings.folder
        self._known = known
        self._held = held
        self._content = settings.content
        self._public = settings.public
        self._root = settings.content.resolve()
        self._by_place = {m.place: m for m in manuscripts}
        self._at = at
        self._anchors: dict[str, Collection[str]] = {}
        self._to_headings: list[_Use] = []
        self._good: set[PurePosixPath] = set()

    def bind(self, manuscripts: Sequence[Manuscript]) -> Iterator[tuple[Bound, list[Problem]]]:
        """Each manuscript's body with its addresses followed, and those that lead nowhere."""
        for begin in range(0, len(manuscripts), _TOGETHER):
            some = manuscripts[begin : begin + _TOGETHER]
            yield from map(self._followed, some, markdown.render(m.body for m in some))

    def _followed(self, manuscript: Manuscript, html: str) -> tuple[Bound, list[Problem]]:
        """:param html: of its body."""
        problems: list[Problem] = []
        files: dict[PurePosixPath, None] = {}  # a set that keeps its order
        leads: set[Lead] = set()
        url = url_of(manuscript.path)
        reader = _Reader(manuscript)

        def follow(address: str) -> str:
            if len(problems) == _MOST_TOLD:
                return address
            use = reader.use(address)
            try:
                target = self._target(use)
            except _Lost as lost:
                problems.append(use.problem(lost))
                return address
            if target is None:
                return address
            if _is_article(target):
                leads.add((target.as_posix(), use.anchor))
                if self._has_no_page(use):
                    return _NOWHERE
                return _relative(url_of(target), url) + use.tail
            files[target] = None
            return _relative(target.as_posix(), url) + use.tail

        def named(address: str, *location: str | int) -> PurePosixPath | None:
            use = _Use(
                manuscript=manuscript,
                address=_quoted(address),
                line=partial(manuscript.lines.line, *location),
            )
            try:
                target = self._target(use)
                if target is None or _is_article(target):
                    raise _Lost(_("“{address}”不是文件。").format(address=address), _("写文章旁边的文件名。"))
            except _Lost as lost:
                problems.append(manuscript.lines.problem(*location, message=lost.message, remedy=lost.remedy))
                return None
            files[target] = None
            return target

        followed = markdown.follow(html, follow)
        self._anchors[manuscript.place] = followed.anchors
        problems += map(reader.without_address, followed.without_address[:_MOST_TOLD])
        cover = named(manuscript.cover, "cover") if manuscript.cover else None
        attached = [named(address, "attachments", i) for i, address in enumerate(manuscript.attachments)]
        bound = Bound(
            html=followed.html.replace(f' href="{_NOWHERE}"', ""),
            files=tuple(files),
            cover=cover,
            attachments=tuple(file for file in attached if file),
            leads=frozenset(leads),
            anchors=followed.anchors,
        )
        return bound, problems

    def let_go(self) -> None:
        """Of what was bound by now, nothing more is asked."""
        self._anchors.clear()

    def astray(self, leads: Mapping[str, Iterable[Lead]]) -> set[str]:
        """Of articles that were bound before, the places of those whose links would not all be followed as they were then.

        Once all others are known or bound.

        :param leads: by the articles' places.
        """
        now = self._at.timestamp()
        wrong = {lead for lead in {*chain.from_iterable(leads.values())} if not self._leads_on(*lead, now)}
        return {
            place
            for place, its in leads.items()
            if not wrong.isdisjoint(its)
            and not all(self._leads_on(*lead, max(now, self._by_place[place].begins)) for lead in its)
        }

    def _leads_on(self, place: str, anchor: str, by: float) -> bool:
        """Whether there is such a heading, or article, that is published by then."""
        target = self._by_place.get(place)
        return (
            target is not None
            and target.begins <= by
            and (not anchor or anchor in (self._headings(place) or ()))
        )

    def _headings(self, place: str) -> Collection[str] | None:
        """Anchors to which a link may lead in the article there, if it is known or was bound."""
        if place in self._anchors:
            return self._anchors[place]
        known = place in self._known and place in self._by_place
        return self._known[place].headings.split("\0") if known else None

    def broken_anchors(self) -> Iterator[Problem]:
        """Links to a heading that the article they lead to does not have; once all are bound, and each is told once."""
        uses, self._to_headings = self._to_headings, []
        told: Counter[str] = Counter()
        for use in uses:
            anchors = self._headings(use.path.as_posix())
            if anchors is None or use.anchor in anchors or use.may_be_dead:
                continue
            told[use.manuscript.place] += 1
            if told[use.manuscript.place] > _MOST_TOLD:
                continue
            close = nearest(use.anchor, sorted(anchors))
            yield use.problem(
                _Lost(
                    _("“{address}”里的小标题不存在。").format(address=use.shown),
                    _("是不是想写“#{close}”？").format(close=close) if close else _("检查小标题的文字。"),
                )
            )

    def _target(self, use: _Use) -> PurePosixPath | None:
        """The file that ``use`` leads to, None where it leads out of the site or within its own page.

        :raises _Lost: it leads nowhere.
        """
        parts = use.parts
        if parts.scheme or parts.netloc:
            return None
        if use.anchor:
            self._to_headings.append(use)
        if not parts.path:
            return None
        if parts.path.startswith("/"):
            raise _Lost(
                _("链接“{address}”从根目录写起。").format(address=use.shown),
                _("写相对于这篇文章的路径，例如 ../fraud/xxx.md。"),
            )
        path = use.path
        if self._is_known(path, use):
            return path
        if use.manuscript.signed and not _is_article(path):
            raise _Lost(
                _("签发的时候没有带上“{address}”。").format(address=use.shown), _("重新提交、签发这篇文章。")
            )
        file = self._content / path
        if not self._lies_inside(file):
            raise _Lost(
                _("“{address}”指到 content/ 外面去了。").format(address=use.shown),
                _("把文件放进 content/ 再链接。"),
            )
        hidden = any(part.startswith(".") for part in path.parts)
        if (hidden or not _is_file(file)) and not use.may_be_dead:
            raise _Lost(_("链接的文件“{address}”不存在。").format(address=use.shown), self._near(use))
        if not _is_article(path):
            _check_file(file, use)
            self._good.add(path)
        return path

    def _is_known(self, path: PurePosixPath, use: _Use) -> bool:
        """Whether there is no need to look at the file itself."""
        signed = use.manuscript.signed
        if signed and path in signed.files:
            return True
        if path.as_posix() in self._by_place:  # wherever its file lies by now
            self._check_article(use)
            return True
        return path in self._good  # many articles share a cover

    def _has_no_page(self, use: _Use) -> bool:
        file, place = self._content / use.path, use.path.as_posix()
        return place not in self._by_place and (use.may_be_dead or shown(file, self._folder) in self._held)

    def _lies_inside(self, file: Path) -> bool:
        try:
            return file.resolve().is_relative_to(self._root)
        except (OSError, ValueError, RuntimeError):  # a name too long, a NUL, a ring of symbolic links
            return False

    def _near(self, use: _Use) -> str:
        if moved := self._moved_to(use.path):
            found = relpath(moved.as_posix(), use.manuscript.path.parent.as_posix())
            return _("那篇文章现在是“{path}”。").format(path=found)
        if "\\" in use.path.name:
            return _("文件夹之间用 / 隔开，不用 \\。")
        beside = self._content / use.path.parent
        names = (
            sorted(f.name for f in beside.iterdir() if not f.name.startswith(".")) if beside.is_dir() else []
        )
        if close := nearest(use.path.name, names):
            found = relpath((use.path.parent / close).as_posix(), use.manuscript.path.parent.as_posix())
            return _("是不是想写“{close}”？").format(close=found)
        return _("检查文件名和文件夹；路径从这篇文章所在的文件夹算起。")

    def _moved_to(self, path: PurePosixPath) -> PurePosixPath | None:
        """Where the article lies by now that residents find at ``path``; else the only one of that name."""
        ids, names = self._whereabouts
        moved, others = ids.get(self._formerly.get(path, "")), names.get(path.name, ())
        return moved or (others[0] if len(others) == 1 else None)

    @cached_property
    def _whereabouts(self) -> tuple[Mapping[str, PurePosixPath], Mapping[str, Sequence[PurePosixPath]]]:
        """Where articles lie, by their ids and by their files' names: a folder's new name loses all links to it."""
        names: defaultdict[str, list[PurePosixPath]] = defaultdict(list)
        for manuscript in self._by_place.values():
            names[manuscript.path.name].append(manuscript.path)
        return {m.id: m.path for m in self._by_place.values()}, names

    @cached_property
    def _formerly(self) -> Mapping[PurePosixPath, str]:
        """Ids of articles, by the place that the present release shows them at."""
        if (catalogue := present(self._public)) is None:
            return {}
        return {path_of(url_in(catalogue, entry)): entry.id for entry in catalogue.entries}

    def _check_article(self, use: _Use) -> None:
        target = self._by_place.get(use.path.as_posix())
        if target and target.published > max(use.manuscript.published, self._at):
            raise _Lost(
                _("链接的文章“{address}”比这篇发布得晚，在它发布之前链接打不开。").format(address=use.shown),
                _("先去掉这个链接，或把两篇的发布时间改成一样。"),
            )


class _Lost(Exception):
    """An address that leads nowhere, and how to mend it."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy


class _Use(NamedTuple):
    """One use of an address in a manuscript."""

    manuscript: Manuscript
    address: str
    """As written."""
    line: Callable[[], int]
    """Of the file; to be asked only where there is something to say."""

    @property
    def shown(self) -> str:
        return shortened(unquote(self.address), 60)

    @property
    def parts(self) -> SplitResult:
        """:raises _Lost: it is no address at all."""
        try:
            return urlsplit(self.address)  # which remembers the last ones
        except ValueError:
            raise _Lost(
                _("“{address}”不是网址。").format(address=self.shown), _("检查方括号和斜杠，重新复制一遍。")
            ) from None

    @property
    def path(self) -> PurePosixPath:
        """Of the file it leads to, below content/; where it has none, of the article itself."""
        written = self.parts.path
        return _seen_from(dirname(self.manuscript.place), written) if written else self.manuscript.path

    @property
    def may_be_dead(self) -> bool:
        """Whether it leads to an article from what was signed before somebody mended it: that waits for a signature,
        and nothing else waits for that."""
        signed = self.manuscript.signed
        return signed is not None and signed.edited and _is_article(self.path)

    @property
    def anchor(self) -> str:
        return unquote(self.parts.fragment)

    @property
    def tail(self) -> str:
        """What follows the path, as written."""
        return urlunsplit(("", "", "", self.parts.query, self.parts.fragment))

    def problem(self, lost: _Lost) -> Problem:
        return Problem(
            path=self.manuscript.lines.path, line=self.line(), message=lost.message, remedy=lost.remedy
        )


@lru_cache(maxsize=4096)
def _seen_from(folder: str, written: str) -> PurePosixPath:
    """What an address means in an article of ``folder``; kept, because many articles share a cover."""
    return PurePosixPath(normpath(join(folder, unquote(written))))


_quoted = lru_cache(maxsize=4096)(quote)  # likewise


def _is_article(path: PurePosixPath) -> bool:
    return path.name.endswith(".md")


class _Reader:
    """Finds the line of each use of an address, in the order of the text."""

    def __init__(self, manuscript: Manuscript) -> None:
        self._manuscript = manuscript
        self._used: Counter[str] = Counter()

    def use(self, address: str) -> _Use:
        self._used[address] += 1
        line = partial(self._line_of, address, self._used[address])
        return _Use(manuscript=self._manuscript, address=address, line=line)

    def _line_of(self, address: str, nth: int) -> int:
        """Line of the ``nth`` use of ``address``."""
        spellings = "|".join(re.escape(s) for s in {address, unquote(address)} if s)
        uses = re.compile(rf"""(?:(?<=[(<"'\s:])|^)(?:{spellings})""", re.MULTILINE)
        found = next(islice(uses.finditer(self._manuscript.body), nth - 1, None), None)
        return self._line(found.start() if found else 0)

    def without_address(self, text: str) -> Problem:
        """What to say of a link or picture whose address the sanitiser dropped."""
        body = self._manuscript.body
        place = body.find(f"[{text}]") if f"[{text}]" in body else max(body.find(text), 0)
        return Problem(
            path=self._manuscript.lines.path,
            line=self._line(place),
            message=_("“{text}”这个链接或图片的地址用不了。").format(text=shortened(text)),
            remedy=_("可以用 https:、tel:、mailto: 开头的地址，或文章旁边的文件；图片存成文件再引用。"),
        )

    def _line(self, position: int) -> int:
        return self._manuscript.body_line + self._manuscript.body.count("\n", 0, position)


def url_of(path: PurePosixPath) -> str:
    """Address of the article at ``path``, below the site; not quoted."""
    return splitext(path.as_posix())[0] + "/"


def path_of(url: str) -> PurePosixPath:
    """Where below content/ the article at ``url`` lies."""
    return PurePosixPath(url.removesuffix("/") + ".md")


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # too long a name
        return False


def _check_file(file: Path, use: _Use) -> None:
    suffix, top = file.suffix.lower(), use.path.parts[0].lower()
    if top in OWN_FOLDERS:
        raise _Lost(
            _("文件名和文件夹名不能用“{name}”，它留给目录页。").format(name=top),
            _("换个名字，例如主题的拼音。"),
        )
    if suffix not in ATTACHMENTS:
        raise _Lost(
            _("不能附带这种文件：“{address}”。").format(address=use.shown),
            _("可以附带的有：{kinds}。").format(kinds=" ".join(sorted(ATTACHMENTS))),
        )
    if suffix == ".svg" and not is_only_a_picture(file.read_bytes()):
        raise _Lost(
            _("SVG 图片“{address}”里有会运行的代码，或者文件已损坏。").format(address=use.shown),
            _("用绘图软件另存为“普通 SVG”，或改用 PNG。"),
        )


def _relative(target: str, url: str) -> str:
    """Address of ``target`` (below the site) as the page ``url`` writes it."""
    there = relpath(target, url)
    return quote(there + "/" if target.endswith("/") and not there.endswith("/") else there)
