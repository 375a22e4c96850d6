"""Tables of an Access file in an SQLite database in memory, so that the same statements serve all views.

Types, as in an SQLite POHODA: dates are ISO text with microseconds (as SQLAlchemy binds them, so that texts compare as
dates do), ticks 0 and 1, quantities and money REAL. Money of Access has 4 decimals: as a double it is exact to 15
digits, that is up to 99 billion. Texts compare without regard to the case of ASCII letters. ``ID`` is the primary key:
a doubled or missing one is a damaged file, and an error.

An image belongs to one moment, is complete before anybody sees it, and never changes. One connection, lent to one
thread at a time: reading it takes milliseconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.sqlite import pysqlite

from agent.errors import SourceUnavailable
from agent.sources.access_rows import CUT, MEMOS, Table
from agent.sources.reader import Lent, Reader

_DECLARED = {bool: "bit", int: "int", float: "float", Decimal: "money", datetime: "datetime", date: "datetime"}
_PLAIN = (int, float, str)
"""What SQLite takes as it is; bool is an int."""
_STEPS = 20_000
"""SQLite's instructions between two looks at the clock."""


class Image:
    """The tables as they were at one moment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._driver: Any = pysqlite.dialect.import_dbapi()
        self._dialect = pysqlite.dialect(paramstyle="qmark")
        self._raw: Any = self._driver.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._clock = clock
        self._lock = threading.RLock()
        self._lent = 0
        self._retired = self._closed = False

    def fill(self, tables: Iterable[Table]) -> dict[str, int]:
        """Take in all rows; table → rows. Raises `SourceUnavailable`, then the image is of no use."""
        try:
            return {table.name: _fill(self._raw, table) for table in tables}
        except self._driver.IntegrityError as error:
            raise _damaged() from error
        except (self._driver.Error, UnicodeError, OverflowError) as error:
            raise SourceUnavailable(
                f"What the Access file holds cannot be taken in: {str(error)[:200]}",
                hint="Have POHODA check its data.",
            ) from error

    @contextmanager
    def lent(self, limit: float) -> Iterator[Reader | None]:
        """Lend the tables for one call of at most so many seconds; None when the image was retired meanwhile."""
        if not self._lock.acquire(timeout=limit):
            raise _too_long()
        try:
            if self._closed:
                yield None
                return
            self._lent += 1
            try:
                yield from self._reader(limit)
            finally:
                self._lent -= 1
        finally:
            self._lock.release()
            if self._retired:
                self.retire()

    def retire(self) -> None:
        """Free the memory, as soon as nobody reads."""
        self._retired = True
        if self._lock.acquire(blocking=False):
            try:
                if not self._lent and not self._closed:
                    self._closed = True
                    self._raw.close()
            finally:
                self._lock.release()

    def _reader(self, limit: float) -> Iterator[Reader]:
        deadline = self._clock() + limit
        self._raw.set_progress_handler(lambda: int(self._clock() > deadline), _STEPS)
        try:
            yield Reader(Lent(self._raw, self._dialect))
        except self._driver.OperationalError as error:
            if "interrupted" in str(error):
                raise _too_long() from error
            raise _not_read(error) from error
        except (self._driver.Error, UnicodeError) as error:
            raise _not_read(error) from error


def _fill(raw: Any, table: Table) -> int:  # noqa: ANN401 - a driver's connection
    if not table.columns:
        return 0
    kinds = dict(zip(table.columns, table.kinds, strict=True))
    declared = ", ".join(f'"{name}" {_declared(name, kind)}' for name, kind in kinds.items())
    raw.execute(f'CREATE TABLE "{table.name}" ({declared})')
    insert = f'INSERT INTO "{table.name}" VALUES ({", ".join("?" * len(table.columns))})'  # noqa: S608 - names of READ
    kept = [place for place, kind in enumerate(table.kinds) if kind not in _PLAIN and kind is not bool]
    raw.execute("BEGIN")
    rows = 0
    key = next((place for place, name in enumerate(table.columns) if name.lower() == "id"), None)
    for piece in filter(None, table.pieces):
        if key is not None and any(row[key] is None for row in piece):
            raise _damaged()  # SQLite would number the row
        raw.executemany(insert, [_row(row, kept) for row in piece])
        rows += len(piece)
    raw.execute("COMMIT")
    for name in table.columns:
        if name.lower() in MEMOS.get(table.name.lower(), ()):
            marked = f'UPDATE "{table.name}" SET "{name}" = x\'\' WHERE length(CAST("{name}" AS BLOB)) BETWEEN ? AND ?'  # noqa: S608 - as above
            raw.execute(marked, CUT)
        if name.lower() in {"ids", "refag"}:
            raw.execute(f'CREATE INDEX "x{table.name}{name}" ON "{table.name}" ("{name}")')
    return rows


def _declared(name: str, kind: type) -> str:
    if name.lower() == "id":
        return "INTEGER NOT NULL PRIMARY KEY"
    return _DECLARED.get(kind, "varchar COLLATE NOCASE")


def _row(row: Sequence[Any], kept: Sequence[int]) -> tuple[Any, ...]:
    """A row as SQLite takes it; only the places that may hold something else are looked at."""
    if not kept:
        return tuple(row)
    values = list(row)
    for place in kept:
        value = values[place]
        if isinstance(value, Decimal):
            values[place] = float(value)
        elif isinstance(value, datetime):
            values[place] = value.isoformat(" ", "microseconds")
        elif isinstance(value, date):
            values[place] = f"{value.isoformat()} 00:00:00.000000"
    return tuple(values)


def _damaged() -> SourceUnavailable:
    return SourceUnavailable(
        "The Access file is damaged: an ID is missing or doubled.", hint="Have POHODA check its data."
    )


def _too_long() -> SourceUnavailable:
    return SourceUnavailable("Reading took too long and was cut short.", hint="The agent tries again by itself.")


def _not_read(error: Exception) -> SourceUnavailable:
    return SourceUnavailable(
        f"The copy of POHODA's tables cannot be read: {str(error)[:200]}",
        hint="Run `check`: it lists the tables and columns that are needed.",
    )
