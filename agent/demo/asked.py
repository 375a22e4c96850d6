"""What POHODA's tables ask of a shop's categories, parameters, manufacturers and suppliers: one side of the comparison.

A reckoning of its own, that shares no code with the agent's views and targets. A category is known by its way from the
top; the demo makes no two of one way. Names of parameters and firms are folded: case and stray spaces do not count.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from agent.demo import goods
from agent.demo.compare import CARDS, by_key, html_of, kept
from agent.demo.internet import BOOLEAN, CURRENCY, DATE, LIST, VALUES
from agent.demo.prestashop.things import folded

Way = tuple[str, ...]
"""Names of a category from the top."""
_BESIDE = {
    "firm": "SELECT ID, Vyrobce, RefAD FROM SKz",
    "categories": "SELECT RefAg, RefKat FROM SkRefKat",
    "values": """SELECT p.RefAg, d.IDS, d.RelTyp, COALESCE(d.MJ, '') AS MJ, p.RefParam, p.ValText, p.ValCurrency,
        p.ValLong, p.ValDouble, p.ValDate FROM SkRefParam p JOIN SkParam d ON d.ID = p.RefParam""",
    "chosen": """SELECT l.RefAg, l.RefParam, v.IDS FROM SKRefParamList l JOIN SkParamList v ON v.ID = l.RefParamList
        WHERE l.Sel = 1""",
    "suppliers": """SELECT n.RefAg, a.Firma, COALESCE(n.ObjKod, ''), COALESCE(n.DefDod, 0)
        FROM SKzNC n JOIN AD a ON a.ID = n.RefAD ORDER BY n.OrderFld, n.ID""",
}
"""What hangs on cards: the card, and its columns."""
_Rows = Mapping[str, Mapping[int, Sequence[sqlite3.Row]]]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is seen of one category."""

    visible: bool
    description: str
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class Card:
    """What one product has."""

    categories: frozenset[Way]
    parameters: frozenset[tuple[str, str]]
    maker: str
    suppliers: frozenset[tuple[str, str]]
    """Name and its own code of the goods."""
    main: str
    """The preferred supplier; empty: none is."""


@dataclass(frozen=True, slots=True)
class Range:
    """The categories by their ways, and the cards on offer by their keys."""

    tree: Mapping[Way, Shown]
    cards: Mapping[str, Card]


def of_pohoda(database: Path, documents: Path, stores: Sequence[str]) -> Range:
    """Say what the shop must hold, reckoned from tables and files. ``stores``: as configured; none: all."""
    with closing(sqlite3.connect(database, timeout=5.0, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")  # of one moment: people may be at work
        rows = {row["ID"]: row for row in db.execute("SELECT * FROM SkKat")}
        cards = by_key(db.execute(CARDS).fetchall(), stores)
        beside = {what: _by_card(db.execute(question)) for what, question in _BESIDE.items()}
        firms = dict(db.execute("SELECT ID, Firma FROM AD").fetchall())
    ways = {category: _way(rows, category) for category in rows}
    tree = {ways[category]: _shown(row, documents / goods.PICTURES) for category, row in rows.items()}
    if len(tree) < len(rows):
        raise ValueError("two categories have one way")
    speaking = {key: next((one["ID"] for one in found if one["IObchod"]), None) for key, found in cards.items()}
    return Range(tree, {key: _card(card, beside, ways, firms) for key, card in speaking.items() if card is not None})


def _by_card(rows: sqlite3.Cursor) -> Mapping[int, Sequence[sqlite3.Row]]:
    found: dict[int, list[sqlite3.Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _way(rows: Mapping[int, sqlite3.Row], category: int) -> Way:
    row = rows[category]
    above = _way(rows, row["RefNodeID"]) if row["RefNodeID"] else ()
    return (*above, " ".join(row["IDS"].split()))


def _shown(row: sqlite3.Row, folder: Path) -> Shown:
    text = row["SText"] or ""
    picture = kept(folder / row["Obrazek"]) if row["Obrazek"] else None
    return Shown(bool(row["Zobraz"]), html_of(text, formatted="</" in text), picture)


def _card(card: int, beside: _Rows, ways: Mapping[int, Way], firms: Mapping[int, str]) -> Card:
    ((_, maker, address),) = beside["firm"][card]
    suppliers = [tuple(row)[1:] for row in beside["suppliers"].get(card, ())]
    preferred = next((name for name, _, default in suppliers if default), firms.get(address, ""))
    return Card(
        frozenset(ways[row[1]] for row in beside["categories"].get(card, ())),
        frozenset(_parameters(card, beside)),
        folded(maker or ""),
        frozenset((folded(name), code) for name, code, _ in suppliers),
        folded(preferred),
    )


def _parameters(card: int, beside: _Rows) -> Iterator[tuple[str, str]]:
    for row in beside["values"].get(card, ()):
        kind = row["RelTyp"]
        if kind == LIST:
            texts = [text for _, of, text in beside["chosen"].get(card, ()) if of == row["RefParam"]]
        else:
            texts = [_said(kind, row[VALUES[kind]], row["MJ"])]
        yield from ((folded(row["IDS"]), folded(text)) for text in texts if text)


def _said(kind: int, value: Any, unit: str) -> str:  # noqa: ANN401 - whatever the column holds
    """A value as a Czech reads it."""
    if value is None:
        return ""
    if kind == BOOLEAN:
        return "Ano" if value else "Ne"
    if kind == CURRENCY:
        return f"{Decimal(str(value)):,.2f} Kč".replace(",", " ").replace(".", ",")
    if kind == DATE:
        year, month, day = value[:10].split("-")
        return f"{int(day)}. {int(month)}. {year}"
    if isinstance(value, float):
        value = f"{Decimal(str(value)).normalize():f}".replace(".", ",")
    return f"{value} {unit}"
