"""Photos fit to be published: nothing in them but the picture, and no more of that than a page can show.

Whatever a camera or an editor wrote beside the picture (place, time, device, author, a smaller picture of what was cut
away) is left out by taking over only the parts that a picture needs: of JPEG the segments in
https://www.w3.org/Graphics/JPEG/itu-t81.pdf and the colour profile, of PNG the chunks, of WebP
(https://developers.google.com/speed/webp/docs/riff_container) and GIF the blocks likewise. That loses no quality, and a
picture in which there is nothing to leave out stays the same bytes. Pillow is asked only to shrink and to turn.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
"""The formats that pages show, by Pillow's name, and the ending of a file in each."""
ENDINGS = frozenset((*SUFFIXES.values(), ".jpeg"))
LONGEST = 1600
"""Pixels of the longer side: as wide as the widest page is on a screen of two dots a pixel."""
MAX_BYTES = 64 << 20
_QUALITY = 85
_ORIENTATION = 0x0112


class NotAPhoto(GengfuError):
    """The bytes are no picture that can be published; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A picture that may be published."""

    data: bytes
    suffix: str
    """Of its real format, e.g. ``.jpg``, whatever its file was called."""
    shrunk: tuple[int, int] | None = None
    """Width and height before, where it was made smaller."""
    turned: bool = False
    """Whether it was turned the way that its metadata only told of."""
    stripped: bool = False
    """Whether anything was in it besides the picture."""


def tidied(data: bytes) -> Photo:
    """The picture in ``data`` without metadata and at most :data:`LONGEST` pixels wide and high.

    Run over its own result it changes nothing.

    :raises NotAPhoto: it cannot be read, is too big, or is of a format that browsers do not show.
    """
    if len(data) > MAX_BYTES:
        raise NotAPhoto(_("图片最大 {most} MiB。请先缩小再用。").format(most=MAX_BYTES >> 20))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a picture made to exhaust the memory is first only warned of
            return _tidied(data)
    except NotAPhoto:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPhoto(_("图片的像素太多。请先缩小再用。")) from error
    except Exception as error:  # Pillow's readers raise whatever a broken file leads them to
        raise NotAPhoto(_("图片已损坏或不完整。请重新拍照、截图或另存一份。")) from error


def _tidied(data: bytes) -> Photo:
    try:
        image = Image.open(BytesIO(data))
    except UnidentifiedImageError as error:
        raise NotAPhoto(
            _("不是能用的图片，或者格式太少见（网页能显示 JPG、PNG、WebP、GIF）。请另存为 JPG 再用。")
        ) from error
    with image:
        name = "JPEG" if image.format == "MPO" else image.format or ""
        if name not in SUFFIXES:
            raise NotAPhoto(
                _("这是 {format} 图片，网页显示不了。请另存为 JPG 或 PNG 再用。").format(format=name)
            )
        moving = getattr(image, "n_frames", 1) > 1 and name != "JPEG"
        size = image.size
        turned = not moving and image.getexif().get(_ORIENTATION, 1) not in (0, 1)
        big = not moving and max(size) > LONGEST
        if turned or big:
            new = _redrawn(image, name)
        else:
            image.load()  # or a file that was cut off would be published
            new = data
    clean = b"".join(_PARTS[name](new))
    return Photo(
        data=clean,
        suffix=SUFFIXES[name],
        shrunk=size if big else None,
        turned=turned,
        stripped=len(b"".join(_PARTS[name](data))) < len(data) if new is not data else clean != data,
    )


def _redrawn(image: Image.Image, name: str) -> bytes:
    """``image`` made to fit, the right way up, in the same format."""
    profile = image.info.get("icc_profile")
    if image.mode == "P":  # between two of its colours there is none
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    image.thumbnail((LONGEST, LONGEST))
    image = ImageOps.exif_transpose(image)
    if name == "GIF":
        image = image.convert("P", palette=Image.Palette.ADAPTIVE)
    made = BytesIO()
    options = {"quality": _QUALITY} if name in ("JPEG", "WEBP") else {}
    image.save(made, name, optimize=True, icc_profile=profile, exif=b"", **options)
    return made.getvalue()


def _jpeg(data: bytes) -> Iterator[bytes]:
    """The segments that draw the picture, up to its end: behind it cameras put films and further pictures."""
    yield data[:2]
    place = 2
    while place < len(data):
        marker = data[place + 1]
        if marker == 0xFF:  # fill
            place += 1
            continue
        if marker == 0xD9:
            yield data[place : place + 2]
            return
        (length,) = struct.unpack_from(">H", data, place + 2)
        end = place + 2 + length
        if marker == 0xDA:
            end = _end_of_scan(data, end)
        segment = data[place:end]
        if _draws(marker, segment[4:18]):
            yield segment
        place = end


def _draws(marker: int, begin: bytes) -> bool:
    """Whether a JPEG segment is part of the picture; of the application's own only JFIF, colour profile and Adobe's."""
    if 0xE0 <= marker <= 0xEF:
        return begin.startswith((b"JFIF\0", b"ICC_PROFILE\0", b"Adobe"))
    return marker != 0xFE  # a comment


def _end_of_scan(data: bytes, place: int) -> int:
    """Where the compressed data that begin at ``place`` end: at the next marker that is no restart."""
    while (place := data.find(b"\xff", place)) >= 0 and place + 1 < len(data):
        if data[place + 1] and not 0xD0 <= data[place + 1] <= 0xD7:
            return place
        place += 2
    return len(data)


_PNG_CHUNKS = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP bKGD pHYs acTL fcTL fdAT".split()
)


def _png(data: bytes) -> Iterator[bytes]:
    yield data[:8]
    place = 8
    while place + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        if name in _PNG_CHUNKS:
            yield data[place : place + length + 12]
        if name == b"IEND":
            return
        place += length + 12


_WEBP_CHUNKS = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_TOLD_OF = 0x08 | 0x04
"""Flags in VP8X: there is Exif, there is XMP."""


def _webp(data: bytes) -> Iterator[bytes]:
    chunks = b"".join(_webp_chunks(data))
    yield b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP"
    yield chunks


def _webp_chunks(data: bytes) -> Iterator[bytes]:
    place, end = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    while place + 8 <= min(end, len(data)):
        name, length = struct.unpack_from("<4sI", data, place)
        chunk = data[place : place + 8 + length + length % 2]
        if name == b"VP8X":
            chunk = chunk[:8] + bytes((chunk[8] & ~_WEBP_TOLD_OF,)) + chunk[9:]
        if name in _WEBP_CHUNKS:
            yield chunk
        place += len(chunk)


def _gif(data: bytes) -> Iterator[bytes]:
    """Screen, colours, pictures and how they move (https://www.w3.org/Graphics/GIF/spec-gif89a.txt)."""
    place = 13 + _colours(data[10])
    yield data[:place]
    while data[place] != 0x3B:
        if data[place] == 0x21:
            end = _end_of_blocks(data, place + 2)
            moves = data[place + 1] == 0xF9 or data[place + 3 : place + 14] == b"NETSCAPE2.0"
        else:
            end = _end_of_blocks(data, place + 11 + _colours(data[place + 9]))
            moves = True
        if moves:
            yield data[place:end]
        place = end
    yield b";"


def _colours(flags: int) -> int:
    """Bytes of the table of colours that follows."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _end_of_blocks(data: bytes, place: int) -> int:
    while data[place]:
        place += data[place] + 1
    return place + 1


_PARTS = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "GIF": _gif}
