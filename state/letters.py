"""Dead letters and held rows: what a person is asked about, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from state import outbox, shadows, waiting


def last_owed(db: Connection, target: str, key: str) -> str | None:
    """Read the value (JSON text) that is open for a key, or of its dead letter; None when there is neither."""
    opened = outbox.open_value(db, target, key)
    if opened:
        return opened[1]
    sql = "SELECT value FROM delivery WHERE target = ? AND key = ? AND status = 'dead' ORDER BY id DESC LIMIT 1"
    row = db.execute(sql, (target, key)).fetchone()
    return None if row is None else str(row[0])


def is_dead(db: Connection, target: str, key: str) -> bool:
    """Tell whether a key has an unanswered dead letter."""
    sql = "SELECT 1 FROM delivery WHERE target = ? AND key = ? AND status = 'dead' LIMIT 1"
    return db.execute(sql, (target, key)).fetchone() is not None


def dead_keys(db: Connection, target: str, keys: Sequence[str] | None) -> list[tuple[str, str]]:
    """List the (key, code) of unanswered dead letters, all or those of these keys."""
    rows = db.execute("SELECT DISTINCT key, code FROM delivery WHERE target = ? AND status = 'dead'", (target,))
    return [(key, code) for key, code in rows if keys is None or key in keys]


def discard(db: Connection, target: str, keys: Sequence[str] | None, *, status: str, now: float) -> int:
    """Give up held or dead rows (all, or those of these keys); their shadows are forgotten (rule 3)."""
    chosen = [
        (row_id, key)
        for row_id, key in db.execute(
            "SELECT id, key FROM delivery WHERE target = ? AND status = ?", (target, status)
        ).fetchall()
        if keys is None or key in keys
    ]
    db.executemany(
        "UPDATE delivery SET status = 'superseded', settled_at = ?, sent_at = NULL,"
        " reason = 'discarded: ' || coalesce(reason, '') WHERE id = ?",
        [(now, row_id) for row_id, _ in chosen],
    )
    outbox.forget_shadows(db, [(target, key) for _, key in chosen])
    for thing in [thing for thing, creator in {"product": "products", **shadows.OF}.items() if creator == target]:
        waiting.wake(db, thing, [key for _, key in chosen])  # what waits for a creation given up is judged anew
    waiting.wake(db, target, [key for _, key in chosen])
    return len(chosen)
