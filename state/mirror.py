"""The mirror: a second SQLite file that holds, in POHODA's own tables, what its documents have told so far.

It lies beside the state file and is one per export directory, for several shops may sell from one POHODA. Each chunk of
a document is one transaction: its rows, and the place in the document where reading goes on. So a document is worked
off exactly once, whatever dies on the way. What no document tells of is never deleted: only a card that comes back
under another id (a code in one store is one card) takes the place of the old one.

The file can be rebuilt from a new full export; a damaged one is set aside. Readers compare ``identity``, which is made
with the file: a new mirror is another database, and what was remembered of the old one's rows says nothing about it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from state import damage, migrate, place
from state.db import BUSY_MS, CACHE_KB, StateFile, opening
from state.errors import StateDamagedError, StateError
from state.mirror_cards import COLUMNS, Card, known, put_cards, put_stores
from state.mirror_lists import put_categories, put_orders, put_suppliers
from state.mirror_parameters import put_parameters

__all__ = [  # how things are taken in stands beside; here is what callers need
    "COLUMNS",
    "KINDS",
    "Card",
    "Connection",
    "Document",
    "bad_items",
    "calls",
    "documents",
    "finish",
    "known",
    "move",
    "newest",
    "note_bad",
    "note_call",
    "open_mirror",
    "open_mirror_inspector",
    "prune",
    "put_cards",
    "put_categories",
    "put_orders",
    "put_parameters",
    "put_stores",
    "put_suppliers",
    "told",
    "under_way",
    "was_taken",
]
Connection: TypeAlias = sqlite3.Connection
FOLDER = "mirror_migrations"
KINDS = ("cards", "categories", "parameters", "suppliers", "orders")
"""Lists whose items are counted per document, each in a column of that name."""


class Document(NamedTuple):
    """A document that was begun."""

    sha: str
    name: str
    size: int
    stamp: str
    outcome: str
    offset: int
    part: int
    looked: int
    changed: int
    bad: int
    cards: int
    reason: str
    started_at: float
    moved_at: float
    categories: int = 0
    """Items of each further list that were looked at; of cards in ``cards``."""
    parameters: int = 0
    suppliers: int = 0
    orders: int = 0
    tells: str = ""
    """Elements that an export may be made without and that some card in it has, between blanks."""


def open_mirror(path: Path, *, stamp: str) -> StateFile:
    """Open the mirror for writing, creating or migrating it; a damaged one is set aside under a name with ``stamp``.

    Raises `StateError` for a path that cannot work and a schema that is newer than this program.
    """
    try:
        return _open(path)
    except StateDamagedError:
        for suffix in ("-wal", "-shm", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.replace(path.with_name(f"{path.name}.damaged-{stamp}{suffix}"))
        damage.forget(path)
        return _open(path)


def _open(path: Path) -> StateFile:
    place.refuse_network(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            f"The folder {path.parent} cannot be made: {error.strerror}.", hint="Check [state] file."
        ) from error
    with opening(path) as connection:
        damage.refuse(connection, path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB // 2}")
        connection.execute(f"PRAGMA journal_size_limit={64 * 1024 * 1024}")
        migrate.migrate(connection, path, migrate.steps(FOLDER))
    return StateFile(path, connection)


def open_mirror_inspector(path: Path) -> StateFile:
    """Open the mirror for looking only. Raises `StateError`."""
    with opening(path, read_only=True) as connection:
        migrate.require_current(connection, migrate.steps(FOLDER))
    return StateFile(path, connection)


# -------------------------------------------------------------------------------------------------------- documents


def under_way(db: sqlite3.Connection) -> Document | None:
    """The document that is being worked off."""
    found = _documents(db, "WHERE outcome = 'under way'")
    return found[0] if found else None


def documents(db: sqlite3.Connection, limit: int = 10) -> list[Document]:
    """The documents that were worked off or set aside, the last ones first."""
    return _documents(db, f"WHERE outcome <> 'under way' ORDER BY moved_at DESC LIMIT {limit:d}")


def _documents(db: sqlite3.Connection, rest: str) -> list[Document]:
    return list(map(Document._make, db.execute(f"SELECT {', '.join(Document._fields)} FROM document {rest}")))


def was_taken(db: sqlite3.Connection, sha: str) -> bool:
    """Tell whether a document with this content was worked off to its end, so that it tells nothing new.

    Of a document that does not say when it was made only the last one is meant: A, then B, then A again is news.
    """
    found = db.execute("SELECT stamp FROM document WHERE sha = ? AND outcome = 'done'", (sha,)).fetchone()
    if found is None or found[0]:
        return found is not None
    last = db.execute("SELECT sha FROM document WHERE outcome = 'done' ORDER BY moved_at DESC LIMIT 1").fetchone()
    return bool(last[0] == sha)


def newest(db: sqlite3.Connection, until: str, kind: str = "cards") -> str:
    """The latest time up to ``until`` that a document with items of this kind bears; empty when there was none.

    A time far in the future is a clock that was wrong, and must not make all that follows look old.
    """
    sql = f"SELECT coalesce(max(stamp), '') FROM document WHERE {_column(kind)} > 0 AND stamp <= ?"
    return str(db.execute(sql, (until,)).fetchone()[0])


def told(db: sqlite3.Connection, kind: str = "cards") -> bool:
    """Tell whether a document with items of a kind was worked off to its end: before, the mirror knows only a part."""
    sql = f"SELECT 1 FROM document WHERE outcome = 'done' AND {_column(kind)} > 0"
    return db.execute(sql).fetchone() is not None


def _column(kind: str) -> str:
    return KINDS[KINDS.index(kind)]


def move(
    db: sqlite3.Connection,
    document: tuple[str, str, int, str],
    *,
    offset: int,
    part: int,
    looked: int,
    changed: int,
    bad: int,
    now: float,
    cards: int = 0,
    counts: Mapping[str, int] | None = None,
    tells: str = "",
) -> None:
    """Note how far a document (sha, name, size, stamp) was read; the counts are of this chunk, and are added.

    ``cards`` and ``counts`` (by `KINDS`) are the items that were looked at; ``tells`` names what its cards tell of.
    """
    sha, name, size, stamp = document
    db.execute("DELETE FROM document WHERE outcome = 'under way' AND sha <> ?", (sha,))
    told = {"looked": looked, "changed": changed, "bad": bad, "cards": cards} | dict(counts or {})
    added = {key: told.get(key, 0) for key in ("looked", "changed", "bad", *KINDS)}
    sums = ", ".join(f"{key} = excluded.{key} + iif(outcome = 'under way', {key}, 0)" for key in added)
    db.execute(
        "INSERT INTO document (sha, name, size, stamp, tells, outcome, offset, part, started_at, moved_at,"
        f" {', '.join(added)}) VALUES (?, ?, ?, ?, ?, 'under way', ?, ?, ?, ?{', ?' * len(added)})"
        " ON CONFLICT (sha) DO UPDATE SET name = excluded.name, outcome = 'under way', offset = excluded.offset,"
        " part = excluded.part, tells = excluded.tells, moved_at = excluded.moved_at, reason = '',"
        f" {sums}, started_at = iif(outcome = 'under way', started_at, excluded.started_at)",
        (sha, name, size, stamp, tells, offset, part, now, now, *added.values()),
    )


def finish(db: sqlite3.Connection, sha: str, *, outcome: str, reason: str, now: float) -> None:
    """Note how a document ended: ``done`` or ``quarantined`` with a reason."""
    db.execute(
        "UPDATE document SET outcome = ?, reason = ?, moved_at = ? WHERE sha = ?", (outcome, reason[:500], now, sha)
    )


def note_bad(db: sqlite3.Connection, name: str, items: Iterable[tuple[str, int, str, str]], now: float) -> None:
    """Remember items (code, offset, reason, hint) that could not be read; of the last thousand."""
    db.executemany(
        "INSERT OR REPLACE INTO bad_item (code, offset, reason, hint, name, at) VALUES (?, ?, ?, ?, ?, ?)",
        [(*item, name, now) for item in items],
    )
    db.execute(
        "DELETE FROM bad_item WHERE at < (SELECT at FROM bad_item ORDER BY at DESC LIMIT 1 OFFSET 1000)",
    )


def bad_items(db: sqlite3.Connection, limit: int = 20) -> list[dict[str, Any]]:
    """Items that could not be read, the last ones first."""
    names = ("code", "offset", "reason", "hint", "name", "at")
    rows = db.execute(f"SELECT {', '.join(names)} FROM bad_item ORDER BY at DESC, offset LIMIT ?", (limit,))
    return [dict(zip(names, row, strict=True)) for row in rows]


def prune(db: sqlite3.Connection, *, older_than: float) -> int:
    """Forget documents that ended before; a copy of one that comes again would be read again, to the same effect."""
    return db.execute("DELETE FROM document WHERE outcome <> 'under way' AND moved_at < ?", (older_than,)).rowcount


def note_call(db: sqlite3.Connection, path: str, what: str, now: float) -> None:
    """Remember that POHODA called an address of the receiver."""
    db.execute(
        "INSERT INTO call (path, what, at, count) VALUES (?, ?, ?, 1)"
        " ON CONFLICT DO UPDATE SET what = excluded.what, at = excluded.at, count = count + 1",
        (path, what, now),
    )


def calls(db: sqlite3.Connection) -> dict[str, tuple[str, float, int]]:
    """Path -> (what came last, when, how often)."""
    return {path: (what, at, count) for path, what, at, count in db.execute("SELECT path, what, at, count FROM call")}
