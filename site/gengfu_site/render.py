"""HTML of a page, from the theme's templates or the station's own.

``mkdocs build`` and ``gengfu build`` both render here, in the same environment, so their bytes cannot differ.
"""

from __future__ import annotations

import re
import sys
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from functools import cache, lru_cache, partial
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path
from traceback import extract_tb
from types import CodeType, FunctionType
from typing import Any
from urllib.parse import urlsplit

import jinja2
from markupsafe import Markup, escape

from gengfu_site.edition import edition
from gengfu_site.linked_data import linked_data
from gengfu_site.portal import Portal
from gengfu_site.problems import GengfuError
from gengfu_site.settings import Settings
from gengfu_site.telephone import telephone_numbers
from gengfu_site.view import ArticlePage, NotFoundPage, Page
from gengfu_templates import PAGES
from gengfu_templates.fragments import Once, Wording
from gengfu_templates.i18n import _, translations


class _Compiled(jinja2.BytecodeCache):
    """What was compiled, by template and text: reading the templates anew costs more than a small site.

    The theme's are kept where Python keeps the program's own modules (https://peps.python.org/pep-3147/), and by its
    rules: who may write there may change the program. A station's own are compiled once a process.
    """

    def __init__(self, *basis: object) -> None:
        """
        :param basis: all besides the text that a template is compiled of.
        """
        self._basis = repr(basis)
        self._code: dict[tuple[str, str], bytes] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return filename or name

    def get_source_checksum(self, source: str) -> str:
        return sha256(f"{self._basis}{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        code = self._code.get((bucket.key, bucket.checksum))
        if code is None and _is_ours(bucket):
            code = _kept(cache_from_source(bucket.key))
        if code:
            bucket.bytecode_from_string(code)  # if it is of this checksum

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        code = self._code[bucket.key, bucket.checksum] = bucket.bytecode_to_string()
        if _is_ours(bucket) and not sys.dont_write_bytecode:
            _KEEPER.set_data(cache_from_source(bucket.key), sha256(code).digest() + code)


def _kept(file: str) -> bytes | None:
    """What was compiled, if it lies there as it was written: Jinja would stumble over the half of it."""
    with suppress(OSError):
        kept = _KEEPER.get_data(file)
        code = kept[sha256().digest_size :]
        if kept == sha256(code).digest() + code:
            return code
    return None


def _is_ours(bucket: jinja2.bccache.Bucket) -> bool:
    return Path(bucket.key).parent == PAGES


_KEEPER = SourceFileLoader(__name__, __file__)
"""Writes a file whole or, where that is not allowed, not at all."""


class _Loader(jinja2.FileSystemLoader):
    """Jinja's, for templates of which some were saved by whatever a station's people write with."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            message = _("应是 UTF-8 编码的文本，这个文件不是")
            raise jinja2.TemplateSyntaxError(message, 1, template, template) from error


def _escaped(value: object) -> str:
    """As markupsafe's ``escape``; but most of what a page shows has nothing in it to escape, and is left as it is."""
    if type(value) is Markup or (type(value) is str and not _SPECIAL(value)):
        return value
    return escape(value)


_SPECIAL = re.compile("[&<>'\"]").search


class _Template(jinja2.Template):
    """Jinja's, which shows values by :func:`_escaped`."""

    @classmethod
    def from_code(
        cls,
        environment: jinja2.Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],
        uptodate: Callable[[], bool] | None = None,
    ) -> jinja2.Template:
        template = super().from_code(environment, code, globals, uptodate)
        assert isinstance(template.root_render_func, FunctionType)
        template.root_render_func.__globals__["escape"] = _escaped
        return template


class _Environment(jinja2.Environment):
    """Jinja's, whose templates stay as they were first found, with the names that the environment had then.

    Each page asks for ten templates; Jinja would put their names together anew for every one of them.
    """

    template_class = _Template

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._at_hand: dict[str | jinja2.Template, jinja2.Template] = {}

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> jinja2.Template:
        found = self._at_hand.get(name)
        if found is None:
            found = self._at_hand[name] = super().get_template(name, parent, globals)
        return found

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


@lru_cache(maxsize=8)
def _compiled(language: str, assets: tuple[tuple[str, str], ...]) -> _Compiled:
    """For templates that are compiled with these words and assets in them."""
    return _Compiled(edition(), language, assets)


def environment(settings: Settings, *, live: bool = False) -> jinja2.Environment:
    """The Jinja environment of the pages: the station's own templates before the theme's.

    :param live: for a preview, into whose pages the server puts a script of its own.
    :raises TemplateBroken: a style sheet or script cannot be read.
    """
    folders = [settings.overrides] if settings.overrides else []
    env = _Environment(
        loader=_Loader([*folders, PAGES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[Wording, Once],
    )
    env.extend(language=settings.station.language)
    wording = translations(settings.station.language)
    env.install_gettext_translations(wording, newstyle=True)  # type: ignore[attr-defined]
    env.filters["numbers"] = telephone_numbers
    env.filters["phrases"] = phrases
    env.filters["linked_data"] = linked_data
    with _named():
        assets = dict(_assets(env))
    env.filters["asset"] = partial(_asset, assets)
    env.bytecode_cache = _compiled(settings.station.language, tuple(assets.items()))
    env.globals["policy"] = _policies(env, assets, settings.portal, live=live)
    # A preview is to be seen as it is now, or not at all.
    env.globals["keeps_pages"] = not live
    return env


def _assets(env: jinja2.Environment) -> Iterator[tuple[str, Markup]]:
    """Each style sheet and script as it stands in a page: without comments and indentation.

    Comments stand by themselves, from ``/*`` at the beginning of a line to ``*/`` at the end of one. Jinja puts a
    filtered constant into the template when it compiles it, so they cost nothing a page.
    """
    assert env.loader is not None
    for name in env.loader.list_templates():
        if name.endswith((".css", ".js")):
            text = env.loader.get_source(env, name)[0]
            lines = (line.strip() for line in _COMMENT.sub("", text).splitlines())
            yield name, Markup("\n".join(filter(None, lines)))  # noqa: S704 - the theme's or the station's own file


def _asset(assets: Mapping[str, Markup], name: str) -> Markup:
    if name not in assets:
        raise jinja2.TemplateNotFound(name)
    return assets[name]


_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*$", re.DOTALL | re.MULTILINE)


def _policies(
    env: jinja2.Environment, assets: Mapping[str, Markup], portal: Portal, *, live: bool
) -> Callable[[str], Markup]:
    """What gives the content security policy of a template's pages (https://www.w3.org/TR/CSP3/).

    Our own styles and scripts and the portal's are allowed by their hashes, the rest from this site. What an article
    might still smuggle in does not run.
    """

    def hashes(texts: Iterable[str]) -> str:
        digests = (b64encode(sha256(text.encode()).digest()).decode() for text in texts)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    @cache
    def policy(template: str) -> Markup:
        used = sorted(_assets_of(env, template))
        styles = [_asset(assets, name) for name in used if name.endswith(".css")]
        scripts = [_asset(assets, name) for name in used if name.endswith(".js")]
        allowed_styles = hashes([*styles, *portal.header.styles, *portal.footer.styles])
        allowed_scripts = hashes([*scripts, *portal.header.scripts, *portal.footer.scripts])
        if live:
            allowed_scripts = "'self' 'unsafe-inline'"
        # Made of hashes alone, so its quotes may stay as they are: nothing in it ends the attribute.
        return Markup(  # noqa: S704
            "default-src 'none'; base-uri 'none'; form-action 'self'; connect-src 'self'; img-src 'self' data:; "
            f"media-src 'self'; worker-src 'self'; style-src {allowed_styles}; script-src {allowed_scripts}"
        )

    return policy


def _assets_of(env: jinja2.Environment, template: str) -> set[str]:
    """Style sheets and scripts in a template and in those that it extends, includes or imports."""
    assert env.loader is not None
    names, seen, waiting = set(), {template}, [template]
    while waiting:
        source = env.loader.get_source(env, waiting.pop())[0]
        names.update(_ASSET.findall(source))
        others = set(_TEMPLATE.findall(source)) - seen
        seen |= others
        waiting += others
    return names


_ASSET = re.compile(r"[\"']([^\"']+)[\"']\s*\|\s*asset\b")
_TEMPLATE = re.compile(r"\{%[-+]?\s*(?:extends|include|from|import)\s+[\"']([^\"']+)[\"']")


class TemplateBroken(GengfuError):
    """A page template, most likely the station's own, cannot be used."""

    def __init__(self, error: jinja2.TemplateError) -> None:
        name, line = _where(error)
        super().__init__(
            _("网页模板有错：{error}（{name} {line}）").format(error=error.message, name=name, line=line)
        )


def _where(error: jinja2.TemplateError) -> tuple[str, int | str]:
    """The file and line of a mistake; jinja puts those of templates into the traceback of what it finds while rendering."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.filename or error.name or "", error.lineno
    inside = [frame for frame in extract_tb(error.__traceback__) if frame.filename.endswith(".html")]
    return (inside[-1].filename, inside[-1].lineno or "") if inside else ("", "")


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except jinja2.TemplateError as error:
        raise TemplateBroken(error) from error


def render(env: jinja2.Environment, page: Page) -> str:
    """The page as HTML.

    :raises TemplateBroken: its template has a mistake.
    """
    with _named():
        return env.get_template(page.template).render(context(page))


def render_matter(env: jinja2.Environment, page: ArticlePage) -> str:
    """The article's matter alone, as a feed carries it: its template's blocks ``answer`` and ``matter``."""
    with _named():
        template = env.get_template(page.template)
        inside = template.new_context({"view": page, "base_url": page.frame.home.rstrip("/")})
        return "".join(part for name in ("answer", "matter") for part in template.blocks[name](inside))


def context(page: Page) -> dict[str, object]:
    """All that a template sees. The 404 page is shown at any depth, so its links start at the root."""
    if isinstance(page, NotFoundPage):
        base_url = urlsplit(page.frame.home).path.rstrip("/")
    else:
        base_url = "/".join([".."] * page.url.count("/")) or "."
    return {"view": page, "base_url": base_url}


def phrases(title: str) -> Markup:
    """``title`` for a heading, each phrase with its punctuation in a box of its own.

    A line then ends between phrases where it can, and within one only where it must; ``word-break: keep-all`` would
    let a line begin with the comma of a phrase that is too long for it.
    """
    # What is escaped has no more and no fewer of the signs behind which it is parted.
    shown = escape(title)
    parts = [part for part in _PHRASE.split(shown) if part]
    if not parts[1:]:
        return shown
    return Markup(f"<span>{'</span><span>'.join(parts)}</span>")  # noqa: S704 - each is escaped


_PHRASE = re.compile(r"(?<=[，、。：；？！])(?![，、。：；？！”’）》])")
