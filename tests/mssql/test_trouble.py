"""Failures of SQL Server over both drivers: each is told apart in our words, and read on after without a loss."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.sources import trouble
from agent.sources.connect import open_database
from agent.sources.mssql import CHUNK
from agent.sources.pohoda_db import PohodaTable
from agent.sources.reader import Database, Raw
from agent.sources.server_errors import SERVER_ERRORS
from agent.sources.strategies import RowVersion
from agent.sources.views.stock import StockView
from tests.mssql import engine, faults
from tests.mssql.asking import BOOKS
from tests.mssql.drivers import Driver, address
from tests.mssql.engine import load_sqlite
from tests.mssql.faults import Fault
from tests.mssql.server import PASSWORD, USER, Server
from tests.unit.pohoda_fixture import Clock, Follower, cards

CARDS = 100
_DENIED = "The SELECT permission was denied on the {} 'SKz', database 'StwPh_12345678_2026', schema 'dbo'."


@dataclass(frozen=True, slots=True)
class Case:
    """A failure that the server can make while something is read, and what must be said of it."""

    fault: Fault
    said: str
    """Regular expression."""


CASES = {
    "deadlock": Case(faults.DEADLOCK, r"deadlock.*\(1205\)"),
    "lock timeout": Case(faults.LOCK_TIMEOUT, r"locked by somebody.*\(1222\)"),
    "right to a table": Case(Fault(229, text=_DENIED.format("object")), r"right to read the table SKz is missing"),
    "right to a column": Case(
        Fault(230, text="The SELECT permission was denied on the column 'StavZ' of the object 'SKz', database 'x'."),
        r"right to read the column StavZ is missing",
    ),
    "table": Case(Fault(208, text="Invalid object name 'SKz'."), r"table SKz is missing"),
    "column": Case(Fault(207, text="Invalid column name 'StavZ'."), r"column StavZ is missing"),
    "database": Case(Fault(911, text="Database 'StwPh_1' does not exist."), r"database StwPh_1 does not exist"),
    "restoring": Case(
        Fault(927, text="Database 'B' cannot be opened. It is in the middle of a restore."), r"B is being restored"
    ),
    "offline": Case(Fault(942, text="Database 'B' cannot be opened because it is offline."), r"database B is offline"),
    "single user": Case(Fault(924, text="Database 'B' is already open and can only have one user."), r"single user"),
    "default database": Case(Fault(4064, text="Cannot open user default database. Login failed."), r"default database"),
    "log full": Case(
        Fault(9002, text="The transaction log for database 'B' is full due to X."), r"log of .* B is full"
    ),
    "damage": Case(Fault(823, text="The operating system returned error 21 in file 'C:\\B.mdf'."), r"found damage"),
    "damaged page": Case(Fault(824, text="SQL Server detected a logical I/O error: incorrect checksum."), r"damage"),
    "for now": Case(Fault(40613, text="Database 'B' on server 'x' is not currently available."), r"busy for now"),
    "memory": Case(Fault(701, text="There is insufficient system memory in resource pool 'default'."), r"memory"),
    "any other": Case(Fault(8115, text="Arithmetic overflow error converting 'Jan Novák' to int."), r"its error 8115"),
    "broken": Case(faults.drop(after=CARDS // 2), r"connection to SQL Server broke"),
    "broken before the rows": Case(faults.drop(), r"connection to SQL Server broke"),
    "killed": Case(
        Fault(596, text="Cannot continue the execution because the session is in the kill state.", then_gone=True),
        r"SQL Server ended our connection",
    ),
    "shutting down": Case(Fault(6005, text="SHUTDOWN is in progress.", then_gone=True), r"is shutting down"),
    "timeout": Case(faults.HANG, r"took too long"),
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cards(tmp_path_factory.mktemp("pohoda") / "books.db", CARDS)


@pytest.fixture
def pohoda(file: Path, server: Server) -> engine.Database:
    books = server.create_database(BOOKS)
    load_sqlite(books, file)
    return books


@pytest.fixture
def database(server: Server, driver: Driver) -> Iterator[Database]:
    opened = open_database(address(server, driver, database=BOOKS), call_limit=1)
    yield opened
    opened.close()


@pytest.fixture(params=["fingerprint", "rowversion"])
def follower(request: pytest.FixtureRequest, pohoda: engine.Database, database: Database) -> Follower:
    strategy: RowVersion = request.param
    if strategy == "rowversion":
        pohoda.add_row_version("SKz")
    return Follower(PohodaTable("stock", database, StockView(), row_version=strategy, clock=Clock()))


def change(books: engine.Database, *ids: int) -> None:
    with books.begin() as work:
        for row in ids:
            work.update("SKz", row, StavZ=lambda old: (old or 0) + 1000)


def truth(books: engine.Database) -> dict[str, list[Any]]:
    table = books.committed("SKz")
    code, stock = table.position("IDS"), table.position("StavZ")
    return {row[code].casefold(): [row[stock]] for row in table.rows.values()}


def failing(read: Callable[[], object]) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught:
        read()
    said = f"{caught.value} {caught.value.hint}"
    assert caught.value.hint
    assert not re.search(r"SELECT .*FROM|RefSklad|Novák|\[Microsoft\]|\[FreeTDS\]", said), "neither SQL nor data"
    assert PASSWORD not in said
    return caught.value


@pytest.mark.parametrize("name", CASES)
def test_a_failure_while_reading_is_told_and_nothing_is_lost(
    server: Server, pohoda: engine.Database, follower: Follower, name: str
) -> None:
    follower.all()
    change(pohoda, 3, CARDS)
    server.faults.add(r"FROM \W?SKz\b", CASES[name].fault, times=2)  # the first statement may be tried twice
    assert re.search(CASES[name].said, str(failing(follower.all)))
    server.faults.clear()
    change(pohoda, 4)
    follower.all()
    assert follower.stock == truth(pohoda)
    assert server.faults.met >= 1


@pytest.mark.parametrize("name", ["broken", "deadlock", "right to a table", "timeout"])
def test_a_failure_of_the_second_read_is_told_and_nothing_is_lost(
    server: Server, pohoda: engine.Database, follower: Follower, name: str
) -> None:
    follower.all()
    change(pohoda, 3, CARDS)
    server.faults.add(r"\bIN \(", CASES[name].fault, times=2)
    failing(follower.all)
    server.faults.clear()
    follower.all()
    assert follower.stock == truth(pohoda)


@pytest.mark.parametrize("name", CASES)
def test_no_failure_keeps_a_connection_or_a_lock(
    server: Server, pohoda: engine.Database, database: Database, name: str
) -> None:
    server.faults.add(r"FROM \W?SKz\b", CASES[name].fault)
    with database.reading() as reader:
        failed = reader.run("SELECT @@SPID")
    failing(lambda: in_one_call(database, lambda: None, "SELECT ID, IDS FROM SKz"))
    with database.reading() as reader:
        assert len(reader.run("SELECT ID, IDS FROM SKz")) == CARDS
        assert reader.run("SELECT @@SPID") != failed, "the one that failed is closed"
    with pohoda.begin(lock_timeout=0) as work:
        work.update("SKz", 1, StavZ=1)


def test_rows_that_only_trickle_are_cut_short(server: Server, books: engine.Database, database: Database) -> None:
    with books.begin() as work:
        for _ in range(4 * CHUNK):
            work.insert("SKz", IDS="a")
    server.faults.add("FROM SKz", faults.slow(0.001))
    assert "took too long" in str(failing(lambda: in_one_call(database, lambda: None, "SELECT ID FROM SKz")))
    assert ask(database) == [(4 * CHUNK,)]


def test_each_error_that_is_known_has_words_and_a_remedy(driver: Driver) -> None:
    maker = "FreeTDS" if driver == "FreeTDS" else "Microsoft][ODBC Driver 18 for SQL Server"
    prefix = f"[{maker}][SQL Server]"
    for number in SERVER_ERRORS:
        error = Exception("42000", f"[42000] {prefix}Whatever 'SKz' says, of 'x (229)'. ({number}) (SQLExecDirectW)")
        found = trouble.of_server(error, opening=False)
        assert str(found).endswith(f"({number})")
        assert "{" not in str(found)
        assert found.hint.endswith(".")


def test_the_server_restarted_between_two_reads_costs_nothing(
    server: Server, pohoda: engine.Database, follower: Follower
) -> None:
    follower.all()
    server.stop()
    server.start()
    change(pohoda, 3, CARDS)
    follower.all()
    assert follower.stock == truth(pohoda)


def test_connections_that_died_idle_are_all_let_go(server: Server, pohoda: engine.Database, database: Database) -> None:
    with database.reading() as one, database.reading() as two:
        one.run("SELECT 1")
        two.run("SELECT 1")
    server.drop_connections()
    met = []
    for _ in range(3):
        with database.reading() as reader:
            assert len(reader.run("SELECT ID FROM SKz WHERE ID > ?", (0,))) == CARDS
            met += reader.run("SELECT @@SPID")
    assert len(set(met)) == 1, "the fresh one is kept, and the other that was idle is not taken"


def test_only_the_first_statement_of_a_call_is_tried_again(
    server: Server, pohoda: engine.Database, database: Database
) -> None:
    found = failing(lambda: in_one_call(database, server.drop_connections, "SELECT ID FROM SKz"))
    assert "broke in the middle" in str(found)
    with database.reading() as reader:
        assert reader.run("SELECT 1") == [(1,)]


def test_the_server_stopped_in_the_middle_of_a_read_and_away_for_a_while(
    server: Server, pohoda: engine.Database, follower: Follower
) -> None:
    follower.all()
    change(pohoda, 3, CARDS)
    server.faults.add(r"FROM \W?SKz\b", faults.drop(after=1), times=None)
    failing(follower.all)
    server.stop()
    for _ in range(2):
        assert "cannot be reached" in str(failing(follower.all))
    server.faults.clear()
    pohoda.recover()
    server.start()
    follower.all()
    assert follower.stock == truth(pohoda)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (18452, "Windows log-in"),
        (18470, f"user {USER} is disabled"),
        (18486, f"user {USER} is locked out"),
        (18487, f"password of the user {USER} has expired"),
        (18488, f"password of the user {USER} must be changed"),
        (40613, "busy for now"),
        (233, "closed the connection"),
    ],
)
def test_who_is_kept_out_is_told_why_and_comes_in_later(
    server: Server, pohoda: engine.Database, database: Database, refusal: int, said: str
) -> None:
    server.logins[USER].refusal = refusal
    assert said in str(failing(lambda: ask(database)))
    server.logins[USER].refusal = 0
    assert ask(database) == [(CARDS,)]


def test_a_database_that_is_not_there_yet_is_told_apart_where_the_driver_can(
    server: Server, driver: Driver, pohoda: engine.Database
) -> None:
    opened = open_database(address(server, driver, database="StwPh_12345678_2027"))
    found = failing(lambda: ask(opened))
    if driver == "Microsoft":
        assert "The database StwPh_12345678_2027 does not exist" in str(found)
    else:
        assert f"log-in of the user {USER}" in str(found)
        assert "the database's name: FreeTDS" in found.hint
    load_like(server, "StwPh_12345678_2027")
    assert ask(opened) == [(0,)]
    opened.close()


def test_a_server_that_is_not_there_is_told(server: Server, driver: Driver) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        text = address(server, driver).replace(f":{server.port}/", f":{taken.getsockname()[1]}/")
        found = failing(lambda: ask(open_database(text, call_limit=1)))
    assert "cannot be reached" in str(found)
    assert "firewall" in found.hint


def test_a_server_whose_name_nobody_knows_is_told(server: Server, driver: Driver) -> None:
    text = address(server, driver).replace(f"127.0.0.1:{server.port}", "pohoda.invalid")
    assert "no such computer" in str(failing(lambda: ask(open_database(text, call_limit=1))))


def ask(database: Database) -> list[Raw]:
    with database.reading() as reader:
        return reader.run("SELECT COUNT(*) FROM SKz")


def in_one_call(database: Database, then: Callable[[], None], sql: str) -> list[Raw]:
    with database.reading() as reader:
        reader.run("SELECT 1")
        then()
        return reader.run(sql)


def load_like(server: Server, name: str) -> None:
    server.create_database(name).create_table("SKz", {"ID": "int"})
