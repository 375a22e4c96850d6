"""The strategy for tables to which an administrator added a rowversion column: an index seek per poll.

``last < rv < ceiling``, and the ceiling is read before the rows, so a transaction that commits late is never jumped
over. Any UPDATE moves a row version, even one that changes nothing that we read: that is told by the second read, whose
fingerprints ingest compares with the remembered ones. Detection asks for those only of rows that left the view, to
learn under which key they were known (measured: a lookup of each row would be a third of a read). Deletes leave no
trace here; the repeated full pass finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent.events import key_of
from agent.sources import Seen
from agent.sources.columns import BULK
from agent.sources.fingerprint import Found, Mark
from agent.sources.prepared import Prepared
from agent.sources.queries import ceiling, version_number
from agent.sources.reader import Raw, Reader

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
        return _moved(rows, seen, has_bulk=view.queries.table.has(BULK)), last, full


def _moved(rows: Sequence[Raw], seen: Seen, *, has_bulk: bool) -> Found:
    """Name the keys of rows that moved; of those that left the view, the keys under which they are remembered."""
    changes: dict[str, str] = {}
    live: set[str] = set()
    ids: dict[str, set[int]] = {}
    left: list[int] = []
    for raw in rows:
        key = key_of(str(raw[1] or ""))
        if raw[-2] and key:
            changes[key] = f"{version_number(raw[-1]):x}"
            ids.setdefault(key, set()).add(raw[0])
            if not (has_bulk and raw[-3]):
                live.add(key)
        else:
            left.append(raw[0])
    if left:
        gone = {old.key: "gone" for old in seen.of_rows(left).values()}
        changes |= gone
        live |= gone.keys()
    return Found(changes, ids, None, len(rows), frozenset(changes.keys() - live))
