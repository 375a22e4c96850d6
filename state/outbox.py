"""The outbox: what is owed to which target, and how each delivery ended.

The rules that money hangs on, as far as they live here:

1. A value equal to the shadow is dropped **only if its key has nothing open** (else 10 -> 8 -> 10 ends with 8).
2. A newer value supersedes the open one and inherits its place, its lane (live wins), its count of attempts. A row in
   flight is superseded, too: its `Done` still writes the shadow, its `Rejected` never touches the newer row.
3. `Unclear`, dead and discarded delete the shadow: the shop's value is not known any more.

There is no "running" state. Before a batch leaves, its rows are marked as sent, in the commit that settles the batch
before; rows found so marked at a start count as unclear, all others simply go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection

LIVE, BULK = 0, 1
GUARD_WAITS = "guard: waits for the end of this pass"
"""The reason of a counted row until its pass has ended and been judged."""

OPEN = "('pending', 'held')"
SINGLY = 6
"""From so many attempts on a row goes alone, so that however large a batch was, no neighbour dies with a bad row."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value to be owed. ``value`` is JSON text; equal values must be equal texts."""

    target: str
    key: str
    code: str
    value: str
    lane: int = LIVE
    force: bool = False
    """Sent even if the shop is believed to have it (retry, approve, repair)."""
    unusable: tuple[str, str] | None = None
    """(reason, hint) when no value could be made: recorded as dead at once."""
    source: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """How many entries became pending, held (counted by the guard), dead, or were dropped as nothing new."""

    pending: int = 0
    held: int = 0
    dead: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as dispatch takes it."""

    id: int
    target: str
    key: str
    code: str
    value: str
    lane: int
    attempts: int
    source: str
    version: str
    created_at: float


@dataclass(frozen=True, slots=True)
class _Open:
    id: int
    value: str
    status: str
    lane: int
    place: int
    folded: int
    attempts: int
    sent: int
    approved: int


def enqueue(
    db: Connection,
    target: str,
    entries: Sequence[Entry],
    *,
    now: float,
    counts: Callable[[str, str | None, str], bool] = lambda _key, _old, _new: False,
) -> Enqueued:
    """Owe the entries' values (keys unique within a call), by the rules of this module.

    ``counts(key, old, new)`` tells which changes the target's guard counts; those are held until `guards.judge` lets
    them go. ``old`` is the value last confirmed, or else the one that is superseded, or None when neither is known.
    """
    keys = json.dumps([entry.key for entry in entries])
    opens = _open_rows(db, target, keys)
    shadows = dict(
        db.execute(
            "SELECT key, value FROM shadow WHERE target = ? AND key IN (SELECT value FROM json_each(?))", (target, keys)
        )
    )
    dead = _dead_among(db, target, [entry.key for entry in entries if shadows.get(entry.key) == entry.value])
    next_id = _last_id(db) + 1
    fresh: list[tuple[object, ...]] = []
    folded: list[tuple[int | float, int]] = []
    passed: list[tuple[int, int, int]] = []
    counted_away: list[tuple[str, str]] = []
    tally = {"pending": 0, "held": 0, "dead": 0, "dropped": 0}
    for entry in entries:
        old = opens.get(entry.key)
        known = shadows.get(entry.key, old.value if old else None)
        status, counted = _judge_entry(entry, known, counts, approved=bool(old and old.approved))
        if old is None and not entry.force and _has_it(entry, shadows, dead):
            tally["dropped"] += 1  # rule 1: nothing open, and the shop has it
            continue
        if old and _waits_already(entry, old, status):
            passed.append((min(old.lane, entry.lane), int(entry.force), old.id))
            tally["dropped"] += 1
            continue
        if old:
            folded.append((now, old.id))
        if status != "held" and (counted or known not in {None, entry.value}):
            counted_away.append((target, entry.key))  # approved, or another value than the one that was counted
        fresh.append(_new_row(entry, old, next_id, status=status, counted=counted, now=now))
        next_id += 1
        tally[status] += 1
    _write(db, target, fresh, folded=folded, passed=passed)
    forget_shadows(db, [(target, entry.key) for entry in entries if entry.unusable])
    db.executemany("DELETE FROM guarded WHERE target = ? AND key = ?", counted_away)
    return Enqueued(**tally)


def _judge_entry(
    entry: Entry, known: str | None, counts: Callable[[str, str | None, str], bool], *, approved: bool
) -> tuple[str, bool]:
    """Tell a new row's status, and whether the guard counts it. What was approved is neither held nor counted again."""
    if entry.unusable:
        return "dead", False
    if counts(entry.key, known, entry.value):
        return ("pending" if approved else "held"), True
    return "pending", False


def _has_it(entry: Entry, shadows: dict[str, str], dead: set[str]) -> bool:
    """Tell whether the shop holds the value; a dead letter is answered by a delivery, never by a belief."""
    return not entry.unusable and entry.key not in dead and shadows.get(entry.key) == entry.value


def _waits_already(entry: Entry, old: _Open, status: str) -> bool:
    """Tell whether this very value waits to be sent. A row that the guard let go is not held a second time."""
    same = old.value == entry.value and not old.sent and status != "dead"
    return same and (old.status == "pending" or status == "held")


def _new_row(
    entry: Entry, old: _Open | None, row_id: int, *, status: str, counted: bool, now: float
) -> tuple[object, ...]:
    return (
        row_id,
        entry.target,
        entry.key,
        entry.code,
        entry.value,
        status,
        min(entry.lane, old.lane) if old else entry.lane,
        old.place if old else row_id,
        entry.source,
        entry.version,
        now,
        old.attempts if old else 0,
        old.folded + 1 if old else 0,
        int(status == "held"),
        old.approved if old and counted else 0,
        entry.unusable[0] if entry.unusable else GUARD_WAITS if status == "held" else None,
        entry.unusable[1] if entry.unusable else None,
        now if status == "dead" else None,
    )


def _open_rows(db: Connection, target: str, keys: str) -> dict[str, _Open]:
    rows = db.execute(
        "SELECT key, id, value, status, lane, place, folded, attempts, sent_at IS NOT NULL, approved FROM delivery"
        f" WHERE target = ? AND status IN {OPEN} AND key IN (SELECT value FROM json_each(?))",
        (target, keys),
    )
    return {row[0]: _Open(*row[1:]) for row in rows}


def _dead_among(db: Connection, target: str, keys: Sequence[str]) -> set[str]:
    if not keys:
        return set()
    rows = db.execute(
        "SELECT key FROM delivery WHERE target = ? AND status = 'dead' AND key IN (SELECT value FROM json_each(?))",
        (target, json.dumps(keys)),
    )
    return {row[0] for row in rows}


def _last_id(db: Connection) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'").fetchone()
    return int(row[0]) if row else 0


def _write(
    db: Connection,
    target: str,
    fresh: Sequence[tuple[object, ...]],
    *,
    folded: Sequence[tuple[int | float, int]],
    passed: Sequence[tuple[int, int, int]],
) -> None:
    db.executemany("UPDATE delivery SET status = 'superseded', settled_at = ? WHERE id = ?", folded)
    db.executemany("UPDATE delivery SET lane = ?, due = CASE WHEN ? THEN 0 ELSE due END WHERE id = ?", passed)
    if fresh:
        keys = json.dumps([row[2] for row in fresh])
        db.execute(  # a dead letter is answered by the next value of its key
            "UPDATE delivery SET status = 'superseded' WHERE target = ? AND status = 'dead'"
            " AND key IN (SELECT value FROM json_each(?))",
            (target, keys),
        )
    db.executemany(
        "INSERT INTO delivery (id, target, key, code, value, status, lane, place, source, version, created_at,"
        " attempts, folded, guarded, approved, reason, hint, settled_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        fresh,
    )


def take(db: Connection, target: str, *, limit: int, now: float, far: float) -> list[Row]:
    """Take the next batch and mark its rows as sent; call it in the commit that settles the batch before.

    Live rows go before bulk ones, each lane in the order of its places. Rows whose key rests, and rows that are not
    due, are passed over (a due time further away than ``far`` seconds is a clock that jumped, and counts as due).
    Rows that failed before go with their like, in batches halved once per attempt, at last alone: the bisection.
    """
    rows = [
        Row(*row)
        for row in db.execute(
            "SELECT id, target, key, code, value, lane, attempts, source, version, created_at FROM delivery AS d"
            " WHERE target = ? AND status = 'pending' AND sent_at IS NULL AND (due <= ? OR due > ?)"
            " AND NOT EXISTS (SELECT 1 FROM rest WHERE target = d.target AND key = d.key AND phase = 'rest')"
            " ORDER BY lane, place LIMIT ?",
            (target, now, now + far, limit),
        )
    ]
    if rows:
        first = rows[0].attempts
        size = 1 if first >= SINGLY else max(1, limit >> first)
        rows = [row for row in rows if row.attempts == first][:size]
        db.executemany("UPDATE delivery SET sent_at = ? WHERE id = ?", [(now, row.id) for row in rows])
    return rows


def in_flight(db: Connection, target: str) -> list[Row]:
    """List rows that left and whose answer nobody waits for: what a process that died has left behind."""
    return [
        Row(*row)
        for row in db.execute(
            "SELECT id, target, key, code, value, lane, attempts, source, version, created_at FROM delivery"
            " WHERE target = ? AND sent_at IS NOT NULL",
            (target,),
        )
    ]


def forget_shadows(db: Connection, keys: Sequence[tuple[str, str]]) -> None:
    """Forget what the shop holds for these (target, key): it is not known any more (rule 3)."""
    db.executemany("DELETE FROM shadow WHERE target = ? AND key = ?", keys)


def open_value(db: Connection, target: str, key: str) -> tuple[int, str] | None:
    """Find the open delivery of a key as (id, JSON value)."""
    row = db.execute(
        f"SELECT id, value FROM delivery WHERE target = ? AND key = ? AND status IN {OPEN}", (target, key)
    ).fetchone()
    return (int(row[0]), str(row[1])) if row else None


def is_dead(db: Connection, target: str, key: str) -> bool:
    """Tell whether a key has an unanswered dead letter."""
    sql = "SELECT 1 FROM delivery WHERE target = ? AND key = ? AND status = 'dead' LIMIT 1"
    return db.execute(sql, (target, key)).fetchone() is not None


def next_due(db: Connection, target: str, now: float) -> float | None:
    """Tell when the next failed row is to be tried again; None when none waits."""
    row = db.execute(
        "SELECT min(due) FROM delivery WHERE target = ? AND status = 'pending' AND due > 0 AND due > ?", (target, now)
    ).fetchone()
    return None if row[0] is None else float(row[0])


def open_keys(db: Connection, target: str) -> set[str]:
    """List the keys that have something open: their value is on its way, or held."""
    return {row[0] for row in db.execute(f"SELECT key FROM delivery WHERE target = ? AND status IN {OPEN}", (target,))}


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
    forget_shadows(db, [(target, key) for _, key in chosen])
    return len(chosen)
