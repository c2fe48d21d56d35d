"""DingTalk custom robot 钉钉自定义机器人: a digest as a feed card or as Markdown, an alert as an action card.

Contract: https://open.dingtalk.com/document/robots/custom-robot-access (forms, signature, rate) and
https://open.dingtalk.com/document/robots/customize-robot-security-settings (keyword, signature). HTTP is 200 either
way; the code in the body decides. What is marked (inferred) was not found on a page or in a log of this interface.

A feed card shows a picture and a title for each item and nothing else, so it is used where every item has a
picture; the item's summary is then behind the link. The whole of an action card leads to its one button's
page (整体跳转), so a digest, whose links differ, is never one. A mention takes the member ``at``, which is never posted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote

from gengfu_scheduler.channels.channel import (
    JSON,
    Fitted,
    HttpChannel,
    Payload,
    Verdict,
    Weight,
    address,
    busy,
    by_code,
    dead,
    failure,
    refused,
    sent,
    whole,
)
from gengfu_scheduler.channels.text import heading, lacking, more, unmarked
from gengfu_scheduler.channels.transport import Answer, Request
from gengfu_scheduler.message import Group, Message, Outcome, Pace

BODY = 20_000
BAN = 600
"""Seconds for which a robot is silenced that posted more than 20 times in a minute."""

_SIGNATURE = re.compile(r"\bsign|timestamp|签名|时间戳", re.I)


def _security(text: str) -> Outcome:
    # One code for all three checks. A signature ages while it waits, a keyword or a list of addresses does not.
    return busy(1, retries=1)(text) if _SIGNATURE.search(text) else refused(text)


VERDICTS: dict[int, Verdict] = {
    0: sent,
    -1: busy(10, retries=3),  # system busy
    130101: busy(BAN),  # send too fast, exceed 20 times per minute
    410100: busy(BAN),  # the same, in the newer interface
    302033: busy(BAN),  # the same (inferred)
    660026: busy(BAN),  # the same (inferred)
    310000: _security,  # keyword, signature or address check failed
    300005: dead,  # token does not exist (inferred)
    400013: dead,  # group disbanded
    400101: dead,  # token unknown
    400102: dead,  # robot disabled
    400106: dead,  # robot not in the group
    # The month's quota. Waiting for next month outlasts every delivery, so a person must see it now; the address
    # is well and works again on the first, so it is not disabled.
    90020: refused,
    90030: refused,
    400105: refused,  # bad msgtype
    400402: refused,  # a member is missing
    40035: refused,  # no JSON
    43004: refused,  # bad content type
    430101: refused,  # unsafe link
    430102: refused,  # unsafe text
    430103: refused,  # unsafe picture
    430104: refused,  # unsafe content
    460101: refused,  # message too long
    101002: refused,  # the same, of old
}
"""By errcode. A code that is not here is refused and shown."""


class DingTalk(HttpChannel):
    name = "dingtalk"
    hosts = frozenset({"oapi.dingtalk.com"})
    pace = Pace(every=timedelta(seconds=4), burst=5, reserve=2)  # of 20 in any minute

    def payload(self, message: Message, group: Group) -> Payload:
        message = unmarked(message)
        if message.form == "digest":
            return _feed(message, group) or self._markdown("dingtalk-digest.md", message, group)
        url = next((item.url for item in message.items if item.url), "")
        plain = self._markdown("dingtalk-alert.md", message, group)
        if not url:
            return plain
        button = {"singleTitle": more(message), "singleURL": url}
        return {"msgtype": "actionCard", "actionCard": {**plain["markdown"], **button}}

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        return (whole(payload, BODY),)

    def post(self, fitted: Fitted, group: Group, *, delivery_id: int, now: datetime) -> Request:
        url = address(group)
        if group.secret:
            timestamp = str(int(now.timestamp() * 1000))
            url += f"&timestamp={timestamp}&sign={signature(group.secret, timestamp)}"
        return Request(key=delivery_id, url=url, body=fitted.body, headers=JSON)

    def outcome(self, answer: Answer) -> Outcome:
        return failure(answer) or by_code(answer, "errcode", "errmsg", VERDICTS)

    def _markdown(self, template: str, message: Message, group: Group) -> Payload:
        text = self._templates.render(
            template,
            message.language,
            message=message,
            title=heading(message),
            lines=message.body.splitlines(),
            keyword=lacking(group.keyword, message),
            footer=message.footer,
        )
        return {"msgtype": "markdown", "markdown": {"title": heading(message), "text": text}}


def signature(secret: str, timestamp: str) -> str:
    """The value of ``sign`` in the address, quoted.

    :param timestamp: in milliseconds; good for an hour.
    """
    digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
    return quote(base64.b64encode(digest), safe="")


def _feed(message: Message, group: Group) -> Payload | None:
    """The digest as pictures with titles; None where an item has no picture, or nobody would read the keyword."""
    titles = replace(message, items=tuple(replace(item, summary="") for item in message.items))
    if not all(item.image for item in message.items) or lacking(group.keyword, titles):
        return None
    links = [{"title": item.title, "messageURL": item.url, "picURL": item.image} for item in message.items]
    links[0]["title"] = f"{heading(message)}｜{links[0]['title']}"
    if message.footer:
        # A link must have a picture too; the first has been seen already and says nothing new.
        home = message.home or message.items[0].url
        links.append({"title": message.footer, "messageURL": home, "picURL": message.items[0].image})
    return {"msgtype": "feedCard", "feedCard": {"links": links}}
