"""What a Linux server needs to know of a station: nginx's block for its site, systemd's units for its programs.

The files are laid out as below ``/etc``, so that one ``cp -r`` puts them there; nothing of the system is touched here.
Promises: what is over is served to nobody (nothing of an alert is kept by nginx, a proxy or a phone); the programs may
write to the station's folder and nowhere else; no secret stands in a unit. By
https://nginx.org/en/docs/http/ngx_http_core_module.html and
https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jinja2

from gengfu_site.problems import GengfuError
from gengfu_templates import SERVER
from gengfu_templates.i18n import _

NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
"""What the units and nginx's files of a station may be called."""


class Unfit(GengfuError):
    """A path or name that cannot stand in a configuration file."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where residents open the site, and where it lies."""

    host: str
    port: int
    base: str
    """Of the address: ``/``, or ``/police/guide/`` within a portal."""
    public: str
    parent: str
    """The folder in which releases are switched."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """One station on one machine."""

    name: str
    """As :data:`NAME`; one each where there are several stations."""
    folder: str
    user: str
    """Whose the folder is, and as whom the programs run."""
    program: str
    """The installed ``gengfu``."""
    language: str
    """Of what the programs say."""
    site: Site | None
    """None where this machine only sends."""
    sends: bool
    """Whether this machine keeps a timetable."""
    certificate: str = ""
    """PEM file of the site's certificate with its chain; empty: a proxy in front has it."""
    key: str = ""


def site(url: str, public: Path) -> Site:
    """The site at ``url``, as its settings have it, that is built in ``public``."""
    parts = urlsplit(url)
    return Site(
        host=(parts.hostname or "").encode("idna").decode(),
        port=parts.port or (443 if parts.scheme == "https" else 80),
        base=unquote(parts.path),
        public=str(public),
        parent=str(public.parent),
    )


def files(server: Server) -> Iterator[tuple[str, str]]:
    """Every file, by its path below ``/etc``.

    :raises Unfit: a path cannot be written in them.
    """
    env = jinja2.Environment(  # noqa: S701 - no markup
        loader=jinja2.FileSystemLoader(SERVER), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    env.filters |= {
        "nginx": _plain,
        "pattern": re.escape,
        "specifier": lambda text: _sound(text).replace("%", "%%"),
        "path": lambda text: _plain(text).replace("%", "%%"),
    }
    for template, path in _wanted(server):
        yield path, env.get_template(template).render(asdict(server))


def _wanted(server: Server) -> Iterator[tuple[str, str]]:
    units = ["backup.service", "backup.timer"]
    if server.site:
        yield "nginx-site.conf", f"nginx/snippets/{server.name}.conf"
        yield "nginx.conf", f"nginx/conf.d/{server.name}.conf"
        units.append("build.service")
    if server.sends:
        units.append("run.service")
    for unit in units:
        yield unit, f"systemd/system/{server.name}-{unit}"


def _plain(text: str) -> str:
    """In quotes, as nginx and systemd both read them."""
    return f'"{_sound(text)}"'


def _sound(text: str) -> str:
    if found := re.search(r"""["'$\\\x00-\x1f]""", text):
        raise Unfit(
            _("路径 {path} 里有配置文件写不了的字符 {sign}：把文件夹改个名字。").format(
                path=text, sign=repr(found[0])
            )
        )
    return text
