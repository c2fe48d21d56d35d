"""Cuts the font of the share pictures out of Noto Sans CJK; run ``python templates/subset_font.py FONTS UNIHAN``.

FONTS is ``NotoSansCJK-Bold.ttc`` of https://github.com/notofonts/noto-cjk, UNIHAN is ``Unihan_OtherMappings.txt`` of
https://www.unicode.org/Public/UCD/latest/ucd/Unihan.zip; wants ``fonttools``, which nothing else here does. Writes
``NotoSansCJKsc-Bold-subset.otf`` into ``templates/gengfu_templates/fonts/``, whose README says what is in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset

OUT = Path(__file__).parent / "gengfu_templates/fonts/NotoSansCJKsc-Bold-subset.otf"

SIMPLIFIED = 2
"""Number of the simplified Chinese font in the collection."""
NAMES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
"""All of the name table, copyright and licence included: https://learn.microsoft.com/typography/opentype/spec/name."""


def gb2312() -> Iterator[str]:
    """Every sign of GB 2312: what is in ASCII, punctuation, letters and 6,763 ideographs."""
    yield from map(chr, range(0x20, 0x7F))
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            yield bytes((row, cell)).decode("gb2312", "ignore")


def general_standard(unihan: Path) -> Iterator[str]:
    """The 8,105 ideographs of the 通用规范汉字表 of 2013, which names of persons and places keep to."""
    for line in unihan.read_text("utf-8").splitlines():
        code, _, rest = line.partition("\t")
        if rest.startswith("kTGH\t"):
            yield chr(int(code.removeprefix("U+"), 16))


def main(fonts: str, unihan: str) -> None:
    wanted = {*gb2312(), *general_standard(Path(unihan)), *"—·•￥"} - {""}
    options = subset.Options(
        font_number=SIMPLIFIED,
        name_IDs=NAMES,
        layout_features=[],
        hinting=False,
        glyph_names=False,
        notdef_outline=True,
        # Pictures are set in one line direction, without kerning or variants.
        drop_tables=["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"],
        recalc_timestamp=False,
    )
    font = subset.load_font(fonts, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=map(ord, wanted))
    subsetter.subset(font)
    OUT.parent.mkdir(exist_ok=True)
    subset.save_font(font, str(OUT), options)


if __name__ == "__main__":
    main(*sys.argv[1:])
