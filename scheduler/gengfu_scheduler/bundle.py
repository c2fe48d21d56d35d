"""The program with all that it needs in one folder, for a machine without a network.

The versions are those that are installed here, where they are known to work; pip (https://pip.pypa.io/en/stable/cli/pip_wheel/)
fetches or makes their wheels, for this kind of machine and this Python. Promise: what is installed there is what was
bundled here, byte by byte: ``install.sh`` checks every file, pip every wheel once more, and neither asks a network.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions, version
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from gengfu_site.problems import GengfuError
from gengfu_templates import SERVER
from gengfu_templates.i18n import _

_NAME = "gengfu"


class NoWheel(GengfuError):
    """This program was not installed from a wheel that is still there; ``source`` is what it was installed from."""

    def __init__(self, source: str) -> None:
        self.source = source
        words = (
            _(
                "没有找到 gengfu {version} 的安装包（wheel）。在源码文件夹里做一个，再运行一次："
                "cd {source} && python -m pip install build && python -m build --wheel；或者用 --wheel 指明。"
            )
            if Path(source).is_dir()
            else _(
                "gengfu {version} 是从 {source} 装的，那里现在拿不到安装包（.whl）了：用 --wheel 指明它在哪里。"
            )
        )
        super().__init__(words.format(version=version(_NAME), source=source))


class PipFailed(GengfuError):
    """pip could not get what is needed; ``evidence`` is what it said."""

    def __init__(self, evidence: str) -> None:
        self.evidence = evidence
        super().__init__(
            _(
                "pip 没有取到全部安装包：\n{evidence}\n这一步要能连上软件源，换一台能上网的同类机器做。"
            ).format(evidence=evidence)
        )


class NotEmpty(GengfuError):
    """There is something where the bundle was to be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(_("{folder} 已经有东西了，没有动它。写一个新的文件夹名。").format(folder=folder))


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What was made."""

    folder: Path
    wheels: int
    python: str
    """For which Python, e.g. ``3.11``."""
    machine: str
    """For which kind of machine, e.g. ``Linux x86_64``."""


def bundle(folder: Path, wheel: Path | None, extras: Sequence[str]) -> Bundle:
    """Make ``folder``: wheels, their checksums, and ``install.sh``.

    :param wheel: this program's own; None: the one it was installed from, or made in its checkout.
    :param extras: optional parts to bring along, by their names in ``pyproject.toml``.
    :raises NotEmpty: there is something in ``folder``.
    :raises NoWheel: there is no wheel of this program.
    :raises PipFailed: the wheels of others cannot be had.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(folder)
    own = _requirement(wheel, extras)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".gengfu-") as scratch:
        new = Path(scratch, "bundle")
        (new / "wheels").mkdir(parents=True)
        _collect(own, new / "wheels", Path(scratch, "versions.txt"))
        wheels = sorted((new / "wheels").glob("*.whl"))
        made = Bundle(
            folder=folder,
            wheels=len(wheels),
            python=f"{sys.version_info.major}.{sys.version_info.minor}",
            machine=f"{platform.system()} {platform.machine()}",
        )
        (new / "requirements.txt").write_text("".join(map(_pinned, wheels)), encoding="utf-8")
        script = (SERVER / "install.sh").read_text("utf-8")
        for name, text in (("VERSION", version(_NAME)), ("PYTHON", made.python), ("MACHINE", made.machine)):
            script = script.replace(f"@{name}@", text)
        (new / "install.sh").write_text(script, encoding="utf-8", newline="\n")
        files = [new / "install.sh", new / "requirements.txt", *wheels]
        sums = "".join(f"{_digest(file)}  {file.relative_to(new).as_posix()}\n" for file in files)
        (new / "SHA256SUMS").write_text(sums, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.rmdir()
        new.rename(folder)
    return made


def _requirement(wheel: Path | None, extras: Sequence[str]) -> str:
    """This program, as pip is asked for it."""
    own = wheel or _installed_from(distribution(_NAME))
    named = f"{_NAME}[{','.join(extras)}]" if extras else _NAME
    return f"{named} @ {own.resolve().as_uri()}" if own else f"{named}=={version(_NAME)}"


def _installed_from(own: Distribution) -> Path | None:
    """The wheel this program was installed from (https://packaging.python.org/en/latest/specifications/direct-url/);
    None: a package index.

    :raises NoWheel: a checkout in which none was made, or the wheel is gone.
    """
    recorded = own.read_text("direct_url.json")
    if recorded is None:
        return None
    url = json.loads(recorded)["url"]
    where = urlsplit(url)
    if where.scheme != "file":
        raise NoWheel(f"{where.scheme}://{where.hostname}{where.path}")  # it may hold a password besides
    source = Path(url2pathname(where.path))
    wheels = [source] if source.suffix == ".whl" else source.glob(f"dist/{_NAME}-{own.version}-*.whl")
    if there := [wheel for wheel in wheels if wheel.is_file()]:
        return max(there, key=lambda wheel: wheel.stat().st_mtime)
    raise NoWheel(str(source))


def _collect(own: str, wheels: Path, versions: Path) -> None:
    """Put the wheels of ``own`` and of all that it needs into ``wheels``, in the versions that are installed here.

    :param versions: where these are written down for pip.
    """
    versions.write_text("".join(_versions(distributions())), encoding="utf-8")
    asked = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(  # noqa: S603 - pip, by our own Python
        [*asked, "--wheel-dir", wheels, "--constraint", versions, own],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PipFailed(done.stderr.strip()[-2000:])


def _versions(installed: Iterable[Distribution]) -> list[str]:
    return sorted({f"{one.name}=={one.version}\n" for one in installed if one.name != _NAME})


def _pinned(wheel: Path) -> str:
    """One line for pip, by which it takes this wheel and no other."""
    name, number, *_tags = wheel.name.split("-")
    return f"{name.replace('_', '-')}=={number} --hash=sha256:{_digest(wheel)}\n"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
