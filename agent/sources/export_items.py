"""What items of a document become: those that are known by their digests are passed over, the rest is parsed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

from agent.pohoda import categories, orders, parameters, stock, stores, suppliers
from agent.pohoda.bad import BadItem
from agent.pohoda.items import Item
from agent.pohoda.names import Kind

Known: TypeAlias = Callable[[Sequence[bytes]], set[bytes]]
"""Tells which of some digests need not be parsed."""
COUNTED: dict[Kind, str] = {
    "stock": "cards",
    "categories": "categories",
    "parameters": "parameters",
    "suppliers": "suppliers",
    "orders": "orders",
}
"""Lists whose items are counted, and known by their digests, and the word for them. Stores are few: always parsed."""


@dataclass(frozen=True, slots=True)
class Read:
    """One item that is new: its digest, and what it says."""

    kind: Kind
    digest: bytes
    value: Any
    """What the parser of this kind makes; of categories a whole branch, flat: parents before their children."""


def parsed(looked: Sequence[Item], known: Known) -> tuple[list[Read], list[BadItem]]:
    """Parse what is new of some items, in their order."""
    digests = [item.digest for item in looked if item.kind in COUNTED]
    unchanged = known(digests) if digests else set()
    fresh = [item for item in looked if item.kind in _PARSERS and item.digest not in unchanged]
    read: list[Read] = []
    bad: list[BadItem] = []
    for kind, group in groupby(fresh, key=lambda item: item.kind):
        some = list(group)
        for item, value in zip(some, _PARSERS[kind](some), strict=True):
            if isinstance(value, BadItem):
                bad.append(value)
            else:
                read.append(Read(kind, item.digest, value))
    return read, bad


def _branches(items: Sequence[Item]) -> list[tuple[categories.Category, ...] | BadItem]:
    """Of every item the category at the top with all below it, or why it cannot be read."""
    found: list[tuple[categories.Category, ...] | BadItem] = []
    for item in items:
        branch = categories.parse_many([item])
        bad = next((one for one in branch if isinstance(one, BadItem)), None)
        found.append(bad or tuple([one for one in branch if not isinstance(one, BadItem)]))
    return found


_PARSERS: dict[Kind, Callable[[Sequence[Item]], Sequence[Any]]] = {
    "stock": stock.parse_many,
    "stores": stores.parse_many,
    "categories": _branches,
    "parameters": parameters.parse_many,
    "suppliers": suppliers.parse_many,
    "orders": orders.parse_many,
}
"""What is taken in; items of other lists (the structure of stores) are looked over."""
