"""The rate limit, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import threading

import pytest

from agent.shops.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_without_a_rate_nobody_waits() -> None:
    clock = Clock()
    pace = Pace(None, clock=clock, sleep=clock.sleep)
    for _ in range(1000):
        pace()
    assert clock.slept == []


def test_the_first_request_leaves_at_once_and_the_others_in_step() -> None:
    clock = Clock()
    pace = Pace(4, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        pace()
    assert clock.slept == [0.25] * 4


def test_a_burst_leaves_at_once_and_only_once() -> None:
    clock = Clock()
    pace = Pace(2, burst=3, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        pace()
    assert clock.slept == [0.5, 0.5]


def test_a_pause_fills_the_bucket_and_no_more_than_that() -> None:
    clock = Clock()
    pace = Pace(2, burst=3, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        pace()
    clock.now += 3600
    for _ in range(4):
        pace()
    assert clock.slept == [0.5]


def test_over_a_long_time_the_rate_is_never_exceeded() -> None:
    clock = Clock()
    pace = Pace(7.5, burst=4, clock=clock, sleep=clock.sleep)
    for _ in range(1000):
        pace()
    allowed = (clock.now - 100.0) * 7.5 + 4
    assert allowed + 1e-6 >= 1000


def test_a_clock_that_goes_back_delays_by_no_more_than_it_went_back() -> None:
    clock = Clock()
    pace = Pace(1, clock=clock, sleep=clock.sleep)
    pace()
    clock.now -= 10
    pace()
    assert clock.slept == [11.0]


def test_callers_at_the_same_time_get_different_turns() -> None:
    """Nobody sleeps under the lock: all of them learn their turn at once, on a clock that stands still."""
    slept: list[float] = []
    pace = Pace(10, clock=lambda: 0.0, sleep=slept.append)
    callers = [threading.Thread(target=pace) for _ in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(round(seconds, 6) for seconds in slept) == [round(turn / 10, 6) for turn in range(1, 20)]


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Pace(rate)


def test_a_burst_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match="burst"):
        Pace(1, burst=0)
