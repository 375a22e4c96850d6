"""The statements of one view over one table, in SQLAlchemy Core that SQLite and SQL Server both run.

Decisions: pages are cut by ``ID > after ORDER BY ID`` with a row limit, so that each is a seek on the primary key and
short; keys are bound at most 200 a statement (SQL Server takes 2,100, and long lists spoil its plans), and lists come
in few lengths, so that few plans are made; columns of the filter are wrapped in COALESCE, which also keeps a planner
from an index on the store that would sort the whole table for each page. A rowversion's ceiling differs by database:
it is in one place, `ceiling`. Each statement is compiled once per pass and sent as text: what SQLAlchemy does per
execution would cost more than most of these reads.

Parameters are converted, never columns, else an index is lost: a row version is sent as BINARY(8), and a time as
``datetime``, for drivers send ``datetime2(7)``, against which a stored .003 counts as .0033333 and is missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import (
    BINARY,
    BindParameter,
    ColumnElement,
    DateTime,
    Dialect,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

from agent.sources import columns as names
from agent.sources.columns import TableColumns
from agent.sources.reader import Reader

Statement: TypeAlias = tuple[str, tuple[Any, ...]]
"""Text with ``?``, and the values in their order: what `Reader.run` takes."""
LOWEST_ACTIVE = "SELECT MIN_ACTIVE_ROWVERSION()"
SERVER_TIME = "SELECT CURRENT_TIMESTAMP"
_LOCAL_TIME = "SELECT strftime('%Y-%m-%d %H:%M:%S', 'now', 'localtime')"
KEYS = 200
T = TypeVar("T")


_Compiled: TypeAlias = tuple[str, tuple[str, ...], dict[str, Any]]
"""Text, names of its parameters in their order, those of them that are constants."""
LENGTHS = (1, 10, 50, KEYS)
"""Of the lists: a shorter one is filled up with its last value."""


@dataclass(frozen=True, slots=True)
class Queries:
    """What is read: ``narrow`` columns (id, code, and all that the value hangs on), then ``extra`` for people."""

    dialect: Dialect
    table: TableColumns
    narrow: tuple[ColumnElement[Any], ...]
    extra: tuple[ColumnElement[Any], ...]
    within: ColumnElement[bool]
    """True for the rows that belong to the view."""
    joined: FromClause | None = None
    """What the columns come from where that is more than the table: each of its rows once, joined to another table."""
    _texts: dict[object, _Compiled] = field(default_factory=dict, repr=False, compare=False)

    def page(self, after: int, limit: int) -> Statement:
        """Up to ``limit`` rows of the view with ids above ``after``, in their order; narrow columns."""
        row = self.narrow[0]

        def build() -> Select[Any]:
            return self._select(*self.narrow).where(row > _given("after"), self.within).order_by(row).limit(limit)

        return self._text(("page", limit), build, {"after": after})

    def of_ids(self, ids: Sequence[int]) -> Statement:
        """The rows with these ids (at most `KEYS`); narrow and extra columns."""
        return self._listed(self.narrow[0], ids)

    def of_codes(self, codes: Sequence[str]) -> Statement:
        """The rows with these codes (at most `KEYS`), compared as the database does; narrow and extra columns."""
        return self._listed(self.narrow[1], codes)

    def between(self, low: int, high: int) -> Statement:
        """The rows whose first column lies between these two, both included; narrow columns, in no order."""
        first = self.narrow[0]

        def build() -> Select[Any]:
            wanted = (first >= _given("low"), first <= _given("high"), self.within)
            return self._select(*self.narrow).where(*wanted)

        return self._text("between", build, {"low": low, "high": high})

    def versions(self, last: int, below: int, limit: int) -> Statement:
        """Rows with ``last < row version < below`` in their order: narrow, whether in the view, row version.

        Where the table has `BULK`, it stands before the last two.
        """
        version = self.version
        bulk = (self.table[names.BULK],) if self.table.has(names.BULK) else ()

        def build() -> Select[Any]:
            bounds = (version > self._version("last"), version < self._version("below"))
            columns = (*self.narrow, *bulk, self._inside, version)
            return self._select(*columns).where(*bounds).order_by(version).limit(limit)

        given = {"last": self._version_bytes(last), "below": self._version_bytes(below)}
        return self._text(("versions", limit), build, given)

    def saved(self, since: datetime, after: int, limit: int) -> Statement:
        """Rows saved at or after ``since`` with ids above ``after``: narrow, whether in the view."""
        row = self.narrow[0]
        sql_server = self.dialect.name == "mssql"

        def build() -> Select[Any]:
            bound = cast(_given("since"), DateTime()) if sql_server else _given("since")
            wanted = (self.date >= bound, row > _given("after"))
            return self._select(*self.narrow, self._inside).where(*wanted).order_by(row).limit(limit)

        value = since if sql_server else since.isoformat(sep=" ", timespec="microseconds")
        return self._text(("saved", limit), build, {"since": value, "after": after})

    def highest(self, column: ColumnElement[Any]) -> Statement:
        """MAX of a column; of a primary key that is one seek."""
        return self._text(("highest", str(column)), lambda: select(func.max(column)), {})

    @property
    def version(self) -> ColumnElement[Any]:
        """The rowversion column. Raises KeyError where there is none."""
        return self.table[self.table.row_version or "rowversion"]

    @property
    def date(self) -> ColumnElement[Any]:
        """When a row was saved, or else created (``DatSave`` is NULL until the first change). May raise KeyError."""
        saved = self.table["DatSave"]
        return func.coalesce(saved, self.table["DatCreate"]) if self.table.has("DatCreate") else saved

    def _select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        return select(*columns) if self.joined is None else select(*columns).select_from(self.joined)

    @property
    def _inside(self) -> ColumnElement[Any]:
        return case((and_(self.within), literal_column("1")), else_=literal_column("0"))

    def _version(self, name: str) -> ColumnElement[Any]:
        return cast(_given(name), BINARY(8)) if self.dialect.name == "mssql" else _given(name)

    def _version_bytes(self, number: int) -> int | bytes:
        return number.to_bytes(8, "big") if self.dialect.name == "mssql" else number

    def _listed(self, column: ColumnElement[Any], values: Sequence[int] | Sequence[str]) -> Statement:
        size = next(length for length in LENGTHS if length >= len(values))
        names = [f"v{number}" for number in range(size)]

        def build() -> Select[Any]:
            wanted = column.in_([_given(name) for name in names])
            return self._select(*self.narrow, *self.extra).where(wanted, self.within)

        filled = [*values, *[values[-1]] * (size - len(values))]
        return self._text((str(column), size), build, dict(zip(names, filled, strict=True)))

    def _text(self, kind: object, build: Callable[[], Select[Any]], given: dict[str, Any]) -> Statement:
        if kind not in self._texts:
            compiled: Any = build().compile(dialect=self.dialect, compile_kwargs={"render_postcompile": True})
            self._texts[kind] = " ".join(str(compiled).split()), tuple(compiled.positiontup or ()), compiled.params
        sql, names, fixed = self._texts[kind]
        return sql, tuple(given[name] if name in given else fixed[name] for name in names)


def _given(name: str) -> BindParameter[Any]:
    return bindparam(name, None, required=False)


def ceiling(reader: Reader, queries: Queries) -> int:
    """Read the row version below which everything is committed; to be read **before** the rows.

    SQL Server: ``MIN_ACTIVE_ROWVERSION()``; a reader without it loses the rows of transactions that commit late
    (measured: 22 % with 6 writers). SQLite: the highest one plus 1 is exact, for its writers are serial.
    """
    if reader.dialect == "mssql":
        return version_number(reader.run(LOWEST_ACTIVE)[0][0])
    return version_number(highest(reader, queries, queries.version)) + 1


def highest(reader: Reader, queries: Queries, column: ColumnElement[Any]) -> Any:  # noqa: ANN401 - ids, versions, dates
    """Read MAX of a column; None for an empty table."""
    return reader.run(*queries.highest(column))[0][0]


def version_number(value: object) -> int:
    """Make a number of a row version: SQL Server's are 8 bytes, big-endian, unsigned. NULL counts as 0."""
    return int.from_bytes(value, "big") if isinstance(value, bytes | bytearray) else int(str(value or 0))


def server_time(reader: Reader) -> datetime:
    """Read the server's clock, local time without offset, as POHODA writes its dates.

    SQLite has no server: the local time of this machine. Its CURRENT_TIMESTAMP would be UTC.
    """
    return as_datetime(reader.run(_LOCAL_TIME if reader.dialect == "sqlite" else SERVER_TIME)[0][0])


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
