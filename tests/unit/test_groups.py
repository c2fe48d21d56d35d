"""The admin's group list is read whole, its mistakes are named all at once, its secrets never."""

from __future__ import annotations

import subprocess
from dataclasses import fields, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gengfu_scheduler.channels import PLATFORMS
from gengfu_scheduler.groups import COLUMNS, SINCE_EVER, address_mark, is_address, read_groups, sorted_out
from gengfu_scheduler.message import Group, QuietHours
from gengfu_site.catalogue import Area, Station, Topic

STATION = Station(
    name="青松路派出所",
    url="https://qingsong.example/",
    language="zh-CN",
    timezone="Asia/Shanghai",
    areas=(Area(path="青松路", slug="qingsong"), Area(path="青松路/桃园社区", slug="qingsong/taoyuan")),
    topics=(Topic(name="电信网络诈骗", slug="fraud"), Topic(name="燃气安全", slug="gas")),
    audiences=("老年人", "学校"),
)
SECRET = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=3f2c-marker"
HEADER = "id,name,reach,platform,webhook,secret,keyword,area,audience,topics,owner,size,joined,quiet_hours\n"


def read(folder: Path, table: str, **environ: str) -> tuple[tuple[Group, ...], list[str]]:
    (folder / "groups.csv").write_text(table, encoding="utf-8")
    groups, problems = read_groups(folder, STATION, environ, ("wecom", "generic", "apprise"))
    said = [str(problem) for problem in problems]
    assert "marker" not in "".join(said), "no problem quotes an address"
    return groups, said


def keep_webhooks(folder: Path, table: str, mode: int = 0o600) -> None:
    file = folder / "webhooks.csv"
    file.write_text(table, encoding="utf-8")
    file.chmod(mode)


class TestCsv:
    ROWS = HEADER + (
        "taoyuan-1,桃园业主一群,webhook,wecom,,,,青松路/桃园社区,老年人；学校,电信网络诈骗、燃气安全,李警官,186,2026-08-01,21:00-08:00\n"
        "all,全所商户群,hand,,,,,,,,王警官,,2026/8/2,\n"
    )

    def test_every_column_is_read(self, tmp_path: Path) -> None:
        groups, problems = read(tmp_path, self.ROWS)
        assert problems == []
        shanghai = ZoneInfo("Asia/Shanghai")
        assert groups == (
            Group(
                id="taoyuan-1",
                name="桃园业主一群",
                reach="webhook",
                platform="wecom",
                area="青松路/桃园社区",
                audience=("老年人", "学校"),
                topics=("电信网络诈骗", "燃气安全"),
                owner="李警官",
                size=186,
                joined=datetime(2026, 8, 1, tzinfo=shanghai),
                quiet_hours=QuietHours(start=time(21), end=time(8)),
            ),
            Group(
                id="all",
                name="全所商户群",
                reach="hand",
                owner="王警官",
                joined=datetime(2026, 8, 2, tzinfo=shanghai),
            ),
        )

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_it_is_read_however_a_spreadsheet_saved_it(self, tmp_path: Path, encoding: str, end: str) -> None:
        (tmp_path / "groups.csv").write_bytes(self.ROWS.replace("\n", end).encode(encoding))
        groups, problems = read_groups(tmp_path, STATION, {}, ("wecom",))
        assert ([g.name for g in groups], problems) == (["桃园业主一群", "全所商户群"], ())

    def test_empty_lines_and_missing_columns_are_fine(self, tmp_path: Path) -> None:
        groups, problems = read(tmp_path, "name,id,reach,owner\n\n甲群,a,hand,李警官\n,,,\n")
        assert problems == []
        assert [(g.id, g.name, g.area, g.joined) for g in groups] == [("a", "甲群", None, SINCE_EVER)]

    def test_every_problem_is_told_at_once_with_its_line_and_the_nearest_word(self, tmp_path: Path) -> None:
        groups, problems = read(
            tmp_path,
            HEADER
            + "a,甲群,webhook,wecon,,,,青松,老人;学校,网络诈骗,,many,yesterday,late\n"
            + "a,乙群,hand,wecom,,,,,,,,,,\n"
            + "丙 群,,robot,,,,,,,,,,,\n"
            + "d,丁群,webhook,,,,,,,,,,,,extra\n"
            + "e,戊群,webhook,wecom,,,,,,,,,,\n",
        )
        assert [g.id for g in groups] == ["e"]
        for line, field, words in [
            (2, "platform", "是不是想写“wecom”"),
            (2, "area", "是不是想写“青松路”"),
            (2, "audience", "是不是想写“老年人”"),
            (2, "topics", "是不是想写“电信网络诈骗”"),
            (2, "size", "many"),
            (2, "joined", "yesterday"),
            (2, "quiet_hours", "late"),
            (3, "id", "第 2 行"),
            (3, "platform", "手工转发（hand）的群不填平台"),
            (3, "owner", "李警官"),
            (4, "id", "丙 群"),
            (4, "name", "名称"),
            (4, "reach", "robot"),
        ]:
            assert any(p.startswith(f"groups.csv:{line} [{field}]") and words in p for p in problems), (
                line,
                field,
                problems,
            )
        assert any(p.startswith("groups.csv:5 ") and "15" in p for p in problems)
        assert len(problems) == 14, problems

    @pytest.mark.parametrize("separator", [";", "\t", "，"])
    def test_columns_that_no_comma_separates_are_one_problem(self, tmp_path: Path, separator: str) -> None:
        _groups, [problem] = read(tmp_path, self.ROWS.replace(",", separator))
        assert "英文逗号" in problem

    def test_of_very_many_mistakes_each_is_named_and_what_the_first_mean_is_guessed(
        self, tmp_path: Path
    ) -> None:
        """To guess for each of a city's groups would take hours."""
        keep_webhooks(tmp_path, "id,webhook\n" + "".join(f"ab{n},{SECRET}{n}\n" for n in range(100)))
        _groups, problems = read(
            tmp_path,
            "id,name,reach,owner,area\n" + "".join(f"a{n},群,hand,李,青松路{n}\n" for n in range(100)),
        )
        for file in ("groups.csv", "webhooks.csv"):
            told = [problem for problem in problems if problem.startswith(file)]
            assert len(told) == 100
            assert sum("是不是想写" in problem for problem in told) == 20

    @pytest.mark.parametrize(
        "text", ["", "姓名,电话\n甲,1\n", "id,name\n", "id,id,name,reach\n", 'id,name,reach\n"a,甲\n', "\x00"]
    )
    def test_nonsense_ends_in_problems(self, tmp_path: Path, text: str) -> None:
        assert read(tmp_path, text)[1] != []

    def test_a_missing_list_is_a_problem(self, tmp_path: Path) -> None:
        groups, problems = read_groups(tmp_path, STATION, {}, ())
        assert (groups, [p.path for p in problems]) == ((), ["groups.csv"])


class TestConfirm:
    """WeCom customer groups: the platform asks the owner, so it must know which group and which account."""

    TABLE = "id,name,reach,platform,webhook,chat,account,owner,keyword\n"
    CHAT = "wrOgQhDgAAcwMTB7YmDkbeBsgT_AAAA"

    def test_a_group_of_either_kind_has_what_its_platform_asks_for(self, tmp_path: Path) -> None:
        groups, problems = read(
            tmp_path,
            self.TABLE
            + f"a,甲群,confirm,wecom,,{self.CHAT},li.jing,李警官,\nb,乙群,webhook,wecom,,,,,社区警务\n",
        )
        assert problems == []
        assert [(g.platform, g.chat, g.account, g.keyword) for g in groups] == [
            ("wecom", self.CHAT, "li.jing", ""),
            ("wecom", "", "", "社区警务"),
        ]

    def test_what_is_missing_or_too_much_is_named_all_at_once(self, tmp_path: Path) -> None:
        groups, problems = read(
            tmp_path,
            self.TABLE
            + "a,甲群,confirm,generic,env:HOOK,,,,\n"
            + "b,乙群,confirm,wecom,,wr 1,13800138000,李警官,\n"
            + "c,丙群,hand,wecom,,wr1,li,李警官,\n",
        )
        assert groups == ()
        found = [(int(p.split(":")[1].split()[0]), p.split("[")[1].split("]")[0]) for p in problems]
        assert sorted(found) == [
            *((2, column) for column in ("account", "chat", "owner", "platform", "webhook")),
            *((3, column) for column in ("account", "chat")),
            *((4, column) for column in ("account", "chat", "platform")),
        ]
        assert "13800138000" not in "".join(problems)

    def test_an_address_in_the_private_file_contradicts_it(self, tmp_path: Path) -> None:
        keep_webhooks(tmp_path, f"id,webhook\na,{SECRET}\n")
        _, (problem,) = read(tmp_path, self.TABLE + "a,甲群,confirm,wecom,,wr1,li,李警官,\n")
        assert problem.startswith("groups.csv:2 [webhook]")

    def test_one_chat_is_one_group(self, tmp_path: Path) -> None:
        rows = "a,甲群,confirm,wecom,,wr1,li,李警官,\nb,乙群,confirm,wecom,,wr1,li,李警官,\n"
        groups, (problem,) = read(tmp_path, self.TABLE + rows)
        assert [group.id for group in groups] == ["a"]
        assert problem.startswith("groups.csv:3 [chat] “a”和“b”")

    def test_a_reach_that_is_none_is_told_what_each_means(self, tmp_path: Path) -> None:
        (problem,) = read(tmp_path, self.TABLE + "a,甲群,微信,,,,,李警官,\n")[1]
        assert all(word in problem for word in ("webhook", "confirm", "hand"))


def test_the_admins_guide_explains_every_column_and_platform() -> None:
    text = (Path(__file__).parents[2] / "docs/groups.zh-CN.md").read_text("utf-8")
    assert [name for name in (*COLUMNS, *PLATFORMS) if f"`{name}`" not in text] == []


class TestYaml:
    def test_a_few_groups_may_be_kept_as_yaml(self, tmp_path: Path) -> None:
        (tmp_path / "groups.yml").write_text(
            """
groups:
  - id: "007"
    name: 甲群
    reach: hand
    owner: 李警官
    topics: [燃气安全, 电信网络诈骗]
    quiet_hours: 21:30-07:30
""",
            encoding="utf-8",
        )
        (group,), problems = read_groups(tmp_path, STATION, {}, ())
        assert problems == ()
        assert (group.id, group.topics) == ("007", ("燃气安全", "电信网络诈骗"))
        assert group.quiet_hours == QuietHours(start=time(21, 30), end=time(7, 30))

    def test_its_problems_name_the_line_of_the_field(self, tmp_path: Path) -> None:
        (tmp_path / "groups.yml").write_text(
            "groups:\n- id: a\n  name: 甲\n  reach: hand\n  owner: 李\n  area: 青松\n  colour: red\n- b\n",
            encoding="utf-8",
        )
        groups, problems = read_groups(tmp_path, STATION, {}, ())
        assert groups == ()
        assert sorted(p.line for p in problems) == [6, 7, 8]

    def test_two_lists_at_once_are_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "groups.yml").write_text("groups: []\n", encoding="utf-8")
        assert len(read(tmp_path, HEADER)[1]) == 1


class TestAddresses:
    GROUP = HEADER + "a,甲群,webhook,wecom,{},{},,,,,,,,\n"

    def test_an_address_comes_from_the_environment(self, tmp_path: Path) -> None:
        table = self.GROUP.format("env:HOOK", "env:KEY")
        (group,), problems = read(tmp_path, table, HOOK=SECRET, KEY="k")
        assert (problems, group.webhook, group.secret) == ([], SECRET, "k")
        assert "marker" not in repr(group)

    def test_an_address_comes_from_the_private_file(self, tmp_path: Path) -> None:
        keep_webhooks(tmp_path, f"id,webhook,secret\na,{SECRET},k\n")
        (group,), problems = read(tmp_path, self.GROUP.format("", ""))
        assert (problems, group.webhook, group.secret) == ([], SECRET, "k")

    def test_an_address_unknown_on_this_machine_is_no_problem_of_the_list(self, tmp_path: Path) -> None:
        (group,), problems = read(tmp_path, self.GROUP.format("env:HOOK", ""))
        assert (problems, group.webhook) == ([], None)

    @pytest.mark.parametrize(
        ("webhook", "secret"), [(SECRET, ""), ("", "marker"), ("3f2c-marker", ""), ("env:HOOK", "x://marker")]
    )
    def test_an_address_or_key_in_the_group_list_is_a_problem(
        self, tmp_path: Path, webhook: str, secret: str
    ) -> None:
        groups, problems = read(tmp_path, self.GROUP.format(webhook, secret))
        assert groups == ()
        assert len(problems) == 1
        assert problems[0].startswith("groups.csv:2 ")

    def test_an_address_in_the_wrong_column_is_found_too(self, tmp_path: Path) -> None:
        (problem,) = read(tmp_path, HEADER + f"a,{SECRET},webhook,wecom,,,,,,,,,,\n")[1]
        assert "[name]" in problem

    def test_what_is_no_address_is_a_problem_that_does_not_show_it(self, tmp_path: Path) -> None:
        assert len(read(tmp_path, self.GROUP.format("env:HOOK", ""), HOOK="ftp:marker")[1]) == 1
        keep_webhooks(tmp_path, "id,webhook\na,marker\n")
        assert len(read(tmp_path, self.GROUP.format("", ""))[1]) == 1

    @pytest.mark.parametrize(("platform", "problems"), [("apprise", 0), ("wecom", 1)])
    def test_only_a_group_of_apprises_may_have_an_address_that_is_no_web_address(
        self, tmp_path: Path, platform: str, problems: int
    ) -> None:
        table = self.GROUP.replace("wecom", platform)
        assert len(read(tmp_path, table.format("env:HOOK", ""), HOOK="tgram://marker/1")[1]) == problems
        keep_webhooks(tmp_path, "id,webhook\na,tgram://marker/1\n")
        assert len(read(tmp_path, table.format("", ""))[1]) == problems

    def test_a_file_that_others_can_read_is_a_problem(self, tmp_path: Path) -> None:
        keep_webhooks(tmp_path, f"id,webhook\na,{SECRET}\n", mode=0o644)
        (problem,) = read(tmp_path, self.GROUP.format("", ""))[1]
        assert "chmod 600 webhooks.csv" in problem

    def test_a_file_that_git_tracks_is_a_problem(self, tmp_path: Path) -> None:
        keep_webhooks(tmp_path, f"id,webhook\na,{SECRET}\n")
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        assert read(tmp_path, self.GROUP.format("", ""))[1] == []
        subprocess.run(["git", "-C", str(tmp_path), "add", "webhooks.csv"], check=True)
        (problem,) = read(tmp_path, self.GROUP.format("", ""))[1]
        assert "git rm --cached webhooks.csv" in problem

    def test_an_address_of_an_unknown_group_is_a_problem(self, tmp_path: Path) -> None:
        keep_webhooks(tmp_path, f"id,webhook\nab,{SECRET}\na,{SECRET}\na,{SECRET}\n")
        problems = read(tmp_path, self.GROUP.format("", ""))[1]
        assert len(problems) == 2
        assert any("webhooks.csv:2 [id]" in p and "是不是想写“a”" in p for p in problems)
        assert any("webhooks.csv:4 [id]" in p and "第 3 行" in p for p in problems)

    def test_one_address_for_two_groups_is_a_problem_that_names_both_and_not_the_address(
        self, tmp_path: Path
    ) -> None:
        keep_webhooks(tmp_path, f"id,webhook\na,{SECRET}\nb,{SECRET}\n")
        groups, (problem,) = read(tmp_path, self.GROUP.format("", "") + "b,乙群,webhook,wecom,,,,,,,,,,\n")
        assert [group.id for group in groups] == ["a"]
        assert problem.startswith("groups.csv:3 [webhook] “a”和“b”")

    def test_an_address_is_known_again_by_a_mark_that_does_not_show_it(self) -> None:
        mark = address_mark(SECRET)
        assert is_address(SECRET, mark)
        assert not is_address(SECRET + "x", mark)
        assert address_mark(SECRET) != mark
        assert "marker" not in mark


def test_groups_are_alike_that_differ_in_nothing_that_a_digest_for_them_depends_on() -> None:
    one = Group(id="a", name="甲", reach="hand", joined=SINCE_EVER)
    telling: dict[str, Any] = {
        "reach": "webhook",
        "platform": "wecom",
        "keyword": "警",
        "area": "青松路",
        "audience": ("学校",),
        "topics": ("燃气安全",),
        "joined": SINCE_EVER + timedelta(days=1),
        "quiet_hours": QuietHours(start=time(7), end=time(9)),
    }
    others: dict[str, Any] = {
        "id": "b",
        "name": "乙",
        "webhook": SECRET,
        "secret": "marker",
        "chat": "c",
        "account": "d",
        "owner": "王姐",
        "size": 9,
    }
    assert telling.keys() | others.keys() == {field.name for field in fields(Group)}
    assert [
        name for name in telling if len(sorted_out([one, replace(one, **{name: telling[name]})], ())) == 1
    ] == []
    assert sorted_out([one, replace(one, **others)], ()) == [[one, replace(one, **others)]]
    assert sorted_out([one, replace(one, **others)], {"b"}) == [[one], [replace(one, **others)]]
