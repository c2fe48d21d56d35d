"""What Feishu's custom bot answers, as seen in public, and what each answer means for a delivery.

Where a body was seen: success, ``19021`` and ``19024`` on Feishu's own page; ``9499`` with HTTP 400 in
github.com/ccfos/nightingale issue 1437, ``19001`` in sansan0/TrendRadar issue 278, ``2200`` in openclaw/openclaw
issue 70879.
"""

from __future__ import annotations

from gengfu_scheduler.message import Outcome, Rejected, Sent, Throttled, Unknown

OK = '{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}'
STALE = (
    '{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time","data":{}}'
)
_LIMITED = '{"code":99991400,"msg":"request trigger frequency limit"}'

# status, headers, body, outcome; of an outcome's reason only the beginning is compared
REPLIES: list[tuple[int, dict[str, str], str, Outcome]] = [
    (200, {}, OK, Sent(confirmed=True)),
    (200, {}, '{"code":9499,"msg":"Bad Request","data":{}}', Rejected(reason="9499 Bad Request")),
    # read by the code before the status is judged
    (400, {}, '{"code":9499,"msg":"too many request"}', Throttled(after=60, reason="9499 too many request")),
    (400, {}, '{"code":9499,"msg":"Bad Request"}', Rejected(reason="9499 Bad Request")),
    (400, {}, _LIMITED, Throttled(after=60, reason="99991400 ")),
    (400, {"x-ogw-ratelimit-reset": "7"}, _LIMITED, Throttled(after=7, reason="99991400 ")),
    (429, {"x-ogw-ratelimit-reset": "9"}, _LIMITED, Throttled(after=9, reason="99991400 ")),
    (429, {"x-ogw-ratelimit-reset": "9"}, "", Throttled(after=9, reason="HTTP 429")),
    (429, {"x-ogw-ratelimit-reset": "soon", "retry-after": "5"}, "", Throttled(after=5, reason="HTTP 429")),
    (429, {"x-ogw-ratelimit-reset": "9" * 40}, "", Throttled(after=86400, reason="HTTP 429")),
    (200, {}, '{"code":11232,"msg":"frequency limited"}', Throttled(after=60, reason="11232 ")),
    (200, {}, '{"code":230006,"msg":"?"}', Throttled(after=60, reason="230006 ")),
    (200, {}, '{"code":230020,"msg":"?"}', Throttled(after=60, reason="230020 ")),
    (200, {}, '{"code":2200,"msg":"internal error"}', Throttled(after=10, reason="2200 ", retries=3)),
    (200, {}, STALE, Throttled(after=1, reason="19021 sign match fail", retries=1)),
    (
        200,
        {},
        '{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}',
        Rejected(reason="19001 param invalid", disable=True),
    ),
    (200, {}, '{"code":19007,"msg":"bot disabled"}', Rejected(reason="19007 ", disable=True)),
    (200, {}, '{"code":19002,"msg":"params error, msg_type need"}', Rejected(reason="19002 params error")),
    (200, {}, '{"code":19022,"msg":"Ip Not Allowed"}', Rejected(reason="19022 Ip Not Allowed")),
    (200, {}, '{"code":19024,"msg":"Key Words Not Found"}', Rejected(reason="19024 Key Words Not Found")),
    (200, {}, '{"code":19036,"msg":"too large"}', Rejected(reason="19036 ")),
    (200, {}, '{"code":11310,"msg":"card table number over limit"}', Rejected(reason="11310 ")),
    # a code nobody has documented: refused, and shown
    (200, {}, '{"code":99999,"msg":"???"}', Rejected(reason="99999 ???")),
    (400, {}, '{"code":99999,"msg":"???"}', Rejected(reason="99999 ???")),
    # no code at all, or one that the status belies: nobody can say
    (200, {}, "", Unknown(reason="看不懂的回答：HTTP 200")),
    (200, {}, '{"StatusCode":0}', Unknown(reason="看不懂的回答：HTTP 200")),
    (200, {}, "<html>登录上网</html>", Unknown(reason="看不懂的回答：HTTP 200 登录上网")),
    (500, {}, OK, Unknown(reason="HTTP 500")),
    (502, {}, '{"code":9499,"msg":"too many request"}', Unknown(reason="HTTP 502")),
    (408, {}, "", Unknown(reason="HTTP 408")),
    (302, {}, "", Unknown(reason="HTTP 302")),
    # refused by the status alone
    (400, {}, "", Rejected(reason="HTTP 400")),
    (400, {}, OK, Rejected(reason="HTTP 400")),
    (404, {}, "<html>not found</html>", Rejected(reason="HTTP 404 not found")),
]
