"""Compiles the wording (``.po`` to ``.mo``) while a wheel or an editable install is built.

A hatchling build hook: https://hatch.pypa.io/latest/plugins/build-hook/custom/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileMessages(BuildHookInterface[Any]):
    """Writes each ``.mo`` beside its ``.po``; the wheel takes it as an artifact."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        for po in Path(self.root, "templates", "gengfu_templates", "locale").glob("*/LC_MESSAGES/*.po"):
            with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source))
