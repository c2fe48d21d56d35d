"""What Discord's webhooks answer, as documented and seen in public, and what each answer means for a delivery.

Where a body was seen: discord/discord-api-docs, ``topics/rate-limits`` (429), issue 367 (429), and
``topics/opcodes-and-status-codes`` (10015, 50006, 50027, 50035, 220001).
"""

from __future__ import annotations

from gengfu_scheduler.message import Outcome, Rejected, Sent, Throttled, Unknown

_SLOW = '{"message":"You are being rate limited.","retry_after":0.64,"global":false}'

# status, headers, body, outcome; of an outcome's reason only the beginning is compared
REPLIES: list[tuple[int, dict[str, str], str, Outcome]] = [
    (200, {}, '{"id":"1573669306368000000","channel_id":"1300","content":"…"}', Sent(confirmed=True)),
    (204, {}, "", Sent(confirmed=False)),
    # the address leads nowhere any more
    (404, {}, '{"message":"Unknown Webhook","code":10015}', Rejected(reason="HTTP 404 ", disable=True)),
    (404, {}, "", Rejected(reason="HTTP 404", disable=True)),
    (401, {}, '{"message":"Invalid Webhook Token","code":50027}', Rejected(reason="HTTP 401 ", disable=True)),
    (401, {}, '{"message":"401: Unauthorized","code":0}', Rejected(reason="HTTP 401 ", disable=True)),
    # this message is refused
    (400, {}, '{"message":"Invalid Form Body","code":50035}', Rejected(reason="HTTP 400 ")),
    (400, {}, '{"message":"Cannot send an empty message","code":50006}', Rejected(reason="HTTP 400 ")),
    (400, {}, '{"message":"Webhooks posted to forum …","code":220001}', Rejected(reason="HTTP 400 ")),
    (400, {}, '{"embeds":["0"]}', Rejected(reason='HTTP 400 {"embeds":["0"]}')),
    (400, {}, '{"code":[]}', Rejected(reason='HTTP 400 {"code":[]}')),
    (403, {}, '{"message":"Missing Permissions","code":50013}', Rejected(reason="HTTP 403 ", disable=True)),
    # too many: the body says it more exactly than the header
    (429, {"retry-after": "1"}, _SLOW, Throttled(after=0.64, reason="HTTP 429 ")),
    (429, {"retry-after": "7"}, '{"message":"…"}', Throttled(after=7, reason="HTTP 429 ")),
    (429, {}, '{"retry_after":"soon"}', Throttled(after=60, reason="HTTP 429 ")),
    (429, {}, '{"retry_after":1e9}', Throttled(after=86400, reason="HTTP 429 ")),
    (429, {}, '{"retry_after":1' + "0" * 400 + "}", Throttled(after=86400, reason="HTTP 429 ")),
    (429, {}, "<html>error 1015</html>", Throttled(after=60, reason="HTTP 429 error 1015")),
    # nobody can say
    (500, {}, '{"message":"Internal Server Error","code":10015}', Unknown(reason="HTTP 500 ")),
    (502, {}, "", Unknown(reason="HTTP 502")),
    (408, {}, "", Unknown(reason="HTTP 408")),
    (302, {}, "", Unknown(reason="HTTP 302")),
    (200, {}, "", Unknown(reason="看不懂的回答：HTTP 200")),
    (200, {}, "[]", Unknown(reason="看不懂的回答：HTTP 200 []")),
    (200, {}, '{"message":"?"}', Unknown(reason="看不懂的回答：HTTP 200 ")),
    (200, {}, "<html><title>登录上网</title></html>", Unknown(reason="看不懂的回答：HTTP 200 登录上网")),
]
