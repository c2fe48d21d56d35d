"""Which articles to read next: those of the same topic or kind that share rare words with this one.

Words are pairs of neighbouring characters, which need no dictionary of Chinese. A pair is weighed by how few articles
hold it and never by how many articles there are, and what is missing is filled up from the neighbours in time; so a
new article changes what a few others lead to, and the rest of the site stays as it was.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, combinations, filterfalse, pairwise
from zlib import crc32

from gengfu_site.library import Article
from gengfu_site.records import Remembered

MOST, LEAST = 4, 3
"""Articles that one leads to; fewer than the least only where there are no more."""

_RARE = 8
"""A pair of characters that more articles hold says little about any of them, and comparing those would take long."""
_SOME = 1000
"""Articles that show which pairs are common."""
_WHOLE = 1 << 32
"""What those that hold a pair share between them; whole, since a sum of fractions hangs on their order."""
_CHINESE = re.compile(r"[㐀-鿿]{2,}")  # each of 16 bits
_OTHER = re.compile(r"[a-z0-9]{2,}")


def related(articles: Sequence[Article], candidates: Iterable[Article]) -> dict[str, tuple[Article, ...]]:
    """By the id of each of ``articles``, the candidates to lead on to, nearest first.

    :param candidates: newest first; those among them that are in ``articles`` lead to one another.
    """
    offered = {article.id: article for article in candidates}
    compared = ({article.id: article for article in articles} | offered).values()
    scores = _scores(tuple([(article.id, pairs(article)) for article in compared]))
    shelves = _shelves(offered.values())
    return {article.id: _led_to(article, scores.get(article.id), offered, shelves) for article in articles}


def _led_to(
    article: Article,
    shared: Mapping[str, int] | None,
    offered: Mapping[str, Article],
    shelves: Mapping[str, _Shelf],
) -> tuple[Article, ...]:
    """
    :param shared: how much it has in common with others, by their ids.
    """
    near: dict[str, Article] = {}
    if shared:
        alike = [offered[id_] for id_ in shared if id_ in offered and _akin(article, offered[id_])]
        alike.sort(key=lambda other: (-shared[other.id], *_age(other)))
        near = {other.id: other for other in alike[:MOST]}
    for name in (*article.topics, article.kind):
        if len(near) >= LEAST:
            break
        if shelf := shelves.get(name):
            for other in shelf.around(article):
                if len(near) < LEAST:
                    near.setdefault(other.id, other)
    return tuple(near.values())


def pairs(article: Article) -> bytes:
    """What is compared of an article: its pairs and words, each as a number."""
    if isinstance(article, Remembered):
        return article.pairs
    return array("I", sorted(_pairs(f"{article.title}\n{article.summary}".lower()))).tobytes()


def _akin(one: Article, other: Article) -> bool:
    return one.kind == other.kind or not set(one.topics).isdisjoint(other.topics)


@lru_cache(maxsize=1)  # who goes on building asks again with every save, and titles hardly ever change
def _scores(compared: tuple[tuple[str, bytes], ...]) -> Mapping[str, Mapping[str, int]]:
    """How much any two have in common, by their ids; nothing in common is left out.

    :param compared: of each article its id and its pairs.
    """
    held = [(id_, array("I", its)) for id_, its in compared]
    # What is not rare among some need not be counted among all: most pairs of most articles.
    times = Counter(chain.from_iterable(its for _id, its in held[:_SOME]))
    common = {pair for pair, number in times.items() if number > _RARE}
    rest = [(id_, [*filterfalse(common.__contains__, its)]) for id_, its in held]
    times = Counter(chain.from_iterable(its for _id, its in rest))
    telling = {pair for pair, number in times.items() if 1 < number <= _RARE}
    holders: defaultdict[int, list[str]] = defaultdict(list)
    for id_, its in rest:
        for pair in telling.intersection(its):
            holders[pair].append(id_)
    scores: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for ids in holders.values():
        share = _WHOLE // len(ids)
        for one, other in combinations(ids, 2):
            scores[one][other] += share
            scores[other][one] += share
    return scores


def _pairs(text: str) -> set[int]:
    """Two Chinese characters are a number of 32 bits; any other word is one below all of these, its checksum."""
    pairs = {crc32(word.encode()) & 0x1FFFFFFF for word in _OTHER.findall(text)}
    for run in _CHINESE.findall(text):
        signs = [*map(ord, run)]
        pairs.update(one << 16 | other for one, other in pairwise(signs))
    return pairs


def _age(article: Article) -> tuple[float, str]:
    return -article.begins, article.id


def _shelves(articles: Iterable[Article]) -> Mapping[str, _Shelf]:
    """Articles by topic and by kind."""
    shelves: defaultdict[str, list[Article]] = defaultdict(list)
    for article in sorted(articles, key=_age):
        for name in (*article.topics, article.kind):
            shelves[name].append(article)
    return {name: _Shelf(articles) for name, articles in shelves.items()}


class _Shelf:
    """Articles of one topic or kind, newest first."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._articles = articles
        self._places = {article.id: place for place, article in enumerate(articles)}

    def around(self, article: Article) -> Sequence[Article]:
        """Those just older than ``article``; where they are too few, those just newer, too."""
        at = self._places.get(article.id)
        if at is None:
            at = after = bisect_left(self._articles, _age(article), key=_age)
        else:
            after = at + 1
        older = self._articles[after : after + LEAST]
        if len(older) == LEAST:
            return older
        return [*older, *reversed(self._articles[max(0, at - LEAST) : at])]
