"""Writers: transactions that overlap, each with its own unseen changes, and locks on the rows that they touched.

Readers see what is committed and wait for nobody (READ COMMITTED with row versions). A rowversion is given when a row
is written, and seen when it is committed: between the two lies what a reader without a ceiling loses.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from tests.mssql.errors import DEADLOCK, DUPLICATE, LOCK_TIMEOUT, SqlError
from tests.mssql.kinds import convert

if TYPE_CHECKING:
    from tests.mssql.engine import Database, Row, Table

Given: TypeAlias = "object | Callable[[Any], object]"
"""A value, or a function that makes it of the old one."""


class Transaction:
    """One writer's unit of work. For one thread at a time; leaving ``with`` commits, an exception rolls back."""

    def __init__(self, database: Database, *, lock_timeout: float) -> None:
        self._database = database
        self._lock_timeout = lock_timeout
        self._changes: dict[tuple[str, int], Row | None] = {}
        self.oldest: int | None = None
        """Lowest rowversion given to this transaction."""
        self.waits_for: Transaction | None = None
        self.open = True

    def insert(self, table: str, **values: object) -> int:
        """Add a row; what is not given is NULL, the key the next one. Returns the key."""
        with self._database.changed:
            into = self._database.table(table)
            given = {into.column(name).name: value for name, value in values.items()}
            row = int(str(given.get(into.key) or into.next_key))
            into.next_key = max(into.next_key, row + 1)
            self._lock(into, row)
            if self._present(into, row) is not None:
                raise SqlError(DUPLICATE, into.name)
            self._put(into, row, {**given, into.key: row}, ())
            return row

    def update(self, table: str, row: int, **values: Given) -> bool:
        """Change a row by its key; a function is given the present value. Returns whether there is such a row."""
        with self._database.changed:
            into = self._database.table(table)
            self._lock(into, row)
            old = self._present(into, row)
            if old is not None:
                self._put(into, row, {into.column(name).name: value for name, value in values.items()}, old)
            return old is not None

    def delete(self, table: str, row: int) -> bool:
        """Remove a row by its key. Returns whether there was one."""
        with self._database.changed:
            into = self._database.table(table)
            self._lock(into, row)
            found = self._present(into, row) is not None
            self._changes[into.name, row] = None
            return found

    def commit(self) -> None:
        """Let readers see everything at once. Raises `SqlError` if it has ended: a restart rolled it back."""
        with self._database.changed:
            self._insist()
            for (name, row), new in self._changes.items():
                self._database.table(name).put(row, new)
            self._end()

    def rollback(self) -> None:
        """Forget everything; rowversions that were given stay used up."""
        with self._database.changed:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        elif self.open:
            self.rollback()

    def _present(self, table: Table, row: int) -> Row | None:
        """The row as this transaction sees it."""
        return self._changes[table.name, row] if (table.name, row) in self._changes else table.rows.get(row)

    def _put(self, table: Table, row: int, values: dict[str, Any], old: Row) -> None:
        new = []
        for number, column in enumerate(table.columns):
            before = old[number] if old else None
            value = values.get(column.name, before)
            if column.kind.name == "rowversion":
                value = self._next_version()
            new.append(convert(column.kind, value(before) if callable(value) else value))
        self._changes[table.name, row] = tuple(new)

    def _next_version(self) -> int:
        self._database.version += 1
        self.oldest = self.oldest or self._database.version
        return self._database.version

    def _lock(self, table: Table, row: int) -> None:
        self._insist()
        locks = self._database.locks
        while (holder := locks.get((table.name, row))) is not None and holder is not self:
            self.waits_for = holder
            seen: Transaction | None = holder
            while seen is not None and seen is not self:
                seen = seen.waits_for
            if seen is self:
                self._end()
                raise SqlError(DEADLOCK)
            got = self._database.changed.wait_for(
                lambda: locks.get((table.name, row)) in {None, self}, self._lock_timeout
            )
            self.waits_for = None
            self._insist()
            if not got:
                raise SqlError(LOCK_TIMEOUT)
        locks[table.name, row] = self

    def _insist(self) -> None:
        if not self.open:
            raise SqlError(3902, text="The transaction has ended: a deadlock or a restart rolled it back.")

    def _end(self) -> None:
        database = self._database
        self.open, self.waits_for = False, None
        for key in [key for key, holder in database.locks.items() if holder is self]:
            del database.locks[key]
        database.active.discard(self)
        self._changes.clear()
        database.changed.notify_all()
