"""States of orders on a real Vendure: each change exactly once, whatever happens to an answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agent.errors import ShopUnavailable
from agent.events import Done, Event, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted, key_of
from agent.shops.vendure_orders import Orders
from agent.shops.vendure_session import VendureSession
from agent.targets.order_states import OrderStates, OrderStateSettings
from tests.fault_server import FAULTS_AFTER_APPLYING, Fault, FaultProxy, answer, instead

from .vendure import PASSWORD, USER, RealVendure, running_vendure
from .vendure_customer import Customers

pytestmark = pytest.mark.timeout(600)  # the first run on a machine installs

TARGET = OrderStates(OrderStateSettings())
MAP = ("PaymentSettled", "PartiallyShipped", "Shipped", "Delivered")
"""A map in order of progress; Cancelled comes after it."""
SHIPPING = ["PartiallyShipped", "Shipped", "PartiallyDelivered", "Delivered"]
_ORDER = """query($c: String!) { orders(options: { filter: { code: { eq: $c } } }) { items {
 id state shipping fulfillments { id state method trackingCode lines { quantity } }
 history(options: { take: 100, sort: { id: ASC } }) { items { type data } } } } }"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVendure]:
    with running_vendure(tmp_path_factory.mktemp("vendure") / "shop") as shop:
        shop.create_products(["A", "B", "last"], quantity=1000)
        yield shop


@pytest.fixture(scope="module")
def customers(server: RealVendure) -> Customers:
    return Customers(server)


@pytest.fixture
def orders(server: RealVendure) -> Iterator[Orders]:
    session = signed_in(server.url)
    yield Orders(session, states=[*MAP, "Cancelled"])
    session.http.close()


def signed_in(url: str, *, key: str | None = None, timeout: float = 20) -> VendureSession:
    user, password = (None, None) if key else (USER, PASSWORD)
    return VendureSession(
        url, api_key=key, user=user, password=password, channel=None, timeout=timeout, pace=lambda: None
    )


def wish(state: str, **more: Value) -> Value:
    at = MAP.index(state) if state in MAP else len(MAP)
    reached: list[Value] = [*MAP[at:]] or [state]
    return {"state": state, "reached": reached, "before": [*MAP[:at]], **more}


def owed(orders: Orders, code: str, value: Value) -> Owed:
    found = orders.find([Wanted(key_of(code), code)])[key_of(code)]
    assert isinstance(found, Held), found
    return Owed(Event("order_states", key_of(code), value, code), found.link)


def deliver(orders: Orders, code: str, value: Value) -> Outcome:
    (outcome,) = orders.deliver([owed(orders, code, value)])
    assert not isinstance(outcome, Done) or TARGET.same(value, outcome.confirmed)
    return outcome


def confirmed(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.confirmed, dict)
    return outcome.confirmed


def order(server: RealVendure, code: str) -> dict[str, Any]:
    (found,) = server.graphql(_ORDER, {"c": code})["orders"]["items"]
    return dict(found)


def entries(server: RealVendure, code: str, kind: str) -> list[str]:
    """Where the transitions of one kind led, in order."""
    items = order(server, code)["history"]["items"]
    return [str(each["data"].get("to", "")) for each in items if each["type"] == kind]


def turns(server: RealVendure, code: str) -> list[str]:
    """The states that the order came to after its payment."""
    all_of_them = entries(server, code, "ORDER_STATE_TRANSITION")
    return all_of_them[all_of_them.index("PaymentAuthorized") + 1 :]


def test_an_executed_order_is_shipped_once_with_its_number_and_carrier(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 2, "B": 3})
    before = server.stock(["A", "B"])
    value = wish("Shipped", tracking="DR123CZ", carrier="PPL")
    outcome = deliver(orders, code, value)
    assert confirmed(outcome)["tracking"] == "DR123CZ"
    assert isinstance(outcome, Done)
    assert set(outcome.moved) == {"A", "B"}
    for _ in range(2):
        assert confirmed(deliver(orders, code.lower(), value))["state"] == "Shipped"
    (sent,) = order(server, code)["fulfillments"]
    assert (sent["state"], sent["method"], sent["trackingCode"]) == ("Shipped", "PPL", "DR123CZ")
    assert turns(server, code) == ["PaymentSettled", "Shipped"]
    assert entries(server, code, "ORDER_FULFILLMENT_TRANSITION") == ["Pending", "Shipped"]
    assert server.stock(["A", "B"]) == {"A": before["A"] - 2, "B": before["B"] - 3}


def test_a_delivery_in_part_grows_and_ends_as_shipped(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 3, "B": 2})
    first = wish("PartiallyShipped", lines={"a ": 1, "postage": 1})
    for _ in range(2):
        said = confirmed(deliver(orders, code, first))
        assert (said["state"], said["lines"]) == ("PartiallyShipped", {"a": 1, "postage": 1})
    second = wish("PartiallyShipped", lines={"A": 2, "B": 1}, tracking="X2")
    link = owed(orders, code, second).link
    held = orders.read([Wanted(key_of(code), code, link, value=second)])[key_of(code)].value
    assert isinstance(held, dict)
    assert held["lines"] == {"a": 1, "b": 0}
    assert not TARGET.same(second, held)
    said = confirmed(deliver(orders, code, second))
    assert (said["tracking"], said["lines"]) == ("X2", {"a": 2, "b": 1})
    assert confirmed(deliver(orders, code, wish("Shipped")))["state"] == "Shipped"
    sent = [sum(line["quantity"] for line in each["lines"]) for each in order(server, code)["fulfillments"]]
    assert sorted(sent) == [1, 2, 2]
    assert turns(server, code) == ["PaymentSettled", "PartiallyShipped", "Shipped"]
    assert confirmed(deliver(orders, code, second))["state"] == "Shipped"
    assert len(order(server, code)["fulfillments"]) == 3


def test_all_pieces_in_part_are_shipped_and_left_so(orders: Orders, server: RealVendure, customers: Customers) -> None:
    code = customers.order({"A": 1})
    value: Value = {"state": "PartiallyShipped", "reached": ["PartiallyShipped"], "before": [], "lines": {"A": 9}}
    said = confirmed(deliver(orders, code, value))
    assert (said["state"], said["left"]) == ("Shipped", True)


def test_nothing_of_a_delivery_in_part_in_the_order_is_refused(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 1})
    outcome = deliver(orders, code, wish("PartiallyShipped", lines={"elsewhere": 1}))
    assert isinstance(outcome, Rejected)
    assert "None of the pieces" in outcome.reason
    assert turns(server, code) == ["PaymentSettled"]


def test_delivered_goes_by_shipped_and_is_an_end(orders: Orders, server: RealVendure, customers: Customers) -> None:
    code = customers.order({"A": 1, "B": 1})
    for _ in range(2):
        assert confirmed(deliver(orders, code, wish("Delivered")))["state"] == "Delivered"
    assert turns(server, code) == ["PaymentSettled", "Shipped", "Delivered"]
    cancelled: Value = {"state": "Cancelled", "reached": ["Cancelled"], "before": ["Shipped"]}
    said = confirmed(deliver(orders, code, cancelled))
    assert (said["state"], said["left"]) == ("Delivered", True)
    assert turns(server, code)[-1] == "Delivered"


def test_cancelling_gives_the_stock_back_once(orders: Orders, server: RealVendure, customers: Customers) -> None:
    code = customers.order({"A": 2})
    before = server.stock(["A"])
    outcome = deliver(orders, code, wish("Cancelled"))
    assert confirmed(outcome)["state"] == "Cancelled"
    assert isinstance(outcome, Done)
    assert outcome.moved == ("A",)
    assert confirmed(deliver(orders, code, wish("Cancelled")))["state"] == "Cancelled"
    assert turns(server, code) == ["PaymentSettled", "Cancelled"]
    assert order(server, code)["shipping"] == 0
    assert server.stock(["A"]) == before
    said = confirmed(deliver(orders, code, wish("Shipped")))
    assert (said["state"], said["left"]) == ("Cancelled", True)


def test_a_shipped_order_is_cancelled_as_the_machine_allows_and_its_pieces_come_back(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 2})
    before = server.stock(["A"])["A"]
    deliver(orders, code, wish("Shipped"))
    assert server.stock(["A"])["A"] == before - 2
    outcome = deliver(orders, code, wish("Cancelled"))
    assert confirmed(outcome)["state"] == "Cancelled"
    assert isinstance(outcome, Done)
    assert outcome.moved == ("A",)
    assert turns(server, code) == ["PaymentSettled", "Shipped", "Cancelled"]
    assert server.stock(["A"])["A"] == before


def test_an_unpaid_order_is_refused_before_anything_is_moved(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 2}, settled=False)
    before = server.stock(["A"])
    for state in ("Shipped", "PaymentSettled"):
        outcome = deliver(orders, code, wish(state))
        assert isinstance(outcome, Rejected)
        assert "PaymentAuthorized" in outcome.reason or "settled" in outcome.reason
        assert outcome.hint
    assert (turns(server, code), order(server, code)["fulfillments"]) == ([], [])
    assert server.stock(["A"]) == before
    customers.settle(code)
    assert confirmed(deliver(orders, code, wish("Shipped")))["state"] == "Shipped"


def test_what_a_person_did_further_on_is_not_moved_back(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 1})
    deliver(orders, code, wish("Delivered"))
    for state in ("PaymentSettled", "Shipped"):
        assert confirmed(deliver(orders, code, wish(state)))["state"] == "Delivered"
    assert turns(server, code) == ["PaymentSettled", "Shipped", "Delivered"]


def test_a_fulfilment_that_a_person_began_is_taken_along(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 3})
    query = "query($c: String!) { orders(options: {filter: {code: {eq: $c}}}) { items { lines { id } } } }"
    line = server.graphql(query, {"c": code})["orders"]["items"][0]["lines"][0]["id"]
    begin = """mutation($l: ID!) { addFulfillmentToOrder(input: { lines: [{ orderLineId: $l, quantity: 1 }],
     handler: { code: "manual-fulfillment", arguments: [
     { name: "method", value: "Hand" }, { name: "trackingCode", value: "" }] } }) { __typename } }"""
    server.graphql(begin, {"l": line})
    deliver(orders, code, wish("Shipped", tracking="T1"))
    sent = order(server, code)["fulfillments"]
    assert sorted((each["state"], each["lines"][0]["quantity"]) for each in sent) == [("Shipped", 1), ("Shipped", 2)]
    assert turns(server, code)[-1] == "Shipped"


def test_a_number_that_comes_after_the_parcel_went_is_refused(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 1})
    deliver(orders, code, wish("Shipped", tracking="ONE"))
    outcome = deliver(orders, code, wish("Shipped", tracking="TWO"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("tracking")
    assert [each["trackingCode"] for each in order(server, code)["fulfillments"]] == ["ONE"]


def test_the_last_piece_is_sent_though_pohoda_has_taken_it_off_already(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"last": 3})
    update = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
    query = '{ productVariants(options: { filter: { sku: { eq: "last" } } }) { items { id } } }'
    (row,) = server.graphql(query)["productVariants"]["items"]
    server.graphql(update, {"i": [{"id": row["id"], "stockOnHand": 1}]})
    outcome = deliver(orders, code, wish("Shipped"))
    assert confirmed(outcome)["state"] == "Shipped"
    assert isinstance(outcome, Done)
    assert outcome.moved == ("last",)
    assert server.stock(["last"]) == {"last": 0}
    assert turns(server, code) == ["PaymentSettled", "Shipped"]


@pytest.mark.parametrize(("name", "fault"), FAULTS_AFTER_APPLYING)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_lost_answer_at_any_step_is_unclear_and_the_next_delivery_goes_on(
    server: RealVendure, customers: Customers, name: str, fault: Fault, place: int
) -> None:
    code = customers.order({"A": 2, "B": 1})
    passed = []

    def spoils(request: bytes) -> bool:
        if b"mutation" not in request or b"login(" in request:
            return False
        passed.append(request)
        return len(passed) == place + 1

    with FaultProxy(server.port, spoils) as proxy:
        session = signed_in(proxy.url, timeout=1.5)
        orders = Orders(session)
        item = owed(orders, code, wish("Delivered"))
        proxy.next(fault)
        outcome = orders.deliver([item])[0]
        assert isinstance(outcome, Unclear), name
        held = orders.read([Wanted(key_of(code), code, item.link, value=item.event.value)])[key_of(code)]
        assert isinstance(held.value, dict)
        assert held.value["moved"] == ["A", "B"]
        assert TARGET.same(item.event.value, held.value) == (place == 2)
        again = orders.deliver([item])[0]
        assert confirmed(again)["state"] == "Delivered"
        assert isinstance(again, Done)
        assert again.moved == ("A", "B")
        session.http.close()
    assert turns(server, code) == ["PaymentSettled", "Shipped", "Delivered"]
    assert entries(server, code, "ORDER_FULFILLMENT_TRANSITION") == ["Pending", "Shipped", "Delivered"]


def test_a_lost_cancellation_is_not_repeated(server: RealVendure, customers: Customers) -> None:
    code = customers.order({"A": 2})
    with FaultProxy(server.port, lambda request: b"cancelOrder" in request) as proxy:
        session = signed_in(proxy.url, timeout=1.5)
        orders = Orders(session)
        item = owed(orders, code, wish("Cancelled"))
        proxy.next(FAULTS_AFTER_APPLYING[0][1])
        assert isinstance(orders.deliver([item])[0], Unclear)
        assert confirmed(orders.deliver([item])[0])["state"] == "Cancelled"
        session.http.close()
    assert turns(server, code) == ["PaymentSettled", "Cancelled"]
    assert len(entries(server, code, "ORDER_CANCELLATION")) == 1


def test_not_now_before_the_first_step_raises_and_later_leaves_the_rest_untried(
    server: RealVendure, customers: Customers
) -> None:
    codes = [customers.order({"A": 1}) for _ in range(3)]
    limit = instead(answer(429, b"slow down", "retry-after: 7"))
    with FaultProxy(server.port, lambda request: b"addFulfillmentToOrder" in request) as proxy:
        session = signed_in(proxy.url, timeout=5)
        orders = Orders(session)
        items = [owed(orders, code, wish("Shipped")) for code in codes]
        proxy.next(limit)
        with pytest.raises(ShopUnavailable) as caught:
            orders.deliver(items)
        assert caught.value.retry_after == 7
        proxy.next(lambda proxy, request, connection: connection.sendall(proxy.forward(request)), limit)
        assert [type(one) for one in orders.deliver(items)] == [Done, Untried, Untried]
        assert [type(one) for one in orders.deliver(items)] == [Done, Done, Done]
        session.http.close()
    assert all(turns(server, code) == ["PaymentSettled", "Shipped"] for code in codes)


def test_orders_are_found_by_code_and_unknown_ones_are_missing(orders: Orders, customers: Customers) -> None:
    code = customers.order({"A": 1})
    found = orders.find([Wanted(key_of(each), each) for each in (f" {code.lower()} ", "UNKNOWN")])
    assert set(found) == {key_of(code)}
    (held,) = found.values()
    assert isinstance(held, Held)
    assert held.value == {"state": "PaymentSettled", "been": [*_way(), "PaymentSettled"]}
    assert orders.read([Wanted("gone", "gone", "987654")]) == {}
    gone = orders.deliver([Owed(Event("order_states", "gone", wish("Shipped"), "gone"), "987654")])[0]
    assert isinstance(gone, Rejected)
    assert gone.link_lost


def _way() -> list[str]:
    return ["Created", "AddingItems", "ArrangingPayment", "PaymentAuthorized"]


def test_an_unknown_state_is_refused_with_those_that_there_are(
    orders: Orders, server: RealVendure, customers: Customers
) -> None:
    code = customers.order({"A": 1})
    outcome = deliver(orders, code, {"state": "Odeslána", "reached": ["Odeslána"], "before": []})
    assert isinstance(outcome, Rejected)
    assert "PartiallyShipped" in outcome.hint
    assert turns(server, code) == ["PaymentSettled"]


def test_a_key_with_two_rights_is_enough_and_one_without_is_told(server: RealVendure, customers: Customers) -> None:
    code = customers.order({"A": 1})
    session = signed_in(server.url, key=server.create_api_key("ReadOrder", "UpdateOrder"))
    orders = Orders(session, states=["Shipped", "Odeslána"])
    findings = orders.findings()
    assert [(each.verdict, each.subject) for each in findings] == [
        ("ok", "orders"),
        ("ok", "order states"),
        ("error", "order states"),
    ]
    assert confirmed(deliver(orders, code, wish("Delivered")))["state"] == "Delivered"
    session.http.close()
    for rights in (("ReadOrder",), ("ReadCatalog",)):
        session = signed_in(server.url, key=server.create_api_key(*rights))
        (finding,) = Orders(session).findings()
        assert finding.verdict == "error"
        assert "UpdateOrder" in finding.hint
        session.http.close()


def test_the_last_piece_without_the_right_to_stock_is_refused_with_the_right(
    server: RealVendure, customers: Customers
) -> None:
    server.create_products(["scarce"], quantity=2)
    code = customers.order({"scarce": 2})
    update = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
    query = '{ productVariants(options: { filter: { sku: { eq: "scarce" } } }) { items { id } } }'
    (row,) = server.graphql(query)["productVariants"]["items"]
    server.graphql(update, {"i": [{"id": row["id"], "stockOnHand": 0}]})
    session = signed_in(server.url, key=server.create_api_key("ReadOrder", "UpdateOrder"))
    outcome = deliver(Orders(session), code, wish("Shipped"))
    assert isinstance(outcome, Rejected)
    assert "UpdateCatalog" in outcome.hint
    session.http.close()
    assert (turns(server, code), order(server, code)["fulfillments"]) == (["PaymentSettled"], [])
