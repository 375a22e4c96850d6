"""Manufacturers, suppliers, and which supplier has which product under which code.

Recorded: names are not unique; the address part of a firm is made of its name (the answer to a change of a supplier
shows the one from before); a product has one row per supplier and combination, a second one is error 46; the supplier
of a product itself is a field of its own. From the shop's public source: a deleted row takes those of the combinations
with it.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.demo.prestashop.errors import WebserviceError
from agent.demo.prestashop.schema import (
    Association,
    Cell,
    Field,
    Resource,
    decimal,
    moments,
    number,
    slug,
    text,
    texts,
    whole,
)
from agent.demo.prestashop.store import Row, Rules, Store

_ID = "isUnsignedId"
_LONG = 4194303

MANUFACTURERS = Resource(
    name="manufacturers",
    node="manufacturer",
    class_name="Manufacturer",
    description="The product brands",
    fields=(
        Field("active", "flag"),
        Field("link_rewrite", "text", read_only=True, computed=True),
        text("name", "isCatalogName", 64, required=True),
        *moments(""),
        texts("description", "isCleanHtml", _LONG),
        texts("short_description", "isCleanHtml", _LONG),
        texts("meta_title", "isGenericName", 255),
        texts("meta_description", "isGenericName", 512),
    ),
    associations=(Association("addresses", "address", "addresses", {"id": "addresses"}, frozenset()),),
)

SUPPLIERS = Resource(
    name="suppliers",
    node="supplier",
    class_name="Supplier",
    description="The product suppliers",
    fields=(
        text("link_rewrite"),
        text("name", "isCatalogName", 64, required=True),
        Field("active", "flag"),
        *moments(),
        texts("description", "isCleanHtml", _LONG),
        texts("meta_title", "isGenericName", 255),
        texts("meta_description", "isGenericName", 512),
    ),
)

PRODUCT_SUPPLIERS = Resource(
    name="product_suppliers",
    node="product_supplier",
    class_name="ProductSupplier",
    description="Product Suppliers",
    indexed=("id_product", "id_supplier"),
    fields=(
        number("id_product", _ID, link="products", required=True),
        number("id_product_attribute", _ID, required=True),
        number("id_supplier", _ID, link="suppliers", required=True),
        number("id_currency", _ID, link="currencies"),
        text("product_supplier_reference", "isReference", 64),
        decimal("product_supplier_price_te", "isPrice"),
    ),
)

FIRMS = (MANUFACTURERS, SUPPLIERS, PRODUCT_SUPPLIERS)
_KEY = ("id_product", "id_product_attribute", "id_supplier")


def manufacturer_name(store: Store, product: int) -> Cell:
    """The name of a product's manufacturer; False for none and for one that does not exist."""
    manufacturer = whole(store.tables["products"].rows[product].get("id_manufacturer", 0))
    row = store.tables["manufacturers"].rows.get(manufacturer)
    return False if row is None else row.get("name", "")


def _slug_of(resource: str) -> Callable[[Store, int], Cell]:
    return lambda store, firm: slug(str(store.tables[resource].rows[firm].get("name", "")))


def _one_row_each(store: Store, row: int, raw: Row) -> None:
    table = store.tables["product_suppliers"]
    now = table.rows.get(row, {}) | raw
    key = [whole(now.get(name, 0)) for name in _KEY]
    for other in table.find("id_product", key[0]):
        if other != row and [whole(table.rows[other].get(name, 0)) for name in _KEY] == key:
            raise WebserviceError(500, 46, "Unable to save resource")


def _removing_row(store: Store, row: int) -> None:
    table = store.tables["product_suppliers"]
    if table.rows[row].get("id_product_attribute"):
        return
    for other in list(table.find("id_product", whole(table.rows[row].get("id_product", 0)))):
        if table.rows[other].get("id_product_attribute"):
            table.remove(other)


def leave_all(store: Store, product: int) -> None:
    """Remove the rows of a product, before it is deleted."""
    table = store.tables["product_suppliers"]
    for row in list(table.find("id_product", product)):
        table.remove(row)


FIRM_RULES: dict[str, Rules] = {
    "manufacturers": Rules(
        computed={"link_rewrite": _slug_of("manufacturers")},
        removing=lambda store, firm: _take_picture(store, "manufacturers", firm),
    ),
    "suppliers": Rules(
        computed={"link_rewrite": _slug_of("suppliers")},
        loaded=frozenset({"link_rewrite"}),
        removing=lambda store, firm: _take_picture(store, "suppliers", firm),
    ),
    "product_suppliers": Rules(saving=_one_row_each, removing=_removing_row),
}


def _take_picture(store: Store, resource: str, firm: int) -> None:
    store.faces.pop((resource, firm), None)
