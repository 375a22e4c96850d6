"""The lives of an agent: ended at named points in turn and at random moments, and the last one until it rests."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.crash.child import Child

Start = Callable[[str], Child]
"""Begins a life that ends at a fail point (``name:N``; empty: at none)."""


def kill_often(
    start: Start,
    kills: int,
    points: Sequence[str],
    *,
    seed: int,
    longest: tuple[float, float] = (4.0, 2.5),
    dead: Callable[[], object] = lambda: None,
) -> list[float]:
    """End life after life; returns the moments. ``longest``: seconds of a life with a fail point, and of one without.

    ``dead`` is called after each.
    """
    chance = random.Random(seed)
    ended: list[float] = []
    where: Counter[str] = Counter()
    for number in range(kills):
        if number % 2 == 0:
            point = points[(number // 2) % len(points)]
            child = start(f"{point}:{chance.randint(1, 4)}")
            where[point if child.wait_dead(longest[0]) else "at random"] += 1
        else:
            child = start("")
            child.wait_dead(chance.uniform(0.4, longest[1]))
            where["at random"] += 1
        ended.append(child.kill())
        dead()
    print(f"killed: {dict(where)}")
    return ended


def until_quiet(is_quiet: Callable[[], bool], child: Child, seconds: float, *, calm: float) -> bool:
    """Wait until nothing is pending or resting, for so many seconds on end, with polls between."""
    end = time.monotonic() + seconds
    moved = time.monotonic()
    while time.monotonic() < end and child.alive():
        time.sleep(0.5)
        if not is_quiet():
            moved = time.monotonic()
        elif time.monotonic() >= moved + calm:
            return True
    return False


def nothing_owed(state: Path, targets: int = 1) -> bool:
    """Tell whether so many targets know their shop and owe it nothing."""
    if not state.exists():
        return False
    connection = sqlite3.connect(state.as_uri() + "?mode=ro", uri=True)
    try:
        waiting = connection.execute(
            "SELECT (SELECT count(*) FROM delivery WHERE status IN ('pending', 'held'))"
            " + (SELECT count(*) FROM rest) + (SELECT count(*) FROM reread)"
        ).fetchone()[0]
        done = connection.execute("SELECT count(*) FROM target WHERE baseline = 'complete'").fetchone()[0]
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return bool(done >= targets) and not waiting
