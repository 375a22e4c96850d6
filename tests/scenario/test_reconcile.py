"""`reconcile`: both sides are compared key by key; what drifted behind our back is reported, and repaired if asked."""

from __future__ import annotations

import pytest

from tests.scenario.stage import Stage


@pytest.fixture
def equal(play: Stage) -> Stage:
    """Six codes, equal on both sides."""
    play.both(6)
    play.once()
    return play


def test_equal_sides_exit_0(equal: Stage) -> None:
    said = equal.cli("reconcile")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "differences: 0  compared: 6  on their way: 0  only in the shop: 0"


def test_what_was_changed_in_the_shop_behind_our_back_is_reported_and_repaired(equal: Stage) -> None:
    equal.shop.sell("A-0003", 2)
    said = equal.cli("reconcile")
    assert said.code == 1
    assert ["A-0003", "differs", "3", "5"] in [line.split() for line in said.out.splitlines()]
    assert "pohoda-agent reconcile --repair" in said.out
    assert equal.once().code == 0
    assert equal.sent() == []  # reporting is not repairing

    repaired = equal.cli("reconcile", "--repair")
    assert repaired.code == 0
    assert "1 keys will be sent at the next start of the agent, or by: pohoda-agent once." in repaired.out
    assert equal.once().code == 0
    assert equal.sent() == [("A-0003", 5)]
    (row,) = equal.cli("outbox", "list", "--limit", "1", "--json").json
    assert row["lane"] == "bulk"
    assert equal.cli("reconcile").code == 0


def test_what_is_on_its_way_is_no_drift(equal: Stage) -> None:
    equal.cli("pause", "quantities")
    equal.pieces("A-0001", 8)
    equal.once()
    said = equal.cli("reconcile")
    assert said.code == 0
    assert "differences: 0  compared: 6  on their way: 1" in said.out


def test_a_repair_that_cannot_repair_everything_exits_1(equal: Stage) -> None:
    equal.shop.sell("A-0001")
    equal.card("GHOST", 4)
    said = equal.cli("reconcile", "--repair", "--json")
    assert said.code == 1
    record = said.json
    assert record.keys() == {"target", "offered", "differences", "on_the_way", "repaired", "keys"}
    assert (record["offered"], record["differences"], record["repaired"]) == (7, 2, 1)
    assert {one["what"] for one in record["keys"]} == {"differs", "not in the shop"}


def test_a_repair_stays_within_the_guard(play: Stage) -> None:
    play.both(20, pieces=0, held=0)
    play.once()
    for number in range(1, 16):
        play.shop.sell(f"A-{number:04d}", -4)
    assert play.cli("reconcile", "--repair").code == 0
    play.once()
    assert play.sent() == []
    assert play.target()["held"] == 15


def test_a_running_agent_repairs_at_once(equal: Stage) -> None:
    with equal.agent() as agent:
        equal.shop.sell("A-0002", 4)
        said = equal.cli("reconcile", "--repair")
        assert "1 keys will be sent by the running agent." in said.out
        equal.until(lambda: equal.sent() == [("A-0002", 5)], agent=agent)
    assert equal.cli("reconcile").code == 0


@pytest.mark.parametrize("side", ["shop", "pohoda"])
def test_a_side_that_cannot_be_read_is_no_verdict(equal: Stage, side: str) -> None:
    if side == "shop":
        equal.shop.down = True
    else:
        equal.sql("ALTER TABLE SKz RENAME TO Away")
    said = equal.cli("reconcile")
    assert said.code == 1
    assert "differences" not in said.out
    assert said.err.splitlines()[-1].startswith("  try: ")


def test_a_repair_before_the_first_start_is_refused_and_makes_no_state_file(play: Stage) -> None:
    play.both(2, held=1)
    said = play.cli("reconcile", "--repair")
    assert said.code == 1
    assert "There is no state file" in said.err
    assert said.err.splitlines()[-1].startswith("  try: Start the agent first")
    assert not play.state.exists()


def test_a_code_spelt_in_several_ways_is_compared_with_all_its_cards(play: Stage) -> None:
    play.card("ABC", 10, store=1)
    play.card("ABC  ", 5, store=2)
    play.shop.add_product("abc", 0)
    assert play.cli("plan", "--json").json["differences"][0]["pohoda"] == 15
    play.once()
    assert play.shop.quantity_of("abc") == 15
    assert play.cli("reconcile").code == 0


@pytest.mark.parametrize("command", ["plan", "reconcile"])
def test_a_quantity_beyond_all_numbers_is_one_unusable_code(play: Stage, command: str) -> None:
    play.both(2)
    play.sql("UPDATE SKz SET StavZ = 1e30 WHERE IDS = 'A-0001'")
    said = play.cli(command, "--json")
    record = said.json
    (one,) = record["differences"] if command == "plan" else record["keys"]
    assert (one["code"], one["what"]) == ("A-0001", "unusable")
    assert one["note"].startswith("SKz.StavZ: in the store HLAVNI 1e+30")
    assert "A-0001" in play.cli(command).out
