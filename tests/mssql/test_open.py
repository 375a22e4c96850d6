"""From what stands in ``[pohoda] database`` to rows, over both drivers: addresses, drivers, passwords, certificates."""

from __future__ import annotations

import sys
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from agent.errors import ConfigError, EnvironmentProblem, SourceUnavailable
from agent.sources.columns import columns_of
from agent.sources.connect import open_database
from agent.sources.drivers import choose_driver, family_of
from agent.sources.lending import SqlDatabase
from agent.sources.mssql import connection_string
from agent.sources.reader import Raw
from agent.sources.server_address import Address, read_address
from tests.mssql.asking import BOOKS, COLUMNS
from tests.mssql.browser import Browser
from tests.mssql.drivers import Driver, address, need
from tests.mssql.engine import Database
from tests.mssql.server import PASSWORD, USER, Server
from tests.mssql.tls import server_context

NEWEST = "ODBC Driver 18 for SQL Server"
UGLY = (
    *("a;b", "a}b", "a{b", "{a", "a}", "{a}", "{", "}", "{;}", "a;}", "a@b:c/d?e", "a=b", "  lead", "trail  ", "%41"),
    *("Žluťoučký-☃", "x\\y", '"q"', "it's", "a[b](c)", "PWD=x;{", "UID=sa;PWD=", "😀", "a}}b", "#!$&*+,^|~`"),
)
BY_FREETDS_NOT_TAKEN = ("a};b", "};", "a};UID=sa")


def ask(text: str, sql: str = "SELECT DB_NAME()", **given: str) -> list[Raw]:
    """Open, run, close."""
    database = open_database(text, **given)  # type: ignore[arg-type]  # user, password and ico are texts
    try:
        with database.reading() as reader:
            return reader.run(sql)
    finally:
        database.close()


@pytest.mark.parametrize(
    ("text", "server", "instance", "port"),
    [
        ("mssql://server/B", "server", "", None),
        ("MSSQL://server:1444/B", "server", "", 1444),
        ("mssql://server,1444/B", "server", "", 1444),
        ("mssql://server\\POHODA/B", "server", "POHODA", None),
        ("mssql://server%5CPOHODA/B", "server", "POHODA", None),
        ("mssql://server%5cPOHODA:1444/B", "server", "POHODA", 1444),
        ("mssql://server:1444\\POHODA/B", "server", "POHODA", 1444),
        ("mssql://.\\POHODA/B", ".", "POHODA", None),
        ("mssql://(local)/B", "(local)", "", None),
        ("mssql://(local)\\POHODA/B", "(local)", "POHODA", None),
        ("mssql://[fe80::1%25eth0]:1444/B", "fe80::1%eth0", "", 1444),
        ("mssql://u@[::1]\\POHODA/B", "::1", "POHODA", None),
        ("mssql://u:p@ss@192.168.1.5/B", "192.168.1.5", "", None),
    ],
)
def test_servers_are_understood_however_people_write_them(
    text: str, server: str, instance: str, port: int | None
) -> None:
    found = read_address(text)
    assert (found.server, found.instance, found.port, found.database) == (server, instance, port, "B")


def test_user_and_password_are_decoded_and_what_is_given_beside_wins() -> None:
    found = read_address("mssql://D%5Cu:p%40%2F%3F%25:x@server/B")
    assert (found.user, found.password) == ("D\\u", "p@/?%:x")
    found = read_address("mssql://u:p@server/B", user="v", password="%41;{}@/?")
    assert (found.user, found.password) == ("v", "%41;{}@/?")
    assert read_address("mssql://u:p@server/B", password="q").user == "u"


@pytest.mark.parametrize(
    "text",
    [
        *("mssql://", "mssql:///B", "mssql://u:secret/7@server/B", "mssql://u:7/secret@server/B", "mssql:server/B"),
        *("mssql://u:secret@server:port/B", "mssql://u:secret@server:1:2/B", "mssql://u:secret@server:70000/B"),
        *("mssql://u:secret@ser;ver/B", "mssql://u:secret@server\\IN;PWD=x/B", "mssql://u:sec%00ret@server/B"),
        *("mssql://:secret@server/B", "mssql://u:secret@server", "mssql://u:secret@server/"),
        *("mssql://u:secret?x@server/B", "mssql://u:14?secret=x@server/B", "mssql://u:1?encrypt=secret@server/B"),
    ],
)
def test_an_address_that_is_not_understood_is_the_users_error_and_keeps_the_password(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_database(text)
    assert caught.value.hint
    assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_without_a_database_ico_and_year_name_it() -> None:
    assert read_address("mssql://server", ico="12345678", year=2026).database == "StwPh_12345678_2026"
    assert read_address("mssql://server/Other", ico="12345678", year=2026).database == "Other"
    for ico, year in ((None, 2026), ("12345678", None)):
        with pytest.raises(ConfigError, match="no database") as caught:
            read_address("mssql://server", ico=ico, year=year)
        assert "ico and year" in caught.value.hint


@pytest.mark.parametrize(
    ("option", "meant"),
    [("encript=yes", "encrypt"), ("encrypt=strickt", "strict"), ("trust_server_certifikate=1", "trust_server_cert")],
)
def test_what_is_misspelled_in_the_options_is_guessed(option: str, meant: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_address(f"mssql://server/B?{option}")
    assert f'Did you mean "{meant}' in caught.value.hint


def test_another_database_behind_the_name_is_told_and_another_password_or_case_is_not(server: Server) -> None:
    def identity(text: str) -> str:
        return open_database(f"{text}?driver={need('FreeTDS').strip('{}')}").identity

    same = {identity(f"mssql://{each}/StwPh_1_2026") for each in ("u:p@server", "v:q@SERVER", "server")}
    assert len(same) == 1
    others = {identity(f"mssql://{each}") for each in ("server/StwPh_1_2027", "server:1/StwPh_1_2026")}
    assert len(same | others) == 3


def test_the_newest_driver_is_taken_and_freetds_before_the_old_one() -> None:
    early = ["SQL Server", "SQL Server Native Client 11.0", "ODBC Driver 13 for SQL Server", "FreeTDS"]
    assert choose_driver("", [*early, NEWEST, "ODBC Driver 17 for SQL Server"], windows=True) == NEWEST
    assert choose_driver("", early, windows=True) == "ODBC Driver 13 for SQL Server"
    assert choose_driver("", ["SQL Server", "FreeTDS"], windows=True) == "FreeTDS"
    assert choose_driver("", ["SQL Server", "SQLite3"], windows=True) == "SQL Server"
    assert choose_driver("freetds", early, windows=False) == "FreeTDS"


def test_without_a_driver_what_there_is_and_what_to_install_is_said() -> None:
    with pytest.raises(EnvironmentProblem, match="SQLite3, SQL Server") as caught:
        choose_driver("", ["SQLite3", "SQL Server"], windows=False)
    assert "Windows" in caught.value.hint
    assert "apt install" in caught.value.hint


def test_a_driver_that_is_not_there_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ODBC Driver 81") as caught:
        choose_driver("ODBC Driver 81 for SQL Server", [NEWEST, "FreeTDS"], windows=False)
    assert f'Did you mean "{NEWEST}"' in caught.value.hint
    with pytest.raises(ConfigError, match="no driver file"):
        choose_driver(str(tmp_path / "libmsodbcsql-18.so"), [NEWEST], windows=False)


@pytest.mark.parametrize(
    ("driver", "family"),
    [
        (NEWEST, "current"),
        ("ODBC Driver 19 for SQL Server", "current"),
        ("/opt/microsoft/msodbcsql18/lib64/libmsodbcsql-18.6.so.2.1", "current"),
        ("ODBC Driver 17 for SQL Server", "early"),
        ("/opt/microsoft/msodbcsql17/lib64/libmsodbcsql-17.10.so.6.1", "early"),
        ("SQL Server Native Client 11.0", "early"),
        ("SQL Server", "windows"),
        ("/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so", "FreeTDS"),
    ],
)
def test_each_driver_is_told_in_its_own_words(driver: str, family: str) -> None:
    assert family_of(driver) == family


def parts(address: Address, driver: str) -> dict[str, str]:
    return dict(each.split("=", 1) for each in connection_string(address, driver).strip(";").split(";"))


def test_connections_are_encrypted_and_verified_unless_told_otherwise() -> None:
    plain = Address("server", "B", user="u", password="p")
    for driver in (NEWEST, "ODBC Driver 17 for SQL Server"):
        assert parts(plain, driver).items() >= {"Encrypt": "yes", "TrustServerCertificate": "no"}.items()
    assert parts(plain, "SQL Server")["Encrypt"] == "yes"
    assert parts(plain, "FreeTDS")["Encryption"] == "require"
    trusting = Address("server", "B", user="u", password="p", trust=True)
    assert parts(trusting, NEWEST)["TrustServerCertificate"] == "yes"
    off = Address("server", "B", user="u", password="p", encrypt="no", trust=True)
    assert (parts(off, NEWEST)["Encrypt"], parts(off, "FreeTDS")["Encryption"]) == ("no", "request")
    assert parts(Address("server", "B", encrypt="strict"), NEWEST)["Encrypt"] == "strict"


def test_what_a_driver_cannot_do_is_said_and_not_dropped() -> None:
    for driver in ("FreeTDS", "ODBC Driver 17 for SQL Server", "SQL Server"):
        with pytest.raises(ConfigError, match="strict needs"):
            connection_string(Address("server", "B", encrypt="strict"), driver)
    with pytest.raises(ConfigError, match="cannot be told to trust"):
        connection_string(Address("server", "B", trust=True), "SQL Server")


def test_without_a_user_windows_logs_in() -> None:
    for driver in (NEWEST, "SQL Server", "FreeTDS"):
        found = parts(Address("server", "B"), driver)
        assert found["Trusted_Connection"] == "yes"
        assert not {"UID", "PWD"} & found.keys()


def test_a_port_wins_over_the_instance_in_each_drivers_words() -> None:
    both, one = Address("server", "B", instance="POHODA", port=1444), Address("server", "B", instance="POHODA")
    assert parts(both, NEWEST)["SERVER"] == "server,1444"
    assert parts(one, NEWEST)["SERVER"] == "server\\POHODA"
    assert parts(both, "FreeTDS").items() >= {"SERVER": "server", "PORT": "1444"}.items()
    assert parts(one, "FreeTDS")["SERVER"] == "server\\POHODA"
    assert "PORT" not in parts(one, "FreeTDS")
    local = Address("(local)", "B")
    assert parts(local, "FreeTDS")["SERVER"] == "localhost"
    assert parts(local, NEWEST)["SERVER"] == ("(local)" if sys.platform == "win32" else "localhost")


def test_passwords_of_any_characters_log_in(server: Server, driver: Driver) -> None:
    text = address(server, driver, database=BOOKS, login="")
    for password in (*UGLY, *(BY_FREETDS_NOT_TAKEN if driver == "Microsoft" else ())):
        server.login("ugly;}{@ user", password)
        assert ask(text, user="ugly;}{@ user", password=password) == [(BOOKS,)], password
    server.login("agent", "p@/?%:ž")
    assert ask(address(server, driver, database=BOOKS, login="agent:p%40%2F%3F%25:%C5%BE@")) == [(BOOKS,)]


def test_a_password_that_freetds_cannot_take_is_the_users_error(server: Server) -> None:
    for password in BY_FREETDS_NOT_TAKEN:
        with pytest.raises(ConfigError, match="cannot take") as caught:
            open_database(address(server, "FreeTDS"), password=password)
        assert password not in f"{caught.value} {caught.value.hint}"


def test_a_wrong_password_is_told_without_showing_it(server: Server, driver: Driver) -> None:
    with pytest.raises(SourceUnavailable, match=f"log-in of the user {USER}. ") as caught:
        ask(address(server, driver, database=BOOKS), password="wrong-secret")
    assert "password" in caught.value.hint
    assert "wrong-secret" not in f"{caught.value} {caught.value.hint}"
    assert PASSWORD not in repr(read_address(address(server, driver)))


def test_an_instance_is_found_by_its_name(server: Server, driver: Driver) -> None:
    text = address(server, driver, database=BOOKS).replace(f":{server.port}/", "\\pohoda/")
    try:
        browser = Browser({"POHODA": server.port})
    except OSError:
        pytest.skip("the port of SQL Server Browser (1434/udp) is taken")
    with browser:
        assert ask(text) == [(BOOKS,)]


def test_a_server_may_have_an_address_of_ip_version_6(driver: Driver) -> None:
    try:
        server = Server(host="::1").start()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server.create_database(BOOKS).begin():
        assert ask(address(server, driver, database=BOOKS)) == [(BOOKS,)]
    server.stop()


def test_nothing_is_sent_on_connecting_but_what_is_ours_and_the_drivers(server: Server, driver: Driver) -> None:
    database = open_database(address(server, driver, database=BOOKS), lock_wait=1.5)
    for _ in range(2):
        with database.reading() as reader:
            reader.run("SELECT ID FROM SKz WHERE ID > ?", (7,))
    database.close()
    ours = [sql for sql in server.log if not sql.startswith("sp_datatype_info")]
    assert ours[0].startswith("SET LOCK_TIMEOUT 1500 SET DEADLOCK_PRIORITY LOW SET TRANSACTION ISOLATION")
    assert ours[1:] == ["SELECT ID FROM SKz WHERE ID > @P1"] * 2


def test_a_connection_is_kept_and_closed_when_told(server: Server, driver: Driver) -> None:
    database = open_database(address(server, driver, database=BOOKS))
    met = []
    for _ in range(3):
        with database.reading() as reader:
            met += reader.run("SELECT @@SPID")
    assert len(set(met)) == 1
    with database.reading() as one, database.reading() as two:
        met += one.run("SELECT @@SPID") + two.run("SELECT @@SPID")
        database.close()
    assert len(set(met)) == 2
    with database.reading() as reader:
        assert not set(reader.run("SELECT @@SPID")) & set(met), "and it opens again"
    database.close()


def test_a_certificate_signed_by_itself_is_refused_with_both_remedies(driver: Driver) -> None:
    tls = server_context()
    if tls is None:
        pytest.skip("openssl is missing, so no certificate can be made")
    with Server(tls=tls) as server:
        server.create_database(BOOKS)
        if driver == "Microsoft":
            with pytest.raises(SourceUnavailable, match="certificate is not trusted") as caught:
                ask(address(server, driver, database=BOOKS, encrypt="yes"))
            assert "Install a certificate" in caught.value.hint
            assert "?trust_server_certificate=yes" in caught.value.hint
        trusting = address(server, driver, database=BOOKS, encrypt="yes", trust_server_certificate="yes")
        assert ask(trusting) == [(BOOKS,)]
        opened = open_database(trusting)
        assert isinstance(opened, SqlDatabase)
        assert "the certificate is not verified" in opened.described
        assert ask(address(server, driver, database=BOOKS, encrypt="no")) == [(BOOKS,)]


def test_a_server_that_does_not_encrypt_is_refused_by_default(server: Server, driver: Driver) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        ask(address(server, driver, database=BOOKS, encrypt="yes"))
    assert "?encrypt=no" in caught.value.hint


def test_a_driver_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    need("FreeTDS")
    file = tmp_path / "libmsodbcsql-18.so"
    file.write_bytes(b"no library")
    with pytest.raises(SourceUnavailable, match=r"driver .*libmsodbcsql-18\.so cannot be loaded") as caught:
        ask(f"mssql://u:p@127.0.0.1:1/B?driver={file}")
    assert "Install it" in caught.value.hint


def test_values_arrive_exactly(server: Server, books: Database, driver: Driver) -> None:
    when = datetime(2026, 3, 29, 2, 30, 0, 997_000)  # noqa: DTZ001 - POHODA's times are local, without offset
    with books.begin() as work:
        work.insert("SKz", IDS="Chléb Ěščřžýáíé ", StavZ=0.1, ProdejKc="-922337203685477.5808", IObchod=True,
                    DatSave=when, Popis="ů" * 70_000, Pozn="Ž" * 70_000, Nazev="ž☃")  # fmt: skip # one row
        work.insert("SKz")
    database = open_database(address(server, driver, database=BOOKS))
    with database.reading() as reader:
        whole, empty = reader.run("SELECT * FROM SKz WHERE ID > ? ORDER BY ID", (0,))
        found = reader.run("SELECT ID FROM SKz WHERE IDS = ? AND DatSave = CAST(? AS datetime)", (whole[1], whole[5]))
    database.close()
    assert whole[1:6] == ("Chléb Ěščřžýáíé ", 0.1, Decimal("-922337203685477.5808"), True, when)
    assert whole[6:9] == ("ů" * 70_000, "Ž" * 70_000, "ž☃")
    assert {type(value) for value in whole} == {int, str, float, Decimal, bool, datetime, bytes}
    assert empty[1:9] == (None,) * 8
    assert found == [(1,)], "what was read finds its row"


def test_codes_are_found_and_sorted_as_czech_does(server: Server, books: Database, driver: Driver) -> None:
    with books.begin() as work:
        for code in ("chata", "CIHLA", "hora", "čep", "cep", "Ihned"):
            work.insert("SKz", IDS=code)
    database = open_database(address(server, driver, database=BOOKS))
    with database.reading() as reader:
        sorted_codes = [code for (code,) in reader.run("SELECT IDS FROM SKz ORDER BY IDS")]
        found = [reader.run("SELECT IDS FROM SKz WHERE IDS = ?", (code,)) for code in ("ČEP", "cep", "cihla", "CHATA")]
    database.close()
    assert sorted_codes == ["cep", "CIHLA", "čep", "hora", "chata", "Ihned"]
    assert found == [[("čep",)], [("cep",)], [("CIHLA",)], [("chata",)]]


def test_the_columns_of_a_table_are_asked_for_by_one_statement(server: Server, books: Database, driver: Driver) -> None:
    database = open_database(address(server, driver, database=BOOKS))
    with database.reading() as reader:
        found = columns_of(reader, "skz")
        assert columns_of(reader, "Nowhere") is None
        asked = list(server.log)[-2:]
        server.logins[USER].deny(BOOKS, "SKz")
        assert columns_of(reader, "SKz") is None, "without a right it is as if it were not there"
    database.close()
    assert found is not None
    assert [each.name for each in found.clause.c] == list(COLUMNS)
    assert found.row_version == "RV"
    assert all("INFORMATION_SCHEMA.COLUMNS" in sql for sql in asked)
    assert all(one == two for one, two in pairwise(asked))
