"""Ordinary chat groups, which have no interface: their owner forwards by hand, from a task page.

A page is a function of the outbox: one for each broadcast and owner, holding exactly the groups that stand at
``handed``. Writing the pages again is always safe. Their addresses cannot be guessed, for whoever has one may
read it: they are made with a key that is kept beside them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gengfu_scheduler.channels.channel import LocalChannel
from gengfu_scheduler.channels.text import Templates
from gengfu_scheduler.message import Broadcast, Delivery, Group, Handed, Message, Outcome
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _, officer_language

TASKS = "tasks"
"""Folder of the task pages, in the state folder."""
TASKS_OF = 50
"""Newest broadcasts whose tasks are still worth doing."""
_KEY = ".key"
_TEMPLATES = Templates()


class Hand(LocalChannel):
    name = "hand"

    def deliver(self, message: Message, group: Group) -> Outcome:
        return Handed(to=group.owner or _("（未登记群主）"))


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """What one owner has to forward of one broadcast, and where it is written."""

    broadcast: str
    """Its key."""
    owner: str
    groups: tuple[str, ...]
    """Ids of the groups to forward to."""
    path: Path


def task_page(folder: Path, broadcast: str, owner: str) -> Path | None:
    """Where in ``folder`` the page lies that tells ``owner`` what to pass on of the broadcast of this key.

    None where no page was ever written there.
    """
    try:
        return _path(folder, (folder / _KEY).read_bytes(), broadcast, owner)
    except OSError:
        return None


class TasksUnwritable(GengfuError):
    """The folder of task pages cannot be written."""


def write_task_pages(
    handed: Iterable[tuple[Broadcast, Iterable[Delivery]]], groups: Mapping[str, Group], folder: Path
) -> list[TaskPage]:
    """Make ``folder`` hold the task pages of what is handed, and no others.

    :param handed: broadcasts with their deliveries, as the outbox has them; those not ``handed`` are left out.
    :param groups: for the names; a group that is no longer listed goes by its id.
    :raises TasksUnwritable: it cannot be written.
    """
    try:
        key = _key(folder)
        pages = []
        for broadcast, deliveries in handed:
            by_owner: defaultdict[str, list[Delivery]] = defaultdict(list)
            for delivery in deliveries:
                if delivery.state == "handed" and delivery.way != "confirm":
                    by_owner[delivery.reason].append(delivery)
            for owner, theirs in by_owner.items():
                path = _path(folder, key, broadcast.key, owner)
                _replace(path, _page(broadcast, owner, theirs, groups))
                told = tuple(d.group for d in theirs)
                pages.append(TaskPage(broadcast=broadcast.key, owner=owner, groups=told, path=path))
        for old in set(folder.glob("*.html")) - {page.path for page in pages}:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise TasksUnwritable(
            _("待转发页面写不进 {folder}：{error}。检查空间和写权限").format(
                folder=folder, error=error.strerror
            )
        ) from error
    return pages


def _page(broadcast: Broadcast, owner: str, deliveries: list[Delivery], groups: Mapping[str, Group]) -> str:
    by_message: defaultdict[Message, list[str]] = defaultdict(list)
    for delivery in deliveries:
        group = groups.get(delivery.group)
        by_message[delivery.message].append(group.name if group else delivery.group)
    tasks = [
        (_TEMPLATES.render("text.txt", message.language, message=message), sorted(names))
        for message, names in by_message.items()
    ]
    language = officer_language()
    return _TEMPLATES.render(
        "task.html",
        language,
        language=language,
        broadcast=broadcast,
        owner=owner,
        tasks=tasks,
        number=len(deliveries),
    )


def _path(folder: Path, key: bytes, broadcast: str, owner: str) -> Path:
    digest = hmac.digest(key, f"{broadcast}\n{owner}".encode(), hashlib.sha256)
    return folder / f"{digest.hex()[:32]}.html"


def _key(folder: Path) -> bytes:
    """The folder's key, made at the first call."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _KEY
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    return path.read_bytes()


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(f".{os.getpid()}")  # the scheduler may be writing the same page
    new.write_text(text, encoding="utf-8")
    new.replace(path)
