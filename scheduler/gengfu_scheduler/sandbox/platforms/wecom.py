"""The group robot of WeCom 企业微信, now called 消息推送.

https://developer.work.weixin.qq.com/document/path/99110 (shapes and sizes),
https://developer.work.weixin.qq.com/document/path/90455 (codes). Every answer is HTTP 200: the code is in the
body. The texts of -1, 45009, 93000 and 40058 (too long) were seen in public; the other texts are inferred.
Where the documents name no code for a fault of ours, the nearest code refuses it: a stand-in that is too
strict costs a correction here, one that is too lax costs a message in a real group.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import SplitResult, parse_qs, quote

from markupsafe import Markup

from gengfu_scheduler.sandbox.contract import Answer, Piece, Platform, Post, Received, Refused, Robot, Verdict
from gengfu_scheduler.sandbox.platforms.markdown import BOLD, CODE, ITALIC, LINK, Markdown, marks
from gengfu_scheduler.sandbox.platforms.reading import (
    Reader,
    answer_json,
    dead_link,
    is_json,
    json_object,
    strangers,
    too_long,
    unsupported,
)
from gengfu_scheduler.sandbox.rates import wait
from gengfu_templates.i18n import _, series

PATH = "/cgi-bin/webhook/send"
RATE = 20
RATE_WINDOW = timedelta(minutes=1)
TEXT_BYTES = 2048
MARKDOWN_BYTES = 4096
NEWS_ARTICLES = 8
TITLE_BYTES = 128
DESCRIPTION_BYTES = 512
IMAGE_BYTES = 2 * 1024 * 1024

ERRORS = {
    -1: "system busy",
    40006: "invalid media size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40009: "invalid image size",
    40033: "invalid charset. not allow \\uxxxx",
    40035: "invalid parameter",
    40058: "invalid Request Parameter",
    45009: "api freq out of limit",
    45033: "api concurrent out of limit",
    93000: "invalid webhook url",
    93004: "robot disabled",
    93008: "robot not in group",
}

# An escape counts only where its backslash is not itself escaped.
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u[0-9a-fA-F]{4}")
MARKDOWN = Markdown(
    inline=marks(
        CODE,
        LINK,
        BOLD,
        r'<font color="info">(?P<info>.*?)</font>',
        r'<font color="comment">(?P<comment>.*?)</font>',
        r'<font color="warning">(?P<coloured>.*?)</font>',
        r"<@(?P<at>[^>\s]+)>",
    ),
    headings=True,
    quotes=True,
)
MARKDOWN_V2 = Markdown(
    inline=marks(CODE, LINK, BOLD, ITALIC, r"!\[[^\]\n]*\]\((?P<picture>https?://[^\s)]+)\)"),
    headings=True,
    quotes=True,
    lists=True,
    rules=True,
    fences=True,
)
_UNSUPPORTED_V1 = {
    _("列表"): re.compile(r"(?m)^\s*(?:[-*+]|\d+[.)])\s+\S"),
    _("图片"): re.compile(r"!\[[^\]]*\]\("),
    _("表格"): re.compile(r"(?m)^\s*\|?[ :]*-{3,}[ :]*\|"),
    _("分隔线"): re.compile(r"(?m)^\s*(?:-{3,}|\*{3,}|_{3,})\s*$"),
    _("代码块"): re.compile(r"(?m)^\s*(?:```|~~~)"),
    _("@所有人"): re.compile(r"<?@(?:all|所有人)\b"),
    _("info、comment、warning 以外的字色"): re.compile(r'<font(?! color="(?:info|comment|warning)">)'),
    _("font 以外的 HTML 标签"): re.compile(r"</?(?!font\b)[a-zA-Z][^>]*>"),
}
_UNSUPPORTED_V2 = {
    _("字色"): re.compile(r"<font"),
    _("@成员"): re.compile(r"<@[^>]+>"),
}
# Recommended longest texts of a template card, in characters, by the path to the field.
_CARD_CHARACTERS = {
    ("source", "desc"): 13,
    ("main_title", "title"): 26,
    ("main_title", "desc"): 30,
    ("emphasis_content", "title"): 10,
    ("emphasis_content", "desc"): 15,
    ("sub_title_text",): 112,
}


def refusal(code: int, detail: str = "") -> Answer:
    """The platform's answer with this code; ``detail`` goes before the code's own text."""
    text = ". ".join(filter(None, (detail, ERRORS[code])))
    if code != -1:
        text += (
            ", hint: [sandbox], from ip: 127.0.0.1, "
            f"more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
    return _answer(code, text)


def _answer(code: int, text: str) -> Answer:
    return Answer(body=answer_json({"errcode": code, "errmsg": text}))


class WeCom(Platform):
    name = "wecom"
    title = _("企业微信")
    accepted = _answer(0, "ok")
    documented: ClassVar = {
        str(code): Verdict(answer=refusal(code), seen=False, reason=_("按要求以此错误码拒收"))
        for code in ERRORS
    } | {"wrong-json": Verdict(answer=_answer(0, "ok. Warning: wrong json format. "), seen=True)}

    def address(self, key: str) -> str:
        return f"{PATH}?key={quote(key, safe='')}"

    def key_in(self, target: SplitResult) -> str | None:
        return parse_qs(target.query).get("key", [""])[0] if target.path == PATH else None

    def unknown_robot(self) -> Verdict:
        return Verdict(answer=refusal(93000), seen=False, reason=_("没有机器人使用这个 key"))

    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        payload = _payload(post)
        kind = payload.get("msgtype")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise _refused(40008, _("msgtype 应为 {known} 之一").format(known=series(_KINDS)))
        warnings = strangers(payload, {"msgtype", kind})
        warnings += _KINDS[kind](_READ.part(payload, kind))
        _check_rate(post, earlier)
        return warnings

    def draw(self, body: bytes) -> list[Piece]:
        payload = json.loads(body)
        kind = payload["msgtype"]
        part = payload[kind]
        match kind:
            case "text":
                return [_text_piece(part)]
            case "markdown" | "markdown_v2":
                drawn = (MARKDOWN if kind == "markdown" else MARKDOWN_V2).html(part["content"])
                return [Piece(kind="rich", text=part["content"], html=drawn)]
            case "news":
                return _news_pieces(part["articles"])
            case "image":
                return [Piece(kind="picture", title=_("图片"), picture=True)]
            case _:
                return _card_pieces(part)


def _refused(code: int, reason: str, detail: str = "") -> Refused:
    return Refused(refusal(code, detail), reason)


_READ = Reader(lambda reason, detail: _refused(40058, reason, detail))
_LISTS = Reader(lambda reason, _detail: _refused(40035, reason))


def _payload(post: Post) -> dict[str, Any]:
    if not is_json(post):
        raise _refused(40008, _("Content-Type 应为 application/json"))
    if _ESCAPED.search(post.body):
        raise _refused(40033, _("正文含有 \\uxxxx 转义，应直接发送 UTF-8 汉字"))
    payload = json_object(post.body)
    if payload is None:
        raise _refused(40008, _("正文不是 UTF-8 的 JSON 对象"))
    return payload


def _check_rate(post: Post, earlier: Sequence[Received]) -> None:
    if wait({RATE_WINDOW: RATE}, post.at, earlier) > timedelta():
        raise _refused(45009, _("一分钟内超过 {n} 条").format(n=RATE))


def _content(part: dict[str, Any], where: str, limit: int) -> str:
    content = _READ.words(part, "content", where)
    size = len(content.encode())
    if size > limit:
        raise _refused(
            40058,
            _("{where} 最多 {limit} 字节，收到 {size} 字节").format(
                where=f"{where}.content", limit=limit, size=size
            ),
            f"{where}.content exceed max length {limit}",
        )
    return content


def _text(part: dict[str, Any]) -> list[str]:
    _content(part, "text", TEXT_BYTES)
    for name in ("mentioned_list", "mentioned_mobile_list"):
        _LISTS.texts(part, name, "text")
    return strangers(part, {"content", "mentioned_list", "mentioned_mobile_list"})


def _markdown(part: dict[str, Any]) -> list[str]:
    content = _content(part, "markdown", MARKDOWN_BYTES)
    return strangers(part, {"content"}) + unsupported(content, _UNSUPPORTED_V1)


def _markdown_v2(part: dict[str, Any]) -> list[str]:
    content = _content(part, "markdown_v2", MARKDOWN_BYTES)
    return strangers(part, {"content"}) + unsupported(content, _UNSUPPORTED_V2)


def _news(part: dict[str, Any]) -> list[str]:
    warnings = strangers(part, {"articles"})
    articles = _READ.several(part, "articles", "news", least=1, most=NEWS_ARTICLES)
    for number, article in enumerate(articles):
        where = f"news.articles[{number}]"
        warnings += strangers(article, {"title", "description", "url", "picurl"})
        warnings += too_long(_READ.words(article, "title", where), f"{where}.title", TITLE_BYTES)
        warnings += too_long(
            _READ.optional(article, "description", where), f"{where}.description", DESCRIPTION_BYTES
        )
        warnings += dead_link(_READ.words(article, "url", where), f"{where}.url")
        picture = _READ.optional(article, "picurl", where)
        if picture and not re.search(r"(?i)\.(?:jpe?g|png)(?:[?#]|$)", picture):
            warnings.append(_("{where} 应为 JPG 或 PNG，群里看不到图片").format(where=f"{where}.picurl"))
    return warnings


def _image(part: dict[str, Any]) -> list[str]:
    encoded = _READ.words(part, "base64", "image")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise _refused(40035, _("image.base64 不是不带换行的 base64")) from None
    if len(raw) > IMAGE_BYTES:
        raise _refused(40009, _("图片最大 2 MB"))
    if not raw.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise _refused(40009, _("图片应为 JPG 或 PNG"))
    if part.get("md5") != hashlib.md5(raw, usedforsecurity=False).hexdigest():
        raise _refused(40035, _("image.md5 应为原图的小写 md5"))
    return strangers(part, {"base64", "md5"})


def _media(part: dict[str, Any]) -> list[str]:
    # The sandbox takes no uploads, so no media_id can be a known one.
    raise _refused(40007, _("没有上传过这个 media_id"))


def _template_card(part: dict[str, Any]) -> list[str]:
    if part.get("card_type") not in ("text_notice", "news_notice"):
        raise _refused(40058, _("card_type 应为 text_notice 或 news_notice"), "invalid card_type")
    action = _READ.part(part, "card_action")
    if action.get("type") not in (1, 2):
        raise _refused(40058, _("card_action.type 应为 1 或 2"), "invalid card_action.type")
    _READ.words(action, "url" if action["type"] == 1 else "appid", "card_action")
    lines = _READ.several(part, "horizontal_content_list", "template_card", most=6)
    jumps = _READ.several(part, "jump_list", "template_card", most=3)
    lengths = [
        (".".join(path), words, limit)
        for path, limit in _CARD_CHARACTERS.items()
        if isinstance(words := _dig(part, path), str)
    ]
    lengths += [("keyname", str(line.get("keyname", "")), 5) for line in lines]
    lengths += [("value", str(line.get("value", "")), 26) for line in lines]
    lengths += [("jump_list.title", str(jump.get("title", "")), 13) for jump in jumps]
    return [
        _("{where} 建议不超过 {limit} 字，收到 {size} 字").format(where=where, limit=limit, size=len(words))
        for where, words, limit in lengths
        if len(words) > limit
    ]


def _dig(part: dict[str, Any], path: Iterable[str]) -> Any:
    found: Any = part
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


_KINDS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "text": _text,
    "markdown": _markdown,
    "markdown_v2": _markdown_v2,
    "image": _image,
    "news": _news,
    "file": _media,
    "voice": _media,
    "template_card": _template_card,
}


def _text_piece(part: dict[str, Any]) -> Piece:
    called = [*part.get("mentioned_list", []), *part.get("mentioned_mobile_list", [])]
    everyone = [_("所有人") if one == "@all" else one for one in called]
    words = "\n".join([part["content"], " ".join(f"@{one}" for one in everyone)]).strip()
    return Piece(kind="rich", text=words, html=Markup("<br>").join(words.split("\n")))


def _news_pieces(articles: list[dict[str, str]]) -> list[Piece]:
    return [
        Piece(
            kind="row" if number else "cover",
            title=_cut(article["title"], TITLE_BYTES),
            text=_cut(article.get("description") or "", DESCRIPTION_BYTES),
            url=article["url"],
            picture=bool(article.get("picurl")),
        )
        for number, article in enumerate(articles)
    ]


def _cut(words: str, limit: int) -> str:
    raw = words.encode()
    return words if len(raw) <= limit else raw[:limit].decode(errors="ignore") + "…"


def _card_pieces(part: dict[str, Any]) -> list[Piece]:
    lines = [
        f"{line.get('keyname', '')}　{line.get('value', '')}"
        for line in part.get("horizontal_content_list", [])
    ]
    texts = [_dig(part, ("main_title", "desc")), part.get("sub_title_text"), *lines]
    url = str(part["card_action"].get("url", ""))
    card = Piece(
        kind="row",
        title=str(_dig(part, ("main_title", "title")) or ""),
        text="\n".join(str(text) for text in texts if text),
        url=url,
    )
    return [card] + [
        Piece(kind="row", title=str(jump.get("title", "")), url=str(jump.get("url", "")))
        for jump in part.get("jump_list", [])
    ]
