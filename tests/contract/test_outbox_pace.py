"""How fast a group is told: by its pace, whatever happens in between, with tokens kept for alerts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gengfu_scheduler.message import Delivery, Form, Pace, Sent, Throttled
from gengfu_scheduler.outbox import Outbox
from outboxes import DAY, MINUTE, NOON, SECOND, Place, groups, plan

OK = Sent(confirmed=True)
PACE = Pace(every=10 * SECOND, burst=3, reserve=1)
ZERO = timedelta(0)


def paced(outbox: Outbox, at: datetime = NOON, pace: Pace = PACE, limit: int = 200) -> list[Delivery]:
    return outbox.claim(now=at, limit=limit, pace=lambda _group: pace)


def forms(deliveries: list[Delivery]) -> str:
    return " ".join(d.message.form for d in deliveries)


def plan_many(outbox: Outbox, group: str, number: int, form: Form = "digest", at: datetime = NOON) -> None:
    for n in range(number):
        plan(outbox, group, key=f"{form}:{group}{n}:{at:%d-%H%M%S}", form=form, at=at, items=f"{group}{n}")


def test_a_burst_leaves_at_once_and_then_one_each_time(outbox: Outbox) -> None:
    plan_many(outbox, "A", 4, "alert")
    plan(outbox, "B")
    assert groups(paced(outbox)) == "A A A B"
    assert outbox.due_at() == NOON + 10 * SECOND
    assert paced(outbox, NOON + 9 * SECOND) == []
    (last,) = paced(outbox, NOON + 10 * SECOND)
    assert last.attempts == 1  # to wait for one's turn is no attempt


def test_digests_leave_the_reserve_to_alerts(outbox: Outbox) -> None:
    plan_many(outbox, "A", 4)
    assert forms(paced(outbox)) == "digest digest"
    plan_many(outbox, "A", 2, "alert")
    assert forms(paced(outbox)) == "alert"
    assert forms(paced(outbox, NOON + 10 * SECOND)) == "alert"
    assert paced(outbox, NOON + 29 * SECOND) == []
    assert forms(paced(outbox, NOON + 30 * SECOND)) == "digest"


def test_what_waits_takes_no_room_from_what_may_leave(outbox: Outbox) -> None:
    plan_many(outbox, "A", 5)
    plan(outbox, "B C", at=NOON)
    assert groups(paced(outbox, limit=4)) == "A A B C"


def test_what_was_taken_is_known_after_a_crash(outbox: Outbox, url: str) -> None:
    plan_many(outbox, "A", 4)
    paced(outbox)
    with Outbox(url) as restarted:
        restarted.recover(now=NOON)
        assert paced(restarted, NOON + 9 * SECOND) == []
        assert groups(paced(restarted, NOON + 10 * SECOND)) == "A"


def test_two_processes_share_one_pace(outbox: Outbox, url: str) -> None:
    plan_many(outbox, "A", 8, "alert")
    start, taken = threading.Barrier(2, timeout=60), list[Delivery]()

    def work() -> None:
        with Outbox(url) as own:
            start.wait()
            for _try in range(4):
                taken.extend(paced(own, limit=1))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert len(taken) == PACE.burst


@pytest.mark.parametrize("form", ["digest", "alert"])
def test_a_group_that_the_platform_throttles_is_told_nothing_until_it_may(outbox: Outbox, form: Form) -> None:
    plan(outbox, "A B", key="first")
    a, b = outbox.claim(now=NOON)
    outbox.settle([(a.id, Throttled(after=60, reason="45009")), (b.id, OK)], now=NOON)
    plan(outbox, "A B", key="second", form=form, at=NOON + SECOND)
    assert groups(outbox.claim(now=NOON + SECOND)) == "B"
    assert outbox.due_at() == NOON + MINUTE
    assert groups(outbox.claim(now=NOON + MINUTE)) == "A A"


def test_the_longest_pause_that_the_platform_asked_for_holds(outbox: Outbox) -> None:
    plan(outbox, "A", key="first")
    plan(outbox, "A", key="second", items="x")
    for delivery, pause in zip(outbox.claim(now=NOON), (60, 5), strict=True):
        outbox.settle([(delivery.id, Throttled(after=pause, reason="45009"))], now=NOON)
    plan(outbox, "A", key="third", items="y", at=NOON + 59 * SECOND)
    assert outbox.claim(now=NOON + 59 * SECOND) == []
    assert len(outbox.claim(now=NOON + MINUTE)) == 3


@pytest.mark.parametrize("held", [True, False])
def test_a_clock_that_ran_ahead_and_was_set_right_freezes_no_group(outbox: Outbox, held: bool) -> None:
    ahead = NOON + 3 * DAY
    plan_many(outbox, "A", 6, at=ahead)
    claimed = paced(outbox, ahead)
    outbox.settle([(d.id, Throttled(after=3600, reason="") if held else OK) for d in claimed], now=ahead)
    outbox.expire(now=NOON)
    assert len(paced(outbox, NOON)) == 2


def test_a_group_is_held_for_a_day_at_most(outbox: Outbox) -> None:
    plan(outbox, "A", key="first")
    (first,) = outbox.claim(now=NOON)
    outbox.settle([(first.id, Throttled(after=7 * 86400, reason="月配额"))], now=NOON)
    plan(outbox, "A", key="second", form="alert", at=NOON + DAY - SECOND)
    assert outbox.claim(now=NOON + DAY - SECOND) == []
    assert groups(outbox.claim(now=NOON + DAY)) == "A"


# Whatever is planned, and whatever happens


@dataclass(kw_only=True)
class Bucket:
    """A group's tokens as a person would count them: the other way to put the algorithm (ITU-T I.371, annex A)."""

    full: timedelta
    tokens: timedelta
    """In units of time: one message takes ``every``."""
    held_until: datetime = NOON
    left: list[tuple[datetime, Form]] = field(default_factory=list)

    def wait(self, pace: Pace, form: Form, now: datetime) -> timedelta:
        """How long until a message of that form may leave."""
        wanted = pace.every * (1 if form == "alert" else 1 + pace.reserve)
        return max(wanted - self.tokens, self.held_until - now, ZERO)


PACES = st.builds(
    lambda every, burst, spare: Pace(every=every * SECOND, burst=burst, reserve=min(spare, burst - 1)),
    st.sampled_from([1, 3, 20]),
    st.integers(1, 4),
    st.integers(0, 2),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["digest", "digest", "alert", "wait", "wait", "until due", "restart", "throttled"]),
        st.sampled_from(["A", "B"]),
        st.integers(1, 40),
    ),
    min_size=4,
    max_size=20,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(pace=PACES, steps=STEPS)
def test_no_group_is_told_faster_than_its_pace_nor_later_than_it_may_be(
    place: Place, pace: Pace, steps: list[tuple[str, str, int]]
) -> None:
    now, numbers, end = NOON, count(), NOON + 30 * DAY
    full = pace.burst * pace.every
    buckets = {group: Bucket(full=full, tokens=full) for group in "AB"}
    waiting: dict[str, list[Form]] = {"A": [], "B": []}
    waits: list[timedelta] = []
    outbox = place.emptied()
    try:
        for what, group, size in steps:
            passed = ZERO
            throttled = False
            match what:
                case "digest" | "alert":
                    form: Form = "alert" if what == "alert" else "digest"
                    key = f"{form}:{next(numbers)}:1"
                    plan(outbox, group, key=key, form=form, at=now, items=key, lasts=end - now)
                    waiting[group].append(form)
                case "wait":
                    passed = size * SECOND
                case "until due":
                    passed = min(waits, default=ZERO)
                case "restart":
                    outbox.close()
                    outbox = Outbox(place.url)
                    outbox.recover(now=now)
                case "throttled":
                    throttled = True
            now += passed
            for bucket in buckets.values():
                bucket.tokens = min(bucket.tokens + passed, full)
            while claimed := paced(outbox, now, pace, limit=3):
                for delivery in claimed:
                    bucket = buckets[delivery.group]
                    assert bucket.wait(pace, delivery.message.form, now) == ZERO
                    assert "alert" not in waiting[delivery.group] or delivery.message.form == "alert"
                    bucket.tokens -= pace.every
                    bucket.left.append((now, delivery.message.form))
                    waiting[delivery.group].remove(delivery.message.form)
                    outcome = Throttled(after=size, reason="", retries=0) if throttled else OK
                    outbox.settle([(delivery.id, outcome)], now=now)
                    if throttled:
                        bucket.held_until = now + size * SECOND
            waits = [buckets[g].wait(pace, form, now) for g, forms in waiting.items() for form in forms]
            assert ZERO not in waits
            # An alert may have taken the token that a digest waits for: then one look too many, never one too few.
            assert now < (outbox.due_at() or end) <= min((now + wait for wait in waits), default=end)
    finally:
        outbox.close()
    for bucket in buckets.values():
        for first, (start, _form) in enumerate(bucket.left):
            for number, (stop, form) in enumerate(bucket.left[first:], start=1):
                burst = pace.burst if form == "alert" else pace.burst - pace.reserve
                assert number <= burst + (stop - start) / pace.every
