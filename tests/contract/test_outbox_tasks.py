"""What a platform asks people to confirm: handed until the platform says how it ended, and never called sent before."""

from __future__ import annotations

import pytest

from gengfu_scheduler.message import Handed, Rejected, Sent, Unknown
from gengfu_scheduler.outbox import Outbox, PlatformTask
from outboxes import DAY, HOUR, MINUTE, NOON, groups, plan

WAYS = ("confirm",)


def ask(outbox: Outbox, tasks: dict[str, str], key: str = "alert:F:1") -> dict[str, int]:
    """Plan ``key`` to the groups named in ``tasks`` (task: groups) and hand them over; the delivery ids by group."""
    named = {group: task for task, groups in tasks.items() for group in groups.split()}
    plan(
        outbox, " ".join(named), key=key, form="alert" if key.startswith("alert") else "digest", way="confirm"
    )
    claimed = outbox.claim(now=NOON, ways=WAYS)
    handed = [(d.id, Handed(to="王姐", task=named[d.group], account="wang")) for d in claimed]
    outbox.settle(handed, now=NOON)
    return {d.group: d.id for d in claimed}


def look(
    outbox: Outbox,
    task: str,
    *,
    confirmed: tuple[int, ...] = (),
    rejected: dict[int, str] | None = None,
    reminded: bool = False,
    closed: bool = False,
) -> None:
    outbox.note_look(
        task,
        now=NOON + MINUTE,
        confirmed=confirmed,
        rejected=rejected or {},
        reminded=reminded,
        closed=closed,
    )


def standing(outbox: Outbox, key: str = "alert:F:1") -> dict[str, str]:
    return {d.group: d.state for d in outbox.deliveries(key)}


def test_who_is_reached_otherwise_is_left_to_another_caller(outbox: Outbox) -> None:
    plan(outbox, "robot", key="a")
    plan(outbox, "owner", key="b", way="hand")
    plan(outbox, "asked", key="c", way="confirm")
    assert groups(outbox.claim(now=NOON)) == "robot owner"
    assert outbox.due_at() is None
    assert outbox.due_at(ways=WAYS) == NOON
    assert [(d.group, d.way) for d in outbox.claim(now=NOON, ways=WAYS)] == [("asked", "confirm")]


def test_a_task_is_open_with_the_groups_that_wait_for_it(outbox: Outbox) -> None:
    ids = ask(outbox, {"m1": "A B", "m2": "C"})
    assert outbox.open_tasks(now=NOON)[0] == PlatformTask(
        task="m1",
        account="wang",
        broadcast="alert:F:1",
        form="alert",
        expires=NOON + HOUR,
        created_at=NOON,
        reminders=0,
        looked_at=None,
        deliveries={"A": ids["A"], "B": ids["B"]},
        ended=False,
    )
    assert [t.task for t in outbox.open_tasks(now=NOON)] == ["m1", "m2"]


def test_what_the_platform_says_is_kept_as_confirmed_or_refused(outbox: Outbox) -> None:
    ids = ask(outbox, {"m1": "A B C"})
    look(outbox, "m1", confirmed=(ids["A"],), rejected={ids["B"]: "不是群主"}, reminded=True)
    assert standing(outbox) == {"A": "sent", "B": "rejected", "C": "handed"}
    assert outbox.deliveries("alert:F:1")[1].reason == "不是群主"
    assert outbox.broadcasts()[0].confirmed == 1
    (task,) = outbox.open_tasks(now=NOON)
    assert (task.deliveries, task.reminders, task.looked_at) == ({"C": ids["C"]}, 1, NOON + MINUTE)


def test_a_closed_task_asks_nobody_and_what_it_left_open_has_expired(outbox: Outbox) -> None:
    ids = ask(outbox, {"m1": "A B"})
    look(outbox, "m1", confirmed=(ids["A"],), closed=True)
    assert outbox.open_tasks(now=NOON) == []
    assert standing(outbox) == {"A": "sent", "B": "expired"}
    look(outbox, "m1", confirmed=(ids["B"],))
    assert standing(outbox)["B"] == "expired"
    assert outbox.open_tasks(now=NOON) == []


@pytest.mark.parametrize("refused", [True, False])
def test_what_may_have_arrived_before_it_was_asked_again_stays_unknown(outbox: Outbox, refused: bool) -> None:
    plan(outbox, "A B", key="alert:F:1", form="alert", way="confirm")
    for at, outcome in (
        (NOON, Unknown(reason="超时")),
        (NOON + MINUTE, Handed(to="王姐", task="m1", account="wang")),
    ):
        outbox.settle([(d.id, outcome) for d in outbox.claim(now=at, ways=WAYS)], now=at)
    (task,) = outbox.open_tasks(now=NOON)
    look(outbox, "m1", rejected={task.deliveries["A"]: "不是群主"} if refused else {}, closed=not refused)
    assert standing(outbox) == {"A": "unknown", "B": "handed" if refused else "unknown"}
    # As long as one group waits for it, the task goes on.
    assert [task.ended for task in outbox.open_tasks(now=NOON)] == [False] * refused


def test_the_task_of_an_alert_that_is_over_is_to_be_cancelled_at_the_platform(outbox: Outbox) -> None:
    ids = ask(outbox, {"m1": "A B"})
    look(outbox, "m1", confirmed=(ids["A"],))
    assert [t.ended for t in outbox.open_tasks(now=NOON + HOUR)] == [True]
    assert [t.ended for t in outbox.open_tasks(now=NOON + MINUTE)] == [False]
    plan(outbox, "A", key="alert:F:2", form="alert", at=NOON + MINUTE)
    assert [(t.ended, t.deliveries) for t in outbox.open_tasks(now=NOON + MINUTE)] == [(True, {})]
    assert standing(outbox) == {"A": "sent", "B": "cancelled"}


def test_a_task_that_comes_back_after_its_broadcast_was_stopped_is_to_be_cancelled(outbox: Outbox) -> None:
    plan(outbox, "A", key="k", way="confirm")
    (flying,) = outbox.claim(now=NOON, ways=WAYS)
    outbox.stop("k", now=NOON, reason="发错了")
    outbox.settle([(flying.id, Handed(to="王姐", task="m1", account="wang"))], now=NOON)
    assert [t.ended for t in outbox.open_tasks(now=NOON)] == [True]


def test_one_sent_again_lies_in_its_new_task(outbox: Outbox) -> None:
    ids = ask(outbox, {"m1": "A"}, key="morning@1")
    look(outbox, "m1", rejected={ids["A"]: "不是群主"}, closed=True)
    assert outbox.resend("morning@1", ["rejected"], now=NOON, expires=NOON + HOUR) == 1
    outbox.claim(now=NOON, ways=WAYS)
    outbox.settle([(ids["A"], Handed(to="王姐", task="m2", account="wang"))], now=NOON)
    assert [(t.task, t.deliveries) for t in outbox.open_tasks(now=NOON)] == [("m2", ids)]


def test_the_quota_counts_what_a_person_was_asked_or_may_have_been(outbox: Outbox) -> None:
    for n, outcome in enumerate(
        [
            Handed(to="", task="m1", account="w"),
            Sent(confirmed=True),
            Unknown(reason="?"),
            Rejected(reason="x"),
        ]
    ):
        plan(outbox, "A", key=f"k{n}", way="confirm")
        outbox.settle([(d.id, outcome) for d in outbox.claim(now=NOON, ways=WAYS)], now=NOON)
    plan(outbox, "A B", key="robot")
    outbox.settle([(d.id, Sent(confirmed=True)) for d in outbox.claim(now=NOON)], now=NOON)
    assert outbox.used_quota(["A", "B"], since=NOON - DAY) == {"A": 3}
    assert outbox.used_quota(["A", "B"], since=NOON + MINUTE) == {}
