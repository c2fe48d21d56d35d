"""What ``gengfu sandbox`` does: serve until asked to end, with robots from a table where one is given."""

from __future__ import annotations

import csv
import io
import signal
from collections.abc import Iterable
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import click

from gengfu_scheduler.sandbox.contract import Robot
from gengfu_scheduler.sandbox.platforms import PLATFORMS
from gengfu_scheduler.sandbox.server import Sandbox
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, reason
from gengfu_templates.i18n import _, series

LOCAL = ("127.0.0.1", "localhost", "::1")


def serve(
    robots: Iterable[Robot], *, host: str, port: int, store: Path | None, admit_unknown: bool = False
) -> None:
    """Run a sandbox until the process is asked to end (SIGINT or SIGTERM); main thread only.

    :raises PortTaken: it cannot listen there.
    :raises StoreUnusable: the store cannot be opened, or holds something else.
    """
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_signal: ended.set())
    with Sandbox(robots, host=host, port=port, store=store, admit_unknown=admit_unknown) as sandbox:
        click.echo(
            _("群消息墙 {url}　机器人 {n} 个。按 Ctrl+C 结束。").format(
                url=sandbox.url, n=len(sandbox.robots())
            )
        )
        ended.wait()


def read_robots(path: Path) -> list[Robot]:
    """The robots of a table with the columns ``id, webhook`` and, where wanted, ``name, platform, secret,
    keyword, area``.

    A ``webhook`` is an address of this sandbox, whatever its port; the platform can be read from it.

    :raises ProblemsFound: rows that name no robot of a sandbox, all at once.
    """
    robots: dict[str, Robot] = {}
    problems: list[Problem] = []
    rows = csv.DictReader(io.StringIO(_text(path).replace("\0", "")), restval="")
    for row in rows:
        found = _robot(row)
        if isinstance(found, str) or found.key in robots:
            problems.append(_problem(path, rows.line_num, found))
        else:
            robots[found.key] = found
    if problems:
        raise ProblemsFound(problems)
    return list(robots.values())


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel saves in China; it decodes any byte sequence that such a file can hold.
        return raw.decode("gb18030", errors="replace")
    except OSError as error:
        raise GengfuError(_("不能读取 {path}（{why}）。").format(path=path, why=reason(error))) from error


def _robot(row: dict[str, str]) -> Robot | str:
    """The row's robot, or what is wrong with it. Never shows the address: it may be a real one."""
    try:
        target = urlsplit(row.get("webhook", "").strip())
    except ValueError:
        target = urlsplit("")
    if target.hostname not in LOCAL:
        return _("webhook 应为沙箱的地址（http://127.0.0.1:端口/…），这一行不是。")
    for platform in PLATFORMS.values():
        key = platform.key_in(target)
        if key and row.get("platform", "").strip() in ("", platform.name):
            return Robot(
                platform=platform.name,
                key=key,
                name=row.get("name", "").strip() or row.get("id", "").strip() or key,
                secret=row.get("secret", "").strip(),
                keyword=row.get("keyword", "").strip(),
                area=row.get("area", "").strip(),
            )
    return _("webhook 与 platform 应属于同一个平台，沙箱有：{known}。").format(known=series(PLATFORMS))


def _problem(path: Path, line: int, found: Robot | str) -> Problem:
    message = found if isinstance(found, str) else _("这个 webhook 在上面已经出现过。")
    return Problem(
        path=path.as_posix(),
        line=line,
        field="webhook",
        message=message,
        remedy=_("请改成 http://127.0.0.1:8780/cgi-bin/webhook/send?key=自取的名字，每群一个。"),
    )
