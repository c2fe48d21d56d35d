"""``gengfu demo``: the whole road on one machine, with a timetable that fires within seconds.

A copy of the station is checked, built and served, the sandbox stands in for the chat platforms, and the
real scheduler pushes to it. Nothing is pretended: only the addresses and the timetable are the demo's own.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from zoneinfo import ZoneInfo

from gengfu_scheduler.channels import CHANNELS
from gengfu_scheduler.draft import draft_push
from gengfu_scheduler.groups import COLUMNS, CSV, read_groups
from gengfu_scheduler.message import Group
from gengfu_scheduler.outbox import BroadcastStatus, Outbox
from gengfu_scheduler.rehearsal import PORT, robots, write_webhooks
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.runner import Clock, Runner, Say, run
from gengfu_scheduler.sandbox import PortTaken, Received, Sandbox
from gengfu_scheduler.state import database_url, only_scheduler
from gengfu_site.problems import GengfuError, ProblemsFound
from gengfu_site.publish import publish
from gengfu_site.settings import FILE, Settings, read_settings
from gengfu_templates import starter
from gengfu_templates.i18n import _

SITE_PORT = 8000
"""Where the demo serves its guide site; a free port where that is taken."""
_FIRST, _APART = timedelta(seconds=3), timedelta(seconds=2)
"""When the first slot fires after everything is ready, and how far apart the slots are."""
_PATIENCE = 60.0
"""Seconds in which everything must have been told."""

_TIMETABLE = """\
timezone: {zone}
hosts: [127.0.0.1]
slots:
  morning:
    {{title: 每日平安提示, at: "{0}", days: 每天, pick: {{kinds: [fraud, tip], fresh: 3650d, new: 3, repeat: 1}}}}
  notices:
    {{title: 警务公告, at: "{1}", days: 每天, pick: {{kinds: [notice, video], fresh: 3650d, new: 3}}}}
  services:
    {{title: 办事不跑空, at: "{2}", days: 每天, pick: {{kinds: [service], fresh: 3650d, new: 3}}}}
"""
_SLOTS = 3


class NotAllTold(GengfuError):
    """Not everything was told in time."""


class Demo:
    """A station at work: its site is served, its scheduler runs, the sandbox receives."""

    def __init__(self, site: str, sandbox: Sandbox, outbox: Outbox, roster: Roster, clock: Clock) -> None:
        self.site = site
        """Address of the guide site."""
        self.wall = sandbox.url
        """Address of the group wall."""
        self._sandbox = sandbox
        self._outbox = outbox
        self._roster = roster
        self._clock = clock

    def tell_all(self, stopping: Callable[[], bool]) -> None:
        """Wait until each slot is told, then push the active alerts and wait for those.

        :param stopping: once true, wait no longer.
        :raises NotAllTold: it took more than a minute.
        """
        deadline = time.monotonic() + _PATIENCE
        self._wait(_SLOTS, deadline, stopping)
        alerts = [e for e in self._roster.catalogue.entries if e.alert and e.alert.state == "active"]
        for alert in alerts:
            now = self._clock()
            draft = draft_push(alert.id, self._roster, self._outbox.told, now)
            self._outbox.plan(draft.broadcast, draft.planned, now=now)
        self._wait(_SLOTS + len(alerts), deadline, stopping)

    def received(self) -> list[Received]:
        """What the groups received, in order."""
        return self._sandbox.messages()

    def by_hand(self) -> dict[Group, list[str]]:
        """Groups that a person must tell, and the titles of what lies with that person."""
        waiting: dict[Group, list[str]] = {}
        for status in reversed(self._outbox.broadcasts()):
            for delivery in self._outbox.deliveries(status.broadcast.key):
                if delivery.state == "handed":
                    waiting.setdefault(self._roster.groups[delivery.group], []).append(delivery.message.title)
        return waiting

    def _wait(self, broadcasts: int, deadline: float, stopping: Callable[[], bool]) -> None:
        while not (stopping() or self._told(broadcasts)):
            if time.monotonic() > deadline:
                raise NotAllTold(_("一分钟内没有全部发完，见上面的输出。"))
            time.sleep(0.1)

    def _told(self, broadcasts: int) -> bool:
        found = self._outbox.broadcasts()
        return len(found) >= broadcasts and not any(_open(status) for status in found)


def _open(status: BroadcastStatus) -> bool:
    return "pending" in status.counts or "sending" in status.counts


@contextmanager
def demo(station: Path, clock: Clock, say: Say) -> Iterator[Demo]:
    """Set a copy of ``station`` to work; leaving stops everything and removes the copy.

    A folder that holds no station stands for the starter station.

    :raises ProblemsFound: the station has problems.
    """
    source = station if (station / FILE).is_file() else starter()
    with tempfile.TemporaryDirectory(prefix="gengfu-demo-") as made:
        folder = Path(made)
        with _served(folder / "public") as site:
            settings = _copy(source, folder, site)
            say(_("检查文章，生成网站……"))
            built = publish(settings, clock())
            say(
                _("已发布 {articles} 篇文章，{files} 个文件。").format(
                    articles=built.articles, files=built.files
                )
            )
            with _connected(folder, settings) as sandbox:
                _write_timetable(folder, settings, clock())
                with _scheduler(folder, clock, say) as (outbox, roster):
                    yield Demo(site, sandbox, outbox, roster, clock)


def _copy(source: Path, folder: Path, site: str) -> Settings:
    """The station's articles, settings and groups, its site where the demo serves it."""
    shutil.copytree(source / "content", folder / "content")
    shutil.copyfile(source / FILE, folder / FILE)
    _copy_groups(source / CSV, folder / CSV)
    text = (folder / FILE).read_text("utf-8")
    (folder / FILE).write_text(re.sub(r"(?m)^site_url:.*$", f"site_url: {site}", text), "utf-8")
    settings, problems = read_settings(folder / FILE)
    if settings is None:
        raise ProblemsFound(problems)
    return settings


def _copy_groups(source: Path, target: Path) -> None:
    """The groups without quiet hours of their own: the demo must work at night too."""
    with source.open(encoding="utf-8-sig", newline="") as table:
        rows = [{**row, "quiet_hours": ""} for row in csv.DictReader(table)]
    with target.open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


@contextmanager
def _served(public: Path) -> Iterator[str]:
    """The folder as a web site; yields its address."""
    handler = partial(_QuietHandler, directory=str(public))
    try:
        server = ThreadingHTTPServer(("127.0.0.1", SITE_PORT), handler)
    except OSError:
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, name="site")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _connected(folder: Path, settings: Settings) -> Iterator[Sandbox]:
    """A sandbox with a robot for each group, whose address the station knows."""
    groups, problems = read_groups(folder, settings.station, os.environ, CHANNELS)
    if problems:
        raise ProblemsFound(problems)
    try:
        sandbox = Sandbox(robots(groups), port=PORT)
    except PortTaken:
        sandbox = Sandbox(robots(groups))
    with sandbox:
        write_webhooks(folder, groups, sandbox.url)
        yield sandbox


def _write_timetable(folder: Path, settings: Settings, now: datetime) -> None:
    first = now.astimezone(ZoneInfo(settings.station.timezone)) + _FIRST
    times = [f"{first + n * _APART:%H:%M:%S}" for n in range(_SLOTS)]
    text = _TIMETABLE.format(*times, zone=settings.station.timezone)
    (folder / "timetable.yml").write_text(text, "utf-8")


@contextmanager
def _scheduler(folder: Path, clock: Clock, say: Say) -> Iterator[tuple[Outbox, Roster]]:
    """``gengfu run`` in a thread of its own."""
    stop = Event()
    with only_scheduler(folder), Outbox(database_url(folder, {})) as outbox:
        runner = Runner(folder, os.environ, outbox, clock=clock, say=say, stopping=stop.is_set)
        thread = Thread(target=run, args=(runner, stop.is_set, say), name="scheduler")
        thread.start()
        try:
            yield outbox, runner.roster
        finally:
            stop.set()
            thread.join()
