"""A text as Windows programs save it and as people type it, made what an article must be; each step keeps what it says.

Notepad saves UTF-8 with and without a byte order mark, GBK ("ANSI") and UTF-16; some of that says nowhere what it is. A
guess counts only where it turns nearly every character into one that Chinese text is written in: GB 2312 holds those,
and of characters read in a wrong encoding it holds one in three.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import fields

from gengfu_site.article import Alert, FrontMatter, Service, split
from gengfu_site.problems import Problem
from gengfu_templates.i18n import _

_SAMPLE = 8192
"""Bytes by which an encoding is guessed."""
_SURE = 0.85
"""Share of characters of Chinese text from which on a guess counts."""
_BOMS = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16LE", codecs.BOM_UTF16_BE: "UTF-16BE"}
_GUESSES = ("GB18030", "UTF-16LE", "UTF-16BE")
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_FEW = 0.01
"""Share of invisible characters up to which a file may still be a text."""


def decoded(data: bytes, name: str) -> tuple[str, str] | Problem:
    """The text in ``data``, less a byte order mark, and the encoding it was in.

    :param name: the file as the officer knows it, for the problem.
    """
    encoding = _encoding(data)
    if encoding is None:
        return _no_text(data, name)
    text = data.decode(encoding).removeprefix("\ufeff")
    if len(_INVISIBLE.findall(text)) > max(4, len(text) * _FEW):
        return _no_text(data, name)
    return text, encoding


def _encoding(data: bytes) -> str | None:
    for bom, encoding in _BOMS.items():
        if data.startswith(bom):
            return encoding if _is(encoding, data) else None
    # ASCII in UTF-16 is UTF-8 too, every second character a NUL.
    if _is("UTF-8", data) and data.count(0) * 4 <= len(data):
        return "UTF-8"
    shares = {encoding: _share(data, encoding) for encoding in _GUESSES}
    best = max(shares, key=lambda encoding: shares[encoding])
    return best if shares[best] >= _SURE else None


def _is(encoding: str, data: bytes) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _share(data: bytes, encoding: str) -> float:
    """The share of the characters of Chinese text in the beginning of ``data``; 0 where it is not in ``encoding``."""
    if not _is(encoding, data):
        return 0
    text = data[:_SAMPLE].decode(encoding, "ignore")
    return sum(map(_is_usual, text)) / max(1, len(text))


def _is_usual(char: str) -> bool:
    return char in "\ufeff\t\r\n" or (char.isprintable() and char.encode("gb2312", "ignore") != b"")


def _no_text(data: bytes, name: str) -> Problem:
    try:
        data.decode()
        line = 1
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    return Problem(
        path=name,
        line=line,
        message=_("不是 UTF-8、GBK 或 UTF-16 的文字（也许是别的软件的文件改了名字，或者已损坏）。"),
        remedy=_("用原来的软件打开，另存为 Word 的 docx 或 UTF-8 的纯文本。"),
    )


def repaired(text: str) -> tuple[str, list[str]]:
    """``text`` with what is safe to mend mended, and a sentence for each thing that was."""
    done = []
    for step, said in _STEPS:
        new = step(text)
        if new != text:
            done.append(said)
        text = new
    return text, done


_OWN = {field.name for model in (Service, Alert) for field in fields(model)}
_OUTERMOST = {field.name for field in fields(FrontMatter)} - _OWN
_RULE = r"[-\u2010-\u2015\u2500\u2501\uff0d_]{1,99}[ \t\u3000]*"
_ABOVE_FRONT = re.compile(rf"(?i)\s*{_RULE}\n(?=\s*(?:{'|'.join(sorted(_OUTERMOST))})[ ]*[:：])")
_BELOW_FRONT = re.compile(rf"^{_RULE}$", re.MULTILINE)


def _with_plain_rules(text: str) -> str:
    """The lines above and below the front matter are ``---``, which Word makes one dash, and the first line is one."""
    above = _ABOVE_FRONT.match(text)
    if above is None or split(text):
        return text
    below = _BELOW_FRONT.sub("---", text[above.end() :], count=1)
    return f"---\n{below}"


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_invisible(text: str) -> str:
    return _INVISIBLE.sub("", text)


def _without_wide_indents(text: str) -> str:
    """The two full-width spaces that begin a paragraph on paper; a page sets its own."""
    parts = split(text)
    body = parts[1] if parts else text
    return text[: len(text) - len(body)] + re.sub(r"(?m)^[ \t]*\u3000[ \t\u3000]*", "", body)


_INDENT = re.compile(
    rf"^([ \t\u3000]*[\t\u3000][ \t\u3000]*)((?:{'|'.join(sorted(_OUTERMOST))})(?=[ ]*[:：]))?"
)


def _with_narrow_front(text: str) -> str:
    """Above the text blanks are ASCII blanks, as YAML wants them; an outermost field begins its line."""
    return _in_front(text, lambda line: _INDENT.sub(_narrow, line).replace("\u3000", " "))


def _narrow(begin: re.Match[str]) -> str:
    return begin[2] or begin[1].replace("\t", "  ").replace("\u3000", "  ")


_KEY = re.compile(rf"([ ]*(?:- )?)({'|'.join(sorted(_OWN | _OUTERMOST))})[ ]*(?:：[ ]*|:(?=[^ ]))")


def _with_yaml_colons(text: str) -> str:
    """A colon behind a field's name is an ASCII one with a blank behind it."""
    return _in_front(text, lambda line: _KEY.sub(r"\1\2: ", line, count=1) if _KEY.match(line) else line)


def _in_front(text: str, mend: Callable[[str], str]) -> str:
    """``text`` with each line of its front matter mended."""
    parts = split(text)
    if not parts:
        return text
    begin = text.index("\n") + 1
    lines = [line if line.lstrip().startswith("#") else mend(line) for line in parts[0].split("\n")]
    return text[:begin] + "\n".join(lines) + text[begin + len(parts[0]) :]


_STEPS: tuple[tuple[Callable[[str], str], str], ...] = (
    (_with_line_feeds, _("换行统一成 LF")),
    (_without_invisible, _("去掉看不见的控制字符")),
    (_with_plain_rules, _("说明上下的横线改成“---”，放在最前面")),
    (_with_narrow_front, _("说明里的全角空格、Tab 改成空格")),
    (_with_yaml_colons, _("字段名后面的冒号改成英文冒号加空格")),
    (_without_wide_indents, _("去掉段首的全角空格")),
)
