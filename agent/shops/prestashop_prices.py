"""The target ``prices`` in PrestaShop: net, six places, many products in one PATCH.

* ``products.price`` is without VAT (recorded), kept with six places. Discounts (``specific_prices``) are left alone.
* The price of a combination is kept as its difference to the price of its product (recorded), so it is written as
  amount − the product's price, and read as their sum. The product's own price is left alone: a card in POHODA is either
  a product or a combination.
* Several nodes in one PATCH are worked off in order and not in a transaction, as for quantities: after a refusal the
  prices are read back; what holds its value up to the first difference is done, that one is sent alone, the rest waits.
* A product that was created by this program is not for sale and shows no price (`prestashop_fields.creation`). Its
  first price above 0 puts it on sale, in the same node: known by having no price, no sale and no showing of the price,
  which nobody sets by hand for something that is to be sold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Done, Outcome, Owed, Rejected, Unclear, Untried, Value
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_answers import GONE, Said, failure
from agent.shops.prestashop_fields import Row, canonical, number, on
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_xml import Link

_XML = {"content-type": "text/xml; charset=utf-8"}
PLACES = 6
LARGEST = Decimal(10) ** 10
"""``isPrice`` takes ten digits before the point."""
_PRODUCT = "id,price,available_for_order,show_price"
_COMBINATION = "id,id_product,price"


@dataclass(frozen=True, slots=True)
class Prices:
    """What the shop holds now: rows of products and combinations by id."""

    products: Mapping[int, Row]
    combinations: Mapping[int, Row]

    def amount(self, link: Link) -> Decimal | None:
        """The net price behind a link; None when it is gone."""
        product = self.products.get(link.product)
        if product is None:
            return None
        own = Decimal(canonical(str(product.get("price"))))
        if not link.combination:
            return own
        row = self.combinations.get(link.combination)
        if row is None or number(row.get("id_product")) != link.product:
            return None
        return own + Decimal(canonical(str(row.get("price"))))

    def node(self, link: Link, amount: Decimal) -> str:
        """The element that sets a price."""
        if link.combination:
            difference = amount - Decimal(canonical(str(self.products[link.product].get("price"))))
            return f"<combination><id>{link.combination}</id><price>{difference:f}</price></combination>"
        row = self.products[link.product]
        fresh = not (on(row.get("available_for_order")) or on(row.get("show_price")) or self.amount(link))
        sale = "<available_for_order>1</available_for_order><show_price>1</show_price>" if fresh and amount else ""
        return f"<product><id>{link.product}</id><price>{amount:f}</price>{sale}</product>"


@dataclass(frozen=True, slots=True)
class _Node:
    link: Link
    amount: Decimal

    @property
    def request(self) -> str:
        where = f"combinations {self.link.combination}" if self.link.combination else f"products {self.link.product}"
        return f"PATCH {where}: price {self.amount:f}"


class PriceList:
    """Delivers and reads the target ``prices``."""

    def __init__(self, http: ShopHttp, lists: Lists, *, short: Callable[[str], str]) -> None:
        self._http = http
        self._lists = lists
        self._short = short

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Set prices, ``{"amount": "164.46281", "form": "net"}``. Raises `ShopUnavailable` when nothing was sent."""
        prepared = [_prepare(item) for item in owed]
        present = self.present(one.link for one in prepared if isinstance(one, _Node))
        final: dict[int, Outcome] = {}
        waiting: dict[int, _Node] = {}
        for place, one in enumerate(prepared):
            if isinstance(one, Rejected):
                final[place] = one
            elif (held := present.amount(one.link)) is None:
                final[place] = Rejected("PrestaShop does not know this product any more.", GONE, link_lost=True)
            elif held == one.amount:
                final[place] = self._done(one, held)
            else:
                waiting[place] = one
        sent = False
        for combinations in (False, True):
            some = {place: one for place, one in waiting.items() if bool(one.link.combination) == combinations}
            try:
                final |= self._send(some, present)
            except ShopUnavailable:
                if not sent:
                    raise
                final |= dict.fromkeys(some, Untried())
            sent = sent or bool(some)
        return [final[place] for place in range(len(owed))]

    def values(self, links: Iterable[Link]) -> dict[Link, dict[str, Value]]:
        """The prices behind these links; what is gone is missing. Raises `ShopUnavailable`."""
        asked = list(links)
        present = self.present(asked)
        return {link: _value(amount) for link in asked if (amount := present.amount(link)) is not None}

    def present(self, links: Iterable[Link]) -> Prices:
        """Read products and combinations as far as prices go. Raises `ShopUnavailable`."""
        asked = list(links)
        return Prices(
            self._lists.records("products", _PRODUCT, {link.product for link in asked}),
            self._lists.records("combinations", _COMBINATION, {one.combination for one in asked if one.combination}),
        )

    def _send(self, nodes: Mapping[int, _Node], present: Prices) -> dict[int, Outcome]:
        if not nodes:
            return {}
        resource = "combinations" if next(iter(nodes.values())).link.combination else "products"
        body = wire.document("".join(present.node(one.link, one.amount) for one in nodes.values()))
        try:
            answer = self._http.write("PATCH", resource, content=body, params=self._lists.context or None, headers=_XML)
        except AnswerLost as error:
            return {place: Said(one.request, self._short).unclear(str(error)) for place, one in nodes.items()}
        root = wire.parse(answer.body)
        if answer.status < 300 and root is not None and root.find(resource.removesuffix("s")) is not None:
            return self._read_back(nodes, whole=True)
        if answer.status >= 400 and len(nodes) > 1:
            return self._after_refusal(nodes, present)
        return {place: failure(answer, Said(one.request, self._short)) for place, one in nodes.items()}

    def _read_back(self, nodes: Mapping[int, _Node], *, whole: bool) -> dict[int, Outcome]:
        """Say what each holds now; unless ``whole``, only up to the first one that does not hold its value."""
        try:
            now = self.present(one.link for one in nodes.values())
        except ShopUnavailable as error:
            reason = f"Prices were sent, and what came of them cannot be read: {error}"
            return {place: Said(one.request, self._short).unclear(reason) for place, one in nodes.items()}
        outcomes: dict[int, Outcome] = {}
        for place, one in nodes.items():
            held = now.amount(one.link)
            if held != one.amount and not whole:
                break
            missing = Unclear("The shop took it and does not show it.", Said(one.request, self._short).exchange())
            outcomes[place] = missing if held is None else self._done(one, held)
        return outcomes

    def _after_refusal(self, nodes: Mapping[int, _Node], present: Prices) -> dict[int, Outcome]:
        outcomes = self._read_back(nodes, whole=False)
        left = [place for place in nodes if place not in outcomes]
        if left:
            alone = {left[0]: nodes[left[0]]}
            try:
                outcomes |= self._send(alone, present)
            except ShopUnavailable:  # raising would claim that the earlier nodes were not applied
                outcomes[left[0]] = Untried()
        return outcomes | dict.fromkeys(left[1:], Untried())

    def _done(self, one: _Node, held: Decimal) -> Done:
        return Done(str(one.link), _value(held), Said(one.request, self._short).exchange(f"price {held:f}"))


def _prepare(item: Owed) -> _Node | Rejected:
    value = item.event.value
    amount = _amount(value.get("amount")) if isinstance(value, dict) and value.get("form") == "net" else None
    if amount is None:
        return Rejected(
            "price: not a net amount of at least 0 with at most six decimal places.",
            "PrestaShop keeps prices without VAT: correct the price of the card in POHODA.",
        )
    link = wire.link_of(item.link)
    if link is None:
        return Rejected("The link to the product is missing or damaged.", GONE, link_lost=True)
    return _Node(link, amount)


def _amount(text: Value) -> Decimal | None:
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount < LARGEST or amount != round(amount, PLACES):
        return None
    return abs(amount)


def _value(amount: Decimal) -> dict[str, Value]:
    return {"amount": canonical(f"{amount:f}"), "form": "net"}
