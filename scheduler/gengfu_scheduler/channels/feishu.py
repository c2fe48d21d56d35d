"""Feishu 飞书 and Lark custom bot: digest and alert each as a card.

Contract: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (forms, signature, size, rate) and
https://open.feishu.cn/document/server-docs/getting-started/frequency-control (throttling). Cards are of the first
version (https://open.feishu.cn/document/common-capabilities/message-card/message-cards-content/card-structure/card-content),
which every client shows. The code in the body decides, and comes with HTTP 400 as well as with 200. What is marked
(inferred) was not found on a page or in a log of this interface.

Whatever an officer wrote stands in ``plain_text``, which knows no marks; only a digest's links need Markdown.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gengfu_scheduler.channels.channel import (
    LONGEST_PAUSE,
    USUAL_PAUSE,
    Fitted,
    HttpChannel,
    Payload,
    Verdict,
    Weight,
    busy,
    by_code,
    dead,
    failure,
    refused,
    sent,
    whole,
)
from gengfu_scheduler.channels.text import heading, lacking, line, more, unmarked
from gengfu_scheduler.channels.transport import Answer, Request
from gengfu_scheduler.message import Group, Message, Outcome, Pace, Rejected, Throttled

BODY = 20_000
"""Documented are 20 KB, whichever kilobytes those are."""
SIGNED = len(b'"timestamp":"1599360473","sign":"",') + 44
"""Bytes by which a signature lengthens the body."""
RESET = "x-ogw-ratelimit-reset"
"""Header of a throttled answer: seconds to wait."""


def _malformed_or_busy(text: str) -> Outcome:
    # One code for both: the text alone tells them apart.
    return busy(USUAL_PAUSE)(text) if "too many request" in text.lower() else refused(text)


VERDICTS: dict[int, Verdict] = {
    0: sent,
    9499: _malformed_or_busy,  # "Bad Request", or "too many request"
    11232: busy(USUAL_PAUSE),  # the system is under pressure
    99991400: busy(USUAL_PAUSE),  # over 5 a second or 100 a minute
    230006: busy(USUAL_PAUSE),  # the same (inferred)
    230020: busy(USUAL_PAUSE),  # the same (inferred)
    2200: busy(10, retries=3),  # internal error
    19021: busy(1, retries=1),  # signature wrong or older than an hour: signed anew, once
    19001: dead,  # token invalid
    19007: dead,  # bot disabled (inferred)
    19002: refused,  # bad parameters
    19022: refused,  # our address is not in the bot's list
    19024: refused,  # keyword not found
    19036: refused,  # body too large
    11310: refused,  # too many tables in a card (inferred)
}
"""By code. One that is not here is refused and shown."""


class Feishu(HttpChannel):
    name = "feishu"
    hosts = frozenset({"open.feishu.cn", "open.larksuite.com"})
    pace = Pace(every=timedelta(seconds=0.75), burst=3, reserve=1)  # of 5 in any second and 100 in any minute

    def payload(self, message: Message, group: Group) -> Payload:
        told = self._digest(message) if message.form == "digest" else _alert(message)
        return {
            "msg_type": "interactive",
            "card": {
                "config": {"wide_screen_mode": True},
                "header": {
                    "title": _plain(line(heading(message))),
                    "template": "blue" if message.form == "digest" else "green" if message.over else "red",
                },
                "elements": [*told, *_ending(message, group)],
            },
        }

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        return (whole(payload, BODY, SIGNED),)

    def post(self, fitted: Fitted, group: Group, *, delivery_id: int, now: datetime) -> Request:
        if group.secret:
            timestamp = str(int(now.timestamp()))
            sign = signature(group.secret, timestamp)
            fitted = Fitted(payload={"timestamp": timestamp, "sign": sign, **fitted.payload})
        return super().post(fitted, group, delivery_id=delivery_id, now=now)

    def outcome(self, answer: Answer) -> Outcome:
        said = by_code(answer, "code", "msg", VERDICTS)
        if not (400 <= answer.status < 500 and isinstance(said, Throttled | Rejected)):
            said = failure(answer) or said
        return _as_long_as_asked(said, answer)

    def _digest(self, message: Message) -> list[Payload]:
        text = self._templates.render("feishu-digest.md", message.language, message=unmarked(message))
        return [{"tag": "markdown", "content": text}]


def signature(secret: str, timestamp: str) -> str:
    """The value of ``sign`` in the body. Unlike DingTalk's, the key holds the text and nothing is signed.

    :param timestamp: in seconds; good for an hour.
    """
    digest = hmac.digest(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256)
    return base64.b64encode(digest).decode()


def _alert(message: Message) -> list[Payload]:
    told: list[Payload] = [_text(message.body)] if message.body.strip() else []
    buttons = [
        {"tag": "button", "text": _plain(more(message)), "type": "danger", "url": item.url}
        for item in message.items
        if item.url
    ]
    if buttons:
        told.append({"tag": "action", "actions": buttons})
    return told


def _ending(message: Message, group: Group) -> list[Payload]:
    keyword, footer = lacking(group.keyword, message), line(message.footer)
    said: list[Payload] = [_text(keyword)] if keyword else []
    if footer:
        said += [{"tag": "hr"}, {"tag": "note", "elements": [_plain(footer)]}]
    return said


def _text(text: str) -> Payload:
    return {"tag": "div", "text": _plain(text)}


def _plain(text: str) -> dict[str, Any]:
    return {"tag": "plain_text", "content": text}


def _as_long_as_asked(outcome: Outcome, answer: Answer) -> Outcome:
    asked = answer.headers.get(RESET, "")
    if isinstance(outcome, Throttled) and asked.isascii() and asked.isdigit():
        return replace(outcome, after=min(float(asked), LONGEST_PAUSE))
    return outcome
