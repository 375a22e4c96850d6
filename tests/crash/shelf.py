"""What the fake shop holds of categories, parameters, firms and orders, in the words of `reckoning`; and its owner.

The owner has a category outside of our tree, one by hand within it, and a parameter of their own, all on some products:
they must stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.schema import whole
from agent.demo.prestashop.things import folded
from tests.crash.inventory import text_of
from tests.crash.reckoning import Category, Holding, Hung, Ordered, Way, tidy

_PARAMETER = "Vzkaz majitele"


@dataclass(frozen=True, slots=True)
class Owner:
    """What the shop's owner has put there by hand."""

    root: int
    """The category below which ours are."""
    outside: int
    inside: int
    codes: tuple[str, ...]
    """Of the products that have all that."""


def furnish(shop: FakePrestaShop, codes: Sequence[str]) -> Owner:
    """Let the owner make the configured category and their own things, and put these products there."""
    things = shop.things
    root = things.add_category("E-shop")
    outside, inside = things.add_category("Akce majitele"), things.add_category("Ručně", root)
    feature = things.add_feature(_PARAMETER)
    value = things.add_feature_value(feature, "zůstává")
    for code in codes:
        things.set_categories(code, [outside, inside], outside)
        things.set_features(code, [(feature, value)])
    return Owner(root, outside, inside, tuple(codes))


def held_by(shop: FakePrestaShop, owner: Owner) -> Holding:
    """Read the shop; what its owner put there is left out (`robbed` looks at that)."""
    with shop.store.lock:
        rows = shop.store.tables["categories"].rows
        ways: dict[int, Way] = {}

        def way(row: int) -> Way | None:
            """None: not below the configured one."""
            if row == owner.root:
                return ()
            above = way(whole(rows[row].get("id_parent", 0))) if row in rows and row > 2 else None
            return None if above is None else (*above, folded(text_of(rows[row], "name")))

        for row in rows:
            if (found := way(row)) and row != owner.inside:
                ways[row] = found
        tree = [
            Category(
                ways[row],
                tidy(text_of(rows[row], "name")),
                rows[row].get("active") == "1",
                text_of(rows[row], "description"),
                shop.things.picture_of("categories", row),
            )
            for row in ways
        ]
        return Holding(tree, _cards(shop, ways), _orders(shop))


def robbed(shop: FakePrestaShop, owner: Owner) -> list[str]:
    """What the owner had and has no more."""
    found = []
    for code in owner.codes:
        try:
            places, values = shop.things.categories_of(code)[0], shop.things.features_of(code)
        except KeyError:
            continue  # the judge of the products says that
        if not {owner.outside, owner.inside} <= set(places):
            found.append(f"{code}: out of a category of the owner's, {places}")
        if values.get(_PARAMETER) != ["zůstává"]:
            found.append(f"{code}: without the owner's parameter, {values.get(_PARAMETER)}")
    return found


def twice(shop: FakePrestaShop) -> list[str]:
    """Things, rows of suppliers and states that are there more than once; categories the `audit` counts."""
    found = [
        f"{resource}: {one.name!r} {times} times"
        for resource, every in shop.things.doubled().items()
        if resource != "categories"
        for one, times in every.items()
        for _ in range(times - 1)
    ]
    with shop.store.lock:
        rows = [
            (row.get("id_product"), row.get("id_product_attribute"), row.get("id_supplier"))
            for row in shop.store.tables["product_suppliers"].rows.values()
        ]
        pairs = [
            (product, pair["id"], pair["id_feature_value"])
            for product in shop.store.tables["products"].rows
            for pair in shop.store.entries(shop.store.tables["products"], product, "product_features")
        ]
    for name, several in (("supplier of a product", rows), ("parameter of a product", pairs)):
        found += [f"{name}: {one} {times} times" for one, times in Counter(several).items() if times > 1]
    found += [f"order {number}: states {states}" for number, states in shop.orders.doubled().items()]
    return found


def _cards(shop: FakePrestaShop, ways: dict[int, Way]) -> dict[str, Hung]:
    found = {}
    for code in {str(row["reference"]) for row in shop.store.tables["products"].rows.values()}:
        places = [ways[one] for one in shop.things.categories_of(code)[0] if one in ways]
        suppliers, main = shop.things.suppliers_of(code)
        found[code.casefold()] = Hung(
            frozenset(places),
            {
                folded(name): frozenset(map(folded, values))
                for name, values in shop.things.features_of(code).items()
                if name != _PARAMETER
            },
            folded(shop.things.manufacturer_of(code)),
            {folded(one.supplier): one.reference for one in suppliers},
            folded(main),
        )
    return found


def _orders(shop: FakePrestaShop) -> dict[str, Ordered]:
    numbers = shop.orders.histories()
    return {one: Ordered(shop.orders.state_of(one), shop.orders.tracking_of(one)) for one in numbers}
