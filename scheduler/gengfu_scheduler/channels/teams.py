"""Microsoft Teams by a Workflows webhook (Power Automate): digest and alert each as an Adaptive Card 1.4.

Contract: https://learn.microsoft.com/connectors/teams/#microsoft-teams-webhook (form),
https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (rates and answers
of the connectors that Workflows replaced; whether flows are held to these rates too is inferred) and
https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features: a TextRun knows no Markdown, so that is
what every word stands in. 202 says that the flow began and not that its card was posted: accepted, not confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from gengfu_scheduler.channels.channel import (
    USUAL_PAUSE,
    HttpChannel,
    Payload,
    Verdict,
    Weight,
    busy,
    dead,
    evidence,
    failure,
    is_page,
    refused,
    seen,
    unreadable,
    whole,
)
from gengfu_scheduler.channels.text import heading, line, more
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.message import Group, Message, Outcome, Pace, Rejected, Sent, Unknown
from gengfu_templates.i18n import _

BODY = 20_000
"""Documented are 28 KB; 21 KB were measured to be refused (inferred: some of them are the flow's own)."""
ELEMENTS = 100
"""Of a card's body. No page names a bound (inferred); a card that long is read by nobody."""

VERDICTS: dict[int, Verdict] = {
    400: refused,  # no card, or one it cannot read
    401: dead,  # signature missing or wrong (unverified)
    403: dead,  # forbidden to whoever made the flow, or to us (unverified)
    404: dead,  # flow deleted (unverified)
    413: refused,
    429: busy(USUAL_PAUSE),
}
"""By status: that of the answer, or that which an answer of 200 tells of. One of 400 to 499 that is not here is
refused, one of 500 and more is unknown."""

_TOLD = re.compile(r"HTTP error (\d{3})")


class Teams(HttpChannel):
    name = "teams"
    hosts = frozenset({".logic.azure.com", ".environment.api.powerplatform.com"})
    # 4 in any second, 60 in 30 s, 100 in an hour, 150 in two hours, 1,800 in a day.
    pace = Pace(every=timedelta(seconds=50), burst=4, reserve=2)

    def payload(self, message: Message, group: Group) -> Payload:
        told = _items(message) if message.form == "digest" else _alert(message)
        colour = "default" if message.form == "digest" else "good" if message.over else "attention"
        title = _text(line(heading(message)), size="large", weight="bolder", color=colour)
        footer = [_text(said, size="small", isSubtle=True) for said in _lines(message.footer)]
        card = {
            "type": "AdaptiveCard",
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "version": "1.4",
            "body": [title, *told, *footer],
            "msteams": {"width": "Full"},
        }
        attachment = {
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": None,
            "content": card,
        }
        return {"type": "message", "attachments": [attachment]}

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        used = len(payload["attachments"][0]["content"]["body"])
        return (whole(payload, BODY), Weight(what=_("卡片行数"), used=used, limit=ELEMENTS, unit="pieces"))

    def outcome(self, answer: Answer) -> Outcome:
        failed = failure(answer)
        if isinstance(failed, Rejected):
            return VERDICTS.get(answer.status, refused)(evidence(answer))
        if failed:
            return failed
        if answer.status == 202:
            return Sent(confirmed=False)
        if answer.status != 200 or is_page(answer):
            return unreadable(answer)
        return _told(answer)


def _told(answer: Answer) -> Outcome:
    """What an answer of 200 tells: ``1`` of a connector that posted, or a failure; else a flow's own words at its end."""
    body = answer.body.decode("utf-8", "replace").strip()
    if body == "1":
        return Sent(confirmed=True)
    if status := _TOLD.search(body):
        number = int(status[1])
        verdict = VERDICTS.get(number, refused)
        return Unknown(reason=evidence(answer)) if number >= 500 else verdict(evidence(answer))
    return unreadable(answer) if "failed" in body.lower() else Sent(confirmed=False)


def _items(message: Message) -> Iterator[Payload]:
    for item in message.items:
        opened = {"type": "Action.OpenUrl", "url": item.url}
        texts = [_text(line(item.title), weight="bolder", color="accent")]
        texts += [_text(line(item.summary))] if item.summary else []
        yield {"type": "Container", "separator": True, "selectAction": opened, "items": texts}


def _alert(message: Message) -> Iterator[Payload]:
    for said in _lines(message.body):
        yield _text(said)
    buttons = [
        {"type": "Action.OpenUrl", "title": more(message), "url": item.url}
        for item in message.items
        if item.url
    ]
    if buttons:
        yield {"type": "ActionSet", "actions": buttons}


def _lines(text: str) -> list[str]:
    # A line a block: what a line break in a text does differs from app to app.
    return [said for said in text.splitlines() if seen(said)]


def _text(text: str, **style: str | bool) -> Payload:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
