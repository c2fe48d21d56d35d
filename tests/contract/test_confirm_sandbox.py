"""The whole way with owners who confirm, as the sandbox sees it, which read the platform's pages on its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gengfu_scheduler.alerts import draft_alert, draft_follow_up
from gengfu_scheduler.draft import Draft
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.report import standing_notices
from gengfu_scheduler.runner import Runner
from gengfu_scheduler.sandbox import Robot, Sandbox
from gengfu_scheduler.sandbox.platforms.wecom_customer import CORPID, CORPSECRET
from gengfu_site.catalogue import Catalogue, Entry, dumps
from watch import STATION, alert, instant, tip

GROUPS = """\
id,name,reach,platform,chat,account,owner,area
taoyuan,桃园群,confirm,wecom,wrTaoyuan,LiMing,李警官,青松路
songyuan,松园群,confirm,wecom,wrSongyuan,LiMing,李警官,青松路
hedong,河东群,confirm,wecom,wrHedong,WangFang,王姐,河东
"""
ROBOTS = [
    Robot(platform="wecom_customer", key="wrTaoyuan", name="桃园群", account="LiMing"),
    Robot(platform="wecom_customer", key="wrSongyuan", name="松园群", account="LiMing"),
    Robot(platform="wecom_customer", key="wrHedong", name="河东群", account="WangFang"),
]
TIMETABLE = """\
hosts: [127.0.0.1]
slots:
  morning: {title: 每日提示, at: "08:00", late: 12h, spread: 5m, pick: {repeat: 0}}
"""


class Town:
    """A station with a scheduler, and the sandbox's platform; one clock for both."""

    def __init__(self, folder: Path, outbox: Outbox) -> None:
        self.folder = folder
        self.outbox = outbox
        self.now = instant("07:50")
        (folder / "public").mkdir()
        (folder / "groups.csv").write_text(GROUPS, encoding="utf-8")
        (folder / "timetable.yml").write_text(TIMETABLE, encoding="utf-8")
        self.publish()
        self.sandbox = Sandbox(ROBOTS, clock=lambda: self.now.timestamp())
        self.restart()

    def restart(self) -> None:
        """A scheduler as a new process would make it."""
        environ = {
            "GENGFU_WECOM_CORP_ID": CORPID,
            "GENGFU_WECOM_SECRET": CORPSECRET,
            "GENGFU_WECOM_API": self.sandbox.url,
        }
        self.runner = Runner(
            self.folder, environ, self.outbox, clock=lambda: self.now, say=lambda _said: None
        )

    def publish(self, *entries: Entry) -> None:
        catalogue = dumps(Catalogue(station=STATION, entries=entries))
        (self.folder / "public/catalogue.json").write_text(catalogue, encoding="utf-8")

    def at(self, *times: str) -> None:
        """A round at each of these times."""
        for text in times:
            self.now = instant(text)
            self.runner.tick()

    def send(self, draft: Draft) -> None:
        self.outbox.plan(draft.broadcast, draft.planned, now=self.now)
        self.runner.tick()

    def send_alert(self, entry: Entry) -> None:
        self.publish(entry)
        self.restart()
        self.send(draft_alert(entry, self.runner.roster, self.now))

    def confirm(self, chat: str) -> None:
        """The owner of this group confirms what she was asked last."""
        self.sandbox.confirm([r.task for r in self.sandbox.messages(chat) if r.step == "asked"][-1])

    def stands(self) -> str:
        """Where the groups stand, of the newest broadcast."""
        key = self.outbox.broadcasts()[0].broadcast.key
        return ", ".join(f"{d.group} {d.state}" for d in self.outbox.deliveries(key))

    def steps(self, chat: str) -> list[str]:
        """What happened at the platform; ``!`` where the group has the message on its screen."""
        return [r.step + "!" * r.seen for r in self.sandbox.messages(chat)]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Outbox(f"sqlite:///{tmp_path / 'outbox.db'}", random=lambda: 0.5) as outbox:
        town = Town(tmp_path, outbox)
        with town.sandbox:
            yield town


def test_a_digest_is_sent_when_its_owners_confirm(town: Town) -> None:
    town.publish(tip("a"))
    town.at("07:59", "08:00")
    assert town.stands() == "taoyuan handed, songyuan handed, hedong handed"
    assert town.steps("wrTaoyuan") == town.steps("wrHedong") == ["asked"]
    assert len({r.task for r in town.sandbox.messages()}) == 2
    assert not any(r.warnings for r in town.sandbox.messages())
    town.confirm("wrTaoyuan")
    town.at("08:29")
    assert town.stands() == "taoyuan handed, songyuan handed, hedong handed"
    town.at("08:30")
    assert town.stands() == "taoyuan sent, songyuan sent, hedong handed"
    town.at("10:00", "14:00", "19:59")
    assert town.steps("wrSongyuan") == ["asked", "carried out!"]
    assert town.steps("wrHedong") == ["asked", "reminded", "reminded"]
    town.at("20:00")
    assert town.stands() == "taoyuan sent, songyuan sent, hedong expired"
    assert town.steps("wrHedong") == ["asked", "reminded", "reminded", "cancelled"]


def test_whoever_did_not_confirm_an_alert_that_ended_is_asked_to_tell_of_its_end_only(town: Town) -> None:
    town.send_alert(alert("F"))
    town.confirm("wrTaoyuan")
    town.at("07:51", "07:53", "08:00")
    assert town.stands() == "taoyuan sent, songyuan sent, hedong handed"
    ended = alert("F", "2", "resolved")
    town.publish(ended)
    town.restart()  # the process that asked is gone
    heard = town.outbox.told(list(town.runner.roster.groups))
    town.send(draft_follow_up(ended, list(heard), town.runner.roster, town.now))
    assert town.steps("wrHedong") == ["asked", "reminded", "asked", "cancelled"]
    town.confirm("wrTaoyuan")
    town.confirm("wrHedong")
    town.at("08:01")
    assert town.stands() == "taoyuan sent, songyuan sent, hedong sent"
    assert town.steps("wrTaoyuan") == ["asked", "carried out!", "asked", "carried out!"]
    assert town.steps("wrHedong")[-1] == "carried out!"


def test_what_the_platform_refuses_to_a_group_is_said_in_words(town: Town) -> None:
    town.sandbox.fail("wrTaoyuan", "no-friend")
    town.sandbox.fail("wrSongyuan", "quota-used")
    town.send_alert(alert("F"))
    town.confirm("wrTaoyuan")
    town.at("07:51")
    assert town.stands() == "taoyuan rejected, songyuan rejected, hedong handed"
    reasons = [d.reason for d in town.outbox.deliveries("alert:F:1")]
    assert "已不能给这个群群发" in reasons[0]
    assert "到上限" in reasons[1]


@pytest.mark.parametrize(
    ("call", "fault", "stands"),
    [
        ("add_msg_template", "hang-up", "unknown"),
        ("add_msg_template", "reset", "unknown"),
        ("add_msg_template", "http-502", "unknown"),
        ("add_msg_template", "html", "unknown"),
        ("add_msg_template", "huge", "unknown"),
        ("add_msg_template", "http-302", "unknown"),
        ("add_msg_template", "http-429", "pending"),
        ("add_msg_template", "45009", "pending"),
        ("add_msg_template", "-1", "pending"),
        ("add_msg_template", "48002", "rejected"),
        ("add_msg_template", "40014", "handed"),
        ("add_msg_template", "42001", "handed"),
        ("gettoken", "hang-up", "pending"),
        ("gettoken", "http-502", "pending"),
        ("gettoken", "html", "pending"),
        ("gettoken", "40001", "rejected"),
        ("get_groupmsg_send_result", "reset", "handed"),
        ("get_groupmsg_send_result", "http-500", "handed"),
        ("remind_groupmsg_send", "hang-up", "handed"),
    ],
)
def test_each_failure_ends_in_the_right_state_and_no_owner_is_asked_twice(
    town: Town, call: str, fault: str, stands: str
) -> None:
    town.publish(tip("a"))
    town.at("07:59")
    town.sandbox.fail(call, fault, times=2)  # both owners' calls
    town.at("08:00")
    assert town.stands() == f"taoyuan {stands}, songyuan {stands}, hedong {stands}"
    town.at("08:05", "08:35", "10:05")
    assert all(town.steps(robot.key).count("asked") <= 1 for robot in ROBOTS)


def test_a_clock_and_a_token_two_hours_old_are_no_trouble(town: Town) -> None:
    town.publish(tip("a"))
    town.at("07:59", "08:00")
    town.confirm("wrTaoyuan")
    town.at("10:30")
    assert town.stands() == "taoyuan sent, songyuan sent, hedong handed"


def test_a_group_whose_robot_died_is_served_again_when_its_owner_is_asked(town: Town) -> None:
    town.publish(tip("a"))
    town.at("07:59")
    town.outbox.disable("taoyuan", "93000 invalid webhook url", now=town.now)
    town.at("08:00")
    assert town.stands() == "taoyuan handed, songyuan handed, hedong handed"


def test_groups_that_no_owner_can_be_asked_for_are_named_beforehand(town: Town) -> None:
    assert standing_notices(town.runner.roster) == ()
    (town.folder / "timetable.yml").write_text(TIMETABLE.replace("127.0.0.1", "chat.test"), encoding="utf-8")
    town.restart()
    (notice,) = standing_notices(town.runner.roster)
    assert "3 个要群主确认的群发不出去：桃园群、松园群、河东群" in notice
    assert "GENGFU_WECOM_API 的主机 127.0.0.1 不在 timetable.yml 的 hosts 里" in notice
