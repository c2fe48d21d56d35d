"""Another officer looks at every alert within a day; the log knows who did, and who may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gengfu_scheduler.draft import Refused
from gengfu_scheduler.review import Unreviewed, to_review, unreviewed
from gengfu_site import audit

NIGHT = datetime(2026, 11, 21, 15, 40, tzinfo=UTC)


class Log:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def note(self, hours: float, who: str, action: str, id: str = "F7K2R") -> None:
        audit.append(self.folder, NIGHT + timedelta(hours=hours), who, action, {"id": id, "title": "火情"})

    def waiting(self, hours: float) -> tuple[Unreviewed, ...]:
        return unreviewed(audit.read(self.folder), NIGHT + timedelta(hours=hours))


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_an_alert_waits_for_its_review_and_is_late_after_a_day(log: Log) -> None:
    log.note(0, "李警官", "alert")
    (alert,) = log.waiting(24)
    assert (alert.id, alert.title, alert.senders, alert.sent, alert.late) == (
        "F7K2R",
        "火情",
        ("李警官",),
        NIGHT,
        False,
    )
    assert log.waiting(24.01)[0].late


def test_a_review_ends_the_waiting_until_it_is_sent_again(log: Log) -> None:
    log.note(0, "李警官", "alert")
    log.note(1, "王警官", "review")
    assert log.waiting(30) == ()
    log.note(31, "李警官", "alert")
    assert [alert.sent for alert in log.waiting(32)] == [NIGHT + timedelta(hours=31)]


@pytest.mark.parametrize("action", ["alert.exercise", "alert.resolve", "alert.cancel", "withdraw", "push"])
def test_only_a_sent_alert_waits(log: Log, action: str) -> None:
    log.note(0, "李警官", action)
    assert log.waiting(30) == ()


def test_an_update_makes_its_sender_one_who_may_not_review(log: Log) -> None:
    log.note(0, "李警官", "alert")
    log.note(1, "王警官", "alert.update")
    records = audit.read(log.folder)
    for sender in ("李警官", " 王警官"):
        with pytest.raises(Refused, match="要由另一个人复核"):
            to_review("F7K2R", sender, records, NIGHT)
    assert to_review("f7k2r", "赵警官", records, NIGHT).senders == ("李警官", "王警官")


def test_what_does_not_wait_is_refused_with_what_does(log: Log) -> None:
    log.note(0, "李警官", "alert")
    with pytest.raises(Refused, match="没有等待复核的警情 X。等待复核的：F7K2R"):
        to_review("X", "王警官", audit.read(log.folder), NIGHT)
