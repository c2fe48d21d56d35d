"""Everything that must be mended before a station publishes: ``gengfu check``, and what a build refuses.

Articles are checked where they are read (:mod:`gengfu_site.library`); here stands what concerns the station's
folder as a whole: no webhook address and no missing person's data may lie where git would carry them off.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import datetime

from gengfu_site.library import load
from gengfu_site.problems import Problem
from gengfu_site.settings import Settings
from gengfu_templates.i18n import _

# The part of a group robot's address that is the credential, as the platforms' own pages print it.
_WEBHOOK = re.compile(
    rb"qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=[\w-]{8}"
    rb"|oapi\.dingtalk\.com/robot/send\?access_token=\w{8}"
    rb"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/[\w-]{8}"
    rb"|hooks\.slack\.com/(?:services|workflows)/\w"
    rb"|discord(?:app)?\.com/api/webhooks/\d"
    rb"|\.(?:logic\.azure\.com|powerplatform\.com)\S*[?&]sig=\w{8}"
    rb"|whsec_[A-Za-z0-9+/]{16}"
)
_SOURCES = frozenset((".md", ".yml", ".yaml", ".csv", ".txt", ".json", ".toml", ".html"))
_MOST_BYTES = 8 << 20


def check(settings: Settings, at: datetime) -> list[Problem]:
    """Every problem of the station at ``at``, in the order of files and lines."""
    _library, problems = load(settings, at)
    return sorted([*problems, *_exposed(settings)])


def _exposed(settings: Settings) -> Iterator[Problem]:
    """Secrets in files that are tracked, or would be with the next ``git add``."""
    for path in _carried_by_git(settings):
        file = settings.folder / path
        if file.is_relative_to(settings.private):
            yield Problem(
                path=path,
                message=_("走失人员的个人信息不能进版本库。"),
                remedy=_("把 /private/ 写进 .gitignore，再运行：git rm --cached {path}").format(path=path),
            )
        elif file.suffix.lower() in _SOURCES and file.is_file() and file.stat().st_size <= _MOST_BYTES:
            data = file.read_bytes()
            for found in _WEBHOOK.finditer(data):
                yield Problem(
                    path=path,
                    line=data.count(b"\n", 0, found.start()) + 1,
                    message=_("这里写着一个群机器人地址，谁看到都能往群里发消息。"),
                    remedy=_(
                        "把地址移到不进版本库的 webhooks.csv，或写成 env:变量名；已经提交过的，到群里换一个机器人。"
                    ),
                )


def _carried_by_git(settings: Settings) -> list[str]:
    """Files git tracks or does not ignore, below the station folder; without git, none."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=settings.folder, capture_output=True, check=False)  # noqa: S603
    except OSError:
        return []
    names = done.stdout.decode("utf-8", "surrogateescape").split("\0") if done.returncode == 0 else []
    return sorted(
        name for name in names if name and not (settings.folder / name).is_relative_to(settings.public)
    )
