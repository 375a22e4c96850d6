"""What only PrestaShop does with prices: impacts of combinations, many in one PATCH, refusals in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.demo.prestashop import FakePrestaShop, Fault
from agent.errors import ShopUnavailable
from agent.events import Done, Event, Held, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops.prestashop import PrestaShop

KEY = "S3CR3T-K3Y-" + "k" * 21
C = "prices"


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop
        assert shop.internal_errors == []


@pytest.fixture
def shop(fake: FakePrestaShop) -> Iterator[PrestaShop]:
    with closing(PrestaShop(fake.url, key=KEY, timeout=2.0)) as adapter:
        yield adapter


def held(shop: PrestaShop, code: str) -> Held:
    found = shop.find(C, [Wanted(key_of(code), code)])[key_of(code)]
    assert isinstance(found, Held), found
    return found


def owed(amount: str, link: str | None, code: str = "A") -> Owed:
    return Owed(Event(C, key_of(code), net(amount), code), link)


def net(amount: str) -> Value:
    return {"amount": amount, "form": "net"}


def price(fake: FakePrestaShop, table: str, number: int) -> object:
    return fake.store.tables[table].rows[number].get("price")


def test_a_hundred_prices_are_one_patch(fake: FakePrestaShop, shop: PrestaShop) -> None:
    codes = [f"P-{n}" for n in range(100)]
    fake.add_products((code, 1) for code in codes)
    found = shop.find(C, [Wanted(key_of(code), code) for code in codes])
    items = [owed(f"{n}.5", one.link) for n, one in enumerate(found.values()) if isinstance(one, Held)]
    outcomes = shop.deliver(C, items)
    assert [one.confirmed for one in outcomes if isinstance(one, Done)] == [net(f"{n}.5") for n in range(100)]
    assert fake.requests["PATCH", "products"] == 1


def test_a_combination_keeps_the_difference_to_its_product(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("T", 0, "Tričko", [("T-S", 1), ("T-M", 2), ("T-L", 3)], price="100.000000")
    fake.add_product("A", price="1.000000")
    codes = ("T-S", "T-M", "T-L", "A")
    items = [
        owed(amount, held(shop, code).link, code)
        for amount, code in zip(("80.25", "100", "0", "5"), codes, strict=True)
    ]
    outcomes = shop.deliver(C, items)
    assert [one.confirmed for one in outcomes if isinstance(one, Done)] == [
        net(each) for each in ("80.25", "100", "0", "5")
    ]
    kept = [price(fake, "combinations", number) for number in (1, 2, 3)]
    assert kept == ["-19.750000", None, "-100.000000"]
    assert (price(fake, "products", 1), price(fake, "products", 2)) == ("100.000000", "5.000000")
    assert [held(shop, code).value for code in codes] == [net(each) for each in ("80.25", "100", "0", "5")]


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_refusal_in_the_middle_is_found_by_reading_back(fake: FakePrestaShop, shop: PrestaShop, place: int) -> None:
    codes = [f"P-{n}" for n in range(4)]
    fake.add_products((code, 1) for code in codes)
    items = [owed("9", held(shop, code).link, code) for code in codes]

    def delete(_: object) -> None:
        if place + 1 in fake.store.tables["products"].rows:
            fake.store.tables["products"].remove(place + 1)

    fake.faults.chooser = delete  # between reading and writing
    kinds = [type(one) for one in shop.deliver(C, items)]
    assert kinds == [Done] * place + [Rejected] + [Untried] * (3 - place)
    assert [price(fake, "products", n + 1) for n in range(place)] == ["9.000000"] * place


def test_what_holds_its_price_is_not_sent(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A", price="164.462810")
    (outcome,) = shop.deliver(C, [owed("164.46281", held(shop, "A").link)])
    assert isinstance(outcome, Done)
    assert ("PATCH", "products") not in fake.requests


@pytest.mark.parametrize(
    "value",
    [None, "5", 5, {}, {"amount": "5"}, {"amount": "5", "form": "gross"}, {"amount": 5, "form": "net"}]
    + [net(each) for each in ("-0.01", "0.0000001", "1e99", "NaN", "Infinity", "", "1,5", "10000000000", "9" * 99)],
)
def test_what_is_no_net_price_is_never_sent(fake: FakePrestaShop, shop: PrestaShop, value: Value) -> None:
    fake.add_product("A")
    (outcome,) = shop.deliver(C, [Owed(Event(C, "a", value, "A"), held(shop, "A").link)])
    assert isinstance(outcome, Rejected)
    assert not outcome.link_lost
    assert ("PATCH", "products") not in fake.requests


@pytest.mark.parametrize("link", [None, "", "x", "5:99:0", "2:1:99"])
def test_a_missing_or_dead_link_is_lost(fake: FakePrestaShop, shop: PrestaShop, link: str | None) -> None:
    fake.add_product("A")
    (outcome,) = shop.deliver(C, [owed("5", link)])
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost


def test_not_now_is_raised_unless_a_part_was_sent(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("T", 0, "Tričko", [("T-S", 1)], price="100.000000")
    fake.add_product("A")
    items = [owed("7", held(shop, code).link, code) for code in ("T-S", "A")]
    fake.faults.next(Fault("s429", retry_after=4))
    with pytest.raises(ShopUnavailable) as caught:
        shop.deliver(C, items)
    assert caught.value.retry_after == 4
    fake.faults.next("none", "s429")  # products first, then combinations
    assert [type(one) for one in shop.deliver(C, items)] == [Untried, Done]


def test_what_was_taken_and_cannot_be_read_back_is_unclear(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    link = held(shop, "A").link
    fake.faults.reads = True
    fake.faults.next("none", "none", "s500")
    (outcome,) = shop.deliver(C, [owed("7", link)])
    assert isinstance(outcome, Unclear)
    assert price(fake, "products", 1) == "7.000000"


def test_a_page_that_is_not_the_webservice_proves_nothing(fake: FakePrestaShop, shop: PrestaShop) -> None:
    fake.add_product("A")
    link = held(shop, "A").link
    fake.faults.next("maintenance")
    (outcome,) = shop.deliver(C, [owed("7", link)])
    assert isinstance(outcome, Unclear)
    assert price(fake, "products", 1) == "0.000000"
