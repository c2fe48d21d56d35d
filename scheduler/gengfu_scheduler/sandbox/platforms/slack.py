"""The incoming webhook of Slack.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (shape, answers),
https://docs.slack.dev/reference/block-kit/blocks (members and sizes of blocks),
https://docs.slack.dev/messaging/formatting-message-text (mrkdwn and its escapes),
https://docs.slack.dev/apis/web-api/rate-limits (one message a second, short bursts). Answers are plain text.

Seen in public, but in no document: ``invalid_blocks``, ``no_service``, and that a ``markdown`` block, which the
reference allows, is answered HTTP 500 with an empty body by an incoming webhook
(https://github.com/slackapi/slack-github-action/issues/440). Inferred: the HTTP statuses of ``no_service``,
``no_team``, ``invalid_token``, ``msg_blocks_too_long`` and ``missing_text_or_fallback_or_attachments``, the size of a
short burst, that sizes count UTF-16 units, and that bold ends at a word's edge in Chinese as it does in English.
Attachments are refused: Slack calls them outdated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import timedelta
from math import ceil
from typing import Any, ClassVar
from urllib.parse import SplitResult, quote, unquote

from markupsafe import Markup

from gengfu_scheduler.sandbox.contract import Answer, Piece, Platform, Post, Received, Refused, Robot, Verdict
from gengfu_scheduler.sandbox.marks import Dialect
from gengfu_scheduler.sandbox.platforms.reading import is_json, json_object, strangers, unsupported
from gengfu_scheduler.sandbox.rates import wait
from gengfu_templates.i18n import _, series

PATH = "/services/T0SANDBOX/B0SANDBOX/"
LIMITS = {timedelta(seconds=5): 5}
BLOCKS = 50
TEXT_CHARACTERS = 40_000
SECTION_CHARACTERS = 3000
FIELD_CHARACTERS = 2000
HEADER_CHARACTERS = 150
BUTTON_CHARACTERS = 75
URL_CHARACTERS = 3000
ALT_CHARACTERS = 2000
ID_CHARACTERS = 255
BLOCKS_CHARACTERS = 13_200
"""Of all blocks together; measured by senders, not documented."""

ERRORS = {
    "invalid_payload": 400,
    "invalid_blocks": 400,
    "invalid_blocks_format": 400,
    "missing_text_or_fallback_or_attachments": 400,
    "msg_blocks_too_long": 400,
    "user_not_found": 400,
    "action_prohibited": 403,
    "invalid_token": 403,
    "channel_not_found": 404,
    "no_service": 404,
    "no_team": 404,
    "channel_is_archived": 410,
    "rollup_error": 500,
}

_UNSUPPORTED = {
    _("Markdown 的加粗"): re.compile(r"\*\*\S"),
    _("Markdown 的链接"): re.compile(r"\[[^\]\n]+\]\(\S+\)"),
    _("标题"): re.compile(r"(?m)^#{1,6} "),
    _("列表"): re.compile(r"(?m)^\s*[-*+] \S"),
    _("表格"): re.compile(r"(?m)^\s*\|?[ :]*-{3,}[ :]*\|"),
    _("分隔线"): re.compile(r"(?m)^\s*(?:-{3,}|\*{3,}|_{3,})\s*$"),
}
_CONTROL = r"<(?:https?://[^>|\s]+(?:\|[^>\n]+)?|(?:mailto|tel):[^>|\s]+(?:\|[^>\n]+)?|[@#!][^>\n]+)>"
_BARE = re.compile(r"&(?!(?:amp|lt|gt);)|<|>")
_MRKDWN = Dialect(
    marks=re.compile(
        r"`(?P<code>[^`\n]+)`"
        r"|<(?P<url>https?://[^>|\s]+)(?:\|(?P<label>[^>\n]+))?>"
        r"|<[!@#](?:[^>|\n]*\|)?(?P<at>[^>|\n]+)>"
        r"|(?<![\w*])\*(?P<bold>[^*\s]|[^*\s][^*\n]*[^*\s])\*(?![\w*])"
        r"|(?<!\w)_(?P<italic>[^_\s]|[^_\s][^_\n]*[^_\s])_(?!\w)"
        r"|(?<!\w)~(?P<strike>[^~\s]|[^~\s][^~\n]*[^~\s])~(?!\w)"
    ),
    plain=lambda text: text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
)


def _refusal(error: str, *headers: tuple[str, str]) -> Answer:
    return Answer(
        status=ERRORS.get(error, 429), body=error.encode(), content_type="text/html", headers=headers
    )


class Slack(Platform):
    name = "slack"
    title = _("Slack")
    accepted = Answer(body=b"ok", content_type="text/html")
    documented: ClassVar = {
        error: Verdict(answer=_refusal(error), seen=False, reason=_("按要求以此错误码拒收"))
        for error in ERRORS
    } | {
        "rate_limited": Verdict(
            answer=_refusal("rate_limited", ("Retry-After", "30")), seen=False, reason=_("按要求限流")
        ),
        "200-not-ok": Verdict(answer=Answer(body=b"queued", content_type="text/html"), seen=True),
    }

    def address(self, key: str) -> str:
        return PATH + quote(key, safe="")

    def key_in(self, target: SplitResult) -> str | None:
        found = re.fullmatch(r"/services/T[0-9A-Z]+/B[0-9A-Z]+/([^/]*)", target.path)
        return unquote(found[1]) if found else None

    def unknown_robot(self) -> Verdict:
        return Verdict(answer=_refusal("no_service"), seen=False, reason=_("没有这个 webhook"))

    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        _check_rate(post, earlier)
        payload = _payload(post)
        if "channel" in payload:
            raise _refused("channel_not_found", _("不能用 channel 另指频道"))
        if "attachments" in payload:
            raise _refused("invalid_payload", _("attachments 已过时，应用 blocks"))
        warnings = strangers(payload, {"text", "blocks", "unfurl_links", "unfurl_media"}) + _text(payload)
        if "blocks" in payload:
            warnings += _blocks(payload["blocks"])
        return list(dict.fromkeys(warnings))

    def draw(self, body: bytes) -> list[Piece]:
        payload = json.loads(body)
        if blocks := payload.get("blocks"):
            return [piece for block in blocks for piece in _PIECES[block["type"]](block)]
        return [_said({"type": "mrkdwn", "text": payload["text"][:TEXT_CHARACTERS]})]


def _refused(error: str, reason: str) -> Refused:
    return Refused(_refusal(error), reason)


def _check_rate(post: Post, earlier: Sequence[Received]) -> None:
    left = wait(LIMITS, post.at, earlier)
    if left > timedelta():
        raise Refused(
            _refusal("rate_limited", ("Retry-After", str(ceil(left.total_seconds())))),
            _("平均每秒超过一条"),
        )


def _payload(post: Post) -> dict[str, Any]:
    if not is_json(post):
        raise _refused("invalid_payload", _("Content-Type 应为 application/json"))
    payload = json_object(post.body)
    if payload is None:
        raise _refused("invalid_payload", _("正文应为一个 UTF-8 的 JSON 对象"))
    return payload


def _text(payload: dict[str, Any]) -> list[str]:
    """Check the text, which only a notification shows where there are blocks."""
    text = payload.get("text", "")
    if not isinstance(text, str):
        raise _refused("invalid_payload", _("缺少文字 {name}").format(name="text"))
    if not text.strip():
        if payload.get("blocks"):
            return [_("没有 text，手机通知里没有字")]
        raise _refused("missing_text_or_fallback_or_attachments", _("缺少文字 {name}").format(name="text"))
    if _size(text) > TEXT_CHARACTERS:
        return [_("text 超过 {limit} 字，平台会截断").format(limit=TEXT_CHARACTERS)]
    return _bare(text) if payload.get("blocks") else _mrkdwn_warnings(text)


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _mrkdwn_warnings(text: str) -> list[str]:
    return unsupported(text, _UNSUPPORTED) + _bare(text)


def _bare(text: str) -> list[str]:
    if not _BARE.search(re.sub(r"(?m)^>", "", re.sub(_CONTROL, "", text))):
        return []
    return [_("& < > 应写成 &amp; &lt; &gt;")]


# The checks of blocks. Each takes what the sender gave and where it stood, and returns the warnings.


def _blocks(blocks: Any) -> list[str]:
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise _refused("invalid_blocks_format", _("blocks 应为对象的列表"))
    if not 1 <= len(blocks) <= BLOCKS:
        raise _wrong("blocks", _("应为 1 至 {limit} 项").format(limit=BLOCKS))
    warnings = []
    for number, block in enumerate(blocks):
        where = f"blocks[{number}]"
        kind = block.get("type")
        if kind == "markdown":
            raise Refused(Answer(status=500), _("webhook 不收 markdown 块，只答 500"))
        if not isinstance(kind, str) or kind not in _BLOCKS:
            raise _wrong(where, _("type 应为 {known} 之一").format(known=series(_BLOCKS)))
        warnings += _BLOCKS[kind](block, where)
    for name in ("block_id", "action_id"):
        given = [found for found in _values(blocks, name) if isinstance(found, str)]
        if len(set(given)) < len(given):
            raise _wrong("blocks", _("{name} 不能重复").format(name=name))
    total = sum(_size(text) for text in _values(blocks, "text") if isinstance(text, str))
    if total > BLOCKS_CHARACTERS:
        raise _refused(
            "msg_blocks_too_long",
            _("blocks 的文字合计最多 {limit} 字，收到 {size} 字").format(limit=BLOCKS_CHARACTERS, size=total),
        )
    return warnings


def _wrong(where: str, reason: str) -> Refused:
    return _refused("invalid_blocks", _("{where}：{reason}").format(where=where, reason=reason))


def _values(value: Any, name: str) -> Iterator[Any]:
    """Every value of that name, however deep."""
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from _values(inner, name)
    if isinstance(value, dict) and name in value:
        yield value[name]


def _members(part: Any, where: str, required: Set[str], optional: Set[str]) -> dict[str, Any]:
    """The part, which must be an object that has what is required and nothing that is not allowed."""
    if not isinstance(part, dict):
        raise _wrong(where, _("应为对象"))
    if missing := required - part.keys():
        raise _wrong(where, _("缺少 {names}").format(names=series(sorted(missing))))
    if strange := part.keys() - required - optional:
        raise _wrong(where, _("不认识字段 {names}").format(names=series(sorted(strange))))
    for name in ("block_id", "action_id"):
        if name in part:
            _string(part, name, where, ID_CHARACTERS)
    return part


def _string(part: dict[str, Any], name: str, where: str, limit: int) -> str:
    text = part[name]
    if not isinstance(text, str) or not text.strip():
        raise _wrong(where, _("缺少文字 {name}").format(name=name))
    if _size(text) > limit:
        raise _wrong(
            where,
            _("{name} 最多 {limit} 字，收到 {size} 字").format(name=name, limit=limit, size=_size(text)),
        )
    return text


def _url(part: dict[str, Any], name: str, where: str) -> None:
    if not re.match(r"https?://[^\s/]", _string(part, name, where, URL_CHARACTERS)):
        raise _wrong(where, _("{name} 不是完整的网址").format(name=name))


def _text_object(part: Any, where: str, limit: int, *, plain: bool = False) -> list[str]:
    kinds = ["plain_text"] if plain else ["plain_text", "mrkdwn"]
    if not isinstance(part, dict) or part.get("type") not in kinds:
        raise _wrong(where, _("type 应为 {known} 之一").format(known=series(kinds)))
    if part["type"] == "plain_text":
        _members(part, where, {"type", "text"}, {"emoji"})
    else:
        _members(part, where, {"type", "text"}, {"verbatim"})
    text = _string(part, "text", where, limit)
    return _mrkdwn_warnings(text) if part["type"] == "mrkdwn" else []


def _header(block: dict[str, Any], where: str) -> list[str]:
    _members(block, where, {"type", "text"}, {"block_id"})
    return _text_object(block["text"], f"{where}.text", HEADER_CHARACTERS, plain=True)


def _section(block: dict[str, Any], where: str) -> list[str]:
    _members(block, where, {"type"}, {"text", "fields", "accessory", "expand", "block_id"})
    if not block.keys() & {"text", "fields"}:
        raise _wrong(where, _("缺少 {names}").format(names="text / fields"))
    warnings = []
    if "text" in block:
        warnings += _text_object(block["text"], f"{where}.text", SECTION_CHARACTERS)
    if "fields" in block:
        for number, field in enumerate(_several(block, "fields", where, 10)):
            warnings += _text_object(field, f"{where}.fields[{number}]", FIELD_CHARACTERS)
    if "accessory" in block:
        warnings += _element(block["accessory"], f"{where}.accessory", {"button", "image"})
    return warnings


def _divider(block: dict[str, Any], where: str) -> list[str]:
    _members(block, where, {"type"}, {"block_id"})
    return []


def _context(block: dict[str, Any], where: str) -> list[str]:
    _members(block, where, {"type", "elements"}, {"block_id"})
    warnings = []
    for number, element in enumerate(_several(block, "elements", where, 10)):
        warnings += _element(element, f"{where}.elements[{number}]", {"image", "mrkdwn", "plain_text"})
    return warnings


def _actions(block: dict[str, Any], where: str) -> list[str]:
    _members(block, where, {"type", "elements"}, {"block_id"})
    warnings = []
    for number, element in enumerate(_several(block, "elements", where, 25)):
        warnings += _element(element, f"{where}.elements[{number}]", {"button"})
    return warnings


def _several(block: dict[str, Any], name: str, where: str, limit: int) -> list[Any]:
    several = block[name]
    if not isinstance(several, list) or not 1 <= len(several) <= limit:
        raise _wrong(f"{where}.{name}", _("应为 1 至 {limit} 项").format(limit=limit))
    return several


def _element(element: Any, where: str, kinds: set[str]) -> list[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise _wrong(where, _("type 应为 {known} 之一").format(known=series(sorted(kinds))))
    if kind == "button":
        return _button(element, where)
    if kind == "image":
        return _image(element, where)
    return _text_object(element, where, SECTION_CHARACTERS)


def _button(element: dict[str, Any], where: str) -> list[str]:
    optional = {"action_id", "url", "value", "style", "accessibility_label"}
    _members(element, where, {"type", "text"}, optional)
    _text_object(element["text"], f"{where}.text", BUTTON_CHARACTERS, plain=True)
    if element.get("style", "primary") not in ("primary", "danger"):
        raise _wrong(where, _("style 应为 primary 或 danger"))
    if "url" not in element:
        return [_("{where} 没有 url，按下去没有反应").format(where=where)]
    _url(element, "url", where)
    return []


def _image(part: dict[str, Any], where: str) -> list[str]:
    _members(part, where, {"type", "image_url", "alt_text"}, {"title", "block_id"})
    _url(part, "image_url", where)
    _string(part, "alt_text", where, ALT_CHARACTERS)
    if "title" in part:
        _text_object(part["title"], f"{where}.title", ALT_CHARACTERS, plain=True)
    return []


_BLOCKS: Mapping[str, Callable[[dict[str, Any], str], list[str]]] = {
    "header": _header,
    "section": _section,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "image": _image,
}


# How the app draws them.


def _said(text: dict[str, Any]) -> Piece:
    if text["type"] == "plain_text":
        return Piece(
            kind="rich", text=text["text"], html=_paragraphs(text["text"].split("\n"), Markup.escape)
        )
    return Piece(kind="rich", text=text["text"], html=mrkdwn_html(text["text"]))


def mrkdwn_html(source: str) -> Markup:
    """Slack's mrkdwn as its app draws it: blocks of code, quotes, and the marks within a line."""
    html = Markup()
    for number, part in enumerate(re.split(r"```\n?(.*?)```\n?", source, flags=re.DOTALL)):
        if number % 2:
            html += Markup("<p><code>{}</code></p>").format(_MRKDWN.plain(part))
        elif part:
            html += _paragraphs(part.split("\n"), _MRKDWN.html)
    return html


def _paragraphs(lines: list[str], inner: Callable[[str], Markup]) -> Markup:
    return Markup().join(_paragraph(line, inner) for line in lines)


def _paragraph(line: str, inner: Callable[[str], Markup]) -> Markup:
    if quoted := re.match(r"(?:>|&gt;) ?(.*)", line):
        return Markup('<p class="quote">{}</p>').format(inner(quoted[1]))
    return Markup("<p>{}</p>").format(inner(line)) if line.strip() else Markup('<p class="gap"></p>')


def _header_piece(block: dict[str, Any]) -> list[Piece]:
    words = block["text"]["text"]
    return [Piece(kind="rich", text=words, html=Markup('<p class="h h1">{}</p>').format(words))]


def _section_pieces(block: dict[str, Any]) -> list[Piece]:
    beside = block.get("accessory", {})
    said = [_said(block["text"])] if "text" in block else []
    fields = [_said(field) for field in block.get("fields", [])]
    html = _thumbnail_html(beside) if beside.get("type") == "image" else Markup()
    html += Markup().join(one.html for one in said)
    if fields:
        cells = Markup().join(Markup("<div>{}</div>").format(field.html) for field in fields)
        html += Markup('<div class="columns">{}</div>').format(cells)
    drawn = [Piece(kind="rich", text="\n".join(one.text for one in said + fields), html=html)]
    return drawn + ([_button_piece(beside)] if beside.get("type") == "button" else [])


def _thumbnail_html(element: dict[str, Any]) -> Markup:
    return Markup('<span class="picture beside" role="img" aria-label="{}"></span>').format(
        element["alt_text"]
    )


def _context_pieces(block: dict[str, Any]) -> list[Piece]:
    drawn = [piece for element in block["elements"] for piece in _element_pieces(element)]
    return [
        Piece(kind="small", text=piece.text, html=piece.html) if piece.kind == "rich" else piece
        for piece in drawn
    ]


def _element_pieces(element: dict[str, Any]) -> list[Piece]:
    match element["type"]:
        case "button":
            return [_button_piece(element)]
        case "image":
            return [Piece(kind="picture", title=element["alt_text"], picture=True)]
        case _:
            return [_said(element)]


def _button_piece(element: dict[str, Any]) -> Piece:
    return Piece(
        kind="button",
        title=element["text"]["text"],
        url=element.get("url", ""),
        tone="bad" if element.get("style") == "danger" else "",
    )


_PIECES: Mapping[str, Callable[[dict[str, Any]], list[Piece]]] = {
    "header": _header_piece,
    "section": _section_pieces,
    "divider": lambda block: [Piece(kind="rule")],
    "context": _context_pieces,
    "actions": lambda block: [_button_piece(element) for element in block["elements"]],
    "image": _element_pieces,
}
