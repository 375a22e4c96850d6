"""Reading a source whole without the state file, for those who only look: every row of a code, however it is spelt.

A database may compare codes with case and spaces, so a code alone does not find all its cards; their ids do, and a pass
meets them all. They may lie far apart, so the ids met so far are kept over the batches of the pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.errors import SourceUnavailable
from agent.sources import Cursor, Present, SeenRow, Source

CHUNK = 500
"""Keys in one second read: what the `Source` contract allows."""


@dataclass(slots=True)
class Gathered:
    """A `Seen` that begins empty, so that everything is new to it, and learns the rows of each second read."""

    _rows: dict[int, SeenRow] = field(default_factory=dict)
    _of_key: dict[str, set[int]] = field(default_factory=dict)

    def after(self, row: int, limit: int) -> Sequence[SeenRow]:  # noqa: ARG002 - the protocol's signature
        """Nothing: a pass is to tell of every row."""
        return ()

    def fingerprints_after(self, row: int, limit: int) -> dict[int, bytes]:  # noqa: ARG002 - the protocol's signature
        """Nothing, as above."""
        return {}

    def of_rows(self, rows: Sequence[int]) -> dict[int, SeenRow]:
        """Rows by their ids."""
        return {row: self._rows[row] for row in rows if row in self._rows}

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[SeenRow]]:
        """Rows by their keys."""
        return {key: [self._rows[row] for row in sorted(self._of_key[key])] for key in keys if key in self._of_key}

    def learn(self, present: Present[Any]) -> None:
        """Take in what a second read found, and forget what it did not find."""
        for row in present.gone:
            self._leave(row)
        for seen in present.seen:
            self._leave(seen.row)
            self._rows[seen.row] = seen
            self._of_key.setdefault(seen.key, set()).add(seen.row)

    def _leave(self, row: int) -> None:
        if old := self._rows.pop(row, None):
            self._of_key[old.key].discard(row)


def whole(source: Source[Any], gathered: Gathered, only: str | None = None) -> Iterator[Mapping[str, tuple[Any, ...]]]:
    """Read everything, or the rows of the one key ``only``: yields key → all its present rows, a chunk at a time.

    A key whose rows lie in several batches comes again, each time with all that are known by then: the last one counts.
    Raises `SourceUnavailable`.
    """
    cursor: Cursor | None = None
    more = True
    while more:
        batch = source.read(cursor, gathered)
        if batch.unfinished:
            raise SourceUnavailable("An export is being taken in.", hint="Try again when it is through.")
        keys = [change.key for change in batch.changes if only is None or change.key == only]
        yield from again(source, gathered, keys)
        cursor, more = batch.cursor, batch.more


def again(source: Source[Any], gathered: Gathered, keys: Sequence[str]) -> Iterator[Mapping[str, tuple[Any, ...]]]:
    """Read these keys (perhaps once more), a chunk at a time; other keys that they turn out to touch come along."""
    for start in range(0, len(keys), CHUNK):
        present = source.rows(keys[start : start + CHUNK], gathered)
        gathered.learn(present)
        yield present.rows
