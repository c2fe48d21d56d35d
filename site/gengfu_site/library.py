"""Everything under content/, read and bound together: articles, the files they name, the links between them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from posixpath import join, normpath, relpath
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from gengfu_site import markdown
from gengfu_site.article import Manuscript, Person, parse
from gengfu_site.markdown import Heading
from gengfu_site.problems import Problem, nearest, shown
from gengfu_site.settings import Settings
from gengfu_site.source import read_text, read_yaml, validate
from gengfu_templates.i18n import _

ATTACHMENTS = frozenset(
    [
        ".svg",
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".gif",
        ".mp3",
        ".m4a",
        ".ogg",
        ".wav",
        ".mp4",
        ".webm",
        ".pdf",
    ],
)
"""Kinds of file an article may bring along."""

_RESERVED = {"index", "readme", "page", "topic", "area"}
"""Names that the site's own pages take."""

# An SVG is a document: opened by its own address it may run what it holds.
_ACTIVE_SVG = re.compile(rb"<script|\son\w+\s*=|javascript:|<foreignObject|<!ENTITY", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Article(Manuscript):
    """An article ready to be shown: its links lead somewhere, its files are there."""

    url: str
    """Below the site, e.g. ``fraud/brushing/``; not quoted."""
    html: str
    """The body; links relative to ``url``."""
    headings: tuple[Heading, ...]
    files: tuple[PurePosixPath, ...]
    """Everything it names that must be published with it, below content/, cover and attachments included."""
    cover_file: PurePosixPath | None
    attachment_files: tuple[PurePosixPath, ...]
    person: Person | None
    """A missing person's data; :meth:`person_shown` says whether it may be."""

    def live(self, at: datetime) -> bool:
        """Whether lists, feeds, digests and search may offer it at ``at``."""
        return self.published <= at and not self.withdrawn and not (self.expires and self.expires <= at)

    def person_shown(self, at: datetime) -> Person | None:
        """The missing person's data, while the alert is active and the erasing date lies ahead."""
        searching = self.alert is not None and self.alert.state == "active" and self.live(at)
        if self.person and searching and at < self.person.erase_after:
            return self.person
        return None


@dataclass(frozen=True, kw_only=True)
class Library:
    settings: Settings
    articles: tuple[Article, ...]
    """Newest first; those of one instant by id."""

    def published(self, at: datetime) -> tuple[Article, ...]:
        """Those that have a page at ``at``: expired and withdrawn ones keep theirs and say so."""
        return tuple(a for a in self.articles if a.published <= at)

    def live(self, at: datetime) -> tuple[Article, ...]:
        """Those that lists, feeds and digests may offer at ``at``."""
        return tuple(a for a in self.articles if a.live(at))


def load(settings: Settings, at: datetime) -> tuple[Library, list[Problem]]:
    """Read the whole library, and everything that is or will be wrong with it from ``at`` on.

    Articles with problems are left out of it, so that a preview can show the rest; a build refuses
    as long as there are problems.
    """
    manuscripts, problems = _read_manuscripts(settings)
    manuscripts, found = _with_ids_of_their_own(manuscripts, settings)
    problems += found
    persons, found = _read_persons(settings, manuscripts, at)
    problems += found
    shelf = _Shelf(settings, manuscripts, at)
    articles = []
    for manuscript in manuscripts:
        article, found = shelf.bind(manuscript, persons.get(manuscript.id))
        problems += found
        articles.append(article)
    problems += shelf.broken_anchors(articles)
    articles.sort(key=lambda a: (-a.published.timestamp(), a.id))
    return Library(settings=settings, articles=tuple(articles)), problems


def _read_manuscripts(settings: Settings) -> tuple[list[Manuscript], list[Problem]]:
    manuscripts: list[Manuscript] = []
    problems: list[Problem] = []
    for file in _markdown_files(settings.content):
        name = shown(file, settings.folder)
        if not file.resolve().is_relative_to(settings.content.resolve()):
            problems.append(_escapes(name))
            continue
        text = read_text(file, settings.folder)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        path = PurePosixPath(file.relative_to(settings.content).as_posix())
        manuscript, found = parse(text, path, name, settings.station)
        problems += found
        if manuscript:
            manuscripts.append(manuscript)
    return manuscripts, problems


def _markdown_files(content: Path) -> Iterator[Path]:
    """Every article file, in the same order on every machine; hidden ones are nobody's business."""
    for folder, folders, files in os.walk(content):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        yield from (Path(folder, f) for f in sorted(files) if f.endswith(".md") and not f.startswith("."))


def _escapes(name: str) -> Problem:
    return Problem(
        path=name,
        message=_("这是一个指向 content/ 以外的链接文件。"),
        remedy=_("把文件本身放进 content/。"),
    )


def _with_ids_of_their_own(
    manuscripts: Iterable[Manuscript], settings: Settings
) -> tuple[list[Manuscript], list[Problem]]:
    """Those whose id and address no earlier one has taken."""
    by_id: dict[str, Manuscript] = {}
    by_url: dict[str, Manuscript] = {}
    unique: list[Manuscript] = []
    problems: list[Problem] = []
    for manuscript in manuscripts:
        url = _url(manuscript.path)
        if earlier := by_id.get(manuscript.id):
            problems.append(
                manuscript.lines.problem(
                    "id",
                    message=_("编号 {id} 已经被 {path} 用了。").format(
                        id=manuscript.id, path=earlier.lines.path
                    ),
                    remedy=_("给后写的那篇换一个编号，用 gengfu new 可以生成。"),
                )
            )
        elif reserved := _RESERVED & {part.lower() for part in manuscript.path.with_suffix("").parts}:
            problems.append(
                manuscript.lines.problem(
                    message=_("文件名和文件夹名不能用“{name}”，它留给目录页。").format(name=reserved.pop()),
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


def _url(path: PurePosixPath) -> str:
    return path.with_suffix("").as_posix() + "/"


def _read_persons(
    settings: Settings, manuscripts: Iterable[Manuscript], at: datetime
) -> tuple[dict[str, Person], list[Problem]]:
    """Missing persons' data by alert id; a file that no active alert needs is a problem in itself."""
    wanted = {m.id for m in manuscripts if m.alert and m.alert.form == "走失" and m.alert.state == "active"}
    context = {"zone": ZoneInfo(settings.station.timezone)}
    persons: dict[str, Person] = {}
    problems: list[Problem] = []
    for file in sorted(settings.private.glob("*.yml")):
        name = shown(file, settings.folder)
        if file.stem not in wanted:
            problems.append(
                Problem(
                    path=name,
                    message=_("没有编号 {id} 的走失警情正在查找，这份个人信息不应再保存。").format(
                        id=file.stem
                    ),
                    remedy=_("删除这个文件和旁边的照片；如果警情没结束，检查文件名是不是它的编号。"),
                )
            )
            continue
        if os.name == "posix" and file.stat().st_mode & 0o077:
            problems.append(
                Problem(
                    path=name,
                    message=_("这份个人信息别的用户也能读。"),
                    remedy=_("运行：chmod 600 {path}").format(path=name),
                )
            )
        text = read_text(file, settings.folder)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        document, found = read_yaml(text, name)
        person, wrong = validate(Person, document, context) if not found else (None, [])
        problems += found + wrong
        if person is None:
            continue
        if person.erase_after <= at:
            problems.append(
                document.problem(
                    "erase_after",
                    message=_("保存期已过，这份个人信息应当删除了。"),
                    remedy=_("删除这个文件和旁边的照片。"),
                )
            )
            continue
        if person.photo and not _is_picture_beside(file, person.photo):
            problems.append(
                document.problem(
                    "photo",
                    message=_("旁边没有照片“{photo}”。").format(photo=person.photo),
                    remedy=_("把 jpg 或 png 照片放在同一个文件夹，photo 只写文件名。"),
                )
            )
            continue
        persons[file.stem] = person
    return persons, problems


def _is_picture_beside(file: Path, name: str) -> bool:
    picture = file.parent / name
    return (
        picture.parent == file.parent
        and picture.suffix.lower() in (".jpg", ".jpeg", ".png")
        and picture.is_file()
    )


class _Shelf:
    """Follows what articles refer to: other articles, and files beside them."""

    def __init__(self, settings: Settings, manuscripts: Iterable[Manuscript], at: datetime) -> None:
        self._settings = settings
        self._at = at
        self._content = settings.content.resolve()
        self._by_path = {m.path: m for m in manuscripts}
        self._anchors: list[tuple[Manuscript, PurePosixPath, str, str]] = []

    def bind(self, manuscript: Manuscript, person: Person | None) -> tuple[Article, list[Problem]]:
        """The manuscript as an article, and what it refers to in vain."""
        problems: list[Problem] = []
        files: dict[PurePosixPath, None] = {}  # a set that keeps its order
        url = _url(manuscript.path)

        def follow(address: str) -> str:
            try:
                target = self._target(manuscript, address)
            except _Lost as lost:
                problems.append(_in_body(manuscript, address, lost))
                return address
            if isinstance(target, str):
                return target
            path, fragment = target
            if path.suffix == ".md":
                return _relative(_url(path), url) + fragment
            files[path] = None
            return _relative(path.as_posix(), url) + fragment

        def named(field: str, index: int | None, address: str) -> PurePosixPath | None:
            location = (field,) if index is None else (field, index)
            try:
                target = self._target(manuscript, quote(address))
                if isinstance(target, str) or target[0].suffix == ".md":
                    raise _Lost(_("“{address}”不是文件。").format(address=address), _("写文章旁边的文件名。"))
            except _Lost as lost:
                problems.append(manuscript.lines.problem(*location, message=lost.message, remedy=lost.remedy))
                return None
            files[target[0]] = None
            return target[0]

        rendered = markdown.render(manuscript.body, follow)
        cover = named("cover", None, manuscript.cover) if manuscript.cover else None
        attached = [named("attachments", i, a) for i, a in enumerate(manuscript.attachments)]
        article = Article(
            **vars(manuscript),
            url=url,
            html=rendered.html,
            headings=rendered.headings,
            files=tuple(files),
            cover_file=cover,
            attachment_files=tuple(a for a in attached if a),
            person=person,
        )
        return article, problems

    def _target(self, manuscript: Manuscript, address: str) -> str | tuple[PurePosixPath, str]:
        """What ``address`` leads to: itself where it leads out of the site, else a path and a fragment.

        :raises _Lost: it leads nowhere.
        """
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return address
        if not parts.path:
            self._anchors.append((manuscript, manuscript.path, unquote(parts.fragment), address))
            return address
        if parts.path.startswith("/"):
            raise _Lost(
                _("链接“{address}”从根目录写起。").format(address=unquote(address)),
                _("写相对于这篇文章的路径，例如 ../fraud/xxx.md。"),
            )
        path = PurePosixPath(normpath(join(manuscript.path.parent.as_posix(), unquote(parts.path))))
        file = self._settings.content / path
        if path.parts[0] == ".." or not file.resolve().is_relative_to(self._content):
            raise _Lost(
                _("“{address}”指到 content/ 外面去了。").format(address=unquote(address)),
                _("把文件放进 content/ 再链接。"),
            )
        if not file.is_file():
            raise _Lost(
                _("链接的文件“{address}”不存在。").format(address=unquote(address)),
                self._near(path, manuscript),
            )
        fragment = "#" + parts.fragment if parts.fragment else ""
        if path.suffix == ".md":
            self._check_article(manuscript, path, address)
            if fragment:
                self._anchors.append((manuscript, path, unquote(parts.fragment), address))
        else:
            _check_file(file, address)
        return path, fragment

    def _near(self, path: PurePosixPath, manuscript: Manuscript) -> str:
        beside = self._settings.content / path.parent
        names = sorted(f.name for f in beside.iterdir()) if beside.is_dir() else []
        if close := nearest(path.name, names):
            found = relpath((path.parent / close).as_posix(), manuscript.path.parent.as_posix())
            return _("是不是想写“{close}”？").format(close=found)
        return _("检查文件名和文件夹；路径从这篇文章所在的文件夹算起。")

    def _check_article(self, manuscript: Manuscript, path: PurePosixPath, address: str) -> None:
        target = self._by_path.get(path)
        if target and target.published > manuscript.published and target.published > manuscript.modified:
            raise _Lost(
                _("链接的文章“{address}”比这篇发布得晚，在它发布之前链接打不开。").format(
                    address=unquote(address)
                ),
                _("先去掉这个链接，或把两篇的发布时间改成一样；已经更新过的，写上 updated。"),
            )

    def broken_anchors(self, articles: Iterable[Article]) -> Iterator[Problem]:
        """Links to a heading that the article they lead to does not have."""
        by_path = {a.path: a for a in articles}
        for manuscript, path, anchor, address in self._anchors:
            target = by_path.get(path)
            if target is None or not anchor or f'id="{anchor}"' in target.html:
                continue
            close = nearest(anchor, [h.anchor for h in target.headings])
            lost = _Lost(
                _("“{address}”里的小标题不存在。").format(address=unquote(address)),
                _("是不是想写“#{close}”？").format(close=close) if close else _("检查小标题的文字。"),
            )
            yield _in_body(manuscript, address, lost)


class _Lost(Exception):
    """An address that leads nowhere, and how to mend it."""

    def __init__(self, message: str, remedy: str) -> None:
        self.message, self.remedy = message, remedy


def _check_file(file: Path, address: str) -> None:
    suffix = file.suffix.lower()
    if suffix not in ATTACHMENTS:
        raise _Lost(
            _("不能附带这种文件：“{address}”。").format(address=unquote(address)),
            _("可以附带的有：{kinds}。").format(kinds=" ".join(sorted(ATTACHMENTS))),
        )
    if suffix == ".svg" and _ACTIVE_SVG.search(file.read_bytes()):
        raise _Lost(
            _("SVG 图片“{address}”里有会运行的代码。").format(address=unquote(address)),
            _("用绘图软件另存为“普通 SVG”，或改用 PNG。"),
        )


def _in_body(manuscript: Manuscript, address: str, lost: _Lost) -> Problem:
    """The problem at the line on which the body first says ``address``."""
    at = max(manuscript.body.find(address), manuscript.body.find(unquote(address)))
    line = manuscript.body_line + manuscript.body.count("\n", 0, max(at, 0))
    return Problem(path=manuscript.lines.path, line=line, message=lost.message, remedy=lost.remedy)


def _relative(target: str, url: str) -> str:
    """Address of ``target`` (below the site) as the page ``url`` writes it."""
    there = relpath(target, url)
    return quote(there + "/" if target.endswith("/") and not there.endswith("/") else there)
