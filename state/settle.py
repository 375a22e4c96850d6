"""How a delivery ends: done, dead, failed and to be tried again, or given back untried. Ids are those that `take` gave.

A row may have been superseded while it was on its way: its `Done` still writes the shadow, and nothing that befalls it
touches the newer row.
"""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import NamedTuple

from state.outbox import OPEN, forget_shadows


def untried(db: Connection, ids: Sequence[int]) -> None:
    """Take the mark off rows that certainly had no effect: they go again as if nothing had been."""
    db.executemany("UPDATE delivery SET sent_at = NULL WHERE id = ?", [(row_id,) for row_id in ids])


class Settled(NamedTuple):
    """The definite end of one sent row. ``confirmed`` is JSON text, for delivered ones only."""

    id: int
    target: str
    key: str
    request: str = ""
    answer: str = ""
    confirmed: str = ""
    reason: str = ""
    hint: str = ""


def delivered(db: Connection, rows: Sequence[Settled], *, now: float) -> None:
    """The shop has these values: settle the rows and remember what it confirmed, superseded in flight or not."""
    values = [(now, row.request, row.answer, row.id) for row in rows]
    plain = db.executemany(  # nearly all rows are like this, and need the fewest columns and indexes changed
        "UPDATE delivery SET status = 'delivered', settled_at = ?, sent_at = NULL, request = ?, answer = ?"
        " WHERE id = ? AND status = 'pending' AND reason IS NULL",
        values,
    ).rowcount
    if plain < len(rows):
        db.executemany(  # superseded on the way, or carrying what went wrong before; those done above stay the same
            f"UPDATE delivery SET status = CASE WHEN status IN {OPEN} THEN 'delivered' ELSE status END,"
            " settled_at = ?, sent_at = NULL, reason = NULL, hint = NULL, request = ?, answer = ? WHERE id = ?",
            values,
        )
    db.executemany(
        "INSERT INTO shadow (target, key, value, confirmed_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value, confirmed_at = excluded.confirmed_at",
        [(row.target, row.key, row.confirmed, now) for row in rows],
    )


def rejected(db: Connection, rows: Sequence[Settled], *, now: float) -> None:
    """The shop will never take these: dead letters, unless a newer value has come (which then has its own chance)."""
    db.executemany(
        "UPDATE delivery SET status = CASE status WHEN 'pending' THEN 'dead' ELSE status END,"
        " settled_at = ?, sent_at = NULL, reason = ?, hint = ?, request = ?, answer = ? WHERE id = ?",
        [(now, row.reason, row.hint, row.request, row.answer, row.id) for row in rows],
    )
    forget_shadows(db, [(row.target, row.key) for row in rows])


def failed(db: Connection, rows: Sequence[Settled], *, due: float, most: int, now: float) -> None:
    """Count an attempt and try again when ``due``; after the ``most``-th the row is a dead letter."""
    db.executemany(
        "UPDATE delivery SET attempts = attempts + 1, sent_at = NULL, due = ?, reason = ?, hint = ?, request = ?,"
        " answer = ? WHERE id = ?",
        [(due, row.reason, row.hint, row.request, row.answer, row.id) for row in rows],
    )
    dead = [
        (row.id, row.target, row.key)
        for row in rows
        if db.execute(
            "UPDATE delivery SET status = 'dead', settled_at = ? WHERE id = ? AND status = 'pending' AND attempts >= ?",
            (now, row.id, most),
        ).rowcount
    ]
    forget_shadows(db, [(target, key) for _, target, key in dead])


def settle_unsent(db: Connection, target: str, held: Sequence[tuple[str, str]], *, now: float) -> int:
    """Settle rows that were never sent and equal what the shop holds, as (key, JSON value): (baseline)."""
    cursor = db.executemany(
        "UPDATE delivery SET status = 'delivered', settled_at = ?, answer = 'the shop had it already',"
        " reason = NULL, hint = NULL"
        f" WHERE target = ? AND key = ? AND value = ? AND status IN {OPEN} AND sent_at IS NULL AND attempts = 0"
        " AND NOT EXISTS (SELECT 1 FROM rest WHERE rest.target = delivery.target AND rest.key = delivery.key)",
        [(now, target, key, value) for key, value in held],
    )
    return cursor.rowcount
