"""What taking deliveries costs, by SQLite's own account of it: under load a table walked through is felt first."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.dialects import sqlite

from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.outbox.statements import CLAIM


def test_a_claim_finds_all_that_it_reads_by_an_index(tmp_path: Path) -> None:
    Outbox(f"sqlite:///{tmp_path}/outbox.db").close()
    # What stands for a list of values is one of them here.
    written = re.sub(r"__\[POSTCOMPILE_\w+\]", "?", str(CLAIM.compile(dialect=sqlite.dialect())))  # type: ignore[no-untyped-call]
    with closing(sqlite3.connect(tmp_path / "outbox.db")) as database:
        plan = database.execute(f"EXPLAIN QUERY PLAN {written}", [0] * written.count("?"))
        steps = [step[3] for step in plan]
    assert any("delivery_due" in step for step in steps), steps
    walked = [step for step in steps if step.startswith("SCAN") and step != "SCAN due"]
    assert not walked, walked
    assert not any("ORDER BY" in step for step in steps), steps
