"""A real Chromium, and the demo station's site in it with a few pages more: one of each state a page can be in."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from gengfu_site.publish import preview
from gengfu_site.settings import read_settings

REPOSITORY = Path(__file__).parents[2]
AT = datetime(2026, 11, 21, 10, tzinfo=ZoneInfo("Asia/Shanghai"))

STATES = {
    "alert/elder.md": """
id: XA001
title: 寻找走失老人
summary: 11月21日清晨，一位老人在桃园社区附近走失，看到请马上打110。
kind: alert
published: 2026-11-21 08:00
expires: 2026-11-23
topics: [走失寻人]
areas: [青松路/桃园社区]
alert: {form: 走失, place: 桃园社区南门到河边, tell: 110 或李警官 0000-5550130}
---
看到他请陪在身边，等民警来。
""",
    "alert/drill.md": """
id: XA002
title: 新桥社区消防演练
summary: 会有烟雾和警报声，请按楼长指引走楼梯。
kind: alert
published: 2026-11-20 09:00
expires: 2026-11-21
alert: {form: 火情, place: 新桥社区3号楼, tell: 0000-5550170, status: exercise}
---
""",
    "notice/over.md": """
id: XN001
title: 国庆期间窗口时间
summary: 国庆期间窗口上午开。
kind: notice
published: 2026-09-21 09:00
expires: 2026-10-08
---
| 日期 | 上午 | 下午 | 说明 | 值班 |
| --- | --- | --- | --- | --- |
| 十月一日 | 8:30–12:00 | 休息 | 只办身份证和临时身份证 | 户籍窗口 |

> [!CAUTION]
> 不要相信“加急代办”。

- [ ] 带上户口簿
- [x] 先打电话问[^1]

`https://a.very.long.example/address/that/does/not/break/anywhere/at/all/on/a/phone`

> 引一句话。

[^1]: 0000-5550110
""",
    "notice/gone.md": """
id: XN002
title: 夜间巡逻路线
summary: 路线调整。
kind: notice
published: 2026-09-21 09:00
withdrawn: 路线有误，请看新的通知
---
原路线。
""",
    "video/three-words-twice.md": """
id: XV001
title: 三句话防骗
summary: 一分钟听完。
kind: video
published: 2026-09-21 09:00
audience: [老年人]
cover: ../pictures/video.svg
attachments: [three-words.mp3, ebike-stays-outside.mp4]
---
不转账、不共享屏幕、先核实。
""",
}


@dataclass(frozen=True, kw_only=True)
class Site:
    folder: Path
    url: str

    @property
    def pages(self) -> list[str]:
        """Addresses of all its pages, below ``url``."""
        found = (f.relative_to(self.folder).as_posix() for f in self.folder.rglob("*.html"))
        return sorted(path.removesuffix("index.html") for path in found)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: pytest's output is for failures."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    station = tmp_path_factory.mktemp("station")
    content, public = station / "content", station / "public"
    shutil.copytree(REPOSITORY / "content", content)
    for name, text in STATES.items():
        (content / name).write_text("---" + text, encoding="utf-8")
    settings, problems = read_settings(REPOSITORY / "mkdocs.yml")
    assert settings is not None, problems
    preview(replace(settings, content=content, private=station / "private"), AT, public)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=public)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder=public, url=f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's own."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"] if as_root else []
            )
        except Error as error:
            pytest.skip(f"no Chromium to open pages in (make deps installs one): {error}")
        yield browser
        browser.close()
