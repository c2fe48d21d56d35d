"""What a channel is, and what HTTP and the platforms' codes say on all of them.

An :class:`HttpChannel` is pure: it turns a message into a request and an answer into an outcome; posting is
the transport's. A :class:`LocalChannel` ends a delivery itself.
"""

from __future__ import annotations

import html
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Literal

from gengfu_scheduler.channels.parts import joins, split
from gengfu_scheduler.channels.text import CannotRender, Templates
from gengfu_scheduler.channels.transport import Answer, Request
from gengfu_scheduler.message import Group, Message, Outcome, Pace, Rejected, Sent, Throttled, Unknown
from gengfu_templates.i18n import _

USUAL_PAUSE = 60.0
"""Seconds to wait where a platform throttles without saying how long; WeCom counts by the minute."""
LONGEST_PAUSE = 86400.0

_PAGE = re.compile(rb"\s*<(?:!doctype +html|html)\b", re.I)
# A tag, and with a style or script what it is about.
_TAG = re.compile(r"<(?:style|script)\b[^<>]*>[^<]*|<[^<>]*>", re.I)
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

Payload = dict[str, Any]
"""What is posted, before it is JSON text."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A payload within its platform's limits. Its text is made once, however many groups are told it."""

    payload: Payload

    @cached_property
    def body(self) -> bytes:
        return encoded(self.payload)


@dataclass(frozen=True, kw_only=True)
class Weight:
    """How much of one of a platform's limits a message takes."""

    what: str
    """What is limited, in the officer's words: 标题, 正文, 整条消息."""
    used: int
    limit: int
    unit: Literal["bytes", "characters", "pieces"]
    """Bytes are those of UTF-8."""


class HttpChannel(ABC):
    """A platform that takes posts."""

    name: str
    hosts: frozenset[str] = frozenset()
    """Those of the platform itself; one that begins with a dot stands for all below it. Empty if it has none."""
    pace: Pace | None = None
    """How often one webhook may be posted to; None where the platform sets no limit."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    @abstractmethod
    def payload(self, message: Message, group: Group) -> Payload:
        """What tells ``group`` of ``message``, in the platform's best form for it.

        What the platform cuts by itself (a card's title) is cut here; what it refuses is for :meth:`weigh`.
        """

    @abstractmethod
    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        """What of the platform's limits ``payload`` takes: all that it would refuse to be exceeded."""

    def alike(self, group: Group) -> Hashable:
        """What of ``group`` its payload depends on: groups of which it is equal are told a message alike."""
        return group.keyword

    def request(self, message: Message, group: Group, *, delivery_id: int, now: datetime) -> Request:
        """The post that tells ``group`` of ``message``.

        The same delivery id stands for the same delivery, however often it is tried.

        :raises CannotRender: it cannot be told in one post, or not to this group.
        """
        return self.post(self.fitting(message, group), group, delivery_id=delivery_id, now=now)

    def fitting(self, message: Message, group: Group) -> Fitted:
        """:meth:`payload`, within the platform's limits.

        :raises CannotRender: it is beyond one of them.
        """
        payload = self.payload(message, group)
        for weight in self.weigh(payload):
            if weight.used > weight.limit:
                raise CannotRender(
                    _("{platform}放不下：{what} {used}，最多 {limit}").format(
                        platform=self.name, what=weight.what, used=weight.used, limit=weight.limit
                    )
                )
        return Fitted(payload=payload)

    def post(self, fitted: Fitted, group: Group, *, delivery_id: int, now: datetime) -> Request:
        """``fitted`` on its way to ``group``; signed, where the platform wants that.

        :raises CannotRender: the group's address or secret is missing or wrong.
        """
        return Request(key=delivery_id, url=address(group), body=fitted.body, headers=JSON)

    def fits(self, message: Message, group: Group) -> bool:
        """Whether ``message`` can be told in one post."""
        return all(weight.used <= weight.limit for weight in self.weigh(self.payload(message, group)))

    def parts(self, message: Message, group: Group) -> tuple[Message, ...]:
        """``message`` in as many posts as it takes, in order.

        :raises CannotRender: not even the shortest part of it fits.
        """
        parts = split(message, lambda part: self.fits(part, group))
        if parts is None:
            raise CannotRender(_("标题和落款太长，{platform}一条都放不下").format(platform=self.name))
        return parts

    @abstractmethod
    def outcome(self, answer: Answer) -> Outcome:
        """How it ended, by the platform's own word; what is not understood is Unknown or Rejected."""


class LocalChannel(ABC):
    """A channel that ends a delivery itself, on this machine or by somebody else's library."""

    name: str
    slow: bool = False
    """Whether a delivery may take seconds; then it runs beside the posts, in a thread of its own."""

    @abstractmethod
    def deliver(self, message: Message, group: Group) -> Outcome:
        """Hand ``message`` on for ``group`` and say how that ended."""


JSON = {"Content-Type": "application/json; charset=utf-8"}


def encoded(payload: Payload) -> bytes:
    """``payload`` as JSON with its characters raw: platforms count bytes, and WeCom refuses ``\\uxxxx`` (40033).

    What JSON or UTF-8 cannot hold as it is, control characters and halves of a surrogate pair, is left out.
    """
    return json.dumps(_writable(payload), ensure_ascii=False, separators=(",", ":")).encode()


def _writable(value: Any) -> Any:
    match value:
        case str():
            return _UNWRITABLE.sub("", value)
        case dict():
            return {name: _writable(member) for name, member in value.items()}
        case list() | tuple():
            return [_writable(member) for member in value]
        case _:
            return value


def whole(payload: Payload, limit: int, besides: int = 0) -> Weight:
    """What the body takes where a platform limits that; ``besides``: bytes that are added when it is posted."""
    used = len(encoded(payload)) + besides
    return Weight(what=_("整条消息"), used=used, limit=limit, unit="bytes")


def seen(text: str) -> bool:
    """Whether there is anything in it that a reader sees: platforms refuse texts without."""
    return any(sign.isprintable() and not sign.isspace() for sign in text)


def characters(text: str) -> int:
    """Units of UTF-16: never fewer than any platform may count that counts characters."""
    return len(text.encode("utf-16-le", "replace")) // 2


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
    status = answer.status
    if 200 <= status < 300:
        return None
    text = evidence(answer)
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
    except (ValueError, TypeError, OverflowError):
        return USUAL_PAUSE
    return min(max(pause.total_seconds(), 0.0), LONGEST_PAUSE)


Verdict = Callable[[str], Outcome]
"""What one of a platform's codes means; called with the evidence."""


def sent(text: str) -> Outcome:
    return Sent(confirmed=True)


def busy(seconds: float, retries: int | None = None) -> Verdict:
    """Refused for now: again after so many seconds, at most so many times."""
    return lambda text: Throttled(after=seconds, reason=text, retries=retries)


def refused(text: str) -> Outcome:
    return Rejected(reason=text)


def dead(text: str) -> Outcome:
    """Refused for good, because the address itself leads nowhere any more."""
    return Rejected(reason=text, disable=True)


def unreadable(answer: Answer) -> Unknown:
    """2xx, and not in the platform's words: nobody can say."""
    return Unknown(reason=_("看不懂的回答：{answer}").format(answer=evidence(answer)))


def by_code(answer: Answer, code: str, text: str, verdicts: Mapping[int, Verdict]) -> Outcome:
    """What the number in the body's member ``code`` means by ``verdicts``; ``text`` names the member that explains it.

    A number that is not in the table is refused and shown; a body without one is unknown.
    """
    body = members(answer)
    found = body.get(code)
    if type(found) is not int:  # true and false are, to Python, numbers too
        return unreadable(answer)
    return verdicts.get(found, refused)(f"{found} {body.get(text, '')}")


def members(answer: Answer) -> dict[str, Any]:
    """The members of the JSON object in the body; none where it is anything else, nested beyond measure too."""
    try:
        body = json.loads(answer.body)
        if b"\\" in answer.body or not answer.body.isascii():
            # JSON can name half a sign (a lone surrogate), which nothing can write down.
            body = json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def cut(text: str, size: int) -> str:
    """``text`` in at most ``size`` bytes of UTF-8, with … where it was cut; never inside what reads as one sign."""
    if len(text.encode()) <= size:
        return text
    kept = text.encode()[: max(size - len("…".encode()), 0)].decode("utf-8", "ignore")
    while kept and joins(text[len(kept)], kept[-1]):
        kept = kept[:-1]
    return kept.rstrip() + "…"
