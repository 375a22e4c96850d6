"""`check` names what is wrong with an installation of POHODA on SQL Server: ten prepared faults, over both drivers.

Through the command itself, a real shop beside it; the server is the test server, so what is proved is what we ask, what
the drivers make of it, and what a person is told.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.config import load
from agent.parts import open_pohoda
from tests.mssql import faults
from tests.mssql.asking import connect, refused, rows
from tests.mssql.drivers import Driver, need
from tests.mssql.engine import Database, load_sqlite
from tests.mssql.installed import BOOKS, ICO, NOW, OTHERS, YEAR, Installation, fill
from tests.mssql.server import PASSWORD, USER, Server
from tests.mssql.tls import server_context
from tests.scenario.stage import ROOT, stage


@pytest.fixture
def installation(tmp_path: Path, driver: Driver) -> Iterator[Installation]:
    with Server(clock=lambda: NOW) as server, stage(tmp_path) as play:
        fill(server, tmp_path)
        yield Installation(server, play, driver)


def test_a_good_installation_has_no_errors_and_only_true_warnings(installation: Installation) -> None:
    said = installation.check()
    assert said.code == 0, said.all
    assert "ERROR" not in said.out
    found = installation.found()
    assert {each["verdict"] for each in found} == {"ok"}, found
    assert [each["subject"] for each in found] == [
        *("POHODA", "ODBC driver", "server", "database", "rights in POHODA", "read-only", "DatSave"),
        *("stores", "cards", "row version"),
    ]
    text = {each["subject"]: each["text"] for each in found}
    assert "SQL Server 2019 (15.0.2000.5, Express Edition (64-bit)), so this is POHODA SQL or E1" in text["server"]
    assert text["database"] == f"{BOOKS} belongs to IČO {ICO}, year {YEAR}; StwPh_sys is not readable, which is fine"
    assert text["rights in POHODA"] == "SELECT on SKz, sSklad, SKzPoh, OBJpol"
    assert "is used; installed: " in text["ODBC driver"]
    assert ("tdsodbc" in text["ODBC driver"]) is (installation.driver == "FreeTDS")


def test_the_name_of_the_database_may_be_left_to_ico_and_year(installation: Installation) -> None:
    assert {each["verdict"] for each in installation.found(database=installation.address(""))} == {"ok"}


def test_the_lock_of_a_pohoda_is_shared_however_its_address_is_written(installation: Installation) -> None:
    addresses = (installation.address(), installation.address(f"/{BOOKS.upper()}"), installation.address(""))
    users = ({"user": USER, "password": PASSWORD}, {"user": "other", "password": "Heslo-5678"})
    identities = set()
    for address in addresses:
        for user in users:
            installation.play.configure(pohoda__database=address, pohoda__ico=ICO, pohoda__year=YEAR)
            text = installation.play.config.read_text(encoding="utf-8")
            keys = "".join(f'{key} = "{value}"\n' for key, value in user.items())
            installation.play.config.write_text(text.replace("[pohoda]\n", f"[pohoda]\n{keys}"), encoding="utf-8")
            (config,) = load([installation.play.config])
            with closing(open_pohoda(config)) as database:
                identities.add(database.identity)
    assert len(identities) == 1


def test_json_has_the_documented_fields(installation: Installation) -> None:
    for each in installation.check("--json").json:
        assert list(each) == ["shop", "verdict", "subject", "text", "hint"]
        assert each["verdict"] in {"ok", "warning", "error"}


# 1. the driver is missing


def test_a_driver_that_is_not_installed_is_named_with_those_that_are(installation: Installation) -> None:
    address = installation.address().replace(need(installation.driver).strip("{}"), "ODBC Driver 99 for SQL Server")
    said = installation.check(database=address)
    assert said.code == 2
    assert 'ERROR   eshop: POHODA: [pohoda] database: no ODBC driver "ODBC Driver 99 for SQL Server" is' in said.out
    assert "try: Did you mean" in said.out or "try: Installed are:" in said.out


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps its drivers in the registry")
def test_a_machine_without_drivers_is_told_what_to_install(installation: Installation, tmp_path: Path) -> None:
    installation.check()  # writes the configuration
    text = installation.play.config.read_text(encoding="utf-8")
    installation.play.config.write_text(text.replace(need(installation.driver).strip("{}"), ""), encoding="utf-8")
    (tmp_path / "odbc").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ODBCSYSINI": str(tmp_path / "odbc"), "ODBCINI": "none"}
    command = [sys.executable, "-m", "agent", "check", "--config", str(installation.play.config)]
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 3, said
    assert "ERROR   eshop: POHODA: No ODBC driver for SQL Server is installed" in said.stdout
    assert 'try: Install Microsoft\'s "ODBC Driver 18 for SQL Server"' in said.stdout
    assert "ok      eshop: formula" in said.stdout, "the rest is examined all the same"


def test_a_machine_without_the_odbc_library_is_told_so(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = installation.address()
    monkeypatch.setitem(sys.modules, "pyodbc", None)  # what a missing libodbc makes of its import
    said = installation.check(database=address)
    assert said.code == 3
    assert "The ODBC library is missing" in said.out
    assert "apt install libodbc2" in said.out


# 2. the server is unreachable


def test_a_server_that_nobody_answers_for_is_named_with_ports_and_firewall(installation: Installation) -> None:
    installation.server.stop()
    said = installation.check("--json")  # once: Microsoft's driver knocks for as long as it may
    assert said.code == 1
    (trouble,) = [each for each in said.json if each["subject"] not in OTHERS]
    assert (trouble["verdict"], trouble["subject"]) == ("error", "POHODA")
    assert "cannot be reached" in trouble["text"]
    for word in ("1433", "firewall", "TCP/IP", "Browser"):
        assert word in trouble["hint"]


# 3. the certificate


def test_a_certificate_that_nobody_vouches_for_is_refused_or_said_to_be_unverified(
    tmp_path: Path, driver: Driver
) -> None:
    tls = server_context()
    if tls is None:
        pytest.skip("openssl is missing, so no certificate can be made")
    with Server(tls=tls, clock=lambda: NOW) as server, stage(tmp_path) as play:
        fill(server, tmp_path)
        installation = Installation(server, play, driver)
        strict = installation.address(encrypt="yes")
        if driver == "Microsoft":
            trouble = installation.trouble(database=strict)
            assert (trouble["verdict"], trouble["subject"]) == ("error", "POHODA")
            assert "certificate is not trusted" in trouble["text"]
            assert "?trust_server_certificate=yes" in trouble["hint"]
            strict += "&trust_server_certificate=yes"
        found = installation.found(database=strict)
        assert {each["verdict"] for each in found} == {"ok"}
        assert "encrypted, the certificate is not verified" in found[0]["text"]


# 4. the login


@pytest.mark.parametrize("wrong", [{"password": "Wrong-9876"}, {"user": "nobody"}], ids=["password", "user"])
def test_a_refused_login_is_an_error_without_the_password(installation: Installation, wrong: dict[str, str]) -> None:
    trouble = installation.trouble(**wrong)
    assert (trouble["verdict"], trouble["subject"]) == ("error", "POHODA")
    assert f"refused the log-in of the user {wrong.get('user', USER)}" in trouble["text"]
    assert "Check [pohoda] user, password" in trouble["hint"]
    said = installation.check(**wrong)
    assert said.code == 1
    assert "Wrong-9876" not in said.all


@pytest.mark.parametrize("command", ["plan", "once --patience 0", "explain ABC", "reconcile"])
def test_no_command_shows_the_password_when_the_login_is_refused(installation: Installation, command: str) -> None:
    installation.check(password="Wrong-9876")
    said = installation.play.cli(*command.split())
    assert "Wrong-9876" not in said.all
    written = installation.play.state.read_bytes() if installation.play.state.exists() else b""
    assert b"Wrong-9876" not in written


# 5. the database


def test_a_database_that_is_not_there_is_told_from_a_bad_login(installation: Installation) -> None:
    trouble = installation.trouble(database=installation.address(""), year=2031)
    assert (trouble["verdict"], trouble["subject"]) == ("error", "database")
    assert f"the login is right, but the database StwPh_{ICO}_2031 cannot be opened" in trouble["text"]
    assert f"the server has: {BOOKS}" in trouble["text"]
    assert "Set ico and year in [pohoda]" in trouble["hint"]


def test_a_database_without_a_user_for_the_login_is_told_with_the_statement(installation: Installation) -> None:
    installation.server.logins[USER].databases = set()
    trouble = installation.trouble()
    assert "the login is right" in trouble["text"]
    assert f"USE [{BOOKS}]; CREATE USER [{USER}] FOR LOGIN [{USER}];" in trouble["hint"]


# 6. a right on one table


@pytest.mark.parametrize("table", ["SKz", "sSklad"])
def test_a_missing_right_is_named_with_the_statement_that_gives_it(installation: Installation, table: str) -> None:
    installation.server.logins[USER].deny(BOOKS, table)
    trouble = installation.trouble()
    assert (trouble["verdict"], trouble["subject"]) == ("error", "rights in POHODA")
    assert f"may not read the table {table}" in trouble["text"]
    assert f"USE [{BOOKS}]; GRANT SELECT ON dbo.{table} TO [{USER}];" in trouble["hint"]
    assert installation.check().code == 1


@pytest.mark.parametrize("table", ["SKzPoh", "OBJpol"])
def test_a_right_that_only_helps_is_a_warning(installation: Installation, table: str) -> None:
    installation.server.logins[USER].deny(BOOKS, table)
    trouble = installation.trouble()
    assert (trouble["verdict"], trouble["subject"]) == ("warning", "rights in POHODA")
    assert table in trouble["text"]
    assert f"GRANT SELECT ON dbo.{table} TO [{USER}];" in trouble["hint"]
    assert installation.check().code == 0


# 7. more rights than needed


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ({"writes": True}, "(the role db_datawriter, INSERT, UPDATE, DELETE)"),
        ({"roles": {"db_owner"}}, "(the role db_owner, INSERT, UPDATE, DELETE, ALTER)"),
        ({"roles": {"sysadmin"}}, "(the role sysadmin, INSERT, UPDATE, DELETE, ALTER)"),
    ],
    ids=["writes", "owns", "rules"],
)
def test_more_rights_than_needed_are_a_warning_with_the_statements_for_less(
    installation: Installation, rights: dict[str, Any], said: str
) -> None:
    installation.server.login(USER, PASSWORD, databases={BOOKS.lower()}, **rights)
    trouble = installation.trouble()
    assert (trouble["verdict"], trouble["subject"]) == ("warning", "read-only")
    assert said in trouble["text"]
    assert f"CREATE LOGIN pohoda_agent WITH PASSWORD = '***'; USE [{BOOKS}]; CREATE USER" in trouble["hint"]
    assert "GRANT SELECT ON dbo.SKz TO pohoda_agent;" in trouble["hint"]
    assert installation.check().code == 0, "it works all the same"


# 8. a column is missing


@pytest.mark.parametrize("column", ["StavZ", "IObchod"])
def test_a_missing_column_is_named(installation: Installation, column: str) -> None:
    installation.books.drop_column("SKz", column)
    trouble = installation.trouble()
    assert trouble["verdict"] == "error"
    assert f"The table SKz has no column {column}" in trouble["text"]
    assert "POHODA's release" in trouble["hint"]


def test_a_column_that_can_be_done_without_is_a_warning_that_says_what_is_lost(installation: Installation) -> None:
    installation.books.drop_column("SKz", "Template")
    (warning,) = [each for each in installation.found() if each["verdict"] != "ok"]
    assert (warning["verdict"], warning["subject"]) == ("warning", "SKz.Template")
    assert "template cards are not told apart" in warning["text"]


# 9. another accounting unit or year


@pytest.mark.parametrize(
    ("keys", "meant"),
    [({"ico": "87654321"}, "IČO 87654321, year 2026"), ({"year": 2025}, f"IČO {ICO}, year 2025")],
    ids=["ico", "year"],
)
def test_another_unit_or_year_is_an_error_that_says_whose_it_is(
    installation: Installation, keys: dict[str, object], meant: str
) -> None:
    trouble = installation.trouble(**keys)
    assert (trouble["verdict"], trouble["subject"]) == ("error", "database")
    assert trouble["text"].startswith(f"{BOOKS} belongs to IČO {ICO}, year {YEAR}")
    assert f"but [pohoda] says {meant}" in trouble["text"]
    assert trouble["hint"].startswith(f'Set ico = "{ICO}" and year = {YEAR} if this one is meant')
    assert installation.check(**keys).code == 1


def test_pohodas_own_list_of_units_is_believed_before_the_name(installation: Installation) -> None:
    installation.server.logins[USER].databases = {BOOKS.lower(), "stwph_sys"}
    text = {each["subject"]: each["text"] for each in installation.found()}
    assert text["database"] == f"{BOOKS} belongs to IČO {ICO}, year {YEAR}; so says StwPh_sys"
    with installation.server.database("StwPh_sys").begin() as work:
        work.update("Firma", 1, ICO="11112222")
    assert "belongs to IČO 11112222, year 2026" in installation.trouble()["text"]


def test_a_list_of_units_without_the_right_to_read_it_is_no_trouble(installation: Installation) -> None:
    installation.server.logins[USER].databases = {BOOKS.lower(), "stwph_sys"}
    installation.server.logins[USER].deny("StwPh_sys", "Firma")
    assert {each["verdict"] for each in installation.found()} == {"ok"}


def test_a_name_that_tells_nothing_is_a_warning_where_something_is_expected(
    installation: Installation, tmp_path: Path
) -> None:
    books = installation.server.create_database("StwPh_Novak")
    load_sqlite(books, tmp_path / "books.sqlite")
    books.create_table("OBJpol", {"ID": "int"})
    installation.server.logins[USER].databases = {"stwph_novak"}
    trouble = installation.trouble(database=installation.address("/StwPh_Novak"))
    assert (trouble["verdict"], trouble["subject"]) == ("warning", "database")
    assert "tells neither IČO nor year" in trouble["text"]


def test_a_newer_year_on_the_server_is_a_warning(installation: Installation) -> None:
    for name in (f"StwPh_{ICO}_2025", f"StwPh_{ICO}_2027", "StwPh_87654321_2028", f"StwPh_{ICO}_2027_kopie"):
        installation.server.create_database(name)
    trouble = installation.trouble()
    assert (trouble["verdict"], trouble["subject"]) == ("warning", "accounting year")
    assert f"the server also has StwPh_{ICO}_2027" in trouble["text"]
    assert "set year = 2027" in trouble["hint"]


# 10. DatSave stands still


def move(books: Database, saved: Callable[[int], datetime], *, cards: int = 30) -> None:
    """Movements of so many cards on the days before today, and when those cards were saved."""
    with books.begin() as work:
        for card in range(1, cards + 1):
            day = (NOW - timedelta(days=card % 5)).replace(hour=0, minute=0)
            work.insert("SKzPoh", RefSKz=card, RelAg=7, Datum=day, PohPMJ=-1)
            work.update("SKz", card, DatSave=saved(card))


def test_datsave_that_stands_still_is_told_with_its_figures(installation: Installation) -> None:
    move(installation.books, lambda card: datetime(2026, 3, 1) if card > 3 else NOW)  # noqa: DTZ001 - as above
    text = {each["subject"]: each["text"] for each in installation.found()}
    assert text["DatSave"].startswith(
        "of the 30 newest movements 27 (of 27 cards) left DatSave behind: it stands still"
    )
    trouble = [
        each for each in installation.found(quantities={"row_version": "modified-at"}) if each["verdict"] != "ok"
    ]
    assert {each["subject"] for each in trouble} == {"DatSave", "row version"}
    assert all(each["verdict"] == "warning" for each in trouble)
    assert all('Set row_version = "auto"' in each["hint"] for each in trouble)


def test_datsave_that_moves_is_told(installation: Installation) -> None:
    move(installation.books, lambda card: NOW - timedelta(days=card % 5))
    text = {each["subject"]: each["text"] for each in installation.found()}
    assert "it seems to move with quantities" in text["DatSave"]


def test_too_few_movements_tell_nothing(installation: Installation) -> None:
    move(installation.books, lambda _: datetime(2026, 3, 1), cards=2)  # noqa: DTZ001 - as above
    text = {each["subject"]: each["text"] for each in installation.found()}
    assert "tell too little (2 left DatSave behind)" in text["DatSave"]


# the server itself


def test_a_server_older_than_2012_is_a_warning(installation: Installation) -> None:
    installation.server.version = "10.50.6000.34"
    trouble = installation.trouble()
    assert (trouble["verdict"], trouble["subject"]) == ("warning", "server")
    assert "SQL Server 2008 R2 (10.50.6000.34" in trouble["text"]


def test_a_statement_that_fails_hides_no_other_finding(installation: Installation) -> None:
    installation.server.faults.add("IS_SRVROLEMEMBER", faults.LOCK_TIMEOUT, times=None)
    found = installation.found()
    assert [(each["verdict"], each["subject"]) for each in found if each["verdict"] != "ok"] == [
        ("error", "rights in POHODA")
    ]
    assert found[-1]["subject"] == "row version"


def test_what_serverproperty_gives_must_be_cast(installation: Installation) -> None:
    """Why the statement casts: FreeTDS cannot read the type sql_variant."""
    connection = connect(installation.server, installation.driver, database=BOOKS)
    plain = "SELECT SERVERPROPERTY('ProductVersion')"
    if installation.driver == "FreeTDS":
        assert "HY091" in refused(connection, plain)
    else:
        assert rows(connection, plain) == [("15.0.2000.5",)]
    connection.close()
