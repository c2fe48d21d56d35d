"""Claim, post, settle: what is in flight, what one failure costs, and when a host is left alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest

from chats import CHANNELS, ITEM, NOON
from gengfu_scheduler.channels import Channels
from gengfu_scheduler.channels.beside import AT_ONCE, Beside
from gengfu_scheduler.channels.channel import HttpChannel, LocalChannel, Payload, Weight
from gengfu_scheduler.channels.hand import Hand
from gengfu_scheduler.channels.text import Templates
from gengfu_scheduler.channels.transport import Answer, Reply, Request
from gengfu_scheduler.channels.wecom import WeCom
from gengfu_scheduler.deliver import BATCH, DIGESTS, IN_FLIGHT, Circuits, Deliveries, post_once
from gengfu_scheduler.message import (
    Broadcast,
    Delivery,
    Form,
    Group,
    Handed,
    Message,
    Outcome,
    Planned,
    Rejected,
    Sent,
    Throttled,
    Unknown,
    Unsent,
)
from gengfu_scheduler.outbox import Outbox, OutboxUnusable
from gengfu_scheduler.roster import Roster
from posting import OK, Clock, FakeTransport, deliver, roster

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MESSAGE = Message(form="digest", title="每日警情提示", items=(ITEM,), home="https://x.test/")


class Failing(HttpChannel):
    """An adapter with a mistake in it."""

    name = "failing"

    def payload(self, message: Message, group: Group) -> Payload:
        if "render" in group.id:
            raise ZeroDivisionError(f"while rendering for {group.webhook}")
        return {"text": message.title}

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        return ()

    def outcome(self, answer: Answer) -> Outcome:
        raise KeyError("errcode")


class Stuck(LocalChannel):
    name = "stuck"

    def deliver(self, message: Message, group: Group) -> Outcome:
        raise OSError("no terminal")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(f"sqlite:///{tmp_path}/outbox.db", random=lambda: 0.5) as opened:
        yield opened


def plan(outbox: Outbox, names: Iterable[str], *, form: Form = "digest", key: str = "k") -> None:
    broadcast = Broadcast(
        key=key, form=form, title=key, scheduled_for=NOON, expires=NOON + timedelta(hours=2)
    )
    message = MESSAGE if form == "digest" else Message(form="alert", title="寻人", items=(), body="72岁")
    outbox.plan(broadcast, [Planned(group=n, messages=(message,), not_before=NOON) for n in names], now=NOON)


def listed(
    names: Iterable[str], platform: str = "wecom", host: str = "qyapi.weixin.qq.com"
) -> dict[str, Group]:
    return {
        n: Group(
            id=n,
            name=n,
            reach="hand" if platform == "hand" else "webhook",
            platform=platform,
            webhook=f"https://{host}/send?key=secret-key-of-{n}",
            owner="王姐",
            joined=NOON,
        )
        for n in names
    }


def ended(outbox: Outbox, key: str = "k") -> dict[str, tuple[str, str]]:
    return {d.group: (d.state, d.reason) for d in outbox.deliveries(key)}


def states(outbox: Outbox, key: str = "k") -> dict[str, str]:
    return {group: state for group, (state, _reason) in ended(outbox, key).items()}


def test_each_due_delivery_is_posted_once_to_its_group(outbox: Outbox) -> None:
    plan(outbox, "AB")
    transport = FakeTransport()
    deliver(outbox, roster(listed("AB")), transport, now=Clock())
    deliver(outbox, roster(listed("AB")), transport, now=Clock())
    assert [r.url[-1] for r in transport.posted] == ["A", "B"]
    assert states(outbox) == {"A": "sent", "B": "sent"}


def test_alerts_are_posted_before_digests(outbox: Outbox) -> None:
    plan(outbox, "AB", key="digest")
    plan(outbox, "A", form="alert", key="alert")
    transport = FakeTransport()
    deliver(outbox, roster(listed("AB")), transport, now=Clock())
    assert [json.loads(r.body)["msgtype"] for r in transport.posted] == ["markdown", "news", "news"]


@pytest.mark.parametrize("room", [1, 64, 1000])
def test_never_more_than_the_limit_is_sending_and_none_is_left_behind(outbox: Outbox, room: int) -> None:
    names = [f"g{n}" for n in range(3 * IN_FLIGHT)]
    plan(outbox, names)
    most = 0

    def reply(request: Request) -> Reply:
        nonlocal most
        if request.key % 20 == 0:
            most = max(most, outbox.broadcasts()[0].counts["sending"])
        return OK

    deliver(outbox, roster(listed(names)), FakeTransport(reply, room=room), now=Clock())
    assert 0 < most <= IN_FLIGHT
    assert outbox.broadcasts()[0].counts == {"sent": len(names)}


def test_an_alert_finds_room_while_digests_are_at_a_host_that_does_not_answer(outbox: Outbox) -> None:
    digests = [f"g{n}" for n in range(2 * IN_FLIGHT)]
    plan(outbox, digests)
    answered = 0

    def reply(request: Request) -> Reply:
        nonlocal answered
        answered += 1
        if answered == 1:
            plan(outbox, ["urgent"], form="alert", key="alert")
        return OK

    transport = FakeTransport(reply, room=2 * IN_FLIGHT)
    deliver(outbox, roster(listed([*digests, "urgent"])), transport, now=Clock())
    urgent = [request.url.endswith("urgent") for request in transport.posted].index(True)
    assert urgent <= DIGESTS


def test_what_is_on_its_way_when_it_is_enough_goes_on_in_the_next_call(outbox: Outbox) -> None:
    names = [f"g{n}" for n in range(3 * DIGESTS)]
    plan(outbox, names)
    transport = FakeTransport(room=DIGESTS)
    deliveries = Deliveries(outbox, transport, now=Clock())
    calls, asked = 0, count(1)
    while calls == 0 or deliveries.sending:
        deliveries.go_on(roster(listed(names)), enough=lambda: next(asked) % 9 == 0)
        calls += 1
        assert deliveries.sending <= IN_FLIGHT
    assert calls > 1
    assert len(transport.posted) == len(names)
    assert outbox.broadcasts()[0].counts == {"sent": len(names)}


def test_what_is_left_for_the_next_call_is_all_posted_and_what_came_back_is_written(outbox: Outbox) -> None:
    names = [f"g{n}" for n in range(DIGESTS)]
    plan(outbox, names)
    answered: list[Request] = []

    def reply(request: Request) -> Reply:
        answered.append(request)
        return OK

    transport = FakeTransport(reply, room=10)
    deliveries = Deliveries(outbox, transport, now=Clock())
    deliveries.go_on(roster(listed(names)), enough=lambda: len(answered) > 2)
    posted = len(transport.posted)
    left = {"sending": posted - len(answered), "sent": len(answered), "pending": len(names) - posted}
    assert outbox.broadcasts()[0].counts == {state: n for state, n in left.items() if n}
    assert deliveries.sending == left["sending"] > 0


def test_a_call_that_found_nothing_leaves_nothing_undone_to_the_next(outbox: Outbox) -> None:
    deliveries = Deliveries(outbox, FakeTransport(), now=Clock())
    deliveries.go_on(roster(listed("A")), urgent=True)
    plan(outbox, "A")
    deliveries.go_on(roster(listed("A")))
    assert states(outbox) == {"A": "sent"}


def test_what_can_neither_go_on_nor_be_written_is_awaited_no_more(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object, **__: object) -> list[Delivery]:
        raise OutboxUnusable("disk is full", "")

    def reply(request: Request) -> Reply:
        if request.url.endswith("B"):
            monkeypatch.setattr(outbox, "exchange", break_down)
            raise RuntimeError("a mistake in this program")
        return OK

    plan(outbox, "AB")
    deliveries = Deliveries(outbox, FakeTransport(reply), now=Clock())
    with pytest.raises(OutboxUnusable):
        deliveries.go_on(roster(listed("AB")))
    assert not deliveries.sending


def test_the_end_of_what_is_on_its_way_can_be_waited_for(outbox: Outbox) -> None:
    names = [f"g{n}" for n in range(3 * DIGESTS)]
    plan(outbox, names)
    transport = FakeTransport(room=DIGESTS)
    deliveries = Deliveries(outbox, transport, now=Clock())
    deliveries.go_on(roster(listed(names)), enough=lambda: deliveries.sending > BATCH)
    assert deliveries.sending
    deliveries.close()
    assert not deliveries.sending
    begun = len(transport.posted)
    assert outbox.broadcasts()[0].counts == {"sent": begun, "pending": len(names) - begun}


class Silent(FakeTransport):
    """The platform answers the group B alone."""

    def post_many(self, requests: Iterable[Request | None]) -> Generator[list[tuple[int, Reply]], None, None]:
        for request in requests:
            yield [(request.key, OK)] if request and request.url.endswith("B") else []


def test_what_is_urgent_waits_for_no_digest_that_is_on_its_way(outbox: Outbox) -> None:
    clock = Clock()

    def passing() -> datetime:
        clock.at += SECOND / 100
        return clock.at

    plan(outbox, "A", key="digest")
    deliveries = Deliveries(outbox, Silent(), now=passing)
    deliveries.go_on(roster(listed("AB")), enough=lambda: deliveries.sending == 1)
    plan(outbox, "B", form="alert", key="alert")
    deliveries.go_on(roster(listed("AB")), urgent=True)
    assert states(outbox, "alert") == {"B": "sent"}
    assert states(outbox, "digest") == {"A": "sending"}


def test_what_is_urgent_leaves_while_digests_wait(outbox: Outbox) -> None:
    plan(outbox, "AB", key="digest")
    plan(outbox, "A", form="alert", key="alert")
    deliver(outbox, roster(listed("AB")), FakeTransport(), now=Clock(), urgent=True)
    assert states(outbox, "alert") == {"A": "sent"}
    assert states(outbox, "digest") == {"A": "pending", "B": "pending"}


class Counting(WeCom):
    """Counts how often it puts a message in its form; a group's keyword stands in it."""

    name = "counting"
    made = 0

    def payload(self, message: Message, group: Group) -> Payload:
        Counting.made += 1
        return {"news": {"articles": [group.keyword]}}


def test_what_groups_alike_are_told_is_made_once_for_all_that_are_claimed_together(outbox: Outbox) -> None:
    groups = listed([f"g{n}" for n in range(20)], platform="counting")
    groups = {id: replace(group, keyword="ab"[n % 2]) for n, (id, group) in enumerate(groups.items())}
    plan(outbox, groups)
    transport = FakeTransport()
    there = Channels((Counting(Templates()),), by_hand=Hand())
    deliver(outbox, roster(groups, there), transport, now=Clock())
    assert Counting.made == 2
    assert [json.loads(r.body)["news"]["articles"] for r in transport.posted] == [["a"], ["b"]] * 10


def test_what_is_sending_is_on_disk_before_it_is_posted(outbox: Outbox) -> None:
    plan(outbox, "A")
    seen: list[str] = []

    def reply(_request: Request) -> Reply:
        seen.append(states(outbox)["A"])
        return OK

    deliver(outbox, roster(listed("A")), FakeTransport(reply), now=Clock())
    assert seen == ["sending"]


def test_outcomes_are_written_before_long_though_others_are_still_awaited(outbox: Outbox) -> None:
    plan(outbox, "ABC")
    clock, seen = Clock(), []

    def reply(request: Request) -> Reply:
        seen.append("".join(sorted(g for g, state in states(outbox).items() if state == "sent")))
        clock.at += timedelta(milliseconds=60)
        return OK

    deliver(outbox, roster(listed("ABC")), FakeTransport(reply), now=clock)
    assert seen == ["", "A", "AB"]


def test_by_hand_is_handed_to_the_owner_without_a_post(outbox: Outbox) -> None:
    plan(outbox, "A")
    transport = FakeTransport()
    deliver(outbox, roster(listed("A", platform="hand")), transport, now=Clock())
    assert ended(outbox) == {"A": ("handed", "王姐")}
    assert transport.posted == []


def test_what_was_withdrawn_since_it_was_planned_is_not_told(outbox: Outbox) -> None:
    gone = replace(ITEM, entry="gone", title="已撤回的")
    for key, items in {"mixed": (gone, ITEM), "empty": (gone,)}.items():
        broadcast = Broadcast(
            key=key, form="digest", title=key, scheduled_for=NOON, expires=NOON + timedelta(hours=2)
        )
        message = replace(MESSAGE, items=items)
        outbox.plan(broadcast, [Planned(group=key, messages=(message,), not_before=NOON)], now=NOON)
    transport = FakeTransport()
    deliver(outbox, roster(listed(["mixed", "empty"])), transport, now=Clock())
    (post,) = transport.posted
    assert "已撤回的" not in post.body.decode()
    assert states(outbox, "mixed") == {"mixed": "sent"}
    assert ended(outbox, "empty") == {"empty": ("cancelled", "内容已撤回或过期，没有发")}


def test_a_group_that_left_the_spreadsheet_is_not_told(outbox: Outbox) -> None:
    plan(outbox, "AB")
    deliver(outbox, roster(listed("A")), FakeTransport(), now=Clock())
    assert ended(outbox) == {"A": ("sent", ""), "B": ("rejected", "群已不在名单中")}


def test_a_mistake_in_one_adapter_ends_its_deliveries_with_the_evidence_and_no_others(
    outbox: Outbox,
) -> None:
    wecom = CHANNELS.to(listed("A")["A"])
    channels = Channels([Failing(Templates()), Stuck(), wecom], by_hand=Stuck())
    names = ["render", "answer", "stuck", "typo", "fine"]
    plan(outbox, names)
    groups = {
        **listed(["render", "answer"], platform="failing"),
        **listed(["stuck"], platform="stuck"),
        **listed(["typo"], platform="wecon"),
        **listed(["fine"]),
    }
    deliver(outbox, roster(groups, channels), FakeTransport(), now=Clock())
    found = ended(outbox)
    assert states(outbox) == {
        "render": "rejected",
        "answer": "unknown",
        "stuck": "rejected",
        "typo": "rejected",
        "fine": "sent",
    }
    assert "ZeroDivisionError: while rendering for … (test_deliver.py:" in found["render"][1]
    assert "KeyError: 'errcode'" in found["answer"][1]
    assert "no terminal" in found["stuck"][1]
    assert "wecom" in found["typo"][1]


def test_a_webhook_that_a_platform_echoes_is_not_stored(outbox: Outbox) -> None:
    plan(outbox, "ABC")
    groups = listed("ABC")

    def echo(request: Request) -> Reply:
        key = request.url.partition("key=")[2]
        body = f'{{"errcode":93000,"errmsg":"bad {request.url} or {key}"}}'
        replies: dict[str, Reply] = {
            "A": Answer(status=200, headers={}, body=body.encode()),
            "B": Unsent(reason=request.url),
        }
        return replies.get(request.url[-1], Answer(status=502, headers={}, body=key.encode()))

    deliver(outbox, roster(groups), FakeTransport(echo), now=Clock())
    assert "93000 bad" in ended(outbox)["A"][1]
    assert "secret-key" not in str(ended(outbox)) + str(outbox.disabled())


@pytest.mark.parametrize("platform", ["wecom", "generic"])
def test_no_part_of_a_webhook_is_kept_where_a_long_answer_is_cut(outbox: Outbox, platform: str) -> None:
    names = [f"g{n}" for n in range(60)]
    plan(outbox, names)
    groups = listed(names, platform=platform)

    def echo(request: Request) -> Reply:
        room = 150 + 5 * int(request.url.rpartition("-g")[2])
        body = f'{{"errcode":40058,"errmsg":"{"x" * room}{request.url}"}}'
        return Answer(status=400 if platform == "generic" else 200, headers={}, body=body.encode())

    deliver(outbox, roster(groups), FakeTransport(echo), now=Clock())
    reasons = [reason for _state, reason in ended(outbox).values()]
    assert max(len(reason.encode()) for reason in reasons) <= 400
    assert not [reason for reason in reasons if "secret" in reason]


def test_when_told_to_stop_nothing_is_begun_and_what_is_on_its_way_is_awaited(outbox: Outbox) -> None:
    names = [f"g{n}" for n in range(50)]
    plan(outbox, names)
    transport = FakeTransport(room=10)
    deliver(
        outbox, roster(listed(names)), transport, now=Clock(), stopping=lambda: len(transport.posted) >= 10
    )
    assert outbox.broadcasts()[0].counts == {"sent": 10, "pending": 40}
    assert {d.attempts for d in outbox.deliveries("k") if d.state == "pending"} == {0}


def test_when_it_breaks_what_was_answered_is_written_and_the_rest_is_left_to_recovery(outbox: Outbox) -> None:
    plan(outbox, "ABCD")

    def reply(request: Request) -> Reply:
        if request.url.endswith("C"):
            raise KeyboardInterrupt
        return OK

    with pytest.raises(KeyboardInterrupt):
        deliver(outbox, roster(listed("ABCD")), FakeTransport(reply, room=3), now=Clock())
    assert states(outbox) == {"A": "sent", "B": "sent", "C": "sending", "D": "sending"}
    assert [d.group for d in outbox.recover(now=NOON)] == ["C", "D"]


def test_outcomes_that_cannot_be_written_are_an_error_not_a_silence(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(outbox, "A")

    write = outbox.exchange

    def full(outcomes: Sequence[tuple[int, Outcome]], *args: Any, **rest: Any) -> list[Delivery]:
        if outcomes:
            raise OutboxUnusable("database or disk is full", "")
        return write(outcomes, *args, **rest)

    monkeypatch.setattr(outbox, "exchange", full)
    with pytest.raises(OutboxUnusable):
        deliver(outbox, roster(listed("A")), FakeTransport(), now=Clock())
    assert states(outbox) == {"A": "sending"}


# Beside the posts


class Slow(LocalChannel):
    """Delivers once it may go on."""

    name = "slow"
    slow = True

    def __init__(self, go_on: Event | None = None, ends: Outcome | None = None) -> None:
        self.go_on = go_on or Event()
        self.ends = ends or Sent(confirmed=False)
        self.told: list[str] = []
        self.at_once = self.most_at_once = 0
        self._lock = Lock()

    def deliver(self, message: Message, group: Group) -> Outcome:
        with self._lock:
            self.told.append(group.id)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.go_on.wait(60)
        with self._lock:
            self.at_once -= 1
        return self.ends


def with_slow(groups: dict[str, Group], slow: Slow) -> Roster:
    return roster(groups, Channels((WeCom(Templates()), slow), by_hand=Hand()))


def test_posts_do_not_wait_for_what_is_slow(outbox: Outbox) -> None:
    slow, posted = listed(["s1", "s2", "s3"], platform="slow"), listed([f"g{n}" for n in range(60)])
    plan(outbox, [*slow, *posted])
    channel = Slow()

    def reply(_request: Request) -> Reply:
        if len(transport.posted) == len(posted):
            channel.go_on.set()  # not before the last post is answered
        return OK

    transport = FakeTransport(reply, room=10)
    deliver(outbox, with_slow({**slow, **posted}, channel), transport, now=Clock())
    assert outbox.broadcasts()[0].counts == {"sent": 63}
    assert sorted(channel.told) == ["s1", "s2", "s3"]


def test_what_is_slow_is_told_a_few_at_a_time_and_each_once(outbox: Outbox) -> None:
    groups = listed([f"s{n}" for n in range(30)], platform="slow")
    plan(outbox, groups)
    clock, channel = Clock(), Slow()
    channel.go_on.set()
    while outbox.broadcasts()[0].counts.get("pending"):
        deliver(outbox, with_slow(groups, channel), FakeTransport(), now=clock)
        clock.at += SECOND
    assert outbox.broadcasts()[0].counts == {"sent": 30}
    assert Counter(channel.told) == Counter(list(groups))
    assert channel.most_at_once <= AT_ONCE


def test_what_hangs_is_unknown_after_its_bound_and_keeps_nothing_waiting(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gengfu_scheduler.deliver.Beside", partial(Beside, longest=0.05))
    groups = {**listed("A", platform="slow"), **listed("B")}
    plan(outbox, groups)
    channel = Slow()
    deliver(outbox, with_slow(groups, channel), FakeTransport(), now=Clock())
    assert states(outbox) == {"A": "unknown", "B": "sent"}
    channel.go_on.set()


def test_when_told_to_stop_what_is_slow_and_begun_is_awaited(outbox: Outbox) -> None:
    groups = listed([f"s{n}" for n in range(AT_ONCE + 4)], platform="slow")
    plan(outbox, groups)
    channel = Slow()

    def stopping() -> bool:
        if channel.told:
            channel.go_on.set()
        return bool(channel.told)

    deliver(outbox, with_slow(groups, channel), FakeTransport(), now=Clock(), stopping=stopping)
    counts = outbox.broadcasts()[0].counts
    assert counts["sent"] == len(channel.told) >= 1
    assert counts == {"sent": len(channel.told), "pending": len(groups) - len(channel.told)}


def test_when_it_breaks_what_is_slow_is_left_to_recovery(outbox: Outbox) -> None:
    groups = {**listed("A", platform="slow"), **listed("B")}
    plan(outbox, groups)
    channel = Slow()

    def reply(_request: Request) -> Reply:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(outbox, with_slow(groups, channel), FakeTransport(reply), now=Clock())
    assert [d.group for d in outbox.recover(now=NOON)] == ["A", "B"]
    channel.go_on.set()


def test_groups_that_are_slow_are_tried_out_too() -> None:
    groups = {**listed([f"s{n}" for n in range(AT_ONCE + 4)], platform="slow"), **listed("B")}
    channel = Slow()
    channel.go_on.set()
    channels = Channels((WeCom(Templates()), channel), by_hand=Hand())
    found = {g.id: o for g, o in post_once(MESSAGE, groups.values(), channels, FakeTransport(), now=Clock())}
    assert found == {**dict.fromkeys(groups, Sent(confirmed=False)), "B": Sent(confirmed=True)}


@pytest.mark.parametrize(
    ("address", "pieces"),
    [
        ("tgram://123456:AbC-d_9/-100777/", ["123456", "AbC-d_9", "-100777"]),
        (
            "mailtos://ann:p%40ss%2Fword@mx.example.org?to=chief@example.org",
            ["ann", "p@ss/word", "p%40ss%2Fword", "mx.example.org", "chief"],
        ),
        (
            "mmosts://bot@chat.example.org:8065/team/3ccdd113474722",
            ["bot", "chat.example.org", "8065", "3ccdd113474722"],
        ),
        ("ntfys://k9@n.example.org/flood?token=tk_AgQdq7", ["k9", "n.example.org", "flood", "tk_AgQdq7"]),
    ],
)
def test_no_part_of_an_address_that_is_no_web_address_is_kept(address: str, pieces: list[str]) -> None:
    (group,) = listed("A", platform="slow").values()
    told = f"错误{address}；" + "，".join(f"密码{piece}错误 ({piece.upper()})" for piece in pieces)
    channel = Slow(ends=Unknown(reason=told))
    channel.go_on.set()
    channels = Channels((channel,), by_hand=Hand())
    groups = [replace(group, webhook=address)]
    ((_group, outcome),) = post_once(MESSAGE, groups, channels, FakeTransport(), now=Clock())
    assert isinstance(outcome, Unknown)
    assert "错误" in outcome.reason
    assert not [piece for piece in pieces if piece.lower() in outcome.reason.lower()]


# Circuits


def test_five_unknowns_in_a_row_open_a_hosts_circuit_and_one_probe_a_minute_decides() -> None:
    circuits = Circuits()
    silent, at = Unknown(reason="timeout"), NOON
    for _post in range(4):
        circuits.record("a", silent, silent, now=at)
        assert circuits.open_until("a", now=at) is None
    circuits.record("a", silent, silent, now=at)
    assert circuits.open_until("a", now=at) == at + MINUTE
    assert circuits.open_until("b", now=at) is None
    # the probe, and no second one beside it
    assert circuits.open_until("a", now=at + MINUTE) is None
    assert circuits.open_until("a", now=at + MINUTE) == at + 2 * MINUTE
    circuits.record("a", silent, silent, now=at + MINUTE)
    assert circuits.open_until("a", now=at + MINUTE + SECOND) == at + 2 * MINUTE
    # answered
    circuits.record("a", OK, Sent(confirmed=True), now=at + 2 * MINUTE)
    assert circuits.open_until("a", now=at + 2 * MINUTE) is None


def test_a_clock_put_back_does_not_keep_a_circuit_open() -> None:
    circuits, silent = Circuits(), Unknown(reason="timeout")
    for _post in range(5):
        circuits.record("a", silent, silent, now=NOON + timedelta(days=365))
    assert circuits.open_until("a", now=NOON) is None


@pytest.mark.parametrize(
    ("between", "opens"),
    [
        (Unsent(reason="refused"), True),  # says nothing about how the host answers
        (Rejected(reason="host not listed"), True),
        (OK, False),
    ],
)
def test_only_an_answer_ends_a_row_of_unknowns(between: Reply, opens: bool) -> None:
    circuits, silent = Circuits(), Unknown(reason="timeout")
    outcome = Sent(confirmed=True) if isinstance(between, Answer) else between
    for reply, ended_as in [*[(silent, silent)] * 4, (between, outcome), (silent, silent)]:
        circuits.record("a", reply, ended_as, now=NOON)
    assert (circuits.open_until("a", now=NOON) is not None) == opens


def test_an_hours_outage_costs_one_unknown_a_minute_beyond_what_was_in_flight(outbox: Outbox) -> None:
    names = [f"g{n}" for n in range(100)]
    plan(outbox, names)
    clock, circuits = Clock(), Circuits()
    transport = FakeTransport(lambda _request: Unknown(reason="timeout"), room=10)
    deliver(outbox, roster(listed(names)), transport, now=clock, circuits=circuits)
    first = outbox.broadcasts()[0].counts["unknown"]
    assert first <= 5 + 10
    for _minute in range(10):
        clock.at += MINUTE
        deliver(outbox, roster(listed(names)), transport, now=clock, circuits=circuits)
    assert outbox.broadcasts()[0].counts == {"unknown": first + 10, "pending": 90 - first}
    transport.reply = lambda _request: OK
    for _minute in range(2):
        clock.at += MINUTE
        deliver(outbox, roster(listed(names)), transport, now=clock, circuits=circuits)
    assert outbox.broadcasts()[0].counts == {"unknown": first + 10, "sent": 90 - first}


def test_another_host_is_served_while_one_is_silent(outbox: Outbox) -> None:
    silent, fine = [f"s{n}" for n in range(30)], [f"f{n}" for n in range(30)]
    plan(outbox, [*silent, *fine])
    groups = {**listed(silent), **listed(fine, host="other.example")}

    def reply(request: Request) -> Reply:
        return OK if "other.example" in request.url else Unknown(reason="timeout")

    deliver(outbox, roster(groups), FakeTransport(reply, room=5), now=Clock())
    found = states(outbox)
    assert {found[n] for n in fine} == {"sent"}
    assert sum(found[n] == "unknown" for n in silent) <= 5 + 5


# Trying groups out


def test_groups_are_tried_once_each_past_the_outbox() -> None:
    groups = {**listed("A"), **listed("B", platform="hand"), **listed("C", platform="wecon")}

    def busy(_request: Request) -> Reply:
        return Answer(status=429, headers={}, body=b"")

    found = {
        g.id: outcome
        for g, outcome in post_once(MESSAGE, groups.values(), CHANNELS, FakeTransport(busy), now=Clock())
    }
    assert found["A"] == Throttled(after=60, reason="HTTP 429")
    assert found["B"] == Handed(to="王姐")
    assert isinstance(found["C"], Rejected)
