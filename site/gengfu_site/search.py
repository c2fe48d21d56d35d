"""The search index: plain files below ``search/`` from which a page's script finds Chinese, a few kilobytes a query.

What is promised: for every string of two or more characters, every article that holds it is found. Chinese is
written without spaces, so nothing is cut into words: an article is listed under each pair of neighbouring
characters (and each three of Latin letters or digits, since pairs of digits are in every telephone number), the
lists of a query's pairs are intersected, and the script then looks for the string itself in what it shows.

The files, JSON all of them so that any server compresses them:

``words/HEX.json``    a shard: for each gram that hashes to it, the articles that hold it and how prominently
``kinds.json``        the first letter of each article's kind, in the order of their numbers
``articles/N.json``   what a result shows
``texts/N.json``      the rest of its words, asked for only where neither title nor summary holds the string

Articles are numbered by the month they were published in, and those that have a page but are no longer offered keep
their number. A month has more numbers than articles, and which of them an article bears follows from its id and those
of older ones: so one that comes or goes leaves nearly all others theirs (:func:`_numbered`), and only the shards of its
own grams change (:meth:`Words.changed`). The script's half is ``search-words.js`` and ``search-index.js``; :func:`fold`,
:func:`grams`, :func:`shard` and :func:`encoded` must mean there what they mean here.
"""

from __future__ import annotations

import hashlib
import json
import marshal
import re
import unicodedata
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, partial
from itertools import accumulate, chain
from operator import add
from urllib.parse import quote
from zlib import crc32
from zoneinfo import ZoneInfo

from gengfu_site.catalogue import Area, within
from gengfu_site.edition import edition
from gengfu_site.library import Article, Kept, Library
from gengfu_site.markdown import plain
from gengfu_site.records import digest
from gengfu_site.store import plainest
from gengfu_site.synonyms import Synonyms
from gengfu_site.values import dataclass

_FORMAT = 5
"""Of the files; another one gives every file another address."""
_FINE, _PLENTY = 16, 1024
"""Shards an article, while there are fewer of them than that."""
_SHORT_TITLE = 8
"""Characters, at most: such a title may be just what somebody types."""

_TEXT, _SUMMARY, _TITLE, _SHORT = range(4)
"""How prominently an article holds a gram: in the best of its places."""

_RUN = re.compile(r"[0-9a-z]{3,}")


class _Folded(dict[int, str]):
    """For :meth:`str.translate`: what each character counts as, worked out when it first occurs."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKC", chr(code)).lower()
        self[code] = "".join(sign for sign in plain if unicodedata.category(sign)[0] in "LN")
        return self[code]


_folded = _Folded()


def fold(text: str) -> str:
    """``text`` as it is searched: letters and digits alone, all in one width and case."""
    return _composed(text).translate(_folded)


def _composed(text: str) -> str:
    """The script folds character by character, so none may be written in two parts."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def grams(folded: str) -> list[str]:
    """What a folded text is listed under, some of it more than once."""
    threes = [run[i : i + 3] for run in _RUN.findall(folded) for i in range(len(run) - 2)]
    return [*map(add, folded, folded[1:]), *threes]


def shard(gram: str, shards: int) -> int:
    """The shard in which ``gram`` lies: FNV-1a over its characters (RFC 9923).

    :param shards: how many there are, a power of two.
    """
    value = 2166136261
    for sign in gram:
        value = (value ^ ord(sign)) * 16777619 & 0xFFFFFFFF
    return (value ^ value >> 15) & shards - 1


class _Codes(dict[int, str]):
    """Steps as text that gzip makes small: the frequent ones have one character, which it codes in a few bits.

    A step is how far an article's number is from the one before, times four, and how prominently the article holds the
    gram. The last character is one of 57 from ``#`` on; before it stand, where they are not 0, how many times 57
    it is farther, from ``]`` on, and how prominently, from ``|`` on. Between them lies the backslash, which JSON would
    have to escape.
    """

    def __missing__(self, step: int) -> str:
        far, prominence = divmod(step, 4)
        times, last = divmod(far, 57)
        signs = (123 + prominence if prominence else 0, 92 + times if times else 0, 35 + last)
        self[step] = "".join(map(chr, filter(None, signs)))
        return self[step]


_codes = _Codes()


class _Steps(dict[str, int]):
    """What :class:`_Codes` made a code of."""

    def __missing__(self, code: str) -> int:
        far = prominence = 0
        for sign in map(ord, code):
            if sign > 123:
                prominence = sign - 123
            else:
                far += (sign - 92) * 57 if sign > 92 else sign - 35
        self[code] = far * 4 + prominence
        return self[code]


_steps = _Steps()
_CODE = re.compile(r"[|-~]?[\]-m]?[#-\[]")
_PART = 4 * 1024
"""Postings that differ in their last bits alone, these, are one part of a list: who changes it leaves the others as they
are written."""


def encoded(postings: Sequence[int], before: int = 0) -> str:
    """A list of articles as text: the steps of each part, from its beginning on, and blanks between the parts.

    :param postings: ascending; an article's number, times four, and its prominence.
    :param before: the last posting of a list that they go on with.
    """
    return "".join(
        [
            _codes[now - (before & -4)] if now ^ before < _PART else _in_another_part(before, now)
            for before, now in zip([before, *postings], postings, strict=False)
        ]
    )


def _in_another_part(before: int, now: int) -> str:
    return " " * (now // _PART - before // _PART) + _codes[now % _PART]


@cache
def _way(code: str) -> int:
    """How far it takes a list's numbers, times four."""
    return _steps[code] & -4


def _without(text: bytes, posting: int) -> bytes:
    """The list without one of its postings.

    :raises ValueError: it is not among them.
    """
    return _changed_at(text, posting, _take_out)


def _with(text: bytes, posting: int) -> bytes:
    """The list with one posting more."""
    return _changed_at(text, posting, _put_in)


def _changed_at(text: bytes, posting: int, change: Callable[[list[str], int, int], None]) -> bytes:
    """The list after a change to one part of it. Some are very long: the other parts stay as they are written.

    :param change: is given the part's codes, the place among them that ``posting`` has or would have, and the step to it.
    """
    parts, part = text.split(b" "), posting // _PART
    parts += [b""] * (part + 1 - len(parts))
    codes = _CODE.findall(parts[part].decode())
    numbers = [*accumulate(map(_way, codes), initial=part * _PART)]
    place = bisect_left(numbers, posting & -4, 1) - 1
    change(codes, place, posting - numbers[place])
    parts[part] = "".join(codes).encode()
    return b" ".join(parts).rstrip(b" ")


def _take_out(codes: list[str], place: int, step: int) -> None:
    if codes[place : place + 1] != [_codes[step]]:
        raise ValueError("not in list")
    del codes[place]
    _move(codes, place, step & -4)


def _put_in(codes: list[str], place: int, step: int) -> None:
    _move(codes, place, -(step & -4))
    codes.insert(place, _codes[step])


def _move(codes: list[str], place: int, by: int) -> None:
    """The one at ``place``, if there is one, begins to count elsewhere now."""
    if place < len(codes):
        codes[place] = _codes[_steps[codes[place]] + by]


@dataclass(frozen=True, kw_only=True)
class Index:
    """What the search page must know before it asks for a file."""

    shards: int
    edition: str
    """Stands in every address: a browser never puts files of two editions together."""
    areas: tuple[Area, ...]
    """Those that some article is for."""
    synonyms: Synonyms
    """Folded."""


def _shards(articles: int) -> int:
    """About as many as articles keep a shard near 1.4 KB compressed at any size of a library; a small one's are smaller
    still, for the page is then most of what a first search costs."""
    return max(_power_of_two(min(_PLENTY, _FINE * articles)), _power_of_two(articles))


def _power_of_two(most: int) -> int:
    """The largest that is not above ``most``, and 1 at least."""
    return max(1, 1 << most.bit_length() >> 1)


def files(library: Library, at: datetime) -> Iterator[tuple[str, bytes]]:
    """Path below the site and bytes of every file of the index."""
    words = Words(library, at)
    for article in words.live:
        yield from words.article(article)
    yield words.kinds()
    yield from words.shards()


Earlier = Callable[[str], bytes]
"""A file of the present release, by its path below the site; raises OSError where it is not there."""
_FEW = 50
"""Of so many articles one may be new or gone, and looking for the shards that change is still less work."""


_TOGETHER = 5_000
"""Articles whose postings are in memory as numbers, which take four times what they take in a list."""


class Words:
    """The index of one library at one moment."""

    def __init__(self, library: Library, at: datetime) -> None:
        station = library.settings.station
        self._zone = ZoneInfo(station.timezone)
        self.live: Sequence[Article] = library.listed(at)
        self.numbers, self._places = _numbered(library.published(at))
        """By each article's id; and how many there are."""
        whose: dict[tuple[str, ...], int] = {}
        # Of those that are live, in their order; the areas of all, each once, and which of them are whose.
        self._at = [self.numbers[article.id] for article in self.live]
        self._said = [_said(article) for article in self.live]
        self._areas = [whose.setdefault(article.areas, len(whose)) for article in self.live], list(whose)
        named = set(chain.from_iterable(whose))
        areas = tuple(area for area in station.areas if area.path in named)
        self._manner = (_shards(len(self.numbers)), [(area.path, area.slug) for area in areas])
        told = [article.url for article in self.live], [article.revision for article in self.live]
        hangs_on = (_FORMAT, station.timezone, self._places, self._manner, self._at, told)
        self.about = Index(
            shards=self._manner[0],
            edition=hashlib.blake2b(plainest(hangs_on)).hexdigest()[:8],
            areas=areas,
            synonyms=tuple(tuple(map(fold, same)) for same in library.settings.synonyms),
        )

    def article(self, article: Article) -> Iterator[tuple[str, bytes]]:
        """What is shown of one that is live."""
        number = self.numbers[article.id]
        yield _shown_path(number), _json(_shown(article, self._zone))
        yield _text_path(number), _json(_composed(_text(article)))

    def kinds(self) -> tuple[str, bytes]:
        kinds = ["-"] * self._places
        for article in self.live:
            kinds[self.numbers[article.id]] = article.kind[0]
        return "search/kinds.json", _json("".join(kinds))

    def shards(self) -> Iterator[tuple[str, bytes]]:
        """Every shard, the empty ones too: what is not there need not be told from what could not be fetched."""
        lists = self._lists()
        held: list[list[str]] = [[] for _shard in range(self.about.shards)]
        for gram in lists:
            held[shard(gram, self.about.shards)].append(gram)
        for number, its in enumerate(held):
            yield _shard_path(number), _joined(sorted([_named(gram) + lists[gram].encode() for gram in its]))

    def _lists(self) -> Mapping[str, str]:
        """By each gram, what says which articles hold it."""
        lists: defaultdict[str, str] = defaultdict(str)
        last: dict[str, int] = {}
        articles = sorted(self.live, key=lambda article: self.numbers[article.id])
        for begin in range(0, len(articles), _TOGETHER):
            postings: defaultdict[str, array[int]] = defaultdict(partial(array, "I"))
            for article in articles[begin : begin + _TOGETHER]:
                for gram, posting in self._listed(article).items():
                    postings[gram].append(posting)
            for gram, some in postings.items():
                lists[gram] += encoded(some, last.get(gram, 0))
                last[gram] = some[-1]
        return lists

    @cached_property
    def state(self) -> bytes:
        """What :meth:`changed` must know of this index once it is the earlier one."""
        return plainest((edition(), self._manner, self._at, self._said, *self._areas))

    def changed(self, before: bytes, earlier: Earlier) -> Sequence[tuple[str, bytes]] | None:
        """Those shards that are not as they were; None where making all of them anew is no more work.

        :param before: the state of the earlier index.
        """
        try:
            *manner, numbers, said, whose, areas = marshal.loads(before)  # noqa: S302 - plain values
            if manner != [edition(), self._manner]:
                return None
            was = dict(zip(numbers, said, strict=True))
            is_ = dict(zip(self._at, self._said, strict=True))
            gone = [
                (at, areas[its]) for at, its in zip(numbers, whose, strict=True) if is_.get(at) != was[at]
            ]
            came = [a for a, at in zip(self.live, self._at, strict=True) if was.get(at) != is_[at]]
            if len(gone) + len(came) > len(self.live) // _FEW + 1:
                return None
            old = {pair for one in gone for pair in self._listed_before(*one, earlier).items()}
            new = {pair for article in came for pair in self._listed(article).items()}
            changes: defaultdict[int, list[_Change]] = defaultdict(list)
            for change, pairs in ((_without, old - new), (_with, new - old)):
                for gram, posting in pairs:
                    changes[shard(gram, self.about.shards)].append((change, gram, posting))
            return [
                (_shard_path(number), _changed(earlier(_shard_path(number)), its))
                for number, its in changes.items()
            ]
        except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError):
            # Somebody's hand was in the release, or in what is known of it.
            return None

    def _listed(self, article: Article) -> dict[str, int]:
        number = self.numbers[article.id]
        return self._postings(
            number, article.title, article.summary, _composed(_text(article)), article.areas
        )

    def _listed_before(self, number: int, areas: Iterable[str], earlier: Earlier) -> dict[str, int]:
        """What an article of the earlier index was listed under: all of it lies in the release."""
        told, text = json.loads(earlier(_shown_path(number))), json.loads(earlier(_text_path(number)))
        return self._postings(number, told["title"], told["summary"], text, areas)

    def _postings(
        self, number: int, title: str, summary: str, text: str, areas: Iterable[str]
    ) -> dict[str, int]:
        """Each gram under which an article is listed, and as what.

        A single character is listed for titles and summaries alone: in running text it says little.
        """
        base = number << 2
        title, summary = fold(title), fold(summary)
        prominent = _SHORT if len(title) <= _SHORT_TITLE else _TITLE
        best = dict.fromkeys(grams(fold(text)), base)
        best.update(dict.fromkeys((*grams(summary), *summary), base + _SUMMARY))
        best.update(dict.fromkeys((*grams(title), *title), base + prominent))
        best.update(dict.fromkeys((gram for path in areas for gram in self._grams_of(path)), base))
        return best

    def _grams_of(self, path: str) -> Iterator[str]:
        """What an article for the area ``path`` is listed under besides its words: each area above it and beneath."""
        for area in self.about.areas:
            if within(area.path, path) or within(path, area.path):
                yield f"area:{area.slug}"


def _shown_path(number: int) -> str:
    return f"search/articles/{number}.json"


def _text_path(number: int) -> str:
    return f"search/texts/{number}.json"


def _shard_path(number: int) -> str:
    return f"search/words/{number:x}.json"


_LEAST = 8
"""Numbers of a month, at least."""


def _numbered(articles: Sequence[Article]) -> tuple[dict[str, int], int]:
    """The number of each article by its id, and how many numbers there are.

    A month's articles share a table of at least half as many numbers again, a power of two: each has the place that
    its id hashes to or, where an older one has that, the first free one at steps that hang on its id, too: so none crowd
    together, one that comes last moves no other, and one that goes every third time another one. Months without
    articles have numbers too: the first one of a month moves no other month's.

    :param articles: newest first.
    """
    in_order = articles[::-1]
    ids, begins = [a.id for a in in_order], [a.begins for a in in_order]
    hashes = list(map(crc32, map(str.encode, ids)))
    numbers: dict[str, int] = {}
    first = done = 0
    for month_ends in _months(begins):
        end = bisect_left(begins, month_ends)
        places = max(_LEAST, _power_of_two(3 * (end - done)))
        taken: set[int] = set()
        for id_, hash_ in zip(ids[done:end], hashes[done:end], strict=True):
            place = hash_ % places
            while place in taken:
                place = (place + (hash_ >> 15 | 1)) % places  # an odd step comes to every place
            taken.add(place)
            numbers[id_] = first + place
        first, done = first + places, end
    return numbers, first


_1970 = datetime(1970, 1, 1, tzinfo=UTC)


def _months(moments: Sequence[float]) -> Iterator[float]:
    """When each month from that of the first of these moments to that of the last was over, as UTC has it."""
    if moments:
        first, last = (_1970 + timedelta(seconds=moment) for moment in (moments[0], moments[-1]))
        for month in range(first.year * 12 + first.month, last.year * 12 + last.month + 1):
            yield datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()


_Change = tuple[Callable[[bytes, int], bytes], str, int]
"""What becomes of a gram's list: :func:`_with` or :func:`_without` which posting."""


def _changed(shard: bytes, changes: Iterable[_Change]) -> bytes:
    """
    :raises ValueError: it is no shard, or a list does not hold what is to go.
    """
    lists = _parted(shard)
    for change, gram, posting in changes:
        name = _named(gram)
        place = bisect_left(lists, name)
        its = [one for one in lists[place : place + 1] if one.startswith(name)]
        text = change(b"".join(its)[len(name) :], posting)
        lists[place : place + len(its)] = [name + text] if text else []
    return _joined(lists)


def _named(gram: str) -> bytes:
    """What stands in a shard ahead of the list of ``gram``."""
    return _json(gram) + b':"'


def _joined(lists: Iterable[bytes]) -> bytes:
    """A shard as JSON, each list on a line of its own.

    :param lists: with their :func:`_named` ahead of them, in order.
    """
    return b"{%b}" % b",\n".join([text + b'"' for text in lists])


def _parted(shard: bytes) -> list[bytes]:
    """What :func:`_joined` made a shard of.

    :raises ValueError: it is none.
    """
    if shard == b"{}":
        return []
    lists = shard[1:-2].split(b'",\n')
    if not (shard.startswith(b'{"') and shard.endswith(b'"}') and shard.count(b'":"') == len(lists)):
        raise ValueError("no shard")
    return lists


def _said(article: Article) -> str:
    """Another one where it is listed otherwise; of a missing person's, no more than the catalogue tells."""
    if article.kind == "alert" and article.missing_person:
        return f"{article.url} {article.revision}"
    return digest(article)


def _shown(article: Article, zone: ZoneInfo) -> dict[str, str]:
    """What a result shows; of an alert also how it ended, if it did."""
    shown = {
        "url": quote(article.url),
        "title": _composed(article.title),
        "summary": _composed(article.summary),
        "kind": article.kind,
        "date": article.published.astimezone(zone).date().isoformat(),
    }
    if article.alert and article.alert.state != "active":
        shown["over"] = article.alert.state
    return shown | ({"ends": article.expires.isoformat()} if article.expires else {})


def _text(article: Article) -> str:
    """All words of its page but title and summary; of a missing person's page only where, and whom to tell."""
    lines = [*_strings(article.service)]
    if article.alert:
        lines += [article.alert.place, article.alert.tell]
    if not article.missing_person:
        lines.append(plain(article.main if isinstance(article, Kept) else article.html))
    lines += [*article.topics, *(path.replace("/", " ") for path in article.areas), *article.audience]
    return " ".join(lines)


def _strings(value: object) -> Iterator[str]:
    """Every text in a field and what lies beneath."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from _strings(inner)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _strings(getattr(value, field.name))


_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(value: object) -> bytes:
    return _written(value).encode()
