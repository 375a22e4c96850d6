"""Claims about the image of an Access file: it serves the views of categories, parameters, suppliers and orders."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.sources.access_memory import Image
from agent.sources.access_rows import OF_VIEWS, READ, Table, Wanted, together
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.reader import Reader
from agent.sources.views.card_categories import CardCategoriesView
from agent.sources.views.card_parameters import CardParametersView
from agent.sources.views.card_suppliers import CardSuppliersView
from agent.sources.views.categories import CategoriesView
from agent.sources.views.orders import OrdersView
from tests.unit.tables_fixture import CARDS, filled

VIEWS: dict[str, Any] = {
    "categories": CategoriesView(),
    "card_categories": CardCategoriesView(),
    "card_parameters": CardParametersView(),
    "card_suppliers": CardSuppliersView(),
    "orders": OrdersView(date(2026, 11, 1), "RefVPrStav", "VPrZasilka"),
}
KINDS: dict[str, tuple[type, Any]] = {
    "bit": (bool, bool),
    "int": (int, int),
    "integer": (int, int),
    "float": (float, float),
    "money": (Decimal, lambda value: Decimal(repr(value))),
    "datetime": (datetime, datetime.fromisoformat),
}
"""How a type is declared → what the driver announces, and how it gives a value."""


def tables(path: Path, wanted: Wanted) -> Iterator[Table]:
    """Tables of a SQLite POHODA as Access's driver would give them."""
    with closing(sqlite3.connect(path)) as db:
        for name, columns in wanted.items():
            declared = {row[1].lower(): row[2].lower() for row in db.execute(f"PRAGMA table_info({name})")}
            there = [column for column in columns if column.lower() in declared]
            kinds = [KINDS.get(declared[column.lower()], (str, str)) for column in there]
            rows = [
                [None if value is None else make(value) for (_, make), value in zip(kinds, row, strict=True)]
                for row in db.execute(f"SELECT {', '.join(there)} FROM {name}")
            ]
            yield Table(name, tuple(there), tuple(kind for kind, _ in kinds), iter([rows]))


def read(reader: Reader, view: Any) -> tuple[dict[int, bytes], list[dict[str, Any]]]:  # noqa: ANN401 - any view
    made = view.prepare(reader, Catalogue())
    raw = made.complete(reader, reader.run(*made.queries.of_ids([1, 2, 3, 4, 5])))
    again = made.complete(reader, reader.run(*made.queries.page(0, 1000)))
    assert view.findings(reader, Catalogue())
    return made.digests(again), [_without_dates(made.row(one)._asdict()) for one in raw]


def _without_dates(row: dict[str, Any]) -> dict[str, Any]:
    """SQLite's dates are as they were written, the image's have microseconds; both are in the fingerprint."""
    parameters = [(*tuple(each)[:8], each.chosen) for each in row.get("parameters", ())]
    return {name: value for name, value in row.items() if name != "date"} | {"parameters": parameters}


@pytest.mark.parametrize("name", VIEWS)
def test_rows_and_fingerprints_are_those_of_sqlite(tmp_path: Path, name: str) -> None:
    path = filled(tmp_path / "books.db")
    wanted = together(READ, OF_VIEWS[name], {"OBJ": ("RefVPrStav", "VPrZasilka")} if name == "orders" else {})
    image = Image()
    image.fill(tables(path, wanted))
    with image.lent(10) as reader, open_database(str(path)).reading() as sqlite:
        assert reader is not None
        found = read(reader, VIEWS[name])
        assert found == read(sqlite, VIEWS[name])
    assert len(found[0]) == {"categories": 3, "orders": CARDS + 1}.get(name, CARDS)


def test_a_description_that_the_driver_cut_is_marked() -> None:
    image = Image()
    rows = [[1, "A", 0, "š" * 8_191], [2, "B", 0, "x" * 16_000]]
    image.fill([Table("SkKat", ("ID", "IDS", "RefNodeID", "SText"), (int, str, int, str), iter([rows]))])
    with image.lent(10) as reader:
        assert reader is not None
        view = CategoriesView(fields=("description",)).prepare(reader, Catalogue())
        assert view.complete is not None
        found = [view.row(raw).description for raw in view.complete(reader, reader.run(*view.queries.page(0, 5)))]
    assert found == [b"", "x" * 16_000]


def test_what_several_views_read_is_named_once() -> None:
    found = together(READ, OF_VIEWS["categories"], OF_VIEWS["card_categories"], OF_VIEWS["card_suppliers"])
    assert found["SkKat"][:3] == ("ID", "IDS", "RefNodeID")
    assert all(len(set(columns)) == len(columns) for columns in found.values())
    assert set(READ["SKz"]) < set(found["SKz"])
