"""A watch to keep: a station with a catalogue, a clock to set by hand, platforms that take every post.

Verbs: ``watch.publish(...)``, ``watch.at("08:00")`` goes a round then, ``watch.heard()`` says who got what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gengfu_scheduler.alerts import draft_alert, draft_follow_up
from gengfu_scheduler.channels.transport import Answer, Reply, Request
from gengfu_scheduler.draft import Draft, draft_push
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.runner import Runner
from gengfu_site.catalogue import AlertEntry, AlertState, AlertStatus, Area, Catalogue, Entry, Station, dumps

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 16, tzinfo=SHANGHAI)
STATION = Station(
    name="青松路派出所",
    url="https://qingsong.example/",
    language="zh-CN",
    timezone="Asia/Shanghai",
    areas=(Area(path="青松路", slug="q"), Area(path="河东", slug="h")),
    audiences=("老年人",),
)
GROUPS = """\
id,name,reach,platform,webhook,area,owner,quiet_hours
q1,青松一群,webhook,wecom,env:Q1,青松路,,
q2,青松二群,webhook,wecom,env:Q2,青松路,,21:00-09:00
h1,河东群,hand,,,河东,赵警官,
"""
TIMETABLE = """\
slots:
  morning: {title: 每日提示, at: "08:00", late: 2h, spread: 0m, pick: {repeat: 0}}
  evening: {title: 晚间提示, at: "20:00", late: 2h, spread: 0m, to: {areas: [青松路]}, pick: {repeat: 0}}
"""
ENVIRON = {
    name: f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={name}-0000-marker"
    for name in ("Q1", "Q2", "Q3")
}


def instant(text: str) -> datetime:
    """``08:00`` on Monday, ``Tue 08:00`` on another day of its week; Shanghai time."""
    *day, clock = text.split()
    days = ["Mon", "Tue", "Wed", "Thu", "Fri"].index(day[0]) if day else 0
    return datetime.combine(MONDAY + timedelta(days=days), time.fromisoformat(clock), SHANGHAI)


def tip(id: str, published: str = "00:00", **fields: Any) -> Entry:
    defaults: dict[str, Any] = {
        "kind": "tip",
        "url": f"https://qingsong.example/tip/{id}/",
        "title": f"题{id}",
        "summary": "提要",
        "updated": instant(published),
        "revision": "1",
    }
    return Entry(id=id, published=instant(published), **{**defaults, **fields})


def alert(
    id: str, revision: str = "1", state: AlertState = "active", status: AlertStatus = "actual", **fields: Any
) -> Entry:
    body = AlertEntry(form="火情", place="桃园 3 栋", tell="119", status=status, state=state)
    return tip(id, kind="alert", revision=revision, alert=body, **fields)


class FakePlatforms:
    """Takes every post; ``answers`` by the group's key say otherwise. Calls ``on_post`` for each."""

    def __init__(self) -> None:
        self.posts: list[Request] = []
        self.answers: dict[str, Reply] = {}
        self.listed: tuple[str, ...] = ()
        self.on_post: Callable[[], None] = lambda: None

    def __call__(self, listed: Iterable[str]) -> FakePlatforms:
        self.listed = tuple(listed)
        return self

    def post_many(self, requests: Iterable[Request | None]) -> Iterator[list[tuple[int, Reply]]]:
        for request in requests:
            if request is None:
                yield []
                continue
            self.posts.append(request)
            robot = request.url.partition("key=")[2][:2]
            took = Answer(status=200, headers={}, body=b'{"errcode":0,"errmsg":"ok"}')
            yield [(request.key, self.answers.get(robot, took))]
            self.on_post()


class Watch:
    def __init__(self, folder: Path, outbox: Outbox) -> None:
        self.folder = folder
        self.outbox = outbox
        self.now = instant("00:00")
        self.platforms = FakePlatforms()
        self.said: list[str] = []
        self.write("groups.csv", GROUPS)
        self.write("timetable.yml", TIMETABLE)
        self.publish()
        self.runner = self.start()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def publish(self, *entries: Entry) -> None:
        (self.folder / "public").mkdir(exist_ok=True)
        self.write("public/catalogue.json", dumps(Catalogue(station=STATION, entries=entries)))

    def start(self) -> Runner:
        """A scheduler as a new process would make it."""
        self.runner = Runner(
            self.folder,
            ENVIRON,
            self.outbox,
            clock=lambda: self.now,
            say=self.said.append,
            transport=self.platforms,
        )
        return self.runner

    def at(self, *times: str) -> None:
        """A round at each of these times."""
        for text in times:
            self.now = instant(text)
            self.runner.tick()

    def draft(self, target: str) -> Draft:
        """What an officer would send now: a slot, an alert, or to whoever heard an alert what became of it."""
        roster = self.start().roster
        alerts = {entry.id: entry for entry in roster.catalogue.entries if entry.alert}
        if target not in alerts:
            return draft_push(target, roster, self.outbox.told, self.now)
        told = self.outbox.told(list(roster.groups))
        heard = [group for group, history in told.items() if target in history]
        state = alerts[target].alert
        if state and state.state != "active":
            return draft_follow_up(alerts[target], heard, roster, self.now)
        return draft_alert(alerts[target], roster, self.now)

    def push(self, *targets: str) -> None:
        """What an officer sends, and the round it causes."""
        for target in targets:
            draft = self.draft(target)
            self.outbox.plan(draft.broadcast, draft.planned, now=self.now)
        self.runner.tick()

    def heard(self) -> list[str]:
        """``group: titles, state`` of every delivery, by broadcast, oldest first."""
        broadcasts = sorted(self.outbox.broadcasts(), key=lambda status: status.broadcast.scheduled_for)
        return [
            f"{delivery.group}: {' '.join(item.title for item in delivery.message.items)}, {delivery.state}"
            for status in broadcasts
            for delivery in self.outbox.deliveries(status.broadcast.key)
        ]


@contextmanager
def watch_in(folder: Path) -> Iterator[Watch]:
    with Outbox(f"sqlite:///{folder / 'outbox.sqlite3'}") as outbox:
        yield Watch(folder, outbox)
