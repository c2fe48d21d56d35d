"""A Word file becomes the Markdown an officer would have written; what cannot be kept is said."""

from __future__ import annotations

import io
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_site.intake.docx import WordFile, read_docx
from gengfu_site.intake.outline import outlined, typed
from gengfu_site.problems import Problem
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

TITLE = paragraph("提示", style="T")


def read(*body: str, **options: object) -> WordFile:
    found = read_docx(word(TITLE, *body, **options), "a.docx", "f7k2q")  # type: ignore[arg-type]
    assert isinstance(found, WordFile), found
    return found


def markdown(*body: str, **options: object) -> str:
    """What stands below the title."""
    whole = outlined(read(*body, **options).pieces, "")
    assert whole.startswith("# 提示\n")
    return whole.removeprefix("# 提示\n").strip()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([paragraph("　　一段。"), paragraph(""), paragraph("二段。")], "一段。\n\n二段。"),
        ([paragraph("见", run("这里", bold=True), run("。", bold=True))], "见**这里。**"),
        ([paragraph(run("粗 ", bold=True), "细")], "**粗** 细"),
        ([paragraph("整段都是粗体，所以是强调。", bold=True)], "**整段都是粗体，所以是强调。**"),
        ([paragraph("一", "<w:r><w:br/></w:r>", "二")], "一\\\n二"),
        ([paragraph("15 m", run("2", properties='<w:vertAlign w:val="superscript"/>'))], "15 m<sup>2</sup>"),
        ([paragraph(run("收", properties="<w:strike/>"), run("费", properties="<w:strike/>"))], "~~收费~~"),
        ([paragraph(inserted("新"), deleted("旧"), "来")], "新来"),
        ([paragraph("看", comment(), "这里")], "看这里"),
        ([paragraph(link("国家反诈中心"))], "[国家反诈中心](https://gov.example/)"),
        (
            [paragraph("*星* _线_ [括] <b> `码` \\ &amp; ~~删~~")],
            r"\*星\* \_线\_ \[括\] \<b\> \`码\` \\ \&amp; \~\~删\~\~",
        ),
        ([paragraph("# 井"), paragraph("+ 加"), paragraph("> 引")], "\\# 井\n\n\\+ 加\n\n\\> 引"),
    ],
    ids=[
        "paragraphs",
        "bold",
        "blank in bold",
        "all bold",
        "line break",
        "square metres",
        "struck out",
        "changes",
        "comment",
        "link",
        "marks",
        "line starts",
    ],
)
def test_a_paragraph_keeps_what_it_says(body: list[str], text: str) -> None:
    assert markdown(*body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            [paragraph("甲", style="H1"), paragraph("乙", style="H3"), paragraph("文")],
            "## 甲\n\n### 乙\n\n文",
        ),
        ([paragraph("一、怎么骗", bold=True), paragraph("文")], "## 一、怎么骗\n\n文"),
        ([paragraph("一、怎么骗"), paragraph("文")], "## 一、怎么骗\n\n文"),
        ([paragraph("（一）怎么骗", bold=True), paragraph("1.甲", bold=True)], "## （一）怎么骗\n\n### 1.甲"),
        (
            [paragraph("一、带身份证"), paragraph("二、带照片")],
            "一、带身份证\n\n二、带照片",
        ),
        ([paragraph("一、到窗口，交材料。"), paragraph("文")], "一、到窗口，交材料。\n\n文"),
        ([paragraph("1.5 米以外", bold=True)], "**1.5 米以外**"),
    ],
    ids=["styles", "bold", "alone", "levels close up", "a row is a list", "a sentence", "a number"],
)
def test_a_heading_is_known_by_its_style_or_its_number(body: list[str], text: str) -> None:
    assert markdown(*body) == text


def test_lists_keep_their_kind_and_depth() -> None:
    body = [("甲", NUMBER, 0), ("乙", NUMBER, 0), ("丙", BULLET, 1), ("丁", BULLET, 2), ("戊", NUMBER, 0)]
    text = markdown(*(paragraph(words, numbered=(form, depth)) for words, form, depth in body))
    assert text == "1. 甲\n2. 乙\n    - 丙\n        - 丁\n3. 戊"


def test_a_list_goes_on_after_a_paragraph_and_begins_anew_after_a_heading_or_a_colon() -> None:
    def item(words: str, depth: int = 0) -> str:
        return paragraph(words, numbered=(NUMBER, depth))

    assert markdown(item("甲"), paragraph("说明。"), item("乙")) == "1. 甲\n\n说明。\n\n2. 乙"
    assert markdown(item("甲"), paragraph("材料："), item("乙")) == "1. 甲\n\n材料：\n\n1. 乙"
    assert markdown(item("甲"), paragraph("二", style="H1"), item("乙")) == "1. 甲\n\n## 二\n\n1. 乙"
    assert markdown(item("甲"), paragraph("说明。"), item("乙", 1)) == "1. 甲\n\n说明。\n\n1. 乙"


def test_a_heading_that_word_numbers_is_a_heading() -> None:
    numbered = paragraph("怎么骗", bold=True, numbered=(NUMBER, 0))
    assert markdown(numbered, paragraph("文。")) == "## 怎么骗\n\n文。"


def test_numbers_and_dots_typed_by_hand_are_lists() -> None:
    text = markdown(paragraph("1. 甲"), paragraph("2．乙"), paragraph("● 丙"), paragraph("3、丁"))
    assert text == "1. 甲\n2. 乙\n- 丙\n\n3、丁"


def test_a_table_is_a_table_and_what_was_merged_is_said() -> None:
    rows = table(["情况", "怎么办"], ["甲|乙", "到窗口"])
    assert markdown(rows) == "| 情况 | 怎么办 |\n| --- | --- |\n| 甲\\|乙 | 到窗口 |"
    assert read(rows).lost == ()
    merged = read(table(["一共"], ["甲", "乙"], first_spans=2))
    assert "合并的单元格 1 处" in merged.lost[0]
    assert markdown(table(["一共"], ["甲", "乙"], first_spans=2)).startswith("| 一共 |  |\n")


def test_a_frame_around_text_is_no_table() -> None:
    assert markdown(table(["框里的话"])) == "框里的话"


def test_a_picture_is_taken_out_tidied_and_named_after_the_article() -> None:
    data = photo((2400, 1200), secret="at home")
    found = read(
        paragraph(picture("a.jpg", "窗口")), paragraph(picture("a.jpg", "图片 1")), media={"a.jpg": data}
    )
    assert [piece.text for piece in found.pieces[1:]] == ["![窗口](f7k2q-1.jpg)", "![](f7k2q-2.jpg)"]
    assert list(found.pictures) == ["f7k2q-1.jpg", "f7k2q-2.jpg"]
    assert b"at home" not in found.pictures["f7k2q-1.jpg"]
    assert len(found.pictures["f7k2q-1.jpg"]) < len(data)


def test_a_pictures_name_tells_its_real_format() -> None:
    assert list(read(paragraph(picture("a.png")), media={"a.png": photo()}).pictures) == ["f7k2q-1.jpg"]


def test_a_footnote_follows_the_text() -> None:
    text = markdown(paragraph("甲", footnote(2), "乙", footnote(3)), paragraph("丙"), notes=["来源", "说明"])
    assert text == "甲[^1]乙[^2]\n\n丙\n\n[^1]: 来源\n\n[^2]: 说明"


@pytest.mark.parametrize(
    ("body", "options", "said"),
    [
        ([paragraph("甲", equation())], {}, "公式 1 个"),
        ([paragraph("甲", text_box("框"))], {}, "文本框 1 个"),
        ([paragraph("甲", inserted("乙"))], {}, "原件有修订"),
        ([paragraph("甲", comment())], {}, "批注 1 条"),
        ([paragraph("甲")], {"header": "内部资料"}, "页眉页脚没有带过来：“内部资料”"),
        ([paragraph(picture("a.png"))], {"media": {"a.png": b"\x89PNG"}}, "图片 1 张没有带过来"),
        ([paragraph(link("点"))], {"link_to": "file:///C:/a"}, "链接 1 个"),
        ([paragraph('<w:r><w:object xmlns:o="o"><o:OLEObject /></w:object></w:r>')], {}, "嵌入的文件"),
    ],
    ids=["equation", "text box", "changes", "comment", "header", "picture", "link", "object"],
)
def test_what_is_not_kept_is_said(body: list[str], options: dict[str, object], said: str) -> None:
    [lost] = read(*body, **options).lost
    assert said in lost


def test_a_page_number_in_the_footer_is_no_loss() -> None:
    assert read(paragraph("甲"), header="— 1 —").lost == ()


@pytest.mark.parametrize(
    ("first", "name", "title"),
    [
        (paragraph("关于防火的提示", bold=True, centred=True), "a", "关于防火的提示"),
        (paragraph("冬季干燥，请注意。"), "防火", "防火"),
        (paragraph("一、材料", bold=True), "办证", "办证"),
        (paragraph("二级", style="H2"), "别的", "二级"),
    ],
    ids=["first line", "file's name", "a section first", "a heading of whatever level"],
)
def test_the_title_is_what_names_the_whole(first: str, name: str, title: str) -> None:
    found = read_docx(word(first, paragraph("正文。")), "a.docx", "x")
    assert isinstance(found, WordFile)
    line = outlined(found.pieces, name).split("\n")[0]
    assert line.removeprefix("# ").strip("*") == title


def test_a_letterhead_above_the_title_goes_below_it() -> None:
    pieces = read_docx(word(paragraph("某公安局"), TITLE), "a.docx", "x")
    assert isinstance(pieces, WordFile)
    assert outlined(pieces.pieces, "") == "# 提示\n\n某公安局\n"


def test_each_line_of_a_plain_text_is_a_paragraph() -> None:
    assert outlined(typed("防火\n　　一。\n\n\n二、甲\n三。\n"), "") == "防火\n\n一。\n\n## 二、甲\n\n三。\n"


def test_a_file_of_this_machine_is_not_read_through_a_picture() -> None:
    linked = picture("link").replace("r:embed", "r:link")
    found = read(paragraph("甲", linked), link_to="file:///etc/hostname")
    assert found.pictures == {}
    assert "没有带过来" in found.lost[0]


@settings(max_examples=60)
@given(
    place=st.floats(0, 1),
    junk=st.binary(min_size=1, max_size=40),
    path=st.sampled_from(
        ["word/document.xml", "word/styles.xml", "word/numbering.xml", "[Content_Types].xml"]
    ),
)
def test_a_damaged_part_ends_in_a_file_or_a_problem(place: float, junk: bytes, path: str) -> None:
    whole = word(
        TITLE,
        paragraph("甲", footnote()),
        table(["乙"], ["丙"]),
        paragraph("丁", numbered=(BULLET, 1)),
        notes=["注"],
    )
    made = io.BytesIO()
    with ZipFile(io.BytesIO(whole)) as old, ZipFile(made, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            at = int(place * len(data))
            new.writestr(name, data[:at] + junk + data[at + len(junk) :] if name == path else data)
    assert isinstance(read_docx(made.getvalue(), "a.docx", "x"), (WordFile, Problem))


@settings(max_examples=60)
@given(place=st.floats(0, 1), junk=st.binary(max_size=30), cut=st.booleans())
def test_a_damaged_archive_ends_in_a_file_or_a_problem(place: float, junk: bytes, cut: bool) -> None:
    whole = word(TITLE, paragraph("甲"))
    at = int(place * len(whole))
    data = whole[:at] + junk + (b"" if cut else whole[at + len(junk) :])
    assert isinstance(read_docx(data, "a.docx", "x"), (WordFile, Problem))


_DECLARED = '<!DOCTYPE w [<!ENTITY a "甲">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("path", ["word/document.xml", "word/document.XML", "word/media/image1.png"])
def test_a_declaration_is_refused_in_whatever_encoding_and_under_whatever_name(
    path: str, encoding: str
) -> None:
    xml = f'<?xml version="1.0" encoding="{encoding}"?>{_DECLARED}<w:document>&a;</w:document>'
    found = read_docx(word(TITLE, **{path.replace("/", "__"): xml.encode(encoding)}), "a.docx", "x")
    assert isinstance(found, Problem)
    assert "声明" in found.message


def test_a_cell_that_says_it_is_endlessly_wide_makes_no_endless_row() -> None:
    found = read_docx(word(table(["甲"], ["乙"], first_spans=9_999_999)), "a.docx", "x")
    assert isinstance(found, WordFile)
    assert len(found.pieces[0].text) < 2000
