"""Claims about an Access file as a database: when it is read anew, at what pace, and what follows for the shop."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.sources.access import SHARE, AccessDatabase
from agent.sources.access_rows import READ, Table, Wanted, find_driver, read_tables
from agent.sources.pohoda_db import PohodaTable
from agent.sources.views.stock import StockView
from tests.access import mdb
from tests.unit.pohoda_fixture import Clock, Follower

SAVED = datetime(2026, 1, 2, 8)  # noqa: DTZ001 - POHODA's times are local, without offset
CARD_KINDS = (int, str, int, bool, float, float, float, str, bool, int, datetime, datetime)


@dataclass
class Books:
    """A file that changes when told, and what a driver would read in its copy."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    cards: dict[int, list[Any]] = field(default_factory=dict)
    stores: tuple[tuple[int, str], ...] = ((1, "HLAVNI"),)
    takes: float = 0.0
    """Seconds of a reading."""
    fails: SourceUnavailable | None = None
    """What turns out at the end of the last table."""
    readings: int = 0
    closed: int = 0

    def card(self, row: int, code: str, pieces: float, *, tick: bool = True) -> None:
        self.cards[row] = [row, code, 1, tick, pieces, 0.0, 0.0, f"Zboží {row}", False, 1, SAVED, SAVED]
        self.touch()

    def touch(self) -> None:
        """Let POHODA write something."""
        head = self.path.read_bytes()[:1] if self.path.exists() else b"\0"
        self.path.write_bytes(bytes([(head[0] + 1) % 256]) + bytes(99))
        os.utime(self.path, ns=(1, int(self.clock.now * 10**9) + self.readings * 1000 + head[0]))

    def __call__(self, path: Path, wanted: Wanted, going: Callable[[], None]) -> Generator[Table, None, None]:
        assert path.read_bytes() == self.path.read_bytes()
        assert wanted == READ
        self.readings += 1
        try:
            going()
            self.clock.now += self.takes
            going()
            yield Table("SKz", tuple(READ["SKz"]), CARD_KINDS, iter([list(map(tuple, self.cards.values())), []]))
            yield Table("sSklad", ("ID", "IDS"), (int, str), iter([self.stores]))
            if self.fails:
                raise self.fails
        finally:
            self.closed += 1

    def database(self, **settings: Any) -> AccessDatabase:  # noqa: ANN401 - whatever it takes
        return AccessDatabase(self.path, self, clock=self.clock, **settings)


@pytest.fixture
def books(tmp_path: Path) -> Books:
    made = Books(tmp_path / "StwPh_12345678_2026.mdb")
    for row in range(1, 6):
        made.card(row, f"K{row}", float(row))
    return made


def follow(books: Books, database: AccessDatabase) -> Follower:
    return Follower(PohodaTable("stock", database, StockView(), clock=books.clock))


def ids(database: AccessDatabase) -> list[int]:
    with database.reading() as reader:
        return [row[0] for row in reader.run("SELECT ID FROM SKz ORDER BY ID")]


def test_the_views_read_it_like_any_other_database(books: Books) -> None:
    follower = follow(books, books.database())
    assert sorted(follower.all()) == ["k1", "k2", "k3", "k4", "k5"]
    assert follower.stock == {f"k{row}": [float(row)] for row in range(1, 6)}
    (row,) = follower.rows["k3"]
    assert (row.name, row.store, row.internet) == ("Zboží 3", "HLAVNI", True)
    assert follower.all() == []


def test_a_changed_a_new_and_a_deleted_card_are_told(books: Books) -> None:
    follower = follow(books, books.database())
    follower.all()
    books.card(2, "K2", 99.0)
    books.card(6, "K6", 6.0)
    del books.cards[4]
    assert sorted(follower.all()) == ["k2", "k4", "k6"]
    assert follower.stock == {"k1": [1.0], "k2": [99.0], "k3": [3.0], "k5": [5.0], "k6": [6.0]}


def test_a_reading_that_fails_at_its_end_changes_nothing(books: Books) -> None:
    follower = follow(books, books.database())
    follower.all()
    before = (dict(follower.seen.rows), follower.cursor, dict(follower.stock))
    books.cards.clear()
    books.fails = SourceUnavailable("cut", hint="wait")
    books.touch()
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="cut") as caught:
            follower.one()
        assert caught.value.hint == "wait"
        books.clock.now += 1
    assert (follower.seen.rows, follower.cursor, follower.stock) == before
    books.fails = None
    for row in range(1, 6):
        books.card(row, f"K{row}", float(row))
    assert follower.all() == []
    assert books.readings == books.closed


def test_a_file_that_did_not_change_is_not_read_again(books: Books) -> None:
    database = books.database()
    for _ in range(100):
        assert ids(database) == [1, 2, 3, 4, 5]
        books.clock.now += 1
    assert books.readings == 1


def test_it_is_read_at_least_every_few_minutes_whatever_its_signs_say(books: Books) -> None:
    database = books.database(at_least=300)
    ids(database)
    books.clock.now += 299
    ids(database)
    assert books.readings == 1
    books.clock.now += 1
    ids(database)
    assert books.readings == 2


def test_counters_that_moved_are_noticed_although_the_time_did_not(books: Books) -> None:
    database = books.database(look=10)
    ids(database)
    before = books.path.stat()
    del books.cards[1]
    books.touch()
    os.utime(books.path, ns=(1, before.st_mtime_ns))
    assert ids(database) == [1, 2, 3, 4, 5]
    books.clock.now += 10
    assert ids(database) == [2, 3, 4, 5]


def test_reading_takes_at_most_a_tenth_of_the_time(books: Books) -> None:
    books.takes = 3.0
    database = books.database()
    started = books.clock.now
    for _ in range(600):
        books.touch()
        ids(database)
        books.clock.now += 1
    passed = books.clock.now - started
    assert 0.9 * passed / (books.takes * (SHARE + 1)) < books.readings < 1.1 * passed / (books.takes * (SHARE + 1))


def test_between_two_readings_the_last_one_holds(books: Books) -> None:
    books.takes = 3.0
    database = books.database()
    ids(database)
    del books.cards[1]
    books.touch()
    books.clock.now += 26
    assert ids(database) == [1, 2, 3, 4, 5]
    books.clock.now += 1
    assert ids(database) == [2, 3, 4, 5]


def test_a_failure_is_told_at_the_same_pace_and_not_hidden_by_the_last_reading(books: Books) -> None:
    books.takes = 3.0
    database = books.database()
    ids(database)
    books.clock.now += 27
    books.fails = SourceUnavailable("cut", hint="wait")
    books.touch()
    for _ in range(26):
        with pytest.raises(SourceUnavailable, match="cut"):
            ids(database)
        books.clock.now += 1
    assert books.readings == 2


def test_a_file_that_vanishes_is_told_and_found_again(books: Books) -> None:
    database = books.database()
    ids(database)
    hidden = books.path.rename(books.path.with_suffix(".away"))
    with pytest.raises(SourceUnavailable, match="not there"):
        ids(database)
    hidden.rename(books.path)
    assert ids(database) == [1, 2, 3, 4, 5]


def test_a_reading_that_takes_too_long_is_cut_short(books: Books) -> None:
    books.takes = 601.0
    with pytest.raises(SourceUnavailable, match="more than 600 s"):
        ids(books.database())
    assert books.closed == 1


def test_a_reading_under_way_ends_when_the_agent_stops(books: Books) -> None:
    database = books.database()
    real = books.__class__.__call__

    def closing(path: Path, wanted: Wanted, going: Callable[[], None]) -> Generator[Table, None, None]:
        database._closings += 1  # what close() does first, in another thread
        yield from real(books, path, wanted, going)

    database._read = closing
    with pytest.raises(SourceUnavailable, match="the agent stops"):
        ids(database)


def test_a_closed_database_is_read_anew_by_who_still_reads(books: Books) -> None:
    database = books.database()
    ids(database)
    database.close()
    assert ids(database) == [1, 2, 3, 4, 5]
    assert books.readings == 2


def test_who_reads_keeps_his_tables_to_the_end_of_the_call(books: Books) -> None:
    """Another thread's reading swaps them meanwhile; here the same thread does."""
    database = books.database()
    with database.reading() as reader:
        del books.cards[1]
        books.touch()
        assert ids(database) == [2, 3, 4, 5]
        assert reader.run("SELECT COUNT(*) FROM SKz") == [(5,)]
        image = reader.connection.raw
    with pytest.raises(Exception, match="closed"):
        image.execute("SELECT 1")


def test_a_missing_table_is_told_by_the_view_in_its_own_words(books: Books) -> None:
    database = books.database()

    def without_stores(path: Path, wanted: Wanted, going: Callable[[], None]) -> Generator[Table, None, None]:
        yield from (table for table in books(path, wanted, going) if table.name != "sSklad")

    database._read = without_stores
    with pytest.raises(SourceUnavailable, match="no table sSklad"):
        follow(books, database).one()


@pytest.mark.parametrize("damage", [None, 2, "x"])
def test_an_id_that_is_missing_doubled_or_no_number_is_damage(books: Books, damage: object) -> None:
    books.cards[1][0] = damage
    with pytest.raises(SourceUnavailable) as caught:
        ids(books.database())
    assert caught.value.hint


def test_money_dates_and_ticks_are_kept_as_in_an_sqlite_pohoda(books: Books) -> None:
    kinds: Sequence[type] = (int, Decimal, datetime, bool)

    def odd(path: Path, wanted: Wanted, going: Callable[[], None]) -> Generator[Table, None, None]:
        row = (1, Decimal("99999999999.9999"), datetime(1899, 12, 30, 13, 30, 0, 500), True)  # noqa: DTZ001 - as above
        yield Table("T", ("ID", "Cena", "Kdy", "Je"), tuple(kinds), iter([[row], [(2, None, None, False)]]))

    with AccessDatabase(books.path, odd).reading() as reader:
        assert reader.run("SELECT * FROM T") == [
            (1, 99999999999.9999, "1899-12-30 13:30:00.000500", 1),
            (2, None, None, 0),
        ]


def test_a_call_that_reads_too_long_in_memory_is_cut_short(books: Books) -> None:
    database = books.database(call_limit=5.0)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 99999999) SELECT MAX(x) FROM n"

    def read() -> None:
        with database.reading() as reader:
            books.clock.now += 6
            reader.run(endless)

    with pytest.raises(SourceUnavailable, match="too long"):
        read()
    assert ids(database) == [1, 2, 3, 4, 5]


def test_another_path_is_another_database(books: Books) -> None:
    one = books.database().identity
    assert one == books.database().identity
    other = Books(books.path.with_name("StwPh_12345678_2027.mdb"), books.clock)
    assert other.database().identity != one


def real_cards(stores: tuple[tuple[int, str], ...]) -> Callable[..., Generator[Table, None, None]]:
    """The real file's cards through the real driver, and stores, which that file lacks."""
    read = read_tables(find_driver())

    def tables(path: Path, wanted: Wanted, going: Callable[[], None]) -> Generator[Table, None, None]:
        yield from read(path, wanted, going)
        yield Table("sSklad", ("ID", "IDS"), (int, str), iter([stores]))

    return tables


def test_edits_of_a_real_file_reach_the_view_and_a_cut_one_does_not(tmp_path: Path) -> None:
    mdb.driver()
    data = mdb.original()
    mdb.put_once(data, "RelTpDPH".encode("utf-16-le"), "RefSklad".encode("utf-16-le"))
    path, clock = tmp_path / "StwPh_12345678_2026.mdb", Clock()
    times = iter(range(1, 100))

    def write(content: bytes | bytearray) -> None:
        path.write_bytes(content)
        os.utime(path, (now := next(times), now))
        clock.now += 60

    write(data)
    database = AccessDatabase(path, real_cards(((2, "HLAVNI"), (0, "JINY"))), clock=clock)
    follower = Follower(PohodaTable("stock", database, StockView(), clock=clock))
    assert sorted(follower.all()) == ["big-04", "kun-01", "nul-03", "řeř-02"]
    assert follower.stock["kun-01"] == [12.5]
    mdb.put_once(data, _double(12.5), _double(7.25))
    write(data)
    assert follower.all() == ["kun-01"]
    assert follower.stock["kun-01"] == [7.25]
    write(data[: mdb.SKZ * mdb.PAGE])
    told = dict(follower.stock)
    with pytest.raises(SourceUnavailable):
        follower.one()
    assert follower.stock == told
    mdb.delete(data, mdb.SKZ, 0, left=3)
    write(data)
    assert follower.all() == ["kun-01"]
    assert "kun-01" not in follower.stock


def _double(value: float) -> bytes:

    return struct.pack("<d", value)
