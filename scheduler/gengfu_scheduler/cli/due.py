"""What is to be looked at this month: what ends, waits, says nothing, or came to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
from rich.text import Text

from gengfu_scheduler.cli.help import folded
from gengfu_scheduler.cli.record import named
from gengfu_scheduler.cli.shared import (
    expect_station,
    month_option,
    now,
    open_outbox,
    read_roster,
    show_notices,
)
from gengfu_site import cli as site
from gengfu_site.cli.screen import out
from gengfu_site.problems import GengfuError, Problem
from gengfu_templates.i18n import _

if TYPE_CHECKING:
    from gengfu_scheduler.unsaid import Unsaid
    from gengfu_site.due import Due
    from gengfu_site.settings import Settings

_SHOWN = 12
"""Of one sort on the screen; JSON has all."""


@dataclass(kw_only=True)
class _Report:
    """What could be said: a station may have only one of the two halves, or one that is out of order."""

    since: datetime
    until: datetime
    """Of what lies ahead."""
    articles: Sequence[Due] = ()
    broken: Sequence[Problem] = ()
    waiting: Sequence[Problem] = ()
    silent_topics: Sequence[str] = ()
    unsaid: Unsaid | None = None
    notices: list[str] = field(default_factory=list)


@click.command(
    help=_("这个月要管的事：到期的、该复核的、等人签发的，从没发到群里的，没有文章的主题，没有收到消息的群。")
)
@click.option(
    "--days",
    type=click.IntRange(1, 366),
    default=31,
    show_default=True,
    help=_("今后多少天到期或该复核，过去多少天群里没有收到。"),
)
@month_option(_("按月看，例如 2026-11；写了就不看 --days。"))
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help=_("怎样列出：text 给人看，json 给程序。"),
)
@click.pass_obj
def due(folder: Path, days: int, month: date | None, form: str) -> None:
    expect_station(folder)
    at, settings = now(), site.settings_if_any(folder)
    zone = ZoneInfo(settings.station.timezone) if settings else at.astimezone().tzinfo or UTC
    today = datetime.combine(at.astimezone(zone).date(), time(), zone)
    since, until, heard_since = today, today + timedelta(days=days), at - timedelta(days=days)
    if month:
        since, until = (datetime.combine(day, time(), zone) for day in _whole_month(month))
        heard_since = since
    report = _Report(since=since, until=until)
    if settings:
        _look_at_articles(report, settings, at)
    _look_at_groups(report, folder, at, heard_since)
    if form == "json":
        members = asdict(report)
        click.echo(json.dumps(members, ensure_ascii=False, indent=1, default=_plain))
    else:
        _show(report)


def _whole_month(first: date) -> tuple[date, date]:
    return first, (first + timedelta(days=32)).replace(day=1)


def _look_at_articles(report: _Report, settings: Settings, at: datetime) -> None:
    from gengfu_site.due import due, silent_topics
    from gengfu_site.library import load
    from gengfu_site.readings import of_station

    library, problems = load(settings, at, known=of_station(settings, at))
    report.articles = due(library, at, report.since, report.until)
    report.broken = sorted(problems)
    report.waiting = library.held
    report.silent_topics = silent_topics(library, at)


def _look_at_groups(report: _Report, folder: Path, at: datetime, since: datetime) -> None:
    from gengfu_scheduler.timetable import FILE
    from gengfu_scheduler.unsaid import unsaid

    if not (folder / FILE).is_file():
        report.notices.append(_("这里没有 timetable.yml，群里发过什么不知道。"))
        return
    if since >= at:
        return
    try:
        roster = read_roster(folder)
        with open_outbox(folder, reading=True) as outbox:
            report.unsaid = unsaid(outbox, roster, at, since, report.until)
    except GengfuError as error:
        report.notices.append(_("群里发过什么看不了：{why}").format(why=error))
        return
    if since < at - roster.timetable.keep:
        report.notices.append(
            _("{n} 天以前的发送记录已清除：“从没发过”只算到那时。").format(n=roster.timetable.keep.days)
        )


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


@dataclass(frozen=True, kw_only=True)
class _Part:
    heading: str
    style: str
    lines: Sequence[tuple[str, str]]
    """What it is about, and what is to be known of it, a line or more."""
    next: str = ""
    """What to do, or the command to run."""
    count: int | None = None
    """Where a line is about several."""
    wrapped: bool = False
    """Whether the lines are long; else they must survive being copied."""


def _show(report: _Report) -> None:
    last = report.until - timedelta.resolution
    out.print(f"{report.since:%Y-%m-%d} – {last:%Y-%m-%d}", style="bold")
    show_notices(report.notices)
    parts = [part for part in (*_of_articles(report), *_of_groups(report)) if part.lines]
    for part in parts:
        _show_part(part)
    if not (parts or report.notices):  # where something could not be seen, nobody knows
        out.print(_("没有要管的事。"), style="green")


def _show_part(part: _Part) -> None:
    out.print()
    out.print(
        _("{what}：{n}").format(what=part.heading, n=part.count or len(part.lines)),
        style=f"bold {part.style}",
    )
    for about, known in part.lines[:_SHOWN]:
        _indented(about, 2, wrapped=part.wrapped)
        for line in known.splitlines():
            _indented(line, 6, wrapped=part.wrapped, style="dim")
    if len(part.lines) > _SHOWN:
        more = _("……还有 {n} 个：gengfu due --format json").format(n=len(part.lines) - _SHOWN)
        _indented(more, 2)
    if part.next:
        _indented(f"→ {part.next}", 2, style="green")


def _indented(text: str, columns: int, *, wrapped: bool = False, style: str = "") -> None:
    """``text``; where it is wrapped, its further lines as far from the edge as its first."""
    for line in folded(text, out.width - columns) if wrapped else [text]:
        out.print(Text(" " * columns + line, style))


def _of_articles(report: _Report) -> Iterator[_Part]:
    """The most urgent first."""
    late = [one for one in report.articles if one.what == "review" and one.past]
    reviews = [one for one in report.articles if one.what == "review" and not one.past]
    ending = [one for one in report.articles if one.what == "expires" and not one.past]
    ended = [one for one in report.articles if one.what == "expires" and one.past]
    files = dict.fromkeys(problem.path for problem in report.broken)
    reviewed = _("逐条核对，改 reviewed 和 next_review 的日期，再运行 gengfu build")
    prolonged = _("还有用就改 expires，再运行 gengfu build；不改，到时网页自己说明")
    yield _Part(
        heading=_("有问题，发布不了"), style="red", lines=[(file, "") for file in files], next="gengfu check"
    )
    yield _Part(heading=_("过了复核的日子"), style="red", lines=_dated(late), next=reviewed)
    yield _Part(
        heading=_("等人签发"),
        style="yellow",
        lines=[(problem.path, f"{problem.message}\n→ {problem.remedy}") for problem in report.waiting],
    )
    yield _Part(heading=_("快到期"), style="yellow", lines=_dated(ending), next=prolonged)
    yield _Part(heading=_("该复核"), style="yellow", lines=_dated(reviews), next=reviewed)
    yield _Part(heading=_("已经到期"), style="dim", lines=_dated(ended))
    yield _Part(
        heading=_("没有文章的主题"),
        style="yellow",
        lines=[(topic, "") for topic in report.silent_topics],
        next="gengfu new",
    )


def _dated(articles: Sequence[Due]) -> list[tuple[str, str]]:
    return [(f"{one.day}  {named(one.title, one.id)}", one.file) for one in articles]


def _of_groups(report: _Report) -> Iterator[_Part]:
    if report.unsaid is None:
        return
    groups, entries = report.unsaid.groups, report.unsaid.entries
    yield _Part(
        heading=_("没有收到消息的群"),
        style="yellow",
        lines=_alike((one.why, one.next, named(one.name, one.group)) for one in groups),
        next=f"gengfu status --group {groups[0].group}" if groups else "",
        count=len(groups),
        wrapped=True,
    )
    yield _Part(
        heading=_("从没发到群里的文章"),
        style="yellow",
        lines=_alike((one.why, one.next, named(one.title, one.id)) for one in entries),
        next=_("gengfu explain 群编号 文章编号"),
        count=len(entries),
        wrapped=True,
    )


def _alike(ones: Iterable[tuple[str, datetime | None, str]]) -> list[tuple[str, str]]:
    """Reasons, each with the names of all of which it is true; the commonest first."""
    from gengfu_scheduler.report import shortlist

    alike: dict[str, list[str]] = {}
    for why, when, name in ones:
        planned = _("下次轮到：{when:%m-%d %H:%M}").format(when=when) if when else ""
        alike.setdefault("  ".join(filter(None, (why, planned))), []).append(name)
    return [(why, shortlist(names)) for why, names in sorted(alike.items(), key=lambda one: -len(one[1]))]
