"""One article: front matter and Markdown body, checked field by field.

:class:`FrontMatter` is the table of what officers may write (``docs/articles.zh-CN.md`` explains it to them).
``service`` follows the national directory of grass-roots government openness (基层政务公开标准目录);
``alert`` borrows its words from CAP 1.2 (https://docs.oasis-open.org/emergency/cap/v1.2/CAP-v1.2.html).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from math import inf
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from gengfu_site.approvals import Signed, digest_of
from gengfu_site.catalogue import KINDS, AlertForm, AlertState, AlertStatus, Kind, Season, Station
from gengfu_site.problems import Problem, in_command, nearest
from gengfu_site.source import STRICT, Document, Mistake, read_yaml, shortened, validate
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _

_YEARS = range(1970, 9000)
"""Of a date that can be meant: 9999, for "never", has no day after it."""
TITLE, SUMMARY, _CHANGED = 40, 120, 40
"""Characters, at most."""
_REVISION = 12
"""Characters."""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _as_list(value: Any) -> Any:
    """A single word stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _is_id(text: str) -> str:
    if not re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4,12}", text):
        raise Mistake(
            _("编号应是 4 到 12 个大写字母或数字（不用 I L O U），见到的是“{found}”。").format(found=text),
            _("用 gengfu new 生成一个，写好以后不要再改。"),
        )
    return text


def _moment(value: Any, info: ValidationInfo) -> datetime:
    """A date or a date with a time, in the station's zone unless it names its own offset."""
    text = str(value).strip().replace("T", " ")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _no_such_date(text) from None
    if moment.year not in _YEARS:
        raise _no_such_date(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=_zone(info))


def _last_moment(value: Any, info: ValidationInfo) -> datetime:
    """As :func:`_moment`; a bare date includes that whole day."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value).strip()):
        day = _day(value)
        return datetime.combine(day + timedelta(days=1), time(), tzinfo=_zone(info))
    return _moment(value, info)


def _zone(info: ValidationInfo) -> ZoneInfo:
    assert info.context is not None
    zone: ZoneInfo = info.context["zone"]
    return zone


def _day(value: Any) -> date:
    try:
        day = date.fromisoformat(str(value).strip())
    except ValueError:
        raise _no_such_date(value) from None
    if day.year not in _YEARS:
        raise _no_such_date(value)
    return day


def _no_such_date(value: Any) -> Mistake:
    return Mistake(
        _("“{found}”不是能用的日期。").format(found=shortened(value)),
        _("写成 2026-11-21 或 2026-11-21 08:00；没有期限就不写这一行。"),
    )


def _yes_or_no(value: Any) -> bool:
    word = str(value).strip().lower()
    if word in ("true", "yes", "on", "是"):
        return True
    if word in ("false", "no", "off", "否"):
        return False
    raise Mistake(
        _("应是 true 或 false，见到的是“{found}”。").format(found=shortened(value)), _("写 true 或 false。")
    )


def _count(value: Any) -> int:
    if not re.fullmatch(r"\d{1,2}", str(value).strip()):
        raise Mistake(
            _("应是份数，见到的是“{found}”。").format(found=shortened(value)), _("写 0、1、2 这样的数字。")
        )
    return int(value)


Text = Annotated[str, Field(min_length=1), AfterValidator(_one_line)]
Words = Annotated[tuple[Text, ...], BeforeValidator(_as_list)]
Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
Count = Annotated[int, BeforeValidator(_count)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
LastMoment = Annotated[datetime, BeforeValidator(_last_moment)]
Day = Annotated[date, BeforeValidator(_day)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """The answer to “and in my case?”."""

    __pydantic_config__ = STRICT

    when: Text
    answer: Text


@dataclass(frozen=True, kw_only=True)
class Material:
    """One line of the checklist of papers."""

    __pydantic_config__ = STRICT

    name: Text
    original: Flag = True
    """Whether the original must be shown."""
    copies: Count = 0
    """How many copies to hand in."""
    note: Text | None = None


Visit = Literal["不用跑", "跑一次", "需本人"]


@dataclass(frozen=True, kw_only=True)
class Service:
    """A service guide's facts, laid out by the page in the order in which people ask."""

    __pydantic_config__ = STRICT

    department: Text
    visit: Visit
    cases: tuple[Case, ...] = ()
    conditions: Words = ()
    materials: tuple[Material, ...] = ()
    steps: Words = ()
    time_limit: Text | None = None
    fee: Text | None = None
    places: Words = ()
    hours: Text | None = None
    busy_hours: Text | None = None
    phone: Text | None = None
    online: Text | None = None
    basis: Words = ()
    complaint: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Alert:
    """What the duty officer must say in an alert. A missing person's data is not here: :mod:`gengfu_site.persons`."""

    __pydantic_config__ = STRICT

    form: AlertForm
    place: Text
    tell: Text
    status: AlertStatus = "actual"
    state: AlertState = "active"
    references: Annotated[tuple[Annotated[str, AfterValidator(_is_id)], ...], BeforeValidator(_as_list)] = ()
    basis: Text | None = None
    """On what ground somebody's personal data stands in it; shown to no reader."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Words that a rule would object to, and who answers for them all the same; shown to no reader."""

    __pydantic_config__ = STRICT

    what: Text
    by: Text
    reason: Text


@dataclass(frozen=True, kw_only=True)
class FrontMatter:
    """What an officer writes above the text."""

    __pydantic_config__ = STRICT

    id: Annotated[str, AfterValidator(_is_id)]
    """Stable identity; feeds, digests and history go by it, never by the address."""
    title: Annotated[Text, Field(max_length=TITLE)]
    summary: Annotated[Text, Field(max_length=SUMMARY)]
    """Stands alone in a digest."""
    kind: Kind
    published: Moment
    """In the future: not yet."""
    updated: Moment | None = None
    changed: Annotated[Text, Field(max_length=_CHANGED)] | None = None
    """What was other before ``updated``."""
    reviewed: Day | None = None
    next_review: Day | None = None
    expires: LastMoment | None = None
    withdrawn: Text | None = None
    """The reason; the page stays and says so, the lists drop it."""
    topics: Words = ()
    areas: Words = ()
    """Empty: everyone."""
    audience: Words = ()
    """Empty: everyone."""
    evergreen: Flag = False
    """May be repeated in digests."""
    season: Annotated[tuple[Season, ...], BeforeValidator(_as_list)] = ()
    cover: Text | None = None
    author: Text | None = None
    attachments: Words = ()
    service: Service | None = None
    alert: Alert | None = None
    allow: tuple[Allowed, ...] = ()

    @property
    def modified(self) -> datetime:
        """When its text last changed for readers."""
        return self.updated or self.published

    @property
    def begins(self) -> float:
        """:attr:`published` in seconds since 1970, which are compared without asking for anybody's time zone."""
        return self.published.timestamp()

    @property
    def changes(self) -> float:
        """:attr:`modified`, likewise."""
        return self.modified.timestamp()

    @property
    def ends(self) -> float:
        """:attr:`expires`, likewise; without end where it has none."""
        return self.expires.timestamp() if self.expires else inf


@dataclass(frozen=True, kw_only=True)
class Manuscript(FrontMatter):
    """An article as it lies in content/, its links not yet followed."""

    path: PurePosixPath
    """Below content/, e.g. ``fraud/brushing.md``."""
    body: str
    """Markdown."""
    body_line: int
    """Line of the file on which ``body`` begins."""
    lines: Document
    """For problems found later: where each field stands."""
    revision: str
    """Of the words: the same text has the same revision, wherever the file lies."""
    signed: Signed | None = None
    """Who answers for it; None where it is shown as it lies in content/."""

    @property
    def place(self) -> str:
        """``path`` as text."""
        return self.path.as_posix()


Grown = TypeVar("Grown", bound=FrontMatter)


def grown(kind: type[Grown], written: FrontMatter, **more: Any) -> Grown:
    """``written`` as a ``kind``, which has ``more`` fields; its own way would set forty of them one by one."""
    made = object.__new__(kind)
    vars(made).update(vars(written), **more)
    return made


class Written(NamedTuple):
    """What an article's file says."""

    path: PurePosixPath
    """Below content/."""
    name: str
    """The file as the officer knows it, for problems."""
    text: str
    digest: str
    """Of ``text`` (:func:`text_digest`)."""


Parsed = tuple[Manuscript | None, list[Problem]]
"""The manuscript, or None where it cannot be made; and every problem found."""


def parse(
    written: Sequence[Written], station: Station, *, urgent: bool = False, signed_off: bool = False
) -> list[Parsed]:
    """Read articles, each by itself.

    One step for all after the other: libyaml and pydantic drive each other's code out of the processor's cache.

    :param urgent: with problems too, make the manuscript without what it can do without: an alert does not wait
        for a shorter summary. What it says, whom it reaches and until when is never guessed.
    :param signed_off: it was right when it was signed: what ``mkdocs.yml`` declares no longer stays in it, and is told.
    """
    fronts = [_front(one) for one in written]
    declared = _declared(station)
    return [
        _parsed(one, front, station, declared, urgent=urgent, signed_off=signed_off)
        for one, front in zip(written, fronts, strict=True)
    ]


_Front = tuple[Document, str, int]
"""Front matter, body, and the body's first line."""


def _front(written: Written) -> _Front | list[Problem]:
    parts = split(written.text)
    if parts is None:
        return [
            Problem(
                path=written.name,
                message=_("文章开头应有一段夹在两行“---”之间的说明（编号、标题、日期……）。"),
                remedy=_("运行 gengfu fix {name}，能知道的自动补上，其余的写着【待写】。").format(
                    name=in_command(written.name)
                ),
            )
        ]
    front, body, body_line = parts
    document, problems = read_yaml(front, written.name, first_line=2)
    return problems or (document, body, body_line)


def _parsed(
    written: Written,
    front: _Front | list[Problem],
    station: Station,
    declared: _Declared,
    *,
    urgent: bool,
    signed_off: bool,
) -> Parsed:
    if isinstance(front, list):
        return None, front
    document, body, body_line = front
    context = {"zone": ZoneInfo(station.timezone)}
    matter, problems = validate(FrontMatter, document, context)
    problems = [_with_help(problem, document) for problem in problems]
    undeclared = list(_undeclared(document, declared))
    problems += [] if signed_off else undeclared
    problems += _out_of_its_kind(document)
    problems += _unwritten(document, body, body_line)
    if problems and urgent:
        matter, _fatal = validate(FrontMatter, _spared(document, problems), context)
    if matter is None:
        return None, problems
    problems += _inconsistent(matter, document)
    if problems and not (urgent and _needed(document).isdisjoint(_fields(problems))):
        return None, problems
    return (
        grown(
            Manuscript,
            matter,
            path=written.path,
            body=body,
            body_line=body_line,
            lines=document,
            revision=written.digest[:_REVISION],
            signed=None,
        ),
        [*problems, *undeclared] if signed_off else problems,
    )


def text_digest(text: str) -> str:
    """Of an article's file, as the log has it; its revision is the beginning."""
    return digest_of(text.encode())


_STAND_INS: Mapping[str, str] = {
    "id": "0000",
    "title": "…",
    "summary": "…",
    "kind": "tip",
    "published": "2999-12-31",
}
_STAND_INS_WITHIN: Mapping[str, Mapping[str, str]] = {
    "service": {"department": "…", "visit": "不用跑"},
    "alert": {"form": "其他", "place": "…", "tell": "…"},
}


def unfinished(text: str, path: PurePosixPath, name: str, station: Station) -> Manuscript | None:
    """What there is of an article that :func:`parse` makes none of, for the rules to read; never to be shown.

    Something else stands in for what is missing or wrong. None where the front matter is no YAML: what is allowed
    there by name, or printed there for all, nobody can tell.
    """
    # A first heading without front matter is the title that ``gengfu fix`` makes of it.
    front, body, body_line = split(text) or ("", re.sub(r"\A(\s*)#[^#\n]*", r"\1", text), 1)
    document, problems = read_yaml(front, name, first_line=2)
    if any(not problem.field for problem in problems):
        return None
    context = {"zone": ZoneInfo(station.timezone)}
    _matter, problems = validate(FrontMatter, document, context)
    matter, problems = validate(
        FrontMatter, _filled(document, {problem.field for problem in problems}), context
    )
    if matter is None:
        return None
    return grown(
        Manuscript,
        matter,
        path=path,
        body=body,
        body_line=body_line,
        lines=document,
        revision=text_digest(text)[:_REVISION],
        signed=None,
    )


def _filled(document: Document, wrong: Collection[str]) -> Document:
    """``document`` with something in the place of what is missing or ``wrong``, by its dotted name."""

    def right(written: Mapping[str, Any], above: str = "") -> dict[str, Any]:
        begins = {name: f"{above}{name}." for name in written}
        return {
            name: value
            for name, value in written.items()
            if not any(f"{field}.".startswith(begins[name]) for field in wrong)
        }

    value = {**_STAND_INS, **right(document.value)}
    for name, stand_ins in _STAND_INS_WITHIN.items():
        if isinstance(written := document.value.get(name), dict):
            value[name] = {**stand_ins, **right(written, f"{name}.")}
    return replace(document, value=value)


_WRITTEN_ID = re.compile(rb"""^["']?id["']?[ \t]*:[ \t]*["']?([0-9A-HJKMNP-TV-Z]{4,12})\b""", re.MULTILINE)
FRONT = 1 << 14
"""Bytes in which an article's front matter ends, or it is none that anybody wrote."""


def ids_written(data: bytes) -> list[str]:
    """The ids that an article's file gives as its own, whether or not it can be read as one now."""
    return [id_.decode() for id_ in _WRITTEN_ID.findall(data[:FRONT])]


FILLED = ("id", "title", "summary", "kind", "published")
"""Fields that every article has, and ``gengfu fix`` writes where they are missing."""


def _with_help(problem: Problem, document: Document) -> Problem:
    if problem.field in FILLED and document.value.get(problem.field) is None:
        return replace(
            problem, remedy=_("运行 gengfu fix {name}，或自己补上。").format(name=in_command(problem.path))
        )
    return problem


_LONGEST = {"title": TITLE, "summary": SUMMARY}
_DISPENSABLE = frozenset(
    [
        "updated",
        "changed",
        "reviewed",
        "next_review",
        "topics",
        "evergreen",
        "season",
        "cover",
        "author",
        "attachments",
        "allow",
    ]
)
_REACH = frozenset(("areas", "audience"))


def _needed(document: Document) -> frozenset[str]:
    """Fields a mistake in which leaves open what an article is, or whom it is for."""
    kinds_own = frozenset(("kind", "service", "alert"))
    return kinds_own if document.value.get("withdrawn") else kinds_own | _REACH


def _spared(document: Document, problems: Iterable[Problem]) -> Document:
    """``document`` without the values that the problems name, where it can do without them or cut to length."""
    value = dict(document.value)
    known = {field.name for field in fields(FrontMatter)}
    spare = (_DISPENSABLE | _REACH) - _needed(document)
    for name in _fields(problems):
        if name in _LONGEST and isinstance(value.get(name), str):
            value[name] = shortened(_one_line(value[name]), _LONGEST[name])
        elif name in spare or name not in known:
            value.pop(name, None)
    return replace(document, value=value)


def _fields(problems: Iterable[Problem]) -> set[str]:
    """The outermost fields that the problems name."""
    return {problem.field.partition(".")[0] for problem in problems}


_FRONT_BEGINS = re.compile(r"---[ \t]*\n")
_FRONT_ENDS = re.compile(r"\n(?:---|\.\.\.)[ \t]*$", re.MULTILINE)


def split(text: str) -> tuple[str, str, int] | None:
    """Front matter, body, and the body's first line; None where there is no front matter.

    :param text: with ``\\n`` line ends.
    """
    begin = _FRONT_BEGINS.match(text)
    end = _FRONT_ENDS.search(text, begin.end() - 1) if begin else None
    if begin is None or end is None:
        return None
    body = text[end.end() :].removeprefix("\n")
    return text[begin.end() : end.start() + 1], body, text.count("\n", 0, len(text) - len(body)) + 1


_Declared = Mapping[str, Sequence[str]]
"""Words that may stand in a field."""


def _declared(station: Station) -> _Declared:
    return {
        "topics": [t.name for t in station.topics],
        "areas": [a.path for a in station.areas],
        "audience": station.audiences,
    }


def _undeclared(document: Document, declared: _Declared) -> Iterator[Problem]:
    """Topics, areas and audiences that ``mkdocs.yml`` does not declare."""
    wrong = 0
    for field, known in declared.items():
        written = _as_list(document.value.get(field) or [])
        for index, word in enumerate(written if isinstance(written, list) else []):
            if isinstance(word, str) and word.strip() not in known:
                close = nearest(word, known, before=wrong)
                wrong += 1
                yield document.problem(
                    field,
                    index,
                    message=_("“{word}”没有在 mkdocs.yml 里登记过。").format(word=word),
                    remedy=_("是不是想写“{close}”？").format(close=close)
                    if close
                    else _("改成登记过的词，或请管理员在 mkdocs.yml 里登记。"),
                )


_TO_WRITE = re.compile(r"【待写[^】]*】")
"""What the beginnings that ``gengfu new`` and ``gengfu fix`` write leave to the officer."""


def _unwritten(document: Document, body: str, body_line: int) -> Iterator[Problem]:
    for field in ("title", "summary"):
        if found := _TO_WRITE.search(str(document.value.get(field) or "")):
            message = _("这里还没有写：{what}").format(what=found[0])
            yield document.problem(field, message=message, remedy=_("写上内容。"))
    for found in _TO_WRITE.finditer(body):
        yield Problem(
            path=document.path,
            line=body_line + body.count("\n", 0, found.start()),
            message=_("这里还没有写：{what}").format(what=found[0]),
            remedy=_("写上内容，或删掉这一行。"),
        )


def _inconsistent(matter: FrontMatter, document: Document) -> Iterator[Problem]:
    """Fields that are right one by one and wrong together."""

    def wrong(field: str, message: str, remedy: str) -> Problem:
        return document.problem(field, message=message, remedy=remedy)

    if matter.expires and matter.expires <= matter.published:
        yield wrong("expires", _("失效时间早于发布时间。"), _("检查 published 和 expires 是否写反了。"))
    if matter.updated and matter.updated < matter.published:
        yield wrong("updated", _("更新时间早于发布时间。"), _("检查 published 和 updated。"))
    if matter.changed and not matter.updated:
        yield wrong("changed", _("写了改动，没有写更新时间。"), _("加一行 updated，写改的日期。"))
    if matter.reviewed and matter.next_review and matter.next_review <= matter.reviewed:
        yield wrong("next_review", _("下次复核日期不晚于上次复核日期。"), _("把 next_review 改到以后。"))


def _out_of_its_kind(document: Document) -> Iterator[Problem]:
    """What its kind must have and what it must not, whether or not the rest of it can be read."""

    def wrong(field: str, message: str, remedy: str) -> Problem:
        return document.problem(field, message=message, remedy=remedy)

    if (kind := document.value.get("kind")) not in KINDS:
        return
    written = {field for field, value in document.value.items() if value is not None and value != []}
    if kind == "service" and "service" not in written:
        yield wrong("kind", _("办事指南缺少 service 部分。"), _("补上 service，或把 kind 改成别的。"))
    if kind != "service" and "service" in written:
        yield wrong(
            "service", _("只有办事指南（kind: service）能有 service 部分。"), _("改 kind，或删掉 service。")
        )
    if kind == "alert" and "alert" not in written:
        yield wrong("kind", _("紧急警情缺少 alert 部分。"), _("补上 alert，或把 kind 改成别的。"))
    if kind == "alert" and "expires" not in written:
        yield wrong(
            "expires", _("紧急警情必须写明何时失效。"), _("加一行 expires，到时网页会自动说明已失效。")
        )
    if kind != "alert" and "alert" in written:
        yield wrong("alert", _("只有紧急警情（kind: alert）能有 alert 部分。"), _("改 kind，或删掉 alert。"))
    if kind == "video" and "attachments" not in written:
        yield wrong("kind", _("视频资料没有附件。"), _("在 attachments 里写上视频或音频文件。"))
