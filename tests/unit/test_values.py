"""Our dataclasses are like the standard library's, but for being frozen, which the type checker sees to."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest

from gengfu_site import values


class Written:
    name: str
    words: tuple[str, ...] = ()
    pin: str = dataclasses.field(default="", repr=False)
    seen: dict[str, str] = dataclasses.field(default_factory=dict, compare=False)


def made(how: Any) -> Any:
    return how(frozen=True, kw_only=True)(type("Written", (Written,), dict(vars(Written))))


OURS, THEIRS = made(values.dataclass), made(dataclasses.dataclass)
GIVEN = [
    {"name": "一"},
    {"name": "一", "words": ("二",)},
    {"name": "一", "pin": "1234"},
    {"name": "一", "seen": {"a": "b"}},
]


@pytest.mark.parametrize("given", GIVEN)
def test_a_value_shows_itself_as_a_dataclass_does_and_hides_what_one_hides(given):
    assert repr(OURS(**given)) == repr(THEIRS(**given))


@pytest.mark.parametrize("one", GIVEN)
@pytest.mark.parametrize("other", GIVEN)
def test_values_are_equal_where_dataclasses_are_and_then_have_one_hash(one, other):
    equal = THEIRS(**one) == THEIRS(**other)
    assert (OURS(**one) == OURS(**other)) is equal
    assert (len({OURS(**one), OURS(**other)}) == 1) is equal


def test_a_value_is_equal_to_none_of_another_class():
    assert OURS(name="一") != THEIRS(name="一")
    assert OURS(name="一") != ("一", (), "")


def test_a_value_takes_what_a_dataclass_takes_from_the_first_on():
    ours = made(values.dataclass)
    with pytest.raises(TypeError, match="'name'"):
        ours(words=())
    assert inspect.signature(ours) == inspect.signature(THEIRS)


def test_a_field_may_have_any_name():
    named = type("Named", (), {"__annotations__": {"one": str, "values": str}})
    ours = values.dataclass(frozen=True, kw_only=True)(named)(one="一", values="二")
    assert (ours.one, ours.values) == ("一", "二")


def test_a_value_is_made_anew_with_others():
    assert dataclasses.replace(OURS(name="一"), name="二") == OURS(name="二")
