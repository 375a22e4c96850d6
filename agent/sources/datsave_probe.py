"""Whether ``SKz.DatSave`` moves when only a quantity moves in this POHODA: told from what is there, by reading only.

No public source says it, and installations may differ. The newest movements (``SKzPoh``, by their ID) are compared with
the ``DatSave`` of the cards that they moved:

* a movement that is younger than its card's ``DatSave`` **left it behind**: the quantity moved and ``DatSave`` did not;
* a card whose ``DatSave`` is of the very day of its newest movement **kept up**, perhaps by being saved for another
  reason; so "it moves" takes many of them, on several days.

Limits: ``SKzPoh.Datum`` is the document's date, without a time and typed by people: of a card saved and moved on one
day nothing is told, a document dated ahead looks younger than it is (those after today are left out), and the opening
balances of a new year left every ``DatSave`` behind. "It stands still" is therefore said of at least three cards and a
tenth of the movements. A wrong "stands still" costs nothing: quantities are then found by comparing, which is sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from agent.sources import SourceFinding
from agent.sources.columns import Catalogue
from agent.sources.reader import Raw, Reader
from agent.sources.statements import NEWEST_MOVEMENTS, SAVED

NEWEST = 200
_NEWEST_SQLITE = f"SELECT ID, RefSKz, Datum FROM SKzPoh ORDER BY ID DESC LIMIT {NEWEST}"  # noqa: S608 - a constant
_SLACK = timedelta(minutes=1)
"""A movement and its card are written by one program, but perhaps not at the same moment."""
_CARDS, _SHARE, _KEPT, _DAYS = 3, 0.1, 0.8, 2


@dataclass(frozen=True, slots=True)
class Told:
    """What the movements tell. Counts are movements, ``cards`` the distinct cards behind ``left``."""

    verdict: Literal["still", "moves", "unknown"]
    judged: int
    left: int
    cards: int
    kept: int


def judge(movements: Sequence[tuple[int, datetime]], saved: dict[int, datetime], today: date) -> Told:
    """Compare movements (card, when) with when the cards were saved; cards that are not in ``saved`` are left out."""
    judged = [(card, when) for card, when in movements if card in saved and when.date() <= today]
    left = [card for card, when in judged if saved[card] + _SLACK < when]
    newest = {card: max(when.date() for each, when in judged if each == card) for card in {card for card, _ in judged}}
    kept = {card: day for card, day in newest.items() if saved[card].date() == day}
    verdict: Literal["still", "moves", "unknown"] = "unknown"
    if len(set(left)) >= _CARDS and len(left) >= _SHARE * len(judged):
        verdict = "still"
    elif len(kept) >= max(_CARDS, _KEPT * len(newest)) and len(set(kept.values())) >= _DAYS:
        verdict = "moves"
    return Told(verdict, len(judged), len(left), len(set(left)), len(kept))


def probe(reader: Reader, catalogue: Catalogue, *, row_version: str) -> SourceFinding:
    """The line ``DatSave`` of ``check``; a warning only where ``row_version`` relies on it.

    Raises `SourceUnavailable`.
    """
    movements, cards = catalogue.find(reader, "SKzPoh"), catalogue.find(reader, "SKz")
    if cards is None or not cards.has("DatSave"):
        return SourceFinding("ok", "DatSave", "there is no such column; quantities are found without it")
    if movements is None or movements.missing(["ID", "RefSKz", "Datum"]):
        text = "cannot be told without the movements (SKzPoh); quantities are found without it"
        return SourceFinding("ok", "DatSave", text)
    found = [(int(card), when) for _, card, moved in _newest(reader) if card and (when := moment(moved))]
    saved = _saved(reader, sorted({card for card, _ in found}))
    return _finding(judge(found, saved, _today(reader)), row_version)


def _finding(told: Told, row_version: str) -> SourceFinding:
    relied = row_version == "modified-at"
    if told.verdict == "still":
        text = f"of the {told.judged} newest movements {told.left} (of {told.cards} cards) left DatSave behind: it "
        text += "stands still when only a quantity moves"
        if relied:
            text += ', so row_version = "modified-at" sees quantities only in the full pass'
            hint = 'Set row_version = "auto": quantities are then found by comparing.'
            return SourceFinding("warning", "DatSave", text, hint)
        return SourceFinding("ok", "DatSave", f"{text}; quantities are found without it")
    if told.verdict == "moves":
        text = f"none of the {told.judged} newest movements" if not told.left else f"{told.left} of {told.judged}"
        text += f" left DatSave behind, and {told.kept} cards were saved on the day they moved: it seems to move with "
        return SourceFinding("ok", "DatSave", f"{text}quantities")
    text = f"the {told.judged} newest movements tell too little ({told.left} left DatSave behind)"
    text = text if told.judged else "there are no movements to tell from whether it moves with quantities"
    return SourceFinding("ok", "DatSave", f"{text}; quantities are found without it" if not relied else text)


def _newest(reader: Reader) -> list[Raw]:
    return reader.run(NEWEST_MOVEMENTS if reader.dialect == "mssql" else _NEWEST_SQLITE)


def _saved(reader: Reader, cards: Sequence[int]) -> dict[int, datetime]:
    if not cards:
        return {}
    rows = reader.run(SAVED.format(marks=", ".join("?" * len(cards))), tuple(cards))
    return {int(card): when for card, saved in rows if (when := moment(saved))}


def _today(reader: Reader) -> date:
    """Today by the database's clock: the same that people date documents by."""
    ask = "SELECT CURRENT_TIMESTAMP" if reader.dialect == "mssql" else "SELECT date('now', 'localtime')"
    now = moment(reader.run(ask)[0][0])
    return date.max if now is None else now.date()


def moment(value: object) -> datetime | None:
    """Read a date or time as a driver gives it (SQLite: a text); None for NULL and for what is none."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - POHODA's times are local, without offset
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        return None
