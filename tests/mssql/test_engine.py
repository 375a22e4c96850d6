"""Values, comparisons and overlapping transactions, as both real drivers see them."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from decimal import Decimal

import pytest

from agent.sources.queries import version_number
from tests.mssql.asking import Connection, rows
from tests.mssql.engine import Database
from tests.mssql.errors import SqlError

WHEN = datetime(2026, 3, 1, 12, 0, 0, 2000)  # noqa: DTZ001 - POHODA's times are local, without offset


def add(books: Database, *codes: str) -> None:
    with books.begin() as work:
        for code in codes:
            work.insert("SKz", IDS=code, StavZ=1)


def test_each_type_comes_back_as_it_was_written(books: Database, connection: Connection) -> None:
    with books.begin() as work:
        work.insert("SKz", IDS="Šroub", StavZ=0.1, ProdejKc="-922337203685477.5808", IObchod=True, DatSave=WHEN,
                    Popis="Příliš žluťoučký", Pozn="ů" * 20_000, Nazev="ž☃")  # fmt: skip # one row
        work.insert("SKz")
    whole, empty = rows(connection, "SELECT * FROM SKz ORDER BY ID")
    assert whole[:5] == (1, "Šroub", 0.1, Decimal("-922337203685477.5808"), True)
    assert whole[5] == WHEN.replace(microsecond=3000), "rounded to a 300th of a second, as the drivers show it"
    assert whole[6:] == ("Příliš žluťoučký", "ů" * 20_000, "ž☃", (2001).to_bytes(8, "big"))
    assert empty == (2, *[None] * 8, (2002).to_bytes(8, "big"))


def test_parameters_of_each_type_find_the_row(books: Database, connection: Connection) -> None:
    with books.begin() as work:
        work.insert("SKz", IDS="Šroub", StavZ=2.5, ProdejKc="12.3456", IObchod=True, DatSave=WHEN)
    given = {
        "IDS = ?": "šROUB  ",
        "StavZ = ?": 2.5,
        "ProdejKc = ?": Decimal("12.3456"),
        "IObchod = ?": True,
        "ID = ?": 1,
    }
    given |= {"RV = ?": (2001).to_bytes(8, "big"), "DatSave = CAST(? AS datetime)": WHEN, "ID IN (?, 7)": 1}
    for condition, value in given.items():
        assert rows(connection, f"SELECT ID FROM SKz WHERE {condition}", value) == [(1,)], condition


def test_a_datetime_parameter_is_finer_than_the_column(books: Database, connection: Connection) -> None:
    """What was read, sent back, is less than what is stored: the same row is read again and again."""
    with books.begin() as work:
        work.insert("SKz", DatSave=WHEN)
    ((read,),) = rows(connection, "SELECT DatSave FROM SKz")
    assert rows(connection, "SELECT ID FROM SKz WHERE DatSave > ?", read) == [(1,)]
    assert rows(connection, "SELECT ID FROM SKz WHERE DatSave = ?", read) == []
    assert rows(connection, "SELECT ID FROM SKz WHERE DatSave > CAST(? AS datetime)", read) == []


def test_texts_sort_and_compare_in_czech(books: Database, connection: Connection) -> None:
    add(books, "chata", "cihla", "hora", "ihned", "čep", "cena", "CENA  ")
    found = rows(connection, "SELECT IDS FROM SKz WHERE ID <= 6 ORDER BY IDS")
    assert [code for (code,) in found] == ["cena", "cihla", "čep", "hora", "chata", "ihned"]
    assert rows(connection, "SELECT COUNT(*) FROM SKz WHERE IDS = ?", "Cena") == [(2,)]
    assert rows(connection, "SELECT ID FROM SKz WHERE IDS IN ('cep', 'CHATA')") == [(1,)], "accents count"


def test_null_is_neither_true_nor_false(books: Database, connection: Connection) -> None:
    add(books, "a")
    assert rows(connection, "SELECT ID FROM SKz WHERE ProdejKc = 0 OR NOT (ProdejKc = 0)") == []
    assert rows(connection, "SELECT ID FROM SKz WHERE COALESCE(ProdejKc, 0) = 0 AND ProdejKc IS NULL") == [(1,)]
    assert rows(connection, "SELECT MAX(ProdejKc), MAX(ID), COUNT(*) FROM SKz") == [(None, 1, 1)]


def test_a_reader_without_a_ceiling_loses_what_commits_late(books: Database, connection: Connection) -> None:
    after, below = "SELECT IDS, RV FROM SKz WHERE RV > ? ORDER BY RV", "SELECT IDS, RV FROM SKz WHERE RV > ? AND RV < ?"
    naive, bounded = (2000).to_bytes(8, "big"), (2000).to_bytes(8, "big")
    seen: dict[str, set[str]] = {"naive": set(), "bounded": set()}
    late = books.begin()
    late.insert("SKz", IDS="late")
    for step in ("early", "again"):
        add(books, step)
        if step == "again":
            late.commit()
        top = rows(connection, "SELECT MIN_ACTIVE_ROWVERSION()")[0][0]
        for code, version in rows(connection, after, naive):
            seen["naive"].add(code)
            naive = version
        seen["bounded"].update(code for code, _ in rows(connection, below, bounded, top))
        bounded = (version_number(top) - 1).to_bytes(8, "big")
    assert seen == {"naive": {"early", "again"}, "bounded": {"late", "early", "again"}}


def test_the_lowest_active_rowversion_is_the_next_when_none_is_open(books: Database, connection: Connection) -> None:
    asked = "SELECT MIN_ACTIVE_ROWVERSION(), @@DBTS"
    books.begin().insert("SKz")
    gone = books.begin()
    gone.insert("SKz")
    assert [version_number(each) for each in rows(connection, asked)[0]] == [2001, 2002]
    for work in list(books.active):
        work.rollback()
    assert [version_number(each) for each in rows(connection, asked)[0]] == [2003, 2002], "used up for ever"
    assert rows(connection, "SELECT ID FROM SKz") == []


def test_readers_see_a_commit_as_a_whole(books: Database, connection: Connection) -> None:
    add(books, "a", "b")
    stop = threading.Event()

    def move() -> None:
        while not stop.is_set():
            with books.begin() as work:
                work.update("SKz", 1, StavZ=lambda old: old - 1)
                work.update("SKz", 2, StavZ=lambda old: old + 1)

    writer = threading.Thread(target=move)
    writer.start()
    sums = {sum(stock for (stock,) in rows(connection, "SELECT StavZ FROM SKz")) for _ in range(30)}
    stop.set()
    writer.join()
    assert sums == {2.0}


def test_writers_of_the_same_row_wait_and_give_up(books: Database) -> None:
    add(books, "a")
    first, second = books.begin(), books.begin(lock_timeout=0.01)
    first.update("SKz", 1, StavZ=5)
    with pytest.raises(SqlError, match="Lock request"):
        second.update("SKz", 1, StavZ=6)
    first.commit()
    assert second.update("SKz", 1, StavZ=lambda old: old + 1)
    second.commit()
    assert books.committed("SKz").rows[1][2] == 6.0


def test_of_two_writers_that_wait_for_each_other_one_is_the_victim(books: Database) -> None:
    add(books, "a", "b")
    first, second = books.begin(), books.begin()
    first.update("SKz", 1, StavZ=10)
    second.update("SKz", 2, StavZ=20)
    waiting = threading.Thread(target=lambda: first.update("SKz", 2, StavZ=10))
    waiting.start()
    while first.waits_for is not second:
        time.sleep(0.001)
    with pytest.raises(SqlError, match="deadlock"):
        second.update("SKz", 1, StavZ=20)
    waiting.join()
    first.commit()
    assert [row[2] for row in books.committed("SKz").rows.values()] == [10.0, 10.0]
