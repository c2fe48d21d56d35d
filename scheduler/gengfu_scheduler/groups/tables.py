"""Tables as the admin saves them: CSV from a spreadsheet (RFC 4180, in UTF-8 or GBK), or a YAML list."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gengfu_site.problems import Problem, nearest
from gengfu_site.source import Mistake, read_text, read_yaml, shortened
from gengfu_templates.i18n import _, series

MOST_BYTES = 32 << 20
"""A larger table is refused."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: its cells by column, as text."""

    line: int
    cells: Mapping[str, str] = field(repr=False)
    """One may be an address."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Of those cells that stand on a line of their own."""


def problem_at(path: str, line: int, field: str, mistake: Mistake) -> Problem:
    return Problem(path=path, line=line, field=field, message=mistake.message, remedy=mistake.remedy)


def read_csv(
    folder: Path, name: str, columns: Collection[str], *, required: Collection[str]
) -> tuple[list[Row], list[Problem]]:
    text = read_text(folder / name, folder, gbk=True, most=MOST_BYTES)
    if isinstance(text, Problem):
        return [], [text]
    reader = csv.reader(io.StringIO(text))
    header = [column.strip().lower() for column in next(reader, [])]
    problems = list(_wrong_header(name, header, columns, required))
    if problems:
        return [], problems
    rows: list[Row] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return rows, problems
        except csv.Error as error:
            return rows, [
                *problems,
                Problem(
                    path=name,
                    line=line,
                    message=_("这一行不是正确的表格行（{why}）。").format(why=error),
                    remedy=_("用表格软件打开，检查这一行，再另存为 CSV。"),
                ),
            ]
        if len(cells) > len(header) and any(cells[len(header) :]):
            problems.append(
                Problem(
                    path=name,
                    line=line,
                    message=_("这一行有 {found} 格，表头只有 {expected} 格。").format(
                        found=len(cells), expected=len(header)
                    ),
                    remedy=_("内容里有逗号时，用英文双引号把那一格括起来；多个值用“;”隔开。"),
                )
            )
        elif any(cells):
            rows.append(Row(line=line, cells=dict(zip(header, cells, strict=False))))


_NO_COMMA = re.compile(r"\s*[;；，、\t]\s*")
"""What some spreadsheets and people put between columns."""


def _wrong_header(
    path: str, header: Sequence[str], columns: Collection[str], required: Collection[str]
) -> Iterator[Problem]:
    if len(header) == 1 and len(set(columns).intersection(_NO_COMMA.split(header[0]))) > 1:
        yield Problem(
            path=path,
            message=_("列和列之间应是英文逗号，见到的是别的符号。"),
            remedy=_("在表格软件里另存为“CSV（逗号分隔）”，或者把隔开各列的符号都换成英文逗号。"),
        )
        return
    unknown = [column for column in header if column not in columns]
    for before, column in enumerate(unknown):
        close = nearest(column, columns, before=before)
        yield Problem(
            path=path,
            field=shortened(column) if "://" not in column else "",
            message=_("表头里有不认识的列，或者没有表头。"),
            remedy=_("是不是想写“{close}”？").format(close=close)
            if close
            else _("第一行写列名，只能是：{known}。").format(known=series(columns)),
        )
    for column in required:
        if column not in header:
            yield Problem(
                path=path,
                field=column,
                message=_("表头里没有“{column}”这一列。").format(column=column),
                remedy=_("第一行写列名，至少要有：{required}。").format(required=series(required)),
            )
    if len(set(header)) < len(header):
        yield Problem(path=path, message=_("表头里有重复的列。"), remedy=_("每一列只留一个。"))


def read_yaml_table(folder: Path, name: str, columns: Collection[str]) -> tuple[list[Row], list[Problem]]:
    text = read_text(folder / name, folder, most=MOST_BYTES)
    if isinstance(text, Problem):
        return [], [text]
    document, problems = read_yaml(text, name)
    listed = document.value.get("groups")
    if not problems and not isinstance(listed, list):
        problems.append(
            document.problem(
                message=_("这里应是一个群的列表。"), remedy=_("先写一行“groups:”，下面每个群以“- ”开头。")
            )
        )
    rows: list[Row] = []
    for index, entry in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(entry, dict):
            problems.append(
                document.problem(
                    "groups", index, message=_("这里应是一个群。"), remedy=_("写成一组“字段: 值”。")
                )
            )
            continue
        for column in entry.keys() - set(columns):
            close = nearest(column, columns, before=len(problems))
            problems.append(
                document.problem(
                    "groups",
                    index,
                    column,
                    message=_("没有“{column}”这个字段。").format(column=shortened(column)),
                    remedy=_("是不是想写“{close}”？").format(close=close) if close else _("删掉这一行。"),
                )
            )
        cells = {column: _cell(value) for column, value in entry.items()}
        lines = {column: document.line("groups", index, column) for column in entry}
        rows.append(Row(line=document.line("groups", index), cells=cells, lines=lines))
    return rows, problems


def _cell(value: Any) -> str:
    """A YAML value as a spreadsheet's cell would hold it."""
    match value:
        case None:
            return ""
        case list():
            return ";".join(map(_cell, value))
        case _:
            return str(value).strip()
