"""The preview's server: whom it answers, what browsers may keep, how an open page hears of news."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse

import pytest

from gengfu_site.preview import Answer, CannotListen, Server

FIRST = 100


def answer(path: str, number: int) -> Answer:
    if path == "/wrong":
        raise ZeroDivisionError
    return Answer(body=f"{path} {number}".encode())


@pytest.fixture
def server() -> Iterator[Server]:
    with Server("127.0.0.1", 0, answer, FIRST) as server:
        server.start()
        yield server


def ask(server: Server, path: str, method: str = "GET", host: str | None = None) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=60)
    connection.request(method, path, headers={"Host": host} if host is not None else {})
    response = connection.getresponse()
    response.text = response.read().decode()  # type: ignore[attr-defined]
    connection.close()
    return response


def test_a_path_is_decoded_and_its_query_left_out(server: Server) -> None:
    said = ask(server, "/a%20%E6%A1%83?b")
    assert (said.status, said.text) == (200, f"/a 桃 {FIRST}")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:9", "[::1]:8000", "192.168.1.7"])
def test_this_machines_own_names_and_bare_addresses_are_answered(server: Server, host: str) -> None:
    assert ask(server, "/", host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "", "[::1", "a b"])
def test_another_sites_name_that_leads_here_is_not(server: Server, host: str) -> None:
    """DNS rebinding: the browser believes that it talks to another site, and lets that one read the answer."""
    said = ask(server, "/", host=host)
    assert said.status == 421
    assert str(FIRST) not in said.text


def test_no_browser_keeps_it_and_no_other_site_may_show_or_read_it(server: Server) -> None:
    headers = ask(server, "/").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Access-Control-Allow-Origin"] is None


def test_only_what_asks_is_answered(server: Server) -> None:
    assert ask(server, "/", "POST").status == 501
    head = ask(server, "/", "HEAD")
    assert (head.text, head.headers["Content-Length"]) == ("", str(len(f"/ {FIRST}")))


def test_a_mistake_of_ours_is_said_in_words_and_the_next_page_is_answered(server: Server) -> None:
    said = ask(server, "/wrong")
    assert said.status == 500
    assert "ZeroDivisionError" in said.text
    assert "Traceback" not in said.text
    assert ask(server, "/right").status == 200


def test_an_open_page_hears_of_news_when_there_is_some(server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(ask, server, f"/.preview/changes?seen={FIRST}") for _tab in range(3)]
        server.changed()
        assert [said.result(60).text for said in waiting] == [str(FIRST + 1)] * 3


@pytest.mark.parametrize("seen", ["seen=99", "seen=", "seen=x", "seen=-1", "seen=%C2%B2", ""])
def test_one_that_saw_something_else_hears_at_once(server: Server, seen: str) -> None:
    assert ask(server, f"/.preview/changes?{seen}").text == str(FIRST)


def test_a_port_that_is_taken_is_said_with_what_to_do(server: Server) -> None:
    with pytest.raises(CannotListen, match="--port"):
        Server("127.0.0.1", server.server_address[1], answer, FIRST)


def test_its_address_is_one_that_can_be_opened() -> None:
    with Server("0.0.0.0", 0, answer, FIRST) as server:
        assert server.url == f"http://127.0.0.1:{server.server_address[1]}"
