"""Every statement that reaches SQL Server, from opening to `check`, as both drivers send it.

``python -m tests.mssql.statements_sent`` prints them. The real things are run against the test server, which keeps what
it was sent; parameters are shown as ``?``, and lists of them as ``?…``.
"""

from __future__ import annotations

import inspect
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from agent import parts
from agent.config import load
from agent.demo import pohoda
from agent.sources import queries, statements
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.queries import LENGTHS, as_datetime
from agent.sources.strategies import RowVersion
from agent.sources.views.stock import StockView
from tests.mssql.asking import BOOKS
from tests.mssql.drivers import DRIVERS, Driver, address, find
from tests.mssql.engine import Database, load_sqlite
from tests.mssql.server import Server
from tests.mssql.writers import NEVER, agent, new_card

STRATEGIES: tuple[RowVersion, ...] = ("rowversion", "modified-at", "fingerprint", "auto")
VIEWS = (StockView(), StockView(stores=("HLAVNI",), deduct="reservations", card_types=(1, 5)))
CONFIG = """\
[shop]
name = "eshop"
kind = "prestashop"
url = "http://127.0.0.1:1"
key = "none"
[state]
file = "state.db"
[pohoda]
database = "{database}"
[targets.quantities]
row_version = "{row_version}"
deduct = "received-orders"
"""
_PARAMETER = re.compile(r"@P\d+|\?", re.IGNORECASE)
_LIST = re.compile(r"\?(?:, \?)+")
_NUMBER = re.compile(r"\b(TOP|LOCK_TIMEOUT) \d+")
_TEXT_OR_NAME = re.compile(r"N?'(?:[^']|'')*'|\[[^\]]*\]")
_WORD = re.compile(r"@{0,2}[^\W\d][\w$#]*|;|--|/\*")
_WORDS = """
    INSERT UPDATE DELETE MERGE TRUNCATE INTO CREATE ALTER DROP GRANT DENY REVOKE BACKUP RESTORE BULK WRITETEXT
    UPDATETEXT DECLARE IF WHILE GOTO WAITFOR RETURN TRY THROW RAISERROR PRINT EXEC EXECUTE USE KILL SHUTDOWN DBCC GO
    NOLOCK BEGIN COMMIT ROLLBACK SAVE TRAN TRANSACTION OPENROWSET OPENQUERY OPENDATASOURCE ; -- /*
"""
FORBIDDEN = frozenset(_WORDS.split())
"""Words that write, hand out rights, keep variables, steer or open a transaction, and whatever joins two statements."""


@dataclass(slots=True)
class Sent:
    """What one driver sent: ours, and what it asked and called by itself, each with how often."""

    ours: Counter[str] = field(default_factory=Counter)
    by_driver: Counter[str] = field(default_factory=Counter)
    procedures: Counter[str] = field(default_factory=Counter)


class _Clock:
    """Seconds that go on, and jump when a pass is to be due."""

    jumped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.jumped


def plain(sql: str) -> str:
    """One line; parameters as ``?``, lists of them as ``?…``, a limit of rows or of waiting as ``n``."""
    text = _PARAMETER.sub("?", " ".join(sql.split()))
    return _NUMBER.sub(r"\1 n", _LIST.sub("?…", text))


def forbidden(sql: str) -> list[str]:
    """What of a statement must not be there; its texts and bracketed names aside. ``@`` is a variable."""
    words = _WORD.findall(_TEXT_OR_NAME.sub(" ", _PARAMETER.sub("?", sql)))
    found = [word for word in words if word.upper() in FORBIDDEN or word.startswith("@")]
    if sql.lstrip().upper().startswith("SET "):
        return [word for word in found if word.upper() != "TRANSACTION"]  # SET TRANSACTION ISOLATION LEVEL opens none
    return found if sql.lstrip().upper().startswith("SELECT ") else [sql.split(maxsplit=1)[0], *found]


def collect(driver: Driver, folder: Path) -> Sent:
    """Run everything that reads POHODA, over this driver, and return what the server was sent."""
    with Server() as server:
        books = make_books(server, folder)
        for number, row_version in enumerate(STRATEGIES):
            for view in VIEWS:
                home = folder / f"{number}-{VIEWS.index(view)}"
                home.mkdir()
                _follow(server, driver, books, home, row_version=row_version, view=view)
            _check(folder, address(server, driver, database=BOOKS), row_version)
        _check(folder, address(server, driver, database="StwPh_12345678_2019"), "auto")
        _check(folder, address(server, driver, login="agent:wrong@", database=BOOKS), "auto")
        sent = Sent(procedures=server.procedures)
        for sql in server.log:
            (sent.by_driver if sql.startswith("sp_") else sent.ours)[plain(sql)] += 1
        return sent


def make_books(server: Server, folder: Path) -> Database:
    """POHODA's own tables with 60 cards, a rowversion on them, and the list of accounting units."""
    pohoda.create(folder / "books.db", cards=60)
    books = server.create_database(BOOKS)
    load_sqlite(books, folder / "books.db")
    books.add_row_version("SKz")
    books.create_table("OBJpol", {"ID": "int", "RefAg": "int", "Mnozstvi": "float"})
    system = server.create_database("StwPh_sys")
    system.create_table("Firma", {"ID": "int", "ICO": "varchar(12)", "Rok": "int", "Soubor": "varchar(64)"})
    with books.begin() as work, system.begin() as unit:
        moved = as_datetime("2026-03-01 10:00:00")
        work.insert("SKzPoh", RefSKz=1, Datum=moved, PohPMJ=-1)
        unit.insert("Firma", ICO="12345678", Rok=2026, Soubor=BOOKS)
    return books


def _follow(
    server: Server, driver: Driver, books: Database, home: Path, *, row_version: RowVersion, view: StockView
) -> None:
    """A first pass, polls with and without changes, a renamed and a deleted card, lost connections, a second pass."""
    clock = _Clock()
    with agent(
        home, address(server, driver, database=BOOKS), row_version=row_version, view=view, clock=clock
    ) as reading:
        reading.read()
        with books.begin() as work:
            work.update("SKz", 2, StavZ=lambda old: (old or 0) + 1, DatSave=server.clock())
            work.update("SKz", 3, IDS=f"Renamed {home.name}", DatSave=server.clock())
            new = new_card(work, f"New {home.name}", 7)
        reading.read()
        server.drop_connections()
        clock.jumped += 2 * NEVER
        reading.read()
        with books.begin() as work:
            for card in range(4, 50):
                work.update("SKz", card, StavZ=lambda old: (old or 0) + 1)
            work.delete("SKz", new)
        clock.jumped += 2 * NEVER
        reading.read()


def _check(folder: Path, place: str, row_version: RowVersion) -> None:
    """The command ``check``, as far as it asks POHODA."""
    path = folder / "eshop.toml"
    path.write_text(CONFIG.format(database=place, row_version=row_version), encoding="utf-8")
    (config,) = load([path])
    parts.check_pohoda(config)


def collected() -> dict[str, str]:
    """Statement → where it is written down: the constants, and what the view's statements are compiled to."""
    found = {}
    for module in (statements, queries):
        for name, value in inspect.getmembers(module):
            if name.isupper() and not name.startswith("_") and isinstance(value, str):
                for marks in _marks(value):
                    found[plain(value.format(lock_timeout=2000, marks=marks))] = f"{module.__name__}.{name}"
    return found


def _marks(text: str) -> Sequence[str]:
    """A list of parameters may have one or several."""
    return ("?", "?, ?") if "{marks}" in text else ("",)


def compiled(place: str) -> Iterator[str]:
    """What the view's statements are compiled to, for the tables of this database, without sending any."""
    with closing(open_database(place)) as database, database.reading() as reader:
        for view in (*VIEWS, StockView(deduct="received-orders")):
            catalogue = Catalogue()
            made = view.prepare(reader, catalogue)
            asked = [made.queries.page(0, 1), made.queries.versions(0, 1, 1)]
            asked.append(made.queries.saved(as_datetime("2026-01-01"), 0, 1))
            for count in LENGTHS:
                asked += [made.queries.of_ids([1] * count), made.queries.of_codes(["a"] * count)]
            columns = [made.queries.narrow[0], made.queries.table["DatSave"], made.queries.version, *made.hints]
            asked += [made.queries.highest(each) for each in columns]
            yield from (plain(sql) for sql, _ in asked)


def main() -> None:
    """Print them, driver by driver."""
    for driver in DRIVERS:
        if find(driver) is None:
            print(f"{driver}: the driver is missing", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            show(driver, collect(driver, Path(folder)))


def show(driver: Driver, sent: Sent) -> None:
    """Print what one driver sent."""
    print(f"\n== {driver}: {len(sent.ours)} different statements of ours")
    for sql, count in sorted(sent.ours.items()):
        print(f"{count:5} x  {sql}")
    print(f"-- {driver} by itself: {dict(sent.by_driver) or 'nothing'}")
    print(f"-- {driver} sends by: {dict(sent.procedures) or 'plain batches'}")


if __name__ == "__main__":
    main()
