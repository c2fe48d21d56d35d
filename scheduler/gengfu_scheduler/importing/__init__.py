"""Groups from the spreadsheet that a station keeps anyway: what would change, and then the change.

Promise: nothing is written before it was shown; no group is lost, none gets another id; rows of ``groups.csv`` that
do not change stay as they are, byte for byte. Webhook addresses, which are credentials, go to ``webhooks.csv`` alone
and are in nothing that is shown. A sheet with members' names, telephone or identity numbers is refused whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from gengfu_scheduler.groups.credentials import WEBHOOKS, Address, read_webhooks
from gengfu_scheduler.groups.reading import COLUMNS, CSV, REQUIRED, YAML, Table
from gengfu_scheduler.groups.tables import Row, problem_at, read_csv
from gengfu_scheduler.importing.comparing import (
    Ids,
    Known,
    Match,
    Merger,
    Repeated,
    recognised,
    without_repeats,
)
from gengfu_scheduler.importing.listing import Listing, gathered, has_groups, no_headings, read_listing
from gengfu_scheduler.importing.workbook import read_workbook
from gengfu_scheduler.importing.writing import CsvText, replace_file
from gengfu_site.catalogue import Station
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, nearest
from gengfu_templates.i18n import _, series

__all__ = ["Change", "ChangedMeanwhile", "Import", "Repeated", "Told", "carry_out", "plan_import"]


class ChangedMeanwhile(GengfuError):
    """A file is no longer as it was when the change was shown."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A group, as far as it is shown."""

    id: str
    name: str
    area: str
    reach: str
    line: int
    """Of the sheet; 0 where it is not in it."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of a group that is known."""

    group: Told
    renamed_from: str = ""
    """Its old name, where it has another now."""
    why: str = ""
    """How it was known again, in words."""
    fields: tuple[tuple[str, str, str], ...]
    """What the sheet calls the column, old text, new text; of an address only whether there was one."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """What an import would do. Nothing in it but ``_files`` holds an address."""

    source: str
    """File, and in a workbook the sheet, as the admin knows them."""
    new: tuple[Told, ...]
    changed: tuple[Change, ...]
    unchanged: int
    missing: tuple[Told, ...]
    """Groups that the sheet does not have."""
    removes_missing: bool
    """Whether they end with this import, else they stay."""
    repeated: tuple[Repeated, ...]
    unused: tuple[str, ...]
    """Headings of the sheet that groups have nothing for."""
    skipped: tuple[int, ...]
    """Lines of the sheet that are no groups: sums, and those with nothing to take over."""
    other_sheets: tuple[str, ...]
    _files: tuple[_Written, ...] = field(repr=False)

    @property
    def changes_anything(self) -> bool:
        return bool(self._files)


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A step of the change: a file before and after it."""

    file: Path
    before: bytes
    after: bytes
    private: bool


def plan_import(
    sheet_file: Path,
    folder: Path,
    station: Station,
    environ: Mapping[str, str],
    *,
    platforms: Collection[str],
    platform_at: Callable[[str], str | None],
    taken: Collection[str],
    today: date,
    sheet_name: str = "",
    remove_missing: bool = False,
) -> Import:
    """What importing ``sheet_file`` into the station in ``folder`` would change. Writes nothing.

    :param platforms: the names that a group's platform may have.
    :param platform_at: the platform that a host belongs to.
    :param taken: ids that groups once had and no new one may get.
    :param today: from when on new groups are served.
    :param sheet_name: of a workbook with several; empty for the first that holds groups.
    :raises ProblemsFound: the sheet, or the station's own files, must be mended first.
    """
    addresses, known = _read_known(folder, station, environ, platforms)
    listing, source, other_sheets = _read_sheet(sheet_file, sheet_name, station)
    rows, repeated = without_repeats(listing.rows)
    found = recognised(rows, known, listing.columns)
    known_ids = {k.group.id for k in known}
    stray = {address.webhook: id for id, (_line, address) in addresses.items() if id not in known_ids}
    given_ids = {row.cells["id"] for row in rows if row.cells.get("id")}
    ids = Ids(station, {*taken, *addresses, *known_ids, *given_ids})
    merger = Merger(listing, ids, stray, platform_at, today)
    matches: list[Match] = []
    problems: list[Problem] = []
    for row in rows:
        match, mistakes = merger.match(row, *found.get(row.line, (None, "")))
        matches.append(match)
        problems += [problem_at(source, row.line, column, mistake) for column, mistake in mistakes]
    matched = {known.group.id for known, _why in found.values()}
    missing = [k for k in known if k.group.id not in matched]

    # What would be written is judged as it will be when it is read, beside the groups that stay.
    given = {m.cells["id"]: (m.row.line, m.address) for m in matches if m.address}
    judge = Table(source, station, environ, platforms, {**addresses, **given})
    staying = [] if remove_missing else [k.row for k in missing]
    problems += judge.problems_in([*staying, *(replace(m.row, cells=m.cells) for m in matches)])
    if problems:
        raise ProblemsFound(
            gathered(replace(p, field=listing.headings.get(p.field, p.field)) for p in problems)
        )

    changes = [_change(m, m.known, listing.headings) for m in matches if m.known]
    changed = tuple(change for change in changes if change.fields or change.renamed_from)
    return Import(
        source=source,
        new=tuple(_told(m.cells, m.row.line) for m in matches if m.known is None),
        changed=changed,
        unchanged=len(changes) - len(changed),
        missing=tuple(_told(k.row.cells, 0) for k in missing),
        removes_missing=remove_missing,
        repeated=tuple(repeated),
        unused=listing.unused,
        skipped=listing.skipped,
        other_sheets=other_sheets,
        _files=_files(folder, matches, [k.group.id for k in missing] if remove_missing else []),
    )


def carry_out(planned: Import) -> None:
    """Do what was planned.

    :raises ChangedMeanwhile: a file was changed since; nothing is written.
    """
    first: dict[Path, bytes] = {}
    for step in planned._files:
        first.setdefault(step.file, step.before)
    for file, before in first.items():
        if _content(file) != before:
            raise ChangedMeanwhile(
                _("{file} 刚才被改过，什么都没有写。请再运行一次。").format(file=file.name)
            )
    for step in planned._files:
        replace_file(step.file, step.after, private=step.private)


def _read_known(
    folder: Path, station: Station, environ: Mapping[str, str], platforms: Collection[str]
) -> tuple[dict[str, tuple[int, Address]], list[Known]]:
    """The addresses and the groups as they are written, of a station that keeps them in ``groups.csv``.

    An address of no group is no hindrance: an import that was cut short leaves some behind.
    """
    if (folder / YAML).exists():
        raise ProblemsFound(
            [
                Problem(
                    path=YAML,
                    message=_("群写在 groups.yml 里，导入只会改 groups.csv。"),
                    remedy=_("把这几个群填进要导入的表，删掉 groups.yml，再导入。"),
                )
            ]
        )
    addresses, problems = read_webhooks(folder)
    rows: list[Row] = []
    if (folder / CSV).exists():
        rows, found = read_csv(folder, CSV, COLUMNS, required=REQUIRED)
        problems += found
    table = Table(CSV, station, environ, platforms, addresses)
    groups = {group.id: group for group in table.read(rows)}
    if problems := problems + table.problems:
        raise ProblemsFound(problems)
    return addresses, [Known(row=row, group=groups[row.cells["id"]]) for row in rows]


def _read_sheet(file: Path, name: str, station: Station) -> tuple[Listing, str, tuple[str, ...]]:
    """The groups, what they were read from, and the names of the sheets that were not read."""
    sheets = [sheet for sheet in read_workbook(file) if sheet.rows]
    names = [sheet.name for sheet in sheets]
    chosen = next((s for s in sheets if s.name == name or (not name and has_groups(s))), None)
    if name and chosen is None:
        close = nearest(name, names)
        raise ProblemsFound(
            [
                Problem(
                    path=file.name,
                    message=_("没有名为“{name}”的工作表，有：{known}。").format(
                        name=name, known=series(names)
                    ),
                    remedy=_("是不是想写“{close}”？").format(close=close)
                    if close
                    else _("--sheet 写其中一个。"),
                )
            ]
        )
    if chosen is None:
        raise ProblemsFound([no_headings(file.name)])
    source = f"{file.name}#{chosen.name}" if chosen.name else file.name
    others = tuple(sheet.name for sheet in sheets if sheet is not chosen)
    return read_listing(chosen, source, station), source, others


def _told(cells: Mapping[str, str], line: int) -> Told:
    return Told(
        id=cells["id"], name=cells["name"], area=cells.get("area", ""), reach=cells["reach"], line=line
    )


def _change(match: Match, known: Known, headings: Mapping[str, str]) -> Change:
    old, new = known.row.cells, match.cells
    fields = [
        (headings.get(column, column), old.get(column, ""), new.get(column, ""))
        for column in COLUMNS
        if column != "name" and old.get(column, "") != new.get(column, "")
    ]
    if match.address:
        before = _("有地址") if known.group.webhook else _("没有地址")
        fields.append((headings.get("webhook", "webhook"), before, _("表里的地址")))
    return Change(
        group=_told(new, match.row.line),
        renamed_from=old["name"] if old["name"] != new["name"] else "",
        why=match.why,
        fields=tuple(fields),
    )


def _files(folder: Path, matches: Collection[Match], removed: Collection[str]) -> tuple[_Written, ...]:
    """The steps of the change.

    An address comes before its group and goes after it: in between, a scheduler that reads the files finds an
    address of no group, which it calls a problem, and keeps to what it read before.
    """
    groups, webhooks = folder / CSV, folder / WEBHOOKS
    groups_now, webhooks_now = _content(groups), _content(webhooks)
    rows = {m.cells["id"]: m.cells for m in matches if m.known is None or m.cells != m.known.row.cells}
    given = {
        m.cells["id"]: {"id": m.cells["id"], "webhook": m.address.webhook, "secret": m.address.secret or ""}
        for m in matches
        if m.address
    }
    with_all = webhooks_now
    if given:
        with_all = CsvText(webhooks_now, ("id", "webhook", "secret")).changed(rows=given)
    groups_then = groups_now
    if rows or removed:
        groups_then = CsvText(groups_now, COLUMNS).changed(rows=rows, removed=removed)
    without_removed = with_all
    if removed and with_all:
        without_removed = CsvText(with_all, ()).changed(rows={}, removed=removed)
    steps = (
        _Written(file=webhooks, before=webhooks_now, after=with_all, private=True),
        _Written(file=groups, before=groups_now, after=groups_then, private=False),
        _Written(file=webhooks, before=with_all, after=without_removed, private=True),
    )
    return tuple(step for step in steps if step.before != step.after)


def _content(file: Path) -> bytes:
    """What is in the file; nothing where there is none."""
    return file.read_bytes() if file.exists() else b""
