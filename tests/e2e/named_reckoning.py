"""What a shop must show of POHODA's categories, parameters and firms, reckoned from the tables by a way of its own.

Nothing of the agent is used. Names are compared as shops compare them: without regard to case and stray spaces. What
becomes of something that is gone or cannot be told depends on what was there before, so each reckoning is given that.
"""

from __future__ import annotations

import hashlib
import html
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

STORES = ("HLAVNI", "PRODEJNA")
TEXT, CURRENCY, BOOLEAN, WHOLE, NUMBER, DATE = 1, 2, 3, 4, 5, 6
"""``SkParam.RelTyp``; of a list (8) the chosen values count."""
_CARDS = """SELECT c.ID, TRIM(c.IDS) AS code, c.Vyrobce, c.RefAD FROM SKz c JOIN sSklad s ON s.ID = c.RefSklad
    WHERE c.RelSkTyp = 1 AND c.Template = 0 AND c.IObchod = 1 AND TRIM(c.IDS) <> ''
    ORDER BY s.IDS <> 'HLAVNI', s.IDS <> 'PRODEJNA', c.ID"""
_VALUES = """SELECT d.IDS, d.ID, d.RelTyp, d.MJ, p.ValText, p.ValDouble, p.ValLong, p.ValCurrency, p.ValDate
    FROM SkRefParam p JOIN SkParam d ON d.ID = p.RefParam WHERE p.RefAg = ?"""
_CHOSEN = """SELECT v.IDS FROM SKRefParamList l JOIN SkParamList v ON v.ID = l.RefParamList
    WHERE l.RefAg = ? AND l.RefParam = ? AND l.Sel = 1"""


@dataclass(frozen=True, slots=True)
class Category:
    """A category as the shop must show it; ``above``: id of the one above it, 0 at the top."""

    name: str
    above: int
    order: int
    visible: bool
    description: str
    picture: str
    """SHA-256 of its bytes; empty for none."""
    gone: bool = False
    """Hidden because POHODA does not have it any more: nothing is said about its order."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What a product must be marked with; all names folded."""

    categories: frozenset[int]
    parameters: frozenset[tuple[str, str]]
    manufacturer: str
    suppliers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Range:
    """All that the shop must show: categories by ``SkKat.ID``, products by key."""

    categories: Mapping[int, Category] = field(default_factory=dict)
    cards: Mapping[str, Labels] = field(default_factory=dict)

    def path(self, category: int) -> tuple[str, ...]:
        """Names from the top."""
        here = self.categories[category]
        return (*(self.path(here.above) if here.above else ()), here.name)


def fold(name: object) -> str:
    """A name as shops compare it."""
    return " ".join(str(name or "").split()).casefold()


def reckon(database: Path, pictures: Path, before: Range, *, when_gone: str, refused: Collection[int] = ()) -> Range:
    """Reckon it. ``refused`` are categories whose deletion the shop must refuse: they stay as they were."""
    with closing(sqlite3.connect(database)) as db:
        db.row_factory = sqlite3.Row
        rows = {row["ID"]: row for row in db.execute("SELECT * FROM SkKat")}
        categories = {row: _category(rows, row, pictures) for row in rows}
        cards = _cards(db)
    shown = {row: found or before.categories.get(row) for row, found in categories.items()}
    there = {row: found for row, found in shown.items() if found is not None}
    for row, old in before.categories.items():
        if row not in rows and row in refused:
            there[row] = old
        elif row not in rows and when_gone == "hide":
            there[row] = replace(old, visible=False, gone=True)
    known = {**before.cards, **cards}
    return Range(there, {key: replace(c, categories=c.categories & there.keys()) for key, c in known.items()})


def _category(rows: Mapping[int, sqlite3.Row], row: int, pictures: Path) -> Category | None:
    """None: it does not lead to the top, so nothing can be said of it."""
    at, met = row, set[int]()
    while at:
        if at in met or at not in rows:
            return None
        met.add(at)
        at = rows[at]["RefNodeID"] or 0
    it = rows[row]
    text = (it["SText"] or "").replace("\r\n", "\n").strip()
    return Category(
        name=" ".join(it["IDS"].split()),
        above=it["RefNodeID"] or 0,
        order=it["Poradi"],
        visible=bool(it["Zobraz"]),
        description=text if "<p>" in text else html.escape(text, quote=False).replace("\n", "<br>"),
        picture=hashlib.sha256((pictures / it["Obrazek"]).read_bytes()).hexdigest() if it["Obrazek"] else "",
    )


def _cards(db: sqlite3.Connection) -> dict[str, Labels]:
    """Cards on offer by key; of several with one code the first one speaks."""
    firms = dict(db.execute("SELECT ID, Firma FROM AD").fetchall())
    found: dict[str, Labels] = {}
    for card in db.execute(_CARDS).fetchall():
        row = card["ID"]
        sold_by = [ad for (ad,) in db.execute("SELECT RefAD FROM SKzNC WHERE RefAg = ?", (row,))]
        given = db.execute("SELECT RefKat FROM SkRefKat WHERE RefAg = ?", (row,)).fetchall()
        labels = Labels(
            categories=frozenset(category for (category,) in given),
            parameters=frozenset(_parameters(db, row)),
            manufacturer=fold(card["Vyrobce"]),
            suppliers=frozenset(fold(firms[ad]) for ad in {*sold_by, card["RefAD"]} if ad),
        )
        found.setdefault(card["code"].casefold(), labels)
    return found


def _parameters(db: sqlite3.Connection, card: int) -> set[tuple[str, str]]:
    found = set()
    for name, parameter, *said in db.execute(_VALUES, (card,)).fetchall():
        chosen = [one for (one,) in db.execute(_CHOSEN, (card, parameter)).fetchall()]
        found |= {(fold(name), fold(one)) for one in (chosen or [_text(said)]) if fold(one)}
    return found


def _text(said: Sequence[Any]) -> str:
    """What a value is as a text, of the columns of `_VALUES`; nothing of a list of which nothing is chosen."""
    kind, unit, text, number, whole, money, date = said
    if kind == TEXT:
        return str(text)
    if kind == CURRENCY:  # 1 234,50 Kč
        return f"{money:,.2f} Kč".replace(",", " ").replace(".", ",")
    if kind == BOOLEAN:
        return "Ano" if whole else "Ne"
    if kind == DATE:
        day = datetime.fromisoformat(date)
        return f"{day.day}. {day.month}. {day.year}"
    figure = {WHOLE: whole, NUMBER: number}.get(kind)
    return "" if figure is None else f"{figure:g} {unit or ''}".replace(".", ",")
