"""Which columns a table of POHODA has: they differ by release, edition and customer, so they are looked up at start.

Names are compared without case. The row version is looked for by type (SQL Server's ``rowversion``, spelled
``timestamp`` by its catalogue) or, where a database has no such type, by the name ``RowVer``. One plain statement per
table: SQLAlchemy's inspector asks SQL Server six.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnClause, DateTime, TableClause, column, table

from agent.errors import SourceUnavailable
from agent.sources.reader import Reader
from agent.sources.statements import COLUMNS

ROW_VERSION = "rowver"
MARK = "Otisk"
"""A column of SKz that only a mirror of exports has: there the row version moves with all that hangs on a card, too."""
BULK = "Hromadne"
"""The column, which only a mirror has, that tells whether a card came with a large document."""
_DATES = {"datsave", "datcreate"}
_ROW_VERSIONS = {"timestamp", "rowversion"}
_COLUMNS_OF_SQLITE = "SELECT name, type FROM pragma_table_info(?)"


@dataclass(frozen=True, slots=True)
class TableColumns:
    """One table as it is: its columns by their lower-case names."""

    clause: TableClause
    row_version: str | None
    """Name of the rowversion column, if an administrator added one."""

    def has(self, name: str) -> bool:
        """Tell whether there is such a column."""
        return name.lower() in self._names

    def __getitem__(self, name: str) -> ColumnClause[Any]:
        """The column, spelled as the database spells it. Raises KeyError."""
        found: ColumnClause[Any] = self._names[name.lower()]
        return found

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of the names that the table does not have."""
        return [name for name in names if not self.has(name)]

    @property
    def _names(self) -> Mapping[str, Any]:
        return {each.name.lower(): each for each in self.clause.c}


@dataclass(slots=True)
class Catalogue:
    """The tables looked up so far: asking SQL Server's catalogue costs more than most of our reading."""

    _tables: dict[str, TableColumns | None] = field(default_factory=dict)

    def find(self, reader: Reader, name: str) -> TableColumns | None:
        """The columns of a table, None when it is not there; looked up once."""
        if name not in self._tables:
            self._tables[name] = columns_of(reader, name)
        return self._tables[name]

    def need(self, reader: Reader, name: str, columns: Iterable[str]) -> TableColumns:
        """The same, insisting on these columns. Raises `SourceUnavailable` that names what is missing."""
        return require(self.find(reader, name), name, columns)

    def clear(self) -> None:
        """Look everything up again: after a failure, and now and then."""
        self._tables.clear()


def columns_of(reader: Reader, name: str) -> TableColumns | None:
    """Look up the columns of a table; None when it does not exist or no right to it is granted."""
    sql_server = reader.dialect == "mssql"
    found = reader.run(COLUMNS if sql_server else _COLUMNS_OF_SQLITE, (name,))
    if not found:
        return None
    row_version = None
    columns: list[ColumnClause[Any]] = []
    for spelled, kind in found:
        lower = spelled.lower()
        if kind.lower() in _ROW_VERSIONS if sql_server else lower == ROW_VERSION:
            row_version = spelled
        columns.append(column(spelled, DateTime() if lower in _DATES else None))
    return TableColumns(table(name, *columns), row_version)


def require(found: TableColumns | None, name: str, needed: Iterable[str]) -> TableColumns:
    """Insist on a table and its columns. Raises `SourceUnavailable` that names what is missing."""
    if found is None:
        raise SourceUnavailable(
            f"The database has no table {name}.",
            hint="Check [pohoda] database (it must be an accounting unit's) and the right to read this table.",
        )
    missing = found.missing(needed)
    if missing:
        raise SourceUnavailable(
            f"The table {name} has no column {', '.join(missing)}.",
            hint="The agent cannot do without; check the right to read the table, and POHODA's release.",
        )
    return found
