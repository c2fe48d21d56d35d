"""A service guide says where, when and whom to call: the first things that people ask."""

from __future__ import annotations

from collections.abc import Iterator

from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _


def _find(reading: Reading) -> Iterator[Finding]:
    service = reading.article.service
    if service is None:
        return
    questions = {"places": service.places, "hours": service.hours, "phone": service.phone}
    if service.visit == "不用跑":
        del questions["places"], questions["hours"]
    for field, answer in questions.items():
        if not answer:
            yield Finding(
                message=_("办事指南没有写 {field}。").format(field=field),
                place=reading.field("service", field),
            )


RULE = Rule(
    id="service-answers",
    severity="warning",
    why=_("到哪儿办、几点开门、打哪个电话，是来办事的人最先要问的。"),
    remedy=_("在 service 里补上 places、hours、phone；不用跑的只要 phone。"),
    find=_find,
)
