"""The rate limit of a shop: a token bucket that every request passes before it leaves.

None of the measured shops limits rates by itself, their hosts and firewalls do: the limit belongs to the configuration
(``[shop] rate_limit``) and is none by default. A caller takes its token at once and sleeps until that token's time, so
callers leave in the order in which they came and the lock is never held while sleeping.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """At most ``rate`` requests per second on the average, ``burst`` at once. Thread-safe; call it before a request."""

    def __init__(
        self,
        rate: float | None,
        *,
        burst: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """``rate`` None means no limit. Raises ValueError for a rate or a burst that would never let anything pass."""
        if rate is not None and not 0 < rate < float("inf"):
            raise ValueError(f"rate must be a number of requests per second above 0, not {rate}")
        if burst < 1:
            raise ValueError(f"burst must be at least 1, not {burst}")
        self._interval = 0.0 if rate is None else 1 / rate
        self._slack = (burst - 1) * self._interval
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = float("-inf")  # the time of the first token that nobody has taken

    def __call__(self) -> None:
        """Wait until this request may leave."""
        if not self._interval:
            return
        with self._lock:
            now = self._clock()
            turn = max(self._next, now - self._slack)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
