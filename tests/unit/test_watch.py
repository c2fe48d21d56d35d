"""The public site is at every moment as it should be, and what is over never stays for another's mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gengfu_site import publish as publishing
from gengfu_site import urgent
from gengfu_site.catalogue import dumps
from gengfu_site.cli import building
from gengfu_site.feeds import catalogue
from gengfu_site.output import Site
from gengfu_site.pages import pages
from gengfu_site.problems import ProblemsFound
from gengfu_site.release import Staged
from gengfu_site.settings import Settings, read_settings
from gengfu_site.watch import Round, watch
from stations import AT, MKDOCS_YML, StationFolder

Act = Callable[[], object] | timedelta
"""What happens; how far the clock jumps."""
ALERT = "{form: 走失, place: 桃园社区, tell: '110'}"
PERSON = "name: 小满\nlast_seen: 南门\nbasis: 监护人同意\nerase_after: 2026-11-21 08:03\n"


@pytest.fixture(autouse=True)
def only_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases of one file, and empty folders for the pages; that they are otherwise whole is held elsewhere."""

    def write(site: Site, staged: Staged, *_rest: object) -> int:
        folder, library, at = staged.folder, site.library, site.at
        for page in pages(library, at):
            (folder / page.path).parent.mkdir(parents=True, exist_ok=True)
        return (folder / "catalogue.json").write_text(dumps(catalogue(library, at)), encoding="utf-8")

    for module in (publishing, urgent):
        monkeypatch.setattr(module, "write", write)


def test_what_begins_and_what_ends_needs_nobody(station: StationFolder) -> None:
    station.article(published="2026-11-21 08:01", expires="2026-11-21 08:03")
    assert rounds(station) == ["08:00:00 0", "08:01:00 1: F7K2Q", "08:03:00 1"]


def test_a_saved_file_is_published_once_it_rests(station: StationFolder) -> None:
    def save(n: int) -> Act:
        return lambda: station.article(body="正文" * n)

    acts = {f"08:01:00.{n}": save(n) for n in range(10, 95, 5)}
    assert rounds(station, acts) == ["08:00:00 0", "08:01:01 1: F7K2Q"]


@pytest.mark.parametrize(
    "file",
    ["mkdocs.yml", "terms.yml", "synonyms.txt", "private/Z9999.yml", "content/a.svg", "audit/log.jsonl"],
)
def test_whatever_a_build_is_made_from_is_watched(station: StationFolder, file: str) -> None:
    text = MKDOCS_YML + "# 改过\n" if file == "mkdocs.yml" else "# 改过\n"
    assert len(rounds(station, {"08:01:00": lambda: station.file(file, text)})) == 2


def test_moments_are_told_in_the_stations_zone_wherever_the_machine_is(station: StationFolder) -> None:
    station.article(published="2026-11-21 08:01")
    made = next(watch(lambda: station.settings, lambda: AT, lambda _seconds: True))
    assert building._at(made.at) + building._next(made) == "11-21 08:00:00  ，下次自动更新：2026-11-21 08:01"


def test_an_editors_hidden_files_are_nobodys_business(station: StationFolder) -> None:
    assert len(rounds(station, {"08:01:00": lambda: station.file("content/.a.md.swp", "x")})) == 1


def test_problems_leave_the_site_as_it_was_until_they_are_mended(station: StationFolder) -> None:
    station.article()
    acts: dict[str, Act] = {
        "08:01:00": lambda: station.article(topics="[没有的]"),
        "08:02:00": lambda: station.article("tip/b.md", id="T2222", title="燃气", kind="tip"),
        "08:03:00": lambda: station.article(),
    }
    assert rounds(station, acts) == [
        "08:00:00 1: F7K2Q",
        "08:01:00 -: F7K2Q !1",
        "08:02:00 -: F7K2Q !1",
        "08:03:00 2: F7K2Q T2222",
    ]


def test_settings_that_cannot_be_read_leave_the_site_as_it_was(station: StationFolder) -> None:
    station.article()
    acts: dict[str, Act] = {
        "08:01:00": lambda: station.file("mkdocs.yml", "site_name: ["),
        "08:02:00": lambda: station.file("mkdocs.yml", MKDOCS_YML),
    }
    assert rounds(station, acts) == ["08:00:00 1: F7K2Q", "08:01:00 -: F7K2Q !1", "08:02:00 1: F7K2Q"]


class TestNobodysMistakeKeepsPublicWhatIsOver:
    @pytest.fixture
    def search(self, station: StationFolder) -> StationFolder:
        station.article("alert/c.md", id="C3333", kind="alert", expires="2026-11-21 08:04", alert=ALERT)
        station.file("private/C3333.yml", PERSON).chmod(0o600)
        return station

    @pytest.mark.parametrize(
        ("file", "text"),
        [
            ("content/tip/broken.md", "---\nid: [\n---\n"),
            ("mkdocs.yml", "site_name: ["),
            ("terms.yml", "forbidden: ["),
        ],
    )
    def test_a_persons_data_goes_in_time_and_the_alert_when_it_ends(
        self, search: StationFolder, file: str, text: str
    ) -> None:
        assert rounds(search, {"08:01:00": lambda: search.file(file, text)}) == [
            "08:00:00 1: C3333 小满",
            "08:01:00 -: C3333 小满 !1",
            "08:03:00 1: C3333 !1",
            "08:04:00 1 !1",
        ]

    def test_an_alert_in_the_middle_of_being_written_stays(self, search: StationFolder) -> None:
        acts: dict[str, Act] = {"08:01:00": lambda: search.file("content/alert/c.md", "---\nid: [\n---\n")}
        assert rounds(search, acts) == [
            "08:00:00 1: C3333 小满",
            "08:01:00 -: C3333 小满 !1",
            "08:03:00 0 !1",
        ]

    def test_a_person_whose_file_is_deleted_does_not_wait_for_the_rest(self, search: StationFolder) -> None:
        acts: dict[str, Act] = {
            "08:01:00": lambda: search.file("content/tip/broken.md", "---\nid: [\n---\n"),
            "08:02:00": (search.folder / "private/C3333.yml").unlink,
        }
        assert rounds(search, acts)[:3] == [
            "08:00:00 1: C3333 小满",
            "08:01:00 -: C3333 小满 !1",
            "08:02:00 1: C3333 !1",
        ]


def test_a_machine_that_slept_makes_up_at_once(station: StationFolder) -> None:
    station.article(published="2026-11-21 09:00", expires="2026-11-21 11:00")
    assert rounds(station, {"08:01:00": timedelta(hours=7)}) == ["08:00:00 0", "15:01:00 1"]


def test_a_clock_that_is_set_back_takes_back_what_began_too_early(station: StationFolder) -> None:
    station.article(published="2026-11-21 07:00:30")
    told = rounds(station, {"08:01:00": timedelta(hours=-1)})
    assert told == ["08:00:00 1: F7K2Q", "07:01:00 1: F7K2Q"]


def test_what_cannot_be_written_is_tried_again(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_files: object) -> int:
        raise OSError(28, "No space left on device", "public")

    station.article()
    works = publishing.write
    monkeypatch.setattr(publishing, "write", full)
    mended = {"08:01:30": lambda: monkeypatch.setattr(publishing, "write", works)}
    first, second, third = rounds(station, mended)
    assert "磁盘满了" in first
    assert second == first.replace("08:00:00", "08:01:00")
    assert third == "08:02:00 1: F7K2Q"


def rounds(station: StationFolder, acts: dict[str, Act] | None = None) -> list[str]:
    """Every round of six minutes: when, how many articles it published, what is public then, what is to be mended."""
    hours = Hours({at(when): act for when, act in (acts or {}).items()})

    def read() -> Settings:
        settings, problems = read_settings(station.folder / "mkdocs.yml")
        if settings is None:
            raise ProblemsFound(problems)
        return settings

    return [told(made, station.folder / "public/catalogue.json") for made in watch(read, hours, hours.wait)]


def told(made: Round, catalogue: Path) -> str:
    items = json.loads(catalogue.read_text("utf-8"))["items"] if catalogue.exists() else []
    public = sorted(item["id"] for item in items)
    for item in items:
        public += [fact["value"] for fact in (item["_gengfu"].get("alert") or {}).get("facts", [])][:1]
    words = [
        f"{made.at:%H:%M:%S}",
        (str(made.published.articles) if made.published else "-") + (":" if public else ""),
        *public,
        *([f"!{len(made.problems)}"] if made.problems else []),
        *([made.trouble] if made.trouble else []),
    ]
    return " ".join(words)


def at(clock: str) -> datetime:
    """That time of the day in Shanghai."""
    return datetime.fromisoformat(f"2026-11-21T{clock}+08:00")


class Hours:
    """A clock, and a wait that lets it run on for six minutes; what is to happen happens at its time."""

    def __init__(self, acts: dict[datetime, Act]) -> None:
        self._acts = dict(sorted(acts.items()))
        self._now, self._left = AT, timedelta(minutes=6)

    def __call__(self) -> datetime:
        return self._now

    def wait(self, seconds: float) -> bool:
        assert 0 <= seconds <= 60, "an instant could be slept through"
        self._now += timedelta(seconds=seconds)
        self._left -= timedelta(seconds=seconds)
        for when in [when for when in self._acts if when <= self._now]:
            act = self._acts.pop(when)
            if isinstance(act, timedelta):
                self._now += act
            else:
                act()
        return self._left <= timedelta()
