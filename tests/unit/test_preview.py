"""What is previewed is what would be sent, with its limits, on every platform and without sending anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from gengfu_scheduler import cli
from gengfu_scheduler.draft import Refused
from gengfu_scheduler.preview import Preview, looks, preview, rehearse, wall
from gengfu_scheduler.roster import sound
from gengfu_site.catalogue import Catalogue, Entry, Fact
from watch import STATION, TIMETABLE, Watch, alert, instant, tip, watch_in

GROUPS = """\
id,name,reach,platform,webhook,keyword,area,owner
q1,青松一群,webhook,wecom,env:Q1,,青松路,
q2,河东二群,webhook,wecom,env:Q2,,河东,
d1,青松钉钉群,webhook,dingtalk,env:Q3,警方提醒,青松路,
h1,河东群,hand,,,,河东,赵警官
"""
LONG = alert("A", areas=("青松路",))
LONG = replace(LONG, alert=replace(LONG.alert, facts=(Fact(label="经过", value="火从三楼起。" * 400),)))


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        watch.write("groups.csv", GROUPS)
        yield watch


def look(watch: Watch, target: str, *, everywhere: bool = False) -> Preview:
    return preview(target, watch.start().roster, watch.outbox.told, watch.now, everywhere=everywhere)


def rows(preview: Preview) -> list[str]:
    return [
        f"{sample.platform} {sample.groups} {sample.group.name}: "
        + " | ".join(
            f"{len(part.message.items)} {w.what} {w.used <= w.limit}"
            for part in sample.parts
            for w in part.weights
        )
        for sample in preview.samples
    ]


def test_a_slots_next_digest_is_shown_once_a_platform_with_its_limits(watch: Watch) -> None:
    watch.publish(tip("a"), tip("b", areas=("河东",)))
    shown = look(watch, "morning")
    assert (shown.title, shown.at) == ("每日提示", instant("08:00"))
    assert rows(shown) == ["wecom 2 河东二群: 2 图文条数 True", "dingtalk 1 青松钉钉群: 1 整条消息 True"]


def test_every_platform_can_be_looked_at_with_a_group_lent(watch: Watch) -> None:
    watch.publish(tip("a"))
    shown = {sample.platform: sample.groups for sample in look(watch, "morning", everywhere=True).samples}
    assert (shown["wecom"], shown["dingtalk"], shown["feishu"], shown["generic"]) == (2, 1, 0, 0)


def test_a_long_alert_is_shown_whole_and_in_the_parts_that_are_sent(watch: Watch) -> None:
    watch.publish(LONG)
    wecom, dingtalk = look(watch, "A").samples
    assert [weight.used > weight.limit for weight in wecom.whole.weights] == [True]
    assert [part.message.part for part in wecom.parts] == [1, 2]
    assert all(weight.used <= weight.limit for part in wecom.parts for weight in part.weights)
    assert len(dingtalk.parts) == 1


def test_an_exercise_is_shown_for_the_stations_own_groups(watch: Watch) -> None:
    watch.write("timetable.yml", TIMETABLE + "staff: {areas: [河东]}\n")
    watch.publish(alert("X", status="exercise"))
    [wecom] = [sample for sample in look(watch, "X").samples if sample.platform == "wecom"]
    assert (wecom.group.name, wecom.groups) == ("河东二群", 1)


def test_an_article_is_shown_under_its_slots_heading(watch: Watch) -> None:
    watch.publish(tip("a"), tip("b"))
    wecom, _dingtalk = look(watch, "b").samples
    assert [part.message.title for part in wecom.parts] == ["每日提示"]
    assert [item.title for part in wecom.parts for item in part.message.items] == ["题b"]


def test_an_id_may_be_typed_in_small_letters(watch: Watch) -> None:
    watch.publish(tip("7K2Q"))
    assert look(watch, "7k2q").title == "题7K2Q"


def test_what_a_message_has_no_room_for_is_named(watch: Watch) -> None:
    watch.publish(tip("a"), tip("b", summary="长" * 7000))
    _wecom, dingtalk = look(watch, "morning").samples
    assert dingtalk.left == ("题b",)
    assert [item.title for part in dingtalk.parts for item in part.message.items] == ["题a"]


@pytest.mark.parametrize("target", ["mornin", "evening", "Z"])
def test_what_cannot_be_shown_says_why(watch: Watch, target: str) -> None:
    watch.publish(alert("A"))
    with pytest.raises(Refused):
        look(watch, target)


def test_the_sandbox_takes_what_is_previewed_and_draws_it_on_a_page_that_stands_alone(watch: Watch) -> None:
    watch.publish(LONG)
    shown = look(watch, "A", everywhere=True)
    rehearsed = rehearse(shown, watch.start().roster.channels)
    assert all(one.seen and not one.warnings for _robot, received in rehearsed for one in received)
    assert [len(received) for _robot, received in rehearsed] == [len(s.parts) for s in shown.samples]
    page = wall(rehearsed, shown.at)
    assert "题A（1/2）" in page
    assert "警方提醒" in page
    assert "<script" not in page
    assert "marker" not in page  # of the webhooks' addresses


def test_the_command_prints_limits_in_eighty_columns_and_draws_the_wall(watch: Watch) -> None:
    watch.publish(LONG)
    arguments = ["-C", str(watch.folder), "preview", "A"]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 0, result.output
    assert "一条放不下，将分成 2 条发。" in result.stdout
    assert "/ 4,096 字节" in result.stdout
    drawn = watch.folder / ".gengfu" / "preview.html"
    assert str(drawn) in result.stdout
    elsewhere = watch.folder / "wall.html"
    assert CliRunner().invoke(cli.main, [*arguments, "--html", str(elsewhere)]).exit_code == 0
    assert "题A（1/2）" in elsewhere.read_text("utf-8")
    assert max(map(cell_len, result.stdout.splitlines()[:-1])) <= 80


def seen(watch: Watch, entry: Entry) -> list[str]:
    """What is shown of ``entry`` beside its page while it is written: a line for each platform."""
    watch.publish(entry)
    drawn = looks(entry, watch.start().roster, watch.now)
    assert "marker" not in drawn  # of the webhooks' addresses
    sections = drawn.split('<section class="chat"')[1:]
    return [" ".join(re.sub(r"<[^>]*>", " ", "<" + section).split()) for section in sections]


class TestLooks:
    """Of an article that is not published yet."""

    def test_the_three_platforms_are_always_shown_and_a_group_is_lent_to_one_that_has_none(
        self, watch: Watch
    ) -> None:
        wecom, dingtalk, feishu, _by_hand = seen(watch, tip("a", areas=("河东",)))
        assert wecom.startswith("企业微信 河东二群")
        assert dingtalk.startswith("钉钉 这个平台的群都收不到这篇，借青松钉钉群来看")
        assert "飞书 还没有这个平台的群，借" in feishu
        assert all("题a" in one for one in (wecom, dingtalk, feishu))

    def test_a_station_without_groups_sees_them_too(self, watch: Watch) -> None:
        watch.write("groups.csv", GROUPS.splitlines()[0] + "\n")
        assert [one.split()[0] for one in seen(watch, tip("a"))] == ["企业微信", "钉钉", "飞书"]

    def test_where_groups_are_told_by_hand_the_text_that_is_passed_on_is_shown(self, watch: Watch) -> None:
        *_posted, by_hand = seen(watch, tip("a"))
        assert by_hand.startswith("微信、QQ 群 河东群，群主照这段文字转发 【每日提示】 1. 题a")

    def test_each_platforms_limits_stand_below_it(self, watch: Watch) -> None:
        wecom, dingtalk, *_others = seen(watch, alert("A"))
        assert re.search(r"正文 \d+ / 4,096 字节", wecom)
        assert re.search(r"整条消息 \d+ / 20,000 字节", dingtalk)

    def test_what_a_platform_cuts_is_said(self, watch: Watch) -> None:
        wecom, _dingtalk, feishu, _by_hand = seen(watch, tip("a", summary="长" * 300))
        assert "被平台截短，只显示：" + "长" * 169 + "…" in wecom
        assert "截短" not in feishu

    def test_what_is_too_long_for_one_message_says_what_comes_of_it(self, watch: Watch) -> None:
        wecom, *_others = seen(watch, LONG)
        assert "一条放不下，将分成 2 条发。" in wecom
        assert "题A（1/2）" in wecom


def test_looks_work_with_whatever_of_the_groups_is_right(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("id,name,reach,platform\nq1,青松一群,webhook,wecom\nq1,坏,x,y\n")
    entry = tip("a")
    drawn = looks(entry, sound(tmp_path, Catalogue(station=STATION, entries=(entry,)), {}), instant("08:00"))
    assert "青松一群" in drawn
