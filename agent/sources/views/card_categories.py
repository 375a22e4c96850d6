"""The view ``card_categories``: in which categories cards are (``SKz``, ``SkRefKat``; ``SkKat`` for those there are).

A row is one card in one store, as in the view ``products``; its categories are read beside it (see `children`), so a
category given or taken changes the fingerprint of its card. What is no category (a row that is not there, without a
name, or the tree's own root: see `category_tree`) is left out. Which one is the main one only XML tells; a mirror of
exports keeps that in a column of its own, ``Hlavni``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from agent.sources import SourceFinding
from agent.sources.columns import Catalogue, TableColumns
from agent.sources.prepared import Prepared
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader
from agent.sources.rows_catalogue import CardCategoriesRow
from agent.sources.views import exact
from agent.sources.views.cards import code_of
from agent.sources.views.category_tree import category_table, read_tree
from agent.sources.views.children import (
    FIRST,
    Child,
    Children,
    attach,
    card_settings,
    children,
    chosen_cards,
    hanging,
    seen_late,
    witness,
)

_MAIN = "Hlavni"
_WIDTH = 4


@dataclass(frozen=True, slots=True)
class CardCategoriesView:
    """The settings: codes of the chosen stores (none: all) and types of cards."""

    stores: tuple[str, ...] = ()
    card_types: tuple[int, ...] = (1,)

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[CardCategoriesRow]:
        """Look up columns and stores. Raises `SourceUnavailable`."""
        cards, links, table = _tables(reader, catalogue)
        names, within = chosen_cards(reader, catalogue, cards, self.stores, self.card_types)
        return Prepared(
            queries=Queries(
                dialect=reader.connection.dialect,
                table=cards,
                narrow=tuple(cards[name] for name in ("ID", "IDS", "RefSklad", "IObchod")),
                extra=(),
                within=within,
            ),
            digests=partial(exact.digests, kinds=(), more=lambda raw: raw[_WIDTH]),
            row=partial(_row, names=names),
            offered=_offered,
            hints=(links["ID"],),
            witness=witness(reader, catalogue),
            complete=partial(_complete, table=table, links=children(reader, links, ("RefKat", _MAIN), order="ID")),
        )

    def settings(self) -> str:
        """A digest of what decides which rows count."""
        return card_settings(self.stores, self.card_types)

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """How many cards are in categories, and what is seen late. Raises `SourceUnavailable`."""
        cards, links, _ = _tables(reader, catalogue)
        _, within = chosen_cards(reader, catalogue, cards, self.stores, self.card_types)
        found = seen_late(cards, "a card's categories (SkRefKat)")
        return [*found, hanging(reader, cards, links, within, "in a category")]


def _tables(reader: Reader, catalogue: Catalogue) -> tuple[TableColumns, TableColumns, TableColumns]:
    cards = catalogue.need(reader, "SKz", ["ID", "IDS", "RefSklad", "IObchod"])
    return cards, catalogue.need(reader, "SkRefKat", ["ID", "RefAg", "RefKat"]), category_table(reader, catalogue)


def _complete(reader: Reader, rows: Sequence[Raw], *, table: TableColumns, links: Children) -> list[Raw]:
    """Put behind each card its categories, in the order in which they were given, and the main one."""
    tree = read_tree(reader, table)
    found = links.of(reader, [raw[0] for raw in rows])

    def of(raw: Raw) -> tuple[tuple[int, ...], int | None]:
        held: list[Child] = [child for child in found.get(raw[0], ()) if tree.holds(child[FIRST])]
        main = next((category for *_, category, first in held if first), None)
        return tuple(dict.fromkeys([child[FIRST] for child in held])), main

    return attach(rows, _WIDTH, of)


def _row(raw: Raw, *, names: Mapping[int, str]) -> CardCategoriesRow:
    categories, main = raw[_WIDTH]
    return CardCategoriesRow(
        id=raw[0],
        code=code_of(raw),
        store=names.get(raw[2]) or f"#{raw[2]}",
        internet=_offered(raw),
        categories=categories,
        main=main,
    )


def _offered(raw: Raw) -> bool:
    return bool(raw[3])
