"""WeCom customer groups 企业微信客户群: the platform asks a group's owner, who confirms there.

Contract: https://developer.work.weixin.qq.com/document/path/92135 makes a task, which sends nothing by itself;
https://developer.work.weixin.qq.com/document/path/93338 says how it stands, path/97610 reminds and path/97611
cancels; all by a token (path/91039). Codes: path/90313. HTTP is 200 either way. No ``msgid`` can be given beforehand: a task whose
making was not answered may exist. Not tried against the platform; what was not found in its pages is marked (inferred).

A month has as many messages for a group as it has days. A part would cost one, so an alert that is too long is cut,
and its link leads to all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlencode

from gengfu_scheduler.channels.channel import (
    JSON,
    Fitted,
    HttpChannel,
    Payload,
    Verdict,
    Weight,
    busy,
    by_code,
    cut,
    encoded,
    failure,
    members,
    refused,
    sent,
    unreadable,
)
from gengfu_scheduler.channels.text import CannotRender, heading, line, more
from gengfu_scheduler.channels.transport import Answer, Request, host_of
from gengfu_scheduler.message import Group, Handed, Item, Message, Outcome, Rejected, Sent
from gengfu_templates.i18n import _

API = "https://qyapi.weixin.qq.com"
CORP, SECRET, ELSEWHERE = "GENGFU_WECOM_CORP_ID", "GENGFU_WECOM_SECRET", "GENGFU_WECOM_API"
"""Variables of the environment: the company, the secret of its own app, and an API in another place."""

TEXT = 4000
TITLE, DESCRIPTION, ADDRESS = 128, 512, 2048
PAGE = 1000
"""Results in one answer, at most."""

VERDICTS: dict[int, Verdict] = {
    0: sent,
    -1: busy(10, retries=3),  # system busy; the platform asks for no more than three
    45009: busy(60),  # too many calls
    45033: busy(10),  # too many calls at once (inferred)
    40014: busy(60, retries=3),  # token not valid, although it is new
    42001: busy(60, retries=3),  # token expired, although it is new
    40001: refused,  # wrong secret
    40013: refused,  # wrong corp id
    40003: refused,  # no such account
    40050: refused,  # no such chat (inferred)
    40058: refused,  # bad parameter
    41048: refused,  # nobody to send to (inferred)
    48002: refused,  # the app may not call this: not listed under 可调用接口的应用
    60020: refused,  # not from this address: not listed under 企业可信IP
    60111: refused,  # no such account
}
"""By errcode, of every call. A code that is not here is refused and shown."""

_STALE = (40014, 42001)
_SENT = 1
_NOT_SENT = (2, 3)


@dataclass(frozen=True, kw_only=True)
class App:
    """The station's own app, by which the platform knows it."""

    corp: str = field(repr=False)
    secret: str = field(repr=False)
    api: str = API

    @property
    def host(self) -> str:
        return host_of(self.api)

    def token_request(self) -> Request:
        query = urlencode({"corpid": self.corp, "corpsecret": self.secret})
        url = f"{self.api}/cgi-bin/gettoken?{query}"
        return Request(key=0, url=url, body=b"", headers={}, method="GET")

    def request(self, call: Call, token: str, key: int) -> Request:
        url = f"{self.api}/cgi-bin/externalcontact/{call.name}?{urlencode({'access_token': token})}"
        return Request(key=key, url=url, body=encoded(call.body), headers=JSON)


def app_in(environ: Mapping[str, str]) -> App | None:
    """The app that ``environ`` names; None where it names none, or not all of it."""
    corp, secret = environ.get(CORP, ""), environ.get(SECRET, "")
    api = environ.get(ELSEWHERE) or API
    return App(corp=corp, secret=secret, api=api.rstrip("/")) if corp and secret else None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the platform's interface."""

    name: str
    body: Payload


def create(payload: Payload, chats: Collection[str]) -> Call:
    """Ask the owner of ``chats`` to send them ``payload``."""
    return Call(name="add_msg_template", body={**payload, "chat_id_list": list(chats)})


def results(task: str, account: str, cursor: str = "") -> Call:
    body = {"msgid": task, "userid": account, "limit": PAGE, **({"cursor": cursor} if cursor else {})}
    return Call(name="get_groupmsg_send_result", body=body)


def remind(task: str) -> Call:
    return Call(name="remind_groupmsg_send", body={"msgid": task})


def cancel(task: str) -> Call:
    return Call(name="cancel_groupmsg_send", body={"msgid": task})


class WeComCustomer(HttpChannel):
    """What an owner is asked to send; one task may be for up to 2,000 of her groups."""

    name = "wecom-customer"
    hosts = frozenset({"qyapi.weixin.qq.com"})

    def payload(self, message: Message, group: Group) -> Payload:
        link = _link(message)
        content = self._text(message, linked=link is not None)
        over = len(content.encode()) - TEXT
        if message.form == "alert" and over > 0:
            shorter = cut(message.body, max(len(message.body.encode()) - over, 0))
            content = self._text(replace(message, body=shorter), linked=link is not None)
        payload: Payload = {
            "chat_type": "group",
            "sender": group.account,
            "chat_id_list": [group.chat],
            "text": {"content": content},
        }
        return {**payload, "attachments": [link]} if link else payload

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        used = len(payload["text"]["content"].encode())
        links = [attachment["link"]["url"] for attachment in payload.get("attachments", ())]
        return (
            Weight(what=_("正文"), used=used, limit=TEXT, unit="bytes"),
            *(Weight(what=_("网址"), used=len(u.encode()), limit=ADDRESS, unit="bytes") for u in links),
        )

    def parts(self, message: Message, group: Group) -> tuple[Message, ...]:
        return (message,)

    def post(self, fitted: Fitted, group: Group, *, delivery_id: int, now: datetime) -> Request:
        raise CannotRender(_("群 {group} 由群主在企业微信里确认，不能直接发").format(group=group.id))

    def outcome(self, answer: Answer) -> Outcome:
        """How the making of a task ended: ``Handed`` with its name, to whoever was asked."""
        judged = judge(answer)
        if not isinstance(judged, Sent):
            return judged
        task = members(answer).get("msgid")
        return Handed(to="", task=task) if isinstance(task, str) and task else unreadable(answer)

    def _text(self, message: Message, *, linked: bool) -> str:
        if linked:
            message = replace(message, items=tuple(replace(item, url="") for item in message.items))
        return self._templates.render("text.txt", message.language, message=message)


def _link(message: Message) -> Payload | None:
    """The one page there is to open, as a card; of several each has its address in the text."""
    if len(message.items) != 1 or not message.items[0].url:
        return None
    item = message.items[0]
    title, description = _on_card(message, item)
    link = {
        "title": cut(line(title), TITLE),
        "desc": cut(line(description), DESCRIPTION),
        "url": item.url,
        **({"picurl": item.image} if item.image and len(item.image.encode()) <= ADDRESS else {}),
    }
    return {"msgtype": "link", "link": link}


def _on_card(message: Message, item: Item) -> tuple[str, str]:
    return (heading(message), more(message)) if message.form == "alert" else (item.title, item.summary)


# --- answers --------------------------------------------------------------------------------------


def judge(answer: Answer) -> Outcome:
    """How a call ended, by the platform's own word."""
    return failure(answer) or by_code(answer, "errcode", "errmsg", VERDICTS)


def token_in(answer: Answer) -> str | Outcome:
    """The token, or why there is none."""
    judged = judge(answer)
    if not isinstance(judged, Sent):
        return judged
    token = members(answer).get("access_token")
    return token if isinstance(token, str) and token else unreadable(answer)


def is_stale(answer: Answer) -> bool:
    """Whether the call was refused because its token is not valid any more."""
    body = members(answer)
    return answer.status == 200 and body.get("errcode") in _STALE


def left_out(answer: Answer) -> frozenset[str]:
    """The chats that a task was made without, if it was made."""
    if not isinstance(judge(answer), Sent):
        return frozenset()
    found = members(answer).get("fail_list")
    return (
        frozenset(chat for chat in found if isinstance(chat, str)) if isinstance(found, list) else frozenset()
    )


def not_theirs(group: Group) -> Rejected:
    """Why a chat was left out."""
    reason = _("企业微信说这个群发不了：{chat} 不是 {account} 的客户群，或已不能群发")
    return Rejected(reason=reason.format(chat=group.chat, account=group.account))


@dataclass(frozen=True, kw_only=True)
class Results:
    """What became of a task, a page of it. Chats that wait for their owner are not named by the platform."""

    sent: frozenset[str]
    refused: Mapping[str, str]
    """Chats, and why the platform did not send to them."""
    cursor: str
    """Of the next page; empty at the last."""


def results_in(answer: Answer) -> Results | None:
    """What the platform says of a task; None where it says nothing."""
    if not isinstance(judge(answer), Sent):
        return None
    body = members(answer)
    found, cursor = body.get("send_list"), body.get("next_cursor")
    chats = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    status = {one["chat_id"]: one.get("status") for one in chats if isinstance(one.get("chat_id"), str)}
    return Results(
        sent=frozenset(chat for chat, code in status.items() if code == _SENT),
        refused={chat: _why_not(code) for chat, code in status.items() if code in _NOT_SENT},
        cursor=cursor if isinstance(cursor, str) else "",
    )


def _why_not(status: int) -> str:
    if status == 3:
        return _("企业微信没有发到群里：这个群收到的群发已到上限")
    return _("企业微信没有发到群里：群主已不能给这个群群发")
