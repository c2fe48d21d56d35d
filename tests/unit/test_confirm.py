"""Owners asked to confirm: from the task's making to its end, by a clock that is set by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.channels import channels_of
from gengfu_scheduler.channels.transport import Answer, Reply, Request
from gengfu_scheduler.channels.wecom_customer import App
from gengfu_scheduler.confirm import WAYS, Session, follow_up, hand_out
from gengfu_scheduler.deliver import Circuits
from gengfu_scheduler.message import Delivery, Form, Group, QuietHours, Rejected, Unknown, Unsent
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Timetable
from gengfu_site.catalogue import Catalogue
from outboxes import DAY, HOUR, MINUTE, NOON, plan
from watch import STATION, tip

SHANGHAI = ZoneInfo("Asia/Shanghai")  # noon is 20:00 there
SECOND = timedelta(seconds=1)
ITEM = replace(tip("7F3K2"), published=NOON - 365 * DAY)
TIMEOUT = Unknown(reason="timeout")
NO_WAY = Unsent(reason="qyapi.weixin.qq.com: refused")


def group(id: str, account: str = "wang", **fields: Any) -> Group:
    """``A`` is chat ``wrA``; its owner is asked by this account."""
    defaults: dict[str, Any] = {"reach": "confirm", "platform": "wecom", "chat": f"wr{id}", "owner": "王姐"}
    return Group(id=id, name=f"{id}群", account=account, joined=NOON - 90 * DAY, **{**defaults, **fields})


@dataclass
class FakeWeCom:
    """Makes tasks m1, m2, … and says of each what its owners did. ``answers`` by a call's name say otherwise."""

    confirmed: dict[str, int] = field(default_factory=dict)
    """Chats, and the status that the platform has for them."""
    answers: dict[str, Reply | Callable[[], Reply]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tokens: int = 0
    tasks: dict[str, list[str]] = field(default_factory=dict)

    def post_many(self, requests: Iterable[Request | None]) -> Generator[list[tuple[int, Reply]], None, None]:
        for request in filter(None, requests):
            yield [(request.key, self._reply(request))]

    def _reply(self, request: Request) -> Reply:
        address = urlsplit(request.url)
        name = address.path.rpartition("/")[2]
        body = json.loads(request.body or b"{}")
        self.calls.append((name, body))
        if name in self.answers:
            said = self.answers[name]
            return said() if callable(said) else said
        if name == "gettoken":
            self.tokens += 1
            return answer(access_token=f"token-{self.tokens}")
        if parse_qs(address.query) != {"access_token": [f"token-{self.tokens}"]}:
            return answer(errcode=42001, errmsg="access_token expired")
        return self._said(name, body)

    def _said(self, name: str, body: dict[str, Any]) -> Reply:
        if name == "add_msg_template":
            task = f"m{len(self.tasks) + 1}"
            self.tasks[task] = body["chat_id_list"]
            return answer(msgid=task, fail_list=[])
        if name == "get_groupmsg_send_result":
            chats = [c for c in self.tasks.get(body["msgid"], ()) if c in self.confirmed]
            return answer(send_list=[{"chat_id": c, "status": self.confirmed[c]} for c in chats])
        return answer()

    def number(self, name: str) -> int:
        return Counter(called for called, _body in self.calls)[name]


def answer(**members: Any) -> Answer:
    body = {"errcode": 0, "errmsg": "ok", **members}
    return Answer(status=200, headers={}, body=json.dumps(body).encode())


@dataclass
class Station:
    """A station's owners, their platform and the clock."""

    outbox: Outbox
    groups: list[Group]
    now: datetime = NOON
    platform: FakeWeCom = field(default_factory=FakeWeCom)
    timetable: Timetable = field(default_factory=lambda: Timetable(timezone=SHANGHAI))
    app: App | None = field(default_factory=lambda: App(corp="ww-corp-id", secret="the-app-secret"))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What was in memory is gone."""
        self.session, self.circuits = Session(), Circuits()

    def plan(
        self,
        groups: str,
        form: Form = "digest",
        *,
        key: str = "",
        lasts: timedelta = 12 * HOUR,
        body: str = "",
    ) -> None:
        key = key or f"slot-{len(self.deliveries())}"
        plan(self.outbox, groups, form=form, at=self.now, key=key, lasts=lasts, way="confirm", body=body)

    def go(self, *after: timedelta) -> None:
        """A round now, or at each of these times from noon on."""
        for at in after or (self.now - NOON,):
            self.now = NOON + at
            self.outbox.recover(now=self.now)
            self.outbox.expire(now=self.now)
            roster = Roster(
                catalogue=Catalogue(station=STATION, entries=(ITEM,)),
                groups={g.id: g for g in self.groups},
                timetable=self.timetable,
                channels=channels_of(None),
                app=self.app,
            )
            kept = {"now": lambda: self.now, "circuits": self.circuits}
            hand_out(self.outbox, roster, self.platform, self.session, **kept)
            follow_up(self.outbox, roster, self.platform, self.session, **kept)

    def deliveries(self) -> list[Delivery]:
        keys = [status.broadcast.key for status in reversed(self.outbox.broadcasts(limit=100))]
        return [d for key in keys for d in self.outbox.deliveries(key)]

    def stands(self) -> str:
        """``A: handed`` and so on, of all deliveries."""
        return ", ".join(f"{d.group}: {d.state}" for d in self.deliveries())

    def looked(self) -> int:
        return self.platform.number("get_groupmsg_send_result")

    def reminded(self) -> int:
        return self.platform.number("remind_groupmsg_send")

    def cancelled(self) -> int:
        return self.platform.number("cancel_groupmsg_send")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(f"sqlite:///{tmp_path}/outbox.db", random=lambda: 0.5) as opened:
        yield opened


@pytest.fixture
def station(outbox: Outbox) -> Station:
    return Station(outbox, [group("A"), group("B"), group("C", "li", owner="李警官")])


class TestAsking:
    def test_an_owner_is_asked_once_for_all_groups_that_are_told_the_same(self, station: Station) -> None:
        station.plan("A B C")
        station.go()
        assert station.platform.tasks == {"m1": ["wrA", "wrB"], "m2": ["wrC"]}
        assert [body["sender"] for name, body in station.platform.calls if name == "add_msg_template"] == [
            "wang",
            "li",
        ]
        assert station.stands() == "A: handed, B: handed, C: handed"
        assert [d.reason for d in station.deliveries()] == ["王姐", "王姐", "李警官"]
        assert [(t.task, t.account) for t in station.outbox.open_tasks(now=NOON)] == [
            ("m1", "wang"),
            ("m2", "li"),
        ]

    def test_no_more_than_the_limit_is_being_asked_for_at_a_time(self, station: Station) -> None:
        station.groups = [group(f"G{n}", f"owner{n % 10}") for n in range(250)]
        flying: list[int] = []
        made = answer(msgid="m", fail_list=[])

        def note() -> Reply:
            flying.append(sum(d.state == "sending" for d in station.deliveries()))
            return Answer(status=200, headers={}, body=made.body.replace(b'"m"', b'"m%d"' % len(flying)))

        station.platform.answers["add_msg_template"] = note
        station.plan(" ".join(g.id for g in station.groups))
        station.go()
        assert max(flying) == 200
        assert {d.state for d in station.deliveries()} == {"handed"}

    def test_a_chat_that_the_task_was_made_without_is_refused_and_the_others_are_asked(
        self, station: Station
    ) -> None:
        station.platform.answers["add_msg_template"] = answer(msgid="m1", fail_list=["wrB"])
        station.plan("A B")
        station.go()
        assert station.stands() == "A: handed, B: rejected"
        assert "wrB 不是 wang 的客户群" in station.deliveries()[1].reason

    def test_a_task_whose_making_was_not_answered_is_unknown_and_a_digests_is_never_made_again(
        self, station: Station
    ) -> None:
        station.platform.answers["add_msg_template"] = TIMEOUT
        station.plan("A")
        station.go(0 * MINUTE, 5 * MINUTE, 2 * HOUR)
        assert station.stands() == "A: unknown"
        assert station.platform.number("add_msg_template") == 1

    def test_an_alerts_is_made_once_more_and_marked(self, station: Station) -> None:
        station.platform.answers["add_msg_template"] = TIMEOUT
        station.plan("A", "alert", key="alert:F:1", body="72岁")
        station.go()
        assert station.stands() == "A: pending"
        del station.platform.answers["add_msg_template"]
        station.go(1 * MINUTE)
        first, again = (b for name, b in station.platform.calls if name == "add_msg_template")
        assert "重发" not in first["text"]["content"]
        assert "重发" in again["text"]["content"]
        assert station.stands() == "A: handed"

    def test_a_crash_between_a_tasks_making_and_its_noting_is_unknown(self, station: Station) -> None:
        station.plan("A B")
        station.outbox.claim(now=NOON, ways=WAYS)  # the process died with these on their way
        station.restart()
        station.go(1 * MINUTE)
        assert station.stands() == "A: unknown, B: unknown"
        assert station.platform.calls == []

    def test_what_was_not_reached_is_tried_again(self, station: Station) -> None:
        station.platform.answers["add_msg_template"] = NO_WAY
        station.plan("A")
        station.go()
        assert station.stands() == "A: pending"
        del station.platform.answers["add_msg_template"]
        station.go(1 * MINUTE)
        assert station.stands() == "A: handed"

    def test_digests_wait_for_the_end_of_quiet_hours_and_alerts_do_not(self, station: Station) -> None:
        quiet = QuietHours(start=time(19), end=time(22))
        station.timetable = Timetable(timezone=SHANGHAI, quiet_hours=quiet)
        station.plan("A")
        station.plan("B", "alert", key="alert:F:1")
        station.go()
        assert station.stands() == "A: pending, B: handed"
        station.go(2 * HOUR)
        assert station.stands() == "A: handed, B: handed"

    def test_a_group_that_another_way_leads_to_by_now_is_refused_in_words(self, station: Station) -> None:
        station.groups[0] = replace(station.groups[0], reach="hand")
        station.plan("A")
        station.go()
        assert station.deliveries()[0].reason == "群已不由群主确认，没有发"


class TestToken:
    def test_one_token_serves_until_it_is_refused(self, station: Station) -> None:
        station.plan("A C")
        station.go(0 * MINUTE, 30 * MINUTE)
        assert station.platform.number("gettoken") == 1
        station.platform.tokens += 1  # another program had a new one made
        station.go(60 * MINUTE)
        assert station.platform.number("gettoken") == 2
        station.plan("B")
        station.go()
        assert station.platform.number("gettoken") == 2
        assert station.stands() == "A: handed, C: handed, B: handed"

    @pytest.mark.parametrize(
        ("said", "state"),
        [
            (TIMEOUT, "pending"),
            (NO_WAY, "pending"),
            (Answer(status=502, headers={}, body=b""), "pending"),
            (Answer(status=200, headers={}, body=b"<html>"), "pending"),
            (answer(errcode=-1, errmsg="busy"), "pending"),
            (answer(errcode=40001, errmsg="invalid credential"), "rejected"),
        ],
    )
    def test_where_no_token_is_had_nobody_was_asked(self, station: Station, said: Reply, state: str) -> None:
        station.platform.answers["gettoken"] = said
        station.plan("A B")
        station.go()
        assert station.stands() == f"A: {state}, B: {state}"
        assert [name for name, _body in station.platform.calls] == ["gettoken"]

    def test_without_credentials_it_is_refused_and_said_what_to_do(self, station: Station) -> None:
        station.app = None
        station.plan("A")
        station.go()
        assert station.stands() == "A: rejected"
        assert "GENGFU_WECOM_CORP_ID" in station.deliveries()[0].reason
        assert station.platform.calls == []

    def test_another_api_must_be_at_a_host_that_the_admin_lists(self, station: Station) -> None:
        station.app = App(corp="c", secret="s", api="https://hooks.slack.com")
        station.plan("A")
        station.go()
        assert "hooks.slack.com 不在 timetable.yml 的 hosts 里" in station.deliveries()[0].reason
        assert station.platform.calls == []
        station.timetable = Timetable(timezone=SHANGHAI, hosts=("hooks.slack.com",))
        station.plan("B")
        station.go()
        assert station.stands() == "A: rejected, B: handed"

    def test_no_credential_that_the_platform_echoes_is_kept(self, station: Station) -> None:
        said = "bad secret the-app-secret of ww-corp-id, token token-1"
        station.platform.answers["add_msg_template"] = answer(errcode=48002, errmsg=said)
        station.plan("A")
        station.go()
        (delivery,) = station.deliveries()
        assert delivery.reason == "48002 bad secret … of …, token …"
        assert "token-1" not in repr(station.session)

    def test_a_platform_that_does_not_answer_is_asked_once_a_minute(self, station: Station) -> None:
        station.groups = [group(f"G{n}", f"owner{n}") for n in range(60)]
        station.platform.answers["add_msg_template"] = TIMEOUT
        station.plan(" ".join(g.id for g in station.groups[:20]))
        station.go()
        assert Counter(d.state for d in station.deliveries()) == {"unknown": 20}
        station.now += SECOND
        station.plan(" ".join(g.id for g in station.groups[20:]))
        station.go(*(n * 25 * SECOND for n in range(1, 13)))
        assert Counter(d.state for d in station.deliveries())["unknown"] <= 20 + 5


class TestLooking:
    @pytest.mark.parametrize(
        ("form", "looks"),
        [
            ("alert", [1, 3, 10, 20, 30, 40]),
            ("digest", [30, 60, 90]),
        ],
    )
    def test_the_platform_is_asked_at_its_times_and_no_oftener(
        self, station: Station, form: Form, looks: list[int]
    ) -> None:
        station.plan("A", form, key=f"{form}:F:1")
        station.go()
        asked = []
        for minute in range(looks[-1] + 5):
            if station.session.has_work(station.outbox, NOON + minute * MINUTE):
                station.go(minute * MINUTE)
                asked += [minute] * station.looked()
                station.platform.calls.clear()
        assert asked == looks

    def test_what_the_platform_confirms_is_sent_and_what_it_refuses_rejected_in_words(
        self, station: Station
    ) -> None:
        station.plan("A B", "alert", key="alert:F:1")
        station.go(0 * MINUTE, 1 * MINUTE)
        assert station.stands() == "A: handed, B: handed"
        station.platform.confirmed = {"wrA": 1, "wrB": 3}
        station.go(3 * MINUTE)
        assert station.stands() == "A: sent, B: rejected"
        assert "群发已到上限" in station.deliveries()[1].reason
        assert station.outbox.broadcasts()[0].confirmed == 1
        station.go(10 * MINUTE)
        assert (station.looked(), station.reminded(), station.cancelled()) == (2, 0, 0)
        assert station.outbox.open_tasks(now=station.now) == []
        assert not station.session.has_work(station.outbox, station.now + DAY)

    def test_results_on_several_pages_are_all_read(self, station: Station) -> None:
        pages = [
            answer(send_list=[{"chat_id": "wrA", "status": 1}], next_cursor="2"),
            answer(send_list=[{"chat_id": "wrB", "status": 1}], next_cursor=""),
        ]
        station.platform.answers["get_groupmsg_send_result"] = lambda: pages.pop(0)
        station.plan("A B")
        station.go(0 * MINUTE, 30 * MINUTE)
        assert station.stands() == "A: sent, B: sent"
        assert [b.get("cursor") for n, b in station.platform.calls if n == "get_groupmsg_send_result"] == [
            None,
            "2",
        ]

    def test_a_platform_whose_pages_do_not_end_is_left_in_the_end(self, station: Station) -> None:
        station.platform.answers["get_groupmsg_send_result"] = answer(send_list=[], next_cursor="again")
        station.plan("A")
        station.go(0 * MINUTE, 30 * MINUTE)
        assert station.looked() == 10

    @pytest.mark.parametrize("said", [TIMEOUT, NO_WAY, answer(errcode=41047), answer(errcode=-1)])
    def test_an_answer_that_says_nothing_changes_nothing_and_reminds_nobody(
        self, station: Station, said: Reply
    ) -> None:
        station.platform.answers["get_groupmsg_send_result"] = said
        station.plan("A", "alert", key="alert:F:1")
        station.go(*(n * MINUTE for n in (0, 1, 3, 10, 20, 30)))
        assert station.stands() == "A: handed"
        assert station.reminded() == 0

    def test_a_clock_that_was_set_back_silences_no_look(self, station: Station) -> None:
        station.plan("A")
        station.go(0 * MINUTE, 90 * MINUTE)
        station.go(20 * MINUTE)
        assert station.looked() == 2
        station.go(50 * MINUTE)
        assert station.looked() == 3


class TestReminding:
    @pytest.mark.parametrize(("form", "times"), [("alert", [10, 30]), ("digest", [120, 360])])
    def test_an_owner_is_reminded_twice_and_no_more(
        self, station: Station, form: Form, times: list[int]
    ) -> None:
        station.plan("A", form, key=f"{form}:F:1")
        reminded = []
        for minute in (0, 1, 3, 9, 10, 20, 29, 30, 60, 90, 119, 120, 150, 330, 359, 360, 390, 600):
            before = station.reminded()
            station.go(minute * MINUTE)
            reminded += [minute] * (station.reminded() - before)
        assert reminded == times

    def test_a_restart_reminds_nobody_a_third_time(self, station: Station) -> None:
        station.plan("A", "alert", key="alert:F:1")
        for minute in (0, 5, 10, 20, 30, 40, 60):
            station.restart()
            station.go(minute * MINUTE)
        assert station.reminded() == 2

    def test_a_reminder_is_counted_before_it_is_sent(self, station: Station) -> None:
        def die() -> Reply:
            raise KeyboardInterrupt

        station.platform.answers["remind_groupmsg_send"] = die
        station.plan("A", "alert", key="alert:F:1")
        station.go(0 * MINUTE, 1 * MINUTE, 3 * MINUTE)
        with pytest.raises(KeyboardInterrupt):
            station.go(10 * MINUTE)
        assert [task.reminders for task in station.outbox.open_tasks(now=station.now)] == [1]

    def test_nobody_is_reminded_of_a_digest_in_quiet_hours(self, station: Station) -> None:
        quiet = QuietHours(start=time(21), end=time(23))  # an hour to three hours after noon
        station.timetable = Timetable(timezone=SHANGHAI, quiet_hours=quiet)
        station.plan("A")
        station.plan("B", "alert", key="alert:F:1")
        station.go(0 * MINUTE, 150 * MINUTE)
        assert [b["msgid"] for n, b in station.platform.calls if n == "remind_groupmsg_send"] == ["m1"]
        station.go(180 * MINUTE)
        assert sorted(b["msgid"] for n, b in station.platform.calls if n == "remind_groupmsg_send") == [
            "m1",
            "m1",
            "m2",
        ]

    def test_who_has_confirmed_is_not_reminded(self, station: Station) -> None:
        station.platform.confirmed = {"wrA": 1}
        station.plan("A C", "alert", key="alert:F:1")
        station.go(0 * MINUTE, 10 * MINUTE)
        assert [b["msgid"] for n, b in station.platform.calls if n == "remind_groupmsg_send"] == ["m2"]


class TestEnding:
    def test_the_task_of_an_alert_that_ended_is_cancelled_at_once(self, station: Station) -> None:
        station.plan("A", "alert", key="alert:F:1")
        station.go()
        station.now += SECOND
        station.plan("A", "alert", key="alert:F:2")
        assert station.session.has_work(station.outbox, station.now)
        station.go()
        assert [b["msgid"] for n, b in station.platform.calls if n == "cancel_groupmsg_send"] == ["m1"]
        assert station.stands() == "A: cancelled, A: handed"
        assert [task.task for task in station.outbox.open_tasks(now=station.now)] == ["m2"]

    def test_so_is_that_of_a_broadcast_that_a_person_stopped(self, station: Station) -> None:
        station.plan("A", key="morning")
        station.go()
        station.outbox.stop("morning", now=station.now, reason="发错了")
        assert station.session.has_work(station.outbox, station.now)
        station.go()
        assert (station.stands(), station.cancelled()) == ("A: cancelled", 1)
        station.go(30 * MINUTE)
        assert station.cancelled() == 1

    def test_also_after_a_restart(self, station: Station) -> None:
        station.plan("A", "alert", key="alert:F:1")
        station.go()
        station.outbox.withdraw(["alert:F:1"], now=NOON + MINUTE)
        station.restart()
        assert station.session.has_work(station.outbox, NOON + MINUTE)
        station.go(1 * MINUTE)
        assert (station.stands(), station.cancelled()) == ("A: cancelled", 1)

    @pytest.mark.parametrize("said", [TIMEOUT, NO_WAY, answer(errcode=-1), answer(errcode=45009)])
    def test_a_task_that_could_not_be_cancelled_is_cancelled_a_minute_later(
        self, station: Station, said: Reply
    ) -> None:
        station.platform.answers["cancel_groupmsg_send"] = said
        station.plan("A", key="morning")
        station.go()
        station.outbox.stop("morning", now=station.now, reason="发错了")
        station.go(*(n * 10 * SECOND for n in range(1, 7)))
        assert station.cancelled() == 1
        del station.platform.answers["cancel_groupmsg_send"]
        station.go(70 * SECOND)
        assert station.cancelled() == 2
        assert station.outbox.open_tasks(now=station.now) == []

    def test_a_cancelling_that_the_platform_refuses_is_not_repeated(self, station: Station) -> None:
        station.platform.answers["cancel_groupmsg_send"] = answer(errcode=41047, errmsg="invalid msgid")
        station.plan("A", key="morning")
        station.go()
        station.outbox.stop("morning", now=station.now, reason="发错了")
        station.go(1 * MINUTE, 5 * MINUTE)
        assert station.cancelled() == 1

    def test_what_no_owner_confirmed_in_time_has_expired_and_cannot_be_confirmed_any_more(
        self, station: Station
    ) -> None:
        station.plan("A B", lasts=45 * MINUTE)
        station.go(0 * MINUTE, 30 * MINUTE)
        station.platform.confirmed = {"wrA": 1}  # in the last minute
        station.go(45 * MINUTE)
        assert (station.stands(), station.cancelled()) == ("A: sent, B: expired", 1)

    def test_what_all_confirmed_at_the_last_look_needs_no_cancelling(self, station: Station) -> None:
        station.plan("A", lasts=45 * MINUTE)
        station.go(0 * MINUTE)
        station.platform.confirmed = {"wrA": 1}
        station.go(45 * MINUTE)
        assert (station.stands(), station.cancelled()) == ("A: sent", 0)


class TestQuota:
    def use(self, station: Station, *numbers: int) -> None:
        """So many digests at each of these many hours on the third of November."""
        for hour, number in enumerate(numbers):
            station.now = datetime(2026, 11, 3, hour, 0, tzinfo=SHANGHAI)
            for n in range(number):
                station.plan("A", key=f"{hour}-{n}", lasts=60 * DAY)
            station.go()

    def test_the_last_five_of_a_month_are_kept_for_alerts(self, station: Station) -> None:
        self.use(station, 20, 6)
        assert Counter(d.state for d in station.deliveries()) == {"handed": 25, "rejected": 1}
        assert station.deliveries()[-1].reason == "本月额度还剩 5 次，留给警情"
        for n in range(6):
            station.plan("A", "alert", key=f"alert:F{n}:1")
        station.go()
        alerts = [d for d in station.deliveries() if d.broadcast.startswith("alert")]
        assert [d.state for d in alerts] == ["handed"] * 5 + ["rejected"]
        assert "本月的 30 次额度已用完" in alerts[-1].reason

    def test_the_first_of_the_next_month_begins_anew_by_the_stations_clock(self, station: Station) -> None:
        self.use(station, 25)
        for at, state in [
            (datetime(2026, 11, 30, 23, 59, tzinfo=SHANGHAI), "rejected"),
            (datetime(2026, 12, 1, 0, 0, tzinfo=SHANGHAI), "handed"),
        ]:
            station.now = at
            station.plan("A", key=f"at{at:%d}")
            station.go()
            assert station.deliveries()[-1].state == state

    @settings(max_examples=12, deadline=None)
    @given(
        steps=st.lists(
            st.tuples(
                st.sampled_from(["digest", "digest", "digest", "alert"]),
                st.integers(1, 30),
                st.integers(1, 4),
            ),
            min_size=3,
            max_size=5,
        )
    )
    def test_no_group_is_asked_for_more_than_its_month_holds(
        self, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Form, int, int]]
    ) -> None:
        folder = tmp_path_factory.mktemp("quota")
        with Outbox(f"sqlite:///{folder}/outbox.db", random=lambda: 0.5) as outbox:
            station = Station(outbox, [group("A")], now=datetime(2026, 2, 20, tzinfo=UTC))
            asked: Counter[int] = Counter()
            for step, (form, hours, times) in enumerate(steps):
                station.now += hours * HOUR
                month = station.now.astimezone(SHANGHAI).month
                for n in range(times):
                    station.plan("A", form, key=f"{form}:{step}-{n}:1", lasts=60 * DAY)
                before = len(station.platform.tasks)
                station.go()
                made = len(station.platform.tasks) - before
                limit = 28 if month == 2 else 31
                if form == "digest":
                    assert made == max(0, min(times, limit - 5 - asked[month]))
                else:
                    assert made == min(times, limit - asked[month])
                asked[month] += made


def test_rejected_is_what_a_person_sees_of_what_was_held_back() -> None:
    from gengfu_scheduler.message import state_after
    from gengfu_scheduler.report import NEEDS_A_LOOK

    assert state_after(Rejected(reason="本月额度还剩 5 次，留给警情")) in NEEDS_A_LOOK
