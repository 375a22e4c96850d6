"""Categories, parameters, suppliers and orders over the real drivers: the same rows and fingerprints as from SQLite.

Each table is asked by itself, so the test server can answer all of it: pages, lists, ranges, and the second read.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.reader import Database
from agent.sources.strategies import RowVersion
from agent.sources.views.card_categories import CardCategoriesView
from agent.sources.views.card_parameters import CardParametersView
from agent.sources.views.card_suppliers import CardSuppliersView
from agent.sources.views.categories import CategoriesView
from agent.sources.views.orders import OrdersView
from tests.mssql.drivers import Driver, address
from tests.mssql.engine import load_sqlite
from tests.mssql.server import Server
from tests.unit.pohoda_fixture import Clock, Follower
from tests.unit.tables_fixture import CARDS, filled

VIEWS: dict[str, Any] = {
    "categories": CategoriesView(),
    "card_categories": CardCategoriesView(),
    "card_parameters": CardParametersView(),
    "card_suppliers": CardSuppliersView(),
    "orders": OrdersView(date(2026, 11, 1), "RefVPrStav", "VPrZasilka"),
}
DATES = {"date", "cancelled"}


def read(database: Database, view: Any) -> tuple[dict[int, bytes], list[Any]]:  # noqa: ANN401 - any view
    """Fingerprints and rows, dates aside: SQLite has them as texts."""
    with database.reading() as reader:
        made = view.prepare(reader, Catalogue())
        raw = made.complete(reader, reader.run(*made.queries.of_ids([1, 2, 3, 4, 5])))
        again = made.complete(reader, reader.run(*made.queries.page(0, 1000)))
    rows = [made.row(one)._asdict() for one in raw]
    plain = [{name: value for name, value in row.items() if name not in DATES} for row in rows]
    return made.digests(again), [_without_dates(row) for row in plain]


def _without_dates(row: dict[str, Any]) -> dict[str, Any]:
    parameters = row.get("parameters", ())
    return row | {"parameters": [(*each[:7], float(each.money or 0), each.chosen) for each in parameters]}


@pytest.mark.parametrize("name", VIEWS)
def test_rows_and_fingerprints_are_those_of_sqlite(driver: Driver, tmp_path: Path, name: str) -> None:
    path = filled(tmp_path / "books.db")
    with Server() as server:
        load_sqlite(server.create_database("Books"), path)
        found = read(open_database(address(server, driver, database="Books")), VIEWS[name])
    assert found == read(open_database(str(path)), VIEWS[name])
    assert len(found[0]) == {"categories": 3, "orders": CARDS + 1}.get(name, CARDS)


@pytest.mark.parametrize(("name", "row_version"), [(name, kind) for name in VIEWS for kind in ("rowversion", "auto")])
def test_a_change_is_told_once_by_row_version_and_by_comparing(
    driver: Driver, tmp_path: Path, name: str, row_version: RowVersion
) -> None:
    path = filled(tmp_path / "books.db")
    table, column = {"categories": ("SkKat", "IDS"), "orders": ("OBJ", "VPrZasilka")}.get(name, ("SKz", "Vyrobce"))
    with Server() as server:
        database = server.create_database("Books")
        load_sqlite(database, path)
        if row_version == "rowversion":
            database.add_row_version(table)
        source: Any = PohodaTable(
            name,
            open_database(address(server, driver, database="Books")),
            VIEWS[name],
            row_version=row_version,
            clock=Clock(),
        )
        follower = Follower(source)
        follower.all()
        with database.begin() as work:
            work.update(table, 2, **{column: "Změna"})
        told = follower.all()
        again = follower.all()
    by_comparing_unchanged = row_version == "auto" and name in {"card_categories", "card_parameters"}
    assert told == ([] if by_comparing_unchanged else [{"categories": "2", "orders": "e2"}.get(name, "k2")])
    assert again == []
