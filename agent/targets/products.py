"""The target ``products``: what a shop shows of a card, of the fields that the shop's owner chose; the rest is never
touched.

A card is on offer when "Internet" is ticked in any chosen store, and then it is ``visible``. One that is unticked or
deleted is hidden, if ``visible`` is among the fields and ``when_gone`` is "hide"; it is never deleted, for that cannot
be taken back. Without ``visible`` nothing is said about a card that is gone (`absent` is None): to hide it, and not to
be able to show it again, would be worse.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.errors import Unusable
from agent.events import Value
from agent.targets import GuardCount
from agent.targets.cards import speaking
from agent.targets.texts import canonical, canonical_decimal, decimal_of, html_of, line_of
from agent.targets.vat import VatRates

_HINT = "Correct the card in POHODA."
_HTML = ("description", "short_description")
_LINES = ("name", "unit", "availability")
_EAN_DIGITS = {8, 12, 13, 14}
_BATCH = 20
GUARD_FROM = 10
GUARD_SHARE = 0.20
"""The guard is silent below so many, and below this share of all products."""


@dataclass(frozen=True, slots=True)
class ProductSettings:
    """``[targets.products]``: what the shop's owner decided."""

    fields: tuple[str, ...] = ("name",)
    """Of `agent.sources.rows.FIELDS`; what is not among them is never touched."""
    stores: tuple[str, ...] = ()
    """Codes of the chosen stores, in order; none: all."""
    texts_from: str = ""
    """Code of the store whose card gives the texts; empty: the first chosen store that has it ticked."""
    create: bool = False
    """A product that the shop does not have is created."""
    when_gone: Literal["hide", "keep"] = "hide"
    vat_rates: VatRates = field(default_factory=VatRates)


@dataclass(frozen=True, slots=True)
class Products:
    """The target. Rows are `agent.sources.rows.ProductRow`."""

    settings: ProductSettings
    name: str = "products"
    thing: str = "product"
    creator: str = ""

    @property
    def creates(self) -> bool:
        """As the setting ``create``."""
        return self.settings.create

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """Make the configured fields; None when not on offer. Raises `Unusable` that names the column (``SKz.EAN``)."""
        if not any([row.internet for row in rows]):  # noqa: C419 - of one row or two, a list is quicker
            return None
        row = speaking(rows, self.settings.stores, self.settings.texts_from)
        settings = self.settings
        return {name: _VALUES[name](row, settings) for name in settings.fields if name not in row.lacking}

    def absent(self) -> Value:
        """A card that is not on offer any more is hidden; None: the shop's product is left as it is."""
        hide = self.settings.when_gone == "hide" and "visible" in self.settings.fields
        return {"visible": False} if hide else None

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop holds the fields that were sent; HTML may be spelled in another way.

        Only fields that both name are compared: a shop tells of more, and some it has no place for (the weight of a
        PrestaShop combination); `check` says which.
        """
        if not (isinstance(sent, dict) and isinstance(confirmed, dict)):
            return sent == confirmed
        both = sent.keys() & confirmed.keys()
        return bool(both) and all(_alike(name, sent[name], confirmed[name]) for name in both)

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """How many go in one call: 20, for a product with its texts is some 10 kB, and each is read before."""
        return _BATCH

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts what is hidden, or may be: half of the shop gone at once is seldom meant."""
        hidden = isinstance(new, dict) and new.get("visible") is False
        return hidden and not (isinstance(old, dict) and old.get("visible") is False)

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than a fifth of all products, would be hidden."""
        if count.counted < GUARD_FROM or count.counted <= GUARD_SHARE * count.total:
            return ""
        return f"{count.counted} of {count.total} products would be hidden, more than {GUARD_SHARE:.0%}"

    def fingerprint(self) -> str:
        """A digest of what forms the values; whether products are created does not."""
        mine = self.settings
        stores = tuple(store.strip().casefold() for store in mine.stores)
        formed = (sorted(mine.fields), stores, mine.texts_from.strip().casefold(), mine.when_gone, mine.vat_rates.all())
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()


def _name(row: Any, _: ProductSettings) -> Value:  # noqa: ANN401 - rows of any source
    name = line_of("SKz.Nazev", row.name)
    if not name:
        raise Unusable("SKz.Nazev", "the card has no name", hint=_HINT)
    return name


def _ean(row: Any, _: ProductSettings) -> Value:  # noqa: ANN401 - as above
    ean = line_of("SKz.EAN", row.ean)
    if ean.isdecimal() and ean.isascii() and len(ean) in _EAN_DIGITS:
        return ean
    ean = re.sub(r"[\s-]+", "", ean)
    if ean and not re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", ean):
        raise Unusable("SKz.EAN", f"{ean[:30]!r} is no bar code of 8, 12, 13 or 14 digits", hint=_HINT)
    return ean


def _weight(row: Any, _: ProductSettings) -> Value:  # noqa: ANN401 - as above
    weight = decimal_of("SKz.Hmotnost", row.weight)
    if weight < 0:
        raise Unusable("SKz.Hmotnost", f"a weight of {weight} kg", hint=_HINT)
    return canonical_decimal(weight)


_VALUES: dict[str, Callable[[Any, ProductSettings], Value]] = {
    "name": _name,
    "description": lambda row, _: html_of("SKz.Popis2", row.description, formatted=bool(row.description_formatted)),
    "short_description": lambda row, _: html_of(
        "SKz.Popis", row.short_description, formatted=bool(row.short_formatted)
    ),
    "ean": _ean,
    "unit": lambda row, _: line_of("SKz.MJ", row.unit),
    "weight": _weight,
    "vat": lambda row, settings: canonical_decimal(settings.vat_rates.rate(row)),
    "availability": lambda row, _: line_of("SKz.Dodani", row.availability),
    "marks": lambda row, _: sorted(row.marks),
    "visible": lambda _row, _: True,
}


def _alike(name: str, sent: Value, confirmed: Value) -> bool:
    if sent == confirmed:
        return True
    if not (isinstance(sent, str) and isinstance(confirmed, str)):
        return False
    if name in _HTML:
        return canonical(sent) == canonical(confirmed)
    return name in _LINES and " ".join(sent.split()) == " ".join(confirmed.split())
