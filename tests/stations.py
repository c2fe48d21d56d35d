"""A small station to try things on. Verbs: ``station.article(...)`` writes one, ``station.load()`` reads all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from gengfu_site.library import Library, load
from gengfu_site.problems import Problem
from gengfu_site.settings import Settings, read_settings

AT = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
"""The moment the tests' builds are made for: 08:00 in Shanghai."""

MKDOCS_YML = """\
site_name: 青松路派出所便民指南
site_url: https://qingsong.example/
docs_dir: content
site_dir: public
theme: {name: gengfu}
plugins:
  - gengfu:
      station:
        name: 青松路派出所
        contacts: [{role: 值班室, phone: "0000-5550100"}]
      areas:
        - name: 青松路
          slug: qingsong
          contacts: [{role: 警务室, phone: "0000-5550120"}]
          areas:
            - {name: 桃园社区, slug: taoyuan, contacts: [{role: 社区民警, name: 李警官, phone: "0000-5550130"}]}
            - {name: 松园社区, slug: songyuan}
        - {name: 河东, slug: hedong}
      topics: [{name: 电信网络诈骗, slug: telecom-fraud}, {name: 防火用电, slug: fire}]
      audiences: [老年人, 个体商户]
"""

FRONT: Mapping[str, str] = {
    "id": "F7K2Q",
    "title": "刷单返利",
    "summary": "先给小钱，再骗大钱。",
    "kind": "fraud",
    "published": "2026-11-20 09:00",
}


@dataclass(frozen=True, kw_only=True)
class StationFolder:
    folder: Path

    @property
    def settings(self) -> Settings:
        return _settings(self.folder / "mkdocs.yml", (self.folder / "mkdocs.yml").read_bytes())

    def article(self, path: str = "fraud/brushing.md", body: str = "正文\n", **fields: Any) -> Path:
        """Write an article; a field given as None is left out."""
        front = {**FRONT, **fields}
        lines = "".join(f"{name}: {value}\n" for name, value in front.items() if value is not None)
        return self.file(f"content/{path}", f"---\n{lines}---\n{body}")

    def file(self, path: str, data: str | bytes) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data if isinstance(data, bytes) else data.encode())
        return file

    def load(self, at: datetime = AT) -> Library:
        """The library, which must have no problems."""
        library, problems = load(self.settings, at)
        assert not problems
        return library

    def problems(self, at: datetime = AT) -> list[Problem]:
        return load(self.settings, at)[1]


@cache
def _settings(file: Path, _written: bytes) -> Settings:
    """Asked for more often than written."""
    settings, problems = read_settings(file)
    assert settings, problems
    return settings


def empty_station(folder: Path) -> StationFolder:
    """Settings, and a content/ without articles."""
    (folder / "content").mkdir()
    station = StationFolder(folder=folder)
    station.file("mkdocs.yml", MKDOCS_YML)
    return station
