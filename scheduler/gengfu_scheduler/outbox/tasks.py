"""What a platform was told to ask people to confirm, and how far they are: functions over an open transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from gengfu_scheduler.message import Form, State
from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.database import batches, insert_into
from gengfu_scheduler.outbox.tables import BROADCAST, PLATFORM_TASK, TASK_DELIVERY


@dataclass(frozen=True, kw_only=True)
class PlatformTask:
    """One message that the platform asks one person to confirm for some groups."""

    task: str
    """The platform's own name of it."""
    account: str
    """Who must confirm it."""
    broadcast: str
    """Key."""
    form: Form
    expires: datetime
    """Of the broadcast."""
    created_at: datetime
    reminders: int
    """How often that person was reminded."""
    looked_at: datetime | None
    """When the platform was last asked how far it is."""
    deliveries: Mapping[str, int]
    """The deliveries that still wait for it, by group."""
    ended: bool
    """It is not to be confirmed any more, and should be cancelled at the platform: its alert is over, or what was
    not confirmed yet was cancelled or has expired."""


def record(connection: Connection, handed: Collection[tuple[int, int, str, str]], now: datetime) -> None:
    """Note which deliveries lie in which task.

    :param handed: delivery id, broadcast id, task, account.
    """
    if not handed:
        return
    insert = insert_into(connection, PLATFORM_TASK)
    tasks = [
        {"task": task, "account": account, "broadcast_id": broadcast}
        for broadcast, task, account in sorted({entry[1:] for entry in handed})
    ]
    new = {"created_at": now, "reminders": 0, "closed": False}
    connection.execute(insert.on_conflict_do_nothing(), [{**task, **new} for task in tasks])
    ids: dict[str, int] = {}
    for names in batches([task["task"] for task in tasks]):
        rows = connection.execute(
            select(PLATFORM_TASK.c.task, PLATFORM_TASK.c.id).where(PLATFORM_TASK.c.task.in_(names))
        )
        ids.update({row.task: row.id for row in rows})
    link = insert_into(connection, TASK_DELIVERY)
    connection.execute(
        # One sent again lies in another task than at first.
        link.on_conflict_do_update(index_elements=["delivery_id"], set_={"task_id": link.excluded.task_id}),
        [{"delivery_id": delivery, "task_id": ids[task]} for delivery, _broadcast, task, _account in handed],
    )


def open_tasks(connection: Connection, now: datetime) -> list[PlatformTask]:
    """:meth:`Outbox.open_tasks`."""
    waiting: dict[int, dict[str, int]] = {}
    dropped: set[int] = set()
    for row in connection.execute(sql.ASKED):
        if row.state == "handed":
            waiting.setdefault(row.task_id, {})[row.group_id] = row.id
        elif row.state in ("cancelled", "expired", "unknown"):
            dropped.add(row.task_id)
    query = (
        select(PLATFORM_TASK, BROADCAST.c.key, BROADCAST.c.form, BROADCAST.c.expires)
        .join(BROADCAST)
        .where(~PLATFORM_TASK.c.closed)
        .order_by(PLATFORM_TASK.c.id)
    )
    return [
        PlatformTask(
            task=row.task,
            account=row.account,
            broadcast=row.key,
            form=row.form,
            expires=row.expires,
            created_at=row.created_at,
            reminders=row.reminders,
            looked_at=row.looked_at,
            deliveries=waiting.get(row.id, {}),
            ended=(row.form == "alert" and row.expires <= now)
            or (row.id in dropped and row.id not in waiting),
        )
        for row in connection.execute(query)
    ]


def note_look(
    connection: Connection,
    task: str,
    now: datetime,
    confirmed: Collection[int],
    rejected: Mapping[int, str],
    reminded: bool,
    closed: bool,
) -> None:
    """:meth:`Outbox.note_look`."""
    ended: list[tuple[int, State, bool | None, str]] = [(id, "sent", True, "") for id in confirmed]
    ended += [(id, "rejected", None, reason) for id, reason in rejected.items()]
    if ended:
        connection.execute(
            sql.CONFIRMED,
            [
                {"delivery": id, "next_state": state, "by_code": code, "evidence": reason, "now": now}
                for id, state, code, reason in ended
            ],
        )
    connection.execute(
        update(PLATFORM_TASK)
        .where(PLATFORM_TASK.c.task == task)
        .values(
            looked_at=now,
            reminders=PLATFORM_TASK.c.reminders + int(reminded),
            closed=PLATFORM_TASK.c.closed | closed,
        )
    )
    if closed:
        connection.execute(sql.CLOSED, {"of": task, "now": now})
