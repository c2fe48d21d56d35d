"""Which articles to read next: those of the same topic or kind that share rare words with this one.

Words are pairs of neighbouring characters, which need no dictionary of Chinese. A pair is weighed by how few articles
hold it and never by how many articles there are, and what is missing is filled up from the neighbours in time; so a
new article changes what a few others lead to, and the rest of the site stays as it was. Who says what came of it the
last time has these few alone worked out.
"""

from __future__ import annotations

import hashlib
import marshal
import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, filterfalse, pairwise
from typing import Any, NamedTuple
from zlib import crc32

from gengfu_site.library import Article
from gengfu_site.records import Remembered, headline
from gengfu_site.store import plainest

MOST, LEAST = 4, 3
"""Articles that one leads to; fewer than the least only where there are no more."""

_RARE = 8
"""A pair of characters that more articles hold says little about any of them, and comparing those would take long."""
_SOME = 1000
"""Articles that show which pairs are common."""
_FEW = 50
"""Of so many articles one may be other than it was; from there on, all are worked out as soon as those that it touches."""
_WHOLE = 1 << 32
"""What those that hold a pair share between them; whole, since a sum of fractions hangs on their order."""
_CHINESE = re.compile(r"[㐀-鿿]{2,}")  # each of 16 bits
_OTHER = re.compile(r"[a-z0-9]{2,}")

LEADS, COMPARED = "leads", "compared"
"""Names of what is left: where articles lead, and what was compared, which is asked for only if some of it is new."""
Row = tuple[str, bool, str, tuple[str, ...], float, str, bytes]
"""What counts of an article: its mark, whether others may lead to it, kind, topics, when it begins, headline and pairs."""
Known = Callable[[str], bytes | None]
"""Gives what was left under a name the last time; None: it is not known."""


class Leads(NamedTuple):
    """What came of comparing articles."""

    said: Mapping[str, str]
    """By the id of each, where it leads: of each other, nearest first, id and headline."""
    left: Mapping[str, bytes]
    """For the next time, by names; empty where what was left the last time still holds."""


def related(articles: Sequence[Article], offered: Container[str], known: Known = lambda name: None) -> Leads:
    """Where each of ``articles`` leads.

    :param articles: newest first, those of one instant by id.
    :param offered: ids of those that others may lead to.
    :param known: what was left of other articles, or of these as they once were.
    """
    counted = {a.id: (mark(a, pairs(a)), a.id in offered) for a in articles}
    marks, flags = [its[0] for its in counted.values()], [its[1] for its in counted.values()]
    key = _digest((" ".join(counted), "".join(marks), bytes(flags)))
    before, said = _values(known(LEADS)) or ("", {})
    if before == key:
        return Leads(said, {})
    compared, its = _values(known(COMPARED)) or ("", {})
    then: Mapping[str, Row] = its if compared == before else {}
    rows: dict[str, Row] = {
        a.id: row
        if (row := then.get(a.id)) and row[:2] == counted[a.id]
        else (*counted[a.id], a.kind, a.topics, a.begins, headline(a), pairs(a))
        for a in articles
    }
    said = _said(rows, then, said)
    return Leads(said, {LEADS: marshal.dumps((key, said)), COMPARED: marshal.dumps((key, rows))})


def led_to(said: str) -> Sequence[str]:
    """The ids in what :attr:`Leads.said` has of an article."""
    return said.split()[::2]


def mark(article: Article, compared: bytes) -> str:
    """Digest of what counts of an article by itself.

    :param compared: its :func:`pairs`.
    """
    if isinstance(article, Remembered):
        return article.mark
    return _digest((article.kind, article.topics, article.begins, headline(article), compared))


def pairs(article: Article) -> bytes:
    """What is compared of an article: its pairs and words, each as a number."""
    if isinstance(article, Remembered):
        return article.pairs
    return array("I", sorted(_pairs(f"{article.title}\n{article.summary}".lower()))).tobytes()


def _pairs(text: str) -> set[int]:
    """Two Chinese characters are a number of 32 bits; any other word is one below all of these, its checksum."""
    pairs = {crc32(word.encode()) & 0x1FFFFFFF for word in _OTHER.findall(text)}
    for run in _CHINESE.findall(text):
        signs = [*map(ord, run)]
        pairs.update(one << 16 | other for one, other in pairwise(signs))
    return pairs


def _digest(values: tuple[Any, ...]) -> str:
    return hashlib.blake2b(plainest(values), digest_size=8).hexdigest()


def _values(data: bytes | None) -> Any:
    return data and marshal.loads(data)  # noqa: S302 - plain values


def _said(rows: Mapping[str, Row], then: Mapping[str, Row], said: Mapping[str, str]) -> dict[str, str]:
    """As :attr:`Leads.said`.

    :param then: the rows of which ``said`` is true; what is the same since is the same row.
    """
    changed = {id_ for id_, row in rows.items() if then.get(id_) is not row}
    gone = then.keys() - rows.keys()
    compared = _Compared(rows)
    if (len(changed) + len(gone)) * _FEW > len(rows):
        return compared.leads()
    versions = [(id_, one[id_]) for one in (then, rows) for id_ in changed | gone if id_ in one]
    new = compared.leads(compared.touched(changed, versions))
    return {id_: new[id_] if id_ in new else said[id_] for id_ in rows}


class _Compared:
    """Articles by their places: the newest has place 0."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._ids, self._all = [*rows], range(len(rows))
        columns: Iterable[tuple[Any, ...]] = zip(*rows.values(), strict=True) if rows else ((),) * 7
        _marks, self._offered, self._kinds, self._topics, self._begins, self._headlines, held = columns
        self._pairs = [array("I", its) for its in held]

    def leads(self, places: Sequence[int] | None = None) -> dict[str, str]:
        """Where those at ``places`` lead, or all of them, by their ids."""
        holders = self._holders(self._asked(places), self._all)
        shelves = self._shelves([place for place in self._all if self._offered[place]])
        said = {}
        for place in self._all if places is None else places:
            near = self._near(place, holders, shelves)
            said[self._ids[place]] = " ".join([f"{self._ids[one]} {self._headlines[one]}" for one in near])
        return said

    def _asked(self, places: Sequence[int] | None) -> set[int]:
        """Pairs that those at ``places`` may share with others, or all of them with each other."""
        asking, least = (self._all, 2) if places is None else (places, 1)
        held = chain.from_iterable(self._pairs[place] for place in asking)
        times = Counter(filterfalse(self._common(self._all).__contains__, held))
        return {pair for pair, number in times.items() if least <= number <= _RARE}

    def _near(
        self, place: int, holders: Mapping[int, Sequence[int]], shelves: Mapping[str, Sequence[int]]
    ) -> Iterable[int]:
        """Where the one at ``place`` leads, nearest first."""
        shared: defaultdict[int, int] = defaultdict(int)
        for pair in holders.keys() & self._pairs[place]:
            share = _WHOLE // len(holders[pair])
            for other in holders[pair]:
                shared[other] += share
        shared.pop(place, None)
        alike = [other for other in shared if self._offered[other] and self._akin(place, other)]
        alike.sort(key=lambda other: (-shared[other], other))
        near = dict.fromkeys(alike[:MOST])
        for name in (*self._topics[place], self._kinds[place]):
            if len(near) >= LEAST:
                break
            for other in _around(shelves.get(name, ()), place):
                if len(near) < LEAST:
                    near.setdefault(other)
        return near

    def touched(self, changed: Container[str], versions: Iterable[tuple[str, Row]]) -> Sequence[int]:
        """Places of those that may lead elsewhere than they did: what changed, what shares rare pairs with that, and what
        lies beside it on a shelf.

        :param changed: ids of those that are new or other than they were.
        :param versions: these, and those that are gone, as they were and as they are.
        """
        same = [place for place in self._all if self._ids[place] not in changed]
        held = set(chain.from_iterable(array("I", row[-1]) for _id, row in versions))
        # What is not rare among those that are the same neither is nor was among all.
        holders = self._holders(held - self._common(same), same)
        touched = {*self._all}.difference(same).union(*holders.values())
        shelves = self._shelves(self._all)
        stayed = {place for place in same if self._offered[place]}
        for id_, (_mark, offered, kind, topics, begins, _headline, _pairs) in versions:
            at = bisect_left(
                self._all, (-begins, id_), key=lambda place: (-self._begins[place], self._ids[place])
            )
            for name in (*topics, kind) if offered else ():
                touched.update(_beside(shelves.get(name, ()), at, stayed))
        return [*touched]

    def _common(self, places: Sequence[int]) -> set[int]:
        """Pairs that are not rare among some of those at ``places``, and need not be counted among all: most of them."""
        times = Counter(chain.from_iterable(self._pairs[place] for place in places[:_SOME]))
        return {pair for pair, number in times.items() if number > _RARE}

    def _holders(self, asked: set[int], places: Iterable[int]) -> dict[int, list[int]]:
        """Which of those at ``places`` hold a pair: of each that is asked for, and rare among them."""
        holders: defaultdict[int, list[int]] = defaultdict(list)
        for place in places:
            if not asked.isdisjoint(its := self._pairs[place]):
                for pair in asked.intersection(its):
                    holders[pair].append(place)
        return {pair: its for pair, its in holders.items() if len(its) <= _RARE}

    def _shelves(self, places: Iterable[int]) -> Mapping[str, Sequence[int]]:
        """Those at ``places``, newest first, by topic and by kind."""
        alike: defaultdict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
        for place in places:
            alike[self._kinds[place], self._topics[place]].append(place)
        shelves: defaultdict[str, list[int]] = defaultdict(list)
        for (kind, topics), its in alike.items():
            for name in {*topics, kind}:
                shelves[name] += its
        return {name: sorted(its) for name, its in shelves.items()}

    def _akin(self, one: int, other: int) -> bool:
        same_kind = self._kinds[one] == self._kinds[other]
        return same_kind or not set(self._topics[one]).isdisjoint(self._topics[other])


def _around(shelf: Sequence[int], place: int) -> Sequence[int]:
    """Those just older than the one at ``place``; where they are too few, those just newer, too."""
    newer, older = bisect_left(shelf, place), bisect_right(shelf, place)
    found = shelf[older : older + LEAST]
    if len(found) == LEAST:
        return found
    return [*found, *reversed(shelf[max(0, newer - LEAST) : newer])]


def _beside(shelf: Sequence[int], place: int, stayed: Container[int]) -> Iterator[int]:
    """Those to which something at ``place`` is or was near: between them and it are few that ``stayed`` on the shelf."""
    middle = bisect_left(shelf, place)
    for way in (range(middle, len(shelf)), range(middle - 1, -1, -1)):
        passed = 0
        for other in map(shelf.__getitem__, way):
            yield other
            passed += other in stayed
            if passed == LEAST:
                break
