"""The audit log: what was written stays provable, whoever edits the file and whenever a crash comes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_site import audit
from gengfu_site.audit import append, read, verify
from stations import AT


def log_of(station: Path) -> Path:
    return station / "audit" / "log.jsonl"


def written(station: Path, count: int = 5) -> list[bytes]:
    """The lines of a log of so many records."""
    for number in range(1, count + 1):
        append(
            station,
            AT,
            "李警官",
            "alert.send",
            {"id": "A2B3C", "groups": number, "held": ["群 a", None, True]},
        )
    return log_of(station).read_bytes().splitlines(keepends=True)


def found(station: Path, lines: list[bytes], head: str | None = None) -> list[tuple[int, str]]:
    """What is found where ``lines`` stand in place of what was written."""
    log_of(station).write_bytes(b"".join(lines))
    return [(found.line, found.what) for found in verify(station, head)]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = append(tmp_path, AT, "李警官", "alert.resolve", {"id": "A2B3C", "state": "resolved"})
    assert read(tmp_path) == [made]
    assert (made.number, made.at, made.who, made.previous) == (1, AT, "李警官", "")


def test_a_record_is_one_line_of_canonical_json_with_the_hash_of_the_one_before(tmp_path: Path) -> None:
    first = append(tmp_path, AT, "王", "a", {"z": 1, "b": '"\n'})
    second = append(tmp_path, AT, "王", "b", {})
    assert log_of(tmp_path).read_text("utf-8").splitlines() == [
        '{"action":"a","at":"2026-11-21T00:00:00+00:00","details":{"b":"\\"\\n","z":1},'
        f'"hash":"{first.hash}","number":1,"previous":"","who":"王"}}',
        '{"action":"b","at":"2026-11-21T00:00:00+00:00","details":{},'
        f'"hash":"{second.hash}","number":2,"previous":"{first.hash}","who":"王"}}',
    ]


def test_a_log_nobody_touched_has_no_break_and_no_log_has_none(tmp_path: Path) -> None:
    assert (read(tmp_path), verify(tmp_path)) == ([], [])
    assert not log_of(tmp_path).parent.exists()  # looking makes nothing
    written(tmp_path)
    assert verify(tmp_path, head=read(tmp_path)[-1].hash) == []


def test_each_kind_of_change_is_named_at_its_line(tmp_path: Path) -> None:
    a, b, c, d, e = written(tmp_path)
    assert found(tmp_path, [a, b, c.replace(b'"groups":3', b'"groups":9'), d, e]) == [(3, "edited")]
    assert found(tmp_path, [a, b, c, d, e.replace("李".encode(), "王".encode())]) == [(5, "edited")]
    assert found(tmp_path, [a, b, d, e]) == [(3, "removed")]
    assert found(tmp_path, [b, c, d, e]) == [(1, "removed")]
    assert found(tmp_path, [a, b, b"{}\n", c, d, e]) == [(3, "inserted")]
    assert found(tmp_path, [a, b, c, b, d, e]) == [(4, "inserted")]
    assert found(tmp_path, [a, c, b, d, e]) == [(2, "reordered"), (3, "reordered")]
    assert found(tmp_path, [a, b, c, d, e[:40]]) == [(5, "torn")]


def test_a_record_written_anew_with_its_own_right_hash_breaks_the_chain(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    a, b, c = written(one, 3)
    append(other, AT, "李警官", "alert.send", {"id": "A2B3C", "groups": 1, "held": ["群 a", None, True]})
    append(other, AT, "别人", "alert.send", {})
    forged = log_of(other).read_bytes().splitlines(keepends=True)[1]
    assert found(one, [a, forged, c]) == [(2, "edited")]
    assert found(one, [a, b, c]) == []


def test_an_end_cut_off_is_found_only_by_a_hash_noted_elsewhere(tmp_path: Path) -> None:
    a, b, c, *_cut = written(tmp_path)
    head = read(tmp_path)[-1].hash
    assert found(tmp_path, [a, b, c]) == []
    assert found(tmp_path, [a, b, c], head) == [(4, "cut")]


@given(data=st.data())
def test_any_single_edit_is_found(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = written(Path(folder), 3)
        head = read(Path(folder))[-1].hash
        before = b"".join(lines)
        begin = data.draw(st.integers(0, len(before)))
        end = data.draw(st.integers(begin, len(before)))
        put = data.draw(st.binary(max_size=30) | st.sampled_from([*lines, b" ", b"\r", b"\n"]))
        after = before[:begin] + put + before[end:]
        assert bool(found(Path(folder), [after], head)) == (after != before)
        whole_lines_cut = before.startswith(after) and (not after or after.endswith(b"\n"))
        assert bool(found(Path(folder), [after])) != whole_lines_cut


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_half_a_line_of_a_crash_is_kept_aside_and_named_by_the_next_record(tmp_path: Path, cut: int) -> None:
    *whole, last = written(tmp_path)
    log_of(tmp_path).write_bytes(b"".join([*whole, last[:cut]]))
    append(tmp_path, AT, "李警官", "alert.cancel", {})
    *_before, torn, newest = read(tmp_path)
    assert (torn.action, torn.details["bytes"], newest.action) == (
        audit.TORN,
        len(last[:cut]),
        "alert.cancel",
    )
    assert (tmp_path / "audit" / torn.details["kept"]).read_bytes() == last[:cut]
    assert verify(tmp_path, newest.hash) == []


def test_a_line_made_unreadable_holds_up_nobody_and_stays_named(tmp_path: Path) -> None:
    *whole, last = written(tmp_path)
    log_of(tmp_path).write_bytes(b"".join([*whole, last.replace(b"{", b"[")]))
    append(tmp_path, AT, "李警官", "alert.cancel", {})
    assert [(found.line, found.what) for found in verify(tmp_path)] == [(5, "inserted")]


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gengfu_site.audit import append
for _turn in range(20):
    append(Path(sys.argv[1]), datetime.now(UTC), "王", "push", {})
"""


def test_processes_take_turns(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)]) for _writer in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert [record.number for record in read(tmp_path)] == list(range(1, 61))
    assert verify(tmp_path) == []


def test_a_log_that_cannot_be_written_is_said_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file in the folder's place")
    with pytest.raises(audit.AuditFailed, match="操作记录"):
        append(tmp_path, AT, "王", "push", {})


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        append(tmp_path, AT.replace(tzinfo=None), "王", "push", {})


@given(data=st.data())
def test_what_was_read_before_and_what_came_since_are_what_all_of_it_is(data: st.DataObject) -> None:
    """Whatever lines stand in the log by now: either something before the mark was changed, or nothing is read twice."""
    with tempfile.TemporaryDirectory() as folder:
        station = Path(folder)
        lines = [*written(station, 5), b"{}\n", b"\n"]
        before = data.draw(st.lists(st.sampled_from(lines), max_size=4) | st.just(lines[:3]))
        log_of(station).write_bytes(b"".join(before) + data.draw(st.sampled_from([b"", lines[0][:9]])))
        read_then = audit.unbroken_since(station, audit.START)
        assert read_then
        after = data.draw(st.lists(st.sampled_from(lines), max_size=4) | st.just(lines[3:5]))
        kept = data.draw(st.sampled_from([before, before, before[:-1], before[1:]]))
        log_of(station).write_bytes(b"".join([*kept, *after]))
        grown = audit.unbroken_since(station, read_then.mark)
        if b"".join([*kept, *after]).startswith(b"".join(before)):
            assert grown
        if grown:
            assert [*read_then.settled, *grown.settled, *grown.newest] == audit.unbroken(station)
