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

Articles are numbered by age, and those that have a page but are no longer offered keep their number: a new article
is appended, and one that is withdrawn leaves only the shards that named it. The script's half is ``search-words.js``;
:func:`fold`, :func:`grams`, :func:`shard` and :func:`encoded` must mean there what they mean here.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import partial
from operator import add
from urllib.parse import quote
from zoneinfo import ZoneInfo

from gengfu_site.catalogue import Area, within
from gengfu_site.library import Article, Kept, Library
from gengfu_site.markdown import plain
from gengfu_site.synonyms import Synonyms

_FORMAT = 1
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
    """Numbers as text that gzip makes small: the frequent ones have one character, which it codes in a few bits.

    The last character is one of 57 from ``#`` on, those before it are of 34 from ``]`` on; between the two lies
    the backslash, which JSON would have to escape.
    """

    def __missing__(self, number: int) -> str:
        high, low = divmod(number, 57)
        code = chr(35 + low)
        while high:
            high, digit = divmod(high, 34)
            code = chr(93 + digit) + code
        self[number] = code
        return code


_codes = _Codes()


def encoded(postings: Sequence[int]) -> str:
    """A list of articles as text: for each the step from the one before, and how prominently it holds the gram.

    :param postings: ascending; an article's number and one, times four, and its prominence.
    """
    return "".join(
        [_codes[now - (before & -4)] for before, now in zip([0, *postings], postings, strict=False)]
    )


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


def index(library: Library, at: datetime) -> Index:
    numbered = _numbered(library, at)
    live = {article.id for article in library.listed(at)}
    station = library.settings.station
    said = [f"{_FORMAT} {station.timezone}\n", *(f"{area.path} {area.slug}\n" for area in station.areas)]
    said += [f"{article.id} {article.revision} {article.id in live}\n" for article in numbered]
    digest = hashlib.sha256("".join(said).encode()).hexdigest()
    named = {path for article in library.listed(at) for path in article.areas}
    return Index(
        # About as many as articles keep a shard near 1.4 KB compressed at any size of a library; a small one's
        # are smaller still, for the page is then most of what a first search costs.
        shards=max(_power_of_two(min(_PLENTY, _FINE * len(numbered))), _power_of_two(len(numbered))),
        edition=digest[:8],
        areas=tuple(area for area in station.areas if area.path in named),
        synonyms=tuple(tuple(map(fold, same)) for same in library.settings.synonyms),
    )


def _power_of_two(most: int) -> int:
    """The largest that is not above ``most``, and 1 at least."""
    return max(1, 1 << most.bit_length() >> 1)


def files(library: Library, at: datetime) -> Iterator[tuple[str, bytes]]:
    """Path below the site and bytes of every file of the index."""
    zone = ZoneInfo(library.settings.station.timezone)
    live = {article.id for article in library.listed(at)}
    about = index(library, at)
    local = {path: _grams_of(path, about.areas) for path in _named(library)}
    postings: defaultdict[str, array[int]] = defaultdict(partial(array, "I"))
    kinds = []
    for number, article in enumerate(_numbered(library, at)):
        kinds.append(article.kind[0] if article.id in live else "-")
        if article.id in live:
            text = _composed(_text(article))
            _list(postings, number, article, text)
            for gram in dict.fromkeys(gram for path in article.areas for gram in local[path]):
                postings[gram].append(number + 1 << 2)
            yield f"search/articles/{number}.json", _json(_shown(article, zone))
            yield f"search/texts/{number}.json", _json(text)
    yield "search/kinds.json", _json("".join(kinds))
    yield from _shards(postings, about.shards)


def _numbered(library: Library, at: datetime) -> list[Article]:
    """Every article that has a page, oldest first: its number is its place."""
    return sorted(library.published(at), key=lambda article: (article.published, article.id))


def _named(library: Library) -> Iterable[str]:
    return dict.fromkeys(path for article in library.articles for path in article.areas)


def _grams_of(path: str, areas: Iterable[Area]) -> list[str]:
    """What an article for the area ``path`` is listed under besides its words: each area above it and beneath."""
    return [f"area:{a.slug}" for a in areas if within(a.path, path) or within(path, a.path)]


def _list(postings: Mapping[str, array[int]], number: int, article: Article, text: str) -> None:
    """Put the article into the list of each of its grams.

    A single character is listed for titles and summaries alone: in running text it says little.
    """
    base = number + 1 << 2
    title, summary = fold(article.title), fold(article.summary)
    prominent = _SHORT if len(title) <= _SHORT_TITLE else _TITLE
    best = dict.fromkeys(grams(fold(text)), base)
    best.update(dict.fromkeys((*grams(summary), *summary), base + _SUMMARY))
    best.update(dict.fromkeys((*grams(title), *title), base + prominent))
    for gram, posting in best.items():
        postings[gram].append(posting)


def _shards(postings: Mapping[str, array[int]], shards: int) -> Iterator[tuple[str, bytes]]:
    """Every shard, the empty ones too: what is not there need not be told from what could not be fetched."""
    held: list[list[str]] = [[] for _shard in range(shards)]
    for gram in sorted(postings):
        held[shard(gram, shards)].append(gram)
    for number, its in enumerate(held):
        yield f"search/words/{number:x}.json", _json({gram: encoded(postings[gram]) for gram in its})


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


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
