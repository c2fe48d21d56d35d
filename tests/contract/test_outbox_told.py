"""What groups were told is read for all that were told it together at once: as if from each delivery by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, event, text

from gengfu_scheduler.message import Handed, Outcome, Rejected, Sent, Throttled, Unknown, Unsent
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.outbox.statements import NOT_HEARD
from outboxes import DAY, HOUR, MINUTE, NOON, Place, execute, plan

GROUPS = ("A", "B", "C", "D")
OUTCOMES: tuple[Outcome, ...] = (
    Sent(confirmed=True),
    Handed(to="王姐"),
    Unknown(reason="超时"),
    Rejected(reason="93000"),
    Unsent(reason="DNS"),
    Throttled(after=60, reason="45009"),
)


def told_by_each_delivery(outbox: Outbox, url: str) -> dict[str, dict[str, datetime]]:
    """What :meth:`Outbox.told` is to say of all groups, delivery by delivery."""
    engine = create_engine(url)
    with engine.connect() as connection:
        ranks = {row.id: row.rank for row in connection.execute(text("SELECT id, rank FROM delivery"))}
    engine.dispose()
    told: dict[str, dict[str, datetime]] = {}
    for status in outbox.broadcasts(limit=1000):
        when = status.broadcast.scheduled_for
        for delivery in outbox.deliveries(status.broadcast.key):
            ended = delivery.state in ("expired", "cancelled")
            perhaps_passed_on = ended and ranks[delivery.id] < 2 and delivery.attempts > 0
            if delivery.state != "rejected" and (not ended or perhaps_passed_on):
                history = told.setdefault(delivery.group, {})
                for item in delivery.message.items:
                    history[item.entry] = max(when, history.get(item.entry, when))
    return told


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_groups_count_as_told_what_their_deliveries_say(place: Place, data: st.DataObject) -> None:
    outbox = place.emptied()
    some = st.lists(st.sampled_from(GROUPS), min_size=1, unique=True).map(" ".join)
    items = st.lists(st.sampled_from(("a", "b", "c")), min_size=1, unique=True).map(" ".join)
    now = NOON
    for n in range(data.draw(st.integers(1, 6))):
        now += HOUR
        kind = data.draw(st.sampled_from(("digest", "digest", "alert", "correction")))
        to, of, parts = data.draw(some), data.draw(items), data.draw(st.integers(1, 2))
        if kind == "digest":
            # Not in the order in which they are to be told, too.
            at = now + data.draw(st.sampled_from((0, -3, 3))) * DAY
            plan(outbox, to, key=f"slot@{n}", items=of, at=at, parts=parts, lasts=9 * DAY)
        else:
            key = f"{kind}:{of[0]}:{n}"
            plan(outbox, to, form="alert", key=key, items=of[0], at=now, parts=parts, lasts=2 * HOUR)
            outbox.expire(now=now + data.draw(st.sampled_from((0, 3))) * HOUR)
            if data.draw(st.booleans()):  # again, perhaps to others, in more or fewer parts
                to, parts, now = data.draw(some), data.draw(st.integers(1, 2)), now + MINUTE
                plan(outbox, to, form="alert", key=key, items=of[0], at=now, parts=parts, lasts=2 * HOUR)
        for delivery in outbox.claim(now=now, limit=data.draw(st.integers(0, 6))):
            outbox.settle([(delivery.id, data.draw(st.sampled_from(OUTCOMES)))], now=now)
        match data.draw(st.sampled_from(("nothing", "stop", "withdraw", "expire", "resend", "forget"))):
            case "stop":
                outbox.stop(f"slot@{n}", now=now, reason="误发")
            case "withdraw":
                outbox.withdraw([f"alert:{of[0]}:{n}"], now=now)
            case "expire":
                outbox.expire(now=now + 10 * DAY)
            case "resend":
                outbox.resend(f"slot@{n}", ["rejected", "unknown"], now=now, expires=now + DAY)
            case "forget":
                outbox.forget(now - DAY)
    assert outbox.told(GROUPS) == told_by_each_delivery(outbox, place.url)
    assert outbox.told(["B"]) == {g: told for g, told in outbox.told(GROUPS).items() if g == "B"}
    keys = [status.broadcast.key for status in outbox.broadcasts(limit=1000)]
    assert outbox.groups() == {delivery.group for key in keys for delivery in outbox.deliveries(key)}
    outbox.close()


def test_what_is_forgotten_while_it_is_read_is_no_more_or_still_there(place: Place) -> None:
    outbox = place.outbox
    plan(outbox, "A", items="old", key="slot@1", at=NOON - DAY, lasts=2 * DAY)
    plan(outbox, "A B", items="new", key="slot@2")
    for delivery in outbox.claim(now=NOON):
        outbox.settle([(delivery.id, Sent(confirmed=True))], now=NOON)
    begun: list[str] = []

    def forget(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if "delivery" in statement and not begun:
            begun.append(statement)
            with Outbox(place.url) as another:
                another.forget(NOON)

    event.listen(Engine, "after_cursor_execute", forget)
    try:
        told = outbox.told(GROUPS)
    finally:
        event.remove(Engine, "after_cursor_execute", forget)
    assert begun
    assert told["A"].keys() in ({"new"}, {"new", "old"})
    assert told["B"] == {"new": NOON}
    assert outbox.told(GROUPS) == {"A": {"new": NOON}, "B": {"new": NOON}}
    outbox.close()


LOST_READ = {
    "sqlite": ("EXPLAIN QUERY PLAN", "USING COVERING INDEX delivery_lost (group_id=?)"),
    "postgresql": ("EXPLAIN", "Index Only Scan using delivery_lost on delivery"),
}


def test_what_was_lost_is_read_from_an_index_of_the_lost_alone(place: Place) -> None:
    """Of a group that is dead for a year they lie all over the table, which is not to be looked at for it."""
    plan(place.outbox, " ".join(f"q{n}" for n in range(2000)))
    execute(place.url, "UPDATE delivery SET state = 'sent' WHERE id > 50")
    execute(place.url, "UPDATE delivery SET state = 'rejected' WHERE id <= 50")
    engine = create_engine(place.url, isolation_level="AUTOCOMMIT")
    explain, expected = LOST_READ[engine.dialect.name]
    statement = NOT_HEARD.params(ids=["q1", "q2"]).compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))
        told = connection.exec_driver_sql(f"{explain} {statement}")
        steps = "\n".join(str(row[-1]) for row in told)
    engine.dispose()
    assert expected in steps
