"""Which bytes of each article residents see: those that lie in content/, or those that were last signed off.

Where ``mkdocs.yml`` has a kind signed off (``review``), an article that was never signed is not published, and one
that was edited since stays as it was signed (:mod:`gengfu_site.approvals`); both are told of, and hold up nothing else.
A withdrawal alone takes effect as soon as it is written: the page stays as it was signed and says that it no longer
holds. Nor does a name that ``mkdocs.yml`` no longer declares undo a signature: a topic of that name lists nothing any
more, an area or audience of that name reaches nobody, and nobody else instead.

Alerts are shown as they are written: they must not wait. But what was signed off stays so until it is signed off as
something else: its id, its kind and its place lead to the same page, and none of them is a way around the signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from gengfu_site.approvals import Approvals, Lost, Public, Review, Signed, step_name, strictest
from gengfu_site.article import Manuscript, Written, ids_written, parse, split
from gengfu_site.audit import AuditFailed
from gengfu_site.catalogue import KINDS, Kind
from gengfu_site.problems import Problem, in_command
from gengfu_site.settings import Settings
from gengfu_site.source import Document, read_yaml
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _, series


@dataclass(frozen=True, kw_only=True)
class Lying:
    """One article's file as it lies in content/."""

    path: PurePosixPath
    """Below content/."""
    name: str
    """The file as the officer knows it."""
    text: str | None = None
    """None where it cannot be read, or need not be."""
    digest: str = ""
    """Of its text, as :class:`gengfu_site.approvals.Version` has it; empty where it cannot be read."""
    manuscript: Manuscript | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def kind(self) -> Kind | None:
        """What it is; where it cannot be read as an article, what its folder is for."""
        if self.manuscript:
            return self.manuscript.kind
        folder = self.path.parts[0]
        return folder if folder in KINDS else None


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What was signed of an article whose file says something else by now, at the same place."""

    path: PurePosixPath
    """Below content/."""
    name: str
    """The file as the officer knows it."""
    text: str
    digest: str
    """Of ``text``."""
    signed: Signed


Copies = Callable[[Sequence[Copy]], Mapping[PurePosixPath, Manuscript]]
"""Told of all copies that residents are to see, gives by their paths those that need not be read anew."""


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """What must be signed off, and what was."""

    settings: Settings
    approvals: Approvals

    def of(self, id_: str, place: str, kind: Kind, text: str) -> Signed | None:
        """Who answers for an article as it lies, where somebody must and does.

        :param place: of its file below content/.
        :param text: the digest of what stands there.
        """
        if not self.asked_for(kind):
            return None
        try:
            return self.approvals.signed_as_it_lies(id_, place, text)
        except Lost:
            return None

    def asked_for(self, kind: Kind) -> bool:
        return self.settings.reviews.get(kind, "none") != "none"

    def concern(self, article: Manuscript) -> bool:
        """Whether it is not plain that residents see it as it lies."""
        if self.asked_for(article.kind):
            return article.signed is None
        return self.approvals.knows(article.id, article.place)


def signatures(
    settings: Settings, approvals: Callable[[Path], Approvals], *, urgent: bool
) -> Signatures | None:
    """None where nothing is signed off.

    :param approvals: reads the log.
    :param urgent: where the log cannot be read, go on as if nobody had signed anything: no alert waits for it.
    :raises AuditFailed: the log cannot be read.
    """
    if all(review == "none" for review in settings.reviews.values()):
        return None
    try:
        return Signatures(settings=settings, approvals=approvals(settings.folder))
    except AuditFailed:
        if not urgent:
            raise
        return Signatures(settings=settings, approvals=Approvals(settings.folder, ()))


def shown_to_residents(
    signatures: Signatures, lying: Sequence[Lying], plain: Mapping[str, Manuscript], copies: Copies
) -> tuple[dict[str, Lying], list[Problem]]:
    """What of ``lying`` residents may see, each as they may see it, by the place where it lies below content/; and a
    warning for each that differs from its file.

    :param plain: by their places, all other articles, which residents see as they lie.
    """
    settings, approvals = signatures.settings, signatures.approvals
    seen: dict[str, Lying] = {}
    held: list[Problem] = []
    signed: list[tuple[Lying, str, Public]] = []
    bearers = _bearers(lying, plain, approvals)
    for one in lying:
        id_ = _id(one, approvals)
        if not _needs_signing(one, id_, approvals, settings):
            seen[one.path.as_posix()] = one
            continue
        public = approvals.of(id_).public if id_ else None
        if id_ is None or public is None:
            held.append(_unsigned(one, id_, approvals, settings))
        elif bearers[id_] != one.name:
            held.append(_anothers_id(one, id_, bearers[id_]))
        else:
            signed.append((one, id_, public))
    known = copies([copy for one, _id, public in signed for copy in _copies(one, public, approvals)])
    for one, id_, public in signed:
        try:
            version = _as_signed(one, public, approvals, settings, known)
        except Lost as lost:
            held.append(_lost(one, lost))
            continue
        undeclared = [problem for problem in version.problems if _field(problem) in _DECLARED]
        mistakes = [problem for problem in version.problems if problem not in undeclared]
        seen[one.path.as_posix()] = replace(version, problems=tuple(mistakes))
        held += [_renamed(one, id_, problem, approvals) for problem in undeclared]
        held += [] if _only_withdrawn(one, version) else _edited(one, id_, public, approvals, settings)
    return seen, sorted(held)


def review_of(kind: Kind | None, public: Public | None, approvals: Approvals, settings: Settings) -> Review:
    """How an article is signed off: as its kind is, and no less than the kind is as which it was signed off last.

    :param public: what residents see of it.
    """
    own = settings.reviews.get(kind, "none") if kind else "none"
    if public is None:
        return own
    try:
        return strictest((own, settings.reviews.get(_kind_of(public, approvals), "none")))
    except Lost:
        return own if own != "none" else strictest(settings.reviews.values())


def _kind_of(public: Public, approvals: Approvals) -> Kind:
    """
    :raises Lost: what was signed is not there any more.
    """
    parts = split(approvals.text(public.version))
    written = read_yaml(parts[0], "")[0].value.get("kind") if parts else None
    for kind in KINDS:
        if kind == written:
            return kind
    raise Lost(public.version.path, public.version.text)


def _needs_signing(one: Lying, id_: str | None, approvals: Approvals, settings: Settings) -> bool:
    if one.kind and settings.reviews.get(one.kind, "none") != "none":
        return True
    standings = [approvals.of(known) for known in {id_, approvals.id_at(one.path)} if known]
    return any(
        review_of(one.kind, standing.public, approvals, settings) != "none"
        for standing in standings
        if standing.public and not (one.manuscript and _is_signed(one, standing.public))
    )


def _id(one: Lying, approvals: Approvals) -> str | None:
    """Of a file that cannot be read, that of the signed article which it says, or by its place seems, to be."""
    if one.manuscript:
        return one.manuscript.id
    written = ids_written((one.text or "").encode())
    return next((id_ for id_ in written if approvals.of(id_).public), None) or approvals.id_at(one.path)


def _bearers(lying: Sequence[Lying], plain: Mapping[str, Manuscript], approvals: Approvals) -> dict[str, str]:
    """By the ids in ``lying`` that were signed off: of the files that give it, the name of the one that is that article."""
    bearers: dict[str, str] = {}
    for one in lying:
        id_ = _id(one, approvals)
        public = approvals.of(id_).public if id_ else None
        if id_ and public and (id_ not in bearers or public.version.path == one.path):
            there = plain.get(public.version.path.as_posix())
            bearers[id_] = there.lines.path if there and there.id == id_ else one.name
    return bearers


def _copies(one: Lying, public: Public, approvals: Approvals) -> Iterator[Copy]:
    """What was signed, where nothing of it hangs on what the file says by now."""
    if public.version.path != one.path or _is_signed(one, public):
        return
    if one.manuscript is None or not one.manuscript.withdrawn:
        with suppress(Lost):
            yield Copy(
                path=one.path,
                name=one.name,
                text=approvals.text(public.version),
                digest=public.version.text,
                signed=approvals.signed(public)._replace(edited=True),
            )


def _as_signed(
    one: Lying,
    public: Public,
    approvals: Approvals,
    settings: Settings,
    copies: Mapping[PurePosixPath, Manuscript],
) -> Lying:
    """
    :raises Lost: what was signed is not there any more.
    """
    if known := copies.get(one.path):
        return replace(one, digest=public.version.text, manuscript=known, problems=())
    as_it_lies = _is_signed(one, public)
    signed = approvals.signed(public)._replace(edited=not as_it_lies)
    if as_it_lies and not one.problems:
        return replace(one, manuscript=one.manuscript and replace(one.manuscript, signed=signed))
    text = approvals.text(public.version)
    one = replace(one, text=text, digest=public.version.text)
    written = Written(public.version.path, one.name, text, one.digest)
    [(manuscript, problems)] = parse([written], settings.station, signed_off=True)
    problems = list(one.problems) if as_it_lies else problems
    if manuscript is None:
        return replace(one, manuscript=None, problems=tuple(problems))
    declared = {topic.name for topic in settings.station.topics}
    topics = tuple(topic for topic in manuscript.topics if topic in declared)
    manuscript = replace(manuscript, topics=topics, signed=signed)
    if one.manuscript and one.manuscript.withdrawn:
        now = one.manuscript
        manuscript = replace(
            manuscript,
            withdrawn=now.withdrawn,
            updated=now.updated or manuscript.updated,
            lines=_with_reason(manuscript.lines, now.lines),
        )
    return replace(one, path=public.version.path, manuscript=manuscript, problems=tuple(problems))


def _with_reason(signed: Document, now: Document) -> Document:
    """What was signed, with the reason that was written since, so that the rules read that too."""
    return replace(
        signed,
        value={**signed.value, "withdrawn": now.value["withdrawn"]},
        lines={**signed.lines, ("withdrawn",): now.line("withdrawn")},
    )


def _is_signed(one: Lying, public: Public) -> bool:
    return public.version.path == one.path and public.version.text == one.digest


def _edited(
    one: Lying, id_: str, public: Public, approvals: Approvals, settings: Settings
) -> Iterator[Problem]:
    if _is_signed(one, public):
        return
    message, remedy = _("改过以后还没有签发，网站上仍是上次签发的那一版。"), _next_step(one, id_, approvals)
    if one.kind == "alert":
        message = _("签发过的文章改成警情，也要先签发；网站上仍是上次签发的那一版。")
        remedy = _("真有警情，另写一篇：gengfu new alert。") + remedy
    yield _warning(one, message, remedy)


def _only_withdrawn(one: Lying, shown: Lying) -> bool:
    """Whether all that is other than what was signed is the withdrawal, which residents see already."""
    now, then = one.manuscript, shown.manuscript
    if now is None or then is None or not now.withdrawn:
        return False
    same = replace(
        now, lines=then.lines, body_line=then.body_line, revision=then.revision, signed=then.signed
    )
    return same == then


def _field(problem: Problem) -> str:
    """The outermost field that it names."""
    return problem.field.partition(".")[0]


def _renamed(one: Lying, id_: str, undeclared: Problem, approvals: Approvals) -> Problem:
    message = _("上次签发的那一版：{found}").format(found=undeclared.message) + _DECLARED[_field(undeclared)]
    if one.manuscript is None:
        return _warning(
            one, message, _("文件里改成现在的名称，重新提交、签发；或请管理员把原来的名称登记回来。")
        )
    return _warning(one, message, _next_step(one, id_, approvals))


_DECLARED = {
    "topics": _("网站上这一篇不再列在它下面。"),
    "areas": _("那里的群不再收到这一篇，网页还在。"),
    "audience": _("这些人的群不再收到这一篇，网页还在。"),
}
"""What becomes of a signed article with a name that ``mkdocs.yml`` no longer declares, by field."""


def _unsigned(one: Lying, id_: str | None, approvals: Approvals, settings: Settings) -> Problem:
    message = _("还没有签发，网站上看不到。")
    if one.manuscript is None:
        return _warning(one, message, _("先把这一篇的问题改好，再提交。"))
    if (before := approvals.id_at(one.path)) not in (None, id_):
        submitted = settings.reviews.get(one.manuscript.kind, "none") != "none"
        return _warning(
            one,
            _("这个文件名下签发过另一篇（编号 {id}），这一篇没有公开。").format(id=before),
            _("是同一篇，把编号改回 {id}。").format(id=before)
            + (_next_step(one, id_, approvals) if submitted else _("是新写的，换个文件名。")),
        )
    return _warning(one, message, _next_step(one, id_, approvals))


def _anothers_id(one: Lying, id_: str, bearer: str) -> Problem:
    return _warning(
        one,
        _("编号 {id} 是签发过的 {path} 的，这一篇没有公开。").format(id=id_, path=bearer),
        _("删掉 id 那一行，再运行 gengfu fix {name}，得到一个新编号。").format(name=in_command(one.name)),
    )


def _next_step(one: Lying, id_: str | None, approvals: Approvals) -> str:
    if one.manuscript is None:
        return _("先把这一篇的问题改好，再提交。")
    waiting = approvals.of(id_).round if id_ else None
    if waiting is None or waiting.version.text != one.digest or waiting.version.path != one.path:
        return _("写的人提交：gengfu submit {name}").format(name=in_command(one.name))
    steps = series(map(step_name, waiting.missing))
    return _("还差{steps}，另一个人签：gengfu approve {id}").format(steps=steps, id=id_)


def _lost(one: Lying, lost: Lost) -> Problem:
    return _warning(
        one,
        _("{lost}，为稳妥没有发布。").format(lost=lost),
        _("从备份恢复 audit/approved/；没有备份，就重新提交、签发。"),
    )


def _warning(one: Lying, message: str, remedy: str) -> Problem:
    return Problem(path=one.name, message=message, remedy=remedy, severity="warning")
