"""From what officers have (Word, plain text, Markdown; in whatever encoding) to an article in content/.

The original stays where it is, or, from the inbox, is moved aside when all is done. An article is there whole, with its
pictures, or not at all; nothing that exists is overwritten. What a file is, its content tells,
not its name, but for tables and settings: these are text too. What a station keeps for itself becomes no article, and no
text that holds a group robot's address.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath

from gengfu_site import audit, bounds, photos, release, synonyms
from gengfu_site.amend import NotAmended, rewrite
from gengfu_site.catalogue import KINDS, Kind
from gengfu_site.drafts import completed, titled
from gengfu_site.intake.beside import Along, with_pictures
from gengfu_site.intake.docx import read_docx
from gengfu_site.intake.outline import outlined, typed
from gengfu_site.library import WEBHOOK, exposed
from gengfu_site.pages import kind_label
from gengfu_site.problems import Problem, ProblemsFound, shown
from gengfu_site.repair import decoded, repaired
from gengfu_site.settings import Settings
from gengfu_site.source import out_of_reach, too_long
from gengfu_site.start import EXPLAINED, ids_in, new_id
from gengfu_templates.i18n import _

INBOX = "inbox"
"""Folder in the station's, where officers drop files."""
DONE, FAILED = "done", "failed"
"""Folders in the inbox for what was taken in, and what could not be."""
_TAKING = ".taking"
"""Folder in the inbox for what is being taken in; what a crash left here is taken in again."""
_STEADY = 1.0
"""Seconds in which a file in the inbox must not grow: a copy may still be under way."""
_MOST_BYTES = 128 << 20


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What became of one file."""

    source: str
    """The file as the officer knows it."""
    article: Path | None = None
    """None where there are problems; nothing was written then."""
    pictures: tuple[Path, ...] = ()
    originals: tuple[Path, ...] = ()
    """Files beside it that came along: nothing of their own."""
    notes: tuple[str, ...] = ()
    """What could not be kept, or was decided for the officer, a sentence each."""
    problems: tuple[Problem, ...] = ()


def sources(path: Path) -> Iterator[Path]:
    """``path``, or every file in it where it is a folder; those that programs keep beside are no documents."""
    if not path.is_dir() or path.is_symlink():
        yield path
        return
    for here, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not _is_a_programs(name))
        yield from (Path(here, name) for name in sorted(files) if not _is_a_programs(name))


def holds_station(path: Path, settings: Settings) -> bool:
    """Whether ``path`` is a folder with the station in it: most of that is no document."""
    return path.is_dir() and settings.folder.resolve().is_relative_to(path.resolve())


def documents_first(files: Iterable[Path]) -> list[Path]:
    """In their order, but pictures last: what a document brings along is nothing of its own."""
    return sorted(files, key=lambda file: file.suffix.lower() in (*photos.ENDINGS, ".svg"))


def _is_a_programs(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in ("thumbs.db", "desktop.ini", "__macosx")


def bring_in(
    settings: Settings,
    source: Path,
    at: datetime,
    taken: set[str],
    *,
    kind: Kind | None = None,
    name: str | None = None,
) -> Brought:
    """Make an article of one file.

    :param taken: ids in use (:func:`gengfu_site.start.ids_in`); the new one is added.
    :param kind: by default what the file itself says, else what its title sounds like.
    :param name: of the article's file, as :data:`gengfu_site.start.NAME`; by default its new id.
    """
    said = shown(source, settings.folder)
    try:
        data = _read(source, said, settings)
        id_ = new_id(taken)
        taken.add(id_)
        brought = _as_markdown(data, source, said, name, id_)
        text, notes = brought.text, brought.notes
        if leak := WEBHOOK.search(text):
            raise ProblemsFound([exposed(said, text.count("\n", 0, leak.start()) + 1)])
        if (kind := kind or _own_kind(text)) is None:
            kind = _guessed_kind(text)
            label = _("放进了栏目 {kind}（按标题猜的；导入时可以用 --kind 指定）。").format(kind=kind)
            notes = (*notes, label)
        article = settings.content / kind / f"{brought.stem}.md"
        whole = completed(text, article, settings, at, id_, kind)
        files = {article.with_name(file): photo for file, photo in brought.pictures.items()}
        _write(article, whole.encode(), files, said)
    except ProblemsFound as error:
        return Brought(source=said, problems=tuple(replace(problem, path=said) for problem in error.problems))
    except NotAmended as error:
        problem = Problem(path=said, message=str(error), remedy=_("补好再导入一次。"))
        return Brought(source=said, problems=(problem,))
    except OSError as error:
        return Brought(source=said, problems=(out_of_reach(said, error),))
    return Brought(
        source=said, article=article, pictures=tuple(files), originals=brought.originals, notes=notes
    )


_TABLES = frozenset((".csv", ".tsv", ".xlsx", ".xls", ".ods", ".et"))
_DATA = frozenset((".yml", ".yaml", ".json", ".jsonl", ".toml", ".ini"))


def _is_stations_own(file: Path, settings: Settings) -> bool:
    station = settings.folder.resolve()
    folders = (
        station / audit.FOLDER,
        station / EXPLAINED,
        settings.private.resolve(),
        settings.public.resolve(),
    )
    return file == station / synonyms.FILE or any(file.is_relative_to(folder) for folder in folders)


def _read(source: Path, said: str, settings: Settings) -> bytes:
    """The bytes of a file that can be read as a document.

    :raises ProblemsFound: it is none.
    :raises OSError: it cannot be read.
    """
    if source.is_symlink():
        raise _refusal(said, _("这是一个链接，不是文件本身。"), _("把文件本身放过来。"))
    if source.resolve().is_relative_to(settings.content.resolve()):
        remedy = (
            _("不用导入；要补开头、改编码，运行 gengfu fix。")
            if source.suffix.lower() in (".md", *photos.ENDINGS)
            else _("移到 content/ 外面再导入，例如放进站点文件夹。")
        )
        raise _refusal(said, _("这个文件已经在 content/ 里了。"), remedy)
    if _is_stations_own(source.resolve(), settings):
        raise _refusal(said, _("这是站点自己的文件，不是文章。"), _("不用导入。"))
    suffix = source.suffix.lower()
    if suffix in _TABLES:
        remedy = _("群的清单用 gengfu groups import；要写进文章的表格，复制到 Word 文档里再导入。")
        raise _refusal(said, _("这是表格，不是文章。"), remedy)
    if suffix in _DATA:
        raise _refusal(said, _("这是设置或者数据，不是文章。"), _("不用导入。"))
    status = source.stat()
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(said, _("这不是文件。"), _("写文件名，或一个文件夹的名字。"))
    if status.st_size > _MOST_BYTES:
        message = _("文件最大 {most} MiB，这个有 {size} MiB。").format(
            most=_MOST_BYTES >> 20, size=status.st_size >> 20
        )
        raise _refusal(said, message, _("在 Word 里压缩图片，或拆成几份，再导入。"))
    data = source.read_bytes()
    if not data.strip(b"\0 \t\r\n"):
        raise _refusal(said, _("文件是空的。"), _("检查是不是没有保存，或者没有传完。"))
    return data


_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", _("这是 PDF，里面的文字不能可靠地取出来。"), _("用 Word 打开它另存为 docx，或找原来的文档。")),
    (b"{\\rtf", _("这是 RTF 文档。"), _("用 Word 或 WPS 打开，另存为 docx，再导入一次。")),
    (b"\x89PNG", _("这是图片。"), _("把图片放在文章旁边，在文章里写 ![说明](文件名)。")),
    (b"\xff\xd8\xff", _("这是图片。"), _("把图片放在文章旁边，在文章里写 ![说明](文件名)。")),
    (b"GIF8", _("这是图片。"), _("把图片放在文章旁边，在文章里写 ![说明](文件名)。")),
    (b"RIFF", _("这是图片、音频或视频。"), _("放在文章旁边，在文章的 attachments 里写文件名。")),
    (b"Rar!", _("这是压缩包。"), _("先解开，再导入里面的文档。")),
    (b"7z\xbc\xaf", _("这是压缩包。"), _("先解开，再导入里面的文档。")),
    (b"\x1f\x8b", _("这是压缩包。"), _("先解开，再导入里面的文档。")),
)
"""What a file that is no document begins with; what it is, and what to do."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _as_markdown(data: bytes, source: Path, said: str, name: str | None, id_: str) -> Along:
    """The file's text in Markdown with its pictures, and what was not kept; as :func:`bring_in`.

    :raises ProblemsFound: it is nothing that can be brought in.
    """
    stem = name or id_.lower()
    if data.startswith(b"PK"):
        word = read_docx(data, said, stem)
        if isinstance(word, Problem):
            raise ProblemsFound([word])
        if not word.pieces:
            raise _refusal(said, _("文档里没有文字。"), _("检查文字是不是在图片或文本框里。"))
        text = outlined(word.pieces, _title_by_name(source))
        return Along(text=text, stem=stem, pictures=word.pictures, notes=word.lost)
    if data.startswith(_OLE):
        raise _old_word(data, said)
    for begin, message, remedy in _BEGINNINGS:
        if data.startswith(begin):
            raise _refusal(said, message, remedy)
    if re.match(rb"\s*<(?:!doctype html|html|\?xml|svg)", data, re.IGNORECASE):
        raise _refusal(said, _("这是网页或 XML 文件。"), _("把文字复制到 Word 或记事本，另存后再导入。"))
    if len(data) > bounds.MAX_BYTES:
        raise ProblemsFound([too_long(said, len(data), bounds.MAX_BYTES)])
    found = decoded(data, said)
    if isinstance(found, Problem):
        raise ProblemsFound([found])
    text, done = repaired(found[0])
    if source.suffix.lower() in (".md", ".markdown", ".mdown", ".mkd") or text.startswith("---\n"):
        own = _OWN_ID.match(text)
        along = with_pictures(text, source, own[1].lower() if own and not name else stem)
        return replace(along, notes=(*done, *along.notes))
    return Along(text=outlined(typed(text), _title_by_name(source)), stem=stem)


def _old_word(data: bytes, said: str) -> ProblemsFound:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return _refusal(said, _("文件有密码。"), _("在 Word 里取消密码，另存后再导入。"))
    return _refusal(
        said,
        _("这是旧的 Word 格式（.doc 或 .wps）。"),
        _("用 Word 或 WPS 打开，“另存为”选 .docx，再导入一次。"),
    )


def _title_by_name(source: PurePath) -> str:
    """A file's name as a title; "" where a program or a camera gave it."""
    name = source.stem.encode("utf-8", "ignore").decode().strip()
    given = re.search(r"[\u4e00-\u9fff]", name) and not re.match(r"新建|未命名|文档|微信", name)
    return name if given else ""


_SOUNDS: tuple[tuple[Kind, str], ...] = (
    ("fraud", "诈骗|骗局|骗|刷单|反诈|套路"),
    ("service", "办理|申领|补领|换领|办事|指南|户口|居住证|身份证|护照|怎么办$"),
    ("notice", "通告|公告|通知|通报|封闭|管制"),
)


_OWN_KIND = re.compile(rf"---\n(?:(?!---).*\n)*?kind:[ ]*({'|'.join(KINDS)})[ ]*\n")
_OWN_ID = re.compile(r"""---\n(?:(?!---).*\n)*?id:[ ]*["']?([0-9A-HJKMNP-TV-Z]{4,12})["']?[ ]*\n""")


def _own_kind(text: str) -> Kind | None:
    """The kind that the text's own front matter names."""
    written = _OWN_KIND.match(text)
    return next((kind for kind in KINDS if written and kind == written[1]), None)


def _guessed_kind(text: str) -> Kind:
    """What its title sounds like, else a tip."""
    title = titled(text)[0] or text[:200]
    return next((kind for kind, words in _SOUNDS if re.search(words, title)), "tip")


def _write(article: Path, data: bytes, pictures: Mapping[Path, bytes], said: str) -> None:
    """Write an article and its pictures, all or nothing.

    :raises ProblemsFound: one of them exists.
    :raises OSError: they cannot be written.
    """
    article.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as undo:
        for file, content in ({article: b""} | dict(pictures)).items():
            try:
                opened = file.open("xb")
            except FileExistsError:
                message = _("{path} 已经有了，没有动它。").format(path=file)
                raise _refusal(said, message, _("换个文件名（--name）。")) from None
            undo.callback(file.unlink, missing_ok=True)
            with opened:
                opened.write(content)
        rewrite(
            article, data
        )  # last: an article whose pictures are not there would be published without them
        undo.pop_all()


def _refusal(said: str, message: str, remedy: str) -> ProblemsFound:
    return ProblemsFound([Problem(path=said, message=message, remedy=remedy)])


def take_in(settings: Settings, at: datetime, wait: Callable[[float], None]) -> list[Brought]:
    """Bring in whatever lies in the inbox; each original goes to ``done/``, or to ``failed/`` beside a text that says why.

    A folder in the inbox that is called like a kind (``fraud`` or 防骗常识) says the kind of what is in it. A file that is still being copied
    is left for the next time.

    :param wait: waits so many seconds.
    :raises OSError: the inbox cannot be read or changed; what could not be moved was not brought in.
    """
    inbox = (settings.folder / INBOX).resolve()
    before = _sizes(inbox)
    if not before:
        return []
    wait(_STEADY)
    with release.turn(settings.public):  # another preview of this station may be looking too
        now = _sizes(inbox)
        steady = [file for file, size in now.items() if before.get(file) == size]
        stuck = [held for file in steady if (held := _moved_under_way(file, inbox, settings))]
        taking = [file for file in sources(inbox / _TAKING) if os.path.lexists(file)]
        taken = ids_in(settings)
        brought, along = [], set[Path]()
        for file in documents_first(taking):
            if file not in along:
                brought.append(_taken_in(settings, file, at, taken, inbox))
                along |= set(brought[-1].originals)
        for file in along:
            _move(file, inbox / DONE / _place(file, inbox))
        return [*stuck, *brought]


def _sizes(inbox: Path) -> dict[Path, int]:
    """The files that lie in the inbox, and how big each is."""
    kept = {inbox / DONE, inbox / FAILED}
    files = [file for file in sources(inbox) if inbox.is_dir() and kept.isdisjoint(file.parents)]
    files += [file for file in sources(inbox / _TAKING) if os.path.lexists(file)]
    return {file: file.lstat().st_size for file in files}


def _place(file: Path, inbox: Path) -> Path:
    """Where in the inbox ``file`` was put."""
    taking = inbox / _TAKING
    return file.relative_to(taking if file.is_relative_to(taking) else inbox)


def _moved_under_way(file: Path, inbox: Path, settings: Settings) -> Brought | None:
    """Move ``file`` to where it is taken in; says what keeps it (a program that has it open) and leaves it then."""
    try:
        _move(file, inbox / _TAKING / _place(file, inbox))
    except OSError as error:
        said = shown(file, settings.folder)
        return Brought(source=said, problems=(out_of_reach(said, error),))
    return None


def _taken_in(settings: Settings, file: Path, at: datetime, taken: set[str], inbox: Path) -> Brought:
    place = _place(file, inbox)
    folder = place.parts[0]
    kind = next((kind for kind in KINDS if folder in (kind, kind_label(kind, "zh-CN"))), None)
    brought = bring_in(settings, file, at, taken, kind=kind)
    said = shown(inbox / place, settings.folder)
    brought = replace(
        brought, source=said, problems=tuple(replace(problem, path=said) for problem in brought.problems)
    )
    moved = _move(file, inbox / (DONE if brought.article else FAILED) / place)
    if brought.problems:
        why = "\n".join(f"{problem.message}{problem.remedy}" for problem in brought.problems)
        moved.with_name(f"{moved.name}.txt").write_text(why + "\n", encoding="utf-8-sig")
    return brought


def _move(file: Path, target: Path) -> Path:
    """``file`` at ``target``, or beside it where there is one already; returns where."""
    target.parent.mkdir(parents=True, exist_ok=True)
    number, free = 1, target
    while os.path.lexists(free) and free != file:
        number += 1
        free = target.with_name(f"{target.stem} ({number}){target.suffix}")
    return file.rename(free)
