"""From a built station to the groups, as a station does it: against the sandbox, through the installed command."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from installed import Installed
from kills import running
from stations import StationFolder


def status(installed: Installed, folder: Path) -> Any:
    return json.loads(installed.run("gengfu", "status", "--json", cwd=folder).stdout)


def test_a_new_station_pushes_to_the_sandbox_at_once(installed: Installed, tmp_path: Path) -> None:
    installed.run("gengfu", "init", "station", cwd=tmp_path)
    folder = tmp_path / "station"
    installed.run("gengfu", "build", cwd=folder)
    sandbox = subprocess.Popen(
        [installed.bin / "gengfu", "sandbox", "--port", "0"],
        cwd=folder,
        env=installed.environ(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sandbox.stdout
    try:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", sandbox.stdout.readline())
        assert found
        addresses = folder / "webhooks.csv"
        addresses.write_text(addresses.read_text().replace(":8780/", f":{found[1]}/"))
        done = installed.run("gengfu", "push", "services", "--yes", "--json", cwd=folder)
    finally:
        sandbox.terminate()
        sandbox.stdout.close()
        sandbox.wait()
    told = json.loads(done.stdout)
    assert told["counts"]["sent"] == told["confirmed"] > 5
    assert told["look_at"] == []
    assert {task["page"] for task in told["tasks"]} == {None}  # nobody keeps a desk
    assert "【" in installed.run("gengfu", "tasks", "--text", cwd=folder).stdout


def test_the_demo_shows_whatever_station_is_valid(installed: Installed, station: StationFolder) -> None:
    """One without notices or videos, with groups.yml, quiet hours, an alert that concerns no group, and every reach."""
    station.article()
    alert = {"kind": "alert", "id": "F7K2R", "areas": "[河东]", "expires": "2099-01-01"}
    station.article("alert/fire.md", **alert, alert='{form: 火情, place: 一号楼, tell: "119"}')
    station.file(
        "groups.yml",
        "groups:\n- {id: a, name: 甲群, reach: webhook, platform: wecom, area: 青松路}\n"
        '- {id: b, name: 乙群, reach: hand, owner: 李警官, area: 青松路, quiet_hours: "00:00-23:59"}\n'
        "- {id: c, name: 丙群, reach: confirm, platform: wecom, chat: wrC, account: wang, owner: 王警官}\n"
        "- {id: d, name: 丁群, reach: webhook, platform: dingtalk, keyword: 更夫}\n",
    )
    shown = installed.run("gengfu", "demo", "--once", cwd=station.folder).stdout
    assert "【甲群】企业微信" in shown
    assert "等群主 wang 确认" in shown
    assert "更夫" in shown.partition("【丁群】钉钉")[2].partition("【")[0]
    assert "2 条消息已到群里" in shown
    assert "1 个群没有机器人" in shown
    assert "乙群（李警官）  每日平安提示" in shown


def test_a_dry_run_shows_everything_and_writes_nothing(installed: Installed, tmp_path: Path) -> None:
    installed.run("gengfu", "init", "station", cwd=tmp_path)
    folder = tmp_path / "station"
    installed.run("gengfu", "build", cwd=folder)
    assert "这是预演" in installed.run("gengfu", "push", "services", "--dry-run", cwd=folder).stdout
    assert status(installed, folder)["broadcasts"] == []


def test_a_second_scheduler_refuses_and_names_the_first(installed: Installed, tmp_path: Path) -> None:
    installed.run("gengfu", "init", "station", cwd=tmp_path)
    folder = tmp_path / "station"
    installed.run("gengfu", "build", cwd=folder)
    with running(installed, folder) as first:
        assert str(first.pid) in installed.run("gengfu", "run", cwd=folder, code=1).stderr
        first.send_signal(signal.SIGTERM)
        assert first.wait(60) == 0
        assert first.stdout
        assert "已停止" in first.stdout.read()


def test_an_owner_opens_the_page_that_the_running_scheduler_serves_and_ticks(
    installed: Installed, tmp_path: Path
) -> None:
    installed.run("gengfu", "init", "station", cwd=tmp_path)
    folder = tmp_path / "station"
    installed.run("gengfu", "build", cwd=folder)
    with (folder / "timetable.yml").open("a", encoding="utf-8") as timetable:
        timetable.write('\ndesk: {listen: "127.0.0.1:0"}\n')
    # No robot is there, whatever else runs on this machine: it is what people do by hand that counts.
    robots = folder / "webhooks.csv"
    robots.write_text(robots.read_text("utf-8").replace(":8780/", ":1/"), encoding="utf-8")
    with running(installed, folder):
        told = json.loads(
            installed.run("gengfu", "push", "services", "--yes", "--json", cwd=folder, code=1).stdout
        )
        task = told["tasks"][0]
        with urlopen(task["page"], timeout=60) as page:
            assert task["names"][0] in page.read().decode()
        ticks = urlencode({"done": " ".join(task["groups"])}).encode()
        with urlopen(task["page"], ticks, timeout=60) as page:
            assert "都转完了" in page.read().decode()
        (broadcast, *_older) = status(installed, folder)["broadcasts"]
        assert broadcast["said"] == len(task["groups"])
    assert {task["page"] for task in status(installed, folder)["broadcasts"][0]["tasks"]} <= {None}
