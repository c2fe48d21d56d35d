"""The starter library's pictures are what the drawing code draws: whoever edits one edits the code."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_pictures_are_as_drawn() -> None:
    code = runpy.run_path(str(ROOT / "templates/draw_pictures.py"))
    drawn = {f"{name}.svg": code["draw"](picture) for name, picture in code["PICTURES"].items()}
    kept = {file.name: file.read_text("utf-8") for file in (ROOT / "content/pictures").iterdir()}
    assert drawn == kept
