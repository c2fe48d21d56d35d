"""The sandbox holds senders to the contract sheet, remembers every post, and fails in each documented way."""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gengfu_scheduler.sandbox
from gengfu_scheduler.sandbox import PortTaken, Robot, Sandbox, StoreUnusable, UnknownFault, describe, faults
from gengfu_scheduler.sandbox.command import read_robots
from gengfu_scheduler.sandbox.contract import Post
from gengfu_scheduler.sandbox.faults import FAULTS, HUGE
from gengfu_scheduler.sandbox.platforms import PLATFORMS
from gengfu_scheduler.sandbox.platforms.wecom import ERRORS, MARKDOWN, MARKDOWN_V2
from gengfu_site.problems import ProblemsFound

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
WECOM = Robot(platform="wecom", key="taoyuan", name="桃园社区反诈群", area="青松路/桃园社区")
GENERIC = Robot(platform="generic", key="desk", name="指挥平台", secret=SECRET)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


class Clock:
    def __init__(self) -> None:
        self.now = NOON.timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox([WECOM, GENERIC], clock=clock) as running:
        yield running


class Client:
    """One kept-alive connection."""

    def __init__(self, url: str, timeout: float = 60) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()

    def request(
        self, method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        names = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        target = urlsplit(url)
        self.connection.request(method, target._replace(scheme="", netloc="").geturl(), body, names)
        response = self.connection.getresponse()
        return response, response.read()

    def post(self, url: str, payload: Any, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        return self.request("POST", url, body, {"Content_Type": "application/json"} | headers)


def send(sandbox: Sandbox, payload: Any, key: str = "taoyuan", **headers: str) -> Any:
    """Post to a WeCom robot; the answer's JSON."""
    with Client(sandbox.url) as client:
        response, body = client.post(sandbox.webhook(key), payload, **headers)
    assert response.status == 200
    return json.loads(body)


def get(sandbox: Sandbox, path: str, **headers: str) -> tuple[http.client.HTTPResponse, str]:
    with Client(sandbox.url) as client:
        response, body = client.request("GET", sandbox.url + path, headers=headers)
    return response, body.decode()


def text(content: Any, **more: Any) -> dict[str, Any]:
    return {"msgtype": "text", "text": {"content": content, **more}}


def markdown(content: Any, version: str = "markdown") -> dict[str, Any]:
    return {"msgtype": version, version: {"content": content}}


def article(**more: Any) -> dict[str, Any]:
    return {"title": "警惕冒充公检法", "url": "https://example.org/a/", **more}


def news(*articles: Any) -> dict[str, Any]:
    return {"msgtype": "news", "news": {"articles": list(articles)}}


def image(raw: bytes, md5: str | None = None) -> dict[str, Any]:
    digest = hashlib.md5(raw).hexdigest() if md5 is None else md5
    return {"msgtype": "image", "image": {"base64": base64.b64encode(raw).decode(), "md5": digest}}


def card(**more: Any) -> dict[str, Any]:
    action = {"type": 1, "url": "https://example.org/"}
    return {
        "msgtype": "template_card",
        "template_card": {"card_type": "text_notice", "card_action": action, **more},
    }


# The group robot of WeCom


@pytest.mark.parametrize(
    "payload",
    [
        text("你好"),
        text("a" * 2048),
        text("好" * 682),
        text("你好", mentioned_list=["@all"], mentioned_mobile_list=["13800000000"]),
        text("反斜杠 \\u4f60 是字，不是转义"),
        markdown("好" * 1365),
        markdown('# 寻人\n> **七岁** <font color="warning">女</font> [看](https://example.org) `A` <@zhang>'),
        markdown("- 一\n- 二\n\n---\n![图](https://example.org/a.png)", "markdown_v2"),
        image(PNG),
        news(article()),
        news(*[article(description="说明", picurl="https://example.org/a.PNG?x=1")] * 8),
        card(main_title={"title": "今日警情", "desc": "一起"}, jump_list=[{"title": "看", "url": "x"}]),
    ],
    ids=lambda payload: f"{payload['msgtype']}",
)
def test_a_wecom_message_within_the_contract_is_taken_without_a_warning(
    sandbox: Sandbox, payload: dict[str, Any]
) -> None:
    assert send(sandbox, payload) == {"errcode": 0, "errmsg": "ok"}
    [received] = sandbox.messages("taoyuan")
    assert (received.seen, received.status, received.reason, received.warnings) == (True, 200, "", ())
    assert json.loads(received.body) == payload
    assert received.at == NOON


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"no json", 40008),
        (b"[1]", 40008),
        (b'{"msgtype": "text", "text": {"content": "\xc4\xe3"}}', 40008),
        (b"[" * 100_000, 40008),
        ({"text": {"content": "a"}}, 40008),
        ({"msgtype": "actionCard"}, 40008),
        ({"msgtype": ["text"]}, 40008),
        (json.dumps(text("你好")).encode(), 40033),
        ({"msgtype": "text"}, 40058),
        ({"msgtype": "text", "text": "你好"}, 40058),
        (text(""), 40058),
        (text(7), 40058),
        (text("a" * 2049), 40058),
        (text("好" * 683), 40058),
        (text("a", mentioned_list="@all"), 40035),
        (markdown("a" * 4097), 40058),
        (markdown("好" * 1366, "markdown_v2"), 40058),
        (news(), 40058),
        (news(*[article()] * 9), 40058),
        (news("a"), 40058),
        (news({"title": "没有网址"}), 40058),
        (news({"url": "https://example.org"}), 40058),
        (image(PNG, md5="0" * 32), 40035),
        (image(PNG, md5=hashlib.md5(PNG).hexdigest().upper()), 40035),
        (image(b"GIF89a"), 40009),
        (image(PNG + b"\0" * 2 * 1024 * 1024), 40009),
        ({"msgtype": "image", "image": {"base64": "aGk=\n", "md5": "x"}}, 40035),
        ({"msgtype": "file", "file": {"media_id": "3a8asd892asd8asd"}}, 40007),
        (card(card_type="vote"), 40058),
        (card(card_action={"type": 3}), 40058),
        (card(card_action={"type": 2}), 40058),
        (card(jump_list=[{}] * 4), 40058),
        (card(horizontal_content_list=[{}] * 7), 40058),
    ],
)
def test_a_wecom_message_outside_the_contract_is_refused_by_code_with_http_200(
    sandbox: Sandbox, payload: Any, code: int
) -> None:
    assert send(sandbox, payload)["errcode"] == code
    [received] = sandbox.messages()
    assert not received.seen
    assert received.reason
    assert f'"errcode": {code}' in received.answer


@pytest.mark.parametrize(
    ("payload", "warning"),
    [
        (news(article(title="好" * 43)), "129 字节，平台只显示前 128 字节"),
        (news(article(description="好" * 171)), "513 字节，平台只显示前 512 字节"),
        (news(article(picurl="https://example.org/a.svg")), "JPG 或 PNG"),
        (news(article(url="/A/7F3K2")), "点不开"),
        (news(article(picUrl="https://example.org/a.png")), "不认识字段 picUrl"),
        ({**text("你好"), "safe": 0}, "不认识字段 safe"),
        (markdown("要带：\n- 身份证"), "不支持列表"),
        (markdown("1. 一"), "不支持列表"),
        (markdown("![图](https://example.org/a.png)"), "不支持图片"),
        (markdown("|a|b|\n|---|---|\n|1|2|"), "不支持表格"),
        (markdown("上\n---\n下"), "不支持分隔线"),
        (markdown("```\ncode\n```"), "不支持代码块"),
        (markdown("<@all> 请看"), "不支持@所有人"),
        (markdown('<font color="red">急</font>'), "字色"),
        (markdown("一<br>二"), "HTML 标签"),
        (markdown('<font color="info">绿</font>', "markdown_v2"), "不支持字色"),
        (markdown("<@zhang>", "markdown_v2"), "不支持@成员"),
        (card(main_title={"title": "好" * 27}), "main_title.title 建议不超过 26 字"),
    ],
)
def test_what_a_group_would_see_cut_or_bare_is_taken_with_a_warning(
    sandbox: Sandbox, payload: Any, warning: str
) -> None:
    assert send(sandbox, payload)["errcode"] == 0
    [received] = sandbox.messages()
    assert received.seen
    assert [one for one in received.warnings if warning in one] == list(received.warnings) != []


def test_wecom_refuses_in_the_words_that_were_recorded(sandbox: Sandbox) -> None:
    assert send(sandbox, markdown("a" * 4097))["errmsg"] == (
        "markdown.content exceed max length 4096. invalid Request Parameter, hint: [sandbox], "
        "from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e=40058"
    )
    sandbox.fail("taoyuan", "-1")
    assert send(sandbox, text("a")) == {"errcode": -1, "errmsg": "system busy"}
    sandbox.fail("taoyuan", "wrong-json")
    answer = send(sandbox, text("a"))
    assert answer["errcode"] == 0
    assert "Warning: wrong json format." in answer["errmsg"]


def test_wecom_refuses_another_content_type(sandbox: Sandbox) -> None:
    assert send(sandbox, text("a"), Content_Type="application/x-www-form-urlencoded")["errcode"] == 40008
    assert send(sandbox, text("a"), Content_Type="application/json; charset=utf-8")["errcode"] == 0


@pytest.mark.parametrize(
    "key", ["", "gone", "desk", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=taoyuan"]
)
def test_a_key_that_no_wecom_robot_has_is_answered_93000(sandbox: Sandbox, key: str) -> None:
    with Client(sandbox.url) as client:
        _, body = client.post(sandbox.url + PLATFORMS["wecom"].address(key)[1:], text("a"))
    assert json.loads(body)["errcode"] == 93000
    assert [(one.robot, one.name, one.seen) for one in sandbox.messages()] == [(key, "", False)]


def test_a_robot_takes_twenty_messages_in_any_minute(sandbox: Sandbox, clock: Clock) -> None:
    for _ in range(10):
        assert send(sandbox, text("a"))["errcode"] == 0
    clock.now += 30
    for _ in range(10):
        assert send(sandbox, text("a"))["errcode"] == 0
    answer = send(sandbox, text("a"))
    assert answer["errcode"] == 45009
    assert answer["errmsg"].startswith("api freq out of limit, hint: [")
    clock.now += 29.9
    assert send(sandbox, text("a"))["errcode"] == 45009
    clock.now += 0.2
    assert [send(sandbox, text("a"))["errcode"] for _ in range(11)] == [0] * 10 + [45009]


def test_any_robot_is_admitted_where_the_sandbox_is_open() -> None:
    with Sandbox(admit_unknown=True) as sandbox, Client(sandbox.url) as client:
        client.post(sandbox.url + "cgi-bin/webhook/send?key=new", text("a"))
        client.post(
            sandbox.url + "generic/other", {}, webhook_id="m", webhook_timestamp=str(int(time.time()))
        )
        assert [(robot.platform, robot.key) for robot in sandbox.robots()] == [
            ("wecom", "new"),
            ("generic", "other"),
        ]
        assert all(one.seen for one in sandbox.messages())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "content",
    "articles",
    "title",
    "url",
    "card_type",
    "card_action",
    "type",
    "base64",
    "md5",
    "jump_list",
)
parts = st.dictionaries(
    st.sampled_from(FIELDS), json_values | st.lists(st.fixed_dictionaries({"title": json_values}))
)
KINDS = ("text", "markdown", "markdown_v2", "image", "news", "file", "template_card")


@settings(max_examples=40)
@given(kind=st.sampled_from(KINDS), part=parts | json_values)
def test_any_json_gets_a_verdict_and_what_is_taken_can_be_drawn(kind: str, part: Any) -> None:
    body = json.dumps({"msgtype": kind, kind: part}, ensure_ascii=False).encode("utf-8", "replace")
    post = Post(headers={"content-type": "application/json"}, body=body, at=NOON)
    verdict = PLATFORMS["wecom"].judge(post, WECOM, [])
    if verdict.seen:
        PLATFORMS["wecom"].draw(body)
    else:
        assert json.loads(verdict.answer.body)["errcode"] in ERRORS


# Standard Webhooks


def signed(body: bytes, at: float, message_id: str = "msg_1", secret: str = SECRET) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{message_id}.{int(at)}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook_id": message_id,
        "webhook_timestamp": str(int(at)),
        "webhook_signature": f"v1,{signature}",
    }


BODY = '{"type":"digest","timestamp":"2026-11-21T12:00:00Z","data":{"title":"每日警情提示"}}'.encode()


def deliver(sandbox: Sandbox, headers: dict[str, str], body: bytes = BODY) -> int:
    with Client(sandbox.url) as client:
        response, _ = client.post(sandbox.webhook("desk"), body, **headers)
    return response.status


def test_the_signature_check_agrees_with_the_published_example() -> None:
    """The example is that of the reference libraries' own tests, given in many languages."""
    robot = Robot(platform="generic", key="k", name="", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    post = Post(
        headers={
            "content-type": "application/json",
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
        body=b'{"test": 2432232314}',
        at=datetime.fromtimestamp(1614265330, UTC),
    )
    assert PLATFORMS["generic"].judge(post, robot, []).seen


def test_a_signed_webhook_is_taken_with_204(sandbox: Sandbox, clock: Clock) -> None:
    assert deliver(sandbox, signed(BODY, clock.now)) == 204
    [received] = sandbox.messages("desk")
    assert received.seen
    assert received.warnings == ()
    assert received.headers["webhook-id"] == "msg_1"


def test_one_right_signature_among_several_is_enough(sandbox: Sandbox, clock: Clock) -> None:
    headers = signed(BODY, clock.now)
    headers["webhook_signature"] = "v1,AAAA v1a,BBBB " + headers["webhook_signature"]
    assert deliver(sandbox, headers) == 204


@pytest.mark.parametrize(
    ("late", "changed", "status"),
    [
        (299, {}, 204),
        (-299, {}, 204),
        (301, {}, 400),
        (-301, {}, 400),
        (0, {"webhook_id": ""}, 400),
        (0, {"webhook_id": "msg.1"}, 400),
        (0, {"webhook_timestamp": ""}, 400),
        (0, {"webhook_timestamp": "2026-11-21T12:00:00Z"}, 400),
        (0, {"webhook_signature": ""}, 400),
        (0, {"webhook_signature": "v1,AAAA"}, 401),
        (0, {"webhook_id": "msg_2"}, 401),
        (0, {"Content_Type": "text/plain"}, 400),
    ],
)
def test_a_webhook_must_be_whole_fresh_and_signed(
    sandbox: Sandbox, clock: Clock, late: float, changed: dict[str, str], status: int
) -> None:
    assert deliver(sandbox, signed(BODY, clock.now - late) | changed) == status
    assert sandbox.messages()[0].seen == (status == 204)


def test_a_signature_by_another_secret_or_over_another_body_is_refused(
    sandbox: Sandbox, clock: Clock
) -> None:
    other = "whsec_" + base64.b64encode(b"x" * 24).decode()
    assert deliver(sandbox, signed(BODY, clock.now, secret=other)) == 401
    assert deliver(sandbox, signed(BODY, clock.now), BODY + b" ") == 401


def test_a_repeated_webhook_id_is_answered_alike_but_seen_once(sandbox: Sandbox, clock: Clock) -> None:
    assert [deliver(sandbox, signed(BODY, clock.now)) for _ in range(2)] == [204, 204]
    assert [one.seen for one in sandbox.messages()] == [True, False]
    assert "第 1 条" in sandbox.messages()[1].reason


def test_a_webhook_id_that_was_lost_on_the_way_may_come_again(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.fail("desk", "http-429")
    assert [deliver(sandbox, signed(BODY, clock.now)) for _ in range(2)] == [429, 204]
    assert [one.seen for one in sandbox.messages()] == [False, True]


def test_an_unknown_receiver_is_answered_404(sandbox: Sandbox) -> None:
    with Client(sandbox.url) as client:
        response, _ = client.post(sandbox.url + "generic/gone", BODY)
    assert response.status == 404


# Faults


def outcome(sandbox: Sandbox, timeout: float = 5) -> str:
    """What a sender experiences, in one word or two."""
    with Client(sandbox.url, timeout) as client:
        try:
            response, body = client.post(sandbox.webhook("taoyuan"), text("a"))
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        if response.getheader("Content-Encoding"):
            return f"{response.status} {response.getheader('Content-Encoding')}"
        return f"{response.status} {len(body) if len(body) > 1000 else body.decode().strip()[:6]}".strip()


@pytest.mark.parametrize(
    ("fault", "experienced", "seen"),
    [
        ("http-302", "302 <html>", False),
        ("http-408", "408 <html>", True),
        ("http-429", "429 <html>", False),
        ("http-500", "500 <html>", True),
        ("http-502", "502 <html>", True),
        ("http-503", "503 <html>", True),
        ("html", "200 <html>", False),
        ("empty", "200", True),
        ("gzip", "200 gzip", True),
        ("huge", f"200 {HUGE}", True),
        ("silent", "TimeoutError", True),
        ("hang-up", "RemoteDisconnected", True),
        ("hang-up-unseen", "RemoteDisconnected", False),
        ("reset", "ConnectionResetError", True),
    ],
)
def test_each_fault_strikes_once_and_says_whether_the_group_saw_the_message(
    sandbox: Sandbox, fault: str, experienced: str, seen: bool
) -> None:
    sandbox.fail("taoyuan", fault)
    assert outcome(sandbox, timeout=0.3 if experienced == "TimeoutError" else 5) == experienced
    assert outcome(sandbox) == '200 {"errc'
    first, second = sandbox.messages()
    assert (first.fault, first.seen) == (fault, seen)
    assert (second.fault, second.seen) == ("", True)


def test_a_dripping_answer_outlasts_any_limit_on_a_single_read(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert faults.DRIP * 500 >= 60
    monkeypatch.setattr(faults, "DRIP", 0.0001)
    sandbox.fail("taoyuan", "drip")
    with Client(sandbox.url) as client:
        _, body = client.post(sandbox.webhook("taoyuan"), text("a"))
    assert (len(body), json.loads(body)["errcode"]) == (500, 0)
    assert [(one.fault, one.seen, one.status) for one in sandbox.messages()] == [("drip", True, None)]


def test_the_tests_around_name_every_fault() -> None:
    marks = test_each_fault_strikes_once_and_says_whether_the_group_saw_the_message.pytestmark  # type: ignore[attr-defined]
    assert {row[0] for row in marks[0].args[1]} | {"drip", "hang-up-reused"} == set(FAULTS)


def test_hanging_up_on_a_reused_connection_waits_for_one(sandbox: Sandbox) -> None:
    sandbox.fail("taoyuan", "hang-up-reused")
    with Client(sandbox.url) as client:
        client.post(sandbox.webhook("taoyuan"), text("一"))
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            client.post(sandbox.webhook("taoyuan"), text("二"))
    assert [(one.fault, one.seen) for one in sandbox.messages()] == [("", True), ("hang-up-reused", True)]


def test_who_follows_the_redirect_is_told_a_lie(sandbox: Sandbox) -> None:
    sandbox.fail("*", "http-302")
    with Client(sandbox.url) as client:
        response, _ = client.post(sandbox.webhook("taoyuan"), text("a"))
        _, body = client.request("GET", sandbox.url.rstrip("/") + str(response.getheader("Location")))
    assert json.loads(body)["errcode"] == 0
    assert not sandbox.messages()[0].seen


@pytest.mark.parametrize("code", [str(code) for code in ERRORS])
def test_each_wecom_code_can_be_asked_for(sandbox: Sandbox, code: str) -> None:
    sandbox.fail("taoyuan", code, times=2)
    assert [send(sandbox, text("a"))["errcode"] for _ in range(3)] == [int(code), int(code), 0]
    assert [one.seen for one in sandbox.messages()] == [False, False, True]


def test_a_throttled_sender_is_told_how_long_to_wait(sandbox: Sandbox) -> None:
    sandbox.fail("taoyuan", "http-429")
    with Client(sandbox.url) as client:
        response, _ = client.post(sandbox.webhook("taoyuan"), text("a"))
    assert response.getheader("Retry-After") == "30"


def test_a_fault_spares_messages_that_are_refused_anyway_and_robots_that_do_not_know_it(
    sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.fail("*", "45033")
    assert send(sandbox, text(""))["errcode"] == 40058
    assert deliver(sandbox, signed(BODY, clock.now)) == 204
    assert send(sandbox, text("a"))["errcode"] == 45033


def test_faults_are_asked_for_and_forgotten_over_http_too(sandbox: Sandbox) -> None:
    with Client(sandbox.url) as client:
        wish = {"robot": "taoyuan", "fault": "45009", "times": 5}
        assert client.post(sandbox.url + "faults", wish)[0].status == 200
        assert send(sandbox, text("a"))["errcode"] == 45009
        assert client.request("DELETE", sandbox.url + "faults")[0].status == 200
        assert send(sandbox, text("a"))["errcode"] == 0
        for nonsense in (b"[]", b"no json", b"{}", {"robot": "*", "fault": "earthquake"}):
            assert client.post(sandbox.url + "faults", nonsense)[0].status == 400


@pytest.mark.parametrize(
    ("key", "fault", "named"),
    [("gone", "silent", "gone"), ("desk", "45009", "45009"), ("*", "earthquake", "earthquake")],
)
def test_a_fault_nobody_knows_is_refused_by_name(sandbox: Sandbox, key: str, fault: str, named: str) -> None:
    with pytest.raises(UnknownFault, match=named):
        sandbox.fail(key, fault)


# The store


def test_a_new_sandbox_goes_on_where_the_last_one_stopped(tmp_path: Path, clock: Clock) -> None:
    store = tmp_path / "sandbox.jsonl"
    odd = b'{"msgtype": "text", "text": {"content": "\xff\xfe\\n"}}'
    with Sandbox([WECOM], store=store, clock=clock) as first:
        for _ in range(20):
            send(first, text("你好"))
        send(first, odd)
        kept = first.messages()
    with Sandbox([WECOM], store=store, clock=clock) as second:
        assert second.messages() == kept
        assert second.messages()[-1].body == odd
        assert send(second, text("你好"))["errcode"] == 45009
        assert [one.number for one in second.messages("taoyuan")] == list(range(1, 23))
    assert store.stat().st_mode & 0o077 == 0


def test_a_torn_last_line_is_dropped_and_written_over(tmp_path: Path) -> None:
    store = tmp_path / "sandbox.jsonl"
    with Sandbox([WECOM], store=store) as first:
        send(first, text("一"))
    with store.open("ab") as file:
        file.write(b'{"number": 2, "bo')
    for expected in (2, 3):
        with Sandbox([WECOM], store=store) as again:
            send(again, text("再"))
            assert len(again.messages()) == expected


@pytest.mark.parametrize("content", ["id,name\n1,a\n", "{}\n", "[1]\n"])
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    store = tmp_path / "groups.csv"
    store.write_text(content)
    with pytest.raises(StoreUnusable, match=r"groups\.csv"):
        Sandbox([WECOM], store=store)
    assert store.read_text() == content


def test_a_store_in_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable):
        Sandbox([WECOM], store=tmp_path / "missing" / "sandbox.jsonl")


SERVE = """
import sys
from pathlib import Path
from gengfu_scheduler.sandbox import Sandbox
with Sandbox(admit_unknown=True, store=Path(sys.argv[1])) as sandbox:
    print(sandbox.url, flush=True)
    sys.stdin.read()
"""


def test_what_was_answered_is_on_disk_though_the_sandbox_is_killed(tmp_path: Path) -> None:
    store = tmp_path / "sandbox.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        url = process.stdout.readline().strip()
        answered: Counter[str] = Counter()
        enough = threading.Event()

        def talk(key: str) -> None:
            with Client(url) as client:
                for number in range(10_000):
                    try:
                        client.post(f"{url}cgi-bin/webhook/send?key={key}{number}", text(key))
                    except (OSError, http.client.HTTPException):
                        return
                    answered[key] += 1
                    if answered.total() > 200:
                        enough.set()

        talkers = [threading.Thread(target=talk, args=(key,)) for key in "abcdefgh"]
        for talker in talkers:
            talker.start()
        assert enough.wait(60)
        os.kill(process.pid, signal.SIGKILL)
        for talker in talkers:
            talker.join(60)
    with Sandbox(store=store) as witness:
        kept = Counter(one.robot[0] for one in witness.messages())
    assert all(answered[key] <= kept[key] <= answered[key] + 1 for key in "abcdefgh")


# Under load, and its end


def test_as_many_connections_as_the_transport_opens_lose_nothing(tmp_path: Path) -> None:
    robots = [Robot(platform="wecom", key=f"g{n}", name=f"群{n}") for n in range(200)]
    failures: list[BaseException] = []
    with Sandbox(robots, store=tmp_path / "sandbox.jsonl") as sandbox:
        everyone = threading.Barrier(128)

        def talk(seat: int) -> None:
            try:
                with Client(sandbox.url, timeout=60) as client:
                    client.connection.connect()
                    everyone.wait(60)
                    for round_ in range(4):
                        key = f"g{(seat + 50 * round_) % 200}"
                        _, body = client.post(sandbox.webhook(key), text(f"{seat}-{round_}"))
                        assert json.loads(body)["errcode"] == 0
            except BaseException as error:
                failures.append(error)

        talkers = [threading.Thread(target=talk, args=(seat,)) for seat in range(128)]
        for talker in talkers:
            talker.start()
        for talker in talkers:
            talker.join()
        received = sandbox.messages()
    assert failures == []
    assert len(received) == 512
    assert len({one.body for one in received}) == 512
    assert [one.number for one in received] == list(range(1, 513))


def test_the_sandbox_stops_at_once_though_connections_are_open_and_answers_owed() -> None:
    with Sandbox([WECOM]) as sandbox:
        sandbox.fail("taoyuan", "silent", times=2)
        sandbox.fail("taoyuan", "drip")
        address = urlsplit(sandbox.url)
        idle = [socket.create_connection((address.hostname, address.port)) for _ in range(5)]
        waiting = [
            threading.Thread(target=pytest.raises, args=(Exception, send, sandbox, text("a")))
            for _ in range(3)
        ]
        for one in waiting:
            one.start()
        sandbox.wait_for(3, seconds=60)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 30
    for one in waiting:
        one.join(60)
        assert not one.is_alive()
    for connection in idle:
        assert connection.recv(1) == b""
        connection.close()


def test_a_taken_port_is_said_in_words() -> None:
    with Sandbox() as sandbox:
        port = urlsplit(sandbox.url).port
        assert port
        with pytest.raises(PortTaken, match=str(port)):
            Sandbox(port=port)


def test_waiting_for_more_than_comes_ends_in_a_timeout(sandbox: Sandbox) -> None:
    send(sandbox, text("a"))
    assert len(sandbox.wait_for(1, seconds=1)) == 1
    with pytest.raises(TimeoutError, match=r"expected 2 messages in 0\.01 s, got 1"):
        sandbox.wait_for(2, seconds=0.01)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /cgi-bin/webhook/send?key=taoyuan HTTP/1.1", 411),
        ("POST /cgi-bin/webhook/send?key=taoyuan HTTP/1.1\r\nContent-Length: 4194305", 413),
        ("POST /elsewhere HTTP/1.1\r\nContent-Length: 0", 404),
        ("GET /elsewhere HTTP/1.1", 404),
        ("PUT / HTTP/1.1", 501),
        ("nonsense", 400),
    ],
)
def test_a_request_that_is_no_post_to_a_robot_gets_its_http_answer(
    sandbox: Sandbox, head: str, status: int
) -> None:
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname, address.port)) as line:
        line.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(4096), b"")).decode()
    assert str(status) in answer
    assert sandbox.messages() == []


# The wall


class Tags(HTMLParser):
    """Which tags a page has, and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'


def test_the_wall_draws_each_groups_messages_and_what_was_refused(sandbox: Sandbox) -> None:
    send(
        sandbox,
        news(article(description="说明"), article(title="第二条", picurl="https://example.org/a.png")),
    )
    send(sandbox, markdown('# 寻人\n> **七岁** <font color="warning">急</font>'))
    send(sandbox, text(""))
    sandbox.fail("taoyuan", "http-502")
    assert outcome(sandbox) == "502 <html>"
    _, page = get(sandbox, "")
    for expected in (
        "桃园社区反诈群",
        "青松路/桃园社区",
        "企业微信",
        "第二条",
        '<p class="h h1">寻人</p>',
        '<p class="quote"><strong>七岁</strong> <span class="warning">急</span></p>',
        "没有到群里：缺少文字 text.content",
        "模拟故障 http-502",
        "2026-11-21 20:00:00",
        "没有到群里 <b>1</b>",
        "已到群里 <b>3</b>",
    ):
        assert expected in page


def test_nothing_received_becomes_markup_and_nothing_is_loaded_from_elsewhere(
    sandbox: Sandbox, clock: Clock
) -> None:
    _, empty = get(sandbox, "")
    for payload in (
        text(HOSTILE),
        markdown(f"# {HOSTILE}\n> {HOSTILE}\n[{HOSTILE}](javascript:alert(1)) **{HOSTILE}** `{HOSTILE}`"),
        markdown(f'[x](https://example.org/"onclick="alert(1)) <@{HOSTILE}>'),
        news(
            article(
                title=HOSTILE,
                description=HOSTILE,
                url="javascript:alert(1)",
                picurl="https://example.org/a.png",
            )
        ),
        news({"title": HOSTILE}),
        HOSTILE.encode(),
    ):
        send(sandbox, payload)
    body = json.dumps({HOSTILE: HOSTILE, "lone": "\ud800"}).encode()
    deliver(sandbox, signed(body, clock.now), body)
    response, page = get(sandbox, "")
    before, after = (Counter(tag for tag, _ in Tags(one).found) for one in (empty, page))
    assert after["script"] == before["script"] == 1
    assert after["img"] == after["iframe"] == 0
    for tag, attributes in Tags(page).found:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert "src" not in attributes, tag
        assert not str(attributes.get("href", "")).startswith("javascript"), tag
    assert "{{7*7}}" in page
    policy = response.getheader("Content-Security-Policy")
    assert policy
    assert "default-src 'none'" in policy


@given(st.text(alphabet="<>&\"'`*#[]()@!/ahref=font color:info\n中文", max_size=60))
def test_any_markdown_becomes_only_the_tags_of_a_chat(source: str) -> None:
    allowed = {"p", "strong", "a", "span", "code"}
    assert {tag for tag, _ in Tags(MARKDOWN.html(source)).found} <= allowed


def test_the_second_markdown_has_lists_rules_pictures_and_code() -> None:
    source = '- **一**\n2. *二*\n---\n![图](https://example.org/a.png)\n```\n<b>\n```\n<font color="info">绿</font>'
    assert MARKDOWN_V2.html(source) == (
        '<p class="item">• <strong>一</strong></p><p class="item">2. <em>二</em></p><hr>'
        '<p><span class="picture big"></span></p><pre>&lt;b&gt;\n</pre>'
        "<p>&lt;font color=&#34;info&#34;&gt;绿&lt;/font&gt;</p>"
    )


def test_the_wall_is_sent_again_only_when_it_changed(sandbox: Sandbox) -> None:
    response, _ = get(sandbox, "")
    tag = response.getheader("ETag")
    assert tag
    assert get(sandbox, "", If_None_Match=tag)[0].status == 304
    send(sandbox, text("a"))
    assert get(sandbox, "", If_None_Match=tag)[0].status == 200


def test_the_wall_can_be_narrowed_by_name_and_to_refusals(sandbox: Sandbox) -> None:
    send(sandbox, text(""))
    assert "桃园社区反诈群" in get(sandbox, "?show=refused")[1]
    assert "指挥平台" not in get(sandbox, "?show=refused")[1]
    assert "指挥平台" in get(sandbox, "?q=%E6%8C%87%E6%8C%A5")[1]
    assert "桃园社区反诈群" not in get(sandbox, "?q=%E6%8C%87%E6%8C%A5")[1]


def test_the_wall_of_a_city_draws_the_groups_that_heard_last(clock: Clock) -> None:
    robots = [Robot(platform="wecom", key=f"g{n}", name=f"城市群{n:05}") for n in range(20_000)]
    with Sandbox(robots, clock=clock) as sandbox:
        send(sandbox, text("a"), key="g19999")
        _, page = get(sandbox, "")
    assert "城市群19999" in page
    assert page.count('class="chat"') == 240
    assert "另有 19760 个群没有画出" in page


def test_the_wall_never_shows_a_key(sandbox: Sandbox) -> None:
    with Client(sandbox.url) as client:
        client.post(sandbox.url + "cgi-bin/webhook/send?key=693a91f6-7xxx", text("a"))
    send(sandbox, text("a"))
    _, page = get(sandbox, "")
    assert "693a91f6" not in page
    assert "taoyuan" not in page


def test_health_and_messages_can_be_read_by_another_process(sandbox: Sandbox) -> None:
    send(sandbox, text("你好"))
    assert json.loads(get(sandbox, "healthz")[1]) == {"status": "ok", "robots": 2, "received": 1}
    [message] = json.loads(get(sandbox, "messages.json")[1])["messages"]
    assert (message["robot"], message["seen"], json.loads(message["body"])) == ("taoyuan", True, text("你好"))


def test_describe_prints_what_every_group_received(sandbox: Sandbox, clock: Clock) -> None:
    send(sandbox, news(article(description="不会有安全账户", picurl="https://example.org/a.svg")))
    send(sandbox, text("a" * 2049))
    sandbox.fail("desk", "http-500")
    deliver(
        sandbox,
        signed(b'{"data": 1, "timestamp": 1, "type": "t"}', clock.now),
        b'{"data": 1, "timestamp": 1, "type": "t"}',
    )
    assert describe(sandbox.messages()) == (
        "【桃园社区反诈群】企业微信\n"
        "  20:00:00\n"
        "    ▎警惕冒充公检法\n"
        "      不会有安全账户\n"
        "      https://example.org/a/\n"
        "    ⚠ news.articles[0].picurl 应为 JPG 或 PNG，群里看不到图片\n"
        "  20:00:00\n"
        "    ✗ 没有到群里：text.content 最多 2048 字节，收到 2049 字节\n"
        "\n"
        "【指挥平台】通用接口\n"
        "  20:00:00\n"
        "    {\n"
        '      "data": 1,\n'
        '      "timestamp": 1,\n'
        '      "type": "t"\n'
        "    }\n"
        "    ⚡ 模拟故障 http-500\n"
    )


def test_a_generic_message_is_shown_by_what_it_says_and_whole_only_on_request(
    sandbox: Sandbox, clock: Clock
) -> None:
    data = {
        "title": "每日提示",
        "items": [{"title": "刷单返利", "url": "https://x.test/"}],
        "footer": "派出所",
    }
    body = json.dumps({"type": "group.digest", "timestamp": "", "data": data}, ensure_ascii=False).encode()
    deliver(sandbox, signed(body, clock.now), body)
    assert describe(sandbox.messages()) == (
        "【指挥平台】通用接口\n  20:00:00\n    ▎每日提示\n      · 刷单返利\n      派出所\n"
    )
    folded = get(sandbox, "")[1].partition("<details>")[2].partition("</details>")[0]
    assert "https://x.test/" in folded


def test_no_control_character_reaches_the_terminal(sandbox: Sandbox) -> None:
    send(sandbox, '{"msgtype":"text","text":{"content":"\x7f\x9b31m\u202e红"}}'.encode())
    printed = describe(sandbox.messages())
    assert "\ufffd\ufffd31m\ufffd红" in printed


# The command, and its place among the floors


def test_robots_are_read_from_a_table_of_sandbox_addresses(tmp_path: Path) -> None:
    table = tmp_path / "webhooks.csv"
    table.write_bytes(
        "id,name,platform,webhook,secret\r\n"
        "g1,桃园群,wecom,http://127.0.0.1:8780/cgi-bin/webhook/send?key=taoyuan,\r\n"
        "g2,,,http://localhost:8780/generic/desk,whsec_x\r\n".encode("gbk")
    )
    assert read_robots(table) == [
        Robot(platform="wecom", key="taoyuan", name="桃园群"),
        Robot(platform="generic", key="desk", name="g2", secret="whsec_x"),
    ]


def test_a_real_address_is_refused_without_being_shown_and_all_rows_are_told_at_once(tmp_path: Path) -> None:
    table = tmp_path / "webhooks.csv"
    table.write_text(
        "id,webhook,platform\n"
        "g1,https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6,wecom\n"
        "g2,http://127.0.0.1/cgi-bin/webhook/send?key=a,generic\n"
        "g3,http://127.0.0.1/cgi-bin/webhook/send?key=b,\n"
        "g4,http://127.0.0.1/cgi-bin/webhook/send?key=b,\n"
        "g5,http://[127.0.0.1,wecom\n"
        "g6\n",
        encoding="utf-8-sig",
    )
    with pytest.raises(ProblemsFound) as found:
        read_robots(table)
    assert [problem.line for problem in found.value.problems] == [2, 3, 5, 6, 7]
    assert "693a91f6" not in str(found.value)


def test_the_command_serves_until_it_is_asked_to_end(tmp_path: Path) -> None:
    table = tmp_path / "webhooks.csv"
    table.write_text("id,webhook\ng1,http://127.0.0.1:8780/cgi-bin/webhook/send?key=taoyuan\n")
    code = "from gengfu_scheduler.cli import main; main()"
    options = ["sandbox", "--port", "0", "--groups", str(table), "--store", str(tmp_path / "sandbox.jsonl")]
    with subprocess.Popen(
        [sys.executable, "-c", code, *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        said = process.stdout.readline()
        url = next(word for word in said.split() if word.startswith("http"))
        with Client(url) as client:
            _, body = client.post(url + "cgi-bin/webhook/send?key=taoyuan", text("a"))
        process.terminate()
        assert process.wait(60) == 0
    assert json.loads(body)["errcode"] == 0
    assert "机器人 1 个" in said


def test_the_sandbox_imports_nothing_of_the_scheduler() -> None:
    """It is a second reading of the contract sheet: what it shared with the channels, both could misread."""
    folder = Path(gengfu_scheduler.sandbox.__file__).parent
    imported = {
        node.module
        for file in folder.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("gengfu")
    }
    foreign = {name for name in imported if not str(name).startswith("gengfu_scheduler.sandbox")}
    assert foreign == {"gengfu_site.problems", "gengfu_templates", "gengfu_templates.i18n"}
