"""Open POHODA's database for reading, and translate every foreign failure at this border.

Decisions: nothing is ever written and no transaction stays open (statements run in autocommit, each is fetched to its
end); each call is bounded in time (SQLite by its progress handler, others by the driver's timeout); rows come straight
from the driver's cursor, for SQLAlchemy's row objects would double the cost of a pass over 200,000 cards. Errors are
told by their text, because drivers disagree about classes and SQLSTATE. Engines and drivers are imported late: a
machine without the ODBC library can still read SQLite.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from agent.errors import ConfigError, EnvironmentProblem, SourceUnavailable
from agent.sources.reader import Reader

LOCK_WAIT = 2.0
"""Seconds to wait for a lock: POHODA's users come first, the next poll comes soon."""
CALL_LIMIT = 60.0
"""Seconds that one call may read before it is cut short; a chunk of 20,000 cards takes about 0.03."""

_TROUBLE = (
    ("locked", "POHODA's database is locked.", "Somebody writes to it for long; the agent tries again by itself."),
    ("unable to open", "POHODA's database cannot be opened.", "Check [pohoda] database: the file must be there."),
    ("not a database", "The file is no database.", "Check [pohoda] database; an MDB file is not read this way."),
    ("malformed", "POHODA's database is damaged.", "Have POHODA check its data; the agent reads nothing until then."),
    ("no such table", "A table is missing.", "Check [pohoda] database: it must be one of an accounting unit."),
    ("no such column", "A column is missing.", "Run `check`: it lists the columns that are needed."),
    ("interrupted", "Reading took too long and was cut short.", "The agent tries again by itself; see `status`."),
    ("decode", "A text in the database is not readable.", "Have POHODA check its data (an invalid character)."),
)


class EngineDatabase:
    """The database of one accounting unit and year. Thread-safe: each thread that reads has its own connection."""

    def __init__(
        self,
        engine: Engine,
        *,
        identity: str,
        file: Path | None = None,
        call_limit: float = CALL_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self.identity = identity
        """A digest of the configured text, without the password: another database behind the name changes it."""
        self._file = file
        self._file_id: tuple[int, int] | None = None
        self._call_limit = call_limit
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Lend a connection for one call. Raises `SourceUnavailable` for every failure of the database inside."""
        driver = self._engine.dialect.loaded_dbapi.Error  # raised by the cursor itself, past SQLAlchemy
        try:
            self._notice_another_file()
            with self._engine.connect() as connection:
                self._bound(connection)
                try:
                    yield Reader(connection)
                except (SQLAlchemyError, driver):
                    connection.invalidate()
                    raise
        except (SQLAlchemyError, driver) as error:
            raise translate(error) from error

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._engine.dispose()

    def _bound(self, connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        deadline = self._clock() + self._call_limit
        if hasattr(raw, "set_progress_handler"):
            raw.set_progress_handler(lambda: int(self._clock() > deadline), 20_000)
        else:
            raw.timeout = math.ceil(self._call_limit)

    def _notice_another_file(self) -> None:
        """Let go of a file that was replaced (a restored copy): an open connection would read the old one for ever."""
        if self._file is None:
            return
        try:
            stat = self._file.stat()
        except OSError:
            self._engine.dispose()
            return  # connecting says what is wrong
        now = (stat.st_dev, stat.st_ino)
        if self._file_id not in {None, now}:
            self._engine.dispose()
        self._file_id = now


def open_database(text: str, *, call_limit: float = CALL_LIMIT, lock_wait: float = LOCK_WAIT) -> EngineDatabase:
    """Make an `EngineDatabase` of the setting ``[pohoda] database``; connects only when something is read.

    ``text`` is ``sqlite:///path``, a path that ends in .db or .sqlite, or ``mssql://user:password@host/database``.
    Raises `ConfigError` for anything else, `EnvironmentProblem` when a driver is missing.
    """
    if text.lower().endswith((".db", ".sqlite", ".sqlite3")) and "://" not in text:
        return _sqlite(Path(text), call_limit, lock_wait)
    if text.startswith("sqlite:///"):
        return _sqlite(Path(text.removeprefix("sqlite:///")), call_limit, lock_wait)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is not None and url.get_backend_name() == "mssql":
        return _mssql(url, call_limit, lock_wait)
    raise ConfigError(
        "[pohoda] database is not understood.",
        hint='Write "mssql://user:${PASSWORD}@server/StwPh_12345678_2026", or a path that ends in .db.',
    )


def _sqlite(path: Path, call_limit: float, lock_wait: float) -> EngineDatabase:
    """Open read-only by URI. The path is quoted, for a ``?`` or ``#`` in it would end the file name."""
    full = path.absolute().as_posix()
    prefix = "file://" if full.startswith("/") else "file:///"  # a drive letter needs the third slash
    url = URL.create("sqlite", database=prefix + quote(full, safe="/:"), query={"mode": "ro", "uri": "true"})
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": lock_wait, "check_same_thread": False},
        pool_size=2,
        max_overflow=8,
        pool_timeout=call_limit,
    )
    return EngineDatabase(engine, identity=_identity(unquote(full)), file=path, call_limit=call_limit)


def _mssql(url: URL, call_limit: float, lock_wait: float) -> EngineDatabase:
    try:
        import pyodbc  # noqa: F401, PLC0415 - late: its import fails where the ODBC library is missing
    except ImportError as error:
        raise EnvironmentProblem(
            "The ODBC library is missing, so SQL Server cannot be read.",
            hint="Install it (Debian: apt install libodbc2) and Microsoft's ODBC Driver 18.",
        ) from error
    engine = create_engine(
        url.set(drivername="mssql+pyodbc"),
        isolation_level="AUTOCOMMIT",
        connect_args={"timeout": math.ceil(lock_wait)},
        pool_size=2,
        max_overflow=8,
        pool_timeout=call_limit,
        pool_pre_ping=True,
    )
    return EngineDatabase(engine, identity=_identity(f"{url.host}/{url.database}"), call_limit=call_limit)


def translate(error: Exception) -> SourceUnavailable:
    """Make a `SourceUnavailable` with a hint of a failure; SQL and parameters are left out, they hold data."""
    orig = getattr(error, "orig", None)
    text = str(orig if orig is not None else error if not isinstance(error, SQLAlchemyError) else type(error).__name__)
    for sign, message, hint in _TROUBLE:
        if sign in text.lower():
            return SourceUnavailable(f"{message} ({text[:200]})", hint=hint)
    return SourceUnavailable(
        f"POHODA's database cannot be read: {text[:200]}", hint="The agent tries again by itself; `check` says more."
    )


def _identity(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
