"""Chats reached by Apprise: what is handed to it, what its yes and no mean, and where it may not go."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chats import ALERT, CHANNELS, DIGEST, GROUP, ITEM
from gengfu_scheduler.channels import apprise
from gengfu_scheduler.channels.channel import LocalChannel
from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.message import Group, Message, Outcome, Rejected, Sent, Unknown

TOKEN = "3ccdd113474722377935511fc85d3dd4"


@dataclass
class Mattermost:
    """A server of one's own, as Apprise speaks to it, without TLS because it is this machine."""

    status: int = 200
    answers: threading.Event = field(default_factory=threading.Event)
    posted: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        here = self
        self.answers.set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                here.posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                here.answers.wait(60)
                self.send_response(here.status)
                self.send_header("location", "/elsewhere")
                self.end_headers()

            def do_GET(self) -> None:
                here.posted.append({"followed": self.path})
                self.send_error(404)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    @property
    def group(self) -> Group:
        return group(f"mmost://127.0.0.1:{self.server.server_port}/{TOKEN}")


def group(address: str) -> Group:
    return replace(GROUP, platform="apprise", webhook=address)


@pytest.fixture
def mattermost(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mattermost]:
    monkeypatch.setattr(apprise, "SCHEMES", (*apprise.SCHEMES, "mmost"))
    started = Mattermost()
    yield started
    started.answers.set()
    started.server.shutdown()
    started.server.server_close()


def deliver(message: Message, to: Group) -> Outcome:
    channel = CHANNELS.to(to)
    assert isinstance(channel, LocalChannel)
    assert channel.slow
    return channel.deliver(message, to)


def test_what_a_service_took_is_accepted_and_not_confirmed(mattermost: Mattermost) -> None:
    assert deliver(replace(ALERT, resent=True), mattermost.group) == Sent(confirmed=False)
    (post,) = mattermost.posted
    assert post["text"].splitlines() == [
        "【重发】寻人：王某",
        "72岁，身穿红色羽绒服",
        "看到请打110",
        ITEM.url,
        "",
        "桃园社区 李警官 0571-00000000",
    ]


def test_a_digest_has_its_items_with_their_links_and_the_footer(mattermost: Mattermost) -> None:
    assert deliver(DIGEST, mattermost.group) == Sent(confirmed=False)
    text = mattermost.posted[0]["text"]
    assert text.startswith("【每日警情提示】")
    assert f"1. 刷单返利\n先给小钱，再骗大钱。\n{ITEM.url}" in text
    assert text.endswith("桃园社区 李警官 0571-00000000")


def test_nothing_an_officer_writes_calls_anybody_or_is_a_mark(mattermost: Mattermost) -> None:
    evil = "@all @channel，@here <!channel> [x](http://e.test) **b** `c`"
    deliver(replace(ALERT, title=evil, body=evil, footer=evil), mattermost.group)
    text = mattermost.posted[0]["text"]
    assert not any(mark in text for mark in ("@", "<", "[x]", "**", "`"))
    assert text.count("＠all ＠channel") == 3


@pytest.mark.parametrize("status", [301, 403, 404, 500, 503])
@pytest.mark.parametrize("asked", ["", "?retry=3&wait=0&optional=yes&redirect=yes"])
def test_what_a_service_did_not_take_is_unknown_and_is_tried_once(
    mattermost: Mattermost, status: int, asked: str
) -> None:
    mattermost.status = status
    outcome = deliver(ALERT, group(f"{mattermost.group.webhook}{asked}"))
    assert isinstance(outcome, Unknown)
    assert "Mattermost" in outcome.reason
    assert len(mattermost.posted) == 1


def test_a_service_that_does_not_answer_is_unknown(
    mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise, "READ", 0.1)
    mattermost.answers.clear()
    assert isinstance(deliver(ALERT, group(f"{mattermost.group.webhook}?rto=3600")), Unknown)
    assert len(mattermost.posted) == 1


def test_what_apprise_raises_is_unknown(mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError("in a service")

    monkeypatch.setattr("apprise.Apprise.notify", broken)
    outcome = deliver(ALERT, mattermost.group)
    assert isinstance(outcome, Unknown)
    assert "ZeroDivisionError: in a service" in outcome.reason


@pytest.mark.parametrize(
    "address",
    [
        "syslog://secret-7",
        "dbus://secret-7",
        "windows://secret-7",
        "macosx://secret-7",
        "json://secret-7/",  # any web address
        "xmls://secret-7/",
        "forms://secret-7/",
        "apprises://secret-7/",
        "mmost://127.0.0.1/secret-7",  # without TLS
        "discord://secret-7/secret-7",  # has a channel of its own
        "onebots://secret-7/",  # no client of the platform's own
        "https://discord.com/api/webhooks/secret-7/secret-7",
        "nonsense://secret-7",
        "secret-7",
    ],
)
def test_apprise_may_only_go_to_services_in_the_list(address: str) -> None:
    outcome = deliver(ALERT, group(address))
    assert isinstance(outcome, Rejected)
    assert not outcome.disable
    assert "secret-7//" not in outcome.reason
    assert "tgram" in outcome.reason


@pytest.mark.parametrize("address", ["tgram://secret-7", "mmosts://", "mailtos://secret-7", "tgram://"])
def test_an_address_that_apprise_cannot_use_is_refused_without_being_shown(address: str) -> None:
    outcome = deliver(ALERT, group(address))
    assert isinstance(outcome, Rejected)
    assert "secret-7" not in outcome.reason


def test_a_group_without_an_address_is_refused() -> None:
    with pytest.raises(CannotRender, match="G1"):
        deliver(ALERT, replace(GROUP, platform="apprise", webhook=None))


def test_where_it_is_not_installed_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    outcome = deliver(ALERT, group(f"tgram://123456789:{TOKEN}/1/"))
    assert isinstance(outcome, Rejected)
    assert "pip install 'gengfu[apprise]'" in outcome.reason


def test_each_service_in_the_list_is_one_that_apprise_has_and_needs_nothing_more() -> None:
    from apprise.manager_plugins import NotificationManager

    services = NotificationManager()
    assert [scheme for scheme in apprise.SCHEMES if scheme not in services] == []
    assert [scheme for scheme in apprise.SCHEMES if not services[scheme].enabled] == []


def test_the_documentation_names_the_services_in_the_list_and_no_others() -> None:
    told = (Path(__file__).parents[2] / "docs" / "platforms.md").read_text(encoding="utf-8")
    listed = told.partition("may speak to these only: ")[2].partition(". Left out")[0]
    assert re.findall(r"`(\w+)`", listed) == list(apprise.SCHEMES)


def test_it_is_not_imported_where_no_group_uses_it() -> None:
    told = "import sys, gengfu_scheduler.cli; print('apprise' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
