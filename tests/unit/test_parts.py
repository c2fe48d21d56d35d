"""A long alert in several messages: nothing lost, nothing torn, nothing too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_scheduler.channels.parts import joins, split
from gengfu_scheduler.message import Message

ALERT = Message(form="alert", title="寻人", items=(), body="", footer="李警官 0571-00000000")


def bodies(text: str, size: int) -> list[str]:
    """The parts' bodies, where a part holds ``size`` bytes of body."""
    message = Message(form="alert", title="寻人", items=(), body=text)
    parts = split(message, lambda part: len(part.body.encode()) <= size) or ()
    assert [(part.part, part.parts) for part in parts] == [(n, len(parts)) for n in range(1, len(parts) + 1)]
    return [part.body for part in parts]


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("短的", 9, ["短的"]),
        ("第一段\n第二段\n三", 15, ["第一段", "第二段\n三"]),
        ("短\n一句话。两句话。三句话。四", 30, ["短\n一句话。两句话。", "三句话。四"]),
        ("先停手。再报警！别转账", 15, ["先停手。", "再报警！", "别转账"]),
        ("他说：“快走！”然后走了", 24, ["他说：“快走！”", "然后走了"]),
        ("red coat blue hat", 9, ["red coat ", "blue hat"]),
        ("没有标点的一长串字", 9, ["没有标", "点的一", "长串字"]),
        ("见https://x.test/a/b 速看", 18, ["见", "https://x.test/a/b", " 速看"]),
        ("甲**乙丙丁**戊己", 14, ["甲", "**乙丙丁**", "戊己"]),
        ("看[图](http://x.cn/1)吧", 20, ["看", "[图](http://x.cn/1)", "吧"]),
        ("a👨‍👩‍👧b", 18, ["a", "👨‍👩‍👧", "b"]),
        ("🇨🇳🇨🇳", 8, ["🇨🇳", "🇨🇳"]),
        ("𠮷𠮷𠮷", 9, ["𠮷𠮷", "𠮷"]),
    ],
)
def test_a_text_is_cut_where_a_reader_pauses(text: str, size: int, expected: list[str]) -> None:
    assert bodies(text, size) == expected


def test_what_holds_not_one_sign_cannot_be_split() -> None:
    assert split(Message(form="alert", title="", items=(), body="𠮷" * 9), lambda part: not part.body) is None
    assert split(Message(form="alert", title="太长的标题", items=()), lambda part: False) is None


@given(text=st.text(alphabet=st.sampled_from("甲。 \n,a1\u0301\u200d👨👩𠮷é*[]()<>`h/:."), max_size=400))
def test_every_part_fits_and_together_they_say_all(text: str) -> None:
    found = bodies(text, 24)
    assert all(len(body.encode()) <= 24 for body in found)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")


@given(signs=st.lists(st.sampled_from(["甲", "e\u0301", "👨\u200d👩\u200d👧", "👩🏽", "𠮷"]), max_size=40))
def test_no_part_begins_inside_a_sign(signs: list[str]) -> None:
    assert not [body for body in bodies("".join(signs), 20) if body and joins(body[0], "")]


def test_ten_thousand_signs_without_a_border_are_dealt_out_all_the_same() -> None:
    assert "".join(bodies("囧" * 10_000, 4000)) == "囧" * 10_000
    assert "".join(bodies("a" + "\u0301" * 10_000, 4000)) == "a" + "\u0301" * 10_000
