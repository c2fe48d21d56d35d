"""The site's commands, thin: each says what it did with what a function of this half returned.

``gengfu_scheduler.cli`` puts them under the one command ``gengfu``; the station's folder is the click
context's object.
"""

from __future__ import annotations

from gengfu_site.cli.building import build, serve
from gengfu_site.cli.shared import NoStation, settings_if_any, settings_in, show_problems
from gengfu_site.cli.signing import approve, reviewers, submit
from gengfu_site.cli.writing import fix, import_, new

__all__ = [
    "NoStation",
    "approve",
    "build",
    "fix",
    "import_",
    "new",
    "reviewers",
    "serve",
    "settings_if_any",
    "settings_in",
    "show_problems",
    "submit",
]
