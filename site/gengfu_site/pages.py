"""Which pages the site has at a moment, made from the library for the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup

from gengfu_site.article import Alert
from gengfu_site.catalogue import KINDS, Area, Fact, Kind, Topic, within
from gengfu_site.library import Article, Kept, Library
from gengfu_site.links import ATTACHMENTS
from gengfu_site.pictures import STATION, kind_picture, picture, topic_picture
from gengfu_site.view import (
    AlertPage,
    AreaPage,
    ArticlePage,
    Attachment,
    Card,
    ContactCard,
    Feed,
    Frame,
    HomePage,
    KeptPage,
    Link,
    ListPage,
    NotFoundPage,
    Page,
    ServicePage,
    Stamp,
)
from gengfu_templates.i18n import translations

PAGE_SIZE = 20
"""Articles on one page of a list."""
_NEWEST = 8
"""Articles on the home page."""


def pages(library: Library, at: datetime) -> Iterator[Page]:
    """Every page of the site as it is at ``at``."""
    pager = _Pager(library, at)
    yield pager.home()
    for kind in KINDS:
        yield from pager.kind(kind)
    for topic in library.settings.station.topics:
        yield from pager.topic(topic)
    for area in library.settings.station.areas:
        yield from pager.area(area)
    for article in library.published(at):
        yield pager.kept(article) if isinstance(article, Kept) else pager.article(article)
    yield pager.not_found()


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


def local_to(articles: Iterable[Article], area: Area) -> tuple[Article, ...]:
    """Articles meant for ``area`` in particular: those naming it, an area above it or one beneath it."""
    return tuple(
        a for a in articles if any(within(area.path, named) or within(named, area.path) for named in a.areas)
    )


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
    """A missing person's picture while it may be shown: its path below the site, its file in private/."""
    person = article.person_shown(at)
    if person is None or person.photo is None:
        return None
    return article.url + "photo" + PurePosixPath(person.photo).suffix.lower(), person.photo


class _Pager:
    """Makes the pages of one library at one moment; holds what they share."""

    def __init__(self, library: Library, at: datetime) -> None:
        self._library = library
        self._at = at
        self._station = library.settings.station
        self._zone = ZoneInfo(self._station.timezone)
        self._gettext: Callable[[str], str] = translations(self._station.language).gettext
        self._live = library.listed(at)
        self._count: Counter[str] = Counter(word for a in self._live for word in (a.kind, *a.topics))
        self._cards = {a.id: self._card(a) for a in library.published(at)}
        self._whole = Feed(title=self._station.name, rss="feed.xml", atom="atom.xml")
        self._areas = {a.path: a for a in self._station.areas}
        self._topics = {t.name: t for t in self._station.topics}
        self._frame = Frame(
            site_name=self._station.name,
            home=self._station.url,
            language=self._station.language,
            kinds=tuple(self._kind_link(kind) for kind in KINDS if kind != "alert"),
            alerts=tuple(self._cards[a.id] for a in self._live if a.alert and _urgent(a.alert)),
            contacts=self._station.contacts,
        )

    def home(self) -> HomePage:
        _ = self._gettext
        return HomePage(
            frame=self._frame,
            url="",
            title=self._station.name,
            description=_("{station}的安全提示、防骗提醒和办事指南。").format(station=self._station.name),
            feeds=(self._whole,),
            newest=tuple(self._cards[a.id] for a in self._live if a.kind != "alert")[:_NEWEST],
            topics=tuple(self._topic_link(t) for t in self._station.topics),
            areas=tuple(self._area_link(a) for a in self._station.areas),
        )

    def kind(self, kind: Kind) -> Iterator[ListPage]:
        _ = self._gettext
        title = kind_label(kind, self._station.language)
        return self._list(
            url=f"{kind}/",
            title=title,
            description=_("{station}发布的{kind}，最新的在前。").format(
                station=self._station.name, kind=title
            ),
            articles=[a for a in self._live if a.kind == kind],
            picture_path=kind_picture(kind),
        )

    def topic(self, topic: Topic) -> Iterator[ListPage]:
        _ = self._gettext
        return self._list(
            url=topic_url(topic),
            title=topic.name,
            description=_("{station}关于“{topic}”的提示和指南，最新的在前。").format(
                station=self._station.name, topic=topic.name
            ),
            articles=[a for a in self._live if topic.name in a.topics],
            picture_path=topic_picture(topic),
        )

    def area(self, area: Area) -> Iterator[AreaPage]:
        _ = self._gettext
        parent = self._areas.get(area.parent or "")
        for page in self._list(
            url=area_url(area),
            title=area.name,
            description=_("{area}的联系卡和本地通知。").format(area=area.name),
            articles=local_to(self._live, area),
        ):
            yield AreaPage(
                **vars(page),
                parent=self._area_link(parent) if parent else None,
                children=tuple(self._area_link(a) for a in self._station.areas if a.parent == area.path),
                contacts=self._station.contacts_for(area.path),
            )

    def kept(self, article: Kept) -> KeptPage:
        return KeptPage(
            frame=self._frame,
            url=article.url,
            title=article.title,
            description=article.summary,
            feeds=self._feeds_of(article),
            picture_path=picture(article, self._station),
            main=Markup(article.main),  # noqa: S704 - as it was rendered for the present release
        )

    def article(self, article: Article) -> ArticlePage:
        shown = ArticlePage(
            frame=self._frame,
            url=article.url,
            title=article.title,
            description=article.summary,
            feeds=self._feeds_of(article),
            picture_path=picture(article, self._station),
            listed=article.live(self._at) and article.kind != "alert",
            id=article.id,
            kind=self._kind_link(article.kind),
            summary=article.summary,
            published=self._stamp(article.published),
            updated=self._stamp(article.updated) if article.updated else None,
            reviewed=self._stamp(article.reviewed) if article.reviewed else None,
            next_review=self._stamp(article.next_review) if article.next_review else None,
            expires=self._last_day(article.expires) if article.expires else None,
            expired=article.expires is not None and article.expires <= self._at,
            withdrawn=article.withdrawn,
            author=article.author,
            topics=tuple(self._topic_link(self._topics[name]) for name in article.topics),
            areas=tuple(self._area_link(self._areas[path]) for path in article.areas),
            audience=article.audience,
            cover=quote(article.cover_file.as_posix()) if article.cover_file else None,
            attachments=tuple(_attachment(path) for path in article.attachment_files),
            html=Markup(article.html),  # noqa: S704 - sanitised by markdown.render
            card=self._contact_card(article),
        )
        if article.service:
            return ServicePage(**vars(shown), service=article.service)
        if article.alert:
            return self._alert(shown, article, article.alert)
        return shown

    def _alert(self, shown: ArticlePage, article: Article, alert: Alert) -> AlertPage:
        face = photo(article, self._at)
        earlier = [self._cards[id_] for id_ in alert.references if id_ in self._cards]
        return AlertPage(
            **vars(shown),
            alert=alert,
            active=alert.state == "active" and article.live(self._at),
            facts=facts(article, self._at, self._station.language),
            photo=quote(face[0]) if face else None,
            hide_after=self._hide_after(article),
            follows=tuple(Link(title=card.title, url=card.url) for card in earlier),
        )

    def _hide_after(self, article: Article) -> Stamp | None:
        person = article.person_shown(self._at)
        return self._stamp(min(filter(None, (person.erase_after, article.expires)))) if person else None

    def not_found(self) -> NotFoundPage:
        _ = self._gettext
        return NotFoundPage(
            frame=self._frame,
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
    ) -> Iterator[ListPage]:
        """The list's pages; an empty list has one, that says so."""
        _ = self._gettext
        total = max(1, -(-len(articles) // PAGE_SIZE))

        def link(number: int, text: str) -> Link | None:
            if not 1 <= number <= total:
                return None
            return Link(title=text, url=quote(url if number == 1 else f"{url}page/{number}/"))

        for number in range(1, total + 1):
            shown = articles[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
            yield ListPage(
                frame=self._frame,
                url=url if number == 1 else f"{url}page/{number}/",
                title=title,
                description=description,
                feeds=(self._whole, self._feed(url, title)),
                picture_path=picture_path,
                cards=tuple(self._cards[a.id] for a in shown),
                number=number,
                total=total,
                newer=link(number - 1, _("较新的")),
                older=link(number + 1, _("较早的")),
            )

    def _feeds_of(self, article: Article) -> tuple[Feed, Feed]:
        title = kind_label(article.kind, self._station.language)
        return self._whole, self._feed(f"{article.kind}/", title)

    def _feed(self, url: str, title: str) -> Feed:
        return Feed(title=title, rss=quote(url) + "feed.xml", atom=quote(url) + "atom.xml")

    def _card(self, article: Article) -> Card:
        return Card(
            title=article.title,
            url=quote(article.url),
            summary=article.summary,
            kind=kind_label(article.kind, self._station.language),
            published=self._stamp(article.published),
        )

    def _kind_link(self, kind: Kind) -> Link:
        title = kind_label(kind, self._station.language)
        return Link(title=title, url=f"{kind}/", count=self._count[kind])

    def _topic_link(self, topic: Topic) -> Link:
        return Link(title=topic.name, url=quote(topic_url(topic)), count=self._count[topic.name])

    def _area_link(self, area: Area) -> Link:
        return Link(title=area.name, url=quote(area_url(area)))

    def _contact_card(self, article: Article) -> ContactCard:
        """The card of the one area the article is for, else the station's."""
        if len(article.areas) != 1:
            return ContactCard(area=None, contacts=self._station.contacts)
        area = self._areas[article.areas[0]]
        return ContactCard(area=self._area_link(area), contacts=self._station.contacts_for(area.path))

    def _last_day(self, end: datetime) -> Stamp:
        """An end at midnight is, to people, the day before."""
        stamp = self._stamp(end)
        day_before = end.astimezone(self._zone).date() - timedelta(days=1)
        return stamp if " " in stamp.text else Stamp(text=day_before.isoformat(), iso=stamp.iso)

    def _stamp(self, moment: date) -> Stamp:
        if isinstance(moment, datetime):
            local = moment.astimezone(self._zone)
            midnight = (local.hour, local.minute) == (0, 0)
            return Stamp(
                text=local.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M"), iso=local.isoformat()
            )
        return Stamp(text=moment.isoformat(), iso=moment.isoformat())


def _urgent(alert: Alert) -> bool:
    return alert.state == "active" and alert.status == "actual"


def _attachment(path: PurePosixPath) -> Attachment:
    return Attachment(name=path.name, url=quote(path.as_posix()), form=ATTACHMENTS[path.suffix.lower()])
