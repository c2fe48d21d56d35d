"""Discord's form and answers, as its contract has them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats import ALERT, DIGEST, GROUP, ITEM, NOON, channel_to, outcome, posted, same
from contract.replies.discord import REPLIES
from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.message import Message, Outcome
from robots import Chat

CHANNEL = replace(
    GROUP, platform="discord", webhook="https://discord.com/api/webhooks/1024113808583214005/token"
)
FOOTER = {"text": "桃园社区 李警官 0571-00000000"}


@pytest.mark.parametrize(("status", "headers", "body", "expected"), REPLIES)
def test_discord_answers(status: int, headers: dict[str, str], body: str, expected: Outcome) -> None:
    found = outcome("discord", status, body, headers)
    assert same(found, expected), found


def test_a_digest_is_its_title_and_an_embed_an_item_with_the_footer_in_the_last() -> None:
    second = replace(ITEM, title="冒充客服", image="https://x.test/a.png")
    assert posted(replace(DIGEST, items=(ITEM, second)), CHANNEL) == {
        "content": "**每日警情提示**",
        "embeds": [
            {"title": "刷单返利", "url": ITEM.url, "description": "先给小钱，再骗大钱。"},
            {
                "title": "冒充客服",
                "url": ITEM.url,
                "description": "先给小钱，再骗大钱。",
                "thumbnail": {"url": "https://x.test/a.png"},
                "footer": FOOTER,
            },
        ],
        "allowed_mentions": {"parse": []},
    }


def test_an_alert_is_its_title_and_one_embed_with_text_link_and_footer() -> None:
    assert posted(replace(ALERT, resent=True), CHANNEL) == {
        "content": "**【重发】寻人：王某**",
        "embeds": [
            {
                "description": f"72岁，身穿红色羽绒服\n看到请打110\n\n**[查看详情与最新进展]({ITEM.url})**",
                "color": 0xC0392B,
                "footer": FOOTER,
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def test_an_alert_without_page_and_text_still_ends_with_the_footer() -> None:
    assert posted(replace(ALERT, items=(), body=""), CHANNEL)["embeds"] == [{"footer": FOOTER}]


@pytest.mark.parametrize(
    ("stored", "posted_to"),
    [
        ("https://discord.com/api/webhooks/1/t", "https://discord.com/api/webhooks/1/t?wait=true"),
        ("https://discord.com/api/webhooks/1/t?", "https://discord.com/api/webhooks/1/t?wait=true"),
        (
            "https://discord.com/api/webhooks/1/t?thread_id=7",
            "https://discord.com/api/webhooks/1/t?thread_id=7&wait=true",
        ),
        ("https://discord.com/api/webhooks/1/t?wait=false", "https://discord.com/api/webhooks/1/t?wait=true"),
    ],
)
def test_each_post_asks_to_be_told_what_became_of_it(stored: str, posted_to: str) -> None:
    group = replace(CHANNEL, webhook=stored)
    assert channel_to(group).request(DIGEST, group, delivery_id=1, now=NOON).url == posted_to


@pytest.mark.parametrize("form", ["digest", "alert"])
def test_nothing_an_officer_writes_becomes_a_mention_a_link_or_a_mark(form: str) -> None:
    evil = "@everyone <@1> <#2> [here](http://evil.test) *b* _i_ ~~s~~ `c` ||spoiler|| # h > q"
    item = replace(ITEM, title=evil, summary=f"> {evil}")
    message = (
        replace(DIGEST, title=evil, items=(item,))
        if form == "digest"
        else replace(ALERT, title=evil, body=f"> {evil}\n# {evil}")
    )
    payload = posted(message, CHANNEL)
    (embed,) = payload["embeds"]
    told = payload["content"] + embed.get("title", "") + embed["description"]
    assert payload["allowed_mentions"] == {"parse": []}
    assert "<" not in told
    assert ">" not in embed["description"]
    assert told.count("](") == (form == "alert")  # our own link
    assert not any(mark in told for mark in ("`", "_i_", "~~", "||", "# h", "[here]"))


def test_its_pace_keeps_the_rates_that_were_seen() -> None:
    pace = channel_to(CHANNEL).pace
    assert pace is not None
    for seconds, limit in ((2, 5), (60, 30)):
        assert pace.burst + timedelta(seconds=seconds) // pace.every <= limit


def test_an_address_cannot_end_its_link() -> None:
    item = replace(ITEM, url="https://x.test/a_(b)/")
    (embed,) = posted(replace(ALERT, items=(item,)), CHANNEL)["embeds"]
    assert "](https://x.test/a_%28b%29/)" in embed["description"]


def test_a_digest_of_eleven_items_is_refused_and_so_are_texts_over_6000_characters() -> None:
    with pytest.raises(CannotRender, match="11，最多 10"):
        posted(replace(DIGEST, items=(ITEM,) * 11), CHANNEL)
    with pytest.raises(CannotRender, match="最多 6000"):
        posted(replace(DIGEST, items=(replace(ITEM, summary="长" * 900),) * 7), CHANNEL)


@settings(max_examples=40, deadline=None)
@given(body=st.text(max_size=300), times=st.integers(0, 60))
def test_each_part_is_taken_by_a_second_reading_of_the_contract(body: str, times: int) -> None:
    for part in channel_to(CHANNEL).parts(replace(ALERT, body=body * times), CHANNEL):
        chat = Chat("discord")
        request = channel_to(CHANNEL).request(part, CHANNEL, delivery_id=1, now=NOON)
        answer = chat.post(request.body, more_query="wait=true")
        assert json.loads(answer.body)["id"]
        # Marks the platform does not know are shown as they were written, which is what an officer means.
        assert not [warning for warning in chat.last.warnings if "原样字符" not in warning]


@pytest.mark.parametrize("message", [DIGEST, ALERT])
def test_it_is_read_by_the_group_as_it_was_meant(message: Message) -> None:
    chat = Chat("discord")
    request = channel_to(CHANNEL).request(message, CHANNEL, delivery_id=1, now=NOON)
    assert chat.post(request.body, more_query="wait=true").status == 200
    drawn = chat.drawn()
    assert drawn.index(message.title) < drawn.index(f'href="{ITEM.url}"') < drawn.index("0571-00000000")
