"""The platforms the sandbox stands in for: one file each, one line each here."""

from __future__ import annotations

from gengfu_scheduler.sandbox.contract import App, Platform, TaskPlatform
from gengfu_scheduler.sandbox.platforms.generic import Generic
from gengfu_scheduler.sandbox.platforms.wecom import WeCom

PLATFORMS: dict[str, Platform] = {
    platform.name: platform
    for platform in (
        WeCom(),
        Generic(),
    )
}

TASK_PLATFORMS: dict[str, TaskPlatform] = {}

APPS: dict[str, App] = {**PLATFORMS, **TASK_PLATFORMS}
