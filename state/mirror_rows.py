"""What all tables of the mirror share: row versions, rows that hang on others, rows known by their codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

IDS = 500
"""Parameters of one statement."""
UNTOLD = 2**40
"""Rows whose ids are not told get ids above, where POHODA has none."""
NO_DIGEST = b""
"""Stands for the digest of what is to be read again: no item has it."""
MANY = 250
"""From so many cards on that one definition or address moves, they go in the bulk lane, however small its document."""


class Versions:
    """The row versions of all tables: one counter in the file, taken out once and put back once per transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._last = int(db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0])

    def next(self) -> int:
        """One that no row had before."""
        self._last += 1
        return self._last

    def keep(self) -> None:
        """Write down how far it went; in the same transaction."""
        self._db.execute("UPDATE meta SET value = ? WHERE name = 'version'", (str(self._last),))


def move_cards(db: sqlite3.Connection, versions: Versions, cards: Collection[int], *, large: bool) -> None:
    """Give cards a new row version because of what hangs on them, or is named by it."""
    bulk = int(large or len(cards) >= MANY)
    moved = [(versions.next(), bulk, card) for card in sorted(cards)]
    db.executemany("UPDATE SKz SET RowVer = ?, Hromadne = ? WHERE ID = ?", moved)


def chosen(db: sqlite3.Connection, sql: str, values: Iterable[Any]) -> Iterator[Any]:
    """The rows of a statement with one list of any length, which stands in it as ``{}``."""
    every = list(values)
    for start in range(0, len(every), IDS):
        some = every[start : start + IDS]
        yield from db.execute(sql.format(", ".join("?" * len(some))), some)


def hang(db: sqlite3.Connection, table: str, columns: str, parent: int, wanted: Sequence[tuple[Any, ...]]) -> bool:
    """Make the children of a row these ones; those that stay keep their ids. Tells whether anything changed."""
    present = db.execute(f"SELECT ID, {columns} FROM {table} WHERE RefAg = ? ORDER BY ID", (parent,)).fetchall()
    if [row[1:] for row in present] == list(wanted):
        return False
    left = list(wanted)
    for row in present:
        if row[1:] in left:
            left.remove(row[1:])
        else:
            db.execute(f"DELETE FROM {table} WHERE ID = ?", (row[0],))
    places = ", ".join("?" * (columns.count(",") + 2))
    db.executemany(f"INSERT INTO {table} (RefAg, {columns}) VALUES ({places})", [(parent, *row) for row in left])
    return True


def hangs(db: sqlite3.Connection, table: str, parent: int) -> bool:
    """Tell whether a row has children."""
    return db.execute(f"SELECT 1 FROM {table} WHERE RefAg = ? LIMIT 1", (parent,)).fetchone() is not None


def named(db: sqlite3.Connection, table: str, names: set[str]) -> dict[str, int]:
    """Ids of the rows with these codes, which are made where they are missing; by the folded code."""
    found = {str(code).casefold(): row for row, code in db.execute(f"SELECT ID, IDS FROM {table}")}
    for name in sorted(names):
        if name.casefold() not in found:
            made = db.execute(f"INSERT INTO {table} (IDS) VALUES (?)", (name,)).lastrowid
            assert made is not None
            found[name.casefold()] = made
    return found


def untold_id(db: sqlite3.Connection, table: str) -> int:
    """An id for a row whose own is not told."""
    return int(db.execute(f"SELECT max(coalesce(max(ID), 0), ?) + 1 FROM {table}", (UNTOLD,)).fetchone()[0])
