"""Every kind of page before axe-core: all rules that stand for WCAG 2.0, 2.1 and 2.2, A and AA.

https://github.com/dequelabs/axe-core/blob/develop/doc/API.md
"""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from .conftest import DESKTOP, KINDS_OF_PAGE, PHONE, Site, visit

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
RUN = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const {violations} = await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
  return violations.flatMap(v => v.nodes.map(n => `${v.id} (${v.help}): ${n.target} ${n.html.slice(0, 120)}`));
}"""


MODES = {
    # Colours come with a mode, not with a width: the phone has all of them.
    PHONE: ("normal", "elder", "elder dark", "dark"),
    DESKTOP: ("dark", "normal", "elder"),
}


def switch(tab: Tab, mode: str) -> None:
    tab.emulate_media(color_scheme="dark" if "dark" in mode else "light")
    tab.evaluate("on => document.documentElement.classList.toggle('elder', on)", "elder" in mode)


@pytest.mark.parametrize("kind", KINDS_OF_PAGE)
def test_axe_finds_nothing_on_a_phone_or_a_desktop_in_any_mode(
    chromium: Browser, site: Site, kind: str
) -> None:
    """One load for all of them: what is dear is a page, then axe, then its run."""
    found = []
    with visit(chromium, site.url + KINDS_OF_PAGE[kind], PHONE) as page:
        page.tab.evaluate(AXE)
        for (width, height), modes in MODES.items():
            page.tab.set_viewport_size({"width": width, "height": height})
            for mode in modes:
                switch(page.tab, mode)
                found += [f"{width} px, {mode}: {wrong}" for wrong in page.tab.evaluate(RUN)]
    assert not found, "\n".join(found)
