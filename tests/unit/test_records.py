"""What is kept of an article between two builds is the article: every field, whoever asks for it first."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from gengfu_site import readings
from gengfu_site.library import Article, load
from gengfu_site.readings import Readings, of_station, store_for
from gengfu_site.records import Remembered
from gengfu_site.settings import read_settings
from stations import AT, StationFolder

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
        assert (after.begins, after.changes, after.ends) == (before.begins, before.changes, before.ends)


def test_what_is_remembered_with_another_title_is_any_article(station: StationFolder) -> None:
    station.article()
    known = of_station(station.settings, AT)
    for _time in range(2):
        library, _problems = load(station.settings, AT, known=known)
    (remembered,) = library.articles
    assert isinstance(remembered, Remembered)
    other = replace(remembered, title="另一个")
    assert (type(other), other.title, other.html) == (Article, "另一个", remembered.html)


def test_what_is_remembered_hangs_on_what_the_system_says_of_the_stations_clocks(
    station: StationFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "zones" / station.settings.station.timezone
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(readings, "TZPATH", (str(tmp_path / "zones"),))
    editions = []
    for rules in (b"as they were", b"as they are"):
        readings._clocks_of.cache_clear()  # as another process
        file.write_bytes(rules)
        editions.append(store_for(station.settings).edition)
    assert editions[0] != editions[1]
    file.write_bytes(b"as they will be")
    assert store_for(station.settings).edition == editions[1]  # by which this process goes on counting
    readings._clocks_of.cache_clear()
