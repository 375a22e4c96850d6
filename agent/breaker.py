"""The shop's breaker: one per shop, kept in the state file, so that a restart does not hammer a shop that is down.

It counts only failures whose cheap probe failed, too; with a good probe it is the item that is to blame. The waits
double from one second to one minute, so that a shop that is back is noticed within a minute.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from agent.errors import ShopUnavailable
from state import targets
from state.db import StateFile
from state.targets import Breaker

log = logging.getLogger(__name__)

OPEN_AFTER = 3
LONGEST = 60.0
"""Seconds between two probes of a shop that stays down."""
FARTHEST = 15 * 60.0
"""No wait is longer; a stored one that is comes from a clock that jumped."""


class ShopBreaker:
    """Tells whether the shop may be spoken to. Shared by the dispatchers of one shop; safe in threads."""

    def __init__(
        self, state: StateFile, probe: Callable[[], None], *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = state
        self._probe = probe
        self._ticks = ticks  # how long a probe took: what the shop asks to wait counts from its answer
        self._lock = threading.Lock()
        with state.read() as db:
            self._now = targets.load_breaker(db)

    @property
    def state(self) -> Breaker:
        """The present state, for `status` and for tests."""
        return self._now

    def waits_until(self, now: float) -> float:
        """Tell until when nothing is sent; 0 when the shop may be spoken to."""
        until = self._now.open_until
        return until if now < until <= now + FARTHEST else 0.0

    def allows(self, now: float) -> bool:
        """Tell whether to go on; after a wait one probe decides."""
        with self._lock:
            if self.waits_until(now):
                return False
            if self._now == Breaker():
                return True
            started = self._ticks()
            error = self.ask()
            if error is not None:
                self._failed(error, now + self._ticks() - started)
                return False
            self._save(Breaker())
            log.info("the shop answers again")
            return True

    def failed(self, error: ShopUnavailable, now: float) -> None:
        """The shop did not answer, and its probe neither: wait, longer each time (or as long as the shop asked)."""
        with self._lock:
            self._failed(error, now)

    def ask(self) -> ShopUnavailable | None:
        """Probe now: None when the shop answers, else the error."""
        try:
            self._probe()
        except ShopUnavailable as error:
            return error
        except Exception as error:
            log.exception("a bug in the probe")
            return ShopUnavailable(f"the probe failed: {type(error).__name__}")
        return None

    def _failed(self, error: ShopUnavailable, now: float) -> None:
        failures = self._now.failures + 1
        wait = min(LONGEST, 2.0 ** (failures - 1))
        if error.retry_after is not None:
            wait = min(max(error.retry_after, 1.0), FARTHEST)
        if failures in {1, OPEN_AFTER}:
            log.warning("%s Next try in %.0f s.", error, wait, extra={"hint": error.hint})
        self._save(Breaker(failures, now + wait, str(error)))

    def _save(self, breaker: Breaker) -> None:
        self._now = breaker
        with self._state.write() as db:
            targets.save_breaker(db, breaker)
