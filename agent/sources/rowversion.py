"""The strategy for tables to which an administrator added a rowversion column: an index seek per poll.

``last < rv < ceiling``, and the ceiling is read before the rows, so a transaction that commits late is never jumped
over. Any UPDATE moves a row version, even one that changes nothing, so each row is compared with what is remembered.
Deletes leave no trace here; the repeated full pass finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agent.sources import Seen
from agent.sources.fingerprint import Found, Mark, compare
from agent.sources.prepared import Prepared
from agent.sources.queries import ceiling, version_number
from agent.sources.reader import Reader

LIMIT = 5_000
"""Rows of one read."""


@dataclass(frozen=True, slots=True)
class ByRowVersion:
    """Reads by rowversion. Its mark is the highest row version that was read."""

    name: str = "rowversion"

    def start(self, reader: Reader, view: Prepared[Any]) -> int:
        """The mark from which to go on after a full pass that begins now."""
        return ceiling(reader, view.queries) - 1

    def fell(self, reader: Reader, view: Prepared[Any], mark: Mark) -> str:
        """Say that the row versions are lower than what was read; empty when not."""
        now = ceiling(reader, view.queries) - 1
        return f"the highest row version fell from {mark} to {now}" if now < int(mark) else ""

    def poll(self, reader: Reader, view: Prepared[Any], seen: Seen, mark: Mark) -> tuple[Found, int, bool]:
        """Read what moved since the mark: what was found, the new mark, and whether there is more."""
        last = int(mark)
        below = ceiling(reader, view.queries)
        if below <= last + 1:
            return Found({}, {}), last, False
        rows = reader.run(*view.queries.versions(last, below, LIMIT))
        full = len(rows) == LIMIT
        last = version_number(rows[-1][-1]) if full else below - 1
        inside = [raw for raw in rows if raw[-2]]
        changes, ids = compare(inside, view.digests(inside), seen.of_rows([raw[0] for raw in rows]))
        return Found(changes, ids, None, len(rows)), last, full
