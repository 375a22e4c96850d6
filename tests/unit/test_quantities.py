"""Claims about the arithmetic of quantities, its guard, and the sentence that explains it."""

# ruff: noqa: ANN401 - settings and values are given by name and of any type
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Unusable
from agent.targets import GuardCount, Target
from agent.targets.quantities import Quantities, QuantitySettings

PLAIN = QuantitySettings(stores=(), deduct="none")


@dataclass(frozen=True)
class Row:
    stock: object
    reserved: object = 0
    ordered: object = 0
    store: str = "HLAVNI"
    internet: bool = True


def value(*rows: Row, **changes: Any) -> Any:
    return Quantities(replace(PLAIN, **changes)).value("a", rows)


def explain(*rows: Row, kind: Any = "saleable", **changes: Any) -> str:
    return Quantities(replace(PLAIN, **changes), kind).explain(rows).text


def test_it_is_a_target() -> None:
    target: Target = Quantities(PLAIN)
    assert (target.name, target.thing, target.absent()) == ("quantities", "product", 0)


def test_stores_are_summed_or_the_best_of_them_counts() -> None:
    rows = Row(10), Row(5, store="PRODEJNA")
    assert value(*rows) == 15
    assert value(*rows, combine="max") == 10


def test_a_deduction_is_per_store_before_the_best_is_chosen() -> None:
    assert value(Row(10, reserved=8), Row(5), combine="max", deduct="reservations") == 5


def test_a_store_below_zero_takes_from_the_others() -> None:
    assert value(Row(2, reserved=5), Row(10), deduct="reservations") == 7


def test_each_deduction_takes_its_own_column() -> None:
    row = Row(10, reserved=1, ordered=2)
    assert [value(row, deduct=each) for each in ("none", "reservations", "received-orders")] == [10, 9, 8]


@pytest.mark.parametrize(("combine", "left"), [("sum", 12), ("max", 7)])
def test_the_safety_stock_is_taken_once(combine: str, left: int) -> None:
    assert value(Row(10), Row(5), combine=combine, safety_stock=3) == left


@pytest.mark.parametrize(
    ("stock", "pieces"),
    [(None, 0), (0, 0), (-3, 0), (-0.0, 0), (2.9, 2), (0.99, 0), (2.9999999999999996, 3), (2.000000000000001, 2),
     (2.99999, 2), (Decimal("7.0000"), 7), (1e9, 1_000_000_000)],
)  # fmt: skip
def test_what_pohoda_says_becomes_whole_pieces_not_below_zero(stock: object, pieces: int) -> None:
    assert value(Row(stock)) == pieces
    assert type(value(Row(stock))) is int


def test_noise_in_the_fifteenth_place_costs_no_piece() -> None:
    assert value(*(Row(0.1) for _ in range(10))) == 1
    assert value(Row(0.3), Row(0.6), Row(0.1)) == 1


@pytest.mark.parametrize("odd", ["5", "", b"5", True, math.nan, math.inf, -math.inf, Decimal("NaN"), 10**400, [5]])
def test_what_is_no_number_is_unusable_and_names_its_column_and_store(odd: object) -> None:
    with pytest.raises(Unusable, match="in the store PRODEJNA") as caught:
        value(Row(5), Row(odd, store="PRODEJNA"))
    assert caught.value.field == "SKz.StavZ"
    assert caught.value.hint
    with pytest.raises(Unusable, match="Rezer"):
        value(Row(5, reserved=odd), deduct="reservations")
    with pytest.raises(Unusable, match="ObjedP"):
        value(Row(5, ordered=odd), deduct="received-orders")


@pytest.mark.parametrize("far", [1e30, -1e30, 1e308, 2.0**53 * 2, 2**53 + 2, Decimal("1e16")])
def test_what_no_double_can_count_is_unusable_and_names_its_column(far: object) -> None:
    with pytest.raises(Unusable, match="no number of pieces") as caught:
        value(Row(far))
    assert (caught.value.field, caught.value.hint) == ("SKz.StavZ", "Correct the card in POHODA.")
    with pytest.raises(Unusable, match="Rezer"):
        value(Row(5, reserved=far), deduct="reservations")
    assert value(Row(2**53)) == 2**53


def test_stores_that_add_up_to_no_number_are_unusable() -> None:
    with pytest.raises(Unusable, match="StavZ"):
        value(Row(2**53), Row(2**53))


@pytest.mark.parametrize("deduct", ["reservations", "received-orders"])
@pytest.mark.parametrize("combine", ["sum", "max"])
def test_a_negative_deduction_offers_nothing_that_is_not_in_stock(deduct: str, combine: str) -> None:
    row = Row(5, reserved=-3, ordered=-3)
    assert value(row, deduct=deduct, combine=combine) == 5
    assert explain(row, deduct=deduct, combine=combine) == "5 (HLAVNI) = 5"
    assert value(Row(5, reserved=-3), Row(5, reserved=2), deduct="reservations") == 8


def test_a_column_that_is_not_deducted_may_hold_anything() -> None:
    assert value(Row(5, reserved="x", ordered=None)) == 5


def test_ticked_in_one_store_all_chosen_stores_count() -> None:
    assert value(Row(10, internet=False), Row(5)) == 15


def test_ticked_nowhere_it_is_not_on_offer_whatever_its_numbers_are() -> None:
    assert value(Row("x", internet=False)) is None
    assert value() is None


@pytest.mark.parametrize(
    ("old", "new", "counted"), [(5, 0, True), (0, 0, False), (None, 0, True), (5, 1, False), (0, 5, False)]
)
def test_the_guard_counts_what_goes_to_zero(old: Any, new: Any, *, counted: bool) -> None:
    assert Quantities(PLAIN).counts(old, new) is counted


@pytest.mark.parametrize(
    ("counted", "total", "held"), [(9, 10, False), (10, 50, False), (11, 50, True), (10, 10, True), (0, 0, False)]
)
def test_the_guard_holds_ten_or_more_beyond_its_share(counted: int, total: int, *, held: bool) -> None:
    reason = Quantities(PLAIN).guard(GuardCount(counted, total))
    assert bool(reason) is held
    assert not held or f"{counted} of {total}" in reason


def test_a_guard_that_is_off_holds_nothing() -> None:
    assert Quantities(replace(PLAIN, zero_guard=None)).guard(GuardCount(1000, 1000)) == ""


def test_batches_fit_the_kind_of_shop() -> None:
    assert [Quantities(PLAIN).batch_size(kind) for kind in ("prestashop", "vendure", "new")] == [100, 100, 50]


@pytest.mark.parametrize(
    "change",
    [{"stores": ("A",)}, {"deduct": "reservations"}, {"combine": "max"}, {"safety_stock": 1}, {"card_types": (1, 5)}],
)
def test_settings_that_form_values_are_in_the_fingerprint(change: dict[str, Any]) -> None:
    assert Quantities(replace(PLAIN, **change)).fingerprint() != Quantities(PLAIN).fingerprint()


def test_settings_that_form_no_value_are_not_in_the_fingerprint() -> None:
    assert Quantities(replace(PLAIN, zero_guard=0.5, safety_stock=0.0)).fingerprint() == Quantities(PLAIN).fingerprint()
    one, two = replace(PLAIN, stores=("A", "B")), replace(PLAIN, stores=(" b", "a"))
    assert Quantities(one).fingerprint() == Quantities(two).fingerprint()


def test_the_sentence_shows_each_step() -> None:
    rows = Row(10, reserved=1), Row(5.0, reserved=2, store="PRODEJNA")
    text = explain(*rows, deduct="reservations", safety_stock=2)
    assert text == "10 (HLAVNI) + 5 (PRODEJNA) - 3 reserved - 2 safety = 10"


def test_the_sentence_shows_the_best_store() -> None:
    rows = Row(10, ordered=8), Row(5, store="PRODEJNA")
    text = explain(*rows, deduct="received-orders", combine="max", safety_stock=1)
    assert text == "best of [10 - 8 ordered (HLAVNI), 5 (PRODEJNA)] - 1 safety = 4"


@pytest.mark.parametrize(
    ("stock", "text"),
    [
        (-2, "-2 (HLAVNI) = -2, below zero: 0"),
        (-0.5, "-0.5 (HLAVNI) = -0.5, below zero: 0"),
        (2.5, "2.5 (HLAVNI) = 2.5, whole pieces: 2"),
        (2.9999999999999996, "3 (HLAVNI) = 3"),
        (None, "0 (HLAVNI) = 0"),
        (-0.00000001, "0 (HLAVNI) = 0"),
        (100, "100 (HLAVNI) = 100"),
    ],
)
def test_the_sentence_says_what_was_cut(stock: object, text: str) -> None:
    assert explain(Row(stock)) == text


def test_the_sentence_says_why_a_card_is_not_on_offer() -> None:
    assert explain(Row(5, internet=False)).startswith("not on offer: Internet is not ticked")
    assert explain().startswith("no card with this code")


def test_the_sentence_of_a_physical_shop_says_who_subtracts_its_orders() -> None:
    assert explain(Row(5), kind="physical").endswith("= 5 (the shop subtracts its own open orders)")


NUMBERS = st.one_of(st.none(), st.integers(-1000, 1000), st.decimals(-1000, 1000, places=3), st.integers(-99, 99))
ROWS = st.lists(st.builds(Row, stock=NUMBERS, reserved=NUMBERS, ordered=NUMBERS), min_size=1, max_size=6)


@given(rows=ROWS, combine=st.sampled_from(["sum", "max"]), safety=st.integers(0, 9))
def test_the_value_is_what_exact_fractions_give_and_what_the_sentence_says(
    rows: list[Row], combine: Any, safety: int
) -> None:
    target = Quantities(replace(PLAIN, combine=combine, deduct="reservations", safety_stock=safety))
    left = [Fraction(str(row.stock or 0)) - max(Fraction(str(row.reserved or 0)), Fraction()) for row in rows]
    exact = max(int(((sum(left) if combine == "sum" else max(left)) - safety) // 1), 0)
    assert target.value("a", rows) == exact == target.explain(rows).value
