"""Lists of categories, parameters, suppliers and orders: what documents tell is in the mirror, for the views."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.sources.views.card_categories import CardCategoriesView
from agent.sources.views.card_parameters import CardParametersView
from agent.sources.views.card_suppliers import CardSuppliersView
from agent.sources.views.categories import CategoriesView
from agent.sources.views.orders import OrdersView
from state import mirror
from tests.unit.list_documents import (
    Desk,
    card,
    cards,
    categories,
    category,
    definition,
    in_categories,
    order,
    orders,
    parameter,
    parameters,
    supplied,
    suppliers,
    with_parameters,
)
from tests.unit.tables_fixture import only, seen, several

ORDERS = OrdersView(since=dt.date(2026, 11, 1))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


# ------------------------------------------------------------------------------------------------------- categories


def test_a_tree_is_taken_in_with_all_that_its_categories_say(desk: Desk) -> None:
    more = "<ctg:description>popis</ctg:description><ctg:sequence>3</ctg:sequence><ctg:displayed>false</ctg:displayed>"
    more += "<ctg:picture>k.jpg</ctg:picture><ctg:note>p</ctg:note>"
    desk.tell(categories(category(1, "Nábytek", category(2, "Židle", category(4, "Ž"), more=more)), category(3, "X")))
    found = desk.sql("SELECT ID, IDS, SText, RefNodeID, Poradi, Zobraz, Obrazek, Pozn FROM SkKat ORDER BY ID")
    assert found == [
        (1, "Nábytek", None, 0, None, 1, None, None),
        (2, "Židle", "popis", 1, 3, 0, "k.jpg", "p"),
        (3, "X", None, 0, None, 1, None, None),
        (4, "Ž", None, 2, None, 1, None, None),
    ]
    follower = desk.follow(CategoriesView(), ["categories"])
    follower.all()
    assert {key: (row.code, row.parent, row.visible) for key, row in seen(follower).items()} == {
        "1": ("Nábytek", None, True),
        "2": ("Nábytek / Židle", 1, False),
        "3": ("X", None, True),
        "4": ("Nábytek / Židle / Ž", 2, True),
    }


def test_a_category_that_a_later_document_does_not_tell_of_stays(desk: Desk) -> None:
    desk.tell(categories(category(1, "A"), category(2, "B")))
    desk.tell(categories(category(2, "C"), stamp="2026-11-20T08:01:00"))
    assert desk.sql("SELECT ID, IDS FROM SkKat ORDER BY ID") == [(1, "A"), (2, "C")]


def test_only_what_changed_in_a_branch_moves_and_what_lies_below_it(desk: Desk) -> None:
    desk.tell(categories(category(1, "A", category(2, "B", category(3, "C")), category(4, "D"))))
    before = desk.versions("SkKat")
    desk.tell(categories(category(1, "A", category(2, "b", category(3, "C")), category(4, "D"))))
    named = desk.versions("SkKat")
    assert {row for row in named if named[row] != before[row]} == {2}
    desk.tell(categories(category(1, "A", category(4, "D", category(2, "b", category(3, "C"))))))
    moved = desk.versions("SkKat")
    assert {row for row in moved if moved[row] != named[row]} == {2, 3}
    assert len(set(moved.values())) == 4


def test_an_unchanged_branch_is_passed_over_without_being_parsed(desk: Desk) -> None:
    branches = category(1, "A", category(2, "B")), category(3, "C")
    desk.tell(categories(*branches))
    before = desk.versions("SkKat")
    last = desk.tell(categories(*branches, stamp="2026-11-20T08:01:00"))
    assert (last.outcome, last.looked, last.changed) == ("done", 2, 0)
    assert desk.versions("SkKat") == before


def test_a_branch_that_comes_back_after_its_category_was_elsewhere_is_read_again(desk: Desk) -> None:
    first = category(1, "A", category(2, "B"))
    desk.tell(categories(first, category(3, "C")))
    desk.tell(categories(category(3, "C", category(2, "B"))))  # of the first branch nothing is told
    assert desk.sql("SELECT RefNodeID FROM SkKat WHERE ID = 2") == [(3,)]
    desk.tell(categories(first, stamp="2026-11-20T08:01:00"))
    assert desk.sql("SELECT RefNodeID FROM SkKat WHERE ID = 2") == [(1,)]


def test_a_branch_that_is_what_it_was_before_a_change_is_read_again(desk: Desk) -> None:
    first = category(1, "A", category(2, "B"))
    desk.tell(categories(first))
    desk.tell(categories(category(1, "a")))
    desk.tell(categories(first, stamp="2026-11-20T08:01:00"))
    assert desk.sql("SELECT IDS FROM SkKat ORDER BY ID") == [("A",), ("B",)]


def test_a_circle_of_several_documents_ends_and_is_told_by_the_view(desk: Desk) -> None:
    desk.tell(categories(category(1, "A", category(2, "B"))))
    desk.tell(categories(category(2, "B", category(1, "A"))))
    desk.tell(
        categories(
            "<ctg:category><ctg:id>2</ctg:id><ctg:name>B</ctg:name><ctg:parentId>1</ctg:parentId></ctg:category>"
        )
    )
    follower = desk.follow(CategoriesView(), ["categories"])
    follower.all()
    assert all("circle" in row.broken for row in seen(follower).values())


def test_cards_move_when_a_category_comes_that_they_are_in(desk: Desk) -> None:
    desk.tell(cards(card("A", 1, inside=in_categories(5, main=5)), card("B", 2, inside=in_categories(6))))
    follower = desk.follow(CardCategoriesView())
    follower.all()
    assert only(follower, "a").categories == ()
    desk.tell(categories(category(5, "X")))
    assert follower.all() == ["a"]
    assert (only(follower, "a").categories, only(follower, "a").main) == ((5,), 5)


def test_a_category_that_cannot_be_read_is_noted_and_its_neighbours_are_taken(desk: Desk) -> None:
    nameless = "<ctg:category><ctg:name>bez čísla</ctg:name></ctg:category>"
    last = desk.tell(categories(category(1, "A"), nameless, category(2, "B")))
    assert (last.looked, last.bad) == (3, 1)
    with desk.file.read() as db:
        (bad,) = mirror.bad_items(db)
    assert (bad["code"], "no id" in bad["reason"]) == ("bez čísla", True)
    assert desk.sql("SELECT ID FROM SkKat ORDER BY ID") == [(1,), (2,)]


# ------------------------------------------------------------------------------------------------------- parameters


def test_a_definition_gives_the_cards_their_unit_and_moves_them(desk: Desk) -> None:
    length = parameter(2, "Délka", "numberValue", (None, "12.50"))
    desk.tell(cards(card("A", 1, inside=with_parameters(length)), card("B", 2, inside=with_parameters())))
    follower = desk.follow(CardParametersView(), ["cards", "card_parameters"])
    follower.all()
    desk.tell(parameters(definition(2, "Délka", "numberValue", unit="cm"), definition(3, "Jiný", "textValue")))
    assert follower.all() == ["a"]
    (one,) = only(follower, "a").parameters
    assert (one.name, one.kind, one.unit, one.number, one.currency) == ("Délka", 5, "cm", 12.5, "")


def test_a_renamed_value_of_a_list_moves_the_cards_that_have_the_parameter(desk: Desk) -> None:
    desk.tell(parameters(definition(1, "Barva", "listValue", choices=[(4, "bílá"), (5, "modrá")])))
    chosen = parameter(1, "Barva", "listValue", (5, "modrá"), (4, "bílá"))
    desk.tell(cards(card("A", 1, inside=with_parameters(chosen)), card("B", 2)))
    follower = desk.follow(CardParametersView())
    follower.all()
    assert only(follower, "a").parameters[0].chosen == ("modrá", "bílá")
    desk.tell(parameters(definition(1, "Barva", "listValue", choices=[(4, "bílá"), (5, "tmavě modrá")])))
    assert follower.all() == ["a"]
    assert only(follower, "a").parameters[0].chosen == ("tmavě modrá", "bílá")


def test_the_currency_of_a_definition_is_its_code(desk: Desk) -> None:
    desk.tell(parameters(definition(1, "Záloha", "currencyValue", currency="EUR")))
    desk.tell(cards(card("A", 1, inside=with_parameters(parameter(1, "Záloha", "currencyValue", (None, "10"))))))
    follower = desk.follow(CardParametersView(), ["cards", "parameters"])
    follower.all()
    (one,) = only(follower, "a").parameters
    assert (one.currency, one.money) == ("EUR", 10)


def test_a_definition_that_a_card_contradicted_is_read_again(desk: Desk) -> None:
    defined = definition(1, "Barva", "listValue", choices=[(4, "bílá")])
    desk.tell(parameters(defined))
    renamed = parameter(1, "Odstín", "listValue", (4, "bělavá"))
    desk.tell(cards(card("A", 1, inside=with_parameters(renamed))))
    assert desk.sql("SELECT p.IDS, v.IDS FROM SkParam p, SkParamList v") == [("Odstín", "bělavá")]
    desk.tell(parameters(defined, stamp="2026-11-20T08:01:00"))
    assert desk.sql("SELECT p.IDS, v.IDS FROM SkParam p, SkParamList v") == [("Barva", "bílá")]


def test_an_unchanged_definition_is_passed_over(desk: Desk) -> None:
    desk.tell(parameters(definition(1, "A", "textValue"), definition(2, "B", "unit")))
    last = desk.tell(parameters(definition(1, "A", "textValue"), definition(2, "C", "unit")))
    assert (last.looked, last.changed) == (2, 1)


# -------------------------------------------------------------------------------------------------------- suppliers


def test_suppliers_hang_on_the_card_of_the_id_and_are_named_by_the_address_book(desk: Desk) -> None:
    desk.tell(cards(card("A", 1), card("A", 2, store="PRODEJNA")))
    desk.tell(suppliers(supplied(1, "A", (25, "Dřevo", "D-1", True), (26, "Kov", "", False))))
    follower = desk.follow(CardSuppliersView(), ["cards", "suppliers"])
    follower.all()
    first, second = sorted(several(follower, "a"), key=lambda row: int(row.id))
    assert [(one.name, one.order_code, one.default) for one in first.suppliers] == [
        ("Dřevo", "D-1", True),
        ("Kov", None, False),
    ]
    assert second.suppliers == ()


def test_suppliers_without_a_known_id_hang_on_all_cards_of_the_code(desk: Desk) -> None:
    desk.tell(cards(card("A", 0), card("A", 0, store="PRODEJNA"), card("B", 0)))
    desk.tell(suppliers(supplied(77, "a ", (None, "Dřevo", "", False))))
    follower = desk.follow(CardSuppliersView())
    follower.all()
    assert [[one.name for one in row.suppliers] for row in several(follower, "a")] == [["Dřevo"], ["Dřevo"]]
    assert only(follower, "b").suppliers == ()


def test_only_the_cards_whose_suppliers_changed_move_and_all_when_a_firm_is_renamed(desk: Desk) -> None:
    desk.tell(
        cards(card("A", 1), card("B", 2), card("C", 3, inside="<stk:supplier><typ:id>25</typ:id></stk:supplier>"))
    )
    desk.tell(suppliers(supplied(1, "A", (25, "Dřevo", "x", False)), supplied(2, "B", (25, "Dřevo", "y", False))))
    before = desk.versions()
    desk.tell(suppliers(supplied(1, "A", (25, "Dřevo", "z", False)), supplied(2, "B", (25, "Dřevo", "y", False))))
    now = desk.versions()
    assert {row for row in now if now[row] != before[row]} == {1}
    desk.tell(suppliers(supplied(1, "A", (25, "Dřevo a syn", "z", False))))
    last = desk.versions()
    assert {row for row in last if last[row] != now[row]} == {1, 2, 3}
    follower = desk.follow(CardSuppliersView())
    follower.all()
    assert only(follower, "c").main_supplier == "Dřevo a syn"


def test_suppliers_told_before_their_card_are_its_when_it_comes(desk: Desk) -> None:
    one = supplied(1, "A", (25, "Dřevo", "x", False))
    desk.tell(suppliers(one))
    desk.tell(cards(card("A", 1)))
    assert desk.sql("SELECT c.IDS, s.Firma FROM SKzNC s JOIN SKz c ON c.ID = s.RefAg") == [("A", "Dřevo")]
    last = desk.tell(suppliers(one, stamp="2026-11-20T08:02:00"))
    again = desk.tell(suppliers(one, stamp="2026-11-20T08:03:00"))
    assert (last.changed, again.changed) == (1, 0), "the card was not there to remember the digest"


def test_suppliers_of_a_code_that_no_card_has_are_noted(desk: Desk) -> None:
    last = desk.tell(suppliers(supplied(None, "NIKDE", (25, "Dřevo", "x", False))))
    assert (last.changed, last.bad) == (0, 1)
    with desk.file.read() as db:
        (bad,) = mirror.bad_items(db)
    assert (bad["code"], "no card" in bad["reason"]) == ("nikde", True)


def test_suppliers_that_were_taken_away_are_gone_and_the_manufacturer_is_the_cards(desk: Desk) -> None:
    desk.tell(cards(card("A", 1, inside="<stk:producer>ACME</stk:producer>")))
    desk.tell(suppliers(supplied(1, "A", (25, "Dřevo", "x", False))))
    desk.tell(suppliers(supplied(1, "A")))
    follower = desk.follow(CardSuppliersView())
    follower.all()
    assert (only(follower, "a").suppliers, only(follower, "a").manufacturer) == ((), "ACME")


# ----------------------------------------------------------------------------------------------------------- orders


def test_the_state_of_an_order_is_read_back(desk: Desk) -> None:
    more = "<ord:isExecuted>true</ord:isExecuted><ord:isDelivered>false</ord:isDelivered>"
    gone = "<ord:storno>cancelledDocument</ord:storno><ord:dateCancellation>2026-11-19</ord:dateCancellation>"
    silent = "<ord:storno>cancelledDocument</ord:storno>"
    desk.tell(
        orders(
            order(1, "E1", (12, "Z1", 2, 1.5), (None, "", 1, 0), more=more),
            order(2, "E2", more=gone),
            order(3, "E3", more=silent),
        )
    )
    follower = desk.follow(ORDERS, ["orders"])
    follower.all()
    first, second, third = (only(follower, key) for key in ("e1", "e2", "e3"))
    assert (first.code, first.number, first.date, first.executed, first.transferred, first.cancelled) == (
        *("E1", "2600001", "2026-11-18", True, False, None),
    )
    assert [(line.code, line.quantity, line.delivered) for line in first.lines] == [("Z1", 2, 1.5)]
    assert second.cancelled == "2026-11-19"
    assert third.cancelled, "that it was cancelled is known, if not when"


def test_issued_orders_are_left_out(desk: Desk) -> None:
    desk.tell(orders(order(1, "E1"), order(2, "E2", kind="issuedOrder"), order(3, "E3", kind="")))
    assert desk.sql("SELECT ID, RelTpObj FROM OBJ") == [(1, 1)]


def test_only_the_order_that_changed_moves_and_its_lines_keep_their_ids(desk: Desk) -> None:
    other = order(2, "E2", (1, "A", 1, 0))
    desk.tell(orders(order(1, "E1", (1, "A", 2, 0), (2, "B", 1, 0)), other))
    before, lines = desk.versions("OBJ"), dict(desk.sql("SELECT Kod, ID FROM OBJpol WHERE RefAg = 1"))
    last = desk.tell(orders(order(1, "E1", (1, "A", 2, 0), (2, "B", 1, 1)), other))
    after = desk.versions("OBJ")
    assert (last.looked, last.changed) == (2, 1)
    assert {row for row in after if after[row] != before[row]} == {1}
    assert dict(desk.sql("SELECT Kod, ID FROM OBJpol WHERE RefAg = 1"))["A"] == lines["A"]


def test_orders_of_one_number_are_one_key_with_all_their_rows(desk: Desk) -> None:
    desk.tell(orders(order(1, "E1"), order(2, "e1 ")))
    follower = desk.follow(ORDERS, ["orders"])
    follower.all()
    assert [row.id for row in follower.rows["e1"]] == [1, 2]
