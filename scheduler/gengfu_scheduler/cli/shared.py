"""What the commands share: where they print, and how they come by the clock, the files and the outbox."""

from __future__ import annotations

import getpass
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from gengfu_scheduler.notes import Note
from gengfu_site import cli as site
from gengfu_site.cli.screen import err, escape, out
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from gengfu_scheduler.channels.hand import TaskPages
    from gengfu_scheduler.outbox import Outbox, OutboxOutdated
    from gengfu_scheduler.roster import Roster

FC = TypeVar("FC", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help=_("输出 JSON，供程序读取。"))


def month_option(words: str) -> Callable[[FC], FC]:
    """``--month YYYY-MM``, told to the command as the month's first day.

    :param words: what the help says of it.
    """
    return click.option("--month", callback=_first_day, metavar="YYYY-MM", help=words)


def _first_day(_context: click.Context, _option: click.Parameter, written: str | None) -> date | None:
    if written is None:
        return None
    found = re.fullmatch(r"([12]\d{3})-(0?[1-9]|1[0-2])", written)
    if not found:
        raise click.BadParameter(_("“{found}”不是月份，写成 2026-11 这样。").format(found=written))
    return date(int(found[1]), int(found[2]), 1)


class Stop:
    """Becomes true with SIGTERM or SIGINT. The handler only sets a flag: it may run in the middle of anything, of an
    import, too, where an exception may get lost or a library stumble over it."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_signal: object) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked

    def wait(self) -> None:
        while not self._asked:
            time.sleep(0.2)


def now() -> datetime:
    return datetime.now(UTC)


class Log:
    """Where the scheduler says what it does: a line a note, with its time, for people or for programs.

    What cannot be written - nobody reads on, the disk is full - goes unsaid: the watch goes on.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        """
        :param as_json: a JSON object a line: ``time`` with its offset, ``level``, ``event``, ``text``, and what it is about.
        """
        self._as_json = as_json
        self.zone: tzinfo | None = None
        """The station's; until that is known, this machine's."""

    def __call__(self, text: str) -> None:
        with suppress(OSError, SystemExit):  # rich would end the program where nobody reads on
            self._say(text)

    def _say(self, text: str) -> None:
        at = now().astimezone(self.zone)
        if not self._as_json:
            out.print(f"{at:%m-%d %H:%M:%S}  {escape(text)}")
            return
        event, level, about = (
            (text.event, text.level, text.about) if isinstance(text, Note) else ("note", "info", {})
        )
        line = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": level,
            "event": event,
            "text": str(text),
        }
        click.echo(json.dumps({**line, **about}, ensure_ascii=False))


say = Log()


def sure(question: str) -> bool:
    """Whether the person says yes; no where there is nobody to ask."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        return False


def expect_station(folder: Path) -> None:
    """
    :raises NoStation: neither half finds anything to work with in ``folder``.
    """
    from gengfu_scheduler.timetable import FILE

    if not (folder / FILE).is_file():
        site.settings_in(folder)


def zone_in(folder: Path) -> tzinfo | None:
    """The station's time zone; None, which is this machine's, where no settings tell it."""
    settings = site.settings_if_any(folder)
    return ZoneInfo(settings.station.timezone) if settings else None


def task_pages(folder: Path) -> TaskPages | None:
    """The addresses at the desk that the running scheduler keeps; None where there is none."""
    from gengfu_scheduler.channels.hand import TaskPages
    from gengfu_scheduler.state import desk_key, running

    holder, key = running(folder), desk_key(folder, reading=True)
    return TaskPages(desk=holder.desk, key=key) if holder and holder.desk and key else None


def roster_if_right(folder: Path) -> tuple[Roster | None, GengfuError | None]:
    """The roster, or what is wrong with the files: what was told can be shown all the same."""
    expect_station(folder)
    try:
        return read_roster(folder), None
    except GengfuError as error:
        return None, error


def read_roster(folder: Path) -> Roster:
    from gengfu_scheduler.roster import RosterFiles

    expect_station(folder)
    files = RosterFiles(folder, os.environ)
    roster = files.read()
    if files.trouble:
        err.print(escape(files.trouble), style="yellow")
    return roster


by_option = click.option("--by", default=None, help=_("谁做的；不写就是这台电脑的登录名。"))


def who() -> str:
    """Whoever is logged in here."""
    return getpass.getuser()


def record(folder: Path, by: str | None, action: str, **details: Any) -> None:
    """Note in the audit log that ``by``, else whoever is logged in here, did ``action``.

    :param details: nothing of a missing person, no address.
    """
    from gengfu_site import audit

    audit.append(folder, now(), by or who(), action, details)


@contextmanager
def recording_failure(folder: Path, by: str | None, action: str, **details: Any) -> Iterator[None]:
    """Note in the audit log what breaks, or is interrupted: it was begun, and may be half done."""
    try:
        yield
    except (GengfuError, KeyboardInterrupt):
        record(folder, by, f"{action}.failed", **details)
        raise


@contextmanager
def open_outbox(folder: Path, *, reading: bool = False, only_scheduler: bool = False) -> Iterator[Outbox]:
    """The station's outbox; one of an earlier version is upgraded first.

    :param reading: nothing is made, changed or upgraded.
    :param only_scheduler: this process holds the station's lock.
    :raises OutboxOutdated: it is of an earlier version, and only read or still sent from.
    """
    from gengfu_scheduler.outbox import Outbox, OutboxOutdated
    from gengfu_scheduler.state import database_url

    url = database_url(folder, os.environ, reading=reading)
    try:
        outbox = Outbox(url, reading=reading)
    except OutboxOutdated as outdated:
        if reading:
            raise
        _upgrade(folder, url, outdated, only_scheduler=only_scheduler)
        outbox = Outbox(url)
    with outbox:
        yield outbox


def _upgrade(folder: Path, url: str, outdated: OutboxOutdated, *, only_scheduler: bool) -> None:
    from gengfu_scheduler import state
    from gengfu_scheduler.outbox import upgrade

    alone = nullcontext() if only_scheduler else state.only_scheduler(folder)
    try:
        with alone, err.status(_("正在升级发送记录……")):
            upgrade(url)
    except state.AlreadyRunning:
        raise outdated from None
    record(folder, None, "outbox.upgrade", version=outdated.found)
    err.print(_("发送记录原是第 {found} 版，已升级。").format(found=outdated.found))


def print_json(data: Any, **also: object) -> None:
    """``data``: a report, with further members, or several."""
    members = [asdict(one) for one in data] if isinstance(data, tuple) else {**asdict(data), **also}
    click.echo(json.dumps(members, ensure_ascii=False, indent=1, default=datetime.isoformat))


def show_notices(notices: Sequence[str]) -> None:
    for notice in notices:
        err.print(escape(notice), style="yellow")
