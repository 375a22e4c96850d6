"""The target ``categories`` in PrestaShop: the tree below the configured category, each category by its id.

Decisions, from recorded exchanges with 9.1.4 unless another source is named:

* Nothing is touched that is not strictly below the configured category (`prestashop_tree`); what somebody has moved out
  of it is refused, as is a parent outside. A parent that does not exist, or is the category itself, is an empty 500:
  so it is looked up before. A cycle is refused by us.
* A new category gets its name and its address (``link_rewrite``) in every language. Later only the language of POHODA's
  texts is written, the others get back what they hold; the address stays, for links lead to it.
* **The order cannot be set.** Sorting goes by ``category_shop.position``, and a PATCH writes ``category.position``,
  unless another sibling has that number; then all are numbered anew, the two in any order (``CategoryCore::update``,
  ``cleanPositions``; read there). A new category comes last among its siblings, so a tree that is made in POHODA's
  order has it. "order" is neither sent nor confirmed nor read.
* The link is "45", or "45#sha256" with the picture that we gave it. A picture that somebody else gave it is replaced
  where POHODA has one, and stays where it has none.
* Deleting takes all below with it, so a category that has some is not deleted. What is gone already is done, and its
  link is forgotten; one that is only hidden keeps it.
* A category is looked up by its name below its parent. Among several the lowest id, that no other of ours has, is it.
* After a creation a picture that the shop refuses is unclear, not a refusal, so that the category is found again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Owed, Rejected, Unclear, Value, Wanted
from agent.shops import prestashop_category_fields as texts
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_named as named
from agent.shops import prestashop_tree as trees
from agent.shops.http import ShopHttp
from agent.shops.prestashop_calls import Calls, Stop, one_by_one
from agent.shops.prestashop_category_pictures import CategoryPictures
from agent.shops.prestashop_fields import Row, Unfit, number
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_setup import Setup
from agent.shops.prestashop_tree import CategoryLink, Tree, Trees

ROWS = 50
"""Categories with all their texts in one answer; a description may be some 100 KB."""
LONGEST = 128
_GONE = (
    "Someone deleted the category in PrestaShop; it is looked up again by its name, and made anew if it is not there."
)
_OUTSIDE = (
    "Move it back below the category of [targets.categories] root in PrestaShop; then: pohoda-agent outbox retry --all."
)


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one delivery knows of the shop."""

    calls: Calls
    tree: Tree
    rows: Mapping[int, Row]
    language: int
    everywhere: Sequence[int]
    """All languages, where something is to be created."""


class Categories:
    """Delivers, reads and finds the target ``categories``."""

    def __init__(
        self,
        http: ShopHttp,
        lists: Lists,
        setup: Setup,
        *,
        short: Callable[[str], str],
        root: str,
        pictures: Callable[[str], bytes],
    ) -> None:
        """``root`` is the id of the category below which ours are, empty for the shop's home."""
        self._http = http
        self._lists = lists
        self._setup = setup
        self._short = short
        self._trees = Trees(lists, setup, root)
        self._pictures = CategoryPictures(http, lists, pictures)

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Create, change, hide and delete. Raises `ShopUnavailable` when nothing was sent."""
        calls = Calls(self._http, self._lists, self._short)
        tree = self._trees.read()
        rows = self._rows([link.id for item in owed if (link := trees.link_of(item.link))])
        everywhere = self._setup.languages() if any(item.link is None for item in owed) else []
        batch = _Batch(calls, tree, rows, self._setup.language(), everywhere)
        outcomes = one_by_one(calls, owed, lambda item: self._one(item, batch))
        return self._confirm(owed, outcomes, batch)

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read what is behind the links; what is gone is missing. Raises `ShopUnavailable`."""
        linked = [(item, link) for item in wanted if (link := trees.link_of(item.link)) is not None]
        if not linked:
            return {}
        rows = self._rows([link.id for _, link in linked])
        root, language = self._trees.root(), self._setup.language()
        held = {}
        for item, link in linked:
            if link.id in rows:
                sha = link.sha if link.sha and self._pictures.there(link.id) else ""
                value = texts.value_of(rows[link.id], sha, item.links, root=root, language=language)
                held[item.key] = Held(item.key, item.code, str(link), value)
        return held

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look categories up by their name below their parent. Raises `ShopUnavailable`."""
        tree = self._trees.read()
        asked = [(item, parent) for item in wanted if (parent := _parent_of(item, tree)) is not None]
        rows = self._lists.hanging("categories", "id,id_parent,name", "id_parent", [parent for _, parent in asked])
        language = self._setup.language()
        there = named.Candidates(
            (number(row.get("id")), number(row.get("id_parent")), texts.text_of(row, "name", language)) for row in rows
        )
        found: dict[str, CategoryLink] = {}
        for item, parent in asked:
            taken = trees.linked(named.others(item)).values()
            name = item.value.get("name") if isinstance(item.value, dict) else ""
            one = there.take(parent, name, {*taken, tree.root})
            if one is not None:
                found[item.key] = CategoryLink(one)
        linked = [
            Wanted(item.key, item.code, str(found[item.key]), links=item.links) for item in wanted if item.key in found
        ]
        return dict(self.read(linked))

    # ------------------------------------------------------------------------------------------------ one category

    def _one(self, item: Owed, batch: _Batch) -> Outcome:
        value = item.event.value
        link = trees.link_of(item.link)
        if not isinstance(value, dict) or (link is None and "gone" in value):
            return Rejected("categories: this is not a category.", "This is a fault of the agent: report it.")
        if item.link is not None and (link is None or link.id not in batch.rows):
            if "gone" in value:
                return Done(None, value, batch.calls.said(f"categories {item.link}").exchange("it is gone already"))
            return Rejected("PrestaShop does not know this category any more.", _GONE, link_lost=True)
        if link is not None and not batch.tree.ours(link.id):
            where = f"The category {link.id} is not below the category {batch.tree.root} any more: it is not touched."
            return Rejected(where, _OUTSIDE)
        if "gone" in value:
            assert link is not None
            return _delete(link.id, value, batch) if value["gone"] == "delete" else _hide(link, batch)
        return self._bring_about(item, value, link, batch)

    def _bring_about(self, item: Owed, value: Mapping[str, Value], link: CategoryLink | None, batch: _Batch) -> Outcome:
        name = named.fit("name", value.get("name"), longest=LONGEST, forbidden=named.CATALOG)
        parent = _parent(value, item.links, link, batch.tree)
        picture = self._pictures.wanted(value.get("picture"))
        if link is None:
            body = texts.creation(value, name, parent, batch.everywhere)
            said = batch.calls.said(f"POST categories {name[:64]} below {parent}")
            link = CategoryLink(batch.calls.record("POST", "categories", "category", body, said))
        else:
            row = batch.rows[link.id]
            parts = texts.differing(value, name, parent, row, batch.language)
            said = batch.calls.said(f"PATCH categories {link.id}: {', '.join(parts)}")
            if parts:
                _patch(link.id, parts, batch, said.request)
        batch.tree.put(link.id, parent)
        if "picture" in value:
            if picture is None and (link.sha or _picture_of(item.tried)):
                self._pictures.drop(batch.calls, link.id)
                link = CategoryLink(link.id)
            elif picture is not None and not (link.sha == picture.sha and self._pictures.there(link.id)):
                self._pictures.put(batch.calls, link.id, picture)
                link = CategoryLink(link.id, picture.sha)
        return Done(str(link), None, said.exchange(f"id {link.id}"))

    # ------------------------------------------------------------------------------------------------ reading

    def _rows(self, ids: Sequence[int]) -> Mapping[int, Row]:
        return self._lists.records("categories", texts.DISPLAY, ids, ROWS)

    def _confirm(self, owed: Sequence[Owed], outcomes: Sequence[Outcome], batch: _Batch) -> list[Outcome]:
        """Read back what was done; ``Done`` so far says only that the shop took it."""
        links = {
            n: link for n, one in enumerate(outcomes) if isinstance(one, Done) and (link := trees.link_of(one.link))
        }
        try:
            rows = self._rows([link.id for link in links.values()])
        except ShopUnavailable as error:
            if not batch.calls.wrote:
                raise
            reason = self._short(f"The shop took it and cannot be read: {error}")
            return [Unclear(reason, one.exchange) if isinstance(one, Done) else one for one in outcomes]
        final: list[Outcome] = []
        for place, one in enumerate(outcomes):
            sent = owed[place].event.value
            if place not in links or not isinstance(one, Done) or not isinstance(sent, dict):
                final.append(one)
                continue
            link = links[place]
            if link.id not in rows:
                final.append(Unclear("The shop took it and does not show it.", one.exchange))
                continue
            held = texts.value_of(
                rows[link.id], link.sha, owed[place].links, root=batch.tree.root, language=batch.language
            )
            if "gone" not in sent:
                held = {name: part for name, part in held.items() if name in sent}
            final.append(Done(str(link), held, one.exchange))
        return final


def _hide(link: CategoryLink, batch: _Batch) -> Outcome:
    said = f"PATCH categories {link.id}: active"
    if fields.on(batch.rows[link.id].get("active")):
        _patch(link.id, {"active": fields.node("active", "0")}, batch, said)
    return Done(str(link), None, batch.calls.said(said).exchange("hidden"))


def _delete(category: int, value: Value, batch: _Batch) -> Outcome:
    children = batch.tree.children(category)
    if children:
        listed = ", ".join(map(str, children[:10])) + (" and more" if len(children) > 10 else "")
        return Rejected(
            f"The category {category} has subcategories in PrestaShop, which would be deleted with it: {listed}.",
            "Move or delete them in PrestaShop; then: pohoda-agent outbox retry --all.",
        )
    said = batch.calls.said(f"DELETE categories {category}")
    batch.calls.delete(f"categories/{category}", said)
    batch.tree.drop(category)
    return Done(None, value, said.exchange("deleted"))


def _patch(category: int, parts: Mapping[str, str], batch: _Batch, request: str) -> None:
    inner = f"<id>{category}</id>{''.join(parts.values())}"
    try:
        batch.calls.record("PATCH", "categories", "category", inner, batch.calls.said(request))
    except Stop as stop:
        if isinstance(stop.outcome, Rejected) and stop.outcome.link_lost:
            lost = Rejected(stop.outcome.reason, _GONE, stop.outcome.exchange, link_lost=True)
            raise Stop(lost) from stop
        raise


def _picture_of(tried: Value) -> bool:
    """Tell whether a picture was on its way when the last answer was lost: it may have come, and is ours then."""
    return isinstance(tried, dict) and tried.get("picture") is not None


def _parent(value: Mapping[str, Value], links: Mapping[str, str], link: CategoryLink | None, tree: Tree) -> int:
    """Id of the parent that a value names. Raises `Unfit` where nothing may be put below it."""
    key = value.get("parent")
    above = trees.link_of(links.get(str(key)))
    if key is not None and above is None:
        raise Unfit(f"parent: the category {key} is not in the shop.", "Retry it when its parent is there.")
    parent = tree.root if above is None else above.id
    if parent not in tree:
        raise Unfit(
            f"parent: someone deleted the category {parent} in PrestaShop (in POHODA: {key}).",
            "Run: pohoda-agent reconcile --target categories --repair; it is made anew, then retry this one.",
        )
    if parent != tree.root and not tree.ours(parent):
        raise Unfit(f"parent: the category {parent} is not below the category {tree.root} any more.", _OUTSIDE)
    if link is not None and tree.within(parent, link.id):
        raise Unfit(
            f"parent: the category {parent} lies below {link.id} itself in PrestaShop, that would be a circle.",
            "Move it in PrestaShop to where POHODA has it; then: pohoda-agent outbox retry --all.",
        )
    return parent


def _parent_of(item: Wanted, tree: Tree) -> int | None:
    """Id of the category below which one is looked for; None where it cannot be."""
    value = item.value
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    if value.get("parent") is None:
        return tree.root
    above = trees.link_of(item.links.get(str(value["parent"])))
    return above.id if above is not None and tree.ours(above.id) else None
