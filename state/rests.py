"""The quiet time of a key after an unclear answer. It belongs to the key: it survives superseding and restarts.

A request that timed out can be applied seconds later (measured on a real shop under SIGSTOP), so the key first rests,
is then read back, sent again if it differs, and verified once more when nothing can come any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from state import outbox


@dataclass(frozen=True, slots=True)
class Rest:
    """One resting key: ``phase`` is 'rest' (nothing is sent) or 'verify' (to be looked at once more)."""

    target: str
    key: str
    code: str
    phase: str


def unclear(
    db: sqlite3.Connection, rows: Sequence[outbox.Row], *, until: float, verify_at: float, reason: str = ""
) -> None:
    """Let the keys of sent rows rest; the rows stay pending, their shadows are forgotten (rule 3)."""
    db.executemany(
        "INSERT INTO rest (target, key, code, phase, until, verify_at) VALUES (?, ?, ?, 'rest', ?, ?)"
        " ON CONFLICT DO UPDATE SET phase = 'rest', until = excluded.until, verify_at = excluded.verify_at",
        [(row.target, row.key, row.code, until, verify_at) for row in rows],
    )
    db.executemany(
        "UPDATE delivery SET sent_at = NULL, reason = CASE ? WHEN '' THEN reason ELSE ? END WHERE id = ?",
        [(reason, reason, row.id) for row in rows],
    )
    outbox.forget_shadows(db, [(row.target, row.key) for row in rows])


def due(db: sqlite3.Connection, target: str, *, phase: str, now: float, far: float, limit: int) -> list[Rest]:
    """List keys whose rest, or whose wait for verification, is over.

    A time further away than ``far`` seconds comes from a clock that jumped, and counts as over.
    """
    column = "until" if phase == "rest" else "verify_at"
    return [
        Rest(*row)
        for row in db.execute(
            f"SELECT target, key, code, phase FROM rest WHERE target = ? AND phase = ? AND ({column} <= ?"
            f" OR {column} > ?) ORDER BY {column} LIMIT ?",
            (target, phase, now, now + far, limit),
        )
    ]


def rested(db: sqlite3.Connection, target: str, keys: Sequence[str]) -> None:
    """The keys were read back: they may be sent again, and stay to be verified."""
    db.executemany("UPDATE rest SET phase = 'verify' WHERE target = ? AND key = ?", [(target, key) for key in keys])


def verified(db: sqlite3.Connection, target: str, keys: Sequence[str]) -> None:
    """Nothing late can come any more for these keys."""
    db.executemany("DELETE FROM rest WHERE target = ? AND key = ?", [(target, key) for key in keys])


def next_time(db: sqlite3.Connection, target: str) -> float | None:
    """Tell when the next key is to be read back or verified; None when none rests."""
    row = db.execute(
        "SELECT min(CASE phase WHEN 'rest' THEN until ELSE verify_at END) FROM rest WHERE target = ?", (target,)
    ).fetchone()
    return None if row[0] is None else float(row[0])
