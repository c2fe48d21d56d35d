"""An outbox that came from a backup: what it cannot know to be unsent is unknown, and nothing of it leaves by itself."""

from __future__ import annotations

from gengfu_scheduler.message import Broadcast, Planned, Sent
from gengfu_scheduler.outbox import Outbox
from outboxes import HOUR, MINUTE, NOON, a_message, plan, send, standing

WHY = "从备份恢复"


def test_what_waited_or_was_under_way_before_then_is_unknown_and_what_came_after_is_not(
    outbox: Outbox,
) -> None:
    plan(outbox, "done", key="told")
    send(outbox, Sent(confirmed=True))
    plan(outbox, "under-way waits", key="half", items="b")
    outbox.claim(now=NOON, limit=1)
    plan(outbox, "later", key="new", items="c", at=NOON + HOUR)
    assert outbox.hold(NOON + MINUTE, now=NOON + HOUR, reason=WHY) == 2
    assert standing(outbox) == {
        "done": "sent",
        "under-way": "unknown",
        "waits": "unknown",
        "later": "pending",
    }
    assert {delivery.reason for delivery in outbox.deliveries("half")} == {WHY}
    outbox.close()


def test_an_alert_that_is_held_is_not_sent_once_more(outbox: Outbox) -> None:
    plan(outbox, "g", form="alert", key="alert:W1:1")
    outbox.claim(now=NOON)
    outbox.hold(NOON, now=NOON, reason=WHY)
    assert outbox.recover(now=NOON) == []
    assert outbox.claim(now=NOON + MINUTE) == []
    outbox.close()


def test_what_may_have_been_told_counts_as_told_and_is_sent_only_where_a_person_says_so(
    outbox: Outbox,
) -> None:
    broadcast = Broadcast(key="morning@1", form="digest", title="早", scheduled_for=NOON, expires=NOON + HOUR)
    planned = [Planned(group="g", messages=(a_message("a"),), not_before=NOON, way="webhook")]
    assert outbox.assume(broadcast, planned, now=NOON + MINUTE, reason=WHY) == 1
    assert outbox.claim(now=NOON + MINUTE) == []
    assert outbox.told(["g"]) == {"g": {"a": NOON}}
    outbox.resend("morning@1", ["unknown"], now=NOON + MINUTE, expires=NOON + HOUR)
    assert [delivery.resent for delivery in outbox.claim(now=NOON + MINUTE)] == [True]


def test_how_an_article_was_last_told_is_known_and_how_an_alert_was_is_not(outbox: Outbox) -> None:
    plan(outbox, "g", key="one", items="a b")
    plan(outbox, "g", key="alert:a:1", form="alert", items="a", body="走失")
    told = outbox.told_of("a")
    assert told
    assert told.url == "https://x.test/a/"
    plan(outbox, "g", key="alert:w:1", form="alert", items="w", body="走失")
    assert outbox.told_of("w") is None
    assert outbox.told_of("nothing") is None
