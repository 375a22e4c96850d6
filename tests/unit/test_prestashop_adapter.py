"""What only PrestaShop does when quantities are delivered, and its ``check``: broken-off batches, codes, rights.

What every kind must do is in tests/contract. Answers are played byte for byte where the fake is too well-behaved.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing

import pytest

from agent.demo.prestashop import FakePrestaShop
from agent.errors import ShopUnavailable
from agent.events import Done, Rejected, Unclear, Untried, Value
from agent.shops.prestashop import PrestaShop
from tests.fault_server import Act, FaultServer, answer, say
from tests.prestashop_answers import KEY, Make, Q, failure, held, node, owed, root, rows, xml


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


# ------------------------------------------------------------------------------------------------ delivering


@pytest.mark.parametrize(
    "value", [2**31, -(2**31) - 1, 1.0, True, False, "5", None, [], pytest.param(10**5000, id="endless")]
)
def test_a_value_that_the_column_cannot_hold_is_never_sent(make: Make, value: Value) -> None:
    (outcome,) = make("http://127.0.0.1:9").deliver(Q, [owed(value, "1:7:0")])
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("quantity: ")
    assert not outcome.link_lost


@pytest.mark.parametrize(
    "link", [None, "", "1", "1:2", "a:b:c", "0:7:0", "1:0:0", "1:7:-1", "1:7:0:0", "１:7:0", "1:7:0 "]
)
def test_a_damaged_link_is_lost_and_never_sent(make: Make, link: str | None) -> None:
    (outcome,) = make("http://127.0.0.1:9").deliver(Q, [owed(1, link)])
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost


def test_one_request_carries_all_values_in_order(make: Make) -> None:
    with FaultServer(say(answer(200, xml(node(1, 5) + node(2, 0, 8))))) as server:
        outcomes = make(server.url).deliver(Q, [owed(5, "1:7:0"), owed(0, "2:8:0", "B")])
        assert [(o.link, o.confirmed) for o in outcomes if isinstance(o, Done)] == [("1:7:0", 5), ("2:8:0", 0)]
        (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"PATCH /api/stock_availables HTTP/1.1\r\n")
    assert b"content-type: text/xml; charset=utf-8" in head
    assert b"<id>1</id><quantity>5</quantity>" in body
    assert body.index(b"<id>1</id>") < body.index(b"<id>2</id>")


def test_the_key_is_the_user_of_basic_and_never_in_the_address(make: Make) -> None:
    with FaultServer(say(answer(200, b"[]"))) as server:
        make(server.url).probe()
        (request,) = server.requests
    assert b"Basic " + base64.b64encode(f"{KEY}:".encode()) in request
    assert KEY.encode() not in request


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/", "/sub", "/sub/", "/sub/api/"])
def test_the_address_may_be_given_with_and_without_api(make: Make, path: str) -> None:
    with FaultServer(say(answer(200, b"[]"))) as server:
        make(server.url + path).probe()
        place = b"/sub/api/" if "sub" in path else b"/api/"
        assert server.requests[0].startswith(b"GET " + place + b"stock_availables?")


def test_rows_that_the_answer_lacks_or_changes_are_unclear_and_the_others_done(make: Make) -> None:
    said = xml(node(1, 5) + node(3, 8) + node(4, 4, product=99) + node(5, "") + node(6, "6", combination=2))
    with FaultServer(say(answer(200, said))) as server:
        links = ["1:7:0", "2:7:0", "3:7:0", "4:7:0", "5:7:0", "6:7:2"]
        outcomes = make(server.url).deliver(Q, [owed(n + 5 if n == 0 else n + 1, link) for n, link in enumerate(links)])
    assert [type(outcome) for outcome in outcomes] == [Done, Unclear, Unclear, Rejected, Unclear, Done]


@pytest.mark.parametrize(
    ("said", "whose"), [(node(1, 5, product=99), "product 99 now"), (node(1, 5, 7, 3), "another combination")]
)
def test_a_row_that_belongs_to_something_else_loses_its_link(make: Make, said: str, whose: str) -> None:
    """Reading back by that link would give no answer for ever; looked up anew, the code finds its own row."""
    with FaultServer(say(answer(200, xml(said)))) as server:
        (outcome,) = make(server.url).deliver(Q, [owed(5, "1:7:0")])
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost
    assert whose in outcome.reason
    assert "reconcile --repair" in outcome.hint


def test_an_error_with_status_200_is_unclear(make: Make) -> None:
    with FaultServer(say(answer(200, failure(85, "no")))) as server:
        assert isinstance(make(server.url).deliver(Q, [owed(1, "1:7:0")])[0], Unclear)


LAUGHS = b'<!DOCTYPE prestashop [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY q "5">]>'


@pytest.mark.parametrize(
    "said",
    [
        LAUGHS + xml(node(1, "]]>&q;<![CDATA["))[39:],
        b'<!DOCTYPE prestashop SYSTEM "http://127.0.0.1:9/x.dtd">' + xml(node(1, 5))[39:],
        xml(node(1, 5))[:-8],
        xml(node(1, "5" * 5000)),
        xml("<a>" * 5000 + "</a>" * 5000),
        xml(node(1, 5)).replace(b"prestashop", b"html"),
    ],
    ids=["entities", "dtd", "half", "huge number", "deep", "another root"],
)
def test_a_hostile_answer_is_unclear(make: Make, said: bytes) -> None:
    with FaultServer(say(answer(200, said))) as server:
        assert isinstance(make(server.url).deliver(Q, [owed(5, "1:7:0")])[0], Unclear)


def test_a_batch_that_broke_off_is_done_up_to_the_bad_row_and_untried_after_it(
    shop: PrestaShop, fake: FakePrestaShop
) -> None:
    fake.add_products([(f"A{n}", 0) for n in range(5)])
    links = [held(shop, f"A{n}").link for n in range(5)]
    links[2] = "999999:999999:0"
    before = fake.requests.get(("PATCH", "stock_availables"), 0)
    outcomes = shop.deliver(Q, [owed(10 + n, link, f"A{n}") for n, link in enumerate(links)])
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Rejected, Untried, Untried]
    assert isinstance(outcomes[2], Rejected)
    assert outcomes[2].link_lost
    assert "Invalid ID" in outcomes[2].reason
    assert [fake.quantity_of(f"A{n}") for n in range(5)] == [10, 11, 0, 0, 0]
    assert fake.requests["PATCH", "stock_availables"] == before + 2  # the batch, and the bad one alone


ROWS = say(answer(200, rows((1, 7, 0, 1, 10), (2, 8, 0, 1, 0), (3, 9, 0, 1, 0))))
BROKEN_OFF = say(answer(400, failure(85, "Property StockAvailable->quantity is not valid")))


def deliver_three(make: Make, *acts: Act) -> list[type]:
    with FaultServer(*acts) as server:
        batch = [owed(10 + n, f"{n + 1}:{n + 7}:0", f"A{n}") for n in range(3)]
        return [type(outcome) for outcome in make(server.url).deliver(Q, batch)]


def test_when_nobody_can_tell_how_far_it_got_everything_sent_is_unclear(make: Make) -> None:
    assert deliver_three(make, BROKEN_OFF, say(answer(503))) == [Unclear, Unclear, Unclear]
    assert deliver_three(make, BROKEN_OFF, say(answer(200, b"<html>"))) == [Unclear, Unclear, Unclear]


def test_the_first_that_differs_decides_for_itself(make: Make) -> None:
    assert deliver_three(make, BROKEN_OFF, ROWS, BROKEN_OFF) == [Done, Rejected, Untried]
    assert deliver_three(make, BROKEN_OFF, ROWS, say(answer(200, xml(node(2, 11, 8))))) == [Done, Done, Untried]
    assert deliver_three(make, BROKEN_OFF, ROWS, say(answer(500))) == [Done, Unclear, Untried]


def test_a_shop_that_is_gone_meanwhile_does_not_hide_what_was_applied(make: Make) -> None:
    """A raise would claim that nothing was applied."""
    assert deliver_three(make, BROKEN_OFF, ROWS, say(answer(429))) == [Done, Untried, Untried]


def test_a_batch_that_holds_everything_in_spite_of_the_error_is_done(make: Make) -> None:
    everything = say(answer(200, rows((1, 7, 0, 1, 10), (2, 8, 0, 1, 11), (3, 9, 0, 1, 12))))
    assert deliver_three(make, BROKEN_OFF, everything) == [Done, Done, Done]


def test_a_refusal_carries_the_shops_code_and_words_within_bounds_and_without_the_key(make: Make) -> None:
    with FaultServer(say(answer(400, failure(85, f"is not valid {KEY}\n\x1b[31m" + "x" * 5000)))) as server:
        (outcome,) = make(server.url).deliver(Q, [owed(1, "1:7:0")])
    with FaultServer(say(answer(400, failure(85, f"is not valid {KEY}\n" + "x" * 5000)))) as server:
        (outcome,) = make(server.url).deliver(Q, [owed(1, "1:7:0")])
    assert isinstance(outcome, Rejected)
    assert "code 85: is not valid" in outcome.reason
    assert outcome.hint
    assert not outcome.link_lost
    assert len(outcome.reason) < 400
    assert KEY not in repr(outcome)


@pytest.mark.parametrize("status", [400, 404, 406, 413])
def test_a_refusal_that_is_not_the_webservices_is_unclear(make: Make, status: int) -> None:
    with FaultServer(say(answer(status, b"<html>blocked by the firewall</html>"))) as server:
        assert isinstance(make(server.url).deliver(Q, [owed(1, "1:7:0")])[0], Unclear)


def test_a_key_that_may_not_write_makes_the_target_wait(make: Make) -> None:
    said = failure(25, "Method PATCH is not allowed for the resource stock_availables with this authentication key")
    with FaultServer(say(answer(405, said))) as server, pytest.raises(ShopUnavailable) as caught:
        make(server.url).deliver(Q, [owed(1, "1:7:0"), owed(1, "2:8:0")])
    assert "grant the key what `check` lists" in caught.value.hint


def test_another_target_is_our_bug(make: Make) -> None:
    shop = make("http://127.0.0.1:9")
    for call in (shop.deliver, shop.read, shop.find):
        with pytest.raises(ValueError, match="orders"):
            call("orders", [])


# ------------------------------------------------------------------------------------------------ check


def findings(make: Make, said: bytes, *headers: str) -> list[tuple[str, str, str]]:
    with FaultServer(say(answer(200, said, *headers)), say(answer(200, b"[]"))) as server:
        return [(each.verdict, each.subject, each.text) for each in make(server.url).check()]


def test_check_praises_a_key_with_just_the_rights_needed(make: Make) -> None:
    found = findings(make, root(), "psws-version: 9.1.4")
    assert [(verdict, subject) for verdict, subject, _ in found] == [("ok", "shop"), ("ok", "rights")]
    assert "PrestaShop 9.1.4" in found[0][2]


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        ({"products": ""}, ["products GET"]),
        ({"combinations": "patch"}, ["combinations GET"]),
        ({"stock_availables": "get put"}, ["stock_availables PATCH"]),
        ({"stock_availables": "", "products": ""}, ["products GET", "stock_availables GET", "stock_availables PATCH"]),
    ],
)
def test_check_names_each_right_that_is_missing(make: Make, rights: dict[str, str], missing: list[str]) -> None:
    errors = [text for verdict, _, text in findings(make, root(**rights)) if verdict == "error"]
    assert errors == [f"The key lacks {right}." for right in missing]


def test_check_warns_of_rights_that_nobody_needs(make: Make) -> None:
    found = findings(make, root(products="get patch delete", orders="get put post patch delete"))
    (warning,) = [text for verdict, subject, text in found if (verdict, subject) == ("warning", "rights")]
    assert "orders DELETE" in warning
    assert "and 2 more" in warning


@pytest.mark.parametrize(
    "said", [b"", b"<html></html>", xml(""), xml(f"<errors><error><code>1</code></error></errors>{KEY}")]
)
def test_check_never_raises_for_the_shops_sake(make: Make, said: bytes) -> None:
    found = findings(make, said, f"psws-version: {KEY}" + "9" * 3000)
    assert [verdict for verdict, _, _ in found] == ["error"]
    assert KEY not in repr(found)


def test_a_version_is_cut_and_free_of_the_key(make: Make) -> None:
    ((_, _, text), *_) = findings(make, root(), f"psws-version: {KEY}" + "9" * 3000)
    assert len(text) < 400
    assert KEY not in text
