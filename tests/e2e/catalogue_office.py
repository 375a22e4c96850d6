"""People at POHODA's tables: a database and a folder of pictures, and what a person does to cards and their pictures.

Everything is done in transactions; each tells which cards it touched: what POHODA would export.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.demo.goods import png

_OFFERED = """SELECT TRIM(IDS) FROM SKz WHERE RelSkTyp = 1 AND Template = 0 GROUP BY lower(TRIM(IDS))
    HAVING max(IObchod) = {ticked} AND count(*) {stores} ORDER BY min(ID)"""
_EVERYTHING = """SELECT c.*, (SELECT group_concat(p.ID || '|' || p.Soubor || '|' || p.Popis || '|' || p.OrderFld || '|'
    || p.Vychozi, '/') FROM SkRefObraz p WHERE p.RefAg = c.ID) FROM SKz c"""
_COPIED = (
    "RelSkTyp, RefSklad, IDS, EAN, Nazev, MJ, StavZ, Rezer, ObjedP, ProdejKc, ProdejDPH, IObchod, Popis, Popis2,"
    " FmtPopis2, RelDPHp, Hmotnost, Template"
)


@dataclass(frozen=True, slots=True)
class Office:
    """POHODA's database, and the folder of its pictures."""

    database: Path
    pictures: Path

    def codes(self, *, ticked: bool = True, stores: str = ">= 1") -> list[str]:
        """Codes of goods that are on offer, or are not, and lie in so many stores (``= 2``)."""
        with closing(sqlite3.connect(self.database)) as db:
            rows = db.execute(_OFFERED.format(ticked=int(ticked), stores=stores)).fetchall()
        return [code for (code,) in rows]

    def cards(self, code: str) -> list[int]:
        """The ids of a code's cards."""
        with closing(sqlite3.connect(self.database)) as db:
            return [card for (card,) in db.execute("SELECT ID FROM SKz WHERE IDS = ?", [code])]

    @contextmanager
    def work(self) -> Iterator[Desk]:
        """One transaction; afterwards `Desk.touched` says which cards it changed."""
        with closing(sqlite3.connect(self.database, isolation_level=None, timeout=10)) as db:
            before = {row[0]: row for row in db.execute(_EVERYTHING)}
            desk = Desk(db, self.pictures, [])
            db.execute("BEGIN IMMEDIATE")
            yield desk
            db.execute("COMMIT")
            after = {row[0]: row for row in db.execute(_EVERYTHING)}
        desk.touched.extend(card for card, row in after.items() if before.get(card) != row)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a person does to cards, within one transaction."""

    db: sqlite3.Connection
    pictures: Path
    touched: list[int]

    def change(self, code: str, **columns: object) -> None:
        """Write columns of all cards of a code."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        done = self.db.execute(f"UPDATE SKz SET {changes} WHERE IDS = ?", [*columns.values(), code])
        assert done.rowcount, code

    def price(self, code: str, made_of: Callable[[float], float]) -> None:
        """Give each card of a code the price that is made of its present one, both without VAT."""
        sql = "SELECT ID, RelDPHp, ProdejKc FROM SKz WHERE IDS = ?"
        for card, rate, present in self.db.execute(sql, [code]).fetchall():
            net = made_of(present)
            gross = round(net * (112 if rate == 1 else 121) / 100, 2)
            self.db.execute("UPDATE SKz SET ProdejKc = ?, ProdejDPH = ? WHERE ID = ?", [net, gross, card])

    def untick(self, code: str, *, store: int | None = None, tick: bool = False) -> None:
        """Take a code off the internet, or one store's card (``RefSklad``) of it; or put it back."""
        where = "" if store is None else f" AND RefSklad = {store}"
        self.db.execute(f"UPDATE SKz SET IObchod = ? WHERE IDS = ?{where}", [int(tick), code])

    def rename(self, old: str, new: str, *, store: int | None = None) -> None:
        """Give the cards of a code, or one store's card of it, another code."""
        where = "" if store is None else f" AND RefSklad = {store}"
        done = self.db.execute(f"UPDATE SKz SET IDS = ? WHERE IDS = ?{where}", [new, old])
        assert done.rowcount, old

    def delete(self, code: str) -> None:
        """Delete the cards of a code with all that hangs on them."""
        for table in ("SkRefObraz", "SKzCn"):
            self.db.execute(f"DELETE FROM {table} WHERE RefAg IN (SELECT ID FROM SKz WHERE IDS = ?)", [code])
        self.db.execute("DELETE FROM SKz WHERE IDS = ?", [code])

    def add(self, code: str, like: str) -> None:
        """Add a card that is like another one, with a picture."""
        one = f"SELECT {_COPIED} FROM SKz WHERE IDS = ? ORDER BY ID LIMIT 1"
        self.db.execute(f"INSERT INTO SKz ({_COPIED}) {one}", [like])
        self.db.execute("UPDATE SKz SET IDS = ?, Nazev = ? WHERE ID = last_insert_rowid()", [code, f"Novinka {code}"])
        self.hang(code, f"nový k {like}.png")

    # -------------------------------------------------------------------------------------------------- pictures

    def files(self, code: str) -> list[str]:
        """The files of a code's oldest card, the default one first."""
        sql = "SELECT Soubor FROM SkRefObraz WHERE RefAg = ? ORDER BY Vychozi DESC, OrderFld, ID"
        return [file for (file,) in self.db.execute(sql, [self._card(code)])]

    def paint(self, file: str, *, like: str = "") -> None:
        """Write a picture: one of its own, or one with the bytes of another file."""
        colour = int(hashlib.sha256(f"{file} {self.db.total_changes}".encode()).hexdigest()[:6], 16)
        half = self.pictures / f"{file}.part"
        half.write_bytes((self.pictures / like).read_bytes() if like else png(colour, width=9))
        half.replace(self.pictures / file)

    def hang(self, code: str, file: str, *, like: str = "", new: bool = True) -> None:
        """Add a picture to a code's oldest card, as the last one."""
        if new:
            self.paint(file, like=like)
        last = self._one("SELECT COALESCE(max(OrderFld), 0) FROM SkRefObraz WHERE RefAg = ?", self._card(code))
        self.db.execute(
            "INSERT INTO SkRefObraz (Vychozi, RefAg, Soubor, Popis, OrderFld) VALUES (?, ?, ?, ?, ?)",
            (int(last == 0), self._card(code), file, f"přidaný {last + 1}", last + 1),
        )

    def unhang(self, code: str, file: str = "%") -> None:
        """Remove a picture, or all of them, from a code's oldest card; the files stay."""
        self.db.execute("DELETE FROM SkRefObraz WHERE RefAg = ? AND Soubor LIKE ?", (self._card(code), file))

    def turn_round(self, code: str) -> None:
        """Show the pictures in the opposite order, the last one as the default one."""
        files = self.files(code)
        for place, file in enumerate(reversed(files), 1):
            row = (place, int(place == 1), self._card(code), file)
            self.db.execute("UPDATE SkRefObraz SET OrderFld = ?, Vychozi = ? WHERE RefAg = ? AND Soubor = ?", row)

    def call(self, code: str, text: str) -> None:
        """Give the pictures of a code's oldest card this alternative text."""
        self.db.execute("UPDATE SkRefObraz SET Popis = ? WHERE RefAg = ?", (text, self._card(code)))

    def _card(self, code: str) -> int:
        return int(self._one("SELECT min(ID) FROM SKz WHERE IDS = ?", code))

    def _one(self, sql: str, *given: Any) -> Any:  # noqa: ANN401 # whatever a column holds
        return self.db.execute(sql, given).fetchone()[0]
