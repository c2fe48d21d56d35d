"""What a page is, for machines: JSON-LD in the words of https://schema.org.

Nothing is said here that the page does not say to everybody; of a missing person, nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from gengfu_site.article import Service
from gengfu_site.view import AlertPage, ArticlePage, Page, ServicePage

_ESCAPED = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What would end the element, or a line of it, and stands in JSON only within strings."""


def linked_data(page: Page) -> Markup | None:
    """JSON for a ``script`` element of ``page``, None where there is nothing to say that the page's title does not."""
    if not isinstance(page, ArticlePage) or (isinstance(page, AlertPage) and page.alert.status == "exercise"):
        return None
    data = {"@context": "https://schema.org", "@graph": [_subject(page), _breadcrumbs(page)]}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return Markup(text)  # noqa: S704 - holds neither < nor &


def _subject(page: ArticlePage) -> dict[str, Any]:
    match page:
        case ServicePage():
            return _service(page)
        case AlertPage():
            return _announcement(page)
        case _:
            return _article(page)


def _article(page: ArticlePage) -> dict[str, Any]:
    """https://schema.org/Article"""
    return _written(
        {
            "@type": "Article",
            "headline": page.title,
            "description": page.summary,
            "url": page.address,
            "image": page.picture,
            "inLanguage": page.frame.language,
            "datePublished": page.published.iso,
            "dateModified": (page.updated or page.published).iso,
            "expires": page.expires.iso if page.expires else None,
            "keywords": [topic.title for topic in page.topics],
            "author": _organization(page.author or page.frame.site_name),
            "publisher": _station(page),
        }
    )


def _service(page: ServicePage) -> dict[str, Any]:
    """https://schema.org/GovernmentService"""
    service = page.service
    return _written(
        {
            "@type": "GovernmentService",
            "name": page.title,
            "description": page.summary,
            "url": page.address,
            "serviceOperator": _organization(service.department),
            "provider": _station(page),
            "availableChannel": list(_channels(service)),
        }
    )


def _channels(service: Service) -> Iterator[dict[str, Any]]:
    """https://schema.org/ServiceChannel, one a place; what is settled by telephone has none."""
    phone = {"@type": "ContactPoint", "telephone": service.phone} if service.phone else None
    for name in service.places or ([""] if phone else []):
        place = {"@type": "Place", "name": name} if name else None
        yield _written({"@type": "ServiceChannel", "serviceLocation": place, "servicePhone": phone})


def _announcement(page: AlertPage) -> dict[str, Any]:
    """https://schema.org/SpecialAnnouncement"""
    return _written(
        {
            "@type": "SpecialAnnouncement",
            "name": page.title,
            "text": page.summary,
            "url": page.address,
            "datePosted": page.published.iso,
            "expires": page.expires.iso if page.expires else None,
            "spatialCoverage": {"@type": "Place", "name": page.alert.place},
            "publisher": _station(page),
        }
    )


def _breadcrumbs(page: ArticlePage) -> dict[str, Any]:
    """https://schema.org/BreadcrumbList, as the page's own line of them; its last part is the page itself."""
    home = page.frame.home
    trail = (
        (page.frame.site_name, home),
        (page.kind.title, home + page.kind.url),
        (page.title, page.address),
    )
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": address}
            for position, (name, address) in enumerate(trail, start=1)
        ],
    }


def _station(page: Page) -> dict[str, Any]:
    return _organization(page.frame.site_name) | {"url": page.frame.home}


def _organization(name: str) -> dict[str, Any]:
    return {"@type": "GovernmentOrganization", "name": name}


def _written(members: dict[str, Any]) -> dict[str, Any]:
    """Without those that have no value."""
    return {name: value for name, value in members.items() if value}
