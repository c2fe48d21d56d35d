"""Told apart from the others by its title: who searches, or gets both in a digest, must see which is meant.

Titles are alike when they share four fifths of their pairs of signs (Jaccard). Two such titles must share one of
their rarest pairs (prefix filtering, Chaudhuri et al., https://doi.org/10.1109/ICDE.2006.9), so each is compared only
with those that do: 10,000 titles take a fraction of a second.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import ceil

from gengfu_site.library import Article
from gengfu_site.rules.rule import Around, Finding, Reading, Rule, squeezed
from gengfu_templates.i18n import _

_ALIKE = 0.8
_MOST_COMPARED = 20
"""Titles that are looked at for one pair: a thousand titles of one pattern must not take a million comparisons."""


def _find(reading: Reading) -> Iterator[Finding]:
    article = reading.article
    if other := reading.around.once(_earlier_alike).get(article.id):
        yield Finding(
            message=_("标题和 {path} 的几乎一样（{title}）。").format(
                path=other.lines.path, title=other.title
            ),
            place=reading.field("title"),
        )


RULE = Rule(
    id="like-titles",
    severity="warning",
    why=_("两篇标题几乎一样，搜索和群消息里分不清该看哪一篇。"),
    remedy=_("合成一篇，或在标题里写出不同在哪里。"),
    find=_find,
)


def _earlier_alike(around: Around) -> dict[str, Article]:
    """For the later of two whose titles are alike the earlier one, by id."""
    articles = sorted(around.library.listed(around.at), key=lambda a: (a.begins, a.id))
    by_id = {article.id: article for article in articles}
    alike = _alike(tuple((article.id, article.title) for article in articles))
    return {later: by_id[earlier] for later, earlier in alike.items()}


@lru_cache(maxsize=1)  # a preview asks again with every save, and titles hardly ever change
def _alike(titled: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """The same by ids alone.

    :param titled: id and title of each, the earliest first.
    """
    titles = {id_: squeezed(title) for id_, title in titled}
    pairs = {id_: frozenset(map("".join, pairwise(title))) for id_, title in titles.items()}
    common = Counter(pair for some in pairs.values() for pair in some)
    holders: dict[str, list[str]] = defaultdict(list)
    found: dict[str, str] = {}
    for later, mine in pairs.items():
        rarest = sorted(mine, key=lambda pair: (common[pair], pair))[
            : len(mine) - ceil(_ALIKE * len(mine)) + 1
        ]
        near = {earlier for pair in rarest for earlier in holders[pair][-_MOST_COMPARED:]}
        for earlier in sorted(near):
            if _are_alike(mine, pairs[earlier]) and _numbers(titles[earlier]) == _numbers(titles[later]):
                found[later] = earlier
                break
        for pair in rarest:
            holders[pair].append(later)
    return found


def _are_alike(mine: frozenset[str], others: frozenset[str]) -> bool:
    return len(mine & others) >= _ALIKE * len(mine | others)


def _numbers(title: str) -> list[str]:
    """What tells the parts of a series apart: years, months, numbers."""
    return re.findall(r"\d+|[一二三四五六七八九十]+", title)
