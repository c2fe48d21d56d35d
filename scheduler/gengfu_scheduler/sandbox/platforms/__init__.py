"""The platforms the sandbox stands in for: one file each, one line each here."""

from __future__ import annotations

from gengfu_scheduler.sandbox.contract import App, Platform, TaskPlatform
from gengfu_scheduler.sandbox.platforms.dingtalk import DingTalk
from gengfu_scheduler.sandbox.platforms.discord import Discord
from gengfu_scheduler.sandbox.platforms.feishu import Feishu
from gengfu_scheduler.sandbox.platforms.generic import Generic
from gengfu_scheduler.sandbox.platforms.slack import Slack
from gengfu_scheduler.sandbox.platforms.teams import Teams
from gengfu_scheduler.sandbox.platforms.wecom import WeCom
from gengfu_scheduler.sandbox.platforms.wecom_customer import WeComCustomer

PLATFORMS: dict[str, Platform] = {
    platform.name: platform
    for platform in (
        WeCom(),
        DingTalk(),
        Feishu(),
        Slack(),
        Discord(),
        Teams(),
        Generic(),
    )
}

TASK_PLATFORMS: dict[str, TaskPlatform] = {platform.name: platform for platform in (WeComCustomer(),)}

APPS: dict[str, App] = {**PLATFORMS, **TASK_PLATFORMS}
