"""What was told, and how far it got, as plain data for people and programs.

Honest words: a platform *confirmed* by its own code, or only *accepted*; a person was *handed* a task and
still has to do it; *unknown* is neither sent nor failed. Group by group where a person must look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from gengfu_scheduler.channels import channels_of
from gengfu_scheduler.channels.hand import TaskPages
from gengfu_scheduler.digest import still_told
from gengfu_scheduler.message import (
    Broadcast,
    Delivery,
    Dropped,
    Form,
    Handed,
    Outcome,
    Rejected,
    Sent,
    State,
    Throttled,
    Unknown,
    Unsent,
)
from gengfu_scheduler.outbox import BroadcastStatus, Fate, Outbox, TimeTold
from gengfu_scheduler.review import Unreviewed, unreviewed
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.state import Holder
from gengfu_site.audit import Record
from gengfu_templates.i18n import _, series

SHOWN_FOR = timedelta(days=7)
"""How long what was missed, refused or is unknown stays in the status."""
TASKS_OF = 50
"""Newest broadcasts whose tasks are still worth doing."""
NEEDS_A_LOOK: tuple[State, ...] = ("unknown", "rejected", "expired", "pending", "sending")
"""States in which deliveries are listed by the group's name: nobody knows yet that the group was told."""


def state_words() -> dict[State, str]:
    """The states in the officer's words."""
    return {
        "pending": _("等待发送"),
        "sending": _("正在发送"),
        "sent": _("平台已收下"),
        "handed": _("已交人手工转发"),
        "rejected": _("被拒"),
        "unknown": _("不明"),
        "expired": _("过时未发"),
        "cancelled": _("已取消"),
    }


def standing_notices(roster: Roster) -> tuple[str, ...]:
    """What keeps groups from being reached, as far as the files say."""
    notices = []
    if names := [group.name for group in roster.without_address()]:
        notices.append(
            _("{n} 个群没有机器人地址，发不出去：{names}。地址写进 webhooks.csv，或设好 env: 变量。").format(
                n=len(names), names=shortlist(names)
            )
        )
    asked = [group.name for group in roster.groups.values() if group.reach == "confirm"]
    if asked and (why := roster.without_app()):
        notices.append(
            _("{n} 个要群主确认的群发不出去：{names}。{why}。").format(
                n=len(asked), names=shortlist(asked), why=why
            )
        )
    return tuple(notices)


def shortlist(names: Collection[str], most: int = 12) -> str:
    """``names`` in a sentence; of many only the first."""
    shown = series(list(names)[:most])
    return shown if len(names) <= most else _("{shown} 等 {n} 个").format(shown=shown, n=len(names))


@dataclass(frozen=True, kw_only=True)
class ByName:
    """One delivery that a person should look at."""

    group: str
    name: str
    state: State
    words: str


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one owner has still to pass on."""

    owner: str
    by_hand: bool
    """Whether that person forwards it; else the platform sends it as soon as that person confirms there."""
    page: str | None
    """Address of the page that has the text; None where no desk is kept, or it is for a platform to ask."""
    groups: tuple[str, ...]
    """Ids."""
    names: tuple[str, ...]
    texts: tuple[str, ...] = ()
    """What to paste; left out where it was not asked for."""


@dataclass(frozen=True, kw_only=True)
class BroadcastReport:
    """One broadcast and how far it got."""

    key: str
    form: Form
    title: str
    scheduled_for: datetime
    counts: Mapping[State, int]
    confirmed: int
    """Of ``sent``: by the platform's own code."""
    said: int
    """Of ``sent``: by the word of the person who passed it on."""
    look_at: tuple[ByName, ...]
    """Deliveries of which nobody knows yet that the group was told."""
    tasks: tuple[Task, ...]


@dataclass(frozen=True, kw_only=True)
class Missed:
    slot: str
    scheduled_for: datetime


@dataclass(frozen=True, kw_only=True)
class Disabled:
    group: str
    name: str
    reason: str
    since: datetime


@dataclass(frozen=True, kw_only=True)
class GroupReport:
    """What one group was told lately."""

    group: str
    name: str
    disabled: Disabled | None
    told: tuple[TimeTold, ...]
    """Newest first."""


@dataclass(frozen=True, kw_only=True)
class Status:
    scheduler: Holder | None
    """This machine's running scheduler; None where none runs."""
    elsewhere: bool
    """Whether another machine's sends from the same database."""
    broadcasts: tuple[BroadcastReport, ...]
    """Newest first."""
    unreviewed: tuple[Unreviewed, ...]
    """Alerts that no second person has looked at."""
    resting: tuple[str, ...]
    """Hosts that stopped answering: what is for them waits, and is tried once a minute."""
    to_confirm: int
    """Groups that wait for their owner to confirm something at the platform."""
    disabled: tuple[Disabled, ...]
    missed: tuple[Missed, ...]
    notices: tuple[str, ...]


def status(
    outbox: Outbox,
    roster: Roster | None,
    scheduler: Holder | None,
    now: datetime,
    *,
    pages: TaskPages | None,
    records: Iterable[Record] = (),
    resting: tuple[str, ...] = (),
    limit: int = 10,
) -> Status:
    """How things stand.

    :param roster: for names and the time zone; None where the files have problems: then ids must do.
    :param pages: of the desk that is kept now; None where none is.
    :param records: of the audit log.
    :param resting: hosts that the running scheduler found not to answer.
    :param limit: how many broadcasts back; older ones too where something waits, or lately came to grief.
    """
    ledger = _Ledger(outbox, roster, now, pages)
    return Status(
        scheduler=ledger.local(scheduler),
        elsewhere=scheduler is None and outbox.someone_sends(),
        broadcasts=tuple(map(ledger.report, outbox.broadcasts(limit=limit, since=now - SHOWN_FOR))),
        unreviewed=unreviewed(records, now),
        resting=resting,
        to_confirm=len({g for task in outbox.open_tasks(now=now) if not task.ended for g in task.deliveries}),
        disabled=ledger.all_disabled(),
        missed=tuple(
            Missed(slot=slot, scheduled_for=when.astimezone(ledger.zone))
            for slot, when in outbox.missed(now - SHOWN_FOR)
        ),
        notices=standing_notices(roster) if roster else (),
    )


def broadcast_report(
    outbox: Outbox, key: str, roster: Roster | None, now: datetime, *, pages: TaskPages | None
) -> BroadcastReport:
    """How far the broadcast ``key`` got.

    :raises KeyError: there is none of this key.
    """
    known = outbox.broadcast(key)
    if known is None:
        raise KeyError(key)
    return _Ledger(outbox, roster, now, pages).report(known)


def group_report(outbox: Outbox, group: str, roster: Roster | None, now: datetime) -> GroupReport:
    """What ``group`` was told lately and how each ended.

    :raises KeyError: nobody knows such a group.
    """
    told = outbox.history(group)
    if not told and not (roster and group in roster.groups):
        raise KeyError(group)
    ledger = _Ledger(outbox, roster, now, None)
    return GroupReport(
        group=group,
        name=ledger.name(group),
        disabled=next((one for one in ledger.all_disabled() if one.group == group), None),
        told=tuple(replace(one, scheduled_for=one.scheduled_for.astimezone(ledger.zone)) for one in told),
    )


def open_tasks(
    outbox: Outbox, roster: Roster | None, now: datetime, *, pages: TaskPages | None, texts: bool = False
) -> tuple[BroadcastReport, ...]:
    """The broadcasts of which people have still something to pass on, newest first.

    :param texts: with what they are to paste.
    """
    ledger = _Ledger(outbox, roster, now, pages, texts=texts)
    return tuple(
        ledger.report(known) for known in outbox.broadcasts(limit=TASKS_OF) if "handed" in known.counts
    )


def broadcast_line(known: BroadcastStatus) -> str:
    """One broadcast in one line, for a log."""
    return f"{known.broadcast.title}  {counted(known)}"


class _Ledger:
    """The outbox in an officer's words, as of one instant."""

    def __init__(
        self,
        outbox: Outbox,
        roster: Roster | None,
        now: datetime,
        pages: TaskPages | None,
        *,
        texts: bool = False,
    ) -> None:
        self._outbox = outbox
        self._roster = roster
        self._now = now
        self._pages = pages
        self._with_texts = texts
        self.disabled = outbox.disabled()
        self.zone = roster.timetable.timezone if roster else None
        """The station's; None, this machine's, where its files have problems."""

    def name(self, group: str) -> str:
        listed = self._roster and self._roster.groups.get(group)
        return listed.name if listed else group

    def local(self, holder: Holder | None) -> Holder | None:
        """``holder`` with its time in the station's zone."""
        if holder is None or holder.since is None:
            return holder
        return replace(holder, since=holder.since.astimezone(self.zone))

    def all_disabled(self) -> tuple[Disabled, ...]:
        since = self._outbox.disabled_since()
        return tuple(
            Disabled(
                group=group, name=self.name(group), reason=reason, since=since[group].astimezone(self.zone)
            )
            for group, reason in self.disabled.items()
            if group in since
        )

    def report(self, known: BroadcastStatus) -> BroadcastReport:
        deliveries: list[Delivery] = []
        if not known.counts.keys().isdisjoint({*NEEDS_A_LOOK, "handed"}):
            deliveries = self._outbox.deliveries(known.broadcast.key)
        look_at = [
            ByName(group=d.group, name=self.name(d.group), state=d.state, words=self._words(d))
            for d in deliveries
            if d.state in NEEDS_A_LOOK
        ]
        return BroadcastReport(
            key=known.broadcast.key,
            form=known.broadcast.form,
            title=known.broadcast.title,
            scheduled_for=known.broadcast.scheduled_for.astimezone(self.zone),
            counts=dict(known.counts),
            confirmed=known.confirmed,
            said=known.said,
            look_at=tuple(sorted(look_at, key=lambda d: (NEEDS_A_LOOK.index(d.state), d.name))),
            tasks=self._tasks(known.broadcast, (d for d in deliveries if d.state == "handed")),
        )

    def _tasks(self, broadcast: Broadcast, handed: Iterable[Delivery]) -> tuple[Task, ...]:
        by_owner: defaultdict[tuple[str, bool], list[Delivery]] = defaultdict(list)
        for delivery in handed:
            by_owner[delivery.reason, delivery.way != "confirm"].append(delivery)
        pages = self._addresses(broadcast) if by_owner else {}
        tasks = []
        for (owner, by_hand), theirs in sorted(by_owner.items()):
            groups = tuple(dict.fromkeys(d.group for d in theirs))
            tasks.append(
                Task(
                    owner=owner,
                    by_hand=by_hand,
                    page=pages.get(owner) if by_hand else None,
                    groups=groups,
                    names=tuple(map(self.name, groups)),
                    texts=self._texts(theirs) if self._with_texts else (),
                )
            )
        return tuple(tasks)

    def _addresses(self, broadcast: Broadcast) -> dict[str, str]:
        """Where each owner's page is."""
        if self._pages is None:
            return {}
        return {
            task.owner: self._pages.address(task.number, broadcast.key, task.owner)
            for task in self._outbox.hand_tasks(broadcast.key)
        }

    def _texts(self, deliveries: Iterable[Delivery]) -> tuple[str, ...]:
        messages = dict.fromkeys(delivery.message for delivery in deliveries)
        if self._roster is None:
            return tuple(map(channels_of(None).text_of, messages))
        live = (still_told(message, self._roster.catalogue, self._now) for message in messages)
        return tuple(self._roster.channels.text_of(message) for message in live if message)

    def _words(self, delivery: Delivery) -> str:
        """Where a delivery stands, with the evidence; of one that waits, why and until when."""
        parts = [delivery.reason]
        if delivery.state == "pending":
            if delivery.group in self.disabled:
                parts = [_("群已停用（{reason}）").format(reason=self.disabled[delivery.group])]
            elif delivery.not_before > self._now:
                quiet = self._quiet(delivery) and _("免打扰时间")
                parts = [
                    quiet or delivery.reason,
                    _("等到 {when}").format(when=self._clock(delivery.not_before)),
                ]
            parts.append(_("{when} 前发不出就作废").format(when=self._clock(delivery.expires)))
        word, why = state_words()[delivery.state], _("，").join(filter(None, parts))
        return _("{word}：{why}").format(word=word, why=why) if why else word

    def _quiet(self, delivery: Delivery) -> bool:
        group = self._roster and self._roster.groups.get(delivery.group)
        return bool(
            self._roster and group and not delivery.reason
            and self._roster.timetable.quiet_until(group, self._now)
        )  # fmt: skip

    def _clock(self, at: datetime) -> str:
        there = at.astimezone(self.zone)
        today = there.date() == self._now.astimezone(self.zone).date()
        return f"{there:%H:%M}" if today else f"{there:%m-%d %H:%M}"


def fate_words() -> dict[Fate, str]:
    """How deliveries ended, in the officer's words."""
    words = state_words()
    return {
        "confirmed": _("已确认"),
        "accepted": words["sent"],
        "said": _("本人说已转发"),
        "handed": words["handed"],
        "unknown": words["unknown"],
        "rejected": words["rejected"],
        "expired": words["expired"],
        "cancelled": words["cancelled"],
        "pending": words["pending"],
    }


def told_words(told: TimeTold) -> str:
    """How a group was told, or not: in which word, by whom, and why."""
    words = fate_words()[told.fate]
    if told.owner:
        words = _("{words}（{owner}）").format(words=words, owner=told.owner)
    over = _("警情已结束或撤回") if told.fate == "cancelled" else ""
    return _("：").join(filter(None, (words, told.reason or over)))


def count_of_each(counts: Mapping[Fate, int]) -> str:
    """``counts`` in one line, honest words and no zeros."""
    return _("，").join(f"{word} {counts[fate]}" for fate, word in fate_words().items() if counts.get(fate))


def outcome_words(outcome: Outcome) -> str:
    """How a single post ended, in the officer's words, with the evidence."""
    match outcome:
        case Sent(confirmed=True):
            return _("已确认")
        case Sent():
            return state_words()["sent"]
        case Handed(to=to):
            return _("已交给{owner}手工转发").format(owner=to)
        case Unsent(reason=reason):
            return _("没有发出：{reason}").format(reason=reason)
        case Throttled(reason=reason):
            return _("平台要求稍后再发：{reason}").format(reason=reason)
        case Rejected(reason=reason):
            return _("被拒：{reason}").format(reason=reason)
        case Unknown(reason=reason):
            return _("不明：{reason}").format(reason=reason)
        case Dropped(reason=reason):
            return _("不必再发：{reason}").format(reason=reason)
        case _:
            assert_never(outcome)


def count_words(counts: Mapping[State, int], confirmed: int, said: int = 0) -> str:
    """A broadcast's counts in one line, honest words and no zeros."""
    words = state_words()
    accepted = counts.get("sent", 0) - confirmed - said
    parts = [(_("已确认"), confirmed), (words["sent"], accepted), (_("本人说已转发"), said)]
    parts += [(words[state], counts.get(state, 0)) for state in words if state != "sent"]
    return _("，").join(f"{word} {number}" for word, number in parts if number)


def counted(known: BroadcastStatus) -> str:
    return count_words(known.counts, known.confirmed, known.said)
