"""What Slack's incoming webhooks answer, as seen in public, and what each answer means for a delivery.

Where a body was seen: api.slack.com/changelog/2016-05-17 (``invalid_payload`` to ``rollup_error``),
github.com/slackapi/slack-github-action issue 249 (``no_service``), slackapi/bolt-js issue 2509
(``msg_blocks_too_long``), slackapi/node-slack-sdk issue 2673 (200 without a body).
"""

from __future__ import annotations

from gengfu_scheduler.message import Outcome, Rejected, Sent, Throttled, Unknown

# status, headers, body, outcome; of an outcome's reason only the beginning is compared
REPLIES: list[tuple[int, dict[str, str], str, Outcome]] = [
    (200, {}, "ok", Sent(confirmed=True)),
    (200, {"content-type": "text/html"}, "ok", Sent(confirmed=True)),
    # the address leads nowhere any more
    (404, {}, "no_service", Rejected(reason="HTTP 404 no_service", disable=True)),
    (403, {}, "no_service", Rejected(reason="HTTP 403 no_service", disable=True)),
    (404, {}, "no_team", Rejected(reason="HTTP 404 no_team", disable=True)),
    (404, {}, "team_disabled", Rejected(reason="HTTP 404 team_disabled", disable=True)),
    (403, {}, "invalid_token", Rejected(reason="HTTP 403 invalid_token", disable=True)),
    (404, {}, "channel_not_found", Rejected(reason="HTTP 404 channel_not_found", disable=True)),
    (410, {}, "channel_is_archived", Rejected(reason="HTTP 410 channel_is_archived", disable=True)),
    # this message is refused
    (403, {}, "action_prohibited", Rejected(reason="HTTP 403 action_prohibited")),
    (400, {}, "invalid_payload", Rejected(reason="HTTP 400 invalid_payload")),
    (400, {}, "invalid_blocks", Rejected(reason="HTTP 400 invalid_blocks")),
    (400, {}, "invalid_blocks_format", Rejected(reason="HTTP 400 invalid_blocks_format")),
    (400, {}, "msg_blocks_too_long", Rejected(reason="HTTP 400 msg_blocks_too_long")),
    (400, {}, "no_text", Rejected(reason="HTTP 400 no_text")),
    (400, {}, "user_not_found", Rejected(reason="HTTP 400 user_not_found")),
    # a word nobody has documented, and none
    (400, {}, "something_new", Rejected(reason="HTTP 400 something_new")),
    (404, {}, "", Rejected(reason="HTTP 404")),
    # too many
    (429, {"retry-after": "30"}, "rate_limited", Throttled(after=30, reason="HTTP 429 rate_limited")),
    (429, {}, "rate_limited", Throttled(after=60, reason="HTTP 429 rate_limited")),
    # nobody can say
    (500, {}, "rollup_error", Unknown(reason="HTTP 500 rollup_error")),
    (500, {}, "no_service", Unknown(reason="HTTP 500 no_service")),
    (503, {}, "", Unknown(reason="HTTP 503")),
    (408, {}, "", Unknown(reason="HTTP 408")),
    (302, {}, "", Unknown(reason="HTTP 302")),
    (200, {}, "", Unknown(reason="看不懂的回答：HTTP 200")),
    (200, {}, "invalid_payload", Unknown(reason="看不懂的回答：HTTP 200 invalid_payload")),
    (200, {}, "<html><title>登录上网</title></html>", Unknown(reason="看不懂的回答：HTTP 200 登录上网")),
    (202, {}, "ok", Unknown(reason="看不懂的回答：HTTP 202 ok")),
]
