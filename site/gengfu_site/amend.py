"""One field of an officer's file set anew, and not a byte of the rest: comments, order, quotes, line ends, encoding.

A YAML writer would lay the whole front matter out again. So the value's span is taken from the marks of PyYAML's
nodes (https://pyyaml.org/wiki/PyYAMLDocumentation#marks) and replaced in the text; then the result is read again,
and must say what the file said before with that one field changed.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from gengfu_site.problems import GengfuError, Problem, ProblemsFound, reason
from gengfu_site.source import decode, read_yaml
from gengfu_templates.i18n import _

Fields = Mapping[tuple[str, ...], str]
"""New values by place: ``{("alert", "state"): "resolved", ("updated",): "2026-11-21 08:00:00"}``."""


class NotAmended(GengfuError):
    """The file cannot be changed by program; nothing was touched."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(
            _("{path} 没有改成（{reason}），请打开文件自己改。").format(path=path, reason=reason)
        )


def amend(file: Path, fields: Fields) -> None:
    """Set ``fields`` in the front matter of ``file``, which keeps its mode and is never half written.

    :raises ProblemsFound: as :func:`amended`.
    :raises NotAmended: likewise, or the file cannot be read or written.
    """
    file = file.resolve()  # a link stays a link
    try:
        rewrite(file, amended(file.read_bytes(), fields, file))
    except OSError as error:
        raise NotAmended(file, reason(error)) from error


def rewrite(file: Path, data: bytes) -> None:
    """``data`` in place of what ``file`` holds, which keeps its mode and is never half written.

    :raises OSError: it is not there, or cannot be written; it is as it was.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        new.touch(mode=0o600)  # it may be a missing person's photo
        with new.open("wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        shutil.copymode(file, new)
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def amended(data: bytes, fields: Fields, file: Path) -> bytes:
    """``data``, an article in UTF-8 or GBK, with ``fields`` set in its front matter.

    :param file: for errors.
    :raises ProblemsFound: the front matter cannot be read.
    :raises NotAmended: a field cannot be set without touching the rest.
    """
    encoding, parts = _taken_apart(data, file)
    front = parts["front"]
    for place, value in fields.items():
        front = _set(front, place, _one_line(value), file)
    return (parts["begin"] + front + parts["rest"]).encode(encoding)


def front_matter(data: bytes, file: Path) -> dict[str, Any]:
    """What ``data``'s front matter says, unchecked; raises as :func:`amended`."""
    return _value(_taken_apart(data, file)[1]["front"], file)


_PARTS = re.compile(
    r"(?P<begin>---[ \t]*(?:\r\n|\r|\n))"
    r"(?P<front>.*?)(?<=[\r\n])"
    r"(?P<rest>(?:---|\.\.\.)[ \t]*(?:[\r\n].*)?)",
    re.DOTALL,
)
"""An article with the line ends it has, taken apart as :mod:`gengfu_site.article` does."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_NO_FRONT_MATTER = _("开头没有夹在两行“---”之间的说明")


def _taken_apart(data: bytes, file: Path) -> tuple[str, re.Match[str]]:
    """The encoding and the parts of ``data``."""
    readable = decode(data, file.name, gbk=True)
    if isinstance(readable, Problem):
        raise ProblemsFound([readable])
    encoding = _encoding(data)
    parts = _PARTS.fullmatch(data.decode(encoding))
    if parts is None:
        raise NotAmended(file, _NO_FRONT_MATTER)
    return encoding, parts


def _encoding(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    try:
        data.decode()
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _one_line(value: str) -> str:
    return " ".join(value.encode("utf-8", "replace").decode().split())


def _set(front: str, place: tuple[str, ...], value: str, file: Path) -> str:
    """``front`` with ``value`` at ``place``; raises as :func:`amended`."""
    wanted = _value(front, file)
    if not wanted:
        raise NotAmended(file, _NO_FRONT_MATTER)
    inner: Any = wanted
    for key in place[:-1]:
        inner = inner.get(key)
        if not (inner and isinstance(inner, dict)):
            raise NotAmended(file, _("没有 {field} 这一部分").format(field=key))
    inner[place[-1]] = value
    try:
        # PyYAML's own parser: its marks count characters, as slices do. Of tabs it takes fewer than libyaml.
        root = yaml.compose(front.replace("\t", " "), Loader=yaml.SafeLoader)
        assert isinstance(root, yaml.MappingNode)  # as _value found
    except yaml.YAMLError as error:
        raise _too_unusual(file, place) from error
    new = _changed(front, root, place, value)
    if _value(new, file) != wanted:
        raise _too_unusual(file, place)
    return new


def _too_unusual(file: Path, place: tuple[str, ...]) -> NotAmended:
    return NotAmended(file, _("{field} 的写法太特别").format(field=".".join(place)))


def _value(front: str, file: Path) -> dict[str, Any]:
    text = front.replace("\r\n", "\n").replace("\r", "\n")
    document, problems = read_yaml(text, file.name, first_line=2)
    if problems:
        raise ProblemsFound(problems)
    return document.value


def _changed(front: str, root: yaml.MappingNode, place: tuple[str, ...], value: str) -> str:
    """``front`` with the value there replaced, or written behind the last one beside it."""
    around = root
    for key in place[:-1]:
        inner = _member(around, key)
        assert isinstance(inner, yaml.MappingNode)
        around = inner
    if old := _member(around, place[-1]):
        begin, end = old.start_mark.index, _end(old, front)
        # A value left empty stands right behind its colon.
        return front[:begin] + " " * (begin == end) + _written(value, old) + front[end:]
    member = f"{place[-1]}: {_written(value)}"
    end = _end(around.value[-1][1], front)
    if around.flow_style:
        gap = " " * front.endswith(":", 0, end)  # libyaml takes no comma right behind a colon
        return f"{front[:end]}{gap}, {member}{front[end:]}"
    line_end = _LINE_END.search(front, end)  # a comment may follow on that line
    assert line_end is not None  # _PARTS demands one
    indent = " " * around.start_mark.column
    return front[: line_end.end()] + indent + member + line_end[0] + front[line_end.end() :]


def _member(mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in mapping.value if name.value == key), None)


def _end(node: yaml.Node, front: str) -> int:
    """Where the last word of ``node`` ends; the mark of a block lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last, front)
    begin, end = node.start_mark.index, node.end_mark.index
    return begin + len(front[begin:end].rstrip())


def _written(value: str, old: yaml.Node | None = None) -> str:
    """``value`` as YAML, in the quotes that stood there; plain only where it cannot be misread."""
    style = old.style if isinstance(old, yaml.ScalarNode) else None
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    plain = re.fullmatch(r"[A-Za-z]+|\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?", value)
    return value if plain and style != '"' else json.dumps(value, ensure_ascii=False)
