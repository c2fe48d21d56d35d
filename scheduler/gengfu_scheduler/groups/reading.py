"""From the tables' cells to :class:`Group`, and everything that is wrong with them, each cell by its column."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast, get_args
from zoneinfo import ZoneInfo

from gengfu_scheduler import words
from gengfu_scheduler.groups.credentials import (
    WEBHOOKS,
    Address,
    is_any_address,
    is_web_address,
    no_address,
    read_webhooks,
)
from gengfu_scheduler.groups.persons import personal
from gengfu_scheduler.groups.tables import Row, problem_at, read_csv, read_yaml_table
from gengfu_scheduler.message import Group, Reach
from gengfu_site.catalogue import Station
from gengfu_site.problems import Problem, nearest
from gengfu_site.source import Mistake, shortened
from gengfu_templates.i18n import _, series

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
REQUIRED = ("id", "name", "reach")
CONFIRMING = ("wecom",)
"""Platforms that ask a group's owner, who confirms there."""
_ANY_SCHEME = ("apprise",)
"""Platforms whose addresses are no web addresses."""
_LISTS = ("audience", "topics")
SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""``joined`` of a group whose line gives no date."""

_ID = re.compile(r"\w[\w.-]{0,63}")
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_CHAT = re.compile(r"[0-9A-Za-z_-]{1,64}")
_ACCOUNT = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.@-]{0,63}")
_NEEDS: Mapping[Reach, tuple[str, ...]] = {
    "webhook": ("platform",),
    "confirm": ("platform", "chat", "account", "owner"),
    "hand": ("owner",),
}
_EXCLUDES: Mapping[Reach, tuple[str, ...]] = {
    "webhook": (),
    "confirm": ("webhook",),
    "hand": ("platform", "chat", "account"),
}
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
    table = Table(name, station, environ, platforms, addresses)
    groups = tuple(table.read(rows))
    problems += table.problems
    if not found:
        known = {row.cells.get("id", "") for row in rows}
        unknown = [(id, line) for id, (line, _address) in addresses.items() if id not in known]
        problems += [
            problem_at(WEBHOOKS, line, "id", words.undeclared("group", id, known, before=before))
            for before, (id, line) in enumerate(unknown)
        ]
    return groups, tuple(problems)


class Table:
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
        self._undeclared = 0
        self._known = {**words.vocabulary(station), "platform": platforms}
        zone = ZoneInfo(station.timezone)
        self._readers: dict[str, Callable[[str], Any]] = {
            "reach": _reach,
            "chat": _chat,
            "account": _account,
            "platform": lambda cell: self._declared("platform", cell),
            "area": lambda cell: self._declared("area", cell),
            "audience": lambda cell: self._declared("audience", cell),
            "topics": lambda cell: self._declared("topic", cell),
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
            id, group = row.cells.get("id", ""), self._group(row)
            first = first_lines.setdefault(id, row.line)
            if first != row.line and id:
                self._wrong(row, "id", _used_id(id, first))
            for column in ("webhook", "chat") if group is not None else ():
                if (where := getattr(group, column)) and first_with.setdefault(where, id) != id:
                    self._wrong(row, column, _same_chat(first_with[where], id))
            if group is not None and len(self.problems) == before:
                yield group

    def problems_in(self, rows: Iterable[Row]) -> list[Problem]:
        """What is wrong with ``rows``, whose groups are of no interest."""
        for _group in self.read(rows):
            pass
        return self.problems

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
        value = {column: self._value(row, column) for column in self._readers}
        if not cell("reach"):
            self._wrong(row, "reach", _bad_reach(""))
        reach: Reach | None = value["reach"]
        webhook, secret = self._address(row)
        if reach is None:
            return None
        # An address counts wherever it is written.
        for column, mistake in _contradictions(
            reach, {**row.cells, "webhook": webhook or cell("webhook", "")}
        ):
            self._wrong(row, column, mistake)
        return Group(
            id=id,
            name=name,
            reach=reach,
            platform=value["platform"] or "",
            webhook=webhook if reach == "webhook" else None,
            secret=secret if reach == "webhook" else None,
            keyword=cell("keyword", ""),
            chat=value["chat"] or "",
            account=value["account"] or "",
            area=value["area"],
            audience=value["audience"] or (),
            topics=value["topics"] or (),
            owner=cell("owner", ""),
            size=value["size"],
            joined=value["joined"] or SINCE_EVER,
            quiet_hours=value["quiet_hours"],
        )

    def _address(self, row: Row) -> tuple[str | None, str | None]:
        """The webhook and the secret, from the environment or else from the private file."""
        webhook, secret = self._credential(row, "webhook"), self._credential(row, "secret")
        address = self._addresses.get(row.cells.get("id", ""))
        if address is not None and webhook is None:
            webhook, secret = address[1].webhook, secret or address[1].secret
        is_right = is_any_address if row.cells.get("platform") in _ANY_SCHEME else is_web_address
        if webhook is not None and not is_right(webhook):
            self._wrong(row, "webhook", no_address())
        return webhook, secret

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

    def _declared(self, what: str, word: str) -> str:
        known = self._known[what]
        if word not in known:
            self._undeclared += 1
            raise words.undeclared(what, word, known, before=self._undeclared - 1)
        return word

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


def _chat(text: str) -> str:
    if _CHAT.fullmatch(text):
        return text
    raise Mistake(
        _("群在平台上的编号应由字母、数字、“-”、“_”组成，见到的是“{found}”。").format(found=shortened(text)),
        _("从企业微信的管理后台或接口里复制，写成 wrOgQhDgAAcwMTB7YmDkbeBsgT 这样。"),
    )


def _account(text: str) -> str:
    """See userid on https://developer.work.weixin.qq.com/document/path/90195."""
    if personal(text) is None and _ACCOUNT.fullmatch(text):
        return text
    raise Mistake(
        _("群主账号应是单位通讯录里的账号，这里的不是（不在此显示）。"),
        _("写企业微信通讯录里的“账号”（userid），不要写手机号。"),
    )


def _bad_reach(text: str) -> Mistake:
    close = nearest(text, get_args(Reach))
    return Mistake(
        _("reach 应是 {known} 之一，见到的是“{found}”。").format(
            known=series(get_args(Reach)), found=shortened(text)
        ),
        _("是不是想写“{close}”？").format(close=close) if close else _which_reach(),
    )


def _bad_id(id: str) -> Mistake:
    return Mistake(
        _("群的编号应由字母、数字、“-”、“_”组成，见到的是“{found}”。").format(found=shortened(id)),
        _("写成 taoyuan-1 这样，定了就不要改：发送记录靠它。"),
    )


def _used_id(id: str, line: int) -> Mistake:
    return Mistake(
        _("编号“{id}”在第 {line} 行已经用过。").format(id=shortened(id), line=line),
        _("每个群一个编号，换一个没用过的。"),
    )


def _contradictions(reach: Reach, cells: Mapping[str, str]) -> Iterator[tuple[str, Mistake]]:
    """Each column that does not go with how the group is reached, and why."""
    for column in _NEEDS[reach]:
        if not cells.get(column):
            message = _("{reach}的群要填{column}。").format(
                reach=_reach_word(reach), column=_column_word(column)
            )
            yield column, Mistake(message, _example(column))
    for column in _EXCLUDES[reach]:
        if cells.get(column):
            message = _("{reach}的群不填{column}。").format(
                reach=_reach_word(reach), column=_column_word(column)
            )
            yield column, Mistake(message, _which_reach())
    if reach == "confirm" and (platform := cells.get("platform")) and platform not in CONFIRMING:
        message = _("{reach}的群，平台只能是 {known}，见到的是“{found}”。").format(
            reach=_reach_word(reach), known=series(CONFIRMING), found=shortened(platform)
        )
        yield "platform", Mistake(message, _("企业微信客户群写 wecom；别的平台没有机器人的群，手工转发。"))


def _reach_word(reach: Reach) -> str:
    return {
        "webhook": _("机器人发送（webhook）"),
        "confirm": _("群主确认（confirm）"),
        "hand": _("手工转发（hand）"),
    }[reach]


def _column_word(column: str) -> str:
    return {
        "platform": _("平台（platform）"),
        "webhook": _("机器人地址（webhook）"),
        "chat": _("平台上的群编号（chat）"),
        "account": _("群主账号（account）"),
        "owner": _("群主（owner）"),
    }[column]


def _example(column: str) -> str:
    return {
        "platform": _("写 wecom、dingtalk 这样的平台名。"),
        "chat": _("写企业微信客户群的 chat_id。"),
        "account": _("写群主在企业微信通讯录里的账号。"),
        "owner": _("写明由谁负责，例如“李警官”。"),
    }[column]


def _which_reach() -> str:
    return _("有群机器人的写 webhook，由群主在平台上确认的写 confirm，由人手工转发的写 hand。")


def _leak() -> Mistake:
    return Mistake(
        _("群清单里出现了机器人地址或密钥（不在此显示）。"),
        _("从这里删掉，写进 webhooks.csv，或写成 env:变量名；如果已经外传，请到群里重置机器人。"),
    )


def _same_chat(first: str, second: str) -> Mistake:
    return Mistake(
        _("“{first}”和“{second}”是同一个群（机器人地址或平台编号相同）：它会收到两遍。").format(
            first=first, second=second
        ),
        _("同一个群只登记一次；不同的群用各自的机器人地址和平台编号。"),
    )


def _read_rows(folder: Path) -> tuple[str, list[Row], list[Problem]]:
    """The groups' file name and its rows, from whichever of the two files there is."""
    if not (folder / YAML).exists():
        rows, problems = read_csv(folder, CSV, COLUMNS, required=REQUIRED)
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
