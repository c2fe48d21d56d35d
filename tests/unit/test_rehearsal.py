"""A station's groups can be tried on the sandbox as they stand in the groups' table."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gengfu_scheduler.message import Group
from gengfu_scheduler.rehearsal import robots, write_webhooks
from gengfu_scheduler.sandbox.platforms import PLATFORMS


def group(id: str, **more: Any) -> Group:
    return Group(id=id, name=f"群 {id}", joined=datetime(2026, 8, 1, tzinfo=UTC), **more)


GROUPS = [
    group("a", reach="webhook", platform="wecom", area="青松路"),
    group("b", reach="webhook", platform="dingtalk", keyword="派出所"),
    group("c", reach="webhook", platform="feishu"),
    group("d", reach="webhook", platform="generic"),
    group("e", reach="confirm", platform="wecom", chat="wrTaoyuan", account="LiMing"),
    group("f", reach="hand"),
    group("g", reach="webhook", platform="console"),
]


def test_every_group_that_a_platform_reaches_has_a_stand_in() -> None:
    assert [
        (robot.platform, robot.key, robot.keyword, robot.account, robot.area) for robot in robots(GROUPS)
    ] == [
        ("wecom", "a", "", "", "青松路"),
        ("dingtalk", "b", "派出所", "", ""),
        ("feishu", "c", "", "", ""),
        ("generic", "d", "", "", ""),
        ("wecom_customer", "wrTaoyuan", "", "LiMing", ""),
    ]


def test_only_robots_have_an_address_and_those_that_sign_a_secret(tmp_path: Path) -> None:
    file = write_webhooks(tmp_path, GROUPS, "http://127.0.0.1:9999/")
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert [(row["id"], bool(row["secret"])) for row in rows] == [
        ("a", False),
        ("b", True),
        ("c", True),
        ("d", True),
    ]
    assert {urlsplit(row["webhook"]).netloc for row in rows} == {"127.0.0.1:9999"}
    assert [row["secret"] for row in rows] == [robot.secret for robot in robots(GROUPS)[:4]]
    assert file.stat().st_mode & 0o077 == 0


def test_addresses_that_may_be_real_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "webhooks.csv").write_text("id,webhook\n")
    with pytest.raises(FileExistsError):
        write_webhooks(tmp_path, GROUPS)


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("key", ["taoyuan-1", "桃园 1/2", "a&b=c+d%20"])
def test_an_address_leads_to_its_own_robot_and_to_no_other_platform(name: str, key: str) -> None:
    target = urlsplit("http://127.0.0.1:8780" + PLATFORMS[name].address(key))
    found = {other: platform.key_in(target) for other, platform in PLATFORMS.items()}
    assert {other: key for other, key in found.items() if key is not None} == {name: key}
