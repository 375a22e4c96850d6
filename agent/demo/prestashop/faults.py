"""Bad days on demand: what may happen to a request on its way to a real shop and back.

Each kind was seen on real servers or is what a proxy in front of one does. Which one happens is decided per request:
first what a test has queued (`Faults.next`), then the test's own function, then a seeded lottery. Reads are spared
unless ``reads`` is set. Every fault that happened is counted by its name.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal, get_args

from agent.demo.prestashop.webservice import Request

Kind = Literal[
    "none",
    "drop_after_apply",  # applied, the connection closes without an answer
    "half_answer",  # applied, the answer is shorter than its content-length says
    "s503_after_apply",  # applied, a gateway answers 503
    "half_apply",  # only the first half of the records applied, then as drop_after_apply
    "slow_drip",  # applied, the answer comes in drops, ``delay`` seconds apart
    "late_apply",  # no answer; applied ``delay`` seconds later, whether the client waits or not
    "s429",  # not applied; ``retry_after`` says when to come back
    "never_apply",  # not applied, the connection closes without an answer
    "maintenance",  # not applied, an HTML page with status 200
    "s500",  # not applied, an empty 500
    "unauthorized",  # not applied, 401
]
KINDS: tuple[str, ...] = get_args(Kind)
ABSURD = "315360000"
"""Ten years in seconds: what a proxy in error asked for."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    kind: Kind = "none"
    delay: float = 0.5
    """Seconds: until a late write is applied; between two drops of a slow answer."""
    hold: float = 60.0
    """Seconds that a connection without an answer stays open, unless the client leaves before."""
    retry_after: float | str | None = 1.0
    """For s429: seconds; ``date:3`` an HTTP date in 3 s; None for no header; any other text as it is (`ABSURD`)."""

    def retry_after_header(self, now: datetime) -> str | None:
        """The text of the header, or None for none."""
        wanted = self.retry_after
        if isinstance(wanted, str) and wanted.startswith("date:"):
            return format_datetime(now + timedelta(seconds=float(wanted[5:])), usegmt=True)
        return None if wanted is None else f"{wanted:g}" if isinstance(wanted, float | int) else wanted


class Faults:
    """Decides which fault befalls a request. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.reads = False
        """Set to True when reads may be befallen, too."""
        self.chooser: Callable[[Request], Fault | Kind | None] | None = None
        """A test's own decision; None from it leaves the request to the lottery."""
        self._queue: deque[Fault] = deque()
        self._lottery: random.Random | None = None
        self._odds: dict[Kind, float] = {}
        self._template = Fault()
        self._retry_after: Sequence[float | str | None] = (1.0,)
        self._down_until = float("-inf")
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind happened, ``outage`` among them."""
        with self._lock:
            return dict(self._counts)

    def next(self, *faults: Fault | Kind) -> None:
        """Queue faults for the next requests, one each; ``none`` lets one pass."""
        with self._lock:
            self._queue.extend(_fault(one) for one in faults)

    def at_random(
        self,
        seed: int,
        odds: Mapping[Kind, float],
        *,
        template: Fault | None = None,
        retry_after: Sequence[float | str | None] = (1.0, "date:1", None, ABSURD),
    ) -> None:
        """Let each kind happen with its probability. Of ``template`` the delay is the longest one of a late write."""
        unknown = set(odds) - set(KINDS)
        if unknown or sum(odds.values()) > 1 or min(odds.values(), default=0) < 0:
            raise ValueError(f"probabilities must be of known kinds and sum to at most 1: {dict(odds)}")
        with self._lock:
            self._lottery = random.Random(seed)  # noqa: S311 - a repeatable storm, not a secret
            self._odds = dict(odds)
            self._template = template or Fault()
            self._retry_after = retry_after

    def down_for(self, seconds: float) -> None:
        """Answer everything, reads too, with 503 for so long from now on (0 ends it)."""
        with self._lock:
            self._down_until = self._clock() + seconds

    def off(self) -> None:
        """Back to fair weather: nothing queued, no lottery, no outage. The counts stay."""
        with self._lock:
            self._queue.clear()
            self._lottery = None
            self._down_until = float("-inf")
        self.chooser = None
        self.reads = False

    def is_down(self) -> bool:
        """Tell whether a timed outage lasts."""
        with self._lock:
            return self._clock() < self._down_until

    def decide(self, request: Request) -> Fault:
        """Choose for one request and count it."""
        if not request.writes and not self.reads:
            return Fault()
        with self._lock:
            queued = self._queue.popleft() if self._queue else None
        chosen: Fault | Kind | None = queued
        if chosen is None and self.chooser is not None:
            chosen = self.chooser(request)
        with self._lock:
            fault = self._draw() if chosen is None else _fault(chosen)
            if fault.kind != "none":
                self._counts[fault.kind] += 1
        return fault

    def count(self, name: str) -> None:
        """Count something else that went wrong on purpose."""
        with self._lock:
            self._counts[name] += 1

    def _draw(self) -> Fault:
        if self._lottery is None:
            return Fault()
        ticket = self._lottery.random()
        for kind, odds in self._odds.items():
            ticket -= odds
            if ticket < 0:
                delay = self._template.delay
                return replace(
                    self._template,
                    kind=kind,
                    delay=self._lottery.uniform(0, delay) if kind == "late_apply" else delay,
                    retry_after=self._lottery.choice(list(self._retry_after)),
                )
        return Fault()


def _fault(one: Fault | Kind) -> Fault:
    fault = one if isinstance(one, Fault) else Fault(one)
    if fault.kind not in KINDS:
        raise ValueError(f"no such fault: {fault.kind}; there are {', '.join(KINDS)}")
    return fault


def now() -> datetime:
    """The wall clock, for HTTP dates."""
    return datetime.now(UTC)
