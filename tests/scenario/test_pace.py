"""The shop's pace between real threads: shares under saturation, and an end that waits for nobody."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from agent.errors import ShopUnavailable
from agent.shops.pace import LANES, Pace

RATE = 200.0
PER_LANE = 2
"""Threads in each lane, so that none of them is ever empty."""


def test_between_threads_quantities_get_half_everybody_a_tenth_and_the_rate_is_kept() -> None:
    pace = Pace(RATE)
    left: list[tuple[str, float]] = []
    ended: list[str] = []
    ready = threading.Barrier(len(LANES) * PER_LANE + 1)

    def work(name: str, call: Callable[[], None]) -> None:
        ready.wait(10)
        try:
            while True:
                call()
                left.append((name, time.monotonic()))
        except ShopUnavailable:
            ended.append(name)

    threads = [threading.Thread(target=work, args=(name, pace.lane(name))) for name in LANES for _ in range(PER_LANE)]
    for thread in threads:
        thread.start()
    ready.wait(10)
    begin = time.monotonic()
    time.sleep(2.0)
    pace.close()
    took = time.monotonic() - begin
    for thread in threads:
        thread.join(5)
    assert len(ended) == len(threads)
    counts = Counter(name for name, _ in left)
    total = len(left)
    assert total <= RATE * took + 2
    assert total >= RATE * took * 0.5  # a busy machine may be late
    assert 0.45 <= counts["quantities"] / total <= 0.55
    assert min(counts.values()) / total >= 0.08


def test_closing_ends_a_wait_of_ten_seconds_at_once_in_every_lane() -> None:
    pace = Pace(0.1)
    pace()
    ended: list[tuple[str, str]] = []

    def wait(name: str) -> None:
        try:
            pace.lane(name)()
        except ShopUnavailable as error:
            ended.append((name, str(error)))

    threads = [threading.Thread(target=wait, args=(name,)) for name in LANES]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert ended == []
    begin = time.monotonic()
    pace.close()
    for thread in threads:
        thread.join(5)
    assert time.monotonic() - begin < 1.0
    assert sorted(name for name, _ in ended) == sorted(LANES)
