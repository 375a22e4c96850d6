"""Where the books lie that the crash test writes into: a SQLite file, or the TDS test server that is itself restarted.

The server lives in the process of the crash test, so it survives the agents that are killed. Its users work at the same
time, each in a transaction that stays open for a while, every 6 s one for 3 s; when the server goes down amid it, it is
rolled back, and they do it again.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from tests.mssql.drivers import Driver, address
from tests.mssql.engine import load_sqlite
from tests.mssql.errors import SqlError
from tests.mssql.server import Server
from tests.mssql.writers import LONG

NAME = "StwPh_12345678_2026"
_LONG_EVERY = 6.0
Hand: TypeAlias = Callable[[int, int], None]
"""Gives a card (its ID) so many pieces; committed when it returns."""


class Books(Protocol):
    """The books of one accounting unit, as the crash test uses them."""

    @property
    def address(self) -> str:
        """For ``[pohoda] database``."""

    @property
    def hands(self) -> int:
        """How many write at the same time."""

    @property
    def calm(self) -> float:
        """Seconds without work after which nothing is still to be noticed: a pass and the rest after it."""

    @property
    def restarts(self) -> int:
        """How often the server went down so far."""

    def hand(self, chance: random.Random) -> AbstractContextManager[Hand]:
        """Somebody who writes, in a thread of their own."""

    def trouble(self) -> AbstractContextManager[None]:
        """Restarts of the server, now and then, for as long as the body runs."""


class InFile:
    """A SQLite file: one writer, no server to restart."""

    hands, calm, restarts = 1, 2.0, 0

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def address(self) -> str:
        return self._path.name

    @contextlib.contextmanager
    def hand(self, chance: random.Random) -> Iterator[Hand]:  # noqa: ARG002 - the protocol's signature
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=10)) as db:

            def write(card: int, pieces: int) -> None:
                now = _now().isoformat(sep=" ", timespec="milliseconds")
                db.execute("UPDATE SKz SET StavZ = ?, DatSave = ? WHERE ID = ?", (pieces, now, card))

            yield write

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        yield


class OnServer:
    """The TDS test server, with a copy of the tables of a SQLite file."""

    hands, calm = 8, 6.0

    def __init__(self, server: Server, path: Path, *, driver: Driver, row_version: bool, seed: int) -> None:
        self._server = server
        self._books = server.create_database(NAME)
        load_sqlite(self._books, path)
        if row_version:
            self._books.add_row_version("SKz")
        self._driver: Driver = driver
        self._chance = random.Random(seed)
        self._next_long = 0.0
        self.restarts = 0

    @property
    def address(self) -> str:
        return address(self._server, self._driver, database=NAME)

    @contextlib.contextmanager
    def hand(self, chance: random.Random) -> Iterator[Hand]:
        def write(card: int, pieces: int) -> None:
            while not self._done(card, pieces, self._stays_open(chance)):
                time.sleep(0.1)

        yield write

    def _stays_open(self, chance: random.Random) -> float:
        now = time.monotonic()
        if now < self._next_long:
            return chance.uniform(0, 0.01)
        self._next_long = now + _LONG_EVERY
        return LONG

    def _done(self, card: int, pieces: int, held: float) -> bool:
        try:
            with self._books.begin() as work:
                work.update("SKz", card, StavZ=pieces, DatSave=_now())
                time.sleep(held)
        except SqlError:  # the server went down meanwhile
            return False
        return True

    @contextlib.contextmanager
    def trouble(self) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._restart_until, args=(over,), name="trouble", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _restart_until(self, over: threading.Event) -> None:
        """Be away for about a second every few seconds; up again when it returns."""
        while not over.wait(self._chance.uniform(1.5, 4.0)):
            down = self._chance.uniform(0.5, 1.5)
            self._server.restart(down=down)
            self.restarts += 1
            time.sleep(down + 0.2)


def _now() -> datetime:
    return datetime.now()  # noqa: DTZ005 - POHODA's times are local, without offset
