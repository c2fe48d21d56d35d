"""The admin's own spreadsheet of groups: its Chinese headings, and its cells in the words of ``groups.csv``.

Whoever keeps such a sheet keeps more in it than a station may store. A column of members, telephone or identity
numbers, or a cell that looks like one, ends the import before anything is written, and is never quoted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gengfu_scheduler import words
from gengfu_scheduler.groups.credentials import is_any_address, no_address
from gengfu_scheduler.groups.persons import personal
from gengfu_scheduler.groups.reading import COLUMNS
from gengfu_scheduler.groups.tables import Row, problem_at
from gengfu_scheduler.importing.workbook import Sheet, column_letters
from gengfu_site.catalogue import Station
from gengfu_site.problems import Problem, ProblemsFound, nearest
from gengfu_site.source import Mistake, shortened
from gengfu_templates.i18n import _, series

_PLACES = ("station", "room", "community")
"""Columns that make up the area, outermost first."""
_HEADINGS: Mapping[str, Collection[str]] = {
    "id": ("群编号",),
    "name": ("群名称", "名称", "群名", "群聊名称", "微信群名称", "微信群名", "群组名称"),
    "station": ("所属派出所", "派出所", "所属单位", "单位"),
    "room": ("警务室", "所属警务室", "社区警务室"),
    "community": ("社区", "村", "所属社区", "社区/村", "村/社区", "所属村", "村居"),
    "area": ("区域", "所属区域", "辖区", "所属辖区"),
    "audience": ("类型", "人群", "群类型", "类别", "对象", "面向人群"),
    "topics": ("主题", "关注主题"),
    "owner": ("群主", "负责人", "管理员", "群主姓名", "责任民警", "社区民警", "群管理员"),
    "size": ("人数", "群人数", "成员数", "成员人数", "群成员数"),
    "platform": ("平台", "所属平台", "群平台"),
    "reach": ("转发方式", "发送方式", "推送方式"),
    "webhook": ("机器人地址", "群机器人地址", "机器人链接", "机器人webhook", "webhook地址"),
    "secret": ("密钥", "加签密钥", "签名密钥"),
    "keyword": ("关键词", "安全关键词"),
    "chat": ("群id", "chat_id", "chatid", "客户群id"),
    "account": ("群主账号", "群主userid", "账号"),
    "joined": ("启用日期", "加入日期", "开通日期"),
    "quiet_hours": ("免打扰", "免打扰时间"),
}
_EMPTY = ("-", "--", "—", "/", "\\", "无", "暂无")
"""What people write into a cell that has nothing to say."""
_REFUSED = re.compile(r"手机|电话|联系方式|身份证|证件|住址|微信号|成员(?!.*数)|名单|^姓名$")
_LONGEST_PREFACE = 10
"""Titles and notes that may stand above the headings, in lines."""
_TOTALS = ("合计", "总计", "小计", "共计")

_REACH = {
    **dict.fromkeys(("机器人", "群机器人", "自动", "自动发送"), "webhook"),
    **dict.fromkeys(("群主确认", "待群主确认", "客户群"), "confirm"),
    **dict.fromkeys(("手工", "手工转发", "人工", "人工转发", "手动", "手动转发"), "hand"),
}
_PLATFORM = {
    **dict.fromkeys(("企业微信", "企微"), "wecom"),
    **dict.fromkeys(("钉钉",), "dingtalk"),
    **dict.fromkeys(("飞书",), "feishu"),
    **dict.fromkeys(("微信", "普通微信", "微信群", "qq", "qq群"), ""),
}
"""The platforms by what they are called here; those that have no robots are none."""

_ADDRESS_LIKE = re.compile(
    r"://|[?&](?:key|access_token|sig|sign|token)=|/(?:web)?hooks?/"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(\d+)\s*[人个名]?")
_KIND_OF_PLACE = re.compile(r"(?:派出所|警务室|警务区|居委会|村委会|社区|村)$")


_BETWEEN = re.compile(r"[;；、,，/]")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a sheet says of groups, and what it holds besides."""

    rows: tuple[Row, ...]
    """A group each: cells by the columns of ``groups.csv``."""
    columns: frozenset[str]
    """Those of ``groups.csv`` that the sheet has anything to say about."""
    headings: Mapping[str, str]
    """What the sheet calls them."""
    unused: tuple[str, ...]
    """Headings of what is not taken over."""
    skipped: tuple[int, ...]
    """Lines that are no groups: sums, and those with nothing in these columns."""


def has_groups(sheet: Sheet) -> bool:
    """Whether there are headings in it that name groups."""
    return _heading_row(sheet) is not None


def read_listing(sheet: Sheet, path: str, station: Station) -> Listing:
    """The groups in ``sheet``.

    :param path: of the file, as the admin knows it.
    :raises ProblemsFound: it has no headings, holds what must not be stored, or says what cannot be understood.
    """
    start = _heading_row(sheet)
    if start is None:
        raise ProblemsFound([no_headings(path)])
    heading_line, headings = sheet.rows[start]
    columns = _Columns(headings)
    groups, skipped = [], []
    for line, cells in sheet.rows[start + 1 :]:
        if _is_total(cells) or not any(columns.cells(cells).values()):
            skipped.append(line)
        else:
            groups.append((line, cells))
    refused = [
        *_refused_columns(path, heading_line, columns),
        *_personal_cells(path, sheet.rows[start + 1 :], columns),
    ]
    if refused:
        raise ProblemsFound(refused)
    reader = _Reader(path, columns, station)
    rows = tuple(reader.row(line, cells) for line, cells in groups)
    if reader.problems:
        raise ProblemsFound(gathered(reader.problems))
    return Listing(
        rows=rows,
        columns=frozenset(columns.names) & frozenset(COLUMNS),
        headings=columns.names,
        unused=tuple(columns.unused(cells for _line, cells in groups)),
        skipped=tuple(skipped),
    )


def gathered(problems: Iterable[Problem]) -> list[Problem]:
    """The same mistake in many lines as one problem, in the first of them."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.field, problem.message, problem.remedy), []).append(problem)
    return [
        same[0]
        if len(same) == 1
        else replace(
            same[0], message=_("{message}（共 {n} 行）").format(message=same[0].message, n=len(same))
        )
        for same in alike.values()
    ]


# --- columns --------------------------------------------------------------------------------------


class _Columns:
    """Which column of the sheet says what."""

    def __init__(self, headings: Sequence[str]) -> None:
        self.headings = headings
        plain = [_plain(heading) for heading in headings]
        self.at: dict[str, int] = {}
        for column in (*_PLACES, *COLUMNS):
            known = (*_HEADINGS[column], *((column,) if column in COLUMNS else ()))
            found = (plain.index(heading) for heading in known if heading in plain)
            if (index := next(found, None)) is not None:
                self.at[column] = index
        self.names = {column: _shown(headings[index]) for column, index in self.at.items()}
        if area := [self.names[column] for column in ("area", *_PLACES) if column in self.names]:
            self.names["area"] = "/".join(area)

    def cells(self, row: Sequence[str]) -> dict[str, str]:
        """The row by column; what people write for nothing is nothing."""
        cells = {column: row[index] if index < len(row) else "" for column, index in self.at.items()}
        return {column: "" if text in _EMPTY else text for column, text in cells.items()}

    def unused(self, rows: Iterable[Sequence[str]]) -> Iterator[str]:
        """What the columns are called that are not taken over, where there is anything in them."""
        used = set(self.at.values())
        filled = {index for row in rows for index, text in enumerate(row) if index not in used and text}
        for index in sorted(filled | {i for i, text in enumerate(self.headings) if text and i not in used}):
            yield self.name(index)

    def name(self, index: int) -> str:
        """What the column is called."""
        text = _shown(self.headings[index]) if index < len(self.headings) else ""
        return text or _("没有表头的第 {letters} 列").format(letters=column_letters(index + 1))


def _heading_row(sheet: Sheet) -> int | None:
    """Where among the rows the headings stand: the first that names the groups' names."""
    names = {"name", *_HEADINGS["name"]}
    for index, (_line, cells) in enumerate(sheet.rows[:_LONGEST_PREFACE]):
        if names & {_plain(cell) for cell in cells}:
            return index
    return None


def _plain(heading: str) -> str:
    """A heading without spaces, marks, a unit in brackets, and in one width and case."""
    text = unicodedata.normalize("NFKC", heading).lower().replace(" ", "").strip("*:")
    return re.sub(r"\(.*\)$", "", text)


def _shown(heading: str) -> str:
    """A heading fit to be shown: where there are none, an address may stand in the first row."""
    return _("（不在此显示）") if _ADDRESS_LIKE.search(heading) or personal(heading) else shortened(heading)


def _is_total(cells: Sequence[str]) -> bool:
    first = next(filter(None, cells), "")
    return first.replace(" ", "").rstrip(":：") in _TOTALS


def no_headings(path: str) -> Problem:
    return Problem(
        path=path,
        message=_("没有找到表头：前 {n} 行里应有一行写着“群名称”。").format(n=_LONGEST_PREFACE),
        remedy=_("表头可以用：{known}。").format(
            known=series(["群名称", "群主", "警务室", "社区", "类型", "人数", "机器人地址", "转发方式"])
        ),
    )


def _refused_columns(path: str, line: int, columns: _Columns) -> Iterator[Problem]:
    for index, heading in enumerate(columns.headings):
        if _REFUSED.search(heading.replace(" ", "")):
            yield Problem(
                path=path,
                line=line,
                field=columns.name(index),
                message=_("这一列是个人信息，群清单里不存成员的姓名、电话和证件号。"),
                remedy=_("把这一列从要导入的表里删掉，再导入；人数可以留着。"),
            )


def _personal_cells(
    path: str, rows: Iterable[tuple[int, Sequence[str]]], columns: _Columns
) -> Iterator[Problem]:
    """Cells that look like personal data, in columns that are taken over and in others."""
    credentials = {columns.at.get("webhook"), columns.at.get("secret")}
    judged: dict[str, str | None] = {}
    lines: dict[tuple[int, str], list[int]] = {}
    for line, cells in rows:
        for index, text in enumerate(cells):
            if index in credentials or not text:
                continue
            if text not in judged:
                judged[text] = personal(text)
            if what := judged[text]:
                lines.setdefault((index, what), []).append(line)
    for (index, what), found in lines.items():
        yield Problem(
            path=path,
            line=found[0],
            field=columns.name(index),
            message=_("有像{what}的内容（不在此显示，共 {n} 行），群清单里不存这些。").format(
                what=what, n=len(found)
            ),
            remedy=_("从要导入的表里删掉，再导入；群主只写姓名或称呼，例如“李警官”。"),
        )


# --- cells ----------------------------------------------------------------------------------------


class _Reader:
    """Puts a sheet's rows in the words of ``groups.csv``; what cannot be understood gathers in ``problems``."""

    def __init__(self, path: str, columns: _Columns, station: Station) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._columns = columns
        self._areas = _Areas(station)

    def row(self, line: int, row: Sequence[str]) -> Row:
        sheet = self._columns.cells(row)
        for column, text in sheet.items():
            if column not in ("webhook", "secret") and _ADDRESS_LIKE.search(text):
                self._wrong(line, column, _hidden_address())
                sheet[column] = ""
        cells = {column: _reworded(column, text) for column, text in sheet.items() if column not in _PLACES}
        if (webhook := cells.get("webhook")) and not is_any_address(webhook):
            self._wrong(line, "webhook", no_address())
        if "area" in self._columns.names:
            try:
                cells["area"] = self._areas.path(sheet)
            except Mistake as mistake:
                self._wrong(line, "area", mistake)
        return Row(line=line, cells=cells)

    def _wrong(self, line: int, column: str, mistake: Mistake) -> None:
        self.problems.append(problem_at(self._path, line, self._columns.names[column], mistake))


def _reworded(column: str, text: str) -> str:
    """A cell as ``groups.csv`` would have it; what is not known here is left for its reader to judge."""
    match column:
        case "reach":
            return _REACH.get(text, text.lower())
        case "platform":
            return _PLATFORM.get(text.lower(), text.lower())
        case "audience" | "topics":
            return ";".join(filter(None, (part.strip() for part in _BETWEEN.split(text))))
        case "size":
            found = _COUNT.fullmatch(text)
            return found[1] if found else text
        case _:
            return text


def _hidden_address() -> Mistake:
    return Mistake(
        _("这一格里像是有机器人地址（不在此显示）。"), _("把地址移到“机器人地址”一列，这一格只写本来的内容。")
    )


class _Areas:
    """Finds a station's areas by the names that a sheet gives them."""

    def __init__(self, station: Station) -> None:
        self._station = station.name
        self._paths = [area.path for area in station.areas]
        self._found: dict[tuple[str, ...], str | Mistake] = {}
        self._unknown = 0

    def path(self, cells: Mapping[str, str]) -> str:
        """The path of the area that the row lies in, empty for the whole station.

        :raises Mistake: there is none of that name, or more than one.
        """
        written = cells.get("area", "")
        if written in self._paths:
            return written
        names = written.split("/") if written else [cells.get(column, "") for column in _PLACES]
        if names[0] == self._station or (not written and _place(names[0]) == _place(self._station)):
            names[0] = ""
        wanted = tuple(filter(None, (name.strip() for name in names)))
        if wanted not in self._found:
            self._found[wanted] = self._search(wanted) if wanted else ""
        found = self._found[wanted]
        if isinstance(found, Mistake):
            raise found
        return found

    def _search(self, wanted: Sequence[str]) -> str | Mistake:
        found = [path for path in self._paths if _leads_to(path.split("/"), wanted)]
        if not found:
            loosely = [_place(name) for name in wanted]
            found = [p for p in self._paths if _leads_to([_place(name) for name in p.split("/")], loosely)]
        if len(found) == 1:
            return found[0]
        if found:
            return Mistake(
                _("“{name}”不止一个：{known}。").format(name=wanted[-1], known=series(found)),
                _("在“警务室”一列写明是哪一个，或者写全：{path}。").format(path=found[0]),
            )
        return self._none(wanted)

    def _none(self, wanted: Sequence[str]) -> Mistake:
        before, self._unknown = self._unknown, self._unknown + 1
        by_name = {path.rpartition("/")[2]: path for path in self._paths}
        places = {_place(name) for path in self._paths for name in path.split("/")}
        for name in wanted:
            if _place(name) not in places:
                mistake = words.undeclared("area", name, by_name, before=before)
                close = nearest(name, by_name, before=before)
                return (
                    Mistake(mistake.message, _("是不是想写“{close}”？").format(close=by_name[close]))
                    if close
                    else mistake
                )
        return Mistake(
            _("“{name}”不在“{above}”下面。").format(name=wanted[-1], above="/".join(wanted[:-1])),
            _("对照 mkdocs.yml 的 areas，改这一行的派出所、警务室或社区。"),
        )


def _place(name: str) -> str:
    """The name of a place without what kind of place it is."""
    return _KIND_OF_PLACE.sub("", name) or name


def _leads_to(path: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether ``wanted`` names the last of ``path``, and others above it in their order."""
    above = iter(path)
    return path[-1] == wanted[-1] and all(name in above for name in wanted)
