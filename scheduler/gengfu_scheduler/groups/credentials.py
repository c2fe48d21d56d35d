"""Webhook addresses, which are credentials: the private ``webhooks.csv``, and marks to know an address again by.

The file must be private to its owner (mode 0600) and unknown to git. No problem quotes what may be an address.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gengfu_scheduler.groups.tables import problem_at, read_csv
from gengfu_site.problems import Problem
from gengfu_site.source import Mistake, shortened
from gengfu_templates.i18n import _

WEBHOOKS = "webhooks.csv"

_WEB = re.compile(r"https?://[^\s/]+\S*")
_ANY = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.I)


@dataclass(frozen=True, kw_only=True)
class Address:
    webhook: str = field(repr=False)
    secret: str | None = field(repr=False)


def is_web_address(text: str) -> bool:
    return bool(_WEB.fullmatch(text))


def is_any_address(text: str) -> bool:
    """Whether it could be a robot's address or one of the services of Apprise (``tgram://…``)."""
    return bool(_ANY.fullmatch(text))


def address_mark(webhook: str) -> str:
    """What an address can be known again by and not be found out from: a salted hash."""
    salt = secrets.token_hex(8)
    return f"{salt}:{_salted(webhook, salt)}"


def is_address(webhook: str, mark: str) -> bool:
    """Whether ``mark`` was made of this address."""
    salt, _colon, digest = mark.partition(":")
    return hmac.compare_digest(_salted(webhook, salt), digest)


def _salted(webhook: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}{webhook}".encode()).hexdigest()


def read_webhooks(folder: Path) -> tuple[dict[str, tuple[int, Address]], list[Problem]]:
    """The addresses in ``webhooks.csv`` by group id, with their lines; none where there is no such file."""
    file = folder / WEBHOOKS
    if not file.exists():
        return {}, []
    rows, problems = read_csv(folder, WEBHOOKS, ("id", "webhook", "secret"), required=("id", "webhook"))
    problems += _exposed(file)
    addresses: dict[str, tuple[int, Address]] = {}
    for row in rows:
        id, webhook = row.cells.get("id", ""), row.cells.get("webhook", "")
        if id in addresses:
            mistake = Mistake(
                _("编号“{id}”在第 {line} 行已经用过。").format(id=shortened(id), line=addresses[id][0]),
                _("每个群只留一个地址。"),
            )
            problems.append(problem_at(WEBHOOKS, row.line, "id", mistake))
        elif webhook and not is_any_address(webhook):
            problems.append(problem_at(WEBHOOKS, row.line, "webhook", no_address()))
        elif webhook:
            address = Address(webhook=webhook, secret=row.cells.get("secret") or None)
            addresses[id] = (row.line, address)
    return addresses, problems


def _exposed(file: Path) -> Iterator[Problem]:
    """Who else could read the addresses in ``file``."""
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Problem(
            path=file.name,
            message=_("这个文件里是机器人地址，其他用户也能读到它。"),
            remedy=_("运行：chmod 600 {name}").format(name=file.name),
        )
    if _is_tracked(file):
        yield Problem(
            path=file.name,
            message=_("这个文件里是机器人地址，却被 git 跟踪了。"),
            remedy=_(
                "运行：git rm --cached {name}，并写进 .gitignore；已经提交过的，请到群里重置机器人。"
            ).format(name=file.name),
        )


def _is_tracked(file: Path) -> bool:
    command = ["git", "-C", str(file.parent), "ls-files", "--", file.name]
    try:
        found = subprocess.run(command, capture_output=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False  # no git, no tracking
    return found.returncode == 0 and bool(found.stdout.strip())


def no_address() -> Mistake:
    return Mistake(
        _("机器人地址应以 https:// 开头，这里的不是（不在此显示）。"),
        _("到群机器人的设置里重新复制整个地址。"),
    )
