"""Work in POHODA's agenda Přijaté objednávky: the shop's orders are taken over, transferred, executed, cancelled.

Each call is one short transaction. Written, an order reserves its pieces (``Rezer``) and counts as received
(``ObjedP``); what is transferred to an issue slip leaves the stock (``StavZ``) and both of these. So a quantity less
reservations moves when an order is written and when it is cancelled, and at no other time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from agent.demo.hand import Hand, now

_CARD = """SELECT ID FROM SKz WHERE TRIM(IDS) = ? COLLATE NOCASE AND COALESCE(Template, 0) = 0 AND RelSkTyp = 1
    ORDER BY StavZ - Rezer DESC, ID LIMIT 1"""
_OPEN = "SELECT ID, RefSKz, Kod, Mnozstvi - COALESCE(Dodano, 0) FROM OBJpol WHERE RefAg = ? ORDER BY OrderFld"
_FREE = "UPDATE SKz SET Rezer = MAX(Rezer - ?, 0), ObjedP = MAX(ObjedP - ?, 0) WHERE ID = ?"


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders are named by ``OBJ.ID``."""

    hand: Hand

    def write(self, number: str, lines: Mapping[str, int], *, date: str | None = None) -> int:
        """Take over an order of the shop (``PDoklad``): code → pieces, reserved in the store that has most of them.

        ``date``: the day of the order (``2026-11-20``); today unless given. `KeyError`: no card has that code.
        """
        with self.hand.saving() as db:
            (last,) = db.execute("SELECT COALESCE(MAX(ID), 0) FROM OBJ").fetchone()
            moment = now()
            order = self.hand.add(
                "OBJ",
                RelTpObj=1,
                Cislo=f"26OBJ{last + 1:05d}",
                PDoklad=number,
                Datum=f"{(date or moment)[:10]} 00:00:00",
                SText="Objednávka z e-shopu",
                Vyrizeno=0,
                BDodano=0,
                Rezer=1,
                DatCreate=moment,
                DatSave=moment,
            )
            for place, (code, pieces) in enumerate(lines.items()):
                self._line(db, order, code, pieces, place)
            return order

    def transfer(self, order: int, lines: Mapping[str, int] | None = None) -> None:
        """Transfer it to an issue slip: all of it (Přeneseno), or so many pieces of these codes."""
        with self.hand.saving("OBJ", order) as db:
            left = self._issue(db, order, lines)
            db.execute("UPDATE OBJ SET BDodano = ? WHERE ID = ?", (int(not left), order))

    def execute(self, order: int) -> None:
        """Tick Vyřízeno; what was not transferred before leaves the stock now."""
        with self.hand.saving("OBJ", order) as db:
            self._issue(db, order, None)
            db.execute("UPDATE OBJ SET Vyrizeno = 1, BDodano = 1 WHERE ID = ?", (order,))

    def cancel(self, order: int) -> None:
        """Cancel it (Storno): what is still reserved is free again."""
        with self.hand.saving("OBJ", order) as db:
            for _, card, _, pieces in db.execute(_OPEN, (order,)).fetchall():
                db.execute(_FREE, (pieces, pieces, card))
            db.execute("UPDATE OBJ SET DatStorn = ?, Rezer = 0 WHERE ID = ?", (now(), order))

    def open(self) -> list[int]:
        """Orders that are neither executed nor cancelled, the oldest first."""
        return self.hand.ids(
            "SELECT ID FROM OBJ WHERE RelTpObj = 1 AND Vyrizeno = 0 AND DatStorn IS NULL ORDER BY Datum, ID"
        )

    def codes(self, order: int) -> list[str]:
        """Codes of its lines."""
        return [code for (code,) in self.hand.db.execute("SELECT Kod FROM OBJpol WHERE RefAg = ?", (order,))]

    def outstanding(self, order: int) -> dict[str, int]:
        """Code → pieces that were not transferred yet."""
        return {code: int(left) for _, _, code, left in self.hand.db.execute(_OPEN, (order,)) if left > 0}

    def _line(self, db: sqlite3.Connection, order: int, code: str, pieces: int, place: int) -> None:
        card = self.hand.ids(_CARD, code.strip())
        if not card:
            raise KeyError(code)
        self.hand.add(
            "OBJpol",
            RefAg=order,
            RefSKz=card[0],
            Kod=code,
            SText=code,
            Mnozstvi=pieces,
            Dodano=0,
            MJ="ks",
            OrderFld=place,
        )
        change = "UPDATE SKz SET Rezer = Rezer + ?, ObjedP = ObjedP + ? WHERE ID = ?"
        db.execute(change, (pieces, pieces, card[0]))

    def _issue(self, db: sqlite3.Connection, order: int, lines: Mapping[str, int] | None) -> float:
        """Let pieces leave the stock; returns how many are still to be transferred."""
        left = 0.0
        for line, card, code, outstanding in db.execute(_OPEN, (order,)).fetchall():
            pieces = outstanding if lines is None else min(outstanding, lines.get(code, 0))
            left += outstanding - pieces
            db.execute("UPDATE OBJpol SET Dodano = COALESCE(Dodano, 0) + ? WHERE ID = ?", (pieces, line))
            db.execute("UPDATE SKz SET StavZ = StavZ - ? WHERE ID = ?", (pieces, card))
            db.execute(_FREE, (pieces, pieces, card))
        return left
