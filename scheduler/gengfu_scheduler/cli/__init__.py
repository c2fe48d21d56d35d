"""The one command ``gengfu``: composition root of both halves.

Commands are thin: they read options, call the function that does the work, and show what it returned. Exit
codes: 0 fine, 1 there is something to mend or to look at, 2 used wrongly (https://click.palletsprojects.com).
What a command does not need, it does not import: an alert at night begins with waiting for the imports.
"""

from __future__ import annotations

import atexit
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
from click.exceptions import Exit

from gengfu_scheduler.cli.help import Formatter, Sections
from gengfu_site import cli as site
from gengfu_site.cli.screen import err, escape
from gengfu_site.problems import GengfuError, ProblemsFound, reason
from gengfu_templates.i18n import _


class _Gengfu(Sections):
    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read what was asked for; help and the version are told here."""
        with _in_words():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _in_words():
            return super().invoke(ctx)


@contextmanager
def _in_words() -> Iterator[None]:
    """What a command foresaw ends in words and an exit code, never in a traceback."""
    try:
        yield
        return
    except site.NoStation as error:
        raise click.UsageError(str(error)) from error
    except ProblemsFound as error:
        site.show_problems(error.problems)
    except GengfuError as error:
        err.print(escape(str(error)), style="bold red")
    except UnicodeEncodeError:
        words = _("有一段文字或一个文件名不是 UTF-8 编码。把终端的编码设成 UTF-8，重新打一遍，或改文件名。")
        err.print(words, style="bold red")
    except BrokenPipeError:
        raise  # the reader has seen enough: click ends quietly
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        err.print(
            _("这台机器不让做：{place}{reason}。检查权限、磁盘空间，或者端口是否被占用。").format(
                place=escape(str(place)), reason=reason(error)
            ),
            style="bold red",
        )
    raise Exit(1)


@click.group(
    cls=_Gengfu,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_("更夫：把派出所的 Markdown 文章发布成便民网站，并按时发到居民群里。"),
    epilog=_("第一次用，请看站点文件夹里的“说明/怎么用.md”。一个命令怎么用：gengfu 命令 --help"),
)
@click.option(
    "-C",
    "--station",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help=_("站点文件夹，默认是当前文件夹。"),
)
@click.version_option(package_name="gengfu", message="gengfu %(version)s", help=_("显示版本。"))
@click.pass_context
def main(ctx: click.Context, station: Path) -> None:
    ctx.obj = station


click.Context.formatter_class = Formatter

main.hold(
    {
        _("写文章"): {
            "new": "gengfu_site.cli.writing:new",
            "import": "gengfu_site.cli.writing:import_",
            "fix": "gengfu_site.cli.writing:fix",
            "check": "gengfu_scheduler.cli.station:check",
            "serve": "gengfu_scheduler.cli.serving:serve",
        },
        _("签发和公开"): {
            "submit": "gengfu_site.cli.signing:submit",
            "approve": "gengfu_site.cli.signing:approve",
            "reviewers": "gengfu_site.cli.signing:reviewers",
            "build": "gengfu_site.cli.building:build",
            "withdraw": "gengfu_scheduler.cli.alerts:withdraw",
            "log": "gengfu_scheduler.cli.audit:log",
        },
        _("发到群里"): {
            "plan": "gengfu_scheduler.cli.planning:plan",
            "preview": "gengfu_scheduler.cli.preview:preview",
            "push": "gengfu_scheduler.cli.sending:push",
            "run": "gengfu_scheduler.cli.sending:run",
            "tasks": "gengfu_scheduler.cli.record:tasks",
            "resend": "gengfu_scheduler.cli.sending:resend",
            "stop": "gengfu_scheduler.cli.sending:stop",
        },
        _("紧急警情"): {
            "alert": "gengfu_scheduler.cli.alerts:alert",
            "update": "gengfu_scheduler.cli.alerts:update",
            "resolve": "gengfu_scheduler.cli.alerts:resolve",
            "cancel": "gengfu_scheduler.cli.alerts:cancel",
            "review": "gengfu_scheduler.cli.audit:review",
        },
        _("看结果"): {
            "status": "gengfu_scheduler.cli.status:status",
            "explain": "gengfu_scheduler.cli.planning:explain",
            "due": "gengfu_scheduler.cli.due:due",
            "report": "gengfu_scheduler.cli.month:report",
            "audit": "gengfu_scheduler.cli.audit:audit_",
        },
        _("建站和群"): {
            "init": "gengfu_scheduler.cli.station:init",
            "groups": "gengfu_scheduler.cli.groups:groups",
            "sandbox": "gengfu_scheduler.cli.station:sandbox",
            "demo": "gengfu_scheduler.cli.station:demo",
        },
        _("服务器和备份"): {
            "deploy": "gengfu_scheduler.cli.machine:deploy",
            "backup": "gengfu_scheduler.cli.machine:backup",
            "restore": "gengfu_scheduler.cli.machine:restore",
            "bundle": "gengfu_scheduler.cli.machine:bundle",
        },
    }
)


def program() -> None:
    """The command as a program of its own, which ends without taking apart what lies in its memory: at the end of a build
    of 10,000 articles that would take a tenth of a second."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a title may hold what this terminal's encoding does not
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, int) and threading.active_count() == 1:
            _leave(end.code)
        raise


def _leave(code: int) -> None:
    """End the process, once all that was to happen at its end has happened; not where what it said cannot be written, for
    Python has words and a code for that."""
    atexit._run_exitfuncs()  # as multiprocessing ends its processes
    with suppress(OSError, ValueError):
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(code)
