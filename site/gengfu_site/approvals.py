"""What was signed off: who signed which version of an article, and the very bytes that they signed.

三审三校 as stations know it: of each version one person says that they wrote it, and others that its language is right,
that its facts and their basis are, and that it may be released. Two promises:

* All of it follows from the audit log (:mod:`gengfu_site.audit`) alone, in the log's own order, whatever a clock said;
  a record beside a break counts for nothing.
* A version is its digest: the article's place and text, and the bytes of every file it brings along. These are
  kept under their own digests (``audit/approved/``) before the log says that somebody signed, and looked at anew
  whenever they are to be used: what is lost or was changed is :class:`Lost`, and never published.

A record of who signed, which shows whether somebody changed it; no electronic signature (``docs/signing.zh-CN.md``).
"""

from __future__ import annotations

import hashlib
import marshal
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from gengfu_site import audit
from gengfu_site.problems import GengfuError
from gengfu_site.store import Store, Values
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _, series

Review = Literal["none", "small", "full"]
"""How an article is signed off before residents see it: not at all, by the writer and one more person, or by the
writer and three different ones."""
Step = Literal["language", "facts", "release"]
STEPS: tuple[Step, ...] = get_args(Step)
"""In their order; none comes before the one it follows."""

STARTED = "sign.start"
"""Action of the record that names what came with the program: public until it is edited, approved by nobody here."""
SUBMITTED = "sign.submit"
APPROVED = "sign.approve"
ADMITTED = "reviewers.set"
DISMISSED = "reviewers.remove"

_MANY = 100
"""Records from which on it takes longer to read them again than to remember what came of them."""
_STRICTNESS: Mapping[str, int] = {review: place for place, review in enumerate(("start", *get_args(Review)))}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state of an article and of all that it brings along."""

    path: PurePosixPath
    """Below content/: its address comes from it."""
    text: str
    """Digest of the article's text; a BOM and the kind of line ends do not count."""
    files: Mapping[PurePosixPath, str]
    """Digests of the files it brings along, by their place below content/."""

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(audit.canonical(self.members())).hexdigest()

    def members(self) -> dict[str, Any]:
        """As the log has it."""
        files = [[path.as_posix(), digest] for path, digest in sorted(self.files.items())]
        return {"path": self.path.as_posix(), "text": self.text, "files": files}


@dataclass(frozen=True, kw_only=True)
class Round:
    """One version on its way to being public."""

    version: Version
    writer: str
    signed: Mapping[Step, str] = field(default_factory=dict)
    """Who signed each step so far."""

    def refusal(self, who: str, step: Step, review: Review) -> str | None:
        """Why ``who`` may not sign ``step`` of it now, whatever rights they have; None where they may."""
        if who == self.writer:
            return _("这一稿是{who}写的，要由别人签。").format(who=who)
        if step in self.signed:
            return _("“{step}”这一步{who}已经签过了。").format(step=step_name(step), who=self.signed[step])
        before = [one for one in STEPS[: STEPS.index(step)] if one not in self.signed]
        if before:
            return _("“{step}”之前，要先签：{steps}。").format(
                step=step_name(step), steps=series(map(step_name, before))
            )
        if review == "full" and who in self.signed.values():
            return _("三审要三个人，{who}已经签过这一稿的另一步。").format(who=who)
        return None

    def with_step(self, step: Step, who: str) -> Round:
        return Round(version=self.version, writer=self.writer, signed={**self.signed, step: who})

    @property
    def missing(self) -> tuple[Step, ...]:
        return tuple(step for step in STEPS if step not in self.signed)


@dataclass(frozen=True, kw_only=True)
class Public:
    """The version that residents may see."""

    version: Version
    number: int
    """Of the record that made it so."""
    review: Review | Literal["start"]
    """How it was signed off; ``start``: it came with the program."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How it stands with one article."""

    public: Public | None = None
    round: Round | None = None
    """The version that waits for signatures, or was the last to do so."""


class Signed(NamedTuple):
    """What an article that was signed off carries with it."""

    files: Mapping[PurePosixPath, Path]
    """Where the bytes that were signed lie, by their place below content/."""
    rank: tuple[int, int]
    """Where two articles bring along one file in two versions, the greater one's is shown: the one more strictly
    signed off, then the later one."""
    digests: _Digests
    """Of these files as they were signed."""
    edited: bool = False
    """Whether its file says something else by now, which waits for a signature."""


class Lost(GengfuError):
    """Bytes that were signed are missing or no longer what was signed."""

    def __init__(self, path: PurePosixPath, digest: str) -> None:
        self.path, self.digest = path, digest
        super().__init__(
            _("签发过的内容丢了或被改过（{path}，存档 {digest}）").format(path=path, digest=digest[:12])
        )


_Digests: TypeAlias = tuple[tuple[str, str], ...]
"""Of the files that a version brings along, in order: place below content/ and digest."""
Rights: TypeAlias = Mapping[str, frozenset[Step]]
"""The steps that each person may sign."""


class Approvals:
    """How it stands with every article of one station."""

    def __init__(self, station: Path, records: Iterable[audit.Record], told: Values | None = None) -> None:
        """
        :param records: of the log, unbroken.
        :param told: as :meth:`values`, of all before them.
        """
        self._store = _store(station)
        self._sound: dict[str, Path] = {}
        self._files: dict[_Digests, Mapping[PurePosixPath, Path]] = {}
        told = told or ({}, {})
        self._told: Mapping[str, Values] = told[0]
        """Of articles that no record here is about, as :func:`_values_of`; made into objects when they are asked for."""
        self._standings: dict[str, Standing] = {}
        self._rights = {who: frozenset[Step](steps) for who, steps in told[1].items()}
        self._take_all(records)

    @classmethod
    def read(cls, station: Path, store: Store | None = None) -> Approvals:
        """
        :param store: remembers what came of the log, and of what stands in it that it is still the same.
        :raises AuditFailed: the log cannot be read.
        """
        mark, told = store.log() if store else (None, None)
        grown = audit.unbroken_since(station, audit.Mark(*mark)) if mark else None
        if grown is None:
            mark, told = None, None
            grown = audit.unbroken_since(station, audit.START)
            assert grown  # nothing stands before the start
        approvals = cls(station, grown.settled, told)
        if store and len(grown.settled) >= _MANY:
            store.keep_log(tuple(grown.mark), approvals.values())
        approvals._take_all(grown.newest)
        return approvals

    @property
    def rights(self) -> Rights:
        """Of everybody who may write or sign now."""
        return self._rights

    def of(self, id_: str) -> Standing:
        if id_ not in self._standings and id_ in self._told:
            self._standings[id_] = _standing(self._told[id_])
        return self._standings.get(id_, Standing())

    @property
    def unsigned(self) -> int:
        """How many articles are public as they came with the program."""
        return sum(public is not None and public[4] == "start" for public, _round in self._all().values())

    def id_at(self, path: PurePosixPath) -> str | None:
        """Id of the article that was signed off as lying there; its address is the same in any case."""
        return self._ids_by_path.get(path.as_posix().lower())

    @cached_property
    def _ids_by_path(self) -> dict[str, str]:
        """Where several were signed off in one place, one after another, the last."""
        public = [(one, id_) for id_, (one, _round) in self._all().items() if one]
        public.sort(key=lambda pair: pair[0][3])
        return {one[0].lower(): id_ for one, id_ in public}

    def values(self) -> Values:
        """How it stands, as values of Python's own kinds: what may be remembered."""
        return self._all(), {who: tuple(steps) for who, steps in self._rights.items()}

    def _all(self) -> dict[str, Values]:
        return {**self._told, **{id_: _values_of(one) for id_, one in self._standings.items()}}

    def text(self, version: Version) -> str:
        """:raises Lost: it is not there as it was signed."""
        try:
            data = (self._store / _place(version.text)).read_bytes()
        except OSError:
            raise Lost(version.path, version.text) from None
        if digest_of(data) != version.text:
            raise Lost(version.path, version.text)
        return data.decode()

    def signed(self, public: Public) -> Signed:
        """:raises Lost: a file is not there as it was signed."""
        return self._signed(_digests(public.version), public.number, public.review)

    def signed_as_it_lies(self, id_: str, place: str, text: str) -> Signed | None:
        """Who answers for that text at that place below content/, where that is what residents may see of the article.

        :param text: its digest.
        :raises Lost: a file is not there as it was signed.
        """
        if id_ in self._standings:
            told = _values_of(self._standings[id_])
        elif (told := self._told.get(id_, ())) == ():
            return None
        public = told[0]
        if public is None or public[0] != place or public[1] != text:
            return None
        return self._signed(*public[2:])

    def knows(self, id_: str, place: str) -> bool:
        """Whether an article of that id, or one at that place below content/, was ever submitted or signed off."""
        return id_ in self._standings or id_ in self._told or place.lower() in self._ids_by_path

    def _signed(self, digests: _Digests, number: int, review: str) -> Signed:
        files = self._files.get(digests)  # many articles share a cover
        if files is None:
            paths = ((PurePosixPath(place), digest) for place, digest in digests)
            files = {path: self._sound_file(path, digest) for path, digest in paths}
            self._files[digests] = files
        return Signed(files, (_STRICTNESS[review], number), digests)

    def _sound_file(self, path: PurePosixPath, digest: str) -> Path:
        if digest not in self._sound:
            file = self._store / _place(digest)
            try:
                if file_digest(file) != digest:
                    raise Lost(path, digest)
            except OSError:
                raise Lost(path, digest) from None
            self._sound[digest] = file
        return self._sound[digest]

    def _take_all(self, records: Iterable[audit.Record]) -> None:
        for record in records:
            with suppress(
                KeyError, TypeError, ValueError, AttributeError
            ):  # written by no version of this program
                self._take(record)

    def _take(self, record: audit.Record) -> None:
        """What ``record`` changes."""
        action, details = record.action, record.details
        if action == STARTED:
            for article in details["articles"]:
                public = Public(version=_version(article), number=record.number, review="start")
                self._standings[article["id"]] = Standing(public=public)
        elif action == ADMITTED:
            self._rights[details["name"]] = frozenset(step for step in STEPS if step in details["steps"])
        elif action == DISMISSED:
            self._rights.pop(details["name"], None)
        elif action == SUBMITTED and record.who in self._rights:
            public_now = self.of(details["id"]).public
            begun = Round(version=_version(details), writer=record.who)
            self._standings[details["id"]] = Standing(public=public_now, round=begun)
        elif action == APPROVED:
            self._sign(record)

    def _sign(self, record: audit.Record) -> None:
        details, standing = record.details, self.of(record.details["id"])
        round_, review = standing.round, details["review"]
        if round_ is None or round_.version.digest != details["version"] or review not in ("small", "full"):
            return
        for step in details["steps"]:
            if step in self._rights.get(record.who, ()) and not round_.refusal(record.who, step, review):
                round_ = round_.with_step(step, record.who)
        public = standing.public
        if not round_.missing:
            public = Public(version=round_.version, number=record.number, review=review)
        self._standings[details["id"]] = Standing(public=public, round=round_)


def _values_of(standing: Standing) -> Values:
    """What residents see, flat, for it is asked of every article; and as bytes what is asked of few."""
    public, begun = standing.public, standing.round
    return (
        public and (*_plain(public.version), public.number, public.review),
        begun and marshal.dumps((_plain(begun.version), begun.writer, tuple(begun.signed.items()))),
    )


def _plain(version: Version) -> Values:
    return version.path.as_posix(), version.text, _digests(version)


def _digests(version: Version) -> _Digests:
    return tuple((path.as_posix(), digest) for path, digest in sorted(version.files.items()))


def _standing(values: Values) -> Standing:
    """What :func:`_values_of` was told."""
    public, data = values
    begun = data and marshal.loads(data)  # noqa: S302 - plain values
    return Standing(
        public=public and Public(version=_from_plain(public[:3]), number=public[3], review=public[4]),
        round=begun and Round(version=_from_plain(begun[0]), writer=begun[1], signed=dict(begun[2])),
    )


def _from_plain(values: Values) -> Version:
    return _version(dict(zip(("path", "text", "files"), values, strict=True)))


def keep(station: Path, version: Version, text: str, content: Path) -> None:
    """Put the bytes of ``version`` where they are found again, each file whole or not at all.

    :param text: the article's, whose digest ``version`` has.
    :param content: the folder its files lie in.
    :raises Lost: a file is no longer what ``version`` says.
    :raises AuditFailed: they cannot be written.
    """
    store = _store(station)
    try:
        store.parent.mkdir(mode=0o700, exist_ok=True)
        _put(store, version.text, text.encode())
        for path, digest in version.files.items():
            data = (content / path).read_bytes()
            if digest_of(data) != digest:
                raise Lost(path, digest)
            _put(store, digest, data)
    except OSError as error:
        raise audit.AuditFailed(store, error) from error


def strictest(reviews: Iterable[Review]) -> Review:
    """The one of ``reviews`` that asks for most; ``none`` where there are none."""
    return max(reviews, key=lambda review: _STRICTNESS[review], default="none")


def step_name(step: Step) -> str:
    names: dict[Step, str] = {"language": _("语言"), "facts": _("事实和依据"), "release": _("发布")}
    return names[step]


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_digest(file: Path) -> str:
    """:raises OSError: it cannot be read."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _version(members: Mapping[str, Any]) -> Version:
    return Version(
        path=PurePosixPath(members["path"]),
        text=members["text"],
        files={PurePosixPath(path): digest for path, digest in members["files"]},
    )


def _store(station: Path) -> Path:
    return station / audit.FOLDER / "approved"


def _place(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def _put(store: Path, digest: str, data: bytes) -> None:
    file = store / _place(digest)
    if not (file.is_file() and file_digest(file) == digest):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, data)


def write_whole(file: Path, data: bytes) -> None:
    """Put ``data`` in the place of ``file``, for its owner alone; after a crash the one or the other is there.

    :raises OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=file.parent)
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    except OSError:
        new.unlink(missing_ok=True)
        raise
