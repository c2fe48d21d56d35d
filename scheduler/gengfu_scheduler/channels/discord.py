"""Discord webhook: the title as text, which notifications show; items and alert as embeds, the footer in the last.

Contract: https://docs.discord.com/developers/resources/webhook#execute-webhook (``wait``, without which nothing is
said of a message that was not saved), https://docs.discord.com/developers/resources/message#embed-object-embed-limits
and https://docs.discord.com/developers/topics/rate-limits. Success is 200 with the message, by its ``id``. The
rates are those seen by others (https://github.com/discord/discord-api-docs/issues/367); Discord asks to go by
its answers instead, which we do besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gengfu_scheduler.channels.channel import (
    LONGEST_PAUSE,
    Fitted,
    HttpChannel,
    Payload,
    Verdict,
    Weight,
    characters,
    dead,
    evidence,
    failure,
    members,
    refused,
    seen,
    unreadable,
)
from gengfu_scheduler.channels.text import heading, more, unmarked
from gengfu_scheduler.channels.transport import Answer, Request
from gengfu_scheduler.message import Group, Message, Outcome, Pace, Sent, Throttled
from gengfu_templates.i18n import _

CONTENT = 2000
EMBEDS = 10
TITLE = 256
DESCRIPTION = 4096
FOOTER = 2048
EMBEDDED = 6000
"""Titles, descriptions and footers of all embeds together."""
_RED, _GREEN = 0xC0392B, 0x2E7D4F

VERDICTS: dict[int, Verdict] = {
    10015: dead,  # unknown webhook: deleted
    50027: dead,  # invalid webhook token
    50035: refused,  # invalid form body
    50006: refused,  # empty message
    220001: refused,  # a forum's webhook wants thread_id in its address
}
"""By the body's ``code``, with a status of 400 to 499. One that is not here is refused and shown."""


class Discord(HttpChannel):
    name = "discord"
    hosts = frozenset({"discord.com", "discordapp.com"})
    pace = Pace(every=timedelta(seconds=2.5), burst=5, reserve=2)  # of 5 in any 2 s and 30 in any minute

    def payload(self, message: Message, group: Group) -> Payload:
        plain = _unquoted(unmarked(message))
        embeds = list(_items(plain) if message.form == "digest" else _alert(plain))
        if message.footer:
            # A footer knows no marks.
            last = embeds.pop() if embeds else {}
            embeds.append({**last, "footer": {"text": message.footer}})
        return {
            "content": f"**{heading(plain)}**",
            "embeds": embeds,
            "allowed_mentions": {"parse": []},
        }

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        embeds = payload["embeds"]
        titles, descriptions = ([e.get(part, "") for e in embeds] for part in ("title", "description"))
        footers = [e["footer"]["text"] for e in embeds if "footer" in e]
        return (
            _weight(_("消息标题"), [payload["content"]], CONTENT),
            Weight(what=_("图文条数"), used=len(embeds), limit=EMBEDS, unit="pieces"),
            _weight(_("条目标题"), titles, TITLE),
            _weight(_("正文"), descriptions, DESCRIPTION),
            _weight(_("落款"), footers, FOOTER),
            _weight(_("整条消息"), ["".join([*titles, *descriptions, *footers])], EMBEDDED),
        )

    def post(self, fitted: Fitted, group: Group, *, delivery_id: int, now: datetime) -> Request:
        request = super().post(fitted, group, delivery_id=delivery_id, now=now)
        return replace(request, url=_waiting(request.url))

    def outcome(self, answer: Answer) -> Outcome:
        body = members(answer)
        if answer.status == 429:
            return _as_long_as_asked(body, answer)
        if answer.status in (401, 403):
            return dead(evidence(answer))
        code = body.get("code")
        if 400 <= answer.status < 500 and isinstance(code, int) and code in VERDICTS:
            return VERDICTS[code](evidence(answer))
        if answer.status == 404:
            return dead(evidence(answer))
        if failed := failure(answer):
            return failed
        if answer.status == 204:
            return Sent(confirmed=False)  # taken without a look: "wait" was lost on the way
        said = answer.status == 200 and body.get("id")
        return Sent(confirmed=True) if said else unreadable(answer)


def _items(message: Message) -> Iterator[Payload]:
    for item in message.items:
        embed = {"title": item.title, "url": item.url, "description": item.summary}
        yield {**embed, "thumbnail": {"url": item.image}} if item.image else embed


def _alert(message: Message) -> Iterator[Payload]:
    links = [f"**[{more(message)}]({_closed(item.url)})**" for item in message.items if item.url]
    if told := "\n\n".join([*([message.body] if seen(message.body) else []), *links]):
        yield {"description": told, "color": _GREEN if message.over else _RED}


def _closed(url: str) -> str:
    """``url`` without what would end the link that it stands in."""
    return url.replace("(", "%28").replace(")", "%29")


def _unquoted(message: Message) -> Message:
    """``message`` without the ``>`` that makes a line a quotation."""
    return replace(
        message,
        body=message.body.replace(">", "＞"),
        items=tuple(replace(item, summary=item.summary.replace(">", "＞")) for item in message.items),
    )


def _waiting(url: str) -> str:
    """``url`` with ``wait=true``, and what else its query holds (``thread_id``)."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "wait"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("wait", "true")]), fragment=""))


def _weight(what: str, texts: list[str], limit: int) -> Weight:
    used = max(map(characters, texts), default=0)
    return Weight(what=what, used=used, limit=limit, unit="characters")


def _as_long_as_asked(body: dict[str, Any], answer: Answer) -> Outcome:
    """The body says the pause to the millisecond, the header only in whole seconds."""
    asked = body.get("retry_after")
    said = failure(answer)
    if isinstance(said, Throttled) and isinstance(asked, int | float) and asked >= 0:
        return replace(said, after=float(min(asked, LONGEST_PAUSE)))
    return said or unreadable(answer)
