"""The commands for whoever runs the machine, in words and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler.cli import main
from gengfu_scheduler.deploy import Server, Unfit, files, site
from gengfu_scheduler.outbox import Outbox
from gengfu_site import audit
from stations import StationFolder

Run = Callable[..., Result]


@pytest.fixture
def run(station: StationFolder) -> Run:
    station.article()
    return lambda *arguments, **options: CliRunner().invoke(
        main, ["-C", str(station.folder), *map(str, arguments)], **options
    )


def server(folder: str) -> Server:
    return Server(
        name="gengfu",
        folder=folder,
        user="guide",
        program="/opt/gengfu/bin/gengfu",
        language="zh-CN",
        site=site("https://派出所.example/guide/", Path(folder) / "public"),
        sends=True,
    )


class TestDeploy:
    def test_a_path_is_written_as_both_programs_read_it(self) -> None:
        written = dict(files(server("/srv/派出所 100%")))
        assert 'alias "/srv/派出所 100%/public/";' in written["nginx/snippets/gengfu.conf"]
        assert 'ReadWritePaths="/srv/派出所 100%%"\n' in written["systemd/system/gengfu-build.service"]
        assert "server_name xn--79qq01bfji.example;" in written["nginx/conf.d/gengfu.conf"]

    @pytest.mark.parametrize("sign", ["$", '"', "\\", "\n"])
    def test_a_path_that_neither_can_hold_is_refused(self, sign: str) -> None:
        with pytest.raises(Unfit):
            dict(files(server(f"/srv/a{sign}b")))

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--name", "Qing Song"], "--name"),
            (["--certificate", __file__], "--key"),
        ],
    )
    def test_mistakes_are_told_before_anything_is_written(
        self, run: Run, tmp_path: Path, options: list[str], words: str
    ) -> None:
        result = run("deploy", tmp_path / "etc", *options)
        assert result.exit_code == 2
        assert words in result.output
        assert not (tmp_path / "etc").exists()


class TestBackup:
    def test_it_is_on_record_and_what_it_holds_is_said_aloud(
        self, run: Run, station: StationFolder, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        station.file("webhooks.csv", "id,webhook\n")
        file = tmp_path_factory.mktemp("backups") / "b.tar.gz"
        result = run("backup", file, "--with", "webhooks", "--by", "王")
        assert result.exit_code == 0
        assert "webhooks" in result.stderr
        (record,) = audit.read(station.folder)
        assert (record.who, record.action) == ("王", "backup")
        assert record.details == {"file": "b.tar.gz", "secrets": ["webhooks"]}

    def test_where_the_outbox_is_on_a_server_it_says_how_that_is_backed_up(
        self, run: Run, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("backups")
        result = run("backup", folder, env={"GENGFU_DATABASE": "postgresql+psycopg://guide@/guide"})
        assert "pg_dump" in result.stderr
        assert len(list(folder.iterdir())) == 1

    def test_only_a_folder_keeps_so_many(self, run: Run, tmp_path: Path) -> None:
        result = run("backup", tmp_path / "b.tar.gz", "--keep", "3")
        assert result.exit_code == 2
        assert "--keep" in result.output

    def test_a_file_that_is_no_backup_is_told_in_words(self, run: Run, station: StationFolder) -> None:
        result = run("restore", station.folder / "mkdocs.yml", station.folder / "again")
        assert result.exit_code == 1
        assert "恢复不了" in result.output
        assert not (station.folder / "again").exists()


class TestRestore:
    def test_a_record_that_the_programs_would_not_look_at_is_said_to_be_so(
        self, run: Run, station: StationFolder, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("backups")
        station.file(".gengfu/x", "")
        Outbox(f"sqlite:///{station.folder}/.gengfu/outbox.sqlite3").close()
        run("backup", folder / "b.tar.gz")
        elsewhere = {"GENGFU_DATABASE": "postgresql+psycopg://guide:hunter2@db.example/guide"}
        aside = run("restore", folder / "b.tar.gz", folder / "aside", env=elsewhere)
        assert "去掉这个变量" in aside.stderr
        assert "hunter2" not in aside.output
        used = run("restore", folder / "b.tar.gz", folder / "used", env={"GENGFU_DATABASE": None})
        assert "GENGFU_DATABASE" not in used.stderr
