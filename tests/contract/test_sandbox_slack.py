"""The sandbox's Slack holds senders to the incoming webhook's documents and to what was seen of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_scheduler.sandbox.platforms.slack import ERRORS, mrkdwn_html
from robots import Chat, tags


@pytest.fixture
def chat() -> Chat:
    return Chat("slack")


def blocks(*several: Any, text: str | None = "今日警情") -> dict[str, Any]:
    return {"blocks": list(several)} | ({} if text is None else {"text": text})


def plain(words: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": words}


def mrkdwn(words: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": words}


def header(words: str) -> dict[str, Any]:
    return {"type": "header", "text": plain(words)}


def section(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(words), **more}


def fields(*several: Any) -> dict[str, Any]:
    return {"type": "section", "fields": list(several)}


def context(*elements: Any) -> dict[str, Any]:
    return {"type": "context", "elements": list(elements)}


def button(words: str = "看全文", **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(words), "url": "https://example.org/a/", **more}


def actions(*elements: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def image(**more: Any) -> dict[str, Any]:
    return {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "走失老人", **more}


@pytest.mark.parametrize(
    "payload",
    [
        {"text": "你好"},
        {"text": "a" * 40_000},
        {"text": "1 &lt; 2 &amp; 3 &gt; 2，见 <https://example.org/?a=1&amp;b=2|全文> <!channel>\n> 引用"},
        blocks(header("好" * 150), {"type": "divider"}, section("*粗* _斜_ ~删~ `码`")),
        blocks(section("好" * 3000), context(mrkdwn("李警官"), plain("0571"), image())),
        blocks(fields(*[mrkdwn("好" * 200)] * 10)),
        blocks(section("看", accessory=button()), section("图", accessory=image())),
        blocks(actions(button(action_id="a", style="danger"), button(action_id="b", value="1"))),
        blocks(actions(*[button("好" * 75)] * 25)),
        blocks(image(title=plain("图"), block_id="i")),
        blocks(*[{"type": "divider"}] * 50),
        blocks(*[section("好" * 3000)] * 4, section("好" * 1200)),
        {"text": "你好", "unfurl_links": False},
        blocks(section("a"), text="- 标题里的 **星号**"),
    ],
)
def test_a_message_within_the_documents_is_answered_ok(chat: Chat, payload: Any) -> None:
    answer = chat.post(payload)
    assert (answer.status, answer.body) == (200, b"ok")
    assert (chat.last.seen, chat.last.warnings) == (True, ())


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"no json", "invalid_payload"),
        (b"[1]", "invalid_payload"),
        (b"[" * 100_000, "invalid_payload"),
        ({"text": 7}, "invalid_payload"),
        ({"text": "a", "attachments": [{"text": "b"}]}, "invalid_payload"),
        ({}, "missing_text_or_fallback_or_attachments"),
        ({"text": " "}, "missing_text_or_fallback_or_attachments"),
        ({"text": "a", "channel": "#other"}, "channel_not_found"),
        ({"text": "a", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"text": "a", "blocks": ["divider"]}, "invalid_blocks_format"),
        ({"text": "a", "blocks": []}, "invalid_blocks"),
        (blocks(*[{"type": "divider"}] * 51), "invalid_blocks"),
        (blocks({"type": "card"}), "invalid_blocks"),
        (blocks({"type": ["divider"]}), "invalid_blocks"),
        (blocks({"type": "divider", "text": plain("a")}), "invalid_blocks"),
        (blocks(header("")), "invalid_blocks"),
        (blocks(header("好" * 151)), "invalid_blocks"),
        (blocks(header("𠮷" * 76)), "invalid_blocks"),
        (blocks({"type": "header", "text": mrkdwn("a")}), "invalid_blocks"),
        (blocks({"type": "header"}), "invalid_blocks"),
        (blocks({"type": "section"}), "invalid_blocks"),
        (blocks(section("好" * 3001)), "invalid_blocks"),
        (blocks({"type": "section", "text": "a"}), "invalid_blocks"),
        (
            blocks({"type": "section", "text": {"type": "mrkdwn", "text": "a", "emoji": True}}),
            "invalid_blocks",
        ),
        (blocks(fields()), "invalid_blocks"),
        (blocks(fields(*[plain("a")] * 11)), "invalid_blocks"),
        (blocks(fields(plain("a" * 2001))), "invalid_blocks"),
        (blocks(section("a", accessory={"type": "checkboxes"})), "invalid_blocks"),
        (blocks(context()), "invalid_blocks"),
        (blocks(context(*[plain("a")] * 11)), "invalid_blocks"),
        (blocks(context(button())), "invalid_blocks"),
        (blocks(actions()), "invalid_blocks"),
        (blocks(actions(*[button()] * 26)), "invalid_blocks"),
        (blocks(actions("a")), "invalid_blocks"),
        (blocks(actions(button("好" * 76))), "invalid_blocks"),
        (blocks(actions(button(style="default"))), "invalid_blocks"),
        (blocks(actions(button(url="/A/7F3K2"))), "invalid_blocks"),
        (blocks(actions(button(url="https://example.org/" + "a" * 3000))), "invalid_blocks"),
        (blocks(actions({"type": "button", "text": mrkdwn("a"), "url": "https://e.org"})), "invalid_blocks"),
        (blocks(actions(button(action_id="a"), button(action_id="a"))), "invalid_blocks"),
        (blocks({"type": "image", "image_url": "https://example.org/a.png"}), "invalid_blocks"),
        (blocks(image(image_url="a.png")), "invalid_blocks"),
        (blocks(image(alt_text="a" * 2001)), "invalid_blocks"),
        (blocks(image(title=mrkdwn("a"))), "invalid_blocks"),
        (blocks(section("a", block_id="x"), section("b", block_id="x")), "invalid_blocks"),
        (blocks(section("a", block_id="x" * 256)), "invalid_blocks"),
        (blocks(*[section("好" * 3000)] * 4, section("好" * 1201)), "msg_blocks_too_long"),
    ],
)
def test_a_message_outside_the_documents_is_refused_in_plain_text(
    chat: Chat, payload: Any, error: str
) -> None:
    answer = chat.post(payload)
    assert (answer.status, answer.body.decode()) == (ERRORS[error], error)
    assert not chat.last.seen
    assert chat.last.reason


def test_a_markdown_block_is_answered_500_with_nothing(chat: Chat) -> None:
    """The reference allows it, yet incoming webhooks were seen to refuse it so."""
    answer = chat.post(blocks({"type": "markdown", "text": "**你好**"}))
    assert (answer.status, answer.body) == (500, b"")
    assert not chat.last.seen


@pytest.mark.parametrize(
    ("payload", "warning"),
    [
        ({"text": "a" * 40_001}, "平台会截断"),
        ({"text": "a", "username": "更夫"}, "不认识字段 username"),
        ({"text": "查询 A&B"}, "& < > 应写成"),
        ({"text": "3 < 5"}, "& < > 应写成"),
        ({"text": "<网址>"}, "& < > 应写成"),
        ({"text": "**注意**"}, "不支持Markdown 的加粗"),
        ({"text": "见[全文](https://example.org)"}, "不支持Markdown 的链接"),
        (blocks(section("# 寻人")), "不支持标题"),
        (blocks(section("- 身份证")), "不支持列表"),
        (blocks(fields(mrkdwn("|a|b|\n|---|---|"))), "不支持表格"),
        (blocks(context(mrkdwn("上\n---\n下"))), "不支持分隔线"),
        (blocks(section("a"), text=None), "手机通知里没有字"),
        (blocks(section("a"), text="A&B"), "& < > 应写成"),
        (blocks(actions({"type": "button", "text": plain("确认")})), "按下去没有反应"),
    ],
)
def test_what_the_channel_would_see_bare_or_not_at_all_is_taken_with_a_warning(
    chat: Chat, payload: Any, warning: str
) -> None:
    assert chat.post(payload).body == b"ok"
    assert [one for one in chat.last.warnings if warning in one] == list(chat.last.warnings) != []


def test_a_form_is_no_json(chat: Chat) -> None:
    answer = chat.post({"text": "a"}, content_type="application/x-www-form-urlencoded")
    assert answer.body == b"invalid_payload"


def test_a_webhook_nobody_has_is_answered_no_service(chat: Chat) -> None:
    answer = chat.post({"text": "a"}, key="gone")
    assert (answer.status, answer.body) == (404, b"no_service")


def test_a_short_burst_is_taken_and_then_one_a_second(chat: Chat) -> None:
    assert [chat.post({"text": "a"}).status for _ in range(6)] == [200] * 5 + [429]
    answer = chat.post({"text": "a"})
    assert (answer.body, dict(answer.headers)) == (b"rate_limited", {"Retry-After": "5"})
    chat.wait(5)
    for _ in range(20):
        assert chat.post({"text": "a"}).status == 200
        chat.wait(1)


@pytest.mark.parametrize("code", [*ERRORS, "rate_limited"])
def test_each_refusal_can_be_asked_for(chat: Chat, code: str) -> None:
    chat.exchange.fail("taoyuan", code)
    answer = chat.post({"text": "a"})
    assert (answer.status, answer.body.decode()) == (ERRORS.get(code, 429), code)
    assert (chat.last.fault, chat.last.seen) == (code, False)


def test_a_200_that_does_not_say_ok_can_be_asked_for(chat: Chat) -> None:
    chat.exchange.fail("taoyuan", "200-not-ok")
    answer = chat.post({"text": "a"})
    assert answer.status == 200
    assert answer.body != b"ok"
    assert chat.last.seen


def test_blocks_are_drawn_one_below_the_other(chat: Chat) -> None:
    chat.post(
        blocks(
            header("寻人 <王某>"),
            section("*72岁*，见<https://example.org/?a=1&amp;b=2|全文>", accessory=button("看")),
            {"type": "divider"},
            section("看照片", accessory=image(alt_text="照片")),
            fields(mrkdwn("走失地\n青松路"), plain("*今天*")),
            context(mrkdwn("李警官 &amp; 110"), image(alt_text="照片")),
            image(),
            actions(button("我看到了", style="danger")),
        )
    )
    link = '<a href="https://example.org/?a=1&amp;b=2" rel="noreferrer" target="_blank">全文</a>'
    assert chat.drawn().split("\n") == [
        'rich: <p class="h h1">寻人 &lt;王某&gt;</p>',
        f"rich: <p><strong>72岁</strong>，见{link}</p>",
        "button: 看",
        "rule: ",
        'rich: <span class="picture beside" role="img" aria-label="照片"></span><p>看照片</p>',
        'rich: <div class="columns"><div><p>走失地</p><p>青松路</p></div><div><p>*今天*</p></div></div>',
        "small: <p>李警官 &amp; 110</p>",
        "picture: 照片",
        "picture: 走失老人",
        "button: 我看到了",
    ]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("*注意* _斜_ ~删~ `码`", "<p><strong>注意</strong> <em>斜</em> <s>删</s> <code>码</code></p>"),
        ("请*注意*安全", "<p>请*注意*安全</p>"),
        ("**不是粗体**", "<p>**不是粗体**</p>"),
        ("[全文](https://e.org)", "<p>[全文](https://e.org)</p>"),
        ("&gt; 引用", '<p class="quote">引用</p>'),
        ("<!channel> <@U1|老王>", '<p><span class="at">@channel</span> <span class="at">@老王</span></p>'),
        ("```\n*码*\n```后", "<p><code>*码*\n</code></p><p>后</p>"),
    ],
)
def test_mrkdwn_is_drawn_as_slack_does_and_other_marks_stay_bare(source: str, html: str) -> None:
    assert mrkdwn_html(source) == html


@given(st.text(alphabet="<>&\"'`*_~|#[]()@!/ahref=ltgmp;:\n中文", max_size=60))
def test_any_text_becomes_only_the_tags_of_a_chat(source: str) -> None:
    assert tags(mrkdwn_html(source)) <= {"p", "strong", "em", "s", "a", "span", "code"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("https://example.org/"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "text", "fields", "elements", "accessory", "url")), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(("header", "section", "divider", "context", "actions", "image", "markdown")),
    rest=st.dictionaries(
        st.sampled_from(("text", "fields", "elements", "accessory", "image_url", "alt_text")), json_values
    ),
)
def test_any_json_gets_a_verdict_and_what_is_taken_can_be_drawn(kind: str, rest: dict[str, Any]) -> None:
    chat = Chat("slack")
    payload = json.dumps(blocks({"type": kind} | rest), ensure_ascii=False).encode("utf-8", "replace")
    answer = chat.post(payload)
    assert answer.status in (200, 400, 500)
    if chat.last.seen:
        assert chat.platform.draw(payload)
