"""What reaches SQL Server is known by heart: each statement is on a list, and none of them can change anything.

``pytest -s`` prints them, as ``python -m tests.mssql.statements_sent`` does.
"""

from __future__ import annotations

import pytest

from tests.mssql.asking import BOOKS
from tests.mssql.drivers import DRIVERS, Driver, address, need
from tests.mssql.server import Server
from tests.mssql.statements_sent import Sent, collect, collected, compiled, forbidden, make_books, show

_CARDS = (
    "FROM [SKz] WHERE [SKz].[IDS] IS NOT NULL AND [SKz].[IDS] != '' AND ([SKz].[Template] IS NULL OR "
    "[SKz].[Template] = 0) AND coalesce([SKz].[RelSkTyp], 1) IN (1)"
)
OF_THE_VIEW = {
    "SELECT [sSklad].[ID], [sSklad].[IDS] FROM [sSklad]",
    f"SELECT count(*) AS count_1 {_CARDS}",
    f"SELECT count(*) AS count_1 {_CARDS} AND coalesce([SKz].[IObchod], ?) != ?",
    "SELECT count(*) AS count_1 FROM [SKz] WHERE ltrim(rtrim(coalesce([SKz].[IDS], ?))) = ?",
}
"""The stores, and what ``check`` counts."""
BY_DRIVERS = {
    *("sp_executesql", "sp_prepare", "sp_execute", "sp_prepexec", "sp_unprepare", "sp_reset_connection"),
    "sp_datatype_info_100",
}
"""How drivers send statements with parameters, and what pyodbc asks of a new kind of connection."""


@pytest.fixture(scope="module", params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Driver:
    found: Driver = request.param
    need(found)
    return found


@pytest.fixture(scope="module")
def sent(driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return collect(driver, tmp_path_factory.mktemp("sent"))


def test_every_statement_is_on_the_list(sent: Sent, driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> None:
    show(driver, sent)
    with Server() as server:
        make_books(server, tmp_path_factory.mktemp("books"))
        known = {*collected(), *compiled(address(server, driver, database=BOOKS)), *OF_THE_VIEW}
    assert set(sent.ours) - known == set()


def test_every_constant_is_sent_by_something(sent: Sent) -> None:
    assert {place for sql, place in collected().items() if sql in sent.ours} == set(collected().values())


def test_no_statement_writes_declares_steers_or_opens_a_transaction(sent: Sent) -> None:
    assert {sql: found for sql in sent.ours if (found := forbidden(sql))} == {}


def test_drivers_add_nothing_but_their_wrapping_and_a_look_at_data_types(sent: Sent) -> None:
    assert {sql.split()[0] for sql in sent.by_driver} <= {"sp_datatype_info_100"}
    assert set(sent.procedures) <= BY_DRIVERS


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE SKz SET StavZ = 0",
        "SELECT * INTO Copy FROM SKz",
        "SELECT 1; DELETE FROM SKz",
        "DECLARE @x int",
        "SELECT @@DBTS",
        "SELECT @x",
        "IF 1 = 1 SELECT 1",
        "BEGIN TRANSACTION",
        "SET NOCOUNT ON BEGIN TRAN",
        "SELECT 1 -- and more",
        "SELECT ID FROM SKz WITH (NOLOCK)",
        "EXEC sp_who",
        "USE master",
        "WITH x AS (SELECT 1) SELECT 1 FROM x",
    ],
)
def test_what_must_not_be_sent_is_seen(sql: str) -> None:
    assert forbidden(sql)


def test_names_and_texts_and_parameters_are_no_statements() -> None:
    assert forbidden("SELECT [Update], 'DELETE; --', HAS_PERMS_BY_NAME(@P1, ?, 'INSERT') FROM [SKz]") == []
