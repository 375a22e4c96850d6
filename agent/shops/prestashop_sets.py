"""What PrestaShop keeps in the associations of a product, each a set that a PATCH replaces: categories, features.

* The products are read before, whole, for a list shows associations in no other way: what others put into the set is
  sent back, and where nothing differs nothing is written. They are read after, too, for unknown ids are dropped without
  an error (recorded of categories).
* Many products go in one PATCH. It is worked off in order, **not in a transaction** (recorded of stock rows); after an
  error the earlier ones stay and the answer does not say which it was. So they are read back: what holds its set up to
  the first that does not is done, that one is sent alone, the rest is untried.
* Sets belong to the whole product: a card that is one of its combinations is refused with a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_answers import failure
from agent.shops.prestashop_calls import Calls, Stop
from agent.shops.prestashop_fields import Row, Unfit, number
from agent.shops.prestashop_find import find_products
from agent.shops.prestashop_lists import Lists

FULL_ROWS = 50
"""Whole products in one answer; with all their texts they may be some 100 KB each."""
LOST = "Someone deleted it in PrestaShop; it is looked up again by its code."

Plan: TypeAlias = "Callable[[Owed, Row], str]"
"""The elements of a PATCH of a product beside its id; empty: it holds the value already. Raises `Unfit`."""
Values: TypeAlias = "Callable[[Sequence[tuple[Wanted, Row]]], list[Value]]"
"""What whole products hold, in the form of the target, for the things of ours that each question names."""


@dataclass(frozen=True, slots=True)
class Change:
    """One product on its way into a PATCH."""

    product: int
    inner: str
    what: str
    """For people: ``categories``."""


def patch(calls: Calls, changes: Sequence[Change], holding: Callable[[], Collection[int]]) -> list[Outcome | None]:
    """Change many products by one request; None for each that the shop took, which is still to be read back.

    ``holding`` reads which of the products hold now what was sent. Raises `ShopUnavailable` when nothing was sent.
    """
    if not changes:
        return []
    nodes = "".join(f"<product><id>{one.product}</id>{one.inner}</product>" for one in changes)
    said = [calls.said(f"PATCH products {one.product}: {one.what}") for one in changes]
    try:
        answer = calls.send("PATCH", "products", said=calls.said(""), content=wire.document(nodes))
    except Stop as stop:
        reason = stop.outcome.reason if isinstance(stop.outcome, Unclear) else "no clear answer"
        return [each.unclear(reason) for each in said]
    if answer.status < 300:
        root = wire.parse(answer.body)
        named = set() if root is None else {wire.whole(node.findtext("id") or "") for node in root.iter("product")}
        return [
            None if one.product in named else each.unclear("The shop's answer does not name the product.")
            for one, each in zip(changes, said, strict=True)
        ]
    if len(changes) == 1:
        return [failure(answer, said[0])]
    try:
        held = holding()
    except ShopUnavailable as error:
        return [each.unclear(f"The shop broke the batch off, and how far it got is unknown: {error}") for each in said]
    done = 0
    while done < len(changes) and changes[done].product in held:
        done += 1
    outcomes: list[Outcome | None] = [None] * done
    if done < len(changes):
        try:
            outcomes += patch(calls, [changes[done]], holding)
        except ShopUnavailable:  # raising would claim that the earlier ones were not changed
            outcomes.append(Untried())
    return outcomes + [Untried()] * (len(changes) - len(outcomes))


class ProductSets:
    """Delivers, reads and finds a target whose values are in such a set; ``what`` names it for people."""

    def __init__(self, http: ShopHttp, lists: Lists, *, short: Callable[[str], str], what: str) -> None:
        self._http = http
        self._lists = lists
        self._short = short
        self._what = what

    def deliver(self, owed: Sequence[Owed], plan: Plan, values: Values) -> list[Outcome]:
        """Change what differs, and say what the shop holds then. Raises `ShopUnavailable` when nothing was sent."""
        calls = Calls(self._http, self._lists, self._short)
        products = [self._product(item) for item in owed]
        rows = self._rows([one for one in products if isinstance(one, int)])
        outcomes: dict[int, Outcome] = {}
        changes: dict[int, Change] = {}
        for place, (item, product) in enumerate(zip(owed, products, strict=True)):
            outcome = product if isinstance(product, Rejected) else self._planned(item, product, rows, plan)
            if isinstance(outcome, Change) and any(one.product == outcome.product for one in changes.values()):
                outcome = Untried()
            if isinstance(outcome, Change):
                changes[place] = outcome
            else:
                outcomes[place] = outcome

        def holding() -> set[int]:
            now = self._rows([one.product for one in changes.values()])
            return {
                row for place, one in changes.items() if (row := one.product) in now and not plan(owed[place], now[row])
            }

        for place, sent in zip(changes, patch(calls, list(changes.values()), holding), strict=True):
            said = calls.said(f"PATCH products {changes[place].product}: {self._what}")
            outcomes[place] = Done(owed[place].link, None, said.exchange("taken")) if sent is None else sent
        return self._confirm(owed, [outcomes[place] for place in range(len(owed))], rows, values, wrote=calls.wrote)

    def read(self, wanted: Sequence[Wanted], values: Values) -> dict[str, Held]:
        """Read what products hold; those that are gone, and combinations, are missing. Raises `ShopUnavailable`."""
        links = [(item, link) for item in wanted if (link := wire.link_of(item.link)) and not link.combination]
        rows = self._rows([link.product for _, link in links])
        there = [(item, rows[link.product]) for item, link in links if link.product in rows]
        return {
            item.key: Held(item.key, item.code, item.link or "", value)
            for (item, _), value in zip(there, values(there), strict=True)
        }

    def find(self, wanted: Sequence[Wanted], values: Values) -> dict[str, Held | Rejected]:
        """Look codes up and read what is found. Raises `ShopUnavailable`."""
        found = find_products(self._lists, wanted)
        answer: dict[str, Held | Rejected] = {}
        linked = []
        for item in wanted:
            held = found.get(item.key)
            if isinstance(held, Held) and (link := wire.link_of(held.link)) and not link.combination:
                linked.append(Wanted(item.key, held.code, held.link, value=item.value, links=item.links))
            elif held is not None:
                answer[item.key] = held if isinstance(held, Rejected) else self._of_combination(held.link)
        return {**answer, **self.read(linked, values)}

    def _rows(self, products: Sequence[int]) -> Mapping[int, Row]:
        return self._lists.records("products", "full", products, FULL_ROWS)

    def _product(self, item: Owed) -> int | Rejected:
        link = wire.link_of(item.link)
        if link is None:
            return Rejected("The link to the product is missing or damaged.", LOST, link_lost=True)
        return self._of_combination(str(link)) if link.combination else link.product

    def _planned(self, item: Owed, product: int, rows: Mapping[int, Row], plan: Plan) -> Change | Outcome:
        if product not in rows:
            return Rejected("PrestaShop does not know this product any more.", LOST, link_lost=True)
        try:
            inner = plan(item, rows[product])
        except Unfit as problem:
            return Rejected(self._short(str(problem)), problem.hint)
        if inner:
            return Change(product, inner, self._what)
        said = Calls(self._http, self._lists, self._short).said(f"products {product}: {self._what}")
        return Done(item.link, None, said.exchange("it holds the value already"))

    def _confirm(
        self,
        owed: Sequence[Owed],
        outcomes: Sequence[Outcome],
        rows: Mapping[int, Row],
        values: Values,
        *,
        wrote: bool,
    ) -> list[Outcome]:
        """Put in what the shop holds; what was written is read again."""
        done = [place for place, one in enumerate(outcomes) if isinstance(one, Done)]
        products = {place: link.product for place in done if (link := wire.link_of(owed[place].link))}
        try:
            now = {**rows, **self._rows(list(products.values()))} if wrote else rows
            held = values([(owed[place].wanted, now[products[place]]) for place in done])
        except ShopUnavailable as error:
            if not wrote:
                raise
            reason = self._short(f"The shop took it and cannot be read: {error}")
            return [Unclear(reason, one.exchange) if isinstance(one, Done) else one for one in outcomes]
        final = list(outcomes)
        for place, value in zip(done, held, strict=True):
            before = outcomes[place]
            assert isinstance(before, Done)
            final[place] = Done(before.link, value, before.exchange)
        return final

    def _of_combination(self, link: str) -> Rejected:
        return Rejected(
            f"PrestaShop keeps {self._what} at the whole product; {link} is one of its combinations.",
            f"Set the {self._what} of the product in PrestaShop, or give it a card of its own in POHODA.",
        )


def associated(row: Row, name: str) -> list[Mapping[str, object]]:
    """The entries of one association of a whole product; a product without any does not show it (recorded)."""
    links = row.get("associations")
    listed = links.get(name, []) if isinstance(links, dict) else []
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def ids(row: Row, name: str) -> list[int]:
    """The ids of one association."""
    return [number(one.get("id")) for one in associated(row, name)]
