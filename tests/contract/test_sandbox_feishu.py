"""The sandbox holds senders to what Feishu documents of its custom bot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.sandbox.platforms.feishu import ERRORS
from robots import Chat, tags

URL = "https://example.org/a/7F3K2"


def text(words: Any, **more: Any) -> dict[str, Any]:
    return {"msg_type": "text", "content": {"text": words}, **more}


def post(*nodes: Any, **more: Any) -> dict[str, Any]:
    return {
        "msg_type": "post",
        "content": {"post": {"zh_cn": {"title": "寻人", "content": [list(nodes)], **more}}},
    }


def card(*elements: Any, **more: Any) -> dict[str, Any]:
    return {"msg_type": "interactive", "card": {"elements": list(elements), **more}}


def card2(*elements: Any, **more: Any) -> dict[str, Any]:
    return {
        "msg_type": "interactive",
        "card": {"schema": "2.0", "body": {"elements": list(elements)}, **more},
    }


def words(content: Any, tag: str = "plain_text") -> dict[str, Any]:
    return {"tag": tag, "content": content}


def div(content: Any, tag: str = "lark_md") -> dict[str, Any]:
    return {"tag": "div", "text": words(content, tag)}


def markdown(content: Any) -> dict[str, Any]:
    return {"tag": "markdown", "content": content}


def columns(*elements: Any) -> dict[str, Any]:
    return {"tag": "column_set", "columns": [{"tag": "column", "elements": list(elements)}]}


TITLE = {"title": words("寻人"), "template": "red"}
BUTTON = {"tag": "button", "text": words("看全文"), "url": URL, "type": "primary"}
BUTTON2 = {"tag": "button", "text": words("看全文"), "behaviors": [{"type": "open_url", "default_url": URL}]}
FIELDS = {"tag": "div", "fields": [{"is_short": True, "text": words("**地点**", "lark_md")}]}
NOTE = {"tag": "note", "elements": [words("桃园派出所")]}
ACTION = {"tag": "action", "actions": [BUTTON]}
PICTURE = {"tag": "img", "img_key": "img_v2_041b28e3", "alt": words("照片")}


def code(answer: Any) -> int:
    return int(json.loads(answer.body)["code"])


@pytest.mark.parametrize(
    "payload",
    [
        text("你好"),
        text('<at user_id="all">所有人</at> 请看'),
        post({"tag": "text", "text": "看"}, {"tag": "a", "text": "全文", "href": URL}),
        post({"tag": "at", "user_id": "all"}, {"tag": "img", "image_key": "img_7ea74629"}),
        {"msg_type": "image", "content": {"image_key": "img_ecffc3b9"}},
        {"msg_type": "share_chat", "content": {"share_chat_id": "oc_f5b1a7eb27ae2c7b6adc2a74faf339ff"}},
        card(div("**七岁** *女* ~~旧~~ [看](https://example.org) <at id=all></at>"), header=TITLE),
        card(markdown("- 一\n1. 二\n---\n```\ncode\n```\n<font color='red'>急</font>")),
        card(FIELDS, {"tag": "hr"}, PICTURE, NOTE, ACTION, columns(div("栏"))),
        {"msg_type": "interactive", "card": {"i18n_elements": {"zh_cn": [div("一")], "en_us": [div("a")]}}},
        card2(markdown("# 标题\n> 引用\n`代码`\n|a|b|\n|---|---|"), {"tag": "hr"}, BUTTON2, header=TITLE),
    ],
    ids=lambda payload: str(payload["msg_type"]),
)
def test_a_message_within_the_contract_is_taken_without_a_warning(payload: dict[str, Any]) -> None:
    chat = Chat("feishu")
    answer = chat.post(payload)
    assert (answer.status, json.loads(answer.body)) == (
        200,
        {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"},
    )
    assert (chat.last.seen, chat.last.warnings) == (True, ())


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"no json", 9499),
        (b"[1]", 9499),
        ({}, 19002),
        ({"msg_type": "markdown"}, 19002),
        ({"msg_type": "text"}, 9499),
        (text(""), 9499),
        (text(7), 9499),
        (text("好" * 6700), 19036),
        ({"msg_type": "post", "content": {"post": {}}}, 9499),
        ({"msg_type": "post", "content": {"post": {"zh_cn": {"content": []}}}}, 9499),
        (post("一"), 9499),
        (post({"tag": "markdown", "text": "一"}), 9499),
        (post({"tag": "a", "text": "没有网址"}), 9499),
        (post({"tag": "img", "image_key": "https://example.org/a.png"}), 9499),
        ({"msg_type": "image", "content": {"image_key": "https://example.org/a.png"}}, 9499),
        ({"msg_type": "share_chat", "content": {}}, 9499),
        ({"msg_type": "interactive", "content": {"text": "不是卡片"}}, 19002),
        (card(), 9499),
        (card("一"), 9499),
        (card({"tag": "table"}), 9499),
        (card({"tag": "div"}), 9499),
        (card(div("")), 9499),
        (card({"tag": "div", "text": words("一", "markdown")}), 9499),
        (card(div("一"), header={"title": words("")}), 9499),
        (card(PICTURE | {"img_key": "https://example.org/a.png"}), 9499),
        (card({"tag": "img", "img_key": "img_v2_041b28e3"}), 9499),
        (card({"tag": "action", "actions": []}), 9499),
        (card(BUTTON), 9499),
        (card(columns()), 9499),
        (card2(NOTE), 9499),
        (card2(ACTION), 9499),
        (card2(), 9499),
    ],
)
def test_a_message_outside_the_contract_is_refused_by_code_with_http_200(payload: Any, expected: int) -> None:
    chat = Chat("feishu")
    answer = chat.post(payload)
    assert (answer.status, code(answer)) == (200, expected)
    assert not chat.last.seen
    assert chat.last.reason


@pytest.mark.parametrize(
    ("payload", "warning"),
    [
        (text("a", at={}), "不认识字段 at"),
        (post({"tag": "a", "text": "看", "href": "/a"}), "点不开"),
        (card(div("# 标题")), "不支持标题"),
        (card(div("> 引用")), "不支持引用"),
        (card(div("- 一")), "不支持列表"),
        (card(div("`代码`")), "不支持行内代码"),
        (card(div("一<br>二")), "HTML 标签"),
        (card(markdown("## 标题")), "不支持标题"),
        (card(markdown("|a|b|\n|---|---|")), "不支持表格"),
        (card(markdown('<font color="#ff0000">急</font>')), "字色"),
        (card2(markdown("![图](https://example.org/a.png)")), "不支持网址图片"),
        (card(div("一"), header={"title": words("寻人"), "template": "pink"}), "颜色 pink"),
        (card(div("一"), title="寻人"), "不认识字段 title"),
        (card(ACTION | {"actions": [{"tag": "button", "text": words("确认")}]}), "点了没有反应"),
        (card2(BUTTON), "点了没有反应"),
        (card(ACTION | {"actions": [BUTTON | {"url": "/a"}]}), "点不开"),
    ],
)
def test_what_a_group_would_see_otherwise_is_taken_with_a_warning(payload: Any, warning: str) -> None:
    chat = Chat("feishu")
    assert code(chat.post(payload)) == 0
    assert [one for one in chat.last.warnings if warning in one] == list(chat.last.warnings) != []


def test_another_content_type_and_an_unknown_address_are_refused() -> None:
    chat = Chat("feishu")
    assert code(chat.post(text("a"), content_type="text/plain")) == 9499
    assert code(chat.post(text("a"), key="gone")) == 19001


def test_columns_within_columns_end_somewhere() -> None:
    nested = div("一")
    for _ in range(200):
        nested = columns(nested)
    assert code(Chat("feishu").post(card(nested))) == 9499


# Computed apart from this code, with openssl: no recorded request of the platform's own is public.
STAMP, SECRET, SIGN = 1599360473, "this is secret", "/eYKrXQBzTjUZJ3s6NX16VxGbTwmK7AEs8/FnvC1CSw="


@pytest.mark.parametrize(
    ("late", "signature", "seen"),
    [
        (0, {"timestamp": str(STAMP), "sign": SIGN}, True),
        (3600, {"timestamp": str(STAMP), "sign": SIGN}, True),
        (-3600, {"timestamp": str(STAMP), "sign": SIGN}, True),
        (3601, {"timestamp": str(STAMP), "sign": SIGN}, False),
        (-3601, {"timestamp": str(STAMP), "sign": SIGN}, False),
        (0, {"timestamp": STAMP, "sign": SIGN}, False),
        (0, {"timestamp": f"{STAMP}000", "sign": SIGN}, False),
        (0, {"timestamp": str(STAMP + 1), "sign": SIGN}, False),
        (0, {"timestamp": str(STAMP)}, False),
        (0, {}, False),
    ],
)
def test_a_robot_with_a_secret_wants_a_signature_in_seconds_of_this_hour(
    late: float, signature: dict[str, Any], seen: bool
) -> None:
    chat = Chat("feishu", secret=SECRET)
    chat.wait(STAMP + late - chat.now.timestamp())
    assert code(chat.post(text("a", **signature))) == (0 if seen else 19021)


@pytest.mark.parametrize(
    ("payload", "seen"),
    [
        (text("桃园派出所：你好"), True),
        (text("你好"), False),
        (post({"tag": "text", "text": "桃园派出所"}), True),
        (post({"tag": "text", "text": "你好"}, title="桃园派出所提示"), True),
        (card(div("你好"), NOTE), True),
        (card(div("你好"), header=TITLE), False),
    ],
)
def test_a_robot_with_a_keyword_wants_it_in_what_is_read(payload: Any, seen: bool) -> None:
    answer = Chat("feishu", keyword="桃园派出所").post(payload)
    assert (code(answer) == 0) == seen
    assert seen or json.loads(answer.body)["msg"] == "Key Words Not Found"


def test_a_bot_takes_five_messages_a_second_and_a_hundred_a_minute() -> None:
    chat = Chat("feishu")
    assert [code(chat.post(text("a"))) for _ in range(5)] == [0] * 5
    answer = chat.post(text("a"))
    assert (answer.status, code(answer)) == (400, 9499)
    assert json.loads(answer.body)["msg"] == "too many request"
    for _ in range(19):
        chat.wait(1)
        assert [code(chat.post(text("a"))) for _ in range(5)] == [0] * 5
    chat.wait(1)
    answer = chat.post(text("a"))
    assert (answer.status, code(answer)) == (429, 99991400)
    assert dict(answer.headers) == {"x-ogw-ratelimit-reset": "40"}
    chat.wait(40)
    assert code(chat.post(text("a"))) == 0


@pytest.mark.parametrize(
    ("fault", "status", "expected"),
    [
        *((str(number), 200, number) for number in ERRORS),
        ("9499-too-many", 400, 9499),
        ("99991400", 429, 99991400),
        ("99991400-old", 400, 99991400),
    ],
)
def test_each_documented_code_can_be_asked_for(fault: str, status: int, expected: int) -> None:
    chat = Chat("feishu")
    chat.exchange.fail("taoyuan", fault)
    answer = chat.post(text("a"))
    assert (answer.status, code(answer), chat.last.seen) == (status, expected, False)
    assert code(chat.post(text("a"))) == 0


def test_a_card_is_drawn_as_its_two_kinds_of_markdown_allow() -> None:
    chat = Chat("feishu")
    chat.post(card(div("**急**\n# 一 &#42;"), {"tag": "hr"}, NOTE, ACTION, header=TITLE))
    assert chat.drawn() == (
        "head: 寻人\nrich: <p><strong>急</strong></p><p># 一 *</p>\nrule: \nsmall: 桃园派出所\nbutton: 看全文"
    )
    chat.post(card2(markdown("# 一\n> 二\n- `三`\n```\n四\n```\n五"), BUTTON2))
    assert chat.drawn() == (
        'rich: <p class="h h1">一</p><p class="quote">二</p><p class="item">• <code>三</code></p>'
        "<pre>四\n</pre><p>五</p>\nbutton: 看全文"
    )


def test_text_and_post_are_drawn_with_their_mentions_and_links() -> None:
    chat = Chat("feishu")
    chat.post(text('<at user_id="all">所有人</at> **不加粗**'))
    assert chat.drawn() == "rich: @所有人 **不加粗**"
    chat.post(post({"tag": "at", "user_id": "all"}, {"tag": "a", "text": "看", "href": URL}))
    assert chat.read() == f"寻人\n@所有人看 {URL}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
elements = st.recursive(
    st.fixed_dictionaries(
        {"tag": st.sampled_from(("div", "markdown", "hr", "img", "note", "action", "button", "column_set"))},
        optional={
            "text": json_values | st.just(words("一")),
            "content": json_values,
            "fields": json_values,
            "behaviors": json_values,
            "url": json_values,
        },
    ),
    lambda inner: (
        st.fixed_dictionaries(
            {
                "tag": st.sampled_from(("note", "action", "column_set")),
                "elements": st.lists(inner, max_size=2),
            }
        )
        | inner.map(columns)
    ),
    max_leaves=4,
)


@settings(max_examples=60)
@given(
    body=st.builds(card, elements) | st.builds(card2, elements) | st.builds(post, json_values) | json_values
)
def test_any_json_gets_a_verdict_and_what_is_taken_can_be_drawn(body: Any) -> None:
    chat = Chat("feishu", keyword="的")
    raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    assert code(chat.post(raw)) in {0, *ERRORS}
    if chat.last.seen:
        assert chat.platform.draw(raw)


@given(st.text(alphabet="<>&\"'`*#[]()@!/-~ahref=font color:info\n中文", max_size=60))
def test_any_markdown_becomes_only_the_tags_of_a_chat(source: str) -> None:
    drawn = Chat("feishu").platform.draw(json.dumps(card2(markdown(source))).encode())
    assert tags(str(drawn[0].html)) <= {"p", "strong", "em", "s", "a", "span", "br", "code", "pre", "hr"}
