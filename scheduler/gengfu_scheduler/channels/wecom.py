"""WeCom group robot 企业微信群机器人: a digest as a news card, an alert as markdown.

Contract: https://developer.work.weixin.qq.com/document/path/99110 (message forms and sizes, counted in bytes of
UTF-8) and https://developer.work.weixin.qq.com/document/path/90455 (codes). HTTP is 200 either way; the code in
the body decides. Codes marked (inferred) were not found in a log of this very interface.
"""

from __future__ import annotations

from datetime import timedelta

from gengfu_scheduler.channels.channel import (
    HttpChannel,
    Payload,
    Verdict,
    Weight,
    busy,
    by_code,
    cut,
    dead,
    failure,
    refused,
)
from gengfu_scheduler.channels.text import heading, line, unmarked
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.message import Group, Message, Outcome, Pace, Sent
from gengfu_templates.i18n import _

ARTICLES = 8
TITLE = 128
DESCRIPTION = 512
MARKDOWN = 4096


def _sent(text: str) -> Outcome:
    # Taken, but not as it was meant: the platform adds this warning to a code 0 too.
    return Sent(confirmed="wrong json format" not in text.lower())


VERDICTS: dict[int, Verdict] = {
    0: _sent,
    -1: busy(10, retries=3),  # system busy; the platform asks for no more than three
    45009: busy(60),  # over 20 messages a minute (inferred)
    45033: busy(10),  # too many calls at once (inferred)
    93000: dead,  # invalid webhook url: robot deleted, key wrong
    93004: dead,  # robot disabled (inferred)
    93008: dead,  # robot not in the group (inferred)
    40058: refused,  # bad parameter, content exceeds its length
    40008: refused,  # bad msgtype
    40033: refused,  # illegal characters
    40035: refused,  # bad parameters
    40006: refused,  # bad size
    40007: refused,  # bad media_id
    40009: refused,  # bad image size
}
"""By errcode. A code that is not here is refused and shown."""


class WeCom(HttpChannel):
    name = "wecom"
    hosts = frozenset({"qyapi.weixin.qq.com"})
    pace = Pace(every=timedelta(seconds=4), burst=5, reserve=2)  # of 20 in any minute

    def payload(self, message: Message, group: Group) -> Payload:
        return _news(message) if message.form == "digest" else self._markdown(message)

    def weigh(self, payload: Payload) -> tuple[Weight, ...]:
        if news := payload.get("news"):
            return (Weight(what=_("图文条数"), used=len(news["articles"]), limit=ARTICLES, unit="pieces"),)
        used = len(payload["markdown"]["content"].encode())
        return (Weight(what=_("正文"), used=used, limit=MARKDOWN, unit="bytes"),)

    def outcome(self, answer: Answer) -> Outcome:
        return failure(answer) or by_code(answer, "errcode", "errmsg", VERDICTS)

    def _markdown(self, message: Message) -> Payload:
        message = unmarked(message)
        text = self._templates.render(
            "wecom-alert.md",
            message.language,
            message=message,
            title=heading(message),
            lines=message.body.splitlines(),
            footer=message.footer,
        )
        return {"msgtype": "markdown", "markdown": {"content": text}}


def _news(message: Message) -> Payload:
    """The digest's title with the site's home, its items, and at the end, or where no room is left above, the footer."""
    home = message.home or message.items[0].url
    footer = line(message.footer)
    roomy = len(message.items) + 2 <= ARTICLES
    # The first row is the one that is shown large.
    cover = next((item.image for item in message.items if item.image), None)
    articles = [_article(heading(message), "" if roomy else footer, home, cover)]
    articles += [_article(item.title, item.summary, item.url, item.image) for item in message.items]
    if footer and roomy:
        articles.append(_article(footer, "", home))
    return {"msgtype": "news", "news": {"articles": articles}}


def _article(title: str, description: str, url: str, image: str | None = None) -> dict[str, str]:
    article = {"title": cut(title, TITLE), "description": cut(description, DESCRIPTION), "url": url}
    return {**article, "picurl": image} if image else article
