"""What products, combinations and stock rows do beyond keeping values.

Recorded: a product gets its stock row at once, with 0; a product with combinations keeps their sum in the row without
a combination, recomputed whenever the row of a combination is written and writable to nonsense in between; categories
that do not exist are dropped; the position in the default category is empty when the product is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from agent.demo.prestashop import categories, features, firms
from agent.demo.prestashop.order_states import ORDER_RULES
from agent.demo.prestashop.quantity import (
    NEW_STOCK_ROW,
    quantity_of,
    reference_of,
    set_quantity,
    stock_rows_by_reference,
    stock_rows_of,
    sum_product,
    sum_up,
)
from agent.demo.prestashop.schema import Cell, Entry, whole
from agent.demo.prestashop.store import Row, Rules, Store

__all__ = [
    "NEW_STOCK_ROW",
    "RULES",
    "combinations_of",
    "quantity_of",
    "reference_of",
    "set_quantity",
    "stock_rows_by_reference",
    "stock_rows_of",
]


def combinations_of(store: Store, product: int) -> list[int]:
    """Ids of a product's combinations, the default one last (the order of the shop's index)."""
    table = store.tables["combinations"]
    return sorted(table.find("id_product", product), key=lambda one: (str(table.rows[one].get("default_on", "")), one))


def _stock_written(store: Store, stock_row: int, names: Set[str]) -> None:
    sum_up(store, stock_row)
    if "quantity" in names:
        store.on_quantity(stock_row, reference_of(store, stock_row), quantity_of(store, stock_row))


def _product_created(store: Store, product: int) -> None:
    store.tables["stock_availables"].insert({**NEW_STOCK_ROW, "id_product": product})


def _product_removing(store: Store, product: int) -> None:
    for combination in combinations_of(store, product):
        store.tables["combinations"].remove(combination)
    for row in stock_rows_of(store, product):
        store.tables["stock_availables"].remove(row)
    categories.leave_all(store, product)
    firms.leave_all(store, product)
    for picture in store.shelf.of(product):
        store.shelf.remove(picture.id)


def _combination_created(store: Store, combination: int) -> None:
    product = whole(store.tables["combinations"].rows[combination].get("id_product", 0))
    store.tables["stock_availables"].insert(
        {**NEW_STOCK_ROW, "id_product": product, "id_product_attribute": combination}
    )


def _combination_removing(store: Store, combination: int) -> None:
    table = store.tables["stock_availables"]
    for row in list(table.find("id_product_attribute", combination)):
        table.remove(row)
    sum_product(store, whole(store.tables["combinations"].rows[combination].get("id_product", 0)))


def _default_combination(store: Store, product: int) -> Cell:
    rows = store.tables["combinations"].rows
    return next((one for one in combinations_of(store, product) if rows[one].get("default_on")), 0)


def _option_values(store: Store, product: int) -> list[Entry]:
    table = store.tables["combinations"]
    return [
        {"id": whole(entry["id"])}
        for combination in combinations_of(store, product)
        for entry in store.entries(table, combination, "product_option_values")
    ]


def _stock_entries(store: Store, product: int) -> list[Entry]:
    rows = store.tables["stock_availables"].rows
    return [
        {"id": one, "id_product_attribute": whole(rows[one].get("id_product_attribute", 0))}
        for one in stock_rows_of(store, product)
    ]


def _number_in_its_own_language(name: str) -> Callable[[Store, int], Cell]:
    """The flags of the language that the shop runs in come as numbers in JSON (recorded): the object is a live one."""

    def value(store: Store, language: int) -> Cell:
        kept = store.tables["languages"].rows[language].get(name, "0")
        return whole(kept) if language == store.languages[0] else kept

    return value


def _configuration_written(store: Store, row: int, names: Set[str]) -> None:
    """Loading the object for a change turns the empty shop into 0 (recorded)."""
    if "id_shop" not in names:
        store.tables["configurations"].change(row, {"id_shop": 0, "id_shop_group": 0})


def _set_cover(store: Store, product: int, image: Cell) -> Row:
    store.shelf.set_cover(product, whole(image))
    return {}


RULES: dict[str, Rules] = {
    "categories": categories.CATEGORY_RULES,
    **features.FEATURE_RULES,
    **firms.FIRM_RULES,
    **ORDER_RULES,
    "products": Rules(
        computed={
            "id_default_image": lambda store, product: store.shelf.cover_of(product) or "",
            "id_default_combination": _default_combination,
            "position_in_category": categories.position_in_category,
            "manufacturer_name": firms.manufacturer_name,
            "quantity": lambda _store, _product: 0,  # a column that the shop no longer fills
            "type": lambda _store, _product: "simple",  # recorded for a product with combinations too
        },
        listed={
            "images": lambda store, product: [{"id": one.id} for one in store.shelf.of(product)],
            "combinations": lambda store, product: [{"id": one} for one in combinations_of(store, product)],
            "product_option_values": _option_values,
            "stock_availables": _stock_entries,
        },
        setters={"id_default_image": _set_cover},
        assign={"categories": categories.assign, "product_features": features.assign},
        created=_product_created,
        removing=_product_removing,
    ),
    "combinations": Rules(created=_combination_created, removing=_combination_removing),
    "stock_availables": Rules(written=_stock_written),
    "languages": Rules(computed={name: _number_in_its_own_language(name) for name in ("active", "is_rtl")}),
    "configurations": Rules(written=_configuration_written),
}
