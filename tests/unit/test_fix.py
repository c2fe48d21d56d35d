"""``gengfu fix``: what it mends, what it leaves alone, and that it says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gengfu_site.fix import Fixed, fix
from gengfu_site.library import load
from stations import AT, FRONT, StationFolder
from words import photo


def fixed(station: StationFolder, *paths: Path, dry_run: bool = False) -> list[Fixed]:
    return list(fix(station.settings, paths, AT, dry_run=dry_run))


def mended(station: StationFolder, path: str, data: str | bytes) -> tuple[str, Fixed]:
    """The file afterwards, and what was said of it."""
    file = station.file(path, data)
    [one] = fixed(station)
    assert one.path == path
    return file.read_text("utf-8"), one


FULL = "".join(("---\n", *(f"{name}: {value}\n" for name, value in FRONT.items()), "---\n"))


@pytest.mark.parametrize(
    ("body", "title", "summary", "rest"),
    [
        ("# 防火\n\n冬季干燥。\n", "防火", "冬季干燥。", "冬季干燥。\n"),
        ("防火\n\n**冬季**见[这里](a.md)。\n", "防火", "冬季见这里。", "**冬季**见[这里](a.md)。\n"),
        (
            "冬季干燥，请注意。\n\n## 怎么办\n",
            "怎么办",
            "冬季干燥，请注意。",
            "冬季干燥，请注意。\n\n## 怎么办\n",
        ),
        ("冬季干燥。\n", "【待写：标题】", "冬季干燥。", "冬季干燥。\n"),
        ("# 防火\n\n- 甲\n", "防火", "【待写：", "- 甲\n"),
        ("# 防火\n\n各位居民：\n\n冬季干燥。\n", "防火", "冬季干燥。", None),
        ("# 防火\n\n" + "长" * 100 + "。" + "短" * 100 + "。\n", "防火", "长" * 100 + "。\n", None),
        ("# 防火\n\n" + "长" * 130 + "。\n", "防火", "【待写：", None),
        ("# 防火\n\n【待写：第一句】\n\n拨打 110。\n", "防火", "【待写：", None),
    ],
    ids=[
        "heading",
        "first line",
        "later heading",
        "no title",
        "no paragraph",
        "salutation",
        "cut",
        "too long",
        "unwritten",
    ],
)
def test_a_bare_draft_gets_what_can_be_known(
    station: StationFolder, body: str, title: str, summary: str, rest: str | None
) -> None:
    text, one = mended(station, "content/tip/a.md", body)
    assert f"\ntitle: {title}\n" in text.replace('"', "")
    assert f"\nsummary: {summary}" in text.replace('"', "")
    assert "\nkind: tip\npublished: 2026-11-21 08:00\n" in text
    assert rest is None or text.endswith(f"---\n\n{rest}")
    assert "字段" in one.done[-1]


def test_what_cannot_be_known_is_asked_for_by_check(station: StationFolder) -> None:
    mended(station, "content/tip/a.md", "- 甲\n")
    assert [(p.field, p.message) for p in station.problems()] == [
        ("title", "这里还没有写：【待写：标题】"),
        ("summary", "这里还没有写：【待写：120 字以内的摘要，单独看也要说得清】"),
    ]


def test_check_names_the_command_for_a_draft(station: StationFolder) -> None:
    station.file("content/tip/a.md", "正文\n")
    station.article("tip/b.md", kind="tip", id="AAAA2", published=None)
    assert ["gengfu fix content/tip/a.md" in p.remedy for p in station.problems()] == [True, False]
    assert "gengfu fix content/tip/b.md" in station.problems()[1].remedy


def test_a_part_of_the_front_matter_is_kept_word_for_word(station: StationFolder) -> None:
    text, one = mended(
        station, "content/fraud/a.md", "---\n# 注\ntitle: '刷单'\ntopics: [防火用电]\n---\n\n甲。\n"
    )
    assert text.startswith("---\n# 注\ntitle: '刷单'\ntopics: [防火用电]\nid: ")
    assert text.endswith("---\n\n甲。\n")
    assert len(one.diff) == 4
    assert station.problems() == []


def test_a_service_gets_the_fields_of_a_service(station: StationFolder) -> None:
    text, _one = mended(station, "content/service/a.md", "# 办证\n\n带身份证。\n")
    assert "\nservice:\n  department:" in text
    assert {p.field for p in station.problems()} == {"service.department", "service.visit"}


def test_ids_are_unique_those_of_broken_articles_included(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.file("content/tip/broken.md", "---\nid: AAAAA\ntitle: [\n---\n")
    letters = iter("AAAAABBBBBBBBBBCCCCCDDDDD")
    monkeypatch.setattr("gengfu_site.start.secrets.choice", lambda _alphabet: next(letters))
    for name in "ab":
        station.file(f"content/tip/{name}.md", "甲。\n")
    fixed(station)
    ids = [(station.folder / f"content/tip/{name}.md").read_text("utf-8").split("\n")[1] for name in "ab"]
    assert ids == ["id: BBBBB", "id: CCCCC"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (FULL.encode("gbk"), "GB18030"),
        (FULL.encode("utf-16"), "UTF-16LE"),
        (FULL.encode("utf-8-sig"), "BOM"),
        (FULL.replace("\n", "\r\n").encode(), "换行"),
        (FULL.replace("title: ", "title：").encode(), "冒号"),
    ],
    ids=["GBK", "UTF-16", "BOM", "CRLF", "colon"],
)
def test_an_article_however_it_was_saved_ends_the_same(
    station: StationFolder, data: bytes, said: str
) -> None:
    text, one = mended(station, "content/fraud/a.md", data)
    assert text == FULL
    assert said in one.done[0]


def test_what_is_right_is_not_touched(station: StationFolder) -> None:
    files = [
        station.article(body="一\n\n    代码　\n"),
        station.file("content/fraud/a.jpg", photo()),
        station.file("content/fraud/b.svg", "<svg/>"),
    ]
    before = [(file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in files]
    assert fixed(station) == []
    assert [(file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_ino) for file in files] == before


def test_pictures_of_missing_persons_lose_what_the_camera_wrote_too(station: StationFolder) -> None:
    file = station.file("private/F7K2Q.jpg", photo(secret="at home"))
    file.chmod(0o600)
    [one] = fixed(station)
    assert one.path == "private/F7K2Q.jpg"
    assert b"at home" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_picture_is_turned_and_shrunk_and_that_is_said(station: StationFolder) -> None:
    file = station.file("content/a.jpg", photo((2400, 1200), secret="x", turned=True))
    [one] = fixed(station)
    assert one.done == ("去掉拍摄地点、时间、设备等附带信息", "转正方向", "从 2400×1200 像素缩小")
    with Image.open(file) as image:
        assert image.size == (800, 1600)
    assert fixed(station) == []


def test_a_dry_run_says_the_same_and_touches_nothing(station: StationFolder) -> None:
    file = station.file("content/tip/a.md", "防火\n\n　　甲。\n")
    [said] = fixed(station, dry_run=True)
    assert file.read_text("utf-8") == "防火\n\n　　甲。\n"
    [done] = fixed(station)
    assert said.done == done.done


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("content/tip/a.md", b"", "空的"),
        ("content/tip/a.md", b"\0" * 99, "不是 UTF-8"),
        ("content/tip/a.md", b"a" * ((1 << 17) + 1), "最大 128 KiB"),
        ("content/tip/a.md", "---\ntitle: [\n---\n甲\n".encode(), "YAML"),
        ("content/tip/a.md", "---\ntitle: 甲\n\n乙\n".encode(), "没有结束的那一行"),
        ("content/tip/a.md", "\ntitle：甲\nsummary：乙\n\n丙\n".encode(), "上下没有“---”"),
        ("content/a.md", "甲\n".encode(), "看不出这是哪个栏目"),
        ("content/a.jpg", photo()[:300], "损坏"),
    ],
)
def test_what_cannot_be_mended_stays_and_is_named(
    station: StationFolder, path: str, data: bytes, said: str
) -> None:
    file = station.file(path, data)
    [one] = fixed(station)
    assert said in one.problems[0].message
    assert one.problems[0].remedy
    assert one.done == ()
    assert file.read_bytes() == data


def test_files_that_are_not_ours_to_change_are_named(station: StationFolder, tmp_path: Path) -> None:
    read_only = station.file("content/tip/a.md", "甲。\n")
    read_only.chmod(0o444)
    link = station.folder / "content/tip/b.md"
    link.symlink_to(read_only)
    paths = [read_only, link, station.file("content/tip/c.docx", "x"), tmp_path / "gone.md"]
    assert [one.problems[0].message for one in fixed(station, *paths)] == [
        "文件是只读的，没有改。",
        "这是一个链接，不是文件本身。",
        "这不是文章，也不是图片。",
        "文件读不出来或写不进去（没有这个文件或文件夹）。",
    ]


def test_a_file_that_cannot_be_replaced_stays_whole(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = station.file("content/tip/a.md", "甲。\n")

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    [one] = fixed(station)
    assert "磁盘满了" in one.problems[0].message
    assert file.read_text("utf-8") == "甲。\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_means_all_in_it_and_hidden_files_are_nobodys(station: StationFolder) -> None:
    for name in ("tip/a.md", "tip/.a.md", "fraud/b.md"):
        station.file(f"content/{name}", "甲。\n")
    assert [one.path for one in fixed(station, station.folder / "content/tip")] == ["content/tip/a.md"]


def test_mended_articles_are_published(station: StationFolder) -> None:
    station.file("content/tip/a.md", "防火\n\n冬季干燥。\n".encode("gbk"))
    fixed(station)
    [article] = load(station.settings, AT)[0].articles
    assert (article.title, article.summary, article.evergreen) == ("防火", "冬季干燥。", False)


ANYTHING = st.one_of(
    st.binary(max_size=80),
    st.text(alphabet="-:：# \t\n\r　'\"[]{}|>&*!%@`\x00\ufeff标题titlesummarykdp1", max_size=120).map(
        str.encode
    ),
    st.text(alphabet="-:： \n'\"[]{}&*!标题", max_size=60).map(
        lambda text: f"---\ntitle: {text}\n---\n甲\n".encode()
    ),
    st.text(max_size=40).map(lambda text: text.encode("utf-16", "surrogatepass")),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=ANYTHING)
def test_whatever_lies_in_content_a_second_run_changes_nothing(station: StationFolder, data: bytes) -> None:
    """And none of it ends in an exception, in fix or in what reads the articles then."""
    file = station.file("content/tip/a.md", data)
    first = fixed(station)
    after = file.read_bytes()
    assert [one.problems for one in fixed(station)] == [one.problems for one in first if one.problems]
    assert file.read_bytes() == after
    station.problems()
