"""A guide's answer for a chat: short, and what is asked first stands first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_site.answer import MOST, answer
from gengfu_site.article import Service

LINK = "https://qingsong.example/A/S3M8Q"
GUIDE = Service(
    department="户籍窗口",
    visit="需本人",
    places=("青松路派出所一楼户籍窗口",),
    hours="周一至周六 8:30–12:00、14:00–17:30（法定节假日见通知）",
    phone="0000-5550110",
)


def test_it_says_whether_to_come_whom_to_call_where_when_and_where_the_rest_stands():
    assert answer("身份证丢了：本人来补领，40 元", GUIDE, LINK, "zh-CN") == (
        "身份证丢了：要本人来。电话 0000-5550110。地方：青松路派出所一楼户籍窗口。"
        "时间：周一至周六 8:30–12:00、14:00–17:30。\n" + LINK
    )


@pytest.mark.parametrize(
    ("visit", "words"), [("不用跑", "不用跑"), ("跑一次", "跑一次就行"), ("需本人", "要本人来")]
)
def test_whether_to_come_is_always_said(visit, words):
    bare = Service(department="户籍窗口", visit=visit)
    assert answer("开证明", bare, LINK, "zh-CN") == f"开证明：{words}。\n{LINK}"


def test_a_long_title_gives_way_to_whether_to_come():
    said = answer("A" * 40, GUIDE, LINK + "/" * 60, "en")
    assert "AAA: You must come in person. \n" in said


def test_what_does_not_fit_is_left_out_whole_and_what_does_stays():
    crowded = replace(GUIDE, places=("很远很远" * 15,))
    said = answer("迁户口", crowded, LINK, "zh-CN")
    assert "很远" not in said
    assert "电话 0000-5550110。时间：周一至周六 8:30–12:00、14:00–17:30。" in said


def test_of_several_places_none_is_told_with_the_hours_of_another():
    said = answer("迁户口", replace(GUIDE, places=("一楼", "二楼")), LINK, "zh-CN")
    assert "一楼" not in said
    assert "电话" in said


text = st.text(min_size=1, max_size=40)


@given(title=text, phone=text, place=text, hours=text, path=st.text("abc/", max_size=27))
def test_it_is_never_longer_than_a_chat_likes_and_ends_with_its_address(title, phone, place, hours, path):
    link = LINK + path
    said = answer(title, replace(GUIDE, phone=phone, places=(place,), hours=hours), link, "zh-CN")
    assert len(said) <= MOST
    assert said.endswith("\n" + link)
    assert "要本人来" in said
