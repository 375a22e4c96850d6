"""What the reading machinery needs of a database: a connection for one call, and rows as the driver gave them.

All that is sent goes through `Reader.run`, as plain text on the driver's own cursor: what SQLAlchemy does per execution
costs more than most of our reading, and so nothing is sent that is not ours. SQLAlchemy only makes the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ClauseElement, Dialect

Raw: TypeAlias = tuple[Any, ...]
"""One row as the driver gave it: the id first, the code second, whatever the view asked for after them."""


@dataclass(slots=True)
class Lent:
    """A connection for the span of one call."""

    raw: Any
    """The driver's own connection."""
    dialect: Dialect
    """SQLAlchemy's, to make texts of statements with."""
    age: int = 0
    """Which generation of connections it belongs to."""
    fetch: Callable[[Any], list[Any]] | None = None
    """Fetches all rows of a cursor; None: as the driver does it."""
    renew: Callable[[Lent, Exception], bool] | None = None
    """Puts another connection in place if the failure means that this one died while it lay idle."""

    def run(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """Run plain text. The first statement of a call is run once more if the connection had died while idle."""
        renew, self.renew = self.renew, None
        try:
            return self._fetched(sql, parameters)
        except Exception as error:
            if renew is None or not renew(self, error):
                raise
        return self._fetched(sql, parameters)

    def _fetched(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        cursor = self.raw.cursor()
        try:
            cursor.execute(sql, parameters)
            rows: list[Any] = cursor.fetchall() if self.fetch is None else self.fetch(cursor)
        finally:
            cursor.close()
        return rows


class Reader:
    """One connection for the span of one call. Not to be kept."""

    def __init__(self, connection: Lent) -> None:
        self.connection = connection
        self.dialect: str = connection.dialect.name
        """``sqlite`` or ``mssql``."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[Raw]:
        """Run plain text with ``?`` and fetch all of it, as tuples."""
        rows = self.connection.run(sql, parameters)
        return rows if not rows or type(rows[0]) is tuple else [tuple(row) for row in rows]

    def all(self, statement: ClauseElement) -> list[Raw]:
        """Run a statement of SQLAlchemy Core and fetch all of it. Its values are sent as they are."""
        options = {"render_postcompile": True}
        compiled: Any = statement.compile(dialect=self.connection.dialect, compile_kwargs=options)
        return self.run(str(compiled), tuple(compiled.params[name] for name in compiled.positiontup or ()))

    def scalar(self, statement: ClauseElement) -> Any:  # noqa: ANN401 - whatever the column holds
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
