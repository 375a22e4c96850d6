"""What the inspector shows: counts, lists, one delivery, one key's history. Only reads."""

from __future__ import annotations

import sqlite3
from typing import Any

from state import targets as targets_state
from state.outbox import OPEN

COLUMNS = (
    "id, target, key, code, value, status, lane, source, version, created_at, due, sent_at, attempts, folded,"
    " approved, reason, hint, request, answer, settled_at"
)


def _records(cursor: sqlite3.Cursor) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def deliveries(
    db: sqlite3.Connection, *, target: str | None, status: str | None, key: str | None, limit: int
) -> list[dict[str, Any]]:
    """List deliveries, the newest first, as records with the columns of the table."""
    where = ["1 = 1"]
    values: list[object] = []
    for column, value in (("target", target), ("status", status), ("key", key)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    return _records(
        db.execute(
            f"SELECT {COLUMNS} FROM delivery WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, limit)
        )
    )


def delivery(db: sqlite3.Connection, delivery_id: int) -> dict[str, Any] | None:
    """Show one delivery whole; None when there is none with this number."""
    found = _records(db.execute(f"SELECT {COLUMNS} FROM delivery WHERE id = ?", (delivery_id,)))
    return found[0] if found else None


def targets(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Count what each target owes: pending by lane, held, dead, resting; the oldest pending; the last delivered."""
    names = {row[0] for row in db.execute("SELECT name FROM target UNION SELECT DISTINCT target FROM delivery")}
    return [_target(db, name) for name in sorted(names)]


def _target(db: sqlite3.Connection, name: str) -> dict[str, Any]:
    counts = dict(
        db.execute(f"SELECT status, count(*) FROM delivery WHERE target = ? AND status IN {OPEN} GROUP BY 1", (name,))
    )
    oldest, bulk = db.execute(
        "SELECT min(created_at), sum(lane) FROM delivery WHERE target = ? AND status = 'pending'", (name,)
    ).fetchone()
    dead = db.execute("SELECT count(*) FROM delivery WHERE target = ? AND status = 'dead'", (name,)).fetchone()[0]
    last = db.execute("SELECT max(confirmed_at), count(*) FROM shadow WHERE target = ?", (name,)).fetchone()
    rests = db.execute("SELECT count(*) FROM rest WHERE target = ? AND phase = 'rest'", (name,)).fetchone()[0]
    row = db.execute("SELECT paused, baseline FROM target WHERE name = ?", (name,)).fetchone() or (0, "none")
    held = db.execute("SELECT reason FROM delivery WHERE target = ? AND status = 'held' LIMIT 1", (name,)).fetchone()
    return {
        "target": name,
        "paused": bool(row[0]),
        "baseline": row[1],
        "pending": counts.get("pending", 0),
        "bulk": bulk or 0,
        "held": counts.get("held", 0),
        "held_reason": held[0] if held else None,
        "dead": dead,
        "resting": rests,
        "oldest_pending_at": oldest,
        "last_confirmed_at": last[0],
        "known": last[1],
    }


def sources(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Tell where each source stands and when it was last read."""
    return _records(db.execute("SELECT name, complete, read_at, scanned, cursor FROM source ORDER BY name"))


def loops(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Tell how each loop fares."""
    return _records(db.execute("SELECT name, at, failed, text, hint FROM loop ORDER BY name"))


def size(db: sqlite3.Connection) -> int:
    """Size of the file in bytes, without its WAL."""
    pages = int(db.execute("PRAGMA page_count").fetchone()[0])
    return pages * int(db.execute("PRAGMA page_size").fetchone()[0])


def breaker(db: sqlite3.Connection) -> dict[str, Any]:
    """Tell how the shop's breaker stands: failures in a row, until when it waits, why."""
    state = targets_state.load_breaker(db)
    return {"failures": state.failures, "open_until": state.open_until, "reason": state.reason}
