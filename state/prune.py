"""Keeping the file small: the history is capped by age and by number, in short steps that never hold up a commit."""

from __future__ import annotations

import sqlite3

STEP = 1000
"""Rows deleted in one transaction."""
FREED = 200
"""Pages given back in one transaction, about 2 ms."""


def prune(db: sqlite3.Connection, *, older_than: float, keep: int) -> int:
    """Delete up to `STEP` settled rows that are older than a moment, or that exceed ``keep`` rows; returns how many.

    Dead letters stay until they are answered or discarded; what is open is never touched.
    """
    newest = int(db.execute("SELECT coalesce(max(id), 0) FROM delivery").fetchone()[0])
    last = max(newest - keep, _made_before(db, older_than, newest))
    deleted = db.execute(
        "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE id <= ?"
        " AND status IN ('delivered', 'superseded') AND sent_at IS NULL AND (settled_at < ? OR id <= ?)"
        " ORDER BY id LIMIT ?)",
        (last, older_than, newest - keep, STEP),
    ).rowcount
    if deleted:
        for _ in range(FREED):  # sqlite3 steps this pragma once, which frees one page whatever number it is given
            db.execute("PRAGMA incremental_vacuum(1)")
    return deleted


def _made_before(db: sqlite3.Connection, moment: float, newest: int) -> int:
    """Find the last id made before a moment by halving, so that the young history is not read each time.

    Ids grow with time, and nothing is settled before it is made. A clock that jumped only delays what goes by age.
    """
    low, high = 0, newest
    while low < high:
        middle = (low + high + 1) // 2
        row = db.execute("SELECT created_at FROM delivery WHERE id <= ? ORDER BY id DESC LIMIT 1", (middle,)).fetchone()
        low, high = (middle, high) if row is None or row[0] < moment else (low, middle - 1)
    return low
