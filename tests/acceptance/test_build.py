"""Building a station: the same bytes each time and by both ways, and only what belongs there."""

from __future__ import annotations

import hashlib
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from installed import ROOT, Installed
from stations import StationFolder


def digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def starter(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter station, made by ``gengfu init`` in an empty folder and built."""
    folder = tmp_path_factory.mktemp("empty") / "station"
    installed.run("gengfu", "init", "station", cwd=folder.parent)
    installed.run("gengfu", "check", cwd=folder)
    installed.run("gengfu", "build", cwd=folder)
    return folder


def test_the_starter_station_is_this_repositorys(starter: Path) -> None:
    assert digests(starter / "content") == digests(ROOT / "content")


def test_building_again_a_second_later_changes_no_byte(installed: Installed, starter: Path) -> None:
    before = digests(starter / "public")
    wait_for_the_next_second()
    installed.run("gengfu", "build", cwd=starter)
    assert digests(starter / "public") == before


@pytest.mark.parametrize("program", ["mkdocs", "properdocs"])
def test_mkdocs_and_its_maintained_fork_build_the_same_bytes(
    installed: Installed, starter: Path, tmp_path: Path, program: str
) -> None:
    installed.run(program, "build", "-q", "-f", "mkdocs.yml", "-d", str(tmp_path / "out"), cwd=starter)
    assert digests(tmp_path / "out") == digests(starter / "public")


def test_what_was_built_after_edits_is_what_mkdocs_builds(
    installed: Installed, station: StationFolder, tmp_path: Path
) -> None:
    """Each build makes anew what an edit changed, and keeps the rest of the one before."""
    for n in range(5):
        station.article(f"tip/t{n}.md", f"第{n}篇\n", id=f"T000{n}", kind="tip", topics="[防火用电]")
    installed.run("gengfu", "build", cwd=station.folder)
    station.article("tip/t1.md", "[看这篇](t2.md)\n", id="T0001", kind="tip", title="改过")
    installed.run("gengfu", "build", cwd=station.folder)
    (station.folder / "content/tip/t3.md").rename(station.folder / "content/tip/r3.md")
    (station.folder / "content/tip/t4.md").unlink()
    installed.run("gengfu", "build", cwd=station.folder)
    station.article(
        "alert/road.md", kind="alert", expires="2099-01-01", alert="{form: 道路, place: 桥, tell: '122'}"
    )
    installed.run("gengfu", "build", cwd=station.folder)
    installed.run("mkdocs", "build", "-q", "-d", str(tmp_path / "out"), cwd=station.folder)
    assert digests(tmp_path / "out") == digests(station.folder / "public")


def test_nothing_but_articles_and_their_attachments_reaches_the_public_folder(
    installed: Installed, station: StationFolder
) -> None:
    station.article(body="![图](named.svg)\n")
    station.article("fraud/draft.md", id="F0001", published="2099-01-01", body="![图](later.svg)\n")
    for name in ("named.svg", "later.svg", "unnamed.svg", "signed-off.csv", "synonyms.txt", ".hidden.md"):
        station.file(f"content/fraud/{name}", "<svg/>")
    installed.run("gengfu", "build", cwd=station.folder)
    installed.run("mkdocs", "build", "-q", "-d", "by-mkdocs", cwd=station.folder)
    for folder in ("public", "by-mkdocs"):
        found = {name for name in digests(station.folder / folder) if name.startswith("fraud/")}
        assert found == {
            "fraud/index.html",
            "fraud/feed.xml",
            "fraud/atom.xml",
            "fraud/brushing/index.html",
            "fraud/named.svg",
        }


@pytest.mark.parametrize("command", [("gengfu", "build"), ("mkdocs", "build")])
def test_an_output_folder_with_somebody_elses_files_is_refused(
    installed: Installed, station: StationFolder, command: tuple[str, str]
) -> None:
    source = station.file("site/gengfu_site/article.py", "precious")
    text = (station.folder / "mkdocs.yml").read_text("utf-8").replace("site_dir: public\n", "")
    station.file("mkdocs.yml", text)
    station.article()
    done = installed.run(*command, cwd=station.folder, code=1)
    assert "site_dir" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert source.read_text() == "precious"


@pytest.mark.parametrize("command", [("gengfu", "build"), ("mkdocs", "build", "-q")])
def test_a_build_with_problems_names_them_all_and_leaves_the_site_alone(
    installed: Installed, station: StationFolder, command: tuple[str, ...]
) -> None:
    station.article()
    installed.run("gengfu", "build", cwd=station.folder)
    before = digests(station.folder / "public")
    station.article("fraud/bad.md", id="bad")
    station.article("fraud/worse.md", id="F0009", kind="frad")
    done = installed.run(*command, cwd=station.folder, code=1)
    said = done.stdout + done.stderr
    assert "bad.md" in said
    assert "worse.md" in said
    assert "Traceback" not in said
    assert digests(station.folder / "public") == before


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_preview_leaves_nothing_behind_however_it_is_asked_to_end(
    installed: Installed, station: StationFolder, tmp_path: Path, end: signal.Signals
) -> None:
    if end is signal.SIGINT and signal.getsignal(end) is signal.SIG_IGN:
        pytest.skip("what a shell runs in the background does not hear Ctrl+C")
    station.article()
    made = tmp_path / "made"
    made.mkdir()
    command = [installed.bin / "gengfu", "serve", "--port", "0"]
    environ = installed.environ({"TMPDIR": str(made), "PYTHONUNBUFFERED": "1"})
    with subprocess.Popen(
        command, cwd=station.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as preview:
        assert preview.stdout
        try:
            assert "http" in preview.stdout.readline()
            assert list(made.glob("*/public/fraud/brushing/index.html"))
            preview.send_signal(end)
            preview.wait(60)
        finally:
            preview.kill()
    assert list(made.iterdir()) == []


def test_a_new_article_is_asked_for_what_it_lacks_and_then_published(
    installed: Installed, station: StationFolder
) -> None:
    installed.run("gengfu", "new", "fraud", "假冒客服: 退款", "--name", "refund", cwd=station.folder)
    file = station.folder / "content/fraud/refund.md"
    assert "summary" in installed.run("gengfu", "check", cwd=station.folder, code=1).stderr
    text = re.sub(r"【待写[^】]*】", "写好了", file.read_text("utf-8"))
    file.write_text(text.replace("summary:", "summary: 客服不会让你转账。"), "utf-8")
    installed.run("gengfu", "check", cwd=station.folder)
    installed.run("gengfu", "build", cwd=station.folder)
    assert "假冒客服: 退款" in (station.folder / "public/fraud/refund/index.html").read_text("utf-8")


@pytest.mark.parametrize("kind", ["tip", "service", "notice", "video", "alert"])
def test_each_kinds_beginning_lacks_only_what_the_officer_must_write(
    installed: Installed, station: StationFolder, kind: str
) -> None:
    installed.run("gengfu", "new", kind, "标题", cwd=station.folder)
    done = installed.run("gengfu", "check", cwd=station.folder, code=1)
    assert "summary" in done.stderr
    assert "不是正确的 YAML" not in done.stderr


def test_a_webhook_address_in_a_tracked_file_is_refused_and_not_repeated(
    installed: Installed, station: StationFolder
) -> None:
    secret = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
    station.article(body=f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={secret}\n")
    subprocess.run(["git", "init", "-q"], cwd=station.folder, check=True)
    done = installed.run("gengfu", "check", cwd=station.folder, code=1)
    assert "brushing.md" in done.stderr
    assert secret not in done.stderr + done.stdout


def test_a_folder_without_a_station_is_wrong_use(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("gengfu", "build", cwd=tmp_path, code=2)
    assert "gengfu init" in done.stderr


def test_the_preview_shows_an_edit_and_survives_a_mistake(
    installed: Installed, station: StationFolder
) -> None:
    station.article(body="第一版\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    page = f"http://127.0.0.1:{port}/fraud/brushing/"
    serve = subprocess.Popen(
        [installed.bin / "gengfu", "serve", "--port", str(port)],
        cwd=station.folder,
        env=installed.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        shows(page, "第一版")
        station.article("fraud/other.md", id="bad")
        station.article(body="第二版\n")
        shows(page, "第二版")
    finally:
        serve.terminate()
        serve.wait()


def shows(address: str, words: str, seconds: float = 30) -> None:
    """Wait until the page at ``address`` holds ``words``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if words in requests.get(address, timeout=60).content.decode():
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, f"{words} not shown"
        time.sleep(0.05)


def wait_for_the_next_second() -> None:
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.05)
