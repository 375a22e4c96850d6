"""Where a view stands in its table: what the cursor in the state file says, and what is only known in memory.

A cursor that comes back unchanged costs no commit, so quiet progress (chunks without a change, a live mark that moved
over nothing) stays in memory, beside the cursor it belongs to. After a restart that little is read again. What is worth
an fsync is written: progress of a first pass, a chunk with changes, and the end of a pass that had some, where the
guard judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.sources import Cursor
from agent.sources.fingerprint import Mark


@dataclass(frozen=True, slots=True)
class Position:
    """One place in the reading of one view."""

    database: str
    """Identity of the database; another one behind the name means everything is new."""
    settings: str
    """Digest of the view's settings and strategy; others mean a full pass."""
    number: int = 0
    """Passes begun."""
    after: int | None = None
    """The pass under way has read the rows up to this id; None: no pass is under way."""
    bulk: bool = False
    """The pass under way is a first or repeated one: its events go in the bulk lane."""
    top: int = 0
    """MAX(ID) of the table at the start of the last pass."""
    moves: int | None = None
    """MAX(ID) of the movements then; None without that table."""
    saved: str = ""
    """MAX(DatSave) then, ISO; empty without that column."""
    mark: Mark | None = None
    """Where the live strategy stands; None for the fingerprint."""

    def cursor(self) -> Cursor:
        """As the state file keeps it."""
        return {
            "db": self.database,
            "view": self.settings,
            "pass": self.number,
            "after": self.after,
            "bulk": self.bulk,
            "top": self.top,
            "moves": self.moves,
            "saved": self.saved,
            "mark": self.mark,
        }


def position_of(cursor: Cursor | None) -> Position | None:
    """Read a cursor; None for none, and for one that is not understood (then everything is read anew)."""
    if cursor is None:
        return None
    given: dict[str, Any] = dict(cursor)
    try:
        return Position(
            str(given["db"]),
            str(given["view"]),
            int(given["pass"]),
            None if given["after"] is None else int(given["after"]),
            bool(given["bulk"]),
            int(given["top"]),
            None if given["moves"] is None else int(given["moves"]),
            str(given["saved"]),
            given["mark"],
        )
    except (KeyError, TypeError, ValueError):
        return None


@dataclass(slots=True)
class Standing:
    """The position in memory, ahead of the cursor in the file by quiet progress only."""

    _cursor: Cursor | None = None
    _at: Position | None = None

    def resume(self, cursor: Cursor | None) -> Position | None:
        """Where reading goes on: ahead of this cursor if it is the one last handed out, else exactly at it."""
        return self._at if self.follows(cursor) else position_of(cursor)

    def follows(self, cursor: Cursor | None) -> bool:
        """Tell whether this cursor is the one last handed out; if not, what was read last was not committed."""
        return cursor is not None and cursor == self._cursor

    def advance(self, cursor: Cursor | None, at: Position, *, changed: bool) -> Cursor:
        """Move to a position and say which cursor to hand out: the same one while progress is quiet."""
        stored = position_of(cursor)
        ends = stored is not None and stored.after is not None and at.after is None
        if stored is None or changed or at.bulk or ends or not _same_source(stored, at):
            cursor = at.cursor()
        self._cursor, self._at = cursor, at
        return cursor if cursor is not None else at.cursor()


def _same_source(one: Position, other: Position) -> bool:
    return (one.database, one.settings) == (other.database, other.settings)
