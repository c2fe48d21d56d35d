"""Officers' files as text and as YAML that remembers its lines.

YAML 1.1 would turn ``id: 01234`` into 668, ``at: 21:30`` into 1290 and ``off`` into False, so every scalar
stays the text that was written; pydantic gives types afterwards. Built on PyYAML's event stream
(https://pyyaml.org/wiki/PyYAMLDocumentation), which neither recurses nor expands aliases: a file made to
exhaust a parser ends in a :class:`Problem` like any other mistake.
"""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache, lru_cache
from io import FileIO
from pathlib import Path
from sys import intern
from typing import Annotated, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from yaml import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from gengfu_site.problems import Problem, in_command, nearest, reason, shown
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _, series

# Whatever else is installed here has no say in what is read (https://docs.pydantic.dev/latest/concepts/plugins/), and
# none need be looked for whenever the program starts.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

MAX_BYTES = 1 << 20
"""A longer text file is refused: no settings are, and a parser's time grows with it."""
_MAX_DEPTH = 16

_ORDINARY = re.compile("[\t\n\r -~\x85\xa0-\ufffd\U00010000-\U0010ffff]*")
"""Whatever is no control character."""
_Events: Any = yaml.cyaml.CParser if yaml.__with_libyaml__ else yaml.SafeLoader  # type: ignore[attr-defined]

Location = tuple[str | int, ...]
"""Where a value stands: ``("service", "materials", 0, "name")``."""
Model = TypeVar("Model")


def read_text(path: Path | str, root: Path, *, gbk: bool = False, most: int = MAX_BYTES) -> str | Problem:
    """The file's text with ``\\n`` line ends and no BOM, or what is wrong with it.

    :param root: the station folder, for the file's name in the problem.
    :param gbk: accept GBK as well, which a spreadsheet saves.
    :param most: the size in bytes from which on the file is refused.
    """
    name = shown(path, root)
    try:
        with FileIO(path) as file:
            if (size := os.fstat(file.fileno()).st_size) > most:
                return too_long(name, size, most)
            data = file.readall()
    except OSError as error:
        return Problem(
            path=name,
            message=_("文件读不出来（{reason}）。").format(reason=reason(error)),
            remedy=_("检查文件是否还在、当前用户是否有权读取。"),
        )
    return decode(data, name, gbk=gbk)


def too_long(name: str, size: int, most: int = MAX_BYTES) -> Problem:
    """What to say of a text file of ``size`` bytes."""
    return Problem(
        path=name,
        message=_("文件最大 {most} KiB，这个有 {size} KiB。").format(most=most >> 10, size=size >> 10),
        remedy=_("把长文拆成几篇，图片、音频和视频放在旁边的文件里。"),
    )


def out_of_reach(name: str, error: OSError) -> Problem:
    """What to say of a file that is to be read and written."""
    return Problem(
        path=name,
        message=_("文件读不出来或写不进去（{reason}）。").format(reason=reason(error)),
        remedy=_("检查文件还在不在、磁盘空间和权限，关掉正打开着它的软件，再运行一次。"),
    )


def decode(data: bytes, name: str, *, gbk: bool = False) -> str | Problem:
    """As :func:`read_text`, for bytes that lie in memory."""
    if encoding := _utf16(data):
        return _wrong_encoding(name, encoding, 1)
    try:
        text = data.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        is_gbk = _is_gbk(data)
        if not (gbk and is_gbk):
            before = data[: error.start].replace(b"\r\n", b"\n")
            line = before.count(b"\n") + before.count(b"\r") + 1
            return _wrong_encoding(name, "GBK" if is_gbk else None, line)
        text = data.decode("gb18030")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (at := _control_in(text)) is not None:
        return Problem(
            path=name,
            line=text.count("\n", 0, at) + 1,
            message=_("有一个看不见的控制字符（U+{code:04X}）。").format(code=ord(text[at])),
            remedy=_("删掉这一行里看不见的字符，常见于从其他软件复制粘贴。"),
        )
    return text


def _control_in(text: str) -> int | None:
    """Where the first control character stands."""
    ordinary = _ORDINARY.match(text)
    assert ordinary
    return ordinary.end() if ordinary.end() < len(text) else None


def _utf16(data: bytes) -> str | None:
    """Name of the UTF-16 form that ``data`` begins in, None where it is not UTF-16."""
    if 0 not in data[:400] and not data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return None
    even, odd = data[0:400:2], data[1:400:2]
    if data.startswith(BOM_UTF16_LE) or odd.count(0) > max(1, len(odd) * 0.4):
        return "UTF-16LE"
    if data.startswith(BOM_UTF16_BE) or even.count(0) > max(1, len(even) * 0.4):
        return "UTF-16BE"
    return None


def _is_gbk(data: bytes) -> bool:
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _wrong_encoding(name: str, encoding: str | None, line: int) -> Problem:
    if encoding is None:
        return Problem(
            path=name,
            line=line,
            message=_("文件应是 UTF-8 编码的文本，这一行不是，也认不出是哪种编码。"),
            remedy=_("用原来的软件打开，另存为“UTF-8”编码的文本。"),
        )
    command = f"gengfu fix {in_command(name)}"
    if not name.endswith(".md"):
        known = "GB18030" if encoding == "GBK" else encoding
        command = f"iconv -f {known} -t UTF-8 {in_command(name)} > new && mv new {in_command(name)}"
    return Problem(
        path=name,
        line=line,
        message=_("文件应是 UTF-8 编码，这个是 {encoding}。").format(encoding=encoding),
        remedy=_("在记事本里“另存为”，编码选 UTF-8；或者运行：{command}").format(command=command),
    )


@dataclass(frozen=True, kw_only=True)
class Tagged:
    """A YAML value with a tag of its own (``!ENV``); nothing this program reads may be one."""

    tag: str


class Cut(NamedTuple):
    """What looks like the rest of a value, and is a comment (https://yaml.org/spec/1.1/#id863975)."""

    line: int
    field: str
    words: str


_CUT = re.compile(r"^[ -]*(\w+): +(?![\"'|>\[{#])(?:(?! #)[^\n])* (#[^\s#][^\n]*)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A YAML mapping: text, lists and mappings, None where a value was left empty."""

    path: str
    value: dict[str, Any]
    lines: Mapping[Location, int]
    cut: Sequence[Cut] = field(default_factory=tuple)

    def line(self, *location: str | int) -> int:
        """Line of the value at ``location``, or of the nearest thing around it."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def problem(self, *location: str | int, message: str, remedy: str) -> Problem:
        """A problem with the value at ``location``."""
        field = ".".join(map(str, location))
        return Problem(path=self.path, line=self.line(*location), field=field, message=message, remedy=remedy)

    def part(self, *location: str | int) -> Document:
        """The mapping at ``location`` as a document of its own, with the same lines."""
        value: Any = self.value
        for key in location:
            value = value[key]
        depth = len(location)
        lines = {at[depth:]: line for at, line in self.lines.items() if at[:depth] == location}
        return Document(path=self.path, value=value, lines=lines)


class _Wrong(Exception):
    """Stops reading one YAML text; carries the line, from 0, and the problem's two sentences."""

    def __init__(self, event: Any, message: str, remedy: str) -> None:
        self.line, self.message, self.remedy = event.start_mark.line, message, remedy


def read_yaml(text: str, path: str, *, first_line: int = 1) -> tuple[Document, list[Problem]]:
    """The mapping in ``text``, and what is wrong with it (a duplicate key does not hide the rest).

    :param first_line: line of the file on which ``text`` begins.
    """
    builder = _Builder(first_line)
    problems: list[Problem] = []
    try:
        builder.read(text)
    except _Wrong as wrong:
        problems.append(
            Problem(path=path, line=first_line + wrong.line, message=wrong.message, remedy=wrong.remedy)
        )
    except yaml.YAMLError as error:
        problems.append(_no_yaml(error, path, first_line))
    value = builder.root
    if value is not None and not isinstance(value, dict) and not problems:
        message = _("这里应是一行一个的“字段: 值”。")
        problems.append(Problem(path=path, line=first_line, message=message, remedy=_HINT))
    problems += [
        Problem(
            path=path,
            line=line,
            field=".".join(map(str, location)),
            message=_("字段“{key}”写了两次。").format(key=location[-1]),
            remedy=_("只留一个。"),
        )
        for location, line in builder.duplicates
    ]
    value = value if isinstance(value, dict) else {}
    cut = tuple(_cut(text, first_line)) if " #" in text else ()
    return Document(path=path, value=value, lines=builder.lines, cut=cut), problems


def _cut(text: str, first_line: int) -> Iterator[Cut]:
    for found in _CUT.finditer(text):
        line = first_line + text.count("\n", 0, found.start())
        yield Cut(line=line, field=found[1], words=found[2].rstrip())


class _Builder:
    """Builds lists, mappings and text from YAML events, on a stack of its own."""

    def __init__(self, first_line: int) -> None:
        self.lines: dict[Location, int] = {}
        self.duplicates: list[tuple[Location, int]] = []
        self._first_line = first_line
        self._documents: list[Any] = []

    @property
    def root(self) -> Any:
        return self._documents[0] if self._documents else None

    def read(self, text: str) -> None:
        """All of ``text``, in one loop: an article has sixty events, the most frequent kinds are asked for first.

        :raises _Wrong: it holds what nothing that this program reads may hold.
        :raises yaml.YAMLError: it is no YAML.
        """
        container: Any = self._documents
        above: Location | None = None
        key: str | int | None = 0  # of the value to come; None where a key is to come
        around: list[tuple[Any, Location | None, str | int | None]] = []
        next_event = _Events(text).get_event
        while event := next_event():
            kind = type(event)
            if kind is ScalarEvent:
                if event.anchor:
                    raise _anchored(event)
                if key is None:
                    key = intern(event.value)  # thousands of files have the same fields
                    continue
                value = _written_as(event) if event.style or event.tag else event.value or None
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                container, above, key = around.pop()
                continue
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                value = _empty(event, is_key=key is None, depth=len(around))
            elif kind is yaml.AliasEvent:
                message = _("不支持 YAML 的别名（*{name}）。").format(name=event.anchor)
                raise _Wrong(event, message, _("把内容写全。"))
            elif kind is yaml.DocumentStartEvent and self._documents:
                raise _Wrong(event, _("这里只能有一段 YAML，又见到一个“---”。"), _("删掉多出来的“---”。"))
            else:
                continue
            line = event.start_mark.line + self._first_line
            location = _below(above, key)
            self.lines[location] = line
            if type(container) is list:
                container.append(value)
                key = len(container)
            else:
                if key in container:
                    self.duplicates.append((location, line))
                container[key] = value
                key = None
            if kind is not ScalarEvent:
                around.append((container, above, key))
                container, above, key = value, location, 0 if type(value) is list else None


def _anchored(event: ScalarEvent) -> _Wrong:
    return _Wrong(event, _("不支持 YAML 的锚点（&{name}）。").format(name=event.anchor), _("把内容写全。"))


def _written_as(event: ScalarEvent) -> str | Tagged | None:
    """The value of what is written in quotes, as a block or with a tag."""
    value = event.value
    if event.style == '"' and _control_in(value) is not None:  # only there can one be written
        raise _Wrong(event, _("这一行的转义写出了看不见的控制字符。"), _("删掉反斜杠开头的转义。"))
    if event.tag not in (None, "!"):
        return Tagged(tag=event.tag)
    return value if value or event.style else None


def _empty(
    event: MappingStartEvent | SequenceStartEvent, *, is_key: bool, depth: int
) -> dict[str, Any] | list[Any]:
    """What the values that follow go into."""
    if depth >= _MAX_DEPTH:
        raise _Wrong(event, _("层次太深（超过 {n} 层）。").format(n=_MAX_DEPTH), _("减少缩进的层数。"))
    if is_key:
        raise _Wrong(event, _("字段名应是文字，见到的是列表或字段组。"), _("检查这一行的方括号和花括号。"))
    return {} if isinstance(event, MappingStartEvent) else []


@lru_cache(maxsize=4096)
def _below(above: Location | None, key: str | int) -> Location:
    """Kept, because the articles of a library have the same ones, and each remembers its own."""
    return () if above is None else (*above, key)


_HINT = _("检查冒号后面有没有空格、缩进是否对齐、引号和括号是否成对。")
_YAML_HINTS = {
    "mapping values are not allowed": _(
        "值里有“: ”时，把整个值用英文双引号括起来；行首多了空格，就删掉空格。"
    ),
    "tab character": _("缩进请用空格，不用 Tab。"),
    "could not find expected ':'": _("字段名后面要有英文冒号和一个空格。"),
    "cannot start any token": _("缩进请用空格，不用 Tab；以 @ ` % 开头的值要用英文双引号括起来。"),
    "unknown escape character": _("双引号里的反斜杠要写两个，或改用英文单引号。"),
    "did not find expected": _(
        "检查缩进是否对齐、引号和括号是否成对；值的前半截在引号或括号里，就把整个值用英文双引号括起来。"
    ),
    "found unexpected end of stream": _("检查引号和括号是否成对。"),
}


def _no_yaml(error: yaml.YAMLError, path: str, first_line: int) -> Problem:
    """What a parser's own English means to who wrote the line."""
    mark = error.problem_mark or error.context_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return Problem(
        path=path,
        line=first_line + (mark.line if mark else 0),
        message=_("这一行附近不是正确的 YAML。"),
        remedy=next((hint for text, hint in _YAML_HINTS.items() if text in str(error)), _HINT),
    )


STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True)
"""For whatever officers write field by field."""


class Mistake(ValueError):
    """Raised by a field's validator: what was expected and found, and how to mend it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy


def _is_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise Mistake(_("“{name}”不是时区名。").format(name=name), _("中国大陆写 Asia/Shanghai。")) from None
    return name


TimeZoneName = Annotated[str, AfterValidator(_is_time_zone)]
"""An IANA name, for a model's field."""


def validate(
    model: type[Model], document: Document, context: Mapping[str, Any] | None = None
) -> tuple[Model | None, list[Problem]]:
    """The document as ``model`` (a pydantic model or a dataclass), or every problem with it.

    A field that was left empty counts as not written.
    """
    try:
        return _adapter(model).validator.validate_python(_written(document.value), context=context), []
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [_explained(detail, document, model, before) for before, detail in enumerate(details)]


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: part if isinstance(part, str) else _written(part)
            for key, part in value.items()
            if part is not None
        }
    if isinstance(value, list):
        return [part if isinstance(part, str) else _written(part) for part in value]
    return value


def _explained(detail: ErrorDetails, document: Document, model: type[Any], before: int) -> Problem:
    """:param before: mistakes that come first."""
    location = detail["loc"]
    field = location[-1] if location else ""
    context = detail.get("ctx", {})
    found = detail["input"]
    remedy = _("照着其他文件的写法改。")
    match detail["type"]:
        case "missing" | "missing_argument":
            if location in document.lines:
                message = _("“{field}”还没有写。").format(field=field)
                remedy = _("在冒号后面写上内容。")
            else:
                message = _("缺少字段“{field}”。").format(field=field)
                remedy = _("补上这一行。")
        case "extra_forbidden" | "unexpected_keyword_argument":
            message = _("没有“{field}”这个字段。").format(field=field)
            close = nearest(str(field), _field_names(model), before=before)
            remedy = _("是不是想写“{close}”？").format(close=close) if close else _("删掉这一行。")
        case "string_too_long" | "too_long":
            message = _("最多 {most} 个字，现在有 {found} 个。").format(
                most=context["max_length"], found=len(str(found))
            )
            remedy = _("改短一些。")
        case "less_than_equal" | "greater_than_equal":
            message = _("“{field}”应在允许的范围里，见到的是 {found}。").format(
                field=field, found=shortened(found)
            )
            most, least = context.get("le"), context.get("ge")
            remedy = (
                _("最多写 {most}。").format(most=most)
                if most is not None
                else _("最少写 {least}。").format(least=least)
            )
        case "string_too_short" | "too_short":
            message = _("“{field}”不能为空。").format(field=field)
            remedy = _("补上内容，或删掉这一行。")
        case "literal_error":
            words = re.findall(r"'([^']*)'", str(context["expected"]))
            message = _("应是其中之一：{words}；见到的是“{found}”。").format(
                words=series(words), found=shortened(found)
            )
            close = nearest(str(found), words, before=before)
            remedy = _("是不是想写“{close}”？").format(close=close) if close else _("从这几个里选一个。")
        case "value_error" if isinstance(context.get("error"), Mistake):
            message, remedy = context["error"].message, context["error"].remedy
        case "string_type":
            message = _("“{field}”应是一段文字，见到的是{found}。").format(field=field, found=_shape(found))
        case "list_type" | "tuple_type":
            message = _("“{field}”应是列表，见到的是{found}。").format(field=field, found=_shape(found))
            remedy = _("写成 [甲, 乙]，或一行一个“- ”开头。")
        case "model_type" | "model_attributes_type" | "dict_type" | "dataclass_type":
            message = _("“{field}”下面应是一组“字段: 值”，见到的是{found}。").format(
                field=field, found=_shape(found)
            )
        case "int_parsing" | "int_type":
            message = _("“{field}”应是整数，见到的是“{found}”。").format(field=field, found=shortened(found))
        case _:
            message = _("“{field}”的值“{found}”用不了。").format(field=field, found=shortened(found))
    return document.problem(*location, message=message, remedy=remedy)


def _all_fields(model: Any) -> Sequence[str]:
    """Names of every field in ``model`` and in the models within it, in order."""
    schema = _adapter(model).json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return sorted({name for part in parts for name in part.get("properties", {})})


# It takes ten milliseconds, and somebody may have misspelt a thousand.
_field_names: Callable[[Any], Sequence[str]] = cache(_all_fields)


def _shape(value: Any) -> str:
    match value:
        case dict():
            return _("一组字段")
        case list():
            return _("列表")
        case None:
            return _("空")
        case Tagged():
            return _("带标签 {tag} 的值").format(tag=value.tag)
        case _:
            return f"“{shortened(value)}”"


def shortened(value: Any, most: int = 30) -> str:
    """``value`` as text for a sentence, cut where it is long."""
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
