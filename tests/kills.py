"""kill -9 of ``gengfu run`` at random moments of broadcasts, and what the sandbox saw of it.

Each broadcast goes to groups of its own, on all platforms in turn: digests and, by turns, alerts of several
parts. The next one is planned as soon as the scheduler is up again, while it still has the last one's rest.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gengfu_scheduler.alerts import draft_alert
from gengfu_scheduler.draft import Draft, draft_push
from gengfu_scheduler.message import Delivery
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import Roster, RosterFiles
from gengfu_scheduler.sandbox import Received, Robot, Sandbox
from gengfu_scheduler.timetable import Target
from gengfu_site.catalogue import Catalogue, dumps
from installed import Installed
from watch import STATION, alert, tip

GROUPS = 300
PLATFORMS = ("wecom", "dingtalk", "feishu", "slack", "discord", "teams", "generic")
LONG = "".join(f"第{n}条线索：请留意身穿红色羽绒服的老人。" for n in range(320))
"""Too long for one message of any platform that has a limit."""


@dataclass(kw_only=True)
class Toll:
    """What some kills cost."""

    seen: int = 0
    """Messages that groups saw."""
    stranded: list[int] = field(default_factory=list)
    """Deliveries that were on their way, of each kill."""
    unknown: int = 0
    """Deliveries whose fate is unknown in the end."""
    resent: int = 0
    """Deliveries that were sent a second time."""
    seconds: float = 0.0
    amiss: list[str] = field(default_factory=list)
    """What was promised and does not hold: whom it befell, and how."""


def kill_often(installed: Installed, folder: Path, *, kills: int, seed: int) -> Toll:
    """``kills`` broadcasts from a station made in ``folder``, with a kill during each."""
    chance, toll, start = random.Random(seed), Toll(), time.monotonic()
    robots = [
        Robot(platform=PLATFORMS[n % len(PLATFORMS)], key=_group(kill, n), name=f"{kill}-{n} 号群")
        for kill in range(kills)
        for n in range(GROUPS)
    ]
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(robots, store=folder / "witness.jsonl"))
        write_station(folder, sandbox, kills)
        roster = RosterFiles(folder, {}).read()
        (folder / ".gengfu").mkdir(mode=0o700)
        outbox = stack.enter_context(Outbox(f"sqlite:///{folder / '.gengfu/outbox.sqlite3'}"))
        drafts = []
        for kill in range(kills):
            with running(installed, folder) as scheduler:
                drafts.append(draft_of(kill, roster, outbox))
                outbox.plan(drafts[-1].broadcast, drafts[-1].planned, now=datetime.now(UTC))
                # Not among the last: those of many parts wait for their group's turn.
                posts = sum(len(planned.messages) for planned in drafts[-1].planned) * 3 // 4
                sandbox.wait_for(len(sandbox.messages()) + chance.randrange(posts), seconds=180)
                os.kill(scheduler.pid, signal.SIGKILL)
                scheduler.wait()
            toll.stranded.append(sum(s.counts.get("sending", 0) for s in outbox.broadcasts(limit=kills)))
        with running(installed, folder):
            until(lambda: not any(status.open for status in outbox.broadcasts(limit=kills)), seconds=180)
        named = named_unknown(installed, folder)
        for draft in drafts:
            _judge(draft, outbox, sandbox, named, toll)
    toll.seconds = time.monotonic() - start
    return toll


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
        else:
            raise AssertionError("the scheduler did not start")
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def until(done: Callable[[], bool], seconds: float = 30) -> None:
    """Return when ``done()``; fail when it is not in time."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def _group(kill: int, number: int) -> str:
    return f"k{kill}-{number}"


def write_station(folder: Path, sandbox: Sandbox, kills: int) -> None:
    alerts = [alert(f"A{n:04}", title=f"寻人{n}", summary=LONG, expires=None) for n in range(1, kills, 2)]
    catalogue = Catalogue(station=STATION, entries=(tip("T0001"), *alerts))
    slots = (
        f'  s{kill}: {{title: 提示{kill}, at: "08:00", pick: {{fresh: 3650d, repeat: 0}}, late: 12h, '
        f"to: {{groups: [{', '.join(_group(kill, n) for n in range(GROUPS))}]}}}}\n"
        for kill in range(0, kills, 2)
    )
    robots = sandbox.robots()
    groups = (f"{robot.key},{robot.name},webhook,{robot.platform},2026-01-01\n" for robot in robots)
    files = {
        "public/catalogue.json": dumps(catalogue),
        "timetable.yml": "hosts: [127.0.0.1]\nslots:\n" + "".join(slots),
        "groups.csv": "id,name,reach,platform,joined\n" + "".join(groups),
        "webhooks.csv": "id,webhook\n" + "".join(f"{r.key},{sandbox.webhook(r.key)}\n" for r in robots),
    }
    (folder / "public").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "webhooks.csv").chmod(0o600)


def draft_of(kill: int, roster: Roster, outbox: Outbox) -> Draft:
    """A digest and, the next time, an alert, each for the groups of this kill."""
    now = datetime.now(UTC)
    if kill % 2 == 0:
        return draft_push(f"s{kill}", roster, outbox.told, now)
    entry = next(entry for entry in roster.catalogue.entries if entry.id == f"A{kill:04}")
    meant = Target(groups=tuple(_group(kill, n) for n in range(GROUPS)))
    return draft_alert(entry, roster, now, to=meant)


def named_unknown(installed: Installed, folder: Path) -> set[tuple[str, str]]:
    """Broadcast and group of whatever ``gengfu status`` says to be unknown."""
    status = json.loads(installed.run("gengfu", "status", "--json", cwd=folder).stdout)
    return {
        (told["key"], one["group"])
        for told in status["broadcasts"]
        for one in told["look_at"]
        if one["state"] == "unknown"
    }


def _judge(draft: Draft, outbox: Outbox, sandbox: Sandbox, named: set[tuple[str, str]], toll: Toll) -> None:
    """Hold what the groups saw of ``draft`` against what the outbox says, and against the promises."""
    key, form = draft.broadcast.key, draft.broadcast.form
    parts: defaultdict[str, dict[int, Delivery]] = defaultdict(dict)
    for delivery in outbox.deliveries(key):
        parts[delivery.group][delivery.part] = delivery
    for planned in draft.planned:
        group, own = planned.group, parts[planned.group]
        seen = [_read(received) for received in sandbox.messages(group) if received.seen]
        marked = {part for part, resent in seen if resent}
        sent = {part for part, delivery in own.items() if delivery.state == "sent"}
        unknown = {part for part, delivery in own.items() if delivery.state == "unknown"}
        second = {part for part, delivery in own.items() if delivery.resent}
        broken = {
            "not planned whole": len(own) != len(planned.messages),
            "lost": not sent <= {part for part, _resent in seen},
            "neither sent nor unknown": own.keys() != sent | unknown,
            "unknown without its name": bool(unknown) and (key, group) not in named,
            "told twice unmarked, or out of order": seen != sorted(set(seen)),
            "marked without need": not marked <= second,
            "a digest told again": form == "digest" and bool(second),
        }
        toll.amiss += [f"{key} {group}: {what}, {seen}" for what, is_so in broken.items() if is_so]
        toll.seen += len(seen)
        toll.unknown += len(unknown)
        toll.resent += len(second)


def _read(received: Received) -> tuple[int, bool]:
    """Which part it is, and whether it is marked as sent again."""
    text = received.body.decode()
    if received.platform == "generic":
        told = json.loads(text)["data"]
        return told["part"], told["resent"]
    number = re.search(r"（(\d+)/\d+）", text)
    return int(number[1]) if number else 1, "【重发】" in text
