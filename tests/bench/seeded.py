"""A POHODA and a state file as an agent leaves them that has run for a while, made without running one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.demo import pohoda
from agent.events import key_of
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.views.stock import StockView
from agent.targets.quantities import Quantities, QuantitySettings
from state import cursors, shadows, targets
from state.db import StateFile

TARGET, THING, SOURCE = "quantities", "product", "stock"
NOW = 1_800_000_000.0
DEDUCT: Literal["reservations"] = "reservations"
STORE = "HLAVNI"


@dataclass(frozen=True, slots=True)
class Card:
    """One card: its row in SKz, its code, the pieces that a shop must hold."""

    row: int
    code: str
    pieces: int


def view() -> StockView:
    """The view that the benchmarks read: one store, reservations deducted."""
    return StockView(stores=(STORE,), deduct=DEDUCT)


def make_pohoda(path: Path, cards: int, *, row_version: bool = True) -> list[Card]:
    """Make a POHODA whose cards are all on offer, each code once; returns them in the order of their rows."""
    pohoda.create(path, stores=(STORE,), cards=cards, row_version=row_version)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("UPDATE SKz SET IObchod = 1, Template = 0, RelSkTyp = 1, StavZ = 50, Rezer = 0, ObjedP = 0")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return [Card(row, code.strip(), 50) for row, code in db.execute("SELECT ID, IDS FROM SKz ORDER BY ID")]


def remember_rows(state: StateFile, database: Path) -> bytes:
    """Store the fingerprints of all rows, as after a complete pass; returns them all in one piece, in row order."""
    opened = open_database(database.as_posix())
    with opened.reading() as reader:
        prepared = view().prepare(reader, Catalogue())
        rows = reader.run(*prepared.queries.page(-1, 10_000_000))
        digests = prepared.digests(rows)
    opened.close()
    with state.write() as db:
        seen = [(raw[0], key_of(raw[1]), digests[raw[0]], True) for raw in rows]
        cursors.remember(db, SOURCE, seen, [])
    return b"".join(digest for _, digest in sorted(digests.items()))


def remember_shop(state: StateFile, cards: Sequence[Card], links: Sequence[str], *, known: bool = True) -> None:
    """Store links, what the shop holds (if it is to be ``known``), and that the baseline is complete."""
    keys = [key_of(card.code) for card in cards]
    with state.write() as db:
        db.executemany(
            "INSERT INTO link (thing, key, link) VALUES (?, ?, ?)",
            [(THING, key, link) for key, link in zip(keys, links, strict=True)],
        )
        if known:
            values = [(key, str(card.pieces)) for key, card in zip(keys, cards, strict=True)]
            shadows.remember(db, TARGET, values, now=NOW)
        targets.baseline(db, TARGET, "complete")
        targets.settings(db, TARGET, _target().fingerprint())  # a target that is new computes all keys again


def _target() -> Quantities:
    """The target that `config_text` configures."""
    return Quantities(QuantitySettings(stores=(STORE,), deduct=DEDUCT, zero_guard=None))


def config_text(url: str, key: str, *, row_version: str, timeout: str = "30s") -> str:
    """An ordinary configuration file, of a shop in the folder that it lies in."""
    return f"""\
[shop]
name = "bench"
kind = "prestashop"
url = "{url}"
key = "{key}"
timeout = "{timeout}"
[state]
file = "state.db"
[pohoda]
database = "pohoda.db"
[targets.quantities]
poll = "1s"
row_version = "{row_version}"
stores = ["{STORE}"]
deduct = "{DEDUCT}"
zero_guard = "off"
"""
