"""Detection beside raw SELECTs: changed rows by cursor, a pass over unchanged cards by fingerprint, an idle poll."""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from agent.ingest import SeenInFile
from agent.sources import Cursor
from agent.sources.columns import Catalogue
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.strategies import RowVersion
from agent.sources.views.stock import StockRow
from state.db import StateFile, open_state
from tests.bench.beside import Beside, compare, furthest, verdict
from tests.bench.figures import Report, Row, plain
from tests.bench.seeded import SOURCE, make_pohoda, remember_rows, view

ROOT = Path(__file__).resolve().parents[2]
CHANGED = 1_000
_COLUMNS = "ID, IDS, RefSklad, IObchod, StavZ, Rezer"
_WITHIN = "IDS <> '' AND RefSklad = 1 AND Template = 0 AND RelSkTyp = 1"
_BY_CURSOR = (
    f"SELECT {_COLUMNS}, RowVer FROM SKz WHERE RowVer > ? AND RowVer < 9000000000000 ORDER BY RowVer LIMIT 5000"
)
_ALL = f"SELECT {_COLUMNS} FROM SKz WHERE {_WITHIN}"


class Clock:
    """Real seconds, and a jump, so that a pass is due though the last one has just ended."""

    def __init__(self) -> None:
        self.jumped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.jumped


def run(folder: Path, *, quick: bool) -> Report:
    """Measure everything on SQLite."""
    cards = 20_000 if quick else 200_000
    database, state = folder / "pohoda.db", open_state(folder / "state.db")
    make_pohoda(database, cards)
    whole = remember_rows(state, database)
    stable = _is_stable(database, whole)
    cursor, idle, rows = _by_cursor(database, state, rounds=7 if quick else 21)
    warm = _warm(database, state, rounds=5 if quick else 11)
    state.close()
    cold = _cold(database, folder / "state.db", rounds=3 if quick else 9)
    aa = furthest([cursor.aa, warm.aa, cold.aa])
    figures = {
        "cursor_ratio": cursor.ratio("read"),
        "fingerprint_ratio": max(warm.ratio("pass"), cold.ratio("pass")),
        "idle_ms": idle,
        "aa": aa,
    }
    rows += [
        _row(f"fingerprint pass over {cards:,} unchanged cards, warm: ms", warm, "pass"),
        _row("  the same, the first pass after a start: ms", cold, "pass"),
    ]
    table: list[Row] = [("detect", "ours", "raw SELECT", "ours / raw"), *rows]
    notes = ["The fingerprints are the same in another process." if stable else "FINGERPRINTS DIFFER BY PROCESS."]
    if not stable:
        raise SystemExit(notes[0])
    return Report(figures, table, [*notes, *verdict(aa)])


def _row(name: str, found: Beside, phase: str) -> Row:
    mine, theirs = median(found.ours[phase]) * 1000, median(found.floor[phase]) * 1000
    return (name, plain(mine), plain(theirs), f"{plain(found.ratio(phase))} x")


def _source(database: Path, strategy: RowVersion, clock: Clock) -> PohodaTable[StockRow]:
    return PohodaTable(
        SOURCE, open_database(database.as_posix()), view(), row_version=strategy, clock=clock, full_pass=1e12
    )


def _to_the_end(source: PohodaTable[StockRow], cursor: Cursor | None, seen: SeenInFile) -> tuple[Cursor, int]:
    """Read until there is no more; returns where it stands and how many keys changed."""
    changed = 0
    while True:
        batch = source.read(cursor, seen)
        changed, cursor = changed + len(batch.changes), batch.cursor
        if not batch.more:
            return cursor, changed


def _by_cursor(database: Path, state: StateFile, *, rounds: int) -> tuple[Beside, float, list[Row]]:
    """The read of 1,000 changed rows, and the poll that finds nothing. Each reader has a connection of its own."""
    clock, seen = Clock(), SeenInFile(state, SOURCE)
    with closing(_source(database, "rowversion", clock)) as source, closing(_Writer(database)) as writer:
        raws = [_reader(database), _reader(database)]
        cursor, changed = _to_the_end(source, None, seen)
        assert not changed, "the state file does not hold what the cards are"
        turns = 0

        def changes() -> None:
            """Each third call, that is in each round: other cards change, before anybody reads."""
            nonlocal turns
            if turns % 3 == 0:
                writer.change(CHANGED)
            turns += 1

        def program() -> dict[str, float]:
            nonlocal cursor
            changes()
            began = time.perf_counter()
            batch = source.read(cursor, seen)
            took = time.perf_counter() - began
            cursor = batch.cursor
            assert len(batch.changes) == CHANGED, f"{len(batch.changes)} changes were found"
            return {"read": took}

        def floor(raw: sqlite3.Connection) -> dict[str, float]:
            changes()
            began = time.perf_counter()
            rows = raw.execute(_BY_CURSOR, (writer.before,)).fetchall()
            took = time.perf_counter() - began
            assert len(rows) == CHANGED
            return {"read": took}

        found = compare(program, lambda: floor(raws[0]), lambda: floor(raws[1]), rounds=rounds)
        polls = _idle(source, cursor, seen, raws[0])
        for raw in raws:
            raw.close()
    mine, theirs = (median(each) * 1000 for each in polls)
    rows = [
        _row(f"{CHANGED:,} changed rows by cursor: ms", found, "read"),
        ("idle poll by cursor: ms", plain(mine), plain(theirs), f"+{plain(mine - theirs)} ms"),
    ]
    return found, mine - theirs, rows


def _idle(
    source: PohodaTable[StockRow], cursor: Cursor, seen: SeenInFile, raw: sqlite3.Connection
) -> tuple[list[float], list[float]]:
    """Polls that find nothing, in turns."""
    last = raw.execute("SELECT MAX(RowVer) FROM SKz").fetchone()[0]
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(200):
        began = time.perf_counter()
        batch = source.read(cursor, seen)
        between = time.perf_counter()
        rows = raw.execute(_BY_CURSOR, (last,)).fetchall()
        theirs.append(time.perf_counter() - between)
        mine.append(between - began)
        assert not batch.changes
        assert not rows
        cursor = batch.cursor
    return mine, theirs


class _Writer:
    """Changes quantities; ``before`` is the highest row version before the last change."""

    def __init__(self, database: Path) -> None:
        self._db = sqlite3.connect(database, isolation_level=None)
        self._db.execute("PRAGMA synchronous=OFF")
        self._ids = [row for (row,) in self._db.execute("SELECT ID FROM SKz")]
        self._chance = random.Random(1)
        self._shift = 1
        self.before = 0

    def change(self, count: int) -> None:
        """Give as many cards, chosen at random, a quantity that they never had."""
        self.before = self._db.execute("SELECT MAX(RowVer) FROM SKz").fetchone()[0]
        self._shift += 1
        self._db.execute("BEGIN")
        self._db.executemany(
            "UPDATE SKz SET StavZ = ? WHERE ID = ?",
            [(1000 + self._shift, row) for row in self._chance.sample(self._ids, count)],
        )
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Put every card back, and fold the WAL in: the passes that follow begin where the state file stands."""
        self._db.execute("UPDATE SKz SET StavZ = 50 WHERE StavZ <> 50")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


def _warm(database: Path, state: StateFile, *, rounds: int) -> Beside:
    """Passes of a process that has read all of it before."""
    clock, seen = Clock(), SeenInFile(state, SOURCE)
    with closing(_source(database, "fingerprint", clock)) as source:
        raws = [_reader(database), _reader(database)]
        cursor, _ = _to_the_end(source, None, seen)

        def program() -> dict[str, float]:
            nonlocal cursor
            clock.jumped += 1e6
            began = time.perf_counter()
            cursor, changed = _to_the_end(source, cursor, seen)
            took = time.perf_counter() - began
            assert not changed, f"{changed} cards seem to have changed"
            return {"pass": took}

        found = compare(program, lambda: _read_raw(raws[0]), lambda: _read_raw(raws[1]), rounds=rounds)
        for raw in raws:
            raw.close()
        return found


def _cold(database: Path, state_path: Path, *, rounds: int) -> Beside:
    """First passes: source, connections and the state file's cache are new each time, and the floor's connection."""

    def program() -> dict[str, float]:
        with closing(open_state(state_path)) as state, closing(_source(database, "fingerprint", Clock())) as source:
            began = time.perf_counter()
            _, changed = _to_the_end(source, None, SeenInFile(state, SOURCE))
            took = time.perf_counter() - began
            assert not changed, f"{changed} cards seem to have changed"
            return {"pass": took}

    def floor() -> dict[str, float]:
        with closing(_reader(database)) as raw:
            return _read_raw(raw)

    return compare(program, floor, floor, rounds=rounds)


def _reader(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _chunks(raw: sqlite3.Connection) -> Iterator[list[tuple[object, ...]]]:
    cursor = raw.execute(_ALL)
    while rows := cursor.fetchmany(20_000):
        yield rows


def _read_raw(raw: sqlite3.Connection) -> dict[str, float]:
    began = time.perf_counter()
    read = sum(len(rows) for rows in _chunks(raw))
    took = time.perf_counter() - began
    assert read
    return {"pass": took}


def _is_stable(database: Path, whole: bytes) -> bool:
    """Fingerprint all rows in another process with another seed of hashes, and compare."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.detect", str(database)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        check=True,
        capture_output=True,
        text=True,
    )
    return told.stdout.strip() == hashlib.sha256(whole).hexdigest()


def _fingerprints(database: Path) -> bytes:
    opened = open_database(database.as_posix())
    with closing(opened), opened.reading() as reader:
        prepared = view().prepare(reader, Catalogue())
        digests = prepared.digests(reader.run(*prepared.queries.page(-1, 10_000_000)))
    return b"".join(digest for _, digest in sorted(digests.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("database", type=Path)
    print(hashlib.sha256(_fingerprints(parser.parse_args().database)).hexdigest())
