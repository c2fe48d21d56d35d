"""The station as ``mkdocs.yml`` declares it: who speaks, which words articles may use, where files lie.

``mkdocs build`` and ``gengfu build`` both read it here, so neither can mean something else by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field

from gengfu_site.approvals import Review
from gengfu_site.catalogue import KINDS, Area, ContactLine, Kind, Station, Topic
from gengfu_site.portal import Fragment, Portal, read_fragment
from gengfu_site.problems import Problem, nearest, shown
from gengfu_site.source import STRICT, Document, Mistake, TimeZoneName, read_text, read_yaml, validate
from gengfu_site.synonyms import Synonyms, read_synonyms
from gengfu_site.telephone import only_numbers, telephone_numbers
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _

FILE = "mkdocs.yml"
RESERVED = frozenset(("index", "readme", "page", "topic", "area"))
"""Names that the site's own pages take; no file, topic or area may."""
OWN_FOLDERS = frozenset(("a", "emergency", "privacy", "scammed", "search", "share", "sw", "who"))
"""Names at the top of the site that its own pages take; no file or folder at the top of content/ may."""
OWN_PAGES = ("area", "emergency", "privacy", "scammed", "search", "service", "who")
"""Those that lie at an address of their own, which a shortcut may name."""


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """One line of “我遇到了…” on the home page."""

    title: str
    """In the resident's words: 身份证丢了."""
    to: str
    """An article's id, or its path below content/ without ``.md``; a topic's name, a kind, or one of
    :data:`OWN_PAGES`."""
    line: int
    """Where mkdocs.yml says so: whether ``to`` leads anywhere is known once the library is read."""


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One line of 这事找谁: whose job it is."""

    __pydantic_config__ = STRICT

    matter: Text
    who: Text
    phone: Phone = ""
    """Official, as printed; empty where each community has its own."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Official:
    """Who answers for the site and where it is on record, as 国办发〔2017〕47号 wants it at the foot of each page.

    Empty where it is not known yet.
    """

    __pydantic_config__ = STRICT

    sponsor: str = ""
    """主办单位."""
    icp: Annotated[str, AfterValidator(_is_icp)] = ""
    """ICP备案号."""
    police_record: Annotated[str, AfterValidator(_is_police_record)] = ""
    """公安备案号."""
    site_code: Annotated[str, AfterValidator(_is_site_code)] = ""
    """网站标识码."""
    corrections: Annotated[str, AfterValidator(_is_reachable)] = ""
    """Whom to tell of a mistake: a telephone number, an e-mail address or the address of a page."""

    @property
    def police_address(self) -> str:
        """Where anybody can look the police record up."""
        digits = "".join(re.findall(r"\d", self.police_record))
        return f"https://beian.mps.gov.cn/#/query/webSearch?code={digits}"

    @property
    def corrections_address(self) -> str:
        """Where a link to :attr:`corrections` leads; empty for a telephone number, or several words."""
        if re.fullmatch(r"https?://\S+", self.corrections):
            return self.corrections
        return f"mailto:{self.corrections}" if re.fullmatch(r"[^\s@]+@[^\s@]+", self.corrections) else ""


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
    service_desk: ContactLine | None = None
    """Whom to call about papers; None where the station names no such line."""
    shortcuts: tuple[Shortcut, ...] = ()
    matters: tuple[Matter, ...] = ()
    official: Official = Official()
    portal: Portal = field(default_factory=Portal)
    synonyms: Synonyms = ()
    reviews: Mapping[Kind, Review] = field(default_factory=dict)
    """How articles are signed off, by kind; those of a kind that is not named are not. Never alerts: no life waits
    for a signature, and :mod:`gengfu_scheduler.review` has somebody look at them afterwards."""
    unready: tuple[Problem, ...] = ()
    """What a site open to everybody must still say of itself; a build does not wait for it."""


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
    problems += _unknown_desk(options, declared)
    portal, found = _portal(options.portal, declared, folder)
    problems += found
    synonyms, found = read_synonyms(folder)
    problems += found
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
            audiences=options.audiences,
        ),
        service_desk=_line_called(options.service_desk, options.station.contacts),
        shortcuts=tuple(
            Shortcut(title=s.title, to=s.to, line=declared.line("shortcuts", index, "to"))
            for index, s in enumerate(options.shortcuts)
        ),
        matters=options.matters,
        official=options.station.official,
        portal=portal,
        synonyms=synonyms,
        reviews=_reviews(options.review),
        unready=tuple(_unready(options.station, declared)),
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


def _as_address(url: str) -> str:
    """``url`` with its host as browsers send it: 青松.cn is xn--….cn (https://www.rfc-editor.org/rfc/rfc3490)."""
    remedy = _("写居民打开网站时的完整地址，例如 https://qingsong.example/ 。")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = f":{parts.port}" if parts.port else ""
        right = parts.scheme in ("http", "https") and host and not re.search(r"\s", url)
    except ValueError:
        right = False
    if not right:
        raise Mistake(_("网站地址应以 https:// 开头，见到的是“{url}”。").format(url=url), remedy)
    if "?" in url or "#" in url:
        raise Mistake(_("网站地址里不能有“?”和“#”，见到的是“{url}”。").format(url=url), remedy)
    return url if url.isascii() else urlunsplit(parts._replace(netloc=host + port))


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


def _without_ends(address: str) -> str:
    """``content/tip/gas.md``, ``/tip/gas/`` and ``tip/gas`` mean the same."""
    return address.removeprefix("content/").strip("/").removesuffix(".md")


def _is_phone(text: str) -> str:
    if text and not only_numbers(text):
        raise Mistake(
            _("应是能直接拨的电话，见到的是“{phone}”。").format(phone=text),
            _("只写号码，固定电话写上区号，几个号码用顿号隔开；分机号和别的话写在 note 里。"),
        )
    return text


def _is_icp(text: str) -> str:
    if text and not re.fullmatch(r"\w?ICP[备证]\s?\d{6,10}号(-\d+)?", text):
        raise Mistake(
            _("ICP备案号的样子是“{example}”，见到的是“{text}”。").format(
                example="京ICP备12345678号-1", text=text
            ),
            _("照备案查询结果写全，从省份简称到最后一个字。"),
        )
    return text


def _is_police_record(text: str) -> str:
    if text and not re.fullmatch(r"\w公网安备\s?\d{11,14}号", text):
        raise Mistake(
            _("公安备案号的样子是“{example}”，见到的是“{text}”。").format(
                example="京公网安备11010102000001号", text=text
            ),
            _("照备案查询结果写全，从省份简称到最后一个字。"),
        )
    return text


def _is_site_code(text: str) -> str:
    if text and not re.fullmatch(r"(bm\d{8}|\d{10})", text):
        raise Mistake(
            _("网站标识码是 10 位，见到的是“{text}”。").format(text=text),
            _("照政府网站主管部门发的写，加引号，不要丢掉开头的 0。"),
        )
    return text


def _is_reachable(text: str) -> str:
    if text and not (telephone_numbers(text) or re.search(r"https?://\w|\w@\w+\.\w", text)):
        raise Mistake(
            _("应有一个电话、邮箱或网址，见到的是“{text}”。").format(text=text),
            _("写居民发现错误以后找谁，例如 0000-5550109 或 https://qingsong.example/jiucuo 。"),
        )
    return text


def _as_theme(value: Any) -> Any:
    """MkDocs takes a theme's bare name too."""
    return {"name": value} if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(min_length=1), AfterValidator(_has_no_slash)]
Slug = Annotated[str, AfterValidator(_is_slug)]
Phone = Annotated[str, AfterValidator(_is_phone)]


@dataclass(frozen=True, kw_only=True)
class _Theme:
    custom_dir: str = ""


@dataclass(frozen=True, kw_only=True)
class _MkDocs:
    """The few of MkDocs' own settings that both ways of building need; MkDocs checks the others."""

    site_url: Annotated[str, AfterValidator(_as_address)]
    docs_dir: str = "docs"
    site_dir: str = "site"
    theme: Annotated[_Theme, BeforeValidator(_as_theme)] = _Theme()


class _Strict:
    __pydantic_config__ = STRICT


@dataclass(frozen=True, kw_only=True)
class _Contact(_Strict):
    role: Text
    name: str = ""
    phone: Phone = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class _Portal(_Strict):
    header: str = ""
    footer: str = ""


@dataclass(frozen=True, kw_only=True)
class _Station(_Strict):
    name: Text
    timezone: TimeZoneName = "Asia/Shanghai"
    language: Literal["zh-CN", "en"] = "zh-CN"
    contacts: tuple[_Contact, ...] = ()
    official: Official = Official()
    intranet: bool = False


@dataclass(frozen=True, kw_only=True)
class _Area(_Strict):
    name: Name
    slug: Slug | None = None
    contacts: tuple[_Contact, ...] = ()
    areas: tuple[_Area, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Topic(_Strict):
    name: Name
    slug: Slug | None = None


@dataclass(frozen=True, kw_only=True)
class _Shortcut(_Strict):
    title: Annotated[Text, Field(max_length=14)]
    to: Annotated[Text, AfterValidator(_without_ends)]


@dataclass(frozen=True, kw_only=True)
class _Reviews(_Strict):
    default: Review = "none"
    tip: Review | None = None
    fraud: Review | None = None
    service: Review | None = None
    notice: Review | None = None
    video: Review | None = None


def _as_default(value: Any) -> Any:
    """One word is for all kinds."""
    return {"default": value} if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class _Options(_Strict):
    station: _Station
    areas: tuple[_Area, ...] = ()
    topics: tuple[_Topic, ...] = ()
    audiences: tuple[Name, ...] = ()
    service_desk: str = ""
    shortcuts: tuple[_Shortcut, ...] = ()
    matters: tuple[Matter, ...] = ()
    portal: _Portal = _Portal()
    review: Annotated[_Reviews, BeforeValidator(_as_default)] = _Reviews()


def _contacts(lines: Sequence[_Contact]) -> tuple[ContactLine, ...]:
    return tuple(ContactLine(**vars(line)) for line in lines)


def _line_called(role: str, lines: Sequence[_Contact]) -> ContactLine | None:
    return next((line for line in _contacts(lines) if line.role == role), None)


def _unknown_desk(options: _Options, document: Document) -> Iterator[Problem]:
    roles = [line.role for line in options.station.contacts]
    if options.service_desk and options.service_desk not in roles:
        close = nearest(options.service_desk, roles)
        yield document.problem(
            "service_desk",
            message=_("本单位的联系卡里没有“{role}”。").format(role=options.service_desk),
            remedy=_("是不是想写“{close}”？").format(close=close)
            if close
            else _("写 station 的 contacts 里某一行的 role。"),
        )


def _portal(declared: _Portal, document: Document, folder: Path) -> tuple[Portal, list[Problem]]:
    """The portal's fragments, and what is wrong in them."""
    fragments: dict[str, Fragment] = {}
    files, problems = [], []
    for part, name in vars(declared).items():
        if not name:
            continue
        file = folder / name
        if not file.resolve().is_relative_to(folder) or not file.is_file():
            problems.append(
                document.problem(
                    "portal",
                    part,
                    message=_("站点文件夹里没有文件“{name}”。").format(name=name),
                    remedy=_("把门户给的 HTML 文件放进站点文件夹，这里写它的文件名。"),
                )
            )
            continue
        fragments[part], found = read_fragment(file, folder)
        files.append(file)
        problems += found
    return Portal(**fragments, files=tuple(files)), problems


def _reviews(declared: _Reviews) -> dict[Kind, Review]:
    return {kind: getattr(declared, kind) or declared.default for kind in KINDS if kind != "alert"}


def _unready(station: _Station, document: Document) -> Iterator[Problem]:
    if station.intranet:
        return
    for name, word in (
        ("sponsor", _("主办单位")),
        ("icp", _("ICP备案号")),
        ("police_record", _("公安备案号")),
        ("site_code", _("网站标识码")),
        ("corrections", _("找错联系方式")),
    ):
        if not getattr(station.official, name):
            yield document.problem(
                "station",
                "official",
                name,
                message=_("公开的网站要写明{word}，现在是空的。").format(word=word),
                remedy=_(
                    "在 station 的 official 下面补上 {field}；只在内网用的站点写 intranet: true。"
                ).format(field=name),
            )


def _flat(areas: Sequence[_Area], path: str = "", slug: str = "") -> Iterator[Area]:
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


def _repeated_areas(areas: Sequence[_Area], document: Document, *location: str | int) -> Iterator[Problem]:
    yield from _repeated_among(areas, document, *location)
    for index, area in enumerate(areas):
        yield from _repeated_areas(area.areas, document, *location, index, "areas")


def _repeated_among(things: Sequence[Any], document: Document, *location: str | int) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, thing in enumerate(things):
        words = {thing.name, thing.slug or thing.name}
        if clash := words & seen:
            yield document.problem(
                *location,
                index,
                message=_("“{word}”在这里用了两次。").format(word=min(clash)),
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
