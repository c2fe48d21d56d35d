"""Who is told of an alert, and who hears what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gengfu_scheduler.alerts import draft_alert, draft_correction, draft_follow_up
from gengfu_scheduler.draft import Draft, Refused
from gengfu_scheduler.timetable import Target
from gengfu_site.catalogue import Entry
from watch import Watch, alert, instant, tip, watch_in

STAFF = "staff: {groups: [q2]}\nslots: {}\n"


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        watch.now = instant("23:40")
        yield watch


def exercise(**fields: object) -> Entry:
    return alert("F", status="exercise", **fields)


def first(watch: Watch, entry: Entry, to: Target | None = None, *, linked: bool = True) -> Draft:
    return draft_alert(entry, watch.start().roster, watch.now, to=to, linked=linked)


def groups(draft: Draft) -> list[str]:
    return [planned.group for planned in draft.planned]


@pytest.mark.parametrize(
    ("areas", "to", "told"),
    [
        ((), None, ["q1", "q2", "h1"]),
        (("青松路",), None, ["q1", "q2"]),
        # What the officer says counts, not what the article is for.
        (("青松路",), Target(areas=("河东",)), ["h1"]),
        ((), Target(groups=("q1",)), ["q1"]),
    ],
)
def test_it_goes_to_exactly_those_who_are_meant_over_quiet_hours_and_at_once(
    watch: Watch, areas: tuple[str, ...], to: Target | None, told: list[str]
) -> None:
    draft = first(watch, alert("F", areas=areas), to)
    assert groups(draft) == told
    assert {planned.not_before for planned in draft.planned} == {watch.now}
    assert draft.broadcast.key == "alert:F:1"


def test_an_exercise_goes_to_staff_only_and_says_so_at_both_ends_of_every_part(watch: Watch) -> None:
    with pytest.raises(Refused, match="staff"):
        first(watch, exercise())
    watch.write("timetable.yml", STAFF)
    draft = first(watch, exercise(summary="很长。" * 2000))
    assert groups(draft) == ["q2"]
    (planned,) = draft.planned
    assert len(planned.messages) > 1
    for message in planned.messages:
        assert message.title.startswith("【演练】")
        assert message.footer.endswith("【演练】")
    with pytest.raises(Refused, match="staff 写明的群"):
        first(watch, exercise(areas=("河东/临河社区",)))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"published": "23:41"}, "published"),
        ({"expires": instant("23:40")}, "过期"),
        ({"state": "resolved"}, "update F"),
        ({"state": "cancelled"}, "update F"),
    ],
)
def test_what_is_not_going_on_is_told_to_nobody_for_the_first_time(
    watch: Watch, fields: dict[str, Any], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        first(watch, alert("F", **fields))


def test_an_end_may_be_told_after_the_alerts_own_time(watch: Watch) -> None:
    soon = instant("23:45")
    goes_on, ended = alert("F", expires=soon), alert("F", expires=soon, revision="2", state="resolved")
    assert first(watch, goes_on).broadcast.expires == soon
    told = draft_follow_up(ended, {"q1"}, watch.runner.roster, watch.now).broadcast
    assert told.expires > soon
    assert not told.linked  # it is not over when its page leaves the catalogue at that time


def test_what_cannot_be_opened_is_not_linked(watch: Watch) -> None:
    draft = first(watch, alert("F"), linked=False)
    assert {message.items[0].url for planned in draft.planned for message in planned.messages} == {""}
    assert not draft.broadcast.linked
    assert draft.planned[0].messages[0].items[0].entry == "F"


def test_what_follows_goes_to_those_who_heard_and_to_no_other(watch: Watch) -> None:
    resolved = alert("F", revision="2", state="resolved", areas=("青松路",))
    draft = draft_follow_up(resolved, {"h1", "gone"}, watch.runner.roster, watch.now)
    assert groups(draft) == ["h1"]
    assert "已解除" in draft.planned[0].messages[0].title
    assert groups(draft_follow_up(resolved, (), watch.runner.roster, watch.now)) == []


def test_news_of_an_alert_that_goes_on_says_that_it_is_news(watch: Watch) -> None:
    draft = draft_follow_up(alert("F", revision="2"), {"q1"}, watch.runner.roster, watch.now)
    assert draft.planned[0].messages[0].title.startswith("【最新进展】")


def test_a_correction_tells_whoever_was_told_and_why(watch: Watch) -> None:
    wrong = tip("a", title="旧办法", revision="2")
    draft = draft_correction(wrong, "费用写错了", {"q1"}, watch.runner.roster, watch.now)
    assert draft.broadcast.key == "correction:a:2"
    (planned,) = draft.planned
    (message,) = planned.messages
    assert (planned.group, message.title) == ("q1", "【更正】旧办法")
    assert "原因：费用写错了" in message.body


def test_its_second_part_follows_the_first_and_nobody_is_told_twice(watch: Watch) -> None:
    watch.publish(alert("F", summary="很长的警情。" * 1000, areas=("青松路",)))
    watch.push("F")
    bodies = [post.body.decode() for post in watch.platforms.posts]
    parts = len(watch.draft("F").planned[0].messages)
    assert parts > 1
    for robot in ("Q1", "Q2"):
        heard = [body for post, body in zip(watch.platforms.posts, bodies, strict=True) if robot in post.url]
        assert [f"（{n}/{parts}）" in body for n, body in enumerate(heard, 1)] == [True] * parts
    watch.push("F")
    assert len(watch.platforms.posts) == 2 * parts
