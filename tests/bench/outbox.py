"""The outbox beside raw SQLite: events a second taken in and settled, fsyncs, and the cost at a large backlog."""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median
from typing import TypeAlias

from state import outbox, settle
from state.db import StateFile, open_state
from tests.bench import peers
from tests.bench.beside import compare, verdict
from tests.bench.figures import Report, Row, plain
from tests.bench.raw_queue import RawQueue
from tests.bench.things import Thing, batches, things

BATCH = 500
SENT = 50
"""Rows that a commit settles while fsyncs are counted: the smallest batch that any shop kind gets."""
NOW = 1_800_000_000.0
TARGET = "quantities"
ROOT = Path(__file__).resolve().parents[2]
_Waiting: TypeAlias = tuple[int, int]
"""One waiting batch of the raw queue: the first of its ids, the number of its first thing."""


class Ours:
    """The state file, used as ingest and dispatch use it."""

    def __init__(self, path: Path) -> None:
        self.state: StateFile = open_state(path)

    def enqueue(self, some: Sequence[outbox.Entry]) -> None:
        """Take in one batch in one commit."""
        with self.state.write() as db:
            outbox.enqueue(db, TARGET, some, now=NOW)

    def settle(self, most: int, *, size: int = BATCH) -> float:
        """Take and settle up to ``most`` rows, each batch in the commit that takes the next; seconds of taking."""
        taking, left = 0.0, most
        with self.state.write() as db:
            batch = outbox.take(db, TARGET, limit=min(size, left), now=NOW, far=3600.0)
        while batch:
            left -= len(batch)
            with self.state.write() as db:
                settle.delivered(db, [_settled(row) for row in batch], now=NOW)
                began = time.perf_counter()
                batch = outbox.take(db, TARGET, limit=min(size, left), now=NOW, far=3600.0) if left else []
                taking += time.perf_counter() - began
        return taking


def entries(some: Sequence[Thing]) -> list[outbox.Entry]:
    """The same things as ingest would hand them over."""
    return [outbox.Entry(TARGET, t.key, t.code, t.value, source="stock", version=t.version) for t in some]


def _settled(row: outbox.Row) -> settle.Settled:
    said = f"PATCH stock_availables {row.id}: quantity {row.value}"
    return settle.Settled(
        row.id, row.target, row.key, request=said, answer=f"quantity {row.value}", confirmed=row.value
    )


def run(folder: Path, *, quick: bool) -> Report:
    """Measure everything. Needs about 1.5 GB of disk for the backlog of a million."""
    events, rounds, backlog = (2_000, 3, 50_000) if quick else (10_000, 9, 1_000_000)
    enqueue, settled, aa, rows = _rates(folder, events, rounds)
    fsyncs, told = _fsyncs(folder, 2_000 if quick else 10_000)
    growth, grown = _growth(folder, backlog, rounds=3 if quick else 9)
    figures = {
        "enqueue_ratio": enqueue,
        "settle_ratio": settled,
        "fsync_per_event": fsyncs,
        "growth": growth,
        "aa": aa,
    }
    table: list[Row] = [("outbox", "ours", "raw SQLite", "ours / raw"), *rows, told, *grown]
    return Report(figures, table, [*verdict(aa), *peers.rows(folder, 300 if quick else 2_000)])


def _rates(folder: Path, events: int, rounds: int) -> tuple[float, float, float, list[Row]]:
    """Rates of enqueue and settle beside the floor's; each file meets fresh keys in each round."""
    ours = Ours(folder / "ours.db")
    raws = [RawQueue(folder / "one.db"), RawQueue(folder / "other.db")]
    turns = [count(), count(), count()]

    def program() -> dict[str, float]:
        some = entries(things(next(turns[0]) * events, events))
        began = time.perf_counter()
        for batch in batches(some, BATCH):
            ours.enqueue(batch)
        between = time.perf_counter()
        taking = ours.settle(events)
        return {"enqueue": between - began, "settle": time.perf_counter() - between, "take": taking}

    def floor(which: int) -> dict[str, float]:
        raw, some = raws[which], things(next(turns[1 + which]) * events, events)
        ids: list[list[int]] = []
        began = time.perf_counter()
        for batch in batches(some, BATCH):
            ids.append(raw.enqueue(batch, NOW))
        between = time.perf_counter()
        for known, batch in zip(ids, batches(some, BATCH), strict=True):
            raw.settle(known, batch, NOW)
        return {"enqueue": between - began, "settle": time.perf_counter() - between}

    found = compare(program, lambda: floor(0), lambda: floor(1), rounds=rounds)
    ours.state.close()
    for raw in raws:
        raw.close()
    rows: list[Row] = []
    for phase in ("enqueue", "settle"):
        mine, theirs = median(found.ours[phase]), median(found.floor[phase])
        rows.append(
            (f"{phase} in batches of {BATCH}, events/s", plain(events / mine), plain(events / theirs),
             plain(1 / found.ratio(phase)))
        )  # fmt: skip # one row of the table
    share = median(found.ours["take"]) / median(found.ours["settle"])
    rows.append(("  of settling: to find and mark the next batch", f"{share:.0%}", "ids are known", ""))
    return 1 / found.ratio("enqueue"), 1 / found.ratio("settle"), found.aa, rows


def _fsyncs(folder: Path, events: int) -> tuple[float, Row]:
    """Count fsyncs of a process that takes in and settles events, its opening and closing included."""
    what = f"fsyncs per event (commits of {BATCH} in, {SENT} out)"
    strace = shutil.which("strace")
    if strace is None:
        if os.environ.get("REQUIRE_REAL") == "1":
            raise SystemExit("strace is missing: apt install strace")
        return math.nan, (what, "no strace", "", "")
    told = folder / "strace.txt"
    child = [sys.executable, "-m", "tests.bench.outbox", str(folder / "fsync.db"), str(events)]
    tracer = [strace, "-f", "-c", "-e", "trace=fsync,fdatasync,sync_file_range", "-o", str(told)]
    done = subprocess.run([*tracer, *child], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode and "ptrace" in done.stderr.lower():
        if os.environ.get("REQUIRE_REAL") == "1":
            raise SystemExit(f"strace may not trace here: {done.stderr.strip()}")
        return math.nan, (what, "strace may not trace", "", "")
    if done.returncode:
        raise SystemExit(f"the process to be counted failed: {done.stderr[-2000:]}")
    calls = sum(
        int(found[1]) for found in re.finditer(r"(\d+)\s+(?:\d+\s+)?f(?:data)?sync$", told.read_text(), re.MULTILINE)
    )
    return calls / events, (what, plain(calls / events), f"{calls} in all", "")


def _growth(folder: Path, backlog: int, *, rounds: int) -> tuple[float, list[Row]]:
    """CPU seconds per event at a large backlog over those at a small one, ours and the floor's, interleaved."""
    costs: dict[str, list[float]] = {}
    files = {size: (Ours(folder / f"ours-{size}.db"), RawQueue(folder / f"raw-{size}.db")) for size in (1_000, backlog)}
    waiting = {size: _fill(ours, raw, size) for size, (ours, raw) in files.items()}
    fresh = count(backlog, BATCH)
    for _ in range(rounds + 1):
        for size, (ours, raw) in files.items():
            costs.setdefault(f"ours {size}", []).append(_cost_ours(ours, fresh))
            costs.setdefault(f"raw {size}", []).append(_cost_raw(raw, fresh, waiting[size]))
    for ours, raw in files.values():
        ours.state.close()
        raw.close()
    per = {name: median(some[1:]) * 1e6 for name, some in costs.items()}  # the first round warms up
    growth, floor = per[f"ours {backlog}"] / per["ours 1000"], per[f"raw {backlog}"] / per["raw 1000"]
    rows: list[Row] = [
        (f"CPU µs per event in and out, backlog {size:,}", plain(mine := per[f"ours {size}"]),
         plain(theirs := per[f"raw {size}"]), f"{plain(mine / theirs)} x")
        for size in files
    ]  # fmt: skip # one row of the table
    return growth, [*rows, ("growth of that cost", f"{plain(growth)} x", f"{plain(floor)} x", "")]


def _fill(ours: Ours, raw: RawQueue, size: int) -> deque[_Waiting]:
    """Make a backlog, quickly: no plug is pulled here. Returns what waits in the raw queue, the oldest first."""
    waiting: deque[_Waiting] = deque()
    with ours.state.read() as db:
        for each in (db, raw.db):
            each.execute("PRAGMA synchronous=OFF")
        for start in range(0, size, 10_000):
            some = things(start, min(10_000, size - start))
            ours.enqueue(entries(some))
            ids = raw.enqueue(some, NOW)
            waiting += [(ids[at], start + at) for at in range(0, len(some), BATCH)]
        for each in (db, raw.db):
            each.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            each.execute("PRAGMA synchronous=FULL")
    return waiting


def _cost_ours(ours: Ours, fresh: count[int], *, steps: int = 10) -> float:
    some = [entries(things(next(fresh), BATCH)) for _ in range(steps)]
    began = time.process_time()
    for batch in some:
        ours.enqueue(batch)
        ours.settle(BATCH)
    return (time.process_time() - began) / (steps * BATCH)


def _cost_raw(raw: RawQueue, fresh: count[int], waiting: deque[_Waiting], *, steps: int = 10) -> float:
    numbers = [next(fresh) for _ in range(steps)]
    some = [things(number, BATCH) for number in numbers]
    oldest = [waiting.popleft() for _ in range(min(steps, len(waiting)))]
    done = [(list(range(first, first + BATCH)), things(number, BATCH)) for first, number in oldest]
    spent = 0.0
    for at, batch in enumerate(some):
        began = time.process_time()
        ids = raw.enqueue(batch, NOW)
        spent += time.process_time() - began
        if at < len(done):
            waiting.append((ids[0], numbers[at]))
        else:
            done.append((ids, batch))  # a backlog so small that it turns over
        began = time.process_time()
        raw.settle(*done[at], NOW)
        spent += time.process_time() - began
    return spent / (steps * BATCH)


def _counted(path: Path, events: int) -> None:
    """What the process does whose fsyncs are counted."""
    ours = Ours(path)
    with closing(ours.state):
        for batch in batches(entries(things(0, events)), BATCH):
            ours.enqueue(batch)
        ours.settle(events, size=SENT)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("events", type=int)
    given = parser.parse_args()
    _counted(given.path, given.events)
