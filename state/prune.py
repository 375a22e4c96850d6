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
    deleted = db.execute(
        "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE status IN ('delivered', 'superseded')"
        " AND sent_at IS NULL AND (settled_at < ? OR id <= ?) ORDER BY id LIMIT ?)",
        (older_than, newest - keep, STEP),
    ).rowcount
    if deleted:
        for _ in range(FREED):  # sqlite3 steps this pragma once, which frees one page whatever number it is given
            db.execute("PRAGMA incremental_vacuum(1)")
    return deleted
