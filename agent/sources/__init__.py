"""The Source contract: what ingest may ask of something that is read.

* ``read`` **detects** which keys changed; ``rows`` is the **second read** that says what they are now. Because the
  second read always takes the whole present value, a late, doubled or disordered notice is harmless.
* The fingerprint that is stored is the one of the second read, per row, so that a value that came and went between
  the two reads is not missed. ``rows`` runs under one lock per POHODA that also spans the commit.
* ``committed`` is called only after the commit: only there may a source forget (archive a file, acknowledge).
* No state transaction is open during a read; a source never writes to POHODA and never holds a transaction open there.
* Everything that fails outside the program is raised as `SourceUnavailable` with a hint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from agent.events import Value

Cursor: TypeAlias = dict[str, Value]
"""Where a source stands; JSON, opaque to all but the source itself. None before the first read."""


class SeenRow(NamedTuple):
    """What the state file remembers of one row: whose it was, what it looked like, whether it was on offer."""

    row: int
    key: str
    fingerprint: bytes
    offered: bool


class Seen(Protocol):
    """A read-only look at the stored fingerprints of one source."""

    def after(self, row: int, limit: int) -> Sequence[SeenRow]:
        """Up to ``limit`` rows whose id is above ``row``, in the order of their ids."""

    def fingerprints_after(self, row: int, limit: int) -> dict[int, bytes]:
        """Row id → fingerprint of the same rows: all that an unchanged chunk is compared by."""

    def of_rows(self, rows: Sequence[int]) -> dict[int, SeenRow]:
        """The rows with these ids; unknown ones are missing."""

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[SeenRow]]:
        """All rows of each of these keys; a key without rows is missing."""


class NothingSeen:
    """A `Seen` that remembers nothing: to it every row is new."""

    def after(self, row: int, limit: int) -> Sequence[SeenRow]:  # noqa: ARG002 - the protocol's signature
        """Nothing."""
        return ()

    def fingerprints_after(self, row: int, limit: int) -> dict[int, bytes]:  # noqa: ARG002 - as above
        """Nothing."""
        return {}

    def of_rows(self, rows: Sequence[int]) -> dict[int, SeenRow]:  # noqa: ARG002 - as above
        """Nothing."""
        return {}

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[SeenRow]]:  # noqa: ARG002 - as above
        """Nothing."""
        return {}


class Change(NamedTuple):
    """A notice that this key differs, with the row version that told so. Lives for microseconds."""

    key: str
    version: str = ""
    bulk: bool = False
    """It came with very many others (a large export): it goes in the bulk lane."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one ``read`` found. ``more`` says that the pass goes on; a pass ends at the mark taken at its start."""

    changes: tuple[Change, ...]
    cursor: Cursor
    more: bool
    bulk: bool = False
    """True for a first or repeated full pass: its events go in the bulk lane."""
    wound_back: str = ""
    """Not empty when the source went back (a restore, another database behind the name): says what was seen."""
    scanned: int = 0
    """Rows looked at, for ``status``."""
    unfinished: bool = False
    """What tells of changes is still growing (an export is being taken in): nothing is read before its end."""
    forgets: bool = False
    """The source is another one, which knows nothing of the rows remembered: how they looked is to be forgotten."""


RowT_co = TypeVar("RowT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Present(Generic[RowT_co]):
    """The second read: all present rows of each key (an empty tuple: gone), and what to remember of them."""

    rows: dict[str, tuple[RowT_co, ...]]
    """Holds every key asked for, and every key that a row turned out to belong to now (a renamed code)."""
    seen: tuple[SeenRow, ...]
    """To be stored with the events, in one commit."""
    gone: tuple[int, ...]
    """Ids of remembered rows that are no longer there: to be forgotten in the same commit."""
    before: Mapping[int, SeenRow]
    """All remembered rows of these keys, by their ids: a key whose rows are equal to them has not changed."""


@dataclass(frozen=True, slots=True)
class SourceFinding:
    """One line of the ``check`` command about a source."""

    verdict: str
    subject: str
    text: str
    hint: str = ""


class Source(Protocol[RowT_co]):
    """Something that is read: one view of a POHODA table, the export directory, an mServer list, a shop's orders."""

    name: str

    def read(self, cursor: Cursor | None, seen: Seen) -> Batch:
        """Detect which keys changed since ``cursor`` (None: everything is new). Short: a chunk of a long pass."""

    def rows(self, keys: Sequence[str], seen: Seen) -> Present[RowT_co]:
        """Read the whole present value of these keys. At most 500 keys a call."""

    def committed(self, batch: Batch) -> None:
        """The batch's events and cursor are durable now."""

    def check(self) -> list[SourceFinding]:
        """Examine the set-up for the ``check`` command: columns found, strategy and why. Never raises."""

    def close(self) -> None:
        """Let go of connections."""
