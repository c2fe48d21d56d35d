"""A desk to call on: a watch whose scheduler keeps one. Verbs: ``get``, ``tick``, ``ask`` for anything else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from gengfu_scheduler import report
from gengfu_scheduler.channels.hand import TaskPages
from gengfu_scheduler.desk import keep_desk
from gengfu_scheduler.state import desk_key, only_scheduler, running
from gengfu_scheduler.timetable import Place
from watch import Watch

ANYWHERE = Place(host="127.0.0.1", port=0)
OWNERS = {"李警官": 12, "赵警官": 2}
"""How many groups each passes on to by hand."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str


class Desk:
    """The desk that ``watch`` keeps."""

    def __init__(self, watch: Watch, url: str) -> None:
        self.watch = watch
        self.runner = watch.runner
        self.url = url
        self.place = urlsplit(url).hostname or "", urlsplit(url).port or 0

    def pages(self) -> dict[str, str]:
        """Owner to the address of the page of what that one has to pass on of the newest broadcast."""
        key = desk_key(self.watch.folder)
        assert key
        (newest, *_older) = self.watch.outbox.broadcasts(limit=1)
        roster, now = self.watch.runner.roster, self.watch.now
        pages = TaskPages(desk=self.url, key=key)
        told = report.broadcast_report(self.watch.outbox, newest.broadcast.key, roster, now, pages=pages)
        return {task.owner: task.page for task in told.tasks if task.page}

    def ask(
        self, method: str, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        connection = HTTPConnection(*self.place, timeout=60)
        try:
            connection.request(method, address.replace(self.url, "/"), body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        return Reply(status=answer.status, headers=dict(answer.getheaders()), text=text)

    def get(self, address: str) -> Reply:
        return self.ask("GET", address)

    def tick(self, address: str, **fields: str) -> Reply:
        """Post a form, as a browser does."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", address, urlencode(fields).encode(), kind)

    def send(self, wire: bytes) -> bytes:
        """What comes back for ``wire``, until the desk hangs up."""
        with socket.create_connection(self.place, timeout=60) as line:
            line.sendall(wire)
            return b"".join(iter(lambda: line.recv(65536), b""))


def ticks(page: str) -> str:
    """The groups' ticks on a page in their order: ``x`` for done, ``-`` for not."""
    pressed = re.findall(r'class="row" .*?aria-pressed="(\w+)"', page)
    return "".join("x" if one == "true" else "-" for one in pressed)


def by_hand(watch: Watch) -> None:
    """Give the watch's station :data:`OWNERS` and their groups, and none else."""
    lines = [
        f"{'li' if owner == '李警官' else 'zhao'}{n},{owner[0]}家{n}群,hand,,,青松路,{owner},"
        for owner, number in OWNERS.items()
        for n in range(1, number + 1)
    ]
    watch.write("groups.csv", "id,name,reach,platform,webhook,area,owner,quiet_hours\n" + "\n".join(lines))
    watch.start()


@contextmanager
def desk_of(watch: Watch) -> Iterator[Desk]:
    with (
        only_scheduler(watch.folder),
        keep_desk(
            watch.folder, watch.runner, watch.outbox, ANYWHERE, clock=lambda: watch.now, say=watch.said.append
        ),
    ):
        holder = running(watch.folder)
        assert holder
        assert holder.desk
        yield Desk(watch, holder.desk)
        assert Path(watch.folder, ".gengfu/desk.key").stat().st_mode & 0o077 == 0
