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

from gengfu_scheduler.groups import WEBHOOKS
from gengfu_scheduler.message import Group
from gengfu_scheduler.sandbox import Robot
from gengfu_scheduler.sandbox.platforms import PLATFORMS

PORT = 8780
"""Where ``gengfu sandbox`` listens unless told otherwise, and where a new station's addresses lead."""
URL = f"http://127.0.0.1:{PORT}/"


def robots(groups: Iterable[Group]) -> list[Robot]:
    """A robot for each group that has one; its key is the group's id."""
    return [
        Robot(
            platform=group.platform,
            key=group.id,
            name=group.name,
            secret=_secret(group.id) if group.platform == "generic" else "",
            area=group.area or "",
        )
        for group in groups
        if group.reach == "webhook"
    ]


def write_webhooks(folder: Path, groups: Iterable[Group], url: str = URL) -> Path:
    """Write the private ``webhooks.csv`` of ``folder``, leading to the sandbox at ``url``.

    :raises FileExistsError: there is one; it may hold real addresses.
    """
    file = folder / WEBHOOKS
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as target:
        table = csv.writer(target)
        table.writerow(("id", "webhook", "secret"))
        for robot in robots(groups):
            address = url.rstrip("/") + PLATFORMS[robot.platform].address(robot.key)
            table.writerow((robot.key, address, robot.secret))
    return file


def _secret(key: str) -> str:
    """A Standard Webhooks secret: the sandbox checks signatures as a real receiver would."""
    return "whsec_" + base64.b64encode(hashlib.sha256(key.encode()).digest()).decode()
