"""A city's groups told at once: the scheduler with its ledger beside a bare loop without, and beside Apprise.

Alone: ``python -m bench.broadcast [GROUPS]``. The groups' platform is a stand-in (``bench.standin``) that answers every
post after 80 ms; each group has a robot of its own, so no platform's limit binds. All that is ours runs as it does at a
station: ``gengfu run`` and ``gengfu alert`` as processes, the outbox on disk. By turns, each time with new processes.
"""

from __future__ import annotations

import os
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pycurl

from bench import report
from bench.report import Bar, Begun, Table
from bench.standin import LATENCY, Seen, StandIn, standing_in
from gengfu_scheduler.deliver import DIGESTS, IN_FLIGHT
from gengfu_site.catalogue import AlertEntry, Area, Catalogue, Entry, Station, dumps

GROUPS = 20_000
HOSTS = 200
SLOTS = 50
ROUNDS = 3
SAMPLE = 500
"""Groups that Apprise tells: its rate is the same for any number, its patience is not."""
ZONE = ZoneInfo("Asia/Shanghai")
ALONE = "alert, no scheduler running"
BESIDE = {
    "alert": f"bare loop, {IN_FLIGHT} connections",
    ALONE: f"bare loop, {IN_FLIGHT} connections",
    "digest": f"bare loop, {DIGESTS} connections",
}
"""What each is compared with."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one broadcast took."""

    seconds: float
    """From the first post to the last answer."""
    ended: float = 0.0
    """From the first post until the ledger has every outcome."""
    first: float = 0.0
    """From the command until the first post."""
    memory: int = 0
    """Most bytes that the process which posted held."""


def measure(groups: int = GROUPS) -> Iterator[Table]:
    yield rates(groups)
    yield lateness(groups)


def rates(groups: int) -> Table:
    """By turns: an alert, a digest, and bare loops with as many connections, at one host and at 200."""
    begun = Begun(_again(groups))
    told = {hosts: _by_turns(groups, hosts) for hosts in (1, HOSTS)}
    with _station(SAMPLE, hosts=1) as (folder, platform):
        theirs = _apprise(folder, platform)
    apprise = [Told(seconds=theirs.seconds)]
    rows = [
        _row(f"{name}, {hosts} host{'s'[: hosts - 1]}", groups, runs, turns.get(BESIDE.get(name, ""), []))
        for hosts, turns in told.items()
        for name, runs in turns.items()
    ]

    def beside(name: str, hosts: int) -> float:
        return _median(told[hosts][name]) / _median(told[hosts][BESIDE[name]])

    return Table(
        key=f"broadcast-{groups}",
        title=f"A broadcast to {groups:,} groups",
        columns=(
            "",
            "seconds",
            "spread",
            "until all is written",
            "groups a second",
            "x bare loop",
            "first post, s",
            "MB",
        ),
        rows=[
            *rows,
            _row(f"Apprise, 1 host, {theirs.groups} of {SAMPLE} groups", theirs.groups, apprise, []),
        ],
        note=f"Seconds from the first post to the last answer, each after {LATENCY * 1000:.0f} ms; medians of {ROUNDS} runs by turns, "
        "each with processes of its own. First post: the latest, since a running scheduler can see it or the command was given.",
        conditions=begun.over(),
        bars={
            Bar.ALERT: beside("alert", 1),
            Bar.ALERT_HOSTS: beside("alert", HOSTS),
            Bar.DIGEST: beside("digest", 1),
            Bar.DIGEST_HOSTS: beside("digest", HOSTS),
            Bar.APPRISE: (groups / _median(told[1]["alert"])) / (theirs.groups / theirs.seconds),
            Bar.SEND_MEMORY: max(
                one.memory for turns in told.values() for runs in turns.values() for one in runs
            )
            / 1e6,
            Bar.FIRST: max(one.first for turns in told.values() for one in turns["alert"]),
            Bar.FIRST_ALONE: max(one.first for one in told[1][ALONE]),
        },
    )


def lateness(groups: int) -> Table:
    begun, late = Begun(_again(groups)), {}
    for spread in ("3m", "0m"):
        with _station(groups, hosts=1) as (folder, platform):
            late[spread] = _late(folder, platform, spread)
    return Table(
        key=f"late-{groups}",
        title=f"{SLOTS} slots at one minute, {groups:,} groups",
        columns=("first post after its time", "least, s", "median, s", "most, s"),
        rows=[
            [f"`spread: {spread}`", *(f"{of(seconds):.2f}" for of in (min, statistics.median, max))]
            for spread, seconds in late.items()
        ],
        note="One run each; each slot has groups of its own. Where nothing is said, the spread is 3m.",
        conditions=begun.over(),
        bars={Bar.LATE: max(max(seconds) for seconds in late.values())},
    )


def _again(groups: int) -> str:
    return "python -m bench.broadcast" + (f" {groups}" if groups != GROUPS else "")


def _by_turns(groups: int, hosts: int) -> dict[str, list[Told]]:
    with _station(groups, hosts=hosts) as (folder, platform):
        turns: dict[str, Callable[[int], Told]] = {
            BESIDE["alert"]: lambda _turn: _bare(folder, platform, IN_FLIGHT),
            "alert": lambda turn: _alert(folder, platform, groups, turn),
            BESIDE["digest"]: lambda _turn: _bare(folder, platform, DIGESTS),
            "digest": lambda _turn: _digest(folder, platform, groups),
        }
        if hosts == 1:
            turns[ALONE] = lambda turn: _alert(folder, platform, groups, ROUNDS + turn, run=False)
        told: dict[str, list[Told]] = {name: [] for name in turns}
        for turn in range(ROUNDS):
            for name, tell in turns.items():
                told[name].append(tell(turn))
    return told


def _median(told: list[Told]) -> float:
    return statistics.median(one.seconds for one in told)


def _row(what: str, groups: int, told: list[Told], bare: list[Told]) -> list[str]:
    seconds, memory = [one.seconds for one in told], max(one.memory for one in told)
    ended, first = statistics.median(one.ended for one in told), max(one.first for one in told)
    return [
        what,
        f"{_median(told):.2f}",
        f"{min(seconds):.2f}-{max(seconds):.2f}",
        f"{ended:.2f}" if ended else "",
        f"{groups / _median(told):,.0f}",
        f"{_median(told) / _median(bare):.2f}" if bare else "",
        f"{first:.2f}" if first else "",
        f"{memory / 1e6:.0f}" if memory else "",
    ]


# The ways of telling


def _alert(folder: Path, platform: StandIn, groups: int, turn: int, *, run: bool = True) -> Told:
    """``gengfu alert``, delivered by ``gengfu run`` or, where that is not to ``run``, by itself."""
    _publish(folder, turn)
    begun = time.time()
    if not run:
        with _command(folder, platform, "alert", _alert_id(turn), "--yes", "--json") as alone:
            return _told(folder, platform, groups, alone, since=begun)
    with (
        _running(folder, platform) as scheduler,
        _command(folder, platform, "alert", _alert_id(turn), "--yes", "--json"),
    ):
        return _told(folder, platform, groups, scheduler, since=_accepted(folder))


def _digest(folder: Path, platform: StandIn, groups: int) -> Told:
    """``gengfu push``, delivered by ``gengfu run``: a slot as a person has it sent, at once."""
    with (
        _running(folder, platform) as scheduler,
        _command(folder, platform, "push", "slot0", "--yes", "--json"),
    ):
        return _told(folder, platform, groups, scheduler, since=_accepted(folder))


def _bare(folder: Path, platform: StandIn, connections: int) -> Told:
    """The same posts by libcurl's multi interface and nothing else."""
    with (folder / "webhooks.csv").open(encoding="utf-8") as table:
        waiting = [line.rstrip().partition(",")[2] for line in table][:0:-1]
    groups, body = len(waiting), b"x" * 700
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, 4 * connections)
    idle = [pycurl.Curl() for _connection in range(connections)]
    for handle in idle:
        handle.setopt(pycurl.CAINFO, str(platform.certificate))
        handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        handle.setopt(pycurl.POSTFIELDS, body)
        handle.setopt(pycurl.WRITEFUNCTION, lambda _answer: None)
    done = 0
    while done < groups:
        while idle and waiting:
            handle = idle.pop()
            handle.setopt(pycurl.URL, waiting.pop())
            multi.add_handle(handle)
        multi.perform()
        _more, ended, failed = multi.info_read()
        assert not failed, failed
        for handle in ended:
            multi.remove_handle(handle)
        idle += ended
        done += len(ended)
        if not ended:
            multi.select(0.05)
    multi.close()
    return Told(seconds=_seen(platform, groups).seconds)


APPRISE = """
import sys, apprise
notifier = apprise.Apprise()
for line in open(sys.argv[1], encoding="utf-8"):
    if "https" in line:
        address = line.rstrip().partition(",")[2].replace("https", "jsons").replace("?", "?-") + "&verify=no"
        assert notifier.add(address)
notifier.notify(title="{title}", body="{title}" * 40)
"""


def _apprise(folder: Path, platform: StandIn) -> Seen:
    """A person's script: all of them to one ``Apprise``, and one call. It gives up on whom it does not reach at once."""
    script = APPRISE.format(title="走失老人")
    subprocess.run([sys.executable, "-c", script, folder / "webhooks.csv"], check=False, capture_output=True)
    return platform.seen()


def _late(folder: Path, platform: StandIn, spread: str) -> list[float]:
    """How late the first post of each slot came: all are due at the next minute that leaves time to get ready."""
    due = (datetime.now(UTC) + timedelta(seconds=90)).replace(second=0, microsecond=0)
    _write_timetable(folder, [f"{due.astimezone(ZONE):%H:%M}"] * SLOTS, spread=spread)
    _publish(folder, 0)
    with _running(folder, platform):
        time.sleep(due.timestamp() - time.time() + 20)
    firsts = platform.seen().firsts
    assert len(firsts) == SLOTS, sorted(firsts)
    return [first - due.timestamp() for first in firsts.values()]


# What they need


@contextmanager
def _station(groups: int, *, hosts: int) -> Iterator[tuple[Path, StandIn]]:
    """A station whose groups, in as many areas as there are slots, are spread over ``hosts`` names."""
    made = report.scratch()
    with standing_in(made) as platform:
        folder = made / "station"
        (folder / "public").mkdir(parents=True)
        names = ["localhost"] if hosts == 1 else [f"h{n}.chat.localhost" for n in range(hosts)]
        table = [f"g{n},{n} 号群,webhook,wecom,区{n % SLOTS},2026-01-01" for n in range(groups)]
        webhooks = [
            f"g{n},https://{names[n % hosts]}:{platform.port}/send?key=s{n % SLOTS}-g{n}"
            for n in range(groups)
        ]
        _write(folder / "groups.csv", "id,name,reach,platform,area,joined", table)
        _write(folder / "webhooks.csv", "id,webhook", webhooks)
        (folder / "webhooks.csv").chmod(0o600)
        _write_timetable(folder, ["03:00"], hosts=names)
        yield folder, platform


def _write(file: Path, head: str, rows: list[str]) -> None:
    file.write_text("\n".join([head, *rows, ""]), encoding="utf-8")


def _write_timetable(
    folder: Path, times: list[str], *, hosts: list[str] | None = None, spread: str = "3m"
) -> None:
    """A slot for each of ``times``: the only one for all groups, or each for an area of its own."""
    of = [f"{{areas: [区{n}]}}" for n in range(len(times))] if len(times) > 1 else ["{}"]
    slots = [
        f'  slot{n}: {{title: 提示{n}, at: "{at}", to: {to}, late: 1h, spread: {spread}, pick: {{fresh: 3650d, repeat: 0}}}}'
        for n, (at, to) in enumerate(zip(times, of, strict=True))
    ]
    names = ", ".join(hosts or ["localhost"])
    _write(folder / "timetable.yml", f"timezone: {ZONE.key}\nhosts: [{names}]\nslots:", slots)


def _publish(folder: Path, turn: int) -> None:
    """A catalogue with an alert and a tip that nobody was told."""
    now = datetime.now(UTC)
    station = Station(
        name="青松路派出所",
        url="https://qingsong.example/",
        language="zh-CN",
        timezone=ZONE.key,
        areas=tuple(Area(path=f"区{n}", slug=f"a{n}") for n in range(SLOTS)),
    )
    tip = Entry(
        id=f"T{turn:04}",
        kind="tip",
        url=f"https://qingsong.example/tip/{turn}/",
        title="冒充公检法的电话，一个字都不要信",
        summary="民警不会打电话要你转账，也没有“安全账户”。接到这样的电话就挂断，打 110 问一问。",
        published=now,
        updated=now,
        revision="1",
    )
    alert = replace(
        tip,
        id=_alert_id(turn),
        kind="alert",
        title="走失老人，身穿红色羽绒服",
        alert=AlertEntry(form="走失", place="青松路地铁站", tell="110", status="actual", state="active"),
    )
    new = folder / "public/catalogue.new"
    new.write_text(dumps(Catalogue(station=station, entries=(tip, alert))), encoding="utf-8")
    new.replace(folder / "public/catalogue.json")


def _alert_id(turn: int) -> str:
    return f"A{turn:04}"


def _command(
    folder: Path, platform: StandIn, *words: str, **said: int
) -> AbstractContextManager[subprocess.Popen[str]]:
    env = {
        **os.environ,
        "CURL_CA_BUNDLE": str(platform.certificate),
        "PYTHONUNBUFFERED": "1",
        "LANG": "zh_CN.UTF-8",
    }
    return report.running(report.gengfu(), *words, cwd=folder, env=env, **said)


@contextmanager
def _running(folder: Path, platform: StandIn) -> Iterator[subprocess.Popen[str]]:
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with _command(folder, platform, "run", "--listen", "off", **said) as scheduler:
        report.heard(scheduler, "开始值更")
        yield scheduler


def _told(
    folder: Path, platform: StandIn, groups: int, sender: subprocess.Popen[str], *, since: float
) -> Told:
    """Wait until the ledger has the end of everything."""
    newest = "SELECT max(id) FROM broadcast"
    # Each by its index: what is asked hundreds of times must not take the processor that is measured.
    over = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM delivery WHERE state = '{state}')" for state in ("pending", "sending")
    )
    begun = (
        f"EXISTS (SELECT 1 FROM delivery WHERE broadcast_id = ({newest}) AND changed_at > {int(since * 1e6)})"
    )
    _wait(folder, f"SELECT {over} AND {begun}")
    seen = _seen(platform, groups)
    ended = _ask(
        folder, f"SELECT max(changed_at) FROM delivery WHERE broadcast_id = ({newest}) AND state = 'sent'"
    )
    held = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{sender.pid}/status").read_text("utf-8"))
    assert held
    return Told(
        seconds=seen.seconds,
        ended=ended / 1e6 - seen.first,
        first=seen.first - since,
        memory=int(held[1]) * 1024,
    )


def _accepted(folder: Path) -> float:
    """When the scheduler could see what was planned."""
    _wait(folder, "SELECT EXISTS (SELECT 1 FROM delivery WHERE state = 'pending')")
    return time.time()


def _wait(folder: Path, question: str) -> None:
    deadline = time.monotonic() + 300
    while not _ask(folder, question):
        assert time.monotonic() < deadline, question
        time.sleep(0.005)


def _ask(folder: Path, question: str) -> int:
    """What the ledger answers; 0 while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/.gengfu/outbox.sqlite3?mode=ro", uri=True)) as ledger:
            return ledger.execute(question).fetchone()[0] or 0
    except sqlite3.OperationalError:
        return 0


def _seen(platform: StandIn, groups: int) -> Seen:
    seen = platform.seen()
    assert seen.posts == seen.groups == groups, seen
    return seen


if __name__ == "__main__":
    report.show(measure(*map(int, sys.argv[1:])))
