"""What DingTalk's custom robot answers, as seen in public, and what each answer means for a delivery.

Where a body was seen: ``130101`` in github.com/ccfos/nightingale issue 369, ``310000`` in
timonwong/prometheus-webhook-dingtalk issue 197, zhuifengshen/DingtalkChatbot issue 44 and
RayWangQvQ/BiliBiliToolPro issue 566, ``460101`` in timonwong/prometheus-webhook-dingtalk issue 30.
"""

from __future__ import annotations

from gengfu_scheduler.message import Outcome, Rejected, Sent, Throttled, Unknown

_MORE = "more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"
KEYWORD = f'{{"errcode":310000,"errmsg":"keywords not in content, {_MORE}"}}'
SIGNATURE = f'{{"errcode":310000,"errmsg":"sign not match, {_MORE}"}}'
SIGNATURE_ZH = (
    '{"errcode":310000,"errmsg":"description:机器人发送签名不匹配;solution:请确认签名和生成签名的时间戳;"}'
)
TOO_FAST = (
    '{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"0a","errcode":130101,'
    '"errmsg":"send too fast, exceed 20 times per minute"}'
)

# status, body, outcome; of an outcome's reason only the beginning is compared
REPLIES: list[tuple[int, str, Outcome]] = [
    (200, '{"errcode":0,"errmsg":"ok"}', Sent(confirmed=True)),
    (200, '{"errcode":-1,"errmsg":"系统繁忙"}', Throttled(after=10, reason="-1 系统繁忙", retries=3)),
    (200, TOO_FAST, Throttled(after=600, reason="130101 send too fast")),
    (200, '{"errcode":410100,"errmsg":"发送速度太快而限流"}', Throttled(after=600, reason="410100 ")),
    (200, '{"errcode":302033,"errmsg":"send too fast"}', Throttled(after=600, reason="302033 ")),
    (200, '{"errcode":660026,"errmsg":"send too fast"}', Throttled(after=600, reason="660026 ")),
    (200, KEYWORD, Rejected(reason="310000 keywords not in content")),
    (200, '{"errcode":310000,"errmsg":"ip 203.0.113.7 not in whitelist"}', Rejected(reason="310000 ip")),
    (200, SIGNATURE, Throttled(after=1, reason="310000 sign not match", retries=1)),
    (200, SIGNATURE_ZH, Throttled(after=1, reason="310000 description", retries=1)),
    (
        200,
        '{"errcode":310000,"errmsg":"invalid timestamp"}',
        Throttled(after=1, reason="310000 ", retries=1),
    ),
    (200, '{"errcode":300005,"errmsg":"token is not exist"}', Rejected(reason="300005 ", disable=True)),
    (200, '{"errcode":400013,"errmsg":"群已被解散"}', Rejected(reason="400013 群已被解散", disable=True)),
    (200, '{"errcode":400101,"errmsg":"access_token不存在"}', Rejected(reason="400101 ", disable=True)),
    (200, '{"errcode":400102,"errmsg":"机器人已停用"}', Rejected(reason="400102 ", disable=True)),
    (200, '{"errcode":400106,"errmsg":"机器人不存在"}', Rejected(reason="400106 ", disable=True)),
    # the month's quota: a person must see it, but the address is well
    (200, '{"errcode":90020,"errmsg":"over limit"}', Rejected(reason="90020 ")),
    (200, '{"errcode":90030,"errmsg":"webhook over limit"}', Rejected(reason="90030 ")),
    (200, '{"errcode":400105,"errmsg":"不支持的消息类型"}', Rejected(reason="400105 ")),
    (200, '{"errcode":400402,"errmsg":"缺少参数 title"}', Rejected(reason="400402 ")),
    (200, '{"errcode":40035,"errmsg":"缺少参数 json"}', Rejected(reason="40035 ")),
    (200, '{"errcode":43004,"errmsg":"无效的HTTP HEADER Content-Type"}', Rejected(reason="43004 ")),
    *(
        (200, f'{{"errcode":{code},"errmsg":"不安全"}}', Rejected(reason=f"{code} 不安全"))
        for code in (430101, 430102, 430103, 430104)
    ),
    (
        200,
        '{"errcode":460101,"errmsg":"message too long, exceed 20000 bytes"}',
        Rejected(reason="460101 message too long"),
    ),
    (200, '{"errcode":101002,"errmsg":"too long"}', Rejected(reason="101002 ")),
    # a code nobody has documented: refused, and shown
    (200, '{"errcode":99999,"errmsg":"???"}', Rejected(reason="99999 ???")),
    # no code at all: nobody can say
    (200, "", Unknown(reason="看不懂的回答：HTTP 200")),
    (200, "<html><title>登录上网</title></html>", Unknown(reason="看不懂的回答：HTTP 200 登录上网")),
    (200, '{"errcode":"0"}', Unknown(reason="看不懂的回答：")),
    # HTTP's own words
    (302, "", Unknown(reason="HTTP 302")),
    (404, "", Rejected(reason="HTTP 404")),
    (414, "", Rejected(reason="HTTP 414")),
    (429, "", Throttled(after=60, reason="HTTP 429")),
    (500, '{"errcode":0,"errmsg":"ok"}', Unknown(reason="HTTP 500")),
]
