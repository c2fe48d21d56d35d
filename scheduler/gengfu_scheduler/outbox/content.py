"""What groups are told, kept once however many are told the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from gengfu_scheduler.message import Item, Message
from gengfu_scheduler.outbox.database import batches, insert_into
from gengfu_scheduler.outbox.tables import MESSAGE, MESSAGE_ENTRY

_MESSAGES = select(MESSAGE).where(MESSAGE.c.id.in_(bindparam("ids", expanding=True)))


def keep(connection: Connection, messages: Collection[Message]) -> dict[Message, int]:
    """The messages' row ids; those not yet there are inserted, with the entries they tell of."""
    if not messages:
        return {}
    contents = {message: dumps(message) for message in messages}
    digests = {message: hashlib.sha256(text.encode()).hexdigest() for message, text in contents.items()}
    connection.execute(
        insert_into(connection, MESSAGE).on_conflict_do_nothing(),
        [{"digest": digests[message], "content": contents[message]} for message in messages],
    )
    ids: dict[str, int] = {}
    for batch in batches(list(digests.values())):
        rows = connection.execute(select(MESSAGE.c.digest, MESSAGE.c.id).where(MESSAGE.c.digest.in_(batch)))
        ids.update({row.digest: row.id for row in rows})
    kept = {message: ids[digest] for message, digest in digests.items()}
    entries = [
        {"message_id": kept[message], "entry": entry}
        for message in messages
        for entry in {item.entry for item in message.items}
    ]
    if entries:
        connection.execute(insert_into(connection, MESSAGE_ENTRY).on_conflict_do_nothing(), entries)
    return kept


def load(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """The contents of the messages of the row ``ids``."""
    return {
        row.id: row.content for batch in batches(ids) for row in connection.execute(_MESSAGES, {"ids": batch})
    }


def entries_of(connection: Connection, ids: Collection[int]) -> dict[int, str]:
    """The ids of the entries that the messages of the row ``ids`` tell of, in order, with blanks between them."""
    return {
        row.message_id: " ".join(sorted(row.entries.split()))
        for batch in batches(ids)
        for row in connection.execute(_ENTRIES.where(MESSAGE_ENTRY.c.message_id.in_(batch)))
    }


_ENTRIES = select(
    MESSAGE_ENTRY.c.message_id, func.aggregate_strings(MESSAGE_ENTRY.c.entry, " ").label("entries")
).group_by(MESSAGE_ENTRY.c.message_id)


def dumps(message: Message) -> str:
    members = asdict(message)
    del members["resent"]  # a property of the delivery
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=1_000)
def loads(text: str, *, resent: bool = False) -> Message:
    """What :func:`dumps` wrote; members that a newer program added are left out, so that it may write beside this one.

    :param resent: as the delivery is.
    """
    members = json.loads(text)
    items = tuple(Item(**_known(Item, item)) for item in members["items"])
    return Message(**{**_known(Message, members), "items": items, "resent": resent})


def _known(kind: type[Item] | type[Message], members: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in members.items() if name in names}
