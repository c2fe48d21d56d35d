"""What axe cannot see of WCAG 2.2, on every kind of page: fingers, keyboards, enlarged type, paper.

Each measurement is a script that gives what is wrong, as text, so that a failure names it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from .conftest import DESKTOP, KINDS_OF_PAGE, PHONE, Site, visit

NARROW = (320, 640)  # also 1280 px enlarged fourfold (WCAG 1.4.10)

SHOWN = """const shown = e => e.checkVisibility({visibilityProperty: true}) && e.getBoundingClientRect().right > 0;
const named = e => `${e.tagName.toLowerCase()}.${e.className} ${(e.innerText || e.name || "").trim()}`;
const controls = () => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter(e => shown(e) && !e.disabled);"""

# What a finger can hit: a label with its box, a card with the link that covers it. A link within a sentence is
# as high as its line (WCAG 2.5.8 exempts it; a line of ours is at least 24 px).
SMALL_TARGETS = f"""least => {{ {SHOWN}
  const target = e => {{
    if (/checkbox|radio/.test(e.type) && e.labels.length) return e.labels[0];
    const over = getComputedStyle(e, "::after");
    return over.content !== "none" && over.position === "absolute" ? e.offsetParent : e;
  }};
  const block = e => getComputedStyle(e).display === "inline" ? block(e.parentElement) : e;
  const inSentence = e => block(e).innerText.trim().length > e.innerText.trim().length + 1;
  return controls().filter(e => e.tabIndex >= 0 && !e.matches("[role=region]") && !inSentence(e)).filter(e => {{
    const {{width, height}} = target(e).getBoundingClientRect();
    return width < least - .5 || height < least - .5;
  }}).map(e => {{ const {{width, height}} = target(e).getBoundingClientRect();
    return `${{named(e)}}: ${{Math.round(width)}} × ${{Math.round(height)}}`; }});
}}"""
SMALL_ACTIONS = f"""least => {{ {SHOWN}
  return [...document.querySelectorAll("main button, main .call, main .press, .needs a, .top .call, .top button")]
    .filter(e => shown(e) && e.getBoundingClientRect().height < least - .5)
    .map(e => `${{named(e)}}: ${{Math.round(e.getBoundingClientRect().height)}}`);
}}"""
TIGHT_LINES = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), tight = [];
  for (let node; (node = walker.nextNode());) {
    const {lineHeight, fontSize} = getComputedStyle(node.parentElement);
    if (node.data.trim().length > 1 && !node.parentElement.closest("h1, h2, h3, h4, h5, h6, .huge, script, style, template")
        && parseFloat(lineHeight) < 1.5 * parseFloat(fontSize) - .1) tight.push(`${lineHeight} ${node.data.trim()}`);
  }
  return tight;
}"""
# https://www.w3.org/TR/WCAG22/#text-spacing
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* {line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important}
    p {margin-bottom: 2em !important}`);
  document.adoptedStyleSheets = [sheet];
}"""
CUT_OFF = f"""() => {{ {SHOWN}
  const cut = [...document.body.querySelectorAll("*")].filter(e => shown(e) && e.clientWidth > 1 &&
    !/visible|auto|scroll/.test(getComputedStyle(e).overflow) &&
    (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)).map(named);
  return document.documentElement.scrollWidth > innerWidth ? ["sideways", ...cut] : cut;
}}"""
WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => `${e.tagName.toLowerCase()}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`)"""
# On a phone there is one column: each stop lies below or beside the one before it, never above.
LOST_ON_THE_WAY = f"""() => {{ {SHOWN}
  const wrong = [];
  let above = -Infinity;
  for (const e of controls().filter(e => e.tabIndex >= 0)) {{
    if (e.tabIndex > 0) wrong.push(`${{named(e)}} jumps the queue`);
    e.focus();
    const {{outlineStyle, outlineWidth}} = getComputedStyle(e), box = e.getClientRects()[0];
    if (document.activeElement !== e) wrong.push(`${{named(e)}} takes no focus`);
    if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) wrong.push(`${{named(e)}} does not show its focus`);
    if (box.bottom + scrollY < above) wrong.push(`${{named(e)}} stands above the stop before it`);
    above = box.top + scrollY;
  }}
  return wrong;
}}"""
# A printer leaves the ground out, so that ink must stand out from white.
FAINT_ON_PAPER = f"""() => {{ {SHOWN}
  const light = c => {{ const [r, g, b] = c.match(/[\\d.]+/g).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; }};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), faint = [];
  for (let node; (node = walker.nextNode());)
    if (node.data.trim() && shown(node.parentElement) && 1.05 / (light(getComputedStyle(node.parentElement).color) + .05) < 4.5)
      faint.push(node.data.trim());
  return faint;
}}"""
NOT_FOR_PAPER = f"""() => {{ {SHOWN}
  return [...document.querySelectorAll("button, nav, form, select, audio, video, input:not([type=checkbox]), .banner, .press")]
    .filter(shown).map(named);
}}"""


@pytest.fixture(scope="module", params=KINDS_OF_PAGE)
def page(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Tab]:
    with visit(chromium, site.url + KINDS_OF_PAGE[request.param], PHONE) as opened:
        yield opened.tab


@pytest.fixture
def tab(page: Tab) -> Iterator[Tab]:
    """As it was when it was opened."""
    yield page
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(media="screen", color_scheme="light")
    page.evaluate("document.documentElement.classList.remove('elder'); document.adoptedStyleSheets = []")


def on(tab: Tab, size: tuple[int, int]) -> None:
    tab.set_viewport_size({"width": size[0], "height": size[1]})


def found(tab: Tab, script: str, argument: object = None) -> list[str]:
    """What is wrong, in its normal and in its elder mode."""
    normal = [f"normal: {wrong}" for wrong in tab.evaluate(script, argument)]
    tab.evaluate("document.documentElement.classList.add('elder')")
    return normal + [f"elder: {wrong}" for wrong in tab.evaluate(script, argument)]


def test_a_finger_hits_what_it_means(tab: Tab) -> None:
    assert not (wrong := found(tab, SMALL_TARGETS, 44)), "\n".join(wrong)


def test_a_pointer_hits_what_it_means(tab: Tab) -> None:
    on(tab, DESKTOP)
    assert not (wrong := found(tab, SMALL_TARGETS, 44)), "\n".join(wrong)


def test_an_old_finger_hits_what_matters(tab: Tab) -> None:
    tab.evaluate("document.documentElement.classList.add('elder')")
    assert not (wrong := tab.evaluate(SMALL_ACTIONS, 56)), "\n".join(wrong)


def test_lines_stand_apart(tab: Tab) -> None:
    assert not (wrong := found(tab, TIGHT_LINES)), "\n".join(wrong)


def test_letters_and_lines_may_be_set_wider_and_nothing_is_lost(tab: Tab) -> None:
    tab.evaluate(SPACED)
    assert not (wrong := found(tab, CUT_OFF)), "\n".join(wrong)


def test_the_narrowest_phone_shows_all_of_it(tab: Tab) -> None:
    on(tab, NARROW)
    assert not (wrong := found(tab, WIDE)), "\n".join(wrong)


def test_a_keyboard_goes_the_way_the_eye_goes_and_is_seen_at_each_stop(tab: Tab) -> None:
    tab.keyboard.press("Tab")
    assert not (wrong := found(tab, LOST_ON_THE_WAY)), "\n".join(wrong)


def test_paper_has_nothing_to_press(tab: Tab) -> None:
    tab.emulate_media(media="print")
    assert not (wrong := found(tab, NOT_FOR_PAPER)), "\n".join(wrong)


def test_paper_is_printed_in_ink_also_from_a_dark_phone(tab: Tab) -> None:
    tab.emulate_media(media="print", color_scheme="dark")
    assert not (wrong := found(tab, FAINT_ON_PAPER)), "\n".join(wrong)


def test_the_key_itself_stops_where_the_scripts_above_say(chromium: Browser, site: Site) -> None:
    with visit(chromium, site.url + "service/id-card-lost/", PHONE) as opened:
        stops = opened.tab.evaluate(f"() => {{ {SHOWN} window.stops = controls(); return stops.length; }}")
        opened.tab.keyboard.press(
            "Tab"
        )  # the link past the header, which is seen only while it is stopped at
        for stop in range(stops):
            opened.tab.keyboard.press("Tab")
            assert opened.tab.evaluate("stops.indexOf(document.activeElement)") == stop
