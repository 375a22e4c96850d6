"""What the agent does while a shop works on a request: one piece of its own, between sending and waiting.

A shop takes from milliseconds to seconds for a call, and the thread that waits for its answer may as well write down
how the call before ended. Adapters know nothing of it: dispatch leaves the work here, and the client in
`agent.shops.http` has it done once a write has left whole. It is the thread's own work; no other thread sees it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class _Left(threading.local):
    work: Callable[[], None] | None = None


_left = _Left()


@contextlib.contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Have ``work`` done within the body while its first write waits for its answer; not at all if nothing is written.

    ``work`` must not raise: the request is on its way, and its answer would be lost.
    """
    _left.work = work
    try:
        yield
    finally:
        _left.work = None


def waiting() -> None:
    """A write has left whole and its answer is awaited: do the work now, if there is any."""
    work, _left.work = _left.work, None
    if work is not None:
        work()
