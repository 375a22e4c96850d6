"""The mirror as a database that is read: POHODA's tables, as its documents have told them so far.

What is special about it: it only knows what it was told, and a part of a document says something else than the whole
(pieces that went from one store to the other would be counted in both, or in none). So nothing is read before a first
document was taken in to its end, nor while another is under way; each call reads one moment, in one transaction. And
another mirror behind the name forgets how the old one's rows looked instead of taking them for deleted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import SourceUnavailable
from agent.sources import trouble
from agent.sources.connect import CALL_LIMIT, LOCK_WAIT, open_sqlite
from agent.sources.reader import Reader

STANDSTILL = 600.0
"""Seconds without progress after which a document under way holds nothing up any more (its file was taken away)."""
_IDENTITY = "SELECT value FROM meta WHERE name = 'identity'"
_TOLD = "SELECT 1 FROM document WHERE outcome = 'done' AND cards > 0 LIMIT 1"
_UNDER_WAY = "SELECT offset, size, moved_at FROM document WHERE outcome = 'under way'"


class MirrorDatabase:
    """The mirror of one export directory, read-only. Thread-safe, like every database."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._opened = clock()
        self._inner = open_sqlite(path, CALL_LIMIT, LOCK_WAIT, what="what was exported", explain=_explain)

    @property
    def identity(self) -> str:
        """The mark that was made with the file; empty while there is none."""
        if not self._path.exists():
            return ""
        with self._inner.reading() as reader:
            return str(reader.run(_IDENTITY)[0][0])

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Lend a connection for one call. Raises `SourceUnavailable` until a first document is through."""
        if not self._path.exists():
            raise _nothing_yet()
        with self._inner.reading() as reader:
            reader.run("BEGIN")
            try:
                if not reader.run(_TOLD):
                    raise _first(reader)
                yield reader
            finally:
                reader.run("ROLLBACK")

    def growing(self, reader: Reader) -> bool:
        """Tell whether a document is being taken in, so that what the mirror holds just now is of two moments."""
        return any(abs(self._clock() - max(moved, self._opened)) < STANDSTILL for _, _, moved in reader.run(_UNDER_WAY))

    def close(self) -> None:
        """Let go of connections."""
        self._inner.close()


def _first(reader: Reader) -> SourceUnavailable:
    for offset, size, _ in reader.run(_UNDER_WAY):
        done = offset / max(size, 1)
        return SourceUnavailable(
            f"The first export of POHODA is being taken in ({done:.0%}).", hint="Nothing is sent before it is complete."
        )
    return _nothing_yet()


def _nothing_yet() -> SourceUnavailable:
    return SourceUnavailable(
        "No export of POHODA has been taken in yet.",
        hint="Export the stock cards from POHODA into [pohoda] export_directory, or to the receiver's address.",
    )


def _explain(error: Exception, *, opening: bool) -> SourceUnavailable:
    said = trouble.of_sqlite(error, opening=opening)
    return SourceUnavailable(
        str(said).replace("POHODA's database", "The file with what was exported"),
        hint="Start the agent again: it sets a damaged file aside; then export all stock cards once more.",
    )
