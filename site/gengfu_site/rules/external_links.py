"""Links out of the site still open: asked only with ``gengfu check --online``.

Gone is what says so itself - 404, 410 (https://www.rfc-editor.org/rfc/rfc9110#section-15.5), a host name that the DNS
does not know. Anything else, a refusal or a slow answer, may be for us alone and is no finding. Polite: one request
at a time to a host, HEAD first, nothing read of a body, redirects followed as a reader's browser would.
"""

from __future__ import annotations

import re
import socket
from collections import defaultdict
from collections.abc import Iterable, Iterator
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urlsplit

from gengfu_site.library import Library
from gengfu_site.problems import GengfuError
from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    import requests

_AT_ONCE = 8
_PATIENCE = (5.0, 10.0)
"""Seconds to connect, and between two bytes."""
_HEADERS = {"User-Agent": "gengfu-check", "Accept": "*/*"}
_LINK = re.compile(r'<a(?: [\w-]+="[^"]*")*? href="(https?://[^"]*)"')
_NOT_ASKED_SO = frozenset((400, 403, 404, 405, 406, 410, 501))
"""Answers to HEAD that some servers give to nothing else."""
_GONE = frozenset((404, 410))
_UNKNOWN_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class NoNetwork(GengfuError):
    """Not one address could be reached from here."""

    def __init__(self) -> None:
        super().__init__(_("一个网址都连不上，这台电脑可能没有联网。联网以后再运行 gengfu check --online。"))


def _find(reading: Reading) -> Iterator[Finding]:
    answers = reading.around.answers
    if not answers:
        return
    for address in _addresses(reading.article.html):
        if wrong := answers.get(urldefrag(address).url):
            yield Finding(
                message=_("链接 {address} 打不开：{wrong}。").format(address=address, wrong=wrong),
                place=reading.in_body(max(reading.article.body.find(address), 0)),
            )


RULE = Rule(
    id="external-links",
    severity="warning",
    why=_("居民点了打不开，会以为整篇都过时了。只在 gengfu check --online 时检查。"),
    remedy=_("换成现在的网址，或写明在哪个网站、哪个栏目里找。"),
    find=_find,
)


def asked(library: Library) -> dict[str, str]:
    """What is wrong with the addresses that the library links to, by address; those without fault are left out.

    :raises NoNetwork: none could be reached.
    """
    from concurrent.futures import ThreadPoolExecutor  # only who asks waits for the import

    by_host: dict[str, list[str]] = defaultdict(list)
    everything = (address for article in library.articles for address in _addresses(article.html))
    for address in dict.fromkeys(urldefrag(address).url for address in everything):
        by_host[urlsplit(address).netloc].append(address)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        told = [one for some in threads.map(_ask_host, by_host.values()) for one in some]
    if told and all(answer is None for _address, answer in told):
        raise NoNetwork
    return {address: answer for address, answer in told if answer}


def _addresses(html: str) -> Iterable[str]:
    return dict.fromkeys(map(unescape, _LINK.findall(html)))


def _ask_host(addresses: Iterable[str]) -> list[tuple[str, str | None]]:
    import requests  # only who asks waits for the import

    with requests.Session() as session:
        session.headers.update(_HEADERS)
        return [(address, _answer(session, address)) for address in addresses]


def _answer(session: requests.Session, address: str) -> str | None:
    """What is wrong with ``address``; empty where nothing is, None where nothing was heard."""
    import requests

    try:
        status = session.head(address, timeout=_PATIENCE, allow_redirects=True).status_code
        if status in _NOT_ASKED_SO:
            with session.get(address, timeout=_PATIENCE, stream=True) as reply:
                status = reply.status_code
    except requests.ConnectionError as error:
        if _name_unknown(error):
            return _("没有 {host} 这个网站").format(host=urlsplit(address).hostname)
        return None
    except (requests.RequestException, UnicodeError, ValueError):
        return None
    return _("网站答复 {status}，这一页没有了").format(status=status) if status in _GONE else ""


def _name_unknown(error: BaseException) -> bool:
    """Whether the DNS said that there is no such host, and not that it cannot be asked now."""
    causes: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while causes:
        cause = causes.pop()
        if isinstance(cause, socket.gaierror):
            return cause.errno in _UNKNOWN_NAME
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            causes += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
    return False
