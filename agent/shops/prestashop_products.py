"""The target ``products`` in PrestaShop: texts and properties of a product, and products that do not exist yet.

* One request per product, never several nodes: a failure in the middle would be unclear for all of them. PATCH only: a
  PUT that leaves a field out blanks it, with 200 (recorded).
* The products are read before (the other languages' texts are sent back) and after (what is confirmed is what a list
  shows; the answer to a PATCH repeats what was written, not what was kept). What already holds the value is not sent.
* After the first answer that is unclear, or that says "not now", the rest of the batch is left untried: the shop is
  more likely in trouble than the item.
* References are not unique: a creation that is sent twice makes two products. Nothing here looks whether the code is
  there already; dispatch does.
* The link of a new product is its stock row, which exists at once (recorded).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from agent.errors import AnswerLost, ShopUnavailable
from agent.events import Done, Outcome, Owed, Rejected, Unclear, Untried, Value
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_xml as wire
from agent.shops.http import Answer, ShopHttp
from agent.shops.prestashop_answers import GONE, Said, failure, record_of
from agent.shops.prestashop_fields import Row, Unfit
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_setup import Setup
from agent.shops.prestashop_xml import Link

_XML = {"content-type": "text/xml; charset=utf-8"}
ROWS = 50
"""Products with all their texts in one answer; a description may be some 100 KB."""
_NOT_FOUND = "Someone deleted it in PrestaShop, or gave its combination to another product; it is looked up again."


class Present(NamedTuple):
    """What the shop holds now: products and combinations by id."""

    products: Mapping[int, Row]
    combinations: Mapping[int, Row]

    def row(self, link: Link) -> Row | None:
        """The record behind a link; None when it is gone or belongs to another product."""
        if not link.combination:
            return self.products.get(link.product)
        row = self.combinations.get(link.combination)
        return row if row is not None and fields.number(row.get("id_product")) == link.product else None


class Products:
    """Delivers and reads the target ``products``."""

    def __init__(
        self,
        http: ShopHttp,
        lists: Lists,
        setup: Setup,
        *,
        short: Callable[[str], str],
    ) -> None:
        self._http = http
        self._lists = lists
        self._setup = setup
        self._short = short

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Update what has a link, create what has none. Raises `ShopUnavailable` when nothing was sent."""
        links = {n: link for n, item in enumerate(owed) if (link := wire.link_of(item.link)) is not None}
        present = self.present(links.values())
        if any(not link.combination for link in links.values()):
            self._setup.language()
        outcomes: list[Outcome] = []
        for place, item in enumerate(owed):
            try:
                outcome = self._one(item, links.get(place), present)
            except ShopUnavailable:
                if all(isinstance(before, Rejected) for before in outcomes):
                    raise
                outcome = Untried()
            outcomes.append(outcome)
            if isinstance(outcome, Unclear | Untried):
                break
        outcomes += [Untried()] * (len(owed) - len(outcomes))
        return self._confirm(owed, outcomes)

    def values(self, links: Iterable[Link]) -> dict[Link, dict[str, Value]]:
        """What the shop holds behind these links, all fields; what is gone is missing. Raises `ShopUnavailable`."""
        asked = list(links)
        if not asked:
            return {}
        present = self.present(asked)
        simple = any(not link.combination for link in asked)
        language = self._setup.language() if simple else 0
        rates = self._setup.rates().of if simple else {}
        found = {}
        for link in asked:
            row = present.row(link)
            if row is not None:
                value: dict[str, Value] = {"ean": fields.plain_value("ean", row.get("ean13"))}
                found[link] = value if link.combination else fields.value_of(row, language, rates)
        return found

    def present(self, links: Iterable[Link]) -> Present:
        """Read the records behind links. Raises `ShopUnavailable`."""
        asked = list(links)
        products = {link.product for link in asked if not link.combination}
        combinations = {link.combination for link in asked if link.combination}
        return Present(
            self._lists.records("products", fields.PRODUCT_DISPLAY, products, ROWS),
            self._lists.records("combinations", fields.COMBINATION_DISPLAY, combinations),
        )

    # ------------------------------------------------------------------------------------------------ writing

    def _one(self, item: Owed, link: Link | None, present: Present) -> Outcome:
        if link is None and item.link is not None:
            return Rejected("The link to the product is damaged.", GONE, link_lost=True)
        try:
            value = fields.checked(item.event.value)
            return self._create(item, value) if link is None else self._update(value, link, present)
        except Unfit as problem:
            return Rejected(self._short(str(problem)), problem.hint)

    def _update(self, value: Mapping[str, Value], link: Link, present: Present) -> Outcome:
        row = present.row(link)
        if row is None:
            return Rejected("PrestaShop does not know this product any more.", _NOT_FOUND, link_lost=True)
        if link.combination:
            resource, name, number = "combinations", "combination", link.combination
            held = fields.plain_value("ean", row.get("ean13"))
            parts = [fields.node("ean13", str(value["ean"]))] if value.get("ean", held) != held else []
        else:
            resource, name, number = "products", "product", link.product
            parts = fields.differing(value, row, self._setup.language(), self._setup.group)
        said = Said(f"PATCH {resource} {number}: {_named(parts)}", self._short)
        if not parts:
            return Done(str(link), None, said.exchange("it holds the value already"))
        answer = self._write("PATCH", resource, f"<{name}><id>{number}</id>{''.join(parts)}</{name}>")
        if isinstance(answer, AnswerLost):
            return said.unclear(str(answer))
        record = record_of(answer, name)
        if record is None or wire.whole((record.findtext("id") or "").strip()) != number:
            return failure(answer, said)
        return Done(str(link), None, said.exchange(f"HTTP {answer.status}"))

    def _create(self, item: Owed, value: Mapping[str, Value]) -> Outcome:
        everywhere = self._setup.languages()
        group = self._setup.group(str(value["vat"]), 0) if "vat" in value else self._setup.rates().highest()
        code = item.event.code.strip()
        body = fields.creation(value, code, everywhere, group=group, home=self._setup.home())
        said = Said(f"POST products {code[:64]}", self._short)
        answer = self._write("POST", "products", body)
        if isinstance(answer, AnswerLost):
            return said.unclear(str(answer))
        record = record_of(answer, "product")
        product = None if record is None else wire.whole((record.findtext("id") or "").strip())
        if record is None or not product:
            return failure(answer, said)
        row = wire.whole((record.findtext("associations/stock_availables/stock_available/id") or "").strip())
        if not row:
            row = self._stock_row(product)
        if not row:  # the product is there: the next look for its code says what it lacks
            return said.unclear(f"The new product {product} has no stock row in the configured shop yet.")
        return Done(str(Link(row, product, 0)), None, said.exchange(f"HTTP {answer.status}, id {product}"))

    def _stock_row(self, product: int) -> int | None:
        try:
            found = self._lists.stock_of([product]).get((product, 0))
        except ShopUnavailable:
            return None
        return found.row if found else None

    def _write(self, method: str, resource: str, inner: str) -> Answer | AnswerLost:
        """Send one record. A lost answer is returned, for it is an outcome. Raises `ShopUnavailable`."""
        try:
            return self._http.write(
                method,
                resource,
                content=wire.document(inner),
                params=self._lists.context or None,
                headers=_XML,
            )
        except AnswerLost as error:
            return error

    def _confirm(self, owed: Sequence[Owed], outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Read back what was done; ``Done`` so far says only that the shop took it."""
        links = {
            n: link for n, one in enumerate(outcomes) if isinstance(one, Done) and (link := wire.link_of(one.link))
        }
        try:
            held = self.values(links.values())
        except ShopUnavailable as error:
            return [
                Unclear(self._short(f"The shop took it and cannot be read: {error}"), one.exchange)
                if isinstance(one, Done)
                else one
                for one in outcomes
            ]
        final: list[Outcome] = []
        for place, one in enumerate(outcomes):
            value = owed[place].event.value
            if not isinstance(one, Done) or not isinstance(value, dict):
                final.append(one)
            elif links[place] not in held:
                final.append(Unclear("The shop took it and does not show it.", one.exchange))
            else:
                final.append(Done(one.link, fields.confirmed(value, held[links[place]]), one.exchange))
        return final


def _named(parts: Sequence[str]) -> str:
    """Names of the elements, for the history."""
    return ", ".join(part[1 : part.index(">")] for part in parts)
