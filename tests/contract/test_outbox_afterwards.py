"""What people do with a broadcast afterwards: send it again, stop it, count it, forget it."""

from __future__ import annotations

import pytest

from gengfu_scheduler.message import Handed, Outcome, Rejected, Sent, Throttled, Unknown, Unsent
from gengfu_scheduler.outbox import AlertOver, Outbox
from outboxes import DAY, HOUR, MINUTE, NOON, SECOND, groups, plan, rows, send

OK = Sent(confirmed=True)
LATER = NOON + 2 * HOUR


def end(outbox: Outbox, outcomes: dict[str, Outcome], key: str = "k", **options: object) -> None:
    """Plan ``key`` and end each group's delivery so."""
    plan(outbox, " ".join(outcomes), key=key, **options)  # type: ignore[arg-type]
    outbox.settle([(d.id, outcomes[d.group]) for d in outbox.claim(now=NOON)], now=NOON)


def standing(outbox: Outbox, key: str = "k") -> dict[str, str]:
    return {d.group: d.state for d in outbox.deliveries(key)}


# Sending again


def test_what_is_unknown_goes_again_marked_and_what_was_refused_unmarked(outbox: Outbox) -> None:
    end(outbox, {"A": Unknown(reason="超时"), "B": Rejected(reason="45033"), "C": OK})
    assert outbox.resend("k", ["unknown", "rejected"], now=LATER, expires=LATER + HOUR) == 2
    again = outbox.claim(now=LATER)
    assert [(d.group, d.resent, d.message.resent, d.expires) for d in again] == [
        ("A", True, True, LATER + HOUR),
        ("B", False, False, LATER + HOUR),
    ]
    outbox.settle(
        [(again[0].id, Rejected(reason="93000")), (again[1].id, Rejected(reason="93000"))], now=LATER
    )
    assert standing(outbox) == {"A": "unknown", "B": "rejected", "C": "sent"}
    assert [d.reason for d in outbox.deliveries("k")] == ["超时；93000", "93000", ""]


def test_only_the_states_and_groups_that_were_named_go_again(outbox: Outbox) -> None:
    lost = Unknown(reason="超时")
    end(outbox, {"A": lost, "B": lost, "C": Rejected(reason="45033")})
    assert outbox.resend("k", ["unknown"], groups=["B", "C"], now=NOON, expires=NOON) == 1
    assert groups(outbox.claim(now=NOON)) == "B"
    assert outbox.resend("none", ["unknown"], now=NOON, expires=NOON) == 0


def test_with_a_part_go_again_those_that_were_cancelled_for_its_sake(outbox: Outbox) -> None:
    plan(outbox, "A B", key="alert:F:1", form="alert", parts=3)
    send(outbox, OK)
    send(outbox, Rejected(reason="45033"))
    assert outbox.resend("alert:F:1", ["rejected"], groups=["A"], now=NOON, expires=LATER) == 1
    states = [(d.group, d.part, d.state) for d in outbox.deliveries("alert:F:1")]
    assert states == [
        ("A", 1, "sent"),
        ("A", 2, "pending"),
        ("A", 3, "pending"),
        ("B", 1, "sent"),
        ("B", 2, "rejected"),
        ("B", 3, "cancelled"),
    ]


@pytest.mark.parametrize("erased", [True, False])
def test_an_alert_that_is_over_cannot_be_sent_again(outbox: Outbox, erased: bool) -> None:
    end(outbox, {"A": Rejected(reason="45033")}, key="alert:F:1", form="alert")
    if erased:
        outbox.expire(now=NOON + HOUR)
    with pytest.raises(AlertOver, match="已经结束"):
        outbox.resend("alert:F:1", ["rejected"], now=NOON + HOUR, expires=LATER)


# Stopping


def test_of_what_was_stopped_nothing_more_leaves_and_nobody_is_asked_to_pass_it_on(outbox: Outbox) -> None:
    end(outbox, {"sent": OK, "handed": Handed(to="王姐"), "again": Unsent(reason="refused")})
    plan(outbox, "other", key="other")
    assert outbox.stop("k", now=NOON, reason="发错了（李警官）") == 2
    assert standing(outbox) == {"sent": "sent", "handed": "cancelled", "again": "cancelled"}
    assert [d.reason for d in outbox.deliveries("k")] == ["", "发错了（李警官）", "发错了（李警官）"]
    assert groups(outbox.claim(now=NOON + MINUTE)) == "other"
    assert outbox.stop("none", now=NOON, reason="") == 0


def test_what_was_to_be_sent_a_second_time_stays_unknown_when_it_is_stopped(outbox: Outbox) -> None:
    end(outbox, {"A": Unknown(reason="超时")}, key="alert:F:1", form="alert")
    assert outbox.stop("alert:F:1", now=NOON, reason="发错了") == 1
    assert standing(outbox, "alert:F:1") == {"A": "unknown"}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (OK, "sent"),
        (Unsent(reason="refused"), "cancelled"),
        (Throttled(after=1, reason="45009"), "cancelled"),
        (Unknown(reason="超时"), "unknown"),
        (Handed(to="王姐"), "cancelled"),
        (Rejected(reason="40058"), "rejected"),
    ],
)
def test_what_was_on_its_way_when_it_was_stopped_ends_as_it_ends_and_does_not_leave_again(
    outbox: Outbox, outcome: Outcome, state: str
) -> None:
    plan(outbox, "A", key="alert:F:1", form="alert")
    (flying,) = outbox.claim(now=NOON)
    assert outbox.stop("alert:F:1", now=NOON, reason="发错了") == 0
    outbox.settle([(flying.id, outcome)], now=NOON)
    assert standing(outbox, "alert:F:1") == {"A": state}


@pytest.mark.parametrize(("again", "state"), [(False, "cancelled"), (True, "unknown")])
def test_what_was_claimed_when_it_was_stopped_is_not_put_back(
    outbox: Outbox, again: bool, state: str
) -> None:
    plan(outbox, "A", key="alert:F:1", form="alert")
    if again:
        send(outbox, Unknown(reason="超时"))
    (claimed,) = outbox.claim(now=NOON + MINUTE)
    outbox.stop("alert:F:1", now=NOON + MINUTE, reason="发错了")
    outbox.put_back([(claimed.id, NOON + MINUTE)], now=NOON + MINUTE)
    assert standing(outbox, "alert:F:1") == {"A": state}
    assert outbox.deliveries("alert:F:1")[0].reason == "发错了"


def test_what_was_stopped_goes_on_when_a_person_sends_it_again(outbox: Outbox) -> None:
    plan(outbox, "A", key="alert:F:1", form="alert")
    outbox.stop("alert:F:1", now=NOON, reason="发错了")
    assert plan(outbox, "A", key="alert:F:1", form="alert") == 1
    send(outbox, Unsent(reason="refused"))
    assert standing(outbox, "alert:F:1") == {"A": "pending"}


# Alerts and corrections


def test_only_alerts_whose_page_was_public_are_listed_for_the_catalogue_to_end(outbox: Outbox) -> None:
    plan(outbox, "A", key="alert:F:1", form="alert")
    plan(outbox, "A", key="correction:7F3K2:1", form="alert")
    plan(outbox, "A", key="alert:G:1", form="alert", linked=False)
    assert outbox.alerts(now=NOON) == ["alert:F:1"]
    found = outbox.broadcast("alert:G:1")
    assert found is not None
    assert not found.broadcast.linked


def test_alerts_leave_before_corrections_and_these_before_digests(outbox: Outbox) -> None:
    plan(outbox, "digest", key="morning@1", at=NOON - MINUTE)
    plan(outbox, "correction", key="correction:7F3K2:1", form="alert", at=NOON - SECOND)
    plan(outbox, "alert", key="alert:F:1", form="alert")
    assert groups(outbox.claim(now=NOON)) == "alert correction digest"


# Reading and counting


def test_heard_is_told_the_other_way_round(outbox: Outbox) -> None:
    plan(outbox, "A B", items="x y", at=NOON - DAY)
    end(outbox, {"C": Rejected(reason="45033")}, items="x")
    plan(outbox, "A", items="x", at=NOON)
    assert outbox.heard("x") == {"A": NOON, "B": NOON - DAY}
    assert outbox.heard("z") == {}
    told = outbox.told(["A", "B", "C"])
    for entry in ("x", "y"):
        assert outbox.heard(entry) == {g: h[entry] for g, h in told.items() if entry in h}


def test_the_newest_are_named_with_whether_something_of_them_is_still_to_be_sent(outbox: Outbox) -> None:
    for day, key in enumerate(["first", "over", "waits", "flies"]):
        plan(outbox, "A B", key=key, at=NOON + day * DAY, items=key)
        if key != "waits":
            claimed = outbox.claim(now=NOON + day * DAY)
        if key == "over":
            outbox.settle([(d.id, Handed(to="王姐")) for d in claimed], now=NOON)
    assert list(outbox.recent(limit=3).items()) == [
        ("flies", True),
        ("waits", True),
        ("over", False),
        ("first", True),
    ]
    outbox.recover(now=NOON + 3 * DAY)
    assert outbox.recent() == {"flies": False, "waits": True, "over": False, "first": False}


def test_a_tally_names_each_fate(outbox: Outbox) -> None:
    end(
        outbox,
        {
            "A": OK,
            "B": Sent(confirmed=False),
            "C": Handed(to="王姐"),
            "D": Handed(to="王姐"),
            "E": Unknown(reason="超时"),
            "F": Rejected(reason="45033"),
            "G": Unsent(reason="refused"),
        },
        items="x y",
    )
    outbox.said([outbox.deliveries("k")[3].id], "王姐", now=NOON)
    plan(outbox, "A", key="later", at=NOON + DAY)
    fates = {"confirmed", "accepted", "handed", "said", "unknown", "rejected", "pending"}
    assert outbox.tally(NOON, NOON + DAY, "broadcast") == {("k", fate): 1 for fate in fates}
    assert outbox.tally(NOON, NOON + DAY, "entry") == {(e, fate): 1 for e in "xy" for fate in fates}
    both = outbox.tally(NOON, NOON + 2 * DAY, "group")
    assert (both["A", "confirmed"], both["A", "pending"], both["B", "accepted"]) == (1, 1, 1)
    assert outbox.tally(NOON - DAY, NOON, "group") == {}


# Forgetting


def test_what_is_old_and_over_is_forgotten_with_all_it_said(outbox: Outbox, url: str) -> None:
    plan(outbox, "A B", key="old", items="x", at=NOON - 9 * DAY)
    outbox.record_missed("morning", NOON - 9 * DAY, now=NOON)
    end(outbox, {"A": OK}, key="new", items="x y")
    assert outbox.forget(NOON - DAY) == 0  # it waits still, for all the outbox knows
    outbox.expire(now=NOON)
    assert outbox.forget(NOON - DAY) == 1
    assert [status.broadcast.key for status in outbox.broadcasts()] == ["new"]
    assert outbox.told(["A", "B"]) == {"A": {"x": NOON, "y": NOON}}
    assert outbox.missed(NOON - 10 * DAY) == []
    assert outbox.forget(NOON - DAY) == 0
    assert set(rows(url).items()) == {
        *((table, 1) for table in ("broadcast", "delivery", "message", "cohort", "cohort_told")),
        ("message_entry", 2),
        ("missed", 0),
    }


def test_what_two_broadcasts_share_is_kept_until_the_last_is_forgotten(outbox: Outbox) -> None:
    end(outbox, {"A": OK}, key="old", items="x")
    plan(outbox, "A", key="new", items="x", at=NOON + DAY)
    assert outbox.forget(NOON + HOUR) == 1
    assert outbox.deliveries("new")[0].message.items[0].entry == "x"


def test_a_task_that_is_not_closed_keeps_its_broadcast(outbox: Outbox) -> None:
    plan(outbox, "A", key="k", way="confirm")
    (asked,) = outbox.claim(now=NOON, ways=["confirm"])
    outbox.settle([(asked.id, Handed(to="王姐", task="m1", account="wang"))], now=NOON)
    assert outbox.forget(NOON + DAY) == 0
    outbox.note_look("m1", now=NOON, confirmed=[asked.id], rejected={}, reminded=False, closed=True)
    assert outbox.forget(NOON + DAY) == 1
    assert outbox.open_tasks(now=NOON) == []
