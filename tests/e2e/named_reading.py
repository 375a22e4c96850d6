"""A reading of a Vendure's tree, facets and products by GraphQL of its own: what the shop shows, and what is doubled.

Nothing of the agent is used. Pictures are known by the bytes that the shop serves.
"""

from __future__ import annotations

import hashlib
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .named_reckoning import fold
from .vendure import RealVendure

MARKS = "Kategorie POHODA"
"""The facet whose values say in which categories a product is: of each category there may be one."""
_PAGE = 100
_TREE = """query($o: CollectionListOptions) { listed: collections(options: $o) { totalItems items {
 id name description position isPrivate parentId featuredAsset { id source }
 productVariants(options: { take: 1000 }) { items { sku } } } } }"""
_FACETS = """query($o: FacetListOptions) { listed: facets(options: $o) { totalItems items {
 id name code isPrivate values { id name code } } } }"""
_VARIANTS = """query($o: ProductVariantListOptions) { listed: productVariants(options: $o) { totalItems items {
 id sku enabled stockLevels { stockOnHand } product { id enabled facetValues { id } }
 facetValues { id name facet { name } } } } }"""
_ASSETS = "query($o: AssetListOptions) { listed: assets(options: $o) { totalItems items { id name } } }"


@dataclass(frozen=True, slots=True)
class Node:
    """A collection; ``goods``: SKUs of what is in it."""

    id: str
    path: tuple[str, ...]
    """Names from the top."""
    above: str
    position: int
    visible: bool
    description: str
    picture: str
    """SHA-256 of its bytes; empty for none."""
    goods: frozenset[str]


@dataclass(frozen=True, slots=True)
class Card:
    """A product; ``marks``: facet and value, both folded."""

    id: str
    visible: bool
    quantity: int
    marks: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The whole shop: collections by id, products by key, facets and their values by folded names."""

    nodes: dict[str, Node]
    cards: dict[str, Card]
    facets: dict[str, frozenset[str]]
    doubled: list[str]
    """What is there twice though its name says that it is one."""
    unseen: list[str]
    """Pictures that nobody shows."""


class Reader:
    """Reads one shop. Files are remembered: the shop never changes one."""

    def __init__(self, server: RealVendure) -> None:
        self._server = server
        self._known: dict[str, str] = {}

    def read(self) -> Reading:
        """Read everything."""
        raw = {one["id"]: one for one in self._list(_TREE)}
        nodes = {one: self._node(raw, one) for one in raw}
        cards, doubled = self._cards()
        facets: dict[str, frozenset[str]] = {}
        names = Counter[str]()
        for facet in self._list(_FACETS):
            names[fold(facet["name"])] += 1
            values = Counter(fold(value["name"]) for value in facet["values"])
            if facet["name"] != MARKS:  # two categories may have one name
                doubled += [f"value {one} of {facet['name']}" for one, times in values.items() if times > 1]
            codes = Counter(value["code"].partition("-order-")[0] for value in facet["values"])
            doubled += [f"code {one} of {facet['name']}" for one, times in codes.items() if times > 1]
            facets[fold(facet["name"])] = frozenset(values)
        doubled += [f"facet {one}" for one, times in names.items() if times > 1]
        shown = {one["featuredAsset"]["id"] for one in raw.values() if one["featuredAsset"]}
        unseen = [one["name"] for one in self._list(_ASSETS) if one["id"] not in shown]
        return Reading(nodes, cards, facets, doubled, unseen)

    def _node(self, raw: dict[str, Any], one: str) -> Node:
        it, path, at = raw[one], [raw[one]["name"]], raw[one]["parentId"]
        while at in raw:
            path.insert(0, raw[at]["name"])
            at = raw[at]["parentId"]
        return Node(
            id=one,
            path=tuple(path),
            above=it["parentId"],
            position=it["position"],
            visible=not it["isPrivate"],
            description=it["description"],
            picture=self._sha(it["featuredAsset"]["source"]) if it["featuredAsset"] else "",
            goods=frozenset(variant["sku"] for variant in it["productVariants"]["items"]),
        )

    def _cards(self) -> tuple[dict[str, Card], list[str]]:
        found: dict[str, Card] = {}
        doubled = []
        for variant in self._list(_VARIANTS):
            key = variant["sku"].strip().casefold()
            if key in found:
                doubled.append(f"product {key}")
            ids = [value["id"] for value in variant["facetValues"]]
            both = set(ids) & {value["id"] for value in variant["product"]["facetValues"]}
            if both or len(set(ids)) < len(ids):
                doubled.append(f"a value on product {key}")
            found[key] = Card(
                id=variant["id"],
                visible=variant["enabled"] and variant["product"]["enabled"],
                quantity=sum(level["stockOnHand"] for level in variant["stockLevels"]),
                marks=frozenset((fold(v["facet"]["name"]), fold(v["name"])) for v in variant["facetValues"]),
            )
        return found, doubled

    def _sha(self, source: str) -> str:
        if source not in self._known:
            address = source if "://" in source else f"{self._server.url}/assets/{source}"
            with urllib.request.urlopen(urllib.parse.quote(address, safe=":/"), timeout=30) as answer:
                self._known[source] = hashlib.sha256(answer.read()).hexdigest()
        return self._known[source]

    def _list(self, document: str) -> Iterator[dict[str, Any]]:
        at, total = 0, 1
        while at < total:
            options = {"sort": {"id": "ASC"}, "skip": at, "take": _PAGE}
            listed = self._server.graphql(document, {"o": options})["listed"]
            total = listed["totalItems"]
            yield from listed["items"]
            at += _PAGE
