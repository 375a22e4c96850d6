"""The target ``categories.products`` in PrestaShop: the categories of a product, replaced as a set.

* The set is: what is there and is not ours (outside our tree, or put there by hand below it) and what is wanted. Ours
  is what one of our categories' links leads to. A product is never left without a category: then it gets the
  configured one.
* The default category (``id_category_default``, a field of its own that may point anywhere, recorded) is the main one
  where POHODA names one. Else the present one stays as long as the product is in it; the home category, which a new
  product gets, and the configured one say nothing, and give way to the deepest of the wanted.
* Categories that do not exist are dropped without an error (recorded), so they are looked up before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.events import Held, Outcome, Owed, Rejected, Value, Wanted
from agent.shops import prestashop_fields as fields
from agent.shops import prestashop_sets as sets
from agent.shops import prestashop_tree as trees
from agent.shops.http import ShopHttp
from agent.shops.prestashop_fields import Row, Unfit, number
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_sets import ProductSets
from agent.shops.prestashop_setup import Setup
from agent.shops.prestashop_tree import Trees


@dataclass(frozen=True, slots=True)
class _Placing:
    """What must be known to place products."""

    depths: Mapping[int, int]
    """Of the wanted categories that exist."""
    silent: frozenset[int]
    """Categories that say nothing as default ones."""
    fallback: int


class ProductCategories:
    """Delivers, reads and finds the target ``categories.products``."""

    def __init__(self, http: ShopHttp, lists: Lists, setup: Setup, *, short: Callable[[str], str], root: str) -> None:
        """``root`` is the id of the category below which ours are, empty for the shop's home."""
        self._lists = lists
        self._trees = Trees(lists, setup, root)
        self._sets = ProductSets(http, lists, short=short, what="categories")

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Place products; all that differ by one request. Raises `ShopUnavailable` when nothing was sent."""
        if not owed:
            return []
        ours = trees.linked(owed[0].links)
        asked = {ours[key] for item in owed for key in _keys(item.event.value) if key in ours}
        rows = self._lists.records("categories", "id,level_depth", asked)
        root = self._trees.root()
        placing = _Placing(
            {one: number(row.get("level_depth")) for one, row in rows.items()},
            frozenset({root, self._trees.home()}),
            root,
        )
        return self._sets.deliver(owed, lambda item, row: _plan(item, row, ours, placing), _values)

    def read(self, wanted: Sequence[Wanted]) -> dict[str, Held]:
        """Read in which categories of ours the products are. Raises `ShopUnavailable`."""
        return self._sets.read(wanted, _values)

    def find(self, wanted: Sequence[Wanted]) -> dict[str, Held | Rejected]:
        """Look products up by their code. Raises `ShopUnavailable`."""
        return self._sets.find(wanted, _values)


def _plan(item: Owed, row: Row, ours: Mapping[str, int], placing: _Placing) -> str:
    value = item.event.value
    if not isinstance(value, dict):
        raise Unfit("categories: this is not a set of categories.", "This is a fault of the agent: report it.")
    wanted = [_id(key, ours, placing) for key in _keys(value)]
    present, default = sets.ids(row, "categories"), number(row.get("id_category_default"))
    mine = {*ours.values()}
    whole = list(dict.fromkeys([*(one for one in present if one not in mine), *wanted])) or [placing.fallback]
    main = value.get("main")
    if main is not None:
        chosen = _id(str(main), ours, placing)
    elif default in whole and not (default in placing.silent and wanted):
        chosen = default
    else:
        chosen = min(wanted, key=lambda one: (-placing.depths[one], one)) if wanted else whole[0]
    made = fields.node("id_category_default", str(chosen)) if chosen != default else ""
    if set(whole) != set(present):
        nodes = "".join(f"<category><id>{one}</id></category>" for one in whole)
        made += f"<associations><categories>{nodes}</categories></associations>"
    return made


def _id(key: str, ours: Mapping[str, int], placing: _Placing) -> int:
    one = ours.get(key, 0)
    if one not in placing.depths:
        raise Unfit(
            f"categories: the category {key} of POHODA is not in the shop (id {one or 'unknown'}).",
            "Someone deleted it in PrestaShop. Run: pohoda-agent reconcile --target categories --repair; then retry.",
        )
    return one


def _values(there: Sequence[tuple[Wanted, Row]]) -> list[Value]:
    read = {id(item.links): item.links for item, _ in there}  # one mapping for many questions: it is understood once
    ours = {one: trees.linked(links) for one, links in read.items()}
    return [_value(row, ours[id(item.links)]) for item, row in there]


def _value(row: Row, ours: Mapping[str, int]) -> Value:
    present, default = set(sets.ids(row, "categories")), number(row.get("id_category_default"))
    keys: list[Value] = [*sorted(key for key, one in ours.items() if one in present)]
    return {"categories": keys, "main": next((key for key, one in ours.items() if one == default), None)}


def _keys(value: Value) -> list[str]:
    there = value.get("categories") if isinstance(value, dict) else None
    return [str(key) for key in there] if isinstance(there, list) else []
