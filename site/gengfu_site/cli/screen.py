"""Where commands print: on the terminal, in colours where it has them (https://rich.readthedocs.io).

What has one line to say without any, as most builds have, waits for no library: it says it by ``click.echo``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


class _Screen:
    """rich's console, made when it is first asked for anything."""

    def __init__(self, *, stderr: bool) -> None:
        self._stderr = stderr

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        # Not wrapped: a command in a remedy must survive being copied.
        return Console(stderr=self._stderr, highlight=False, soft_wrap=True, emoji=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._console, name)

    def __enter__(self) -> Console:
        return self._console.__enter__()

    def __exit__(self, *raised: Any) -> None:
        self._console.__exit__(*raised)


if TYPE_CHECKING:
    out = err = Console()
else:
    out, err = _Screen(stderr=False), _Screen(stderr=True)


def escape(text: str) -> str:
    """``text`` in which the two see no markup."""
    from rich.markup import escape

    return escape(text)
