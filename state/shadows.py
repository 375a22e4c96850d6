"""What the shop last confirmed, and the links to its things."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence


def shadow_of(db: sqlite3.Connection, target: str, key: str) -> str | None:
    """Read the value (JSON text) that the shop last confirmed for a key; None when it is not known."""
    row = db.execute("SELECT value FROM shadow WHERE target = ? AND key = ?", (target, key)).fetchone()
    return None if row is None else str(row[0])


def shadows_of(db: sqlite3.Connection, target: str, keys: Sequence[str]) -> dict[str, str]:
    """Read the confirmed values (JSON text) of these keys; unknown ones are missing."""
    return among(db, target, json.dumps(list(keys)))


def among(db: sqlite3.Connection, target: str, keys: str) -> dict[str, str]:
    """Do what `shadows_of` does, with the keys as one JSON list."""
    return dict(
        db.execute(
            "SELECT s.key, s.value FROM json_each(?) CROSS JOIN shadow AS s"
            " ON s.target = ? AND s.key = json_each.value",
            (keys, target),
        )
    )


def remember(db: sqlite3.Connection, target: str, values: Sequence[tuple[str, str]], *, now: float) -> None:
    """Note what the shop holds, as (key, JSON text), because it was just read."""
    db.executemany(
        "INSERT INTO shadow (target, key, value, confirmed_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value, confirmed_at = excluded.confirmed_at",
        [(target, key, value, now) for key, value in values],
    )


def total(db: sqlite3.Connection, target: str) -> int:
    """Count the keys whose value in the shop is known."""
    return int(db.execute("SELECT count(*) FROM shadow WHERE target = ?", (target,)).fetchone()[0])


def links_of(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> dict[str, str]:
    """Read the links of these keys; keys without one are missing."""
    return dict(
        db.execute(
            "SELECT l.key, l.link FROM json_each(?) CROSS JOIN link AS l"
            " ON l.thing = ? AND l.key = json_each.value AND l.link IS NOT NULL",
            (json.dumps(list(keys)), thing),
        )
    )


def link(db: sqlite3.Connection, thing: str, links: Sequence[tuple[str, str]]) -> list[str]:
    """Store links as (key, link); returns the keys whose link changed, whose shadows are forgotten in all targets."""
    old = links_of(db, thing, [key for key, _ in links])
    db.executemany(
        "INSERT INTO link (thing, key, link) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET link = excluded.link",
        [(thing, key, value) for key, value in links if old.get(key) != value],
    )
    changed = [key for key, value in links if key in old and old[key] != value]
    _forget_everywhere(db, changed)
    return changed


def unlink(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> None:
    """Forget links that lead nowhere, and with them what the shop was believed to hold, in all targets."""
    db.executemany("DELETE FROM link WHERE thing = ? AND key = ?", [(thing, key) for key in keys])
    _forget_everywhere(db, keys)


def _forget_everywhere(db: sqlite3.Connection, keys: Sequence[str]) -> None:
    # only quantities, prices and products share the things of one kind today; a shadow lost in excess costs one send
    db.executemany("DELETE FROM shadow WHERE key = ?", [(key,) for key in keys])
