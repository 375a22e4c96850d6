"""Claims about the view of quantities: which rows and columns count, and what a missing one means."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from agent.errors import ConfigError, SourceUnavailable
from agent.sources.connect import open_database
from agent.sources.views.stock import StockView, digests
from tests.unit.pohoda_fixture import add, do, follow, small, truth


def test_all_stores_count_when_none_is_chosen(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), ("A", 2, 7.0, 1))
    follower = follow(path)
    follower.all()
    assert follower.stock == {"a": [5.0, 7.0]}
    assert [row.store for row in follower.rows["a"]] == ["HLAVNI", "PRODEJNA"]


def test_only_chosen_stores_count_and_their_codes_are_compared_without_case(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), ("A", 2, 7.0, 1))
    follower = follow(path, StockView(stores=(" prodejna ",)))
    follower.all()
    assert follower.stock == {"a": [7.0]}


def test_an_unknown_store_is_an_error_that_lists_the_stores_and_never_no_rows(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    follower = follow(path, StockView(stores=("HLAVNI", "SKLAD9")))
    with pytest.raises(SourceUnavailable, match="SKLAD9") as caught:
        follower.one()
    assert "HLAVNI, PRODEJNA" in caught.value.hint
    (finding,) = follower.source.check()
    assert finding.verdict == "error"


def test_a_store_renamed_while_running_stops_reading_and_sends_nothing(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    follower = follow(path, StockView(stores=("HLAVNI",)))
    follower.all()
    do(path, "UPDATE sSklad SET IDS = 'JINY' WHERE ID = 1")
    with pytest.raises(SourceUnavailable, match="HLAVNI"):
        follower.all()
    do(path, "UPDATE sSklad SET IDS = 'HLAVNI' WHERE ID = 1")
    assert follower.all() == []


def test_templates_and_other_types_are_as_if_not_there(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", *((code, 1, 5.0, 1) for code in "ABCD"))
    do(path, "UPDATE SKz SET Template = 1 WHERE IDS = 'A'")
    do(path, "UPDATE SKz SET RelSkTyp = 5 WHERE IDS = 'B'")
    do(path, "UPDATE SKz SET RelSkTyp = NULL, Template = NULL WHERE IDS = 'C'")
    follower = follow(path)
    assert sorted(follower.all()) == ["c", "d"]
    with_sets = follow(path, StockView(card_types=(1, 5)))
    assert sorted(with_sets.all()) == ["b", "c", "d"]


def test_a_card_that_becomes_a_template_is_gone(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    follower = follow(path)
    follower.all()
    do(path, "UPDATE SKz SET Template = 1")
    assert follower.all() == ["a"]
    assert follower.rows["a"] == ()
    assert follower.seen.rows == {}


def test_the_tick_is_told_per_row(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 0), ("A", 2, 7.0, 1))
    follower = follow(path)
    follower.all()
    assert [row.internet for row in follower.rows["a"]] == [False, True]
    assert [row.offered for row in follower.seen.rows.values()] == [False, True]


def test_rows_without_a_code_are_ignored_and_counted(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1), ("", 1, 5.0, 1), ("  ", 1, 5.0, 1), (None, 1, 5.0, 1))
    follower = follow(path)
    assert follower.all() == ["a"]
    assert any("3 cards have no code" in finding.text for finding in follower.source.check())


@pytest.mark.parametrize("column", ["Template", "RelSkTyp", "Nazev", "DatSave"])
def test_the_view_does_without_an_optional_column_and_says_so(tmp_path: Path, column: str) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    _drop(path, column)
    follower = follow(path)
    assert follower.all() == ["a"]
    assert f"SKz.{column}" in {finding.subject for finding in follower.source.check()}


@pytest.mark.parametrize("column", ["IDS", "RefSklad", "StavZ", "IObchod", "Rezer"])
def test_the_view_cannot_do_without_a_needed_column(tmp_path: Path, column: str) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    _drop(path, column)
    with pytest.raises(SourceUnavailable, match=column):
        follow(path, StockView(deduct="reservations")).one()


def test_what_is_not_deducted_may_be_missing(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    _drop(path, "Rezer")
    follower = follow(path)
    follower.all()
    assert follower.rows["a"][0].reserved is None


def test_columns_are_found_whatever_their_case(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    for column in ("IDS", "StavZ", "IObchod"):
        do(path, f"ALTER TABLE SKz RENAME COLUMN {column} TO {column.swapcase()}")
    follower = follow(path)
    follower.all()
    assert follower.stock == {"a": [5.0]}


def test_a_name_is_no_change_of_a_quantity(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    follower = follow(path)
    follower.all()
    do(path, "UPDATE SKz SET Nazev = 'Matka', Rezer = 3")
    assert follower.all() == []


def test_what_is_deducted_is_a_change(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    follower = follow(path, StockView(deduct="reservations"))
    follower.all()
    do(path, "UPDATE SKz SET Rezer = 3")
    assert follower.all() == ["a"]


@pytest.mark.parametrize("other", [5, 5.0, Decimal(5), Decimal("5.000")])
def test_equal_numbers_of_any_type_have_one_fingerprint(other: object) -> None:
    assert digests([(1, "A", 1, 1, other)], quantities=1) == digests([(1, " A ", 1, True, 5.0)], quantities=1)


@pytest.mark.parametrize("nothing", [None, 0, 0.0, -0.0, Decimal(0)])
def test_nothing_and_zero_have_one_fingerprint(nothing: object) -> None:
    rows = [(1, "A", 1, None, nothing, 1.5)]
    assert digests(rows, quantities=2) == digests([(1, "A", 1, 0, 0, 1.5)], quantities=2)


def test_a_code_in_other_case_has_another_fingerprint() -> None:
    assert digests([(1, "a", 1, 1, 5)], quantities=1) != digests([(1, "A", 1, 1, 5)], quantities=1)


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert digests([(1, "ŠRO-1", 1, 1, 5.0)], quantities=1)[1].hex() == "38eb0cd60aa5c3f0"


@pytest.mark.parametrize("odd", ["mnoho", b"\x00", float("inf"), 10**400])
def test_one_odd_row_neither_hides_nor_changes_the_others(odd: object) -> None:
    plain = (2, "B", 1, 1, 5.0)
    mixed = digests([(1, "A", 1, 1, odd), plain, (3, None, 1, 1, 5.0)], quantities=1)
    assert mixed.keys() == {1, 2}
    assert mixed[2] == digests([plain], quantities=1)[2]
    assert mixed[1] != digests([(1, "A", 1, 1, 5.0)], quantities=1)[1]


def test_a_wide_row_has_the_fingerprint_of_its_narrow_columns() -> None:
    assert digests([(1, "A", 1, 1, 5.0, "Šroub", 3, 4)], quantities=1) == digests([(1, "A", 1, 1, 5)], quantities=1)


def test_a_missing_file_is_unavailable_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be opened") as caught:
        follow(tmp_path / "none.db").one()
    assert caught.value.hint
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "p.db").write_bytes(b"no database at all" * 500)
    with pytest.raises(SourceUnavailable, match="no database"):
        follow(tmp_path / "p.db").one()


def test_a_database_without_cards_is_named(tmp_path: Path) -> None:
    do(tmp_path / "p.db", "CREATE TABLE t (a)")
    with pytest.raises(SourceUnavailable, match="no table SKz"):
        follow(tmp_path / "p.db").one()


def test_a_locked_database_is_unavailable_and_then_read(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    do(path, "PRAGMA journal_mode = DELETE")
    follower = follow(path)
    follower.source._database = open_database(str(path), lock_wait=0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceUnavailable, match="locked"):
            follower.one()
    assert follower.all() == ["a"]


def test_a_read_that_takes_too_long_is_cut_short(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db")
    do(path, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
             "INSERT INTO SKz (IDS, RefSklad, StavZ, IObchod) SELECT 'K' || i, 1, i, 1 FROM n")  # fmt: skip
    follower = follow(path)
    follower.source._database = open_database(str(path), call_limit=-1.0)
    with pytest.raises(SourceUnavailable, match="too long"):
        follower.one()


def test_nothing_can_be_written_through_the_source(tmp_path: Path) -> None:
    path = small(tmp_path / "p #1 %20.db", ("A", 1, 5.0, 1))
    with pytest.raises(SourceUnavailable, match="readonly"), open_database(f"sqlite:///{path}").reading() as reader:
        reader.run("DELETE FROM SKz")
    assert truth(path) == {"a": [5.0]}


def test_a_writer_is_never_held_up_by_a_reader(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    follow(path).all()
    with closing(sqlite3.connect(path, timeout=0)) as db:
        assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows replaces no open file")
def test_a_file_put_in_the_place_of_another_is_read(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db", ("A", 1, 5.0, 1))
    follower = follow(path)
    follower.all()
    other = small(tmp_path / "q.db", ("A", 1, 9.0, 1))
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    other.replace(path)
    follower.all()
    assert follower.stock == {"a": [9.0]}


@pytest.mark.parametrize("text", ["", "oracle://x/y", "://", "mssql"])
def test_a_database_that_is_not_understood_is_the_users_error(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_database(text)
    assert caught.value.hint


def test_more_keys_than_parameters_fit_are_read(tmp_path: Path) -> None:
    path = small(tmp_path / "p.db")
    ids = [add(path, f"K{number}") for number in range(500)]
    follower = follow(path)
    follower.second([f"k{number}" for number in range(500)])
    assert follower.seen.rows.keys() == set(ids)


def _drop(path: Path, column: str) -> None:
    if column == "IDS":
        do(path, "DROP INDEX xIDS")
    if column == "RefSklad":
        do(path, "DROP INDEX xRefSklad")
    if column == "Nazev":
        do(path, "DROP INDEX xSTEXT")
    do(path, f"ALTER TABLE SKz DROP COLUMN {column}")
