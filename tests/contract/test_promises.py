"""The promises of docs/delivery.md, whatever is told, goes wrong or is interrupted, and in whatever order.

Through the delivering itself, on a database, by a clock of the test's own; the witness is what left for the groups.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from chats import ALERT, DIGEST, GROUP, NOON
from gengfu_scheduler.channels.transport import Answer, Reply, Request
from gengfu_scheduler.deliver import BATCH, Circuits
from gengfu_scheduler.message import Broadcast, Delivery, Group, Message, Planned, Unknown, Unsent
from gengfu_scheduler.outbox import AlertOver, Outbox
from outboxes import DAY, HOUR, MINUTE, SECOND, Place
from posting import OK, Clock, FakeTransport, deliver, roster

LIMITS: Mapping[str, Mapping[timedelta, int]] = {
    "wecom": {MINUTE: 20},
    "dingtalk": {MINUTE: 20},
    "feishu": {SECOND: 5, MINUTE: 100},
    "slack": {5 * SECOND: 8},  # one a second, and short bursts
    "discord": {2 * SECOND: 5, MINUTE: 30},
    "teams": {SECOND: 4, 30 * SECOND: 60, HOUR: 100, 2 * HOUR: 150, DAY: 1800},
}
"""Most messages that a platform takes of one robot in any window: what their documents say, or senders saw."""

ANSWERS = {
    "wecom": OK,
    "dingtalk": OK,
    "feishu": Answer(status=200, headers={}, body=b'{"code":0,"msg":"success"}'),
    "slack": Answer(status=200, headers={}, body=b"ok"),
    "discord": Answer(status=200, headers={}, body=b'{"id":"1"}'),
    "teams": Answer(status=202, headers={}, body=b""),
}


def group(id: str, platform: str = "wecom") -> Group:
    return replace(GROUP, id=id, platform=platform, webhook=f"https://{platform}.example/hook?key={id}")


def tell(
    outbox: Outbox, key: str, groups: Iterable[str], *messages: Message, at: datetime, lasts: timedelta = DAY
) -> None:
    """Plan a broadcast, whether or not its groups were told the same before."""
    form = messages[0].form
    broadcast = Broadcast(key=key, form=form, title=key, scheduled_for=at, expires=at + lasts)
    planned = [Planned(group=g, messages=messages, not_before=at, last_told=at + DAY) for g in groups]
    outbox.plan(broadcast, planned, now=at)


def parts_of(number: int) -> tuple[Message, ...]:
    return tuple(replace(ALERT, part=part, parts=number) for part in range(1, number + 1))


# Rates


@dataclass(kw_only=True)
class Counted:
    """Platforms that count; time passes with each post."""

    clock: Clock
    each: timedelta
    left: defaultdict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, request: Request) -> Reply:
        platform = request.url.partition("//")[2].partition(".")[0]
        self.left[platform].append(self.clock.at)
        self.clock.at += self.each
        return ANSWERS[platform]


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    told=st.lists(
        st.tuples(st.sampled_from(["digest", "alert", "crash"]), st.sampled_from([0, 1, 7, 61, 3600])),
        min_size=8,
        max_size=14,
    ),
    each=st.sampled_from([timedelta(0), timedelta(milliseconds=80)]),
)
def test_no_platform_is_posted_to_faster_than_it_takes_in_any_window(
    place: Place, told: list[tuple[str, int]], each: timedelta
) -> None:
    """By each platform's own pace, over crashes too; and everything arrives in the end."""
    groups, clock = {name: group(name, name) for name in LIMITS}, Clock()
    wire = Counted(clock=clock, each=each)
    outbox, planned = place.emptied(), 0
    try:
        for number, (what, pause) in enumerate(told):
            clock.at += pause * SECOND
            if what == "crash":
                outbox.close()
                outbox = Outbox(place.url)
                outbox.recover(now=clock.at)
            else:
                messages = (DIGEST,) if what == "digest" else parts_of(3)
                key = f"{'alert:' if what == 'alert' else 'digest'}{number}:1"
                tell(outbox, key, groups, *messages, at=clock.at, lasts=30 * DAY)
                planned += len(messages)
            deliver(outbox, roster(groups), FakeTransport(wire), now=clock)
        while any(status.open for status in outbox.broadcasts(limit=100)):
            due = outbox.due_at()
            assert due
            clock.at = max(clock.at, due)
            deliver(outbox, roster(groups), FakeTransport(wire), now=clock)
    finally:
        outbox.close()
    assert {platform: len(left) for platform, left in wire.left.items()} == (
        dict.fromkeys(LIMITS, planned) if planned else {}
    )
    for platform, left in wire.left.items():
        for window, most in LIMITS[platform].items():
            for first, start in enumerate(left[most:]):
                # Of what is claimed together the last is seen later by as much as those before it take.
                assert start - left[first] >= window - each * len(LIMITS), (platform, window, most)


def test_an_alert_overtakes_a_digest_that_is_under_way(url: str) -> None:
    """All but what is claimed already."""
    groups = {f"g{n}": group(f"g{n}") for n in range(300)}
    clock, transport = Clock(), FakeTransport(room=10)

    def reply(_request: Request) -> Reply:
        if len(transport.posted) == 100:
            tell(outbox, "alert:A:1", groups, *parts_of(1), at=clock.at)
        return OK

    transport.reply = reply
    with Outbox(url) as outbox:
        tell(outbox, "digest", groups, DIGEST, at=NOON)
        deliver(outbox, roster(groups), transport, now=clock)
    forms = ["markdown" if b'"markdown"' in request.body else "news" for request in transport.posted]
    digests_before = forms[: forms.index("markdown")].count("news")
    assert digests_before <= 100 + BATCH + 10
    assert forms[digests_before : digests_before + 300] == ["markdown"] * 300
    assert len(forms) == 600


# Two at once, and clocks that jump


def test_two_schedulers_that_deliver_at_once_tell_each_group_once(url: str) -> None:
    """Even where a lock failed to keep them apart."""
    groups = {f"g{n}": group(f"g{n}") for n in range(150)}
    told: list[int] = []
    start = threading.Barrier(2, timeout=60)

    def reply(request: Request) -> Reply:
        told.append(request.key)
        return OK

    def work() -> None:
        with Outbox(url) as own:
            start.wait()
            for _round in range(3):
                deliver(own, roster(groups), FakeTransport(reply, room=8), now=Clock())

    with Outbox(url) as outbox:
        tell(outbox, "digest", groups, DIGEST, at=NOON)
        tell(outbox, "alert:A:1", groups, *parts_of(2), at=NOON)
        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(timeout=30)
        counts = [status.counts for status in outbox.broadcasts()]
    assert counts == [{"sent": 300}, {"sent": 150}]
    assert set(Counter(told).values()) == {1}
    assert len(told) == 450


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
@pytest.mark.parametrize("set_right", [True, False])
def test_a_clock_that_jumps_in_mid_broadcast_doubles_nothing_and_names_what_it_cost(
    outbox: Outbox, jump: timedelta, set_right: bool
) -> None:
    groups = {f"g{n}": group(f"g{n}") for n in range(60)}
    tell(outbox, "digest", groups, DIGEST, at=NOON, lasts=HOUR)
    tell(outbox, "alert:A:1", groups, *parts_of(3), at=NOON)
    clock, transport = Clock(), FakeTransport(room=20)

    def reply(_request: Request) -> Reply:
        clock.at += timedelta(milliseconds=10)
        if len(transport.posted) == 75:
            clock.at += jump
        elif len(transport.posted) == 150 and set_right:
            clock.at -= jump
        return OK

    transport.reply = reply
    for _round in range(20):
        outbox.recover(now=clock.at)
        outbox.expire(now=clock.at)
        deliver(outbox, roster(groups), transport, now=clock)
        clock.at += SECOND
    posts = Counter(request.key for request in transport.posted)
    states = {status.broadcast.key: status.counts for status in outbox.broadcasts()}
    assert set(posts.values()) == {1}
    assert states["alert:A:1"] == {"sent": 180}
    digests = states["digest"]
    assert digests.get("sent", 0) + digests.get("expired", 0) == 60
    assert digests.get("sent", 0) == len(posts) - 180
    assert jump > timedelta(0) or "expired" not in digests


# Whatever happens


class Killed(BaseException):
    """The process is no more."""


class Mortal:
    """An outbox as a process has it: once that is dead, it writes nothing."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        if self.dead:
            raise Killed
        return getattr(self._outbox, name)


@dataclass(frozen=True, kw_only=True)
class Left:
    """A post that left for a group."""

    delivery: int
    broadcast: str
    group: str
    part: int
    marked: bool
    ended: str
    at: datetime

    @property
    def may_have_arrived(self) -> bool:
        return self.ended in ("ok", "silent", "killed")


REPLIES: Mapping[str, Reply] = {
    "ok": OK,
    "silent": Unknown(reason="timeout"),
    "unreachable": Unsent(reason="refused"),
    "busy": Answer(status=200, headers={}, body=b'{"errcode":45009}'),
    "overloaded": Answer(status=200, headers={}, body=b'{"errcode":-1}'),
    "refused": Answer(status=200, headers={}, body=b'{"errcode":40058}'),
    "dead": Answer(status=200, headers={}, body=b'{"errcode":93000}'),
}
ENDS = st.sampled_from([*REPLIES, "silent", "silent", "ok"])
SOME = st.sets(st.sampled_from("ABC"), min_size=1).map(sorted)


class Watchman(RuleBasedStateMachine):
    """Tells, fails, dies, is stopped and begins again; the promises hold after each step, and in the end."""

    place: Place

    @initialize()
    def begin(self) -> None:
        self.outbox = self.place.emptied()
        self.clock, self.circuits = Clock(), Circuits()
        self.groups = {id: group(id) for id in "ABC"}
        self.keys: dict[str, datetime] = {}
        self.left: list[Left] = []
        self.asked = Counter[int]()
        """How often a person had a delivery sent again."""
        self.plan_digest(["A", "B"])
        self.plan_alert(["A", "B"], parts=3)

    @rule(groups=SOME)
    def plan_digest(self, groups: list[str]) -> None:
        self._plan(f"digest{len(self.keys)}", groups, DIGEST, lasts=HOUR)

    @rule(groups=SOME, parts=st.integers(1, 3))
    def plan_alert(self, groups: list[str], parts: int) -> None:
        self._plan(f"alert:A{len(self.keys)}:1", groups, *parts_of(parts), lasts=HOUR)

    @rule(seconds=st.sampled_from([3, 5, 61, 61, 3700]))
    def wait(self, seconds: int) -> None:
        self.clock.at += seconds * SECOND

    @rule(replies=st.lists(ENDS, min_size=3, max_size=8), room=st.integers(1, 4))
    def deliver(self, replies: list[str], room: int) -> None:
        self._deliver(replies, room)

    @rule(replies=st.lists(ENDS, max_size=4), room=st.integers(1, 4))
    def be_killed_while_delivering(self, replies: list[str], room: int) -> None:
        self._deliver([*replies, "killed"], room)
        self.circuits = Circuits()
        self.outbox.recover(now=self.clock.at)

    @rule()
    def expire(self) -> None:
        self.outbox.expire(now=self.clock.at)

    @rule()
    def mend_addresses(self) -> None:
        for id in self.outbox.disabled():
            self.outbox.enable(id)

    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        self.outbox.stop(data.draw(st.sampled_from(sorted(self.keys))), now=self.clock.at, reason="不用了")

    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.keys)))
        self.asked.update(d.id for d in self.outbox.deliveries(key) if d.state == "unknown")
        expires = self.clock.at + HOUR
        with suppress(AlertOver):
            self.outbox.resend(key, ["unknown", "rejected"], now=self.clock.at, expires=expires)
            self.keys[key] = max(self.keys[key], expires)

    @invariant()
    def nothing_is_told_twice_but_marked_nor_ends_as_it_did_not(self) -> None:
        arrivals = defaultdict[int, list[Left]](list)
        for left in self.left:
            if left.may_have_arrived:
                arrivals[left.delivery].append(left)
        for delivery in self._deliveries():
            told, form = arrivals[delivery.id], delivery.message.form
            assert len(told) <= (1 if form == "digest" else 2) + self.asked[delivery.id], delivery
            assert all(again.marked for again in told[1:]), delivery
            match delivery.state:
                case "sent":
                    assert told[-1].ended == "ok"
                case "rejected" | "expired" | "cancelled":
                    assert told == []
                    assert delivery.reason or delivery.state == "expired"
                case "unknown":
                    assert delivery.reason
                case "pending":
                    assert delivery.resent or told == []
                case state:
                    raise AssertionError(state)

    @invariant()
    def parts_leave_in_order(self) -> None:
        parts = defaultdict[tuple[str, str], list[int]](list)
        for left in self.left:
            if left.may_have_arrived and not self.asked:
                parts[left.broadcast, left.group].append(left.part)
        assert all(numbers == sorted(numbers) for numbers in parts.values())

    def teardown(self) -> None:
        for _round in range(200):
            self.mend_addresses()
            self.outbox.expire(now=self.clock.at)
            self._deliver([], room=4)
            if not any(status.open for status in self.outbox.broadcasts(limit=100)):
                break
            self.clock.at = max(self.outbox.due_at() or NOON, self.clock.at + SECOND)
        self.nothing_is_told_twice_but_marked_nor_ends_as_it_did_not()
        self.parts_leave_in_order()
        for delivery in self._deliveries():
            assert delivery.state in ("sent", "unknown", "rejected", "cancelled", "expired"), "lost"
            assert delivery.state != "expired" or delivery.expires <= self.clock.at
        for id in self.groups:
            times = [left.at for left in self.left if left.group == id]
            assert all(late - early >= MINUTE for early, late in zip(times, times[20:], strict=False))

    def _plan(self, key: str, groups: list[str], *messages: Message, lasts: timedelta) -> None:
        tell(self.outbox, key, groups, *messages, at=self.clock.at, lasts=lasts)
        self.keys[key] = self.clock.at + lasts

    def _deliveries(self) -> list[Delivery]:
        return [delivery for key in self.keys for delivery in self.outbox.deliveries(key)]

    def _deliver(self, replies: list[str], room: int) -> None:
        """Posts end as ``replies`` say in turn, then well."""
        known = {delivery.id: delivery for delivery in self._deliveries()}
        coming, outbox = iter(replies), Mortal(self.outbox)

        def reply(request: Request) -> Reply:
            ended = next(coming, "ok")
            delivery = known[request.key]
            self.left.append(
                Left(
                    delivery=request.key,
                    broadcast=delivery.broadcast,
                    group=delivery.group,
                    part=delivery.part,
                    marked="【重发】" in request.body.decode(),
                    ended=ended,
                    at=self.clock.at,
                )
            )
            if ended == "killed":
                outbox.dead = True
                raise Killed
            return REPLIES[ended]

        with suppress(Killed):
            deliver(
                outbox,  # type: ignore[arg-type]
                roster(self.groups),
                FakeTransport(reply, room=room),
                now=self.clock,
                circuits=self.circuits,
            )


def test_the_promises_hold_whatever_happens(place: Place) -> None:
    """A state machine over the real outbox: kill -9, failures, clocks, stops and second sendings in any order."""

    class Here(Watchman):
        pass

    Here.place = place
    run_state_machine_as_test(
        Here,
        settings=settings(max_examples=20, stateful_step_count=8, suppress_health_check=list(HealthCheck)),
    )
