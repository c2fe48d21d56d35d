"""Whatever comes back, it ends in an outcome: never in a mistake of this program, never in a success nobody said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chats import CHANNELS, GROUP
from gengfu_scheduler.channels import POSTED
from gengfu_scheduler.channels.channel import LONGEST_PAUSE
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.channels.wecom_customer import WeComCustomer, judge, results_in
from gengfu_scheduler.deliver import redacted
from gengfu_scheduler.message import Handed, Outcome, Sent, Throttled, Unknown

BODIES = {
    "nothing": b"",
    "beyond measure": b"[" * 60_000,
    "members beyond measure": b'{"errcode":' * 10_000,
    "a long number": b'{"errcode":' + b"9" * 5000 + b"}",
    "true is no number": b'{"errcode":true,"code":true,"retry_after":true}',
    "nor is a text": b'{"errcode":"0","code":"0","retry_after":"0"}',
    "no number at all": b'{"retry_after":NaN,"errcode":NaN,"code":NaN}',
    "a pause without end": b'{"retry_after":1' + b"0" * 400 + b"}",
    "a list": b"[0]",
    "not UTF-8": b'{"errcode":\xff\xfe}',
    "a page": b"<html><body>ok 0 1</body></html>",
}
PAUSES = ("9" * 400, "-1", "\u0661", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "soon")


def outcomes(answer: Answer) -> list[tuple[str, Outcome]]:
    """What each platform's channel makes of ``answer``, but of those that take every 2xx for a success."""
    platforms = [channel.name for channel in POSTED if channel.name != "generic"]
    channels = {name: CHANNELS.to(replace(GROUP, platform=name)) for name in platforms}
    confirming = CHANNELS.to(replace(GROUP, reach="confirm"))
    assert isinstance(confirming, WeComCustomer)
    return [
        *((name, channel.outcome(answer)) for name, channel in channels.items()),  # type: ignore[union-attr]
        ("wecom-customer", confirming.outcome(answer)),
        ("wecom-customer", judge(answer)),
    ]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [200, 204, 400, 429, 503])
def test_no_answer_that_says_nothing_confirms_anything(status: int, body: bytes) -> None:
    answer = Answer(status=status, headers={}, body=body)
    assert [name for name, outcome in outcomes(answer) if outcome == Sent(confirmed=True)] == []
    assert results_in(answer) is None


def test_half_a_sign_ends_in_what_the_answer_says_and_can_be_written_down() -> None:
    body = rb'{"errcode":77777,"code":77777,"errmsg":"\ud83d no","msg":"\ud83d no","msgid":"\udc00"}'
    for _name, outcome in outcomes(Answer(status=200, headers={}, body=body)):
        getattr(outcome, "reason", "").encode()
    made = Answer(status=200, headers={}, body=rb'{"errcode":0,"msgid":"\ud83d"}')
    assert Handed(to="", task="?") in [outcome for _name, outcome in outcomes(made)]
    assert redacted(Unknown(reason="\ud83d no"), ()) == Unknown(reason="? no")


@pytest.mark.parametrize("asked", PAUSES)
def test_no_pause_is_longer_than_a_day(asked: str) -> None:
    answer = Answer(status=429, headers={"retry-after": asked, "x-ogw-ratelimit-reset": asked}, body=b"{}")
    for _name, outcome in outcomes(answer):
        assert isinstance(outcome, Throttled)
        assert 0 <= outcome.after <= LONGEST_PAUSE
