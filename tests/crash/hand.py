"""What a hand at work on all of POHODA has: its connection, its dice, the documents, the shop where customers buy."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agent.demo import goods
from agent.demo.prestashop import FakePrestaShop

ON_OFFER = "IObchod AND RelSkTyp = 1 AND Template = 0"


@dataclass(slots=True)
class Hand:
    """Passed to each piece of work, which is one transaction of POHODA."""

    db: sqlite3.Connection
    chance: random.Random
    documents: Path
    shop: FakePrestaShop
    number: int = 0
    """Of the piece of work: makes names that nobody had before."""
    gone: int = 0
    """Categories that were deleted so far."""
    owner: dict[str, int] = field(default_factory=dict)
    """Number of an order → the state into which the shop's owner brought it by hand."""

    def one(self, question: str, *given: object) -> int | None:
        """Choose among the ids that a query gives; None where there is none."""
        found = self.db.execute(question, given).fetchall()
        return int(self.chance.choice(found)[0]) if found else None

    def card(self, besides: str = "1") -> int:
        """A card on offer."""
        return self.one(f"SELECT ID FROM SKz WHERE {ON_OFFER} AND {besides} ORDER BY ID") or 1

    def add(self, table: str, **values: object) -> int:
        """Add a row and give its id."""
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        return int(self.db.execute(sql, tuple(values.values())).lastrowid or 0)

    def saved(self, table: str, rows: Iterable[int | None]) -> None:
        """Move ``DatSave``, as saving a record in POHODA does."""
        moment = now()
        self.db.executemany(f"UPDATE {table} SET DatSave = ? WHERE ID = ?", [(moment, row) for row in rows])

    def picture(self) -> str:
        """Make a picture file of its own."""
        name = f"kategorie {self.number}.png"
        (self.documents / goods.PICTURES / name).write_bytes(goods.png((self.number * 7907 + 5) % 2**24))
        return name


def now() -> str:
    """POHODA's time, local and without offset."""
    return datetime.now().isoformat(sep=" ", timespec="milliseconds")  # noqa: DTZ005 - as above
