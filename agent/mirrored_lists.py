"""Categories, suppliers and orders of documents as the columns of POHODA's tables, for `state.mirror_lists`.

Elements and columns correspond by their meaning in the schemas: SkKat (category.xsd), SKzNC and AD (supplier.xsd), OBJ
and OBJpol (order.xsd). Dates are days written as texts, as SQLite holds them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from agent.events import key_of
from agent.pohoda import categories, orders, suppliers
from state.mirror_lists import Branch, CardSuppliers, Category, Order, Supplier

_RECEIVED = "receivedOrder"
_ONCE = "1900-01-01"
"""When an order was cancelled that tells neither a day of that nor its own: that it was is what counts."""


def branch_of(tree: Sequence[categories.Category], digest: bytes) -> Branch:
    """Make the rows of one category and all below it, with the digest of the item.

    One that does not say whether it is shown (``displayed``) counts as shown: hiding wants to be said.
    """
    return Branch(digest, tuple([_category(one) for one in tree]))


def _category(one: categories.Category) -> Category:
    shown = one.displayed is None or one.displayed
    values = (one.name, one.description, one.parent_id or 0, one.sequence, int(shown), one.picture, one.note)
    return Category(one.id, values)


def suppliers_of(item: suppliers.CardSuppliers, digest: bytes) -> CardSuppliers:
    """Make the rows of a card's suppliers; one that names nobody is left out."""
    found = [
        Supplier(one.address_id, one.name, one.order_code, one.order_name, one.default)
        for one in item.suppliers
        if one.address_id is not None or one.name
    ]
    return CardSuppliers(digest, item.stock_id, key_of(item.code or ""), tuple(found))


def order_of(item: orders.Order, digest: bytes) -> Order | None:
    """Make the rows of a received order; None for another (issued orders are no shop's).

    A document always says of which kind an order is (orderType; required when one is made), so silence is no order.
    """
    if item.kind != _RECEIVED:
        return None
    cancelled = _day(item.cancelled_on or item.date) or _ONCE if item.cancelled else None
    done = int(bool(item.executed)), int(bool(item.delivered))
    lines = [
        (one.stock_id, one.code, _float(one.quantity), _float(one.delivered), place)
        for place, one in enumerate(item.lines)
    ]
    return Order(item.id, digest, (item.number, item.number_order, _day(item.date), *done, cancelled), tuple(lines))


def _day(value: dt.date | None) -> str | None:
    return None if value is None else value.isoformat()


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
