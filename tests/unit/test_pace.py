"""The rate limit, on a clock that only moves when somebody sleeps; and its shares, driven by hand."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

import pytest

from agent.errors import ShopUnavailable
from agent.shops.pace import LANES, NAP, REST, Pace, Shares


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, _: threading.Event, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


# ------------------------------------------------------------------------------------------------ the bucket


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


def test_waking_late_each_time_does_not_lower_the_rate() -> None:
    clock = Clock()

    def oversleep(_: threading.Event, seconds: float) -> None:
        clock.now += seconds + 0.02

    pace = Pace(10, clock=clock, sleep=oversleep)
    for _ in range(101):
        pace()
    assert clock.now == pytest.approx(110.0, abs=0.05)


def test_a_clock_that_goes_back_delays_by_no_more_than_it_went_back() -> None:
    clock = Clock()
    pace = Pace(1, clock=clock, sleep=clock.sleep)
    pace()
    clock.now -= 10
    pace()
    assert sum(clock.slept) == 11.0


def test_no_sleep_is_so_long_that_a_signal_has_to_wait_for_it() -> None:
    clock = Clock()
    pace = Pace(0.1, clock=clock, sleep=clock.sleep)
    pace()
    pace()
    assert sum(clock.slept) == 10.0
    assert max(clock.slept) <= NAP


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_makes_no_sense_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Pace(rate)


def test_a_burst_of_none_is_refused() -> None:
    with pytest.raises(ValueError, match="burst"):
        Pace(1, burst=0)


@pytest.mark.parametrize("rate", [None, 0.1])
def test_nothing_passes_after_closing(rate: float | None) -> None:
    clock = Clock()
    pace = Pace(rate, clock=clock, sleep=clock.sleep)
    lane = pace.lane("images")
    pace.close()
    for call in (pace, lane):
        with pytest.raises(ShopUnavailable, match="stopping"):
            call()
    assert clock.slept == []


def test_closing_wakes_who_waits_and_lets_nothing_of_it_leave() -> None:
    clock = Clock()
    woken: list[bool] = []

    def close(ticket: threading.Event, seconds: float) -> None:
        clock.sleep(ticket, seconds)
        pace.close()
        woken.append(ticket.is_set())

    pace = Pace(0.1, clock=clock, sleep=close)
    pace()
    with pytest.raises(ShopUnavailable):
        pace.lane("quantities")()
    assert woken == [True]


def test_a_wait_that_is_broken_off_takes_no_token_with_it() -> None:
    clock = Clock()
    breaks = [KeyboardInterrupt]

    def interrupted(ticket: threading.Event, seconds: float) -> None:
        clock.sleep(ticket, seconds)
        if breaks:
            raise breaks.pop()

    pace = Pace(4, clock=clock, sleep=interrupted)
    pace()
    with pytest.raises(KeyboardInterrupt):
        pace.lane("quantities")()
    pace.lane("images")()
    assert sum(clock.slept) == 0.25


# ------------------------------------------------------------------------------------------------ who is next


class Queues:
    """Names instead of tickets: who waits, and who got the tokens."""

    def __init__(self) -> None:
        self.shares = Shares()
        self.names: dict[int, str] = {}
        self.kept: list[threading.Event] = []

    def ask(self, *names: str) -> None:
        for name in names:
            ticket = threading.Event()
            self.kept.append(ticket)  # so that its id stays its own
            self.names[id(ticket)] = name
            self.shares.enter(name, ticket)

    def next(self) -> str:
        return self.names[id(self.shares.next())]

    def tokens(self, count: int, busy: Iterable[str]) -> list[str]:
        """Give away tokens while these lanes ask again at once; all of them must be waiting."""
        got = []
        for _ in range(count):
            got.append(self.next())
            if got[-1] in busy:
                self.ask(got[-1])
        return got


def saturated(*names: str) -> Queues:
    queues = Queues()
    queues.ask(*names)
    return queues


def test_when_all_wait_quantities_get_half_and_every_other_lane_a_tenth() -> None:
    got = saturated(*LANES).tokens(1000, LANES)
    assert Counter(got) == {name: 500 if name == "quantities" else 100 for name in LANES}
    for start in range(0, 1000, 10):
        assert set(got[start : start + 10]) == set(LANES)


def test_what_a_lane_does_not_ask_for_goes_to_the_others_in_proportion() -> None:
    got = Counter(saturated("quantities", "images").tokens(600, LANES))
    assert got == {"quantities": 500, "images": 100}
    assert Counter(saturated("prices", REST, "images").tokens(300, LANES)) == {"prices": 100, REST: 100, "images": 100}
    assert Counter(saturated("images").tokens(5, LANES)) == {"images": 5}


def test_at_the_same_moment_the_more_urgent_lane_goes_first() -> None:
    queues = Queues()
    queues.ask(*reversed(LANES))
    assert queues.next() == "quantities"
    assert [queues.next() for _ in range(5)] == ["orders", "order_states", "prices", REST, "images"]


def test_a_lane_that_slept_has_saved_up_nothing() -> None:
    queues = saturated("prices", "images")
    queues.tokens(1000, LANES)
    queues.ask(*["quantities"] * 100)
    got = queues.tokens(24, ("prices", "images"))
    assert got.count("quantities") <= 24 * 5 // 7 + 1


def test_a_lane_that_wakes_goes_ahead_at_once() -> None:
    queues = saturated(*(set(LANES) - {"quantities"}))
    queues.tokens(37, LANES)
    queues.ask("quantities")
    assert queues.next() == "quantities"


def test_what_had_more_while_nobody_else_asked_owes_nothing_after_a_pause() -> None:
    queues = saturated("images")
    queues.tokens(50, LANES)
    queues.next()
    queues.shares.rested()
    queues.ask("images", "prices")
    assert [queues.next(), queues.next()] == ["prices", "images"]
    owing = saturated("quantities")
    owing.next()
    owing.ask("quantities", "images")
    assert owing.next() == "images"  # without a pause it does


def test_within_a_lane_it_is_first_come_first_served_and_names_without_a_lane_share_one() -> None:
    queues = Queues()
    queues.ask("products", "suppliers", "", "categories", "products")
    assert [queues.next() for _ in range(5)] == ["products", "suppliers", "", "categories", "products"]


def test_who_left_gets_nothing_and_leaving_twice_is_harmless() -> None:
    shares = Shares()
    gone, stays = threading.Event(), threading.Event()
    shares.enter("images", gone)
    shares.enter("images", stays)
    for _ in range(2):
        shares.leave("images", gone)
    assert len(shares) == 1
    assert shares.next() is stays


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_load_a_quantity_waits_for_one_token_of_others_and_nobody_starves(seed: int) -> None:
    chance = Random(seed)
    queues = Queues()
    waits = dict.fromkeys(LANES, 0)
    longest = dict.fromkeys(LANES, 0)
    passed_over = dict.fromkeys(LANES, 0)
    load = dict.fromkeys(LANES, 0.0)
    for turn in range(2000):
        if turn % 100 == 0:
            load = {name: chance.choice([0, 0.05, 0.1, 0.3, 0.5, 1]) for name in LANES}
        for name in LANES:
            if waits[name] < 3 and chance.random() < load[name]:
                queues.ask(name)
                waits[name] += 1
        if not len(queues.shares):
            continue
        got = queues.next()
        waits[got] -= 1
        passed_over = {name: passed_over[name] + 1 if waits[name] and name != got else 0 for name in LANES}
        longest = {name: max(longest[name], passed_over[name]) for name in LANES}
    assert longest["quantities"] <= 1
    assert max(longest.values()) <= 14


class Nested:
    """Several callers without threads: whoever sleeps first does what happens meanwhile, such as another call."""

    def __init__(self, rate: float, *meanwhile: Callable[[Nested], None]) -> None:
        self.clock = Clock()
        self.pace = Pace(rate, clock=self.clock, sleep=self.sleep)
        self.meanwhile = list(meanwhile)
        self.left: list[tuple[str, float]] = []

    def sleep(self, ticket: threading.Event, seconds: float) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)(self)
        else:
            self.clock.sleep(ticket, seconds)

    def call(self, name: str) -> None:
        self.pace.lane(name)()
        self.left.append((name, round(self.clock.now, 6)))

    def passes(self, seconds: float) -> None:
        self.clock.now += seconds


def test_a_quantity_that_comes_while_pictures_wait_takes_the_next_token() -> None:
    def quantity(here: Nested) -> None:
        here.passes(0.1)
        here.call("quantities")

    here = Nested(2, quantity)
    here.call("images")
    here.call("images")
    assert here.left == [("images", 100.0), ("quantities", 100.5), ("images", 101.0)]


def test_a_pause_of_all_ends_what_a_lane_owed() -> None:
    here = Nested(2, lambda here: here.call("prices"))
    here.call("prices")
    here.passes(3600)
    here.call("quantities")
    here.call("images")
    assert here.left[2:] == [("prices", 3700.5), ("images", 3701.0)]


def test_who_comes_while_another_wakes_late_makes_the_next_token_no_later() -> None:
    def late(here: Nested) -> None:
        here.passes(0.12)
        here.call("prices")

    here = Nested(10, late)
    here.call("images")
    here.call("images")
    assert here.left == [("images", 100.0), ("prices", 100.12), ("images", 100.2)]


def test_a_machine_that_slept_while_many_waited_lets_two_go_and_not_all() -> None:
    here = Nested(
        *(2, lambda here: here.call("prices"), lambda here: here.call("products")),
        lambda here: here.passes(3600),
    )
    here.call("quantities")
    here.call("images")
    assert here.left == [("quantities", 100.0), ("products", 3700.0), ("prices", 3700.0), ("images", 3700.5)]
