"""What a page is, for machines: JSON-LD in the words of https://schema.org.

Nothing is said here that the page does not say to everybody; of a missing person, nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from json.encoder import encode_basestring

from markupsafe import Markup

from gengfu_site.article import Service
from gengfu_site.view import AlertPage, ArticlePage, Link, Page, ServicePage

_ESCAPED = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What would end the element, or a line of it, and stands in JSON only within strings."""


def linked_data(page: Page) -> Markup | None:
    """JSON for a ``script`` element of ``page``, None where there is nothing to say that the page's title does not.

    It is put together here, from what is JSON already: what stands on many pages is then made once.
    """
    if not isinstance(page, ArticlePage) or (isinstance(page, AlertPage) and page.alert.status == "exercise"):
        return None
    text = f'{{"@context":"https://schema.org","@graph":[{_subject(page)},{_breadcrumbs(page)}]}}'
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return Markup(text)  # noqa: S704 - holds neither < nor &


def _subject(page: ArticlePage) -> str:
    match page:
        case ServicePage():
            return _service(page)
        case AlertPage():
            return _announcement(page)
        case _:
            return _article(page)


def _article(page: ArticlePage) -> str:
    """https://schema.org/Article"""
    return _written(
        "Article",
        headline=_text(page.title),
        description=_text(page.summary),
        url=_text(page.address),
        image=_text(page.picture),
        inLanguage=_text(page.frame.language),
        datePublished=_text(page.published.iso),
        dateModified=_text((page.updated or page.published).iso),
        expires=_text(page.expires.iso) if page.expires else "",
        keywords=_list([_text(topic.title) for topic in page.topics]),
        author=_organization(page.author or page.frame.site_name),
        publisher=_station(page.frame.site_name, page.frame.home),
    )


def _service(page: ServicePage) -> str:
    """https://schema.org/GovernmentService"""
    service = page.service
    return _written(
        "GovernmentService",
        name=_text(page.title),
        description=_text(page.summary),
        url=_text(page.address),
        serviceOperator=_organization(service.department),
        provider=_station(page.frame.site_name, page.frame.home),
        availableChannel=_list(list(_channels(service))),
    )


def _channels(service: Service) -> Iterator[str]:
    """https://schema.org/ServiceChannel, one a place; what is settled by telephone has none."""
    phone = _written("ContactPoint", telephone=_text(service.phone)) if service.phone else ""
    for name in service.places or ([""] if phone else []):
        place = _written("Place", name=_text(name)) if name else ""
        yield _written("ServiceChannel", serviceLocation=place, servicePhone=phone)


def _announcement(page: AlertPage) -> str:
    """https://schema.org/SpecialAnnouncement"""
    return _written(
        "SpecialAnnouncement",
        name=_text(page.title),
        text=_text(page.summary),
        url=_text(page.address),
        datePosted=_text(page.published.iso),
        expires=_text(page.expires.iso) if page.expires else "",
        spatialCoverage=_written("Place", name=_text(page.alert.place)),
        publisher=_station(page.frame.site_name, page.frame.home),
    )


def _breadcrumbs(page: ArticlePage) -> str:
    """https://schema.org/BreadcrumbList, as the page's own line of them; its last part is the page itself."""
    above = _above(page.frame.site_name, page.frame.home, page.kind)
    return _written("BreadcrumbList", itemListElement=_list([*above, _crumb(3, page.title, page.address)]))


@lru_cache(maxsize=64)
def _above(site_name: str, home: str, kind: Link) -> tuple[str, str]:
    return _crumb(1, site_name, home), _crumb(2, kind.title, home + kind.url)


def _crumb(position: int, name: str, address: str) -> str:
    return _written("ListItem", position=str(position), name=_text(name), item=_text(address))


@lru_cache(maxsize=64)
def _station(name: str, home: str) -> str:
    return _written("GovernmentOrganization", name=_text(name), url=_text(home))


@lru_cache(maxsize=1024)
def _organization(name: str) -> str:
    return _written("GovernmentOrganization", name=_text(name))


def _text(value: str) -> str:
    return encode_basestring(value) if value else ""


def _list(values: list[str]) -> str:
    return f"[{','.join(values)}]" if values else ""


def _written(type_: str, **members: str) -> str:
    """A thing of that type, with those of its members, JSON each, that have a value."""
    text = f'{{"@type":"{type_}"'
    for name, value in members.items():
        if value:
            text += f',"{name}":{value}'
    return text + "}"
