"""Telephone numbers as people write them, and what a phone dials for each.

A phone dials what a ``tel:`` address holds (https://www.rfc-editor.org/rfc/rfc3966). In a sentence only what cannot be
a date or a sum is a number; where nothing but digits was written, that is one, however short.
"""

from __future__ import annotations

import re

_NUMBER = re.compile(
    r"""(?<![\d-])(?:
        (?:\+86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}                   # mobile
      | (?:\+86[ -]?\d{2,3}|\(0\d{2,3}\)|（0\d{2,3}）|0\d{2,3})[ -]?\d{3,4}[ -]?\d{4}  # with area code
      | [48]00[ -]?\d{3}[ -]?\d{4}                                  # national, 400 and 800
      | 1\d{2} | 1[02]\d{3} | 9[56]\d{3,4}                          # 110, 12345, 96110
    )(?![\d-])""",
    re.VERBOSE,
)
_ALONE = re.compile(r"\d[\d -]+\d")
_BETWEEN = re.compile(r"[\s、，；,;/或]*")


def telephone_numbers(text: str) -> list[tuple[str, str]]:
    """Each telephone number in ``text``, as printed and as a ``tel:`` address dials it; where unsure, none."""
    alone = [text] if _ALONE.fullmatch(text) else []
    return [(found, re.sub(r"[ ()（）]", "", found)) for found in _NUMBER.findall(text) or alone]


def only_numbers(text: str) -> bool:
    """Whether ``text`` is one or more telephone numbers and nothing else: of the rest, a card would show nothing."""
    numbers = [printed for printed, _dialled in telephone_numbers(text)]
    for printed in numbers:
        text = text.replace(printed, "", 1)
    return bool(numbers and _BETWEEN.fullmatch(text))
