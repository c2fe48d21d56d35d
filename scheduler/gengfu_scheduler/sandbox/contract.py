"""What a stand-in for a chat platform must do, and the plain values it does it with.

A new platform is one file in ``platforms/`` that subclasses :class:`Platform`, and one line in its registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Literal
from urllib.parse import SplitResult

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Robot:
    """One group's robot, as the sandbox knows it."""

    platform: str
    """Name of its platform, e.g. ``wecom``."""
    key: str
    """What its address tells it apart by; no two robots of a sandbox share one."""
    name: str
    """The group's name, as the wall shows it."""
    secret: str = field(default="", repr=False)
    """Signing key where the platform has one; empty: signatures are not verified."""
    area: str = ""
    """Label under the name: the area or the owner."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole HTTP answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()

    def wire(self) -> bytes:
        """The answer as HTTP/1.1 sends it."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        if self.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            lines += [f"Content-Length: {len(self.body)}", f"Content-Type: {self.content_type}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, kw_only=True)
class Post:
    """One request to a robot's address."""

    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of a post."""

    answer: Answer
    seen: bool
    """Whether the group gets to see the message."""
    reason: str = ""
    """Why it does not."""
    warnings: tuple[str, ...] = ()
    """What the group sees otherwise than the sender meant: cut, dropped, shown as bare characters."""


class Refused(Exception):
    """Raised while a post is inspected: the group does not see it, and this is the answer."""

    def __init__(self, answer: Answer, reason: str) -> None:
        super().__init__(reason)
        self.answer = answer
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Received:
    """One post that reached the sandbox, accepted or refused, and what was answered."""

    number: int
    """From 1, in the order of arrival."""
    at: datetime
    platform: str
    robot: str
    """The key it was addressed to, known or not."""
    name: str
    """The group's name; empty where no robot has that key."""
    headers: Mapping[str, str]
    """Those that tell who sent it and how it was signed; names in lower case."""
    body: bytes = field(repr=False)
    seen: bool
    """The group has it on its screen."""
    status: int | None
    """Of the HTTP answer; None where no whole answer was given."""
    answer: str
    """Beginning of the answer's body."""
    reason: str
    """Why the group does not see it; empty where it does."""
    warnings: tuple[str, ...] = ()
    fault: str = ""
    """The fault that was played on it; empty where none was."""

    def as_json(self) -> dict[str, Any]:
        """The record as plain JSON values; bytes of the body that are no UTF-8 become lone surrogates."""
        return asdict(self) | {
            "at": self.at.isoformat(),
            "body": self.body.decode("utf-8", "surrogateescape"),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Received:
        """Read what :meth:`as_json` wrote."""
        return cls(
            **record
            | {
                "at": datetime.fromisoformat(record["at"]),
                "body": record["body"].encode("utf-8", "surrogateescape"),
                "warnings": tuple(record["warnings"]),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One piece of a message as the group sees it. A message is drawn as a column of pieces."""

    kind: Literal["cover", "row", "rich", "code", "picture", "source"]
    """``cover``: a card's big first item. ``row``: an item. ``rich``: running text. ``code``: as is.
    ``source``: the whole post, for whoever wants to look it up."""
    title: str = ""
    text: str = ""
    url: str = ""
    picture: bool = False
    """Whether the item comes with a picture. It is never loaded: the wall asks nobody for anything."""
    html: Markup = field(default_factory=Markup)
    """A ``rich`` or ``code`` piece's ``text`` as markup, already safe."""


class Platform(ABC):
    """One chat platform's incoming webhook, as its public documents describe it."""

    name: ClassVar[str]
    """As groups.csv spells it."""
    title: ClassVar[str]
    """As officers call it."""
    accepted: ClassVar[Answer]
    """Its answer to a message it takes."""
    documented: ClassVar[Mapping[str, Verdict]]
    """Its own documented failures by code; each can be asked for as a fault."""

    @abstractmethod
    def address(self, key: str) -> str:
        """Path and query of a robot's address."""

    @abstractmethod
    def key_in(self, target: SplitResult) -> str | None:
        """The key in a request's target, None where the target is not this platform's."""

    @abstractmethod
    def unknown_robot(self) -> Verdict:
        """What it makes of a post to a key that no robot has."""

    @abstractmethod
    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        """Check a post as strictly as the contract allows; return the warnings.

        ``earlier`` is everything the robot got before, oldest first.

        :raises Refused: the group does not see it.
        """

    @abstractmethod
    def draw(self, body: bytes) -> list[Piece]:
        """An accepted message as the group sees it."""

    def judge(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> Verdict:
        """What the platform makes of a post to a robot it knows."""
        try:
            warnings = self.inspect(post, robot, earlier)
        except Refused as refused:
            return Verdict(answer=refused.answer, seen=False, reason=refused.reason)
        return Verdict(answer=self.accepted, seen=True, warnings=tuple(warnings))
