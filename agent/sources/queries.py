"""The statements of one view over one table, in SQLAlchemy Core that SQLite and SQL Server both run.

Decisions: pages are cut by ``ID > after ORDER BY ID`` with a row limit, so that each is a seek on the primary key and
short; keys are bound at most 200 a statement (SQL Server takes 2,100, and long lists spoil its plans); columns of the
filter are wrapped in COALESCE, which also keeps a planner from an index on the store that would sort the whole table
for each page. A rowversion's ceiling differs by database: it is in one place, `ceiling`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, select

from agent.sources.columns import TableColumns
from agent.sources.reader import Reader

KEYS = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Queries:
    """What is read: ``narrow`` columns (id, code, and all that the value hangs on), then ``extra`` for people."""

    table: TableColumns
    narrow: tuple[ColumnElement[Any], ...]
    extra: tuple[ColumnElement[Any], ...]
    within: ColumnElement[bool]
    """True for the rows that belong to the view."""

    def page(self, after: int, limit: int) -> Select[Any]:
        """Up to ``limit`` rows of the view with ids above ``after``, in their order; narrow columns."""
        row = self.narrow[0]
        return select(*self.narrow).where(row > after, self.within).order_by(row).limit(limit)

    def of_ids(self, ids: Sequence[int]) -> Select[Any]:
        """The rows with these ids (at most `KEYS`); narrow and extra columns."""
        return select(*self.narrow, *self.extra).where(self.narrow[0].in_(ids), self.within)

    def of_codes(self, codes: Sequence[str]) -> Select[Any]:
        """The rows with these codes (at most `KEYS`), compared as the database does; narrow and extra columns."""
        return select(*self.narrow, *self.extra).where(self.narrow[1].in_(codes), self.within)

    def versions(self, last: int | bytes, below: int | bytes, limit: int) -> Select[Any]:
        """Rows with ``last < row version < below`` in their order: narrow, whether in the view, row version."""
        version = self.version
        return (
            select(*self.narrow, self._inside, version)
            .where(version > last, version < below)
            .order_by(version)
            .limit(limit)
        )

    def saved(self, since: datetime, after: int, limit: int) -> Select[Any]:
        """Rows saved at or after ``since`` with ids above ``after``: narrow, whether in the view."""
        row = self.narrow[0]
        return select(*self.narrow, self._inside).where(self.date >= since, row > after).order_by(row).limit(limit)

    @property
    def version(self) -> ColumnElement[Any]:
        """The rowversion column. Raises KeyError where there is none."""
        return self.table[self.table.row_version or "rowversion"]

    @property
    def date(self) -> ColumnElement[Any]:
        """When a row was saved, or else created (``DatSave`` is NULL until the first change). May raise KeyError."""
        saved = self.table["DatSave"]
        return func.coalesce(saved, self.table["DatCreate"]) if self.table.has("DatCreate") else saved

    @property
    def _inside(self) -> ColumnElement[Any]:
        return case((and_(self.within), literal_column("1")), else_=literal_column("0"))


def highest(column: ColumnElement[Any]) -> Select[Any]:
    """MAX of a column; of a primary key that is one seek."""
    return select(func.max(column))


def ceiling(reader: Reader, queries: Queries) -> int:
    """Read the row version below which everything is committed; to be read **before** the rows.

    SQL Server: ``MIN_ACTIVE_ROWVERSION()``; a reader without it loses the rows of transactions that commit late
    (measured: 22 % with 6 writers). SQLite: the highest one plus 1 is exact, for its writers are serial.
    """
    if reader.dialect == "mssql":
        return version_number(reader.scalar(select(literal_column("MIN_ACTIVE_ROWVERSION()"))))
    return version_number(reader.scalar(highest(queries.version))) + 1


def version_number(value: object) -> int:
    """Make a number of a row version: SQL Server's are 8 bytes, big-endian, unsigned. NULL counts as 0."""
    return int.from_bytes(value, "big") if isinstance(value, bytes | bytearray) else int(str(value or 0))


def version_bound(reader: Reader, number: int) -> int | bytes:
    """Make a parameter of a row version: the parameter is converted, never the column, else its index is lost."""
    return number.to_bytes(8, "big") if reader.dialect == "mssql" else number


def server_time(reader: Reader) -> datetime:
    """Read the server's clock, local time without offset, as POHODA writes its dates.

    SQLite has no server: the local time of this machine. Its CURRENT_TIMESTAMP would be UTC.
    """
    if reader.dialect == "sqlite":
        return as_datetime(reader.scalar(select(func.strftime("%Y-%m-%d %H:%M:%S", "now", "localtime"))))
    return as_datetime(reader.scalar(select(func.current_timestamp())))


def as_datetime(value: object) -> datetime:
    """Make a naive datetime of what a driver gave: a datetime, or ISO text from SQLite. NULL is the year 1."""
    if value is None:
        return datetime.min  # noqa: DTZ901 - POHODA's times are local and carry no offset
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.replace(tzinfo=None)


def chunked(items: Sequence[T], size: int = KEYS) -> Iterator[Sequence[T]]:
    """Cut into pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
