"""Whatever an officer writes: each post is within its platform's limits, whole in itself, and free of markup.

What is measured is what is posted, by code of this file's own; the sandbox, which read the contracts apart from the
channels, judges and draws the same bytes.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from chats import ALERT, CHANNELS, DIGEST, GROUP, ITEM, NOON, channel_to, outcome
from gengfu_scheduler.channels import PLATFORMS
from gengfu_scheduler.channels.channel import HttpChannel
from gengfu_scheduler.channels.parts import joins
from gengfu_scheduler.message import Group, Message, Rejected, Sent
from gengfu_scheduler.sandbox import Received, Robot
from gengfu_scheduler.sandbox.exchange import Exchange
from gengfu_scheduler.sandbox.platforms import PLATFORMS as STAND_INS
from gengfu_scheduler.sandbox.wall import pieces

POSTED = [name for name in PLATFORMS if isinstance(CHANNELS.to(replace(GROUP, platform=name)), HttpChannel)]
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="
FOOTER = "桃园社区 李警官 0571-00000000"
EXERCISE = replace(ALERT, title="【演练】" + ALERT.title, footer=FOOTER + "【演练】")


def group_on(platform: str, *, keyword: str = "") -> Group:
    """A group whose robot is the sandbox's, signed where the platform signs."""
    signed = SECRET if platform in ("dingtalk", "feishu", "generic") else None
    webhook = "https://bot.test" + STAND_INS[platform].address("taoyuan")
    return replace(GROUP, platform=platform, webhook=webhook, secret=signed, keyword=keyword)


def post(message: Message, group: Group) -> bytes:
    return channel_to(group).request(message, group, delivery_id=1, now=NOON).body


# What is limited, by each platform's documents, of the body of a post


def sizes(platform: str, body: bytes) -> Iterator[tuple[str, int, int]]:
    """What, how much of it, how much at most."""
    yield from MEASURES[platform](json.loads(body), body)


Sizes = Iterator[tuple[str, int, int]]


def wecom(told: Any, body: bytes) -> Sizes:
    if told["msgtype"] == "markdown":
        yield "content", len(told["markdown"]["content"].encode()), 4096
        return
    yield "articles", len(told["news"]["articles"]), 8
    for article in told["news"]["articles"]:
        yield "title", len(article["title"].encode()), 128
        yield "description", len(article["description"].encode()), 512


def slack(told: Any, body: bytes) -> Sizes:
    yield "text", len(told["text"]), 40_000
    yield "blocks", len(told["blocks"]), 50
    yield "in all", len(json.dumps(told["blocks"], ensure_ascii=False)), 13_200
    for block in told["blocks"]:
        if block["type"] in ("header", "section"):
            yield block["type"], len(block["text"]["text"]), {"header": 150, "section": 3000}[block["type"]]


def discord(told: Any, body: bytes) -> Sizes:
    yield "content", len(told["content"]), 2000
    yield "embeds", len(told["embeds"]), 10
    total = 0
    for embed in told["embeds"]:
        footer = embed.get("footer", {}).get("text", "")
        yield "title", len(embed.get("title", "")), 256
        yield "description", len(embed.get("description", "")), 4096
        yield "footer", len(footer), 2048
        total += len(embed.get("title", "")) + len(embed.get("description", "")) + len(footer)
    yield "in all", total, 6000


def whole(limit: int) -> Callable[[Any, bytes], Sizes]:
    def measure(told: Any, body: bytes) -> Sizes:
        yield "body", len(body), limit

    return measure


MEASURES: dict[str, Callable[[Any, bytes], Sizes]] = {
    "wecom": wecom,
    "dingtalk": whole(20_000),
    "feishu": whole(20 * 1024),
    "slack": slack,
    "discord": discord,
    "teams": whole(21_000),
    "generic": lambda told, body: iter(()),
}


def test_every_platform_is_measured() -> None:
    assert set(MEASURES) == set(POSTED)


# What an officer may write

LINK = "https://x.test/a_b/?c=d&e=f"
MARKS = (
    "<@all>",
    "@everyone",
    "<!channel>",
    "<at id=all></at>",
    "<at>所有人</at>",
    "[点我](http://e.test/x)",
    "<http://e.test/x|点我>",
    "![图](http://e.test/a.png)",
    "<img src=x>",
    "**粗**",
    "`码`",
    "~~划~~",
    "_斜_",
    "# ",
    "&#60;",
    '"\\',
)
SIGNS = (
    "甲",
    "𠮷",
    "e\u0301",
    "👨‍👩‍👧",
    "👩🏽",
    "🇨🇳",
    "。",
    "，",
    " ",
    "\n",
    "\r\n",
    "\u2028",
    "\x00",
    "\x1b[31m",
    "\t",
)
LONG = ("字" * 10_000, "a" * 10_000, "一句话。" * 900)
WRITTEN = st.lists(
    st.one_of(st.sampled_from((*MARKS, *SIGNS)), st.sampled_from(LONG), st.text(max_size=40)), max_size=8
).map("".join)


@pytest.mark.parametrize("platform", POSTED)
@settings(max_examples=12, deadline=None)
@given(body=WRITTEN)
def test_every_part_of_an_alert_is_within_the_limits_and_whole_in_itself(platform: str, body: str) -> None:
    group = group_on(platform, keyword="警方提醒")
    parts = CHANNELS.parts(replace(EXERCISE, body=body), group)
    for part in parts:
        told = post(part, group)
        over = [size for size in sizes(platform, told) if size[1] > size[2]]
        assert not over
        text = told.decode()
        assert "【演练】寻人：王某" in text
        assert FOOTER + "【演练】" in text
        assert ITEM.url in text
        assert len(parts) == 1 or f"（{part.part}/{part.parts}）" in text or platform == "generic"
        assert "警方提醒" in text or platform not in ("dingtalk", "feishu")
        assert "\\u00" not in text.replace("\\\\", "")


@pytest.mark.parametrize("platform", POSTED)
@settings(max_examples=12, deadline=None)
@given(title=WRITTEN, summary=WRITTEN, number=st.integers(1, 7))
def test_every_digest_that_fits_is_within_the_limits(
    platform: str, title: str, summary: str, number: int
) -> None:
    group = group_on(platform)
    item = replace(ITEM, title=title or "无题", summary=summary)
    for message in (
        replace(DIGEST, items=(item,) * number, title=title[:200] or "无题", footer=summary[:200]),
        replace(DIGEST, items=(replace(item, title=title[:40] or "无题", summary=summary[:120]),) * number),
    ):
        if CHANNELS.fits(message, group):
            over = [size for size in sizes(platform, post(message, group)) if size[1] > size[2]]
            assert not over


@pytest.mark.parametrize("platform", POSTED)
@settings(max_examples=8, deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(["甲", "e\u0301", "👨‍👩‍👧", "𠮷", "**要紧**", LINK, "。", "长" * 900]),
        min_size=1,
        max_size=40,
    )
)
def test_no_part_of_an_alert_is_torn_inside_a_sign_an_address_or_a_mark(
    platform: str, pieces: list[str]
) -> None:
    body = " ".join(pieces)
    parts = [part.body for part in CHANNELS.parts(replace(ALERT, body=body, items=()), group_on(platform))]
    assert "".join(parts) == body
    assert not [part for part in parts if part and joins(part[0], "")]
    for mark in (LINK, "**要紧**"):
        assert sum(part.count(mark) for part in parts) == body.count(mark)


# The sandbox's judgement


class Robots:
    """The sandbox's robot of one platform, posted to without a connection at noon."""

    def __init__(self, platform: str, group: Group) -> None:
        self.platform, self.group = STAND_INS[platform], group
        robot = Robot(
            platform=platform,
            key="taoyuan",
            name=group.name,
            secret=group.secret or "",
            keyword=group.keyword if platform in ("dingtalk", "feishu") else "",
        )
        self.exchange = Exchange([robot], store=None, admit_unknown=False, clock=lambda: NOON.timestamp())

    def take(self, message: Message, at: datetime = NOON) -> tuple[Received, Any]:
        """What the sandbox put down of the post, and what the channel makes of its answer."""
        request = channel_to(self.group).request(message, self.group, delivery_id=1, now=at)
        target = urlsplit(request.url)
        answer, _fault = self.exchange.receive(
            self.platform,
            self.platform.key_in(target) or "",
            {name.lower(): value for name, value in request.headers.items()},
            request.body,
            query=dict(parse_qsl(target.query)),
            reused=False,
        )
        said = outcome(self.group.platform, answer.status, answer.body.decode(), dict(answer.headers))
        return self.exchange.messages()[-1], said


@pytest.mark.parametrize("platform", POSTED)
@pytest.mark.parametrize(
    "message",
    [
        DIGEST,
        replace(DIGEST, items=(ITEM,) * 7),
        replace(DIGEST, items=(replace(ITEM, image="https://x.test/a.png"),) * 3),
        ALERT,
        replace(ALERT, items=()),
        replace(ALERT, body="", footer="", items=()),
        replace(ALERT, resent=True, part=2, parts=3),
    ],
    ids=["digest", "seven", "pictures", "alert", "no page", "bare", "second of three"],
)
def test_the_sandbox_takes_every_form_without_a_warning(platform: str, message: Message) -> None:
    received, said = Robots(platform, group_on(platform, keyword="警方提醒")).take(message)
    assert (received.seen, received.reason, received.warnings) == (True, "", ())
    assert isinstance(said, Sent)


@pytest.mark.parametrize("platform", ["dingtalk", "feishu", "generic"])
def test_a_signature_of_yesterday_does_not_deliver(platform: str) -> None:
    yesterday = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    received, said = Robots(platform, group_on(platform)).take(ALERT, at=yesterday)
    assert not received.seen
    assert not isinstance(said, Sent)
    assert isinstance(said, Rejected) == (platform == "generic")  # the others are signed anew, once


@pytest.mark.parametrize("platform", [name for name in POSTED if name != "generic"])
def test_the_fullest_part_has_room_to_be_marked_as_sent_again(platform: str) -> None:
    group = group_on(platform)

    def parts(length: int) -> tuple[Message, ...]:
        return CHANNELS.parts(replace(ALERT, body="囧" * length), group)

    fullest = bisect_left(range(20_000), 2, key=lambda length: len(parts(length))) - 1
    assert fullest > 100
    for length in (fullest, fullest + 1):
        for part in parts(length):
            assert CHANNELS.fits(replace(part, resent=True), group)


@pytest.mark.parametrize("platform", [name for name in POSTED if name != "generic"])
def test_what_looks_like_markup_is_drawn_as_it_was_written(platform: str) -> None:
    evil = "，".join(MARKS)
    robots = Robots(platform, group_on(platform))
    for message in (
        replace(ALERT, title=evil[:60], body="\n".join([evil, *MARKS]), footer=evil[:60], items=()),
        replace(DIGEST, items=(replace(ITEM, title=evil[:40], summary=evil),) * 2),
    ):
        received, _said = robots.take(message)
        assert received.seen
        drawn = "".join(str(piece.html or escape(piece.text)) for piece in pieces(received))
        # DingTalk calls whom the member "at" names; what follows an "@" in the text is only coloured by the sandbox.
        assert "at" not in json.loads(received.body) if platform == "dingtalk" else 'class="at"' not in drawn
        assert "<img" not in drawn
        assert ">点我<" not in drawn
        assert "<s>" not in drawn
        assert "<code>" not in drawn


@pytest.mark.parametrize("platform", [name for name in POSTED if name != "generic"])
def test_an_exercise_says_so_at_both_ends_of_what_the_group_reads(platform: str) -> None:
    group = group_on(platform)
    body = "集合地点：东门。" * 2000
    parts = CHANNELS.parts(replace(EXERCISE, body=body), group)
    assert len(parts) > 1
    robots = Robots(platform, group)
    for part in parts[:5]:
        received, _said = robots.take(part)
        shown = [p for p in pieces(received) if p.kind not in ("rule", "button", "source")]
        words = [re.sub(r"<[^<>]*>|[#>*\s]", "", said) for p in shown for said in (p.title, p.text) if said]
        assert words[0].startswith("【演练】")
        assert words[-1].endswith("【演练】")
