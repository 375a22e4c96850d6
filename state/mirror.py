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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from state import damage, migrate, place
from state.db import BUSY_MS, CACHE_KB, StateFile, opening
from state.errors import StateDamagedError, StateError

Connection: TypeAlias = sqlite3.Connection
FOLDER = "mirror_migrations"
COLUMNS = (
    *("IDS", "RelSkTyp", "IObchod", "Odbyt", "EAN", "Nazev", "SText", "MJ", "StavZ", "Rezer", "ObjedP", "ObjedV"),
    *("Hmotnost", "Objem", "RelDPHp", "SazbaDPH", "ProdejKc", "ProdejDPH", "RefAD", "Vyrobce", "Popis", "FmtPopis"),
    *("Popis2", "FmtPopis2", "Novinka", "Doprodej", "Akce", "Doporucujeme", "Sleva", "Priprav", "Dodani", "Doprava"),
    *("RelZaruka", "Zaruka", "NazevRP", "Pozn"),
)
"""Of a card, in the order of `Card.values`."""
_OURS = ("RefSklad", "Template", "Klic", "Otisk", "Hromadne", "RowVer")
_ALL = ("ID", *COLUMNS, *_OURS)
_UPSERT = (
    f"INSERT INTO SKz ({', '.join(_ALL)}) VALUES ({', '.join('?' * len(_ALL))}) ON CONFLICT (ID) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _ALL[1:])
)
_IDS = 500
"""Parameters of one statement."""
_UNTOLD = 2**40
"""Cards whose ids are not told get ids above, where POHODA has none."""


class Card(NamedTuple):
    """One card in one store, and what hangs on it."""

    id: int | None
    """``SKz.ID``; None: the document does not say, and the card is known by code and store."""
    key: str
    store: str
    """Code of the store; empty: not said."""
    digest: bytes
    values: tuple[Any, ...]
    """In the order of `COLUMNS`."""
    pictures: tuple[tuple[Any, ...], ...]
    """(Soubor, Popis, Vychozi, OrderFld)."""
    levels: tuple[tuple[str, Any], ...]
    """(code of the level, price)."""


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


def newest(db: sqlite3.Connection, until: str) -> str:
    """The latest time up to ``until`` that a document which told of cards bears; empty when there was none.

    A time far in the future is a clock that was wrong, and must not make all that follows look old.
    """
    sql = "SELECT coalesce(max(stamp), '') FROM document WHERE cards > 0 AND stamp <= ?"
    return str(db.execute(sql, (until,)).fetchone()[0])


def told(db: sqlite3.Connection) -> bool:
    """Tell whether a document with cards was worked off to its end: before, the mirror knows only a part."""
    return db.execute("SELECT 1 FROM document WHERE outcome = 'done' AND cards > 0").fetchone() is not None


def move(
    db: sqlite3.Connection,
    document: tuple[str, str, int, str],
    *,
    offset: int,
    part: int,
    looked: int,
    changed: int,
    bad: int,
    cards: int,
    now: float,
) -> None:
    """Note how far a document (sha, name, size, stamp) was read; the counts are of this chunk, and are added."""
    sha, name, size, stamp = document
    db.execute("DELETE FROM document WHERE outcome = 'under way' AND sha <> ?", (sha,))
    db.execute(
        "INSERT INTO document (sha, name, size, stamp, outcome, offset, part, looked, changed, bad, cards, started_at,"
        " moved_at) VALUES (?, ?, ?, ?, 'under way', ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (sha) DO UPDATE SET name = excluded.name, outcome = 'under way', offset = excluded.offset,"
        " part = excluded.part, moved_at = excluded.moved_at, reason = '',"
        " looked = excluded.looked + iif(outcome = 'under way', looked, 0),"
        " changed = excluded.changed + iif(outcome = 'under way', changed, 0),"
        " bad = excluded.bad + iif(outcome = 'under way', bad, 0),"
        " cards = excluded.cards + iif(outcome = 'under way', cards, 0),"
        " started_at = iif(outcome = 'under way', started_at, excluded.started_at)",
        (sha, name, size, stamp, offset, part, looked, changed, bad, cards, now, now),
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


# ------------------------------------------------------------------------------------------------------------ cards


def known(db: sqlite3.Connection, digests: Sequence[bytes]) -> set[bytes]:
    """Those of the digests that a card in the mirror has: what they stand for need not be read."""
    found: set[bytes] = set()
    for start in range(0, len(digests), _IDS):
        some = digests[start : start + _IDS]
        places = ", ".join("?" * len(some))
        found.update(row[0] for row in db.execute(f"SELECT Otisk FROM SKz WHERE Otisk IN ({places})", some))
    return found


def put_cards(db: sqlite3.Connection, cards: Sequence[Card], *, large: bool) -> None:
    """Take in cards with what hangs on them; each gets the next row version. ``large``: of a large document."""
    version = int(db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0])
    stores = _named(db, "sSklad", {card.store for card in cards if card.store})
    levels = _named(db, "SkCeny", {level for card in cards for level, _ in card.levels})
    for card in cards:
        version += 1
        store = stores.get(card.store.casefold())
        row = _row_of(db, card, store)
        own = (store, 0, card.key, card.digest, int(large), version)
        db.execute(_UPSERT, (row, *card.values, *own))
        _hang(db, "SkRefObraz", "Soubor, Popis, Vychozi, OrderFld", row, card.pictures)
        prices = tuple((levels[level.casefold()], price) for level, price in card.levels)
        _hang(db, "SKzCn", "RefSkCeny, ProdejC", row, prices)
    db.execute("UPDATE meta SET value = ? WHERE name = 'version'", (str(version),))


def put_stores(db: sqlite3.Connection, stores: Sequence[tuple[str, str | None]]) -> None:
    """Take in stores as (code, name)."""
    found = _named(db, "sSklad", {code for code, _ in stores})
    texts = [(text, found[code.casefold()]) for code, text in stores]
    db.executemany("UPDATE sSklad SET SText = ? WHERE ID = ?", texts)


def _row_of(db: sqlite3.Connection, card: Card, store: int | None) -> int:
    """The row that a card is to have; whoever had its code in this store before makes room."""
    same = [row for (row,) in db.execute("SELECT ID FROM SKz WHERE Klic = ? AND RefSklad IS ?", (card.key, store))]
    row = card.id
    if row is None:
        top = "SELECT max(coalesce(max(ID), 0), ?) + 1 FROM SKz"
        row = max(same) if same else int(db.execute(top, (_UNTOLD,)).fetchone()[0])
    for other in same:
        if other != row:
            for table in ("SkRefObraz", "SKzCn"):
                db.execute(f"DELETE FROM {table} WHERE RefAg = ?", (other,))
            db.execute("DELETE FROM SKz WHERE ID = ?", (other,))
    return row


def _hang(db: sqlite3.Connection, table: str, columns: str, card: int, wanted: tuple[tuple[Any, ...], ...]) -> None:
    """Make the children of a card these ones; those that stay keep their ids."""
    present = db.execute(f"SELECT ID, {columns} FROM {table} WHERE RefAg = ? ORDER BY ID", (card,)).fetchall()
    if tuple(row[1:] for row in present) == wanted:
        return
    left = list(wanted)
    for row in present:
        if row[1:] in left:
            left.remove(row[1:])
        else:
            db.execute(f"DELETE FROM {table} WHERE ID = ?", (row[0],))
    places = ", ".join("?" * (columns.count(",") + 2))
    db.executemany(f"INSERT INTO {table} (RefAg, {columns}) VALUES ({places})", [(card, *row) for row in left])


def _named(db: sqlite3.Connection, table: str, names: set[str]) -> dict[str, int]:
    """Ids of the rows with these codes, which are made where they are missing; by the folded code."""
    found = {str(code).casefold(): row for row, code in db.execute(f"SELECT ID, IDS FROM {table}")}
    for name in sorted(names):
        if name.casefold() not in found:
            made = db.execute(f"INSERT INTO {table} (IDS) VALUES (?)", (name,)).lastrowid
            assert made is not None
            found[name.casefold()] = made
    return found
