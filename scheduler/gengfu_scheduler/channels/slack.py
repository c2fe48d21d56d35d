"""Slack incoming webhook: header, sections, and the footer as context; a digest's items and an alert's page as links.

Contract: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, for what is refused
https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks, for sizes
https://docs.slack.dev/reference/block-kit/blocks. Success is status 200 with the body ``ok``; else the body is
a word that says why. Words marked (inferred) are in no page of Slack's.

The page of an alert is a link, not a button: after a press on one Slack asks the webhook's app to confirm it, and
shows every reader a warning where there is none (https://github.com/slackapi/slack-github-action/issues/513).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gengfu_scheduler.channels.channel import (
    HttpChannel,
    Payload,
    Verdict,
    Weight,
    characters,
    dead,
    encoded,
    evidence,
    failure,
    refused,
    seen,
    sent,
    unreadable,
)
from gengfu_scheduler.channels.text import heading, line, more, unmarked
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.message import Group, Message, Outcome, Pace
from gengfu_templates.i18n import _

HEADER = 150
SECTION = 3000
BLOCKS = 50
WHOLE = 13_200
"""All blocks together, seen in https://github.com/slackapi/bolt-js/issues/2509 and in no page of Slack's. Those were
Latin characters: counted in bytes here, it holds whatever Slack counts a Chinese one for."""

VERDICTS: dict[str, Verdict] = {
    "no_service": dead,  # webhook disabled, removed, or never there
    "no_service_id": dead,  # address cut short (inferred)
    "no_team": dead,  # workspace gone (inferred)
    "team_disabled": dead,  # workspace closed (inferred)
    "invalid_token": dead,  # address wrong or revoked (inferred)
    "channel_not_found": dead,  # channel deleted, or whoever made the webhook has left
    "channel_is_archived": dead,
    "action_prohibited": refused,  # an admin restricted the channel; may be lifted with the address unchanged
    "posting_to_general_channel_denied": refused,  # likewise, of the one channel that has everybody
    "invalid_payload": refused,
    "invalid_blocks": refused,
    "invalid_blocks_format": refused,
    "msg_blocks_too_long": refused,
    "no_text": refused,
    "missing_text_or_fallback_or_attachments": refused,
    "user_not_found": refused,
}
"""By the body of an answer of 400 to 499. A word that is not here is refused and shown."""

# https://docs.slack.dev/messaging/formatting-message-text/#escaping
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# At the beginning of a line an escaped ">" makes a quotation too.
_UNQUOTED = {**_ESCAPED, ord(">"): "＞"}


class Slack(HttpChannel):
    name = "slack"
    hosts = frozenset({"hooks.slack.com"})
    pace = Pace(every=timedelta(seconds=1), burst=4, reserve=2)  # "1 per second", short bursts allowed

    def payload(self, message: Message, group: Group) -> Payload:
        # What notifications and screen readers say, for they do not read blocks.
        text = self._templates.render("text.txt", message.language, message=message)
        told = _items(message) if message.form == "digest" else _alert(message)
        blocks = [{"type": "header", "text": _plain(line(heading(message)))}, *told]
        if message.footer:
            blocks.append({"type": "context", "elements": [_plain(message.footer)]})
        return {"text": text.translate(_ESCAPED), "blocks": blocks}

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        header, *others = payload["blocks"]
        sections = [block["text"]["text"] for block in others if block["type"] == "section"]
        return (
            Weight(
                what=_("消息标题"), used=characters(header["text"]["text"]), limit=HEADER, unit="characters"
            ),
            Weight(
                what=_("最长的一段"),
                used=max(map(characters, sections), default=0),
                limit=SECTION,
                unit="characters",
            ),
            Weight(what=_("段数"), used=len(payload["blocks"]), limit=BLOCKS, unit="pieces"),
            Weight(
                what=_("整条消息"),
                used=len(encoded({"blocks": payload["blocks"]})),
                limit=WHOLE,
                unit="bytes",
            ),
        )

    def outcome(self, answer: Answer) -> Outcome:
        word = answer.body.decode("utf-8", "replace").strip()
        if 400 <= answer.status < 500 and word in VERDICTS:
            return VERDICTS[word](evidence(answer))
        if failed := failure(answer):
            return failed
        return sent(word) if (answer.status, word) == (200, "ok") else unreadable(answer)


def _items(message: Message) -> Iterator[Payload]:
    for item in unmarked(message).items:
        summary = f"\n{item.summary.translate(_UNQUOTED)}" if item.summary else ""
        yield _marked(_link(item.url, item.title) + summary)


def _alert(message: Message) -> Iterator[Payload]:
    for section in _sections(message.body):
        yield {"type": "section", "text": _plain(section)}
    for item in message.items:
        if item.url:
            yield _marked(_link(item.url, more(message)))


def _sections(body: str) -> Iterator[str]:
    """Whole lines together, as many as a section holds. A line that none holds stays whole: that is refused."""
    lines: list[str] = []
    for said in body.splitlines():
        if lines and characters("\n".join([*lines, said]).translate(_ESCAPED)) > SECTION:
            yield "\n".join(lines)
            lines = []
        if lines or seen(said):
            lines.append(said)
    if lines:
        yield "\n".join(lines)


def _link(url: str, text: str) -> str:
    return f"*<{url.translate(_ESCAPED).replace('|', '%7C')}|{text.translate(_UNQUOTED)}>*"


def _marked(text: str) -> Payload:
    # Verbatim: only what is marked here becomes a link.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _plain(text: str) -> Payload:
    return {"type": "plain_text", "text": text.translate(_ESCAPED), "emoji": False}
