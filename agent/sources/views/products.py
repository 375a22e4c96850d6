"""The view ``products``: texts and prices of cards in the chosen stores (``SKz``, and one level of ``SkCeny``).

Only the columns of the configured fields are read, and the fingerprint covers exactly those: a new price is no change
of texts that are kept in sync without prices. All rows of a code are given, one per store; which of them speaks for the
code is the target's decision. Popis is the short text (Stručný popis), Popis2 the long one (Podrobný popis), as
POHODA's XML schema says. RelDPHp is 0 none, 1 reduced, 2 basic, 3 third rate (as an integrator reads it; no
documentation); the rates themselves are a setting, for the database does not hold them by that number.

A level's price stands in a row of its own (``SKzCn``), which has no date and no row version. It is read as one more
column of the card, so that comparing the columns sees its change though SKz did not move. By ``rowversion`` or
``modified-at`` such a change is found by the full pass only: `findings` says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select

from agent.errors import SourceUnavailable
from agent.sources import SourceFinding
from agent.sources.columns import MARK, Catalogue, TableColumns
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.rows import FIELDS, MARKS, ProductRow
from agent.sources.views import exact
from agent.sources.views.cards import chosen_stores, code_of, goods, store_names

CHUNK = 2_000
"""Rows of one read of a pass: with their texts some MB. To be given to `PohodaTable` as ``chunk``."""
_MARKS = dict(zip(("Novinka", "Doprodej", "Akce", "Doporucujeme", "Sleva", "Priprav"), MARKS, strict=True))
_COLUMNS: dict[str, dict[str, exact.Kind]] = {
    "name": {"Nazev": exact.text},
    "description": {"Popis2": exact.text, "FmtPopis2": exact.tick},
    "short_description": {"Popis": exact.text, "FmtPopis": exact.tick},
    "ean": {"EAN": exact.text},
    "unit": {"MJ": exact.text},
    "weight": {"Hmotnost": exact.number},
    "vat": {"RelDPHp": exact.number, "SazbaDPH": exact.money},
    "availability": {"Dodani": exact.text},
    "marks": dict.fromkeys(_MARKS, exact.tick),
    "visible": {},
}
"""Field → its columns of SKz and how they are compared. Without the first one the field is left out."""
_PRICES: dict[str, exact.Kind] = {"ProdejKc": exact.money, "ProdejDPH": exact.money, **_COLUMNS["vat"]}
_ONLY_TOLD = {"SazbaDPH"}
"""Columns of a mirror only: an export says the rate itself."""
_LEVEL = "SKzCn.ProdejC"
_WANTED = (
    *("Nazev", "Popis2", "FmtPopis2", "Popis", "FmtPopis", "EAN", "MJ", "Hmotnost", "RelDPHp", "SazbaDPH", "Dodani"),
    *("ProdejKc", "ProdejDPH", _LEVEL),
)
"""What a row is made of, in the order of `_row`; the marks follow."""
_VAT = {0: "none", 1: "low", 2: "high", 3: "third"}


@dataclass(frozen=True, slots=True)
class _Level:
    """A price level: its id and code, and whether its prices are with VAT (``SkCeny.SDph``)."""

    id: int
    code: str
    with_vat: bool


@dataclass(frozen=True, slots=True)
class ProductsView:
    """The settings: fields (of `FIELDS`), whether prices are read and of which level, stores, types of cards.

    The default reads names. ``level`` is the code of a price level (``SkCeny.IDS``), empty for the base price.
    """

    fields: tuple[str, ...] = ("name",)
    prices: bool = False
    level: str = ""
    stores: tuple[str, ...] = ()
    card_types: tuple[int, ...] = (1,)
    level_with_vat: bool | None = None
    """Whether the level's prices are with VAT, for a mirror, in which it does not stand; None: as SkCeny.SDph says."""

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[ProductRow]:
        """Look up columns, stores and the level. Raises `SourceUnavailable`."""
        cards = catalogue.need(reader, "SKz", self._needed())
        names = store_names(reader, catalogue)
        kinds = {name: kind for name, kind in self._kinds().items() if cards.has(name)}
        columns: list[ColumnElement[Any]] = [cards[name] for name in ("ID", "IDS", "RefSklad", "IObchod", *kinds)]
        level = self._level(reader, catalogue)
        if level is not None:
            columns.append(_price_of(level, cards, catalogue.need(reader, "SKzCn", ["RefAg", "RefSkCeny", "ProdejC"])))
            kinds[_LEVEL] = exact.money
        movements = catalogue.find(reader, "SKzPoh")
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=cards,
                narrow=tuple(columns),
                extra=(),
                within=goods(cards, chosen_stores(names, self.stores), self.card_types),
            ),
            digests=partial(exact.digests, kinds=tuple(kinds.values())),
            row=partial(
                _row,
                names=names,
                pick=_picker(kinds),
                has_vat="RelDPHp" in kinds,
                level=level,
                lacking=frozenset(self._lacking(cards)),
            ),
            offered=_offered,
            hints=(),
            witness=movements["ID"] if movements is not None and movements.has("ID") else None,
        )

    def settings(self) -> str:
        """A digest of what decides which rows and columns count."""
        stores = sorted(store.strip().casefold() for store in self.stores)
        fields = sorted({*self.fields} & {*FIELDS})
        formed: tuple[object, ...] = (fields, self.prices, self.level.strip().casefold(), stores)
        formed += (sorted(self.card_types),) if self.level_with_vat is None else (self.card_types, self.level_with_vat)
        return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """Columns, stores and level found, and how many cards are on offer. Raises `SourceUnavailable`."""
        cards = catalogue.need(reader, "SKz", self._needed())
        names = store_names(reader, catalogue)
        chosen = chosen_stores(names, self.stores)
        found = [*self._missing(cards), *self._level_found(reader, catalogue, cards)]
        listed = ", ".join(sorted(names[each] for each in (names if chosen is None else chosen)))
        found.append(SourceFinding("ok", "stores", f"{'all' if chosen is None else 'chosen'}: {listed}"))
        rows = select(func.count()).select_from(cards.clause).where(goods(cards, chosen, self.card_types))
        ticked = reader.scalar(rows.where(func.coalesce(cards["IObchod"], 0) != 0))
        verdict, hint = ("ok", "") if ticked else ("warning", "Tick Internet on the cards that the shop sells.")
        text = f"{reader.scalar(rows)} rows in the chosen stores, {ticked} with the tick Internet."
        return [*found, SourceFinding(verdict, "cards", text, hint)]

    def _missing(self, cards: TableColumns) -> list[SourceFinding]:
        """Say which columns are not there, and what becomes of their fields."""
        found = []
        lacking = self._lacking(cards)
        for name in self.fields:
            for column in cards.missing(_COLUMNS[name].keys() - _ONLY_TOLD):
                what = (
                    f"the field {name} is left as it is in the shop" if name in lacking else "it counts as not ticked"
                )
                found.append(SourceFinding("warning", f"SKz.{column}", f"The column is missing: {what}."))
        if self.prices and not self.level and not cards.has("ProdejDPH"):
            text = "The column is missing: prices with VAT are reckoned from ProdejKc and [pohoda] vat_rates."
            found.append(SourceFinding("warning", "SKz.ProdejDPH", text))
        return found

    def _level_found(self, reader: Reader, catalogue: Catalogue, cards: TableColumns) -> list[SourceFinding]:
        level = self._level(reader, catalogue)
        if level is None:
            return []
        catalogue.need(reader, "SKzCn", ["RefAg", "RefSkCeny", "ProdejC"])
        said = f"{level.code}, {'with' if level.with_vat else 'without'} VAT"
        found = [SourceFinding("ok", "price level", said)]
        if cards.row_version is not None and not cards.has(MARK):
            text = (
                "The rowversion column of SKz does not tell of a changed level price (SKzCn): by it, such a change is "
                "found by the full pass only. The same holds for DatSave."
            )
            found.append(
                SourceFinding(
                    "warning", "price level", text, 'Set row_version = "fingerprint", or a shorter full_pass.'
                )
            )
        return found

    def _needed(self) -> list[str]:
        base = ["ProdejKc"] if self.prices and not self.level else []
        return ["ID", "IDS", "RefSklad", "IObchod", *base]

    def _kinds(self) -> dict[str, exact.Kind]:
        """Columns that are read, and how they are compared; a level's price is not among them."""
        kinds = {column: kind for name in FIELDS if name in self.fields for column, kind in _COLUMNS[name].items()}
        if self.prices:
            kinds |= {column: kind for column, kind in _PRICES.items() if not self.level or column in _COLUMNS["vat"]}
        return kinds

    def _lacking(self, cards: TableColumns) -> list[str]:
        return [
            name
            for name in self.fields
            if _COLUMNS[name] and not (cards.has(next(iter(_COLUMNS[name]))) or (name == "marks" and _some(cards)))
        ]

    def _level(self, reader: Reader, catalogue: Catalogue) -> _Level | None:
        """Look up the level. Raises `SourceUnavailable` that lists those that there are."""
        if not (self.prices and self.level):
            return None
        levels = catalogue.need(reader, "SkCeny", ["ID", "IDS"])
        sdph = [levels["SDph"]] if levels.has("SDph") else []
        found = [
            _Level(raw[0], str(raw[1] or "").strip(), bool(sdph and raw[2]) or bool(self.level_with_vat))
            for raw in reader.all(select(levels["ID"], levels["IDS"], *sdph))
        ]
        for level in found:
            if level.code.casefold() == self.level.strip().casefold():
                return level
        raise SourceUnavailable(
            f"POHODA has no price level {self.level.strip()}.",
            hint=f"Set level to one of: {', '.join(sorted(each.code for each in found)) or 'none'}, or leave it out.",
        )


def _price_of(level: _Level, cards: TableColumns, prices: TableColumns) -> ColumnElement[Any]:
    """The level's price as a column of the card; MAX, for of two rows one must be chosen always alike."""
    mine = prices["RefAg"] == cards["ID"], prices["RefSkCeny"] == literal_column(str(level.id))
    return select(func.max(prices["ProdejC"])).where(*mine).correlate(cards.clause).scalar_subquery()


def _some(cards: TableColumns) -> bool:
    return any(cards.has(column) for column in _MARKS)


def _row(
    raw: Raw,
    *,
    names: Mapping[int, str],
    pick: Callable[[Raw], tuple[Any, ...]],
    has_vat: bool,
    level: _Level | None,
    lacking: frozenset[str],
) -> ProductRow:
    name, long, long_html, short, short_html, ean, unit, weight, kind, rate, soon, net, gross, of_level, *marks = pick(
        (*raw, None)
    )
    if level is not None:
        net, gross = (None, of_level) if level.with_vat else (of_level, None)
    return ProductRow(
        id=raw[0],
        code=code_of(raw),
        store=names.get(raw[2]) or f"#{raw[2]}",
        internet=_offered(raw),
        name=name,
        description=long,
        description_formatted=exact.tick(long_html),
        short_description=short,
        short_formatted=exact.tick(short_html),
        ean=ean,
        unit=unit,
        weight=weight,
        vat=_vat(kind) if has_vat else "",
        vat_rate=rate,
        availability=soon,
        marks=tuple([one for one, ticked in zip(MARKS, marks, strict=True) if ticked and exact.tick(ticked)])
        if any(marks)
        else (),
        net=net,
        gross=gross,
        price_from="SKz.ProdejKc" if level is None else f"{_LEVEL} (level {level.code})",
        lacking=lacking,
    )


def _picker(columns: Iterable[str]) -> Callable[[Raw], tuple[Any, ...]]:
    """Take what `_row` wants out of a raw row whose columns from the fifth on are these, with a None at its end."""
    places = {name: place for place, name in enumerate(columns, 4)}
    return itemgetter(*(places.get(name, -1) for name in (*_WANTED, *_MARKS)))


@lru_cache(maxsize=100)
def _vat(value: object) -> str:
    """POHODA's number of a kind of VAT rate, as a word; NULL is 0, and a number that nobody knows stays one.

    An export that does not say it leaves an empty text, which is no kind.
    """
    if value == "":
        return ""
    known = {str(number): kind for number, kind in _VAT.items()}
    shown = str(exact.number(value))
    return known.get(shown, shown)


def _offered(raw: Raw) -> bool:
    return bool(raw[3])
