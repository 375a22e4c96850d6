"""Manufacturer and suppliers of products and combinations as PrestaShop keeps them: read, wished, compared, told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from agent.events import Value
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_named as named
from agent.shops.prestashop_fields import Row, Unfit, number
from agent.shops.prestashop_firms import FirmLink
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_xml import Link
from agent.targets.names import firm_key

ROWS = "product_suppliers"
LONGEST_CODE = 64
REFERENCE = "<>;={}"
"""What a supplier's code of goods cannot hold (``isReference`` in the schema; the characters from its source)."""
_PRODUCT = "id,id_manufacturer,id_supplier"
_ROW = "id,id_product,id_product_attribute,id_supplier,product_supplier_reference"


@dataclass(frozen=True, slots=True)
class SupplierRow:
    """One row of ``product_suppliers``; ``code`` is what the supplier calls the goods."""

    id: int
    supplier: int
    code: str


@dataclass(frozen=True, slots=True)
class Present:
    """What the shop holds now: products, products of combinations, supplier rows by (product, combination)."""

    products: Mapping[int, Row]
    combinations: Mapping[int, int]
    rows: Mapping[tuple[int, int], list[SupplierRow]]

    def has(self, link: Link) -> bool:
        """Tell whether the product, or its combination, is there."""
        return link.product in self.products and (
            not link.combination or self.combinations.get(link.combination) == link.product
        )

    def of(self, link: Link) -> list[SupplierRow]:
        """The supplier rows of a product or combination."""
        return self.rows.get((link.product, link.combination), [])


@dataclass(frozen=True, slots=True)
class Offer:
    """One wished supplier."""

    firm: FirmLink
    code: str
    default: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What a value asks for: only fields that it names."""

    with_maker: bool
    maker: FirmLink | None
    offers: tuple[Offer, ...] | None
    """None: suppliers are not kept in sync."""


def look(lists: Lists, links: Iterable[Link], *, rows: bool = True) -> Present:
    """Read products, combinations and, where they are wanted, supplier rows in bulk. Raises `ShopUnavailable`."""
    asked = list(links)
    products = {link.product for link in asked}
    held: dict[tuple[int, int], list[SupplierRow]] = {}
    for row in lists.hanging(ROWS, _ROW, "id_product", products) if rows else ():
        place = number(row.get("id_product")), number(row.get("id_product_attribute"))
        code = str(row.get("product_supplier_reference") or "")
        held.setdefault(place, []).append(SupplierRow(number(row.get("id")), number(row.get("id_supplier")), code))
    combinations = lists.records("combinations", "id,id_product", {link.combination for link in asked} - {0})
    return Present(
        lists.records("products", _PRODUCT, products),
        {one: number(row.get("id_product")) for one, row in combinations.items()},
        held,
    )


def wish_of(value: Value, ours: Mapping[str, FirmLink], there: Collection[FirmLink]) -> Wish:
    """Take a value for what it is; ``there`` are firms that exist. Raises `Unfit`, which names what is wrong."""
    if not isinstance(value, dict):
        raise Unfit("suppliers: this is not a value of this target.", "This is a fault of the agent: report it.")
    maker = value.get("manufacturer")
    listed = value.get("suppliers")
    offers = None
    if isinstance(listed, list):
        offers = tuple(
            Offer(_firm("supplier", each.get("name"), ours, there), _code(each.get("code")), bool(each.get("default")))
            for each in listed
            if isinstance(each, dict)
        )
    return Wish(
        "manufacturer" in value, _firm("manufacturer", maker, ours, there) if maker is not None else None, offers
    )


def differing(wish: Wish, row: Row, ours: Collection[FirmLink]) -> str:
    """Make the elements of a PATCH of the product: its manufacturer and its default supplier, where they differ."""
    made = ""
    maker = FirmLink("manufacturer", number(row.get("id_manufacturer")))
    if wish.with_maker and wish.maker != maker and (wish.maker or maker in ours):
        made += fields.node("id_manufacturer", str(wish.maker.id if wish.maker else 0))
    if wish.offers is None:
        return made
    present = FirmLink("supplier", number(row.get("id_supplier")))
    default = next((offer.firm for offer in wish.offers if offer.default), None)
    if default != present and (default or present in ours):
        made += fields.node("id_supplier", str(default.id if default else 0))
    return made


def told(value: Value, ours: Mapping[str, FirmLink]) -> dict[FirmLink, str]:
    """Names of the firms that a value names, in its order: their owner may spell them in another way by now."""
    if not isinstance(value, dict):
        return {}
    listed = value.get("suppliers")
    asked = [("manufacturer", value.get("manufacturer"))] if value.get("manufacturer") else []
    asked += (
        [("supplier", each.get("name")) for each in listed or () if isinstance(each, dict)]
        if isinstance(listed, list)
        else []
    )
    return {
        link: str(name) for kind, name in asked if (link := ours.get(firm_key(kind, str(name)))) and link.kind == kind
    }


def ours_at(link: Link, present: Present, ours: Collection[FirmLink]) -> list[FirmLink]:
    """Firms of ours that a product or combination has now."""
    row = present.products[link.product]
    found = [FirmLink("supplier", each.supplier) for each in present.of(link)]
    if not link.combination:
        found.append(FirmLink("manufacturer", number(row.get("id_manufacturer"))))
    return [one for one in found if one in ours]


def value_of(
    link: Link, present: Present, ours: Collection[FirmLink], names: Mapping[FirmLink, str]
) -> dict[str, Value]:
    """What the shop holds of ours, in the form of the target; ``names`` are in the order wished.

    Of a combination the manufacturer is not told, nor which supplier is the default: they are the product's.
    """
    product, here = present.products[link.product], ours_at(link, present, ours)
    rows = {FirmLink("supplier", row.supplier): row for row in present.of(link)}
    order = {firm: place for place, firm in enumerate(names)}
    suppliers: list[Value] = []
    for firm in sorted((one for one in rows if one in here), key=lambda one: (order.get(one, len(order)), one.id)):
        entry: dict[str, Value] = {"name": _named(firm, names), "code": rows[firm].code}
        if not link.combination:
            entry["default"] = number(product.get("id_supplier")) == firm.id
        suppliers.append(entry)
    if link.combination:
        return {"suppliers": suppliers}
    maker = next((one for one in here if one.kind == "manufacturer"), None)
    return {"manufacturer": _named(maker, names) if maker else None, "suppliers": suppliers}


def _named(firm: FirmLink, names: Mapping[FirmLink, str]) -> str:
    return names.get(firm, f"{firm.kind} {firm.id} of the shop")


def _firm(kind: str, name: Value, ours: Mapping[str, FirmLink], there: Collection[FirmLink]) -> FirmLink:
    link = ours.get(firm_key(kind, str(name)))
    if link is None or link.kind != kind or link not in there:
        raise Unfit(
            f"the {kind} {str(name)[:64]!r} is not in the shop ({link or 'no link'}).",
            "Someone deleted it in PrestaShop. Run: pohoda-agent reconcile --target suppliers.firms --repair;"
            " then retry.",
        )
    return link


def _code(code: Value) -> str:
    return named.fit("SKzNC.ObjKod", code, longest=LONGEST_CODE, forbidden=REFERENCE) if code else ""
