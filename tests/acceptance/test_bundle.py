"""An offline install: from what ``gengfu bundle`` makes, in a clean environment, with the network off."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gengfu_scheduler.bundle import NotEmpty, NoWheel, PipFailed, bundle
from installed import ROOT, Installed

OFF = ("unshare", "--map-root-user", "--net")
"""In a network of its own, which leads nowhere."""


@pytest.fixture(scope="module")
def made(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("unshare") or subprocess.run([*OFF, "true"], capture_output=True).returncode:
        pytest.skip("no network can be switched off here: unshare is missing or not permitted")
    folder = tmp_path_factory.mktemp("wheels") / "bundle"
    try:
        bundle(folder, installed.wheel, [])
    except PipFailed as failed:
        if "No matching distribution" not in failed.evidence:
            raise
        pytest.skip("pip reaches no package index here")
    return folder


def install(made: Path, where: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [*OFF, "sh", made / "install.sh", where]
    environ = {**environ, "PYTHON": sys.executable}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=600)


def test_a_machine_without_a_network_gets_a_working_program(
    made: Path, installed: Installed, tmp_path: Path
) -> None:
    done = install(made, tmp_path / "venv", installed.environ())
    assert done.returncode == 0, done.stdout + done.stderr
    for command in ("init station", "-C station check", "-C station build"):
        ran = subprocess.run(
            [*OFF, tmp_path / "venv/bin/gengfu", *command.split()],
            cwd=tmp_path,
            env=installed.environ(),
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "station/public/index.html").is_file()


def test_what_was_changed_on_the_way_is_not_installed(
    made: Path, installed: Installed, tmp_path: Path
) -> None:
    copied = shutil.copytree(made, tmp_path / "bundle")
    [wheel] = copied.glob("wheels/gengfu-*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"more")
    done = install(copied, tmp_path / "venv", installed.environ())
    assert done.returncode == 1
    assert "没有安装" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_it_is_not_put_among_other_things(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(NotEmpty):
        bundle(tmp_path, None, [])


def test_a_checkout_without_a_wheel_says_how_one_is_made(tmp_path: Path) -> None:
    if [*ROOT.glob("dist/gengfu-*.whl")]:
        pytest.skip("this checkout has a wheel")
    with pytest.raises(
        NoWheel, match=f"cd {re.escape(str(ROOT))} && python -m pip install build && python -m build --wheel"
    ):
        bundle(tmp_path / "bundle", None, [])
