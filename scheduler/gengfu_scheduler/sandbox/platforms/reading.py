"""What taking a platform's JSON apart has in common: parts that must be there, and warnings of what goes wrong.

Which code refuses a message that lacks a part is the platform's; how the reason is worded is the same for all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gengfu_scheduler.sandbox.contract import Post, Refused
from gengfu_templates.i18n import _

Refuse = Callable[[str, str], Refused]
"""Makes a refusal of a reason, in the officer's language, and a detail for the platform's answer."""


class Reader:
    """Takes messages apart; what lacks a part it must have is refused."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse

    def part(self, holder: Mapping[str, Any], name: str) -> dict[str, Any]:
        """The object ``name``."""
        part = holder.get(name)
        if not isinstance(part, dict):
            raise self._refuse(_("缺少对象 {name}").format(name=name), f"missing {name}")
        return part

    def words(self, part: Mapping[str, Any], name: str, where: str) -> str:
        """The text ``name`` of the part ``where``, which must say something."""
        words = part.get(name)
        if not isinstance(words, str) or not words.strip():
            raise self._refuse(_("缺少文字 {name}").format(name=f"{where}.{name}"), f"missing {where}.{name}")
        return words

    def optional(self, part: Mapping[str, Any], name: str, where: str) -> str:
        """As :meth:`words`, or nothing where there is nothing."""
        return self.words(part, name, where) if part.get(name) not in (None, "") else ""

    def several(
        self, part: Mapping[str, Any], name: str, where: str, *, least: int = 0, most: int
    ) -> list[dict[str, Any]]:
        """The list of objects ``name``."""
        several = part.get(name, [])
        if (
            not isinstance(several, list)
            or not least <= len(several) <= most
            or not all(isinstance(one, dict) for one in several)
        ):
            raise self._refuse(
                _("{where} 应为 {least} 至 {limit} 项").format(
                    where=f"{where}.{name}", least=least, limit=most
                ),
                f"{where}.{name} size out of range",
            )
        return several

    def texts(self, part: Mapping[str, Any], name: str, where: str) -> list[str]:
        """The list of texts ``name``, empty where there is none."""
        texts = part.get(name, [])
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise self._refuse(
                _("{name} 应为文字的列表").format(name=f"{where}.{name}"), f"invalid {where}.{name}"
            )
        return texts


def is_json(post: Post) -> bool:
    """Whether the post says that it is JSON."""
    return post.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def json_object(body: bytes) -> dict[str, Any] | None:
    """The body as a JSON object in UTF-8; None where it is something else."""
    try:
        payload = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def answer_json(body: Mapping[str, object]) -> bytes:
    """The body of an answer."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def strangers(part: Iterable[str], known: Iterable[str]) -> list[str]:
    """Warnings of the members that the platform does not know."""
    names = set(known)
    return [_("平台不认识字段 {name}").format(name=name) for name in part if name not in names]


def too_long(words: str, where: str, limit: int) -> list[str]:
    """A warning where the platform cuts the words; ``limit`` in bytes of UTF-8."""
    size = len(words.encode())
    if size <= limit:
        return []
    return [
        _("{where} 有 {size} 字节，平台只显示前 {limit} 字节").format(where=where, size=size, limit=limit)
    ]


def dead_link(url: str, where: str) -> list[str]:
    """A warning where the address leads nowhere."""
    if re.match(r"https?://[^\s/]", url):
        return []
    return [_("{where} 不是完整的网址，点不开").format(where=where)]


def unsupported(content: str, constructs: Mapping[str, re.Pattern[str]]) -> list[str]:
    """Warnings of the marks that the group sees as bare characters."""
    return [
        _("平台不支持{what}，群里看到的是原样字符").format(what=what)
        for what, pattern in constructs.items()
        if pattern.search(content)
    ]
