"""The state file: one SQLite database per shop, one connection and one lock in the agent.

Decisions that bind here (each measured): WAL with ``synchronous=FULL``, for a commit must survive the power; one
connection and one lock, for a pool starved threads; only the agent's connection checkpoints (SQLite before 3.51.3 could
corrupt a file when two did), so a command beside a running agent uses ``wal_autocheckpoint=0`` and the inspector
``mode=ro``; `BEGIN IMMEDIATE` for every write, for a transaction that upgrades fails at once whatever the timeout.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from state import damage, migrate, place
from state.errors import StateError, StateFullError

Connection: TypeAlias = sqlite3.Connection
"""What a transaction gives; the agent names the type only from here."""

SQLITE_VERSION = sqlite3.sqlite_version
BUSY_MS = 5_000
"""How long a writer waits for another process's short transaction."""
CHECKPOINT = 16_000
"""Pages of WAL (64 MB) between two checkpoints, for pages that change over and over are then written back once:
measured at a backlog of a million 44 µs per event in and out, 49 with half of it. To read it at a start takes 0.1 s."""
CACHE_KB = 32_000


class StateFile:
    """An open state file. `write` gives a transaction, `read` a moment of peace; both hold the one lock."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the body as one transaction: all of it is durable afterwards, or nothing happened.

        Raises `StateFullError` when it cannot be written and `StateDamagedError` when the file is broken. A broken
        constraint is our bug, not the file's trouble, and stays what it is.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                    raise explain(error, self.path) from error
                raise

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for reading, outside a transaction."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise explain(error, self.path) from error

    def close(self) -> None:
        """Close the file; the last connection that closes folds the WAL in."""
        with self._lock:
            self._connection.close()


def open_state(path: Path, *, beside_agent: bool = False) -> StateFile:
    """Open the file for writing, creating or migrating it.

    ``beside_agent`` is for commands that write while an agent may be running: it never checkpoints and never migrates.
    Raises `StateError` for a path that cannot work (a network share, a missing folder), a schema that is newer than
    this program, or a damaged file.
    """
    place.refuse_network(path)
    if not beside_agent:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"The folder {path.parent} cannot be made: {error.strerror}.", hint="Check [state] file."
            ) from error
    elif not path.exists():
        raise StateError(f"There is no state file {path} yet.", hint="Start the agent first: pohoda-agent run.")
    with opening(path) as connection:
        if not beside_agent:
            _check(connection, path)
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only counts before the first table is made
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={0 if beside_agent else CHECKPOINT}")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        connection.execute(f"PRAGMA journal_size_limit={64 * 1024 * 1024}")
        if beside_agent:
            migrate.require_current(connection)
        else:
            migrate.migrate(connection, path)
    return StateFile(path, connection)


def open_inspector(path: Path) -> StateFile:
    """Open the file for looking only; never disturbs a running agent. Raises `StateError` when there is none."""
    if not path.exists():
        raise StateError(f"There is no state file {path} yet.", hint="Start the agent first: pohoda-agent run.")
    with opening(path, read_only=True) as connection:
        migrate.require_current(connection)
    return StateFile(path, connection)


@contextlib.contextmanager
def opening(path: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    """Connect; when the body fails, let go of the file (Windows renames none that is open) and explain the error."""
    uri = path.absolute().as_uri() + ("?mode=ro" if read_only else "")
    try:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000
        )
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        yield connection
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error):
            raise explain(error, path) from error
        if isinstance(error, migrate.SchemaError):
            raise StateError(str(error), hint=error.hint) from error
        raise


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a damaged file, and somebody else's, before anything is written into it."""
    damage.refuse(connection, path)
    if not migrate.version_of(connection) and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise StateError(
            f"{path} is the database of another program; nothing was written into it.",
            hint="Set [state] file to the name of a file that does not exist yet.",
        )


def explain(error: sqlite3.Error, path: Path) -> StateError:
    """Translate a foreign error once, at this border."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}:
        return StateFullError(
            f"The state file {path} cannot be written: {error}.",
            hint="Free some space on this disk; the agent goes on by itself as soon as a write succeeds.",
        )
    if damage.is_damage(error):
        return damage.damaged(path, error)
    if code == sqlite3.SQLITE_BUSY:
        return StateError(
            f"The state file {path} is locked by another program.",
            hint="Close what has it open for writing (a database browser, a backup).",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return StateError(
            f"The state file {path} cannot be opened.", hint="Check [state] file and the folder's rights."
        )
    return StateError(f"The state file {path} failed: {error}.")
