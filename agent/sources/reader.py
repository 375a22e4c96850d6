"""What the reading machinery needs of a database: a connection for one call, and rows as the driver gave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Connection, Executable

Raw: TypeAlias = tuple[Any, ...]
"""One row as the driver gave it: the id first, the code second, whatever the view asked for after them."""


class Reader:
    """One connection for the span of one call. Not to be kept."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[Raw]:
        """Run plain text with ``?`` on the driver's own cursor and fetch all of it, as tuples.

        For statements that are compiled once: what SQLAlchemy does per execution costs more than most of our reading.
        """
        raw: Any = self.connection.connection.dbapi_connection
        cursor = raw.cursor()
        try:
            rows: list[Any] = cursor.execute(sql, parameters).fetchall()
        finally:
            cursor.close()
        return rows if not rows or type(rows[0]) is tuple else [tuple(row) for row in rows]

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> list[Raw]:
        """Run a statement and fetch all of it, as the driver's own tuples."""
        result = self.connection.execute(statement, parameters or {})
        rows: Any = result.cursor.fetchall()  # the driver's own list, not copied
        result.close()
        return rows if not rows or type(rows[0]) is tuple else [tuple(row) for row in rows]

    def scalar(self, statement: Executable) -> Any:  # noqa: ANN401 - whatever the column holds
        """Run a statement and return its one value; None for NULL and for no row."""
        rows = self.all(statement)
        return rows[0][0] if rows else None


class Database(Protocol):
    """The database of one accounting unit and year. Thread-safe."""

    @property
    def identity(self) -> str:
        """A digest of what is configured, without the password: another database behind the name changes it."""

    def reading(self) -> AbstractContextManager[Reader]:
        """Lend a connection for one call. Raises `SourceUnavailable` for every failure of the database inside."""

    def close(self) -> None:
        """Close the connections that are not in use."""
