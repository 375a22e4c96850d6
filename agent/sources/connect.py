"""Open POHODA's database for reading, whichever kind it is, by the setting ``[pohoda] database``.

Engines and drivers are imported late: a machine without the ODBC library can still read SQLite, and one without
Access's reader can still read SQL Server. SQLite is bounded in time by its progress handler; the demo and the tests
have their POHODA in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy.dialects.sqlite import pysqlite

from agent.errors import ConfigError, SourceUnavailable
from agent.sources import trouble
from agent.sources.lending import SqlDatabase, Way
from agent.sources.reader import Database
from agent.sources.server_address import read_address

LOCK_WAIT = 2.0
"""Seconds to wait for a lock: POHODA's users come first, the next poll comes soon."""
CALL_LIMIT = 60.0
"""Seconds that one call to SQLite may read before it is cut short, and for SQL Server a statement until its first row,
and again until its last; a chunk of 20,000 cards takes about 0.03 from SQLite."""
_STEPS = 20_000
"""Of SQLite between two looks at the clock: about 1 ms."""


def open_database(
    text: str,
    *,
    user: str | None = None,
    password: str | None = None,
    ico: str | None = None,
    year: int | None = None,
    call_limit: float = CALL_LIMIT,
    lock_wait: float = LOCK_WAIT,
    views: Collection[str] = (),
    columns: Sequence[str] = (),
) -> Database:
    """Make a `Database` of the setting ``[pohoda] database``; connects only when something is read.

    ``text`` is an address ``mssql://user:password@server/database`` (see ``server_address.py``), a path that ends in
    .mdb or .accdb, a path that ends in .db or .sqlite, or ``sqlite:///path``. For SQL Server, ``user`` and ``password``
    win over those in the address, and without a database in it ``ico`` and ``year`` name one. ``views`` are
    those that are read beside ``stock``, and ``columns`` the customer's own of OBJ: of an Access file all that is read
    is read at once.
    Raises `ConfigError` when this is not understood, `EnvironmentProblem` when a driver is missing.
    """
    lower = text.strip().lower()
    if lower.startswith("mssql:"):
        from agent.sources.mssql import open_server  # noqa: PLC0415 - late: SQLite needs none of it

        address = read_address(text.strip(), user=user, password=password, ico=ico, year=year)
        return open_server(address, call_limit=call_limit, lock_wait=lock_wait)
    if "://" not in text and lower.endswith((".mdb", ".accdb")):
        from agent.sources.access import open_access  # noqa: PLC0415 - late: nobody else needs its readers
        from agent.sources.access_rows import read_by  # noqa: PLC0415 - as above

        return open_access(text.strip(), call_limit=call_limit, wanted=read_by(views, columns))
    if "://" not in text and lower.endswith((".db", ".sqlite", ".sqlite3")):
        return open_sqlite(Path(text.strip()), call_limit, lock_wait)
    if lower.startswith("sqlite:///"):
        return open_sqlite(Path(text.strip()[len("sqlite:///") :]), call_limit, lock_wait)
    raise ConfigError(
        "[pohoda] database is not understood.",
        hint='Write "mssql://server/StwPh_12345678_2026", or a path that ends in .mdb, .accdb or .db.',
    )


def open_sqlite(
    path: Path,
    call_limit: float,
    lock_wait: float,
    *,
    what: str = "SQLite file",
    explain: Callable[..., SourceUnavailable] = trouble.of_sqlite,
) -> SqlDatabase:
    """Open read-only by URI. The path is quoted, for a ``?`` or ``#`` in it would end the file name."""
    full = path.absolute().as_posix()
    prefix = "file://" if full.startswith("/") else "file:///"  # a drive letter needs the third slash
    uri = prefix + quote(full, safe="/:") + "?mode=ro"
    driver = pysqlite.dialect.import_dbapi()
    way = Way(
        dialect=pysqlite.dialect(paramstyle="qmark"),
        open=lambda: driver.connect(uri, uri=True, timeout=lock_wait, isolation_level=None, check_same_thread=False),
        errors=driver.Error,
        explain=explain,
        broken=lambda _: False,
        bound=partial(_bound, limit=call_limit, clock=time.monotonic),
        stamp=lambda: _file_id(path),
    )
    return SqlDatabase(way, place=full, described=f"{what} {path.name}, read-only")


def _bound(raw: Any, *, limit: float, clock: Callable[[], float]) -> None:  # noqa: ANN401 - a driver's connection
    deadline = clock() + limit
    raw.set_progress_handler(lambda: int(clock() > deadline), _STEPS)


def _file_id(path: Path) -> tuple[int, int] | None:
    """Which file it is: of one that was replaced (a restored copy) an open connection would read the old for ever."""
    try:
        stat = path.stat()
    except OSError:
        return None  # connecting says what is wrong
    return stat.st_dev, stat.st_ino
