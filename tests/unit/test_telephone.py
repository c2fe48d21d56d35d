"""What a phone dials for a number as a station printed it. Numbers within a sentence: ``test_templates.py``."""

import pytest

from gengfu_site.telephone import only_numbers, telephone_numbers


@pytest.mark.parametrize(
    ("text", "dialled"),
    [("62220110", "62220110"), ("6222 0110", "62220110"), ("999", "999"), ("118114", "118114")],
)
def test_nothing_but_digits_is_a_number_however_short(text: str, dialled: str) -> None:
    assert telephone_numbers(text) == [(text, dialled)]


@pytest.mark.parametrize("text", ["110", "0371-62220110、12345", "110 或 120", "62220110"])
def test_a_card_may_hold_one_number_or_several(text: str) -> None:
    assert only_numbers(text)


@pytest.mark.parametrize(
    "text", ["见公告栏", "微信 12345", "0371-62220110 转 802", "7", "62220110、62220111"]
)
def test_what_a_card_would_not_show_is_no_number(text: str) -> None:
    assert not only_numbers(text)
