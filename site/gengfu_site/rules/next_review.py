"""Looked at again when it was due: ``next_review`` lies ahead."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _


def _find(reading: Reading) -> Iterator[Finding]:
    article, around = reading.article, reading.around
    today = around.at.astimezone(ZoneInfo(around.library.settings.station.timezone)).date()
    if article.next_review and article.next_review < today and article.live(around.at):
        yield Finding(
            message=_("该复核的日子是 {day}，已经过了。").format(day=article.next_review),
            place=reading.field("next_review"),
        )


RULE = Rule(
    id="next-review",
    severity="warning",
    why=_("材料、时间、电话会变，过期的指南让人白跑。"),
    remedy=_("逐条核对，改好后把 reviewed 写成今天、next_review 写到下次。"),
    find=_find,
)
