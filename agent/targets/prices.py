"""The target ``prices``: what a card costs, in the form that the shop stores.

POHODA keeps the base price both without VAT (ProdejKc) and with it (ProdejDPH), and the price of a level in one of the
two forms (``SkCeny.SDph``). The shop's form is taken as POHODA has it where it has it, and reckoned with the card's
rate of VAT where not. Rounding (``round``) is of the price with VAT, for that is what a customer sees and pays: a shop
that stores net prices is given the net price that makes the rounded one. A card without any price, or with a negative
one, is a dead letter; 0 is a price, and the guard counts it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from agent.errors import Unusable
from agent.events import Value
from agent.targets import GuardCount
from agent.targets.cards import speaking
from agent.targets.texts import canonical_decimal, decimal_of
from agent.targets.vat import VatRates

_HINT = "Correct the price of the card in POHODA."
_BATCH = {"prestashop": 100, "vendure": 100}
_QUANTA = [Decimal(1).scaleb(-places) for places in range(10)]
GUARD_FROM = 10
GUARD_SHARE = 0.20
"""The guard is silent below so many, and below this share of all prices: goods do get cheaper."""


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """``[targets.prices]``: what the shop's owner decided."""

    stores: tuple[str, ...] = ()
    """Codes of the chosen stores, in order; none: all."""
    prices_from: str = ""
    """Code of the store whose card gives the price; empty: the first chosen store that has it ticked."""
    level: str = ""
    """Code of a price level (``SkCeny.IDS``); empty: the base price. The view reads it; here it names the settings."""
    level_prices: Literal["net", "gross"] | None = None
    """What the level's prices are where the source does not say it; the view knows it, here it names the settings."""
    round: Literal["none", "0.01", "0.1", "1"] = "none"
    drop_guard: float | None = 0.30
    """A price that falls by more than this share, or to 0, is counted by the guard; None: no guard."""
    vat_rates: VatRates = field(default_factory=VatRates)


@dataclass(frozen=True, slots=True)
class Prices:
    """The target. Rows are `agent.sources.rows.ProductRow`."""

    settings: PriceSettings
    form: Literal["net", "gross"] = "net"
    """What the shop stores (``Shop.price_form``)."""
    places: int = 2
    """Decimals that it keeps (``Shop.price_places``)."""
    name: str = "prices"
    thing: str = "product"
    creates: bool = False
    creator: str = "products"

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """Make the price; None when not on offer. Raises `Unusable` that names the column (``SKz.ProdejKc``)."""
        if not any([row.internet for row in rows]):  # noqa: C419 - of one row or two, a list is quicker
            return None
        amount = self._amount(speaking(rows, self.settings.stores, self.settings.prices_from))
        rounded = amount.quantize(_QUANTA[self.places], ROUND_HALF_UP)
        return {"amount": canonical_decimal(rounded), "form": self.form}

    def absent(self) -> Value:
        """None: a card that is not on offer any more keeps its price."""
        return None

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop holds the price that was sent."""
        return sent == confirmed

    def batch_size(self, kind: str) -> int:
        """How many go in one call: as many as of quantities."""
        return _BATCH.get(kind, 50)

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts a price that falls by more than ``price_drop_guard``, to 0, or from nobody knows where."""
        now, before = _amount_of(new, self.form), _amount_of(old, self.form)
        if now is None or self.settings.drop_guard is None:
            return False
        if before is None:
            return True
        return now < before * (1 - Decimal(str(self.settings.drop_guard))) or (now == 0 and before != 0)

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than a fifth of all prices, would fall that much."""
        share = self.settings.drop_guard
        if share is None or count.counted < GUARD_FROM or count.counted <= GUARD_SHARE * count.total:
            return ""
        drop = f"by more than {share:.0%} or to 0 (price_drop_guard)"
        return f"{count.counted} of {count.total} prices would fall {drop}, more than {GUARD_SHARE:.0%} of them"

    def fingerprint(self) -> str:
        """A digest of what forms the values; the guard does not."""
        mine = self.settings
        stores = tuple(store.strip().casefold() for store in mine.stores)
        chosen: tuple[object, ...] = (stores, mine.prices_from.strip().casefold(), mine.level.strip().casefold())
        chosen += (mine.level_prices,) if mine.level_prices else ()
        formed = (*chosen, mine.round, mine.vat_rates.all(), self.form, self.places)
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()

    def _amount(self, row: Any) -> Decimal:  # noqa: ANN401 - rows of any source
        """The price in the shop's form, unrounded but for ``round``."""
        net, gross = (None if each is None else _price(row, each) for each in (row.net, row.gross))
        if net is None and gross is None:
            raise Unusable(row.price_from, "the card has no price", hint=_HINT)
        if self.settings.round == "none":
            there = net if self.form == "net" else gross
            if there is not None:
                return there
            if net is not None:
                return net * self._factor(row)
            assert gross is not None  # one of them is there
            return gross / self._factor(row)
        if gross is None:
            assert net is not None  # as above
            gross = net * self._factor(row)
        gross = gross.quantize(Decimal(self.settings.round), ROUND_HALF_UP)
        return gross if self.form == "gross" else gross / self._factor(row)

    def _factor(self, row: Any) -> Decimal:  # noqa: ANN401 - as above
        return 1 + self.settings.vat_rates.rate(row) / 100


def _price(row: Any, given: object) -> Decimal:  # noqa: ANN401 - as above
    price = decimal_of(row.price_from, given)
    if price < 0:
        raise Unusable(row.price_from, f"a price of {canonical_decimal(price)}", hint=_HINT)
    return price


def _amount_of(value: Value, form: str) -> Decimal | None:
    """The amount of a value in this form; None where it is another one, or nobody knows."""
    if not isinstance(value, dict) or value.get("form") != form:
        return None
    return Decimal(str(value.get("amount")))
