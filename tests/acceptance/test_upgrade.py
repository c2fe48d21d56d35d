"""A newer wheel on a station that an older one served."""

from __future__ import annotations

import json
from pathlib import Path

from gengfu_scheduler.state import database_url
from gengfu_site import audit
from installed import Installed
from kills import running
from outboxes import make_earlier
from watch import tip, watch_in


def test_the_scheduler_begins_with_the_upgrade_and_then_keeps_its_watch(
    installed: Installed, tmp_path: Path
) -> None:
    with watch_in(tmp_path) as watch:
        watch.write("groups.csv", "id,name,reach,platform\nq1,青松一群,webhook,console\n")
        watch.write("timetable.yml", 'slots: {morning: {title: 提示, at: "08:00"}}\n')
        watch.publish(tip("a"))
    make_earlier(database_url(tmp_path, {}), 1)
    told = installed.run("gengfu", "status", cwd=tmp_path, code=1)
    assert "重新启动 gengfu run" in told.stderr
    with running(installed, tmp_path):
        status = json.loads(installed.run("gengfu", "status", "--json", cwd=tmp_path).stdout)
    assert status["broadcasts"] == []
    assert [record.action for record in audit.read(tmp_path)] == ["outbox.upgrade"]
