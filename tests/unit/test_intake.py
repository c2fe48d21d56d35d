"""Files brought in from outside and taken out of the inbox: whole or not at all, nothing lost, nothing overwritten."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gengfu_site import markdown
from gengfu_site.catalogue import Kind
from gengfu_site.intake import Brought, bring_in, holds_station, sources, take_in
from gengfu_site.intake.outline import outlined, typed
from stations import AT, StationFolder
from words import paragraph, photo, picture, word

WITH_PICTURE = word(
    paragraph("防火提示", style="T"),
    paragraph("冬季干燥。"),
    paragraph(picture("a.jpg")),
    media={"a.jpg": photo()},
)


def brought(
    station: StationFolder, file: str, data: bytes | str, kind: Kind | None = None, name: str | None = None
) -> Brought:
    source = station.file(f"desk/{file}", data)
    before = source.read_bytes()
    found = bring_in(station.settings, source, AT, set(), kind=kind, name=name)
    assert source.read_bytes() == before
    return found


def content(station: StationFolder) -> list[str]:
    files = (station.folder / "content").rglob("*")
    return sorted(file.relative_to(station.folder / "content").as_posix() for file in files if file.is_file())


def test_a_word_file_is_an_article_with_its_pictures_beside_it(station: StationFolder) -> None:
    found = brought(station, "防火 提示😀.docx", WITH_PICTURE, name="fire")
    assert content(station) == ["tip/fire-1.jpg", "tip/fire.md"]
    assert found.article == station.folder / "content/tip/fire.md"
    [article] = station.load().articles
    assert (article.title, article.summary) == ("防火提示", "冬季干燥。")
    assert [file.name for file in article.files] == ["fire-1.jpg"]


def test_without_a_name_the_address_is_the_id(station: StationFolder) -> None:
    found = brought(station, "a.txt", "防火\n\n冬季干燥。\n")
    [article] = station.load().articles
    assert found.article
    assert found.article.stem == article.id.lower()


@pytest.mark.parametrize(
    ("title", "kind"),
    [("谨防刷单诈骗", "fraud"), ("居住证怎么办", "service"), ("道路封闭通告", "notice"), ("冬季防火", "tip")],
)
def test_the_kind_is_what_the_title_sounds_like_and_that_is_said(
    station: StationFolder, title: str, kind: str
) -> None:
    found = brought(station, "a.txt", f"{title}\n\n正文。\n")
    assert found.article
    assert found.article.parent.name == kind
    assert kind in found.notes[-1]


def test_the_officers_kind_goes_before_any_guess(station: StationFolder) -> None:
    found = brought(station, "a.txt", "谨防诈骗\n\n正文。\n", kind="notice")
    assert found.article
    assert found.article.parent.name == "notice"
    assert found.notes == ()


def test_markdown_with_its_own_front_matter_keeps_id_and_kind(station: StationFolder) -> None:
    text = "---\nid: F7K2Q\ntitle: 通知\nsummary：一句。\nkind: video\n---\n\n正文。\n"
    found = brought(station, "a.md", text.encode("gbk"))
    assert found.article == station.folder / "content/video/f7k2q.md"
    assert found.article.read_text("utf-8") == text.replace("：", ": ").replace(
        "---\n\n", "published: 2026-11-21 08:00\n---\n\n"
    )


def test_nothing_is_overwritten_and_nothing_stays_of_what_failed(station: StationFolder) -> None:
    for there in ("tip/fire.md", "tip/fire-1.jpg"):
        file = station.file(f"content/{there}", b"mine")
        found = brought(station, "a.docx", WITH_PICTURE, kind="tip", name="fire")
        assert "已经有了" in found.problems[0].message
        assert content(station) == [there]
        assert file.read_bytes() == b"mine"
        file.unlink()


def test_a_full_disk_leaves_nothing_half_written(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gengfu_site.amend.os.fsync", full)
    found = brought(station, "a.docx", WITH_PICTURE)
    assert "磁盘满了" in found.problems[0].message
    assert content(station) == []


def test_ctrl_c_leaves_nothing_half_written(station: StationFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_file: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gengfu_site.amend.os.fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        brought(station, "a.docx", WITH_PICTURE)
    assert content(station) == []


def test_what_lies_in_content_already_is_not_brought_in_again(station: StationFolder) -> None:
    found = bring_in(station.settings, station.file("content/tip/a.md", "甲。\n"), AT, set())
    assert "gengfu fix" in found.problems[0].remedy
    found = bring_in(station.settings, station.file("content/tip/a.docx", WITH_PICTURE), AT, set())
    assert "移到 content/ 外面" in found.problems[0].remedy


def test_a_markdown_file_brings_the_pictures_along_that_it_shows_from_beside_itself(
    station: StationFolder,
) -> None:
    for name in ("门 口(1).jpg", "b.jpg", "more/c.jpg"):
        station.file(f"desk/{name}", photo())
    text = (
        "---\nid: F7K2Q\ntitle: 防火\nsummary: 关好门。\nkind: tip\npublished: 2026-11-20\ncover: b.jpg\n---\n"
        '![门](<门 口(1).jpg>) ![门](%E9%97%A8%20%E5%8F%A3(1).jpg) ![丙](more/c.jpg "题") '
        "![网](https://x.example/a.jpg) ![没有](d.jpg) ![外面](../mkdocs.yml)\n"
    )
    found = brought(station, "a.md", text)
    assert content(station) == [*(f"tip/f7k2q-{n}.jpg" for n in range(1, 4)), "tip/f7k2q.md"]
    assert found.notes == ("文章旁边的图片 2 张没有找到，请放到文章所在的文件夹里。",)
    written = (station.folder / "content/tip/f7k2q.md").read_text("utf-8")
    assert "cover: f7k2q-1.jpg\n" in written
    assert '![门](<f7k2q-2.jpg>) ![门](f7k2q-2.jpg) ![丙](f7k2q-3.jpg "题") ' in written
    assert b"GPS" not in (station.folder / "content/tip/f7k2q-1.jpg").read_bytes()


def test_so_it_does_those_that_it_names_by_a_label(station: StationFolder) -> None:
    for name in ("门 口.jpg", "b(1).jpg", "c.jpg", "d.jpg"):
        station.file(f"desk/{name}", photo())
    text = (
        "# 防火\n\n正文。![门][Door  1] ![乙][] ![丙]\n\n不是图片：[丁][d]\n\n[door 1]: <门 口.jpg> '题'\n"
        '[乙]:\n  b(1).jpg\n\n> [丙]: c.jpg "题"\n\n[d]: d.jpg\n[网]: https://x.example/a.jpg\n'
    )
    brought(station, "a.md", text, kind="tip")
    (name,) = [file for file in content(station) if file.endswith(".md")]
    stem = name.removeprefix("tip/").removesuffix(".md")
    assert content(station) == [*(f"tip/{stem}-{n}.jpg" for n in range(1, 4)), name]
    written = (station.folder / "content" / name).read_text("utf-8")
    assert f"[door 1]: <{stem}-1.jpg> '题'\n[乙]:\n  {stem}-2.jpg\n" in written
    assert f'{stem}-3.jpg "题"\n\n[d]: d.jpg\n' in written


def test_what_only_seems_to_be_a_picture_stays_where_it_is(station: StationFolder) -> None:
    station.file("desk/a.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    station.file("desk/b.png", "no picture")
    found = brought(station, "a.md", "# 防火\n\n![一](a.svg) ![二](b.png)\n", kind="tip")
    assert (len(content(station)), [note[:9] for note in found.notes]) == (
        1,
        ["图片“a.svg”", "图片“b.png”"],
    )


@pytest.mark.parametrize(
    "piece",
    [
        "![](" + " " * 5000,
        "![](" + "a" * 999,
        "![](a ",
        '![](a "',
        "![](a(b",
        "![a](b.jpg)\n",
        "![a][",
        "\n[a]: b.jpg ![a]",
    ],
)
def test_pictures_that_are_none_are_read_once(station: StationFolder, piece: str) -> None:
    """One that goes back and forth in such a text would be at it for hours."""
    station.file("desk/b.jpg", photo())
    body = piece * (120_000 // len(piece))
    assert brought(station, "a.md", f"# 防火\n\n正文。\n\n{body}", kind="tip").article


def test_what_went_along_is_nothing_of_its_own_and_moves_aside_with_it(station: StationFolder) -> None:
    station.file("inbox/a.jpg", photo())
    for name in "xy":
        station.file(f"inbox/{name}.md", f"# 防火{name}\n\n正文。\n\n![门](a.jpg)\n")
    assert [one.problems for one in taken(station)] == [(), ()]
    assert inbox(station) == ["done/a.jpg", "done/x.md", "done/y.md"]
    assert len(content(station)) == 4


@pytest.mark.parametrize(
    "path",
    [
        *("groups.csv", "desk/群.xlsx", "desk/a.yml", "webhooks.csv", "private/A5W3R.jpg", "private/a"),
        *("audit/approved/0a/0a1b", "说明/怎么用.md", "public/index.html", "synonyms.txt"),
    ],
)
def test_what_a_station_keeps_for_itself_tables_and_settings_become_no_articles(
    station: StationFolder, path: str
) -> None:
    found = bring_in(station.settings, station.file(path, "# 防火\n\n正文。\n"), AT, set())
    assert "不是文章" in found.problems[0].message
    assert content(station) == []


def test_a_text_with_a_group_robots_address_becomes_none_either(station: StationFolder) -> None:
    secret = "https://oapi.dingtalk.com/robot/send?access_token=693a91f6"
    found = brought(station, "a.txt", f"防火\n\n{secret}\n", kind="tip")
    assert "群机器人地址" in found.problems[0].message
    assert "693a91f6" not in str(found)
    assert content(station) == []


def test_a_folder_with_the_station_in_it_is_none_of_documents(station: StationFolder) -> None:
    station.file("desk/a.txt", "x")
    folders = {".": True, "..": True, "desk": False, "mkdocs.yml": False}
    assert {name: holds_station(station.folder / name, station.settings) for name in folders} == folders


def test_a_folder_means_all_documents_in_it(station: StationFolder) -> None:
    for name in ("b.txt", "a/c.docx", "~$a.docx", ".hidden.txt", "Thumbs.db", "__MACOSX/x.txt"):
        station.file(f"desk/{name}", "x")
    desk = station.folder / "desk"
    assert [source.relative_to(desk).as_posix() for source in sources(desk)] == ["b.txt", "a/c.docx"]


def taken(station: StationFolder, meanwhile: Callable[[], object] = lambda: None) -> list[Brought]:
    """What came of the inbox; ``meanwhile`` happens while the program looks whether a file still grows."""

    def wait(_seconds: float) -> None:
        meanwhile()

    return take_in(station.settings, AT, wait)


def inbox(station: StationFolder) -> list[str]:
    folder = station.folder / "inbox"
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir())


def test_what_lies_in_the_inbox_becomes_an_article_and_moves_aside(station: StationFolder) -> None:
    station.file("inbox/通知 1.txt", "防火\n\n冬季干燥。\n")
    station.file("inbox/fraud/a.txt", "防火\n\n冬季干燥。\n")
    station.file("inbox/办事指南/b.txt", "防火\n\n冬季干燥。\n")
    found = taken(station)
    assert {one.source: one.article and one.article.parent.name for one in found} == {
        "inbox/通知 1.txt": "tip",
        "inbox/fraud/a.txt": "fraud",
        "inbox/办事指南/b.txt": "service",
    }
    assert inbox(station) == ["done/fraud/a.txt", "done/办事指南/b.txt", "done/通知 1.txt"]
    assert taken(station) == []


def test_what_cannot_be_taken_in_lies_beside_the_reason(station: StationFolder) -> None:
    station.file("inbox/旧.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    [one] = taken(station)
    assert one.problems[0].path == "inbox/旧.doc"
    assert inbox(station) == ["failed/旧.doc", "failed/旧.doc.txt"]
    assert "另存为" in (station.folder / "inbox/failed/旧.doc.txt").read_text("utf-8-sig")
    assert content(station) == []


def test_a_second_file_of_the_same_name_does_not_take_the_firsts_place(station: StationFolder) -> None:
    for text in ("防火\n\n一。\n", "防火\n\n二。\n"):
        station.file("inbox/a.txt", text)
        taken(station)
    assert inbox(station) == ["done/a (2).txt", "done/a.txt"]
    assert (station.folder / "inbox/done/a.txt").read_text("utf-8") == "防火\n\n一。\n"


def test_a_file_that_still_grows_is_left_for_the_next_time(station: StationFolder) -> None:
    file = station.file("inbox/a.txt", "防火\n")
    assert taken(station, meanwhile=lambda: file.write_text("防火\n\n冬季干燥。\n", "utf-8")) == []
    assert inbox(station) == ["a.txt"]
    [one] = taken(station)
    assert one.article


def test_what_a_crash_left_under_way_is_taken_in_again(station: StationFolder) -> None:
    station.file("inbox/.taking/fraud/a.txt", "防火\n\n冬季干燥。\n")
    [one] = taken(station)
    assert one.article
    assert one.article.parent.name == "fraud"
    assert inbox(station) == ["done/fraud/a.txt"]


def test_a_file_that_another_program_holds_stays_and_does_not_hold_up_the_others(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.file("inbox/a.txt", "防火\n\n冬季干燥。\n")
    station.file("inbox/held.txt", "防火\n\n冬季干燥。\n")
    rename = Path.rename

    def held(file: Path, target: Path) -> Path:
        if file.name == "held.txt":
            raise PermissionError(13, "The process cannot access the file")
        return rename(file, target)

    monkeypatch.setattr(Path, "rename", held)
    stuck, done = taken(station)
    assert "没有权限" in stuck.problems[0].message
    assert done.article
    assert inbox(station) == ["done/a.txt", "held.txt"]


def test_a_link_in_the_inbox_is_moved_aside_and_not_followed(station: StationFolder) -> None:
    (station.folder / "inbox").mkdir()
    (station.folder / "inbox/a.txt").symlink_to("/etc/hostname")
    (station.folder / "inbox/b.txt").symlink_to("gone")
    assert ["链接" in one.problems[0].message for one in taken(station)] == [True, True]
    assert inbox(station) == ["failed/a.txt", "failed/a.txt.txt", "failed/b.txt", "failed/b.txt.txt"]
    assert Path("/etc/hostname").exists()


def test_an_inbox_that_is_not_there_holds_nothing(station: StationFolder) -> None:
    assert taken(station) == []
    assert not (station.folder / "inbox").exists()


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=80),
        st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet="#-*>|\\[]()<>`~&;1.一、（） \t\n提示", max_size=80).map(str.encode),
        st.binary(max_size=60).map(lambda data: b"PK\x03\x04" + data),
    ),
    name=st.sampled_from(["a.txt", "a.md", "a.docx"]),
)
def test_whatever_is_brought_in_is_an_article_or_a_problem(
    station: StationFolder, data: bytes, name: str
) -> None:
    found = brought(station, name, data)
    assert bool(found.article) != bool(found.problems)
    if found.article:
        assert found.article.read_text("utf-8").startswith("---\nid: ")
        station.problems()
        found.article.unlink()


@given(st.text(alphabet="#-+=*>|\\[]()<>`~&;!_1.)一、（） \t\nab提示", max_size=80))
def test_a_plain_texts_words_are_the_pages_words(text: str) -> None:
    """No sign that somebody typed means anything but itself, save that numbers and dots make lists."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    [shown] = markdown.render([outlined(typed(text), "")])
    words = unescape(re.sub(r"<[^>]*>", "", shown))
    kept = [re.sub(r"^(?:\d{1,2}[.．](?!\d)|[-*](?= ))[ \t]*(?=\S)", "", line) for line in lines]
    assert "".join(words.split()) == "".join("".join(kept).split())
