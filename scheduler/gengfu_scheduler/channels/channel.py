"""The two kinds of channel, and what HTTP says on all of them.

An :class:`HttpChannel` is pure: it turns a message into a request and an answer into an outcome; posting is
the transport's. A :class:`LocalChannel` needs no network and ends a delivery itself.
"""

from __future__ import annotations

import html
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from gengfu_scheduler.channels.transport import Answer, Request
from gengfu_scheduler.message import Group, Message, Outcome, Rejected, Throttled, Unknown
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

USUAL_PAUSE = 60.0
"""Seconds to wait where a platform throttles without saying how long; WeCom counts by the minute."""
LONGEST_PAUSE = 86400.0

_PAGE = re.compile(rb"\s*<(?:!doctype +html|html)\b", re.I)
# A tag, and with a style or script what it is about.
_TAG = re.compile(r"<(?:style|script)\b[^<>]*>[^<]*|<[^<>]*>", re.I)


class CannotRender(GengfuError):
    """This message cannot be put in this platform's form; a person must see why."""


class HttpChannel(ABC):
    """A platform that takes posts. ``hosts`` are those of the platform itself; empty if it has none."""

    name: str
    hosts: frozenset[str] = frozenset()

    @abstractmethod
    def request(self, message: Message, group: Group, *, delivery_id: int, now: datetime) -> Request:
        """The post that tells ``group`` of ``message``, within the platform's limits.

        The same delivery id stands for the same delivery, however often it is tried.

        :raises CannotRender: it cannot be told in one post.
        """

    @abstractmethod
    def outcome(self, answer: Answer) -> Outcome:
        """How it ended, by the platform's own word; what is not understood is Unknown or Rejected."""


class LocalChannel(ABC):
    """A channel that ends a delivery on this machine."""

    name: str

    @abstractmethod
    def deliver(self, message: Message, group: Group) -> Outcome:
        """Hand ``message`` on for ``group`` and say how that ended."""


def address(group: Group) -> str:
    """The group's webhook.

    :raises CannotRender: it has none.
    """
    if not group.webhook:
        raise CannotRender(_("群 {group} 没有机器人地址：在 webhooks.csv 里补上").format(group=group.id))
    return group.webhook


def failure(answer: Answer) -> Outcome | None:
    """What the status alone says (https://www.rfc-editor.org/rfc/rfc9110#section-15); None for 2xx.

    A request answered by 408 or 5xx may have been carried out before it failed, and one answered by 301-303
    may have been carried out already: unknown. 307 and 308 ask for the post to be made elsewhere.
    """
    status, text = answer.status, evidence(answer)
    if 200 <= status < 300:
        return None
    if status == 429:
        return Throttled(after=retry_after(answer.headers), reason=text)
    if status in (301, 302, 303, 408) or status >= 500:
        return Unknown(reason=text)
    return Rejected(reason=text)


def evidence(answer: Answer) -> str:
    """Status and body on one line, of a web page only the words.

    Not cut: the group's address must be found in it and taken out first, and half of it would not be found.
    """
    body = answer.body.decode("utf-8", "replace")
    if is_page(answer):
        body = html.unescape(_TAG.sub(" ", body))
    return " ".join(["HTTP", str(answer.status), *body.split()])


def is_page(answer: Answer) -> bool:
    """Whether this is a web page, as a portal or a proxy in between would answer."""
    return "html" in answer.headers.get("content-type", "") or bool(_PAGE.match(answer.body))


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds asked for (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3), else the usual pause."""
    asked = headers.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return min(float(asked), LONGEST_PAUSE)
    try:
        pause = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return USUAL_PAUSE
    return min(max(pause.total_seconds(), 0.0), LONGEST_PAUSE)


def cut(text: str, size: int) -> str:
    """``text`` in at most ``size`` bytes of UTF-8, with … where it was cut; never inside what reads as one sign."""
    if len(text.encode()) <= size:
        return text
    kept = text.encode()[: max(size - len("…".encode()), 0)].decode("utf-8", "ignore")
    while kept and _joins(text[len(kept)], kept[-1]):
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _joins(following: str, last: str) -> bool:
    """Whether ``following`` belongs to the sign before it: accents, joiners, emoji variations."""
    return (
        last == "\u200d"
        or following in "\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= following <= "\U0001f3ff"
        or unicodedata.category(following).startswith("M")
    )
