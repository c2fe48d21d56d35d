"""The watchman's round, and the clock that sends him on it.

Truth is the outbox: what was planned, up to when, and how each delivery ended. So a round may be cut short
anywhere, by a crash or by a person, and the next one goes on from there. APScheduler
(https://apscheduler.readthedocs.io/en/3.x/) only wakes us, one job a slot in memory, each at the instant our
own timetable names: its cron trigger numbers Monday 0 and doubles the repeated hour of autumn.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import get_args
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from gengfu_scheduler.alerts import alert_of, is_over
from gengfu_scheduler.channels import KNOWN_HOSTS
from gengfu_scheduler.channels.transport import CurlTransport, Transport
from gengfu_scheduler.confirm import Session, follow_up, hand_out
from gengfu_scheduler.deliver import DIGESTS, IN_FLIGHT, Circuits, Deliveries
from gengfu_scheduler.draft import draft_occurrence
from gengfu_scheduler.groups import is_address
from gengfu_scheduler.message import Reach
from gengfu_scheduler.notes import Note
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.report import broadcast_line
from gengfu_scheduler.roster import Roster, RosterFiles
from gengfu_scheduler.state import note_resting, restored_at
from gengfu_scheduler.timetable import Occurrence, Slot, next_after, occurrences, times
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

AHEAD = timedelta(seconds=20)
"""How long before its time a slot's digests are drafted and written, which takes seconds for a city's groups."""
POLL = 0.1
"""Seconds between two looks at what other processes wrote: the outbox, the admin's files."""
LAP = 1.0
"""Seconds after which a round that still finds digests to send sees to everything else, while those are on their way."""
AFTER_TROUBLE = 5.0
"""Seconds to wait where the outbox could not be read or written."""
FORGET_EVERY = timedelta(days=1)
CLOCK_SLIP = timedelta(minutes=1)
"""How far a clock may be set back without a word."""

Clock = Callable[[], datetime]
Say = Callable[[str], None]
"""Told a :class:`Note`, or a sentence alone."""
OpenTransport = Callable[[Iterable[str]], Transport]
"""Makes a transport that may also post to the hosts the admin lists."""


def open_transport(listed: Iterable[str]) -> Transport:
    # As the curl program and requests do: who has certificates of his own names them once for all of them.
    authorities = os.environ.get("CURL_CA_BUNDLE")
    return CurlTransport(known=KNOWN_HOSTS, listed=tuple(listed), cafile=authorities)


class Runner:
    """Serves one station. Whoever makes one holds the station's lock."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        outbox: Outbox,
        *,
        clock: Clock,
        say: Say,
        stopping: Callable[[], bool] = lambda: False,
        transport: OpenTransport = open_transport,
        files: RosterFiles | None = None,
    ) -> None:
        """
        :param files: the admin's, where the caller has read them already.
        :param say: told what an admin should know, a sentence at a time.
        :param stopping: once true, no further delivery is begun.
        :raises ProblemsFound: groups or timetable have problems: nothing that can wait is begun with half of them.
        :raises CatalogueUnavailable: nothing was ever published.
        """
        self._folder = folder
        self._outbox = outbox
        self._clock = _Watched(clock)
        self._say = say
        self._stopping = stopping
        self._restored = restored_at(folder)
        self._hold()
        self._files = files or RosterFiles(folder, environ)
        # Of alerts that the catalogue lacks only those are gone that were there before it was read.
        self._alerts = {alert_of(key) for key in outbox.alerts(now=clock())}
        self.roster = self._files.read()
        self._open_transport = transport
        self._post, self._ask = (transport(self.roster.timetable.hosts) for _line in range(2))
        self._circuits = Circuits()
        self._deliveries = self._line()
        self._session = Session()
        self._planned_until: dict[tuple[str, str], datetime] = {}
        self._trouble = self._files.trouble
        self._open = outbox.recent()
        self._last_round = self._next_slot = self._forget_at = datetime.min.replace(tzinfo=UTC)
        self._forgotten = 0
        self._resting: tuple[str, ...] | None = None

    @property
    def last_round(self) -> datetime | None:
        """When it last went its round; None: not yet."""
        return None if self._last_round.year == 1 else self._last_round

    @property
    def last_look(self) -> datetime | None:
        """Its last sign of life: whatever it does, it looks at the clock meanwhile."""
        return self._clock.last

    @property
    def busy(self) -> bool:
        """Whether something is on its way, which the next round goes on with."""
        return self._deliveries.sending > 0

    @property
    def clock_steps(self) -> int:
        """How often the clock was set by more than :data:`CLOCK_SLIP` before its eyes, or the machine slept."""
        return self._clock.steps

    @property
    def trouble(self) -> str:
        """Why something older is in use than what lies in the files; empty where all is well."""
        return self._trouble

    def tick(self) -> None:
        """One round; afterwards nothing is due that can be done now, but for what took longer than a lap: :attr:`busy`."""
        self._last_round = now = self._clock()
        # By the timetable as it was until now: a slot whose time has come is not lost to an edit.
        due, timezone = self._due(now), self.roster.timetable.timezone
        # What waits already - an alert above all - waits for nothing that may be slow, such as a web server.
        self._reload(ask=False)
        self.send(lap=LAP)
        if due:
            self._reload(ask=True)
            self._deliver_urgent()  # a web server was asked, and what is on its way is given up after some seconds
            for occurrence in due:
                self._plan(occurrence, timezone, now)
            self.send(lap=LAP)
        self._log()
        self._forget(now)
        table = self.roster.timetable
        # One that is new, or at other times, begins now.
        until = ((slot, self._until(slot, table.timezone, now)) for slot in table.slots)
        following = (next_after(slot, table.timezone, dealt_with) for slot, dealt_with in until)
        self._next_slot = min(*(when - AHEAD for when in following if when), self._forget_at)

    def send(self, *, lap: float = math.inf) -> None:
        """Clear up after a process that died in mid-send, give up what is too late, deliver what is due.

        :param lap: seconds after which what is still on its way is left for the next call.
        """
        now = self._clock()
        stranded = [] if self.busy else [d for d in self._outbox.recover(now=now) if d.state == "unknown"]
        late = self._outbox.expire(now=now)
        over = [key for key in self._outbox.alerts(now=now) if self._is_over(key)]
        if over:
            self._outbox.withdraw(over, now=now)
        self._enable_readdressed()
        if stranded:
            text = _("上次发送中断，{n} 条结果不明，见 gengfu status。").format(n=len(stranded))
            self._say(Note(text, "sending.interrupted", "error"))
        if late:
            text = _("{n} 条消息过时未发，见 gengfu status。").format(n=len(late))
            self._say(Note(text, "delivery.expired", "warning"))
        lap_ends = time.monotonic() + lap
        self._deliveries.go_on(self.roster, enough=lambda: time.monotonic() > lap_ends)
        hand_out(
            self._outbox,
            self.roster,
            self._ask,
            self._session,
            now=self._clock,
            circuits=self._circuits,
            # Beside these too there is room for an alert's.
            room=min(DIGESTS, IN_FLIGHT - self._deliveries.sending),
            stopping=self._stopping,
            current=self._files.current,
            meanwhile=self._deliver_urgent,
        )
        follow_up(
            self._outbox,
            self.roster,
            self._ask,
            self._session,
            now=self._clock,
            circuits=self._circuits,
            meanwhile=self._deliver_urgent,
        )
        self._note_resting()

    def finish(self) -> None:
        """Begin nothing more, and wait until the end of what is on its way is written.

        :raises OutboxUnusable: it could not be.
        """
        self._deliveries.close()

    def _line(self) -> Deliveries:
        return Deliveries(
            self._outbox,
            self._post,
            now=self._clock,
            circuits=self._circuits,
            stopping=self._stopping,
            current=self._files.current,
        )

    def _deliver_urgent(self, asked: int = 0) -> None:
        """What an alert's robots and hands are to tell does not wait for a platform that thinks about its owners.

        :param asked: for so many groups.
        """
        self._deliveries.go_on(self.roster, urgent=True, elsewhere=asked)

    def has_work(self) -> bool:
        """Whether a round would find something to do: by the clock, or by what others wrote. Cheap.

        The clock is looked at here too, because an alarm waits for time to pass and the clock may be set.
        """
        now, due = self._clock(), self._outbox.due_at(ways=get_args(Reach))
        by_clock = (due is not None and due <= now) or not self._last_round <= now < self._next_slot
        return by_clock or self._files.changed() or self._session.has_work(self._outbox, now)

    def _hold(self) -> None:
        """Send nothing of which a restored outbox cannot know whether it was sent since the backup."""
        if self._restored is None:
            return
        held = self._outbox.hold(self._restored, now=self._clock(), reason=_since_the_backup())
        if held:
            text = _(
                "这里是从备份恢复的：备份时还没发完的 {n} 条可能已经发出，不自动再发，见 gengfu status；"
                "确实没到的，用 gengfu resend 发。"
            ).format(n=held)
            self._say(Note(text, "restored", "warning"))

    def _reload(self, *, ask: bool) -> None:
        """Read again what changed; where it has problems, keep what was right and say so once."""
        before = self.roster
        try:
            self.roster = self._files.read(ask=ask)
        except GengfuError as error:
            trouble = str(error)  # the catalogue has moved, and is not where it moved to
        else:
            trouble = self._files.trouble
        if trouble != self._trouble:
            self._trouble = trouble
            text = _("改动过的文件有问题，仍按原来的执行：\n{trouble}").format(trouble=trouble)
            if trouble:
                self._say(Note(text, "files.trouble", "error"))
            else:
                self._say(Note(_("改动过的文件已恢复正常。"), "files.right"))
        if self.roster.timetable.hosts != before.timetable.hosts:
            before_them, hosts = self._deliveries, self.roster.timetable.hosts
            self._post, self._ask = (self._open_transport(hosts) for _line in range(2))
            self._deliveries = self._line()
            before_them.close()

    def _is_over(self, key: str) -> bool:
        self._alerts |= {entry.id for entry in self.roster.catalogue.entries if entry.alert}
        return alert_of(key) in self._alerts and is_over(key, self.roster.catalogue)

    def _enable_readdressed(self) -> None:
        """Serve again the groups whose dead address was replaced, or that a person serves now."""
        for id, dead in self._outbox.dead_addresses().items():
            group = self.roster.groups.get(id)
            if group and (
                group.reach != "webhook" or (group.webhook and dead and not is_address(group.webhook, dead))
            ):
                self._outbox.enable(id)
                text = _("{name}（{id}）换了发送方式，恢复发送。").format(name=group.name, id=id)
                self._say(Note(text, "group.enabled", group=id))

    def _due(self, now: datetime) -> list[Occurrence]:
        """Occurrences that have come, or are about to, and are not dealt with, earliest first."""
        table = self.roster.timetable
        due = [
            occurrence
            for slot in table.slots
            for occurrence in occurrences(
                slot, table.timezone, self._until(slot, table.timezone, now), now + AHEAD
            )
        ]
        return sorted(due, key=lambda occurrence: occurrence.scheduled_for)

    def _plan(self, occurrence: Occurrence, timezone: ZoneInfo, now: datetime) -> None:
        slot, when = occurrence.slot, occurrence.scheduled_for
        if self._restored and when <= self._restored:
            # As it was drafted then, if it was: whoever is to hear of it next is not told the same again.
            draft = draft_occurrence(occurrence, self.roster, self._outbox.told, when)
            if draft.planned:
                self._outbox.assume(draft.broadcast, draft.planned, now=now, reason=_since_the_backup())
        elif now - when > slot.late:
            self._outbox.record_missed(slot.id, when, now=now)
            text = _("错过了：{title}（{when:%m-%d %H:%M}），已超过 late，不再补发。").format(
                title=slot.title, when=when.astimezone(timezone)
            )
            self._say(Note(text, "slot.missed", "warning", slot=slot.id))
        else:
            draft = draft_occurrence(occurrence, self.roster, self._outbox.told, max(now, when))
            self._deliver_urgent()  # drafting for thousands of groups takes a second, writing it another
            for notice in draft.notices:
                self._say(Note(notice, "slot.notice", "warning", slot=slot.id))
            if draft.planned:
                self._outbox.plan(draft.broadcast, draft.planned, now=now)
            else:
                self._say(
                    Note(_("{title}  没有可发的。").format(title=slot.title), "slot.empty", slot=slot.id)
                )
        self._set_until(slot, timezone, when)

    def _note_resting(self) -> None:
        """Say which hosts stopped answering, and which answer again."""
        hosts = self._circuits.hosts
        if hosts == self._resting:
            return
        note_resting(self._folder, hosts)
        for host in set(hosts) - set(self._resting or ()):
            text = _("{host} 没有回应：发往那里的先等着，每分钟试一次。").format(host=host)
            self._say(Note(text, "host.resting", "error", host=host))
        for host in set(self._resting or ()) - set(hosts):
            self._say(Note(_("{host} 又有回应了。").format(host=host), "host.answers", host=host))
        self._resting = hosts

    def _forget(self, now: datetime) -> None:
        """Once a day erase what nobody needs any more: a broadcast a round, so that an alert never waits long."""
        if now < self._forget_at:
            return
        keep = self.roster.timetable.keep
        if self._outbox.forget(now - keep, limit=1):
            self._forgotten += 1
            return
        self._forget_at = now + FORGET_EVERY
        if self._forgotten:
            text = _("已清除 {days} 天以前的 {n} 次发送记录。").format(days=keep.days, n=self._forgotten)
            self._say(Note(text, "records.erased"))
        self._forgotten = 0

    def _log(self) -> None:
        """Say how each broadcast went: after its first round, and once it is over."""
        recent = self._outbox.recent()
        over = [key for key, was_open in self._open.items() if was_open and key not in recent]
        for key in (*over, *reversed(recent)):
            is_open = recent.get(key, False)
            if self._open.get(key) != is_open and (status := self._outbox.broadcast(key)):
                event = "broadcast.begun" if is_open else "broadcast.done"
                self._say(Note(broadcast_line(status), event, broadcast=key))
        self._open = recent

    def _until(self, slot: Slot, timezone: ZoneInfo, now: datetime) -> datetime:
        """Up to when the slot's occurrences are dealt with; one never seen at these times begins now."""
        key = slot.id, times(slot, timezone)
        known = self._planned_until.get(key) or self._outbox.planned_until(*key)
        if known and known > now + CLOCK_SLIP:
            text = _("时钟曾经走快：{title} 记到了 {until:%Y-%m-%d %H:%M}，现在从头按当前时刻算。").format(
                title=slot.title, until=known.astimezone(timezone)
            )
            self._say(Note(text, "clock.ahead", "warning", slot=slot.id))
            known = None
        if known is None:
            self._set_until(slot, timezone, now)
        else:
            self._planned_until[key] = known
        return self._planned_until[key]

    def _set_until(self, slot: Slot, timezone: ZoneInfo, at: datetime) -> None:
        key = slot.id, times(slot, timezone)
        self._outbox.set_planned_until(*key, at)
        # A slot is known at one set of times only, here as in the outbox.
        self._planned_until = {known: v for known, v in self._planned_until.items() if known[0] != slot.id}
        self._planned_until[key] = at


def _since_the_backup() -> str:
    return _("从备份恢复：备份以后发过没有，这里不知道")


class _Watched:
    """A clock that remembers when it was last looked at, and how often it was set meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ran = 0.0
        self.last: datetime | None = None
        self.steps = 0

    def __call__(self) -> datetime:
        now, ran = self._clock(), time.monotonic()
        if self.last and abs(now - self.last - timedelta(seconds=ran - self._ran)) > CLOCK_SLIP:
            self.steps += 1
        self.last, self._ran = now, ran
        return now


class Alarm:
    """Sets an event whenever a slot is about to be due."""

    def __init__(self, ring: Event) -> None:
        self._ring = ring
        self._set_for: tuple[tuple[Slot, ...], ZoneInfo] | None = None
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1)},
            # However late the wake-up, it comes, and once: what is then due is read from the outbox.
            job_defaults={"misfire_grace_time": None, "coalesce": True},
        )
        self._scheduler.start()

    def set(self, roster: Roster) -> None:
        """Ring for the slots of ``roster``, and for no others."""
        table = roster.timetable
        if self._set_for == (table.slots, table.timezone):
            return
        self._scheduler.remove_all_jobs()
        for slot in table.slots:
            self._scheduler.add_job(self._ring.set, _SlotTrigger(slot, table.timezone), id=slot.id)
        self._set_for = (table.slots, table.timezone)
        # Whatever came while the jobs were being set is found by one more round.
        self._ring.set()

    def close(self) -> None:
        self._scheduler.shutdown()


class _SlotTrigger(BaseTrigger):  # type: ignore[misc]
    def __init__(self, slot: Slot, timezone: ZoneInfo) -> None:
        self._slot = slot
        self._timezone = timezone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        following = next_after(self._slot, self._timezone, (previous_fire_time or now) + AHEAD)
        return following and following - AHEAD


def run(runner: Runner, stopping: Callable[[], bool], say: Say) -> None:
    """Go round after round until ``stopping()``; what is on its way then is awaited and written.

    Trouble that lasts is said once.
    """
    ring = Event()
    alarm = Alarm(ring)
    trouble = ""
    try:
        while not stopping():
            ring.clear()
            try:
                runner.tick()
                trouble = ""
                alarm.set(runner.roster)
                while not (runner.busy or stopping() or ring.wait(POLL) or runner.has_work()):
                    pass
            except GengfuError as error:
                if str(error) != trouble:
                    trouble = str(error)
                    say(Note(trouble, "trouble", "error"))
                again = time.monotonic() + AFTER_TROUBLE
                while not stopping() and time.monotonic() < again:
                    time.sleep(POLL)
    finally:
        alarm.close()
        runner.finish()
