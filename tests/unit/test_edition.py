"""What earlier builds made counts no longer where another program, or another library, would make other bytes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from gengfu_site import edition

IMPORTED = re.compile(r"^ *from (\w+)[\w.]* import\b|^ *import (\w+)", re.MULTILINE)
PACKAGES = {"PIL": "pillow", "yaml": "pyyaml", "zxingcpp": "zxing-cpp"}
ELSEWHERE = {"gengfu_site", "gengfu_templates", "mkdocs", "requests", "pydantic_core"}
"""Ourselves, read file by file; MkDocs, which keeps nothing; what tries links; what comes with one pydantic alone."""


def test_every_library_that_the_site_is_made_with_is_told_from_another_version() -> None:
    folder = Path(edition.__file__).parent
    texts = (file.read_text("utf-8") for file in [*folder.glob("*.py"), *folder.glob("rules/*.py")])
    names = {one or other for text in texts for one, other in IMPORTED.findall(text)}
    others = names - sys.stdlib_module_names - ELSEWHERE
    assert {PACKAGES.get(name, name) for name in others} <= set(edition._BESIDES)
