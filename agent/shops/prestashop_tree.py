"""The tree of PrestaShop's categories: which of them are below the configured one, and so ours to touch.

* The home category is asked of ``shops``, not of the setting PS_HOME_CATEGORY: a key that reads ``configurations``
  reads the password of the mail server, too.
* Category 1 is the root of all, its children are the homes of shops; a shop cannot do without them. Nothing is touched
  but what is strictly below the configured category, and that one may not be the root of all.
* Deleting a category deletes all below it (``CategoryCore::delete``; read there, not recorded): so the tree is read
  whole, and its leaves only are deleted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from agent.errors import ShopUnavailable
from agent.shops import prestashop_xml as wire
from agent.shops.prestashop_fields import number
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_setup import Setup

_LINK = re.compile(r"([1-9][0-9]{0,18})(?:#([0-9a-f]{64}))?")


class CategoryLink(NamedTuple):
    """A category, and the sha256 of the picture that we gave it (the shop re-encodes it); empty: none of ours."""

    id: int
    sha: str = ""

    def __str__(self) -> str:
        return f"{self.id}#{self.sha}" if self.sha else str(self.id)


def link_of(text: str | None) -> CategoryLink | None:
    """Read a link back, "45" or "45#sha256"; None when it is not one of ours."""
    parts = _LINK.fullmatch(text or "")
    return None if parts is None else CategoryLink(int(parts[1]), parts[2] or "")


def linked(links: Mapping[str, str]) -> dict[str, int]:
    """Ids of the categories of ours, by their keys."""
    return {key: link.id for key, text in links.items() if (link := link_of(text)) is not None}


class Tree:
    """Who is whose parent; kept up to date with what is written."""

    def __init__(self, root: int, parents: Mapping[int, int]) -> None:
        self.root = root
        self._parents = dict(parents)

    def __contains__(self, category: int) -> bool:
        return category in self._parents

    def within(self, category: int, top: int) -> bool:
        """Tell whether a category is another one or lies below it; a loop in the shop's own tree leads nowhere."""
        met: set[int] = set()
        while category != top:
            if category in met or category not in self._parents:
                return False
            met.add(category)
            category = self._parents[category]
        return True

    def ours(self, category: int) -> bool:
        """Tell whether a category is strictly below the configured one."""
        return category != self.root and self.within(category, self.root)

    def children(self, category: int) -> list[int]:
        """Ids of what lies directly below, hidden ones among them."""
        return sorted(one for one, parent in self._parents.items() if parent == category)

    def put(self, category: int, parent: int) -> None:
        """Take note of a new or moved category."""
        self._parents[category] = parent

    def drop(self, category: int) -> None:
        """Take note of a deleted one."""
        self._parents.pop(category, None)


class Trees:
    """Reads the tree below the configured category (``root``: its id as text; empty: the shop's home)."""

    def __init__(self, lists: Lists, setup: Setup, root: str) -> None:
        self._lists = lists
        self._setup = setup
        self._text = root.strip()
        self._home = 0

    def home(self) -> int:
        """The shop's home category, asked once. Raises `ShopUnavailable`."""
        self._home = self._home or self._setup.home()
        return self._home

    def root(self) -> int:
        """The configured category. Raises `ShopUnavailable` for what is no id of one."""
        if not self._text:
            return self.home()
        root = wire.whole(self._text)
        if root is None or root < 2:
            raise _unusable(f"{self._text!r} is not a category that others may be put below")
        return root

    def read(self) -> Tree:
        """Read all categories, ids and parents. Raises `ShopUnavailable`, also when the configured one is not there."""
        root = self.root()
        rows = self._lists.every("categories", "id,id_parent")
        tree = Tree(root, {number(row.get("id")): number(row.get("id_parent")) for row in rows})
        if root not in tree:
            raise _unusable(f"this PrestaShop has no category {root}")
        return tree


def _unusable(problem: str) -> ShopUnavailable:
    return ShopUnavailable(
        f"[targets.categories] root: {problem}.",
        hint="Give the id of a category of the shop (PrestaShop, Catalog, Categories), or leave it empty for its home.",
    )
