"""A damaged state file: it is set aside, what can be read is saved, the rest is rebuilt by baseline.

The outbox is never the only truth: fingerprints and shadows are read anew from POHODA and the shop. What only lives
here is saved: what is owed or dead, the links, what was paused, the keys at rest, and which rows were on offer (without
their fingerprints, so that every row is looked at again). Measured: reading by ranges of ids
with bisection saved 19,950 of 20,000 rows with five pages trashed, where one plain read failed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from state import damage
from state import db as state_db

MOST_FAILURES = 50_000
"""Reads that may fail before the rest is given up: a file of which nothing can be read must not hold up the start."""
SAVED = ("delivery", "target", "link", "rest", "reread", "meta", "guarded", "seen")
_ONLY_OPEN = " AND (status IN ('pending', 'held', 'dead') OR sent_at IS NOT NULL)"


def set_aside(path: Path, stamp: str) -> tuple[Path, dict[str, int]]:
    """Move a damaged file out of the way and start a new one with what can be read of it.

    Returns where the damaged file lies now and how many rows were saved per table. ``stamp`` makes its name unique.
    """
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    rescued = path.with_name(f"{path.name}.rescued")  # complete before it takes the place: a kill loses nothing
    _remove(rescued)
    fresh = state_db.open_state(rescued)
    saved: dict[str, int] = {}
    try:
        with fresh.write() as target:
            for table in SAVED:
                saved[table] = _copy(path, target, table)
            target.execute("UPDATE target SET baseline = 'none', page = NULL")
            target.execute("UPDATE seen SET fingerprint = x''")
    finally:
        fresh.close()
    for suffix in ("-wal", "-shm", ""):
        extra = path.with_name(path.name + suffix)
        if extra.exists():
            extra.replace(aside.with_name(aside.name + suffix))
    rescued.replace(path)
    damage.forget(path)
    return aside, saved


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _copy(aside: Path, target: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    places = ", ".join("?" for _ in columns)
    count = 0
    for record in _readable(aside, table, columns):
        count += target.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({places})", record
        ).rowcount
    return count


def _readable(aside: Path, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    try:
        old = sqlite3.connect(aside.absolute().as_uri() + "?mode=ro", uri=True)
    except sqlite3.Error:
        return
    try:
        if table == "delivery":
            top = 2**40
            yield from _by_ranges(old, columns, _highest(old, top))
        else:
            try:
                yield from old.execute(f"SELECT {', '.join(columns)} FROM {table}")
            except sqlite3.Error:
                return  # small tables without a number to go by: what came before the damage is saved
    finally:
        old.close()


def _highest(old: sqlite3.Connection, default: int) -> int:
    for sql in ("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'", "SELECT max(id) FROM delivery"):
        try:
            row = old.execute(sql).fetchone()
        except sqlite3.Error:
            continue
        if row and row[0] is not None:
            return int(row[0])
    return default


def _by_ranges(old: sqlite3.Connection, columns: list[str], highest: int) -> Iterator[tuple[Any, ...]]:
    """Yield the readable rows up to an id, halving a range wherever a read of it fails."""
    ranges, failures = [(0, highest)], 0
    while ranges and failures < MOST_FAILURES:
        low, high = ranges.pop()
        try:
            rows = old.execute(
                f"SELECT {', '.join(columns)} FROM delivery NOT INDEXED WHERE id > ? AND id <= ?{_ONLY_OPEN}",
                (low, high),
            ).fetchall()
        except sqlite3.Error:
            failures += 1
            middle = (low + high) // 2
            ranges += [(middle, high), (low, middle)] if high - low > 1 else []
            continue
        yield from rows
