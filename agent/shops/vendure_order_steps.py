"""What is to be done next with an order of Vendure so that it comes into a state: pure, one step at a time.

Vendure's orders follow a machine of states, and the states of shipping follow the order's fulfilments: an order is
*Shipped* when all its pieces are in fulfilments that are (``default-fulfillment-process.js`` of 3.7.3; ran here).
Decisions:

* `step` looks at the order as it is now and names one step, or none. What is asked once more after a lost answer goes
  on from what is there: fulfilments that exist count, whoever made them; the shop refuses to fulfil a piece twice.
* Before anything is fulfilled the machine must have a way on: it takes a fulfilment of an order whose payment is not
  settled, moves the stock, and leaves the order where it is (read in 3.7.3; so nothing is sent then).
* An order that is at an end (`ENDS`), or has come further than the wish by itself, is left alone.
* What is delivered in part is named by SKU. Codes that the order does not have (postage) are passed over.
* A fulfilment keeps the tracking code that it was made with: the API has no call to change it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agent.events import Value, key_of

ENDS = frozenset({"Cancelled", "Delivered"})
PARTLY = frozenset({"PartiallyShipped", "PartiallyDelivered"})
SHIPPING = ("PartiallyShipped", "Shipped", "PartiallyDelivered", "Delivered")
"""States that follow the fulfilments, in the order of progress."""
METHOD = "POHODA"
"""What a fulfilment is sent with where no carrier is told."""
_PAY = "Settle the order's payment in Vendure (or map this state of POHODA to another one); then retry the delivery."


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order: ``quantity`` is without the cancelled pieces."""

    id: str
    variant: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """Pieces of an order that were sent together; ``pieces`` by id of the line."""

    id: str
    state: str
    next: tuple[str, ...]
    tracking: str
    pieces: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Order:
    """An order as far as its state goes; ``been``: every state it ever was in; ``next``: where the machine may go."""

    id: str
    code: str
    state: str
    next: tuple[str, ...]
    been: tuple[str, ...]
    lines: tuple[Line, ...]
    fulfilments: tuple[Fulfilment, ...]

    def open(self) -> dict[str, int]:
        """Pieces that are in no fulfilment, by id of the line."""
        live = self.live()
        left = {line.id: line.quantity - sum(each.pieces.get(line.id, 0) for each in live) for line in self.lines}
        return {line: pieces for line, pieces in left.items() if pieces > 0}

    def live(self) -> list[Fulfilment]:
        """Fulfilments that are not cancelled, oldest first."""
        return [each for each in self.fulfilments if each.state != "Cancelled"]

    def moved(self) -> tuple[str, ...]:
        """SKUs whose stock the shop moved by what was done with the order: fulfilled, or cancelled."""
        if "Cancelled" in self.been:
            return tuple(dict.fromkeys(line.sku for line in self.lines))
        lines = {line for each in self.fulfilments for line in each.pieces}
        return tuple(dict.fromkeys(line.sku for line in self.lines if line.id in lines))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a value asks for."""

    state: str
    reached: frozenset[str]
    before: frozenset[str]
    tracking: str
    carrier: str
    pieces: Mapping[str, int]
    """Delivered pieces by key of the code; empty where all counts."""


@dataclass(frozen=True, slots=True)
class Fulfil:
    """Put pieces (by id of the line) into a new fulfilment."""

    pieces: Mapping[str, int]

    def __str__(self) -> str:
        return f"fulfil {sum(self.pieces.values())} pieces"


@dataclass(frozen=True, slots=True)
class Move:
    """Bring a fulfilment into a state."""

    fulfilment: str
    state: str

    def __str__(self) -> str:
        return f"fulfilment {self.fulfilment} to {self.state}"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel all that is left of the order, postage too. Money that was paid is not sent back by this."""

    def __str__(self) -> str:
        return "cancel"


@dataclass(frozen=True, slots=True)
class Turn:
    """Bring the order itself into a state."""

    state: str

    def __str__(self) -> str:
        return f"to {self.state}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """It cannot be done as the order is now; nothing was sent."""

    reason: str
    hint: str


Step: TypeAlias = Fulfil | Move | Cancel | Turn


def wish_of(value: Value) -> Wish | None:
    """Read the value of an order; None when it is none."""
    if not isinstance(value, dict) or not isinstance(state := value.get("state"), str) or not state:
        return None
    reached, before, lines = value.get("reached"), value.get("before"), value.get("lines")
    if not isinstance(reached, list) or not isinstance(before, list) or not isinstance(lines or {}, dict):
        return None
    pieces: dict[str, int] = {}
    for code, number in (lines if isinstance(lines, dict) else {}).items():
        if not isinstance(number, int | float):
            return None
        pieces[key_of(code)] = int(number)
    tracking, carrier = (str(value.get(name) or "").strip() for name in ("tracking", "carrier"))
    return Wish(state, frozenset(map(str, reached)), frozenset(map(str, before)), tracking, carrier, pieces)


def step(order: Order, wish: Wish) -> Step | Refusal | None:
    """Say what is to be done next; None when there is nothing (more) to do."""
    if at_an_end(order, wish):
        return None
    reached = wish.reached.intersection(order.been)
    if wish.state not in SHIPPING:
        return None if reached else _to(order, wish.state)
    if reached - {wish.state} or (reached and not (wish.state in PARTLY and wish.pieces)):
        return _tracked(order, wish)
    return _ship(order, wish)


def at_an_end(order: Order, wish: Wish | None) -> bool:
    """Tell whether the shop counts the order as finished, where that is no stage on the way to the wish."""
    return order.state in ENDS and (wish is None or order.state not in wish.before | {wish.state})


def _ship(order: Order, wish: Wish) -> Step | Refusal | None:
    missing = _missing(order, wish)
    if missing and not set(order.next).intersection(SHIPPING):
        return Refusal(f"The order is {order.state}: Vendure ships from there nothing.", _PAY)
    if missing:
        return Fulfil(missing)
    goal = _goal(wish)
    for each in order.live():
        if each.state not in {goal, "Delivered"}:
            return _move(each, goal)
    if wish.state in order.been or _rank(order.state) > _rank(wish.state):
        return _tracked(order, wish)
    if wish.state in PARTLY and not order.live():
        return Refusal(
            "None of the pieces delivered in POHODA is in the shop's order.",
            "Compare the codes of the order in POHODA with the SKUs of its lines in Vendure.",
        )
    return _to(order, wish.state)


def _missing(order: Order, wish: Wish) -> dict[str, int]:
    """Pieces that are to be fulfilled yet: of a delivery in part those that POHODA has delivered, else all."""
    left = order.open()
    if wish.state not in PARTLY:
        return left
    missing: dict[str, int] = {}
    for key, pieces in wish.pieces.items():
        mine = [line for line in order.lines if key_of(line.sku) == key]
        more = pieces - sum(line.quantity - left.get(line.id, 0) for line in mine)
        for line in mine:
            some = min(more, left.get(line.id, 0))
            if some > 0:
                missing[line.id] = some
                more -= some
    return missing


def _move(fulfilment: Fulfilment, goal: str) -> Step | Refusal:
    for state in ("Shipped", goal, "Pending") if fulfilment.state in {"Created", "Pending"} else (goal,):
        if state in fulfilment.next:
            return Move(fulfilment.id, state)
    ways = ", ".join(fulfilment.next) or "nothing"
    return Refusal(
        f"Fulfilment {fulfilment.id} is {fulfilment.state}: Vendure does not let it become {goal}, only {ways}.",
        "See the fulfilment in Vendure; then retry the delivery.",
    )


def _to(order: Order, state: str) -> Step | Refusal:
    if state in order.next:
        there = any(line.quantity for line in order.lines)
        return Cancel() if state == "Cancelled" and there else Turn(state)
    ways = ", ".join(order.next) or "nothing"
    hint = "Bring the order there in Vendure, or correct [targets.order_states] map; then retry the delivery."
    return Refusal(
        f"The order is {order.state}: Vendure does not let it become {state}, only {ways}.",
        _PAY if state in SHIPPING or state == "PaymentSettled" else hint,
    )


def _tracked(order: Order, wish: Wish) -> Refusal | None:
    """All is done but perhaps the tracking number, which came too late."""
    live = order.live()
    if not wish.tracking or not live or any(each.tracking == wish.tracking for each in live):
        return None
    return Refusal(
        "tracking: the order was sent with another tracking number, or with none, and Vendure cannot change it.",
        "Tell the customer, for example by a note in Vendure; in POHODA fill it in before the order is executed.",
    )


def _rank(state: str) -> int:
    return SHIPPING.index(state) if state in SHIPPING else -1


def present(order: Order, wish: Wish | None) -> dict[str, Value]:
    """Say what the shop holds, in the form of the value; ``left`` and ``lines`` as seen from the wish.

    ``lines`` (of a delivery in part): pieces by key of the code that are sent as wished; of codes of which the order
    has no more to send, as many as are wished. ``moved``: SKUs whose stock the order has moved so far.
    """
    been: list[Value] = list(order.been)
    value: dict[str, Value] = {"state": order.state, "been": been}
    if wish is None:
        left = order.state in ENDS
    else:
        left = not wish.reached.intersection(order.been) and step(order, wish) is None
    if left:
        value["left"] = True
    codes = [each.tracking for each in order.live() if each.tracking]
    if codes:
        value["tracking"] = wish.tracking if wish and wish.tracking in codes else codes[-1]
    if wish and wish.state in PARTLY and wish.pieces:
        value["lines"] = _sent(order, wish)
    if moved := order.moved():
        value["moved"] = list(moved)
    return value


def _sent(order: Order, wish: Wish) -> dict[str, Value]:
    missing = _missing(order, wish)
    goal = _goal(wish)
    there: dict[str, Value] = {}
    for key, pieces in wish.pieces.items():
        mine = {line.id for line in order.lines if key_of(line.sku) == key}
        begun = sum(number for each in order.live() for line, number in each.pieces.items() if line in mine)
        gone = [each for each in order.live() if each.state in {goal, "Delivered"}]
        sent = sum(number for each in gone for line, number in each.pieces.items() if line in mine)
        there[key] = sent if mine & missing.keys() or sent < begun else max(sent, pieces)
    return there


def _goal(wish: Wish) -> str:
    return "Delivered" if wish.state.endswith("Delivered") else "Shipped"


def history(state: str, entries: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Every state in which an order was, the present one at the end, from the (from, to) of its history."""
    return tuple(dict.fromkeys([*(each for pair in entries for each in pair if each != state), state]))
