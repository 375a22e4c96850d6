"""A database whose connections are lent for one call at a time and kept open in between.

Decisions: nothing is ever written and no transaction stays open (statements run in autocommit, each is fetched to its
end). A thread that reads finds the connection it used last, for the latest one given back goes first; nothing is sent
to see whether it lives. If it died while it lay idle (a restart of the server), the first statement of a call, a read
as all are, is run once more over a new one; later in a call a failure is raised, for half a call must not be mixed with
another state of the server. After any failure a connection is closed, and after a broken one all idle ones are.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect

from agent.errors import SourceUnavailable
from agent.sources.reader import Lent, Reader


def _nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of database is reached, and what its failures mean."""

    dialect: Dialect
    open: Callable[[], Any]
    """Give a new connection of the driver. Its errors are explained with ``opening=True``."""
    errors: type[Exception]
    """The error that all errors of the driver are."""
    explain: Callable[..., SourceUnavailable]
    """``explain(error, opening=…)``: what it means for people."""
    broken: Callable[[Exception], bool]
    """Tells whether a connection is of no more use after this error, and the idle ones beside it neither."""
    bound: Callable[[Any], object] = _nothing
    """Done to a connection before each call: to bound it in time."""
    fetch: Callable[[Any], list[Any]] | None = None
    """Fetches all rows of a cursor, where the driver's own way is not bounded in time."""
    stamp: Callable[[], object] = _nothing
    """Differs when what was opened before must be let go of (the file was replaced)."""


class SqlDatabase:
    """The database of one accounting unit and year. Thread-safe: each thread that reads has its own connection."""

    def __init__(self, way: Way, *, place: str, described: str) -> None:
        self.identity = hashlib.blake2b(place.encode(), digest_size=8).hexdigest()
        """A digest of the configured text, without the password: another database behind the name changes it."""
        self.described = described
        """For people: which database, by which driver, how protected. No password."""
        self._way = way
        self._idle: list[Any] = []
        self._age = 0
        self._stamp: object = None
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Lend a connection for one call. Raises `SourceUnavailable` for every failure of the database inside."""
        lent = self._take()
        sound = False
        try:
            self._way.bound(lent.raw)
            yield Reader(lent)
            sound = True
        except SourceUnavailable:
            sound = True  # of ours, as a missing column is
            raise
        except (self._way.errors, UnicodeError) as error:
            if self._broken(error):
                self.close()
            raise self._way.explain(error, opening=False) from error
        finally:
            self._give_back(lent, sound=sound)

    def close(self) -> None:
        """Close the connections that are not in use; those that are will be closed when they are given back."""
        with self._lock:
            self._age += 1
            idle, self._idle = self._idle, []
        for raw in idle:
            self._close(raw)

    def _take(self) -> Lent:
        stamp = self._way.stamp()
        if stamp != self._stamp:
            self.close()
            self._stamp = stamp
        with self._lock:
            age, raw = self._age, self._idle.pop() if self._idle else None
        if raw is None:
            return Lent(self._open(), self._way.dialect, age, self._way.fetch)
        return Lent(raw, self._way.dialect, age, self._way.fetch, self._renew)

    def _give_back(self, lent: Lent, *, sound: bool) -> None:
        with self._lock:
            if sound and lent.age == self._age:
                self._idle.append(lent.raw)
                return
        self._close(lent.raw)

    def _renew(self, lent: Lent, error: Exception) -> bool:
        if not self._broken(error):
            return False
        self._close(lent.raw)
        self.close()  # the others lay idle as long; and this one, being of their age, cannot come back
        age = self._age
        lent.raw = self._open()
        lent.age = age
        self._way.bound(lent.raw)
        return True

    def _broken(self, error: Exception) -> bool:
        return isinstance(error, self._way.errors) and self._way.broken(error)

    def _open(self) -> Any:  # noqa: ANN401 - a driver's connection
        try:
            return self._way.open()
        except self._way.errors as error:
            raise self._way.explain(error, opening=True) from error

    def _close(self, raw: Any) -> None:  # noqa: ANN401 - a driver's connection
        with contextlib.suppress(self._way.errors):  # a broken one may refuse even this
            raw.close()
