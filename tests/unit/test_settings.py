"""The station in mkdocs.yml: read into one value, or every mistake named with its line."""

from __future__ import annotations

import re

import pytest

from gengfu_site.approvals import Review
from gengfu_site.catalogue import Kind
from gengfu_site.check import check
from gengfu_site.problems import Problem
from gengfu_site.settings import read_settings
from gengfu_templates import starter
from stations import AT, MKDOCS_YML, StationFolder


def test_areas_are_flattened_with_paths_and_addresses(station: StationFolder) -> None:
    areas = station.settings.station.areas
    assert [(a.path, a.slug, a.parent) for a in areas] == [
        ("青松路", "qingsong", None),
        ("青松路/桃园社区", "qingsong/taoyuan", "青松路"),
        ("青松路/松园社区", "qingsong/songyuan", "青松路"),
        ("河东", "hedong", None),
    ]


@pytest.mark.parametrize(
    ("area", "role"),
    [("青松路/桃园社区", "社区民警"), ("青松路/松园社区", "警务室"), ("河东", "值班室"), (None, "值班室")],
)
def test_the_nearest_contact_card_is_taken(station: StationFolder, area: str | None, role: str) -> None:
    assert station.settings.station.contacts_for(area)[0].role == role


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("site_url: https://qingsong.example/", "site_url: qingsong.example", "https://"),
        ("site_url: https://qingsong.example/", "site_url: https://qingsong.example/?a=1", "不能有“?”"),
        ("site_url: https://qingsong.example/", 'site_url: "https://qingsong.example/#top"', "不能有“?”"),
        ("site_url: https://qingsong.example/", "site_url: https://青松..cn/", "https://"),
        ("site_url: https://qingsong.example/", "site_url: https://qingsong.example:八千/", "https://"),
        (
            "contacts: [{role: 值班室",
            'official: {corrections: "??"}\n        contacts: [{role: 值班室',
            "一个电话、邮箱或网址",
        ),
        ("  - gengfu:", "  - other:", "没有 gengfu"),
        ("slug: taoyuan", "slug: 桃园", "小写字母"),
        ("松园社区, slug: songyuan", "松园社区, slug: taoyuan", "用了两次"),
        ("name: 河东", "name: 河/东", "不能有“/”"),
        ("contacts: [{role: 值班室", "timezone: 北京\n        contacts: [{role: 值班室", "Asia/Shanghai"),
        ("topics: [{name: 电信网络诈骗", "topics: [{nam: 电信网络诈骗", "是不是想写“name”"),
        ("audiences: [", "service_desk: 值班\n      audiences: [", "是不是想写“值班室”"),
        ("audiences: [", "shortcuts: [{title: 身份证丢了}]\n      audiences: [", "to"),
        ("audiences: [", 'matters: [{matter: 养犬, phone: "110"}]\n      audiences: [', "who"),
        ("phone: ", "phone: 见公告栏, note: ", "能直接拨"),
        ("phone: ", "phone: 0371-62220110 转 802, note: ", "分机号"),
        (
            "contacts: [{role: 值班室",
            "official: {icp: 12345678}\n        contacts: [{role: 值班室",
            "京ICP备",
        ),
        (
            "contacts: [{role: 值班室",
            "official: {police_record: 1101}\n        contacts: [{role: 值班室",
            "公网安备",
        ),
        ("contacts: [{role: 值班室", "official: {site_code: 11}\n        contacts: [{role: 值班室", "10 位"),
        ("contacts: [{role: 值班室", "intranet: 是\n        contacts: [{role: 值班室", "intranet"),
    ],
)
def test_a_mistake_is_named_with_its_line(station: StationFolder, old: str, new: str, said: str) -> None:
    text = MKDOCS_YML.replace(old, new, 1)
    settings, problems = read_settings(station.file("mkdocs.yml", text))
    assert settings is None
    assert [p.line for p in problems if said in str(p)] == [text[: text.index(new)].count("\n") + 1]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("F7K2O", "是不是想写“F7K2Q”"),
        ("fraud/brush", "是不是想写“fraud/brushing”"),
        ("防火用", "是不是想写“防火用电”"),
        ("servce", "是不是想写“service”"),
        ("天气预报", "写文章的编号"),
    ],
)
def test_a_shortcut_that_leads_nowhere_is_named_with_its_line(
    station: StationFolder, to: str, said: str
) -> None:
    station.file("mkdocs.yml", MKDOCS_YML + f"      shortcuts:\n        - {{title: 遇到了, to: {to}}}\n")
    station.article()
    (problem,) = station.problems()
    assert (problem.path, problem.line) == ("mkdocs.yml", MKDOCS_YML.count("\n") + 2)
    assert said in problem.remedy


def test_a_shortcut_is_not_blamed_while_a_file_cannot_be_read(station: StationFolder) -> None:
    station.file("mkdocs.yml", MKDOCS_YML + "      shortcuts: [{title: 遇到了, to: F7K2Q}]\n")
    station.article(kind="新闻")
    assert {problem.path for problem in station.problems()} == {"content/fraud/brushing.md"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://青松派出所.中国:8443/指南/", "https://xn--79qq01b81diyg242d.xn--fiqs8s:8443/指南/"),
        ("https://qingsong.example:8443", "https://qingsong.example:8443/"),
    ],
)
def test_a_host_in_chinese_is_what_browsers_make_of_it(
    station: StationFolder, written: str, read: str
) -> None:
    station.file("mkdocs.yml", MKDOCS_YML.replace("https://qingsong.example/", written))
    assert station.settings.station.url == read


def before_release(station: StationFolder) -> list[Problem]:
    """What is asked for before one, besides other numbers than those of the tests."""
    return [p for p in check(station.settings, AT, release=True) if "示范" not in p.message]


OFFICIAL = {
    "sponsor": "青松区公安分局",
    "icp": "京ICP备12345678号-1",
    "police_record": "京公网安备11010102000001号",
    "site_code": '"0101010001"',
    "corrections": "0000-5550109",
}


def official(fields: dict[str, str], more: str = "") -> str:
    lines = "".join(f"          {name}: {value}\n" for name, value in fields.items())
    return MKDOCS_YML.replace("        contacts:", f"        official:\n{lines}{more}        contacts:", 1)


def test_what_a_public_site_must_say_of_itself_is_read_as_it_is_written(station: StationFolder) -> None:
    station.file("mkdocs.yml", official(OFFICIAL))
    read = station.settings.official
    assert (read.sponsor, read.site_code) == ("青松区公安分局", "0101010001")
    assert read.police_address == "https://beian.mps.gov.cn/#/query/webSearch?code=11010102000001"
    assert station.settings.unready == ()


@pytest.mark.parametrize(
    ("written", "leads_to"),
    [
        ("0000-5550109", ""),
        ("jiucuo@qingsong.example", "mailto:jiucuo@qingsong.example"),
        ("https://qingsong.example/jiucuo", "https://qingsong.example/jiucuo"),
        ("https://qingsong.example/@jiucuo", "https://qingsong.example/@jiucuo"),
        ("发到 jiucuo@qingsong.example", ""),
    ],
)
def test_mistakes_are_reported_by_telephone_mail_or_page(
    station: StationFolder, written: str, leads_to: str
) -> None:
    station.file("mkdocs.yml", official({**OFFICIAL, "corrections": written}))
    assert station.settings.official.corrections_address == leads_to


@pytest.mark.parametrize("missing", OFFICIAL)
def test_what_is_missing_is_asked_for_before_a_release_and_never_by_a_build(
    station: StationFolder, missing: str
) -> None:
    station.file("mkdocs.yml", official({**OFFICIAL, missing: ""}))
    station.article()
    assert check(station.settings, AT) == []
    (problem,) = before_release(station)
    text = (station.folder / "mkdocs.yml").read_text(encoding="utf-8").splitlines()
    assert missing in text[problem.line - 1]
    assert (problem.field, missing in problem.remedy) == (f"station.official.{missing}", True)


def test_a_station_that_says_nothing_is_asked_for_all_of_it_unless_it_is_on_an_intranet(
    station: StationFolder,
) -> None:
    station.article()
    assert len(before_release(station)) == len(OFFICIAL)
    station.file(
        "mkdocs.yml", MKDOCS_YML.replace("        contacts:", "        intranet: true\n        contacts:", 1)
    )
    assert before_release(station) == []


def test_a_number_that_came_with_the_program_is_found_before_a_release(station: StationFolder) -> None:
    station.file(
        "mkdocs.yml", MKDOCS_YML.replace("0000-", "0571-").replace("theme:", "# 0000-5550199\ntheme:")
    )
    station.article(body="打 110。\n\n打 0000-5550130 也行。\n", summary="打 0000-5550100。")
    found = [(p.path, p.line, p.message) for p in check(station.settings, AT, release=True)]
    assert [one for one in found if "示范" in one[2]] == [
        ("content/fraud/brushing.md", 4, "“0000-5550100”是示范用的号码，没有人接。"),
        ("content/fraud/brushing.md", 10, "“0000-5550130”是示范用的号码，没有人接。"),
    ]
    station.file("mkdocs.yml", MKDOCS_YML)
    station.article()
    shown = [p for p in check(station.settings, AT, release=True) if "示范" in p.message]
    assert [(p.path, MKDOCS_YML.splitlines()[p.line - 1].count("0000-")) for p in shown] == [
        ("mkdocs.yml", 1)
    ] * 3


def test_the_starters_commented_lines_are_right_once_the_mark_before_them_is_gone(
    station: StationFolder,
) -> None:
    text = (starter() / "mkdocs.yml").read_text(encoding="utf-8")
    for lines in (r"        # (  \w+: .*|official:)$", r"      # (portal: .*)$"):
        assert re.search(lines, text, re.MULTILINE)
        text = re.sub(lines, lambda line: line[0].replace("# ", "", 1), text, flags=re.MULTILINE)
    for name in ("header.html", "footer.html"):
        station.file(name, "<p>门户</p>")
    station.file("mkdocs.yml", text)
    assert station.settings.unready == ()
    assert len(station.settings.portal.files) == 2


@pytest.mark.parametrize(
    ("review", "reviews"),
    [
        ("none", {"tip": "none", "notice": "none"}),
        ("small", {"tip": "small", "notice": "small"}),
        ("{notice: full}", {"tip": "none", "notice": "full"}),
        ("{default: small, notice: full, tip: none}", {"tip": "none", "notice": "full", "video": "small"}),
    ],
)
def test_a_station_says_how_each_kind_is_signed_off_and_alerts_never_are(
    station: StationFolder, review: str, reviews: dict[Kind, Review]
) -> None:
    station.file("mkdocs.yml", MKDOCS_YML + f"      review: {review}\n")
    assert reviews.items() <= station.settings.reviews.items()
    assert "alert" not in station.settings.reviews


@pytest.mark.parametrize("review", ["smal", "{default: none, alert: small}", "{tips: small}", "[small]"])
def test_another_way_of_signing_off_is_a_problem(station: StationFolder, review: str) -> None:
    file = station.file("mkdocs.yml", MKDOCS_YML + f"      review: {review}\n")
    assert [problem.path for problem in read_settings(file)[1]] == ["mkdocs.yml"]
