"""Claims about a source that went back: a restored backup, another database, other settings."""

# ruff: noqa: DTZ001 - POHODA's times are local and carry no offset
from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.sources import Cursor
from agent.sources.views.stock import StockView
from tests.unit.pohoda_fixture import add, cards, do, follow, truth

KINDS = ("fingerprint", "rowversion", "modified-at")


@pytest.mark.parametrize("kind", KINDS)
def test_a_restored_backup_is_said_and_read_anew_in_the_bulk_lane(tmp_path: Path, kind: str) -> None:
    path = cards(tmp_path / "p.db", 20, row_version=True)
    do(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(path, tmp_path / "backup.db")
    follower = follow(path, row_version=kind)
    follower.all()
    for number in range(5):
        row = add(path, f"NEW{number}")
        do(path, "INSERT INTO SKzPoh (RefSKz) VALUES (?)", row)
    do(path, "UPDATE SKz SET StavZ = 500 WHERE IDS = 'K003'")
    do(path, "UPDATE SKz SET DatSave = strftime('%Y-%m-%d %H:%M:%S', 'now', 'localtime')")
    follower.all()
    follower.all()
    follower.batches.clear()
    follower.source.close()  # Windows replaces no open file
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    (tmp_path / "backup.db").replace(path)
    told = follower.all()
    assert [bool(batch.wound_back) for batch in follower.batches].count(True) == 1
    assert follower.batches[0].bulk
    assert "fell" in follower.batches[0].wound_back
    assert sorted(told) == ["k003", *(f"new{number}" for number in range(5))]
    assert follower.stock == truth(path)
    follower.batches.clear()
    follower.all()
    assert not any(batch.wound_back or batch.bulk for batch in follower.batches)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_newest_card_causes_a_pass_and_no_alarm(tmp_path: Path, kind: str) -> None:
    path = cards(tmp_path / "p.db", 20, row_version=True)
    follower = follow(path, row_version=kind)
    follower.all()
    follower.all()
    follower.batches.clear()
    do(path, "DELETE FROM SKz WHERE IDS = 'K019'")
    assert follower.all() == ["k019"]
    assert not any(batch.wound_back or batch.bulk for batch in follower.batches)
    add(path, "NEW")
    do(path, "UPDATE SKz SET DatSave = strftime('%Y-%m-%d %H:%M:%S', 'now', 'localtime') WHERE IDS = 'NEW'")
    assert follower.all() == ["new"]


def test_without_movements_a_fallen_id_is_taken_for_a_restore(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 20)
    do(path, "DROP TABLE SKzPoh")
    follower = follow(path)
    follower.all()
    do(path, "DELETE FROM SKz WHERE IDS = 'K019'")
    follower.all()
    assert follower.batches[-1].wound_back == "the highest id fell from 20 to 19"
    assert follower.batches[-1].bulk


@pytest.mark.parametrize("kind", ["fingerprint", "modified-at"])
@pytest.mark.parametrize(("minutes", "alarm"), [(69, False), (71, True)])
def test_dates_of_saving_may_fall_by_the_october_hour(tmp_path: Path, kind: str, minutes: int, *, alarm: bool) -> None:
    path = cards(tmp_path / "p.db", 5)
    do(path, "DROP TABLE SKzPoh")
    do(path, "UPDATE SKz SET DatSave = '2026-03-03 12:00:00'")
    follower = follow(path, row_version=kind)
    follower.all()
    follower.all()
    follower.batches.clear()
    do(path, "UPDATE SKz SET DatSave = ?", str(datetime(2026, 3, 3, 12) - timedelta(minutes=minutes)))
    follower.all()
    assert any(batch.wound_back for batch in follower.batches) == alarm


@pytest.mark.parametrize("kind", KINDS)
def test_another_database_behind_the_name_is_read_anew(tmp_path: Path, kind: str) -> None:
    follower = follow(cards(tmp_path / "p.db", 5, row_version=True), row_version=kind)
    follower.all()
    other = follow(cards(tmp_path / "q.db", 6, row_version=True), row_version=kind)
    other.cursor, other.seen = follower.cursor, follower.seen
    assert other.all() == ["k005"]
    assert other.batches[0].bulk
    assert other.batches[0].wound_back == "another database is behind the name"


def test_other_settings_are_a_full_pass_in_the_bulk_lane_and_no_alarm(tmp_path: Path) -> None:
    path = cards(tmp_path / "p.db", 5)
    follower = follow(path)
    follower.all()
    other = follow(path, StockView(deduct="reservations"))
    other.cursor, other.seen = follower.cursor, follower.seen
    assert len(other.all()) == 5
    assert other.batches[0].bulk
    assert not other.batches[0].wound_back


@pytest.mark.parametrize("cursor", [{}, {"db": 1}, {"pass": "x", "db": "", "view": "", "after": None}])
def test_a_cursor_that_is_not_understood_means_everything(tmp_path: Path, cursor: Cursor) -> None:
    follower = follow(cards(tmp_path / "p.db", 5))
    follower.cursor = cursor
    assert len(follower.all()) == 5
