"""The desk: the one thing of the scheduler that people and programs in the station can call on, over HTTP.

    GET  /t/TOKEN    an owner's task page: what to pass on by hand, and to which groups
    POST /t/TOKEN    that owner's ticks
    GET  /health     for monitoring: 200 while all is well, else 503

Promise: delivery waits for nothing here. Pages are made from the outbox when they are asked for, in threads of
their own, a few at a time; a port that is taken is said, and tried again. There is no log-in: whoever knows a
page's address may read it and tick on it, and nothing leads there but that address (``channels/hand``).
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Lock, Thread

from gengfu_scheduler.channels.hand import TaskPages
from gengfu_scheduler.desk.health import examine
from gengfu_scheduler.desk.pages import Tasks
from gengfu_scheduler.desk.server import Answer, Request, Server
from gengfu_scheduler.outbox import Outbox, OutboxUnusable
from gengfu_scheduler.runner import Runner, Say
from gengfu_scheduler.state import desk_key, name_desk
from gengfu_scheduler.timetable import Place
from gengfu_site.problems import GengfuError, reason
from gengfu_templates.i18n import _

AGAIN = 10.0
"""Seconds until a port that was taken is tried again."""
FRESH = 5.0
"""Seconds for which an answer about health holds: asking more often costs nothing."""
_PAGE = re.compile(r"/t/([0-9]{1,9}-[\w-]{22})", re.ASCII)


@contextmanager
def keep_desk(
    folder: Path,
    runner: Runner,
    outbox: Outbox,
    place: Place | None,
    url: str = "",
    *,
    clock: Callable[[], datetime],
    say: Say,
    again: float = AGAIN,
) -> Iterator[None]:
    """Keep the desk of the station in ``folder`` from enter to exit; whoever does holds the station's lock.

    :param place: where to listen; None: there is none, and nothing happens.
    :param url: where people find it; empty: where it listens.
    :param say: told where it is, and what keeps it from being there.
    :param again: seconds until a port that was taken is tried again.
    """
    if place is None:
        yield
        return
    desk = _Desk(folder, runner, outbox, place, url, clock, say, again)
    desk.open()
    try:
        yield
    finally:
        desk.close()


class _Desk:
    def __init__(
        self,
        folder: Path,
        runner: Runner,
        outbox: Outbox,
        place: Place,
        url: str,
        clock: Callable[[], datetime],
        say: Say,
        again: float,
    ) -> None:
        self._folder = folder
        self._runner = runner
        self._outbox = outbox
        self._place = place
        self._url = url
        self._clock = clock
        self._say = say
        self._again = again
        self._tasks: Tasks | None = None
        self._server: Server | None = None
        self._trouble = ""
        self._closing = Event()
        self._retrying = Thread(target=self._retry, name="desk")
        self._examining = Lock()
        self._examined: tuple[float, Answer] | None = None

    def open(self) -> None:
        self._try()
        self._retrying.start()

    def close(self) -> None:
        self._closing.set()
        self._retrying.join()
        if self._server:
            self._server.stop()

    def _retry(self) -> None:
        while self._server is None and not self._closing.wait(self._again):
            self._try()

    def _try(self) -> None:
        """Listen, if that can be done now; say once why not."""
        try:
            key = desk_key(self._folder)
            assert key is not None
            server = Server(self._place, self._answer)
        except OSError as error:
            self._complain(
                _(
                    "任务页面打不开：不能在 {host}:{port} 上接收（{why}）。消息照常发送；手工转发的群主这时看不到任务，"
                    "空出端口后会自动打开，或在 timetable.yml 的 desk 里换一个。"
                ).format(host=self._place.host, port=self._place.port, why=reason(error))
            )
            return
        except GengfuError as error:
            self._complain(_("任务页面打不开：{why}").format(why=error))
            return
        url = self._url or server.place.url
        self._tasks = Tasks(self._outbox, lambda: self._runner.roster, TaskPages(desk=url, key=key))
        self._server = server
        server.start()
        try:
            name_desk(self._folder, url)
        except GengfuError as error:
            self._say(str(error))
        self._say(_("任务页面开在 {url}（每位群主的地址见 gengfu tasks）。").format(url=url))

    def _complain(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._say(trouble)
        self._trouble = trouble

    def _answer(self, request: Request) -> Answer:
        """Never raises: what goes wrong here must not show more than that it did."""
        try:
            if request.path == "/health":
                return self._health(request)
            if page := _PAGE.fullmatch(request.path):
                return self._task(request, page[1])
            return Answer.plain(404)
        except OutboxUnusable:
            return Answer.plain(503, _("现在读不了发送记录，请过一会儿再试。"))
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} ({Path(place.filename).name}:{place.lineno})"
            self._say(_("任务页面出错，请报告：{what}").format(what=what))
            return Answer.plain(500)

    def _task(self, request: Request, token: str) -> Answer:
        assert self._tasks is not None
        found = self._tasks.find(token)
        if found is None:
            return Answer.plain(404)
        if request.method == "POST":
            return self._tasks.tick(token, *found, request.body, now=self._clock())
        if request.method == "GET":
            return self._tasks.page(*found, now=self._clock())
        return Answer.plain(405, allow="GET, HEAD, POST")

    def _health(self, request: Request) -> Answer:
        if request.method != "GET":
            return Answer.plain(405, allow="GET, HEAD")
        with self._examining:
            before = self._examined
            if before is None or time.monotonic() - before[0] > FRESH:
                found = examine(self._outbox, self._runner, self._clock())
                before = self._examined = time.monotonic(), found
            return before[1]
