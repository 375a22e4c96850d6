"""Both sides of the demo, key by key: what POHODA's tables ask for, and what the embedded shop holds.

A reckoning of its own that shares no code with the agent's views and targets: it reads the tables with plain SQL and
the shop's own store, and says for each target what differs. Pictures are compared by their bytes, in the order that
customers see. What is no longer on offer has 0 pieces and is hidden; its texts, price and pictures are left as they
were, and are not compared. Nor are pictures of a code whose only card with pictures lost its tick, in another store.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from html import escape
from pathlib import Path

from agent.demo import goods, pohoda
from agent.demo.prestashop import FakePrestaShop, images
from agent.demo.prestashop.store import Row
from agent.events import key_of

TARGETS = ("quantities", "products", "prices", "images")
_CZECH = 2
"""The fake's number of the language that the agent writes."""
_RATES = {0: "0", 1: "12", 2: "21"}
_GROUPS = {1: "21", 2: "12"}
"""The fake's tax rule groups."""
CARDS = """SELECT c.ID, TRIM(c.IDS), TRIM(s.IDS), c.IObchod, c.Nazev, c.Popis2, c.FmtPopis2, c.Popis, c.EAN, c.MJ,
    c.Hmotnost, c.RelDPHp, c.Dodani, c.Akce, c.ProdejKc FROM SKz c JOIN sSklad s ON s.ID = c.RefSklad
    WHERE COALESCE(c.Template, 0) = 0 AND COALESCE(c.RelSkTyp, 1) = 1 AND TRIM(COALESCE(c.IDS, '')) <> ''
    ORDER BY c.ID"""
_PICTURES = "SELECT RefAg, Soubor FROM SkRefObraz ORDER BY RefAg, Vychozi DESC, OrderFld, ID"


@dataclass(frozen=True, slots=True)
class Thing:
    """One product, as one side has it. Images are the bytes that the shop keeps of a file, the default one first."""

    quantity: int
    fields: Mapping[str, str]
    price: Decimal
    images: tuple[bytes, ...] | None
    """None: to be left as they are."""


@dataclass(slots=True)
class Compared:
    """How many keys of a target were compared, and a line for each that differs."""

    target: str
    keys: int = 0
    differing: list[str] = field(default_factory=list)


def compare(
    books: Mapping[str, Thing], shop: Mapping[str, Sequence[Thing]], *, offered: Collection[str], told: Collection[str]
) -> list[Compared]:
    """Compare all targets; one record for each of `TARGETS`.

    ``offered`` are the keys that were on offer at some time, ``told`` those that an export told while they were: only
    these are the agent's business.
    """
    found = {target: Compared(target) for target in TARGETS}
    for key in sorted({*offered, *told}):
        want, held = books.get(key), shop.get(key, ())
        about = [target for target in TARGETS if _concerns(target, key, want, offered, told)]
        for target in about:
            found[target].keys += 1
            if len(held) != 1:
                found[target].differing.append(f"{key}: {len(held)} products in the shop")
            elif lines := list(_differences(target, want, held[0])):
                found[target].differing.append(f"{key}: " + "; ".join(lines))
    return list(found.values())


def _concerns(target: str, key: str, want: Thing | None, offered: Collection[str], told: Collection[str]) -> bool:
    if target == "quantities":
        return key in offered
    return key in told and (
        target == "products" or (want is not None and (target == "prices" or want.images is not None))
    )


def _differences(target: str, want: Thing | None, held: Thing) -> Iterator[str]:
    if target == "quantities":
        pairs = [("", str(want.quantity if want else 0), str(held.quantity))]
    elif target == "products":
        fields = want.fields if want else {"visible": "no"}
        pairs = [(f"{name} ", text, held.fields[name]) for name, text in fields.items()]
    elif want is None:
        return
    elif target == "prices":
        pairs = [("", f"{want.price}", f"{held.price}")]
    else:
        pairs = [("", _seen(want.images), _seen(held.images))]
    for name, there, here in pairs:
        if there != here:
            yield f"{name}POHODA {there[:80]!r}, shop {here[:80]!r}"


def _seen(pictures: Sequence[bytes] | None) -> str:
    pictures = pictures or ()
    return f"{len(pictures)} pictures: " + " ".join(hashlib.sha256(one).hexdigest()[:12] for one in pictures)


# ------------------------------------------------------------------------------------------------------------ POHODA


def of_pohoda(database: Path, documents: Path, settings: pohoda.Wanted) -> dict[str, Thing]:
    """Say what the shop must hold of every key that is on offer now: key → thing, reckoned from tables and files."""
    quantities = pohoda.expected(database, settings)
    with closing(sqlite3.connect(database, timeout=5.0)) as db:
        db.row_factory = sqlite3.Row
        cards = db.execute(CARDS).fetchall()
        pictures: dict[int, list[str]] = {}
        for card, file in db.execute(_PICTURES):
            pictures.setdefault(card, []).append(file)
    everywhere = by_key(cards, settings.stores)
    on_offer = {
        key: ticked for key, found in everywhere.items() if (ticked := [one for one in found if one["IObchod"]])
    }
    return {
        key: Thing(
            quantities[key],
            _fields(ticked[0]),
            round(Decimal(str(ticked[0]["ProdejKc"])), 6).normalize(),
            _pictures(everywhere[key], pictures, documents / goods.PICTURES),
        )
        for key, ticked in on_offer.items()
    }


def by_key(cards: Sequence[sqlite3.Row], stores: Sequence[str]) -> dict[str, list[sqlite3.Row]]:
    """Key → its cards (rows of `CARDS`) in the order of the chosen stores."""
    order = [store.casefold() for store in stores]
    found: dict[str, list[sqlite3.Row]] = {}
    for card in sorted(cards, key=lambda card: order.index(_store(card)) if _store(card) in order else len(order)):
        if not order or _store(card) in order:
            found.setdefault(key_of(card[1]), []).append(card)
    return found


def _store(card: sqlite3.Row) -> str:
    return str(card[2]).casefold()


def _pictures(
    cards: Sequence[sqlite3.Row], pictures: Mapping[int, Sequence[str]], folder: Path
) -> tuple[bytes, ...] | None:
    """The pictures of the first ticked card that has any; of two alike the first."""
    hung = [card for card in cards if card["ID"] in pictures]
    ticked = [pictures[card["ID"]] for card in hung if card["IObchod"]]
    if hung and not ticked:
        return None
    return tuple(dict.fromkeys(kept(folder / file) for file in ticked[0])) if ticked else ()


def _fields(card: sqlite3.Row) -> dict[str, str]:
    return {
        "name": " ".join(card["Nazev"].split()),
        "description": html_of(card["Popis2"], formatted=bool(card["FmtPopis2"])),
        "short_description": html_of(card["Popis"], formatted=False),
        "ean": card["EAN"] or "",
        "unit": card["MJ"] or "",
        "weight": f"{Decimal(str(card['Hmotnost'] or 0)).normalize():f}",
        "vat": _RATES[card["RelDPHp"] or 0],
        "availability": card["Dodani"] or "",
        "marks": "action" if card["Akce"] else "",
        "visible": "yes",
    }


def html_of(text: str | None, *, formatted: bool) -> str:
    """HTML of a text: as it is, or with its lines broken."""
    lines = "\n".join((text or "").splitlines()).strip()
    return lines if formatted else "<br>".join(escape(line, quote=False) for line in lines.split("\n"))


@lru_cache(maxsize=100_000)
def kept(file: Path) -> bytes:
    """What the shop keeps of a file: shops store pictures anew. The demo's files never change."""
    return images.re_encoded(file.read_bytes())


# -------------------------------------------------------------------------------------------------------------- shop


def of_shop(shop: FakePrestaShop) -> dict[str, list[Thing]]:
    """Say what the shop holds: key → its products (two where a code was made twice), straight from its own tables."""
    found: dict[str, list[Thing]] = {}
    with shop.store.lock:  # of one moment: the agent may be at work
        quantities = {key_of(code): pieces for code, pieces in shop.quantities().items()}
        for product, row in shop.store.tables["products"].rows.items():
            key = key_of(str(row["reference"]))
            pictures = sorted(shop.store.shelf.of(product), key=lambda one: not one.cover)
            thing = Thing(
                quantities[key],
                _shown(row),
                round(Decimal(str(row["price"])), 6).normalize(),
                tuple(one.data or b"" for one in pictures),
            )
            found.setdefault(key, []).append(thing)
    return found


def unclosed(html: str) -> str:
    """HTML as it was sent: the shop's cleaner writes ``<br />`` for ``<br>``."""
    return html.replace(" />", ">")


def _shown(row: Row) -> dict[str, str]:
    def text(name: str) -> str:
        kept = row.get(name)
        return str(kept.get(_CZECH) or "") if isinstance(kept, dict) else ""

    return {
        "name": text("name"),
        "description": unclosed(text("description")),
        "short_description": unclosed(text("description_short")),
        "ean": str(row.get("ean13") or ""),
        "unit": str(row.get("unity") or ""),
        "weight": f"{Decimal(str(row.get('weight') or 0)).normalize():f}",
        "vat": _GROUPS.get(int(str(row.get("id_tax_rules_group") or 0)), "0"),
        "availability": text("available_now"),
        "marks": "action" if row.get("on_sale") == "1" else "",
        "visible": "yes" if row.get("active") == "1" else "no",
    }
