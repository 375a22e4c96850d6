"""The floor of the outbox: raw SQLite that does the honest minimum of the same work, in batches, and nothing else.

One table with the outbox's columns, a unique index on the open rows of a key, a table of what the shop holds; the same
settings of file and cache as the program's. It knows the ids of what it settles: it need not look for them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from state.db import CACHE_KB, CHECKPOINT
from tests.bench.things import Thing

_SCHEMA = """
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, key TEXT NOT NULL, code TEXT NOT NULL,
    value TEXT NOT NULL, status TEXT NOT NULL, lane INTEGER NOT NULL, place INTEGER NOT NULL, source TEXT NOT NULL,
    version TEXT NOT NULL, created_at REAL NOT NULL, due REAL NOT NULL DEFAULT 0, sent_at REAL,
    attempts INTEGER NOT NULL DEFAULT 0, folded INTEGER NOT NULL DEFAULT 0, guarded INTEGER NOT NULL DEFAULT 0,
    approved INTEGER NOT NULL DEFAULT 0, reason TEXT, hint TEXT, request TEXT, answer TEXT, settled_at REAL);
CREATE UNIQUE INDEX delivery_open ON delivery (target, key) WHERE status IN ('pending', 'held');
CREATE TABLE shadow (target TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, confirmed_at REAL NOT NULL,
    PRIMARY KEY (target, key)) WITHOUT ROWID;
"""


class RawQueue:
    """One file; ids are counted here."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        for pragma in (
            "auto_vacuum=INCREMENTAL",
            "journal_mode=WAL",
            "synchronous=FULL",
            f"wal_autocheckpoint={CHECKPOINT}",
            f"cache_size=-{CACHE_KB}",
            f"journal_size_limit={64 * 1024 * 1024}",
        ):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.executescript(_SCHEMA)
        self._last = 0

    def enqueue(self, things: Sequence[Thing], now: float) -> list[int]:
        """Insert one batch in one commit; returns the ids."""
        first, self._last = self._last + 1, self._last + len(things)
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "INSERT INTO delivery (id, target, key, code, value, status, lane, place, source, version, created_at)"
            " VALUES (?, 'quantities', ?, ?, ?, 'pending', 0, ?, 'stock', ?, ?)",
            [
                (number, thing.key, thing.code, thing.value, number, thing.version, now)
                for number, thing in enumerate(things, first)
            ],
        )
        self.db.execute("COMMIT")
        return list(range(first, self._last + 1))

    def settle(self, ids: Sequence[int], things: Sequence[Thing], now: float) -> None:
        """Settle one batch in one commit: the row by its id, and what the shop holds."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "UPDATE delivery SET status = 'delivered', settled_at = ?, request = ?, answer = ? WHERE id = ?",
            [(now, thing.request, thing.answer, row) for row, thing in zip(ids, things, strict=True)],
        )
        self.db.executemany(
            "INSERT INTO shadow (target, key, value, confirmed_at) VALUES ('quantities', ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET value = excluded.value, confirmed_at = excluded.confirmed_at",
            [(thing.key, thing.value, now) for thing in things],
        )
        self.db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self.db.close()
