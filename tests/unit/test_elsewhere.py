"""The machine that only sends: the site is made on another, and known by its catalogue alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gengfu_scheduler.cli import main
from gengfu_scheduler.draft import Refused
from gengfu_scheduler.duty import Done, Duty
from watch import ENVIRON, Watch, alert, instant, tip, watch_in


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


def duty(watch: Watch) -> Duty:
    return Duty(
        folder=watch.folder,
        settings=None,
        environ=ENVIRON,
        outbox=watch.outbox,
        clock=lambda: watch.now,
        say=watch.said.append,
        transport=watch.platforms,
    )


def told(done: Done | None) -> dict[str, str]:
    assert done
    assert done.pushed
    return {delivery.group: delivery.message.body for delivery in done.pushed.deliveries}


class TestWithdrawing:
    def test_what_was_withdrawn_there_is_corrected_here_to_whoever_was_told(self, watch: Watch) -> None:
        watch.publish(tip("T1", areas=("青松路",)))
        watch.at("07:59", "08:00", "09:00")
        watch.publish()
        done = duty(watch).withdraw("t1", "费用写错了", lambda _meant: True)
        assert told(done).keys() == {"q1", "q2"}
        assert all("费用写错了" in body and "题T1" in body for body in told(done).values())
        assert done
        assert done.pushed
        addresses = {item.url for sent in done.pushed.deliveries for item in sent.message.items}
        assert addresses == {"https://qingsong.example/tip/T1/"}

    def test_asked_for_again_it_reaches_nobody_twice(self, watch: Watch) -> None:
        watch.publish(tip("T1"))
        watch.at("07:59", "08:00", "09:00")
        watch.publish()
        for added in (3, 0):
            done = duty(watch).withdraw("T1", "费用写错了", lambda _meant: True)
            assert done
            assert done.pushed
            assert done.pushed.added == added

    def test_it_is_withdrawn_where_it_is_made_first(self, watch: Watch) -> None:
        watch.publish(tip("T1"))
        watch.at("07:59", "08:00")
        with pytest.raises(Refused, match="先在写文章的那台机器上撤回"):
            duty(watch).withdraw("T1", "费用写错了", lambda _meant: True)

    def test_what_was_never_told_or_was_an_alert_is_refused(self, watch: Watch) -> None:
        watch.publish(alert("W1"))
        watch.at("07:00")
        watch.push("W1")
        watch.publish()
        for id in ("W1", "T9"):
            with pytest.raises(Refused, match="从来没有发过"):
                duty(watch).withdraw(id, "费用写错了", lambda _meant: True)


class TestAlerts:
    def test_an_alert_and_its_end_are_told_once_they_are_published_there(self, watch: Watch) -> None:
        watch.now = instant("07:00")
        watch.publish(alert("W1"))
        assert told(duty(watch).alert("W1", None, lambda _meant: True)).keys() == {"q1", "q2", "h1"}
        with pytest.raises(Refused, match="那台机器"):
            duty(watch).conclude("W1", "resolved", lambda _meant: True)
        watch.publish(alert("W1", "2", state="resolved"))
        assert told(duty(watch).conclude("W1", "resolved", lambda _meant: True)).keys() == {"q1", "q2", "h1"}


class TestChecking:
    def test_groups_and_timetable_are_held_against_what_is_published(self, watch: Watch) -> None:
        watch.write("groups.csv", "id,name,reach,platform,webhook,area,owner\nx1,群,hand,,,没有这里,赵警官\n")
        found = CliRunner().invoke(main, ["-C", str(watch.folder), "check"])
        assert found.exit_code == 1
        assert "没有这里" in found.output

    def test_without_a_catalogue_it_says_so(self, watch: Watch) -> None:
        (watch.folder / "public/catalogue.json").unlink()
        found = CliRunner().invoke(main, ["-C", str(watch.folder), "check"])
        assert found.exit_code == 1
        assert "catalogue.json" in found.output
