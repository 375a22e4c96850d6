"""A small POHODA in a file, its remembered rows in memory, and one who follows the source as ingest does."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.demo import pohoda
from agent.sources import Batch, Cursor, SeenRow
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.views.stock import StockRow, StockView


class Memory:
    """`agent.sources.Seen` in a dict."""

    def __init__(self) -> None:
        self.rows: dict[int, SeenRow] = {}

    def after(self, row: int, limit: int) -> Sequence[SeenRow]:
        return [self.rows[each] for each in sorted(self.rows) if each > row][:limit]

    def fingerprints_after(self, row: int, limit: int) -> dict[int, bytes]:
        return {each.row: each.fingerprint for each in self.after(row, limit)}

    def of_rows(self, rows: Sequence[int]) -> dict[int, SeenRow]:
        return {row: self.rows[row] for row in rows if row in self.rows}

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[SeenRow]]:
        found: dict[str, list[SeenRow]] = {}
        for row in self.rows.values():
            if row.key in keys:
                found.setdefault(row.key, []).append(row)
        return found


class Clock:
    """Monotonic seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Follower:
    """Reads a source to its end and takes in what it says, as ingest would; keeps the rows of every key it was told."""

    source: PohodaTable[StockRow]
    seen: Memory = field(default_factory=Memory)
    cursor: Cursor | None = None
    rows: dict[str, tuple[StockRow, ...]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def one(self) -> Batch:
        """One read and its second reads."""
        batch = self.source.read(self.cursor, self.seen)
        keys = [change.key for change in batch.changes]
        self.told += keys
        for start in range(0, len(keys), 500):
            self.second(keys[start : start + 500])
        self.cursor = batch.cursor
        self.source.committed(batch)
        self.batches.append(batch)
        return batch

    def second(self, keys: Sequence[str]) -> None:
        """The second read, committed."""
        found = self.source.rows(keys, self.seen)
        self.rows |= found.rows
        self.seen.rows |= {row.row: row for row in found.seen}
        for row in found.gone:
            del self.seen.rows[row]

    def all(self) -> list[str]:
        """Read until there is no more; the keys that were told, in order."""
        self.told = []
        for _ in range(10_000):
            if not self.one().more:
                return self.told
        raise AssertionError("the source never ends")

    @property
    def stock(self) -> dict[str, list[Any]]:
        """Key → its quantities as last told, keys without rows left out."""
        return {key: [row.stock for row in rows] for key, rows in self.rows.items() if rows}


def small(path: Path, *cards: tuple[Any, ...], row_version: bool = False) -> Path:
    """A POHODA with two stores and these cards: (code, store id, stock, tick)."""
    pohoda.create(path, cards=0, row_version=row_version)
    for code, store, stock, tick in cards:
        add(path, code, store, stock, tick)
    return path


def cards(path: Path, count: int, *, row_version: bool = False) -> Path:
    """A POHODA with cards K000 (no piece), K001 (one piece), … in the first store, all ticked."""
    return small(path, *((f"K{number:03d}", 1, float(number), 1) for number in range(count)), row_version=row_version)


def add(path: Path, code: object, store: int = 1, stock: object = 5.0, tick: int = 1) -> int:
    """Add a card and return its id."""
    with closing(sqlite3.connect(path)) as db, db:
        sql = (
            "INSERT INTO SKz (IDS, RefSklad, StavZ, Rezer, ObjedP, IObchod, RelSkTyp, Template, Nazev, DatCreate)"
            " VALUES (?, ?, ?, 0, 0, ?, 1, 0, 'Šroub', '2026-01-02 08:00:00')"
        )
        return int(db.execute(sql, (code, store, stock, tick)).lastrowid or 0)


def do(path: Path, sql: str, *given: object) -> None:
    """Change something and commit."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(sql, given)


def truth(path: Path) -> dict[str, list[Any]]:
    """Key → quantities of its cards, by id, straight from the table."""
    with closing(sqlite3.connect(path)) as db:
        found: dict[str, list[Any]] = {}
        for code, stock in db.execute("SELECT IDS, StavZ FROM SKz WHERE TRIM(IDS) <> '' ORDER BY ID"):
            found.setdefault(code.strip().casefold(), []).append(stock)
        return found


def follow(path: Path, view: StockView | None = None, **settings: Any) -> Follower:  # noqa: ANN401 - whatever the source takes
    """A follower of a new source over this file; its clock stands still, so reading takes no time and is always due."""
    settings.setdefault("clock", Clock())
    return Follower(PohodaTable("stock", open_database(str(path)), view or StockView(), **settings))
