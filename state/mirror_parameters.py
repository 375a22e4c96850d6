"""Internet parameters in the mirror: definitions, their lists, and the values of cards.

Cards tell of the parameters that they have, too, by name and type, and a list's values by id and text; unit and
currency only a definition tells. What was told last counts. Where a card contradicts a definition, the definition is
read again when it comes next, changed or not. A definition that changes moves all cards that have the parameter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from state.mirror_rows import NO_DIGEST, Versions, chosen, hang, move_cards, untold_id

_VALUES = "RefParam, ValText, ValDouble, ValLong, ValCurrency, ValDate, OrderFld"
_LISTS = "RefParam, RefParamList, Sel, OrderFld"
_DEFINED = "IDS, SText, RelTyp, Delka, MJ, RefCM"


class Chosen(NamedTuple):
    """One value of a list that a card has."""

    id: int | None
    """``SkParamList.ID``."""
    text: str | None


class CardParameter(NamedTuple):
    """One parameter of a card."""

    id: int | None
    """``SkParam.ID``; None: it is known by its name."""
    name: str | None
    kind: int
    """``RelTyp``; 0: not told."""
    values: tuple[Any, Any, Any, Any, Any]
    """ValText, ValDouble, ValLong, ValCurrency, ValDate."""
    chosen: tuple[Chosen, ...]


class Choice(NamedTuple):
    """One value of a list, as the parameter's definition tells it."""

    id: int | None
    name: str | None
    text: str | None
    order: int | None


class Definition(NamedTuple):
    """The definition of a parameter."""

    id: int
    digest: bytes
    values: tuple[Any, ...]
    """IDS, SText, RelTyp, Delka, MJ, RefCM."""
    choices: tuple[Choice, ...]


class Defined:
    """The definitions in the file, as far as one transaction needs them, and which of them it changed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._known: dict[int, tuple[str, int]] = {}
        self._ids: dict[str, int] = {}
        self._choices: dict[int, str | None] = {}
        self.moved: set[int] = set()
        for row, name, kind in db.execute("SELECT ID, IDS, RelTyp FROM SkParam ORDER BY ID DESC"):
            self._known[row] = name or "", kind
            self._ids[(name or "").casefold()] = row

    def hang(self, card: int, wanted: Sequence[CardParameter]) -> None:
        """Make these the parameters of a card; one without id and name says nothing."""
        values: list[tuple[Any, ...]] = []
        lists: list[tuple[Any, ...]] = []
        for place, one in enumerate(wanted):
            row = self._row(one)
            if row is not None:
                values.append((row, *one.values, place))
                lists += [(row, self._choice(row, each), 1, at) for at, each in enumerate(one.chosen)]
        hang(self._db, "SkRefParam", _VALUES, card, values)
        hang(self._db, "SKRefParamList", _LISTS, card, lists)

    def look_up(self, wanted: Iterable[CardParameter]) -> None:
        """Read the values of lists that these name, all at once."""
        ids = {each.id for one in wanted for each in one.chosen if each.id is not None} - self._choices.keys()
        self._choices.update(chosen(self._db, "SELECT ID, IDS FROM SkParamList WHERE ID IN ({})", sorted(ids)))

    def cards(self) -> set[int]:
        """The cards that have a parameter which changed."""
        found = chosen(self._db, "SELECT RefAg FROM SkRefParam WHERE RefParam IN ({})", sorted(self.moved))
        return {card for (card,) in found}

    def _row(self, one: CardParameter) -> int | None:
        row = self._ids.get((one.name or "").casefold()) if one.id is None else one.id
        if row in self._known:
            name, kind = self._known[row]
            told = one.name or name, one.kind or kind
            if told != (name, kind):
                sql = "UPDATE SkParam SET IDS = ?, RelTyp = ?, Otisk = ? WHERE ID = ?"
                self._db.execute(sql, (*told, NO_DIGEST, row))
                self._learn(row, *told)
        elif one.name:
            row = untold_id(self._db, "SkParam") if row is None else row
            self._db.execute("INSERT INTO SkParam (ID, IDS, RelTyp) VALUES (?, ?, ?)", (row, one.name, one.kind))
            self._learn(row, one.name, one.kind)
        return row

    def _learn(self, row: int, name: str, kind: int) -> None:
        self._known[row] = name, kind
        self._ids[name.casefold()] = row
        self.moved.add(row)

    def _choice(self, parameter: int, one: Chosen) -> int:
        """The row of a list's value, made or renamed where the card says so."""
        row = one.id
        if row is None:
            same = "SELECT min(ID) FROM SkParamList WHERE RefAg = ? AND IDS IS ?"
            row = self._db.execute(same, (parameter, one.text)).fetchone()[0]
            if row is not None:
                return int(row)
            row = untold_id(self._db, "SkParamList")
        if row not in self._choices:
            self._db.execute("INSERT INTO SkParamList (ID, RefAg, IDS) VALUES (?, ?, ?)", (row, parameter, one.text))
            self._choices[row] = one.text
            self.moved.add(parameter)
        elif one.text and one.text != self._choices[row]:
            self._db.execute("UPDATE SkParamList SET IDS = ? WHERE ID = ?", (one.text, row))
            self._db.execute("UPDATE SkParam SET Otisk = ? WHERE ID = ?", (NO_DIGEST, parameter))
            self._choices[row] = one.text
            self.moved.add(parameter)
        return row


def put_parameters(db: sqlite3.Connection, definitions: Sequence[Definition], *, large: bool) -> None:
    """Take in definitions. A list's value that is not told of any more stays: cards say what is chosen."""
    if not definitions:
        return
    versions, moved = Versions(db), set()
    for one in definitions:
        before = db.execute(f"SELECT {_DEFINED} FROM SkParam WHERE ID = ?", (one.id,)).fetchone()
        changed = _put_choices(db, one)
        if changed or before != one.values:
            moved.add(one.id)
        db.execute(
            f"INSERT INTO SkParam (ID, {_DEFINED}, Otisk) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (ID) DO UPDATE SET IDS = excluded.IDS, SText = excluded.SText, RelTyp = excluded.RelTyp,"
            " Delka = excluded.Delka, MJ = excluded.MJ, RefCM = excluded.RefCM, Otisk = excluded.Otisk",
            (one.id, *one.values, one.digest),
        )
    cards = chosen(db, "SELECT RefAg FROM SkRefParam WHERE RefParam IN ({})", sorted(moved))
    move_cards(db, versions, {card for (card,) in cards}, large=large)
    versions.keep()


def _put_choices(db: sqlite3.Connection, one: Definition) -> bool:
    """Take in a list's values; tells whether one of them is new or has another name."""
    present = {
        row: told
        for row, *told in db.execute("SELECT ID, IDS, SText, OrderFld FROM SkParamList WHERE RefAg = ?", (one.id,))
    }
    by_name = {told[0]: row for row, told in present.items()}
    changed = False
    for choice in one.choices:
        row = by_name.get(choice.name) if choice.id is None else choice.id
        row = untold_id(db, "SkParamList") if row is None else row
        told = [choice.name, choice.text, choice.order]
        if present.get(row) != told:
            changed = changed or row not in present or present[row][0] != choice.name
            db.execute(
                "INSERT INTO SkParamList (ID, RefAg, IDS, SText, OrderFld) VALUES (?, ?, ?, ?, ?) ON CONFLICT (ID) DO"
                " UPDATE SET RefAg = excluded.RefAg, IDS = excluded.IDS, SText = excluded.SText,"
                " OrderFld = excluded.OrderFld",
                (row, one.id, *told),
            )
    return changed
