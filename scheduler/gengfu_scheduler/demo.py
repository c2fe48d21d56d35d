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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from zoneinfo import ZoneInfo

from gengfu_scheduler.alerts import draft_alert
from gengfu_scheduler.channels import PLATFORMS
from gengfu_scheduler.channels.hand import TaskPages
from gengfu_scheduler.desk import keep_desk
from gengfu_scheduler.draft import Refused
from gengfu_scheduler.groups import CSV, SINCE_EVER, read_groups
from gengfu_scheduler.message import Group
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.rehearsal import PORT, credentials, robots, write_webhooks
from gengfu_scheduler.report import BroadcastReport, open_tasks
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.runner import Clock, Runner, Say, run
from gengfu_scheduler.sandbox import PortTaken, Received, Sandbox
from gengfu_scheduler.state import database_url, only_scheduler
from gengfu_scheduler.timetable import Place
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
    {{title: 每日平安提示, at: "{0}", days: 每天, spread: 0m, pick: {{kinds: [fraud, tip], fresh: 3650d, new: 3, repeat: 1}}}}
  notices:
    {{title: 警务公告, at: "{1}", days: 每天, spread: 0m, pick: {{kinds: [notice, video], fresh: 3650d, new: 3}}}}
  services:
    {{title: 办事不跑空, at: "{2}", days: 每天, spread: 0m, pick: {{kinds: [service], fresh: 3650d, new: 3}}}}
"""
_SLOTS = ("morning", "notices", "services")
_DESK = Place(host="127.0.0.1", port=0)


class NotAllTold(GengfuError):
    """Not everything was told in time."""


class Demo:
    """A station at work: its site is served, its scheduler runs, the sandbox receives."""

    def __init__(
        self,
        folder: Path,
        site: str,
        sandbox: Sandbox,
        outbox: Outbox,
        roster: Roster,
        due: Mapping[str, datetime],
        *,
        clock: Clock,
        say: Say,
    ) -> None:
        """
        :param due: when each slot fires, by its name.
        """
        self.site = site
        """Address of the guide site."""
        self.wall = sandbox.url
        """Address of the group wall."""
        self.folder = folder
        """The station that is at work, a copy."""
        self._sandbox = sandbox
        self._outbox = outbox
        self._roster = roster
        self._due = due
        self._clock = clock
        self._say = say

    def tell_all(self, stopping: Callable[[], bool]) -> None:
        """Wait until each slot is told, then push the active alerts and wait for those.

        :param stopping: once true, wait no longer.
        :raises NotAllTold: it took more than a minute.
        """
        deadline = time.monotonic() + _PATIENCE
        self._wait(deadline, stopping)
        for alert in self._roster.catalogue.entries:
            if alert.alert and alert.alert.state == "active":
                now = self._clock()
                try:
                    draft = draft_alert(alert, self._roster, now)
                except Refused as refused:
                    self._say(f"{alert.title}  {refused}")
                else:
                    self._outbox.plan(draft.broadcast, draft.planned, now=now)
        self._wait(deadline, stopping)

    def received(self) -> list[Received]:
        """What the groups received, in order."""
        return self._sandbox.messages()

    def by_hand(self) -> dict[Group, list[str]]:
        """Groups that a person must tell, and the titles of what lies with that person."""
        waiting: dict[Group, list[str]] = {}
        for status in reversed(self._outbox.broadcasts()):
            for delivery in self._outbox.deliveries(status.broadcast.key):
                if delivery.state == "handed" and delivery.way == "hand":
                    waiting.setdefault(self._roster.groups[delivery.group], []).append(delivery.message.title)
        return waiting

    def tasks(self, pages: TaskPages | None) -> tuple[BroadcastReport, ...]:
        """What lies with people, broadcast by broadcast, newest first."""
        return open_tasks(self._outbox, self._roster, self._clock(), pages=pages)

    def _wait(self, deadline: float, stopping: Callable[[], bool]) -> None:
        while not (stopping() or self._told()):
            if time.monotonic() > deadline:
                raise NotAllTold(_("一分钟内没有全部发完，见上面的输出。"))
            time.sleep(0.1)

    def _told(self) -> bool:
        """Whether each slot had its turn, be it that it had nothing to say, and nothing waits to be sent."""
        for slot, when in self._due.items():
            until = self._outbox.planned_until(slot)
            if until is None or until < when:
                return False
        return not any(status.open for status in self._outbox.broadcasts())


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
                due = _write_timetable(folder, settings, clock())
                with _scheduler(folder, sandbox, clock, say) as (outbox, roster):
                    yield Demo(folder, site, sandbox, outbox, roster, due, clock=clock, say=say)


def _copy(source: Path, folder: Path, site: str) -> Settings:
    """The station's articles, settings and groups, its site where the demo serves it."""
    station = _settings(source)
    for place in filter(None, (station.content, station.overrides)):
        shutil.copytree(place, folder / place.relative_to(station.folder))
    text = (source / FILE).read_text("utf-8")
    (folder / FILE).write_text(re.sub(r"(?m)^site_url:.*$", f"site_url: {site}", text), "utf-8")
    _write_groups(folder / CSV, _groups(source, station))
    return _settings(folder)


def _settings(folder: Path) -> Settings:
    settings, problems = read_settings(folder / FILE)
    if settings is None:
        raise ProblemsFound(problems)
    return settings


def _groups(folder: Path, settings: Settings) -> Sequence[Group]:
    groups, problems = read_groups(folder, settings.station, os.environ, PLATFORMS)
    if problems:
        raise ProblemsFound(problems)
    return groups


_COLUMNS = (
    *("id", "name", "reach", "platform", "keyword", "chat", "account"),
    *("area", "audience", "topics", "owner", "joined"),
)


def _write_groups(file: Path, groups: Iterable[Group]) -> None:
    """The groups as they were read, but without quiet hours of their own: the demo must work at night too."""
    with file.open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(_COLUMNS)
        for g in groups:
            lists = ";".join(g.audience), ";".join(g.topics)
            joined = f"{g.joined:%Y-%m-%d}" if g.joined > SINCE_EVER else ""
            platform = (g.reach, g.platform, g.keyword, g.chat, g.account)
            writer.writerow((g.id, g.name, *platform, g.area or "", *lists, g.owner, joined))


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
    groups = _groups(folder, settings)
    try:
        sandbox = Sandbox(robots(groups), port=PORT)
    except PortTaken:
        sandbox = Sandbox(robots(groups))
    with sandbox:
        write_webhooks(folder, groups, sandbox.url)
        yield sandbox


def _write_timetable(folder: Path, settings: Settings, now: datetime) -> dict[str, datetime]:
    """A timetable that begins at once; returns when each slot fires."""
    first = now.astimezone(ZoneInfo(settings.station.timezone)).replace(microsecond=0) + _FIRST
    due = {slot: first + n * _APART for n, slot in enumerate(_SLOTS)}
    times = [f"{when:%H:%M:%S}" for when in due.values()]
    text = _TIMETABLE.format(*times, zone=settings.station.timezone)
    (folder / "timetable.yml").write_text(text, "utf-8")
    return due


@contextmanager
def _scheduler(folder: Path, sandbox: Sandbox, clock: Clock, say: Say) -> Iterator[tuple[Outbox, Roster]]:
    """``gengfu run`` in a thread of its own."""
    stop = Event()
    with only_scheduler(folder), Outbox(database_url(folder, {})) as outbox:
        environ = {**os.environ, **credentials(sandbox.url)}
        runner = Runner(folder, environ, outbox, clock=clock, say=say, stopping=stop.is_set)
        thread = Thread(target=run, args=(runner, stop.is_set, say), name="scheduler")
        with keep_desk(folder, runner, outbox, _DESK, clock=clock, say=say):
            thread.start()
            try:
                yield outbox, runner.roster
            finally:
                stop.set()
                thread.join()
