"""What WeCom's group robot answers, as seen in public, and what each answer means for a delivery.

Where a body was seen: ``0`` and ``40058`` in github.com/RayWangQvQ/BiliBiliToolPro issues 569 and 702, ``93000``
in wes-lin/Cloud189Checkin issue 175, ``45009`` in WecomTeam/wecom-openclaw-plugin issue 48.
"""

from __future__ import annotations

from gengfu_scheduler.message import Outcome, Rejected, Sent, Throttled, Unknown

_HINT = "hint: [1700000000123456789], from ip: 203.0.113.7"
TOO_LONG = f"markdown.content exceed max length 4096. invalid Request Parameter, {_HINT}"

# status, body, outcome; of an outcome's reason only the beginning is compared
REPLIES: list[tuple[int, str, Outcome]] = [
    (200, '{"errcode":0,"errmsg":"ok"}', Sent(confirmed=True)),
    (200, '{"errcode":0,"errmsg":"ok. Warning: wrong json format. "}', Sent(confirmed=False)),
    (200, '{"errcode":-1,"errmsg":"system busy"}', Throttled(after=10, reason="-1 system busy", retries=3)),
    (
        200,
        f'{{"errcode":45009,"errmsg":"api freq out of limit, {_HINT}"}}',
        Throttled(after=60, reason="45009 api freq out of limit"),
    ),
    (200, '{"errcode":45033,"errmsg":"concurrent"}', Throttled(after=10, reason="45033 ")),
    (
        200,
        f'{{"errcode":93000,"errmsg":"invalid webhook url, {_HINT}"}}',
        Rejected(reason="93000 invalid webhook url", disable=True),
    ),
    (200, '{"errcode":93004,"errmsg":"robot disabled"}', Rejected(reason="93004 ", disable=True)),
    (200, '{"errcode":93008,"errmsg":"not in group"}', Rejected(reason="93008 ", disable=True)),
    (200, f'{{"errcode":40058,"errmsg":"{TOO_LONG}"}}', Rejected(reason="40058 markdown.content exceed")),
    (200, '{"errcode":40008,"errmsg":"invalid message type"}', Rejected(reason="40008 ")),
    (200, '{"errcode":40033,"errmsg":"不能包含\\\\uxxxx格式的字符"}', Rejected(reason="40033 不能包含")),
    # a code nobody has documented: refused, and shown
    (200, '{"errcode":99999,"errmsg":"???"}', Rejected(reason="99999 ???")),
    # no code at all: nobody can say
    (200, "", Unknown(reason="看不懂的回答：HTTP 200")),
    (200, "<html><title>登录上网</title></html>", Unknown(reason="看不懂的回答：HTTP 200 登录上网")),
    (200, "[]", Unknown(reason="看不懂的回答：HTTP 200 []")),
    (200, '{"errcode":"0"}', Unknown(reason="看不懂的回答：")),
    (200, '{"errcode":false}', Unknown(reason="看不懂的回答：")),
    (200, '{"errcode":true}', Unknown(reason="看不懂的回答：")),
    (200, '{"errcode":0', Unknown(reason="看不懂的回答：")),
    # HTTP's own words
    (302, "", Unknown(reason="HTTP 302")),
    (307, "", Rejected(reason="HTTP 307")),
    (403, "forbidden", Rejected(reason="HTTP 403 forbidden")),
    (404, "", Rejected(reason="HTTP 404")),
    (408, "", Unknown(reason="HTTP 408")),
    (429, "", Throttled(after=60, reason="HTTP 429")),
    (500, '{"errcode":0,"errmsg":"ok"}', Unknown(reason="HTTP 500")),
    (502, "<html><style>p{}</style><p>Bad&#32;Gateway</html>", Unknown(reason="HTTP 502 Bad Gateway")),
    (504, "", Unknown(reason="HTTP 504")),
]
