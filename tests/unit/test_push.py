"""Telling something now: to whom, once, and by whichever process may."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.draft import Draft, Refused
from gengfu_scheduler.message import Rejected, Sent
from gengfu_scheduler.outbox import AlertOver
from gengfu_scheduler.push import Pushed, push, resend, stop, to_resend, try_groups
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
        with pytest.raises(Refused, match=r"过期|才公开"):
            draft(watch, "F")

    def test_an_article_that_is_no_alert_cannot_be_pushed(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        with pytest.raises(Refused):
            draft(watch, "a")

    def test_it_may_be_sent_until_the_alert_expires(self, watch: Watch) -> None:
        watch.publish(alert("F", expires=instant("12:30")), alert("G"))
        assert draft(watch, "F").broadcast.expires == instant("12:30")
        assert draft(watch, "G").broadcast.expires == instant("Tue 12:00")


BAD_GATEWAY = Answer(status=502, headers={}, body=b"")
REFUSED = Answer(status=200, headers={}, body=b'{"errcode":40008,"errmsg":"invalid message type"}')


def grieved(watch: Watch) -> str:
    """Key of a broadcast that ended unknown for q1, rejected for q2; since then all is well again."""
    watch.platforms.answers = {"Q1": BAD_GATEWAY, "Q2": REFUSED}
    watch.publish(tip("a"))
    key = pushed(watch, "evening").broadcast.key
    watch.platforms.answers = {}
    return key


def resent(watch: Watch, key: str, *chosen: str, groups: tuple[str, ...] | None = None) -> Pushed:
    return resend(
        key,
        chosen,  # type: ignore[arg-type]
        groups,
        watch.folder,
        ENVIRON,
        watch.outbox,
        clock=lambda: watch.now,
        say=watch.said.append,
        transport=watch.platforms,
    )


class TestResend:
    def test_what_is_chosen_is_sent_again_and_what_may_have_arrived_is_marked(self, watch: Watch) -> None:
        key = grieved(watch)
        assert states(resent(watch, key, "rejected")) == {"q1": "unknown", "q2": "sent"}
        assert "重发" not in watch.platforms.posts[-1].body.decode()
        result = resent(watch, key, "unknown")
        assert (states(result), result.added) == ({"q1": "sent", "q2": "sent"}, 1)
        assert "重发" in watch.platforms.posts[-1].body.decode()
        assert len(watch.platforms.posts) == 4

    def test_only_the_named_groups_get_it(self, watch: Watch) -> None:
        key = grieved(watch)
        result = resent(watch, key, "unknown", "rejected", groups=("q2",))
        assert states(result) == {"q1": "unknown", "q2": "sent"}

    def test_a_digest_whose_time_is_over_has_time_again(self, watch: Watch) -> None:
        key = grieved(watch)
        watch.now += timedelta(days=2)
        assert states(resent(watch, key, "unknown"))["q1"] == "sent"

    def test_an_alert_that_is_over_is_not_sent_again(self, watch: Watch) -> None:
        watch.publish(alert("F", areas=("青松路",), expires=instant("13:00")))
        watch.platforms.answers = {"Q1": REFUSED}
        key = pushed(watch, "F").broadcast.key
        watch.now = instant("13:00")
        with pytest.raises(AlertOver):
            resent(watch, key, "rejected")

    def test_nothing_to_send_again_is_said_with_where_to_look(self, watch: Watch) -> None:
        key = grieved(watch)
        with pytest.raises(Refused, match="没有编号为“x”的发送"):
            to_resend("x", ["unknown"], None, watch.outbox)
        with pytest.raises(Refused, match=r"q2 的结果不是所选的这种，见 gengfu status push:evening"):
            to_resend(key, ["unknown"], ["q1", "q2"], watch.outbox)
        resent(watch, key, "unknown")
        with pytest.raises(Refused, match="没有要重发的"):
            to_resend(key, ["unknown"], None, watch.outbox)


class TestStop:
    def test_nothing_more_leaves_and_nobody_is_asked_to_pass_it_on(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        (status,) = watch.outbox.broadcasts()
        ended = stop(status.broadcast.key, "李警官", watch.outbox, now=watch.now)
        watch.at("09:30")
        assert ended == 2
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, cancelled", "h1: 题a, cancelled"]
        assert {d.reason for d in watch.outbox.deliveries(status.broadcast.key)} == {"", "由李警官停止"}

    def test_a_broadcast_that_is_not_there_is_said_to_be_none(self, watch: Watch) -> None:
        with pytest.raises(Refused, match="没有编号为“x”的发送"):
            stop("x", "李", watch.outbox, now=watch.now)


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
