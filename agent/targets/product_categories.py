"""The target ``categories.products``: in which categories a card is, as one set.

A code may lie in several stores, and the card that speaks for it decides alone: a union would keep a product in a
category that was taken off the one card for as long as the other has it. No category, ``[]``, is a value: the last one
was taken away. Of a card that is not on offer nothing is said. The main category only XML tells; where it is not told
the adapter chooses. What is in the shop beside the categories of ours is the shop owner's, and stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.events import Value
from agent.targets import GuardCount
from agent.targets.cards import speaking

_BATCH = 50
GUARD_FROM = 10
GUARD_SHARE = 0.20


@dataclass(frozen=True, slots=True)
class ProductCategorySettings:
    """``[targets.categories]``: what the shop's owner decided about the cards."""

    stores: tuple[str, ...] = ()
    """Codes of the chosen stores, in order; none: all."""
    card_types: tuple[int, ...] = (1,)
    """``SKz.RelSkTyp`` that count; the view reads it, here it names the settings."""


@dataclass(frozen=True, slots=True)
class ProductCategories:
    """The target. Rows are `agent.sources.rows_catalogue.CardCategoriesRow`."""

    settings: ProductCategorySettings
    name: str = "categories.products"
    thing: str = "product"
    creates: bool = False
    creator: str = "products"
    names: str = "category"
    namer: str = "categories"

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """Name the categories by their keys; None when not on offer."""
        ticked = sorted((row for row in rows if row.internet), key=lambda row: row.id)
        if not ticked:
            return None
        row = speaking(ticked, self.settings.stores, "")
        categories: list[Value] = [*sorted({str(category) for category in row.categories})]
        main = None if row.main is None else str(row.main)
        return {"categories": categories, "main": main if main in categories else None}

    def absent(self) -> Value:
        """None: a card that is not on offer any more stays where it is."""
        return None

    def needs(self, value: Value) -> Sequence[str]:
        """All its categories must be in the shop before."""
        return _categories(value)

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop's product is in these categories, and in this main one where that was said."""
        if not (isinstance(sent, dict) and isinstance(confirmed, dict)):
            return sent == confirmed
        if set(_categories(sent)) != set(_categories(confirmed)) or "categories" not in confirmed:
            return False
        return sent.get("main") is None or sent.get("main") == confirmed.get("main")

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """How many go in one call."""
        return _BATCH

    def nothing(self, value: Value) -> bool:
        """Tell whether a card is in no category."""
        return isinstance(value, dict) and not _categories(value)

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts cards that lose all of their categories.

        Where nobody knows what the shop holds none is counted: a new card without categories loses nothing.
        """
        return isinstance(new, dict) and not _categories(new) and old is not None and bool(_categories(old))

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than a fifth of all cards, would lose all of their categories."""
        if count.counted < GUARD_FROM or count.counted <= GUARD_SHARE * count.total:
            return ""
        return f"{count.counted} of {count.total} products would lose all categories, more than {GUARD_SHARE:.0%}"

    def fingerprint(self) -> str:
        """A digest of what forms the values."""
        stores = tuple(store.strip().casefold() for store in self.settings.stores)
        formed = (stores, sorted(self.settings.card_types))
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()


def _categories(value: Value) -> list[str]:
    there = value.get("categories") if isinstance(value, dict) else None
    return [str(category) for category in there] if isinstance(there, list) else []
