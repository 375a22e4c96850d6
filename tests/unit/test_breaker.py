"""The breaker: one per shop, in the file; waits that double, a probe that decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.breaker import FARTHEST, LONGEST, ShopBreaker
from agent.errors import ShopUnavailable
from state.db import StateFile, open_state
from state.targets import Breaker

NOW = 1_800_000_000.0
DOWN = ShopUnavailable("refused")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    opened = open_state(tmp_path / "state.db")
    yield opened
    opened.close()


def fails(error: Exception) -> Callable[[], None]:
    def probe() -> None:
        raise error

    return probe


def well() -> None:
    """A probe that succeeds."""


def test_a_closed_breaker_lets_through_without_a_probe(state: StateFile) -> None:
    assert ShopBreaker(state, fails(DOWN)).allows(NOW)


def test_the_waits_double_to_a_minute_while_the_probe_fails(state: StateFile) -> None:
    breaker = ShopBreaker(state, fails(DOWN), ticks=lambda: 0.0)
    breaker.failed(DOWN, NOW)
    now, waits = NOW, []
    for _ in range(8):
        waits.append(breaker.waits_until(now) - now)
        now = breaker.waits_until(now)
        assert not breaker.allows(now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert waits[-1] == LONGEST


def test_after_the_wait_one_good_probe_closes_it(state: StateFile) -> None:
    breaker = ShopBreaker(state, well)
    breaker.failed(DOWN, NOW)
    assert not breaker.allows(NOW + 0.9)
    assert breaker.allows(NOW + 1)
    assert breaker.state == Breaker()


def test_a_restart_does_not_forget_it(state: StateFile) -> None:
    ShopBreaker(state, well).failed(ShopUnavailable("slow down", retry_after=90), NOW)
    again = ShopBreaker(state, well)
    assert again.waits_until(NOW + 1) == NOW + 90
    assert not again.allows(NOW + 89)
    assert again.allows(NOW + 90)


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 1.0), (30.0, 30.0), (10.0**9, FARTHEST), (-5.0, 1.0)])
def test_what_the_shop_asks_for_is_waited_within_reason(state: StateFile, asked: float, waited: float) -> None:
    breaker = ShopBreaker(state, well)
    breaker.failed(ShopUnavailable("slow down", retry_after=asked), NOW)
    assert breaker.waits_until(NOW) == NOW + waited


def test_a_wait_that_a_jumping_clock_made_endless_counts_for_nothing(state: StateFile) -> None:
    breaker = ShopBreaker(state, well)
    breaker.failed(DOWN, NOW + 10 * 86400)
    assert breaker.waits_until(NOW) == 0
    assert breaker.allows(NOW)


def test_a_wait_counts_from_the_end_of_a_slow_probe(state: StateFile) -> None:
    ticks = iter([0.0, 30.0])
    breaker = ShopBreaker(state, fails(DOWN), ticks=lambda: next(ticks))
    breaker.failed(DOWN, NOW)
    assert not breaker.allows(NOW + 1)
    assert breaker.waits_until(NOW + 31) == NOW + 31 + 2


def test_a_bug_in_the_probe_counts_as_a_shop_that_does_not_answer(state: StateFile) -> None:
    error = ShopBreaker(state, fails(ZeroDivisionError())).ask()
    assert isinstance(error, ShopUnavailable)
    assert "ZeroDivisionError" in str(error)
