"""Internet parameters of documents as POHODA's columns: which number a type has, and which column holds its value.

Of SkParam.RelTyp only 1, 3, 5 and 8 are known, from an integrator who reads POHODA's tables; XML tells types by words,
so the others are numbers of our own, for the mirror only. What is no value of its type is kept as it stands, in the
column of that type: the target says what is wrong with it, and the card's other values are not held up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agent.pohoda import card, fields
from agent.pohoda.parameters import InternetParameter
from state.mirror_parameters import CardParameter, Choice, Chosen, Definition

TEXT, CURRENCY, BOOLEAN, INTEGER, NUMBER, DATE, UNIT, LIST = range(1, 9)
TYPES = {
    "textValue": TEXT,
    "currencyValue": CURRENCY,
    "booleanValue": BOOLEAN,
    "integerValue": INTEGER,
    "numberValue": NUMBER,
    "datetimeValue": DATE,
    "unit": UNIT,
    "listValue": LIST,
}
"""Word of typ:internetParameterType -> RelTyp; 0 stands for another word, and for none."""
_NOTHING = (None, None, None, None, None)
_TICKS = {"ano": True, "ne": False, "-1": True}
"""Beside true, false, 1 and 0: as POHODA shows a boolean, and as its databases may hold one."""


def definition_of(item: InternetParameter, digest: bytes) -> Definition:
    """Make the rows of a definition, with the digest that it had in its document."""
    kind = TYPES.get(item.kind or "", 0)
    values = (item.name, item.description, kind, item.length, item.unit, item.currency)
    choices = tuple([Choice(one.id, one.name, one.description, one.sequence) for one in item.choices])
    return Definition(item.id, digest, values, choices)


def parameters_of(items: Sequence[card.CardParameter]) -> tuple[CardParameter, ...]:
    """Make the rows of a card's parameters, in the order that the card gives them."""
    found = sorted(items, key=lambda one: one.order or 0)
    return tuple([_parameter(one) for one in found])


def _parameter(item: card.CardParameter) -> CardParameter:
    kind = TYPES.get(item.kind or "", 0)
    if kind == LIST:
        inside = sorted(item.values, key=lambda one: one.order or 0)
        chosen = tuple([Chosen(one.id, one.value) for one in inside if one.id is not None or one.value])
        return CardParameter(item.id, item.name, kind, _NOTHING, chosen)
    text = next((one.value for one in item.values if one.value), None)
    values: list[Any] = [*_NOTHING]
    if text is not None:
        column, read = _COLUMNS.get(kind, (0, str))
        try:
            values[column] = read(text)
        except ValueError:
            values[0 if kind == UNIT else column] = text
    return CardParameter(item.id, item.name, kind, (values[0], values[1], values[2], values[3], values[4]), ())


def _tick(text: str) -> bool | None:
    folded = text.strip().casefold()
    return _TICKS[folded] if folded in _TICKS else fields.flag(text)


def _whole(text: str) -> int | float | None:
    found = fields.number(text)
    return found if found is None else int(found) if found == found.to_integral_value() else float(found)


def _number(text: str) -> float | None:
    found = fields.number(text)
    return None if found is None else float(found)


def _day(text: str) -> str | None:
    found = fields.day(text)
    return None if found is None else found.isoformat()


_COLUMNS: dict[int, tuple[int, Callable[[str], Any]]] = {
    CURRENCY: (3, _number),
    BOOLEAN: (2, _tick),
    INTEGER: (2, _whole),
    NUMBER: (1, _number),
    DATE: (4, _day),
    UNIT: (1, _number),
}
"""RelTyp -> place of its column among ValText, ValDouble, ValLong, ValCurrency, ValDate, and what reads the text."""
