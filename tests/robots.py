"""One robot of the sandbox, posted to without a connection, at times of the test's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gengfu_scheduler.sandbox import Received, Robot
from gengfu_scheduler.sandbox.contract import Answer
from gengfu_scheduler.sandbox.exchange import Exchange
from gengfu_scheduler.sandbox.platforms import PLATFORMS
from gengfu_scheduler.sandbox.wall import pieces

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Chat:
    """A group with a robot of one platform."""

    def __init__(self, platform: str, *, secret: str = "", keyword: str = "") -> None:
        self.platform = PLATFORMS[platform]
        self.now = NOON
        self.exchange = Exchange(
            [Robot(platform=platform, key="taoyuan", name="桃园社区反诈群", secret=secret, keyword=keyword)],
            store=None,
            admit_unknown=False,
            clock=lambda: self.now.timestamp(),
        )

    def post(
        self,
        payload: Any,
        *,
        more_query: str = "",
        content_type: str = "application/json",
        key: str = "taoyuan",
    ) -> Answer:
        """The platform's answer to a payload; bytes go as they are."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        target = urlsplit(self.platform.address(key))
        found = self.platform.key_in(target)
        assert found == key
        answer, _ = self.exchange.receive(
            self.platform,
            found,
            {"content-type": content_type},
            body,
            query=dict(parse_qsl(f"{target.query}&{more_query}", keep_blank_values=True)),
            reused=False,
        )
        return answer

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def last(self) -> Received:
        """What the sandbox put down of the last post."""
        return self.exchange.messages()[-1]

    def drawn(self) -> str:
        """The last message as the wall draws it."""
        return "\n".join(f"{piece.kind}: {piece.html or piece.title}" for piece in pieces(self.last))

    def read(self) -> str:
        """The last message as a terminal shows it."""
        return "\n".join(piece.title or piece.text for piece in pieces(self.last))


def tags(html: str) -> set[str]:
    """Names of the tags in a piece of a page."""
    found: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.add(tag)  # type: ignore[method-assign]
    parser.feed(html)
    return found
