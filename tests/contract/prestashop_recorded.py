"""What the recordings of PrestaShop 9 hold: the exchanges, and the shop as it was before the first of them.

The recordings are optional data beside the repository. What the shop held is made from what they tell of it: whole
records, lists, and the parts of answers that a request did not touch.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from lxml import etree

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.categories import CATEGORIES, children_of
from agent.demo.prestashop.categories import assign as assign_categories
from agent.demo.prestashop.schema import whole

Json: TypeAlias = Any
RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "shops" / "recordings" / "prestashop-9"
TIMES = {"date_add", "date_upd", "invoice_date", "delivery_date"}
PLURAL = {
    "product": "products",
    "combination": "combinations",
    "stock_available": "stock_availables",
    "manufacturer": "manufacturers",
    "category": "categories",
    "language": "languages",
    "currency": "currencies",
    "shop": "shops",
    "tax_rule_group": "tax_rule_groups",
    "tax": "taxes",
    "configuration": "configurations",
    "country": "countries",
    "supplier": "suppliers",
    "product_supplier": "product_suppliers",
    "product_feature": "product_features",
    "product_feature_value": "product_feature_values",
    "order": "orders",
    "order_detail": "order_details",
    "order_history": "order_histories",
    "order_state": "order_states",
    "carrier": "carriers",
}
CATALOGUE = (
    "manufacturers",
    "suppliers",
    "categories",
    "product_features",
    "product_feature_values",
    "products",
    "combinations",
    "stock_availables",
    "product_suppliers",
    "orders",
    "order_details",
    "order_histories",
)
SETTINGS = (
    "languages",
    "countries",
    "currencies",
    "shops",
    "tax_rule_groups",
    "taxes",
    "configurations",
    "order_states",
    "carriers",
)
OURS = (*CATALOGUE, *SETTINGS)
UNTOLD: dict[str, dict[int, dict[str, Any]]] = {
    # 47 came to the tenth place below the home, 46 before it: nine were there, of which the lists tell these not
    "categories": {one: {"id_parent": 2} for one in (11, 13, 14, 15)},
    # 6 came to the fifth place: five features from 0 on, in the order of their ids
    "product_features": {one: {"position": one - 1} for one in range(1, 6)},
    # 19 came to the second place: two values of its feature were there, 16 one of them
    "product_feature_values": {16 + one: {"id_feature": 4, "position": one} for one in range(2)},
    # without a filter they come in the order of this field
    "order_states": {1: {"module_name": "ps_checkpayment"}, 10: {"module_name": "ps_wirepayment"}}
    | {13: {"module_name": "ps_cashondelivery"}},
}
"""What the recordings tell by the way only: resource, id, fields."""
PRODUCTS_BELOW = {12: 76}
"""How many products were in a category and below it; which ones was not told."""
NUMBERS = {"invoice": 24, "delivery": 16}
"""The numbers of invoices and delivery slips that had been given away."""
FIRST_HISTORY = 88
"""What a PATCH of an order added: before any POST told where the counter stood."""
NB_PRODUCTS = CATEGORIES.by_name["nb_products_recursive"]
MOVED_AWAY = 1
"""Products that were there first and are counted no more: 20 was put elsewhere before."""
FIRST_IMAGE = 24
"""Pictures that the shop had before: of other products."""


@dataclass(frozen=True, slots=True)
class Exchange:
    file: str
    step: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def method(self) -> str:
        return str(self.request["method"])

    @property
    def target(self) -> str:
        return str(self.request["path_with_query"])

    @property
    def name(self) -> str:
        return f"{self.file}: {self.step}"


def recorded() -> list[Exchange]:
    """All exchanges of the real shop, in the order in which they were made; skips where there are none."""
    if not RECORDINGS.is_dir():
        reason = "the recordings of PrestaShop 9 are not beside the repository"
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    found = []
    for path in sorted(RECORDINGS.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        single = [{"step": content["title"], **{part: content.get(part) for part in ("request", "response")}}]
        found += [
            Exchange(path.name[:2], one["step"], one["request"], one["response"])
            for one in content.get("exchanges", single)
        ]
    return found


# -- what the shop held before ----------------------------------------------------------------------------------------


class Seed:
    """Collects what the recordings tell of records before they were changed; what was told first counts."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self.rows: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in OURS}
        self.made: dict[str, int] = {"order_histories": FIRST_HISTORY}
        """First id that a creation was given, by resource: where the shop's counters stood."""
        told = [one for one in exchanges if one.response["status"] in {200, 201} and "schema=" not in one.target]
        for one in told:
            if one.method == "POST":
                self._learn_counters(one)
        for one in told:
            if one.method == "GET":
                self._learn_all(one)
        for one in told:
            if one.method in {"PUT", "PATCH"}:
                self._learn_untouched(one)

    def _learn_counters(self, one: Exchange) -> None:
        for resource, record in records(one):
            self.made.setdefault(resource, int(record["id"]))
            for entry in record.get("associations", {}).get("stock_availables", ()):
                self.made.setdefault("stock_availables", entry["id"])

    def _learn_all(self, one: Exchange) -> None:
        asked = dict(re.findall(r"filter\[(\w+)\]=\[(\d+)\]", one.target))  # what was asked for is told, too
        for resource, record in records(one):
            if resource in OURS:
                self._add(resource, asked | record)

    def _learn_untouched(self, one: Exchange) -> None:
        """The answer to a change tells what it did not change of a record that was not read whole before."""
        named = {str(node.tag) for node in parse(one.request["body"]).iter()} - {"id"} if one.request["body"] else set()
        for resource, record in records(one):
            if resource in OURS:
                kept = {"id", "associations"} if one.method == "PUT" else set(record)  # a PUT blanks the rest
                self._add(resource, {name: record[name] for name in record if name in kept - named})

    def _add(self, resource: str, record: dict[str, Any]) -> None:
        row_id = int(record["id"])
        if resource == "products" and record.get("id_manufacturer") and record.get("manufacturer_name"):
            self._add("manufacturers", {"id": record["id_manufacturer"], "name": record["manufacturer_name"]})
        if resource == "orders":
            for row in record.get("associations", {}).get("order_rows", ()):
                self._add("order_details", {**row, "id_order": row_id})
        if row_id < self.made.get(resource, row_id + 1):  # else it was made during the recording
            known = self.rows[resource].setdefault(row_id, {})
            for name, value in record.items():
                if value is not None and value != "" and value is not False:
                    known.setdefault(name, value)

    def plant(self, shop: FakePrestaShop) -> None:
        """Put everything into the fake."""
        store = shop.store
        for resource in (*SETTINGS, "categories"):
            for row_id in list(store.tables[resource].rows):
                store.tables[resource].remove(row_id)
        self._guess()
        for resource in OURS:
            for row_id in sorted(self.rows[resource]):
                self._plant_row(shop, resource, row_id, self.rows[resource][row_id])
            store.tables[resource].next_id = self.made.get(resource, store.tables[resource].next_id)
        for category, number in PRODUCTS_BELOW.items():
            first, *_ = children_of(store, category)
            missing = number - whole(store.value(store.tables["categories"], category, NB_PRODUCTS))
            store.positions.setdefault(first, {}).update({900_000 + one: one for one in range(missing + MOVED_AWAY)})
        store.numbers.update(NUMBERS)
        store.shelf.next_id = FIRST_IMAGE
        # a list was recorded from its 21st row on: the rows before it were there, whatever they held
        for row_id in set(range(1, 21)) - set(self.rows["stock_availables"]):
            store.seed("stock_availables", row_id, {"id_product": 900_000 + row_id})

    def _guess(self) -> None:
        """Add what is told by the way only; what is not told at all was there, too, whatever it held."""
        for resource, rows in UNTOLD.items():
            for row_id, values in rows.items():
                self.rows[resource].setdefault(row_id, {"id": row_id}).update(values)
        for category in range(1, self.made["categories"]):
            self.rows["categories"].setdefault(category, {"id": category, "id_parent": 10})
        for child in self.rows["categories"][12]["associations"]["categories"]:
            self.rows["categories"][child["id"]]["id_parent"] = 12
        home = sorted(one for one, row in self.rows["categories"].items() if int(row.get("id_parent", 0)) == 2)
        for position, category in enumerate(home):
            self.rows["categories"][category].setdefault("position", position)

    def _plant_row(self, shop: FakePrestaShop, resource: str, row_id: int, record: dict[str, Any]) -> None:
        links = record.get("associations", {})
        fields = shop.store.resources[resource].by_name
        values = {name: languages(value) for name, value in record.items() if name in fields}
        shop.store.seed(resource, row_id, values, links)
        if resource == "products":
            assign_categories(shop.store, row_id, links.get("categories", []))
            if "position_in_category" in record:
                position = int(record["position_in_category"])
                shop.store.positions[int(record["id_category_default"])][row_id] = position


def number_or_text(text: str) -> int | str:
    return int(text) if re.fullmatch(r"0|[1-9]\d*", text) else text


def languages(value: Json) -> Json:
    return {one["id"]: one["value"] for one in value} if isinstance(value, list) else value


def parse(body: str) -> etree._Element:
    return etree.fromstring(body.encode(), etree.XMLParser(resolve_entities=False, no_network=True))


def records(one: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records that an answer shows: resource, and record in the shape of JSON."""
    body = one.response["body"]
    if isinstance(body, str) and body.startswith("<?xml"):
        for child in parse(body):
            whole = [node for node in (child if str(child.tag) in PLURAL.values() else [child]) if len(node)]
            yield from ((PLURAL[str(node.tag)], xml_record(node)) for node in whole if node.tag in PLURAL)
    elif isinstance(body, str) and body.startswith("{"):
        for name, content in json.loads(body).items():
            for record in content if isinstance(content, list) else [content]:
                if isinstance(record, dict) and "id" in record:
                    yield PLURAL.get(name, name), record


def xml_record(node: etree._Element) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for child in node:
        texts = child.findall("language")
        if child.tag == "associations":
            record["associations"] = {
                str(one.tag): [{str(part.tag): number_or_text(part.text or "") for part in item} for item in one]
                for one in child
            }
        else:
            record[str(child.tag)] = (
                [{"id": int(one.get("id", "0")), "value": one.text or ""} for one in texts]
                if texts
                else child.text or ""
            )
    return record
