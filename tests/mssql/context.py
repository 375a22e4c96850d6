"""What a statement is answered from: one connection's database, user and standing, as the evaluation sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.mssql.engine import Database
from tests.mssql.kinds import Kind
from tests.mssql.logins import Login

VERSION = "15.0.2000.5"
PRODUCT = f"Microsoft SQL Server 2019 (RTM) - {VERSION} (X64) (test server)"


@dataclass(slots=True)
class Context:
    """One connection. ``databases`` is the server's own dict, by lower-case name."""

    databases: dict[str, Database]
    database: Database
    user: str
    login: Login
    spid: int
    clock: Callable[[], datetime]
    open_transactions: int = 0
    version: str = VERSION
    """What SERVERPROPERTY says."""


@dataclass(frozen=True, slots=True)
class Result:
    """One answer: a set of rows, or with no columns merely "done"."""

    columns: tuple[tuple[str, Kind], ...] = ()
    rows: Sequence[Sequence[Any]] = field(default=())
    use: str = ""
    """The database that the connection changed to."""
