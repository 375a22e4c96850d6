"""What a shop must show of POHODA's cards, reckoned from the tables by a way of its own: the measure of the agent.

Nothing of the agent is used. It holds for a configuration of all stores in the order `STORES`, the pieces of all of
them together less reservations and `SAFETY`, the base price with VAT, and all fields of a card. What a shop must show
of a card that is gone depends on what it had to show before: so each reckoning is given the one before.
"""

from __future__ import annotations

import hashlib
import html
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

Card: TypeAlias = dict[str, Any]
"""A field of a shop's product, ``quantity``, ``price`` (minor units) or ``pictures`` (sha256, text) -> its value."""
STORES = ("HLAVNI", "PRODEJNA")
SAFETY = 1
CATEGORIES = {1: "Reduced", 2: "Standard"}
"""``SKz.RelDPHp`` -> the tax category of the test shop with that rate."""
MARKS = {
    "Novinka": "new",
    "Doprodej": "clearance",
    "Akce": "action",
    "Doporucujeme": "recommended",
    "Sleva": "discount",
    "Priprav": "preparing",
}
_CARDS = """SELECT c.*, s.IDS AS store FROM SKz c JOIN sSklad s ON s.ID = c.RefSklad
    WHERE c.RelSkTyp = 1 AND c.Template = 0 AND TRIM(c.IDS) <> '' ORDER BY c.ID"""
_PICTURES = "SELECT * FROM SkRefObraz WHERE Soubor <> '' ORDER BY Vychozi DESC, OrderFld, ID"


def reckon(
    database: Path, pictures: Path, before: Mapping[str, Card], *, stuck: Mapping[str, str] | None = None
) -> dict[str, Card]:
    """Say what the shop must show, by key (a code without case), of every card that is or ever was on offer.

    ``pictures`` is the folder of the files. ``stuck`` names keys and of each the one part (``texts``, ``pictures``)
    that cannot be sent, and so stays as it was before.
    """
    with closing(sqlite3.connect(database)) as db:
        db.row_factory = sqlite3.Row
        cards = db.execute(_CARDS).fetchall()
        named = db.execute(_PICTURES).fetchall()
    by_key: dict[str, list[sqlite3.Row]] = {}
    for card in cards:
        by_key.setdefault(card["IDS"].strip().casefold(), []).append(card)
    shown = {key: dict(card) for key, card in before.items()}
    for key, rows in by_key.items():
        if any(row["IObchod"] for row in rows):
            shown[key] = _card(rows)
            shown[key]["pictures"] = _pictures(rows, named, pictures, before.get(key, {}).get("pictures", []))
        elif key in before:
            shown[key] |= {"visible": False, "quantity": 0}
    for key in before.keys() - by_key.keys():
        shown[key] |= {"visible": False, "quantity": 0, "pictures": []}
    for key, part in (stuck or {}).items():
        held = ("pictures",) if part == "pictures" else shown[key].keys() - {"quantity", "price", "pictures"}
        shown[key] |= {name: before[key][name] for name in held}
    return shown


def _card(rows: Sequence[sqlite3.Row]) -> Card:
    speaks = min((row for row in rows if row["IObchod"]), key=_turn)
    pieces = sum(Fraction(str(row["StavZ"])) - max(Fraction(str(row["Rezer"])), Fraction(0)) for row in rows)
    price = Decimal(str(speaks["ProdejDPH"])) * 100
    return {
        "name": speaks["Nazev"],
        "description": _text(speaks["Popis2"], formatted=speaks["FmtPopis2"]),
        "short_description": _text(speaks["Popis"], formatted=speaks["FmtPopis"]),
        "ean": speaks["EAN"] or "",
        "unit": speaks["MJ"] or "",
        "weight": speaks["Hmotnost"] or 0.0,
        "vat": CATEGORIES[speaks["RelDPHp"]],
        "availability": speaks["Dodani"] or "",
        "marks": sorted(word for column, word in MARKS.items() if speaks[column]),
        "visible": True,
        "quantity": max((pieces - SAFETY).__floor__(), 0),
        "price": int(price.quantize(Decimal(1), ROUND_HALF_UP)),
    }


def _pictures(
    rows: Sequence[sqlite3.Row], named: Sequence[sqlite3.Row], folder: Path, before: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The pictures of the first store whose ticked card has any; as they were while only unticked ones have."""
    having = {picture["RefAg"] for picture in named}
    mine = [row for row in rows if row["ID"] in having]
    if not mine:
        return []
    ticked = sorted((row for row in mine if row["IObchod"]), key=_turn)
    if not ticked:
        return before
    found: dict[str, str] = {}
    for picture in named:
        if picture["RefAg"] == ticked[0]["ID"]:
            file = folder / picture["Soubor"]
            if file.exists():  # a card with a missing file is told to be stuck by the test
                found.setdefault(hashlib.sha256(file.read_bytes()).hexdigest(), picture["Popis"] or "")
    return list(found.items())


def _turn(row: sqlite3.Row) -> tuple[int, int]:
    return STORES.index(row["store"]), row["ID"]


def _text(text: str | None, *, formatted: object) -> str:
    plain = (text or "").replace("\r\n", "\n").strip()
    return plain if formatted else html.escape(plain, quote=False).replace("\n", "<br>")
