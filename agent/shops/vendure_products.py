"""Vendure: cards are written to products and their variants, and created. Measured on Vendure 3.7.3; decisions:

* An update is two mutations, of the variant and of its product, and a batch of cards is one request of them, under
  aliases. GraphQL works them off **in order, each a transaction of its own**, and stops at the first error, which
  names its alias: so what stands before it is done (and read back), that one is refused, the rest is untried.
  ``updateProducts`` with a list is not used: it works on all at once within a transaction that one error rolls back.
* What holds its value already is not written: a product's ``updatedAt`` moves with every write.
* A creation is two requests, one card at a time: ``createProduct`` (hidden, its slug made of the code: `card.mark`),
  then ``createProductVariants`` with everything else. What was left half-made is found by that slug and finished; and
  of a product without options the shop refuses a second variant, so that even two finishings that arrive late and
  twice make one. All that can be left over is a hidden product without a variant.
* Every outcome says what a reading said after the writing. **A field that the shop has no place for is confirmed as it
  was sent**: to deny it would send the card for ever. A reading does not name such a field.
* After the first unclear answer the rest of the batch is untried.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.errors import AnswerLost, BatchRefused, ShopUnavailable
from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Unclear, Untried, Value
from agent.shops import vendure_card as card
from agent.shops.vendure_lists import Lists, Row, understood
from agent.shops.vendure_session import Reply, VendureSession
from agent.shops.vendure_setup import SetUp
from agent.shops.vendure_variants import REFUSALS, gone, refused

_HALF_MADE = "query($o: ProductListOptions) { products(options: $o) { items { id slug variants { id } } } }"
_CREATE = "mutation($p: CreateProductInput!) { createProduct(input: $p) { id } }"
_FINISH = (
    "mutation($v: [CreateProductVariantInput!]!, $p: UpdateProductInput!) "
    "{ v: createProductVariants(input: $v) { id } p: updateProduct(input: $p) { id } }"
)
_RATE = "Set up a tax category and a tax rate with it in Vendure, for the channel's default tax zone; then retry."


@dataclass(frozen=True, slots=True)
class _Card:
    """One item that may be sent, with its place in the call."""

    place: int
    item: Owed
    wanted: Mapping[str, Value]
    link: str = ""

    @property
    def said(self) -> str:
        return f"product {self.item.event.code[:60]}: {', '.join(sorted(self.wanted))}"


class Products:
    """One call of ``deliver`` for the target ``products``: `deliver` is to be called once."""

    def __init__(self, session: VendureSession, lists: Lists, set_up: SetUp) -> None:
        self._session = session
        self._lists = lists
        self._set_up = set_up
        self._fields = card.fields(set_up)
        self._wrote = False
        self._outcomes: dict[int, Outcome] = {}

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Update cards with a link; create those without. Raises `ShopUnavailable` when nothing was sent."""
        good: list[_Card] = []
        for place, item in enumerate(owed):
            if reason := card.bad(item.event.value):
                self._outcomes[place] = _unusable(reason)
            elif isinstance(item.event.value, dict):
                good.append(_Card(place, item, item.event.value, item.link or ""))
        self._update([one for one in good if one.link])
        self._create([one for one in good if not one.link])
        return [self._outcomes.get(place, Untried()) for place in range(len(owed))]

    # ------------------------------------------------------------------------------------------------ updates

    def _update(self, cards: Sequence[_Card]) -> None:
        if not cards:
            return
        rows = self._lists.by_id(self._fields, [one.link for one in cards])
        to_send: list[tuple[_Card, dict[str, object]]] = []
        for one in cards:
            if one.link not in rows:
                self._outcomes[one.place] = gone(one.link, one.said)
                continue
            inputs = self._inputs(one, rows[one.link])
            if inputs.impossible:
                self._outcomes[one.place] = _unusable(inputs.impossible)
            elif inputs.variant or inputs.product:
                to_send.append((one, self._variables(inputs, rows[one.link])))
            else:
                self._outcomes[one.place] = self._done(one, rows[one.link], "it holds that already")
        if to_send:
            self._send(to_send)

    def _inputs(self, one: _Card, row: Row) -> card.Inputs:
        key = one.item.event.key
        inputs: card.Inputs = understood("card", lambda: card.changes(one.wanted, row, self._set_up, key=key))
        return inputs

    def _variables(self, inputs: card.Inputs, row: Row) -> dict[str, object]:
        made: dict[str, object] = {}
        if inputs.variant:
            made["v"] = {"id": row.id, **inputs.variant}
        if inputs.product:
            made["p"] = {"id": str(row.said["product"]["id"]), **inputs.product}
        return made

    def _send(self, to_send: Sequence[tuple[_Card, dict[str, object]]]) -> None:
        document, variables = _aliased([parts for _, parts in to_send])
        cards = [one for one, _ in to_send]
        try:
            reply = self._session.change(document, variables)
        except AnswerLost as error:
            self._wrote = True
            self._settle(cards, Unclear(str(error)))
            return
        self._wrote = True
        if reply.status == 413:
            self._settle(cards, _too_large(reply, cards))
            return
        if not reply.failed:
            self._confirm(cards)
            return
        if not re.fullmatch(r"[vp]\d+", reply.at):
            if reply.code in REFUSALS:  # refused before anything was done: a value that the schema does not take
                self._settle(cards, refused(reply, [one.said for one in cards]))
            else:
                self._settle(cards, Unclear(reply.message))
            return
        at = int(reply.at[1:])
        self._confirm(cards[:at])
        self._outcomes[cards[at].place] = self._failed(cards[at], reply)

    def _failed(self, one: _Card, reply: Reply) -> Outcome:
        """Judge the one of a batch that the shop stopped at."""
        said = Exchange(one.said, reply.message)
        if reply.code not in REFUSALS:
            return Unclear(reply.message, said)
        try:
            if reply.code == "ENTITY_NOT_FOUND" and one.link not in self._lists.by_id("", [one.link]):
                return gone(one.link, one.said, reply)
        except ShopUnavailable as error:
            return Unclear(str(error), said)
        return refused(reply, [one.said])

    # ------------------------------------------------------------------------------------------------ creations

    def _create(self, cards: Sequence[_Card]) -> None:
        """One after another, up to the first unclear answer: the shop is more likely in trouble than the card."""
        if not cards or any(isinstance(outcome, Unclear) for outcome in self._outcomes.values()):
            return
        try:
            half_made = self._half_made(cards)
            for one in cards:
                inputs = card.creation(one.wanted, self._set_up, code=one.item.event.code.strip())
                if inputs.impossible:
                    self._outcomes[one.place] = _unusable(inputs.impossible)
                    continue
                outcome = self._create_one(one, inputs, half_made.get(card.mark(one.item.event.key)))
                self._outcomes[one.place] = outcome
                if isinstance(outcome, Unclear):
                    return
        except ShopUnavailable:
            if not self._wrote:
                raise

    def _half_made(self, cards: Sequence[_Card]) -> dict[str, str]:
        """Find products of ours that have no variant yet: the slug that is made of the code → the product's id."""
        slugs = [card.mark(one.item.event.key) for one in cards]
        data = self._session.ask(_HALF_MADE, {"o": {"filter": {"slug": {"in": slugs}}, "take": 1000}})
        items = understood("list of products", lambda: [(str(p["slug"]), p) for p in data["products"]["items"]])
        return {slug: str(product["id"]) for slug, product in items if not product["variants"]}

    def _create_one(self, one: _Card, inputs: card.Inputs, product: str | None) -> Outcome:
        translation = {**inputs.product["translations"][0], "slug": card.mark(one.item.event.key)}
        try:
            if product is None:
                hidden = {**inputs.product, "enabled": False, "translations": [translation]}
                reply = self._session.change(_CREATE, {"p": hidden})
                self._wrote = True
                if reply.failed or reply.data is None:
                    return self._not_made(one, reply)
                product = str((reply.data.get("createProduct") or {}).get("id") or "")
                if not product:
                    return Unclear("the answer does not name the product", Exchange(one.said))
            variables = {"v": [{"productId": product, **inputs.variant}], "p": {"id": product, **inputs.product}}
            reply = self._session.change(_FINISH, variables)
            self._wrote = True
        except AnswerLost as error:
            self._wrote = True
            return Unclear(str(error), Exchange(one.said, str(error)))
        if reply.failed or reply.data is None:
            return self._not_made(one, reply)
        made = reply.data.get("v") or [None]
        link = str((made[0] or {}).get("id") or "")
        if not link:
            return Unclear("the answer does not name the variant", Exchange(one.said))
        self._confirm([_Card(one.place, one.item, one.wanted, link)])
        return self._outcomes[one.place]

    def _not_made(self, one: _Card, reply: Reply) -> Outcome:
        """Judge a creation that failed; if the product has a variant by now, an earlier attempt arrived late."""
        said = Exchange(one.said, reply.message)
        if reply.code in REFUSALS and reply.at in {"", "createProduct", "v"}:
            try:
                if reply.at != "v" or self._half_made([one]):
                    return refused(reply, [one.said])
            except ShopUnavailable as error:
                return Unclear(str(error), said)
        return Unclear(reply.message or "the answer does not say what was made", said)

    # ------------------------------------------------------------------------------------------------ outcomes

    def _confirm(self, cards: Sequence[_Card]) -> None:
        """Read what was written; what cannot be read is unclear."""
        if not cards:
            return
        try:
            rows = self._lists.by_id(self._fields, [one.link for one in cards])
            for one in cards:
                row = rows.get(one.link)
                lost = Unclear("it was written, and is not there any more", Exchange(one.said))
                self._outcomes[one.place] = lost if row is None else self._done(one, row, "written")
        except ShopUnavailable as error:
            self._settle(cards, Unclear(f"It was written, and could not be read back: {error}"))

    def _done(self, one: _Card, row: Row, what: str) -> Done:
        there: dict[str, Value] = understood("card", lambda: card.value(row, self._set_up))
        return Done(
            one.link, {name: there.get(name, sent) for name, sent in one.wanted.items()}, Exchange(one.said, what)
        )

    def _settle(self, cards: Sequence[_Card], outcome: Outcome) -> None:
        for one in cards:
            self._outcomes[one.place] = outcome


def _aliased(parts: Sequence[Mapping[str, object]]) -> tuple[str, dict[str, object]]:
    """Write the mutations of several cards into one document: ``v0 p0 v1 …``, each with a variable of its name."""
    kinds = {
        "v": ("UpdateProductVariantInput!", "updateProductVariants(input: [${}]) {{ id }}"),
        "p": ("UpdateProductInput!", "updateProduct(input: ${}) {{ id }}"),
    }
    variables = {f"{letter}{n}": part[letter] for n, part in enumerate(parts) for letter in "vp" if letter in part}
    declared = ", ".join(f"${name}: {kinds[name[0]][0]}" for name in variables)
    calls = " ".join(f"{name}: {kinds[name[0]][1].format(name)}" for name in variables)
    return f"mutation({declared}) {{ {calls} }}", variables


def _too_large(reply: Reply, cards: Sequence[_Card]) -> Rejected:
    if len(cards) > 1:
        raise BatchRefused("The shop refuses so large a request.", answer=reply.message)
    hint = "Vendure takes about 1 MB per request: shorten the description in POHODA."
    return Rejected("The card is too large for one request.", hint, Exchange(cards[0].said))


def _unusable(reason: str) -> Rejected:
    hint = _RATE if reason.startswith("vat") else "Correct the card in POHODA, or the settings that form it."
    return Rejected(reason, hint)


def held(key: str, row: Row, set_up: SetUp) -> Held:
    """Say every field of a card that the shop knows."""
    value: dict[str, Value] = understood("card", lambda: card.value(row, set_up))
    return Held(key=key, code=row.sku, link=row.id, value=value)
