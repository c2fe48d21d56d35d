"""The incoming webhook of Discord.

https://docs.discord.com/developers/resources/webhook#execute-webhook (shape; what ``wait`` changes),
https://docs.discord.com/developers/resources/message#embed-object (members and sizes of embeds),
https://docs.discord.com/developers/topics/rate-limits (429 and the headers on every answer),
https://docs.discord.com/developers/reference#error-messages (the tree of errors). The limits of 5 in 2 s and 30 a
minute were seen in public, not documented.

Without ``wait=true`` a message that is not saved is answered 204 like one that is: so the documents say of every
fault of the form. Inferred: the codes within the tree other than those of a text too long and of embeds too big, and
that refused posts do not count against the rate.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, ClassVar
from urllib.parse import SplitResult, quote, unquote

from markupsafe import Markup, escape

from gengfu_scheduler.sandbox.contract import Answer, Piece, Platform, Post, Received, Refused, Robot, Verdict
from gengfu_scheduler.sandbox.marks import Dialect, linked
from gengfu_scheduler.sandbox.platforms.reading import (
    answer_json,
    is_json,
    json_object,
    strangers,
    unsupported,
)
from gengfu_scheduler.sandbox.rates import wait
from gengfu_templates.i18n import _, series

BURST = timedelta(seconds=2)
LIMITS = {BURST: 5, timedelta(seconds=60): 30}
EPOCH = 1_420_070_400_000
"""Milliseconds at which Discord's ids begin to count."""
CONTENT_CHARACTERS = 2000
EMBEDS = 10
FIELDS = 25
EMBEDS_CHARACTERS = 6000

ERRORS = {
    "10015": (404, "Unknown Webhook"),
    "50001": (403, "Missing Access"),
    "50006": (400, "Cannot send an empty message"),
    "50027": (401, "Invalid Webhook Token"),
    "50035": (400, "Invalid Form Body"),
    "50109": (400, "The request body contains invalid JSON."),
    "220001": (400, "Webhooks posted to forum channels must have a thread_name or thread_id"),
}

_DIALECT = Dialect(
    marks=re.compile(
        r"(?<!\\)(?:`(?P<code>[^`\n]+)`"
        r"|\[(?P<label>[^\]\n]+)\]\(<?(?P<url>https?://[^\s)>]+)>?\)"
        r"|<@[!&]?(?P<at>\d+)>"
        r"|\*\*(?P<bold>(?!\s)[^\n]+?)\*\*"
        r"|__(?P<underline>(?!\s)[^\n]+?)__"
        r"|~~(?P<strike>(?!\s)[^\n]+?)~~"
        r"|\*(?P<italic>[^*\s]|[^*\s][^*\n]*[^*\s])\*)"
    ),
    plain=lambda text: re.sub(r"\\([^\w\s])", r"\1", text),
)
_UNSUPPORTED = {
    _("表格"): re.compile(r"(?m)^\s*\|?[ :]*-{3,}[ :]*\|"),
    _("图片"): re.compile(r"!\[[^\]]*\]\("),
    _("分隔线"): re.compile(r"(?m)^\s*(?:-{3,}|\*{3,})\s*$"),
    _("四级以下标题"): re.compile(r"(?m)^#{4,6} "),
    _("HTML 标签"): re.compile(r"</?[a-zA-Z]+(?: [^>]*)?/?>"),
}


def _answer(status: int, body: dict[str, Any], *headers: tuple[str, str]) -> Answer:
    return Answer(status=status, body=answer_json(body), content_type="application/json", headers=headers)


def _refusal(code: str, **more: Any) -> Answer:
    status, text = ERRORS[code]
    return _answer(status, {"message": text, "code": int(code)} | more)


def _throttled(left: timedelta, at: datetime | None = None, *, everywhere: bool = False) -> Answer:
    seconds = round(left.total_seconds(), 3)
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": everywhere}
    headers = [("Retry-After", str(ceil(seconds))), ("X-RateLimit-Scope", "global" if everywhere else "user")]
    if everywhere:
        headers.append(("X-RateLimit-Global", "true"))
    if at:
        headers += _counted(0, left, at)
    return _answer(429, body, *headers)


def _counted(remaining: int, left: timedelta, at: datetime) -> list[tuple[str, str]]:
    """The headers that tell a sender how many posts the burst still takes, and when it begins anew."""
    return [
        ("X-RateLimit-Limit", str(LIMITS[BURST])),
        ("X-RateLimit-Remaining", str(remaining)),
        ("X-RateLimit-Reset", f"{(at + left).timestamp():.3f}"),
        ("X-RateLimit-Reset-After", f"{left.total_seconds():.3f}"),
        ("X-RateLimit-Bucket", "5a3f0b9e7c1d4826"),
    ]


class Discord(Platform):
    name = "discord"
    title = _("Discord")
    accepted = Answer(status=204)
    documented: ClassVar = {
        code: Verdict(answer=_refusal(code), seen=False, reason=_("按要求以此错误码拒收")) for code in ERRORS
    } | {
        "rate-limited": Verdict(
            answer=_throttled(timedelta(seconds=0.64)), seen=False, reason=_("按要求限流")
        ),
        "rate-limited-globally": Verdict(
            answer=_throttled(timedelta(seconds=64.57), everywhere=True), seen=False, reason=_("按要求限流")
        ),
        "204": Verdict(answer=accepted, seen=True),
    }

    def address(self, key: str) -> str:
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:7])
        return f"/api/webhooks/{10**18 + number}/{quote(key, safe='')}"

    def key_in(self, target: SplitResult) -> str | None:
        found = re.fullmatch(r"/api(?:/v10)?/webhooks/\d{17,20}/([^/]*)", target.path)
        return unquote(found[1]) if found else None

    def unknown_robot(self) -> Verdict:
        return Verdict(answer=_refusal("10015"), seen=False, reason=_("没有这个 webhook"))

    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        left = wait(LIMITS, post.at, earlier)
        if left > timedelta():
            raise Refused(_throttled(left, post.at), _("两秒内超过 5 条，或一分钟内超过 30 条"))
        try:
            warnings = _checked(_payload(post))
        except Refused as refused:
            raise refused if _waits(post) else Refused(self.accepted, refused.reason) from None
        if not _waits(post):
            warnings.append(_("没有 wait=true，回答不说明消息是否保存"))
        return list(dict.fromkeys(warnings))

    def acceptance(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> Answer:
        recent = [other.at for other in earlier if other.seen and other.at > post.at - BURST]
        left = (recent[0] if recent else post.at) + BURST - post.at
        headers = _counted(LIMITS[BURST] - len(recent) - 1, left, post.at)
        if not _waits(post):
            return Answer(status=204, headers=tuple(headers))
        return _answer(200, _message(post, robot, len(earlier)), *headers)

    def draw(self, body: bytes) -> list[Piece]:
        payload = json.loads(body)
        content = payload.get("content") or ""
        said = [Piece(kind="rich", text=content, html=markdown_html(content))] if content else []
        return said + [piece for embed in payload.get("embeds") or [] for piece in _embed_pieces(embed)]


def _waits(post: Post) -> bool:
    return post.query.get("wait", "").lower() in ("true", "1")


def _message(post: Post, robot: Robot, before: int) -> dict[str, Any]:
    payload = json.loads(post.body)
    milliseconds = int(post.at.timestamp() * 1000)
    return {
        "type": 0,
        "id": str((milliseconds - EPOCH << 22) + before % 4096),
        "channel_id": "1300000000000000000",
        "webhook_id": "1300000000000000001",
        "content": payload.get("content") or "",
        "embeds": payload.get("embeds") or [],
        "author": {"id": "1300000000000000001", "username": robot.name, "bot": True},
        "timestamp": post.at.isoformat(),
        "edited_timestamp": None,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "components": [],
        "flags": 0,
        "pinned": False,
        "tts": False,
    }


def _payload(post: Post) -> dict[str, Any]:
    if not is_json(post):
        raise Refused(_refusal("50006"), _("Content-Type 应为 application/json"))
    payload = json_object(post.body)
    if payload is None:
        raise Refused(_refusal("50109"), _("正文应为一个 UTF-8 的 JSON 对象"))
    return payload


class _Form:
    """Everything wrong with a post, told at once as the platform does."""

    def __init__(self) -> None:
        self._errors: dict[str, Any] = {}
        self._reasons: list[str] = []
        self.warnings: list[str] = []

    def wrong(self, where: str, code: str, message: str, reason: str) -> None:
        """Put an error down at a path such as ``embeds.0.title``."""
        here = self._errors
        for step in where.split("."):
            here = here.setdefault(step, {})
        here.setdefault("_errors", []).append({"code": code, "message": message})
        self._reasons.append(_("{where}：{reason}").format(where=where, reason=reason))

    def close(self) -> None:
        """:raises Refused: where anything is wrong."""
        if self._reasons:
            raise Refused(_refusal("50035", errors=self._errors), "；".join(self._reasons))

    def text(self, part: dict[str, Any], name: str, where: str, limit: int, *, required: bool = False) -> int:
        """Check a text of at most ``limit`` characters; return how many it has."""
        text = part.get(name)
        path = f"{where}.{name}".lstrip(".")
        if text is None or (isinstance(text, str) and not text.strip()):
            if required:
                self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required", _("不能为空"))
            return 0
        if not isinstance(text, str):
            self.wrong(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.", _("应为文字"))
            return 0
        if len(text) > limit:
            self.wrong(
                path,
                "BASE_TYPE_MAX_LENGTH",
                f"Must be {limit} or fewer in length.",
                _("最多 {limit} 字，收到 {size} 字").format(limit=limit, size=len(text)),
            )
        return len(text)

    def url(self, part: dict[str, Any], name: str, where: str, *, required: bool = False) -> None:
        if name not in part and not required:
            return
        if not isinstance(part.get(name), str) or not re.match(r"https?://[^\s/]", part[name]):
            self.wrong(
                f"{where}.{name}", "URL_TYPE_INVALID_URL", "Not a well formed URL.", _("不是完整的网址")
            )

    def several(self, part: dict[str, Any], name: str, where: str, limit: int) -> list[dict[str, Any]]:
        """Check a list of at most ``limit`` objects, none of them empty; return it, or as much of it as there is."""
        several = part.get(name) or []
        path = f"{where}.{name}".lstrip(".")
        if not isinstance(several, list):
            self.wrong(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType", _("应为列表"))
            return []
        if len(several) > limit:
            message = f"Must be {limit} or fewer in length."
            self.wrong(path, "BASE_TYPE_MAX_LENGTH", message, _("最多 {limit} 项").format(limit=limit))
        for place, one in enumerate(several):
            if one == {}:
                self.wrong(f"{path}.{place}", "BASE_TYPE_REQUIRED", "This field is required", _("不能为空"))
        return [self.part({str(place): one}, str(place), path) for place, one in enumerate(several)]

    def part(self, holder: dict[str, Any], name: str, where: str) -> dict[str, Any]:
        """Check that there is an object, or nothing; return it, or an empty one."""
        part = holder.get(name)
        if isinstance(part, dict):
            return part
        if name in holder:
            message = "Only dictionaries may be used in a DictType"
            self.wrong(f"{where}.{name}".lstrip("."), "DICT_TYPE_CONVERT", message, _("应为对象"))
        return {}

    def known(self, part: dict[str, Any], names: set[str]) -> None:
        """Warn of members that the platform passes over."""
        self.warnings += strangers(part, names)


def _checked(payload: dict[str, Any]) -> list[str]:
    form = _Form()
    form.known(payload, {"content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "flags"})
    form.text(payload, "content", "", CONTENT_CHARACTERS)
    form.text(payload, "username", "", 80)
    form.url(payload, "avatar_url", "")
    embeds = form.several(payload, "embeds", "", EMBEDS)
    if sum(_embed(form, embed, f"embeds.{place}") for place, embed in enumerate(embeds)) > EMBEDS_CHARACTERS:
        message = f"Embed size exceeds maximum size of {EMBEDS_CHARACTERS}"
        reason = _("文字合计最多 {limit} 字").format(limit=EMBEDS_CHARACTERS)
        form.wrong("embeds", "MAX_EMBED_SIZE_EXCEEDED", message, reason)
    _mentions(form, payload)
    form.close()
    if not payload.get("embeds") and not str(payload.get("content") or "").strip():
        raise Refused(_refusal("50006"), _("没有内容"))
    texts = [payload.get("content"), *(embed.get("description") for embed in embeds)]
    return form.warnings + unsupported("\n".join(filter(None, texts)), _UNSUPPORTED)


def _mentions(form: _Form, payload: dict[str, Any]) -> None:
    if "allowed_mentions" not in payload:
        form.warnings.append(_("没有 allowed_mentions，文字里的 @everyone 会提醒所有人"))
    allowed = form.part(payload, "allowed_mentions", "")
    form.known(allowed, {"parse", "users", "roles", "replied_user"})
    parse = allowed.get("parse", [])
    kinds = ["everyone", "roles", "users"]
    if not isinstance(parse, list) or any(kind not in kinds for kind in parse):
        where, reason = "allowed_mentions.parse", _("应为 {known} 之一").format(known=series(kinds))
        form.wrong(where, "BASE_TYPE_CHOICES", f"Value must be one of {{{', '.join(kinds)}}}.", reason)
        return
    for name in ("users", "roles"):
        if name in parse and allowed.get(name):
            where, reason = f"allowed_mentions.{name}", _("与 parse 中的 {name} 不能并用").format(name=name)
            message = f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.'
            form.wrong(where, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message, reason)


def _embed(form: _Form, embed: dict[str, Any], where: str) -> int:
    """Check an embed; return its characters that count."""
    plain = {"title", "description", "url", "timestamp", "color"}
    form.known(embed, plain | {"footer", "image", "thumbnail", "author", "fields"})
    size = form.text(embed, "title", where, 256) + form.text(embed, "description", where, 4096)
    form.url(embed, "url", where)
    for name in ("image", "thumbnail"):
        form.url(form.part(embed, name, where), "url", f"{where}.{name}", required=name in embed)
    author, footer = form.part(embed, "author", where), form.part(embed, "footer", where)
    size += form.text(author, "name", f"{where}.author", 256, required="author" in embed)
    size += form.text(footer, "text", f"{where}.footer", 2048, required="footer" in embed)
    for place, field in enumerate(form.several(embed, "fields", where, FIELDS)):
        here = f"{where}.fields.{place}"
        form.known(field, {"name", "value", "inline"})
        size += form.text(field, "name", here, 256, required=True)
        size += form.text(field, "value", here, 1024, required=True)
    color = embed.get("color", 0)
    if not isinstance(color, int) or not 0 <= color <= 0xFFFFFF:
        form.wrong(
            f"{where}.color", "NUMBER_TYPE_MAX", "int value should be <= 16777215.", _("应为颜色的数值")
        )
    if "timestamp" in embed and not _is_time(embed["timestamp"]):
        form.wrong(f"{where}.timestamp", "DATETIME_TYPE_PARSE", "Could not parse.", _("应为 ISO 8601 时间"))
    return size


def _is_time(value: Any) -> bool:
    try:
        datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return False
    return True


# How the app draws them.


def markdown_html(source: str) -> Markup:
    """Discord's Markdown as its app draws it: code, headings, lists, quotes, and the marks within a line."""
    html = Markup()
    for number, part in enumerate(re.split(r"```(?:\w*\n)?(.*?)```\n?", source, flags=re.DOTALL)):
        if number % 2:
            html += Markup("<p><code>{}</code></p>").format(part)
        elif part:
            html += Markup().join(_line_html(line) for line in part.split("\n"))
    return html


def _line_html(line: str) -> Markup:
    for pattern, template in _LINES:
        if found := re.fullmatch(pattern, line):
            return template.format(_DIALECT.html(found[1]))
    return Markup("<p>{}</p>").format(_DIALECT.html(line)) if line.strip() else Markup('<p class="gap"></p>')


_LINES = (
    (r"# +(.+)", Markup('<p class="h h1">{}</p>')),
    (r"## +(.+)", Markup('<p class="h h2">{}</p>')),
    (r"### +(.+)", Markup('<p class="h h3">{}</p>')),
    (r"-# +(.+)", Markup('<p class="comment">{}</p>')),
    (r"> (.+)", Markup('<p class="quote">{}</p>')),
    (r"\s*[-*] +(.+)", Markup('<p class="item">• {}</p>')),
)


def _embed_pieces(embed: dict[str, Any]) -> list[Piece]:
    """An embed is a box with a coloured edge."""
    parts = [*_embed_parts(embed)]
    html = Markup().join(html for _words, html in parts)
    edge = Markup('<svg class="edge" aria-hidden="true"><rect fill="#{:06x}"/></svg>').format(
        embed.get("color", 0x4F545C)
    )
    text = "\n".join(words for words, _html in parts)
    thumbnail = Markup('<span class="picture beside"></span>') if "thumbnail" in embed else Markup()
    html = Markup('<div class="embed">{}{}{}</div>').format(edge, thumbnail, html)
    box = Piece(kind="rich", text=text, html=html)
    pictures = [Piece(kind="picture", title=_("图片"), picture=True)] if "image" in embed else []
    return [box, *pictures]


def _embed_parts(embed: dict[str, Any]) -> list[tuple[str, Markup]]:
    """What an embed says, from top to bottom, as text and as markup."""
    comment = Markup('<p class="comment">{}</p>').format
    drawn: list[tuple[Any, Callable[[str], Markup]]] = [
        (embed.get("author", {}).get("name"), comment),
        (embed.get("title"), lambda words: _title_html(words, embed.get("url", ""))),
        (embed.get("url"), lambda _url: Markup()),
        (embed.get("description"), markdown_html),
    ]
    for field in embed.get("fields") or []:
        drawn += [
            (field["name"], Markup('<p class="h">{}</p>').format),
            (field["value"], markdown_html),
        ]
    drawn.append((embed.get("footer", {}).get("text"), comment))
    return [(words, html(words)) for words, html in drawn if words]


def _title_html(words: str, url: str) -> Markup:
    return Markup('<p class="h h2">{}</p>').format(linked(url, escape(words)))
