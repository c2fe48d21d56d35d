"""What the sandbox knows and decides, apart from any connection: robots, records, faults still to strike."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Condition

from gengfu_scheduler.sandbox.contract import (
    Answer,
    App,
    Event,
    Platform,
    Post,
    Received,
    Robot,
    Taken,
    TaskPlatform,
    Verdict,
)
from gengfu_scheduler.sandbox.faults import FAULTS, Fault
from gengfu_scheduler.sandbox.platforms import APPS, TASK_PLATFORMS
from gengfu_scheduler.sandbox.store import Store, StoreUnusable
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _, series

KEPT_HEADERS = ("content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature")
ANSWER_CHARACTERS = 2000


class UnknownFault(GengfuError):
    """A fault was asked for that the robot's platform does not know."""


class NothingToConfirm(GengfuError):
    """No group waits for this task."""


class Exchange:
    """Judges posts and remembers them. Used by many threads at once."""

    def __init__(
        self,
        robots: Iterable[Robot],
        *,
        store: Path | None,
        admit_unknown: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        :param store: file that keeps what was received; what it holds already is remembered.
        :param admit_unknown: a post to an unknown key makes that robot known instead of being refused.
        :param clock: seconds since the epoch; rates and signatures go by it.
        """
        self._robots = {robot.key: robot for robot in robots}
        self._admit_unknown = admit_unknown
        self._clock = clock
        self._changed = Condition()
        self._received: list[Received] = []
        self._by_robot: defaultdict[str, list[Received]] = defaultdict(list)
        self._faults: defaultdict[str, deque[str]] = defaultdict(deque)
        self._store = Store(store) if store else None
        if self._store:
            self._recall(self._store)

    def close(self) -> None:
        if self._store:
            self._store.close()

    def robots(self) -> list[Robot]:
        """The robots known by now, in the order they became known."""
        with self._changed:
            return list(self._robots.values())

    def messages(self, key: str | None = None) -> list[Received]:
        """Everything received, accepted or refused, oldest first; of one robot or of all."""
        with self._changed:
            return list(self._received if key is None else self._by_robot.get(key, ()))

    def wait_for(self, count: int, *, seconds: float) -> list[Received]:
        """Everything received, as soon as it is ``count`` or more.

        :raises TimeoutError: it is still less after ``seconds``.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._received) >= count, seconds):
                raise TimeoutError(f"expected {count} messages in {seconds} s, got {len(self._received)}")
            return list(self._received)

    def fail(self, key: str, fault: str, times: int = 1) -> None:
        """Let the next ``times`` messages to a robot that would be accepted meet ``fault``.

        :param key: of a robot, or ``*`` for whichever robot is next, or the name of a task platform's call that
            the fault is to strike.
        :param fault: a name from :data:`.faults.FAULTS`, or a code that the robot's platform documents, or a
            mishap of a task platform, which strikes when a task is carried out. Faults asked for earlier strike
            first; a robot's own before those for any robot.
        :raises UnknownFault: there is no such robot, or no such fault for it.
        """
        with self._changed:
            if key != "*" and key not in self._robots and key not in _CALLS:
                raise UnknownFault(_("没有这个机器人：{key}").format(key=key))
            known = [*FAULTS, *self._codes(key)]
            if fault not in known:
                raise UnknownFault(
                    _("没有名为 {fault} 的故障，可用的有：{known}").format(fault=fault, known=series(known))
                )
            self._faults[key].extend([fault] * times)

    def heal(self) -> None:
        """Forget every fault that was asked for and has not struck yet."""
        with self._changed:
            self._faults.clear()

    def confirm(self, task: str) -> None:
        """Let the owner confirm a task, as in the platform's app: its groups that wait get the message now.

        :raises NothingToConfirm: there is no such task, or none of its groups waits.
        """
        with self._changed:
            for platform in TASK_PLATFORMS.values():
                events = platform.carry_out(
                    task, self._now(), self._of(platform), partial(self._next_mishap, platform)
                )
                if events:
                    ticket = self._enter(platform, events, headers={}, answered=None)
                    break
            else:
                raise NothingToConfirm(_("没有等待确认的群发任务：{task}").format(task=task))
        self._sync(ticket)

    def call(
        self,
        platform: TaskPlatform,
        name: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        query: Mapping[str, str],
        reused: bool,
    ) -> tuple[Answer, Fault | None]:
        """Take a call to a server interface and record what it means to groups; else as :meth:`receive`."""
        with self._changed:
            post = Post(headers=headers, body=body, at=self._now(), query=query)
            robots = {robot.key: robot for robot in self._robots.values() if robot.platform == platform.name}
            taken = platform.take(name, post, robots, self._of(platform))
            struck = "" if taken.reason else self._next_call_fault(platform, name, taken, reused=reused)
            fault = FAULTS.get(struck)
            if struck:
                verdict = Verdict(answer=taken.answer, seen=True)
                verdict = _marred(verdict, fault) if fault else platform.documented[struck]
                taken = _struck(taken, verdict, struck)
            ticket = self._enter(
                platform,
                taken.events,
                headers=headers,
                answered=None if fault and fault.broken else taken.answer,
            )
        self._sync(ticket)
        return taken.answer, fault

    def receive(
        self,
        platform: Platform,
        key: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        query: Mapping[str, str],
        reused: bool,
    ) -> tuple[Answer, Fault | None]:
        """Judge a post and put it on record, on disk too; return the answer and the fault that mars it."""
        with self._changed:
            post = Post(headers=headers, body=body, at=self._now(), query=query)
            robot = self._robot(platform, key)
            earlier = self._by_robot[key]
            verdict = platform.judge(post, robot, earlier) if robot else platform.unknown_robot()
            name = self._next_fault(platform, key, reused=reused) if verdict.seen else ""
            fault = FAULTS.get(name)
            if name:
                verdict = _marred(verdict, fault) if fault else platform.documented[name]
            answered = None if fault and fault.broken else verdict.answer
            received = Received(
                number=len(self._received) + 1,
                at=post.at,
                platform=platform.name,
                robot=key,
                name=robot.name if robot else "",
                headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
                body=body,
                seen=verdict.seen,
                status=answered.status if answered else None,
                answer=_beginning(answered.body) if answered else "",
                reason=verdict.reason,
                warnings=verdict.warnings,
                fault=name,
            )
            ticket = self._keep(received)
        self._sync(ticket)
        return verdict.answer, fault

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _of(self, app: App) -> list[Received]:
        return [received for received in self._received if received.platform == app.name]

    def _enter(
        self,
        platform: TaskPlatform,
        events: Iterable[Event],
        *,
        headers: Mapping[str, str],
        answered: Answer | None,
    ) -> int:
        """Put on record what a task means to its groups."""
        ticket = 0
        for event in events:
            robot = self._robots.get(event.robot)
            ticket = self._keep(
                Received(
                    number=len(self._received) + 1,
                    at=self._now(),
                    platform=platform.name,
                    robot=event.robot,
                    name=robot.name if robot else "",
                    headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
                    body=event.body,
                    seen=event.seen,
                    status=answered.status if answered else None,
                    answer=_beginning(answered.body) if answered else "",
                    reason=event.reason,
                    warnings=event.warnings,
                    fault=event.fault,
                    task=event.task,
                    step=event.step,
                )
            )
        return ticket

    def _keep(self, received: Received) -> int:
        """Take in a record; it is kept for good once :meth:`_sync` of the returned ticket returns."""
        self._remember(received)
        self._changed.notify_all()
        return self._store.add(received) if self._store else 0

    def _sync(self, ticket: int) -> None:
        if self._store:
            self._store.sync(ticket)

    def _recall(self, store: Store) -> None:
        try:
            for received in store.load():
                self._remember(received)
        except StoreUnusable:
            store.close()
            raise

    def _robot(self, platform: Platform, key: str) -> Robot | None:
        if self._admit_unknown and key:
            self._robots.setdefault(key, Robot(platform=platform.name, key=key, name=key))
        robot = self._robots.get(key)
        return robot if robot and robot.platform == platform.name else None

    def _codes(self, key: str) -> list[str]:
        if key in _CALLS:
            return list(_CALLS[key].documented)
        apps = APPS.values() if key == "*" else [APPS[self._robots[key].platform]]
        codes = [code for app in apps for code in app.documented]
        return codes + [name for app in apps if isinstance(app, TaskPlatform) for name in app.mishaps]

    def _next_fault(self, app: App, *keys: str, reused: bool) -> str:
        for key in (*keys, "*"):
            queue = self._faults[key]
            if queue and _strikes(queue[0], app, reused=reused):
                return queue.popleft()
        return ""

    def _next_call_fault(self, platform: TaskPlatform, call: str, taken: Taken, *, reused: bool) -> str:
        """Only what asks for a message is struck by a group's faults, or any group's."""
        asked = [event.robot for event in taken.events if event.step == "asked"]
        if asked:
            return self._next_fault(platform, call, *asked, reused=reused)
        queue = self._faults[call]
        return queue.popleft() if queue and _strikes(queue[0], platform, reused=reused) else ""

    def _next_mishap(self, platform: TaskPlatform, key: str) -> str:
        for queue in (self._faults[key], self._faults["*"]):
            if queue and queue[0] in platform.mishaps:
                return queue.popleft()
        return ""

    def _remember(self, received: Received) -> None:
        self._received.append(received)
        self._by_robot[received.robot].append(received)
        if self._admit_unknown and received.name and received.robot not in self._robots:
            self._robots[received.robot] = Robot(
                platform=received.platform, key=received.robot, name=received.name
            )


_CALLS = {call: platform for platform in TASK_PLATFORMS.values() for call in platform.calls}


def _strikes(name: str, app: App, *, reused: bool) -> bool:
    fault = FAULTS.get(name)
    return reused or not fault.reused_only if fault else name in app.documented


def _struck(taken: Taken, verdict: Verdict, name: str) -> Taken:
    """A call that met a fault: where the platform has not done it, no group is asked."""
    done = [replace(event, fault=name) for event in taken.events]
    undone = [
        replace(event, task="", step="", reason=verdict.reason) for event in done if event.step == "asked"
    ]
    return Taken(answer=verdict.answer, events=done if verdict.seen else undone)


def _marred(verdict: Verdict, fault: Fault) -> Verdict:
    return Verdict(
        answer=fault.answer(verdict.answer) if fault.answer else verdict.answer,
        seen=fault.seen,
        reason="" if fault.seen else _("按要求的故障，没有到群里"),
        warnings=verdict.warnings,
    )


def _beginning(body: bytes) -> str:
    return body[: 2 * ANSWER_CHARACTERS].decode(errors="replace").strip()[:ANSWER_CHARACTERS]
