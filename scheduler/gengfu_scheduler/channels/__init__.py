"""The ways to a station's groups, one line each.

A new platform costs one module with an :class:`~gengfu_scheduler.channels.channel.HttpChannel`, one line here,
one file of recorded replies in ``tests/contract/replies`` and one paragraph of documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gengfu_scheduler.channels.apprise import Apprise
from gengfu_scheduler.channels.channel import HttpChannel, LocalChannel
from gengfu_scheduler.channels.console import Console
from gengfu_scheduler.channels.dingtalk import DingTalk
from gengfu_scheduler.channels.discord import Discord
from gengfu_scheduler.channels.feishu import Feishu
from gengfu_scheduler.channels.generic import Generic
from gengfu_scheduler.channels.hand import Hand
from gengfu_scheduler.channels.slack import Slack
from gengfu_scheduler.channels.teams import Teams
from gengfu_scheduler.channels.text import CannotRender, Templates
from gengfu_scheduler.channels.wecom import WeCom
from gengfu_scheduler.channels.wecom_customer import WeComCustomer
from gengfu_scheduler.message import Group, Message, Pace
from gengfu_site.problems import GengfuError, nearest
from gengfu_templates.i18n import _, series

Channel = HttpChannel | LocalChannel

POSTED: tuple[type[HttpChannel], ...] = (
    WeCom,
    DingTalk,
    Feishu,
    Slack,
    Discord,
    Teams,
    Generic,
)
"""The platforms that take posts."""

PLATFORMS: tuple[str, ...] = (*(channel.name for channel in POSTED), Apprise.name, Console.name)
"""What ``groups.csv`` may name. Groups reached by hand name no platform."""

KNOWN_HOSTS: frozenset[str] = frozenset().union(*(channel.hosts for channel in POSTED))
"""Hosts of the platforms, which posts may go to without the admin listing them."""


def platform_at(host: str) -> str | None:
    """The platform whose addresses lead to ``host``; None where anybody's may."""
    for channel in POSTED:
        if any(host.endswith(known) if known.startswith(".") else host == known for known in channel.hosts):
            return channel.name
    return None


class NoSuchChannel(GengfuError):
    """A group names a platform that is not in :data:`PLATFORMS`."""


class Channels:
    """The ways to the groups of one station."""

    def __init__(
        self, channels: Iterable[Channel], by_hand: LocalChannel, templates: Templates | None = None
    ) -> None:
        """
        :param templates: of :meth:`text_of`; None: those that come with the program.
        """
        self._by_name = {channel.name: channel for channel in channels}
        self._by_hand = by_hand
        self._templates = templates or Templates()

    def to(self, group: Group) -> Channel:
        """The way to ``group``.

        :raises NoSuchChannel: its platform is unknown.
        """
        if group.reach == "hand":
            return self._by_hand
        try:
            return self._by_name[WeComCustomer.name if group.reach == "confirm" else group.platform]
        except KeyError:
            near = nearest(group.platform, list(self._by_name)) or series(self._by_name)
            raise NoSuchChannel(
                _("群 {group} 的平台“{platform}”不认识：可用 {near}").format(
                    group=group.id, platform=group.platform, near=near
                )
            ) from None

    def text_of(self, message: Message) -> str:
        """What a person pastes into a group.

        Where the station's own template has a mistake, ours stands in: the person waits for the text now.
        """
        try:
            return self._templates.render("text.txt", message.language, message=message)
        except CannotRender:
            return Templates().render("text.txt", message.language, message=message)

    def fits(self, message: Message, group: Group) -> bool:
        """Whether ``group`` can be told ``message`` in one piece."""
        channel = self.to(group)
        return not isinstance(channel, HttpChannel) or channel.fits(message, group)

    def parts(self, message: Message, group: Group) -> tuple[Message, ...]:
        """``message`` in as many pieces as ``group`` must be told it in.

        :raises CannotRender: it cannot be put in pieces that fit.
        """
        channel = self.to(group)
        return channel.parts(message, group) if isinstance(channel, HttpChannel) else (message,)

    def pace(self, group: Group) -> Pace | None:
        """How often ``group`` may be posted to; None: as often as one likes."""
        channel = self.to(group)
        return channel.pace if isinstance(channel, HttpChannel) else None


def channels_of(station: Path | None) -> Channels:
    """The ways to the groups of the station in this folder, with its own templates where it has some."""
    templates = Templates(station)
    others = (Apprise(templates), Console(templates), WeComCustomer(templates))
    return Channels(
        (*(channel(templates) for channel in POSTED), *others), by_hand=Hand(), templates=templates
    )
