"""States of orders in PrestaShop: once, never backwards, whatever happens to an answer; split orders; what it asks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import pytest

from agent.demo.prestashop import FakePrestaShop, Fault
from agent.demo.prestashop.store import Row
from agent.demo.prestashop.webservice import Request
from agent.errors import ShopUnavailable
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops import prestashop_order_parts
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_order_parts import ids_of, wish_of
from agent.shops.prestashop_orders import Orders
from agent.targets.order_states import OrderStates, OrderStateSettings
from tests.fault_server import FaultServer, answer, say
from tests.prestashop_answers import root

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "shops" / "recordings" / "prestashop-9"
KEY = "S3CR3T-K3Y-" + "k" * 21
TARGET = OrderStates(OrderStateSettings())
MAP = ("3", "4", "5")
"""Processing, shipped, delivered; cancelled (6) comes after them."""


class Office:
    """The shop as a test sees it: orders go in, states and histories come out."""

    def __init__(self, fake: FakePrestaShop) -> None:
        self.fake = fake

    def order(
        self, reference: str = "XKBKNABJK", state: int = 2, codes: Sequence[str] = ("SKU-1",), *, parcels: int = 1
    ) -> int:
        """An order as the shop has it after its payment: id."""
        store = self.fake.store
        with store.lock:
            row: Row = {"reference": reference, "id_shop": 1, "secure_key": "0" * 32, "current_state": state}
            one = store.seed("orders", None, row)
            for each in dict.fromkeys((10, state)):
                store.seed("order_histories", None, {"id_order": one, "id_order_state": each})
            for code in codes:
                store.seed("order_details", None, {"id_order": one, "product_reference": code})
            for _ in range(parcels):
                store.seed("order_carriers", None, {"id_order": one, "id_carrier": 2})
            return one

    def by_hand(self, order: int, state: int) -> None:
        """A person changes the state in the administration."""
        store = self.fake.store
        with store.lock:
            store.tables["orders"].change(order, {"current_state": state})
            store.seed("order_histories", None, {"id_order": order, "id_order_state": state})

    def history(self, order: int) -> list[object]:
        rows = self.fake.store.tables["order_histories"].rows.values()
        return [row["id_order_state"] for row in rows if row["id_order"] == order]

    def tracking(self, order: int) -> list[object]:
        rows = self.fake.store.tables["order_carriers"].rows.values()
        return [row.get("tracking_number", "") for row in rows if row["id_order"] == order]

    def patches(self, resource: str = "orders") -> int:
        return self.fake.requests.get(("PATCH", resource), 0)


@pytest.fixture
def fake() -> Iterator[FakePrestaShop]:
    with FakePrestaShop(key=KEY) as shop:
        yield shop
        assert shop.internal_errors == []


@pytest.fixture
def office(fake: FakePrestaShop) -> Office:
    return Office(fake)


@pytest.fixture
def http(fake: FakePrestaShop) -> Iterator[ShopHttp]:
    with closing(ShopHttp(f"{fake.url}/api", timeout=2.0, auth=(KEY, ""))) as client:
        yield client


@pytest.fixture
def orders(http: ShopHttp) -> Orders:
    return made(http)


def made(http: ShopHttp, number: Literal["reference", "id"] = "reference", states: Sequence[str] = ()) -> Orders:
    lists = Lists(http, shop_id=1)
    return Orders(http, lists, number=number, states=states, short=lambda text: wire.short(text, KEY))


def wish(state: str, **more: Value) -> Value:
    at = MAP.index(state) if state in MAP else len(MAP)
    reached: list[Value] = [*MAP[at:]] or [state]
    return {"state": state, "reached": reached, "before": [*MAP[:at]], **more}


def owed(link: str | int | None, value: Value, code: str = "XKBKNABJK") -> Owed:
    return Owed(Event("order_states", key_of(code), value, code), None if link is None else str(link))


def deliver(orders: Orders, link: str | int, value: Value) -> Outcome:
    (outcome,) = orders.deliver([owed(link, value)])
    assert not isinstance(outcome, Done) or TARGET.same(value, outcome.confirmed)
    return outcome


def confirmed(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.confirmed, dict)
    return outcome.confirmed


def find(orders: Orders, *codes: str) -> dict[str, Held | Rejected]:
    return orders.find([Wanted(key_of(code), code) for code in codes])


def read(orders: Orders, link: str | int, value: Value = None) -> dict[str, Any]:
    held = orders.read([Wanted("x", "X", str(link), value=value)])["x"].value
    assert isinstance(held, dict)
    return held


# ---------------------------------------------------------------------------------------------- once, and never back


def test_a_state_is_written_once_and_twice_is_the_same(orders: Orders, office: Office) -> None:
    one = office.order()
    assert confirmed(deliver(orders, one, wish("4"))) == {"state": "4", "been": ["10", "2", "4"]}
    again = deliver(orders, one, wish("4"))
    assert isinstance(again, Done)
    assert again.exchange.answer.startswith("nothing to do")
    assert office.history(one) == [10, 2, 4]
    assert office.patches() == 1


@pytest.mark.parametrize("hand", [4, 5])
def test_what_a_person_set_further_on_is_not_moved_back(orders: Orders, office: Office, hand: int) -> None:
    one = office.order()
    office.by_hand(one, hand)
    assert confirmed(deliver(orders, one, wish("3")))["state"] == str(hand)
    assert office.patches() == 0


def test_what_was_ever_reached_is_not_written_again_though_a_person_went_back(orders: Orders, office: Office) -> None:
    one = office.order()
    deliver(orders, one, wish("4"))
    office.by_hand(one, 3)
    assert confirmed(deliver(orders, one, wish("4")))["been"] == ["10", "2", "4", "3"]
    assert office.history(one) == [10, 2, 4, 3]


@pytest.mark.parametrize("end", [5, 6, 7])
def test_an_order_at_an_end_is_left_as_it_is(orders: Orders, office: Office, end: int) -> None:
    one = office.order(state=end)
    value: Value = {"state": "4", "reached": ["4"], "before": ["3"], "tracking": "DR1"}
    assert confirmed(deliver(orders, one, value)) == {"state": str(end), "been": ["10", str(end)], "left": True}
    assert read(orders, one)["left"] is True
    assert (office.patches(), office.patches("order_carriers")) == (0, 0)


def test_an_end_that_is_a_stage_before_the_wish_does_not_hinder(orders: Orders, office: Office) -> None:
    one = office.order(state=5)
    assert confirmed(deliver(orders, one, wish("6")))["state"] == "6"
    assert read(orders, one, wish("6"))["been"] == ["10", "5", "6"]


def test_the_shops_own_numbers_of_its_ends_are_asked_for(fake: FakePrestaShop, orders: Orders, office: Office) -> None:
    configure(fake, PS_OS_DELIVERED=4, PS_OS_CANCELED=13)
    shipped, delivered, cancelled = office.order("S", 4), office.order("D", 5), office.order("C", 13)
    value: Value = {"state": "9", "reached": ["9"], "before": []}
    states = [confirmed(deliver(orders, one, value))["state"] for one in (shipped, delivered, cancelled)]
    assert states == ["4", "9", "13"]


def configure(fake: FakePrestaShop, **settings: int) -> None:
    with fake.store.lock:
        table = fake.store.tables["configurations"]
        for name, value in settings.items():
            for row in [one for one, held in table.rows.items() if held["name"] == name]:
                table.remove(row)
            fake.store.seed("configurations", None, {"name": name, "value": str(value)})


# ---------------------------------------------------------------------------------------------------- lost answers


@pytest.mark.parametrize("kind", ["drop_after_apply", "half_answer", "s503_after_apply"])
def test_a_lost_answer_is_unclear_and_never_repeated(
    fake: FakePrestaShop, orders: Orders, office: Office, kind: Literal["drop_after_apply", "half_answer"]
) -> None:
    first, second = office.order("A"), office.order("B")
    fake.faults.next(kind)
    outcomes = orders.deliver([owed(first, wish("4"), "A"), owed(second, wish("4"), "B")])
    assert [type(one) for one in outcomes] == [Unclear, Untried]
    assert TARGET.same(wish("4"), read(orders, first, wish("4")))
    assert [confirmed(deliver(orders, one, wish("4")))["state"] for one in (first, second)] == ["4", "4"]
    assert (office.history(first), office.history(second)) == ([10, 2, 4], [10, 2, 4])


@pytest.mark.parametrize("kind", ["never_apply", "maintenance", "s500"])
def test_what_never_arrived_is_unclear_and_sent_again(
    fake: FakePrestaShop, orders: Orders, office: Office, kind: Literal["never_apply", "maintenance", "s500"]
) -> None:
    one = office.order()
    fake.faults.next(kind)
    assert isinstance(deliver(orders, one, wish("4")), Unclear)
    assert not TARGET.same(wish("4"), read(orders, one, wish("4")))
    deliver(orders, one, wish("4"))
    assert office.history(one) == [10, 2, 4]


def test_a_lost_cancellation_still_tells_whose_stock_moved(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    one = office.order(codes=("SKU-1", "SKU-2", "SKU-1", ""))
    fake.faults.next("drop_after_apply")
    assert isinstance(deliver(orders, one, wish("6")), Unclear)
    assert read(orders, one)["moved"] == ["SKU-1", "SKU-2"]
    again = deliver(orders, one, wish("6"))
    assert isinstance(again, Done)
    assert again.moved == ("SKU-1", "SKU-2")
    assert office.history(one) == [10, 2, 6]


def test_not_now_is_raised_when_nothing_was_sent_and_later_leaves_the_rest_untried(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    items = [owed(office.order(code), wish("4"), code) for code in "ABC"]
    fake.faults.next(Fault("s429", retry_after=4))
    with pytest.raises(ShopUnavailable) as caught:
        orders.deliver(items)
    assert caught.value.retry_after == 4
    fake.faults.next("none", "s429")
    assert [type(one) for one in orders.deliver(items)] == [Done, Untried, Untried]


def test_what_was_sent_and_cannot_be_read_back_is_unclear(fake: FakePrestaShop, orders: Orders, office: Office) -> None:
    one, done = office.order("A"), office.order("B", 4)
    sent = []

    def after_the_write(request: Request) -> Literal["s500", "none"]:
        sent.append(request.method)
        return "s500" if "PATCH" in sent and request.method == "GET" else "none"

    fake.faults.reads = True
    fake.faults.chooser = after_the_write
    outcomes = orders.deliver([owed(one, wish("4"), "A"), owed(done, wish("4"), "B")])
    assert [type(each) for each in outcomes] == [Unclear, Done]
    fake.faults.off()
    assert office.history(one) == [10, 2, 4]


# --------------------------------------------------------------------------------------- several orders, one reference


def test_all_orders_with_one_reference_are_one(orders: Orders, office: Office) -> None:
    first, second, other = office.order("SPLIT"), office.order("split"), office.order("OTHER")
    found = find(orders, "Split", "OTHER", "UNKNOWN")
    assert {key: held.link for key, held in found.items() if isinstance(held, Held)} == {
        "split": f"{first}+{second}",
        "other": str(other),
    }
    outcome = deliver(orders, f"{first}+{second}", wish("4"))
    assert confirmed(outcome) == {"state": "4", "been": ["10", "2", "4"]}
    assert (office.history(first), office.history(second), office.history(other)) == ([10, 2, 4], [10, 2, 4], [10, 2])


def test_a_part_that_is_there_already_is_not_written_again(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    first, second = office.order("SPLIT"), office.order("SPLIT")
    link = f"{first}+{second}"
    fake.faults.next("none", "never_apply")
    assert isinstance(deliver(orders, link, wish("4")), Unclear)
    half = read(orders, link, wish("4"))
    assert (half["state"], half["been"]) == ("4+2", ["10", "2"])
    assert not TARGET.same(wish("4"), half)
    assert confirmed(deliver(orders, link, wish("4")))["state"] == "4"
    assert (office.history(first), office.history(second)) == ([10, 2, 4], [10, 2, 4])


def test_parts_that_went_different_ways_are_left_when_none_is_to_be_written(orders: Orders, office: Office) -> None:
    shipped, cancelled, delivered = office.order("S"), office.order("S", 6), office.order("S", 5)
    said = confirmed(deliver(orders, f"{shipped}+{cancelled}", wish("4")))
    assert (said["state"], said["left"]) == ("4+6", True)
    assert (office.history(shipped), office.history(cancelled)) == ([10, 2, 4], [10, 6])
    said = confirmed(deliver(orders, f"{shipped}+{delivered}", wish("4")))
    assert said["left"] is True
    assert office.patches() == 1


def test_a_part_that_was_deleted_loses_the_link(fake: FakePrestaShop, orders: Orders, office: Office) -> None:
    first, second = office.order("SPLIT"), office.order("SPLIT")
    fake.store.tables["orders"].remove(second)
    outcome = deliver(orders, f"{first}+{second}", wish("4"))
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost
    assert orders.read([Wanted("x", "X", f"{first}+{second}")]) == {}
    assert office.patches() == 0


def test_an_order_that_is_deleted_between_reading_and_writing_loses_its_link(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    one = office.order()

    def delete(request: Request) -> None:
        if request.method == "PATCH":
            fake.store.tables["orders"].remove(one)

    fake.faults.chooser = delete
    outcome = deliver(orders, one, wish("4"))
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost
    assert "order" in outcome.hint


# ------------------------------------------------------------------------------------------------------ tracking number


def test_the_tracking_number_goes_before_the_state(fake: FakePrestaShop, orders: Orders, office: Office) -> None:
    one = office.order(parcels=2)
    ways: list[str] = []
    fake.faults.chooser = lambda request: ways.append(request.path[0])
    value = wish("4", tracking="DR 12/3+", carrier="PPL")
    assert confirmed(deliver(orders, one, value))["tracking"] == "DR 12/3+"
    assert ways == ["order_carriers", "orders"]
    assert office.tracking(one) == ["DR 12/3+", ""]
    deliver(orders, one, value)
    assert (office.patches("order_carriers"), office.patches()) == (1, 1)


def test_a_tracking_number_that_comes_later_is_written_alone(orders: Orders, office: Office) -> None:
    one = office.order()
    deliver(orders, one, wish("4"))
    assert confirmed(deliver(orders, one, wish("4", tracking="DR1")))["tracking"] == "DR1"
    assert (office.tracking(one), office.history(one)) == (["DR1"], [10, 2, 4])


def test_a_lost_tracking_number_is_read_back_and_the_state_follows(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    one = office.order()
    fake.faults.next("drop_after_apply")
    assert isinstance(deliver(orders, one, wish("4", tracking="DR1")), Unclear)
    assert office.history(one) == [10, 2]
    assert confirmed(deliver(orders, one, wish("4", tracking="DR1")))["state"] == "4"
    assert office.patches("order_carriers") == 1


def test_an_order_without_a_parcel_gets_its_state_and_tells_of_no_number(orders: Orders, office: Office) -> None:
    one = office.order(parcels=0)
    assert confirmed(deliver(orders, one, wish("4", tracking="DR1"))) == {"state": "4", "been": ["10", "2", "4"]}


def test_a_tracking_number_that_the_shop_refuses_is_rejected_with_a_hint(orders: Orders, office: Office) -> None:
    one = office.order()
    outcome = deliver(orders, one, wish("4", tracking="č<&"))
    assert isinstance(outcome, Rejected)
    assert "tracking" in outcome.hint
    assert office.history(one) == [10, 2]


def test_parcels_are_not_asked_for_where_there_is_no_tracking_number(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    one = office.order()
    deliver(orders, one, wish("4"))
    read(orders, one, wish("4"))
    assert {name for _, name in fake.requests} == {"", "configurations", "order_histories", "order_states", "orders"}


# ------------------------------------------------------------------------------------------------------- stock, states


def test_a_cancellation_gives_the_goods_back_once_though_its_answer_was_lost(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    product = fake.add_product("SKU-1", 7)
    one = office.order(codes=())
    row: Row = {"id_order": one, "product_id": product, "product_quantity": 3, "product_reference": "SKU-1"}
    fake.store.seed("order_details", None, row)
    fake.faults.next("drop_after_apply")
    for expected in (Unclear, Done, Done):
        assert isinstance(deliver(orders, one, wish("6")), expected)
    assert fake.quantity_of("SKU-1") == 10
    assert office.history(one) == [10, 2, 6]


@pytest.mark.parametrize(
    ("before", "state", "moved"), [(2, "6", True), (8, "4", True), (2, "8", True), (2, "4", False)]
)
def test_what_comes_into_or_out_of_cancelled_or_an_error_of_payment_moves_the_stock(
    orders: Orders, office: Office, before: int, state: str, moved: bool
) -> None:
    one = office.order(state=before, codes=("SKU-2", "SKU-1"))
    outcome = deliver(orders, one, {"state": state, "reached": [state], "before": []})
    assert isinstance(outcome, Done)
    assert outcome.moved == (("SKU-2", "SKU-1") if moved else ())


def test_an_unknown_state_is_refused_with_those_that_there_are(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    one = office.order()
    with fake.store.lock:
        fake.store.tables["order_states"].change(9, {"deleted": "1"})
    for state in ("9999", "abc", "9"):
        outcome = deliver(orders, one, {"state": state, "reached": [state], "before": []})
        assert isinstance(outcome, Rejected)
        assert "4 Odesláno" in outcome.hint
        assert "9 " not in outcome.hint
    assert office.patches() == 0


def test_a_state_that_somebody_made_since_is_found_and_the_rest_is_asked_once(
    fake: FakePrestaShop, orders: Orders, office: Office
) -> None:
    one = office.order()
    for _ in range(3):
        deliver(orders, one, wish("3"))
    assert fake.requests["GET", "order_states"] == 1
    fake.store.seed("order_states", 77, {"name": "Předáno dopravci"})
    assert confirmed(deliver(orders, one, {"state": "77", "reached": ["77"], "before": []}))["state"] == "77"


def test_check_lists_the_states_and_complains_of_one_that_there_is_not(fake: FakePrestaShop, http: ShopHttp) -> None:
    listed, wrong = made(http, states=["4", "99"]).findings()
    assert (listed.verdict, wrong.verdict) == ("ok", "error")
    assert "4 Odesláno" in listed.text
    assert "5, 6, 7" in listed.text
    assert "'99'" in wrong.text
    fake.down = True
    assert [finding.verdict for finding in made(http).findings()] == ["error"]


def test_a_key_that_may_not_read_the_settings_does_with_the_usual_numbers(fake: FakePrestaShop, http: ShopHttp) -> None:
    configure(fake, PS_OS_CANCELED=13)
    rights = {"*": frozenset({"GET"}), "configurations": frozenset[str]()}
    fake.webservice = type(fake.webservice)(fake.store, {KEY: rights}, shop_name="Demo")
    (finding,) = made(http).findings()
    assert "5, 6, 7" in finding.text
    assert ("GET", "configurations") not in fake.requests


def test_the_states_of_the_real_shop_are_understood() -> None:
    file = RECORDINGS / "55-order-states.json"
    if not file.exists():
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail("the recordings of PrestaShop 9 are not beside the repository")
        pytest.skip("the recordings of PrestaShop 9 are not beside the repository")
    states = json.loads(file.read_text("utf-8"))["exchanges"][0]["response"]["body"]
    with (
        FaultServer(say(answer(200, states.encode())), say(answer(200, root()))) as server,
        closing(ShopHttp(f"{server.url}/api", timeout=2.0)) as http,
    ):
        listed, wrong = made(http, states=["4", "13", "14"]).findings()
    assert "4 Shipped, 5 Delivered" in listed.text
    assert "13 Awaiting Cash On Delivery validation" in listed.text
    assert "'14'" in wrong.text


# ------------------------------------------------------------------------------------------------------- looking up


def test_by_id_an_order_is_found_by_its_number_and_nothing_else(http: ShopHttp, office: Office) -> None:
    office.order("12")
    one = office.order("ABC")
    found = find(made(http, "id"), f" {one} ", "999", "ABC", f"0{one}", "-1", "")
    assert {key: (held.link, held.code) for key, held in found.items() if isinstance(held, Held)} == {
        str(one): (str(one), str(one))
    }


def test_a_reference_that_no_filter_can_carry_is_refused_without_asking_for_everything(
    orders: Orders, office: Office
) -> None:
    office.order("A")
    found = find(orders, "[A]", "a")
    assert isinstance(found["[a]"], Rejected)
    assert isinstance(found["a"], Held)


def test_many_orders_and_histories_are_read_in_pages(
    fake: FakePrestaShop, orders: Orders, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prestashop_order_parts, "ROWS_PER_CALL", 7)
    monkeypatch.setattr(prestashop_order_parts, "ORDERS_PER_CALL", 5)
    codes = [f"R{n:03}" for n in range(23)]
    for code in codes:
        office.order(code)
    found = find(orders, *codes)
    assert [held.value for held in found.values() if isinstance(held, Held)] == [
        {"state": "2", "been": ["10", "2"]}
    ] * 23
    before = fake.requests["GET", "order_histories"]
    outcomes = orders.deliver([owed(held.link, wish("3")) for held in found.values() if isinstance(held, Held)])
    assert [confirmed(one)["state"] for one in outcomes] == ["3"] * 23
    assert fake.requests["GET", "order_histories"] - before < 30


def test_nothing_wanted_means_no_request(fake: FakePrestaShop, orders: Orders) -> None:
    assert find(orders) == find(orders, "", "  ") == orders.read([Wanted("x", "X", "nonsense")]) == {}
    assert fake.requests == {}


def test_nothing_secret_or_personal_is_asked_or_kept(
    fake: FakePrestaShop, orders: Orders, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = office.order()
    asked: list[str] = []
    fake.faults.reads = True
    fake.faults.chooser = lambda request: asked.append(request.target)
    outcome = deliver(orders, one, wish("6", tracking="DR1"))
    assert isinstance(outcome, Done)
    assert "0" * 32 not in f"{outcome}"
    assert KEY not in f"{outcome}"
    assert not [each for each in asked if "full" in each or "customer" in each or "address" in each]


@pytest.mark.parametrize("link", [None, "", "x", "1+", "1:2", "+", "0", "-5", "1+x"])
def test_a_link_that_is_none_is_lost(orders: Orders, link: str | None) -> None:
    assert ids_of(link) == ()
    (outcome,) = orders.deliver([owed(link, wish("4"))])
    assert isinstance(outcome, Rejected)
    assert outcome.link_lost


@pytest.mark.parametrize("value", [None, 4, "4", [], {}, {"state": "4"}, {"state": 4, "reached": [], "before": []}])
def test_a_value_that_is_none_is_rejected_and_keeps_its_link(orders: Orders, office: Office, value: Value) -> None:
    assert wish_of(value) is None
    outcome = orders.deliver([owed(office.order(), value)])[0]
    assert isinstance(outcome, Rejected)
    assert not outcome.link_lost
