"""Messages as text, from the templates in ``gengfu_templates/messages``."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from gengfu_templates import MESSAGES


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(MESSAGES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: object) -> str:
    """``template`` (a file name) with ``values``; each must be given, and HTML is escaped."""
    return _environment().get_template(template).render(**values).strip()
