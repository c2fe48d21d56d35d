"""A station as one file, and back."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gengfu_scheduler.backup import Backup, Inside, NoBackup, NotEmpty, back_up, keep_newest, name_of, restore
from gengfu_scheduler.outbox import Outbox, OutboxOutdated, OutboxUnusable
from gengfu_scheduler.state import restored_at
from gengfu_site import audit
from outboxes import DAY, NOON, execute, make_earlier, plan
from stations import StationFolder, empty_station

WEBHOOKS = "id,webhook\nq1,https://qyapi.weixin.qq.com/x\n"
PLACES = {
    "mkdocs.yml": None,
    "timetable.yml": "slots: {}\n",
    "groups.csv": "id,name\n",
    "terms.yml": "forbidden: []\n",
    ".gitignore": "/private/\n",
    "content/tip/gas.mp3": "tune",
    "messages/digest.txt": "{{ title }}",
    "audit/approved/0a/0a1b": "signed",
}
"""What a station is made of."""
NOT_IN_IT = {
    "private/W4K1S.yml": "name: 王某",
    "inbox/来件.docx": "draft",
    "webhooks.csv": WEBHOOKS,
    "audit/reviewers.json": "{}",
    "群.xlsx": "addresses",
    "public/.gengfu-site": "",
    "public/index.html": "made by a build",
    ".gengfu/desk.key": "key",
    "venv/pyvenv.cfg": "",
    "venv/lib/x.py": "",
}


def url(folder: Path) -> str:
    return f"sqlite:///{folder / '.gengfu/outbox.sqlite3'}"


@pytest.fixture
def station(tmp_path: Path) -> StationFolder:
    """A station without articles, in a folder that is not the whole world."""
    (tmp_path / "qingsong").mkdir()
    return empty_station(tmp_path / "qingsong")


@pytest.fixture
def whole(station: StationFolder) -> StationFolder:
    """A station with everything that one may have."""
    station.article()
    for path, text in (PLACES | NOT_IN_IT).items():
        if text is not None:
            station.file(path, text)
    audit.append(station.folder, NOON, "王警官", "push", {"target": "morning"})
    with Outbox(url(station.folder)) as outbox:
        plan(outbox, "a b c")
    return station


def backed_up(station: StationFolder, *secrets: str) -> Path:
    file = station.folder.with_name("backup.tar.gz")
    back_up(station.folder, file, url(station.folder), secrets=secrets, now=NOON)  # type: ignore[arg-type]
    return file


def restored(file: Path) -> tuple[Path, Backup]:
    folder = file.with_name("restored")
    return folder, restore(file, folder, who="王警官", now=NOON)


def contents(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


class TestWhatIsInIt:
    def test_a_station_comes_back_byte_by_byte_with_its_outbox(self, whole: StationFolder) -> None:
        folder, backup = restored(backed_up(whole))
        before, after = contents(whole.folder), contents(folder)
        for path in (*PLACES, "content/fraud/brushing.md"):
            assert after[path] == before[path], path
        with Outbox(url(folder)) as outbox:
            assert [delivery.group for delivery in outbox.deliveries("digest@21-120000")] == ["a", "b", "c"]
        assert backup.outbox

    def test_neither_persons_nor_secrets_nor_what_can_be_made_again_is_in_it(
        self, whole: StationFolder
    ) -> None:
        _folder, backup = restored(backed_up(whole))
        assert not set(NOT_IN_IT) & set(backup.files)
        assert backup.secrets == []

    def test_webhooks_and_pins_are_in_it_where_they_were_asked_for_and_stay_for_their_owner_alone(
        self, whole: StationFolder
    ) -> None:
        folder, backup = restored(backed_up(whole, "webhooks", "pins"))
        assert backup.secrets == ["webhooks", "pins"]
        assert (folder / "webhooks.csv").read_text() == WEBHOOKS
        for path in ("webhooks.csv", "audit/reviewers.json", ".gengfu/outbox.sqlite3"):
            assert (folder / path).stat().st_mode & 0o777 == 0o600, path

    def test_the_file_is_for_its_owner_alone(self, whole: StationFolder) -> None:
        assert backed_up(whole).stat().st_mode & 0o777 == 0o600

    def test_what_an_alert_says_is_not_in_it_and_stays_where_it_is_needed(self, whole: StationFolder) -> None:
        with Outbox(url(whole.folder)) as outbox:
            plan(outbox, "a", form="alert", key="alert:W4K1S:1", body="王某，红色羽绒服")
            folder, _backup = restored(backed_up(whole))
            kept = outbox.deliveries("alert:W4K1S:1")[0].message.body
        assert kept == "王某，红色羽绒服"
        assert not [path for path, data in contents(folder).items() if "红色羽绒服".encode() in data]

    def test_a_folder_that_is_a_link_is_in_it_once_as_what_it_leads_to(self, whole: StationFolder) -> None:
        content, elsewhere = whole.folder / "content", whole.folder.with_name("elsewhere")
        content.rename(elsewhere)
        content.symlink_to(elsewhere)
        (elsewhere / "round").symlink_to(elsewhere)
        folder, backup = restored(backed_up(whole))
        assert (folder / "content/tip/gas.mp3").read_text() == "tune"
        assert not [path for path in backup.files if "round" in path]

    @pytest.mark.parametrize("place", ["backup.tar.gz", "content/backup.tar.gz"])
    def test_no_backup_is_put_into_the_station_where_the_next_would_have_it_in_it(
        self, whole: StationFolder, place: str
    ) -> None:
        before = contents(whole.folder)
        with pytest.raises(Inside):
            back_up(whole.folder, whole.folder / place, url(whole.folder), secrets=(), now=NOON)
        assert contents(whole.folder) == before

    def test_a_station_that_never_sent_has_no_outbox_in_it(self, station: StationFolder) -> None:
        station.article()
        assert not restored(backed_up(station))[1].outbox

    def test_of_the_version_before_it_is_what_that_one_wrote_but_for_what_an_alert_says(
        self, station: StationFolder
    ) -> None:
        station.file(".gengfu/x", "")
        make_earlier(url(station.folder), 9)
        late = int((NOON + DAY).timestamp() * 1e6)
        said = {"form": "alert", "title": "寻人", "items": [], "body": "红色羽绒服", "footer": "", "home": ""}
        content = json.dumps(said, ensure_ascii=False)
        execute(
            url(station.folder),
            f"INSERT INTO broadcast VALUES (1, 'alert:W1:1', 'alert', '寻人', 0, {late}, 0, 1, 0, NULL)",
            f"INSERT INTO message VALUES (1, 'x', '{content}')".replace(":", "\\:"),
            "INSERT INTO delivery VALUES (1, 1, 'g', 1, 1, 'webhook', 0, 'pending', NULL, 0, 0, 0, 0, '', NULL)",
        )
        folder, _backup = restored(backed_up(station))
        data = (folder / ".gengfu/outbox.sqlite3").read_bytes()
        assert "红色".encode() not in data
        with pytest.raises(OutboxOutdated), Outbox(url(folder)):
            pass

    def test_one_of_long_ago_is_brought_up_in_the_copy_alone(self, station: StationFolder) -> None:
        station.file(".gengfu/x", "")
        make_earlier(url(station.folder), 1)
        folder, _backup = restored(backed_up(station))
        with Outbox(url(folder)) as outbox:
            assert outbox.broadcasts() == []
        with pytest.raises(OutboxOutdated), Outbox(url(station.folder)):
            pass


class TestRestoring:
    def test_the_station_knows_that_it_was_restored_and_when(self, whole: StationFolder) -> None:
        folder, _backup = restored(backed_up(whole))
        assert (restored_at(whole.folder), restored_at(folder)) == (None, NOON)

    def test_the_audit_log_is_whole_and_says_what_was_done(self, whole: StationFolder) -> None:
        folder, _backup = restored(backed_up(whole))
        assert audit.verify(folder) == []
        assert [record.action for record in audit.read(folder)] == ["push", "restore"]

    def test_nothing_is_written_where_there_is_something(self, whole: StationFolder) -> None:
        file = backed_up(whole)
        there = file.with_name("restored") / "notes.txt"
        there.parent.mkdir()
        there.write_text("mine")
        with pytest.raises(NotEmpty):
            restored(file)
        assert contents(there.parent) == {"notes.txt": b"mine"}

    def test_an_empty_folder_is_filled_also_from_within_and_stays_the_one_it_was(
        self, whole: StationFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = backed_up(whole)
        there = file.with_name("restored")
        there.mkdir()
        monkeypatch.chdir(there)
        restore(file, Path(), who="王警官", now=NOON)
        assert Path("mkdocs.yml").read_bytes() == (whole.folder / "mkdocs.yml").read_bytes()
        assert not list(Path().glob(".gengfu-*"))

    @pytest.mark.parametrize(
        "damage",
        [
            lambda data: data[: len(data) // 2],
            lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:],
            lambda data: b"",
            lambda data: b"PK\x03\x04" + data,
            lambda data: gzip.compress(b"no archive at all" * 100),
        ],
        ids=["cut short", "one bit", "empty", "another kind", "no archive"],
    )
    def test_a_damaged_file_is_named_and_leaves_nothing_behind(
        self, whole: StationFolder, damage: Callable[[bytes], bytes]
    ) -> None:
        file = backed_up(whole)
        file.write_bytes(damage(file.read_bytes()))
        self._refused(file)

    @pytest.mark.parametrize(
        "name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "extra.txt", "./mkdocs.yml"]
    )
    def test_a_path_that_does_not_belong_there_is_refused(self, whole: StationFolder, name: str) -> None:
        file = backed_up(whole)
        self._refused(_with(file, name, tarfile.REGTYPE))

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
    def test_so_is_what_is_no_plain_file(self, whole: StationFolder, kind: bytes) -> None:
        self._refused(_with(backed_up(whole), "content/link", kind))

    def _refused(self, file: Path) -> None:
        beside = sorted(file.parent.iterdir())
        with pytest.raises(NoBackup) as refused:
            restored(file)
        assert str(file) in str(refused.value)
        assert sorted(file.parent.iterdir()) == beside


def _with(file: Path, name: str, kind: bytes) -> Path:
    """The backup with one more member, which its manifest names, as whoever can make a file could."""
    made = io.BytesIO()
    with tarfile.open(file) as old, tarfile.open(fileobj=made, mode="w:gz") as new:
        extra = tarfile.TarInfo(name)
        extra.type, extra.linkname = kind, "/etc/passwd"
        new.addfile(extra, io.BytesIO(b""))
        for member in old:
            data = old.extractfile(member)
            assert data
            text = data.read()
            if member.name == "MANIFEST.json" and name != "extra.txt":
                manifest = json.loads(text)
                manifest["files"][name] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
                text = json.dumps(manifest).encode()
                member.size = len(text)
            new.addfile(member, io.BytesIO(text))
    file.write_bytes(made.getvalue())
    return file


class TestTheNewest:
    def test_of_this_stations_backups_the_newest_stay_and_nothing_else_is_touched(
        self, station: StationFolder, tmp_path: Path
    ) -> None:
        beside = {"qingsong", "qingsong-notes.tar.gz", "hedong-20261121T120000Z.tar.gz"}
        kept = _kept(station, tmp_path, days=4)
        for name in beside - {"qingsong"}:
            (tmp_path / name).touch()
        assert keep_newest(station.folder, tmp_path, 2) == kept[:2]
        assert {file.name for file in tmp_path.iterdir()} == {*beside, *(file.name for file in kept[2:])}

    def test_two_stations_of_one_name_keep_theirs_apart_in_one_folder(self, tmp_path: Path) -> None:
        stations = []
        for place in ("east", "west"):
            (tmp_path / place / "station").mkdir(parents=True)
            stations.append(empty_station(tmp_path / place / "station"))
        (backups := tmp_path / "backups").mkdir()
        kept = [_kept(station, backups, days=2) for station in stations]
        for station, own in zip(stations, kept, strict=True):
            assert keep_newest(station.folder, backups, 1) == own[:1]
        assert sorted(backups.iterdir()) == sorted(own[1] for own in kept)

    def test_those_of_versions_that_told_no_stations_apart_count_with_the_others(
        self, station: StationFolder, tmp_path: Path
    ) -> None:
        earlier = [tmp_path / f"qingsong-2026110{day}T120000Z.tar.gz" for day in (1, 2)]
        for file in earlier:
            file.touch()
        _kept(station, tmp_path, days=1)
        assert keep_newest(station.folder, tmp_path, 2) == earlier[:1]

    def test_they_stay_where_they_may_be_another_stations(
        self, station: StationFolder, tmp_path: Path
    ) -> None:
        (tmp_path / "qingsong-20261101T120000Z.tar.gz").touch()
        (tmp_path / "qingsong-0123abcd-20261102T120000Z.tar.gz").touch()
        kept = _kept(station, tmp_path, days=2)
        assert keep_newest(station.folder, tmp_path, 1) == kept[:1]

    def test_a_station_that_was_restored_goes_on_with_its_own(
        self, station: StationFolder, tmp_path: Path
    ) -> None:
        name = name_of(station.folder, NOON)
        file = backed_up(station)
        station.folder.rename(tmp_path / "lost")
        restore(file, station.folder, who="王警官", now=NOON)
        assert name_of(station.folder, NOON) == name

    def test_a_backup_that_fails_leaves_the_one_that_is_there(self, whole: StationFolder) -> None:
        before = backed_up(whole).read_bytes()
        whole.file(".gengfu/outbox.sqlite3", b"no database" * 1000)
        beside = sorted(whole.folder.parent.iterdir())
        with pytest.raises(OutboxUnusable):
            backed_up(whole)
        assert sorted(whole.folder.parent.iterdir()) == beside
        assert whole.folder.with_name("backup.tar.gz").read_bytes() == before


def _kept(station: StationFolder, folder: Path, *, days: int) -> list[Path]:
    """A backup a day in ``folder``, by their names alone."""
    files = [folder / name_of(station.folder, NOON + timedelta(days=n)) for n in range(days)]
    for file in files:
        file.touch()
    return files
