"""The pictures that chats show beside a link: which stands for what, and that each can be read."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest
from PIL import Image

from gengfu_site import drawing
from gengfu_site.catalogue import KINDS, Station, Topic, loads
from gengfu_site.drawing import SIZE
from gengfu_site.feeds import catalogue
from gengfu_site.library import load
from gengfu_site.output import outputs
from gengfu_site.pages import kind_label, pages
from gengfu_site.pictures import picture, pictures
from gengfu_site.publish import publish
from gengfu_site.render import environment, render
from gengfu_site.settings import read_settings
from gengfu_site.urgent import publish_article
from stations import AT, StationFolder

ROOT = Path(__file__).parents[2]
SEARCH = '{form: 走失, place: 桃园社区, tell: "110"}'
PERSON = "name: 小满\nlast_seen: 11月20日 17:00 桃园社区南门\nphoto: A5W3R.jpg\nbasis: 监护人同意\nerase_after: 2026-11-25\n"
ROADWORKS = '{form: 道路, place: 桥, tell: "122"}'
WIDTH, HEIGHT = SIZE
BAND, FREE = 80, 100
LEFT, RIGHT = (WIDTH - HEIGHT) // 2, (WIDTH + HEIGHT) // 2


def drawn(station: Station) -> dict[str, bytes]:
    return dict(pictures(station, {kind: kind_label(kind, station.language) for kind in KINDS}))


def topic(station: StationFolder, name_: str, **more: str) -> bytes:
    """The picture of a topic called ``name_``, at a station with other fields."""
    told = replace(station.settings.station, topics=(Topic(name=name_, slug="t"),), **more)
    return drawn(told)["share/topic-t.png"]


def shades(png: bytes) -> Image.Image:
    """Grey by how light a pixel is: rings below 60, words on them 255, words in the band 0."""
    image = Image.open(BytesIO(png))
    assert (image.format, image.mode, image.size) == ("PNG", "P", SIZE)
    return Image.frombytes("L", SIZE, image.tobytes()).point(lambda shade: shade * 17)


def words(png: bytes) -> tuple[int, int, int, int]:
    """The box that the words below the band fill."""
    below = shades(png).crop((0, BAND, WIDTH, HEIGHT)).point(lambda grey: 255 * (grey > 80))
    return below.getbbox() or (0, 0, 0, 0)


def small_words(png: bytes) -> tuple[int, int, int, int]:
    """The box that the words in the band fill."""
    band = shades(png).crop((0, 0, WIDTH, BAND)).point(lambda grey: 255 * (grey < 230))
    return band.getbbox() or (0, 0, 0, 0)


class TestChoice:
    @pytest.mark.parametrize(
        ("fields", "path"),
        [
            ({}, "share/kind-fraud.png"),
            ({"topics": "[防火用电, 电信网络诈骗]"}, "share/topic-fire.png"),
            ({"cover": "a.png"}, "fraud/a.png"),
            ({"cover": "b.JPEG", "topics": "[防火用电]"}, "fraud/b.JPEG"),
            ({"cover": "c.webp"}, "share/kind-fraud.png"),
            ({"cover": "d.svg", "topics": "[防火用电]"}, "share/topic-fire.png"),
            (
                {"kind": "alert", "topics": "[防火用电]", "expires": "2026-12-01", "alert": ROADWORKS},
                "share/kind-alert.png",
            ),
            (
                {"kind": "alert", "cover": "a.png", "expires": "2026-12-01", "alert": ROADWORKS},
                "fraud/a.png",
            ),
            (
                {"kind": "alert", "cover": "a.png", "expires": "2026-12-01", "alert": SEARCH},
                "share/kind-alert.png",
            ),
        ],
    )
    def test_the_cover_where_chats_show_it_else_the_topic_else_the_kind_and_no_face(
        self, station: StationFolder, fields: dict[str, str], path: str
    ) -> None:
        for name in ("a.png", "b.JPEG", "c.webp"):
            station.file(f"content/fraud/{name}", b"picture")
        station.file("content/fraud/d.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
        station.article(**fields)
        assert picture(station.load().articles[0], station.settings.station) == path

    def test_what_an_urgent_release_carries_over_has_one_that_is_still_drawn(
        self, station: StationFolder
    ) -> None:
        station.article("tip/wires.md", id="T2222", kind="tip", topics="[防火用电]")
        station.article("tip/gas.md", id="T3333", kind="tip", cover="a.jpg")
        station.file("content/tip/a.jpg", b"picture")
        publish(station.settings, AT)
        settings = station.folder / "mkdocs.yml"
        station.file("mkdocs.yml", settings.read_text("utf-8").replace(", {name: 防火用电, slug: fire}", ""))
        station.article("tip/gas.md", id="T3333", kind="tip", cover="a.jpg", body="【待写】")
        station.article("alert/bridge.md", id="A5W3R", kind="alert", expires="2026-12-01", alert=ROADWORKS)
        assert len(publish_article(station.settings, "A5W3R", AT).kept) == 2
        for entry in loads((station.settings.public / "catalogue.json").read_text("utf-8")).entries:
            assert entry.image
            path = entry.image.removeprefix("https://qingsong.example/")
            assert (
                path
                == {"T2222": "share/kind-tip.png", "T3333": "tip/a.jpg", "A5W3R": "share/kind-alert.png"}[
                    entry.id
                ]
            )
            assert (station.settings.public / path).is_file()

    def test_a_page_is_shown_with_what_stands_for_it_and_never_with_a_missing_persons_face(
        self, station: StationFolder
    ) -> None:
        station.article(topics="[防火用电]")
        station.article("alert/child.md", id="A5W3R", kind="alert", expires="2026-12-01", alert=SEARCH)
        station.file("private/A5W3R.yml", PERSON).chmod(0o600)
        station.file("private/A5W3R.jpg", b"\xff\xd8\xff face").chmod(0o600)
        library = station.load()
        shown = {
            page.url: page.picture.removeprefix("https://qingsong.example/share/")
            for page in pages(library, AT)
        }
        for url, name in {
            "": "station",
            "tip/": "kind-tip",
            "topic/fire/": "topic-fire",
            "area/qingsong/": "station",
            "fraud/brushing/": "topic-fire",
            "alert/child/": "kind-alert",
            "404.html": "station",
        }.items():
            assert shown[url] == f"{name}.png"
        env = environment(library.settings)
        for page in pages(library, AT):
            assert render(env, page).count(f'<meta property="og:image" content="{page.picture}">') == 1
        (face,) = (entry.image for entry in catalogue(library, AT).entries if entry.kind == "alert")
        assert face == "https://qingsong.example/A/A5W3R/photo.jpg", "but groups are shown whom to look for"

    def test_an_address_of_chinese_signs_is_quoted(self, station: StationFolder) -> None:
        file = station.folder / "mkdocs.yml"
        station.file("mkdocs.yml", file.read_text("utf-8").replace(", slug: fire", ""))
        station.article(topics="[防火用电]")
        (entry,) = catalogue(station.load(), AT).entries
        assert entry.image
        assert entry.image.isascii()
        assert unquote(entry.image) == "https://qingsong.example/share/topic-防火用电.png"
        assert "share/topic-防火用电.png" in drawn(station.settings.station)

    def test_each_article_of_the_starter_has_one_that_chats_show_and_that_is_on_the_site(self) -> None:
        settings, _problems = read_settings(ROOT / "mkdocs.yml")
        assert settings
        library, _problems = load(settings, AT)
        made = {output.path for output in outputs(library, AT, environment(settings))}
        entries = catalogue(library, AT).entries
        assert len(entries) > 50
        for entry in entries:
            assert entry.image
            assert PurePosixPath(entry.image).suffix in (".png", ".jpg", ".jpeg")
            assert unquote(entry.image.removeprefix(settings.station.url)) in made


class TestDrawing:
    def test_each_kind_each_topic_and_the_station_have_one_small_enough_for_any_chat(
        self, station: StationFolder
    ) -> None:
        made = drawn(station.settings.station)
        assert list(made) == [
            "share/station.png",
            *(f"share/kind-{kind}.png" for kind in KINDS),
            "share/topic-telecom-fraud.png",
            "share/topic-fire.png",
        ]
        for png in made.values():
            assert shades(png).size >= (300, 300)
            assert len(png) < 15_000

    def test_the_same_station_gives_the_same_bytes(self, station: StationFolder) -> None:
        once = drawn(station.settings.station)
        drawing.png.cache_clear()
        drawing._ground.cache_clear()
        assert drawn(station.settings.station) == once

    def test_words_can_be_read_on_every_ground(self, station: StationFolder) -> None:
        for png in drawn(station.settings.station).values():
            colours = Image.open(BytesIO(png)).getpalette() or []
            white, lightest_ring, ground = ((colours[i * 3 : i * 3 + 3]) for i in (15, 3, 0))
            assert white == [255, 255, 255]
            assert contrast(white, ground) >= contrast(white, lightest_ring) >= 4.5

    @pytest.mark.parametrize(
        "name",
        [
            "犬",
            "电信网络诈骗",
            "“扫黑除恶”专项斗争、禁毒和反恐应急（含寄递物流）",
            "流动人口和出租房屋登记办理须知" * 8,
            "Identity documents and household registration",
            "W" * 70,
            "12345，一号服务",
        ],
    )
    def test_words_however_many_stay_in_the_middle_square_and_off_its_edges(
        self, station: StationFolder, name: str
    ) -> None:
        png = topic(station, name, name=name)
        for box, height in ((words(png), HEIGHT - FREE - BAND), (small_words(png), BAND)):
            left, top, right, bottom = box
            assert LEFT + 20 <= left < right <= RIGHT - 20
            assert 4 <= top < bottom <= height - 4
            assert abs((left + right) - WIDTH) <= 20

    def test_a_short_name_is_large_and_a_long_one_takes_more_lines_rather_than_grow_small(
        self, station: StationFolder
    ) -> None:
        heights = [box[3] - box[1] for name in ("燃气", "燃气" * 6) for box in [words(topic(station, name))]]
        assert heights[0] > 90
        assert heights[1] > 130

    def test_a_sign_that_the_font_lacks_is_left_out(self, station: StationFolder) -> None:
        assert topic(station, "😀防火\N{VARIATION SELECTOR-16}用电🔥") == topic(station, "防火用电")

    @pytest.mark.parametrize("name", ["電信詐騙", "Ẁ電", "ความปลอดภัย"])
    def test_a_name_with_a_letter_that_the_font_lacks_gives_way_to_the_stations(
        self, station: StationFolder, name: str
    ) -> None:
        assert topic(station, name) == topic(station, station.settings.station.name)
        assert topic(station, "防火", name=name) == topic(station, "防火", name="qingsong.example")


def contrast(one: list[int], other: list[int]) -> float:
    """By https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

    def light(colour: list[int]) -> float:
        parts = [c / 255 for c in colour]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((light(one), light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
