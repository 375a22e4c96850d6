"""The second read: what the changed keys are now, with the fingerprints that will be remembered.

A key's rows are looked for by the ids remembered of it, by the ids in which detection met it, and by its code in the
spellings at hand (a database may compare with case). A row whose code differs from the remembered one brings the other
key along, from whichever side it was found: both the old and the new key changed, and storing the row under the new one
would hide that from detection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from agent.events import key_of
from agent.sources import Present, Seen, SeenRow
from agent.sources.prepared import Prepared
from agent.sources.queries import chunked
from agent.sources.reader import Raw, Reader

RowT = TypeVar("RowT")


def present(
    reader: Reader, view: Prepared[RowT], keys: Sequence[str], seen: Seen, met: Mapping[str, set[int]]
) -> Present[RowT]:
    """Read all present rows of the keys, and of every key that one of these rows belongs to now, or belonged to."""
    rows: dict[int, Raw] = {}
    remembered: dict[int, SeenRow] = {}
    done: set[str] = set()
    pending = list(dict.fromkeys(keys))
    while pending:
        done.update(pending)
        remembered.update((row.row, row) for each in seen.of_keys(pending).values() for row in each)
        ids = {row for row, each in remembered.items() if each.key in done}
        found = _by_ids(reader, view, ids.union(*(met.get(key, ()) for key in pending)) - rows.keys())
        spellings = {spelling for key in pending for spelling in (key, key.upper())}
        spellings |= {str(raw[1]) for raw in [*found, *rows.values()] if _key(raw) in done}
        rows |= {raw[0]: raw for raw in _by_codes(reader, view, spellings) if _key(raw) in done}
        rows |= {raw[0]: raw for raw in found}
        remembered.update(seen.of_rows(sorted(rows.keys() - remembered.keys())))
        touched = {_key(raw) for raw in rows.values()} | {remembered[row].key for row in rows if row in remembered}
        pending = sorted(touched - done)
    digests = view.digests(list(rows.values()))
    by_key: dict[str, list[RowT]] = {key: [] for key in done}
    for _, raw in sorted(rows.items()):
        by_key[_key(raw)].append(view.row(raw))
    return Present(
        rows={key: tuple(each) for key, each in by_key.items()},
        seen=tuple(SeenRow(row, _key(raw), digests[row], view.offered(raw)) for row, raw in sorted(rows.items())),
        gone=tuple(sorted(remembered.keys() - rows.keys())),
    )


def _by_ids(reader: Reader, view: Prepared[Any], ids: Iterable[int]) -> list[Raw]:
    return [raw for some in chunked(sorted(ids)) for raw in reader.run(*view.queries.of_ids(some)) if _key(raw)]


def _by_codes(reader: Reader, view: Prepared[Any], codes: Iterable[str]) -> list[Raw]:
    return [raw for some in chunked(sorted(codes)) for raw in reader.run(*view.queries.of_codes(some)) if _key(raw)]


def _key(raw: Raw) -> str:
    return key_of(str(raw[1] or ""))
