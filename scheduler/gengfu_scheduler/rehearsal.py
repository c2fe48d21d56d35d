"""A station's groups on the sandbox: which robots stand in for them, and the addresses that lead there.

``gengfu init`` gives a new station these addresses, so that everything can be tried before a real group is
connected; ``gengfu sandbox`` and ``gengfu demo`` put up the robots behind them.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from gengfu_scheduler.channels.wecom_customer import CORP, ELSEWHERE, SECRET
from gengfu_scheduler.groups import WEBHOOKS
from gengfu_scheduler.message import Group
from gengfu_scheduler.sandbox import Robot
from gengfu_scheduler.sandbox.platforms import PLATFORMS
from gengfu_scheduler.sandbox.platforms.wecom_customer import CORPID, CORPSECRET, WeComCustomer

PORT = 8780
"""Where ``gengfu sandbox`` listens unless told otherwise, and where a new station's addresses lead."""
URL = f"http://127.0.0.1:{PORT}/"


def robots(groups: Iterable[Group]) -> list[Robot]:
    """A robot for each group that has one, with the group's id as its key, and each group whose owner is asked."""
    return [robot for group in groups if (robot := _robot(group))]


def _robot(group: Group) -> Robot | None:
    if group.reach == "webhook" and group.platform in PLATFORMS:
        return Robot(
            platform=group.platform,
            key=group.id,
            name=group.name,
            secret=_secret(group),
            keyword=group.keyword,
            area=group.area or "",
        )
    if group.reach == "confirm" and group.platform == "wecom":
        return Robot(
            platform=WeComCustomer.name,
            key=group.chat,
            name=group.name,
            account=group.account,
            area=group.area or "",
        )
    return None


def credentials(url: str = URL) -> dict[str, str]:
    """The environment in which owners of customer groups are asked on the sandbox at ``url``."""
    return {CORP: CORPID, SECRET: CORPSECRET, ELSEWHERE: url}


def write_webhooks(folder: Path, groups: Iterable[Group], url: str = URL) -> Path:
    """Write the private ``webhooks.csv`` of ``folder``, leading to the sandbox at ``url``.

    :raises FileExistsError: there is one; it may hold real addresses.
    """
    file = folder / WEBHOOKS
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as target:
        table = csv.writer(target)
        table.writerow(("id", "webhook", "secret"))
        for robot in robots(group for group in groups if group.reach == "webhook"):
            address = url.rstrip("/") + PLATFORMS[robot.platform].address(robot.key)
            table.writerow((robot.key, address, robot.secret))
    return file


def _secret(group: Group) -> str:
    """A secret as the group's platform gives them: the sandbox checks signatures as the platform would."""
    digest = hashlib.sha256(group.id.encode())
    match group.platform:
        case "generic":
            return "whsec_" + base64.b64encode(digest.digest()).decode()
        case "dingtalk":
            return "SEC" + digest.hexdigest()
        case "feishu":
            return digest.hexdigest()[:22]
        case _:
            return ""
