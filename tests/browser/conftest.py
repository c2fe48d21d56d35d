"""A real Chromium, and the demo station's site in it with a few pages more: one of each state a page can be in."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Browser, Error, expect, sync_playwright
from playwright.sync_api import Page as Tab

from gengfu_site.publish import preview
from gengfu_site.settings import read_settings

REPOSITORY = Path(__file__).parents[2]
AT = datetime(2026, 11, 21, 10, tzinfo=ZoneInfo("Asia/Shanghai"))

PHONE, DESKTOP = (360, 740), (1280, 900)

expect.set_options(timeout=60_000)  # ms; a machine may be busy with other things

WAIT = """async () => {
  const end = Date.now() + 60_000;
  while (!(CONDITION)) {
    if (Date.now() > end) throw new Error("still not so after a minute");
    await new Promise(done => setTimeout(done, 20));
  }
}"""


def waits_until(tab: Tab, condition: str) -> None:
    """``condition`` may await: Playwright's ``wait_for_function`` takes the promise of an answer for the answer."""
    tab.evaluate(WAIT.replace("CONDITION", condition))


KINDS_OF_PAGE = {
    "home": "",
    "list": "fraud/",
    "list, oldest page": "tip/page/XP001/",
    "police room": "area/qingsong/",
    "community": "area/qingsong/taoyuan/",
    "article": "tip/gas-cylinder/",
    "long article": "tip/long/",
    "video": "video/three-words-twice/",
    "expired": "notice/over/",
    "withdrawn": "notice/gone/",
    "service": "service/id-card-lost/",
    "alert": "alert/elder/",
    "resolved alert": "alert/missing-person-found/",
    "exercise": "alert/drill/",
    "alert in a word": "A/XA001/",
    "exercise in a word": "A/XA002/",
    "lost": "404.html",
    "search": "search/",
    "search that finds": "search/?q=身份证",
    "search that finds nothing": "search/?q=鲸鱼座流星",
    "privacy": "privacy/",
    "deceived": "scammed/",
    "emergency": "emergency/",
    "whose job": "who/",
    "every community": "area/",
    "services by need": "service/",
    "services by date": "service/page/",
}
"""An address for each kind of page that residents meet, and for each state it can be in."""

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
cover: upright.png
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
    "tip/long.md": """
id: XT001
title: 独居老人家里的安全，从门锁到煤气灶一项一项看
summary: 每半年照着看一遍，十分钟看完，发现问题就打社区民警的电话。
kind: tip
published: 2026-09-21 09:00
updated: 2026-10-12 09:00
topics: [防火用电, 燃气安全, 防盗防抢]
audience: [老年人]
cover: ../pictures/tip-fire.svg
---
照着顺序看，看完一项打一个勾。

## 门和窗

- 门锁能不能反锁，钥匙给谁留了一把
- 窗户从里面能不能锁上；防护栏上有没有留逃生口

晚上有人敲门，先从猫眼看，不认识的不开门。自称“物业”“燃气公司”的，先打物业电话核实。

## 电线和插座

1. 插座发黑、发烫，马上停用
2. 一个插线板上不同时用两样大功率电器
3. 电热毯折叠着不通电

### 电动自行车

电池不拿上楼，车不停在楼道里。

## 煤气灶和热水器

> [!WARNING]
> 闻到燃气味：不开灯、不打电话，先关阀门、开窗，到室外再打 0000-5550183。

软管两年换一根，超过两米的、穿墙的，都要换。

## 厨房用火

油锅起火盖锅盖，不能浇水。人离开厨房，火就关掉。

## 家里的药和急救电话

把子女、社区民警和急救电话写在大字纸上，贴在电话旁边。

## 独自在家时

每天和一个人通一次话。两天没有人看见您，邻居可以打 110，我们上门看望。

## 陌生人上门和打来电话

说是街道、医保、银行派来的，先不开门，也不报姓名和卡号。请他留下姓名和单位，您自己打单位公布的电话去问；真的工作人员不会催您，
也不会怕您去问。送鸡蛋、免费体检、免费旅游，最后都要掏钱，一律不去。

电话里说您的孙子出了事、您的社保卡要停、您名下有案子，先挂断，再打家里人的电话。公安机关不会在电话里办案，不会让您转账，更没有“安全账户”。
拿不准，打 96110 问一问；钱已经转出去了，马上打 110，越早越好。

## 出门和回家

出门前看三样：煤气关了没有，炉子上有没有东西，门窗锁好没有。钥匙和手机放在固定的地方，手机里存好家人和社区民警的电话，字调到最大。
天黑以后少走小路，下雨下雪少出门。过马路等满一个绿灯再走，走不完就在中间的安全岛等下一个。

回到家先开灯，再关门，看看屋里和走的时候一样不一样。觉得有人进来过，不要进屋，不要收拾，退到楼下或邻居家打 110，等我们来看。

记性不如从前的老人，衣服里缝一张卡片，写上姓和家人的电话；不写住址。走丢了，家里人马上报警，不用等二十四小时。
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

PATROL = """---
id: XP{n:03}
title: 河边走一圈（{n}）
summary: 河边走了一圈，一切都好。
kind: tip
published: 2025-03-{n:02} 09:00
---
第 {n} 次。
"""
"""Of which there are so many that a list has more than one page."""


@dataclass(frozen=True, kw_only=True)
class Site:
    folder: Path
    url: str

    @property
    def pages(self) -> list[str]:
        """Addresses of all its pages, below ``url``."""
        found = (f.relative_to(self.folder).as_posix() for f in self.folder.rglob("*.html"))
        return sorted(path.removesuffix("index.html") for path in found)


# What the browser measures while a page comes: later nobody can ask, for the clock that the tests set hides it.
MEASURED = """measured = {"layout-shift": [], paint: [], resource: []};
for (const type in measured)
  new PerformanceObserver(list => measured[type].push(...list.getEntries())).observe({type, buffered: true});"""


@dataclass
class Visit:
    """A page opened in a tab, and what was heard meanwhile."""

    tab: Tab
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the console said: errors, warnings, and what the page's own policy forbade."""

    def bottom(self, selector: str) -> float:
        """Where the lower edge of the first such thing stands on the screen."""
        box = self.tab.locator(selector).first.bounding_box()
        assert box is not None, f"{selector} is not shown"
        return box["y"] + box["height"]


@contextmanager
def visit(browser: Browser, address: str, size: tuple[int, int], **settings: Any) -> Iterator[Visit]:
    """Opens an address on a screen of ``size``, at the moment the site was built for by the reader's clock."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **settings)
    context.clock.set_fixed_time(AT)
    context.add_init_script(MEASURED)
    opened = Visit(context.new_page())
    opened.tab.on("request", lambda request: opened.requests.append(request.url))
    opened.tab.on("console", lambda said: opened.complaints.append(f"{said.type}: {said.text}"))
    opened.tab.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.tab.goto(address)
    if "?q=" in address and settings.get("java_script_enabled", True):
        opened.tab.get_by_role("status").filter(has_text="找到").wait_for()
    yield opened
    context.close()


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
    for n in range(1, 13):
        (content / f"tip/patrol-{n}.md").write_text(PATROL.format(n=n), encoding="utf-8")
    Image.new("RGB", (300, 400), "teal").save(content / "notice/upright.png")
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
