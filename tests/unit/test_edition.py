"""What earlier builds made counts no longer where another program, or another library, would make other bytes."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from gengfu_site import edition

ELSEWHERE = {"gengfu", "mkdocs", "requests", "pydantic_core"}
"""Ourselves, read file by file; MkDocs, which keeps nothing; what tries links; what comes with one pydantic alone."""


def test_every_library_that_the_site_is_made_with_is_told_from_another_version() -> None:
    folder = Path(edition.__file__).parent
    names = {name for file in [*folder.glob("*.py"), *folder.glob("rules/*.py")] for name in imported(file)}
    others = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    sources = packages_distributions()
    packages = {package.lower() for name in others for package in sources.get(name, ())}
    assert packages - ELSEWHERE <= set(edition._BESIDES)


def imported(file: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found
