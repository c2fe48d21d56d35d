"""Frozen dataclasses that cost little when the program starts.

The type checker sees :func:`dataclasses.dataclass` itself, and so holds them frozen. At run time what compares, shows and
hashes is the same for all of them, and what makes one is written with the first: else seven methods would be written and
compiled for each of a hundred classes, a sixth of what starting takes (https://docs.python.org/3/library/dataclasses.html).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen, kw_only, eq=True):
        """The standard library's, with the first two set: the only way in which it is used here."""
        assert frozen
        assert kw_only

        def made(given):
            given.__repr__ = _shown
            if eq:
                given.__eq__, given.__hash__ = _equal, _hashed
            given.__doc__ = given.__doc__ or given.__name__  # else one is written from what it is made with
            value = dataclasses.dataclass(kw_only=True, init=False, eq=False, repr=False)(given)
            value.__init__ = _first(value)
            value._compared = attrgetter(*(part.name for part in dataclasses.fields(value) if part.compare))
            return value

        return made


def _first(kind: type[Any]) -> Callable[..., None]:
    """Makes the first of ``kind``, once it has the standard library write what makes all."""

    def made(one: Any, /, **values: Any) -> None:
        written: Any = dataclasses.dataclass(kw_only=True, eq=False, repr=False)
        # Of a class derived from it: of its own, the fields that say more than their default are there no more.
        kind.__init__ = written(type(kind.__name__, (kind,), {"__doc__": kind.__doc__})).__init__
        kind.__init__(one, **values)

    return made


def _equal(one: Any, other: Any) -> Any:
    return one._compared(one) == one._compared(other) if type(one) is type(other) else NotImplemented


def _hashed(one: Any) -> int:
    return hash(one._compared(one))


def _shown(one: Any) -> str:
    parts = (f"{part.name}={getattr(one, part.name)!r}" for part in dataclasses.fields(one) if part.repr)
    return f"{type(one).__qualname__}({', '.join(parts)})"
