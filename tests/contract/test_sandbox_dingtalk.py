"""The sandbox holds senders to what DingTalk documents of its custom robot."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.sandbox.platforms.dingtalk import ERRORS
from robots import Chat, tags

URL = "https://example.org/a/7F3K2"
PICTURE = "https://example.org/a.png"


def text(content: Any, **more: Any) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": content}, **more}


def link(**more: Any) -> dict[str, Any]:
    return {"msgtype": "link", "link": {"title": "寻人", "text": "七岁女孩", "messageUrl": URL, **more}}


def markdown(source: Any, **more: Any) -> dict[str, Any]:
    return {"msgtype": "markdown", "markdown": {"title": "寻人", "text": source}, **more}


def card(**more: Any) -> dict[str, Any]:
    return {"msgtype": "actionCard", "actionCard": {"title": "寻人", "text": "**七岁**", **more}}


def single(**more: Any) -> dict[str, Any]:
    return card(singleTitle="看全文", singleURL=URL, **more)


def feed(*links: Any) -> dict[str, Any]:
    return {"msgtype": "feedCard", "feedCard": {"links": list(links)}}


ROW = {"title": "刷单返利", "messageURL": URL, "picURL": PICTURE}
BUTTON = {"title": "看全文", "actionURL": URL}


def code(answer: Any) -> int:
    assert answer.status == 200
    return int(json.loads(answer.body)["errcode"])


@pytest.mark.parametrize(
    "payload",
    [
        text("你好"),
        text("@13800000000 请看", at={"atMobiles": ["13800000000"], "atUserIds": [], "isAtAll": False}),
        link(),
        link(picUrl=PICTURE),
        markdown(
            "# 一\n\n> 引用\n\n- **二**\n- *三*\n\n1. [四](https://example.org)\n\n![](https://example.org/a.png)"
        ),
        markdown('<font color="#ff0000">急</font>  \n下一行'),
        markdown("@13800000000 请看", at={"atMobiles": ["13800000000"]}),
        single(),
        card(btns=[BUTTON, BUTTON], btnOrientation="1"),
        feed(ROW, ROW),
    ],
    ids=lambda payload: str(payload["msgtype"]),
)
def test_a_message_within_the_contract_is_taken_without_a_warning(payload: dict[str, Any]) -> None:
    chat = Chat("dingtalk")
    assert json.loads(chat.post(payload).body) == {"errcode": 0, "errmsg": "ok"}
    assert (chat.last.seen, chat.last.warnings) == (True, ())


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"no json", 40035),
        (b"[1]", 40035),
        (b'{"msgtype": "text", "text": {"content": "\xc4\xe3"}}', 40035),
        ({}, 400105),
        ({"msgtype": "news"}, 400105),
        ({"msgtype": "text"}, 400402),
        (text(""), 400402),
        (text(7), 400402),
        (text("a", at=[]), 400402),
        (text("a", at={"atMobiles": "13800000000"}), 400402),
        (text("a", at={"isAtAll": "true"}), 400402),
        (text("好" * 6700), 460101),
        (link(title=""), 400402),
        (link(text=None), 400402),
        (link(messageUrl=""), 400402),
        ({"msgtype": "markdown", "markdown": {"text": "没有标题"}}, 400402),
        (markdown(""), 400402),
        (card(), 400402),
        (card(btns=[]), 400402),
        (card(btns=[{"title": "没有网址"}]), 400402),
        (card(singleTitle="没有网址"), 400402),
        (card(btns=[BUTTON], btnOrientation=1), 400402),
        (feed(), 400402),
        (feed(ROW | {"picURL": ""}), 400402),
        (feed({"title": "没有网址"}), 400402),
    ],
)
def test_a_message_outside_the_contract_is_refused_by_code_with_http_200(payload: Any, expected: int) -> None:
    chat = Chat("dingtalk")
    assert code(chat.post(payload)) == expected
    assert not chat.last.seen
    assert chat.last.reason


@pytest.mark.parametrize(
    ("payload", "warning"),
    [
        (markdown("|a|b|\n\n|---|---|"), "不支持表格"),
        (markdown("```\n\ncode\n\n```"), "不支持代码块"),
        (markdown("`code`"), "不支持行内代码"),
        (markdown("~~旧~~"), "不支持删除线"),
        (markdown('<font color="red">急</font>'), "字色"),
        (markdown("一<br>二"), "HTML 标签"),
        (markdown("第一行\n第二行"), "两行会连成一行"),
        (markdown("请看", at={"atMobiles": ["13800000000"]}), "13800000000 没有写在正文里"),
        (single(at={"isAtAll": True}), "不认识字段 at"),
        (single() | {"at": {"isAtAll": True}}, "不能 @ 人"),
        (single(btns=[BUTTON]), "btns 无效"),
        (link(messageUrl="/a/7F3K2"), "点不开"),
        (feed(ROW | {"messageURL": "example.org"}), "点不开"),
        (feed(ROW | {"picUrl": PICTURE}), "不认识字段 picUrl"),
    ],
)
def test_what_a_group_would_see_otherwise_is_taken_with_a_warning(payload: Any, warning: str) -> None:
    chat = Chat("dingtalk")
    assert code(chat.post(payload)) == 0
    assert [one for one in chat.last.warnings if warning in one] == list(chat.last.warnings) != []


def test_another_content_type_and_an_unknown_token_are_refused() -> None:
    chat = Chat("dingtalk")
    assert code(chat.post(text("a"), content_type="text/plain")) == 43004
    assert code(chat.post(text("a"), key="gone")) == 400101


def test_the_whole_body_may_have_twenty_thousand_bytes() -> None:
    chat = Chat("dingtalk")
    frame = len(json.dumps(text("")).encode())
    assert code(chat.post(text("a" * (20_000 - frame)))) == 0
    assert json.loads(chat.post(text("a" * (20_001 - frame))).body) == {
        "errcode": 460101,
        "errmsg": "message too long, exceed 20000 bytes",
    }


# Computed apart from this code, with openssl: no recorded request of the platform's own is public.
STAMP, SECRET, SIGN = 1599360473000, "this is secret", "hXZTWifRGHclNuZSKxoXc//sh51SWfVfRIhcdeKs63I="


@pytest.mark.parametrize(
    ("late", "query", "text_of_refusal"),
    [
        (0, f"timestamp={STAMP}&sign={quote(SIGN, safe='')}", ""),
        (3600, f"timestamp={STAMP}&sign={quote(SIGN, safe='')}", ""),
        (-3600, f"timestamp={STAMP}&sign={quote(SIGN, safe='')}", ""),
        (3601, f"timestamp={STAMP}&sign={quote(SIGN, safe='')}", "invalid timestamp, more: ["),
        (-3601, f"timestamp={STAMP}&sign={quote(SIGN, safe='')}", "invalid timestamp, more: ["),
        (0, f"timestamp={STAMP // 1000}&sign={quote(SIGN, safe='')}", "invalid timestamp, more: ["),
        (0, f"timestamp={STAMP + 1}&sign={quote(SIGN, safe='')}", "sign not match, more: ["),
        (0, f"timestamp={STAMP}", "sign not match, more: ["),
        (0, "", "sign not match, more: ["),
    ],
)
def test_a_robot_with_a_secret_wants_a_signature_in_milliseconds_of_this_hour(
    late: float, query: str, text_of_refusal: str
) -> None:
    chat = Chat("dingtalk", secret=SECRET)
    chat.wait(STAMP / 1000 + late - chat.now.timestamp())
    answer = chat.post(text("a"), more_query=query)
    assert code(answer) == (310000 if text_of_refusal else 0)
    assert json.loads(answer.body)["errmsg"].startswith(text_of_refusal or "ok")


@pytest.mark.parametrize(
    ("payload", "seen"),
    [
        (text("桃园派出所：你好"), True),
        (text("你好"), False),
        (markdown("桃园派出所"), True),
        ({"msgtype": "markdown", "markdown": {"title": "桃园派出所", "text": "你好"}}, True),
        (link(text="桃园派出所"), True),
        (card(btns=[BUTTON | {"title": "桃园派出所"}]), False),
        (feed(ROW, ROW | {"title": "桃园派出所提示"}), True),
        (feed(ROW), False),
    ],
)
def test_a_robot_with_a_keyword_wants_it_in_title_or_text(payload: Any, seen: bool) -> None:
    chat = Chat("dingtalk", keyword="桃园派出所")
    answer = json.loads(chat.post(payload).body)
    assert chat.last.seen == seen
    assert (answer["errcode"] == 0) == seen
    assert seen or answer["errmsg"].startswith("keywords not in content, more: [")


def test_who_sends_over_twenty_a_minute_is_banned_for_ten_minutes() -> None:
    chat = Chat("dingtalk")
    assert [code(chat.post(text("a"))) for _ in range(20)] == [0] * 20
    chat.wait(30)
    answer = json.loads(chat.post(text("a")).body)
    assert answer["errcode"] == 130101
    assert (answer["status"], answer["wait"], answer["punish"]) == (1111, 5, "deny")
    assert answer["errmsg"] == "send too fast, exceed 20 times per minute"
    for _ in range(9):
        chat.wait(66)
        assert code(chat.post(text("a"))) == 130101
    chat.wait(6)
    assert code(chat.post(text("a"))) == 0


def test_a_throttling_that_was_asked_for_bans_nobody() -> None:
    chat = Chat("dingtalk")
    chat.exchange.fail("taoyuan", "130101")
    assert [code(chat.post(text("a"))) for _ in range(2)] == [130101, 0]


@pytest.mark.parametrize("fault", [*map(str, ERRORS), "310000-sign", "310000-timestamp", "310000-solution"])
def test_each_documented_code_can_be_asked_for(fault: str) -> None:
    chat = Chat("dingtalk")
    chat.exchange.fail("taoyuan", fault)
    assert code(chat.post(text("a"))) == int(fault.partition("-" if fault[0] != "-" else " ")[0])
    assert not chat.last.seen
    assert code(chat.post(text("a"))) == 0


def test_markdown_is_drawn_with_its_few_marks_and_the_rest_bare() -> None:
    chat = Chat("dingtalk")
    chat.post(markdown("# 寻人\n**七岁**  \n女\n孩 `A` <b>\n- 一"))
    assert chat.drawn() == (
        'rich: <p class="h h1">寻人</p><p><strong>七岁</strong><br>女 孩 `A` &lt;b&gt;</p>'
        '<p class="item">• 一</p>'
    )


def test_cards_are_drawn_with_their_buttons_and_rows() -> None:
    chat = Chat("dingtalk")
    chat.post(single())
    assert chat.drawn() == "rich: <p><strong>七岁</strong></p>\nbutton: 看全文"
    chat.post(feed(ROW, ROW | {"title": "第二条"}))
    assert chat.drawn() == "cover: 刷单返利\nrow: 第二条"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "content",
    "title",
    "text",
    "messageUrl",
    "singleTitle",
    "singleURL",
    "btns",
    "btnOrientation",
    "links",
)
parts = st.dictionaries(st.sampled_from(FIELDS), json_values)


@settings(max_examples=40)
@given(
    kind=st.sampled_from(("text", "link", "markdown", "actionCard", "feedCard")),
    part=parts | json_values,
    at=json_values,
)
def test_any_json_gets_a_verdict_and_what_is_taken_can_be_drawn(kind: str, part: Any, at: Any) -> None:
    chat = Chat("dingtalk", keyword="的")
    body = json.dumps({"msgtype": kind, kind: part, "at": at}, ensure_ascii=False).encode("utf-8", "replace")
    assert code(chat.post(body)) in {0, *ERRORS}
    if chat.last.seen:
        assert chat.platform.draw(body)


@given(st.text(alphabet="<>&\"'`*#[]()@!/-~ahref=font color:info\n中文", max_size=60))
def test_any_markdown_becomes_only_the_tags_of_a_chat(source: str) -> None:
    drawn = Chat("dingtalk").platform.draw(json.dumps(markdown(source)).encode())
    assert tags(str(drawn[0].html)) <= {"p", "strong", "em", "a", "span", "br"}
