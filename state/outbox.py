"""The outbox: what is owed to which target, and how each delivery ended.

The rules that money hangs on, as far as they live here:

1. A value equal to the shadow is dropped **only if its key has nothing open** (else 10 -> 8 -> 10 ends with 8).
2. A newer value supersedes the open one and inherits its place, its lane (live wins), its count of attempts. A row in
   flight is superseded, too: its `Done` still writes the shadow, its `Rejected` never touches the newer row.
3. `Unclear`, dead and discarded delete the shadow: the shop's value is not known any more.

There is no "running" state. Before a batch leaves, its rows are marked as sent, in the commit that settles an earlier
batch; rows found so marked at a start count as unclear, all others simply go.

What passes here by the million is written for speed (measured): records are named tuples, which are made in a fifth of
a frozen dataclass's time; keys are looked up by a join from their JSON list, for ``IN`` first sorts them; a plain row
names only the columns in which it differs from the defaults, a quarter less time than all eighteen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from sqlite3 import Connection
from typing import NamedTuple, TypeAlias

from state import shadows

LIVE, BULK = 0, 1
GUARD_WAITS = "guard: waits for the end of this pass"
"""The reason of a counted row until its pass has ended and been judged."""

OPEN = "('pending', 'held')"
_INSERT = (
    "INSERT OR FAIL INTO delivery (id, target, key, code, value, lane, place, source, version, created_at, status)"
    " VALUES "
)
_PLAIN = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')"
_TOGETHER = 10
"""Rows in one statement."""
SINGLY = 6
"""From so many attempts on a row goes alone, so that however large a batch was, no neighbour dies with a bad row."""


class Entry(NamedTuple):
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


class Row(NamedTuple):
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


class _Open(NamedTuple):
    id: int
    value: str
    status: str
    lane: int
    place: int
    folded: int
    attempts: int
    sent: int
    approved: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What the file says about the keys of a call: open rows, values last confirmed, keys with a dead letter."""

    opens: dict[str, _Open]
    shadows: dict[str, str]
    dead: set[str]


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a call writes. ``plain`` rows wait to be sent, nothing was open before; ``others`` are all the rest."""

    plain: list[tuple[object, ...]] = field(default_factory=list)
    others: list[tuple[object, ...]] = field(default_factory=list)
    folded: list[tuple[float, int]] = field(default_factory=list)
    passed: list[tuple[int, int, int]] = field(default_factory=list)
    uncounted: list[tuple[str, str]] = field(default_factory=list)


Counts: TypeAlias = Callable[[str, str | None, str], bool]
"""``counts(key, old, new)`` tells whether the target's guard counts a change. ``old`` is the value last confirmed, or
else the one that is superseded, or None when neither is known."""


Same: TypeAlias = Callable[[str, str], bool]
"""``same(sent, held)`` as JSON texts: whether the shop holds what would be sent, spelled in another way."""


def enqueue(
    db: Connection,
    target: str,
    entries: Sequence[Entry],
    *,
    now: float,
    counts: Counts | None = None,
    same: Same | None = None,
) -> Enqueued:
    """Owe the entries' values (keys unique within a call), by the rules of this module.

    What ``counts`` says is counted (None: nothing) is held until `guards.judge` lets it go. ``same`` tells of values
    that are not equal texts whether they are equal all the same (None: never).
    """
    if not entries:
        return Enqueued()
    keys = json.dumps([entry.key for entry in entries])
    any_dead = has_dead(db, target)
    dead = _dead_among(db, target, keys) if any_dead else set()
    known = _Known(_open_rows(db, target, keys), shadows.among(db, target, keys), dead)
    if same:
        _take_for_equal(entries, known.shadows, same)
    changes = _Changes()
    dropped = _sort(entries, known, changes, counts=counts, last_id=_last_id(db), now=now)
    _write(db, target, changes, any_dead=any_dead)
    forget_shadows(db, [(target, entry.key) for entry in entries if entry.unusable])
    statuses = [row[5] for row in changes.others]
    pending = len(changes.plain) + statuses.count("pending")
    return Enqueued(pending, statuses.count("held"), statuses.count("dead"), dropped)


def _take_for_equal(entries: Sequence[Entry], held: dict[str, str], same: Same) -> None:
    for entry in entries:
        value = held.get(entry.key, entry.value)
        if value != entry.value and same(entry.value, value):
            held[entry.key] = entry.value


def _sort(
    entries: Sequence[Entry], known: _Known, changes: _Changes, *, counts: Counts | None, last_id: int, now: float
) -> int:
    """Tell for each entry what it changes; returns how many are nothing new."""
    first = row_id = last_id
    for entry in entries:
        target, key, code, value, lane, _, unusable, source, version = entry
        old, shadow = known.opens.get(key), known.shadows.get(key)
        if old is None and not entry.force and shadow == value and not unusable and key not in known.dead:
            continue  # rule 1: nothing open, and the shop has it; a dead letter is answered by no belief
        before = old.value if old and shadow is None else shadow
        status, counted = "pending", False
        if unusable:
            status = "dead"
        elif counts and counts(key, before, value):  # what was approved is neither held nor counted again
            status, counted = "pending" if old and old.approved else "held", True
        if old and _waits_already(value, old, status):
            if entry.force or lane < old.lane:
                changes.passed.append((min(old.lane, lane), int(entry.force), old.id))
            continue
        row_id += 1
        if status != "held" and (counted or (before is not None and before != value)):
            changes.uncounted.append((target, key))  # approved, or another value than the one that was counted
        if old is None and status == "pending":
            changes.plain.append((row_id, target, key, code, value, lane, row_id, source, version, now))
            continue
        changes.others.append(_other_row(entry, old, row_id, status=status, counted=counted, now=now))
        if old:
            changes.folded.append((now, old.id))
    return len(entries) - (row_id - first)


def _waits_already(value: str, old: _Open, status: str) -> bool:
    """Tell whether this very value waits to be sent. A row that the guard let go is not held a second time."""
    same = old.value == value and not old.sent and status != "dead"
    return same and (old.status == "pending" or status == "held")


def _other_row(
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
        "SELECT d.key, d.id, d.value, d.status, d.lane, d.place, d.folded, d.attempts, d.sent_at IS NOT NULL,"
        " d.approved FROM json_each(?) CROSS JOIN delivery AS d ON d.target = ? AND d.key = json_each.value"
        f" AND d.status IN {OPEN}",
        (keys, target),
    )
    return {row[0]: _Open._make(row[1:]) for row in rows}


def has_dead(db: Connection, target: str) -> bool:
    """Tell whether a target has any unanswered dead letter: most have none, which spares a look at every key."""
    sql = "SELECT 1 FROM delivery WHERE target = ? AND status = 'dead' LIMIT 1"
    return db.execute(sql, (target,)).fetchone() is not None


def _dead_among(db: Connection, target: str, keys: str) -> set[str]:
    rows = db.execute(
        "SELECT d.key FROM json_each(?) CROSS JOIN delivery AS d"
        " ON d.target = ? AND d.key = json_each.value AND d.status = 'dead'",
        (keys, target),
    )
    return {row[0] for row in rows}


def _last_id(db: Connection) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'").fetchone()
    return int(row[0]) if row else 0


def _write(db: Connection, target: str, changes: _Changes, *, any_dead: bool) -> None:
    db.executemany("UPDATE delivery SET status = 'superseded', settled_at = ? WHERE id = ?", changes.folded)
    db.executemany("UPDATE delivery SET lane = ?, due = CASE WHEN ? THEN 0 ELSE due END WHERE id = ?", changes.passed)
    if any_dead:  # a dead letter is answered by the next value of its key
        db.execute(
            "UPDATE delivery SET status = 'superseded' WHERE target = ? AND status = 'dead'"
            " AND key IN (SELECT value FROM json_each(?))",
            (target, json.dumps([row[2] for row in (*changes.plain, *changes.others)])),
        )
    _insert_plain(db, changes.plain)
    db.executemany(
        "INSERT INTO delivery (id, target, key, code, value, status, lane, place, source, version, created_at,"
        " attempts, folded, guarded, approved, reason, hint, settled_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        changes.others,
    )
    if changes.uncounted and db.execute("SELECT 1 FROM guarded WHERE target = ? LIMIT 1", (target,)).fetchone():
        db.executemany("DELETE FROM guarded WHERE target = ? AND key = ?", changes.uncounted)


def _insert_plain(db: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows several to a statement, by a fifth faster than one by one.

    ``OR FAIL``, because a statement of several rows otherwise first copies every page that it changes, to be able to
    take back its own part alone; here a failure takes back the whole transaction anyway.
    """
    for size in (_TOGETHER, 1):
        whole = len(rows) - len(rows) % size
        db.executemany(
            _INSERT + ", ".join([_PLAIN] * size),
            (list(chain.from_iterable(rows[at : at + size])) for at in range(0, whole, size)),
        )
        rows = rows[whole:]


def take(db: Connection, target: str, *, limit: int, now: float, far: float) -> list[Row]:
    """Take the next batch and mark its rows as sent; call it in the commit that settles the batch before.

    Live rows go before bulk ones, each lane in the order of its places. Passed over are rows whose key rests, rows that
    wait for another thing, and rows that are not due (a due time further away than ``far`` seconds is a clock that
    jumped, and counts as due). Rows that failed before go with their like, in batches halved once per attempt, at last
    alone: the bisection.
    """
    rows = [
        Row._make(row)
        for row in db.execute(
            "SELECT id, target, key, code, value, lane, attempts, source, version, created_at FROM delivery AS d"
            " WHERE target = ? AND status = 'pending' AND waits IS NULL AND sent_at IS NULL AND (due <= ? OR due > ?)"
            " AND NOT EXISTS (SELECT 1 FROM rest WHERE target = d.target AND key = d.key AND phase = 'rest')"
            " ORDER BY lane, place LIMIT ?",
            (target, now, now + far, limit),
        )
    ]
    if rows:
        first = rows[0].attempts
        size = 1 if first >= SINGLY else max(1, limit >> first)
        rows = [row for row in rows if row.attempts == first][:size]
        ids = json.dumps([row.id for row in rows])
        db.execute("UPDATE OR FAIL delivery SET sent_at = ? WHERE id IN (SELECT value FROM json_each(?))", (now, ids))
    return rows


def in_flight(db: Connection, target: str) -> list[Row]:
    """List rows that left and whose answer nobody waits for: what a process that died has left behind."""
    return [
        Row._make(row)
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


def open_values(db: Connection, target: str, keys: Sequence[str]) -> dict[str, str]:
    """Read the values (JSON text) of the open deliveries of these keys."""
    return {key: row.value for key, row in _open_rows(db, target, json.dumps(list(keys))).items()}


def next_due(db: Connection, target: str, now: float) -> float | None:
    """Tell when the next failed row is to be tried again; None when none waits."""
    row = db.execute(
        "SELECT min(due) FROM delivery WHERE target = ? AND status = 'pending' AND due > 0 AND due > ?", (target, now)
    ).fetchone()
    return None if row[0] is None else float(row[0])


def open_keys(db: Connection, target: str) -> set[str]:
    """List the keys that have something open: their value is on its way, or held."""
    return {row[0] for row in db.execute(f"SELECT key FROM delivery WHERE target = ? AND status IN {OPEN}", (target,))}
