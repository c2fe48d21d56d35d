"""The watchman's round, and the clock that sends him on it.

Truth is the outbox: what was planned, up to when, and how each delivery ended. So a round may be cut short
anywhere, by a crash or by a person, and the next one goes on from there. APScheduler
(https://apscheduler.readthedocs.io/en/3.x/) only wakes us, one job a slot in memory, each at the instant our
own timetable names: its cron trigger numbers Monday 0 and doubles the repeated hour of autumn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from gengfu_scheduler.channels import KNOWN_HOSTS
from gengfu_scheduler.channels.hand import TASKS, TASKS_OF, write_task_pages
from gengfu_scheduler.channels.transport import CurlTransport, Transport
from gengfu_scheduler.deliver import Circuits, deliver
from gengfu_scheduler.draft import draft_occurrence
from gengfu_scheduler.message import Broadcast
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import Roster, RosterFiles
from gengfu_scheduler.state import state_folder
from gengfu_scheduler.timetable import Occurrence, Slot, next_after, occurrences
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

POLL = 0.1
"""Seconds between two looks at what other processes wrote: the outbox, the admin's files."""
AFTER_TROUBLE = 5.0
"""Seconds to wait where the outbox or the task pages could not be written."""

Clock = Callable[[], datetime]
Say = Callable[[str], None]
OpenTransport = Callable[[Iterable[str]], Transport]
"""Makes a transport that may also post to the hosts the admin lists."""


def open_transport(listed: Iterable[str]) -> Transport:
    return CurlTransport(known=KNOWN_HOSTS, listed=tuple(listed))


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
    ) -> None:
        """
        :param say: told what an admin should know, a sentence at a time.
        :param stopping: once true, no further delivery is begun.
        :raises ProblemsFound: groups or timetable have problems: nothing is begun with half of them.
        :raises CatalogueUnavailable: nothing was ever published.
        """
        self._folder = folder
        self._outbox = outbox
        self._clock = clock
        self._say = say
        self._stopping = stopping
        self._files = RosterFiles(folder, environ)
        self.roster = self._files.read()
        self._open_transport = transport
        self._transport = transport(self.roster.timetable.hosts)
        self._circuits = Circuits()
        self._planned_until: dict[str, datetime] = {}
        self._trouble = self._files.trouble
        self._tasks_for: dict[Broadcast, int] | None = None

    def tick(self) -> None:
        """One round; afterwards nothing is due that can be done now."""
        now = self._clock()
        # What waits already - an alert above all - waits for nothing that may be slow.
        self.send()
        self._reload(now)
        due = self._due(now)
        for occurrence in due:
            self._plan(occurrence, now)
        if due:
            self.send()

    def send(self) -> None:
        """Clear up after a process that died in mid-send, give up what is too late, deliver what is due."""
        now = self._clock()
        stranded = [d for d in self._outbox.recover(now=now) if d.state == "unknown"]
        late = self._outbox.expire(now=now)
        if stranded:
            self._say(_("上次发送中断，{n} 条结果不明，见 gengfu status。").format(n=len(stranded)))
        if late:
            self._say(_("{n} 条消息过时未发，见 gengfu status。").format(n=len(late)))
        deliver(
            self._outbox,
            self.roster.groups,
            self._transport,
            now=self._clock,
            circuits=self._circuits,
            stopping=self._stopping,
        )
        self._write_tasks()

    def has_work(self) -> bool:
        """Whether another process wrote something that a round would deal with. Cheap."""
        due = self._outbox.due_at()
        return (due is not None and due <= self._clock()) or self._files.changed()

    def _reload(self, now: datetime) -> None:
        """Read again what changed; where it has problems, keep what was right and say so once."""
        if not self._files.changed() and not self._due(now):
            return
        before = self.roster
        try:
            self.roster = self._files.read()
        except GengfuError as error:
            trouble = str(error)  # the catalogue has moved, and is not where it moved to
        else:
            trouble = self._files.trouble
        if trouble != self._trouble:
            self._trouble = trouble
            text = _("改动过的文件有问题，仍按原来的执行：\n{trouble}").format(trouble=trouble)
            self._say(text if trouble else _("改动过的文件已恢复正常。"))
        if self.roster.timetable.hosts != before.timetable.hosts:
            self._transport = self._open_transport(self.roster.timetable.hosts)
        # A slot that was rewritten counts from now: its new times of earlier today were never promised.
        for slot in self.roster.timetable.slots:
            if slot not in before.timetable.slots and self._until(slot, now) < now:
                self._set_until(slot, now)

    def _due(self, now: datetime) -> list[Occurrence]:
        """Occurrences that have come and are not dealt with, earliest first."""
        table = self.roster.timetable
        due = [o for s in table.slots for o in occurrences(s, table.timezone, self._until(s, now), now)]
        return sorted(due, key=lambda occurrence: occurrence.scheduled_for)

    def _plan(self, occurrence: Occurrence, now: datetime) -> None:
        slot, when = occurrence.slot, occurrence.scheduled_for
        if now - when > slot.late:
            self._outbox.record_missed(slot.id, when, now=now)
            self._say(
                _("错过了：{title}（{when:%m-%d %H:%M}），已超过 late，不再补发。").format(
                    title=slot.title, when=when.astimezone(self.roster.timetable.timezone)
                )
            )
        else:
            draft = draft_occurrence(occurrence, self.roster, self._outbox.told, now)
            if draft.planned:
                self._outbox.plan(draft.broadcast, draft.planned, now=now)
        self._set_until(slot, when)

    def _until(self, slot: Slot, now: datetime) -> datetime:
        """Up to when the slot's occurrences are dealt with; a slot never seen begins now."""
        if slot.id not in self._planned_until:
            known = self._outbox.planned_until(slot.id)
            if known is None:
                self._set_until(slot, now)
            else:
                self._planned_until[slot.id] = known
        return self._planned_until[slot.id]

    def _set_until(self, slot: Slot, at: datetime) -> None:
        self._outbox.set_planned_until(slot.id, at)
        self._planned_until[slot.id] = at

    def _write_tasks(self) -> None:
        """Write the task pages, if others stand at ``handed`` than at the last writing."""
        recent = self._outbox.broadcasts(limit=TASKS_OF)
        counts = {status.broadcast: number for status in recent if (number := status.counts.get("handed"))}
        if counts != self._tasks_for:
            handed = [(broadcast, self._outbox.deliveries(broadcast.key)) for broadcast in counts]
            write_task_pages(handed, self.roster.groups, state_folder(self._folder) / TASKS)
            self._tasks_for = counts


class Alarm:
    """Sets an event whenever a slot is due."""

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

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return next_after(self._slot, self._timezone, previous_fire_time or now)


def run(runner: Runner, stopping: Callable[[], bool], say: Say) -> None:
    """Go round after round until ``stopping()``; what is on its way then is awaited and written."""
    ring = Event()
    alarm = Alarm(ring)
    try:
        while not stopping():
            ring.clear()
            try:
                runner.tick()
                alarm.set(runner.roster)
                while not (stopping() or ring.wait(POLL) or runner.has_work()):
                    pass
            except GengfuError as error:
                say(str(error))
                ring.wait(AFTER_TROUBLE)
    finally:
        alarm.close()
