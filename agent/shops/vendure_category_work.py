"""Vendure: what is written so that a collection is a category. The decisions stand in `vendure_collections`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agent.events import Done, Exchange, Outcome, Owed, Rejected
from agent.shops import vendure_facet_lists as listed
from agent.shops.vendure_calls import Calls
from agent.shops.vendure_card import slug_of
from agent.shops.vendure_category_filters import filters_with, heirs, unfit
from agent.shops.vendure_category_pictures import Pictures, sha_in
from agent.shops.vendure_facet_lists import CATEGORIES
from agent.shops.vendure_gallery import Asset
from agent.shops.vendure_images import Elsewhere
from agent.shops.vendure_lists import understood
from agent.shops.vendure_session import VendureSession
from agent.shops.vendure_tree import (
    COLLECTION,
    Collection,
    Mark,
    Tree,
    collection_of,
    gone,
    ids_in,
    is_ours,
    mark_code,
    parent_of,
)
from agent.targets.names import tidy

NAME = "Kategorie POHODA"
"""What the facet of categories is called."""
_BELOW = "query($i: ID!) { collection(id: $i) { children { id } } }"
_SIBLINGS = "query($i: ID!) { collection(id: $i) { parent { children { id } } } }"
_CREATE = f"mutation($c: CreateCollectionInput!) {{ createCollection(input: $c) {{ {COLLECTION} }} }}"
_DELETE = "mutation($i: ID!) { deleteCollection(id: $i) { result } }"
_UNMARK = "mutation($i: [ID!]!) { deleteFacetValues(ids: $i, force: true) { result } }"
_PARTS = {
    "f": ("UpdateFacetValueInput!", "updateFacetValue"),
    "h": ("UpdateCollectionInput!", "updateCollection"),
    "c": ("UpdateCollectionInput!", "updateCollection"),
    "m": ("MoveCollectionInput!", "moveCollection"),
}
"""First letter of an alias → type of its input and mutation."""
_Inputs = dict[str, dict[str, Any]]


class CategoryWork:
    """The writes of one call of ``deliver``; keeps the tree that was read as the shop's is meanwhile."""

    def __init__(
        self,
        session: VendureSession,
        tree: Tree,
        *,
        language: str,
        pictures: Callable[[str], bytes],
        elsewhere: Elsewhere,
    ) -> None:
        self.tree = tree
        self.calls = Calls(session)
        self._session = session
        self._language = language
        self._pictures = Pictures(session, self.calls, language, pictures, elsewhere)

    def deliver(self, item: Owed) -> Outcome:
        """Bring one item about. Raises `Stop`, `ShopUnavailable`."""
        collection, mark_id = ids_in(item.link)
        node = self.tree.nodes.get(collection)
        if gone(item.event.value):
            return self._remove(item, node, mark_id)
        ours = is_ours(self.tree, node, item.event.key, mark_id)
        if item.link and (node is None or self._is_root(node) or not (ours or self.tree.is_below(node))):
            return _lost(collection, "is not there any more, or not below the configured root")
        parent = parent_of(self.tree, item.wanted)
        if parent is None:
            again = "pohoda-agent reconcile --target categories --repair"
            hint = f"Have it made anew: {again}; then: pohoda-agent outbox retry --all."
            return Rejected("The parent of the category is not in the shop any more.", hint)
        if node is not None and not self._is_marked(node, item.event.key, mark_id) and (why := unfit(self.tree, node)):
            return Rejected(f"Collection {node.id} cannot be this category: {why}.", "Switch that off in Vendure.")
        asset, superfluous = self._picture(item, node)
        mark = self._marked(item, node, mark_id)
        if node is None:
            node = self._create(item, mark, parent, asset)
            what = "created"
        else:
            changed = self._change(item, node, mark, parent=parent, asset=asset)
            what = "written" if changed else "nothing to do"
        self._pictures.remove(superfluous)
        return Done(f"{node.id}:{mark.id}", item.event.value, Exchange(_said(item), what))

    def _is_root(self, node: Collection) -> bool:
        return node.id in {self.tree.root, self.tree.base}

    # ------------------------------------------------------------------------------------------------ presence

    def _marked(self, item: Owed, node: Collection | None, mark_id: str) -> Mark:
        """The facet value of a category as it is, made if there is none."""
        tree, key = self.tree, item.event.key
        marks = tree.marks_of(key)
        there = [mark for mark in marks if mark.id == mark_id or (node and mark.id in node.values)]
        if marks:
            return (there or marks)[0]
        if not tree.facet:
            tree.facet = listed.create_facet(self.calls, self._language, code=CATEGORIES, name=NAME, private=True)
        code, name = _mark_wanted(item, None)
        made = listed.create_values(self.calls, self._language, tree.facet, [(code, name)])[0]
        tree.marks[made.id] = Mark(made.id, key, _order(item), made.code, made.name)
        return tree.marks[made.id]

    def _create(self, item: Owed, mark: Mark, parent: str, asset: Asset | None) -> Collection:
        wanted = _fields(item)
        if update := self._mark_input(item, mark):
            self._write({"f": update}, _said(item))
        text = {"name": wanted["name"], "slug": slug_of(wanted["name"]), "description": wanted.get("description", "")}
        made = {
            "isPrivate": not wanted.get("visible", True),
            "inheritFilters": False,
            "filters": [one.sent for one in filters_with((), mark.id)],
            "translations": [{"languageCode": self._language, **text}],
        }
        made |= {"parentId": parent} if parent != self.tree.root else {}
        made |= {"featuredAssetId": asset.id} if asset else {}
        data = self.calls.change(_CREATE, {"c": made}, what=_said(item))
        node = self.calls.told(_said(item), lambda: collection_of(data["createCollection"], self._language))
        if not self.tree.root:
            self.tree.root = self.tree.base = node.parent  # the first collection of the shop tells it
        self.tree.nodes[node.id] = node
        self._move(item, node, node.parent)
        return node

    def _change(self, item: Owed, node: Collection, mark: Mark, *, parent: str, asset: Asset | None) -> bool:
        """Write what differs; whether anything did."""
        inputs: _Inputs = {}
        if update := self._mark_input(item, mark):
            inputs["f"] = update
        change = self._texts(item, node)
        linked = ids_in(item.link)[1]
        former = linked if self._stale(node, linked) else ""
        filters = filters_with(node.filters, mark.id, former)
        if filters != list(node.filters):
            change["filters"] = [one.sent for one in filters]
            if not former:
                change |= {"inheritFilters": False}
                below = heirs(self.tree, node)
                inputs |= {f"h{n}": {"id": one.id, "inheritFilters": False} for n, one in enumerate(below)}
        if "picture" in _fields(item) and (asset is not None or sha_in(node.asset, item.event.key)):
            change |= {"featuredAssetId": asset.id if asset else None} if asset != node.asset else {}
        if change:
            inputs["c"] = {"id": node.id, **change}
        self.tree.nodes[node.id] = replace(node, filters=tuple(filters))
        if inputs:
            self._write(inputs, _said(item))
        return self._move(item, self.tree.nodes[node.id], parent) or bool(inputs)

    def _texts(self, item: Owed, node: Collection) -> dict[str, Any]:
        wanted = _fields(item)
        text = {} if node.spoken and node.name == wanted["name"] else {"name": wanted["name"]}
        if wanted.get("description", node.description) != node.description:
            text["description"] = wanted["description"]
        if text and not node.spoken:
            text = {"slug": slug_of(wanted["name"]), "description": "", **text}
        change: dict[str, Any] = {"translations": [{"languageCode": self._language, **text}]} if text else {}
        if wanted.get("visible", not node.private) == node.private:
            change["isPrivate"] = not node.private
        return change

    def _mark_input(self, item: Owed, mark: Mark) -> dict[str, Any]:
        """What makes the facet value say the category's name and order; empty when it does."""
        code, name = _mark_wanted(item, mark)
        if (code, name) == (mark.code, mark.name):
            return {}
        order = mark.order if _order(item) is None else _order(item)
        self.tree.marks[mark.id] = replace(mark, code=code, name=name, order=order)
        return {"id": mark.id, "code": code, "translations": [{"languageCode": self._language, "name": name}]}

    def _move(self, item: Owed, node: Collection, parent: str) -> bool:
        """Move a collection to where its category belongs, by a request of its own; whether it had to be.

        Measured: in one document with a move, an update of a facet value dies of an error of the database.
        """
        order = _order(item)
        if self.tree.index(node.id, parent, order) is None:
            return False
        among = self._siblings(parent)
        index = self.tree.index(node.id, parent, order, among)
        if index is None:
            return False
        self._write({"m": {"collectionId": node.id, "parentId": parent, "index": index}}, _said(item))
        self.tree.place(node.id, parent, index, among)
        return True

    def _siblings(self, parent: str) -> list[str]:
        """All children of a collection in order, those of other channels, too: among them a move counts."""
        seen = self.tree.children(parent)
        if not seen:
            return []
        data = self._session.ask(_SIBLINGS, {"i": seen[0].id})
        return understood("siblings", lambda: [str(one["id"]) for one in data["collection"]["parent"]["children"]])

    def _is_marked(self, node: Collection, key: str, mark_id: str) -> bool:
        """Tell whether a collection asks for a facet value of this category, be it gone."""
        return any(mark.id in node.values for mark in self.tree.marks_of(key)) or self._stale(node, mark_id)

    def _stale(self, node: Collection, mark_id: str) -> bool:
        """Tell whether a collection asks for a facet value of ours that is not there any more."""
        return bool(mark_id) and mark_id in node.values and mark_id not in self.tree.marks

    def _picture(self, item: Owed, node: Collection | None) -> tuple[Asset | None, list[Asset]]:
        """The picture to be shown, uploaded if it is not there; and those of ours that nobody needs then."""
        wanted, key = _fields(item), item.event.key
        there = node.asset if node else None
        if "picture" not in wanted:
            return None, []
        picture = wanted["picture"]
        sha = str(picture["sha"]) if picture else ""
        if sha == sha_in(there, key):
            return (there if sha else None), []
        library = self._pictures.library(key)
        if not sha:
            return None, library
        mine = next((asset for asset in library if asset.sha == sha), None) or self._pictures.upload(key, picture)
        return mine, [asset for asset in library if asset.id != mine.id]

    # ------------------------------------------------------------------------------------------------ absence

    def _remove(self, item: Owed, node: Collection | None, mark_id: str) -> Outcome:
        """Hide or delete a category; what is not there is as it should be."""
        key, said = item.event.key, Exchange(_said(item), "done")
        if node is None or self._is_root(node) or not is_ours(self.tree, node, key, mark_id):
            marks = {mark.id for mark in self.tree.marks_of(key)}
            if item.link and any(marks & other.values for other in self.tree.nodes.values()):
                return _lost(ids_in(item.link)[0], "is not this category any more")
            if gone(item.event.value) == "delete":
                self._sweep(key)
            return Done(None, item.event.value, Exchange(_said(item), "the shop does not have it"))
        if gone(item.event.value) == "hide":
            if not node.private:
                self._write({"c": {"id": node.id, "isPrivate": True}}, _said(item))
            return Done(item.link, item.event.value, said)
        data = self._session.ask(_BELOW, {"i": node.id})
        there = understood("collection", lambda: [str(one["id"]) for one in (data["collection"] or {})["children"]])
        if there:
            reason = (
                f"Collection {node.id} has others below it ({', '.join(there[:5])}); Vendure would delete them, too."
            )
            return Rejected(
                reason, "Move or delete those in Vendure first, then: pohoda-agent outbox retry --all.", said
            )
        self.calls.change(_DELETE, {"i": node.id}, what=_said(item))
        del self.tree.nodes[node.id]
        self._sweep(key)
        return Done(None, item.event.value, said)

    def _sweep(self, key: str) -> None:
        """Delete what is left of a category: its facet values, which so are off all cards, and its pictures."""
        used = {value for node in self.tree.nodes.values() for value in node.values}
        marks = [mark.id for mark in self.tree.marks_of(key) if mark.id not in used]
        if marks:
            self.calls.change(_UNMARK, {"i": marks}, what=f"deleteFacetValues {', '.join(marks)}")
        self._pictures.remove(self._pictures.library(key))

    def _write(self, inputs: Mapping[str, Mapping[str, Any]], what: str) -> None:
        """Make several mutations, in order, each a transaction of its own."""
        declared = ", ".join(f"${name}: {_PARTS[name[0]][0]}" for name in inputs)
        calls = " ".join(f"{name}: {_PARTS[name[0]][1]}(input: ${name}) {{ id }}" for name in inputs)
        self.calls.change(f"mutation({declared}) {{ {calls} }}", inputs, what=what)


def _fields(item: Owed) -> dict[str, Any]:
    return dict(item.event.value) if isinstance(item.event.value, dict) else {}


def _order(item: Owed) -> int | None:
    order = _fields(item).get("order")
    return order if isinstance(order, int) else None


def _mark_wanted(item: Owed, mark: Mark | None) -> tuple[str, str]:
    """Code and name of a category's facet value; an order that nobody speaks of stays."""
    order = _order(item)
    if order is None and mark is not None:
        order = mark.order
    return mark_code(item.event.key, order), tidy(str(_fields(item)["name"]))


def _said(item: Owed) -> str:
    fields = _fields(item)
    return f"category {item.event.key}: {str(fields.get('name', fields.get('gone')))[:60]}"


def _lost(collection: str, reason: str) -> Rejected:
    text = f"The collection {collection[:40]} {reason}."
    return Rejected(text, "The category is looked for anew.", link_lost=True)
