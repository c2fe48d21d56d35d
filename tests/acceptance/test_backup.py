"""A backup made in the middle of a broadcast, restored after a kill -9: what may have arrived is not sent again."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import RosterFiles
from gengfu_scheduler.sandbox import Robot, Sandbox
from installed import Installed
from kills import GROUPS, draft_of, named_unknown, running, until, write_station

WAITING = range(100, 150)
"""Groups whose platform says: not now."""
UNDER_WAY = range(150, 160)
"""Groups that see the message while nobody hears of it."""


def test_what_waited_or_was_under_way_is_named_and_told_to_nobody_twice(
    installed: Installed, tmp_path: Path
) -> None:
    folder, again = tmp_path / "station", tmp_path / "again"
    folder.mkdir()
    robots = [Robot(platform="wecom", key=f"k0-{n}", name=f"{n} 号群") for n in range(GROUPS)]
    with Sandbox(robots, store=tmp_path / "witness.jsonl") as sandbox:
        for numbers, fault in ((WAITING, "http-429"), (UNDER_WAY, "silent")):
            for n in numbers:
                sandbox.fail(f"k0-{n}", fault)
        write_station(folder, sandbox, kills=1)
        (folder / "public/.gengfu-site").touch()  # as a build marks what it made
        (folder / ".gengfu").mkdir(mode=0o700)
        with Outbox(f"sqlite:///{folder / '.gengfu/outbox.sqlite3'}") as outbox:
            draft = draft_of(0, RosterFiles(folder, {}).read(), outbox)
            key = draft.broadcast.key
            with running(installed, folder) as scheduler:
                outbox.plan(draft.broadcast, draft.planned, now=datetime.now(UTC))
                rest = {"sent": GROUPS - len(WAITING) - len(UNDER_WAY), "pending": len(WAITING)}
                until(lambda: _counts(outbox, key) == {**rest, "sending": len(UNDER_WAY)}, seconds=120)
                installed.run("gengfu", "backup", "../backup.tar.gz", "--with", "webhooks", cwd=folder)
                os.kill(scheduler.pid, signal.SIGKILL)
                scheduler.wait()
        seen = Counter(message.robot for message in sandbox.messages() if message.seen)
        installed.run("gengfu", "restore", "backup.tar.gz", "again", cwd=tmp_path)
        shutil.copytree(folder / "public", again / "public")  # as a build would make it anew
        with running(installed, again), Outbox(f"sqlite:///{again / '.gengfu/outbox.sqlite3'}") as outbox:
            until(lambda: _counts(outbox, key).keys() == {"sent", "unknown"}, seconds=120)
            assert named_unknown(installed, again) == {(key, f"k0-{n}") for n in (*WAITING, *UNDER_WAY)}
        assert Counter(message.robot for message in sandbox.messages() if message.seen) == seen
        assert set(seen.values()) == {1}
    assert "没有发现改动" in installed.run("gengfu", "audit", "verify", cwd=again).stdout


def _counts(outbox: Outbox, key: str) -> dict[str, int]:
    status = outbox.broadcast(key)
    return {state: number for state, number in status.counts.items() if number} if status else {}
