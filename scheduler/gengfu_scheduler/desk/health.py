"""Whether the scheduler is well, for a monitoring program; figures only, no name, address or text."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from importlib.metadata import version

from gengfu_scheduler.desk.server import Answer
from gengfu_scheduler.outbox import Outbox, OutboxUnusable
from gengfu_scheduler.runner import Runner

STILL = timedelta(minutes=2)
"""How long the scheduler may be without a sign of life: longer than any single wait of its."""
OVERDUE = timedelta(minutes=5)
"""How long after its time what is due may still wait, for a large broadcast takes a while."""
LATELY = timedelta(days=1)


def examine(outbox: Outbox, runner: Runner, now: datetime) -> Answer:
    """The answer to monitoring: 200 while all is well, 503 with what is not."""
    try:
        pulse = outbox.pulse(overdue=now - OVERDUE, since=now - LATELY)
    except OutboxUnusable:
        pulse = None
    last = runner.last_look
    wrong = {
        "scheduler": last is None or not abs(now - last) <= STILL,
        "outbox": pulse is None,
        "overdue": pulse is not None and pulse.overdue > 0,
        "files": bool(runner.trouble),
    }
    trouble = [name for name, is_so in wrong.items() if is_so]
    figures = {
        "status": "trouble" if trouble else "ok",
        "trouble": trouble,
        "version": version("gengfu"),
        "now": now.isoformat(),
        "last_round": runner.last_round and runner.last_round.isoformat(),
        "last_look": last and last.isoformat(),
        "overdue": pulse and pulse.overdue,
        "unknown_24h": pulse and pulse.unknown,
        "disabled_groups": pulse and pulse.disabled,
        "clock_steps": runner.clock_steps,
    }
    return Answer(
        status=503 if trouble else 200,
        body=(json.dumps(figures, indent=1) + "\n").encode(),
        content_type="application/json",
    )
