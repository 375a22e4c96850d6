"""What the agent costs while nothing happens: processor time and memory, by cursor, and by fingerprints beside it.

Measured from outside, by /proc, after the first pass. How often fingerprints are read is decided by how long a pass
takes; that is measured afterwards, by the same source on the same clock.
"""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from agent.ingest import SeenInFile
from agent.sources import Cursor
from agent.sources.connect import open_database
from agent.sources.pohoda_db import PohodaTable
from agent.sources.strategies import RowVersion
from agent.sources.views.stock import StockRow
from state.db import open_state
from tests.bench.agent_process import AgentProcess, wait_until_quiet
from tests.bench.figures import Report, Row, plain
from tests.bench.seeded import SOURCE, config_text, make_pohoda, remember_rows, remember_shop, view
from tests.bench.shop_process import ShopProcess, link

POLL = 1.0
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class _Idle:
    cpu_percent: float
    rss_mb: float


def run(folder: Path, *, quick: bool) -> Report:
    """Measure one strategy after the other, on the same files."""
    cards = make_pohoda(folder / "pohoda.db", 5_000 if quick else 200_000)
    with closing(open_state(folder / "state.db")) as state:
        remember_rows(state, folder / "pohoda.db")
        remember_shop(state, cards, [link(at + 1) for at in range(len(cards))])
    seconds, pause = (6.0, 0.5) if quick else (120.0, 5.0)
    with ShopProcess(folder, [(cards[0].code, cards[0].pieces)]) as shop:
        found = {
            strategy: _watch(folder, shop, strategy, seconds=seconds, pause=pause)
            for strategy in ("rowversion", "fingerprint")
        }
    settled = _settled(folder, turns=3 if quick else 15)
    by_cursor, by_print = found["rowversion"], found["fingerprint"]
    rows: list[Row] = [
        (f"idle, {len(cards):,} cards, {seconds:.0f} s", "% of a core", "RSS MB", "reads each"),
        ("by cursor", plain(by_cursor.cpu_percent), plain(by_cursor.rss_mb), f"{plain(POLL)} s"),
        ("by fingerprints", plain(by_print.cpu_percent), plain(by_print.rss_mb), f"{plain(settled)} s"),
    ]
    missing = math.isnan(by_cursor.cpu_percent)
    notes = ["Skipped: there is no /proc on this system."] if missing else []
    return Report({"cpu_percent": by_cursor.cpu_percent, "rss_mb": by_cursor.rss_mb}, rows, notes)


def _watch(folder: Path, shop: ShopProcess, strategy: RowVersion, *, seconds: float, pause: float) -> _Idle:
    """Run the agent, let it come to rest, and look on; memory is the most that was seen."""
    file = folder / "bench.toml"
    file.write_text(config_text(shop.url, shop.key, row_version=strategy), encoding="utf-8")
    with AgentProcess(file) as agent:
        wait_until_quiet(agent, folder / "state.db", seconds=PATIENCE)
        time.sleep(pause)
        begin, before = time.monotonic(), agent.cpu_seconds()
        memory: list[float] = []
        while time.monotonic() < begin + seconds:
            time.sleep(min(1.0, seconds / 4))
            memory += [now for now in [agent.rss_mb()] if now is not None]
        after, took = agent.cpu_seconds(), time.monotonic() - begin
        if not agent.alive():
            raise SystemExit("the agent did not stay alive")
    if before is None or after is None or not memory:
        return _Idle(math.nan, math.nan)
    return _Idle(100 * (after - before) / took, max(memory))


def _settled(folder: Path, *, turns: int) -> float:
    """Seconds from the beginning of one pass by fingerprints to that of the next, polled each second as by a loop."""
    database = open_database((folder / "pohoda.db").as_posix())
    began: list[float] = []
    with closing(open_state(folder / "state.db")) as state:
        source = PohodaTable[StockRow](SOURCE, database, view(), row_version="fingerprint", poll=POLL)
        with closing(source):
            seen = SeenInFile(state, SOURCE)
            cursor, _ = _pass(source, None, seen)
            for _ in range(turns):
                time.sleep(POLL)
                at = time.monotonic()
                cursor, scanned = _pass(source, cursor, seen)
                began += [at] if scanned else []
    return median(later - one for one, later in pairwise(began)) if len(began) > 1 else math.nan


def _pass(source: PohodaTable[StockRow], cursor: Cursor | None, seen: SeenInFile) -> tuple[Cursor, int]:
    scanned = 0
    while True:
        batch = source.read(cursor, seen)
        cursor, scanned = batch.cursor, scanned + batch.scanned
        if not batch.more:
            return cursor, scanned
