"""Calls about tasks for customer groups, and what the platform's answers to them mean."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats import ALERT, DIGEST, GROUP, ITEM, NOON, channel_to, same
from contract.replies import wecom_customer as replies
from gengfu_scheduler.channels import wecom_customer as wecom
from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.channels.wecom_customer import App
from gengfu_scheduler.message import Message, Outcome

ASKED = replace(
    GROUP, reach="confirm", webhook=None, chat="wrOgQhDgAAMYQiS5", account="LiMing", owner="李警官"
)
APP = App(corp="ww0123456789", secret="app-secret")


def answer(status: int, body: str) -> Answer:
    return Answer(status=status, headers={}, body=body.encode())


def asked(message: Message) -> dict[str, Any]:
    return channel_to(ASKED).fitting(message, ASKED).payload


def text(message: Message) -> str:
    found: str = asked(message)["text"]["content"]
    return found


@pytest.mark.parametrize(("status", "body", "expected"), replies.CREATED)
def test_a_task_is_made_refused_or_nobody_can_say(status: int, body: str, expected: Outcome) -> None:
    found = channel_to(ASKED).outcome(answer(status, body))
    assert same(found, expected), found


@pytest.mark.parametrize(("status", "body", "expected"), replies.TOKENS)
def test_a_token_is_had_or_why_not(status: int, body: str, expected: str | Outcome) -> None:
    found = wecom.token_in(answer(status, body))
    assert found == expected or (not isinstance(found, str) and not isinstance(expected, str))
    if not isinstance(found, str) and not isinstance(expected, str):
        assert same(found, expected), found


def test_the_chats_that_a_task_was_made_without_are_named() -> None:
    assert wecom.left_out(answer(200, replies.LEFT_OUT)) == {"wrB"}
    refused = '{"errcode":60111,"errmsg":"userid not found","fail_list":["wrB"]}'
    assert [wecom.left_out(answer(200, body)) for body in (refused, "", "[]")] == [frozenset()] * 3


def test_results_name_who_was_sent_to_and_who_not_and_nobody_who_is_still_to_be_chosen() -> None:
    found = wecom.results_in(answer(200, replies.SENT))
    assert found
    assert (found.sent, set(found.refused), found.cursor) == ({"wrA"}, {"wrB", "wrC"}, "CURSOR")
    assert "上限" in found.refused["wrC"]
    nothing = wecom.results_in(answer(200, replies.NOTHING_YET))
    assert nothing
    assert (nothing.sent, nothing.refused, nothing.cursor) == (set(), {}, "")


@pytest.mark.parametrize(
    "body", ['{"errcode":41047,"errmsg":"invalid msgid"}', "", "[]", '{"errcode":-1}', "<html>"]
)
def test_an_answer_that_says_nothing_of_a_task_is_no_result(body: str) -> None:
    assert wecom.results_in(answer(200, body)) is None


@pytest.mark.parametrize(
    "sends", ["null", "{}", "[1]", '[{"chat_id":["wrA"],"status":1}]', '[{"chat_id":"wrA","status":[1]}]']
)
def test_results_of_another_shape_name_nobody(sends: str) -> None:
    found = wecom.results_in(answer(200, f'{{"errcode":0,"send_list":{sends},"next_cursor":7}}'))
    assert found
    assert (found.sent, found.refused, found.cursor) == (set(), {}, "")


@pytest.mark.parametrize(("code", "stale"), [(40014, True), (42001, True), (0, False), (60111, False)])
def test_a_token_that_is_not_valid_any_more_is_known_by_its_code(code: int, stale: bool) -> None:
    assert wecom.is_stale(answer(200, f'{{"errcode":{code}}}')) == stale


def test_calls_are_those_of_the_platforms_pages() -> None:
    calls = {
        "add_msg_template": wecom.create(asked(DIGEST), ["wrA", "wrB"]),
        "get_groupmsg_send_result": wecom.results("m1", "LiMing", "CURSOR"),
        "remind_groupmsg_send": wecom.remind("m1"),
        "cancel_groupmsg_send": wecom.cancel("m1"),
    }
    for name, call in calls.items():
        request = APP.request(call, "a token", 7)
        assert (
            request.url == f"https://qyapi.weixin.qq.com/cgi-bin/externalcontact/{name}?access_token=a+token"
        )
        assert (request.method, request.key) == ("POST", 7)
    bodies = {name: json.loads(APP.request(call, "t", 1).body) for name, call in calls.items()}
    made = bodies.pop("add_msg_template")
    assert (made["chat_type"], made["sender"], made["chat_id_list"]) == ("group", "LiMing", ["wrA", "wrB"])
    assert bodies == {
        "get_groupmsg_send_result": {"msgid": "m1", "userid": "LiMing", "limit": 1000, "cursor": "CURSOR"},
        "remind_groupmsg_send": {"msgid": "m1"},
        "cancel_groupmsg_send": {"msgid": "m1"},
    }
    assert "cursor" not in wecom.results("m1", "LiMing").body


def test_the_token_is_asked_for_with_the_apps_secret_which_nothing_shows() -> None:
    request = APP.token_request()
    assert request.method == "GET"
    address = urlsplit(request.url)
    assert address[:3] == ("https", "qyapi.weixin.qq.com", "/cgi-bin/gettoken")
    assert parse_qs(address.query) == {"corpid": [APP.corp], "corpsecret": [APP.secret]}
    assert "secret" not in repr(APP) + repr(request)


def test_the_app_comes_from_the_environment_whole_or_not_at_all() -> None:
    whole = {"GENGFU_WECOM_CORP_ID": "ww0123456789", "GENGFU_WECOM_SECRET": "app-secret"}
    assert wecom.app_in(whole) == APP
    here = wecom.app_in({**whole, "GENGFU_WECOM_API": "http://127.0.0.1:8780/"})
    assert here
    assert (here.host, urlsplit(here.token_request().url).netloc) == ("127.0.0.1", "127.0.0.1:8780")
    assert [wecom.app_in({name: value}) for name, value in whole.items()] == [None, None]


def test_one_article_is_a_text_with_its_page_as_a_card() -> None:
    with_picture = replace(ITEM, image="https://x.test/a.png")
    told = asked(replace(DIGEST, items=(with_picture,)))
    assert told["text"]["content"] == (
        "【每日警情提示】\n\n1. 刷单返利\n先给小钱，再骗大钱。\n\n桃园社区 李警官 0571-00000000"
    )
    assert told["attachments"] == [
        {
            "msgtype": "link",
            "link": {
                "title": "刷单返利",
                "desc": "先给小钱，再骗大钱。",
                "url": ITEM.url,
                "picurl": "https://x.test/a.png",
            },
        }
    ]


def test_several_articles_are_a_text_with_their_addresses() -> None:
    told = asked(replace(DIGEST, items=(ITEM, replace(ITEM, url="https://x.test/2/"))))
    assert "attachments" not in told
    assert ITEM.url in told["text"]["content"]
    assert "https://x.test/2/" in told["text"]["content"]


def test_a_digest_that_has_no_room_does_not_fit() -> None:
    many = replace(DIGEST, items=(replace(ITEM, summary="字" * 200),) * 7)
    assert not channel_to(ASKED).fits(many, ASKED)
    with pytest.raises(CannotRender, match="最多 4000"):
        asked(many)


def test_an_alert_is_its_text_with_its_page_as_a_card_and_marked_when_told_again() -> None:
    told = asked(replace(ALERT, resent=True))
    assert told["text"]["content"].startswith("【重发】寻人：王某\n72岁，身穿红色羽绒服\n看到请打110\n")
    assert told["attachments"][0]["link"] == {
        "title": "【重发】寻人：王某",
        "desc": "查看详情与最新进展",
        "url": ITEM.url,
    }


def test_an_alert_without_its_page_goes_without_the_card() -> None:
    assert "attachments" not in asked(replace(ALERT, items=(replace(ITEM, url=""),)))
    assert "attachments" not in asked(replace(ALERT, items=()))


@settings(max_examples=40)
@given(body=st.text(max_size=200), times=st.integers(0, 60), title=st.text(max_size=200))
def test_an_alert_is_always_one_message_that_fits_with_its_end_and_its_card(
    body: str, times: int, title: str
) -> None:
    alert = replace(ALERT, body=body * times, title=title)
    (part,) = channel_to(ASKED).parts(alert, ASKED)
    told = asked(part)
    assert len(told["text"]["content"].encode()) <= 4000
    assert told["text"]["content"].endswith("桃园社区 李警官 0571-00000000")
    (card,) = told["attachments"]
    assert len(card["link"]["title"].encode()) <= 128
    assert len(card["link"]["desc"].encode()) <= 512


def test_a_cut_alert_keeps_its_beginning_and_shows_that_it_was_cut() -> None:
    told = text(replace(ALERT, body="警情经过。" * 1000))
    assert 3900 < len(told.encode()) <= 4000
    assert re.search(r"警情经过。警?情?经?过?…\n\n桃园社区", told)


def test_nothing_is_posted_past_the_owner() -> None:
    with pytest.raises(CannotRender, match="G1 由群主在企业微信里确认"):
        channel_to(ASKED).request(DIGEST, ASKED, delivery_id=1, now=NOON)
