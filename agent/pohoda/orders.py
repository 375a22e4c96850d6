"""Orders (tables OBJ, OBJpol) from ``lst:listOrder``: what their state and their open lines follow from.

Source: order.xsd; real answers of 2018. POHODA has no list of order states: a state is made of what is executed
(Vyřízeno), delivered (Přeneseno), reserved, cancelled, and of the lines. Names and addresses are not read: nothing
here needs personal data.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from agent.errors import Unusable
from agent.pohoda.bad import BadItem
from agent.pohoda.elements import each
from agent.pohoda.fields import child, day, flag, number, reference, said, short, texts, whole_number
from agent.pohoda.items import Item
from agent.pohoda.names import ORD, TYP

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_O, _T = f"{{{ORD}}}", f"{{{TYP}}}"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order; quantities in ``unit``, ``coefficient`` of the card's own units each."""

    id: int | None
    code: str | None
    text: str | None
    quantity: Decimal | None
    delivered: Decimal | None
    """How much of it was transferred to documents."""
    unit: str | None
    coefficient: Decimal | None
    stock_id: int | None
    """SKz.ID of the card; None for a line that is only a text."""
    store_id: int | None
    store: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as POHODA holds it; dates are days."""

    id: int
    kind: str | None
    """receivedOrder or issuedOrder."""
    number: str | None
    """POHODA's own document number (OBJ.Cislo)."""
    number_order: str | None
    """The customer's number, which is the e-shop's (OBJ.PDoklad)."""
    date: dt.date | None
    date_delivery: dt.date | None
    date_from: dt.date | None
    date_to: dt.date | None
    executed: bool | None
    """Vyřízeno."""
    delivered: bool | None
    """Přeneseno: everything was transferred."""
    reserved: bool | None
    cancelled_on: dt.date | None
    storno: str | None
    """``cancelledDocument`` of a cancelled order."""
    shop: str | None
    """``iShop/ids``: the e-shop in POHODA that it came from."""
    lines: tuple[OrderLine, ...]

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled, by either sign."""
        return self.cancelled_on is not None or self.storno == "cancelledDocument"


def parse_many(items: Sequence[Item]) -> list[Order | BadItem]:
    """Make an order of every item, in their order."""
    return each(items, _order, _number)


def _order(element: _Element) -> Order:
    header, detail = child(element, _O + "orderHeader"), child(element, _O + "orderDetail")
    inside = {} if header is None else texts(header)
    ident = said(whole_number, inside, _O + "id")
    if ident is None:
        raise Unusable("id", "an order has no id", hint="Export the orders from POHODA again.")
    on, delivery, since, until = (said(day, inside, _O + tag) for tag in ("date", "dateDelivery", "dateFrom", "dateTo"))
    return Order(
        id=ident,
        kind=short(inside.get(_O + "orderType")),
        number=_number(element) or None,
        number_order=short(inside.get(_O + "numberOrder")),
        date=on,
        date_delivery=delivery,
        date_from=since,
        date_to=until,
        executed=said(flag, inside, _O + "isExecuted"),
        delivered=said(flag, inside, _O + "isDelivered"),
        reserved=said(flag, inside, _O + "isReserved"),
        cancelled_on=said(day, inside, _O + "dateCancellation"),
        storno=short(inside.get(_O + "storno")),
        shop=short(reference(header, _O + "iShop").get(_T + "ids")),
        lines=() if detail is None else tuple(_line(one) for one in detail.iterchildren(_O + "orderItem")),
    )


def _line(element: _Element) -> OrderLine:
    inside, stock = texts(element), child(element, _O + "stockItem")
    card, store = reference(stock, _T + "stockItem"), reference(stock, _T + "store")
    return OrderLine(
        id=said(whole_number, inside, _O + "id"),
        code=short(inside.get(_O + "code")) or short(card.get(_T + "ids")),
        text=short(inside.get(_O + "text")),
        quantity=said(number, inside, _O + "quantity"),
        delivered=said(number, inside, _O + "delivered"),
        unit=short(inside.get(_O + "unit")),
        coefficient=said(number, inside, _O + "coefficient"),
        stock_id=said(whole_number, card, _T + "id"),
        store_id=said(whole_number, store, _T + "id"),
        store=short(store.get(_T + "ids")),
    )


def _number(element: _Element) -> str:
    number_element = reference(child(element, _O + "orderHeader"), _O + "number")
    return short(number_element.get(_T + "numberRequested")) or ""
