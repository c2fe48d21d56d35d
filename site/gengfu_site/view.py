"""The site's pages as values: all that a template is given, and nothing else.

Each page type is a class here, made in :mod:`gengfu_site.pages` and shown by the template it names.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar
from urllib.parse import quote

from markupsafe import Markup

from gengfu_site.article import Alert, Service
from gengfu_site.catalogue import ContactLine, Fact
from gengfu_site.pictures import STATION
from gengfu_site.qr import Code, draw
from gengfu_site.search import Index
from gengfu_site.settings import Matter, Official
from gengfu_site.values import dataclass

quoted = lru_cache(maxsize=4096)(quote)
"""An address fit for a page. Each is wanted many times, most of them by pages that follow one another."""


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
    alert: Alert | None = None
    """Of an alert: one that is over says so wherever it is listed."""
    active: bool = False
    withdrawn: str | None = None


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed of what the page shows, for the page's head and foot."""

    title: str
    rss: str
    atom: str


@dataclass(frozen=True, kw_only=True)
class BannerLine:
    """An alert in the banner."""

    title: str
    url: str
    """As :attr:`Link.url`."""
    ends: Stamp | None
    """When the reader's own clock takes it off."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """What every page shows around its own matter. One is equal to itself alone: parts of pages are kept by it."""

    site_name: str
    home: str
    """Absolute address of the site, with a trailing slash."""
    language: str
    kinds: tuple[Link, ...]
    alerts: tuple[BannerLine, ...]
    """Active alerts, exercises left out: the banner."""
    contacts: tuple[ContactLine, ...]
    official: Official | None
    """None where nothing of it is known."""
    portal_header: Markup
    portal_footer: Markup


@dataclass(frozen=True, kw_only=True)
class Page:
    """Any page. Subclasses add what their template shows."""

    template: ClassVar[str]
    og_type: ClassVar[str] = "website"
    """For link previews, https://ogp.me/#types."""

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
    offline: bool = True
    """Whether a phone may keep it for when it has no network, if it is listed; not what tells of an alert."""

    @property
    def path(self) -> str:
        """File below the site's folder."""
        return self.url if self.url.endswith(".html") else self.url + "index.html"

    @property
    def address(self) -> str:
        """Absolute address."""
        return self.frame.home + quoted(self.url)

    @property
    def picture(self) -> str:
        """Absolute address of the JPEG or PNG that chats show beside a link to it; never a missing person's face."""
        return self.frame.home + quoted(self.picture_path)

    @property
    def canonical(self) -> str:
        """The address that search engines and previews are to know it by."""
        return self.address

    @property
    def banner(self) -> tuple[BannerLine, ...]:
        """Of :attr:`Frame.alerts`, all but the one whose own page this is, which says it larger."""
        own = self.canonical.removeprefix(self.frame.home)
        return tuple(alert for alert in self.frame.alerts if alert.url != own)


@dataclass(frozen=True, kw_only=True)
class AreaLine:
    """An area and whom to call there."""

    area: Link
    slug: str
    """As an address asks for it: ``?area=qingsong/taoyuan``."""
    contact: ContactLine
    """The first line of its card."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """An outermost area and all that lie in it; without a head, the outermost ones that hold no others."""

    head: AreaLine | None
    areas: tuple[AreaLine, ...]


@dataclass(frozen=True, kw_only=True)
class HomePage(Page):
    template = "home.html"

    shortcuts: tuple[Link, ...]
    warnings: tuple[Card, ...]
    """The newest, alerts left out: the banner has those."""
    services: tuple[Link, ...]
    """Where on the page of services each need begins."""
    rooms: tuple[Room, ...]
    """Every area, as long as a page can carry them; then none."""
    matters: tuple[Matter, ...]
    """The first few."""
    topics: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class ScammedPage(Page):
    """What to do after a fraud, in order."""

    template = "scammed.html"

    frauds: tuple[Link, ...]
    """The newest articles."""
    every_fraud: Link


@dataclass(frozen=True, kw_only=True)
class EmergencyPage(Page):
    """Which number for what; whole without a network."""

    template = "emergency.html"

    own: tuple[ContactLine, ...]
    """The station's lines, national ones left out."""


@dataclass(frozen=True, kw_only=True)
class WhoPage(Page):
    """Whose job it is."""

    template = "who.html"

    matters: tuple[Matter, ...]


@dataclass(frozen=True, kw_only=True)
class AreasPage(Page):
    """Every community with its officer."""

    template = "areas.html"

    duty: ContactLine
    rooms: tuple[Room, ...]


@dataclass(frozen=True, kw_only=True)
class ServiceLine:
    title: str
    url: str
    """Below the site, quoted."""
    visit: str
    """不用跑, 跑一次 or 需本人; empty where it is not known."""


@dataclass(frozen=True, kw_only=True)
class ServiceGroup:
    """What residents need of one topic."""

    title: str
    anchor: str
    lines: tuple[ServiceLine, ...]
    more: Link | None
    """The whole topic, where this page holds only its beginning."""


@dataclass(frozen=True, kw_only=True)
class ServicesPage(Page):
    """Services by need; the dated list of all goes on beside it."""

    template = "services.html"

    desk: ContactLine
    groups: tuple[ServiceGroup, ...]
    every: Link


@dataclass(frozen=True, kw_only=True)
class ListPage(Page):
    """One page of a kind's or a topic's articles, newest first."""

    template = "list.html"

    cards: tuple[Card, ...]
    days: str
    """From which to which day they were published; empty of an empty list."""
    front: Link | None
    """What stands at the list's own address, where that is not this page."""
    newer: Link | None
    older: Link | None


@dataclass(frozen=True, kw_only=True)
class AreaPage(ListPage):
    template = "area.html"

    slug: str
    """As :attr:`AreaLine.slug`."""
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


@dataclass(frozen=True, kw_only=True, eq=False)
class ContactCard:
    """As :class:`Frame`, equal to itself alone."""

    area: Link | None
    """None for the station's own card."""
    contacts: tuple[ContactLine, ...]


@dataclass(frozen=True, kw_only=True)
class ArticlePage(Page):
    template = "article.html"
    og_type = "article"

    id: str
    kind: Link
    summary: str
    published: Stamp
    updated: Stamp | None
    changed: str | None
    """What was other before ``updated``."""
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
    contents: tuple[Link, ...]
    """Its sections, where it is long enough to get lost in; each ``url`` is an anchor."""
    related: tuple[Link, ...]
    runs_out: Stamp | None
    """When the reader's own clock ends what is in force now."""
    shareable: bool
    """Whether it is for passing on: in force, and no exercise."""
    permalink: str
    """Absolute address that stays when the article is renamed or moved, short enough for a chat."""
    card: ContactCard
    answer: str = ""
    """A guide's answer as one message, the permalink included."""

    @property
    def code(self) -> Code:
        """The permalink, for paper."""
        return draw(self.permalink)


@dataclass(frozen=True, kw_only=True)
class ServicePage(ArticlePage):
    template = "service.html"

    service: Service
    visit: str
    """Whether to come, in a resident's words."""


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
class PermalinkPage(Page):
    """Forwards from an article's permalink to where it lies now."""

    template = "permalink.html"

    to: Link

    @property
    def canonical(self) -> str:
        return self.frame.home + self.to.url


@dataclass(frozen=True, kw_only=True)
class StatePage(PermalinkPage):
    """How an alert stands, in one huge word: what goes round for years can be checked against it."""

    template = "state.html"

    alert: Alert
    active: bool
    runs_out: Stamp | None
    """As :attr:`ArticlePage.runs_out`."""
    withdrawn: str | None
    """The reason, where it was withdrawn."""
    published: Stamp
    updated: Stamp | None


@dataclass(frozen=True, kw_only=True)
class KeptPage(Page):
    """An article's page in a new frame, its own matter as the present release has it."""

    template = "kept.html"

    main: Markup


@dataclass(frozen=True, kw_only=True)
class PrivacyPage(Page):
    """What the site knows of its readers, and what their phones know of the site."""

    template = "privacy.html"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a list of the search form offers."""

    value: str
    title: str


@dataclass(frozen=True, kw_only=True)
class SearchPage(Page):
    """Finds by its scripts, in the files of :mod:`gengfu_site.search`."""

    template = "search.html"

    kinds: tuple[Choice, ...]
    areas: tuple[Choice, ...]
    topics: tuple[Link, ...]
    index: Index
    listed: bool = False


@dataclass(frozen=True, kw_only=True)
class NotFoundPage(Page):
    template = "404.html"

    listed: bool = False
