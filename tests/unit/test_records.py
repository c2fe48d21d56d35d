"""What is kept of an article between two builds is the article: every field, whoever asks for it first."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from gengfu_site import readings
from gengfu_site.library import Article, load
from gengfu_site.readings import Readings, store_for
from gengfu_site.records import Remembered
from gengfu_site.settings import read_settings
from stations import AT

REPOSITORY = Path(__file__).parents[2]


def test_every_article_of_the_starter_library_is_remembered_as_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_SETTLED", 0)
    settings, problems = read_settings(REPOSITORY / "mkdocs.yml")
    assert settings, problems
    settings = replace(settings, private=tmp_path / "private", reviews={})
    read, _problems = load(settings, AT, as_written=True)
    for _time in range(2):
        known = Readings(store=store_for(settings, tmp_path / "store"), settings=settings, at=AT)
        remembered, _problems = load(settings, AT, as_written=True, known=known)
    kept = [article for article in remembered.articles if isinstance(article, Remembered)]
    assert {article.kind for article in kept} == {"tip", "fraud", "service", "notice", "video", "alert"}
    for before, after in zip(read.articles, remembered.articles, strict=True):
        for field in fields(Article):
            assert getattr(after, field.name) == getattr(before, field.name), (before.path, field.name)
