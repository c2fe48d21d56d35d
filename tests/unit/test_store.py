"""What earlier builds found out may be lost or damaged at any time: the next build is right all the same."""

from __future__ import annotations

import marshal
import os
import sqlite3
from collections import ChainMap
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from zlib import crc32

import pytest

from gengfu_site import readings
from gengfu_site import store as store_module
from gengfu_site.catalogue import dumped_entry
from gengfu_site.publish import publish
from gengfu_site.store import _CHUNKS, Store, Text, Values
from sites import clean, files
from stations import AT, StationFolder


def change(*queries: str) -> Callable[[Path], None]:
    def changed(store: Path) -> None:
        with closing(sqlite3.connect(store)) as connection, connection:
            for query in queries:
                connection.execute(query)

    return changed


def another_word(table: str, column: str, word: str, other: str) -> Callable[[Path], None]:
    """As a disk has it on which a bit went over to its neighbour."""

    def changed(store: Path) -> None:
        with closing(sqlite3.connect(store)) as connection, connection:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            wrong = [
                (found.replace(was, now), row)
                for row, found in rows
                for was, now in [(word, other) if isinstance(found, str) else (word.encode(), other.encode())]
                if found and was in found
            ]
            assert wrong
            connection.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", wrong)

    return changed


def rows_of(store: Store) -> dict[str, Values]:
    return dict(ChainMap(*store.readings()))


def in_the_way(store: Path) -> None:
    store.unlink()
    store.mkdir()


def cut_short(store: Path) -> None:
    with store.open("r+b") as opened:
        opened.truncate(store.stat().st_size // 2)


def of_another_program(store: Path) -> None:
    state = marshal.dumps(("another",))
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE states SET state = ?, sum = ?", (state, crc32(state)))


def no_such_statement(store: Path) -> None:
    """SQLite says which word it is, and that is no text any more."""
    data = store.read_bytes()
    assert b"CREATE TABLE texts" in data
    store.write_bytes(data.replace(b"CREATE TABLE texts", b"CREATE TABL\xff texts"))


TROUBLE: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "a folder": in_the_way,
    "empty": lambda store: store.write_bytes(b""),
    "no database": lambda store: store.write_bytes(b"else" * 2000),
    "cut short": cut_short,
    "no list of its tables": no_such_statement,
    "no readings": change("DROP TABLE chunks"),
    "no texts": change("DROP TABLE texts"),
    "half of the readings": change("UPDATE chunks SET rows = x'28'"),
    "unlike readings": change("UPDATE chunks SET rows = x'00'"),
    "a number for readings": change("UPDATE chunks SET rows = 1"),
    "no reading": change("UPDATE chunks SET rows = NULL"),
    "some readings lost": change("DELETE FROM chunks WHERE number = (SELECT max(number) FROM chunks)"),
    "some of the recipes lost": change("DELETE FROM chunks WHERE whole = 'made' AND number % 2"),
    "no states": change("DROP TABLE states"),
    "states of another program": of_another_program,
    "nothing worked out": change("DROP TABLE worked_out"),
    "half of what was worked out": change("UPDATE worked_out SET data = x'5b'"),
    "half a state": change("UPDATE states SET state = x'5b'"),
    "another title": another_word("chunks", "rows", "第2篇", "第7篇"),
    "another summary": another_word("chunks", "rows", "骗大钱", "骗小钱"),
    "another author": another_word("texts", "rest", "李警官", "王警官"),
    "another text": another_word("texts", "html", "正文", "正又"),
    "an earlier layout": change("ALTER TABLE chunks DROP COLUMN sum", "PRAGMA user_version = 0"),
    "another program's": change("UPDATE said SET value = 'another'"),
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_a_build_is_right_whatever_became_of_the_store(
    station: StationFolder, trouble: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_SETTLED", -(10**12))  # what was written just now is remembered, too
    for n in range(3):
        station.article(f"tip/t{n}.md", id=f"T000{n}", kind="tip", title=f"第{n}篇", author="李警官")
    station.article()
    publish(station.settings, AT)
    store = station.folder / readings.FILE
    known = readings.store_for(station.settings)
    assert len(rows_of(known)) == len(known.texts()) == 4
    trouble(store)
    (station.folder / "content/tip/t0.md").unlink()
    station.article("tip/t1.md", id="T0001", kind="tip", title="改了的题目")
    for _build in range(2):
        readings._held.cache_clear()  # as another process
        publish(station.settings, AT)
        assert files(station.settings.public) == clean(station)


def test_what_was_deleted_while_some_recipes_were_lost_is_made_when_it_comes_back(
    station: StationFolder,
) -> None:
    for n in range(30):  # so many that the release is changed file by file
        station.article(f"tip/t{n}.md", id=f"T{n:04}", kind="tip", title=f"第{n}篇")
    publish(station.settings, AT)
    deleted, lost = (crc32(f"article T000{n}".encode()) % _CHUNKS for n in (0, 1))
    assert deleted != lost
    change(f"UPDATE chunks SET sum = 0 WHERE whole = 'made' AND number = {lost}")(
        station.folder / readings.FILE
    )
    (station.folder / "content/tip/t0.md").unlink()
    publish(station.settings, AT)
    station.article("tip/t0.md", id="T0000", kind="tip", title="第0篇")
    publish(station.settings, AT)
    assert files(station.settings.public) == clean(station)


@pytest.mark.skipif(os.name == "nt", reason="no name can hold it there")
def test_a_name_that_holds_a_line_break_is_one_file(station: StationFolder) -> None:
    station.article("tip/a\nb.md", id="T0001", kind="tip")
    publish(station.settings, AT)
    assert files(station.settings.public) == clean(station)
    (station.folder / "content/tip/a\nb.md").unlink()
    publish(station.settings, AT)
    assert files(station.settings.public) == clean(station)


HANDS: dict[str, Callable[[bytes], bytes]] = {
    "another title": lambda data: data.replace("第2篇".encode(), "第7篇".encode()),
    "a line taken out": lambda data: b"".join([*data.splitlines(keepends=True)[:-3], b" ]\n}\n"]),
    "two lines exchanged": lambda data: b"\n".join(
        [*data.split(b"\n")[:-5], *data.split(b"\n")[-4:-6:-1], b" ]", b"}"]
    ),
    "something else": lambda data: b"{}",
}


@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
def test_a_catalogue_in_which_somebodys_hand_was_is_made_whole(
    station: StationFolder, hand: Callable[[bytes], bytes]
) -> None:
    for n in range(4):
        station.article(f"tip/t{n}.md", id=f"T000{n}", kind="tip", title=f"第{n}篇")
    publish(station.settings, AT)
    catalogue = station.settings.public / "catalogue.json"
    before = catalogue.read_bytes()
    catalogue.write_bytes(hand(before))
    assert catalogue.read_bytes() != before
    station.article("tip/t1.md", id="T0001", kind="tip", title="改了的题目")
    publish(station.settings, AT)
    assert files(station.settings.public) == clean(station)


def test_nothing_is_left_of_an_earlier_layout(tmp_path: Path) -> None:
    store = Store(file=tmp_path / "store", edition="this")
    store.keep_texts({"tip/a.md": Text("first", "<p>正文</p>", b"")})
    change("CREATE TABLE formerly (name TEXT)", "PRAGMA user_version = 0")(store.file)
    store.keep_readings({"tip/b.md": ("row",)}, ())
    with closing(sqlite3.connect(store.file)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert "formerly" not in {name for (name,) in tables}
    assert (store.texts(), rows_of(store)) == (set(), {"tip/b.md": ("row",)})


def test_what_was_kept_before_the_machine_began_anew_is_neither_known_nor_built_upon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(file=tmp_path / "store", edition="this")
    store.keep_readings({"tip/a.md": ("row",)}, (), {"tip/a.md": Text("first", "<p>正文</p>", b"")})
    monkeypatch.setattr(store_module, "boot_id", lambda: "another day")
    assert (store.texts(), rows_of(store)) == (set(), {})
    store.keep_readings({"tip/b.md": ("row",)}, ())
    assert (store.texts(), rows_of(store)) == (set(), {"tip/b.md": ("row",)})


def test_what_counts_no_more_and_cannot_be_deleted_is_not_built_upon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(file=tmp_path / "store", edition="this")
    store.keep_texts({"tip/a.md": Text("first", "<p>正文</p>", b"")})
    change("CREATE TABLE formerly (name TEXT)", "PRAGMA user_version = 0")(store.file)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Path, "unlink", held_open)
        store.keep_readings({"tip/b.md": ("row",)}, ())
    assert (store.texts(), rows_of(store)) == (set(), {})
    store.keep_readings({"tip/b.md": ("row",)}, ())
    assert (store.texts(), rows_of(store)) == (set(), {"tip/b.md": ("row",)})


@pytest.mark.skipif(os.name == "nt", reason="deletes no file that is open")
@pytest.mark.parametrize("begun", [False, True])
def test_whoever_was_writing_into_a_file_that_is_forgotten_spoils_nothing_of_the_next(
    tmp_path: Path, begun: bool
) -> None:
    store = Store(file=tmp_path / "store", edition="this")
    store.keep_readings({f"tip/t{n}.md": ("row" * 1000,) for n in range(100)}, ())
    with closing(sqlite3.connect(store.file)) as another:
        another.execute("PRAGMA cache_size = 1")
        another.execute("UPDATE chunks SET sum = 0" if begun else "SELECT * FROM chunks").fetchall()
        store.forget()
        store.keep_readings({"tip/b.md": ("row",)}, ())
        with pytest.raises(sqlite3.OperationalError), another:
            another.execute("UPDATE chunks SET rows = x'00'")
        assert [file.name for file in tmp_path.iterdir()] == ["store"]
    assert rows_of(store) == {"tip/b.md": ("row",)}


def test_of_a_release_made_from_one_that_was_forgotten_meanwhile_nothing_is_known(tmp_path: Path) -> None:
    """What is new is not all of it: whatever else goes later would stay public."""
    store = Store(file=tmp_path / "store", edition="this")
    store.keep_made("1", "", {"a": (None, "a.html"), "b": (None, "b.html")}, (), {})
    store.forget()
    store.keep_made("2", "1", {"b": (None, "b2.html")}, (), {})
    assert store.made("2") == {}


def held_open(_file: Path) -> None:
    """As by another program on Windows."""
    raise PermissionError


@pytest.mark.parametrize(("boot", "flushes"), [("today", 0), ("", 2)])
def test_nothing_is_flushed_where_one_sees_that_the_machine_began_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str, flushes: int
) -> None:
    monkeypatch.setattr(store_module, "boot_id", lambda: boot)
    found: list[tuple[int]] = []
    store = Store(file=tmp_path / "store", edition="this")
    store._change(lambda connection: found.extend(connection.execute("PRAGMA synchronous")))
    assert found == [(flushes,)]


def test_a_build_that_is_broken_off_leaves_no_text_of_what_is_deleted_then(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_SETTLED", -(10**12))  # as above
    monkeypatch.setattr(readings, "_MANY", 1)
    for n in range(4):
        station.article(f"tip/t{n}.md", id=f"T000{n}", kind="tip", title=f"第{n}篇")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Store, "keep_readings", broken_off)
        with pytest.raises(KeyboardInterrupt):
            publish(station.settings, AT)
    readings._held.cache_clear()
    store = readings.store_for(station.settings)
    assert "tip/t0.md" in store.texts()
    (station.folder / "content/tip/t0.md").unlink()
    publish(station.settings, AT)
    assert store.texts() == rows_of(store).keys() == {"tip/t1.md", "tip/t2.md", "tip/t3.md"}


def test_a_build_of_few_articles_that_is_broken_off_leaves_none_of_their_texts(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would know that it was there, and overwrite it, once its file is deleted."""
    monkeypatch.setattr(readings, "_SETTLED", -(10**12))  # as above
    station.article()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("gengfu_site.store._put", broken_off)
        with pytest.raises(KeyboardInterrupt):
            publish(station.settings, AT)
    store = readings.store_for(station.settings)
    assert (store.texts(), rows_of(store)) == (set(), {})
    readings._held.cache_clear()  # as another process
    publish(station.settings, AT)
    assert store.texts() == {"fraud/brushing.md"}


def broken_off(*_what: object) -> None:
    raise KeyboardInterrupt


def test_of_what_did_not_change_the_catalogue_says_what_it_said_and_a_person_searched_for_is_told_anew(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        station.article(f"tip/t{n}.md", id=f"T000{n}", kind="tip", title=f"第{n}篇")
    searching = '{form: 走失, place: 桃园社区, tell: "110"}'
    station.article("alert/child.md", id="A0001", kind="alert", expires="2026-12-01", alert=searching)
    publish(station.settings, AT)
    made: list[str] = []
    monkeypatch.setattr(
        "gengfu_site.output.dumped_entry", lambda entry: made.append(entry.id) or dumped_entry(entry)
    )
    station.article("tip/t1.md", id="T0001", kind="tip", title="改了的题目")
    publish(station.settings, AT)
    assert sorted(made) == ["A0001", "T0001"]
    assert files(station.settings.public) == clean(station)


def test_a_text_is_found_again_and_what_was_changed_since_is_not_while_the_store_stays_open(
    tmp_path: Path,
) -> None:
    store = Store(file=tmp_path / "store", edition="this")
    first, second = (Text(digest, f"<p>{digest}</p>", b"") for digest in ("first", "second"))
    store.keep_texts({"tip/a.md": first})
    with store.kept_open():
        assert store.text("tip/a.md", "first") == first
        store.keep_texts({"tip/a.md": second})
        assert store.text("tip/a.md", "first") is None
        assert store.text("tip/a.md", "second") == second
        store.forget()
    assert store.text("tip/a.md", "second") is None


def test_who_asks_beside_a_build_keeps_it_from_no_text(tmp_path: Path) -> None:
    """As a browser does of a preview that is being made."""
    store = Store(file=tmp_path / "store", edition="this")
    text = Text("first", "<p>正文</p>", b"")
    store.keep_texts({"tip/a.md": text})
    with ThreadPoolExecutor(1) as beside, store.kept_open():
        assert beside.submit(store.text, "tip/a.md", "first").result() == text
        assert store.text("tip/a.md", "first") == text
        assert beside.submit(store.text, "tip/a.md", "first").result() == text


def test_the_last_build_of_a_process_holds_nothing_and_makes_the_same(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_SETTLED", -(10**12))  # as above
    readings._held.cache_clear()
    for n in range(3):
        station.article(f"tip/t{n}.md", id=f"T000{n}", kind="tip", title=f"第{n}篇")
        publish(station.settings, AT, once=True)
        assert files(station.settings.public) == clean(station)
    assert readings._held(readings.store_for(station.settings)) == {}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may enter any folder")
def test_a_store_that_is_somebody_elses_is_not_known(station: StationFolder) -> None:
    station.article()
    publish(station.settings, AT)
    (station.folder / ".gengfu").chmod(0)
    readings._held.cache_clear()
    publish(station.settings, AT)
    (station.folder / ".gengfu").chmod(0o700)
    assert files(station.settings.public) == clean(station)


def test_what_a_process_was_writing_when_it_was_killed_is_taken_back(tmp_path: Path) -> None:
    rows = {f"tip/t{n}.md": ("row" * 1000,) for n in range(100)}
    Store(file=tmp_path / "store", edition="this").keep_readings(rows, ())
    with closing(sqlite3.connect(tmp_path / "store")) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("UPDATE chunks SET rows = x'00'")
        killed = Store(file=tmp_path / "killed", edition="this")
        for ending in ("", "-journal"):
            killed.file.with_name(f"killed{ending}").write_bytes((tmp_path / f"store{ending}").read_bytes())
    assert rows_of(killed) == rows


def test_nobody_else_writes_between_what_a_build_finds_in_the_store_and_what_it_writes(
    tmp_path: Path,
) -> None:
    store = Store(file=tmp_path / "store", edition="this")
    store.keep_readings({"tip/a.md": ("row",)}, ())

    def meanwhile() -> Iterator[str]:
        another = sqlite3.connect(store.file, timeout=0)
        with closing(another), pytest.raises(sqlite3.OperationalError, match="locked"):
            another.execute("UPDATE said SET value = 'another' WHERE name = 'edition'")
        yield "tip/b.md"

    store.keep_readings({"tip/a.md": ("changed",)}, meanwhile())
    assert rows_of(store) == {"tip/a.md": ("changed",)}


def test_what_is_read_is_of_the_edition_that_was_asked_for_whoever_writes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(file=tmp_path / "store", edition="this")
    store.keep_readings({"tip/a.md": ("row",)}, ())
    said = store_module._said

    def meanwhile(connection: sqlite3.Connection, name: str) -> str | None:
        found = said(connection, name)
        another = sqlite3.connect(store.file, timeout=0)
        with closing(another), pytest.raises(sqlite3.OperationalError, match="locked"), another:
            another.execute("UPDATE said SET value = 'another' WHERE name = 'edition'")
        return found

    monkeypatch.setattr(store_module, "_said", meanwhile)
    assert rows_of(store) == {"tip/a.md": ("row",)}
