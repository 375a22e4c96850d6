"""Texts and prices over the real drivers: the same rows and fingerprints as from SQLite, long texts whole.

Only what the test server can answer, a SELECT of one table: the price of a level (a subquery) and the pictures (a join)
are compared as text in the unit tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.demo import pohoda
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.reader import Database
from agent.sources.rows import FIELDS
from agent.sources.views.products import ProductsView
from agent.targets.products import Products, ProductSettings
from tests.mssql.drivers import Driver, address
from tests.mssql.engine import load_sqlite
from tests.mssql.server import Server
from tests.unit.pohoda_fixture import do

LONG = "Příliš žluťoučký kůň.\r\n" * 5_000


def read(database: Database) -> tuple[dict[int, bytes], dict[int, Any]]:
    """Fingerprints and values of all cards."""
    target = Products(ProductSettings(fields=FIELDS))
    with database.reading() as reader:
        view = ProductsView(fields=FIELDS, prices=True).prepare(reader, Catalogue())
        raw = reader.run(*view.queries.page(0, 1000))
    values = {one[0]: target.value("", [view.row(one)]) for one in raw}
    return view.digests(raw), values


def test_texts_and_prices_are_the_same_from_sql_server_and_from_sqlite(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    pohoda.create(path, cards=60, catalogue=True)
    do(path, "UPDATE SKz SET Popis2 = ?, FmtPopis2 = 0 WHERE ID = 1", LONG)
    do(path, "UPDATE SKz SET ProdejKc = NULL, Dodani = NULL, Hmotnost = NULL, IObchod = 1 WHERE ID = 2")
    with Server() as server:
        load_sqlite(server.create_database("Books"), path)
        fingerprints, values = read(open_database(address(server, driver, database="Books")))
    assert (fingerprints, values) == read(open_database(str(path)))
    assert values[1]["description"] == "<br>".join(["Příliš žluťoučký kůň."] * 5_000)
