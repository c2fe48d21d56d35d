"""Personal data is found through whatever hides it, and what only looks like it is left alone; both are counted."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from gengfu_site.library import load
from gengfu_site.problems import ProblemsFound
from gengfu_site.publish import publish
from gengfu_site.rules import personal_data, refusals
from gengfu_site.rules.identifiers import identifiers
from gengfu_site.settings import read_settings
from stations import AT, StationFolder

ROOT = Path(__file__).parents[2]
TEMPTING = Path(__file__).with_name("tempting.txt").read_text("utf-8").splitlines()
"""Short passages as stations write them, with dates, amounts, file numbers, hours: nobody's data in any."""

# None is anybody's: made up, with the check digits that such numbers have.
NUMBERS = {
    "身份证号": [
        *("110105197203136675", "310115193702275495", "510104199504020892", "33010619420914061X"),
        *("820000193609281372", "911156196807055548", "350102900101123", "420106551203002"),
    ],
    "手机号": ["13812345678", "14712345678", "15612345678", "16612345678", "17712345678", "19812345678"],
    "银行卡号": ["6222021948219935185", "9558804911862527607", "6226091895559791", "4367427465075293"],
    "固定电话": ["075522345678", "01062345678", "057185550666"],
}
DISGUISES = {
    "plain": lambda n: n,
    "spaces": lambda n: f"{n[:3]} {n[3:7]} {n[7:]}",
    "dashes": lambda n: f"{n[:3]}-{n[3:7]}-{n[7:]}",
    "long dashes": lambda n: f"{n[:3]}–{n[3:7]}—{n[7:]}",
    "full width": lambda n: "".join(chr(ord(sign) + 0xFEE0) for sign in n),
    "without width": lambda n: "\u200b".join(n),
    "emphasis": lambda n: f"{n[:3]}**{n[3:7]}**{n[7:]}",
    "one star": lambda n: f"*{n[:3]}*{n[3:]}",
    "underlines": lambda n: f"{n[:3]}__{n[3:7]}__{n[7:]}",
    "tags": lambda n: f"{n[:3]}<b>{n[3:7]}</b>{n[7:]}",
    "comment": lambda n: f"{n[:5]}<!-- x -->{n[5:]}",
    "references": lambda n: "".join(f"&#{ord(sign)};" for sign in n),
    "hexadecimal": lambda n: "".join(f"&#x{ord(sign):x};" for sign in n),
    "hard spaces": lambda n: f"{n[:3]}&nbsp;{n[3:7]}\u3000{n[7:]}",
    "backslashes": lambda n: f"{n[:3]}\\-{n[3:7]}\\-{n[7:]}",
}
# A landline is written with its area code apart, or whole; cut elsewhere it is no number that anybody could call.
WHOLE = {"plain", "full width", "without width", "references", "hexadecimal", "one star", "emphasis"}
SIGNS = {
    "车牌号": [
        "京A12345",
        "沪B·12345",
        "粤AD12345",
        "苏 E F12345",
        "浙A１２３45",
        "川A1234学",
        "粤B1234警",
        "鲁C12D34挂",
        "粤Z1234港",
        "京**A**12345",
        "京&#65;12345",
        "皖a8888b",
        "闽D\u200b12345",
    ],
    "护照或通行证号": [
        "E12345678",
        "G12345678",
        "EA1234567",
        "护照号 P1234567",
        "港澳通行证C12345678",
        "通行证：W12345678",
    ],
    "电子邮箱": [
        "wang_xm@qq.com",
        "li.si@163.com",
        "zhang@mail.qingsong.example",
        "a1＠sina.cn",
        "b2&#64;126.com",
    ],
    "住址": [
        *("青松路12号3栋2单元501室", "桃园小区3号楼2单元501室", "桃园小区3-2-501", "三栋二单元五零一室"),
        *(
            "松园社区5幢1201室",
            "桃园路88弄12号301室",
            "3栋2单元501",
            "青松路 12 号 5 楼 502 室",
            "桃园村3组12号",
        ),
        *("铁西村第二社15号", "A座1203室", "家属院2号楼3门402号房", "医院家属院3栋2单元501户"),
    ],
    "固定电话": [
        "（0755）22345678",
        "0571-85550666",
        "座机：25550123",
        "拨打 8555 0123",
        "Tel: 85550123",
        "+86 0755 22345678",
    ],
    "手机号": [
        "+86 13812345678",
        "8613812345678",
        "(86)138-1234-5678",
        "013812345678",
        "1 3 8 1 2 3 4 5 6 7 8",
        "138.1234.5678",
    ],
}
CARRIERS = (
    "联系{}。",
    "{}",
    "（{}）",
    "见“{}”，速办",
    "张某某{}李某某",
    "- 110、12345、{}\n- 8:30–12:00",
    "| 甲 | {} | 乙 |",
)

PLANTED = [
    (kind, carrier.format(disguised(number)))
    for kind, numbers in NUMBERS.items()
    for index, number in enumerate(numbers)
    for name, disguised in DISGUISES.items()
    if kind != "固定电话" or name in WHOLE
    for carrier in (CARRIERS[0], CARRIERS[1 + (index + len(name)) % 6])
] + [
    (kind, carrier.format(text))
    for kind, texts in SIGNS.items()
    for text in texts
    for carrier in CARRIERS[:4]
]


def test_everything_planted_is_found() -> None:
    assert len(PLANTED) > 500
    missed = [(kind, text) for kind, text in PLANTED if kind not in {one.kind for one in identifiers(text)}]
    assert missed == []


def test_what_is_found_is_shown_only_masked() -> None:
    for kind, text in PLANTED:
        for one in identifiers(text):
            assert one.words not in one.masked
            assert sum(sign.isdigit() for sign in one.masked) <= 8, (kind, one.masked)


def test_fewer_than_one_in_two_hundred_tempting_passages_is_an_alarm(station: StationFolder) -> None:
    for number, text in enumerate(TEMPTING):
        station.article(
            f"tip/t{number}.md", id=f"T{number:04}", kind="tip", title=f"第{number}条", body=text + "\n"
        )
    library, problems = load(station.settings, AT)
    alarms = {problem.path for problem in refusals(library, AT)}
    assert not problems
    assert len(library.articles) > 200
    assert len(alarms) < len(library.articles) / 200, alarms


def test_the_starter_library_gives_no_alarm() -> None:
    settings, problems = read_settings(ROOT / "mkdocs.yml")
    assert settings, problems
    library, problems = load(settings, AT)
    assert len(library.articles) > 80
    assert refusals(library, AT) == []


def test_each_article_with_it_is_refused_at_its_line_and_the_old_site_stays(station: StationFolder) -> None:
    station.article()
    publish(station.settings, AT)
    before = (station.folder / "public/catalogue.json").read_bytes()
    station.article(summary="找小王，13812345678", body="一\n\n身份证 110105197203136675\n")
    with pytest.raises(ProblemsFound) as refused:
        publish(station.settings, AT)
    assert [(p.line, p.field, p.rule) for p in refused.value.problems] == [
        (4, "summary", "personal-data"),
        (10, "", "personal-data"),
    ]
    assert "13812345678" not in str(refused.value)
    assert (station.folder / "public/catalogue.json").read_bytes() == before


@pytest.mark.parametrize("written", ["13812345678", "138 1234 5678", '"１３８-1234-5678"'])
def test_a_named_person_allows_it_with_a_reason(station: StationFolder, written: str) -> None:
    station.article(
        body="打 138-1234-5678。\n", allow=f"[{{what: {written}, by: 周所长, reason: 商户自己要求公开}}]"
    )
    assert refusals(station.load(), AT) == []


def test_what_is_allowed_is_that_and_no_more(station: StationFolder) -> None:
    station.article(
        body="打 13812345678 或 13912345678。\n", allow="[{what: 13812345678, by: 周所长, reason: 本人要求}]"
    )
    assert [p.message for p in refusals(station.load(), AT)] == ["这里有手机号（139****5678）。"]


def test_nobody_allows_anything_without_a_name_and_a_reason(station: StationFolder) -> None:
    station.article(body="打 13812345678。\n", allow="[{what: 13812345678}]")
    assert [p.field for p in station.problems()] == ["allow.0.by", "allow.0.reason"]


def test_an_articles_own_file_name_is_its_address_and_is_read_too(station: StationFolder) -> None:
    station.article("fraud/王某_13812345678.md")
    assert [p.message for p in refusals(station.load(), AT)] == [
        "文件名也是网址：这里有手机号（138****5678）。"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"attachments": "[王某_13812345678.pdf]"},
        {"cover": "110105197203136675.png"},
        {"body": "![证件](13812345678/a.png)\n"},
        {"body": "![王某 13812345678](a.png)\n"},
        {"author": "王某 13812345678"},
        {"withdrawn": "王某（13812345678）要求"},
    ],
)
def test_names_of_files_and_the_words_of_every_field_are_read(
    station: StationFolder, fields: dict[str, str]
) -> None:
    for name in ("王某_13812345678.pdf", "110105197203136675.png", "13812345678/a.png", "a.png"):
        station.file(f"content/fraud/{name}", picture() if name.endswith("png") else b"%PDF-1.4")
    station.article(**fields)
    assert [p.rule for p in refusals(station.load(), AT)] == ["personal-data"]


def picture(form: str = "PNG", *, exif: Image.Exif | None = None, author: str = "") -> bytes:
    data, written = BytesIO(), PngImagePlugin.PngInfo()
    if author:
        written.add_text("Author", author)
    options = {"pnginfo": written} if form == "PNG" else {}
    Image.new("RGB", (8, 8)).save(data, form, exif=exif or Image.Exif(), **options)
    return data.getvalue()


def taken_at_a_place() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitude: (31.0, 14.0, 0.0)}
    return exif


def taken_by_somebody() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "王某"
    return exif


@pytest.mark.parametrize(
    ("name", "data", "hidden"),
    [
        ("a.jpg", picture("JPEG", exif=taken_at_a_place()), ["拍摄地点"]),
        ("a.webp", picture("WEBP", exif=taken_at_a_place()), ["拍摄地点"]),
        ("a.jpg", picture("JPEG", exif=taken_by_somebody()), ["作者姓名"]),
        ("a.png", picture(author="王某"), ["作者姓名"]),
        ("a.jpg", picture("JPEG"), []),
        ("a.png", picture(), []),
        ("a.png", b"no picture at all", []),
    ],
    ids=["JPEG, place", "WebP, place", "JPEG, author", "PNG, author", "JPEG", "PNG", "none"],
)
def test_what_a_camera_wrote_into_a_picture_is_found(
    station: StationFolder, name: str, data: bytes, hidden: list[str]
) -> None:
    station.file(f"content/fraud/{name}", data)
    station.article(body=f"一\n\n![图里的字]({name})\n")
    station.article("tip/same.md", id="T0000", kind="tip", cover=f"../fraud/{name}")
    found = refusals(station.load(), AT)
    assert [(p.path, p.line, p.message) for p in found] == [
        (path, line, f"图片“{name}”里藏着{what}。")
        for what in hidden
        for path, line in (("content/fraud/brushing.md", 10), ("content/tip/same.md", 7))
    ]


def test_what_the_station_prints_for_all_passes_everywhere(station: StationFolder) -> None:
    settings = (station.folder / "mkdocs.yml").read_text("utf-8")
    station.file(
        "mkdocs.yml",
        settings.replace("李警官", "李警官 13912345678 13612345678、0571-85550666").replace(
            '"0000-5550120"', '"0000-5550120", note: 桃园小区3栋2单元101室 jws@qq.com'
        ),
    )
    station.article(
        body="找 139 1234 5678，在桃园小区3栋2单元101室，写信 jws@qq.com，座机 5550100、13612345678，传真（0571）8555 0666。\n"
    )
    assert refusals(station.load(), AT) == []
    station.article(body="找 138 1234 5678，在桃园小区3栋2单元102室，写信 jws2@qq.com，座机 5550199。\n")
    assert len(refusals(station.load(), AT)) == 4


def test_many_places_of_many_offices_are_looked_at_once(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    plainly = personal_data.squeezed
    monkeypatch.setattr(personal_data, "squeezed", lambda text: compared.append(text) or plainly(text))
    offices = [f"窗口{n}（0571-8555{n}）" for n in range(1000, 1200)]
    service = f"{{department: 窗口, visit: 跑一次, places: [{', '.join(offices)}]}}"
    station.article(kind="service", service=service, body="，".join(offices) + "，0571-85559999\n")
    assert [p.message for p in refusals(station.load(), AT)] == ["这里有固定电话（0571******99）。"]
    assert len(compared) < 1000


@given(
    st.text(
        st.sampled_from("0123456789１٣Xx京A·- .*_~`\\<b>/&#;:\u200b\u3000\n@号栋单元室村组路电话“”一二〇"),
        max_size=60,
    )
)
def test_whatever_is_written_is_read_to_the_end(text: str) -> None:
    for one in identifiers(text):
        assert 0 <= one.at <= len(text)
        assert one.words
        assert one.words not in one.masked
