"""What the embedded POHODA's cards have for an e-shop, and the orders: tables as POHODA has them, and a small range.

Three levels of categories (`TREE`), some of one name; a parameter of each type; manufacturers stand on the cards
already, suppliers come from the address book. Laid over the cards after they are made, with a dice of its own, so that
the same seed makes the same cards with or without it. Orders there are none: they come from the shop.

Of ``SkParam.RelTyp`` 1, 3, 5 and 8 are known; the numbers of the other types are guesses, as the agent's own are.
Where rows have versions, those of ``SkKat`` and ``OBJ`` are kept like those of ``SKz``, and what hangs on a card or on
an order moves its version, for POHODA saves it together with them.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.demo import goods

TEXT, CURRENCY, BOOLEAN, WHOLE, NUMBER, DATE, LIST = 1, 2, 3, 4, 5, 6, 8
"""``SkParam.RelTyp``."""
VALUES = {
    TEXT: "ValText",
    CURRENCY: "ValCurrency",
    BOOLEAN: "ValLong",
    WHOLE: "ValLong",
    NUMBER: "ValDouble",
    DATE: "ValDate",
}
"""Type of a parameter → the column of ``SkRefParam`` that holds its value; a list's values are rows of their own."""
TABLES = """
CREATE TABLE SkKat (ID INTEGER PRIMARY KEY AUTOINCREMENT, Sel bit, IDS varchar(48), SText text,
    SupNodeIDS varchar(48), RefNodeID int, Pozice varchar(255), Poradi int, Zobraz bit, Obrazek varchar(200),
    FullTreeNode text, Node int, DatCreate datetime, DatSave datetime, Pozn text, Pozn2 text{row_version});
CREATE TABLE SkRefKat (ID INTEGER PRIMARY KEY AUTOINCREMENT, RefAg int, RefKat int);
CREATE TABLE SkParam (ID INTEGER PRIMARY KEY AUTOINCREMENT, IDS varchar(32), SText varchar(255), RelTyp int,
    Delka int, MJ varchar(10), RefCM int, DatCreate datetime, DatSave datetime);
CREATE TABLE SkParamList (ID INTEGER PRIMARY KEY AUTOINCREMENT, RefAg int, IDS varchar(32), SText varchar(255),
    OrderFld int);
CREATE TABLE SkRefParam (ID INTEGER PRIMARY KEY AUTOINCREMENT, AgID int, RefAg int, RefParam int, FullList bit,
    ValCurrency money, ValLong int, ValDouble float, ValText varchar(255), ValDate datetime, OrderFld int);
CREATE TABLE SKRefParamList (ID INTEGER PRIMARY KEY AUTOINCREMENT, RefAg int, RefParam int, RefParamList int,
    Sel bit, OrderFld int);
CREATE TABLE SKzNC (ID INTEGER PRIMARY KEY AUTOINCREMENT, DefDod bit, RefAg int, RefAD int, Firma varchar(255),
    ObjKod varchar(64), ObjNazev varchar(255), NakupC money, RefCM int, CmKurs float, SDph bit, EAN varchar(20),
    DobaDod int, RelDbDod int, MinMnoz float, MJ varchar(10), MJkoef float, OrderFld int, Pozn text);
CREATE TABLE AD (ID INTEGER PRIMARY KEY AUTOINCREMENT, Cislo varchar(32), Firma varchar(255), Jmeno varchar(64),
    Ulice varchar(64), PSC varchar(15), Obec varchar(45), ICO varchar(15), DIC varchar(18), Email varchar(98),
    RelTpIo int, IoID varchar(35), CenyIDS varchar(10), DatCreate datetime, DatSave datetime);
CREATE TABLE OBJ (ID INTEGER PRIMARY KEY AUTOINCREMENT, RelTpObj int, Cislo varchar(32), PDoklad varchar(32),
    Datum datetime, DatOd datetime, DatDo datetime, DatDod datetime, SText varchar(240), KcCelkem money, Vyrizeno bit,
    BDodano bit, Rezer bit, TrvalyDok bit, DatStorn datetime, RefAD int, Firma varchar(255), Jmeno varchar(64),
    Email varchar(98), RelForUh int, RefDopravci int, RelTpIo int, IoID varchar(35), DatCreate datetime,
    DatSave datetime, Pozn text, Pozn2 text{row_version});
CREATE TABLE OBJpol (ID INTEGER PRIMARY KEY AUTOINCREMENT, RefAg int, RefSKz int, SText varchar(90), Kod varchar(64),
    Mnozstvi float, Dodano float, MJ varchar(10), KcJedn money, Kc money, KcDPH money, DatCreate datetime,
    DatSave datetime, OrderFld int);
CREATE TABLE sVPULpol (ID INTEGER PRIMARY KEY AUTOINCREMENT, RefAg int, IDS varchar(10), SText varchar(255),
    ConstID int, OrderFld int);
"""
INDEXES = """
CREATE INDEX xSKzNCRefAg ON SKzNC (RefAg);
CREATE INDEX xSKzNCRefAD ON SKzNC (RefAD);
CREATE INDEX xDatum ON OBJ (Datum);
CREATE INDEX xRelTpObj ON OBJ (RelTpObj);
CREATE UNIQUE INDEX xCislo ON OBJ (Cislo);
CREATE INDEX xOBJpolRefAg ON OBJpol (RefAg);
"""
_VERSIONED = ("SkKat", "OBJ")
_HANG = {"SkRefKat": "SKz", "SkRefParam": "SKz", "SKRefParamList": "SKz", "SKzNC": "SKz", "OBJpol": "OBJ"}
"""Table → the one whose rows it hangs on (``RefAg``)."""
_NEXT = "UPDATE RowVersion SET Value = Value + 1; UPDATE {table} SET RowVer = (SELECT Value FROM RowVersion)"

TREE: Mapping[str, Mapping[str, Sequence[str]]] = {
    "Nářadí": {"Ruční nářadí": ("Kladiva", "Nůžky"), "Elektrické nářadí": ("Vrtačky", "Náhradní díly")},
    "Zahrada": {"Ruční nářadí": ("Lopaty", "Hrábě"), "Zavlažování": ("Čerpadla", "Náhradní díly")},
    "Domácnost": {"Kuchyně": ("Konvice",), "Osvětlení": ("Žárovky", "Svítidla")},
    "Dílna & sklad": {"Spojovací materiál": ("Šrouby", "Řetězy")},
    "Nábytek": {"Sezení": ("Židle",)},
    "Připravujeme": {"Novinky": ("Jaro",)},
}
"""Names of the categories; the last branch is not shown yet."""
_WHERE = {
    "Kladívko": "Kladiva",
    "Nůžky": "Nůžky",
    "Vrtačka": "Vrtačky",
    "Lopata": "Lopaty",
    "Čerpadlo": "Čerpadla",
    "Konvice": "Konvice",
    "Žárovka": "Žárovky",
    "Šroub": "Šrouby",
    "Řetěz": "Řetězy",
    "Židle": "Židle",
}
"""First word of a card's name → its category."""
_TEXTS = (None, "Vybíráme to nejlepší.\r\nOd českých výrobců.", "<p>Nabídka <b>pro každého</b>.</p>")
PARAMETERS: Sequence[tuple[str, int, str | None, Sequence[Any]]] = (
    ("Barva", LIST, None, ("červená", "modrá", "žlutá", "zelená", "černá")),
    ("Materiál", TEXT, None, ("dřevo", "ocel", "nerez  ocel", "Plast", "plast")),
    ("Délka", NUMBER, "cm", (8.0, 12.5, 20.0, 33.25, 120.0)),
    ("Skládací", BOOLEAN, None, (1, 0)),
    ("Kusů v balení", WHOLE, "ks", (1, 10, 50)),
    ("Doporučená cena", CURRENCY, None, (99, 249.9, 1234.5, 3990)),
    ("V nabídce od", DATE, None, ("2026-01-02 00:00:00", "2026-03-15 00:00:00", "2026-10-28 00:00:00")),
)
"""Name, type, unit and the values that occur."""
FIRMS = ("Velkoobchod Morava s.r.o.", "Železářství Praha", "Dovoz Kolín a.s.", "Sklady Říčany", "Kovo Příbram")
"""The address book; one of them makes goods, too."""
_MADE = "2026-01-02 08:00:00"


def tables(*, row_version: bool) -> str:
    """Say how the tables are made."""
    return TABLES.format(row_version=", RowVer integer" if row_version else "")


def row_versions() -> str:
    """Say how versions of rows are kept, by the counter that is there for those of ``SKz``."""
    said = []
    for table in _VERSIONED:
        bump = f"{_NEXT.format(table=table)} WHERE ID = NEW.ID; END;"
        said += [
            f"UPDATE {table} SET RowVer = ID + (SELECT Value FROM RowVersion);",  # noqa: S608 - our own names
            f"UPDATE RowVersion SET Value = Value + (SELECT COALESCE(MAX(ID), 0) FROM {table});",  # noqa: S608 - as above
            f"CREATE INDEX x{table}RowVer ON {table} (RowVer);",
            f"CREATE TRIGGER {table}Inserted AFTER INSERT ON {table} BEGIN {bump}",
            f"CREATE TRIGGER {table}Updated AFTER UPDATE ON {table} WHEN NEW.RowVer IS OLD.RowVer BEGIN {bump}",
        ]
    for child, parent in _HANG.items():
        for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW, OLD"), ("DELETE", "OLD")):
            held = ", ".join(f"{row}.RefAg" for row in rows.split(", "))
            bump = f"{_NEXT.format(table=parent)} WHERE ID IN ({held}); END;"
            said.append(f"CREATE TRIGGER {child}{event.title()} AFTER {event} ON {child} BEGIN {bump}")
    return "\n".join(said)


def fill(db: sqlite3.Connection, seed: int) -> None:
    """Make categories, parameters and firms, and give the cards theirs; one in twenty has none of a kind."""
    rng = random.Random(f"internet {seed}")  # noqa: S311 - plausible goods, not secrets
    leaves = _categories(db)
    _definitions(db)
    db.executemany("INSERT INTO AD (Firma, DatCreate, DatSave) VALUES (?, ?, ?)", [(f, _MADE, _MADE) for f in FIRMS])
    cards = db.execute("SELECT ID, IDS, Nazev FROM SKz ORDER BY ID").fetchall()
    given = [(card, one) for card, _, name in cards for one in _placed(rng, name, leaves)]
    db.executemany("INSERT INTO SkRefKat (RefAg, RefKat) VALUES (?, ?)", given)
    for card, code, _ in cards:
        for place, number in enumerate(sorted(rng.sample(range(1, len(PARAMETERS) + 1), rng.choice((0, 2, 3, 3, 4))))):
            _value(db, rng, card, number, place)
        _suppliers(db, rng, card, code)


def hang(db: sqlite3.Connection, folder: Path) -> None:
    """Give the categories at the top a picture each, in the folder of the pictures."""
    (folder / goods.PICTURES).mkdir(parents=True, exist_ok=True)
    for category, name in db.execute("SELECT ID, IDS FROM SkKat WHERE RefNodeID = 0 ORDER BY ID").fetchall():
        file = f"kategorie {name.casefold()}.png"
        (folder / goods.PICTURES / file).write_bytes(goods.png(category * 7907 % 2**24))
        db.execute("UPDATE SkKat SET Obrazek = ? WHERE ID = ?", (file, category))


def _categories(db: sqlite3.Connection) -> dict[str, list[int]]:
    """Make the tree; returns the ids of its leaves by their names."""
    leaves: dict[str, list[int]] = {}
    insert = (
        "INSERT INTO SkKat (IDS, SText, RefNodeID, Poradi, Zobraz, Node, DatCreate, DatSave)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    made: dict[tuple[str, ...], int] = {(): 0}
    for place, path in enumerate(_paths()):
        text, shown = _TEXTS[place % len(_TEXTS)], path[0] != "Připravujeme"
        values = (path[-1], text, made[path[:-1]], place + 1, int(shown), len(path), _MADE, _MADE)
        made[path] = db.execute(insert, values).lastrowid or 0
        if len(path) == 3:
            leaves.setdefault(path[-1], []).append(made[path])
    return leaves


def _paths() -> Iterator[tuple[str, ...]]:
    for top, below in TREE.items():
        yield (top,)
        for middle, names in below.items():
            yield top, middle
            yield from ((top, middle, name) for name in names)


def _placed(rng: random.Random, name: str, leaves: Mapping[str, Sequence[int]]) -> list[int]:
    """Choose the categories of a card: its own, now and then another one, one in twenty none."""
    if rng.random() < 0.05:
        return []
    own = leaves.get(_WHERE.get(name.partition(" ")[0], ""), ())
    others = [one for some in leaves.values() for one in some]
    return list(dict.fromkeys([*own, *([rng.choice(others)] if rng.random() < 0.3 else [])]))


def _definitions(db: sqlite3.Connection) -> None:
    for name, kind, unit, values in PARAMETERS:
        row = db.execute(
            "INSERT INTO SkParam (IDS, RelTyp, MJ, DatCreate, DatSave) VALUES (?, ?, ?, ?, ?)",
            (name, kind, unit, _MADE, _MADE),
        )
        if kind == LIST:
            db.executemany(
                "INSERT INTO SkParamList (RefAg, IDS, OrderFld) VALUES (?, ?, ?)",
                [(row.lastrowid, value, place) for place, value in enumerate(values)],
            )


def _value(db: sqlite3.Connection, rng: random.Random, card: int, number: int, place: int) -> None:
    """Give a card a value of a parameter, of a list one or two."""
    _, kind, _, values = PARAMETERS[number - 1]
    column = VALUES.get(kind, "ValText")
    value = None if kind == LIST else rng.choice(values)
    db.execute(
        f"INSERT INTO SkRefParam (RefAg, RefParam, OrderFld, {column}) VALUES (?, ?, ?, ?)",  # noqa: S608 - one of our names
        (card, number, place, value),
    )
    if kind == LIST:
        chosen = sorted(rng.sample(range(1, len(values) + 1), rng.choice((1, 1, 2))))
        db.executemany(
            "INSERT INTO SKRefParamList (RefAg, RefParam, RefParamList, Sel, OrderFld) VALUES (?, ?, ?, 1, ?)",
            [(card, number, one, where) for where, one in enumerate(chosen)],
        )


def _suppliers(db: sqlite3.Connection, rng: random.Random, card: int, code: str) -> None:
    """Give a card up to two suppliers; the first one is preferred, and stands on the card itself."""
    chosen = rng.sample(range(1, len(FIRMS) + 1), rng.choice((0, 1, 1, 2)))
    for place, firm in enumerate(chosen):
        db.execute(
            "INSERT INTO SKzNC (DefDod, RefAg, RefAD, Firma, ObjKod, OrderFld) VALUES (?, ?, ?, ?, ?, ?)",
            (int(not place), card, firm, FIRMS[firm - 1], f"{firm}/{code}"[:64] if rng.random() < 0.8 else None, place),
        )
    if chosen:
        db.execute("UPDATE SKz SET RefAD = ?, Firma = ? WHERE ID = ?", (chosen[0], FIRMS[chosen[0] - 1], card))
