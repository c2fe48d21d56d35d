"""The station as ``mkdocs.yml`` declares it: who speaks, which words articles may use, where files lie.

``mkdocs build`` and ``gengfu build`` both read it here, so neither can mean something else by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gengfu_site.catalogue import Area, ContactLine, Station, Topic
from gengfu_site.problems import Problem, shown
from gengfu_site.source import Document, Mistake, TimeZoneName, read_text, read_yaml, validate
from gengfu_templates.i18n import _

FILE = "mkdocs.yml"
RESERVED = frozenset(("index", "readme", "page", "topic", "area"))
"""Names that the site's own pages take; no file, topic or area may."""
OWN_FOLDERS = frozenset(("a", "emergency", "privacy", "scammed", "search", "share", "sw", "who"))
"""Names at the top of the site that its own pages take; no file or folder at the top of content/ may."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where a station's files lie, and the station itself."""

    folder: Path
    content: Path
    """What officers write (``docs_dir``)."""
    public: Path
    """What residents read (``site_dir``); everything in it is made by this program."""
    private: Path
    """Missing persons' data: outside git, backups and content hashes, erased in time."""
    overrides: Path | None
    """The station's own page templates (``theme.custom_dir``), found before the theme's."""
    station: Station


def read_settings(file: Path) -> tuple[Settings | None, list[Problem]]:
    """The settings in ``file`` (a ``mkdocs.yml``), or everything that is wrong with them."""
    folder = file.parent.resolve()
    text = read_text(file, file.parent)
    if isinstance(text, Problem):
        return None, [text]
    document, problems = read_yaml(text, file.name)
    if problems:
        return None, problems
    top, problems = validate(_MkDocs, document)
    declared = _plugin_options(document)
    if declared is None:
        problems.append(
            document.problem(
                "plugins",
                message=_("plugins 里没有 gengfu。"),
                remedy=_("照着文档写上 “plugins: - gengfu:” 和下面的 station、areas、topics。"),
            )
        )
        return None, problems
    options, found = validate(_Options, declared)
    problems += found
    if top is None or options is None:
        return None, problems
    problems += _repeated(options, declared)
    settings = Settings(
        folder=folder,
        content=folder / top.docs_dir,
        # Where a link leads: a release is put in the place of a folder, not of a link to it.
        public=(folder / top.site_dir).resolve(),
        private=folder / "private",
        overrides=folder / top.theme.custom_dir if top.theme.custom_dir else None,
        station=Station(
            name=options.station.name,
            url=top.site_url.rstrip("/") + "/",
            language=options.station.language,
            timezone=options.station.timezone,
            contacts=_contacts(options.station.contacts),
            areas=tuple(_flat(options.areas)),
            topics=tuple(Topic(name=t.name, slug=t.slug or t.name) for t in options.topics),
            audiences=tuple(options.audiences),
        ),
    )
    problems += _nested(settings, document)
    return (None, problems) if problems else (settings, [])


def _nested(settings: Settings, document: Document) -> Iterator[Problem]:
    """Folders that lie in the one that each build replaces, or it in them."""
    public = settings.public
    for place in filter(None, (settings.content, settings.private, settings.overrides)):
        if place.resolve().is_relative_to(public) or public.is_relative_to(place.resolve()):
            yield document.problem(
                "site_dir",
                message=_("site_dir 和 {place} 不能互相包含：每次生成都会换掉整个 site_dir。").format(
                    place=shown(place, settings.folder)
                ),
                remedy=_("把 site_dir 改成一个单独的文件夹，例如 public。"),
            )


def _plugin_options(document: Document) -> Document | None:
    """The plugin's options: MkDocs takes plugins as a list or as a mapping, and a bare name for no options."""
    plugins = document.value.get("plugins")
    places: list[tuple[Any, tuple[str | int, ...]]] = [(plugins, ("plugins",))]
    if isinstance(plugins, list):
        places = [(plugin, ("plugins", index)) for index, plugin in enumerate(plugins)]
    for plugin, location in places:
        if plugin == "gengfu" or (isinstance(plugin, dict) and plugin.get("gengfu", ...) is None):
            return Document(path=document.path, value={}, lines={(): document.line(*location)})
        if isinstance(plugin, dict) and isinstance(plugin.get("gengfu"), dict):
            return document.part(*location, "gengfu")
    return None


def _is_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    except ValueError:
        right = False
    if not right or re.search(r"\s", url):
        raise Mistake(
            _("网站地址应以 https:// 开头，见到的是“{url}”。").format(url=url),
            _("写居民打开网站时的完整地址，例如 https://qingsong.example/ 。"),
        )
    return url


def _is_slug(slug: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", slug) or slug in RESERVED:
        raise Mistake(
            _("slug 用作网址，只能是小写字母、数字和连字符，见到的是“{slug}”。").format(slug=slug),
            _("写成拼音或英文，例如 taoyuan。"),
        )
    return slug


def _has_no_slash(name: str) -> str:
    if "/" in name:
        raise Mistake(
            _("名称里不能有“/”，见到的是“{name}”。").format(name=name),
            _("下一级写在 areas 下面，不用斜杠连接。"),
        )
    return name


def _as_theme(value: Any) -> Any:
    """MkDocs takes a theme's bare name too."""
    return {"name": value} if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(min_length=1), AfterValidator(_has_no_slash)]
Slug = Annotated[str, AfterValidator(_is_slug)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _Theme(BaseModel):
    custom_dir: str = ""


class _MkDocs(BaseModel):
    """The few of MkDocs' own settings that both ways of building need; MkDocs checks the others."""

    site_url: Annotated[str, AfterValidator(_is_address)]
    docs_dir: str = "docs"
    site_dir: str = "site"
    theme: Annotated[_Theme, BeforeValidator(_as_theme)] = _Theme()


class _Contact(_Strict):
    role: Text
    name: str = ""
    phone: str = ""
    note: str = ""


class _Station(_Strict):
    name: Text
    timezone: TimeZoneName = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"
    contacts: list[_Contact] = []


class _Area(_Strict):
    name: Name
    slug: Slug | None = None
    contacts: list[_Contact] = []
    areas: list[_Area] = []


class _Topic(_Strict):
    name: Name
    slug: Slug | None = None


class _Options(_Strict):
    station: _Station
    areas: list[_Area] = []
    topics: list[_Topic] = []
    audiences: list[Name] = []


def _contacts(lines: list[_Contact]) -> tuple[ContactLine, ...]:
    return tuple(ContactLine(**line.model_dump()) for line in lines)


def _flat(areas: list[_Area], path: str = "", slug: str = "") -> Iterator[Area]:
    for area in areas:
        here = Area(
            path=path + area.name, slug=slug + (area.slug or area.name), contacts=_contacts(area.contacts)
        )
        yield here
        yield from _flat(area.areas, here.path + "/", here.slug + "/")


def _repeated(options: _Options, document: Document) -> Iterator[Problem]:
    """Names and addresses that two things of one list would share."""
    yield from _repeated_among(options.topics, document, "topics")
    yield from _repeated_areas(options.areas, document, "areas")


def _repeated_areas(areas: list[_Area], document: Document, *location: str | int) -> Iterator[Problem]:
    yield from _repeated_among(areas, document, *location)
    for index, area in enumerate(areas):
        yield from _repeated_areas(area.areas, document, *location, index, "areas")


def _repeated_among(things: list[Any], document: Document, *location: str | int) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, thing in enumerate(things):
        words = {thing.name, thing.slug or thing.name}
        if clash := words & seen:
            yield document.problem(
                *location,
                index,
                message=_("“{word}”在这里用了两次。").format(word=clash.pop()),
                remedy=_("改掉其中一个的 name 或 slug。"),
            )
        elif not thing.slug and not _fits_an_address(thing.name):
            yield document.problem(
                *location,
                index,
                message=_("“{name}”不能直接用作网址。").format(name=thing.name),
                remedy=_("加一行 slug，写成拼音或英文。"),
            )
        seen |= words


def _fits_an_address(name: str) -> bool:
    return bool(re.fullmatch(r"\w[\w-]*", name)) and name.lower() not in RESERVED
