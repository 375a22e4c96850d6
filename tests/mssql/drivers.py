"""The real ODBC drivers on this machine, and connection strings for them."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote, quote_plus

import pytest

from tests.mssql.server import PASSWORD, USER, Server

Driver: TypeAlias = Literal["FreeTDS", "Microsoft"]
DRIVERS: tuple[Driver, ...] = ("FreeTDS", "Microsoft")
_FREETDS = ("/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so", "/usr/lib/aarch64-linux-gnu/odbc/libtdsodbc.so")


def find(driver: Driver) -> str | None:
    """What to write after ``DRIVER=``: an installed driver's name in braces, or a file; None when there is none."""
    if importlib.util.find_spec("pyodbc") is None:
        return None
    try:
        import pyodbc  # noqa: PLC0415 - its import fails where the ODBC library is missing
    except ImportError:
        return None
    names = sorted(pyodbc.drivers(), reverse=True)
    wanted = "FreeTDS" if driver == "FreeTDS" else "ODBC Driver 18 for SQL Server"
    if wanted in names:
        return "{" + wanted + "}"
    if driver == "FreeTDS":
        return next((path for path in _FREETDS if Path(path).exists()), None)
    return _packaged()


def _packaged() -> str | None:
    """Microsoft's driver in the package mssql-python-odbc: its licence allows use in tests, not passing it on."""
    spec = importlib.util.find_spec("mssql_python_odbc")
    if spec is None or spec.origin is None or sys.platform != "linux":
        return None
    found = Path(spec.origin).parent.glob("libs/linux/debian_ubuntu/*/lib/libmsodbcsql-18*.so*")
    return next((str(path) for path in found if path.parent.parent.name == os.uname().machine), None)


def need(driver: Driver) -> str:
    """The same; skips the test where it is missing, or fails it when REQUIRE_REAL=1."""
    found = find(driver)
    if found is None:
        text = f"the ODBC driver {driver} is missing (libodbc2 and tdsodbc by apt, mssql-python-odbc by pip)"
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail(text)
        pytest.skip(text)
    return found


def odbc(server: Server, driver: Driver, *, database: str = "master", **options: object) -> str:
    """A connection string, for Microsoft's driver without encryption; ``options`` are added or replace (UID, PWD…)."""
    given: dict[str, object] = {"DRIVER": need(driver), "DATABASE": database, "UID": USER, "PWD": PASSWORD}
    if driver == "FreeTDS":
        given |= {"SERVER": "127.0.0.1", "PORT": server.port, "TDS_Version": "7.4", "ClientCharset": "UTF-8"}
    else:
        given |= {"SERVER": f"127.0.0.1,{server.port}", "Encrypt": "no"}
    return ";".join(f"{name}={value}" for name, value in (given | options).items())


def url(server: Server, driver: Driver, *, database: str = "master", **options: object) -> str:
    """The same as an address for SQLAlchemy."""
    return "mssql+pyodbc:///?odbc_connect=" + quote_plus(odbc(server, driver, database=database, **options))


def address(
    server: Server, driver: Driver, *, database: str = "master", login: str = f"{USER}:{PASSWORD}@", **options: str
) -> str:
    """What a user would write in ``[pohoda] database``; not encrypted unless ``options`` say so."""
    given = {"driver": need(driver).strip("{}"), "encrypt": "no"} | options
    host = f"[{server.host}]" if ":" in server.host else server.host
    query = "&".join(f"{name}={quote(value)}" for name, value in given.items())
    return f"mssql://{login}{host}:{server.port}/{database}?{query}"
