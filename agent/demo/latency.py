"""From the commit in POHODA to the shop's acceptance, on one clock.

A change is accepted by the first write, after its commit, that carries its value or that of a later change of the same
code (what waits together goes together). Changes that do not change the quantity need no write and are not counted.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Waiting:
    at: float
    value: int


@dataclass(slots=True)
class Stopwatch:
    """Told of commits and of writes, by their threads; `seconds` are the latencies of the changes accepted so far."""

    seconds: list[tuple[float, float]] = field(default_factory=list)
    """(moment of the commit, latency), both in seconds of time.monotonic."""
    _waiting: dict[str, list[_Waiting]] = field(default_factory=dict)
    _early: dict[str, tuple[float, int]] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def know(self, values: dict[str, int]) -> None:
        """Start from these quantities."""
        self._last.update(values)

    def committed(self, key: str, value: int, at: float) -> bool:
        """A change was committed in POHODA; True when it changed the quantity."""
        with self._lock:
            if self._last.get(key) == value:
                return False
            self._last[key] = value
            self._waiting.setdefault(key, []).append(_Waiting(at, value))
            early = self._early.get(key)
            if early and early[0] >= at:  # the shop was faster than this report
                self._accept(key, early[1], early[0])
            return True

    def written(self, key: str, value: int, at: float) -> None:
        """The shop accepted a value."""
        with self._lock:
            self._early[key] = (at, value)
            self._accept(key, value, at)

    def waiting(self) -> int:
        """How many changes the shop has not accepted yet."""
        with self._lock:
            return sum(len(queue) for queue in self._waiting.values())

    def _accept(self, key: str, value: int, at: float) -> None:
        queue = self._waiting.get(key, [])
        carried = [place for place, one in enumerate(queue) if one.value == value and one.at <= at]
        if carried:
            done = queue[: carried[-1] + 1]
            self._waiting[key] = queue[carried[-1] + 1 :]
            self.seconds += [(one.at, at - one.at) for one in done]


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
