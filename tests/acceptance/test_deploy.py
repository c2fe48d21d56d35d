"""What ``gengfu deploy`` writes, tried on a real nginx and read by systemd itself."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from gengfu_site.publish import publish
from installed import Installed
from stations import AT, StationFolder, empty_station

SEARCHED = {
    "id": "W4K1S",
    "kind": "alert",
    "title": "寻找走失老人",
    "expires": '"2099-01-01"',
    "alert": '{form: 走失, place: 桃园社区, tell: "0000-5550100", state: active}',
}
PERSON = """\
name: 王某
photo: wang.jpg
last_seen: 2026-11-20 下午，菜市场门口
basis: 家属 2026-11-20 同意
erase_after: "2099-01-01"
"""


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"no {name} here: `make deps` as root installs it")
    return found


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Web:
    """A web server on this machine."""

    port: int

    def get(self, path: str, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(
            "GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = connection.getresponse()
        got = {name.lower(): text for name, text in answer.getheaders()}
        body = answer.read()
        connection.close()
        return Answer(status=answer.status, headers=got, body=body)


@contextmanager
def nginx(written: Path, port: int) -> Iterator[Web]:
    """nginx with the files that were written for it, in an ``http`` block that would keep files open for an hour."""
    command, mime = program("nginx"), Path("/etc/nginx/mime.types")
    if not mime.is_file():
        pytest.skip("nginx keeps its mime.types elsewhere here")
    scratch = "".join(
        f"{name}_temp_path {written}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = written / "nginx/nginx.conf"
    config.write_text(
        ("user root;\n" if os.geteuid() == 0 else "")
        + f"daemon off; worker_processes 1; pid {written}/nginx.pid; error_log stderr;\nevents {{ }}\n"
        + f"http {{ include {mime}; access_log off; sendfile on; open_file_cache max=999; open_file_cache_valid 1h;\n{scratch}include conf.d/*.conf; }}\n"
    )
    with subprocess.Popen([command, "-e", "stderr", "-p", written, "-c", config]) as server:
        try:
            _wait_for(port, server)
            yield Web(port=port)
        finally:
            server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert server.poll() is None, "nginx refused its configuration"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)


@pytest.fixture
def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        number: int = taken.getsockname()[1]
        return number


def deployed(installed: Installed, station: StationFolder, url: str, *options: str) -> Path:
    """The station, to be opened at ``url``, with what is written for its server."""
    settings = station.folder / "mkdocs.yml"
    settings.write_text(settings.read_text("utf-8").replace("https://qingsong.example/", url), "utf-8")
    station.file("timetable.yml", "slots: {}\n")
    written = station.folder / "etc"
    installed.run("gengfu", "deploy", str(written), "--user", "daemon", *options, cwd=station.folder)
    return written


def systemd_finds_nothing_wrong_with(units: Sequence[Path]) -> None:
    checked = subprocess.run(
        [program("systemd-analyze"), "verify", *units],
        capture_output=True,
        text=True,
        env={**os.environ, "LANG": "C"},
    )
    names = re.compile("|".join(re.escape(unit.name) for unit in units))
    found = [line for line in checked.stderr.splitlines() if names.search(line)]
    assert (checked.returncode, found) == (0, [])


def search_for_somebody(station: StationFolder, state: str = "active") -> None:
    station.article("alert/lost.md", **{**SEARCHED, "alert": SEARCHED["alert"].replace("active", state)})
    station.file("private/W4K1S.yml", PERSON).chmod(0o600)
    station.file("private/wang.jpg", b"\xff\xd8\xff\xe0 a photograph")


@pytest.mark.parametrize("base", ["/", "/police/guide/"])
def test_nginx_serves_what_residents_and_feed_readers_ask_for(
    installed: Installed, station: StationFolder, port: int, base: str
) -> None:
    station.article()
    written = deployed(installed, station, f"http://127.0.0.1:{port}{base}")
    publish(station.settings, AT)
    with nginx(written, port) as web:
        kinds = {
            path: web.get(base + path).headers["content-type"]
            for path in ("", "feed.xml", "atom.xml", "sw.js")
        }
        assert kinds == {
            "": "text/html; charset=utf-8",
            "feed.xml": "application/rss+xml; charset=utf-8",
            "atom.xml": "application/atom+xml; charset=utf-8",
            "sw.js": "application/javascript; charset=utf-8",
        }
        assert web.get(base + "catalogue.json").headers["content-type"].startswith("application/feed+json")
        page = web.get(base + "fraud/brushing/", Accept_Encoding="gzip")
        assert page.status == 200
        assert page.headers["content-encoding"] == "gzip"
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-security-policy"] == "frame-ancestors 'self'"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert web.get(base + "alerts.json").headers["cache-control"] == "no-store"
        unchanged = web.get(
            base + "catalogue.json", If_None_Match=web.get(base + "catalogue.json").headers["etag"]
        )
        assert unchanged.status == 304


@pytest.mark.parametrize("base", ["/", "/police/guide/"])
def test_a_short_address_works_without_its_slash_and_what_is_not_there_gets_the_sites_own_page(
    installed: Installed, station: StationFolder, port: int, base: str
) -> None:
    station.article()
    written = deployed(installed, station, f"http://127.0.0.1:{port}{base}")
    publish(station.settings, AT)
    with nginx(written, port) as web:
        short = web.get(base + "A/F7K2Q")
        assert (short.status, short.headers["location"]) == (301, f"{base}A/F7K2Q/")
        for missing in ("nothing", "share/", ".gengfu-site"):
            answer = web.get(base + missing)
            assert answer.status == 404
            assert "没有找到这一页" in answer.body.decode()
        if base != "/":
            assert web.get(base[:-1]).headers["location"] == base
            assert web.get("/").status == 404


def test_when_a_person_is_found_the_page_and_the_photo_are_gone_for_everybody_at_once(
    installed: Installed, station: StationFolder, port: int
) -> None:
    search_for_somebody(station)
    written = deployed(installed, station, f"http://127.0.0.1:{port}/")
    publish(station.settings, AT)
    with nginx(written, port) as web:
        page, photo = web.get("/alert/lost/"), web.get("/A/W4K1S/photo.jpg")
        assert "王某" in page.body.decode()
        assert photo.body.endswith(b"a photograph")
        assert {page.headers["cache-control"], photo.headers["cache-control"]} == {"no-store"}
        search_for_somebody(station, state="resolved")
        publish(station.settings, AT)
        assert "王某" not in web.get("/alert/lost/", If_None_Match=page.headers["etag"]).body.decode()
        assert web.get("/A/W4K1S/photo.jpg", If_None_Match=photo.headers["etag"]).status == 404


def test_with_a_certificate_the_site_is_encrypted_and_the_plain_address_leads_there(
    installed: Installed, station: StationFolder, tmp_path: Path
) -> None:
    openssl = program("openssl")
    pem = [str(tmp_path / name) for name in ("cert.pem", "key.pem")]
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=qingsong.example"
    subprocess.run(
        [openssl, *made.split(), "-out", pem[0], "-keyout", pem[1]],
        check=True,
        capture_output=True,
    )
    written = deployed(
        installed, station, "https://qingsong.example/", "--certificate", pem[0], "--key", pem[1]
    )
    config = written / "nginx/nginx.conf"
    config.write_text(f"pid {written}/nginx.pid; events {{ }}\nhttp {{ include conf.d/*.conf; }}\n")
    checked = subprocess.run(
        [program("nginx"), "-t", "-e", "stderr", "-p", written, "-c", config], capture_output=True, text=True
    )
    assert "syntax is ok" in checked.stderr, checked.stderr
    text = (written / "nginx/conf.d/gengfu.conf").read_text("utf-8")
    assert "listen 443 ssl" in text
    assert "return 301 https://$host$request_uri;" in text


def test_a_folder_may_be_called_anything_that_such_files_can_say(
    installed: Installed, tmp_path: Path, port: int
) -> None:
    (tmp_path / "站 点 (50%) #1; {x}").mkdir()
    station = empty_station(tmp_path / "站 点 (50%) #1; {x}")
    station.article()
    written = deployed(installed, station, f"http://127.0.0.1:{port}/%E8%AD%A6%20x/").rename(tmp_path / "etc")
    publish(station.settings, AT)
    with nginx(written, port) as web:
        assert web.get("/%E8%AD%A6%20x/fraud/brushing/").status == 200
        assert web.get("/%E8%AD%A6%20x/alerts.json").headers["cache-control"] == "no-store"
    systemd_finds_nothing_wrong_with(sorted((written / "systemd/system").iterdir()))


def test_one_that_they_cannot_say_is_named_and_nothing_is_written(
    installed: Installed, tmp_path: Path
) -> None:
    (tmp_path / "it's").mkdir()
    (tmp_path / "it's/timetable.yml").write_text("slots: {}\n", "utf-8")
    refused = installed.run("gengfu", "deploy", "etc", "--user", "daemon", cwd=tmp_path / "it's", code=1)
    assert "把文件夹改个名字" in refused.stderr
    assert not list((tmp_path / "it's/etc").rglob("*.service"))


def test_systemd_finds_nothing_wrong_with_the_units(installed: Installed, station: StationFolder) -> None:
    written = deployed(installed, station, "https://qingsong.example/", "--name", "qingsong")
    units = sorted((written / "systemd/system").iterdir())
    assert [unit.name for unit in units] == [
        "qingsong-backup.service",
        "qingsong-backup.timer",
        "qingsong-build.service",
        "qingsong-run.service",
    ]
    systemd_finds_nothing_wrong_with(units)


def test_a_machine_that_only_sends_gets_no_web_server(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "timetable.yml").write_text(
        "catalogue: https://qingsong.example/catalogue.json\nslots: {}\n", "utf-8"
    )
    installed.run("gengfu", "deploy", "etc", "--user", "daemon", cwd=tmp_path)
    written = sorted(path.name for path in (tmp_path / "etc").rglob("*") if path.is_file())
    assert written == ["gengfu-backup.service", "gengfu-backup.timer", "gengfu-run.service"]
