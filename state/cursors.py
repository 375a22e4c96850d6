"""Where each source stands and what its rows looked like; committed together with the events that follow from them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import TypeAlias

SeenTuple: TypeAlias = tuple[int, str, bytes, bool]
"""(row id, key, fingerprint, offered), in the order of the table."""


def cursor_of(db: sqlite3.Connection, source: str) -> str | None:
    """Read a source's cursor (JSON text); None before its first commit."""
    row = db.execute("SELECT cursor FROM source WHERE name = ?", (source,)).fetchone()
    return None if row is None else row[0]


def move(db: sqlite3.Connection, source: str, cursor: str, *, scanned: int, complete: bool, now: float) -> None:
    """Note where a source stands now, how many rows it looked at, and whether that ended a pass."""
    db.execute(
        "INSERT INTO source (name, cursor, read_at, scanned, complete) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET cursor = excluded.cursor, read_at = excluded.read_at,"
        " scanned = excluded.scanned, complete = excluded.complete",
        (source, cursor, now, scanned, int(complete)),
    )


def pass_under_way(db: sqlite3.Connection) -> bool:
    """Tell whether some source is in the middle of a pass: what it has brought so far is not to be judged yet."""
    return db.execute("SELECT 1 FROM source WHERE complete = 0 LIMIT 1").fetchone() is not None


OF_THEIR_OWN = ("categories", "order_states")
"""Sources whose keys are no codes of cards, though a number of theirs may happen to be one."""


def offered(db: sqlite3.Connection, keys: Sequence[str], source: str = "") -> set[str]:
    """Tell which of these keys some source of cards, or the one that is named, had on offer when it last saw them."""
    others = ", ".join(f"'{name}'" for name in OF_THEIR_OWN)
    rows = db.execute(
        "SELECT s.key FROM json_each(?) CROSS JOIN source CROSS JOIN seen AS s INDEXED BY seen_key"
        " ON s.source = source.name AND s.key = json_each.value AND s.offered = 1"
        f" WHERE CASE ? WHEN '' THEN source.name NOT IN ({others}) ELSE source.name = ? END",
        (json.dumps(list(keys)), source, source),
    )
    return {row[0] for row in rows}


def remember(db: sqlite3.Connection, source: str, seen: Iterable[SeenTuple], gone: Iterable[int]) -> None:
    """Store what rows looked like at the second read, and forget rows that are no longer there."""
    db.executemany(
        "INSERT INTO seen (source, row, key, fingerprint, offered) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET key = excluded.key, fingerprint = excluded.fingerprint, offered = excluded.offered",
        [(source, *row) for row in seen],
    )
    db.executemany("DELETE FROM seen WHERE source = ? AND row = ?", [(source, row) for row in gone])


def forget(db: sqlite3.Connection, source: str) -> None:
    """Forget how all rows of a source looked, for another one is behind its name; not which keys were on offer.

    Their ids are turned below zero, where the other one, which may give the same ids to other rows, has none.
    """
    db.execute("UPDATE OR REPLACE seen SET fingerprint = x'', row = -row WHERE source = ? AND row > 0", (source,))


def seen_after(db: sqlite3.Connection, source: str, row: int, limit: int) -> list[SeenTuple]:
    """Read stored rows above a row id, in the order of the ids."""
    return db.execute(
        "SELECT row, key, fingerprint, offered FROM seen WHERE source = ? AND row > ? ORDER BY row LIMIT ?",
        (source, row, limit),
    ).fetchall()


def seen_fingerprints(db: sqlite3.Connection, source: str, row: int, limit: int) -> dict[int, bytes]:
    """Read row id -> fingerprint above a row id, in the order of the ids: all that an unchanged chunk is told by."""
    return dict(
        db.execute(
            "SELECT row, fingerprint FROM seen WHERE source = ? AND row > ? ORDER BY row LIMIT ?", (source, row, limit)
        )
    )


def seen_rows(db: sqlite3.Connection, source: str, rows: Sequence[int]) -> list[SeenTuple]:
    """Read the stored rows with these ids."""
    return db.execute(
        "SELECT s.row, s.key, s.fingerprint, s.offered FROM json_each(?) CROSS JOIN seen AS s"
        " ON s.source = ? AND s.row = json_each.value",
        (json.dumps(list(dict.fromkeys(rows))), source),
    ).fetchall()


def seen_keys(db: sqlite3.Connection, source: str, keys: Sequence[str]) -> list[SeenTuple]:
    """Read all stored rows of these keys.

    The index is named because the planner takes a source for something rarer than a key, and reads all its rows.
    """
    return db.execute(
        "SELECT s.row, s.key, s.fingerprint, s.offered FROM json_each(?) CROSS JOIN seen AS s INDEXED BY seen_key"
        " ON s.source = ? AND s.key = json_each.value",
        (json.dumps(list(dict.fromkeys(keys))), source),
    ).fetchall()


def keys_after(db: sqlite3.Connection, source: str, key: str, limit: int) -> list[str]:
    """List the known keys of a source in their order, a page at a time."""
    return [
        row[0]
        for row in db.execute(
            "SELECT DISTINCT key FROM seen WHERE source = ? AND key > ? ORDER BY key LIMIT ?", (source, key, limit)
        )
    ]


def ask_reread(db: sqlite3.Connection, target: str, keys: Sequence[tuple[str, str]], *, lane: int) -> None:
    """Ask ingest to read these (key, code) again and to send them even if nothing seems to have changed."""
    db.executemany(
        "INSERT INTO reread (target, key, code, lane) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET lane = min(lane, excluded.lane)",
        [(target, key, code, lane) for key, code in keys],
    )


def rereads(db: sqlite3.Connection, target: str, limit: int) -> list[tuple[str, str, int]]:
    """List keys to be read again as (key, code, lane)."""
    return db.execute(
        "SELECT key, code, lane FROM reread WHERE target = ? ORDER BY lane, key LIMIT ?", (target, limit)
    ).fetchall()


def reread_done(db: sqlite3.Connection, target: str, keys: Iterable[str]) -> None:
    """The keys were read again, in the commit that this belongs to."""
    db.executemany("DELETE FROM reread WHERE target = ? AND key = ?", [(target, key) for key in keys])


def ask_recompute(db: sqlite3.Connection, target: str) -> None:
    """Ask ingest to compute all keys of a target again, from the start."""
    db.execute("INSERT OR REPLACE INTO recompute (target, after) VALUES (?, '')", (target,))


def recompute_after(db: sqlite3.Connection, target: str) -> str | None:
    """Tell after which key the recomputation goes on; None when there is none."""
    row = db.execute("SELECT after FROM recompute WHERE target = ?", (target,)).fetchone()
    return None if row is None else str(row[0])


def recompute_moved(db: sqlite3.Connection, target: str, after: str | None) -> None:
    """Note how far the recomputation has come; None ends it."""
    if after is None:
        db.execute("DELETE FROM recompute WHERE target = ?", (target,))
    else:
        db.execute("UPDATE recompute SET after = ? WHERE target = ?", (after, target))
