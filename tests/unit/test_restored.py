"""A restored outbox is older than the truth: what it cannot know, it does not send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gengfu_scheduler.notes import Note
from gengfu_scheduler.outbox import Outbox, copy
from gengfu_scheduler.state import note_restored
from watch import Watch, alert, instant, tip, watch_in


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


def backed_up(watch: Watch) -> Path:
    """The outbox as it is now."""
    file = watch.folder / "backup.sqlite3"
    assert copy(f"sqlite:///{watch.folder / 'outbox.sqlite3'}", file, now=watch.now)
    return file


def restore(watch: Watch, file: Path, at: str) -> None:
    """The outbox of the backup in place of the other, and a new scheduler."""
    watch.outbox.close()
    for name in ("outbox.sqlite3-wal", "outbox.sqlite3-shm"):
        (watch.folder / name).unlink(missing_ok=True)
    file.replace(watch.folder / "outbox.sqlite3")
    watch.outbox = Outbox(f"sqlite:///{watch.folder / 'outbox.sqlite3'}")
    watch.now = instant(at)
    note_restored(watch.folder, watch.now)
    watch.start()


def test_what_waited_when_the_backup_was_made_is_not_sent_but_named(watch: Watch) -> None:
    watch.publish(tip("a"))
    watch.at("07:59", "08:00")
    file = backed_up(watch)  # q2 is quiet until 09:00
    watch.at("09:00")
    assert len(watch.platforms.posts) == 2
    restore(watch, file, at="09:10")
    watch.at("09:10", "09:20")
    assert len(watch.platforms.posts) == 2
    assert watch.heard() == ["q1: 题a, sent", "q2: 题a, unknown", "h1: 题a, handed"]
    notes = [note for note in watch.said if isinstance(note, Note) and note.event == "restored"]
    assert len(notes) == 1
    assert "1 条可能已经发出" in notes[0]


def test_an_officer_may_have_it_sent_after_all_marked(watch: Watch) -> None:
    watch.publish(tip("a"))
    watch.at("07:59", "08:00")
    restore(watch, backed_up(watch), at="09:10")
    watch.at("09:10")
    key = watch.outbox.broadcasts()[0].broadcast.key
    watch.outbox.resend(key, ["unknown"], now=watch.now, expires=instant("12:00"))
    watch.at("09:11")
    assert [d.resent for d in watch.outbox.deliveries(key) if d.group == "q2" and d.state == "sent"] == [True]


def test_what_was_told_since_the_backup_is_neither_told_again_nor_taken_for_untold(watch: Watch) -> None:
    watch.publish(tip("a"))
    watch.at("07:00")
    file = backed_up(watch)
    watch.at("08:00", "09:00")
    posts = len(watch.platforms.posts)
    restore(watch, file, at="09:30")
    watch.at("09:30")
    assert watch.heard() == ["q1: 题a, unknown", "q2: 题a, unknown", "h1: 题a, unknown"]
    watch.at("20:00")  # the evening's would tell what is still new
    assert len(watch.platforms.posts) == posts


def test_what_is_told_after_the_restoring_is_told_as_ever(watch: Watch) -> None:
    watch.publish(tip("a"))
    watch.at("07:00")
    restore(watch, backed_up(watch), at="09:30")
    watch.publish(tip("a"), tip("b", "10:00"), alert("w"))
    watch.at("09:31")
    watch.push("w")
    watch.at("20:00")
    assert [line for line in watch.heard() if "题w" in line] == [
        "q1: 题w, sent",
        "q2: 题w, sent",
        "h1: 题w, handed",
    ]
    assert {line for line in watch.heard() if "题b" in line} >= {"q1: 题b, sent"}


def test_an_alert_that_was_under_way_is_not_sent_again_by_itself(watch: Watch) -> None:
    watch.publish(alert("w", expires=instant("Tue 08:00")))
    watch.at("07:00")
    draft = watch.draft("w")
    watch.outbox.plan(draft.broadcast, draft.planned, now=watch.now)
    watch.outbox.claim(now=watch.now, limit=1)
    restore(watch, backed_up(watch), at="07:30")
    watch.at("07:30", "07:31", "07:40")
    assert watch.platforms.posts == []
    assert {line.rpartition(" ")[2] for line in watch.heard()} == {"unknown"}
