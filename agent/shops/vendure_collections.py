"""Vendure: POHODA's categories as collections. Measured on Vendure 3.7.3.

`vendure_tree` says how a collection is known to be a category, `vendure_category_filters` how it comes to its goods,
`vendure_category_work` writes. Decisions here:

* The link is ``collection:facet value``. That of a collection which was found by its name has no facet value yet: the
  next delivery makes it one of ours.
* A creation is the facet (once), the facet value, the collection, a move; each is looked for by its code, or by its
  filter, before it is made, so that the next try goes on where an answer was lost. A change is one request of one
  or two mutations, each a transaction of its own, and a move; it can be repeated from any of them.
* What is confirmed is read after the whole batch. Of texts only those of the configured language are written; the slug
  is made of the first name and stays, for it is the address of a page.
* Vendure deletes what is below a collection together with it, also what another channel has there. So it is asked for
  that first, and one with anything below it is refused. Its facet value goes with it, and so it is off all cards.
* The root, the configured one, and what is neither below that nor ours is never touched.
* Rights: ReadCatalog, UpdateCatalog, CreateCatalog; DeleteCatalog to delete categories or replace their pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from agent.errors import ShopUnavailable
from agent.events import Done, Held, Outcome, Owed, Rejected, Unclear, Value, Wanted
from agent.shops import vendure_facet_lists as listed
from agent.shops.vendure_calls import Unit, in_turn
from agent.shops.vendure_category_filters import unfit
from agent.shops.vendure_category_pictures import sha_in
from agent.shops.vendure_category_work import CategoryWork
from agent.shops.vendure_facet_lists import LONGEST_NAME, age
from agent.shops.vendure_gallery import file_of
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
    marks_of,
    parent_of,
)

_TREE = (
    f"query($o: CollectionListOptions) {{ listed: collections(options: $o) {{ totalItems items {{ {COLLECTION} }} }} }}"
)
_ROOT = "{ collections(options: { take: 1 }) { items { breadcrumbs { id } } } }"
_CONFIGURED = "query($i: ID!) { collection(id: $i) { breadcrumbs { id } } }"
_TYPES: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "description": (str,),
    "parent": (str, type(None)),
    "order": (int,),
    "visible": (bool,),
    "picture": (dict, type(None)),
}
_SHA = re.compile(r"[0-9a-f]{64}")


class Categories:
    """The target ``categories``."""

    def __init__(
        self,
        session: VendureSession,
        *,
        language: str,
        root: str,
        pictures: Callable[[str], bytes],
        elsewhere: Elsewhere,
    ) -> None:
        """``root`` is the id of the collection below which ours are; empty: the shop's root."""
        self._session = session
        self._language = language
        self._root = root.strip()
        self._pictures = pictures
        self._elsewhere = elsewhere

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Create, change, hide and delete categories; deletions last, the deepest first.

        Raises `ShopUnavailable` if nothing was sent.
        """
        hint = "Correct the category in POHODA; nothing was sent."
        reasons = {place: bad(item.event.value) for place, item in enumerate(owed)}
        outcomes: dict[int, Outcome] = {n: Rejected(f"categories: {why}", hint) for n, why in reasons.items() if why}
        good = {place: item for place, item in enumerate(owed) if place not in outcomes}
        if good:
            tree = self._look()
            work = CategoryWork(
                self._session, tree, language=self._language, pictures=self._pictures, elsewhere=self._elsewhere
            )
            units = [_unit(work, place, good[place]) for place in _in_order(good, tree)]
            outcomes |= in_turn(work.calls, units)
            self._confirm(good, outcomes, None if work.calls.wrote else tree)
        return [outcomes[place] for place in range(len(owed))]

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read by link; a collection that is gone, or does not show the goods of its category, is missing."""
        if not any(one.link for one in wanted):
            return {}
        tree = self._look()
        return {one.key: held for one in wanted if (held := _held(tree, one, one.link))}

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Find by the facet value that an earlier call made for it, then by name below its parent."""
        if not wanted:
            return {}
        tree = self._look()
        taken = {ids_in(link)[0]: key for key, link in wanted[0].links.items()}
        found: dict[str, Held | Rejected] = {}
        for look in (_made_before, _by_name):
            for one in wanted:
                if one.key not in found and (answer := look(tree, one, taken)) is not None:
                    found[one.key] = answer
        return found

    def _look(self) -> Tree:
        """Read all collections and the facet of categories. Raises `ShopUnavailable`."""
        items = listed.everything(self._session, _TREE, lambda raw: collection_of(raw, self._language), {})
        nodes = {node.id: node for node in items}
        root = self._shops_root(nodes)
        facet = listed.categories_facet(self._session, self._language)
        values = listed.values_of(self._session, self._language, [facet]) if facet else []
        return Tree(root, self._root or root, nodes, marks_of(values), facet)

    def _shops_root(self, nodes: Mapping[str, Collection]) -> str:
        """The root of the shop; empty while there is no collection. The configured one must be there."""
        root = ""
        if nodes:
            data = self._session.ask(_ROOT)
            root = understood("root collection", lambda: str(data["collections"]["items"][0]["breadcrumbs"][0]["id"]))
        if self._root and self._root not in {root, *nodes}:
            asked = self._session.ask(_CONFIGURED, {"i": self._root})
            root = understood(
                "collection", lambda: str(((asked["collection"] or {}).get("breadcrumbs") or [{}])[0].get("id"))
            )
            if root != self._root:
                hint = "Set [targets.categories] root to the id of a collection of this channel, or leave it empty."
                raise ShopUnavailable(f"The shop has no collection {self._root[:40]}.", hint=hint)
        return root

    def _confirm(self, good: Mapping[int, Owed], outcomes: dict[int, Outcome], tree: Tree | None) -> None:
        """Put what the shop holds now into the outcomes of what was brought about."""
        done = {n: outcome for n in good if isinstance(outcome := outcomes[n], Done) and outcome.link}
        if not done:
            return
        try:
            tree = tree or self._look()
        except ShopUnavailable as error:
            outcomes |= dict.fromkeys(done, Unclear(f"It was written, and could not be read back: {error}"))
            return
        for place, outcome in done.items():
            held = _held(tree, good[place].wanted, outcome.link)
            lost = Unclear("it was written, and is not there any more", outcome.exchange)
            outcomes[place] = Done(held.link, held.value, outcome.exchange) if held else lost


def bad(value: Value) -> str:
    """Say why a value is none of the contract's; empty when it is one."""
    if not isinstance(value, dict):
        return "not a category but " + type(value).__name__
    if "gone" in value:
        return "" if value["gone"] in {"hide", "delete"} and len(value) == 1 else "gone: neither hide nor delete"
    for name, content in value.items():
        if name not in _TYPES or not isinstance(content, _TYPES[name]) or (name == "order" and content is True):
            return f"{name[:30]}: not a field of a category, or not of its type"
    called = value.get("name")
    if not isinstance(called, str) or not called.strip() or len(called) > LONGEST_NAME:
        return f"name: empty, or longer than {LONGEST_NAME} characters"
    picture = value.get("picture")
    if isinstance(picture, dict) and not (_SHA.fullmatch(str(picture.get("sha"))) and picture.get("file")):
        return "picture: not the SHA-256 of its bytes and the name of its file"
    return ""


def _unit(work: CategoryWork, place: int, item: Owed) -> Unit:
    return Unit([place], lambda: [work.deliver(item)])


def _in_order(good: Mapping[int, Owed], tree: Tree) -> list[int]:
    """Places as they come; deletions last, the deepest first."""
    deletions = [place for place, item in good.items() if gone(item.event.value) == "delete"]
    deletions.sort(key=lambda place: -tree.depth(tree.nodes.get(ids_in(good[place].link)[0])))
    return [*(place for place in good if place not in deletions), *deletions]


def _made_before(tree: Tree, one: Wanted, taken: dict[str, str]) -> Held | None:
    """What has the category's facet value as its filter: below the wanted parent first, then the oldest."""
    marks = {mark.id for mark in tree.marks_of(one.key)}
    parent = parent_of(tree, one)
    there = [
        n for n in tree.nodes.values() if marks & n.values and tree.is_below(n) and taken.get(n.id, one.key) == one.key
    ]
    for node in sorted(there, key=lambda node: (node.parent != parent, age(node.id))):
        mark = tree.category(node)
        if mark is not None and mark.key == one.key:
            taken[node.id] = one.key
            return Held(one.key, one.code, f"{node.id}:{mark.id}", _value(tree, node, one, mark))
    return None


def _by_name(tree: Tree, one: Wanted, taken: dict[str, str]) -> Held | Rejected | None:
    """What somebody made by hand: its facet value is not there yet, so the link names none."""
    parent = parent_of(tree, one)
    name = one.value.get("name") if isinstance(one.value, dict) else None
    if parent is None or not isinstance(name, str):
        return None
    free = [n for n in tree.named(parent, name) if taken.get(n.id, one.key) == one.key and not tree.category(n)]
    free = [node for node in free if node.id not in {tree.root, tree.base}]
    if not free:
        return None
    if reason := unfit(tree, free[0]):
        text = f"The shop has a collection {name[:60]!r} ({free[0].id}) that cannot be this category: {reason}."
        hint = "Switch that off in Vendure, or give the collection another name; then: pohoda-agent outbox retry --all."
        return Rejected(text, hint)
    taken[free[0].id] = one.key
    return Held(one.key, one.code, f"{free[0].id}:", _value(tree, free[0], one, None))


def _held(tree: Tree, one: Wanted, link: str | None) -> Held | None:
    """What the shop says of a category by its link; None when the collection is not it (any more)."""
    collection, mark_id = ids_in(link)
    node = tree.nodes.get(collection)
    if node is None or not is_ours(tree, node, one.key, mark_id):
        return None
    hidden = gone(one.value) == "hide" and node.private
    value: Value = {"gone": "hide"} if hidden else _value(tree, node, one, tree.marks[mark_id])
    return Held(one.key, one.code, f"{collection}:{mark_id}", value)


def _value(tree: Tree, node: Collection, one: Wanted, mark: Mark | None) -> Value:
    """The category as the shop has it, in the fields of the question; all of them where it names none."""
    keys = {ids_in(link)[0]: key for key, link in one.links.items()}
    at_top = node.parent == tree.base
    order = mark.order if mark else None
    stands = order is not None and tree.index(node.id, node.parent, order) is None
    asked = one.value if isinstance(one.value, dict) and "gone" not in one.value else None
    made: dict[str, Value] = {
        "name": node.name,
        "description": node.description,
        "parent": None if at_top else keys.get(node.parent, f"collection {node.parent}"),
        "order": order if stands else None,
        "visible": not node.private,
        "picture": _picture(node, one.key, asked.get("picture") if asked else None),
    }
    return {field: made[field] for field in asked} if asked else made


def _picture(node: Collection, key: str, asked: Value) -> Value:
    """Ours, by the file's name as it was asked about: the shop keeps it in lower case, without accents."""
    sha = sha_in(node.asset, key)
    if not sha or node.asset is None:
        return None
    same = isinstance(asked, dict) and asked.get("sha") == sha
    return asked if same else {"sha": sha, "file": file_of(node.asset)}
