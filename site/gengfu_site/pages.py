"""Which pages the site has at a moment, made from the library for the templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from heapq import nsmallest
from itertools import islice
from operator import attrgetter
from pathlib import PurePosixPath
from typing import NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gengfu_site.answer import answer, visit
from gengfu_site.article import Alert, Service
from gengfu_site.catalogue import KINDS, Area, ContactLine, Fact, Kind, Station, Topic, within
from gengfu_site.library import Article, Kept, Library, names
from gengfu_site.links import ATTACHMENTS
from gengfu_site.markdown import plain, sections
from gengfu_site.pictures import STATION, kind_picture, picture, topic_picture
from gengfu_site.records import digest, headline
from gengfu_site.related import Known, Leads, led_to, related
from gengfu_site.search import Words
from gengfu_site.settings import OWN_PAGES
from gengfu_site.view import (
    AlertPage,
    AreaLine,
    AreaPage,
    AreasPage,
    ArticlePage,
    Attachment,
    BannerLine,
    Card,
    Choice,
    ContactCard,
    EmergencyPage,
    Feed,
    Frame,
    HomePage,
    KeptPage,
    Link,
    ListPage,
    NotFoundPage,
    Page,
    PermalinkPage,
    PrivacyPage,
    Room,
    ScammedPage,
    SearchPage,
    ServiceGroup,
    ServiceLine,
    ServicePage,
    ServicesPage,
    Stamp,
    StatePage,
    WhoPage,
    quoted,
)
from gengfu_templates.i18n import translations

_LEAST, _MOST = 10, 30
"""Articles on one page of a list, but for the newest: about twenty."""
_FRONT = 5
"""On that at least, and all that have no whole page yet."""
_CARDS = 10_000
"""That are kept for the next list: all of 100,000 articles take more memory than making them anew takes time."""
_WARNINGS = 5
"""Articles on the home page."""
_FEW = 4
"""Matters on the home page."""
_MOST_AREAS = 60
"""Areas that the home page can carry with their officers' numbers."""
_FRAUDS = 12
"""Articles on the page for those who were deceived."""
_SERVICES = 12
"""Of one topic on the page of services."""
_SECTIONS, _LONG = 3, 800
"""Headings and characters from which a text has a list of its contents: about three screens of a phone."""


def pages(library: Library, at: datetime) -> Iterator[Page]:
    """Every page of the site as it is at ``at``."""
    pager = Pager(library, at)
    for planned in (*pager.plan(), pager.articles("")):
        for name in planned.keys:
            yield from planned.make(name)


class Planned(NamedTuple):
    """Pages that are to be made, alike and perhaps very many: none is begun before somebody wants it."""

    keys: Mapping[str, str | None]
    """By names that are their own whatever else the library holds, what says all that a page is made of, but for what all
    pages share: the settings and the frame; None: not to be said."""
    make: Callable[[str], Iterable[Page]]
    """Those of a name: one, or an article's two."""
    found: Sequence[tuple[str, float | None]]
    """What search engines may find of them: address below the site, not quoted, and when that last changed, in seconds
    since 1970."""


def article_name(article: Article) -> str:
    """By which the pages of ``article`` go in :attr:`Planned.keys`."""
    return f"article {article.id}"


def page_of(article: Article, library: Library, at: datetime) -> ArticlePage:
    """The page of ``article`` alone, as it is at ``at``."""
    return Pager(library, at).article(article)


def permalink_url(id_: str) -> str:
    """Where an article's short address leads, below the site; ``A/7F3K2`` without the slash does as well."""
    return f"A/{id_}/"


@cache
def kind_label(kind: Kind, language: str) -> str:
    _ = translations(language).gettext
    return {
        "tip": _("治安提示"),
        "fraud": _("防骗常识"),
        "service": _("办事指南"),
        "notice": _("警讯通告"),
        "video": _("视频资料"),
        "alert": _("紧急警情"),
    }[kind]


def topic_url(topic: Topic) -> str:
    return f"topic/{topic.slug}/"


def area_url(area: Area) -> str:
    return f"area/{area.slug}/"


def page_ends(marks: Sequence[int]) -> list[int]:
    """Where each page ends of a list whose articles, newest first, have the numbers ``marks``.

    From the oldest article on, a page ends before the one of least number within reach. So what comes or goes changes its
    own page, and of others one on average: soon the same article is the least again. A new one changes the newest page.
    """
    ends = [len(marks)]
    while ends[-1] >= _MOST + _FRONT:
        near = marks[ends[-1] - _MOST - 1 : ends[-1] - _LEAST]
        ends.append(ends[-1] - _MOST + near.index(min(near)))
    return ends[::-1]


class Lists:
    """The articles of each kind, topic and area, in the order in which they are given."""

    def __init__(self, articles: Iterable[Article], station: Station) -> None:
        self._listed: defaultdict[tuple[str, str], list[Article]] = defaultdict(list)
        areas = [area.path for area in station.areas]

        def its(kind: Kind, topics: tuple[str, ...], named: tuple[str, ...]) -> list[list[Article]]:
            near = [area for area in areas if any(within(area, path) or within(path, area) for path in named)]
            names = {
                ("kind", kind),
                *(("topic", name) for name in topics),
                *(("area", path) for path in near),
            }
            return [self._listed[name] for name in names]

        alike: dict[tuple[Kind, tuple[str, ...], tuple[str, ...]], list[list[Article]]] = {}
        articles = list(articles)
        for article, said in zip(articles, map(attrgetter("kind", "topics", "areas"), articles), strict=True):
            for one in alike.get(said) or alike.setdefault(said, its(*said)):
                one.append(article)

    def of_kind(self, kind: Kind) -> Sequence[Article]:
        return self._listed.get(("kind", kind), ())

    def of_topic(self, topic: Topic) -> Sequence[Article]:
        return self._listed.get(("topic", topic.name), ())

    def local_to(self, area: Area) -> Sequence[Article]:
        """Those meant for ``area`` in particular: they name it, an area above it or one beneath it."""
        return self._listed.get(("area", area.path), ())


def facts(article: Article, at: datetime, language: str) -> tuple[Fact, ...]:
    """A missing person's data as lines, while it may be shown."""
    person = article.person_shown(at)
    if person is None:
        return ()
    _ = translations(language).gettext
    lines = (
        (_("姓名"), person.name),
        (_("性别"), person.sex),
        (_("年龄"), person.age),
        (_("衣着"), person.clothes),
        (_("特征"), person.features),
        (_("最后出现"), person.last_seen),
    )
    return tuple(Fact(label=label, value=value) for label, value in lines if value)


def photo(article: Article, at: datetime) -> tuple[str, str] | None:
    """A missing person's picture while it may be shown: its path below the site, its file in private/.

    Beside the short address, where no file of content/ can be.
    """
    person = article.person_shown(at)
    if person is None or person.photo is None:
        return None
    return permalink_url(article.id) + "photo" + PurePosixPath(person.photo).suffix.lower(), person.photo


class Pager:
    """Makes the pages of one library at one moment; holds what they share."""

    def __init__(self, library: Library, at: datetime, known: Known = lambda name: None) -> None:
        """:param known: what earlier :attr:`leads` left."""
        self._known = known
        self._library = library
        self._at = at
        settings = library.settings
        self._station = settings.station
        self._zone = ZoneInfo(self._station.timezone)
        self._gettext: Callable[[str], str] = translations(self._station.language).gettext
        self._live = library.listed(at)
        self._now = at.timestamp()
        self.lists = Lists(self._live, self._station)
        self._published = {a.id: a for a in library.published(at)}
        self._cards: dict[str, Card] = {}
        self._whole = Feed(title=self._station.name, rss="feed.xml", atom="atom.xml")
        self._areas = {a.path: a for a in self._station.areas}
        self._topics = {t.name: t for t in self._station.topics}
        # How many articles are behind them would change on every page with every article.
        self._kind_links = {
            kind: Link(title=kind_label(kind, self._station.language), url=f"{kind}/") for kind in KINDS
        }
        self._topic_links = {
            t.name: Link(title=t.name, url=quoted(topic_url(t))) for t in self._station.topics
        }
        self._area_links = {a.path: Link(title=a.name, url=quoted(area_url(a))) for a in self._station.areas}
        self._kind_feeds = {
            kind: (self._whole, self._feed(link.url, link.title)) for kind, link in self._kind_links.items()
        }
        self._contact_cards: dict[str | None, ContactCard] = {
            area.path: ContactCard(
                area=self._area_links[area.path], contacts=self._station.contacts_for(area.path)
            )
            for area in self._station.areas
        }
        self._contact_cards[None] = ContactCard(area=None, contacts=self._station.contacts)
        self.frame = Frame(
            site_name=self._station.name,
            home=self._station.url,
            language=self._station.language,
            kinds=tuple(link for kind, link in self._kind_links.items() if kind != "alert"),
            alerts=tuple(
                self._banner_line(a) for a in self._live if a.kind == "alert" and a.alert and _urgent(a.alert)
            ),
            contacts=self._station.contacts,
            official=settings.official if any(vars(settings.official).values()) else None,
            portal_header=Markup(settings.portal.header.html),  # noqa: S704 - the station's own
            portal_footer=Markup(settings.portal.footer.html),  # noqa: S704 - likewise
        )

    @cached_property
    def leads(self) -> Leads:
        """Which articles each one leads to; an alert leads to none."""
        compared = [article for article in self._published.values() if article.kind != "alert"]
        return related(compared, {article.id for article in self._live}, self._known)

    @cached_property
    def words(self) -> Words:
        """What is searched."""
        return Words(self._library, self._at)

    @cached_property
    def _marks(self) -> Mapping[str, int]:
        """By each listed article's digest, the number that it has for :func:`page_ends`."""
        return {digest(article): crc32(article.id.encode()) for article in self._live}

    def plan(self) -> Iterator[Planned]:
        """Every page that is not an article's."""
        alone = (self.home, self.scammed, self.emergency, self.who, self.areas, self.services, self.search)
        yield from (_ready(make()) for make in alone)
        yield from map(self.kind, KINDS)
        yield from map(self.topic, self._station.topics)
        yield from map(self.area, self._station.areas)
        yield _ready(self.privacy())
        yield _ready(self.not_found())

    def articles(self, shared: str) -> Planned:
        """Of each article that is published, in their order, its page and its permalink's.

        :param shared: says what all pages share, for the keys: to make a digest of each takes longer than to compare it.
        """
        now, led, numbers = self._now, self._led_to(), self.words.numbers
        published = self._published.values()
        # Whether it is over is all that the moment decides of a page, where it leads all that it says of others. The
        # number is what search knows it by.
        keys: dict[str, str | None] = {
            f"article {id_}": f"{shared} {digest(a)} {numbers[id_]} {a.ends <= now} {led[id_]}"
            for id_, a in self._published.items()
        }
        # A page with a missing person on it is made anew each time: no digest of their data is to be kept.
        unsaid = [a for a in published if (a.kind == "alert" and a.missing_person) or isinstance(a, Kept)]
        keys |= {article_name(a): None for a in unsaid}
        return Planned(
            keys=keys,
            make=lambda name: self.both(self.named(name)),
            found=[(a.url, a.changes) for a in self._live if a.kind != "alert"],
        )

    def named(self, name: str) -> Article:
        """The article of :func:`article_name`."""
        return self._published[name.removeprefix("article ")]

    def both(self, article: Article) -> tuple[Page, Page]:
        """Its page and its permalink's."""
        page = self.kept(article) if isinstance(article, Kept) else self.article(article)
        return page, self.permalink(article)

    def _led_to(self) -> Mapping[str, str]:
        """By each article's id, digests of all that its page says of others."""
        published = self._published
        alerts = {
            a.id: " ".join([headline(published[id_]) for id_ in a.alert.references if id_ in published])
            for a in published.values()
            if a.kind == "alert" and a.alert
        }
        return {**self.leads.said, **alerts}

    def home(self) -> HomePage:
        _ = self._gettext
        warnings = (self._card(a) for a in self._live if a.kind in ("fraud", "tip", "notice"))
        rooms = self._rooms() if len(self._areas) <= _MOST_AREAS else ()
        return HomePage(
            frame=self.frame,
            url="",
            title=self._station.name,
            description=_("{station}的安全提示、防骗提醒和办事指南。").format(station=self._station.name),
            feeds=(self._whole,),
            shortcuts=tuple(self._shortcuts()),
            warnings=tuple(islice(warnings, _WARNINGS)),
            services=tuple(
                Link(title=group.title, url=f"service/#{quoted(group.anchor)}", count=len(services))
                for group, services in self._needs
            ),
            rooms=rooms,
            matters=self._library.settings.matters[:_FEW],
            topics=tuple(self._topic_link(t) for t in self._station.topics),
        )

    def _shortcuts(self) -> Iterator[Link]:
        """Those that lead somewhere now: an article may not have begun, or be over."""
        urls = {name: f"{name}/" for name in (*OWN_PAGES, *KINDS)}
        urls |= {topic.name: topic_url(topic) for topic in self._station.topics}
        wanted = {shortcut.to for shortcut in self._library.settings.shortcuts}.difference(urls)
        if wanted:
            files = {f"{name}.md" for name in wanted}
            meant = [a for a in self._live if a.id in wanted or a.place in files]
            urls |= {name: a.url for a in meant for name in names(a) if name in wanted}
        for shortcut in self._library.settings.shortcuts:
            if shortcut.to in urls:
                yield Link(title=shortcut.title, url=quoted(urls[shortcut.to]))

    def scammed(self) -> ScammedPage:
        _ = self._gettext
        frauds = (self._card(a) for a in self._live if a.kind == "fraud")
        return ScammedPage(
            frame=self.frame,
            url="scammed/",
            title=_("我被骗了"),
            description=_("被骗以后先做什么：停止转账，打 110，说清账号和时间，留好记录。"),
            feeds=self._kind_feeds["fraud"],
            frauds=tuple(Link(title=card.title, url=card.url) for card in islice(frauds, _FRAUDS)),
            every_fraud=self._kind_link("fraud"),
        )

    def emergency(self) -> EmergencyPage:
        _ = self._gettext
        return EmergencyPage(
            frame=self.frame,
            url="emergency/",
            title=_("紧急电话"),
            description=_("什么事打哪个电话，打通以后怎么说。"),
            feeds=(self._whole,),
            own=tuple(self._own_lines()),
        )

    def who(self) -> WhoPage:
        _ = self._gettext
        return WhoPage(
            frame=self.frame,
            url="who/",
            title=_("这事找谁"),
            description=_("养犬、停车、噪音、物业、水电路灯，各找哪个部门，打哪个电话。"),
            feeds=(self._whole,),
            matters=self._library.settings.matters,
        )

    def areas(self) -> AreasPage:
        _ = self._gettext
        return AreasPage(
            frame=self.frame,
            url="area/",
            title=_("找我的民警"),
            description=_("{station}各社区的民警和电话。").format(station=self._station.name),
            feeds=(self._whole,),
            duty=self._duty_line(),
            rooms=self._rooms(),
        )

    def _rooms(self) -> tuple[Room, ...]:
        inner: dict[str, list[AreaLine]] = {}
        for area in self._station.areas:
            outermost, _slash, below = area.path.partition("/")
            lines = inner.setdefault(outermost, [])
            if below:
                lines.append(self._area_line(area))
        heads = {name: self._area_line(self._areas[name]) for name in inner}
        alone = tuple(heads[name] for name, lines in inner.items() if not lines)
        rooms = (Room(head=heads[name], areas=tuple(lines)) for name, lines in inner.items() if lines)
        return (*([Room(head=None, areas=alone)] if alone else []), *rooms)

    def _area_line(self, area: Area) -> AreaLine:
        card = self._station.contacts_for(area.path)
        return AreaLine(
            area=self._area_links[area.path], slug=area.slug, contact=card[0] if card else self._duty_line()
        )

    def _duty_line(self) -> ContactLine:
        _ = self._gettext
        return next(self._own_lines(), ContactLine(role=_("报警"), phone="110"))

    def _own_lines(self) -> Iterator[ContactLine]:
        """Of the station's card: a national number has at most five figures."""
        return (line for line in self._station.contacts if sum(map(str.isdecimal, line.phone)) > 5)

    def services(self) -> ServicesPage:
        _ = self._gettext
        title = kind_label("service", self._station.language)
        return ServicesPage(
            frame=self.frame,
            url="service/",
            title=title,
            description=_("要不要跑一趟、带什么、去哪办、多少钱，按要办的事找。"),
            feeds=self._kind_feeds["service"],
            desk=self._library.settings.service_desk or self._duty_line(),
            groups=tuple(group for group, _services in self._needs),
            every=Link(title=title, url="service/page/", count=len(self.lists.of_kind("service"))),
        )

    @cached_property
    def _needs(self) -> Sequence[tuple[ServiceGroup, Sequence[Article]]]:
        """Services under the first topic each names, the topic with most of them first; then those that name none.

        One that is carried over from the present release may name a topic that there is no more.
        """
        _ = self._gettext
        by_topic: dict[str, list[Article]] = {topic.name: [] for topic in self._station.topics}
        others: list[Article] = []
        for article in self.lists.of_kind("service"):
            for name in article.topics:
                if name in by_topic:
                    by_topic[name].append(article)
                    break
            else:
                others.append(article)
        found = []
        for name, services in sorted(by_topic.items(), key=lambda item: -len(item[1])):
            if services:
                link = self._topic_link(self._topics[name])
                more = link if len(services) > _SERVICES else None
                group = _service_group(name, f"topic-{self._topics[name].slug}", services, more)
                found.append((group, services))
        if others:
            every = Link(title=_("其他"), url="service/page/")
            more = every if len(others) > _SERVICES else None
            found.append((_service_group(every.title, "others", others, more), others))
        return found

    def kind(self, kind: Kind) -> Planned:
        """The dated list; of services, those by need stand before it."""
        _ = self._gettext
        title = kind_label(kind, self._station.language)
        return self._list(
            url=f"{kind}/",
            fronted=kind == "service",
            title=title,
            description=_("{station}发布的{kind}，最新的在前。").format(
                station=self._station.name, kind=title
            ),
            articles=self.lists.of_kind(kind),
            picture_path=kind_picture(kind),
            listed=kind != "alert",
        )

    def topic(self, topic: Topic) -> Planned:
        _ = self._gettext
        return self._list(
            url=topic_url(topic),
            title=topic.name,
            description=_("{station}关于“{topic}”的提示和指南，最新的在前。").format(
                station=self._station.name, topic=topic.name
            ),
            articles=self.lists.of_topic(topic),
            picture_path=topic_picture(topic),
        )

    def area(self, area: Area) -> Planned:
        _ = self._gettext
        parent = self._areas.get(area.parent or "")

        def of_an_area(page: ListPage) -> AreaPage:
            return AreaPage(
                **vars(page),
                slug=area.slug,
                parent=self._area_links[parent.path] if parent else None,
                children=tuple(
                    self._area_links[a.path] for a in self._station.areas if a.parent == area.path
                ),
                contacts=self._station.contacts_for(area.path),
            )

        return self._list(
            url=area_url(area),
            title=area.name,
            description=_("{area}的联系卡和本地通知。").format(area=area.name),
            articles=self.lists.local_to(area),
            finish=of_an_area,
        )

    def kept(self, article: Kept) -> KeptPage:
        return KeptPage(
            frame=self.frame,
            url=article.url,
            title=article.title,
            description=article.summary,
            feeds=self._kind_feeds[article.kind],
            picture_path=picture(article, self._station),
            main=Markup(article.main),  # noqa: S704 - as it was rendered for the present release
        )

    def permalink(self, article: Article) -> PermalinkPage:
        page = PermalinkPage(
            frame=self.frame,
            url=permalink_url(article.id),
            title=self._title(article),
            description=article.summary,
            feeds=(self._whole,),
            picture_path=picture(article, self._station),
            listed=False,
            to=self._link(article),
        )
        if not article.alert:
            return page
        return StatePage(
            **vars(page),
            alert=article.alert,
            active=_in_force(article, self._at),
            runs_out=self._runs_out(article),
            withdrawn=article.withdrawn,
            published=self._stamp(article.published),
            updated=self._stamp(article.updated) if article.updated else None,
        )

    def article(self, article: Article) -> ArticlePage:
        permalink = self._station.url + permalink_url(article.id).rstrip("/")
        shown = ArticlePage(
            frame=self.frame,
            url=article.url,
            title=self._title(article),
            description=article.summary,
            feeds=self._kind_feeds[article.kind],
            picture_path=picture(article, self._station),
            listed=article.live(self._at) and article.kind != "alert",
            offline=article.kind != "alert",
            id=article.id,
            kind=self._kind_links[article.kind],
            summary=article.summary,
            published=self._dated(article, article.published),
            updated=self._dated(article, article.updated) if article.updated else None,
            changed=article.changed,
            reviewed=self._stamp(article.reviewed) if article.reviewed else None,
            next_review=self._stamp(article.next_review) if article.next_review else None,
            expires=self._last_day(article.expires) if article.expires else None,
            expired=article.expires is not None and article.expires <= self._at,
            withdrawn=article.withdrawn,
            author=article.author,
            topics=tuple([self._topic_links[name] for name in article.topics]),
            areas=tuple([self._area_links[path] for path in article.areas if path in self._areas]),
            audience=article.audience,
            cover=quoted(article.cover_file.as_posix()) if article.cover_file else None,
            attachments=tuple(_attachment(path) for path in article.attachment_files),
            html=Markup(article.html),  # noqa: S704 - sanitised by markdown.render
            contents=tuple(_contents(article.html)),
            related=tuple(
                self._link(self._published[id_]) for id_ in led_to(self.leads.said.get(article.id, ""))
            ),
            runs_out=self._runs_out(article),
            shareable=_in_force(article, self._at) and not article.exercise,
            permalink=permalink,
            card=self._contact_card(article),
        )
        if article.service:
            return self._service(shown, article.service)
        if article.alert:
            return self._alert(shown, article, article.alert)
        return shown

    def _service(self, shown: ArticlePage, service: Service) -> ServicePage:
        said = answer(shown.title, service, shown.permalink, self._station.language)
        return ServicePage(
            **{**vars(shown), "answer": said}, service=service, visit=visit(service, self._gettext)
        )

    def _alert(self, shown: ArticlePage, article: Article, alert: Alert) -> AlertPage:
        face = photo(article, self._at)
        earlier = [self._card(self._published[id_]) for id_ in alert.references if id_ in self._published]
        return AlertPage(
            **vars(shown),
            alert=alert,
            active=_in_force(article, self._at),
            facts=facts(article, self._at, self._station.language),
            photo=quoted(face[0]) if face else None,
            hide_after=self._hide_after(article),
            follows=tuple(Link(title=card.title, url=card.url) for card in earlier),
        )

    def _hide_after(self, article: Article) -> Stamp | None:
        person = article.person_shown(self._at)
        return self._stamp(min(filter(None, (person.erase_after, article.expires)))) if person else None

    def search(self) -> SearchPage:
        _ = self._gettext
        about = self.words.about
        return SearchPage(
            frame=self.frame,
            url="search/",
            title=_("搜索"),
            description=_("在{station}的提示和指南里找一句话。").format(station=self._station.name),
            feeds=(self._whole,),
            kinds=tuple(Choice(value=kind, title=kind_label(kind, self._station.language)) for kind in KINDS),
            areas=tuple(Choice(value=area.slug, title=area.name) for area in about.areas),
            topics=tuple(self._topic_link(topic) for topic in self._station.topics),
            index=about,
        )

    def privacy(self) -> PrivacyPage:
        _ = self._gettext
        return PrivacyPage(
            frame=self.frame,
            url="privacy/",
            title=_("隐私说明"),
            description=_("本站不收集个人信息；哪些东西只存在您自己的手机里，怎么清除。"),
            feeds=(self._whole,),
        )

    def _runs_out(self, article: Article) -> Stamp | None:
        return self._stamp(article.expires) if article.expires and _in_force(article, self._at) else None

    def not_found(self) -> NotFoundPage:
        _ = self._gettext
        return NotFoundPage(
            frame=self.frame,
            url="404.html",
            title=_("没有找到这一页"),
            description=_("这一页可能已经改名或撤下。"),
            feeds=(self._whole,),
        )

    def _list(
        self,
        *,
        url: str,
        title: str,
        description: str,
        articles: Sequence[Article],
        picture_path: str = STATION,
        fronted: bool = False,
        listed: bool = True,
        finish: Callable[[ListPage], ListPage] = lambda page: page,
    ) -> Planned:
        """The list's pages; an empty list has one, that says so.

        :param fronted: another page has the address ``url`` itself.
        :param listed: as :attr:`Page.listed`.
        :param finish: what makes of each the page that it is to be.
        """
        _ = self._gettext
        digests = [*map(digest, articles)]
        ends = page_ends([*map(self._marks.__getitem__, digests)])
        newest = f"{url}page/" if fronted else url
        addresses = [newest, *(f"{url}page/{articles[end - 1].id}/" for end in ends[1:])]
        cut = map(_Part, addresses, ["", *addresses], [*addresses[1:], ""], [0, *ends], ends)
        parts = {f"list {part.address}": part for part in cut}

        def link(address: str, text: str) -> Link | None:
            return Link(title=text, url=quoted(address)) if address else None

        def page(part: _Part) -> ListPage:
            shown = articles[part.begin : part.end]
            return ListPage(
                frame=self.frame,
                url=part.address,
                title=title,
                description=description,
                feeds=(self._whole, self._feed(url, title)),
                picture_path=picture_path,
                listed=listed,
                cards=tuple(map(self._card, shown)),
                days=self._days(shown),
                front=None if part.address == url else link(url, title),
                newer=link(part.newer, _("较新的")),
                older=link(part.older, _("较早的")),
                offline=not any(a.kind == "alert" for a in shown),
            )

        return Planned(
            keys={
                name: f"{part.newer} {part.older} {''.join(digests[part.begin : part.end])}"
                for name, part in parts.items()
            },
            make=lambda name: (finish(page(parts[name])),),
            found=[(address, None) for address in addresses] if listed else (),
        )

    def _days(self, articles: Sequence[Article]) -> str:
        """From which to which day ``articles``, newest first, were published."""
        if not articles:
            return ""
        _ = self._gettext
        first, last = (self._stamp(a.published).iso[:10] for a in (articles[-1], articles[0]))
        return first if first == last else _("{first} 至 {last}").format(first=first, last=last)

    def _feed(self, url: str, title: str) -> Feed:
        return Feed(title=title, rss=quoted(url) + "feed.xml", atom=quoted(url) + "atom.xml")

    def _card(self, article: Article) -> Card:
        """An article may be in several lists; who asks for a page of a preview asks beside those who make it."""
        card = self._cards.get(article.id)
        if card is None:
            if len(self._cards) >= _CARDS:
                self._cards.clear()
            card = self._cards[article.id] = self._new_card(article)
        return card

    def _new_card(self, article: Article) -> Card:
        return Card(
            title=self._title(article),
            url=quoted(article.url),
            summary=article.summary,
            kind=kind_label(article.kind, self._station.language),
            published=self._dated(article, article.published),
            alert=article.alert,
            active=_in_force(article, self._at),
            withdrawn=article.withdrawn,
        )

    def _banner_line(self, article: Article) -> BannerLine:
        ends = self._stamp(article.expires) if article.expires else None
        return BannerLine(title=article.title, url=quoted(article.url), ends=ends)

    def _title(self, article: Article) -> str:
        """As the page itself says it; of an exercise, nothing that is passed on may look real."""
        _ = self._gettext
        return _("【演练】{title}").format(title=article.title) if article.exercise else article.title

    def _link(self, article: Article) -> Link:
        return Link(title=article.title, url=quoted(article.url))

    def _kind_link(self, kind: Kind) -> Link:
        return replace(self._kind_links[kind], count=len(self.lists.of_kind(kind)))

    def _topic_link(self, topic: Topic) -> Link:
        return replace(self._topic_links[topic.name], count=len(self.lists.of_topic(topic)))

    def _contact_card(self, article: Article) -> ContactCard:
        """The card of the one area the article is for, else the station's."""
        area = article.areas[0] if len(article.areas) == 1 else None
        return self._contact_cards[area if area in self._areas else None]

    def _last_day(self, end: datetime) -> Stamp:
        """An end at midnight is, to people, the day before."""
        stamp = self._stamp(end)
        day_before = end.astimezone(self._zone).date() - timedelta(days=1)
        return stamp if " " in stamp.text else Stamp(text=day_before.isoformat(), iso=stamp.iso)

    def _dated(self, article: Article, moment: datetime) -> Stamp:
        """Of an alert the minute counts; anything else has a day."""
        stamp = self._stamp(moment)
        return stamp if article.kind == "alert" else Stamp(text=stamp.text[:10], iso=stamp.iso)

    def _stamp(self, moment: date) -> Stamp:
        if isinstance(moment, datetime):
            local = moment.astimezone(self._zone).isoformat()
            day, time = local[:10], local[11:16]
            return Stamp(text=day if time == "00:00" else f"{day} {time}", iso=local)
        return Stamp(text=moment.isoformat(), iso=moment.isoformat())


def _ready(page: Page) -> Planned:
    """One that is made at once: what it is made of is the page itself."""
    found = ((page.url, None),) if page.listed else ()
    return Planned(keys={f"page {page.url}": repr(page)}, make=lambda _name: (page,), found=found)


class _Part(NamedTuple):
    """Of a list, what one page shows."""

    address: str
    newer: str
    """Address of the page after it in time; empty of the newest."""
    older: str
    begin: int
    """Where its articles begin in the list, newest first, and where they end."""
    end: int


def _service_group(title: str, name: str, services: Sequence[Article], more: Link | None) -> ServiceGroup:
    lines = (
        ServiceLine(title=a.title, url=quoted(a.url), visit=a.service.visit if a.service else "")
        for a in nsmallest(_SERVICES, services, key=attrgetter("url"))
    )
    return ServiceGroup(title=title, anchor=f"p--{name}", lines=tuple(lines), more=more)


def _contents(html: str) -> Iterator[Link]:
    """Links to its sections, of a long text only."""
    # A tag has three signs at least, so that most texts need not be taken apart to be known for short ones.
    if len(html) - 3 * html.count("<") < _LONG:
        return
    found = sections(html)
    if len(found) >= _SECTIONS and len(plain(html)) >= _LONG:
        yield from (Link(title=words, url="#" + quoted(id_)) for id_, words in found)


def _in_force(article: Article, at: datetime) -> bool:
    return article.live(at) and (article.alert is None or article.alert.state == "active")


def _urgent(alert: Alert) -> bool:
    return alert.state == "active" and alert.status == "actual"


def _attachment(path: PurePosixPath) -> Attachment:
    return Attachment(name=path.name, url=quoted(path.as_posix()), form=ATTACHMENTS[path.suffix.lower()])
