"""Claims about reading whole tables through the real ODBC driver, and about what is not believed of it."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from agent.errors import EnvironmentProblem, SourceUnavailable
from agent.sources import access_rows
from agent.sources.access import open_access
from agent.sources.access_file import Count
from tests.access import mdb

Write: TypeAlias = Callable[[bytes | bytearray], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write POHODA's file; each time as a moment later."""
    mdb.driver()
    path = tmp_path / "StwPh_12345678_2026.mdb"
    times = iter(range(1_800_000_000, 1_900_000_000))

    def written(data: bytes | bytearray) -> Path:
        path.write_bytes(data)
        os.utime(path, (now := next(times), now))
        return path

    return written


def read(path: Path, sql: str) -> list[Any]:
    database = open_access(path, wanted=mdb.READ)
    with closing(database), database.reading() as reader:
        return reader.run(sql)


def test_every_kind_of_value_comes_as_an_sqlite_pohoda_has_it(write: Write) -> None:
    rows = read(write(mdb.original()), "SELECT ID, IDS, Nazev, ProdejDPH, StavZ, IObchod, DatSave FROM SKz ORDER BY ID")
    name = "Žluťoučký kůň úpěl ďábelské ódy"
    assert rows[0] == (1, "KUN-01", name, 1234.5678, 12.5, 1, "2026-11-22 16:05:07.000000")
    assert rows[1] == (2, "ŘEŘ-02", "Řeřicha ČERSTVÁ – 100 g", -0.01, -1.0, 0, "1899-12-30 13:30:00.000000")
    assert rows[2] == (3, "NUL-03", None, None, None, 0, None)


def test_all_rows_of_a_large_table_come_each_once(write: Write) -> None:
    rows = read(write(mdb.original()), "SELECT ID, Txt, Cena FROM Bulk ORDER BY ID")
    assert [row[0] for row in rows] == list(range(mdb.BULK_ROWS))
    assert rows[7] == (7, "Řádek č. 7", 0.07)


def test_columns_and_tables_that_the_file_lacks_are_left_out(write: Write) -> None:
    path = write(mdb.original())
    database = open_access(path, wanted={"skz": ("id", "VPrNic", "stavz"), "sSklad": ("ID", "IDS")})
    with closing(database), database.reading() as reader:
        made = reader.run("SELECT name FROM sqlite_master WHERE type = 'table'")
        columns = [row[1] for row in reader.run("PRAGMA table_info(SKz)")]
    assert made == [("skz",)]
    assert columns == ["ID", "StavZ"]


def test_a_cut_file_is_read_whole_or_not_at_all(write: Write) -> None:
    """Cut at every page behind those of SKz and at many within: the driver alone would tell fewer rows."""
    data = bytes(mdb.original())
    database = open_access(write(data), wanted=mdb.READ, at_least=0)
    hints, read_whole = [], 0
    with closing(database):
        for length in [*range(0, len(data), 7 * mdb.PAGE + 13), *range(50 * mdb.PAGE, len(data) + 1, 5 * mdb.PAGE)]:
            write(data[:length])
            database._due = 0.0
            try:
                with database.reading() as reader:
                    read_whole += 1
                    assert reader.run("SELECT COUNT(*), SUM(ID) FROM Bulk") == [(20_000, 199_990_000)]
                    assert reader.run("SELECT COUNT(*) FROM SKz") == [(4,)]
            except SourceUnavailable as error:
                hints.append(error.hint)
    assert read_whole >= 1
    assert all(hints)
    assert len(hints) > 80


def test_a_deleted_row_and_a_moved_row_are_told_as_access_would(write: Write) -> None:
    data = mdb.original()
    mdb.with_large_map(data)
    mdb.move_a_row(data)
    assert read(write(data), "SELECT COUNT(*), SUM(ID) FROM Bulk") == [(20_000, 199_990_000)]
    mdb.delete(data, mdb.SKZ, 0, left=3)
    assert read(write(data), "SELECT ID FROM SKz ORDER BY ID") == [(2,), (3,), (4,)]


def test_fewer_rows_than_the_file_says_are_refused(write: Write) -> None:
    data = mdb.original()
    mdb.said(data, mdb.SKZ, 5)
    with pytest.raises(SourceUnavailable, match="4 of 5 rows of SKz") as caught:
        read(write(data), "SELECT 1")
    assert "close POHODA" in caught.value.hint


def test_more_rows_than_it_says_are_believed_for_no_page_is_missing(write: Write) -> None:
    data = mdb.original()
    mdb.said(data, mdb.BULK, 0)
    assert read(write(data), "SELECT COUNT(*) FROM Bulk") == [(20_000,)]


def test_a_doubled_id_is_damage(write: Write) -> None:
    data = mdb.original()
    page = mdb.pages(data, mdb.SKZ)[0] * mdb.PAGE
    slot = struct.unpack_from("<H", data, page + 16)[0] & 0x1FFF
    assert struct.unpack_from("<I", data, page + slot + 2)[0] == 2
    struct.pack_into("<I", data, page + slot + 2, 1)
    with pytest.raises(SourceUnavailable, match="an ID is missing or doubled"):
        read(write(data), "SELECT 1")


@pytest.mark.parametrize(("given", "count"), [(3, Count(4, 4)), (5, Count(4, 4)), (4, Count(4, 9)), (0, Count(1, 1))])
def test_a_driver_that_gives_another_number_of_rows_is_not_believed(given: int, count: Count) -> None:
    class Cursor:
        def __init__(self) -> None:
            self.left = given

        def fetchmany(self, most: int) -> list[tuple[int]]:
            now, self.left = min(most, self.left), max(self.left - most, 0)
            return [(0,)] * now

    pieces: Iterator[Any] = access_rows._pieces(Cursor(), "SKz", count, lambda: None)
    mdb.driver()
    with pytest.raises(SourceUnavailable, match="cut or being written"):
        list(pieces)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[Microsoft][ODBC Microsoft Access Driver] Neplatné heslo. (-1905)", "protected by a password"),
        ("[Microsoft][ODBC Microsoft Access Driver] Unrecognized database format 'x'. (-1028)", "format"),
        ("[Microsoft][ODBC Microsoft Access Driver] The database is already opened exclusively", "cannot be opened"),
        ("[Microsoft][ODBC Driver Manager] … architecture mismatch between the Driver and Application", "width"),
        ("something else", "cannot be read: something else"),
    ],
)
def test_what_the_driver_says_is_told_with_what_to_try(text: str, says: str) -> None:
    mdb.driver()
    import pyodbc  # noqa: PLC0415 - its import fails where the ODBC library is missing

    with pytest.raises(SourceUnavailable, match=says) as caught, access_rows._translated():
        raise pyodbc.Error("HY000", text)
    assert caught.value.hint


def test_a_machine_without_the_driver_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    mdb.driver()
    import pyodbc  # noqa: PLC0415 - its import fails where the ODBC library is missing

    monkeypatch.setattr(pyodbc, "drivers", lambda: ["FreeTDS", "SQL Server"])
    monkeypatch.setattr(access_rows, "_LIBRARIES", ())
    with pytest.raises(EnvironmentProblem, match="driver for Access") as caught:
        open_access(Path("StwPh_12345678_2026.mdb"))
    assert "odbc-mdbtools" in caught.value.hint


def test_a_driver_of_the_other_width_is_named_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    mdb.driver()
    import pyodbc  # noqa: PLC0415 - its import fails where the ODBC library is missing

    monkeypatch.setattr(access_rows, "_ON_WINDOWS", True)
    monkeypatch.setattr(pyodbc, "drivers", lambda: ["SQL Server"])
    with pytest.raises(EnvironmentProblem, match="bits"):
        access_rows.find_driver()
    monkeypatch.setattr(pyodbc, "drivers", lambda: ["Microsoft Access Driver (*.mdb)"])
    assert access_rows.find_driver(".mdb") == "{Microsoft Access Driver (*.mdb)}"
    with pytest.raises(EnvironmentProblem, match="bits"):
        access_rows.find_driver(".accdb")


def test_a_driver_known_only_by_its_library_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    mdb.driver()
    import pyodbc  # noqa: PLC0415 - its import fails where the ODBC library is missing

    if not any(Path("/").glob(each.removeprefix("/")) for each in access_rows._LIBRARIES):
        mdb.missing("the library of odbc-mdbtools is not where Debian puts it")
    monkeypatch.setattr(pyodbc, "drivers", list)
    assert access_rows.find_driver().endswith("libmdbodbc.so")
