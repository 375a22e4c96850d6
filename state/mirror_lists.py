"""Categories, suppliers and orders in the mirror. What no document tells of any more stays: absence never deletes.

A category may stand in the middle of an item, for one item is a whole branch of the tree. Only the branch's own root
has the item's digest; when one of the others turns up in another branch, the root of the branch that it left is to be
read again. Row versions move with what changes only, and down the tree: whether a category has a place there hangs on
those above it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from state.mirror_rows import NO_DIGEST, Versions, chosen, hang, move_cards, untold_id

_CATEGORY = "IDS, SText, RefNodeID, Poradi, Zobraz, Obrazek, Pozn"
_NAME, _PARENT = 0, 2
_SUPPLIER = "RefAD, Firma, ObjKod, ObjNazev, DefDod, OrderFld"
_ORDER = "RelTpObj, Cislo, PDoklad, Datum, Vyrizeno, BDodano, DatStorn, Otisk, Hromadne, RowVer"
_LINE = "RefSKz, Kod, Mnozstvi, Dodano, OrderFld"


class Category(NamedTuple):
    """One category."""

    id: int
    values: tuple[Any, ...]
    """IDS, SText, RefNodeID (0: at the top), Poradi, Zobraz, Obrazek, Pozn."""


class Branch(NamedTuple):
    """One item: a category and all below it, parents before their children."""

    digest: bytes
    categories: tuple[Category, ...]


class Supplier(NamedTuple):
    """One supplier of a card."""

    address: int | None
    """``AD.ID``; None: it is known by its name."""
    name: str | None
    code: str | None
    text: str | None
    default: bool


class CardSuppliers(NamedTuple):
    """All suppliers of one card."""

    digest: bytes
    card: int | None
    """``SKz.ID``; where no card has it, the code tells which are meant."""
    key: str
    suppliers: tuple[Supplier, ...]


class Order(NamedTuple):
    """One received order."""

    id: int
    digest: bytes
    values: tuple[Any, ...]
    """Cislo, PDoklad, Datum, Vyrizeno, BDodano, DatStorn."""
    lines: tuple[tuple[Any, ...], ...]
    """(RefSKz, Kod, Mnozstvi, Dodano, OrderFld)."""


# ------------------------------------------------------------------------------------------------------- categories


def put_categories(db: sqlite3.Connection, branches: Sequence[Branch], *, large: bool) -> None:
    """Take in branches of the tree of categories. ``large``: of a large document."""
    if not branches:
        return
    versions = Versions(db)
    moved: set[int] = set()
    named: set[int] = set()
    for branch in branches:
        root = branch.categories[0].id
        for category in branch.categories:
            before = db.execute(f"SELECT Koren, {_CATEGORY} FROM SkKat WHERE ID = ?", (category.id,)).fetchone()
            if before is not None and before[0] != root:
                db.execute("UPDATE SkKat SET Otisk = ? WHERE ID = ?", (NO_DIGEST, before[0]))
            if before is None or before[1:] != category.values:
                _put_category(db, category, root, large=large, version=versions.next())
                was = before[1:] if before is not None else (None,) * len(category.values)
                if before is None or was[_PARENT] != category.values[_PARENT] or not was[_NAME]:
                    moved.add(category.id)
                if bool(was[_NAME]) != bool(category.values[_NAME]):
                    named.add(category.id)
            digest = branch.digest if category.id == root else NO_DIGEST
            db.execute("UPDATE SkKat SET Koren = ?, Otisk = ? WHERE ID = ?", (root, digest, category.id))
    below = [(versions.next(), int(large), row) for row in _below(db, moved)]
    db.executemany("UPDATE SkKat SET RowVer = ?, Hromadne = ? WHERE ID = ?", below)
    cards = chosen(db, "SELECT RefAg FROM SkRefKat WHERE RefKat IN ({})", sorted(named))
    move_cards(db, versions, {card for (card,) in cards}, large=large)
    versions.keep()


def _put_category(db: sqlite3.Connection, category: Category, root: int, *, large: bool, version: int) -> None:
    columns = f"{_CATEGORY}, Hromadne, RowVer".split(", ")
    told = ", ".join(f"{name} = excluded.{name}" for name in columns)
    db.execute(
        f"INSERT INTO SkKat (ID, {', '.join(columns)}, Koren, Otisk) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        f" ON CONFLICT (ID) DO UPDATE SET {told}",
        (category.id, *category.values, int(large), version, root, NO_DIGEST),
    )


def _below(db: sqlite3.Connection, categories: set[int]) -> list[int]:
    """All that lie under these, without themselves; a circle ends where it began."""
    found: set[int] = set()
    left = set(categories)
    while left:
        rows = chosen(db, "SELECT ID FROM SkKat WHERE RefNodeID IN ({})", sorted(left))
        left = {row for (row,) in rows} - found - categories
        found |= left
    return sorted(found)


# -------------------------------------------------------------------------------------------------------- suppliers


def put_suppliers(db: sqlite3.Connection, cards: Sequence[CardSuppliers], *, large: bool) -> list[str]:
    """Take in the suppliers of cards; gives the keys of those that no card has, whose suppliers are not kept.

    A card that is named by an id which is not there yet gets them when it comes with this id.
    """
    if not cards:
        return []
    versions = Versions(db)
    moved: set[int] = set()
    lost: list[str] = []
    for card in cards:
        rows, known = _cards_of(db, card)
        if not rows:
            lost.append(card.key)
        suppliers = [_address(db, one, place, moved) for place, one in enumerate(card.suppliers)]
        for row in rows:
            if hang(db, "SKzNC", _SUPPLIER, row, suppliers):
                moved.add(row)
        if known:
            db.execute("UPDATE SKz SET OtiskDod = ? WHERE ID = ?", (card.digest, card.card))
    move_cards(db, versions, moved, large=large)
    versions.keep()
    return lost


def _cards_of(db: sqlite3.Connection, card: CardSuppliers) -> tuple[list[int], bool]:
    """The rows that are meant, and whether one is known by its id: only then is the item not to be read again."""
    if card.card is not None and db.execute("SELECT 1 FROM SKz WHERE ID = ?", (card.card,)).fetchone():
        return [card.card], True
    rows = [row for (row,) in db.execute("SELECT ID FROM SKz WHERE Klic = ? ORDER BY ID", (card.key,))]
    return rows or ([] if card.card is None else [card.card]), False


def _address(db: sqlite3.Connection, one: Supplier, place: int, moved: set[int]) -> tuple[Any, ...]:
    """A supplier as a row of SKzNC; its address is made or renamed, which moves the cards that name it."""
    row = one.address
    if row is None and one.name:
        row = db.execute("SELECT min(ID) FROM AD WHERE Firma = ?", (one.name,)).fetchone()[0] or untold_id(db, "AD")
    if row is not None and one.name:
        before = db.execute("SELECT Firma FROM AD WHERE ID = ?", (row,)).fetchone()
        if before is None or before[0] != one.name:
            sql = "INSERT INTO AD (ID, Firma) VALUES (?, ?) ON CONFLICT (ID) DO UPDATE SET Firma = excluded.Firma"
            db.execute(sql, (row, one.name))
            both = "SELECT ID FROM SKz WHERE RefAD = ? UNION SELECT RefAg FROM SKzNC WHERE RefAD = ?"
            moved.update(card for (card,) in db.execute(both, (row, row)))
    return row, one.name, one.code, one.text, int(one.default), place


# ----------------------------------------------------------------------------------------------------------- orders


def put_orders(db: sqlite3.Connection, orders: Sequence[Order], *, large: bool) -> None:
    """Take in received orders with their lines; each gets the next row version."""
    if not orders:
        return
    versions = Versions(db)
    told = ", ".join(f"{name} = excluded.{name}" for name in _ORDER.split(", "))
    for order in orders:
        db.execute(
            f"INSERT INTO OBJ (ID, {_ORDER}) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            f" ON CONFLICT (ID) DO UPDATE SET {told}",
            (order.id, *order.values, order.digest, int(large), versions.next()),
        )
        hang(db, "OBJpol", _LINE, order.id, order.lines)
    versions.keep()
