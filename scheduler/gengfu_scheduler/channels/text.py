"""Messages as text, from Jinja templates, in the language of whoever reads them.

The templates are those in ``gengfu_templates/messages``; one of the same name in the station's own
``templates/messages`` stands in for it, as :class:`Templates` finds it.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    select_autoescape,
)

from gengfu_scheduler.message import Message
from gengfu_site.problems import GengfuError
from gengfu_templates import MESSAGES
from gengfu_templates.i18n import _, translations

_ADDRESS = re.compile(r"https?://[\w\-.~:/?#@!$&'+,;=%]+", re.ASCII)
# Their full-width twins read the same and mark nothing.
_TWINS = str.maketrans({mark: chr(ord(mark) + 0xFEE0) for mark in "\\`*_[]<#~|&"})

FOLDER = Path("templates") / "messages"
"""Below a station's folder: its own templates."""


class CannotRender(GengfuError):
    """This message cannot be put in this platform's form; a person must see why."""


class TemplateMistake(CannotRender):
    """One of the station's own templates has a mistake."""

    def __init__(self, template: str, line: int, why: str) -> None:
        """
        :param template: its file name.
        :param line: from 1.
        """
        self.template, self.line, self.why = template, line, why
        super().__init__(
            _("消息模板 {place} 有错：{why}。改好它，或删掉它换回自带的。").format(
                place=f"{template}:{line}", why=why.rstrip(".。")
            )
        )


class Templates:
    """The templates of one station. A text is read when it is first needed, and again when its file changes."""

    def __init__(self, station: Path | None = None) -> None:
        """
        :param station: the station's folder; None for the templates as they come.
        """
        self._folders = (*([station / FOLDER] if station else []), MESSAGES)

    def render(self, template: str, language: str, /, **values: object) -> str:
        """``template`` (a file name) with ``values``; each must be given, and HTML is escaped.

        :raises TemplateMistake: the station's own template has a mistake; says which and where.
        """
        try:
            return _environment(language, self._folders).get_template(template).render(**values).strip()
        except (
            TemplateError,
            ArithmeticError,
            AttributeError,
            LookupError,
            OSError,
            TypeError,
            ValueError,
        ) as error:
            raise TemplateMistake(template, _line_of(error, template), str(error)) from error


def _line_of(error: Exception, template: str) -> int:
    """Where in ``template`` it broke; 1 where that cannot be told."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    # Jinja puts the template's own lines into the traceback.
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno or 1 for f in reversed(frames) if Path(f.filename).name == template), 1)


class _Loader(FileSystemLoader):
    """Also notices that a station got a template of its own, or no longer has it."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, found, unchanged = super().get_source(environment, template)
        return source, found, lambda: unchanged() and self._first(template) == Path(found)

    def _first(self, template: str) -> Path | None:
        return next((file for f in self.searchpath if (file := Path(f, template)).is_file()), None)


@cache
def _environment(language: str, folders: tuple[Path, ...]) -> Environment:
    environment = Environment(
        loader=_Loader(folders),
        undefined=StrictUndefined,
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    wording = translations(language)
    environment.install_gettext_translations(wording, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["heading"] = heading
    return environment


def heading(message: Message) -> str:
    """The message's title as a group reads it: whether it is said again, and which part of how many it is."""
    again = translations(message.language).gettext("【重发】") if message.resent else ""
    which = f"（{message.part}/{message.parts}）" if message.parts > 1 else ""
    return f"{again}{message.title}{which}"


def unmarked(message: Message) -> Message:
    """``message`` with nothing in its texts that an app could take for markup: a mention, a link, a picture, a colour.

    What an officer writes is meant as it stands. Marks become their full-width twins, for no platform documents
    how they are escaped in all of its clients; addresses stay, for apps make links of those anyway. All but the
    body becomes one line.
    """
    return replace(
        message,
        title=_plain(line(message.title)),
        body=_plain(message.body),
        footer=_plain(line(message.footer)),
        items=tuple(
            replace(item, title=_plain(line(item.title)), summary=_plain(line(item.summary)))
            for item in message.items
        ),
    )


def _plain(text: str) -> str:
    plain, end = "", 0
    for address in _ADDRESS.finditer(text):
        plain += text[end : address.start()].translate(_TWINS) + address[0]
        end = address.end()
    return plain + text[end:].translate(_TWINS)


def line(text: str) -> str:
    """``text`` as one line."""
    return " ".join(text.split())


def lacking(keyword: str, message: Message) -> str:
    """``keyword``, where a group would not read it in ``message``; else nothing.

    DingTalk and Feishu refuse a message without their robot's keyword.
    """
    items = message.items if message.form == "digest" else ()
    told = (message.title, message.body, message.footer, *(t for i in items for t in (i.title, i.summary)))
    return "" if any(keyword in text for text in told) else keyword


def more(message: Message) -> str:
    """What the button or link says that leads to an alert's page."""
    return translations(message.language).gettext("查看详情与最新进展")
