"""A station of any size, made from the starter library: the same size gives the same files."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from gengfu_templates import starter

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def station(folder: Path, articles: int) -> Path:
    """A station with ``articles`` articles: the starter library's over and over, each with an id of its own."""
    for name in ("mkdocs.yml", "timetable.yml", "groups.csv"):
        shutil.copyfile(starter() / name, folder / name)
    settings = folder / "mkdocs.yml"
    # Shortcuts lead to originals by name.
    settings.write_text(
        re.sub(r"(?m)^ +- \{title: .*, to: \w+/.*\n", "", settings.read_text("utf-8")), "utf-8"
    )
    originals = [
        (path, path.read_text("utf-8"))
        for path in sorted((starter() / "content").rglob("*.md"))
        if path.parent.name in ("tip", "fraud", "service", "notice")
    ]
    shutil.copytree(starter() / "content", folder / "content", ignore=shutil.ignore_patterns("*.md"))
    for number in range(articles):
        path, text = originals[number % len(originals)]
        target = folder / "content" / path.parent.name / f"{path.stem}-{number}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = re.sub(r"(?m)^id: .*$", f"id: {_id(number)}", text, count=1)
        # A copy has another name than its original, so links between articles lead to the page itself.
        target.write_text(re.sub(r"\]\([^)]*\.md[^)]*\)", "](#)", text), "utf-8")
    return folder


def groups(folder: Path, number: int, areas: list[str]) -> None:
    """``groups.csv`` with ``number`` groups spread over ``areas``, in place of the starter station's own."""
    timetable = folder / "timetable.yml"
    timetable.write_text(re.sub(r"(?m)^staff:.*\n", "", timetable.read_text("utf-8")), "utf-8")
    with (folder / "groups.csv").open("w", encoding="utf-8") as table:
        table.write("id,name,reach,platform,area,joined\n")
        for n in range(number):
            table.write(f"g{n},{n} 号群,webhook,wecom,{areas[n % len(areas)]},2026-01-01\n")


def _id(number: int) -> str:
    digits = ""
    for _place in range(6):
        number, digit = divmod(number, 32)
        digits = _ALPHABET[digit] + digits
    return digits
