"""The site's pages as values: all that a template is given, and nothing else.

Each page type is a class here, made in :mod:`gengfu_site.pages` and shown by the template it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from markupsafe import Markup

from gengfu_site.article import Alert, Service
from gengfu_site.catalogue import ContactLine, Fact
from gengfu_site.pictures import STATION


@dataclass(frozen=True, kw_only=True)
class Link:
    title: str
    url: str
    """Below the site, quoted: templates put ``base_url`` and a slash before it."""
    count: int = 0
    """Articles behind it, where that is of interest."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A moment for people and for machines."""

    text: str
    iso: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """An article in a list."""

    title: str
    url: str
    summary: str
    kind: str
    """Label, e.g. 防骗常识."""
    published: Stamp


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed of what the page shows, for the page's head and foot."""

    title: str
    rss: str
    atom: str


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What every page shows around its own matter."""

    site_name: str
    home: str
    """Absolute address of the site, with a trailing slash."""
    language: str
    kinds: tuple[Link, ...]
    alerts: tuple[Card, ...]
    """Active alerts, exercises left out: the banner."""
    contacts: tuple[ContactLine, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Any page. Subclasses add what their template shows."""

    template: ClassVar[str]

    frame: Frame
    url: str
    """Below the site, not quoted: empty for the home page, else with a trailing slash or ``.html``."""
    title: str
    description: str
    feeds: tuple[Feed, ...]
    """The whole site's first, then the page's own."""
    picture_path: str = STATION
    """Below the site, not quoted: what chats show beside a link to it."""
    listed: bool = True
    """Whether search engines and the sitemap may hold it."""

    @property
    def path(self) -> str:
        """File below the site's folder."""
        return self.url if self.url.endswith(".html") else self.url + "index.html"

    @property
    def address(self) -> str:
        """Absolute address."""
        return self.frame.home + quote(self.url)

    @property
    def picture(self) -> str:
        """Absolute address of the JPEG or PNG that chats show beside a link to it; never a missing person's face."""
        return self.frame.home + quote(self.picture_path)


@dataclass(frozen=True, kw_only=True)
class HomePage(Page):
    template = "home.html"

    newest: tuple[Card, ...]
    topics: tuple[Link, ...]
    areas: tuple[Link, ...]
    """The outermost areas and those beneath them, in the admin's order."""


@dataclass(frozen=True, kw_only=True)
class ListPage(Page):
    """One page of a kind's or a topic's articles, newest first."""

    template = "list.html"

    cards: tuple[Card, ...]
    number: int
    total: int
    newer: Link | None
    older: Link | None


@dataclass(frozen=True, kw_only=True)
class AreaPage(ListPage):
    template = "area.html"

    parent: Link | None
    children: tuple[Link, ...]
    contacts: tuple[ContactLine, ...]
    """The area's own card, or the nearest above it."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    name: str
    url: str
    """Below the site, quoted."""
    form: str
    """``audio``, ``video``, ``picture`` or ``document``."""


@dataclass(frozen=True, kw_only=True)
class ContactCard:
    area: Link | None
    """None for the station's own card."""
    contacts: tuple[ContactLine, ...]


@dataclass(frozen=True, kw_only=True)
class ArticlePage(Page):
    template = "article.html"

    id: str
    kind: Link
    summary: str
    published: Stamp
    updated: Stamp | None
    reviewed: Stamp | None
    next_review: Stamp | None
    expires: Stamp | None
    expired: bool
    withdrawn: str | None
    """The reason, where it was withdrawn."""
    author: str | None
    topics: tuple[Link, ...]
    areas: tuple[Link, ...]
    audience: tuple[str, ...]
    cover: str | None
    """Below the site, quoted."""
    attachments: tuple[Attachment, ...]
    html: Markup
    card: ContactCard


@dataclass(frozen=True, kw_only=True)
class ServicePage(ArticlePage):
    template = "service.html"

    service: Service


@dataclass(frozen=True, kw_only=True)
class AlertPage(ArticlePage):
    template = "alert.html"

    alert: Alert
    active: bool
    facts: tuple[Fact, ...]
    """A missing person's data, only while the alert is active."""
    photo: str | None
    """Below the site, quoted; likewise."""
    hide_after: Stamp | None
    """When the reader's own clock takes data and picture off an open page."""
    follows: tuple[Link, ...]
    """Earlier alerts it refers to."""


@dataclass(frozen=True, kw_only=True)
class KeptPage(Page):
    """An article's page in a new frame, its own matter as the present release has it."""

    template = "kept.html"

    main: Markup


@dataclass(frozen=True, kw_only=True)
class NotFoundPage(Page):
    template = "404.html"

    listed: bool = False
