"""The guard's memory: what was counted within the last hour, and what is held until a person, or the data, says more.

Only the counted rows wait; all others flow. Held rows are judged anew together whenever a pass ends, so that values
that come back need no person. What was approved no longer counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from state import outbox, shadows

HOUR = 3600.0
_WAITING = "target = ? AND status = 'held' AND guarded = 1 AND approved = 0"


def judge(
    db: sqlite3.Connection, target: str, verdict: Callable[[int, int], str], *, now: float
) -> tuple[int, int, str]:
    """Judge all held, counted rows of a target at the end of a pass.

    ``verdict(counted, total)`` gives the reason to hold them, or nothing. Returns (released, held, reason).
    """
    db.execute("DELETE FROM guarded WHERE target = ? AND (at <= ? OR at > ?)", (target, now - HOUR, now + HOUR))
    waiting = int(db.execute(f"SELECT count(*) FROM delivery WHERE {_WAITING}", (target,)).fetchone()[0])
    if not waiting:
        return 0, 0, ""
    recent = int(
        db.execute(
            "SELECT count(*) FROM guarded AS g WHERE target = ? AND NOT EXISTS (SELECT 1 FROM delivery AS d"
            " WHERE d.target = g.target AND d.key = g.key AND d.status = 'held')",
            (target,),
        ).fetchone()[0]
    )
    reason = verdict(waiting + recent, shadows.total(db, target))
    if reason:
        db.execute(
            f"UPDATE delivery SET reason = ?, hint = ? WHERE {_WAITING}",
            (reason, "Look at `outbox list --held`; if it is right: pohoda-agent outbox approve", target),
        )
        return 0, waiting, reason
    db.execute(
        f"INSERT OR REPLACE INTO guarded (target, key, at) SELECT target, key, ? FROM delivery WHERE {_WAITING}",
        (now, target),
    )
    db.execute(f"UPDATE delivery SET status = 'pending', reason = NULL, hint = NULL WHERE {_WAITING}", (target,))
    return waiting, 0, ""


def approve(db: sqlite3.Connection, target: str, keys: Sequence[str] | None) -> list[tuple[str, str]]:
    """Mark held rows (all of them for None) as approved; returns their (key, code), to be read again and then sent."""
    chosen: list[tuple[str, str]] = []
    for key, code in db.execute("SELECT key, code FROM delivery WHERE target = ? AND status = 'held'", (target,)):
        if keys is None or key in keys:
            chosen.append((key, code))
    db.executemany(
        "UPDATE delivery SET approved = 1 WHERE target = ? AND key = ? AND status = 'held'",
        [(target, key) for key, _ in chosen],
    )
    return chosen


def count_pending(db: sqlite3.Connection, target: str, counts: Callable[[str, str], bool]) -> int:
    """Hold, until they are judged, pending rows that the guard counts now that the shop's values are known.

    For the end of a baseline: what came in before could not be compared. ``counts(old, new)`` takes JSON texts.
    """
    rows = db.execute(
        "SELECT d.id, s.value, d.value FROM delivery AS d JOIN shadow AS s ON s.target = d.target AND s.key = d.key"
        " WHERE d.target = ? AND d.status = 'pending' AND d.sent_at IS NULL AND d.approved = 0",
        (target,),
    )
    counted = [row[0] for row in rows if counts(row[1], row[2])]
    db.executemany(
        "UPDATE delivery SET status = 'held', guarded = 1, reason = ? WHERE id = ?",
        [(outbox.GUARD_WAITS, row_id) for row_id in counted],
    )
    return len(counted)
