"""A station's own message templates: used, tried out by ``check``, and of no harm where they are wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chats import ALERT, GROUP, NOON
from gengfu_scheduler import roster
from gengfu_scheduler.channels import channels_of
from gengfu_scheduler.channels.channel import HttpChannel
from gengfu_scheduler.channels.checking import check_templates
from gengfu_scheduler.channels.text import TemplateMistake
from gengfu_templates import MESSAGES
from watch import STATION, TIMETABLE

WECOM = (
    "# {{ title }}\n{{ message.body }}\n{% for i in message.items %}{{ i.url }}{% endfor %}\n{{ footer }}\n"
)


def write(station: Path, name: str, text: str | bytes) -> None:
    folder = station / "templates" / "messages"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def content(station: Path) -> str:
    channel = channels_of(station).to(GROUP)
    assert isinstance(channel, HttpChannel)
    body = channel.request(ALERT, GROUP, delivery_id=1, now=NOON).body
    return body.decode()


def found(station: Path) -> list[str]:
    return [f"{problem.path}:{problem.line} {problem.message}" for problem in check_templates(station)]


def test_a_stations_own_template_stands_in_for_ours(tmp_path: Path) -> None:
    assert "> 看到请打110" in content(tmp_path)
    write(tmp_path, "wecom-alert.md", WECOM)
    assert "> 看到请打110" not in content(tmp_path)
    assert "看到请打110" in content(tmp_path)
    assert found(tmp_path) == []


def test_our_own_templates_keep_every_promise_as_a_stations(tmp_path: Path) -> None:
    assert found(tmp_path) == []
    for file in MESSAGES.glob("*.[tm][xd]*"):
        write(tmp_path, file.name, file.read_bytes())
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (WECOM + "{% if %}", 5, "Expected an expression"),
        (WECOM + "{{ mesage.title }}", 5, "'mesage' is undefined"),
        (WECOM + "{% if message.parts > 1 %}\n{{ message.tittle }}\n{% endif %}", 6, "tittle"),
        (WECOM + "\n\n{{ 1 / 0 }}", 7, "division by zero"),
        (WECOM + "{{ message.title + 1 }}", 5, "concatenate"),
        (WECOM + "{% include 'no.md' %}", 5, "no.md"),
        (b"\xff\xfe# {{ title }}", 1, "utf-8"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(
    tmp_path: Path, text: str | bytes, line: int, why: str
) -> None:
    write(tmp_path, "wecom-alert.md", text)
    [problem] = check_templates(tmp_path)
    assert (problem.path, problem.line) == ("templates/messages/wecom-alert.md", line)
    assert why in problem.message


def test_a_message_meets_the_mistake_as_a_clear_refusal(tmp_path: Path) -> None:
    write(tmp_path, "wecom-alert.md", WECOM + "{{ mesage.title }}")
    with pytest.raises(TemplateMistake, match=r"wecom-alert\.md:5"):
        content(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "lost"),
    [
        ("wecom-alert.md", WECOM.replace("{{ footer }}", ""), "落款"),
        ("wecom-alert.md", WECOM.replace("{{ title }}", "{{ message.title }}"), "标题"),
        ("wecom-alert.md", WECOM.replace("{{ i.url }}", ""), "链接"),
        ("wecom-alert.md", WECOM.replace("{{ message.body }}", ""), "正文"),
        ("dingtalk-alert.md", "{{ title }} {{ message.body }} {{ footer }}", "关键词"),
        ("feishu-digest.md", "{% for i in message.items %}{{ i.url }}{% endfor %}", "每篇的标题"),
        ("text.txt", "{{ heading(message) }}", "落款"),
    ],
)
def test_a_template_that_drops_what_a_group_is_promised_is_a_problem(
    tmp_path: Path, name: str, text: str, lost: str
) -> None:
    write(tmp_path, name, text)
    [problem] = found(tmp_path)
    assert problem.startswith(f"templates/messages/{name}:1 ")
    assert lost in problem


def test_a_file_that_no_channel_uses_is_a_problem_with_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, "wecom-alart.md", WECOM)
    write(tmp_path, "task.html", "x")
    write(tmp_path, ".DS_Store", b"\0")
    first, second = check_templates(tmp_path)
    assert (first.path, second.path) == (
        "templates/messages/task.html",
        "templates/messages/wecom-alart.md",
    )
    assert "wecom-alert.md" in second.remedy


def test_check_finds_every_template_with_a_mistake_beside_the_other_problems(tmp_path: Path) -> None:
    (tmp_path / "timetable.yml").write_text(TIMETABLE, encoding="utf-8")
    (tmp_path / "groups.csv").write_text("id,name,reach,owner\nh1,河东群,hand,赵警官\n", encoding="utf-8")
    write(tmp_path, "wecom-alert.md", "{{ no }}")
    write(tmp_path, "dingtalk-digest.md", "{{ no }}")
    problems = roster.check(tmp_path, replace(STATION, areas=()), {})
    assert {p.path for p in problems} >= {
        "templates/messages/wecom-alert.md",
        "templates/messages/dingtalk-digest.md",
    }


def test_what_a_person_pastes_is_worded_by_the_station_too_and_by_us_where_that_is_wrong(
    tmp_path: Path,
) -> None:
    channels = channels_of(tmp_path)
    write(tmp_path, "text.txt", "本所提醒：{{ message.body }}")
    assert channels.text_of(ALERT) == f"本所提醒：{ALERT.body}"
    write(tmp_path, "text.txt", "{{ nothing_of_the_kind }}, however long it is")
    assert channels.text_of(ALERT) == channels_of(None).text_of(ALERT)
