"""From a built station to the groups, as a station does it: against the sandbox, through the installed command."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gengfu_scheduler.sandbox import Robot, Sandbox
from installed import Installed
from stations import StationFolder

GROUPS = 200
KILLS = 20


@contextmanager
def running(installed: Installed, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """``gengfu run``, up and ready; killed at the end if it still lives."""
    process = subprocess.Popen(
        [installed.bin / "gengfu", "run"],
        cwd=folder,
        env={**installed.environ(), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        for line in process.stdout:
            if "开始值更" in line:
                break
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def until(done: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def status(installed: Installed, folder: Path) -> Any:
    return json.loads(installed.run("gengfu", "status", "--json", cwd=folder).stdout)


def test_a_new_station_pushes_to_the_sandbox_at_once(installed: Installed, tmp_path: Path) -> None:
    installed.run("gengfu", "init", "station", cwd=tmp_path)
    folder = tmp_path / "station"
    installed.run("gengfu", "build", cwd=folder)
    sandbox = subprocess.Popen(
        [installed.bin / "gengfu", "sandbox"],
        cwd=folder,
        env=installed.environ(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sandbox.stdout
    try:
        assert "8780" in sandbox.stdout.readline()
        done = installed.run("gengfu", "push", "services", "--json", cwd=folder)
    finally:
        sandbox.terminate()
        sandbox.stdout.close()
        sandbox.wait()
    told = json.loads(done.stdout)
    assert told["counts"]["sent"] == told["confirmed"] > 5
    assert {one["state"] for one in told["look_at"]} == {"handed"}
    assert list((folder / ".gengfu/tasks").glob("*.html"))


def test_a_dry_run_shows_everything_and_writes_nothing(installed: Installed, tmp_path: Path) -> None:
    installed.run("gengfu", "init", "station", cwd=tmp_path)
    folder = tmp_path / "station"
    installed.run("gengfu", "build", cwd=folder)
    assert "这是预演" in installed.run("gengfu", "push", "services", "--dry-run", cwd=folder).stdout
    assert status(installed, folder)["broadcasts"] == []


def test_a_second_scheduler_refuses_and_names_the_first(installed: Installed, tmp_path: Path) -> None:
    installed.run("gengfu", "init", "station", cwd=tmp_path)
    folder = tmp_path / "station"
    installed.run("gengfu", "build", cwd=folder)
    with running(installed, folder) as first:
        assert str(first.pid) in installed.run("gengfu", "run", cwd=folder, code=1).stderr
        first.send_signal(signal.SIGTERM)
        assert first.wait(10) == 0


@pytest.fixture
def town(installed: Installed, station: StationFolder) -> Iterator[tuple[Path, Sandbox]]:
    """A station with 200 groups on a sandbox, and one new article for each broadcast to come."""
    for n in range(KILLS):
        station.article(f"fraud/a{n}.md", id=f"F{n:04}", title=f"第{n}条", published=f"2026-11-20 09:{n:02}")
    with Sandbox(
        [Robot(platform="wecom", key=f"g{n}", name=f"{n} 号群") for n in range(GROUPS)],
        store=station.folder / "witness.jsonl",
    ) as sandbox:
        groups = [f"g{n},{n} 号群,webhook,wecom,2026-01-01\n" for n in range(GROUPS)]
        station.file("groups.csv", "id,name,reach,platform,joined\n" + "".join(groups))
        addresses = [f"g{n},{sandbox.webhook(f'g{n}')}\n" for n in range(GROUPS)]
        station.file("webhooks.csv", "id,webhook\n" + "".join(addresses)).chmod(0o600)
        station.file(
            "timetable.yml",
            "hosts: [127.0.0.1]\nslots:\n"
            '  hand: {title: 提示, at: "08:00", days: 每天, pick: {fresh: 3650d, new: 1, repeat: 0}, late: 12h}\n',
        )
        installed.run("gengfu", "build", cwd=station.folder)
        yield station.folder, sandbox


def test_twenty_kills_leave_every_group_told_once_or_named(
    installed: Installed, town: tuple[Path, Sandbox]
) -> None:
    """kill -9 of ``gengfu run`` at random moments of a push to 200 groups, then starting it again."""
    folder, sandbox = town
    chance = random.Random(20261121)
    unknowns = 0
    for n in range(KILLS):
        before = len(sandbox.messages())
        with running(installed, folder) as scheduler:
            push = subprocess.Popen(
                [installed.bin / "gengfu", "push", "hand"],
                cwd=folder,
                env=installed.environ(),
                stdout=subprocess.DEVNULL,
            )
            moment = before + chance.randrange(GROUPS)
            until(lambda moment=moment: len(sandbox.messages()) >= moment)
            os.kill(scheduler.pid, signal.SIGKILL)
            scheduler.wait()
        with running(installed, folder):
            push.wait(30)
            until(
                lambda: (
                    not {"pending", "sending"} & status(installed, folder)["broadcasts"][0]["counts"].keys()
                )
            )
        newest = status(installed, folder)["broadcasts"][0]
        named = {one["group"] for one in newest["look_at"] if one["state"] == "unknown"}
        heard = Counter(received.robot for received in sandbox.messages()[before:] if received.seen)
        assert set(heard.values()) <= {1}, f"told twice in broadcast {n}"
        assert {f"g{g}" for g in range(GROUPS)} <= heard.keys() | named, f"lost in broadcast {n}"
        assert newest["counts"].get("sent", 0) + len(named) == GROUPS
        unknowns += len(named)
    assert unknowns, "no kill came between request and answer: the test did not try what it is for"
