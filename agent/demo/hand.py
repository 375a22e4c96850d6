"""The hand that writes into the embedded POHODA: short transactions, and ``DatSave`` of what is saved."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.demo import goods

ON_OFFER = "SELECT ID FROM SKz WHERE IObchod = 1 AND RelSkTyp = 1 AND Template = 0"
_BUSY = 5.0


@dataclass(frozen=True, slots=True)
class Hand:
    """A connection, dice, and the folder of the pictures. May be used by one thread at a time."""

    db: sqlite3.Connection
    chance: random.Random
    pictures: Path

    @contextmanager
    def saving(self, table: str = "SKz", *rows: int) -> Iterator[sqlite3.Connection]:
        """One transaction, in which the rows are saved: POHODA saves what hangs on a record with it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
            self.saved(table, rows)
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def saved(self, table: str, rows: Sequence[int]) -> None:
        """Move ``DatSave``."""
        moment = now()
        self.db.executemany(f"UPDATE {table} SET DatSave = ? WHERE ID = ?", [(moment, row) for row in rows])  # noqa: S608 - our own names

    def add(self, table: str, **values: object) -> int:
        """Add a row and give its id."""
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 - our own names
        return int(self.db.execute(sql, tuple(values.values())).lastrowid or 0)

    def one(self, question: str, *given: object) -> int | None:
        """Choose among the ids that a query gives; None where there are none."""
        found = sorted(row for (row,) in self.db.execute(question, given))
        return int(self.chance.choice(found)) if found else None

    def ids(self, question: str, *given: object) -> list[int]:
        """All ids that a query gives, in its order."""
        return [int(row) for (row,) in self.db.execute(question, given)]

    def picture(self, what: str) -> str:
        """Make a picture of its own; returns the name of the file."""
        file = f"{what} {self.chance.randrange(10**9)}.png"
        (self.pictures / file).write_bytes(goods.png(self.chance.randrange(2**24)))
        return file


def take(database: Path, documents: Path, seed: str) -> Hand:
    """Open the database, to be closed by who asked for it. The same seed chooses the same."""
    db = sqlite3.connect(database, isolation_level=None, timeout=_BUSY, check_same_thread=False)
    return Hand(db, random.Random(seed), documents / goods.PICTURES)  # noqa: S311 - plausible work, not secrets


def now() -> str:
    """The clock of POHODA's machine, as records are stamped."""
    return datetime.now().isoformat(" ", "seconds")  # noqa: DTZ005 - POHODA's times are local, without offset
