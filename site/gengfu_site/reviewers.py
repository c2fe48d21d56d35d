"""Who may write and sign, and their PINs: ``audit/reviewers.json``, for its owner alone.

The file holds what a PIN is compared with (scrypt, RFC 7914: https://www.rfc-editor.org/rfc/rfc7914); who may sign
what, the audit log holds, and with it the fingerprint of each key, so a key that somebody put into the file by
hand opens nothing. A key is in the file before the log names it, and the one before it until then: a crash in between
leaves the old PIN or the new one. A wrong PIN is on record; after a few in a row the next try has to wait, longer each
time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from gengfu_site import audit
from gengfu_site.alone import alone
from gengfu_site.approvals import (
    ADMITTED,
    APPROVED,
    DISMISSED,
    STEPS,
    SUBMITTED,
    Approvals,
    Step,
    step_name,
    write_whole,
)
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _, series

WRONG_PIN = "pin.wrong"
"""Action of the record of a wrong PIN; it names whose."""
SHORTEST = 6
"""Characters of a PIN, at least."""

_FREE = 3
"""Wrong PINs in a row before one must wait."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
_COST = (1 << 15, 8, 3)
"""n, r and p of scrypt, as OWASP's password storage cheat sheet advises: a tenth of a second and 32 MiB a try."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Somebody says who they are."""

    name: str
    pin: str = field(repr=False)
    login: str
    """Who is logged in on this computer, for the record of a wrong PIN."""


class NotProved(GengfuError):
    """Whoever it is has not shown to be who they say, or may not do this."""


def prove(station: Path, claim: Claim, at: datetime) -> None:
    """
    :raises NotProved: nobody of that name is admitted, the PIN is wrong, or it is too early to try again.
    :raises AuditFailed: the log cannot be read or written.
    """
    with _one_at_a_time(station):
        _prove(station, claim, at)


def _prove(station: Path, claim: Claim, at: datetime) -> None:
    """As :func:`prove`, for who has the turn."""
    records = audit.unbroken(station)
    _expect_admitted(claim.name, Approvals(station, records).rights)
    wait = _wait(claim.name, records, at)
    if wait > timedelta():
        raise NotProved(
            _("{name}的 PIN 连着输错过，请过 {n} 秒再试。").format(
                name=claim.name, n=int(wait.total_seconds()) + 1
            )
        )
    key = _keys_in_force(station, records).get(claim.name)
    if key is None:
        raise NotProved(
            _(
                "{name}的 PIN 记录丢了或被改过，请让有“发布”权限的人重新登记：gengfu reviewers add {name}"
            ).format(name=claim.name)
        )
    if not _fits(claim.pin, key):
        audit.append(station, at, claim.login, WRONG_PIN, {"name": claim.name})
        raise NotProved(_("PIN 不对，已经记下。"))


def admit(
    station: Path, name: str, steps: Sequence[Step], pin: str, by: Claim | None, at: datetime, *, login: str
) -> None:
    """Let ``name`` write, and sign ``steps``, with ``pin``; in place of what was there of that name.

    :param by: somebody who may release; None where there is nobody yet.
    :raises NotProved: ``by`` may not.
    :raises ValueError: no such name or PIN can be; says why.
    """
    name = " ".join(name.split())
    if not name:
        raise ValueError(_("写上姓名。"))
    _refuse_weak(pin)
    with _one_at_a_time(station):
        _expect_releaser(station, by, at)
        key = _key(pin)
        _write(station, [*_keys_in_force(station, audit.unbroken(station)).values(), key])
        ordered = [step for step in STEPS if step in steps]
        details = {"name": name, "steps": ordered, "key": _fingerprint(key)}
        audit.append(station, at, by.name if by else login, ADMITTED, details)


def dismiss(station: Path, name: str, by: Claim, at: datetime) -> None:
    """From now on ``name`` signs nothing; what they signed stays signed.

    :raises NotProved: ``by`` may not release, or there is no such person.
    """
    with _one_at_a_time(station):
        _expect_releaser(station, by, at)
        if name not in Approvals.read(station).rights:
            raise NotProved(_("没有登记过“{name}”。").format(name=name))
        audit.append(station, at, by.name, DISMISSED, {"name": name})
        _write(station, _keys_in_force(station, audit.unbroken(station)).values())


def expect_right(name: str, steps: Sequence[Step], rights: Mapping[str, frozenset[Step]]) -> None:
    """:raises NotProved: ``name`` may not sign one of ``steps``."""
    _expect_admitted(name, rights)
    if missing := [step_name(step) for step in steps if step not in rights.get(name, ())]:
        raise NotProved(_("{name}没有登记这一步：{steps}。").format(name=name, steps=series(missing)))


def _expect_admitted(name: str, rights: Container[str]) -> None:
    if name not in rights:
        raise NotProved(_("没有登记过“{name}”。登记：gengfu reviewers add {name}").format(name=name))


def nobody_releases(station: Path) -> bool:
    """Whether nobody who may release is admitted yet, with a PIN to show it."""
    records = audit.unbroken(station)
    rights = Approvals(station, records).rights
    return not any("release" in rights.get(name, ()) for name in _keys_in_force(station, records))


def _expect_releaser(station: Path, by: Claim | None, at: datetime) -> None:
    if by is None:
        if not nobody_releases(station):
            raise NotProved(_("要由有“发布”权限的人来登记：加上 --by 姓名，输入那个人的 PIN。"))
        return
    _prove(station, by, at)
    expect_right(by.name, ["release"], Approvals.read(station).rights)


def _refuse_weak(pin: str) -> None:
    steps = {ord(after) - ord(before) for before, after in pairwise(pin)}
    if len(pin) < SHORTEST:
        raise ValueError(_("PIN 至少 {n} 位。").format(n=SHORTEST))
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        raise ValueError(_("这个 PIN 太好猜了，不要用连号或同一个数字。"))


def _wait(name: str, records: Sequence[audit.Record], at: datetime) -> timedelta:
    """How long ``name`` must still wait before the next try."""
    wrong: list[audit.Record] = []
    for record in records:
        if record.action == WRONG_PIN and record.details.get("name") == name:
            wrong.append(record)
        elif _shows_right_pin(record, name):
            wrong.clear()
    if len(wrong) < _FREE:
        return timedelta()
    whole = min(_FIRST_WAIT * (1 << min(len(wrong) - _FREE, 10)), _LONGEST_WAIT)
    # A clock that was set back must not lock anybody out until it has caught up.
    return max(whole - abs(at - wrong[-1].at), timedelta())


def _shows_right_pin(record: audit.Record, name: str) -> bool:
    if record.action == ADMITTED and record.details.get("name") == name:
        return True
    return record.who == name and record.action in (SUBMITTED, APPROVED, ADMITTED, DISMISSED)


def _keys_in_force(station: Path, records: Iterable[audit.Record]) -> dict[str, str]:
    """By name, what the PIN is compared with; without those whose key is not the one they were admitted with last."""
    fingerprints: dict[str, str] = {}
    for record in records:
        name = str(record.details.get("name"))
        if record.action == ADMITTED:
            fingerprints[name] = str(record.details.get("key"))
        elif record.action == DISMISSED:
            fingerprints.pop(name, None)
    keys = {_fingerprint(key): key for key in _keys(station)}
    return {name: keys[fingerprint] for name, fingerprint in fingerprints.items() if fingerprint in keys}


def _key(pin: str) -> str:
    """What to keep of a PIN."""
    salt = secrets.token_bytes(16)
    n, r, p = _COST
    return "$".join(("scrypt", str(n), str(r), str(p), salt.hex(), _derived(pin, salt, n, r, p).hex()))


def _fits(pin: str, key: str) -> bool:
    _scheme, n, r, p, salt, derived = key.split("$")
    return hmac.compare_digest(
        _derived(pin, bytes.fromhex(salt), int(n), int(r), int(p)), bytes.fromhex(derived)
    )


def _derived(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    data = pin.encode("utf-8", "surrogatepass")  # from a terminal or file in another encoding
    return hashlib.scrypt(data, salt=salt, n=n, r=r, p=p, maxmem=1 << 27, dklen=32)


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _file(station: Path) -> Path:
    return station / audit.FOLDER / "reviewers.json"


def _keys(station: Path) -> list[str]:
    try:
        keys = json.loads(_file(station).read_text("utf-8"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise audit.AuditFailed(_file(station), error) from error
    except ValueError:
        return []  # whoever is meant has to be admitted anew
    return [str(key) for key in keys.values()] if isinstance(keys, dict) else []


def _write(station: Path, keys: Iterable[str]) -> None:
    by_fingerprint = {_fingerprint(key): key for key in keys}
    file = _file(station)
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(file, json.dumps(by_fingerprint, indent=1).encode())
    except OSError as error:
        raise audit.AuditFailed(file, error) from error


@contextmanager
def _one_at_a_time(station: Path) -> Iterator[None]:
    """Nobody guesses twice at once, and of two who admit somebody neither undoes the other, nor is twice the first."""
    folder = station / audit.FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with alone(folder / ".reviewers.lock"):
            yield
    except OSError as error:
        raise audit.AuditFailed(folder, error) from error
