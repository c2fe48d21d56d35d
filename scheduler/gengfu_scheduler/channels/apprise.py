"""Chats of the long tail, by the Apprise library (https://appriseit.com): one address for each, such as ``tgram://…``.

Apprise says whether a service answered well and not what it answered: True is accepted and never confirmed, and False
is unknown, for it does not say whether anything left. Its log lines are the evidence.

It posts by itself, past our list of hosts. So it may only speak to the services in :data:`SCHEMES`: none that runs
something on this machine, none whose address is any web address, none without TLS (mail to a server of one's own
is as safe as its address says), none that a channel here reads the answers of. Whoever writes ``webhooks.csv``
answers for the host of a service that the station runs itself. Its own retries, redirects and trust in any
certificate are off, whatever the address asks for.

An optional extra, imported when the first group that uses it is told something.
"""

from __future__ import annotations

import logging
import re
from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING

from gengfu_scheduler.channels.channel import LocalChannel, address
from gengfu_scheduler.channels.text import Templates, unmarked
from gengfu_scheduler.message import Group, Message, Outcome, Rejected, Sent, Unknown
from gengfu_templates.i18n import _, series

if TYPE_CHECKING:
    from apprise import NotifyBase

SCHEMES = (
    *(
        "tgram",
        "mmosts",
        "rockets",
        "matrixs",
        "zulip",
        "gchat",
        "webex",
        "nctalks",
        "synologys",
        "twist",
        "line",
    ),
    *("viber", "whatsapp", "threema"),
    *("ntfys", "gotifys", "barks", "pover", "pushdeers", "wxpusher", "pushplus", "schan"),
    *("mailto", "mailtos"),
)
"""Chats, services of a single number, notifications, mail."""
CONNECT, READ = 5.0, 10.0
"""Seconds, of each request that a service makes."""

# At the beginning of a word it calls somebody, or everybody, in most of these chats.
_CALL = re.compile(r"(?<![\w/])@")
_LOADING = Lock()


class Apprise(LocalChannel):
    name = "apprise"
    slow = True

    def __init__(self, templates: Templates) -> None:
        self._templates = templates

    def deliver(self, message: Message, group: Group) -> Outcome:
        scheme, _colon, _rest = address(group).partition("://")
        if scheme.lower() not in SCHEMES:
            return Rejected(
                reason=_("不经 Apprise 发往 {scheme}://，只发往：{known}").format(
                    scheme=scheme[:20], known=series(SCHEMES)
                )
            )
        service = _service(address(group))
        if isinstance(service, Rejected):
            return service
        text = self._templates.render("text.txt", message.language, message=unmarked(message))
        title, _newline, body = _CALL.sub("＠", text).partition("\n")
        return _notify(service, title, body.strip())


def _service(url: str) -> NotifyBase | Rejected:
    """The service at ``url``, as bounded and as careful as we are."""
    with _LOADING:  # Apprise finds its services when the first is asked for
        try:
            from apprise import Apprise, AppriseAsset, OverflowMode
        except ImportError:
            return Rejected(reason=_("没有装 Apprise。运行：pip install 'gengfu[apprise]'"))
        # What it logs may hold an address; we keep it as evidence, and take the address out.
        logging.getLogger("apprise").propagate = False
        asset = AppriseAsset(service_timeout=0, allow_templates=False)
        service = Apprise.instantiate(url, asset=asset)
    if service is None:
        return Rejected(reason=_("Apprise 用不了这个地址：写法不对，或者缺少它要的软件包"))
    service.overflow_mode = OverflowMode.SPLIT
    service.retry, service.optional = 0, False
    service.redirects, service.verify_certificate = False, True
    service.socket_connect_timeout, service.socket_read_timeout = CONNECT, READ
    return service


def _notify(service: NotifyBase, title: str, body: str) -> Outcome:
    from apprise import Apprise

    one = Apprise(asset=service.asset)
    one.add(service)
    try:
        with closing(one.notify(title=title, body=body, body_format="text")) as said:
            if said:
                return Sent(confirmed=False)
            told = " ".join(entry.message for entry in said.logs())
    except Exception as error:  # whatever one of so many services may raise, and whenever
        told = f"{type(error).__name__}: {error}"
    return Unknown(reason=_("Apprise 没有发成，也没有说是否已经到达：{told}").format(told=told))
