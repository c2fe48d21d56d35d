"""A service guide's answer in one message: what a neighbour pastes when somebody in the group asks.

It says whether to come before anything else and ends with the page's address; between them stands as much of phone,
place and hours as fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gengfu_site.article import Service
from gengfu_templates.i18n import translations

MOST = 120
"""Characters, the address included, unless that leaves fewer than these to the words:"""
_LEAST = 60
_ASIDE = re.compile(r"[（(][^（()）]*[)）]$")


def answer(title: str, service: Service, address: str, language: str) -> str:
    """The answer to the question that ``title`` names."""
    _ = translations(language).gettext
    room = max(_LEAST, MOST - len(address) - 1)
    line, come = _("{title}：{visit}。"), visit(service, _)
    said = line.format(title=_subject(title)[: room - len(line.format(title="", visit=come))], visit=come)
    for part in _parts(service, _):
        if len(said) + len(part) <= room:
            said += part
    return f"{said}\n{address}"


def visit(service: Service, _: Callable[[str], str]) -> str:
    """Whether to come, in a resident's words."""
    return {"不用跑": _("不用跑"), "跑一次": _("跑一次就行"), "需本人": _("要本人来")}[service.visit]


def _subject(title: str) -> str:
    """What stands before the colon: 给新生儿上户口：出生一个月内，随爸随妈都行."""
    return re.split("[：:]", title, maxsplit=1)[0]


def _parts(service: Service, _: Callable[[str], str]) -> list[str]:
    """What else is asked, most needed first."""
    parts = (
        (_("电话 {phone}。"), "phone", service.phone),
        (_("地方：{place}。"), "place", service.places[0] if len(service.places) == 1 else None),
        (_("时间：{hours}。"), "hours", service.hours),
    )
    return [words.format(**{name: _ASIDE.sub("", value)}) for words, name, value in parts if value]
