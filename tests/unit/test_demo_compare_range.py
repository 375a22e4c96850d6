"""The demo's comparison of categories, parameters, firms and orders finds what differs, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.demo import asked, compare_orders, compare_range, owner, pohoda
from agent.demo.asked import Range
from agent.demo.compare import Compared
from agent.demo.office import Office
from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.images import Picture
from agent.demo.prestashop.schema import Cell

STORES = ("HLAVNÍ", "PRODEJNA")


@dataclass
class Sides:
    """POHODA's tables and files, and a shop that holds exactly what they ask for, and what its owner put in."""

    folder: Path
    shop: FakePrestaShop = field(default_factory=FakePrestaShop)
    own: owner.Own = field(default_factory=owner.Own)

    def books(self) -> Range:
        return asked.of_pohoda(self.folder / "pohoda.db", self.folder / "Dokumenty", STORES)

    def sql(self, statement: str, *given: object) -> None:
        with closing(sqlite3.connect(self.folder / "pohoda.db")) as db, db:
            db.execute(statement, given)

    def compared(self) -> dict[str, list[str]]:
        """Keys that differ, by target; only targets with any."""
        found = self.records()
        return {
            name: [line.partition(":")[0] for line in one.differing] for name, one in found.items() if one.differing
        }

    def records(self) -> dict[str, Compared]:
        books = self.books()
        return {
            one.target: one for one in compare_range.compare(books, self.shop, told=books.cards.keys(), own=self.own)
        }

    def category(self, *way: str) -> int:
        above = owner.ROOT
        for name in way:
            (above,) = self.shop.things.ids("categories", name, above)
        return above

    def change(self, resource: str, row: int, **values: str) -> None:
        self.shop.store.tables[resource].change(row, dict(values))

    def fill(self) -> None:
        codes = pohoda.codes(self.folder / "pohoda.db")
        for code in codes:
            self.shop.add_product(code, 1)
        self.own = owner.furnish(self.shop, codes)
        books = self.books()
        for way, shown in books.tree.items():
            made = self.shop.things.add_category(way[-1], self.category(*way[:-1]), active=shown.visible)
            self.shop.store.tables["categories"].change(made, {"description": {2: shown.description}})
            if shown.picture is not None:
                self.shop.store.faces["categories", made] = Picture(made, 0, 0, cover=True, data=shown.picture)
        for key, card in books.cards.items():
            self._give(next(code for code in codes if code.casefold() == key), key, card)

    def _give(self, code: str, key: str, card: asked.Card) -> None:
        things, mine = self.shop.things, key in self.own.keys
        ours = [self.category(*way) for way in card.categories]
        things.set_categories(code, [owner.HOME, *ours, *([self.own.category] if mine else [])])
        pairs = {*card.parameters, *([(owner.PARAMETER.casefold(), owner.VALUE.casefold())] if mine else [])}
        things.set_features(code, [self._term(name, value) for name, value in sorted(pairs)])
        products, row = self.shop.store.tables["products"], self.product(code)
        main = self._firm("suppliers", card.main) if card.main else 0
        products.change(row, {"id_manufacturer": self._firm("manufacturers", card.maker), "id_supplier": main})
        for name, reference in card.suppliers:
            self.shop.store.tables["product_suppliers"].insert(
                {
                    "id_product": row,
                    "id_supplier": self._firm("suppliers", name),
                    "product_supplier_reference": reference,
                }
            )

    def product(self, code: str) -> int:
        (row,) = self.shop.store.tables["products"].find("reference", code)
        return row

    def _term(self, name: str, value: str) -> tuple[int, int]:
        things = self.shop.things
        feature = (things.ids("product_features", name) or [things.add_feature(name)])[0]
        there = things.ids("product_feature_values", value, feature)
        return feature, (there or [things.add_feature_value(feature, value)])[0]

    def _firm(self, resource: str, name: str) -> int:
        things = self.shop.things
        make = things.add_supplier if resource == "suppliers" else things.add_manufacturer
        return (things.ids(resource, name) or [make(name)])[0]


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    pohoda.create(tmp_path / "pohoda.db", stores=STORES, cards=60, catalogue=True, documents=tmp_path / "Dokumenty")
    made = Sides(tmp_path)
    made.fill()
    return made


@pytest.fixture
def card(sides: Sides) -> str:
    """The code of a product that has something of each kind, and something of the owner's."""
    key = next(
        key
        for key, card in sorted(sides.books().cards.items())
        if card.categories and card.parameters and card.suppliers and key in sides.own.keys
    )
    return next(code for code in pohoda.codes(sides.folder / "pohoda.db") if code.casefold() == key)


def test_equal_sides_have_no_difference_and_everything_was_compared(sides: Sides) -> None:
    found, books = sides.records(), sides.books()
    assert sides.compared() == {}
    assert found["categories"].keys == len(books.tree) == 30
    assert {found[name].keys for name in ("categories.products", "parameters", "suppliers")} == {len(books.cards)}
    assert found["parameters.terms"].keys > 20
    assert found["suppliers.firms"].keys >= 9
    assert sum(shown.picture is not None for shown in books.tree.values()) == 6
    assert {shown.visible for shown in books.tree.values()} == {True, False}


@pytest.mark.parametrize(("name", "value"), [("active", "0"), ("description", ""), ("name", "Zahrada 2")])
def test_a_category_that_is_hidden_emptied_or_renamed_is_found(sides: Sides, name: str, value: str) -> None:
    category = sides.category("Zahrada")
    values: Cell = value if name == "active" else {2: value}
    sides.shop.store.tables["categories"].change(category, {name: values})
    assert "Zahrada" in sides.compared()["categories"]


def test_a_category_that_lies_elsewhere_and_another_picture_are_found(sides: Sides) -> None:
    sides.shop.store.faces["categories", sides.category("Zahrada")].data = b"other"
    assert sides.compared() == {"categories": ["Zahrada"]}
    moved = sides.category("Domácnost", "Kuchyně", "Konvice")
    sides.change("categories", moved, id_parent=str(sides.category("Zahrada")))
    assert sides.compared()["categories"] == ["Domácnost / Kuchyně / Konvice", "Zahrada", "Zahrada / Konvice"]


def test_what_is_gone_in_pohoda_must_be_hidden_and_its_products_taken_out(sides: Sides) -> None:
    sides.sql("DELETE FROM SkRefKat WHERE RefKat = (SELECT ID FROM SkKat WHERE IDS = 'Hrábě')")
    sides.sql("DELETE FROM SkKat WHERE IDS = 'Hrábě'")
    inside = [
        key for key in sides.books().cards if sides.category("Zahrada", "Ruční nářadí", "Hrábě") in held(sides, key)
    ]
    found = sides.compared()
    assert found.pop("categories") == ["Zahrada / Ruční nářadí / Hrábě"]
    assert found.pop("categories.products", []) == sorted(inside)
    sides.change("categories", sides.category("Zahrada", "Ruční nářadí", "Hrábě"), active="0")
    assert "categories" not in sides.compared()


def held(sides: Sides, key: str) -> list[int]:
    code = next(code for code in pohoda.codes(sides.folder / "pohoda.db") if code.casefold() == key)
    return sides.shop.things.categories_of(code)[0]


def test_a_product_in_another_category_or_out_of_the_owners_is_found(sides: Sides, card: str) -> None:
    there, _ = sides.shop.things.categories_of(card)
    for changed in ([*there, sides.category("Nábytek")], [one for one in there if one != sides.own.category]):
        sides.shop.things.set_categories(card, changed)
        assert sides.compared() == {"categories.products": [card.casefold()]}
    sides.shop.things.set_categories(card, [*there, owner.HOME])
    assert sides.compared() == {}


def test_a_value_that_is_missing_added_or_the_owners_that_is_gone_is_found(sides: Sides, card: str) -> None:
    things = sides.shop.things
    pairs = [
        (
            *things.ids("product_features", name),
            *things.ids("product_feature_values", value, *things.ids("product_features", name)),
        )
        for name, values in things.features_of(card).items()
        for value in values
    ]
    given: list[tuple[int, int]] = [(feature, value) for feature, value in pairs]
    for place in range(len(given)):
        things.set_features(card, given[:place] + given[place + 1 :])
        assert sides.compared() == {"parameters": [card.casefold()]}
    things.set_features(card, given)
    assert sides.compared() == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda sides, row: sides.change("products", row, id_manufacturer="0"),
        lambda sides, row: sides.change("products", row, id_supplier="0"),
        lambda sides, row: sides.change(
            "product_suppliers",
            sides.shop.store.tables["product_suppliers"].find("id_product", row)[0],
            product_supplier_reference="other",
        ),
    ],
)
def test_another_manufacturer_preferred_supplier_or_code_is_found(
    sides: Sides, card: str, change: Callable[[Sides, int], None]
) -> None:
    change(sides, sides.product(card))
    assert sides.compared() == {"suppliers": [card.casefold()]}


def test_what_is_there_twice_is_found_whatever_its_case(sides: Sides) -> None:
    sides.shop.things.add_feature("MATERIÁL ")
    assert sides.compared() == {"parameters.terms": ["product_features materiál"]}
    sides.shop.things.add_supplier("Železářství  Praha")
    assert sides.compared()["suppliers.firms"] == ["suppliers železářství praha"]


def test_a_product_that_is_there_twice_differs_in_everything_of_its_own(sides: Sides, card: str) -> None:
    sides.shop.add_product(card, 1)
    assert sides.compared() == {
        target: [card.casefold()] for target in ("categories.products", "parameters", "suppliers")
    }


# ------------------------------------------------------------------------------------------------------------ orders


@dataclass
class Desk:
    """An office, and customers."""

    sides: Sides
    office: Office

    def order(self, date: str | None = None) -> tuple[str, int]:
        code = next(iter(self.sides.shop.quantities()))
        number = self.sides.shop.orders.buy({code: 2})
        return number, self.office.orders.write(number, {code: 2}, date=date)

    def differing(self) -> list[str]:
        (found,) = compare_orders.compare(self.sides.folder / "pohoda.db", self.sides.shop)
        return found.differing


@pytest.fixture
def desk(sides: Sides) -> Desk:
    return Desk(sides, Office(sides.folder / "pohoda.db", sides.folder / "Dokumenty"))


def test_each_state_of_an_order_is_expected_when_pohoda_has_it(desk: Desk) -> None:
    number, order = desk.order()
    assert desk.differing() == []
    (code,) = desk.office.orders.codes(order)
    works: list[tuple[Callable[[], None], int]] = [
        (lambda: desk.office.orders.transfer(order, {code: 1}), compare_orders.PARTLY),
        (lambda: desk.office.orders.transfer(order), compare_orders.TRANSFERRED),
        (lambda: desk.office.orders.execute(order), compare_orders.EXECUTED),
    ]
    for work, state in works:
        work()
        assert len(desk.differing()) == 1
        desk.sides.shop.orders.set_state(number, state)
        assert desk.differing() == []


def test_a_cancelled_order_must_be_cancelled_and_one_of_long_ago_must_stay(desk: Desk) -> None:
    number, order = desk.order()
    _, old = desk.order("2019-05-05")
    desk.office.orders.execute(old)
    assert desk.differing() == []
    desk.office.orders.cancel(order)
    assert len(desk.differing()) == 1
    desk.sides.shop.orders.set_state(number, compare_orders.CANCELLED)
    assert desk.differing() == []


@pytest.mark.parametrize("states", [(5, 5), (4, 3, 5), (7, 5), (3, 5, 4)])
def test_a_state_that_came_twice_backwards_or_from_nowhere_is_found(desk: Desk, states: tuple[int, ...]) -> None:
    number, order = desk.order()
    desk.office.orders.execute(order)
    for state in states:
        desk.sides.shop.orders.set_state(number, state)
    assert len(desk.differing()) == 1
