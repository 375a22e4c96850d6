"""What only PrestaShop does with the categories of products: one set, many products in one request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.faults import Kind
from agent.demo.prestashop.webservice import Request
from agent.events import Done, Held, Outcome, Rejected, Unclear, Untried, Value
from agent.shops import prestashop_sets as sets
from agent.shops.prestashop_product_categories import ProductCategories
from tests.prestashop_parts import KEY, Parts, asked, done, owed, refused

P = "categories.products"
RECORDINGS = Path(__file__).parents[3] / "shared" / "shops" / "recordings" / "prestashop-9"


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop
        assert shop.internal_errors == []


@pytest.fixture
def parts(fake: FakePrestaShop) -> Iterator[Parts]:
    with Parts(fake) as made:
        yield made


def make_products(parts: Parts, root: str = "") -> ProductCategories:
    return ProductCategories(parts.http, parts.lists, parts.setup, short=parts.short, root=root)


@pytest.fixture
def placed(fake: FakePrestaShop, parts: Parts) -> tuple[dict[str, str], str]:
    """Three categories of ours, two of the owner's (one below our root), a product in the home."""
    fake.add_product("A")
    fake.things.set_categories("A", [2], 2)
    one = fake.things.add_category("Naše 1")
    two = fake.things.add_category("Naše 2", one)
    three = fake.things.add_category("Naše 3")
    return {"1": str(one), "2": f"{two}#{'ab' * 32}", "3": str(three)}, parts.link("A")


def put(parts: Parts, value: Value, placed: tuple[dict[str, str], str], root: str = "") -> Outcome:
    links, link = placed
    return make_products(parts, root).deliver([owed(P, "a", value, link, links)])[0]


def test_a_product_gets_its_categories_and_the_deepest_is_its_default(
    fake: FakePrestaShop, parts: Parts, placed: tuple[dict[str, str], str]
) -> None:
    value: Value = {"categories": ["1", "2"], "main": None}
    outcome = done(put(parts, value, placed))
    assert fake.things.categories_of("A") == ([2, 3, 4], 4)
    assert outcome.confirmed == {"categories": ["1", "2"], "main": "2"}
    said = parts.said()
    done(put(parts, value, placed))
    assert said == []


def test_the_main_category_is_the_default_and_a_chosen_one_stays(
    fake: FakePrestaShop, parts: Parts, placed: tuple[dict[str, str], str]
) -> None:
    done(put(parts, {"categories": ["1", "3"], "main": "3"}, placed))
    assert fake.things.categories_of("A") == ([2, 3, 5], 5)
    done(put(parts, {"categories": ["1", "2", "3"], "main": None}, placed))
    assert fake.things.categories_of("A") == ([2, 3, 4, 5], 5)
    done(put(parts, {"categories": ["1"], "main": None}, placed))
    assert fake.things.categories_of("A") == ([2, 3], 3)


def test_categories_that_the_owner_added_stay(
    fake: FakePrestaShop, parts: Parts, placed: tuple[dict[str, str], str]
) -> None:
    root = fake.things.add_category("Můstek")
    by_hand = [fake.things.add_category("Akce"), fake.things.add_category("Ručně", root)]
    fake.things.set_categories("A", [2, 3, 5, *by_hand], by_hand[0])
    outcome = done(put(parts, {"categories": ["2"], "main": None}, placed, str(root)))
    assert fake.things.categories_of("A") == ([2, 4, *by_hand], by_hand[0])
    assert outcome.confirmed == {"categories": ["2"], "main": None}


def test_a_product_is_never_left_without_a_category(
    fake: FakePrestaShop, parts: Parts, placed: tuple[dict[str, str], str]
) -> None:
    root = fake.things.add_category("Můstek")
    fake.things.set_categories("A", [3], 3)
    outcome = done(put(parts, {"categories": [], "main": None}, placed, str(root)))
    assert fake.things.categories_of("A") == ([root], root)
    assert outcome.confirmed == {"categories": [], "main": None}


def test_a_category_that_is_gone_in_the_shop_is_said_and_nothing_sent(
    parts: Parts, placed: tuple[dict[str, str], str]
) -> None:
    links, link = placed
    said = parts.said()
    outcome = refused(put(parts, {"categories": ["9"], "main": None}, ({**links, "9": "99"}, link)))
    assert "99" in outcome.reason
    assert "reconcile" in outcome.hint
    assert said == []


def test_a_combination_has_no_categories_of_its_own(fake: FakePrestaShop, parts: Parts) -> None:
    fake.add_product("B", combinations=[("B-S", 1)])
    shop = make_products(parts)
    value: Value = {"categories": [], "main": None}
    assert "whole product" in refused(shop.deliver([owed(P, "b-s", value, parts.link("B-S"))])[0]).reason
    assert isinstance(shop.find([asked("b-s", value)])["b-s"], Rejected)


def test_a_product_that_is_gone_loses_its_link(parts: Parts) -> None:
    outcomes = make_products(parts).deliver([owed(P, "a", {"categories": []}, link) for link in ("9:9:0", "x", None)])
    assert [refused(one).link_lost for one in outcomes] == [True] * 3


def test_products_are_found_and_read_with_our_categories(
    fake: FakePrestaShop, parts: Parts, placed: tuple[dict[str, str], str]
) -> None:
    links, link = placed
    fake.things.set_categories("A", [2, 4, 5], 4)
    found = make_products(parts).find([asked("a", None, links), asked("?", None, links)])
    assert found == {"a": Held("a", "A", link, {"categories": ["2", "3"], "main": "2"})}


def test_a_batch_costs_one_write_and_a_read_of_fifty(fake: FakePrestaShop, parts: Parts) -> None:
    one = fake.things.add_category("Naše")
    for number in range(60):
        fake.add_product(f"A{number}")
    links = {f"A{number}": parts.link(f"A{number}") for number in range(60)}
    shop = make_products(parts)
    before = dict(fake.requests)
    said = parts.said()
    value: Value = {"categories": ["1"], "main": None}
    outcomes = shop.deliver([owed(P, code, value, link, {"1": str(one)}) for code, link in links.items()])
    assert {type(each) for each in outcomes} == {Done}
    assert [(method, target) for method, target, _ in said] == [("PATCH", "/api/products")]
    reads = fake.requests[("GET", "products")] - before.get(("GET", "products"), 0)
    assert reads == 4  # before and after


def test_what_breaks_a_batch_off_is_sent_alone_and_the_rest_is_untried(fake: FakePrestaShop, parts: Parts) -> None:
    one = fake.things.add_category("Naše")
    for code in "ABCD":
        fake.add_product(code)
    links = {code: parts.link(code) for code in "ABCD"}
    value: Value = {"categories": ["1"], "main": None}
    sent = [owed(P, code, value, link, {"1": str(one)}) for code, link in links.items()]
    gone: list[str] = []

    def vanishes(request: Request) -> None:
        if not gone:
            fake.store.tables["products"].remove(3)
        gone.append(request.body.decode())

    fake.faults.chooser = vanishes
    outcomes = make_products(parts).deliver(sent)
    assert [type(each) for each in outcomes] == [Done, Done, Rejected, Untried]
    assert refused(outcomes[2]).link_lost
    assert [body.count("<product>") for body in gone] == [4, 1]
    assert fake.things.categories_of("B") == ([2, one], one)
    assert fake.things.categories_of("D") == ([2], 2)


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_apply", "s503_after_apply", "maintenance"])
def test_a_lost_answer_to_a_batch_is_unclear_for_what_was_sent_only(
    fake: FakePrestaShop, parts: Parts, kind: Kind
) -> None:
    one = fake.things.add_category("Naše")
    for code in "ABC":
        fake.add_product(code)
    fake.things.set_categories("A", [one], one)
    links = {code: parts.link(code) for code in "ABC"}
    value: Value = {"categories": ["1"], "main": None}
    sent = [owed(P, code, value, link, {"1": str(one)}) for code, link in links.items()]
    shop = make_products(parts)
    fake.faults.next(kind)
    assert [type(each) for each in shop.deliver(sent)] == [Done, Unclear, Unclear]
    assert {type(each) for each in shop.deliver(sent)} == {Done}
    assert fake.things.categories_of("C") == ([2, one], one)


@pytest.mark.parametrize(
    ("name", "step", "categories", "features"),
    [
        ("27-product-patch-categories", 1, [2, 12, 13], []),
        ("26-product-patch-features", 0, [2, 28], [3, 4]),
        ("26-product-patch-features", -1, [2, 28], []),
    ],
)
def test_sets_are_read_from_what_a_real_shop_said(
    name: str, step: int, categories: list[int], features: list[int]
) -> None:
    path = RECORDINGS / f"{name}.json"
    if not path.exists():
        reason = "the recordings of a real PrestaShop are not beside this checkout"
        pytest.fail(reason) if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip(reason)
    exchange = json.loads(path.read_text("utf-8"))["exchanges"][step]
    (row,) = json.loads(exchange["response"]["body"])["products"]
    assert sets.ids(row, "categories") == categories
    assert sets.ids(row, "product_features") == features
