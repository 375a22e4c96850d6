"""Work at POHODA's categories: made, renamed, moved, described, shown, deleted, and given to cards.

Siblings may have one name. Only leaves are deleted, with all that hangs on them, as POHODA does.
"""

from __future__ import annotations

from tests.crash.hand import Hand

_NAMES = ("Židle", "židle", "Stoly", "Stoly  a lavice", "Nářadí", "Šrouby", "Čerpadla", "Dětské")
_FEW = 6
"""A card is in no more categories; and no card loses its last one this way, for many such would be held."""


def make(hand: Hand) -> None:
    """A new category at the top or below another one; one in three is called like others."""
    name = hand.chance.choice(_NAMES) if hand.chance.random() < 0.35 else f"Kategorie č. {hand.number}"
    parent = hand.one("SELECT ID FROM SkKat") if hand.chance.random() < 0.7 else None
    if parent is not None and len(_above(hand, parent)) > 2:
        parent = None
    text = hand.chance.choice((None, f"Popis {hand.number} & více", f"<p>Text <b>{hand.number}</b></p>"))
    made = hand.add(
        "SkKat",
        IDS=name,
        SText=text,
        RefNodeID=parent or 0,
        Poradi=hand.number,
        Zobraz=int(hand.chance.random() < 0.85),
        Obrazek=hand.picture() if hand.chance.random() < 0.3 else None,
    )
    hand.saved("SkKat", [made])
    for _ in range(hand.chance.randint(0, 3)):
        _give(hand, hand.card(), made)


def rename(hand: Hand) -> None:
    """Another name: the same category; now and then one that a sibling has."""
    row = _category(hand)
    name = hand.chance.choice(_NAMES) if hand.chance.random() < 0.2 else f"Přejmenovaná {hand.number}"
    hand.db.execute("UPDATE SkKat SET IDS = ? WHERE ID = ?", (name, row))
    hand.saved("SkKat", [row])


def move(hand: Hand) -> None:
    """Below another one that does not lie below itself, or to the top."""
    row = _category(hand)
    parent = hand.one("SELECT ID FROM SkKat") if hand.chance.random() < 0.7 else None
    if row is None or (parent is not None and row in {parent, *_above(hand, parent)}):
        return
    hand.db.execute("UPDATE SkKat SET RefNodeID = ? WHERE ID = ?", (parent or 0, row))
    hand.saved("SkKat", [row])


def describe(hand: Hand) -> None:
    """Another text, another picture or none, shown or hidden."""
    row = hand.one("SELECT ID FROM SkKat")
    way = hand.chance.choice(("SText", "SText", "Obrazek", "Zobraz"))
    value: object = f"Nový popis {hand.number}\r\ndruhý řádek"
    if way == "Obrazek":
        value = hand.picture() if hand.chance.random() < 0.7 else None
    elif way == "Zobraz":
        value = int(hand.chance.random() < 0.7)
    hand.db.execute(f"UPDATE SkKat SET {way} = ? WHERE ID = ?", (value, row))
    hand.saved("SkKat", [row])


def delete(hand: Hand) -> None:
    """A category without others below it, now and then one that was made just now; its cards go elsewhere."""
    (count,) = hand.db.execute("SELECT count(*) FROM SkKat").fetchone()
    leaves = "SELECT ID FROM SkKat AS k WHERE NOT EXISTS (SELECT 1 FROM SkKat WHERE RefNodeID = k.ID)"
    row = hand.one(f"{leaves} ORDER BY ID DESC LIMIT 2" if hand.chance.random() < 0.4 else leaves)
    if row is None or count < 6:
        return
    cards = hand.db.execute("SELECT RefAg FROM SkRefKat WHERE RefKat = ?", (row,)).fetchall()
    hand.db.execute("DELETE FROM SkRefKat WHERE RefKat = ?", (row,))
    hand.db.execute("DELETE FROM SkKat WHERE ID = ?", (row,))
    hand.gone += 1
    for (card,) in cards:
        if not hand.one("SELECT ID FROM SkRefKat WHERE RefAg = ?", card):
            _give(hand, card, hand.one("SELECT ID FROM SkKat") or 1)
    hand.saved("SKz", [card for (card,) in cards])


def place(hand: Hand) -> None:
    """Give a card a category, take one of several away, or put one in the place of another."""
    card, category = hand.card(), hand.one("SELECT ID FROM SkKat")
    there = [row for (row,) in hand.db.execute("SELECT ID FROM SkRefKat WHERE RefAg = ? ORDER BY ID", (card,))]
    if len(there) > 1 and (len(there) >= _FEW or hand.chance.random() < 0.4):
        hand.db.execute("DELETE FROM SkRefKat WHERE ID = ?", (hand.chance.choice(there),))
    elif there and hand.chance.random() < 0.3:
        hand.db.execute("UPDATE SkRefKat SET RefKat = ? WHERE ID = ?", (category, hand.chance.choice(there)))
    elif category is not None:
        _give(hand, card, category)
    hand.saved("SKz", [card])


def _category(hand: Hand) -> int | None:
    """A category; every other time one that was made just now, which the shop may not have yet."""
    newest = " ORDER BY ID DESC LIMIT 2" if hand.chance.random() < 0.5 else ""
    return hand.one(f"SELECT ID FROM SkKat{newest}")


def _give(hand: Hand, card: int, category: int) -> None:
    """Twice the same is one: POHODA does not allow it, and a replaced one may make it so all the same."""
    hand.add("SkRefKat", RefAg=card, RefKat=category)
    hand.saved("SKz", [card])


def _above(hand: Hand, category: int) -> list[int]:
    """Ids of the ancestors, nearest first."""
    found: list[int] = []
    while True:
        row = hand.db.execute("SELECT RefNodeID FROM SkKat WHERE ID = ?", (category,)).fetchone()
        if row is None or not row[0]:
            return found
        category = int(row[0])
        found.append(category)
