"""The custom robot of DingTalk 钉钉.

https://open.dingtalk.com/document/robots/custom-robot-access (shapes, signature, keywords, rate). Every answer is
HTTP 200: the code is in the body. Seen in public: the texts of 130101, 310000 (keywords, sign) and 460101. Inferred:
the other texts, that a title counts for the keyword but a button does not, that the keyword is looked for after
the signature, and that posts during a ban do not prolong it. Where the documents name no code for a fault of ours,
the nearest code refuses it, as in :mod:`.wecom`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import SplitResult, parse_qs, quote

from markupsafe import Markup, escape

from gengfu_scheduler.sandbox.contract import Answer, Piece, Platform, Post, Received, Refused, Robot, Verdict
from gengfu_scheduler.sandbox.platforms.markdown import BOLD, ITALIC, LINK, Markdown, marks
from gengfu_scheduler.sandbox.platforms.reading import (
    Reader,
    answer_json,
    is_json,
    json_object,
    strangers,
    unsupported,
)
from gengfu_scheduler.sandbox.rates import wait
from gengfu_templates.i18n import _, series

PATH = "/robot/send"
BODY_BYTES = 20_000
RATE = 20
RATE_WINDOW = timedelta(minutes=1)
BAN = timedelta(minutes=10)
TOLERANCE = timedelta(hours=1)
MORE = ", more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"
KEYWORDS = "keywords not in content" + MORE
SIGN = "sign not match" + MORE
TIMESTAMP = "invalid timestamp" + MORE

ERRORS = {
    -1: "系统繁忙",
    40035: "缺少参数 json",
    43004: "无效的HTTP HEADER Content-Type",
    90020: "api quota of this month is used up",
    90030: "webhook over limit",
    101002: "message too long, exceed 20000 bytes",
    130101: "send too fast, exceed 20 times per minute",
    300005: "token is not exist",
    302033: "send too fast",
    310000: KEYWORDS,
    400013: "群已被解散",
    400101: "access_token不存在",
    400102: "机器人已停用",
    400105: "不支持的消息类型",
    400106: "机器人不存在",
    400402: "缺少参数",
    410100: "发送速度太快而限流",
    430101: "含有不安全的外链",
    430102: "含有不合适的文本",
    430103: "含有不合适的图片",
    430104: "含有不合适的内容",
    460101: "message too long, exceed 20000 bytes",
    660026: "send too fast",
}

_MARKDOWN = Markdown(
    inline=marks(
        LINK,
        BOLD,
        ITALIC,
        r"!\[[^\]\n]*\]\((?P<picture>https?://[^\s)]+)\)",
        r'<font color="#[0-9a-fA-F]{6}">(?P<coloured>.*?)</font>',
        r"@(?P<at>[\w-]+)",
    ),
    headings=True,
    quotes=True,
    lists=True,
    joined=True,
)
_UNSUPPORTED = {
    _("表格"): re.compile(r"(?m)^\s*\|?[ :]*-{3,}[ :]*\|"),
    _("代码块"): re.compile(r"(?m)^\s*(?:```|~~~)"),
    _("行内代码"): re.compile(r"`[^`\n]+`"),
    _("删除线"): re.compile(r"~~[^~\n]+~~"),
    _("双引号里六位十六进制以外的字色"): re.compile(r'<font(?! color="#[0-9a-fA-F]{6}">)'),
    _("font 以外的 HTML 标签"): re.compile(r"</?(?!font\b)[a-zA-Z][^>]*>"),
}
# Of two lines that neither blanks, nor an empty line, nor a mark keep apart.
_RUN_ON = re.compile(r"(?m)^(?![#>\s]|[-*+] |\d+\. )[^\n]*[^\s]\n(?![#>\s]|[-*+] |\d+\. )\S")


def refusal(code: int, text: str = "") -> Answer:
    """The platform's answer with this code, in its usual words unless others are given."""
    # Where it throttles, its gateway answers, and says so in words of its own.
    gateway = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "sandbox"}
    return Answer(
        body=answer_json(
            (gateway if code == 130101 else {}) | {"errcode": code, "errmsg": text or ERRORS[code]}
        )
    )


def _asked_for(answer: Answer) -> Verdict:
    return Verdict(answer=answer, seen=False, reason=_("按要求以此错误码拒收"))


class DingTalk(Platform):
    name = "dingtalk"
    title = _("钉钉")
    accepted = Answer(body=answer_json({"errcode": 0, "errmsg": "ok"}))
    documented: ClassVar = {str(code): _asked_for(refusal(code)) for code in ERRORS} | {
        "310000-sign": _asked_for(refusal(310000, SIGN)),
        "310000-timestamp": _asked_for(refusal(310000, TIMESTAMP)),
        "310000-solution": _asked_for(
            refusal(
                310000,
                "description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳必须都放在调用的网址中",
            )
        ),
    }

    def address(self, key: str) -> str:
        return f"{PATH}?access_token={quote(key, safe='')}"

    def key_in(self, target: SplitResult) -> str | None:
        return parse_qs(target.query).get("access_token", [""])[0] if target.path == PATH else None

    def unknown_robot(self) -> Verdict:
        return Verdict(answer=refusal(400101), seen=False, reason=_("没有机器人使用这个 access_token"))

    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        _check_rate(post, earlier)
        if not is_json(post):
            raise _refused(43004, _("Content-Type 应为 application/json"))
        if len(post.body) > BODY_BYTES:
            raise _refused(
                460101,
                _("整个正文最多 {limit} 字节，收到 {size} 字节").format(
                    limit=BODY_BYTES, size=len(post.body)
                ),
            )
        payload = json_object(post.body)
        if payload is None:
            raise _refused(40035, _("正文不是 UTF-8 的 JSON 对象"))
        if robot.secret:
            _check_signature(post, robot.secret)
        kind = payload.get("msgtype")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise _refused(400105, _("msgtype 应为 {known} 之一").format(known=series(_KINDS)))
        part = _READ.part(payload, kind)
        warnings = strangers(payload, {"msgtype", kind, "at"}) + _KINDS[kind](part)
        warnings += _mentions(payload, kind, part)
        if robot.keyword and robot.keyword not in _said(kind, part):
            raise _refused(310000, _("正文和标题里没有机器人要求的关键词“{word}”").format(word=robot.keyword))
        return warnings

    def draw(self, body: bytes) -> list[Piece]:
        payload = json.loads(body)
        kind = payload["msgtype"]
        part = payload[kind]
        match kind:
            case "text":
                return [_text_piece(part["content"], payload.get("at", {}))]
            case "markdown":
                return [_markdown_piece(part["text"])]
            case "link":
                return [
                    Piece(
                        kind="row",
                        title=part["title"],
                        text=part["text"],
                        url=part["messageUrl"],
                        picture=bool(part.get("picUrl")),
                    )
                ]
            case "actionCard":
                return [_markdown_piece(part["text"]), *_buttons(part)]
            case _:
                return [
                    Piece(
                        kind="row" if number else "cover",
                        title=link["title"],
                        url=link["messageURL"],
                        picture=True,
                    )
                    for number, link in enumerate(part["links"])
                ]


def _refused(code: int, reason: str, text: str = "") -> Refused:
    return Refused(refusal(code, text), reason)


_READ = Reader(lambda reason, detail: _refused(400402, reason, f"{ERRORS[400402]}: {detail}"))


def _check_rate(post: Post, earlier: Sequence[Received]) -> None:
    banned_until = None
    for other in earlier:
        begun = '"errcode": 130101' in other.answer and not other.fault
        if begun and (banned_until is None or other.at >= banned_until):
            banned_until = other.at + BAN
    if banned_until and post.at < banned_until:
        raise _refused(130101, _("发送过快，被限流十分钟"))
    if wait({RATE_WINDOW: RATE}, post.at, earlier) > timedelta():
        raise _refused(130101, _("一分钟内超过 {n} 条，限流十分钟").format(n=RATE))


def _check_signature(post: Post, secret: str) -> None:
    timestamp = post.query.get("timestamp", "")
    if not re.fullmatch(r"[0-9]{1,15}", timestamp):
        raise _refused(310000, _("网址里没有毫秒时间戳 timestamp"), SIGN)
    if abs(post.at - datetime.fromtimestamp(int(timestamp) / 1000, UTC)) > TOLERANCE:
        raise _refused(310000, _("timestamp 应为毫秒，与现在相差不超过 1 小时"), TIMESTAMP)
    digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
    if not hmac.compare_digest(base64.b64encode(digest), post.query.get("sign", "").encode()):
        raise _refused(310000, _("sign 签名不符"), SIGN)


def _text(part: dict[str, Any]) -> list[str]:
    _READ.words(part, "content", "text")
    return strangers(part, {"content"})


def _link(part: dict[str, Any]) -> list[str]:
    for name in ("title", "text", "messageUrl"):
        _READ.words(part, name, "link")
    _READ.optional(part, "picUrl", "link")
    return strangers(part, {"title", "text", "messageUrl", "picUrl"}) + _dead(part, "messageUrl", "link")


def _markdown(part: dict[str, Any]) -> list[str]:
    _READ.words(part, "title", "markdown")
    return strangers(part, {"title", "text"}) + _marks(_READ.words(part, "text", "markdown"))


def _action_card(part: dict[str, Any]) -> list[str]:
    where = "actionCard"
    _READ.words(part, "title", where)
    warnings = _marks(_READ.words(part, "text", where))
    if part.get("btnOrientation", "0") not in ("0", "1"):
        raise _refused(400402, _('{where} 应为 "0" 或 "1"').format(where=f"{where}.btnOrientation"))
    if "singleTitle" in part or "singleURL" in part:
        _READ.words(part, "singleTitle", where)
        _READ.words(part, "singleURL", where)
        warnings += _dead(part, "singleURL", where)
        if part.get("btns"):
            warnings.append(_("有 singleTitle 时 btns 无效，群里看不到这些按钮"))
    else:
        for number, button in enumerate(_READ.several(part, "btns", where, least=1, most=20)):
            place = f"{where}.btns[{number}]"
            _READ.words(button, "title", place)
            _READ.words(button, "actionURL", place)
            warnings += strangers(button, {"title", "actionURL"}) + _dead(button, "actionURL", place)
    return warnings + strangers(part, {"title", "text", "singleTitle", "singleURL", "btns", "btnOrientation"})


def _feed_card(part: dict[str, Any]) -> list[str]:
    warnings = strangers(part, {"links"})
    for number, link in enumerate(_READ.several(part, "links", "feedCard", least=1, most=20)):
        where = f"feedCard.links[{number}]"
        for name in ("title", "messageURL", "picURL"):
            _READ.words(link, name, where)
        warnings += strangers(link, {"title", "messageURL", "picURL"})
        warnings += _dead(link, "messageURL", where) + _dead(link, "picURL", where)
    return warnings


_KINDS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "text": _text,
    "link": _link,
    "markdown": _markdown,
    "actionCard": _action_card,
    "feedCard": _feed_card,
}


def _dead(part: dict[str, Any], name: str, where: str) -> list[str]:
    if re.match(r"(?:https?|dingtalk)://[^\s/]", part[name]):
        return []
    return [_("{where} 不是完整的网址，点不开").format(where=f"{where}.{name}")]


def _marks(source: str) -> list[str]:
    warnings = unsupported(source, _UNSUPPORTED)
    if _RUN_ON.search(source):
        warnings.append(_("单个换行不起作用，两行会连成一行；行末加两个空格，或者空一行"))
    return warnings


def _mentions(payload: dict[str, Any], kind: str, part: dict[str, Any]) -> list[str]:
    if "at" not in payload:
        return []
    at = _READ.part(payload, "at")
    called = _READ.texts(at, "atMobiles", "at") + _READ.texts(at, "atUserIds", "at")
    if not isinstance(at.get("isAtAll", False), bool):
        raise _refused(400402, _("{name} 应为 true 或 false").format(name="at.isAtAll"))
    warnings = strangers(at, {"atMobiles", "atUserIds", "isAtAll"})
    if kind not in ("text", "markdown") and (called or at.get("isAtAll")):
        warnings.append(_("{kind} 消息不能 @ 人").format(kind=kind))
    elif kind == "markdown":
        warnings += [
            _("要 @ 的 {one} 没有写在正文里，不会有提醒").format(one=one)
            for one in called
            if f"@{one}" not in part["text"]
        ]
    return warnings


def _said(kind: str, part: dict[str, Any]) -> str:
    """The text in which the keyword is looked for."""
    if kind == "feedCard":
        return "\n".join(link["title"] for link in part["links"])
    return "\n".join(str(part.get(name, "")) for name in ("title", "text", "content"))


def _text_piece(content: str, at: dict[str, Any]) -> Piece:
    named = [*at.get("atMobiles", []), *at.get("atUserIds", [])]
    everyone = [_("所有人")] if at.get("isAtAll") else []
    called = [f"@{one}" for one in [*everyone, *named] if f"@{one}" not in content]
    words = "\n".join(filter(None, [content, " ".join(called)]))
    return Piece(kind="rich", text=words, html=Markup("<br>").join(escape(w) for w in words.split("\n")))


def _markdown_piece(source: str) -> Piece:
    return Piece(kind="rich", text=source, html=_MARKDOWN.html(source))


def _buttons(part: dict[str, Any]) -> list[Piece]:
    if "singleTitle" in part:
        return [Piece(kind="button", title=part["singleTitle"], url=part["singleURL"])]
    return [Piece(kind="button", title=one["title"], url=one["actionURL"]) for one in part["btns"]]
