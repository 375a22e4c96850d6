"""Claims about the second read, the statements, and the embedded POHODA that they are tried on."""

# ruff: noqa: DTZ001 - POHODA's times are local and carry no offset
from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import mssql

from agent.demo.pohoda import Morning, create, expected
from agent.sources import SeenRow
from agent.sources.connect import open_database
from agent.sources.queries import chunked
from agent.sources.views.stock import StockView
from agent.targets.quantities import Quantities, QuantitySettings
from tests.unit.pohoda_fixture import cards, do, follow, small, truth


def test_the_second_read_brings_the_rows_of_a_key_from_every_store(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("abc", 1, 1.0, 1), ("ABC ", 2, 2.0, 1), ("Abc", 1, 3.0, 1))
    follower = follow(path)
    assert follower.all() == ["abc"]
    assert follower.stock == {"abc": [1.0, 2.0, 3.0]}


def test_a_code_with_letters_that_the_database_compares_with_case_is_met_by_its_row(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("Židle", 1, 1.0, 1), ("ŽIDLE", 2, 2.0, 1), (" žIdLe", 2, 3.0, 1))
    follower = follow(path)
    follower.all()
    assert follower.stock == {"židle": [1.0, 2.0, 3.0]}


def test_a_key_never_met_is_found_by_its_code_in_capitals(tmp_path: Path) -> None:
    follower = follow(small(tmp_path / "p.db", ("ŽIDLE", 1, 1.0, 1)))
    follower.second(["židle"])
    assert follower.stock == {"židle": [1.0]}


def test_a_row_found_by_its_new_code_brings_the_old_key_along(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 3)
    follower = follow(path)
    follower.all()
    do(path, "UPDATE SKz SET IDS = 'K002' WHERE IDS = 'K001'")
    follower.second(["k002"])
    assert follower.rows["k001"] == ()
    assert follower.stock["k002"] == [1.0, 2.0]


def test_a_key_that_nobody_knows_has_no_rows(tmp_path: Path) -> None:
    follower = follow(cards(tmp_path / "p.db", 3))
    assert follower.source.rows(["nothing"], follower.seen).rows == {"nothing": ()}


def test_a_remembered_row_that_is_gone_is_to_be_forgotten(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 3)
    follower = follow(path)
    follower.seen.rows[77] = SeenRow(77, "k001", b"x", offered=True)
    found = follower.source.rows(["k001"], follower.seen)
    assert found.gone == (77,)
    assert [row.row for row in found.seen] == [2]


@pytest.mark.parametrize("kind", ["fingerprint", "rowversion"])
def test_a_morning_in_pohoda_ends_with_what_the_shop_must_hold(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "p.db"
    create(path, cards=300, seed=7, row_version=True)
    chosen = QuantitySettings(stores=("HLAVNI", "PRODEJNA"), deduct="reservations", safety_stock=1)
    target = Quantities(chosen)
    follower = follow(path, StockView(chosen.stores, chosen.deduct, chosen.card_types), row_version=kind, chunk=100)
    morning = Morning(path, seed=7)
    for _ in range(20):
        for _ in range(15):
            morning.step()
        follower.all()
        values = {key: target.value(key, rows) for key, rows in follower.rows.items()}
        assert {key: value for key, value in values.items() if value is not None} == expected(path, chosen)
    morning.close()
    follower.source.close()


def test_the_same_seed_does_the_same_work(tmp_path: Path) -> None:
    done = []
    for name in ("p.db", "q.db"):
        create(tmp_path / name, cards=50, seed=3)
        morning = Morning(tmp_path / name, seed=3)
        done.append([morning.step().codes for _ in range(50)])
        morning.close()
    assert done[0] == done[1]
    assert truth(tmp_path / "p.db") == truth(tmp_path / "q.db")


def test_a_database_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    create(tmp_path / "p.db", cards=3)
    with pytest.raises(FileExistsError):
        create(tmp_path / "p.db", cards=3)


@pytest.mark.parametrize(("query", "index"), [("page", "INTEGER PRIMARY KEY"), ("versions", "xRowVer")])
def test_reading_goes_by_an_index_and_sorts_nothing(tmp_path: Path, query: str, index: str) -> None:
    path = cards(tmp_path / "p.db", 5, row_version=True)
    follower = follow(path, StockView(stores=("HLAVNI",)))
    with open_database(str(path)).reading() as reader:
        queries = follower.source._prepare(reader).queries
    text, values = queries.page(3, 10) if query == "page" else queries.versions(1, 9, 10)
    with sqlite3.connect(path) as db:
        plan = " ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {text}", values))
    db.close()
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_the_statements_are_ones_that_sql_server_runs(tmp_path: Path) -> None:
    sql_server: Any = mssql.dialect
    follower = follow(cards(tmp_path / "p.db", 5, row_version=True), StockView(stores=("HLAVNI",)))
    with follower.source._database.reading() as reader:
        queries = replace(follower.source._prepare(reader).queries, dialect=sql_server(paramstyle="qmark"), _texts={})
    page, values = queries.page(3, 10)
    assert page.startswith("SELECT TOP 10 ")
    assert "LIMIT" not in page
    assert values == (3,)
    versions, bounds = queries.versions(1, 258, 10)
    assert "CAST(? AS BINARY(8))" in versions, "the parameter is converted: a converted column loses its index"
    assert bounds == (b"\0" * 7 + b"\1", b"\0" * 6 + b"\1\2")
    saved, given = queries.saved(datetime(2026, 3, 3), 0, 10)
    assert "CAST(? AS DATETIME)" in saved, "else a stored .003 is .0033333 and is missed"
    assert given == (datetime(2026, 3, 3), 0)


def test_two_thousand_keys_never_are_in_one_statement_nor_in_many_kinds_of_it(tmp_path: Path) -> None:
    follower = follow(cards(tmp_path / "p.db", 5), StockView(stores=("HLAVNI",)))
    with follower.source._database.reading() as reader:
        queries = follower.source._prepare(reader).queries
    keys = [f"c{number}" for number in range(2000)]
    asked = [queries.of_codes(some) for some in chunked(keys)]
    assert len(asked) == 10
    assert {value for _, values in asked for value in values if str(value).startswith("c")} == set(keys)
    assert max(sql.count("?") for sql, _ in asked) <= 201
    lengths = {queries.of_codes(keys[:count])[0] for count in range(1, 201)}
    assert len(lengths) == 4, "a server keeps a plan for each text"
