"""A spreadsheet file as rows of text: xlsx, xls and ods through calamine, csv by the standard library.

Only here is python-calamine imported (https://github.com/dimastbk/python-calamine). It lays a sheet out as one full
rectangle in memory, so that a single stray cell in the far corner would end the process: the corner of an xlsx is
looked up before it is opened.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gengfu_site.problems import GengfuError, Problem, ProblemsFound, reason
from gengfu_site.source import read_text
from gengfu_templates.i18n import _

MOST_BYTES = 32 << 20
MOST_UNPACKED = 512 << 20
MOST_CELLS = 4_000_000
"""In one sheet: 20,000 groups with 200 columns each."""

_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')


@dataclass(frozen=True, kw_only=True)
class Sheet:
    name: str
    """Empty for a csv file."""
    rows: Sequence[tuple[int, Sequence[str]]] = field(repr=False)
    """Those that are not empty, each with its line as the spreadsheet counts it, from 1."""


class _Unreadable(GengfuError):
    """Why this is no spreadsheet that can be read."""


def read_workbook(file: Path) -> list[Sheet]:
    """The visible sheets of ``file``.

    :raises ProblemsFound: it cannot be read.
    """
    try:
        if file.suffix.lower() == ".csv":
            return [_csv_sheet(file)]
        if file.suffix.lower() not in (".xlsx", ".xls", ".ods"):
            raise _Unreadable(_("只认 xlsx、xls、ods 和 csv 表格，这个不是"))
        return list(_sheets(_safe_bytes(file)))
    except OSError as error:
        why = reason(error)
    except _Unreadable as error:
        why = str(error)
    raise ProblemsFound(
        [
            Problem(
                path=file.name,
                message=_("表格读不出来（{reason}）。").format(reason=why),
                remedy=_("检查文件名和读取权限；还不行就用表格软件打开，另存为没有密码的 xlsx。"),
            )
        ]
    )


def _csv_sheet(file: Path) -> Sheet:
    text = read_text(file, file.parent, gbk=True, most=MOST_BYTES)
    if isinstance(text, Problem):
        raise ProblemsFound([text])
    # Some spreadsheets separate by what their country does not write in numbers, or by tabs.
    beginning = "".join(text.splitlines(keepends=True)[:10])
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=beginning.count))
    rows, line = [], 1
    try:
        for cells in reader:
            rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _Unreadable(_("第 {line} 行：{why}").format(line=line, why=error)) from error
    return Sheet(name="", rows=_filled((line, [_text(cell) for cell in cells]) for line, cells in rows))


def _safe_bytes(file: Path) -> bytes:
    """The file, unless it is one that opening would fill the memory with."""
    if (size := file.stat().st_size) > MOST_BYTES:
        raise _Unreadable(_("有 {size} MiB，最大 {most} MiB").format(size=size >> 20, most=MOST_BYTES >> 20))
    data = file.read_bytes()
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
                raise _Unreadable(_("解压后超过 {most} MiB").format(most=MOST_UNPACKED >> 20))
            for part in archive.namelist():
                if part.startswith("xl/worksheets/") and _rectangle(archive.read(part)) > MOST_CELLS:
                    raise _Unreadable(
                        _("角落里有零散的格子，把表格撑到了 {most} 格以上").format(most=MOST_CELLS)
                    )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise _Unreadable(str(error)) from error
    return data


def _rectangle(sheet: bytes) -> int:
    """How many cells lie between A1 and the far corner of a sheet's XML."""
    cells = {(letters, int(digits)) for letters, digits in _CELL.findall(sheet)}
    width = max((_column_number(letters) for letters in {letters for letters, _row in cells}), default=0)
    return width * max((row for _letters, row in cells), default=0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """How a spreadsheet names its ``number``-th column, from 1: A, …, Z, AA, …"""
    letters = ""
    while number:
        number, last = divmod(number - 1, 26)
        letters = chr(ord("A") + last) + letters
    return letters


def _sheets(data: bytes) -> Iterator[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
            for about in workbook.sheets_metadata:
                if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible:
                    yield Sheet(name=about.name, rows=_rows(workbook.get_sheet_by_name(about.name)))
    except (CalamineError, ValueError, OSError) as error:
        raise _Unreadable(_("不是表格，有密码，或者已损坏：{why}").format(why=error)) from error


def _rows(sheet: Any) -> Sequence[tuple[int, Sequence[str]]]:
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    # Down a column, one merged cell stands for all the rows it covers; across, it is a title.
    for (top, column), (bottom, _last) in sheet.merged_cell_ranges or ():
        for row in rows[top + 1 : bottom + 1]:
            if column < len(row):
                row[column] = rows[top][column]
    return _filled(enumerate(rows, start=1))


def _filled(rows: Any) -> Sequence[tuple[int, Sequence[str]]]:
    return [(line, cells) for line, cells in rows if any(cells)]


def _text(cell: Any) -> str:
    """A cell as it is seen: 186.0 is 186, a date is 2026-08-01, and no cell has more than one line."""
    match cell:
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime():
            return cell.date().isoformat()
        case date():
            return cell.isoformat()
        case _:
            return " ".join(str(cell).split())
