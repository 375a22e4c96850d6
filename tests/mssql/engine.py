"""The databases in memory: tables of immutable rows, the counter of rowversions, rights; and POHODA's tables to fill.

Everything that changes does so under one condition per database, `Database.changed`; readers copy the list of rows
under it and go on without.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from tests.mssql.errors import NO_COLUMN, NO_TABLE, SqlError
from tests.mssql.kinds import ROWVERSION, Kind, kind_of
from tests.mssql.transactions import Transaction

Row: TypeAlias = tuple[Any, ...]
FIRST_VERSION = 2000
RESERVED = 4000
"""Rowversions that a restart skips: the server reserves them in blocks."""
LOCK_TIMEOUT = 5.0
_BUSY = 5.0


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    nullable: bool = True


@dataclass(slots=True)
class Table:
    """One table; its first column is the key, an identity."""

    name: str
    columns: tuple[Column, ...]
    rows: dict[int, Row] = field(default_factory=dict)
    next_key: int = 1

    @property
    def key(self) -> str:
        return self.columns[0].name

    def column(self, name: str) -> Column:
        """A column by its name, whatever its case. Raises `SqlError` 207."""
        return self.columns[self.position(name)]

    def position(self, name: str) -> int:
        """Where a column stands in a row. Raises `SqlError` 207."""
        for number, each in enumerate(self.columns):
            if each.name.lower() == name.lower():
                return number
        raise SqlError(NO_COLUMN, name)

    def put(self, row: int, new: Row | None) -> None:
        """Make a row be this, or not be."""
        if new is None:
            self.rows.pop(row, None)
        else:
            self.rows[row] = new + (None,) * (len(self.columns) - len(new))


class Database:
    """One database: an accounting unit and year. Thread-safe."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.changed = threading.Condition(threading.RLock())
        self.version = FIRST_VERSION
        """@@DBTS: the last rowversion that was given."""
        self.active: set[Transaction] = set()
        self.locks: dict[tuple[str, int], Transaction] = {}
        self._tables: dict[str, Table] = {}

    def create_table(self, name: str, columns: Mapping[str, str]) -> None:
        """Make a table of names and declarations (``varchar(64)``, ``money not null``); the first one is the key."""
        made = [
            Column(each, kind_of(declared), nullable=bool(number) and "not null" not in declared.lower())
            for number, (each, declared) in enumerate(columns.items())
        ]
        with self.changed:
            self._tables[name.lower()] = Table(name, tuple(made))

    def tables(self) -> list[Table]:
        """All tables, in the order of their making."""
        with self.changed:
            return list(self._tables.values())

    def table(self, name: str) -> Table:
        """A table by its name, whatever its case. Raises `SqlError` 208."""
        found = self._tables.get(name.lower())
        if found is None:
            raise SqlError(NO_TABLE, name)
        return found

    def drop_column(self, table: str, name: str) -> None:
        """Take a column away, with what it holds. Not while a transaction is open."""
        with self.changed:
            found = self.table(table)
            at = found.position(name)
            found.columns = found.columns[:at] + found.columns[at + 1 :]
            found.rows = {key: row[:at] + row[at + 1 :] for key, row in found.rows.items()}

    def add_row_version(self, table: str, name: str = "RV") -> None:
        """Add a rowversion column, as an administrator would: every row gets one."""
        with self.changed:
            found = self.table(table)
            found.columns = (*found.columns, Column(name, ROWVERSION, nullable=False))
            for key, row in found.rows.items():
                self.version += 1
                found.rows[key] = (*row, self.version.to_bytes(8, "big"))

    def begin(self, *, lock_timeout: float = LOCK_TIMEOUT) -> Transaction:
        """Open a transaction; it waits this many seconds for a row that another one wrote."""
        with self.changed:
            made = Transaction(self, lock_timeout=lock_timeout)
            self.active.add(made)
            return made

    def committed(self, table: str) -> Table:
        """A copy of a table as it is now, with its committed rows. Raises `SqlError` 208."""
        with self.changed:
            found = self.table(table)
            return Table(found.name, found.columns, dict(found.rows), found.next_key)

    def recover(self) -> None:
        """What a restart does: open transactions are rolled back, and reserved rowversions are lost."""
        with self.changed:
            for work in list(self.active):
                work.rollback()
            self.version += RESERVED

    def lowest_active(self) -> int:
        """MIN_ACTIVE_ROWVERSION(): the lowest one given to an open transaction, else the next one to be given."""
        with self.changed:
            return min((each.oldest for each in self.active if each.oldest), default=self.version + 1)


def load_sqlite(database: Database, path: Path) -> None:
    """Copy the tables of a SQLite file, types as declared there: for the demo's POHODA. An INTEGER key is an int."""
    with closing(sqlite3.connect(path, timeout=_BUSY)) as source:
        tables = source.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (name,) in tables.fetchall():
            info = source.execute(f"PRAGMA table_info({name})").fetchall()
            declared = {column: re.sub(" .*", "", kind) or "int" for _, column, kind, *_ in info}
            if not info[0][5]:
                continue  # without a key: the counter that stands in for rowversions there
            database.create_table(name, declared)
            with database.begin() as work:
                for row in source.execute(f"SELECT * FROM {name} ORDER BY 1"):
                    work.insert(name, **dict(zip(declared, row, strict=True)))
