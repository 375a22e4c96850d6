"""Suppliers of a stock card (table SKzNC) from ``lst:listSupplier``: one item is one card. Source: supplier.xsd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from agent.pohoda.bad import BadItem
from agent.pohoda.elements import each
from agent.pohoda.fields import attribute, child, flag, long, number, reference, said, short, texts, whole_number
from agent.pohoda.items import Item
from agent.pohoda.names import SUP, TYP

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_S, _T = f"{{{SUP}}}", f"{{{TYP}}}"


@dataclass(frozen=True, slots=True)
class Supplier:
    """One supplier of a card. ``address_id`` is AD.ID; prices are in ``currency``, else in the home currency."""

    id: int | None
    default: bool
    address_id: int | None
    name: str | None
    order_code: str | None
    """The supplier's own code of the goods."""
    order_name: str | None
    purchasing_price: Decimal | None
    currency: str | None
    with_vat: bool | None
    ean: str | None
    delivery_time: int | None
    """In units of ``delivery_period``; days where that is not said."""
    delivery_period: str | None
    min_quantity: Decimal | None
    unit: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class CardSuppliers:
    """All suppliers of one card (``stock_id``: SKz.ID, ``code``: SKz.IDS)."""

    stock_id: int | None
    code: str | None
    suppliers: tuple[Supplier, ...]


def parse_many(items: Sequence[Item]) -> list[CardSuppliers | BadItem]:
    """Make the suppliers of one card of every item, in their order."""
    return each(items, _card, lambda element: short(_stock(element).get(_T + "ids")) or "")


def _card(element: _Element) -> CardSuppliers:
    stock, held = _stock(element), child(element, _S + "suppliers")
    found = () if held is None else tuple(_supplier(one) for one in held.iterchildren(_S + "supplierItem"))
    return CardSuppliers(said(whole_number, stock, _T + "id"), short(stock.get(_T + "ids")), found)


def _stock(element: _Element) -> dict[str, str | None]:
    return reference(child(element, _S + "stockItem"), _T + "stockItem")


def _supplier(element: _Element) -> Supplier:
    inside, address = texts(element), reference(element, _S + "refAd")
    return Supplier(
        id=said(whole_number, inside, _S + "id"),
        default=bool(attribute(flag, element, "default")),
        address_id=said(whole_number, address, _T + "id"),
        name=short(address.get(_T + "ids")),
        order_code=short(inside.get(_S + "orderCode")),
        order_name=short(inside.get(_S + "orderName")),
        purchasing_price=said(number, inside, _S + "purchasingPrice"),
        currency=short(reference(element, _S + "currency").get(_T + "ids")),
        with_vat=said(flag, inside, _S + "payVAT"),
        ean=short(inside.get(_S + "ean")),
        delivery_time=said(whole_number, inside, _S + "deliveryTime"),
        delivery_period=short(reference(element, _S + "deliveryPeriod").get(_T + "ids")),
        min_quantity=said(number, inside, _S + "minQuantity"),
        unit=short(inside.get(_S + "unit")),
        note=long(inside.get(_S + "note")),
    )
