"""The site's commands, thin: each says what it did with what a function of this half returned.

``gengfu_scheduler.cli`` puts them under the one command ``gengfu``; the station's folder is the click
context's object. Each module is imported with its first command; here stands what the scheduler's commands take.
"""

from __future__ import annotations

from gengfu_site.cli.shared import NoStation, settings_if_any, settings_in, show_problems

__all__ = ["NoStation", "settings_if_any", "settings_in", "show_problems"]
