"""The one command ``gengfu``: composition root of both halves.

Commands are thin: they read options, call the function that does the work, and show what it returned. Exit
codes: 0 fine, 1 there is something to mend or to look at, 2 used wrongly (https://click.palletsprojects.com).
What a command does not need, it does not import: an alert at night begins with waiting for the imports.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from gengfu_scheduler.cli import (
    alerts,
    audit,
    due,
    groups,
    month,
    planning,
    preview,
    record,
    sending,
    station,
    status,
)
from gengfu_scheduler.cli.shared import err
from gengfu_site import cli as site
from gengfu_site.problems import GengfuError, ProblemsFound
from gengfu_templates.i18n import _


class _Gengfu(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it foresaw ends in words and an exit code, never in a traceback."""
        try:
            return super().invoke(ctx)
        except site.NoStation as error:
            raise click.UsageError(str(error)) from error
        except ProblemsFound as error:
            site.show_problems(error.problems)
        except GengfuError as error:
            err.print(escape(str(error)), style="bold red")
        except BrokenPipeError:
            raise  # the reader has seen enough: click ends quietly
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            err.print(
                _("这台机器不让做：{place}{reason}。检查权限、磁盘空间，或者端口是否被占用。").format(
                    place=escape(str(place)), reason=error.strerror or error
                ),
                style="bold red",
            )
        return ctx.exit(1)


@click.group(
    cls=_Gengfu,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_("更夫：把派出所的 Markdown 文章发布成便民网站，并按时发到居民群里。"),
)
@click.option(
    "-C",
    "--station",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help=_("站点文件夹，默认是当前文件夹。"),
)
@click.version_option(package_name="gengfu", message="gengfu %(version)s")
@click.pass_context
def main(ctx: click.Context, station: Path) -> None:
    ctx.obj = station


COMMANDS = (
    station.init,
    station.check,
    planning.plan,
    planning.explain,
    preview.preview,
    sending.push,
    sending.resend,
    sending.stop,
    alerts.alert,
    alerts.update,
    alerts.resolve,
    alerts.cancel,
    alerts.withdraw,
    sending.run,
    audit.review,
    status.status,
    record.tasks,
    month.report,
    due.due,
    audit.audit_,
    audit.log,
    groups.groups,
    station.sandbox,
    station.demo,
    *site.COMMANDS,
)

for _command in COMMANDS:
    main.add_command(_command)
