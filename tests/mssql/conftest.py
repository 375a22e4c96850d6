"""A server with one database and one table, and a connection to it by each driver in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.mssql.asking import BOOKS, COLUMNS, Connection, connect
from tests.mssql.drivers import DRIVERS, Driver, need
from tests.mssql.engine import Database
from tests.mssql.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as started:
        started.create_database(BOOKS).create_table("SKz", COLUMNS)
        yield started


@pytest.fixture
def books(server: Server) -> Database:
    return server.database(BOOKS)


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Driver:
    found: Driver = request.param
    need(found)
    return found


@pytest.fixture
def connection(server: Server, driver: Driver) -> Iterator[Connection]:
    with closing(connect(server, driver)) as opened:
        yield opened
