"""From the commit in POHODA to the acceptance by the shop, on one clock, with the real agent as a process of its own.

The writer is open-loop: its moments are fixed beforehand, whatever the agent is doing. Each change is the next number
of its card, and counts as accepted by the first write of that number or a later one of the same card. Both processes
use the machine's monotonic clock, which is one for all processes on Linux, Windows and macOS.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent.demo.latency import percentile
from agent.events import key_of
from state.db import open_state
from tests.bench.agent_process import AgentProcess, wait_until_quiet
from tests.bench.bare_loop import BareLoop
from tests.bench.figures import Report, Row, plain
from tests.bench.seeded import Card, config_text, make_pohoda, remember_rows, remember_shop
from tests.bench.shop_process import ShopProcess, link

POLL, SHOP = 1.0, 0.020
"""Seconds."""
PATIENCE = 60.0
FLOOR = "The bare loop polls and posts 100 a call, one call after the other; it remembers and checks nothing."
GOLDEN = (5**0.5 - 1) / 2
"""Its multiples modulo 1 are spread as evenly as can be, however many there are."""


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change: the card's number from then on, and when the commit was through."""

    key: str
    number: int
    at: float


def run(folder: Path, *, quick: bool) -> Report:
    """Measure at a slow and at a fast rate."""
    rates = ((10, 2.0), (500, 100.0)) if quick else ((120, 1.0), (15_000, 500.0))
    cards = make_pohoda(folder / "pohoda.db", 1_000 if quick else 20_000)
    with closing(open_state(folder / "state.db")) as state:
        remember_rows(state, folder / "pohoda.db")
        remember_shop(state, cards, [link(at + 1) for at in range(len(cards))])
    rows: list[Row] = [("latency, ms", "changes", "p50", "p99", "slowest", "writer late")]
    worst = [0.0, 0.0]
    with ShopProcess(folder, [(card.code, card.pieces) for card in cards], ledger=True) as shop:
        file = folder / "bench.toml"
        file.write_text(config_text(shop.url, shop.key, row_version="rowversion"), encoding="utf-8")
        with AgentProcess(file) as agent:
            wait_until_quiet(agent, folder / "state.db", seconds=PATIENCE)
            shop.latency(SHOP)
            first = 1_000
            for count, rate in rates:
                done, late = _write(folder / "pohoda.db", cards, count=count, rate=rate, first=first)
                first += count
                taken = _accepted(shop.ledger, done)
                worst = [max(before, now) for before, now in zip(worst, _percentiles(taken), strict=True)]
                rows.append(_row(f"{plain(rate)} changes/s", taken, late))
        with BareLoop(folder / "pohoda.db", url=shop.url, key=shop.key, poll=POLL):
            done, late = _write(folder / "pohoda.db", cards, count=count, rate=rate, first=first)
            rows.append(_row(f"{plain(rate)} changes/s, bare loop", _accepted(shop.ledger, done), late))
    allowed = [1000 * (share * POLL + SHOP) + slack for share, slack in ((0.5, 50), (1.1, 100))]
    rows.append(("to reach", "", plain(allowed[0]), plain(allowed[1]), "", ""))
    figures = {"poll_ms": POLL * 1000, "shop_ms": SHOP * 1000, "p50_ms": worst[0], "p99_ms": worst[1]}
    return Report(figures, rows, ["Found by row version; the last line holds the worse of the two rates.", FLOOR])


def _percentiles(taken: list[float]) -> list[float]:
    """Milliseconds below which half, and 99 %, of the latencies lie."""
    return [percentile(taken, share) * 1000 for share in (0.5, 0.99)]


def _row(name: str, taken: list[float], late: float) -> Row:
    numbers = [*_percentiles(taken), 1000 * max(taken), 1000 * late]
    return (name, str(len(taken)), *map(plain, numbers))


def _write(database: Path, cards: Sequence[Card], *, count: int, rate: float, first: int) -> tuple[list[Change], float]:
    """Change cards, one a commit, at moments that fall evenly on all phases of a poll; also says how late it got.

    Moments at random told little: the median of 120 even chances of a second is known to 45 ms (measured: 552 and 577).
    """
    chance = random.Random(first)
    moments = [(at + at * GOLDEN % 1) / rate for at in range(count)]
    order = [card for _ in range(count // len(cards) + 1) for card in chance.sample(list(cards), len(cards))]
    done: list[Change] = []
    late = 0.0
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as db:
        db.execute("PRAGMA synchronous=NORMAL")  # the disk of POHODA is not what is measured
        begin = time.monotonic() + 0.1
        for number, (moment, card) in enumerate(zip(moments, order, strict=False), first):
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            late = max(late, time.monotonic() - begin - moment)
            db.execute("UPDATE SKz SET StavZ = ? WHERE ID = ?", (number, card.row))
            done.append(Change(key_of(card.code), number, time.monotonic()))
    return done, late


def _accepted(ledger: Path, changes: Sequence[Change]) -> list[float]:
    """Wait until the shop has all changes; returns the seconds that each took."""
    end = time.monotonic() + PATIENCE
    while True:
        written: dict[str, list[tuple[int, float]]] = {}
        for line in ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []:
            write = json.loads(line)
            written.setdefault(key_of(write["reference"]), []).append((write["quantity"], write["at"]))
        taken = [_when(written.get(change.key, []), change) for change in changes]
        missing = sum(moment is None for moment in taken)
        if not missing:
            return [moment - change.at for moment, change in zip(taken, changes, strict=True) if moment is not None]
        if time.monotonic() > end:
            raise SystemExit(f"{missing} of {len(changes)} changes never reached the shop")
        time.sleep(0.5)


def _when(writes: list[tuple[int, float]], change: Change) -> float | None:
    """When the first write of this number, or of a later one, was accepted. A card's numbers only grow."""
    at = bisect_left(writes, (change.number, 0.0))
    return writes[at][1] if at < len(writes) else None
