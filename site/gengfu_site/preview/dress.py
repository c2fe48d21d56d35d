"""How the preview draws what is its own: templates, what goes into the site's pages, and what these then allow."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from markupsafe import Markup

from gengfu_site.preview.server import Answer
from gengfu_templates import PREVIEW
from gengfu_templates.documents import environment
from gengfu_templates.i18n import officer_language

OWN = "/.preview/"
"""Where the preview's own addresses begin."""
_SITES_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)')


def page(template: str, *, status: int = 200, **values: object) -> Answer:
    """A page of the preview's own."""
    text = drawn(template, language=officer_language(), style="desk.css", script="page.js", own=OWN, **values)
    return Answer(body=text.encode(), status=status, headers=policy())


def drawn(template: str, *, style: str = "", script: str = "", **values: object) -> str:
    """A template of the preview's with ``values``.

    :param style: the file that stands in it as ``style``; likewise ``script``.
    """
    given = {name: _asset(file) for name, file in (("style", style), ("script", script)) if file}
    return environment(PREVIEW, officer_language()).get_template(template).render(**given, **values)


def policy() -> tuple[tuple[str, str]]:
    """The header that allows a page of the preview's own what it needs (https://www.w3.org/TR/CSP3/)."""
    scripts = " ".join(_hash(name) for name in ("page.js", "paper.js"))
    rules = (
        "default-src 'none'; base-uri 'self'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; "
        f"script-src {scripts}; connect-src 'self'; frame-src 'self'; frame-ancestors 'self'"
    )
    return (("Content-Security-Policy", rules),)


def allowing(html: str) -> str:
    """A page of the site with a policy that allows ``page.css``, ``page.js`` and the panel besides."""

    def widened(found: re.Match[str]) -> str:
        rules = found[2].replace("style-src ", f"style-src {_hash('page.css')} ", 1)
        rules = rules.replace("script-src ", f"script-src {_hash('page.js')} ", 1)
        return f"{found[1]}{rules}; frame-src 'self'"

    return _SITES_POLICY.sub(widened, html, count=1)


@cache
def _asset(name: str) -> Markup:
    return Markup((PREVIEW / name).read_text("utf-8").strip())  # noqa: S704 - ours


@cache
def _hash(name: str) -> str:
    return f"'sha256-{b64encode(sha256(_asset(name).encode()).digest()).decode()}'"
