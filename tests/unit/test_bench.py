"""What measurements found is kept in docs/performance.md, and what people wrote beside it stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench.report import HELD, KEPT, Bar, Conditions, Table, grid, keep

DOCS = """# Performance

<!-- bars -->
<!-- end of bars -->

A note on sending.

<!-- send -->
Not measured yet.
<!-- end of send -->

Where the time goes | by hand.

<!-- build-9 -->
old
<!-- end of build-9 -->
"""
QUIET = Conditions(
    command="python -m bench.send",
    at=datetime(2026, 11, 22, tzinfo=UTC),
    load=0.1,
    before=0.0,
    meanwhile=0.04,
)
TABLE = Table(
    key="send",
    title="A broadcast",
    columns=("", "seconds"),
    rows=[["ours", "9.50"], ["重发", "11.25"]],
    note="Medians of 3.",
    conditions=QUIET,
    bars={Bar.ALERT: 1.2, Bar.APPRISE: 42.0},
)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    file = tmp_path / "performance.md"
    file.write_text(DOCS, "utf-8")
    return file


def row(docs: Path, bar: Bar) -> list[str]:
    """What the table of bars says of it."""
    bars = docs.read_text("utf-8").split("<!-- end of bars -->")[0]
    (line,) = [line for line in bars.splitlines() if f"| {bar.what} " in line]
    return [cell.strip() for cell in line.split("|")[3:-1]]


def test_a_table_that_is_kept_twice_is_there_once(docs: Path) -> None:
    assert keep(TABLE, docs)
    once = docs.read_text("utf-8")
    assert keep(TABLE, docs)
    assert docs.read_text("utf-8") == once
    assert once.count("### A broadcast\n") == 1
    assert "Not measured yet." not in once


def test_what_is_written_by_hand_and_every_other_table_stay(docs: Path) -> None:
    keep(TABLE, docs)
    text = docs.read_text("utf-8")
    for part in DOCS.split("<!-- send -->")[1].split("<!-- end of send -->")[1:]:
        assert part in text
    assert text.startswith("# Performance\n\n<!-- bars -->\n")
    assert "\n<!-- end of bars -->\n\nA note on sending.\n\n<!-- send -->\n### A broadcast\n" in text


def test_a_table_without_a_place_leaves_the_file_as_it_is(docs: Path) -> None:
    assert not keep(replace(TABLE, key="send-2000"), docs)
    assert docs.read_text("utf-8") == DOCS


def test_a_bar_says_what_was_measured_whether_that_is_enough_and_under_which_load(docs: Path) -> None:
    keep(TABLE, docs)
    assert row(docs, Bar.ALERT) == ["≤ 1.35 ×", "1.2 ×", "met", QUIET.loads]
    assert row(docs, Bar.APPRISE)[1:3] == ["42 ×", "**missed**"]


def test_a_measurement_renews_its_own_bars_alone(docs: Path) -> None:
    keep(TABLE, docs)
    loud = replace(QUIET, meanwhile=1.5)
    keep(replace(TABLE, conditions=loud, bars={Bar.ALERT: 1.5}), docs)
    assert row(docs, Bar.ALERT)[1:] == ["1.5 ×", "**missed**", loud.loads]
    assert row(docs, Bar.APPRISE)[1] == "42 ×"
    assert row(docs, Bar.LATE)[1] == "not measured"


def test_figures_taken_while_others_worked_are_marked() -> None:
    assert "⚠" not in QUIET.loads
    assert "⚠" in replace(QUIET, before=0.6).loads
    assert "⚠" in replace(QUIET, meanwhile=0.6).loads


def test_every_bar_has_a_row_and_those_that_tests_hold_name_them() -> None:
    rows = {bar: row(KEPT, bar) for bar in Bar}
    assert {bar.number for bar in rows} == set(range(1, 9))
    assert [bar for bar, cells in rows.items() if cells[0] != bar.wanted] == []
    root = KEPT.parents[1]
    for bar, files in HELD.items():
        assert rows[bar][-1] == files
        assert all((root / file).is_file() for file in files.split(", "))


def test_a_table_is_one_in_markdown_and_in_a_terminal() -> None:
    assert grid(TABLE.columns, TABLE.rows) == (
        "|      | seconds |\n"
        "|------|--------:|\n"
        "| ours |    9.50 |\n"
        "| 重发 |   11.25 |"
    )  # fmt: skip
