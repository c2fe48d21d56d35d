"""The built pages as documents: valid to the letter, and no address in them leads nowhere. No browser is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from links import lost

from .conftest import Site

CHECKER = Path(sys.prefix, "nu/node_modules/vnu-jar/build/dist/vnu.jar")


def test_every_page_is_valid_html(site: Site) -> None:
    """By the Nu Html Checker (https://validator.github.io/validator/), all pages in one process."""
    java = shutil.which("java")
    if not (java and CHECKER.is_file()):
        assert "CI" not in os.environ, "make deps brings Java and the Nu Html Checker"
        pytest.skip("no Java or no Nu Html Checker (make deps installs both)")
    how = ("--errors-only", "--skip-non-html", "--format", "json", "--stdout")
    checked = subprocess.run(
        (java, "-jar", CHECKER, *how, site.folder), capture_output=True, encoding="utf-8", check=False
    )
    assert checked.stdout, checked.stderr
    wrong = [
        f"{m['url']}:{m['lastLine']}: {m['message']} {m['extract']!r}"
        for m in json.loads(checked.stdout)["messages"]
    ]
    assert not wrong, "\n".join(wrong)


def test_a_page_in_any_state_leads_nowhere_that_is_not(site: Site) -> None:
    assert sorted(lost(site.folder, "https://qingsong.example/")) == []
