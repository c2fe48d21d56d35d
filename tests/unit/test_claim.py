"""What the outbox asks most often or of most rows, by SQLite's own account of it: under load a table walked through is
felt first, and with a year's rows each that is looked at in vain.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite

from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.outbox.statements import CLAIM

Steps = Callable[[ClauseElement], list[str]]


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    """How SQLite goes about a statement."""
    Outbox(f"sqlite:///{tmp_path}/outbox.db").close()

    def of(statement: ClauseElement) -> list[str]:
        # What stands for a list of values is one of them here.
        compiled = str(statement.compile(dialect=sqlite.dialect()))
        written = re.sub(r"__\[POSTCOMPILE_\w+\]", "?", compiled)
        with closing(sqlite3.connect(tmp_path / "outbox.db")) as database:
            plan = database.execute(f"EXPLAIN QUERY PLAN {written}", [0] * written.count("?"))
            return [step[3] for step in plan]

    return of


def test_a_claim_finds_all_that_it_reads_by_an_index(steps: Steps) -> None:
    claim = steps(CLAIM)
    assert any("delivery_due" in step for step in claim), claim
    walked = [step for step in claim if step.startswith("SCAN") and step != "SCAN due"]
    assert not walked, walked
    assert not any("ORDER BY" in step for step in claim), claim
