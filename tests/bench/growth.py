"""Growth: the same work over ten and a hundred times as many cards. Nothing may cost more per card when there are more.

Each size has a process of its own, so that its memory is told apart; the smallest is measured before and after the
others. `growth_first_pass` and `growth_warm_pass` are time per card, the largest size / the smallest; `growth_idle` and
`growth_changed` are time per poll, which should not hang on the number of cards at all. The first pass goes through
ingest into an empty state file: fingerprints and deliveries.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import math
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from agent.ingest import Ingest, SeenInFile
from agent.sources import Cursor
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.strategies import RowVersion
from agent.sources.views.stock import StockRow
from agent.targets.quantities import Quantities, QuantitySettings
from state.db import StateFile, open_state
from tests.bench.beside import compare, furthest, verdict
from tests.bench.figures import Report, Row, plain
from tests.bench.seeded import NOW, SOURCE, STORE, make_pohoda, view

ROOT = Path(__file__).resolve().parents[2]
SIZES = (10_000, 100_000, 1_000_000)
QUICK = (1_000, 10_000)
CHANGED = 1_000
POLLS, GROUPS = 50, 10
"""Of idle polls, the median of the quietest group counts: they are too short for a noisy machine."""
WORK = 3_000_000
"""Cards read in the rounds of the warm pass: a small table is read more often, so that its median is as steady."""


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured over so many cards; seconds and bytes."""

    cards: int
    first_pass: float
    warm_pass: float
    raw_pass: float
    """One SELECT of the same columns, the floor of the warm pass."""
    idle: float
    changed: float
    """Reading the changed ones by cursor, both reads and the commit."""
    opened: float
    """The first opening of the full state file by a process."""
    rss: float
    """The most memory that the process had."""
    file: int
    """The state file after the first pass, its WAL folded in."""
    aa: float


def run(folder: Path, *, quick: bool) -> Report:
    """Measure one size after the other, the smallest first."""
    sizes, code = QUICK if quick else SIZES, _code()
    found = [_in_process(folder, cards, quick=quick) for cards in sizes]
    found[0] = _mean(found[0], _in_process(folder, sizes[0], quick=quick))
    if _code() != code:
        raise SystemExit("the code changed during the run, so its sizes cannot be compared: run it on a copy")
    small, large = found[0], found[-1]
    times = large.cards / small.cards
    aa = furthest([each.aa for each in found])
    figures = {
        "growth_first_pass": large.first_pass / small.first_pass / times,
        "growth_warm_pass": large.warm_pass / small.warm_pass / times,
        "growth_idle": large.idle / small.idle,
        "growth_changed": large.changed / small.changed,
        "rss_mb_per_100k": (large.rss - small.rss) / 2**20 / (large.cards - small.cards) * 100_000,
        "bytes_per_card": large.file / large.cards,
        "aa": aa,
    }
    return Report(figures, _table(found), [_raw_growth(small, large, times), *verdict(aa)])


def _code() -> str:
    """A digest of the code that is measured: each size is a new process, which takes the code as it finds it."""
    files = sorted(
        path
        for folder in ("agent", "state")
        for path in (ROOT / folder).rglob("*.*")
        if "__pycache__" not in path.parts
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files if path.is_file())).hexdigest()


def _mean(one: Size, other: Size) -> Size:
    """The smallest size, measured before and after the others, for a machine that grew slower or faster meanwhile."""
    pairs = {name: (value, asdict(other)[name]) for name, value in asdict(one).items()}
    means = {name: sum(pair) / 2 for name, pair in pairs.items() if name not in {"cards", "file", "aa"}}
    return replace(one, **means, aa=furthest([one.aa, other.aa]))


def _raw_growth(small: Size, large: Size, times: float) -> str:
    raw = large.raw_pass / small.raw_pass / times
    return f"Time per card of the raw SELECT itself, largest / smallest: {plain(raw)}."


def _table(found: list[Size]) -> list[Row]:
    def row(name: str, *values: float) -> Row:
        return (name, *(plain(value) for value in values))

    def per_card(*seconds: float) -> list[float]:
        return [each * 1e6 / size.cards for each, size in zip(seconds, found, strict=True)]

    return [
        ("growth", *(f"{each.cards:,} cards" for each in found)),
        row("first pass through ingest: s", *(each.first_pass for each in found)),
        row("  per card: us", *per_card(*(each.first_pass for each in found))),
        row("warm pass, nothing changed: ms", *(each.warm_pass * 1e3 for each in found)),
        row("  per card: us", *per_card(*(each.warm_pass for each in found))),
        row("raw SELECT of the same, per card: us", *per_card(*(each.raw_pass for each in found))),
        row("idle poll by cursor: ms", *(each.idle * 1e3 for each in found)),
        row(f"{CHANGED:,} changed, by cursor, through ingest: ms", *(each.changed * 1e3 for each in found)),
        row("first opening of the state file: ms", *(each.opened * 1e3 for each in found)),
        row("peak RSS: MB", *(each.rss / 2**20 for each in found)),
        row("state file: bytes per card", *(each.file / each.cards for each in found)),
    ]


def _in_process(folder: Path, cards: int, *, quick: bool) -> Size:
    """Make the POHODA here, measure there."""
    home = folder / str(cards)
    home.mkdir()
    make_pohoda(home / "pohoda.db", cards)
    command = [sys.executable, "-m", "tests.bench.growth", str(home), str(cards), *(["--quick"] if quick else [])]
    told = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    if told.returncode:
        raise SystemExit(f"measuring {cards:,} cards failed")
    shutil.rmtree(home)
    return Size(**json.loads(told.stdout))


def measure(home: Path, cards: int, *, quick: bool) -> Size:
    """Measure one size, in a process that has done nothing else."""
    database, path = home / "pohoda.db", home / "state.db"
    with closing(open_state(path)) as state:
        first_pass = _first_pass(database, state, cards)
    began = time.perf_counter()
    state = open_state(path)
    opened = time.perf_counter() - began
    size = path.stat().st_size
    with closing(state):
        warm, raw, aa = _warm(database, state, rounds=5 if quick else max(3, min(41, WORK // cards)))
        idle, changed = _by_cursor(database, state, rounds=3 if quick else 15)
    return Size(cards, first_pass, warm, raw, idle, changed, opened, _peak_rss(), size, aa)


def _source(database: Path, strategy: RowVersion, *, jump: list[float] | None = None) -> PohodaTable[StockRow]:
    """A source whose clock goes ahead by what is in ``jump``, so that a pass is due."""
    return PohodaTable(
        SOURCE,
        open_database(database.as_posix()),
        view(),
        row_version=strategy,
        full_pass=1e12,
        clock=lambda: time.monotonic() + sum(jump or ()),
    )


def _ingest(source: PohodaTable[StockRow], state: StateFile) -> Ingest:
    target = Quantities(QuantitySettings(stores=(STORE,), deduct="reservations", zero_guard=None))
    made = Ingest(source, [target], state, contextlib.nullcontext())
    made.prepare()
    return made


def _first_pass(database: Path, state: StateFile, cards: int) -> float:
    with closing(_source(database, "fingerprint")) as source:
        ingest = _ingest(source, state)
        began = time.perf_counter()
        while ingest.step(NOW):
            pass
        took = time.perf_counter() - began
    with state.read() as db:
        told = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("seen", "delivery")]
    assert told == [cards, cards], told
    return took


def _warm(database: Path, state: StateFile, *, rounds: int) -> tuple[float, float, float]:
    """Seconds of a pass over unchanged cards and of the raw SELECT, and the floor against itself."""
    jump, seen = [0.0], SeenInFile(state, SOURCE)
    raws = [sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True) for _ in range(2)]
    with closing(_source(database, "fingerprint", jump=jump)) as source, closing(raws[0]), closing(raws[1]):
        cursor = _to_the_end(source, None, seen)

        def program() -> dict[str, float]:
            nonlocal cursor
            jump[0] += 1e6
            began = time.perf_counter()
            cursor = _to_the_end(source, cursor, seen)
            return {"pass": time.perf_counter() - began}

        found = compare(program, lambda: _read_raw(raws[0]), lambda: _read_raw(raws[1]), rounds=rounds)
    return median(found.ours["pass"]), median(found.floor["pass"]), found.aa


def _to_the_end(source: PohodaTable[StockRow], cursor: Cursor | None, seen: SeenInFile) -> Cursor:
    while True:
        batch = source.read(cursor, seen)
        assert not batch.changes, "a card seems to have changed"
        cursor = batch.cursor
        if not batch.more:
            return cursor


def _read_raw(raw: sqlite3.Connection) -> dict[str, float]:
    began = time.perf_counter()
    rows = raw.execute("SELECT ID, IDS, RefSklad, IObchod, StavZ, Rezer FROM SKz WHERE IDS <> '' AND RefSklad = 1")
    while rows.fetchmany(20_000):
        pass
    return {"pass": time.perf_counter() - began}


def _by_cursor(database: Path, state: StateFile, *, rounds: int) -> tuple[float, float]:
    """Seconds of a poll that finds nothing, and of taking in what changed."""
    chance = random.Random(1)
    with (
        closing(_source(database, "rowversion")) as source,
        closing(sqlite3.connect(database, isolation_level=None)) as writer,
    ):
        ingest = _ingest(source, state)
        while ingest.step(NOW):
            pass
        idle = []
        for _ in range(GROUPS):
            time.sleep(0.05)
            idle.append(median(_timed_step(ingest) for _ in range(POLLS)))
        top = writer.execute("SELECT MAX(ID) FROM SKz").fetchone()[0]
        writer.execute("PRAGMA synchronous=OFF")
        changed = []
        for turn in range(rounds):
            ids = chance.sample(range(1, top + 1), min(CHANGED, top))
            writer.execute("BEGIN")
            writer.executemany("UPDATE SKz SET StavZ = ? WHERE ID = ?", [(1000 + turn, card) for card in ids])
            writer.execute("COMMIT")
            changed.append(_timed_step(ingest))
        with state.read() as db:
            held = db.execute("SELECT count(*) FROM delivery WHERE value = ?", (str(1000 + rounds - 1),)).fetchone()[0]
        assert held == min(CHANGED, top), held
    return min(idle), median(changed)


def _timed_step(ingest: Ingest) -> float:
    began = time.perf_counter()
    while ingest.step(NOW):
        pass
    return time.perf_counter() - began


def _peak_rss() -> float:
    """Bytes; NaN where there is no /proc. Not getrusage: a child inherits its parent's peak there."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return math.nan
    return next((int(line.split()[1]) * 1024.0 for line in lines if line.startswith("VmHWM:")), math.nan)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("cards", type=int)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    print(json.dumps(asdict(measure(given.home, given.cards, quick=given.quick))))
