"""The target ``parameters``: what a card says of itself, as texts that a shop shows: ``{"Barva": ["červená"]}``.

Shops know parameters and their values as texts, so every type is written as a Czech reader expects it:

    number, integer   12,5 cm       a decimal comma, no zeros at its end, no groups, the unit behind one space
    currency          1 234,50 Kč   two decimals, groups of three; the code of another currency than the home one, and
                                    nothing at all (a dead letter) where a source knows only its number
    boolean           Ano, Ne       NULL says nothing
    date              24. 12. 2026  without a time
    text, list        as it is

Spaces are plain ones, for shops compare names and do not take a hard space for a soft one. Which column holds the value
follows from ``SkParam.RelTyp`` where that is known (1 text, 3 boolean, 5 number, 8 list: an integrator's constants) and
its column is filled. Else, and of the types that nobody has written down, it is the column that says something; a 0
says something there only if it is alone, for nobody knows whether POHODA fills the columns that it does not use.

A parameter without a value is left out, so its values of ours are taken away. `terms` makes parameters and values
themselves, by the same function (`said`), so that what a card names is always made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from agent.errors import Unusable
from agent.events import Value, key_of
from agent.targets import GuardCount
from agent.targets.cards import speaking
from agent.targets.days import day_of
from agent.targets.names import term_key, tidy
from agent.targets.texts import canonical_decimal, decimal_of, line_of

LONGEST_VALUE = 255
"""Characters that PrestaShop and Vendure keep of a value (PrestaShop: ``feature_value_lang.value``)."""
LONGEST_NAME = 128
"""PrestaShop: ``feature_lang.name``."""
_BATCH = 50
GUARD_FROM = 10
GUARD_SHARE = 0.20
_HINT = "Correct the parameter of the card in POHODA."
_SKIP = "Add the parameter to skip in [targets.parameters], or make it a number with a unit in POHODA."
_BOOLEAN = 3
_OWN = {1: ("text",), _BOOLEAN: ("whole",), 5: ("number", "whole"), 8: ("chosen",)}
"""``SkParam.RelTyp`` that is known → where its value is."""
_COLUMNS = {
    "chosen": "SkParamList.IDS",
    "text": "SkRefParam.ValText",
    "date": "SkRefParam.ValDate",
    "money": "SkRefParam.ValCurrency",
    "number": "SkRefParam.ValDouble",
    "whole": "SkRefParam.ValLong",
}
"""Fields of a `CardParameter`, those first that are least likely to be filled without a meaning."""
_NUMBERS = ("money", "number", "whole")
_CENT = Decimal("0.01")
_HOME = {"", "czk", "kč"}


@dataclass(frozen=True, slots=True)
class ParameterSettings:
    """``[targets.parameters]``: what the shop's owner decided."""

    stores: tuple[str, ...] = ()
    """Codes of the chosen stores, in order; none: all."""
    card_types: tuple[int, ...] = (1,)
    """``SKz.RelSkTyp`` that count; the view reads it, here it names the settings."""
    skip: tuple[str, ...] = ()
    """Names of parameters that are not transferred."""

    def digest(self) -> str:
        """A digest of what forms the values."""
        stores = tuple(store.strip().casefold() for store in self.stores)
        formed = (stores, sorted(self.card_types), sorted(key_of(tidy(name)) for name in self.skip))
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Parameters:
    """The target. Rows are `agent.sources.rows_catalogue.CardParametersRow`."""

    settings: ParameterSettings
    name: str = "parameters"
    thing: str = "product"
    creates: bool = False
    creator: str = "products"
    names: str = "term"
    namer: str = "parameters.terms"

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """List the values of each parameter; {} when there are none, None when not on offer. Raises `Unusable`."""
        there = said(rows, self.settings)
        return None if there is None else {name: [*values] for name, values in there.items()}

    def absent(self) -> Value:
        """None: a card that is not on offer any more keeps its parameters."""
        return None

    def needs(self, value: Value) -> Sequence[str]:
        """All parameters and values must be in the shop before."""
        return [
            key
            for name, values in _texts(value).items()
            for key in (term_key(name), *(term_key(name, each) for each in values))
        ]

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop's product has these values, in any order and any spelling of the case."""
        if not (isinstance(sent, dict) and isinstance(confirmed, dict)):
            return sent == confirmed
        return set(self.needs(sent)) == set(self.needs(confirmed))

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """How many go in one call."""
        return _BATCH

    def nothing(self, value: Value) -> bool:
        """Tell whether a card has no parameter."""
        return value == {}

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts cards that lose all of their parameters.

        Where nobody knows what the shop holds none is counted: a new card without parameters loses nothing.
        """
        return new == {} and old is not None and old != {}

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than a fifth of all cards, would lose all of their parameters."""
        if count.counted < GUARD_FROM or count.counted <= GUARD_SHARE * count.total:
            return ""
        return f"{count.counted} of {count.total} products would lose all parameters, more than {GUARD_SHARE:.0%}"

    def fingerprint(self) -> str:
        """A digest of what forms the values."""
        return self.settings.digest()


def said(rows: Sequence[Any], settings: ParameterSettings) -> dict[str, list[str]] | None:
    """What the card that speaks says: name → values as texts, sorted by name; None when not on offer.

    Names are one without regard to case, and so are the values of one; the first spelling stays. A parameter whose
    definition is missing has no name, and cannot be shown. Raises `Unusable` that names table and column.
    """
    ticked = sorted((row for row in rows if row.internet), key=lambda row: row.id)
    if not ticked:
        return None
    skipped = {key_of(tidy(name)) for name in settings.skip}
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for one in speaking(ticked, settings.stores, "").parameters:
        name = line_of("SkParam.IDS", one.name)
        if not name or key_of(name) in skipped:
            continue
        _check("SkParam.IDS", name, LONGEST_NAME)
        for value in _values(one):
            found.setdefault(key_of(name), (name, {}))[1].setdefault(key_of(value), value)
    return {name: [*values.values()] for _, (name, values) in sorted(found.items())}


def _values(one: Any) -> list[str]:  # noqa: ANN401 - a parameter of any source
    """The value, or the chosen values, of one parameter as texts; none is empty."""
    kind = _kind(one.kind)
    column = _column(one, kind)
    if not column:
        return []
    if column == "chosen":
        texts = [line_of(_COLUMNS[column], each) for each in one.chosen]
    elif column == "text":
        texts = [line_of(_COLUMNS[column], one.text)]
    elif column == "date":
        day = day_of(_COLUMNS[column], one.date)
        texts = [f"{day.day}. {day.month}. {day.year}"] if day else []
    elif column == "whole" and (kind == _BOOLEAN or isinstance(one.whole, bool)):
        texts = ["Ano" if _number(one, column) else "Ne"]
    else:
        texts = [_figure(one, column)]
    return [_check(_COLUMNS[column], text, LONGEST_VALUE) for text in texts if text]


def _column(one: Any, kind: int) -> str:  # noqa: ANN401 - as above
    """Where the value is; empty: nowhere."""
    own = _OWN.get(kind, ())
    for names in (own, _COLUMNS):
        told = next((name for name in names if _tells(one, name)), "")
        if not told and names is own:
            told = next((name for name in own if name in _NUMBERS and _number(one, name) is not None), "")
        if told:
            return told
    zeros = [] if own else [name for name in _NUMBERS if _number(one, name) is not None]
    return zeros[0] if len(zeros) == 1 else ""


def _tells(one: Any, name: str) -> bool:  # noqa: ANN401 - as above
    """Whether a field holds something that is not nothing, and not 0."""
    if name in _NUMBERS:
        return bool(_number(one, name))
    given = getattr(one, name)
    return any(map(tidy, given)) if name == "chosen" else bool(tidy(given))


def _number(one: Any, name: str) -> Decimal | None:  # noqa: ANN401 - as above
    given = getattr(one, name)
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    return decimal_of(_COLUMNS[name], int(given) if isinstance(given, bool) else given)


def _figure(one: Any, name: str) -> str:  # noqa: ANN401 - as above
    """Write a number with its unit, or an amount with its currency."""
    number = _number(one, name) or Decimal(0)
    if name == "money":
        currency = line_of("SkParam.RefCM", one.currency)
        if currency.startswith("#"):  # the source knows its number only
            raise Unusable("SkParam.RefCM", f"the code of the currency {currency} is not known", hint=_SKIP)
        amount = f"{number.quantize(_CENT, ROUND_HALF_UP) + 0:,.2f}".replace(",", " ").replace(".", ",")
        return f"{amount} {'Kč' if currency.casefold() in _HOME else currency}"
    return f"{canonical_decimal(number).replace('.', ',')} {line_of('SkParam.MJ', one.unit)}".rstrip()


def _kind(given: object) -> int:
    text = str(given).strip()
    return int(text) if text.isdecimal() else 0


def _check(column: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise Unusable(column, f"{text[:30]!r}… has {len(text)} characters, and at most {longest} are sent", hint=_HINT)
    return text


def _texts(value: Value) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        return {}
    return {name: [str(each) for each in values] for name, values in value.items() if isinstance(values, list)}
