"""The second read: what the changed keys are now, with the fingerprints that will be remembered.

A key's rows are looked for by the ids remembered of it, by the ids in which detection met it, and by its code in the
spellings at hand (a database may compare with case). A row whose code differs from the remembered one brings the other
key along, from whichever side it was found: both the old and the new key changed, and storing the row under the new one
would hide that from detection.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from agent.events import key_of
from agent.sources import Present, Seen, SeenRow
from agent.sources.prepared import Prepared
from agent.sources.queries import chunked
from agent.sources.reader import Raw, Reader

RowT = TypeVar("RowT")


def present(
    reader: Reader,
    view: Prepared[RowT],
    keys: Sequence[str],
    seen: Seen,
    met: Mapping[str, set[int]],
    *,
    only_told: bool = False,
) -> Present[RowT]:
    """Read all present rows of the keys, and of every key that one of these rows belongs to now, or belonged to.

    ``only_told``: of a mirror of exports; a row remembered of an earlier one (it has no fingerprint) is not gone.
    """
    rows: dict[int, Raw] = {}
    key: dict[int, str] = {}
    remembered: dict[int, SeenRow] = {}
    done: set[str] = set()
    pending = list(dict.fromkeys(keys))
    while pending:
        done.update(pending)
        remembered.update((row.row, row) for each in seen.of_keys(pending).values() for row in each)
        ids = {row for row, each in remembered.items() if each.key in done}
        found = _by_ids(reader, view, ids.union(*(met.get(each, ()) for each in pending)) - rows.keys())
        rows.update((raw[0], raw) for raw in found)
        key.update((raw[0], _key(raw)) for raw in found)
        spellings = {spelling for each in pending for spelling in (each, each.upper())}
        spellings.update(str(raw[1]) for row, raw in rows.items() if key[row] in done)
        for raw in _completed(reader, view, _new_of_codes(reader, view, spellings, rows, done)):
            rows[raw[0]], key[raw[0]] = raw, _key(raw)
        remembered.update(seen.of_rows(sorted(rows.keys() - remembered.keys())))
        pending = sorted({*key.values(), *(remembered[row].key for row in rows if row in remembered)} - done)

    def lost(row: SeenRow) -> bool:
        return bool(row.fingerprint) or not only_told

    digests = view.digests(list(rows.values()))
    by_key: dict[str, list[RowT]] = {each: [] for each in done}
    for row in sorted(rows):
        by_key[key[row]].append(view.row(rows[row]))
    return Present(
        rows={each: tuple(found) for each, found in by_key.items()},
        seen=tuple(SeenRow(row, key[row], digests[row], view.offered(rows[row])) for row in sorted(rows)),
        gone=tuple(sorted(row for row in remembered.keys() - rows.keys() if lost(remembered[row]))),
        before=remembered,
    )


def _by_ids(reader: Reader, view: Prepared[Any], ids: Iterable[int]) -> list[Raw]:
    found = [raw for some in chunked(sorted(ids)) for raw in reader.run(*view.queries.of_ids(some)) if _key(raw)]
    return _completed(reader, view, found)


def _new_of_codes(
    reader: Reader, view: Prepared[Any], codes: Iterable[str], known: Container[int], keys: Container[str]
) -> list[Raw]:
    """Rows with these codes whose ids are not known yet, if their keys are among these; each once."""
    found = (raw for some in chunked(sorted(codes)) for raw in reader.run(*view.queries.of_codes(some)))
    return list({raw[0]: raw for raw in found if raw[0] not in known and _key(raw) in keys}.values())


def _completed(reader: Reader, view: Prepared[Any], rows: list[Raw]) -> list[Raw]:
    return rows if view.complete is None or not rows else view.complete(reader, rows)


def _key(raw: Raw) -> str:
    return key_of(str(raw[1] or ""))
