"""The desk: pages that only their owners find, ticks that are their word, and no way to harm the scheduler by it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner, Result

from desks import ANYWHERE, Desk, by_hand, desk_of, ticks
from gengfu_scheduler import cli
from gengfu_scheduler.desk import keep_desk
from gengfu_scheduler.desk import server as http
from gengfu_scheduler.desk.server import Answer, Server
from gengfu_scheduler.message import Broadcast, Message, Planned
from gengfu_scheduler.state import only_scheduler, running
from gengfu_scheduler.timetable import Place
from gengfu_site.catalogue import Entry
from watch import alert, instant, tip, watch_in


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """At noon, with nothing told yet."""
    with watch_in(tmp_path) as watch:
        by_hand(watch)
        watch.at("12:00")
        with desk_of(watch) as desk:
            yield desk


def told(desk: Desk, entry: Entry, owner: str = "李警官") -> str:
    """Tell of the alert ``entry``; the address of the owner's page."""
    desk.watch.publish(entry)
    desk.watch.push(entry.id)
    desk.runner.tick()  # the one that keeps the desk has read what was published
    return desk.pages()[owner]


def standing(desk: Desk) -> list[str]:
    return [line for line in desk.watch.heard() if not line.endswith("handed")]


class TestPages:
    def test_an_owner_sees_the_text_and_only_groups_of_that_owner_in_batches_of_nine(
        self, desk: Desk
    ) -> None:
        page = desk.get(told(desk, alert("F", summary="<b>浓烟</b>"))).text
        assert "李警官，您好" in page
        assert "&lt;b&gt;浓烟&lt;/b&gt;" in page
        assert ticks(page) == "------------"
        assert re.findall(r"第 \d 批（\d 个群）", page) == ["第 1 批（9 个群）", "第 2 批（3 个群）"]
        assert "已转 0/12" in page
        assert "赵家" not in page
        assert re.search(r"<li>赵警官 0/2</li>", page)

    def test_a_picture_and_the_pages_link_go_with_it(self, desk: Desk) -> None:
        page = desk.get(told(desk, alert("F", image="https://pictures.example/f.jpg")))
        assert '<img src="https://pictures.example/f.jpg"' in page.text
        assert "img-src https://pictures.example;" in page.headers["Content-Security-Policy"]
        assert 'href="https://qingsong.example/tip/F/"' in page.text

    @pytest.mark.parametrize("image", ["javascript:alert(1)", "https://a;script-src *", 'https://a"onerror='])
    def test_what_is_no_plain_web_address_is_no_picture(self, desk: Desk, image: str) -> None:
        page = desk.get(told(desk, alert("F", image=image)))
        assert "<img" not in page.text
        assert "img-src 'none';" in page.headers["Content-Security-Policy"]

    def test_groups_told_different_things_have_each_their_own_texts_part_by_part(self, desk: Desk) -> None:
        """And batches go on counting from one text's groups to the next's."""
        words = Message(form="alert", title="寻人", items=(), body="甲", footer="李警官")
        parts = tuple(
            replace(words, body=body, part=n, parts=2) for n, body in enumerate(("乙一", "乙二"), 1)
        )
        desk.watch.outbox.plan(
            Broadcast(
                key="alert:X:1",
                form="alert",
                title="寻人",
                scheduled_for=desk.watch.now,
                expires=instant("20:00"),
                linked=False,
            ),
            [
                Planned(group="li1", messages=(words,), not_before=desk.watch.now, way="hand"),
                Planned(group="li2", messages=parts, not_before=desk.watch.now, way="hand"),
            ],
            now=desk.watch.now,
        )
        desk.runner.tick()
        address = desk.pages()["李警官"]
        page = desk.get(address).text
        order = [
            "文字 1（共 2 种）",
            "甲",
            "第 1 批",
            "李家1群",
            "文字 2",
            "乙一",
            "乙二",
            "第 2 批",
            "李家2群",
        ]
        places = [page.index(word) for word in order]
        assert places == sorted(places)
        desk.tick(address, done="li2")
        assert "已转 1/2" in desk.get(address).text
        told = {(d.group, d.part): d.state for d in desk.watch.outbox.deliveries("alert:X:1")}
        assert told == {("li1", 1): "handed", ("li2", 1): "sent", ("li2", 2): "sent"}

    def test_a_digest_loses_what_is_withdrawn_and_then_is_not_to_be_passed_on(self, desk: Desk) -> None:
        desk.watch.publish(tip("a", published="12:30"), tip("b", published="12:30"))
        desk.watch.at("20:00")
        address = desk.pages()["李警官"]
        assert "题a" in desk.get(address).text
        desk.watch.publish(tip("b", published="12:30"))
        desk.runner.tick()
        page = desk.get(address).text
        assert "题a" not in page
        assert "题b" in page
        desk.watch.publish()
        desk.runner.tick()
        page = desk.get(address).text
        assert "已撤回，请勿再转" in page
        assert "<pre" not in page

    def test_a_page_is_found_again_after_a_restart(self, desk: Desk, tmp_path: Path) -> None:
        address = told(desk, alert("F"))
        assert desk.pages()["李警官"] == address
        assert desk.get(address + "?from=chat").status == 200


class TestEnded:
    def test_a_missing_persons_text_leaves_the_page_when_the_alert_ends(self, desk: Desk) -> None:
        address = told(desk, alert("F", summary="红色羽绒服", expires=instant("13:00")))
        desk.tick(address, done="li1 li2")
        assert "红色羽绒服" in desk.get(address).text
        desk.watch.now = instant("13:00")  # no round was gone since: the page itself knows
        page = desk.get(address).text
        assert page.index("已结束，请勿再转") < page.index("您转过 2 个群，共 12 个")
        assert "红色羽绒服" not in page
        assert ticks(page) == ""

    def test_the_end_is_what_is_to_be_passed_on_instead(self, desk: Desk) -> None:
        address = told(desk, alert("F", summary="红色羽绒服"))
        desk.watch.now = instant("13:00")
        newer = told(desk, alert("F", "2", "resolved", summary="红色羽绒服"))
        page = desk.get(address).text
        assert page.index("已结束，请勿再转") < page.index("请改转下面这一段") < page.index("现状：已解除")
        assert "红色羽绒服" not in page
        (form,) = set(re.findall(r'action="([^"]+)"', page))
        desk.tick(newer.rpartition("/")[0] + "/" + form, done="li1")
        assert ticks(desk.get(address).text) == ticks(desk.get(newer).text) == "x-----------"

    def test_news_of_an_alert_that_goes_on_stand_in_for_what_was_said_before(self, desk: Desk) -> None:
        address = told(desk, alert("F", summary="一号楼"))
        desk.watch.now = instant("13:00")
        told(desk, alert("F", "2", summary="二号楼也有烟"))
        page = desk.get(address).text
        assert page.index("有新进展，原来的请勿再转") < page.index("二号楼也有烟")
        assert "一号楼" not in page

    def test_what_was_stopped_is_not_to_be_passed_on(self, desk: Desk) -> None:
        address = told(desk, alert("F", summary="浓烟"))
        desk.watch.outbox.stop("alert:F:1", now=desk.watch.now, reason="由李警官停止")
        page = desk.get(address).text
        assert "已撤回，请勿再转" in page
        assert "浓烟" not in page


class TestTicks:
    def test_a_tick_is_that_persons_word_and_leads_back_to_where_it_was_made(self, desk: Desk) -> None:
        address = told(desk, alert("F"))
        answer = desk.tick(address, done="li1", at="1")
        assert (answer.status, answer.headers["Location"]) == (303, address.rpartition("/")[2] + "#b1")
        page = desk.get(address).text
        assert ticks(page) == "x-----------"
        assert "已转 1/12" in page
        said = [d for d in desk.watch.outbox.deliveries("alert:F:1") if d.state == "sent"]
        assert [(d.group, d.reason) for d in said] == [("li1", "由李警官转发（本人说）")]
        (status,) = desk.watch.outbox.broadcasts()
        assert (status.confirmed, status.said) == (0, 1)

    def test_a_whole_batch_is_ticked_and_one_of_it_taken_back(self, desk: Desk) -> None:
        address = told(desk, alert("F"))
        (batch, _second) = re.findall(r'name="done" value="([^"]+ [^"]+)"', desk.get(address).text)
        desk.tick(address, done=batch)
        assert ticks(desk.get(address).text) == "xxxxxxxxx---"
        desk.tick(address, undo="li3")
        assert ticks(desk.get(address).text) == "xx-xxxxxx---"

    def test_two_people_may_tick_the_same_group(self, desk: Desk) -> None:
        address = told(desk, alert("F"))
        desk.tick(address, done="li1")
        assert desk.tick(address, done="li1").status == 303
        assert ticks(desk.get(address).text) == "x-----------"

    def test_nobody_ticks_for_another_owner_or_a_group_that_is_not_asked(self, desk: Desk) -> None:
        address = told(desk, alert("F"))
        desk.tick(address, done="zhao1 q1 nonsense", undo="zhao2", at="x#<")
        assert standing(desk) == []

    def test_a_tick_after_the_end_changes_nothing(self, desk: Desk) -> None:
        address = told(desk, alert("F", expires=instant("13:00")))
        desk.tick(address, done="li1")
        desk.watch.at("13:00")
        desk.tick(address, done="li2", undo="li1")
        (first, second, *_rest) = desk.watch.outbox.deliveries("alert:F:1")
        assert (first.state, second.state) == ("sent", "expired")

    def test_others_see_how_far_one_is(self, desk: Desk) -> None:
        told(desk, alert("F"))
        desk.tick(desk.pages()["赵警官"], done="zhao1 zhao2")
        page = desk.get(desk.pages()["李警官"]).text
        assert "<li>赵警官 2/2</li>" in page
        assert "其他人：已转 2/2" in page
        assert "都转完了" not in page


class TestAddresses:
    def test_a_wrong_one_is_not_found_and_tells_nothing(self, desk: Desk) -> None:
        right = told(desk, alert("F"))
        number, code = right.rpartition("/")[2].split("-", 1)
        wrong = [
            f"{number}-{'A' * 22}",
            f"{int(number) + 1}-{code}",
            f"{number}-{code}A",
            f"{number}-{code[:-1]}",
            f"0{number}-{code}",
            code,
            "",
            "../health",
            "%2e%2e/%2e%2e/etc/passwd",
            f"{number}-{code}/",
            f"{number}-{code}%00",
        ]
        answers = [desk.get(f"/t/{token}") for token in wrong]
        answers += [
            desk.get(path) for path in ("/", "/t", "/t/", "/.gengfu/desk.key", "//t/x", "/index.html")
        ]
        answers.append(desk.tick(f"/t/{wrong[0]}", done="li1"))
        assert {(a.status, a.text) for a in answers} == {(404, "Not Found\n")}

    def test_one_owners_page_of_one_alert_is_no_others(self, desk: Desk) -> None:
        told(desk, alert("F"))
        first = set(desk.pages().values())
        told(desk, alert("G"))
        assert len(first | set(desk.pages().values())) == 4

    def test_no_address_is_said_or_logged(self, desk: Desk, capfd: pytest.CaptureFixture[str]) -> None:
        address = told(desk, alert("F"))
        desk.get(address)
        desk.tick(address, done="li1")
        desk.get("/t/1-" + "A" * 22)
        written = capfd.readouterr()
        code = address.partition("-")[2]  # which may hold a hyphen itself
        assert code not in written.out + written.err + "".join(desk.watch.said)
        assert written.err == ""


class TestHttp:
    def test_every_answer_keeps_to_itself(self, desk: Desk) -> None:
        for address in (told(desk, alert("F")), "/nowhere", "/health"):
            headers = desk.get(address).headers
            assert headers["Cache-Control"] == "no-store"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert not headers.keys() & {"Server", "Set-Cookie", "X-Powered-By"}

    def test_a_pages_own_style_and_script_are_all_that_may_run(self, desk: Desk) -> None:
        page = desk.get(told(desk, alert("F", title="</script><script>alert(1)</script>")))
        assert page.text.count("<script>") == page.text.count("<style>") == 1
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert not re.search(r"\son\w+=|style=", page.text)

    def test_other_methods_are_not_allowed(self, desk: Desk) -> None:
        address = told(desk, alert("F"))
        for method in ("PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"):
            assert desk.ask(method, address).status == 405
            assert desk.ask(method, "/health").status == 405

    def test_head_is_get_without_the_page(self, desk: Desk) -> None:
        address = told(desk, alert("F"))
        head = desk.ask("HEAD", address)
        assert (head.status, head.text) == (200, "")
        assert int(head.headers["Content-Length"]) == len(desk.get(address).text.encode())

    def test_hostile_requests_get_plain_answers(self, desk: Desk) -> None:
        path = told(desk, alert("F")).replace(desk.url, "/").encode()
        for wire, status in (
            (b"POST {} HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n", b"413"),
            (b"POST {} HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", b"413"),
            (b"POST {} HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
            (b"POST {} HTTP/1.1\r\nContent-Length: 4, 5\r\n\r\n", b"400"),
            (b"POST {} HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n", b"400"),
            (b"POST {} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
            (b"POST {} HTTP/1.1\r\nContent-Length: 9\r\n\r\ndone=\xff\xfe%zz", b"303"),
            (b"POST {} HTTP/1.1\r\nContent-Length: 39\r\n\r\n" + b"a=1&" * 9 + b"a=1", b"303"),
            (b"POST {} HTTP/1.1\r\nContent-Length: 47\r\n\r\n" + b"a=1&" * 11 + b"a=1", b"400"),
            (b"GET http://[ HTTP/1.1\r\n\r\n", b"400"),
            (b"GET \xff\xfe HTTP/1.1\r\n\r\n", b"404"),
            (b"GET / HTTP/9.9\r\n\r\n", b"505"),
            (b"GARBAGE\r\n\r\n", b"400"),
            (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"414"),
            (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431"),
        ):
            answer = desk.send(wire.replace(b"{}", path))
            assert answer.split(b" ")[1] == status, (wire, answer)
            assert b"<" not in answer
        assert standing(desk) == []

    def test_slow_clients_keep_nobody_waiting_and_the_oldest_make_room(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "CONNECTIONS", 4)
        address = told(desk, alert("F"))
        with ExitStack() as slow:
            lines = [slow.enter_context(socket.create_connection(desk.place, timeout=60)) for _ in range(6)]
            for line in lines:
                line.sendall(b"GET / HT")
            assert desk.get(address).status == 200
            assert lines[0].recv(1) == b""  # let go

    def test_who_takes_too_long_is_cut_off(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_connection(desk.place, timeout=60) as slow:
            slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc")
            monkeypatch.setattr(http, "PATIENCE", 0.0)
            assert slow.recv(1) == b""

    def test_no_more_than_a_few_answers_are_made_at_a_time(self) -> None:
        begun, go_on = Event(), Event()
        making: list[int] = []

        def respond(_request: object) -> Answer:
            making.append(1)
            if len(making) == http.AT_ONCE:
                begun.set()
            go_on.wait(60)
            return Answer.plain(200)

        server = Server(ANYWHERE, respond)
        server.start()
        with ExitStack() as clients:
            lines = [
                clients.enter_context(socket.create_connection((server.place.host, server.place.port), 60))
                for _ in range(http.AT_ONCE + 3)
            ]
            for line in lines:
                line.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert begun.wait(60)
            assert len(making) == http.AT_ONCE
            go_on.set()
            assert all(line.recv(100).startswith(b"HTTP/1.1 200") for line in lines)
        server.stop()

    def test_a_mistake_of_ours_is_said_without_what_was_asked_for(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address = told(desk, alert("F"))
        monkeypatch.setattr(desk.watch.outbox, "handed_out", lambda *_: 1 / 0)
        answer = desk.get(address)
        assert (answer.status, answer.text) == (500, "Internal Server Error\n")
        assert "ZeroDivisionError" in desk.watch.said[-1]
        assert address.rpartition("/")[2] not in desk.watch.said[-1]


class TestPort:
    def test_one_that_is_taken_is_said_once_and_opened_when_it_is_free(self, tmp_path: Path) -> None:
        with watch_in(tmp_path) as watch, only_scheduler(tmp_path), ExitStack() as taken:
            other = taken.enter_context(socket.create_server(("127.0.0.1", 0)))
            place = Place(host="127.0.0.1", port=other.getsockname()[1])
            opened, said = Event(), watch.said

            def say(text: str) -> None:
                said.append(text)
                if "任务页面开在" in text:
                    opened.set()

            with keep_desk(
                tmp_path, watch.runner, watch.outbox, place, clock=lambda: watch.now, say=say, again=0.02
            ):
                assert "端口已被占用" in said[-1]
                assert running(tmp_path) is not None
                watch.publish(tip("a"))
                watch.at("07:00", "08:00")  # delivery went on
                assert "q1: 题a, sent" in watch.heard()
                taken.close()
                assert opened.wait(60)
            assert sum("端口已被占用" in text for text in said) == 1
            holder = running(tmp_path)
            assert holder
            assert holder.desk == place.url

    def test_a_station_may_do_without(self, tmp_path: Path) -> None:
        with (
            watch_in(tmp_path) as watch,
            keep_desk(
                tmp_path, watch.runner, watch.outbox, None, clock=lambda: watch.now, say=watch.said.append
            ),
        ):
            assert not (tmp_path / ".gengfu").exists()

    def test_people_may_find_it_elsewhere_than_it_listens(self, tmp_path: Path) -> None:
        with watch_in(tmp_path) as watch, only_scheduler(tmp_path):
            outside = "http://10.1.2.3:8790/"
            with keep_desk(
                tmp_path, watch.runner, watch.outbox, ANYWHERE, outside, clock=lambda: watch.now, say=print
            ):
                holder = running(tmp_path)
                assert holder
                assert holder.desk == outside


class TestCommands:
    def test_each_owners_address_is_listed_and_opens(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GENGFU_DATABASE", f"sqlite:///{desk.watch.folder / 'outbox.sqlite3'}")
        told(desk, alert("F"))

        def run(*arguments: str) -> Result:
            return CliRunner().invoke(cli.main, ["-C", str(desk.watch.folder), *arguments])

        (broadcast,) = json.loads(run("tasks", "--json").stdout)
        listed = {task["owner"]: task["page"] for task in broadcast["tasks"]}
        assert listed == desk.pages()
        assert desk.get(listed["赵警官"]).status == 200
        for command in ("tasks", "status"):
            assert all(page in run(command).stdout for page in listed.values())

    def test_a_place_that_is_none_is_used_wrongly(self, tmp_path: Path) -> None:
        with watch_in(tmp_path) as other:
            ran = CliRunner().invoke(cli.main, ["-C", str(other.folder), "run", "--listen", "here"])
        assert ran.exit_code == 2
        assert "地址:端口" in ran.stderr


class TestHealth:
    def health(self, desk: Desk) -> tuple[int, dict[str, object]]:
        answer = desk.get("/health")
        return answer.status, json.loads(answer.text)

    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gengfu_scheduler.desk.FRESH", -1.0)

    def test_all_is_well(self, desk: Desk) -> None:
        status, figures = self.health(desk)
        assert status == 200
        assert figures["status"] == "ok"
        assert figures["trouble"] == []
        assert figures["last_round"] == figures["last_look"] == desk.watch.now.isoformat()

    def test_a_scheduler_without_a_sign_of_life_is_trouble(self, desk: Desk) -> None:
        desk.watch.now += timedelta(minutes=3)
        assert self.health(desk) == (503, self.health(desk)[1] | {"trouble": ["scheduler"]})
        desk.runner.has_work()
        assert self.health(desk)[0] == 200

    def test_what_should_have_left_is_trouble_and_groups_that_are_disabled_are_a_figure(
        self, desk: Desk
    ) -> None:
        desk.watch.publish(alert("F"))
        draft = desk.watch.draft("F")
        desk.watch.outbox.plan(draft.broadcast, draft.planned, now=desk.watch.now)
        desk.watch.now += timedelta(minutes=6)
        desk.runner.has_work()
        status, figures = self.health(desk)
        assert (status, figures["trouble"], figures["overdue"]) == (503, ["overdue"], 14)
        for n in range(1, 13):
            desk.watch.outbox.disable(f"li{n}", "dead", now=desk.watch.now)
        desk.watch.outbox.disable("zhao1", "dead", now=desk.watch.now)
        desk.watch.outbox.disable("zhao2", "dead", now=desk.watch.now)
        status, figures = self.health(desk)
        assert (status, figures["disabled_groups"]) == (200, 14)

    def test_files_that_cannot_be_used_are_trouble(self, desk: Desk) -> None:
        desk.watch.write("groups.csv", "nonsense")
        desk.runner.tick()
        assert self.health(desk)[1]["trouble"] == ["files"]

    def test_an_outbox_that_cannot_be_written_is_trouble(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unusable(**_: object) -> None:
            from gengfu_scheduler.outbox import OutboxUnusable

            raise OutboxUnusable("disk full", "free some")

        monkeypatch.setattr(desk.watch.outbox, "pulse", unusable)
        status, figures = self.health(desk)
        assert (status, figures["trouble"], figures["overdue"]) == (503, ["outbox"], None)

    def test_a_clock_that_was_set_is_counted(self, desk: Desk) -> None:
        before = self.health(desk)[1]["clock_steps"]
        assert isinstance(before, int)
        desk.watch.now += timedelta(hours=2)
        desk.runner.has_work()
        assert self.health(desk)[1]["clock_steps"] == before + 1

    def test_it_names_nobody(self, desk: Desk) -> None:
        told(desk, alert("F"))
        text = desk.get("/health").text
        assert text.isascii()
        assert not re.search(r"li\d|http|\bF\b|警官", text)
