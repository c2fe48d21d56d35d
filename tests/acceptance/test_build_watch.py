"""``gengfu build --watch`` as a service runs it: what is due appears without anybody building, and it ends cleanly."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta

from installed import Installed, until
from stations import StationFolder


def test_an_article_appears_in_time_a_saved_one_too_and_a_stopped_watch_leaves_a_whole_site(
    installed: Installed, station: StationFolder
) -> None:
    station.article(published="2026-11-20")
    soon = datetime.now(UTC) + timedelta(seconds=3)
    station.article(
        "tip/gas.md", id="T2222", title="燃气", kind="tip", published=f"{soon:%Y-%m-%d %H:%M:%S+00:00}"
    )
    environ = installed.environ({"PYTHONUNBUFFERED": "1"})
    command = [installed.bin / "gengfu", "build", "--watch"]
    with subprocess.Popen(
        command, cwd=station.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as watch:
        assert watch.stdout
        try:
            until("已发布 2 篇", watch.stdout)
            station.article("tip/fire.md", id="T3333", title="防火", kind="tip", published="2026-11-20")
            until("已发布 3 篇", watch.stdout)
            station.article(
                "tip/fire.md", id="T3333", title="防火", kind="tip", published="2026-11-20", topics="[没有]"
            )
            until("网站保持原样", watch.stdout)
        finally:
            watch.send_signal(signal.SIGTERM)
        assert watch.wait(60) == 0
    catalogue = json.loads((station.folder / "public/catalogue.json").read_text("utf-8"))
    assert sorted(item["id"] for item in catalogue["items"]) == ["F7K2Q", "T2222", "T3333"]
    assert not [*station.folder.glob(".public.next"), *station.folder.glob(".public.old")]
