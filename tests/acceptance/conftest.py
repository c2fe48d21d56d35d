"""The product as its users have it: the built wheel in an environment of its own, the source out of the way."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest

from installed import ROOT, Installed


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built once a session. Libraries come from the running environment, this project only from the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    quietly(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    [wheel] = folder.glob("*.whl")
    venv = folder / "venv"
    quietly(sys.executable, "-m", "venv", "--without-pip", str(venv))
    python = venv / "bin/python"
    # A path file's own path files are not read, so the editable install of the running environment stays out.
    packages = next((venv / "lib").glob("python*")) / "site-packages"
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    quietly(
        sys.executable, "-m", "pip", f"--python={python}", "install", "--no-deps", "--no-index", str(wheel)
    )
    for program in ("mkdocs", "properdocs"):
        script = venv / "bin" / program
        script.write_text(f"#!{python}\nimport runpy\nrunpy.run_module('{program}', run_name='__main__')\n")
        script.chmod(0o755)
    return Installed(bin=venv / "bin", wheel=wheel)


def quietly(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
