"""Claims about rows that a source tells of though nothing that counts has changed: no event comes of them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.ingest import Ingest
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.views.stock import StockRow, StockView
from agent.targets.quantities import Quantities, QuantitySettings
from state.db import open_state
from tests.unit.pohoda_fixture import cards, do

NOW = 1_800_000_000.0


class Taken:
    """POHODA with cards K000…, a state file, and what ingest has put into the outbox since `forget`."""

    def __init__(self, folder: Path) -> None:
        self.path = cards(folder / "p.db", 5, row_version=True)
        self.state = open_state(folder / "state.db")
        source: PohodaTable[StockRow] = PohodaTable(
            "stock", open_database(str(self.path)), StockView(), row_version="rowversion"
        )
        settings = QuantitySettings(stores=(), deduct="none", zero_guard=None)
        self.ingest = Ingest(source, [Quantities(settings, "saleable")], self.state, contextlib.nullcontext())
        self.ingest.prepare()
        self.take_in()

    def take_in(self) -> list[tuple[str, str, str]]:
        """Work all changes off; returns the new deliveries as (key, value, version), and forgets them."""
        while self.ingest.step(NOW):
            pass
        with self.state.write() as db:
            rows = db.execute("SELECT key, value, version FROM delivery ORDER BY id").fetchall()
            db.execute("DELETE FROM delivery")
            db.execute("DELETE FROM shadow")  # nothing is dropped for being known in the shop
        return rows

    def close(self) -> None:
        self.ingest.source.close()
        self.state.close()


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Taken]:
    made = Taken(tmp_path)
    yield made
    made.close()


def test_a_rowversion_that_moved_over_other_columns_makes_no_event(taken: Taken) -> None:
    do(taken.path, "UPDATE SKz SET Nazev = 'Matka'")
    assert taken.take_in() == []


def test_a_change_carries_the_row_version_that_told_of_it(taken: Taken) -> None:
    do(taken.path, "UPDATE SKz SET StavZ = 70 WHERE IDS = 'K002'")
    with contextlib.closing(sqlite3.connect(taken.path)) as db:
        version = db.execute("SELECT RowVer FROM SKz WHERE IDS = 'K002'").fetchone()[0]
    assert taken.take_in() == [("k002", "70", f"{version:x}")]


def test_a_target_that_joins_a_file_in_use_is_owed_every_key_though_no_row_changes(taken: Taken) -> None:
    with taken.state.write() as db:
        db.execute("DELETE FROM target")
    taken.ingest.prepare()
    assert sorted(row[:2] for row in taken.take_in()) == [(f"k00{number}", str(number)) for number in range(5)]


def test_a_rename_changes_both_keys(taken: Taken) -> None:
    do(taken.path, "UPDATE SKz SET IDS = 'NEW' WHERE IDS = 'K003'")
    assert sorted(row[:2] for row in taken.take_in()) == [("k003", "0"), ("new", "3")]


def test_a_rename_that_leaves_the_view_at_once_takes_the_old_key_to_zero(taken: Taken) -> None:
    do(taken.path, "UPDATE SKz SET IDS = 'NEW', Template = 1 WHERE IDS = 'K003'")
    do(taken.path, "UPDATE SKz SET IDS = '  ' WHERE IDS = 'K004'")
    assert sorted(row[:2] for row in taken.take_in()) == [("k003", "0"), ("k004", "0")]


def test_a_new_tick_is_a_change_though_the_number_is_the_same(taken: Taken) -> None:
    do(taken.path, "UPDATE SKz SET IObchod = 0 WHERE IDS = 'K002'")
    assert [row[:2] for row in taken.take_in()] == [("k002", "0")]
    do(taken.path, "UPDATE SKz SET IObchod = 1 WHERE IDS = 'K002'")
    assert [row[:2] for row in taken.take_in()] == [("k002", "2")]
