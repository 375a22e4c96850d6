"""Claims about the targets of manufacturers and suppliers: who they are, which is the default, and what is one firm."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from agent.entries import to_json
from agent.errors import Unusable
from agent.events import Value
from agent.sources.rows_catalogue import CardSupplier, CardSuppliersRow
from agent.targets import Collecting, GuardCount, Naming
from agent.targets.firms import Firms
from agent.targets.suppliers import Suppliers, SupplierSettings


def card(*suppliers: tuple[object, object, object], **given: Any) -> CardSuppliersRow:  # noqa: ANN401 - any field
    plain: dict[str, Any] = {"id": 1, "code": "A", "store": "HLAVNI", "internet": True}
    return CardSuppliersRow(**plain | {"suppliers": tuple(CardSupplier(*each) for each in suppliers)} | given)


def target(**given: Any) -> Suppliers:  # noqa: ANN401 - any setting
    return Suppliers(SupplierSettings(**given))


def firms(**given: Any) -> Firms:  # noqa: ANN401 - any setting
    return Firms(SupplierSettings(**given))


def sold_by(row: CardSuppliersRow) -> Value:
    made = target(fields=("suppliers",)).value("a", [row])
    assert isinstance(made, dict)
    return made["suppliers"]


def test_a_value_holds_exactly_the_configured_fields() -> None:
    row = card(("Dřevo s.r.o.", " D-1 ", 1), manufacturer=" ACME \t a.s. ")
    manufacturer: dict[str, Value] = {"manufacturer": "ACME a.s."}
    suppliers: dict[str, Value] = {"suppliers": [{"name": "Dřevo s.r.o.", "code": "D-1", "default": True}]}
    assert target().value("a", [row]) == manufacturer | suppliers
    assert target(fields=("manufacturer",)).value("a", [row]) == manufacturer
    assert target(fields=("suppliers",)).value("a", [row]) == suppliers


@pytest.mark.parametrize("nobody", [None, "", "  "])
def test_no_manufacturer_takes_ours_away(nobody: object) -> None:
    assert target().value("a", [card(manufacturer=nobody)]) == {"manufacturer": None, "suppliers": []}


def test_a_main_supplier_that_is_missing_among_them_is_the_default() -> None:
    assert sold_by(card(("Kov", "K", 0), main_supplier="Dřevo")) == [
        {"name": "Dřevo", "code": "", "default": True},
        {"name": "Kov", "code": "K", "default": False},
    ]
    assert sold_by(card(main_supplier="Dřevo")) == [{"name": "Dřevo", "code": "", "default": True}]


def test_there_is_never_more_than_one_default() -> None:
    for row in (card(("A", "", 1), ("B", "", 1)), card(("A", "", 0), ("B", "", 1), main_supplier="C")):
        made = sold_by(row)
        assert isinstance(made, list)
        assert [each["default"] for each in made if isinstance(each, dict)].count(True) == 1


def test_the_row_that_is_marked_wins_over_a_main_supplier_among_them() -> None:
    assert sold_by(card(("A", "", 0), ("B", "", 1), main_supplier="a")) == [
        {"name": "A", "code": "", "default": False},
        {"name": "B", "code": "", "default": True},
    ]
    assert sold_by(card(("A", "", 0), ("B", "", None), main_supplier=" b ")) == [
        {"name": "A", "code": "", "default": False},
        {"name": "B", "code": "", "default": True},
    ]


def test_a_doubled_name_is_one_supplier_with_its_first_code() -> None:
    row = card(("Dřevo", "", 0), ("DŘEVO ", "D-1", 1), (" dřevo", "D-2", 0), ("Drevo", "X", 0))
    assert sold_by(row) == [
        {"name": "Dřevo", "code": "D-1", "default": True},
        {"name": "Drevo", "code": "X", "default": False},
    ]


def test_a_supplier_without_a_name_is_left_out() -> None:
    assert sold_by(card((None, "A", 1), ("  ", "B", 1), main_supplier=" ")) == []


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (card(manufacturer="x" * 65), "SKz.Vyrobce"),
        (card(("x" * 65, "", 1)), "AD.Firma"),
        (card(main_supplier="x" * 65), "AD.Firma"),
        (card(("A", "x" * 65, 1)), "SKzNC.ObjKod"),
    ],
)
def test_what_is_longer_than_a_shop_keeps_is_unusable_and_names_its_column(row: CardSuppliersRow, field: str) -> None:
    with pytest.raises(Unusable) as caught:
        target().value("a", [row])
    assert caught.value.field == field
    assert caught.value.hint
    with pytest.raises(Unusable):
        firms().things([row])


def test_a_name_that_is_not_sent_may_be_of_any_length() -> None:
    assert target(fields=("suppliers",)).value("a", [card(manufacturer="x" * 65)]) == {"suppliers": []}
    assert target(fields=("manufacturer",)).value("a", [card(manufacturer="x" * 64)]) == {"manufacturer": "x" * 64}


def test_not_on_offer_is_none_and_nothing_is_taken_away() -> None:
    assert target().value("a", []) is None
    assert target().value("a", [card(manufacturer="ACME", internet=False)]) is None
    assert target().absent() is None


def test_the_card_that_speaks_decides_whatever_the_order_of_the_rows() -> None:
    rows = [card(manufacturer="A"), card(manufacturer="B", id=2, store="B"), card(id=3, store="C", internet=False)]
    assert len({to_json(target().value("a", each)) for each in permutations(rows)}) == 1
    assert target(stores=("B",), fields=("manufacturer",)).value("a", rows) == {"manufacturer": "B"}


def test_firms_are_all_that_a_card_names_and_what_it_needs() -> None:
    row = card(("ACME", "1", 1), ("Kov", "", 0), manufacturer="Acme", main_supplier="Dřevo")
    assert firms().things([row]) == {
        "manufacturer: acme": ("Acme", {"kind": "manufacturer", "name": "Acme"}),
        "supplier: dřevo": ("Dřevo", {"kind": "supplier", "name": "Dřevo"}),
        "supplier: acme": ("ACME", {"kind": "supplier", "name": "ACME"}),
        "supplier: kov": ("Kov", {"kind": "supplier", "name": "Kov"}),
    }
    for fields in (("manufacturer", "suppliers"), ("manufacturer",), ("suppliers",), ()):
        needed = target(fields=fields).needs(target(fields=fields).value("a", [row]))
        assert sorted(needed) == sorted(firms(fields=fields).things([row]))
    assert firms().things([row._replace(internet=False)]) == {}


def test_firms_are_named_by_cards_and_collected_from_them() -> None:
    assert isinstance(target(), Naming)
    assert isinstance(firms(), Collecting)
    assert (target().names, target().namer, target().thing, target().creator) == (
        *("firm", "suppliers.firms", "product", "products"),
    )
    assert (firms().name, firms().thing, firms().creates, firms().creator) == ("suppliers.firms", "firm", True, "")
    assert firms().value("a", [card(manufacturer="A")]) is None
    assert firms().absent() is None
    assert not firms().counts(None, {"kind": "supplier", "name": "A"})
    assert not firms().guard(GuardCount(100, 100))


def test_a_firm_is_the_same_by_kind_and_name() -> None:
    same = firms().same
    sent: Value = {"kind": "supplier", "name": "Dřevo"}
    assert same(sent, {"kind": "supplier", "name": " DŘEVO", "id": "3"})
    assert not same(sent, {"kind": "manufacturer", "name": "Dřevo"})
    assert not same(sent, {"kind": "supplier", "name": "Drevo"})
    assert not same(sent, None)


def test_what_the_shop_holds_is_the_same_of_what_both_tell() -> None:
    same = target().same
    sent = target().value("a", [card(("A", "1", 1), ("B", "2", 0), manufacturer="ACME")])
    assert same(sent, sent)
    assert same(sent, {"manufacturer": "acme "})
    assert same(sent, {"suppliers": [{"name": "b"}, {"name": "a", "code": "1"}]})
    assert not same(sent, {"manufacturer": None})
    assert not same(sent, {"manufacturer": "Acme 2"})
    assert not same(sent, {"suppliers": [{"name": "A", "code": "1", "default": True}]})
    assert not same(sent, {"suppliers": [{"name": "A", "code": "9"}, {"name": "B"}]})
    assert not same(sent, {"suppliers": [{"name": "A", "default": False}, {"name": "B"}]})
    assert not same(sent, {})
    assert not same(sent, {"weight": 1})
    assert not same(sent, None)
    assert same({"manufacturer": None}, {"manufacturer": None})
    assert not same({"manufacturer": None}, {"manufacturer": "ACME"})


def test_the_guard_counts_cards_that_lose_all_firms() -> None:
    some: Value = {"manufacturer": "ACME", "suppliers": []}
    none: Value = {"manufacturer": None, "suppliers": []}
    assert target().counts(some, none)
    assert not target().counts(None, none)  # a new card
    assert target().counts({"suppliers": [{"name": "A"}]}, none)
    assert not target().counts(none, none)
    assert not target().counts(some, some)
    assert not target().guard(GuardCount(9, 9))
    assert "21 of 100 products would lose their manufacturer" in target().guard(GuardCount(21, 100))


def test_both_targets_share_a_digest_of_what_forms_the_values() -> None:
    plain = target().fingerprint()
    assert firms().fingerprint() == target(fields=("suppliers", "manufacturer")).fingerprint() == plain
    assert target(fields=("suppliers",)).fingerprint() != plain
    assert (target().batch_size("prestashop"), firms().batch_size("prestashop")) == (50, 20)
