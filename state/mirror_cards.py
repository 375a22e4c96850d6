"""Stock cards and stores in the mirror: SKz, and what a card's document tells to hang on it.

What a document does not tell of a card is None, and stays as it is known: an export may be made without pictures, price
levels, categories or parameters. A card of which something known stays that way gets a digest that no item has, so that
it is read again when it comes in a document that does tell.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from state.mirror_parameters import CardParameter, Defined
from state.mirror_rows import UNTOLD, Versions, chosen, hang, hangs, move_cards, named

COLUMNS = (
    *("IDS", "RelSkTyp", "IObchod", "Odbyt", "EAN", "Nazev", "SText", "MJ", "StavZ", "Rezer", "ObjedP", "ObjedV"),
    *("Hmotnost", "Objem", "RelDPHp", "SazbaDPH", "ProdejKc", "ProdejDPH", "RefAD", "Vyrobce", "Popis", "FmtPopis"),
    *("Popis2", "FmtPopis2", "Novinka", "Doprodej", "Akce", "Doporucujeme", "Sleva", "Priprav", "Dodani", "Doprava"),
    *("RelZaruka", "Zaruka", "NazevRP", "Pozn"),
)
"""Of a card, in the order of `Card.values`."""
_OURS = ("RefSklad", "Template", "Klic", "Otisk", "Hromadne", "RowVer")
_ALL = ("ID", *COLUMNS, *_OURS)
_UPSERT = (
    f"INSERT INTO SKz ({', '.join(_ALL)}) VALUES ({', '.join('?' * len(_ALL))}) ON CONFLICT (ID) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _ALL[1:])
)
_PICTURES, _LEVELS, _CATEGORIES, _PARAMETERS = "SkRefObraz", "SKzCn", "SkRefKat", "SkRefParam"
_CHILDREN = (_PICTURES, _LEVELS, _CATEGORIES, _PARAMETERS, "SKRefParamList", "SKzNC")
_DIGESTS = (("SKz", "Otisk"), ("SkKat", "Otisk"), ("SkParam", "Otisk"), ("OBJ", "Otisk"), ("SKz", "OtiskDod"))


class Card(NamedTuple):
    """One card in one store, and what hangs on it; None: its document does not tell of that."""

    id: int | None
    """``SKz.ID``; None: the document does not say, and the card is known by code and store."""
    key: str
    store: str
    """Code of the store; empty: not said."""
    digest: bytes
    values: tuple[Any, ...]
    """In the order of `COLUMNS`."""
    pictures: tuple[tuple[Any, ...], ...] | None = None
    """(Soubor, Popis, Vychozi, OrderFld)."""
    levels: tuple[tuple[str, Any], ...] | None = None
    """(code of the level, price)."""
    categories: tuple[tuple[int, int], ...] | None = None
    """(SkKat.ID, 1 for the main one)."""
    parameters: tuple[CardParameter, ...] | None = None


def known(db: sqlite3.Connection, digests: Sequence[bytes]) -> set[bytes]:
    """Those of the digests that something in the mirror has: what they stand for need not be read."""
    found: set[bytes] = set()
    for table, column in _DIGESTS:
        left = [digest for digest in digests if digest not in found]
        found.update(row[0] for row in chosen(db, f"SELECT {column} FROM {table} WHERE {column} IN ({{}})", left))
    return found


def put_cards(db: sqlite3.Connection, cards: Sequence[Card], *, large: bool) -> None:
    """Take in cards with what hangs on them; each gets the next row version. ``large``: of a large document."""
    if not cards:
        return
    versions, defined = Versions(db), None
    stores = named(db, "sSklad", {card.store for card in cards if card.store})
    levels = named(db, "SkCeny", {level for card in cards for level, _ in card.levels or ()})
    if any(card.parameters is not None for card in cards):
        defined = Defined(db)
        defined.look_up(one for card in cards for one in card.parameters or ())
    put: set[int] = set()
    for card in cards:
        store = stores.get(card.store.casefold())
        row = _row_of(db, card, store)
        put.add(row)
        own = (store, 0, card.key, _digest(db, row, card), int(large), versions.next())
        db.execute(_UPSERT, (row, *card.values, *own))
        _hang_told(db, row, card, levels)
        if card.parameters is not None and defined is not None:
            defined.hang(row, card.parameters)
    if defined is not None and defined.moved:
        move_cards(db, versions, defined.cards() - put, large=large)
    versions.keep()


def put_stores(db: sqlite3.Connection, stores: Sequence[tuple[str, str | None]]) -> None:
    """Take in stores as (code, name)."""
    if not stores:
        return
    found = named(db, "sSklad", {code for code, _ in stores})
    texts = [(text, found[code.casefold()]) for code, text in stores]
    db.executemany("UPDATE sSklad SET SText = ? WHERE ID = ?", texts)


def _hang_told(db: sqlite3.Connection, row: int, card: Card, levels: dict[str, int]) -> None:
    """Make pictures, prices and categories those that the document tells; what it does not tell of stays."""
    if card.pictures is not None:
        hang(db, _PICTURES, "Soubor, Popis, Vychozi, OrderFld", row, card.pictures)
    if card.levels is not None:
        prices = [(levels[level.casefold()], price) for level, price in card.levels]
        hang(db, _LEVELS, "RefSkCeny, ProdejC", row, prices)
    if card.categories is not None:
        hang(db, _CATEGORIES, "RefKat, Hlavni", row, card.categories)


def _digest(db: sqlite3.Connection, row: int, card: Card) -> bytes:
    """The card's digest; one that no item has where something stays as it was known."""
    parts = (card.pictures, _PICTURES), (card.levels, _LEVELS), (card.categories, _CATEGORIES)
    for told, table in (*parts, (card.parameters, _PARAMETERS)):
        if told is None and hangs(db, table, row):
            return card.digest + b"?"
    return card.digest


def _row_of(db: sqlite3.Connection, card: Card, store: int | None) -> int:
    """The row that a card is to have; whoever had its code in this store before makes room, and leaves its children."""
    same = [row for (row,) in db.execute("SELECT ID FROM SKz WHERE Klic = ? AND RefSklad IS ?", (card.key, store))]
    row = card.id
    if row is None:
        top = "SELECT max(coalesce(max(ID), 0), ?) + 1 FROM SKz"
        row = max(same) if same else int(db.execute(top, (UNTOLD,)).fetchone()[0])
    for other in same:
        if other != row:
            for table in _CHILDREN:
                move = f"UPDATE {table} SET RefAg = ? WHERE RefAg = ?"
                drop = f"DELETE FROM {table} WHERE RefAg = ?"
                db.execute(*((drop, (other,)) if hangs(db, table, row) else (move, (row, other))))
            db.execute("DELETE FROM SKz WHERE ID = ?", (other,))
    return row
