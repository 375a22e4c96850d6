"""A reading of a Vendure's orders by GraphQL of its own: each change of a state, as a customer sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .vendure import RealVendure

_ORDERS = """query($o: OrderListOptions) { orders(options: $o) { items { id code state lines { id }
 fulfillments { id state method trackingCode lines { quantity orderLine { productVariant { sku } } } }
 history(options: { take: 200, sort: { id: ASC } }) { items { type data } } } } }"""
_FULFIL = """mutation($i: FulfillOrderInput!) { addFulfillmentToOrder(input: $i) {
 ... on Fulfillment { id } ... on ErrorResult { errorCode message } } }"""
_LINES = "query($i: ID!) { order(id: $i) { lines { id quantity } } }"
_MOVE = """mutation($i: ID!, $s: String!) { transitionFulfillmentToState(id: $i, state: $s) {
 ... on Fulfillment { id } ... on ErrorResult { errorCode message } } }"""
_CANCEL = """mutation($i: CancelOrderInput!) { cancelOrder(input: $i) {
 ... on Order { id } ... on ErrorResult { errorCode message } } }"""


@dataclass(frozen=True, slots=True)
class History:
    """An order as the shop has it."""

    id: str
    state: str
    states: tuple[str, ...]
    """Those that it came to after its payment was authorized, each as often as it did."""
    parcels: tuple[tuple[str, str, str], ...]
    """State, carrier and tracking code of each fulfilment."""
    pieces: Mapping[str, int]
    """In fulfilments that are not cancelled, by code."""
    doubled: tuple[str, ...]
    """Changes of a fulfilment's state, and cancellations, that happened more than once."""


def histories(server: RealVendure) -> dict[str, History]:
    """All orders that were placed, by code."""
    options = {"take": 100, "filter": {"state": {"notEq": "AddingItems"}}}
    listed = server.graphql(_ORDERS, {"o": options})["orders"]["items"]
    return {one["code"]: _history(one) for one in listed}


def _history(one: Mapping[str, Any]) -> History:
    entries: dict[str, list[Mapping[str, Any]]] = {}
    for entry in one["history"]["items"]:
        entries.setdefault(entry["type"], []).append(entry["data"])
    states = [str(data["to"]) for data in entries.get("ORDER_STATE_TRANSITION", ())]
    parcels = one["fulfillments"] or []
    moves = Counter(
        f"fulfilment {data['fulfillmentId']} to {data['to']}"
        for data in entries.get("ORDER_FULFILLMENT_TRANSITION", ())
    )
    moves["cancellation"] = len(entries.get("ORDER_CANCELLATION", ()))
    pieces = Counter[str]()
    for parcel in parcels:
        for line in parcel["lines"] if parcel["state"] != "Cancelled" else ():
            pieces[line["orderLine"]["productVariant"]["sku"]] += line["quantity"]
    return History(
        id=one["id"],
        state=one["state"],
        states=tuple(states[states.index("PaymentAuthorized") + 1 :]),
        parcels=tuple((parcel["state"], parcel["method"], parcel["trackingCode"]) for parcel in parcels),
        pieces=pieces,
        doubled=tuple(move for move, times in moves.items() if times > 1),
    )


def deliver_by_hand(server: RealVendure, order: str) -> None:
    """Send all of an order and say that it has arrived, as a person in the administration does."""
    lines = server.graphql(_LINES, {"i": order})["order"]["lines"]
    handler = {
        "code": "manual-fulfillment",
        "arguments": [{"name": "method", "value": "Osobně"}, {"name": "trackingCode", "value": ""}],
    }
    wanted = [{"orderLineId": line["id"], "quantity": line["quantity"]} for line in lines]
    made = server.graphql(_FULFIL, {"i": {"lines": wanted, "handler": handler}})["addFulfillmentToOrder"]
    for state in ("Shipped", "Delivered"):
        done = server.graphql(_MOVE, {"i": made["id"], "s": state})["transitionFulfillmentToState"]
        assert "errorCode" not in done, done


def cancel_by_hand(server: RealVendure, order: str) -> None:
    """Cancel an order, as a person in the administration does."""
    done = server.graphql(_CANCEL, {"i": {"orderId": order, "cancelShipping": True}})["cancelOrder"]
    assert "errorCode" not in done, done
