"""What the officer on duty does with one article: tell of it now, say what became of it, take it back.

Each runs the same way: find out who is meant, ask once, publish, send. Publishing comes first, so that a link
opens before anybody has it. Where publishing fails nothing waits for it: the text goes without the link, and
the officer is told what is left to do. Where the site is made elsewhere (``catalogue:`` is a URL, or there is
no ``mkdocs.yml`` here) what that catalogue says is taken as published.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal

from gengfu_scheduler import words
from gengfu_scheduler.alerts import (
    alert_key,
    correction_key,
    draft_alert,
    draft_correction,
    draft_follow_up,
)
from gengfu_scheduler.draft import Draft, Refused
from gengfu_scheduler.message import Reach
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.push import Pushed, push
from gengfu_scheduler.roster import Roster, RosterFiles
from gengfu_scheduler.runner import Clock, OpenTransport, Say, open_transport
from gengfu_scheduler.timetable import Target
from gengfu_site import urgent
from gengfu_site.amend import front_matter
from gengfu_site.catalogue import Entry
from gengfu_site.meant import NoSuchArticle
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, nearest, shown
from gengfu_site.settings import Settings
from gengfu_site.start import AlreadyThere
from gengfu_templates.i18n import _, series

PATIENCE = timedelta(seconds=10)
"""How long a catalogue elsewhere may take to show what was published here, before the text goes without a link."""

End = Literal["resolved", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What is about to be done; the officer says yes or no to it."""

    entry: Entry
    ways: Mapping[Reach, int]
    """How many groups will be told which way."""
    unreachable: tuple[str, ...]
    """Names of groups that are meant and cannot be told now: disabled, or without an address."""
    groups: tuple[str, ...]
    """Names of all that are meant."""
    text: str
    """What the first of them will read; the others' differs in its last line at most."""
    trouble: str
    """What is wrong with the admin's files, so that groups may be left out; empty where all is well."""
    problems: tuple[Problem, ...] = ()
    """To be mended in the article, though it can be told without; before it is told is the time to."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What was done."""

    entry: Entry
    pushed: Pushed | None
    """None where nobody was to be told."""
    linked: bool
    """Whether the page could be opened before its link was sent."""
    trouble: str
    """Why the page could not be published; empty where it was."""
    problems: tuple[Problem, ...]
    """To be mended in the article, though it was published without."""
    others: int
    """Problems elsewhere, which keep a build without urgency from being made."""
    leftover: str = ""
    """The file of a missing person's data that nothing needs any more; empty where there is none."""


Ask = Callable[[Meant], bool]
AskBasis = Callable[[], str]
"""Asked where personal data stands in an alert, which the officer has seen: the ground on which it is told, or nothing."""


def target_of(texts: Sequence[str], roster: Roster) -> Target:
    """The groups that ``area=青松路/桃园社区``, ``audience=老年人`` and ``group=ID`` name together.

    An area may be called by its own name alone, where only one has it.

    :raises Refused: one names nothing; says what is near.
    """
    known = {**words.vocabulary(roster.catalogue.station), "group": roster.groups}
    chosen: dict[str, list[str]] = {"area": [], "audience": [], "group": []}
    for text in texts:
        what, _equals, name = (part.strip() for part in text.replace("＝", "=").partition("="))
        if not name or what not in chosen:
            raise Refused(
                _("--to 应写成 area=区域、audience=对象 或 group=群编号，见到的是“{found}”。").format(
                    found=text
                )
            )
        if what == "area":
            name = _area(name, known["area"])
        if name not in known[what]:
            mistake = words.undeclared(what, name, known[what])
            raise Refused(f"{mistake.message} {mistake.remedy}")
        chosen[what].append(name)
    return Target(
        areas=tuple(chosen["area"]), audience=tuple(chosen["audience"]), groups=tuple(chosen["group"])
    )


def _area(name: str, paths: Collection[str]) -> str:
    """The path of the area that goes by ``name``; ``name``, where none does.

    :raises Refused: several do, or it is misspelt; says what they are called.
    """
    if name in paths:
        return name
    found = [path for path in paths if path.rpartition("/")[2] == name]
    if len(found) > 1:
        raise Refused(_("“{name}”不止一个，写明是哪个：{known}。").format(name=name, known=series(found)))
    if not found and (close := nearest(name, [*paths, *(path.rpartition("/")[2] for path in paths)])):
        raise Refused(_("没有“{name}”这个区域。是不是想写“{close}”？").format(name=name, close=close))
    return found[0] if found else name


@dataclass(frozen=True, kw_only=True)
class Duty:
    """One station, at one command."""

    folder: Path
    settings: Settings | None
    """None: the site is not made here."""
    environ: Mapping[str, str]
    outbox: Outbox
    clock: Clock
    say: Say
    transport: OpenTransport = open_transport
    ask_basis: AskBasis = str

    def target(self, texts: Sequence[str]) -> Target | None:
        """Whom ``texts`` name (:func:`target_of`); None where there are none."""
        return target_of(texts, self.roster()) if texts else None

    def alert(self, name: str, to: Target | None, ask: Ask, *, exercise: bool = False) -> Done | None:
        """Tell of the alert ``name`` (id, or file) now. None: the officer said no.

        :param to: the groups that are meant; None: those that the article is for.
        :param exercise: it is one, whatever its article says; that is written into it.
        :raises Refused: it is not going on, no group is meant, what is to be an exercise was told as none, or nobody
            answers for personal data in it.
        :raises GengfuError: there is no such alert, or it cannot be read.
        """

        def draft(entry: Entry, roster: Roster, linked: bool) -> Draft:
            return draft_alert(entry, roster, self.clock(), to=to, linked=linked)

        with ExitStack() as undo:
            entry, problems = self._alert(name, undo)
            marks = exercise and entry.alert is not None and entry.alert.status != "exercise"
            meant = self._as_exercise(entry) if marks else entry
            roster = self.roster()
            if not ask(self._meant(meant, draft(meant, roster, True), roster, problems)):
                return None
            self._found(entry, problems)
            if marks:
                urgent.mark_exercise(self._site(), entry.id, self.clock())
            undo.pop_all()
        return self._carry_out(
            meant, lambda: urgent.publish_article(self._site(), entry.id, self.clock()), draft
        )

    def update(self, id: str, ask: Ask) -> Done | None:
        """Tell whoever heard of the alert what its article says by now; whoever was told just that is not told again."""
        entry, problems = self._alert(id)
        return self._follow_up(
            entry,
            lambda: urgent.update(self._site(), entry.id, self.clock()),
            ask,
            waiting=True,
            problems=problems,
        )

    def conclude(self, id: str, state: End, ask: Ask) -> Done | None:
        """Tell whoever heard of the alert that it is over, and take a missing person's data off everything."""
        entry, _problems = self._alert(id)
        if self.settings is None and entry.alert and entry.alert.state != state:
            self._site()
        return self._follow_up(
            entry,
            lambda: urgent.conclude(self._site(), entry.id, state, self.clock()),
            ask,
            waiting=False,
            end=state,
        )

    def withdraw(self, name: str, reason: str, ask: Ask) -> Done | None:
        """Take an article back, and send a correction to exactly those who were told it."""
        reason = " ".join(reason.split())
        if not reason:
            raise Refused(_("--reason 是空的：写一句为什么撤回，居民会看到。"))
        if self.settings is None:
            return self._withdrawn_elsewhere(name.upper(), reason, ask)
        found = urgent.find(self._site(), name, self.clock(), withdrawn=reason)
        objections = [problem for problem in found.problems if problem.field == "withdrawn"]
        if leaks := urgent.without_basis(objections):
            raise ProblemsFound([_of_the_reason(problem) for problem in leaks])
        entry, heard = found.entry, self.outbox.heard(found.entry.id, waiting=False)
        roster = self.roster()

        def draft(entry: Entry, roster: Roster, linked: bool) -> Draft:
            return draft_correction(entry, reason, heard, roster, self.clock(), linked=linked)

        def publish() -> urgent.Urgent:
            if self.outbox.broadcast(correction_key(entry)) and _withdrawn(found) == reason:
                return self._as_it_stands(entry)
            return urgent.withdraw(self._site(), entry.id, reason, self.clock())

        if not ask(self._meant(entry, draft(entry, roster, True), roster, tuple(objections))):
            return None
        return self._carry_out(entry, publish, draft, gone=True)

    def _withdrawn_elsewhere(self, id: str, reason: str, ask: Ask) -> Done | None:
        """:meth:`withdraw`, where the site is made on another machine and has withdrawn the article there."""
        roster, heard = self.roster(), self.outbox.heard(id, waiting=False)
        if any(entry.id == id for entry in roster.catalogue.entries):
            raise Refused(
                _("{id} 还公开着：先在写文章的那台机器上撤回、发布，再在这里通知收到过的群。").format(id=id)
            )
        told = self.outbox.told_of(id)
        if told is None:
            raise Refused(_("从来没有发过编号为 {id} 的文章，没有要通知的群。").format(id=id))
        # What of it counts here: by what it is known, where its page is, and that it was withdrawn for just that reason.
        revision = sha256(reason.encode()).hexdigest()[:12]
        now = self.clock()
        entry = Entry(
            id=id,
            kind="notice",
            url=told.url,
            title=told.title,
            summary=told.summary,
            published=now,
            updated=now,
            revision=revision,
        )

        def draft(entry: Entry, roster: Roster, linked: bool) -> Draft:
            return draft_correction(entry, reason, heard, roster, self.clock(), linked=linked)

        if not ask(self._meant(entry, draft(entry, roster, True), roster)):
            return None
        return self._carry_out(entry, lambda: self._as_it_stands(entry), draft, gone=True)

    def _follow_up(
        self,
        entry: Entry,
        amend: Callable[[], urgent.Urgent],
        ask: Ask,
        *,
        waiting: bool,
        end: End | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> Done | None:
        """
        :param amend: writes into the article what became of it, and publishes that.
        :param end: how it is to have ended; None: it goes on.
        :param problems: what the officer should know of before it is told; nothing of it holds up an end.
        """
        heard = self.outbox.heard(entry.id, waiting=waiting)

        def publish() -> urgent.Urgent:
            ended = end is None or (entry.alert is not None and entry.alert.state == end)
            return self._as_it_stands(entry) if ended and self.outbox.broadcast(alert_key(entry)) else amend()

        def draft(entry: Entry, roster: Roster, linked: bool) -> Draft:
            return draft_follow_up(entry, heard, roster, self.clock(), linked=linked)

        roster = self.roster()
        said = replace(entry, alert=replace(entry.alert, state=end)) if end and entry.alert else entry
        if not ask(self._meant(entry, draft(said, roster, True), roster, problems)):
            return None
        self._found(entry, problems)
        return self._carry_out(entry, publish, draft, end=end)

    def _found(self, entry: Entry, problems: Sequence[Problem]) -> None:
        """Write into the alert on what ground personal data stands in it.

        :raises Refused: none was given.
        """
        if urgent.without_basis(problems):
            basis = self.ask_basis()
            if not basis:
                raise Refused(
                    _(
                        '正文里有个人信息，没有说凭什么公开，没有发。加上 --basis "监护人 19:40 同意" 这样的依据再发，或先删掉、打码。'
                    )
                )
            urgent.give_basis(self._site(), entry.id, basis, self.clock())

    def _as_it_stands(self, entry: Entry) -> urgent.Urgent:
        """Publish what was told already. It is not dated anew, and so whoever was told is not told it again."""
        return urgent.publish_article(self._site(), entry.id, self.clock())

    def _carry_out(
        self,
        entry: Entry,
        publish: Callable[[], urgent.Urgent],
        draft: Callable[[Entry, Roster, bool], Draft],
        *,
        gone: bool = False,
        end: End | None = None,
    ) -> Done:
        """Publish, then send: the one never keeps the other from being done.

        :param gone: the catalogue is to lack the entry afterwards.
        :param end: how the alert is to have ended.
        :raises GengfuError: its end could not even be written into the article; nothing is sent.
        """
        trouble, problems, others = "", tuple[Problem, ...](), 0
        if self.settings:
            try:
                released = publish()
                entry, problems = released.entry, released.own
                others = len(released.problems) - len(released.own)
            except GengfuError as error:
                trouble = str(error)
                entry = urgent.find(self.settings, entry.id, self.clock()).entry
                if end and entry.alert and entry.alert.state != end:
                    raise  # what it says would be told as news: that it goes on
        roster, linked = self._roster_showing(entry, gone=gone, wait=not trouble)
        drafted = draft(entry, roster, linked and not trouble)
        return Done(
            entry=entry,
            pushed=self._push(drafted) if drafted.planned else None,
            linked=linked,
            trouble=trouble,
            problems=problems,
            others=others,
            leftover=self._leftover(entry) if end else "",
        )

    def _leftover(self, entry: Entry) -> str:
        if self.settings is None:
            return ""
        file = self.settings.private / f"{entry.id}.yml"
        return shown(file, self.settings.folder) if file.exists() else ""

    def _push(self, draft: Draft) -> Pushed:
        return push(
            draft,
            self.folder,
            self.environ,
            self.outbox,
            clock=self.clock,
            say=self.say,
            transport=self.transport,
            files=self._files,
        )

    def _roster_showing(self, entry: Entry, *, gone: bool, wait: bool) -> tuple[Roster, bool]:
        """The roster, and whether its catalogue has ``entry`` as it is now, or lacks it if it is to be ``gone``."""
        deadline = time.monotonic() + PATIENCE.total_seconds() * wait
        while True:
            roster = self.roster()
            has = any(e.id == entry.id and e.revision == entry.revision for e in roster.catalogue.entries)
            # What is over is in no catalogue, and has a page all the same.
            right = has != gone or not entry.live(self.clock())
            if right or time.monotonic() >= deadline:
                return roster, right
            time.sleep(0.2)

    @cached_property
    def _files(self) -> RosterFiles:
        return RosterFiles(self.folder, self.environ, urgent=True)

    def roster(self) -> Roster:
        """The roster as it is now; nothing is read again that did not change."""
        return self._files.read()

    def _site(self) -> Settings:
        """
        :raises Refused: the site is not made here.
        """
        if self.settings is None:
            raise Refused(_("这里没有网站的文章（mkdocs.yml）：在写文章的那台机器上做，发布以后这里会跟上。"))
        return self.settings

    def _as_exercise(self, entry: Entry) -> Entry:
        """The alert ``entry`` as the exercise that it is to be.

        :raises Refused: it was told as no exercise, or the site is not made here.
        """
        self._site()
        assert entry.alert is not None
        if heard := self.outbox.heard(entry.id):
            raise Refused(
                _("“{title}”已经当作真的警情发给 {n} 个群，不能再改成演练：演练请另写一篇。").format(
                    title=entry.title, n=len(heard)
                )
            )
        return replace(entry, alert=replace(entry.alert, status="exercise"))

    def _alert(self, name: str, undo: ExitStack | None = None) -> tuple[Entry, tuple[Problem, ...]]:
        """The alert that goes by ``name``, and what is to be mended in it.

        :param undo: takes a file from elsewhere out again that was taken in; None: none is taken in.
        """
        problems: tuple[Problem, ...] = ()
        held: tuple[Problem, ...] = ()
        if self.settings is None:
            entry = next((e for e in self.roster().catalogue.entries if e.id == name.upper()), None)
            if entry is None:
                raise Refused(_("已发布的内容里没有编号 {id}。").format(id=name))
        else:
            found = self._find(self.settings, name, undo)
            entry, problems, held = found.entry, found.problems, found.held
        if entry.alert is None and held:
            raise ProblemsFound(held)  # it may be one that waits for a signature
        if entry.alert is None:
            raise Refused(
                _("“{title}”不是警情（kind: alert），按时间表发，不能立即群发。").format(title=entry.title)
            )
        return entry, problems

    def _find(self, settings: Settings, name: str, undo: ExitStack | None) -> urgent.Found:
        try:
            return urgent.find(settings, name, self.clock())
        except NoSuchArticle:
            if undo is None or not Path(name).is_file():
                raise
        try:
            taken = urgent.take_in(settings, Path(name), self.clock())
        except AlreadyThere as error:
            there = urgent.find(settings, str(error.path), self.clock()).entry
            raise Refused(
                _(
                    "{file} 已经有了，是“{title}”，没有动它。要发的就是它：gengfu alert {id}；不是：给要发的文件换个名字。"
                ).format(file=shown(error.path, settings.folder), title=there.title, id=there.id)
            ) from error
        undo.callback(taken.unlink, missing_ok=True)
        return urgent.find(settings, str(taken), self.clock())

    def _meant(self, entry: Entry, draft: Draft, roster: Roster, problems: tuple[Problem, ...] = ()) -> Meant:
        groups = [roster.groups[planned.group] for planned in draft.planned]
        disabled = self.outbox.disabled()
        without = {group.id for group in roster.without_address()}
        return Meant(
            entry=entry,
            ways=Counter(group.reach for group in groups),
            unreachable=tuple(g.name for g in groups if g.id in disabled or g.id in without),
            groups=tuple(group.name for group in groups),
            text="\n".join(
                roster.channels.text_of(part) for planned in draft.planned[:1] for part in planned.messages
            ),
            trouble=self._files.trouble,
            problems=problems,
        )


def _of_the_reason(problem: Problem) -> Problem:
    remedy = _("居民和收到更正的群都会看到：删掉，或写成 138****1234 这样，再撤回一次。现在还没有撤回。")
    return replace(problem, path="--reason", line=1, field="", remedy=remedy)


def _withdrawn(found: urgent.Found) -> object:
    """Why the article is withdrawn, as its file says; None where it is not."""
    return front_matter(found.file.read_bytes(), found.file).get("withdrawn")
