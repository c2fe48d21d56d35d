"""The station's own message templates, tried out before a group depends on them.

Each is rendered with sample messages by the channels that use it. What comes of it must hold what a group is promised
of every message: its title, all of its text, the way to its pages, who speaks, and the word its robot wants to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gengfu_scheduler.channels import POSTED
from gengfu_scheduler.channels.channel import HttpChannel, encoded
from gengfu_scheduler.channels.text import FOLDER, TemplateMistake, Templates, heading
from gengfu_scheduler.message import Group, Item, Message
from gengfu_site.problems import Problem, nearest, shown
from gengfu_templates import MESSAGES
from gengfu_templates.i18n import _, series

_FIXED = {"_chat.css", "_chat.html", "looks.html", "task.html", "wall.html"}
"""Pages of the program's own, for which no station's file stands in."""
_TEXTS = ("text.txt", "console.txt")
"""Those that are a whole message by themselves."""
_KEYWORDS = {"dingtalk", "feishu"}
"""Platforms whose robots want to see a word."""

_ITEMS = tuple(
    Item(entry=f"00{n}", title=f"样题{n}", summary=f"样文{n}", url=f"https://sample.test/{n}/")
    for n in (1, 2)
)
_DIGEST = Message(
    form="digest", title="样报", items=_ITEMS, footer="样站 0000-0000", home="https://sample.test/"
)
_ALERT = Message(form="alert", title="样警", items=_ITEMS[:1], body="样句一\n样句二", footer="样站 0000-0000")
_SAMPLES = (_DIGEST, _ALERT, replace(_ALERT, part=2, parts=3, resent=True), replace(_ALERT, items=()))
_GROUP = Group(id="sample", name="样群", reach="webhook", joined=datetime(2000, 1, 1, tzinfo=UTC))


class _Watched(Templates):
    """Templates of which is known which one was rendered last."""

    last: str = ""

    def render(self, template: str, language: str, /, **values: object) -> str:
        self.last = template
        return super().render(template, language, **values)


def check_templates(station: Path) -> tuple[Problem, ...]:
    """What is wrong with the message templates of the station in this folder: the first mistake of each."""
    files = {file.name: file for file in sorted((station / FOLDER).glob("[!.]*")) if file.is_file()}
    known = sorted(file.name for file in MESSAGES.iterdir() if file.name not in _FIXED)
    problems = {name: _stranger(shown(files[name], station), known) for name in files if name not in known}
    templates = _Watched(station)
    for tell, group in _tellers(templates) if files else ():
        for message in _SAMPLES:
            templates.last = ""
            mistake = _mistake(tell, message, group)
            if mistake and templates.last in files:
                line, said, remedy = mistake
                path = shown(files[templates.last], station)
                problem = Problem(path=path, line=line, message=said, remedy=remedy)
                problems.setdefault(templates.last, problem)
    return tuple(problems.values())


_Tell = Callable[[Message, Group], str]


def _tellers(templates: Templates) -> Iterator[tuple[_Tell, Group]]:
    """Whatever makes a text of a message by templates, and a group to make it for."""
    for channel in POSTED:
        keyword = "样词" if channel.name in _KEYWORDS else ""
        yield partial(_posted, channel(templates)), replace(_GROUP, platform=channel.name, keyword=keyword)
    for name in _TEXTS:
        yield partial(_written, templates, name), _GROUP


def _posted(channel: HttpChannel, message: Message, group: Group) -> str:
    return encoded(channel.payload(message, group)).decode()


def _written(templates: Templates, name: str, message: Message, group: Group) -> str:
    return templates.render(name, message.language, message=message, group=group)


def _mistake(tell: _Tell, message: Message, group: Group) -> tuple[int, str, str] | None:
    """The line, what is wrong there and what to do; None where all is well."""
    try:
        told = tell(message, group)
    except TemplateMistake as mistake:
        return (
            mistake.line,
            _("消息模板有错：{why}。").format(why=mistake.why),
            _("改好这一行，或删掉这个文件换回自带的模板。"),
        )
    lost = [what for what, text in _promised(message, group) if text not in told]
    if not lost:
        return None
    return (
        1,
        _("用这个模板写出的消息里没有{what}。").format(what=series(lost)),
        _("对照自带的模板补上，或删掉这个文件换回自带的模板。"),
    )


def _promised(message: Message, group: Group) -> Iterator[tuple[str, str]]:
    """What a group is promised to read, by name."""
    yield _("标题（{{ title }}，含分条和重发标记）"), heading(message)
    yield _("落款（footer）"), message.footer
    for line in message.body.splitlines():
        yield _("正文的每一行（body）"), line
    for item in message.items:
        yield _("每篇的链接（url）"), item.url
        if message.form == "digest":
            yield _("每篇的标题（title）"), item.title
    yield _("机器人要求的关键词（keyword）"), group.keyword


def _stranger(path: str, known: list[str]) -> Problem:
    close = nearest(path.rpartition("/")[2], known)
    hint = _("是不是想写“{close}”？").format(close=close) if close else ""
    return Problem(
        path=path,
        message=_("没有叫这个名字的消息模板，这个文件不起作用。"),
        remedy=_("{hint}可用的有：{known}").format(hint=hint, known=series(known)),
    )
