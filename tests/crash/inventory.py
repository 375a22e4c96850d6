"""Judges what a shop holds at the end against POHODA's cards and picture files. Knows nothing of the agent.

A card on offer must be there exactly once, visible, with its texts, price, quantity and pictures (the very bytes, in
order). A code that is not on offer any more may be missing, else it must be hidden and at 0.
"""

from __future__ import annotations

import html
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.demo.prestashop import FakePrestaShop
from agent.demo.prestashop.images import re_encoded
from agent.demo.prestashop.store import Row

CZECH = 2
_NOTHING: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """What a shop is to show of a code."""

    code: str
    fields: Mapping[str, str]
    price: float
    pieces: int
    pictures: tuple[bytes, ...]
    """As the shop keeps them; the first one is the cover."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a shop shows of one product."""

    product: int
    fields: Mapping[str, str]
    visible: bool
    price: float
    pieces: int
    pictures: tuple[bytes | None, ...]
    """None: a record without a file."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``lost``: codes whose end differs; ``doubled``: products and pictures that are there twice, or left over."""

    lost: int
    doubled: int
    cards: int
    examples: tuple[str, ...]


def judge(cards: Sequence[Card], shown: Mapping[str, Sequence[Shown]]) -> Verdict:
    """Compare every card on offer, and everything else that the shop has; codes are folded in ``shown``."""
    lost: dict[str, str] = {}
    doubled: list[str] = []
    offered = {card.code.casefold() for card in cards}
    for code, products in shown.items():
        doubled += [f"{code}: {len(products)} products"] * (len(products) - 1)
        for product in products:
            twice = Counter(product.pictures)
            doubled += [f"{code}: a picture {count} times" for count in twice.values() if count > 1]
        if code not in offered and any(one.visible or one.pieces for one in products):
            lost[code] = "not on offer any more, and not hidden or not at 0"
    for card in cards:
        products = shown.get(card.code.casefold(), ())
        said = _differences(card, products[0]) if products else "missing"
        if said:
            lost[card.code] = said
        left = [data for one in products[:1] for data in one.pictures if data not in card.pictures]
        doubled += [f"{card.code}: a picture left over{'' if data else ' without a file'}" for data in left]
    examples = [f"lost: {code}: {text}" for code, text in lost.items()][:8] + [f"doubled: {one}" for one in doubled[:8]]
    return Verdict(len(lost), len(doubled), len(cards), tuple(examples))


def _differences(card: Card, product: Shown) -> str:
    ours = tuple(dict.fromkeys(data for data in product.pictures if data in card.pictures))
    sides: dict[str, tuple[object, object]] = {
        **{name: (product.fields[name], text) for name, text in card.fields.items()},
        "visible": (product.visible, True),
        "price": (round(product.price, 2), round(card.price, 2)),
        "pieces": (product.pieces, card.pieces),
    }
    said = [f"{name} {there!r} for {here!r}" for name, (there, here) in sides.items() if there != here]
    if ours != card.pictures:
        order = [card.pictures.index(data) + 1 for data in ours]
        said.append(f"pictures {order} of {len(card.pictures)}, and {len(product.pictures) - len(ours)} others")
    return "; ".join(said)


# ------------------------------------------------------------------------------------------------------------ the sides


def cards_of(path: Path, pictures: Path) -> list[Card]:
    """Read the cards on offer; ``pictures`` is the folder of their files."""
    with sqlite3.connect(path) as db:
        rows = db.execute(
            "SELECT ID, TRIM(IDS), Nazev, Popis2, FmtPopis2, EAN, Hmotnost, ProdejKc, StavZ - ObjedP"
            " FROM SKz WHERE IObchod"
        ).fetchall()
        files: dict[int, list[str]] = {}
        for card, file in db.execute("SELECT RefAg, Soubor FROM SkRefObraz ORDER BY Vychozi DESC, OrderFld, ID"):
            files.setdefault(card, []).append(file)
    db.close()
    found = []
    for card, code, name, text, formatted, ean, weight, price, pieces in rows:
        stored = dict.fromkeys(re_encoded((pictures / file).read_bytes()) for file in files.get(card, ()))
        fields = {
            "name": " ".join(name.split()),
            "description": html_of(text or "", formatted=formatted),
            "ean": ean or "",
            "weight": _number(weight or 0),
        }
        found.append(Card(code, fields, price, int(pieces), tuple(stored)))
    return found


def shown_by(shop: FakePrestaShop) -> dict[str, list[Shown]]:
    """Read all products of the shop, by folded code."""
    found: dict[str, list[Shown]] = {}
    with shop.store.lock:
        stock = {int(str(row["id_product"])): row for row in shop.store.tables["stock_availables"].rows.values()}
        for product, row in shop.store.tables["products"].rows.items():
            pictures = sorted(shop.store.shelf.of(product), key=lambda one: not one.cover)  # as customers see them
            found.setdefault(str(row["reference"]).casefold(), []).append(
                Shown(
                    product,
                    {
                        "name": text_of(row, "name"),
                        "description": text_of(row, "description"),
                        "ean": str(row.get("ean13") or ""),
                        "weight": _number(row.get("weight") or 0),
                    },
                    row.get("active") == "1",
                    float(str(row["price"])),
                    int(str(stock[product].get("quantity") or 0)),
                    tuple(one.data for one in pictures),
                )
            )
    return found


def text_of(row: Row, name: str) -> str:
    """A text of the shop's in Czech."""
    kept = row.get(name)
    text = str(kept.get(CZECH) or "") if isinstance(kept, dict) else ""
    return text.replace("<br />", "<br>")  # as PrestaShop writes it


def html_of(text: str, *, formatted: bool) -> str:
    """POHODA's text as HTML."""
    lines = text.strip().replace("\r\n", "\n")
    return lines if formatted else html.escape(lines, quote=False).replace("\n", "<br>")


def _number(value: Any) -> str:  # noqa: ANN401 - a number of either side
    return f"{float(value):.3f}"
