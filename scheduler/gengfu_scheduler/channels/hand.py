"""Ordinary chat groups, which have no interface: their owner forwards by hand, from a task page.

Whoever has a page's address may read it and tick on it, so it cannot be guessed: it is a message
authentication code (https://www.rfc-editor.org/rfc/rfc2104) of what it is for, 128 bits of it, made with a key
that does not leave this machine. Nothing about pages needs to be stored, and a restart changes none.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from gengfu_scheduler.channels.channel import LocalChannel
from gengfu_scheduler.message import Group, Handed, Message, Outcome
from gengfu_templates.i18n import _

PAGES = "t/"
"""Below the desk's address: the task pages."""
_BITS = 128


class Hand(LocalChannel):
    name = "hand"

    def deliver(self, message: Message, group: Group) -> Outcome:
        return Handed(to=group.owner or _("（未登记群主）"))


@dataclass(frozen=True, kw_only=True)
class TaskPages:
    """The addresses of one desk's task pages."""

    desk: str
    """Its address, with a trailing slash."""
    key: bytes = field(repr=False)

    def address(self, number: int, broadcast: str, owner: str) -> str:
        """Where ``owner`` finds what to pass on of the broadcast of this number and key. A credential."""
        return f"{self.desk}{PAGES}{self.token(number, broadcast, owner)}"

    def token(self, number: int, broadcast: str, owner: str) -> str:
        """The last piece of that address: the number, by which the broadcast is found, and the code."""
        code = hmac.digest(self.key, f"{broadcast}\n{owner}".encode(), hashlib.sha256)[: _BITS // 8]
        return f"{number}-{urlsafe_b64encode(code).decode().rstrip('=')}"
