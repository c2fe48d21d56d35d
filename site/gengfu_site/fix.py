"""``gengfu fix``: what a program can mend in a station's folder without knowing what the officer meant.

Articles get their encoding, line ends, blanks and missing fields (:mod:`gengfu_site.repair`, :mod:`gengfu_site.drafts`);
pictures lose what a camera wrote into them and get a page's size (:mod:`gengfu_site.photos`), those of missing persons
too. A file in which there is nothing to mend is not touched; one that is mended is replaced whole or not at all.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from pathlib import Path

from gengfu_site import bounds, photos
from gengfu_site.amend import NotAmended, rewrite
from gengfu_site.drafts import completed
from gengfu_site.problems import Problem, ProblemsFound, shown
from gengfu_site.repair import decoded, repaired
from gengfu_site.settings import Settings
from gengfu_site.source import out_of_reach, too_long
from gengfu_site.start import ids_in, new_id
from gengfu_templates.i18n import _


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """What became of one file."""

    path: str
    """As the officer knows it."""
    done: tuple[str, ...] = ()
    """A sentence for each thing that was mended."""
    diff: tuple[str, ...] = ()
    """The lines of an article that changed, ``-`` before and ``+`` after."""
    problems: tuple[Problem, ...] = ()
    """Why it was left as it was."""


def fix(settings: Settings, paths: Iterable[Path], at: datetime, *, dry_run: bool = False) -> Iterator[Fixed]:
    """Mend ``paths`` (files, or folders with all that is in them) one after another; those with nothing to say of are
    left out.

    :param paths: none for all of content/ and the pictures in private/.
    :param dry_run: say what would be done, and touch nothing.
    """
    taken = ids_in(settings)
    for file in _files(settings, list(paths)):
        try:
            fixed, data = _mended(file, settings, at, taken)
            if data is not None and not dry_run:
                rewrite(file, data)
        except OSError as error:
            name = shown(file, settings.folder)
            fixed = Fixed(path=name, problems=(out_of_reach(name, error),))
        if fixed.done or fixed.problems:
            yield fixed


_KINDS = frozenset((".md", *photos.ENDINGS))


def _files(settings: Settings, paths: list[Path]) -> Iterator[Path]:
    """The articles and pictures meant, each once; links are nobody's business, for what they lead to is there itself."""
    if paths:
        found = [file for path in paths for file in (_below(path) if path.is_dir() else [path])]
    else:
        private = (file for file in _below(settings.private) if file.suffix.lower() in photos.ENDINGS)
        found = [*_below(settings.content), *private]
    for file in dict.fromkeys(found):
        if file.suffix.lower() in _KINDS or file in paths:
            yield file


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in (Path(here, name) for name in sorted(files) if not name.startswith(".")):
            if not file.is_symlink():
                yield file


def _mended(file: Path, settings: Settings, at: datetime, taken: set[str]) -> tuple[Fixed, bytes | None]:
    """What is to be said of ``file``, and what it should hold where that is something else.

    :param taken: ids in use; a new one is added.
    :raises OSError: it cannot be read.
    """
    if file.is_symlink():
        return _failed(file, settings, _("这是一个链接，不是文件本身。"), _("对它指向的文件运行。")), None
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) or file.suffix.lower() not in _KINDS:
        remedy = _("写文章（.md）或图片的文件名；Word 文档和纯文本用 gengfu import 导入。")
        return _failed(file, settings, _("这不是文章，也不是图片。"), remedy), None
    mend = _mended_photo if file.suffix.lower() in photos.ENDINGS else _mended_article
    fixed, data = mend(file, settings, at, taken)
    if data is not None and not mode & stat.S_IWUSR:
        return _failed(file, settings, _("文件是只读的，没有改。"), _("去掉只读属性，再运行一次。")), None
    return fixed, data


def _mended_photo(
    file: Path, settings: Settings, _at: datetime, _taken: set[str]
) -> tuple[Fixed, bytes | None]:
    try:
        data = file.read_bytes() if file.stat().st_size <= photos.MAX_BYTES else b""
        photo = photos.tidied(data)
    except photos.NotAPhoto as error:
        return _failed(file, settings, str(error), _("没有动它。")), None
    if photo.data == data:
        return Fixed(path=shown(file, settings.folder)), None
    done = [_("去掉拍摄地点、时间、设备等附带信息")] * photo.stripped
    done += [_("转正方向")] * photo.turned
    if photo.shrunk:
        done.append(_("从 {width}×{height} 像素缩小").format(width=photo.shrunk[0], height=photo.shrunk[1]))
    return Fixed(path=shown(file, settings.folder), done=tuple(done)), photo.data


def _mended_article(
    file: Path, settings: Settings, at: datetime, taken: set[str]
) -> tuple[Fixed, bytes | None]:
    name = shown(file, settings.folder)
    if (size := file.stat().st_size) > bounds.MAX_BYTES:
        return Fixed(path=name, problems=(too_long(name, size, bounds.MAX_BYTES),)), None
    data = file.read_bytes()
    if not data.strip():
        return _failed(file, settings, _("文件是空的。"), _("写上内容，或删掉它。")), None
    found = decoded(data, name)
    if isinstance(found, Problem):
        return Fixed(path=name, problems=(found,)), None
    read, encoding = found
    text, steps = repaired(read)
    done = list(_recoded(data, read, encoding)) + steps
    whole, problems = _completed(text, file, settings, at, taken)
    if whole != text:
        done.append(_("补上说明里缺的字段"))
    fixed = Fixed(path=name, done=tuple(done), diff=tuple(_diff(read, whole)), problems=problems)
    return fixed, whole.encode() if done else None


def _recoded(data: bytes, text: str, encoding: str) -> Iterator[str]:
    if encoding != "UTF-8":
        yield _("从 {encoding} 转成 UTF-8").format(encoding=encoding)
    elif text.encode() != data:
        yield _("去掉开头的 BOM")


def _completed(
    text: str, file: Path, settings: Settings, at: datetime, taken: set[str]
) -> tuple[str, tuple[Problem, ...]]:
    """``text`` with the fields it lacks, or what keeps it from getting them."""
    id_ = new_id(taken)
    taken.add(id_)
    try:
        return completed(text, file, settings, at, id_), ()
    except ProblemsFound as error:
        return text, error.problems
    except NotAmended as error:
        name = shown(file, settings.folder)
        return text, (Problem(path=name, message=str(error), remedy=_("补好再运行一次。")),)


def _diff(before: str, after: str) -> Iterator[str]:
    """The lines that differ; an other line end alone is no difference to look at."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))
    return (line for line in lines[2:] if not line.startswith("@@"))


def _failed(file: Path, settings: Settings, message: str, remedy: str) -> Fixed:
    name = shown(file, settings.folder)
    return Fixed(path=name, problems=(Problem(path=name, message=message, remedy=remedy),))
