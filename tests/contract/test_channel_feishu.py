"""Feishu's and Lark's cards, signature and answers, as their contract has them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chats import ALERT, DIGEST, GROUP, ITEM, NOON, channel_to, outcome, posted, same
from contract.replies import feishu
from gengfu_scheduler.channels.feishu import Feishu, signature
from gengfu_scheduler.message import Message, Outcome

BOT = replace(GROUP, platform="feishu", webhook="https://open.feishu.cn/open-apis/bot/v2/hook/aaaa")
FOOTER = [
    {"tag": "hr"},
    {"tag": "note", "elements": [{"tag": "plain_text", "content": "桃园社区 李警官 0571-00000000"}]},
]


@pytest.mark.parametrize(("status", "headers", "body", "expected"), feishu.REPLIES)
def test_answers(status: int, headers: dict[str, str], body: str, expected: Outcome) -> None:
    found = outcome("feishu", status, body, headers)
    assert same(found, expected), found


def elements(message: Message, keyword: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = posted(message, replace(BOT, keyword=keyword))["card"]["elements"]
    return found


def test_a_digest_is_a_card_of_title_linked_items_and_footer() -> None:
    second = replace(ITEM, title="冒充客服")
    assert posted(replace(DIGEST, items=(ITEM, second)), BOT) == {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {"title": {"tag": "plain_text", "content": "每日警情提示"}, "template": "blue"},
            "elements": [
                {
                    "tag": "markdown",
                    "content": f"**[刷单返利]({ITEM.url})**\n先给小钱，再骗大钱。\n\n"
                    f"**[冒充客服]({ITEM.url})**\n先给小钱，再骗大钱。",
                },
                *FOOTER,
            ],
        },
    }


def test_an_alert_is_a_red_card_with_its_text_a_button_and_the_footer() -> None:
    assert posted(replace(ALERT, resent=True), BOT)["card"] == {
        "config": {"wide_screen_mode": True},
        "header": {"title": {"tag": "plain_text", "content": "【重发】寻人：王某"}, "template": "red"},
        "elements": [
            {
                "tag": "div",
                "text": {"tag": "plain_text", "content": "72岁，身穿红色羽绒服\n看到请打110"},
            },
            {
                "tag": "action",
                "actions": [
                    {
                        "tag": "button",
                        "text": {"tag": "plain_text", "content": "查看详情与最新进展"},
                        "type": "danger",
                        "url": ITEM.url,
                    }
                ],
            },
            *FOOTER,
        ],
    }


def test_an_alert_without_its_page_has_no_button() -> None:
    assert [element["tag"] for element in elements(replace(ALERT, items=()))] == ["div", "hr", "note"]


@pytest.mark.parametrize("message", [DIGEST, ALERT])
def test_a_message_without_the_bots_keyword_is_given_it_before_the_footer(message: Message) -> None:
    told = elements(message, "警方提醒")
    assert told[-3:] == [{"tag": "div", "text": {"tag": "plain_text", "content": "警方提醒"}}, *FOOTER]
    assert elements(message, "李警官") == elements(message)


def test_nothing_an_officer_writes_is_markup() -> None:
    evil = '<at id=all></at> [链](http://e.test) ![图](k) **粗** <font color="red">'
    item = replace(ITEM, title=evil, summary=evil)
    [content] = [
        e["content"] for e in elements(replace(DIGEST, items=(item,), footer=evil)) if e["tag"] == "markdown"
    ]
    assert "<" not in content
    assert content.count("[") == content.count("](") == 1
    plain = [e for e in elements(replace(ALERT, body=evil, footer=evil)) if e["tag"] in ("div", "note")]
    assert "lark_md" not in json.dumps(plain)
    assert "markdown" not in json.dumps(plain)


def test_the_signature_is_that_of_the_contract_sheet() -> None:
    """A vector computed apart from this code; Feishu publishes none."""
    assert signature("this is secret", "1599360473") == "/eYKrXQBzTjUZJ3s6NX16VxGbTwmK7AEs8/FnvC1CSw="


def test_each_try_is_signed_anew_in_the_body() -> None:
    group = replace(BOT, secret="S1")
    channel = channel_to(group)
    times = (NOON, NOON + timedelta(minutes=1))
    first, again = (
        json.loads(channel.request(ALERT, group, delivery_id=1, now=at).body)["sign"] for at in times
    )
    assert first == signature("S1", str(int(NOON.timestamp())))
    assert first != again
    assert "sign" not in posted(ALERT, BOT)


def test_lark_is_feishu_abroad() -> None:
    assert Feishu.hosts == {"open.feishu.cn", "open.larksuite.com"}


def test_the_pace_keeps_both_of_the_bots_limits() -> None:
    pace = Feishu.pace
    assert pace is not None
    assert pace.burst + timedelta(seconds=1) / pace.every <= 5
    assert pace.burst + timedelta(minutes=1) / pace.every <= 100
