"""The view ``card_suppliers``: manufacturer and suppliers of cards (``SKz``, ``SKzNC``, names from ``AD``).

A row is one card in one store; its suppliers are read beside it (see `children`). A supplier's name is the one in the
address book (``AD.Firma``), so that a renamed firm is one name for all cards; where the address is not there, or may
not be read, the name that stands on the card itself. Of the address book nothing but id and firm is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import null

from agent.sources import SourceFinding
from agent.sources.columns import Catalogue, TableColumns
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.rows_catalogue import CardSupplier, CardSuppliersRow
from agent.sources.views import exact
from agent.sources.views.cards import code_of
from agent.sources.views.children import (
    FIRST,
    Children,
    attach,
    card_settings,
    children,
    chosen_cards,
    hanging,
    missing,
    seen_late,
    witness,
)

FIELDS = ("manufacturer", "suppliers")
_MAKER, _ADDRESS, _FIRM, _WIDTH = range(4, 8)
_OPTIONAL = {
    "ObjKod": "suppliers' own codes are not transferred",
    "DefDod": "none of several suppliers is told to be the default one",
    "OrderFld": "suppliers are ordered as they were added",
}
_OPTIONAL_CARD = {"RefAD": "the main supplier is told by the card's list of suppliers only"}


@dataclass(frozen=True, slots=True)
class CardSuppliersView:
    """The settings: codes of the chosen stores (none: all), types of cards, and what is read (of `FIELDS`)."""

    stores: tuple[str, ...] = ()
    card_types: tuple[int, ...] = (1,)
    fields: tuple[str, ...] = FIELDS

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[CardSuppliersRow]:
        """Look up columns and stores. Raises `SourceUnavailable`."""
        cards = self._cards(reader, catalogue)
        names, within = chosen_cards(reader, catalogue, cards, self.stores, self.card_types)
        suppliers, addresses = self._tables(reader, catalogue)
        columns = [
            cards[name] if field in self.fields and cards.has(name) else null().label(name)
            for name, field in (("Vyrobce", "manufacturer"), ("RefAD", "suppliers"), ("Firma", "suppliers"))
        ]
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=cards,
                narrow=(*(cards[name] for name in ("ID", "IDS", "RefSklad", "IObchod")), *columns),
                extra=(),
                within=within,
            ),
            digests=partial(exact.digests, kinds=(exact.text,), more=_exactly),
            row=partial(_row, names=names),
            offered=_offered,
            hints=() if suppliers is None else (suppliers["ID"],),
            witness=witness(reader, catalogue),
            complete=partial(
                _complete,
                suppliers=_children(reader, suppliers, ("RefAD", "Firma", "ObjKod", "DefDod")),
                addresses=_children(reader, addresses, ("Firma",), parent="ID"),
            ),
        )

    def settings(self) -> str:
        """A digest of what decides which rows and columns count."""
        return card_settings(self.stores, self.card_types, sorted(self.fields))

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """Columns missing, how many cards have suppliers, and what is seen late. Raises `SourceUnavailable`."""
        cards = self._cards(reader, catalogue)
        _, within = chosen_cards(reader, catalogue, cards, self.stores, self.card_types)
        suppliers, addresses = self._tables(reader, catalogue)
        if suppliers is None:
            return []
        found = [*missing(cards, _OPTIONAL_CARD), *missing(suppliers, _OPTIONAL)]
        if addresses is None:
            text = (
                "The address book is not there or may not be read: suppliers are named as on the cards (SKzNC.Firma)."
            )
            found.append(SourceFinding("warning", "AD", text))
        found += seen_late(cards, "a card's suppliers (SKzNC) and their names (AD)")
        return [*found, hanging(reader, cards, suppliers, within, "with suppliers")]

    def _cards(self, reader: Reader, catalogue: Catalogue) -> TableColumns:
        maker = ["Vyrobce"] if "manufacturer" in self.fields else []
        return catalogue.need(reader, "SKz", ["ID", "IDS", "RefSklad", "IObchod", *maker])

    def _tables(self, reader: Reader, catalogue: Catalogue) -> tuple[TableColumns | None, TableColumns | None]:
        """Suppliers and the address book, where they are wanted. Without either's names it raises."""
        if "suppliers" not in self.fields:
            return None, None
        suppliers = catalogue.need(reader, "SKzNC", ["ID", "RefAg", "RefAD"])
        addresses = catalogue.find(reader, "AD")
        if addresses is None and suppliers.has("Firma"):
            return suppliers, None
        return suppliers, catalogue.need(reader, "AD", ["ID", "Firma"])


def _children(
    reader: Reader, table: TableColumns | None, columns: Sequence[str], *, parent: str = "RefAg"
) -> Children | None:
    return None if table is None else children(reader, table, columns, parent=parent)


def _complete(
    reader: Reader, rows: Sequence[Raw], *, suppliers: Children | None, addresses: Children | None
) -> list[Raw]:
    """Put behind each card the name of its main supplier, and its suppliers as the fields of `CardSupplier`."""
    held = suppliers.of(reader, [raw[0] for raw in rows]) if suppliers else {}
    asked = {raw[_ADDRESS] for raw in rows} | {child[FIRST] for some in held.values() for child in some}
    firms = _firms(reader, addresses, asked)

    def of(raw: Raw) -> tuple[Any, ...]:
        mine = [
            (firms.get(row) or firm, code, exact.tick(default)) for *_, row, firm, code, default in held.get(raw[0], ())
        ]
        return (firms.get(raw[_ADDRESS]) or raw[_FIRM], tuple(mine))

    return attach(rows, _WIDTH, of)


def _firms(reader: Reader, addresses: Children | None, asked: Iterable[int | None]) -> dict[int | None, Any]:
    if addresses is None:
        return {}
    return {row: some[0][FIRST] for row, some in addresses.of(reader, [row for row in asked if row]).items()}


def _exactly(raw: Raw) -> object:
    main, suppliers = raw[_WIDTH]
    return [exact.text(main), [[exact.text(n), exact.text(c), d] for n, c, d in suppliers]]


def _row(raw: Raw, *, names: Mapping[int, str]) -> CardSuppliersRow:
    main, suppliers = raw[_WIDTH]
    return CardSuppliersRow(
        id=raw[0],
        code=code_of(raw),
        store=names.get(raw[2]) or f"#{raw[2]}",
        internet=_offered(raw),
        manufacturer=raw[_MAKER],
        main_supplier=main,
        suppliers=tuple([CardSupplier(*each) for each in suppliers]),
    )


def _offered(raw: Raw) -> bool:
    return bool(raw[3])
