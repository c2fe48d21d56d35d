"""From the tables' cells to :class:`Group`, and everything that is wrong with them, each cell by its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

from gengfu_scheduler import words
from gengfu_scheduler.groups.credentials import WEBHOOKS, Address, is_web_address, no_address, read_webhooks
from gengfu_scheduler.groups.tables import Row, problem_at, read_csv, read_yaml_table
from gengfu_scheduler.message import Group, Reach
from gengfu_site.catalogue import Station
from gengfu_site.problems import Problem, nearest
from gengfu_site.source import Mistake, shortened
from gengfu_templates.i18n import _

CSV, YAML = "groups.csv", "groups.yml"
COLUMNS = (
    "id",
    "name",
    "reach",
    "platform",
    "webhook",
    "secret",
    "keyword",
    "chat",
    "account",
    "area",
    "audience",
    "topics",
    "owner",
    "size",
    "joined",
    "quiet_hours",
)
_LISTS = ("audience", "topics")
SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""``joined`` of a group whose line gives no date."""

_ID = re.compile(r"\w[\w.-]{0,63}")
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


def group_files(folder: Path) -> tuple[Path, ...]:
    """The files that :func:`read_groups` may read."""
    return tuple(folder / name for name in (CSV, YAML, WEBHOOKS))


def read_groups(
    folder: Path, station: Station, environ: Mapping[str, str], platforms: Collection[str]
) -> tuple[tuple[Group, ...], tuple[Problem, ...]]:
    """The groups of the station in ``folder``, and everything that is wrong with their files.

    A group with a problem is left out, so that the others can still be looked at.

    :param station: declares the areas, audiences and topics that groups may name.
    :param environ: where ``env:NAME`` is looked up.
    :param platforms: the names of the channels that a webhook group may have.
    """
    addresses, problems = read_webhooks(folder)
    name, rows, found = _read_rows(folder)
    problems += found
    table = _Table(name, station, environ, platforms, addresses)
    groups = tuple(table.read(rows))
    problems += table.problems
    if not found:
        known = {row.cells.get("id", "") for row in rows}
        problems += [
            problem_at(WEBHOOKS, line, "id", words.undeclared("group", id, known))
            for id, (line, _address) in addresses.items()
            if id not in known
        ]
    return groups, tuple(problems)


class _Table:
    """Turns rows into groups; what is wrong gathers in ``problems``.

    Cells repeat themselves down a spreadsheet, so each distinct one is judged once.
    """

    def __init__(
        self,
        path: str,
        station: Station,
        environ: Mapping[str, str],
        platforms: Collection[str],
        addresses: Mapping[str, tuple[int, Address]],
    ) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._environ = environ
        self._addresses = addresses
        known = {**words.vocabulary(station), "platform": platforms}
        zone = ZoneInfo(station.timezone)
        self._readers: dict[str, Callable[[str], Any]] = {
            "reach": _reach,
            "platform": lambda cell: _declared("platform", cell, known),
            "area": lambda cell: _declared("area", cell, known),
            "audience": lambda cell: _declared("audience", cell, known),
            "topics": lambda cell: _declared("topic", cell, known),
            "size": _size,
            "joined": lambda cell: _day(cell, zone),
            "quiet_hours": words.quiet_hours,
        }
        self._judged: dict[str, dict[str, tuple[Any, list[Mistake]]]] = {c: {} for c in self._readers}

    def read(self, rows: Iterable[Row]) -> Iterator[Group]:
        first_lines: dict[str, int] = {}
        first_with: dict[str, str] = {}
        for row in rows:
            before = len(self.problems)
            group = self._group(row)
            first = first_lines.setdefault(row.cells.get("id", ""), row.line)
            if first != row.line and row.cells.get("id"):
                self._wrong(
                    row,
                    "id",
                    Mistake(
                        _("编号“{id}”在第 {line} 行已经用过。").format(
                            id=shortened(row.cells["id"]), line=first
                        ),
                        _("每个群一个编号，换一个没用过的。"),
                    ),
                )
            if group is not None and group.webhook:
                other = first_with.setdefault(group.webhook, group.id)
                if other != group.id:
                    self._wrong(row, "webhook", _same_address(other, group.id))
            if group is not None and len(self.problems) == before:
                yield group

    def _group(self, row: Row) -> Group | None:
        cell = row.cells.get
        if "://" in "\n".join(row.cells.values()):
            for column, text in row.cells.items():
                if "://" in text:
                    self._wrong(row, column, _leak())
            return None
        id, name = cell("id", ""), cell("name", "")
        if not _ID.fullmatch(id):
            self._wrong(row, "id", _bad_id(id))
        if not name:
            self._wrong(row, "name", Mistake(_("群没有名称。"), _("填上群的名称。")))
        reach = self._value(row, "reach")
        platform, owner = self._value(row, "platform") or "", cell("owner", "")
        if not cell("reach"):
            self._wrong(row, "reach", _bad_reach(""))
        elif mistake := _contradiction(reach, cell("platform", ""), owner):
            self._wrong(row, *mistake)
        webhook = self._credential(row, "webhook")
        if webhook is not None and not is_web_address(webhook):
            self._wrong(row, "webhook", no_address())
        secret = self._credential(row, "secret")
        address = self._addresses.get(id)
        if address is not None and webhook is None:
            webhook, secret = address[1].webhook, secret or address[1].secret
        group_area, quiet = self._value(row, "area"), self._value(row, "quiet_hours")
        audience, topics = self._value(row, "audience") or (), self._value(row, "topics") or ()
        size, joined = self._value(row, "size"), self._value(row, "joined")
        if reach is None:
            return None
        return Group(
            id=id,
            name=name,
            reach=reach,
            platform=platform,
            webhook=webhook if reach == "webhook" else None,
            secret=secret if reach == "webhook" else None,
            area=group_area,
            audience=audience,
            topics=topics,
            owner=owner,
            size=size,
            joined=joined or SINCE_EVER,
            quiet_hours=quiet,
        )

    def _value(self, row: Row, column: str) -> Any:
        """What the row's cell stands for; None where it is empty or wrong."""
        text = row.cells.get(column)
        if not text:
            return None
        judged = self._judged[column]
        if text not in judged:
            judged[text] = self._judge(column, text)
        value, mistakes = judged[text]
        for mistake in mistakes:
            self._wrong(row, column, mistake)
        return value

    def _judge(self, column: str, text: str) -> tuple[Any, list[Mistake]]:
        read = self._readers[column]
        mistakes = []
        values = []
        for word in words.listed(text) if column in _LISTS else (text,):
            try:
                values.append(read(word))
            except Mistake as mistake:
                mistakes.append(mistake)
        if mistakes:
            return None, mistakes
        return (tuple(values) if column in _LISTS else values[0]), []

    def _credential(self, row: Row, column: str) -> str | None:
        """What ``env:NAME`` stands for; None where the cell is empty or the variable is not set."""
        text = row.cells.get(column, "")
        if not text:
            return None
        if found := _VARIABLE.fullmatch(text):
            return self._environ.get(found[1]) or None
        self._wrong(row, column, _leak())
        return None

    def _wrong(self, row: Row, column: str, mistake: Mistake) -> None:
        self.problems.append(problem_at(self._path, row.lines.get(column, row.line), column, mistake))


# --- cells ----------------------------------------------------------------------------------------


def _declared(what: str, word: str, known: Mapping[str, Collection[str]]) -> str:
    if word not in known[what]:
        raise words.undeclared(what, word, known[what])
    return word


def _reach(text: str) -> Reach:
    if text in get_args(Reach):
        return cast(Reach, text)
    raise _bad_reach(text)


def _size(text: str) -> int:
    if text.isdecimal() and len(text) <= 6:
        return int(text)
    raise Mistake(
        _("人数应是整数，见到的是“{found}”。").format(found=shortened(text)), _("写成 186 这样，或者空着。")
    )


def _day(text: str, zone: ZoneInfo) -> datetime:
    if found := _DATE.fullmatch(text):
        try:
            return datetime(*map(int, found.groups()), tzinfo=zone)  # type: ignore[arg-type, misc]
        except ValueError:
            pass
    raise Mistake(
        _("joined 应是日期，见到的是“{found}”。").format(found=shortened(text)),
        _("写成 2026-08-01 这样，或者空着。"),
    )


def _bad_reach(text: str) -> Mistake:
    close = nearest(text, get_args(Reach))
    return Mistake(
        _("reach 应是 webhook 或 hand，见到的是“{found}”。").format(found=shortened(text)),
        _("是不是想写“{close}”？").format(close=close)
        if close
        else _("有群机器人的写 webhook，由群主手工转发的写 hand。"),
    )


def _bad_id(id: str) -> Mistake:
    return Mistake(
        _("群的编号应由字母、数字、“-”、“_”组成，见到的是“{found}”。").format(found=shortened(id)),
        _("写成 taoyuan-1 这样，定了就不要改：发送记录靠它。"),
    )


def _contradiction(reach: Reach | None, platform: str, owner: str) -> tuple[str, Mistake] | None:
    """The column and what is wrong, where reach, platform and owner do not go together."""
    if reach == "webhook" and not platform:
        return "platform", Mistake(
            _("有群机器人的群要写明平台。"), _("在 platform 列写 wecom 这样的平台名。")
        )
    if reach == "hand" and platform:
        return "platform", Mistake(
            _("手工转发的群不写平台。"), _("清空 platform；群里有机器人的，把 reach 改成 webhook。")
        )
    if reach == "hand" and not owner:
        return "owner", Mistake(
            _("手工转发的群要有负责转发的人。"), _("在 owner 列写明由谁转发，例如“李警官”。")
        )
    return None


def _leak() -> Mistake:
    return Mistake(
        _("群清单里出现了机器人地址或密钥（不在此显示）。"),
        _("从这里删掉，写进 webhooks.csv，或写成 env:变量名；如果已经外传，请到群里重置机器人。"),
    )


def _same_address(first: str, second: str) -> Mistake:
    return Mistake(
        _("“{first}”和“{second}”用的是同一个机器人地址：这个群会收到两遍。").format(
            first=first, second=second
        ),
        _("每个群用自己的机器人地址；同一个群只登记一次。"),
    )


def _read_rows(folder: Path) -> tuple[str, list[Row], list[Problem]]:
    """The groups' file name and its rows, from whichever of the two files there is."""
    if not (folder / YAML).exists():
        rows, problems = read_csv(folder, CSV, COLUMNS, required=("id", "name", "reach"))
        return CSV, rows, problems
    if (folder / CSV).exists():
        both = Problem(
            path=YAML,
            message=_("groups.csv 和 groups.yml 同时存在。"),
            remedy=_("只留一个：群多用 groups.csv，群少用 groups.yml。"),
        )
        return YAML, [], [both]
    rows, problems = read_yaml_table(folder, YAML, COLUMNS)
    return YAML, rows, problems
