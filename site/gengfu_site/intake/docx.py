"""A Word file as Markdown: what it says, without how it looked.

mammoth (https://github.com/mwilliamson/python-mammoth) reads Office Open XML
(https://ecma-international.org/publications-and-standards/standards/ecma-376/) into paragraphs, runs and tables, which
are written here. It keeps what was inserted under "track changes", leaves out what was deleted, and shows no comment.
What a page cannot keep is counted and said. The file is a stranger's: an archive that grows without end, a document
type declaration (the standard forbids it) or a link to a file of this machine is refused before anything reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile, ZipInfo

from mammoth import docx
from mammoth.documents import (
    Break,
    Checkbox,
    Document,
    Hyperlink,
    Image,
    NoteReference,
    Paragraph,
    Run,
    Tab,
    Table,
    TableRow,
    Text,
)

from gengfu_site.intake.outline import Piece, escaped
from gengfu_site.photos import NotAPhoto, tidied
from gengfu_site.problems import Problem
from gengfu_site.source import shortened
from gengfu_templates.i18n import _, series

_MOST_UNPACKED = 256 << 20
_MOST_XML = 32 << 20
_MOST_PARTS = 2000
_MOST_COLUMNS = 63
"""As many as Word itself allows a table; a stranger's file may say of a cell that it is a thousand million wide."""
_SCHEMES = ("http://", "https://", "tel:", "mailto:", "sms:")


@dataclass(frozen=True, kw_only=True)
class WordFile:
    """What a Word file held."""

    pieces: tuple[Piece, ...]
    pictures: Mapping[str, bytes]
    """Fit to be published, by the name under which the pieces show them."""
    lost: tuple[str, ...]
    """A sentence for each kind of thing that was not kept, or should be looked at."""


def read_docx(data: bytes, name: str, stem: str) -> WordFile | Problem:
    """The Word file in ``data``.

    :param name: the file as the officer knows it, for the problem.
    :param stem: what its pictures' names begin with.
    """
    try:
        with ZipFile(BytesIO(data)) as archive:
            if reason := _refused(archive):
                return _problem(name, *reason)
            losses = tuple(_losses(archive))
        document = docx.read(BytesIO(data)).value
        writer = _Writer(document, stem)
        pieces = tuple(writer.pieces())
    except (MemoryError, RecursionError):
        return _problem(name, _("里面的结构太复杂。"), _("复制文字到一份新文档，另存后再导入。"))
    except Exception:  # a broken archive or document leads zipfile, expat and mammoth to raise anything
        return _problem(
            name,
            _("Word 文件已损坏或不完整，打不开。"),
            _("用 Word 或 WPS 打开，另存为 docx，再导入一次；还不行，把文字复制到记事本存成 txt 再导入。"),
        )
    return WordFile(pieces=pieces, pictures=writer.pictures, lost=(*losses, *writer.lost()))


def _problem(name: str, message: str, remedy: str) -> Problem:
    return Problem(path=name, message=message, remedy=remedy)


def _refused(archive: ZipFile) -> tuple[str, str] | None:
    """Why ``archive`` is not read, and what to do; by its list of contents, and by what XML must not say."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        return _("文件有密码。"), _("在 Word 里取消密码，另存后再导入。")
    if "[Content_Types].xml" not in names or not any(part.startswith("word/") for part in names):
        return (
            _("应是 Word 文档（docx），这是别的压缩包或表格、幻灯片。"),
            _("打开后把文字复制到 Word，另存为 docx；压缩包先解开。"),
        )
    too_big = (
        _("解开以后太大（超过 {most} MiB），不像是一篇文章。").format(most=_MOST_UNPACKED >> 20),
        _("压缩图片或拆成几份，再导入。"),
    )
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
        return too_big
    xml = [part for part in parts if _is_xml(archive, part)]
    if any(part.file_size > _MOST_XML for part in xml):
        return too_big
    if any(re.search(rb"<!(?:DOCTYPE|ENTITY)", _without_nul(archive.read(part))) for part in xml):
        return _("里面有 Word 文档不该有的声明，可能是伪造的。"), _("不要打开它；向发件人核实。")
    return None


def _is_xml(archive: ZipFile, part: ZipInfo) -> bool:
    """Whether it would be read as XML: any part may be named as the main one, whatever its own name ends in."""
    with archive.open(part) as opened:
        begin = _without_nul(opened.read(256))
    return begin.lstrip(b"\xef\xbb\xbf\xfe\xff \t\r\n")[:1] in (b"<", b"")


def _without_nul(data: bytes) -> bytes:
    """ASCII, also where it was written in UTF-16."""
    return data.replace(b"\0", b"")


def _losses(archive: ZipFile) -> Iterator[str]:
    """What mammoth leaves out or moves, as the document's own XML tells."""
    names = archive.namelist()
    main = next((part for part in names if re.fullmatch(r"word/document\d*\.xml", part)), None)
    xml = archive.read(main) if main else b""

    def count(*elements: bytes) -> int:
        return max(len(re.findall(rb"<" + element + rb"[ />]", xml)) for element in elements)

    if equations := count(b"m:oMath"):
        yield _("公式 {n} 个没有带过来，请截成图片放进去。").format(n=equations)
    if boxes := count(b"v:textbox", b"wps:txbx"):
        yield _("文本框 {n} 个：里面的字放在所在段落后面，请核对有没有少、顺序对不对。").format(n=boxes)
    if objects := count(b"c:chart", b"dgm:relIds") + count(b"o:OLEObject"):
        yield _("图表、嵌入的文件或绘图 {n} 个没有带过来，请截成图片放进去。").format(n=objects)
    if count(b"w:ins", b"w:del", b"w:moveTo"):
        yield _("原件有修订：插入的字留着，删除的字去掉了，请核对。")
    if comments := count(b"w:commentReference"):
        yield _("批注 {n} 条没有带过来。").format(n=comments)
    margins = [
        _words_in(archive.read(part)) for part in names if re.match(r"word/(?:header|footer)\d*\.xml", part)
    ]
    if said := [shortened(words) for words in dict.fromkeys(margins) if re.search(r"[^\W\d_]", words)]:
        yield _("页眉页脚没有带过来：{words}").format(words=series(f"“{words}”" for words in said))


def _words_in(xml: bytes) -> str:
    texts = re.findall(rb"<w:t(?: [^<>]*)?>([^<]*)</w:t>", xml)
    return " ".join(b"".join(texts).decode("utf-8", "replace").split())


class _Writer:
    """Writes one document; knows afterwards its pictures and what it could not write."""

    def __init__(self, document: Document, stem: str) -> None:
        self.pictures: dict[str, bytes] = {}
        self._document = document
        self._stem = stem
        self._notes: list[Any] = []
        self._broken_pictures: list[str] = []
        self._merged = 0
        self._links = 0

    def pieces(self) -> Iterator[Piece]:
        yield from self._blocks(self._document.children)
        for number, reference in enumerate(
            self._notes, 1
        ):  # a note may refer to another, which is then behind it
            note = self._document.notes.resolve(reference)
            words = " ".join(piece.text for piece in self._blocks(note.body))
            yield Piece(text=f"[^{number}]: {words}")

    def lost(self) -> Iterator[str]:
        if self._broken_pictures:
            reasons = series(dict.fromkeys(self._broken_pictures))
            yield _("图片 {n} 张没有带过来：{reasons}").format(n=len(self._broken_pictures), reasons=reasons)
        if self._merged:
            yield _("表格里合并的单元格 {n} 处拆开了，请核对表格。").format(n=self._merged)
        if self._links:
            yield _("链接 {n} 个指向文档内部或这台电脑，只留下了文字。").format(n=self._links)

    def _blocks(self, elements: Iterable[Any]) -> Iterator[Piece]:
        for element in elements:
            match element:
                case Paragraph():
                    yield from self._paragraph(element)
                case Table():
                    yield from self._table(element)
                case _:  # a picture or text that stands in no paragraph
                    if text := self._inline([element]).strip():
                        yield Piece(text=text)

    def _paragraph(self, paragraph: Paragraph) -> Iterator[Piece]:
        words = " ".join(_plain(paragraph).split())
        bold = bool(words) and all(run.is_bold for run in _runs(paragraph) if _plain(run).strip())
        text = self._inline(paragraph.children, bold=bold).strip().rstrip("\\ \t\n\u3000")
        if not text:
            return
        level = _style_level(paragraph.style_name)
        if level is not None or not words:
            text = " ".join(text.replace("\\\n", " ").split())
        yield Piece(
            text=text,
            words=words,
            level=level if words else None,
            bold=bold and level is None,
            item=_item(paragraph) if words else None,
        )

    def _inline(self, elements: Iterable[Any], *, bold: bool = False) -> str:
        """``elements`` as Markdown.

        :param bold: all of them are, so that none is marked.
        """
        return _merged(self._spans(elements, bold))

    def _spans(self, elements: Iterable[Any], bold: bool) -> Iterator[tuple[bool, str]]:
        """Whether it is bold, and the Markdown, of each stretch."""
        for element in elements:
            match element:
                case Run():
                    for _own, text in self._spans(element.children, bold):
                        yield element.is_bold and not bold, _marked(text, element)
                case Text():
                    yield False, escaped(element.value.replace("\n", " "))
                case Hyperlink():
                    yield False, self._link(element, bold)
                case Image():
                    yield False, self._picture(element)
                case NoteReference():
                    self._notes.append(element)
                    yield False, f"[^{len(self._notes)}]"
                case Break():
                    yield False, "\\\n" if element.break_type == "line" else ""
                case Tab():
                    yield False, " "
                case Checkbox():
                    yield False, "☑" if element.checked else "☐"
                case Paragraph() | Table():  # of a text box within a link
                    yield False, " ".join(piece.text for piece in self._blocks([element]))
                case _:
                    pass  # bookmarks, comments

    def _link(self, link: Hyperlink, bold: bool) -> str:
        words = self._inline(link.children, bold=bold)
        address = (link.href or "").strip()
        if not words.strip():
            return ""
        if not address.lower().startswith(_SCHEMES):
            self._links += 1
            return words
        address = re.sub(r"[\s<>()]", lambda m: f"%{ord(m[0]):02X}", address)
        return f"[{words}]({address})"

    def _picture(self, image: Image) -> str:
        try:
            with image.open() as opened:
                photo = tidied(opened.read())
        except NotAPhoto as error:
            self._broken_pictures.append(str(error))
            return ""
        except Exception:  # the part is missing, or outside the file
            self._broken_pictures.append(_("文档里没有这张图片。"))
            return ""
        name = f"{self._stem}-{len(self.pictures) + 1}{photo.suffix}"
        self.pictures[name] = photo.data
        said = " ".join((image.alt_text or "").split())
        # What Word writes by itself says nothing: 图片 3, IMG_2024.jpg, a path.
        alt = (
            ""
            if re.fullmatch(r"(?:图片|图像|picture|image)?\s*\d*|.*\.\w{3,4}|.*[\\/:].*", said, re.IGNORECASE)
            else said
        )
        return f"![{escaped(alt)}]({name})"

    def _table(self, table: Table) -> Iterator[Piece]:
        rows = [row for row in table.children if isinstance(row, TableRow)]
        if len(rows) == 1 and len(rows[0].children) == 1:  # a frame around text
            yield from self._blocks(rows[0].children[0].children)
            return
        grid: list[list[str]] = []
        below: dict[tuple[int, int], str] = {}
        for line, row in enumerate(rows):
            cells: list[str] = []
            for cell in row.children:
                while (line, len(cells)) in below:
                    cells.append(below[line, len(cells)])
                self._merged += cell.colspan > 1 or cell.rowspan > 1
                below |= {(line + down, len(cells)): "" for down in range(1, cell.rowspan)}
                cells += [self._cell(cell.children), *[""] * (min(cell.colspan, _MOST_COLUMNS) - 1)]
            grid.append(cells)
        grid = [cells for cells in grid if any(cells)]
        width = max(map(len, grid), default=0)
        if not width:
            return
        lines = ["| " + " | ".join(cells + [""] * (width - len(cells))) + " |" for cells in grid]
        lines.insert(1, "|" + " --- |" * width)
        yield Piece(text="\n".join(lines))

    def _cell(self, children: Iterable[Any]) -> str:
        """One line: a table's cell in Markdown holds no block."""
        blocks = (piece.text.replace("\\\n", "<br>").replace("\n", " ") for piece in self._blocks(children))
        return "<br>".join(blocks).replace("|", "\\|")


def _merged(spans: Iterable[tuple[bool, str]]) -> str:
    """The stretches as one text; bold ones side by side within one pair of marks, blanks outside."""
    joined: list[tuple[bool, str]] = []
    for bold, text in spans:
        if joined and (joined[-1][0] == bold or not text.strip()):
            joined[-1] = (joined[-1][0], joined[-1][1] + text)
        else:
            joined.append((bold, text))
    made = ""
    for bold, text in joined:
        inner = text.strip()
        if bold and inner and "\n" not in inner and not inner.startswith("!["):
            begin = text.index(inner)
            text = f"{text[:begin]}**{inner}**{text[begin + len(inner) :]}"
        made += text
    return made.replace("~~~~", "")  # two struck stretches side by side


def _marked(text: str, run: Run) -> str:
    """``text`` with what its place or a line through it means; bold is for :func:`_merged`."""
    tag = {"superscript": "sup", "subscript": "sub"}.get(run.vertical_alignment)
    if not text.strip() or text.startswith(("[^", "![")):
        return text
    if tag:
        return f"<{tag}>{text}</{tag}>"
    return f"~~{text}~~" if run.is_strikethrough else text


def _style_level(style: str | None) -> int | None:
    """The level that a style's name tells; Word writes it in English, some programs as the officer sees it."""
    name = (style or "").strip().lower()
    if name in ("title", "标题"):
        return 0
    found = re.fullmatch(r"(?:heading|标题)\s*([1-6])", name)
    return int(found[1]) if found else None


def _item(paragraph: Paragraph) -> tuple[int, bool] | None:
    """How deep in a list, and whether in a numbered one; Word's styles of deeper items are called List Bullet 2."""
    numbering = paragraph.numbering
    if not numbering:
        return None
    by_style = re.fullmatch(r"list (?:bullet|number) ([2-5])", (paragraph.style_name or "").lower())
    return (int(by_style[1]) - 1 if by_style else int(numbering.level_index)), numbering.is_ordered


def _runs(element: Any) -> Iterator[Run]:
    for child in getattr(element, "children", ()):
        if isinstance(child, Run):
            yield child
        else:
            yield from _runs(child)


def _plain(element: Any) -> str:
    match element:
        case Text():
            return str(element.value)
        case Tab() | Break():
            return " "
        case _:
            return "".join(_plain(child) for child in getattr(element, "children", ()))
