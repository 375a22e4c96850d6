"""Rates of VAT: POHODA's cards name a kind (reduced, basic), and the law says how much that is.

The database holds no rates beside the kinds, so they are a setting, ``[pohoda] vat_rates``; the defaults are those of
the Czech Republic since 2024. An XML export says the rate itself, which then is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agent.errors import Unusable
from agent.targets.texts import decimal_of

_COLUMN = "SKz.RelDPHp"


@dataclass(frozen=True, slots=True)
class VatRates:
    """Rates in percent by POHODA's kinds; None: there is none of this kind."""

    high: Decimal | None = Decimal(21)
    low: Decimal | None = Decimal(12)
    third: Decimal | None = None

    def rate(self, row: Any) -> Decimal:  # noqa: ANN401 - rows of any source
        """The rate of a card in percent. Raises `Unusable` that names the column when it is not known."""
        if row.vat_rate is not None:
            rate = decimal_of(_COLUMN, row.vat_rate)
        else:
            known = {"none": Decimal(0), "high": self.high, "low": self.low, "third": self.third}.get(row.vat)
            if known is None:
                kind = f"the kind {row.vat!r}" if row.vat else "no kind of rate"
                hint = "Choose a rate on the card in POHODA, or add the kind to [pohoda] vat_rates."
                raise Unusable(_COLUMN, f"{kind} has no rate of VAT", hint=hint)
            rate = known
        if not 0 <= rate <= 100:
            raise Unusable(_COLUMN, f"a rate of VAT of {rate} %", hint="Correct the card in POHODA.")
        return rate

    def all(self) -> tuple[str, ...]:
        """The rates as texts, for a digest of the settings."""
        return tuple(str(each if each is None else each.normalize()) for each in (self.high, self.low, self.third))
