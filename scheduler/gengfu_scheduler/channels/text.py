"""Messages as text, from the templates in ``gengfu_templates/messages``, in the language of whoever reads them."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from gengfu_templates import MESSAGES
from gengfu_templates.i18n import translations


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(MESSAGES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    wording = translations(language)
    environment.install_gettext_translations(wording, newstyle=True)  # type: ignore[attr-defined]
    return environment


def render(template: str, language: str, /, **values: object) -> str:
    """``template`` (a file name) with ``values``; each must be given, and HTML is escaped."""
    return _environment(language).get_template(template).render(**values).strip()
