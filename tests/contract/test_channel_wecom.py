"""WeCom's forms and answers, as its contract has them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chats import ALERT, DIGEST, GROUP, ITEM, channel_to, outcome, posted, same
from contract.replies import wecom
from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.message import Outcome


@pytest.mark.parametrize(("status", "body", "expected"), wecom.REPLIES)
def test_answers(status: int, body: str, expected: Outcome) -> None:
    found = outcome("wecom", status, body)
    assert same(found, expected), found


def test_a_digest_is_a_news_card_of_title_items_and_footer() -> None:
    second = replace(ITEM, title="冒充客服", image="https://x.test/a.png")
    assert posted(replace(DIGEST, items=(ITEM, second))) == {
        "msgtype": "news",
        "news": {
            "articles": [
                {
                    "title": "每日警情提示",
                    "description": "",
                    "url": "https://x.test/",
                    "picurl": "https://x.test/a.png",
                },
                {"title": "刷单返利", "description": "先给小钱，再骗大钱。", "url": ITEM.url},
                {
                    "title": "冒充客服",
                    "description": "先给小钱，再骗大钱。",
                    "url": ITEM.url,
                    "picurl": "https://x.test/a.png",
                },
                {"title": "桃园社区 李警官 0571-00000000", "description": "", "url": "https://x.test/"},
            ]
        },
    }


def test_a_digest_of_seven_items_fills_the_card_and_of_eight_is_refused() -> None:
    full = posted(replace(DIGEST, items=(ITEM,) * 7))["news"]["articles"]
    assert len(full) == 8
    assert full[0]["description"] == DIGEST.footer
    assert full[-1]["title"] == ITEM.title
    with pytest.raises(CannotRender, match="9，最多 8"):
        posted(replace(DIGEST, items=(ITEM,) * 8))


def test_a_digest_without_pictures_names_none() -> None:
    assert all("picurl" not in article for article in posted(DIGEST)["news"]["articles"])


def test_an_alert_is_markdown_with_link_and_footer() -> None:
    assert posted(replace(ALERT, resent=True)) == {
        "msgtype": "markdown",
        "markdown": {
            "content": '# <font color="warning">【重发】寻人：王某</font>\n'
            "> 72岁，身穿红色羽绒服\n"
            "> 看到请打110\n"
            "\n"
            f"[查看详情与最新进展]({ITEM.url})\n"
            "\n"
            '<font color="comment">桃园社区 李警官 0571-00000000</font>'
        },
    }


def test_an_alert_without_its_page_goes_without_the_link() -> None:
    assert "](" not in posted(replace(ALERT, items=()))["markdown"]["content"]


def test_nothing_an_officer_writes_in_an_alert_is_markup() -> None:
    evil = "<@all> <font> [链](http://e.test) **粗** `码`"
    content = posted(replace(ALERT, title=evil, body=evil, footer=evil))["markdown"]["content"]
    assert content.count("＜@all> ＜font> ［链］(http://e.test) ＊＊粗＊＊ ｀码｀") == 3
    assert content.count("<") == 4  # the two colours that are ours
    assert content.count("](") == 1  # the link to the page


@settings(max_examples=40)
@given(body=st.text(max_size=200), times=st.integers(0, 60))
def test_each_part_of_an_alert_fits_and_has_link_and_footer(body: str, times: int) -> None:
    parts = channel_to(GROUP).parts(replace(ALERT, body=body * times), GROUP)
    for part in parts:
        content = posted(part)["markdown"]["content"]
        assert len(content.encode()) <= 4096
        assert content.endswith("0571-00000000</font>")
        assert f"]({ITEM.url})" in content


@settings(max_examples=40)
@given(title=st.text(max_size=300), summary=st.text(max_size=800))
def test_a_digest_always_fits(title: str, summary: str) -> None:
    item = replace(ITEM, title=title, summary=summary)
    for article in posted(replace(DIGEST, items=(item,) * 7, title=title, footer=summary))["news"][
        "articles"
    ]:
        assert len(article["title"].encode()) <= 128
        assert len(article["description"].encode()) <= 512
