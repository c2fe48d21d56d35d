"""Beginnings: a new station's folder, a new article's file."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import jinja2

from gengfu_site.article import FRONT, ids_written
from gengfu_site.catalogue import Kind
from gengfu_site.problems import GengfuError
from gengfu_site.settings import Settings
from gengfu_templates import ARTICLES, starter
from gengfu_templates.i18n import _

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32 (https://www.crockford.com/base32.html): nothing to mistake when read out."""
_STARTER = ("mkdocs.yml", "timetable.yml", "groups.csv", "terms.yml", "synonyms.txt", "content")
"""What a new station begins with, by its place in the starter station."""
_GUIDES = {
    "officers.zh-CN.md": "怎么用.md",
    "articles.zh-CN.md": "文章怎么写.md",
    "groups.zh-CN.md": "群和时间表.md",
    "signing.zh-CN.md": "签发.md",
    "rules.zh-CN.md": "检查规则.md",
    "hosting.zh-CN.md": "网站放到服务器上.md",
    "admin.zh-CN.md": "服务器怎么管.md",
}
"""What a station's people read: by its name in docs/, what it is called in a station's folder :data:`EXPLAINED`."""
EXPLAINED = "说明"
"""Folder in a station's, with its guides."""
_GITIGNORE = """\
# 生成的网页、正在推送的记录、操作记录、机器人地址、走失人员信息和收到的原件，都不进版本库。
/public/
/.public.*
/.gengfu/
/audit/
/webhooks.csv
/private/
/inbox/
"""


NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
"""An article's file name without ``.md``: it becomes the address."""


class AlreadyThere(GengfuError):
    """What was to be made exists; nothing was touched."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(_("{path} 已经有了，没有动它。请换个名字。").format(path=path))


@contextmanager
def new_station(folder: Path) -> Iterator[Path]:
    """A working station with the starter library, which becomes ``folder`` once the block has ended well.

    :raises AlreadyThere: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AlreadyThere(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".gengfu-") as scratch:
        new = Path(scratch, "station")
        new.mkdir()
        _furnish(new)
        yield new
        # The files last: without its settings it is no station.
        for part in sorted(new.iterdir(), key=Path.is_file):
            part.rename(folder / part.name)


def _furnish(folder: Path) -> None:
    for name in _STARTER:
        source = starter() / name
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, folder / name)
    _explain(starter() / "docs", folder / EXPLAINED)
    settings = folder / "mkdocs.yml"
    settings.write_bytes(settings.read_bytes().replace(b"review: none", b"review: small"))
    (folder / ".gitignore").write_text(_GITIGNORE, encoding="utf-8", newline="\n")


def _explain(docs: Path, explained: Path) -> None:
    """Put the guides where a station's people find them; a link to another of them leads to it there."""
    (explained / "pictures").mkdir(parents=True)
    for name, here in _GUIDES.items():
        text = (docs / name).read_text("utf-8")
        for other, there in _GUIDES.items():
            text = text.replace(f"]({other}", f"]({there}")
        (explained / here).write_text(text, encoding="utf-8", newline="\n")
    for picture in (docs / "pictures").glob("officers-*"):
        shutil.copyfile(picture, explained / "pictures" / picture.name)


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What is known of an article before it is written; what is empty, ``check`` asks for."""

    kind: Kind
    title: str
    summary: str = ""
    topics: Sequence[str] = ()
    areas: Sequence[str] = ()
    evergreen: bool = True
    """Whether an article of a kind that lasts may be sent again."""
    details: Mapping[str, str] = field(default_factory=dict)
    """Fields that the kind has of its own, by name: ``visit`` of a service, ``place`` of an alert."""


def new_article(
    settings: Settings, begun: Beginning, at: datetime, taken: Collection[str], name: str | None = None
) -> Path:
    """Write the beginning of an article.

    :param taken: ids in use.
    :param name: as :data:`NAME`; by default the id.
    :raises AlreadyThere: the file exists.
    """
    id_ = new_id(taken)
    file = settings.content / begun.kind / f"{name or id_.lower()}.md"
    text = beginning(begun, id_, now_in(settings, at)).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        opened = file.open("xb")
    except FileExistsError:
        raise AlreadyThere(file) from None
    with ExitStack() as undo:
        undo.callback(file.unlink)
        with opened:
            opened.write(text)
        undo.pop_all()
    return file


def beginning(begun: Beginning, id_: str, published: str) -> str:
    """The text of an article's beginning, in the form of its kind."""
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(ARTICLES), keep_trailing_newline=True)  # noqa: S701 - Markdown
    env.filters["yaml"] = lambda text: _yaml_text(text) if text else ""
    env.filters["value"] = lambda text: " " + _yaml_text(text) if text else ""
    return env.get_template(f"{begun.kind}.md").render(vars(begun), id=id_, published=published)


def now_in(settings: Settings, at: datetime) -> str:
    """``at`` as an article's date is written, in the station's zone."""
    return at.astimezone(ZoneInfo(settings.station.timezone)).strftime("%Y-%m-%d %H:%M")


def ids_in(settings: Settings) -> set[str]:
    """Ids that files under content/ bear, those included that cannot be read as articles now."""
    taken: set[str] = set()
    for file in settings.content.rglob("*.md"):
        with suppress(OSError), file.open("rb") as opened:
            taken |= set(ids_written(opened.read(FRONT)))
    return taken


def new_id(taken: Collection[str]) -> str:
    """An article's id that is not among ``taken``."""
    while (id_ := "".join(secrets.choice(_ALPHABET) for _place in range(5))) in taken:
        pass
    return id_


def _yaml_text(text: str) -> str:
    """``text`` as one YAML value; in quotes where it would otherwise be read as something else."""
    text = " ".join(text.split())
    plain = re.fullmatch(r"[\w（(《“][^:,#\"'{}\[\]]*", text)
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
