"""Transactions that commit late: the agent's reader loses none of them, a naive reader on the same wire does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.mssql.asking import BOOKS, connect
from tests.mssql.drivers import Driver, address
from tests.mssql.engine import Database
from tests.mssql.server import Server
from tests.mssql.writers import LONG, Agent, Naive, Writers, agent, make_books, new_card, truth

POLL = 0.05


@pytest.fixture
def pohoda(server: Server) -> Database:
    return make_books(server, cards=20)


@pytest.fixture
def reading(tmp_path: Path, server: Server, pohoda: Database, driver: Driver) -> Iterator[Agent]:
    with agent(tmp_path, address(server, driver, database=BOOKS)) as started:
        yield started


def change(books: Database, card: int, pieces: int) -> None:
    with books.begin() as work:
        work.update("SKz", card, StavZ=pieces)


def test_what_six_writers_commit_late_is_lost_by_a_naive_reader_and_not_by_ours(
    tmp_path: Path, server: Server, driver: Driver
) -> None:
    books, by_hand = make_books(server, cards=2500), range(1, 11)
    writers = Writers(books, range(11, 2501), transactions=150)
    with (
        agent(tmp_path, address(server, driver, database=BOOKS)) as reading,
        closing(connect(server, driver)) as connection,
    ):
        naive = Naive(books, connection)
        late = books.begin()
        for card in by_hand:
            late.update("SKz", card, StavZ=99)
        oldest = late.oldest or 0
        began = time.monotonic()
        writers.start()
        while writers.at_work():
            reading.read()
            naive.read()
            if late.open and time.monotonic() > began + LONG:
                assert int.from_bytes(naive.last, "big") > oldest + len(by_hand), "the naive reader is past it"
                late.commit()
            time.sleep(POLL)
        writers.join()
        reading.read()
        naive.read()
        committed = len(writers.committed) + len(by_hand)
        lost, ours = naive.lost(), reading.lost(books)
        times = reading.source.scanned / committed
        print(
            f"\n{driver}: {committed} changes, {writers.late} transactions open {LONG:.0f} s; lost: rowversion > last "
            f"{len(lost)} ({len(lost) / committed:.0%}), ours {len(ours)}; ours read {times:.2f} rows per change"
        )
        assert writers.late == 9
        assert set(by_hand) <= set(lost)
        assert ours == []
        assert len(reading.pieces()) == len(truth(books))
        assert 1 <= times <= 1.1, "no row changed twice, so each is read once"
        assert reading.source.read_again <= 1.1 * committed


def test_an_open_transaction_holds_back_what_came_after_it_and_nothing_before(pohoda: Database, reading: Agent) -> None:
    change(pohoda, 1, 21)
    with pohoda.begin() as late:
        late.update("SKz", 2, StavZ=22)
        change(pohoda, 3, 23)
        reading.read()
        assert [reading.pieces()[f"zboží-{card:05d}"] for card in (1, 2, 3)] == [21, 10, 10]
    reading.read()
    assert [reading.pieces()[f"zboží-{card:05d}"] for card in (1, 2, 3)] == [21, 22, 23]
    assert reading.source.scanned == 3, "each row was read once"


def test_a_transaction_that_is_rolled_back_lets_go_of_what_waited(pohoda: Database, reading: Agent) -> None:
    late = pohoda.begin()
    late.update("SKz", 2, StavZ=22)
    new_card(late, "Never", 1)
    change(pohoda, 3, 23)
    reading.read()
    assert reading.source.scanned == 0
    late.rollback()
    reading.read()
    assert reading.pieces()["zboží-00003"] == 23
    assert reading.lost(pohoda) == []
    assert "never" not in reading.pieces()


def test_of_several_open_transactions_the_oldest_is_waited_for(pohoda: Database, reading: Agent) -> None:
    oldest, second = pohoda.begin(), pohoda.begin()
    oldest.update("SKz", 1, StavZ=21)
    change(pohoda, 2, 22)
    second.update("SKz", 3, StavZ=23)
    change(pohoda, 4, 24)
    told = []
    for end in (second, oldest):
        reading.read()
        told.append(reading.source.scanned)
        end.commit()
    reading.read()
    assert [*told, reading.source.scanned] == [0, 0, 4]
    assert reading.lost(pohoda) == []


def test_what_was_open_when_the_agent_began_to_read_is_not_missed(
    tmp_path: Path, server: Server, pohoda: Database, driver: Driver
) -> None:
    late = pohoda.begin()
    late.update("SKz", 1, StavZ=21)
    change(pohoda, 2, 22)
    with agent(tmp_path, address(server, driver, database=BOOKS)) as reading:
        assert [reading.pieces()[f"zboží-{card:05d}"] for card in (1, 2)] == [10, 22], "a pass sees what is committed"
        late.commit()
        reading.read()
        assert reading.lost(pohoda) == []
