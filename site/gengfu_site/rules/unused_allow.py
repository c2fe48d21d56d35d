"""Nothing allowed that is not there: what stays allowed after it was taken out would let it in again unseen."""

from __future__ import annotations

from collections.abc import Iterator

from gengfu_site.rules import forwarding, personal_data, search_pictures, terms
from gengfu_site.rules.rule import Finding, Reading, Rule, squeezed
from gengfu_templates.i18n import _

_OF_WORDS = (personal_data.RULE, search_pictures.RULE, terms.FORBIDDEN, terms.CAREFUL, forwarding.RULE)
"""Those that name words which an article may be allowed."""


def _find(reading: Reading) -> Iterator[Finding]:
    article = reading.article
    if not article.allow:
        return
    there = {squeezed(finding.words) for rule in _OF_WORDS for finding in rule.find(reading)}
    for index, allowed in enumerate(article.allow):
        if squeezed(allowed.what) not in there:
            yield Finding(
                message=_("文章里没有什么要靠这一条 allow 放行。"),
                place=reading.field("allow", index, "what"),
            )


RULE = Rule(
    id="unused-allow",
    severity="warning",
    why=_("内容删了、放行还留着，以后再写进来就没人看见了。"),
    remedy=_("删掉这一条；写错了的，照着原文一字不差地写 what。"),
    find=_find,
)
