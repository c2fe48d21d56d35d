"""From a built station to the groups, as a station does it: against the sandbox, through the installed command."""

from __future__ import annotations

import json
import os
import random
import re
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
        [installed.bin / "gengfu", "sandbox", "--port", "0"],
        cwd=folder,
        env=installed.environ(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sandbox.stdout
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", sandbox.stdout.readline())
        assert found
        addresses = folder / "webhooks.csv"
        addresses.write_text(addresses.read_text().replace(":8780/", f":{found[1]}/"))
        done = installed.run("gengfu", "push", "services", "--yes", "--json", cwd=folder)
    finally:
        sandbox.terminate()
        sandbox.stdout.close()
        sandbox.wait()
    told = json.loads(done.stdout)
    assert told["counts"]["sent"] == told["confirmed"] > 5
    assert told["look_at"] == []
    pages = {str(page) for page in (folder / ".gengfu/tasks").glob("*.html")}
    assert {task["page"] for task in told["tasks"]} == pages != set()


def test_the_demo_shows_whatever_station_is_valid(installed: Installed, station: StationFolder) -> None:
    """One without notices or videos, with groups.yml, quiet hours and an alert that concerns no group."""
    station.article()
    alert = {"kind": "alert", "id": "F7K2R", "areas": "[河东]", "expires": "2099-01-01"}
    station.article("alert/fire.md", **alert, alert='{form: 火情, place: 一号楼, tell: "119"}')
    station.file(
        "groups.yml",
        "groups:\n- {id: a, name: 甲群, reach: webhook, platform: wecom, area: 青松路}\n"
        '- {id: b, name: 乙群, reach: hand, owner: 李警官, area: 青松路, quiet_hours: "00:00-23:59"}\n',
    )
    shown = installed.run("gengfu", "demo", "--once", cwd=station.folder).stdout
    assert "【甲群】企业微信" in shown
    assert "1 条消息已到群里" in shown
    assert "乙群（李警官）  每日平安提示" in shown


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
        assert first.stdout
        assert "已停止" in first.stdout.read()


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
                [installed.bin / "gengfu", "push", "hand", "--yes"],
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
