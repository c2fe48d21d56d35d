"""Draws the starter library's pictures; run ``python templates/draw_pictures.py``.

Writes ``content/pictures/NAME.svg``, one cover for each line of :data:`PICTURES`, in the size the chat
platforms show a news card's cover in (1068 x 455). The same code always writes the same bytes, so a diff of
the pictures shows a change of the drawing and nothing else. SVG after https://www.w3.org/TR/SVG11/.

A motif is drawn around (0, 0): 200 units to each side, 170 above, down to the floor at :data:`FLOOR`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 1068, 455
CENTRE_X, CENTRE_Y = 800, 236
FLOOR = 160

FONTS = (
    "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei','WenQuanYi Micro Hei',sans-serif"
)

INK = "#1f2937"
NIGHT = "#34435e"
STONE = "#8c9bb0"
MIST = "#dde4ee"
PAPER = "#ffffff"
AMBER = "#f2ab3c"
CORAL = "#e2573f"
MINT = "#2f9e84"
SKY = "#3f7fd6"
WOOD = "#b5793f"


@dataclass(frozen=True, kw_only=True)
class Family:
    """The colours that pictures of one kind share."""

    ground: str
    disc: str
    """Behind the motif."""
    deep: str
    """Of the second line and the floor; at least 4.5:1 on ``ground``."""


FRAUD = Family(ground="#e9eff9", disc="#cbd9f1", deep="#1f4280")
TIP = Family(ground="#e6f4ef", disc="#c3e5d9", deep="#115c4b")
SERVICE = Family(ground="#f8f2e4", disc="#ecdfbf", deep="#6a4a10")
NOTICE = Family(ground="#eff1f4", disc="#d7dce4", deep="#3a4553")
VIDEO = Family(ground="#f2edf8", disc="#dccfec", deep="#54327a")
ALERT = Family(ground="#fdede8", disc="#f8d1c4", deep="#8d2c14")


@dataclass(frozen=True, kw_only=True)
class Picture:
    family: Family
    caption: str
    advice: str
    """The second, smaller line."""
    motif: Callable[[], str]


# Shapes


def rect(x: float, y: float, width: float, height: float, fill: str, radius: float = 0) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" fill="{fill}"/>'


def disc(x: float, y: float, radius: float, fill: str) -> str:
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"/>'


def oval(x: float, y: float, radius_x: float, radius_y: float, fill: str) -> str:
    return f'<ellipse cx="{x}" cy="{y}" rx="{radius_x}" ry="{radius_y}" fill="{fill}"/>'


def area(path: str, fill: str) -> str:
    return f'<path d="{path}" fill="{fill}"/>'


def line(path: str, colour: str, width: float = 8) -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def words(x: float, y: float, size: int, text: str, fill: str, anchor: str = "middle") -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-weight="700" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


def at(x: float, y: float, *shapes: str, turn: float = 0, scale: float = 1) -> str:
    return f'<g transform="translate({x} {y}) rotate({turn}) scale({scale})">{"".join(shapes)}</g>'


# Things that several motifs hold


def phone(*screen: str) -> str:
    """A telephone around (0, 0); its screen reaches 78 to each side and 132 up and down."""
    return (
        rect(-90, -160, 180, 320, NIGHT, 26)
        + rect(-78, -142, 156, 284, PAPER, 14)
        + rect(-22, -153, 44, 5, STONE, 2.5)
        + "".join(screen)
    )


def coin(x: float, y: float, radius: float = 30) -> str:
    return (
        disc(x, y, radius, AMBER)
        + disc(x, y, radius * 0.76, "#f8c56f")
        + words(x, y + radius * 0.36, round(radius), "¥", "#7a4d05")
    )


def hook(x: float, y: float, length: float) -> str:
    """A fishing hook hanging ``length`` down from (x, y)."""
    low = y + length
    return line(f"M{x} {y}V{low - 30}a22 22 0 0 0 44 0v-10", NIGHT, 7) + line(
        f"M{x + 44} {low - 42}l-11 12", NIGHT, 7
    )


def flame(x: float, y: float, scale: float) -> str:
    return at(
        x,
        y,
        area("M0-100C14-62 58-40 58 12a58 58 0 0 1-116 0C-58-18-34-30-30-58-14-50-6-74 0-100Z", CORAL),
        area("M4-34C10-14 32-2 32 28a32 32 0 0 1-64 0C-32 8-16 2-14-14-4-10 0-20 4-34Z", AMBER),
        scale=scale,
    )


def sheet(x: float, y: float, width: float, height: float, lines: int) -> str:
    """A written page whose top left corner is (x, y)."""
    written = "".join(
        rect(x + 22, y + 60 + 30 * n, width - (44 if n % 3 else 80), 10, MIST, 5) for n in range(lines)
    )
    return rect(x, y, width, height, PAPER, 12) + rect(x + 22, y + 24, width * 0.4, 14, STONE, 7) + written


def house(wall: str, roof: str) -> str:
    """A house on the floor, 240 wide."""
    return (
        rect(-100, -30, 200, 190, wall)
        + area("M-128-24 0-140 128-24Z", roof)
        + rect(-26, 66, 52, 94, NIGHT, 4)
        + disc(14, 116, 5, AMBER)
        + rect(-78, 4, 44, 44, "#fbe3ae", 4)
        + rect(34, 4, 44, 44, "#fbe3ae", 4)
    )


def portrait(x: float, y: float, scale: float, fill: str) -> str:
    return at(x, y, disc(0, -26, 26, fill), area("M-48 48a48 44 0 0 1 96 0Z", fill), scale=scale)


# Motifs


def stranger_calling() -> str:
    return (
        line("M-128-92a120 120 0 0 0 0 150", STONE, 9)
        + line("M-152-114a164 164 0 0 0 0 194", PAPER, 9)
        + line("M128-92a120 120 0 0 1 0 150", STONE, 9)
        + line("M152-114a164 164 0 0 1 0 194", PAPER, 9)
        + phone(
            disc(0, -56, 52, MIST),
            words(0, -34, 64, "?", NIGHT),
            rect(-48, 16, 96, 12, STONE, 6),
            rect(-32, 38, 64, 10, MIST, 5),
            disc(0, 100, 28, CORAL),
            line("M-11 89l22 22M11 89l-22 22", PAPER, 6),
        )
    )


def parcel_on_a_hook() -> str:
    return (
        hook(-20, -172, 110)
        + line("M-64-30Q2-104 68-30", AMBER, 8)
        + rect(-110, -30, 220, 190, WOOD, 8)
        + rect(-110, -30, 220, 52, "#9c632d", 8)
        + rect(-24, -30, 48, 190, "#d9a566")
        + rect(40, 92, 54, 44, PAPER, 4)
        + rect(48, 104, 38, 6, STONE, 3)
        + rect(48, 118, 26, 6, MIST, 3)
        + at(
            128,
            -66,
            area("M-40-24H24L50 0 24 24H-40a8 8 0 0 1-8-8V-16a8 8 0 0 1 8-8Z", CORAL),
            disc(24, 0, 7, PAPER),
            words(-14, 11, 30, "¥", PAPER),
            turn=24,
        )
    )


def chart_that_falls() -> str:
    bars = "".join(
        rect(-122 + 50 * n, 78 - height, 32, height, colour, 4)
        for n, (height, colour) in enumerate(
            ((42, MIST), (72, MIST), (104, "#a9c3ec"), (150, SKY), (34, CORAL)),
        )
    )
    return (
        rect(-160, -130, 320, 240, NIGHT, 18)
        + rect(-146, -116, 292, 204, PAPER, 8)
        + bars
        + line("M-106 6-56-22-6-54 44-96 94 26", INK, 7)
        + line("M68 16 96 30 108 2", INK, 7)
        + rect(-26, 110, 52, 34, NIGHT)
        + rect(-84, 142, 168, 18, NIGHT, 9)
        + coin(152, 128, 32)
        + coin(-168, 134, 26)
    )


def loan_with_a_fee() -> str:
    return (
        sheet(-130, -150, 200, 270, 5)
        + rect(-108, 78, 92, 16, CORAL, 8)
        + at(
            66,
            44,
            line("M-40 0v-34a40 40 0 0 1 80 0v34", STONE, 16),
            rect(-66, 0, 132, 116, AMBER, 14),
            disc(0, 48, 15, INK),
            rect(-6, 52, 12, 34, INK, 6),
        )
        + coin(-150, 128, 32)
        + coin(-96, 134, 26)
        + coin(168, 134, 26)
    )


def heart_on_a_hook() -> str:
    heart = "M0 34C-46 4-40-36-16-36-6-36 0-26 0-20 0-26 6-36 16-36 40-36 46 4 0 34Z"
    return (
        phone(
            rect(-64, -120, 96, 44, MIST, 16),
            rect(-32, -62, 96, 44, "#bfd4f5", 16),
            rect(-64, -4, 74, 44, MIST, 16),
            rect(-32, 54, 96, 44, "#bfd4f5", 16),
        )
        + hook(104, -172, 150)
        + at(148, 20, area(heart, CORAL), line("M-2-18 8-4-8 8 2 24", PAPER, 5), scale=1.7)
        + coin(-150, 128, 32)
        + coin(-118, 70, 24)
    )


def game_controller() -> str:
    return (
        area(
            "M-96-66H96C150-66 176 10 184 84 190 142 130 150 106 104L82 62H-82L-106 104"
            "C-130 150-190 142-184 84-176 10-150-66-96-66Z",
            NIGHT,
        )
        + rect(-118, -16, 72, 24, PAPER, 6)
        + rect(-94, -40, 24, 72, PAPER, 6)
        + disc(82, -32, 15, CORAL)
        + disc(114, -4, 15, AMBER)
        + disc(50, -4, 15, MINT)
        + disc(82, 24, 15, SKY)
        + rect(-22, -34, 44, 12, STONE, 6)
        + coin(-58, -122, 28)
        + coin(0, -138, 34)
        + coin(62, -120, 28)
    )


def ticket_and_plane() -> str:
    plane = (
        "M0-120C14-120 18-92 18-70V-36L120 30V58L18 26V76L48 100V120L0 106-48 120V100L-18 76V26"
        "L-120 58V30L-18-36V-70C-18-92-14-120 0-120Z"
    )
    return (
        line("M-196 96Q-120 40-60 30", PAPER, 6)
        + line("M-190 40Q-140 4-96-4", PAPER, 6)
        + at(28, -58, area(plane, SKY), turn=62, scale=0.98)
        + at(
            -14,
            100,
            rect(-150, -44, 300, 88, PAPER, 12),
            rect(-150, -44, 300, 22, AMBER, 8),
            "".join(rect(72, -10 + 12 * n, 4, 7, STONE, 2) for n in range(4)),
            rect(-128, -4, 84, 12, STONE, 6),
            rect(-128, 18, 150, 10, MIST, 5),
            rect(94, -4, 38, 32, MIST, 4),
            turn=-5,
        )
    )


def umbrella_over_phone() -> str:
    return (
        at(0, 62, phone(line("M-36 6-8 36 42-26", MINT, 16), rect(-44, 66, 88, 12, MIST, 6)), scale=0.6)
        + line("M0-160V-60", NIGHT, 9)
        + area(
            "M-190-30A190 122 0 0 1 190-30Q158-58 126-30 94-58 63-30 32-58 0-30"
            "-32-58-63-30-94-58-126-30-158-58-190-30Z",
            MINT,
        )
        + area("M-63-30Q-58-112 0-152 58-112 63-30 32-58 0-30-32-58-63-30Z", "#6cc3ae")
        + "".join(line(f"M{x} {y}l-10 24", SKY, 6) for x, y in ((-160, 20), (-120, 66), (150, 22), (116, 70)))
    )


def fire_extinguisher() -> str:
    return (
        rect(-104, -66, 104, 226, CORAL, 32)
        + rect(-104, 132, 104, 28, "#b53f2a", 6)
        + rect(-68, -98, 32, 40, NIGHT, 4)
        + line("M-100-112H-8L26-96", NIGHT, 14)
        + line("M-34-84C30-84 34-40 30 26", NIGHT, 10)
        + area("M20 22h22l14 46H6Z", NIGHT)
        + rect(-90, -6, 76, 78, PAPER, 8)
        + rect(-78, 10, 52, 10, STONE, 5)
        + rect(-78, 30, 52, 10, MIST, 5)
        + rect(-78, 50, 34, 10, MIST, 5)
        + flame(124, 80, 1.14)
    )


def gas_cylinder() -> str:
    return (
        rect(-62, -112, 124, 20, NIGHT, 8)
        + rect(-54, -104, 14, 50, NIGHT)
        + rect(40, -104, 14, 50, NIGHT)
        + rect(-13, -98, 26, 40, AMBER, 4)
        + area("M-90 10C-90-46-50-62 0-62S90-46 90 10V124a30 30 0 0 1-30 30H-60a30 30 0 0 1-30-30Z", MINT)
        + rect(-90, 26, 180, 64, "#6cc3ae")
        + words(0, 73, 40, "燃气", PAPER)
        + rect(-70, 148, 140, 12, NIGHT, 4)
        + line("M13-82H76C132-82 120 70 140 104", CORAL, 10)
        + rect(116, 104, 90, 16, NIGHT, 4)
        + rect(122, 118, 12, 42, NIGHT)
        + rect(188, 118, 12, 42, NIGHT)
        + at(160, 78, area("M0-34C12-14 24-4 24 10a24 20 0 0 1-48 0C-24-4-12-14 0-34Z", SKY))
    )


def locked_door() -> str:
    return (
        rect(-120, -160, 190, 320, "#9c632d", 6)
        + rect(-106, -146, 162, 306, WOOD, 4)
        + rect(-84, -122, 118, 108, "#c98d50", 4)
        + rect(-84, 20, 118, 112, "#c98d50", 4)
        + disc(36, 4, 10, AMBER)
        + disc(-25, -68, 13, NIGHT)
        + disc(-25, -68, 7, MIST)
        + at(
            92,
            56,
            line("M-34 0v-32a34 34 0 0 1 68 0v32", STONE, 15),
            rect(-60, 0, 120, 104, AMBER, 14),
            disc(0, 42, 14, INK),
            rect(-5, 46, 10, 32, INK, 5),
        )
    )


def crossing_and_light() -> str:
    stripes = "".join(area(f"M{x} 108h38l-14 52h-44Z", PAPER) for x in (-150, -88, -26, 36, 98))
    return (
        area("M-186 108H170L156 160H-214Z", STONE)
        + stripes
        + rect(104, -40, 14, 150, NIGHT)
        + rect(72, -166, 78, 196, NIGHT, 18)
        + disc(111, -122, 25, CORAL)
        + disc(111, -68, 25, "#56657f")
        + disc(111, -14, 25, "#56657f")
        + area("M-150 26A104 104 0 0 1 58 26Z", SKY)
        + area("M-66-77A104 104 0 0 1-26-77V26H-66Z", AMBER)
        + rect(-164, 20, 244, 18, "#2f63ab", 9)
        + line("M-122 38Q-100 84-56 92 10 88 30 38", NIGHT, 7)
        + rect(-68, 82, 26, 18, NIGHT, 5)
    )


def school_bag() -> str:
    return (
        line("M-42-112v-16a42 34 0 0 1 84 0v16", NIGHT, 14)
        + rect(-142, 12, 44, 120, "#2f63ab", 16)
        + rect(98, 12, 44, 120, "#2f63ab", 16)
        + area(
            "M-112-36A82 82 0 0 1-30-118H30A82 82 0 0 1 112-36V134a26 26 0 0 1-26 26H-86a26 26 0 0 1-26-26Z",
            SKY,
        )
        + area("M-112-36A82 82 0 0 1-30-118H30A82 82 0 0 1 112-36V-8H-112Z", "#2f63ab")
        + rect(-82, 38, 164, 90, "#75a6ea", 14)
        + rect(-82, 60, 164, 8, PAPER)
        + rect(-14, -26, 28, 44, AMBER, 6)
        + rect(-112, 134, 224, 10, PAPER)
        + at(
            162,
            74,
            rect(-13, -118, 26, 170, AMBER, 3),
            area("M-13 52h26L0 86Z", "#f6d9b0"),
            rect(-13, -130, 26, 22, CORAL, 4),
            turn=10,
        )
    )


def dog_on_a_lead() -> str:
    return (
        line("M52 12C120 40 150-50 190-150", CORAL, 9)
        + line("M-112 62C-160 46-170 10-160-16", WOOD, 22)
        + area("M-120 160V76C-120 26-74 18-30 18L-6-30H70V40C70 84 60 100 60 160H24V110H-74V160Z", WOOD)
        + area(
            "M-6-112C24-126 70-116 80-80L128-60C136-20 108-6 70-10L40-2C0 0-22-30-22-66-22-90-20-106-6-112Z",
            "#c98d50",
        )
        + area("M-14-110C-46-100-54-50-36-14-20-8-8-30-2-60Z", "#8a5527")
        + disc(44, -74, 8, INK)
        + disc(124, -54, 11, INK)
        + line("M84-26Q104-22 116-30", INK, 5)
        + line("M-20 2Q26 26 66-2", CORAL, 15)
        + disc(30, 26, 11, AMBER)
        + at(150, 118, rect(-34, -12, 68, 54, MINT, 8), line("M-16-12a16 20 0 0 1 32 0", MINT, 8))
    )


def snow_and_lanterns() -> str:
    snow = "".join(
        disc(x, y, radius, PAPER)
        for x, y, radius in (
            (-176, -70, 9),
            (-140, -130, 7),
            (-170, 40, 7),
            (150, -140, 9),
            (182, -60, 7),
            (-60, -156, 6),
            (96, -96, 6),
        )
    )
    lantern = (
        line("M0-56V-38", NIGHT, 5)
        + rect(-18, -40, 36, 10, AMBER, 3)
        + oval(0, 0, 44, 34, CORAL)
        + oval(0, 0, 18, 34, "#ee7d68")
        + rect(-18, 30, 36, 10, AMBER, 3)
        + line("M0 42V64", AMBER, 5)
    )
    return (
        snow
        + at(
            -20,
            0,
            house("#e9cfa6", CORAL),
            area("M-94-56 0-144 94-56Q78-36 58-54 38-30 18-54-4-32-24-56-42-34-60-54-80-36-94-56Z", PAPER),
        )
        + at(154, 30, lantern)
        + line("M118-34H196", NIGHT, 6)
        + oval(-150, 160, 60, 20, PAPER)
        + oval(130, 160, 80, 18, PAPER)
    )


def running_to_the_exit() -> str:
    return (
        rect(-160, -160, 200, 320, MINT, 10)
        + area("M-140-140H-10V160H-140Z", "#dff3ec")
        + area("M-10-140 20-116V136L-10 160Z", "#1f7a64")
        + at(
            52,
            -14,
            disc(8, -92, 25, INK),
            line("M0-56-22 22", INK, 34),
            line("M-4-50-54-34-70 6", INK, 17),
            line("M2-48 44-22 78-38", INK, 17),
            line("M-22 26-62 62-50 120", INK, 20),
            line("M-18 26 30 66 70 62", INK, 20),
        )
        + line("M-60-76h-44M-76-26h-44M-64 24h-34", STONE, 9)
    )


def identity_card() -> str:
    return at(
        18,
        -34,
        rect(-150, -96, 300, 192, "#b9cfe9", 18),
        turn=8,
    ) + at(
        0,
        10,
        rect(-160, -102, 320, 204, PAPER, 18),
        "".join(rect(-130, -68 + 38 * n, 46, 12, SKY, 6) for n in range(3)),
        "".join(rect(-72, -68 + 38 * n, width, 12, MIST, 6) for n, width in enumerate((76, 110, 92))),
        rect(-130, 56, 46, 14, SKY, 7),
        rect(-72, 56, 204, 14, STONE, 7),
        rect(52, -76, 84, 110, "#eef2f8", 10),
        portrait(94, -8, 0.86, STONE),
        turn=-5,
    )


def home_and_booklet() -> str:
    return at(-44, 0, house("#fff8e8", "#b8653c")) + at(
        112,
        62,
        rect(-62, -88, 124, 178, "#8a4a2a", 10),
        rect(-62, -88, 16, 178, "#6d371d", 6),
        rect(-28, -58, 70, 40, "#f2d9a3", 6),
        words(7, -29, 26, "户口", "#6d371d"),
        rect(-24, 10, 62, 9, "#c98d6b", 4),
        rect(-24, 30, 62, 9, "#c98d6b", 4),
        rect(-24, 50, 40, 9, "#c98d6b", 4),
        turn=6,
    )


def travel_booklet() -> str:
    globe = (
        f'<g fill="none" stroke="{AMBER}" stroke-width="6">'
        '<circle r="52"/><ellipse rx="22" ry="52"/><path d="M-52 0H52M-44-26H44M-44 26H44"/></g>'
    )
    return (
        at(
            60,
            -16,
            rect(-58, -132, 116, 236, PAPER, 8),
            rect(-36, -112, 70, 10, SKY, 5),
            rect(-36, -92, 46, 10, MIST, 5),
            turn=14,
        )
        + rect(-126, -150, 216, 300, "#2d5a86", 16)
        + rect(-126, -150, 22, 300, "#22476c", 10)
        + at(-8, -38, globe)
        + words(-8, 74, 34, "出行证件", "#f4d9a0")
        + rect(-60, 96, 104, 8, AMBER, 4)
        + at(
            148,
            84,
            rect(-44, -42, 88, 106, CORAL, 12),
            line("M-20-42v-18a8 8 0 0 1 8-8h24a8 8 0 0 1 8 8v18", NIGHT, 8),
            rect(-44, -4, 88, 10, "#b53f2a"),
            disc(-26, 66, 8, NIGHT),
            disc(26, 66, 8, NIGHT),
        )
    )


def notice_board() -> str:
    return (
        rect(-132, 90, 16, 70, "#8a5527")
        + rect(116, 90, 16, 70, "#8a5527")
        + rect(-180, -150, 360, 256, "#8a5527", 12)
        + rect(-164, -134, 328, 224, "#d9b98a", 6)
        + at(-70, -22, sheet(-68, -92, 136, 184, 4), disc(0, -86, 9, CORAL), turn=-3)
        + at(
            86,
            -52,
            rect(-58, -58, 116, 100, "#fdf1cf", 8),
            rect(-38, -22, 76, 10, STONE, 5),
            rect(-38, 0, 52, 10, MIST, 5),
            disc(0, -52, 9, SKY),
            turn=4,
        )
        + at(
            86,
            52,
            rect(-58, -26, 116, 52, PAPER, 8),
            line("M-30 0-18 12 4-12", MINT, 9),
            rect(16, -5, 30, 10, MIST, 5),
        )
    )


def film_and_sound() -> str:
    bars = "".join(
        rect(-140 + 24 * n, 118 - height / 2, 12, height, colour, 6)
        for n, (height, colour) in enumerate(
            zip((24, 44, 66, 36, 58, 78, 44, 62, 34, 52, 26, 40), (SKY, AMBER, MINT) * 4, strict=True)
        )
    )
    return (
        rect(-168, -156, 336, 216, NIGHT, 20)
        + rect(-152, -140, 304, 184, "#6c4a95", 8)
        + disc(0, -48, 58, PAPER)
        + area("M-18-80 36-48-18-16Z", "#54327a")
        + bars
    )


def road_barrier() -> str:
    stripes = "".join(area(f"M{x}-60h42l-34 72h-42Z", CORAL) for x in (-118, -36, 46, 128))
    cone = (
        area("M-14-110H14L44 0H-44Z", "#ee8a3a")
        + area("M-24-76H24L33-44H-33Z", PAPER)
        + rect(-58, -2, 116, 16, NIGHT, 6)
    )
    return (
        rect(-140, -76, 18, 236, NIGHT, 4)
        + rect(102, -76, 18, 236, NIGHT, 4)
        + rect(-176, -66, 336, 84, INK, 12)
        + '<clipPath id="board"><rect x="-168" y="-58" width="320" height="68" rx="6"/></clipPath>'
        + f'<g clip-path="url(#board)">{rect(-168, -58, 320, 68, PAPER)}{stripes}</g>'
        + disc(-131, -94, 22, AMBER)
        + disc(111, -94, 22, AMBER)
        + rect(-176, 52, 336, 18, STONE, 6)
        + at(-10, 146, cone)
        + at(166, 146, cone, scale=0.82)
    )


PICTURES: dict[str, Picture] = {
    "fraud-call": Picture(family=FRAUD, caption="陌生来电", advice="先挂断，再核实", motif=stranger_calling),
    "fraud-shopping": Picture(
        family=FRAUD, caption="网购与快递", advice="走官方平台，不私下付款", motif=parcel_on_a_hook
    ),
    "fraud-invest": Picture(
        family=FRAUD, caption="投资与返利", advice="稳赚不赔，就是圈套", motif=chart_that_falls
    ),
    "fraud-loan": Picture(
        family=FRAUD, caption="贷款与征信", advice="放款前先收费，就是诈骗", motif=loan_with_a_fee
    ),
    "fraud-love": Picture(family=FRAUD, caption="网络交友", advice="没见过面，不谈钱", motif=heart_on_a_hook),
    "fraud-game": Picture(family=FRAUD, caption="游戏交易", advice="不离开官方平台", motif=game_controller),
    "fraud-flight": Picture(
        family=FRAUD, caption="机票退改签", advice="只找官方客服办理", motif=ticket_and_plane
    ),
    "fraud-tools": Picture(
        family=FRAUD, caption="反诈工具", advice="免费好用，早用早安心", motif=umbrella_over_phone
    ),
    "tip-fire": Picture(family=TIP, caption="防火用电", advice="电动车不进楼道", motif=fire_extinguisher),
    "tip-gas": Picture(family=TIP, caption="燃气安全", advice="勤检查，常通风", motif=gas_cylinder),
    "tip-theft": Picture(family=TIP, caption="防盗防抢", advice="出门睡前，锁好门窗", motif=locked_door),
    "tip-traffic": Picture(
        family=TIP, caption="交通安全", advice="戴头盔，看信号灯", motif=crossing_and_light
    ),
    "tip-school": Picture(family=TIP, caption="校园安全", advice="平安上学，平安回家", motif=school_bag),
    "tip-dog": Picture(family=TIP, caption="文明养犬", advice="出门牵绳，随手清理", motif=dog_on_a_lead),
    "tip-winter": Picture(
        family=TIP, caption="冬季与春节", advice="防火防盗，平安过节", motif=snow_and_lanterns
    ),
    "tip-emergency": Picture(
        family=TIP, caption="应急避险", advice="先离开，再报警", motif=running_to_the_exit
    ),
    "service-card": Picture(
        family=SERVICE, caption="身份证件", advice="材料备齐，少跑一趟", motif=identity_card
    ),
    "service-home": Picture(
        family=SERVICE, caption="户籍居住", advice="落户、迁移、居住证", motif=home_and_booklet
    ),
    "service-passport": Picture(
        family=SERVICE, caption="出入境", advice="先预约，再办证", motif=travel_booklet
    ),
    "notice": Picture(family=NOTICE, caption="公安警讯", advice="身边的事，说给您听", motif=notice_board),
    "video": Picture(
        family=VIDEO, caption="看一看·听一听", advice="短片短音频，都配文字稿", motif=film_and_sound
    ),
    "alert-road": Picture(family=ALERT, caption="道路提示", advice="提前绕行，注意安全", motif=road_barrier),
}


def draw(picture: Picture) -> str:
    """The whole picture as SVG text."""
    family = picture.family
    title = escape(f"{picture.caption}：{picture.advice}")
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img" font-family="{FONTS}">',
            f"<title>{title}</title>",
            rect(0, 0, WIDTH, HEIGHT, family.ground),
            disc(CENTRE_X, CENTRE_Y - 14, 196, family.disc),
            rect(0, CENTRE_Y + FLOOR, WIDTH, HEIGHT - CENTRE_Y - FLOOR, family.deep),
            rect(72, 120, 72, 10, AMBER, 5),
            words(70, 214, 68, picture.caption, INK, "start"),
            words(72, 276, 34, picture.advice, family.deep, "start"),
            at(CENTRE_X, CENTRE_Y, picture.motif()),
            "</svg>\n",
        )
    )


def main() -> None:
    folder = Path(__file__).parents[1] / "content" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        (folder / f"{name}.svg").write_text(draw(picture), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
