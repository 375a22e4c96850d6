"""The owner of a real Vendure at work in the administration, and an eye on it: all apart from the adapter.

What a collection shows is reckoned from its filters, for the shop's queue of jobs brings that about a moment later.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.contract.world import SeenCategory, SeenFirms
from tests.e2e.vendure import RealVendure

LANGUAGE = "en"
FIRMS = {"manufacturer": "Výrobce", "supplier": "Dodavatel"}
CATEGORIES = "pohoda-categories"
_numbers = itertools.count(1)
_COLLECTIONS = """{ collections(options: { take: 1000 }) { items { id parentId position isPrivate inheritFilters
 translations { languageCode name description } featuredAsset { id } filters { code args { name value } } } } }"""
_FACETS = """{ facets(options: { take: 1000 }) { items { id code translations { languageCode name }
 values { id translations { languageCode name } } } } }"""
_VARIANTS = """query($s: String!) { productVariants(options: { filter: { sku: { eq: $s } } }) { items { id
 facetValues { id name facet { code name } } } } }"""
_ORDER = """query($c: String!) { orders(options: { filter: { code: { eq: $c } } }) { items { id state
 lines { id quantity } fulfillments { id state trackingCode }
 history(options: { take: 100, sort: { id: ASC }, filter: { type: { eq: "ORDER_STATE_TRANSITION" } } }) {
  items { data } } } } }"""
_FULFIL = """mutation($i: FulfillOrderInput!) { addFulfillmentToOrder(input: $i) { __typename
 ... on Fulfillment { id } ... on ErrorResult { message } } }"""
_MOVE = """mutation($i: ID!, $s: String!) { transitionFulfillmentToState(id: $i, state: $s) { __typename
 ... on ErrorResult { message } } }"""
_CANCEL = """mutation($i: CancelOrderInput!) { cancelOrder(input: $i) { __typename ... on ErrorResult { message } } }"""


# ------------------------------------------------------------------------------------------------ collections


def collections(server: RealVendure) -> dict[str, dict[str, Any]]:
    return {str(one["id"]): one for one in server.graphql(_COLLECTIONS)["collections"]["items"]}


def categories(server: RealVendure) -> dict[str, SeenCategory]:
    return {
        one: SeenCategory(
            _text(raw, "name"),
            str(raw["parentId"]),
            not raw["isPrivate"],
            _text(raw, "description"),
            raw["featuredAsset"] is not None,
        )
        for one, raw in collections(server).items()
    }


def children(server: RealVendure, parent: str) -> list[str]:
    mine = [(raw["position"], one) for one, raw in collections(server).items() if str(raw["parentId"]) == parent]
    return [one for _, one in sorted(mine)]


def add_collection(server: RealVendure, name: str, parent: str, *, visible: bool) -> str:
    text = {"languageCode": LANGUAGE, "name": name, "slug": f"rucne-{next(_numbers)}", "description": ""}
    made: dict[str, Any] = {"translations": [text], "filters": [], "isPrivate": not visible}
    made |= {"parentId": parent} if parent else {}
    document = "mutation($i: CreateCollectionInput!) { createCollection(input: $i) { id } }"
    return str(server.graphql(document, {"i": made})["createCollection"]["id"])


def change_collection(server: RealVendure, collection: str, **parts: object) -> None:
    document = "mutation($i: UpdateCollectionInput!) { updateCollection(input: $i) { id } }"
    server.graphql(document, {"i": {"id": collection, **parts}})


def move_collection(server: RealVendure, collection: str, parent: str) -> None:
    document = "mutation($i: MoveCollectionInput!) { moveCollection(input: $i) { id } }"
    server.graphql(document, {"i": {"collectionId": collection, "parentId": parent, "index": 0}})


def remove_collection(server: RealVendure, collection: str) -> None:
    server.graphql("mutation($i: ID!) { deleteCollection(id: $i) { result } }", {"i": collection})


def showing(server: RealVendure, code: str) -> set[str]:
    """Ids of the collections whose filters, with those that they inherit, let a variant through."""
    there, item = collections(server), variant(server, code)
    values = {str(value["id"]) for value in item["facetValues"]}
    return {one for one in there if _lets_through([*_filters(there, one)], str(item["id"]), values)}


def add_filter(server: RealVendure, collection: str, code: str) -> None:
    """Let a collection show one more variant, picked by hand."""
    mine = str(variant(server, code)["id"])
    filters = collections(server)[collection]["filters"]
    args = {"variantIds": json.dumps([mine]), "combineWithAnd": "false"}
    by_hand = {"code": "variant-id-filter", "args": [{"name": name, "value": text} for name, text in args.items()]}
    sent = [{"code": one["code"], "arguments": one["args"]} for one in [*filters, by_hand]]
    change_collection(server, collection, filters=sent)


def _filters(there: dict[str, dict[str, Any]], collection: str) -> Iterator[tuple[str, dict[str, str]]]:
    raw: dict[str, Any] | None = there[collection]
    while raw is not None:
        for one in raw["filters"]:
            yield one["code"], {arg["name"]: arg["value"] for arg in one["args"]}
        raw = there.get(str(raw["parentId"])) if raw["inheritFilters"] else None


def _lets_through(filters: Sequence[tuple[str, dict[str, str]]], mine: str, values: set[str]) -> bool:
    """Facet values come first, and AND binds before OR: measured on 3.7.3."""
    groups: list[bool] = []
    for code, args in sorted(filters, key=lambda one: one[0] != "facet-value-filter"):
        if code == "facet-value-filter":
            asked = set(json.loads(args["facetValueIds"]))
            passes = bool(asked & values) if args["containsAny"] == "true" else asked <= values
        else:
            assert code == "variant-id-filter", code
            passes = mine in json.loads(args["variantIds"])
        if groups and args["combineWithAnd"] != "false":
            groups[-1] = groups[-1] and passes
        else:
            groups.append(passes)
    return any(groups)


# ------------------------------------------------------------------------------------------------ facets


def terms(server: RealVendure) -> list[tuple[str, str]]:
    """Facets that are no firms and no categories, and their values."""
    found: list[tuple[str, str]] = []
    for facet in _facets(server):
        if facet["code"] not in {*FIRMS, CATEGORIES}:
            name = _text(facet, "name")
            found += [(name, ""), *((name, _text(value, "name")) for value in facet["values"])]
    return found


def firms(server: RealVendure) -> list[tuple[str, str]]:
    return [
        (facet["code"], _text(value, "name"))
        for facet in _facets(server)
        if facet["code"] in FIRMS
        for value in facet["values"]
    ]


def term(server: RealVendure, parameter: str, value: str = "") -> str:
    """The id of a facet or of a value of it."""
    (facet,) = (facet for facet in _facets(server) if _text(facet, "name") == parameter)
    return str(facet["id"]) if not value else _value(facet, value)


def firm(server: RealVendure, kind: str, name: str) -> str:
    (facet,) = (facet for facet in _facets(server) if facet["code"] == kind)
    return _value(facet, name)


def add_facet(server: RealVendure, name: str, code: str = "") -> str:
    made = {"code": code or f"rucne-{next(_numbers)}", "isPrivate": False, "translations": _texts(name)}
    document = "mutation($i: CreateFacetInput!) { createFacet(input: $i) { id } }"
    return str(server.graphql(document, {"i": made})["createFacet"]["id"])


def add_value(server: RealVendure, facet: str, name: str) -> None:
    made = {"facetId": facet, "code": f"rucne-{next(_numbers)}", "translations": _texts(name)}
    document = "mutation($i: [CreateFacetValueInput!]!) { createFacetValues(input: $i) { id } }"
    server.graphql(document, {"i": [made]})


def add_firm(server: RealVendure, kind: str, name: str) -> None:
    there = [str(facet["id"]) for facet in _facets(server) if facet["code"] == kind]
    add_value(server, there[0] if there else add_facet(server, FIRMS[kind], kind), name)


def rename_facet(server: RealVendure, facet: str, name: str) -> None:
    document = "mutation($i: UpdateFacetInput!) { updateFacet(input: $i) { id } }"
    server.graphql(document, {"i": {"id": facet, "translations": _texts(name)}})


def rename_value(server: RealVendure, value: str, name: str) -> None:
    document = "mutation($i: UpdateFacetValueInput!) { updateFacetValue(input: $i) { id } }"
    server.graphql(document, {"i": {"id": value, "translations": _texts(name)}})


def remove_facet(server: RealVendure, facet: str) -> None:
    server.graphql("mutation($i: ID!) { deleteFacet(id: $i, force: true) { result } }", {"i": facet})


def remove_value(server: RealVendure, value: str) -> None:
    server.graphql("mutation($i: [ID!]!) { deleteFacetValues(ids: $i, force: true) { result } }", {"i": [value]})


def variant(server: RealVendure, code: str) -> dict[str, Any]:
    (item,) = server.graphql(_VARIANTS, {"s": code})["productVariants"]["items"]
    return dict(item)


def give(server: RealVendure, code: str, value: str) -> None:
    """Give a variant one more facet value."""
    item = variant(server, code)
    values = [*(one["id"] for one in item["facetValues"]), value]
    document = "mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }"
    server.graphql(document, {"i": [{"id": item["id"], "facetValueIds": values}]})


def parameters_of(server: RealVendure, code: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in variant(server, code)["facetValues"]:
        if value["facet"]["code"] not in {*FIRMS, CATEGORIES}:
            found.setdefault(value["facet"]["name"], []).append(value["name"])
    return {name: sorted(texts) for name, texts in found.items()}


def firms_of(server: RealVendure, code: str) -> SeenFirms:
    there = [(value["facet"]["code"], str(value["name"])) for value in variant(server, code)["facetValues"]]
    makers = [name for kind, name in there if kind == "manufacturer"]
    assert len(makers) <= 1, makers
    return SeenFirms(makers[0] if makers else None, {name: "" for kind, name in there if kind == "supplier"}, None)


def _facets(server: RealVendure) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.graphql(_FACETS)["facets"]["items"]
    return sorted(items, key=lambda facet: int(facet["id"]))


def _value(facet: dict[str, Any], name: str) -> str:
    return next(str(value["id"]) for value in facet["values"] if _text(value, "name") == name)


def _texts(name: str) -> list[dict[str, str]]:
    return [{"languageCode": LANGUAGE, "name": name}]


def _text(raw: dict[str, Any], field: str) -> str:
    return next((str(text[field]) for text in raw["translations"] if text["languageCode"] == LANGUAGE), "")


# ------------------------------------------------------------------------------------------------ orders


def order(server: RealVendure, number: str) -> dict[str, Any]:
    (found,) = server.graphql(_ORDER, {"c": number})["orders"]["items"]
    return dict(found)


def states_of(server: RealVendure, number: str) -> list[str]:
    """Where the order went after its payment was authorised."""
    turns = [str(entry["data"]["to"]) for entry in order(server, number)["history"]["items"]]
    return turns[turns.index("PaymentAuthorized") + 1 :]


def tracking_of(server: RealVendure, number: str) -> str:
    live = [one["trackingCode"] for one in order(server, number)["fulfillments"] or () if one["state"] != "Cancelled"]
    return next((str(code) for code in live if code), "")


def bring(server: RealVendure, number: str, state: str) -> None:
    """Send everything, say that it arrived, or cancel; as the buttons of the administration do."""
    there = order(server, number)
    if state == "Cancelled":
        _sound(server.graphql(_CANCEL, {"i": {"orderId": there["id"], "cancelShipping": True}}))
        return
    if not there["fulfillments"]:
        lines = [{"orderLineId": line["id"], "quantity": line["quantity"]} for line in there["lines"]]
        arguments = [{"name": "method", "value": "ručně"}, {"name": "trackingCode", "value": ""}]
        handler = {"code": "manual-fulfillment", "arguments": arguments}
        _sound(server.graphql(_FULFIL, {"i": {"lines": lines, "handler": handler}}))
    for goal in ("Shipped", "Delivered"):
        for one in order(server, number)["fulfillments"]:
            if one["state"] not in {goal, "Delivered"}:
                _sound(server.graphql(_MOVE, {"i": one["id"], "s": goal}))
        if goal == state:
            return


def _sound(said: dict[str, Any]) -> None:
    assert not any("message" in one for one in said.values()), said
