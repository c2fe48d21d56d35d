"""A new officer follows docs/officers.zh-CN.md word for word, with the installed program, and sees what it says."""

from __future__ import annotations

import socket
import sys
import urllib.request
from pathlib import Path

import pytest

from guide import Reader, Typed, steps
from installed import ROOT, Installed
from words import paragraph, photo, picture, word

GUIDE = (ROOT / "docs/officers.zh-CN.md").read_text("utf-8")
PINS = {"王所长": "246810", "李警官": "135790"}
AT_HAND = {
    "防火提示.docx": word(
        paragraph("冬季防火提示", style="T"),
        paragraph("一、出门前", bold=True),
        paragraph("关火、关电、关煤气。"),
        paragraph(picture()),
        media={"image1.png": photo(form="PNG")},
    ),
    "content/pictures/stairs.jpg": photo((4000, 3000), secret="周"),
}
"""What the officer brings along."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="groups are told from a POSIX machine")


def test_the_guide_leads_from_an_empty_folder_to_an_alert_that_is_over(
    installed: Installed, tmp_path: Path
) -> None:
    ports = {"sandbox": free_port(), "serve": free_port()}
    reader = Reader(
        folder=tmp_path,
        bin=installed.bin,
        environ=installed.environ(),
        pins=PINS,
        ports=ports,
        at_hand=AT_HAND,
    )
    try:
        for step in steps(GUIDE):
            reader.follow(step)
            if isinstance(step, Typed) and step.command.startswith("gengfu init"):
                # Another's sandbox may run on this machine.
                webhooks = tmp_path / "我的站点/webhooks.csv"
                webhooks.write_text(
                    webhooks.read_text("utf-8").replace("8780", str(ports["sandbox"])), "utf-8"
                )
        wall = urllib.request.urlopen(f"http://127.0.0.1:{ports['sandbox']}/").read().decode()
    finally:
        reader.leave()
    assert "电热毯睡前要关" in wall
    assert "已找到，请勿再转" in wall


def test_every_command_block_of_the_guide_is_followed() -> None:
    commands = [step.command for step in steps(GUIDE) if isinstance(step, Typed)]
    assert len(commands) == GUIDE.count("```sh\n") > 20


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
