"""What ``gengfu check`` found, for other readers than the officer at the terminal.

JSON for programs; GitHub's workflow commands
(https://docs.github.com/actions/reference/workflow-commands-for-github-actions), which mark the lines of a change; one
page of HTML for the section head, to be printed or sent on: nothing in it is fetched from anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby

from gengfu_site.problems import Problem, Severity
from gengfu_site.rules import RULES
from gengfu_templates import MESSAGES
from gengfu_templates.documents import environment
from gengfu_templates.i18n import officer_language


def as_json(problems: Sequence[Problem]) -> str:
    """An array of objects, members as in :class:`Problem`."""
    return json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=1)


def as_workflow_commands(problems: Sequence[Problem]) -> str:
    """One command a line."""
    return "\n".join(map(_command, problems))


def _command(problem: Problem) -> str:
    properties = {"file": problem.path, "line": str(problem.line), "title": problem.rule}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{problem.severity} {written}::{_data(f'{problem.message} {problem.remedy}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def page(problems: Sequence[Problem], station: str, at: datetime) -> str:
    """One HTML page that stands alone: by severity, then by file, with the reason of each rule.

    :param at: in the station's zone.
    """
    language = officer_language()
    by_severity: dict[Severity, list[tuple[str, list[Problem]]]] = {"error": [], "warning": []}
    for severity, by_file in by_severity.items():
        chosen = sorted(problem for problem in problems if problem.severity == severity)
        by_file += [(path, list(some)) for path, some in groupby(chosen, key=lambda problem: problem.path)]
    return (
        environment(MESSAGES, language)
        .get_template("check.html")
        .render(
            language=language,
            station=station,
            at=at,
            problems=problems,
            by_severity=by_severity,
            why={rule.id: rule.why for rule in RULES},
        )
    )
