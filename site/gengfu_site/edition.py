"""Which program this is: another one may make other bytes of the same articles."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import gengfu_templates

_BESIDES = (
    "comrak",
    "feedgen",
    "jinja2",
    "lxml",
    "markupsafe",
    "nh3",
    "pillow",
    "pydantic",
    "pyyaml",
    "tzdata",
    "zxing-cpp",
)
"""Packages from which bytes of the site, or readings of an article, come."""


@cache
def edition() -> str:
    """A digest of the program, its templates and whatever else its output hangs on."""
    digest = hashlib.sha256(sys.version.encode())
    for name in _BESIDES:
        digest.update(f"{name} {_described(name)}\n".encode())
    for file in _files():
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
        if file.suffix != ".otf":
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _files() -> list[Path]:
    templates = Path(gengfu_templates.__file__).parent
    ours = [*Path(__file__).parent.rglob("*.py"), *templates.glob("*.*"), *gengfu_templates.PAGES.iterdir()]
    ours += [*templates.rglob("*.mo"), gengfu_templates.FONT]
    return sorted(file for file in ours if file.is_file())


def _described(package: str) -> str:
    """What its maker says of it, version and all, unread: taking ten such texts apart cost half as much as all the rest."""
    try:
        found = distribution(package)
    except PackageNotFoundError:
        return ""
    return found.read_text("METADATA") or found.read_text("PKG-INFO") or ""
