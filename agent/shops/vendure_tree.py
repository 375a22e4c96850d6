"""Vendure: the tree of collections as it is read, and the rules by which a category is a collection of it. No writes.

Measured on Vendure 3.7.3; decisions:

* Goods come into a category by a facet value of the facet `CATEGORIES`, on which the collection filters; ancestors'
  filters are not inherited. The facet value's code is the category's mark: ``category-<key>``, with ``-order-<n>``
  behind it where POHODA says an order. So the shop itself tells which category a collection is, whatever became of an
  answer or of the state file, and how our siblings are to be ordered, which positions alone do not say.
* ``position`` cannot be written: a move names an index among all siblings without the moved one, and numbers them anew.
  A category is moved only if it is not behind all of ours with a lower order and before all with a higher one; where
  the owner's collections stand among them is the owner's business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from agent.events import Value, Wanted
from agent.shops import vendure_gallery as gallery
from agent.shops.vendure_facet_lists import FacetValue, age, folded, name_in
from agent.shops.vendure_gallery import ASSET, Asset

COLLECTION = (
    "id parentId position isPrivate inheritFilters name filters { code args { name value } }"
    f" translations {{ languageCode name slug description }} featuredAsset {{ {ASSET} }}"
)
_MARK = re.compile(r"category-(.+?)(?:-order-(-?\d+))?")
BY_VALUE = "facet-value-filter"


@dataclass(frozen=True, slots=True)
class Mark:
    """A facet value that stands for a category: which one, and its order where that is told."""

    id: str
    key: str
    order: int | None
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a collection, its arguments as the shop writes them (JSON texts)."""

    code: str
    args: Mapping[str, str]

    @property
    def value(self) -> str:
        """The facet value that this filter asks for, if it asks for just one; else empty."""
        ids = self.args.get("facetValueIds", "") if self.code == BY_VALUE else ""
        try:
            read = orjson.loads(ids or "[]")
        except ValueError:
            return ""
        return str(read[0]) if isinstance(read, list) and len(read) == 1 else ""

    @property
    def sent(self) -> dict[str, object]:
        """As an input."""
        return {"code": self.code, "arguments": [{"name": name, "value": text} for name, text in self.args.items()]}


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection in our language; ``spoken`` tells whether it has a text in it."""

    id: str
    parent: str
    position: int
    private: bool
    inherits: bool
    filters: tuple[Filter, ...]
    name: str
    description: str
    spoken: bool
    asset: Asset | None

    @property
    def values(self) -> set[str]:
        """The facet values on which it filters, each by a filter of its own."""
        return {one.value for one in self.filters} - {""}


@dataclass(slots=True)
class Tree:
    """All collections of the channel. ``base`` is the one below which ours are, ``root`` the shop's own."""

    root: str
    base: str
    nodes: dict[str, Collection]
    marks: dict[str, Mark]
    """By the id of the facet value."""
    facet: str
    """Id of the facet that they are values of; empty: there is none yet."""

    def children(self, parent: str) -> list[Collection]:
        """In the order of the shop."""
        mine = [node for node in self.nodes.values() if node.parent == parent]
        return sorted(mine, key=lambda node: (node.position, age(node.id)))

    def is_below(self, node: Collection) -> bool:
        """Tell whether a collection is below the configured one."""
        met: set[str] = set()
        at: Collection | None = node
        while at is not None and at.id not in met:
            met.add(at.id)
            if at.parent == self.base:
                return True
            at = self.nodes.get(at.parent)
        return False

    def depth(self, node: Collection | None) -> int:
        """How many collections are above it."""
        met: set[str] = set()
        while node is not None and node.id not in met:
            met.add(node.id)
            node = self.nodes.get(node.parent)
        return len(met)

    def marks_of(self, key: str) -> list[Mark]:
        """The facet values of a category, the oldest first: there may be two, after a creation that landed late."""
        return sorted((mark for mark in self.marks.values() if mark.key == key), key=lambda mark: age(mark.id))

    def category(self, node: Collection) -> Mark | None:
        """Which category a collection is."""
        found = sorted((self.marks[value] for value in node.values if value in self.marks), key=lambda m: age(m.id))
        return found[0] if found else None

    def index(self, node_id: str, parent: str, order: int | None, among: Sequence[str] = ()) -> int | None:
        """Where among the children of a parent a category is to be put; None: it stands right.

        ``among`` are the ids of all children in order, where more is known than this channel shows.
        """
        siblings = among or [one.id for one in self.children(parent)]
        if order is None:
            return None if node_id in self.nodes and self.nodes[node_id].parent == parent else len(siblings)
        known = [self.category(self.nodes[one]) if one in self.nodes else None for one in siblings]
        ordered = [(one, mark.order if mark else None) for one, mark in zip(siblings, known, strict=True)]
        return index_of(ordered, node_id, order)

    def place(self, node_id: str, parent: str, index: int, among: Sequence[str] = ()) -> None:
        """Do as the shop does when it moves a collection."""
        ids = [one for one in among or [one.id for one in self.children(parent)] if one != node_id]
        ids.insert(index, node_id)
        self.nodes[node_id] = replace(self.nodes[node_id], parent=parent)
        self.nodes |= {one: replace(self.nodes[one], position=n) for n, one in enumerate(ids) if one in self.nodes}

    def named(self, parent: str, name: str) -> list[Collection]:
        """The children of a parent that are called so, the oldest first."""
        found = [one for one in self.children(parent) if folded(one.name) == folded(name)]
        return sorted(found, key=lambda one: age(one.id))


def index_of(siblings: Sequence[tuple[str, int | None]], mine: str, order: int) -> int | None:
    """Where among its siblings (id, order of those that are ours) one belongs, counted without it; None: where it is.

    Where ours are in no order among themselves it belongs before the first that is to be behind it, so that the same
    question always has the same answer.
    """
    rest = [(each, other) for each, other in siblings if each != mine]
    behind = next((n for n, (_, other) in enumerate(rest) if other is not None and other > order), None)
    last = max((n for n, (_, other) in enumerate(rest) if other is not None), default=len(rest) - 1)
    index = last + 1 if behind is None else behind
    at = next((n for n, (each, _) in enumerate(siblings) if each == mine), None)
    if at is None:
        return index
    before = [other for _, other in rest[:at] if other is not None]
    after = [other for _, other in rest[at:] if other is not None]
    sorted_in = all(other <= order for other in before) and all(other >= order for other in after)
    return None if sorted_in or len(before) == sum(other is not None for _, other in rest[:index]) else index


def mark_code(key: str, order: int | None) -> str:
    """The code of a category's facet value."""
    return f"category-{key}" if order is None else f"category-{key}-order-{order}"


def marks_of(values: Sequence[FacetValue]) -> dict[str, Mark]:
    """Understand the values of the facet of categories, by id; other people's values in it are left out."""
    found: dict[str, Mark] = {}
    for value in values:
        told = _MARK.fullmatch(value.code)
        if told:
            order = int(told[2]) if told[2] else None
            found[value.id] = Mark(value.id, told[1], order, value.code, value.name)
    return found


def key_in(code: str) -> str:
    """The category that a code of a facet value tells; empty when it tells none."""
    told = _MARK.fullmatch(code)
    return told[1] if told else ""


def collection_of(raw: Mapping[str, Any], language: str) -> Collection:
    """Understand a collection that was asked for `COLLECTION`."""
    mine = next((text for text in raw["translations"] if text["languageCode"] == language), None)
    filters = [
        Filter(str(one["code"]), {str(a["name"]): str(a["value"]) for a in one["args"]}) for one in raw["filters"]
    ]
    return Collection(
        id=str(raw["id"]),
        parent=str(raw["parentId"]),
        position=int(raw["position"]),
        private=bool(raw["isPrivate"]),
        inherits=bool(raw["inheritFilters"]),
        filters=tuple(filters),
        name=name_in(raw, language),
        description=str(mine["description"] or "") if mine else "",
        spoken=mine is not None,
        asset=gallery.asset_of(raw["featuredAsset"], language) if raw["featuredAsset"] else None,
    )


def ids_in(link: str | None) -> tuple[str, str]:
    """The collection and the facet value of a link; empty where there is none."""
    collection, _, value = (link or "").partition(":")
    return collection, value


def gone(value: Value) -> str:
    """What is to become of a category that POHODA does not have any more: hide, delete; empty: it has it."""
    return str(value.get("gone", "")) if isinstance(value, dict) else ""


def is_ours(tree: Tree, node: Collection | None, key: str, mark_id: str) -> bool:
    """Tell whether a collection is this category by the facet value of its link."""
    mark = tree.marks.get(mark_id)
    return node is not None and mark is not None and mark.key == key and mark_id in node.values


def parent_of(tree: Tree, asked: Wanted) -> str | None:
    """The collection below which a category is to be; None when that is not in the shop."""
    key = asked.value.get("parent") if isinstance(asked.value, dict) else None
    if key is None:
        return tree.base
    parent = ids_in(asked.links.get(str(key)))[0]
    return parent if parent in tree.nodes else None
