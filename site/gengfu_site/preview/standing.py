"""What residents see of an article by now, said to who writes it: a preview shows what is not public too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from gengfu_site.approvals import Approvals, digest_of
from gengfu_site.library import Article, unbound
from gengfu_site.problems import GengfuError, Problem
from gengfu_site.settings import Settings
from gengfu_site.source import read_text
from gengfu_site.versions import Lying, shown_to_residents, signatures
from gengfu_templates.i18n import _

Tone = Literal["bad", "warn", "good"]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One thing to know of how it stands."""

    tone: Tone
    text: str
    then: str = ""
    """What comes next, or is to be done."""


def standing(article: Article, settings: Settings, problems: Sequence[Problem], at: datetime) -> list[Notice]:
    """How it stands with ``article`` as it lies in content/.

    :param problems: those of the article.
    """
    return list(_notices(article, settings, problems, at)) or [_fine(article)]


def _fine(article: Article) -> Notice:
    if article.alert and article.alert.state == "active":
        then = _("发出去：gengfu alert {id}").format(id=article.id)
    else:
        then = _("下次生成网站（gengfu build），居民看到的就是这样。")
    return Notice(tone="good", text=_("可以公开。"), then=then)


def _notices(
    article: Article, settings: Settings, problems: Sequence[Problem], at: datetime
) -> Iterator[Notice]:
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        yield Notice(tone="bad", text=_("有 {n} 处必须改，改好以前不能公开。").format(n=errors))
    if article.published > at:
        when = article.published.astimezone(ZoneInfo(settings.station.timezone))
        yield Notice(
            tone="warn",
            text=_("还没有到发布时间，居民看不到。"),
            then=_("{when} 起公开；这一页就是那时的样子。").format(when=f"{when:%Y-%m-%d %H:%M}"),
        )
    yield from _signing(article, settings)
    if article.withdrawn:
        yield Notice(tone="warn", text=_("已经撤下：页面还在，先说撤下的原因，目录、搜索和群里都不再出现。"))
    elif article.expires and article.expires <= at:
        yield Notice(tone="warn", text=_("已经过期：页面还在，先说已过期，目录、搜索和群里都不再出现。"))
    elif article.exercise:
        yield Notice(tone="warn", text=_("这是演练：知道网址的人才看得到，只发给本单位的群。"))


def _signing(article: Article, settings: Settings) -> Iterator[Notice]:
    """Whether it waits for somebody's signature, and whose."""
    text = read_text(settings.folder / article.lines.path, settings.folder)
    if isinstance(text, Problem):
        return
    lying = Lying(
        path=article.path,
        name=article.lines.path,
        text=text,
        digest=digest_of(text.encode()),
        manuscript=unbound(article),
    )
    try:
        signing = signatures(settings, Approvals.read, urgent=False)
        held = shown_to_residents(signing, [lying], {}, lambda _wanted: {})[1] if signing else []
    except GengfuError as error:
        yield Notice(tone="bad", text=str(error))
        return
    for problem in held:
        yield Notice(tone="warn", text=problem.message, then=problem.remedy)
