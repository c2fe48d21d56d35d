"""The pictures that a Markdown file shows from beside itself: they come along, without what a camera wrote into them.

Only what lies in the file's own folder or below it does; a file from somebody else's stick opens no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from gengfu_site import photos
from gengfu_site.article import split
from gengfu_site.svg import is_only_a_picture
from gengfu_templates.i18n import _

_SHOWN = re.compile(
    r"""!\[[^\[\]]{0,300}\]\([ ]{0,9}(?![ ])<?(?!\w{1,30}:|/)"""
    r"""(?P<address>(?:[^<>()\n"]|\([^()\n]{0,100}\)){1,300}?)>?(?:[ ]{1,9}"[^"\n]{0,300}")?[ ]{0,9}\)"""
)
# https://github.github.com/gfm/#link-reference-definitions: the picture names a label, and a line elsewhere its address.
_BY_LABEL = re.compile(r"!\[(?P<text>[^\[\]]{0,300})\](?:\[(?P<label>[^\[\]]{0,300})\])?(?!\()")
_LABELLED = re.compile(
    r"""^[ >]{0,9}\[(?P<label>[^\[\]\n]{1,300})\]:[ \t]{0,9}\n?[ \t]{0,9}(?P<open><)?(?!\w{1,30}:|/)"""
    r"""(?P<address>(?(open)[^<>\[\]\n]|[^<>\[\]\s]){1,300})""",
    re.MULTILINE,
)
_COVER = re.compile(
    r"""^cover:[ \t]{0,9}["']?(?!\w{1,30}:|/)(?P<address>[^"'\n#]{1,300}?)["']?[ \t]{0,9}$""", re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Along:
    """A text in Markdown, and what came along with it."""

    text: str
    """Names the pictures as they are called now."""
    stem: str
    """What its file is to be called."""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    originals: tuple[Path, ...] = ()
    """Where the pictures lay."""
    notes: tuple[str, ...] = ()
    """What could not be kept, a sentence each."""


def with_pictures(text: str, source: Path, stem: str) -> Along:
    """``text``, the Markdown in ``source``, with its pictures; their names begin with ``stem``."""
    pictures: dict[str, bytes] = {}
    names: dict[Path, str] = {}
    files: dict[str, Path | None] = {}
    notes = []
    for found in _uses(text):
        address = found["address"].strip()
        if address in files:
            continue
        file = files[address] = _beside(address, source)
        if file is None or file in names:
            continue
        try:
            suffix, data = _picture(file)
        except (photos.NotAPhoto, OSError) as error:
            notes.append(_("图片“{name}”没有带过来：{why}").format(name=file.name, why=error))
            continue
        names[file] = f"{stem}-{len(pictures) + 1}{suffix}"
        pictures[names[file]] = data
    if left := sum(file is None for file in files.values()):
        notes.append(_("文章旁边的图片 {n} 张没有找到，请放到文章所在的文件夹里。").format(n=left))
    return Along(
        text=_renamed(text, {address: names[file] for address, file in files.items() if file in names}),
        stem=stem,
        pictures=pictures,
        originals=tuple(names),
        notes=tuple(notes),
    )


def _uses(text: str) -> Iterator[re.Match[str]]:
    """Every place that names a picture, in the order of the text."""
    parts = split(text)
    body = len(text) - len(parts[1]) if parts else 0
    yield from _COVER.finditer(text, 0, body)
    labels = {_label(found["label"] or found["text"]) for found in _BY_LABEL.finditer(text, body)}
    labelled = (found for found in _LABELLED.finditer(text, body) if _label(found["label"]) in labels)
    yield from sorted((*_SHOWN.finditer(text, body), *labelled), key=re.Match.start)


def _label(written: str) -> str:
    """The same for each that means the same."""
    return " ".join(written.split()).casefold()


def _renamed(text: str, names: Mapping[str, str]) -> str:
    parts, end = [], 0
    for found in _uses(text):
        if new := names.get(found["address"].strip()):
            parts += [text[end : found.start("address")], new]
            end = found.end("address")
    return "".join([*parts, text[end:]])


def _beside(address: str, source: Path) -> Path | None:
    folder = source.parent.resolve()
    for name in (address, unquote(address)):
        try:
            file = (folder / name).resolve()
            if file.is_file() and file.is_relative_to(folder):
                return file
        except (OSError, ValueError, RuntimeError):  # no file can have that name
            continue
    return None


def _picture(file: Path) -> tuple[str, bytes]:
    """Its ending and what it holds, fit to be published.

    :raises NotAPhoto: it is none.
    :raises OSError: it cannot be read.
    """
    data = file.read_bytes() if file.stat().st_size <= photos.MAX_BYTES else b""
    if file.suffix.lower() == ".svg" and is_only_a_picture(data):
        return ".svg", data
    photo = photos.tidied(data)
    return photo.suffix, photo.data
