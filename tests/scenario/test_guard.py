"""The guard: what would empty a shop waits for a person, or for the values to come back; everything else flows."""

from __future__ import annotations

import pytest

from tests.scenario.stage import Stage


@pytest.fixture
def stocked(play: Stage) -> Stage:
    """Twenty codes, equal on both sides, known to the agent."""
    play.both(20)
    assert play.once().code == 0
    return play


def half_to_0(play: Stage) -> None:
    play.sql("UPDATE SKz SET StavZ = 0 WHERE ID <= 12")


def test_half_the_cards_at_0_are_held_and_said_while_others_flow(stocked: Stage) -> None:
    half_to_0(stocked)
    stocked.pieces("A-0020", 9)
    said = stocked.once()
    assert said.code == 1
    assert "12 deliveries are held for your approval. Try: pohoda-agent outbox list --held" in said.out
    assert stocked.sent() == [("A-0020", 9)]
    status = stocked.cli("status")
    assert status.code == 1
    assert "12 held: 12 of 20 quantities would go to 0, more than 20% (zero_guard). Try: " in status.out
    held = stocked.cli("outbox", "list", "--held", "--json").json
    assert {(one["value"], one["status"]) for one in held} == {(0, "held")}
    assert all("pohoda-agent outbox approve" in one["hint"] for one in held)


def test_values_that_come_back_are_released_by_themselves(stocked: Stage) -> None:
    half_to_0(stocked)
    stocked.once()
    stocked.sql("UPDATE SKz SET StavZ = 6 WHERE ID <= 12")
    assert stocked.once().code == 0
    assert stocked.target()["held"] == 0
    assert stocked.differences() == {}
    assert 0 not in {pieces for _, pieces in stocked.sent()}


def test_what_is_approved_is_sent_with_its_present_value_and_the_rest_stays_held(stocked: Stage) -> None:
    half_to_0(stocked)
    stocked.once()
    stocked.pieces("A-0002", 3)
    said = stocked.cli("outbox", "approve", "a-0001", "A-0002")
    assert said.out.startswith("2 approved: they will be read again and sent")
    stocked.once()
    assert sorted(stocked.sent()) == [("A-0001", 0), ("A-0002", 3)]
    assert stocked.target()["held"] == 10
    stocked.cli("outbox", "approve", "--all")
    assert stocked.once().code == 0
    assert stocked.differences() == {}


def test_four_percent_at_a_time_do_not_slip_through(stocked: Stage) -> None:
    for row in range(1, 15):
        stocked.sql("UPDATE SKz SET StavZ = 0 WHERE ID = ?", row)
        stocked.once()
    zeros = [pieces for _, pieces in stocked.sent()].count(0)
    assert zeros == 9  # the guard is silent below ten
    assert stocked.target()["held"] == 5


def test_an_emptied_table_sends_nothing_until_approved(stocked: Stage) -> None:
    stocked.sql("DELETE FROM SKz")
    assert stocked.once().code == 1
    assert stocked.sent() == []
    assert stocked.target()["held"] == 20
    stocked.cli("outbox", "approve", "--all")
    assert stocked.once().code == 0
    assert sorted(stocked.sent()) == [(f"A-{number:04d}", 0) for number in range(1, 21)]


def test_a_table_that_is_missing_or_forbidden_makes_the_source_unavailable_and_nothing_goes_to_0(
    stocked: Stage,
) -> None:
    stocked.sql("ALTER TABLE SKz RENAME TO Away")
    said = stocked.once()
    assert said.code == 1
    assert "SKz" in said.err
    assert "try: " in said.err
    checked = stocked.cli("check")
    assert checked.code == 1
    assert "ERROR" in checked.out
    stocked.sql("ALTER TABLE Away RENAME TO SKz")
    stocked.pieces("A-0001", 8)
    assert stocked.once().code == 0
    assert stocked.sent() == [("A-0001", 8)]


def test_a_database_that_is_gone_is_said_and_not_made(stocked: Stage) -> None:
    away = stocked.database.rename(stocked.folder / "away.db")
    said = stocked.once()
    assert said.code == 1
    assert "POHODA's database cannot be opened" in said.err
    assert not stocked.database.exists()
    away.rename(stocked.database)
    assert stocked.once().code == 0
    assert stocked.sent() == []


def test_a_guard_that_is_off_holds_nothing(stocked: Stage) -> None:
    stocked.configure(quantities__zero_guard="off")
    stocked.sql("DELETE FROM SKz")
    assert stocked.once().code == 0
    assert len(stocked.sent()) == 20


def test_a_held_row_that_is_discarded_is_not_sent_and_the_next_change_is(stocked: Stage) -> None:
    half_to_0(stocked)
    stocked.once()
    assert stocked.cli("outbox", "discard", "--status", "held", "--all").out == "12 discarded.\n"
    assert stocked.once().code == 0
    assert stocked.sent() == []
    stocked.pieces("A-0001", 4)
    stocked.once()
    assert stocked.sent() == [("A-0001", 4)]


def test_the_guard_holds_at_the_very_first_start_too(play: Stage) -> None:
    play.both(20, pieces=0, held=7)
    said = play.once()
    assert said.code == 1
    assert play.sent() == []
    assert play.target()["held"] == 20
