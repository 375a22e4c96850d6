"""Work in POHODA's agenda Kategorie, and a card's tab of categories. Each call is one short transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.demo.hand import Hand, now

_BRANCH = """WITH RECURSIVE branch (ID) AS (SELECT ? UNION SELECT k.ID FROM SkKat k JOIN branch b ON k.RefNodeID = b.ID)
    SELECT ID FROM branch"""


@dataclass(frozen=True, slots=True)
class Tree:
    """Categories are named by ``SkKat.ID``, cards by ``SKz.ID``; a parent None is the top."""

    hand: Hand

    def add(
        self,
        name: str,
        parent: int | None = None,
        *,
        description: str | None = None,
        order: int | None = None,
        visible: bool = True,
        picture: bool = False,
    ) -> int:
        """Make a category, last unless an order is given; returns its id."""
        file = self.hand.picture("kategorie") if picture else None
        with self.hand.saving() as db:
            (last,) = db.execute("SELECT COALESCE(MAX(Poradi), 0) FROM SkKat").fetchone()
            return self.hand.add(
                "SkKat",
                IDS=name,
                SText=description,
                RefNodeID=parent or 0,
                Poradi=last + 1 if order is None else order,
                Zobraz=int(visible),
                Obrazek=file,
                DatCreate=now(),
                DatSave=now(),
            )

    def rename(self, category: int, name: str) -> None:
        """Give it another name."""
        self._set(category, "IDS", name)

    def describe(self, category: int, text: str | None) -> None:
        """Give it another description, HTML or plain."""
        self._set(category, "SText", text)

    def picture(self, category: int) -> None:
        """Give it a new picture."""
        self._set(category, "Obrazek", self.hand.picture("kategorie"))

    def order(self, category: int, order: int) -> None:
        """Give it another place (``Poradi``) among the others."""
        self._set(category, "Poradi", order)

    def move(self, category: int, parent: int | None) -> None:
        """Hang it below another one. `ValueError` below itself: POHODA does not allow it."""
        if parent is not None and parent in self.branch(category):
            raise ValueError(f"category {parent} lies below {category}")
        self._set(category, "RefNodeID", parent or 0)

    def hide(self, category: int, *, visible: bool = False) -> None:
        """Take it off the e-shop, or show it again."""
        self._set(category, "Zobraz", int(visible))

    def delete(self, category: int) -> list[int]:
        """Delete it with all below it, and take the cards out; returns what was deleted."""
        gone = self.branch(category)
        marks = ", ".join("?" * len(gone))
        cards = self.hand.ids(f"SELECT DISTINCT RefAg FROM SkRefKat WHERE RefKat IN ({marks})", *gone)  # noqa: S608 - marks only
        with self.hand.saving("SKz", *cards) as db:
            db.execute(f"DELETE FROM SkRefKat WHERE RefKat IN ({marks})", gone)  # noqa: S608 - as above
            db.execute(f"DELETE FROM SkKat WHERE ID IN ({marks})", gone)  # noqa: S608 - as above
        return gone

    def put(self, card: int, categories: Sequence[int]) -> None:
        """Put a card into exactly these categories."""
        with self.hand.saving("SKz", card) as db:
            db.execute("DELETE FROM SkRefKat WHERE RefAg = ?", (card,))
            db.executemany("INSERT INTO SkRefKat (RefAg, RefKat) VALUES (?, ?)", [(card, one) for one in categories])

    def branch(self, category: int) -> list[int]:
        """A category and all below it."""
        return self.hand.ids(_BRANCH, category)

    def categories(self) -> list[int]:
        """All categories, the oldest first."""
        return self.hand.ids("SELECT ID FROM SkKat ORDER BY ID")

    def of(self, card: int) -> list[int]:
        """The categories of a card."""
        return self.hand.ids("SELECT RefKat FROM SkRefKat WHERE RefAg = ? ORDER BY ID", card)

    def cards(self, category: int) -> list[int]:
        """The cards in a category itself."""
        return self.hand.ids("SELECT DISTINCT RefAg FROM SkRefKat WHERE RefKat = ? ORDER BY RefAg", category)

    def _set(self, category: int, column: str, value: object) -> None:
        with self.hand.saving("SkKat", category) as db:
            db.execute(f"UPDATE SkKat SET {column} = ? WHERE ID = ?", (value, category))  # noqa: S608 - one of our names
