"""One scheduler a station, and its name for the second that comes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from gengfu_scheduler.state import (
    AlreadyRunning,
    Holder,
    NoStateFolder,
    NotOnThisSystem,
    database_url,
    desk_key,
    name_desk,
    note_resting,
    only_scheduler,
    resting,
    running,
    state_folder,
)


@pytest.fixture(autouse=True)
def _station(tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").touch()


def test_a_second_scheduler_is_refused_and_told_who_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gengfu_scheduler.state._PATIENCE", 0.05)
    with only_scheduler(tmp_path):
        with pytest.raises(AlreadyRunning) as refused, only_scheduler(tmp_path):
            pass
        assert refused.value.holder == Holder(host=socket.gethostname(), pid=os.getpid())
        assert str(os.getpid()) in str(refused.value)


def test_who_runs_is_known_while_it_runs(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    with only_scheduler(tmp_path):
        assert running(tmp_path) == Holder(host=socket.gethostname(), pid=os.getpid())
    assert running(tmp_path) is None


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, time\nfrom gengfu_scheduler.state import only_scheduler\n"
        "with only_scheduler(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        assert running(tmp_path) == Holder(host=socket.gethostname(), pid=child.pid)
    finally:
        child.kill()
        child.communicate()
    with only_scheduler(tmp_path):
        pass


def test_since_when_it_runs_is_known_and_a_desk_that_is_named_later_does_not_change_it(
    tmp_path: Path,
) -> None:
    lock = tmp_path / ".gengfu/scheduler.lock"
    with only_scheduler(tmp_path):
        os.utime(lock, (1_000_000_000, 1_000_000_000))
        name_desk(tmp_path, "http://127.0.0.1:8790/")
        found = running(tmp_path)
    assert found
    assert (found.desk, found.since) == ("http://127.0.0.1:8790/", datetime.fromtimestamp(1_000_000_000, UTC))


def test_what_a_dead_process_left_in_the_lock_file_blocks_nobody(tmp_path: Path) -> None:
    state_folder(tmp_path)
    (tmp_path / ".gengfu/scheduler.lock").write_text('{"host": "elsewhere", "pid": 1}')
    assert running(tmp_path) is None
    with only_scheduler(tmp_path):
        assert running(tmp_path) == Holder(host=socket.gethostname(), pid=os.getpid())


def test_one_that_waits_takes_over_when_the_first_ends(tmp_path: Path) -> None:
    asked = Event()

    def wait() -> bool:
        asked.set()
        return True

    def stand_by() -> None:
        with only_scheduler(tmp_path, wait=wait):
            taken.set()

    taken, second = Event(), Thread(target=stand_by)
    with only_scheduler(tmp_path):
        second.start()
        assert asked.wait(60)
        assert not taken.is_set()
    assert taken.wait(60)
    second.join()


def test_where_the_system_has_no_such_lock_it_is_said_what_to_do_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with pytest.raises(NotOnThisSystem, match="Linux"), only_scheduler(tmp_path):
        pass
    assert running(tmp_path) is None


def test_hosts_that_rest_are_known_while_the_scheduler_runs(tmp_path: Path) -> None:
    with only_scheduler(tmp_path):
        assert resting(tmp_path) == ()
        note_resting(tmp_path, {"b.example", "a.example"})
        assert resting(tmp_path) == ("a.example", "b.example")
    assert resting(tmp_path) == ()


def test_two_stations_do_not_hinder_each_other(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "timetable.yml").touch()
    with only_scheduler(tmp_path / "a"), only_scheduler(tmp_path / "b"):
        pass


def test_the_state_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    folder = state_folder(tmp_path)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / ".gitignore").read_text() == "*\n"


def test_the_database_lies_there_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    assert database_url(tmp_path, {}) == f"sqlite:///{tmp_path.resolve()}/.gengfu/outbox.sqlite3"
    assert database_url(tmp_path, {"GENGFU_DATABASE": "postgresql://x"}) == "postgresql://x"


def test_nothing_is_made_in_a_folder_that_is_no_station(tmp_path: Path) -> None:
    (tmp_path / "mkdocs.yml").unlink()
    with pytest.raises(NoStateFolder, match="不是站点文件夹"), only_scheduler(tmp_path):
        pass
    assert database_url(tmp_path, {}, reading=True).endswith("/.gengfu/outbox.sqlite3")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("in_the_way", [".gengfu", ".gengfu/scheduler.lock/x"])
def test_where_its_files_cannot_be_made_it_says_so_with_the_path(tmp_path: Path, in_the_way: str) -> None:
    (tmp_path / in_the_way).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / in_the_way).touch()
    with (
        pytest.raises(NoStateFolder, match=r"gengfu.*写不进去：(已经有同名的文件|这是文件夹)"),
        only_scheduler(tmp_path),
    ):
        pass


def test_the_desks_key_is_made_once_is_nobody_elses_and_is_not_made_by_looking(tmp_path: Path) -> None:
    assert desk_key(tmp_path, reading=True) is None
    key = desk_key(tmp_path)
    assert key
    assert len(key) == 32
    assert desk_key(tmp_path) == desk_key(tmp_path, reading=True) == key
    (file,) = (tmp_path / ".gengfu").glob("desk.*")
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_the_desk_is_is_known_while_it_is_kept(tmp_path: Path) -> None:
    with only_scheduler(tmp_path):
        name_desk(tmp_path, "http://10.1.2.3:8790/")
        found = running(tmp_path)
        assert found
        assert (found.pid, found.desk) == (os.getpid(), "http://10.1.2.3:8790/")
    with only_scheduler(tmp_path):
        found = running(tmp_path)
        assert found
        assert found.desk == ""
