"""Nobody's face on a page that outlasts the search for them: a photo belongs with the person's data, and leaves with it.

What lies in private/ is off the site when the alert ends (:mod:`gengfu_site.persons`); a picture in content/ stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from gengfu_site.links import ATTACHMENTS
from gengfu_site.rules.rule import Finding, Reading, Rule, naming
from gengfu_templates.i18n import _


def _find(reading: Reading) -> Iterator[Finding]:
    article = reading.article
    if not (article.missing_person and article.live(reading.around.at)):
        return
    for file in article.files:
        suffix = file.suffix.lower()
        if suffix != ".svg" and ATTACHMENTS[suffix] in ("picture", "video"):  # no camera makes an SVG
            yield Finding(
                message=_("“{file}”在查找结束以后仍留在网页上。").format(file=file.name),
                place=naming(file, reading),
                words=file.name,
            )


RULE = Rule(
    id="search-pictures",
    severity="warning",
    why=_("走失的人找到以后，照片还公开着，就没有理由了。"),
    remedy=_("照片放进 private/，在 private/编号.yml 里写 photo，警情结束自动撤下；没有人像的，写 allow。"),
    find=_find,
)
