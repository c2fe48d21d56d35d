"""Beginnings: a new station's folder, a new article's file."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2

from gengfu_site.catalogue import Kind
from gengfu_site.problems import GengfuError
from gengfu_site.settings import Settings
from gengfu_templates import ARTICLES, starter
from gengfu_templates.i18n import _

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32 (https://www.crockford.com/base32.html): nothing to mistake when read out."""
_STARTER = {
    "mkdocs.yml": "mkdocs.yml",
    "timetable.yml": "timetable.yml",
    "groups.csv": "groups.csv",
    "synonyms.txt": "synonyms.txt",
    "content": "content",
    "docs/articles.zh-CN.md": "文章怎么写.md",
    "docs/groups.zh-CN.md": "群和时间表.md",
}
"""What a new station begins with, by its place in the starter station."""
_GITIGNORE = """\
# 生成的网页、正在推送的记录、操作记录、机器人地址和走失人员信息，都不进版本库。
/public/
/.public.*
/.gengfu/
/audit/
/webhooks.csv
/private/
"""


NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
"""An article's file name without ``.md``: it becomes the address."""


class AlreadyThere(GengfuError):
    """What was to be made exists; nothing was touched."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(_("{path} 已经有了，没有动它。请换个名字。").format(path=path))


def new_station(folder: Path) -> None:
    """Make ``folder`` a working station with the starter library.

    :raises AlreadyThere: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyThere(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for place, name in _STARTER.items():
        source = starter() / place
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, folder / name)
    (folder / ".gitignore").write_text(_GITIGNORE, encoding="utf-8", newline="\n")


def new_article(
    settings: Settings, kind: Kind, title: str, at: datetime, taken: Collection[str], name: str | None = None
) -> Path:
    """Write the beginning of an article; what it leaves empty, ``check`` asks for.

    :param taken: ids in use.
    :param name: as :data:`NAME`; by default the id.
    :raises AlreadyThere: the file exists.
    """
    id_ = new_id(taken)
    stem = name or id_.lower()
    file = settings.content / kind / f"{stem}.md"
    if file.exists():
        raise AlreadyThere(file)
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(ARTICLES), keep_trailing_newline=True)  # noqa: S701 - Markdown
    local = at.astimezone(ZoneInfo(settings.station.timezone))
    text = env.get_template(f"{kind}.md").render(
        id=id_, kind=kind, title=_yaml_text(title), published=local.strftime("%Y-%m-%d %H:%M")
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
    return file


def new_id(taken: Collection[str]) -> str:
    """An article's id that is not among ``taken``."""
    while (id_ := "".join(secrets.choice(_ALPHABET) for _place in range(5))) in taken:
        pass
    return id_


def _yaml_text(text: str) -> str:
    """``text`` as one YAML value; in quotes where it would otherwise be read as something else."""
    text = " ".join(text.split())
    plain = re.fullmatch(r"[\w（(《“][^:#\"'{}\[\]]*", text)
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
