"""An hour in which nothing gets through: what it leaves, by name, and what it never does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chats import ALERT, DIGEST, GROUP, NOON
from gengfu_scheduler.channels.transport import Answer, Reply, Request, host_of
from gengfu_scheduler.deliver import IN_FLIGHT, Circuits
from gengfu_scheduler.message import Broadcast, Group, Message, Planned, Unknown, Unsent
from gengfu_scheduler.outbox import Outbox
from posting import Clock, FakeTransport, deliver, roster

ROOM = 128
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
HOSTS = {
    "wecom": ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={n}", b'{"errcode":0,"errmsg":"ok"}'),
    "dingtalk": ("https://oapi.dingtalk.com/robot/send?access_token={n}", b'{"errcode":0,"errmsg":"ok"}'),
    "feishu": ("https://open.feishu.cn/open-apis/bot/v2/hook/{n}", b'{"code":0,"msg":"success"}'),
    "slack": ("https://hooks.slack.com/services/T/B/{n}", b"ok"),
    "discord": ("https://discord.com/api/webhooks/1/{n}", b'{"id":"1"}'),
    "teams": ("https://prod-1.eastasia.logic.azure.com/workflows/{n}?sig=x", b"1"),
    "generic": ("https://desk.example/{n}", b""),
}
WELL = {host_of(url): Answer(status=200, headers={}, body=body) for url, body in HOSTS.values()}

SILENT = Unknown(reason="timeout")
UNREACHABLE = Unsent(reason="no route to host")
BAD_GATEWAY = Answer(status=502, headers={}, body=b"")


@dataclass(kw_only=True)
class Wire:
    """The way to all hosts, out of order until ``until``; as many as leave together take a time limit of 15 s."""

    clock: Clock
    trouble: Reply
    until: datetime
    tried: int = 0
    posts: list[tuple[int, bool]] = field(default_factory=list)
    """Of every post that may have arrived: its delivery, and whether it was marked."""

    def __call__(self, request: Request) -> Reply:
        broken = self.clock.at < self.until
        if broken:
            self.tried += 1
            self.clock.at += 15 * SECOND * (self.tried % ROOM == 0)
        if not (broken and isinstance(self.trouble, Unsent)):
            body = request.body.decode()
            self.posts.append((request.key, "【重发】" in body or '"resent":true' in body))
        return self.trouble if broken else WELL[host_of(request.url)]


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(f"sqlite:///{tmp_path}/outbox.db", random=lambda: 0.5) as opened:
        yield opened


def town(platforms: list[str], size: int) -> dict[str, Group]:
    return {
        f"g{n}": replace(GROUP, id=f"g{n}", platform=platform, webhook=HOSTS[platform][0].format(n=f"{n:08}"))
        for n, platform in ((n, platforms[n % len(platforms)]) for n in range(size))
    }


def plan(outbox: Outbox, groups: Iterable[str], key: str, *messages: Message, lasts: timedelta) -> None:
    broadcast = Broadcast(key=key, form=messages[0].form, title=key, scheduled_for=NOON, expires=NOON + lasts)
    planned = [
        Planned(group=group, messages=messages, not_before=NOON, last_told=NOON + 24 * HOUR)
        for group in groups
    ]
    outbox.plan(broadcast, planned, now=NOON)


@pytest.mark.parametrize(
    ("trouble", "platforms", "size"),
    [(SILENT, ["wecom"], 300), (BAD_GATEWAY, list(HOSTS), 300), (UNREACHABLE, list(HOSTS), 140)],
    ids=["silent", "502", "unreachable"],
)
def test_an_hours_outage_leaves_all_sent_expired_or_unknown_by_name_and_none_doubled(
    outbox: Outbox, trouble: Reply, platforms: list[str], size: int
) -> None:
    """A digest that may be late, one that may not, and an alert in three parts; time flies as the posts take it."""
    parts = tuple(replace(ALERT, part=n, parts=3) for n in (1, 2, 3))
    groups = town(platforms, size)
    plan(outbox, groups, "alert:A:1", *parts, lasts=24 * HOUR)
    plan(outbox, groups, "patient", DIGEST, lasts=2 * HOUR)
    plan(outbox, groups, "hasty", DIGEST, lasts=HOUR / 6)
    clock, circuits = Clock(), Circuits()
    wire = Wire(clock=clock, trouble=trouble, until=NOON + HOUR)
    while due := outbox.due_at():
        clock.at = max(clock.at + 20 * SECOND, due)
        outbox.expire(now=clock.at)
        deliver(outbox, roster(groups), FakeTransport(wire, room=ROOM), now=clock, circuits=circuits)
    ended = {key: outbox.deliveries(key) for key in ("alert:A:1", "patient", "hasty")}
    states = {key: Counter(d.state for d in deliveries) for key, deliveries in ended.items()}
    unknown = sum(counts["unknown"] for counts in states.values())
    most = 0 if trouble is UNREACHABLE else IN_FLIGHT + 60 * len(platforms)
    assert unknown <= most, states
    assert states["alert:A:1"]["sent"] + states["alert:A:1"]["unknown"] == 3 * size
    assert states["patient"]["sent"] + states["patient"]["unknown"] == size
    assert states["hasty"]["expired"] + states["hasty"]["unknown"] == size
    assert all(d.reason for deliveries in ended.values() for d in deliveries if d.state == "unknown")
    posts = Counter(wire.posts)
    assert set(posts.values()) == {1}, "told twice, unmarked"
    second = {delivery for delivery, marked in posts if marked}
    assert second == {d.id for d in ended["alert:A:1"] if d.resent and (d.id, True) in posts}
    assert {d.id for deliveries in ended.values() for d in deliveries if d.state == "sent"} <= {
        delivery for delivery, _marked in posts
    }
