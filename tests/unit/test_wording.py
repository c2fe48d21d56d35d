"""The English catalogue says all that the Chinese in the code says, and says it in English.

``make messages`` brings new wording into the catalogue; its English has to be written by hand.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "templates/gengfu_templates/locale/en/LC_MESSAGES/gengfu.po"

# Characters, their punctuation, and the full-width forms of ours.
CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"\{[^{}]*\}|%\(\w+\)s")


@pytest.fixture(scope="module")
def english() -> Catalog:
    return _read(ENGLISH)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The wording as ``make messages`` collects it."""
    collected = tmp_path_factory.mktemp("wording") / "gengfu.pot"
    extract = ["-q", "extract", "-F", "templates/babel.cfg", "-o", str(collected), "."]
    subprocess.run([sys.executable, "-m", "babel.messages.frontend", *extract], cwd=ROOT, check=True)
    return _read(collected)


def test_all_wording_has_its_english_and_no_english_outlives_its_wording(
    english: Catalog, collected: Catalog
) -> None:
    """After a change of wording: run ``make messages``, then write what is missing."""
    assert [m.id for m in english if not m.string or m.fuzzy] == []
    assert _texts(english) == _texts(collected)
    assert list(english.obsolete) == []


def test_all_that_is_marked_for_translation_is_collected(collected: Catalog) -> None:
    """Before Python 3.12 a ``_("…")`` within an f-string is not found; a variable never is."""
    assert [place for text, place in _marked() if text not in _texts(collected)] == []


def test_the_english_fills_in_what_the_chinese_does(english: Catalog) -> None:
    assert [m.id for m in english if _placeholders(m.id) != _placeholders(m.string)] == []


def test_no_english_text_has_chinese_in_it(english: Catalog) -> None:
    assert [m.string for m in english if m.id and CHINESE.search(m.string)] == []


def test_the_command_speaks_english(english: Catalog, tmp_path: Path) -> None:
    assert "Check articles, group list and timetable" in _gengfu(english, tmp_path, "--help")


def test_a_problem_is_told_in_english(english: Catalog, tmp_path: Path) -> None:
    station = tmp_path / "station"
    station.mkdir()
    (station / "mkdocs.yml").write_text("site_url: https://qingsong.example/\nplugins: []\n", "utf-8")
    (problem,) = json.loads(_gengfu(english, tmp_path, "-C", str(station), "check", "--format", "json"))
    assert problem["message"] == "gengfu is missing from plugins."
    assert problem["remedy"].startswith("As the documentation shows, write")


def _gengfu(english: Catalog, folder: Path, *arguments: str) -> str:
    """What the command prints with this very catalogue, not with one compiled earlier; never Chinese."""
    compiled = folder / "locale/en/LC_MESSAGES/gengfu.mo"
    compiled.parent.mkdir(parents=True)
    with compiled.open("wb") as file:
        write_mo(file, english)
    start = (
        "import pathlib, sys\nfrom gengfu_templates import i18n\ni18n._LOCALE = pathlib.Path(sys.argv.pop(1))"
    )
    command = f"{start}\nfrom gengfu_scheduler.cli import main\nmain(prog_name='gengfu')"
    done = subprocess.run(
        [sys.executable, "-c", command, str(folder / "locale"), *arguments],
        env=os.environ | {"GENGFU_LANG": "en", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    assert not CHINESE.search(done.stdout + done.stderr), done.stdout + done.stderr
    return done.stdout


def _read(file: Path) -> Catalog:
    with file.open("rb") as opened:
        return read_po(opened)


def _texts(catalogue: Catalog) -> set[str]:
    return {m.id for m in catalogue if m.id}


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _marked() -> Iterator[tuple[str | None, str]]:
    """Every call of ``_`` in the code: its text, None where it is no literal, and where it stands."""
    for file in sorted([*ROOT.glob("site/**/*.py"), *ROOT.glob("scheduler/**/*.py")]):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="_"), args=[ast.Constant(value=text)]):
                    yield text, f"{file.relative_to(ROOT)}:{node.lineno}"
                case ast.Call(func=ast.Name(id="_")):
                    yield None, f"{file.relative_to(ROOT)}:{node.lineno}"
