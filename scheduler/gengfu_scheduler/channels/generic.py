"""Any receiver of Standard Webhooks 1.0: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

``type`` is ``group.digest`` or ``group.alert``, ``data`` the message as :class:`~gengfu_scheduler.message.Message`
has it, with the group's id. The group's secret, ``whsec_`` and base64, signs; without one the post is unsigned.

The specification calls every 2xx a success, so that is the receiver's confirmation. With a web page, as a portal in
between would answer, it is nobody's: unknown. The specification advises to retry whatever else comes, because a receiver can tell
a repetition by ``webhook-id``. We do not for 5xx: it can, but need not, and a digest twice in a group is worse
than one that is listed as unknown. An alert's second sending carries the same id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Hashable
from dataclasses import asdict
from datetime import UTC, datetime

from gengfu_scheduler.channels.channel import (
    JSON,
    Fitted,
    HttpChannel,
    Payload,
    Weight,
    address,
    encoded,
    evidence,
    failure,
    is_page,
)
from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.channels.transport import Answer, Request
from gengfu_scheduler.message import Group, Message, Outcome, Rejected, Sent, Unknown
from gengfu_templates.i18n import _


class Generic(HttpChannel):
    name = "generic"

    def payload(self, message: Message, group: Group) -> Payload:
        return {"type": f"group.{message.form}", "data": {"group": group.id, **asdict(message)}}

    def alike(self, group: Group) -> Hashable:
        return group.id

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        return ()  # the specification sets no limit

    def post(self, fitted: Fitted, group: Group, *, delivery_id: int, now: datetime) -> Request:
        body = encoded({**fitted.payload, "timestamp": now.astimezone(UTC).isoformat()})
        headers = {
            **JSON,
            "webhook-id": _id(fitted.payload, delivery_id),
            "webhook-timestamp": str(int(now.timestamp())),
        }
        if group.secret:
            headers["webhook-signature"] = signature(
                _key(group), id=headers["webhook-id"], timestamp=headers["webhook-timestamp"], body=body
            )
        return Request(key=delivery_id, url=address(group), body=body, headers=headers)

    def outcome(self, answer: Answer) -> Outcome:
        if answer.status == 410:
            return Rejected(reason=evidence(answer), disable=True)
        if failed := failure(answer):
            return failed
        return Unknown(reason=evidence(answer)) if is_page(answer) else Sent(confirmed=True)


def signature(key: bytes, *, id: str, timestamp: str, body: bytes) -> str:
    """The value of ``webhook-signature`` for a symmetric ``key``."""
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def _id(payload: Payload, delivery_id: int) -> str:
    """The same for each try of a delivery, another for any other delivery, also of a station set up anew."""
    told = encoded({**payload, "data": {**payload["data"], "resent": False}})
    return "msg_" + hashlib.sha256(b"%d %s" % (delivery_id, told)).hexdigest()[:32]


def _key(group: Group) -> bytes:
    prefix, _underscore, encoded = (group.secret or "").partition("_")
    try:
        if prefix == "whsec":
            return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        pass
    raise CannotRender(_("群 {group} 的密钥写法不对：应为 whsec_ 加 base64").format(group=group.id))
