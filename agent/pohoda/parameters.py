"""Definitions of internet parameters (tables SkParam, SkParamList) from ``lst:listIntParam``. Source: intParam.xsd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.errors import Unusable
from agent.pohoda.bad import BadItem
from agent.pohoda.elements import each
from agent.pohoda.fields import child, said, short, texts, whole_number
from agent.pohoda.items import Item
from agent.pohoda.names import IPM, TYP

if TYPE_CHECKING:
    from lxml.etree import _Element  # the stubs' name of what every lxml function returns

_I = f"{{{IPM}}}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a parameter of type listValue."""

    id: int | None
    name: str | None
    description: str | None
    sequence: int | None


@dataclass(frozen=True, slots=True)
class InternetParameter:
    """A parameter's definition; its values on cards are in `card.CardParameter`, by the same id."""

    id: int
    name: str | None
    description: str | None
    kind: str | None
    """textValue, currencyValue, booleanValue, numberValue, integerValue, datetimeValue, unit, listValue."""
    unit: str | None
    length: int | None
    """Characters, of a text."""
    currency: str | None
    choices: tuple[Choice, ...]


def parse_many(items: Sequence[Item]) -> list[InternetParameter | BadItem]:
    """Make a definition of every item, in their order."""
    return each(items, _parameter, lambda element: short(texts(element).get(_I + "name")) or "")


def _parameter(element: _Element) -> InternetParameter:
    inside = texts(element)
    ident = said(whole_number, inside, _I + "id")
    if ident is None:
        raise Unusable("id", "a parameter has no id", hint="Export the parameters from POHODA again.")
    settings = child(element, _I + "parameterSettings")
    known = {} if settings is None else texts(settings)
    currency = None if settings is None else child(settings, _I + "currency")
    return InternetParameter(
        id=ident,
        name=short(inside.get(_I + "name")),
        description=short(inside.get(_I + "description")),
        kind=short(inside.get(_I + "parameterType")),
        unit=short(known.get(_I + "unit")),
        length=said(whole_number, known, _I + "length"),
        currency=None if currency is None else short(texts(currency).get(f"{{{TYP}}}ids")),
        choices=() if settings is None else tuple(_choices(settings)),
    )


def _choices(settings: _Element) -> Iterator[Choice]:
    for one in settings.iterchildren(_I + "parameterList"):
        for inside in map(texts, one.iterchildren(_I + "parameterListItem")):
            ident, sequence = (said(whole_number, inside, _I + tag) for tag in ("id", "sequence"))
            yield Choice(ident, short(inside.get(_I + "name")), short(inside.get(_I + "description")), sequence)
