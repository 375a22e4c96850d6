"""The running agent as a process: one per state file, stopped by signals, steered from outside, polite to the shop."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from agent.demo.prestashop.faults import Fault
from tests.scenario.stage import ROOT, STOP, Said, Stage

SIGNALS = [STOP, signal.SIGINT] if os.name != "nt" else [STOP]
STOPPED_WITHIN = 5.5
"""Seconds: the 5 that are promised, and the end of the process itself."""


def second(play: Stage, *arguments: str) -> Said:
    """Run a command as a second process beside the agent."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        cwd=play.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def rests_are_over(play: Stage) -> None:
    """Let the time pass that keys rest after an unclear answer (twice the timeout: too long for a test)."""
    connection = sqlite3.connect(play.state, isolation_level=None)
    connection.execute("UPDATE rest SET until = 0, verify_at = 0")
    connection.close()


def test_a_change_in_pohoda_is_in_the_shop_and_the_agent_stops_at_a_signal(play: Stage) -> None:
    play.both(3)
    with play.agent() as agent:
        play.pieces("A-0002", 11)
        play.until(play.quiet, agent=agent)
        assert play.sent() == [("A-0002", 11)]
        code, took = agent.stop()
    assert code == 0
    assert took < STOPPED_WITHIN
    assert "stopped" in agent.said().splitlines()[-1]


def test_a_second_agent_on_the_same_state_file_says_so_and_exits_2(play: Stage) -> None:
    play.both(1)
    with play.agent() as agent:
        for command in (["run", str(play.config)], ["once", "-c", str(play.config)]):
            said = second(play, *command)
            assert said.code == 2
            assert "Another agent already works for the shop 'eshop'" in said.err
            assert said.err.splitlines()[-1].startswith("  try: Stop it first")
        play.pieces("A-0001", 9)  # the first one has not noticed
        play.until(play.quiet, agent=agent)


def test_a_bad_configuration_starts_nothing_and_exits_2_with_every_problem(play: Stage) -> None:
    play.both(1, held=0)
    good = play.config.rename(play.folder / "good.toml")
    play.configure(quantities__pol="1s", shop__tiemout="1s", state__file="bad.db")
    said = second(play, "run", str(good), str(play.config))
    assert said.code == 2
    assert "The configuration has 2 problems; nothing was started." in said.err
    assert "Did you mean 'poll'?" in said.err
    assert "Did you mean 'timeout'?" in said.err
    assert not play.state.exists()
    assert play.shop.requests == {}


def test_status_tells_whether_an_agent_runs(play: Stage) -> None:
    play.both(2)
    assert "NOT RUNNING (start it: pohoda-agent run)" in play.cli("status").out
    with play.agent() as agent:
        said = play.cli("status")
        assert said.code == 0
        assert said.out.startswith("eshop (prestashop): running\n")
        (record,) = play.cli("status", "--json").json
        assert record["running"] is True
        assert record["well"] is True
        assert record.keys() == {
            *("shop", "kind", "running", "well", "state_bytes", "targets", "sources", "loops", "breaker"),
            *("exports", "bad_items"),
        }
        (target,) = record["targets"]
        assert {"target", "paused", "baseline", "pending", "bulk", "held", "dead", "resting", "known"} <= target.keys()
        agent.kill()
    said = play.cli("status")
    assert said.code == 1
    assert "NOT RUNNING" in said.out


@pytest.mark.parametrize("how", SIGNALS)
def test_a_hanging_call_ends_at_a_signal_and_counts_as_unclear_next_time(play: Stage, how: int) -> None:
    play.both(3)
    play.configure(shop__timeout="30s")
    with play.agent() as agent:
        play.shop.faults.next(Fault("late_apply", delay=60, hold=60))
        play.sql("UPDATE SKz SET StavZ = 9")
        play.until(lambda: play.shop.faults.counts.get("late_apply"), agent=agent)
        code, took = agent.stop(how)
    assert code == 0
    assert took < STOPPED_WITHIN
    assert play.sent() == []
    (record,) = play.cli("status", "--json").json
    assert record["breaker"]["failures"] == 0  # it was we who hung up
    assert play.memory("SELECT count(*) FROM delivery WHERE status = 'pending'") == [(3,)]
    said = play.once(patience=0)
    assert said.code == 1  # they rest: what was sent may still land
    assert play.memory("SELECT count(*) FROM rest WHERE phase = 'rest'") == [(3,)]
    assert play.sent() == []
    rests_are_over(play)
    assert play.once().code == 0
    assert play.differences() == {}
    assert len(play.sent()) == 3


def test_a_slow_shop_does_not_hold_up_the_end(play: Stage) -> None:
    play.both(300, held=1)
    play.configure(shop__timeout="20s")
    with play.agent() as agent:
        play.shop.latency = 15.0
        play.sql("UPDATE SKz SET StavZ = 9")
        time.sleep(0.5)
        code, took = agent.stop()
    assert code == 0
    assert took < STOPPED_WITHIN
    play.shop.latency = 0.0
    play.once(patience=0)
    rests_are_over(play)
    assert play.once().code == 0
    assert play.differences() == {}


def test_a_signal_amid_the_first_reading_of_a_slow_shop_ends_it_as_well(play: Stage) -> None:
    play.both(5, held=1)
    play.shop.latency = 15.0
    play.configure(shop__timeout="20s")
    with play.agent(baseline=False) as agent:
        time.sleep(0.3)
        code, took = agent.stop()
    assert code == 0
    assert took < STOPPED_WITHIN
    assert "the shop does not answer" not in play.cli("status").out


def test_pause_and_resume_beside_a_running_agent(play: Stage) -> None:
    play.both(2)
    with play.agent() as agent:
        assert play.cli("pause", "quantities").out == (
            "quantities is paused. To go on: pohoda-agent resume quantities\n"
        )
        play.pieces("A-0001", 9)
        play.pieces("A-0002", 8)
        play.until(lambda: play.target().get("pending") == 2, agent=agent)
        time.sleep(1.2)  # more than the period of the sending loop
        assert play.sent() == []
        said = play.cli("status")
        assert said.code == 1
        assert "quantities is paused. Try: pohoda-agent resume quantities" in said.out
        assert play.cli("resume", "quantities").code == 0
        play.until(play.quiet, agent=agent)


def test_approve_and_retry_beside_a_running_agent(play: Stage) -> None:
    play.both(20)
    play.card("GHOST", 4)
    with play.agent() as agent:
        play.sql("UPDATE SKz SET StavZ = 0 WHERE ID <= 12")
        play.until(lambda: play.target().get("held") == 12 and play.target().get("dead") == 1, agent=agent)
        assert play.sent() == []
        assert play.cli("outbox", "approve", "A-0001").out == (
            "1 approved: they will be read again and sent by the running agent.\n"
        )
        play.until(lambda: play.sent() == [("A-0001", 0)], agent=agent)
        play.shop.add_product("GHOST", 0)
        play.cli("outbox", "retry", "--all")
        play.until(lambda: play.sent()[1:] == [("GHOST", 4)], agent=agent)
        assert play.target()["dead"] == 0


def test_two_shops_run_in_one_process_and_each_has_its_own_state(play: Stage) -> None:
    play.both(4, held=1)
    first = play.config.rename(play.folder / "first.toml")
    play.configure(shop__name="second", state__file="second.db", shop__shop_id=2, quantities__safety_stock=1)
    play.config.rename(play.folder / "second.toml")
    first.rename(play.config)
    with play.agent(str(play.folder / "second.toml"), baseline=False) as agent:
        play.until(lambda: agent.said().count(" running") == 2, agent=agent)
        play.until(lambda: (play.folder / "second.db").exists() and play.sent(), agent=agent)
        assert agent.stop()[0] == 0


def test_no_more_requests_than_the_rate_limit_leave_for_the_shop(play: Stage) -> None:
    play.both(8, held=1)
    play.configure(shop__rate_limit=8)
    begin = time.monotonic()
    with play.agent() as agent:
        play.until(play.quiet, agent=agent)
        while time.monotonic() < begin + 3:  # changes one by one, each a request of its own
            play.sql("UPDATE SKz SET StavZ = StavZ + 1 WHERE ID = 1")
            time.sleep(0.05)
        seconds = time.monotonic() - begin
        asked = sum(play.shop.requests.values())
    assert asked <= 8 * seconds + 8  # a second's worth may leave at once
    assert asked > 4


def test_a_live_change_overtakes_thousands_of_values_that_a_changed_setting_has_made(play: Stage) -> None:
    codes = play.both(3000)
    play.once()
    play.configure(quantities__safety_stock=1, shop__rate_limit=4)
    with play.agent() as agent:
        play.until(lambda: len(play.sent()) >= 100, agent=agent)
        play.pieces(codes[-1], 78)
        took = play.until(lambda: (codes[-1], 77) in play.sent(), agent=agent)
        before = len(play.sent())
    assert took < 3
    assert before < 1500
    assert {pieces for code, pieces in play.sent() if code != codes[-1]} == {4}
