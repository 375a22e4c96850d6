"""Vendure: the target ``order_states``: fulfilments, cancellations and transitions of orders. Measured on 3.7.3.

The link is the order's id, found by its code; what is to be done next says `vendure_order_steps`. Decisions here:

* An order is read before each step and after the last: orders of a batch together at first, then each by itself. What
  is confirmed is that last reading. Each step is a transaction of the shop; after a step without an answer the order is
  `Unclear`, the rest of the batch `Untried`: each is an order of its own, and a shop that hangs hangs for all.
* What a customer sees is exactly once: the machine refuses a state that the order is in, and the shop refuses to
  fulfil a piece twice, also where a lost request lands late.
* The shop fulfils no more than it has on hand. When POHODA executes an order, its stock falls as well, and that figure
  may be here first: then the last pieces could never be sent. What they lack is put on hand right before, and the
  fulfilment takes it off again; their codes are in ``moved``, so that their quantities are read and sent anew.
* A refusal comes as a typed result. It is one of the item; a fault (an error without a code of `REFUSALS`) is unclear.
* Of an order only its code, states, lines (SKU, pieces) and fulfilments are asked: nothing of the customer.
* Rights: ReadOrder, UpdateOrder; for the last pieces UpdateCatalog, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Unclear, Untried, Wanted, key_of
from agent.shops import Finding
from agent.shops import vendure_order_steps as steps
from agent.shops import vendure_order_wire as wire
from agent.shops.vendure_lists import chunks, understood
from agent.shops.vendure_order_steps import Fulfil, Order, Refusal, Step, Wish
from agent.shops.vendure_session import Reply, VendureSession
from agent.shops.vendure_variants import REFUSALS

RIGHTS = "Give the role of [shop] api_key (or of the user) ReadOrder and UpdateOrder in this channel of Vendure."
PER_CALL = 100
"""Orders per read, each with its history."""
MOST_STEPS = 60
_STATES = "{ globalSettings { serverConfig { orderProcess { name to } } } }"
_STOCK = """query($o: ProductVariantListOptions) { productVariants(options: $o) {
 items { id stockLevels { stockLocationId stockOnHand } } } }"""
_RAISE = "mutation($i: [UpdateProductVariantInput!]!) { done: updateProductVariants(input: $i) { id } }"
_LACKING = "INSUFFICIENT_STOCK_ON_HAND_ERROR"
_UNSTOCKED = "The shop has not enough on hand to send it, and does not let its stock be changed."
_SUPPLY = "Give the role ReadCatalog and UpdateCatalog, too, or correct the stock in Vendure; then retry the delivery."
_GONE = "The order is not in this channel of the shop any more; it is looked up again by its code."


class Refused(Exception):
    """A step that the shop refused, or nobody can say: ends the work on one order."""

    def __init__(self, outcome: Rejected | Unclear) -> None:
        super().__init__()
        self.outcome = outcome


class Orders:
    """Delivers, reads and finds the states of orders."""

    def __init__(
        self, session: VendureSession, *, states: Sequence[str] = (), place: Callable[[], str] | None = None
    ) -> None:
        """``states`` are the configured ones, for `findings`. ``place`` says to which stock location quantities go
        (None: the first one of a variant), for pieces that are sent and that the shop has not on hand.
        """
        self._session = session
        self._configured = tuple(dict.fromkeys(states))
        self._place = place
        self._states: dict[str, tuple[str, ...]] = {}

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Bring orders into states. Raises `ShopUnavailable` when nothing was sent."""
        wishes = [steps.wish_of(item.event.value) for item in owed]
        orders = self._orders({"id": {"in": [item.link for item in owed if item.link]}})
        self._know({wish.state for wish in wishes if wish})
        outcomes: list[Outcome] = []
        sent = False
        for item, wish in zip(owed, wishes, strict=True):
            if outcomes and isinstance(outcomes[-1], Unclear | Untried):
                outcomes.append(Untried())
                continue
            work = _Work(self, item, wish, orders.get(item.link or ""))
            try:
                outcomes.append(work.outcome())
            except ShopUnavailable as error:
                if not sent and not work.log:
                    raise
                outcomes.append(Unclear(str(error), work.exchange(str(error))) if work.log else Untried())
            sent = sent or bool(work.log)
        return outcomes

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read orders by their links; those that are gone are missing. Raises `ShopUnavailable`."""
        asked = {item.key: item.link for item in wanted if item.link}
        orders = self._orders({"id": {"in": list(asked.values())}})
        found = ((item, orders.get(asked.get(item.key, ""))) for item in wanted)
        return {item.key: _held(item, order) for item, order in found if order is not None}

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look orders up by their codes, without case. Raises `ShopUnavailable`."""
        items = {item.key: item for item in wanted if item.key}
        codes = (item.code.strip() for item in items.values())
        spelt = {spelling for code in codes for spelling in (code, code.upper(), code.lower())}
        found: dict[str, list[Order]] = {}
        for order in self._orders({"code": {"in": sorted(spelt - {""})}}).values():
            found.setdefault(key_of(order.code), []).append(order)
        return {key: _one(items[key], orders) for key, orders in found.items() if key in items}

    def findings(self) -> list[Finding]:
        """What ``check`` says: the states of the shop's orders, configured ones that there are not, the rights."""
        findings: list[Finding] = []
        try:
            with _rights():
                self._orders({"code": {"eq": ""}}, even_if_none=True)
                self.probe()
            findings.append(Finding("ok", "orders", "orders may be read and changed"))
            known = self._ask_states()
            listed = "; ".join(f"{name} (to {', '.join(to) or 'nothing'})" for name, to in known.items())
            findings.append(Finding("ok", "order states", f"states for map: {listed}"))
            for state in self._configured:
                if state not in known:
                    hint = f"Set [targets.order_states] map to states of this shop: {', '.join(known)}."
                    findings.append(Finding("error", "order states", f"the shop has no order state {state!r}", hint))
        except ShopUnavailable as error:
            findings.append(Finding("error", "orders", str(error), error.hint))
        return findings

    def probe(self) -> None:
        """Prove the right to change orders: move one that there cannot be. Raises `ShopUnavailable`."""
        with _rights():
            try:
                self._session.change(wire.TURN, {"i": "0", "s": "Cancelled"})
            except AnswerLost as error:
                raise ShopUnavailable(str(error), hint="The agent tries again by itself.") from error

    def order(self, link: str) -> Order | None:
        """Read one order as it is now. Raises `ShopUnavailable`."""
        return self._orders({"id": {"in": [link]}}).get(link)

    def missing_state(self, state: str) -> Rejected | None:
        """Refuse a state that the shop does not have; an unknown one is looked for again before."""
        if state in self._states or state in self._ask_states():
            return None
        known = ", ".join(self._states)
        return Rejected(
            f"The shop has no order state {state[:60]!r}.",
            f"Set [targets.order_states] map to states of this shop: {known}.",
        )

    def change(self, document: str, variables: Mapping[str, object]) -> Reply:
        """`VendureSession.change`, with the rights that orders need in its hint."""
        with _rights():
            return self._session.change(document, variables)

    def put_on_hand(self, needed: Mapping[str, int]) -> Reply | None:
        """Raise what is on hand of these variants (id → pieces) to what is to be sent; None: nothing is lacking.

        Raises `ShopUnavailable` and `AnswerLost`.
        """
        data = self._session.ask(_STOCK, {"o": {"filter": {"id": {"in": sorted(needed)}}, "take": 1000}})
        rows = []
        for item in understood("stock of a variant", lambda: list(data["productVariants"]["items"])):
            levels = {str(each["stockLocationId"]): int(each["stockOnHand"]) for each in item["stockLevels"]}
            lack = needed[str(item["id"])] - sum(levels.values())
            place = self._place() if self._place else next(iter(levels), "")
            if lack > 0 and place:
                level = {"stockLocationId": place, "stockOnHand": levels.get(place, 0) + lack}
                rows.append({"id": str(item["id"]), "stockLevels": [level]})
        return self._session.change(_RAISE, {"i": rows}) if rows else None

    def _know(self, states: set[str]) -> None:
        """Look the shop's states up before anything is sent, so that this cannot fail in between."""
        if states - self._states.keys():
            self._ask_states()

    def _ask_states(self) -> dict[str, tuple[str, ...]]:
        data = self._session.ask(_STATES)
        config = understood("states of orders", lambda: data["globalSettings"]["serverConfig"]["orderProcess"])
        self._states = {str(each["name"]): tuple(map(str, each["to"])) for each in config}
        return self._states

    def _orders(self, question: Mapping[str, Mapping[str, Any]], *, even_if_none: bool = False) -> dict[str, Order]:
        """Orders by id that answer a question ``{field: {"in": [...]}}``, `PER_CALL` at a time."""
        ((field, condition),) = question.items()
        parts: list[Mapping[str, object]] = [{"in": part} for part in chunks(condition.get("in", []), PER_CALL)]
        found: dict[str, Order] = {}
        for part in [condition] if even_if_none else parts:
            options = {"filter": {field: part}, "sort": {"id": "ASC"}, "take": 1000}
            with _rights():
                data = self._session.ask(wire.LIST, {"o": options})
            found |= understood("list of orders", lambda data=data: wire.read(data))  # type: ignore[misc]  # bound now
        return found


class _Work:
    """The way of one order of a batch; ``log`` says which steps were sent."""

    def __init__(self, shop: Orders, item: Owed, wish: Wish | None, order: Order | None) -> None:
        self._shop = shop
        self._item = item
        self._wish = wish
        self._order = order
        self.log: list[str] = []

    def exchange(self, answer: str = "") -> Exchange:
        """The pair for the history."""
        return Exchange(f"order {self._item.event.code}: {', '.join(self.log) or 'read'}"[:300], answer[:300])

    def outcome(self) -> Outcome:
        """Go step by step until there is nothing to do. Raises `ShopUnavailable`."""
        if self._wish is None:
            return Rejected("state: not the state of an order.", "This is a fault of the agent: report it.")
        if self._order is None:
            return Rejected("The shop does not know this order.", _GONE, self.exchange(), link_lost=True)
        if missing := self._shop.missing_state(self._wish.state):
            return missing
        try:
            return self._steps(self._order, self._wish)
        except Refused as refused:
            return refused.outcome

    def _steps(self, order: Order, wish: Wish) -> Outcome:
        for _ in range(MOST_STEPS):
            following = steps.step(order, wish)
            if isinstance(following, Refusal):
                return Rejected(following.reason, following.hint, self.exchange(f"order {order.state}"))
            if following is None:
                return self._done(order, wish)
            self._take(order, wish, following)
            again = self._shop.order(order.id)
            if again is None:
                return Unclear("The order is gone after a step.", self.exchange())
            order = again
        return Unclear(f"The order does not come to {wish.state} in {MOST_STEPS} steps.", self.exchange(order.state))

    def _done(self, order: Order, wish: Wish) -> Done:
        confirmed = steps.present(order, wish)
        confirmed.pop("moved", None)
        answer = f"order {order.state}" if self.log else f"nothing to do: order {order.state}"
        return Done(order.id, confirmed, self.exchange(answer), order.moved())

    def _take(self, order: Order, wish: Wish, following: Step) -> None:
        """Send one step. Raises `Refused` unless the shop says that it is done, and `ShopUnavailable`."""
        document, variables = wire.call(order, wish, following)
        result = self._send(str(following), document, variables)
        if result.get("errorCode") == _LACKING and isinstance(following, Fulfil):
            self._supply(order, following)
            result = self._send(str(following), document, variables)
        if "errorCode" in result:
            words = " ".join(str(result.get(each) or "") for each in ("message", "transitionError")).strip()[:300]
            reason = f"Vendure refuses to {following}: {result['errorCode']}: {words}"
            hint = "See what Vendure says and the order there; correct it, then retry the delivery."
            raise Refused(Rejected(reason, hint, self.exchange(reason)))

    def _supply(self, order: Order, following: Fulfil) -> None:
        needed: dict[str, int] = {}
        for line in order.lines:
            needed[line.variant] = needed.get(line.variant, 0) + following.pieces.get(line.id, 0)
        self.log.append("put on hand what is to be sent")
        try:
            reply = self._shop.put_on_hand({variant: pieces for variant, pieces in needed.items() if pieces})
        except AnswerLost as error:
            raise Refused(Unclear(str(error), self.exchange(str(error)))) from error
        except ShopUnavailable as error:
            if error.denied:
                raise Refused(Rejected(_UNSTOCKED, _SUPPLY, self.exchange(str(error)))) from error
            raise
        if reply is not None and reply.failed:
            raise Refused(self._failure(reply))

    def _send(self, what: str, document: str, variables: Mapping[str, object]) -> Mapping[str, Any]:
        try:
            reply = self._shop.change(document, variables)
        except AnswerLost as error:
            self.log.append(what)
            raise Refused(Unclear(str(error), self.exchange(str(error)))) from error
        self.log.append(what)
        if reply.failed:
            raise Refused(self._failure(reply))
        result = (reply.data or {}).get("done")
        if not isinstance(result, dict) or "__typename" not in result:
            raise Refused(Unclear("the answer does not say what came of it", self.exchange()))
        return result

    def _failure(self, reply: Reply) -> Rejected | Unclear:
        if reply.code not in REFUSALS:
            reason = reply.message or f"HTTP {reply.status}"
            return Unclear(reason, self.exchange(reason))
        reason = f"The shop refuses it: {reply.message}"
        hint = "See what Vendure says and the order there; then retry the delivery."
        return Rejected(reason, hint, self.exchange(reason), link_lost=reply.code == "ENTITY_NOT_FOUND")


def _one(item: Wanted, orders: Sequence[Order]) -> Held | Rejected:
    if len(orders) == 1:
        return _held(item, orders[0])
    ids = ", ".join(order.id for order in orders[:5])
    return Rejected(f"The shop has orders {ids} with this code.", "Give the orders in Vendure codes of their own.")


def _held(item: Wanted, order: Order) -> Held:
    return Held(item.key, order.code, order.id, steps.present(order, steps.wish_of(item.value)))


@contextmanager
def _rights() -> Iterator[None]:
    """Name the rights that orders need where the shop denies something."""
    try:
        yield
    except ShopUnavailable as error:
        if error.denied:
            raise ShopUnavailable(str(error), hint=RIGHTS, denied=True) from error
        raise
