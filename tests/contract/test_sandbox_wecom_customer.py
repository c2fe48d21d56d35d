"""The sandbox makes and carries out tasks for WeCom's customer groups as its server interface documents it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from gengfu_scheduler.sandbox import NothingToConfirm, Robot, Sandbox, UnknownFault, describe
from gengfu_scheduler.sandbox.platforms.wecom_customer import CORPID, CORPSECRET, ERRORS

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR, DAY = 3600, 86_400
TAOYUAN, SONGYUAN, HEDONG = "wrTaoyuan", "wrSongyuan", "wrHedong"
ROBOTS = [
    Robot(platform="wecom_customer", key=TAOYUAN, name="桃园社区邻里群", account="LiMing"),
    Robot(platform="wecom_customer", key=SONGYUAN, name="松园社区邻里群", account="LiMing"),
    Robot(platform="wecom_customer", key=HEDONG, name="河东邻里群", account="WangFang"),
]


class App:
    """A self-built app of the company, and what it knows of its groups' owners."""

    def __init__(self, store: Path | None = None) -> None:
        self.now = NOON.timestamp()
        self.sandbox = Sandbox(ROBOTS, store=store, clock=lambda: self.now)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.sandbox.url).netloc, timeout=60)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def token(self, corpid: str = CORPID, secret: str = CORPSECRET) -> Any:
        return json.loads(
            self.request("GET", f"/cgi-bin/gettoken?corpid={corpid}&corpsecret={quote(secret)}")[1]
        )

    def call(self, name: str, payload: Any, token: str | None = None) -> Any:
        """A call with a token that is still good, unless another is given."""
        if token is None:
            token = self.token()["access_token"]
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        status, answer = self.request(
            "POST",
            f"/cgi-bin/externalcontact/{name}?access_token={token}",
            body,
            Content_Type="application/json",
        )
        assert status == 200
        return json.loads(answer)

    def ask(self, *chats: str, **more: Any) -> str:
        """A task for these groups of LiMing."""
        answer = self.call("add_msg_template", task(*chats or (TAOYUAN,), **more))
        assert (answer["errcode"], answer["fail_list"]) == (0, []), answer
        return str(answer["msgid"])

    def statuses(self, msgid: str, userid: str = "LiMing") -> dict[str, int]:
        answer = self.call("get_groupmsg_send_result", {"msgid": msgid, "userid": userid})
        return {result["chat_id"]: result["status"] for result in answer["send_list"]}

    def seen(self) -> list[str]:
        """The groups that have a message on their screens, once for each."""
        return [received.robot for received in self.sandbox.messages() if received.seen]


@pytest.fixture
def app() -> Iterator[App]:
    app = App()
    with app.sandbox:
        yield app


def task(*chats: str, **more: Any) -> dict[str, Any]:
    return {
        "chat_type": "group",
        "sender": "LiMing",
        "chat_id_list": list(chats),
        "text": {"content": "【桃园派出所】寻人"},
        **more,
    }


def link(**more: Any) -> dict[str, Any]:
    return {"msgtype": "link", "link": {"title": "寻人", "url": "https://example.org/a/7F3K2", **more}}


# Tokens


def test_a_token_is_given_to_who_knows_the_secret_and_good_for_two_hours(app: App) -> None:
    answer = app.token()
    assert (answer["errcode"], answer["errmsg"], answer["expires_in"]) == (0, "ok", 7200)
    app.now += 2 * HOUR - 1
    assert app.call("add_msg_template", task(TAOYUAN), answer["access_token"])["errcode"] == 0
    app.now += 1
    assert app.call("add_msg_template", task(TAOYUAN), answer["access_token"])["errcode"] == 42001


def test_nothing_is_done_without_a_right_token(app: App) -> None:
    assert app.token(corpid="ww0other")["errcode"] == 40013
    assert app.token(secret="guessed")["errcode"] == 40001
    for name in ("add_msg_template", "get_groupmsg_task", "get_groupmsg_send_result"):
        assert app.call(name, task(TAOYUAN), "")["errcode"] == 41001
        assert app.call(name, task(TAOYUAN), "1795000000-00")["errcode"] == 40014
    assert not [received for received in app.sandbox.messages() if received.step]


# The task


def test_a_group_sees_the_message_when_its_owner_confirms_and_not_before(app: App) -> None:
    msgid = app.ask(TAOYUAN, SONGYUAN)
    assert app.seen() == []
    assert app.call("get_groupmsg_task", {"msgid": msgid})["task_list"] == [{"userid": "LiMing", "status": 0}]
    assert app.statuses(msgid) == {TAOYUAN: 0, SONGYUAN: 0}
    app.now += HOUR
    app.sandbox.confirm(msgid)
    assert app.seen() == [TAOYUAN, SONGYUAN]
    assert app.call("get_groupmsg_task", {"msgid": msgid})["task_list"] == [
        {"userid": "LiMing", "status": 2, "send_time": int(app.now)}
    ]
    assert app.call("get_groupmsg_send_result", {"msgid": msgid, "userid": "LiMing"}) == {
        "errcode": 0,
        "errmsg": "ok",
        "next_cursor": "",
        "send_list": [
            {"chat_id": chat, "userid": "LiMing", "status": 1, "send_time": int(app.now)}
            for chat in (TAOYUAN, SONGYUAN)
        ],
    }


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"no json", 40035),
        (b"[1]", 40035),
        ({}, 40058),
        (task(TAOYUAN, chat_type="single"), 40058),
        (task(TAOYUAN, sender=""), 40058),
        (task(TAOYUAN, sender="ZhangSan"), 60111),
        (task(), 40058),
        (task(TAOYUAN, TAOYUAN), 40058),
        (task(*map(str, range(2001))), 40058),
        (task(TAOYUAN, chat_id_list=TAOYUAN), 40058),
        (task(HEDONG), 41048),
        (task("wrGone"), 41048),
        (task(TAOYUAN, text={"content": ""}), 40058),
        (task(TAOYUAN, text={"content": "好" * 1334}), 40058),
        ({name: value for name, value in task(TAOYUAN).items() if name != "text"}, 40063),
        (task(TAOYUAN, attachments=[link()] * 10), 40058),
        (task(TAOYUAN, attachments=[{"msgtype": "news"}]), 40008),
        (task(TAOYUAN, attachments=[{"msgtype": "link"}]), 40058),
        (task(TAOYUAN, attachments=[link(url="")]), 40058),
        (task(TAOYUAN, attachments=[link(title="好" * 43)]), 40058),
        (task(TAOYUAN, attachments=[link(desc="好" * 171)]), 40058),
        (task(TAOYUAN, attachments=[link(url="https://example.org/" + "a" * 2029)]), 40058),
        (task(TAOYUAN, attachments=[{"msgtype": "image", "image": {"media_id": "x"}}]), 40007),
    ],
)
def test_a_task_outside_the_contract_is_refused_and_no_group_asked(app: App, payload: Any, code: int) -> None:
    assert app.call("add_msg_template", payload)["errcode"] == code
    records = app.sandbox.messages()
    assert {(bool(received.reason), received.step, received.seen) for received in records} == {
        (True, "", False)
    }


@pytest.mark.parametrize(
    ("more", "warnings"),
    [
        ({"text": {"content": "好" * 1333}}, ()),
        ({"attachments": [link(desc="好" * 170, picurl="https://example.org/a.png")] * 9}, ()),
        ({"attachments": [link(url="/a/7F3K2")]}, ("attachments[0].link.url 不是完整的网址，点不开",)),
        ({"safe": 0}, ("平台不认识字段 safe",)),
    ],
)
def test_a_task_within_the_contract_is_made(
    app: App, more: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    app.ask(TAOYUAN, **more)
    [received] = app.sandbox.messages(TAOYUAN)
    assert (received.step, received.warnings) == ("asked", warnings)


def test_groups_of_another_owner_come_back_in_the_fail_list(app: App) -> None:
    answer = app.call("add_msg_template", task(TAOYUAN, HEDONG, "wrGone"))
    assert (answer["errcode"], answer["fail_list"]) == (0, [HEDONG, "wrGone"])
    app.sandbox.confirm(answer["msgid"])
    assert app.seen() == [TAOYUAN]


def test_results_come_in_pages(app: App) -> None:
    msgid = app.ask(TAOYUAN, SONGYUAN)
    wish = {"msgid": msgid, "userid": "LiMing", "limit": 1}
    first = app.call("get_groupmsg_send_result", wish)
    second = app.call("get_groupmsg_send_result", wish | {"cursor": first["next_cursor"]})
    assert [page["send_list"][0]["chat_id"] for page in (first, second)] == [TAOYUAN, SONGYUAN]
    assert second["next_cursor"] == ""
    assert app.call("get_groupmsg_send_result", wish | {"cursor": "x"})["errcode"] == 40035
    assert app.call("get_groupmsg_send_result", wish | {"userid": "WangFang"})["errcode"] == 60111


@pytest.mark.parametrize(
    "name", ["get_groupmsg_task", "get_groupmsg_send_result", "remind_groupmsg_send", "cancel_groupmsg_send"]
)
def test_a_task_that_nobody_made_is_unknown(app: App, name: str) -> None:
    assert app.call(name, {"msgid": "msgGone", "userid": "LiMing"})["errcode"] == 41047
    assert app.call(name, {})["errcode"] == 41046


def test_an_owner_is_reminded_three_times_in_any_day(app: App) -> None:
    msgid = app.ask(TAOYUAN, SONGYUAN)

    def remind() -> int:
        return int(app.call("remind_groupmsg_send", {"msgid": msgid})["errcode"])

    assert [remind() for _ in range(4)] == [0, 0, 0, 45009]
    app.now += DAY - 1
    assert remind() == 45009
    app.now += 1
    assert remind() == 0
    app.sandbox.confirm(msgid)
    assert remind() == 41047


def test_a_cancelled_task_reaches_nobody(app: App) -> None:
    msgid = app.ask()
    assert app.call("cancel_groupmsg_send", {"msgid": msgid})["errcode"] == 0
    with pytest.raises(NothingToConfirm, match=msgid):
        app.sandbox.confirm(msgid)
    assert app.statuses(msgid) == {TAOYUAN: 0}
    assert app.call("cancel_groupmsg_send", {"msgid": msgid})["errcode"] == 41047
    assert app.seen() == []


def test_what_was_sent_cannot_be_cancelled_nor_confirmed_again(app: App) -> None:
    msgid = app.ask()
    app.sandbox.confirm(msgid)
    assert app.call("cancel_groupmsg_send", {"msgid": msgid})["errcode"] == 41047
    with pytest.raises(NothingToConfirm):
        app.sandbox.confirm(msgid)
    assert app.seen() == [TAOYUAN]


def test_a_group_gets_as_many_messages_a_month_as_the_month_has_days(app: App) -> None:
    late = app.ask(TAOYUAN, SONGYUAN)
    for _ in range(30):
        app.sandbox.confirm(app.ask(TAOYUAN))
    assert app.call("add_msg_template", task(TAOYUAN))["errcode"] == 41048
    assert app.call("add_msg_template", task(TAOYUAN, SONGYUAN))["fail_list"] == [TAOYUAN]
    app.sandbox.confirm(late)
    assert app.statuses(late) == {TAOYUAN: 3, SONGYUAN: 1}
    # The first of December in China.
    app.now = datetime(2026, 11, 30, 16, 0, tzinfo=UTC).timestamp()
    app.sandbox.confirm(app.ask(TAOYUAN))
    assert app.seen().count(TAOYUAN) == 31


# Faults, the store, the wall


@pytest.mark.parametrize("code", [str(code) for code in ERRORS])
def test_each_documented_code_can_be_asked_for_and_makes_no_task(app: App, code: str) -> None:
    app.sandbox.fail(TAOYUAN, code)
    assert app.call("add_msg_template", task(TAOYUAN))["errcode"] == int(code)
    [received] = app.sandbox.messages()
    assert (received.fault, received.step, received.seen) == (code, "", False)
    app.ask()


@pytest.mark.parametrize(("fault", "asked"), [("http-502", True), ("http-429", False)])
def test_a_fault_tells_whether_the_task_was_made_all_the_same(app: App, fault: str, asked: bool) -> None:
    token = app.token()["access_token"]
    app.sandbox.fail("*", fault)
    status, _ = app.request(
        "POST",
        f"/cgi-bin/externalcontact/add_msg_template?access_token={token}",
        json.dumps(task(TAOYUAN)).encode(),
        Content_Type="application/json",
    )
    assert f"http-{status}" == fault
    assert [received.step for received in app.sandbox.messages()] == ["asked" if asked else ""]


def test_a_fault_can_be_aimed_at_one_call(app: App) -> None:
    app.sandbox.fail("get_groupmsg_send_result", "42001")
    app.sandbox.fail("gettoken", "-1")
    assert app.token()["errcode"] == -1
    msgid = app.ask()
    wish = {"msgid": msgid, "userid": "LiMing"}
    assert [app.call("get_groupmsg_send_result", wish)["errcode"] for _ in range(2)] == [42001, 0]
    with pytest.raises(UnknownFault, match="earthquake"):
        app.sandbox.fail("gettoken", "earthquake")


@pytest.mark.parametrize(("mishap", "status"), [("no-friend", 2), ("quota-used", 3)])
def test_a_mishap_befalls_one_group_of_a_task(app: App, mishap: str, status: int) -> None:
    app.sandbox.fail(TAOYUAN, mishap)
    msgid = app.ask(TAOYUAN, SONGYUAN)
    app.sandbox.confirm(msgid)
    assert app.statuses(msgid) == {TAOYUAN: status, SONGYUAN: 1}
    assert app.seen() == [SONGYUAN]


def test_a_new_sandbox_knows_the_tasks_and_tokens_of_the_last_one(tmp_path: Path) -> None:
    first = App(tmp_path / "sandbox.jsonl")
    with first.sandbox:
        msgid = first.ask(TAOYUAN)
        token = first.token()["access_token"]
    second = App(tmp_path / "sandbox.jsonl")
    with second.sandbox:
        assert second.call("remind_groupmsg_send", {"msgid": msgid}, token)["errcode"] == 0
        second.sandbox.confirm(msgid)
        assert second.seen() == [TAOYUAN]
        assert second.ask(TAOYUAN) != msgid


def test_the_owner_confirms_with_a_button_on_the_wall(app: App) -> None:
    msgid = app.ask(TAOYUAN, attachments=[link(desc="七岁女孩")])
    page = app.request("GET", "/")[1].decode()
    for expected in ("等群主 LiMing 确认", f'name="task" value="{msgid}"', "群主确认发送", "七岁女孩"):
        assert expected in page
    assert "没有到群里 <b>0</b>" in page
    status, _ = app.request("POST", "/confirm", f"task={msgid}".encode())
    assert status == 303
    page = app.request("GET", "/")[1].decode()
    assert "等群主" not in page
    assert "已到群里 <b>1</b>" in page
    assert app.request("POST", "/confirm", f"task={msgid}".encode())[0] == 404


def test_the_terminal_shows_each_task_once_as_it_stands(app: App) -> None:
    sent, cancelled = app.ask(), app.ask()
    app.call("remind_groupmsg_send", {"msgid": cancelled})
    app.call("cancel_groupmsg_send", {"msgid": cancelled})
    app.sandbox.confirm(sent)
    app.ask()
    assert describe(app.sandbox.messages()) == (
        "【桃园社区邻里群】企业微信客户群\n"
        "  20:00:00\n"
        "    … 已停止，没有发到群里\n"
        "  20:00:00\n"
        "    【桃园派出所】寻人\n"
        "  20:00:00\n"
        "    … 等群主 LiMing 确认\n"
    )
