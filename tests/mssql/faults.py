"""Bad days on demand: what happens to the next statement, or to all, whose text matches a pattern."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

from tests.mssql import errors


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong."""

    number: int = 0
    """The statement is refused with this error."""
    drop_after: int | None = None
    """The connection is reset after so many rows were sent."""
    hang: bool = False
    """No answer until the client cancels or goes."""
    per_row: float = 0.0
    """Seconds before each row."""
    text: str = ""
    """Text of the error instead of the usual one."""
    then_gone: bool = False
    """The connection is closed behind the error, as by a server that shuts down."""


DEADLOCK = Fault(number=errors.DEADLOCK)
LOCK_TIMEOUT = Fault(number=errors.LOCK_TIMEOUT)
HANG = Fault(hang=True)
NONE = Fault()


def drop(after: int = 0) -> Fault:
    """The connection goes in the middle of the rows."""
    return Fault(drop_after=after)


def slow(per_row: float) -> Fault:
    """Each row takes so many seconds."""
    return Fault(per_row=per_row)


@dataclass(slots=True)
class _Planned:
    pattern: re.Pattern[str]
    fault: Fault
    times: int | None


@dataclass(slots=True)
class Faults:
    """The faults that are planned. Thread-safe."""

    _planned: list[_Planned] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    met: int = 0
    """How often one struck."""

    def add(self, pattern: str, fault: Fault, *, times: int | None = 1) -> None:
        """Strike statements that match (a table's name, a regular expression); ``times`` None: until `clear`."""
        with self._lock:
            self._planned.append(_Planned(re.compile(pattern, re.IGNORECASE), fault, times))

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._lock:
            self._planned.clear()

    def strike(self, sql: str) -> Fault:
        """What is to happen to this statement; `NONE` if nothing."""
        with self._lock:
            for each in self._planned:
                if each.pattern.search(sql) is None:
                    continue
                if each.times is not None:
                    each.times -= 1
                    if each.times == 0:
                        self._planned.remove(each)
                self.met += 1
                return each.fault
            return NONE
