"""What a value names must be in the shop before it: a product's categories, a category's parent, a parameter's values.

Deliveries wait only for what an enabled target still owes (design, rule 9); whatever becomes of that wakes them, and
its death kills them with the reason. Beyond that the categories have an order among themselves, for a shop's tree must
be sound after every call: one waits while its parent still has something to be sent, and the removal of one waits for
the removals and moves of those that the shop holds below it. A source without a cycle cannot bring about a deadlock by
that, and a category in a cycle is a dead letter before it gets here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from agent.answers import Waits
from agent.events import Value
from agent.targets import Naming, Target
from state import outbox, shadows, waiting
from state.db import Connection

ARRIVAL = 20.0
"""Seconds for which something that neither the shop nor its creator knows may be too new: twice the poll."""
_WORDS = {"category": "category", "term": "parameter", "firm": "firm"}


def links_for(db: Connection, target: Target, values: Sequence[Value]) -> Mapping[str, str]:
    """Read the links of ours that these values may name; see `agent.events.Owed`. Empty for a target that names none.

    All categories, parameters and firms, and of the values of parameters those that are named.
    """
    if not isinstance(target, Naming):
        return {}
    whole = shadows.whole_links(db, target.names)
    more = {key for value in values for key in target.needs(value)} - whole.keys()
    return {**whole, **shadows.links_of(db, target.names, sorted(more))} if more else whole


def must_wait(
    db: Connection, target: Target, batch: Sequence[outbox.Row], links: Mapping[str, str], now: float
) -> dict[int, Waits]:
    """Say which rows of a batch have to wait and for what, or are not to be expected: row id → why."""
    if not isinstance(target, Naming):
        return {}
    values = {row.id: orjson.loads(row.value) for row in batch}
    needs = {row.id: [key for key in target.needs(values[row.id]) if key not in links] for row in batch}
    missing = sorted({key for keys in needs.values() for key in keys})
    owed = waiting.creations(db, target.namer, missing, target.names) if missing else {}
    found = {row.id: _missing(target, row, needs[row.id], owed, now=now) for row in batch if needs[row.id]}
    if target.namer == target.name == "categories":
        found |= _in_order(db, target, [row for row in batch if row.id not in found], values)
    return found


def _missing(target: Naming, row: outbox.Row, keys: Sequence[str], owed: Mapping[str, str], *, now: float) -> Waits:
    """Of several things the last one to be created is waited for: the others are there by then."""
    dead = [key for key in keys if owed.get(key)]
    if dead:
        return Waits(owed[dead[0]], thing=target.names, key=dead[0])
    order = list(owed)
    made = [key for key in keys if key in owed]
    if made:
        return Waits(thing=target.names, key=max(made, key=order.index))
    until = row.created_at + ARRIVAL
    if now < until <= now + ARRIVAL:
        return Waits(thing=target.names, key=keys[0], until=until)
    what = _WORDS.get(target.names, target.names)
    return Waits(
        f"the {what} {keys[0]!r} is not in the shop, and nobody creates it",
        hint="Look whether POHODA still has it and what became of it (pohoda-agent outbox list);"
        " this one goes by itself as soon as it is there.",
        thing=target.names,
        key=keys[0],
    )


def _in_order(
    db: Connection, target: Target, batch: Sequence[outbox.Row], values: Mapping[int, Value]
) -> dict[int, Waits]:
    """Parents before children, and before a removal those that hang on it.

    Two reads of POHODA may have seen each a half of a change, so that for a moment two wait for each other: then one of
    them goes, and the shop decides.
    """
    found: dict[int, Waits] = {}
    planned: dict[str, str] = {}
    for row in batch:
        value = values[row.id]
        assert isinstance(value, dict)
        above = value.get("parent")
        before = [above] if isinstance(above, str) else [] if "gone" not in value else _below(db, target.name, row.key)
        still_open = outbox.open_values(db, target.name, before)
        first = next((key for key in before if key in still_open and key != row.key), None)
        if first is not None and not _waits_for(db, target.name, first, row.key, planned):
            planned[row.key] = first
            found[row.id] = Waits(thing=target.name, key=first)
    return found


def _waits_for(db: Connection, target: str, key: str, goal: str, planned: Mapping[str, str]) -> bool:
    """Tell whether a row waits, perhaps over others, for the goal."""
    met: set[str] = set()
    while key not in met:
        met.add(key)
        following = planned.get(key) or waiting.awaited(db, target, key)
        if following is None:
            return False
        if following == goal:
            return True
        key = following
    return False


def _below(db: Connection, target: str, key: str) -> list[str]:
    """The categories that the shop holds below one, as far as it confirmed them."""
    sql = "SELECT key FROM shadow WHERE target = ? AND json_extract(value, '$.parent') = ?"
    return [row[0] for row in db.execute(sql, (target, key))]
