"""What every outbox holds, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from gengfu_scheduler.message import (
    Broadcast,
    Form,
    Handed,
    Outcome,
    Planned,
    Rejected,
    Sent,
    Throttled,
    Unknown,
    Unsent,
)
from gengfu_scheduler.outbox import AnotherSends, Outbox, OutboxUnusable, copy
from outboxes import DAY, HOUR, MINUTE, NOON, SECOND, a_message, execute, groups, plan, send, standing

# Planning


def test_a_broadcast_is_planned_once(outbox: Outbox) -> None:
    assert plan(outbox, "A B", key="morning@1") == 2
    assert plan(outbox, "A B C", key="morning@1") == 0
    assert groups(outbox.deliveries("morning@1")) == "A B"


def test_groups_that_anything_was_planned_for_are_known_by_id(outbox: Outbox) -> None:
    plan(outbox, "A B", key="morning@1")
    plan(outbox, "B C", key="morning@2")
    assert outbox.groups() == {"A", "B", "C"}


def test_a_broadcast_that_cannot_be_written_whole_is_not_written_at_all(outbox: Outbox) -> None:
    with pytest.raises(OutboxUnusable):
        plan(outbox, "A A", key="morning@1")
    assert outbox.broadcasts() == []
    assert plan(outbox, "A", key="morning@1")


def test_a_message_comes_back_as_it_was_planned(outbox: Outbox) -> None:
    message = a_message("7F3K2", "9QX4M", title="𠮷 “引号” \\ 😀\n第二行")
    broadcast = Broadcast(key="k", form="digest", title="t", scheduled_for=NOON, expires=NOON + HOUR)
    outbox.plan(broadcast, [Planned(group="A", messages=(message,), not_before=NOON)], now=NOON)
    (delivery,) = outbox.claim(now=NOON)
    assert delivery.message == message
    assert (delivery.broadcast, delivery.part, delivery.attempts) == ("k", 1, 1)
    assert (delivery.not_before, delivery.expires) == (NOON, NOON + HOUR)
    assert outbox.broadcasts()[0].broadcast == broadcast


def test_instants_of_any_zone_are_the_same_instant(outbox: Outbox) -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    plan(outbox, "A", at=shanghai)
    assert outbox.claim(now=NOON - SECOND) == []
    assert groups(outbox.claim(now=NOON)) == "A"


def test_a_missed_slot_is_recorded_once(outbox: Outbox) -> None:
    outbox.record_missed("morning", NOON, now=NOON + HOUR)
    outbox.record_missed("morning", NOON, now=NOON + DAY)
    outbox.record_missed("evening", NOON - DAY, now=NOON)
    assert outbox.missed(NOON) == [("morning", NOON)]
    assert outbox.missed(NOON - DAY) == [("evening", NOON - DAY), ("morning", NOON)]


def test_the_outbox_remembers_how_far_a_slot_is_planned(outbox: Outbox) -> None:
    assert outbox.planned_until("morning") is None
    outbox.set_planned_until("morning", "08:00", NOON)
    outbox.set_planned_until("morning", "08:00", NOON + DAY)
    assert outbox.planned_until("morning") == outbox.planned_until("morning", "08:00") == NOON + DAY
    assert outbox.planned_until("morning", "09:00") is None
    outbox.set_planned_until("morning", "09:00", NOON)
    assert outbox.planned_until("morning", "09:00") == NOON


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (None, True),
        (Sent(confirmed=True), True),
        (Handed(to="王姐"), True),
        (Unknown(reason="超时"), True),
        (Unsent(reason="DNS"), True),
        (Rejected(reason="93000"), False),
    ],
)
def test_a_group_counts_as_told_unless_it_certainly_was_not(
    outbox: Outbox, outcome: Outcome | None, counts: bool
) -> None:
    plan(outbox, "A")
    if outcome:
        send(outbox, outcome)
    assert outbox.told(["A", "B"]) == ({"A": {"7F3K2": NOON}} if counts else {})


def test_told_names_the_last_time(outbox: Outbox) -> None:
    plan(outbox, "A B", at=NOON - DAY)
    plan(outbox, "A", at=NOON)
    assert outbox.told(["A", "B"]) == {"A": {"7F3K2": NOON}, "B": {"7F3K2": NOON - DAY}}


def test_a_digest_is_dropped_where_its_group_was_told_an_item_since_it_was_drafted(outbox: Outbox) -> None:
    plan(outbox, "A B", items="old", at=NOON - DAY, last_told=None)
    plan(outbox, "A", items="new", key="push")
    assert plan(outbox, "A B", items="new old", key="slot", last_told=NOON - DAY) == 1
    assert groups(outbox.deliveries("slot")) == "B"
    assert plan(outbox, "A", items="new", form="alert", key="alert:new:1", last_told=None) == 1


def test_so_is_one_of_which_an_item_is_sent_again_since_then(outbox: Outbox) -> None:
    plan(outbox, "A B", items="new", key="yesterday", at=NOON - DAY)
    for delivery in outbox.claim(now=NOON - DAY):
        outbox.settle([(delivery.id, Rejected(reason="93000"))], now=NOON - DAY)
    outbox.resend("yesterday", ["rejected"], groups=["A"], now=NOON, expires=NOON + HOUR)
    plan(outbox, "A B", items="new", key="today", last_told=None)
    assert groups(outbox.deliveries("today")) == "B"


# Alerts: revisions, and their end


def test_a_new_revision_of_an_alert_cancels_what_was_not_sent_of_the_earlier_ones(outbox: Outbox) -> None:
    plan(outbox, "sent", form="alert", key="alert:F:1")
    send(outbox, Sent(confirmed=True))
    plan(outbox, "sent handed", form="alert", key="alert:F:1")
    send(outbox, Handed(to="王姐"))
    plan(outbox, "pending maybe", form="alert", key="alert:F:1")
    (flying, maybe) = outbox.claim(now=NOON)
    outbox.settle([(maybe.id, Unknown(reason="超时"))], now=NOON)
    plan(outbox, "later", form="alert", key="alert:F:1")
    plan(outbox, "other", form="alert", key="alert:FF:1")
    plan(outbox, "sent", form="alert", key="alert:F:2", at=NOON + SECOND)
    outbox.settle([(flying.id, Unsent(reason="refused"))], now=NOON + SECOND)
    outbox.expire(now=NOON + SECOND)
    assert {d.group: d.state for d in outbox.deliveries("alert:F:1")} == {
        "sent": "sent",
        "handed": "cancelled",
        "pending": "expired",
        "maybe": "unknown",
        "later": "cancelled",
    }
    assert groups(outbox.claim(now=NOON + HOUR - SECOND)) == "other sent"
    assert outbox.told(["handed", "later"]) == {"handed": {"7F3K2": NOON}}


def test_an_alert_pushed_again_reaches_whom_it_did_not_reach_and_nobody_twice(outbox: Outbox) -> None:
    outcomes = {
        "sent": Sent(confirmed=True),
        "handed": Handed(to="王姐"),
        "rejected": Rejected(reason="40058"),
        "unknown": Unknown(reason="超时"),
    }
    everyone = " ".join(outcomes)
    plan(outbox, everyone, form="alert", key="alert:F:1")
    outbox.settle([(d.id, outcomes[d.group]) for d in outbox.claim(now=NOON)], now=NOON)
    send(outbox, Rejected(reason="93000"), at=NOON + MINUTE)  # of the second sending
    assert plan(outbox, everyone + " new", form="alert", key="alert:F:1", at=NOON + MINUTE) == 2
    assert groups(outbox.claim(now=NOON + MINUTE)) == "rejected new"
    assert standing(outbox)["unknown"] == "unknown"
    outbox.recover(now=NOON + 2 * HOUR)
    plan(outbox, "late", form="alert", key="alert:F:1", at=NOON + 2 * HOUR)
    assert [d.group for d in outbox.expire(now=NOON + 3 * HOUR)] == ["late"]
    assert plan(outbox, "late", form="alert", key="alert:F:1", at=NOON + 4 * HOUR) == 1


def test_an_alert_pushed_again_goes_the_way_that_its_group_is_reached_now(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert", key="alert:F:1", way="confirm")
    outbox.stop("alert:F:1", now=NOON, reason="没人确认")
    assert plan(outbox, "A", form="alert", key="alert:F:1", way="webhook") == 1
    assert groups(outbox.claim(now=NOON, ways=["webhook"])) == "A"


@pytest.mark.parametrize("over", ["alert:F:1", "alert:G:1"])
def test_of_two_alerts_that_say_the_same_the_one_that_goes_on_still_says_it(
    outbox: Outbox, over: str
) -> None:
    for key in ("alert:F:1", "alert:G:1"):
        plan(outbox, "A", form="alert", key=key, body="李某，72岁")
    outbox.withdraw([over], now=NOON)
    assert [d.message.body for d in outbox.claim(now=NOON)] == ["李某，72岁"]


def test_an_alert_pushed_again_once_its_page_is_public_is_the_catalogues_to_end(outbox: Outbox) -> None:
    for linked in (False, True):
        plan(outbox, "A", form="alert", key="alert:F:1", linked=linked)
        assert outbox.alerts(now=NOON) == ["alert:F:1"] * linked


def test_nobody_is_asked_to_pass_on_an_alert_that_ended_while_it_was_on_its_way(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert", key="alert:F:1")
    (flying,) = outbox.claim(now=NOON)
    outbox.withdraw(["alert:F:1"], now=NOON)
    outbox.settle([(flying.id, Handed(to="王姐"))], now=NOON)
    assert standing(outbox) == {"A": "cancelled"}


def test_what_only_waits_may_be_left_out_of_what_was_heard(outbox: Outbox) -> None:
    plan(outbox, "A", key="sent", items="x")
    send(outbox, Sent(confirmed=True))
    plan(outbox, "B", key="waits", items="x")
    assert set(outbox.heard("x")) == {"A", "B"}
    assert set(outbox.heard("x", waiting=False)) == {"A"}


def test_nobody_hears_the_end_of_an_alert_that_never_left_for_them(outbox: Outbox) -> None:
    """Two groups whose robots it never reached, and one where it may have arrived."""
    plan(outbox, "A B C", form="alert", key="alert:F:1", items="F")
    a, b, c = outbox.claim(now=NOON)
    ends = (Unsent(reason="no such host"), Throttled(after=600, reason="45009"), Unknown(reason="timeout"))
    outbox.settle(list(zip((a.id, b.id, c.id), ends, strict=True)), now=NOON)
    assert set(outbox.heard("F")) == {"A", "B", "C"}
    assert set(outbox.heard("F", waiting=False)) == {"C"}
    plan(outbox, "C", form="alert", key="alert:F:2", items="F", at=NOON + MINUTE)
    states = {delivery.group: delivery.state for delivery in outbox.deliveries("alert:F:1")}
    assert states == {"A": "cancelled", "B": "cancelled", "C": "unknown"}
    assert set(outbox.heard("F", waiting=False)) == {"C"}


def test_giving_up_what_is_too_late_makes_nothing_leave_earlier(outbox: Outbox) -> None:
    plan(outbox, "A")
    send(outbox, Throttled(after=600, reason="45009"))
    outbox.expire(now=NOON + MINUTE)
    assert outbox.due_at() == NOON + 10 * MINUTE


@pytest.mark.parametrize("ending", ["its time", "a newer revision", "withdrawal"])
def test_when_an_alert_is_over_its_text_is_gone_and_nobody_is_asked_to_pass_it_on(
    outbox: Outbox, ending: str
) -> None:
    plan(outbox, "A", form="alert", key="alert:F:1", body="李某，72岁")
    send(outbox, Handed(to="王姐"))
    at = NOON + (HOUR if ending == "its time" else MINUTE)
    match ending:
        case "its time":
            assert outbox.due_at() == at
            outbox.expire(now=at)
        case "a newer revision":
            plan(outbox, "A", form="alert", key="alert:F:2", at=at, body="已找到")
        case "withdrawal":
            assert outbox.alerts(now=at) == ["alert:F:1"]
            outbox.withdraw(["alert:F:1"], now=at)
    (told,) = outbox.deliveries("alert:F:1")
    assert told.state in ("expired", "cancelled")
    assert (told.message.body, told.message.title) == ("", "每日警情提示")
    assert "alert:F:1" not in outbox.alerts(now=at)
    outbox.expire(now=NOON + DAY)
    assert outbox.due_at() is None
    plan(outbox, "A", form="alert", key="alert:F:1", at=NOON + DAY, body="李某，72岁")
    assert outbox.claim(now=NOON + DAY)[0].message.body == "李某，72岁"


def test_a_text_that_two_revisions_share_is_kept_until_the_last_is_over(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert", key="alert:F:1", body="李某")
    plan(outbox, "A", form="alert", key="alert:F:2", body="李某", at=NOON + SECOND)
    assert [d.message.body for d in outbox.claim(now=NOON + SECOND)] == ["李某"]
    outbox.expire(now=NOON + DAY)
    assert [d.message.body for d in outbox.deliveries("alert:F:2")] == [""]


# Delivering


def test_alerts_leave_before_digests_and_the_oldest_first(outbox: Outbox) -> None:
    plan(outbox, "late", at=NOON)
    plan(outbox, "early", at=NOON - MINUTE)
    plan(outbox, "urgent", at=NOON, form="alert")
    plan(outbox, "tomorrow", at=NOON + DAY, form="alert")
    assert groups(outbox.claim(now=NOON)) == "urgent early late"


def test_broadcasts_of_one_time_leave_by_turns_and_none_waits_for_the_end_of_another(outbox: Outbox) -> None:
    plan(outbox, "A B C", key="morning@1")
    plan(outbox, "D E", key="notices@1", items="other")
    assert groups(outbox.claim(now=NOON, limit=3)) == "A D B"
    assert groups(outbox.claim(now=NOON)) == "E C"


def test_no_more_are_claimed_than_asked_for(outbox: Outbox) -> None:
    plan(outbox, "A B C")
    assert groups(outbox.claim(now=NOON, limit=2)) == "A B"
    assert groups(outbox.claim(now=NOON, limit=2)) == "C"
    assert outbox.claim(now=NOON) == []


def test_what_is_claimed_is_sending_for_every_other_process(outbox: Outbox, url: str) -> None:
    plan(outbox, "A B")
    outbox.claim(now=NOON, limit=1)
    with Outbox(url) as other:
        assert standing(other) == {"A": "sending", "B": "pending"}


def test_two_processes_never_claim_the_same_delivery(outbox: Outbox, url: str) -> None:
    everyone = [f"g{n}" for n in range(300)]
    plan(outbox, " ".join(everyone))
    start, claimed = threading.Barrier(2, timeout=60), [list[str](), list[str]()]

    def work(mine: list[str]) -> None:
        with Outbox(url) as own:
            start.wait()
            while batch := own.claim(now=NOON, limit=20):
                mine.extend(d.group for d in batch)

    workers = [threading.Thread(target=work, args=(mine,)) for mine in claimed]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert sorted(claimed[0] + claimed[1]) == sorted(everyone)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Sent(confirmed=True), "sent", ""),
        (Handed(to="王姐"), "handed", "王姐"),
        (Unsent(reason="DNS"), "pending", "DNS"),
        (Throttled(after=60, reason="45009"), "pending", "45009"),
        (Rejected(reason="40058 too long"), "rejected", "40058 too long"),
        (Unknown(reason="超时"), "unknown", "超时"),
    ],
)
def test_each_outcome_leaves_a_digest_in_its_state_with_the_evidence(
    outbox: Outbox, outcome: Outcome, state: str, reason: str
) -> None:
    plan(outbox, "A", key="k")
    send(outbox, outcome)
    (delivery,) = outbox.deliveries("k")
    assert (delivery.state, delivery.reason) == (state, reason)


def test_an_outcome_that_comes_too_late_changes_nothing(outbox: Outbox) -> None:
    plan(outbox, "A")
    (delivery,) = outbox.claim(now=NOON)
    outbox.recover(now=NOON)
    outbox.settle([(delivery.id, Sent(confirmed=True)), (4711, Sent(confirmed=True))], now=NOON)
    assert standing(outbox) == {"A": "unknown"}


def test_unsent_is_tried_again_after_pauses_that_double(outbox: Outbox) -> None:
    plan(outbox, "A", key="k")
    at, pauses = NOON, []
    for _try in range(4):
        send(outbox, Unsent(reason="refused"), at=at)
        (delivery,) = outbox.deliveries("k")
        pauses.append((delivery.not_before - at).total_seconds())
        at = delivery.not_before
    assert pauses == [2, 4, 8, 16]
    assert delivery.attempts == 4


def test_the_jitter_of_a_pause_is_half_of_it_at_most(url: str) -> None:
    dice = iter([0.0, 0.999])
    with Outbox(url, random=lambda: next(dice)) as outbox:
        plan(outbox, "A B")
        send(outbox, Unsent(reason="refused"))
        pauses = [(d.not_before - NOON).total_seconds() for d in outbox.deliveries("digest@21-120000")]
    assert sorted(pauses) == [1.0, pytest.approx(3.0, abs=0.01)]


def test_throttled_waits_as_long_as_the_platform_asked(outbox: Outbox) -> None:
    plan(outbox, "A")
    send(outbox, Throttled(after=60, reason="45009"))
    assert outbox.due_at() == NOON + MINUTE
    assert outbox.claim(now=NOON + MINUTE - SECOND) == []
    assert groups(outbox.claim(now=NOON + MINUTE)) == "A"


def test_throttled_too_often_is_refused_where_the_platform_says_how_often(outbox: Outbox) -> None:
    plan(outbox, "A", key="busy")
    busy = Throttled(after=1, reason="-1 system busy", retries=3)
    now, tries = NOON, 0
    while claimed := outbox.claim(now=now):
        outbox.settle([(claimed[0].id, busy)], now=now)
        now, tries = now + MINUTE, tries + 1
    [delivery] = outbox.deliveries("busy")
    assert (tries, delivery.state, delivery.reason) == (4, "rejected", "-1 system busy")


def test_no_retry_is_put_past_the_end_of_its_time(outbox: Outbox) -> None:
    plan(outbox, "A")
    send(outbox, Throttled(after=7 * 86400, reason="quota"))
    assert outbox.due_at() == NOON + HOUR
    assert outbox.claim(now=NOON + HOUR) == []
    assert groups(outbox.expire(now=NOON + HOUR)) == "A"


def test_an_alert_whose_fate_is_unknown_is_sent_once_more_and_marked(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert", key="k")
    send(outbox, Unknown(reason="超时"))
    assert standing(outbox) == {"A": "pending"}
    (again,) = outbox.claim(now=NOON + MINUTE)
    assert again.message.resent
    outbox.settle([(again.id, Unknown(reason="又超时"))], now=NOON + MINUTE)
    (delivery,) = outbox.deliveries("k")
    assert (delivery.state, delivery.reason) == ("unknown", "超时；又超时")


def test_a_digest_whose_fate_is_unknown_is_never_sent_again(outbox: Outbox) -> None:
    plan(outbox, "A")
    send(outbox, Unknown(reason="超时"))
    assert outbox.claim(now=NOON + MINUTE) == []
    assert outbox.due_at() is None


def test_an_alert_not_resent_in_time_stays_unknown(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert")
    send(outbox, Unknown(reason="超时"))
    outbox.expire(now=NOON + HOUR)
    assert standing(outbox) == {"A": "unknown"}


def test_an_alert_whose_time_is_over_is_not_resent(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert")
    claimed = outbox.claim(now=NOON)
    outbox.settle([(claimed[0].id, Unknown(reason="超时"))], now=NOON + HOUR)
    assert standing(outbox) == {"A": "unknown"}


def test_a_second_sending_that_is_refused_leaves_the_first_unknown(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert", key="k")
    send(outbox, Unknown(reason="超时"))
    send(outbox, Rejected(reason="93000"), at=NOON + MINUTE)
    (delivery,) = outbox.deliveries("k")
    assert (delivery.state, delivery.reason) == ("unknown", "超时；93000")


def test_after_a_crash_what_was_sending_is_unknown_by_name(outbox: Outbox, url: str) -> None:
    plan(outbox, "A B", key="k")
    plan(outbox, "C", form="alert")
    outbox.claim(now=NOON, limit=2)
    with Outbox(url) as restarted:
        stranded = restarted.recover(now=NOON)
        assert {d.group: (d.state, d.message.resent) for d in stranded} == {
            "A": ("unknown", False),
            "C": ("pending", True),
        }
        assert all(d.reason for d in stranded)
        assert standing(restarted) == {"A": "unknown", "B": "pending", "C": "pending"}
        assert restarted.recover(now=NOON) == []


def test_pending_past_its_time_expires(outbox: Outbox) -> None:
    plan(outbox, "A", at=NOON - HOUR)
    plan(outbox, "B", at=NOON)
    assert outbox.claim(now=NOON, limit=5)[0].group == "B"
    assert [(d.group, d.state) for d in outbox.expire(now=NOON)] == [("A", "expired")]
    assert outbox.expire(now=NOON) == []


def test_a_dead_address_disables_its_group_until_it_is_enabled(outbox: Outbox) -> None:
    dead = Rejected(reason="93000 invalid webhook url", disable=True)
    plan(outbox, "A", at=NOON)
    outbox.settle([(d.id, dead) for d in outbox.claim(now=NOON)], now=NOON, dead={"A": "mark"})
    plan(outbox, "A B", at=NOON + SECOND)
    assert outbox.disabled() == {"A": "93000 invalid webhook url"}
    assert outbox.dead_addresses() == {"A": "mark"}
    assert groups(outbox.claim(now=NOON + MINUTE)) == "B"
    assert outbox.due_at() is None
    outbox.enable("A")
    assert outbox.due_at() == NOON + SECOND
    assert groups(outbox.claim(now=NOON + MINUTE)) == "A"


OUTCOMES = st.sampled_from(
    [
        Sent(confirmed=False),
        Handed(to="王姐"),
        Unsent(reason="refused"),
        Throttled(after=1, reason="429"),
        Rejected(reason="40058"),
        Unknown(reason="timeout"),
    ]
)
_runs = count()


@pytest.mark.parametrize(("form", "most"), [("digest", 1), ("alert", 2)])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(outcomes=st.lists(OUTCOMES, min_size=1, max_size=8))
def test_whatever_happens_a_digest_arrives_once_at_most_and_an_alert_twice_with_a_mark(
    outbox: Outbox, form: Form, most: int, outcomes: list[Outcome]
) -> None:
    key, at = f"{form}{next(_runs)}", NOON
    plan(outbox, "A", form=form, key=key)
    may_have_arrived = []
    for outcome in outcomes:
        at += 10 * MINUTE / len(outcomes)
        for delivery in outbox.claim(now=at):
            if isinstance(outcome, Sent | Handed | Unknown):
                may_have_arrived.append(delivery.message.resent)
            outbox.settle([(delivery.id, outcome)], now=at)
    outbox.expire(now=NOON + HOUR)
    (ended,) = outbox.deliveries(key)
    assert may_have_arrived in ([], [False], [False, True][:most])
    passed_on = ended.reason == "王姐"  # an alert's task ends with the alert
    assert ended.state != "expired" or not may_have_arrived or passed_on


# Reading


def test_a_broadcast_is_counted_by_state_the_newest_first(outbox: Outbox) -> None:
    plan(outbox, "A B C", key="old", at=NOON - MINUTE)
    send(outbox, Sent(confirmed=True), at=NOON - MINUTE)
    plan(outbox, "A B C D", key="new")
    first, second, *_rest = outbox.claim(now=NOON, limit=3)
    outbox.settle([(first.id, Sent(confirmed=True)), (second.id, Sent(confirmed=False))], now=NOON)
    new, old = outbox.broadcasts()
    assert (new.broadcast.key, new.counts, new.confirmed) == (
        "new",
        {"sent": 2, "sending": 1, "pending": 1},
        1,
    )
    assert (old.broadcast.key, old.counts, old.confirmed) == ("old", {"sent": 3}, 3)
    assert [b.broadcast.key for b in outbox.broadcasts(limit=1)] == ["new"]


def test_what_is_open_or_came_to_grief_lately_is_not_hidden_by_newer_broadcasts(outbox: Outbox) -> None:
    plan(outbox, "A", key="long ago", at=NOON - 2 * DAY)
    send(outbox, Rejected(reason="no"), at=NOON - 2 * DAY)
    plan(outbox, "A", key="refused", at=NOON)
    send(outbox, Rejected(reason="no"))
    plan(outbox, "A", key="waits", at=NOON + SECOND)
    for key, at in [("fine", NOON + MINUTE), ("newest", NOON + 2 * MINUTE)]:
        plan(outbox, "B", key=key, at=at)
        outbox.settle([(d.id, Sent(confirmed=True)) for d in outbox.claim(now=at) if d.group == "B"], now=at)
    assert [b.broadcast.key for b in outbox.broadcasts(limit=1)] == ["newest"]
    seen = [b.broadcast.key for b in outbox.broadcasts(limit=1, since=NOON - DAY)]
    assert seen == ["newest", "waits", "refused"]


def test_a_broadcast_is_found_by_its_key_however_old(outbox: Outbox) -> None:
    for n in range(30):
        plan(outbox, "A", key=f"b{n}", at=NOON + n * SECOND)
    found = outbox.broadcast("b0")
    assert found is not None
    assert (found.broadcast.title, found.counts) == ("b0", {"pending": 1})
    assert outbox.broadcast("b30") is None


def test_what_a_person_says_to_have_passed_on_is_sent_by_their_word_only(outbox: Outbox) -> None:
    plan(outbox, "A B")
    send(outbox, Handed(to="王姐"))
    plan(outbox, "C", key="robot")
    send(outbox, Sent(confirmed=False))
    (a, _b), (c,) = outbox.deliveries("digest@21-120000"), outbox.deliveries("robot")
    outbox.said([a.id, c.id], "王姐", now=NOON)
    assert standing(outbox) == {"A": "sent", "B": "handed", "C": "sent"}
    assert outbox.deliveries("digest@21-120000")[0].reason == "由王姐转发（本人说）"
    assert [(b.confirmed, b.said) for b in outbox.broadcasts()] == [(0, 0), (0, 1)]


def test_a_broadcast_to_nobody_is_remembered_too(outbox: Outbox) -> None:
    plan(outbox, "", key="k")
    assert outbox.broadcasts()[0].counts == {}


def test_two_processes_may_open_a_new_outbox_at_once(new_url: str) -> None:
    start, failures = threading.Barrier(4, timeout=60), list[Exception]()

    def work() -> None:
        start.wait()
        try:
            Outbox(new_url).close()
        except OutboxUnusable as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert failures == []


# An outbox beside others, and a database that fails: said clearly, nothing lost


def test_other_peoples_tables_are_no_reason_to_refuse_a_database(new_url: str) -> None:
    execute(new_url, "CREATE TABLE theirs (id INTEGER)")
    with Outbox(new_url) as outbox:
        assert plan(outbox, "A") == 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def test_a_full_disk_is_a_clear_error_and_loses_nothing(file: Path) -> None:
    with Outbox(f"sqlite:///{file}") as outbox:
        plan(outbox, "A", key="before")

    def fill(connection: object, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # type: ignore[attr-defined]

    event.listen(Engine, "connect", fill)
    try:
        with Outbox(f"sqlite:///{file}") as outbox:
            with pytest.raises(OutboxUnusable, match="磁盘已满"):
                plan(outbox, " ".join(f"g{n}" for n in range(5000)), key="after")
            assert [b.broadcast.key for b in outbox.broadcasts()] == ["before"]
    finally:
        event.remove(Engine, "connect", fill)
    with Outbox(f"sqlite:///{file}") as outbox:
        assert groups(outbox.claim(now=NOON)) == "A"


def test_a_read_only_database_can_be_read_and_refuses_writes_clearly(file: Path) -> None:
    with Outbox(f"sqlite:///{file}") as outbox:
        plan(outbox, "A", key="k")
        with Outbox(f"sqlite:///file:{file}?mode=ro&uri=true") as read_only:
            assert groups(read_only.deliveries("k")) == "A"
            with pytest.raises(OutboxUnusable, match="只读"):
                read_only.claim(now=NOON)
        assert standing(outbox) == {"A": "pending"}


@pytest.mark.parametrize("writable", [True, False])
def test_reading_makes_and_changes_nothing(
    file: Path, writable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Outbox(f"sqlite:///{file}", reading=True) as nothing:
        assert nothing.broadcasts() == []
    assert not file.exists()
    with Outbox(f"sqlite:///{file}") as outbox:
        plan(outbox, "A", key="k")
    monkeypatch.setattr("os.access", lambda _path, _mode: writable)
    with Outbox(f"sqlite:///{file}", reading=True) as reader:
        assert groups(reader.deliveries("k")) == "A"
        with pytest.raises(OutboxUnusable, match="只读"):
            plan(reader, "A", key="l")
    assert writable or [found.name for found in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("folder", ["为什么?", "a?b=c", "#1", "100%", "50%41", "a&b=c d"])
def test_the_file_lies_where_it_was_said_to_whatever_the_folder_is_called(
    tmp_path: Path, folder: str
) -> None:
    file = tmp_path / folder / "outbox.db"
    file.parent.mkdir()
    with Outbox(f"sqlite:///{file}") as outbox:
        plan(outbox, "A", key="k")
    with Outbox(f"sqlite:///{file}", reading=True) as reader:
        assert groups(reader.deliveries("k")) == "A"
    assert copy(f"sqlite:///{file}", tmp_path / "copy.db", now=NOON)
    assert sorted(found.name for found in tmp_path.rglob("*.db")) == ["copy.db", "outbox.db"]


def test_a_commit_is_flushed_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[sqlite3.Connection] = []

    class Seen(sqlite3.Connection):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            connections.append(self)

    connect = sqlite3.dbapi2.connect
    monkeypatch.setattr("sqlite3.dbapi2.connect", lambda *a, **o: connect(*a, **{**o, "factory": Seen}))
    with Outbox("sqlite://") as outbox:
        plan(outbox, "A")
        assert [c.execute("PRAGMA synchronous").fetchone()[0] for c in connections] == [2]  # FULL


def test_two_stations_on_one_database_do_not_take_each_others_sendings_for_stranded(postgresql: str) -> None:
    with Outbox(postgresql) as one, Outbox(postgresql) as other:
        one.recover(now=NOON)
        with pytest.raises(AnotherSends, match="GENGFU_DATABASE"):
            other.recover(now=NOON)
        one.recover(now=NOON)
        one.close()
        other.recover(now=NOON)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/at/all/outbox.db", "检查所在文件夹"),
        ("sqlite:///{folder}/text.db", "不是完好的发送记录"),
        ("postgresql+psycopg://gengfu:hush@127.0.0.1:1/none", "检查数据库服务器"),
        ("nonsense", "GENGFU_DATABASE"),
        ("postgresql+psycopg://gengfu:hush@127.0.0.1:port/none", "GENGFU_DATABASE"),
    ],
)
def test_an_outbox_that_cannot_be_opened_says_what_to_do(tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "text.db").write_text("这不是数据库" * 1000, encoding="utf-8")
    with pytest.raises(OutboxUnusable, match=said) as caught:
        Outbox(url.format(folder=tmp_path))
    assert "hush" not in str(caught.value)
    assert caught.value.evidence
