"""What an officer means by what they typed: an article's id, or a file or folder, from wherever they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gengfu_site.article import ids_written
from gengfu_site.library import Article, Library
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, nearest, shown
from gengfu_site.settings import Settings
from gengfu_site.source import read_text
from gengfu_templates.i18n import _


class NoSuchArticle(GengfuError):
    """No article goes by that id or path."""

    def __init__(self, name: str, close: str | None) -> None:
        self.name = name
        hint = (
            _("是不是想写“{close}”？").format(close=close) if close else _("用编号，或 content/ 里的文件名。")
        )
        super().__init__(_("没有找到文章“{name}”。").format(name=name) + hint)


def place(settings: Settings, name: str) -> Path:
    """The file or folder called ``name``, from here, from the station's folder or from content/.

    One in content/ where there is one, else the first that there is; from here where there is none.
    """
    found = list(_places(settings, name))
    return next((file for file in found if _in_content(settings, file)), next(iter(found), Path.cwd() / name))


def id_of(settings: Settings, name: str) -> str:
    """The id that ``name`` is, or that the file of that name gives as its own; whether there is an article or not.

    :raises ProblemsFound: the file cannot be read.
    """
    file = place(settings, name)
    if not file.is_file():
        return name.upper()
    text = read_text(file, settings.folder)
    if isinstance(text, Problem):
        raise ProblemsFound([text])
    return next(iter(ids_written(text.encode())), name.upper())


def _places(settings: Settings, name: str) -> Iterator[Path]:
    for folder in (Path.cwd(), settings.folder, settings.content):
        try:
            if (folder / name).exists():
                yield folder / name
        except (OSError, ValueError):  # no file can have that name
            return


def _in_content(settings: Settings, file: Path) -> PurePosixPath | None:
    """Where ``file`` lies there, as officers know it; None where it lies elsewhere."""
    content = settings.content.resolve()
    try:
        inside = file.resolve().relative_to(content)
    except (OSError, ValueError, RuntimeError):  # a ring of symbolic links, or elsewhere
        return None
    return PurePosixPath(shown(settings.content / inside, settings.folder))


def articles(
    library: Library, problems: Iterable[Problem], name: str, *, folders: bool = False
) -> list[Article]:
    """The article with the id ``name`` or at that place; in a folder of that name all, if ``folders`` are meant too.

    :param problems: found in reading ``library``.
    :raises ProblemsFound: what is meant cannot be read as an article, or nobody sees it before it is signed.
    :raises NoSuchArticle: nothing is.
    """
    lies = _in_content(library.settings, place(library.settings, name))

    def is_there(path: str) -> bool:
        file = PurePosixPath(path)
        return lies is not None and (file == lies or (folders and lies in file.parents))

    # Where it lies, not where its page is: of what was signed and then moved, the officer knows the one.
    found = [a for a in library.articles if a.id == name.upper() or is_there(a.lines.path)]
    if found:
        return found
    read = {article.lines.path for article in library.articles}
    waiting = (replace(problem, severity="error") for problem in library.held)
    wrong = [problem for problem in (*problems, *waiting) if problem.path not in read]
    named = {p for p in {problem.path for problem in wrong} if is_there(p)} or set(
        bearing({name.upper()}, library.settings.folder, {problem.path for problem in wrong})
    )
    if named:
        raise ProblemsFound([problem for problem in wrong if problem.path in named])
    raise NoSuchArticle(name, nearest(name.upper(), [article.id for article in library.articles]))


def held(library: Library, article: Article) -> list[Problem]:
    """What residents do not see of ``article``'s file, or of another with its id, before somebody signs it."""
    paths = {problem.path for problem in library.held}
    own = {article.lines.path, *bearing({article.id}, library.settings.folder, paths)}
    return [replace(problem, severity="error") for problem in library.held if problem.path in own]


def bearing(ids: Collection[str], folder: Path, paths: Iterable[str]) -> Iterator[str]:
    """Those files that give one of ``ids`` as their own, whatever else they say.

    :param paths: in the station's ``folder``.
    """
    for path in paths:
        try:
            data = (folder / path).read_bytes()
        except OSError:
            continue
        if not set(ids).isdisjoint(ids_written(data)):
            yield path
