"""The admin's files read together: what is published, which groups there are, when to speak to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from gengfu_scheduler.channels import PLATFORMS, Channels, channels_of, wecom_customer
from gengfu_scheduler.channels.apprise import Apprise
from gengfu_scheduler.channels.channel import HttpChannel
from gengfu_scheduler.channels.checking import check_templates
from gengfu_scheduler.channels.wecom_customer import App, app_in
from gengfu_scheduler.groups import Alike, group_files, read_groups, sorted_out
from gengfu_scheduler.message import Group, Message
from gengfu_scheduler.published import Published
from gengfu_scheduler.timetable import FILE, Timetable, catalogue_address, read_timetable
from gengfu_site.catalogue import Catalogue, Station
from gengfu_site.problems import GengfuError, Problem, ProblemsFound
from gengfu_templates.i18n import _


@dataclass(frozen=True, kw_only=True)
class Roster:
    """One consistent reading of all three."""

    catalogue: Catalogue
    groups: Mapping[str, Group]
    """By id, in the admin's order."""
    timetable: Timetable
    channels: Channels
    app: App | None = None
    """By which WeCom knows the station, where owners are asked to confirm; None where it is not known here."""

    def alike(self, named: frozenset[str]) -> list[Alike]:
        """The groups, :func:`~gengfu_scheduler.groups.sorted_out` with those ``named`` apart."""
        if named not in self._alike:
            self._alike[named] = sorted_out(self.groups.values(), named)
        return self._alike[named]

    @cached_property
    def _alike(self) -> dict[frozenset[str], list[Alike]]:
        return {}

    def fits(self, message: Message, group: Group) -> bool:
        """Whether ``group`` can be told ``message`` in one piece.

        What cannot be rendered at all counts as fitting: its delivery says so, group by group.
        """
        try:
            return self.channels.fits(message, group)
        except GengfuError:
            return True

    def without_address(self) -> list[Group]:
        """The groups that a robot is to post to and whose address is not known on this machine."""
        addressed = HttpChannel | Apprise
        by_robot = (g for g in self.groups.values() if g.reach == "webhook")
        return [g for g in by_robot if not g.webhook and isinstance(self.channels.to(g), addressed)]

    def without_app(self) -> str:
        """Why no owner can be asked to confirm anything; empty where they can."""
        if self.app is None:
            return _("没有企业微信应用的凭据：设好环境变量 {corp} 和 {secret}").format(
                corp=wecom_customer.CORP, secret=wecom_customer.SECRET
            )
        if self.app.api != wecom_customer.API and self.app.host not in self.timetable.hosts:
            return _("{name} 的主机 {host} 不在 timetable.yml 的 hosts 里").format(
                name=wecom_customer.ELSEWHERE, host=self.app.host
            )
        return ""


class RosterFiles:
    """The files of the station in one folder; each reading reads again only what changed.

    Where a later reading finds problems, what was last right stays in use and :attr:`trouble` names them.
    """

    trouble: str = ""
    """Why something older is in use than what lies in the files; empty where all is well."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *, urgent: bool = False) -> None:
        """
        :param urgent: an alert waits for no line to be mended: where there never was a reading without
            problems, what is sound is taken, and :attr:`trouble` names the rest.
        """
        self._folder = folder
        self._urgent = urgent
        self._environ = environ
        self._channels = channels_of(folder)
        self._published: Published | None = None
        self._seen: object = None
        self._judged: object = None
        self._problems: tuple[Problem, ...] = ()
        self._last: Roster | None = None

    def changed(self) -> bool:
        """Whether a file of the admin's was written since the last reading. Cheap: it only looks at times."""
        return self._stamps() != self._seen

    def current(self) -> bool:
        """Whether the last reading has the groups and the timetable as they are written now."""
        return not self.changed() and not self._problems

    def read(self, *, ask: bool = True) -> Roster:
        """The roster as it is now.

        :param ask: whether a web server may be asked for the catalogue; if not, its last answer stands.
        :raises ProblemsFound: groups or timetable have problems, and there never was a reading without.
        :raises CatalogueUnavailable: no catalogue could be read, now or before.
        """
        self._seen = self._stamps()
        address = catalogue_address(self._folder)
        if self._published is None or self._published.address != address:
            self._published = Published(address, self._folder)
        catalogue = self._published.read(ask=ask)
        if self._last is not None and catalogue is not self._last.catalogue:
            self._last = replace(self._last, catalogue=catalogue)
        if self._judged != (self._seen, catalogue.station):
            self._judged = self._seen, catalogue.station
            groups, timetable, self._problems = _read(self._folder, catalogue.station, self._environ)
            if self._urgent and self._last is None:
                timetable = timetable or Timetable(timezone=ZoneInfo(catalogue.station.timezone))
            if timetable is not None and (self._urgent or not self._problems):
                self._last = Roster(
                    catalogue=catalogue,
                    groups=groups,
                    timetable=timetable,
                    channels=self._channels,
                    app=app_in(self._environ),
                )
        if self._last is None:
            raise ProblemsFound(self._problems)
        self.trouble = "\n".join(map(str, filter(None, (self._published.trouble, *self._problems))))
        return self._last

    def _stamps(self) -> object:
        files = (*group_files(self._folder), self._folder / FILE)
        return tuple(_stamp(file) for file in files)


def sound(folder: Path, catalogue: Catalogue, environ: Mapping[str, str]) -> Roster:
    """The roster for ``catalogue`` with whatever of the groups and the timetable in ``folder`` is right."""
    groups, timetable, _problems = _read(folder, catalogue.station, environ)
    return Roster(
        catalogue=catalogue,
        groups=groups,
        timetable=timetable or Timetable(timezone=ZoneInfo(catalogue.station.timezone)),
        channels=channels_of(folder),
        app=app_in(environ),
    )


def published_station(folder: Path) -> Station:
    """The station as what is published declares it: where the site is made on another machine.

    :raises CatalogueUnavailable: no catalogue can be read.
    """
    return Published(catalogue_address(folder), folder).read().station


def check(folder: Path, station: Station, environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """Everything that is wrong with the groups, the timetable and the message templates in ``folder``.

    A station that has neither only publishes; that is no problem.
    """
    if not any(file.exists() for file in (*group_files(folder), folder / FILE)):
        return ()
    return (*_read(folder, station, environ)[2], *check_templates(folder))


def _read(
    folder: Path, station: Station, environ: Mapping[str, str]
) -> tuple[dict[str, Group], Timetable | None, tuple[Problem, ...]]:
    found, problems = read_groups(folder, station, environ, PLATFORMS)
    groups = {group.id: group for group in found}
    timetable, more = read_timetable(folder, station, groups)
    if problems:
        # A slot may well name a group whose line has a problem: that is one mistake, not two.
        more = tuple(problem for problem in more if ".to.groups." not in problem.field)
    return groups, timetable, (*problems, *more)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
