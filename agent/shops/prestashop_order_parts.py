"""What a PrestaShop holds of orders: states, where they have been, parcels; and what that means for a value.

* PrestaShop splits one cart into several orders with **one reference** (several carriers or warehouses). POHODA knows
  the reference only, so all of them are then *the* order: the link names them all (``5+6``), each is a `Part`.
* Asked are numbers of states, references and tracking numbers, in bulk; nothing of the customer. Lists have no end
  mark: they are read by ascending ids until one comes back short.
* A parcel (``order_carriers``) is asked for only where a tracking number is to be kept. Of several parcels of an order
  the first counts: the mail and the customer's account show that one (``Order::getIdOrderCarrier``; read there).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.events import Value
from agent.shops import prestashop_xml as wire
from agent.shops.prestashop_fields import number
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_order_states import States

ORDERS_PER_CALL = 50
ROWS_PER_CALL = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """One order of PrestaShop; ``been``: every state it ever was in, the present one at the end."""

    id: int
    reference: str
    state: str
    been: tuple[str, ...]
    parcel: int
    """Id of the row of ``order_carriers``; 0 where there is none, or nobody asked."""
    tracking: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a value asks for. Its ``carrier`` is left out: a carrier of PrestaShop is a record, and not a word."""

    state: str
    reached: frozenset[str]
    before: frozenset[str]
    tracking: str


def wish_of(value: Value) -> Wish | None:
    """Read the value of an order; None when it is none."""
    if not isinstance(value, dict) or not isinstance(state := value.get("state"), str) or not state:
        return None
    reached, before = value.get("reached"), value.get("before")
    if not isinstance(reached, list) or not isinstance(before, list):
        return None
    tracking = str(value.get("tracking") or "").strip()
    return Wish(state, frozenset(map(str, reached)), frozenset(map(str, before)), tracking)


def ids_of(link: str | None) -> tuple[int, ...]:
    """Read a link back, ``5`` or ``5+6``; empty when it is not one of ours."""
    ids = [wire.whole(each) for each in (link or "").split("+")]
    return tuple(each for each in ids if each) if all(each and each > 0 for each in ids) else ()


def parts_of(lists: Lists, ids: Iterable[int], *, parcels: bool) -> dict[int, Part]:
    """Orders by their ids; those that are gone are missing. Raises `ShopUnavailable`."""
    orders = lists.records("orders", "id,reference,current_state", ids)
    been: dict[int, dict[str, None]] = {order: {} for order in orders}
    for row in _all_of(lists, "order_histories", "id,id_order,id_order_state", orders):
        if (state := number(row.get("id_order_state"))) and (order := number(row.get("id_order"))) in been:
            been[order][str(state)] = None
    first: dict[int, tuple[int, str]] = {}
    for row in _all_of(lists, "order_carriers", "id,id_order,tracking_number", orders if parcels else ()):
        first.setdefault(number(row.get("id_order")), (number(row.get("id")), str(row.get("tracking_number") or "")))
    return {one: _part(one, row, been[one], first.get(one, (0, ""))) for one, row in orders.items()}


def _part(order: int, row: Mapping[str, object], been: Mapping[str, None], parcel: tuple[int, str]) -> Part:
    state = str(number(row.get("current_state")))
    reference = str(row.get("reference") or "").strip()
    way = (*(each for each in been if each != state), state)
    return Part(order, reference, state, way, parcel[0], parcel[1].strip())


def references_of(lists: Lists, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Codes of the goods of these orders, as they were when they were ordered. Raises `ShopUnavailable`."""
    found: dict[int, dict[str, None]] = {}
    for row in _all_of(lists, "order_details", "id,id_order,product_reference", ids):
        if code := str(row.get("product_reference") or "").strip():
            found.setdefault(number(row.get("id_order")), {})[code] = None
    return {order: tuple(codes) for order, codes in found.items()}


def numbered(lists: Lists, filters: Mapping[str, str]) -> list[tuple[int, str]]:
    """Id and reference of all orders that pass the filters. Raises `ShopUnavailable`."""
    rows = _all(lists, "orders", "id,reference", filters)
    return [(one, str(row.get("reference") or "").strip()) for row in rows if (one := number(row.get("id")))]


def at_an_end(part: Part, wish: Wish, states: States) -> bool:
    """Tell whether the shop counts it as finished, where that is no stage on the way to the wish: it is left."""
    return part.state in states.ends and part.state not in wish.before | {wish.state}


def is_due(part: Part, wish: Wish, states: States) -> bool:
    """Tell whether its state is to be written."""
    return not wish.reached.intersection(part.been) and not at_an_end(part, wish, states)


def untold(part: Part, wish: Wish, states: States) -> bool:
    """Tell whether its tracking number is to be written."""
    lacks = bool(wish.tracking and part.parcel and part.tracking != wish.tracking)
    return lacks and not at_an_end(part, wish, states)


def moving(parts: Iterable[Part], states: States) -> list[int]:
    """Those that have moved the stock by where they have been: cancelled, or with an error of payment."""
    return [part.id for part in parts if states.moving.intersection(part.been)]


def present(parts: Sequence[Part], wish: Wish | None, states: States) -> dict[str, Value]:
    """Say what the shop holds, in the form of the value: ``been`` are the states in which **all** parts have been.

    ``left``: nothing is to be written although not all have reached it: they are at an end, or went different ways.
    ``tracking`` only where one was asked about and there is a parcel to keep it.
    """
    common = [state for state in parts[0].been if all(state in part.been for part in parts)]
    value: dict[str, Value] = {"state": "+".join(dict.fromkeys(part.state for part in parts)), "been": [*common]}
    if wish is None:
        left = all(part.state in states.ends for part in parts)
    else:
        left = not wish.reached.intersection(common) and not any(is_due(part, wish, states) for part in parts)
    if left:
        value["left"] = True
    if wish and wish.tracking:
        kept = [part.tracking for part in parts if part.parcel and not at_an_end(part, wish, states)]
        if kept:
            value["tracking"] = next((each for each in kept if each != wish.tracking), wish.tracking)
    return value


def _all_of(lists: Lists, resource: str, fields: str, orders: Iterable[int]) -> list[dict[str, object]]:
    ordered = sorted(orders)
    rows = []
    for start in range(0, len(ordered), ORDERS_PER_CALL):
        some = wire.id_filter(ordered[start : start + ORDERS_PER_CALL])
        rows += _all(lists, resource, fields, {"filter[id_order]": some})
    return rows


def _all(lists: Lists, resource: str, fields: str, filters: Mapping[str, str]) -> list[dict[str, object]]:
    """Everything that passes the filters, by ascending ids."""
    rows: list[dict[str, object]] = []
    query = {"display": f"[{fields}]", **filters, "sort": "[id_ASC]", "limit": str(ROWS_PER_CALL)}
    while True:
        more = lists.ask(resource, query)
        rows += more
        last = max((number(row.get("id")) for row in more), default=0)
        if len(more) < ROWS_PER_CALL or f">[{last}]" == query.get("filter[id]"):
            return rows
        query["filter[id]"] = f">[{last}]"
