"""Parts of pages that are worked out once."""

from __future__ import annotations

import jinja2
import pytest

from gengfu_templates.fragments import Once, Wording


def made(source: str, language: str = "zh-CN", **values: object) -> str:
    env = jinja2.Environment(autoescape=True, extensions=[Wording, Once])
    env.extend(language=language)
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: f"late {text}", lambda one, many, n: one, newstyle=True
    )
    return env.from_string(source).render(values)


def test_a_part_is_made_once_for_each_key():
    counted = iter(range(9))
    source = "{% for key in keys %}{% once key, 1 %}{{ key }}{{ next(counted) }} {% endonce %}{% endfor %}"
    assert made(source, keys="abab", next=next, counted=counted) == "a0 b1 a0 b1 "


def test_what_it_holds_is_escaped_once():
    source = "{% for _ in (1, 2) %}{% once 1 %}<b>{{ text }}</b>{% endonce %}{% endfor %}"
    assert made(source, text="<&") == "<b>&lt;&amp;</b>" * 2


def test_two_places_with_one_key_are_two_parts():
    assert made("{% once 1 %}a{% endonce %}{% once 1 %}b{% endonce %}\n{% once 1 %}c{% endonce %}") == "ab\nc"


@pytest.mark.parametrize(
    ("source", "language", "seen"),
    [
        ("{% trans %}搜索{% endtrans %}", "zh-CN", "搜索"),
        ("{% trans %}搜索{% endtrans %}", "en", "Search"),
        ("<b>{% trans %}搜索{% endtrans %}</b>, {% trans %}首页{% endtrans %}", "en", "<b>Search</b>, Home"),
        ("{% trans n=2 %}复印件 {{ n }} 份{% endtrans %}", "en", "copies: 2"),
        ("<b>{% trans n='<' %}复印件 {{ n }} 份{% endtrans %}</b>", "en", "<b>copies: &lt;</b>"),
        ("{% trans n=5 %}多了 {{ n }}%，{{ n }}。{% endtrans %}", "zh-CN", "多了 5%，5。"),
        ("{% trans n=5 %}%{{ n }}%(n)s%(b)s{% endtrans %}", "zh-CN", "%5%(n)s%(b)s"),
        ("搜索 {{ _('搜索') }}", "en", "搜索 Search"),
    ],
)
def test_words_are_those_of_the_language_as_soon_as_read(source, language, seen):
    assert made(source, language) == seen
