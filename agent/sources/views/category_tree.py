"""The tree of the e-shop's categories (``SkKat``: ``RefNodeID`` is the parent, 0 at the top), read whole: thousands.

Decisions: a row without a name (``IDS``) is no category and counts as if it were not there. POHODA shows a root named
Všechny kategorie, which in some databases is a row: when it is the only one at the top, it is the tree's own root, no
category, and what hangs on it is at the top; so is a root without a name. Whoever lies in a circle, or below one, or
below a row that is not there, has no place in the tree: that is said and goes no further, for each walk upwards ends at
the first row that it met before and after `DEEPEST` steps at the latest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from agent.sources.columns import Catalogue, TableColumns
from agent.sources.reader import Reader

ROOTS = frozenset({"", "všechny kategorie", "všetky kategórie"})
"""Names of the tree's own root, as compared: none, and as POHODA shows it in Czech and Slovak."""
DEEPEST = 50
"""Levels: more than any menu has. It bounds the walk, and what is kept of it, over a chain of thousands."""
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Tree:
    """Names and parents of all rows of SkKat by their ids; ``root`` is the row that is no category."""

    names: Mapping[int, str]
    parents: Mapping[int, int]
    """0: at the top."""
    root: int | None = None

    def holds(self, category: int) -> bool:
        """Tell whether there is such a category: with a name, and not the tree's own root."""
        return bool(self.names.get(category)) and category != self.root

    def trail(self, category: int, parent: int) -> tuple[tuple[tuple[int, str], ...], str]:
        """The ancestors of a category with this parent, nearest first; or why they cannot be told, for people."""
        found: list[tuple[int, str]] = []
        met = {category}
        while parent and parent != self.root:
            if parent in met:
                return (), self._circle([category, *(one for one, _ in found)], parent)
            if not self.holds(parent):
                below = self.shown(found[-1][0] if found else category)
                fault = "has no name" if parent in self.names else "is not there"
                return (), f"the category number {parent}, under which {below} lies, {fault}"
            if len(found) == DEEPEST:
                return (), f"it lies more than {DEEPEST} levels deep"
            met.add(parent)
            found.append((parent, self.names[parent]))
            parent = self.parents[parent]
        return tuple(found), ""

    def shown(self, category: int) -> str:
        """A category for people: its name and its number."""
        return f"{self.names.get(category, '')} ({category})".lstrip()

    def _circle(self, walked: list[int], again: int) -> str:
        ring = walked[walked.index(again) :]
        shown = [self.shown(one) for one in ring[:_SHOWN]] + ["…"] * (len(ring) > _SHOWN)
        where = "it lies in a circle" if again == walked[0] else "it lies below a circle"
        return f"{where}: {' under '.join([*shown, self.shown(again)])}"


def category_table(reader: Reader, catalogue: Catalogue, more: tuple[str, ...] = ()) -> TableColumns:
    """SkKat with what every reader of it needs. Raises `SourceUnavailable`."""
    return catalogue.need(reader, "SkKat", ["ID", "IDS", "RefNodeID", *more])


def read_tree(reader: Reader, table: TableColumns) -> Tree:
    """Read names and parents of all categories."""
    rows = reader.all(select(table["ID"], table["IDS"], table["RefNodeID"]))
    names = {row: " ".join(str(name or "").split()) for row, name, _ in rows}
    parents = {row: parent or 0 for row, _, parent in rows}
    tops = [row for row, parent in parents.items() if not parent]
    root = tops[0] if len(tops) == 1 and names[tops[0]].casefold() in ROOTS else None
    return Tree(names, parents, root)
