"""Vendure: the filters by which a collection shows the goods of a category, beside those of its owner. No I/O.

Measured on Vendure 3.7.3; decisions:

* A collection that was made by hand and is taken for a category (`find`) keeps its own filters beside ours: it shows
  what they show, **or** ours. The shop strings filters together in the order of their types, facet values first, and
  AND binds before OR: so ours goes first, and the first of the others is made an OR. What others build upon such a
  collection must not change by that: where filters are inherited the ways part: see `unfit`.
* Once ours is there, filters are the owner's business: what is added or changed by hand stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from agent.shops.vendure_tree import BY_VALUE, Collection, Filter, Tree

_TYPES = (BY_VALUE, "variant-name-filter", "variant-id-filter", "product-id-filter")
"""The shop's own filters, in the order in which it strings them together."""


def filters_with(filters: Sequence[Filter], value: str, former: str = "") -> list[Filter]:
    """The filters of a collection with ours for a facet value: as they are if it is there, in the place of the former
    one if that is, else before the others, the first of which becomes an alternative to it.
    """
    if any(one.value == value for one in filters):
        return list(filters)
    if former and any(one.value == former for one in filters):
        return [Filter(one.code, {**one.args, **_asking(value)}) if one.value == former else one for one in filters]
    ours = Filter(BY_VALUE, {**_asking(value), "containsAny": "false", "combineWithAnd": "true"})
    first = min(filters, key=lambda one: _TYPES.index(one.code), default=None)
    others = [Filter(one.code, {**one.args, "combineWithAnd": "false"}) if one is first else one for one in filters]
    return [ours, *others]


def unfit(tree: Tree, node: Collection) -> str:
    """Why a collection made by hand cannot become a category without showing other goods; empty when it can."""
    if any(one.code not in _TYPES for one in node.filters):
        return "it has a filter of a kind that cannot be combined with ours"
    inherited = _inherited(tree, node)
    foreign = any(one.value not in tree.marks for one in inherited)
    if inherited and (foreign or node.filters or heirs(tree, node)):
        return "it takes over filters of the collections above it ('inherit filters')"
    if node.filters and heirs(tree, node):
        return "collections below it take over its filters ('inherit filters')"
    return ""


def heirs(tree: Tree, node: Collection) -> list[Collection]:
    """Collections right below one that take over its filters: of one without any they show only what they ask for."""
    return [one for one in tree.children(node.id) if one.inherits]


def _inherited(tree: Tree, node: Collection) -> list[Filter]:
    found: list[Filter] = []
    met = {node.id}
    at: Collection | None = node
    while at is not None and at.inherits and at.parent not in met:
        met.add(at.parent)
        at = tree.nodes.get(at.parent)
        found += at.filters if at else ()
    return found


def _asking(value: str) -> dict[str, str]:
    return {"facetValueIds": orjson.dumps([value]).decode()}
