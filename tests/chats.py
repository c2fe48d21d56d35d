"""A group, a digest and an alert, and what a channel makes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gengfu_scheduler.channels import channels_of
from gengfu_scheduler.channels.channel import HttpChannel
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.message import Group, Item, Message, Outcome

CHANNELS = channels_of(None)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GROUP = Group(
    id="G1",
    name="桃园一号群",
    reach="webhook",
    platform="wecom",
    webhook="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=aaaa-bbbb",
    joined=NOON,
)
ITEM = Item(
    entry="7F3K2", title="刷单返利", summary="先给小钱，再骗大钱。", url="https://x.test/fraud/shuadan/"
)
DIGEST = Message(
    form="digest",
    title="每日警情提示",
    items=(ITEM,),
    footer="桃园社区 李警官 0571-00000000",
    home="https://x.test/",
)
ALERT = Message(
    form="alert",
    title="寻人：王某",
    body="72岁，身穿红色羽绒服\n看到请打110",
    items=(replace(ITEM, title="寻人：王某"),),
    footer="桃园社区 李警官 0571-00000000",
)


def posted(message: Message, group: Group = GROUP) -> dict[str, Any]:
    """The body that goes out for ``message``."""
    request = channel_to(group).request(message, group, delivery_id=1, now=NOON)
    body: dict[str, Any] = json.loads(request.body)
    return body


def channel_to(group: Group) -> HttpChannel:
    channel = CHANNELS.to(group)
    assert isinstance(channel, HttpChannel)
    return channel


def outcome(platform: str, status: int, body: str, headers: dict[str, str] | None = None) -> Outcome:
    """What ``platform``'s channel makes of an answer."""
    answer = Answer(status=status, headers=headers or {}, body=body.encode())
    return channel_to(replace(GROUP, platform=platform)).outcome(answer)


def same(outcome: Outcome, expected: Outcome) -> bool:
    """Equal, but that ``outcome``'s reason need only begin as expected."""
    reason = getattr(expected, "reason", None)
    if reason is None or not getattr(outcome, "reason", "").startswith(reason):
        return outcome == expected
    return replace(outcome, reason=reason) == expected
