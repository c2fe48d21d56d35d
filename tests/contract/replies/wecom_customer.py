"""What WeCom answers about tasks for customer groups, as its pages show it, and what each answer means.

Bodies: developer.work.weixin.qq.com path/92135 (a task), path/93338 (its results; the statuses and that chats still to be
chosen are not named stand in the comments of github.com/handsomegyr/qyweixin), path/97610, path/97611, path/91039.
Codes: path/90313; the longer texts are those of other calls.
"""

from __future__ import annotations

from gengfu_scheduler.message import Handed, Outcome, Rejected, Throttled, Unknown

TASK = "msgGCAAAXtWyujaWJHDDGi0mACAAAA"
LEFT_OUT = f'{{"errcode":0,"errmsg":"ok","fail_list":["wrB"],"msgid":"{TASK}"}}'

# status, body, what became of the making of a task; of an outcome's reason only the beginning is compared
CREATED: list[tuple[int, str, Outcome]] = [
    (200, f'{{"errcode":0,"errmsg":"ok","fail_list":[],"msgid":"{TASK}"}}', Handed(to="", task=TASK)),
    (200, LEFT_OUT, Handed(to="", task=TASK)),
    (200, '{"errcode":-1,"errmsg":"system busy"}', Throttled(after=10, reason="-1 system busy", retries=3)),
    (200, '{"errcode":45009,"errmsg":"api freq out of limit"}', Throttled(after=60, reason="45009 ")),
    (200, '{"errcode":45033,"errmsg":"concurrent"}', Throttled(after=10, reason="45033 ")),
    (
        200,
        '{"errcode":40014,"errmsg":"invalid access_token"}',
        Throttled(after=60, reason="40014 ", retries=3),
    ),
    (200, '{"errcode":48002,"errmsg":"api forbidden for no authority"}', Rejected(reason="48002 api")),
    (200, '{"errcode":60020,"errmsg":"not allow to access from your ip"}', Rejected(reason="60020 not")),
    (200, '{"errcode":60111,"errmsg":"userid not found"}', Rejected(reason="60111 userid")),
    (200, '{"errcode":41048,"errmsg":"no customer to send"}', Rejected(reason="41048 ")),
    # a code nobody has documented: refused, and shown
    (200, '{"errcode":99999,"errmsg":"???"}', Rejected(reason="99999 ???")),
    # said to be made, and without its name: nobody can say what became of it
    (200, '{"errcode":0,"errmsg":"ok"}', Unknown(reason="看不懂的回答：HTTP 200")),
    (200, '{"errcode":0,"errmsg":"ok","msgid":7}', Unknown(reason="看不懂的回答：HTTP 200")),
    (200, "<html><title>登录上网</title></html>", Unknown(reason="看不懂的回答：HTTP 200 登录上网")),
    (200, "", Unknown(reason="看不懂的回答：HTTP 200")),
    # HTTP's own words
    (307, "", Rejected(reason="HTTP 307")),
    (429, "", Throttled(after=60, reason="HTTP 429")),
    (502, "", Unknown(reason="HTTP 502")),
]

# status, body, the token or why there is none
TOKENS: list[tuple[int, str, str | Outcome]] = [
    (
        200,
        '{"errcode":0,"errmsg":"ok","access_token":"accesstoken000001","expires_in":7200}',
        "accesstoken000001",
    ),
    (200, '{"errcode":40001,"errmsg":"invalid credential"}', Rejected(reason="40001 invalid credential")),
    (200, '{"errcode":40013,"errmsg":"invalid corpid"}', Rejected(reason="40013 invalid corpid")),
    (200, '{"errcode":0,"errmsg":"ok","access_token":""}', Unknown(reason="看不懂的回答：")),
    (503, "", Unknown(reason="HTTP 503")),
]

SENT = (
    '{"errcode":0,"errmsg":"ok","next_cursor":"CURSOR","send_list":['
    '{"chat_id":"wrA","userid":"zhangsan","status":1,"send_time":1552536375},'
    '{"chat_id":"wrB","userid":"zhangsan","status":2},'
    '{"chat_id":"wrC","userid":"zhangsan","status":3},'
    '{"chat_id":"wrD","userid":"zhangsan","status":0}]}'
)
NOTHING_YET = '{"errcode":0,"errmsg":"ok","next_cursor":"","send_list":[]}'
"""The owner has not chosen the groups, so none is named."""
