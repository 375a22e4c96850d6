"""The wire, log-in, faults and the catalogue of the test server: what it says is what both real drivers understand."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from agent.demo import pohoda
from agent.sources.columns import Catalogue, columns_of
from agent.sources.connect import open_database
from agent.sources.queries import as_datetime, ceiling
from agent.sources.views.stock import StockView
from tests.mssql import faults
from tests.mssql.asking import BOOKS, COLUMNS, Connection, connect, driver_error, refused, rows
from tests.mssql.drivers import Driver, address, url
from tests.mssql.engine import Database, load_sqlite
from tests.mssql.errors import SqlError
from tests.mssql.server import USER, Server
from tests.mssql.tls import server_context


def add(books: Database, *codes: str) -> None:
    with books.begin() as work:
        for code in codes:
            work.insert("SKz", IDS=code, StavZ=1)


@pytest.mark.parametrize("fault", [faults.DEADLOCK, faults.LOCK_TIMEOUT], ids=["deadlock", "lock timeout"])
def test_an_error_strikes_once_or_until_cleared(server: Server, connection: Connection, fault: faults.Fault) -> None:
    server.faults.add("SKz", fault)
    assert f"({fault.number})" in refused(connection, "SELECT ID FROM SKz")
    assert rows(connection, "SELECT ID FROM SKz") == []
    server.faults.add("SKz", fault, times=None)
    assert all(f"({fault.number})" in refused(connection, "SELECT ID FROM SKz") for _ in range(3))
    assert rows(connection, "SELECT 1") == [(1,)], "other statements are not struck"
    server.faults.clear()
    assert rows(connection, "SELECT ID FROM SKz") == []


def test_a_connection_that_is_dropped_amid_the_rows_is_an_error(
    server: Server, books: Database, driver: Driver
) -> None:
    add(books, *(f"code {number}" for number in range(3000)))
    with closing(connect(server, driver)) as connection:
        assert len(rows(connection, "SELECT ID, IDS FROM SKz")) == 3000
        server.faults.add("SKz", faults.drop(after=1500))
        fetched = 0
        with closing(connection.cursor()) as cursor, pytest.raises(driver_error()):  # noqa: PT012 - counts on the way
            for _ in cursor.execute("SELECT ID, IDS FROM SKz"):
                fetched += 1
        assert 1000 < fetched <= 1500
        assert "08S01" in refused(connection, "SELECT 1")
    with closing(connect(server, driver)) as connection:
        assert len(rows(connection, "SELECT ID, IDS FROM SKz")) == 3000


def test_a_statement_that_hangs_ends_by_the_drivers_timeout(server: Server, connection: Connection) -> None:
    connection.timeout = 1
    server.faults.add("SKz", faults.HANG)
    assert "HYT00" in refused(connection, "SELECT ID FROM SKz")
    assert rows(connection, "SELECT 1") == [(1,)], "the connection is as good as before"


def test_slow_rows_arrive_all(server: Server, books: Database, connection: Connection) -> None:
    add(books, *"abc")
    server.faults.add("SKz", faults.slow(0.1))
    began = time.monotonic()
    assert len(rows(connection, "SELECT ID FROM SKz")) == 3
    assert time.monotonic() - began >= 0.3


def test_a_restart_throws_everybody_out_and_keeps_the_data(server: Server, books: Database, driver: Driver) -> None:
    add(books, "a")
    with closing(connect(server, driver)) as connection:
        server.restart(down=60)
        assert refused(connection, "SELECT ID FROM SKz")
    with pytest.raises(driver_error()):
        connect(server, driver)
    server.stop()
    server.start()
    with closing(connect(server, driver)) as connection:
        assert rows(connection, "SELECT IDS FROM SKz") == [("a",)]


def test_a_restart_rolls_back_what_is_open_and_skips_rowversions(server: Server, books: Database) -> None:
    open_work = books.begin()
    open_work.insert("SKz", IDS="a")
    server.restart(down=60)
    with pytest.raises(SqlError, match="restart"):
        open_work.commit()
    assert books.committed("SKz").rows == {}
    assert books.lowest_active() > 4000


def test_settings_of_the_connection_are_taken_note_of(connection: Connection) -> None:
    for sql in ("SET LOCK_TIMEOUT 2000; SET DEADLOCK_PRIORITY LOW", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"):
        with closing(connection.cursor()) as cursor:
            cursor.execute(sql)
    assert rows(connection, "SELECT 'a;b' AS x") == [("a;b",)]


def test_the_server_comes_back_by_itself(server: Server, driver: Driver) -> None:
    server.restart(down=0.2)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            connect(server, driver).close()
        except driver_error():
            continue
        return
    pytest.fail("nobody answers")


def test_a_right_that_is_revoked_is_missed_at_once(server: Server, connection: Connection) -> None:
    asked = "SELECT HAS_PERMS_BY_NAME('dbo.SKz', 'OBJECT', 'SELECT'), HAS_PERMS_BY_NAME('dbo.SKz', 'OBJECT', 'UPDATE')"
    assert rows(connection, asked) == [(1, 0)]
    server.logins[USER].deny(BOOKS, "SKz")
    assert "(229)" in refused(connection, "SELECT ID FROM SKz")
    assert rows(connection, "SELECT name FROM sys.tables") == [], "nor does the catalogue show the table"
    server.logins[USER].grant(BOOKS, "SKz")
    server.logins[USER].writes = True
    assert rows(connection, asked) == [(1, 1)]


def test_a_column_that_is_dropped_is_named(books: Database, connection: Connection) -> None:
    add(books, "a")
    books.drop_column("SKz", "DatSave")
    assert "'DatSave'. (207)" in refused(connection, "SELECT ID, DatSave FROM SKz")
    assert rows(connection, "SELECT IDS, Nazev FROM SKz") == [("a", None)]
    assert "(208)" in refused(connection, "SELECT ID FROM Nowhere")


def test_a_statement_of_an_unknown_shape_is_refused_by_its_text(connection: Connection) -> None:
    for sql in ("DELETE FROM SKz", "SELECT IDS FROM SKz GROUP BY IDS", "SELECT 1 FROM SKz JOIN sSklad ON 1 = 1"):
        assert "(102)" in refused(connection, sql)
    assert "DELETE FROM SKz" in refused(connection, "DELETE FROM SKz")


@pytest.mark.parametrize("options", [{"PWD": "wrong"}, {"UID": "nobody"}, {"database": "StwPh_0_2026"}])
def test_who_may_not_come_in_is_told_the_number(server: Server, driver: Driver, options: dict[str, str]) -> None:
    with pytest.raises(driver_error(), match="4060" if "database" in options and driver == "Microsoft" else "18456"):
        connect(server, driver, **options)


def test_databases_are_apart_and_may_be_changed(server: Server, books: Database, connection: Connection) -> None:
    add(books, "a")
    server.create_database("StwPh_12345678_2027").create_table("SKz", COLUMNS)
    assert rows(connection, "SELECT name FROM sys.databases WHERE name LIKE 'StwPh%' ORDER BY name")[1:]
    with closing(connection.cursor()) as cursor:
        cursor.execute("USE StwPh_12345678_2027")
    assert rows(connection, "SELECT DB_NAME()") == [("StwPh_12345678_2027",)]
    assert rows(connection, "SELECT ID FROM SKz") == []
    assert "(911)" in refused(connection, "USE nowhere")
    server.logins[USER].databases = {"stwph_12345678_2027"}
    assert "(4060)" in refused(connection, f"USE {BOOKS}")


def test_a_certificate_of_its_own_is_refused_until_it_is_trusted(driver: Driver) -> None:
    tls = server_context()
    if tls is None:
        pytest.skip("openssl is missing, so no certificate can be made")
    with Server(tls=tls) as server:
        if driver == "Microsoft":
            with pytest.raises(driver_error(), match="certificate"):
                connect(server, driver, database="master", Encrypt="yes")
        trusting = (
            {"Encryption": "require"} if driver == "FreeTDS" else {"Encrypt": "yes", "TrustServerCertificate": "yes"}
        )
        for options in (trusting, {}):
            with closing(connect(server, driver, database="master", **options)) as connection:
                assert rows(connection, "SELECT DB_NAME()") == [("master",)]


def test_sqlalchemy_connects_and_transactions_are_taken_note_of(
    server: Server, books: Database, driver: Driver
) -> None:
    add(books, "a")
    engine = create_engine(url(server, driver, database=BOOKS))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT IDS FROM SKz WHERE ID = :id"), {"id": 1}).scalar() == "a"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM SKz")).scalar() == 1
        connection.rollback()
    engine.dispose()


def test_the_stock_view_reads_pohoda_over_it(tmp_path: Path, server: Server, driver: Driver) -> None:
    pohoda.create(tmp_path / "books.db", cards=300)
    books = server.create_database("StwPh_1_2026")
    load_sqlite(books, tmp_path / "books.db")
    books.add_row_version("SKz")
    opened = open_database(address(server, driver, database=books.name))
    with opened.reading() as reader:
        cards = columns_of(reader, "SKz")
        assert cards is not None
        assert cards.row_version == "RV"
        assert columns_of(reader, "Nowhere") is None
        view = StockView(stores=("HLAVNI",))
        assert [each.verdict for each in view.findings(reader, Catalogue())] == ["ok", "ok"]
        queries = view.prepare(reader, Catalogue()).queries
        page = reader.run(*queries.page(0, 10))
        assert len(page) == 10
        assert len(reader.run(*queries.of_ids([raw[0] for raw in page]))) == 10
        assert {raw[1] for raw in reader.run(*queries.of_codes([raw[1].lower() for raw in page]))} == {
            r[1] for r in page
        }
        top = ceiling(reader, queries)
        assert len(reader.run(*queries.versions(top - 6, top, 100))) == 5
        assert len(reader.run(*queries.saved(as_datetime("2026-01-02T08:00:00"), 0, 7))) == 7
    opened.close()


def test_the_drivers_own_questions_about_columns_are_answered(connection: Connection) -> None:
    with closing(connection.cursor()) as cursor:
        assert [each.column_name for each in cursor.columns("SKz")] == list(COLUMNS)
