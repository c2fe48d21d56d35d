"""What is well-formed and unwise all the same: the rules an article is held to, each a module of this folder.

That an article can be read, and that its links lead somewhere, is found where it is read and bound
(:mod:`gengfu_site.article`, :mod:`gengfu_site.library`). ``docs/rules.zh-CN.md`` tells officers of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from gengfu_site.library import Article, Library
from gengfu_site.problems import Problem
from gengfu_site.records import Remembered
from gengfu_site.rules import (
    alt_text,
    card_limits,
    ended_alerts,
    external_links,
    forwarding,
    headings,
    like_titles,
    markup,
    next_review,
    personal_data,
    search_pictures,
    service_answers,
    terms,
    unused_allow,
)
from gengfu_site.rules.identifiers import identifiers
from gengfu_site.rules.rule import Around, Finding, Reading, Rule, squeezed
from gengfu_site.settings import Settings
from gengfu_templates.i18n import _

RULES: tuple[Rule, ...] = (
    personal_data.RULE,  # nobody's number, card, plate or home on a public page
    ended_alerts.RULE,  # nor in an alert that is over, on whatever ground it stood there
    search_pictures.RULE,  # nor a face that stays when somebody is found
    terms.FORBIDDEN,  # no word that the station forbids
    terms.CAREFUL,  # nor one that it wants weighed, or has a better one for
    forwarding.RULE,  # no begging to be passed on
    service_answers.RULE,  # a guide says where, when and whom to call
    next_review.RULE,  # looked at again when it was due
    like_titles.RULE,  # told apart from the others by its title
    alt_text.RULE,  # every picture in words too
    markup.RULE,  # nothing that was meant as a heading, a link or a list and is none
    headings.RULE,  # headings one level at a time
    card_limits.RULE,  # title and summary whole in a chat's card
    external_links.RULE,  # links out of the site still open
    unused_allow.RULE,  # nothing allowed that is not there
)
_OF_TEXT = (
    personal_data.RULE,
    terms.FORBIDDEN,
    terms.CAREFUL,
    forwarding.RULE,
    alt_text.RULE,
    markup.RULE,
    headings.RULE,
)
"""Those that speak of a file, too, that cannot be read as an article yet: all is told in one round."""


def refusals(library: Library, at: datetime, only: Article | None = None) -> list[Problem]:
    """What keeps the library from being published, besides what was found in reading it.

    A remembered article was held to these when it was read.

    :param only: the one article that is asked about; None: all.
    """
    rules = [rule for rule in RULES if rule.severity == "error"]
    around = Around(library=library, at=at)
    mistakes = around.once(terms.read_terms)[1]
    unread = [article for article in library.articles if not isinstance(article, Remembered)]
    return mistakes + _broken([only] if only else unread, around, rules, text_alone=not only)


def sound(settings: Settings, at: datetime) -> Callable[[Article], bool]:
    """Says of an article by itself whether nothing keeps it from being published: no rule that does looks at another one."""
    rules = [rule for rule in RULES if rule.severity == "error"]
    around = Around(library=Library(settings=settings, articles=()), at=at)
    return lambda article: not any(_breaks(article, around, rules))


def advice(
    library: Library, at: datetime, answers: Mapping[str, str], only: Article | None = None
) -> list[Problem]:
    """What is unwise in the library and is published all the same.

    :param answers: of addresses out of the site (:func:`gengfu_site.rules.external_links.asked`).
    :param only: as for :func:`refusals`.
    """
    rules = [rule for rule in RULES if rule.severity == "warning"]
    around = Around(library=library, at=at, answers=answers)
    return _broken([only] if only else library.articles, around, rules, text_alone=not only)


def _broken(
    articles: Iterable[Article], around: Around, rules: Sequence[Rule], *, text_alone: bool
) -> list[Problem]:
    """
    :param text_alone: read what cannot be read as an article, too.
    """
    asked = [(article, rules) for article in articles]
    if text_alone:
        of_text = [rule for rule in rules if rule in _OF_TEXT]
        asked += [(article, of_text) for article in around.library.unfinished]
    return sorted({problem for article, some in asked for problem in _breaks(article, around, some)})


def _breaks(article: Article, around: Around, rules: Sequence[Rule]) -> Iterator[Problem]:
    reading = Reading(article=article, around=around)
    allowed = {squeezed(allowed.what) for allowed in article.allow}
    for rule in rules:
        for finding in rule.find(reading):
            if not finding.words or squeezed(finding.words) not in allowed:
                yield _problem(article, rule, finding)


def _problem(article: Article, rule: Rule, finding: Finding) -> Problem:
    message, remedy = _masked(finding.message), finding.remedy or rule.remedy
    # The reason of a withdrawal counts as it is written, signed or not.
    if article.signed and article.signed.edited and finding.place.field != "withdrawn":
        message = _("上次签发的那一版：{found}").format(found=message)
        remedy = _("文件里改好、提交、签发以后就没有了。")
    return Problem(
        path=article.lines.path,
        line=finding.place.line,
        field=finding.place.field,
        message=message,
        remedy=remedy,
        rule=rule.id,
        severity=rule.severity,
    )


def _masked(message: str) -> str:
    """``message`` without personal data: a heading or a picture's name that it quotes may hold some, and reports travel."""
    for one in identifiers(message):
        message = message.replace(one.words, one.masked)
    return message
