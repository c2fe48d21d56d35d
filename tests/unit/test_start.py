"""What a command waits for before it does anything: its own modules, and of the libraries those that it uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stations import StationFolder

HEAVY = {
    "PIL",
    "alembic",
    "apprise",
    "apscheduler",
    "chinese_calendar",
    "ctypes",
    "feedgen",
    "jinja2",
    "lxml",
    "mammoth",
    "mkdocs",
    "nh3",
    "pycurl",
    "python_calamine",
    "requests",
    "sqlalchemy",
    "ssl",
    "watchdog",
    "zxingcpp",
}
"""Of the libraries, those that take more than some milliseconds to import, or bring along others that do."""
SHOWN = {"rich.console", "rich.live", "rich.markup", "rich.progress", "rich.table"}
"""What only who is told in colours, looks on or asks for a table has to wait for."""


def loaded(*lines: list[str]) -> set[str]:
    """The modules of a new process in which these commands were run one after the other."""
    program = (
        "import json, sys\n"
        "from gengfu_scheduler.cli import main\n"
        "for line in json.loads(sys.argv[1]):\n"
        "    main(line, standalone_mode=False)\n"
        "print(json.dumps(list(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(lines)], capture_output=True, text=True, check=True
    )
    modules: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(modules)


def commands() -> list[str]:
    from gengfu_scheduler.cli import main

    return sorted(main.commands)


def test_no_command_imports_a_heavy_library_before_it_knows_that_it_needs_it() -> None:
    assert loaded(*([name, "--help"] for name in commands())) & HEAVY == set()


@pytest.mark.parametrize(
    ("command", "its"),
    [
        ("plan", {"shared", "planning"}),
        ("alert", {"shared", "alerts", "record", "sending"}),
        ("build", set()),
    ],
)
def test_a_command_does_not_import_the_others(command: str, its: set[str]) -> None:
    within = "gengfu_scheduler.cli."
    modules = {name.removeprefix(within) for name in loaded([command, "--help"]) if name.startswith(within)}
    assert modules == {"help"} | its


def test_a_build_after_one_edit_imports_no_more_than_it_uses(station: StationFolder) -> None:
    station.article("tip/a.md", id="T0001", kind="tip")
    build = ["-C", str(station.folder), "build"]
    loaded(build)
    station.article("tip/a.md", "写多一点。\n", id="T0001", kind="tip")
    page, feeds = {"jinja2", "nh3", "zxingcpp"}, {"ctypes", "feedgen", "lxml"}
    assert loaded(build) & (HEAVY | SHOWN | {"concurrent.futures"}) == page | feeds
    assert loaded(build) & feeds == set()  # nothing changed


@pytest.mark.parametrize(("line", "code"), [("--version", 0), ("nonesuch", 2)])
def test_the_program_ends_at_once_when_all_is_said_and_its_exit_handlers_have_run(line, code) -> None:
    program = (
        "import atexit, sys\n"
        "class Left:\n"
        "    def __del__(self): print('taken apart')\n"
        "left = Left()\n"
        "atexit.register(print, 'handled')\n"
        "from gengfu_scheduler.cli import program\n"
        "program()\n"
    )
    done = subprocess.run([sys.executable, "-c", program, line], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (code, "handled")


def test_at_the_programs_end_who_still_works_is_waited_for() -> None:
    program = (
        "import threading\n"
        "ending = threading.Event()\n"
        "threading._register_atexit(ending.set)\n"
        "threading.Thread(target=lambda: (ending.wait(30), print('done'))).start()\n"
        "from gengfu_scheduler.cli import program\n"
        "program()\n"
    )
    done = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "done")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_the_program_does_not_end_well_where_what_it_said_was_not_written() -> None:
    program = (
        "import atexit; atexit.register(print, 'said'); from gengfu_scheduler.cli import program; program()"
    )
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", program, "nonesuch"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.DEVNULL, env=buffered)
    assert done.returncode == 120


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_what_click_tells_by_itself_ends_in_words_too_where_it_cannot_be_written(asked: str) -> None:
    program = "from gengfu_scheduler.cli import program; program()"
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", program, asked]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    assert done.returncode != 0
    assert "磁盘满了" in done.stderr
    assert "Traceback" not in done.stderr
