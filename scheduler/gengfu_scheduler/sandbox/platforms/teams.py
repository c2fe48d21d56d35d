"""A Microsoft Teams channel's workflow that begins "when a Teams webhook request is received".

https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook (the trigger and its body),
https://adaptivecards.io/explorer/ (members of elements), https://learn.microsoft.com/en-us/microsoftteams/platform/
task-modules-and-cards/cards/cards-format (Markdown of a TextBlock), webhooks-and-connectors/how-to/connectors-using
beside it (rates, MessageCard, 28 KB).

The trigger answers 202 as soon as the flow begins; whether the card could be posted only the flow's own history
tells (seen in https://github.com/polymind-inc/acmebot/issues/869). So here: a faulty card, or one too large, is
answered 202 and the channel sees nothing. The body of 401 and that of a missing api-version were seen in public.
A TextRun holds no Markdown by the schema; a line break in one was
seen on the desktop and missing on Android (https://github.com/microsoft/AdaptiveCards/issues/4914).
Inferred: the bodies of 404 and 429, that the rates of the retired connectors hold and are answered 429, that six
buttons are shown, how deep containers may nest, and that bold in Chinese follows CommonMark's rules. 28 KB are
documented; senders met the end at 21 KB, so 20 KB is the end here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from math import ceil
from typing import Any, ClassVar
from urllib.parse import SplitResult, quote, unquote

from markupsafe import Markup

from gengfu_scheduler.sandbox.contract import Answer, Piece, Platform, Post, Received, Refused, Robot, Verdict
from gengfu_scheduler.sandbox.marks import Dialect, linked
from gengfu_scheduler.sandbox.platforms.markdown import LINK, Markdown
from gengfu_scheduler.sandbox.platforms.reading import Reader, is_json, json_object, strangers, unsupported
from gengfu_scheduler.sandbox.rates import wait
from gengfu_templates.i18n import _, series

LIMITS = {
    timedelta(seconds=1): 4,
    timedelta(seconds=30): 60,
    timedelta(hours=1): 100,
    timedelta(hours=2): 150,
    timedelta(hours=24): 1800,
}
BODY_BYTES = 20_000
CARD_TYPE = "application/vnd.microsoft.card.adaptive"
DEPTH = 8
ITEMS = 100
"""In one list; more does not fit the size anyway."""
BUTTONS = 6
UNWRAPPED_CHARACTERS = 24
"""About what one line of a card holds on a phone."""

ERRORS = {
    "InvalidRequestContent": (400, "The request content is not valid."),
    "MissingApiVersionParameter": (
        400,
        "The api-version query parameter (?api-version=) is required for all requests.",
    ),
    "DirectApiAuthorizationRequired": (
        401,
        "The request must be authenticated only by Shared Access scheme.",
    ),
    "WorkflowNotFound": (404, "The workflow could not be found."),
    "TooManyRequests": (429, "Too many requests."),
}

_ANY = {"type", "id", "spacing", "separator", "height", "isVisible", "fallback", "requires"}
_MEMBERS = {
    "TextBlock": {
        "text",
        "color",
        "fontType",
        "horizontalAlignment",
        "isSubtle",
        "maxLines",
        "size",
        "style",
        "weight",
        "wrap",
    },
    "Image": {
        "url",
        "altText",
        "backgroundColor",
        "horizontalAlignment",
        "selectAction",
        "size",
        "style",
        "width",
    },
    "Container": {"items", "selectAction", "style", "verticalContentAlignment", "bleed", "minHeight"},
    "ColumnSet": {"columns", "selectAction", "style", "bleed", "minHeight", "horizontalAlignment"},
    "Column": {"items", "selectAction", "style", "verticalContentAlignment", "bleed", "minHeight", "width"},
    "RichTextBlock": {"inlines", "horizontalAlignment"},
    "FactSet": {"facts"},
    "ActionSet": {"actions"},
}
_RUN_MEMBERS = {
    "type",
    "text",
    "color",
    "fontType",
    "highlight",
    "isSubtle",
    "italic",
    "selectAction",
    "size",
    "strikethrough",
    "underline",
    "weight",
}
_CARD_MEMBERS = {"type", "$schema", "version", "body", "actions", "fallbackText", "speak", "lang", "msteams"}
_SECTION_TEXTS = ("activityTitle", "activitySubtitle", "text")
_CHOICES = {
    "size": ("default", "small", "medium", "large", "extralarge", "auto", "stretch"),
    "weight": ("default", "lighter", "bolder"),
    "color": ("default", "dark", "light", "accent", "good", "warning", "attention"),
    "spacing": ("default", "none", "small", "medium", "large", "extralarge", "padding"),
    "horizontalAlignment": ("left", "center", "right"),
}
_UNSUPPORTED = {
    _("标题"): re.compile(r"(?m)^#{1,6} "),
    _("表格"): re.compile(r"(?m)^\s*\|?[ :]*-{3,}[ :]*\|"),
    _("图片"): re.compile(r"!\[[^\]]*\]\("),
    _("代码"): re.compile(r"`[^`]+`|(?m:^)~~~"),
    _("引用"): re.compile(r"(?m)^> "),
    _("HTML 标签"): re.compile(r"</?(?!at>)[a-zA-Z]+(?: [^>]*)?/?>"),
}
# A mark opens and closes by CommonMark's rule of flanking, which Chinese without spaces often breaks.
_MARKS = Dialect(
    marks=re.compile(
        r"(?<!\\)(?:" + LINK + r"|<at>(?P<at>[^<]+)</at>"
        r"|(?:(?<!\w)\*\*(?=\S)|\*\*(?=\w))(?P<bold>[^\n]+?)(?:(?<=\w)\*\*|(?<=\S)\*\*(?!\w))"
        r"|(?<!\w)_(?P<italic>[^_\s]|[^_\s][^_\n]*[^_\s])_(?!\w))"
    ),
    plain=lambda text: re.sub(r"\\([^\w\s])", r"\1", text),
)
_MARKDOWN = Markdown(inline=_MARKS, lists=True, joined=True)


def _refusal(code: str, *headers: tuple[str, str]) -> Answer:
    status, text = ERRORS[code]
    body = json.dumps({"error": {"code": code, "message": text}}).encode()
    return Answer(status=status, body=body, headers=headers)


def _delivery_failed(status: int) -> Answer:
    text = (
        "Webhook message delivery failed with error: "
        f"Microsoft Teams endpoint returned HTTP error {status} with ContextId tcid=0,server=sandbox."
    )
    return Answer(body=text.encode(), content_type="text/plain; charset=utf-8")


class Teams(Platform):
    name = "teams"
    title = _("Teams")
    accepted = Answer(status=202)
    documented: ClassVar = {
        code: Verdict(answer=_refusal(code), seen=False, reason=_("按要求以此错误码拒收")) for code in ERRORS
    } | {
        "delivery-failed-400": Verdict(answer=_delivery_failed(400), seen=False, reason=_("按要求投递失败")),
        "delivery-failed-429": Verdict(answer=_delivery_failed(429), seen=False, reason=_("按要求投递失败")),
        "flow-failed": Verdict(answer=accepted, seen=False, reason=_("流程已开始，卡片没有发出")),
        "200-1": Verdict(answer=Answer(body=b"1", content_type="text/plain; charset=utf-8"), seen=True),
    }

    def address(self, key: str) -> str:
        return (
            f"/workflows/{quote(key, safe='')}/triggers/manual/paths/invoke"
            "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0"
            f"&sig=sandbox-{quote(key, safe='')}"
        )

    def key_in(self, target: SplitResult) -> str | None:
        found = re.fullmatch(
            r"(?:/powerautomate/automations/direct)?/workflows/([^/]*)/triggers/manual/paths/invoke",
            target.path,
        )
        return unquote(found[1]) if found else None

    def unknown_robot(self) -> Verdict:
        return Verdict(answer=_refusal("WorkflowNotFound"), seen=False, reason=_("没有这个流程"))

    def inspect(self, post: Post, robot: Robot, earlier: Sequence[Received]) -> list[str]:
        _check_address(post)
        _check_rate(post, earlier)
        message = _message(post)
        if len(post.body) > BODY_BYTES:
            raise _unposted(
                _("正文最多 {limit} 字节，收到 {size} 字节").format(limit=BODY_BYTES, size=len(post.body))
            )
        if message.get("@type") == "MessageCard":
            return _message_card(message)
        if message.get("type") != "message":
            raise _unposted(_("type 应为 message"))
        attachments = _READER.several(message, "attachments", "message", least=1, most=ITEMS)
        warnings = strangers(message, {"type", "attachments", "summary"})
        if len(attachments) > 1:
            warnings.append(_("每张卡片各成一条消息，共 {n} 条").format(n=len(attachments)))
        for place, attachment in enumerate(attachments):
            warnings += _card(attachment, f"attachments[{place}]")
        return list(dict.fromkeys(warnings))

    def draw(self, body: bytes) -> list[Piece]:
        message = json.loads(body)
        if message.get("@type") == "MessageCard":
            return _message_card_pieces(message)
        cards = [attachment["content"] for attachment in message["attachments"]]
        return [piece for card in cards for piece in _pieces(card.get("body", [])) + _button_pieces(card)]


def _unposted(reason: str, _detail: str = "") -> Refused:
    """The flow begins and fails: the sender is not told."""
    return Refused(Teams.accepted, reason)


_READER = Reader(_unposted)


def _check_address(post: Post) -> None:
    if not post.query.get("api-version"):
        raise Refused(_refusal("MissingApiVersionParameter"), _("网址里没有 api-version"))
    if not post.query.get("sig"):
        raise Refused(_refusal("DirectApiAuthorizationRequired"), _("网址里没有 sig"))


def _check_rate(post: Post, earlier: Sequence[Received]) -> None:
    left = wait(LIMITS, post.at, earlier)
    if left > timedelta():
        after = ("Retry-After", str(ceil(left.total_seconds())))
        raise Refused(_refusal("TooManyRequests", after), _("超过平台的频率限制"))


def _message(post: Post) -> dict[str, Any]:
    if not is_json(post):
        raise Refused(_refusal("InvalidRequestContent"), _("Content-Type 应为 application/json"))
    message = json_object(post.body)
    if message is None:
        raise Refused(_refusal("InvalidRequestContent"), _("正文应为一个 UTF-8 的 JSON 对象"))
    return message


# The checks of a card. Each returns the warnings.


def _card(attachment: dict[str, Any], where: str) -> list[str]:
    if attachment.get("contentType") != CARD_TYPE:
        raise _unposted(_("{where}：contentType 应为 {known}").format(where=where, known=CARD_TYPE))
    if attachment.get("contentUrl") is not None:
        raise _unposted(_("{where}：contentUrl 应为空").format(where=where))
    card = attachment.get("content")
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise _unposted(_("{where}：content 应为 AdaptiveCard").format(where=where))
    if not re.fullmatch(r"1\.[0-4]", str(card.get("version"))):
        raise _unposted(_("{where}：version 应为 1.0 至 1.4").format(where=where))
    warnings = strangers(attachment, {"contentType", "contentUrl", "content"})
    warnings += strangers(card, _CARD_MEMBERS)
    warnings += _elements(card, "body", f"{where}.content", DEPTH)
    warnings += _actions(card, f"{where}.content")
    if "<at>" in json.dumps(card.get("body"), ensure_ascii=False) and not _entities(card):
        warnings.append(_("<at> 没有对应的 msteams.entities，提醒不到人"))
    return warnings


def _entities(card: dict[str, Any]) -> Any:
    teams = card.get("msteams")
    return teams.get("entities") if isinstance(teams, dict) else None


def _elements(holder: dict[str, Any], name: str, where: str, depth: int) -> list[str]:
    if not depth:
        raise _unposted(_("{where}：嵌套过深").format(where=where))
    warnings = []
    for place, element in enumerate(_READER.several(holder, name, where, least=1, most=ITEMS)):
        here = f"{where}.{name}[{place}]"
        kind = "Column" if name == "columns" else element.get("type")
        if not isinstance(kind, str) or kind not in _MEMBERS or (kind == "Column") != (name == "columns"):
            raise _unposted(_("{where}：type 应为 {known} 之一").format(where=here, known=series(_MEMBERS)))
        warnings += strangers(element, _ANY | _MEMBERS[kind])
        warnings += _choices(element, here) + _tap(element, here)
        warnings += _element(element, kind, here, depth)
    return warnings


def _element(element: dict[str, Any], kind: str, where: str, depth: int) -> list[str]:
    match kind:
        case "TextBlock":
            return _text_block(element, where)
        case "RichTextBlock":
            return _runs(element, where)
        case "Image":
            return _image(element, where)
        case "FactSet":
            return _facts(element, where)
        case "ActionSet":
            return _actions(element, where, required=True)
        case "ColumnSet":
            return _elements(element, "columns", where, depth - 1)
        case _:
            return _elements(element, "items", where, depth - 1)


def _choices(element: dict[str, Any], where: str) -> list[str]:
    return [
        _("{where} 应为 {known} 之一").format(where=f"{where}.{name}", known=series(known))
        for name, known in _CHOICES.items()
        if name in element and str(element[name]).lower() not in known
    ]


def _text_block(element: dict[str, Any], where: str) -> list[str]:
    text = _READER.words(element, "text", where)
    warnings = unsupported(text, _UNSUPPORTED)
    if element.get("wrap") is not True and len(text) > UNWRAPPED_CHARACTERS:
        warnings.append(_("{where} 没有 wrap，只显示一行，余下的看不到").format(where=where))
    if any(not _listed(line) for line in _softly_broken(text)):
        warnings.append(_("{where} 的单个换行会变成空格，应空一行").format(where=where))
    return warnings


def _runs(element: dict[str, Any], where: str) -> list[str]:
    warnings = []
    for place, run in enumerate(_inlines(element)):
        here = f"{where}.inlines[{place}]"
        if run.get("type") != "TextRun":
            raise _unposted(_("{where}：type 应为 {known}").format(where=here, known="TextRun"))
        # A run of blanks alone keeps others apart.
        if run.get("text") != " ":
            text = _READER.words(run, "text", here)
            if re.search(r"[\r\n]", text):
                warnings.append(_("{where} 的换行在安卓手机上不显示，应另起一块").format(where=here))
        warnings += strangers(run, _RUN_MEMBERS) + _choices(run, here) + _tap(run, here)
    return warnings


def _inlines(element: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of a RichTextBlock; bare text stands for a run."""
    inlines = element.get("inlines")
    if isinstance(inlines, list):
        inlines = [{"type": "TextRun", "text": run} if isinstance(run, str) else run for run in inlines]
    return _READER.several({"inlines": inlines}, "inlines", "RichTextBlock", least=1, most=ITEMS)


def _softly_broken(text: str) -> list[str]:
    """The lines that follow another line, with no empty one between."""
    lines = re.split(r"\r\n?|\n", text.strip())
    return [line for before, line in pairwise(lines) if before.strip() and line.strip()]


def _listed(line: str) -> re.Match[str] | None:
    return re.match(r"\s*(?P<number>\d+[.)]|[-*+]) +(?P<words>.+)", line)


def _url(part: dict[str, Any], where: str) -> None:
    if not re.match(r"https?://[^\s/]", _READER.words(part, "url", where)):
        raise _unposted(_("{where} 不是完整的网址").format(where=f"{where}.url"))


def _image(element: dict[str, Any], where: str) -> list[str]:
    _url(element, where)
    if element.get("altText"):
        return []
    return [_("{where} 没有 altText，读屏的人不知道是什么图").format(where=where)]


def _facts(element: dict[str, Any], where: str) -> list[str]:
    warnings = []
    for place, fact in enumerate(_READER.several(element, "facts", where, least=1, most=ITEMS)):
        here = f"{where}.facts[{place}]"
        warnings += strangers(fact, {"title", "value"})
        for name in ("title", "value"):
            warnings += unsupported(_READER.words(fact, name, here), _UNSUPPORTED)
    return warnings


def _actions(holder: dict[str, Any], where: str, *, required: bool = False) -> list[str]:
    if "actions" not in holder and not required:
        return []
    warnings = []
    actions = _READER.several(holder, "actions", where, least=1, most=ITEMS)
    for place, action in enumerate(actions):
        here = f"{where}.actions[{place}]"
        _READER.words(action, "title", here)
        warnings += _action(action, here)
    if len(actions) > BUTTONS:
        warnings.append(_("{where} 只显示前 {limit} 个按钮").format(where=where, limit=BUTTONS))
    return warnings


def _tap(part: dict[str, Any], where: str) -> list[str]:
    """Check what a tap on an element does, if anything."""
    if "selectAction" not in part:
        return []
    return _action(_READER.part(part, "selectAction"), f"{where}.selectAction")


def _action(action: dict[str, Any], where: str) -> list[str]:
    if action.get("type") != "Action.OpenUrl":
        raise _unposted(_("{where}：type 应为 {known}").format(where=where, known="Action.OpenUrl"))
    _url(action, where)
    return strangers(action, {"type", "title", "url", "id", "style", "iconUrl", "tooltip"})


def _message_card(card: dict[str, Any]) -> list[str]:
    if not re.match(r"https?://schema\.org/extensions/?$", str(card.get("@context"))):
        raise _unposted(_("@context 应为 https://schema.org/extensions"))
    texts = [_READER.optional(card, name, "card") for name in ("summary", "text", "title")]
    if not any(texts[:2]):
        raise _unposted(_("缺少文字 {name}").format(name="summary / text"))
    known = {"@type", "@context", "summary", "title", "text", "themeColor", "sections", "potentialAction"}
    warnings = strangers(card, known)
    for place, section in enumerate(_READER.several(card, "sections", "card", most=ITEMS)):
        here = f"card.sections[{place}]"
        for name in _SECTION_TEXTS:
            _READER.optional(section, name, here)
        for fact in _READER.several(section, "facts", here, most=ITEMS):
            for name in ("name", "value"):
                _READER.words(fact, name, f"{here}.facts")
    if card.get("potentialAction"):
        warnings.append(_("流程不画 MessageCard 的按钮"))
    return warnings


# How the app draws them.


def _pieces(elements: list[dict[str, Any]]) -> list[Piece]:
    return [piece for element in elements for piece in _element_pieces(element)]


def _element_pieces(element: dict[str, Any]) -> list[Piece]:
    drawn = [Piece(kind="rule")] if element.get("separator") else []
    match element.get("type"):
        case "TextBlock":
            drawn.append(_text_piece(element))
        case "RichTextBlock":
            drawn.append(_runs_piece(element))
        case "Image":
            drawn.append(Piece(kind="picture", title=str(element.get("altText") or _("图片")), picture=True))
        case "FactSet":
            drawn.append(_facts_piece([(fact["title"], fact["value"]) for fact in element["facts"]]))
        case "ActionSet":
            drawn += _button_pieces(element)
        case "ColumnSet":
            drawn += [piece for column in element["columns"] for piece in _element_pieces(column)]
        case _:
            drawn += _pieces(element["items"])
    if action := element.get("selectAction"):
        drawn = [_linked(piece, action["url"]) if piece.kind == "rich" else piece for piece in drawn]
    return drawn


def _linked(piece: Piece, url: str) -> Piece:
    """The piece as one link; where it has links of its own, these."""
    return piece if "<a " in piece.html else replace(piece, html=linked(url, piece.html))


def _text_piece(element: dict[str, Any]) -> Piece:
    text = element["text"]
    drawn = _MARKDOWN.html(re.sub(r"\r\n?", "\n", text.strip()))
    classes = _classes(element) + ([] if element.get("wrap") is True else ["cut"])
    html = Markup('<div class="{}">{}</div>').format(" ".join(classes), drawn)
    return Piece(kind="rich", text=text, html=html)


def _runs_piece(element: dict[str, Any]) -> Piece:
    runs = _inlines(element)
    html = Markup("<p>{}</p>").format(Markup().join(_run_html(run) for run in runs))
    return Piece(kind="rich", text="".join(run["text"] for run in runs), html=html)


def _run_html(run: dict[str, Any]) -> Markup:
    html = Markup('<span class="{}">{}</span>').format(" ".join(_classes(run)), run["text"])
    for name, tag in _RUN_TAGS.items():
        html = tag.format(html) if run.get(name) is True else html
    return linked(run["selectAction"]["url"], html) if "selectAction" in run else html


def _classes(element: dict[str, Any]) -> list[str]:
    found = [
        _SIZES.get(str(element.get("size")).lower(), ""),
        "strong" if str(element.get("weight")).lower() == "bolder" else "",
        "comment" if element.get("isSubtle") is True else "",
        _COLOURS.get(str(element.get("color")).lower(), ""),
    ]
    return [name for name in found if name]


_RUN_TAGS = {
    "italic": Markup("<em>{}</em>"),
    "strikethrough": Markup("<s>{}</s>"),
    "underline": Markup("<u>{}</u>"),
}
_SIZES: Mapping[str, str] = {"extralarge": "h1", "large": "h2", "medium": "h3", "small": "fine"}
_COLOURS: Mapping[str, str] = {"good": "info", "warning": "warning", "attention": "attention", "accent": "at"}


def _facts_piece(facts: list[tuple[str, str]]) -> Piece:
    rows = [
        Markup("<p><strong>{}</strong>&emsp;{}</p>").format(_MARKS.html(title), _MARKS.html(value))
        for title, value in facts
    ]
    text = "\n".join(f"{title}　{value}" for title, value in facts)
    return Piece(kind="rich", text=text, html=Markup().join(rows))


def _button_pieces(holder: dict[str, Any]) -> list[Piece]:
    return [
        Piece(
            kind="button",
            title=action["title"],
            url=action["url"],
            tone="bad" if str(action.get("style")).lower() == "destructive" else "",
        )
        for action in holder.get("actions", [])[:BUTTONS]
    ]


def _message_card_pieces(card: dict[str, Any]) -> list[Piece]:
    title = card.get("title") or card.get("summary") or ""
    drawn = [_text_piece({"text": title, "size": "large", "weight": "bolder", "wrap": True})] if title else []
    if text := card.get("text"):
        drawn.append(_text_piece({"text": text, "wrap": True}))
    for section in card.get("sections", []):
        for name in _SECTION_TEXTS:
            if words := section.get(name):
                drawn.append(_text_piece({"text": words, "wrap": True}))
        if facts := section.get("facts"):
            drawn.append(_facts_piece([(fact["name"], fact["value"]) for fact in facts]))
    return drawn
