"""What the shop last confirmed, and the links to its things."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from state import cursors, waiting

NEW = "new"
"""The intent that a link keeps after a creation of ours, however its link was learnt: the thing has no price yet."""
_OWN = ("images",)
"""Things of one target alone; each hangs on the product of the same key, and its link leads nowhere without it."""
OF = {
    "images": "images",
    "category": "categories",
    "term": "parameters.terms",
    "firm": "suppliers.firms",
    "order": "order_states",
}
"""Things that are no products, and the one target that each belongs to."""
_NAMED_BY = {
    "category": ("categories", "categories.products"),
    "term": ("parameters.terms", "parameters"),
    "firm": ("suppliers",),
}
"""Targets whose values name such things: where one of these is another one now, all their values are sent anew."""
STALE = "#stale"
"""A mark in a value that was confirmed: it names things that are others now, so it is sent again though it is equal.
Who guards against mass changes still sees by it what there was."""
VALUE_OF = " = "
"""What stands in the key of a parameter's value between the parameter's key and the value's."""


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
    """Count the keys whose value in the shop is known, but for those that are gone (hidden categories)."""
    sql = "SELECT count(*) FROM shadow WHERE target = ? AND value NOT LIKE '{\"gone\":%'"
    return int(db.execute(sql, (target,)).fetchone()[0])


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
    """Store links as (key, link), and wake what waited for them.

    Returns the keys whose link changed: what the shop was believed to hold of them is forgotten. What stands behind a
    # is the adapter's memory of a thing, and not which thing it is.
    """
    old = links_of(db, thing, [key for key, _ in links])
    fresh = [(key, value) for key, value in links if old.get(key) != value]
    db.executemany(
        "INSERT INTO link (thing, key, link) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET link = excluded.link,"
        f" intent = CASE WHEN link.link IS NULL THEN '{NEW}' ELSE link.intent END",
        [(thing, key, value) for key, value in fresh],
    )
    waiting.wake(db, thing, [key for key, _ in fresh])
    changed = [key for key, value in fresh if key in old and _thing(old[key]) != _thing(value)]
    _forget(db, thing, changed)
    return changed


def _thing(link: str) -> str:
    return link.partition("#")[0]


def unlink(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> None:
    """Forget links that lead nowhere, and with them what the shop was believed to hold there."""
    db.executemany("DELETE FROM link WHERE thing = ? AND key = ?", [(thing, key) for key in keys])
    _forget(db, thing, keys)


def intend(db: sqlite3.Connection, thing: str, keys: Sequence[str], intent: str) -> None:
    """Note, before a creation leaves, that these keys may come to exist in the shop without our knowing their links."""
    db.executemany(
        "INSERT INTO link (thing, key, intent) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET intent = excluded.intent",
        [(thing, key, intent) for key in keys],
    )


def tried(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> dict[str, str]:
    """Read what was begun (JSON text) on things that have a link, and of which nobody knows how far it came."""
    return dict(
        db.execute(
            "SELECT l.key, l.intent FROM json_each(?) CROSS JOIN link AS l"
            " ON l.thing = ? AND l.key = json_each.value AND l.link IS NOT NULL AND json_valid(l.intent)",
            (json.dumps(list(keys)), thing),
        )
    )


def begun(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> dict[str, str]:
    """Read what was to be created (JSON text) under these keys, where nobody knows yet whether it was."""
    return dict(
        db.execute(
            "SELECT l.key, l.intent FROM json_each(?) CROSS JOIN link AS l"
            " ON l.thing = ? AND l.key = json_each.value AND l.link IS NULL AND json_valid(l.intent)",
            (json.dumps(list(keys)), thing),
        )
    )


def brought_about(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> None:
    """What was begun on these things is done, and their links say how."""
    db.executemany("UPDATE link SET intent = NULL WHERE thing = ? AND key = ?", [(thing, key) for key in keys])


def no_longer_new(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> None:
    """Note that these things have their first price."""
    if db.execute("SELECT 1 FROM link WHERE intent = ? LIMIT 1", (NEW,)).fetchone():
        db.executemany(
            "UPDATE link SET intent = NULL WHERE thing = ? AND key = ? AND intent = ?",
            [(thing, key, NEW) for key in keys],
        )


def still_new(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> set[str]:
    """Tell which of these things we created and have not given a price yet."""
    rows = db.execute(
        "SELECT l.key FROM json_each(?) CROSS JOIN link AS l"
        " ON l.thing = ? AND l.key = json_each.value AND l.intent = ?",
        (json.dumps(list(keys)), thing, NEW),
    )
    return {row[0] for row in rows}


def forget_intents(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> None:
    """The creation certainly had no effect."""
    db.executemany("DELETE FROM link WHERE thing = ? AND key = ? AND link IS NULL", [(thing, key) for key in keys])


def drop(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> None:
    """Forget things that were deleted as we wanted; nothing names them any more."""
    db.executemany("DELETE FROM link WHERE thing = ? AND key = ?", [(thing, key) for key in keys])
    db.executemany("DELETE FROM shadow WHERE target = ? AND key = ?", [(OF[thing], key) for key in keys])


def all_links(db: sqlite3.Connection, thing: str) -> dict[str, str]:
    """Read all links of a thing."""
    return dict(db.execute("SELECT key, link FROM link WHERE thing = ? AND link IS NOT NULL", (thing,)))


def whole_links(db: sqlite3.Connection, thing: str) -> dict[str, str]:
    """Read all links of a thing, but for the values of parameters, of which there may be very many."""
    if thing != "term":
        return all_links(db, thing)
    sql = "SELECT key, link FROM link WHERE thing = ? AND link IS NOT NULL AND instr(key, ?) = 0"
    return dict(db.execute(sql, (thing, VALUE_OF)))


def _forget(db: sqlite3.Connection, thing: str, keys: Sequence[str]) -> None:
    """Forget what the shop was believed to hold in things that are others now, or are not known any more.

    Of a product: the shadows of all its targets, and the links of what hangs on it. Of a thing that others name: all
    that names it is computed and sent again (`STALE`), for nobody keeps a list of who does, and it is rare.
    """
    if not keys:
        return
    if thing in OF:
        db.executemany("DELETE FROM shadow WHERE target = ? AND key = ?", [(OF[thing], key) for key in keys])
        for target in _NAMED_BY.get(thing, ()):
            db.execute("UPDATE shadow SET value = json_set(value, ?, 1) WHERE target = ?", (f'$."{STALE}"', target))
            cursors.ask_recompute(db, target)
        return
    for own in _OWN:
        db.executemany("DELETE FROM link WHERE thing = ? AND key = ?", [(own, key) for key in keys])
    others = ", ".join(f"'{name}'" for thing_, name in OF.items() if thing_ not in _OWN)
    db.executemany(f"DELETE FROM shadow WHERE key = ? AND target NOT IN ({others})", [(key,) for key in keys])
