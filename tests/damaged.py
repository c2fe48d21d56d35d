"""Sixty files as stations really have them: damaged, misnamed, half copied, too big. Each is made here, none is kept.

:data:`DOCUMENTS` are dropped beside the station and brought in; :data:`ARTICLES` lie in content/ already.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from words import (
    BULLET,
    NUMBER,
    comment,
    deleted,
    equation,
    footnote,
    inserted,
    link,
    paragraph,
    photo,
    picture,
    run,
    table,
    text_box,
    word,
)

TEXT = "防范电信诈骗\n\n　　近期辖区多发刷单诈骗，请居民注意。\n\n一、怎么骗\n\n先返小钱，再骗大钱。\n"
SECRET = "the phone of Li, at home"
"""What a photo says besides the picture."""


def _plain_word() -> bytes:
    return word(paragraph("关于防火的提示"), paragraph("　　冬季干燥，请注意用电。"))


def _full_word() -> bytes:
    return word(
        paragraph("关于办理居住证的指南", style="T"),
        paragraph("　　来", inserted("新"), deleted("旧"), "居民请看", footnote(), "。", comment()),
        paragraph("一、材料", bold=True),
        paragraph("身份证", numbered=(NUMBER, 0)),
        paragraph("租房合同", numbered=(BULLET, 1)),
        table(["情况", "怎么办"], ["甲|乙", "到窗口"], first_spans=1),
        paragraph(picture(said="窗口照片"), equation(), link("网上办")),
        paragraph(text_box("框里的字")),
        media={"image1.png": photo(form="PNG")},
        notes=["满半年"],
        header="内部资料",
    )


def _with_big_photo() -> bytes:
    shot = photo((8000, 5000), secret=SECRET, turned=True)
    return word(paragraph("现场照片"), paragraph(picture("big.jpg")), media={"big.jpg": shot})


def _encrypted_zip() -> bytes:
    data = bytearray(_plain_word())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := data.find(signature, start + 1)) >= 0:
            data[start + place] |= 1
    return bytes(data)


def _bomb() -> bytes:
    return word(paragraph("炸弹"), word__media__zeros=b"\0" * (300 << 20))


def _entities() -> bytes:
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<!DOCTYPE w [<!ENTITY a0 "哈">{lines}]><w:document>&a9;</w:document>'
    return word(**{"word/document.xml": xml})


def _deep() -> bytes:
    depth = 3000
    return word("<w:ins>" * depth + paragraph("深") + "</w:ins>" * depth)


def _zip_of(**files: str) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return made.getvalue()


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600

DOCUMENTS: dict[str, Callable[[], bytes]] = {
    # What becomes an article.
    "UTF-8.txt": lambda: TEXT.encode(),
    "带BOM.txt": lambda: TEXT.encode("utf-8-sig"),
    "记事本.txt": lambda: TEXT.replace("\n", "\r\n").encode("gbk"),
    "四字节.txt": lambda: (TEXT + "表情😀\n").encode("gb18030"),
    "Unicode.txt": lambda: TEXT.encode("utf-16"),
    "大端.txt": lambda: b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "无BOM的UTF-16.txt": lambda: TEXT.encode("utf-16-le"),
    "老Mac换行.txt": lambda: TEXT.replace("\n", "\r").encode(),
    "有 空格 和 😀 的名字.txt": TEXT.encode,
    "夹着控制字符.txt": lambda: TEXT.replace("。", "\x08。\x00", 1).encode(),
    "很长的一行.txt": lambda: ("标题\n" + "长" * 200_000).encode(),
    "像Markdown.txt": lambda: "提示\n# 井号\n*星* _线_ [括号](x) <b>\n- 横线\n---\n".encode(),
    "简单.docx": _plain_word,
    "齐全.docx": _full_word,
    "改了名.txt": _plain_word,
    "其实是文本.docx": lambda: TEXT.encode("gbk"),
    "没有扩展名": TEXT.encode,
    "新建 Microsoft Word 文档 (2).docx": _plain_word,
    "大照片.docx": _with_big_photo,
    "坏图片.docx": lambda: word(
        paragraph("坏图"), paragraph(picture("image1.png")), media={"image1.png": b"\x89PNG\r\n\x1a\nbroken"}
    ),
    "矢量图.docx": lambda: word(
        paragraph("图标"), paragraph(picture("a.wmf")), media={"a.wmf": b"\xd7\xcd\xc6\x9a" + b"\0" * 100}
    ),
    "图片不见了.docx": lambda: word(paragraph("少图"), paragraph(picture("gone.png"), "后面的字")),
    "本机图片.docx": lambda: word(
        paragraph("外链"),
        paragraph(
            '<w:r><w:drawing><wp:inline><wp:docPr id="1" name="p"/><a:graphic><a:graphicData>'
            '<pic:pic><pic:blipFill><a:blip r:link="link"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>'
            "</wp:inline></w:drawing></w:r>"
        ),
        link_to="file:///etc/passwd",
    ),
    "脚本链接.docx": lambda: word(paragraph("链接"), paragraph(link("点我")), link_to="javascript:alert(1)"),
    "合并单元格.docx": lambda: word(paragraph("表"), table(["一共"], ["甲", "乙"], first_spans=2)),
    "没有样式表.docx": lambda: word(
        paragraph("标题", style="X"), paragraph("正文", run("粗", bold=True), "。")
    ),
    "有开头.md": lambda: "---\nid: F7K2Q\ntitle：刷单\nsummary:先给小钱\nkind: fraud\n---\n　　正文\n".encode(
        "gbk"
    ),
    "没开头.md": lambda: "# 防火\n\n冬季干燥。\n".encode(),
    # What ends in a problem.
    "空.txt": bytes,
    "只有空白.txt": lambda: b" \r\n\t\n",
    "全是零.txt": lambda: b"\0" * 4096,
    "二进制.txt": lambda: bytes(range(256)) * 20,
    "半个字.txt": lambda: "一\n二\n三".encode() + b"\xff\x80\x81",
    "太大.txt": lambda: b"a" * (2 << 20),
    "空.docx": bytes,
    "没有字.docx": lambda: word(paragraph("")),
    "截断.docx": lambda: _full_word()[:1500],
    "缺结尾.docx": lambda: _full_word()[:-200],
    "坏数据.docx": lambda: _full_word().replace(b"\x03\x04", b"\x03\x05"),
    "加密.docx": _encrypted_zip,
    "加密的新式.docx": lambda: _OLE + "EncryptedPackage".encode("utf-16-le"),
    "旧格式.doc": lambda: _OLE + "WordDocument".encode("utf-16-le"),
    "炸弹.docx": _bomb,
    "实体炸弹.docx": _entities,
    "太深.docx": _deep,
    "坏XML.docx": lambda: word(**{"word/document.xml": "<w:document><w:body>"}),
    "没有正文.docx": lambda: _zip_of(**{"[Content_Types]_xml": "<Types/>", "word__x_xml": "<x/>"}),
    "表格改名.docx": lambda: _zip_of(**{"[Content_Types]_xml": "<Types/>", "xl__workbook_xml": "<x/>"}),
    "压缩包.zip": lambda: _zip_of(a="b"),
    "照片.jpg": photo,
    "照片改名.docx": lambda: photo(form="PNG"),
    "通知.pdf": lambda: b"%PDF-1.7\n...",
    "富文本.doc": lambda: b"{\\rtf1\\ansi ...}",
    "网页.doc": lambda: b"<html><body>x</body></html>",
    "没结尾.md": lambda: "---\ntitle: 刷单\n\n正文\n".encode(),
    "坏YAML.md": lambda: "---\ntitle: [刷单\nkind: fraud\n---\n正文\n".encode(),
}
"""Name and content of what lies outside the station."""

_FRONT = "---\nid: {id}\ntitle: 刷单返利\nsummary: 先给小钱，再骗大钱。\nkind: fraud\npublished: 2026-11-20 09:00\n---\n正文\n"

ARTICLES: dict[str, Callable[[], bytes]] = {
    # What fix makes whole.
    "fraud/gbk.md": lambda: _FRONT.format(id="AAAA2").replace("\n", "\r\n").encode("gbk"),
    "fraud/utf16.md": lambda: _FRONT.format(id="AAAA3").encode("utf-16"),
    "fraud/bom.md": lambda: _FRONT.format(id="AAAA4").encode("utf-8-sig"),
    "fraud/quanjiao.md": lambda: (
        _FRONT.format(id="AAAA5").replace("title: ", "title：").replace("summary", "　summary").encode()
    ),
    "fraud/tab.md": lambda: (
        _FRONT.format(id="AAAA6")
        .replace("kind: ", "kind:")
        .replace("---\n正", "topics:\n\t- 防火用电\n---\n正")
        .encode()
    ),
    "fraud/draft.md": TEXT.encode,
    "fraud/half.md": lambda: "---\ntitle: 冒充客服\nsummary: 客服不会让你转账。\n---\n\n正文\n".encode(),
    # What check names.
    "fraud/broken.md": lambda: _FRONT.format(id="AAAA7").replace("刷单返利", '"刷单').encode(),
    "fraud/copy.md": lambda: _FRONT.format(id="AAAA2").encode(),
    "fraud/empty.md": bytes,
    "fraud/nul.md": lambda: b"\0" * 600,
    "fraud/names its picture.md": lambda: (_FRONT.format(id="AAAA8") + "\n![门](door.jpg)\n").encode(),
    # Pictures.
    "fraud/door.jpg": lambda: photo((2000, 1500), secret=SECRET, turned=True),
    "fraud/cut.jpg": lambda: photo(secret=SECRET)[:400],
    "fraud/not.png": lambda: TEXT.encode(),
    "fraud/plus.webp": lambda: photo(form="WEBP", secret=SECRET),
}
"""Name and content of what lies in content/."""


def scatter(files: dict[str, Callable[[], bytes]], folder: Path) -> list[Path]:
    """Write ``files`` into ``folder``."""
    made = [folder / name for name in files]
    for path, content in zip(made, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content())
    return made


def entangle(folder: Path) -> list[Path]:
    """Links in ``folder`` that lead out of it, to nowhere, and round in a ring; and a pipe nobody writes to."""
    made = [folder / name for name in ("out.md", "nowhere.docx", "ring.txt", "pipe.txt")]
    for path, target in zip(made, ("/etc/hostname", "gone.docx", "ring.txt"), strict=False):
        path.symlink_to(target)
    os.mkfifo(made[3])
    return made
