"""What only PrestaShop does when it is read: sums of combinations, filters, several shops in one, pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.demo.prestashop import FakePrestaShop
from agent.errors import ShopUnavailable
from agent.events import Done, Held, Page, Rejected, Wanted, key_of
from agent.shops import prestashop_lists
from agent.shops import prestashop_xml as wire
from agent.shops.prestashop import PrestaShop
from tests.fault_server import FaultServer, answer, say
from tests.prestashop_answers import KEY, Make, Q, owed, query, root, rows, wanted


@pytest.fixture
def make() -> Iterator[Make]:
    with closing(Make()) as factory:
        yield factory


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop


@pytest.fixture
def shop(make: Make, fake: FakePrestaShop) -> PrestaShop:
    return make(fake.url)


# ------------------------------------------------------------------------------------------------ combinations


def test_a_combination_is_found_by_its_own_code_and_its_parent_is_refused(
    shop: PrestaShop, fake: FakePrestaShop
) -> None:
    fake.add_product("PARENT", combinations=[("P-S", 3), ("P-M", 4)])
    found = shop.find(Q, wanted("parent", "p-m"))
    variant, parent = found["p-m"], found["parent"]
    assert isinstance(variant, Held)
    assert variant.value == 4
    assert isinstance(parent, Rejected)
    assert "variants" in parent.reason
    assert "own reference" in parent.hint
    assert [type(o) for o in shop.deliver(Q, [owed(9, variant.link)])] == [Done]
    assert fake.quantities() == {"P-S": 3, "P-M": 9}


def test_the_sum_of_combinations_is_a_problem_of_the_page_and_never_an_item(
    shop: PrestaShop, fake: FakePrestaShop
) -> None:
    fake.add_product("PARENT", combinations=[("P-S", 3), ("P-M", 4)])
    fake.add_product("", combinations=[("N-S", 1)])
    fake.add_product("", 5)
    page = shop.read_page(Q, None)
    assert {(item.key, item.value) for item in page.items} == {("p-s", 3), ("p-m", 4), ("n-s", 1)}
    assert [key for key, _ in page.problems] == ["parent"]


def test_a_code_of_a_product_and_of_a_combination_is_doubled(shop: PrestaShop, fake: FakePrestaShop) -> None:
    fake.add_product("X", 1)
    fake.add_product("Y", combinations=[("x", 2), ("Z", 3), ("z", 4)])
    found = shop.find(Q, wanted("X", "Z"))
    assert all(isinstance(each, Rejected) and "more than once" in each.reason for each in found.values())
    assert {key for key, _ in shop.read_page(Q, None).problems} == {"x", "y", "z"}


def test_a_link_to_a_product_that_got_combinations_is_not_read_any_more(make: Make) -> None:
    combinations = b'{"combinations":[{"id":40,"id_product":7,"reference":"A-S"}]}'
    with FaultServer(
        say(answer(200, rows((1, 7, 0, 1, 9), (2, 7, 40, 1, 4)))), say(answer(200, combinations))
    ) as server:
        asked = [Wanted("a", "A", "1:7:0"), Wanted("a-s", "A-S", "2:7:40"), Wanted("b", "B", "3:8:0")]
        assert {key: each.value for key, each in make(server.url).read(Q, asked).items()} == {"a-s": 4}


def test_a_row_that_belongs_to_something_else_now_is_not_read(make: Make) -> None:
    with FaultServer(say(answer(200, rows((1, 99, 0, 1, 9)))), say(answer(200, b"[]"))) as server:
        assert make(server.url).read(Q, [Wanted("a", "A", "1:7:0")]) == {}


# ------------------------------------------------------------------------------------------------ looking up


def test_many_codes_are_looked_up_a_hundred_at_a_time(shop: PrestaShop, fake: FakePrestaShop) -> None:
    codes = [f"SKU-{n:04}" for n in range(250)]
    fake.add_products((code, n) for n, code in enumerate(codes))
    found = shop.find(Q, wanted(*codes))
    assert [each.value for each in found.values() if isinstance(each, Held)] == list(range(250))
    assert fake.requests["GET", "products"] == 3


def test_no_filter_makes_an_address_too_long() -> None:
    codes = ["ř" * 64 + str(n) for n in range(300)]
    filters = list(wire.code_filters(codes))
    assert max(len(each.encode()) * 3 for each in filters) < 7000
    assert [code for each in filters for code in each[1:-1].split("|")] == codes


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("A", "[A]"),
        ("A|B", "A|B"),
        ("5,7", "5,7"),
        ("50%", "50%"),
        ("[Y", "[Y"),
        ("]Y[", "]Y["),
        ("AB[1]", "[AB]%"),
        ("[1]AB", "%[AB]"),
        ("A[1]BC", "%[BC]"),
    ],
)
def test_a_code_that_a_list_cannot_carry_is_asked_for_alone(code: str, expected: str) -> None:
    assert list(wire.code_filters([code])) == [expected]
    assert wire.findable(code)


@pytest.mark.parametrize("code", ["[Y]", "[]"])
def test_a_code_that_no_filter_can_carry_is_never_asked_for(make: Make, code: str) -> None:
    """It would read as no filter at all and list the whole shop."""
    assert list(wire.code_filters([code])) == []
    found = make("http://127.0.0.1:9").find(Q, wanted(code))[code.casefold()]
    assert isinstance(found, Rejected)
    assert found.hint


def test_a_code_that_the_shop_only_takes_for_the_same_is_not_the_same(make: Make) -> None:
    """MySQL's collation folds accents."""
    products = b'{"products":[{"id":7,"reference":"CAJ"},{"id":8,"reference":"\xc4\x8cAJ"},{"id":9,"reference":null}]}'
    acts = [products, b"[]", b"[]", rows((1, 7, 0, 1, 4), (2, 8, 0, 1, 5))]
    with FaultServer(*(say(answer(200, body)) for body in acts)) as server:
        found = make(server.url).find(Q, wanted("čaj"))
    assert {key: each.value for key, each in found.items() if isinstance(each, Held)} == {"čaj": 5}
    assert len(found) == 1


def test_nothing_wanted_means_no_request(make: Make) -> None:
    shop = make("http://127.0.0.1:9")
    assert shop.find(Q, []) == shop.find(Q, [Wanted("", "")]) == shop.read(Q, []) == {}
    assert shop.read(Q, [Wanted("a", "A", None), Wanted("b", "B", "nonsense")]) == {}


def test_ids_that_come_as_text_are_numbers(make: Make) -> None:
    with FaultServer(
        say(answer(200, b'{"products":[{"id":"7","reference":"A"}]}')),
        say(answer(200, b"[]")),
        say(answer(200, b"[]")),
        say(
            answer(
                200,
                b'{"stock_availables":[{"id":"1","id_product":"7","id_product_attribute":"0","id_shop":"1","quantity":"0"}]}',
            )
        ),
    ) as server:
        found = make(server.url).find(Q, wanted("A"))["a"]
        assert found == Held("a", "A", "1:7:0", 0)


# ------------------------------------------------------------------------------------------------ several shops in one


TWO_SHOPS = rows((1, 7, 0, 1, 11), (2, 7, 0, 2, 22), (3, 8, 0, 0, 33), (4, 9, 0, 2, 44))


@pytest.mark.parametrize(
    ("shop_id", "expected"),
    [(1, {"a": ("1:7:0", 11), "b": ("3:8:0", 33)}), (2, {"a": ("2:7:0", 22), "b": ("3:8:0", 33), "c": ("4:9:0", 44)})],
)
def test_of_several_stock_rows_the_one_of_our_shop_counts_else_the_shared_one(
    make: Make, shop_id: int, expected: dict[str, tuple[str, int]]
) -> None:
    products = b'{"products":[{"id":7,"reference":"A"},{"id":8,"reference":"B"},{"id":9,"reference":"C"}]}'
    with FaultServer(*(say(answer(200, body)) for body in (products, b"[]", b"[]", TWO_SHOPS))) as server:
        found = make(server.url, shop_id=shop_id).find(Q, wanted("A", "B", "C"))
        assert {query(request).get("id_shop") for request in server.requests} == {None if shop_id == 1 else "2"}
    assert {k: (each.link, each.value) for k, each in found.items() if isinstance(each, Held)} == expected
    assert all("shop_id" in each.hint for each in found.values() if isinstance(each, Rejected))


def test_check_tells_when_the_rows_belong_to_another_shop(make: Make) -> None:
    with FaultServer(say(answer(200, root()))) as server:
        server.then(say(answer(200, root())), say(answer(200, b'{"stock_availables":[{"id":1,"id_shop":3}]}')))
        findings = make(server.url).check()
    assert next(finding.hint for finding in findings if finding.subject == "shop_id").startswith("Set shop_id = 3")


# ------------------------------------------------------------------------------------------------ reading everything


def pages(shop: PrestaShop) -> Iterator[Page]:
    token: str | None = None
    while True:
        page = shop.read_page(Q, token)
        yield page
        if (token := page.next) is None:
            return


def test_everything_is_read_in_pages_by_the_id_of_the_product(shop: PrestaShop, fake: FakePrestaShop) -> None:
    fake.add_products((f"S{n}", n) for n in range(450))
    fake.add_product("P", combinations=[(f"P{n}", n) for n in range(5)])
    read = {item.key: item.value for page in pages(shop) for item in page.items}
    assert read == {key_of(code): quantity for code, quantity in fake.quantities().items()}


def test_long_lists_are_read_to_the_end(
    shop: PrestaShop, fake: FakePrestaShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prestashop_lists, "ROWS_PER_CALL", 3)
    fake.add_product("P", combinations=[(f"P{n}", n) for n in range(10)])
    fake.add_products((f"S{n}", n) for n in range(7))
    read = {item.key: item.value for page in pages(shop) for item in page.items}
    assert read == {key_of(code): quantity for code, quantity in fake.quantities().items()}
    assert len(shop.find(Q, wanted(*(f"S{n}" for n in range(7)), *(f"P{n}" for n in range(10))))) == 17


def test_a_shop_that_ignores_the_filter_does_not_hold_us_for_ever(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prestashop_lists, "ROWS_PER_CALL", 2)
    same = say(answer(200, b'{"products":[{"id":1,"reference":"A"},{"id":2,"reference":"B"}],"combinations":[]}'))
    with FaultServer(same) as server:
        assert len(prestashop_lists.Lists(make(server.url)._http, shop_id=1).products({"filter[reference]": "x"})) == 4


def test_a_code_doubled_across_pages_is_a_problem_of_the_later_page(shop: PrestaShop, fake: FakePrestaShop) -> None:
    fake.add_product("TWIN", 1)
    fake.add_products((f"S{n}", n) for n in range(250))
    fake.add_product("twin", 2)
    for _ in range(2):  # a second reading starts afresh
        assert [key for page in pages(shop) for key, _ in page.problems] == ["twin"]
    second = shop.read_page(Q, shop.read_page(Q, None).next)
    again = shop.read_page(Q, shop.read_page(Q, None).next)
    assert second == again  # a page asked for twice is not doubled with itself


def test_an_empty_shop_is_one_empty_page(shop: PrestaShop) -> None:
    assert shop.read_page(Q, None) == Page((), None)


def test_a_page_that_is_not_one_starts_no_reading(shop: PrestaShop) -> None:
    with pytest.raises(ShopUnavailable):
        shop.read_page(Q, "0:nonsense")
