"""What products, combinations and stock rows do beyond keeping values.

Recorded: a product gets its stock row at once, with 0; a product with combinations keeps their sum in the row without
a combination, recomputed whenever the row of a combination is written and writable to nonsense in between; categories
that do not exist are dropped; the position in the default category is empty when the product is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from agent.demo.prestashop.schema import Cell, Entry, whole
from agent.demo.prestashop.store import Row, Rules, Store, fold

NEW_STOCK_ROW: Row = {"id_shop": 1, "out_of_stock": 2}


def combinations_of(store: Store, product: int) -> list[int]:
    """Ids of a product's combinations, the default one last (the order of the shop's index)."""
    table = store.tables["combinations"]
    return sorted(table.find("id_product", product), key=lambda one: (str(table.rows[one].get("default_on", "")), one))


def stock_rows_of(store: Store, product: int) -> list[int]:
    """Ids of a product's stock rows: the one without a combination, then one per combination."""
    table = store.tables["stock_availables"]
    return sorted(
        table.find("id_product", product), key=lambda one: (whole(table.rows[one].get("id_product_attribute", 0)), one)
    )


def reference_of(store: Store, stock_row: int) -> str:
    """The code of what a stock row counts: of its combination, or of its product."""
    row = store.tables["stock_availables"].rows[stock_row]
    combination = whole(row.get("id_product_attribute", 0))
    if combination:
        owner = store.tables["combinations"].rows.get(combination, {})
    else:
        owner = store.tables["products"].rows.get(whole(row.get("id_product", 0)), {})
    return str(owner.get("reference", ""))


def stock_rows_by_reference(store: Store, reference: str) -> list[int]:
    """Stock rows that count this code: of combinations and of products, for references are not unique."""
    stock = store.tables["stock_availables"]
    found = [
        row
        for combination in store.tables["combinations"].find("reference", reference)
        for row in stock.find("id_product_attribute", combination)
    ]
    for product in store.tables["products"].find("reference", reference):
        found += [row for row in stock_rows_of(store, product) if not stock.rows[row].get("id_product_attribute")]
    wanted = fold(reference)
    return [row for row in found if fold(reference_of(store, row)) == wanted]


def quantity_of(store: Store, stock_row: int) -> int:
    """The quantity that a stock row holds."""
    return whole(store.tables["stock_availables"].rows[stock_row].get("quantity", 0))


def set_quantity(store: Store, stock_row: int, quantity: int) -> None:
    """Store a quantity and keep the sum row of a product with combinations right."""
    store.tables["stock_availables"].change(stock_row, {"quantity": quantity})
    _sum_up(store, stock_row)


def _sum_up(store: Store, stock_row: int) -> None:
    table = store.tables["stock_availables"]
    row = table.rows[stock_row]
    if row.get("id_product_attribute"):
        _sum_product(store, whole(row.get("id_product", 0)))


def _sum_product(store: Store, product: int) -> None:
    table = store.tables["stock_availables"]
    rows = stock_rows_of(store, product)
    total = sum(quantity_of(store, one) for one in rows if table.rows[one].get("id_product_attribute"))
    for one in rows:
        if not table.rows[one].get("id_product_attribute"):
            table.change(one, {"quantity": total})


def _stock_written(store: Store, stock_row: int, names: Set[str]) -> None:
    _sum_up(store, stock_row)
    if "quantity" in names:
        store.on_quantity(stock_row, reference_of(store, stock_row), quantity_of(store, stock_row))


def _product_created(store: Store, product: int) -> None:
    store.tables["stock_availables"].insert({**NEW_STOCK_ROW, "id_product": product})


def _product_removing(store: Store, product: int) -> None:
    for combination in combinations_of(store, product):
        store.tables["combinations"].remove(combination)
    for row in stock_rows_of(store, product):
        store.tables["stock_availables"].remove(row)
    for members in store.positions.values():
        members.pop(product, None)
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
    _sum_product(store, whole(store.tables["combinations"].rows[combination].get("id_product", 0)))


def assign_categories(store: Store, product: int, entries: list[Entry]) -> None:
    """Put a product into exactly these categories; it keeps its place where it was and goes last where it is new."""
    wanted = sorted({one["id"] for one in entries if one.get("id") in store.names["categories"]})
    before = {category: members.pop(product, None) for category, members in store.positions.items()}
    for category in wanted:
        members = store.positions.setdefault(category, {})
        members[product] = before.get(category) or max(members.values(), default=0) + 1
    store.link(store.tables["products"], product, "categories", [{"id": category} for category in wanted])


def _position(store: Store, product: int) -> Cell:
    category = whole(store.tables["products"].rows[product].get("id_category_default", 0))
    return store.positions.get(category, {}).get(product, "")


def _manufacturer_name(store: Store, product: int) -> Cell:
    manufacturer = whole(store.tables["products"].rows[product].get("id_manufacturer", 0))
    return store.names["manufacturers"].get(manufacturer, False)


def _default_combination(store: Store, product: int) -> Cell:
    rows = store.tables["combinations"].rows
    return next((one for one in combinations_of(store, product) if rows[one].get("default_on")), 0)


def _option_values(store: Store, product: int) -> list[Entry]:
    table = store.tables["combinations"]
    return [
        {"id": entry["id"]}
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


RULES: dict[str, Rules] = {
    "products": Rules(
        computed={
            "id_default_image": lambda store, product: store.shelf.cover_of(product) or "",
            "id_default_combination": _default_combination,
            "position_in_category": _position,
            "manufacturer_name": _manufacturer_name,
            "quantity": lambda _store, _product: 0,  # a column that the shop no longer fills
            "type": lambda _store, _product: "simple",  # recorded for a product with combinations too
        },
        listed={
            "images": lambda store, product: [{"id": one.id} for one in store.shelf.of(product)],
            "combinations": lambda store, product: [{"id": one} for one in combinations_of(store, product)],
            "product_option_values": _option_values,
            "stock_availables": _stock_entries,
        },
        setters={"id_default_image": lambda store, product, image: store.shelf.set_cover(product, whole(image))},
        assign={"categories": assign_categories},
        created=_product_created,
        removing=_product_removing,
    ),
    "combinations": Rules(created=_combination_created, removing=_combination_removing),
    "stock_availables": Rules(written=_stock_written),
    "languages": Rules(computed={name: _number_in_its_own_language(name) for name in ("active", "is_rtl")}),
    "configurations": Rules(written=_configuration_written),
}
