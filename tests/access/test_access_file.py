"""Claims about what an Access file says of itself: how many rows a table has, and that the file is whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from agent.errors import SourceUnavailable
from agent.sources.access_file import Count, counts
from tests.access import mdb

TABLES = ("SKz", "Bulk")
WHOLE = {"SKz": Count(4, 4), "Bulk": Count(mdb.BULK_ROWS, mdb.BULK_ROWS)}


def written(folder: Path, data: bytes | bytearray) -> Path:
    path = folder / "StwPh_12345678_2026.mdb"
    path.write_bytes(data)
    return path


def test_the_rows_of_each_table_are_counted_and_missing_tables_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, mdb.original())
    assert counts(path, (*TABLES, "sSklad")) == WHOLE
    assert counts(path, ("skz",)) == {"skz": Count(4, 4)}


def test_a_deleted_row_does_not_count(tmp_path: Path) -> None:
    data = mdb.original()
    mdb.delete(data, mdb.SKZ, 1, left=3)
    assert counts(written(tmp_path, data), TABLES)["SKz"] == Count(3, 3)


def test_the_pages_of_a_large_table_are_found_and_a_moved_row_counts_once(tmp_path: Path) -> None:
    data = mdb.original()
    mdb.with_large_map(data)
    assert counts(written(tmp_path, data), TABLES) == WHOLE
    mdb.move_a_row(data)
    assert counts(written(tmp_path, data), TABLES) == WHOLE


def test_what_the_definition_says_is_told_beside_what_is_counted(tmp_path: Path) -> None:
    data = mdb.original()
    mdb.said(data, mdb.BULK, 0)
    assert counts(written(tmp_path, data), TABLES)["Bulk"] == Count(mdb.BULK_ROWS, 0)


def test_a_file_cut_at_any_page_is_counted_whole_or_refused(tmp_path: Path) -> None:
    data = bytes(mdb.original())
    path = tmp_path / "cut.mdb"
    hints = []
    for length in range(0, len(data), mdb.PAGE):
        path.write_bytes(data[:length])
        try:
            assert counts(path, TABLES) == WHOLE
        except SourceUnavailable as error:
            hints.append(error.hint)
    assert all(hints)
    assert len(hints) > len(data) // mdb.PAGE - 30


def test_a_file_cut_within_a_page_is_refused(tmp_path: Path) -> None:
    data = bytes(mdb.original())
    chance = random.Random(1)
    path = tmp_path / "cut.mdb"
    for _ in range(50):
        length = chance.randrange(1, len(data))
        if length % mdb.PAGE:
            path.write_bytes(data[:length])
            with pytest.raises(SourceUnavailable):
                counts(path, TABLES)


def test_a_file_with_a_part_of_a_page_at_its_end_is_refused_although_no_row_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="its end is missing"):
        counts(written(tmp_path, mdb.original() + bytes(100)), TABLES)


def test_a_table_whose_page_was_wiped_is_refused(tmp_path: Path) -> None:
    data = mdb.original()
    place = mdb.pages(data, mdb.BULK)[100] * mdb.PAGE
    data[place : place + mdb.PAGE] = bytes(mdb.PAGE)
    with pytest.raises(SourceUnavailable, match="not whole"):
        counts(written(tmp_path, data), TABLES)


def test_damage_ends_in_a_count_or_a_refusal_and_nothing_else(tmp_path: Path) -> None:
    whole = bytes(mdb.original())
    chance = random.Random(7)
    system = [0, 2, 6, 7, 50, 51, 60, 61]
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 30)):
            place = chance.choice(system) * mdb.PAGE + chance.randrange(mdb.PAGE)
            data[place] = chance.choice((0, 1, 0x40, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        try:
            found = counts(written(tmp_path, data), TABLES)
        except SourceUnavailable:
            continue
        assert set(found) <= set(TABLES)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"", "no Access database"),
        (b"SQLite format 3\0", "no Access database"),
        (b"\0\1\0\0Standard Jet DB\0\0\0\0\0", "Access 97"),
        (b"\0\1\0\0Standard Jet DB\0\1\0\0\0", "encrypted"),
        (b"\0\1\0\0Standard ACE DB\0\2\0\0\0", "encrypted"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_its_kind(tmp_path: Path, head: bytes, says: str) -> None:
    path = written(tmp_path, head.ljust(8 * mdb.PAGE, b"\x5a"))
    with pytest.raises(SourceUnavailable, match=says) as caught:
        counts(path, TABLES)
    assert caught.value.hint
