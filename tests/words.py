"""Word files made by hand, part by part, so that each test says what is in its file.

``word(paragraph("一、怎么办", bold=True), table(["甲", "乙"]), ...)`` is a .docx; the parts follow ECMA-376
(https://ecma-international.org/publications-and-standards/standards/ecma-376/).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from PIL import Image

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SPACES = (
    f'xmlns:w="{_W}" xmlns:r="{_R}" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:v="urn:schemas-microsoft-com:vml"'
    ' xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)
_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>
<Default Extension="jpg" ContentType="image/jpeg"/><Default Extension="wmf" ContentType="image/x-wmf"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
_STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="{id_}"><w:name w:val="{name}"/></w:style>'
    for id_, name in {"T": "Title", "H1": "heading 1", "H2": "heading 2", "H3": "heading 3"}.items()
)
_NUMBERING = "".join(
    f'<w:abstractNum w:abstractNumId="{id_}">'
    + "".join(f'<w:lvl w:ilvl="{level}"><w:numFmt w:val="{form}"/></w:lvl>' for level in range(3))
    + f'</w:abstractNum><w:num w:numId="{id_}"><w:abstractNumId w:val="{id_}"/></w:num>'
    for id_, form in {1: "bullet", 2: "decimal"}.items()
)
BULLET, NUMBER = 1, 2


def run(text: str, *, bold: bool = False, properties: str = "") -> str:
    """A stretch of text; ``properties`` is XML within ``w:rPr``."""
    properties += "<w:b/>" * bold
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(
    *inside: str,
    style: str = "",
    bold: bool = False,
    centred: bool = False,
    numbered: tuple[int, int] | None = None,
) -> str:
    """Text, or XML of runs and of what stands among them.

    :param numbered: :data:`BULLET` or :data:`NUMBER`, and the level from 0.
    """
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    if numbered:
        properties += f'<w:numPr><w:ilvl w:val="{numbered[1]}"/><w:numId w:val="{numbered[0]}"/></w:numPr>'
    properties += '<w:jc w:val="center"/>' if centred else ""
    runs = "".join(part if part.startswith(("<w:", "<m")) else run(part, bold=bold) for part in inside)
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def table(*rows: Sequence[str], first_spans: int = 1) -> str:
    def cell(text: str, index: int, row: int) -> str:
        span = f'<w:tcPr><w:gridSpan w:val="{first_spans}"/></w:tcPr>' if index == row == 0 else ""
        return f"<w:tc>{span}{paragraph(text)}</w:tc>"

    lines = "".join(
        "<w:tr>" + "".join(cell(text, index, row) for index, text in enumerate(cells)) + "</w:tr>"
        for row, cells in enumerate(rows)
    )
    return f"<w:tbl>{lines}</w:tbl>"


def inserted(text: str) -> str:
    return f'<w:ins w:id="9" w:author="甲">{run(text)}</w:ins>'


def deleted(text: str) -> str:
    return f'<w:del w:id="8" w:author="甲"><w:r><w:delText>{text}</w:delText></w:r></w:del>'


def link(text: str, relation: str = "link") -> str:
    return f'<w:hyperlink r:id="{relation}">{run(text)}</w:hyperlink>'


def footnote(id_: int = 2) -> str:
    return f'<w:r><w:footnoteReference w:id="{id_}"/></w:r>'


def comment() -> str:
    return '<w:r><w:commentReference w:id="1"/></w:r>'


def equation(text: str = "a+b") -> str:
    return f"<m:oMath><m:r><m:t>{text}</m:t></m:r></m:oMath>"


def text_box(text: str) -> str:
    return f"<w:r><w:pict><v:rect><v:textbox><w:txbxContent>{paragraph(text)}</w:txbxContent></v:textbox></v:rect></w:pict></w:r>"


def picture(name: str = "image1.png", said: str = "") -> str:
    """A drawing of ``word/media/NAME``."""
    return (
        f'<w:r><w:drawing><wp:inline><wp:docPr id="1" name="p" descr="{escape(said)}"/><a:graphic><a:graphicData><pic:pic>'
        f'<pic:blipFill><a:blip r:embed="{name}"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline>'
        "</w:drawing></w:r>"
    )


def word(
    *body: str,
    media: Mapping[str, bytes] | None = None,
    notes: Sequence[str] = (),
    header: str = "",
    link_to: str = "https://gov.example/",
    **parts: str | bytes,
) -> bytes:
    """A .docx of these paragraphs and tables.

    :param media: pictures by name, as :func:`picture` names them.
    :param notes: footnotes, the first of which is number 2.
    :param parts: further files by path, ``/`` as ``__``.
    """
    media = media or {}
    relations = {
        "styles": ("styles", "styles.xml"),
        "numbering": ("numbering", "numbering.xml"),
        "footnotes": ("footnotes", "footnotes.xml"),
        "comments": ("comments", "comments.xml"),
        "header": ("header", "header1.xml"),
        **{name: ("image", f"media/{name}") for name in media},
    }
    listed = "".join(
        f'<Relationship Id="{id_}" Type="{_R}/{kind}" Target="{target}"/>'
        for id_, (kind, target) in relations.items()
    )
    listed += (
        f'<Relationship Id="link" Type="{_R}/hyperlink" Target="{escape(link_to)}" TargetMode="External"/>'
    )
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _relations(
            f'<Relationship Id="d" Type="{_R}/officeDocument" Target="word/document.xml"/>'
        ),
        "word/document.xml": _part("document", f"<w:body>{''.join(body)}<w:sectPr/></w:body>"),
        "word/_rels/document.xml.rels": _relations(listed),
        "word/styles.xml": _part("styles", _STYLES),
        "word/numbering.xml": _part("numbering", _NUMBERING),
        "word/footnotes.xml": _part(
            "footnotes",
            "".join(
                f'<w:footnote w:id="{id_}">{paragraph(text)}</w:footnote>'
                for id_, text in enumerate(notes, 2)
            ),
        ),
        "word/comments.xml": _part(
            "comments", f'<w:comment w:id="1" w:author="乙">{paragraph("这句要改")}</w:comment>'
        ),
        **{f"word/media/{name}": data for name, data in media.items()},
        **{path.replace("__", "/"): data for path, data in parts.items()},
    }
    if header:
        files["word/header1.xml"] = _part("hdr", paragraph(header))
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return made.getvalue()


def _part(root: str, inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><w:{root} {_SPACES}>{inside}</w:{root}>'


def _relations(inside: str) -> str:
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inside}</Relationships>'


def photo(
    size: tuple[int, int] = (40, 30), form: str = "JPEG", *, secret: str = "", turned: bool = False
) -> bytes:
    """A picture; with ``secret`` one that also says where and by whom it was taken."""
    exif = Image.Exif()
    options = {}
    if secret:
        exif[0x010E] = secret
        exif.get_ifd(0x8825)[1] = "N"
        exif.get_ifd(0x8825)[2] = (31.0, 12.0, 1.5)
    if turned:
        exif[0x0112] = 6
    if secret or turned:
        options["exif"] = exif
    made = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(made, form, **options)
    return made.getvalue()
