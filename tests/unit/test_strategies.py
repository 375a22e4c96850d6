"""Claims about the fingerprint strategy, its pace, and about detection as a whole."""

# ruff: noqa: ANN401 - a patched method takes anything
from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import SourceUnavailable
from agent.sources import Cursor
from agent.sources.fingerprint import Unmoved
from agent.sources.reader import Reader
from agent.sources.strategies import Pace
from tests.unit.pohoda_fixture import Clock, Follower, add, cards, do, follow, small, truth


@contextmanager
def refused(follower: Follower, sql: str) -> Iterator[None]:
    """The database fails as soon as a statement holds this text."""
    real = Reader.run

    def fails(self: Reader, statement: str, parameters: Sequence[Any] = ()) -> Any:
        return real(self, "SELECT * FROM gone" if sql in statement else statement, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reader, "run", fails)
        yield


def test_a_first_pass_tells_every_key_in_the_bulk_lane(tmp_path: Path) -> None:
    follower = follow(cards(tmp_path / "p.db", 25), chunk=10)
    assert len(follower.all()) == 25
    assert [(batch.bulk, batch.more, batch.scanned) for batch in follower.batches] == [
        (True, True, 10),
        (True, True, 10),
        (True, False, 5),
    ]


def test_a_second_pass_over_the_same_tells_nothing_and_changes_no_cursor(tmp_path: Path) -> None:
    follower = follow(cards(tmp_path / "p.db", 25), chunk=10)
    follower.all()
    before = follower.cursor
    for _ in range(3):
        assert follower.all() == []
        assert follower.cursor == before


def test_changed_new_and_vanished_rows_are_told_in_the_live_lane(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 25)
    follower = follow(path, chunk=10)
    follower.all()
    follower.batches.clear()
    do(path, "UPDATE SKz SET StavZ = 99 WHERE IDS = 'K003'")
    do(path, "DELETE FROM SKz WHERE IDS IN ('K012', 'K024')")
    add(path, "NEW")
    assert sorted(follower.all()) == ["k003", "k012", "k024", "new"]
    assert not any(batch.bulk for batch in follower.batches)
    assert follower.stock == truth(path)


def test_a_renamed_code_tells_the_old_key_and_the_new_one(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 3)
    follower = follow(path)
    follower.all()
    do(path, "UPDATE SKz SET IDS = 'K002' WHERE IDS = 'K001'")
    assert sorted(follower.all()) == ["k001", "k002"]
    assert follower.stock == {"k000": [0.0], "k002": [1.0, 2.0]}


def test_a_pass_goes_on_after_a_restart_where_it_was(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 25)
    first = follow(path, chunk=10)
    first.one()
    second = follow(path, chunk=10)
    second.cursor, second.seen = first.cursor, first.seen
    assert second.one().changes[0].key == "k010"
    assert second.batches[0].bulk


def test_an_emptied_table_is_every_key_changed_in_chunks(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 25)
    follower = follow(path, chunk=10)
    follower.all()
    do(path, "DELETE FROM SKz")
    assert len(follower.all()) == 25
    assert max(len(batch.changes) for batch in follower.batches) == 10
    assert follower.stock == {}
    assert follower.seen.rows == {}


def test_a_value_that_came_and_went_between_the_two_reads_is_told_again(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 3)
    follower = follow(path)
    follower.all()
    assert follower.all() == []  # the chunk is known to be equal now
    do(path, "UPDATE SKz SET StavZ = 50 WHERE IDS = 'K001'")
    follower.second(["k001"])
    assert follower.stock["k001"] == [50.0]
    do(path, "UPDATE SKz SET StavZ = 1 WHERE IDS = 'K001'")
    assert follower.all() == ["k001"]


def test_a_known_chunk_is_forgotten_with_any_of_its_rows() -> None:
    unmoved = Unmoved()
    unmoved.note(-1, 10, b"a")
    unmoved.note(10, None, b"b")
    unmoved.forget([11])
    assert unmoved.known(-1, b"a") == (True, 10)
    assert unmoved.known(10, b"b") == (False, None)


def test_a_pass_that_had_changes_ends_with_another_cursor_so_that_the_guard_judges(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 25)
    follower = follow(path, chunk=10)
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 99 WHERE IDS = 'K003'")
    follower.batches.clear()
    follower.all()
    first, second, last = (batch.cursor for batch in follower.batches)
    assert first == second != last


def test_a_failed_read_changes_nothing(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 5)
    follower = follow(path)
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 99 WHERE IDS = 'K003'")
    before: Cursor | None = dict(follower.cursor or {})
    with refused(follower, "StavZ"), pytest.raises(SourceUnavailable):
        follower.one()
    assert follower.cursor == before
    assert follower.all() == ["k003"]


def test_a_batch_that_was_not_committed_is_told_again(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 25)
    follower = follow(path, chunk=10)
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 99 WHERE IDS = 'K015'")
    told: list[str] = []
    for _ in range(3):  # read past the change, and lose what was read
        told += [change.key for change in follower.source.read(follower.cursor, follower.seen).changes]
    assert told == ["k015"]
    assert follower.all() == ["k015"]


def test_the_next_pass_rests_nine_times_as_long_as_the_last_one_took() -> None:
    clock = Clock()
    pace = Pace(clock, poll=1.0)
    began = clock.now
    clock.now += 2.0
    pace.spent(began)
    pace.ended()
    clock.now += 17.9
    assert not pace.due()
    clock.now += 0.2
    assert pace.due()


def test_a_short_pass_is_due_a_poll_after_it_began() -> None:
    clock = Clock()
    pace = Pace(clock, poll=1.0)
    began = clock.now
    clock.now += 0.02
    pace.spent(began)
    pace.ended()
    assert not pace.due()
    clock.now = began + 1.0
    assert pace.due()


def test_between_two_passes_only_a_movement_brings_the_next_one_forward(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 5)
    clock = Clock()
    follower = follow(path, poll=60.0, clock=clock)
    follower.all()
    clock.now += 30
    do(path, "UPDATE SKz SET Rezer = 1, StavZ = 77 WHERE IDS = 'K001'")
    assert follower.all() == []
    assert follower.batches[-1].scanned == 0
    do(path, "INSERT INTO SKzPoh (RefSKz) VALUES (2)")
    assert follower.all() == ["k001"]


def test_movements_that_never_end_bring_a_pass_forward_only_when_it_rested_as_long_as_it_took() -> None:
    clock = Clock()
    pace = Pace(clock, poll=1.0)
    assert pace.may_come_early()
    began = clock.now
    clock.now += 2.0
    pace.spent(began)
    pace.ended()
    clock.now += 1.9
    assert not pace.may_come_early()
    clock.now += 0.2
    assert pace.may_come_early()


def test_a_hint_whose_batch_was_not_committed_is_not_lost(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 5)
    follower = follow(path, poll=60.0)
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 77 WHERE IDS = 'K001'")
    do(path, "INSERT INTO SKzPoh (RefSKz) VALUES (2)")
    assert follower.source.read(follower.cursor, follower.seen).changes
    assert follower.all() == ["k001"]


def test_a_column_that_only_the_second_read_asks_for_may_go(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 5)
    follower = follow(path)
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 77 WHERE IDS = 'K001'")
    do(path, "DROP INDEX xSTEXT")
    do(path, "ALTER TABLE SKz DROP COLUMN Nazev")
    with pytest.raises(SourceUnavailable, match="Nazev"):
        follower.one()
    assert follower.all() == ["k001"]
    assert follower.rows["k001"][0].name == ""


def test_a_saved_card_brings_the_next_pass_forward(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 5)
    follower = follow(path, poll=60.0)
    follower.all()
    do(path, "UPDATE SKz SET IObchod = 0, DatSave = '2026-05-05 10:00:00' WHERE IDS = 'K001'")
    assert follower.all() == ["k001"]


def test_a_hint_whose_pass_failed_is_not_lost(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 5)
    follower = follow(path, poll=60.0)
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 77 WHERE IDS = 'K001'")
    do(path, "INSERT INTO SKzPoh (RefSKz) VALUES (2)")
    with refused(follower, "StavZ"), pytest.raises(SourceUnavailable):
        follower.one()
    assert follower.all() == ["k001"]


KINDS = ("fingerprint", "rowversion", "modified-at")


STEPS = st.one_of(
    st.tuples(st.just("sell"), st.integers(0, 11), st.integers(-3, 9)),
    st.tuples(st.just("rename"), st.integers(0, 11), st.integers(0, 7)),
    st.tuples(st.just("delete"), st.integers(0, 11), st.just(0)),
    st.tuples(st.just("insert"), st.integers(0, 7), st.integers(0, 9)),
    st.tuples(st.just("read"), st.just(0), st.just(0)),
    st.tuples(st.just("second"), st.integers(0, 7), st.just(0)),
    st.tuples(st.just("restart"), st.just(0), st.just(0)),
    st.tuples(st.just("lost"), st.just(0), st.just(0)),
)


@pytest.mark.parametrize("kind", KINDS)
@given(steps=st.lists(STEPS, max_size=25))
@settings(max_examples=40, deadline=None)
def test_whatever_happens_every_real_change_is_told(kind: str, steps: list[tuple[str, int, int]]) -> None:
    """Rows change, move between codes, come and go amid reads, lost batches and restarts; in the end all is known."""
    spellings = ("A", "a", "B ", "Žluť", "ŽLUŤ", "c", "D", "e")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = small(Path(folder) / "p.db", *((code, 1, 1.0, 1) for code in spellings), row_version=True)
        clock = Clock()
        follower = follow(path, row_version=kind, chunk=3, clock=clock)
        for what, one, other in steps:
            if what == "sell":
                do(path, "UPDATE SKz SET StavZ = ? WHERE ID = ?", other, one)
            elif what == "rename":
                do(path, "UPDATE SKz SET IDS = ? WHERE ID = ?", spellings[other], one)
            elif what == "delete":
                do(path, "DELETE FROM SKz WHERE ID = ?", one)
            elif what == "insert":
                add(path, spellings[one], stock=other)
            elif what == "read":
                follower.one()
            elif what == "second":
                follower.second([spellings[one].strip().casefold()])
            elif what == "lost":  # read, and killed before the commit
                follower.source.read(follower.cursor, follower.seen)
            elif what == "restart":
                follower.source.close()
                follower.source = follow(path, row_version=kind, chunk=3, clock=clock).source
        follower.all()
        clock.now += 7200  # the pass under way may have gone by; the next one has not
        follower.all()
        assert follower.stock == truth(path)
        assert {row.key for row in follower.seen.rows.values()} == truth(path).keys()
        follower.source.close()
