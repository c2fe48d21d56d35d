"""Slack's form and answers, as its contract has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats import ALERT, DIGEST, GROUP, ITEM, NOON, channel_to, outcome, posted, same
from contract.replies.slack import REPLIES
from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.message import Message, Outcome
from robots import Chat

CHANNEL = replace(
    GROUP, platform="slack", webhook="https://hooks.slack.com/services/T0000/B0000/XXXXXXXXXXXX"
)


def blocks(message: Message) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = posted(message, CHANNEL)["blocks"]
    return found


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def link(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


@pytest.mark.parametrize(("status", "headers", "body", "expected"), REPLIES)
def test_slack_answers(status: int, headers: dict[str, str], body: str, expected: Outcome) -> None:
    found = outcome("slack", status, body, headers)
    assert same(found, expected), found


def test_a_digest_is_a_header_an_item_a_section_and_the_footer() -> None:
    second = replace(ITEM, title="冒充客服", summary="", url="https://x.test/b/")
    assert blocks(replace(DIGEST, items=(ITEM, second))) == [
        {"type": "header", "text": plain("每日警情提示")},
        link("*<https://x.test/fraud/shuadan/|刷单返利>*\n先给小钱，再骗大钱。"),
        link("*<https://x.test/b/|冒充客服>*"),
        {"type": "context", "elements": [plain("桃园社区 李警官 0571-00000000")]},
    ]


def test_an_alert_is_a_header_its_text_a_link_and_the_footer() -> None:
    assert blocks(replace(ALERT, resent=True)) == [
        {"type": "header", "text": plain("【重发】寻人：王某")},
        {"type": "section", "text": plain("72岁，身穿红色羽绒服\n看到请打110")},
        link(f"*<{ITEM.url}|查看详情与最新进展>*"),
        {"type": "context", "elements": [plain("桃园社区 李警官 0571-00000000")]},
    ]


def test_an_alert_without_its_page_goes_without_the_link() -> None:
    assert [b["type"] for b in blocks(replace(ALERT, items=()))] == ["header", "section", "context"]


def test_what_notifications_and_screen_readers_say_is_the_whole_text() -> None:
    text = posted(ALERT, CHANNEL)["text"]
    assert text.splitlines() == [
        "【寻人：王某】",
        "72岁，身穿红色羽绒服",
        "看到请打110",
        ITEM.url,
        "",
        "桃园社区 李警官 0571-00000000",
    ]


EVIL = "<!channel> <@U123> <http://evil.test|here> *b* _i_ ~s~ `c` & > q"


@pytest.mark.parametrize(
    "message",
    [
        replace(ALERT, title=EVIL, body=f"> {EVIL}\n{EVIL}", footer=EVIL),
        replace(DIGEST, title=EVIL, footer=EVIL, items=(replace(ITEM, title=EVIL, summary=f"> {EVIL}"),)),
    ],
)
def test_nothing_an_officer_writes_becomes_a_mention_a_link_or_a_mark(message: Message) -> None:
    payload = posted(message, CHANNEL)
    told = [payload["text"], *(_texts(block) for block in payload["blocks"])]
    assert not any("<!" in text or "<@" in text for text in told)
    marked = [block["text"]["text"] for block in blocks(message) if _is_marked(block)]
    for text in marked:
        assert text.count("<") == text.count(">") == text.count("|") == 1  # our own link
        assert text.count("*") == 2  # our own bold
        assert not any(mark in text for mark in "_~`")
        assert "\n>" not in text
        assert "\n&gt;" not in text


def _texts(block: dict[str, Any]) -> str:
    return "\n".join(e["text"] for e in (block.get("elements") or [block["text"]]))


def _is_marked(block: dict[str, Any]) -> bool:
    return bool(block["type"] == "section" and block["text"]["type"] == "mrkdwn")


def test_an_address_can_neither_end_its_link_nor_be_read_as_an_entity() -> None:
    (section,) = (
        b
        for b in blocks(replace(ALERT, items=(replace(ITEM, url="https://x.test/?a=1&b=|"),)))
        if _is_marked(b)
    )
    assert section["text"]["text"] == "*<https://x.test/?a=1&amp;b=%7C|查看详情与最新进展>*"


def test_a_long_text_is_dealt_out_to_sections_by_whole_lines() -> None:
    sections = [
        b for b in blocks(replace(ALERT, body="\n".join(["桃" * 1000] * 4))) if b["type"] == "section"
    ]
    assert [s["text"]["text"].count("桃") for s in sections[:-1]] == [2000, 2000]


def test_a_line_that_no_section_holds_makes_parts() -> None:
    body = "先核实，再转账。" * 500
    parts = channel_to(CHANNEL).parts(replace(ALERT, body=body), CHANNEL)
    assert len(parts) == 2
    assert "".join(part.body for part in parts) == body
    with pytest.raises(CannotRender, match="最多 3000"):
        posted(replace(ALERT, body=body), CHANNEL)


@settings(max_examples=40, deadline=None)
@given(body=st.text(max_size=300), times=st.integers(0, 60))
def test_each_part_is_taken_by_a_second_reading_of_the_contract(body: str, times: int) -> None:
    for part in channel_to(CHANNEL).parts(replace(ALERT, body=body * times), CHANNEL):
        chat = Chat("slack")
        request = channel_to(CHANNEL).request(part, CHANNEL, delivery_id=1, now=NOON)
        assert chat.post(request.body).body == b"ok"
        # Marks the platform does not know are shown as they were written, which is what an officer means.
        assert not [warning for warning in chat.last.warnings if "原样字符" not in warning]


def test_a_digest_is_read_by_the_group_as_it_was_meant() -> None:
    chat = Chat("slack")
    assert chat.post(channel_to(CHANNEL).request(DIGEST, CHANNEL, delivery_id=1, now=NOON).body).body == b"ok"
    drawn = chat.drawn()
    assert drawn.index("每日警情提示") < drawn.index("先给小钱") < drawn.index("0571-00000000")
    assert f'href="{ITEM.url}"' in drawn
