"""Signing off: a writer submits what lies in content/, others sign it, and from then on residents see it.

``docs/signing.zh-CN.md`` tells section heads of it. Each act shows who did it by their PIN
(:mod:`gengfu_site.reviewers`), keeps the bytes that are meant, and is one record of the audit log: after a crash it
either happened or did not. What an act signs is what was shown (:class:`Draft`), whatever lies there by now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import unified_diff
from pathlib import Path

from gengfu_site import audit, meant, rules
from gengfu_site.alone import alone
from gengfu_site.approvals import (
    APPROVED,
    STARTED,
    STEPS,
    SUBMITTED,
    Approvals,
    Lost,
    Review,
    Round,
    Standing,
    Step,
    Version,
    digest_of,
    file_digest,
    keep,
    step_name,
)
from gengfu_site.catalogue import present
from gengfu_site.library import Article, Library, load
from gengfu_site.problems import GengfuError, Problem, ProblemsFound, in_command
from gengfu_site.readings import of_station
from gengfu_site.reviewers import Claim, expect_right, prove
from gengfu_site.settings import Settings
from gengfu_site.source import read_text
from gengfu_site.versions import review_of
from gengfu_templates.i18n import _, series


class Refused(GengfuError):
    """This cannot be signed, or not by this person, or not now."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """An article as it lies in content/, for somebody to sign exactly that."""

    id: str
    title: str
    name: str
    """The file as the officer knows it."""
    review: Review
    version: Version
    text: str
    standing: Standing
    public_text: str | None
    """What residents see now; None where they see nothing, or it is lost."""

    @property
    def is_public(self) -> bool:
        public = self.standing.public
        return public is not None and public.version.digest == self.version.digest

    @property
    def round(self) -> Round | None:
        """The signatures that this very version waits for; None where it was not submitted, or is done."""
        begun = self.standing.round
        if begun is None or not begun.missing or begun.version.digest != self.version.digest:
            return None
        return begun

    @property
    def missing(self) -> tuple[Step, ...]:
        """The steps that nobody has signed of this version."""
        return self.round.missing if self.round else () if self.is_public else STEPS

    def diff(self) -> list[str]:
        """What is other than what residents see, as a unified diff; its own place and the files it brings along included."""
        public = self.standing.public
        old = {public.version.path: "", **public.version.files} if public else {}
        new = {self.version.path: "", **self.version.files} if public else self.version.files
        lines = unified_diff(
            (self.public_text or "").splitlines(), self.text.splitlines(), _("公开的"), self.name, lineterm=""
        )
        files = [
            f"{sign} {path}"
            for path in sorted({*old, *new})
            for sign in [_sign(old.get(path), new.get(path))]
            if sign
        ]
        return [*lines, *files]


def drafts(settings: Settings, names: Sequence[str], at: datetime) -> list[Draft]:
    """The articles meant by ``names``: ids, files, or folders of files.

    :raises NoSuchArticle: one is none.
    :raises ProblemsFound: something is to be mended in them first.
    :raises Refused: one needs no signature.
    """
    library, problems = load(settings, at, as_written=True, known=of_station(settings, at))
    approvals = Approvals.read(settings.folder)
    found = {article.id: article for name in names for article in _meant(library, problems, name, approvals)}
    articles = tuple(found.values())
    problems += rules.refusals(Library(settings=settings, articles=articles), at)
    paths = {problem.path for problem in problems}
    # Which of two with one id is meant, nobody signs before it is clear.
    own = {article.lines.path for article in articles} | set(meant.bearing(found, settings.folder, paths))
    if mistakes := [problem for problem in problems if problem.path in own]:
        raise ProblemsFound(mistakes)
    return [_draft(article, settings, approvals) for article in articles]


def submit(settings: Settings, submitted: Iterable[Draft], claim: Claim, at: datetime) -> list[Draft]:
    """Note that ``claim`` wrote these; returns those that others are to sign now, without what is public as it is.

    :raises NotProved: ``claim`` is not who they say.
    :raises Refused: there is nothing new.
    """
    prove(settings.folder, claim, at)
    with _turn(settings):
        approvals = Approvals.read(settings.folder)
        new = [
            draft
            for draft in (_again(draft, approvals) for draft in submitted)
            if not (draft.is_public or draft.round)
        ]
        if not new:
            raise Refused(_("没有要提交的：这些都提交过或签发过了，以后也没有改动。"))
        for draft in new:
            details = {"id": draft.id, **draft.version.members()}
            audit.append(settings.folder, at, claim.name, SUBMITTED, details)
    return new


def next_steps(draft: Draft, name: str, rights: Iterable[Step]) -> list[Step]:
    """The steps of ``draft`` that ``name`` could sign now, in one go."""
    round_, steps = draft.round, []
    for step in STEPS:
        if round_ and step in rights and not round_.refusal(name, step, draft.review):
            steps.append(step)
            round_ = round_.with_step(step, name)
    return steps


def approve(
    settings: Settings,
    approved: Sequence[Draft],
    claim: Claim,
    steps: Sequence[Step],
    at: datetime,
    note: str = "",
) -> list[Draft]:
    """Note that ``claim`` signs ``steps`` of each, all or none; returns them as they stand then.

    :param note: nobody's personal data: it stays in the log.
    :raises NotProved: ``claim`` is not who they say, or may not sign such a step.
    :raises Refused: the version was not submitted, or somebody else must sign it.
    :raises Lost: a file was changed since it was shown.
    """
    prove(settings.folder, claim, at)
    ordered = [step for step in STEPS if step in steps]
    with _turn(settings):
        approvals = Approvals.read(settings.folder)
        now = [_again(draft, approvals) for draft in approved]
        expect_signable(now, claim.name, ordered, approvals.rights)
        for draft in now:
            keep(settings.folder, draft.version, draft.text, settings.content)
        for draft in now:
            details = {
                "id": draft.id,
                "version": draft.version.digest,
                "steps": ordered,
                "review": draft.review,
            }
            audit.append(
                settings.folder, at, claim.name, APPROVED, details | ({"note": note} if note else {})
            )
        approvals = Approvals.read(settings.folder)
    return [_again(draft, approvals) for draft in now]


def expect_signable(
    drafts: Iterable[Draft], name: str, steps: Sequence[Step], rights: Mapping[str, frozenset[Step]]
) -> None:
    """Before anybody is asked anything.

    :param rights: who may sign what.
    :raises NotProved: ``name`` may not sign such a step.
    :raises Refused: a version was not submitted, or somebody else must sign it.
    """
    expect_right(name, steps, rights)
    if refusals := [why for draft in drafts for why in _refusals(draft, name, steps)]:
        raise Refused("\n".join(refusals))


def begin(settings: Settings, at: datetime, login: str) -> int:
    """Note which articles came with the program: public until somebody edits them, signed by nobody; how many.

    :raises ProblemsFound: they cannot be read.
    """
    library, problems = load(settings, at, as_written=True)
    if problems:
        raise ProblemsFound(problems)
    approvals = Approvals(settings.folder, ())
    found = [_draft(article, settings, approvals) for article in library.articles if article.kind != "alert"]
    for draft in found:
        keep(settings.folder, draft.version, draft.text, settings.content)
    articles = [{"id": draft.id, **draft.version.members()} for draft in found]
    audit.append(settings.folder, at, login, STARTED, {"articles": articles})
    return len(found)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened to an article."""

    at: datetime
    who: str
    what: str
    """In the officer's words."""


def life(id_: str, records: Iterable[audit.Record]) -> list[Event]:
    """What the log says of the article, in its order; of alerts too.

    :param records: of the audit log.
    """
    events = []
    pending = False  # signatures of a version that is not signed through
    for record in records:
        if record.action == STARTED:
            if all(article["id"] != id_ for article in record.details["articles"]):
                continue
        elif record.details.get("id") != id_:
            continue
        told = _told(record)
        if record.action == SUBMITTED and pending:
            told += _("；前一稿没有签完，作废")
        if record.action in (SUBMITTED, APPROVED):
            pending = record.action == SUBMITTED or "release" not in record.details["steps"]
        events.append(Event(at=record.at, who=record.who, what=told))
    return events


def visible(settings: Settings, id_: str) -> str:
    """Which version of the article the present release shows, in a sentence."""
    catalogue = present(settings.public)
    shown = next((entry for entry in catalogue.entries if entry.id == id_), None) if catalogue else None
    public = Approvals.read(settings.folder).of(id_).public
    if shown is None:
        return _("网站的目录里现在没有这一篇：没有签发、撤回了、过期了，或者编号写错了。")
    if public is None:
        return _("网站上有这一篇，没有签发记录。")
    if not public.version.text.startswith(shown.revision):
        return _("网站上还不是上次签发的那一版：运行 gengfu build。")
    return _("网站上现在是第 {n} 条记录的那一版。").format(n=public.number)


def _told(record: audit.Record) -> str:
    details = record.details
    if record.action == STARTED:
        return _("随程序来的示范文章，本单位没有人签过")
    if record.action == SUBMITTED:
        return _("写好提交：{path}").format(path=details["path"])
    if record.action == APPROVED:
        steps = series(step_name(step) for step in STEPS if step in details["steps"])
        note = _("，附言：{note}").format(note=details["note"]) if details.get("note") else ""
        return _("签了{steps}").format(steps=steps) + note
    return _WORDS.get(record.action, record.action)


_WORDS = {
    "alert": _("发了警情"),
    "alert.update": _("发了进展"),
    "alert.resolve": _("发了结束"),
    "alert.cancel": _("发了取消"),
    "withdraw": _("撤回"),
    "review": _("事后复核"),
}


def _meant(library: Library, problems: Iterable[Problem], name: str, approvals: Approvals) -> list[Article]:
    """Of those meant by ``name``, the ones that are signed off.

    :raises NoSuchArticle: nothing is.
    :raises ProblemsFound: it cannot be read as an article.
    :raises Refused: none of them is.
    """
    found = meant.articles(library, problems, name, folders=True)
    signed_off = [article for article in found if _review(article, approvals, library.settings) != "none"]
    if not signed_off:
        paths = series([article.lines.path for article in found])
        raise Refused(_("{names}：这一类文章不用签发。").format(names=paths))
    return signed_off


def _review(article: Article, approvals: Approvals, settings: Settings) -> Review:
    return review_of(article.kind, approvals.of(article.id).public, approvals, settings)


def _draft(article: Article, settings: Settings, approvals: Approvals) -> Draft:
    name = article.lines.path
    text = read_text(settings.content / article.path, settings.folder)
    if isinstance(text, Problem):
        raise ProblemsFound([text])
    digest = digest_of(text.encode())
    if not digest.startswith(article.revision):
        raise Refused(_("{name}：刚刚有人改了，请再运行一次。").format(name=name))
    standing = _standing(article.id, approvals)
    version = Version(
        path=article.path,
        text=digest,
        files={path: file_digest(settings.content / path) for path in article.files},
    )
    return Draft(
        id=article.id,
        title=article.title,
        name=name,
        review=_review(article, approvals, settings),
        version=version,
        text=text,
        standing=standing,
        public_text=approvals.text(standing.public.version) if standing.public else None,
    )


def _standing(id_: str, approvals: Approvals) -> Standing:
    """How it stands with the article; without what was signed and is lost, so that it can be signed anew."""
    standing = approvals.of(id_)
    try:
        if standing.public:
            approvals.signed(standing.public)
            approvals.text(standing.public.version)
    except Lost:
        return replace(standing, public=None)
    return standing


def _again(draft: Draft, approvals: Approvals) -> Draft:
    """How it stands with the draft now."""
    return replace(draft, standing=_standing(draft.id, approvals))


def _refusals(draft: Draft, who: str, steps: Sequence[Step]) -> Iterator[str]:
    """Why ``who`` may not sign ``steps`` of it."""
    round_ = draft.round
    if draft.is_public:
        yield _("{name}：已经签发过，以后没有改动。").format(name=draft.name)
    elif round_ is None:
        yield _("{name}：这一稿还没有提交，请写的人先运行 gengfu submit {path}。").format(
            name=draft.name, path=in_command(draft.name)
        )
    else:
        for step in steps:
            if why := round_.refusal(who, step, draft.review):
                yield _("{name}：{why}").format(name=draft.name, why=why)
                return
            round_ = round_.with_step(step, who)


def _sign(before: str | None, after: str | None) -> str:
    """How a diff marks a file."""
    if before == after:
        return ""
    return "+" if before is None else "-" if after is None else "~"


@contextmanager
def _turn(settings: Settings) -> Iterator[None]:
    """Of two people who sign at once, the second sees what the first did."""
    folder: Path = settings.folder / audit.FOLDER
    with alone(folder / ".signing.lock"):
        yield
