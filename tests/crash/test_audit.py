"""The judge of the tree, parameters, firms and orders is judged: it must see each loss, each double, each way back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.demo.prestashop import FakePrestaShop
from tests.crash import shelf
from tests.crash.audit import Audit, audit
from tests.crash.desk_orders import CANCELLED, EXECUTED, PARTLY, REFUNDED, TRANSFERRED
from tests.crash.reckoning import Category, Holding, Hung, Ordered, due

CHAIRS = Category(("nábytek", "židle"), "Židle", True, "popis", None)
TOP = Category(("nábytek",), "Nábytek", True, "", b"png")
CARD = Hung(frozenset({("nábytek",)}), {"barva": frozenset({"bílá"})}, "acme", {"kovo": "o-1"}, "kovo")
HELD = Holding([TOP, CHAIRS], {"s-1": CARD}, {"ABC": Ordered(TRANSFERRED, "CZ1")})


def judged(
    shop: Holding = HELD,
    *,
    hidden: int = 0,
    owner: dict[str, int] | None = None,
    histories: dict[str, list[int]] | None = None,
) -> Audit:
    return audit(HELD, shop, hidden=hidden, owner=owner or {}, histories=histories or {})


def counts(shop: Holding, *, hidden: int = 0) -> tuple[int, int]:
    found = judged(shop, hidden=hidden)
    return len(found.lost), len(found.doubled)


def test_what_is_as_it_should_be_is_sound() -> None:
    assert judged() == Audit((), ())


@pytest.mark.parametrize(
    "other",
    [
        replace(CHAIRS, name="židle"),
        replace(CHAIRS, visible=False),
        replace(CHAIRS, description="jiný"),
        replace(CHAIRS, picture=b"x"),
    ],
)
def test_a_category_that_differs_is_lost(other: Category) -> None:
    assert counts(replace(HELD, tree=[TOP, other])) == (1, 0)


def test_a_category_that_is_missing_or_left_over_is_lost() -> None:
    assert counts(replace(HELD, tree=[TOP])) == (1, 0)
    assert counts(replace(HELD, tree=[*HELD.tree, replace(CHAIRS, way=("stoly",))])) == (1, 0)


def test_a_category_beyond_those_of_pohoda_is_doubled() -> None:
    assert counts(replace(HELD, tree=[*HELD.tree, CHAIRS])) == (0, 1)
    twins = replace(HELD, tree=[*HELD.tree, CHAIRS])
    assert audit(twins, twins, hidden=0, owner={}, histories={}) == Audit((), ())  # POHODA has two of one name


def test_as_many_hidden_categories_may_be_left_over_as_are_gone() -> None:
    gone = replace(CHAIRS, way=("stoly",), visible=False)
    assert counts(replace(HELD, tree=[*HELD.tree, gone]), hidden=1) == (0, 0)
    assert counts(replace(HELD, tree=[*HELD.tree, replace(CHAIRS, visible=False)]), hidden=1) == (0, 0)
    assert counts(replace(HELD, tree=[*HELD.tree, gone])) == (1, 0)
    assert counts(replace(HELD, tree=[*HELD.tree, replace(gone, visible=True)]), hidden=1) == (1, 0)


@pytest.mark.parametrize(
    "other",
    [
        replace(CARD, places=frozenset()),
        replace(CARD, parameters={"barva": frozenset({"bílá", "modrá"})}),
        replace(CARD, maker=""),
        replace(CARD, suppliers={"kovo": "o-2"}),
        replace(CARD, main=""),
    ],
)
def test_a_card_with_other_places_parameters_or_firms_is_lost(other: Hung) -> None:
    assert counts(replace(HELD, cards={"s-1": other})) == (1, 0)


@pytest.mark.parametrize("other", [Ordered(EXECUTED, "CZ1"), Ordered(PARTLY, "CZ1"), Ordered(TRANSFERRED, "")])
def test_an_order_in_another_state_or_without_its_number_is_lost(other: Ordered) -> None:
    assert counts(replace(HELD, orders={"ABC": other})) == (1, 0)


def test_an_order_that_went_back_is_told() -> None:
    assert judged(histories={"ABC": [2, EXECUTED, TRANSFERRED]}).regressed
    assert not judged(histories={"ABC": [2, PARTLY, EXECUTED, CANCELLED]}).regressed


def test_what_the_owner_did_by_hand_stays_unless_pohoda_is_further() -> None:
    assert due(Ordered(TRANSFERRED, "1"), EXECUTED, 2).state == EXECUTED
    assert due(Ordered(EXECUTED, "1"), TRANSFERRED, 2).state == EXECUTED
    assert due(Ordered(CANCELLED, None), EXECUTED, 2).state == CANCELLED
    assert due(Ordered(CANCELLED, None), REFUNDED, 2).state == REFUNDED
    assert due(Ordered(0, None), 0, 2).state == 2


def test_twins_in_the_shop_are_counted() -> None:
    with FakePrestaShop() as shop:
        shop.add_product("S-1", 5)
        feature = shop.things.add_feature("Barva")
        shop.things.add_feature_value(feature, "Bílá")
        for _ in range(2):
            shop.things.add_manufacturer("ACME")
        assert [one.split(":")[0] for one in shelf.twice(shop)] == ["manufacturers"]
        shop.things.add_feature_value(feature, " bílá")
        number = shop.orders.buy({"S-1": 1})
        for state in (TRANSFERRED, EXECUTED, TRANSFERRED):
            shop.orders.set_state(number, state)
        said = [one.split(":")[0] for one in shelf.twice(shop)]
        assert said == ["product_feature_values", "manufacturers", f"order {number}"]


def test_what_the_owner_put_there_must_stay() -> None:
    with FakePrestaShop() as shop:
        shop.add_product("S-1", 5)
        owner = shelf.furnish(shop, ["S-1"])
        assert shelf.robbed(shop, owner) == []
        assert shelf.held_by(shop, owner).cards["s-1"].places == frozenset()
        shop.things.set_categories("S-1", [owner.inside])
        shop.things.set_features("S-1", [])
        assert len(shelf.robbed(shop, owner)) == 2
