"""A station's own spreadsheet becomes its group list: shown first, addresses kept apart, nothing lost."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.groups import read_groups
from gengfu_scheduler.importing import ChangedMeanwhile, Import, carry_out, plan_import
from gengfu_scheduler.message import Group
from gengfu_site.catalogue import Area, Station
from gengfu_site.problems import ProblemsFound
from sheets import write_ods, write_xls, write_xlsx

STATION = Station(
    name="青松路派出所",
    url="https://qingsong.example/",
    language="zh-CN",
    timezone="Asia/Shanghai",
    areas=(
        Area(path="青松路", slug="qingsong"),
        Area(path="青松路/桃园社区", slug="qingsong/taoyuan"),
        Area(path="青松路/新村", slug="qingsong/xincun"),
        Area(path="河东", slug="hedong"),
        Area(path="河东/新村", slug="hedong/xincun"),
    ),
    audiences=("老年人", "个体商户"),
)
PLATFORMS = ("wecom", "dingtalk", "generic", "apprise")
TODAY = date(2026, 11, 21)
WECOM = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={}-marker"
DINGTALK = "https://oapi.dingtalk.com/robot/send?access_token={}-marker"
HEADINGS = ("群名称", "社区", "群主", "人数", "机器人地址")


def platform_at(host: str) -> str | None:
    return {"qyapi.weixin.qq.com": "wecom", "oapi.dingtalk.com": "dingtalk"}.get(host)


class Office:
    """The folder of a station and the sheet that its admin keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sheet = folder / "群.csv"

    def keep(self, *rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> None:
        """Write the sheet."""
        self.sheet.write_text(_csv([headings, *rows]), encoding="utf-8")

    def plan(self, environ: Mapping[str, str] | None = None, **options: object) -> Import:
        planned = plan_import(
            self.sheet,
            self.folder,
            STATION,
            environ or {},
            platforms=PLATFORMS,
            platform_at=platform_at,
            today=TODAY,
            **{"taken": (), **options},  # type: ignore[arg-type]
        )
        assert "marker" not in repr(planned), "no output shows an address"
        return planned

    def take(self, **options: object) -> Import:
        """Plan and carry out; afterwards the station's files have no problems."""
        planned = self.plan(**options)
        carry_out(planned)
        assert "marker" not in self.text("groups.csv")
        self.groups()
        return planned

    def refused(self, **options: object) -> list[str]:
        """The problems of a sheet that is not imported, after which nothing is written."""
        before = sorted(file.name for file in self.folder.iterdir())
        with pytest.raises(ProblemsFound) as caught:
            self.plan(**options)
        assert sorted(file.name for file in self.folder.iterdir()) == before
        said = [str(problem) for problem in caught.value.problems]
        assert "marker" not in "".join(said)
        return said

    def groups(self) -> dict[str, Group]:
        if not (self.folder / "groups.csv").exists():
            return {}
        groups, problems = read_groups(self.folder, STATION, {}, PLATFORMS)
        assert problems == ()
        return {group.id: group for group in groups}

    def text(self, name: str) -> str:
        """Nothing where there is no such file."""
        file = self.folder / name
        return file.read_bytes().decode() if file.exists() else ""


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def _csv(rows: Iterable[Sequence[str]]) -> str:
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue()


class TestSheet:
    ROWS = (
        ("青松路派出所群台账", "", ""),
        (
            "序号",
            "群名称",
            "所属派出所",
            "警务室",
            "所属社区",
            "人群",
            "管理员",
            "群人数",
            "机器人地址",
            "备注",
        ),
        (
            1,
            "桃园一群",
            "青松路派出所",
            "青松路警务室",
            "桃园社区",
            "",
            "李警官",
            486,
            WECOM.format("a"),
            "老群",
        ),
        (2, "银龄之家", "", "", "", "老年人、个体商户", "李警官", "93人", "无", ""),
        (3, "", "", "", "", "", "", "", "", ""),
        ("合 计", "", "", "", "", "", "", 579, "", ""),
    )

    def expect(self, office: Office, planned: Import) -> None:
        carry_out(planned)
        groups = office.groups()
        assert [(g.name, g.area, g.owner, g.size, g.reach, g.platform) for g in groups.values()] == [
            ("桃园一群", "青松路/桃园社区", "李警官", 486, "webhook", "wecom"),
            ("银龄之家", "青松路/桃园社区", "李警官", 93, "hand", ""),
        ]
        assert list(groups) == ["taoyuan-1", "taoyuan-2"]
        assert groups["taoyuan-1"].webhook == WECOM.format("a")
        assert groups["taoyuan-2"].audience == ("老年人", "个体商户")
        assert groups["taoyuan-1"].joined.date() == TODAY
        assert planned.unused == ("序号", "备注")
        assert planned.skipped == (5, 6)

    def test_a_workbook_is_read_with_its_title_merged_cells_and_totals(self, office: Office) -> None:
        office.sheet = write_xlsx(
            office.folder / "群.xlsx",
            {"2026年": self.ROWS, "说明": [["怎么填"]]},
            merged=("A1:C1", "C3:C4", "D3:D4", "E3:E4"),
        )
        planned = office.plan()
        assert (planned.source, planned.other_sheets) == ("群.xlsx#2026年", ("说明",))
        self.expect(office, planned)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
    def test_csv_is_read_in_either_encoding(self, office: Office, encoding: str) -> None:
        rows = [[str(cell) for cell in row] for row in self.ROWS]
        rows[3][2:5] = rows[2][2:5]
        office.sheet.write_bytes(_csv(rows).encode(encoding))
        self.expect(office, office.plan())

    @pytest.mark.parametrize("separator", [";", "\t"])
    def test_csv_is_read_whatever_separates_its_cells(self, office: Office, separator: str) -> None:
        lines = ("青松路派出所的群", "群名称,群主,社区,类型", "甲群,李警官,桃园社区,老年人;个体商户")
        text = "\n".join(line.replace(",", separator).replace("人;个", "人、个") for line in lines)
        office.sheet.write_text(text, encoding="utf-8")
        (new,) = office.plan().new
        assert (new.name, new.area) == ("甲群", "青松路/桃园社区")

    def test_an_open_document_is_read(self, office: Office) -> None:
        rows = [[str(cell) for cell in row] for row in self.ROWS]
        rows[3][2:5] = rows[2][2:5]
        office.sheet = write_ods(office.folder / "群.ods", rows)
        self.expect(office, office.plan())

    def test_an_old_workbook_is_read(self, office: Office) -> None:
        office.sheet = write_xls(office.folder / "群.xls")
        with pytest.raises(ProblemsFound, match="松园社区"):  # which the file has and this station has not
            office.plan()

    def test_of_several_sheets_one_may_be_named(self, office: Office) -> None:
        rows = (HEADINGS, ("甲群", "桃园社区", "李警官", 3, ""))
        office.sheet = write_xlsx(
            office.folder / "群.xlsx", {"一": rows, "二": (HEADINGS, rows[1], ("乙群", *rows[1][1:]))}
        )
        assert len(office.plan().new) == 1
        assert len(office.plan(sheet_name="二").new) == 2
        assert "一、二" in office.refused(sheet_name="三")[0]

    @pytest.mark.parametrize(
        ("name", "data", "words"),
        [
            ("群.xlsx", b"PK\x03\x04 no", "读不出来"),
            ("群.xls", b"\xd0\xcf\x11\xe0", "不是表格，有密码，或者已损坏"),
            ("群.docx", b"", "只认"),
            ("群.csv", "姓名,电话\n".encode(), "没有找到表头"),
            ("群.csv", b"\xff\xfe", "UTF-16"),
            ("群.csv", '群名称\n"甲'.encode(), "群主"),
        ],
    )
    def test_what_is_no_list_of_groups_is_a_problem(
        self, office: Office, name: str, data: bytes, words: str
    ) -> None:
        office.sheet = office.folder / name
        office.sheet.write_bytes(data)
        assert words in "".join(office.refused())

    def test_a_stray_cell_in_the_far_corner_does_not_fill_the_memory(self, office: Office) -> None:
        office.sheet = write_xlsx(office.folder / "群.xlsx", {"一": (HEADINGS,)})
        data = office.sheet.read_bytes().replace(b'r="E1"', b'r="XFD1048576"')
        office.sheet.write_bytes(data)
        assert len(office.refused()) == 1

    def test_a_missing_file_is_a_problem(self, office: Office) -> None:
        assert "群.csv" in office.refused()[0]


class TestAreas:
    @pytest.mark.parametrize(
        ("station", "room", "community", "area"),
        [
            ("", "", "桃园社区", "青松路/桃园社区"),
            ("", "", "桃园", "青松路/桃园社区"),
            ("青松路派出所", "青松路警务室", "桃园社区", "青松路/桃园社区"),
            ("青松路派出所", "", "", None),
            ("青松路", "", "", None),
            ("", "河东警务室", "", "河东"),
            ("", "河东", "新村", "河东/新村"),
            ("", "", "青松路/新村", "青松路/新村"),
            ("", "", "-", None),
        ],
    )
    def test_they_are_found_in_the_tree_by_what_people_call_them(
        self, office: Office, station: str, room: str, community: str, area: str | None
    ) -> None:
        office.keep(
            (
                "甲群",
                station,
                room,
                community if "/" not in community else "",
                community if "/" in community else "",
                "李警官",
            ),
            headings=("群名称", "所属派出所", "警务室", "社区", "区域", "群主"),
        )
        office.take()
        assert [group.area for group in office.groups().values()] == [area]

    @pytest.mark.parametrize(
        ("room", "community", "words"),
        [
            ("", "桃圆社区", "是不是想写“青松路/桃园社区”"),
            ("", "新村", "不止一个：青松路/新村、河东/新村"),
            ("河东", "桃园社区", "“桃园社区”不在“河东”下面"),
            ("天宫", "", "没有“天宫”这个区域"),
        ],
    )
    def test_what_is_unknown_or_ambiguous_is_a_problem_with_what_is_near(
        self, office: Office, room: str, community: str, words: str
    ) -> None:
        office.keep(("甲群", room, community, "李警官"), headings=("群名称", "警务室", "社区", "群主"))
        (problem,) = office.refused()
        assert problem.startswith("群.csv:2 [警务室/社区]")
        assert words in problem

    def test_the_same_mistake_in_many_lines_is_told_once(self, office: Office) -> None:
        office.keep(*((f"{n}群", "桃圆社区", "李警官", "1", "") for n in range(9)))
        (problem,) = office.refused()
        assert "共 9 行" in problem


class TestReach:
    HEADINGS = ("群名称", "平台", "转发方式", "群主", "机器人地址", "群ID", "群主账号")

    @pytest.mark.parametrize(
        ("row", "expected"),
        [
            (("", "", WECOM.format("a"), "", ""), ("webhook", "wecom")),
            (("钉钉", "机器人", DINGTALK.format("a"), "", ""), ("webhook", "dingtalk")),
            (("generic", "", "https://marker.example/a", "", ""), ("webhook", "generic")),
            (("apprise", "", "tgram://marker/1", "", ""), ("webhook", "apprise")),
            (("微信", "", "", "", ""), ("hand", "")),
            (("企业微信", "手工转发", "", "", ""), ("hand", "")),
            (("", "", "", "wrOgQhDgAAcwMTB7YmDkbeBsgT_AAAA", "li.jing"), ("confirm", "wecom")),
        ],
    )
    def test_it_follows_from_what_the_sheet_has(
        self, office: Office, row: tuple[str, str, str, str, str], expected: tuple[str, str]
    ) -> None:
        platform, reach, webhook, chat, account = row
        office.keep(("甲群", platform, reach, "李警官", webhook, chat, account), headings=self.HEADINGS)
        office.take()
        assert [(g.reach, g.platform) for g in office.groups().values()] == [expected]

    @pytest.mark.parametrize(
        ("row", "field", "words"),
        [
            (("", "", "", "https://marker.example/a", "", ""), "平台", "要填平台"),
            (("", "", "", "https://[marker", "", ""), "平台", "要填平台"),
            (("钉钉", "", "李警官", WECOM.format("a"), "", ""), "平台", "地址却是 wecom 的"),
            (("", "", "李警官", "", "wr1", ""), "群主账号", "要填群主账号"),
            (("", "", "", "", "", ""), "群主", "要填群主"),
            (("", "打电话", "李警官", "", "", ""), "转发方式", "打电话"),
            (("", "", "李警官", "marker", "", ""), "机器人地址", "不在此显示"),
            (("wecom", "", "李警官", "tgram://marker/1", "", ""), "机器人地址", "不在此显示"),
        ],
    )
    def test_what_contradicts_itself_is_a_problem_under_the_sheets_own_heading(
        self, office: Office, row: tuple[str, ...], field: str, words: str
    ) -> None:
        office.keep(("甲群", *row), headings=self.HEADINGS)
        (problem,) = office.refused()
        assert problem.startswith(f"群.csv:2 [{field}]")
        assert words in problem


class TestPersonalData:
    @pytest.mark.parametrize(
        "heading", ["群成员", "成员名单", "手机", "联系电话", "身份证号", "群主（手机）"]
    )
    def test_a_column_of_it_is_refused_by_its_heading(self, office: Office, heading: str) -> None:
        office.keep(("甲群", "李警官", ""), headings=("群名称", "群主", heading))
        assert "个人信息" in office.refused()[0]

    @pytest.mark.parametrize(
        "cell",
        [
            "13812345678",
            "李警官 138-1234-5678",
            "+86 13812345678",
            "11010519491231002X",
            "１３８１２３４５６７８",
            "张三、李四、王小五",
        ],
    )
    @pytest.mark.parametrize("column", ["群名称", "群主", "备注", "没有表头的第 D 列"])
    def test_a_cell_of_it_is_refused_in_any_column_and_not_quoted(
        self, office: Office, column: str, cell: str
    ) -> None:
        row = ["甲群", "李警官", "", ""]
        row[["群名称", "群主", "备注", "没有表头的第 D 列"].index(column)] = cell
        office.keep(row, row, headings=("群名称", "群主", "备注", ""))
        (problem,) = office.refused()
        assert problem.startswith(f"群.csv:2 [{column}]")
        assert "共 2 行" in problem
        assert not any(part in problem for part in ("1234", "110105", "张三"))

    def test_an_officers_name_a_count_and_a_masked_number_are_none(self, office: Office) -> None:
        office.keep(
            ("甲群", "李警官、王警官、赵警官", "186", "0571-5550130 138****1234 王庄、李庄、张庄"),
            headings=("群名称", "群主", "成员人数", "备注"),
        )
        assert len(office.take().new) == 1

    def test_in_an_account_it_is_refused(self, office: Office) -> None:
        office.keep(("甲群", "李警官", "wr1", "13812345678"), headings=("群名称", "群主", "群ID", "群主账号"))
        assert "手机号" in office.refused()[0]


class TestAddresses:
    def test_they_go_to_the_private_file_beside_those_that_are_there(self, office: Office) -> None:
        office.keep(("甲群", "桃园社区", "李警官", "1", WECOM.format("a")))
        office.take()
        file = office.folder / "webhooks.csv"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        office.keep(
            ("甲群", "桃园社区", "李警官", "1", ""), ("乙群", "桃园社区", "李警官", "1", WECOM.format("b"))
        )
        office.take()
        assert office.text("webhooks.csv").splitlines() == [
            "id,webhook,secret",
            f"taoyuan-1,{WECOM.format('a')},",
            f"taoyuan-2,{WECOM.format('b')},",
        ]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_new_one_takes_the_place_of_the_groups_old_one(self, office: Office) -> None:
        office.keep(("甲群", "桃园社区", "李警官", "1", WECOM.format("a")))
        office.take()
        office.keep(("甲群", "桃园社区", "李警官", "1", WECOM.format("new")))
        (change,) = office.take().changed
        assert change.fields == (("机器人地址", "有地址", "表里的地址"),)
        assert office.groups()["taoyuan-1"].webhook == WECOM.format("new")

    def test_one_from_the_environment_is_not_overruled(self, office: Office) -> None:
        (office.folder / "groups.csv").write_text(
            "id,name,reach,platform,webhook\na,甲群,webhook,wecom,env:HOOK\n"
        )
        environ = {"HOOK": WECOM.format("a")}
        office.keep(("甲群", WECOM.format("a")), headings=("群名称", "机器人地址"))
        assert not office.plan(environ=environ).changes_anything
        office.keep(("甲群", WECOM.format("b")), headings=("群名称", "机器人地址"))
        assert "环境变量" in office.refused(environ=environ)[0]

    def test_one_that_a_group_outside_of_the_sheet_has_is_refused(self, office: Office) -> None:
        office.keep(
            ("甲群", "桃园社区", "李警官", "1", WECOM.format("a")),
            ("乙群", "桃园社区", "李警官", "1", WECOM.format("b")),
        )
        office.take()
        office.keep(("甲群", "taoyuan-1", WECOM.format("b")), headings=("群名称", "群编号", "机器人地址"))
        (problem,) = office.refused()
        assert problem.startswith("群.csv:2 [机器人地址] “taoyuan-2”和“taoyuan-1”是同一个群")

    @pytest.mark.parametrize("column", range(4))
    def test_one_in_another_column_is_refused(self, office: Office, column: int) -> None:
        row = ["甲群", "桃园社区", "李警官", "1", ""]
        row[column] = WECOM.format("a")
        office.keep(row)
        problems = office.refused()
        assert any("机器人地址" in problem for problem in problems)
        assert "qyapi" not in "".join(problems)

    def test_one_in_the_first_row_is_not_shown_as_a_heading(self, office: Office) -> None:
        office.keep(("甲群", "李警官", ""), headings=("群名称", "群主", WECOM.format("a")))
        assert "不在此显示" in "".join(office.plan().unused)


class TestChanges:
    """``KEPT`` is a list as an admin left it: own order of columns, quotes, spaces, a comment-like name."""

    KEPT = (
        "name,id,reach,platform,area,owner,size,audience\r\n"
        '"甲群",taoyuan-1,hand,,青松路/桃园社区,李警官,10,老年人；个体商户\r\n'
        ' 乙群 ,old,hand,,河东,"赵警官",20,\r\n'
        "丙群,taoyuan-7,hand,,青松路/桃园社区,王警官,30,"
    )

    @pytest.fixture
    def office(self, office: Office) -> Office:
        (office.folder / "groups.csv").write_bytes(self.KEPT.encode())
        return office

    def test_what_does_not_change_stays_byte_for_byte(self, office: Office) -> None:
        office.keep(
            ("甲群", "桃园社区", "李警官", "10", ""),
            ("丙群", "桃园社区", "王警官", "31", ""),
            ("丁群", "桃园社区", "王警官", "5", ""),
        )
        planned = office.take()
        lines = self.KEPT.split("\r\n")
        assert office.text("groups.csv").split("\r\n") == [
            lines[0] + ",joined",
            lines[1],
            lines[2],
            "丙群,taoyuan-7,hand,,青松路/桃园社区,王警官,31,,",
            "丁群,taoyuan-8,hand,,青松路/桃园社区,王警官,5,,2026-11-21",
            "",
        ]
        assert [group.id for group in planned.new] == ["taoyuan-8"]
        assert [(change.group.id, change.fields) for change in planned.changed] == [
            ("taoyuan-7", (("人数", "30", "31"),))
        ]
        assert [group.id for group in planned.missing] == ["old"]
        assert planned.unchanged == 1

    def test_planning_writes_nothing(self, office: Office) -> None:
        office.keep(("丁群", "桃园社区", "王警官", "5", WECOM.format("a")))
        assert office.plan().changes_anything
        assert office.text("groups.csv") == self.KEPT
        assert not (office.folder / "webhooks.csv").exists()

    def test_a_group_that_is_missing_stays_unless_it_is_to_be_removed(self, office: Office) -> None:
        office.keep(("甲群", "桃园社区", "李警官", "10", WECOM.format("a")))
        office.take()
        assert len(office.groups()) == 3
        office.keep(
            ("乙群", "", "赵警官", "20", ""), headings=("群名称", "警务室", "群主", "人数", "机器人地址")
        )
        office.sheet.write_text(office.text("群.csv").replace("乙群,", "乙群,河东"))
        office.take(remove_missing=True)
        assert list(office.groups()) == ["old"]
        assert office.text("webhooks.csv") == "id,webhook,secret\n"

    def test_a_number_that_a_group_once_had_is_not_given_again(self, office: Office) -> None:
        office.keep(("丁群", "桃园社区", "王警官", "5", ""))
        assert [group.id for group in office.plan(taken={"taoyuan-41", "x"}).new] == ["taoyuan-42"]

    def test_an_id_that_the_sheet_gives_is_kept(self, office: Office) -> None:
        office.keep(
            ("丁群", "桃园社区", "王警官", ""),
            ("戊群", "桃园社区", "王警官", "taoyuan-8"),
            ("己群", "桃园社区", "王警官", "old"),
            headings=("群名称", "社区", "群主", "群编号"),
        )
        planned = office.take()
        assert [(group.id, group.name) for group in planned.new] == [
            ("taoyuan-9", "丁群"),
            ("taoyuan-8", "戊群"),
        ]
        assert [(c.group.id, c.renamed_from, c.group.name) for c in planned.changed] == [
            ("old", "乙群", "己群")
        ]

    @pytest.mark.parametrize("own", ["机器人地址", "群ID"])
    def test_a_group_with_another_name_is_known_by_what_is_its_own(self, office: Office, own: str) -> None:
        headings = ("群名称", "社区", "群主", own, "群主账号")
        value = WECOM.format("a") if own == "机器人地址" else "wr1"
        office.keep(("丁群", "桃园社区", "李警官", value, "li"), headings=headings)
        office.take()
        office.keep(("戊群", "桃园社区", "李警官", value, "li"), headings=headings)
        (change,) = office.take().changed
        assert (change.group.id, change.renamed_from, change.group.name) == ("taoyuan-8", "丁群", "戊群")
        assert "相同" in change.why

    def test_the_only_one_left_to_an_owner_in_an_area_is_probably_renamed(self, office: Office) -> None:
        office.keep(("甲群1", "桃园社区", "李警官", "10", ""), ("另一个", "桃园社区", "王警官", "30", ""))
        planned = office.take()
        assert [(c.group.id, c.renamed_from) for c in planned.changed] == [("taoyuan-1", "甲群")]
        assert "名称相近" in planned.changed[0].why
        assert [group.name for group in planned.new] == ["另一个"]

    def test_a_cell_that_says_the_same_in_other_words_is_no_change(self, office: Office) -> None:
        office.keep(
            ("甲群", "桃园社区", "李警官", "10人", "老年人,个体商户", "微信"),
            headings=("群名称", "社区", "群主", "人数", "类型", "平台"),
        )
        assert not office.plan().changes_anything

    def test_a_line_that_names_a_group_again_is_told_and_left_out(self, office: Office) -> None:
        office.keep(
            ("丁群", "桃园社区", "李警官", "1", WECOM.format("a")),
            ("丁群", "桃园社区", "李警官", "2", WECOM.format("b")),
            ("戊群", "桃园社区", "李警官", "3", WECOM.format("a")),
            ("丁群", "桃园社区", "李警官", "4", ""),
        )
        planned = office.take()
        assert [(one.line, one.first) for one in planned.repeated] == [(4, 2), (5, 2)]
        assert len(planned.new) == 2

    def test_files_that_changed_meanwhile_are_left_alone(self, office: Office) -> None:
        office.keep(("丁群", "桃园社区", "李警官", "1", WECOM.format("a")))
        planned = office.plan()
        (office.folder / "groups.csv").write_text(self.KEPT + "\n", newline="")
        with pytest.raises(ChangedMeanwhile):
            carry_out(planned)
        assert not (office.folder / "webhooks.csv").exists()

    def test_a_station_with_groups_yml_is_told_what_to_do(self, office: Office) -> None:
        (office.folder / "groups.csv").rename(office.folder / "groups.yml")
        office.keep(("丁群", "桃园社区", "李警官", "1", ""))
        assert "groups.csv" in office.refused()[0]

    def test_problems_of_the_stations_own_files_come_first(self, office: Office) -> None:
        (office.folder / "groups.csv").write_text("id,name,reach\na,甲,robot\n")
        office.keep(("丁群", "桃园社区", "李警官", "1", ""))
        assert office.refused()[0].startswith("groups.csv:2")

    def test_an_import_that_was_cut_short_is_taken_up_again(self, office: Office) -> None:
        office.keep(("丁群", "桃园社区", "李警官", "1", WECOM.format("a")))
        office.take()
        (office.folder / "groups.csv").write_text(self.KEPT, newline="")
        office.take()
        assert [g.webhook for g in office.groups().values() if g.name == "丁群"] == [WECOM.format("a")]


NAMES = st.sampled_from(["甲群", "乙群", "丙群", "=丁群", '戊"群', "己,群", " 庚群"])
ROWS = st.tuples(
    NAMES,
    st.sampled_from(["", "桃园社区", "河东"]),
    st.sampled_from(["李警官", "赵警官"]),
    st.sampled_from(["", "1", "22人"]),
    st.sampled_from(["", WECOM.format("a"), WECOM.format("b"), DINGTALK.format("c")]),
)
SHEETS = st.lists(ROWS, max_size=6)


class TestWhateverTheSheet:
    @settings(max_examples=60, deadline=None)
    @given(first=SHEETS, second=SHEETS)
    def test_a_second_import_changes_nothing_and_ids_stay_with_their_groups(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        first: list[tuple[str, ...]],
        second: list[tuple[str, ...]],
    ) -> None:
        office = Office(tmp_path_factory.mktemp("office"))
        ids: list[str] = []
        for rows in (first, second):
            office.keep(*rows)
            office.take()
            again = office.plan()
            assert not again.changes_anything
            assert (again.new, again.changed) == ((), ())
            groups = list(office.groups())
            assert groups[: len(ids)] == ids, "the old ones stay, the new ones follow"
            assert len(set(groups)) == len(groups)
            ids = groups

    @settings(max_examples=40, deadline=None)
    @given(names=st.lists(NAMES.map(str.strip), min_size=2, max_size=5, unique=True), data=st.data())
    def test_renaming_one_row_moves_no_other_groups_id(
        self, tmp_path_factory: pytest.TempPathFactory, names: list[str], data: st.DataObject
    ) -> None:
        office = Office(tmp_path_factory.mktemp("office"))
        rows = [[name, "桃园社区", "李警官", "", ""] for name in names]
        office.keep(*rows)
        office.take()
        before = {group.name: group.id for group in office.groups().values()}
        renamed = data.draw(st.sampled_from(range(len(rows))))
        rows[renamed][0] = "改过名的群"
        office.keep(*data.draw(st.permutations(rows)))
        office.take()
        after = {group.name: group.id for group in office.groups().values()}
        others = [name for name in names if name != names[renamed]]
        assert [after[name] for name in others] == [before[name] for name in others]

    @settings(max_examples=60, deadline=None)
    @given(
        rows=st.lists(
            st.lists(st.one_of(NAMES, st.just(WECOM.format("a")), st.text(max_size=8)), max_size=7),
            max_size=6,
        )
    )
    def test_no_address_is_shown_or_gets_into_the_group_list(
        self, tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
    ) -> None:
        office = Office(tmp_path_factory.mktemp("office"))
        office.sheet = write_xlsx(office.folder / "群.xlsx", {"一": [HEADINGS, *map(_printable, rows)]})
        said = ""
        try:
            office.take()
        except ProblemsFound as error:
            said = str(error)
        assert not any(part in said + office.text("groups.csv") for part in ("marker", "qyapi"))


def _printable(row: Iterable[str]) -> list[str]:
    return ["".join(sign for sign in cell if sign.isprintable()) for cell in row]
