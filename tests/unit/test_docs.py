"""What the docs name is there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[2]
DOCS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_every_test_that_the_delivery_promises_name_exists() -> None:
    tests = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs/delivery.md").read_text("utf-8"))
    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_every_command_file_and_test_that_the_auditors_table_names_exists() -> None:
    from gengfu_scheduler.cli import main

    named = re.findall(r"`([^`]+)`", (ROOT / "docs/compliance.md").read_text("utf-8"))
    tests = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    commands = [name.split()[1:] for name in named if name.startswith("gengfu ")]
    files = [name for name in named if re.fullmatch(r"[\w./-]+(/|\.(py|csv|yml))", name)]
    promises = [name for name in named if re.fullmatch(r"test_\w+…?", name) and name != "test_…"]
    assert min(len(commands), len(promises)) > 20
    assert [words for words in commands if not is_command(main, words)] == []
    assert [name for name in files if name != "webhooks.csv" and not (ROOT / name).exists()] == []
    assert [name for name in promises if f"def {name}(" not in tests] == []


def is_command(group: click.Group, words: list[str]) -> bool:
    first = group.get_command(click.Context(group), words[0])
    return bool(first) and (
        len(words) == 1 or (isinstance(first, click.Group) and is_command(first, words[1:]))
    )


def _linked(doc: Path) -> list[str]:
    """The files that it links or shows."""
    text = re.sub(r"(?s)```.*?```|`[^`]*`", "", doc.read_text("utf-8"))
    targets = re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)|src="([^":]+)"', text)
    return ["".join(pair) for pair in targets]


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_every_file_that_the_docs_link_exists(doc: Path) -> None:
    assert [path for path in _linked(doc) if not (doc.parent / path).exists()] == []


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_every_command_that_the_docs_show_exists(doc: Path) -> None:
    from gengfu_scheduler.cli import main

    shown = set(re.findall(r"\bgengfu ([a-z]+)\b", doc.read_text("utf-8")))
    assert shown <= set(main.commands) | {"and", "is"}


def test_the_officers_guide_explains_every_field() -> None:
    from dataclasses import fields

    from gengfu_site.article import Alert, Case, FrontMatter, Material, Service
    from gengfu_site.persons import Person

    text = (ROOT / "docs/articles.zh-CN.md").read_text("utf-8")
    names = [
        field.name
        for model in (FrontMatter, Service, Case, Material, Alert, Person)
        for field in fields(model)
    ]
    assert [name for name in names if not re.search(rf"[`{{, ]{name}[`:]", text)] == []


def test_a_new_station_has_the_guides_and_no_link_in_them_leads_nowhere(tmp_path: Path) -> None:
    from gengfu_site.start import new_station

    with new_station(tmp_path / "station"):
        pass
    guides = list((tmp_path / "station/说明").glob("*.md"))
    assert {"怎么用.md", "文章怎么写.md", "签发.md"} <= {guide.name for guide in guides}
    assert [
        (guide.name, path)
        for guide in guides
        for path in _linked(guide)
        if not (guide.parent / path).exists()
    ] == []
    assert any((tmp_path / "station/说明/pictures").iterdir())


def test_the_pictures_of_the_officers_guide_are_small() -> None:
    sizes = {file.name: file.stat().st_size for file in (ROOT / "docs/pictures").glob("officers-*")}
    assert len(sizes) >= 4
    assert max(sizes.values()) <= 60_000
