"""Each failure that a platform documents, and each that any HTTP has, ends a delivery in the right state.

The whole way: outbox, channel, libcurl, and the sandbox as platform and witness. What is expected stands here as
the platforms' own documents have it (``docs/platforms.md`` names them), not as the channels read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from chats import ALERT as AN_ALERT
from chats import DIGEST, GROUP, NOON
from gengfu_scheduler.channels.transport import CurlTransport
from gengfu_scheduler.deliver import Circuits
from gengfu_scheduler.message import Broadcast, Delivery, Message, Planned
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.sandbox import Received, Robot, Sandbox
from gengfu_scheduler.sandbox.faults import FAULTS
from gengfu_scheduler.sandbox.platforms import PLATFORMS
from posting import Clock, deliver, roster

SENT, ACCEPTED, UNKNOWN, REFUSED, DEAD = "sent", "accepted", "unknown", "refused", "dead"
"""``refused`` for good, and this message only; ``dead``: the group is disabled."""


def again(seconds: float = 0, *, times: int | None = None) -> str:
    """Refused for now: sent after so many seconds at least; where it goes on so, refused after so many times."""
    return f"again after {seconds:g} s" + (f", {times} times" if times else "")


DOCUMENTED: Mapping[str, Mapping[str, str]] = {
    "wecom": {
        "-1": again(times=3),
        "40006": REFUSED,
        "40007": REFUSED,
        "40008": REFUSED,
        "40009": REFUSED,
        "40033": REFUSED,
        "40035": REFUSED,
        "40058": REFUSED,
        "45009": again(60),
        "45033": again(),
        "93000": DEAD,
        "93004": DEAD,
        "93008": DEAD,
        "wrong-json": ACCEPTED,
    },
    "dingtalk": {
        "-1": again(times=3),
        "40035": REFUSED,
        "43004": REFUSED,
        "90020": REFUSED,
        "90030": REFUSED,
        "101002": REFUSED,
        "130101": again(600),
        "300005": DEAD,
        "302033": again(),
        "310000": REFUSED,
        "310000-sign": again(times=1),
        "310000-timestamp": again(times=1),
        "310000-solution": again(times=1),
        "400013": DEAD,
        "400101": DEAD,
        "400102": DEAD,
        "400105": REFUSED,
        "400106": DEAD,
        "400402": REFUSED,
        "410100": again(600),
        "430101": REFUSED,
        "430102": REFUSED,
        "430103": REFUSED,
        "430104": REFUSED,
        "460101": REFUSED,
        "660026": again(),
    },
    "feishu": {
        "2200": again(),
        "9499": REFUSED,
        "9499-too-many": again(),
        "11232": again(),
        "19001": DEAD,
        "19002": REFUSED,
        "19007": DEAD,
        "19021": again(times=1),
        "19022": REFUSED,
        "19024": REFUSED,
        "19036": REFUSED,
        "99991400": again(30),
        "99991400-old": again(30),
    },
    "slack": {
        "invalid_payload": REFUSED,
        "invalid_blocks": REFUSED,
        "invalid_blocks_format": REFUSED,
        "missing_text_or_fallback_or_attachments": REFUSED,
        "msg_blocks_too_long": REFUSED,
        "user_not_found": REFUSED,
        "action_prohibited": REFUSED,
        "invalid_token": DEAD,
        "channel_not_found": DEAD,
        "no_service": DEAD,
        "no_team": DEAD,
        "channel_is_archived": DEAD,
        "rollup_error": UNKNOWN,
        "rate_limited": again(30),
        "200-not-ok": UNKNOWN,
    },
    "discord": {
        "10015": DEAD,
        "50001": DEAD,
        "50006": REFUSED,
        "50027": DEAD,
        "50035": REFUSED,
        "50109": REFUSED,
        "220001": REFUSED,
        "rate-limited": again(0.64),
        "rate-limited-globally": again(64.57),
        "204": ACCEPTED,
    },
    "teams": {
        "InvalidRequestContent": REFUSED,
        "MissingApiVersionParameter": REFUSED,
        "DirectApiAuthorizationRequired": DEAD,
        "WorkflowNotFound": DEAD,
        "TooManyRequests": again(),
        "delivery-failed-400": REFUSED,
        "delivery-failed-429": again(),
        "flow-failed": ACCEPTED,  # the trigger's word is all there is
        "200-1": SENT,
    },
    "generic": {"400": REFUSED, "401": REFUSED, "404": REFUSED, "410": DEAD, "413": REFUSED},
}

BROKEN: Mapping[str, str] = {
    "http-302": UNKNOWN,
    "http-408": UNKNOWN,
    "http-429": again(30),
    "http-500": UNKNOWN,
    "http-502": UNKNOWN,
    "http-503": UNKNOWN,
    "html": UNKNOWN,
    "empty": UNKNOWN,
    "gzip": SENT,
    "huge": UNKNOWN,
    "hang-up": UNKNOWN,
    "hang-up-unseen": UNKNOWN,
    "reset": UNKNOWN,
    "silent": UNKNOWN,
    "drip": UNKNOWN,
}
"""On every platform, unless :data:`LENIENT` knows better."""

LENIENT: Mapping[tuple[str, str], str] = {
    # Any 2xx is success, whatever is in it.
    ("generic", "empty"): SENT,
    ("generic", "huge"): SENT,
    # 200 is how a flow answers in words of its own.
    ("teams", "empty"): ACCEPTED,
    ("teams", "gzip"): ACCEPTED,
    ("teams", "huge"): ACCEPTED,
}

OUTLASTING = ("silent", "drip")
"""These end by our own time limit."""

CASES = {
    **{(platform, code): end for platform, codes in DOCUMENTED.items() for code, end in codes.items()},
    **{(platform, fault): end for platform in DOCUMENTED for fault, end in BROKEN.items()},
    **LENIENT,
}


@dataclass(frozen=True, kw_only=True)
class Fate:
    """How a delivery stands, and what its group and the platform saw."""

    delivery: Delivery
    confirmed: bool
    disabled: bool
    posts: list[Received]

    @property
    def seen(self) -> int:
        return sum(post.seen for post in self.posts)


class Town:
    """Groups on the sandbox, told by the real channels and the real transport, at times of the test's own."""

    def __init__(self, folder: Path, robots: list[Robot]) -> None:
        self.clock = Clock()
        self.sandbox = Sandbox(robots, clock=lambda: self.clock.at.timestamp())
        self.outbox = Outbox(f"sqlite:///{folder / 'outbox.db'}", random=lambda: 0.5)
        self.groups = {
            robot.key: replace(
                GROUP, id=robot.key, platform=robot.platform, webhook=self.sandbox.webhook(robot.key)
            )
            for robot in robots
        }

    def plan(self, *groups: str, message: Message = DIGEST) -> str:
        """Something to tell, for a day; returns its key."""
        key = f"alert:{self.clock.at:%H%M%S}:1" if message.form == "alert" else f"{self.clock.at:%H%M%S}"
        broadcast = Broadcast(
            key=key,
            form=message.form,
            title=key,
            scheduled_for=self.clock.at,
            expires=self.clock.at + timedelta(days=1),
        )
        planned = [
            Planned(group=group, messages=(message,), not_before=self.clock.at, last_told=NOON)
            for group in groups
        ]
        self.outbox.plan(broadcast, planned, now=self.clock.at)
        return key

    def tell(self, *, timeout: float = 30.0, concurrency: int = 16) -> None:
        """Whatever is due now."""
        transport = CurlTransport(
            known=(),
            listed=["127.0.0.1", "no-such-host.invalid"],
            timeout=timeout,
            connect_timeout=timeout,
            concurrency=concurrency,
        )
        # The faults of all groups come from one host here: its circuit would open.
        patient = Circuits(threshold=10_000)
        deliver(self.outbox, roster(self.groups), transport, now=self.clock, circuits=patient)
        transport.close()

    def tell_until_over(self, key: str) -> None:
        """Whatever becomes due, up to a time at which nothing of ``key`` is left to be told."""
        for _time in range(100):
            status = self.outbox.broadcast(key)
            due = self.outbox.due_at()
            if not status or not status.open or due is None:
                return
            self.clock.at = max(self.clock.at, due)
            self.outbox.expire(now=self.clock.at)
            self.tell()

    def fates(self, key: str) -> dict[str, Fate]:
        status = self.outbox.broadcast(key)
        assert status
        tally = self.outbox.tally(NOON, NOON + timedelta(days=3), "group")
        disabled = self.outbox.disabled()
        return {
            delivery.group: Fate(
                delivery=delivery,
                confirmed=(delivery.group, "confirmed") in tally,
                disabled=delivery.group in disabled,
                posts=self.sandbox.messages(delivery.group),
            )
            for delivery in self.outbox.deliveries(key)
        }


@contextmanager
def town(folder: Path, robots: Mapping[str, str]) -> Iterator[Town]:
    """
    :param robots: platform by key.
    """
    made = Town(folder, [Robot(platform=platform, key=key, name=key) for key, platform in robots.items()])
    with made.sandbox, made.outbox:
        yield made


Told = Mapping[tuple[str, str], tuple[Fate, Fate]]


def name(platform: str, fault: str) -> str:
    return f"{platform}.{fault}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Of every case how its digest stands at once, and in the end: each fault strikes once."""
    with town(tmp_path_factory.mktemp("faults"), {name(*case): case[0] for case in CASES}) as made:
        for platform, fault in CASES:
            made.sandbox.fail(name(platform, fault), fault)
        outlasting = [case for case in CASES if case[1] in OUTLASTING]
        first = made.plan(*(name(*case) for case in CASES if case not in outlasting))
        made.tell()
        made.clock.at += timedelta(seconds=1)
        second = made.plan(*(name(*case) for case in outlasting))
        made.tell(timeout=1.0)
        at_once = {**made.fates(first), **made.fates(second)}
        made.tell_until_over(first)
        in_the_end = {**made.fates(first), **made.fates(second)}
    return {case: (at_once[name(*case)], in_the_end[name(*case)]) for case in CASES}


def standing(fate: Fate) -> str:
    """In the words of the tables."""
    match fate.delivery.state:
        case "sent":
            return SENT if fate.confirmed else ACCEPTED
        case "rejected":
            return DEAD if fate.disabled else REFUSED
        case state:
            return state


def test_the_tables_hold_every_fault_that_the_sandbox_knows() -> None:
    assert {platform: set(codes) for platform, codes in DOCUMENTED.items()} == {
        name: set(platform.documented) for name, platform in PLATFORMS.items()
    }
    assert set(BROKEN) | {"hang-up-reused"} == set(FAULTS)


@pytest.mark.parametrize(("platform", "fault"), CASES)
def test_each_failure_on_each_platform_ends_in_the_right_state(told: Told, platform: str, fault: str) -> None:
    expected, (at_once, in_the_end) = CASES[platform, fault], told[platform, fault]
    evidence = (at_once.delivery.reason, [post.answer[:80] for post in in_the_end.posts])
    if expected.startswith("again"):
        pause = timedelta(seconds=float(expected.split()[2]))
        assert at_once.delivery.state == "pending", evidence
        assert at_once.delivery.not_before >= NOON + pause, evidence
        assert in_the_end.delivery.state == "sent", evidence
        assert (len(in_the_end.posts), in_the_end.seen) == (2, 1)
    else:
        assert standing(in_the_end) == expected, evidence
        assert len(in_the_end.posts) == 1, "posted again"
        assert in_the_end.delivery.reason or expected in (SENT, ACCEPTED)
        assert in_the_end.seen == 0 or expected not in (REFUSED, DEAD)


@pytest.mark.parametrize(
    ("platform", "fault", "times"),
    [(*case, int(end.split()[4])) for case, end in CASES.items() if end.endswith("times")],
)
def test_what_is_refused_for_now_too_often_is_refused(
    tmp_path: Path, platform: str, fault: str, times: int
) -> None:
    with town(tmp_path, {"A": platform}) as made:
        made.sandbox.fail("A", fault, times=times + 1)
        key = made.plan("A")
        made.tell_until_over(key)
        fate = made.fates(key)["A"]
    assert (standing(fate), len(fate.posts), fate.seen) == (REFUSED, times + 1, 0)


@pytest.mark.parametrize("fault", [fault for fault, end in BROKEN.items() if end == UNKNOWN])
def test_an_alert_that_met_a_failure_of_no_known_end_is_sent_once_more_and_marked(
    tmp_path: Path, fault: str
) -> None:
    robots = {f"{name}-robot": name for name in DOCUMENTED if (name, fault) not in LENIENT}
    with town(tmp_path, robots) as made:
        for robot in robots:
            made.sandbox.fail(robot, fault)
        key = made.plan(*robots, message=AN_ALERT)
        made.tell(timeout=1.0 if fault in OUTLASTING else 30.0)
        made.tell_until_over(key)
        fates = made.fates(key)
    assert {robot: fate.delivery.state for robot, fate in fates.items()} == dict.fromkeys(robots, "sent")
    assert {len(fate.posts) for fate in fates.values()} == {2}
    for robot, fate in fates.items():
        first, second = (post.body.decode() for post in fate.posts)
        marks = ('"resent":false', '"resent":true') if robots[robot] == "generic" else ("重发", "重发")
        assert (marks[0] in first) == (robots[robot] == "generic")
        assert marks[1] in second


def test_a_kept_alive_connection_that_dies_under_a_post_doubles_it_on_no_platform(tmp_path: Path) -> None:
    """The platform has stored it, and hangs up: libcurl by itself would post again and report success."""
    robots = {
        f"{number}-{which}": name for number, name in enumerate(DOCUMENTED) for which in ("calm", "dies")
    }
    with town(tmp_path, robots) as made:
        for robot in robots:
            if robot.endswith("dies"):
                made.sandbox.fail(robot, "hang-up-reused")
        key = made.plan(*robots)
        made.tell(concurrency=1)
        fates = made.fates(key)
    ends = {robot: fate.delivery.state for robot, fate in fates.items()}
    assert ends == {robot: "unknown" if robot.endswith("dies") else "sent" for robot in robots}
    assert {robot: fate.seen for robot, fate in fates.items()} == dict.fromkeys(robots, 1)
    assert {len(fate.posts) for fate in fates.values()} == {1}


@pytest.mark.parametrize(
    "way",
    [
        "http://no-such-host.invalid",
        "https://127.0.0.1:{port}",  # where nobody speaks TLS
        "http://127.0.0.1:1",  # where nobody listens
    ],
)
def test_what_never_left_is_tried_again_until_it_gets_through(tmp_path: Path, way: str) -> None:
    with town(tmp_path, {name: name for name in DOCUMENTED}) as made:
        right = dict(made.groups)
        host = made.sandbox.url.rstrip("/")
        there = way.format(port=host.rpartition(":")[2])
        made.groups = {
            id: replace(group, webhook=str(group.webhook).replace(host, there)) for id, group in right.items()
        }
        key = made.plan(*DOCUMENTED)
        made.tell()
        waiting = made.fates(key)
        assert {fate.delivery.state for fate in waiting.values()} == {"pending"}
        assert all(fate.delivery.reason and fate.delivery.not_before > NOON for fate in waiting.values())
        assert made.sandbox.messages() == []
        made.groups = right
        made.tell_until_over(key)
        fates = made.fates(key)
    assert {id: (fate.delivery.state, fate.seen) for id, fate in fates.items()} == dict.fromkeys(
        DOCUMENTED, ("sent", 1)
    )
