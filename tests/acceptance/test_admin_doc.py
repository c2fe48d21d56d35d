"""The administrator's page, followed word for word."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from installed import ROOT, Installed

PAGE = ROOT / "docs/admin.md"
IN_CHINESE = ROOT / "docs/admin.zh-CN.md"


def blocks(page: Path, marks: str) -> list[str]:
    return re.findall(rf"(?ms)^```(?:{marks})\n(.*?)^```", page.read_text("utf-8"))


def test_both_languages_show_the_same_commands() -> None:
    assert blocks(PAGE, "sh|console|yaml") == blocks(IN_CHINESE, "sh|console|yaml")


def test_the_administrators_page_can_be_followed_word_for_word(installed: Installed, tmp_path: Path) -> None:
    shown = blocks(PAGE, "sh")
    assert len(shown) >= 5
    environ = installed.environ({"PATH": f"{installed.bin}:{os.environ['PATH']}"})
    done = subprocess.run(
        ["sh", "-eu", "-c", "".join(shown)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "station/etc/systemd/system/gengfu-run.service").is_file()
    assert (tmp_path / "rehearsal/public/index.html").is_file()
    assert not (tmp_path / "rehearsal/webhooks.csv").exists()
