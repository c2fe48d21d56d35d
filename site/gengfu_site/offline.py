"""``sw.js``: what lets pages seen before, and the emergency page, open on a phone that has no network."""

from __future__ import annotations

import json

from gengfu_templates import WORKER
from gengfu_templates.i18n import translations


def worker(language: str) -> bytes:
    """The service worker's text, speaking ``language``."""
    _ = translations(language).gettext
    words = {
        "language": language,
        "kept": _("现在连不上网。这是 {date} 存下的，可能有变化。"),
        "missing": _("现在连不上网，要看的那一页手机里没有存。下面是要紧的电话。"),
        "again": _("再试一次"),
    }
    return f"const WORDS = {json.dumps(words, ensure_ascii=False)};\n{WORKER.read_text('utf-8')}".encode()
