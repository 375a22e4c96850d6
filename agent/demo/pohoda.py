"""The embedded POHODA: a SQLite file with POHODA's own tables, columns and indexes, and a morning's work in it.

Not POHODA, but read exactly like one: ``SKz`` holds one row per card **and store**, ``sSklad`` the stores, ``SKzPoh``
the movements. ``DatSave`` stays still when a quantity moves, as it very likely does in POHODA; on request it moves, and
on request there is a rowversion column, kept by triggers from a counter that never goes back (as SQL Server's).
"""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from agent.demo import goods, internet

STORES = ("HLAVNI", "PRODEJNA")
_CARD_COLUMNS = """
    ID INTEGER PRIMARY KEY AUTOINCREMENT, UsrOrder int, Sel bit, Labels varchar(255), RelSkTyp int, RefSklad int,
    RefStruct int, RefSkSkup int, RelDPHn int, RelDPHp int, Odbyt bit, RelSKzVC int, IDS varchar(64) COLLATE NOCASE,
    EAN varchar(20), PLU int, Nazev varchar(90), Nazev1 varchar(90), Nazev2 varchar(90), SText varchar(90),
    MJ varchar(10), MJ2 varchar(10), MJ3 varchar(10), MJ2Koef float, MJ3Koef float, StavZ float, Rezer float,
    ObjedP float, ObjedV float, Reklam float, Servis float, MinLim float, MinMax float, Hmotnost float, Objem float,
    NakupC money, NakupDPH money, VNakup money, ProdejKc money, ProdejDPH money, RefAD int, Firma varchar(255),
    Vyrobce varchar(255), IObchod bit, Popis text, Popis2 text, FmtPopis bit, FmtPopis2 bit, Novinka bit,
    Doprodej bit, Akce bit, Doporucujeme bit, Sleva bit, Priprav bit, Dodani varchar(64), Doprava varchar(64),
    RelZaruka int, Zaruka int, NazevRP varchar(24), Template bit, Pozn text, DatCreate datetime,
    DatSave datetime, Creator varchar(2), Ucetni varchar(2), Oznacil varchar(2)"""
_TABLES = f"""
CREATE TABLE sSklad (ID INTEGER PRIMARY KEY AUTOINCREMENT, UsrOrder int, Sel bit, IDS varchar(10) COLLATE NOCASE,
    SText varchar(32), Pozn text);
CREATE TABLE SKz ({_CARD_COLUMNS}{{row_version}});
CREATE TABLE SKzPoh (ID INTEGER PRIMARY KEY AUTOINCREMENT, RefSKz int, RelAg int, RelID int, Datum datetime,
    PohPMJ float, StavZ float, VNakup money, Cislo varchar(32), RefAD int, Firma varchar(255));
{goods.TABLES}"""
_INDEXES = """
CREATE INDEX xIDS ON SKz (IDS);
CREATE INDEX xEAN ON SKz (EAN);
CREATE INDEX xSTEXT ON SKz (Nazev);
CREATE INDEX xPLU ON SKz (PLU);
CREATE INDEX xRefAD ON SKz (RefAD);
CREATE INDEX xRefSkSkup ON SKz (RefSkSkup);
CREATE INDEX xRefSklad ON SKz (RefSklad);
CREATE INDEX xRefStruct ON SKz (RefStruct);
CREATE INDEX xRefSKz ON SKzPoh (RefSKz);
"""
_ROW_VERSION = """
CREATE TABLE RowVersion (Value integer NOT NULL);
INSERT INTO RowVersion SELECT COALESCE(MAX(ID), 0) FROM SKz;
UPDATE SKz SET RowVer = ID;
CREATE INDEX xRowVer ON SKz (RowVer);
CREATE TRIGGER SKzInserted AFTER INSERT ON SKz BEGIN
    UPDATE RowVersion SET Value = Value + 1;
    UPDATE SKz SET RowVer = (SELECT Value FROM RowVersion) WHERE ID = NEW.ID;
END;
CREATE TRIGGER SKzUpdated AFTER UPDATE ON SKz WHEN NEW.RowVer IS OLD.RowVer BEGIN
    UPDATE RowVersion SET Value = Value + 1;
    UPDATE SKz SET RowVer = (SELECT Value FROM RowVersion) WHERE ID = NEW.ID;
END;
"""
_COLUMNS = (
    *("RelSkTyp", "RefSklad", "IDS", "EAN", "Nazev", "MJ", "StavZ", "Rezer", "ObjedP", "ObjedV", "NakupC", "VNakup"),
    *("ProdejKc", "ProdejDPH", "IObchod", "Vyrobce", "Popis", "Template", "DatCreate", "DatSave", "Creator"),
)
_THINGS = ("Šroub", "Vrtačka", "Žárovka", "Kladívko", "Konvice", "Lopata", "Čerpadlo", "Nůžky", "Řetěz", "Židle")
_KINDS = ("malý", "velký", "zahradní", "dílenský", "nerezový", "dřevěný", "červený", "žlutý", "skládací")
_MAKERS = ("Dřevotvar Žďár", "Kovo Příbram", "Sklárny Nový Bor", "Nářadí Říčany")
_BUSY = 5.0


class Wanted(Protocol):
    """What `expected` must know: the settings of the target, whatever class holds them."""

    @property
    def stores(self) -> Sequence[str]:
        """Codes of stores; none: all."""

    @property
    def combine(self) -> str:
        """``sum`` or ``max``."""

    @property
    def deduct(self) -> str:
        """``none``, ``reservations`` or ``received-orders``."""

    @property
    def safety_stock(self) -> float:
        """Pieces."""

    @property
    def card_types(self) -> Sequence[int]:
        """``RelSkTyp`` that count."""


@dataclass(frozen=True, slots=True)
class Touched:
    """One committed piece of work: the codes that it touched and when its commit was through (time.monotonic)."""

    codes: tuple[str, ...]
    at: float


def create(
    path: Path,
    *,
    stores: Sequence[str] = STORES,
    cards: int = 500,
    seed: int = 1,
    row_version: bool = False,
    catalogue: bool = False,
    filled: bool = True,
    documents: Path | None = None,
) -> None:
    """Make a new database with ``cards`` rows in SKz (a code that lies in two stores is two rows).

    ``catalogue`` adds texts, weights, marks, VAT and price levels (`goods.LEVELS`), and the tables of categories,
    parameters, suppliers and orders (`internet`), which ``filled=False`` leaves empty; ``documents`` is a folder that
    is filled with pictures (in ``Obrázky`` below it), which the cards then name. Without them the cards are the same.
    The same seed makes the same cards; 200,000 take about 5 s. Raises `FileExistsError` rather than write over one.
    """
    if path.exists():
        raise FileExistsError(f"{path} is there already")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        db.executescript(_TABLES.format(row_version=", RowVer integer" if row_version else ""))
        if catalogue:
            db.executescript(internet.tables(row_version=row_version))
        db.execute("BEGIN")
        db.executemany("INSERT INTO sSklad (IDS, SText) VALUES (?, ?)", [(each, f"Sklad {each}") for each in stores])
        values = ", ".join("?" * len(_COLUMNS))
        db.executemany(
            f"INSERT INTO SKz ({', '.join(_COLUMNS)}) VALUES ({values})",  # noqa: S608 - our own constants
            _cards(len(stores), cards, random.Random(seed)),  # noqa: S311 - plausible numbers, not secrets
        )
        if catalogue:
            goods.show(db, seed)
        if catalogue and filled:
            internet.fill(db, seed)
        if documents is not None:
            goods.hang(db, documents, seed)
        if documents is not None and catalogue:
            internet.hang(db, documents)
        db.execute("COMMIT")
        db.executescript(_INDEXES + goods.INDEXES + (_ROW_VERSION if row_version else ""))
        if catalogue:
            db.executescript(internet.INDEXES + (internet.row_versions() if row_version else ""))
        db.execute("PRAGMA journal_mode = WAL")  # a reader and a writer side by side


def _cards(stores: int, count: int, rng: random.Random) -> Iterator[tuple[Any, ...]]:
    """Rows of SKz: a code in the first store, one in three also in further ones; 9 of 10 on the internet."""
    made, number, now = 0, 0, datetime(2026, 1, 2, 8)  # noqa: DTZ001 - POHODA's times are local, without offset
    while made < count:
        number += 1
        thing, kind, price = rng.choice(_THINGS), rng.choice(_KINDS), rng.randint(20, 5000)
        code, ticked = f"{thing[:3].upper()}-{number:05d}", rng.random() < 0.9
        saved = (now + timedelta(minutes=number)).isoformat(" ")
        for store in range(1, stores + 1):
            if made == count or (store > 1 and rng.random() < 0.66):
                continue
            made += 1
            have = rng.choice((0, 1, 2, 5, 12, 40, 120)) + rng.randint(0, 9)
            card_type, template = (2 if number % 97 == 0 else 1), int(number % 211 == 0)
            held, ordered = min(rng.choice((0, 0, 0, 1, 3)), have), rng.choice((0, 0, 0, 2))
            row = (card_type, store, code, f"859{number:010d}", f"{thing} {kind} {number}", "ks", float(have))
            prices = (float(price) * 0.7, float(price) * 0.7, float(price), round(price * 1.21, 2))
            text = f"{thing} {kind}, poctivá česká výroba. Vhodné pro domácnost i dílnu."
            yield (*row, float(held), float(ordered), 0.0, *prices, int(ticked), rng.choice(_MAKERS), text, template,
                   saved, saved, "@")  # fmt: skip # one row, one line of thought


class Morning:
    """People at work in POHODA: each call is one short transaction. The same seed does the same work.

    May be used by one thread at a time, not necessarily the one that made it.
    """

    def __init__(self, path: Path, *, seed: int = 1, dat_save: bool = False) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - plausible work, not secrets
        self._db = sqlite3.connect(path, isolation_level=None, timeout=_BUSY, check_same_thread=False)
        self._dat_save = dat_save
        self._ids = [row for (row,) in self._db.execute("SELECT ID FROM SKz WHERE Template = 0 ORDER BY ID")]
        self._renamed = 0

    def sale(self) -> Touched:
        """Issue one to three pieces of a card; now and then more than there are (POHODA may allow that)."""
        return self._move(-self._rng.randint(1, 3), "V")

    def receipt(self) -> Touched:
        """Receive five to forty pieces of one to three cards on one receipt."""
        return self._move(self._rng.randint(5, 40), "P", cards=self._rng.randint(1, 3))

    def reservation(self) -> Touched:
        """Reserve a piece, or let one go; leaves no movement, as in POHODA."""
        step = self._rng.choice((1, 1, -1))
        return self._work("Rezer = MAX(Rezer + ?, 0), ObjedP = MAX(ObjedP + ?, 0)", (step, step), saved=self._dat_save)

    def rename(self) -> Touched:
        """Give a code another spelling: a new code. Touches the old one and the new one."""
        self._renamed += 1
        ids = self._choose(1)
        (old,) = self._codes(ids)
        new = f"{old[:40]}-R{self._renamed}"
        touched = self._work("IDS = ?", (new,), ids=ids, saved=True)
        return Touched((old, new), touched.at)

    def untick(self) -> Touched:
        """Take a card off the internet, or put it back: the tick of one store's card."""
        return self._work("IObchod = 1 - IObchod", (), saved=True)

    def reprice(self) -> Touched:
        """Give a card another price, with and without VAT."""
        price = float(self._rng.randint(20, 5000))
        return self._work("ProdejKc = ?, ProdejDPH = ?", (price, round(price * 1.21, 2)), saved=True)

    def rewrite(self) -> Touched:
        """Give a card another name and another long text."""
        name = f"{self._rng.choice(_THINGS)} {self._rng.choice(_KINDS)} {self._rng.randint(1, 10**6)}"
        return self._work("Nazev = ?, Popis2 = ?, FmtPopis2 = 0", (name, f"{name}\r\nNově v nabídce."), saved=True)

    def step(self) -> Touched:
        """One piece of work as it comes: of 100, about 70 sales, 12 receipts, 15 reservations, 2 ticks, 1 rename."""
        works = (self.sale, self.receipt, self.reservation, self.untick, self.rename)
        return self._rng.choices(works, weights=(70, 12, 15, 2, 1))[0]()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _move(self, pieces: int, kind: str, *, cards: int = 1) -> Touched:
        return self._work("StavZ = StavZ + ?", (pieces,), ids=self._choose(cards), saved=self._dat_save, kind=kind)

    def _choose(self, cards: int) -> list[int]:
        return sorted(self._rng.sample(self._ids, min(cards, len(self._ids))))

    def _codes(self, ids: Sequence[int]) -> list[str]:
        marks = ", ".join("?" * len(ids))
        return [code for (code,) in self._db.execute(f"SELECT IDS FROM SKz WHERE ID IN ({marks})", ids)]  # noqa: S608 - marks only

    def _work(
        self, change: str, given: tuple[Any, ...], *, saved: bool, ids: Sequence[int] = (), kind: str = ""
    ) -> Touched:
        ids = ids or self._choose(1)
        now = datetime.now().isoformat(" ", "seconds")  # noqa: DTZ005 - POHODA's times are local, without offset
        change, given = (f"{change}, DatSave = ?", (*given, now)) if saved else (change, given)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            codes = tuple(self._codes(ids))
            self._db.executemany(f"UPDATE SKz SET {change} WHERE ID = ?", [(*given, row) for row in ids])  # noqa: S608 - our own texts
            if kind:
                self._db.executemany(
                    "INSERT INTO SKzPoh (RefSKz, RelAg, Datum, PohPMJ, StavZ) "
                    "SELECT ID, ?, ?, ?, StavZ FROM SKz WHERE ID = ?",
                    [(7 if kind == "V" else 6, now, given[0], row) for row in ids],
                )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return Touched(codes, time.monotonic())


def expected(path: Path, settings: Wanted) -> dict[str, int]:
    """Say what a shop must hold: key → pieces, of every key that is on offer now. A key that was, and is not, has 0.

    Reckoned here from the rows in exact fractions, by a way of its own: it is what the agent is measured against.
    """
    deducted = {"none": "0", "reservations": "c.Rezer", "received-orders": "c.ObjedP"}[settings.deduct]
    with closing(sqlite3.connect(path, timeout=_BUSY)) as db:
        rows = db.execute(
            f"SELECT TRIM(c.IDS), TRIM(s.IDS), c.IObchod, COALESCE(c.StavZ, 0), COALESCE({deducted}, 0), "  # noqa: S608 - one of three constants
            "COALESCE(c.RelSkTyp, 1) FROM SKz c LEFT JOIN sSklad s ON s.ID = c.RefSklad "
            "WHERE TRIM(COALESCE(c.IDS, '')) <> '' AND COALESCE(c.Template, 0) = 0"
        ).fetchall()
    wanted = {store.strip().casefold() for store in settings.stores}
    left: dict[str, list[Fraction]] = {}
    ticked: set[str] = set()
    for code, store, tick, stock, away, card_type in rows:
        if card_type not in settings.card_types or (wanted and (store or "").casefold() not in wanted):
            continue
        left.setdefault(code.casefold(), []).append(Fraction(str(stock)) - max(Fraction(str(away)), Fraction(0)))
        if tick:
            ticked.add(code.casefold())
    combine = sum if settings.combine == "sum" else max
    safety = Fraction(str(settings.safety_stock))
    return {key: max(int((Fraction(combine(left[key])) - safety) // 1), 0) for key in ticked}


def codes(path: Path) -> list[str]:
    """All codes, as spelled, each once, in the order of their first card: what a demo shop is filled with."""
    with closing(sqlite3.connect(path, timeout=_BUSY)) as db:
        return [code for (code,) in db.execute("SELECT IDS FROM SKz GROUP BY IDS ORDER BY MIN(ID)")]
