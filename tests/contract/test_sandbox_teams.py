"""The sandbox's Teams answers as a workflow does: 202 says that the flow began, not that the card was posted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_scheduler.sandbox.platforms.teams import ERRORS, LIMITS
from robots import Chat, tags


@pytest.fixture
def chat() -> Chat:
    return Chat("teams")


def card(*body: Any, **more: Any) -> dict[str, Any]:
    return {"type": "AdaptiveCard", "version": "1.4", "body": list(body), **more}


def attached(content: Any, **more: Any) -> dict[str, Any]:
    kind = "application/vnd.microsoft.card.adaptive"
    return {"contentType": kind, "contentUrl": None, "content": content, **more}


def message(*body: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "attachments": [attached(card(*body, **more))]}


def text(words: Any, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": words, "wrap": True, **more}


def button(title: str = "看全文", url: str = "https://example.org/a/", **more: Any) -> dict[str, Any]:
    return {"type": "Action.OpenUrl", "title": title, "url": url, **more}


def facts(*several: tuple[str, str]) -> dict[str, Any]:
    return {"type": "FactSet", "facts": [{"title": title, "value": value} for title, value in several]}


def run(words: Any, **more: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": words, **more}


def runs(*several: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(several)}


def columns(*several: Any) -> dict[str, Any]:
    return {"type": "ColumnSet", "columns": list(several)}


def nested(depth: int) -> dict[str, Any]:
    element = text("底")
    for _ in range(depth):
        element = {"type": "Container", "items": [element]}
    return element


def message_card(**more: Any) -> dict[str, Any]:
    return {"@type": "MessageCard", "@context": "https://schema.org/extensions", "summary": "寻人"} | more


IMAGE = {"type": "Image", "url": "https://example.org/a.png", "altText": "走失老人"}
FILLING = 20_000 - len(json.dumps(message(text("")), ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "payload",
    [
        message(text("你好")),
        message(text("a" * FILLING)),
        message(text("寻人", size="Large", weight="Bolder", color="Attention", isSubtle=False)),
        message(text("**72岁**，[全文](https://example.org)\n\n- 红衣\n- 白发\n\n1. 一\n2. 二")),
        message({"type": "TextBlock", "text": "短"}),
        message(facts(("走失地", "青松路"), ("电话", "110")), IMAGE),
        message({"type": "Container", "style": "attention", "items": [text("a", separator=True)]}),
        message({"type": "Container", "items": [text("a")], "selectAction": button()}),
        message(columns({"type": "Column", "width": "auto", "items": [IMAGE]}, {"items": [text("a")]})),
        message({"type": "ActionSet", "actions": [button(style="positive")]}),
        message(
            runs("**72岁** # 不是 [Markdown](x)", run(" "), run("全文", selectAction=button(), italic=True))
        ),
        message(text("a"), actions=[button()] * 6, msteams={"width": "Full"}),
        message(
            text("<at>老王</at>"),
            msteams={
                "entities": [
                    {
                        "type": "mention",
                        "text": "<at>老王</at>",
                        "mentioned": {"id": "w@e.org", "name": "老王"},
                    }
                ]
            },
        ),
        message(nested(7)),
        {**message(text("a")), "summary": "寻人"},
        message_card(text="72岁", sections=[{"facts": [{"name": "走失地", "value": "青松路"}]}]),
    ],
)
def test_a_card_within_the_documents_is_answered_202_and_seen(chat: Chat, payload: Any) -> None:
    answer = chat.post(payload)
    assert (answer.status, answer.body) == (202, b"")
    assert (chat.last.seen, chat.last.reason, chat.last.warnings) == (True, "", ())


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"text": "你好"},
        {"type": "message"},
        {"type": "message", "attachments": []},
        {"type": "message", "attachments": ["a"]},
        {"type": "message", "attachments": [card(text("a"))]},
        {"type": "message", "attachments": [attached(card(text("a")), contentUrl="https://example.org")]},
        {"type": "message", "attachments": [attached(json.dumps(card(text("a"))))]},
        {"type": "message", "attachments": [attached({"type": "HeroCard"})]},
        {"type": "AdaptiveCard", "attachments": [attached(card(text("a")))]},
        message(),
        message(text("a"), version="1.5"),
        message(text("a"), version=None),
        message("a"),
        message({"type": "Table", "rows": []}),
        message({"type": "Column", "items": [text("a")]}),
        message({"text": "a"}),
        message(text("")),
        message(text(7)),
        message({"type": "Image", "url": "a.png"}),
        message(runs()),
        message(runs(7)),
        message(runs(run(""))),
        message(runs(text("a"))),
        message(runs(run("a", selectAction={"type": "Action.Submit"}))),
        message(facts()),
        message(facts(("走失地", ""))),
        message({"type": "Container", "items": []}),
        message({"type": "Container", "items": [text("a")], "selectAction": {"type": "Action.Submit"}}),
        message({"type": "Container", "items": [text("a")], "selectAction": {"type": "Action.OpenUrl"}}),
        message(columns()),
        message(columns({"type": "Column"})),
        message({"type": "ActionSet"}),
        message(text("a"), actions=[]),
        message(text("a"), actions=[button(url="/A/7F3K2")]),
        message(text("a"), actions=[button(title="")]),
        message(text("a"), actions=[{"type": "Action.Submit", "title": "确认"}]),
        message(nested(8)),
        message(text("a" * (FILLING + 1))),
        message_card(**{"@context": "extensions"}),
        message_card(summary=None),
        message_card(sections=["a"]),
        message_card(sections=[{"facts": "a"}]),
        message_card(sections=[{"facts": [{"name": "a"}]}]),
    ],
)
def test_a_card_outside_the_documents_is_answered_202_all_the_same_but_nobody_sees_it(
    chat: Chat, payload: Any
) -> None:
    answer = chat.post(payload)
    assert (answer.status, answer.body) == (202, b"")
    assert not chat.last.seen
    assert chat.last.reason


@pytest.mark.parametrize(
    ("payload", "content_type"),
    [
        (b"no json", "application/json"),
        (b"[1]", "application/json"),
        (b"[" * 100_000, "application/json"),
        (message(text("a")), "text/plain"),
    ],
)
def test_what_is_no_json_does_not_start_the_flow(chat: Chat, payload: Any, content_type: str) -> None:
    answer = chat.post(payload, content_type=content_type)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("api-version=", 400, "MissingApiVersionParameter"),
        ("sig=", 401, "DirectApiAuthorizationRequired"),
    ],
)
def test_an_address_that_lost_its_query_on_the_way_is_refused(
    chat: Chat, query: str, status: int, code: str
) -> None:
    answer = chat.post(message(text("a")), more_query=query)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (status, code)
    assert not chat.last.seen


def test_a_workflow_nobody_has_is_answered_404(chat: Chat) -> None:
    assert chat.post(message(text("a")), key="gone").status == 404


@pytest.mark.parametrize(
    ("payload", "warning"),
    [
        (message({"type": "TextBlock", "text": "好" * 25}), "没有 wrap，只显示一行"),
        (message(text("一\n二")), "单个换行会变成空格"),
        (message(text("# 寻人")), "不支持标题"),
        (message(text("|a|b|\n\n|---|---|")), "不支持表格"),
        (message(text("![图](https://example.org/a.png)")), "不支持图片"),
        (message(text("`码`")), "不支持代码"),
        (message(text("> 引用")), "不支持引用"),
        (message(text("一<br>二")), "不支持HTML 标签"),
        (message(facts(("`a`", "b"))), "不支持代码"),
        (message(runs(run("一\n二"))), "换行在安卓手机上不显示"),
        (message(runs(run("a", wrap=True))), "不认识字段 wrap"),
        (message(text("<at>老王</at>")), "提醒不到人"),
        (message(text("a", colour="red")), "不认识字段 colour"),
        (message(text("a", size="huge")), "body[0].size 应为"),
        (message({"type": "Image", "url": "https://example.org/a.png"}), "没有 altText"),
        (message(text("a"), actions=[button()] * 7), "只显示前 6 个按钮"),
        (message(text("a"), backgroundColor="red"), "不认识字段 backgroundColor"),
        (
            {"type": "message", "attachments": [attached(card(text("a")))] * 2},
            "各成一条消息，共 2 条",
        ),
        (
            message_card(potentialAction=[{"@type": "OpenUri", "name": "看", "targets": []}]),
            "不画 MessageCard 的按钮",
        ),
    ],
)
def test_what_the_channel_would_see_otherwise_is_taken_with_a_warning(
    chat: Chat, payload: Any, warning: str
) -> None:
    assert chat.post(payload).status == 202
    assert chat.last.seen
    assert [one for one in chat.last.warnings if warning in one] == list(chat.last.warnings) != []


def test_the_rates_of_all_windows_hold(chat: Chat) -> None:
    assert [chat.post(message(text("a"))).status for _ in range(5)] == [202] * 4 + [429]
    while len([one for one in chat.exchange.messages() if one.seen]) < 100:
        chat.wait(0.6)
        chat.post(message(text("a")))
    assert _most(chat, 1) == LIMITS[timedelta(seconds=1)] == 4
    chat.wait(60)
    answer = chat.post(message(text("a")))
    assert answer.status == 429
    assert 3400 < int(dict(answer.headers)["Retry-After"]) <= 3600


def _most(chat: Chat, seconds: float) -> int:
    """Most messages that were seen within any window of this length."""
    times: list[float] = [one.at.timestamp() for one in chat.exchange.messages() if one.seen]
    return max(sum(begin <= at < begin + seconds for at in times) for begin in times)


@pytest.mark.parametrize("code", ERRORS)
def test_each_code_can_be_asked_for(chat: Chat, code: str) -> None:
    chat.exchange.fail("taoyuan", code)
    answer = chat.post(message(text("a")))
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (ERRORS[code][0], code)
    assert (chat.last.fault, chat.last.seen) == (code, False)


@pytest.mark.parametrize(
    ("fault", "status", "body", "seen"),
    [
        ("200-1", 200, "1", True),
        ("flow-failed", 202, "", False),
        (
            "delivery-failed-400",
            200,
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 400",
            False,
        ),
        (
            "delivery-failed-429",
            200,
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
            False,
        ),
    ],
)
def test_successes_that_are_none_can_be_asked_for(
    chat: Chat, fault: str, status: int, body: str, seen: bool
) -> None:
    chat.exchange.fail("taoyuan", fault)
    answer = chat.post(message(text("a")))
    assert answer.status == status
    assert answer.body.decode().startswith(body)
    assert chat.last.seen == seen


def test_a_card_is_drawn_from_top_to_bottom(chat: Chat) -> None:
    chat.post(
        message(
            text("寻人 <王某>", size="Large", weight="Bolder", color="Attention"),
            {
                "type": "Container",
                "items": [
                    text("72岁\n身穿红衣\n\n- 白发\n- 驼背"),
                    {"type": "TextBlock", "text": "长" * 30, "isSubtle": True},
                ],
            },
            columns({"items": [IMAGE]}, {"items": [facts(("走失地", "青松路"))]}),
            text("李警官", separator=True),
            {"type": "Container", "items": [runs("看")], "selectAction": button()},
            runs("**原样** ", run("全文", weight="Bolder", underline=True, selectAction=button())),
            actions=[button(style="destructive")],
        )
    )
    assert chat.drawn().split("\n") == [
        'rich: <div class="h2 strong attention"><p>寻人 &lt;王某&gt;</p></div>',
        'rich: <div class=""><p>72岁 身穿红衣</p><p class="gap"></p>'
        '<p class="item">• 白发</p><p class="item">• 驼背</p></div>',
        f'rich: <div class="comment cut"><p>{"长" * 30}</p></div>',
        "picture: 走失老人",
        "rich: <p><strong>走失地</strong>&emsp;青松路</p>",
        "rule: ",
        'rich: <div class=""><p>李警官</p></div>',
        'rich: <a href="https://example.org/a/" rel="noreferrer" target="_blank">'
        '<p><span class="">看</span></p></a>',
        'rich: <p><span class="">**原样** </span><a href="https://example.org/a/" rel="noreferrer" target="_blank">'
        '<u><span class="strong">全文</span></u></a></p>',
        "button: 看全文",
    ]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("**注意**：别转账", "<strong>注意</strong>：别转账"),
        ("**注意：**别转账", "**注意：**别转账"),
        ("请**注意**安全", "请<strong>注意</strong>安全"),
        ("_斜_ [全文](https://e.org)", "<em>斜</em> <a "),
        ("# 标题", "# 标题"),
        ("<b>粗</b>", "&lt;b&gt;粗&lt;/b&gt;"),
    ],
)
def test_markdown_is_drawn_by_the_rules_of_commonmark(chat: Chat, source: str, html: str) -> None:
    chat.post(message(text(source)))
    assert html in chat.drawn()


def test_a_refused_card_is_drawn_without_addresses_that_are_none_of_the_web(chat: Chat) -> None:
    bad = button(url="javascript:alert(1)")
    chat.post(
        message({"type": "Container", "items": [runs("a", run("b", selectAction=bad))], "selectAction": bad})
    )
    assert not chat.last.seen
    assert "b</span>" in chat.drawn()
    assert "<a " not in chat.drawn()


def test_a_message_card_is_drawn_without_its_buttons(chat: Chat) -> None:
    chat.post(
        message_card(
            title="寻人",
            text="72岁",
            sections=[{"activityTitle": "青松路", "facts": [{"name": "电话", "value": "110"}]}],
            potentialAction=[{"@type": "OpenUri", "name": "看全文", "targets": []}],
        )
    )
    assert chat.read().split("\n") == ["寻人", "72岁", "青松路", "电话　110"]


@given(st.text(alphabet="<>&\"'`*_~|#[]()@!/\\ahref=ltgmp;:-\r\n中文", min_size=1, max_size=60))
def test_any_text_becomes_only_the_tags_of_a_chat(source: str) -> None:
    chat = Chat("teams")
    chat.post(message(text(source)))
    if chat.last.seen:
        assert tags(chat.drawn()) <= {"div", "p", "strong", "em", "a", "span", "br"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("https://example.org/"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "text", "title", "value", "items", "url")), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(
        ("TextBlock", "RichTextBlock", "Image", "Container", "ColumnSet", "FactSet", "ActionSet")
    ),
    rest=st.dictionaries(
        st.sampled_from(("text", "url", "items", "inlines", "columns", "facts", "actions", "size")),
        json_values,
    ),
    more=st.dictionaries(st.sampled_from(("title", "text", "sections", "summary")), json_values),
)
def test_any_json_gets_a_verdict_and_what_is_taken_can_be_drawn(
    kind: str, rest: dict[str, Any], more: dict[str, Any]
) -> None:
    chat = Chat("teams")
    for payload in (message({"type": kind} | rest), message_card(**more)):
        body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
        assert chat.post(body).status == 202
        if chat.last.seen:
            assert chat.platform.draw(body)
