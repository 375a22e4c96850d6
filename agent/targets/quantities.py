"""The target ``quantities``: how many whole pieces a shop may sell of a card, from all its rows in the chosen stores.

    each store:  StavZ − (nothing | Rezer | ObjedP)
    the card:    the sum of the stores, or the best of them; − safety stock; cut to whole pieces; at least 0

The deduction is per store, before stores are combined, and at least 0: a negative reservation is a fault in the books
and offers nothing that is not in stock. The safety stock is per card. A card is on offer when "Internet" is ticked in
any chosen store, and then all chosen stores count. A physical shop (its stock number still contains its own open
orders) is given the same number: it subtracts its orders itself, perhaps a second time, which is safe.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from agent.errors import Unusable
from agent.events import Value
from agent.targets import GuardCount

_DEDUCTED = {"none": None, "reservations": ("reserved", "Rezer"), "received-orders": ("ordered", "ObjedP")}
_BATCH = {"prestashop": 100, "vendure": 100}
LARGEST = 2**53
"""Beyond it doubles, which POHODA's columns are, do not count single pieces any more; nobody has such a stock."""
GUARD_FROM = 10
"""The guard is silent below this many: 3 of 5 cards sold out is a good day."""


@dataclass(frozen=True, slots=True)
class QuantitySettings:
    """``[targets.quantities]``: what the shop's owner decided. ``deduct`` has no default: the file must say it."""

    stores: tuple[str, ...]
    """Codes of stores (``sSklad.IDS``); none: all."""
    deduct: Literal["none", "reservations", "received-orders"]
    combine: Literal["sum", "max"] = "sum"
    safety_stock: float = 0
    """Pieces per card that the shop never sees."""
    zero_guard: float | None = 0.20
    """Hold what goes to 0 when more than this share of all keys does; None: never."""
    card_types: tuple[int, ...] = (1,)
    """``SKz.RelSkTyp`` that count: 1 is a card, 5 a set."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a quantity is made: the value (None: not on offer) and a line for people."""

    value: int | None
    text: str


class _Part(NamedTuple):
    store: str
    stock: float
    deducted: float

    @property
    def left(self) -> float:
        return self.stock - self.deducted


@dataclass(frozen=True, slots=True)
class Quantities:
    """The target. Rows are any that have ``internet``, ``store``, ``stock``, ``reserved``, ``ordered``."""

    settings: QuantitySettings
    kind: Literal["saleable", "physical"] = "saleable"
    """What the shop's stock number means (``Shop.quantity``)."""
    name: str = "quantities"
    thing: str = "product"
    creates: bool = False
    creator: str = "products"

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """Compute whole pieces; None when not on offer. Raises `Unusable` that names the column (``SKz.StavZ``)."""
        if not any([row.internet for row in rows]):  # noqa: C419 - of one row or two, a list is quicker
            return None
        return _whole(self._total(self._parts(rows)))

    def absent(self) -> Value:
        """A card that is not on offer any more sells nothing."""
        return 0

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop holds the number that was sent."""
        return sent == confirmed

    def batch_size(self, kind: str) -> int:
        """How many go in one call: 100 to PrestaShop (measured: the knee of its curve) and Vendure; else 50."""
        return _BATCH.get(kind, 50)

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts what had pieces, or nobody knows how many (None), and goes to 0."""
        return new == 0 and old != 0

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than ``zero_guard`` of all keys, would go to 0."""
        share = self.settings.zero_guard
        if share is None or count.counted < GUARD_FROM or count.counted <= share * count.total:
            return ""
        return f"{count.counted} of {count.total} quantities would go to 0, more than {share:.0%} (zero_guard)"

    def fingerprint(self) -> str:
        """A digest of what forms the values; the guard does not."""
        mine = self.settings
        stores = sorted(store.strip().casefold() for store in mine.stores)
        formed = (stores, mine.combine, mine.deduct, float(mine.safety_stock), sorted(mine.card_types), self.kind)
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()

    def explain(self, rows: Sequence[Any]) -> Explanation:
        """Say how the value is made: ``10 (HLAVNI) + 5 (PRODEJNA) - 3 reserved - 2 safety = 10``. Raises `Unusable`."""
        if not rows:
            return Explanation(None, "no card with this code in the chosen stores; a shop that sold it is given 0")
        if not any(row.internet for row in rows):
            text = "not on offer: Internet is not ticked in any chosen store; a shop that sold it is given 0"
            return Explanation(None, text)
        parts = self._parts(rows)
        total = self._total(parts)
        text = self._sum_text(parts) if self.settings.combine == "sum" else self._max_text(parts)
        if self.settings.safety_stock:
            text += f" - {_plain(self.settings.safety_stock)} safety"
        text += f" = {_plain(total)}"
        value = _whole(total)
        if round(total, 6) < 0:
            text += ", below zero: 0"
        elif _plain(total) != str(value):
            text += f", whole pieces: {value}"
        if self.kind == "physical":
            text += " (the shop subtracts its own open orders)"
        return Explanation(value, text)

    def _parts(self, rows: Sequence[Any]) -> list[_Part]:
        deducted = _DEDUCTED[self.settings.deduct]
        return [
            _Part(
                row.store,
                _number("SKz.StavZ", row.stock, row.store),
                max(_number(f"SKz.{deducted[1]}", getattr(row, deducted[0]), row.store), 0.0) if deducted else 0.0,
            )
            for row in rows
        ]

    def _total(self, parts: Sequence[_Part]) -> float:
        left = [part.left for part in parts]
        try:
            total = (math.fsum(left) if self.settings.combine == "sum" else max(left)) - self.settings.safety_stock
        except (OverflowError, ValueError):  # fsum refuses what sum would make infinite or NaN
            total = math.nan
        if not abs(total) <= LARGEST:  # NaN, too
            raise Unusable("SKz.StavZ", "the stores add up to no number of pieces", hint=_HINT)
        return total

    def _sum_text(self, parts: Sequence[_Part]) -> str:
        text = " + ".join(f"{_plain(part.stock)} ({part.store})" for part in parts)
        away = math.fsum(part.deducted for part in parts)
        return text + (f" - {_plain(away)} {self._word}" if away else "")

    def _max_text(self, parts: Sequence[_Part]) -> str:
        each = ", ".join(
            _plain(part.stock)
            + (f" - {_plain(part.deducted)} {self._word}" if part.deducted else "")
            + f" ({part.store})"
            for part in parts
        )
        return f"best of [{each}]" if len(parts) > 1 else each

    @property
    def _word(self) -> str:
        deducted = _DEDUCTED[self.settings.deduct]
        return deducted[0] if deducted else ""


_HINT = "Correct the card in POHODA."


def _number(column: str, given: object, store: str) -> float:
    """Make a number of what a driver gave; NULL is 0.

    Raises `Unusable`, which names column and store, for text, truth values, NaN, and what is beyond `LARGEST`.
    """
    where = f"in the store {store}"
    if given is None:
        return 0.0
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        raise Unusable(column, f"{where} not a number but {type(given).__name__}", hint=_HINT)
    try:
        number = float(given)
    except (OverflowError, ValueError):  # an int beyond all doubles, a signalling NaN
        number = math.nan
    if not math.isfinite(number):
        raise Unusable(column, f"{where} not a finite number", hint=_HINT)
    if abs(number) > LARGEST:
        raise Unusable(column, f"{where} {number:g}, which is no number of pieces", hint=_HINT)
    return number


def _whole(total: float) -> int:
    """Cut to whole pieces, at least 0. POHODA's sums carry noise in the 15th place: 2.9999999999 is 3."""
    return max(math.floor(round(total, 6)), 0)


def _plain(number: float) -> str:
    """Write a number for people: 6 places at most, no zeros at its end, no minus before 0."""
    return f"{round(number, 6) + 0.0:.6f}".rstrip("0").rstrip(".")
