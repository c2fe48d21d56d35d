"""What runs beside the posts: heard once, a few at a time, and not waited for for ever."""

from __future__ import annotations

import subprocess
import sys
from threading import Event

from gengfu_scheduler.channels.beside import Beside
from gengfu_scheduler.message import Outcome, Sent, Unknown

DONE = Sent(confirmed=False)


def hanging(go_on: Event) -> Outcome:
    go_on.wait(60)
    return DONE


def test_how_a_delivery_ended_is_heard_once() -> None:
    beside = Beside()
    beside.begin(7, lambda: DONE)
    assert beside.ended(wait=60) == [(7, DONE)]
    assert (beside.ended(), len(beside)) == ([], 0)


def test_nobody_waits_where_nothing_is_on_its_way() -> None:
    assert Beside().ended(wait=1e9) == []


def test_it_is_full_until_one_has_been_heard() -> None:
    beside, go_on = Beside(at_once=2), Event()
    for key in (1, 2):
        beside.begin(key, lambda: hanging(go_on))
    assert (beside.full, beside.ended()) == (True, [])
    go_on.set()
    assert beside.ended(wait=60)
    assert not beside.full


def test_what_takes_too_long_is_unknown_and_not_listened_to_any_more() -> None:
    beside, go_on, ended = Beside(longest=0.0), Event(), Event()

    def late() -> Outcome:
        go_on.wait(60)
        ended.set()
        return DONE

    beside.begin(1, late)
    ((key, outcome),) = beside.ended()
    assert key == 1
    assert isinstance(outcome, Unknown)
    go_on.set()
    assert ended.wait(60)
    beside.begin(1, lambda: Sent(confirmed=True))  # the same delivery, once more
    assert (1, DONE) not in beside.ended(wait=60)


def test_what_hangs_does_not_keep_the_program_from_ending() -> None:
    told = """
from threading import Event
from gengfu_scheduler.channels.beside import Beside
begun = Event()
Beside().begin(1, lambda: begun.set() or Event().wait())
begun.wait()
"""
    assert subprocess.run([sys.executable, "-c", told], timeout=60, check=False).returncode == 0
