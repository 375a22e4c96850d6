"""The target ``suppliers`` in PrestaShop: who makes a product, who delivers it, and what they call it.

* The manufacturer and the default supplier are fields of the product (``id_manufacturer``, ``id_supplier``; the shop
  checks neither, recorded: so the firms are looked up before). Each supplier with its own code of the goods is a row of
  ``product_suppliers``, of a product or of one of its combinations.
* A combination has supplier rows of its own, and those are served. Its manufacturer and default supplier are those of
  the whole product, for which several cards would fight: they are left alone, and neither confirmed nor read. A card of
  a combination that is to give nothing but the manufacturer is refused with a hint.
* What others put there stays: rows of suppliers that are not ours; a manufacturer that is not ours when POHODA names
  none. A default supplier of ours that POHODA does not name as such any more is taken away.
* The same supplier twice is a 500 (recorded), so the rows are read before. A new row gets the shop's first currency,
  for the administration wants one (recorded requests name it); its price is left to the shop's owner.
* Rows are written one by one, then the fields of all products by one request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Owed, Rejected, Unclear, Untried, Value, Wanted
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_firms as firms
from agent.shops import prestashop_supplier_rows as kept
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_calls import Calls, one_by_one
from agent.shops.prestashop_fields import number, on
from agent.shops.prestashop_find import find_products
from agent.shops.prestashop_firms import FirmLink
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_sets import LOST, Change, patch
from agent.shops.prestashop_supplier_rows import Offer, Present, Wish
from agent.shops.prestashop_xml import Link


class Suppliers:
    """Delivers, reads and finds the target ``suppliers``."""

    def __init__(self, http: ShopHttp, lists: Lists, *, short: Callable[[str], str]) -> None:
        self._http = http
        self._lists = lists
        self._short = short
        self._currency = 0

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Make manufacturer and suppliers what the values say. Raises `ShopUnavailable` when nothing was sent."""
        return _Delivery(Calls(self._http, self._lists, self._short), self._lists, owed, self.currency).run()

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read what products and combinations have of our firms; what is gone is missing. Raises `ShopUnavailable`."""
        links = [(item, link) for item in wanted if (link := wire.link_of(item.link)) is not None]
        if not links:
            return {}
        present = kept.look(self._lists, [link for _, link in links])
        there = [(item, link) for item, link in links if present.has(link)]
        values = _values(self._lists, there, present)
        return {
            item.key: Held(item.key, item.code, str(link), value)
            for (item, link), value in zip(there, values, strict=True)
        }

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look products and combinations up by their code. Raises `ShopUnavailable`."""
        found = find_products(self._lists, wanted)
        linked = [
            Wanted(item.key, held.code, held.link, value=item.value, links=item.links)
            for item in wanted
            if isinstance(held := found.get(item.key), Held)
        ]
        refused: dict[str, Held | Rejected] = {key: one for key, one in found.items() if isinstance(one, Rejected)}
        return {**refused, **self.read(linked)}

    def currency(self) -> int:
        """The first currency that the shop uses, asked once. Raises `ShopUnavailable`."""
        if not self._currency:
            rows = self._lists.every("currencies", "id,active")
            self._currency = next((number(row.get("id")) for row in rows if on(row.get("active"))), 1)
        return self._currency


class _Delivery:
    """One call of ``deliver``."""

    def __init__(self, calls: Calls, lists: Lists, owed: Sequence[Owed], currency: Callable[[], int]) -> None:
        self._calls = calls
        self._lists = lists
        self._owed = owed
        self._currency = currency
        self._links = [wire.link_of(item.link) for item in owed]
        self._ours = firms.linked(owed[0].links) if owed else {}
        self._mine = frozenset(self._ours.values())
        self._wishes: dict[int, Wish] = {}
        self._changes: dict[int, Change] = {}
        """Fields of products that are still to be written, by place in the batch."""
        self._begun: set[int] = set()
        """Places whose supplier rows were changed."""

    def run(self) -> list[Outcome]:
        self._present = self._look()
        named = {firm for item in self._owed for firm in kept.told(item.event.value, self._ours)}
        self._there = frozenset(firms.names_of(self._lists, named))
        outcomes = one_by_one(self._calls, range(len(self._owed)), self._one)
        for place, outcome in zip(self._changes, self._fields(), strict=True):
            if outcome is not None:
                outcomes[place] = self._after_rows(place, outcome)
        return self._confirm(outcomes)

    def _one(self, place: int) -> Outcome:
        """Write the supplier rows of one product, and see what of its own fields differs."""
        item, link = self._owed[place], self._links[place]
        if link is None or not self._present.has(link):
            return Rejected("PrestaShop does not know this product or combination any more.", LOST, link_lost=True)
        wish = kept.wish_of(item.event.value, self._ours, self._there)
        if link.combination and wish.offers is None:
            return Rejected(
                f"PrestaShop keeps the manufacturer at the whole product; {link} is one of its combinations.",
                "Set the manufacturer of the product in PrestaShop, or give it a card of its own in POHODA.",
            )
        self._wishes[place] = wish
        before = self._calls.taken
        if wish.offers is not None:
            self._bring_rows(link, wish.offers)
        if self._calls.taken > before:
            self._begun.add(place)
        inner = "" if link.combination else kept.differing(wish, self._present.products[link.product], self._mine)
        if inner and any(one.product == link.product for one in self._changes.values()):
            return Untried()
        if inner:
            self._changes[place] = Change(link.product, inner, "manufacturer, default supplier")
        said = self._calls.said(f"product_suppliers and products {link.product}")
        changed = bool(inner) or place in self._begun
        return Done(item.link, None, said.exchange("taken" if changed else "it holds the value already"))

    def _bring_rows(self, link: Link, offers: Sequence[Offer]) -> None:
        held = {FirmLink("supplier", row.supplier): row for row in self._present.of(link)}
        for offer in offers:
            row = held.pop(offer.firm, None)
            code = fields.node("product_supplier_reference", offer.code)
            if row is None:
                said = self._calls.said(f"POST {kept.ROWS} product {link.product}, supplier {offer.firm.id}")
                parts = {
                    "id_product": link.product,
                    "id_product_attribute": link.combination,
                    "id_supplier": offer.firm.id,
                    "id_currency": self._currency(),
                }
                inner = "".join(fields.node(name, str(value)) for name, value in parts.items()) + code
                self._calls.record("POST", kept.ROWS, "product_supplier", inner, said)
            elif row.code != offer.code:
                said = self._calls.said(f"PATCH {kept.ROWS} {row.id}: {offer.code}")
                inner = fields.node("id", str(row.id)) + code
                self._calls.record("PATCH", kept.ROWS, "product_supplier", inner, said)
        for firm, row in held.items():
            if firm in self._mine:
                self._calls.delete(f"{kept.ROWS}/{row.id}", self._calls.said(f"DELETE {kept.ROWS} {row.id}"))

    def _fields(self) -> list[Outcome | None]:
        try:
            return patch(self._calls, list(self._changes.values()), self._holding)
        except ShopUnavailable:
            if not self._calls.wrote:
                raise
            return [Untried()] * len(self._changes)

    def _holding(self) -> set[int]:
        """Which of the products have these fields now. Raises `ShopUnavailable`."""
        now = self._look().products
        return {
            change.product
            for place, change in self._changes.items()
            if change.product in now and not kept.differing(self._wishes[place], now[change.product], self._mine)
        }

    def _after_rows(self, place: int, outcome: Outcome) -> Outcome:
        """After a part of the steps a refusal, or nothing, is unclear: the next delivery goes on from it."""
        if place in self._begun and isinstance(outcome, Rejected | Untried):
            reason = outcome.reason if isinstance(outcome, Rejected) else "the shop could not be reached any more"
            return self._calls.said(f"products {self._changes[place].product}").unclear(f"Changed in part: {reason}")
        return outcome

    def _confirm(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Put in what the shop holds; what was written is read again."""
        done = [place for place, one in enumerate(outcomes) if isinstance(one, Done)]
        there = [(self._owed[place].wanted, link) for place in done if (link := self._links[place]) is not None]
        try:
            present = self._look() if self._calls.wrote else self._present
            present_links = [(item, link) for item, link in there if present.has(link)]
            values = dict(
                zip(
                    [link for _, link in present_links],
                    _values(self._lists, present_links, present),
                    strict=True,
                )
            )
        except ShopUnavailable as error:
            if not self._calls.wrote:
                raise
            reason = self._calls.short(f"The shop took it and cannot be read: {error}")
            return [Unclear(reason, one.exchange) if isinstance(one, Done) else one for one in outcomes]
        final = list(outcomes)
        for place, (item, link) in zip(done, there, strict=True):
            one = outcomes[place]
            assert isinstance(one, Done)
            sent = item.value if isinstance(item.value, dict) else {}
            value = values.get(link)
            final[place] = (
                Unclear("The shop took it and does not show it.", one.exchange)
                if value is None
                else Done(one.link, {name: part for name, part in value.items() if name in sent}, one.exchange)
            )
        return final

    def _look(self) -> Present:
        rows = any(isinstance(item.event.value, dict) and "suppliers" in item.event.value for item in self._owed)
        return kept.look(self._lists, [link for link in self._links if link is not None], rows=rows)


def _values(lists: Lists, there: Sequence[tuple[Wanted, Link]], present: Present) -> list[dict[str, Value]]:
    """What each has of ours; asks only for names that the questions do not tell. Raises `ShopUnavailable`."""
    links = {id(item.links): item.links for item, _ in there}  # one mapping for many: it is understood once
    ours = {one: firms.linked(each) for one, each in links.items()}
    mine = {one: frozenset(each.values()) for one, each in ours.items()}
    known = [kept.told(item.value, ours[id(item.links)]) for item, _ in there]
    strange = {
        firm
        for (item, link), names in zip(there, known, strict=True)
        for firm in kept.ours_at(link, present, mine[id(item.links)])
        if firm not in names
    }
    names: Mapping[FirmLink, str] = firms.names_of(lists, strange)
    return [
        kept.value_of(link, present, mine[id(item.links)], {**own, **names})
        for (item, link), own in zip(there, known, strict=True)
    ]
