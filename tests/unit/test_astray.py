"""Where somebody goes astray who never used a command line: the words lead on, and can be copied as they stand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler.cli import main
from stations import StationFolder
from watch import watch_in

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command in a folder below the test's own."""

    def run(*words: str, within: str = ".") -> Result:
        monkeypatch.chdir(tmp_path / within)
        return CliRunner().invoke(main, words)

    return run


def test_the_command_that_leads_into_a_new_station_can_be_copied(run: Run) -> None:
    result = run("init", "我的 站点")
    assert result.exit_code == 0, result.output
    assert '\n  cd "我的 站点"\n' in result.output


@pytest.mark.parametrize("within", ["我的 站点/content/tip", "."])
def test_in_a_folder_of_the_station_or_above_it_one_is_led_to_it(
    run: Run, tmp_path: Path, within: str
) -> None:
    (tmp_path / "我的 站点/content/tip").mkdir(parents=True)
    (tmp_path / "我的 站点/mkdocs.yml").touch()
    assert f'先运行 cd "{tmp_path / "我的 站点"}"' in run("check", within=within).output


def test_of_several_stations_none_is_chosen(run: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mkdocs.yml").touch()
    assert "先运行 gengfu init 新建一个" in run("check").output


def test_what_the_system_refuses_is_said_in_the_officers_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("init", "file/station")
    assert result.exit_code == 1
    assert "这不是文件夹" in result.output


@pytest.mark.skipif(sys.platform == "win32", reason="it limits no file's size")
def test_on_a_full_disk_no_half_station_and_no_empty_article_is_left(run: Run, tmp_path: Path) -> None:
    full = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "from gengfu_scheduler.cli import main; main()"
    )

    def on_full_disk(*words: str, within: str = ".") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-c", full, *words], cwd=tmp_path / within, capture_output=True
        )

    assert on_full_disk("init", "a").returncode == 1
    assert list((tmp_path / "a").iterdir()) == []
    assert run("init", "a").exit_code == 0
    before = sorted((tmp_path / "a/content").rglob("*"))
    refused = on_full_disk("new", "tip", "防火", within="a")
    assert (refused.returncode, b"Traceback" in refused.stderr) == (1, False)
    assert sorted((tmp_path / "a/content").rglob("*")) == before


def test_words_that_a_terminal_of_another_encoding_garbled_are_refused_and_leave_nothing(
    run: Run, tmp_path: Path
) -> None:
    run("init", "a")
    before = sorted((tmp_path / "a").rglob("*"))
    result = run("new", "tip", "\udcb7\udcc0\udcbb\udcf0", within="a")
    assert result.exit_code == 1
    assert "UTF-8" in result.output
    assert sorted((tmp_path / "a").rglob("*")) == before


INTERRUPTED = """\
import signal, sys
reading = sys.argv.pop(1)
class Interrupted:
    def find_spec(self, name, path, target=None):
        if name == reading:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupted())
signal.signal(signal.SIGINT, signal.default_int_handler)
from gengfu_scheduler.program import program
program()
"""
"""Somebody presses Ctrl+C while the module named first is read in."""


@pytest.mark.skipif(os.name == "nt", reason="nobody is told by which signal a program ended")
def test_who_stops_a_command_while_it_is_read_in_meets_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, "click"], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_who_stops_a_watch_while_it_is_read_in_is_heard(station: StationFolder) -> None:
    command = [sys.executable, "-c", INTERRUPTED, "gengfu_site.watch", "build", "--watch"]
    done = subprocess.run(command, cwd=station.folder, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")


def test_who_stops_the_scheduler_while_it_is_read_in_is_heard(tmp_path: Path) -> None:
    with watch_in(tmp_path):
        command = [sys.executable, "-c", INTERRUPTED, "gengfu_scheduler.outbox", "run", "--listen", "off"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_a_terminal_cannot_show_is_said_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "😀").mkdir()
    command = [sys.executable, "-c", "from gengfu_scheduler.cli import program; program()", "init", "😀/a"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONIOENCODING": "gbk"}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert "已建好 \\U0001f600/a" in done.stdout.decode("gbk")
