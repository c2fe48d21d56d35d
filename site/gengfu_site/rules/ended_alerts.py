"""Nobody's data in an alert that is over: the ground on which it was published ended with it.

Personal Information Protection Law 个人信息保护法, article 47: what served its purpose is deleted
(http://www.npc.gov.cn/npc/c2/c30834/202108/t20210820_313088.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gengfu_site.rules import personal_data
from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _


def _find(reading: Reading) -> Iterator[Finding]:
    article = reading.article
    if article.alert is None or article.alert.basis is None:
        return
    if article.alert.state == "active" and article.live(reading.around.at):
        return
    for finding in personal_data.found(reading):
        yield replace(finding, message=_("警情已经结束，{found}").format(found=finding.message), remedy="")


RULE = Rule(
    id="ended-alerts",
    severity="warning",
    why=_("警情结束了，公开当事人和家属信息的理由也就没有了。"),
    remedy=_("从正文、标题和 alert 里删掉这些信息和 basis，再运行 gengfu build。"),
    find=_find,
)
