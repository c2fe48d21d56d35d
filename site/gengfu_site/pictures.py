"""The pictures that chats show beside a link: one a kind, one a topic, one for the station.

Chat apps and Open Graph (https://ogp.me) show JPEG and PNG and no SVG. What is drawn hangs on the station alone, so an
address that a chat remembers keeps its picture. No missing person's face is ever a page's picture: chat apps keep what
they fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gengfu_site.catalogue import Kind, Station, Topic
from gengfu_site.library import Article

FOLDER = "share/"
"""Below the site; every picture made here lies in it."""
STATION = FOLDER + "station.png"
"""Path of the station's own picture."""
RASTER = (".jpg", ".jpeg", ".png")
"""Endings of the pictures that every chat app shows."""

_BRAND = "#12385c"
_COLOURS: Mapping[Kind, str] = {
    "tip": "#115c4b",
    "fraud": "#1f4280",
    "service": "#6a4a10",
    "notice": "#3a4553",
    "video": "#54327a",
    "alert": "#b01c1a",
}
"""White on each, and on its lightest ring, is at least 4.5:1."""


def kind_picture(kind: Kind) -> str:
    """Path of the kind's picture below the site."""
    return f"{FOLDER}kind-{kind}.png"


def topic_picture(topic: Topic) -> str:
    """Path of the topic's picture below the site; not quoted."""
    return f"{FOLDER}topic-{topic.slug}.png"


def picture(article: Article, station: Station) -> str:
    """Path below the site, not quoted, of what stands for the article in a chat.

    Its own cover, where chats can show that; else its first topic's picture, else its kind's. An alert has its kind's,
    and a search for a person always: its cover may be a face.
    """
    cover = article.cover_file
    if cover and cover.suffix.lower() in RASTER and not article.missing_person:
        return cover.as_posix()
    # One that is carried over from the present release may name a topic that there is no more.
    declared = [topic for name in article.topics for topic in station.topics if topic.name == name]
    return topic_picture(declared[0]) if declared and not article.alert else kind_picture(article.kind)


def pictures(station: Station, labels: Mapping[Kind, str]) -> Iterator[tuple[str, bytes]]:
    """Path below the site and PNG of every picture; unused ones too, for the next article may want them.

    :param labels: each kind's name as residents read it.
    """
    from gengfu_site.drawing import drawable, png  # most builds draw none, and need not wait for the import

    host = drawable(urlsplit(station.url).hostname or "")
    name = drawable(station.name) or host
    yield STATION, png(name, host, _BRAND)
    for kind, label in labels.items():
        yield kind_picture(kind), png(label, name, _COLOURS[kind], kind)
    for topic in station.topics:
        yield topic_picture(topic), png(drawable(topic.name) or name, name, _BRAND)
