"""The language in which a resource of the fake webservice is described: fields, associations, limits.

A resource is data, so that another one (categories, orders…) is another description and no new code. The attributes
mirror what `?schema=synopsis` of PrestaShop 9.1.4 says of a field, plus how the shop keeps and shows its value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from html import unescape
from typing import Literal, TypeAlias

Cell: TypeAlias = "int | float | str | bool | None | dict[int, str | None]"
"""A value as the shop's PHP would hold it; a dict is a text in several languages, by language id."""
Entry: TypeAlias = dict[str, int]
"""One item of an association, such as ``{"id": 3, "id_feature_value": 12}``."""
Part: TypeAlias = Mapping[str, int | str]
"""One item of an association as it is shown; the rows of an order hold texts, too."""
Kind: TypeAlias = Literal[
    "int", "flag", "decimal", "text", "date", "moment", "null int", "empty int", "null flag", "null"
]
"""How a field is stored. Measured on the JSON of lists: ids are numbers, flags and prices are texts, the time limit
of a low stock is null, an unset ``default_on`` is an empty text, and ``new`` is always null."""

_ZERO: dict[str, Cell] = {
    "int": 0,
    "flag": "0",
    "decimal": "0.000000",
    "text": "",
    "date": "0000-00-00",
    "moment": "0000-00-00 00:00:00",
    "null int": None,
    "empty int": "",
    "null flag": "",
    "null": None,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource, in the words of the synopsis."""

    name: str
    kind: Kind
    format: str = ""
    """The name of the shop's validation rule, a key of `validation.RULES`; empty for none."""
    required: bool = False
    max_size: int = 0
    span: tuple[int, int] | None = None
    """Least and greatest number; checked before the format (recorded for quantities of stock rows)."""
    i18n: bool = False
    read_only: bool = False
    computed: bool = False
    """The shop makes it up when asked (``notFilterable``); what is written into it is not kept by this fake."""
    default: str = ""
    """What a save puts in when the value is empty."""
    link: str = ""
    """The resource that the value points to."""

    @property
    def zero(self) -> Cell:
        """What the database holds when nothing was ever written."""
        return {} if self.i18n else _ZERO[self.kind]


@dataclass(frozen=True, slots=True)
class Association:
    """A list of things that belong to a record."""

    name: str
    node: str
    api: str
    fields: Mapping[str, str] = field(default_factory=lambda: {"id": ""})
    """Name of each part → the resource that it links to (empty: no link)."""
    required: frozenset[str] = frozenset({"id"})
    read_only: frozenset[str] = frozenset()
    virtual: bool = False
    """Its items are no resource of their own: no links to them (recorded for the rows of an order)."""


@dataclass(frozen=True, slots=True)
class Resource:
    """Everything that the webservice knows of one resource."""

    name: str
    node: str
    class_name: str
    """Names the record in validation errors."""
    description: str
    fields: tuple[Field, ...]
    associations: tuple[Association, ...] = ()
    forbidden: frozenset[str] = frozenset()
    """Methods that nobody has (error 101)."""
    index_order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Without ``sort`` the database answers in the order of the index that it used: filtered field → that order.

    The empty name stands for a list without a filter that has an index."""
    indexed: tuple[str, ...] = ()
    """Fields that are looked up often."""
    by_name: Mapping[str, Field] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.fields})


def number(
    name: str,
    rule: str = "",
    *,
    link: str = "",
    required: bool = False,
    span: tuple[int, int] | None = None,
    default: str = "",
    read_only: bool = False,
    computed: bool = False,
) -> Field:
    """Describe a whole number."""
    return Field(
        name,
        "int",
        rule,
        link=link,
        required=required,
        span=span,
        default=default,
        read_only=read_only,
        computed=computed,
    )


def flag(name: str, *, required: bool = False) -> Field:
    """Describe a yes or no, kept as the text 1 or 0."""
    return Field(name, "flag", "isBool", required=required)


def decimal(name: str, rule: str = "", *, max_size: int = 0, required: bool = False) -> Field:
    """Describe a number with six decimals, kept as text."""
    return Field(name, "decimal", rule, max_size=max_size, required=required)


def text(name: str, rule: str = "", max_size: int = 0, *, default: str = "", required: bool = False) -> Field:
    """Describe a text."""
    return Field(name, "text", rule, max_size=max_size, default=default, required=required)


def texts(name: str, rule: str, max_size: int = 0, *, required: bool = False) -> Field:
    """Describe a text in every language of the shop."""
    return Field(name, "text", rule, max_size=max_size, i18n=True, required=required)


def moments(rule: str = "isDate") -> tuple[Field, Field]:
    """Describe the times of adding and changing, which the shop stamps itself."""
    return Field("date_add", "moment", rule), Field("date_upd", "moment", rule)


def whole(value: Cell) -> int:
    """Read a number the way PHP's ``(int)`` does: the leading digits, else 0."""
    if isinstance(value, int | float):  # bool too
        return int(value)
    if not isinstance(value, str):
        return 0
    head = value.strip()
    end = 1 if head[:1] in {"-", "+"} else 0
    while end < len(head) and "0" <= head[end] <= "9":
        end += 1
    try:
        return int(head[:end])
    except ValueError:
        return 0


def purified(html: str) -> str:
    """Write HTML the way the shop's purifier does (from its public documentation, not recorded).

    Breaks are closed, quotes are quoted doubly, entities that need not be are letters.
    """
    html = re.sub(r"<br\s*/?>", "<br />", html)
    html = re.sub(r"=\s*'([^'\"<>]*)'", r'="\1"', html)
    return re.sub(r"&(?!amp;|lt;|gt;)[#\w]+;", lambda found: unescape(found[0]), html)


def slug(name: str) -> str:
    """Make the part of an address out of a name (recorded: ``Černý & syn "Ďáblík" s.r.o.`` → cerny-syn-dablik-sro)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[\s':/\[\]-]+", "-", re.sub(r"[^a-z0-9\s':/\[\]-]", "", plain.strip()))


def stored(one: Field, raw: Cell, languages: tuple[int, ...]) -> Cell:
    """Turn what was written into what the database keeps of it (recorded: 121.5 is read back as 121.500000)."""
    if one.i18n:
        clean = purified if one.format == "isCleanHtml" else str
        if isinstance(raw, dict):
            return {language: clean(raw.get(language) or "") for language in languages}
        return {language: clean(str(raw or "")) for language in languages}
    if isinstance(raw, dict):
        raise TypeError(f"{one.name} has no languages")
    return _PUT_AWAY[one.kind](raw)


def _six_places(raw: Cell) -> str:
    try:
        return str(Decimal(str(raw or "0")).quantize(Decimal("0.000001"), ROUND_HALF_UP))
    except InvalidOperation:
        return "0.000000"


def _yes(raw: float | str | None) -> bool:
    return bool(raw) and raw != "0"


_PUT_AWAY: dict[str, Callable[[float | str | None], Cell]] = {
    "int": whole,
    "null int": lambda raw: None if raw is None or raw == "" else whole(raw),
    "flag": lambda raw: "1" if _yes(raw) else "0",
    "empty int": lambda raw: "" if raw is None or raw == "" else whole(raw),
    "null flag": lambda raw: "1" if _yes(raw) else "",
    "decimal": _six_places,
    "null": lambda _: None,
    "text": lambda raw: str(raw or ""),
    "date": lambda raw: str(raw or _ZERO["date"]),
    "moment": lambda raw: str(raw or _ZERO["moment"]),
}
