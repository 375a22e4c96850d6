"""Deliveries that wait for a thing of the shop which another target still owes: a quantity for its product.

A row waits only while the creation is owed; whatever becomes of that (made, dead, given up) wakes all who wait, and
dispatch judges them anew: they go, die with the reason, or wait again. Dead ones keep what they waited for, so that a
creation that is revived revives them. Nobody looks at waiting rows meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence


def wait(db: sqlite3.Connection, rows: Sequence[tuple[int, str, float]], thing: str) -> None:
    """Let rows, as (id, key, until), wait for the thing with this key; they were not sent. ``until`` 0: no limit."""
    db.executemany("UPDATE delivery SET sent_at = NULL WHERE id = ?", [(row_id,) for row_id, _, _ in rows])
    db.executemany(
        "UPDATE delivery SET waits = ?, due = ? WHERE id = ? AND status = 'pending'",
        [(_name(thing, key), until, row_id) for row_id, key, until in rows],
    )


def rouse(db: sqlite3.Connection, target: str, now: float) -> int:
    """Wake what has waited for as long as it was to; returns how many."""
    return db.execute(
        "UPDATE delivery SET waits = NULL, due = 0"
        " WHERE target = ? AND status = 'pending' AND due > 0 AND due <= ? AND waits IS NOT NULL",
        (target, now),
    ).rowcount


def died_waiting(db: sqlite3.Connection, rows: Sequence[tuple[int, str]], thing: str) -> None:
    """Note what dead rows had waited for, as (id, key of the thing)."""
    db.executemany(
        "UPDATE delivery SET waits = ? WHERE id = ? AND status = 'dead'",
        [(_name(thing, key), row_id) for row_id, key in rows],
    )


def revive(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> int:
    """Wake what died waiting for these keys of a thing, for they are owed anew; the others wait on. Tells how many."""
    if db.execute("SELECT 1 FROM delivery WHERE waits IS NOT NULL AND status = 'dead' LIMIT 1").fetchone() is None:
        return 0
    return wake(db, thing, keys, statuses="('dead')")


def wake(db: sqlite3.Connection, thing: str, keys: Sequence[str], *, statuses: str = "('pending', 'dead')") -> int:
    """Wake what waits for these keys of a thing, and revive what died waiting; returns how many."""
    if not keys or db.execute("SELECT 1 FROM delivery WHERE waits IS NOT NULL LIMIT 1").fetchone() is None:
        return 0
    names = json.dumps([_name(thing, key) for key in keys])
    return db.execute(
        "UPDATE delivery SET waits = NULL, due = 0, status = 'pending', settled_at = NULL,"
        " reason = CASE status WHEN 'dead' THEN NULL ELSE reason END,"
        " hint = CASE status WHEN 'dead' THEN NULL ELSE hint END"
        f" WHERE waits IN (SELECT value FROM json_each(?)) AND status IN {statuses}",
        (names,),
    ).rowcount


def wake_all(db: sqlite3.Connection, target: str) -> int:
    """Wake all waiting rows of a target: at a start, for the settings may have changed what is owed."""
    return db.execute(
        "UPDATE delivery SET waits = NULL, due = 0 WHERE target = ? AND status = 'pending' AND waits IS NOT NULL",
        (target,),
    ).rowcount


def retry_removals(db: sqlite3.Connection, target: str) -> int:
    """Revive removals that died: what hung on them may have been moved or removed since. Returns how many."""
    return db.execute(
        "UPDATE delivery SET waits = NULL, due = 0, status = 'pending', settled_at = NULL, reason = NULL, hint = NULL"
        " WHERE target = ? AND status = 'dead' AND value LIKE '{\"gone\":%'",
        (target,),
    ).rowcount


def waiting(db: sqlite3.Connection, target: str) -> int:
    """Count the rows of a target that wait."""
    sql = "SELECT count(*) FROM delivery WHERE target = ? AND status = 'pending' AND waits IS NOT NULL"
    return int(db.execute(sql, (target,)).fetchone()[0])


def awaited(db: sqlite3.Connection, target: str, key: str) -> str | None:
    """Read the key that the open delivery of a key waits for; None when it waits for nothing."""
    sql = "SELECT waits FROM delivery WHERE target = ? AND key = ? AND status IN ('pending', 'held')"
    row = db.execute(sql, (target, key)).fetchone()
    return None if row is None or row[0] is None else str(row[0]).partition("/")[2]


def creations(db: sqlite3.Connection, creator: str, keys: Sequence[str], thing: str = "product") -> dict[str, str]:
    """Tell how the creator of things stands to these keys: key -> '' while it is owed, the reason where it is dead.

    Keys that it owes nothing are missing, and so are those whose thing is in the shop: it owes them only texts. They
    come in the order in which they are owed.
    """
    found = [
        row
        for status in ("= 'dead'", "IN ('pending', 'held')")  # one after another, so that each goes by its index
        for row in db.execute(
            "SELECT d.key, d.status, d.reason FROM json_each(?) CROSS JOIN delivery AS d"
            f" ON d.target = ? AND d.key = json_each.value AND d.status {status}"
            " WHERE NOT EXISTS"
            " (SELECT 1 FROM link AS l WHERE l.thing = ? AND l.key = d.key AND l.link IS NOT NULL)"
            " ORDER BY d.id",
            (json.dumps(list(keys)), creator, thing),
        )
    ]
    return {key: "" if status != "dead" else reason or "dead" for key, status, reason in found}


def _name(thing: str, key: str) -> str:
    return f"{thing}/{key}"
