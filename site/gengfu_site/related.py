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
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence, Set
from itertools import compress, filterfalse, pairwise, repeat
from typing import Any, NamedTuple
from zlib import crc32

from gengfu_site.library import Article
from gengfu_site.records import Remembered, headline
from gengfu_site.store import plainest

MOST, LEAST = 4, 3
"""Articles that one leads to; fewer than the least only where there are no more."""

_RARE = 8
"""A pair of characters that more articles hold says little about any of them, and comparing those would take long."""
_FEW = 200
"""Of so many articles one may be other than it was when all were worked out; from there on, all are worked out again."""
_WHOLE = 1 << 32
"""What those that hold a pair share between them; whole, since a sum of fractions hangs on their order."""
_CHINESE = re.compile(r"[㐀-鿿]{2,}")  # each of 16 bits
_OTHER = re.compile(r"[a-z0-9]{2,}")

LEADS, COMPARED = "leads", "compared"
"""Names of what is left: where articles lead, and what was compared, which is asked for only if some of it is new."""
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
    ids = [a.id for a in articles]
    marks = [a.mark if isinstance(a, Remembered) else mark(a, pairs(a)) for a in articles]
    flags = [id_ in offered for id_ in ids]
    key = _digest((" ".join(ids), "".join(marks), bytes(flags)))
    before, said = _values(known(LEADS)) or (None, {})
    if before == key:
        return Leads(said, {})
    kept, *columns = _values(known(COMPARED)) or ("",)
    then = _Rows(*columns if kept == before else _NONE)
    now = dict(zip(ids, zip(marks, flags, strict=True), strict=True))
    others = then.others(now)
    if len(others) > then.spare:
        rows, said = _anew(articles, now)
    else:
        rows, said = _as_before(articles, now, others, then, said)
    return Leads(said, {LEADS: plainest((key, said)), COMPARED: plainest((key, *rows))})


def led_to(said: str) -> Sequence[str]:
    """The ids in what :attr:`Leads.said` has of an article."""
    return said.split()[::2]


def mark(article: Article, compared: bytes) -> str:
    """Digest of what counts of an article by itself.

    :param compared: its :func:`pairs`.
    """
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


_Now = Mapping[str, tuple[str, bool]]
"""By its id, mark of each article and whether others may lead to it."""


def _anew(articles: Sequence[Article], now: _Now) -> tuple[_Rows, dict[str, str]]:
    """What counts of each, and :attr:`Leads.said`."""
    spare = len(articles) // _FEW
    held = [*map(pairs, articles)]
    times = Counter(array("I", b"".join(held)))
    common = frozenset([pair for pair, number in times.items() if number > _RARE + spare])
    rows = _rows(articles, now, [_without(common, its) for its in held], common, spare)
    asked = {pair for pair, number in times.items() if 1 < number <= _RARE}
    return rows, _Compared(rows, articles).leads(range(len(articles)), asked)


def _as_before(
    articles: Sequence[Article], now: _Now, others: Set[str], then: _Rows, said: Mapping[str, str]
) -> tuple[_Rows, dict[str, str]]:
    """The same, where but for ``others`` all is as it was ``then``, when this was ``said``."""
    held = dict(zip(then.ids, then.pairs, strict=True))
    uncommon = [_without(then.common, pairs(a)) if a.id in others else held[a.id] for a in articles]
    rows = _rows(articles, now, uncommon, then.common, then.spare - len(others))
    compared = _Compared(rows, articles)
    touched = compared.touched(others, [*then.of(others), *rows.of(others)])
    asked = set(array("I", b"".join([rows.pairs[place] for place in touched])))
    new = compared.leads(touched, asked)
    return rows, {id_: new[id_] if id_ in new else said[id_] for id_ in now}


def _without(common: Container[int], held: bytes) -> bytes:
    """Those of an article's :func:`pairs` that are not common."""
    return array("I", filterfalse(common.__contains__, array("I", held))).tobytes()


class _Row(NamedTuple):
    """What counts of an article."""

    id: str
    offered: bool
    kind: str
    topics: tuple[str, ...]
    begins: float
    pairs: bytes


class _Rows(NamedTuple):
    """What counts of articles, by their places: the newest has place 0."""

    ids: Sequence[str]
    marks: Sequence[str]
    offered: Sequence[bool]
    sort: Sequence[int]
    """Place of its kind and topics among :attr:`sorts`."""
    sorts: Sequence[tuple[str, tuple[str, ...]]]
    begins: Sequence[float]
    pairs: Sequence[bytes]
    """But for the common ones, which are most."""
    common: frozenset[int]
    """Pairs that were far from rare when all was worked out."""
    spare: int
    """How many articles may be other than they are, or gone, before one of these may be rare."""

    def others(self, now: _Now) -> set[str]:
        """Ids of those that are new or gone or other than they were."""
        then = dict(zip(self.ids, zip(self.marks, self.offered, strict=True), strict=True))
        return {id_ for id_, its in now.items() if then.get(id_) != its} | (then.keys() - now.keys())

    def of(self, ids: Container[str]) -> list[_Row]:
        its = zip(self.ids, self.offered, self.sort, self.begins, self.pairs, strict=True)
        return [
            _Row(id_, offered, *self.sorts[sort], begins, pairs)
            for id_, offered, sort, begins, pairs in its
            if id_ in ids
        ]


_NONE: tuple[Any, ...] = (*[()] * 7, frozenset(), -1)


def _rows(
    articles: Sequence[Article], now: _Now, uncommon: Sequence[bytes], common: frozenset[int], spare: int
) -> _Rows:
    numbers: dict[tuple[str, tuple[str, ...]], int] = {}
    return _Rows(
        ids=[*now],
        marks=[mark for mark, _offered in now.values()],
        offered=[offered for _mark, offered in now.values()],
        sort=[numbers.setdefault((a.kind, a.topics), len(numbers)) for a in articles],
        sorts=[*numbers],
        begins=[a.begins for a in articles],
        pairs=uncommon,
        common=common,
        spare=spare,
    )


class _Compared:
    """Articles beside each other."""

    def __init__(self, rows: _Rows, articles: Sequence[Article]) -> None:
        self._rows, self._articles, self._all = rows, articles, range(len(articles))
        self._pairs = [array("I", its) for its in rows.pairs]

    def leads(self, places: Iterable[int], asked: set[int]) -> dict[str, str]:
        """Where those at ``places`` lead, by their ids.

        :param asked: pairs that they may share with others.
        """
        ids, articles = self._rows.ids, self._articles
        holders, shelves = self._holders(asked, self._all), self._shelves(self._rows.offered)
        said = {}
        for place in places:
            near = self._near(place, holders, shelves)
            said[ids[place]] = " ".join([f"{ids[one]} {headline(articles[one])}" for one in near])
        return said

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
        alike = [other for other in shared if self._rows.offered[other] and self._akin(place, other)]
        alike.sort(key=lambda other: (-shared[other], other))
        kind, topics = self._sort(place)
        near = dict.fromkeys(alike[:MOST])
        for name in (*topics, kind):
            if len(near) >= LEAST:
                break
            for other in _around(shelves.get(name, ()), place):
                if len(near) < LEAST:
                    near.setdefault(other)
        return near

    def touched(self, changed: Container[str], versions: Sequence[_Row]) -> Set[int]:
        """Places of those that may lead elsewhere than they did: what changed, what shares rare pairs with that, and what
        lies beside it on a shelf.

        :param changed: ids of those that are new, gone or other than they were.
        :param versions: these as they were and as they are.
        """
        rows = self._rows
        same = [place for place, id_ in enumerate(rows.ids) if id_ not in changed]
        # What is not rare among those that are the same neither is nor was among all.
        holders = self._holders(set(array("I", b"".join([one.pairs for one in versions]))), same)
        touched = {*self._all}.difference(same).union(*holders.values())
        shelves = self._shelves(repeat(True))
        stayed = {place for place in same if rows.offered[place]}
        for one in versions:
            at = bisect_left(
                self._all, (-one.begins, one.id), key=lambda place: (-rows.begins[place], rows.ids[place])
            )
            for name in (*one.topics, one.kind) if one.offered else ():
                touched.update(_beside(shelves.get(name, ()), at, stayed))
        return touched

    def _holders(self, asked: set[int], places: Iterable[int]) -> dict[int, list[int]]:
        """Which of those at ``places`` hold a pair: of each that is asked for, and rare among them."""
        holders: defaultdict[int, list[int]] = defaultdict(list)
        for place in places:
            if not asked.isdisjoint(its := self._pairs[place]):
                for pair in asked.intersection(its):
                    holders[pair].append(place)
        return {pair: its for pair, its in holders.items() if len(its) <= _RARE}

    def _shelves(self, which: Iterable[bool]) -> Mapping[str, Sequence[int]]:
        """These, newest first, by topic and by kind."""
        alike: list[list[int]] = [[] for _sort in self._rows.sorts]
        for place, sort in compress(enumerate(self._rows.sort), which):
            alike[sort].append(place)
        shelves: defaultdict[str, list[int]] = defaultdict(list)
        for (kind, topics), its in zip(self._rows.sorts, alike, strict=True):
            for name in {*topics, kind}:
                shelves[name] += its
        return {name: sorted(its) for name, its in shelves.items()}

    def _sort(self, place: int) -> tuple[str, tuple[str, ...]]:
        return self._rows.sorts[self._rows.sort[place]]

    def _akin(self, one: int, other: int) -> bool:
        (kind, topics), (other_kind, other_topics) = self._sort(one), self._sort(other)
        return kind == other_kind or not set(topics).isdisjoint(other_topics)


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
