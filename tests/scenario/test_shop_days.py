"""The shop's bad days, over real HTTP, with the real agent running: it waits, keeps the order, and catches up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent.demo.prestashop.faults import Fault, Kind
from agent.demo.prestashop.webservice import ALL
from tests.scenario.stage import Agent, Stage


@contextmanager
def at_work(play: Stage) -> Iterator[Agent]:
    """A running agent with four codes that are equal on both sides."""
    play.both(4)
    with play.agent() as agent:
        yield agent
        assert agent.stop()[0] == 0


def attempts(play: Stage) -> int:
    return int(play.memory("SELECT coalesce(sum(attempts), 0) FROM delivery")[0][0])


def assert_sound(play: Stage) -> None:
    """Both sides are equal, nothing is dead, nothing was blamed."""
    assert play.differences() == {}
    assert play.target()["dead"] == 0
    assert attempts(play) == 0


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(2, 2.0), ("date:2", 1.0), ("0", 0.0), (None, 0.0), ("soon", 0.0)],
    ids=["seconds", "date", "zero", "none", "nonsense"],
)
def test_after_429_no_request_comes_before_its_time(
    play: Stage, retry_after: float | str | None, seconds: float
) -> None:
    with at_work(play) as agent:
        play.shop.faults.next(Fault("s429", retry_after=retry_after))
        play.sql("UPDATE SKz SET StavZ = 9")
        play.until(lambda: play.shop.faults.counts.get("s429"), agent=agent)
        begin, asked = time.monotonic(), sum(play.shop.requests.values())
        while time.monotonic() < begin + seconds - 0.1:
            if retry_after is not None:
                assert sum(play.shop.requests.values()) == asked
            time.sleep(0.02)
        play.until(play.quiet, agent=agent)
        assert_sound(play)


def test_an_absurd_retry_after_is_shortened_and_shows_in_status(play: Stage) -> None:
    with at_work(play) as agent:
        play.shop.faults.next(Fault("s429", retry_after="315360000"))
        play.pieces("A-0001", 9)
        play.until(lambda: play.shop.faults.counts.get("s429"), agent=agent)
        play.until(lambda: play.cli("status").code == 1, agent=agent)
        (record,) = play.cli("status", "--json").json
        assert record["breaker"]["failures"] == 1
        assert record["breaker"]["open_until"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1000))
        assert "the shop does not answer: The shop answers HTTP 429." in play.cli("status").out


@pytest.mark.parametrize("kind", ["unauthorized", "maintenance"])
def test_a_while_of_401_or_of_a_maintenance_page_costs_no_attempt(play: Stage, kind: Kind) -> None:
    with at_work(play) as agent:
        play.shop.faults.reads = True
        play.shop.faults.chooser = lambda _request: kind
        play.sql("UPDATE SKz SET StavZ = 9")
        play.until(lambda: play.shop.faults.counts.get(kind, 0) >= 3, agent=agent)
        assert play.cli("status").code == 1
        play.shop.faults.off()
        play.until(play.quiet, agent=agent)
        assert_sound(play)
    assert "the shop answers again" in agent.said()


@pytest.mark.parametrize("how", ["503", "close", "refuse"])
def test_after_an_outage_only_the_last_values_are_sent(play: Stage, how: str) -> None:
    with at_work(play) as agent:
        play.shop.down = how  # type: ignore[assignment] # one of its words
        for pieces in (6, 7, 8):
            play.sql("UPDATE SKz SET StavZ = ?", pieces)
            time.sleep(0.4)
        play.shop.down = False
        play.until(play.quiet, agent=agent)
        assert {pieces for _, pieces in play.sent()} == {8}
        assert_sound(play)


@pytest.mark.parametrize(
    "kind", ["drop_after_apply", "never_apply", "half_answer", "s503_after_apply", "half_apply", "s500", "slow_drip"]
)
def test_an_unclear_answer_is_read_back_and_ends_equal(play: Stage, kind: Kind) -> None:
    play.configure(shop__timeout="200ms")
    with at_work(play) as agent:
        play.shop.faults.next(Fault(kind, delay=0.1))
        play.sql("UPDATE SKz SET StavZ = 9")
        play.until(lambda: play.shop.faults.counts.get(kind), agent=agent)
        play.until(play.quiet, agent=agent)
        assert play.target()["dead"] == 0
    assert len(play.sent()) == 4  # what had been applied was not sent twice


def test_a_write_that_lands_late_over_a_newer_value_is_found_and_put_right(play: Stage) -> None:
    play.configure(shop__timeout="200ms")
    with at_work(play) as agent:
        play.shop.faults.next(Fault("late_apply", delay=1.2, hold=5))
        play.pieces("A-0001", 6)
        play.until(lambda: play.shop.faults.counts.get("late_apply"), agent=agent)
        play.pieces("A-0001", 7)
        play.until(lambda: ("A-0001", 6) in play.sent(), agent=agent)  # 7 came first, the old value over it
        play.until(play.quiet, agent=agent)
    assert play.sent()[-1] == ("A-0001", 7)


def test_a_missing_right_shows_in_status_until_it_is_granted(play: Stage) -> None:
    play.both(4, held=1)
    play.shop.webservice.keys[play.shop.key] = {"stock_availables": ALL}  # enough for the probe, not for the reading
    with play.agent(baseline=False) as agent:
        play.until(lambda: "sending quantities fails" in play.cli("status").out, agent=agent)
        said = play.cli("status")
        assert said.code == 1
        assert "sending quantities fails: The shop answers HTTP 405." in said.out
        assert "The key lacks products GET." in play.cli("check").out
        play.shop.webservice.keys[play.shop.key] = {"*": ALL}
        play.until(play.quiet, agent=agent)
        play.until(lambda: play.cli("status").code == 0, agent=agent)


def test_a_right_that_was_granted_while_no_agent_ran_is_not_missed_any_more(play: Stage) -> None:
    play.both(4, held=1)
    play.shop.webservice.keys[play.shop.key] = {"stock_availables": ALL}
    assert play.once(patience=0).code == 1
    assert "sending quantities fails" in play.cli("status").out
    play.shop.webservice.keys[play.shop.key] = {"*": ALL}
    assert play.once().code == 0
    assert "fails" not in play.cli("status").out


def test_once_names_the_right_that_is_missing(play: Stage) -> None:
    play.both(4, held=1)
    play.shop.webservice.keys[play.shop.key] = {"stock_availables": ALL}
    said = play.once(patience=0)
    assert said.code == 1
    assert "the shop could not be read whole: The shop answers HTTP 405." in said.out


def test_a_sale_in_the_shop_is_not_overwritten_until_the_card_changes(play: Stage) -> None:
    with at_work(play) as agent:
        play.shop.sell("A-0001", 2)
        play.pieces("A-0002", 9)
        play.until(lambda: play.shop.quantity_of("A-0002") == 9, agent=agent)
        assert play.shop.quantity_of("A-0001") == 3
