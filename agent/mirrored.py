"""A card of a document as the columns of POHODA's tables: what `state.mirror` takes in, and the views read back.

The correspondence of elements and columns is that of stock.xsd and the tables' names (SKz, SkRefObraz, SKzCn). Numbers
become doubles, as in the tables (float; money is exact to 15 digits). What a document does not say, and the tables
want, is decided here: a text that holds tags is formatted, for its documents do not carry FmtPopis.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from operator import attrgetter
from typing import Any

from agent.events import key_of
from agent.mirrored_parameters import parameters_of
from agent.pohoda.card import StockItem
from state.mirror import Card

TYPES = {"card": 1, "text": 2, "service": 3, "package": 4, "set": 5, "product": 6}
"""``stockType`` -> RelSkTyp: the order of stock.xsd, which fits the two numbers that integrators know (1 and 5)."""
VAT = {"none": 0, "low": 1, "high": 2, "third": 3}
"""``sellingRateVAT`` -> RelDPHp; another word stays one, and the target says that nobody knows it."""
_TAG = re.compile(r"<(?:p|br|b|i|u|ul|ol|li|div|span|h[1-6]|a|img|table|strong|em|font)\b[^<>]*>", re.IGNORECASE)


def card_of(item: StockItem, digest: bytes, tells: Collection[str] = ()) -> Card:
    """Make the rows of a card, with the digest that it had in its document.

    What hangs on a card and stands in an element of its own (`TOLD`) is None where the card does not have the element:
    the mirror then keeps what it knows. ``tells`` names the elements that some card of the document has: it was made
    with them, so a card without one has nothing of the kind. That pictures and price levels were taken away when an
    export was made without them was a flaw of earlier versions.
    """
    plain, numbers = _PLAIN(item), [None if one is None else float(one) for one in _NUMBERS(item)]
    count, reserved, received, issued, mass, volume, rate, price = numbers
    net, gross = (None, price) if item.selling_price_with_vat else (price, None)
    vat = VAT.get(item.vat or "", item.vat or "")
    texts = (item.description, _formatted(item.description), item.description2, _formatted(item.description2))
    values = (
        *(item.code, TYPES.get(item.kind or "card", 0), *plain[:6], count, reserved, received, issued),
        *(mass, volume, vat, rate, net, gross, *plain[6:8], *texts, *plain[8:]),
    )
    made = Card(item.id, key_of(item.code), item.store or "", digest, values, *_hanging(item))
    return _completed(made, tells) if tells else made


def _hanging(item: StockItem) -> tuple[Any, Any, Any, Any]:
    """Pictures, price levels, categories and parameters as rows; what is None, and what is (), stays so."""
    pictures, levels, categories, parameters = item.pictures, item.price_levels, item.categories, item.parameters
    return (
        pictures and tuple([(one.file, one.description, int(one.default), one.order) for one in pictures if one.file]),
        levels and tuple([(one.ids, None if one.price is None else float(one.price)) for one in levels if one.ids]),
        categories and tuple([(one, int(one == item.main_category)) for one in dict.fromkeys(categories)]),
        parameters and parameters_of(parameters),
    )


TOLD = {
    "pictures": "pictures",
    "stockPriceItem": "levels",
    "categories": "categories",
    "intParameters": "parameters",
}
"""Elements that an export may be made without (restrictionData of list_stock.xsd), and where a card has them."""


def _completed(card: Card, tells: Collection[str]) -> Card:
    """Leave nothing untold of what the document tells."""
    missing: dict[str, Any] = {
        field: () for name, field in TOLD.items() if name in tells and getattr(card, field) is None
    }
    return card._replace(**missing) if missing else card


_PLAIN = attrgetter(
    *("internet", "sales", "ean", "name", "name_complement", "unit", "supplier_id", "producer", "news"),
    *("clearance_sale", "sale", "recommended", "discount", "prepare", "availability", "handling_information"),
    *("guarantee_type", "guarantee", "short_name", "note"),
)
"""What is taken as it is, in the order of the columns."""
_NUMBERS = attrgetter(
    *("count", "reservation", "received_orders", "issued_orders", "mass", "volume", "vat_percent", "selling_price")
)


def _formatted(text: str | None) -> bool:
    return bool(text and "<" in text and _TAG.search(text))
