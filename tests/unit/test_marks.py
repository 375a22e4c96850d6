"""Claims about the strategies that read only what moved since a mark: rowversion and modified-at."""

# ruff: noqa: DTZ001 - POHODA's times are local and carry no offset
from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SourceUnavailable
from agent.sources import rowversion
from agent.sources.modified_at import ByModifiedAt, october_change, overlap
from agent.sources.rowversion import ByRowVersion
from tests.unit.pohoda_fixture import Clock, add, cards, do, follow, truth


def test_auto_takes_the_rowversion_where_there_is_one(tmp_path: Path) -> None:
    with_one, without = cards(tmp_path / "p.db", 3, row_version=True), cards(tmp_path / "q.db", 3)
    assert "rowversion" in follow(with_one).source.check()[-1].text
    assert "fingerprint" in follow(without).source.check()[-1].text
    assert "DatSave very likely does not move" in follow(without).source.check()[-1].text


@pytest.mark.parametrize("kind", ["rowversion", "modified-at"])
def test_a_strategy_whose_column_is_missing_is_unavailable(tmp_path: Path, kind: str) -> None:
    path = cards(tmp_path / "p.db", 3)
    do(path, "ALTER TABLE SKz DROP COLUMN DatSave")
    follower = follow(path, row_version=kind)
    with pytest.raises(SourceUnavailable, match=kind):
        follower.one()
    assert follower.source.check()[-1].verdict == "error"


def test_by_rowversion_only_what_moved_is_read(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 30, row_version=True)
    follower = follow(path, row_version="rowversion")
    follower.all()
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 99 WHERE IDS = 'K003'")
    assert follower.all() == ["k003"]
    assert follower.batches[-1].scanned == 1
    assert not follower.batches[-1].bulk


def test_a_rowversion_that_moved_over_nothing_is_told_once(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 30, row_version=True)
    follower = follow(path, row_version="rowversion")
    follower.all()
    follower.all()
    do(path, "UPDATE SKz SET Nazev = 'Matka'")
    assert len(follower.all()) == 30
    before = follower.cursor
    assert follower.all() == []
    assert follower.batches[-1].scanned == 0
    assert follower.cursor == before


def test_more_rows_than_one_read_takes_are_all_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cards(tmp_path / "p.db", 25, row_version=True)
    follower = follow(path, row_version="rowversion")
    follower.all()
    follower.all()
    monkeypatch.setattr(rowversion, "LIMIT", 10)
    follower.batches.clear()
    do(path, "UPDATE SKz SET StavZ = 99")
    assert len(follower.all()) == 25
    assert [batch.scanned for batch in follower.batches] == [10, 10, 5]


def test_what_moved_just_before_an_hourly_pass_does_not_wait_for_its_chunk(tmp_path: Path) -> None:
    path, clock = cards(tmp_path / "p.db", 100, row_version=True), Clock()
    follower = follow(path, row_version="rowversion", clock=clock, chunk=10)
    follower.all()
    follower.all()
    clock.now += 3600
    do(path, "UPDATE SKz SET StavZ = 999 WHERE IDS = 'K099'")
    assert [change.key for _ in range(3) for change in follower.one().changes] == ["k099"]


def test_by_rowversion_a_rename_and_leaving_the_view_are_told(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 4, row_version=True)
    follower = follow(path, row_version="rowversion")
    follower.all()
    follower.all()
    do(path, "UPDATE SKz SET IDS = 'NEW' WHERE IDS = 'K001'")
    do(path, "UPDATE SKz SET Template = 1 WHERE IDS = 'K002'")
    assert sorted(follower.all()) == ["k002", "new"]
    assert {key: rows for key, rows in follower.rows.items() if not rows}.keys() == {"k001", "k002"}, "the second read"


def test_what_moved_during_a_first_pass_is_told_by_the_mark_taken_before_it(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 25, row_version=True)
    follower = follow(path, row_version="rowversion", chunk=10)
    follower.one()
    do(path, "UPDATE SKz SET StavZ = 99 WHERE IDS = 'K003'")
    assert "k003" in follower.all()
    assert follower.stock == truth(path)


@pytest.mark.parametrize("kind", ["rowversion", "modified-at"])
def test_deletes_are_found_by_the_hourly_pass(tmp_path: Path, kind: str) -> None:
    path, clock = cards(tmp_path / "p.db", 25, row_version=True), Clock()
    follower = follow(path, row_version=kind, clock=clock)
    follower.all()
    follower.all()
    do(path, "DELETE FROM SKz WHERE IDS = 'K003'")
    assert follower.all() == []
    clock.now += 3600
    assert follower.all() == ["k003"]
    assert not follower.batches[-1].bulk


@pytest.mark.parametrize("kind", ["rowversion", "modified-at"])
def test_an_hourly_pass_that_was_not_committed_is_made_again(tmp_path: Path, kind: str) -> None:
    path, clock = cards(tmp_path / "p.db", 25, row_version=True), Clock()
    follower = follow(path, row_version=kind, clock=clock)
    follower.all()
    follower.all()
    do(path, "DELETE FROM SKz WHERE IDS = 'K003'")
    clock.now += 3600
    assert [change.key for change in follower.source.read(follower.cursor, follower.seen).changes] == ["k003"]
    assert follower.all() == ["k003"]


def test_polls_of_a_row_version_without_an_index_take_a_tenth_of_the_time(tmp_path: Path) -> None:
    path, clock = cards(tmp_path / "p.db", 25, row_version=True), Clock()
    follower = follow(path, row_version="rowversion", clock=clock)
    follower.all()
    follower.all()

    def slow(self: ByRowVersion, *given: Any) -> Any:  # noqa: ANN401 - whatever a poll takes
        clock.now += 2.0
        return real(self, *given)

    real = ByRowVersion.poll
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ByRowVersion, "poll", slow)
        do(path, "UPDATE SKz SET StavZ = 99 WHERE IDS = 'K003'")
        assert follower.all() == ["k003"]
        do(path, "UPDATE SKz SET StavZ = 98 WHERE IDS = 'K004'")
        clock.now += 17.9
        assert follower.all() == []
        clock.now += 0.2
        assert follower.all() == ["k004"]


@pytest.mark.parametrize("kind", ["rowversion", "modified-at"])
def test_a_pass_and_live_reads_take_turns(tmp_path: Path, kind: str) -> None:
    path, clock = cards(tmp_path / "p.db", 100, row_version=True), Clock()
    follower = follow(path, row_version=kind, clock=clock, chunk=10)
    follower.all()
    follower.all()
    clock.now += 3600
    follower.one()
    do(path, "UPDATE SKz SET StavZ = 999, DatSave = strftime('%Y-%m-%d %H:%M:%S', 'now', 'localtime') "
             "WHERE IDS = 'K099'")  # fmt: skip
    told = [change.key for _ in range(2) for change in follower.one().changes]
    assert told == ["k099"]
    assert follower.batches[-1].more


def test_by_date_what_was_saved_within_the_overlap_is_read_and_what_is_known_is_not_told(tmp_path: Path) -> None:
    path, now = cards(tmp_path / "p.db", 5), datetime(2026, 3, 3, 12)
    follower = follow(path, row_version="modified-at", modified_at=ByModifiedAt(lambda _: now))
    follower.all()
    follower.all()
    do(path, "UPDATE SKz SET StavZ = 99, DatSave = '2026-03-03 11:46:00' WHERE IDS = 'K003'")
    do(path, "UPDATE SKz SET StavZ = 99, DatSave = '2026-03-03 11:44:00' WHERE IDS = 'K004'")
    do(path, "UPDATE SKz SET Nazev = 'X', DatSave = '2026-03-03 12:00:00' WHERE IDS = 'K002'")
    assert follower.all() == ["k003"]
    assert follower.all() == []
    assert follower.batches[-1].scanned == 2


def test_a_new_card_without_a_date_of_saving_is_found_by_its_creation(tmp_path: Path) -> None:
    path, now = cards(tmp_path / "p.db", 5), datetime(2026, 1, 2, 8, 5)
    follower = follow(path, row_version="modified-at", modified_at=ByModifiedAt(lambda _: now))
    follower.all()
    follower.all()
    add(path, "NEW")
    assert follower.all() == ["new"]


def test_a_clock_put_back_does_not_hide_what_is_saved_after(tmp_path: Path) -> None:
    path, times = cards(tmp_path / "p.db", 5), [datetime(2026, 3, 3, 12)]
    follower = follow(path, row_version="modified-at", modified_at=ByModifiedAt(lambda _: times[-1]))
    follower.all()
    follower.all()
    times.append(datetime(2026, 3, 3, 9))
    do(path, "UPDATE SKz SET StavZ = 99, DatSave = '2026-03-03 09:00:00' WHERE IDS = 'K003'")
    assert follower.all() == ["k003"]


@pytest.mark.parametrize(("year", "day"), [(2023, 29), (2024, 27), (2025, 26), (2026, 25), (2027, 31), (2028, 29)])
def test_the_clock_goes_back_on_the_last_sunday_of_october(year: int, day: int) -> None:
    assert october_change(year) == datetime(year, 10, day, 3)


def test_the_overlap_is_longer_only_around_the_hour_that_comes_twice() -> None:
    change = datetime(2026, 10, 25, 3)
    for minutes in range(-70, 70):
        moment = change + timedelta(minutes=minutes)
        assert overlap(moment, moment) == timedelta(minutes=70)
    for day in (-1, 1):
        moment = change + timedelta(days=day)
        assert overlap(moment, moment) == timedelta(minutes=15)


def test_what_is_saved_in_the_second_of_the_two_hours_is_found(tmp_path: Path) -> None:
    path, times = cards(tmp_path / "p.db", 5), [datetime(2026, 10, 25, 2, 58)]
    follower = follow(path, row_version="modified-at", modified_at=ByModifiedAt(lambda _: times[-1]))
    follower.all()
    follower.all()
    times.append(datetime(2026, 10, 25, 2, 1))  # three minutes later
    do(path, "UPDATE SKz SET StavZ = 99, DatSave = '2026-10-25 02:00:30' WHERE IDS = 'K003'")
    assert follower.all() == ["k003"]


def test_dates_are_said_to_be_unfit_for_quantities(tmp_path: Path) -> None:
    finding = follow(cards(tmp_path / "p.db", 3), row_version="modified-at").source.check()[-1]
    assert finding.verdict == "warning"
    assert "does not move" in finding.text
