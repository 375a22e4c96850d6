"""Claims about the target of prices: its form, its rounding, and what the guard counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest

from agent.errors import Unusable
from agent.events import Value
from agent.targets import GuardCount
from agent.targets.prices import Prices, PriceSettings
from tests.unit.catalogue_fixture import card

Form = Literal["net", "gross"]


def prices(form: Form = "net", places: int = 6, **given: Any) -> Prices:  # noqa: ANN401 - any setting
    return Prices(PriceSettings(**given), form, places)


def amount(target: Prices, **given: Any) -> str:  # noqa: ANN401 - any field
    made = target.value("a", [card(**given)])
    assert isinstance(made, dict)
    assert made["form"] == target.form
    return str(made["amount"])


@pytest.mark.parametrize(("form", "given"), [("net", "100.5"), ("gross", "121.61")])
def test_the_price_is_the_one_that_pohoda_has_in_the_shops_form(form: Form, given: str) -> None:
    assert amount(prices(form), net=Decimal("100.5000"), gross=121.61) == given


@pytest.mark.parametrize(
    ("form", "given", "made"),
    [
        ("gross", {"net": 100}, "121"),
        ("net", {"gross": 121}, "100"),
        ("net", {"gross": 100}, "82.644628"),
        ("gross", {"net": 100, "vat": "low"}, "112"),
        ("gross", {"net": 100, "vat": "none"}, "100"),
        ("gross", {"net": "100", "vat_rate": 15}, "115"),
    ],
)
def test_the_other_form_is_reckoned_with_the_cards_rate(form: Form, given: dict[str, Any], made: str) -> None:
    assert amount(prices(form), **{"net": None, "gross": None} | given) == made


@pytest.mark.parametrize(
    ("places", "net", "made"),
    [
        (2, 1.005, "1.01"),
        (2, 2.675, "2.68"),
        (6, 1 / 3, "0.333333"),
        (0, 0.5, "1"),
        (2, 1e-9, "0"),
        (2, 123456789.1, "123456789.1"),
    ],
)
def test_the_price_has_as_many_places_as_the_shop_keeps(places: int, net: float, made: str) -> None:
    assert amount(prices(places=places), net=net) == made


@pytest.mark.parametrize(
    ("form", "step", "given", "made"),
    [
        ("gross", "1", {"gross": 121.5}, "122"),
        ("gross", "0.1", {"gross": 121.55}, "121.6"),
        ("gross", "0.01", {"gross": 121.555}, "121.56"),
        ("gross", "1", {"net": 100.2, "gross": None}, "121"),
        ("net", "1", {"net": 100.2, "gross": 121.242}, "100"),
        ("net", "1", {"net": 82.6446, "gross": 100}, "82.644628"),
    ],
)
def test_rounding_is_of_the_price_with_vat_whatever_the_shop_stores(
    form: Form, step: str, given: dict[str, Any], made: str
) -> None:
    assert amount(prices(form, round=step), **given) == made


def test_the_card_that_speaks_gives_the_price() -> None:
    rows = [card(store="HLAVNI", net=1), card(store="PRODEJNA", net=2)]
    assert prices(prices_from="prodejna").value("a", rows) == {"amount": "2", "form": "net"}
    assert prices(stores=("PRODEJNA", "HLAVNI")).value("a", rows) == {"amount": "2", "form": "net"}
    assert prices().value("a", rows) == {"amount": "1", "form": "net"}


def test_a_card_that_is_gone_keeps_its_price() -> None:
    assert prices().value("a", [card(internet=False)]) is None
    assert prices().absent() is None


@pytest.mark.parametrize(
    ("given", "column"),
    [
        ({"net": None, "gross": None}, "SKz.ProdejKc"),
        ({"net": None, "gross": None, "price_from": "SKzCn.ProdejC (level A)"}, "SKzCn.ProdejC (level A)"),
        ({"net": -0.01}, "SKz.ProdejKc"),
        ({"net": "zdarma"}, "SKz.ProdejKc"),
        ({"net": float("nan")}, "SKz.ProdejKc"),
        ({"gross": -5}, "SKz.ProdejKc"),
        ({"net": None, "vat": "third"}, "SKz.RelDPHp"),
        ({"net": None, "vat": ""}, "SKz.RelDPHp"),
    ],
)
def test_what_is_no_price_names_its_column(given: dict[str, Any], column: str) -> None:
    with pytest.raises(Unusable) as caught:
        prices().value("a", [card(**given)])
    assert (caught.value.field, bool(caught.value.hint)) == (column, True)


@pytest.mark.parametrize(
    ("old", "new", "counted"),
    [("100", "70", False), ("100", "69.99", True), ("100", "0", True), ("0", "0", False), ("100", "1000", False),
     ("0.001", "0", True)],
)  # fmt: skip # one line of numbers
def test_the_guard_counts_large_drops_and_drops_to_nothing(old: str, new: str, *, counted: bool) -> None:
    assert prices().counts({"amount": old, "form": "net"}, {"amount": new, "form": "net"}) is counted


@pytest.mark.parametrize("old", [None, {"amount": "121", "form": "gross"}])
def test_a_price_from_nobody_knows_where_is_thought_to_fall(old: Value) -> None:
    assert prices().counts(old, {"amount": "100", "form": "net"})


def test_without_a_guard_nothing_is_counted_or_held() -> None:
    target = prices(drop_guard=None)
    assert not target.counts({"amount": "100", "form": "net"}, {"amount": "0", "form": "net"})
    assert not target.guard(GuardCount(100, 100))


def test_the_guard_holds_many_drops_and_not_a_few() -> None:
    assert not prices().guard(GuardCount(9, 9))
    assert not prices().guard(GuardCount(20, 100))
    assert "21 of 100 prices would fall by more than 30% or to 0" in prices().guard(GuardCount(21, 100))


def test_what_forms_the_values_is_in_the_fingerprint_and_the_guard_is_not() -> None:
    others = [prices("gross"), prices(places=2), prices(level="A"), prices(round="1"), prices(prices_from="A")]
    assert len({each.fingerprint() for each in (prices(), *others)}) == 6
    assert prices(drop_guard=None).fingerprint() == prices().fingerprint()


def test_a_price_waits_for_the_product_that_products_creates() -> None:
    assert (prices().creates, prices().creator, prices().thing) == (False, "products", "product")
    assert prices().same({"amount": "1", "form": "net"}, {"amount": "1", "form": "net"})
    assert not prices().same({"amount": "1", "form": "net"}, {"amount": "1", "form": "gross"})


def test_another_form_of_a_levels_prices_computes_all_of_them_anew() -> None:
    net, gross = (Prices(PriceSettings(level="VIP", level_prices=form)).fingerprint() for form in ("net", "gross"))
    assert net != gross
