"""The code on paper is read back by a decoder."""

from __future__ import annotations

import gzip
import re

import pytest
import zxingcpp

from gengfu_site.qr import Code, draw


def read(code: Code) -> str:
    """What a camera makes of the drawn path, with its quiet zone."""
    side = code.side + 8
    field = bytearray(b"\xff" * side * side)
    x = y = 0
    for move, first, second, stroke in re.findall(r"([Mm])(-?\d+) (\d+)|h(\d+)", code.path):
        if stroke:
            start = (y + 4) * side + x + 4
            field[start : start + int(stroke)] = bytes(int(stroke))
            x += int(stroke)
        else:
            x, y = (int(first), int(second)) if move == "M" else (x + int(first), y + int(second))
    found = zxingcpp.read_barcodes(memoryview(field).cast("B", (side, side)), is_pure=True)
    assert len(found) == 1
    return found[0].text


@pytest.mark.parametrize(
    ("address", "held", "side"),
    [
        ("https://qingsong.example/A/7F3K2", "HTTPS://QINGSONG.EXAMPLE/A/7F3K2", 25),
        ("http://10.0.0.8:8080/A/7F3K2", "HTTP://10.0.0.8:8080/A/7F3K2", 25),
        ("https://portal.example/police/A/7F3K2", "https://portal.example/police/A/7F3K2", 29),
        ("https://青松.example/A/7F3K2", "https://青松.example/A/7F3K2", 29),
    ],
)
def test_a_camera_reads_the_address_in_upper_case_where_that_leads_to_the_same_place(address, held, side):
    code = draw(address)
    assert (read(code), code.side) == (held, side)


def test_it_is_a_small_part_of_the_page():
    assert len(gzip.compress(draw("https://qingsong.example/A/7F3K2").path.encode())) < 400
