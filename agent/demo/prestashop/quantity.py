"""Stock rows: which one counts what, and how many pieces it holds.

Recorded: a product with combinations keeps their sum in the row without a combination, recomputed whenever the row of a
combination is written and writable to nonsense in between.
"""

from __future__ import annotations

from agent.demo.prestashop.schema import whole
from agent.demo.prestashop.store import Row, Store, fold

NEW_STOCK_ROW: Row = {"id_shop": 1, "out_of_stock": 2}


def stock_rows_of(store: Store, product: int) -> list[int]:
    """Ids of a product's stock rows: the one without a combination, then one per combination."""
    table = store.tables["stock_availables"]
    return sorted(
        table.find("id_product", product), key=lambda one: (whole(table.rows[one].get("id_product_attribute", 0)), one)
    )


def stock_row_of(store: Store, product: int, combination: int) -> int | None:
    """The stock row of a product (combination 0) or of one of its combinations."""
    rows = store.tables["stock_availables"].rows
    found = (one for one in stock_rows_of(store, product) if rows[one].get("id_product_attribute", 0) == combination)
    return next(found, None)


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
    sum_up(store, stock_row)


def sum_up(store: Store, stock_row: int) -> None:
    """Recompute the sum row after a change of the row of a combination."""
    row = store.tables["stock_availables"].rows[stock_row]
    if row.get("id_product_attribute"):
        sum_product(store, whole(row.get("id_product", 0)))


def sum_product(store: Store, product: int) -> None:
    """Recompute the sum row of a product with combinations."""
    table = store.tables["stock_availables"]
    rows = stock_rows_of(store, product)
    total = sum(quantity_of(store, one) for one in rows if table.rows[one].get("id_product_attribute"))
    for one in rows:
        if not table.rows[one].get("id_product_attribute"):
            table.change(one, {"quantity": total})
