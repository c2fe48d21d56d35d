"""Every page template, rendered from literal views: no MkDocs, no library, nothing undefined."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from markupsafe import Markup, escape

from gengfu_site import render
from gengfu_site.article import Alert, Case, Material, Service
from gengfu_site.catalogue import ContactLine, Fact, Station
from gengfu_site.qr import draw
from gengfu_site.search import Index
from gengfu_site.settings import Matter, Official, Settings
from gengfu_site.view import (
    AlertPage,
    AreaLine,
    AreaPage,
    AreasPage,
    ArticlePage,
    Attachment,
    BannerLine,
    Card,
    Choice,
    ContactCard,
    EmergencyPage,
    Feed,
    Frame,
    HomePage,
    KeptPage,
    Link,
    ListPage,
    NotFoundPage,
    Page,
    PermalinkPage,
    PrivacyPage,
    Room,
    ScammedPage,
    SearchPage,
    ServiceGroup,
    ServiceLine,
    ServicePage,
    ServicesPage,
    Stamp,
    StatePage,
    WhoPage,
)
from gengfu_templates import PAGES

HOSTILE = "<script>alert(1)</script>\"'>&{{ 7*7 }}"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;&amp;{{ 7*7 }}"


def stamp(day: str) -> Stamp:
    return Stamp(text=day, iso=date.fromisoformat(day).isoformat())


STATION_LINE = ContactLine(role="值班室", phone="0000-5550100", note="24 小时")
LOCAL_LINE = ContactLine(role="社区民警", name="李警官", phone="0000-5550130", note="周二下午")
CARD = Card(
    title="刷单返利",
    url="fraud/brushing/",
    summary="先给小钱，再骗大钱。",
    kind="防骗常识",
    published=stamp("2026-11-18"),
)
BANNER = BannerLine(title="寻找走失老人", url="alert/elder/", ends=stamp("2026-11-25"))
FRAME = Frame(
    site_name="青松路派出所",
    home="https://qingsong.example/guide/",
    language="zh-CN",
    kinds=(
        Link(title="防骗常识", url="fraud/", count=18),
        Link(title="办事指南", url="service/", count=12),
    ),
    alerts=(),
    contacts=(STATION_LINE,),
    official=Official(
        sponsor="青松区公安分局",
        icp="京ICP备12345678号-1",
        police_record="京公网安备11010102000001号",
        site_code="1101010001",
        corrections="0000-5550109",
    ),
    portal_header=Markup(""),
    portal_footer=Markup(""),
)
COMMON = {
    "frame": FRAME,
    "title": "标题甲",
    "description": "一句说明。",
    "feeds": (
        Feed(title="青松路派出所", rss="feed.xml", atom="atom.xml"),
        Feed(title="防骗常识", rss="fraud/feed.xml", atom="fraud/atom.xml"),
    ),
}
LISTING = {"cards": (CARD,), "days": "2026-11-18", "front": None, "newer": None, "older": None}
MATTER = {
    "id": "F7K2Q",
    "kind": Link(title="防骗常识", url="fraud/", count=18),
    "summary": "先给小钱，再骗大钱。",
    "published": stamp("2026-11-18"),
    "updated": stamp("2026-11-19"),
    "changed": "窗口改到二楼",
    "reviewed": stamp("2026-11-20"),
    "next_review": stamp("2027-11-20"),
    "expires": None,
    "expired": False,
    "withdrawn": None,
    "author": "反诈中队",
    "topics": (Link(title="电信网络诈骗", url="topic/telecom-fraud/", count=20),),
    "areas": (Link(title="桃园社区", url="area/qingsong/taoyuan/"),),
    "audience": ("老年人",),
    "cover": "pictures/cover.svg",
    "attachments": (),
    "html": Markup("<h2>怎么认</h2><p>正文<b>要紧</b></p>"),
    "contents": (),
    "related": (Link(title="冒充客服", url="fraud/service/"),),
    "runs_out": None,
    "shareable": True,
    "permalink": "https://qingsong.example/guide/A/F7K2Q",
    "card": ContactCard(area=None, contacts=(STATION_LINE,)),
}
SERVICE = Service(
    department="户籍窗口",
    visit="需本人",
    cases=(Case(when="老人来不了", answer="预约上门。"),),
    conditions=("证件丢失",),
    materials=(Material(name="户口簿", copies=2, note="带原件核对"),),
    steps=("取号", "照相"),
    time_limit="60 日内",
    fee="40 元",
    places=("一楼窗口",),
    hours="周一至周六",
    busy_hours="上午人多",
    phone="0000-5550110",
    online="https://zwfw.example/ 查进度",
    basis=("《居民身份证法》",),
    complaint="12345、12389",
)
ANSWER = "标题甲：要本人来。\nhttps://qingsong.example/guide/A/F7K2Q"
ALERT = Alert(form="走失", place="桃园社区南门", tell="110 或李警官 0000-5550130")

DESK_LINE = ContactLine(role="户籍窗口", phone="0000-5550110", note="周一至周六")
TAOYUAN = AreaLine(
    area=Link(title="桃园社区", url="area/qingsong/taoyuan/"), slug="qingsong/taoyuan", contact=LOCAL_LINE
)
ROOMS = (
    Room(
        head=AreaLine(area=Link(title="青松路", url="area/qingsong/"), slug="qingsong", contact=DESK_LINE),
        areas=(TAOYUAN,),
    ),
    Room(
        head=None,
        areas=(AreaLine(area=Link(title="河东", url="area/hedong/"), slug="hedong", contact=DESK_LINE),),
    ),
)
MATTERS = (
    Matter(matter="狗：没牵绳", who="派出所", phone="0000-5550101", note="正在伤人，打 110"),
    Matter(matter="邻居吵架", who="人民调解室"),
)
HOME = HomePage(
    **COMMON,
    url="",
    shortcuts=(Link(title="身份证丢了", url="service/id-card/"),),
    warnings=(CARD,),
    services=(Link(title="身份证件", url="service/#p--id-documents", count=7),),
    rooms=ROOMS,
    matters=MATTERS,
    topics=(Link(title="燃气安全", url="topic/gas/", count=3),),
)
SCAMMED = ScammedPage(
    **COMMON,
    url="scammed/",
    frauds=(Link(title="刷单返利", url="fraud/brushing/"),),
    every_fraud=Link(title="防骗常识", url="fraud/", count=18),
)
EMERGENCY = EmergencyPage(**COMMON, url="emergency/", own=(STATION_LINE,))
WHO = WhoPage(**COMMON, url="who/", matters=MATTERS)
AREAS = AreasPage(**COMMON, url="area/", duty=DESK_LINE, rooms=ROOMS)
SERVICES = ServicesPage(
    **COMMON,
    url="service/",
    desk=DESK_LINE,
    groups=(
        ServiceGroup(
            title="身份证件",
            anchor="p--topic-id-documents",
            lines=(ServiceLine(title="身份证丢了", url="service/id-card/", visit="需本人"),),
            more=Link(title="身份证件", url="topic/id-documents/", count=30),
        ),
    ),
    every=Link(title="办事指南", url="service/page/", count=30),
)
LIST = ListPage(**COMMON, url="fraud/", **LISTING)
AREA = AreaPage(
    **COMMON,
    url="area/qingsong/",
    **LISTING,
    slug="qingsong",
    parent=Link(title="全镇", url="area/town/"),
    children=(Link(title="桃园社区", url="area/qingsong/taoyuan/"),),
    contacts=(LOCAL_LINE,),
)
ARTICLE = ArticlePage(**COMMON, url="fraud/brushing/", **MATTER)
GUIDE = ServicePage(
    **COMMON, url="service/id-card/", **MATTER, service=SERVICE, visit="要本人来", answer=ANSWER
)
SEARCHED = AlertPage(
    **COMMON,
    url="alert/elder/",
    listed=False,
    **MATTER | {"runs_out": stamp("2026-11-27")},
    alert=ALERT,
    active=True,
    facts=(Fact(label="衣着", value="红色羽绒服"),),
    photo="A/A5W3R/photo.jpg",
    hide_after=stamp("2026-11-25"),
    follows=(Link(title="昨天的寻人", url="alert/yesterday/"),),
)
FORWARD = PermalinkPage(
    **COMMON, url="A/F7K2Q/", listed=False, to=Link(title="标题甲", url="fraud/brushing/")
)
CALL = StatePage(
    **COMMON,
    url="A/A5W3R/",
    listed=False,
    to=Link(title="标题甲", url="alert/elder/"),
    alert=ALERT,
    active=True,
    runs_out=stamp("2026-11-27"),
    withdrawn=None,
    published=stamp("2026-11-18"),
    updated=None,
)
KEPT = KeptPage(**COMMON, url="fraud/romance/", main=Markup("<h1>标题甲</h1>"))
FINDER = SearchPage(
    **COMMON,
    url="search/",
    kinds=(Choice(value="fraud", title="防骗常识"),),
    areas=(Choice(value="qingsong/taoyuan", title="桃园社区"),),
    topics=(Link(title="防火用电", url="topic/fire/"),),
    index=Index(shards=256, edition="0a1b2c3d", areas=(), synonyms=(("煤气", "燃气"), ("补办", "补领"))),
)
PRIVACY = PrivacyPage(**COMMON, url="privacy/")
LOST = NotFoundPage(**COMMON, url="404.html")
EVERY = (
    HOME,
    SCAMMED,
    EMERGENCY,
    WHO,
    AREAS,
    SERVICES,
    LIST,
    AREA,
    ARTICLE,
    GUIDE,
    SEARCHED,
    CALL,
    KEPT,
    FINDER,
    PRIVACY,
    LOST,
)


HERE = Path()
SETTINGS = Settings(
    folder=HERE,
    content=HERE,
    public=HERE,
    private=HERE,
    overrides=None,
    station=Station(name="青松路派出所", url=FRAME.home, language="zh-CN", timezone="Asia/Shanghai"),
)


@pytest.fixture(scope="module")
def env() -> jinja2.Environment:
    return render.environment(SETTINGS)


@pytest.fixture(scope="module")
def html(env: jinja2.Environment) -> Callable[[Page], str]:
    return lambda page: render.render(env, page)


@pytest.fixture(scope="module")
def words(html: Callable[[Page], str]) -> Callable[[Page], str]:
    """What a reader reads of the page's own matter, each run of space as one."""

    def read(page: Page) -> str:
        main = html(page).partition("<main")[2].partition("</main>")[0]
        return " ".join(re.sub(r"<[^>]*>", " ", main.partition(">")[2]).split())

    return read


def refused(text: str) -> list[str]:
    """Scripts and styles in a page that its own content security policy would not let a browser use."""
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    assert policy
    allowed = unescape(policy[1])
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", text, re.DOTALL)
    hashed = {one: b64encode(sha256(one.encode()).digest()).decode() for one in inline}
    others = re.findall(r"<(?:script|style)\s[^>]*>", text)
    return [one for one, digest in hashed.items() if f"'sha256-{digest}'" not in allowed] + [
        tag for tag in others if tag != '<script type="application/ld+json">'
    ]


SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def kinds(page: Page) -> str:
    return type(page).__name__


class Tags(HTMLParser):
    """Notes every tag that is closed out of turn or never, and every id."""

    VOID = frozenset(["area", "br", "col", "hr", "img", "input", "link", "meta", "source"])

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Closed where it opens, as SVG allows."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize("page", EVERY, ids=kinds)
class TestEveryPage:
    def test_closes_every_tag_and_repeats_no_id(self, html, page):
        tags = Tags(html(page))
        assert (tags.wrong, tags.open) == ([], [])
        assert len(tags.ids) == len(set(tags.ids))

    def test_head_tells_machines_what_it_is(self, html, page):
        text = html(page)
        assert text.startswith('<!doctype html>\n<html lang="zh-CN">')
        assert '<meta name="description" content="一句说明。">' in text
        assert f'<link rel="canonical" href="{page.canonical}">' in text
        assert ('content="noindex"' in text) is not page.listed

    def test_head_and_foot_lead_to_its_feeds(self, html, page):
        base = render.context(page)["base_url"]
        rss, atom = f'href="{base}/fraud/feed.xml"', f'href="{base}/fraud/atom.xml"'
        assert f'type="application/rss+xml" title="防骗常识 RSS" {rss}' in html(page)
        assert f'type="application/atom+xml" title="防骗常识 Atom" {atom}' in html(page)
        assert html(page).count(rss) == html(page).count(atom) == 2

    def test_has_one_first_heading_and_the_station_within_reach(self, html, page):
        text = html(page)
        assert text.count("<h1>") == 1
        assert text.count('href="tel:0000-5550100"') == 1
        assert 'href="tel:110"' in text

    def test_runs_what_its_policy_allows_and_asks_nobody_else_for_anything(self, html, page):
        text = html(page)
        assert refused(text) == []
        assert not re.search(r' on\w+="| style="|url\(|@import', text)
        fetched = re.findall(r'(?:src|poster)="([^"]*)"|<link rel="(?:icon|stylesheet)" href="([^"]*)"', text)
        base = render.context(page)["base_url"]
        assert all(one.startswith(f"{base}/") or two == "data:," for one, two in fetched)

    def test_shows_the_banner_of_all_alerts_but_its_own(self, html, page):
        text = html(replace(page, frame=replace(FRAME, alerts=(BANNER,))))
        banner = text.partition('class="banner"')[2].partition("</section>")[0]
        line = '<li data-hide-after="2026-11-25">'
        own = page.canonical == FRAME.home + BANNER.url
        assert (line in banner and "寻找走失老人" in banner) is not own
        assert banner.partition(">")[0].endswith(" hidden") is own

    def test_says_at_its_foot_who_answers_for_it_and_where_that_is_on_record(self, html, page):
        foot = html(page).partition("<footer")[2]
        assert "主办单位：青松区公安分局" in foot
        assert "网站标识码 1101010001" in foot
        assert '<a href="https://beian.miit.gov.cn/" rel="noreferrer">京ICP备12345678号-1</a>' in foot
        record = "https://beian.mps.gov.cn/#/query/webSearch?code=11010102000001"
        assert f'<a href="{record}" rel="noreferrer">京公网安备11010102000001号</a>' in foot
        assert '<a href="tel:0000-5550109">0000-5550109</a>' in foot

    def test_says_nothing_of_what_the_station_has_not_written(self, html, page):
        text = html(replace(page, frame=replace(FRAME, official=None)))
        assert 'class="official' not in text


@pytest.mark.parametrize("page", EVERY, ids=kinds)
def test_text_from_officers_is_never_markup(html, page):
    """The body alone is HTML: it was sanitised when it was made."""

    def hostile(value: object) -> object:
        if isinstance(value, str) and not isinstance(value, Markup):
            return HOSTILE
        if isinstance(value, tuple):
            return tuple(hostile(item) for item in value)
        if isinstance(value, Service):
            return replace(value, **{k: hostile(v) for k, v in vars(value).items() if k != "visit"})
        if isinstance(value, Alert):
            return replace(value, place=HOSTILE, tell=HOSTILE)
        if hasattr(value, "__dataclass_fields__"):
            return replace(value, **{k: hostile(v) for k, v in vars(value).items()})
        return value

    text = html(replace(page, **{k: hostile(v) for k, v in vars(page).items() if k != "url"}))
    assert refused(text) == []
    assert ESCAPED in text
    assert Tags(text).wrong == []


def test_every_script_of_a_page_is_small_and_of_2020(env):
    """Chromium 80 reads it, and a cheap phone reads it at once."""
    for name in env.list_templates(extensions=["js"]):
        script = env.filters["asset"](name)
        assert len(script.encode()) < 2048, name
        assert not re.search(r"\?\?=|\|\|=|&&=|\.at\(|replaceAll|structuredClone|eval\(|innerHTML", script), (
            name
        )


class Hostile(str):
    """Text that is of no plain type."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value", ["", "平常的字", "<b>&\"'", Hostile("<b>"), Markup("<b>&amp;"), 5, None, ["<"], Path("a<b")]
)
def test_values_are_escaped_as_markupsafe_does(env: jinja2.Environment, value: object) -> None:
    shown = env.from_string("{{ value }}|{% set copy %}{{ value }}{% endset %}{{ copy }}").render(value=value)
    assert shown == f"{escape(value)}|{escape(value)}"


@pytest.mark.parametrize(
    ("written", "in_the_page"),
    [
        ("/* why */\na{b:c}\n\n  d{e:f}\n", "a{b:c}\nd{e:f}"),
        ("/* two\n   lines */\nx()\n", "x()"),
        ('x("/* not a comment */")\n', 'x("/* not a comment */")'),
    ],
)
def test_a_page_carries_styles_and_scripts_without_what_only_we_read(tmp_path, written, in_the_page):
    (tmp_path / "own.css").write_text(written, encoding="utf-8")
    env = render.environment(replace(SETTINGS, overrides=tmp_path))
    assert env.filters["asset"]("own.css") == in_the_page


@pytest.mark.parametrize("name", ["404.html", "parts/old.css"])
def test_a_file_of_the_stations_own_that_is_no_utf_8_is_named(tmp_path, name):
    (tmp_path / "parts").mkdir()
    (tmp_path / name).write_bytes("/* 青松 */".encode("gbk"))
    with pytest.raises(render.TemplateBroken, match=f"UTF-8.*（{name} 1）"):
        render.render(render.environment(replace(SETTINGS, overrides=tmp_path)), LOST)


@pytest.mark.parametrize("mistake", ["{{ nothing }}", "{{ nothing | trim }}", "{% if %}"])
def test_a_mistake_in_the_stations_own_template_is_told_with_its_file_and_line(tmp_path, mistake):
    own = tmp_path / "404.html"
    own.write_text('{% extends "base.html" %}\n{% block main %}\n' + mistake + "{% endblock %}", "utf-8")
    with pytest.raises(render.TemplateBroken, match=re.escape(f"（{own} 3）")):
        render.render(render.environment(replace(SETTINGS, overrides=tmp_path)), LOST)


@pytest.mark.parametrize("gone", ["{{ 'gone.css' | asset }}", "{% include 'gone.html' %}"])
def test_a_file_that_the_stations_own_template_asks_for_in_vain_is_named(tmp_path, gone):
    (tmp_path / "404.html").write_text(
        '{% extends "base.html" %}{% block main %}' + gone + "{% endblock %}", "utf-8"
    )
    with pytest.raises(render.TemplateBroken, match=r"gone\.(css|html)"):
        render.render(render.environment(replace(SETTINGS, overrides=tmp_path)), LOST)


def test_the_stations_own_base_says_what_stands_at_the_foot_of_every_page(tmp_path):
    base = (PAGES / "base.html").read_text("utf-8")
    (tmp_path / "base.html").write_text(
        base.replace('{% include "_station.html" %}', "OUR OWN FOOT"), "utf-8"
    )
    env = render.environment(replace(SETTINGS, overrides=tmp_path))
    local = replace(ARTICLE, card=ContactCard(area=ARTICLE.areas[0], contacts=()))
    for page in (HOME, local):
        assert "OUR OWN FOOT" in render.render(env, page)


def test_a_preview_lets_its_server_reload_the_page_and_a_public_page_does_not(env):
    live = render.environment(SETTINGS, live=True).globals["policy"]("home.html")
    public = env.globals["policy"]("home.html")
    assert ("'unsafe-inline'" in live, "'unsafe-inline'" in public) == (True, False)


@pytest.mark.parametrize("page", [HOME, FINDER, EMERGENCY, PRIVACY], ids=lambda page: page.template)
def test_a_new_station_has_no_heading_with_nothing_under_it(html, page):
    nothing = {name: () for name in ("topics", "own") if hasattr(page, name)}
    text = html(replace(page, frame=replace(FRAME, contacts=()), **nothing))
    assert re.findall(r"</h2>\s*<ul[^>]*>\s*</ul>", text) == []


def test_a_policy_allows_what_the_stations_own_template_asks_for(tmp_path):
    (tmp_path / "own.css").write_text("a{b:c}\n", encoding="utf-8")
    (tmp_path / "home.html").write_text("{%- extends 'base.html' -%} {{ 'own.css'|asset }}", encoding="utf-8")
    env = render.environment(replace(SETTINGS, overrides=tmp_path))
    for name in ("own.css", "banner.js"):
        digest = b64encode(sha256(env.filters["asset"](name).encode()).digest()).decode()
        assert digest in env.globals["policy"]("home.html")


def test_a_policy_allows_no_more_than_its_page_has(html):
    """Each hash is forty bytes that no compression saves."""
    text = html(LIST)
    inline = re.findall(r"<(?:script|style)>", text)
    assert text.partition("Content-Security-Policy")[2].partition(">")[0].count("'sha256-") == len(inline)


class TestHome:
    def test_asks_first_what_the_resident_needs(self, html, words):
        assert "打110 有危险、要报警 我被骗了 先做什么 要办证 带什么、去哪办 找我的民警" in words(HOME)
        for address in ("tel:110", "./scammed/", "./service/", "./area/"):
            assert f'href="{address}"' in html(HOME)

    def test_goes_on_with_what_is_asked_most(self, words):
        order = "搜索本站", "我遇到了", "最新提醒", "身份证件 7", "我的社区", "这事找谁", "燃气安全 3"
        places = [words(HOME).index(word) for word in order]
        assert places == sorted(places)

    def test_lists_communities_under_their_police_room_with_what_a_phone_may_remember(self, html):
        first, second = html(HOME).partition("<h3>")[2].split('<ul class="chips">')[1:3]
        assert 'data-area="qingsong/taoyuan" data-who="社区民警 李警官" data-phone="0000-5550130"' in first
        assert ("河东" in second, "桃园社区" in second) == (True, False)

    def test_leads_to_the_communities_where_there_are_too_many_of_them(self, html):
        assert '<a class="press" href="./area/">选我的社区</a>' in html(replace(HOME, rooms=()))

    def test_leaves_out_what_the_station_has_not(self, words):
        bare = replace(HOME, shortcuts=(), warnings=(), services=(), matters=())
        assert not re.search("我遇到了|最新提醒|身份证件", words(bare))
        assert "不知道找谁 政务服务热线 12345" in words(bare)


class TestWaysIn:
    def test_who_was_deceived_calls_first_and_reads_then(self, html, words):
        assert words(SCAMMED).startswith("首页 标题甲 打110 钱已经转出去 打96110 还没转，拿不准")
        assert 'href="../fraud/brushing/"' in html(SCAMMED)
        assert "全部 18 篇防骗常识" in words(SCAMMED)

    def test_each_emergency_number_comes_with_when_and_what_to_say(self, words):
        for number in ("110", "119", "120", "122", "96110", "12345"):
            assert re.search(rf"{number} [^ ]+ [^ ]+。", words(EMERGENCY)), number
        assert "值班室 0000-5550100 24 小时" in words(EMERGENCY)

    def test_whose_job_it_is_or_else_12345(self, html, words):
        assert words(WHO).startswith("首页 标题甲 不知道找谁 政务服务热线 12345")
        assert "狗：没牵绳 派出所 0000-5550101 正在伤人，打 110" in words(WHO)
        assert re.search(r"人民调解室</span> <a class=\"press\" href=\"../area/\">", html(WHO))

    def test_a_station_without_a_table_still_says_12345(self, html, words):
        bare = replace(WHO, matters=())
        assert "不知道找谁 政务服务热线 12345" in words(bare)
        assert 'id="p--filter"' not in html(bare)

    def test_every_community_has_its_officer_beside_it(self, words):
        assert words(AREAS).startswith("首页 标题甲 户籍窗口 0000-5550110")
        assert "桃园社区 社区民警 李警官 0000-5550130" in words(AREAS)

    def test_many_communities_can_be_filtered(self, html):
        many = replace(AREAS, rooms=(replace(ROOMS[0], areas=(TAOYUAN,) * 13),))
        assert ('id="p--filter"' in html(AREAS), 'id="p--filter"' in html(many)) == (False, True)

    def test_services_say_beside_each_whether_to_come(self, html, words):
        assert words(SERVICES).startswith("首页 标题甲 户籍窗口 0000-5550110 周一至周六")
        assert "身份证件 身份证丢了 需本人 “身份证件”全部 全部 30 项" in words(SERVICES)
        assert 'href="../topic/id-documents/"' in html(SERVICES)

    def test_a_page_that_is_not_there_helps_with_search_and_the_four_ways(self, html):
        for address in ("/guide/search/", "tel:110", "/guide/scammed/", "/guide/service/", "/guide/area/"):
            assert f'"{address}"' in html(LOST)

    def test_an_areas_page_can_be_kept_as_ones_own(self, html):
        assert 'id="p--remember" data-area="qingsong" hidden' in html(AREA)


class TestLists:
    def test_an_alert_that_is_over_says_so_in_every_list(self, html):
        found = replace(CARD, alert=replace(ALERT, state="resolved"))
        assert "<b>已找到，请勿再转</b>" in html(replace(LIST, cards=(found,)))
        assert "请勿再转" not in html(replace(LIST, cards=(replace(found, alert=ALERT, active=True),)))

    def test_shows_title_summary_kind_and_date(self, words):
        assert "刷单返利 先给小钱，再骗大钱。 防骗常识 · 2026-11-18" in words(LIST)

    def test_one_page_has_no_pager(self, html):
        assert 'class="pager"' not in html(LIST)

    def test_pager_says_of_which_days_a_page_is_and_leads_on(self, html, words):
        page = replace(
            LIST,
            url="fraud/page/T0002/",
            days="2026-10-02 至 2026-11-18",
            front=Link(title="标题甲", url="fraud/"),
            newer=Link(title="较新的", url="fraud/page/T0003/"),
            older=Link(title="较早的", url="fraud/page/T0001/"),
        )
        assert "2026-10-02 至 2026-11-18 ← 较新的 较早的 →" in words(page)
        assert 'href="../../../fraud/page/T0001/"' in html(page)
        assert "首页 › 标题甲 标题甲 刷单返利" in words(page)
        assert "<title>标题甲（2026-10-02 至 2026-11-18） - 青松路派出所</title>" in html(page)

    def test_the_newest_page_names_no_days_in_its_title(self, html, words):
        page = replace(LIST, older=Link(title="较早的", url="fraud/page/T0001/"))
        assert "2026-11-18 较早的 →" in words(page)
        assert "<title>标题甲 - 青松路派出所</title>" in html(page)

    def test_an_empty_list_says_so(self, words):
        assert "这里还没有内容" in words(replace(LIST, cards=()))

    def test_an_area_answers_who_before_what(self, words):
        assert re.search(r"社区民警 李警官 0000-5550130 周二下午 .*桃园社区 本地通知 刷单返利", words(AREA))

    def test_an_area_without_articles_says_so(self, words):
        assert "现在没有专门发给这里的通知" in words(replace(AREA, cards=()))

    def test_an_area_leads_up_and_down(self, html):
        assert 'href="../../area/town/"' in html(AREA)
        assert 'href="../../area/qingsong/taoyuan/"' in html(AREA)


class TestArticle:
    def test_says_when_from_whom_and_for_whom(self, words):
        assert (
            "发布 2026-11-18 更新 2026-11-19 改了：窗口改到二楼 复核 2026-11-20 下次复核 2027-11-20 来源 反诈中队 "
            "写给 桃园社区 老年人" in words(ARTICLE)
        )

    def test_shows_the_body_as_it_was_rendered(self, html):
        assert "<h2>怎么认</h2><p>正文<b>要紧</b></p>" in html(ARTICLE)

    def test_the_cover_is_decoration(self, html):
        assert '<img class="cover" src="../../pictures/cover.svg" alt=""' in html(ARTICLE)

    def test_an_expired_one_says_so_before_its_title(self, words):
        page = replace(ARTICLE, expired=True, expires=stamp("2026-11-01"))
        assert words(page).index("本页已过期 有效期到 2026-11-01") < words(page).index("标题甲")

    def test_a_withdrawn_one_gives_the_reason_before_its_title(self, words):
        page = replace(ARTICLE, withdrawn="路线有误")
        assert words(page).index("本页已撤下 原因：路线有误") < words(page).index("标题甲")

    @pytest.mark.parametrize(
        ("form", "shown"),
        [
            ("audio", '<audio controls preload="none" src="../../video/甲"></audio>'),
            (
                "video",
                'playsinline width="640" height="360" src="../../video/甲" poster="../../pictures/cover',
            ),
            ("picture", '<img src="../../video/甲" alt="甲">'),
            ("document", '<a class="press" href="../../video/甲">打开文件 甲</a>'),
        ],
    )
    def test_attachments_are_shown_as_what_they_are(self, html, form, shown):
        page = replace(ARTICLE, attachments=(Attachment(name="甲", url="video/甲", form=form),))
        assert shown in html(page)

    def test_a_long_one_begins_with_what_is_in_it(self, html):
        page = replace(ARTICLE, contents=(Link(title="怎么认", url="#%E6%80%8E"),))
        assert '<li><a href="#%E6%80%8E">怎么认</a></li>' in html(page)
        assert 'class="contents"' not in html(ARTICLE)

    def test_leads_on_to_what_is_like_it(self, html):
        assert '<li><a href="../../fraud/service/">冒充客服</a></li>' in html(ARTICLE)

    @pytest.mark.parametrize("page", [ARTICLE, GUIDE, SEARCHED], ids=kinds)
    def test_no_button_is_there_before_a_script_knows_that_it_works(self, html, page):
        buttons = re.findall(r"<button[^>]*>", html(page).partition("<article>")[2])
        assert len(buttons) >= 4
        assert [button for button in buttons if not button.endswith(" hidden>")] == []

    def test_what_is_not_for_passing_on_offers_neither_link_nor_answer(self, html):
        text = html(replace(GUIDE, shareable=False))
        assert re.findall(r'data-do="(\w+)"', text) == ["print", "read"]

    def test_one_in_force_is_over_by_the_readers_clock(self, html):
        text = html(replace(ARTICLE, expires=stamp("2026-11-30"), runs_out=stamp("2026-12-01")))
        over = '<span data-hide-after="2026-12-01"></span>\n<div class="box bad" data-instead hidden>'
        assert "本页已过期" in text.partition(over)[2].partition("<h1>")[0]
        assert '<span data-hide-after="2026-12-01">\n<button type="button" data-do="share"' in text
        assert "data-instead" not in html(ARTICLE)

    def test_what_is_shared_is_the_short_address(self, html):
        assert html(ARTICLE).count('data-text="https://qingsong.example/guide/A/F7K2Q"') == 2

    def test_paper_leads_back_by_a_code(self, html):
        paper = html(ARTICLE).partition('<div class="paper">')[2].partition("</div>")[0]
        assert draw(ARTICLE.permalink).path in paper
        assert "https://qingsong.example/guide/A/F7K2Q" in paper

    def test_a_kept_one_has_what_its_matter_asks_of_scripts(self, html):
        """Its matter may be any article's: buttons and boxes to tick are in it, no script."""
        needed = set(SCRIPT.findall(html(ARTICLE)) + SCRIPT.findall(html(GUIDE)))
        assert needed <= set(SCRIPT.findall(html(KEPT)))
        assert "<script" not in html(GUIDE).partition("<main")[2].partition("</main>")[0]

    def test_ends_with_the_card_of_its_area_and_the_stations(self, html):
        area = Link(title="桃园社区", url="area/qingsong/taoyuan/")
        text = html(replace(ARTICLE, card=ContactCard(area=area, contacts=(LOCAL_LINE,))))
        assert text.index("桃园社区联系卡") < text.index("tel:0000-5550130") < text.index("tel:0000-5550100")


class TestService:
    def test_answers_in_the_order_in_which_people_ask(self, words):
        order = (
            "标题甲 要不要跑一趟 要本人来 .* 您的情况 老人来不了 预约上门。 .* 地方 一楼窗口 时间 周一至周六 "
            "几点人少 上午人多 电话 0000-5550110 网上办 .* 费用 40 元 多久办好 60 日内 .* "
            "要带的材料 户口簿 · 原件 · 复印件 2 份 带原件核对 .* 证件丢失 .* 取号 照相 .* 正文 要紧 .* "
            "《居民身份证法》 不满意，找谁投诉 12345 12389"
        )
        assert re.search(order, words(GUIDE))

    def test_the_answer_can_be_copied_whole(self, html):
        assert f'data-text="{ANSWER}"' in html(GUIDE)

    def test_where_what_to_bring_and_how_are_one_tap_away(self, html):
        parts = re.findall(r'<a href="#(p--[^"]*)">', html(GUIDE))
        assert parts == ["p--where", "p--papers", "p--steps"]
        assert re.findall(r'<h2 id="(p--[^"]*)">', html(GUIDE)) == parts

    def test_each_paper_can_be_ticked_off(self, html):
        assert '<ul class="checklist" data-ticks="F7K2Q">' in html(GUIDE)
        assert '<li><label><input type="checkbox"><span><b>户口簿</b>' in html(GUIDE)

    def test_what_is_not_known_is_left_out(self, words):
        text = words(replace(GUIDE, service=Service(department="户籍窗口", visit="不用跑"), visit="不用跑"))
        for heading in ("您的情况", "材料", "哪些人能办", "怎么办", "依据", "投诉", "电话 ", "费用 "):
            assert heading not in text.partition("相关内容")[0]
        assert "要不要跑一趟 不用跑" in text


def since(active: bool) -> dict[str, object]:
    """What a page says of whether it goes on."""
    return {"active": active, "runs_out": SEARCHED.runs_out if active else None}


class TestAlert:
    @pytest.mark.parametrize(
        ("form", "state", "active", "word"),
        [
            ("走失", "active", True, "还在找"),
            ("走失", "active", False, "已过期，请勿再转"),
            ("走失", "resolved", False, "已找到，请勿再转"),
            ("走失", "cancelled", False, "已取消，请勿再转"),
            ("火情", "active", True, "正在处置"),
            ("火情", "resolved", False, "已解除，请勿再转"),
            ("道路", "active", True, "正在处置"),
            ("正在发生的诈骗", "active", True, "正在发生"),
        ],
    )
    def test_opens_with_one_word_that_says_how_it_stands(self, html, form, state, active, word):
        page = replace(SEARCHED, alert=replace(ALERT, form=form, state=state), **since(active))
        state = html(page).partition("<article>")[2].partition("<h1>")[0]
        assert word in state
        assert 'class="huge"' in state

    def test_a_withdrawn_one_is_withdrawn_whatever_its_state(self, words):
        page = replace(SEARCHED, withdrawn="写错了", **since(False))
        assert re.search("已撤回，请勿再转 原因：写错了 标题甲", words(page))

    def test_an_exercise_says_so_first(self, words):
        page = replace(SEARCHED, alert=replace(ALERT, status="exercise"))
        assert re.search("【演练】还在找 这是一次演练.* 标题甲", words(page))

    def test_tells_what_where_and_whom_to_call(self, html, words):
        assert re.search(r"标题甲 .* 地点 桃园社区南门 打给谁 110 或李警官 0000-5550130", words(SEARCHED))
        assert html(SEARCHED).count('href="tel:0000-5550130"') == 1

    def test_shows_data_and_picture_only_where_given(self, html, words):
        assert "衣着 红色羽绒服" in words(SEARCHED)
        assert 'src="../../A/A5W3R/photo.jpg"' in html(SEARCHED)
        bare = replace(SEARCHED, facts=(), photo=None)
        assert "衣着" not in words(bare)
        assert "photo" not in html(bare)

    def test_a_persons_data_can_leave_by_the_readers_clock_and_makes_way_for_the_reason(self, html):
        text = html(SEARCHED)
        hiding = text.partition('<div data-hide-after="2026-11-25">')[2]
        private, _end, behind = hiding.partition("</div>\n")
        assert ("红色羽绒服" in private, "photo.jpg" in private) == (True, True)
        assert behind.startswith('<p class="box info" data-instead hidden>')
        assert "2026-11-25" not in html(replace(SEARCHED, facts=(), photo=None, hide_after=None))

    def test_a_call_ends_by_the_readers_clock_and_says_so(self, html):
        text = html(SEARCHED)
        call, _now, later = text.partition('<div class="box bad" data-instead hidden>')
        assert re.search('<div class="box warn" data-hide-after="2026-11-27">\n.*还在找', call, re.DOTALL)
        assert "已过期，请勿再转" in later.partition("</div>")[0]
        assert '<tr data-hide-after="2026-11-27"><th scope="row">打给谁' in later
        over = html(replace(SEARCHED, hide_after=None, **since(False)))
        assert "data-hide-after" not in over.partition("<main")[2].partition("</main>")[0]

    def test_leads_to_the_alerts_it_follows_up(self, html):
        assert '<a href="../../alert/yesterday/">昨天的寻人</a>' in html(SEARCHED)


class TestPermalink:
    def test_an_articles_forwards_at_once_and_is_small(self, html):
        text = html(FORWARD)
        assert '<meta http-equiv="refresh" content="0; url=../../fraud/brushing/">' in text
        assert '<h1><a href="../../fraud/brushing/">标题甲</a></h1>' in text
        assert '<link rel="canonical" href="https://qingsong.example/guide/fraud/brushing/">' in text
        assert '<meta name="robots" content="noindex">' in text
        assert len(text.encode()) < 1300
        assert Tags(text).wrong == []

    def test_what_officers_write_stays_text_in_it(self, html):
        text = html(replace(FORWARD, title=HOSTILE, to=Link(title=HOSTILE, url="fraud/brushing/")))
        assert ESCAPED in text
        assert "<script>" not in text

    @pytest.mark.parametrize(
        ("changed", "word"),
        [
            (since(True), "还在找"),
            (since(False), "已过期，请勿再转"),
            ({**since(False), "alert": replace(ALERT, state="resolved")}, "已找到，请勿再转"),
            ({**since(False), "withdrawn": "写错了"}, "已撤回，请勿再转 原因：写错了"),
            ({"alert": replace(ALERT, status="exercise")}, "【演练】还在找"),
        ],
    )
    def test_an_alerts_says_in_one_huge_word_how_it_stands(self, words, changed, word):
        assert words(replace(CALL, **changed)).startswith(word)

    def test_an_alerts_says_what_of_and_leads_to_the_whole(self, html, words):
        assert "标题甲 地点 桃园社区南门 打给谁 110 或李警官" in words(CALL)
        assert "发布 2026-11-18 看全文" in words(CALL)
        assert 'href="../../alert/elder/">看全文' in html(CALL)

    def test_its_title_and_preview_hold_no_word_that_time_makes_untrue(self, html):
        assert "还在找" not in html(CALL).partition("</head>")[0]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("122", ["122"]),
        ("12345、12389", ["12345", "12389"]),
        ("青松路派出所 0000-5550110（24 小时，8:30 后）", ["0000-5550110"]),
        ("0000-5550110 转 8001", ["0000-5550110"]),
        ("到窗口来", []),
        ("138 0013 8000", ["13800138000"]),
        ("+86 571 8888 0000", ["+8657188880000"]),
        ("(0571)88880000", ["057188880000"]),
        ("0571 8888 0000", ["057188880000"]),
        ("400-888-0000", ["400-888-0000"]),
        ("96110，2026-11-20起", ["96110"]),
        ("11月20日 8:30-17:30，203室", []),
    ],
)
def test_numbers_in_a_text_can_be_tapped(html, text, numbers):
    page = replace(SEARCHED, alert=replace(ALERT, tell=text))
    row = html(page).partition("打给谁")[2].partition("</tr>")[0]
    assert re.findall(r'href="tel:([^"]*)"', row) == numbers


@pytest.mark.parametrize(
    ("title", "boxes"),
    [
        ("身份证丢了：本人来补领，40 元", ["身份证丢了：", "本人来补领，", "40 元"]),
        ("“百万保障”要关？是骗局！！", ["“百万保障”要关？", "是骗局！！"]),
        ("直立放、常检查、漏了先关阀", ["直立放、", "常检查、", "漏了先关阀"]),
        ("打哪个电话", []),
        ("<b>甲，</b>乙", ["&lt;b&gt;甲，", "&lt;/b&gt;乙"]),
    ],
)
def test_a_heading_breaks_between_its_phrases(html, title, boxes):
    heading = html(replace(ARTICLE, title=title)).partition("<h1>")[2].partition("</h1>")[0]
    assert re.findall(r"<span>(.*?)</span>", heading) == boxes


def test_the_lost_are_told_where_to_go(html, words):
    """The 404 page is shown at any depth: its links start at the site's root."""
    assert 'href="/guide/fraud/"' in html(LOST)
    assert "打政务服务热线： 12345" in words(LOST)


@pytest.mark.parametrize("page", EVERY, ids=kinds)
def test_its_styles_are_few_enough_to_come_with_the_page(html, page):
    assert (
        sum(len(style.encode()) for style in re.findall(r"<style>(.*?)</style>", html(page), re.DOTALL))
        <= 10_000
    )


def test_the_search_page_has_all_its_scripts_need_and_serves_without_them(html):
    text = html(FINDER)
    assert re.search(
        r'<div id="p--search-page" hidden data-home="../" data-edition="0a1b2c3d" data-shards="256"', text
    )
    assert 'data-synonyms="煤气 燃气|补办 补领"' in text
    assert '<meta name="robots" content="noindex">' in text
    assert '<p class="box info without">' in text
    assert 'href="../topic/fire/"' in text
    assert 'href="../fraud/"' in text


@pytest.mark.parametrize("page", [ARTICLE, GUIDE, SEARCHED], ids=kinds)
def test_feeds_can_carry_the_matter_alone(env, page):
    text = render.render_matter(env, page)
    assert "<p>正文<b>要紧</b></p>" in text
    assert "<h1>" not in text
    assert re.findall(r'(?:src|href)="(?!https://qingsong\.example/guide/|tel:|#|https://zwfw)', text) == []
