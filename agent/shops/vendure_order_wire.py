"""Vendure: what is asked of orders in GraphQL, and how the answers are read.

Of an order only its code, states, lines (SKU, pieces) and fulfilments are asked: nothing of the customer. The history
of an order is cut to its own transitions, the only entries whose data are named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.shops import vendure_order_steps as steps
from agent.shops.vendure_order_steps import Cancel, Fulfil, Fulfilment, Line, Move, Order, Step, Wish

LIST = """query($o: OrderListOptions) { orders(options: $o) { items {
 id code state nextStates
 lines { id quantity productVariant { id sku } }
 fulfillments { id state nextStates trackingCode lines { orderLineId quantity } }
 history(options: { filter: { type: { eq: "ORDER_STATE_TRANSITION" } }, sort: { id: ASC }, take: 1000 }) {
  items { data } } } } }"""
_FAILED = "__typename ... on ErrorResult { errorCode message }"
_SENT = f"{{ {_FAILED} ... on FulfillmentStateTransitionError {{ transitionError }} }}"
_TURNED = f"{{ {_FAILED} ... on OrderStateTransitionError {{ transitionError }} }}"
FULFIL = f"mutation($i: FulfillOrderInput!) {{ done: addFulfillmentToOrder(input: $i) {_SENT} }}"
MOVE = f"mutation($i: ID!, $s: String!) {{ done: transitionFulfillmentToState(id: $i, state: $s) {_SENT} }}"
CANCEL = f"mutation($i: CancelOrderInput!) {{ done: cancelOrder(input: $i) {_TURNED} }}"
TURN = f"mutation($i: ID!, $s: String!) {{ done: transitionOrderToState(id: $i, state: $s) {_TURNED} }}"


def call(order: Order, wish: Wish, following: Step) -> tuple[str, dict[str, object]]:
    """The mutation of a step, and its variables."""
    if isinstance(following, Fulfil):
        arguments = [
            {"name": "method", "value": wish.carrier or steps.METHOD},
            {"name": "trackingCode", "value": wish.tracking},
        ]
        lines = [{"orderLineId": line, "quantity": pieces} for line, pieces in following.pieces.items()]
        handler = {"code": "manual-fulfillment", "arguments": arguments}
        return FULFIL, {"i": {"lines": lines, "handler": handler}}
    if isinstance(following, Move):
        return MOVE, {"i": following.fulfilment, "s": following.state}
    if isinstance(following, Cancel):
        return CANCEL, {"i": {"orderId": order.id, "cancelShipping": True, "reason": "cancelled in POHODA"}}
    return TURN, {"i": order.id, "s": following.state}


def read(data: Mapping[str, Any]) -> dict[str, Order]:
    """Read the answer to `LIST`: orders by id. Raises what a missing or misshapen field raises."""
    return {str(raw["id"]): _order(raw) for raw in data["orders"]["items"]}


def _order(raw: Mapping[str, Any]) -> Order:
    state = str(raw["state"])
    entries = [(str(each["data"]["from"]), str(each["data"]["to"])) for each in raw["history"]["items"]]
    lines = (
        Line(
            str(each["id"]),
            str(each["productVariant"]["id"]),
            str(each["productVariant"]["sku"]),
            int(each["quantity"]),
        )
        for each in raw["lines"]
    )
    mine = {str(each["id"]) for each in raw["lines"]}
    fulfilments = (_fulfilment(each, mine) for each in raw["fulfillments"] or ())
    return Order(
        id=str(raw["id"]),
        code=str(raw["code"]),
        state=state,
        next=tuple(map(str, raw["nextStates"])),
        been=steps.history(state, entries),
        lines=tuple(lines),
        fulfilments=tuple(sorted(fulfilments, key=lambda each: (len(each.id), each.id))),
    )


def _fulfilment(raw: Mapping[str, Any], mine: set[str]) -> Fulfilment:
    pieces: dict[str, int] = {}
    for each in raw["lines"]:
        if (line := str(each["orderLineId"])) in mine:  # a fulfilment may hold pieces of several orders
            pieces[line] = pieces.get(line, 0) + int(each["quantity"])
    following = tuple(map(str, raw["nextStates"]))
    return Fulfilment(str(raw["id"]), str(raw["state"]), following, str(raw["trackingCode"] or ""), pieces)
