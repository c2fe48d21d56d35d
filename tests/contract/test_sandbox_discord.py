"""The sandbox's Discord holds senders to the webhook's documents and tells every fault of a form at once."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_scheduler.sandbox import Robot, Sandbox
from gengfu_scheduler.sandbox.contract import Answer
from gengfu_scheduler.sandbox.platforms.discord import ERRORS, markdown_html
from robots import Chat, tags

QUIET: dict[str, Any] = {"allowed_mentions": {"parse": []}}


@pytest.fixture
def chat() -> Chat:
    return Chat("discord")


def says(content: Any, **more: Any) -> dict[str, Any]:
    return {"content": content, **QUIET, **more}


def embeds(*several: Any, **more: Any) -> dict[str, Any]:
    return {"embeds": list(several), **QUIET, **more}


def field(name: str = "走失地", value: str = "青松路", **more: Any) -> dict[str, Any]:
    return {"name": name, "value": value, **more}


FULL = {
    "author": {"name": "青松路派出所", "url": "https://example.org/"},
    "title": "寻人：王某",
    "url": "https://example.org/A/7F3K2",
    "description": "72岁",
    "color": 0xB3261E,
    "fields": [field(inline=True)],
    "image": {"url": "https://example.org/a.png"},
    "thumbnail": {"url": "https://example.org/b.png"},
    "footer": {"text": "李警官 0571-00000000"},
    "timestamp": "2026-11-21T12:00:00+00:00",
}


def send(chat: Chat, payload: Any, **more: Any) -> Answer:
    """Post as the documents advise: waiting for the message to be saved."""
    return chat.post(payload, more_query="wait=true", **more)


@pytest.mark.parametrize(
    "payload",
    [
        says("你好"),
        says("好" * 2000),
        says("𠮷" * 2000),
        embeds(FULL),
        embeds(*[{"title": "好" * 256}] * 10),
        embeds({"description": "好" * 4096}, {"description": "好" * 1904}),
        embeds({"fields": [field("好" * 20, "好" * 200)] * 25}),
        embeds({"fields": [field("好" * 256, "好" * 1024)] * 4}),
        embeds({"title": "a", "footer": {"text": "好" * 2048}}),
        says("@everyone 请看", allowed_mentions={"parse": ["everyone"]}),
        says("你好", username="更夫", avatar_url="https://example.org/a.png", tts=False, flags=4),
    ],
)
def test_a_message_within_the_documents_is_answered_with_what_was_saved(chat: Chat, payload: Any) -> None:
    answer = send(chat, payload)
    saved = json.loads(answer.body)
    assert (answer.status, chat.last.seen, chat.last.warnings) == (200, True, ())
    assert saved["content"] == payload.get("content", "")
    assert saved["embeds"] == payload.get("embeds", [])
    assert saved["id"].isdecimal()


def test_the_wish_to_wait_arrives_over_http_too() -> None:
    with Sandbox([Robot(platform="discord", key="taoyuan", name="桃园")]) as sandbox:
        request = Request(
            sandbox.webhook("taoyuan") + "?wait=true",
            json.dumps(says("你好")).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(request) as answer:
            assert answer.status == 200
            assert json.load(answer)["content"] == "你好"
            assert answer.headers["X-RateLimit-Remaining"] == "4"


def test_each_message_has_an_id_of_its_own_that_grows(chat: Chat) -> None:
    ids = [int(json.loads(send(chat, says("a")).body)["id"]) for _ in range(3)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    ("payload", "places"),
    [
        (says("a" * 2001), {"content": "BASE_TYPE_MAX_LENGTH"}),
        (says(7), {"content": "STRING_TYPE_CONVERT"}),
        (says("a", username="a" * 81), {"username": "BASE_TYPE_MAX_LENGTH"}),
        (embeds(*[{"title": "a"}] * 11), {"embeds": "BASE_TYPE_MAX_LENGTH"}),
        ({"embeds": {"title": "a"}}, {"embeds": "LIST_TYPE_CONVERT"}),
        (embeds("a"), {"embeds.0": "DICT_TYPE_CONVERT"}),
        (embeds({}), {"embeds.0": "BASE_TYPE_REQUIRED"}),
        (
            embeds({"title": "a" * 257}, {"description": "a" * 4097}),
            {"embeds.0.title": "BASE_TYPE_MAX_LENGTH", "embeds.1.description": "BASE_TYPE_MAX_LENGTH"},
        ),
        (
            embeds({"description": "好" * 4096}, {"description": "好" * 1905}),
            {"embeds": "MAX_EMBED_SIZE_EXCEEDED"},
        ),
        (
            embeds({"fields": [field("a" * 257, "a" * 1025), {"name": "a"}]}),
            {
                "embeds.0.fields.0.name": "BASE_TYPE_MAX_LENGTH",
                "embeds.0.fields.0.value": "BASE_TYPE_MAX_LENGTH",
                "embeds.0.fields.1.value": "BASE_TYPE_REQUIRED",
            },
        ),
        (embeds({"fields": [field()] * 26}), {"embeds.0.fields": "BASE_TYPE_MAX_LENGTH"}),
        (embeds({"title": "a", "url": "/A/7F3K2"}), {"embeds.0.url": "URL_TYPE_INVALID_URL"}),
        (embeds({"image": {}}), {"embeds.0.image.url": "URL_TYPE_INVALID_URL"}),
        (embeds({"footer": {"text": "a" * 2049}}), {"embeds.0.footer.text": "BASE_TYPE_MAX_LENGTH"}),
        (embeds({"author": {}}), {"embeds.0.author.name": "BASE_TYPE_REQUIRED"}),
        (embeds({"title": "a", "color": "#b3261e"}), {"embeds.0.color": "NUMBER_TYPE_MAX"}),
        (embeds({"title": "a", "color": 0x1000000}), {"embeds.0.color": "NUMBER_TYPE_MAX"}),
        (embeds({"title": "a", "timestamp": "今天"}), {"embeds.0.timestamp": "DATETIME_TYPE_PARSE"}),
        (
            says("a", allowed_mentions={"parse": ["all"]}),
            {"allowed_mentions.parse": "BASE_TYPE_CHOICES"},
        ),
        (
            says("a", allowed_mentions={"parse": ["users"], "users": ["1"]}),
            {"allowed_mentions.users": "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"},
        ),
    ],
)
def test_every_fault_of_a_form_is_told_at_its_place(chat: Chat, payload: Any, places: dict[str, str]) -> None:
    answer = send(chat, payload)
    body = json.loads(answer.body)
    assert (answer.status, body["code"], body["message"]) == (400, 50035, "Invalid Form Body")
    assert dict(_leaves(body["errors"])) == places
    assert not chat.last.seen
    assert all(place in chat.last.reason for place in places)


def _leaves(tree: dict[str, Any], at: str = "") -> list[tuple[str, str]]:
    own = [(at, error["code"]) for error in tree.get("_errors", [])]
    deeper = [(name, inner) for name, inner in tree.items() if name != "_errors"]
    return own + [leaf for name, inner in deeper for leaf in _leaves(inner, f"{at}.{name}".lstrip("."))]


def test_a_text_too_long_is_refused_in_the_words_that_were_recorded(chat: Chat) -> None:
    assert json.loads(send(chat, says("a" * 2001)).body) == {
        "message": "Invalid Form Body",
        "code": 50035,
        "errors": {
            "content": {
                "_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]
            }
        },
    }


@pytest.mark.parametrize(
    ("payload", "content_type", "code"),
    [
        (b"no json", "application/json", 50109),
        (b"[1]", "application/json", 50109),
        (b"[" * 100_000, "application/json", 50109),
        (says("a"), "text/plain", 50006),
        (QUIET, "application/json", 50006),
        (says(" \n"), "application/json", 50006),
    ],
)
def test_what_is_no_message_at_all_is_refused(chat: Chat, payload: Any, content_type: str, code: int) -> None:
    answer = send(chat, payload, content_type=content_type)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, code)


@pytest.mark.parametrize("query", ["", "wait=false"])
def test_who_does_not_wait_is_answered_204_saved_or_not(chat: Chat, query: str) -> None:
    for payload, saved in ((says("a"), True), (says("a" * 2001), False)):
        answer = chat.post(payload, more_query=query)
        assert (answer.status, answer.body) == (204, b"")
        assert chat.last.seen == saved
    assert "没有 wait=true" in chat.exchange.messages()[0].warnings[0]


@pytest.mark.parametrize(
    ("payload", "warning"),
    [
        ({"content": "@everyone"}, "没有 allowed_mentions"),
        (says("a", thread_name="寻人"), "不认识字段 thread_name"),
        (embeds({"title": "a", "type": "link"}), "不认识字段 type"),
        (says("|a|b|\n|---|---|"), "不支持表格"),
        (embeds({"description": "![图](https://example.org/a.png)"}), "不支持图片"),
        (says("上\n---\n下"), "不支持分隔线"),
        (says("#### 小标题"), "不支持四级以下标题"),
        (says("一<br>二"), "不支持HTML 标签"),
    ],
)
def test_what_the_channel_would_see_otherwise_is_taken_with_a_warning(
    chat: Chat, payload: Any, warning: str
) -> None:
    assert send(chat, payload).status == 200
    assert [one for one in chat.last.warnings if warning in one] == list(chat.last.warnings) != []


def test_a_webhook_nobody_has_is_answered_10015(chat: Chat) -> None:
    answer = send(chat, says("a"), key="gone")
    assert (answer.status, json.loads(answer.body)) == (404, {"message": "Unknown Webhook", "code": 10015})


def test_five_in_two_seconds_are_taken_and_the_headers_count_down(chat: Chat) -> None:
    left = [dict(send(chat, says("a")).headers)["X-RateLimit-Remaining"] for _ in range(5)]
    assert left == ["4", "3", "2", "1", "0"]
    chat.wait(0.5)
    answer = send(chat, says("a"))
    headers = dict(answer.headers)
    assert (answer.status, json.loads(answer.body)) == (
        429,
        {"message": "You are being rate limited.", "retry_after": 1.5, "global": False},
    )
    assert (headers["Retry-After"], headers["X-RateLimit-Reset-After"]) == ("2", "1.500")
    chat.wait(1.5)
    assert send(chat, says("a")).status == 200


def test_thirty_in_a_minute_are_taken(chat: Chat) -> None:
    for _ in range(30):
        assert send(chat, says("a")).status == 200
        chat.wait(1)
    assert json.loads(send(chat, says("a")).body)["retry_after"] == 30
    chat.wait(30)
    assert send(chat, says("a")).status == 200


@pytest.mark.parametrize("code", ERRORS)
def test_each_code_can_be_asked_for(chat: Chat, code: str) -> None:
    chat.exchange.fail("taoyuan", code)
    answer = send(chat, says("a"))
    assert (answer.status, json.loads(answer.body)["code"]) == (ERRORS[code][0], int(code))
    assert (chat.last.fault, chat.last.seen) == (code, False)


@pytest.mark.parametrize(("fault", "everywhere"), [("rate-limited", False), ("rate-limited-globally", True)])
def test_throttling_can_be_asked_for(chat: Chat, fault: str, everywhere: bool) -> None:
    chat.exchange.fail("taoyuan", fault)
    answer = send(chat, says("a"))
    assert (answer.status, json.loads(answer.body)["global"]) == (429, everywhere)
    assert dict(answer.headers)["X-RateLimit-Scope"] == ("global" if everywhere else "user")


def test_an_empty_success_can_be_asked_for_though_the_sender_waits(chat: Chat) -> None:
    chat.exchange.fail("taoyuan", "204")
    assert send(chat, says("a")).status == 204
    assert chat.last.seen


def test_content_and_embeds_are_drawn_with_the_embeds_edge_in_its_colour(chat: Chat) -> None:
    send(chat, says("**请看**", embeds=[FULL]))
    drawn = chat.drawn()
    for expected in (
        "rich: <p><strong>请看</strong></p>",
        '<rect fill="#b3261e"/>',
        '<a href="https://example.org/A/7F3K2" rel="noreferrer" target="_blank">寻人：王某</a>',
        '<p class="h">走失地</p><p>青松路</p>',
        '<p class="comment">李警官 0571-00000000</p>',
        "picture: 图片",
    ):
        assert expected in drawn
    assert chat.read().split("\n")[1:5] == [
        "青松路派出所",
        "寻人：王某",
        "https://example.org/A/7F3K2",
        "72岁",
    ]


def test_a_refused_embed_is_drawn_without_an_address_that_is_none_of_the_web(chat: Chat) -> None:
    send(chat, embeds({"title": "寻人", "url": "javascript:alert(1)"}))
    assert not chat.last.seen
    assert '<p class="h h2">寻人</p>' in chat.drawn()
    assert "<a " not in chat.drawn()


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("请**注意**安全", "<p>请<strong>注意</strong>安全</p>"),
        ("*斜* __线__ ~~删~~ `码`", "<p><em>斜</em> <u>线</u> <s>删</s> <code>码</code></p>"),
        ("### 三\n#### 四", '<p class="h h3">三</p><p>#### 四</p>'),
        ("- 一\n> 二", '<p class="item">• 一</p><p class="quote">二</p>'),
        (r"\*不斜\*", "<p>*不斜*</p>"),
        ("<b>粗</b>", "<p>&lt;b&gt;粗&lt;/b&gt;</p>"),
        ("```\n**码**\n```", "<p><code>**码**\n</code></p>"),
    ],
)
def test_markdown_is_drawn_as_discord_does_and_other_marks_stay_bare(source: str, html: str) -> None:
    assert markdown_html(source) == html


@given(st.text(alphabet="<>&\"'`*_~|#[]()@!/\\ahref=ltgmp;:-\n中文", max_size=60))
def test_any_text_becomes_only_the_tags_of_a_chat(source: str) -> None:
    assert tags(markdown_html(source)) <= {"p", "strong", "em", "s", "u", "a", "span", "code"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("https://example.org/"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("name", "value", "text", "url")), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = ("title", "description", "url", "color", "fields", "author", "footer", "image", "timestamp")


@given(embed=st.dictionaries(st.sampled_from(NAMES), json_values) | json_values, content=json_values)
def test_any_json_gets_a_verdict_and_what_is_taken_can_be_drawn(embed: Any, content: Any) -> None:
    chat = Chat("discord")
    body = json.dumps({"content": content, "embeds": [embed]}, ensure_ascii=False).encode("utf-8", "replace")
    assert send(chat, body).status in (200, 400)
    if chat.last.seen:
        assert chat.platform.draw(body)
