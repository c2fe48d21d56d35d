"""One scheduler a station, whatever dies: real processes, the sandbox as witness."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gengfu_scheduler.draft import draft_push
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import RosterFiles
from gengfu_scheduler.sandbox import Robot, Sandbox
from gengfu_scheduler.state import running
from gengfu_site.catalogue import Catalogue, dumps
from watch import STATION, tip

GROUPS = 120
READY, WAITING = "开始值更", "待命"


@contextmanager
def scheduler(folder: Path, database: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``gengfu run``, killed at the end if it still lives."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from gengfu_scheduler.cli import main; main()",
            "run",
            "--listen",
            "off",
            *options,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "GENGFU_DATABASE": database},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        assert process.stdout
        process.stdout.close()
        process.wait()


def says(process: subprocess.Popen[str], words: str) -> None:
    """Wait until ``process`` says so."""
    assert process.stdout
    heard = []
    for line in process.stdout:
        heard.append(line)
        if words in line:
            return
    raise AssertionError("".join(heard))


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def write_station(folder: Path, sandbox: Sandbox, *entries: str) -> None:
    (folder / "public").mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    tips = tuple(replace(tip(id), published=now, updated=now) for id in entries)
    files = {
        "public/catalogue.json": dumps(Catalogue(station=STATION, entries=tips)),
        "timetable.yml": 'hosts: [127.0.0.1]\nslots:\n  hand: {title: 提示, at: "08:00", pick: {repeat: 0}}\n',
        "groups.csv": "id,name,reach,platform,joined\n"
        + "".join(f"g{n},{n} 号群,webhook,wecom,2026-01-01\n" for n in range(GROUPS)),
        "webhooks.csv": "id,webhook\n" + "".join(f"g{n},{sandbox.webhook(f'g{n}')}\n" for n in range(GROUPS)),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "webhooks.csv").chmod(0o600)


def push(folder: Path, outbox: Outbox) -> str:
    """Plan a digest for every group; its key."""
    now = datetime.now(UTC)
    draft = draft_push("hand", RosterFiles(folder, {}).read(), outbox.told, now)
    assert outbox.plan(draft.broadcast, draft.planned, now=now) == GROUPS
    return draft.broadcast.key


def over(outbox: Outbox, key: str) -> bool:
    known = outbox.broadcast(key)
    return known is not None and not known.open


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    robots = [Robot(platform="wecom", key=f"g{n}", name=f"{n} 号群") for n in range(GROUPS)]
    with Sandbox(robots, store=tmp_path / "witness.jsonl") as sandbox:
        yield sandbox


def test_of_two_schedulers_one_sends_and_the_other_takes_over_when_it_is_killed(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Both are started at once; nothing is told twice, before the kill, at it or afterwards."""
    folder, database = tmp_path / "station", f"sqlite:///{tmp_path / 'outbox.sqlite3'}"
    write_station(folder, sandbox, "a")
    with ExitStack() as stack:
        outbox = stack.enter_context(Outbox(database))
        both = [stack.enter_context(scheduler(folder, database, "--standby")) for _n in range(2)]
        until(lambda: running(folder) is not None)
        holder = running(folder)
        assert holder
        first, second = sorted(both, key=lambda process: process.pid != holder.pid)
        says(first, READY)
        says(second, WAITING)
        key = push(folder, outbox)
        sandbox.wait_for(GROUPS // 3, seconds=30)
        first.kill()
        says(second, READY)
        until(lambda: over(outbox, key))
        after = running(folder)
        assert after
        assert after.pid == second.pid
        unknown = {d.group for d in outbox.deliveries(key) if d.state == "unknown"}
    heard = Counter(received.robot for received in sandbox.messages() if received.seen)
    assert set(heard.values()) == {1}
    assert heard.keys() | unknown == {f"g{n}" for n in range(GROUPS)}


def test_a_second_one_is_refused_with_host_and_process_of_the_first(tmp_path: Path, sandbox: Sandbox) -> None:
    folder, database = tmp_path / "station", f"sqlite:///{tmp_path / 'outbox.sqlite3'}"
    write_station(folder, sandbox)
    with scheduler(folder, database) as first:
        says(first, READY)
        with scheduler(folder, database) as second:
            says(second, f"进程 {first.pid}，从 2")
            assert second.wait(60) == 1
        with scheduler(folder, database, "--standby") as third:
            says(third, WAITING)
            third.terminate()
            assert third.wait(60) == 0


def test_on_one_database_a_second_machine_stands_by(
    tmp_path: Path, sandbox: Sandbox, postgresql: str
) -> None:
    """Two folders are two machines: neither sees the other's lock."""
    for name in ("here", "there"):
        write_station(tmp_path / name, sandbox)
    with scheduler(tmp_path / "here", postgresql) as here:
        says(here, READY)
        with scheduler(tmp_path / "there", postgresql) as refused:
            says(refused, "gengfu run --standby")
            assert refused.wait(60) == 1
        with scheduler(tmp_path / "there", postgresql, "--standby") as there:
            says(there, WAITING)
            here.kill()
            says(there, READY)


def test_what_a_person_sends_elsewhere_the_one_that_sends_delivers_and_that_is_said(
    tmp_path: Path, sandbox: Sandbox, postgresql: str
) -> None:
    """Nobody is told to start another one, which would be refused."""
    for name in ("here", "there"):
        write_station(tmp_path / name, sandbox, "d")

    def there(*words: str) -> str:
        command = [sys.executable, "-c", "from gengfu_scheduler.cli import main; main()", *words]
        database = {"GENGFU_DATABASE": postgresql}
        done = subprocess.run(
            command, cwd=tmp_path / "there", env={**os.environ, **database}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    with scheduler(tmp_path / "here", postgresql) as here:
        says(here, READY)
        said = there("push", "hand")
        assert "另一台机器" in said
        assert Counter(message.robot for message in sandbox.messages()) == {f"g{n}": 1 for n in range(GROUPS)}
        said = there("status")
    assert "另一台机器" in said
    assert "gengfu run" not in said
