"""Channels as RSS 2.0 (https://www.rssboard.org/rss-specification) and Atom (RFC 4287) files.

Apart from what the channels hold, since most edits change no feed and then need not wait for feedgen and lxml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cached_property
from typing import Any
from urllib.parse import quote

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator

from gengfu_site.catalogue import Station
from gengfu_site.feeds import Channel, urn
from gengfu_site.library import Article
from gengfu_templates.i18n import translations

Content = Callable[[Article], str]
"""An article's whole matter as HTML with absolute addresses."""


class _Item(FeedEntry):  # type: ignore[misc]  # feedgen has no types
    """An entry that is put together once in each format; every feed it is in gets a copy, for an element has one parent."""

    def atom_entry(self, extensions: bool = True) -> Any:
        return deepcopy(self._in_atom)

    def rss_entry(self, extensions: bool = True) -> Any:
        return deepcopy(self._in_rss)

    @cached_property
    def _in_atom(self) -> Any:
        return super().atom_entry()

    @cached_property
    def _in_rss(self) -> Any:
        return super().rss_entry()


_ITEMS = 1_000
"""Entries in memory at once."""


class Items:
    """The entries of a station's feeds: an article is in several of them."""

    def __init__(self, station: Station, content: Content) -> None:
        self._station = station
        self._content = content
        self._made: dict[str, _Item] = {}

    def feeds_of(self, channel: Channel) -> Iterator[tuple[str, bytes]]:
        """The channel's two files, by their path below the site."""
        page = self._station.url + quote(channel.url)
        feed = self._generator(channel)
        for name, written in (("feed.xml", feed.rss_str), ("atom.xml", feed.atom_str)):
            # RSS takes the last link as the channel's own: the page must follow the feed.
            feed.link(
                [{"href": page + name, "rel": "self"}, {"href": page, "rel": "alternate"}],
                replace=True,
            )
            yield channel.url + name, written(pretty=True)

    def _generator(self, channel: Channel) -> FeedGenerator:
        """``channel`` in feedgen's hands, but for its links, of which each format has its own."""
        station = self._station
        feed = FeedGenerator()
        feed.id(urn(station.url + channel.url))
        feed.title(channel.title)
        feed.description(channel.title)
        feed.language(station.language)
        feed.author(name=station.name)
        feed.generator("")
        feed.updated(channel.updated)
        feed.lastBuildDate(channel.updated)
        for article in channel.articles:
            feed.add_entry(self._of(article), order="append")
        return feed

    def _of(self, article: Article) -> _Item:
        if article.id not in self._made:
            if len(self._made) == _ITEMS:
                self._made.clear()
            self._made[article.id] = self._new(article)
        return self._made[article.id]

    def _new(self, article: Article) -> _Item:
        item = _Item()
        item.id(urn(article.id))
        item.guid(urn(article.id), permalink=False)
        item.title(_headline(article, self._station))
        item.link(href=self._station.url + quote(article.url))
        item.summary(article.summary)
        item.content(self._content(article), type="html")
        item.category([{"term": topic} for topic in article.topics])
        item.published(article.published)
        item.updated(article.modified)
        return item


def _headline(article: Article, station: Station) -> str:
    """A reader that kept the call for help is to see above all that it is over."""
    if article.alert is None or article.alert.state == "active":
        return article.title
    _ = translations(station.language).gettext
    return _("【已结束，请勿再转】{title}").format(title=article.title)
