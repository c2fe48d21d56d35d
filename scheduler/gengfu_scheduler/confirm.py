"""Owners asked to confirm: tasks made at the platform, looked after until they are confirmed, refused or over.

Promise (``docs/delivery.md``): what lies with an owner is ``handed``, and ``sent`` only when the platform says so. A
task whose making was not answered may exist, so it is ``unknown``, and made again only for an alert, marked. No
more than :data:`~gengfu_scheduler.deliver.IN_FLIGHT` groups are being asked for at a time. The month's quota of a
group (https://developer.work.weixin.qq.com/document/path/92135) is counted from our own record, and the last
:data:`RESERVE` of it are for alerts.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from gengfu_scheduler.channels import wecom_customer as wecom
from gengfu_scheduler.channels.transport import Answer, Reply, Request, Transport
from gengfu_scheduler.channels.wecom_customer import App, Call, Results, WeComCustomer
from gengfu_scheduler.deliver import IN_FLIGHT, Addressed, Circuits, redacted, refused, to_be_told
from gengfu_scheduler.message import (
    Delivery,
    Form,
    Group,
    Handed,
    Message,
    Outcome,
    Reach,
    Rejected,
    Sent,
    Unknown,
    Unsent,
)
from gengfu_scheduler.outbox import Outbox, PlatformTask
from gengfu_scheduler.roster import Roster
from gengfu_templates.i18n import _

WAYS: tuple[Reach, ...] = ("confirm",)
RESERVE = 5
"""Messages of a group's month that are kept for alerts."""
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
LOOKS: Mapping[Form, tuple[timedelta, ...]] = {
    "alert": (_MINUTE, 3 * _MINUTE, 10 * _MINUTE),
    "digest": (30 * _MINUTE,),
}
"""How long after its making the platform is asked how a task is; after that, every so long as the last of these."""
REMINDERS: Mapping[Form, tuple[timedelta, ...]] = {
    "alert": (10 * _MINUTE, 30 * _MINUTE),
    "digest": (2 * _HOUR, 6 * _HOUR),
}
"""How long after its making the owner is reminded, if nothing came of a task: twice, of the three in 24 hours that
the platform allows."""
PAGES = 10
"""Of results, at most: a task is for fewer groups than one holds."""
CHECK = timedelta(seconds=1)
"""How often the outbox is read for tasks that others ended; 2,000 open deliveries take it 20 ms."""
AGAIN = _MINUTE
"""Until a task is cancelled once more that could not be."""


@dataclass(kw_only=True)
class Session:
    """What is kept from call to call, and lost with the process without harm."""

    token: str = field(default="", repr=False)
    open: bool = True
    """Whether any task may be open."""
    checked: datetime | None = None
    """When it was last seen whether there is something to do."""
    again: dict[str, datetime] = field(default_factory=dict)
    """Tasks that could not be cancelled, and when to try again."""

    def has_work(self, outbox: Outbox, now: datetime) -> bool:
        """Whether a task is to be looked at, or cancelled, by now; seen no oftener than every :data:`CHECK`."""
        if not self.open or (self.checked and self.checked <= now < self.checked + CHECK):
            return False
        self.checked = now
        return any(self.is_due(task, now) for task in outbox.open_tasks(now=now))

    def is_due(self, task: PlatformTask, now: datetime) -> bool:
        """Whether the platform is to be asked how ``task`` stands, or told to cancel it, by now."""
        if _is_over(task, now):
            # One further away than the pause was set by a clock that has been put back since.
            return not now < self.again.get(task.task, now) <= now + AGAIN
        return not (task.looked_at or task.created_at) <= now < _next_look(task)


def hand_out(
    outbox: Outbox,
    roster: Roster,
    transport: Transport,
    session: Session,
    *,
    now: Callable[[], datetime],
    circuits: Circuits,
    room: int = IN_FLIGHT,
    stopping: Callable[[], bool] = lambda: False,
    current: Callable[[], bool] = lambda: True,
    meanwhile: Callable[[int], None] = lambda _asked: None,
) -> None:
    """Ask the owners for all that is due: one task for all groups of an owner that one broadcast tells the same.

    What waits, and what is left out, is as with :class:`~gengfu_scheduler.deliver.Deliveries`.

    :param room: so many groups are asked for at a time, at most.
    :param meanwhile: called again and again while the platform's answers are awaited, with how many groups are being
        asked for; not to use ``transport``.
    :raises OutboxUnusable: outcomes could not be written; their deliveries are for ``recover`` to name.
    """
    while not stopping() and (claimed := outbox.claim(now=now(), limit=room, ways=WAYS)):
        line = _Line(roster, transport, session, circuits, now, partial(meanwhile, len(claimed)))
        session.open = True
        quota = _Quota(outbox, roster, {delivery.group for delivery in claimed}, now())
        ended: list[tuple[int, Outcome]] = []
        held: list[tuple[int, datetime]] = []
        asked: dict[tuple[str, Message, str], _Asked] = {}
        for delivery in claimed:
            told = _judged(delivery, roster, quota, current, now())
            if isinstance(told, Addressed):
                key = delivery.broadcast, told.message, told.group.account
                asked.setdefault(key, []).append((delivery.id, told.group))
            elif isinstance(told, datetime):
                held.append((delivery.id, told))
            else:
                ended.append((delivery.id, told))
        tasks = [(message, groups) for (_broadcast, message, _account), groups in asked.items()]
        ended += _ask(tasks, roster, line)
        outbox.settle(ended, now=now())
        outbox.put_back(held, now=now())


def follow_up(
    outbox: Outbox,
    roster: Roster,
    transport: Transport,
    session: Session,
    *,
    now: Callable[[], datetime],
    circuits: Circuits,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """See to the tasks that are due: what came of them, whom to remind, what to cancel.

    A task is over, and cancelled at the platform, when its alert is, when its broadcast was stopped, or when the
    time of that is up.

    :param meanwhile: called again and again while the platform's answers are awaited; not to use ``transport``.
    :raises OutboxUnusable: what the platform said could not be written; it is asked again.
    """
    tasks = outbox.open_tasks(now=now())
    session.open = bool(tasks)
    line = _Line(roster, transport, session, circuits, now, meanwhile)
    due = [task for task in tasks if session.is_due(task, now())]
    looked_at = _look([task for task in due if task.deliveries], line)
    reminded: list[PlatformTask] = []
    over: list[PlatformTask] = []
    for task in due:
        pages = looked_at.get(task.task, [])
        confirmed, rejected = _by_delivery(task, pages, roster)
        waiting = [g for g, id in task.deliveries.items() if id not in confirmed and id not in rejected]
        done = bool(task.deliveries) and not waiting
        ends = not done and _is_over(task, now())
        remind = bool(pages and waiting) and not ends and _is_to_be_reminded(task, waiting, roster, now())
        over += [task] * ends
        reminded += [task] * remind
        # Counted before it is done: rather none than one too many.
        outbox.note_look(
            task.task, now=now(), confirmed=confirmed, rejected=rejected, reminded=remind, closed=done
        )
    line.call([wecom.remind(task.task) for task in reminded])
    for task, answer in zip(over, line.call([wecom.cancel(task.task) for task in over]), strict=True):
        # Refused by the platform: it is done, or gone, already.
        if isinstance(answer, Answer) and isinstance(wecom.judge(answer), Sent | Rejected):
            session.again.pop(task.task, None)
            outbox.note_look(task.task, now=now(), confirmed=(), rejected={}, reminded=False, closed=True)
        else:
            session.again[task.task] = now() + AGAIN


_Asked = list[tuple[int, Group]]
"""Deliveries of one broadcast that are told the same, to groups of one owner."""


class _Line:
    """Calls of the platform's interface on the station's behalf."""

    def __init__(
        self,
        roster: Roster,
        transport: Transport,
        session: Session,
        circuits: Circuits,
        now: Callable[[], datetime],
        meanwhile: Callable[[], None],
    ) -> None:
        self._roster = roster
        self._app = roster.app
        self._transport = transport
        self._session = session
        self._circuits = circuits
        self._now = now
        self._meanwhile = meanwhile

    def call(self, calls: Sequence[Call]) -> list[Answer | Outcome]:
        """What came of each, in order: what the platform answered, or how it ended without an answer.

        A token that is not valid any more is replaced, and what was refused for its sake is called once more.
        """
        answers = self._post(calls)
        stale = [n for n, a in enumerate(answers) if isinstance(a, Answer) and wecom.is_stale(a)]
        if stale:
            self._session.token = ""
            for n, answer in zip(stale, self._post([calls[n] for n in stale]), strict=True):
                answers[n] = answer
        return answers

    def clean(self, outcome: Outcome) -> Outcome:
        """``outcome`` without the station's credentials."""
        known = (self._app.secret, self._app.corp, self._session.token) if self._app else ()
        return redacted(outcome, [credential for credential in known if credential])

    def _post(self, calls: Sequence[Call]) -> list[Answer | Outcome]:
        if not calls:
            return []
        lack = self._roster.without_app()
        if self._app is None or lack:
            return [Unsent(reason=lack)] * len(calls)
        host = self._app.host
        # Of a host that does not answer this lets one call pass.
        passed = [n for n in range(len(calls)) if not self._circuits.open_until(host, now=self._now())]
        token = self._token(self._app) if passed else ""
        if not isinstance(token, str):
            return [token] * len(calls)
        requests = [self._app.request(calls[n], token, n) for n in passed]
        replies = self._exchange(host, requests)
        silent = Unsent(reason=_("{host} 没有应答，稍后再试").format(host=host))
        return [replies.get(n, silent) for n in range(len(calls))]

    def _token(self, app: App) -> str | Outcome:
        """The token; where it cannot be had nothing was asked of anybody."""
        if not self._session.token:
            reply = self._exchange(app.host, [app.token_request()])[0]
            found = wecom.token_in(reply) if isinstance(reply, Answer) else reply
            if not isinstance(found, str):
                return Unsent(reason=found.reason) if isinstance(found, Unknown) else found
            self._session.token = found
        return self._session.token

    def _exchange(self, host: str, requests: Sequence[Request]) -> dict[int, Reply]:
        with closing(self._transport.post_many(iter(requests))) as arriving:
            replies: dict[int, Reply] = {}
            for arrived in arriving:
                replies.update(arrived)
                self._meanwhile()
        for reply in replies.values():
            self._circuits.record(host, reply, _outcome(reply), now=self._now())
        return replies


class _Quota:
    """What the platform lets the groups receive in this month, of the station's time zone."""

    def __init__(self, outbox: Outbox, roster: Roster, groups: Collection[str], now: datetime) -> None:
        today = now.astimezone(roster.timetable.timezone)
        first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self._month = monthrange(today.year, today.month)[1]
        self._used = Counter(outbox.used_quota(groups, since=first))

    def take(self, group: str, form: Form) -> str:
        """Take one message for ``group``; or why there is none for it."""
        left = self._month - self._used[group]
        if left <= 0:
            return _("本月的 {n} 次额度已用完，请另行通知这个群").format(n=self._month)
        if form == "digest" and left <= RESERVE:
            return _("本月额度还剩 {n} 次，留给警情").format(n=left)
        self._used[group] += 1
        return ""


def _judged(
    delivery: Delivery, roster: Roster, quota: _Quota, current: Callable[[], bool], now: datetime
) -> Addressed | datetime | Outcome:
    """Whom to ask to tell what; else when to try again, or why nobody is asked."""
    told = to_be_told(delivery, roster, current=current, now=now)
    if not isinstance(told, Addressed):
        return told
    if told.group.reach != "confirm":
        return Rejected(reason=_("群已不由群主确认，没有发"))
    lack = roster.without_app() or quota.take(told.group.id, told.message.form)
    return Rejected(reason=lack) if lack else told


def _ask(asked: Iterable[tuple[Message, _Asked]], roster: Roster, line: _Line) -> list[tuple[int, Outcome]]:
    """Make the tasks; how each delivery ended."""
    ended: list[tuple[int, Outcome]] = []
    calls: list[tuple[WeComCustomer, Call, _Asked]] = []
    for message, groups in asked:
        first = groups[0][1]
        try:
            channel = roster.channels.to(first)
            assert isinstance(channel, WeComCustomer)
            payload = channel.fitting(message, first).payload
        except Exception as error:
            ended += [(id, refused(error, group)) for id, group in groups]
        else:
            calls.append((channel, wecom.create(payload, [group.chat for _id, group in groups]), groups))
    answers = line.call([call for _channel, call, _groups in calls])
    for (channel, _call, groups), answer in zip(calls, answers, strict=True):
        made = line.clean(channel.outcome(answer) if isinstance(answer, Answer) else answer)
        without = wecom.left_out(answer) if isinstance(answer, Answer) else frozenset()
        for id, group in groups:
            ended.append((id, wecom.not_theirs(group) if group.chat in without else _to(made, group)))
    return ended


def _to(made: Outcome, group: Group) -> Outcome:
    return replace(made, to=group.owner, account=group.account) if isinstance(made, Handed) else made


def _look(tasks: Iterable[PlatformTask], line: _Line) -> dict[str, list[Results]]:
    """What the platform says of ``tasks``, page by page; nothing of one that it says nothing of."""
    pages: dict[str, list[Results]] = {}
    asked = [(task, "") for task in tasks]
    while asked:
        answers = line.call([wecom.results(task.task, task.account, cursor) for task, cursor in asked])
        more = []
        for (task, _cursor), answer in zip(asked, answers, strict=True):
            page = wecom.results_in(answer) if isinstance(answer, Answer) else None
            if page:
                pages.setdefault(task.task, []).append(page)
                if page.cursor and len(pages[task.task]) < PAGES:
                    more.append((task, page.cursor))
        asked = more
    return pages


def _by_delivery(
    task: PlatformTask, pages: Iterable[Results], roster: Roster
) -> tuple[set[int], dict[int, str]]:
    """The deliveries that were confirmed, and those that were refused, with why."""
    listed = ((roster.groups.get(group), id) for group, id in task.deliveries.items())
    of_chat = {group.chat: id for group, id in listed if group}
    confirmed = {of_chat[chat] for page in pages for chat in page.sent if chat in of_chat}
    refused = {of_chat[c]: why for page in pages for c, why in page.refused.items() if c in of_chat}
    return confirmed, refused


def _is_over(task: PlatformTask, now: datetime) -> bool:
    return task.ended or task.expires <= now


def _next_look(task: PlatformTask) -> datetime:
    """When the platform is to be asked again."""
    after = LOOKS[task.form]
    last = task.looked_at or task.created_at
    planned = (task.created_at + each for each in after)
    return min((at for at in planned if at > last), default=last + after[-1])


def _is_to_be_reminded(task: PlatformTask, waiting: Iterable[str], roster: Roster, now: datetime) -> bool:
    if sum(task.created_at + after <= now for after in REMINDERS[task.form]) <= task.reminders:
        return False
    groups = filter(None, map(roster.groups.get, waiting))
    return task.form == "alert" or not any(roster.timetable.quiet_until(group, now) for group in groups)


def _outcome(reply: Reply) -> Outcome:
    return wecom.judge(reply) if isinstance(reply, Answer) else reply
