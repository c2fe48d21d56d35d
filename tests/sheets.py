"""Spreadsheets to import, written without the program that reads them."""

from __future__ import annotations

import base64
import gzip
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Cell = str | int | float
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def write_xlsx(
    file: Path, sheets: Mapping[str, Sequence[Sequence[Cell]]], merged: Sequence[str] = ()
) -> Path:
    """A workbook in the least that ECMA-376 asks for; ``merged`` cells (``B3:B5``) are the first sheet's."""
    numbers = range(1, len(sheets) + 1)
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>'
            for n, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        + "</Relationships>",
    }
    for n, rows in zip(numbers, sheets.values(), strict=True):
        merges = "".join(f'<mergeCell ref="{place}"/>' for place in merged) if n == 1 else ""
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>'
            + "".join(
                f'<row r="{r}">' + "".join(_cell(r, c, cell) for c, cell in enumerate(row)) + "</row>"
                for r, row in enumerate(rows, start=1)
            )
            + "</sheetData>"
            + (f"<mergeCells>{merges}</mergeCells>" if merges else "")
            + "</worksheet>"
        )
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file


def write_ods(file: Path, rows: Sequence[Sequence[str]]) -> Path:
    """A text-only OpenDocument spreadsheet of one sheet."""
    table = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = "".join(
        f' xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text")
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content{names}><office:body><office:spreadsheet>"
            f'<table:table table:name="群">{table}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return file


def _cell(row: int, column: int, value: Cell) -> str:
    at = f"{chr(ord('A') + column)}{row}"
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t>{escape(value)}</t></is></c>' if value else ""
    return f'<c r="{at}"><v>{value}</v></c>'


def write_xls(file: Path) -> Path:
    """Two groups under a title and over a sum, in BIFF8, as another program wrote it."""
    file.write_bytes(gzip.decompress(base64.b64decode(_XLS)))
    return file


_XLS = """
H4sIAAAAAAACA+1YS0hUURj+zr13nEejjqaBBiJCVuYm20Si04Ny1WAa9oQcc7JQVCZb6MKxzJUIQYsetBFmUwurTW+idi0CpRZB
EGgtQzIoaKFz+/9/zjWtWThQUnG/4f7n/K/vnjPncc+9U5MF0+N3S2fwE+phImX7kbPEpujyO0oI5Ldtrjqljy7bxT8Fv48GMseD
x7kvvTyGPN4zMHDHek4SeE/XcfQi0tMdK19F7JY2RBW3oY6kwg2y5KFEWlUo8qTItSJvS+QTkTvFMiayjmKn1VFMhiNV2/UsPmxU
iC8PzHtfct6KZSuK8YJnceKSSsd6sCt+Jtr1dzrKrCCSoHFriHXH4tGuaRTRACbx1S4Hvjgr9Vm5a19duwLZvy23ezPYLxsWMAS7
VSb4CALIt2SAVTIxj24EqR6URamargx2fBpLJuaaK8dMkD/34Fw/ZdX372g2WK+NUPEo0hujouZcMkHFntOzLRQb6Tg1evUY6Uci
yYQFNdgx28Jp5Bo9q121reOjAd7eZTsILdsOcmWZBEm2I1/qBbJYQrThz9/8/Gp/W2P4hFiG5BGQflBs4L7BxnnOoOQ88XhEsqdK
MraIvCCs66VeKrKIIqmsbCzWlX3DEnNRvJV0n22C1+GNS+qbqD7y8cCDspEP4c1Un2iYGSiaeBMeRwU9uNopn3/DqFbV6vo1xsOw
Uyq9qbwTWfLLBuMzQrpvtn4a5mMBAakWiOQIJb1bHqEkgmVac/6/tGaQZi5qJmmW5jIycBnC5dHx6bHIWdSYi4dt0GCNuWo0l5mB
yxQun842hcu/qDFXQHOZwjWguawMXJZwrSH5VDTm4l5ytiXZt/hQYRTiHneBtugfCMCFCxcuXLhw4cLFqoGPpXwiM/Wx3KMP/V79
XWeBrpT7meS/RRN66NdHL6Z76YWzD3H0ZzV/1sGjHC61whzneyHjEN09jk60STs6s56/9NKmlvZnxYmh37eEsr1/Kpt2/uH7fweO
QKbHABYAAA==
"""
