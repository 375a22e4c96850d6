"""The target ``suppliers``: who makes a card's goods, and who sells them to us. Names of businesses, nothing else.

The manufacturer is a text of the card (``SKz.Vyrobce``); suppliers are rows of ``SKzNC``. The card's main supplier
(``SKz.RefAD``) that is missing among them is one, too, and then the default; there is never more than one default.
None for the manufacturer means that there is none any more: ours is taken away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import Unusable
from agent.events import Value, key_of
from agent.targets import GuardCount
from agent.targets.cards import speaking
from agent.targets.names import firm_key, tidy
from agent.targets.texts import line_of

FIELDS = ("manufacturer", "suppliers")
"""The words of ``[targets.suppliers] fields``."""
LONGEST = 64
"""Characters of a name: PrestaShop's limit for manufacturers and suppliers, and for the supplier's code of goods."""
_BATCH = 50
GUARD_FROM = 10
GUARD_SHARE = 0.20


@dataclass(frozen=True, slots=True)
class SupplierSettings:
    """``[targets.suppliers]``: what the shop's owner decided."""

    stores: tuple[str, ...] = ()
    """Codes of the chosen stores, in order; none: all."""
    card_types: tuple[int, ...] = (1,)
    """``SKz.RelSkTyp`` that count; the view reads it, here it names the settings."""
    fields: tuple[str, ...] = FIELDS
    """Of `FIELDS`; what is not among them is never touched."""

    def digest(self) -> str:
        """A digest of what forms the values."""
        stores = tuple(store.strip().casefold() for store in self.stores)
        formed = (stores, sorted(self.card_types), sorted(self.fields))
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Suppliers:
    """The target. Rows are `agent.sources.rows_catalogue.CardSuppliersRow`."""

    settings: SupplierSettings
    name: str = "suppliers"
    thing: str = "product"
    creates: bool = False
    creator: str = "products"
    names: str = "firm"
    namer: str = "suppliers.firms"

    def value(self, key: str, rows: Sequence[Any]) -> Value:  # noqa: ARG002 - the contract: other targets need the key
        """Make the configured fields; None when not on offer. Raises `Unusable` that names the column."""
        return said(rows, self.settings)

    def absent(self) -> Value:
        """None: a card that is not on offer any more keeps its manufacturer and suppliers."""
        return None

    def needs(self, value: Value) -> Sequence[str]:
        """All firms must be in the shop before."""
        return [firm_key(kind, name) for kind, name in named(value)]

    def same(self, sent: Value, confirmed: Value) -> bool:
        """Tell whether the shop's product has these firms, of the fields that both name.

        Names are compared without regard to case, in any order; of a supplier the code and the default only where the
        shop tells of them.
        """
        if not (isinstance(sent, dict) and isinstance(confirmed, dict)):
            return sent == confirmed
        both = sent.keys() & confirmed.keys() & _ALIKE.keys()
        return bool(both) and all(_ALIKE[name](sent[name], confirmed[name]) for name in both)

    def batch_size(self, kind: str) -> int:  # noqa: ARG002 - the contract
        """How many go in one call."""
        return _BATCH

    def nothing(self, value: Value) -> bool:
        """Tell whether a card names no firm."""
        return isinstance(value, dict) and not named(value)

    def counts(self, old: Value, new: Value) -> bool:
        """The guard counts cards that lose all of their firms.

        Where nobody knows what the shop holds none is counted: a new card without firms loses nothing.
        """
        return isinstance(new, dict) and not named(new) and old is not None and bool(named(old))

    def guard(self, count: GuardCount) -> str:
        """Hold when 10 or more, and more than a fifth of all cards, would lose all of their firms."""
        if count.counted < GUARD_FROM or count.counted <= GUARD_SHARE * count.total:
            return ""
        lost = "their manufacturer and all suppliers"
        return f"{count.counted} of {count.total} products would lose {lost}, more than {GUARD_SHARE:.0%}"

    def fingerprint(self) -> str:
        """A digest of what forms the values."""
        return self.settings.digest()


def said(rows: Sequence[Any], settings: SupplierSettings) -> dict[str, Value] | None:
    """What the card that speaks says of its firms, of the configured fields; None when not on offer.

    Raises `Unusable` that names the column of a name that is too long.
    """
    ticked = sorted((row for row in rows if row.internet), key=lambda row: row.id)
    if not ticked:
        return None
    row = speaking(ticked, settings.stores, "")
    made: dict[str, Value] = {}
    if "manufacturer" in settings.fields:
        made["manufacturer"] = _short("SKz.Vyrobce", row.manufacturer) or None
    if "suppliers" in settings.fields:
        made["suppliers"] = _suppliers(row)
    return made


def named(value: Value) -> list[tuple[str, str]]:
    """The firms that a value names: kind (``manufacturer``, ``supplier``) and name."""
    if not isinstance(value, dict):
        return []
    maker, suppliers = value.get("manufacturer"), value.get("suppliers")
    found = [("manufacturer", str(maker))] if maker else []
    for each in suppliers if isinstance(suppliers, list) else ():
        if isinstance(each, dict):
            found.append(("supplier", str(each.get("name"))))
    return found


def _suppliers(row: Any) -> list[Value]:  # noqa: ANN401 - rows of any source
    """Each supplier once, in POHODA's order, a main one that is not among them first."""
    found: dict[str, tuple[str, str]] = {}
    default = ""
    for name, code, preferred in _listed(row):
        key = key_of(name)
        found[key] = (name, code) if key not in found else (found[key][0], found[key][1] or code)
        default = default or (key if preferred else "")
    main = _short("AD.Firma", row.main_supplier)
    if main and key_of(main) not in found:
        found = {key_of(main): (main, ""), **found}
        default = key_of(main)
    default = default or key_of(main)
    return [{"name": name, "code": code, "default": key == default} for key, (name, code) in found.items()]


def _listed(row: Any) -> Iterator[tuple[str, str, bool]]:  # noqa: ANN401 - as above
    for each in row.suppliers:
        name = _short("AD.Firma", each.name)
        if name:
            yield name, _short("SKzNC.ObjKod", each.order_code), bool(each.default)


def _short(column: str, given: object) -> str:
    text = line_of(column, given)
    if len(text) > LONGEST:
        raise Unusable(
            column,
            f"{text[:30]!r}… has {len(text)} characters, and a shop keeps {LONGEST}",
            hint="Shorten it in POHODA, on the card or in the address book.",
        )
    return text


def _same_name(sent: Value, confirmed: Value) -> bool:
    return key_of(tidy(sent)) == key_of(tidy(confirmed))


def _same_suppliers(sent: Value, confirmed: Value) -> bool:
    ours, theirs = _by_key(sent), _by_key(confirmed)
    return ours.keys() == theirs.keys() and all(_same_terms(ours[key], theirs[key]) for key in ours)


def _same_terms(sent: dict[str, Value], confirmed: dict[str, Value]) -> bool:
    both = (sent.keys() & confirmed.keys()) - {"name"}
    return all(tidy(sent[name]) == tidy(confirmed[name]) for name in both)


def _by_key(suppliers: Value) -> dict[str, dict[str, Value]]:
    there = suppliers if isinstance(suppliers, list) else []
    return {key_of(tidy(each.get("name"))): each for each in there if isinstance(each, dict)}


_ALIKE = {"manufacturer": _same_name, "suppliers": _same_suppliers}
