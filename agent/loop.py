"""The loops: the only place that starts threads. A loop calls a step that a test can call by hand.

It takes the wake handle before it steps, so that no wake-up is lost; steps again while there is more; then waits for
the wake, for the period, or for the time at which something is due. A failing step is said once, waits longer each
time, and shows in `status`; it never ends the loop. On a full disk the loop waits until a write succeeds.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.errors import AgentError
from agent.log import current_shop
from state import targets
from state.db import StateFile
from state.errors import StateDamagedError, StateError

log = logging.getLogger(__name__)

LONGEST_BACKOFF = 60.0
SHORTEST = 0.01
"""Seconds. Something that is due but was not done waits at least so long, so that no loop ever spins."""
HEARTBEAT = 15.0
"""Seconds between two notes in the state file that a loop is well."""


@dataclass(slots=True)
class Loop:
    """Calls ``step(now)`` for as long as the agent runs. `advance` is one turn, `start` puts it on a thread."""

    name: str
    step: Callable[[float], bool]
    period: float
    state: StateFile
    now: Callable[[], float]
    due: Callable[[float], float | None] = lambda _now: None
    """When the step wants to be called though nobody wakes it."""
    shop: str = ""
    """Whose loop it is: said in every event of its thread."""
    fatal: Callable[[Exception], None] = lambda _error: None
    """Called when the state file is damaged: the agent must end."""
    wake: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _failures: int = 0
    _noted_at: float = float("-inf")
    _said: str = ""

    def start(self) -> None:
        """Run on a thread of its own, which does not keep the process alive."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the loop to end after its present step; does not wait."""
        self._stop.set()
        self.wake.set()

    def stopping(self) -> bool:
        """Tell whether the loop was asked to end."""
        return self._stop.is_set()

    def join(self, timeout: float) -> bool:
        """Wait for the end; True when the loop has ended. A call that is stuck is left behind: it counts as unclear."""
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    def advance(self) -> float:
        """Do one turn; returns how many seconds to wait before the next one unless woken."""
        now = self.now()
        try:
            more = self.step(now)
            due = None if more else self.due(now)
        except StateDamagedError as error:
            self.fatal(error)
            return LONGEST_BACKOFF
        except Exception as error:
            return self._failed(error, now)
        self._well(now)
        if more:
            return 0.0
        spent = self.now() - now  # the period counts from the start of a turn, or a long one would stretch the poll
        wait = self.period if due is None else min(self.period, due - now)
        return max(SHORTEST, wait - spent)

    def _run(self) -> None:
        current_shop.set(self.shop)
        while not self._stop.is_set():
            self.wake.clear()
            wait = self.advance()
            if wait > 0 and not self._stop.is_set():
                self.wake.wait(wait)

    def _failed(self, error: Exception, now: float) -> float:
        self._failures += 1
        text, hint = str(error) or type(error).__name__, getattr(error, "hint", "")
        if text != self._said:
            self._said = text
            if isinstance(error, AgentError | StateError):
                log.warning("%s", text, extra={"loop": self.name, "hint": hint})
            else:
                log.error("a bug; the loop goes on", exc_info=error, extra={"loop": self.name})
        self._note(failed=True, text=text, hint=hint, now=now)
        return min(LONGEST_BACKOFF, self.period * 2.0 ** min(self._failures - 1, 10))

    def _well(self, now: float) -> None:
        if self._failures:
            log.info("works again", extra={"loop": self.name})
            self._failures, self._said = 0, ""
            self._noted_at = float("-inf")
        if now - self._noted_at >= HEARTBEAT:
            self._note(failed=False, text="", hint="", now=now)

    def _note(self, *, failed: bool, text: str, hint: str, now: float) -> None:
        self._noted_at = now
        with contextlib.suppress(StateError), self.state.write() as db:  # a full disk is what may have to be noted
            targets.note_loop(db, self.name, failed=failed, text=text, hint=hint, now=now)
