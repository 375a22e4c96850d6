"""The time of the program: wall-clock seconds that only ever move forward, at their proper pace.

Rests, retries and the guard's hour are stored as times of day; measured by a clock that is set by hand, by NTP or after
a pause of the machine they would end early or never. So the wall clock is read once, at the start, and moved on by one
that cannot be set and that goes on while the machine sleeps (on Linux the monotonic clock does not).
"""

from __future__ import annotations

import time
from collections.abc import Callable

_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def steady_clock() -> Callable[[], float]:
    """Make a function that tells the present time in seconds since 1970, immune to clock jumps."""
    start = time.time() - _ticks()
    return lambda: start + _ticks()


def _ticks() -> float:
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)
