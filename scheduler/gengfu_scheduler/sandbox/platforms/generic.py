"""Any receiver of Standard Webhooks 1.0, for systems that are no chat platform.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

Any 2xx is success. The id is an idempotency key: a second post with the id of one already taken is answered
2xx and processed no more, so the group sees nothing twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import SplitResult, quote, unquote

from markupsafe import Markup, escape

from gengfu_scheduler.sandbox.contract import Answer, Piece, Platform, Post, Received, Refused, Robot, Verdict
from gengfu_templates.i18n import _, series

PREFIX = "/generic/"
TOLERANCE = timedelta(minutes=5)
PAYLOAD_BYTES = 20_000


def _refusal(status: int, text: str) -> Answer:
    return Answer(status=status, body=json.dumps({"error": text}).encode())


class Generic(Platform):
    name = "generic"
    title = _("通用接口")
    # Without a body: a sender that looks for more than the status reads the specification wrongly.
    accepted = Answer(status=204)
    documented: ClassVar = {
        str(status): Verdict(answer=_refusal(status, text), seen=False, reason=_("按要求以此状态码拒收"))
        for status, text in {
            400: "bad request",
            401: "signature does not match",
            404: "no such endpoint",
            410: "endpoint is gone",
            413: "payload too large",
        }.items()
    }

    def address(self, key: str) -> str:
        return PREFIX + quote(key, safe="")

    def key_in(self, target: SplitResult) -> str | None:
        return unquote(target.path.removeprefix(PREFIX)) if target.path.startswith(PREFIX) else None

    def unknown_robot(self) -> Verdict:
        return Verdict(answer=_refusal(404, "no such endpoint"), seen=False, reason=_("没有登记这个接收地址"))

    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        message_id = _header(post, "webhook-id")
        timestamp = _header(post, "webhook-timestamp")
        if "." in message_id:
            raise Refused(_refusal(400, "webhook-id holds a full stop"), _("webhook-id 不能含有句点"))
        _check_time(timestamp, post.at)
        if robot.secret:
            _check_signature(post, robot.secret)
        payload = _payload(post)
        _check_repeated(message_id, earlier)
        return _warnings(payload, post, robot)

    def draw(self, body: bytes) -> list[Piece]:
        post = json.loads(body)
        text = json.dumps(post, ensure_ascii=False, indent=2)
        said = _said(post)
        whole = Piece(kind="source" if said else "code", text=text, html=_coloured(text))
        return [*said, whole]


def _header(post: Post, name: str) -> str:
    value = post.headers.get(name, "")
    if not value:
        raise Refused(_refusal(400, f"missing header {name}"), _("缺少请求头 {name}").format(name=name))
    return value


def _check_time(timestamp: str, now: datetime) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise Refused(_refusal(400, "webhook-timestamp is no integer"), _("webhook-timestamp 应为整数秒"))
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > TOLERANCE:
        raise Refused(
            _refusal(400, "webhook-timestamp is too old or too new"),
            _("webhook-timestamp 与现在相差超过 5 分钟"),
        )


def _check_signature(post: Post, secret: str) -> None:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise Refused(
            _refusal(401, "signature does not match"), _("沙箱里登记的密钥不是 whsec_ 加 base64")
        ) from None
    head = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}."
    digest = hmac.digest(key, head.encode() + post.body, hashlib.sha256)
    expected = b"v1," + base64.b64encode(digest)
    given = _header(post, "webhook-signature").encode().split(b" ")
    if not any(hmac.compare_digest(expected, one) for one in given):
        raise Refused(_refusal(401, "signature does not match"), _("webhook-signature 签名不符"))


def _payload(post: Post) -> Any:
    if post.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Refused(_refusal(400, "expected application/json"), _("Content-Type 应为 application/json"))
    try:
        return json.loads(post.body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(_refusal(400, "body is no JSON"), _("正文不是 UTF-8 的 JSON")) from None


def _check_repeated(message_id: str, earlier: Sequence[Received]) -> None:
    for other in earlier:
        if other.seen and other.headers.get("webhook-id") == message_id:
            raise Refused(
                Generic.accepted,
                _("webhook-id 与第 {n} 条相同，当作重复，不再处理").format(n=other.number),
            )


def _warnings(payload: Any, post: Post, robot: Robot) -> list[str]:
    warnings = []
    missing = {"type", "timestamp", "data"} - (payload.keys() if isinstance(payload, dict) else set())
    if missing:
        warnings.append(_("正文缺少规范建议的 {names}").format(names=series(sorted(missing))))
    if len(post.body) > PAYLOAD_BYTES:
        warnings.append(_("正文超过规范建议的 20 KB"))
    if not robot.secret:
        warnings.append(_("没有登记密钥，签名未核对"))
    return warnings


def _said(post: Any) -> list[Piece]:
    """What a post says whose ``data`` has a title, items with titles and a footer; nothing of any other's."""
    data = post.get("data") if isinstance(post, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("title"), str):
        return []
    listed = data.get("items")
    items = (
        [item.get("title") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    )
    parts = [data.get("body"), *(f"· {title}" for title in items), data.get("footer")]
    lines = "\n".join(part for part in parts if isinstance(part, str) and part)
    return [Piece(kind="row", title=data["title"], text=lines)]


_TOKEN = re.compile(r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<string>"(?:[^"\\]|\\.)*")')


def _coloured(text: str) -> Markup:
    html, end = Markup(), 0
    for token in _TOKEN.finditer(text):
        html += escape(text[end : token.start()])
        html += Markup('<span class="{}">{}</span>').format(token.lastgroup, token[0])
        end = token.end()
    return html + escape(text[end:])
