"""``docs/platforms.md`` names every code that a channel knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from gengfu_scheduler.channels import dingtalk, feishu, wecom

ROOT = Path(__file__).parents[2]
BETWEEN = {430102, 430103}
"""``430101`` to ``430104`` are named as a span."""


@pytest.mark.parametrize(
    ("heading", "codes"),
    [("WeCom", wecom.VERDICTS), ("DingTalk", dingtalk.VERDICTS), ("Feishu", feishu.VERDICTS)],
)
def test_every_code_of_a_channel_is_in_its_platforms_paragraph(
    heading: str, codes: dict[int, object]
) -> None:
    text = (ROOT / "docs/platforms.md").read_text("utf-8")
    section = text.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    named = {f"`{code}`" for code in codes if code and code not in BETWEEN}
    assert not {code for code in named if code not in section}
