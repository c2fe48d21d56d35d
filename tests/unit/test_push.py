"""Telling something now: to whom, once, and by whichever process may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.draft import Draft, Refused
from gengfu_scheduler.message import Rejected, Sent
from gengfu_scheduler.push import Pushed, push, try_groups
from gengfu_scheduler.state import only_scheduler
from watch import ENVIRON, Watch, alert, instant, tip, watch_in


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        watch.now = instant("12:00")
        yield watch


def draft(watch: Watch, target: str) -> Draft:
    return watch.draft(target)


def pushed(watch: Watch, target: str) -> Pushed:
    return push(
        draft(watch, target),
        watch.folder,
        ENVIRON,
        watch.outbox,
        clock=lambda: watch.now,
        say=watch.said.append,
        transport=watch.platforms,
    )


def states(result: Pushed) -> dict[str, str]:
    return {delivery.group: delivery.state for delivery in result.deliveries}


class TestSlot:
    def test_it_tells_the_slots_groups_at_once_quiet_hours_or_not(self, watch: Watch) -> None:
        watch.now = instant("23:00")
        watch.publish(tip("a"))
        result = pushed(watch, "evening")
        assert states(result) == {"q1": "sent", "q2": "sent"}
        assert result.broadcast.key == "push:evening@2026-11-16T15:00:00Z"
        assert (result.added, result.by) == (2, None)

    def test_what_was_told_is_not_told_again(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        pushed(watch, "morning")
        watch.now += timedelta(minutes=1)
        with pytest.raises(Refused, match="没有可发的"):
            pushed(watch, "morning")

    def test_its_own_time_comes_all_the_same(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("12:00")
        pushed(watch, "morning")
        watch.publish(tip("a"), tip("b", "19:00"))
        watch.at("20:00")
        assert watch.heard()[-2:] == ["q1: 题b, sent", "q2: 题b, sent"]

    def test_an_unknown_name_is_refused_with_the_nearest(self, watch: Watch) -> None:
        with pytest.raises(Refused, match="是不是想写“morning”"):
            draft(watch, "mornin")


class TestAlert:
    def test_it_tells_every_group_it_concerns_once_a_revision(self, watch: Watch) -> None:
        watch.publish(alert("F", areas=("青松路",)))
        first = pushed(watch, "F")
        assert states(first) == {"q1": "sent", "q2": "sent"}
        assert first.broadcast.key == "alert:F:1"
        again = pushed(watch, "F")
        assert again.added == 0
        assert states(again) == states(first)
        assert len(watch.platforms.posts) == 2
        watch.publish(alert("F", revision="2", areas=("青松路",)))
        assert pushed(watch, "F").added == 2
        assert len(watch.platforms.posts) == 4

    @pytest.mark.parametrize("fields", [{"expires": instant("12:00")}, {"published": "13:00"}])
    def test_one_that_is_not_live_is_refused(self, watch: Watch, fields: dict[str, object]) -> None:
        watch.publish(alert("F", **fields))
        with pytest.raises(Refused, match="过期"):
            draft(watch, "F")

    def test_an_article_that_is_no_alert_cannot_be_pushed(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        with pytest.raises(Refused):
            draft(watch, "a")

    def test_it_may_be_sent_until_the_alert_expires(self, watch: Watch) -> None:
        watch.publish(alert("F", expires=instant("12:30")), alert("G"))
        assert draft(watch, "F").broadcast.expires == instant("12:30")
        assert draft(watch, "G").broadcast.expires == instant("Tue 12:00")


class TestWhoDelivers:
    def test_a_draft_alone_writes_nothing(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        draft(watch, "morning")
        assert watch.outbox.broadcasts() == []

    def test_with_a_scheduler_running_it_only_writes_the_outbox(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gengfu_scheduler.push.PATIENCE", timedelta(0))
        watch.publish(tip("a"))
        with only_scheduler(watch.folder):
            result = pushed(watch, "morning")
        assert result.by is not None
        assert set(states(result).values()) == {"pending"}
        assert watch.platforms.posts == []

    def test_a_push_leaves_what_must_wait_to_the_scheduler(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gengfu_scheduler.push.PATIENCE", timedelta(0))
        watch.platforms.answers["Q1"] = Answer(
            status=200, headers={}, body=b'{"errcode":45009,"errmsg":"api freq out of limit"}'
        )
        watch.publish(tip("a"))
        assert states(pushed(watch, "evening")) == {"q1": "pending", "q2": "sent"}


class TestTryingGroups:
    def test_a_success_ends_a_groups_being_disabled_and_a_failure_does_not(self, watch: Watch) -> None:
        dead = Answer(status=200, headers={}, body=b'{"errcode":93000}')
        watch.platforms.answers = {"Q1": dead, "Q2": dead}
        watch.publish(tip("a"))
        pushed(watch, "evening")
        assert list(watch.outbox.disabled()) == ["q1", "q2"]
        watch.platforms.posts.clear()
        del watch.platforms.answers["Q1"]
        roster = watch.runner.roster
        outcomes = {
            group.id: outcome
            for group, outcome in try_groups(
                [roster.groups["q1"], roster.groups["q2"]],
                roster,
                watch.outbox,
                clock=lambda: watch.now,
                transport=watch.platforms,
            )
        }
        assert outcomes["q1"] == Sent(confirmed=True)
        assert isinstance(outcomes["q2"], Rejected)
        assert list(watch.outbox.disabled()) == ["q2"]
        assert "测试".encode() in watch.platforms.posts[0].body
        assert len(watch.outbox.broadcasts()) == 1
