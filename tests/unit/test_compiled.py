"""Page templates, compiled once and kept beside the program: what may be read back, and what never is."""

from __future__ import annotations

import sys
from pathlib import Path

import jinja2
import pytest

from gengfu_site import render
from gengfu_site.catalogue import Station
from gengfu_site.settings import Settings


@pytest.fixture
def theme(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    monkeypatch.setattr(render, "PAGES", folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return folder


def page(theme: Path, *, language: str = "zh-CN", overrides: Path | None = None) -> str:
    """What a new process shows of the template ``page.html``."""
    station = Station(name="青松路派出所", url="https://qingsong.example/", language=language, timezone="UTC")
    settings = Settings(
        folder=theme, content=theme, public=theme, private=theme, overrides=overrides, station=station
    )
    render._compiled.cache_clear()
    return render.environment(settings).get_template("page.html").render()


def no_compiling(self: jinja2.Environment, *args: object, **kwargs: object) -> None:
    raise AssertionError("compiled")


def test_what_one_process_compiled_the_next_one_reads(theme, monkeypatch):
    (theme / "page.html").write_text("一", "utf-8")
    assert page(theme) == "一"
    monkeypatch.setattr(jinja2.Environment, "compile", no_compiling)
    assert page(theme) == "一"


def test_a_template_that_was_changed_is_compiled_anew(theme):
    (theme / "page.html").write_text("一", "utf-8")
    page(theme)
    (theme / "page.html").write_text("二", "utf-8")
    assert page(theme) == "二"


def test_a_template_with_another_style_sheet_in_it_is_compiled_anew(theme):
    (theme / "page.html").write_text("{{ 'page.css' | asset }}", "utf-8")
    for style in ("a{}", "b{}"):
        (theme / "page.css").write_text(style, "utf-8")
        assert page(theme) == style


def test_a_template_in_another_language_is_compiled_anew(theme):
    (theme / "page.html").write_text("{% trans %}首页{% endtrans %}", "utf-8")
    assert page(theme) == "首页"
    assert page(theme, language="en") == "Home"
    assert page(theme) == "首页"


def test_another_edition_of_the_program_compiles_anew(theme, monkeypatch):
    (theme / "page.html").write_text("一", "utf-8")
    page(theme)
    monkeypatch.setattr(render, "edition", lambda: "another")
    monkeypatch.setattr(jinja2.Environment, "compile", no_compiling)
    with pytest.raises(AssertionError, match="compiled"):
        page(theme)


def test_what_was_damaged_on_the_disk_is_compiled_anew(theme):
    (theme / "page.html").write_text("一", "utf-8")
    page(theme)
    [kept] = (theme / "__pycache__").iterdir()
    whole = kept.read_bytes()
    zeroed = [whole[:at].ljust(len(whole), b"\0") for at in range(0, len(whole), 16)]
    for damaged in (*(whole[:at] for at in range(0, len(whole), 16)), *zeroed, b"x" * 300):
        kept.write_bytes(damaged)
        assert page(theme) == "一"


def test_nothing_compiled_of_a_stations_own_templates_is_kept_or_read(theme, tmp_path):
    (theme / "page.html").write_text("一", "utf-8")
    own = tmp_path / "own"
    own.mkdir()
    (own / "page.html").write_text("本所", "utf-8")
    assert page(theme, overrides=own) == "本所"
    assert [file.name for file in own.iterdir()] == ["page.html"]
    assert not (theme / "__pycache__").exists()


@pytest.mark.parametrize("forbidden", ["written", "a folder"])
def test_where_nothing_can_be_kept_all_is_compiled_each_time(theme, monkeypatch, forbidden):
    (theme / "page.html").write_text("一", "utf-8")
    if forbidden == "written":
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
    else:
        (theme / "__pycache__").write_text("in the way")
    assert [page(theme), page(theme)] == ["一", "一"]
    assert not (theme / "__pycache__").is_dir()
