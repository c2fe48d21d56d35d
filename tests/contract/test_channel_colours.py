"""An alert alarms by its colour; its end does not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chats import ALERT, GROUP, posted


@pytest.mark.parametrize(
    ("platform", "alarming", "calm"),
    [
        ("wecom", '<font color=\\"warning\\">', '<font color=\\"info\\">'),
        ("feishu", '"template": "red"', '"template": "green"'),
        ("discord", '"color": 12597547', '"color": 3046735'),
        ("teams", '"color": "attention"', '"color": "good"'),
    ],
)
def test_an_alert_alarms_by_its_colour_and_its_end_does_not(platform: str, alarming: str, calm: str) -> None:
    group = replace(GROUP, platform=platform)
    running, over = (json.dumps(posted(replace(ALERT, over=ended), group)) for ended in (False, True))
    assert alarming in running
    assert calm not in running
    assert calm in over
    assert alarming not in over
