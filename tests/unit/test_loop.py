"""A loop's turn, called by hand: when it comes again, what it says, what ends it. No thread runs here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.loop import HEARTBEAT, LONGEST_BACKOFF, SHORTEST, Loop
from state import report
from state.db import StateFile, open_state
from state.errors import StateDamagedError, StateFullError


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    opened = open_state(tmp_path / "state.db")
    yield opened
    opened.close()


def loop(state: StateFile, step: Callable[[float], bool], **more: Any) -> Loop:  # noqa: ANN401 - fields of Loop
    return Loop("source stock", step, 2.0, state, more.pop("clock", Clock()), **more)


def fails(*errors: Exception | bool) -> Callable[[float], bool]:
    """A step that raises these one after the other (or returns them), and the last for ever."""
    left = list(errors)

    def step(_now: float) -> bool:
        one = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(one, Exception):
            raise one
        return one

    return step


def noted(state: StateFile) -> dict[str, Any]:
    with state.read() as db:
        return report.loops(db)[0]


def test_a_loop_with_more_to_do_goes_on_at_once(state: StateFile) -> None:
    assert loop(state, fails(True)).advance() == 0


def test_a_loop_with_nothing_to_do_waits_for_its_period(state: StateFile) -> None:
    assert loop(state, fails(False)).advance() == 2.0


@pytest.mark.parametrize(("due", "wait"), [(0.5, 0.5), (60.0, 2.0), (-5.0, SHORTEST), (None, 2.0)])
def test_a_loop_waits_for_what_is_due_and_never_spins(state: StateFile, due: float | None, wait: float) -> None:
    assert loop(state, fails(False), due=lambda now: None if due is None else now + due).advance() == pytest.approx(
        wait
    )


def test_a_failing_loop_waits_longer_each_time_and_says_it_once(
    state: StateFile, caplog: pytest.LogCaptureFixture
) -> None:
    one = loop(state, fails(SourceUnavailable("POHODA is down", hint="Start it.")))
    assert [one.advance() for _ in range(7)] == [2, 4, 8, 16, 32, LONGEST_BACKOFF, LONGEST_BACKOFF]
    assert [record.getMessage() for record in caplog.records] == ["POHODA is down"]
    assert caplog.records[0].__dict__["hint"] == "Start it."
    assert (noted(state)["failed"], noted(state)["text"], noted(state)["hint"]) == (1, "POHODA is down", "Start it.")


def test_a_loop_that_works_again_says_so_and_starts_from_a_short_wait(
    state: StateFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    one = loop(state, fails(SourceUnavailable("a"), SourceUnavailable("a"), True, SourceUnavailable("b")))
    assert [one.advance() for _ in range(4)] == [2, 4, 0, 2]
    assert [record.getMessage() for record in caplog.records] == ["a", "works again", "b"]
    assert noted(state)["text"] == "b"


def test_a_bug_is_logged_with_its_traceback_and_the_loop_goes_on(
    state: StateFile, caplog: pytest.LogCaptureFixture
) -> None:
    assert loop(state, fails(ZeroDivisionError("what"))).advance() == 2.0
    assert caplog.records[0].exc_info is not None
    assert noted(state)["text"] == "what"


def test_what_fails_while_asking_what_is_due_does_not_end_the_loop(state: StateFile) -> None:
    def due(_now: float) -> float | None:
        raise StateFullError("locked")

    assert loop(state, fails(False), due=due).advance() == 2.0
    assert noted(state)["text"] == "locked"


def test_only_a_damaged_file_is_fatal(state: StateFile) -> None:
    fatal: list[Exception] = []
    errors = [StateFullError("full"), SourceUnavailable("down"), KeyError("bug"), StateDamagedError("broken")]
    one = loop(state, fails(*errors), fatal=fatal.append)
    for _ in errors:
        one.advance()
    assert fatal == [errors[-1]]


def test_a_loop_that_cannot_note_its_failure_still_goes_on(state: StateFile) -> None:
    with state.read() as db:
        db.execute("PRAGMA query_only=1")
    assert loop(state, fails(StateFullError("the disk is full"))).advance() == 2.0
    with state.read() as db:
        db.execute("PRAGMA query_only=0")


def test_a_loop_notes_that_it_is_well_now_and_then_even_when_it_is_busy(state: StateFile) -> None:
    clock = Clock()
    one = loop(state, fails(True), clock=clock)
    with state.read() as db:
        for _ in range(100):
            one.advance()
        first, changes = report.loops(db)[0]["at"], db.total_changes
        clock.now += HEARTBEAT
        one.advance()
        assert report.loops(db)[0]["at"] == first + HEARTBEAT
        assert db.total_changes <= changes + 2


def test_stopping_wakes_the_loop_and_tells_its_step(state: StateFile) -> None:
    one = loop(state, fails(True))
    assert not one.stopping()
    one.stop()
    assert one.stopping()
    assert one.wake.is_set()
    assert one.join(0.0), "it never ran on a thread"


def test_the_period_counts_from_the_start_of_a_turn(state: StateFile) -> None:
    times = iter([100.0, 100.0 + 0.7])
    loop = Loop("source", lambda _now: False, 2.0, state, lambda: next(times))
    assert loop.advance() == pytest.approx(1.3)
