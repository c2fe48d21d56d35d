"""DingTalk's forms, signature and answers, as its contract has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chats import ALERT, DIGEST, GROUP, ITEM, NOON, channel_to, outcome, posted, same
from contract.replies import dingtalk
from gengfu_scheduler.channels.dingtalk import signature
from gengfu_scheduler.message import Message, Outcome

WEBHOOK = "https://oapi.dingtalk.com/robot/send?access_token=aaaa"
ROBOT = replace(GROUP, platform="dingtalk", webhook=WEBHOOK)
STRICT = replace(ROBOT, keyword="警方提醒")
PICTURED = replace(DIGEST, items=(replace(ITEM, image="https://x.test/a.jpg"),) * 2)


@pytest.mark.parametrize(("status", "body", "expected"), dingtalk.REPLIES)
def test_answers(status: int, body: str, expected: Outcome) -> None:
    found = outcome("dingtalk", status, body)
    assert same(found, expected), found


def test_a_digest_is_markdown_of_title_linked_items_and_footer() -> None:
    assert posted(DIGEST, ROBOT) == {
        "msgtype": "markdown",
        "markdown": {
            "title": "每日警情提示",
            "text": "### 每日警情提示\n"
            "\n"
            f"#### [刷单返利]({ITEM.url})\n"
            "\n"
            "先给小钱，再骗大钱。\n"
            "\n"
            "> 桃园社区 李警官 0571-00000000",
        },
    }


def test_a_digest_whose_items_all_have_pictures_is_a_feed_card() -> None:
    assert posted(PICTURED, ROBOT) == {
        "msgtype": "feedCard",
        "feedCard": {
            "links": [
                {
                    "title": "每日警情提示｜刷单返利",
                    "messageURL": ITEM.url,
                    "picURL": "https://x.test/a.jpg",
                },
                {"title": "刷单返利", "messageURL": ITEM.url, "picURL": "https://x.test/a.jpg"},
                {
                    "title": "桃园社区 李警官 0571-00000000",
                    "messageURL": "https://x.test/",
                    "picURL": "https://x.test/a.jpg",
                },
            ]
        },
    }


def test_one_item_without_a_picture_makes_it_markdown() -> None:
    items = (*PICTURED.items, ITEM)
    assert posted(replace(PICTURED, items=items), ROBOT)["msgtype"] == "markdown"


def test_an_alert_is_an_action_card_with_one_button_to_its_page() -> None:
    assert posted(replace(ALERT, resent=True), ROBOT) == {
        "msgtype": "actionCard",
        "actionCard": {
            "title": "【重发】寻人：王某",
            "text": "## 【重发】寻人：王某\n"
            "\n"
            "72岁，身穿红色羽绒服  \n"
            "看到请打110  \n"
            "\n"
            "> 桃园社区 李警官 0571-00000000",
            "singleTitle": "查看详情与最新进展",
            "singleURL": ITEM.url,
        },
    }


def test_an_alert_without_its_page_has_no_button() -> None:
    told = posted(replace(ALERT, items=()), ROBOT)
    assert told["msgtype"] == "markdown"
    assert told["markdown"]["text"].endswith("0571-00000000")


def text_of(told: dict[str, Any]) -> str:
    found: str = told[told["msgtype"]]["text"]
    return found


@pytest.mark.parametrize("message", [DIGEST, PICTURED, ALERT, replace(ALERT, items=())])
def test_a_message_without_the_robots_keyword_is_given_it_before_the_footer(message: Message) -> None:
    lines = text_of(posted(message, STRICT)).splitlines()
    assert lines[-3:] == ["警方提醒", "", "> 桃园社区 李警官 0571-00000000"]


@pytest.mark.parametrize(
    ("message", "keyword"),
    [(DIGEST, "警情"), (DIGEST, "小钱"), (DIGEST, "李警官"), (ALERT, "寻人"), (ALERT, "110")],
)
def test_a_keyword_that_the_group_reads_anyway_is_not_repeated(message: Message, keyword: str) -> None:
    assert posted(message, replace(ROBOT, keyword=keyword)) == posted(message, ROBOT)


def test_a_keyword_that_only_a_summary_holds_forbids_the_feed_card() -> None:
    assert posted(PICTURED, replace(ROBOT, keyword="刷单"))["msgtype"] == "feedCard"
    assert posted(PICTURED, replace(ROBOT, keyword="小钱"))["msgtype"] == "markdown"


def test_nothing_an_officer_writes_is_markup() -> None:
    evil = "![图](http://e.test/x) [链](http://e.test) <font> **粗** `码`"
    text = text_of(posted(replace(ALERT, title=evil, body=evil, footer=evil), ROBOT))
    assert not set("![]<*`").intersection(text) - {"!"}
    assert "http://e.test" in text


def test_an_address_in_an_alert_stays_whole() -> None:
    body = "上 https://x.test/a_b_c/?x=1&y=~z#k 查"
    assert body in text_of(posted(replace(ALERT, body=body), ROBOT))


def test_the_signature_is_that_of_the_contract_sheet() -> None:
    """A vector computed apart from this code; DingTalk publishes none."""
    assert (
        signature("this is secret", "1599360473000") == "hXZTWifRGHclNuZSKxoXc%2F%2Fsh51SWfVfRIhcdeKs63I%3D"
    )


def test_each_try_is_signed_anew_in_the_query_and_never_in_the_address() -> None:
    group = replace(ROBOT, secret="SEC1")
    first = channel_to(group).request(ALERT, group, delivery_id=1, now=NOON)
    query = parse_qs(urlsplit(first.url).query)
    assert query["access_token"] == ["aaaa"]
    assert query["timestamp"] == [str(int(NOON.timestamp() * 1000))]
    assert first.url.endswith("&sign=" + signature("SEC1", query["timestamp"][0]))
    assert group.webhook == WEBHOOK
    again = channel_to(group).request(ALERT, group, delivery_id=1, now=NOON.replace(minute=1))
    assert again.url != first.url
    assert again.url.count("sign=") == again.url.count("timestamp=") == 1
