"""How the tests here ask the test server, through a real driver."""

from __future__ import annotations

from contextlib import closing
from typing import Any, TypeAlias

import pytest

from tests.mssql.drivers import Driver, odbc
from tests.mssql.server import Server

Connection: TypeAlias = Any
"""Of pyodbc, which has no types and cannot even be imported where the ODBC library is missing."""
BOOKS = "StwPh_12345678_2026"
COLUMNS = {
    "ID": "int",
    "IDS": "varchar(64)",
    "StavZ": "float",
    "ProdejKc": "money",
    "IObchod": "bit",
    "DatSave": "datetime",
    "Popis": "text",
    "Pozn": "varchar(max)",
    "Nazev": "nvarchar(90)",
    "RV": "rowversion",
}
"""Of the table SKz: one of each type that POHODA uses, and a rowversion."""


def connect(server: Server, driver: Driver, *, database: str = BOOKS, **options: object) -> Connection:
    """Open a connection in autocommit. Raises pyodbc's errors."""
    import pyodbc  # noqa: PLC0415 - late, for a machine without the ODBC library

    return pyodbc.connect(odbc(server, driver, database=database, **options), autocommit=True, timeout=2)


def rows(connection: Connection, sql: str, *given: object) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with closing(connection.cursor()) as cursor:
        return [tuple(row) for row in cursor.execute(sql, *given).fetchall()]


def refused(connection: Connection, sql: str) -> str:
    """The text of the error that a statement raises; a failure when it raises none."""
    with pytest.raises(driver_error()) as raised:
        rows(connection, sql)
    return str(raised.value)


def driver_error() -> type[Exception]:
    """The error that all errors of the drivers are."""
    import pyodbc  # noqa: PLC0415 - late, for a machine without the ODBC library

    error: type[Exception] = pyodbc.Error
    return error
