"""What a receiver of Standard Webhooks answers, by the status codes of the specification's section
"Delivery success and failure", and what each answer means for a delivery.
"""

from __future__ import annotations

from gengfu_scheduler.message import Outcome, Rejected, Sent, Throttled, Unknown

# status, headers, body, outcome; of an outcome's reason only the beginning is compared
REPLIES: list[tuple[int, dict[str, str], str, Outcome]] = [
    (200, {}, "ok", Sent(confirmed=True)),
    (202, {}, "", Sent(confirmed=True)),
    (204, {}, "", Sent(confirmed=True)),
    (200, {}, "<ok/>", Sent(confirmed=True)),
    (
        200,
        {"content-type": "text/html; charset=utf-8"},
        "<html>登录上网",
        Unknown(reason="HTTP 200 登录上网"),
    ),
    (200, {}, "<!DOCTYPE html><p>登录</p>", Unknown(reason="HTTP 200 登录")),
    (301, {"location": "https://new.example/"}, "", Unknown(reason="HTTP 301")),
    (308, {"location": "https://new.example/"}, "", Rejected(reason="HTTP 308")),
    (400, {}, "bad", Rejected(reason="HTTP 400 bad")),
    (401, {}, "signature", Rejected(reason="HTTP 401 signature")),
    (404, {}, "", Rejected(reason="HTTP 404")),
    (408, {}, "", Unknown(reason="HTTP 408")),
    (410, {}, "gone", Rejected(reason="HTTP 410 gone", disable=True)),
    (429, {"retry-after": "7"}, "", Throttled(after=7, reason="HTTP 429")),
    (
        429,
        {"retry-after": "Sat, 21 Nov 2026 12:02:00 GMT", "date": "Sat, 21 Nov 2026 12:00:00 GMT"},
        "",
        Throttled(after=120, reason="HTTP 429"),
    ),
    (429, {}, "", Throttled(after=60, reason="HTTP 429")),
    (429, {"retry-after": "soon"}, "", Throttled(after=60, reason="HTTP 429")),
    (429, {"retry-after": "9" * 40}, "", Throttled(after=86400, reason="HTTP 429")),
    (429, {"retry-after": "-5"}, "", Throttled(after=60, reason="HTTP 429")),
    (500, {}, "", Unknown(reason="HTTP 500")),
    (503, {"retry-after": "7"}, "", Unknown(reason="HTTP 503")),
]
