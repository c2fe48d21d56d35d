"""WeCom group robot 企业微信群机器人: a digest as a news card, an alert as markdown.

Contract: https://developer.work.weixin.qq.com/document/path/99110 (message forms and sizes, counted in bytes of
UTF-8) and https://developer.work.weixin.qq.com/document/path/90455 (codes). HTTP is 200 either way; the code in
the body decides. Codes marked (inferred) were not found in a log of this very interface.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from gengfu_scheduler.channels.channel import (
    CannotRender,
    HttpChannel,
    address,
    cut,
    evidence,
    failure,
)
from gengfu_scheduler.channels.text import render
from gengfu_scheduler.channels.transport import Answer, Request
from gengfu_scheduler.message import Group, Message, Outcome, Rejected, Sent, Throttled, Unknown
from gengfu_templates.i18n import _, translations

ARTICLES = 8
TITLE = 128
DESCRIPTION = 512
MARKDOWN = 4096

Verdict = Callable[[str], Outcome]


def _busy(seconds: float, retries: int | None = None) -> Verdict:
    return lambda text: Throttled(after=seconds, reason=text, retries=retries)


def _sent(text: str) -> Outcome:
    # Taken, but not as it was meant: the platform adds this warning to a code 0 too.
    return Sent(confirmed="wrong json format" not in text.lower())


def _refused(text: str) -> Outcome:
    return Rejected(reason=text)


def _dead(text: str) -> Outcome:
    return Rejected(reason=text, disable=True)


VERDICTS: dict[int, Verdict] = {
    0: _sent,
    -1: _busy(10, retries=3),  # system busy; the platform asks for no more than three
    45009: _busy(60),  # over 20 messages a minute (inferred)
    45033: _busy(10),  # too many calls at once (inferred)
    93000: _dead,  # invalid webhook url: robot deleted, key wrong
    93004: _dead,  # robot disabled (inferred)
    93008: _dead,  # robot not in the group (inferred)
    40058: _refused,  # bad parameter, content exceeds its length
    40008: _refused,  # bad msgtype
    40033: _refused,  # illegal characters
    40035: _refused,  # bad parameters
    40006: _refused,  # bad size
    40007: _refused,  # bad media_id
    40009: _refused,  # bad image size
}
"""By errcode. A code that is not here is refused and shown."""


class WeCom(HttpChannel):
    name = "wecom"
    hosts = frozenset({"qyapi.weixin.qq.com"})

    def request(self, message: Message, group: Group, *, delivery_id: int, now: datetime) -> Request:
        content = _news(message) if message.form == "digest" else _markdown(message)
        return Request(
            key=delivery_id,
            url=address(group),
            # Raw characters: the platform refuses \uxxxx (40033).
            body=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )

    def outcome(self, answer: Answer) -> Outcome:
        if failed := failure(answer):
            return failed
        try:
            body = json.loads(answer.body)
        except ValueError:
            body = None
        code = body.get("errcode") if isinstance(body, dict) else None
        if type(code) is not int:  # true and false are, to Python, numbers too
            return Unknown(reason=_("看不懂的回答：{answer}").format(answer=evidence(answer)))
        return VERDICTS.get(code, _refused)(f"{code} {body.get('errmsg', '')}")


def _news(message: Message) -> dict[str, object]:
    """The digest's title with the site's home, its items, and at the end, or where no room is left above, the footer."""
    if len(message.items) >= ARTICLES:
        raise CannotRender(
            _("企业微信图文消息最多 {most} 条，这里有 {number} 条").format(
                most=ARTICLES - 1, number=len(message.items)
            )
        )
    home = message.home or message.items[0].url
    again = translations(message.language).gettext("【重发】") if message.resent else ""
    title = again + message.title
    footer = message.footer.replace("\n", " ")
    roomy = len(message.items) + 2 <= ARTICLES
    articles = [_article(title, "" if roomy else footer, home)]
    articles += [_article(item.title, item.summary, item.url, item.image) for item in message.items]
    if footer and roomy:
        articles.append(_article(footer, "", home))
    return {"msgtype": "news", "news": {"articles": articles}}


def _article(title: str, description: str, url: str, image: str | None = None) -> dict[str, str]:
    article = {"title": cut(title, TITLE), "description": cut(description, DESCRIPTION), "url": url}
    if image and image.lower().partition("?")[0].endswith((".jpg", ".jpeg", ".png")):
        article["picurl"] = image
    return article


def _markdown(message: Message) -> dict[str, object]:
    """The alert; where it is too long its body is cut, and the link leads to the rest."""
    text = _alert(message)
    if excess := max(len(text.encode()) - MARKDOWN, 0):
        text = _alert(replace(message, body=cut(message.body, len(message.body.encode()) - excess)))
    if len(text.encode()) > MARKDOWN:
        raise CannotRender(_("标题和落款太长，企业微信放不下（最多 {most} 字节）").format(most=MARKDOWN))
    return {"msgtype": "markdown", "markdown": {"content": text}}


def _alert(message: Message) -> str:
    # "<" would begin a colour or a mention; nothing an officer writes is meant as either.
    title, body, footer = (t.replace("<", "＜") for t in (message.title, message.body, message.footer))
    harmless = replace(message, title=title, footer=footer)
    return render("wecom-alert.md", message.language, message=harmless, lines=body.splitlines())
