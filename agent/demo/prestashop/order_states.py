"""What a change of an order's state does, and how orders are shown.

Recorded: PATCH of ``current_state`` does nothing when it is the present one or empty, POST of ``order_histories`` adds
a row every time; an unknown state or order is an empty 500 and the state stays; cancelling gives the stock back once,
also after delivery; a state that is paid books the payment, one with an invoice numbers it, one with a delivery dates
the slip anew each time. From the shop's public source: only the states that the configuration calls cancelled and
failed move stock; leaving them for a state that counts as a sale takes the stock again; the tracking number of an order
is the one of its first ``order_carriers`` row.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.demo.prestashop.errors import CrashError
from agent.demo.prestashop.orders import CONFIGURED, ROW_PRICES, ROW_TEXTS
from agent.demo.prestashop.quantity import quantity_of, set_quantity, stock_row_of
from agent.demo.prestashop.schema import Cell, Part, whole
from agent.demo.prestashop.store import Row, Rules, Store


def change_state(store: Store, order: int, state: int) -> Row:
    """Bring an order into a state, without the row of its history; returns what the answer shows otherwise.

    Raises `CrashError` for a state or an order that the shop does not have.
    """
    orders, states = store.tables["orders"], store.tables["order_states"]
    if state not in states.rows or order not in orders.rows:
        raise CrashError
    row, new = orders.rows[order], states.rows[state]
    _move_stock(store, order, whole(row.get("current_state", 0)), state)
    now = store.now()
    changed: Row = {"current_state": state, "valid": new.get("logable", "0"), "date_upd": now}
    if new.get("invoice") == "1" and not row.get("invoice_number"):
        changed |= {"invoice_number": _next(store, "invoice"), "invoice_date": now}
    if new.get("delivery") == "1":
        changed |= {"delivery_number": row.get("delivery_number") or _next(store, "delivery"), "delivery_date": now}
    shown: Row = {}
    paid, total = str(row.get("total_paid_real", "0")), str(row.get("total_paid", "0"))
    if new.get("paid") == "1" and float(paid) < float(total):
        changed["total_paid_real"] = total
        shown["total_paid_real"] = float(total)  # recorded: the sum as PHP has just added it up
    orders.change(order, changed)
    return shown


def states_of(store: Store, order: int) -> list[int]:
    """Every state that an order was brought into, in order, doubles included."""
    histories = store.tables["order_histories"]
    return [whole(histories.rows[one].get("id_order_state", 0)) for one in histories.find("id_order", order)]


def ends(store: Store) -> set[int]:
    """Ids of the states that the shop calls cancelled and failed: those that do not hold stock."""
    configured = store.tables["configurations"]
    found = set()
    for name in ("PS_OS_CANCELED", "PS_OS_ERROR"):
        rows = configured.find("name", name)
        found.add(whole(configured.rows[rows[0]].get("value", 0)) if rows else CONFIGURED[name])
    return found


def _move_stock(store: Store, order: int, old: int, new: int) -> None:
    free = ends(store)
    was_sale, is_sale = (_is_sale(store, one) for one in (old, new))
    if is_sale and not was_sale:
        direction = -1 if old in free else 0
    elif was_sale and not is_sale:
        direction = 1 if new in free else 0
    else:
        direction = 1 if not is_sale and new in free and old not in free else 0
    if not direction:
        return
    details = store.tables["order_details"]
    for one in details.find("id_order", order):
        sold = details.rows[one]
        stock = stock_row_of(store, whole(sold.get("product_id", 0)), whole(sold.get("product_attribute_id", 0)))
        if stock is not None:
            moved = direction * whole(sold.get("product_quantity", 0))
            set_quantity(store, stock, quantity_of(store, stock) + moved)


def _is_sale(store: Store, state: int) -> bool:
    return store.tables["order_states"].rows.get(state, {}).get("logable") == "1"


def _next(store: Store, series: str) -> int:
    store.numbers[series] += 1
    return store.numbers[series]


def _set_current_state(store: Store, order: int, value: Cell) -> Row:
    present = whole(store.tables["orders"].rows[order].get("current_state", 0))
    if value in {None, ""} or whole(value) == present:
        return {}
    state = whole(value)
    shown = change_state(store, order, state)
    store.tables["order_histories"].insert({"id_order": order, "id_order_state": state, "date_add": store.now()})
    _tell(store, order, state)
    return shown


def _tell(store: Store, order: int, state: int) -> None:
    store.on_state(order, str(store.tables["orders"].rows[order].get("reference", "")), state)


def _history_saving(store: Store, history: int, raw: Row) -> None:
    if not history:
        change_state(store, whole(raw["id_order"]), whole(raw["id_order_state"]))


def _history_created(store: Store, history: int) -> None:
    row = store.tables["order_histories"].rows[history]
    _tell(store, whole(row.get("id_order", 0)), whole(row.get("id_order_state", 0)))


def _rows(store: Store, order: int) -> Sequence[Part]:
    details = store.tables["order_details"]
    return [_row(store, one) for one in details.find("id_order", order)]


def _row(store: Store, detail: int) -> Part:
    details = store.tables["order_details"]
    row = details.rows[detail]

    def shown(name: str) -> str:
        return str(store.value(details, detail, details.resource.by_name[name]))

    part: dict[str, int | str] = {"id": detail}
    for name in ("product_id", "product_attribute_id", "product_quantity"):
        part[name] = whole(row.get(name, 0))
    part |= {name: shown(name) for name in ROW_TEXTS}
    part["id_customization"] = whole(row.get("id_customization", 0))
    return part | {name: shown(name) for name in ROW_PRICES}


def first_carrier(store: Store, order: int) -> int | None:
    """The row of ``order_carriers`` that tells how an order travels."""
    return next(iter(store.tables["order_carriers"].find("id_order", order)), None)


def _shipping_number(store: Store, order: int) -> Cell:
    row = first_carrier(store, order)
    return "" if row is None else store.tables["order_carriers"].rows[row].get("tracking_number", "")


def _set_shipping_number(store: Store, order: int, value: Cell) -> Row:
    row = first_carrier(store, order)
    if row is not None:
        store.tables["order_carriers"].change(row, {"tracking_number": str(value or "")})
    return {}


ORDER_RULES: dict[str, Rules] = {
    "orders": Rules(
        computed={"shipping_number": _shipping_number},
        listed={"order_rows": _rows},
        setters={"current_state": _set_current_state, "shipping_number": _set_shipping_number},
    ),
    "order_histories": Rules(saving=_history_saving, created=_history_created),
}
