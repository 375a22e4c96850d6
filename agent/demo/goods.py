"""What a shop shows of the embedded POHODA's cards: texts, weights, marks, price levels, and pictures as files.

Laid over the cards after they are made, with a dice of its own, so that the same seed makes the same cards with or
without it. Pictures are small PNGs of one colour each, made here: every file has a hash of its own.
"""

from __future__ import annotations

import random
import sqlite3
import struct
import zlib
from pathlib import Path

PICTURES = "Obrázky"
LEVELS = (("Prodejní", 0), ("Sleva 1", 0), ("Maloobch.", 1))
"""Codes of price levels, and whether their prices are with VAT."""
TABLES = """
CREATE TABLE SkCeny (ID INTEGER PRIMARY KEY AUTOINCREMENT, IDS varchar(10) COLLATE NOCASE, SText varchar(32),
    RelTpCeny int, SDph bit, DatCreate datetime, DatSave datetime);
CREATE TABLE SKzCn (ID INTEGER PRIMARY KEY AUTOINCREMENT, RefAg int, RefSkCeny int, ProdejC money, RelTpFix int,
    Marze float, Rabat float, Sleva float);
CREATE TABLE SkRefObraz (ID INTEGER PRIMARY KEY AUTOINCREMENT, Vychozi bit, RefAg int, Soubor varchar(200),
    Popis varchar(90), OrderFld int);
"""
INDEXES = "CREATE INDEX xRefAg ON SKzCn (RefAg);"
_LONG = (
    "Popis: poctivá práce.\r\nHodí se do dílny & na zahradu.",
    "<p>Vyrobeno v <b>Čechách</b>.</p>\r\n<ul><li>pevné</li><li>trvanlivé</li></ul>",
    None,
)
_SOON = ("skladem", "do 3 dnů", "na objednávku", None)


def show(db: sqlite3.Connection, seed: int) -> None:
    """Give every card a bar code that holds, texts, a weight, marks, VAT and a price in each level."""
    rng = random.Random(f"goods {seed}")  # noqa: S311 - plausible goods, not secrets
    db.executemany(
        "INSERT INTO SkCeny (IDS, SText, RelTpCeny, SDph) VALUES (?, ?, 1, ?)", [(c, c, v) for c, v in LEVELS]
    )
    cards = db.execute("SELECT ID, ProdejKc FROM SKz ORDER BY ID").fetchall()
    db.executemany(
        "UPDATE SKz SET Popis2 = ?, FmtPopis2 = ?, Hmotnost = ?, RelDPHp = ?, ProdejDPH = ?, Dodani = ?,"
        " Novinka = ?, Akce = ? WHERE ID = ?",
        [_shown(rng, price, card) for card, price in cards],
    )
    db.executemany(
        "INSERT INTO SKzCn (RefAg, RefSkCeny, ProdejC) VALUES (?, ?, ?)",
        [
            (card, level, round(price * factor, 2))
            for card, price in cards
            for level, factor in enumerate((1.0, 0.9, 1.21), 1)
        ],
    )


def hang(db: sqlite3.Connection, folder: Path, seed: int) -> None:
    """Make the folder of the pictures and give two cards in three one to three of them."""
    rng = random.Random(f"pictures {seed}")  # noqa: S311 - as above
    pictures = folder / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    for card, code in db.execute("SELECT ID, IDS FROM SKz ORDER BY ID").fetchall():
        for place in range(rng.choice((0, 1, 1, 2, 3, 0))):
            name = f"{code} {place + 1}.png"
            (pictures / name).write_bytes(png(rng.randrange(2**24)))
            db.execute(
                "INSERT INTO SkRefObraz (Vychozi, RefAg, Soubor, Popis, OrderFld) VALUES (?, ?, ?, ?, ?)",
                (int(place == 0), card, name, f"pohled {place + 1}", place + 1),
            )


def png(colour: int, *, width: int = 8, height: int = 8) -> bytes:
    """Make a PNG of one colour (0xRRGGBB)."""
    line = b"\0" + colour.to_bytes(3, "big") * width
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(line * height)),
        (b"IEND", b""),
    )
    made = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        made += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return made


def _shown(rng: random.Random, price: float, card: int) -> tuple[object, ...]:
    text = rng.choice(_LONG)
    low = rng.random() < 0.1
    rate = 1.12 if low else 1.21
    return (
        *(text, int(bool(text) and str(text).startswith("<")), round(rng.uniform(0.01, 20), 3), 1 if low else 2),
        *(round(price * rate, 2), rng.choice(_SOON), int(rng.random() < 0.1), int(rng.random() < 0.1), card),
    )
