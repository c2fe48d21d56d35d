"""What people pass on by hand: who has how much of it, also when it is done; a slip of the finger can be mended."""

from __future__ import annotations

from gengfu_scheduler.message import Handed, Outcome, Sent
from gengfu_scheduler.outbox import Outbox
from outboxes import HOUR, MINUTE, NOON, plan, send, standing


def hand(outbox: Outbox, owners: dict[str, str], key: str = "alert:F:1") -> None:
    """Plan ``key`` to the groups named in ``owners`` (owner: groups) and hand them over."""
    whose = {group: owner for owner, groups in owners.items() for group in groups.split()}
    plan(outbox, " ".join(whose), key=key, form="alert" if key.startswith("alert") else "digest", way="hand")
    handed = [(d.id, Handed(to=whose[d.group])) for d in outbox.claim(now=NOON)]
    outbox.settle(handed, now=NOON)


def tasks(outbox: Outbox, broadcast: int | str = "alert:F:1") -> list[str]:
    found = outbox.hand_tasks(broadcast)
    return [f"{task.owner} {task.groups - task.waiting}/{task.groups}" for task in found]


def say(outbox: Outbox, owner: str, groups: str, *, taken_back: bool = False) -> None:
    (task,) = (task for task in outbox.hand_tasks("alert:F:1") if task.owner == owner)
    ids = [d.id for d in outbox.handed_out(task.number, task.owner) if d.group in groups.split()]
    if taken_back:
        outbox.unsaid(ids, now=NOON + MINUTE)
    else:
        outbox.said(ids, owner, now=NOON)


def test_each_person_has_a_task_and_keeps_it_when_it_is_done(outbox: Outbox) -> None:
    hand(outbox, {"王姐": "A B C", "李哥": "D"})
    say(outbox, "王姐", "A B")
    say(outbox, "李哥", "D")
    assert sorted(tasks(outbox)) == ["李哥 1/1", "王姐 2/3"]
    (task,) = (task for task in outbox.hand_tasks("alert:F:1") if task.owner == "王姐")
    assert [(d.group, d.state) for d in outbox.handed_out(task.number, task.owner)] == [
        ("A", "sent"),
        ("B", "sent"),
        ("C", "handed"),
    ]
    assert outbox.hand_tasks(task.number) == outbox.hand_tasks("alert:F:1")
    assert sorted(outbox.owners(task.number)) == [("alert:F:1", "李哥"), ("alert:F:1", "王姐")]


def test_a_tick_that_was_a_slip_is_taken_back_and_waits_again(outbox: Outbox) -> None:
    hand(outbox, {"王姐": "A B"})
    say(outbox, "王姐", "A B")
    say(outbox, "王姐", "A", taken_back=True)
    assert standing(outbox) == {"A": "handed", "B": "sent"}
    (waits, said) = outbox.deliveries("alert:F:1")
    assert (waits.reason, said.reason) == ("王姐", "由王姐转发（本人说）")


def test_a_word_about_an_alert_that_is_over_stands(outbox: Outbox) -> None:
    hand(outbox, {"王姐": "A"})
    say(outbox, "王姐", "A")
    outbox.expire(now=NOON + HOUR)
    (task,) = outbox.hand_tasks("alert:F:1")
    outbox.unsaid([d.id for d in outbox.handed_out(task.number, task.owner)], now=NOON + HOUR)
    assert standing(outbox) == {"A": "sent"}


def test_what_a_robot_or_a_platform_does_is_nobodys_by_hand(outbox: Outbox) -> None:
    hand(outbox, {"王姐": "A"}, key="d1")
    plan(outbox, "B", key="d2")
    send(outbox, Sent(confirmed=True))
    plan(outbox, "C", key="d3")
    asked: Outcome = Handed(to="王姐", task="m1", account="wang")
    send(outbox, asked)
    assert [tasks(outbox, key) for key in ("d1", "d2", "d3", "d4")] == [["王姐 0/1"], [], [], []]
    (robots,) = outbox.deliveries("d2")
    outbox.unsaid([robots.id], now=NOON)
    assert outbox.deliveries("d2")[0].state == "sent"


def test_the_newest_of_an_alerts_broadcasts_is_found_by_what_they_share(outbox: Outbox) -> None:
    hand(outbox, {"王姐": "A"}, key="alert:F:1")
    hand(outbox, {"王姐": "A"}, key="alert:F:2")
    hand(outbox, {"王姐": "A"}, key="alert:FF:3")
    (task,) = outbox.hand_tasks("alert:F:")
    assert task.broadcast.key == "alert:F:2"
    assert outbox.hand_tasks("alert:X:") == outbox.hand_tasks(99) == outbox.owners(99) == []


def test_how_it_gets_on_is_told_in_figures(outbox: Outbox) -> None:
    plan(outbox, "A B")
    outbox.disable("B", "dead", now=NOON)
    fine = outbox.pulse(overdue=NOON - MINUTE, since=NOON)
    assert (fine.overdue, fine.unknown, fine.disabled) == (0, 0, 1)
    late = outbox.pulse(overdue=NOON, since=NOON)
    assert late.overdue == 1
    outbox.claim(now=NOON)
    outbox.recover(now=NOON)
    assert outbox.pulse(overdue=NOON, since=NOON).unknown == 1
    assert outbox.pulse(overdue=NOON, since=NOON + MINUTE).unknown == 0
