"""The rate limit of a shop: a token bucket that every request passes before it leaves, shared between its targets.

None of the measured shops limits rates by itself, their hosts and firewalls do: the limit belongs to the configuration
(``[shop] rate_limit``) and is none by default. Where there is one, the targets compete for its tokens, and a full
export of products must not hold up a quantity. So each target has a lane, and who is next is decided when the token is
there, not when a caller came (`Shares`):

* A token goes to the lane that is due first, as in weighted fair queueing: of the lanes whose time has begun, the one
  whose time ends first (WF2Q+, Bennett and Zhang 1997). The time of a lane's token lasts 1/share tokens. These are
  whole numbers whose inverses add up to 1, so nobody is late by more than a few tokens.
* Of ten tokens quantities get five and each other lane one, when all of them wait; what a lane does not ask for, the
  others get in proportion. As quantities have half of all, one of them never waits for more than one token of others
  (simulated with 600 random mixtures of load, and in the tests).
* A lane that was idle has saved up nothing: its time begins when it asks. Nor does it owe anything after a pause of
  all, in which a token went unused.

There is no thread here: those who wait sleep until the next token is due, and whoever wakes first gives it to whom it
is due. The lock is never held while sleeping.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from agent.errors import ShopUnavailable

REST = ""
"""The lane of all that has none of its own: products, categories, parameters, suppliers, and callers without a name."""
LANES = {"orders": 10, "quantities": 2, "order_states": 10, "prices": 10, REST: 10, "images": 10}
"""Lane -> of how many tokens it gets one while all of them wait. Where two are due at once, the first goes."""
NAP = 0.5
"""Seconds. Nobody sleeps longer at a time: on Windows a Ctrl-C gets through only between two sleeps."""


@dataclass(slots=True)
class _Lane:
    stride: int
    begins: int = 0
    """When the time of its next token begins, counted in tokens."""
    waiting: deque[threading.Event] = field(default_factory=deque)


class Shares:
    """Who gets the next token. Knows no clock and no lock: `Pace` has them."""

    def __init__(self) -> None:
        self._lanes = {name: _Lane(stride) for name, stride in LANES.items()}
        self._now = 0

    def __len__(self) -> int:
        """How many wait."""
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def enter(self, name: str, ticket: threading.Event) -> None:
        """Wait in a lane, behind those who are there already; a name without a lane waits in `REST`."""
        lane = self._lane(name)
        if not lane.waiting:
            lane.begins = max(lane.begins, self._now)
        lane.waiting.append(ticket)

    def leave(self, name: str, ticket: threading.Event) -> None:
        """Wait no more, if it does."""
        waiting = self._lane(name).waiting
        if ticket in waiting:
            waiting.remove(ticket)

    def next(self) -> threading.Event:
        """Take out the one who gets this token. Raises ValueError when nobody waits."""
        asking = [lane for lane in self._lanes.values() if lane.waiting]
        self._now = max(self._now, min(lane.begins for lane in asking))
        chosen = min((lane for lane in asking if lane.begins <= self._now), key=lambda lane: lane.begins + lane.stride)
        self._now += 1
        chosen.begins += chosen.stride
        return chosen.waiting.popleft()

    def everyone(self) -> list[threading.Event]:
        """All who wait."""
        return [ticket for lane in self._lanes.values() for ticket in lane.waiting]

    def rested(self) -> None:
        """Forget what lanes had in advance: a token went unused, for nobody asked."""
        self._now = max(self._now, *(lane.begins for lane in self._lanes.values()))

    def _lane(self, name: str) -> _Lane:
        return self._lanes.get(name) or self._lanes[REST]


class Pace:
    """At most ``rate`` requests per second on the average, ``burst`` at once. Thread-safe; call it before a request.

    Called itself, it is the lane `REST`; `lane` gives a target its own.
    """

    def __init__(
        self,
        rate: float | None,
        *,
        burst: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        """``rate`` None means no limit. Raises ValueError for a rate or a burst that would never let anything pass.

        ``sleep`` waits for so many seconds, or less if the event is set.
        """
        if rate is not None and not 0 < rate < float("inf"):
            raise ValueError(f"rate must be a number of requests per second above 0, not {rate}")
        if burst < 1:
            raise ValueError(f"burst must be at least 1, not {burst}")
        self._interval = 0.0 if rate is None else 1 / rate
        self._slack = (burst - 1) * self._interval
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._shares = Shares()
        self._due = float("-inf")  # the time of the first token that nobody has taken
        self._closed = False

    def __call__(self) -> None:
        """Wait until this request may leave. Raises `ShopUnavailable` once closed: certainly nothing was sent."""
        self._wait(REST)

    def lane(self, name: str) -> Callable[[], None]:
        """Give one target (by its name) what it is to call before each request; it waits as `__call__` does."""
        return partial(self._wait, name)

    def close(self) -> None:
        """Let nothing pass any more; whoever waits, of any lane, gets `ShopUnavailable` at once."""
        with self._lock:
            self._closed = True
            for ticket in self._shares.everyone():
                ticket.set()

    def _wait(self, name: str) -> None:
        if not self._interval:
            if self._closed:
                raise _closed()
            return
        ticket = threading.Event()
        with self._lock:
            self._enter(name, ticket)
        try:
            while (left := self._turn(ticket)) > 0:
                self._sleep(ticket, min(left, NAP))
        finally:
            with self._lock:
                self._shares.leave(name, ticket)

    def _enter(self, name: str, ticket: threading.Event) -> None:
        """Queue up. Tokens that nobody asked for are lost, but for the burst."""
        full = self._clock() - self._slack
        if not self._shares and self._due < full:
            if self._due <= full - self._interval:
                self._shares.rested()
            self._due = full
        self._shares.enter(name, ticket)

    def _turn(self, ticket: threading.Event) -> float:
        """Give away the tokens that are due; returns 0 when one was for this ticket, else the seconds to the next.

        Whoever wakes a little late makes no token late, so the rate is kept; after a machine's sleep all but one of
        the missed ones are lost. Raises `ShopUnavailable` once closed.
        """
        with self._lock:
            if self._closed:
                raise _closed()
            now = self._clock()
            self._due = max(self._due, now - self._slack - self._interval)
            while self._shares and self._due <= now:
                self._shares.next().set()
                self._due += self._interval
            return 0.0 if ticket.is_set() else self._due - now


def _closed() -> ShopUnavailable:
    return ShopUnavailable("The agent is stopping: nothing more is sent to the shop.")
