"""What the owner of the embedded shop did there by hand, before the agent came: it is to be found again, or to stay.

A category beside the one that the agent keeps, a parameter and a supplier on some products: those stay. A manufacturer
and a parameter that POHODA has, too, in another spelling: those are found, and not made once more. And orders: one of
long ago, which is left alone, and some of today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.demo.office import Office
from agent.demo.prestashop import FakePrestaShop
from agent.events import key_of

ROOT = 10
"""The category below which the agent's are, as ``demo.toml`` says."""
HOME = 2
LONG_AGO = "2019-11-20 10:00:00"
"""Before ``since`` of ``demo.toml``."""
PARAMETER, VALUE = "Záruka", "3 roky"
_EVERY = 7
"""One product in so many has something of the owner's."""
_TODAY = 3
"""Orders that are waiting when the morning begins."""


@dataclass(frozen=True, slots=True)
class Own:
    """What stays: the category of the owner, and the keys of the products that are in it and have the parameter."""

    category: int = 0
    keys: frozenset[str] = field(default_factory=frozenset)


def furnish(shop: FakePrestaShop, codes: Sequence[str]) -> Own:
    """Put the owner's things into the shop."""
    things = shop.things
    things.add_category("Sortiment", row=ROOT)
    own = things.add_category("Výprodej")
    feature = things.add_feature(PARAMETER)
    value = things.add_feature_value(feature, VALUE)
    things.add_feature_value(things.add_feature("barva "), "ČERVENÁ")
    things.add_manufacturer("KOVO  Příbram")
    things.add_supplier("železářství praha")
    chosen = codes[::_EVERY]
    for code in chosen:
        things.set_categories(code, [HOME, own], own)
        things.set_features(code, [(feature, value)])
    return Own(own, frozenset(map(key_of, chosen)))


def old_orders(shop: FakePrestaShop, office: Office, offered: Mapping[str, int]) -> None:
    """Let customers have ordered, and POHODA have taken their orders over: that of long ago is executed by now."""
    codes = [code for code in shop.quantities() if offered.get(key_of(code), 0) > 1][: _TODAY + 1]
    for place, code in enumerate(codes):
        long_ago = LONG_AGO if place == 0 else None
        number = shop.orders.buy({code: 1}, placed=long_ago)
        order = office.orders.write(number, {code: 1}, date=long_ago)
        if long_ago:
            office.orders.execute(order)
