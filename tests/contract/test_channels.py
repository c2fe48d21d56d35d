"""Each platform's form and answers, as its contract has them, and what every channel holds."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chats import ALERT, CHANNELS, DIGEST, GROUP, ITEM, NOON, channel_to, outcome, posted, same
from contract.replies import generic
from gengfu_scheduler.channels import KNOWN_HOSTS, PLATFORMS, NoSuchChannel
from gengfu_scheduler.channels.channel import cut
from gengfu_scheduler.channels.console import Console
from gengfu_scheduler.channels.generic import signature
from gengfu_scheduler.channels.hand import TaskPages
from gengfu_scheduler.channels.text import CannotRender, Templates
from gengfu_scheduler.message import (
    Handed,
    Message,
    Outcome,
    Sent,
)

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


# The registry


def test_every_platform_is_found_by_its_name_and_hand_needs_none() -> None:
    assert [CHANNELS.to(replace(GROUP, platform=name)).name for name in PLATFORMS] == list(PLATFORMS)
    assert CHANNELS.to(replace(GROUP, reach="hand", platform="")).name == "hand"


def test_an_unknown_platform_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(NoSuchChannel, match=r"wecom$"):
        CHANNELS.to(replace(GROUP, platform="wecon"))


def test_only_the_platforms_own_hosts_are_known() -> None:
    assert {
        "qyapi.weixin.qq.com",
        "oapi.dingtalk.com",
        "open.feishu.cn",
        "open.larksuite.com",
        "hooks.slack.com",
        "discord.com",
        "discordapp.com",
        ".logic.azure.com",
        ".environment.api.powerplatform.com",
    } == KNOWN_HOSTS


@pytest.mark.parametrize("platform", [p for p in PLATFORMS if p not in ("console", "apprise")])
@pytest.mark.parametrize("message", [DIGEST, ALERT])
def test_a_post_holds_raw_characters_and_marks_a_second_sending(platform: str, message: Message) -> None:
    group = replace(GROUP, platform=platform)
    channel = channel_to(group)
    once = channel.request(message, group, delivery_id=7, now=NOON)
    again = channel.request(replace(message, resent=True), group, delivery_id=7, now=NOON)
    assert once.key == 7
    assert once.url.startswith(group.webhook or "-")
    assert message.title.encode() in once.body
    assert once.body != again.body
    with pytest.raises(CannotRender, match="G1"):
        channel.request(message, replace(group, webhook=None), delivery_id=7, now=NOON)


# What all share


@pytest.mark.parametrize(
    ("text", "size", "kept"),
    [
        ("先核实", 9, "先核实"),
        ("先核实再转", 9, "先核…"),
        ("先核实再转", 11, "先核…"),
        ("a👨‍👩‍👧bcdefgh", 12, "a…"),  # a family is one sign
        ("ae\u0301e\u0301e\u0301", 7, "ae\u0301…"),
        ("好的 。好的", 10, "好的…"),
    ],
)
def test_text_is_cut_between_signs(text: str, size: int, kept: str) -> None:
    assert cut(text, size) == kept
    assert len(kept.encode()) <= size


# Standard Webhooks

RECEIVER = replace(GROUP, platform="generic", webhook="https://bot.example/hook", secret=SECRET)


@pytest.mark.parametrize(("status", "headers", "body", "expected"), generic.REPLIES)
def test_generic_answers(status: int, headers: dict[str, str], body: str, expected: Outcome) -> None:
    found = outcome("generic", status, body, headers)
    assert same(found, expected), found


def headers_of(message: Message, *, delivery: int = 1, at: datetime = NOON) -> tuple[dict[str, str], bytes]:
    channel = channel_to(RECEIVER)
    request = channel.request(message, RECEIVER, delivery_id=delivery, now=at)
    return dict(request.headers), request.body


def test_signatures_are_those_of_the_reference_libraries() -> None:
    """Key, message and signature that the specification's own libraries are tested with."""
    assert (
        signature(
            base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp="1614265330",
            body=b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_a_receiver_can_verify_who_sent_it() -> None:
    headers, body = headers_of(DIGEST)
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    assert headers["webhook-signature"] == signature(
        b"0123456789abcdef0123456789abcdef",
        id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        body=body,
    )


def test_a_second_try_has_the_same_id_and_another_delivery_another() -> None:
    first, _body = headers_of(ALERT)
    again, _body = headers_of(replace(ALERT, resent=True), at=NOON + timedelta(minutes=5))
    other, _body = headers_of(ALERT, delivery=2)
    assert first["webhook-id"] == again["webhook-id"] != other["webhook-id"]
    assert "." not in first["webhook-id"]
    assert first["webhook-timestamp"] != again["webhook-timestamp"]


def test_the_payload_is_the_message_and_says_what_it_is() -> None:
    event = posted(ALERT, RECEIVER)
    assert (event["type"], event["timestamp"]) == ("group.alert", "2026-11-21T12:00:00+00:00")
    assert event["data"]["group"] == "G1"
    assert event["data"]["items"][0]["url"] == ITEM.url


def test_a_secret_that_is_none_is_refused_without_being_shown() -> None:
    with pytest.raises(CannotRender) as caught:
        posted(DIGEST, replace(RECEIVER, secret="hunter2hunter2"))
    assert "hunter2" not in str(caught.value)
    assert (
        "webhook-signature"
        not in channel_to(RECEIVER)
        .request(DIGEST, replace(RECEIVER, secret=None), delivery_id=1, now=NOON)
        .headers
    )


# Console and hand


def test_the_console_shows_the_group_and_the_whole_text() -> None:
    stream = io.StringIO()
    assert Console(Templates(), stream).deliver(DIGEST, GROUP) == Sent(confirmed=True)
    assert stream.getvalue() == (
        "──── 桃园一号群（G1） ────\n"
        "【每日警情提示】\n\n"
        "1. 刷单返利\n先给小钱，再骗大钱。\nhttps://x.test/fraud/shuadan/\n\n"
        "桃园社区 李警官 0571-00000000\n"
    )


def test_a_title_that_has_its_brackets_gets_no_second_pair() -> None:
    stream = io.StringIO()
    Console(Templates(), stream).deliver(replace(ALERT, title="【走失】寻人"), GROUP)
    assert stream.getvalue().splitlines()[1:3] == ["【走失】寻人", "72岁，身穿红色羽绒服"]


def test_by_hand_lies_with_the_owner() -> None:
    hand = CHANNELS.to(replace(GROUP, reach="hand"))
    assert hand.deliver(DIGEST, replace(GROUP, owner="王姐")) == Handed(to="王姐")  # type: ignore[union-attr]


def test_a_task_pages_address_is_its_own_cannot_be_guessed_and_stays() -> None:
    pages = TaskPages(desk="http://10.1.2.3:8790/", key=b"k" * 32)
    one = pages.address(7, "alert:F:1", "王姐")
    assert re.fullmatch(r"http://10\.1\.2\.3:8790/t/7-[\w-]{22}", one)
    assert one == TaskPages(desk="http://10.1.2.3:8790/", key=b"k" * 32).address(7, "alert:F:1", "王姐")
    others = (
        pages.token(7, "alert:F:1", "李哥"),
        pages.token(7, "alert:F:2", "王姐"),
        replace(pages, key=b"K" * 32).token(7, "alert:F:1", "王姐"),
    )
    assert len({one.rpartition("/")[2], *others}) == 4
    assert "kkk" not in repr(pages)
