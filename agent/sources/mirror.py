"""The mirror as a database that is read: POHODA's tables, as its documents have told them so far.

What is special about it: it only knows what it was told, and a part of a document says something else than the whole
(pieces that went from one store to the other would be counted in both, or in none). So nothing is read before a first
document was taken in to its end, nor while another is under way; each call reads one moment, in one transaction. And
another mirror behind the name forgets how the old one's rows looked instead of taking them for deleted.

Documents tell of different things, and what nobody told of yet looks like what is not there: without it a shop would
lose its categories. So who reads says by `MirrorDatabase.needing` which `KINDS` must have been told before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Literal, TypeAlias

from agent.errors import SourceUnavailable
from agent.sources import trouble
from agent.sources.connect import CALL_LIMIT, LOCK_WAIT, open_sqlite
from agent.sources.reader import Reader

STANDSTILL = 600.0
"""Seconds without progress after which a document under way holds nothing up any more (its file was taken away)."""
_IDENTITY = "SELECT value FROM meta WHERE name = 'identity'"
Kind: TypeAlias = Literal[
    "cards", "categories", "parameters", "suppliers", "orders", "card_categories", "card_parameters"
]
KINDS: dict[Kind, tuple[str, str]] = {
    "cards": ("cards > 0", "the stock cards"),
    "categories": ("categories > 0", "the categories"),
    "parameters": ("parameters > 0", "the internet parameters"),
    "suppliers": ("suppliers > 0", "the suppliers"),
    "orders": ("orders > 0", "the received orders"),
    "card_categories": ("cards > 0 AND instr(tells, 'categories')", "the stock cards with their categories"),
    "card_parameters": (
        "cards > 0 AND instr(tells, 'intParameters')",
        "the stock cards with their internet parameters",
    ),
}
"""What can be told -> whether a document did, and what to export from POHODA."""
_TOLD = "SELECT 1 FROM document WHERE outcome = 'done' AND {} LIMIT 1"
_UNDER_WAY = "SELECT offset, size, moved_at FROM document WHERE outcome = 'under way'"


class MirrorDatabase:
    """The mirror of one export directory, read-only. Thread-safe, like every database."""

    def __init__(
        self, path: Path, *, kinds: Sequence[Kind] = ("cards",), clock: Callable[[], float] = time.time
    ) -> None:
        """``kinds``: what must have been told, each by a document that is through, before anything is read."""
        self._kinds = tuple(kinds)
        self._path = path
        self._clock = clock
        self._opened = clock()
        self._inner = open_sqlite(path, CALL_LIMIT, LOCK_WAIT, what="what was exported", explain=_explain)

    def needing(self, *kinds: Kind) -> MirrorDatabase:
        """The same mirror, with the same connections, for a reader who needs other kinds to have been told."""
        other = copy(self)
        other._kinds = kinds  # noqa: SLF001 - of its own class
        return other

    @property
    def identity(self) -> str:
        """The mark that was made with the file; empty while there is none."""
        if not self._path.exists():
            return ""
        with self._inner.reading() as reader:
            return str(reader.run(_IDENTITY)[0][0])

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Lend a connection for one call. Raises `SourceUnavailable` until all kinds were told by documents."""
        if not self._path.exists():
            raise _nothing_yet(self._kinds[0])
        with self._inner.reading() as reader:
            reader.run("BEGIN")
            try:
                for kind in self._kinds:
                    if not reader.run(_TOLD.format(KINDS[kind][0])):
                        raise _first(reader, kind)
                yield reader
            finally:
                reader.run("ROLLBACK")

    def growing(self, reader: Reader) -> bool:
        """Tell whether a document is being taken in, so that what the mirror holds just now is of two moments."""
        return any(abs(self._clock() - max(moved, self._opened)) < STANDSTILL for _, _, moved in reader.run(_UNDER_WAY))

    def close(self) -> None:
        """Let go of connections."""
        self._inner.close()


def _first(reader: Reader, kind: Kind) -> SourceUnavailable:
    for offset, size, _ in reader.run(_UNDER_WAY):
        done = offset / max(size, 1)
        text = "The first export of POHODA is being taken in" if kind == "cards" else "An export is being taken in"
        return SourceUnavailable(f"{text} ({done:.0%}).", hint="Nothing is sent before it is complete.")
    return _nothing_yet(kind)


def _nothing_yet(kind: Kind) -> SourceUnavailable:
    what = KINDS[kind][1]
    return SourceUnavailable(
        f"No export of POHODA{'' if kind == 'cards' else f' with {what}'} has been taken in yet.",
        hint=f"Export {what} from POHODA into [pohoda] export_directory, or to the receiver's address.",
    )


def _explain(error: Exception, *, opening: bool) -> SourceUnavailable:
    said = trouble.of_sqlite(error, opening=opening)
    return SourceUnavailable(
        str(said).replace("POHODA's database", "The file with what was exported"),
        hint="Start the agent again: it sets a damaged file aside; then export all stock cards once more.",
    )
