"""POHODA's users at work on the test server, and two who follow them over the wire: the agent, and a naive reader.

Writers overlap: a rowversion is given when a row is written and seen when it is committed, and one transaction in a
hundred, a whole delivery note, stays open for 3 s.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from agent.events import key_of
from agent.ingest import Ingest
from agent.sources import Batch, Cursor, Present, Seen
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.strategies import RowVersion
from agent.sources.views.stock import StockRow, StockView
from agent.targets.quantities import Quantities, QuantitySettings
from state import report
from state.db import StateFile, open_state
from tests.mssql.asking import BOOKS, Connection, rows
from tests.mssql.engine import Database
from tests.mssql.server import Server
from tests.mssql.transactions import Transaction

WRITERS, LONG = 6, 3.0
_LONG_ONE_IN, _LONG_CARDS = 101, 30
_CARD = {
    "ID": "int",
    "IDS": "varchar(64)",
    "RefSklad": "int",
    "IObchod": "bit",
    "StavZ": "float",
    "RelSkTyp": "int",
    "Template": "bit",
    "Nazev": "varchar(90)",
    "RV": "rowversion",
}
NEVER = 1e9
ALL = StockView()


def make_books(server: Server, *, cards: int) -> Database:
    """A database with one store and so many cards, all on offer with 10 pieces; their IDs are 1, 2, 3…"""
    books = server.create_database(BOOKS)
    books.create_table("sSklad", {"ID": "int", "IDS": "varchar(10)"})
    books.create_table("SKz", _CARD)
    with books.begin() as work:
        work.insert("sSklad", IDS="HLAVNI")
        for number in range(1, cards + 1):
            new_card(work, f"Zboží-{number:05d}", 10)
    return books


def new_card(work: Transaction, code: str, pieces: float) -> int:
    """Insert a card that is on offer; returns its ID."""
    return work.insert("SKz", IDS=code, RefSklad=1, IObchod=True, StavZ=pieces, RelSkTyp=1, Template=False)


@dataclass(slots=True)
class Writers:
    """Six threads, each with cards of its own that it changes once, in transactions that overlap with the others'."""

    books: Database
    cards: Sequence[int]
    transactions: int
    """Of each writer; with pauses of about 15 ms."""
    seed: int = 1
    committed: set[tuple[int, bytes]] = field(default_factory=set)
    """(card, rowversion) of every committed change."""
    late: int = 0
    """How many transactions stayed open for 3 s."""
    _threads: list[threading.Thread] = field(default_factory=list)
    _failures: list[Exception] = field(default_factory=list)

    def start(self) -> None:
        """Begin to write."""
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def at_work(self) -> bool:
        """Tell whether somebody still writes. Raises what went wrong in a writer."""
        if self._failures:
            raise self._failures[0]
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        """Wait for the last commit."""
        for thread in self._threads:
            thread.join()

    def _write(self, writer: int) -> None:
        chance = random.Random(self.seed * 100 + writer)
        mine = iter(self.cards[writer::WRITERS])
        try:
            for number in range(self.transactions):
                time.sleep(chance.uniform(0.002, 0.02))
                self._one(chance, mine, f"{writer}-{number}", late=self._is_late(number * WRITERS + writer))
        except Exception as error:  # raised again in the test's own thread
            self._failures.append(error)

    def _is_late(self, turn: int) -> bool:
        return turn % _LONG_ONE_IN == _LONG_ONE_IN // 2

    def _one(self, chance: random.Random, mine: Iterator[int], name: str, *, late: bool) -> None:
        chosen = list(islice(mine, _LONG_CARDS if late else chance.randint(1, 2)))
        work = self.books.begin()
        for card in chosen:
            work.update("SKz", card, StavZ=lambda old: old + 1)
        if chance.random() < 0.1:
            chosen.append(new_card(work, f"New-{name}", 7))
        time.sleep(LONG if late else chance.uniform(0, 0.01))
        if not late and chance.random() < 0.02:
            work.rollback()
            return
        work.commit()
        self.late += late
        self.committed.update(versions(self.books, chosen).items())


def versions(books: Database, cards: Sequence[int]) -> dict[int, bytes]:
    """The committed rowversions of some cards."""
    with books.changed:
        held = books.table("SKz").rows
        return {card: held[card][-1] for card in cards}


class Naive:
    """A reader as there are many: everything above the highest rowversion that it has seen."""

    def __init__(self, books: Database, connection: Connection) -> None:
        self._books = books
        self._connection = connection
        self._seen = versions(books, list(books.committed("SKz").rows))
        self.last = max(self._seen.values())

    def read(self) -> None:
        """One poll."""
        for card, version in rows(self._connection, "SELECT ID, RV FROM SKz WHERE RV > ? ORDER BY RV", self.last):
            self._seen[card] = self.last = version

    def lost(self) -> list[int]:
        """The cards whose last change it has not seen."""
        now = versions(self._books, list(self._books.committed("SKz").rows))
        return [card for card, version in now.items() if self._seen.get(card) != version]


class Counting:
    """The source that the agent reads, passed through, with a count of the rows that it read."""

    def __init__(self, source: PohodaTable[StockRow]) -> None:
        self.name = source.name
        self.committed, self.check, self.close = source.committed, source.check, source.close
        self.scanned = self.read_again = 0
        """Rows that detection was given, and rows of the second read."""
        self._source = source

    def read(self, cursor: Cursor | None, seen: Seen) -> Batch:
        found = self._source.read(cursor, seen)
        self.scanned += found.scanned
        return found

    def rows(self, keys: Sequence[str], seen: Seen) -> Present[StockRow]:
        found = self._source.rows(keys, seen)
        self.read_again += len(found.seen)
        return found


@dataclass(slots=True)
class Agent:
    """The real source, ingest and target over a real state file, with nobody to deliver to: what is owed stays."""

    source: Counting
    ingest: Ingest
    state: StateFile
    now: float = 1_800_000_000.0

    def read(self) -> None:
        """Polls until there is no more."""
        self.now += 1
        while self.ingest.step(self.now):
            pass

    def pieces(self) -> dict[str, int]:
        """Key → pieces, as they are owed to the shop."""
        with self.state.read() as db:
            owed = report.deliveries(db, target=None, status="pending", key=None, limit=1_000_000)
        return {row["key"]: int(row["value"]) for row in owed}

    def lost(self, books: Database) -> list[str]:
        """The keys that are owed something else than what the books say."""
        owed = self.pieces()
        return [key for key, pieces in truth(books).items() if owed.get(key) != pieces]


@contextlib.contextmanager
def agent(
    folder: Path,
    place: str,
    *,
    row_version: RowVersion = "rowversion",
    view: StockView = ALL,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Agent]:
    """The agent's reading half, after its first pass; there is no second one that could make good what polls lost."""
    target = Quantities(QuantitySettings(stores=(), deduct="none"))
    source = Counting(
        PohodaTable("stock", open_database(place), view, row_version=row_version, full_pass=NEVER, clock=clock)
    )
    with closing(source), closing(open_state(folder / "state.db")) as state:
        reading = Agent(source, Ingest(source, [target], state, contextlib.nullcontext()), state)
        reading.ingest.prepare()
        reading.read()
        source.scanned = source.read_again = 0
        yield reading


def truth(books: Database) -> dict[str, int]:
    """Key → pieces, as the books say."""
    held: dict[int, tuple[Any, ...]] = books.committed("SKz").rows
    return {key_of(row[1]): int(row[4]) for row in held.values()}
