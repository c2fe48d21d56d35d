"""Wording in the reader's language: the Chinese in the code is the text, English comes through gettext.

The text itself is the message id (https://docs.python.org/3/library/gettext.html), so Chinese needs no
catalogue and can never be missing.
"""

from __future__ import annotations

import gettext as _gettext
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

LANGUAGES = ("zh-CN", "en")
_LOCALE = Path(__file__).parent / "locale"


@cache
def translations(language: str) -> _gettext.NullTranslations:
    """The wording for ``language``, one of :data:`LANGUAGES`."""
    return _gettext.translation("gengfu", _LOCALE, [language], fallback=language == "zh-CN")


def officer_language() -> str:
    """The language of the command line: ``GENGFU_LANG``, else the locale, else Chinese."""
    for name in ("GENGFU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name, ""):
            return "en" if value.lower().startswith("en") else "zh-CN"
    return "zh-CN"


def speak() -> None:
    """Let what click says by itself ("Usage", "No such option") be in the officer's language.

    It asks gettext's process-wide domain, and that finds its language in ``LANGUAGE`` only, or in what
    :func:`officer_language` goes by (https://docs.python.org/3/library/gettext.html#gettext.find).
    """
    os.environ["LANGUAGE"] = officer_language().replace("-", "_")
    _gettext.bindtextdomain("click", _LOCALE)
    _gettext.textdomain("click")


def series(words: Iterable[str]) -> str:
    """``words`` one after another in a sentence, in the officer's language."""
    return _("、").join(words)


def _(text: str) -> str:
    """``text`` in the officer's language."""
    return translations(officer_language()).gettext(text)
