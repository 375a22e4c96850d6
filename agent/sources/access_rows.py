"""Read whole tables of an Access file through ODBC, and believe the driver only if the file itself counts as many rows.

Of SQL nothing is used but ``SELECT [a], [b] FROM [T]``: mdbtools (Linux) answers a filter on money or dates with all
rows, ``IS NULL`` with none, and knows neither parameters nor joins. One reading at a time in the whole process, for
that driver keeps its last error for all connections together. Of memos (long texts) mdbtools gives at most 16 KB, and
does not say so: one that comes at that size is marked (see `CUT`) and its card refused. Their pages are not among those
that are counted, so a file that was cut just there gives cards without a text; the copy is compared with its original.

A password of the database: Microsoft's driver asks for it, mdbtools does not; POHODA's own file has an empty one.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from agent.errors import EnvironmentProblem, SourceUnavailable
from agent.sources.access_file import Count, counts

Wanted: TypeAlias = Mapping[str, Sequence[str]]
"""Table → columns. What the file does not have is left out."""

READ: Wanted = {
    "SKz": (
        *("ID", "IDS", "RefSklad", "IObchod", "StavZ", "Rezer", "ObjedP"),
        *("Nazev", "Template", "RelSkTyp", "DatSave", "DatCreate"),
    ),
    "sSklad": ("ID", "IDS"),
}
"""What quantities are made of. Not ``SKzPoh`` and ``OBJpol``: they are by far the largest, and would only hint that
something moved, which the file's own signs do."""

CATALOGUE: Wanted = {
    "SKz": (
        *READ["SKz"],
        *("Popis", "Popis2", "FmtPopis", "FmtPopis2", "EAN", "MJ", "Hmotnost", "RelDPHp", "ProdejKc", "ProdejDPH"),
        *("Dodani", "Novinka", "Doprodej", "Akce", "Doporucujeme", "Sleva", "Priprav"),
    ),
    "sSklad": READ["sSklad"],
    "SkCeny": ("ID", "IDS", "SDph"),
    "SKzCn": ("ID", "RefAg", "RefSkCeny", "ProdejC"),
    "SkRefObraz": ("ID", "RefAg", "Vychozi", "Soubor", "Popis", "OrderFld"),
}
"""What products, prices and pictures are made of besides. Read only where they are kept in sync: the texts are most of
the file. A new view adds its lines."""

OF_VIEWS: Mapping[str, Wanted] = {
    "categories": {
        "SkKat": ("ID", "IDS", "RefNodeID", "SText", "Poradi", "Zobraz", "Obrazek", "DatSave", "DatCreate"),
    },
    "card_categories": {"SkKat": ("ID", "IDS", "RefNodeID"), "SkRefKat": ("ID", "RefAg", "RefKat")},
    "card_parameters": {
        "SkParam": ("ID", "IDS", "RelTyp", "MJ", "RefCM"),
        "SkParamList": ("ID", "IDS"),
        "SkRefParam": (
            *("ID", "RefAg", "RefParam", "ValText", "ValDouble", "ValLong", "ValCurrency", "ValDate", "OrderFld"),
        ),
        "SKRefParamList": ("ID", "RefAg", "RefParam", "RefParamList", "Sel", "OrderFld"),
    },
    "card_suppliers": {
        "SKz": ("Vyrobce", "RefAD", "Firma"),
        "SKzNC": ("ID", "RefAg", "RefAD", "Firma", "ObjKod", "DefDod", "OrderFld"),
        "AD": ("ID", "Firma"),
    },
    "orders": {
        "OBJ": (
            *("ID", "RelTpObj", "PDoklad", "Datum", "Vyrizeno", "BDodano", "DatStorn", "Cislo"),
            *("DatSave", "DatCreate"),
        ),
        "OBJpol": ("ID", "RefAg", "RefSKz", "Kod", "Mnozstvi", "Dodano", "OrderFld"),
        "sVPULpol": ("ID", "IDS"),
    },
}
"""View → what it reads besides `READ`. Customers' own columns of OBJ stand in the configuration: see `together`."""


def together(*parts: Wanted) -> Wanted:
    """What several views read, each table and column once."""
    found: dict[str, dict[str, None]] = {}
    for part in parts:
        for table, columns in part.items():
            found.setdefault(table, {}).update(dict.fromkeys(columns))
    return {table: tuple(columns) for table, columns in found.items()}


def read_by(views: Collection[str], columns: Sequence[str] = ()) -> Wanted:
    """What these views read beside ``stock``; ``columns`` are the customer's own of OBJ."""
    parts = [OF_VIEWS.get(view, CATALOGUE) for view in views]
    own: Wanted = {"OBJ": tuple(columns)} if columns else {}
    return together(READ, *parts, own)


MEMOS: Mapping[str, Collection[str]] = {"skz": {"popis", "popis2"}, "skkat": {"stext"}}
"""Columns that hold long texts, by their tables; in lower case."""
CUT = (16_380, 16_384)
"""Bytes in UTF-8 at which mdbtools ends a memo (its buffer, less a sign that did not fit). A text that comes so long is
no text but an empty blob in the image: whoever needs it refuses it, whoever does not is not disturbed. Of Microsoft's
driver a text of just that size is refused, too, which is one in some thousand of that length."""

_FETCH = 5_000
_ON_WINDOWS = os.name == "nt"
_ONE_AT_A_TIME = threading.Lock()
_TURN = 60.0
"""Seconds to wait until another reading has ended."""
_MICROSOFT = ("Microsoft Access Driver (*.mdb, *.accdb)", "Microsoft Access Driver (*.mdb)")
_FREE = ("MDBTools", "MDBToolsODBC", "mdbtools")
_LIBRARIES = ("/usr/lib/*/odbc/libmdbodbc.so", "/usr/lib*/odbc/libmdbodbc.so", "/usr/lib*/libmdbodbc.so")


@dataclass(frozen=True, slots=True)
class Table:
    """One table as it is read: its columns as the file spells them, their kinds, and its rows in pieces."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[type, ...]
    """Python's types of the columns, as the driver announces them."""
    pieces: Iterator[Sequence[Sequence[Any]]]
    """To be read to the end: only there it turns out whether all rows came."""


class ReadTables(Protocol):
    """Something that reads whole tables of a file."""

    def __call__(self, path: Path, wanted: Wanted, going: Callable[[], None]) -> Generator[Table, None, None]:
        """Read those of the tables that are there, each to its end before the next. Raises `SourceUnavailable`.

        To be closed when done, for it may hold a connection. ``going`` raises when it is to be cut short.
        """


def find_driver(suffix: str = ".mdb") -> str:
    """What to write after ``DRIVER=``. Raises `EnvironmentProblem` where there is none for such files."""
    pyodbc = _pyodbc()
    names = pyodbc.drivers()
    for name in (*_MICROSOFT[: 1 if suffix == ".accdb" else 2], *_FREE):
        if name in names:
            return "{" + name + "}"
    if not _ON_WINDOWS:
        for pattern in _LIBRARIES:
            for path in sorted(Path("/").glob(pattern.removeprefix("/"))):
                return str(path)
        raise EnvironmentProblem(
            "The ODBC driver for Access files is missing.",
            hint="Install it (Debian: apt install odbc-mdbtools libodbc2).",
        )
    bits = struct.calcsize("P") * 8
    raise EnvironmentProblem(
        f"There is no Microsoft Access Driver (*.mdb, *.accdb) of {bits} bits, and this program has {bits}.",
        hint=f"Install the Microsoft Access Database Engine for {'x64' if bits == 64 else 'x86'}: the driver that "
        "comes with POHODA or Office may have the other width, and a program can only use one of its own.",
    )


def read_tables(driver: str) -> ReadTables:
    """Make a reader over this driver."""

    def read(path: Path, wanted: Wanted, going: Callable[[], None]) -> Generator[Table, None, None]:
        """Read tables of a file that nobody else writes, on an ASCII path."""
        there = counts(path, wanted)
        with _connected(driver, path) as connection:
            for name in (name for name in wanted if name in there):
                going()
                yield _table(connection, name, wanted[name], there[name], going)

    return read


def _table(connection: Any, name: str, wanted: Sequence[str], count: Count, going: Callable[[], None]) -> Table:  # noqa: ANN401 - pyodbc has no types
    with _translated():
        found = {str(row.column_name).lower(): str(row.column_name) for row in connection.cursor().columns(table=name)}
        columns = tuple(found[each.lower()] for each in wanted if each.lower() in found)
        if not columns:
            return Table(name, (), (), iter(()))
        cursor = connection.cursor()
        cursor.execute(f"SELECT {', '.join(f'[{each}]' for each in columns)} FROM [{name}]")  # noqa: S608 - names of READ
        kinds = tuple(each[1] for each in cursor.description)
    return Table(name, columns, kinds, _pieces(cursor, name, count, going))


def _pieces(cursor: Any, name: str, count: Count, going: Callable[[], None]) -> Iterator[Sequence[Sequence[Any]]]:  # noqa: ANN401 - as above
    """The rows, counted. Raises `SourceUnavailable` at the end if they are not as many as the file holds."""
    rows, last = 0, False
    while not last:
        going()
        with _translated():
            piece = cursor.fetchmany(_FETCH)
        last = len(piece) < _FETCH  # asked once more after the end, mdbtools begins again
        rows += len(piece)
        yield piece
    if rows != count.counted or rows < count.said:
        raise SourceUnavailable(
            f"The Access file is cut or being written: {rows} of {max(count.counted, count.said)} rows of {name} came.",
            hint="The agent tries again by itself and sends nothing until then. If it stays so, close POHODA on all "
            "desks once, or have it check its data.",
        )


@contextmanager
def _connected(driver: str, path: Path) -> Iterator[Any]:
    """Lend a connection for reading; one at a time."""
    pyodbc = _pyodbc()
    if not _ONE_AT_A_TIME.acquire(timeout=_TURN):
        raise SourceUnavailable("Another Access file is still being read.", hint="The agent tries again by itself.")
    try:
        with _translated():
            connection = pyodbc.connect(f"DRIVER={driver};DBQ={path};", autocommit=True)
        try:
            yield connection
        finally:
            connection.close()
    finally:
        _ONE_AT_A_TIME.release()


@contextmanager
def _translated() -> Iterator[None]:
    """Make a `SourceUnavailable` of what the driver says."""
    try:
        yield
    except _pyodbc().Error as error:
        text = str(error.args[-1] if error.args else error)
        lower = " ".join(map(str, error.args)).lower()
        for signs, message, hint in _TROUBLE:
            if any(sign in lower for sign in signs):
                raise SourceUnavailable(message, hint=hint) from error
        raise SourceUnavailable(
            f"POHODA's Access file cannot be read: {text[:200]}",
            hint="The agent tries again by itself. Is it the file of an accounting unit, StwPh_….mdb?",
        ) from error
    except UnicodeDecodeError as error:
        raise SourceUnavailable(
            "A text in the Access file is not readable.", hint="Have POHODA check its data (an invalid character)."
        ) from error


_TROUBLE = (
    (
        ("(-1905)", "not a valid password"),
        "POHODA's Access file is protected by a password.",
        "POHODA's own file has an empty password: take the protection against other programs off in POHODA.",
    ),
    (
        ("(-1028)", "(-1206)", "unrecognized database format"),
        "The ODBC driver does not know the format of POHODA's Access file.",
        "Install the present Microsoft Access Database Engine; of a file that is damaged it says the same.",
    ),
    (
        ("(-1024)", "opened exclusively", "already in use", "could not lock file"),
        "The copy of POHODA's Access file cannot be opened.",
        "Check the account's rights to its folder for temporary files, and whether a virus scanner holds the copy.",
    ),
    (
        ("(-1907)", "no read permission"),
        "The Access file does not let the agent read a table.",
        "POHODA's own file lets everybody: take the protection against other programs off in POHODA.",
    ),
    (
        ("im002", "im003", "data source name not found"),
        "The ODBC driver for Access files is gone.",
        "Install it again (Windows: Microsoft Access Database Engine, Debian: apt install odbc-mdbtools).",
    ),
    (
        ("im014", "architecture mismatch"),
        "The ODBC driver for Access files has another width than this program.",
        "Install the driver in the width of the program (32 or 64 bits).",
    ),
)
"""Parts of the driver's text, in lower case (its numbers first: Windows translates the words) → what it means, what to
try. Microsoft's are as its documentation and users tell them: no machine with its driver was at hand."""


def _pyodbc() -> Any:  # noqa: ANN401 - pyodbc has no types
    try:
        import pyodbc  # noqa: PLC0415 - late: its import fails where the ODBC library is missing
    except ImportError as error:
        raise EnvironmentProblem(
            "The ODBC library is missing, so Access files cannot be read.",
            hint="Install it (Debian: apt install odbc-mdbtools libodbc2).",
        ) from error
    pyodbc.pooling = False  # a pooled connection would keep the copy open, and Windows would not let it be removed
    return pyodbc
