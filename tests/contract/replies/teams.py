"""What Teams' Workflows webhooks answer, as seen in public, and what each answer means for a delivery.

Where an answer was seen: github.com/containrrr/shoutrrr PR 900 and keel PR 843 (202),
MicrosoftDocs/msteams-docs issues 402 and 9698 (200 with a failure, 200 with ``1``), notify-microsoft-teams
issue 98 (200 from a flow's own Response action), caronc/apprise issue 1161 (400).
"""

from __future__ import annotations

from gengfu_scheduler.message import Outcome, Rejected, Sent, Throttled, Unknown

_FAILED = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error"

# status, headers, body, outcome; of an outcome's reason only the beginning is compared
REPLIES: list[tuple[int, dict[str, str], str, Outcome]] = [
    # the flow began
    (202, {}, "", Sent(confirmed=False)),
    # a connector posted; a flow says at its end what its maker made it say
    (200, {}, "1", Sent(confirmed=True)),
    (200, {}, "0", Sent(confirmed=False)),
    (200, {}, "", Sent(confirmed=False)),
    (200, {}, '{"posted":true}', Sent(confirmed=False)),
    # 200, and it failed
    (200, {}, f"{_FAILED} 400 with ContextId …", Rejected(reason=f"HTTP 200 {_FAILED} 400")),
    (200, {}, f"{_FAILED} 404 with ContextId …", Rejected(reason="HTTP 200 ", disable=True)),
    (200, {}, f"{_FAILED} 413 with ContextId …", Rejected(reason="HTTP 200 ")),
    (200, {}, f"{_FAILED} 418 with ContextId …", Rejected(reason="HTTP 200 ")),
    (200, {}, f"{_FAILED} 429 with ContextId …", Throttled(after=60, reason="HTTP 200 ")),
    (200, {}, f"{_FAILED} 502 with ContextId …", Unknown(reason="HTTP 200 ")),
    (200, {}, "Webhook message delivery failed", Unknown(reason="看不懂的回答：HTTP 200 Webhook")),
    # refused
    (400, {}, '{"error":{"code":"MissingApiVersionParameter"}}', Rejected(reason="HTTP 400 ")),
    (401, {}, '{"error":{"code":"AuthorizationFailed"}}', Rejected(reason="HTTP 401 ", disable=True)),
    (403, {}, "", Rejected(reason="HTTP 403", disable=True)),
    (404, {}, '{"error":{"code":"WorkflowNotFound"}}', Rejected(reason="HTTP 404 ", disable=True)),
    (413, {}, "", Rejected(reason="HTTP 413")),
    (415, {}, "", Rejected(reason="HTTP 415")),
    # too many
    (429, {"retry-after": "12"}, "", Throttled(after=12, reason="HTTP 429")),
    (429, {}, "", Throttled(after=60, reason="HTTP 429")),
    # nobody can say
    (408, {}, "", Unknown(reason="HTTP 408")),
    (500, {}, "", Unknown(reason="HTTP 500")),
    (502, {}, '{"error":{"code":"NoResponse"}}', Unknown(reason="HTTP 502 ")),
    (302, {}, "", Unknown(reason="HTTP 302")),
    (204, {}, "", Unknown(reason="看不懂的回答：HTTP 204")),
    (200, {}, "<html><title>登录上网</title></html>", Unknown(reason="看不懂的回答：HTTP 200 登录上网")),
]
