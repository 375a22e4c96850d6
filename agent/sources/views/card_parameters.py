"""The view ``card_parameters``: internet parameters of cards (``SkRefParam``, defined in ``SkParam``).

A row is one card in one store; its parameters are read beside it (see `children`). Of a list parameter the chosen
values (``SKRefParamList`` with ``Sel``, named by ``SkParamList``) belong to the pair of card and parameter, as an
integrator joins them; they come in the order of the card. Parameters whose definition is not there are left out.

Which of the value columns counts hangs on the kind (``SkParam.RelTyp``), and only some of its numbers are known, so all
of them are given and the target decides. The table of currencies is in no source that we know: ``RefCM`` is given as
``#n``, 0 and NULL being the home currency; a mirror of exports may hold the code itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import select

from agent.sources import SourceFinding
from agent.sources.columns import Catalogue, TableColumns
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.rows_catalogue import CardParameter, CardParametersRow
from agent.sources.views import exact
from agent.sources.views.cards import code_of
from agent.sources.views.children import (
    FIRST,
    Child,
    Children,
    attach,
    card_settings,
    children,
    chosen_cards,
    hanging,
    missing,
    named,
    seen_late,
    witness,
)

_WIDTH = 4
_VALUES = ("ValText", "ValDouble", "ValLong", "ValCurrency", "ValDate")
_OPTIONAL = dict.fromkeys(_VALUES, "parameters of that kind are empty") | {
    "OrderFld": "parameters are ordered as they were added",
}
_OPTIONAL_DEFINED = {"MJ": "numbers have no unit", "RefCM": "all prices count as in the home currency"}


@dataclass(frozen=True, slots=True)
class _Tables:
    cards: TableColumns
    values: TableColumns
    defined: TableColumns
    chosen: TableColumns
    choices: TableColumns


@dataclass(frozen=True, slots=True)
class CardParametersView:
    """The settings: codes of the chosen stores (none: all) and types of cards."""

    stores: tuple[str, ...] = ()
    card_types: tuple[int, ...] = (1,)

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[CardParametersRow]:
        """Look up columns and stores. Raises `SourceUnavailable`."""
        tables = _tables(reader, catalogue)
        cards = tables.cards
        names, within = chosen_cards(reader, catalogue, cards, self.stores, self.card_types)
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=cards,
                narrow=tuple(cards[name] for name in ("ID", "IDS", "RefSklad", "IObchod")),
                extra=(),
                within=within,
            ),
            digests=partial(exact.digests, kinds=(), more=_exactly),
            row=partial(_row, names=names),
            offered=_offered,
            hints=(tables.values["ID"],),
            witness=witness(reader, catalogue),
            complete=partial(
                _complete,
                tables=tables,
                values=children(reader, tables.values, ("RefParam", *_VALUES)),
                chosen=children(reader, tables.chosen, ("RefParam", "RefParamList", "Sel")),
            ),
        )

    def settings(self) -> str:
        """A digest of what decides which rows count."""
        return card_settings(self.stores, self.card_types)

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """Columns missing, how many cards have parameters, and what is seen late. Raises `SourceUnavailable`."""
        tables = _tables(reader, catalogue)
        _, within = chosen_cards(reader, catalogue, tables.cards, self.stores, self.card_types)
        return [
            *missing(tables.values, _OPTIONAL),
            *missing(tables.defined, _OPTIONAL_DEFINED),
            *seen_late(tables.cards, "a card's parameters (SkRefParam, SKRefParamList, SkParam)"),
            SourceFinding("ok", "parameters", f"{len(named(reader, tables.defined))} parameters are defined."),
            hanging(reader, tables.cards, tables.values, within, "with parameters"),
        ]


def _tables(reader: Reader, catalogue: Catalogue) -> _Tables:
    """All that is needed: without a right to the lists, their values would be taken from the shop. May raise."""
    return _Tables(
        cards=catalogue.need(reader, "SKz", ["ID", "IDS", "RefSklad", "IObchod"]),
        values=catalogue.need(reader, "SkRefParam", ["ID", "RefAg", "RefParam"]),
        defined=catalogue.need(reader, "SkParam", ["ID", "IDS", "RelTyp"]),
        chosen=catalogue.need(reader, "SKRefParamList", ["ID", "RefAg", "RefParam", "RefParamList", "Sel"]),
        choices=catalogue.need(reader, "SkParamList", ["ID", "IDS"]),
    )


def _complete(reader: Reader, rows: Sequence[Raw], *, tables: _Tables, values: Children, chosen: Children) -> list[Raw]:
    """Put behind each card its parameters, each as the fields of `CardParameter`."""
    cards = [raw[0] for raw in rows]
    defined = _definitions(reader, tables.defined)
    held = values.of(reader, cards)
    lists = chosen.of(reader, [card for card in cards if card in held])
    choices = named(reader, tables.choices) if lists else {}

    def of(raw: Raw) -> tuple[Child, ...]:
        mine = _texts(lists[raw[0]], choices) if raw[0] in lists else {}
        return tuple(
            [
                (*defined[said[FIRST]], *said[FIRST + 1 :], mine.get(said[FIRST], ()))
                for said in held.get(raw[0], ())
                if said[FIRST] in defined
            ]
        )

    return attach(rows, _WIDTH, of)


def _definitions(reader: Reader, table: TableColumns) -> dict[int, Child]:
    """Id of a parameter → its name, kind, unit and currency."""
    more = [table[name] for name in ("MJ", "RefCM") if table.has(name)]
    found = {}
    for row, *known in reader.all(select(table["ID"], table["IDS"], table["RelTyp"], *more)):
        name, kind = known[:2]
        unit = known[2] if table.has("MJ") else None
        currency = known[-1] if table.has("RefCM") else None
        found[row] = (name, kind, unit, _currency(currency))
    return found


def _currency(value: object) -> str:
    """What stands for a currency: empty for the home one, ``#n`` for a number, a code as it is."""
    said = str(value or "").strip()
    return f"#{said}" if said.isdecimal() else said


def _texts(rows: Sequence[Child], choices: Mapping[int, Any]) -> dict[int, tuple[str, ...]]:
    """Of one card: parameter → texts of its chosen values; a value without a name says nothing."""
    found: dict[int, tuple[str, ...]] = {}
    for *_, parameter, choice, selected in rows:
        if exact.tick(selected) and choices.get(choice):
            found[parameter] = (*found.get(parameter, ()), str(choices[choice]))
    return found


def _exactly(raw: Raw) -> object:
    """A card's parameters in one spelling, whichever driver brought them."""
    return [
        [_defined(*said[:4]), said[4] or "", *[None if each is None else exact.money(each) for each in said[5:8]],
         exact.moment(said[8]), said[9]]
        for said in raw[_WIDTH]
    ]  # fmt: skip # one line of thought


@lru_cache(maxsize=10_000)
def _defined(name: object, kind: object, unit: object, currency: object) -> list[object]:
    return [exact.text(name), exact.number(kind), exact.text(unit), currency]


def _row(raw: Raw, *, names: Mapping[int, str]) -> CardParametersRow:
    return CardParametersRow(
        id=raw[0],
        code=code_of(raw),
        store=names.get(raw[2]) or f"#{raw[2]}",
        internet=_offered(raw),
        parameters=tuple([CardParameter(*each) for each in raw[_WIDTH]]),
    )


def _offered(raw: Raw) -> bool:
    return bool(raw[3])
