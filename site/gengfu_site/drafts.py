"""What an officer wrote without the lines above the text, given those lines: number, date, column, title, summary.

Only what the text itself, its folder and the clock can tell is written; what nobody can know stands there as 【待写…】,
which ``gengfu check`` asks for.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from gengfu_site.amend import amended
from gengfu_site.article import FILLED, SUMMARY, TITLE, split
from gengfu_site.catalogue import KINDS, Kind
from gengfu_site.problems import Problem, ProblemsFound, shown
from gengfu_site.settings import Settings
from gengfu_site.source import read_yaml
from gengfu_site.start import Beginning, beginning, now_in
from gengfu_templates.i18n import _

_TO_WRITE = "【待写"
# In the article's language, like the beginnings that gengfu new writes.
_NO_TITLE = "【待写：标题】"
_NO_SUMMARY = "【待写：120 字以内的摘要，单独看也要说得清】"


def completed(
    text: str, file: Path, settings: Settings, at: datetime, id_: str, kind: Kind | None = None
) -> str:
    """``text`` with the fields that every article must have; the same text where it has them.

    :param text: with ``\\n`` line ends.
    :param file: where it lies or will lie, for its column and for problems.
    :param id_: its id, where it has none.
    :param kind: by default the folder's, below content/.
    :raises ProblemsFound: its front matter cannot be read, or nothing tells the column.
    :raises NotAmended: a field cannot be added to its front matter.
    """
    name = shown(file, settings.folder)
    front, body = _taken_apart(text, name)
    document, problems = read_yaml(front, name, first_line=2)
    if problems:
        raise ProblemsFound(problems)
    written = document.value
    missing = [field for field in FILLED if written.get(field) is None]
    if not missing:
        return text
    kind = kind or _written_kind(written) or _kind_of_folder(file, settings)
    if kind is None:
        raise ProblemsFound([_no_kind(name)])
    title, rest = titled(body) if "title" in missing else ("", body)
    values = {
        "id": id_,
        "title": title or _NO_TITLE,
        "summary": summary(rest) or _NO_SUMMARY,
        "kind": kind,
        "published": now_in(settings, at),
    }
    if written:
        kept = text.removesuffix(body) + rest
        return amended(kept.encode(), {(field,): values[field] for field in missing}, file).decode()
    begun = Beginning(kind=kind, title=values["title"], summary=values["summary"], evergreen=False)
    parts = split(beginning(begun, values["id"], values["published"]))
    assert parts is not None
    return f"---\n{parts[0]}{front}---\n\n{rest.lstrip()}"


def _taken_apart(text: str, name: str) -> tuple[str, str]:
    """Front matter, empty where there is none, and body; raises as :func:`completed`."""
    parts = split(text)
    if parts:
        return parts[0], parts[1]
    if re.match(r"---[ \t]*\n\s*[A-Za-z_]+[ \t]*[:：]", text):
        problem = Problem(
            path=name,
            message=_("开头的说明有第一行“---”，没有结束的那一行“---”。"),
            remedy=_("在说明的最后一行下面加一行“---”。"),
        )
        raise ProblemsFound([problem])
    if re.match(rf"\s*(?:{'|'.join(FILLED)})[ \t]*[:：]", text):
        problem = Problem(
            path=name,
            message=_("开头像是文章的说明，上下没有“---”。"),
            remedy=_("在说明的第一行上面、最后一行下面各加一行“---”。"),
        )
        raise ProblemsFound([problem])
    return "", text


def _written_kind(written: dict[str, object]) -> Kind | None:
    kind = written.get("kind")
    return kind if kind in KINDS else None


def _kind_of_folder(file: Path, settings: Settings) -> Kind | None:
    """What the folder below content/ in which ``file`` lies is for."""
    content = settings.content.resolve()
    place = file.resolve()
    first = place.relative_to(content).parts[0] if place.is_relative_to(content) else ""
    return first if first in KINDS else None


def _no_kind(name: str) -> Problem:
    return Problem(
        path=name,
        message=_("从文件夹看不出这是哪个栏目的文章。"),
        remedy=_("把文件移到 content/ 下面栏目的文件夹里，例如 content/tip/。"),
    )


_HEADING = re.compile(r"#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*")
_MARKS = re.compile(
    r"!\[([^\[\]]*)\]\([^)]{0,600}\)|\[([^\[\]]*)\]\([^)]{0,600}\)|\[\^\d+\]|\*\*|__|`|<[^<>]*>"
)
_NO_PARAGRAPH = re.compile(r"\s*(?:[#>|~`!<]|[-*+][ \t]|\d{1,9}[.)][ \t]|\[\^|-{3}|={3}|$)")
_SENTENCE_END = re.compile(r"[。！？；!?;]")


def titled(body: str) -> tuple[str, str]:
    """The title that ``body`` begins with, and the rest; without one the next heading's words, or "", and ``body``.

    A heading on the first line is the title, and so is a short first line that is no sentence.
    """
    first, _end, rest = body.lstrip().partition("\n")
    words = plain(first)
    if heading := _HEADING.fullmatch(first):
        return plain(heading[1]), rest.lstrip("\n")
    if (
        words
        and len(words) <= TITLE
        and _TO_WRITE not in words
        and not (_SENTENCE_END.search(words) or _NO_PARAGRAPH.match(first))
    ):
        return words, rest.lstrip("\n")
    headings = (_HEADING.fullmatch(line) for line in body.split("\n"))
    return next((plain(heading[1]) for heading in headings if heading), ""), body


def summary(body: str) -> str:
    """The first paragraph's sentences, as many as a summary holds; "" where not even one fits."""
    first = next((plain(block) for block in re.split(r"\n[ \t]*\n", body) if _tells(block)), "")
    if _TO_WRITE in first:
        return ""
    if len(first) <= SUMMARY:
        return first
    ends = [found.end() for found in _SENTENCE_END.finditer(first, 0, SUMMARY)]
    return first[: ends[-1]] if ends else ""


def _tells(block: str) -> bool:
    """Whether it is a paragraph, and neither a salutation nor what only announces a list."""
    return not (_NO_PARAGRAPH.match(block) or plain(block).endswith(("：", ":")))


def plain(markdown: str) -> str:
    """The words of a line or paragraph, without its marks."""
    words = _MARKS.sub(lambda found: found[1] or found[2] or "", markdown)
    return " ".join(re.sub(r"\\(\W)", r"\1", words).replace("\\\n", " ").split())
