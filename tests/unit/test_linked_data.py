"""What machines are told of a page: true, well-formed, and nothing that people are not told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gengfu_site.linked_data import linked_data
from gengfu_site.pages import pages
from stations import AT, StationFolder

ALERT = "{form: 走失, place: 桃园社区南门, tell: '110'}"


def told(station: StationFolder, path: str) -> list[dict[str, Any]]:
    """The things that the page at ``path`` tells of."""
    page = next(page for page in pages(station.load(), AT) if page.path == path)
    text = linked_data(page)
    assert text
    document = json.loads(text)
    assert document["@context"] == "https://schema.org"
    return document["@graph"]


def test_an_article_tells_what_it_is_from_whom_and_when(station: StationFolder) -> None:
    station.article(updated="2026-11-20 10:00", topics="[防火用电]")
    article, trail = told(station, "fraud/brushing/index.html")
    station_itself = {
        "@type": "GovernmentOrganization",
        "name": "青松路派出所",
        "url": "https://qingsong.example/",
    }
    assert article == {
        "@type": "Article",
        "headline": "刷单返利",
        "description": "先给小钱，再骗大钱。",
        "url": "https://qingsong.example/fraud/brushing/",
        "image": article["image"],
        "inLanguage": "zh-CN",
        "datePublished": "2026-11-20T09:00:00+08:00",
        "dateModified": "2026-11-20T10:00:00+08:00",
        "keywords": ["防火用电"],
        "author": {"@type": "GovernmentOrganization", "name": "青松路派出所"},
        "publisher": station_itself,
    }
    assert [(step["position"], step["name"], step["item"]) for step in trail["itemListElement"]] == [
        (1, "青松路派出所", "https://qingsong.example/"),
        (2, "防骗常识", "https://qingsong.example/fraud/"),
        (3, "刷单返利", "https://qingsong.example/fraud/brushing/"),
    ]


def test_a_guide_tells_who_serves_where_and_by_which_number(station: StationFolder) -> None:
    service = "{department: 户籍窗口, visit: 跑一次, places: [一楼], phone: 0000-5550110}"
    station.article("service/s.md", id="S0001", kind="service", service=service)
    guide = told(station, "service/s/index.html")[0]
    assert (guide["@type"], guide["serviceOperator"]["name"]) == ("GovernmentService", "户籍窗口")
    assert guide["availableChannel"] == [
        {
            "@type": "ServiceChannel",
            "serviceLocation": {"@type": "Place", "name": "一楼"},
            "servicePhone": {"@type": "ContactPoint", "telephone": "0000-5550110"},
        }
    ]


def test_what_is_settled_by_telephone_has_its_number_without_a_place(station: StationFolder) -> None:
    service = "{department: 户籍窗口, visit: 不用跑, phone: 0000-5550110}"
    station.article("service/s.md", id="S0001", kind="service", service=service)
    assert told(station, "service/s/index.html")[0]["availableChannel"] == [
        {
            "@type": "ServiceChannel",
            "servicePhone": {"@type": "ContactPoint", "telephone": "0000-5550110"},
        }
    ]


def test_an_alert_tells_where_and_until_when_and_nothing_of_the_missing_person(
    station: StationFolder,
) -> None:
    station.article("alert/child.md", id="A5W3R", kind="alert", expires="2026-12-01", alert=ALERT)
    person = (
        "name: 小满\nclothes: 红色羽绒服\nlast_seen: 南门\nphoto: A5W3R.jpg\n"
        "basis: 监护人同意\nerase_after: 2026-11-25 12:00\n"
    )
    station.file("private/A5W3R.yml", person)
    station.file("private/A5W3R.jpg", b"\xff\xd8\xff")
    alert = told(station, "alert/child/index.html")[0]
    assert (alert["@type"], alert["spatialCoverage"]["name"]) == ("SpecialAnnouncement", "桃园社区南门")
    assert alert["expires"] == "2026-12-02T00:00:00+08:00"
    for private in ("小满", "羽绒", "photo"):
        assert private not in json.dumps(alert, ensure_ascii=False)


@pytest.mark.parametrize("path", ["index.html", "alert/drill/index.html", "A/A0001/index.html"])
def test_other_pages_and_exercises_tell_nothing(station: StationFolder, path: str) -> None:
    alert = "{form: 火情, place: 三号楼, tell: '119', status: exercise}"
    station.article("alert/drill.md", id="A0001", kind="alert", expires="2026-12-01", alert=alert)
    page = next(page for page in pages(station.load(), AT) if page.path == path)
    assert linked_data(page) is None


def test_nothing_in_it_can_end_the_element_it_stands_in(station: StationFolder) -> None:
    station.article(summary='"</script><!-- & \u2028 -->"')
    page = next(page for page in pages(station.load(), AT) if page.path == "fraud/brushing/index.html")
    text = linked_data(page)
    assert text
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text)["@graph"][0]["description"] == page.description
