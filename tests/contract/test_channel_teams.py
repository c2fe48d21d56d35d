"""Teams' form and answers, as its contract has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chats import ALERT, DIGEST, GROUP, ITEM, NOON, channel_to, outcome, posted, same
from contract.replies.teams import REPLIES
from gengfu_scheduler.message import Message, Outcome
from robots import Chat

CHANNEL = replace(
    GROUP,
    platform="teams",
    webhook="https://prod-96.westeurope.logic.azure.com/workflows/0/paths/invoke?sig=s",
)


def card(message: Message) -> dict[str, Any]:
    (attachment,) = posted(message, CHANNEL)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content: dict[str, Any] = attachment["content"]
    return content


def run(text: str, **style: str | bool) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


FOOTER = run("桃园社区 李警官 0571-00000000", size="small", isSubtle=True)


@pytest.mark.parametrize(("status", "headers", "body", "expected"), REPLIES)
def test_teams_answers(status: int, headers: dict[str, str], body: str, expected: Outcome) -> None:
    found = outcome("teams", status, body, headers)
    assert same(found, expected), found


def test_a_digest_is_a_title_an_item_a_container_that_opens_its_page_and_the_footer() -> None:
    assert (card(DIGEST)["type"], card(DIGEST)["version"]) == ("AdaptiveCard", "1.4")
    assert card(DIGEST)["body"] == [
        run("每日警情提示", size="large", weight="bolder", color="default"),
        {
            "type": "Container",
            "separator": True,
            "selectAction": {"type": "Action.OpenUrl", "url": ITEM.url},
            "items": [run("刷单返利", weight="bolder", color="accent"), run("先给小钱，再骗大钱。")],
        },
        FOOTER,
    ]


def test_an_alert_is_a_title_a_line_a_block_a_button_and_the_footer() -> None:
    assert card(replace(ALERT, resent=True))["body"] == [
        run("【重发】寻人：王某", size="large", weight="bolder", color="attention"),
        run("72岁，身穿红色羽绒服"),
        run("看到请打110"),
        {
            "type": "ActionSet",
            "actions": [{"type": "Action.OpenUrl", "title": "查看详情与最新进展", "url": ITEM.url}],
        },
        FOOTER,
    ]


def test_an_alert_without_its_page_goes_without_the_button() -> None:
    assert "ActionSet" not in [block["type"] for block in card(replace(ALERT, items=()))["body"]]


def test_every_word_stands_where_no_mark_is_known_and_nobody_is_mentioned() -> None:
    evil = "<at>All</at> [here](http://evil.test) **b** {{DATE(2017-02-14T06:00:00Z)}}"
    message = replace(ALERT, title=evil, body=evil, footer=evil)
    texts = [b for b in card(message)["body"] if b["type"] != "ActionSet"]
    assert [(b["type"], b["inlines"][0]["type"], b["inlines"][0]["text"]) for b in texts] == [
        ("RichTextBlock", "TextRun", evil)
    ] * 3
    assert card(message)["msteams"] == {"width": "Full"}


def test_its_pace_keeps_every_window_of_the_documented_limits() -> None:
    pace = channel_to(CHANNEL).pace
    assert pace is not None
    for seconds, limit in ((1, 4), (30, 60), (3600, 100), (7200, 150), (86400, 1800)):
        assert pace.burst + timedelta(seconds=seconds) // pace.every <= limit


@example(body="0\r0\r", times=49)
@settings(max_examples=40, deadline=None)
@given(body=st.text(max_size=300), times=st.integers(0, 60))
def test_each_part_is_taken_by_a_second_reading_of_the_contract(body: str, times: int) -> None:
    for part in channel_to(CHANNEL).parts(replace(ALERT, body=body * times), CHANNEL):
        chat = Chat("teams")
        request = channel_to(CHANNEL).request(part, CHANNEL, delivery_id=1, now=NOON)
        assert len(request.body) <= 20_000
        assert chat.post(request.body).status == 202
        assert chat.last.seen
        # Marks the platform does not know are shown as they were written, which is what an officer means.
        assert not [warning for warning in chat.last.warnings if "原样字符" not in warning]


@pytest.mark.parametrize("message", [DIGEST, ALERT])
def test_it_is_read_by_the_group_as_it_was_meant(message: Message) -> None:
    chat = Chat("teams")
    assert (
        chat.post(channel_to(CHANNEL).request(message, CHANNEL, delivery_id=1, now=NOON).body).status == 202
    )
    drawn = chat.drawn()
    assert drawn.index(message.title) < drawn.index("0571-00000000")
    assert (ITEM.url if message is DIGEST else "button: 查看详情与最新进展") in drawn
