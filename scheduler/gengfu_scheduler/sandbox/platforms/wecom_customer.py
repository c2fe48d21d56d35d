"""WeCom's customer groups 企业微信客户群: the calls by which an app asks a group's owner to send a message.

https://developer.work.weixin.qq.com/document/path/91039 (access token),
https://developer.work.weixin.qq.com/document/path/92135 (the task: shapes, sizes, quota),
https://developer.work.weixin.qq.com/document/path/93338 (what became of it),
https://developer.work.weixin.qq.com/document/path/97610 (reminder), https://developer.work.weixin.qq.com/document/path/97611
(cancelling), https://developer.work.weixin.qq.com/document/path/90313 (codes). Every answer is HTTP 200: the code is
in the body.

The text of 41048, also for a quota used up, was seen in public. Inferred: the other texts but those of :mod:`.wecom`;
the codes of malformed requests; that chats of another owner, and those whose quota is used up, end in ``fail_list``;
that a task which its owner has confirmed, or which was cancelled, takes neither reminder nor cancelling (41047) and
that a fourth reminder is answered 45009; that a cancelled task keeps status 0; and that the quota's months are those
of China. Where the documents leave it open, the stricter reading.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import SplitResult
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from gengfu_scheduler.sandbox.contract import (
    Answer,
    Event,
    Piece,
    Post,
    Received,
    Refused,
    Robot,
    Step,
    Taken,
    TaskPlatform,
    Verdict,
)
from gengfu_scheduler.sandbox.platforms.reading import (
    Reader,
    answer_json,
    dead_link,
    is_json,
    json_object,
    strangers,
)
from gengfu_templates.i18n import _, series

CORPID = "ww0sandbox"
CORPSECRET = "sandbox-corpsecret"
"""The one company of every sandbox, and its app: made up, and known to all."""

LIFETIME = timedelta(hours=2)
CHATS = 2000
TEXT_BYTES = 4000
ATTACHMENTS = 9
PAGE, MOST = 500, 1000
"""Results on one page, unless fewer or up to so many are asked for."""
REMINDERS = 3
REMINDERS_WITHIN = timedelta(hours=24)
CALENDAR = ZoneInfo("Asia/Shanghai")
"""In which the months of the quota are reckoned."""

UNSENT, SENT, NO_FRIEND, QUOTA_USED = 0, 1, 2, 3
"""Of a chat, in ``get_groupmsg_send_result``."""
WAITING, DONE = 0, 2
"""Of an owner, in ``get_groupmsg_task``."""

ERRORS = {
    -1: "system busy",
    40001: "invalid credential",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40031: "invalid userid list",
    40035: "invalid parameter",
    40058: "invalid Request Parameter",
    40063: "some parameters are empty",
    41001: "access_token missing",
    41046: "msgid missing",
    41047: "invalid msgid",
    41048: "no customer to send",
    42001: "access_token expired",
    45009: "api freq out of limit",
    45033: "api concurrent out of limit",
    48002: "api forbidden",
    60020: "not allow to access from your ip",
    60111: "userid not found",
    84061: "not external contact",
}

_QUOTA_USED = _("这个群本月能收的条数已经用完")
_MISHAPS = {"no-friend": _("群主已经不在这个群里"), "quota-used": _QUOTA_USED}


def refusal(code: int, detail: str = "") -> Answer:
    """The platform's answer with this code; ``detail`` goes before the code's own text."""
    text = ". ".join(filter(None, (detail, ERRORS[code])))
    if code != -1:
        text += (
            ", hint: [sandbox], from ip: 127.0.0.1, "
            f"more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
    return _answer(code, text)


def _answer(code: int = 0, text: str = "ok", **more: object) -> Answer:
    return Answer(body=answer_json({"errcode": code, "errmsg": text} | more))


def _refused(code: int, reason: str, detail: str = "") -> Refused:
    return Refused(refusal(code, detail), reason)


_READ = Reader(lambda reason, detail: _refused(40058, reason, detail))


class WeComCustomer(TaskPlatform):
    name = "wecom_customer"
    title = _("企业微信客户群")
    calls: ClassVar = (
        "gettoken",
        "add_msg_template",
        "get_groupmsg_task",
        "get_groupmsg_send_result",
        "remind_groupmsg_send",
        "cancel_groupmsg_send",
    )
    mishaps: ClassVar = tuple(_MISHAPS)
    documented: ClassVar = {
        str(code): Verdict(answer=refusal(code), seen=False, reason=_("按要求以此错误码拒收"))
        for code in ERRORS
    }

    def call_in(self, method: str, target: SplitResult) -> str | None:
        if target.path == "/cgi-bin/gettoken":
            return "gettoken" if method == "GET" else None
        name = target.path.removeprefix("/cgi-bin/externalcontact/")
        return name if method == "POST" and name != target.path and name in _CALLS else None

    def take(self, call: str, post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
        try:
            if call != "gettoken":
                _check_token(post)
            return _CALLS[call](post, robots, earlier)
        except Refused as refused:
            lost = _addressed(post.body, robots) if call == "add_msg_template" else []
            events = [
                Event(robot=chat, task="", step="", body=post.body, reason=refused.reason) for chat in lost
            ]
            return Taken(answer=refused.answer, events=events, reason=refused.reason)

    def carry_out(
        self, task: str, at: datetime, earlier: Sequence[Received], befalls: Callable[[str], str]
    ) -> list[Event]:
        full = dict.fromkeys(_full(at, earlier), "quota-used")
        return [
            _carried_out(asked, befalls(asked.robot) or full.get(asked.robot, ""))
            for asked in _standing(task, earlier)
            if asked.step == "asked"
        ]

    def draw(self, body: bytes) -> list[Piece]:
        payload = json.loads(body)
        content = payload.get("text", {}).get("content", "")
        text = [Piece(kind="rich", text=content, html=_lines(content))] if content else []
        return text + [_attachment_piece(one) for one in payload.get("attachments", [])]


# Tokens: whoever holds the secret can make and read them, so none must be kept.


def _gettoken(post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
    if post.query.get("corpid") != CORPID:
        raise _refused(40013, _("corpid 不对"))
    if post.query.get("corpsecret") != CORPSECRET:
        raise _refused(40001, _("corpsecret 不对"))
    issued = str(int(post.at.timestamp()))
    return Taken(
        answer=_answer(access_token=f"{issued}-{_seal(issued)}", expires_in=int(LIFETIME.total_seconds()))
    )


def _seal(issued: str) -> str:
    return hmac.digest(CORPSECRET.encode(), issued.encode(), hashlib.sha256).hex()


def _check_token(post: Post) -> None:
    token = post.query.get("access_token", "")
    if not token:
        raise _refused(41001, _("缺少 access_token"))
    issued, _dash, seal = token.partition("-")
    if not re.fullmatch(r"[0-9]{1,12}", issued) or not hmac.compare_digest(
        seal.encode(), _seal(issued).encode()
    ):
        raise _refused(40014, _("access_token 不对"))
    if post.at >= datetime.fromtimestamp(int(issued), UTC) + LIFETIME:
        raise _refused(42001, _("access_token 已过期"))


# The task


def _add_msg_template(post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
    payload = _payload(post)
    if payload.get("chat_type") != "group":
        raise _refused(40058, _("chat_type 应为 group"), "invalid chat_type")
    sender = _READ.words(payload, "sender", "body")
    owned = {robot.key for robot in robots.values() if robot.account == sender}
    if not owned:
        raise _refused(60111, _("没有群主的账号是 {account}").format(account=sender))
    chats = _READ.texts(payload, "chat_id_list", "body")
    if not 1 <= len(chats) <= CHATS or len(set(chats)) < len(chats):
        # Without a list the platform asks for all groups of the owner: not what a station can want.
        raise _refused(40058, _("chat_id_list 应为 1 至 {n} 个不同的群").format(n=CHATS))
    warnings = _content(payload)
    full = _full(post.at, earlier)
    failed = {
        chat: _QUOTA_USED if chat in full else _("不是 {account} 的群").format(account=sender)
        for chat in chats
        if chat in full or chat not in owned
    }
    asked = [chat for chat in chats if chat not in failed]
    if not asked:
        raise _refused(41048, "；".join(sorted(set(failed.values()))))
    task = f"msgGCAAAX{len({received.task for received in earlier if received.task}) + 1:06}"
    events = [
        Event(
            robot=chat,
            task=task,
            step="asked",
            body=post.body,
            reason=_("等群主 {account} 确认").format(account=sender),
            warnings=tuple(warnings),
        )
        for chat in asked
    ]
    events += [
        Event(robot=chat, task="", step="", body=post.body, reason=reason) for chat, reason in failed.items()
    ]
    return Taken(answer=_answer(fail_list=list(failed), msgid=task), events=events)


def _payload(post: Post) -> dict[str, Any]:
    payload = json_object(post.body)
    if payload is None or not is_json(post):
        raise _refused(40035, _("正文不是 UTF-8 的 JSON 对象，或 Content-Type 不是 application/json"))
    return payload


def _addressed(body: bytes, robots: Mapping[str, Robot]) -> list[str]:
    """The groups that a refused message was for, as far as that can be read."""
    chats = (json_object(body) or {}).get("chat_id_list")
    known = (
        [chat for chat in chats if isinstance(chat, str) and chat in robots]
        if isinstance(chats, list)
        else []
    )
    return list(dict.fromkeys(known)) or [""]


def _content(payload: dict[str, Any]) -> list[str]:
    warnings = strangers(
        payload, {"chat_type", "sender", "chat_id_list", "text", "attachments", "allow_select"}
    )
    attachments = _READ.several(payload, "attachments", "body", most=ATTACHMENTS)
    if "text" in payload:
        content = _READ.words(_READ.part(payload, "text"), "content", "text")
        size = len(content.encode())
        if size > TEXT_BYTES:
            raise _refused(
                40058,
                _("{where} 最多 {limit} 字节，收到 {size} 字节").format(
                    where="text.content", limit=TEXT_BYTES, size=size
                ),
                f"text.content exceed max length {TEXT_BYTES}",
            )
    elif not attachments:
        raise _refused(40063, _("text 和 attachments 不能都没有"))
    for number, attachment in enumerate(attachments):
        kind = attachment.get("msgtype")
        if not isinstance(kind, str) or kind not in _ATTACHMENTS:
            raise _refused(40008, _("msgtype 应为 {known} 之一").format(known=series(_ATTACHMENTS)))
        where = f"attachments[{number}]"
        warnings += strangers(attachment, {"msgtype", kind})
        warnings += _ATTACHMENTS[kind](_READ.part(attachment, kind), f"{where}.{kind}")
    return warnings


def _within(part: dict[str, Any], name: str, where: str, limit: int) -> str:
    words = _READ.words(part, name, where)
    size = len(words.encode())
    if size > limit:
        raise _refused(
            40058,
            _("{where} 最多 {limit} 字节，收到 {size} 字节").format(
                where=f"{where}.{name}", limit=limit, size=size
            ),
            f"{where}.{name} exceed max length {limit}",
        )
    return words


def _link(part: dict[str, Any], where: str) -> list[str]:
    _within(part, "title", where, 128)
    if part.get("desc"):
        _within(part, "desc", where, 512)
    warnings = strangers(part, {"title", "desc", "url", "picurl"})
    if part.get("picurl"):
        warnings += dead_link(_within(part, "picurl", where, 2048), f"{where}.picurl")
    return warnings + dead_link(_within(part, "url", where, 2048), f"{where}.url")


def _image(part: dict[str, Any], where: str) -> list[str]:
    # The sandbox takes no uploads, so no media_id and no address of an uploaded picture can be a known one.
    raise _refused(40007, _("没有上传过这个图片"))


def _miniprogram(part: dict[str, Any], where: str) -> list[str]:
    _within(part, "title", where, 64)
    for name in ("appid", "page", "pic_media_id"):
        _READ.words(part, name, where)
    raise _refused(40007, _("没有上传过这个图片"))


_ATTACHMENTS: dict[str, Callable[[dict[str, Any], str], list[str]]] = {
    "link": _link,
    "image": _image,
    "miniprogram": _miniprogram,
}


# What becomes of a task


def _standing(task: str, earlier: Sequence[Received]) -> list[Received]:
    """The last record of each of a task's groups, reminders aside."""
    standing = {
        received.robot: received
        for received in earlier
        if received.task == task and received.step != "reminded"
    }
    return list(standing.values())


def _full(at: datetime, earlier: Sequence[Received]) -> set[str]:
    """The chats that got as many messages this month as the month has days."""
    now = at.astimezone(CALENDAR)
    begin = datetime(now.year, now.month, 1, tzinfo=CALENDAR)
    got = Counter(received.robot for received in earlier if received.seen and received.at >= begin)
    return {chat for chat, number in got.items() if number >= monthrange(now.year, now.month)[1]}


def _carried_out(asked: Received, mishap: str) -> Event:
    return Event(
        robot=asked.robot,
        task=asked.task,
        step="carried out",
        body=asked.body,
        seen=not mishap,
        reason=_MISHAPS[mishap] if mishap else "",
        warnings=asked.warnings,
        fault=mishap,
    )


def _task(payload: dict[str, Any], earlier: Sequence[Received]) -> list[Received]:
    """How the task that a request names stands with each of its groups."""
    task = payload.get("msgid")
    if not isinstance(task, str) or not task:
        raise _refused(41046, _("缺少文字 {name}").format(name="msgid"))
    standing = _standing(task, earlier)
    if not standing:
        raise _refused(41047, _("没有这个群发任务"))
    return standing


def _get_task(post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
    payload = _payload(post)
    first = _task(payload, earlier)[0]
    _page(payload, [])
    owner: dict[str, object] = {"userid": _sender(first), "status": WAITING}
    if first.step == "carried out":
        owner |= {"status": DONE, "send_time": int(first.at.timestamp())}
    return Taken(answer=_answer(next_cursor="", task_list=[owner]))


def _get_send_result(post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
    payload = _payload(post)
    standing = _task(payload, earlier)
    if _READ.words(payload, "userid", "body") != _sender(standing[0]):
        raise _refused(60111, _("userid 不是这个群发任务的群主"))
    page, cursor = _page(payload, standing)
    return Taken(answer=_answer(next_cursor=cursor, send_list=[_send_result(one) for one in page]))


def _page(payload: dict[str, Any], standing: Sequence[Received]) -> tuple[Sequence[Received], str]:
    """The asked-for page, and where the next one begins; empty where there is none."""
    limit, cursor = payload.get("limit", PAGE), payload.get("cursor", "")
    if type(limit) is not int or not isinstance(cursor, str) or not re.fullmatch(r"[0-9]{0,9}", cursor):
        raise _refused(40035, _("limit 应为整数，cursor 应为上一次返回的 next_cursor"))
    begin = int(cursor or "0")
    end = begin + (limit if 1 <= limit <= MOST else PAGE)
    return standing[begin:end], str(end) if end < len(standing) else ""


def _send_result(received: Received) -> dict[str, object]:
    result: dict[str, object] = {"chat_id": received.robot, "userid": _sender(received), "status": UNSENT}
    if received.step == "carried out":
        failed = NO_FRIEND if received.fault == "no-friend" else QUOTA_USED
        result["status"] = SENT if received.seen else failed
    if received.seen:
        result["send_time"] = int(received.at.timestamp())
    return result


def _sender(received: Received) -> str:
    return str(json.loads(received.body)["sender"])


def _remind(post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
    standing = _task(_payload(post), earlier)
    _check_waiting(standing)
    since = post.at - REMINDERS_WITHIN
    task, chat = standing[0].task, standing[0].robot
    reminded = sum(
        received.at > since
        for received in earlier
        if (received.task, received.robot, received.step) == (task, chat, "reminded")
    )
    if reminded >= REMINDERS:
        raise _refused(45009, _("24 小时内最多提醒 {n} 次").format(n=REMINDERS))
    return Taken(answer=_answer(), events=[_step(received, "reminded") for received in standing])


def _cancel(post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
    standing = _task(_payload(post), earlier)
    _check_waiting(standing)
    cancelled = [
        replace(_step(received, "cancelled"), reason=_("已停止，没有发到群里")) for received in standing
    ]
    return Taken(answer=_answer(), events=cancelled)


def _check_waiting(standing: Sequence[Received]) -> None:
    if not any(received.step == "asked" for received in standing):
        raise _refused(41047, _("这个群发任务已经发出或停止"))


def _step(received: Received, step: Step) -> Event:
    return Event(
        robot=received.robot,
        task=received.task,
        step=step,
        body=received.body,
        reason=received.reason,
        warnings=received.warnings,
    )


_CALLS: dict[str, Callable[[Post, Mapping[str, Robot], Sequence[Received]], Taken]] = {
    "gettoken": _gettoken,
    "add_msg_template": _add_msg_template,
    "get_groupmsg_task": _get_task,
    "get_groupmsg_send_result": _get_send_result,
    "remind_groupmsg_send": _remind,
    "cancel_groupmsg_send": _cancel,
}


# The wall


def _lines(words: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in words.split("\n"))


def _attachment_piece(attachment: dict[str, Any]) -> Piece:
    part = attachment["link"]
    return Piece(
        kind="row",
        title=part["title"],
        text=part.get("desc") or "",
        url=part["url"],
        picture=bool(part.get("picurl")),
    )
