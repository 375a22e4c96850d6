"""Putting products on offer without a request: how tests, benchmarks and the demo fill the shop."""

from __future__ import annotations

from collections.abc import Sequence

from agent.demo.prestashop.categories import HOME, enter
from agent.demo.prestashop.quantity import NEW_STOCK_ROW
from agent.demo.prestashop.schema import Cell, Entry
from agent.demo.prestashop.store import Row, Store

_HOME: dict[str, list[Entry]] = {"categories": [{"id": HOME}]}
_ON_OFFER: Row = {
    "id_category_default": HOME,
    "id_tax_rules_group": 1,
    "id_shop_default": 1,
    "state": 1,
    "product_type": "standard",
    "minimal_quantity": 1,
    "active": "1",
    "available_for_order": "1",
    "condition": "new",
    "show_price": "1",
    "indexed": "1",
    "visibility": "both",
}


def add_product(
    store: Store, reference: str, quantity: int, *, name: str, price: str, combinations: Sequence[tuple[str, int]]
) -> int:
    """Put a product on offer; with combinations its quantity is their sum. Returns its id. Call under the lock."""
    product = _insert_product(store, reference, name, price)
    total = sum(pieces for _, pieces in combinations) if combinations else quantity
    store.tables["stock_availables"].insert({**NEW_STOCK_ROW, "id_product": product, "quantity": total})
    for position, (code, pieces) in enumerate(combinations):
        _insert_combination(store, product, code, pieces, position)
    return product


def _insert_product(store: Store, reference: str, name: str, price: str) -> int:
    texts: Cell = dict.fromkeys(store.languages, name)
    now = store.now()
    product = store.tables["products"].insert(
        {**_ON_OFFER, "reference": reference, "name": texts, "price": price, "date_add": now, "date_upd": now}
    )
    store.tables["products"].links[product] = _HOME
    enter(store, product, HOME)
    return product


def _insert_combination(store: Store, product: int, reference: str, quantity: int, position: int) -> None:
    table = store.tables["combinations"]
    row: Row = {"id_product": product, "reference": reference, "minimal_quantity": 1}
    if position == 0:
        row["default_on"] = "1"
    combination = table.insert(row)
    table.links[combination] = {"product_option_values": [{"id": position + 1}]}
    if position == 0:
        default: Row = {"cache_default_attribute": combination, "product_type": "combinations"}
        store.tables["products"].change(product, default)
    store.tables["stock_availables"].insert(
        {**NEW_STOCK_ROW, "id_product": product, "id_product_attribute": combination, "quantity": quantity}
    )
