"""The inbox of a preview that runs: what is dropped there is an article a moment later, and the screen says so."""

from __future__ import annotations

import signal
import subprocess

from damaged import DOCUMENTS
from installed import Installed, until
from stations import StationFolder


def test_what_is_dropped_into_the_inbox_is_taken_in_while_the_preview_runs(
    installed: Installed, station: StationFolder
) -> None:
    station.article()
    station.file("inbox/先放的.txt", "防火\n\n冬季干燥。\n")
    environ = installed.environ({"PYTHONUNBUFFERED": "1"})
    command = [installed.bin / "gengfu", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=station.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as preview:
        assert preview.stdout
        try:
            assert "先放的.txt → content/tip/" in until("http", preview.stdout)
            for name in ("齐全.docx", "旧格式.doc"):
                station.file(f"inbox/{name}", DOCUMENTS[name]())
            told = until("旧的 Word 格式", preview.stdout)
            assert "inbox/齐全.docx → content/service/" in told
        finally:
            preview.send_signal(signal.SIGINT)
    assert sorted(
        file.relative_to(station.folder / "inbox").as_posix()
        for file in (station.folder / "inbox").rglob("*")
        if file.is_file()
    ) == ["done/先放的.txt", "done/齐全.docx", "failed/旧格式.doc", "failed/旧格式.doc.txt"]
