"""The demo's comparison finds every difference that there is, and none that there is not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from agent.demo import compare, pohoda
from agent.demo.compare import Compared, Thing
from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.store import Row
from agent.settings_targets import QuantitiesTable

SETTINGS = QuantitiesTable(stores=("HLAVNÍ", "PRODEJNA"), deduct="reservations", safety_stock=1)


@dataclass
class Sides:
    """POHODA's tables and files, and a shop that holds exactly what they ask for."""

    folder: Path
    shop: FakePrestaShop

    def books(self) -> dict[str, Thing]:
        return compare.of_pohoda(self.folder / "pohoda.db", self.folder / "Dokumenty", SETTINGS)

    def sql(self, statement: str, *given: object) -> None:
        with closing(sqlite3.connect(self.folder / "pohoda.db")) as db, db:
            db.execute(statement, given)

    def product(self, key: str) -> int:
        (row,) = self.shop.store.tables["products"].find("reference", key)
        return row

    def change(self, key: str, **values: str) -> None:
        self.shop.store.tables["products"].change(self.product(key), dict(values))

    def fill(self) -> None:
        for key, thing in self.books().items():
            product = self.shop.add_product(key, thing.quantity, price=str(thing.price))
            texts = {"name": "name", "description": "description", "short_description": "description_short"}
            row: Row = {
                element: {2: thing.fields[name]}
                for name, element in (texts | {"availability": "available_now"}).items()
            }
            row |= {"ean13": thing.fields["ean"], "unity": thing.fields["unit"], "weight": thing.fields["weight"]}
            row |= {"id_tax_rules_group": 1 if thing.fields["vat"] == "21" else 2}
            row |= {"on_sale": "1" if thing.fields["marks"] else "0"}
            self.shop.store.tables["products"].change(product, row)
            for data in thing.images or ():
                self.shop.store.shelf.add(product).data = data

    def compared(self, known: set[str]) -> dict[str, Compared]:
        found = compare.compare(self.books(), compare.of_shop(self.shop), offered=known, told=known)
        return {one.target: one for one in found}


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    documents = tmp_path / "Dokumenty"
    pohoda.create(tmp_path / "pohoda.db", stores=SETTINGS.stores, cards=60, catalogue=True, documents=documents)
    made = Sides(tmp_path, FakePrestaShop())
    made.fill()
    return made


def key_with(sides: Sides, condition: Callable[[Thing], bool]) -> str:
    return next(key for key, thing in sides.books().items() if condition(thing))


def pictures(sides: Sides, thing: Thing) -> int:
    return len(thing.images or ())


def test_equal_sides_have_no_difference_and_everything_was_compared(sides: Sides) -> None:
    keys = set(sides.books())
    found = sides.compared(keys)
    assert [line for one in found.values() for line in one.differing] == []
    assert {one.keys for one in found.values()} == {len(keys)}
    assert sum(pictures(sides, thing) for thing in sides.books().values()) > 20
    assert len({thing.fields["vat"] for thing in sides.books().values()}) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("ean13", "1"), ("unity", "m"), ("weight", "0.000001"), ("id_tax_rules_group", "9")),
        *(("on_sale", "?"), ("active", "0")),
    ],
)
def test_one_field_of_a_product_that_differs_is_found(sides: Sides, field: str, value: str) -> None:
    key = key_with(sides, lambda thing: bool(thing.fields["marks"]))
    sides.change(key, **{field: value})
    found = sides.compared(set(sides.books()))
    assert [line.partition(":")[0] for line in found["products"].differing] == [key]
    assert not any(found[target].differing for target in ("quantities", "prices", "images"))


@pytest.mark.parametrize("element", ["name", "description", "description_short", "available_now"])
def test_one_text_that_differs_is_found(sides: Sides, element: str) -> None:
    key = next(iter(sides.books()))
    sides.shop.store.tables["products"].change(sides.product(key), {element: {1: "same", 2: "jiný text"}})
    assert len(sides.compared(set(sides.books()))["products"].differing) == 1


def test_a_price_that_is_off_by_a_millionth_and_a_missing_piece_are_found(sides: Sides) -> None:
    keys = list(sides.books())
    sides.change(keys[0], price=str(sides.books()[keys[0]].price + Decimal("0.000001")))
    sides.shop.sell(keys[1])
    found = sides.compared(set(keys))
    assert [found[target].differing[0].partition(":")[0] for target in ("prices", "quantities")] == keys[:2]
    assert [len(found[target].differing) for target in compare.TARGETS] == [1, 0, 1, 0]


@pytest.mark.parametrize("how", ["missing", "too many", "other bytes", "another default", "another order", "no file"])
def test_pictures_that_differ_in_number_bytes_or_order_are_found(sides: Sides, how: str) -> None:
    key = key_with(sides, lambda thing: pictures(sides, thing) == 3)
    shelf, product = sides.shop.store.shelf, sides.product(key)
    first, second, third = shelf.of(product)
    if how == "missing":
        shelf.remove(third.id)
    elif how == "too many":
        shelf.add(product).data = b"x" * 30
    elif how == "other bytes":
        second.data = (second.data or b"") + b"!"
    elif how == "another default":
        shelf.set_cover(product, second.id)
    elif how == "another order":
        second.data, third.data = third.data, second.data
    else:
        first.data = None
    found = sides.compared(set(sides.books()))
    assert [len(found[target].differing) for target in compare.TARGETS] == [0, 0, 0, 1]


def test_a_product_that_is_missing_or_there_twice_differs_in_everything(sides: Sides) -> None:
    keys = sorted(sides.books())
    sides.change(keys[0], reference="gone")
    sides.shop.add_product(keys[1], 5)
    found = sides.compared(set(keys))
    for one in found.values():
        assert [line.partition(" ")[2] for line in one.differing] == [f"{n} products in the shop" for n in (0, 2)]


def test_what_is_no_longer_on_offer_must_be_hidden_and_at_zero_and_is_left_alone_otherwise(sides: Sides) -> None:
    known, key = set(sides.books()), next(iter(sides.books()))
    sides.sql("UPDATE SKz SET IObchod = 0 WHERE IDS = ? COLLATE NOCASE OR lower(IDS) = ?", key.upper(), key)
    found = sides.compared(known)
    assert [len(found[target].differing) for target in compare.TARGETS] == [1, 1, 0, 0]
    assert found["prices"].keys == len(known) - 1
    sides.change(key, active="0", price="1", unity="m")
    sides.shop.sell(key, sides.shop.quantity_of(key))
    assert not any(one.differing for one in sides.compared(known).values())


def test_what_was_never_on_offer_is_not_the_agents_business(sides: Sides) -> None:
    sides.shop.add_product("SOMEBODY-ELSES", 3)
    assert not any(one.differing for one in sides.compared(set(sides.books())).values())


def test_the_shops_own_spelling_of_html_is_no_difference_and_a_missing_bold_is(sides: Sides) -> None:
    key = key_with(sides, lambda thing: "<br>" in thing.fields["description"])
    text = sides.books()[key].fields["description"]
    products = sides.shop.store.tables["products"]
    products.change(sides.product(key), {"description": {2: text.replace("<br>", "<br />")}})
    assert not sides.compared({key})["products"].differing
    products.change(sides.product(key), {"description": {2: text.replace("<br>", "")}})
    assert sides.compared({key})["products"].differing
