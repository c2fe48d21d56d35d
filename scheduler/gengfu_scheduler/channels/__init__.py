"""The ways to a group, one line each.

A new platform costs one module with an :class:`~gengfu_scheduler.channels.channel.HttpChannel`, one line here,
one file of recorded replies in ``tests/contract/replies`` and one paragraph of documentation.
"""

from __future__ import annotations

from gengfu_scheduler.channels.channel import HttpChannel, LocalChannel
from gengfu_scheduler.channels.console import Console
from gengfu_scheduler.channels.generic import Generic
from gengfu_scheduler.channels.hand import Hand
from gengfu_scheduler.channels.wecom import WeCom
from gengfu_scheduler.message import Group
from gengfu_site.problems import GengfuError, nearest
from gengfu_templates.i18n import _, series

Channel = HttpChannel | LocalChannel

_HAND = Hand()

CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        WeCom(),
        Generic(),
        Console(),
    )
}
"""By the platform's name in ``groups.csv``. Groups reached by hand name no platform."""

KNOWN_HOSTS: frozenset[str] = frozenset().union(
    *(channel.hosts for channel in CHANNELS.values() if isinstance(channel, HttpChannel))
)
"""Hosts of the platforms, which posts may go to without the admin listing them."""


class NoSuchChannel(GengfuError):
    """A group names a platform that is not in :data:`CHANNELS`."""


def channel_for(group: Group) -> Channel:
    """The way to ``group``.

    :raises NoSuchChannel: its platform is unknown.
    """
    if group.reach == "hand":
        return _HAND
    try:
        return CHANNELS[group.platform]
    except KeyError:
        near = nearest(group.platform, list(CHANNELS)) or series(CHANNELS)
        raise NoSuchChannel(
            _("群 {group} 的平台“{platform}”不认识：可用 {near}").format(
                group=group.id, platform=group.platform, near=near
            )
        ) from None
