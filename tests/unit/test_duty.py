"""What the officer on duty does, with a real site: published first, sent to exactly those who are meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gengfu_scheduler.draft import Refused, draft_push
from gengfu_scheduler.duty import Done, Duty, Meant, target_of
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.push import push
from gengfu_scheduler.roster import RosterFiles
from gengfu_scheduler.timetable import Target
from gengfu_site import urgent
from gengfu_site.amend import Fields, NotAmended
from gengfu_site.meant import NoSuchArticle
from gengfu_site.problems import ProblemsFound
from gengfu_site.publish import publish
from stations import empty_station
from watch import FakePlatforms

GROUPS = """\
id,name,reach,platform,webhook,area,owner
t1,桃园一群,webhook,wecom,env:Q1,青松路/桃园社区,
s1,松园一群,webhook,wecom,env:Q2,青松路/松园社区,
h1,河东群,hand,,,河东,赵警官
"""
KEY = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="
ENVIRON = {"Q1": f"{KEY}Q1-0000-marker", "Q2": f"{KEY}Q2-0000-marker"}
NIGHT = datetime(2026, 11, 21, 15, 40, tzinfo=UTC)
MARKER = "马克尔"


class Station:
    def __init__(self, folder: Path) -> None:
        self.files = empty_station(folder)
        self.folder = folder
        self.now = NIGHT
        self.platforms = FakePlatforms()
        self.outbox = Outbox(f"sqlite:///{folder / 'outbox.sqlite3'}")
        self.asked: list[Meant] = []
        (folder / "groups.csv").write_text(GROUPS, encoding="utf-8")
        (folder / "timetable.yml").write_text("staff: {groups: [s1]}\n", encoding="utf-8")
        self.files.article()
        self.alert()
        publish(self.files.settings, self.now)

    def alert(self, form: str = "走失", **fields: object) -> Path:
        told = {"form": form, "place": "桃园菜场", "tell": "110", "status": "actual", "state": "active"}
        front = {
            "id": "9ST2A",
            "kind": "alert",
            "title": "寻找老人",
            "expires": "2026-12-01 00:00",
            "areas": ["青松路/桃园社区"],
            "alert": told,
        }
        return self.files.article("alert/lost.md", **{**front, **fields})

    def person(self) -> None:
        private = self.folder / "private"
        private.mkdir()
        text = f"name: {MARKER}\nlast_seen: 桃园菜场\nbasis: 家属同意\nerase_after: 2026-12-01\n"
        (private / "9ST2A.yml").write_text(text, encoding="utf-8")
        (private / "9ST2A.yml").chmod(0o600)

    def ask(self, meant: Meant) -> bool:
        self.asked.append(meant)
        return True

    @property
    def duty(self) -> Duty:
        self.now += timedelta(minutes=1)
        return Duty(
            folder=self.folder,
            settings=self.files.settings,
            environ=ENVIRON,
            outbox=self.outbox,
            clock=lambda: self.now,
            say=lambda _text: None,
            transport=self.platforms,
        )

    def told(self, *areas: str) -> Done:
        duty = self.duty
        done = duty.alert("9ST2A", duty.target([f"area={area}" for area in areas]), self.ask)
        assert done
        return done

    def from_elsewhere(self, folder: Path) -> str:
        """An alert on somebody's stick."""
        text = (self.folder / "content/alert/lost.md").read_text("utf-8").replace("9ST2A", "F1RE9")
        usb = folder / "usb"
        usb.mkdir()
        (usb / "fire.md").write_text(text.replace("走失", "火情"), encoding="utf-8")
        return str(usb / "fire.md")

    def articles(self) -> dict[str, str]:
        """What the officers' files say."""
        content = self.folder / "content"
        return {str(file): file.read_text("utf-8") for file in content.rglob("*") if file.is_file()}

    def public(self) -> str:
        """All that the site, and whatever lies beside it, says."""
        folders = [f for f in self.folder.iterdir() if "public" in f.name and f.is_dir()]
        files = [f for folder in folders for f in folder.rglob("*") if f.is_file()]
        return "".join(file.read_bytes().decode("utf-8", "replace") for file in files)

    def posts(self) -> list[str]:
        """``robot: text`` of every post since the last look."""
        posts, self.platforms.posts = self.platforms.posts, []
        return [f"{post.url.partition('key=')[2][:2]}: {post.body.decode()}" for post in posts]


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


def sent_to(done: Done) -> dict[str, str]:
    assert done.pushed
    return {delivery.group: delivery.state for delivery in done.pushed.deliveries}


def test_its_page_can_be_read_before_anybody_has_its_link(station: Station) -> None:
    seen: list[bool] = []
    page = station.folder / "public/alert/lost/index.html"
    page.unlink()
    station.platforms.on_post = lambda: seen.append(page.is_file())
    done = station.told()
    assert sent_to(done) == {"t1": "sent"}
    assert done.linked
    assert seen == [True]
    assert "/alert/lost/" in station.posts()[0]
    (meant,) = station.asked
    assert "桃园菜场" in meant.text
    assert (meant.ways, meant.groups) == ({"webhook": 1}, ("桃园一群",))


def test_it_goes_to_exactly_those_the_officer_names(station: Station) -> None:
    assert sent_to(station.told("河东")) == {"h1": "handed"}
    assert sent_to(station.told("松园社区", "河东")) == {"h1": "handed", "s1": "sent"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [("area=青松路/桃圆社区", "桃园社区"), ("group=t2", "t1"), ("桃园社区", "area="), ("all=1", "area=")],
)
def test_a_name_that_is_nothing_is_refused_with_what_is_near(station: Station, text: str, hint: str) -> None:
    with pytest.raises(Refused, match=hint):
        target_of([text], RosterFiles(station.folder, ENVIRON).read())


@pytest.mark.parametrize(
    "text", ["area=青松路/桃园社区", "area=桃园社区", "area＝桃园社区", " area = 桃园社区 "]
)
def test_an_area_is_understood_as_an_officer_types_it(station: Station, text: str) -> None:
    roster = RosterFiles(station.folder, ENVIRON).read()
    assert target_of([text], roster).areas == ("青松路/桃园社区",)


def test_what_is_to_be_mended_is_said_before_anybody_is_told(station: Station) -> None:
    station.alert(body="快来【待写：哪里】")
    done = station.told()
    assert [problem.path for problem in station.asked[0].problems] == ["content/alert/lost.md"]
    assert done.problems == station.asked[0].problems


def test_a_no_changes_nothing(station: Station) -> None:
    before = station.public()
    assert station.duty.alert("9ST2A", None, lambda _meant: False) is None
    assert station.duty.conclude("9ST2A", "resolved", lambda _meant: False) is None
    assert station.public() == before
    assert station.outbox.broadcasts() == []


@pytest.mark.parametrize("exercise", [False, True])
def test_a_no_leaves_the_articles_as_they_were(station: Station, tmp_path: Path, exercise: bool) -> None:
    before, to = station.articles(), Target(groups=("t1", "s1"))
    assert station.duty.alert("9ST2A", to, lambda _meant: False, exercise=exercise) is None
    file = station.from_elsewhere(tmp_path)
    assert station.duty.alert(file, to, lambda _meant: False, exercise=exercise) is None
    with pytest.raises(Refused, match="没有对得上的群"):
        station.duty.alert(file, Target(groups=("nobody",)), station.ask, exercise=exercise)
    assert station.articles() == before


def test_what_is_wrong_elsewhere_does_not_hold_it_up_and_is_said(station: Station) -> None:
    station.files.article("fraud/broken.md", id="BRKN2", title="坏的", topics=["没有这个主题"])
    done = station.told()
    assert (sent_to(done), done.linked, done.others) == ({"t1": "sent"}, True, 1)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("groups.csv", GROUPS + "坏的,没有编号,nonsense,,,,\n", {"t1": "sent"}),
        ("groups.csv", GROUPS.replace("s1,", "t1,"), {"t1": "sent"}),
        ("timetable.yml", "slots: [", {"t1": "sent"}),
    ],
)
def test_what_is_wrong_with_the_admins_files_holds_up_no_group_that_is_sound(
    station: Station, file: str, text: str, told: dict[str, str]
) -> None:
    (station.folder / file).write_text(text, encoding="utf-8")
    assert sent_to(station.told()) == told
    assert file in station.asked[-1].trouble


def test_where_publishing_fails_the_text_goes_without_the_link(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    (station.folder / "public/.gengfu-site").unlink()  # somebody else's folder: nothing may be replaced
    station.alert(summary="刚改的提要")
    done = station.told()
    assert sent_to(done) == {"t1": "sent"}
    assert "public" in done.trouble
    (post,) = station.posts()
    assert "刚改的提要" in post
    assert "/alert/lost/" not in post


def test_the_end_reaches_whoever_heard_and_the_person_leaves_everything(station: Station) -> None:
    station.person()
    station.told("桃园社区", "河东")
    assert MARKER in station.public()
    assert MARKER in "".join(station.posts())
    station.alert(areas=["青松路/松园社区"])
    done = station.duty.conclude("9ST2A", "resolved", station.ask)
    assert done
    assert sent_to(done) == {"t1": "sent", "h1": "handed"}
    assert done.leftover == "private/9ST2A.yml"
    assert "已找到" in station.asked[-1].text
    assert MARKER not in station.asked[-1].text
    (post,) = station.posts()
    assert "已找到，请勿再转" in post
    left = station.public() + "".join(
        file.read_bytes().decode("utf-8", "replace") for file in station.folder.glob("outbox.sqlite3*")
    )
    assert MARKER not in left
    tasks = station.folder / ".gengfu"
    assert MARKER not in "".join(f.read_text("utf-8", "replace") for f in tasks.rglob("*") if f.is_file())


def test_news_goes_to_those_who_heard_even_where_it_is_for_others_by_now(station: Station) -> None:
    station.told()
    station.posts()
    station.alert(summary="有人在公园看到过", areas=["青松路/松园社区"])
    done = station.duty.update("9ST2A", station.ask)
    assert done
    assert sent_to(done) == {"t1": "sent"}
    (post,) = station.posts()
    assert "【最新进展】" in post
    assert "有人在公园看到过" in post


def test_an_alert_nobody_heard_of_is_ended_on_its_page_only(station: Station) -> None:
    done = station.duty.conclude("9ST2A", "cancelled", station.ask)
    assert done
    assert done.pushed is None
    assert station.posts() == []
    assert "已取消" in station.public()


def test_an_exercise_is_written_into_its_article_and_stays_among_staff(station: Station) -> None:
    station.alert(areas=[])
    done = station.duty.alert("9ST2A", None, station.ask, exercise=True)
    assert done
    assert sent_to(done) == {"s1": "sent"}
    assert "exercise" in (station.folder / "content/alert/lost.md").read_text("utf-8")
    (post,) = station.posts()
    assert post.count("【演练】") == 2


def test_a_withdrawn_article_is_corrected_for_exactly_those_who_were_told_it(station: Station) -> None:
    text = 'slots: {now: {title: 提示, at: "08:00", to: {groups: [t1, h1]}}}\n'
    (station.folder / "timetable.yml").write_text(text, encoding="utf-8")
    push_slot(station, "now")
    station.posts()
    done = station.duty.withdraw("F7K2Q", "费用写错了", station.ask)
    assert done
    assert station.asked[-1].groups == ("桃园一群", "河东群")
    assert sent_to(done) == {"t1": "sent", "h1": "handed"}
    (post,) = station.posts()
    assert "【更正】刷单返利" in post
    assert "费用写错了" in post
    assert "费用写错了" in station.public()


def test_a_file_from_elsewhere_is_taken_in(station: Station, tmp_path: Path) -> None:
    file = station.from_elsewhere(tmp_path)
    done = station.duty.alert(file, None, station.ask)
    assert done
    assert done.entry.id == "F1RE9"
    assert (station.folder / "content/alert/fire.md").is_file()
    with pytest.raises(Refused, match="gengfu alert F1RE9"):
        station.duty.alert(file, None, station.ask)
    for step in (station.duty.update, lambda name, ask: station.duty.conclude(name, "resolved", ask)):
        with pytest.raises(NoSuchArticle):
            step(file, station.ask)


@pytest.mark.parametrize("step", ["update", "resolve", "withdraw"])
def test_what_became_of_it_is_told_once_however_often_it_is_asked_for(station: Station, step: str) -> None:
    station.told()
    station.alert(summary="有人在公园看到过")
    station.posts()
    steps: dict[str, Callable[[], Done | None]] = {
        "update": lambda: station.duty.update("9ST2A", station.ask),
        "resolve": lambda: station.duty.conclude("9ST2A", "resolved", station.ask),
        "withdraw": lambda: station.duty.withdraw("9ST2A", "发错了", station.ask),
    }
    for added in (1, 0, 0):
        done = steps[step]()
        assert done
        assert done.pushed
        assert done.pushed.added == added
    assert len(station.posts()) == 1


def test_another_end_or_reason_is_told_again(station: Station) -> None:
    station.told()
    for state in ("resolved", "cancelled"):
        done = station.duty.conclude("9ST2A", state, station.ask)
        assert done
        assert sent_to(done) == {"t1": "sent"}
    for reason in ("发错了", "地点写错了"):
        done = station.duty.withdraw("9ST2A", reason, station.ask)
        assert done
        assert sent_to(done) == {"t1": "sent"}
    assert len(station.posts()) == 5


def test_an_end_that_cannot_be_written_down_is_not_told_as_news(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.told()
    station.posts()

    def refuse(file: Path, _fields: Fields) -> None:
        raise NotAmended(file, "Permission denied")

    monkeypatch.setattr(urgent, "amend", refuse)
    with pytest.raises(NotAmended):
        station.duty.conclude("9ST2A", "resolved", station.ask)
    assert station.posts() == []


def test_what_was_told_as_an_actual_alert_becomes_no_exercise(station: Station) -> None:
    station.told()
    before = station.articles()
    with pytest.raises(Refused, match="演练"):
        station.duty.alert("9ST2A", None, station.ask, exercise=True)
    assert station.articles() == before


def test_a_withdrawal_says_why(station: Station) -> None:
    with pytest.raises(Refused, match="--reason"):
        station.duty.withdraw("F7K2Q", "  ", station.ask)


@pytest.mark.parametrize(("name", "path"), [("F7K2Q", "fraud/brushing"), ("9ST2A", "alert/lost")])
def test_a_reason_with_somebodys_number_in_it_withdraws_nothing(
    station: Station, name: str, path: str
) -> None:
    before = station.articles()
    with pytest.raises(ProblemsFound, match=r"138\*\*\*\*5678") as refused:
        station.duty.withdraw(name, "王某 13812345678 说写错了", station.ask)
    assert [problem.path for problem in refused.value.problems] == ["--reason"]
    assert (station.articles(), station.asked, "13812345678" in station.public()) == (before, [], False)
    assert station.duty.withdraw(name, "值班室 0000-5550100 说写错了", station.ask)
    assert "0000-5550100" in (station.folder / f"public/{path}/index.html").read_text("utf-8")


@pytest.mark.parametrize(("name", "error"), [("NNPE2", NoSuchArticle), ("F7K2Q", Refused)])
def test_what_is_no_alert_is_refused(station: Station, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        station.duty.alert(name, None, station.ask)


def push_slot(station: Station, slot: str) -> None:
    roster = RosterFiles(station.folder, ENVIRON).read()
    draft = draft_push(slot, roster, station.outbox.told, station.now)
    push(
        draft,
        station.folder,
        ENVIRON,
        station.outbox,
        clock=lambda: station.now,
        say=lambda _text: None,
        transport=station.platforms,
    )
