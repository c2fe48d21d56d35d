"""Pages that stand alone and are no part of the site: what officers are shown of their work."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from gengfu_templates.i18n import translations


@cache
def environment(folder: Path, language: str) -> jinja2.Environment:
    """For the templates in ``folder``, worded in ``language``; what they are given is text, and is escaped."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return env
