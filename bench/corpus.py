"""A station of any size, made from the starter library: the same size gives the same files."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gengfu_site import signing
from gengfu_site.approvals import STEPS
from gengfu_site.article import SUMMARY, TITLE
from gengfu_site.reviewers import Claim, admit
from gengfu_site.settings import read_settings
from gengfu_templates import starter

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NEWEST, _DAYS = date(2026, 11, 20), 1_500
"""When the articles of an archive appeared."""


def station(folder: Path, articles: int) -> Path:
    """A station with ``articles`` articles: the starter library's over and over, each with an id of its own."""
    return _station(folder, articles, lambda number, text: text)


def archive(folder: Path, articles: int) -> Path:
    """A station with ``articles`` articles that are no copies, some 1,200 characters each, of several years.

    Paragraphs are drawn anew from those of all articles of the kind; every article tells of some place that hardly
    another one names, as real ones do, and one in three is for an area.
    """
    settings, _problems = read_settings(starter() / "mkdocs.yml")
    assert settings
    areas = [area.path for area in settings.station.areas]
    texts = {path: path.read_text("utf-8") for path in sorted((starter() / "content").rglob("*.md"))}
    paragraphs: dict[str, list[str]] = {}
    for path, text in texts.items():
        paragraphs.setdefault(path.parent.name, []).extend(_body(text).split("\n\n"))
    signs = sorted({sign for text in texts.values() for sign in text if "一" <= sign <= "鿿"})

    def anew(number: int, text: str) -> str:
        chance = random.Random(number)
        place, beside = ("".join(chance.choices(signs, k=3)) for _name in range(2))
        front, kind = text.removesuffix(_body(text)), re.findall(r"(?m)^kind: (\w+)$", text)[0]
        front = re.sub(r"(?m)^expires: .*\n", "", front)
        front = re.sub(r"(?m)^title: (.*)$", lambda m: f"title: {place + m[1]:.{TITLE}}", front)
        front = re.sub(
            r"(?m)^summary: (.*)$", lambda m: f"summary: {place + beside + m[1]:.{SUMMARY}}", front
        )
        back = timedelta(days=chance.randrange(1, _DAYS))
        front = re.sub(r"(?m)^published: \S+", f"published: {_NEWEST - back}", front)
        front = re.sub(r"(?m)^updated: \S+", f"updated: {_NEWEST - back / 2}", front)
        if number % 3 == 0 and "\nareas:" not in front:
            front = front.replace("\nkind:", f"\nareas: [{chance.choice(areas)}]\nkind:", 1)
        body = f"这里说的是{place}和{beside}一带。"
        while len(body) < len(_body(text)):
            body += "\n\n" + chance.choice(paragraphs[kind])
        return front + body + "\n"

    return _station(folder, articles, anew)


def signed(folder: Path) -> Callable[[Path], None]:
    """Have every article of a station signed, from now on before residents see it; returns what signs one more."""
    file = folder / "mkdocs.yml"
    file.write_text(file.read_text("utf-8").replace("review: none", "review: small"), "utf-8")
    settings, problems = read_settings(file)
    assert settings, problems
    at, pin = datetime.now(UTC), "284719"
    chief, officer = (Claim(name=name, pin=pin, login="duty") for name in ("王所长", "李警官"))
    admit(folder, chief.name, STEPS, pin, None, at, login="duty")
    admit(folder, officer.name, (), pin, chief, at, login="duty")

    def sign(path: Path) -> None:
        paths, now = [str(path.relative_to(folder))], datetime.now(UTC)
        signing.submit(settings, signing.drafts(settings, paths, now), officer, now)
        signing.approve(settings, signing.drafts(settings, paths, now), chief, STEPS, now)

    sign(settings.content)
    return sign


def _station(folder: Path, articles: int, written: Callable[[int, str], str]) -> Path:
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
        text = written(number, re.sub(r"(?m)^id: .*$", f"id: {_id(number)}", text, count=1))
        # A copy has another name than its original, so links between articles lead to the page itself.
        target.write_text(re.sub(r"\]\([^)]*\.md[^)]*\)", "](#)", text), "utf-8")
    return folder


def _body(text: str) -> str:
    return text.split("\n---\n", 1)[1]


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
