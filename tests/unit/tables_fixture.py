"""POHODA's tables of categories, parameters, suppliers and orders, as far as the views read them, for small files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from tests.unit.pohoda_fixture import Clock, Follower, do, small

TABLES = {
    "SkKat": {
        "IDS": "varchar(48)",
        "SText": "text",
        "RefNodeID": "int",
        "Poradi": "int",
        "Zobraz": "bit",
        "Obrazek": "varchar(200)",
        "DatSave": "datetime",
    },
    "SkRefKat": {"RefAg": "int", "RefKat": "int"},
    "SkParam": {"IDS": "varchar(32)", "RelTyp": "int", "MJ": "varchar(10)", "RefCM": "int"},
    "SkParamList": {"RefAg": "int", "IDS": "varchar(32)", "OrderFld": "int"},
    "SkRefParam": {
        "RefAg": "int",
        "RefParam": "int",
        "ValCurrency": "money",
        "ValLong": "int",
        "ValDouble": "float",
        "ValText": "varchar(255)",
        "ValDate": "datetime",
        "OrderFld": "int",
    },
    "SKRefParamList": {"RefAg": "int", "RefParam": "int", "RefParamList": "int", "Sel": "bit", "OrderFld": "int"},
    "SKzNC": {
        "DefDod": "bit",
        "RefAg": "int",
        "RefAD": "int",
        "Firma": "varchar(255)",
        "ObjKod": "varchar(64)",
        "OrderFld": "int",
    },
    "AD": {"Firma": "varchar(255)"},
    "OBJ": {
        "RelTpObj": "int",
        "Cislo": "varchar(32)",
        "PDoklad": "varchar(32)",
        "Datum": "datetime",
        "Vyrizeno": "bit",
        "BDodano": "bit",
        "DatStorn": "datetime",
        "RefVPrStav": "int",
        "VPrZasilka": "varchar(64)",
        "DatSave": "datetime",
    },
    "OBJpol": {
        "RefAg": "int",
        "RefSKz": "int",
        "Kod": "varchar(64)",
        "Mnozstvi": "float",
        "Dodano": "float",
        "OrderFld": "int",
    },
    "sVPULpol": {"IDS": "varchar(10)"},
}
"""Table → its columns beside ID."""
CARDS = 230
"""Of `filled`: more than a list holds, so that a range is read, too."""
_SKZ = {"RefAD": "int", "Firma": "varchar(255)", "Vyrobce": "varchar(255)"}


def shop(path: Path, *cards: tuple[Any, ...], row_version: bool = False) -> Path:
    """A POHODA with these cards, (code, store id, stock, tick), and all of `TABLES`, empty."""
    small(path, *cards, row_version=row_version)
    with closing(sqlite3.connect(path)) as db, db:
        there = {row[1] for row in db.execute("PRAGMA table_info(SKz)")}
        for name, kind in _SKZ.items():
            if name not in there:
                db.execute(f"ALTER TABLE SKz ADD COLUMN {name} {kind}")
        for table, columns in TABLES.items():
            declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            db.execute(f"DROP TABLE IF EXISTS {table}")
            db.execute(f"CREATE TABLE {table} (ID INTEGER PRIMARY KEY AUTOINCREMENT, {declared})")
    return path


def put(path: Path, table: str, *rows: dict[str, Any]) -> list[int]:
    """Add rows and give their ids."""
    with closing(sqlite3.connect(path)) as db, db:
        found = []
        for row in rows:
            marks = ", ".join("?" * len(row))
            sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
            found.append(int(db.execute(sql, tuple(row.values())).lastrowid or 0))
        return found


def watch(path: Path, view: Any, **settings: Any) -> Follower:  # noqa: ANN401 - any view, whatever the source takes
    """A follower of a view; its clock stands still, so reading takes no time and is always due."""
    settings.setdefault("clock", Clock())
    source: Any = PohodaTable("things", open_database(str(path)), view, **settings)
    return Follower(source)


def only(follower: Follower, key: str) -> Any:  # noqa: ANN401 - whichever row the view gives
    """The one row of a key as last told."""
    (row,) = follower.rows[key]
    return row


def several(follower: Follower, key: str) -> tuple[Any, ...]:
    """All rows of a key as last told."""
    found: tuple[Any, ...] = follower.rows[key]
    return found


def seen(follower: Follower) -> dict[str, Any]:
    """Key → its one row, of those that are there."""
    return {key: rows[0] for key, rows in follower.rows.items() if rows}


def filled(path: Path) -> Path:
    """A POHODA with something in each table, on each of `CARDS` cards."""
    cards = range(1, CARDS + 1)
    shop(path, *((f"K{number}", 1, 5.0, 1) for number in cards))
    tops: list[tuple[str | None, int | None]] = [("Všechny kategorie", None), ("Žďár", 1), ("Ř", 2), (" ", 2), ("X", 4)]
    put(path, "SkKat", *({"IDS": name, "RefNodeID": above, "SText": "ě" * 5000} for name, above in tops))
    put(path, "SkRefKat", *({"RefAg": card, "RefKat": card % 4 + 1} for card in cards))
    put(path, "SkParam", {"IDS": "Cena", "RelTyp": 2, "RefCM": 3}, {"IDS": "Barva", "RelTyp": 8, "MJ": "ks"})
    put(path, "SkParamList", {"RefAg": 2, "IDS": "červená"}, {"RefAg": 2, "IDS": "bílá"})
    when = "2026-12-24 00:00:00"
    put(path, "SkRefParam", *({"RefAg": n, "RefParam": 1, "ValCurrency": n / 4, "ValDate": when} for n in cards))
    put(path, "SkRefParam", *({"RefAg": n, "RefParam": 2, "ValDouble": n / 8, "OrderFld": -1} for n in cards))
    put(path, "SKRefParamList", *({"RefAg": n, "RefParam": 2, "RefParamList": 2, "Sel": n % 2} for n in cards))
    put(path, "AD", {"Firma": "Šroubárna"})
    put(path, "SKzNC", *({"RefAg": n, "RefAD": n % 3, "Firma": "Ď", "ObjKod": f"o{n}", "DefDod": 1} for n in cards))
    do(path, "UPDATE SKz SET RefAD = 1, Firma = 'x', Vyrobce = 'Výrobce' WHERE ID % 2 = 0")
    put(path, "sVPULpol", {"IDS": "Nová"})
    plain = {"RelTpObj": 1, "Datum": "2026-11-01 00:00:00", "Vyrizeno": 1, "RefVPrStav": 1, "VPrZasilka": "ž"}
    put(path, "OBJ", *(plain | {"PDoklad": f"E{number}"} for number in cards))
    put(path, "OBJ", plain | {"PDoklad": "old", "Datum": "2026-10-31 23:59:59"}, plain | {"PDoklad": None})
    put(path, "OBJpol", *({"RefAg": n, "RefSKz": n, "Kod": f"K{n}", "Mnozstvi": n, "Dodano": 0.5} for n in cards))
    return path
