"""The custom bot of Feishu 飞书 (Lark).

https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot.md (shapes, signature, keywords, size, rate),
https://open.feishu.cn/document/feishu-cards/card-components/content-components/rich-text.md (Markdown of cards),
https://open.larkoffice.com/document/ukTMukTMukTM/uUzN04SN3QjL1cDN.md (answers to who is too fast). The code is in
the body, and HTTP is 200 where nothing else is said here. Seen in public: the texts of 9499 (both), 19001, 19002,
19021, 19022 and 19024. Inferred: the other texts, the statuses of all but 9499 and 99991400, that 19002 refuses an
unknown card, which of the two rates is answered in which way, and in which texts the keyword is looked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, ClassVar, Literal
from urllib.parse import SplitResult, quote, unquote

from markupsafe import Markup, escape

from gengfu_scheduler.sandbox.contract import Answer, Piece, Platform, Post, Received, Refused, Robot, Verdict
from gengfu_scheduler.sandbox.marks import Dialect
from gengfu_scheduler.sandbox.platforms.markdown import BOLD, CODE, ITALIC, LINK, STRIKE, Markdown
from gengfu_scheduler.sandbox.platforms.reading import (
    Reader,
    answer_json,
    dead_link,
    is_json,
    json_object,
    strangers,
    unsupported,
)
from gengfu_scheduler.sandbox.rates import wait
from gengfu_templates.i18n import _, series

PREFIX = "/open-apis/bot/v2/hook/"
BODY_BYTES = 20_000
"""The documents say 20 KB; the smaller reading."""
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
RATE_SECOND, RATE_MINUTE = 5, 100
TOLERANCE = timedelta(hours=1)
DEPTH = 5
"""Most columns within columns."""

ERRORS = {
    2200: "internal error",
    9499: "Bad Request",
    11232: "frequency limited",
    19001: "param invalid: incoming webhook access token invalid",
    19002: "params error, msg_type need",
    19007: "bot disabled",
    19021: "sign match fail or timestamp is not within one hour from current time",
    19022: "Ip Not Allowed",
    19024: "Key Words Not Found",
    19036: "request body too large",
}
TOO_MANY = "too many request"
UNKNOWN_CARD = "params error, unknown card value"

_COLOURS = "neutral|blue|turquoise|lime|orange|violet|wathet|green|yellow|red|purple|carmine|grey"
_FONT = rf"""<font color=["']?(?:{_COLOURS})["']?>(?P<coloured>.*?)</font>"""
_AT = r"""<at ids?=["']?(?P<at>[^"'>\s]+)["']?></at>"""
_INLINE = (LINK, BOLD, ITALIC, STRIKE, _FONT, _AT)
_PICTURE = r"!\[[^\]\n]*\]\((?P<picture>img_[\w-]+)\)"


def _marks(*patterns: str) -> Dialect:
    # What would be a mark is written as an HTML entity.
    return Dialect(marks=re.compile("|".join(patterns)), plain=html.unescape)


_LARK_MD = Markdown(inline=_marks(*_INLINE))
_V1 = Markdown(inline=_marks(*_INLINE, _PICTURE), lists=True, rules=True, fences=True)
_V2 = replace(_V1, inline=_marks(CODE, *_INLINE, _PICTURE), headings=True, quotes=True)

_FOREIGN_TAGS = {
    _("font、at、a、text_tag 以外的 HTML 标签"): re.compile(r"</?(?!(?:font|at|a|text_tag)\b)[a-zA-Z][^>]*>"),
    _("所列以外的字色"): re.compile(rf"""<font(?! color=["']?(?:{_COLOURS})["']?>)"""),
    _("网址图片"): re.compile(r"!\[[^\]]*\]\(https?:"),
}
_NOT_IN_V1 = {
    _("标题"): re.compile(r"(?m)^#{1,6} +\S"),
    _("引用"): re.compile(r"(?m)^> ?\S"),
    _("行内代码"): re.compile(r"(?<!`)`[^`\n]+`(?!`)"),
    _("表格"): re.compile(r"(?m)^\s*\|?[ :]*-{3,}[ :]*\|"),
}
_NOT_IN_LARK_MD = {
    _("列表"): re.compile(r"(?m)^\s*(?:[-*+]|\d+\.) +\S"),
    _("分隔线"): re.compile(r"(?m)^\s*-{3,}\s*$"),
    _("代码块"): re.compile(r"(?m)^\s*(?:```|~~~)"),
    _("图片"): re.compile(r"!\[[^\]]*\]\("),
}
_TONES: dict[str, Literal["", "bad", "warning", "good", "calm"]] = {
    "red": "bad",
    "carmine": "bad",
    "orange": "warning",
    "yellow": "warning",
    "green": "good",
    "turquoise": "good",
    "grey": "calm",
    "blue": "",
    "wathet": "",
    "violet": "",
    "purple": "",
    "indigo": "",
    "default": "calm",
}


def refusal(code: int, text: str = "", *, status: int = 200) -> Answer:
    """The platform's answer with this code, in its usual words unless others are given."""
    return Answer(status=status, body=answer_json({"code": code, "msg": text or ERRORS[code], "data": {}}))


def throttled(seconds: float, *, status: int = 429) -> Answer:
    """The gateway's answer to who is too fast."""
    return Answer(
        status=status,
        body=answer_json({"code": 99991400, "msg": "request trigger frequency limit"}),
        headers=(("x-ogw-ratelimit-reset", str(ceil(seconds))),),
    )


def _asked_for(answer: Answer) -> Verdict:
    return Verdict(answer=answer, seen=False, reason=_("按要求以此错误码拒收"))


class Feishu(Platform):
    name = "feishu"
    title = _("飞书")
    accepted = Answer(
        body=answer_json(
            {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}
        )
    )
    documented: ClassVar = {str(code): _asked_for(refusal(code)) for code in ERRORS} | {
        "9499-too-many": _asked_for(refusal(9499, TOO_MANY, status=400)),
        "99991400": _asked_for(throttled(30)),
        "99991400-old": _asked_for(throttled(30, status=400)),
    }

    def address(self, key: str) -> str:
        return PREFIX + quote(key, safe="")

    def key_in(self, target: SplitResult) -> str | None:
        return unquote(target.path.removeprefix(PREFIX)) if target.path.startswith(PREFIX) else None

    def unknown_robot(self) -> Verdict:
        return Verdict(answer=refusal(19001), seen=False, reason=_("没有机器人使用这个地址"))

    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        _check_rate(post, earlier)
        if len(post.body) > BODY_BYTES:
            raise _refused(
                19036,
                _("整个正文最多 {limit} 字节，收到 {size} 字节").format(
                    limit=BODY_BYTES, size=len(post.body)
                ),
            )
        payload = json_object(post.body)
        if payload is None or not is_json(post):
            raise _refused(9499, _("正文不是 UTF-8 的 JSON 对象，或 Content-Type 不是 application/json"))
        if robot.secret:
            _check_signature(payload, robot.secret, post.at)
        kind = payload.get("msg_type")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise _refused(19002, _("msg_type 应为 {known} 之一").format(known=series(_KINDS)))
        holder = "card" if kind == "interactive" else "content"
        warnings = strangers(payload, {"msg_type", holder, "timestamp", "sign"})
        if kind == "interactive" and not isinstance(payload.get("card"), dict):
            raise _refused(19002, _("缺少对象 {name}").format(name="card"), UNKNOWN_CARD)
        part = _READ.part(payload, holder)
        warnings += _KINDS[kind](part)
        if robot.keyword and not any(robot.keyword in words for words in _said(part)):
            raise _refused(19024, _("正文和标题里没有机器人要求的关键词“{word}”").format(word=robot.keyword))
        return warnings

    def draw(self, body: bytes) -> list[Piece]:
        payload = json.loads(body)
        match payload["msg_type"]:
            case "text":
                return [_text_piece(payload["content"]["text"])]
            case "post":
                return [_post_piece(_local(payload["content"]["post"]))]
            case "image":
                return [Piece(kind="picture", title=_("图片"), picture=True)]
            case "share_chat":
                return [Piece(kind="row", title=_("群名片"), text=payload["content"]["share_chat_id"])]
            case _:
                return _card_pieces(payload["card"])


def _refused(code: int, reason: str, text: str = "") -> Refused:
    return Refused(refusal(code, text), reason)


_READ = Reader(lambda reason, _detail: _refused(9499, reason))


def _check_rate(post: Post, earlier: Sequence[Received]) -> None:
    if wait({SECOND: RATE_SECOND}, post.at, earlier) > timedelta():
        raise Refused(refusal(9499, TOO_MANY, status=400), _("一秒内超过 {n} 条").format(n=RATE_SECOND))
    pause = wait({MINUTE: RATE_MINUTE}, post.at, earlier)
    if pause > timedelta():
        raise Refused(throttled(pause.total_seconds()), _("一分钟内超过 {n} 条").format(n=RATE_MINUTE))


def _check_signature(payload: Mapping[str, Any], secret: str, now: datetime) -> None:
    timestamp = payload.get("timestamp")
    if not isinstance(timestamp, str) or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise _refused(19021, _("timestamp 应为写成文字的整数秒"))
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > TOLERANCE:
        raise _refused(19021, _("timestamp 与现在相差超过 1 小时"))
    digest = hmac.digest(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256)
    given = payload.get("sign")
    if not isinstance(given, str) or not hmac.compare_digest(base64.b64encode(digest), given.encode()):
        raise _refused(19021, _("sign 签名不符"))


def _said(value: object) -> Iterator[str]:
    """The texts in which the keyword is looked for."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str) and name in ("text", "content", "title"):
                yield inner
            else:
                yield from _said(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner)


def _local(languages: dict[str, Any]) -> Any:
    """What a Chinese reader sees of a text in several languages."""
    return languages.get("zh_cn", next(iter(languages.values())))


# Messages


def _text(part: dict[str, Any]) -> list[str]:
    _READ.words(part, "text", "content")
    return strangers(part, {"text"})


def _post(part: dict[str, Any]) -> list[str]:
    languages = _READ.part(part, "post")
    if not languages:
        raise _refused(9499, _("缺少对象 {name}").format(name="post.zh_cn"))
    warnings = strangers(languages, {"zh_cn", "en_us", "ja_jp", "zh_hk", "zh_tw"})
    for language in languages:
        local = _READ.part(languages, language)
        _READ.optional(local, "title", f"post.{language}")
        rows = local.get("content")
        if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
            raise _refused(9499, _("{where} 应为一行行的列表").format(where=f"post.{language}.content"))
        for row in rows:
            for node in row:
                warnings += _node(node, f"post.{language}.content")
    return warnings


def _node(node: Any, where: str) -> list[str]:
    match node.get("tag") if isinstance(node, dict) else None:
        case "text":
            if not isinstance(node.get("text"), str):
                raise _refused(9499, _("缺少文字 {name}").format(name=f"{where}.text"))
            return []
        case "a":
            _READ.words(node, "text", where)
            return dead_link(_READ.words(node, "href", where), f"{where}.href")
        case "at":
            _READ.words(node, "user_id", where)
            return []
        case "img":
            return _image_key(node, "image_key", where)
        case _:
            raise _refused(9499, _("{where} 的 tag 应为 text、a、at、img 之一").format(where=where))


def _image_key(part: dict[str, Any], name: str, where: str) -> list[str]:
    if not re.match(r"img_", _READ.words(part, name, where)):
        raise _refused(9499, _("{where} 应为上传后得到的 img_…").format(where=f"{where}.{name}"))
    return []


def _image(part: dict[str, Any]) -> list[str]:
    return strangers(part, {"image_key"}) + _image_key(part, "image_key", "content")


def _share_chat(part: dict[str, Any]) -> list[str]:
    _READ.words(part, "share_chat_id", "content")
    return strangers(part, {"share_chat_id"})


def _card(card: dict[str, Any]) -> list[str]:
    warnings = _header(_READ.part(card, "header")) if "header" in card else []
    if card.get("schema") == "2.0":
        warnings += strangers(card, {"schema", "config", "header", "body", "card_link"})
        return warnings + _elements(_READ.part(card, "body"), "elements", "body", _ELEMENTS_V2)
    warnings += strangers(card, {"config", "header", "elements", "i18n_elements", "i18n_header", "card_link"})
    if "i18n_elements" in card:
        languages = _READ.part(card, "i18n_elements")
        if not languages:
            raise _refused(19002, _("缺少对象 {name}").format(name="i18n_elements.zh_cn"), UNKNOWN_CARD)
        for language in languages:
            warnings += _elements(languages, language, "i18n_elements", _ELEMENTS_V1)
        return warnings
    return warnings + _elements(card, "elements", "card", _ELEMENTS_V1)


def _header(header: dict[str, Any]) -> list[str]:
    warnings = _label(header, "title", "header")
    template = header.get("template", "blue")
    if template not in _TONES:
        warnings.append(_("平台不认识标题颜色 {name}").format(name=template))
    return warnings


_KINDS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "text": _text,
    "post": _post,
    "image": _image,
    "share_chat": _share_chat,
    "interactive": _card,
}


# Elements of cards

Element = Callable[[dict[str, Any], str, int], list[str]]


def _elements(
    holder: dict[str, Any], name: str, where: str, known: Mapping[str, Element], depth: int = 0
) -> list[str]:
    if depth > DEPTH:
        raise _refused(9499, _("分栏最多嵌套 {n} 层").format(n=DEPTH))
    warnings = []
    for number, element in enumerate(_READ.several(holder, name, where, least=1, most=200)):
        place = f"{where}.{name}[{number}]"
        tag = element.get("tag")
        if not isinstance(tag, str) or tag not in known:
            raise _refused(
                9499, _("{where} 的 tag 应为 {known} 之一").format(where=place, known=series(known))
            )
        warnings += known[tag](element, place, depth)
    return warnings


def _label(part: dict[str, Any], name: str, where: str) -> list[str]:
    """A text of a card: plain, or with the marks of lark_md."""
    text = _READ.part(part, name)
    content = _READ.words(text, "content", f"{where}.{name}")
    if text.get("tag") not in ("plain_text", "lark_md"):
        raise _refused(9499, _("{where} 的 tag 应为 plain_text 或 lark_md").format(where=f"{where}.{name}"))
    marks = _NOT_IN_LARK_MD | _NOT_IN_V1 | _FOREIGN_TAGS
    return unsupported(content, marks) if text["tag"] == "lark_md" else []


def _div(element: dict[str, Any], where: str, _depth: int) -> list[str]:
    warnings = []
    fields = _READ.several(element, "fields", where, most=20)
    if "text" in element or not fields:
        warnings += _label(element, "text", where)
    for number, one in enumerate(fields):
        warnings += _label(one, "text", f"{where}.fields[{number}]")
    return warnings


def _markdown_v1(element: dict[str, Any], where: str, _depth: int) -> list[str]:
    return unsupported(_READ.words(element, "content", where), _NOT_IN_V1 | _FOREIGN_TAGS)


def _markdown_v2(element: dict[str, Any], where: str, _depth: int) -> list[str]:
    return unsupported(_READ.words(element, "content", where), _FOREIGN_TAGS)


def _rule(_element: dict[str, Any], _where: str, _depth: int) -> list[str]:
    return []


def _picture(element: dict[str, Any], where: str, _depth: int) -> list[str]:
    _READ.part(element, "alt")
    return _image_key(element, "img_key", where)


def _note(element: dict[str, Any], where: str, _depth: int) -> list[str]:
    warnings = []
    for number, one in enumerate(_READ.several(element, "elements", where, least=1, most=20)):
        warnings += _label({"note": one}, "note", f"{where}.elements[{number}]")
    return warnings


def _action(element: dict[str, Any], where: str, depth: int) -> list[str]:
    return _elements(element, "actions", where, {"button": _button_v1}, depth)


def _button_v1(element: dict[str, Any], where: str, _depth: int) -> list[str]:
    return _label(element, "text", where) + _leads(_READ.optional(element, "url", where), where)


def _button_v2(element: dict[str, Any], where: str, _depth: int) -> list[str]:
    behaviours = _READ.several(element, "behaviors", where, most=5)
    urls = [
        _READ.words(one, "default_url", f"{where}.behaviors")
        for one in behaviours
        if one.get("type") == "open_url"
    ]
    return _label(element, "text", where) + _leads(urls[0] if urls else "", where)


def _leads(url: str, where: str) -> list[str]:
    if not url:
        return [_("{where} 没有网址，自定义机器人的按钮只能打开网页，点了没有反应").format(where=where)]
    return dead_link(url, where)


def _columns_v1(element: dict[str, Any], where: str, depth: int) -> list[str]:
    return _columns(element, where, depth, _ELEMENTS_V1)


def _columns_v2(element: dict[str, Any], where: str, depth: int) -> list[str]:
    return _columns(element, where, depth, _ELEMENTS_V2)


def _columns(element: dict[str, Any], where: str, depth: int, known: Mapping[str, Element]) -> list[str]:
    warnings = []
    for number, column in enumerate(_READ.several(element, "columns", where, least=1, most=20)):
        warnings += _elements(column, "elements", f"{where}.columns[{number}]", known, depth + 1)
    return warnings


_ELEMENTS_V1: dict[str, Element] = {
    "div": _div,
    "markdown": _markdown_v1,
    "hr": _rule,
    "img": _picture,
    "note": _note,
    "action": _action,
    "column_set": _columns_v1,
}
_ELEMENTS_V2: dict[str, Element] = {
    "div": _div,
    "markdown": _markdown_v2,
    "hr": _rule,
    "img": _picture,
    "button": _button_v2,
    "column_set": _columns_v2,
}


# The wall

_TEXT_AT = re.compile(r'<at user_id="(?P<id>[^"]*)">(?P<name>[^<]*)</at>')


def _text_piece(text: str) -> Piece:
    words = _TEXT_AT.sub(lambda at: "@" + (at["name"] or at["id"]), text)
    return Piece(kind="rich", text=words, html=_lines(words))


def _lines(words: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in words.split("\n"))


def _post_piece(local: dict[str, Any]) -> Piece:
    rows = ["".join(_node_text(node) for node in row) for row in local["content"]]
    drawn = [Markup("").join(_node_html(node) for node in row) for row in local["content"]]
    title = local.get("title") or ""
    head = Markup('<p class="h h3">{}</p>').format(title) if title else Markup()
    return Piece(
        kind="rich",
        text="\n".join(filter(None, [title, *rows])),
        html=head + Markup("").join(Markup("<p>{}</p>").format(row) for row in drawn),
    )


def _node_text(node: dict[str, Any]) -> str:
    match node["tag"]:
        case "text":
            return str(node["text"])
        case "a":
            return f"{node['text']} {node['href']}"
        case "at":
            return "@" + str(_called(node))
        case _:
            return ""


def _node_html(node: dict[str, Any]) -> Markup:
    match node["tag"]:
        case "a" if re.match(r"https?://", node["href"]):
            return Markup('<a href="{}" rel="noreferrer" target="_blank">{}</a>').format(
                node["href"], node["text"]
            )
        case "a":
            return escape(node["text"])
        case "at":
            return Markup('<span class="at">@{}</span>').format(_called(node))
        case "img":
            return Markup('<span class="picture big"></span>')
        case _:
            return escape(node["text"])


def _called(node: dict[str, Any]) -> object:
    return _("所有人") if node["user_id"] == "all" else node.get("user_name") or node["user_id"]


def _card_pieces(card: dict[str, Any]) -> list[Piece]:
    pieces = []
    if "header" in card:
        header = card["header"]
        tone = _TONES.get(header.get("template", "blue"), "")
        pieces.append(Piece(kind="head", title=header["title"]["content"], tone=tone))
    if card.get("schema") == "2.0":
        return pieces + _drawn(card["body"]["elements"], _V2)
    elements = _local(card["i18n_elements"]) if "i18n_elements" in card else card["elements"]
    return pieces + _drawn(elements, _V1)


def _drawn(elements: list[dict[str, Any]], dialect: Markdown) -> list[Piece]:
    return [piece for element in elements for piece in _element_pieces(element, dialect)]


def _element_pieces(element: dict[str, Any], dialect: Markdown) -> list[Piece]:
    match element["tag"]:
        case "div":
            texts = [element[name] for name in ("text",) if name in element]
            return [_label_piece(text) for text in texts + [one["text"] for one in element.get("fields", [])]]
        case "markdown":
            return [Piece(kind="rich", text=element["content"], html=dialect.html(element["content"]))]
        case "hr":
            return [Piece(kind="rule")]
        case "img":
            return [Piece(kind="picture", title=_("图片"), picture=True)]
        case "note":
            return [replace(_label_piece(one), kind="small") for one in element["elements"]]
        case "action":
            return [_button_piece(one, one.get("url", "")) for one in element["actions"]]
        case "button":
            urls = [
                one["default_url"] for one in element.get("behaviors", []) if one.get("type") == "open_url"
            ]
            return [_button_piece(element, urls[0] if urls else "")]
        case _:
            columns = [column["elements"] for column in element["columns"]]
            return [piece for column in columns for piece in _drawn(column, dialect)]


def _label_piece(text: dict[str, Any]) -> Piece:
    content = text["content"]
    drawn = _LARK_MD.html(content) if text["tag"] == "lark_md" else _lines(content)
    return Piece(kind="rich", text=content, html=drawn)


def _button_piece(button: dict[str, Any], url: str) -> Piece:
    return Piece(
        kind="button",
        title=button["text"]["content"],
        url=url,
        tone="bad" if button.get("type") == "danger" else "",
    )
