"""What hangs on rows by a number (``RefAg``, a row of another table): read for many rows at once, without a join.

Decisions: each table is read by itself and put together here, so that no database is asked for a plan over several
tables, and what is named by many (definitions of parameters, names of firms) comes once. For more than a list's length
of rows that lie close together, as those of a page do, one statement reads a range of numbers; else lists are read, for
a few cards among a million must not cost the children of all between them. A list of a table without an index on
``RefAg`` is a scan, so few lists are better than many: a range may bring up to `SPARSE` times what is asked for.
Children are put in their order here (``OrderFld``, then ID): sorting would cost the server more than us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, func, literal_column, null, select, true

from agent.sources import SourceFinding
from agent.sources.columns import MARK, Catalogue, TableColumns
from agent.sources.queries import KEYS, Queries, chunked
from agent.sources.reader import Raw, Reader
from agent.sources.views.cards import chosen_stores, goods, store_names

CHUNK = 5_000
"""Cards of one read of a pass, with ten children each some 10 MB. To be given to `PohodaTable` as ``chunk``."""
SPARSE = 10
Child: TypeAlias = tuple[Any, ...]
"""One row: the number that it hangs on, its order, its id, and from `FIRST` on the columns asked for."""
FIRST = 3


@dataclass(frozen=True, slots=True)
class Children:
    """Rows of one table by the number that they hang on; a column that the table does not have is NULL."""

    _queries: Queries

    def of(self, reader: Reader, parents: Sequence[int]) -> dict[int, list[Child]]:
        """The rows that hang on these numbers, each parent's in their order; a parent without any is missing."""
        wanted = set(parents)
        rows = _in_order(self._read(reader, sorted(wanted)))
        return {parent: list(some) for parent, some in groupby(rows, itemgetter(0)) if parent in wanted}

    def _read(self, reader: Reader, parents: Sequence[int]) -> list[Child]:
        if len(parents) > KEYS and parents[-1] - parents[0] < SPARSE * len(parents):
            return reader.run(*self._queries.between(parents[0], parents[-1]))
        return [raw for some in chunked(parents) for raw in reader.run(*self._queries.of_ids(some))]


def children(
    reader: Reader, table: TableColumns, columns: Sequence[str], *, parent: str = "RefAg", order: str = "OrderFld"
) -> Children:
    """Make the statements that read these columns of a table which hangs on others by the column ``parent``."""
    place = table[order] if table.has(order) else literal_column("0")
    wanted = [table[name] if table.has(name) else null().label(name) for name in columns]
    return Children(
        Queries(
            dialect=reader.connection.dialect,
            table=table,
            narrow=(table[parent], place, table["ID"], *wanted),
            extra=(),
            within=true(),
        )
    )


def _in_order(rows: list[Child]) -> list[Child]:
    """By number, order and id; the ids end every comparison. In place: these are many, and mostly in order already."""
    try:
        rows.sort()
    except TypeError:  # some have no order, or one that is no number: as 0
        rows.sort(key=lambda raw: (raw[0], raw[1] if isinstance(raw[1], int | float) else 0, raw[2]))
    return rows


def attach(rows: Sequence[Raw], width: int, of: Callable[[Raw], Any]) -> list[Raw]:
    """Put one element behind the first ``width`` columns of each row."""
    return [(*raw[:width], of(raw), *raw[width:]) for raw in rows]


def named(reader: Reader, table: TableColumns, name: str = "IDS") -> dict[int, Any]:
    """A small table whole: ID → name, as the driver gave it."""
    return dict(reader.all(select(table["ID"], table[name])))


def witness(reader: Reader, catalogue: Catalogue) -> ColumnElement[Any] | None:
    """A primary key that hardly ever falls by itself: of movements, else of cards (Access and mirrors have no others).

    Of a small table the newest row is deleted now and then, and without a witness that would pass for a restore.
    """
    for name in ("SKzPoh", "SKz"):
        table = catalogue.find(reader, name)
        if table is not None and table.has("ID"):
            return table["ID"]
    return None


# ------------------------------------------------------------------------------------------------- cards and theirs


def card_settings(stores: Sequence[str], card_types: Sequence[int], *more: object) -> str:
    """A digest of what decides which cards count, and of what else a view is set to."""
    formed = (sorted(store.strip().casefold() for store in stores), sorted(card_types), *more)
    return hashlib.blake2b(repr(formed).encode(), digest_size=8).hexdigest()


def chosen_cards(
    reader: Reader, catalogue: Catalogue, cards: TableColumns, stores: Sequence[str], card_types: Sequence[int]
) -> tuple[Mapping[int, str], ColumnElement[bool]]:
    """Names of all stores, and the condition of the cards that count. Raises `SourceUnavailable`."""
    names = store_names(reader, catalogue)
    return names, goods(cards, chosen_stores(names, stores), card_types)


def hanging(
    reader: Reader, cards: TableColumns, table: TableColumns, within: ColumnElement[bool], what: str
) -> SourceFinding:
    """Count the cards on offer and, of them, those that something of this table hangs on, for ``check``."""
    ticked = select(func.count()).select_from(cards.clause).where(within, func.coalesce(cards["IObchod"], 0) != 0)
    held = select(table["RefAg"]).where(table["RefAg"] == cards["ID"]).correlate(cards.clause).exists()
    text = f"{reader.scalar(ticked)} cards with the tick Internet, {reader.scalar(ticked.where(held))} of them {what}."
    return SourceFinding("ok", "cards", text)


def missing(table: TableColumns, columns: Mapping[str, str]) -> list[SourceFinding]:
    """Say which of these columns (name → what follows) a table does not have."""
    return [
        SourceFinding("warning", f"{table.clause.name}.{name}", f"The column is missing: {what}.")
        for name, what in columns.items()
        if not table.has(name)
    ]


def seen_late(table: TableColumns, what: str) -> list[SourceFinding]:
    """Warn where a row version tells nothing of what hangs on a row; in a mirror it does."""
    if table.row_version is None or table.has(MARK):
        return []
    name = table.clause.name
    text = f"The rowversion column of {name} does not tell of {what}: by it, such a change is found by the full pass "
    text += "only. The same holds for DatSave."
    return [SourceFinding("warning", name, text, 'Set row_version = "fingerprint", or a shorter full_pass.')]
