"""Work at what a card says of itself in POHODA: parameters, the manufacturer, suppliers. A call is a transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from agent.demo.hand import Hand, now
from agent.demo.internet import LIST, VALUES

Given = str | float | bool | dt.date | Sequence[str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Internet parameters, named by ``SkParam.IDS``; cards by ``SKz.ID``."""

    hand: Hand

    def define(self, name: str, kind: int, *, unit: str | None = None) -> int:
        """Make a parameter of a type of `agent.demo.internet` (``TEXT``, ``LIST`` …); returns its id."""
        with self.hand.saving():
            return self.hand.add("SkParam", IDS=name, RelTyp=kind, MJ=unit, DatCreate=now(), DatSave=now())

    def rename(self, name: str, other: str) -> None:
        """Call a parameter otherwise."""
        parameter, _ = self._known(name)
        with self.hand.saving("SkParam", parameter) as db:
            db.execute("UPDATE SkParam SET IDS = ? WHERE ID = ?", (other, parameter))

    def set(self, card: int, name: str, value: Given) -> None:
        """Give a card a value, in place of the one that it has: of a list all those given, which are made if need be.

        Currencies and numbers are floats, dates are dates, ticks are bool. `KeyError`: no such parameter.
        """
        parameter, kind = self._known(name)
        with self.hand.saving("SKz", card) as db:
            place = db.execute("SELECT COALESCE(MAX(OrderFld), 0) + 1 FROM SkRefParam WHERE RefAg = ?", (card,))
            values: dict[str, object] = {"RefAg": card, "RefParam": parameter, "OrderFld": place.fetchone()[0]}
            self._clear(card, parameter)
            if kind == LIST:
                self._choose(card, parameter, [value] if isinstance(value, str) else list(value))  # type: ignore[arg-type] # texts, as said
            else:
                values[VALUES[kind]] = _held(value)
            self.hand.add("SkRefParam", **values)

    def remove(self, card: int, name: str) -> None:
        """Take a parameter off a card. `KeyError`: no such parameter."""
        parameter, _ = self._known(name)
        with self.hand.saving("SKz", card):
            self._clear(card, parameter)

    def of(self, card: int) -> list[str]:
        """Names of the parameters of a card, in their order."""
        sql = "SELECT d.IDS FROM SkRefParam p JOIN SkParam d ON d.ID = p.RefParam WHERE p.RefAg = ? ORDER BY p.OrderFld"
        return [name for (name,) in self.hand.db.execute(sql, (card,))]

    def _known(self, name: str) -> tuple[int, int]:
        row = self.hand.db.execute("SELECT ID, RelTyp FROM SkParam WHERE IDS = ?", (name,)).fetchone()
        if row is None:
            raise KeyError(name)
        return int(row[0]), int(row[1])

    def _clear(self, card: int, parameter: int) -> None:
        for table in ("SkRefParam", "SKRefParamList"):
            self.hand.db.execute(f"DELETE FROM {table} WHERE RefAg = ? AND RefParam = ?", (card, parameter))  # noqa: S608 - our own names

    def _choose(self, card: int, parameter: int, chosen: Sequence[str]) -> None:
        for place, text in enumerate(chosen):
            sql = "SELECT ID FROM SkParamList WHERE RefAg = ? AND IDS = ?"
            there = self.hand.ids(sql, parameter, text)
            choice = there[0] if there else self.hand.add("SkParamList", RefAg=parameter, IDS=text, OrderFld=99)
            self.hand.add("SKRefParamList", RefAg=card, RefParam=parameter, RefParamList=choice, Sel=1, OrderFld=place)


@dataclass(frozen=True, slots=True)
class Firms:
    """The manufacturer (a text of the card) and suppliers (the address book); cards are named by ``SKz.ID``."""

    hand: Hand

    def maker(self, card: int, name: str | None) -> None:
        """Give a card another manufacturer, or none."""
        with self.hand.saving("SKz", card) as db:
            db.execute("UPDATE SKz SET Vyrobce = ? WHERE ID = ?", (name, card))

    def add(self, card: int, firm: str, *, code: str | None = None, default: bool = False) -> None:
        """Give a card a supplier; one that the address book does not have comes into it. A second time: anew."""
        with self.hand.saving("SKz", card) as db:
            there = self.hand.ids("SELECT ID FROM AD WHERE Firma = ?", firm)
            address = there[0] if there else self.hand.add("AD", Firma=firm, DatCreate=now(), DatSave=now())
            db.execute("DELETE FROM SKzNC WHERE RefAg = ? AND RefAD = ?", (card, address))
            (last,) = db.execute("SELECT COALESCE(MAX(OrderFld), 0) FROM SKzNC WHERE RefAg = ?", (card,)).fetchone()
            if default:
                db.execute("UPDATE SKzNC SET DefDod = 0 WHERE RefAg = ?", (card,))
                db.execute("UPDATE SKz SET RefAD = ?, Firma = ? WHERE ID = ?", (address, firm, card))
            self.hand.add(
                "SKzNC", RefAg=card, RefAD=address, Firma=firm, ObjKod=code, DefDod=int(default), OrderFld=last + 1
            )

    def remove(self, card: int, firm: str) -> None:
        """Take a supplier off a card, also where it is the main one."""
        with self.hand.saving("SKz", card) as db:
            for address in self.hand.ids("SELECT ID FROM AD WHERE Firma = ?", firm):
                db.execute("DELETE FROM SKzNC WHERE RefAg = ? AND RefAD = ?", (card, address))
                db.execute("UPDATE SKz SET RefAD = NULL, Firma = NULL WHERE ID = ? AND RefAD = ?", (card, address))

    def of(self, card: int) -> list[str]:
        """Names of the suppliers of a card, in their order."""
        sql = "SELECT a.Firma FROM SKzNC n JOIN AD a ON a.ID = n.RefAD WHERE n.RefAg = ? ORDER BY n.OrderFld, n.ID"
        return [name for (name,) in self.hand.db.execute(sql, (card,))]


def _held(value: Given) -> object:
    """What a column of SkRefParam holds: ticks as 0 and 1, dates as moments."""
    if isinstance(value, dt.date):
        return f"{value.isoformat()[:10]} 00:00:00"
    return int(value) if isinstance(value, bool) else value
