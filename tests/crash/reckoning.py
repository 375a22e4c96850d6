"""What POHODA holds of categories, parameters, firms and orders, reckoned without anything of the agent's.

The shop's side says `shelf`; both are in the words of this module, and `audit` compares them. Names are compared
as the shops match them: stray spaces and case do not count, diacritics do (`folded`); a category's name is compared as
it is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from agent.demo.internet import BOOLEAN, CURRENCY, DATE, LIST, TEXT, VALUES
from agent.demo.prestashop.images import re_encoded
from agent.demo.prestashop.things import folded
from tests.crash.desk_orders import CANCELLED, EXECUTED, PARTLY, REFUNDED, TRANSFERRED
from tests.crash.inventory import html_of

Way: TypeAlias = tuple[str, ...]
"""Folded names of a category's ancestors and of itself, from the top."""


@dataclass(frozen=True, slots=True)
class Category:
    """One category; ``way`` is where it is, ``name`` how it is written."""

    way: Way
    name: str
    visible: bool
    description: str
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class Hung:
    """What hangs on a card: places, values by parameter, the manufacturer, codes of the goods by supplier."""

    places: frozenset[Way]
    parameters: Mapping[str, frozenset[str]]
    maker: str
    suppliers: Mapping[str, str]
    main: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """How far an order is; 0: no state follows. ``tracking`` None: there need be none."""

    state: int
    tracking: str | None


@dataclass(frozen=True, slots=True)
class Holding:
    """One side: its tree, what hangs on cards by folded code, orders by number."""

    tree: Sequence[Category]
    cards: Mapping[str, Hung]
    orders: Mapping[str, Ordered]


def reckon(path: Path, pictures: Path) -> Holding:
    """Read POHODA; ``pictures`` is the folder of its files."""
    with closing(sqlite3.connect(path)) as db:
        ways = _ways(db)
        return Holding(_tree(db, ways, pictures), _cards(db, ways), _orders(db))


def tidy(name: object) -> str:
    """A name without stray spaces."""
    return " ".join(str(name or "").split())


def _ways(db: sqlite3.Connection) -> dict[int, Way]:
    rows = {row: (name, parent) for row, name, parent in db.execute("SELECT ID, IDS, RefNodeID FROM SkKat")}

    def way(row: int) -> Way:
        name, parent = rows[row]
        return (*(way(parent) if parent else ()), folded(name))

    return {row: way(row) for row in rows}


def _tree(db: sqlite3.Connection, ways: Mapping[int, Way], pictures: Path) -> list[Category]:
    found = []
    for row, name, text, shown, file in db.execute("SELECT ID, IDS, SText, Zobraz, Obrazek FROM SkKat"):
        description = html_of(text or "", formatted="<p>" in (text or ""))
        picture = re_encoded((pictures / file).read_bytes()) if file else None
        found.append(Category(ways[row], tidy(name), bool(shown), description, picture))
    return found


def _cards(db: sqlite3.Connection, ways: Mapping[int, Way]) -> dict[str, Hung]:
    """Cards on offer; each code is one card here."""
    places: dict[int, set[Way]] = {}
    for card, category in db.execute("SELECT RefAg, RefKat FROM SkRefKat"):
        places.setdefault(card, set()).add(ways[category])
    values = _values(db)
    suppliers, preferred = _suppliers(db)
    cards = db.execute(
        "SELECT c.ID, TRIM(c.IDS), c.Vyrobce, a.Firma FROM SKz AS c LEFT JOIN AD AS a ON a.ID = c.RefAD WHERE IObchod"
    )
    found = {}
    for card, code, maker, main in cards.fetchall():
        firms = suppliers.get(card, {})
        first = preferred.get(card, "")
        if main and folded(main) not in firms:
            firms, first = {folded(main): "", **firms}, folded(main)
        found[code.casefold()] = Hung(
            frozenset(places.get(card, ())),
            {name: frozenset(texts) for name, texts in values.get(card, {}).items()},
            folded(maker or ""),
            firms,
            first or folded(main or ""),
        )
    return found


def _values(db: sqlite3.Connection) -> dict[int, dict[str, set[str]]]:
    """Card → parameter → values, as a shop writes them."""
    chosen: dict[tuple[int, int], set[str]] = {}
    choices = (
        "SELECT l.RefAg, l.RefParam, v.IDS FROM SKRefParamList AS l JOIN SkParamList AS v ON v.ID = l.RefParamList"
        " WHERE l.Sel"
    )
    for card, parameter, text in db.execute(choices):
        chosen.setdefault((card, parameter), set()).add(folded(text))
    columns = ", ".join(f"r.{column}" for column in VALUES.values())
    rows = (
        f"SELECT r.RefAg, d.ID, d.IDS, d.RelTyp, d.MJ, {columns}"
        " FROM SkRefParam AS r JOIN SkParam AS d ON d.ID = r.RefParam"
    )
    found: dict[int, dict[str, set[str]]] = {}
    for card, parameter, name, kind, unit, *held in db.execute(rows):
        if kind == LIST:
            said = chosen.get((card, parameter), set())
        else:
            said = {folded(_written(kind, held[list(VALUES).index(kind)], unit or ""))}
        if said:
            found.setdefault(card, {}).setdefault(folded(name), set()).update(said)
    return found


def _written(kind: int, value: Any, unit: str) -> str:  # noqa: ANN401 - a column of any type
    if kind == TEXT:
        return str(value)
    if kind == BOOLEAN:
        return "Ano" if value else "Ne"
    if kind == DATE:
        year, month, day = str(value)[:10].split("-")
        return f"{int(day)}. {int(month)}. {year}"
    if kind == CURRENCY:
        return f"{value:,.2f} Kč".replace(",", " ").replace(".", ",")
    return f"{value:g} {unit}".replace(".", ",")


def _suppliers(db: sqlite3.Connection) -> tuple[dict[int, dict[str, str]], dict[int, str]]:
    """Card → supplier → its code of the goods; card → the preferred one."""
    found: dict[int, dict[str, str]] = {}
    preferred: dict[int, str] = {}
    rows = "SELECT n.RefAg, a.Firma, n.ObjKod, n.DefDod FROM SKzNC AS n JOIN AD AS a ON a.ID = n.RefAD ORDER BY n.ID"
    for card, firm, code, first in db.execute(rows):
        found.setdefault(card, {})[folded(firm)] = tidy(code)
        if first:
            preferred[card] = folded(firm)
    return found, preferred


def _orders(db: sqlite3.Connection) -> dict[str, Ordered]:
    rows = (
        "SELECT o.PDoklad, o.Vyrizeno, o.BDodano, o.DatStorn, o.VPrZasilka, max(p.Dodano)"
        " FROM OBJ AS o JOIN OBJpol AS p ON p.RefAg = o.ID GROUP BY o.ID ORDER BY o.ID"
    )
    parts: dict[str, list[tuple[int, int, str | None, str | None, float]]] = {}
    for number, *part in db.execute(rows):
        parts.setdefault(number, []).append(tuple(part))
    return {number: _far(several) for number, several in parts.items()}


def _far(parts: Sequence[tuple[int, int, str | None, str | None, float]]) -> Ordered:
    """How far an order of several rows is: the furthest of what holds."""
    if all(cancelled for _, _, cancelled, _, _ in parts):
        return Ordered(CANCELLED, None)
    tracking = next((number for *_, number, _ in reversed(parts) if number), None)
    if all(executed for executed, *_ in parts):
        return Ordered(EXECUTED, tracking)
    if all(transferred for _, transferred, *_ in parts):
        return Ordered(TRANSFERRED, tracking)
    begun = any(executed or transferred or delivered for executed, transferred, _, _, delivered in parts)
    return Ordered(PARTLY if begun else 0, tracking if begun else None)


def due(wanted: Ordered, owner: int, placed: int) -> Ordered:
    """What the shop is to end with, if its owner brought the order into ``owner`` (0: nowhere) before POHODA said."""
    if not owner:
        return Ordered(wanted.state or placed, wanted.tracking)
    if owner == REFUNDED or (wanted.state != CANCELLED and owner >= wanted.state):
        return Ordered(owner, None)
    return Ordered(wanted.state, None)
