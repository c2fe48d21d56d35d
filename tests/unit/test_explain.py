"""Why a group was told something, will be or will not, is what happened, what will happen and what decides it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gengfu_scheduler.channels import Channels
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.explain import Explanation, NotKnown, explain
from gengfu_scheduler.message import Group, Message
from watch import GROUPS, TIMETABLE, Watch, alert, instant, tip, watch_in


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        watch.now = instant("07:00")
        yield watch


def why(watch: Watch, group: str, entry: str) -> Explanation:
    return explain(group, entry, watch.start().roster, watch.outbox, watch.now)


def told(found: Explanation) -> list[str]:
    return [f"{t.scheduled_for:%a %H:%M} {t.title}: {t.fate}" for t in found.told]


def comes(found: Explanation) -> str:
    """When and in which slot it comes next."""
    return f"{found.next.not_before:%a %H:%M} {found.next.slot}" if found.next else "never"


class TestBefore:
    def test_what_will_be_told_says_when_and_in_which_slot(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        found = why(watch, "q1", "a")
        assert (found.name, found.title, found.told, found.bars) == ("青松一群", "题a", (), ())
        assert [(slot.slot, slot.bars, slot.outlook) for slot in found.slots] == [
            ("morning", (), "现在发的话，就有它。"),
            ("evening", (), "现在发的话，就有它。"),
        ]
        assert comes(found) == "Mon 08:00 morning"

    def test_quiet_hours_are_waited_for(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        assert comes(why(watch, "q2", "a")) == "Mon 09:00 morning"

    def test_what_waits_behind_others_says_so(self, watch: Watch) -> None:
        watch.publish(*(tip(id, f"0{4 - n}:00") for n, id in enumerate("abcd")))
        found = why(watch, "q1", "d")
        assert "排在别的文章后面" in found.slots[0].outlook
        assert comes(found) == "Mon 20:00 evening"

    def test_what_fits_no_message_says_so(self, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
        def fits(_channels: Channels, message: Message, _group: Group) -> bool:
            return all(item.entry != "a" for item in message.items)

        monkeypatch.setattr(Channels, "fits", fits)
        watch.publish(tip("a"))
        found = why(watch, "q1", "a")
        assert "放不下" in found.slots[0].outlook
        assert comes(found) == "never"

    def test_what_is_not_yet_published_comes_after_it_is(self, watch: Watch) -> None:
        watch.publish(tip("a", "Tue 12:00"))
        found = why(watch, "q1", "a")
        assert found.bars == ("还没到发布时间：2026-11-17 12:00 发布。",)
        assert comes(found) == "Tue 20:00 evening"


class TestAfter:
    def test_it_says_when_it_was_told_by_which_broadcast_and_how_that_ended(self, watch: Watch) -> None:
        watch.platforms.answers["Q2"] = Answer(status=502, headers={}, body=b"bad gateway")
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "09:00")
        assert told(why(watch, "q1", "a")) == ["Mon 08:00 每日提示: 已确认"]
        (unknown,) = told(why(watch, "q2", "a"))
        assert unknown.startswith("Mon 08:00 每日提示: 不明：")
        assert "502" in unknown
        (handed,) = told(why(watch, "h1", "a"))
        assert handed.startswith("Mon 08:00 每日提示: 已交人手工转发")
        assert comes(why(watch, "q1", "a")) == "never"

    def test_an_evergreen_says_from_when_on_it_may_return(self, watch: Watch) -> None:
        watch.write(
            "timetable.yml", TIMETABLE.replace("{repeat: 0}", "{repeat: 1, repeat_after: 10d, fresh: 1d}")
        )
        watch.publish(tip("a", evergreen=True))
        watch.at("07:00", "08:00")
        found = why(watch, "q1", "a")
        assert found.slots[0].bars == (
            "2026-11-16 08:00 已经发过，不再算新。",
            "2026-11-16 08:00 发过，没到 repeat_after：2026-11-26 08:00 以后才能再发。",
        )
        assert found.next is not None
        assert found.next.scheduled_for == instant("08:00") + timedelta(days=10)

    def test_of_what_was_withdrawn_there_is_still_what_was_told(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        watch.publish()
        found = why(watch, "q1", "a")
        assert told(found) == ["Mon 08:00 每日提示: 已确认"]
        assert "不在已发布的内容里" in found.bars[0]
        assert (found.title, found.slots, comes(found)) == ("", (), "never")


class TestNever:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"areas": ("河东",)}, "它只给河东，这个群属于青松路。"),
            ({"expires": instant("06:00")}, "2026-11-16 06:00 就过期了。"),
        ],
    )
    def test_what_is_not_for_the_group_says_why(
        self, watch: Watch, fields: dict[str, object], words: str
    ) -> None:
        watch.publish(tip("a", **fields))
        found = why(watch, "q1", "a")
        assert found.bars == (words,)
        assert comes(found) == "never"

    @pytest.mark.parametrize(
        ("pick", "fields", "words"),
        [
            ("kinds: [notice]", {}, "这个时段只发 notice，它是 tip。"),
            ("new: 0", {}, "这个时段不发新文章（new: 0）。"),
            ("fresh: 1h", {}, "2026-11-16 00:00 发布，已超过 fresh，不算新。"),
            ("fresh: 1h, repeat: 1", {}, "它不是常用文章（没有写 evergreen: true），不会再拿来补足。"),
            ("fresh: 1h, repeat: 0", {"evergreen": True}, "这个时段不用常用文章补足（repeat: 0）。"),
            ("fresh: 1h", {"evergreen": True, "season": ("夏季",)}, "它只在夏季补发，现在是秋季。"),
        ],
    )
    def test_what_a_slot_does_not_tell_says_by_which_rule(
        self, watch: Watch, pick: str, fields: dict[str, object], words: str
    ) -> None:
        watch.write("timetable.yml", f'slots: {{s: {{title: t, at: "08:05", pick: {{{pick}}}}}}}')
        watch.publish(tip("a", **fields))
        (slot,) = why(watch, "q1", "a").slots
        assert words in slot.bars
        assert slot.outlook == ""

    def test_a_slot_of_a_campaign_says_when_that_is(self, watch: Watch) -> None:
        watch.write(
            "timetable.yml",
            "campaigns: {反诈宣传月: {days: 2026-11-18..2026-11-30}}\n"
            'slots: {s: {title: t, at: "08:05", spread: 0m, campaign: 反诈宣传月}}',
        )
        watch.publish(tip("a"))
        found = why(watch, "q1", "a")
        assert found.slots[0].bars == ("这个时段只在宣传活动“反诈宣传月”期间（2026-11-18..2026-11-30）发。",)
        assert found.slots[0].outlook == ""
        assert comes(found) == "Wed 08:05 s"

    def test_a_disabled_group_and_one_that_no_slot_speaks_to_say_so(self, watch: Watch) -> None:
        watch.write("timetable.yml", 'slots: {s: {title: t, at: "08:05", to: {areas: [河东]}}}')
        watch.publish(tip("a"))
        watch.outbox.disable("q1", "93000", now=watch.now)
        disabled, unspoken = why(watch, "q1", "a").bars
        assert "93000" in disabled
        assert unspoken == "时间表上没有一个时段是发给这个群的。"

    def test_a_group_without_an_address_says_so(self, watch: Watch) -> None:
        watch.write("groups.csv", GROUPS.replace("env:Q1", "env:NOT_SET"))
        watch.publish(tip("a"))
        (unreachable,) = why(watch, "q1", "a").bars
        assert "没有机器人地址" in unreachable

    def test_an_alert_is_told_by_a_person(self, watch: Watch) -> None:
        watch.publish(alert("F"))
        found = why(watch, "q1", "F")
        assert "gengfu alert" in found.bars[0]
        assert (found.slots, comes(found)) == ((), "never")


class TestNames:
    @pytest.mark.parametrize(
        ("group", "entry", "hint"), [("q11", "abc", "是不是想写“q1”"), ("q1", "abcc", "是不是想写“abc”")]
    )
    def test_an_unknown_name_is_answered_with_the_nearest(
        self, watch: Watch, group: str, entry: str, hint: str
    ) -> None:
        watch.publish(tip("abc"))
        with pytest.raises(NotKnown, match=hint):
            why(watch, group, entry)
