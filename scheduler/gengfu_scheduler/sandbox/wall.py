"""The group wall: what every group has on its screen, as a page and as text.

Everything received is hostile: on the page it is escaped and nothing is ever loaded from elsewhere, in the
terminal no control character gets through.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache, lru_cache
from hashlib import sha256
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from gengfu_scheduler.sandbox.contract import Piece, Received, Robot
from gengfu_scheduler.sandbox.platforms import APPS
from gengfu_templates import MESSAGES
from gengfu_templates.i18n import _, officer_language

CHINA = ZoneInfo("Asia/Shanghai")
CHATS = 240
"""Most windows on one page; a town has fewer groups, a city looks for one by name."""
MESSAGES_A_CHAT = 30
RAW_CHARACTERS = 2000


@dataclass(frozen=True, kw_only=True)
class Chat:
    """One group's window."""

    id: str
    """For the page's own use; tells nothing of the key."""
    name: str
    platform: str
    area: str
    messages: Sequence[Received]
    known: bool
    """Whether a robot has the key; else these are the posts to a key that none has."""
    account: str = ""
    """The owner's, where the platform asks the owner to confirm."""
    last: int
    """Number of the newest record, 0 where there is none."""


def page(
    robots: Iterable[Robot],
    received: Iterable[Received],
    *,
    query: str,
    refused_only: bool,
    timezone: tzinfo,
    version: str,
    live: bool = True,
) -> str:
    """The wall as one self-contained page, narrowed to groups whose name or label holds ``query``.

    :param live: a running sandbox serves it; else it is a file, which asks for nothing and stays as it is.
    """
    chats = _chats(robots, received)
    chosen = [
        chat
        for chat in chats
        if query.strip() in f"{chat.name} {chat.area}"
        and not (refused_only and not any(map(_lost, chat.messages)))
    ]
    newest = sorted(range(len(chosen)), key=lambda place: chosen[place].last, reverse=True)[:CHATS]
    shown = [chosen[place] for place in sorted(newest)]
    return template("wall.html").render(
        language=officer_language(),
        chats=shown,
        hidden=len(chosen) - len(shown),
        groups=sum(chat.known for chat in chats),
        seen=sum(message.seen for chat in chats for message in chat.messages),
        refused=sum(_lost(message) for chat in chats for message in chat.messages),
        query=query,
        refused_only=refused_only,
        version=version,
        timezone=timezone,
        limit=MESSAGES_A_CHAT,
        live=live,
    )


def _chats(robots: Iterable[Robot], received: Iterable[Received]) -> list[Chat]:
    by_robot: dict[tuple[str, str], list[Received]] = defaultdict(list)
    for message in received:
        by_robot[message.platform, message.robot].append(message)
    chats = []
    for number, robot in enumerate(robots):
        records = by_robot.pop((robot.platform, robot.key), [])
        chats.append(
            Chat(
                id=f"g{number}",
                name=robot.name,
                platform=robot.platform,
                area=robot.area,
                messages=_standing(records),
                known=True,
                account=robot.account,
                last=records[-1].number if records else 0,
            )
        )
    return chats + [
        Chat(
            id=f"u{number}",
            name=messages[-1].name or _("没有登记的机器人地址"),
            platform=platform,
            area="",
            messages=messages,
            known=False,
            last=messages[-1].number,
        )
        for number, ((platform, _key), messages) in enumerate(by_robot.items())
    ]


def _standing(records: Iterable[Received]) -> list[Received]:
    """One group's records without the steps of a task that a later one has overtaken, and without reminders."""
    standing: dict[object, Received] = {}
    for record in records:
        if record.step != "reminded":
            place = record.task or record.number
            standing.pop(place, None)
            standing[place] = record
    return list(standing.values())


def _lost(message: Received) -> bool:
    """Whether the group will never see it though it was to."""
    return not message.seen and message.step in ("", "carried out")


@lru_cache(maxsize=10_000)
def _drawn(platform: str, body: bytes) -> tuple[Piece, ...]:
    return tuple(APPS[platform].draw(body))


def pieces(message: Received) -> tuple[Piece, ...]:
    """The message as its group sees it; one that cannot be drawn is shown as it came."""
    try:
        drawn = _drawn(message.platform, message.body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        drawn = ()
    if any(piece.title or piece.text for piece in drawn):
        return drawn
    return (Piece(kind="code", text=message.body.decode(errors="replace")[:RAW_CHARACTERS]),)


def describe(received: Iterable[Received], *, timezone: tzinfo = CHINA) -> str:
    """What every group received, as text for a terminal: a block a group, in the order they were reached."""
    chats: dict[tuple[str, str, str], list[Received]] = defaultdict(list)
    for message in received:
        chats[message.name, message.platform, message.robot].append(message)
    blocks = []
    for (name, platform, _key), messages in chats.items():
        head = _("【{name}】{platform}").format(
            name=name or _("没有登记的机器人地址"), platform=APPS[platform].title
        )
        blocks.append("\n".join([head, *(_text(message, timezone) for message in _standing(messages))]))
    return _harmless("\n\n".join(blocks)) + "\n"


def _text(message: Received, timezone: tzinfo) -> str:
    lines = [f"  {message.at.astimezone(timezone):%H:%M:%S}"]
    if message.seen:
        shown = (piece for piece in pieces(message) if piece.kind != "source")
        lines += [line for piece in shown for line in _piece_lines(piece)]
    elif _lost(message):
        lines.append(_("    ✗ 没有到群里：{reason}").format(reason=message.reason))
    else:
        lines.append(_("    … {reason}").format(reason=message.reason))
    lines += [f"    ⚠ {warning}" for warning in message.warnings]
    if message.fault:
        lines.append(_("    ⚡ 模拟故障 {fault}").format(fault=message.fault))
    return "\n".join(lines)


def _piece_lines(piece: Piece) -> list[str]:
    if piece.kind == "rule":
        return ["    ────────"]
    first = ["    ▎" + piece.title] if piece.title else []
    rest = [line for text in (piece.text, piece.url) if text for line in text.split("\n")]
    return first + ["      " + line if piece.title else "    " + line for line in rest]


def _harmless(text: str) -> str:
    return re.sub(r"[^\n\x20-\x7e\xa0-\U0010ffff]|[\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "\ufffd", text)


@cache
def template(name: str) -> Template:
    """A template that draws messages with what ``_chat.html`` has for that."""
    environment = Environment(
        loader=FileSystemLoader(MESSAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals.update(_=_, pieces=pieces, apps=APPS, lost=_lost)
    return environment.get_template(name)


@cache
def policy() -> str:
    """The page's Content-Security-Policy: its own style and script by their hashes, nothing else.

    https://www.w3.org/TR/CSP3/
    """
    source = (MESSAGES / "wall.html").read_text("utf-8")
    source = source.replace(
        '{% include "_chat.css" %}\n', (MESSAGES / "_chat.css").read_text("utf-8").rstrip("\n")
    )
    style, script = (_hash_of(source, tag) for tag in ("style", "script"))
    return (
        f"default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _hash_of(source: str, tag: str) -> str:
    text = source.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
