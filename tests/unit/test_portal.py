"""A portal's header and footer: shown as they are, allowed by the policy, or refused with the line."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape

import pytest

from gengfu_site.output import outputs
from gengfu_site.portal import read_fragment
from gengfu_site.problems import Problem
from gengfu_site.render import environment, render
from gengfu_site.settings import read_settings
from gengfu_site.view import Page
from stations import AT, MKDOCS_YML, StationFolder

HEADER = """\
<style>.portal{background:url(/images/band.png)}</style>
<div class="portal"><a href="https://portal.example/"><img src="/logo.png" alt="门户"></a>
<ul><li>首页<li><a href="https://gov.example/">上级</a> <a href="/news/">新闻</a> <a href="tel:12345">12345</a></ul><br>
<form action="/search"><input name="q"></form></div>
<script>
document.title += " - 门户";
</script>
"""
FOOTER = "<div>主办：某区政府 &copy;</div>\n"


def problems(station: StationFolder, html: str) -> list[Problem]:
    return read_fragment(station.file("header.html", html), station.folder)[1]


def with_portal(station: StationFolder, lines: str) -> str:
    text = MKDOCS_YML.replace("https://qingsong.example/", "https://portal.example/police/guide/")
    return station.file("mkdocs.yml", text + lines).as_posix()


@pytest.fixture
def pages(station: StationFolder) -> dict[str, str]:
    """Every page of a station inside a portal."""
    station.file("header.html", HEADER)
    station.file("footer.html", FOOTER)
    with_portal(station, "      portal: {header: header.html, footer: footer.html}\n")
    env = environment(station.settings)
    made = outputs(station.load(), AT, env)
    return {page.path: render(env, page) for page in made if isinstance(page, Page)}


def test_both_stand_around_every_page_as_they_are(pages: dict[str, str]) -> None:
    for html in pages.values():
        before, _main, after = html.partition("<main")
        assert HEADER in before
        assert FOOTER in after.partition("</main>")[2]
        assert before.index("跳到正文") < before.index(HEADER)


def test_their_style_and_script_are_in_the_policy(pages: dict[str, str]) -> None:
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', pages["index.html"])[0])
    for inside in (".portal{background:url(/images/band.png)}", '\ndocument.title += " - 门户";\n'):
        assert b64encode(sha256(inside.encode()).digest()).decode() in policy


def test_below_a_path_of_the_portal_every_page_finds_the_site(pages: dict[str, str]) -> None:
    assert '<body data-home="./"' in pages["index.html"]
    assert '<body data-home="../"' in pages["fraud/index.html"]
    assert '<body data-home="/police/guide/"' in pages["404.html"]
    assert 'rel="canonical" href="https://portal.example/police/guide/fraud/"' in pages["fraud/index.html"]


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<script src='/app.js'></script>", "另外取来的脚本"),
        ("<a href='/' onclick='go()'>首页</a>", "onclick"),
        ("<a href='javascript:go()'>首页</a>", "href"),
        ("<a href='news/index.html'>新闻</a>", "“news/index.html”"),
        ("<p style='color:red'>红</p>", "写在标签里的样式"),
        ("<link rel='stylesheet' href='/a.css'>", "<link>"),
        ("<iframe src='/top.html'></iframe>", "<iframe>"),
        ("<img src='https://cdn.example/a.png'>", "https://cdn.example/a.png"),
        ("<img src='//cdn.example/a.png'>", "//cdn.example/a.png"),
        ("<img src='logo.png'>", "logo.png"),
        ("<img srcset='/a.png 1x, https://cdn.example/b.png 2x'>", "b.png"),
        ("<form action='https://search.example/'></form>", "https://search.example/"),
        ("<style>@import url(/a.css)</style>", "另外取来的样式"),
        ("<style>p{background:url('https://cdn.example/a.png')}</style>", "别的网站的图片"),
        ("<body>", "<body>"),
        ("<main>正文</main>", "<main>"),
        ("<div><p>没有关上", "<div> 没有配对"),
        ("</div>", "</div> 没有配对"),
        ("<![CDATE[ 2026 ]]>", "<!["),
    ],
)
def test_what_a_page_would_block_or_break_on_is_named_with_its_line(
    station: StationFolder, html: str, said: str
) -> None:
    found = problems(station, f"<b>\n</b>\n{html}\n")
    assert {p.line for p in found if said in p.message} == {3}
    assert all(p.path == "header.html" and p.remedy for p in found)


def test_what_works_is_not_complained_of(station: StationFolder) -> None:
    assert problems(station, HEADER) == problems(station, FOOTER) == []


@pytest.mark.parametrize("name", ["missing.html", "../outside.html"])
def test_a_file_that_is_not_in_the_stations_folder_is_a_problem(station: StationFolder, name: str) -> None:
    (station.folder.parent / "outside.html").write_text("<p>外面</p>", encoding="utf-8")
    with_portal(station, f"      portal:\n        header: {name}\n")
    _settings, found = read_settings(station.folder / "mkdocs.yml")
    (problem,) = found
    assert (problem.path, problem.field, name in problem.message) == ("mkdocs.yml", "portal.header", True)
    assert problem.line == (station.folder / "mkdocs.yml").read_text(encoding="utf-8").count("\n")


def test_what_is_wrong_in_a_fragment_keeps_the_site_from_being_built(station: StationFolder) -> None:
    station.file("header.html", "<p style='color:red'>红</p>")
    with_portal(station, "      portal: {header: header.html}\n")
    settings, found = read_settings(station.folder / "mkdocs.yml")
    assert settings is None
    assert [p.path for p in found] == ["header.html"]
