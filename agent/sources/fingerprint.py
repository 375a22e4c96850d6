"""The strategy that needs nothing of the database: read the chosen columns, compare with what is remembered.

A pass goes over the table in chunks by row id, each merged with the remembered rows of the same range: it sees changed,
new and vanished rows and codes that were renamed. Both sides are limited, so a chunk stays small when a million rows
vanished. A chunk that was found equal is remembered by one digest (`Unmoved`): over 200,000 unchanged cards that saves
digesting each and reading the state file, which together cost more than reading POHODA.
"""

from __future__ import annotations

import hashlib
import marshal
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, TypeAlias

from agent.events import key_of
from agent.sources import Seen, SeenRow
from agent.sources.prepared import Prepared
from agent.sources.reader import Raw, Reader

CHUNK = 20_000
"""Rows of one read of a pass, about 0.03 s."""
Mark: TypeAlias = int | str
"""Where a strategy that reads only what moved stands: a row version, or a time in ISO."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at some rows told."""

    changes: dict[str, str]
    """Key → row version."""
    ids: dict[str, set[int]]
    """Key → ids of rows in which it was met, so that the second read finds a code however it is spelled."""
    after: int | None = None
    """Where the pass goes on; None: it has ended."""
    scanned: int = 0
    bulk: frozenset[str] = frozenset()
    """Those of the keys that changed together with very many others."""


@dataclass(slots=True)
class Unmoved:
    """Chunks that were equal to what is remembered, by their digests; forgotten when a row of theirs is read anew.

    Without the forgetting, a value that went and came back between two passes would hide behind an old digest.
    """

    _chunks: dict[int, tuple[int | None, bytes]] = field(default_factory=dict)

    def known(self, after: int, signature: bytes) -> tuple[bool, int | None]:
        """Tell whether the chunk that begins after this id is known to be equal, and where it ends."""
        end, before = self._chunks.get(after, (None, b""))
        return (bool(signature) and before == signature, end)

    def note(self, after: int, end: int | None, signature: bytes) -> None:
        """Remember that a chunk is equal to what is stored."""
        self._chunks[after] = (end, signature)

    def forget(self, ids: Iterable[int]) -> None:
        """Forget the chunks that hold these ids."""
        touched = set(ids)
        for after, (end, _) in list(self._chunks.items()):
            if any(row > after and (end is None or row <= end) for row in touched):
                del self._chunks[after]

    def clear(self) -> None:
        """Forget everything: the next pass compares each row with what is stored."""
        self._chunks.clear()


def chunk(reader: Reader, view: Prepared[Any], seen: Seen, *, after: int, limit: int, unmoved: Unmoved) -> Found:
    """Look at the rows after an id: up to ``limit`` rows, present or remembered."""
    rows = reader.run(*view.queries.page(after, limit))
    if view.complete is not None and rows:
        rows = view.complete(reader, rows)
    signature = b"" if view.volatile else _signature(rows)
    equal, end = unmoved.known(after, signature)
    if equal:
        return Found({}, {}, end, len(rows))
    scanned, now = len(rows), view.digests(rows)
    if now == seen.fingerprints_after(after, limit):
        end = rows[-1][0] if scanned == limit else None
        unmoved.note(after, end, signature)
        return Found({}, {}, end, scanned)
    before = seen.after(after, limit)
    ends = [side[-1][0] for side in (rows, before) if len(side) == limit]
    end = min(ends) if ends else None
    if end is not None:
        rows = rows[: bisect_right(rows, end, key=itemgetter(0))]
        now = {row: digest for row, digest in now.items() if row <= end}
        before = before[: bisect_right(before, end, key=itemgetter(0))]
    changes, ids = compare(rows, now, {row.row: row for row in before})
    if view.warm is not None:
        met = set().union(*ids.values())
        view.warm([raw for raw in rows if raw[0] in met])
    if not changes:
        unmoved.note(after, end, signature)
    return Found(changes, ids, end, scanned)


def compare(
    rows: Sequence[Raw], now: Mapping[int, bytes], before: Mapping[int, SeenRow]
) -> tuple[dict[str, str], dict[str, set[int]]]:
    """Say which keys differ between rows and what is remembered of the same ids, and in which rows they were met.

    ``now`` holds the rows' digests.
    """
    changes: dict[str, str] = {}
    ids: dict[str, set[int]] = {}
    for raw in rows:
        digest = now.get(raw[0])
        old = before.get(raw[0])
        if digest is None or (old is not None and old.fingerprint == digest):
            continue
        key = key_of(str(raw[1]))
        changes[key] = digest.hex()
        ids.setdefault(key, set()).add(raw[0])
        if old is not None and old.key != key:
            changes[old.key] = "renamed"
    for row, old in before.items():
        if row not in now:
            changes.setdefault(old.key, "gone")
    return changes, ids


def _signature(rows: list[Raw]) -> bytes:
    """One digest of a whole chunk; empty where it cannot be made (Decimals): then each row is compared."""
    try:
        return hashlib.blake2b(marshal.dumps(rows, 2), digest_size=16).digest()  # 2: no references, so it is stable
    except ValueError:
        return b""
