"""The Access file that the tests read, and edits to copies of it that Access itself might have made.

No program on Linux makes tables in an Access file, so the file is optional data beside the repository, and edits are
made in its bytes, by the public description of the format. Edits know this one file: ``SKz`` has its definition on page
50 and four rows, ``Bulk`` on page 60 and 20,000.
"""

from __future__ import annotations

import importlib
import os
import struct
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[3] / "shared" / "pohoda" / "mdb" / "pohoda2003.mdb"
PAGE = 4096
SKZ, BULK = 50, 60
BULK_ROWS = 20_000
READ = {
    "SKz": ("ID", "IDS", "Nazev", "ProdejDPH", "StavZ", "IObchod", "DatSave"),
    "Bulk": ("ID", "Txt", "Cena", "Kdy"),
}
"""What can be read of it."""


def original() -> bytearray:
    """Its bytes; skips the test where it is missing, or fails it when REQUIRE_REAL=1."""
    if not FILE.exists():
        missing(f"no Access file at {FILE}")
    return bytearray(FILE.read_bytes())


def driver() -> str:
    """The ODBC driver for Access files; skips or fails in the same way."""
    from agent.errors import EnvironmentProblem  # noqa: PLC0415 - the reason for a skip
    from agent.sources.access_rows import find_driver  # noqa: PLC0415 - the reason for a skip

    try:
        importlib.import_module("pyodbc")
        return find_driver()
    except (ImportError, EnvironmentProblem) as error:
        missing(f"the ODBC driver for Access is missing (odbc-mdbtools and libodbc2 by apt): {error}")
        raise AssertionError("not reached") from error


def missing(reason: str) -> None:
    """Skip, or fail when REQUIRE_REAL=1."""
    if os.environ.get("REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def put_once(data: bytearray, old: bytes, new: bytes) -> None:
    """Replace something that is there exactly once, by as many bytes."""
    assert data.count(old) == 1
    assert len(old) == len(new)
    place = data.index(old)
    data[place : place + len(old)] = new


def said(data: bytearray, table: int, rows: int) -> None:
    """Let the definition of a table say so many rows."""
    struct.pack_into("<I", data, table * PAGE + 16, rows)


def pages(data: bytearray, table: int) -> list[int]:
    """The pages of data that belong to a table."""
    return [
        number
        for number in range(len(data) // PAGE)
        if data[number * PAGE] == 1 and struct.unpack_from("<I", data, number * PAGE + 4)[0] == table
    ]


def delete(data: bytearray, table: int, row: int, *, left: int) -> None:
    """Delete a row of the first page of a table, as Access does: both flags of its slot, and one row less is said."""
    place = pages(data, table)[0] * PAGE + 14 + 2 * row
    struct.pack_into("<H", data, place, struct.unpack_from("<H", data, place)[0] | 0xC000)
    said(data, table, left)


def with_large_map(data: bytearray) -> None:
    """Let the pages of Bulk be listed as those of a large table are: in a page of bits, to which the row points."""
    number = len(data) // PAGE
    bits = bytearray(PAGE)
    struct.pack_into("<I", bits, 0, 0x0105)
    for page in pages(data, BULK):
        bits[4 + page // 8] |= 1 << page % 8
    data += bits
    start, end = _map(data)
    data[start:end] = struct.pack("<BI", 1, number).ljust(end - start, b"\0")


def move_a_row(data: bytearray) -> None:
    """Move the first row of Bulk to a page of its own, as Access does with one that grew; needs the large map."""
    home = pages(data, BULK)[0] * PAGE
    slot = struct.unpack_from("<H", data, home + 14)[0]
    row = bytes(data[home + slot : home + PAGE])
    number = len(data) // PAGE
    page = bytearray(PAGE)
    struct.pack_into("<BBHI", page, 0, 1, 1, 0, BULK)
    struct.pack_into("<HH", page, 12, 1, (PAGE - len(row)) | 0x8000)
    page[PAGE - len(row) :] = row
    data += page
    struct.pack_into("<H", data, home + 14, slot | 0x4000)
    struct.pack_into("<I", data, home + slot, number << 8)
    start, _ = _map(data)
    bits = struct.unpack_from("<I", data, start + 1)[0] * PAGE
    data[bits + 4 + number // 8] |= 1 << number % 8


def _map(data: bytearray) -> tuple[int, int]:
    """Where the row begins and ends that lists the pages of Bulk."""
    pointer = struct.unpack_from("<I", data, BULK * PAGE + 55)[0]
    page, row = (pointer >> 8) * PAGE, pointer & 0xFF
    start = struct.unpack_from("<H", data, page + 14 + 2 * row)[0] & 0x1FFF
    end = struct.unpack_from("<H", data, page + 12 + 2 * row)[0] & 0x1FFF if row else PAGE
    return page + start, page + end
