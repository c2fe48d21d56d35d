"""Missing persons' data: ``private/ID.yml``, outside git, backups and content hashes, erased in time.

It is bound to an article only while that alert searches. A file that is no longer needed never keeps a build
from taking the person off the site; :func:`leftovers` names it, so that it is deleted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gengfu_site.article import LastMoment, Manuscript, Text
from gengfu_site.problems import Problem, in_command, shown
from gengfu_site.settings import Settings
from gengfu_site.source import STRICT, Document, read_text, read_yaml, validate
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _

_PICTURES = {".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff", ".png": b"\x89PNG\r\n\x1a\n"}
"""What a photo's file must begin with, by its ending."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A missing person, as the officer wrote it."""

    __pydantic_config__ = STRICT

    name: Text
    age: Text | None = None
    sex: Text | None = None
    clothes: Text | None = None
    features: Text | None = None
    last_seen: Text
    """When and where."""
    photo: Text | None = None
    """File beside ``ID.yml``."""
    basis: Text
    """On what ground it is published: the guardian's consent (who, when) or another one."""
    erase_after: LastMoment


def searched_for(manuscripts: Iterable[Manuscript]) -> set[str]:
    """Ids of the alerts that look for a person."""
    return {m.id for m in manuscripts if m.alert and m.alert.form == "走失" and m.alert.state == "active"}


def read_persons(settings: Settings, ids: Collection[str]) -> tuple[dict[str, Person], list[Problem]]:
    """The data of the persons searched for, by the alert's id, and what is wrong with their files."""
    persons: dict[str, Person] = {}
    problems: list[Problem] = []
    for file in _files(settings):
        if file.stem in ids:
            person, _document, found = _read(file, settings)
            problems += found
            if person:
                persons[file.stem] = person
    return persons, problems


def leftovers(settings: Settings, ids: Collection[str], at: datetime) -> Iterator[Problem]:
    """Files that hold more, longer or more openly than they may."""
    for file in _files(settings):
        name = shown(file, settings.folder)
        if file.stem not in ids:
            yield Problem(
                path=name,
                message=_("没有编号 {id} 的走失警情正在查找，这份个人信息不应再保存。").format(id=file.stem),
                remedy=_("删除这个文件和旁边的照片；如果警情没结束，检查文件名是不是它的编号。"),
            )
            continue
        person, document, _found = _read(file, settings)
        if person and person.erase_after <= at:
            yield document.problem(
                "erase_after",
                message=_("保存期已过，这份个人信息应当删除了。"),
                remedy=_("删除这个文件和旁边的照片。"),
            )
        photo = [file.parent / person.photo] if person and person.photo else []
        for private in (file, *photo):
            if os.name == "posix" and private.stat().st_mode & 0o077:
                path = shown(private, settings.folder)
                yield Problem(
                    path=path,
                    message=_("这份个人信息别的用户也能读。"),
                    remedy=_("运行：chmod 600 {path}").format(path=in_command(path)),
                )


def _files(settings: Settings) -> list[Path]:
    return sorted(settings.private.glob("*.yml"))


def _read(file: Path, settings: Settings) -> tuple[Person | None, Document, list[Problem]]:
    name = shown(file, settings.folder)
    text = read_text(file, settings.folder)
    if isinstance(text, Problem):
        return None, Document(path=name, value={}, lines={}), [text]
    document, problems = read_yaml(text, name)
    if problems:
        return None, document, problems
    person, problems = validate(Person, document, {"zone": ZoneInfo(settings.station.timezone)})
    if person and person.photo and not _is_photo(file.parent, person.photo):
        problems.append(
            document.problem(
                "photo",
                message=_("旁边没有 jpg 或 png 照片“{photo}”。").format(photo=person.photo),
                remedy=_("把照片放在同一个文件夹，photo 只写文件名。"),
            )
        )
        person = None
    return person, document, problems


def _is_photo(folder: Path, name: str) -> bool:
    """Whether ``name`` is a picture in ``folder`` itself, by its place and its first bytes."""
    begins = _PICTURES.get(Path(name).suffix.lower())
    photo = folder / name
    if begins is None or Path(name).name != name or photo.is_symlink() or not photo.is_file():
        return False
    with photo.open("rb") as file:
        return file.read(len(begins)) == begins
