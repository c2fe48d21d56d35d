"""What a stand-in for a chat platform must do, and the plain values it does it with.

A new platform is one file in ``platforms/`` that subclasses :class:`Platform` (a robot with an address of its own)
or :class:`TaskPlatform` (an owner confirms what a server interface asks for), and one line in its registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
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
    keyword: str = ""
    """Word that every message must hold, where the platform has such a check; empty: it is not made."""
    account: str = ""
    """The owner's account, where the platform asks the owner to confirm."""
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
    query: Mapping[str, str] = field(default_factory=dict)
    """Of the address, decoded; of a name given twice the first."""


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


Step = Literal["", "asked", "reminded", "cancelled", "carried out"]
"""What a record tells of a task whose owner must confirm it; empty where a message goes to its group at once."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a call to a platform's server interface, or its owner's confirmation, means to one group."""

    robot: str
    """Key of the group."""
    task: str
    """The platform's id of the task; empty where none came of it."""
    step: Step
    body: bytes
    """The message."""
    seen: bool = False
    reason: str = ""
    """Why the group does not see it, or not yet."""
    warnings: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Received:
    """One post that reached the sandbox, accepted or refused, and what was answered.

    Where an owner must confirm, there is a record for each group and step of its task.
    """

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
    task: str = ""
    """The platform's id of the task it belongs to."""
    step: Step = ""

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

    kind: Literal["head", "cover", "row", "rich", "small", "rule", "button", "code", "picture", "source"]
    """``head``: a card's title bar. ``cover``: a card's big first item. ``row``: an item. ``rich``: running text.
    ``small``: running text in small print. ``rule``: a line across. ``button``: leads to ``url``. ``code``: as is.
    ``source``: the whole post, for whoever wants to look it up."""
    tone: Literal["", "bad", "warning", "good", "calm"] = ""
    """Colour of a ``head`` or ``button``: red, orange, green, grey; without one the app's own."""
    title: str = ""
    text: str = ""
    url: str = ""
    picture: bool = False
    """Whether the item comes with a picture. It is never loaded: the wall asks nobody for anything."""
    html: Markup = field(default_factory=Markup)
    """A ``rich``, ``small`` or ``code`` piece's ``text`` as markup, already safe."""


class App(ABC):
    """One chat app, as far as the group wall needs to know it."""

    name: ClassVar[str]
    """No two have the same; where it has robots, as groups.csv spells it."""
    title: ClassVar[str]
    """As officers call it."""
    documented: ClassVar[Mapping[str, Verdict]]
    """Its own documented failures by code; each can be asked for as a fault."""

    @abstractmethod
    def draw(self, body: bytes) -> list[Piece]:
        """An accepted message as the group sees it."""


class Platform(App):
    """One chat platform's incoming webhook, as its public documents describe it."""

    accepted: ClassVar[Answer]
    """Its answer to a message it takes."""

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

    def acceptance(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> Answer:
        """Its answer to this post, which it takes: :attr:`accepted`, unless it repeats something of the post."""
        return self.accepted

    def judge(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> Verdict:
        """What the platform makes of a post to a robot it knows."""
        try:
            warnings = self.inspect(post, robot, earlier)
        except Refused as refused:
            return Verdict(answer=refused.answer, seen=False, reason=refused.reason)
        answer = self.acceptance(post, robot, earlier)
        return Verdict(answer=answer, seen=True, warnings=tuple(warnings))


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What becomes of a call to a platform's server interface."""

    answer: Answer
    events: Sequence[Event] = ()
    """What it means to groups; of a refused call, which groups would have been asked."""
    reason: str = ""
    """Why it was refused; empty where it was done."""


class TaskPlatform(App):
    """A platform that sends nothing by itself: its server interface makes a task, the group's owner confirms it.

    It keeps no state of its own. What happened before is read from ``earlier``: all its records, oldest first.
    """

    calls: ClassVar[Collection[str]]
    """Names of its calls."""
    mishaps: ClassVar[Collection[str]]
    """What can befall one group of a task when it is carried out; each can be asked for as a fault."""

    @abstractmethod
    def call_in(self, method: str, target: SplitResult) -> str | None:
        """Which call a request is, None where it is not this platform's."""

    @abstractmethod
    def take(self, call: str, post: Post, robots: Mapping[str, Robot], earlier: Sequence[Received]) -> Taken:
        """What becomes of a call, checked as strictly as the contract allows.

        :param robots: the platform's groups, by key.
        """

    @abstractmethod
    def carry_out(
        self, task: str, at: datetime, earlier: Sequence[Received], befalls: Callable[[str], str]
    ) -> list[Event]:
        """What the groups of a task get when its owner confirms it; nothing where none of them waits.

        :param befalls: asked once for each group that waits, by its key: one of :attr:`mishaps`, or empty.
        """
