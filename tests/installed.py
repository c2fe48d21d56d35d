"""The built wheel, installed in an environment of its own."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An installed wheel."""

    bin: Path
    wheel: Path

    def run(
        self, *command: str, cwd: Path, code: int = 0, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run an installed program; its exit code must be ``code``."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=cwd,
            env=self.environ(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def environ(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GENGFU"))}
        return {**clean, "LANG": "zh_CN.UTF-8", "PYTHONUTF8": "1", **(extra or {})}


def until(word: str, stream: IO[bytes]) -> str:
    """What the stream said up to and with ``word``."""
    said, deadline = b"", time.monotonic() + 60
    while word not in said.decode("utf-8", "ignore"):
        ready, _write, _error = select.select([stream], [], [], max(0, deadline - time.monotonic()))
        assert ready, said.decode()
        more = os.read(stream.fileno(), 65536)
        assert more, said.decode()
        said += more
    return said.decode("utf-8", "ignore")
