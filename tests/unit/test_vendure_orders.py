"""Steps of orders in Vendure, and what the adapter makes of answers that a healthy server does not give on demand.

What the server itself does is asked in tests/e2e/test_vendure_order_states.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import orjson
import pytest

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Event, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted
from agent.shops.http import Answer
from agent.shops.vendure_order_steps import (
    Cancel,
    Fulfil,
    Fulfilment,
    Line,
    Move,
    Order,
    Refusal,
    Turn,
    Wish,
    present,
    step,
    wish_of,
)
from agent.shops.vendure_orders import MOST_STEPS, RIGHTS, Orders
from agent.shops.vendure_session import VendureSession

PAID = Order(
    id="7",
    code="C7",
    state="PaymentSettled",
    next=("PartiallyDelivered", "Delivered", "PartiallyShipped", "Shipped", "Cancelled"),
    been=("Created", "PaymentSettled"),
    lines=(Line("1", "11", "A", 3), Line("2", "12", "B", 1), Line("3", "11", "a", 2)),
    fulfilments=(),
)
PENDING = Fulfilment("5", "Pending", ("Shipped", "Delivered", "Cancelled"), "", {"1": 3, "2": 1, "3": 2})
GONE = replace(PENDING, state="Shipped", next=("Delivered", "Cancelled"), tracking="T")


def wish(
    state: str,
    *,
    reached: tuple[str, ...] = (),
    before: tuple[str, ...] = (),
    pieces: Mapping[str, int] = MappingProxyType({}),
) -> Wish:
    return Wish(state, frozenset({state, *reached}), frozenset(before), tracking="", carrier="", pieces=pieces)


# ------------------------------------------------------------------------------------------------------------- steps


def test_what_is_missing_is_fulfilled_then_sent_then_turned() -> None:
    assert step(PAID, wish("Shipped")) == Fulfil({"1": 3, "2": 1, "3": 2})
    assert step(replace(PAID, fulfilments=(PENDING,)), wish("Shipped")) == Move("5", "Shipped")
    sent = replace(PAID, fulfilments=(GONE,))
    assert step(sent, wish("Shipped")) == Turn("Shipped")  # its own process did not follow
    assert step(sent, wish("Delivered")) == Move("5", "Delivered")
    arrived = replace(sent, state="Shipped", next=("Delivered",), been=(*PAID.been, "Shipped"))
    assert step(arrived, wish("Shipped")) is None


def test_cancelled_fulfilments_do_not_count() -> None:
    cancelled = replace(PAID, fulfilments=(replace(PENDING, state="Cancelled", next=()),))
    assert step(cancelled, wish("Shipped")) == Fulfil({"1": 3, "2": 1, "3": 2})


def test_a_new_fulfilment_is_led_through_pending() -> None:
    created = replace(PENDING, state="Created", next=("Pending",))
    assert step(replace(PAID, fulfilments=(created,)), wish("Shipped")) == Move("5", "Pending")


def test_a_fulfilment_of_a_state_of_its_own_is_refused() -> None:
    packing = replace(PENDING, state="Packing", next=("Packed",))
    outcome = step(replace(PAID, fulfilments=(packing,)), wish("Shipped"))
    assert isinstance(outcome, Refusal)
    assert "Packed" in outcome.reason


def test_pieces_of_one_sku_are_taken_from_all_its_lines() -> None:
    part = wish("PartiallyShipped", pieces={"a": 4})
    assert step(PAID, part) == Fulfil({"1": 3, "3": 1})
    some = replace(GONE, pieces={"1": 3, "3": 1})
    order = replace(PAID, fulfilments=(some,), state="PartiallyShipped", been=(*PAID.been, "PartiallyShipped"))
    assert step(order, part) is None
    assert step(order, wish("PartiallyShipped", pieces={"a": 9, "b": 1})) == Fulfil({"3": 1, "2": 1})
    assert present(order, part)["lines"] == {"a": 4}
    assert present(order, wish("PartiallyShipped", pieces={"a": 5, "x": 2}))["lines"] == {"a": 4, "x": 2}
    pending = replace(order, fulfilments=(replace(some, state="Pending", next=("Shipped",)),))
    assert present(pending, part)["lines"] == {"a": 0}


def test_a_part_after_the_whole_is_nothing() -> None:
    order = replace(PAID, fulfilments=(GONE,), state="Shipped", been=(*PAID.been, "Shipped"), next=("Delivered",))
    part = wish("PartiallyShipped", pieces={"a": 1})
    assert step(order, part) is None
    assert present(order, part)["left"] is True


def test_no_way_on_is_refused_before_anything_is_sent() -> None:
    unpaid = replace(PAID, state="PaymentAuthorized", next=("PaymentSettled", "Cancelled"), been=("Created",))
    outcome = step(unpaid, wish("Shipped"))
    assert isinstance(outcome, Refusal)
    assert "payment" in outcome.hint
    assert step(unpaid, wish("Cancelled")) == Cancel()
    assert step(unpaid, wish("PaymentSettled")) == Turn("PaymentSettled")
    assert isinstance(step(PAID, wish("Packed")), Refusal)


def test_what_was_ever_reached_is_never_written_again() -> None:
    modified = replace(PAID, been=(*PAID.been, "Shipped", "Modifying", "PaymentSettled"))
    assert step(modified, wish("Shipped")) is None
    assert step(modified, wish("Packed", reached=("Shipped",))) is None


@pytest.mark.parametrize("end", ["Cancelled", "Delivered"])
def test_an_end_is_left_unless_it_is_a_stage_before(end: str) -> None:
    order = replace(PAID, state=end, been=(*PAID.been, end), next=("Cancelled",) if end == "Delivered" else ())
    assert step(order, wish("Packed")) is None
    assert present(order, wish("Packed"))["left"] is True
    assert present(order, None)["left"] is True
    assert step(order, wish("Packed", before=(end,))) is not None
    assert "left" not in present(order, wish(end))


def test_an_order_without_pieces_is_only_turned_to_cancelled() -> None:
    empty = replace(PAID, lines=(Line("1", "11", "A", 0),))
    assert step(empty, wish("Cancelled")) == Turn("Cancelled")


def test_what_moved_the_stock_is_told() -> None:
    assert "moved" not in present(PAID, None)
    assert present(replace(PAID, fulfilments=(replace(PENDING, pieces={"2": 1}),)), None)["moved"] == ["B"]
    cancelled = replace(PAID, state="Cancelled", been=(*PAID.been, "Cancelled"))
    assert present(cancelled, None)["moved"] == ["A", "B", "a"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "Shipped",
        [],
        {},
        {"state": "", "reached": [], "before": []},
        {"state": 5, "reached": [], "before": []},
        {"state": "Shipped"},
        {"state": "Shipped", "reached": [], "before": [], "lines": {"A": "many"}},
    ],
)
def test_what_is_no_state_of_an_order_is_no_wish(value: Value) -> None:
    assert wish_of(value) is None


# ------------------------------------------------------------------------------------------------------------- wire


STATES = {"globalSettings": {"serverConfig": {"orderProcess": [{"name": "PaymentSettled", "to": ["Shipped"]}]}}}
STATES["globalSettings"]["serverConfig"]["orderProcess"] += [
    {"name": name, "to": []} for name in ("Shipped", "Cancelled", "Packed")
]


def graphql(data: object = None, *errors: Mapping[str, object], status: int = 200) -> Answer:
    return Answer(status, {}, orjson.dumps({"data": data, **({"errors": errors} if errors else {})}))


def error(code: str | None, *path: object) -> dict[str, object]:
    return {"message": f"it is {code}", "path": list(path), **({"extensions": {"code": code}} if code else {})}


def raw(number: str, state: str = "PaymentSettled") -> dict[str, object]:
    return {
        "id": number,
        "code": f"C{number}",
        "state": state,
        "nextStates": ["Packed", "Cancelled"],
        "lines": [{"id": f"{number}1", "quantity": 1, "productVariant": {"id": "1", "sku": "A"}}],
        "fulfillments": None,
        "history": {"items": [{"data": {"from": "Created", "to": "PaymentSettled"}}]},
    }


class Wire:
    """Stands in for the HTTP client: orders never change; each write is answered with the next of a list."""

    def __init__(self, *writes: Answer | Exception, orders: tuple[str, ...] = ("1", "2", "3")) -> None:
        self.writes = list(writes)
        self.orders = orders
        self.sent: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def read(self, _path: str, *, content: bytes, **_: object) -> Answer:
        asked = orjson.loads(content)
        self.asked.append(asked["query"])
        if "orderProcess" in asked["query"]:
            return graphql(STATES)
        condition = asked["variables"]["o"]["filter"]
        items = [raw(each) for each in self.orders if each in condition.get("id", {}).get("in", ())]
        items += [raw(each) for each in self.orders if f"C{each}" in condition.get("code", {}).get("in", ())]
        return graphql({"orders": {"items": items}})

    def write(self, _method: str, _path: str, *, content: bytes, **_: object) -> Answer:
        self.sent.append(orjson.loads(content))
        answer = self.writes.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def shop(wire: Wire) -> Orders:
    session = VendureSession(
        "http://shop.invalid", api_key="k", user=None, password=None, channel=None, timeout=1, pace=lambda: None
    )
    session.http = wire  # type: ignore[assignment]  # the stand-in
    return Orders(session, states=["Shipped", "Odeslána"])


def deliver(wire: Wire, *links: str | None, state: str = "Packed") -> list[Outcome]:
    value: Value = {"state": state, "reached": [state], "before": []}
    return shop(wire).deliver([Owed(Event("order_states", f"c{link}", value, f"C{link}"), link) for link in links])


DONE = graphql({"done": {"__typename": "Order"}})


@pytest.mark.parametrize(
    "answer",
    [
        AnswerLost("the connection broke"),
        Answer(200, {}, b"<html>We are back soon</html>"),
        Answer(200, {}, b'{"data": {"done'),
        graphql(None, error(None, "done")),
        graphql(None, error("INTERNAL_SERVER_ERROR", "done")),
        graphql({"done": None}),
        graphql({}),
    ],
)
def test_whatever_is_not_a_clear_answer_is_unclear_and_the_rest_untried(answer: Answer | Exception) -> None:
    wire = Wire(answer)
    assert [type(one) for one in deliver(wire, "1", "2", "3")] == [Unclear, Untried, Untried]
    assert len(wire.sent) == 1


def test_a_refusal_of_the_machine_is_rejected_with_its_words_and_the_rest_goes_on() -> None:
    refusal = {"__typename": "X", "errorCode": "ORDER_STATE_TRANSITION_ERROR", "message": "m", "transitionError": "why"}
    wire = Wire(graphql({"done": refusal}), AnswerLost("x"))
    first, second = deliver(wire, "1", "2")
    assert isinstance(first, Rejected)
    assert "why" in first.reason
    assert first.hint
    assert isinstance(second, Unclear)


def test_an_order_that_does_not_follow_ends_after_some_steps() -> None:
    wire = Wire(*[DONE] * (MOST_STEPS + 5))
    (outcome,) = deliver(wire, "1")
    assert isinstance(outcome, Unclear)
    assert len(wire.sent) == MOST_STEPS


def test_an_order_that_is_gone_loses_its_link() -> None:
    wire = Wire(graphql(None, error("ENTITY_NOT_FOUND", "done")))
    for outcome in [*deliver(wire, "1"), *deliver(wire, "9"), *deliver(wire, None)]:
        assert isinstance(outcome, Rejected)
        assert outcome.link_lost


def test_a_denial_names_the_rights_that_orders_need() -> None:
    with pytest.raises(ShopUnavailable) as raised:
        deliver(Wire(graphql(None, error("FORBIDDEN", "done"))), "1")
    assert raised.value.denied
    assert raised.value.hint == RIGHTS


def test_not_now_after_a_refusal_leaves_the_item_untried() -> None:
    refusal = graphql({"done": {"__typename": "X", "errorCode": "E", "message": "m"}})
    outcomes = deliver(Wire(refusal, ShopUnavailable("HTTP 429")), "1", "2", "3")
    assert [type(one) for one in outcomes] == [Rejected, Untried, Untried]


def test_not_now_between_two_steps_is_unclear() -> None:
    outcomes = deliver(Wire(DONE, ShopUnavailable("HTTP 429")), "1", "2")
    assert [type(one) for one in outcomes] == [Unclear, Untried]


def test_a_state_that_the_shop_does_not_have_is_never_sent() -> None:
    wire = Wire()
    (outcome,) = deliver(wire, "1", state="Odeslána")
    assert isinstance(outcome, Rejected)
    assert "Packed" in outcome.hint
    assert wire.sent == []


def test_nothing_personal_is_asked_and_codes_go_a_hundred_at_a_time() -> None:
    wire = Wire()
    orders = shop(wire)
    orders.find([Wanted(f"c{n}", f"C{n}") for n in range(90)])
    assert len(wire.asked) == 2  # two spellings of each
    text = "".join(wire.asked).casefold()
    assert not [word for word in ("customer", "address", "email", "name", "payment") if word in text]
    assert orders.find([]) == orders.read([]) == {}


def test_two_orders_with_one_code_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(orders=("1", "1b"))
    orders = shop(wire)
    answer = graphql({"orders": {"items": [raw("1"), {**raw("2"), "code": "c1"}]}})
    monkeypatch.setattr(wire, "read", lambda *_, **__: answer)
    found = orders.find([Wanted("c1", "C1")])["c1"]
    assert isinstance(found, Rejected)
    assert "1, 2" in found.reason


def test_check_lists_the_states_and_complains_of_one_that_there_is_not() -> None:
    findings = shop(Wire(graphql(None, error("ENTITY_NOT_FOUND", "done")))).findings()
    assert [finding.verdict for finding in findings] == ["ok", "ok", "error"]
    assert "Packed" in findings[1].text
    assert "Odeslána" in findings[2].text


def test_a_value_that_is_none_is_rejected_without_a_request() -> None:
    wire = Wire()
    (outcome,) = shop(wire).deliver([Owed(Event("order_states", "c1", "Shipped", "C1"), "1")])
    assert isinstance(outcome, Rejected)
    assert wire.sent == []
