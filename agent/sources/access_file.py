"""What an Access file itself says about its tables: is it whole, and how many rows does a table hold.

Why: the ODBC driver of mdbtools silently returns fewer rows of a file that was cut (measured: 744 of 20,000), and
missing rows would set the shop to 0. So each table is counted here by another way than the driver's: from the file's
own pages. A table's definition names a bitmap of the pages it owns; every one of them must be there and be a page of
data, and its slots are counted. The definition also says a number of rows. It may lag behind while POHODA has the file
open and after it was not closed properly (mdbtools says so of this field), so **more** rows than it says are believed,
for no page is missing; **fewer** never are.

The structure is public: mdbtools' HACKING document; of the flags of a slot, 0x8000 marks a row that is deleted or is
the moved part of another, 0x4000 (alone) points to where the row was moved. Verified against the driver on Jet 4. Jet 3
(Access 97) is refused: its texts carry no Unicode, and the driver would guess their code page.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from agent.errors import SourceUnavailable

PAGE = 4096
"""Bytes of a page of Jet 4 and of all .accdb files."""
LARGEST = 2**31
"""Jet's own limit of a file, bytes."""
_SIGNATURES = (b"Standard Jet DB\0", b"Standard ACE DB\0")
_CATALOGUE = 2
"""The page that defines MSysObjects, the list of all tables."""
_DATA, _DEFINITION, _MAP = 1, 2, 5
_LOCAL_TABLE = 1


@dataclass(frozen=True, slots=True)
class Count:
    """The rows of one table: counted in its pages, and as its definition says."""

    counted: int
    said: int


def counts(path: Path, names: Iterable[str]) -> dict[str, Count]:
    """Count the rows of these tables (names in any case); one that is not there is left out.

    Raises `SourceUnavailable` when the file is no Access file, is encrypted, of Access 97, or not whole.
    """
    wanted = {name.lower(): name for name in names}
    try:
        with path.open("rb", buffering=0) as file:
            pages = _Pages(file, _examined(file, path.stat().st_size))
            found = {}
            for name, definition in _tables(pages):
                if name.lower() in wanted:
                    rows = sum(len(_slots(page, live=True)) for page in pages.of_table(definition))
                    found[wanted[name.lower()]] = Count(rows, _number(pages.read(definition, _DEFINITION), 16))
            return found
    except (struct.error, IndexError) as error:
        raise _not_whole("its structure makes no sense") from error


def _examined(file: BinaryIO, size: int) -> int:
    """Look at the first page; the number of pages of the file."""
    head = file.read(PAGE)
    if head[4:20] not in _SIGNATURES:
        raise SourceUnavailable(
            "The file is no Access database.",
            hint="Check [pohoda] database: POHODA's file is named like StwPh_12345678_2026.mdb, in its folder Data.",
        )
    if head[4:20] == _SIGNATURES[0] and head[20] == 0:
        raise SourceUnavailable(
            "The file has the format of Access 97, which is not read.",
            hint="Update POHODA: present releases keep their data in a newer format.",
        )
    if size % PAGE or size < 3 * PAGE:
        raise _not_whole("its end is missing")
    return size // PAGE


class _Pages:
    """The pages of an open file."""

    def __init__(self, file: BinaryIO, count: int) -> None:
        self._file = file
        self._count = count

    def read(self, number: int, kind: int) -> bytes:
        """One page, which must be of this kind."""
        if number >= self._count:
            raise _not_whole(f"it ends at page {self._count}, but page {number} is in use")
        self._file.seek(number * PAGE)
        page = self._file.read(PAGE)
        if len(page) < PAGE:
            raise _not_whole("its end is missing")
        if page[0] != kind:
            if number == _CATALOGUE:
                raise SourceUnavailable(
                    "The Access file is encrypted, or damaged: the list of its tables is not readable.",
                    hint="Take the encryption off in POHODA, or have POHODA check its data.",
                )
            raise _not_whole(f"page {number} is not what it must be")
        return page

    def of_table(self, definition: int) -> Iterator[bytes]:
        """All pages of data that a table owns."""
        for number in self._owned(_number(self.read(definition, _DEFINITION), 55)):
            page = self.read(number, _DATA)
            if _number(page, 4) == definition:
                yield page

    def _owned(self, pointer: int) -> Iterator[int]:
        """The numbers of the pages in a bitmap; small ones lie in a row, large ones in pages of their own."""
        page = self.read(pointer >> 8, _DATA)
        bitmap = _row(page, _slots(page)[pointer & 0xFF], pointer & 0xFF)
        if bitmap[0] == 0:
            yield from _bits(bitmap[5:], _number(bitmap, 1))
        elif bitmap[0] == 1:
            for place in range((len(bitmap) - 1) // 4):
                if number := _number(bitmap, 1 + 4 * place):
                    yield from _bits(self.read(number, _MAP)[4:], place * 8 * (PAGE - 4))
        else:
            raise _not_whole("the list of a table's pages is not readable")


def _tables(pages: _Pages) -> Iterator[tuple[str, int]]:
    """Name and definition page of each table, from MSysObjects."""
    definition = pages.read(_CATALOGUE, _DEFINITION)
    first = 63 + 12 * _number(definition, 51)
    columns = struct.unpack_from("<H", definition, 45)[0]
    entries = [definition[first + 25 * each : first + 25 * (each + 1)] for each in range(columns)]
    names = _column_names(definition, first + 25 * columns, columns)
    fixed = {name: struct.unpack_from("<H", entry, 21)[0] for name, entry in zip(names, entries, strict=True)}
    name_place = struct.unpack_from("<H", entries[names.index("Name")], 7)[0]
    for page in pages.of_table(_CATALOGUE):
        for place, offset in enumerate(_slots(page)):
            if offset & 0x4000:
                continue  # deleted, or moved: then its row is on another page
            row = _row(page, offset, place)
            kind = struct.unpack_from("<h", row, 2 + fixed["Type"])[0]
            if kind == _LOCAL_TABLE:
                yield _text(_variable(row, name_place)), _number(row, 2 + fixed["Id"]) & 0x00FFFFFF


def _column_names(definition: bytes, start: int, columns: int) -> list[str]:
    names = []
    for _ in range(columns):
        length = struct.unpack_from("<H", definition, start)[0]
        names.append(definition[start + 2 : start + 2 + length].decode("utf-16-le", "replace"))
        start += 2 + length
    if not {"Id", "Name", "Type"} <= set(names):
        raise _not_whole("the list of its tables is not readable")
    return names


def _variable(row: bytes, place: int) -> bytes:
    """A column of variable length: the ends of all lie backwards before the mask of NULLs."""
    tail = len(row) - (struct.unpack_from("<H", row, 0)[0] + 7) // 8
    if place >= struct.unpack_from("<H", row, tail - 2)[0]:
        return b""
    begin, end = (struct.unpack_from("<H", row, tail - 4 - 2 * (place + more))[0] for more in (0, 1))
    return row[begin:end]


def _text(raw: bytes) -> str:
    """A name; compressed ones are Latin 1 after a mark. Names that mix both ways are not ours."""
    return raw[2:].decode("latin-1") if raw[:2] == b"\xff\xfe" else raw.decode("utf-16-le", "replace")


def _slots(page: bytes, *, live: bool = False) -> list[int]:
    """The places of the rows on a page, with their flags; ``live``: only of rows that are there."""
    number = struct.unpack_from("<H", page, 12)[0]
    slots = struct.unpack_from(f"<{number}H", page, 14)
    return [slot for slot in slots if not slot & 0x8000] if live else list(slots)


def _row(page: bytes, offset: int, place: int) -> bytes:
    """The bytes of a row: it ends where the one before it begins."""
    end = struct.unpack_from("<H", page, 12 + 2 * place)[0] & 0x1FFF if place else PAGE
    return page[offset & 0x1FFF : end]


def _bits(bitmap: bytes, first: int) -> Iterator[int]:
    for place, byte in enumerate(bitmap):
        if byte:
            yield from (first + 8 * place + bit for bit in range(8) if byte >> bit & 1)


def _number(raw: bytes, offset: int) -> int:
    found: int = struct.unpack_from("<I", raw, offset)[0]
    return found


def _not_whole(why: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"The Access file is not whole: {why}.",
        hint="It is cut, damaged or being written. The agent tries again by itself and sends nothing until then; if it "
        "stays so, have POHODA check its data.",
    )
