"""The owner of a Vendure at work by hand: categories, facets and products of his own, which nobody else may touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from .vendure import RealVendure

_CREATE = "mutation($i: CreateCollectionInput!) { createCollection(input: $i) { id parentId } }"
_MOVE = "mutation($i: MoveCollectionInput!) { moveCollection(input: $i) { id } }"
_FACET = """mutation($i: CreateFacetInput!) { createFacet(input: $i) { id values { id } } }"""
_VALUES = "mutation($i: [CreateFacetValueInput!]!) { createFacetValues(input: $i) { id } }"
_MARKED = """query($s: String!) { productVariants(options: { filter: { sku: { eq: $s } } }) {
 items { id facetValues { id } } } }"""
_MARK = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
_NAMES = """{ facets(options: { take: 100 }) { items { id name values { id name } } } }"""


@dataclass(frozen=True, slots=True)
class Made:
    """A collection that he made: its name, the one above it, and SKUs of what is in it."""

    name: str
    above: str
    goods: frozenset[str]


@dataclass(slots=True)
class Owner:
    """What he made is remembered: ``collections`` by id; those of ``given`` he means to be taken for POHODA's."""

    server: RealVendure
    collections: dict[str, Made] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)

    def speak_czech(self) -> None:
        """Set the shop up for Czech names and crowns."""
        self.server.graphql("mutation { updateGlobalSettings(input: {availableLanguages: [en, cs]}) { __typename } }")
        channel: dict[str, Any] = {"id": "1", "availableLanguageCodes": ["en", "cs"], "defaultLanguageCode": "cs"}
        channel |= {"availableCurrencyCodes": ["CZK", "USD"], "defaultCurrencyCode": "CZK", "pricesIncludeTax": True}
        update = "mutation($i: UpdateChannelInput!) { updateChannel(input: $i) { __typename } }"
        self.server.graphql(update, {"i": channel})

    def collection(self, name: str, above: str | None = None, *, of: Sequence[str] = (), value: str = "") -> str:
        """Make a collection of these SKUs, or of all that are marked with a facet value; returns its id."""
        slug = f"vlastni-{len(self.collections)}"
        filters = [_filter("variant-id-filter", "variantIds", [self._variant(sku)["id"] for sku in of])] if of else []
        filters += [_filter("facet-value-filter", "facetValueIds", [value], containsAny="false")] if value else []
        made = {
            "translations": [{"languageCode": "cs", "name": name, "slug": slug, "description": "ručně"}],
            "filters": filters,
            "inheritFilters": False,
            **({"parentId": above} if above else {}),
        }
        answer = self.server.graphql(_CREATE, {"i": made})["createCollection"]
        one = str(answer["id"])
        self.collections[one] = Made(name, str(answer["parentId"]), frozenset(of))
        return one

    def move(self, collection: str, above: str, index: int) -> None:
        """Move a collection."""
        self.server.graphql(_MOVE, {"i": {"collectionId": collection, "parentId": above, "index": index}})
        self.collections[collection] = replace(self.collections[collection], above=above)

    def facet(self, name: str, values: Sequence[str]) -> list[str]:
        """Make a facet; returns the ids of its values."""
        text = [{"languageCode": "cs", "name": name}]
        made = self.server.graphql(_FACET, {"i": {"code": f"rucne-{name}", "isPrivate": False, "translations": text}})
        return self.values(str(made["createFacet"]["id"]), values)

    def values(self, facet: str, values: Sequence[str]) -> list[str]:
        """Add values to a facet; returns their ids."""
        rows = [
            {"facetId": facet, "code": f"rucne-{value}", "translations": [{"languageCode": "cs", "name": value}]}
            for value in values
        ]
        made = self.server.graphql(_VALUES, {"i": rows})["createFacetValues"]
        return [str(one["id"]) for one in made]

    def named(self, facet: str, value: str = "") -> str:
        """The id of a facet, or of a value of it, by the names that the shop shows."""
        (it,) = [one for one in self.server.graphql(_NAMES)["facets"]["items"] if one["name"] == facet]
        return str(next(one["id"] for one in it["values"] if one["name"] == value) if value else it["id"])

    def mark(self, sku: str, *values: str) -> None:
        """Mark a product with more facet values."""
        variant = self._variant(sku)
        ids = [*(value["id"] for value in variant["facetValues"]), *values]
        self.server.graphql(_MARK, {"i": [{"id": variant["id"], "facetValueIds": ids}]})

    def _variant(self, sku: str) -> Mapping[str, Any]:
        (variant,) = self.server.graphql(_MARKED, {"s": sku})["productVariants"]["items"]
        return dict(variant)


def _filter(code: str, argument: str, ids: Sequence[str], **more: str) -> dict[str, Any]:
    arguments = {argument: orjson.dumps(list(ids)).decode(), "combineWithAnd": "true", **more}
    return {"code": code, "arguments": [{"name": name, "value": value} for name, value in arguments.items()]}
