"""What a view is to the reading machinery: statements, a digest per row, and how a raw row becomes one of the view's.

A view's ``prepare`` makes one of these at the start of each pass, so that a store renamed in POHODA is noticed without
a restart; columns are looked up again after a failure and once an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement

from agent.sources import SourceFinding
from agent.sources.columns import Catalogue
from agent.sources.queries import Queries
from agent.sources.reader import Raw, Reader

RowT = TypeVar("RowT")
RowT_co = TypeVar("RowT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Prepared(Generic[RowT]):
    """A view, bound to the tables as they are in this database."""

    queries: Queries
    digests: Callable[[Sequence[Raw]], dict[int, bytes]]
    """Row id → fingerprint of the narrow columns; rows without a code are left out. Stable across processes."""
    row: Callable[[Raw], RowT]
    """Make the view's row of narrow and extra columns."""
    offered: Callable[[Raw], bool]
    hints: tuple[ColumnElement[Any], ...]
    """Primary keys whose MAX grows when something moved: cheap looks between two passes."""
    witness: ColumnElement[Any] | None = None
    """A primary key that tells a restored database from a deleted newest row."""
    volatile: bool = False
    """The digests hang on more than the raw rows (files): equal rows are no proof that nothing changed."""
    warm: Callable[[Sequence[Raw]], None] | None = None
    """Told of rows that changed before the second read asks for them, which holds a lock: long work is done here."""
    complete: Callable[[Reader, Sequence[Raw]], list[Raw]] | None = None
    """Puts what hangs on each row (children, ancestors) as one more element behind the narrow columns, in one or few
    statements for all of them; the rows keep their number and order. Called before digests and rows are made: after
    each page, list and read by date, so that the digests cover it. Not after a read by row version, of which only the
    keys are taken."""


class View(Protocol[RowT_co]):
    """The settings of a view, and how it is bound to a database."""

    def prepare(self, reader: Reader, catalogue: Catalogue) -> Prepared[Any]:
        """Look up tables, columns and stores. Raises `SourceUnavailable` when something needed is missing."""

    def settings(self) -> str:
        """A digest of the settings that decide which rows and columns count: when it differs, all is read again."""

    def findings(self, reader: Reader, catalogue: Catalogue) -> list[SourceFinding]:
        """What ``check`` says about the view, beside the strategy. May raise `SourceUnavailable`."""
