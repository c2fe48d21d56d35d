"""Photos: what a camera wrote is gone, the picture is not; what is fine stays the same bytes."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gengfu_site.photos import LONGEST, NotAPhoto, tidied
from words import photo

SECRET = "the phone of Li, at home"
FORMS = ["JPEG", "PNG", "WEBP"]


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("form", FORMS)
def test_where_and_by_whom_it_was_taken_is_gone(form: str) -> None:
    data = photo(form=form, secret=SECRET)
    assert SECRET.encode() in data
    tidy = tidied(data)
    assert tidy.stripped
    assert SECRET.encode() not in tidy.data
    assert not opened(tidy.data).getexif()


@pytest.mark.parametrize("form", FORMS)
def test_taking_out_metadata_changes_no_pixel(form: str) -> None:
    data = photo(form=form, secret=SECRET)
    assert opened(tidied(data).data).tobytes() == opened(data).tobytes()


def test_a_gif_keeps_moving_and_loses_its_comment() -> None:
    made = io.BytesIO()
    frames = [Image.new("L", (20, 10), shade) for shade in (0, 99, 200)]
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=SECRET.encode())
    tidy = tidied(made.getvalue())
    assert SECRET.encode() not in tidy.data
    assert getattr(opened(tidy.data), "n_frames") == 3  # noqa: B009 - no attribute of a still image's type


@pytest.mark.parametrize("behind", [b"\0\0\0\x18ftypmp42 the film", photo(secret=SECRET)])
def test_what_a_camera_put_behind_the_picture_is_gone(behind: bytes) -> None:
    data = photo(secret=SECRET)
    assert tidied(data + behind).data == tidied(data).data


def test_a_progressive_jpeg_keeps_all_its_scans() -> None:
    made = io.BytesIO()
    Image.effect_noise((90, 60), 60).save(made, "JPEG", progressive=True, comment=SECRET.encode())
    tidy = tidied(made.getvalue())
    assert tidy.stripped
    assert opened(tidy.data).tobytes() == opened(made.getvalue()).tobytes()


def test_the_colour_profile_stays_for_it_is_part_of_the_picture() -> None:
    made = io.BytesIO()
    profile = b"profile" * 99
    Image.new("RGB", (2000, 10)).save(made, "JPEG", icc_profile=profile)
    assert opened(tidied(made.getvalue()).data).info["icc_profile"] == profile


@pytest.mark.parametrize("form", FORMS)
def test_a_big_picture_is_shrunk_in_its_own_format(form: str) -> None:
    tidy = tidied(photo((1800, 900), form))
    assert tidy.shrunk == (1800, 900)
    assert opened(tidy.data).size == (LONGEST, LONGEST // 2)
    assert opened(tidy.data).format == form


@pytest.mark.parametrize("size", [(60, 30), (1800, 900)])
def test_a_picture_that_lies_on_its_side_is_turned_upright(size: tuple[int, int]) -> None:
    tidy = tidied(photo(size, turned=True))
    width, height = opened(tidy.data).size
    assert tidy.turned
    assert height == 2 * width


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_a_png_is_shrunk(mode: str) -> None:
    made = io.BytesIO()
    Image.new(mode, (1700, 20)).save(made, "PNG")
    assert tidied(made.getvalue()).shrunk == (1700, 20)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(40, 30), (1700, 20)])
@pytest.mark.parametrize("turned", [False, True])
def test_a_second_time_there_is_nothing_to_do(form: str, size: tuple[int, int], turned: bool) -> None:
    once = tidied(photo(size, form, secret=SECRET, turned=turned))
    again = tidied(once.data)
    assert again.data == once.data
    assert (again.stripped, again.turned, again.shrunk) == (False, False, None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "不是能用的图片"),
        (b"<svg/>", "不是能用的图片"),
        (photo()[:300], "损坏"),
        (photo(form="PNG")[:100], "损坏"),
        (photo(form="TIFF"), "TIFF"),
        (photo(form="BMP"), "BMP"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "图片"),
        (b"\0" * ((64 << 20) + 1), "最大 64 MiB"),
    ],
    ids=["empty", "svg", "cut jpeg", "cut png", "tiff", "bmp", "png in name", "heavy"],
)
def test_what_is_no_usable_picture_is_named(data: bytes, said: str) -> None:
    with pytest.raises(NotAPhoto, match=said):
        tidied(data)


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_picture_made_to_exhaust_the_memory_is_refused(side: int) -> None:
    """Refused by what its header says, before a pixel is unpacked."""
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    with pytest.raises(NotAPhoto, match="像素太多"):
        tidied(data + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT")))


@settings(max_examples=60)
@given(
    form=st.sampled_from([*FORMS, "GIF"]),
    cut=st.integers(1, 900),
    flips=st.lists(st.integers(0, 900), max_size=4),
)
def test_a_damaged_picture_is_tidied_or_named(form: str, cut: int, flips: list[int]) -> None:
    data = bytearray((photo(form=form, secret=SECRET) if form != "GIF" else photo(form="GIF"))[:cut])
    for place in flips:
        data[place % len(data)] ^= 0x55
    try:
        tidy = tidied(bytes(data))
    except NotAPhoto:
        return
    assert tidied(tidy.data).data == tidy.data
